// Every case of fixtures/verifier and of its objects against the real kernel's recorded verdict: accepted or refused, errno, telling line.
import t from 'tap'
import { allCases, byTheme, differenceOf, knownDisagreements, oursText } from './agreement.js'

const known = knownDisagreements()
const themes = byTheme(allCases(), one => one.theme)
for (const [theme, cases] of themes) {
  t.test(theme, async t => {
    for (const one of cases) {
      const ours = oursText(one)
      const recorded = one.verdict ?? 'nothing recorded'
      const same = differenceOf(recorded, ours) === 'same'
      if (known.has(one.name)) t.notOk(same, `${one.name} agrees now: its row in disagreements.txt can go`)
      else t.equal(same ? recorded : ours, recorded, one.name)
    }
  })
}

t.test('disagreements are of cases that exist', async t => {
  const names = new Set([...themes.values()].flat().map(one => one.name))
  t.same([...known.keys()].filter(name => !names.has(name)), [])
})
