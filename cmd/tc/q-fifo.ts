// pfifo, bfifo, pfifo_head_drop (tc/q_fifo.c)
import { InputError } from '../../pkg/bytes/errors.js'
import { grammar, parse, SIZE, type Words } from '../../pkg/grammar/index.js'
import type { Context } from '../../pkg/cli/index.js'
import { formatSize } from '../../pkg/units/index.js'
import type { QdiscKind } from './kinds.js'

type Options = { limit?: number }

const USAGE = 'Usage: ... <[p|b]fifo | pfifo_head_drop> [ limit NUMBER ]'

const words = (kind: string) => grammar<Options>({
  name: `qdisc ${kind}`, head: '... <[p|b]fifo | pfifo_head_drop>', match: 'whole', helpStatus: 1,
  unknown: (word) => new InputError(`${kind}: unknown parameter "${word}"\n${USAGE}`, 1),
  wrong: (text, key) => new InputError(`${kind}: Illegal value for "${key}": "${text}"`, 1),
  rows: [{ word: 'limit', type: { ...SIZE, name: 'NUMBER' }, into: 'limit' }],
})

const fifo = (kind: string, inBytes: boolean): QdiscKind => ({
  kind,
  parse: (_: Context, rest: Words) => (rest.more ? parse(words(kind), rest, {}) : undefined),
  print({ out }, options): void {
    const { limit } = options as { limit: number }
    if (inBytes) out.shown('limit', 'limit %s', limit, formatSize(limit))
    else out.uint('limit', 'limit %up', limit)
  },
})

export const pfifo = fifo('pfifo', false)
export const bfifo = fifo('bfifo', true)
export const pfifoHeadDrop = fifo('pfifo_head_drop', false)
