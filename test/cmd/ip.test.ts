// `ip`: words to requests, replies to the text that ip of iproute2 6.1 printed for the same devices.
import t, { type Test } from 'tap'
import { KernelError } from '../../pkg/bytes/errors.js'
import { run } from '../../cmd/ip/index.js'
import { completionScript } from '../../pkg/cli/index.js'
import type { Address, Link } from '../../pkg/request/rtnl.js'
import { EBUSY, EEXIST, EOPNOTSUPP } from '../../pkg/uapi/errno.js'
import { runCommand, type Ran, type Script } from '../support/command.js'
import { devices, LO, PROG, TAP0, TUN0, VETH0, VETH1 } from './samples.js'

const net = devices(LO, VETH1, VETH0, TAP0, TUN0)
const ip = (line: string, script: Script = net) => runCommand(run, line, { script })
const exactly = (t: Test, ran: Ran, ...wanted: [string, string, number, string]): void => {
  t.strictSame([ran.out, ran.err, ran.status], wanted.slice(0, 3), wanted[3])
}
const prints = (t: Test, line: string, out: string, script?: Script): void => { exactly(t, ip(line, script), out, '', 0, line) }
const says = (t: Test, line: string, err: string, status: number, script?: Script): void => { exactly(t, ip(line, script), '', err, status, line) }
/** A kernel that does whatever it is asked. */
const willing: Script = {
  ...net, 'link.set': undefined, 'link.new': { ifindex: 9, name: 'x' }, 'link.del': undefined, 'tun.add': undefined, 'tun.del': undefined,
  'tun.steer': undefined, 'addr.new': undefined, 'addr.del': undefined,
}
const asks = (t: Test, line: string, op: string, request: object, script: Script = willing): void => {
  const ran = ip(line, script)
  t.equal(ran.err, '', line)
  t.strictSame(ran.asked, [[op, request]], line)
  t.equal(ran.committed, true)
}

t.test('link show', async (t) => {
  prints(t, 'link show lo', '1: lo: <LOOPBACK> mtu 65536 qdisc noop state DOWN mode DEFAULT group default qlen 1000\n    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n')
  prints(t, '-br link show lo', 'lo               DOWN           00:00:00:00:00:00 <LOOPBACK> \n')
  prints(t, '-o link show lo', '1: lo: <LOOPBACK> mtu 65536 qdisc noop state DOWN mode DEFAULT group default qlen 1000\\    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n')
  prints(t, '-br link show type veth', 'veth1@veth0      DOWN           22:b2:bb:32:60:7c <BROADCAST,MULTICAST> \n' +
    'veth0@veth1      LOWERLAYERDOWN 46:6f:9e:b7:6d:4c <NO-CARRIER,BROADCAST,MULTICAST,UP,M-DOWN> \n')
  prints(t, '-br l sh tun0', 'tun0             DOWN           <POINTOPOINT,MULTICAST,NOARP> \n')
  prints(t, '-d link show lo', '1: lo: <LOOPBACK> mtu 65536 qdisc noop state DOWN mode DEFAULT group default qlen 1000\n' +
    '    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00 promiscuity 0  allmulti 0 minmtu 0 maxmtu 0 addrgenmode eui64 numtxqueues 1 numrxqueues 1 ' +
    'gso_max_size 65536 gso_max_segs 65535 tso_max_size 524280 tso_max_segs 65535 gro_max_size 65536 \n')
  prints(t, '-d link show veth0', '3: veth0@veth1: <NO-CARRIER,BROADCAST,MULTICAST,UP,M-DOWN> mtu 1500 qdisc noqueue state LOWERLAYERDOWN mode DEFAULT group default qlen 1000\n' +
    '    link/ether 46:6f:9e:b7:6d:4c brd ff:ff:ff:ff:ff:ff promiscuity 0  allmulti 0 minmtu 68 maxmtu 65535 \n' +
    '    veth addrgenmode eui64 numtxqueues 2 numrxqueues 2 gso_max_size 65536 gso_max_segs 65535 tso_max_size 524280 tso_max_segs 65535 gro_max_size 65536 \n')
  prints(t, '-d link show tap0', '5: tap0: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN mode DEFAULT group default qlen 1000\n' +
    '    link/ether 92:ec:af:b0:95:3c brd ff:ff:ff:ff:ff:ff promiscuity 0  allmulti 0 minmtu 68 maxmtu 65521 \n' +
    '    tun type tap pi off vnet_hdr off multi_queue numqueues 0 numdisabled 0 persist on addrgenmode eui64 numtxqueues 256 numrxqueues 256 ' +
    'gso_max_size 65536 gso_max_segs 65535 tso_max_size 65536 tso_max_segs 65535 gro_max_size 65536 \n')
  prints(t, 'link show tun0', '11: tun0: <POINTOPOINT,MULTICAST,NOARP> mtu 1500 qdisc noop state DOWN mode DEFAULT group default qlen 500\n    link/none \n')
  prints(t, '-c link show veth0', '3: \x1b[36mveth0@veth1: \x1b[0m<NO-CARRIER,BROADCAST,MULTICAST,UP,M-DOWN> mtu 1500 qdisc noqueue state LOWERLAYERDOWN mode DEFAULT group default qlen 1000\n' +
    '    link/ether \x1b[33m46:6f:9e:b7:6d:4c\x1b[0m brd \x1b[33mff:ff:ff:ff:ff:ff\x1b[0m\n')
  prints(t, '-j link show lo', '[{"ifindex":1,"ifname":"lo","flags":["LOOPBACK"],"mtu":65536,"qdisc":"noop","operstate":"DOWN","linkmode":"DEFAULT","group":"default",' +
    '"txqlen":1000,"link_type":"loopback","address":"00:00:00:00:00:00","broadcast":"00:00:00:00:00:00"}]\n')
  prints(t, '-j -br link show lo', '[{"ifname":"lo","operstate":"DOWN","address":"00:00:00:00:00:00","flags":["LOOPBACK"]}]\n')
  const json = JSON.parse(ip('-d -j link').out) as Record<string, unknown>[]
  t.match(json[2], { link: 'veth1', linkinfo: { info_kind: 'veth' }, tso_max_size: 524280 })
  t.strictSame(json[3]!['linkinfo'], { info_kind: 'tun', info_data: { type: 'tap', pi: false, vnet_hdr: false, multi_queue: true, numqueues: 0, numdisabled: 0, persist: true } })
})

t.test('counters', async (t) => {
  const stats = { ...LO.stats, rxBytes: 123456789012, rxPackets: 12, txBytes: 806, txPackets: 9 }
  const busy = devices({ ...LO, stats })
  const head = '1: lo: <LOOPBACK> mtu 65536 qdisc noop state DOWN mode DEFAULT group default qlen 1000\n    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n'
  prints(t, '-s link show lo', `${head}    RX:  bytes packets errors dropped  missed   mcast           \n             0       0      0       0       0       0 \n` +
    '    TX:  bytes packets errors dropped carrier collsns           \n             0       0      0       0       0       0 \n')
  prints(t, '-s -s link show lo', `${head}    RX:  bytes packets errors dropped  missed   mcast           \n             0       0      0       0       0       0 \n` +
    '    RX errors:  length    crc   frame    fifo overrun\n                     0      0       0       0       0 \n' +
    '    TX:  bytes packets errors dropped carrier collsns           \n             0       0      0       0       0       0 \n' +
    '    TX errors: aborted   fifo  window heartbt transns\n                     0      0       0       0       0 \n')
  t.match(ip('-s link show lo', busy).out, '    RX:    bytes packets errors dropped  missed   mcast           \n    123456789012      12      0       0       0       0 \n')
  t.match(ip('-s -h link show lo', busy).out, '\n        123.5G      12      0')
  t.strictSame((JSON.parse(ip('-j -s -s link show lo', busy).out) as { stats64: unknown }[])[0]!.stats64, {
    rx: { bytes: 123456789012, packets: 12, errors: 0, dropped: 0, over_errors: 0, multicast: 0, length_errors: 0, crc_errors: 0, frame_errors: 0, fifo_errors: 0, missed_errors: 0 },
    tx: { bytes: 806, packets: 9, errors: 0, dropped: 0, carrier_errors: 0, collisions: 0, aborted_errors: 0, fifo_errors: 0, window_errors: 0, heartbeat_errors: 0, carrier_changes: 0 },
  })
})

t.test('programs', async (t) => {
  const xdp = devices({ ...LO, name: 'v', xdp: { mode: 'drv', progs: [{ mode: 'drv', prog: PROG }] } })
  const line = 'mtu 65536 xdp qdisc noop'
  t.match(ip('link show v', xdp).out, line)
  t.match(ip('link show v', xdp).out, '\n    prog/xdp id 7 name xdp_pass tag 614b434cd8324ecc jited \n')
  t.match(ip('-d link show v', xdp).out, 'jited load_time 1493508333047 created_by_uid 0 btf_id 9 \n')
  t.match(ip('addr show v', { ...xdp, 'addr.get': [] }).out, /mtu 65536 xdp\/id:7 qdisc noop(?!.*prog\/xdp)/s)
  const prog = { id: 7, name: 'xdp_pass', tag: '614b434cd8324ecc', jited: 1 }
  t.match(JSON.parse(ip('-j link show v', xdp).out), [{ xdp: { mode: 1, prog, attached: [{ mode: 1, prog }] } }])
  const xps: Link = { ...TAP0, xps: { prog: { ...PROG, name: '_hello' }, stats: { runs: 4, chosen: 3, declined: 1, clamped: 0 } } }
  t.match(ip('link show tap0', devices(xps)).out, 'mtu 1500 xps/id:7 qdisc noop')
  t.match(ip('-d link show tap0', devices(xps)).out, '\n    prog/xps id 7 name _hello tag 614b434cd8324ecc jited load_time')
  t.match(ip('-s -s link show tap0', devices(xps)).out, '\n    xps: run 4 pick 3 decline 1\n    tx-q0: 3 tx-q1: 1\n')
  t.match(JSON.parse(ip('-j link show tap0', devices(xps)).out), [{ xps: { prog: { id: 7 } } }])
  t.doesNotThrow(() => JSON.parse(ip('-j -d -s -s link show tap0', devices(xps)).out))
})

t.test('link set, add, delete: requests', async (t) => {
  asks(t, 'link set dev lo up mtu 1400 txqueuelen 7 arp off', 'link.set', { dev: 'lo', up: true, mtu: 1400, txqlen: 7, arp: false })
  asks(t, 'link set veth0 address 2:0:0:0:0:1', 'link.set', { dev: 'veth0', address: '02:00:00:00:00:01' })
  asks(t, 'link set veth0 name foo', 'link.set', { dev: 'veth0', name: 'foo' })
  asks(t, 'link set veth0 xdp off', 'link.set', { dev: 'veth0', xdp: { progId: -1, noReplace: true } })
  asks(t, '-force link set veth0 xdpgeneric none', 'link.set', { dev: 'veth0', xdp: { progId: -1, noReplace: false, mode: 'skb' } })
  asks(t, 'link set dev veth0 xps off', 'link.set', { dev: 'veth0', xps: { progId: -1 } })
  asks(t, 'link add x1 mtu 1300 numtxqueues 4 type veth peer name x2 mtu 1200', 'link.new', { kind: 'veth', name: 'x1', mtu: 1300, numTxQueues: 4, peer: { name: 'x2', mtu: 1200 } })
  asks(t, 'link add x1 type veth peer x2', 'link.new', { kind: 'veth', name: 'x1', peer: { name: 'x2' } })
  asks(t, 'link add name d1 up type dummy', 'link.new', { kind: 'dummy', name: 'd1', up: true })
  asks(t, 'link add type ifb', 'link.new', { kind: 'ifb' })
  asks(t, 'link del veth0', 'link.del', { dev: 'veth0' })
  asks(t, 'link d dev veth0 type veth', 'link.del', { dev: 'veth0', kind: 'veth' })
})

t.test('link: what is wrong', async (t) => {
  const exists = { ...net, 'link.new': new KernelError(EEXIST), 'link.set': new KernelError(EBUSY, 'XDP program already attached') }
  says(t, 'link foo', 'Command "foo" is unknown, try "ip link help".\n', 255)
  says(t, 'link show dev', 'Command line is not complete. Try option "help"\n', 255)
  says(t, 'link show nope', 'Device "nope" does not exist.\n', 1)
  says(t, 'link show dev lo dev lo', 'Error: either "dev" is duplicate, or "lo" is a garbage.\n', 255)
  says(t, 'link set veth0 mtu abc', 'Error: argument "abc" is wrong: Invalid "mtu" value\n\n', 255)
  says(t, 'link set veth0 mtu', 'Command line is not complete. Try option "help"\n', 255)
  says(t, 'link set veth0 blah', 'Error: either "dev" is duplicate, or "blah" is a garbage.\n', 255)
  says(t, 'link set', 'Not enough information: "dev" argument is required.\n', 255)
  says(t, 'link s', 'Not enough information: "dev" argument is required.\n', 255)
  says(t, 'link set nope up', 'Cannot find device "nope"\n', 1)
  says(t, 'link set lo arp maybe', 'Error: argument of "arp" must be "on" or "off", not "maybe"\n', 1)
  says(t, 'link set lo address xx', '"xx" is invalid lladdr.\n', 1)
  says(t, 'link set veth0 address 11:22', 'Invalid address length 2 - must be 6 bytes\n', 1)
  says(t, 'link set lo master x', 'not supported yet: ip link set master\n', 2)
  says(t, 'link set veth0 xdp', 'Command line is not complete. Try option "help"\n', 255)
  says(t, 'link set veth0 xdp obj', 'Command line is not complete. Try option "help"\n', 255)
  says(t, 'link set veth0 xdp foo', 'What mode is "foo"?\n', 255)
  says(t, 'link set veth0 xdp off up', 'What mode is "off"?\n', 255)
  says(t, 'link set veth0 xdp obj x.o sec xdp sec foo', 'Error: either "dev" is duplicate, or "sec" is a garbage.\n', 255)
  says(t, 'link set veth0 xdp off', 'Error: XDP program already attached.\n', 2, exists)
  says(t, 'link add', 'Not enough information: "type" argument is required\n', 1)
  says(t, 'link add foo', 'Not enough information: "type" argument is required\n', 1)
  says(t, 'link add foo type', 'Command line is not complete. Try option "help"\n', 255)
  says(t, 'link add veth0 type veth', 'RTNETLINK answers: File exists\n', 2, exists)
  says(t, 'link add x type zork', 'Error: Unknown device type.\n', 2, { ...net, 'link.new': new KernelError(EOPNOTSUPP) })
  says(t, 'link add x5 type veth foo', "Usage: ip link <options> type veth [peer <options>]\nTo get <options> type 'ip link add help'\n", 1)
  says(t, 'link add x5 type veth peer name x6 foo', 'both "name" and "dev" cannot be used when creating devices.\n', 255)
  says(t, 'link add dev y1 name y2 type ifb', 'both "name" and "dev" cannot be used when creating devices.\n', 255)
  says(t, 'link add aaaaaaaaaaaaaaaaaaaaaaa type ifb', 'Error: Attribute failed policy validation.\n', 2)
  says(t, 'link add a/b type ifb', 'Error: argument "a/b" is wrong: "dev" not a valid ifname\n', 255)
  says(t, 'link add x7 mtu 5 mtu 6 type ifb', 'Error: duplicate "mtu": "6" is the second value.\n', 255)
  says(t, 'link del nope', 'Cannot find device "nope"\n', 1)
  says(t, 'link del', 'Not enough information: "dev" argument is required.\n', 255)
  says(t, 'netns list', 'not supported yet: ip netns\n', 2)
  t.match(ip('link help'), { err: /^Usage: ip link add/, status: 255 })
})

t.test('address', async (t) => {
  const one: Address = { ifindex: 3, dev: 'veth0', family: 'inet', local: '10.0.0.1', prefixlen: 24, scope: 'global', label: 'veth0' }
  const six: Address = { ifindex: 3, dev: 'veth0', family: 'inet6', local: 'fe80::1', prefixlen: 64, scope: 'link' }
  const script = { ...net, 'addr.get': [one, six], 'addr.new': undefined, 'addr.del': undefined }
  const head = '3: veth0@veth1: <NO-CARRIER,BROADCAST,MULTICAST,UP,M-DOWN> mtu 1500 qdisc noqueue state LOWERLAYERDOWN group default qlen 1000\n    link/ether 46:6f:9e:b7:6d:4c brd ff:ff:ff:ff:ff:ff\n'
  const inet = '    inet 10.0.0.1/24 scope global veth0\n       valid_lft forever preferred_lft forever\n'
  const inet6 = '    inet6 fe80::1/64 scope link \n       valid_lft forever preferred_lft forever\n'
  prints(t, 'addr show veth0', head + inet + inet6, script)
  prints(t, '-br a', 'lo               DOWN           \nveth1@veth0      DOWN           \nveth0@veth1      LOWERLAYERDOWN 10.0.0.1/24 fe80::1/64 \n' +
    'tap0             DOWN           \ntun0             DOWN           \n', script)
  prints(t, '-4 -br addr', 'veth0@veth1      LOWERLAYERDOWN 10.0.0.1/24 \n', script)
  prints(t, '-4 -o addr', '3: veth0    inet 10.0.0.1/24 scope global veth0\\       valid_lft forever preferred_lft forever\n', script)
  prints(t, '-4 -br -j addr', '[{"link":"veth1","ifname":"veth0","operstate":"LOWERLAYERDOWN","addr_info":[{"local":"10.0.0.1","prefixlen":24}]}]\n', script)
  t.match(ip('-j addr show veth0', script).out, '"addr_info":[{"family":"inet","local":"10.0.0.1","prefixlen":24,"scope":"global","label":"veth0","valid_life_time":4294967295,"preferred_life_time":4294967295}')
  prints(t, '-6 addr show veth0', '3: veth0@veth1: <NO-CARRIER,BROADCAST,MULTICAST,UP,M-DOWN> mtu 1500 qdisc noqueue state LOWERLAYERDOWN group default qlen 1000\n' + inet6, script)
  asks(t, 'addr add 10.1/16 dev veth0', 'addr.new', { dev: 'veth0', family: 'inet', local: '10.1.0.0', prefixlen: 16, scope: 'global', replace: false, label: 'veth0' })
  asks(t, 'addr replace 10.9.0.1/20 brd + dev veth0', 'addr.new', { dev: 'veth0', family: 'inet', local: '10.9.0.1', prefixlen: 20, scope: 'global', replace: true, broadcast: '10.9.15.255', label: 'veth0' })
  asks(t, 'addr del 9.9.9.9/32 dev veth0', 'addr.del', { dev: 'veth0', family: 'inet', local: '9.9.9.9', prefixlen: 32 })
  says(t, 'addr add', 'Not enough information: "dev" argument is required.\n', 1)
  says(t, 'addr add 1.2.3.4/44 dev veth0', 'Error: any valid prefix is expected rather than "1.2.3.4/44".\n', 1)
  says(t, 'addr add 1.2.3.4 dev nope', 'Cannot find device "nope"\n', 1)
  says(t, 'addr show dev veth0 foo', 'Error: either "dev" is duplicate, or "foo" is a garbage.\n', 255)
  says(t, 'addr flush', 'Flush requires arguments.\n', 255)
})

t.test('tuntap', async (t) => {
  prints(t, 'tuntap', 'tap0: tap multi_queue persist\ntun0: tun persist user 0 group 5\n')
  prints(t, '-j tuntap show', '[{"ifname":"tap0","flags":["tap","multi_queue","persist"]},{"ifname":"tun0","flags":["tun","persist"],"user":0,"group":5}]\n')
  asks(t, 'tuntap add dev tap0 mode tap multi_queue queues 2', 'tun.add', { name: 'tap0', mode: 'tap', multiQueue: true, queues: 2 })
  asks(t, 'tuntap add foo mode tun pi user root', 'tun.add', { name: 'foo', mode: 'tun', pi: true, user: 0 })
  asks(t, 'tuntap del dev tap0 mode tap', 'tun.del', { name: 'tap0', mode: 'tap' })
  asks(t, 'tuntap steer dev tap0 off', 'tun.steer', { dev: 'tap0', progId: -1 })
  says(t, 'tuntap add', 'You failed to specify a tunnel mode\n', 1)
  says(t, 'tuntap add mode zork', 'Unknown tunnel mode "zork"\n', 255)
  says(t, 'tuntap add dev tun0 mode tun', 'ioctl(TUNSETIFF): Device or resource busy\n', 1, { ...net, 'tun.add': new KernelError(EBUSY) })
  says(t, 'tuntap add tun7 tap8 mode tap', 'Error: either "name" is duplicate, or "tap8" is a garbage.\n', 255)
  says(t, 'tuntap foo', 'Command "foo" is unknown, try "ip tuntap help".\n', 255)
  says(t, 'tuntap steer dev veth0 off', '"veth0" is no tun or tap device\n', 1)
})

t.test('completion', async (t) => {
  const at = (line: string): string[] => runCommand(run, `--get-yargs-completions ip ${line}`, { script: net }).out.split('\n').filter((word) => word !== '')
  t.strictSame(at('li'), ['link'])
  t.strictSame(at('link se'), ['set'])
  t.strictSame(at('-d link show ve'), ['veth1', 'veth0'])
  t.ok(at('link set lo xd').includes('xdpgeneric'))
  t.ok(at('-j').includes('-json'))
  t.match(await completionScript('ip'), /get-yargs-completions/)
})
