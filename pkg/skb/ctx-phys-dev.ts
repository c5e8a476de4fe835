// The context of the PHYS_DEV proposal: struct xdp_metadata (v1) or bpf_phys_dev_md (v2), one field. Packet bytes come by LD_ABS only,
// from a pseudo sk_buff that has len, head and data (hook/phys-dev.ts): programs hold its address.
import { insn, type Insn } from '../insn/insn.js'
import * as B from '../insn/opcode.js'
import { FUNC } from '../uapi/bpf.js'
import { exact, ldx, movK, type Context } from './ctx-types.js'
import { SKB } from './layout.js'

export const physDev: Context = {
  name: 'bpf_phys_dev_md', size: 4, writable: new Set(), hidden: new Set(), ldAbs: true,
  fields: [exact('len', 0, 4, 'scalar', (dst, src) => [ldx(4, dst, src, SKB.len)])],
}

/** SKF_AD_*: include/uapi/linux/filter.h */
const SKF_AD_OFF = -0x1000
const SKF_AD_CPU = 36
const SKF_AD_RANDOM = 56

/** A constant load from the ancillary area: nothing is known of a frame that is no skb yet, so only the CPU and the random number are real. */
export function ancillaryLoad(i: Insn): Insn[] | undefined {
  const constant = B.BPF_CLASS(i.code) === B.BPF_LD && B.BPF_MODE(i.code) === B.BPF_ABS
  if (!constant || i.imm >= 0 || i.imm < SKF_AD_OFF) return undefined
  const call = (func: number): Insn[] => [insn(B.BPF_JMP | B.BPF_CALL, 0, 0, 0, func)]
  if (i.imm === SKF_AD_OFF + SKF_AD_CPU) return call(FUNC.get_smp_processor_id)
  return i.imm === SKF_AD_OFF + SKF_AD_RANDOM ? call(FUNC.get_prandom_u32) : [movK(0, 0)]
}
