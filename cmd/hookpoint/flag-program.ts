// `hookpoint`'s own commands take --flags, which none of the real tools does: a table of commands through pkg/cli's yargs.
import { InputError } from '../../pkg/bytes/errors.js'
import { loadFlags, type Io } from '../../pkg/cli/index.js'
import { EXIT_USAGE } from '../../pkg/grammar/index.js'

export type Flag = { readonly describe: string; /** The name of a value that follows; without: on or off. */ readonly value?: string }
export type FlagArguments = Readonly<Record<string, unknown>>

export type FlagCommand = {
  /** 'export [file]': the word and what follows it. */
  readonly words: string
  readonly describe: string
  readonly flags?: Readonly<Record<string, Flag>>
  readonly commands?: readonly FlagCommand[]
  readonly run?: (args: FlagArguments) => number | void | Promise<void>
}

export type FlagProgram = {
  readonly name: string
  readonly version: string
  readonly commands: readonly FlagCommand[]
  /** Below the help text. */
  readonly epilogue: string
}

type Parser = Awaited<ReturnType<typeof loadFlags>>
type Chosen = { readonly command: FlagCommand; readonly args: FlagArguments }

/** Help is the same on every terminal. */
const WIDTH = 100

/** Reads the words, then runs the command they choose. What is wrong with the words is an InputError. */
export async function runFlagProgram(program: FlagProgram, argv: readonly string[], io: Io): Promise<number> {
  const parser = await loadFlags(program.name, argv)
  let chosen: Chosen | undefined
  parser.usage(`Usage: ${program.name} COMMAND`).version(program.version).help().epilogue(program.epilogue).wrap(WIDTH)
    .demandCommand(1, 'Which command?')
  addCommands(parser, program.commands, (it) => { chosen = it })
  const text = await readWords(parser, argv, program.name)
  if (text !== '') io.stdout(`${text}\n`)
  return await chosen?.command.run?.(chosen.args) ?? 0
}

function addCommands(parser: Parser, commands: readonly FlagCommand[], choose: (it: Chosen) => void): void {
  for (const command of commands) {
    parser.command(command.words, command.describe, (inner) => addWords(inner as Parser, command, choose), (args) => choose({ command, args: withDashes(args) }))
  }
}

function addWords(inner: Parser, { words, flags = {}, commands }: FlagCommand, choose: (it: Chosen) => void): Parser {
  for (const [name, { describe, value }] of Object.entries(flags)) {
    inner.option(name, value === undefined ? { describe, type: 'boolean' } : { describe: `${describe} (${value})`, type: 'string', requiresArg: true })
  }
  for (const [, name] of words.matchAll(/[[<](\w+)[\]>]/g)) inner.positional(name!, { type: 'string' })
  if (commands === undefined) return inner
  addCommands(inner, commands, choose)
  return inner.demandCommand(1, `Which command of "${words}"?`)
}

/** yargs makes an empty word of a lone '-'. */
const withDashes = (args: FlagArguments): FlagArguments =>
  Object.fromEntries(Object.entries(args).map(([name, value]) => [name, value === '' ? '-' : value]))

/** What yargs itself would have printed: help, version. */
async function readWords(parser: Parser, argv: readonly string[], name: string): Promise<string> {
  let text = ''
  try {
    await parser.parseAsync([...argv], {}, (_error: unknown, _args: unknown, output: string) => { text += output })
  } catch (error) {
    throw new InputError(`${error instanceof Error ? error.message : String(error)}\nTry "${name} --help".`, EXIT_USAGE)
  }
  return text
}

/** Candidates for the last word. */
export function completions(commands: readonly FlagCommand[], words: readonly string[]): string[] {
  const [first = '', ...rest] = words
  const named = commands.map((command) => ({ command, word: command.words.split(' ')[0]! }))
  if (rest.length === 0) return named.map(({ word }) => word).filter((word) => word.startsWith(first))
  const command = named.find(({ word }) => word === first)?.command
  if (command?.commands !== undefined) return completions(command.commands, rest)
  return Object.keys(command?.flags ?? {}).map((flag) => `--${flag}`).filter((flag) => flag.startsWith(rest.at(-1)!))
}
