// Seeded random programs that come close to what a verifier must decide: numbers from the context, bounds, a map value, the stack, packets.
import { asm } from '../../pkg/insn/asm.js'
import { MAP_TYPE, PROG_TYPE } from '../../pkg/uapi/bpf.js'
import type { Case } from './case.js'

/** mulberry32 */
function rng(seed: number): (n: number) => number {
  let a = seed | 0
  return n => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % n
  }
}

const ALU = ['+=', '-=', '*=', '&=', '|=', '^=', '<<=', '>>=', 's>>=', '/=', '%=', '=']
const CMP = ['==', '!=', '<', '<=', '>', '>=', 's<', 's<=', 's>', 's>=', '&']
const CONSTS = [0, 1, 2, 3, 5, 7, 8, 15, 16, 31, 32, 63, 64, 100, 127, 128, 255, 256, 4096, 0x7fff, 0xffff, 0x10000, 0x7fffffff, -1, -2, -8, -64, -128, -0x80000000]

/** Registers r6..r9 and r2..r5 hold numbers; the map value is fetched when it is used. */
export function randomCase(seed: number): Case {
  const pick = rng(seed)
  const one = <V>(list: readonly V[]): V => list[pick(list.length)]!
  const xdp = pick(3) === 0
  const lines: string[] = xdp ? ['r6 = *(u32 *)(r1 +12)', 'r7 = *(u32 *)(r1 +16)'] : ['r6 = *(u32 *)(r1 +0)', 'r7 = *(u32 *)(r1 +8)']
  lines.push('*(u64 *)(r10 -16) = r1', 'r0 = 0', 'r8 = 7', 'r9 = r6')
  if (pick(2) === 0) lines.push('r8 = map[m][0] + 8', 'r8 = *(u64 *)(r8 +0)')
  const regs = ['6', '7', '8', '9']
  const labels: string[] = []
  let next = 0
  const step = (): void => {
    const [d, s] = [one(regs), one(regs)]
    const w = pick(3) === 0 ? 'w' : 'r'
    switch (pick(13)) {
      case 0: case 1: case 2: {
        const op = one(ALU)
        const shift = op.includes('<<') || op.includes('>>')
        if (pick(2) === 0 && !shift) lines.push(`${w}${d} ${op} ${w}${s}`)
        else lines.push(`${w}${d} ${op} ${shift ? pick(w === 'w' ? 32 : 64) : one(CONSTS)}`)
        return
      }
      case 3: lines.push(`${w}${d} = ${w}${s}`); return
      case 4: lines.push(`r${d} &= ${one([1, 3, 7, 15, 31, 63, 127, 255])}`); return
      case 5: case 6: {
        const label = `l${next++}`
        labels.push(label)
        lines.push(pick(2) === 0 ? `if ${w}${d} ${one(CMP)} ${one(CONSTS)} goto ${label}` : `if ${w}${d} ${one(CMP)} ${w}${s} goto ${label}`)
        return
      }
      case 7: if (labels.length > 0) lines.push(`${labels.shift()!}:`); return
      case 8: {
        const size = one([8, 16, 32, 64])
        const at = -24 - 8 * pick(3)
        if (pick(2) === 0) lines.push(`*(u${size} *)(r10 ${at}) = r${s}`)
        else lines.push(`r${d} = *(u${size} *)(r10 ${at})`)
        return
      }
      case 9: lines.push(`r${d} = ${one(['(s8)', '(s16)', '(s32)'])} r${s}`); return
      case 10: lines.push(pick(2) === 0 ? `${w}${d} = -${w}${d}` : `r${d} = be16 r${d}`); return
      case 11: lines.push('r1 = map[m][0] + 0', `r1 += r${d}`, `r0 = *(u${one([8, 16, 32, 64])} *)(r1 +${pick(8)})`); return
      default: lines.push('r1 = r10', 'r1 += -64', `r${d} &= 31`, `r1 += r${d}`, `*(u8 *)(r1 +${pick(4)}) = ${pick(2)}`)
    }
  }
  const length = 6 + pick(26)
  for (let n = 0; n < length; n++) step()
  lines.push('r1 = map[m][0] + 0', `r1 += r${one(regs)}`, 'r0 = *(u8 *)(r1 +0)')
  for (const label of labels) lines.push(`${label}:`)
  lines.push('r0 = 0', 'exit')
  const attr = {
    id: 1, type: MAP_TYPE.ARRAY, name: 'm', keySize: 4, valueSize: 64, maxEntries: 1, flags: 0, mapExtra: 0, innerMapId: 0, btfId: 0,
    btfKeyTypeId: 0, btfValueTypeId: 0,
  }
  return {
    file: 'random', title: `random ${seed}`, type: xdp ? PROG_TYPE.XDP : PROG_TYPE.SCHED_CLS, attach: 0, flags: 0, license: 'GPL', dialect: undefined,
    maps: [{ name: 'm', attr, inner: undefined, value: undefined, frozen: false }], insns: asm(lines.join('\n'), { maps: { m: 1 } }), btf: undefined,
    funcInfo: undefined, want: '', gap: undefined, line: 0,
  }
}
