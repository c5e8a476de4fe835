// `wire bench`: how fast a program, or a device with all that is attached to it, takes packets here, in real time. The one command of wire whose
// output differs from run to run; it leaves the machine as it was.
import { InputError } from '../../pkg/bytes/errors.js'
import type { Context } from '../../pkg/cli/index.js'
import { grammar, incomplete, parse, string, u32, type Words } from '../../pkg/grammar/index.js'
import { buildPacket, type PacketFields } from '../../pkg/packet/index.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import { frameOf, packetRows } from './packet.js'
import { DEV_ROW, placeOf, placeRows, positive, wrongValue, type PlaceWords } from './words.js'

type BenchWords = PlaceWords & { id?: number; name?: string; pinned?: string; count?: number } & PacketFields

export const BENCH = grammar<BenchWords>({
  name: 'wire bench', match: 'whole', helpStatus: 0, wrong: wrongValue, rows: [
    { word: 'id', type: u32('ID'), into: 'id', once: true, excludes: ['name', 'pinned', 'dev'] },
    { word: 'name', type: string('NAME'), into: 'name', once: true, excludes: ['id', 'pinned', 'dev'] },
    { word: 'pinned', type: string('PATH'), into: 'pinned', once: true, excludes: ['id', 'name', 'dev'] },
    { ...DEV_ROW, excludes: ['id', 'name', 'pinned'] },
    ...placeRows.filter(({ word }) => word !== DEV_ROW.word),
    { word: 'count', type: positive('N'), into: 'count', once: true },
    ...packetRows,
  ],
})

/** Each trial takes this many packets; the median of the trials counts. */
const PROG_COUNT = 200_000
const DEV_COUNT = 20_000
const TRIALS = 7

interface Measured {
  readonly what: string
  readonly count: number
  /** Real ns a packet, ascending. */
  readonly trials: readonly number[]
}

export function runBench(context: Context, words: Words): void {
  const asked = parse(BENCH, words, {})
  const kernel = context.write()
  const measured = asked.dev === undefined ? benchProg(kernel, asked) : benchDev(kernel, asked)
  context.rollback()
  print(context, measured)
}

function benchProg(kernel: Kernel, asked: BenchWords): Measured {
  const { id, name, pinned, count = PROG_COUNT, ...fields } = asked
  const prog = kernel.request('prog.info', { id: progId(kernel, id, name, pinned) })
  const run = { progId: prog.id, dataIn: buildPacket(fields), repeat: count }
  return { what: `prog ${prog.id} ${prog.name}`, count, trials: series(() => kernel.request('prog.test_run', run).duration) }
}

function progId(kernel: Kernel, id: number | undefined, name: string | undefined, pinned: string | undefined): number {
  if (id !== undefined) return id
  if (pinned !== undefined) return kernel.request('obj.get', { path: pinned }).id
  if (name === undefined) throw incomplete()
  const found = kernel.request('prog.list', {}).filter((prog) => prog.name === name)
  if (found.length === 1) return found[0]!.id
  throw new InputError(found.length === 0 ? `no program is called "${name}"` : `${found.length} programs are called "${name}"; use id`, 1)
}

/** Real time of what wire.send does with them: all the way, until the machine is idle. */
function benchDev(kernel: Kernel, asked: BenchWords): Measured {
  const { dev, direction, cpu, count = DEV_COUNT, id: _id, name: _name, pinned: _pinned, ...fields } = asked
  const { link, ...place } = placeOf(kernel, { ...(dev && { dev }), ...(direction && { direction }), ...(cpu !== undefined && { cpu }) })
  const frame = frameOf(kernel, link, place.direction, fields)
  const frames = Array.from({ length: count }, () => ({ ...frame, at: 0 }))
  const once = (): number => {
    const started = process.hrtime.bigint()
    kernel.request('wire.send', { ...place, frames })
    return Number(process.hrtime.bigint() - started) / count
  }
  return { what: `dev ${place.dev} ${place.direction}`, count, trials: series(once) }
}

function series(once: () => number): number[] {
  once()
  return Array.from({ length: TRIALS }, once).sort((a, b) => a - b)
}

function print({ out }: Context, { what, count, trials }: Measured): void {
  const best = round(trials[0]!)
  const median = round(trials[trials.length >> 1]!)
  out.object(null, () => {
    out.string('what', '%s:', what)
    out.shown('ns', ' %s ns a packet', median, String(median))
    out.shown('best', ' (best %s,', best, String(best))
    out.uint('count', ' %u packets a trial,', count)
    out.uint('trials', ' median of %u)\n', trials.length)
  })
}

const round = (ns: number): number => Math.round(ns * 10) / 10
