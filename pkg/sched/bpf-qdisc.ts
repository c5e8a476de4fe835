// Qdiscs whose operations are BPF programs (struct Qdisc_ops as struct_ops): net/sched/bpf_qdisc.c. Frames wait wherever the programs
// put them; the struct Qdisc that programs see lies in memory and is held against ours around every run.
import { Bug, KernelError, must } from '../bytes/errors.js'
import { CONTEXTS } from '../mem/layout.js'
import { EINVAL, type Errno } from '../uapi/errno.js'
import { TC_H_ROOT } from '../units/handle.js'
import { MEMBERS, type BpfQdiscs, type QdiscMember, type QdiscTable } from './bpf-qdisc-run.js'
import { treeOf } from './common.js'
import { NET_XMIT, type Qdisc, type QdiscKind, type SchedEnv } from './types.js'

/** struct Qdisc, 6.18. */
const QDISC = { flags: 16, limit: 20, handle: 56, parent: 60, dev_queue: 64, refcnt: 100, qlen: 168, bytes: 176, packets: 184, qstats: 192 } as const
/** struct gnet_stats_queue: qlen, backlog, drops, requeues, overlimits. */
const QSTATS = { backlog: QDISC.qstats + 4, drops: QDISC.qstats + 8, requeues: QDISC.qstats + 12, overlimits: QDISC.qstats + 16 } as const
/** Behind struct Qdisc: struct netdev_queue, whose first member is its device. */
const DEV_QUEUE = 1024
const MEMORY = 2048
const HARD_HEADER_LEN = 180
/** The arguments of a callback; what they say in the third place is for kernel functions alone. */
const ARGS = CONTEXTS + 0xe00
const TO_FREE = CONTEXTS + 0xe80

interface Priv {
  readonly shared: BpfQdiscs
  readonly table: QdiscTable
  readonly memory: string
  addr: number
}

const priv = (q: Qdisc): Priv => q.priv as Priv
const bpf = (q: Qdisc): BpfQdiscs => must(q.port.env.bpf, 'qdiscs in BPF')

/** The kind that a registered table makes; undefined: no table has that name. */
export function bpfQdiscKind(env: SchedEnv, name: string): QdiscKind | undefined {
  return env.bpf?.host.registered(name) ? savedBpfQdiscKind(env, name) : undefined
}

/** The kind of instances in the state, which outlive the registration. */
export function savedBpfQdiscKind(env: SchedEnv, name: string): QdiscKind | undefined {
  if (!env.bpf) return undefined
  return {
    kind: name, ownState: true, init, enqueue, dequeue, peek, reset, destroy,
    save: (q) => ({ mapId: priv(q).table.mapId, memory: priv(q).memory }),
    restore: (q, record) => {
      const { mapId, memory } = record as { mapId: number; memory: string }
      q.priv = open(q, bpf(q).host.table(mapId), memory)
    },
  }
}

function open(q: Qdisc, table: QdiscTable, memory: string): Priv {
  const addr = bpf(q).host.memory(memory, MEMORY)
  const { u32, u16 } = q.port.env.skbs
  const dev = bpf(q).devStruct(q.port.dev.ifindex)
  u16[(dev + HARD_HEADER_LEN) >> 1] = q.port.dev.address.length === 0 ? 0 : 14
  u32[(addr + QDISC.handle) >> 2] = q.handle
  u32[(addr + QDISC.parent) >> 2] = q.parent
  u32[(addr + QDISC.refcnt) >> 2] = 1
  u32[(addr + QDISC.dev_queue) >> 2] = addr + DEV_QUEUE
  u32[(addr + DEV_QUEUE) >> 2] = dev
  return { shared: bpf(q), table, memory, addr }
}

/** bpf_qdisc_init_prologue and the table's init. */
function init(q: Qdisc): void {
  checkPlace(q)
  const { host } = bpf(q)
  const table = must(host.registered(q.kind.kind), q.kind.kind)
  const memory = `qdisc.${q.port.dev.ifindex}.${q.born}`
  host.hold(table.mapId)
  q.priv = open(q, table, memory)
  const result = run(q, 'init', priv(q).addr, 0, 0)
  if (result >= 0) return
  destroy(q)
  throw new KernelError(-result as Errno)
}

/** A parent that is not there yet is an mq that is being made. */
function checkPlace(q: Qdisc): void {
  if (q.parent === TC_H_ROOT) return
  const parent = treeOf(q.port.root).find((p) => p.handle !== 0 && p.handle >>> 16 === q.parent >>> 16)
  if (parent && !parent.kind.mq) throw new KernelError(EINVAL, 'BPF qdisc only supported on root or mq')
}

/** Runs a member with its arguments; the low half of what it returns. */
function run(q: Qdisc, member: QdiscMember, a: number, b: number, c: number): number {
  const { shared, table } = priv(q)
  const id = table.progs[member]
  if (id === 0) return 0
  const { env } = q.port
  const { u32 } = env.skbs
  const at = ARGS >> 2
  u32[at] = a
  u32[at + 1] = 0
  u32[at + 2] = b
  u32[at + 3] = 0
  u32[at + 4] = c
  u32[at + 5] = 0
  const prog = env.prog(id)
  if (!prog) throw new Bug(`program ${id} of a qdisc is gone`)
  show(q)
  shared.begin(q)
  const result = prog.run(ARGS)
  see(q)
  shared.end()
  return result
}

/** The accounts as the program finds them … */
function show(q: Qdisc): void {
  const { u32 } = q.port.env.skbs
  const { addr } = priv(q)
  u32[(addr + QDISC.qlen) >> 2] = q.qlen
  u32[(addr + QSTATS.backlog) >> 2] = q.backlog
  u32[(addr + QSTATS.drops) >> 2] = q.drops
  u32[(addr + QSTATS.requeues) >> 2] = q.requeues
  u32[(addr + QSTATS.overlimits) >> 2] = q.overlimits
}

/** … and leaves them. */
function see(q: Qdisc): void {
  const { u32 } = q.port.env.skbs
  const { addr } = priv(q)
  q.qlen = u32[(addr + QDISC.qlen) >> 2]!
  q.backlog = u32[(addr + QSTATS.backlog) >> 2]!
  q.drops = u32[(addr + QSTATS.drops) >> 2]!
  q.requeues = u32[(addr + QSTATS.requeues) >> 2]!
  q.overlimits = u32[(addr + QSTATS.overlimits) >> 2]!
}

const KNOWN: ReadonlySet<number> = new Set([NET_XMIT.SUCCESS, NET_XMIT.DROP, NET_XMIT.CN])

function enqueue(q: Qdisc, skb: number): number {
  priv(q).shared.own(skb, 1)
  const result = run(q, 'enqueue', skb, priv(q).addr, TO_FREE)
  if (KNOWN.has(result)) return result
  q.port.env.warn(`qdisc ${q.kind.kind}: enqueue returned ${result}, which is no NET_XMIT code`)
  return result & 3
}

function dequeue(q: Qdisc): number {
  const skb = run(q, 'dequeue', priv(q).addr, 0, 0)
  if (skb !== 0) priv(q).shared.own(skb, 0)
  return skb
}

/** qdisc_peek_dequeued: takes one out and keeps it at hand. */
function peek(q: Qdisc): number {
  if (q.stash.head !== 0) return q.stash.head
  const skb = dequeue(q)
  if (skb === 0) return 0
  q.stash.push(skb)
  q.qlen += 1
  q.backlog += q.port.env.skbs.pktLen(skb)
  return skb
}

/** The program, then bpf_qdisc_reset_destroy_epilogue. */
function reset(q: Qdisc): void {
  run(q, 'reset', priv(q).addr, 0, 0)
  q.port.env.watchdogCancel(q)
}

function destroy(q: Qdisc): void {
  const { table, memory } = priv(q)
  run(q, 'destroy', priv(q).addr, 0, 0)
  q.port.env.watchdogCancel(q)
  bpf(q).host.forget(memory)
  bpf(q).host.release(table.mapId)
}

export const isMember = (name: string): name is QdiscMember => (MEMBERS as readonly string[]).includes(name)
