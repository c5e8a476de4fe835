// npm run bench [-- engines|commands …]: JSON with medians and ratios of one run on one machine. Never a test: nothing fails here.
import { cpus } from 'node:os'
import { measureBatch, measureCommands, measureFirstVerdict } from './commands.js'
import { measureEngines } from './engine.js'
import { measureQdiscs } from './qdiscs.js'
import { measureVerifier } from './verifier.js'

const PARTS: Readonly<Record<string, () => unknown>> = {
  engines: () => measureEngines(),
  commands: () => measureCommands(),
  batch: () => measureBatch(),
  firstVerdict: () => measureFirstVerdict(),
  verifier: () => measureVerifier(),
  qdiscs: () => measureQdiscs(),
}

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !(name in PARTS))
if (unknown.length > 0) {
  process.stderr.write(`bench: no part "${unknown.join(' ')}"; there are ${Object.keys(PARTS).join(', ')}\n`)
  process.exitCode = 1
} else {
  const names = asked.length > 0 ? asked : Object.keys(PARTS)
  const report = Object.fromEntries(names.map((name) => [name, PARTS[name]!()]))
  const machine = { node: process.version, cpu: cpus()[0]?.model ?? '', cpus: cpus().length }
  process.stdout.write(`${JSON.stringify({ machine, ...report }, round, 2)}\n`)
}

function round(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Math.round(value * 1000) / 1000 : value
}
