// The one place that turns what was thrown into lines and an exit status: iproute2's lib/libnetlink.c (rtnl_talk, nl_dump_ext_ack) and
// bpftool's p_err.
import { InputError, KernelError } from '../bytes/errors.js'
import { strerror } from '../uapi/errno.js'

/** lines: as written to stderr; message: without the tool's own 'Error: ', for {"error": …}; usage: not an error text but a usage text. */
export type Failure = { readonly lines: string; readonly message: string; readonly status: number; readonly usage: boolean }

export type FailureStyle = 'iproute2' | 'bpftool'

/** Never throws, never shows a stack (HOOKPOINT_DEBUG=1 does). */
export function describeFailure(error: unknown, style: FailureStyle, debug = false): Failure {
  if (error instanceof InputError) return describeInput(error, style)
  if (error instanceof KernelError) return style === 'iproute2' ? describeRtnl(error) : describeBpf(error)
  const code = (error as { code?: unknown } | undefined)?.code
  if (code === 'ENOSPC' || code === 'EROFS' || code === 'EACCES' || code === 'EDQUOT') return plain(`Error: ${(error as Error).message}`, 1)
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  const stack = debug && error instanceof Error ? `\n${error.stack ?? ''}` : ''
  return plain(`hookpoint: internal error: ${what} - please report the command that led here${stack}`, 125)
}

/** The text of a kernel's refusal alone: 'Specified class not found' or 'Invalid argument'. */
export const kernelText = (error: KernelError): string => error.extack ?? strerror(error.errno)

function plain(lines: string, status: number): Failure {
  return { lines, message: lines.replace(/^Error: /, ''), status, usage: false }
}

function describeInput(error: InputError, style: FailureStyle): Failure {
  const usage = error.message.startsWith('Usage:')
  if (style === 'iproute2') return { lines: error.message, message: error.message, status: error.status ?? 1, usage }
  return { lines: usage ? error.message : `Error: ${error.message}`, message: error.message, status: error.status ?? 255, usage }
}

function describeRtnl(error: KernelError): Failure {
  const log = error.log === undefined || error.log === '' ? '' : `${error.log.trimEnd()}\n`
  if (error.extack === undefined) return plain(`${log}RTNETLINK answers: ${strerror(error.errno)}`, 2)
  return plain(`${log}Error: ${error.extack.endsWith('.') ? error.extack : `${error.extack}.`}`, 2)
}

function describeBpf(error: KernelError): Failure {
  const log = error.log === undefined || error.log === '' ? '' : `${error.log.trimEnd()}\n`
  return { ...plain(`${log}Error: ${kernelText(error)}`, 255), message: kernelText(error) }
}
