// The u32 classifier (tc/f_u32.c), its everyday part: `match` of words relative to the IP header, and a class.
import { InputError } from '../../pkg/bytes/errors.js'
import type { Context } from '../../pkg/cli/index.js'
import { grammar, parse, PARENT, usage, whatIs, type Grammar, type Words } from '../../pkg/grammar/index.js'
import type { Filter } from '../../pkg/request/rtnl.js'
import { AF_INET, AF_INET6, formatClassid, parsePrefix, parseSigned, parseUnsigned } from '../../pkg/units/index.js'
import type { FilterKind } from './filter-kinds.js'

/** struct tc_u32_key: a 32-bit word in network order at a multiple of four bytes from the network header. */
type Key = { val: number; mask: number; off: number }
type U32Words = { match?: readonly Key[][]; classid?: number; other?: true }
/** What the kernel lists: tables have a divisor, filters keys. */
type Dump = { divisor?: number; ht?: number; order?: number; classid?: number; terminal?: boolean; keys?: readonly Key[] }

const illegal = (what: string): InputError => new InputError(`Illegal "${what}"`, 1)

const WORDS: Grammar<U32Words> = grammar<U32Words>({
  name: '... u32', match: 'prefix', helpStatus: 1, unknown: (word) => whatIs(word, usage(WORDS)),
  where: `
Where: SELECTOR := { ip | ip6 } FIELD VALUE | { u32 | u16 | u8 } VALUE MASK [ at OFFSET ]
NOTE: CLASSID is parsed at hexadecimal input.
`,
  rows: [
    { word: 'match', type: { name: 'SELECTOR', parse: () => undefined }, into: 'match', many: true, read: readMatch },
    ...['offset', 'hashkey'].map((word) => ({ word, into: 'other' as const, unsupported: true as const })),
    { word: 'classid', aliases: ['flowid'], type: { ...PARENT, wrong: () => illegal('classid') }, into: 'classid' },
    ...['divisor', 'order', 'link', 'ht', 'sample', 'indev', 'action', 'police', 'skip_hw', 'skip_sw']
      .map((word) => ({ word, match: 'whole' as const, into: 'other' as const, unsupported: true as const })),
  ],
})

export const u32: FilterKind = {
  kind: 'u32',
  parse(_: Context, words: Words): { keys: Key[]; classid?: number } | undefined {
    if (!words.more) return undefined
    const { match = [], classid } = parse(WORDS, words, {})
    return { keys: joinKeys(match.flat()), ...(classid === undefined ? {} : { classid }) }
  },
  handle: parseHandle,
  print(context: Context, filter: Filter): void {
    const dump = filter.options as Dump
    const { out } = context
    out.string('fh', 'fh %s ', formatHandle(filter.handle))
    if (dump.divisor !== undefined) out.uint('ht_divisor', 'ht divisor %u ', dump.divisor)
    else printKeys(context, dump, filter.handle)
  },
}

// --- match ---

type Field = { readonly width: 8 | 16 | 32 | 'address'; readonly off: number }

/** Fields by protocol; ports are where they are without IP options. */
const FIELDS: Readonly<Record<string, Readonly<Record<string, Field>>>> = {
  ip: {
    src: { width: 'address', off: 12 }, dst: { width: 'address', off: 16 }, tos: { width: 8, off: 1 }, dsfield: { width: 8, off: 1 },
    precedence: { width: 8, off: 1 }, protocol: { width: 8, off: 9 }, sport: { width: 16, off: 20 }, dport: { width: 16, off: 22 },
    icmp_type: { width: 8, off: 20 }, icmp_code: { width: 8, off: 21 },
  },
  ip6: {
    src: { width: 'address', off: 8 }, dst: { width: 'address', off: 24 }, protocol: { width: 8, off: 6 }, sport: { width: 16, off: 40 },
    dport: { width: 16, off: 42 }, icmp_type: { width: 8, off: 40 }, icmp_code: { width: 8, off: 41 },
  },
}

const WIDTHS: Readonly<Record<string, 8 | 16 | 32>> = { u32: 32, u16: 16, u8: 8 }

/** One SELECTOR. */
function readMatch(words: Words): Key[] {
  const protocol = words.take()
  const width = WIDTHS[protocol]
  if (width !== undefined) return readRaw(words, width)
  const fields = FIELDS[protocol]
  if (fields === undefined) {
    if (['udp', 'tcp', 'icmp', 'mark', 'ether'].includes(protocol)) throw new InputError(`not supported yet: u32 match ${protocol}`, 2)
    throw illegal('match')
  }
  const field = fields[words.take()]
  if (field === undefined) throw illegal('match')
  if (field.width === 'address') return addressKeys(value(words), protocol === 'ip' ? AF_INET : AF_INET6, field.off)
  return [key(field.width, number(words, 0), number(words, 16), field.off)]
}

/** u32 VALUE MASK [ at OFFSET ] */
function readRaw(words: Words, width: 8 | 16 | 32): Key[] {
  const [val, mask] = [number(words, 0), number(words, 16)]
  if (words.peek() !== 'at') return [key(width, val, mask, 0)]
  words.take()
  const at = value(words)
  if (at.startsWith('nexthdr')) throw new InputError('not supported yet: u32 match at nexthdr', 2)
  return [key(width, val, mask, parseSigned(at) ?? NaN)]
}

function value(words: Words): string {
  if (!words.more) throw illegal('match')
  return words.take()
}

function number(words: Words, base: 0 | 16): number {
  const read = parseUnsigned(value(words), 32, base)
  if (read === undefined) throw illegal('match')
  return read
}

/** A value of 8, 16 or 32 bits as a key of the word around it. */
function key(width: 8 | 16 | 32, val: number, mask: number, at: number): Key {
  const limit = 2 ** width
  if (!Number.isInteger(at) || at % (width / 8) !== 0 || val >= limit || mask >= limit) throw illegal('match')
  const shift = 32 - width - 8 * (at & 3)
  const place = (bits: number): number => (bits << shift) >>> 0
  return { val: place((val & mask) >>> 0), mask: place(mask), off: at & ~3 }
}

function addressKeys(text: string, family: number, off: number): Key[] {
  const prefix = parsePrefix(text, family)
  if (prefix === undefined) throw illegal('match')
  const view = new DataView(prefix.bytes.buffer)
  return Array.from({ length: prefix.bytes.length / 4 }, (_, i) => {
    const bits = Math.min(32, Math.max(0, prefix.bits - 32 * i))
    const mask = bits === 0 ? 0 : (-1 << (32 - bits)) >>> 0
    return { val: (view.getUint32(4 * i) & mask) >>> 0, mask, off: off + 4 * i }
  }).filter(({ mask }) => mask !== 0)
}

/** Keys of the same word become one; two that contradict each other are refused. */
function joinKeys(keys: readonly Key[]): Key[] {
  const joined: Key[] = []
  for (const one of keys) {
    const same = joined.find(({ off }) => off === one.off)
    if (same === undefined) joined.push({ ...one })
    else if (((same.val ^ one.val) & same.mask & one.mask) !== 0) throw illegal('match')
    else Object.assign(same, { val: (same.val | one.val) >>> 0, mask: (same.mask | one.mask) >>> 0 })
  }
  return joined
}

// --- handles and listing ---

/** '800::900': table, bucket, node in hex; '800:' a table. */
function parseHandle(text: string): number | undefined {
  const parts = text.split(':')
  if (parts.length < 2 || parts.length > 3) return parseUnsigned(text)
  const [table, bucket, node] = [0, 1, 2].map((i) => (parts[i] === undefined || parts[i] === '' ? 0 : parseUnsigned(parts[i]!, 16, 16)))
  if (table === undefined || bucket === undefined || node === undefined || table > 0xfff || bucket > 0xff || node > 0xfff) return undefined
  return ((table << 20) | (bucket << 12) | node) >>> 0
}

function formatHandle(handle: number): string {
  const bucket = (handle >>> 12) & 0xff
  const node = handle & 0xfff
  const table = (handle >>> 20).toString(16)
  if (bucket === 0 && node === 0) return `${table}:`
  return `${table}:${bucket === 0 ? '' : bucket.toString(16)}:${node === 0 ? '' : node.toString(16)}`
}

function printKeys({ out }: Context, dump: Dump, handle: number): void {
  if (dump.order !== undefined) out.uint('order', 'order %u ', dump.order)
  out.string('key_ht', 'key ht %s ', ((dump.ht ?? handle) >>> 20).toString(16))
  out.string('bkt', 'bkt %s ', ((handle >>> 12) & 0xff).toString(16))
  if (dump.classid !== undefined && dump.classid !== 0) out.string('flowid', `${dump.terminal ? '*' : ''}flowid %s `, formatClassid(dump.classid))
  else if (dump.terminal) out.bool('terminal', 'terminal flowid ', true)
  out.flag('not_in_hw', 'not_in_hw ', true)
  const keys = dump.keys ?? []
  if (out.isJson) out.tree('match', keys.length === 1 ? record(keys[0]!) : keys.map(record))
  for (const one of keys) {
    out.text('\n')
    out.text('  match %08x/%08x at %d', one.val, one.mask, one.off)
  }
}

const record = ({ val, mask, off }: Key): object => ({ value: val.toString(16), mask: mask.toString(16), offmask: '', off })
