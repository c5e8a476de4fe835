// Differences between two behaviours of an object, as lines.
import { tellingLine } from '../object/behaviour-record.js'
import type { Behaviour, Run } from '../object/behaviour.js'

export function compareBehaviour(ours: Behaviour, real: Behaviour): string[] {
  if ((ours.err === 0) !== (real.err === 0)) {
    return [`VERDICT ${real.err === 0 ? 'refused here' : 'ACCEPTED here'}: ${ours.err} ${ours.err === -1 ? ours.log : tellingLine(ours.log)} | kernel: ${real.err} ${tellingLine(real.log)}`]
  }
  if (real.err !== 0) {
    // A log beyond the loader's buffer has no end.
    if (!/^processed /m.test(real.log) && real.log.includes('BEGIN PROG LOAD LOG')) return []
    const [mine, theirs] = [tellingLine(ours.log), tellingLine(real.log)]
    return mine === theirs ? [] : [`LOG ${mine} | kernel: ${theirs}`]
  }
  return [...compareRuns(ours.runs, real.runs), ...compareMaps(ours.maps, real.maps)]
}

const keyOf = (r: Run): string => `${r.prog} packet ${r.packet}${r.ctx ? ' ctx' : ''}${r.repeat > 1 ? ' repeat' : ''}`

function compareRuns(ours: readonly Run[], real: readonly Run[]): string[] {
  const mine = new Map(ours.map(run => [keyOf(run), run]))
  return real.flatMap(run => {
    const own = mine.get(keyOf(run))
    if (own === undefined) return [`RUN ${keyOf(run)}: missing`]
    return (['err', 'retval', 'out', 'ctxOut'] as const).filter(field => own[field] !== run[field])
      .map(field => `RUN ${keyOf(run)}: ${field} ${excerpt(own[field], run[field])}`)
  })
}

/** The whole of two short values, or where long ones part. */
function excerpt(ours: string | number | undefined, real: string | number | undefined): string {
  if (typeof ours !== 'string' || typeof real !== 'string') return `${ours} | kernel: ${real}`
  let at = 0
  while (at < ours.length && ours[at] === real[at]) at += 1
  at -= at % 2
  return `length ${ours.length / 2}/${real.length / 2}, at ${at / 2}: ${ours.slice(at, at + 32)} | kernel: ${real.slice(at, at + 32)}`
}

function compareMaps(ours: Behaviour['maps'], real: Behaviour['maps']): string[] {
  const sorted = (map: unknown): string[] => (Array.isArray(map) ? map.map(entry => JSON.stringify(deep(entry))).sort() : [])
  const deep = (value: unknown): unknown => (Array.isArray(value) && Array.isArray(value[0]) ? value.map(deep).map(v => JSON.stringify(v)).sort() : Array.isArray(value) ? value.map(deep) : value)
  const names = new Set([...Object.keys(ours), ...Object.keys(real)])
  return [...names].filter(name => !name.endsWith('.kconfig')).flatMap(name => {
    const [mine, theirs] = [sorted(ours[name]), sorted(real[name])]
    const wrong = theirs.find((entry, n) => mine[n] !== entry) ?? (mine.length > theirs.length ? '(fewer)' : undefined)
    return wrong === undefined ? [] : [`MAP ${name}: ${mine.length}/${theirs.length} entries; ${mine.find(entry => !theirs.includes(entry))?.slice(0, 200)} | kernel: ${wrong.slice(0, 200)}`]
  })
}
