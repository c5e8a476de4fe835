// What a new user types on a fresh machine, with the built executables, each line in a process of its own.
import t, { type Test } from 'tap'
import { spawnSync } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { dissect, readCapture } from '../pkg/packet/index.js'
import { root } from './support/root.js'

type Ran = { readonly out: string; readonly err: string; readonly status: number | null }

const bin = root('dist', 'bin')

/** A shell in a folder with the fixtures in it. */
function shell(t: Test): { sh: (line: string) => Ran; dir: string } {
  const dir = t.testdir()
  symlinkSync(root('fixtures'), join(dir, 'fixtures'))
  const env = { ...process.env, HOOKPOINT_STATE: join(dir, 'state'), PATH: `${bin}:${process.env['PATH']}` }
  const sh = (line: string): Ran => {
    const { stdout, stderr, status } = spawnSync('sh', ['-c', line], { cwd: dir, env, encoding: 'utf8' })
    return { out: stdout, err: stderr, status }
  }
  return { sh, dir }
}

t.test('the first sitting', async (t) => {
  const { sh, dir } = shell(t)
  const ok = (line: string, out: string | RegExp = ''): void => {
    const ran = sh(line)
    t.match(ran, { err: '', status: 0 }, line)
    if (out === '') t.equal(ran.out, '', line)
    else t.match(ran.out, out, line)
  }
  ok(`eval "$(${join(bin, 'hookpoint')} env)" && for name in tc ip bpftool wire; do command -v $name; done`, [...['tc', 'ip', 'bpftool', 'wire']].map((name) => `${join(bin, name)}\n`).join(''))
  ok('ip tuntap add dev tap0 mode tap multi_queue queues 2 && ip link set tap0 up')
  ok('echo 1 > $HOOKPOINT_STATE/sys/class/net/tap0/queues/tx-0/xps_cpus; echo 2 > $HOOKPOINT_STATE/sys/class/net/tap0/queues/tx-1/xps_cpus')
  ok('ip link set dev tap0 xps obj fixtures/obj/xps_hello1.o sec hello')
  ok('wire send dev tap0 tx cpu 0 eth_type ipv4 ip_proto udp dst_ip 169.254.254.1 dst_port 7', /^frames 1 bytes 60: delivered 0 transmitted 1 queued 0 dropped 0 time /)
  ok('ip -d link show tap0', /xps\/id:\d+ .*\n[^]*prog\/xps id \d+ name _hello tag [0-9a-f]{16} jited /)
  ok('ip -s -s link show tap0', /xps: run 1 pick 1 decline 0\n {4}tx-q0: 0 tx-q1: 1\n/)
  ok('bpftool prog tracelog', /bpf_trace_printk: xps \(RET 1\): Hello, World!/)
  ok('ip link set dev tap0 xps off')
  t.notMatch(sh('ip -d link show tap0').out, /xps/)

  ok('tc qdisc add dev eth0 root handle 1: bpf obj fixtures/obj/sch_prio.o')
  ok('tc class add dev eth0 parent 1: classid 1:1 bpf')
  ok('tc qdisc change dev eth0 root bpf obj fixtures/obj/sch_wrr.o')
  ok('wire set dev eth0 rate 10mbit')
  ok('wire capture add dev eth0 tx file out.pcap')
  t.match(sh('wire capture add dev eth0 rx file nofolder/out.pcap'), { err: `${join(dir, 'nofolder/out.pcap')}: No such file or directory\n`, status: 1 })
  t.match(sh('echo mine > notes.txt; wire capture add dev eth0 rx file notes.txt; cat notes.txt'), { out: 'mine\n', err: /notes\.txt: is no pcap file/ })
  ok('wire replay fixtures/pcap/mixed.pcap dev eth0 tx', /^frames 60 bytes 33870: delivered 0 transmitted 60 queued 0 dropped 0 time /)
  ok('tc -s qdisc show dev eth0', /^qdisc bpf 1: root refcnt 5 enqueue sch_wrr\.o:\[sch_bpf\/enqueue\] id \d+ name wrr_enqueue tag [0-9a-f]{16} jited dequeue [^\n]*\n Sent 33870 bytes 60 pkt \(dropped 0,/)
  ok('tc -s class show dev eth0', /^class bpf 1:1 parent 1: \n Sent \d+ bytes 60 pkt/m)
  const left = readCapture(join(dir, 'out.pcap'))
  t.equal(left.length, 60)
  for (const [i, { at }] of left.entries()) if (i > 0) t.ok(at - left[i - 1]!.at >= left[i - 1]!.bytes.length * 800, `frame ${i} waits for the one before at 10 Mbit/s`)

  ok('wire capture del dev eth0; wire capture add dev eth0 tx file out.pcap')
  t.equal(readCapture(join(dir, 'out.pcap')).length, 0, 'a new capture begins its file anew')

  ok('ip link set dev eth1 xdp obj fixtures/obj/xdp_count.o sec xdp')
  ok('wire replay fixtures/pcap/mixed.pcap dev eth1 rx', /^frames 60 bytes 33870: /)
  ok('bpftool prog show', /: xdp {2}name xdp_count {2}tag [0-9a-f]{16} {2}/)
  ok('bpftool map show', /: hash {2}name counts {2}flags 0x0\n/)
  ok('bpftool map dump name counts', /"key": 17,\n[^]*"packets": \d+/)
  const udp = readCapture(root('fixtures/pcap/mixed.pcap')).filter(({ bytes }) => dissect(bytes).ipProto === 17)
  const entries = JSON.parse(sh('bpftool -j -p map dump name counts').out) as { formatted: { key: number; value: { packets: number; bytes: number } } }[]
  t.strictSame(entries.find(({ formatted }) => formatted.key === 17)?.formatted.value, { packets: udp.length, bytes: udp.reduce((sum, { bytes }) => sum + bytes.length, 0) })
  ok('bpftool prog dump xlated name xdp_count', /^int xdp_count\(struct xdp_md \* ctx\):\n[^]* = \*\(u64 \*\)\(r1 \+8\)\n[^]*\bexit\n$/)
})

t.test('frames leave in the order of their ranks', async (t) => {
  const { sh, dir } = shell(t)
  for (const line of ['tc qdisc add dev eth0 root handle 1: bpf obj fixtures/obj/sch_prio.o', 'wire set dev eth0 rate 10mbit', 'wire capture add dev eth0 tx file out.pcap']) {
    t.strictSame(sh(line), { out: '', err: '', status: 0 }, line)
  }
  t.match(sh('wire replay fixtures/pcap/mixed.pcap dev eth0 tx speed max'), { status: 0, out: /transmitted 60 / })
  const rank = (bytes: Uint8Array): number => (dissect(bytes).addrLen === 0 ? 0 : 64 - (dissect(bytes).tos >> 2))
  const ranks = readCapture(join(dir, 'out.pcap')).map(({ bytes }) => rank(bytes))
  t.strictSame(ranks.slice(1), ranks.slice(1).toSorted((a, b) => a - b))
  t.ok(new Set(ranks).size > 5)
})

t.test('the table of two queues and two CPUs', async (t) => {
  const { sh } = shell(t)
  sh('ip tuntap add dev tap0 mode tap multi_queue queues 2 && ip link set tap0 up')
  for (const n of [0, 1]) sh(`echo ${1 << n} > $HOOKPOINT_STATE/sys/class/net/tap0/queues/tx-${n}/xps_cpus`)
  const counters = (): number[] => (JSON.parse(sh('ip -j -s -s link show tap0').out) as [{ tx_queues: { packets: number }[] }])[0].tx_queues.map(({ packets }) => packets)
  const chosen = (cpu: number): number => {
    const before = counters()
    sh(`wire send dev tap0 tx cpu ${cpu}`)
    return counters().findIndex((packets, queue) => packets > before[queue]!)
  }
  for (const [object, queues] of [['', [0, 1]], ['xps_hello0.o', [0, 0]], ['xps_hello1.o', [1, 1]], ['xps_hello2.o', [0, 0]], ['xps_hello_m1.o', [0, 1]]] as const) {
    if (object !== '') t.match(sh(`ip link set dev tap0 xps obj fixtures/obj/${object} sec hello`), { err: '', status: 0 }, object)
    t.strictSame([chosen(0), chosen(1)], queues, object === '' ? 'none' : object)
  }
})

t.test('what cannot be done is said', async (t) => {
  const { sh } = shell(t)
  const says = (line: string, err: string | RegExp, status: number): void => { t.match(sh(line), { out: '', err, status }, line) }
  says('wire send dev nope tx', 'Cannot find device "nope"\n', 1)
  says('wire replay fixtures/obj/sch_prio.c dev eth0 rx', /unknown file format \(neither pcap nor pcapng\)\n$/, 1)
  says('head -c 110 fixtures/pcap/mixed.pcap > cut.pcap; wire replay cut.pcap dev eth0 rx', /^cut\.pcap: .*\(offset \d+\)\n$/, 1)
  says('tc qdisc add dev eth0 root bpf obj nofile.o', /nofile\.o/, 1)
  says('ip link set dev eth0 xdp obj fixtures/obj/err_packet_bounds.o sec xdp', /-- BEGIN PROG LOAD LOG --\n[^]*\ninvalid access to packet, off=12 size=2, R1\(id=0,off=12,r=0\)\n[^]*-- END PROG LOAD LOG --\n/, 255)
  says('mkdir bad && echo zork > bad/meta.log; HOOKPOINT_STATE=bad wire time', /^state directory [^\n]*bad is damaged: meta\.log at byte 0: [^\n]*\n$/, 1)
  t.equal(sh('wire time').out, '0.000000000\n', 'and none of it happened')
})
