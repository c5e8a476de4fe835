// The short way of bringing the views of a small number into accord says what the long way says.
import t from 'tap'
import { Scalar, syncLow, syncWide, sameScalar } from '../../pkg/verifier/scalar.js'
import { u64, U64 } from '../../pkg/verifier/tnum.js'

let seed = 12345
const random = (below: number): number => {
  seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
  return Math.floor((seed / 2 ** 32) * below)
}
const EDGES = [0, 1, 2, 255, 256, 0x7ffffffe, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff]
const low = (): number => [EDGES[random(EDGES.length)]!, random(2 ** 32), random(2 ** 16), 2 ** 31 + random(2 ** 16)][random(4)]!
const pair = (): [number, number] => {
  const [a, b] = [low(), low()]
  return a < b ? [a, b] : [b, a]
}
const ordered = (a: number, b: number): [number, number] => (a < b ? [a, b] : [b, a])

/** Views that some number has in common, most of them loose; now and then none. */
function views(): Scalar {
  const x = low()
  const around = (lo: number, hi: number): [number, number] => (random(12) === 0 ? [lo, hi] : [Math.min(lo, x), Math.max(hi, x)])
  const [umin, umax] = around(...pair())
  const [smin, smax] = around(...pair())
  const [u32min, u32max] = around(...pair())
  const [a, b] = ordered(low() | 0, low() | 0)
  const [s32min, s32max] = random(12) === 0 ? [a, b] : [Math.min(a, x | 0), Math.max(b, x | 0)]
  const mask = low()
  const bits = [{ value: BigInt((x & ~mask) >>> 0), mask: BigInt(mask) }, { value: 0n, mask: U64 }, { value: BigInt((x & ~mask) >>> 0), mask: u64(-1n << 32n) | BigInt(mask) }]
  const wideU = random(3) === 0
  const wideS = random(3) === 0
  const all32 = random(3) === 0
  return new Scalar(
    bits[random(3)]!, wideS ? -(1n << 63n) : BigInt(smin) - (random(4) === 0 ? 1n << 33n : 0n), wideS ? (1n << 63n) - 1n : BigInt(smax),
    wideU ? 0n : BigInt(umin), wideU ? U64 : BigInt(umax), all32 ? -(2 ** 31) : s32min, all32 ? 2 ** 31 - 1 : s32max,
    all32 ? 0 : u32min, all32 ? 0xffffffff : u32max,
  )
}

const text = (s: Scalar): string =>
  `${s.t.value}/${s.t.mask} s${s.smin}..${s.smax} u${s.umin}..${s.umax} s32 ${s.s32min}..${s.s32max} u32 ${s.u32min}..${s.u32max}`

t.test('numbers below 2^32 are brought into accord the same by both ways', async t => {
  let short = 0
  const wrong: string[] = []
  for (let n = 0; n < 100_000 && wrong.length < 5; n++) {
    const from = views()
    const [a, b] = [from.copy(), from.copy()]
    if (!syncLow(a)) {
      if (!sameScalar(a, from)) wrong.push(`changed: ${text(from)}`)
      continue
    }
    short++
    if (!sameScalar(a, syncWide(b))) wrong.push(`${text(from)}\n${text(a)}\n${text(b)}`)
  }
  t.same(wrong, [])
  t.ok(short > 20_000, `${short} went the short way`)
})
