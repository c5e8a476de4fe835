// pkg/wasm: what it builds, the engine compiles and runs.
import t from 'tap'
import { Bytes } from '../../pkg/wasm/bytes.js'
import { ATOMIC, I32, I64, MEM, ModuleBuilder, OP } from '../../pkg/wasm/index.js'

const leb = (write: (b: Bytes) => void): string => {
  const b = new Bytes()
  write(b)
  return Buffer.from(b.take()).toString('hex')
}
t.equal(leb(b => b.u32(624485)), 'e58e26')
t.equal(leb(b => b.u32(0xffffffff)), 'ffffffff0f')
t.equal(leb(b => b.s32(-123456)), 'c0bb78')
t.equal(leb(b => b.s32(63)), '3f')
t.equal(leb(b => b.s32(64)), 'c000')
t.equal(leb(b => b.s64(-1, -1)), '7f')
t.equal(leb(b => b.s64(0, -0x80000000)), '8080808080808080807f')
t.equal(leb(b => b.s64(-1, 0x7fffffff)), 'ffffffffffffffffff00')
t.equal(leb(b => b.s64(0x80000000 | 0, 0)), '8080808008')

interface Exports { sum: (n: number) => number, mix: (n: bigint) => bigint, add: (n: number) => number, cb: () => number }

function example(): Uint8Array {
  const m = new ModuleBuilder()
  m.importMemory('env', 'mem')
  const table = m.importTable('env', 'table')
  const ten = m.importFunc('env', 'ten', [], [I32])
  const calls = m.global(5)
  const sum = m.func([I32], [I32])
  {
    const { f } = sum
    const total = f.local(I32)
    const done = f.block()
    const again = f.loop()
    f.get(0); f.op(OP.i32_eqz); f.brIf(done)
    f.get(total); f.get(0); f.op(OP.i32_add); f.set(total)
    f.get(0); f.i32(1); f.op(OP.i32_sub); f.set(0)
    f.br(again)
    f.end(again)
    f.end(done)
    f.get(total)
  }
  const mix = m.func([I64], [I64])
  {
    const { f } = mix
    f.get(0); f.splat64(); f.get(0); f.splat64()
    f.shuffle([7, 6, 5, 4, 3, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    f.extract64(0)
  }
  const add = m.func([I32], [I32])
  {
    const { f } = add
    f.i32(64); f.get(0); f.atomic(ATOMIC.i32_add, 2); f.op(OP.drop)
    f.globalGet(calls); f.i32(1); f.op(OP.i32_add); f.globalSet(calls)
    f.i32(0); f.mem(MEM.i32_load, 64); f.globalGet(calls); f.op(OP.i32_add); f.call(ten); f.op(OP.i32_add)
  }
  const cb = m.func([], [I32])
  cb.f.i32(0)
  cb.f.returnCallIndirect(m.type([], [I32]), table)
  m.exportFunc('sum', sum.index)
  m.exportFunc('mix', mix.index)
  m.exportFunc('add', add.index)
  m.exportFunc('cb', cb.index)
  return m.finish()
}

t.test('a module runs', async t => {
  const bytes = example()
  t.same(example(), bytes, 'same calls, same bytes')
  const mem = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: 1 })
  const module = new WebAssembly.Module(bytes as BufferSource)
  const { exports } = new WebAssembly.Instance(module, { env: { mem, table, ten: () => 10 } })
  const e = exports as unknown as Exports
  t.equal(e.sum(100), 5050)
  t.equal(e.mix(0x0102030405060708n), 0x0807060504030201n)
  t.equal(e.add(7), 7 + 6 + 10)
  t.equal(e.add(1), 8 + 7 + 10)
  const m = new ModuleBuilder()
  m.importMemory('env', 'mem')
  const f = m.func([], [I32])
  f.f.i32(42)
  m.exportFunc('f', f.index)
  const answer = new WebAssembly.Instance(new WebAssembly.Module(m.finish() as BufferSource), { env: { mem } })
  table.set(0, answer.exports['f'])
  t.equal(e.cb(), 42, 'return_call_indirect')
})

t.test('misuse is a bug', async t => {
  const m = new ModuleBuilder()
  const { f } = m.func([], [])
  const outer = f.block()
  const inner = f.block()
  t.throws(() => { f.end(outer) }, /close in the order/)
  f.end(inner)
  t.throws(() => { f.br(inner) }, /closed block/)
  t.throws(() => { m.finish() }, /left open/)
  f.end(outer)
  const x = f.borrow(I64)
  t.throws(() => { m.finish() }, /not given back/)
  f.free(I64, x)
  t.equal(f.borrow(I64), x, 'locals are used again')
})
