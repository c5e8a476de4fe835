// What needs a look inside: a driver that refuses, and the socket behind a local frame.
import t from 'tap'
import { Core } from '../../pkg/datapath/core.js'
import { makeDevEnv } from '../../pkg/datapath/dev-env.js'
import { devQueueXmit } from '../../pkg/datapath/egress.js'
import { drain } from '../../pkg/datapath/engine.js'
import { loadPort, savePort } from '../../pkg/datapath/state.js'
import { PROG_TYPE_SCHED_QDISC } from '../../pkg/hook/types.js'
import { SKB, SOCK } from '../../pkg/skb/layout.js'
import { HEADROOM } from '../../pkg/skb/skb.js'
import { PROG_TYPE } from '../../pkg/uapi/bpf.js'
import { Machine, udp } from './machine.js'

function coreOf(m: Machine): Core {
  const core = new Core(m.host, makeDevEnv)
  core.load = (ifindex) => loadPort(core, ifindex)
  return core
}

t.test('a frame the driver refuses is stashed, sent first, and its program not asked again', async (t) => {
  const m = new Machine()
  m.net.wireSet({ dev: 'eth0', rate: 0 })
  let asked = 0
  const id = m.host.load(PROG_TYPE_SCHED_QDISC, () => ((asked += 1), 0), { dialect: 'schbpf2' })
  const prog = { id, name: 'p' }
  m.net.qdiscNew({ dev: 'eth0', kind: 'bpf', handle: 0x10000, parent: 0xffffffff, options: { enqueue: prog, dequeue: prog }, create: true, excl: true, replace: false })
  m.net.save()
  let core = coreOf(m)
  let port = core.port(2)!
  port.dev.tx[1]!.stopped = true
  m.host.masks.set('eth0/xps_cpus', new Map([[1, 1n]]))
  for (const dst of [1, 2]) {
    const skb = core.skbs.alloc(udp({ dst }))
    core.skbs.set16(skb, SKB.mac_header, HEADROOM)
    core.skbs.set16(skb, SKB.mac_len, 14)
    devQueueXmit(core, port, skb)
  }
  const q = port.sched.root
  t.match(q, { requeues: 1, qlen: 2, backlog: 120 })
  t.strictSame([q.stash.qlen, asked], [1, 3], 'two enqueued, one dequeued')
  savePort(core, port)
  core = coreOf(m)
  port = core.port(2)!
  t.equal(port.sched.root.stash.qlen, 1, 'in the state too')
  const order: number[] = []
  core.captures.push({ ifindex: 2, direction: 'tx', file: '', packets: 0, sink: { write: (frame) => void order.push(frame[37]!) } })
  core.softirq.schedule(0, port.sched.root)
  drain(core)
  t.strictSame([order, asked, port.sched.root.qlen], [[1, 2], 4, 0])
})

t.test('a frame of a flow has a socket: family, addresses, ports, cookie', async (t) => {
  const m = new Machine()
  const { u32, u16 } = m.host.mem
  const seen: number[][] = []
  const id = m.host.load(PROG_TYPE.SOCKET_FILTER, (skb) => {
    const sk = u32[(skb + SKB.sk) >> 2]!
    seen.push(sk === 0 ? [] : [u16[(sk + SOCK.family) >> 1]!, u32[(sk + SOCK.daddr) >> 2]!, u16[(sk + SOCK.num) >> 1]!, u16[(sk + SOCK.dport) >> 1]!, u32[(sk + SOCK.cookie) >> 2]!])
    return 0
  })
  m.net.linkSet({ dev: 'eth0', xps: { progId: id } })
  m.send('eth0', 'tx', [{ flow: { id: 4, tcp: false }, bytes: udp({ src: 1000, dst: 7 }) }, udp(), { flow: { id: 4, tcp: false } }])
  t.strictSame(seen, [[2, 0x0200000a, 1000, 0x0700, 5], [], [2, 0x0200000a, 1000, 0x0700, 5]])
})
