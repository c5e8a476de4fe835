// What a device's queues lead to (net/sched/sch_generic.c: dev_init_scheduler, attach_default_qdiscs, dev_graft_qdisc, dev_deactivate).
import { makeHandle, TC_H_ROOT } from '../units/handle.js'
import type { NetDev } from '../dev/types.js'
import { destroyTree, qdiscReset, treeOf } from './common.js'
import { defaultKind } from './kinds.js'
import { noop, noqueue, pfifoFast } from './sch-generic.js'
import { mq } from './sch-mq.js'
import { newQdisc, type DevSched, type Qdisc, type QdiscKind, type SchedEnv } from './types.js'

/** A device that was never up: noop everywhere. */
export function newDevSched(env: SchedEnv, dev: NetDev): DevSched {
  const port = { env, dev, queues: [] as Qdisc[], ingress: undefined, born: 0 } as unknown as DevSched
  setRoot(port, newQdisc(noop, port, 0, TC_H_ROOT, 0))
  return port
}

/** Makes `root` the qdisc of every tx queue (mq: its children are). */
export function setRoot(port: DevSched, root: Qdisc): void {
  port.root = root
  root.txq = port.dev.numTx === 1 ? 0 : -1
  port.queues = Array.from({ length: port.dev.numTx }, () => root)
}

/** mq_attach: a child of the default kind for every queue. */
export function attachMq(port: DevSched, root: Qdisc, kind: QdiscKind): void {
  setRoot(port, root)
  for (let queue = 0; queue < port.dev.numTx; queue += 1) {
    const child = newQdisc(kind, port, 0, makeHandle(root.handle >>> 16, queue + 1), (port.born += 1))
    child.txq = queue
    kind.init(child, undefined)
    port.queues[queue] = child
  }
}

/** dev_activate: a device without a qdisc of its own gets the default ones. */
export function activateDev(port: DevSched, defaultQdisc: string): void {
  if (port.root.kind !== noop) return
  const single = defaultKind(defaultQdisc, port.env) ?? pfifoFast
  const { noQueue } = port.dev.kind.defaults(port.dev.tun ? { tun: port.dev.tun } : {})
  const spread = noQueue !== true && port.dev.numTx > 1
  const kind = noQueue === true ? noqueue : spread ? mq : single
  const root = newQdisc(kind, port, 0, TC_H_ROOT, (port.born += 1))
  kind.init(root, undefined)
  if (spread) attachMq(port, root, single)
  else setRoot(port, root)
}

/** dev_deactivate: what waits is thrown away; the qdiscs stay. */
export function deactivateDev(port: DevSched): void {
  for (const q of treeOf(port.root)) {
    qdiscReset(q)
    port.env.watchdogCancel(q)
  }
}

/** dev_shutdown: the device is going. */
export function shutdownDev(port: DevSched): void {
  destroyTree(port.root)
  if (port.ingress) destroyTree(port.ingress)
  port.ingress = undefined
  setRoot(port, newQdisc(noop, port, 0, TC_H_ROOT, 0))
}
