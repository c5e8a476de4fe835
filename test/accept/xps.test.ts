// The tables of the XPS RFC of 2019 and what it lists of our own, with compiled objects on a machine in a directory that is closed and opened
// again between steps; masks are written into its sysfs as a script would.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { frame, openMachine, type KernelError, type Machine, type Packet } from '../../pkg/index.js'
import { openObject } from '../../pkg/object/open.js'
import type { Link } from '../../pkg/request/rtnl.js'
import { PROG_TYPE } from '../../pkg/uapi/bpf.js'
import { root } from '../support/root.js'

const UDP = 'eth_type ipv4 ip_proto udp dst_ip 169.254.254.1 dst_port 7'
const TCP = 'eth_type ipv4 ip_proto tcp dst_ip 169.254.254.1 dst_port 80'

class Sitting {
  readonly dir: string
  readonly #strict: boolean
  m: Machine

  constructor(t: Test, { strict = false, queues = 2 } = {}) {
    this.dir = t.testdir()
    this.#strict = strict
    this.m = openMachine({ dir: this.dir, strict })
    t.teardown(() => this.m.close())
    this.m.rtnl('tun.add', { name: 'tap0', mode: 'tap', multiQueue: true, queues })
    this.m.rtnl('link.set', { dev: 'tap0', up: true })
    this.again()
  }

  again(): void {
    this.m.commit()
    this.m.close()
    this.m = openMachine({ dir: this.dir, strict: this.#strict })
  }

  mask(dev: string, queue: number, text: string, file = 'xps_cpus'): void {
    writeFileSync(join(this.dir, 'sys', 'class', 'net', dev, 'queues', `tx-${queue}`, file), `${text}\n`)
  }

  /** The demonstration's masks: tx-0 is CPU 0's, tx-1 CPU 1's. */
  masks(): void {
    this.mask('tap0', 0, '1')
    this.mask('tap0', 1, '2')
  }

  /** A program of an object, as a socket filter. */
  load(name: string, program = '_hello'): number {
    const bytes = readFileSync(root('fixtures', 'obj', name))
    const progs = openObject(bytes, { file: name }).progs.filter((one) => one.name === program)
    return this.m.load(bytes, { type: PROG_TYPE.SOCKET_FILTER, progs }).progs[program]!
  }

  attach(name: string, program?: string, dev = 'tap0'): void {
    this.m.rtnl('link.set', { dev, xps: { progId: this.load(name, program) } })
    this.again()
  }

  link(dev = 'tap0'): Link {
    return this.m.rtnl('link.get', { dev })[0]!
  }

  /** The queue of one packet from this CPU. */
  queue(cpu: number, dev = 'tap0', packet: Packet = UDP): number {
    const before = this.link(dev).txQueues.map(({ packets }) => packets)
    this.m.wire('wire.send', { dev, direction: 'tx', cpu, frames: [this.frame(packet)] })
    this.again()
    return this.link(dev).txQueues.findIndex(({ packets }, queue) => packets > before[queue]!)
  }

  frame(packet: Packet, flow?: { id: number; tcp: boolean }): { bytes: Uint8Array; at: number; flow?: { id: number; tcp: boolean } } {
    return { bytes: frame(packet), at: 0, ...(flow ? { flow } : {}) }
  }

  runs(dev: string): number {
    return this.link(dev).xps!.stats.runs
  }
}

function errnoOf(call: () => void): number {
  try {
    call()
  } catch (error) {
    return (error as KernelError).errno
  }
  return 0
}

for (const [title, object, cpu0, cpu1] of [
  ['no program', undefined, 0, 1], ['0', 'xps_hello0.o', 0, 0], ['1', 'xps_hello1.o', 1, 1], ['2', 'xps_hello2.o', 0, 0], ['-1', 'xps_hello_m1.o', 0, 1],
  ['1, without BTF', 'xps_hello1_nobtf.o', 1, 1], ['1, with one of the old maps', 'xps_hello_maps.o', 1, 1],
] as const) {
  t.test(`two queues, two CPUs, the program answers ${title}: q${cpu0} and q${cpu1}`, async (t) => {
    const s = new Sitting(t)
    s.masks()
    if (object) s.attach(object)
    t.strictSame([s.queue(0), s.queue(1)], [cpu0, cpu1])
    const lines = readFileSync(join(s.dir, 'sys/kernel/debug/tracing/trace_pipe'), 'utf8').split('\n').filter((line) => line.includes('Hello'))
    t.equal(lines.length, object ? 2 : 0, 'one line a packet')
    for (const [cpu, line] of lines.entries()) t.match(line, new RegExp(`\\[00${cpu}\\] .* bpf_trace_printk: xps \\(RET -?\\d\\): Hello, World!$`))
    if (object) t.match(s.link().xps!.stats, { runs: 2, chosen: title === '-1' ? 0 : 2, declined: title === '-1' ? 2 : 0, clamped: 0 })
  })
}

t.test('four queues: 7 is 3, the smallest number declines', async (t) => {
  const s = new Sitting(t, { queues: 4 })
  s.attach('acc_xps7.o')
  t.equal(s.queue(0), 3)
  s.attach('acc_xps_min.o')
  for (const [queue, mask] of ['8', '4', '2', '1'].entries()) s.mask('tap0', queue, mask)
  t.strictSame([0, 1, 2, 3].map((cpu) => s.queue(cpu)), [3, 2, 1, 0])
  t.match(s.link().xps!.stats, { runs: 4, declined: 4 })
})

t.test('attached twice: the first is released; off: nothing is left', async (t) => {
  const s = new Sitting(t)
  s.attach('xps_hello0.o')
  s.attach('xps_hello1.o')
  t.equal(s.m.bpf('prog.list', {}).length, 1)
  s.m.rtnl('link.set', { dev: 'tap0', xps: { progId: -1 } })
  s.again()
  t.equal(s.link().xps, undefined)
  t.strictSame(s.m.bpf('prog.list', {}), [])
  s.attach('xps_hello_maps.o')
  s.m.rtnl('link.del', { dev: 'tap0' })
  s.again()
  t.strictSame(s.m.bpf('prog.list', {}), [], 'a device takes its program along')
  s.again()
  t.strictSame(s.m.bpf('map.list', {}), [], 'and what nothing refers to is gone with the machine that held it')
})

t.test('of another type EINVAL, of no program EBADF', async (t) => {
  const s = new Sitting(t)
  const { progs } = s.m.load(readFileSync(root('fixtures', 'obj', 'xdp_pass.o')))
  t.equal(errnoOf(() => s.m.rtnl('link.set', { dev: 'tap0', xps: { progId: progs['xdp_pass']! } })), 22)
  t.equal(errnoOf(() => s.m.rtnl('link.set', { dev: 'tap0', xps: { progId: 4711 } })), 9)
})

t.test('LD_ABS of the half word at 12 answers the ethertype', async (t) => {
  const s = new Sitting(t, { queues: 7 })
  s.attach('xps_proto.o', 'ethertype')
  for (const [packet, type] of [[UDP, 0x0800], ['eth_type arp', 0x0806], ['eth_type ipv6 ip_proto udp', 0x86dd]] as const) {
    t.equal(s.queue(0, 'tap0', packet), type % 7, packet)
  }
})

t.test('cb is zero at every run', async (t) => {
  const s = new Sitting(t)
  s.attach('xps_cb.o', 'cb_scratch')
  t.strictSame([s.queue(0), s.queue(0), s.queue(1)], [1, 1, 1])
})

t.test('one queue: the program is not run', async (t) => {
  const s = new Sitting(t, { queues: 1 })
  s.attach('xps_hello1.o')
  t.equal(s.queue(0), 0)
  t.equal(s.runs('tap0'), 0)
})

t.test('ten packets of a TCP socket run it once, in as many processes; unconnected UDP each time', async (t) => {
  const s = new Sitting(t)
  s.attach('acc_xps7.o', undefined, 'eth0')
  for (let i = 0; i < 5; i++) {
    s.m.wire('wire.send', { dev: 'eth0', direction: 'tx', frames: [0, 1].map(() => s.frame(TCP, { id: 1, tcp: true })) })
    s.again()
  }
  t.equal(s.runs('eth0'), 1)
  s.m.wire('wire.send', { dev: 'eth0', direction: 'tx', frames: Array.from({ length: 10 }, () => s.frame(UDP, { id: 2, tcp: false })) })
  s.again()
  t.equal(s.runs('eth0'), 11)
  s.m.wire('wire.send', { dev: 'eth0', direction: 'tx', frames: [s.frame(TCP), s.frame(TCP)] })
  t.equal(s.runs('eth0'), 13, 'raw frames each time')
  t.strictSame(s.link('eth0').txQueues.map(({ packets }) => packets), [0, 0, 0, 22])
})

t.test('tun steering: 0 to n, -1 is 65535 % 2, with fallback automatic; before the XPS program', async (t) => {
  const s = new Sitting(t)
  s.masks()
  s.attach('xps_hello0.o')
  const steer = (object: string, fallback = false): number => {
    s.m.rtnl('tun.steer', { dev: 'tap0', progId: s.load(object), fallback })
    s.again()
    return s.queue(1)
  }
  t.equal(steer('xps_hello1.o'), 1)
  t.equal(steer('xps_hello2.o'), 0)
  t.equal(steer('xps_hello_m1.o'), 1)
  t.equal(steer('acc_xps_m65535.o'), 1)
  t.equal(steer('xps_hello_m1.o', true), 0, 'the XPS program')
  t.equal(steer('acc_xps_m65535.o', true), 1, 'fallback means -1 alone')
  s.m.rtnl('link.set', { dev: 'tap0', xps: { progId: -1 } })
  t.equal(steer('xps_hello_m1.o', true), 1, 'the masks')
})

t.test('a tun filter cuts to the length it answers, 0 drops', async (t) => {
  const s = new Sitting(t)
  s.m.rtnl('tun.filter', { dev: 'tap0', progId: s.load('xps_hello2.o') })
  s.again()
  t.match(s.m.send('tap0', 'tx', UDP), { transmitted: 1 })
  t.equal(s.m.wire('wire.take', { dev: 'tap0', from: 'tx' })[0]!.bytes.length, 2)
  s.m.rtnl('tun.filter', { dev: 'tap0', progId: s.load('xps_hello0.o') })
  t.match(s.m.send('tap0', 'tx', UDP), { transmitted: 0, dropped: { TAP_TXFILTER: 1 } })
})

t.test('as posted: no mask on the host, no run; no way off; not on tun', async (t) => {
  const s = new Sitting(t, { strict: true })
  s.attach('acc_xps7.o', undefined, 'eth0')
  s.queue(0, 'eth0')
  t.equal(s.runs('eth0'), 0)
  s.mask('eth1', 2, 'f')
  t.equal(s.queue(0, 'eth0'), 3)
  t.equal(errnoOf(() => s.m.rtnl('link.set', { dev: 'eth0', xps: { progId: -1 } })), 9)
  s.attach('xps_hello1.o')
  s.queue(0)
  t.equal(s.runs('tap0'), 0)
})

t.test('masks: rxqs before cpus, several queues by hash, words with commas, nonsense ignored', async (t) => {
  const s = new Sitting(t)
  s.mask('eth0', 1, '00000000,00000001')
  t.equal(s.queue(0, 'eth0'), 1)
  s.mask('eth0', 3, '2', 'xps_rxqs')
  s.m.wire('wire.send', { dev: 'eth0', direction: 'tx', cpu: 0, frames: [{ ...s.frame(UDP), rxQueue: 1 }] })
  s.again()
  t.strictSame(s.link('eth0').txQueues.map(({ packets }) => packets), [0, 1, 0, 1])
  s.mask('eth0', 1, 'zork')
  s.mask('eth0', 2, '1')
  t.equal(s.queue(0, 'eth0'), 2)
})
