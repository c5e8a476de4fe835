// pkg/insn: the table is consistent, text and bytes round-trip, bad shapes are named.
import t from 'tap'
import { asm } from '../../pkg/insn/asm.js'
import * as b from '../../pkg/insn/build.js'
import { flawOf, isPublicOpcode, opOf, targetOf, type Flaw } from '../../pkg/insn/decode.js'
import { disasm, disasmText, helperName } from '../../pkg/insn/disasm.js'
import { decodeInsns, encodeInsns, insn } from '../../pkg/insn/insn.js'
import { BPF_ADD, BPF_FETCH, BPF_JEQ, BPF_W } from '../../pkg/insn/opcode.js'
import { OPS } from '../../pkg/insn/table.js'
import { publicOps, sampleOf } from './samples.js'

t.test('rows', async t => {
  t.equal(new Set(OPS.map(op => op.name)).size, OPS.length, 'names are unique')
  for (const op of OPS) t.equal(opOf(sampleOf(op)[0]!), op, `${op.name} is found by its own sample`)
})

t.test('every row survives text and bytes', async t => {
  for (const op of publicOps) {
    const insns = sampleOf(op)
    t.equal(flawOf(insns, 0), undefined, `${op.name} is well formed`)
    t.same(decodeInsns(encodeInsns(insns)), insns, `${op.name} as bytes`)
    if (op.form === 'ld_imm64' && op.value > 0) continue
    if (op.form === 'kfunc') continue
    t.same(asm(disasm(insns, 0)), insns, `${op.name}: ${disasmText(insns, 0)}`)
  }
})

t.test('reserved fields are refused', async t => {
  for (const op of publicOps) {
    for (const field of ['dst', 'src', 'off', 'imm'] as const) {
      const insns = sampleOf(op)
      const zero = sampleOf(op, 0, 0, 0, 0)[0]!
      if (insns[0]![field] !== zero[field] || op.field === field) continue
      insns[0] = { ...insns[0]!, [field]: field === 'src' && op.form === 'neg' ? 3 : 3 }
      t.not(flawOf(insns, 0), undefined, `${op.name} with ${field} 3`)
    }
  }
})

const flaw = (title: string, want: Flaw | undefined, ...insns: readonly ReturnType<typeof insn>[]): void => {
  t.equal(flawOf(insns, 0), want, title)
}
flaw('code 0x8d, callx, is refused', 'unknown', insn(0x8d, 1, 0, 0, 0))
flaw('code 0xff', 'unknown', insn(0xff, 0, 0, 0, 0))
flaw('the internal tail call cannot be loaded', 'unknown', insn(0xf5, 0, 0, 0, 0))
flaw('r11', 'register', b.mov64Imm(11, 0))
flaw('shift by 64', 'shift', b.alu64Imm(0x60, 1, 64))
flaw('shift by 63', undefined, b.alu64Imm(0x60, 1, 63))
flaw('32-bit shift by 32', 'shift', b.alu32Imm(0xc0, 1, 32))
flaw('division by 0', 'divzero', b.alu64Imm(0x30, 1, 0))
flaw('modulo by 0', 'divzero', b.alu32Imm(0x90, 1, 0))
flaw('half a 16-byte load', 'imm64', b.ldImm64(1, 5)[0])
flaw('a 16-byte load before another instruction', 'imm64', b.ldImm64(1, 5)[0], b.exit())
flaw('unknown atomic', 'reserved', b.atomicOp(BPF_W, 0x33, 1, 2, 0))
flaw('atomic of a byte', 'reserved', insn(0xd3, 1, 2, 0, BPF_ADD | BPF_FETCH))
flaw('movsx of 24 bits', 'reserved', insn(0xbf, 1, 2, 24, 0))
t.equal(isPublicOpcode(0xf5), false)
t.equal(isPublicOpcode(0x95), true)
t.equal(targetOf(b.jmpImm(BPF_JEQ, 1, 0, -3), 10), 8)
t.equal(targetOf(insn(0x06, 0, 0, 0, 100), 0), 101, 'gotol')
t.equal(helperName(1), 'bpf_map_lookup_elem')
t.equal(helperName(9999), 'unknown')

const reads = (text: string, want: string, title = text): void => {
  const insns = asm(text, { maps: { counts: 5 }, kfuncs: { bpf_xdp_metadata_rx_hash: 77 } })
  t.equal(disasmText(insns, 0), want, title)
}
reads('  12: (b7) r0 = 0x10 // note', 'r0 = 16')
reads('r1 = -1', 'r1 = -1')
reads('w1 = 0xffffffff', 'w1 = -1')
reads('*(u32 *)(r10 - 4) = 0x7', '*(u32 *)(r10 -4) = 7')
reads('r1 = *(u64 *)(r2)', 'r1 = *(u64 *)(r2 +0)')
reads('r1 = 0x123456789ab ll', 'r1 = 0x123456789ab')
reads('r1 = -1 ll', 'r1 = 0xffffffffffffffff')
reads('x: goto x', 'goto pc-1')
reads('if w1 != 0xffffffff goto +0x2 <lbl>', 'if w1 != 0xffffffff goto pc+2')
reads('call bpf_ktime_get_ns', 'call bpf_ktime_get_ns#5')
reads('call 5', 'call bpf_ktime_get_ns#5')
reads('call sub\nexit\nsub: exit', 'call pc+1')
reads('call bpf_xdp_metadata_rx_hash', 'call kernel-function')
reads('w0 = cmpxchg32_32(r1 + 8, w0, w2)', 'r0 = atomic_cmpxchg((u32 *)(r1 +8), r0, r2)')
reads('r2 = xchg_64(r1 - 8, r2)', 'r2 = atomic64_xchg((u64 *)(r1 -8), r2)')
reads('w2 = atomic_fetch_xor((u32 *)(r1 + 0), w2)', 'r2 = atomic_fetch_xor((u32 *)(r1 +0), r2)')
reads('r0 = *(u16 *)skb[r6]', 'r0 = *(u16 *)skb[r6 + 0]')
t.equal(asm('r1 = map[counts]', { maps: { counts: 5 } })[0]!.imm, 5)
t.equal(asm('r1 = map[counts][0]+12', { maps: { counts: 5 } })[1]!.imm, 12)
t.equal(asm('r1 = subprog[f]\nexit\nf: exit')[0]!.imm, 2)
t.equal(disasmText(asm('r1 = map[id:3]'), 0, { imm64: i => `map[id:${i.imm}]` }), 'r1 = map[id:3]')

const refuses = (text: string, why: RegExp): void => { t.throws(() => asm(text), why, text) }
refuses('goto nowhere', /line 1: goto nowhere: no such label/)
refuses('r0 = 0\nhello', /line 2: not an instruction: hello/)
refuses('r1 += w2', /line 1: r and w/)
refuses('r1 = 0x100000000', /does not fit 32 bits/)
refuses('callx r1', /not an instruction/)
