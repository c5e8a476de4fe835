// The objects of fixtures/bench as images. Their context accesses and map references are so plain that the rewrites of the
// verifier's fixup are done here: a bench of the engines should not wait for the loader.
import { readFileSync } from 'node:fs'
import { openElf } from '../../pkg/elf/index.js'
import { decodeInsns, insn, type Insn } from '../../pkg/insn/insn.js'
import type { Image, InsnAux } from '../../pkg/prog/image.js'
import { XDP_BUFF } from '../../pkg/skb/layout.js'
import { PROG_TYPE, PSEUDO } from '../../pkg/uapi/bpf.js'
import { imageOf } from '../insn/machine.js'
import { root } from '../support/root.js'

export const BENCH_MAP = 7

/** Section "xdp" of fixtures/bench/NAME.o, its one map being map id 7. */
export function benchImage(name: string): Image {
  const path = root('fixtures', 'bench', `${name}.o`)
  const elf = openElf(readFileSync(path), path)
  const section = elf.section('xdp')!
  const insns = decodeInsns(section.data)
  for (const { offset } of elf.relocations(section)) {
    const at = Number(offset) / 8
    insns[at] = insn(0x18, insns[at]!.dst, PSEUDO.MAP_FD, 0, BENCH_MAP)
  }
  const aux = new Map<number, InsnAux>()
  insns.forEach((i, pc) => { if (i.code === 0x85 && i.imm === 1) aux.set(pc, { mapId: BENCH_MAP }) })
  return imageOf(convertContext(insns), { name, type: PROG_TYPE.XDP, aux, mapIds: [BENCH_MAP] })
}

/** xdp_md -> xdp_buff, while r1 is the context or r6 a copy of it: the loads at the top of a program. */
function convertContext(insns: readonly Insn[]): Insn[] {
  const holds = new Set([1])
  return insns.map(i => {
    if (i.code === 0x61 && holds.has(i.src) && (i.off === 0 || i.off === 4)) {
      holds.delete(i.dst)
      return insn(0x79, i.dst, i.src, i.off === 0 ? XDP_BUFF.data : XDP_BUFF.data_end, 0)
    }
    if (i.code === 0xbf && holds.has(i.src)) holds.add(i.dst)
    else if ((i.code & 7) !== 5 && (i.code & 7) !== 6 && (i.code & 7) !== 3 && (i.code & 7) !== 2) holds.delete(i.dst)
    return i
  })
}
