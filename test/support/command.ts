// Runs a command in this process on a scripted kernel: answers by request, every request noted. For words -> requests and replies -> text.
import { Bug, KernelError } from '../../pkg/bytes/errors.js'
import type { Access, Io } from '../../pkg/cli/io.js'
import type { Kernel, Op, Reply, Request } from '../../pkg/request/kernel.js'

/** What the kernel says to each request; a KernelError is thrown. */
export type Script = { readonly [K in Op]?: Reply<K> | KernelError | ((request: Request<K>) => Reply<K>) }

export type Ran = {
  readonly out: string
  readonly err: string
  readonly status: number
  /** Requests that reached the kernel, but for link.get. */
  readonly asked: readonly (readonly [Op, unknown])[]
  readonly committed: boolean
}

export type Command = (argv: readonly string[], io: Io) => number

export type RunOptions = { readonly script?: Script; readonly stdin?: string; readonly files?: Readonly<Record<string, Uint8Array>>; readonly env?: Record<string, string> }

/** Words apart by single blanks; '' in quotes is not known here. */
export function runCommand(command: Command, line: string, { script = {}, stdin = '', files = {}, env = {} }: RunOptions = {}): Ran {
  const ran = { out: '', err: '', status: 0, asked: [] as [Op, unknown][], committed: false }
  const openKernel = (_: Access): Kernel => ({
    request: (op, request) => answer(script, op, request, ran.asked),
    commit: () => { ran.committed = true },
    close: () => {},
  })
  const io: Io = {
    stdout: (text) => { ran.out += String(text) },
    stderr: (text) => { ran.err += text },
    stdin: () => stdin, env, cwd: '/', tty: false, openKernel,
    readFile: (path) => files[path] ?? missing(path),
    writeFile: () => {},
  }
  ran.status = command(line.split(' ').filter((word) => word !== ''), io)
  return ran
}

function missing(path: string): never {
  throw Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { code: 'ENOENT' })
}

function answer<K extends Op>(script: Script, op: K, request: Request<K>, asked: [Op, unknown][]): Reply<K> {
  if (op !== 'link.get') asked.push([op, request])
  const said: unknown = script[op]
  if (said instanceof KernelError) throw said
  if (typeof said === 'function') return (said as (request: Request<K>) => Reply<K>)(request)
  if (said === undefined && !(op in script)) throw new Bug(`no answer to ${op} in this script`)
  return said as Reply<K>
}
