// A behaviour as fixtures/run/*.json keep it: short, sorted, without what differs between machines.
import { createHash } from 'node:crypto'
import { packets, userCtx, XDP_META, type Behaviour, type Entries, type Run } from './behaviour.js'

export interface BehaviourRecord {
  readonly err: number
  /** Why it was refused: the log's last telling line. */
  readonly why: string
  /** 'prog packet[ ctx][ repeat]' -> 'errno N' or 'retval frame[ context]'; = is what went in. */
  readonly runs: Readonly<Record<string, string>>
  readonly maps: Readonly<Record<string, Entries>>
}

export function recordOf({ err, log, runs, maps }: Behaviour): BehaviourRecord {
  return {
    err, why: err === 0 ? '' : tellingLine(log),
    runs: Object.fromEntries(runs.map(run => [runName(run), resultOf(run)])),
    maps: Object.fromEntries(Object.keys(maps).filter(name => !name.endsWith('.kconfig')).sort().map(name => [name, sorted(maps[name]!)])),
  }
}

const NOISE = /^(processed |verification time|stack depth|-- END|libbpf: |arg#|func#|$)/

/** The last line of a log that says why. */
export function tellingLine(log: string): string {
  const whole = /-- BEGIN PROG LOAD LOG --\n([^]*?)-- END PROG LOAD LOG --/.exec(log)?.[1] ?? log
  return whole.split('\n').filter(line => !NOISE.test(line)).at(-1)?.trim() ?? log.trim().split('\n').at(-1) ?? ''
}

export const runName = (r: Run): string => `${r.prog} ${r.packet}${r.ctx ? ' ctx' : ''}${r.repeat > 1 ? ` x${r.repeat}` : ''}`

function resultOf(run: Run): string {
  if (run.err !== 0) return `errno ${run.err}`
  const words = [String(run.retval), frame(run)]
  if (run.ctx) words.push(context(run))
  return words.join(' ')
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const SHORT = 64

function frame({ packet, out = '' }: Run): string {
  const sent = hex(packets[packet]!)
  if (out === sent) return '='
  if (out === hex(XDP_META) + sent) return 'meta='
  return out.length <= 2 * SHORT ? out : `${out.length / 2}:${createHash('sha256').update(out).digest('hex').slice(0, 16)}`
}

function context({ packet, ctxOut = '' }: Run): string {
  const given = hex(userCtx(ctxOut.length === 48, packets[packet]!.length))
  return ctxOut === given ? '=' : ctxOut.replace(/(00)+$/, '')
}

function sorted(entries: Entries): Entries {
  const inner = entries.map(([key, value]): Entries[0] => [key, Array.isArray(value) ? sorted(value) : value])
  return inner.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
}
