// The context of the PHYS_DEV proposal: struct xdp_metadata (v1) or bpf_phys_dev_md (v2), one field. Packet bytes come by LD_ABS only.
import { exact, ldx, type Context } from './ctx-types.js'

/** What the hook fills: the length of the frame, then the pseudo skb that LD_ABS works on (its address, u64 at 8). */
export const PHYS_DEV_MD = { size: 16, len: 0, skb: 8 } as const

export const physDev: Context = {
  name: 'bpf_phys_dev_md', size: 4, writable: new Set(), hidden: new Set(), ldAbs: true,
  fields: [exact('len', 0, 4, 'scalar', (dst, src) => [ldx(4, dst, src, PHYS_DEV_MD.len)])],
}
