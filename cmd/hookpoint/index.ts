// `hookpoint`: makes machines, puts the commands on a shell's PATH, tells the story, keeps states. `hookpoint tc …` runs the other commands.
import { join } from 'node:path'
import { COMPLETE_WORD, completionScript, describeFailure, VERSION, type Io } from '../../pkg/cli/index.js'
import { runDemo } from './demo.js'
import { ensureMachine, environment, environmentText, runShell } from './environment.js'
import { completions, runFlagProgram, type FlagCommand } from './flag-program.js'
import type { House } from './house.js'
import { exportTo, importFrom, init } from './state.js'

/** The other commands; each is a process of its own. */
const OTHERS = [
  ['tc', 'traffic control, as in iproute2'],
  ['ip', 'devices and addresses, as in iproute2'],
  ['bpftool', 'programs and maps'],
  ['wire', 'the other end of every device: frames, time, captures'],
] as const

const EPILOGUE = `The machine lives in $HOOKPOINT_STATE, else in $XDG_STATE_HOME/hookpoint, else in ~/.local/state/hookpoint.
Begin with:  eval "$(hookpoint env)"`

/** A whole `hookpoint` command line. */
export async function run(argv: readonly string[], io: Io, house: House): Promise<number> {
  try {
    const [word = '', ...rest] = argv
    if (isOther(word)) return runOther(house, io, word, rest)
    if (word === 'shell' && rest[0] !== '--help') return runShell(house, io, rest)
    if (word === COMPLETE_WORD) return complete(house, io, rest)
    return await runFlagProgram({ name: 'hookpoint', version: `hookpoint ${VERSION}`, commands: commands(io, house), epilogue: EPILOGUE }, argv, io)
  } catch (error) {
    const { lines, status } = describeFailure(error, 'iproute2', io.env['HOOKPOINT_DEBUG'] === '1')
    io.stderr(`${lines}\n`)
    return status
  }
}

/** What the help text lists. */
export const commands = (io: Io, house: House): readonly FlagCommand[] => [
  {
    words: 'init', describe: 'make the machine: lo, eth0 and eth1, 4 CPUs', run: (args) => init(house, args),
    flags: { bare: { describe: 'lo alone, as a new network namespace has' }, cpus: { describe: 'how many CPUs', value: 'N' } },
  },
  { words: 'env', describe: 'print lines for eval that put the commands on PATH', run: () => { ensureMachine(io); io.stdout(environmentText(house)) } },
  { words: 'shell', describe: 'run $SHELL with the commands on PATH' },
  { words: 'demo', describe: 'tell a story on a machine of its own, and check every claim', run: () => runDemo(house, io) },
  {
    words: 'state', describe: 'the whole machine', commands: [
      { words: 'export [file]', describe: 'write it as JSON', run: ({ file }) => exportTo(house, io, file as string | undefined) },
      { words: 'import <file>', describe: 'replace it by an exported one', run: ({ file }) => importFrom(house, io, String(file)) },
      { words: 'reset', describe: 'remove it', run: () => house.reset() },
    ],
  },
  { words: 'completion', describe: 'print a completion script for all five commands', run: () => printScripts(io) },
  ...OTHERS.map(([words, describe]) => ({ words, describe })),
]

const isOther = (word: string): boolean => OTHERS.some(([name]) => name === word)

function runOther(house: House, io: Io, name: string, argv: readonly string[]): number {
  return house.run(process.execPath, [join(house.bin, name), ...argv], environment(house, io.env['PATH']))
}

async function printScripts(io: Io): Promise<void> {
  for (const name of ['hookpoint', ...OTHERS.map(([name]) => name)]) io.stdout(await completionScript(name))
}

/** What those scripts ask. */
function complete(house: House, io: Io, asked: readonly string[]): number {
  const words = asked[0] === 'hookpoint' ? asked.slice(1) : asked
  const [word = '', ...rest] = words
  if (isOther(word) && rest.length > 0) return runOther(house, io, word, [COMPLETE_WORD, word, ...rest])
  io.stdout(completions(commands(io, house), words).map((candidate) => `${candidate}\n`).join(''))
  return 0
}
