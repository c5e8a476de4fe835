// npm run fuzz [-- KIND] [--seconds N] [--seed N]: every fuzzer, or one, for some time; seeds that fail are printed.
import { fuzzEngines } from './engine.js'

/** A fuzzer says undefined when its invariant held for a seed, else what broke it. */
type Fuzzer = (seed: number) => string | undefined

const FUZZERS: Readonly<Record<string, Fuzzer>> = {
  engine: fuzzEngines,
}

function option(name: string, otherwise: number): number {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? otherwise : Number(process.argv[at + 1])
}

const asked = process.argv[2]
const names = asked === undefined || asked.startsWith('--') ? Object.keys(FUZZERS) : [asked]
const seconds = option('seconds', 10)
let failed = 0
for (const name of names) {
  const fuzzer = FUZZERS[name]
  if (fuzzer === undefined) {
    console.error(`no such fuzzer: ${name} (${Object.keys(FUZZERS).join(', ')})`)
    process.exit(255)
  }
  const until = performance.now() + seconds * 1000
  let seed = option('seed', 1)
  const first = seed
  for (; performance.now() < until; seed++) {
    const broken = fuzzer(seed)
    if (broken === undefined) continue
    failed++
    console.log(broken)
  }
  console.log(`${name}: ${seed - first} seeds, ${failed} failed`)
}
process.exit(failed > 0 ? 1 : 0)
