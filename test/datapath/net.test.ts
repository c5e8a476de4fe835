import t from 'tap'
import { Machine, udp } from './machine.js'

t.test('a frame sent on a NIC goes through mq and pfifo_fast onto the wire', async (t) => {
  const m = new Machine()
  const result = m.send('eth0', 'tx', [udp({ len: 1250 })])
  t.match(result, { frames: 1, bytes: 1250, transmitted: 1, delivered: 0, queued: 0, dropped: {} })
  t.equal(result.now, 10_000, '1250 bytes at 1 Gbit/s are 10 us')
  t.match(m.link('eth0').stats, { txPackets: 1, txBytes: 1250 })
  t.equal(m.link('eth0').txQueues.reduce((sum, q) => sum + q.packets, 0), 1)
  const [mq, ...children] = m.net.qdiscGet({ dev: 'eth0' })
  t.match(mq, { kind: 'mq', handle: 0, parent: 0xffffffff, refcnt: 1, stats: { packets: 1, bytes: 1250 } })
  t.strictSame(children.map((q) => [q.kind, q.parent]), [['pfifo_fast', 4], ['pfifo_fast', 3], ['pfifo_fast', 2], ['pfifo_fast', 1]])
  t.strictSame(m.net.wireTake({ dev: 'eth0', from: 'tx' }).map(({ at }) => at), [10_000])
})

t.test('a slow link makes frames wait in the qdisc, and hold leaves them there across processes', async (t) => {
  const m = new Machine()
  m.net.wireSet({ dev: 'eth0', rate: 10_000_000 })
  m.net.qdiscNew({ dev: 'eth0', kind: 'pfifo', handle: 0x10000, parent: 0xffffffff, create: true, excl: true, replace: false })
  const held = m.send('eth0', 'tx', [1, 2, 3, 4].map((n) => udp({ len: 1250, dst: n })), { hold: true })
  t.match(held, { frames: 4, transmitted: 0, queued: 4, now: 0 })
  m.reboot()
  t.match(m.net.wireShow({}), { total: { queued: 4 } })
  t.match(m.net.qdiscGet({ dev: 'eth0' }), [{ kind: 'pfifo', handle: 0x10000, refcnt: 5, stats: { qlen: 3, backlog: 3750 } }])
  t.match(m.net.wireRun({ for: 1_500_000 }), { transmitted: 1, queued: 3, now: 1_500_000 })
  t.match(m.net.wireRun({ until: 'idle' }), { transmitted: 3, queued: 0, now: 4_000_000 })
  const frames = m.net.wireTake({ dev: 'eth0', from: 'tx' })
  t.strictSame(frames.map(({ bytes, at }) => [bytes[37], at]), [[1, 1e6], [2, 2e6], [3, 3e6], [4, 4e6]])
})

t.test('veth carries frames to the peer, loopback back, dummy away', async (t) => {
  const m = new Machine()
  m.net.linkNew({ kind: 'veth', name: 'v0', up: true, peer: { name: 'v1', up: true } })
  t.match(m.send('v0', 'tx', [udp(), udp()]), { transmitted: 0, delivered: 2, dropped: {} })
  t.match(m.link('v1').stats, { rxPackets: 2, rxBytes: 120 })
  t.equal(m.net.wireTake({ dev: 'v1', from: 'stack' }).length, 2)
  t.match(m.send('lo', 'tx', [udp()]), { delivered: 1 })
  m.net.linkNew({ kind: 'dummy', up: true })
  t.match(m.send('dummy0', 'tx', [udp()]), { transmitted: 1 })
  m.net.linkSet({ dev: 'v1', up: false })
  t.match(m.send('v0', 'tx', [udp()]), { dropped: { DEV_READY: 1 } })
})
