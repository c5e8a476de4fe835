// The one door to yargs, opened only when `wire` or `hookpoint` read flags, show their help, or a completion script is wanted: importing it costs
// more than a whole `ip link`. Settings that keep it from guessing: no numbers out of words, no `no-`, no joined short options.
import type { Argv } from 'yargs'

/** A yargs that throws instead of leaving the process and takes words as they are. */
export async function loadFlags(name: string, argv: readonly string[]): Promise<Argv> {
  const { default: yargs } = await import('yargs')
  return yargs([...argv])
    .scriptName(name)
    .parserConfiguration({
      'short-option-groups': false, 'camel-case-expansion': false, 'dot-notation': false, 'parse-numbers': false,
      'parse-positional-numbers': false, 'boolean-negation': false, 'duplicate-arguments-array': false,
    })
    .exitProcess(false)
    .fail(false)
    .version(false)
    .locale('en')
    .strict()
}

/** The bash (or, with zsh in $SHELL, zsh) script that completes NAME by asking it. */
export async function completionScript(name: string): Promise<string> {
  const { default: yargs } = await import('yargs')
  const lines: string[] = []
  const log = console.log
  // yargs prints the script and has no way to return it.
  console.log = (text: string) => { lines.push(text) }
  try {
    yargs([]).scriptName(name).completion('completion', false).showCompletionScript()
  } finally {
    console.log = log
  }
  return `${lines.join('\n')}\n`
}
