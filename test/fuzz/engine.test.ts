// The differential fuzzer's first seeds; `npm run fuzz engine --seconds N` runs more.
import t from 'tap'
import { fuzzEngines } from './engine.js'

const SEEDS = 2000
for (let seed = 1; seed <= SEEDS; seed++) {
  const difference = fuzzEngines(seed)
  if (difference !== undefined) t.fail(difference)
}
t.pass(`${SEEDS} seeds`)
