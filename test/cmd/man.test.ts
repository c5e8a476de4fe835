// The manual pages: clean for mandoc, and their SYNOPSIS has exactly the words that the commands' own help prints from the keyword tables.
import t, { type Test } from 'tap'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { run as ip } from '../../cmd/ip/index.js'
import { run as tc } from '../../cmd/tc/index.js'
import { run as wire } from '../../cmd/wire/index.js'
import { runCommand, type Command } from '../support/command.js'
import { root } from '../support/root.js'
import { devices, LO } from './samples.js'

const pages = readdirSync(root('man')).filter((name) => name.endsWith('.8')).sort()
/** Pages of other packages that ours refer to. */
const FOREIGN = ['ip 8', 'bpftool 8', 'sh 1', 'bash 1', 'zsh 1', 'diff 1']
const MACROS = ['Ar', 'Op', 'Brq', 'Oo', 'Oc', 'Bro', 'Brc', 'Nm', 'Fl', 'No', 'Pp', 'It']

/** The words behind .Cm in lines of mdoc. */
function literals(lines: readonly string[]): Set<string> {
  const found = new Set<string>()
  for (const line of lines.filter((one) => one.startsWith('.'))) {
    let isLiteral = false
    for (const token of line.slice(1).split(/\s+/)) {
      if (token === 'Cm') isLiteral = true
      else if (MACROS.includes(token)) isLiteral = false
      else if (isLiteral && /^[\w-]+$/.test(token)) found.add(token)
    }
  }
  return found
}

function section(page: string, heading: RegExp): string[] {
  const lines = readFileSync(root('man', page), 'utf8').split('\n')
  const from = lines.findIndex((line) => heading.test(line))
  const length = lines.slice(from + 1).findIndex((line) => /^\.S[hs] /.test(line))
  return lines.slice(from + 1, from + 1 + length)
}

/** The lower-case words of help texts, but for those of the sentence around them. */
function helpWords(command: Command, ...lines: string[]): Set<string> {
  const text = lines.map((line) => runCommand(command, line, { script: devices(LO) }).err).join('\n')
  return new Set([...text.matchAll(/(?<![\w.[\]<-])([a-z][\w-]*|802\.1q)(?![\w\]>])/g)].map((found) => found[1]!))
}

function same(t: Test, page: string, help: Set<string>, beside: { page?: readonly string[]; help?: readonly string[]; also?: RegExp } = {}): void {
  const words = new Set([...literals(section(page, /^\.Sh SYNOPSIS/)), ...(beside.also ? literals(section(page, beside.also).filter((line) => line.startsWith('.It'))) : [])])
  t.strictSame([...words].filter((word) => !help.has(word) && !beside.page?.includes(word)).sort(), [], `${page}: words that the command does not know`)
  t.strictSame([...help].filter((word) => !words.has(word) && !beside.help?.includes(word)).sort(), [], `${page}: words that the page does not tell`)
}

t.test('SYNOPSIS and keyword tables', async (t) => {
  const verbs = ['send', 'replay', 'run', 'time', 'capture', 'set', 'show', 'bench'].map((verb) => `${verb} help`)
  same(t, 'wire.8', helpWords(wire, ...verbs), { help: ['wire'], page: ['trace'], also: /^\.Ss PACKET/ })
  same(t, 'ip-link.8', helpWords(ip, 'link help'), { help: ['ip'] })
  same(t, 'ip-tuntap.8', helpWords(ip, 'tuntap help'), { help: ['ip'] })
  same(t, 'tc.8', helpWords(tc, 'qdisc help', 'class help', 'filter help'), {
    help: ['tc', 'try', 'desired', 'format', 'depends', 'on', 'classifier', 'see', 'there', 'help', 'list', 'invisible', 'get', 'p', 'b', 'fifo', 'mq', 'noqueue', 'pfifo_fast', 'pfifo_head_drop'],
  })
  same(t, 'tc-bpf.8', helpWords(tc, 'qdisc add dev lo root bpf help', 'filter add dev lo ingress bpf help'), {
    page: ['qdisc', 'class', 'filter', 'add', 'replace', 'change', 'del', 'show', 'dev', 'root', 'parent', 'handle', 'ingress', 'egress'],
  })
})

t.test('mandoc finds nothing', async (t) => {
  const missing = spawnSync('mandoc', ['-h']).error !== undefined
  if (missing) return void t.skip('mandoc is not installed', () => {})
  for (const page of pages) {
    const { stdout } = spawnSync('mandoc', ['-T', 'lint', '-W', 'style', root('man', page)], { encoding: 'utf8' })
    const said = stdout.split('\n').filter((line) => line !== '' && !line.includes('referenced manual not found'))
    t.strictSame(said, [], page)
  }
})

t.test('references lead somewhere', async (t) => {
  for (const page of pages) {
    const named = [...readFileSync(root('man', page), 'utf8').matchAll(/^\.Xr (\S+) (\d)/gm)].map(([, name, number]) => `${name} ${number}`)
    t.strictSame(named.filter((one) => !pages.includes(one.replace(' ', '.')) && !FOREIGN.includes(one)), [], page)
  }
})
