// Where C needs help to lay out a struct as BTF says: packed attributes and anonymous bit fields as padding
// (the rules of tools/lib/bpf/btf_dump.c, libbpf 1.1).
import type { Btf } from './btf.js'
import type { BtfComposite } from './types.js'

/** Widest first: what a compiler aligns a bit field of that type to. */
const PADS: readonly (readonly [name: string, bits: number])[] = [['long', 64], ['int', 32], ['short', 16], ['char', 8]]

/** Natural alignment alone would not give this layout. */
export function isPacked(btf: Btf, t: BtfComposite): boolean {
  let max = 1
  for (const m of t.members) {
    const align = btf.alignof(m.type)
    if (align > 0 && m.bitSize === 0 && m.bitOffset % (8 * align)) return true
    max = Math.max(max, align)
  }
  return t.size % max !== 0
}

/** Padding members between two bit offsets, as `long: 32`. */
export function padding(from: number, to: number, nextAlign: number, inBitfield: boolean): string[] {
  if (from >= to) return []
  const out: string[] = []
  const [name, bits] = PADS.find(([, width]) => roundUp(from, width) <= to) ?? PADS[PADS.length - 1]!
  const aligned = roundUp(from, bits)
  if (aligned > from && aligned <= to) {
    const natural = aligned === to ? roundUp(from, nextAlign * 8) === aligned : to - aligned > aligned - from
    if (inBitfield || !natural) out.push(`${name}: ${inBitfield ? aligned - from : 0}`)
    from = aligned
  }
  for (; to - from >= bits; from += bits) out.push(`${name}: ${bits}`)
  if (from < to) out.push(`${smallestPad(to - from)}: ${to - from}`)
  return out
}

function smallestPad(bits: number): string {
  return [...PADS].reverse().find(([, width]) => width >= bits)?.[0] ?? 'long'
}

function roundUp(value: number, to: number): number {
  return to === 0 ? value : Math.ceil(value / to) * to
}
