// `wire`: words to requests, replies to text.
import t, { type Test } from 'tap'
import { KernelError } from '../../pkg/bytes/errors.js'
import { run } from '../../cmd/wire/index.js'
import { readCapture } from '../../pkg/packet/index.js'
import type { Request } from '../../pkg/request/kernel.js'
import type { Link } from '../../pkg/request/rtnl.js'
import type { WireSummary } from '../../pkg/request/wire.js'
import { EINVAL } from '../../pkg/uapi/errno.js'
import { runCommand, type Script } from '../support/command.js'
import { root } from '../support/root.js'
import { devices, LO } from './samples.js'

const ETH0: Link = { ...LO, ifindex: 2, name: 'eth0', type: 'ether', address: '02:00:00:00:00:aa' }
const QUIET: WireSummary = { frames: 1, bytes: 60, delivered: 0, transmitted: 1, queued: 0, dropped: {}, now: 480 }
const MACHINE: Script = {
  ...devices(LO, ETH0),
  'sys.info': { cpus: 4, now: 0, dir: '/x', strict: false },
  'addr.get': [{ ifindex: 2, dev: 'eth0', family: 'inet', local: '10.0.0.1', prefixlen: 24, scope: 'global' }],
  'wire.send': QUIET, 'wire.run': QUIET, 'wire.set': undefined, 'wire.time': { now: 61_200_000 },
  'wire.capture.add': undefined, 'wire.capture.del': undefined,
  'wire.capture.show': [{ dev: 'eth0', direction: 'tx', file: '/out.pcap', packets: 3 }],
  'wire.show': {
    devices: [{ dev: 'eth0', rate: 10_000_000, latency: 1500, ring: 1, busyUntil: 900, inRing: 1, queued: [{ qdisc: 'bpf', handle: 0x10000, packets: 2, bytes: 120 }] },
      { dev: 'lo', rate: 0, latency: 0, ring: 1, busyUntil: 0, inRing: 0, queued: [] }],
    total: { ...QUIET, dropped: { XDP_DROP: 2, QDISC_DROP: 1 }, now: 480 },
  },
}
const MIXED = root('fixtures/pcap/mixed.pcap')

const wire = (line: string, script: Script = MACHINE) => runCommand(run, line, { script })
const prints = (t: Test, line: string, out: string, script?: Script): void => { t.match(wire(line, script), { out, err: '', status: 0 }, line) }
const says = (t: Test, line: string, err: string | RegExp, status: number, script?: Script): void => { t.match(wire(line, script), { out: '', err, status, committed: false }, line) }
const asks = (t: Test, line: string, op: string, request: object): void => {
  const ran = wire(line)
  t.equal(ran.err, '', line)
  t.strictSame(ran.asked.filter(([name]) => name === op), [[op, request]], line)
  t.equal(ran.committed, true)
}
/** The frames that a line sends. */
const sent = (line: string): Request<'wire.send'> => wire(line).asked.find(([op]) => op === 'wire.send')![1] as Request<'wire.send'>

t.test('one closing line of one shape', async (t) => {
  const summary: WireSummary = { frames: 60, bytes: 30042, delivered: 1, transmitted: 50, queued: 6, dropped: { XDP_DROP: 2, QDISC_DROP: 1, NONE: 0 }, now: 1_061_200_000 }
  const line = 'frames 60 bytes 30042: delivered 1 transmitted 50 queued 6 dropped 3 (QDISC_DROP 1, XDP_DROP 2) time 1.061200000\n'
  const script = { ...MACHINE, 'wire.send': summary, 'wire.run': summary }
  for (const words of ['send dev eth0 tx', `replay ${MIXED} dev eth0 rx`, 'run until idle', 'run for 10ms']) prints(t, words, line, script)
  prints(t, 'send dev eth0 tx', 'frames 1 bytes 60: delivered 0 transmitted 1 queued 0 dropped 0 time 0.000000480\n')
  prints(t, '-j run until idle', '{"frames":60,"bytes":30042,"delivered":1,"transmitted":50,"queued":6,"dropped":3,"reasons":{"QDISC_DROP":1,"XDP_DROP":2},"now":1061200000}\n', script)
})

t.test('send', async (t) => {
  const { frames, ...rest } = sent('send dev eth0 tx cpu 3 count 3 interval 1us hold eth_type ipv4 ip_proto udp dst_ip 10.0.0.9 dst_port 7 mark 0x10 priority 1:2')
  t.strictSame(rest, { dev: 'eth0', direction: 'tx', cpu: 3, hold: true })
  t.strictSame(frames.map(({ at }) => at), [0, 1000, 2000])
  t.match(frames[0], { mark: 16, priority: 0x10002, flow: { tcp: false } })
  t.equal(Buffer.from(frames[0]!.bytes.subarray(6, 12)).toString('hex'), '0200000000aa', 'a local socket sends from the device\'s address')
  t.strictSame([...frames[0]!.bytes.subarray(26, 34)], [10, 0, 0, 1, 10, 0, 0, 9])
  const [arriving] = sent('send dev eth0 rx').frames
  t.equal(Buffer.from(arriving!.bytes.subarray(0, 6)).toString('hex'), '0200000000aa', 'a peer sends to it')
  t.strictSame([...arriving!.bytes.subarray(30, 34)], [10, 0, 0, 1])
  t.notOk('flow' in arriving!)
  t.strictSame(sent('send dev eth0 tx hex 00112233445566778899aabb0800').frames[0]!.bytes, Uint8Array.from(Buffer.from('00112233445566778899aabb0800', 'hex')))
  t.equal(sent('send dev eth0 tx ip_proto tcp').frames[0]!.flow?.tcp, true)
  t.notOk('flow' in sent('send dev eth0 tx ip_proto icmp').frames[0]!)
})

t.test('replay', async (t) => {
  const file = readCapture(MIXED)
  t.strictSame(sent(`replay ${MIXED} dev eth0 tx`).frames.map(({ bytes, at }) => ({ bytes, at })), file.map(({ bytes, at }) => ({ bytes, at })))
  t.strictSame(sent(`replay ${MIXED} dev eth0 rx speed 2 count 12`).frames.map(({ at }) => at), file.slice(0, 12).map(({ at }) => Math.round(at / 2)))
  t.strictSame(new Set(sent(`replay ${MIXED} dev eth0 rx speed max hold`).frames.map(({ at }) => at)), new Set([0]))
  says(t, 'replay nofile dev eth0 rx', /nofile: No such file or directory\n$/, 1)
  says(t, `replay ${root('package.json')} dev eth0 rx`, /package.json: unknown file format \(neither pcap nor pcapng\)\n$/, 1)
  says(t, `replay ${MIXED} dev eth0 rx speed 0`, 'Error: argument "0" is wrong: speed is a factor above 0, or "max"\n', 255)
  says(t, 'replay', 'Command line is not complete. Try option "help"\n', 255)
})

t.test('words that are wrong or missing', async (t) => {
  says(t, 'send dev nope tx', 'Cannot find device "nope"\n', 1)
  says(t, 'send tx', 'Not enough information: "dev" argument is required.\n', 255)
  says(t, 'send dev eth0', 'Not enough information: "rx" or "tx" is required.\n', 255)
  says(t, 'send dev eth0 tx rx', 'Error: duplicate "direction": "rx" is the second value.\n', 255)
  says(t, 'send dev eth0 tx cpu 4', 'Error: argument "4" is wrong: this machine has the CPUs 0 to 3\n', 255)
  says(t, 'send dev eth0 tx dst_port 70000', 'Error: argument "70000" is wrong: Invalid "dst_port" value\n', 255)
  says(t, 'send dev eth0 tx count 0', /argument "0" is wrong/, 255)
  says(t, 'send dev eth0 tx zork', /^What is "zork"\?\nUsage: wire send \[ dev DEV \]/, 1)
  says(t, 'send dev eth0 tx ip_proto icmp dst_port 7', '"dst_port" has no place in an ICMP packet\n', 1)
  says(t, 'send dev eth0 tx hex 0011', 'a frame of 2 bytes has no Ethernet header\n', 1)
  says(t, 'run', 'Command line is not complete. Try option "help"\n', 255)
  says(t, 'run for ten', /argument "ten" is wrong/, 255)
  says(t, 'top', 'not supported yet: wire top\n', 2)
  says(t, 'bench', 'Command line is not complete. Try option "help"\n', 255)
  says(t, 'zork', 'Object "zork" is unknown, try "wire help".\n', 1)
  says(t, 'send help', /^Usage: wire send/, 0)
  says(t, 'send dev eth0 tx', 'RTNETLINK answers: Invalid argument\n', 2, { ...MACHINE, 'wire.send': new KernelError(EINVAL) })
})

t.test('time, set, capture, show', async (t) => {
  prints(t, 'time', '0.061200000\n')
  prints(t, '-j time', '{"now":61200000}\n')
  asks(t, 'set dev eth0 rate 10mbit latency 1.5us ring 4', 'wire.set', { dev: 'eth0', rate: 10_000_000, latency: 1500, ring: 4 })
  asks(t, 'set dev eth0 rate 0', 'wire.set', { dev: 'eth0', rate: 0 })
  says(t, 'set dev eth0', 'Command line is not complete. Try option "help"\n', 255)
  says(t, 'set dev nope rate 1mbit', 'Cannot find device "nope"\n', 1)
  asks(t, 'capture add dev eth0 tx file out.pcap', 'wire.capture.add', { dev: 'eth0', direction: 'tx', file: '/out.pcap' })
  asks(t, 'capture add dev eth0 file /a/b', 'wire.capture.add', { dev: 'eth0', direction: 'all', file: '/a/b' })
  asks(t, 'capture del dev eth0', 'wire.capture.del', { dev: 'eth0' })
  says(t, 'capture del dev eth0 rx', 'No such capture on "eth0"\n', 2)
  says(t, 'capture add dev eth0', 'Error: argument "file" is required\n', 255)
  prints(t, 'capture', 'eth0: tx file /out.pcap packets 3\n')
  prints(t, '-j capture show dev eth0', '[{"dev":"eth0","direction":"tx","file":"/out.pcap","packets":3}]\n')
  prints(t, 'show', 'eth0: rate 10Mbit latency 1.5us ring 1 busy until 0.000000900 in ring 1\n    qdisc bpf 1: backlog 120b 2p\n' +
    'lo: rate unlimited latency 0ns ring 1\ntotal: frames 1 bytes 60: delivered 0 transmitted 1 queued 0 dropped 3 (QDISC_DROP 1, XDP_DROP 2) time 0.000000480\n')
  t.match(JSON.parse(wire('-j show dev eth0').out), { devices: [{ dev: 'eth0', busy_until: 900, queued: [{ qdisc: 'bpf', handle: '1:' }] }, {}], total: { dropped: 3 }, now: 480 })
  says(t, 'show dev nope', 'Device "nope" does not exist.\n', 1)
})

t.test('trace', async (t) => {
  const script = { ...MACHINE, 'wire.send': { ...QUIET, trace: [{ at: 0, frame: 0, dev: 'eth0', hook: 'qdisc', text: 'bpf 1: enqueue' }, { at: 480, frame: 0, dev: 'eth0', hook: 'xmit', text: 'on the wire' }] } }
  prints(t, 'trace send dev eth0 tx', 'frame 0: IP 10.0.0.1.40000 > 192.0.2.2.9: UDP, length 18 (60)\n  0.000000000 eth0 qdisc bpf 1: enqueue\n' +
    '  0.000000480 eth0 xmit  on the wire\nframes 1 bytes 60: delivered 0 transmitted 1 queued 0 dropped 0 time 0.000000480\n', script)
  t.equal((runCommand(run, 'trace dev eth0 tx', { script }).asked.find(([op]) => op === 'wire.send')![1] as { trace: boolean }).trace, true)
  t.match(JSON.parse(wire('-j trace replay ' + MIXED + ' dev eth0 rx count 2', script).out), { frames: [{ frame: 0, steps: [{ hook: 'qdisc' }, {}] }, { steps: [] }], summary: { frames: 1 }, now: 480 })
})

t.test('completion', async (t) => {
  const at = (line: string): string[] => wire(`--get-yargs-completions wire ${line}`).out.split('\n').filter((word) => word !== '')
  t.strictSame(at('re'), ['replay'])
  t.strictSame(at('capture a'), ['add'])
  t.strictSame(at('send dev e'), ['eth0'])
  t.ok(at('trace send dev eth0 tx dst').includes('dst_port'))
})
