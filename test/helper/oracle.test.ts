// Helpers against the recorded answers of Linux 6.18 (test/oracle/helper-calls.py asks it).
import { readFileSync } from 'node:fs'
import t from 'tap'
import { STACK_TOP } from '../../pkg/mem/layout.js'
import { FUNC, PROG_TYPE } from '../../pkg/uapi/bpf.js'
import { root } from '../support/root.js'
import type { NewTestMap } from '../map/host.js'
import { AREA, TestMachine } from './machine.js'

/** Integers beyond 2^53 are hex strings. */
type Arg = number | string | { mem: string } | { str: string } | { stack: number } | { map: number }
type Answer = [r0: string, ...memory: string[]]

interface Case {
  title: string
  type: 'cls' | 'xdp' | 'filter'
  packet: string
  maps?: (NewTestMap & { init?: [string, string][] })[]
  calls: [keyof typeof FUNC, Arg[]][]
  results: Answer[]
  after: string
}

/** A filter sees the frame from behind its MAC header, which BPF_PROG_TEST_RUN gives back as zeros. */
const MAC = 14
const TYPES = { cls: PROG_TYPE.SCHED_CLS, xdp: PROG_TYPE.XDP, filter: PROG_TYPE.SOCKET_FILTER }
const cases = JSON.parse(readFileSync(root('fixtures/helper/calls.json'), 'utf8')) as Case[]

/** One machine for all: a case leaves nothing behind. */
const machine = new TestMachine()

function replay({ type, packet, maps = [], calls }: Case): { results: Answer[]; after: string } {
  const frame = Uint8Array.from(Buffer.from(packet, 'hex'))
  machine.run.progType = TYPES[type]
  const ctx = type === 'xdp' ? machine.xdp(frame) : machine.skb(frame)
  if (type === 'filter') machine.skbs.pull(ctx, MAC)
  const addrs = maps.map(newMap)
  let top = AREA
  const memories: [number, number][][] = []
  const r0 = calls.map(([name, args]) => {
    const memory: [number, number][] = []
    memories.push(memory)
    const values = args.map((arg) => {
      if (arg === 'ctx') return BigInt(ctx)
      if (typeof arg !== 'object') return BigInt(arg)
      if ('stack' in arg) return BigInt(STACK_TOP - arg.stack)
      if ('map' in arg) return BigInt(addrs[arg.map]!)
      const bytes = 'mem' in arg ? Buffer.from(arg.mem, 'hex') : Buffer.from(`${arg.str}\0`, 'latin1')
      const at = top
      machine.mem.u8.set(bytes, at)
      top += bytes.length + 8
      if ('mem' in arg) memory.push([at, bytes.length])
      return BigInt(at)
    })
    const r0 = machine.call(FUNC[name], values)
    return r0 !== 0n && POINTERS.includes(name) ? 'pointer' : r0.toString(16).padStart(16, '0')
  })
  const results = r0.map((value, n): Answer => [value, ...memories[n]!.map(([at, size]) => hex(machine.mem.u8.slice(at, at + size)))])
  const bytes = type === 'xdp' ? machine.xdpBytes() : machine.skbs.bytes(ctx)
  const after = (type === 'filter' ? '00'.repeat(MAC) : '') + hex(bytes)
  return { results, after: after === packet ? '' : short(after) }
}

/** Helpers whose result is an address. */
const POINTERS: readonly string[] = ['map_lookup_elem', 'map_lookup_percpu_elem']

function newMap({ init = [], ...wanted }: NewTestMap & { init?: [string, string][] }): number {
  const map = machine.host.create(wanted)
  for (const [key, value] of init) map.sysUpdate(Uint8Array.from(Buffer.from(key, 'hex')), Uint8Array.from(Buffer.from(value, 'hex')), 0)
  return map.addr
}

/** Long runs of zero bytes as [count]. */
function short(text: string): string {
  return text.replace(/(?:00){24,}/g, (zeros) => `[${zeros.length / 2}]`)
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

t.test('helpers answer as the kernel does', async (t) => {
  t.ok(cases.length > 1000)
  for (const one of cases) {
    const got = replay(one)
    const want = { results: one.results, after: one.after }
    if (JSON.stringify(got) !== JSON.stringify(want)) t.same(got, want, `${one.title} ${JSON.stringify(one.calls)}`)
  }
})

t.test('bpf_trace_printk writes what the kernel writes', async (t) => {
  type Row = [format: string, args: (number | string | { mem: string })[], r0: string, line: string]
  const rows = JSON.parse(readFileSync(root('fixtures/helper/printk.json'), 'utf8')) as Row[]
  for (const [format, args, want, line] of rows) {
    const at = [format, ...args].map((_, i) => AREA + 256 * i)
    machine.mem.u8.fill(0, AREA, AREA + 2048)
    machine.mem.u8.set(Buffer.from(format, 'latin1'), AREA)
    const values = args.map((arg, i) => {
      if (typeof arg !== 'object') return BigInt(arg)
      machine.mem.u8.set(Buffer.from(arg.mem, 'hex'), at[i + 1]!)
      return BigInt(at[i + 1]!)
    })
    const r0 = machine.call(FUNC.trace_printk, [BigInt(AREA), BigInt(format.length + 1), ...values])
    t.same([r0.toString(16).padStart(16, '0'), `${machine.printed.pop()}\n`], [want, line], format)
  }
})
