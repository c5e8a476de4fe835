// bpf_strtol, bpf_strtoul, bpf_strncmp: kernel/bpf/helpers.c, lib/kstrtox.c
import type { Memory } from '../mem/memory.js'
import { EINVAL, ERANGE } from '../uapi/errno.js'
import { FUNC } from '../uapi/bpf.js'
import { argHi, type HelperEnv, type HelperTable } from './env.js'
import { latin1 } from './format.js'

/** Bases that flags may name, 0: by prefix. */
const BASES = [0, 8, 10, 16]
const LONGEST = 63

export function stringHelpers(env: HelperEnv): HelperTable {
  return {
    [FUNC.strtol]: { ret: 'int', wide: 1 << 2, call: (text, size, flags, to) => strtol(env, text, size, flags, to, true) },
    [FUNC.strtoul]: { ret: 'int', wide: 1 << 2, call: (text, size, flags, to) => strtol(env, text, size, flags, to, false) },
    [FUNC.strncmp]: { ret: 'int', call: (a, size, b) => strncmp(env.mem, a, size, b) },
  }
}

function strncmp({ u8 }: Memory, a: number, size: number, b: number): number {
  for (let i = 0; i < size; i += 1) {
    const x = u8[a + i]!
    const y = u8[b + i]!
    if (x !== y) return x < y ? -1 : 1
    if (x === 0) return 0
  }
  return 0
}

/** Characters consumed, or -errno; the number goes to `to`. */
function strtol(env: HelperEnv, text: number, size: number, flags: number, to: number, signed: boolean): number {
  const { view } = env.mem
  view.setBigInt64(to, 0n, true)
  if (argHi(env, 2) !== 0 || !BASES.includes(flags) || size === 0) return -EINVAL
  const parsed = parse(latin1(env.mem, text, text + size), flags)
  if (typeof parsed === 'number') return parsed
  const { magnitude, negative, consumed } = parsed
  if (magnitude >= 1n << 64n) return -ERANGE
  if (!signed && negative) return -EINVAL
  if (signed && magnitude > (negative ? 1n << 63n : (1n << 63n) - 1n)) return -ERANGE
  view.setBigUint64(to, BigInt.asUintN(64, negative ? -magnitude : magnitude), true)
  return consumed
}

function parse(text: string, flags: number): { magnitude: bigint; negative: boolean; consumed: number } | number {
  const blank = /^[\t-\r \xa0]*/.exec(text)![0].length
  const negative = text[blank] === '-'
  const start = blank + (negative ? 1 : 0)
  const body = text.slice(start, start + LONGEST)
  if (body === '') return -EINVAL
  const base = flags === 0 ? byPrefix(body) : flags
  const skip = base === 16 && /^0x/i.test(body) ? 2 : 0
  const digits = (base === 16 ? /^[0-9a-f]*/i : base === 10 ? /^[0-9]*/ : /^[0-7]*/).exec(body.slice(skip))![0]
  if (digits === '') return -EINVAL
  const prefix = base === 16 ? '0x' : base === 8 ? '0o' : ''
  return { magnitude: BigInt(prefix + digits), negative, consumed: start + skip + digits.length }
}

function byPrefix(text: string): number {
  if (text[0] !== '0') return 10
  return /^0x[0-9a-f]/i.test(text) ? 16 : 8
}
