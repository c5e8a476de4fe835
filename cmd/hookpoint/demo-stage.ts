// Where the demo plays: shows command lines and what they print, asks quietly, keeps the claims.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { InputError } from '../../pkg/bytes/errors.js'
import type { Io } from '../../pkg/cli/index.js'
import { readCapture } from '../../pkg/packet/index.js'

type Claim = { readonly what: string; readonly holds: boolean; readonly instead: string }

const MAX_OUTPUT = 8_000_000

export class Stage {
  readonly #dir: string
  readonly #env: Readonly<Record<string, string>>
  readonly #io: Io
  readonly #claims: Claim[] = []

  constructor(dir: string, env: Readonly<Record<string, string>>, io: Io) {
    this.#dir = dir
    this.#env = env
    this.#io = io
  }

  title(text: string): void {
    this.#io.stdout(`\n${this.#io.tty ? `\x1b[1m${text}\x1b[0m` : text}\n${'='.repeat(text.length)}\n`)
  }

  say(text: string): void {
    this.#io.stdout(`# ${text}\n`)
  }

  /** Shows the line, runs it in a shell, shows what it prints. A failure ends the story. */
  run(line: string): string {
    this.#io.stdout(`$ ${line}\n`)
    const { stdout, stderr, failure } = this.#shell(line)
    this.#io.stdout(stdout + stderr)
    if (failure !== undefined) throw new InputError(`"${line}" ${failure}`, 1)
    return stdout
  }

  /** The same unseen; the answer is JSON. */
  ask(line: string): unknown {
    const { stdout, stderr, failure } = this.#shell(line)
    if (failure !== undefined) throw new InputError(`"${line}" ${failure}: ${stderr.trim()}`, 1)
    return JSON.parse(stdout)
  }

  /** Frames of a capture in the play's directory. */
  capture(file: string): ReturnType<typeof readCapture> {
    return readCapture(join(this.#dir, file))
  }

  /** Something the story says; `instead` is what was found when it isn't so. */
  claim(what: string, holds: boolean, instead: unknown): void {
    const claim = { what, holds, instead: typeof instead === 'string' ? instead : JSON.stringify(instead) }
    this.#claims.push(claim)
    this.#io.stdout(holds ? `-> ${what}\n` : `-> WRONG: ${what}: found ${claim.instead}\n`)
  }

  /** The story can't go on. */
  broken(error: unknown): void {
    this.claim('the story goes through to its end', false, error instanceof Error ? error.message : String(error))
  }

  /** What it all showed, and the exit status. */
  close(): number {
    this.title('What this showed')
    for (const { what, holds } of this.#claims) this.#io.stdout(`${holds ? 'ok   ' : 'WRONG'} ${what}\n`)
    const wrong = this.#claims.filter(({ holds }) => !holds)
    this.#io.stdout(`\n${this.#claims.length - wrong.length} of ${this.#claims.length} claims hold, in ${process.uptime().toFixed(1)} seconds.\n`)
    for (const { what, instead } of wrong) this.#io.stderr(`hookpoint demo: not so: ${what}: found ${instead}\n`)
    return wrong.length === 0 ? 0 : 1
  }

  #shell(line: string): { stdout: string; stderr: string; failure: string | undefined } {
    const ran = spawnSync('sh', ['-c', line], { cwd: this.#dir, env: this.#env, encoding: 'utf8', maxBuffer: MAX_OUTPUT })
    if (ran.error !== undefined) return { stdout: '', stderr: '', failure: `cannot be run: ${ran.error.message}` }
    const failure = ran.signal !== null ? `was ended by ${ran.signal}` : ran.status !== 0 ? `ended with status ${ran.status}` : undefined
    return { stdout: ran.stdout, stderr: ran.stderr, failure }
  }
}
