// Class requests of the programmable qdisc (the sch_bpf RFC of 2021).
import { KernelError } from '../bytes/errors.js'
import { EINVAL } from '../uapi/errno.js'
import { destroyTree, qdiscReset, treeReduceBacklog } from './common.js'
import { classBacklog, newBpfClass, removeFlow, type BpfClass } from './sch-bpf-class.js'
import { bpfPriv as priv } from './sch-bpf-priv.js'
import type { ClassOps, Qdisc } from './types.js'

/** Packets that left through no dequeue. */
function forget(q: Qdisc, packets: number, bytes: number): void {
  q.qlen -= packets
  q.backlog -= bytes
  treeReduceBacklog(q, packets, bytes)
}

export const bpfClassOps: ClassOps = {
  find: (q, classid) => priv(q).classes.find((cls) => cls.classid === classid >>> 0),
  change(q, classid, _parent, _options, existing) {
    if (existing !== undefined) return
    if (classid === 0) throw new KernelError(EINVAL, 'Class 0 is the default queue')
    const { config, classes } = priv(q)
    classes.push(newBpfClass(q.port.env.skbs, classid >>> 0, config.order === 'max'))
    classes.sort((a, b) => a.classid - b.classid)
  },
  delete(q, cls) {
    const gone = cls as BpfClass
    const state = priv(q)
    const { qlen, backlog } = classBacklog(gone)
    for (let skb = gone.queue.pop(); skb !== 0; skb = gone.queue.pop()) q.port.env.drop(skb, 'QUEUE_PURGE')
    state.held = 0
    if (gone.child) destroyTree(gone.child)
    forget(q, qlen, backlog)
    if (gone.order !== undefined) removeFlow(state, gone)
    state.classes = state.classes.filter((other) => other !== gone)
    state.held = 0
  },
  graft(q, cls, child) {
    const c = cls as BpfClass
    const old = c.child
    if (old) {
      forget(q, old.qlen, old.backlog)
      qdiscReset(old)
    }
    c.child = child
    if (c.order !== undefined && classBacklog(c).qlen === 0) removeFlow(priv(q), c)
    return old
  },
  leaf: (_q, cls) => (cls as BpfClass).child,
  walk: (q) => priv(q).classes,
  dump(q, cls) {
    const c = cls as BpfClass
    return {
      classid: c.classid, parent: q.handle, leaf: c.child?.handle ?? 0,
      stats: {
        bytes: c.bytes, packets: c.packets, drops: c.drops, overlimits: c.overlimits, requeues: c.requeues, ...classBacklog(c),
      },
    }
  },
}
