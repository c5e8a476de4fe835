// What the qdisc, class and filter requests answer: every row was asked of tc 6.1 on a 6.18 kernel (veth with 4 tx queues, up).
import t from 'tap'
import { PROG_TYPE, TC_ACT } from '../../pkg/uapi/bpf.js'
import { answer, Machine, udp } from '../datapath/machine.js'

const ROOT = 0xffffffff
const INGRESS = 0xfffffff1
const VERBS = {
  add: { create: true, excl: true, replace: false },
  replace: { create: true, excl: false, replace: true },
  change: { create: false, excl: false, replace: false },
}

/** tc qdisc VERB dev v0 parent P handle H: KIND; handle 0: none given. */
function qdisc(m: Machine, verb: keyof typeof VERBS | 'del', parent: number, handle: number, kind?: string, options?: unknown): string {
  const words = { dev: 'v0', parent, ...(handle === 0 ? {} : { handle: (handle << 16) >>> 0 }), ...(kind === undefined ? {} : { kind }) }
  return answer(() => {
    if (verb === 'del') m.net.qdiscDel(words)
    else m.net.qdiscNew({ ...words, ...VERBS[verb], ...(options === undefined ? {} : { options }) })
  })
}

function veth(): Machine {
  const m = new Machine()
  m.net.linkNew({ kind: 'veth', name: 'v0', numTxQueues: 4, numRxQueues: 4, up: true, peer: { name: 'v1', up: true } })
  return m
}

const show = (m: Machine, dev = 'v0'): string[] =>
  m.net.qdiscGet({ dev }).map((q) => `${q.kind} ${(q.handle >>> 16).toString(16)}: ${q.parent === ROOT ? 'root' : (q.parent >>> 0).toString(16)} refcnt ${q.refcnt}`)

t.test('the root: handles, kinds, flags', async (t) => {
  const m = veth()
  const row = (expected: string, ...words: Parameters<typeof qdisc> extends [Machine, ...infer R] ? R : never): void =>
    void t.equal(qdisc(m, ...words), expected, `${words[0]} root handle ${words[2]}: ${words[3] ?? ''}`)
  t.strictSame(show(m), ['noqueue 0: root refcnt 2'])
  row('0', 'add', ROOT, 1, 'bfifo')
  row('EEXIST Exclusivity flag on, cannot modify', 'add', ROOT, 1, 'bfifo')
  row('EEXIST NLM_F_REPLACE needed to override', 'add', ROOT, 2, 'bfifo')
  row('EEXIST NLM_F_REPLACE needed to override', 'add', ROOT, 2, 'pfifo')
  row('EEXIST Exclusivity flag on, cannot modify', 'add', ROOT, 1, 'pfifo')
  row('EINVAL Invalid qdisc name: must match existing qdisc', 'replace', ROOT, 1, 'pfifo')
  row('EINVAL Invalid qdisc name: must match existing qdisc', 'change', ROOT, 1, 'pfifo')
  row('0', 'change', ROOT, 0, 'pfifo')
  t.strictSame(show(m), ['pfifo 8001: root refcnt 5'], 'another kind without a handle takes its place')
  row('EEXIST NLM_F_REPLACE needed to override', 'change', ROOT, 9, 'pfifo')
  row('0', 'replace', ROOT, 2, 'pfifo', { limit: 10 })
  t.match(m.net.qdiscGet({ dev: 'v0' }), [{ handle: 0x20000, refcnt: 5, options: { limit: 10 } }])
  row('0', 'change', ROOT, 0, 'pfifo', { limit: 20 })
  row('0', 'change', ROOT, 0, 'bfifo', { limit: 20 })
  row('0', 'replace', ROOT, 0, 'bfifo')
  t.match(m.net.qdiscGet({ dev: 'v0' }), [{ handle: 0x80020000, options: { limit: 20 } }])
  row('EINVAL Invalid handle', 'del', ROOT, 5)
  row('EINVAL Invalid qdisc name: must match existing qdisc', 'del', ROOT, 0, 'pfifo')
  row('0', 'del', ROOT, 0, 'bfifo')
  row('ENOENT Cannot delete qdisc with handle of zero', 'del', ROOT, 0)
  row('EINVAL Invalid handle', 'del', ROOT, 1)
  row('ENOENT Specified qdisc kind is unknown', 'add', ROOT, 1, 'nosuch')
  row('ENOENT Failed to find specified qdisc', 'add', 0x50000, 0, 'pfifo')
  row('ENOENT Failed to find specified qdisc', 'add', 0x50001, 0, 'pfifo')
  row('0', 'add', ROOT, 1, 'pfifo')
  row('EEXIST Exclusivity flag on, cannot modify', 'add', ROOT, 0, 'pfifo')
  row('0', 'add', ROOT, 0, 'noqueue')
  row('0', 'replace', ROOT, 3, 'pfifo_fast')
  row('0', 'change', ROOT, 3, 'pfifo_fast')
  row('EOPNOTSUPP Parent qdisc is not classful', 'add', 0x30001, 0, 'pfifo')
  row('0', 'del', ROOT, 0)
  row('ENOENT Qdisc not found. To create specify NLM_F_CREATE flag', 'change', ROOT, 7, 'pfifo')
  row('ENOENT Qdisc not found. To create specify NLM_F_CREATE flag', 'change', ROOT, 0, 'pfifo')
  row('ENOENT Specified qdisc not found', 'add', 0, 5, 'pfifo')
  row('0', 'add', INGRESS, 0xffff, 'clsact')
  row('EINVAL Cannot move an existing qdisc to a different parent', 'replace', ROOT, 0xffff, 'pfifo')
})

t.test('mq: classes are queues, children come and go', async (t) => {
  const m = veth()
  t.equal(qdisc(m, 'add', ROOT, 1, 'mq'), '0')
  t.strictSame(show(m), [
    'mq 1: root refcnt 1', 'pfifo_fast 0: 10004 refcnt 1', 'pfifo_fast 0: 10003 refcnt 1', 'pfifo_fast 0: 10002 refcnt 1',
    'pfifo_fast 0: 10001 refcnt 1',
  ])
  t.equal(qdisc(m, 'add', 0x10001, 0x10, 'pfifo'), '0')
  t.equal(qdisc(m, 'replace', 0x10001, 0x10, 'pfifo'), '0')
  t.equal(qdisc(m, 'replace', 0x10009, 0x11, 'pfifo'), 'ENOENT Specified class not found')
  t.equal(show(m).at(-1), 'pfifo 10: 10001 refcnt 1')
  t.match(m.net.classGet({ dev: 'v0' }), [
    { kind: 'mq', classid: 0x10001, parent: ROOT, leaf: 0x100000 }, { classid: 0x10002, leaf: 0 }, { classid: 0x10003 }, { classid: 0x10004 },
  ])
  const cls = { dev: 'v0', kind: 'mq', classid: 0x10009, parent: 0x10000, ...VERBS.add }
  t.equal(answer(() => m.net.classNew(cls)), 'EOPNOTSUPP')
  t.equal(answer(() => m.net.classDel({ dev: 'v0', classid: 0x10001 })), 'EOPNOTSUPP')
  t.equal(qdisc(m, 'del', 0x10001, 0), '0')
  m.reboot()
  t.equal(show(m).length, 4, 'queue 0 has none now')
  t.equal(qdisc(m, 'del', 0x10002, 0), 'ENOENT Cannot delete qdisc with handle of zero')
  t.equal(qdisc(m, 'del', 0x80001, 0), 'ENOENT Failed to find qdisc with specified classid')
  t.equal(qdisc(m, 'del', ROOT, 0), '0')
  t.equal(answer(() => m.net.qdiscNew({ dev: 'lo', parent: ROOT, kind: 'mq', ...VERBS.add })), 'EOPNOTSUPP')
})

t.test('ingress and clsact', async (t) => {
  const m = veth()
  const rows: [string, Parameters<typeof qdisc>[1], number, number, string?][] = [
    ['0', 'add', INGRESS, 0xffff, 'clsact'],
    ['EEXIST Exclusivity flag on, cannot modify', 'add', INGRESS, 0xffff, 'clsact'],
    ['EEXIST Exclusivity flag on, cannot modify', 'add', INGRESS, 0xffff, 'ingress'],
    ['0', 'replace', INGRESS, 0xffff, 'clsact'],
    ['EINVAL Invalid qdisc name: must match existing qdisc', 'replace', INGRESS, 0xffff, 'ingress'],
    ['EINVAL Invalid qdisc name: must match existing qdisc', 'del', INGRESS, 0xffff, 'ingress'],
    ['0', 'del', INGRESS, 0xffff, 'clsact'],
    ['0', 'add', INGRESS, 0xffff, 'ingress'],
    ['EINVAL Invalid qdisc name: must match existing qdisc', 'del', INGRESS, 0xffff, 'clsact'],
    ['EINVAL Specified parent ID is reserved for ingress and clsact Qdiscs', 'add', INGRESS, 0, 'pfifo'],
    ['EOPNOTSUPP Cannot add children to ingress/clsact qdisc', 'add', 0xfffffff2, 3, 'pfifo'],
  ]
  for (const [expected, ...words] of rows) t.equal(qdisc(m, ...words), expected, words.join(' '))
  t.equal(show(m).at(-1), 'ingress ffff: fffffff1 refcnt 1')
})

t.test('classes of a classless qdisc, of none, and of two majors', async (t) => {
  const m = veth()
  qdisc(m, 'add', ROOT, 3, 'pfifo_fast')
  const add = (classid: number, parent: number): string =>
    answer(() => m.net.classNew({ dev: 'v0', kind: 'x', classid, parent, ...VERBS.add }))
  t.equal(add(0x30001, 0x30000), 'EINVAL')
  t.equal(add(0x20010, 0x20000), 'ENOENT')
  t.equal(add(0x20010, 0x10000), 'EINVAL')
  t.strictSame(m.net.classGet({ dev: 'v0' }), [])
})

t.test('filters: priorities, kinds, handles', async (t) => {
  const m = veth()
  const prog = m.host.load(PROG_TYPE.SCHED_CLS, () => 0)
  qdisc(m, 'add', ROOT, 1, 'mq')
  qdisc(m, 'add', INGRESS, 0xffff, 'clsact')
  const IN = 0xfffffff2
  const u32 = { keys: [{ val: 0x0a000001, mask: 0xffffffff, off: 16 }], classid: 0x10002 }
  const bpf = { progId: prog, name: 'x.o:[tc]', directAction: true }
  const add = (words: object, verb: 'add' | 'replace' | 'change' = 'add', parent = IN): string =>
    answer(() => m.net.filterNew({ dev: 'v0', parent, kind: 'u32', options: u32, ...VERBS[verb], ...words }))
  const del = (words: object): string => answer(() => m.net.filterDel({ dev: 'v0', parent: IN, ...words }))
  t.equal(add({ protocol: 0x800, pref: 10 }), '0')
  t.equal(add({ protocol: 0x800, pref: 10 }), '0')
  t.equal(add({ protocol: 0x86dd, pref: 10 }), 'EINVAL Protocol mismatch for filter with specified priority')
  t.equal(add({ protocol: 0x800, pref: 10, kind: 'bpf', options: bpf }), 'EINVAL Specified filter kind does not match existing one')
  t.equal(add({}), '0')
  t.equal(add({ kind: 'bpf', options: bpf }), '0')
  t.strictSame(m.net.filterGet({ dev: 'v0', parent: IN }).map((f) => `${f.protocol} ${f.pref} ${f.kind} ${f.handle.toString(16)}`), [
    '3 8 bpf 0', '3 8 bpf 1', '3 9 u32 0', '3 9 u32 80100000', '3 9 u32 80100800', '2048 10 u32 0', '2048 10 u32 80000000',
    '2048 10 u32 80000800', '2048 10 u32 80000801',
  ])
  t.match(m.net.filterGet({ dev: 'v0', parent: IN, pref: 8 })[1], { hasHandle: true, options: { progId: prog, directAction: true, prog: { id: prog } } })
  t.equal(add({}, 'add', 0x20000), "EINVAL Parent Qdisc doesn't exists")
  t.equal(add({}, 'add', ROOT), "EINVAL Parent Qdisc doesn't exists")
  t.equal(add({}, 'add', 0x10001), 'EINVAL Qdisc not classful')
  t.equal(add({}, 'add', 0xfffffff5), "EINVAL Specified class doesn't exist")
  t.equal(add({}, 'add', 0xffff0000), 'EINVAL')
  t.equal(del({ protocol: 0x800 }), 'ENOENT Cannot flush filters with protocol, handle or kind set')
  t.equal(del({ pref: 99 }), 'ENOENT Filter with specified priority/protocol not found')
  t.equal(del({ pref: 10, protocol: 0x800 }), '0')
  t.equal(del({ pref: 10, protocol: 0x800 }), 'ENOENT Filter with specified priority/protocol not found')
  t.equal(del({ pref: 8, handle: 5, kind: 'bpf' }), 'ENOENT Specified filter handle not found')
  t.equal(add({ pref: 8, handle: 5, kind: 'bpf', options: bpf }, 'replace'), '0')
  t.equal(add({ pref: 8, handle: 5, kind: 'bpf', options: bpf }), 'EEXIST Filter already exists')
  t.equal(add({ pref: 7777, handle: 5, kind: 'bpf', options: bpf }, 'change'), 'ENOENT Filter kind and protocol must be specified')
  t.equal(add({ pref: 7777, kind: 'nosuchkind' }), 'ENOENT TC classifier not found')
  m.reboot()
  t.equal(m.net.filterGet({ dev: 'v0', parent: IN }).length, 6)
  t.strictSame(m.net.filterGet({ dev: 'lo', parent: IN }), [])
  t.equal(m.host.refs.get(prog), 2)
  t.equal(del({}), '0')
  t.strictSame([m.net.filterGet({ dev: 'v0', parent: IN }).length, m.host.refs.get(prog)], [0, 0])
})

t.test('filters decide: direct action, classid, order', async (t) => {
  const m = veth()
  qdisc(m, 'add', INGRESS, 0xffff, 'clsact')
  let verdict: number = TC_ACT.OK
  const prog = m.host.load(PROG_TYPE.SCHED_CLS, () => verdict)
  const add = (parent: number): void =>
    void m.net.filterNew({ dev: 'v0', parent, kind: 'bpf', options: { progId: prog, name: 'x', directAction: true }, ...VERBS.add })
  add(0xfffffff2)
  const rx = () => m.send('v0', 'rx', [udp()])
  t.match(rx(), { delivered: 1 })
  verdict = TC_ACT.SHOT
  t.match(rx(), { delivered: 0, dropped: { TC_INGRESS: 1 } })
  verdict = TC_ACT.STOLEN
  t.match(rx(), { dropped: { CONSUMED: 1 } })
  verdict = TC_ACT.UNSPEC
  t.match(rx(), { delivered: 1 })
  verdict = TC_ACT.SHOT
  t.match(m.send('v0', 'tx', [udp()]), { delivered: 1 }, 'egress has no filter yet')
  add(0xfffffff3)
  t.match(m.send('v0', 'tx', [udp()]), { dropped: { TC_EGRESS: 1 } })
  t.match(m.net.qdiscGet({ dev: 'v0' }).at(-1), { kind: 'clsact', stats: { packets: 5, bytes: 300, drops: 2 } })
})

t.test('fifos: limits in packets and bytes, dropping at the head', async (t) => {
  const m = new Machine()
  m.net.wireSet({ dev: 'eth0', rate: 1_000_000 })
  const run = (kind: string, limit: number): unknown => {
    m.net.qdiscNew({ dev: 'eth0', kind, handle: 0x10000, parent: ROOT, options: { limit }, ...VERBS.add })
    m.send('eth0', 'tx', [0, 1, 2, 3, 4].map((dst) => udp({ len: 100, dst })), { hold: true })
    const { drops, qlen, backlog } = m.net.qdiscGet({ dev: 'eth0' })[0]!.stats
    m.net.wireRun({ until: 'idle' })
    const ports = m.net.wireTake({ dev: 'eth0', from: 'tx' }).map(({ bytes }) => bytes[37]).join('')
    m.net.qdiscDel({ dev: 'eth0', parent: ROOT })
    return [drops, qlen, backlog, ports]
  }
  t.strictSame(run('pfifo', 3), [1, 3, 300, '0123'])
  t.strictSame(run('bfifo', 250), [2, 2, 200, '012'])
  t.strictSame(run('pfifo_head_drop', 2), [2, 2, 200, '034'])
})

t.test('pfifo_fast: bands by priority, length by txqueuelen', async (t) => {
  const m = new Machine()
  m.net.linkSet({ dev: 'eth0', txqlen: 2 })
  m.host.masks.set('eth0/xps_cpus', new Map([[0, 1n]]))
  m.send('eth0', 'tx', [0, 0, 6, 0, 0, 2].map((priority, dst) => ({ bytes: udp({ dst }), priority })))
  t.equal(m.net.wireTake({ dev: 'eth0', from: 'tx' }).map(({ bytes }) => bytes[37]).join(''), '02135')
  t.match(m.net.qdiscGet({ dev: 'eth0' })[0], { kind: 'mq', stats: { drops: 1, packets: 5 } })
})
