// Values of .kconfig externs: the emulated kernel's configuration written into their map. Answers to set_kcfg_value_* of libbpf.
import type { InputError } from '../bytes/errors.js'
import { objectError, viewOf } from './error.js'
import type { KconfigSpec, ObjectSpec } from './spec.js'

/** `CONFIG_X` to what a .config has behind its equals sign: y, m, n, a number, a quoted string. */
export type Kconfig = (name: string) => string | undefined

/** KERNEL_VERSION(6, 18, 0) */
export const KERNEL_VERSION = (6 << 16) | (18 << 8)

const BUILT_IN: { readonly [name: string]: string } = {
  LINUX_KERNEL_VERSION: String(KERNEL_VERSION), LINUX_HAS_BPF_COOKIE: '1', LINUX_HAS_SYSCALL_WRAPPER: '1',
}

/** The configuration of the emulated kernel, as far as programs ask. */
const CONFIG: { readonly [name: string]: string } = {
  CONFIG_64BIT: 'y', CONFIG_X86_64: 'y', CONFIG_SMP: 'y', CONFIG_HZ: '250', CONFIG_HZ_250: 'y', CONFIG_BPF: 'y', CONFIG_BPF_SYSCALL: 'y',
  CONFIG_BPF_JIT: 'y', CONFIG_BPF_JIT_ALWAYS_ON: 'y', CONFIG_DEBUG_INFO_BTF: 'y', CONFIG_NET: 'y', CONFIG_INET: 'y', CONFIG_IPV6: 'y',
  CONFIG_XDP_SOCKETS: 'y', CONFIG_NET_SCHED: 'y', CONFIG_NET_CLS_ACT: 'y', CONFIG_NET_CLS_BPF: 'y', CONFIG_NET_ACT_BPF: 'y',
  CONFIG_NET_SCH_INGRESS: 'y', CONFIG_NET_XGRESS: 'y', CONFIG_VETH: 'y', CONFIG_TUN: 'y', CONFIG_IFB: 'y', CONFIG_DUMMY: 'y', CONFIG_XPS: 'y',
  CONFIG_CGROUP_BPF: 'n', CONFIG_PREEMPT_NONE: 'y',
}

/** What is used when a caller has no configuration of its own. */
export const emulatedKconfig: Kconfig = name => CONFIG[name]

/** The content of the .kconfig map. */
export function kconfigValue(object: ObjectSpec, size: number, config: Kconfig): Uint8Array {
  const bytes = new Uint8Array(size)
  for (const extern of object.kconfig) {
    const fail = (reason: string): InputError => objectError(object.file, `extern (kcfg) '${extern.name}'`, reason)
    const text = BUILT_IN[extern.name] ?? config(extern.name)
    if (text !== undefined) write(bytes, extern, text, fail)
    else if (!extern.weak) throw objectError(object.file, `extern '${extern.name}' (strong)`, 'not resolved')
  }
  return bytes
}

function write(bytes: Uint8Array, e: KconfigSpec, text: string, fail: (reason: string) => InputError): void {
  if (/^"(.*)"$/s.test(text)) return writeString(bytes, e, text.slice(1, -1), fail)
  if (/^[ymn]$/.test(text)) return writeTristate(bytes, e, text, fail)
  if (!/^-?(0x[0-9a-fA-F]+|\d+)$/.test(text)) throw fail(`value '${text}' isn't a number`)
  if (e.kind !== 'int' && e.kind !== 'char') throw fail(`value '${text}' is a number, the extern is a ${e.kind}`)
  const negative = text.startsWith('-')
  const value = BigInt(negative ? text.slice(1) : text) * (negative ? -1n : 1n)
  const bits = e.size * 8
  if ((e.signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value)) !== value) throw fail(`value '${text}' doesn't fit in ${e.size} bytes`)
  for (let i = 0; i < e.size; i++) bytes[e.offset + i] = Number((value >> BigInt(i * 8)) & 255n)
}

function writeString(bytes: Uint8Array, e: KconfigSpec, text: string, fail: (reason: string) => InputError): void {
  if (e.kind !== 'string') throw fail(`value '${text}' is a string, the extern is a ${e.kind}`)
  bytes.set(new TextEncoder().encode(text).subarray(0, e.size - 1), e.offset)
}

/** y, m, n are 1, 2, 0 for a tristate; a bool has no m. */
function writeTristate(bytes: Uint8Array, e: KconfigSpec, text: string, fail: (reason: string) => InputError): void {
  if (e.kind === 'char') bytes[e.offset] = text.charCodeAt(0)
  else if (e.kind === 'tristate') viewOf(bytes).setUint32(e.offset, { n: 0, y: 1, m: 2 }[text] ?? 0, true)
  else if (e.kind === 'bool' && text !== 'm') bytes[e.offset] = text === 'y' ? 1 : 0
  else throw fail(`value '${text}' implies tristate, the extern is a ${e.kind}`)
}
