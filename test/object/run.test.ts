// What whole objects do: fixtures/run/NAME.json holds the real kernel's answers (test/oracle/run-objects.ts --save) to every program of
// NAME.o on every frame of packets.txt - verdicts, frames, contexts, map contents - and both engines must give the same.
import { readFileSync, readdirSync } from 'node:fs'
import t from 'tap'
import { root } from '../support/root.js'
import { behaviourOf } from './behaviour.js'
import { recordOf } from './behaviour-record.js'

for (const name of readdirSync(root('fixtures', 'run')).filter(file => file.endsWith('.o'))) {
  t.test(name, t => {
    const object = new Uint8Array(readFileSync(root('fixtures', 'run', name)))
    const recorded = JSON.parse(readFileSync(root('fixtures', 'run', name.replace('.o', '.json')), 'utf8')) as unknown
    for (const jit of [true, false]) t.same(recordOf(behaviourOf(object, name, jit)), recorded, jit ? 'JIT' : 'interpreter')
    t.end()
  })
}
