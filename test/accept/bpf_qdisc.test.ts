// bpf_qdisc, Linux 6.16 with frames in place of TCP transfers, in both engines. No oracle stands behind it: the kernel at hand was
// built without BPF qdiscs; the sentences of the verifier are those of the kernel's selftests.
import t, { type Test } from 'tap'
import { KernelError } from '../../pkg/index.js'
import type { Qdisc } from '../../pkg/request/rtnl.js'
import { EACCES, EEXIST, EINVAL, ENOENT } from '../../pkg/uapi/errno.js'
import { errnoOf, KEY, Tables } from '../support/tables.js'

const ROOT = 0xffffffff

class Sitting extends Tables {
  add(kind: string, parent = ROOT, handle = 0x8000000): void {
    this.m.rtnl('qdisc.new', { dev: 'eth0', kind, parent, handle, create: true, excl: true, replace: false })
  }

  del(parent = ROOT): void {
    this.m.rtnl('qdisc.del', { dev: 'eth0', parent })
  }

  get qdiscs(): Qdisc[] {
    return this.m.rtnl('qdisc.get', { dev: 'eth0' })
  }

  /** Frames with their number as destination port. */
  send(count: number, hold = true): ReturnType<Tables['m']['send']> {
    const frames = Array.from({ length: count }, (_, n) => ({ bytes: frameOf(n), at: 0 }))
    return this.m.wire('wire.send', { dev: 'eth0', direction: 'tx', frames, ...(hold ? { hold: true } : {}) })
  }

  /** Numbers of the frames that left. */
  left(): number[] {
    return this.m.wire('wire.take', { dev: 'eth0', from: 'tx' }).map(({ bytes }) => (bytes[36]! << 8) | bytes[37]!)
  }
}

function frameOf(n: number): Uint8Array {
  const bytes = new Uint8Array(1000)
  bytes.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0x03, 0xda, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2])
  bytes.set([0x10, 0, n >> 8, n & 255, 0x03, 0xc6, 0, 0], 34)
  return bytes
}

const FIFOS = [['ring.o', 'bpf_ring'], ['fifo.o', 'bpf_fifo']] as const

for (const jit of [true, false]) {
  for (const [object, kind] of FIFOS) {
    const what = `${kind} ${jit ? 'compiled' : 'interpreted'}`

    t.test(`${what}: takes 1000, drops one and keeps their order, also over a new process`, (t) => {
      const s = new Sitting(t, { jit })
      s.register(object)
      s.add(kind)
      t.match(s.qdiscs[0], { kind, handle: 0x8000000, refcnt: 5 })
      t.match(s.send(1002), { dropped: { QDISC_DROP: 1 } }, 'one goes to the wire at once')
      t.match(s.qdiscs[0]!.stats, { qlen: 1000, backlog: 1_000_000, drops: 0, packets: 1, bytes: 1000 })
      s.again()
      t.match(s.qdiscs[0]!.stats, { qlen: 1000, backlog: 1_000_000 })
      s.m.wire('wire.run', { until: 'idle' })
      t.same(s.left(), Array.from({ length: 1001 }, (_, n) => n))
      t.match(s.qdiscs[0]!.stats, { qlen: 0, backlog: 0, packets: 1001, bytes: 1_001_000 })
      t.equal(s.m.wire('wire.show', {}).total.queued, 0)
      t.end()
    })

    t.test(`${what}: deleting frees what waits, counted`, (t) => {
      const s = new Sitting(t, { jit })
      s.register(object)
      s.add(kind)
      s.send(6)
      t.match(s.qdiscs[0]!.stats, { qlen: 5 })
      s.again()
      s.del()
      t.same(s.m.wire('wire.show', {}).total.dropped, { QDISC_PURGE: 5 })
      s.again()
      t.match(s.qdiscs[0]!.kind, /mq|pfifo_fast/)
      t.end()
    })
  }
}

t.test('a delay of 5 ms: the watchdog wakes the qdisc, also in the next process', (t) => {
  const s = new Sitting(t)
  s.register('delay.o')
  s.add('bpf_delay')
  s.m.wire('wire.set', { dev: 'eth0', ring: 8 })
  const frames = [0, 1, 2].map((n) => ({ bytes: frameOf(n), at: n * 1e6 }))
  const times = (): number[] => s.m.wire('wire.take', { dev: 'eth0', from: 'tx' }).map(({ at }) => Math.floor(at / 1e6))
  s.m.wire('wire.send', { dev: 'eth0', direction: 'tx', frames })
  t.same(times(), [5, 6, 7])
  s.m.wire('wire.send', { dev: 'eth0', direction: 'tx', frames, hold: true })
  s.again()
  t.match(s.qdiscs[0]!.stats, { qlen: 3 })
  s.m.wire('wire.run', { for: 4e6 })
  t.same(times(), [])
  s.m.wire('wire.run', { for: 2e6 })
  t.equal(times().length, 3)
  t.end()
})

t.test('frames and objects that a program forgets go with its maps', (t) => {
  const s = new Sitting(t)
  const { mapId } = s.register('fifo_noreset.o')
  s.add('bpf_fifo')
  s.send(6)
  s.again()
  s.m.bpf('map.delete', { mapId, key: KEY })
  s.del()
  t.same(s.m.wire('wire.show', {}).total.dropped, {}, 'reset did nothing, and the maps are there')
  s.again()
  t.same(s.m.bpf('map.list', {}), [])
  t.same(s.m.wire('wire.show', {}).total.dropped, { QDISC_PURGE: 5 })
  t.equal(s.m.wire('wire.show', {}).total.queued, 1, 'the one on the wire')
  t.end()
})

t.test('a value that user space overwrites lets go of its frame', (t) => {
  const s = new Sitting(t)
  s.register('ring.o')
  s.add('bpf_ring')
  s.send(3)
  const { id } = s.m.bpf('map.list', {}).find(({ name }) => name === 'ring')!
  s.m.bpf('map.update', { mapId: id, key: Uint8Array.of(1, 0, 0, 0), value: new Uint8Array(8) })
  t.same(s.m.wire('wire.show', {}).total.dropped, { QDISC_PURGE: 1 })
  s.again()
  t.equal(s.m.wire('wire.show', {}).total.queued, 2)
  t.end()
})

t.test('registration: names, members, unregistering', (t) => {
  const s = new Sitting(t)
  t.equal(errnoOf(() => s.register('ring_noinit.o')), EINVAL, 'no init')
  t.equal(errnoOf(() => s.register('ring_badid.o')), EINVAL, 'a blank in the name')
  t.equal(errnoOf(() => s.register('ring_pfifo.o')), EEXIST, 'the name of a kind that is there')
  t.equal(errnoOf(() => s.add('bpf_ring')), ENOENT)
  const { mapId } = s.register('ring.o')
  t.equal(errnoOf(() => s.register('ring.o')), EEXIST)
  s.add('bpf_ring')
  t.same(s.state(mapId), { refcnt: 2, state: 1 })
  s.m.bpf('map.delete', { mapId, key: KEY })
  t.same(s.state(mapId), { refcnt: 1, state: 2 }, 'an instance keeps the table')
  s.again()
  t.match(s.send(3, false), { transmitted: 3 }, 'and works on')
  t.equal(errnoOf(() => s.m.rtnl('qdisc.new', { dev: 'eth1', kind: 'bpf_ring', parent: ROOT, create: true, excl: true, replace: false })), ENOENT)
  s.del()
  s.again()
  t.equal(s.state(mapId), undefined)
  t.end()
})

t.test('under mq, by hand and as the default', (t) => {
  const s = new Sitting(t)
  const { mapId } = s.register('ring.o')
  s.add('mq', ROOT, 0x10000)
  s.add('bpf_ring', 0x10001, 0x110000)
  t.ok(s.qdiscs.some(({ kind, parent }) => kind === 'bpf_ring' && parent === 0x10001))
  s.del()
  t.equal(errnoOf(() => s.m.sys('sysctl.set', { path: 'net/core/default_qdisc', value: 'bpf_nothing' })), ENOENT)
  s.m.sys('sysctl.set', { path: 'net/core/default_qdisc', value: 'bpf_ring' })
  s.add('mq', ROOT, 0x10000)
  t.equal(s.qdiscs.filter(({ kind }) => kind === 'bpf_ring').length, 4, 'init ran for every queue')
  t.same(s.state(mapId), { refcnt: 5, state: 1 })
  s.again()
  t.equal(s.qdiscs.filter(({ kind }) => kind === 'bpf_ring').length, 4)
  t.same(s.state(mapId), { refcnt: 5, state: 1 }, 'coming back is no new instance')
  t.match(s.send(3, false), { transmitted: 3 })
  t.end()
})

t.test('what there is none of', (t) => {
  const s = new Sitting(t)
  s.register('ring.o')
  s.add('bpf_ring')
  t.equal(errnoOf(() => s.m.rtnl('qdisc.new', {
    dev: 'eth0', kind: 'bpf_ring', parent: ROOT, handle: 0x8000000, options: { limit: 5 }, create: false, excl: false, replace: false,
  })), EINVAL, 'no change operation')
  t.equal(errnoOf(() => s.add('bpf_ring', 0x8000001, 0x20000)), 95, 'no classes')
  t.end()
})

const SENTENCES: readonly (readonly [number, number, RegExp, string])[] = [
  [1, EINVAL, /^Unreleased reference id=1 alloc_insn=0$/m, 'a frame that is not given away'],
  [2, EACCES, /^invalid bpf_context access off=0\. Reference may already be released$/m, 'the argument after its end'],
  [3, EACCES, /^invalid bpf_context access off=0\. Reference may already be released$/m, 'the argument in a global function'],
  [4, EINVAL, /^program with __ref argument cannot tail call$/m, 'a tail call'],
  [5, EINVAL, /^At program exit the register R0 is not a known value \(trusted_ptr_\)$/m, 'a pointer to something else'],
  [6, EINVAL, /^At program exit the register R0 has smin=1 smax=1 should have been in \[0, 0\]$/m, 'a number'],
  [7, EINVAL, /^dereference of modified ptr_ ptr R0 off=8 disallowed$/m, 'a pointer inside of a frame'],
  [8, EACCES, /^calling kernel function bpf_qdisc_bstats_update is not allowed$/m, "dequeue's function in enqueue"],
  [9, EACCES, /^calling kernel function bpf_qdisc_skb_drop is not allowed$/m, "enqueue's function in dequeue"],
  [10, EACCES, /^no write support to Qdisc at off 56$/m, 'sch->handle'],
  [11, EACCES, /^no write support to sk_buff at off 112$/m, 'skb->len'],
  [12, EACCES, /^write access at off 168 with size 8 beyond the member of Qdisc ended at 172$/m, 'more than q.qlen'],
  [13, EACCES, /^func 'enqueue' doesn't have 5-th argument$/m, 'an argument too many'],
  [18, EINVAL, /^the prog does not allow writes to packet data$/m, 'writing to packets'],
  [16, EACCES, /^calling kernel function bpf_qdisc_watchdog_schedule is not allowed$/m, 'the watchdog in init'],
]

t.test('the verifier refuses', (t) => {
  for (const [number, errno, words, title] of SENTENCES) refused(t, `err_qdisc_${number}.o`, errno, words, title)
  const s = new Tables(t)
  t.equal(s.load('err_qdisc_15.o').tables.length, 1, 'writes of what may be written')
  t.equal(new Tables(t).load('err_qdisc_17.o').tables.length, 1, 'reads of packets')
  t.end()
})

function refused(t: Test, name: string, errno: number, words: RegExp, title: string): void {
  const s = new Tables(t)
  try {
    s.load(name)
    t.fail(`${title}: ${name} loaded`)
  } catch (error) {
    if (!(error instanceof KernelError)) throw error
    t.equal(error.errno, errno, title)
    t.match(error.log, words, title)
  }
}


// The last sentence of Linux 6.18 to each CASE of objects.c.
const OBJECTS: readonly (readonly [number, string])[] = [
  [EINVAL, 'BPF_EXIT instruction in main prog would lead to reference leak'],
  [EACCES, "R6 invalid mem access 'ptr_or_null_'"],
  [EACCES, 'direct access to bpf_list_node is disallowed'],
  [EACCES, 'access beyond struct item at off 72 size 8'],
  [EINVAL, 'bpf_spin_lock at off=16 must be held for bpf_list_head'],
  [EINVAL, 'bpf_spin_lock at off=16 must be held for bpf_list_head'],
  [EINVAL, 'arg#1 offset=32, but expected bpf_list_node at offset=8 in struct item'],
  [EACCES, "R6 invalid mem access 'scalar'"],
  [EINVAL, 'function calls are not allowed while holding a lock'],
  [EACCES, "R6 invalid mem access 'scalar'"],
  [EINVAL, 'operation on bpf_list_head expects arg#1 bpf_list_node at offset=8 in struct item, but arg is at offset=0 in struct stranger'],
  [EINVAL, 'R1 must have zero offset when passed to release func or trusted arg to kfunc'],
  [EINVAL, 'arg#1 expected pointer to allocated object'],
  [EINVAL, 'BPF_EXIT instruction in main prog would lead to reference leak'],
  [EACCES, 'bpf_list_head cannot be accessed directly by load/store'],
]

t.test('objects and lists as the kernel judges them, and run in both engines', (t) => {
  OBJECTS.forEach(([errno, words], n) => {
    const s = new Tables(t)
    try {
      s.load(`objects_${n + 1}.o`)
      t.fail(`case ${n + 1} loaded`)
    } catch (error) {
      if (!(error instanceof KernelError)) throw error
      const said = (error.log ?? '').trimEnd().split('\n').filter((line) => !line.startsWith('processed '))
      t.same([error.errno, said.at(-1)], [errno, words], `case ${n + 1}`)
    }
  })
  for (const jit of [true, false]) {
    const s = new Tables(t, { jit })
    const progId = s.load('objects_0.o').progs[0]!.id
    for (let n = 0; n < 3; n += 1) t.equal(s.m.run(progId, 'eth_type ipv4 len 64').retval, 10)
  }
  t.end()
})
