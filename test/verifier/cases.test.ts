// Every case of fixtures/verifier/cases: verdict and telling line are those that the 6.18 kernel gave (test/oracle/verifier.ts records them).
import { readFileSync, readdirSync } from 'node:fs'
import t from 'tap'
import { root } from '../support/root.js'
import { parseCases } from './case.js'
import { outcomeOf, verifyCase } from './run.js'

for (const file of readdirSync(root('fixtures', 'verifier', 'cases')).filter(f => f.endsWith('.txt')).sort()) {
  t.test(file, t => {
    for (const c of parseCases(file, readFileSync(root('fixtures', 'verifier', 'cases', file), 'utf8'))) {
      const got = outcomeOf(verifyCase(c))
      if (c.gap === undefined) t.equal(got, c.want, c.title)
      else t.match(got, /: not supported yet: /, `${c.title} (gap: ${c.gap})`)
    }
    t.end()
  })
}
