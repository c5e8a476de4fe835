// Words in any order: every line ends in a request or in a sentence, never in an internal error, and never in silence with a failing status.
import t from 'tap'
import { run as ip } from '../../cmd/ip/index.js'
import { run as tc } from '../../cmd/tc/index.js'
import { runCommand, type Command, type Script } from '../support/command.js'
import { devices, LO, TAP0, VETH0 } from './samples.js'

const script: Script = {
  ...devices(LO, VETH0, TAP0), 'link.set': undefined, 'link.new': { ifindex: 9, name: 'x' }, 'link.del': undefined, 'tun.add': undefined, 'tun.del': undefined,
  'tun.steer': undefined, 'tun.filter': undefined, 'addr.get': [], 'addr.new': undefined, 'addr.del': undefined, 'qdisc.get': [], 'qdisc.new': undefined,
  'qdisc.del': undefined, 'class.get': [], 'class.new': undefined, 'class.del': undefined, 'filter.get': [], 'filter.new': { notes: [] }, 'filter.del': undefined,
  'sys.info': { cpus: 4, now: 0, dir: undefined, strict: false }, 'obj.get': { kind: 'prog', id: 1 },
}

const VALUES = ['lo', 'veth0', 'tap0', 'nope', '1', '0', '-1', '1:', '1:1', '0x10', '10.0.0.1/8', '::1/64', 'x', '99999999999999999999', 'on', 'off', 'none', '%s%d%', '', '"', 'é', '/sys/fs/bpf/p']

const WORDS: Readonly<Record<string, readonly string[]>> = {
  ip: [...('-j -p -s -d -br -o -4 -6 -c -force -f -n link addr tuntap route show add set del flush steer filter dev name type veth peer dummy ifb up down mtu address txqueuelen ' +
    'xdp xdpgeneric xps obj pinned sec prog program verbose alias group mode tun tap multi_queue queues user brd scope label local help').split(' '), ...VALUES],
  tc: [...('-j -p -s -d -o -n qdisc class filter show add change replace del link get dev root parent handle ingress egress clsact classid pfifo bfifo mq bpf u32 limit enqueue dequeue ' +
    'order min max direct obj pinned sec program verbose da direct-action match ip dst sport protocol prio pref chain at flowid help').split(' '), ...VALUES],
}

/** Beginnings that lead deep into the tables. */
const STARTS: Readonly<Record<string, readonly string[]>> = {
  ip: ['', '', 'link set dev veth0', 'link add x1', 'link add x1 type veth peer', 'link set veth0 xdp', 'link show', 'addr add 10.0.0.1/8 dev lo', 'addr show', 'tuntap add dev t0 mode tap', 'tuntap steer dev tap0'],
  tc: ['', '', 'qdisc add dev veth0 root', 'qdisc add dev veth0 root bpf', 'qdisc change dev veth0 root bfifo', 'qdisc show dev veth0', 'class add dev veth0 parent 1:', 'filter add dev veth0 ingress',
    'filter add dev veth0 ingress bpf', 'filter add dev veth0 parent 1: prio 1 u32 match', 'filter show dev veth0'],
}

/** A small xorshift: the same lines on every machine. */
function numbers(seed: number): () => number {
  let x = seed
  return () => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return (x >>> 0) / 2 ** 32
  }
}

const LINES = 4000

for (const [name, command] of Object.entries({ ip, tc }) as [string, Command][]) {
  t.test(`${name} never loses its temper`, async (t) => {
    const next = numbers(20240 + name.length)
    const pick = (list: readonly string[]): string => list[Math.floor(next() * list.length)]!
    const words = WORDS[name]!
    const bad: string[] = []
    for (let i = 0; i < LINES; i++) {
      const line = [pick(STARTS[name]!), ...Array.from({ length: Math.floor(next() * 8) }, () => pick(words))].join(' ').trim()
      const { out, err, status } = runCommand(command, line, { script })
      const silent = status !== 0 && out === '' && err === ''
      if (silent || err.includes('internal error') || !Number.isInteger(status)) bad.push(`${line} -> ${status} ${err}`)
      if (/^(-s |-p )*-j /.test(line) && out !== '') {
        try { JSON.parse(out) } catch { bad.push(`${line} -> no JSON: ${out}`) }
      }
    }
    t.strictSame(bad, [])
  })
}
