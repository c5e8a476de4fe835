// Queueing discipline handles and class ids (include/uapi/linux/pkt_sched.h TC_H_*; iproute2 tc/tc_util.c: get_qdisc_handle,
// get_tc_classid, print_tc_classid): 32 bits, major:minor in hex.

export const TC_H_UNSPEC = 0
export const TC_H_ROOT = 0xffffffff
export const TC_H_INGRESS = 0xfffffff1
export const TC_H_CLSACT = TC_H_INGRESS
export const TC_H_MIN_INGRESS = 0xfff2
export const TC_H_MIN_EGRESS = 0xfff3

export const major = (handle: number): number => handle >>> 16
export const minor = (handle: number): number => handle & 0xffff

/** TC_H_MAKE of two 16-bit halves. */
export const makeHandle = (majorPart: number, minorPart: number): number => ((majorPart << 16) | minorPart) >>> 0

const HEX = /^(?:0x)?[0-9a-f]+/i

/** A qdisc's '1:' (also '1', '1:7' whose rest is not looked at, and 'none'). */
export function parseQdiscHandle(text: string): number | undefined {
  if (text === 'none') return TC_H_UNSPEC
  const digits = HEX.exec(text)?.[0]
  if (digits === undefined) return undefined
  const rest = text.slice(digits.length)
  const value = parseInt(digits, 16)
  return value > 0xffff || !(rest === '' || rest.startsWith(':')) ? undefined : makeHandle(value, 0)
}

/** A class id or parent: '1:10', '1:', ':10', '10010' (all 32 bits, hex), 'root', 'none'. */
export function parseClassid(text: string): number | undefined {
  if (text === 'root') return TC_H_ROOT
  if (text === 'none') return TC_H_UNSPEC
  const [left = '', right, ...more] = text.split(':')
  if (right === undefined) return half(left, 0xffffffff)
  const high = left === '' ? 0 : half(left, 0xffff)
  const low = right === '' ? 0 : half(right, 0xffff)
  return more.length > 0 || high === undefined || low === undefined ? undefined : makeHandle(high, low)
}

function half(text: string, max: number): number | undefined {
  if (HEX.exec(text)?.[0] !== text) return undefined
  const value = parseInt(text, 16)
  return value > max ? undefined : value >>> 0
}

/** '1:10', '1:', ':10', 'root', 'none'. */
export function formatClassid(handle: number): string {
  if (handle === TC_H_ROOT) return 'root'
  if (handle === TC_H_UNSPEC) return 'none'
  const high = major(handle) === 0 ? '' : major(handle).toString(16)
  const low = minor(handle) === 0 ? '' : minor(handle).toString(16)
  return `${high}:${low}`
}
