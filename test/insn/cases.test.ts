// Every case of fixtures/insn on every engine; and between them the cases name every row of the opcode table.
import t from 'tap'
import { opOf, slotsOf } from '../../pkg/insn/decode.js'
import { SKB } from '../../pkg/skb/layout.js'
import { caseFiles, MEM_SIZE, readCases, trimmed, type Case } from './cases.js'
import { AT, engines, imageOf, memory, run64, testHost } from './machine.js'
import { publicOps } from './samples.js'

const used = new Set<string>()
for (const file of caseFiles()) {
  t.test(file, async t => {
    for (const one of readCases(file)) {
      for (let pc = 0; pc < one.insns.length; pc += slotsOf(one.insns[pc]!)) used.add(opOf(one.insns[pc]!)!.name)
      for (const [name, engine] of engines) {
        const host = testHost()
        const runnable = engine.compile(imageOf(one.insns), host)
        host.running = runnable
        const r0 = run64(runnable, prepare(one))
        t.equal(r0, one.r0, `${one.title}: r0, ${name}`)
        if (one.packet === undefined) t.equal(memAfter(), one.memAfter ?? trimmed(one.mem), `${one.title}: memory, ${name}`)
      }
    }
  })
}

t.test('the cases use the whole table', async t => {
  // 16-byte loads of objects and calls of kfuncs are in test/jit/jit.test.ts.
  const elsewhere = /^ld_imm64_|^call_kfunc$/
  t.same(publicOps.map(op => op.name).filter(name => !used.has(name) && !elsewhere.test(name)), [])
})

/** Lays out what r1 points to, and returns it. */
function prepare(one: Case): number {
  const { u8, view } = memory()
  if (one.packet === undefined) {
    u8.set(one.mem, AT.mem)
    return AT.mem
  }
  const { packet } = one
  u8.set(packet, AT.packet)
  u8.fill(0, AT.skb, AT.skb + SKB.size)
  view.setUint32(AT.skb + SKB.len, packet.length, true)
  view.setUint32(AT.skb + SKB.head, AT.packet, true)
  view.setUint32(AT.skb + SKB.data, AT.packet, true)
  view.setUint32(AT.skb + SKB.tail, packet.length, true)
  view.setUint16(AT.skb + SKB.network_header, 14, true)
  return AT.skb
}

function memAfter(): string {
  return trimmed(memory().u8.subarray(AT.mem, AT.mem + MEM_SIZE))
}

