// The tables of the XPS proposal: which queue a frame takes, by program, masks, socket and device.
import t from 'tap'
import { PROG_TYPE } from '../../pkg/uapi/bpf.js'
import { SKB } from '../../pkg/skb/layout.js'
import { answer, Machine, udp } from './machine.js'

/** tap0 with two queues, tx-0 for CPU 0 and tx-1 for CPU 1. */
function demo(queues = 2): Machine {
  const m = new Machine()
  m.tap('tap0', queues)
  m.host.masks.set('tap0/xps_cpus', new Map([[0, 1n], [1, 2n]]))
  return m
}

const returning = (m: Machine, value: number): number => m.host.load(PROG_TYPE.SOCKET_FILTER, () => value | 0)

function queueOf(m: Machine, cpu = 0, dev = 'tap0'): number {
  m.send(dev, 'tx', [udp()], { cpu })
  return m.net.wireTake({ dev, from: 'tx' })[0]!.queue
}

for (const [value, cpu0, cpu1] of [[undefined, 0, 1], [0, 0, 0], [1, 1, 1], [2, 0, 0], [-1, 0, 1]] as const) {
  t.test(`program ${value ?? 'none'}: cpu 0 sends on q${cpu0}, cpu 1 on q${cpu1}`, async (t) => {
    const m = demo()
    if (value !== undefined) m.net.linkSet({ dev: 'tap0', xps: { progId: returning(m, value) } })
    t.equal(queueOf(m, 0), cpu0)
    t.equal(queueOf(m, 1), cpu1)
    m.reboot()
    t.equal(queueOf(m, 1), cpu1, 'also in the next process')
  })
}

t.test('a result is reduced by the active queues; any negative one declines', async (t) => {
  const m = demo()
  const set = (value: number): void => m.net.linkSet({ dev: 'eth0', xps: { progId: returning(m, value) } })
  set(7)
  t.equal(queueOf(m, 0, 'eth0'), 3)
  set(-2147483648)
  const before = m.link('eth0').xps!.stats
  queueOf(m, 0, 'eth0')
  t.strictSame([before, m.link('eth0').xps!.stats], [
    { runs: 0, chosen: 0, declined: 0, clamped: 0 }, { runs: 1, chosen: 0, declined: 1, clamped: 0 },
  ])
})

t.test('2 of 4 queues active: 3 means 1, or as posted 0 with a warning', async (t) => {
  const m = new Machine()
  m.net.linkNew({ kind: 'veth', name: 'v0', numTxQueues: 4, numRxQueues: 4, up: true, peer: { name: 'v1', up: true } })
  m.net.save()
  const record = JSON.parse(m.host.records.values.get('dev/5')!)
  m.host.records.put('dev/5', { ...record, realTx: 2 })
  m.reboot()
  m.net.linkSet({ dev: 'v0', xps: { progId: returning(m, 3) } })
  m.send('v0', 'tx', [udp()])
  t.strictSame(m.link('v0').txQueues.map((q) => q.packets), [0, 1])
  m.host.strict = true
  m.send('v0', 'tx', [udp()])
  t.strictSame(m.host.logs, [], 'strict: no map anywhere, so the hook never runs')
  m.host.masks.set('v0/xps_cpus', new Map([[0, 8n]]))
  m.send('v0', 'tx', [udp()])
  t.equal(m.host.logs.at(-1), 'v0 selects TX queue 3, but real number of TX queues is 2')
  t.match(m.link('v0').xps!.stats, { runs: 2, chosen: 2, clamped: 1 })
})

t.test('attach, replace, off', async (t) => {
  const m = demo()
  const [a, b] = [returning(m, 0), returning(m, 1)]
  m.net.linkSet({ dev: 'tap0', xps: { progId: a } })
  m.net.linkSet({ dev: 'tap0', xps: { progId: b } })
  t.equal(m.link('tap0').xps!.prog.id, b)
  m.net.linkSet({ dev: 'tap0', xps: { progId: -1 } })
  t.equal(m.link('tap0').xps, undefined)
  t.strictSame([m.host.refs.get(a), m.host.refs.get(b)], [0, 0])
  const xdp = m.host.load(PROG_TYPE.XDP, () => 2)
  t.equal(answer(() => m.net.linkSet({ dev: 'tap0', xps: { progId: xdp } })), 'EINVAL')
  t.equal(answer(() => m.net.linkSet({ dev: 'tap0', xps: { progId: 999 } })), 'EBADF')
  m.host.strict = true
  t.equal(answer(() => m.net.linkSet({ dev: 'tap0', xps: { progId: -1 } })), 'EBADF')
})

t.test('cb is zero on every run and the program sees the frame from its Ethernet header', async (t) => {
  const m = new Machine()
  const { mem } = m.host
  const seen: number[][] = []
  const prog = m.host.load(PROG_TYPE.SOCKET_FILTER, (skb) => {
    const data = mem.u32[(skb + SKB.data) >> 2]!
    seen.push([mem.u32[(skb + SKB.cb + 8) >> 2]!, mem.u8[data + 12]!, mem.u8[data + 13]!])
    mem.u32[(skb + SKB.cb + 8) >> 2] = 77
    return 0
  })
  m.net.linkSet({ dev: 'eth0', xps: { progId: prog } })
  m.send('eth0', 'tx', [udp(), udp()])
  t.strictSame(seen, [[0, 8, 0], [0, 8, 0]])
})

t.test('a device with one queue does not run it', async (t) => {
  const m = new Machine()
  m.tap('tap1', 1)
  m.net.linkSet({ dev: 'tap1', xps: { progId: returning(m, 0) } })
  m.send('tap1', 'tx', [udp()])
  t.equal(m.link('tap1').xps!.stats.runs, 0)
})

t.test('one TCP socket asks once, and again when it may reorder; UDP asks each time', async (t) => {
  const m = new Machine()
  const prog = returning(m, 2)
  m.net.linkSet({ dev: 'eth0', xps: { progId: prog } })
  const runs = (): number => m.link('eth0').xps!.stats.runs
  m.send('eth0', 'tx', Array.from({ length: 10 }, () => ({ flow: { id: 5, tcp: true } })))
  t.equal(runs(), 1)
  m.reboot()
  m.send('eth0', 'tx', [{ flow: { id: 5, tcp: true } }])
  t.equal(runs(), 1, 'the socket lives on')
  m.send('eth0', 'tx', [{ flow: { id: 5, tcp: true, oooOkay: true } }])
  t.equal(runs(), 2)
  m.send('eth0', 'tx', [{ flow: { id: 6, tcp: false } }, { flow: { id: 6, tcp: false } }])
  t.equal(runs(), 4)
  t.strictSame(m.link('eth0').txQueues.map((q) => q.packets), [0, 0, 14, 0])
})

t.test('xps_rxqs comes before xps_cpus, several queues share by hash, no map means the hash', async (t) => {
  const m = new Machine()
  m.host.masks.set('eth0/xps_rxqs', new Map([[3, 0b10n]]))
  m.host.masks.set('eth0/xps_cpus', new Map([[1, 1n]]))
  m.send('eth0', 'tx', [{ rxQueue: 1 }, { rxQueue: 0 }, {}])
  t.strictSame(m.link('eth0').txQueues.map((q) => q.packets), [0, 2, 0, 1])
  m.host.masks.clear()
  m.send('eth0', 'tx', Array.from({ length: 400 }, (_, i) => udp({ src: 1000 + i })))
  const counts = m.link('eth0').txQueues.map((q) => q.packets)
  t.ok(counts.every((n) => n > 60), `spread ${counts.join(' ')}`)
})

t.test('tun steering has no decline, except with fallback, and goes before the XPS hook', async (t) => {
  const m = demo()
  const steer = (value: number, fallback = false): number => {
    m.net.tunSteer({ dev: 'tap0', progId: returning(m, value), fallback })
    return queueOf(m, 0)
  }
  t.equal(steer(0), 0)
  t.equal(steer(1), 1)
  t.equal(steer(-1), 1, '65535 % 2')
  t.equal(steer(-65535), 1)
  t.equal(steer(-1, true), 0, 'the masks choose')
  m.net.linkSet({ dev: 'tap0', xps: { progId: returning(m, 1) } })
  t.equal(steer(-1, true), 1, 'the hook chooses')
  t.equal(steer(0), 0, 'the steering program has the last word')
  t.equal(m.link('tap0').tun!.steering!.fallback, false)
  t.equal(answer(() => m.net.tunSteer({ dev: 'eth0', progId: -1 })), 'EINVAL')
  t.equal(answer(() => m.net.tunSteer({ dev: 'tap0', progId: m.host.load(PROG_TYPE.XDP, () => 0) })), 'EINVAL')
})

t.test('without program and masks a tap answers on the queue that user space last wrote to', async (t) => {
  const m = new Machine()
  m.tap('tap0', 4)
  const flow = udp({ src: 4242 })
  for (const rxQueue of [2, 1]) {
    m.send('tap0', 'rx', [{ bytes: flow, rxQueue }])
    m.reboot()
    m.send('tap0', 'tx', [flow])
    t.equal(m.net.wireTake({ dev: 'tap0', from: 'tx' })[0]!.queue, rxQueue)
  }
})

t.test('a tun filter drops what it answers 0 for', async (t) => {
  const m = demo()
  m.net.tunFilter({ dev: 'tap0', progId: m.host.load(PROG_TYPE.SOCKET_FILTER, () => 0) })
  t.match(m.send('tap0', 'tx', [udp()]), { transmitted: 0, dropped: { TAP_TXFILTER: 1 } })
  m.net.tunFilter({ dev: 'tap0', progId: -1 })
  t.match(m.send('tap0', 'tx', [udp()]), { transmitted: 1 })
})

t.test('the chosen queue is the mq child that counts it', async (t) => {
  const m = demo()
  m.net.linkSet({ dev: 'tap0', xps: { progId: returning(m, 1) } })
  m.send('tap0', 'tx', [udp(), udp()])
  const rows = m.net.qdiscGet({ dev: 'tap0' }).map((q) => [q.kind, q.parent, q.stats.packets])
  t.strictSame(rows, [['mq', 0xffffffff, 2], ['pfifo_fast', 2, 2], ['pfifo_fast', 1, 0]])
})
