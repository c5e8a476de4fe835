// PIFO maps and dequeue programs from a user's chair: the proposal's own tests with their numbers, and the rules they leave out, in both engines.
import t, { type Test } from 'tap'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { KernelError } from '../../pkg/bytes/errors.js'
import { asm } from '../../pkg/insn/asm.js'
import { exportMachine, importMachine } from '../../pkg/kernel/transfer.js'
import { frame, openMachine, type Machine, type MachineOptions } from '../../pkg/index.js'
import type { DequeueStats } from '../../pkg/request/rtnl.js'
import { ATTACH_TYPE, MAP_TYPE, PROG_TYPE } from '../../pkg/uapi/bpf.js'
import { EACCES, EBADF, EEXIST, EINVAL, ENODEV, ENOENT, EOVERFLOW, ERANGE } from '../../pkg/uapi/errno.js'
import { RFC_MAP_TYPE, RFC_PROG_TYPE } from '../../pkg/uapi/rfc.js'
import { root } from '../support/root.js'

const object = (name: string): Uint8Array => readFileSync(root('fixtures', 'obj', name))
const LIVE = 2
const DEQUEUE = 'call 0x50001'
const DROP = 'call 0x50002'
const SCHEDULE = 'call 0x50003'

type Made = { readonly progs: Record<string, number>; readonly maps: Record<string, number> }

function refusal(work: () => unknown): KernelError | undefined {
  try {
    work()
  } catch (error) {
    if (error instanceof KernelError) return error
    throw error
  }
  return undefined
}

const errno = (work: () => unknown): number => refusal(work)?.errno ?? 0

/** Calls of our helpers by number, which the assembler has no names for. */
function load(m: Machine, text: string, more: { type?: number; maps?: Record<string, number>; attach?: number } = {}): number {
  const { maps = {}, type = RFC_PROG_TYPE.DEQUEUE, attach = 0 } = more
  return m.bpf('prog.load', { type, insns: asm(text, { maps }), license: 'GPL', logLevel: 1, expectedAttachType: attach }).id
}

const pifo = (m: Machine, more: Partial<{ maxEntries: number; mapExtra: number }> = {}): number =>
  m.bpf('map.create', { type: RFC_MAP_TYPE.PIFO_XDP, keySize: 4, valueSize: 4, maxEntries: 1024, mapExtra: 8, ...more }).id

const attach = (m: Machine, dev: string, progId: number, expectedProgId = -1): void => m.rtnl('link.set', { dev, xdp: { progId, mode: 'dequeue', expectedProgId } })
const stats = (m: Machine, dev: string): DequeueStats => m.rtnl('link.get', { dev })[0]!.xdpDequeue!.stats
const indexOf = (m: Machine, dev: string): number => m.rtnl('link.get', { dev })[0]!.ifindex
const live = (m: Machine, progId: number, dataIn: Uint8Array, repeat: number) => m.bpf('prog.test_run', { progId, dataIn, repeat, flags: LIVE })
const u32 = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer)
const number = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)

/** Rank -> how many wait with it, as user space sees a map. */
function view(m: Machine, mapId: number): [number, number][] {
  const found: [number, number][] = []
  for (let key = m.bpf('map.next_key', { mapId }); key; key = m.bpf('map.next_key', { mapId, key })) {
    found.push([number(key), number(m.bpf('map.lookup', { mapId, key }))])
  }
  return found
}

/** Variables of a section, by their places in it. */
function variable(m: Machine, { maps }: Made, section: string, at: number, size: 2 | 4): { get(): number; set(value: number): void } {
  const [, mapId = 0] = Object.entries(maps).find(([name]) => name.endsWith(section)) ?? []
  const value = (): DataView => {
    const bytes = m.bpf('map.lookup', { mapId, key: u32(0) })
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }
  return {
    get: () => (size === 2 ? value().getUint16(at, true) : value().getUint32(at, true)),
    set: (wanted) => {
      const view = value()
      if (size === 2) view.setUint16(at, wanted, true)
      else view.setUint32(at, wanted, true)
      m.bpf('map.update', { mapId, key: u32(0), value: new Uint8Array(view.buffer, view.byteOffset, view.byteLength) })
    },
  }
}

/** The variables of pifo_xdp.c. */
const variables = (m: Machine, made: Made) => ({
  prio: variable(m, made, '.data', 0, 2), dropAbove: variable(m, made, '.data', 4, 4),
  dequeued: variable(m, made, '.bss', 0, 4), inOrder: variable(m, made, '.bss', 8, 4), target: variable(m, made, '.bss', 12, 4),
})

/** 54 bytes: Ethernet, IPv4, TCP. */
const TCP54 = frame('eth_type ipv4 ip_proto tcp dst_port 80 len 54')
const etherType = (bytes: Uint8Array): number => bytes[12]! | (bytes[13]! << 8)

/** An XDP program that puts every frame in with the rank of its first two bytes, and asks for a turn of a device. */
const enqueuer = (m: Machine, map: number, target?: number): number => load(m, `
  r6 = r1
  r0 = 0
  r2 = *(u32 *)(r1 +0)
  r3 = *(u32 *)(r1 +4)
  r4 = r2
  r4 += 14
  if r4 > r3 goto out
  r7 = *(u16 *)(r2 +0)
  ${target === undefined ? '' : `r1 = r6\n r2 = ${target}\n r3 = 0\n ${SCHEDULE}`}
  r1 = map[m]
  r2 = r7
  r3 = 0
  call 51
  out: exit`, { type: PROG_TYPE.XDP, maps: { m: map } })

/** A dequeue program that returns the first packet of the map. */
const forwarder = (m: Machine, map: number): number => load(m, `*(u64 *)(r10 -8) = 0\n r2 = map[m]\n r3 = 0\n r4 = r10\n r4 += -8\n ${DEQUEUE}\n exit`, { maps: { m: map } })

/** A frame that says its rank and its number. */
function numbered(rank: number, n: number): Uint8Array {
  const bytes = new Uint8Array(60)
  new DataView(bytes.buffer).setUint16(0, rank, true)
  new DataView(bytes.buffer).setUint16(14, n, true)
  bytes[12] = 0x88
  bytes[13] = 0xb5
  return bytes
}

const say = (bytes: Uint8Array): [rank: number, n: number] => [bytes[0]! | (bytes[1]! << 8), bytes[14]! | (bytes[15]! << 8)]
const left = (m: Machine, dev: string): [number, number][] => m.wire('wire.take', { dev, from: 'tx' }).map(({ bytes }) => say(bytes))
const sent = (m: Machine, dev: string): number[] => left(m, dev).map(([, n]) => n)

/** A queueing path: frames into eth0 go by their ranks to eth1. */
function path(m: Machine, more: Partial<{ maxEntries: number; mapExtra: number }> = {}): { map: number; queue: number; give: number } {
  const map = pifo(m, more)
  const queue = enqueuer(m, map, indexOf(m, 'eth1'))
  const give = forwarder(m, map)
  m.rtnl('link.set', { dev: 'eth0', xdp: { progId: queue } })
  attach(m, 'eth1', give)
  return { map, queue, give }
}

const TESTS: readonly [string, (t: Test, open: (more?: MachineOptions) => Machine) => void][] = [
  ['T1: a map of values', (t, open) => {
    const m = open()
    const made = m.load(object('pifo_generic.o'))
    const interval = variable(m, made, '.data', 0, 4)
    const start = variable(m, made, '.bss', 0, 4)
    const push = (): number => m.run(made.progs['pifo_push']!, TCP54).retval
    for (const [first, step, result] of [
      [0, 1, 0], [0, 10, 0], [0, 100, 0], [0, 125, 0], [1250, 1, 0], [1250, 125, 0], [0, 125, -ERANGE], [2500, 125, 0], [3750, 125, 0], [5000, 125, 0],
    ] as const) {
      start.set(first)
      interval.set(step)
      t.equal(push() | 0, result, `from ${first} by ${step}`)
      if (result !== 0) continue
      t.strictSame(view(m, made.maps['pifo']!), Array.from({ length: 10 }, (_, i) => [first + i * step, 1]))
      t.equal(m.run(made.progs['pifo_pop']!, TCP54).retval, 0)
    }
    const twelve = m.load(object('pifo_generic12.o'))
    t.equal(m.run(twelve.progs['pifo_push']!, TCP54).retval | 0, -EOVERFLOW, 'the eleventh')
  }],
  ['T2 and T3: test runs', (t, open) => {
    const m = open()
    const made = m.load(object('pifo_xdp.o'))
    const { progs, maps } = made
    const vars = variables(m, made)
    t.equal(live(m, progs['xdp_falling']!, TCP54, 3).retval, 0)
    t.strictSame(view(m, maps['pifo']!), [[0, 1], [1, 1], [2, 1]])
    const take = () => m.bpf('prog.test_run', { progId: progs['dequeue_in_order']! })
    for (const rank of [0, 1]) {
      const { retval, dataOut } = take()
      t.strictSame([retval, dataOut!.length, etherType(dataOut!)], [1, 54, rank])
    }
    const third = take()
    t.strictSame([third.retval, third.dataOut!.length], [0, 0], 'dropped')
    t.strictSame(view(m, maps['pifo']!), [])
    t.equal(vars.prio.get(), 0)
    live(m, progs['xdp_rising']!, TCP54, 1024)
    vars.dequeued.set(0)
    vars.dropAbove.set(1024)
    let wrong = 0
    for (let i = 0; i < 1024; i += 1) {
      const { retval, dataOut } = take()
      if (retval !== 1 || etherType(dataOut!) !== i * 10) wrong += 1
    }
    t.equal(wrong, 0)
    t.equal(take().retval, 0)
    for (const bad of [{ dataIn: TCP54 }, { ctxIn: new Uint8Array(4) }, { repeat: 2 }]) {
      t.equal(errno(() => m.bpf('prog.test_run', { progId: progs['dequeue_in_order']!, ...bad })), EINVAL)
    }
  }],
  ['T4: live on a pair of veths', (t, open) => {
    const m = open({ bare: true })
    m.rtnl('link.new', { kind: 'veth', name: 'veth_src', up: true, peer: { name: 'veth_dst', up: true } })
    const made = m.load(object('pifo_xdp.o'))
    const { progs } = made
    const vars = variables(m, made)
    vars.target.set(indexOf(m, 'veth_src'))
    vars.dropAbove.set(3)
    m.rtnl('link.set', { dev: 'veth_dst', xdp: { progId: progs['xdp_check']!, mode: 'drv' } })
    attach(m, 'veth_src', progs['dequeue_in_order']!)
    live(m, progs['xdp_falling']!, TCP54, 3)
    t.equal(vars.inOrder.get(), 3)
    t.match(stats(m, 'veth_src'), { scheduled: 3, turns: 1, runs: 4, transmitted: 3 })
    attach(m, 'veth_src', -1, progs['dequeue_in_order']!)
    t.equal(m.rtnl('link.get', { dev: 'veth_src' })[0]!.xdpDequeue, undefined)
  }],
  ['T5: the verifier', (t, open) => {
    const m = open()
    const map = pifo(m, { maxEntries: 1 })
    const begin = `r6 = r1\n *(u64 *)(r10 -8) = 0\n r2 = map[m]\n r3 = 0\n r4 = r10\n r4 += -8\n ${DEQUEUE}\n if r0 != 0 goto has\n r0 = 0\n exit\n has: `
    const again = `r7 = r0\n r1 = r6\n r2 = map[m]\n r3 = 0\n r4 = r10\n r4 += -8\n ${DEQUEUE}\n if r0 != 0 goto two\n r0 = r7\n exit\n two: r8 = r0\n`
    const finish = `r1 = r6\n r2 = r7\n ${DROP}\n r0 = r8\n exit`
    const refused = (text: string, log: RegExp, number: number, maps: Record<string, number> = { m: map }): void => {
      const error = refusal(() => load(m, text, { maps }))
      t.equal(error?.errno, number, String(log))
      t.match(error?.log, log)
    }
    refused(`${begin} r0 = *(u32 *)(r0 +0)\n exit`, /At program exit the register R0 must be NULL or referenced ptr_xdp_md/, EINVAL)
    t.ok(load(m, 'r0 = 0\n exit'))
    refused(`${begin} r1 = *(u32 *)(r0 +0)\n r1 = *(u32 *)(r0 +4)\n r1 = *(u32 *)(r0 +8)\n r1 = *(u32 *)(r0 +12)\n exit`, /no read support for xdp_md at off 12/, EACCES)
    refused(`${begin} r0 = *(u32 *)(r0 +0)\n r1 = *(u32 *)(r6 +0)\n r0 += r1\n exit`, /\(0f\) r0 \+= r1 +; R0(_w)?=pkt\(id=3,(off=0,)?r=0,pkt_uid=2/, EINVAL)
    refused(`${begin} ${again} r0 = *(u32 *)(r8 +0)\n r0 += 8\n r1 = *(u32 *)(r7 +4)\n if r0 > r1 goto end\n end: ${finish}`, /R0, R1 pkt pointer comparison prohibited/, EACCES)
    refused(`${begin} ${again} r0 = *(u32 *)(r8 +0)\n r0 += 8\n r1 = *(u32 *)(r8 +4)\n r2 = *(u32 *)(r7 +0)\n if r0 > r1 goto end\n r0 = *(u32 *)(r2 +0)\n end: ${finish}`,
      /invalid access to packet, off=0 size=4, R2\(id=0,off=0,r=0\)/, EACCES)
    t.ok(load(m, `${begin} ${again} ${finish}`, { maps: { m: map } }), 'the legal shape')
    t.ok(load(m, `${begin.replace(/if r0 != 0[^]*has: /, '')} exit`, { maps: { m: map } }), 'a packet that nobody looked at may be returned')
    refused(`${begin} r1 = r6\n r0 = 0\n exit`, /Unreleased reference id=2 alloc_insn=7/, EINVAL)
    refused(`${begin} r7 = *(u32 *)(r0 +0)\n r8 = *(u32 *)(r0 +4)\n r9 = r7\n r9 += 1\n r1 = r6\n r2 = r0\n if r9 > r8 goto drop\n ${DROP}\n r0 = *(u8 *)(r7 +0)\n r0 = 0\n exit\n drop: ${DROP}\n r0 = 0\n exit`,
      /R7 invalid mem access 'scalar'/, EACCES)
    refused(`${begin} r1 = r6\n r2 = r0\n r2 += 4\n ${DROP}\n r0 = 0\n exit`, /R2 must have zero offset when passed to release func/, EINVAL)
    refused(`${begin} r0 += 8\n exit`, /At program exit the register R0 must be NULL or referenced ptr_xdp_md/, EINVAL)
    refused(`${begin} *(u32 *)(r0 +0) = 1\n exit`, /only read is supported/, EACCES)
    refused('r0 = *(u32 *)(r1 +4)\n exit', /invalid bpf_context access off=4 size=4/, EACCES)
    refused('*(u32 *)(r1 +0) = 1\n r0 = 0\n exit', /invalid bpf_context access off=0 size=4/, EACCES)
    t.ok(load(m, 'r2 = *(u64 *)(r1 +0)\n r0 = 0\n exit'))
    const generic = m.bpf('map.create', { type: RFC_MAP_TYPE.PIFO_GENERIC, keySize: 4, valueSize: 4, maxEntries: 1, mapExtra: 8 }).id
    refused(`${begin} exit`, /cannot pass map_type 16385 into func bpf_packet_dequeue#327681/, EINVAL, { m: generic })
    t.equal(errno(() => load(m, 'r2 = map[m]\n r1 = r2\n r2 = r10\n r2 += -4\n *(u32 *)(r10 -4) = 0\n call 1\n r0 = 0\n exit', { type: PROG_TYPE.XDP, maps: { m: map } })), EINVAL, 'no lookup')
    t.equal(errno(() => load(m, 'r0 = 0\n exit', { attach: 1 })), EINVAL)
    const write = `${begin} r7 = r0\n r1 = *(u32 *)(r0 +0)\n r2 = *(u32 *)(r0 +4)\n r3 = r1\n r3 += 1\n if r3 > r2 goto end\n *(u8 *)(r1 +0) = 1\n end: r0 = r7\n exit`
    t.ok(load(m, write, { maps: { m: map } }))
    const strict = open({ strict: true })
    const theirs = pifo(strict, { maxEntries: 1 })
    t.match(refusal(() => load(strict, write, { maps: { m: theirs } })), { log: /cannot write into packet/, errno: EACCES })
    t.ok(load(strict, 'r2 = *(u8 *)(r1 +0)\n r0 = 0\n exit'))
    t.equal(errno(() => load(m, 'r2 = *(u8 *)(r1 +0)\n r0 = 0\n exit')), EACCES)
  }],
  ['equal ranks stay in their order, and ranks beyond the window too', (t, open) => {
    const m = open()
    path(m)
    m.send('eth0', 'rx', ...Array.from({ length: 60 }, (_, i) => numbered(5, i)))
    t.strictSame(sent(m, 'eth1'), Array.from({ length: 60 }, (_, i) => i))
    const { queue } = path(open())
    t.ok(queue)
    const n = open()
    const { map } = path(n)
    attach(n, 'eth1', -1, n.rtnl('link.get', { dev: 'eth1' })[0]!.xdpDequeue!.prog.id)
    n.send('eth0', 'rx', numbered(23, 0), numbered(19, 1))
    t.strictSame(view(n, map), [[15, 2]], 'clamped to the last rank')
    const take = forwarder(n, map)
    const out = [0, 1].map(() => say(n.bpf('prog.test_run', { progId: take }).dataOut!)[1])
    t.strictSame(out, [0, 1])
  }],
  ['the quota', (t, open) => {
    const m = open()
    const { give } = path(m)
    attach(m, 'eth1', -1, give)
    m.send('eth0', 'rx', ...Array.from({ length: 65 }, (_, i) => numbered(0, i)))
    t.equal(m.wire('wire.show', {}).total.queued, 65, 'without a program frames stay where they are')
    attach(m, 'eth1', give)
    m.send('eth0', 'rx', numbered(0, 65))
    t.strictSame(sent(m, 'eth1'), Array.from({ length: 66 }, (_, i) => i))
    t.match(stats(m, 'eth1'), { turns: 2, runs: 64 + 3, transmitted: 66, reschedQuota: 1, kept: 0 })
  }],
  ['a full ring keeps frames, in order', (t, open) => {
    const m = open()
    m.wire('wire.set', { dev: 'eth1', xdpRing: 5, rate: 1e9 })
    path(m)
    const frames = Array.from({ length: 16 }, (_, i) => ({ bytes: numbered(0, i), at: 0 }))
    m.wire('wire.send', { dev: 'eth0', direction: 'rx', frames, hold: true })
    t.match(stats(m, 'eth1'), { transmitted: 5, kept: 11, reschedBusy: 1, turns: 1 })
    m.wire('wire.run', { until: 'idle' })
    t.strictSame(sent(m, 'eth1'), frames.map((_, i) => i))
    t.match(stats(m, 'eth1'), { transmitted: 16, dropped: 0 })
  }],
  ['nothing after a drop ends the turn', (t, open) => {
    const m = open()
    const map = pifo(m)
    m.rtnl('link.set', { dev: 'eth0', xdp: { progId: enqueuer(m, map, indexOf(m, 'eth1')) } })
    attach(m, 'eth1', load(m, `r6 = r1\n *(u64 *)(r10 -8) = 0\n r2 = map[m]\n r3 = 0\n r4 = r10\n r4 += -8\n ${DEQUEUE}\n if r0 == 0 goto out
      r1 = r6\n r2 = r0\n ${DROP}\n out: r0 = 0\n exit`, { maps: { m: map } }))
    const { dropped, queued } = m.send('eth0', 'rx', ...[0, 1, 2].map((i) => numbered(0, i)))
    t.strictSame([dropped, queued], [{ XDP_DEQUEUE_DROP: 1 }, 2])
  }],
  ['two devices, both with more than a turn', (t, open) => {
    const m = open()
    const maps = [pifo(m), pifo(m)]
    const gives = maps.map((map) => forwarder(m, map))
    // Even numbers go to eth0, odd ones to eth1; nobody asks for turns until both have more than one.
    const programs = maps.map((map) => enqueuer(m, map))
    for (const [i, progId] of programs.entries()) for (let k = 0; k < 70; k += 1) live(m, progId, numbered(0, i), 1)
    for (const [i, dev] of ['eth0', 'eth1'].entries()) attach(m, dev, gives[i]!)
    const ask = ['eth0', 'eth1'].map((dev) => `r1 = r6\n r2 = ${indexOf(m, dev)}\n r3 = 0\n ${SCHEDULE}`).join('\n')
    m.run(load(m, `r6 = r1\n ${ask}\n ${ask}\n r0 = 2\n exit`, { type: PROG_TYPE.XDP }), TCP54)
    m.wire('wire.run', { until: 'idle' })
    for (const dev of ['eth0', 'eth1']) t.match(stats(m, dev), { scheduled: 2, turns: 2, transmitted: 70, reschedQuota: 1 }, dev)
  }],
  ['a device that is down, and a program that asks for ever', (t, open) => {
    const m = open()
    path(m)
    m.rtnl('link.set', { dev: 'eth1', up: false })
    const down = m.send('eth0', 'rx', ...[0, 1, 2].map((i) => numbered(0, i)))
    t.strictSame([down.dropped, down.queued], [{ XDP_XMIT_ERROR: 3 }, 0])
    t.match(stats(m, 'eth1'), { dropped: 3, turns: 1 })
    const n = open()
    const self = indexOf(n, 'eth1')
    attach(n, 'eth1', load(n, `r2 = ${self}\n r3 = 0\n ${SCHEDULE}\n r0 = 0\n exit`))
    n.run(load(n, `r2 = ${self}\n r3 = 0\n ${SCHEDULE}\n r0 = 2\n exit`, { type: PROG_TYPE.XDP }), TCP54)
    t.equal(stats(n, 'eth1').turns, 1000)
  }],
  ['asking and redirecting wrongly', (t, open) => {
    const m = open()
    const ask = (ifindex: number, flags: number): number =>
      m.run(load(m, `r2 = ${ifindex}\n r3 = ${flags}\n ${SCHEDULE}\n exit`, { type: PROG_TYPE.XDP }), TCP54).retval | 0
    t.strictSame([ask(1, 1), ask(99, 0), ask(1, 0)], [-EINVAL, -ENODEV, -ENOENT])
    const map = pifo(m, { maxEntries: 1 })
    const redirect = (flags: number): number => m.run(load(m, `r1 = map[m]\n r2 = 0\n r3 = ${flags}\n call 51\n exit`, { type: PROG_TYPE.XDP, maps: { m: map } }), TCP54).retval
    t.strictSame([redirect(4), redirect(2), redirect(3), redirect(0)], [0, 4, 4, 4])
    t.strictSame(view(m, map), [], 'a test run redirects nothing')
    m.rtnl('link.set', { dev: 'eth0', xdp: { progId: load(m, 'r1 = map[m]\n r2 = 0\n r3 = 2\n call 51\n exit', { type: PROG_TYPE.XDP, maps: { m: map } }) } })
    const { dropped, queued } = m.send('eth0', 'rx', numbered(0, 0), numbered(0, 1))
    t.strictSame([dropped, queued], [{ XDP_REDIRECT_ERROR: 1 }, 1])
  }],
  ['attaching', (t, open) => {
    const m = open()
    const [a, b] = [load(m, 'r0 = 0\n exit'), load(m, 'r0 = 0\n exit')]
    const xdp = load(m, 'r0 = 2\n exit', { type: PROG_TYPE.XDP })
    const set = (request: object) => refusal(() => m.rtnl('link.set', { dev: 'eth0', xdp: { mode: 'dequeue', ...request } as never }))
    t.match(set({ progId: a }), { errno: EINVAL, extack: 'Dequeue prog must use XDP_FLAGS_REPLACE' })
    t.equal(set({ progId: a, expectedProgId: -1, noReplace: true })?.errno, EINVAL)
    t.equal(set({ progId: xdp, expectedProgId: -1 })?.errno, EINVAL)
    t.equal(set({ progId: a, expectedProgId: xdp })?.errno, EINVAL)
    t.equal(set({ progId: 999, expectedProgId: -1 })?.errno, EBADF)
    t.match(set({ progId: a, expectedProgId: b }), { errno: EEXIST, extack: 'Active program does not match expected' })
    t.equal(set({ progId: a, expectedProgId: -1 }), undefined)
    t.equal(set({ progId: b, expectedProgId: -1 })?.errno, EEXIST)
    t.equal(set({ progId: b, expectedProgId: a }), undefined)
    t.equal(m.rtnl('link.get', { dev: 'eth0' })[0]!.xdpDequeue!.prog.id, b)
    t.equal(errno(() => m.rtnl('link.set', { dev: 'eth0', xdp: { progId: a } })), EINVAL, 'no XDP program')
    t.equal(set({ progId: -1, expectedProgId: a })?.errno, EEXIST)
    t.equal(set({ progId: -1, expectedProgId: b }), undefined)
    m.rtnl('link.set', { dev: 'lo', xdp: { progId: a, mode: 'dequeue', expectedProgId: -1 } })
    t.ok(m.rtnl('link.get', { dev: 'lo' })[0]!.xdpDequeue, 'the driver is not asked')
  }],
  ['nobody asks, then somebody does', (t, open) => {
    const m = open()
    const map = pifo(m)
    const live = enqueuer(m, map)
    m.rtnl('link.set', { dev: 'eth0', xdp: { progId: live } })
    attach(m, 'eth1', forwarder(m, map))
    m.send('eth0', 'rx', numbered(0, 1))
    t.equal(m.wire('wire.show', {}).total.queued, 1, 'nobody asks')
    m.run(load(m, `r6 = r1\n r2 = ${indexOf(m, 'eth1')}\n r3 = 0\n ${SCHEDULE}\n r0 = 2\n exit`, { type: PROG_TYPE.XDP }), TCP54)
    m.wire('wire.run', { until: 'idle' })
    t.strictSame(sent(m, 'eth1'), [1])
  }],
  ['ranks of more than 32 bits', (t, open) => {
    for (const strict of [false, true]) {
      const m = open({ strict })
      const map = pifo(m)
      const progId = load(m, 'r1 = map[m]\n r2 = 0x100000002 ll\n r3 = 0\n call 51\n exit', { type: PROG_TYPE.XDP, maps: { m: map } })
      m.rtnl('link.set', { dev: 'eth0', xdp: { progId } })
      m.send('eth0', 'rx', numbered(0, 0))
      t.strictSame(view(m, map), [[strict ? 2 : 15, 1]], strict ? 'as posted, narrowed' : 'far beyond the window')
    }
  }],
  ['packets may be written, and metadata stays with them', (t, open) => {
    const m = open()
    const map = pifo(m)
    const meta = load(m, `r6 = r1\n r2 = -4\n call 54\n r2 = *(u32 *)(r6 +8)\n r3 = *(u32 *)(r6 +0)\n r4 = r2\n r4 += 4\n if r4 > r3 goto out
      *(u32 *)(r2 +0) = 0x77\n r1 = map[m]\n r2 = 0\n r3 = 0\n call 51\n exit\n out: r0 = 1\n exit`, { type: PROG_TYPE.XDP, maps: { m: map } })
    m.rtnl('link.set', { dev: 'eth0', xdp: { progId: meta } })
    const copy = load(m, `r6 = r1\n *(u64 *)(r10 -8) = 0\n r2 = map[m]\n r3 = 0\n r4 = r10\n r4 += -8\n ${DEQUEUE}\n if r0 == 0 goto out\n r7 = r0
      r1 = *(u32 *)(r7 +8)\n r2 = *(u32 *)(r7 +0)\n r3 = r1\n r3 += 4\n if r3 > r2 goto give\n r5 = *(u32 *)(r1 +0)\n r3 = *(u32 *)(r7 +4)\n r4 = r2\n r4 += 16
      if r4 > r3 goto give\n *(u8 *)(r2 +14) = r5\n give: r0 = r7\n out: exit`, { maps: { m: map } })
    m.send('eth0', 'rx', numbered(0, 1))
    const { dataOut } = m.bpf('prog.test_run', { progId: copy })
    t.equal(dataOut!.length, 64, 'metadata is part of what is shown')
    t.equal(number(dataOut!), 0x77)
    t.equal(dataOut![4 + 14], 0x77, 'written by the dequeue program')
  }],
  ['every frame is accounted for', (t, open) => {
    let seed = 1
    const random = (n: number): number => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) % n
    for (let round = 0; round < 12; round += 1) {
      const m = open()
      const { give } = path(m, { maxEntries: 4 + random(60), mapExtra: 1 << random(8) })
      m.wire('wire.set', { dev: 'eth1', rate: 1e6 * (1 + random(100)), xdpRing: 1 + random(8) })
      let frames = 0
      const sum: Record<string, number> = {}
      for (let step = 0; step < 12; step += 1) {
        const batch = Array.from({ length: random(90) }, (_, i) => ({ bytes: numbered(random(300), i), at: 0 }))
        const { frames: n } = m.wire('wire.send', { dev: 'eth0', direction: 'rx', frames: batch, hold: random(3) > 0 })
        frames += n
        const act = random(8)
        if (act === 0) m.rtnl('link.set', { dev: 'eth1', up: random(2) === 0 })
        if (act === 1) attach(m, 'eth1', -1, m.rtnl('link.get', { dev: 'eth1' })[0]!.xdpDequeue?.prog.id ?? -1)
        if (act === 2) attach(m, 'eth1', give, m.rtnl('link.get', { dev: 'eth1' })[0]!.xdpDequeue?.prog.id ?? -1)
        if (act === 3) m.wire('wire.run', { for: random(1e7) })
        m.commit()
      }
      const { transmitted, delivered, queued, dropped } = m.wire('wire.show', {}).total
      for (const [why, n] of Object.entries(dropped)) sum[why] = n
      const lost = Object.values(sum).reduce((a, b) => a + b, 0)
      if (transmitted + delivered + queued + lost !== frames) t.fail(`round ${round}: ${frames} in, ${transmitted} sent, ${queued} queued, ${JSON.stringify(sum)}`)
    }
    t.pass('none was lost')
  }],
  ['another CPU queues and sends', (t, open) => {
    const m = open()
    const map = pifo(m)
    const eth1 = indexOf(m, 'eth1')
    const there = m.bpf('prog.load', {
      type: PROG_TYPE.XDP, expectedAttachType: ATTACH_TYPE.XDP_CPUMAP, license: 'GPL', insns: asm(`
        r2 = ${eth1}\n r3 = 0\n ${SCHEDULE}\n r1 = map[m]\n r2 = 5\n r3 = 0\n call 51\n exit`, { maps: { m: map } }),
    }).id
    const cpus = m.bpf('map.create', { type: MAP_TYPE.CPUMAP, keySize: 4, valueSize: 8, maxEntries: 4 }).id
    m.bpf('map.update', { mapId: cpus, key: u32(2), value: new Uint8Array(Uint32Array.of(64, there).buffer) })
    m.rtnl('link.set', { dev: 'eth0', xdp: { progId: load(m, 'r1 = map[m]\n r2 = 2\n r3 = 0\n call 51\n exit', { type: PROG_TYPE.XDP, maps: { m: cpus } }) } })
    attach(m, 'eth1', forwarder(m, map))
    const { trace = [] } = m.wire('wire.send', { dev: 'eth0', direction: 'rx', cpu: 0, frames: [0, 1, 2].map((n) => ({ bytes: numbered(0, n), at: 0 })), trace: true })
    t.strictSame(sent(m, 'eth1'), [0, 1, 2])
    t.equal(trace.filter(({ hook }) => hook === 'dequeue').length, 3)
  }],
  ['generic programs', (t, open) => {
    for (const strict of [false, true]) {
      const m = open({ strict })
      const map = pifo(m)
      m.rtnl('link.set', { dev: 'eth0', xdp: { progId: enqueuer(m, map), mode: 'skb' } })
      const { queued, dropped } = m.send('eth0', 'rx', numbered(3, 0))
      t.strictSame([queued, dropped], strict ? [0, { XDP_REDIRECT_ERROR: 1 }] : [1, {}])
    }
  }],
]

for (const jit of [true, false]) {
  t.test(jit ? 'in the JIT' : 'in the interpreter', async (t) => {
    for (const [name, test] of TESTS) {
      t.test(name, async (t) => {
        const machines: Machine[] = []
        test(t, (more = {}) => {
          machines.push(openMachine({ jit, ...more }))
          return machines.at(-1)!
        })
        for (const m of machines) m.close()
      })
    }
  })
}

t.test('frames outlive the process, and go with their map', async (t) => {
  const dir = t.testdir()
  const frames = [7, 2, 2, 13].map((rank, i) => numbered(rank, i))
  let m = openMachine({ dir })
  const { give } = path(m)
  attach(m, 'eth1', -1, give)
  m.bpf('obj.pin', { kind: 'prog', id: give, path: '/sys/fs/bpf/give' })
  m.send('eth0', 'rx', ...frames)
  m.commit()
  m.close()
  m = openMachine({ dir })
  t.equal(m.wire('wire.show', {}).total.queued, 4, 'without opening the map')
  m.send('eth0', 'rx', numbered(1, 4))
  t.equal(m.wire('wire.show', {}).total.queued, 5)
  m.commit()
  m.close()
  m = openMachine({ dir })
  const take = m.bpf('obj.get', { path: '/sys/fs/bpf/give' }).id
  t.strictSame([0, 1].map(() => say(m.bpf('prog.test_run', { progId: take }).dataOut!)), [[1, 4], [2, 1]])
  m.commit()
  m.close()
  m = openMachine({ dir })
  const [map] = m.bpf('map.list', {})
  t.strictSame(view(m, map!.id), [[2, 1], [7, 1], [13, 1]])
  m.bpf('obj.unpin', { path: '/sys/fs/bpf/give' })
  m.rtnl('link.set', { dev: 'eth0', xdp: { progId: -1 } })
  m.commit()
  t.strictSame(m.bpf('map.list', {}), [])
  const { queued, dropped } = m.wire('wire.show', {}).total
  t.strictSame([queued, dropped['PIFO_MAP_FREED']], [0, 3])
  m.close()
})

t.test('kept frames outlive the process, too', async (t) => {
  const dir = t.testdir()
  let m = openMachine({ dir })
  m.wire('wire.set', { dev: 'eth1', xdpRing: 5 })
  const { give } = path(m)
  m.wire('wire.send', { dev: 'eth0', direction: 'rx', frames: Array.from({ length: 20 }, (_, i) => ({ bytes: numbered(0, i), at: 0 })), hold: true })
  m.commit()
  m.close()
  m = openMachine({ dir })
  t.equal(m.wire('wire.show', {}).total.queued, 20)
  m.wire('wire.run', { until: 'idle' })
  t.strictSame(sent(m, 'eth1'), Array.from({ length: 20 }, (_, i) => i))
  t.equal(m.rtnl('link.get', { dev: 'eth1' })[0]!.xdpDequeue!.prog.id, give)
  m.close()
})

t.test('an exported machine has its frames', async (t) => {
  const [dir, other] = [t.testdir({ a: {}, b: {} })].flatMap((base) => [join(base, 'a'), join(base, 'b')]) as [string, string]
  let m = openMachine({ dir })
  const { give } = path(m)
  attach(m, 'eth1', -1, give)
  m.bpf('obj.pin', { kind: 'prog', id: give, path: '/sys/fs/bpf/give' })
  m.send('eth0', 'rx', numbered(7, 0), numbered(2, 1))
  m.commit()
  m.close()
  importMachine(other, JSON.parse(JSON.stringify(exportMachine(dir))))
  m = openMachine({ dir: other })
  t.equal(m.wire('wire.show', {}).total.queued, 2)
  const take = m.bpf('obj.get', { path: '/sys/fs/bpf/give' }).id
  t.strictSame([0, 1].map(() => say(m.bpf('prog.test_run', { progId: take }).dataOut!)), [[2, 1], [7, 0]])
  m.close()
})
