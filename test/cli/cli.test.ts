// The command kit, on a toy program: options, prefixes, batch, errors, transactions. Texts and statuses were measured on ip, tc and bpftool.
import t from 'tap'
import { readFileSync } from 'node:fs'
import { Bug, InputError, KernelError } from '../../pkg/bytes/errors.js'
import {
  bpftoolBatch, IP_OPTIONS, readLongOptions, readOptions, runProgram, runBpftoolVerb, runVerb, splitWords, TC_OPTIONS, VERSION,
  type Entry, type Io, type Program,
} from '../../pkg/cli/index.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import { EINVAL, EEXIST } from '../../pkg/uapi/errno.js'
import { root } from '../support/root.js'

const verbs: Entry[] = [
  { word: 'show', aliases: ['list'], run: ({ out }) => { out.array(null, () => out.object(null, () => out.uint('n', 'n %u\n', 1))) } },
  { word: 'set', run: (context) => { context.write() } },
  { word: 'deny', run: (context) => { context.write(); throw new KernelError(EINVAL) } },
  { word: 'extack', run: () => { throw new KernelError(EEXIST, 'Exclusivity flag on, cannot modify') } },
  { word: 'wrong', run: () => { throw new InputError('wrong words', 255) } },
  { word: 'bug', run: () => { throw new Bug('impossible') } },
  { word: 'note', run: (context) => context.note('Warning: careful') },
]
const IP: Program = {
  name: 'ip', style: 'iproute2', options: { rows: IP_OPTIONS, doubleDash: true }, usage: 'Usage: ip …\n', helpStatus: 255, unknownStatus: 1,
  version: ({ out }) => out.text('ip utility\n'),
  objects: [{ word: 'address', run: () => 7 }, { word: 'link', run: (context, words) => runVerb('ip link', verbs, () => 'Usage: ip link\n', 255, context, words) }],
}
const BPFTOOL: Program = {
  name: 'bpftool', style: 'bpftool', usage: 'Usage: bpftool …\n', helpStatus: 255, unknownStatus: 255, version: ({ out }) => { out.tree(null, { version: '7' }); out.text('v7\n') },
  objects: [
    { word: 'batch', run: (context, words) => { words.take(); return bpftoolBatch(BPFTOOL, context, words.take()) } },
    { word: 'prog', run: (context, words) => runBpftoolVerb(verbs, 'Usage: bpftool prog\n', context, words) },
  ],
}

/** What a run printed and did to its machine. */
function run(program: Program, line: string, stdin = ''): { out: string; err: string; status: number; log: string } {
  const seen = { out: '', err: '', status: 0, log: '' }
  const kernel = (access: string): Kernel => {
    seen.log += `open-${access} `
    return { request: () => { throw new Bug('no requests here') }, commit: () => { seen.log += 'commit ' }, close: () => { seen.log += 'close ' } }
  }
  const io: Io = {
    stdout: (text) => { seen.out += String(text) }, stderr: (text) => { seen.err += text }, stdin: () => stdin, env: {}, cwd: '/', tty: false,
    readFile: () => { throw new Error('ENOENT') }, writeFile: () => {}, openKernel: kernel,
  }
  seen.status = runProgram(program, line.split(' ').filter((word) => word !== ''), io)
  return seen
}

t.test('objects and verbs by prefix', async (t) => {
  t.match(run(IP, 'l sh'), { out: 'n 1\n', status: 0 })
  t.match(run(IP, 'l'), { out: 'n 1\n', status: 0 }, 'no verb is the first')
  t.match(run(IP, '-j link list'), { out: '[{"n":1}]\n' })
  t.match(run(IP, 'a'), { status: 7 })
  t.match(run(IP, 'zork'), { err: 'Object "zork" is unknown, try "ip help".\n', status: 1 })
  t.match(run(IP, 'link zork'), { err: 'Command "zork" is unknown, try "ip link help".\n', status: 255 })
  t.match(run(IP, 'link help'), { err: 'Usage: ip link\n', status: 255 })
  t.match(run(IP, ''), { err: 'Usage: ip …\n', status: 255 })
  t.match(run(IP, '-V'), { out: 'ip utility\n', status: 0 })
})

t.test('errors', async (t) => {
  t.match(run(IP, 'link deny'), { err: 'RTNETLINK answers: Invalid argument\n', status: 2, log: 'open-write close ' })
  t.match(run(IP, 'link extack'), { err: 'Error: Exclusivity flag on, cannot modify.\n', status: 2 })
  t.match(run(IP, 'link wrong'), { err: 'wrong words\n', status: 255 })
  t.match(run(IP, 'link bug'), { err: /^hookpoint: internal error: Bug: impossible/, status: 125 })
  t.match(run(IP, 'link note'), { err: 'Warning: careful\n', status: 0 })
  t.match(run(IP, 'link set'), { out: '', err: '', status: 0, log: 'open-write commit close ' })
})

t.test('batch', async (t) => {
  const text = 'link set\n\n# remark\nlink deny # more\nlink \\\n show\n'
  t.match(run(IP, '-batch -', text), { out: '', err: 'RTNETLINK answers: Invalid argument\nCommand failed -:4\n', status: 1, log: 'open-write commit close ' })
  t.match(run(IP, '-force -batch -', text), { out: 'n 1\n', status: 1 })
  t.match(run(IP, '-force -b -', 'zork\nlink wrong\nlink show'), { err: 'Object "zork" is unknown, try "ip help".\nCommand failed -:1\nwrong words\nCommand failed -:2\n', out: 'n 1\n' })
  t.match(run(IP, '-b -', 'link show\nlink show\n'), { out: 'n 1\nn 1\n', status: 0 })
  t.match(run(IP, '-b nofile'), { err: 'Cannot open file "nofile" for reading: No such file or directory\n', status: 1 })
  t.match(run(IP, '-b -', 'link "show'), { err: 'Unterminated quoted string\n', status: 1 })
  t.strictSame(splitWords('a "b c" \'d "e\' f'), ['a', 'b c', 'd "e', 'f'])
})

t.test('bpftool: JSON errors, null, its batch', async (t) => {
  t.match(run(BPFTOOL, '-j prog'), { out: '[{"n":1}]\n', status: 0 })
  t.match(run(BPFTOOL, 'prog show -j'), { out: '[{"n":1}]\n', status: 0 }, 'options may follow')
  t.match(run(BPFTOOL, '-j prog wrong'), { out: '{"error":"wrong words"}\n', err: '', status: 255 })
  t.match(run(BPFTOOL, 'prog wrong'), { out: '', err: 'Error: wrong words\n', status: 255 })
  t.match(run(BPFTOOL, '-j prog zork'), { out: 'null\n', err: '', status: 255 })
  t.match(run(BPFTOOL, 'prog zork'), { err: 'Usage: bpftool prog\n', status: 255 })
  t.match(run(BPFTOOL, 'prog help'), { err: 'Usage: bpftool prog\n', status: 0 })
  t.match(run(BPFTOOL, '-h'), { err: 'Usage: bpftool …\n', status: 0 })
  t.match(run(BPFTOOL, ''), { status: 255 })
  t.match(run(BPFTOOL, '-x'), { err: "Error: unrecognized option '-x'\nUsage: bpftool …\n", status: 255 })
  t.match(run(BPFTOOL, '-j prog set'), { out: 'null\n', log: 'open-write commit close ' })
  t.match(run(BPFTOOL, '-p -V'), { out: '{\n    "version": "7"\n}\n' })
  t.match(run(BPFTOOL, '-j batch file -', 'prog show\n# c\nprog set\nprog wrong\nprog show'), {
    out: '[{"command":["prog","show"],"output":[{"n":1}]},{"command":["prog","set"],"output":null},{"command":["prog","wrong"],"output":{"error":"wrong words"}}]\n', status: 255,
  })
  t.match(run(BPFTOOL, 'batch file -', 'prog show\nprog show\n'), { out: 'n 1\nn 1\nprocessed 2 commands\n', status: 0 })
})

t.test('global options', async (t) => {
  const ip = (line: string) => readOptions({ rows: IP_OPTIONS, doubleDash: true }, 'ip', line.split(' '))
  const tc = (line: string) => readOptions({ rows: TC_OPTIONS, doubleDash: false }, 'tc', line.split(' '))
  t.match(ip('-s -s -d -j -p -o -br link -x'), { options: { stats: 2, details: 1, json: true, pretty: true, oneline: true, brief: true }, words: ['link', '-x'] })
  t.match(ip('--json -stat -fam inet6 -h x'), { options: { json: true, stats: 1, family: 10, human: true }, words: ['x'] })
  t.match(ip('-4 -- -x'), { options: { family: 2 }, words: ['-x'] })
  t.match(ip('-c=never -co x'), { options: { color: 'always' }, words: ['x'] })
  t.match(ip('-'), { options: { instead: 'help' } })
  t.match(ip('-batch'), { options: { instead: 'help' } })
  for (const bad of ['-foo', '-e', '-c=zork', '-j=1', '-statisticsx']) t.throws(() => ip(bad), { message: `Option "${bad}" is unknown, try "ip -help".`, status: 255 }, bad)
  t.throws(() => ip('-f zork x'), { message: 'Error: argument "zork" is wrong: invalid protocol family', status: 255 })
  t.throws(() => ip('-n foo x'), { message: 'Cannot open network namespace "foo": No such file or directory', status: 255 })
  t.throws(() => tc('--json x'), { message: 'Option "--json" is unknown, try "tc -help".' })
  t.match(tc('-g -nm -c -b F x'), { options: { graph: true, batch: 'F', color: 'always' }, words: ['x'] })
  t.match(readLongOptions(['-jp', 'prog', '--deb', '--', '-x']), { options: { json: true, pretty: true, debug: true }, words: ['prog', '-x'], unknown: undefined })
  t.match(readLongOptions(['--zork']), { unknown: '--zork' })
  t.match(readLongOptions(['-B']), { unknown: '-B' })
})

t.test('the version is the package\'s', async (t) => {
  t.equal(VERSION, (JSON.parse(readFileSync(root('package.json'), 'utf8')) as { version: string }).version)
})
