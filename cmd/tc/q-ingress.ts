// ingress and clsact (tc/q_ingress.c, q_clsact.c): no options.
import { grammar, parse, whatIs } from '../../pkg/grammar/index.js'
import type { QdiscKind } from './kinds.js'

const noWords = (kind: string): NonNullable<QdiscKind['parse']> => (_, words) => {
  const usage = `Usage: ... ${kind}`
  parse(grammar<object>({ name: `... ${kind}`, match: 'whole', helpStatus: 1, unknown: (word) => whatIs(word, usage), rows: [] }), words, {})
  return undefined
}

export const ingress: QdiscKind = {
  kind: 'ingress',
  parse: noWords('ingress'),
  print: ({ out }) => out.text('---------------- '),
}

export const clsact: QdiscKind = { kind: 'clsact', parse: noWords('clsact') }
