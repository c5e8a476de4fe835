// bpf_trace_printk, bpf_trace_vprintk, bpf_snprintf: kernel/trace/bpf_trace.c, kernel/bpf/helpers.c
import { EINVAL } from '../uapi/errno.js'
import { FUNC } from '../uapi/bpf.js'
import { argHi, type HelperEnv, type HelperTable } from './env.js'
import { MAX_ARGS, MAX_TEXT, cString, formatText, latin1, parseFormat } from './format.js'

type Args = readonly (readonly [number, number])[]

export function traceHelpers(env: HelperEnv): HelperTable {
  return {
    [FUNC.trace_printk]: {
      ret: 'int', wide: 0b11100,
      call: (format, size, a, b, c) => print(env, format, size, [[a, argHi(env, 2)], [b, argHi(env, 3)], [c, argHi(env, 4)]]),
    },
    [FUNC.trace_vprintk]: {
      ret: 'int',
      call: (format, size, data, length) => (badArgs(data, length) ? -EINVAL : print(env, format, size, readArgs(env, data, length))),
    },
    [FUNC.snprintf]: { ret: 'int', call: (to, size, format, data, length) => snprintf(env, to, size, format, data, length) },
  }
}

function badArgs(data: number, length: number): boolean {
  return (length & 7) !== 0 || length >>> 0 > 8 * MAX_ARGS || (length !== 0 && data === 0)
}

function readArgs({ mem }: HelperEnv, data: number, length: number): Args {
  return Array.from({ length: length >> 3 }, (_, i) => [mem.view.getInt32(data + 8 * i, true), mem.view.getInt32(data + 8 * i + 4, true)] as const)
}

/** The count of characters, or -errno. */
function print(env: HelperEnv, format: number, size: number, args: Args): number {
  const end = env.mem.u8.subarray(format, format + size).indexOf(0)
  if (end < 0) return -EINVAL
  const pieces = parseFormat(latin1(env.mem, format, format + end), args.length)
  if (typeof pieces === 'number') return pieces
  const text = formatText(env.mem, pieces, args)
  env.printk(text.slice(0, MAX_TEXT - 1))
  return text.length
}

/** The count of bytes that the whole text needs, its NUL included. */
function snprintf(env: HelperEnv, to: number, size: number, format: number, data: number, length: number): number {
  if (badArgs(data, length)) return -EINVAL
  const pieces = parseFormat(cString(env.mem, format, 0), length >> 3)
  if (typeof pieces === 'number') return pieces
  const text = formatText(env.mem, pieces, readArgs(env, data, length))
  if (size > 0) {
    const fits = Math.min(text.length, size - 1)
    for (let i = 0; i < fits; i += 1) env.mem.u8[to + i] = text.charCodeAt(i)
    env.mem.u8[to + fits] = 0
  }
  return text.length + 1
}
