// What verify() hands out beside the verdict: the xlated form, moved records, facts for the kernel side, and words for people.
import t from 'tap'
import { asm } from '../../pkg/insn/asm.js'
import { disasm } from '../../pkg/insn/disasm.js'
import type { MapAttr } from '../../pkg/map/types.js'
import { PROG_TYPE } from '../../pkg/uapi/bpf.js'
import { verify, type VerifyInput, type VerifyResult } from '../../pkg/verifier/index.js'

const map: MapAttr = {
  id: 7, type: 1, name: 'm', keySize: 4, valueSize: 8, maxEntries: 4, flags: 0, mapExtra: 0, innerMapId: 0, btfId: 0, btfKeyTypeId: 0, btfValueTypeId: 0,
}

function load(text: string, type: number = PROG_TYPE.SCHED_CLS, more: Partial<VerifyInput> = {}, prog = {}): VerifyResult {
  return verify({
    prog: { type, insns: asm(text, { maps: { m: 7 } }), license: 'GPL', ...prog }, maps: id => (id === 7 ? map : undefined), vmlinux: () => undefined,
    logLevel: 0, ...more,
  })
}

function xlated(r: VerifyResult): string[] {
  if (!r.ok) throw new Error(`refused: ${r.log}`)
  return r.image.insns.map((_, n) => disasm(r.image.insns, n))
}

t.test('xlated form', t => {
  t.strictSame(xlated(load('r0 = *(u32 *)(r1 +40)\nexit')), ['(79) r0 = *(u64 *)(r1 +16)', '(61) r0 = *(u32 *)(r0 +224)', '(95) exit'],
    'a field of a field takes two loads')
  t.strictSame(xlated(load('r0 = 5\nif r0 == 5 goto x\nr0 = 6\nx:\nexit')), ['(b7) r0 = 5', '(95) exit'], 'dead code and the jump over it are gone')
  t.strictSame(xlated(load('r2 = *(u32 *)(r1 +40)\nr0 = 1\nif r2 == 0 goto x\nr0 = *(u32 *)(r1 +40)\nx:\nexit')).slice(2, 4),
    ['(b7) r0 = 1', '(15) if r2 == 0x0 goto pc+2'], 'jumps count new slots')
  const r = load('r6 = r1\ncall f\nr0 = *(u32 *)(r6 +40)\nexit\nf:\n*(u64 *)(r10 -24) = 1\nr0 = 0\nexit')
  t.match(r, { ok: true, image: { subprogs: [0, 5], stack: [0, 24] } }, 'subprograms and their stack')
  t.equal(r.ok && r.image.insns[1]!.imm, 3, 'a call counts new slots')
  t.end()
})

t.test('records move with their instructions', t => {
  const lineInfo = { recSize: 16, bytes: new Uint8Array(48) }
  const view = new DataView(lineInfo.bytes.buffer)
  ;[0, 2, 3].forEach((insn, n) => {
    view.setUint32(n * 16, insn, true)
    view.setUint32(n * 16 + 12, (n + 1) << 10, true)
  })
  const r = load('r2 = *(u32 *)(r1 +40)\nr0 = 0\nif r0 == 0 goto x\nr0 = 1\nx:\nexit', PROG_TYPE.SCHED_CLS, {}, { lineInfo })
  const out = new DataView((r.ok ? r.lineInfo! : lineInfo).bytes.slice().buffer)
  t.strictSame([out.byteLength, out.getUint32(0, true), out.getUint32(16, true)], [32, 0, 3], 'a line whose code is gone goes too')
  t.end()
})

t.test('facts', t => {
  t.match(load('r2 = *(u32 *)(r1 +48)\nr0 = 0\nexit'), { facts: { cbAccess: true, directPacketAccess: false, ldAbs: false } })
  t.match(load('r6 = r1\nr0 = *(u8 *)skb[0]\nexit', PROG_TYPE.SOCKET_FILTER), { facts: { ldAbs: true, usesPacketWrites: false } })
  const check = 'r2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\nr4 = r2\nr4 += 1\nr0 = 1\nif r4 > r3 goto x\n'
  t.match(load(`${check}*(u8 *)(r2 +0) = 1\nx:\nexit`, PROG_TYPE.XDP), { facts: { usesPacketWrites: true, directPacketAccess: true } })
  const lookup = load('*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\nr1 = map[m]\ncall 1\nr0 = 0\nexit')
  t.strictSame(lookup.ok && [...lookup.image.aux], [[5, { mapId: 7 }]], 'the one map of a call')
  t.end()
})

t.test('refusals', t => {
  t.strictSame(load('r0 = r3\nexit'), { ok: false, errno: 13, log: '', explain: undefined }, 'nothing is written when nothing was asked for')
  t.match(load('exit', PROG_TYPE.XDP, { explain: true }), { log: '', explain: /No value is returned/ }, 'words without a log')
  const packet = 'r2 = *(u32 *)(r1 +0)\nr0 = *(u16 *)(r2 +12)\nexit'
  t.match(load(packet, PROG_TYPE.XDP, { explain: true }), { explain: /if \(\(void \*\)ptr \+ 14 > data_end\)/ }, 'the missing check')
  t.match(load('r0 = 0\nexit', 29), { ok: false, errno: 22 }, 'a type that is not here')
  t.match(load('r0 = r3\nexit', PROG_TYPE.XDP, { logLevel: 2 }).log, /^func#0 @0\nLive regs before insn:\n {6}0: \.\.\.3/, 'level 2 begins as the kernel\'s')
  t.end()
})
