// `tc`: words to requests, replies to the text that tc of iproute2 6.1 printed for the same qdiscs, classes and filters.
import t, { type Test } from 'tap'
import { existsSync, readFileSync } from 'node:fs'
import { KernelError } from '../../pkg/bytes/errors.js'
import { run } from '../../cmd/tc/index.js'
import type { ProgLoad } from '../../pkg/request/bpf.js'
import type { Filter, Qdisc, TcClass, TcStats } from '../../pkg/request/rtnl.js'
import { EACCES, EEXIST, EINVAL, ENOENT } from '../../pkg/uapi/errno.js'
import { runCommand, type Ran, type Script } from '../support/command.js'
import { root } from '../support/root.js'
import { devices, LO, PROG, VETH0 } from './samples.js'

const net = devices(LO, VETH0)
const NONE: TcStats = { bytes: 0, packets: 0, drops: 0, overlimits: 0, requeues: 0, backlog: 0, qlen: 0 }
const ROOT = 0xffffffff
const veth = { dev: 'veth0', ifindex: 3, stats: NONE } as const
const QDISCS: Qdisc[] = [
  { ...veth, kind: 'mq', handle: 0x10000, parent: ROOT, refcnt: 1 },
  { ...veth, kind: 'pfifo_fast', handle: 0, parent: 0x10002, refcnt: 1, options: { bands: 3, priomap: [1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1] } },
  { ...veth, kind: 'pfifo', handle: 0x100000, parent: 0x10001, refcnt: 3, options: { limit: 1000 }, stats: { ...NONE, bytes: 3028, packets: 2, drops: 1, backlog: 2048, qlen: 2 } },
  { ...veth, kind: 'bfifo', handle: 0x80010000, parent: ROOT, refcnt: 2, options: { limit: 20480 } },
  { ...veth, kind: 'ingress', handle: 0xffff0000, parent: 0xfffffff1, refcnt: 1 },
  { ...veth, kind: 'clsact', handle: 0xffff0000, parent: 0xfffffff1, refcnt: 1 },
  { ...veth, kind: 'noqueue', handle: 0, parent: ROOT, refcnt: 2 },
]
const only = (kind: string): Script => ({ ...net, 'qdisc.get': QDISCS.filter((one) => one.kind === kind) })
const willing: Script = { ...net, 'qdisc.new': undefined, 'qdisc.del': undefined, 'class.new': undefined, 'class.del': undefined, 'filter.new': { notes: [] }, 'filter.del': undefined }

const tc = (line: string, script: Script = willing): Ran => runCommand(run, line, { script })
const exactly = (t: Test, ran: Ran, ...wanted: [string, string, number, string]): void => {
  t.strictSame([ran.out, ran.err, ran.status], wanted.slice(0, 3), wanted[3])
}
const prints = (t: Test, line: string, script: Script, out: string): void => exactly(t, tc(line, script), out, '', 0, line)
const says = (t: Test, line: string, err: string, status: number, script?: Script): void => exactly(t, tc(line, script), '', err, status, line)
const asks = (t: Test, line: string, op: string, request: object): void => {
  const ran = tc(line)
  t.strictSame([ran.err, ran.asked, ran.committed], ['', [[op, request]], true], line)
}

t.test('qdisc show', async (t) => {
  const PFIFO = 'qdisc pfifo 10: parent 1:1 refcnt 3 limit 1000p\n'
  prints(t, 'qdisc show dev veth0', only('pfifo'), PFIFO)
  prints(t, 'qdisc show', only('bfifo'), 'qdisc bfifo 8001: dev veth0 root refcnt 2 limit 20Kb\n')
  prints(t, '-s q s dev veth0', only('pfifo'), `${PFIFO} Sent 3028 bytes 2 pkt (dropped 1, overlimits 0 requeues 0) \n backlog 2Kb 2p requeues 0\n`)
  prints(t, 'qdisc show dev veth0', only('mq'), 'qdisc mq 1: root \n')
  prints(t, 'qdisc show dev veth0', only('pfifo_fast'), 'qdisc pfifo_fast 0: parent 1:2 bands 3 priomap 1 2 2 2 1 2 0 0 1 1 1 1 1 1 1 1\n')
  prints(t, 'qdisc show dev veth0', only('ingress'), 'qdisc ingress ffff: parent ffff:fff1 ---------------- \n')
  prints(t, 'qdisc show dev veth0', only('clsact'), 'qdisc clsact ffff: parent ffff:fff1 \n')
  prints(t, 'qdisc show dev veth0', only('noqueue'), 'qdisc noqueue 0: root refcnt 2 \n')
  prints(t, '-j -s qdisc show dev veth0', only('pfifo'), '[{"kind":"pfifo","handle":"10:","parent":"1:1","refcnt":3,"options":{"limit":1000},"bytes":3028,"packets":2,"drops":1,"overlimits":0,' +
    '"requeues":0,"backlog":2048,"qlen":2}]\n')
  prints(t, '-j qdisc show dev veth0', only('mq'), '[{"kind":"mq","handle":"1:","root":true,"options":{}}]\n')
  prints(t, '-j qdisc show dev veth0', only('pfifo_fast'), '[{"kind":"pfifo_fast","handle":"0:","parent":"1:2","options":{"bands":3,"priomap":[1,2,2,2,1,2,0,0,1,1,1,1,1,1,1,1],"multiqueue":false}}]\n')
  prints(t, '-j qdisc show dev veth0', { ...net, 'qdisc.get': [] }, '[]\n')
  t.match(tc('qdisc show dev veth0 root', { ...net, 'qdisc.get': QDISCS }).out, /^qdisc mq 1: root \nqdisc bfifo 8001: root refcnt 2 limit 20Kb\nqdisc noqueue 0: root refcnt 2 \n$/)
  t.equal(tc('qdisc show dev veth0 parent 1:1', { ...net, 'qdisc.get': QDISCS }).out, PFIFO)
})

t.test('the bpf qdisc', async (t) => {
  const prog = { ...PROG, name: 'wrr_enq' }
  const options = { enqueue: { id: 7, name: 'wrr.o:[sch_bpf/enqueue]', prog }, dequeue: { id: 8, name: 'wrr.o:[sch_bpf/dequeue]', prog: { ...prog, id: 8, name: 'wrr_deq' } }, order: 'min', limit: 1000, direct: false, dialect: 'schbpf2' }
  const one: Qdisc = { ...veth, kind: 'bpf', handle: 0x10000, parent: ROOT, refcnt: 2, options }
  const line = 'qdisc bpf 1: root refcnt 2 enqueue wrr.o:[sch_bpf/enqueue] id 7 name wrr_enq tag 614b434cd8324ecc jited dequeue wrr.o:[sch_bpf/dequeue] id 8 name wrr_deq tag 614b434cd8324ecc jited '
  prints(t, 'qdisc show dev veth0', { ...net, 'qdisc.get': [one] }, `${line}\n`)
  prints(t, 'qdisc show dev veth0', { ...net, 'qdisc.get': [{ ...one, options: { ...options, order: 'max', limit: 5, direct: true } }] }, `${line}order max limit 5p direct \n`)
  const stats = { tcStats: [{ name: 'totals', fields: [['seen', '3'], ['late', '0']] }] }
  t.match(tc('-s qdisc show dev veth0', { ...net, 'qdisc.get': [{ ...one, options: { ...options, ...stats } }] }).out, / backlog 0b 0p requeues 0\n {2}totals \{ seen 3 late 0 \}\n$/)
  t.match(JSON.parse(tc('-j qdisc show dev veth0', { ...net, 'qdisc.get': [one] }).out), [{ options: { enqueue: { bpf_name: 'wrr.o:[sch_bpf/enqueue]', prog: { id: 7, name: 'wrr_enq', jited: 1 } } } }])
  asks(t, 'qdisc change dev veth0 root bpf limit 5 order max', 'qdisc.new', { dev: 'veth0', parent: ROOT, create: false, excl: false, replace: false, kind: 'bpf', options: { order: 'max', limit: 5 } })
  asks(t, 'qdisc add dev veth0 root handle 1: bpf', 'qdisc.new', { dev: 'veth0', parent: ROOT, create: true, excl: true, replace: false, kind: 'bpf', handle: 0x10000, options: {} })
  t.match(tc('qdisc add dev veth0 root bpf zork'), { err: /^What is "zork"\?\nUsage: \.\.\. bpf \[ object-file FILE \]/, status: 1 })
})

t.test('programs of objects', async (t) => {
  const files = Object.fromEntries(['sch_prio.o'].map((name) => [name, existing(root('fixtures', 'obj', name))]))
  let loads: ProgLoad[] = []
  const script: Script = {
    ...willing, 'btf.load': { id: 3 }, 'map.create': { id: 4 }, 'map.update': undefined, 'map.freeze': undefined,
    'prog.load': (request) => ({ id: 10 + loads.push(request), log: '', notes: [] }),
  }
  const tcOn = (line: string, changed: Script = {}): Ran => {
    loads = []
    return runCommand(run, line, { script: { ...script, ...changed }, files: { ...files, 'junk.o': new Uint8Array(100) } })
  }
  const sent = (ran: Ran, op: string): unknown => ran.asked.find(([one]) => one === op)?.[1]
  t.match(sent(tcOn('qdisc add dev veth0 root handle 1: bpf obj sch_prio.o'), 'qdisc.new'), {
    kind: 'bpf', options: { enqueue: { id: 11, name: 'sch_prio.o:[sch_bpf/enqueue]' }, dequeue: { id: 12, name: 'sch_prio.o:[sch_bpf/dequeue]' } },
  })
  t.match(loads, [{ type: 0x4011, expectedAttachType: 56, dialect: /^schbpf/ }, { type: 0x4011, expectedAttachType: 57 }])
  t.match(sent(tcOn('qdisc add dev veth0 root bpf enq obj sch_prio.o sec sch_bpf/enqueue deq obj sch_prio.o program prio_dequeue order max'), 'qdisc.new'), {
    options: { enqueue: { id: 11 }, dequeue: { id: 12 }, order: 'max' },
  })
  const failed = (line: string, err: string, status = 1, changed: Script = {}): void => exactly(t, tcOn(line, changed), '', err, status, line)
  failed('qdisc add dev veth0 root bpf obj nofile.o', 'nofile.o: No such file or directory\nERROR: opening BPF object file failed\nUnable to load program\n')
  failed('qdisc add dev veth0 root bpf enq obj sch_prio.o sec nope', "object file doesn't contain sec nope\nUnable to load program\n")
  failed('qdisc add dev veth0 root bpf enq obj sch_prio.o program nope', "object file doesn't contain prog nope\nUnable to load program\n")
  failed('filter add dev veth0 ingress bpf obj sch_prio.o', "object file doesn't contain sec classifier\nUnable to load program\n")
  t.match(tcOn('filter add dev veth0 ingress bpf obj junk.o'), { err: /^junk\.o: .*\nCannot initialize ELF context!\nUnable to load program\n$/, status: 1 })
  t.match(tcOn('filter add dev veth0 ingress bpf da pinned /sys/fs/bpf/x classid 1:5', { 'sys.info': { cpus: 4, now: 0, dir: undefined, strict: false }, 'obj.get': { kind: 'prog', id: 5 } }).asked.at(-1), [
    'filter.new', { kind: 'bpf', protocol: 3, options: { progId: 5, name: 'x:[*fsobj]', classid: 0x10005, directAction: true } },
  ])
  failed('filter add dev veth0 ingress bpf da pinned /nope', "Couldn't retrieve pinned program '/nope': No such file or directory\nUnable to parse bpf command line\n", 1,
    { 'sys.info': { cpus: 4, now: 0, dir: undefined, strict: false } })
  failed('qdisc add dev veth0 root bpf obj sch_prio.o', "libbpf: prog 'prio_enqueue': BPF program load failed: Permission denied\n" +
    "libbpf: prog 'prio_enqueue': -- BEGIN PROG LOAD LOG --\n0: invalid\n-- END PROG LOAD LOG --\nlibbpf: prog 'prio_enqueue': failed to load: -13\n" +
    "libbpf: failed to load object 'sch_prio.o'\nUnable to load program\n", 1,
  { 'prog.load': ({ logLevel }) => { throw new KernelError(EACCES, undefined, logLevel ? '0: invalid\n' : undefined) } })
})

/** The file's bytes; empty when the fixture isn't there. */
const existing = (path: string): Uint8Array => (existsSync(path) ? readFileSync(path) : new Uint8Array(0))

t.test('qdisc: requests', async (t) => {
  const add = { create: true, excl: true, replace: false }
  asks(t, 'qdisc add dev veth0 root handle 1: bfifo limit 10k', 'qdisc.new', { dev: 'veth0', parent: ROOT, ...add, kind: 'bfifo', handle: 0x10000, options: { limit: 10240 } })
  asks(t, 'q r dev veth0 parent 1:1 pfifo', 'qdisc.new', { dev: 'veth0', parent: 0x10001, create: true, excl: false, replace: true, kind: 'pfifo' })
  asks(t, 'qdisc change dev veth0 root pfifo limit 5 limit 6', 'qdisc.new', { dev: 'veth0', parent: ROOT, create: false, excl: false, replace: false, kind: 'pfifo', options: { limit: 6 } })
  asks(t, 'qdisc add dev veth0 clsact', 'qdisc.new', { dev: 'veth0', parent: 0xfffffff1, ...add, kind: 'clsact', handle: 0xffff0000 })
  asks(t, 'qdisc add dev veth0 root noqueue', 'qdisc.new', { dev: 'veth0', parent: ROOT, ...add, kind: 'noqueue' })
  asks(t, 'qdisc del dev veth0 root', 'qdisc.del', { dev: 'veth0', parent: ROOT })
  asks(t, 'qdisc del dev veth0 ingress', 'qdisc.del', { dev: 'veth0', parent: 0xfffffff1, kind: 'ingress', handle: 0xffff0000 })
})

t.test('qdisc: what is wrong', async (t) => {
  says(t, 'qdisc foo', 'Command "foo" is unknown, try "tc qdisc help".\n', 255)
  says(t, 'qdisc show dev nope', 'Cannot find device "nope"\n', 1)
  says(t, 'qdisc show dev veth0 foo', 'What is "foo"? Try "tc qdisc help".\n', 255)
  says(t, 'qdisc show dev veth0 root root', 'Error: argument "root" is wrong: parent is already specified\n', 255)
  says(t, 'qdisc add dev veth0 root pfifo limit abc', 'pfifo: Illegal value for "limit": "abc"\n', 1)
  says(t, 'qdisc add dev veth0 root pfifo foo', 'pfifo: unknown parameter "foo"\nUsage: ... <[p|b]fifo | pfifo_head_drop> [ limit NUMBER ]\n', 1)
  says(t, 'qdisc add dev veth0 root pfifo help', 'Usage: ... <[p|b]fifo | pfifo_head_drop> [ limit NUMBER ]\n', 1)
  says(t, 'qdisc add dev veth0 root pfifo limit', 'Command line is not complete. Try option "help"\n', 255)
  says(t, 'qdisc add root pfifo', 'RTNETLINK answers: No such device\n', 2)
  says(t, 'qdisc add dev nope root pfifo', 'Cannot find device "nope"\n', 1)
  says(t, 'qdisc add dev veth0 root handle zork pfifo', 'Error: argument "zork" is wrong: invalid qdisc ID\n', 255)
  says(t, 'qdisc add dev veth0 root parent 1: pfifo', 'Error: duplicate "parent": "1:" is the second value.\n', 255)
  says(t, 'qdisc add dev veth0 parent 1: root pfifo', 'Error: "root" is duplicate parent ID\n', 255)
  says(t, 'qdisc add dev veth0 root clsact', 'Error: "clsact" is a duplicate parent ID\n', 255)
  says(t, 'qdisc add dev veth0 parent foo pfifo', 'Error: argument "foo" is wrong: invalid parent ID\n', 255)
  says(t, 'qdisc add dev veth0 dev veth0 root pfifo', 'Error: duplicate "dev": "veth0" is the second value.\n', 255)
  says(t, 'qdisc add dev veth0 root mq foo', 'Unknown qdisc "mq", hence option "foo" is unparsable\n', 1)
  says(t, 'qdisc add dev veth0 root pfifo_fast foo', "qdisc 'pfifo_fast' does not support option parsing\n", 255)
  says(t, 'qdisc add dev veth0 clsact foo', 'What is "foo"?\nUsage: ... clsact\n', 1)
  says(t, 'qdisc add dev veth0 root htb default 10', 'not supported yet: qdisc htb\n', 2)
  says(t, 'qdisc add dev veth0 root pfifo', 'Error: Exclusivity flag on, cannot modify.\n', 2, { ...net, 'qdisc.new': new KernelError(EEXIST, 'Exclusivity flag on, cannot modify') })
  t.match(tc('qdisc help'), { err: /^Usage: tc qdisc \[ add/, status: 0 })
  t.match(tc('help'), { err: /^Usage:\ttc /, status: 0 })
})

t.test('class', async (t) => {
  const classes: TcClass[] = [
    { dev: 'veth0', ifindex: 3, kind: 'bpf', classid: 0x10010, parent: 0x10000, leaf: 0x100000, stats: NONE },
    { dev: 'veth0', ifindex: 3, kind: 'mq', classid: 0x10002, parent: ROOT, leaf: 0 },
  ]
  const script = { ...net, 'class.get': classes }
  prints(t, 'class show dev veth0', script, 'class bpf 1:10 parent 1: leaf 10: \nclass mq 1:2 root \n')
  prints(t, '-s class show dev veth0 classid 1:10', script, 'class bpf 1:10 parent 1: leaf 10: \n Sent 0 bytes 0 pkt (dropped 0, overlimits 0 requeues 0) \n backlog 0b 0p requeues 0\n')
  prints(t, '-j class show dev veth0', script, '[{"class":"bpf","handle":"1:10","parent":"1:","leaf":"10:"},{"class":"mq","handle":"1:2","root":true}]\n')
  prints(t, 'class show', script, '')
  asks(t, 'class add dev veth0 parent 1: classid 1:1 bpf', 'class.new', { dev: 'veth0', kind: 'bpf', classid: 0x10001, parent: 0x10000, create: true, excl: true, replace: false })
  asks(t, 'class del dev veth0 classid 1:1', 'class.del', { dev: 'veth0', classid: 0x10001 })
  says(t, 'class add dev veth0 zork', 'Error: Qdisc "zork" is classless.\n', 1)
  says(t, 'class add dev veth0 parent 1: classid 1:1 pfifo bar', 'Error: Qdisc "pfifo" is classless.\n', 1)
  says(t, 'class add dev veth0 parent 1: classid zork bpf', 'Error: argument "zork" is wrong: invalid class ID\n', 255)
  says(t, 'class add dev veth0 classid 1:1 classid 1:2 bpf', 'Error: duplicate "classid": "1:2" is the second value.\n', 255)
  says(t, 'class add dev veth0 parent 1: root bpf', 'Error: "root" is duplicate parent ID.\n', 255)
  says(t, 'class show dev veth0 foo', 'What is "foo"? Try "tc class help".\n', 255)
  says(t, 'class show dev nope', 'Cannot find device "nope"\n', 1)
  says(t, 'class del dev veth0', 'RTNETLINK answers: No such file or directory\n', 2, { ...net, 'class.del': new KernelError(ENOENT) })
})

t.test('u32', async (t) => {
  const added = (words: string): unknown => (tc(`filter add dev veth0 parent 1: protocol ip prio 1 u32 ${words}`).asked[0]?.[1] as { options: unknown }).options
  const key = (val: number, mask: number, off: number) => ({ val, mask, off })
  t.strictSame(added('match ip dst 10.0.0.1/32 flowid 1:1'), { keys: [key(0x0a000001, 0xffffffff, 16)], classid: 0x10001 })
  t.strictSame(added('match ip sport 80 0xffff match ip protocol 6 0xff flowid 1:1'), { keys: [key(0x500000, 0xffff0000, 20), key(0x60000, 0xff0000, 8)], classid: 0x10001 })
  t.strictSame(added('match ip sport 80 0xffff match ip dport 53 ffff'), { keys: [key(0x500035, 0xffffffff, 20)] }, 'one word, one key')
  t.strictSame(added('match ip src 192.168.0.0/16 match ip tos 0x10 0xfc'), { keys: [key(0xc0a80000, 0xffff0000, 12), key(0x100000, 0xfc0000, 0)] })
  t.strictSame(added('match u8 6 0xff at 9'), { keys: [key(0x60000, 0xff0000, 8)] })
  t.strictSame(added('match ip6 dst ::1/64'), { keys: [key(0, 0xffffffff, 24), key(0, 0xffffffff, 28)] })
  t.match(tc('filter del dev veth0 parent 1: handle 800::900 prio 1 protocol ip u32').asked[0], ['filter.del', { handle: 0x80000900 }])
  for (const bad of ['match zork', 'match ip zork', 'match ip dst', 'match ip dst zork', 'match u32 5 flowid 1:1', 'match u32 5 0xff at 3', 'match u32 5 0xff at x']) {
    says(t, `filter add dev veth0 ingress u32 ${bad}`, 'Illegal "match"\n', 1)
  }
  says(t, 'filter add dev veth0 ingress u32 match', 'Command line is not complete. Try option "help"\n', 255)
  says(t, 'filter add dev veth0 ingress u32 match ip dst 1.2.3.4 flowid zork', 'Illegal "classid"\n', 1)
  const base = { dev: 'veth0', ifindex: 3, parent: 0x10000, protocol: 0x800, pref: 1, kind: 'u32', chain: 0 } as const
  const filters: Filter[] = [
    { ...base, handle: 0, hasHandle: false }, { ...base, handle: 0x80000000, hasHandle: true, options: { divisor: 1 } },
    { ...base, handle: 0x80000800, hasHandle: true, options: { ht: 0x80000000, order: 0x800, classid: 0x10001, terminal: true, keys: [key(0x0a000001, 0xffffffff, 16)] } },
  ]
  const script = { ...net, 'filter.get': filters }
  prints(t, 'filter show dev veth0', script, 'filter parent 1: protocol ip pref 1 u32 chain 0 \nfilter parent 1: protocol ip pref 1 u32 chain 0 fh 800: ht divisor 1 \n' +
    'filter parent 1: protocol ip pref 1 u32 chain 0 fh 800::800 order 2048 key ht 800 bkt 0 *flowid 1:1 not_in_hw \n  match 0a000001/ffffffff at 16\n')
  prints(t, '-j filter show dev veth0', script, '[{"parent":"1:","protocol":"ip","pref":1,"kind":"u32","chain":0},{"parent":"1:","protocol":"ip","pref":1,"kind":"u32","chain":0,"options":{"fh":"800:","ht_divisor":1}},' +
    '{"parent":"1:","protocol":"ip","pref":1,"kind":"u32","chain":0,"options":{"fh":"800::800","order":2048,"key_ht":"800","bkt":"0","flowid":"1:1","not_in_hw":true,"match":{"value":"a000001","mask":"ffffffff","offmask":"","off":16}}}]\n')
})

t.test('filter', async (t) => {
  const base = { dev: 'veth0', ifindex: 3, parent: 0xfffffff2, protocol: 3, pref: 49152, kind: 'bpf', chain: 0 } as const
  const filters: Filter[] = [
    { ...base, handle: 0, hasHandle: false },
    { ...base, handle: 1, hasHandle: true, options: { progId: 7, name: 'x.o:[tc]', classid: 0x10005, directAction: true, prog: { ...PROG, name: 'tc2' } } },
  ]
  const script = { ...net, 'filter.get': filters }
  const line = 'handle 0x1 flowid 1:5 x.o:[tc] direct-action not_in_hw id 7 name tc2 tag 614b434cd8324ecc jited \n'
  prints(t, 'filter show dev veth0 ingress', script, `filter protocol all pref 49152 bpf chain 0 \nfilter protocol all pref 49152 bpf chain 0 ${line}`)
  t.match(tc('filter show dev veth0', script).out, /^filter ingress protocol all/)
  prints(t, '-j filter show dev veth0 ingress', script, '[{"protocol":"all","pref":49152,"kind":"bpf","chain":0},{"protocol":"all","pref":49152,"kind":"bpf","chain":0,"options":' +
    '{"handle":"0x1","flowid":"1:5","bpf_name":"x.o:[tc]","direct-action":true,"not_in_hw":true,"prog":{"id":7,"name":"tc2","tag":"614b434cd8324ecc","jited":1}}}]\n')
  prints(t, 'filter get dev veth0 ingress prio 49152 handle 1 protocol all bpf', script, `filter ingress protocol all pref 49152 bpf chain 0 ${line}`)
  asks(t, 'filter del dev veth0 ingress pref 49152', 'filter.del', { dev: 'veth0', parent: 0xfffffff2, pref: 49152 })
  says(t, 'filter del dev veth0 egress prio 9', 'Error: Filter with specified priority/protocol not found.\nWe have an error talking to the kernel\n', 2,
    { ...net, 'filter.del': new KernelError(ENOENT, 'Filter with specified priority/protocol not found') })
  says(t, 'filter add dev veth0 ingress bpf foo', 'What mode is "foo"?\nUnable to parse bpf command line\n', 1)
  says(t, 'filter add dev veth0 ingress bpf', 'RTNETLINK answers: Invalid argument\nWe have an error talking to the kernel\n', 2, { ...net, 'filter.new': new KernelError(EINVAL) })
  says(t, 'filter add dev veth0 ingress', 'Error: Filter kind and protocol must be specified.\nWe have an error talking to the kernel\n', 2,
    { ...net, 'filter.new': new KernelError(ENOENT, 'TC classifier not found') })
  says(t, 'filter add ingress bpf', 'RTNETLINK answers: No such device\nWe have an error talking to the kernel\n', 2)
  says(t, 'filter add dev nope ingress bpf da', 'Cannot find device "nope"\n', 1)
  says(t, 'filter add dev veth0 ingress protocol zork bpf', 'Error: argument "zork" is wrong: invalid protocol\n', 255)
  says(t, 'filter add dev veth0 ingress prio abc bpf', 'Error: argument "abc" is wrong: invalid priority value\n', 255)
  says(t, 'filter add dev veth0 ingress flower', 'not supported yet: filter flower\n', 2)
  says(t, 'filter show dev veth0 foo', ' What is "foo"? Try "tc filter help"\n', 255)
})
