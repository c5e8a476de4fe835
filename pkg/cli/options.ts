// Global options, before the object word: tables in the order of iproute2's ip/ip.c and tc/tc.c, since `-s`, `-b`, `-t` are decided by it, and
// getopt_long's reading for bpftool (main.c), where options may stand anywhere and short ones may be joined.
import { InputError } from '../bytes/errors.js'
import { EXIT_USAGE, invarg } from '../grammar/complaints.js'
import { matches } from '../grammar/match.js'
import { AF_INET, AF_INET6, AF_UNSPEC } from '../units/inet.js'

export const AF_PACKET = 17

export type Options = {
  stats: number
  details: number
  json: boolean
  pretty: boolean
  oneline: boolean
  brief: boolean
  force: boolean
  batch: string | undefined
  color: 'never' | 'auto' | 'always'
  family: number
  numeric: boolean
  iec: boolean
  human: boolean
  raw: boolean
  graph: boolean
  debug: boolean
  /** bpftool -f: show pins. */
  bpffs: boolean
  /** What stands for the command: 'help' or 'version'. */
  instead: 'help' | 'version' | undefined
  /** Seen, but of no use on an emulated machine: told nowhere, done nothing. */
  idle: string[]
}

export const noOptions = (): Options => ({
  stats: 0, details: 0, json: false, pretty: false, oneline: false, brief: false, force: false, batch: undefined, color: 'never',
  family: AF_UNSPEC, numeric: false, iec: false, human: false, raw: false, graph: false, debug: false, bpffs: false, instead: undefined, idle: [],
})

export type OptionRow = {
  readonly word: string
  /** At least so many characters, dash included. */
  readonly min?: number
  /** The name of the value that follows. */
  readonly value?: string
  readonly set: (options: Options, value: string) => void
}

const FAMILIES: Readonly<Record<string, number>> = { inet: AF_INET, inet6: AF_INET6, link: AF_PACKET, mpls: 28, bridge: 7 }

function family(options: Options, name: string): void {
  const found = FAMILIES[name]
  if (found === undefined) throw invarg('invalid protocol family', name)
  options.family = found
}

const noNetns = (_: Options, name: string): never => {
  throw new InputError(`Cannot open network namespace "${name}": No such file or directory`, EXIT_USAGE)
}

const idle = (word: string): OptionRow => ({ word, set: (o) => o.idle.push(word) })

/** ip/ip.c */
export const IP_OPTIONS: readonly OptionRow[] = [
  { word: '-loops',          value: 'COUNT', set: (o) => o.idle.push('-loops') },
  { word: '-family',         value: 'FAMILY', set: family },
  { word: '-4', min: 2,      set: (o) => { o.family = AF_INET } },
  { word: '-6', min: 2,      set: (o) => { o.family = AF_INET6 } },
  { word: '-0', min: 2,      set: (o) => { o.family = AF_PACKET } },
  { word: '-M', min: 2,      set: (o) => { o.family = 28 } },
  { word: '-B', min: 2,      set: (o) => { o.family = 7 } },
  { word: '-human-readable', set: (o) => { o.human = true } },
  { word: '-iec',            set: (o) => { o.iec = true } },
  { word: '-stats',          set: (o) => { o.stats += 1 } },
  { word: '-statistics',     set: (o) => { o.stats += 1 } },
  { word: '-details',        set: (o) => { o.details += 1 } },
  idle('-resolve'),
  { word: '-oneline',        set: (o) => { o.oneline = true } },
  idle('-timestamp'),
  idle('-tshort'),
  { word: '-Version',        set: (o) => { o.instead ??= 'version' } },
  { word: '-force',          set: (o) => { o.force = true } },
  { word: '-batch',          value: 'FILE', set: (o, v) => { o.batch = v } },
  { word: '-brief',          set: (o) => { o.brief = true } },
  { word: '-json',           set: (o) => { o.json = true } },
  { word: '-pretty',         set: (o) => { o.pretty = true } },
  { word: '-rcvbuf',         value: 'SIZE', set: (o) => o.idle.push('-rcvbuf') },
  { word: '-color',          set: () => {} },
  { word: '-help',           set: (o) => { o.instead ??= 'help' } },
  { word: '-netns',          value: 'NAME', set: noNetns },
  { word: '-Numeric',        set: (o) => { o.numeric = true } },
  { word: '-all',            set: (o) => o.idle.push('-all') },
  { word: '-echo', min: 3,   set: (o) => o.idle.push('-echo') },
]

/** tc/tc.c. There `-c` and `-co` abbreviate `-conf` and swallow a word, against its own usage text; here they mean -color. */
export const TC_OPTIONS: readonly OptionRow[] = [
  { word: '-stats',          set: (o) => { o.stats += 1 } },
  { word: '-statistics',     set: (o) => { o.stats += 1 } },
  { word: '-details',        set: (o) => { o.details += 1 } },
  { word: '-raw',            set: (o) => { o.raw = true } },
  { word: '-pretty',         set: (o) => { o.pretty = true } },
  { word: '-graph',          set: (o) => { o.graph = true } },
  { word: '-Version',        set: (o) => { o.instead ??= 'version' } },
  { word: '-iec',            set: (o) => { o.iec = true } },
  { word: '-help',           set: (o) => { o.instead ??= 'help' } },
  { word: '-force',          set: (o) => { o.force = true } },
  { word: '-batch',          value: 'FILE', set: (o, v) => { o.batch = v } },
  { word: '-netns',          value: 'NAME', set: noNetns },
  { word: '-Numeric',        set: (o) => { o.numeric = true } },
  { word: '-names', min: 4,  set: (o) => o.idle.push('-names') },
  { word: '-nm', min: 3,     set: (o) => o.idle.push('-nm') },
  { word: '-color',          set: () => {} },
  { word: '-cf', min: 3,     value: 'FILE', set: (o) => o.idle.push('-cf') },
  { word: '-conf', min: 4,   value: 'FILE', set: (o) => o.idle.push('-conf') },
  idle('-timestamp'),
  idle('-tshort'),
  { word: '-json',           set: (o) => { o.json = true } },
  { word: '-oneline',        set: (o) => { o.oneline = true } },
  { word: '-brief',          set: (o) => { o.brief = true } },
]

export type OptionStyle = {
  readonly rows: readonly OptionRow[]
  /** `--json` is `-json` (ip, not tc). */
  readonly doubleDash: boolean
}

/** The options in front of a command line, and the words behind them. */
export function readOptions(style: OptionStyle, name: string, argv: readonly string[]): { options: Options; words: readonly string[] } {
  const options = noOptions()
  let at = 0
  while (at < argv.length && options.instead === undefined) {
    const typed = argv[at]!
    if (!typed.startsWith('-') || (typed === '--' && style.doubleDash)) break
    const word = style.doubleDash && typed.startsWith('--') ? typed.slice(1) : typed
    at += 1
    if (readColor(word, options)) continue
    const row = style.rows.find((one) => matches(word, one.word) && word.length >= (one.min ?? 1))
    if (row === undefined) throw new InputError(`Option "${typed}" is unknown, try "${name} -help".`, EXIT_USAGE)
    const value = row.value === undefined ? '' : argv[at++]
    if (value === undefined || word === '-') options.instead = 'help'
    else row.set(options, value)
  }
  return { options, words: argv.slice(argv[at] === '--' ? at + 1 : at) }
}

/** -c, -color, -c=always|auto|never. */
function readColor(word: string, options: Options): boolean {
  const [name = '', when] = word.split('=')
  if (word === '-' || !matches(name, '-color') || (when !== undefined && !['always', 'auto', 'never'].includes(when))) return false
  options.color = (when as Options['color'] | undefined) ?? 'always'
  return true
}

type LongRow = { readonly short: string; readonly long: string; readonly value?: true; readonly set: (options: Options, value: string) => void }

/** bpftool main.c */
export const BPFTOOL_OPTIONS: readonly LongRow[] = [
  { short: 'j', long: 'json',       set: (o) => { o.json = true } },
  { short: 'h', long: 'help',       set: (o) => { o.instead = 'help' } },
  { short: 'p', long: 'pretty',     set: (o) => { o.json = true; o.pretty = true } },
  { short: 'V', long: 'version',    set: (o) => { o.instead ??= 'version' } },
  { short: 'f', long: 'bpffs',      set: (o) => { o.bpffs = true } },
  { short: 'm', long: 'mapcompat',  set: (o) => o.idle.push('mapcompat') },
  { short: 'n', long: 'nomount',    set: (o) => o.idle.push('nomount') },
  { short: 'd', long: 'debug',      set: (o) => { o.debug = true } },
  { short: 'L', long: 'use-loader', set: (o) => o.idle.push('use-loader') },
  { short: 'l', long: 'legacy',     set: (o) => o.idle.push('legacy') },
  { short: 'B', long: 'base-btf',   value: true, set: (o) => o.idle.push('base-btf') },
]

/** getopt_long's reading: options anywhere before '--', short ones joined, long ones abbreviated as long as one fits. */
export function readLongOptions(argv: readonly string[]): { options: Options; words: readonly string[]; unknown: string | undefined } {
  const options = noOptions()
  const words: string[] = []
  let unknown: string | undefined
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!
    if (word === '--') return { options, words: [...words, ...argv.slice(at + 1)], unknown }
    if (!word.startsWith('-') || word === '-') words.push(word)
    else {
      const used = word.startsWith('--') ? readLong(word, argv[at + 1], options) : readShort(word, argv[at + 1], options)
      if (used < 0) unknown ??= word
      else at += used
    }
  }
  return { options, words, unknown }
}

/** How many words of value were used; -1: no such option, or its value is missing. */
function readLong(word: string, next: string | undefined, options: Options): number {
  const [name = '', given] = word.slice(2).split('=')
  const fitting = BPFTOOL_OPTIONS.filter((row) => row.long.startsWith(name))
  const row = fitting.find((one) => one.long === name) ?? (fitting.length === 1 ? fitting[0] : undefined)
  if (row === undefined || (row.value === undefined && given !== undefined)) return -1
  const value = row.value ? given ?? next : ''
  if (value === undefined) return -1
  row.set(options, value)
  return row.value && given === undefined ? 1 : 0
}

function readShort(word: string, next: string | undefined, options: Options): number {
  for (let i = 1; i < word.length; i++) {
    const row = BPFTOOL_OPTIONS.find((one) => one.short === word[i])
    if (row === undefined) return -1
    const value = row.value ? word.slice(i + 1) || next : ''
    if (value === undefined) return -1
    row.set(options, value)
    if (row.value) return i + 1 < word.length ? 0 : 1
  }
  return 0
}
