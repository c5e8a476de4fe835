// What link and tun requests answer, and how devices show: asked of ip 6.1 on a 6.18 kernel.
import t from 'tap'
import { ATTACH_TYPE, PROG_TYPE } from '../../pkg/uapi/bpf.js'
import type { LinkNew, LinkSet } from '../../pkg/request/rtnl.js'
import { answer, Machine } from '../datapath/machine.js'

const UP = 0x10041

const add = (m: Machine, words: Partial<LinkNew>): string => answer(() => m.net.linkNew({ kind: 'veth', ...words }))
const set = (m: Machine, dev: string, words: Partial<LinkSet>): string => answer(() => m.net.linkSet({ dev, ...words }))

t.test('a new machine', async (t) => {
  const m = new Machine()
  t.match(m.net.linkGet({}), [
    { ifindex: 1, name: 'lo', kind: '', type: 'loopback', mtu: 65536, flags: 0x10049, qdisc: 'noqueue', operstate: 'UNKNOWN', txqlen: 1000, address: '00:00:00:00:00:00' },
    { ifindex: 2, name: 'eth0', kind: '', mtu: 1500, flags: 0x11043, qdisc: 'mq', operstate: 'UP', address: '52:54:00:00:00:01', numTxQueues: 4, realNumTxQueues: 4 },
    { ifindex: 3, name: 'eth1', address: '52:54:00:00:00:02' },
  ])
  t.match(new Machine(true).net.linkGet({}), [{ name: 'lo', flags: 8, qdisc: 'noop', operstate: 'DOWN' }])
})

t.test('making devices', async (t) => {
  const m = new Machine(true)
  t.equal(add(m, { name: 'v0', peer: { name: 'v1' } }), '0')
  t.match(m.link('v0'), {
    ifindex: 3, kind: 'veth', peerIfindex: 2, flags: 0x1002, mtu: 1500, minMtu: 68, maxMtu: 65535, txqlen: 1000, qdisc: 'noop', numTxQueues: 4,
    realNumTxQueues: 1,
  })
  t.equal(add(m, { name: 'v0', peer: { name: 'v2' } }), 'EEXIST')
  t.equal(add(m, { name: 'v5', peer: { name: 'v1' } }), 'EEXIST')
  t.equal(add(m, { name: 'v6', peer: { name: 'v6' } }), 'EEXIST')
  t.equal(add(m, { name: 'v3', mtu: 70000 }), 'EINVAL')
  t.equal(add(m, { name: 'v3', mtu: 60 }), 'EINVAL')
  t.equal(add(m, { name: 'v3', address: '01:00:00:00:00:00' }), 'EADDRNOTAVAIL')
  t.equal(add(m, { name: 'abcdefghijklmnop' }), 'EINVAL Attribute failed policy validation')
  t.equal(add(m, { name: 'v11', numTxQueues: 5000 }), 'EINVAL Invalid number of transmit queues')
  t.equal(add(m, { name: 'v12', kind: 'nosuch' }), 'EOPNOTSUPP Unknown device type')
  t.equal(m.net.linkGet({}).length, 3, 'a refused request leaves nothing')
  t.equal(add(m, {}), '0')
  t.match(m.net.linkGet({}).slice(3), [{ name: 'veth0', peerIfindex: 5 }, { name: 'veth1', peerIfindex: 4 }])
  t.equal(add(m, { name: 'v24', txqlen: 77, mtu: 1400, group: 3, up: true }), '0')
  t.match(m.link('veth2'), { mtu: 1400, txqlen: 77, group: 3, flags: 0x1002 }, 'the peer takes over what it was not told')
  t.match(m.link('v24'), { flags: 0x1003, operstate: 'LOWERLAYERDOWN', qdisc: 'noqueue' })
  add(m, { kind: 'ifb', name: 'i0', up: true })
  t.match(m.link('i0'), { flags: 0x100c3, qdisc: 'pfifo_fast', operstate: 'UNKNOWN', txqlen: 32, minMtu: 0, maxMtu: 0 })
  t.not(m.link('i0').address, m.link('v24').address)
  t.match(m.link('i0').address, /^.[26ae]:/, 'locally administered, unicast')
})

t.test('changing devices', async (t) => {
  const m = new Machine(true)
  add(m, { name: 'v0', peer: { name: 'v1' } })
  const rows: [string, string, Partial<LinkSet>][] = [
    ['EINVAL mtu less than device minimum', 'v0', { mtu: 67 }],
    ['EINVAL mtu greater than device maximum', 'v0', { mtu: 65536 }],
    ['0', 'lo', { mtu: 70000 }],
    ['EEXIST', 'v0', { name: 'lo' }],
    ['EADDRNOTAVAIL', 'v0', { address: 'ff:ff:ff:ff:ff:ff' }],
    ['EADDRNOTAVAIL', 'v0', { address: '01:00:00:00:00:01' }],
    ['0', 'lo', { address: '02:00:00:00:00:01' }],
    ['0', 'v0', { address: '02:00:00:00:00:01', txqlen: 0, alias: 'hello', group: 7, promisc: true, arp: false, multicast: false }],
    ['ENODEV', 'nope', { up: true }],
    ['0', 'v0', { name: 'v%d' }],
  ]
  for (const [expected, dev, words] of rows) t.equal(set(m, dev, words), expected, `${dev} ${JSON.stringify(words)}`)
  t.match(m.link('v2'), { flags: 0x182, address: '02:00:00:00:00:01', alias: 'hello', group: 7, promiscuity: 1, txqlen: 0 })
  set(m, 'v2', { up: true })
  t.match([m.link('v2').flags & UP, m.link('v2').operstate], [1, 'LOWERLAYERDOWN'])
  set(m, 'v1', { up: true })
  t.match([m.link('v2').flags & UP, m.link('v2').operstate], [UP, 'UP'])
  m.reboot()
  t.equal(m.link('v2').alias, 'hello')
  t.equal(answer(() => m.link('v0')), 'ENODEV')
})

t.test('removing devices', async (t) => {
  const m = new Machine()
  add(m, { name: 'v0', peer: { name: 'v1' } })
  const del = (dev: string): string => answer(() => m.net.linkDel({ dev }))
  t.equal(del('lo'), 'EOPNOTSUPP')
  t.equal(del('eth0'), 'EOPNOTSUPP')
  const prog = m.host.load(PROG_TYPE.XDP, () => 2)
  const xps = m.host.load(PROG_TYPE.SOCKET_FILTER, () => 0)
  m.net.linkSet({ dev: 'v1', xdp: { progId: prog }, xps: { progId: xps } })
  m.reboot()
  t.equal(del('v0'), '0')
  t.strictSame([m.host.refs.get(prog), m.host.refs.get(xps)], [0, 0])
  m.reboot()
  t.equal(del('v1'), 'ENODEV')
  t.strictSame([...m.host.records.values.keys()].filter((key) => /v[01]|[45]$/.test(key)), [])
  t.equal(m.net.linkNew({ kind: 'dummy' }).ifindex, 6, 'numbers are not used again')
})

t.test('tun and tap', async (t) => {
  const m = new Machine(true)
  const tun = (words: object): string => answer(() => m.net.tunAdd({ name: 'tap0', mode: 'tap', ...words }))
  const del = (name: string, mode: 'tun' | 'tap'): string => answer(() => m.net.tunDel({ name, mode }))
  t.equal(tun({ multiQueue: true, queues: 2, user: 5 }), '0')
  t.match(m.link('tap0'), {
    kind: 'tun', type: 'ether', maxMtu: 65521, numTxQueues: 256, realNumTxQueues: 2,
    tun: { mode: 'tap', multiQueue: true, numQueues: 2, persist: true, user: 5 },
  })
  t.equal(tun({}), 'EBUSY')
  t.equal(tun({ name: 'tap9', queues: 2 }), 'E2BIG')
  t.equal(tun({ name: 'tun%d', mode: 'tun' }), '0')
  t.match(m.link('tun0'), { type: 'none', flags: 0x1090, txqlen: 500, maxMtu: 65535, address: '', numTxQueues: 1 })
  set(m, 'tap0', { up: true })
  t.match(m.link('tap0'), { qdisc: 'mq', flags: 0x11043 })
  const stored = (): number => m.host.records.values.get('qdisc/2')!.length
  m.net.save()
  t.ok(stored() < 400, 'children that mq made take no room in the state')
  m.reboot()
  t.equal(m.net.qdiscGet({ dev: 'tap0' }).length, 3)
  t.equal(del('tap0', 'tun'), 'EINVAL')
  t.equal(del('tap0', 'tap'), '0')
  t.equal(del('nope', 'tap'), '0')
  t.equal(add(m, { kind: 'tun', name: 'tap3' }), 'EOPNOTSUPP tun/tap creation via rtnetlink is not supported.')
})

t.test('attaching XDP', async (t) => {
  const m = new Machine()
  add(m, { name: 'v0', numTxQueues: 4, numRxQueues: 4, peer: { name: 'v1', numTxQueues: 2, numRxQueues: 2 } })
  const prog = m.host.load(PROG_TYPE.XDP, () => 2)
  const other = m.host.load(PROG_TYPE.XDP, () => 2)
  const xdp = (dev: string, words: object): string => set(m, dev, { xdp: { progId: prog, noReplace: true, ...words } })
  t.equal(xdp('v0', {}), '0')
  t.equal(xdp('v0', {}), 'EBUSY XDP program already attached')
  t.equal(xdp('v0', { progId: other, noReplace: false }), '0')
  t.equal(xdp('v0', { mode: 'skb' }), "EEXIST Native and generic XDP can't be active at the same time")
  t.match(m.link('v0').xdp, { mode: 'drv', progs: [{ mode: 'drv', prog: { id: other } }] })
  t.equal(xdp('v0', { mode: 'skb', progId: -1 }), '0')
  t.equal(xdp('v0', { expectedProgId: prog, noReplace: false }), 'EEXIST Active program does not match expected')
  t.equal(xdp('v0', { progId: -1, expectedProgId: other }), '0')
  t.equal(m.link('v0').xdp, undefined)
  t.strictSame([m.host.refs.get(prog), m.host.refs.get(other)], [0, 0])
  t.equal(xdp('lo', {}), '0')
  t.match(m.link('lo').xdp, { mode: 'skb' })
  t.equal(xdp('lo', { mode: 'drv' }), "EEXIST Native and generic XDP can't be active at the same time")
  set(m, 'v1', { mtu: 9000 })
  t.equal(xdp('v0', { mode: 'drv' }), 'ERANGE veth: Peer MTU is too large to set XDP')
  set(m, 'v1', { mtu: 1500 })
  t.equal(xdp('v0', { mode: 'drv' }), '0')
  t.equal(set(m, 'v1', { mtu: 9000 }), 'EINVAL mtu greater than device maximum')
  t.equal(m.link('v1').maxMtu, 3506)
  xdp('v0', { progId: -1 })
  t.equal(m.link('v1').maxMtu, 65535)
  add(m, { name: 'v8', numTxQueues: 4, numRxQueues: 1, peer: { name: 'v9', numTxQueues: 4, numRxQueues: 1 } })
  t.equal(xdp('v8', { mode: 'drv' }), 'ENOSPC veth: XDP expects number of rx queues not less than peer tx queues')
  add(m, { kind: 'ifb', name: 'i0' })
  t.equal(xdp('i0', { mode: 'drv' }), 'EOPNOTSUPP Underlying driver does not support XDP in native mode')
  const filter = m.host.load(PROG_TYPE.SOCKET_FILTER, () => 0)
  t.equal(xdp('eth0', { progId: filter }), 'EINVAL')
  const devmap = m.host.load(PROG_TYPE.XDP, () => 2, { expectedAttachType: ATTACH_TYPE.XDP_DEVMAP })
  t.equal(xdp('eth0', { progId: devmap }), 'EINVAL BPF_XDP_DEVMAP programs can not be attached to a device')
})

t.test('one device of many is shown without loading the others', async (t) => {
  const m = new Machine(true)
  for (let i = 0; i < 300; i += 1) m.net.linkNew({ kind: 'dummy', up: true })
  m.reboot()
  t.equal(m.link('dummy77').name, 'dummy77')
  t.equal(m.net.qdiscGet({ dev: 'dummy77' }).length, 1)
  const devices = new Set(m.host.records.reads.filter((key) => key.startsWith('dev/')))
  t.equal(devices.size, 1)
})

t.test('default_qdisc is what devices come up with; what can not be one is passed over', async (t) => {
  const m = new Machine(true)
  m.host.qdisc = 'pfifo'
  add(m, { kind: 'ifb', name: 'i0', up: true })
  m.tap('tap0', 2)
  t.strictSame([...m.net.qdiscGet({ dev: 'i0' }), ...m.net.qdiscGet({ dev: 'tap0' })].map((q) => q.kind), ['pfifo', 'mq', 'pfifo', 'pfifo'])
  for (const [index, kind] of ['bpf', 'mq', 'clsact', 'fq_codel'].entries()) {
    m.host.qdisc = kind
    add(m, { kind: 'ifb', name: `j${index}`, up: true })
    t.equal(m.link(`j${index}`).qdisc, 'pfifo_fast', kind)
  }
})
