// Keyword tables: requests, the sentences of iproute2, usage and completion from the same rows.
import t, { type Test } from 'tap'
import {
  complete, DEVICE, duparg2, FILE, grammar, isPrefix, matches, nested, ON_OFF, parse, select, string, u32, usage, Words, type Grammar,
} from '../../pkg/grammar/index.js'

type Bpf = { off?: true; file?: string; section?: string; verbose?: true }
const BPF = grammar<Bpf>({
  name: 'bpf', match: 'prefix', open: true, rows: [
    { word: 'off', match: 'whole', into: 'off', once: true, last: true },
    { word: 'object', type: FILE, into: 'file', once: true },
    { word: 'section', type: string('NAME'), into: 'section', once: true },
    { word: 'verbose', into: 'verbose', once: true },
  ],
})
type Peer = { name?: string }
type Set = { dev?: string; up?: boolean; mtu?: number; arp?: boolean; xdp?: Bpf; kind?: string; options?: Peer; names?: string[] }
const PEER = grammar<Peer>({ name: 'veth', match: 'whole', open: true, rows: [{ word: 'peer', type: string('NAME'), into: 'name', once: true }] })
const SET: Grammar<Set> = grammar<Set>({
  name: 'ip link set', match: 'whole', unknown: (word) => duparg2('dev', word), rows: [
    { word: 'dev', type: DEVICE, into: 'dev', bare: true, once: 'either' },
    { word: 'up', into: 'up' },
    { word: 'down', into: 'up', value: false },
    { word: 'mtu', aliases: ['MTU'], type: u32('MTU'), into: 'mtu', once: true },
    { word: 'arp', type: ON_OFF, into: 'arp' },
    { word: 'xdp', into: 'xdp', sub: nested(BPF) },
    { word: 'type', type: string('TYPE'), into: 'kind', sub: (kind: string) => (kind === 'veth' ? nested(PEER) : undefined), subInto: 'options' },
    { word: 'altname', type: string('NAME'), into: 'names', many: true },
    { word: 'vf', into: 'dev', unsupported: true },
  ],
})

const says = (t: Test, words: string, message: string, status: number): void => {
  t.throws(() => parse(SET, words.split(' ').filter((word) => word !== ''), {}), { message, status }, words)
}

t.test('words become a request', async (t) => {
  t.strictSame(parse(SET, ['eth0', 'up', 'mtu', '1400', 'arp', 'off'], {}), { dev: 'eth0', up: true, mtu: 1400, arp: false })
  t.strictSame(parse(SET, ['dev', 'up', 'down'], {}), { dev: 'up', up: false })
  t.strictSame(parse(SET, ['eth0', 'xdp', 'obj', 'x.o', 'sec', 'xdp', 'mtu', '9'], {}), { dev: 'eth0', xdp: { file: 'x.o', section: 'xdp' }, mtu: 9 })
  t.strictSame(parse(SET, ['eth0', 'xdp', 'off', 'up'], {}), { dev: 'eth0', xdp: { off: true }, up: true })
  t.strictSame(parse(SET, ['type', 'veth', 'peer', 'x', 'up'], {}), { kind: 'veth', options: { name: 'x' }, up: true })
  t.strictSame(parse(SET, ['altname', 'a', 'altname', 'b'], {}), { names: ['a', 'b'] })
})

t.test('and what is wrong is said in the known words', async (t) => {
  says(t, 'eth0 mtu', 'Command line is not complete. Try option "help"', 255)
  says(t, 'eth0 mtu abc', 'Error: argument "abc" is wrong: Invalid "mtu" value\n', 255)
  says(t, 'eth0 mtu 1 MTU 2', 'Error: duplicate "mtu": "2" is the second value.', 255)
  says(t, 'eth0 blah', 'Error: either "dev" is duplicate, or "blah" is a garbage.', 255)
  says(t, 'dev eth0 dev eth1', 'Error: either "dev" is duplicate, or "eth1" is a garbage.', 255)
  says(t, 'eth0 arp maybe', 'Error: argument of "arp" must be "on" or "off", not "maybe"', 1)
  says(t, 'eth0 vf 1', 'not supported yet: ip link set vf', 2)
  t.throws(() => parse(grammar<Peer>({ name: 'x', match: 'prefix', rows: [] }), ['foo'], {}), { message: 'What is "foo"?\nUsage: x', status: 1 })
  t.throws(() => parse(SET, ['help'], {}), { message: /^Usage: ip link set/, status: 255 })
})

t.test('abbreviations: first of the table', async (t) => {
  const table = [{ word: 'add' }, { word: 'delete' }, { word: 'address', match: 'whole' as const }, { word: 'show', aliases: ['list', 'lst'] }]
  t.strictSame(['a', 'd', 'ad', 'address', 's', 'li', 'x', ''].map((word) => select(table, word)?.word), ['add', 'delete', 'add', 'address', 'show', 'show', undefined, undefined])
  t.strictSame([matches('', 'a'), isPrefix('', 'a'), matches('ab', 'a')], [false, true, false])
})

t.test('usage and completion read the same rows', async (t) => {
  t.equal(usage(SET), 'Usage: ip link set [ { DEV | dev DEV } ] [ { up | down } ] [ mtu MTU ]\n' +
    '        [ arp { on | off } ]\n        [ xdp [ off ] [ object FILE ] [ section NAME ] [ verbose ] ]\n        [ type TYPE [ ARGS ] ] [ altname NAME ]\n')
  const source = { devices: () => ['eth0', 'eth1', 'lo'] }
  const at = (line: string): string[] => complete(SET, line.split(' '), source)
  t.strictSame(at('e'), ['eth0', 'eth1'])
  t.strictSame(at('dev l'), ['lo'])
  t.strictSame(at('eth0 arp '), ['on', 'off'])
  t.strictSame(at('eth0 m'), ['mtu'])
  t.ok(at('eth0 xdp obj x.o ').includes('section'))
  t.ok(at('eth0 xdp obj x.o ').includes('mtu'))
  t.strictSame(at('type veth p'), ['peer'])
})

t.test('Words', async (t) => {
  const words = new Words(['a', 'b'])
  t.strictSame([words.left, words.peek(1), words.take(), words.more, words.rest(), words.more], [2, 'b', 'a', true, ['b'], false])
  t.throws(() => words.take(), { message: /^Command line is not complete/ })
})
