// Helpers that need more than one call to be seen: maps, rings, callbacks, timers, notes; and that no allowed helper is forgotten.
import t from 'tap'
import { helpersOf } from '../../pkg/helper/allowed.js'
import { NOTE } from '../../pkg/helper/env.js'
import { refusal } from '../../pkg/helper/impl.js'
import { PERCPU_STRIDE } from '../../pkg/helper/impl-map.js'
import { helperText } from '../../pkg/helper/protos.js'
import { STACK_TOP } from '../../pkg/mem/layout.js'
import { XDP_BUFF } from '../../pkg/skb/layout.js'
import { E2BIG, EAGAIN, EBUSY, EDEADLK, EFAULT, ERANGE, EINVAL, ENOENT, EOPNOTSUPP } from '../../pkg/uapi/errno.js'
import { ATTACH_TYPE, FUNC, MAP_TYPE, PROG_TYPE, TC_ACT, XDP } from '../../pkg/uapi/bpf.js'
import { AREA, TestMachine } from './machine.js'

const KEY = AREA
const VALUE = AREA + 64
const OUT = AREA + 256

function machine(): TestMachine {
  return new TestMachine()
}

/** r0 as a signed number. */
function call(m: TestMachine, id: number, ...args: (number | bigint)[]): number {
  return Number(BigInt.asIntN(64, m.call(id, args.map(BigInt))))
}

function u32(m: TestMachine, at: number, value?: number): number {
  if (value !== undefined) m.mem.view.setUint32(at, value, true)
  return m.mem.view.getUint32(at, true)
}

t.test('every helper of the packet program types is here or refused for a reason', async (t) => {
  const m = machine()
  const refused = new Set<string>()
  for (const type of [PROG_TYPE.SOCKET_FILTER, PROG_TYPE.SCHED_CLS, PROG_TYPE.SCHED_ACT, PROG_TYPE.XDP]) {
    for (const id of helpersOf(type)) {
      const why = refusal(id, m.impls)
      if (why) refused.add(helperText(id))
    }
  }
  t.same([...refused].sort(), [
    'bpf_cgrp_storage_delete', 'bpf_cgrp_storage_get', 'bpf_copy_from_user', 'bpf_copy_from_user_task', 'bpf_current_task_under_cgroup',
    'bpf_find_vma', 'bpf_get_branch_snapshot', 'bpf_get_current_task', 'bpf_get_current_task_btf', 'bpf_get_task_stack',
    'bpf_perf_event_read', 'bpf_perf_event_read_value', 'bpf_send_signal', 'bpf_send_signal_thread', 'bpf_sk_storage_delete',
    'bpf_sk_storage_get', 'bpf_skb_under_cgroup', 'bpf_snprintf_btf', 'bpf_task_pt_regs', 'bpf_task_storage_delete', 'bpf_task_storage_get',
    'bpf_user_ringbuf_drain',
  ])
  t.equal(refusal(FUNC.tail_call, m.impls), undefined, 'a tail call is the engines’')
})

t.test('maps', async (t) => {
  const m = machine()
  const map = m.host.create({ type: MAP_TYPE.HASH, key: 4, value: 8, entries: 2 })
  u32(m, KEY, 7)
  u32(m, VALUE, 70)
  t.equal(call(m, FUNC.map_lookup_elem, map.addr, KEY), 0)
  t.equal(call(m, FUNC.map_update_elem, map.addr, KEY, VALUE, 1n << 32n), -EINVAL)
  t.equal(call(m, FUNC.map_update_elem, map.addr, KEY, VALUE, 0), 0)
  const at = call(m, FUNC.map_lookup_elem, map.addr, KEY)
  t.equal(u32(m, at), 70)
  t.equal(call(m, FUNC.map_delete_elem, map.addr, KEY), 0)
  t.equal(call(m, FUNC.map_delete_elem, map.addr, KEY), -ENOENT)
  t.equal(call(m, FUNC.map_push_elem, map.addr, VALUE, 0), -EOPNOTSUPP)
  const percpu = m.host.create({ type: MAP_TYPE.PERCPU_ARRAY, key: 4, value: 8, entries: 8 })
  const [zero, one] = [0, 1].map((cpu) => call(m, FUNC.map_lookup_percpu_elem, percpu.addr, KEY, cpu))
  t.equal(one! - zero!, 8)
  t.equal(call(m, FUNC.map_lookup_percpu_elem, percpu.addr, KEY, 2), 0)
  const queue = m.host.create({ type: MAP_TYPE.QUEUE, key: 0, value: 4, entries: 1 })
  t.equal(call(m, FUNC.map_pop_elem, queue.addr, OUT), -ENOENT)
  t.equal(call(m, FUNC.map_push_elem, queue.addr, VALUE, 0), 0)
  t.equal(call(m, FUNC.map_push_elem, queue.addr, VALUE, 0), -E2BIG)
  t.equal(call(m, FUNC.map_peek_elem, queue.addr, OUT), 0)
  t.equal(u32(m, OUT), 70)
  u32(m, OUT, 1234)
  t.equal(call(m, FUNC.kptr_xchg, OUT, 0), 1234)
  t.equal(u32(m, OUT), 0)
})

t.test('bpf_loop and bpf_for_each_map_elem', async (t) => {
  const m = machine()
  const seen: number[][] = []
  m.setCallbacks((...args) => (seen.push(args), seen.length === 3 ? 1 : 0))
  t.equal(call(m, FUNC.loop, 10, 0, 99, 0), 3)
  t.same(seen.map((args) => args.slice(0, 2)), [[0, 99], [1, 99], [2, 99]])
  t.equal(call(m, FUNC.loop, 10, 0, 0, 1), -EINVAL)
  t.equal(call(m, FUNC.loop, (8 << 20) + 1, 0, 0, 0), 2 ** 32 - E2BIG, 'inlined by the verifier, it answers in 32 bits')
  const map = m.host.create({ type: MAP_TYPE.ARRAY, key: 4, value: 4, entries: 3 })
  const keys: number[] = []
  m.setCallbacks((addr, key, value, ctx) => {
    t.equal(addr, map.addr)
    t.equal(ctx, 5)
    keys.push(u32(m, key!))
    u32(m, value!, 10 + keys.length)
    return 0
  })
  t.equal(call(m, FUNC.for_each_map_elem, map.addr, 0, 5, 0), 3)
  t.same(keys, [0, 1, 2])
  u32(m, KEY, 2)
  t.equal(u32(m, map.lookup(KEY)), 13)
  const trie = m.host.create({ type: MAP_TYPE.STACK, key: 0, value: 4, entries: 3 })
  t.equal(call(m, FUNC.for_each_map_elem, trie.addr, 0, 5, 0), -EINVAL)
})

t.test('an element may go while it is visited', async (t) => {
  const m = machine()
  const map = m.host.create({ type: MAP_TYPE.HASH, key: 4, value: 4, entries: 64 })
  for (let i = 0; i < 64; i += 1) {
    u32(m, KEY, i)
    map.update(KEY, VALUE, 0)
  }
  m.setCallbacks((_map, key) => map.delete(key!))
  t.equal(call(m, FUNC.for_each_map_elem, map.addr, 0, 0, 0), 64)
  t.equal(map.sysNextKey(undefined), undefined)
})

t.test('ring buffers', async (t) => {
  const m = machine()
  const map = m.host.create({ type: MAP_TYPE.RINGBUF, key: 0, value: 0, entries: 4096 })
  const query = (what: number): number => call(m, FUNC.ringbuf_query, map.addr, what)
  t.equal(call(m, FUNC.ringbuf_reserve, map.addr, 16, 1), 0, 'no flags')
  t.equal(call(m, FUNC.ringbuf_reserve, map.addr, 4096, 0), 0, 'too large')
  const first = call(m, FUNC.ringbuf_reserve, map.addr, 16, 0)
  u32(m, first, 0xabcd)
  t.equal(call(m, FUNC.ringbuf_output, map.addr, VALUE, 3, 4), -EINVAL)
  t.equal(call(m, FUNC.ringbuf_output, map.addr, VALUE, 3, 1), 0)
  t.same(map.ring!.drain(), [], 'an open reservation holds back what is behind it')
  t.same([0, 1, 2, 3, 9].map(query), [40, 4096, 0, 40, 0])
  const third = call(m, FUNC.ringbuf_reserve, map.addr, 8, 0)
  call(m, FUNC.ringbuf_discard, third, 0)
  call(m, FUNC.ringbuf_submit, first, 0)
  const samples = map.ring!.drain()
  t.same(samples.map((sample) => sample.length), [16, 3])
  t.equal(new DataView(samples[0]!.buffer).getUint32(0, true), 0xabcd)
  t.equal(query(0), 0)
  let written = 0
  for (let i = 0; i < 100; i += 1) {
    m.mem.u8.fill(i, VALUE, VALUE + 100)
    while (call(m, FUNC.ringbuf_output, map.addr, VALUE, 100, 0) === 0) written += 1
    t.equal(call(m, FUNC.ringbuf_output, map.addr, VALUE, 100, 0), -EAGAIN)
    t.ok(m.host.reopen(map).ring!.drain().every((sample) => sample.length === 100 && sample.every((byte) => byte === i)))
  }
  t.equal(written, 36 * 100, 'records around the end of the ring are whole')
})

t.test('ring buffer dynptrs', async (t) => {
  const m = machine()
  const map = m.host.create({ type: MAP_TYPE.RINGBUF, key: 0, value: 0, entries: 4096 })
  const dynptr = STACK_TOP - 16
  t.equal(call(m, FUNC.ringbuf_reserve_dynptr, map.addr, 5000, 0, dynptr), -EINVAL)
  call(m, FUNC.ringbuf_submit_dynptr, dynptr, 0)
  t.equal(call(m, FUNC.ringbuf_reserve_dynptr, map.addr, 8, 0, dynptr), 0)
  u32(m, VALUE, 0x11223344)
  t.equal(call(m, FUNC.dynptr_write, dynptr, 4, VALUE, 4, 0), 0)
  u32(m, call(m, FUNC.dynptr_data, dynptr, 0, 4), 1)
  t.equal(call(m, FUNC.dynptr_data, dynptr, 5, 4), 0)
  call(m, FUNC.ringbuf_submit_dynptr, dynptr, 0)
  t.same(map.ring!.drain().map((sample) => Buffer.from(sample).toString('hex')), ['0100000044332211'])
  t.equal(call(m, FUNC.dynptr_read, VALUE, 4, dynptr, 0, 0), -EINVAL, 'it is null now')
})

t.test('perf events', async (t) => {
  const m = machine()
  const map = m.host.create({ type: MAP_TYPE.PERF_EVENT_ARRAY, key: 4, value: 4, entries: 3 })
  const skb = m.skb(Uint8Array.from({ length: 60 }, (_, i) => i))
  m.mem.u8.set([1, 2, 3], VALUE)
  const output = (flags: number | bigint): number => call(m, FUNC.perf_event_output, skb, map.addr, flags, VALUE, 3)
  t.equal(output(0xffffffff), 0)
  t.equal(output(0), 0)
  t.equal(output(1), -EOPNOTSUPP, 'another CPU’s')
  t.equal(output(2), -ENOENT, 'no such CPU')
  t.equal(output(3), -E2BIG)
  t.equal(output(1n << 56n), -EINVAL)
  t.equal(output((61n << 32n) | 0xffffffffn), -EFAULT)
  m.now += 10
  t.equal(output((2n << 32n) | 0xffffffffn), 0)
  const { records, lost } = map.perf!.drain()
  t.equal(lost, 0)
  t.same(records.map(({ data }) => [...data]), [[1, 2, 3], [1, 2, 3], [1, 2, 3, 0, 1]])
  t.equal(records[2]!.time - records[0]!.time, 10n)
  m.run.progType = PROG_TYPE.XDP
  const xdp = m.xdp(Uint8Array.of(9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0, 0, 0))
  t.equal(call(m, FUNC.perf_event_output, xdp, map.addr, (4n << 32n) | 0xffffffffn, VALUE, 1), 0)
  t.same([...map.perf!.drain().records[0]!.data], [1, 9, 8, 7, 6])
  m.mem.u8.fill(0, VALUE, VALUE + 4096)
  let stored = 0
  while (call(m, FUNC.perf_event_output, xdp, map.addr, 0xffffffff, VALUE, 4096) === 0) stored += 1
  t.same([map.perf!.drain().lost, stored], [1, 15])
})

t.test('redirects leave notes', async (t) => {
  const m = machine()
  m.run.progType = PROG_TYPE.XDP
  m.host.progs.set(5, { type: PROG_TYPE.XDP, attach: ATTACH_TYPE.XDP_DEVMAP })
  const map = m.host.create({ type: MAP_TYPE.DEVMAP, key: 4, value: 8, entries: 4 })
  map.sysUpdate(Uint8Array.of(2, 0, 0, 0), Uint8Array.of(1, 0, 0, 0, 5, 0, 0, 0), 0)
  t.same(m.host.held, ['prog 5'])
  const redirect = (key: number, flags: number | bigint): number => call(m, FUNC.redirect_map, map.addr, key, flags)
  t.equal(redirect(2, 0), XDP.REDIRECT)
  t.match(m.note, { kind: NOTE.MAP, ifindex: 1, mapId: map.attr.id, mapType: MAP_TYPE.DEVMAP, index: 2, progId: 5, flags: 0 })
  t.equal(redirect(1, XDP.PASS), XDP.PASS, 'a miss gives the low bits of flags')
  t.equal(m.note.kind, NOTE.NONE)
  t.equal(redirect(9, 8 | 16), XDP.REDIRECT, 'to all')
  t.match(m.note, { kind: NOTE.MAP, flags: 24 })
  t.equal(redirect(2, 32), XDP.ABORTED)
  t.equal(redirect(2, 1n << 32n), XDP.ABORTED)
  const cpus = m.host.create({ type: MAP_TYPE.CPUMAP, key: 4, value: 4, entries: 2 })
  cpus.sysUpdate(Uint8Array.of(1, 0, 0, 0), Uint8Array.of(8, 0, 0, 0), 0)
  t.equal(call(m, FUNC.redirect_map, cpus.addr, 1, 8), XDP.ABORTED, 'only devmaps broadcast')
  t.equal(call(m, FUNC.redirect_map, cpus.addr, 1, 2), XDP.REDIRECT)
  t.match(m.note, { kind: NOTE.MAP, index: 1, mapType: MAP_TYPE.CPUMAP })
  map.dropDevice!(1)
  t.equal(redirect(2, 1), XDP.DROP)
  t.same(m.host.held, [])
})

t.test('a clone is a copy of the frame as it is now', async (t) => {
  const m = machine()
  const skb = m.skb(Uint8Array.from({ length: 60 }, () => 1))
  t.equal(call(m, FUNC.clone_redirect, skb, 1, 0), 0)
  m.mem.u8.fill(2, VALUE, VALUE + 4)
  call(m, FUNC.skb_store_bytes, skb, 0, VALUE, 4, 0)
  t.ok(m.skbs.bytes(m.clones[0]!).every((byte) => byte === 1))
  t.equal(call(m, FUNC.redirect_neigh, 1, VALUE, 20, 0), TC_ACT.REDIRECT)
  t.match(m.note, { kind: NOTE.NEIGH, nhFamily: 0x02020202 })
})

t.test('timers', async (t) => {
  const m = machine()
  const map = m.host.create({ type: MAP_TYPE.ARRAY, key: 4, value: 24, entries: 1, fields: [{ kind: 'timer', offset: 8, size: 16 }] })
  u32(m, KEY, 0)
  const timer = map.lookup(KEY) + 8
  t.equal(call(m, FUNC.timer_start, timer, 5, 0), -EINVAL, 'not initialised')
  t.equal(call(m, FUNC.timer_cancel, timer), -EINVAL)
  t.equal(call(m, FUNC.timer_set_callback, timer, 3), -EINVAL)
  t.equal(call(m, FUNC.timer_init, timer, map.addr, 2), -EINVAL)
  t.equal(call(m, FUNC.timer_init, timer, map.addr, 1), 0)
  t.equal(call(m, FUNC.timer_init, timer, map.addr, 1), -EBUSY)
  t.equal(call(m, FUNC.timer_start, timer, 5, 0), -EINVAL, 'no callback')
  t.equal(call(m, FUNC.timer_set_callback, timer, 3), 0)
  t.equal(call(m, FUNC.timer_start, timer, 5n << 32n, 0), 0)
  t.equal(m.timers.get(timer), m.now + 5 * 2 ** 32)
  t.equal(call(m, FUNC.timer_start, timer, 77, 1), 0)
  t.equal(m.timers.get(timer), 77)
  t.equal(call(m, FUNC.timer_start, timer, 77, 4), -EINVAL)
  map.sysUpdate(new Uint8Array(4), new Uint8Array(24).fill(9), 0)
  t.equal(call(m, FUNC.timer_cancel, timer), 1, 'an update goes around the timer')
  t.equal(call(m, FUNC.timer_cancel, timer), 0)
  m.firing = timer
  t.equal(call(m, FUNC.timer_cancel, timer), -EDEADLK)
  t.same([...map.sysLookup(new Uint8Array(4), 0)], [...Array(8).fill(9), ...Array(16).fill(0)])
})

t.test('time, task and memory', async (t) => {
  const m = machine()
  m.now = 5 * 2 ** 32 + 3
  t.equal(call(m, FUNC.ktime_get_ns), m.now)
  t.equal(call(m, FUNC.jiffies64), 2 ** 32 - 75000 + Math.floor(m.now / 4e6))
  t.equal(call(m, FUNC.get_current_pid_tgid), 2 ** 32 + 1)
  t.equal(call(m, FUNC.get_current_comm, OUT, 3), 0)
  t.equal(Buffer.from(m.mem.u8.slice(OUT, OUT + 3)).toString(), 'wi\0')
  t.equal(call(m, FUNC.get_prandom_u32) >= 0, true)
  u32(m, VALUE + PERCPU_STRIDE, 24)
  t.same([0, 1, 2].map((cpu) => call(m, FUNC.per_cpu_ptr, VALUE, cpu)), [VALUE, VALUE + 24, 0])
  m.host.now = 1
  t.equal(call(m, FUNC.this_cpu_ptr, VALUE), VALUE + 24)
  m.mem.u8.set(Buffer.from('abc\0def'), VALUE)
  t.equal(call(m, FUNC.probe_read_kernel, OUT, 7, VALUE), 0)
  t.equal(call(m, FUNC.probe_read_kernel_str, OUT, 7, VALUE), 4)
  t.equal(call(m, FUNC.probe_read_kernel_str, OUT, 3, VALUE), 3)
  t.equal(call(m, FUNC.probe_read_kernel, OUT, 7, 0), -ERANGE)
  t.equal(call(m, FUNC.probe_read_kernel, OUT, 7, 1n << 40n), -ERANGE)
  t.equal(call(m, FUNC.probe_read_kernel, OUT, 7, 0xffff8800deadbeefn), -EFAULT)
  t.equal(u32(m, OUT), 0)
})

t.test('printk lines', async (t) => {
  const m = machine()
  const print = (format: string, ...args: (number | bigint)[]): number => {
    m.mem.u8.set(Buffer.from(`${format}\0`, 'latin1'), VALUE)
    return call(m, FUNC.trace_printk, VALUE, format.length + 1, ...args)
  }
  m.mem.u8.set(Buffer.from('eth0\0'), OUT)
  m.mem.u8.set([10, 0, 0, 1], OUT + 16)
  t.equal(print('if %s: %pI4 %d%%\n', OUT, OUT + 16, -5n), 22)
  print('%x %lx %c', 0xfffffffff0n, 0xfffffffff0n, 65)
  print('%05d|%-5d|%+d', 42, 42, 42)
  print('%s', 0)
  t.same(m.printed, ['if eth0: 10.0.0.1 -5%\n', 'fffffff0 fffffffff0 A', '00042|42   |+42', ''])
})

t.test('SYN cookies are known again', async (t) => {
  const m = machine()
  const ip = Buffer.from('4500002c000100004006b6c20a0000010a000002', 'hex')
  const syn = Buffer.from('04d2005000000064000000006002ffff00000000020405b4', 'hex')
  m.mem.u8.set(ip, VALUE)
  m.mem.u8.set(syn, OUT)
  t.equal(call(m, FUNC.tcp_raw_gen_syncookie_ipv4, VALUE, OUT, 20), -EINVAL)
  const made = m.call(FUNC.tcp_raw_gen_syncookie_ipv4, [BigInt(VALUE), BigInt(OUT), 24n])
  t.equal(Number(made >> 32n), 1460)
  m.mem.view.setUint32(OUT + 4, 101, false)
  m.mem.view.setUint32(OUT + 8, Number((made + 1n) & 0xffffffffn), false)
  t.equal(call(m, FUNC.tcp_raw_check_syncookie_ipv4, VALUE, OUT), 0)
  m.mem.view.setUint32(OUT + 8, 12345, false)
  t.equal(call(m, FUNC.tcp_raw_check_syncookie_ipv4, VALUE, OUT), -13)
})

t.test('fib lookups fill the struct', async (t) => {
  const m = machine()
  m.run.progType = PROG_TYPE.XDP
  const xdp = m.xdp(new Uint8Array(60))
  const params = Buffer.alloc(64)
  params[0] = 2
  params.writeUInt32LE(1, 8)
  m.mem.u8.set(params, OUT)
  t.equal(call(m, FUNC.fib_lookup, xdp, OUT, 64, 0), 4)
  const [smac, dmac] = [Uint8Array.of(2, 0, 0, 0, 0, 1), Uint8Array.of(2, 0, 0, 0, 0, 2)]
  m.fib = { result: 0, ifindex: 1, metric: 100, mtu: 1500, gateway: Uint8Array.of(10, 0, 0, 9), smac, dmac }
  t.equal(call(m, FUNC.fib_lookup, xdp, OUT, 64, 0), 0)
  const got = Buffer.from(m.mem.u8.slice(OUT, OUT + 64))
  t.same([got.readUInt16LE(6), got.readUInt32LE(8), got.readUInt32LE(12)], [1500, 1, 100])
  t.equal(got.subarray(32, 36).toString('hex'), '0a000009')
  t.equal(got.subarray(48, 64).toString('hex'), '00000000020000000001020000000002')
  t.equal(m.mem.u32[(xdp + XDP_BUFF.data) >> 2]! > 0, true)
})
