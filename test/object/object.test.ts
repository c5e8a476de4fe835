// Objects: what loading asks of a kernel against what bpftool asked of a real one; legacy maps; errors in libbpf's words; and a
// fuzzer that breaks objects: only InputError may come out.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { InputError, KernelError } from '../../pkg/bytes/errors.js'
import {
  CORE_POISON, dataMapName, dialectOf, findProgs, loadObject, mapTypeOf, objectName, openObject, sectionDef, tailCallSection,
  type LoadOptions, type MapSpec, type ObjectSpec, type ProgSpec,
} from '../../pkg/object/index.js'
import { ATTACH_TYPE, PROG_F, PROG_TYPE } from '../../pkg/uapi/bpf.js'
import { RFC_MAP_TYPE, RFC_PROG_TYPE } from '../../pkg/uapi/rfc.js'
import { root } from '../support/root.js'
import { recorder, type Recorder } from './recorder.js'
import { requestsOf, type Requests } from './requests.js'

const bytesOf = (name: string): Uint8Array => new Uint8Array(readFileSync(root('fixtures/obj-cases', `${name}.o`)))
const open = (name: string): ObjectSpec => openObject(bytesOf(name), { file: `${name}.o` })
/** What the recording kernel had. */
const kconfig = (name: string): string | undefined =>
  ({ CONFIG_BPF: 'y', CONFIG_HZ: '250', CONFIG_CC_VERSION_TEXT: '"gcc (GCC) 15.3.0"' })[name]

function load(name: string, options: LoadOptions = {}): Recorder {
  const kernel = recorder()
  loadObject(open(name), kernel, { kconfig, ...options })
  return kernel
}

const golden = (name: string): Requests => JSON.parse(readFileSync(root('fixtures/obj-cases', `${name}.requests.json`), 'utf8')) as Requests

for (const name of ['maps', 'maps-old']) {
  t.test(`${name}.o asks for what libbpf asks for`, t => {
    const [want, got] = [golden(name), requestsOf(load(name))]
    t.same(got.maps, want.maps)
    t.same(got.progs, want.progs)
    t.same(got.updates, want.updates)
    t.same(got.frozen, want.frozen)
    t.equal(got.btf, want.btf)
    t.end()
  })
}

t.test('core.o relocates as on the real kernel', t => {
  const [want, got] = [golden('core'), requestsOf(load('core'))]
  const slots = (insns: string): string[] => insns.match(/.{16}/g)!
  t.same(got.maps, want.maps)
  t.same(got.updates, want.updates)
  t.same(slots(got.progs[0]!.insns), slots(want.progs[0]!.insns))
  // The kfunc has another id here, and the missing one is poisoned as libbpf does since 1.3.
  const differing = slots(got.progs[1]!.insns).flatMap((s, i) => (s === slots(want.progs[1]!.insns)[i] ? [] : [s.slice(0, 4)]))
  t.same(differing, ['8520', '8500'])
  t.end()
})

t.test('spec is pure: the same bytes give the same spec, and linking twice gives fresh instructions', t => {
  const plain = (o: ObjectSpec): unknown => ({ ...o, progs: o.progs.map(p => ({ ...p, link: p.link() })), text: [] })
  t.same(plain(open('maps')), plain(open('maps')))
  const prog = open('maps').progs[0]!
  prog.link().insns[0]!.imm = 1234
  t.not(prog.link().insns[0]!.imm, 1234)
  t.end()
})

t.test("iproute2's maps, tail calls and static programs", t => {
  for (const name of ['legacy', 'legacy-old']) {
    const object = open(name)
    t.same(object.maps.slice(0, 4).map(m => [m.name, m.type, m.pinning, m.elf?.id, m.slots?.map(s => [s.index, s.map ?? s.prog?.name])]), [
      ['jmp', 3, 'global', 1, [[0, 'tail0'], [2, 'tail2']]],
      ['inner', 2, 'none', 42, undefined],
      ['outer', 12, 'object', 0, [[1, 1]]],
      ['count', 2, 'none', 0, undefined],
    ])
    t.same(object.progs.map(p => [p.name, p.section, p.static]), [
      ['tail0', '1/0', false], ['tail2', '0x1/2', false], ['cls', 'classifier', false], ['xps_hello', 'hello', false],
      ['alone', 'static_sec', true], ['drop', 'phys_dev1', false],
    ])
    t.equal(object.kernVersion, 0x40a00)
  }
  t.end()
})

t.test('a program brings the programs of its tail calls along, with its type', t => {
  const object = open('legacy')
  const kernel = recorder()
  const loaded = loadObject(object, kernel, { progs: findProgs(object, { section: 'classifier' }), pinRoot: '/sys/fs/bpf/tc/globals' })
  t.same(loaded.progs.map(p => [p.name, p.type]), [['cls', 3], ['tail0', 3], ['tail2', 3]])
  t.same(kernel.updates.filter(u => !u[0].startsWith('.')), [['outer', '01000000', 'inner'], ['jmp', '00000000', 'tail0'], ['jmp', '02000000', 'tail2']])
  t.same([...kernel.pins.keys()], ['/sys/fs/bpf/tc/globals/jmp'])
  const again = loadObject(object, kernel, { progs: [], pinRoot: '/sys/fs/bpf/tc/globals' })
  t.same(again.maps[0], { name: 'jmp', id: loaded.maps[0]!.id, reused: true, path: '/sys/fs/bpf/tc/globals/jmp' })
  kernel.maps[0]!.maxEntries = 99
  t.throws(() => loadObject(object, kernel, { progs: [], pinRoot: '/sys/fs/bpf/tc/globals' }), {
    name: 'InputError', message: "legacy.o: map 'jmp': couldn't reuse pinned map at '/sys/fs/bpf/tc/globals/jmp': parameter mismatch",
  })
  t.end()
})

t.test('five-word maps, and sections as libbpf before 1.0 knew them', t => {
  const object = open('plain')
  t.same(object.maps.map(m => [m.name, m.type, m.keySize, m.valueSize, m.maxEntries, m.flags, m.pinning]),
    [['first', 1, 4, 4, 2, 1, 'none'], ['second', 2, 4, 8, 3, 0, 'none']])
  t.same(object.progs.map(p => [p.section, p.type]), [['socket1', PROG_TYPE.SOCKET_FILTER]])
  t.end()
})

const sections: [string, number, number, number][] = [
  ['xdp', PROG_TYPE.XDP, ATTACH_TYPE.XDP, 0],
  ['xdp.frags/cpumap', PROG_TYPE.XDP, ATTACH_TYPE.XDP_CPUMAP, PROG_F.XDP_HAS_FRAGS],
  ['xdp_prog', PROG_TYPE.XDP, ATTACH_TYPE.XDP, 0],
  ['tc', PROG_TYPE.SCHED_CLS, 0, 0],
  ['tcx/egress', PROG_TYPE.SCHED_CLS, ATTACH_TYPE.TCX_EGRESS, 0],
  ['fentry.s/tcp_sendmsg', PROG_TYPE.TRACING, ATTACH_TYPE.TRACE_FENTRY, PROG_F.SLEEPABLE],
  ['sch_bpf/enqueue', RFC_PROG_TYPE.SCHED_QDISC, 56, 0],
  ['qdisc/reset', RFC_PROG_TYPE.SCHED_QDISC, 58, 0],
  ['dequeue/xdp', RFC_PROG_TYPE.DEQUEUE, 0, 0],
  ['xdp_dequeue', RFC_PROG_TYPE.DEQUEUE, 0, 0],
  ['phys_dev1', RFC_PROG_TYPE.PHYS_DEV, 0, 0],
]
t.test('sections say what programs are', t => {
  for (const [name, type, attach, flags] of sections) t.match(sectionDef(name), { type, attach, flags }, name)
  t.equal(sectionDef('hello'), undefined)
  t.equal(sectionDef('fentry_x')?.type, PROG_TYPE.TRACING)
  t.same([tailCallSection('0x10/010'), tailCallSection('1/2/3'), tailCallSection('xdp/1')], [{ id: 16, key: 8 }, undefined, undefined])
  t.end()
})

t.test('names of objects and of their data', t => {
  t.same([objectName('/a/b/my-prog.bpf.o'), objectName('a_very_long_object_name.o')], ['my-prog', 'a_very_long_obj'])
  t.same([dataMapName('my-prog', '.rodata'), dataMapName('a_very_long_obj', '.data'), dataMapName('x', '.rodata.str1.1')],
    ['my_prog.rodata', 'a_very_l.data', '.rodata.str1.1'])
  t.end()
})

t.test('dialects of the proposals', t => {
  const map = (type: number, keySize: number, valueSize: number, maxEntries: number, mapExtra: bigint, more: Partial<MapSpec> = {}): MapSpec => ({
    name: 'm', section: '.maps', type, keySize, valueSize, maxEntries, mapExtra, flags: 0, numaNode: 0, pinning: 'none', btfKeyTypeId: 0,
    btfValueTypeId: 0, freeze: false, ...more,
  })
  t.equal(mapTypeOf(map(31, 4, 8, 10, 4096n), undefined), RFC_MAP_TYPE.PIFO_GENERIC)
  t.equal(mapTypeOf(map(31, 0, 0, 4096, 0n), undefined), 31)
  t.equal(mapTypeOf(map(31, 8, 0, 100, 0n), undefined), RFC_MAP_TYPE.SKBMAP)
  t.equal(mapTypeOf(map(32, 4, 4, 10, 64n), undefined), RFC_MAP_TYPE.PIFO_XDP)
  t.equal(mapTypeOf(map(32, 4, 8, 0, 0n, { flags: 1 }), undefined), 32)
  t.equal(mapTypeOf(map(32, 4, 4, 10, 64n), 'upstream'), 32)
  const object = open('plain')
  const prog = (section: string, context?: { name: string; size: number }): ProgSpec => ({ ...object.progs[0]!, section, context })
  const dialect = (p: ProgSpec, type: number): string | undefined => dialectOf(object, p, type).name
  t.equal(dialect(prog('sch_bpf/enqueue'), RFC_PROG_TYPE.SCHED_QDISC), 'schbpf6')
  t.equal(dialect(prog('qdisc/enqueue'), RFC_PROG_TYPE.SCHED_QDISC), 'schbpf7')
  t.equal(dialect(prog('x', { name: 'bpf_qdisc_ctx', size: 32 }), RFC_PROG_TYPE.SCHED_QDISC), 'schbpf7')
  t.equal(dialect(prog('phys_dev'), RFC_PROG_TYPE.PHYS_DEV), 'physdev1')
  t.equal(dialect(prog('phys_dev', { name: 'bpf_phys_dev_md', size: 4 }), RFC_PROG_TYPE.PHYS_DEV), 'physdev2')
  t.throws(() => dialect(prog('phys_dev', { name: 'xdp_md', size: 24 }), RFC_PROG_TYPE.PHYS_DEV), { message: "plain.o: prog 'sock': this is an XDP program" })
  t.equal(dialect(prog('socket'), PROG_TYPE.SOCKET_FILTER), undefined)
  t.end()
})

t.test("refusals of the kernel are told in libbpf's words", t => {
  const kernel = recorder()
  const lines: string[] = []
  const log = `7: (85) call unknown#${CORE_POISON}\ninvalid func unknown#${CORE_POISON}\n`
  kernel.failures.set('prog.load', new KernelError(22, undefined, log))
  const object = open('core')
  t.throws(() => loadObject(object, kernel, { kconfig, progs: findProgs(object, { name: 'externs' }), warn: line => lines.push(line) }), KernelError)
  t.same(lines, [
    "prog 'externs': BPF program load failed: Invalid argument",
    `prog 'externs': -- BEGIN PROG LOAD LOG --\n${log}-- END PROG LOAD LOG --`,
    "prog 'externs': failed to load: -22", "failed to load object 'core.o'",
  ])
  t.throws(() => load('legacy'), { name: 'InputError', message: "legacy.o: prog 'xps_hello': missing BPF prog type, check ELF section name 'hello'" })
  t.throws(() => loadObject({ ...object, kconfig: [{ ...object.kconfig[0]!, name: 'CONFIG_STRONG', weak: false }] }, recorder()),
    { name: 'InputError', message: "core.o: extern 'CONFIG_STRONG' (strong): not resolved" })
  t.end()
})

/** Sections and symbols as an object file: what a compiler would not write. */
function makeElf(code: Uint8Array, functions: readonly { at: number; size: number; local?: boolean }[]): Uint8Array {
  const text = new TextEncoder()
  const symbols = new Uint8Array(24 * (functions.length + 1))
  functions.forEach((f, i) => {
    const view = new DataView(symbols.buffer, 24 * (i + 1))
    view.setUint32(0, 1, true)
    view.setUint8(4, f.local ? 2 : 0x12)
    view.setUint16(6, 1, true)
    view.setBigUint64(8, BigInt(f.at), true)
    view.setBigUint64(16, BigInt(f.size), true)
  })
  const sections: { type: number; name: number; flags?: number; link?: number; entsize?: number; data: Uint8Array }[] = [
    { type: 0, name: 0, data: new Uint8Array() }, { type: 1, name: 3, flags: 6, data: code },
    { type: 2, name: 0, link: 3, entsize: 24, data: symbols }, { type: 3, name: 0, data: text.encode('\0f\0xdp\0') },
  ]
  const table = sections.reduce((at, s) => at + ((s.data.length + 7) & ~7), 64)
  const bytes = new Uint8Array(table + 64 * sections.length)
  const view = new DataView(bytes.buffer)
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  view.setUint16(16, 1, true)
  view.setUint16(18, 247, true)
  view.setBigUint64(40, BigInt(table), true)
  for (const [at, value] of [[58, 64], [60, sections.length], [62, 3]] as const) view.setUint16(at, value, true)
  let at = 64
  sections.forEach((s, i) => {
    const header = table + 64 * i
    bytes.set(s.data, at)
    for (const [o, value] of [[0, s.name], [4, s.type], [40, s.link ?? 0]] as const) view.setUint32(header + o, value, true)
    for (const [o, value] of [[8, s.flags ?? 0], [24, at], [32, s.data.length], [56, s.entsize ?? 0]] as const) {
      view.setBigUint64(header + o, BigInt(value), true)
    }
    at += (s.data.length + 7) & ~7
  })
  return bytes
}

/** Functions of two instructions each: a call `distance(i)` functions ahead (0: none), then exit. */
function calls(count: number, distance: (i: number) => number, tail = 0): Uint8Array {
  const code = new Uint8Array(count * 16 + tail * 8)
  const view = new DataView(code.buffer)
  for (let i = 0; i < count; i++) {
    const ahead = distance(i)
    code.set(ahead ? [0x85, 0x10] : [0xb7, 0], i * 16)
    view.setInt32(i * 16 + 4, ahead ? ahead * 2 - 1 : 0, true)
    code[i * 16 + 8] = 0x95
  }
  for (let i = 0; i < tail; i++) code[count * 16 + i * 8] = i === tail - 1 ? 0x95 : 0xb7
  return code
}

t.test('small files that ask for very much are refused', t => {
  const refused = (bytes: Uint8Array, message: string): void => {
    t.throws(() => loadObject(openObject(bytes, { file: 'x.o' }), recorder()), { name: 'InputError', message })
  }
  const each = (count: number): { at: number; size: number }[] => Array.from({ length: count }, (_, i) => ({ at: i * 16, size: 16 }))
  refused(makeElf(calls(20_000, i => (i < 19_999 ? 1 : 0)), each(20_000)), "x.o: prog 'f': calls are nested deeper than 256")
  refused(makeElf(calls(5000, () => 0), Array.from({ length: 5000 }, () => ({ at: 0, size: 80_000 }))), "x.o: sec 'xdp': functions overlap")
  const big = makeElf(calls(1000, i => 1000 - i, 20_000), [...each(1000), { at: 16_000, size: 160_000, local: true }])
  refused(big, "x.o: prog 'f': programs have more than 4000000 instructions together")
  const fine = openObject(makeElf(calls(2, i => (i === 0 ? 1 : 0)), each(2)), { file: 'x.o' })
  t.same(fine.progs.map(p => [p.type, p.link().functions.length]), [[6, 2], [6, 1]], 'calls without relocations')
  t.end()
})

/** Random numbers that are the same every time (xorshift32). */
function random(seed: number): (below: number) => number {
  let x = seed
  return below => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return (x >>> 0) % below
  }
}

/** Opens, links and loads; what comes out must be a refusal in one line. */
function survives(bytes: Uint8Array): string | undefined {
  try {
    const object = openObject(bytes, { file: 'fuzz.o' })
    for (const prog of [...object.progs, ...object.text]) prog.link()
    loadObject(object, recorder(), { kconfig })
  } catch (error) {
    if (!(error instanceof InputError)) return error instanceof Error ? error.stack : String(error)
    if (/\n/.test(error.message) || !error.message.startsWith('fuzz.o: ')) return `message: ${error.message}`
  }
  return undefined
}

for (const name of ['maps', 'core', 'legacy-old', 'plain']) {
  t.test(`broken copies of ${name}.o are refused, nothing else`, t => {
    const good = bytesOf(name)
    const next = random(name.length * 7919)
    const interesting = [0, 1, 0x7f, 0x80, 0xff, 8, 16, 64]
    for (let round = 0; round < 1200; round++) {
      const bytes = good.slice(0, next(20) === 0 ? next(good.length) : good.length)
      const changes = 1 + next(4)
      for (let i = 0; i < changes && bytes.length; i++) {
        const at = next(3) === 0 ? next(Math.min(bytes.length, 64)) : next(bytes.length)
        bytes[at] = next(2) ? next(256) : interesting[next(interesting.length)]!
      }
      const trouble = survives(bytes)
      if (trouble !== undefined) {
        t.fail(`round ${round}: ${trouble}`)
        break
      }
    }
    t.pass('all rounds')
    t.end()
  })
}
