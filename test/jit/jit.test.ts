// What instruction cases can't show: the helper ABI, objects, tail calls, map lookups as wasm, the ring loop, the cache.
import t, { type Test } from 'tap'
import { asm } from '../../pkg/insn/asm.js'
import { insn, type Insn } from '../../pkg/insn/insn.js'
import { opsOfCode } from '../../pkg/insn/table.js'
import { interp } from '../../pkg/interp/index.js'
import { jit } from '../../pkg/jit/index.js'
import { ARG_HI, CONTEXTS, RET_HI, RING } from '../../pkg/mem/layout.js'
import type { Engine, Runnable } from '../../pkg/prog/engine.js'
import type { InsnAux } from '../../pkg/prog/image.js'
import { XDP_BUFF } from '../../pkg/skb/layout.js'
import { PROG_TYPE } from '../../pkg/uapi/bpf.js'
import { benchImage, BENCH_MAP } from '../bench/objects.js'
import { AT, engines, imageOf, memory, run64, testHost, type TestHost } from '../insn/machine.js'
import { arrayMap, hashMap } from '../insn/maps.js'

const MAPS = 0x200_0000
const { view, u8, u32 } = memory()

function each(title: string, body: (t: Test, engine: Engine, host: TestHost) => void): void {
  for (const [name, engine] of engines) t.test(`${title}, ${name}`, async t => { body(t, engine, testHost()) })
}

each('helpers get low halves and wide ones their high halves', (t, engine, host) => {
  const seen: number[][] = []
  host.helpers.set(5000, {
    wide: 0b10010,
    ret: 'wide',
    call: (...args) => {
      seen.push([...args, view.getUint32(ARG_HI + 4, true), view.getUint32(ARG_HI + 16, true)])
      view.setUint32(RET_HI, 0xcafe, true)
      return -2
    },
  })
  host.helpers.set(5001, { ret: 'int', call: () => -5 })
  host.helpers.set(5002, { ret: 'uint', call: () => -5 })
  const image = (id: number): ReturnType<typeof imageOf> => imageOf(asm(`
    r1 = -1
    r2 = 0x500000006 ll
    r3 = 3
    r4 = 4
    r5 = 0xa0000000b ll
    call ${id}
    exit`))
  t.equal(run64(engine.compile(image(5000), host), 0), '0xcafefffffffe')
  t.same(seen, [[-1, 6, 3, 4, 11, 5, 10]])
  t.equal(run64(engine.compile(image(5001), host), 0), '0xfffffffffffffffb', 'int: sign-extended')
  t.equal(run64(engine.compile(image(5002), host), 0), '0xfffffffb', 'uint: zero-extended')
})

each('kfuncs and 16-byte loads of objects', (t, engine, host) => {
  host.kfuncs.set(77, { ret: 'uint', call: a => a + 1 })
  const insns = asm(`
    r6 = map[id:3]
    r7 = map[id:3][0]+8
    r8 = btf[5]
    r1 = r6
    r1 += r7
    r1 += r8
    call f
    r9 = subprog[cb]
    r0 += r9
    exit
    cb: r0 = 0
    exit`, { kfuncs: { f: 77 } })
  const cb = insns.length - 2
  const want = host.mapAddr(3) + host.mapValueAddr(3) + 8 + 5 + 1 + 0x7f000000 + cb
  t.equal(run64(engine.compile(imageOf(insns), host), 0), `0x${want.toString(16)}`)
})

each('BPF_PROBE_MEM reads 0 where nothing is', (t, engine, host) => {
  const insns = asm('r0 = 7\nr1 = 0x90000000 ll\nr0 = *(u64 *)(r1 +16)\nr1 = 0xfffffffc ll\nr2 = *(u32 *)(r1 +8)\nr0 += r2\nr1 = *(u64 *)(r10 -8)\nexit')
  const aux = new Map<number, InsnAux>(insns.flatMap((i, pc) => (i.code === 0x79 || i.code === 0x61 ? [[pc, { probe: true }]] : [])))
  t.equal(run64(engine.compile(imageOf(insns, { aux }), host), 0), '0x0')
})

const tailCall = 'r2 = map[id:1]\nr3 = 0\ncall bpf_tail_call\n'
each('tail calls', (t, engine, host) => {
  const set = (index: number, runnable: Runnable): void => { host.tails.set(`${host.mapAddr(1)}:${index}`, runnable) }
  const compile = (text: string): Runnable => engine.compile(imageOf(asm(text)), host)
  view.setUint32(AT.mem, 0, true)
  const count = 'r2 = *(u32 *)(r1 +0)\nr2 += 1\n*(u32 *)(r1 +0) = r2\n'
  const first = compile(`${count}${tailCall}exit`)
  t.equal(run64(first, AT.mem), '0xffffffffffffffff', 'an empty slot: on with the next instruction')
  set(0, compile('r0 = 0x1122334455 ll\nexit'))
  t.equal(run64(first, AT.mem), '0x1122334455', 'the target answers')
  view.setUint32(AT.mem, 0, true)
  set(0, first)
  t.equal(run64(first, AT.mem), '0xffffffffffffffff', 'a program that calls itself')
  t.equal(view.getUint32(AT.mem, true), 34, 'runs 1 + MAX_TAIL_CALL_CNT times')
  t.equal(run64(first, AT.mem), '0xffffffffffffffff')
  t.equal(view.getUint32(AT.mem, true), 68, 'and as often the next time')

  set(0, compile('*(u64 *)(r10 -8) = 1000\nr0 = *(u64 *)(r10 -8)\nexit'))
  const sub = compile(`*(u64 *)(r10 -8) = 7\nr6 = 5\ncall f\nr1 = *(u64 *)(r10 -8)\nr0 += r1\nr0 += r6\nexit
    f: *(u64 *)(r10 -16) = 9\n${tailCall}r0 = 1\nexit`)
  t.equal(run64(sub, AT.mem), '0x3f4', 'from a subprogram: back to its caller, whose frame is as it was')
  host.tails.clear()
  t.equal(run64(sub, AT.mem), '0xd', 'and on in the subprogram when there is no target')
})

each('callbacks belong to the program that runs', (t, engine, host) => {
  const loop = `*(u64 *)(r10 -8) = 0\nr1 = 4\nr2 = subprog[cb]\nr3 = r10\nr3 += -8\nr4 = 0\ncall bpf_loop\nr0 = *(u64 *)(r10 -8)\nexit
    cb: r3 = *(u64 *)(r2 +0)\nr3 += 10\n*(u64 *)(r2 +0) = r3\nr0 = 0\nexit`
  host.tails.set(`${host.mapAddr(1)}:0`, engine.compile(imageOf(asm(loop)), host))
  const entry = engine.compile(imageOf(asm(`${tailCall}r0 = 0\nexit`)), host)
  host.running = entry
  t.equal(run64(entry, AT.mem), '0x28', 'also after a tail call')
})

each('callbacks outside of a run, as timers make them', (t, engine, host) => {
  const compile = (step: number): Runnable => engine.compile(imageOf(asm(`r1 = 0\nr2 = subprog[cb]\nr3 = 0\nr4 = 0\ncall bpf_loop\n
    ${tailCall}r0 = 0\nexit
    cb: *(u64 *)(r10 -8) = ${step}\nr0 = *(u64 *)(r10 -8)\nr0 += r1\nexit`)), host)
  const [one, two] = [compile(1), compile(2)]
  const cb = 0x7f000000 + one.image.callbacks[0]!
  t.equal(one.callback(cb, 10, 0, 0, 0, 0), 11, 'before any run')
  host.tails.set(`${host.mapAddr(1)}:0`, two)
  host.running = one
  one.run(AT.mem)
  t.equal(one.callback(cb, 10, 0, 0, 0, 0), 11, 'after a run that ended elsewhere')
  t.equal(two.callback(cb, 10, 0, 0, 0, 0), 12)
})

t.test('what the table does not list, no engine runs', async t => {
  for (let code = 0; code < 256; code++) {
    if (opsOfCode(code).length > 0) continue
    for (const [name, engine] of engines) {
      t.throws(() => engine.compile(imageOf([insn(code, 1, 2, 0, 0), ...asm('exit')]), testHost()).run(0), { name: 'Bug' },
        `${code.toString(16)}, ${name}`)
    }
  }
})

/** lookup(key at r1); r0 = value pointer - base, or -1. */
const lookup = (mapId: number): Insn[] => asm(`r2 = r1\nr1 = map[id:${mapId}]\ncall bpf_map_lookup_elem\nexit`)

each('lookups of maps', (t, engine, host) => {
  view.setUint32(AT.cpu, 2, true)
  arrayMap(host, 1, MAPS, { stride: 8, maxEntries: 5 })
  arrayMap(host, 2, MAPS + 0x1000, { stride: 24, maxEntries: 300, cpuStride: 24 * 300 })
  const aux = (mapId: number): Map<number, InsnAux> => new Map([[3, { mapId }]])
  const compile = (mapId: number): Runnable => engine.compile(imageOf(lookup(mapId), { aux: aux(mapId) }), host)
  for (const [mapId, index, want] of [[1, 0, MAPS], [1, 4, MAPS + 32], [1, 5, 0], [1, 0xffffffff, 0],
    [2, 7, MAPS + 0x1000 + 7 * 24 + 2 * 24 * 300], [2, 300, 0]] as const) {
    view.setUint32(AT.mem, index, true)
    t.equal(run64(compile(mapId), AT.mem), `0x${want.toString(16)}`, `array ${mapId}, index ${index}`)
  }
  for (const keySize of [1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 16, 20, 31, 64, 100]) {
    for (const [cpus, lru] of [[undefined, false], [4, true]] as const) {
      const facts = { keySize, valueSize: 8, buckets: 4, lru, ...(cpus === undefined ? {} : { cpus }) }
      hashMap(host, 3, MAPS + 0x10000, facts)
      const find = host.helpers.get(1)!
      const put = host.helpers.get(2)!
      const runnable = compile(3)
      const keys = Array.from({ length: 20 }, (_, n) => Uint8Array.from({ length: keySize }, (_, k) => (k === keySize - 1 ? n : n * k)))
      keys.slice(0, 15).forEach(key => {
        u8.set(key, AT.mem)
        put.call(host.mapAddr(3), AT.mem, AT.mem + 128, 0, 0)
      })
      t.same(keys.map(key => {
        u8.set(key, AT.mem)
        return run64(runnable, AT.mem)
      }), keys.map(key => {
        u8.set(key, AT.mem)
        return `0x${find.call(host.mapAddr(3), AT.mem, 0, 0, 0).toString(16)}`
      }), `hash of ${keySize} bytes${lru ? ', per CPU, LRU' : ''}`)
    }
  }
})

t.test('an LRU hit leaves its mark', async t => {
  const host = testHost()
  const facts = hashMap(host, 3, MAPS, { keySize: 4, valueSize: 8, buckets: 4, lru: true })
  view.setUint32(AT.mem, 9, true)
  host.helpers.get(2)!.call(host.mapAddr(3), AT.mem, AT.mem, 0, 0)
  const runnable = jit.compile(imageOf(lookup(3), { aux: new Map([[3, { mapId: 3 }]]) }), host)
  const element = runnable.run(AT.mem) - facts.valueOffset
  view.setUint32(element + facts.refOffset!, 0, true)
  runnable.run(AT.mem)
  t.equal(view.getUint32(element + facts.refOffset!, true), 1)
})

/** A frame of pseudo-random bytes that now and then looks like UDP. */
function frame(seed: number, length: number): Uint8Array {
  let x = seed * 2654435761 >>> 0
  const bytes = Uint8Array.from({ length }, () => (x = (Math.imul(x, 1664525) + 1013904223) >>> 0) >>> 24)
  const types = [[8, 0], [0x86, 0xdd], [0x81, 0], [0x88, 0xa8]]
  bytes.set(types[seed & 3]!, 12)
  if (seed & 4) bytes.set([0x45, 0, 0, 40, 0, 0, 0, 0, 64, 17], 14)
  if (seed & 8) bytes.set([8, 0, 0x45, 0, 0, 40, 0, 0, 0, 0, 64, 17], 16)
  return bytes
}

t.test('the ring loop gives the verdicts of single runs, of both engines', async t => {
  for (const name of ['drop', 'parse', 'jhash', 'fnv', 'hash_count', 'array_count', 'csum']) {
    const host = testHost()
    if (name === 'hash_count') hashMap(host, BENCH_MAP, MAPS, { keySize: 4, valueSize: 8, buckets: 64 })
    if (name === 'array_count') arrayMap(host, BENCH_MAP, MAPS, { stride: 8, maxEntries: 16 })
    const image = benchImage(name)
    const [fast, slow] = [jit.compile(image, host), interp.compile(image, host)]
    const frames = Array.from({ length: 40 }, (_, n) => frame(n, 20 + n * 7))
    frames.forEach((bytes, n) => {
      u8.set(bytes, AT.packet + n * 2048)
      u32.set([AT.packet + n * 2048, AT.packet + n * 2048 + bytes.length, 99, n], (RING >> 2) + n * 4)
    })
    fast.batch!(CONTEXTS, frames.length)
    const ring = frames.map((_, n) => u32[(RING >> 2) + n * 4 + 2]!)
    const single = (runnable: Runnable): number[] => frames.map((bytes, n) => {
      u32[(CONTEXTS + XDP_BUFF.data) >> 2] = AT.packet + n * 2048
      u32[(CONTEXTS + XDP_BUFF.data_end) >> 2] = AT.packet + n * 2048 + bytes.length
      return runnable.run(CONTEXTS)
    })
    t.same(single(fast), ring, `${name}: run`)
    t.same(single(slow), ring, `${name}: interpreter`)
  }
})

t.test('a program that moves its packet', async t => {
  const host = testHost()
  host.helpers.set(44, {
    ret: 'int',
    call: (ctx, delta) => {
      u32[(ctx + XDP_BUFF.data) >> 2]! += delta
      return 0
    },
  })
  const insns = asm(`r6 = r1
    r7 = *(u64 *)(r1 +0)
    r2 = 4
    call 44
    r0 = *(u64 *)(r6 +0)
    r8 = *(u64 *)(r6 +8)
    r8 -= r0
    r0 -= r7
    r0 *= 1000
    r0 += r8
    exit`)
  const runnable = jit.compile(imageOf(insns, { type: PROG_TYPE.XDP }), host)
  u32.set([AT.packet, AT.packet + 60, 0, 0, AT.packet + 2048, AT.packet + 2048 + 80, 0, 1], RING >> 2)
  runnable.batch!(CONTEXTS, 2)
  t.same([...u32.subarray(RING >> 2, (RING >> 2) + 8)],
    [AT.packet + 4, AT.packet + 60, 4056, 0, AT.packet + 2052, AT.packet + 2128, 4076, 1], 'verdicts, and where packets lie now')
  runnable.batch!(CONTEXTS, 0)
})

t.test('tail calls out of the ring loop', async t => {
  const host = testHost()
  const xdp = { type: PROG_TYPE.XDP }
  const entry = jit.compile(imageOf(asm(`${tailCall}r0 = 2\nexit`), xdp), host)
  u32.set([AT.packet, AT.packet + 60, 0, 0, AT.packet, AT.packet + 80, 0, 1], RING >> 2)
  entry.batch!(CONTEXTS, 2)
  t.same([u32[(RING >> 2) + 2], u32[(RING >> 2) + 6]], [2, 2])
  host.tails.set(`${host.mapAddr(1)}:0`, jit.compile(imageOf(asm('r0 = *(u64 *)(r1 +8)\nr1 = *(u64 *)(r1 +0)\nr0 -= r1\nexit'), xdp), host))
  entry.batch!(CONTEXTS, 2)
  t.same([u32[(RING >> 2) + 2], u32[(RING >> 2) + 6]], [60, 80])
})

t.test('same image, same bytes, and bytes of an earlier process will do', async t => {
  for (const name of ['parse', 'csum']) {
    const first = jit.compile(benchImage(name), testHost())
    const second = jit.compile(benchImage(name), testHost())
    t.same(first.bytes, second.bytes, name)
  }
  const host = testHost()
  host.helpers.set(5, { ret: 'uint', call: () => 41 })
  const image = imageOf(asm('call bpf_ktime_get_ns\nr0 += 1\nexit'))
  const { bytes } = jit.compile(image, host)
  t.equal(jit.compile(imageOf([]), host, bytes).run(0), 42)
  host.helpers.set(5, { ret: 'wide', call: () => 50 })
  t.equal(jit.compile(image, host, bytes).run(0), 51, 'a helper with another result: translated anew')
  t.equal(jit.compile(image, host, bytes!.slice(0, -3)).run(0), 51, 'damaged bytes: translated anew')
  t.equal(jit.compile(image, host, new Uint8Array(0)).run(0), 51)
})

t.test('long programs', async t => {
  const host = testHost()
  const straight = imageOf([...asm('r0 = 0'), ...Array.from({ length: 30000 }, () => insn(0x07, 0, 0, 0, 3)), ...asm('exit')])
  t.equal(jit.compile(straight, host).run(0), 90000)
  // Every condition jumps to the same far end: as many blocks inside each other.
  const depth = 15000
  const nested = asm('r2 = 1\nr0 = 0')
  for (let n = 0; n < depth; n++) nested.push(insn(0x15, 2, 0, (depth - n - 1) * 2 + 1, n === depth - 5 ? 1 : 7), insn(0x07, 0, 0, 0, 1))
  const image = imageOf([...nested, ...asm('exit')])
  t.equal(jit.compile(image, host).run(0), depth - 5)
  t.equal(interp.compile(image, host).run(0), depth - 5)
  const endless = imageOf([...asm('r0 = 0'), ...Array.from({ length: 900000 }, () => insn(0x07, 0, 0, 0, 3)), ...asm('exit')])
  t.equal(jit.compile(endless, host).run(0), 2700000, 'too long for V8: the interpreter runs it')
})
