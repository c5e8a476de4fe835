// An image as the loop reads it: four int32 a slot, with everything looked up that an address or a table can answer.
import { Bug } from '../bytes/errors.js'
import { isLdImm64 } from '../insn/opcode.js'
import { opOf } from '../insn/decode.js'
import type { Insn } from '../insn/insn.js'
import type { EngineHost, HelperImpl } from '../prog/engine.js'
import type { Image } from '../prog/image.js'
import { CALL, FUNC, PSEUDO } from '../uapi/bpf.js'

/**
 * Words of a slot. insn: off << 16 | src << 12 | dst << 8 | code. extra: upper half of a 16-byte load; index of a helper; PROBE.
 * stack: bytes of the subprogram it lies in.
 */
export const WORD = { insn: 0, imm: 1, extra: 2, stack: 3 } as const
export const SLOT_SHIFT = 2
/** Function pointers are this plus the first slot of the subprogram. */
export const FUNCTION_BASE = 0x7f000000

/** bpf_tail_call, whether the fixup has marked it or not. */
export const TAIL_CALL = 0xf5
/** extra of a load: BPF_PROBE_MEM. */
export const PROBE = 1

export interface Decoded {
  readonly image: Image
  readonly words: Int32Array
  readonly calls: readonly HelperImpl[]
}

export function decodeImage(image: Image, host: EngineHost): Decoded {
  const words = new Int32Array(image.insns.length << SLOT_SHIFT)
  const calls: HelperImpl[] = []
  let sub = 0
  for (let pc = 0; pc < image.insns.length; pc++) {
    const i = image.insns[pc]!
    if (pc === image.subprogs[sub + 1]) sub++
    words.set([(i.off << 16) | (i.src << 12) | (i.dst << 8) | i.code, i.imm, 0, image.stack[sub] ?? 0], pc << SLOT_SHIFT)
    if (isLdImm64(i.code)) {
      const [low, high] = wideValue(i, image.insns[pc + 1]!, pc, host)
      words[(pc << SLOT_SHIFT) + WORD.imm] = low
      words[(pc++ << SLOT_SHIFT) + WORD.extra] = high
    } else if (i.code === 0x85) {
      decodeCall(words, pc, i, calls, host)
    } else {
      if (opOf(i) === undefined) throw new Bug(`${image.name}: no engine knows the instruction at ${pc}`)
      if (image.aux.get(pc)?.probe === true) words[(pc << SLOT_SHIFT) + WORD.extra] = PROBE
    }
  }
  return { image, words, calls }
}

function decodeCall(words: Int32Array, pc: number, i: Insn, calls: HelperImpl[], host: EngineHost): void {
  const at = pc << SLOT_SHIFT
  if (i.src === CALL.HELPER && i.imm === FUNC.tail_call) words[at] = TAIL_CALL
  else if (i.src === CALL.HELPER) words[at + WORD.extra] = calls.push(host.helper(i.imm)) - 1
  else if (i.src === CALL.PSEUDO_KFUNC) words[at + WORD.extra] = calls.push(host.kfunc(i.imm)) - 1
  else if (i.src !== CALL.PSEUDO_CALL) throw new Bug(`no such kind of call at ${pc}`)
}

/** What a 16-byte load loads, as halves. */
export function wideValue(i: Insn, next: Insn, pc: number, host: EngineHost): [number, number] {
  switch (i.src) {
    case 0: return [i.imm, next.imm]
    case PSEUDO.MAP_FD: return [host.mapAddr(i.imm), 0]
    case PSEUDO.MAP_VALUE: return [(host.mapValueAddr(i.imm) + next.imm) | 0, 0]
    case PSEUDO.BTF_ID: return [i.imm, 0]
    case PSEUDO.FUNC: return [FUNCTION_BASE + pc + 1 + i.imm, 0]
    default: throw new Bug(`a 16-byte load of kind ${i.src} at ${pc} was left in the image`)
  }
}
