// One child per transmit queue (net/sched/sch_mq.c). The classes are the queues: 1:1 is queue 0.
import { KernelError } from '../bytes/errors.js'
import type { TcStats } from '../request/rtnl.js'
import { EOPNOTSUPP } from '../uapi/errno.js'
import { makeHandle, minor } from '../units/handle.js'
import { qdiscStats } from './common.js'
import { noop } from './sch-generic.js'
import { newQdisc, type Qdisc, type QdiscKind } from './types.js'

/** A class of mq: the number of its tx queue. */
interface MqClass {
  queue: number
}

const classOf = (q: Qdisc, queue: number): MqClass | undefined => (queue >= 0 && queue < q.port.dev.numTx ? { queue } : undefined)

const childOf = (q: Qdisc, cls: unknown): Qdisc => q.port.queues[(cls as MqClass).queue]!

export const mq: QdiscKind = {
  kind: 'mq',
  mq: true,
  init(q) {
    if (q.parent !== 0xffffffff || q.port.dev.numTx === 1) throw new KernelError(EOPNOTSUPP)
  },
  enqueue: () => {
    throw new Error('mq has no queue of its own')
  },
  dequeue: () => 0,
  peek: () => 0,
  reset() {},
  stats(q) {
    const sum: TcStats = { bytes: 0, packets: 0, drops: 0, overlimits: 0, requeues: 0, backlog: 0, qlen: 0 }
    for (const child of q.port.queues) {
      sum.bytes += child.bytes
      sum.packets += child.packets
      sum.drops += child.drops
      sum.overlimits += child.overlimits
      sum.requeues += child.requeues
      sum.backlog += child.backlog
      sum.qlen += child.qlen
    }
    return sum
  },
  classes: {
    find: (q, classid) => classOf(q, minor(classid) - 1),
    graft(q, cls, child) {
      const { queue } = cls as MqClass
      const old = q.port.queues[queue]!
      q.port.queues[queue] = child ?? newQdisc(noop, q.port, 0, 0, 0)
      q.port.queues[queue]!.txq = queue
      return old
    },
    leaf: (q, cls) => (childOf(q, cls).kind === noop ? undefined : childOf(q, cls)),
    walk: (q) => Array.from({ length: q.port.dev.realTx }, (_, queue) => ({ queue })),
    dump(q, cls) {
      const child = childOf(q, cls)
      return {
        classid: makeHandle(q.handle >>> 16, (cls as MqClass).queue + 1), parent: 0xffffffff, leaf: child.handle, stats: qdiscStats(child),
      }
    },
  },
}
