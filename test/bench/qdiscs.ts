// Whole way of a frame from a local socket through a NIC's qdisc to the wire, ns a frame: qdiscs in BPF against pfifo_fast of the same run.
// Linux publishes 1.07 for a fifo (12.52 against 11.72 Gb/s).
import { readFileSync } from 'node:fs'
import { bootMemory } from '../../pkg/kernel/boot.js'
import { tools } from '../../pkg/kernel/tools.js'
import { loadObject } from '../../pkg/object/load.js'
import { openObject } from '../../pkg/object/open.js'
import { attachStructOps } from '../../pkg/object/struct-ops-attach.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import { root } from '../support/root.js'

const FRAMES = 20_000
const RUNS = 9
const ROOT = 0xffffffff

interface Row {
  readonly nsPerFrame: number
  readonly ratio?: number
}

/** The programs' kinds each with pfifo_fast measured in turns, so that a busy machine slows both. */
export function measureQdiscs(): Record<string, Row> {
  const plain = machine('pfifo_fast')
  const kinds = [['bpf_ring', 'ring.o'], ['bpf_fifo', 'fifo.o']] as const
  const rows: Record<string, Row> = {}
  for (const [kind, object] of kinds) {
    const own = machine(kind, object)
    const [base, ours] = [[] as number[], [] as number[]]
    for (let n = 0; n < RUNS; n += 1) {
      base.push(send(plain))
      ours.push(send(own))
    }
    rows['pfifo_fast'] ??= { nsPerFrame: median(base) }
    rows[kind] = { nsPerFrame: median(ours), ratio: median(ours) / median(base) }
  }
  return rows
}

function machine(kind: string, object?: string): Kernel {
  const kernel = bootMemory({ toolchain: () => tools })
  kernel.request('wire.set', { dev: 'eth0', rate: 0, ring: 1024 })
  if (object !== undefined) {
    const spec = openObject(readFileSync(root('fixtures', 'struct_ops', object)), { file: object })
    attachStructOps(kernel, loadObject(spec, kernel).tables[0]!)
  }
  kernel.request('qdisc.new', { dev: 'eth0', kind, parent: ROOT, handle: 0x10000, create: true, excl: true, replace: false })
  return kernel
}

function send(kernel: Kernel): number {
  const bytes = new Uint8Array(100)
  bytes.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45])
  const frames = Array.from({ length: FRAMES }, () => ({ bytes, at: 0 }))
  const start = process.hrtime.bigint()
  kernel.request('wire.send', { dev: 'eth0', direction: 'tx', frames })
  return Number(process.hrtime.bigint() - start) / FRAMES
}

const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1]!
