// The writers' lock: a file `lock` made by link(2) that names its holder by pid, start time and pid namespace, so that the lock of a process
// that is gone (kill -9) is broken at once, without any guess by age.
import * as fs from 'node:fs'
import { join } from 'node:path'
import { InputError } from '../bytes/errors.js'
import { attempt, codeOf, ifThere, removeQuietly, writeAll } from './disk.js'

export interface Lock { release(): void }

/** Who holds a lock, as the file says: `PID START NAMESPACE`. */
interface Holder { readonly pid: number; readonly start: string; readonly space: string }

const TEMP = /^lock\.(\d+)\.\d+$/
/** Longest pause between two tries, in ms. */
const PAUSE = 10
const UNKNOWN = '?'
let serial = 0
let self: Holder | undefined

/** Takes the lock of a state directory; waits up to WAIT ms for a living holder. */
export function takeLock(dir: string, wait: number): Lock {
  return attempt(`cannot lock state directory ${dir}`, () => {
    const path = join(dir, 'lock')
    const me = `${holderText(identity())}\n`
    const temp = writeTemp(dir, me)
    try {
      waitFor(dir, path, temp, me, wait)
    } finally {
      removeQuietly(temp)
    }
    return { release: () => release(path, me) }
  })
}

/** Removes the temporary files of processes that died while they were taking the lock. */
export function sweepTemps(dir: string): void {
  for (const name of fs.readdirSync(dir)) {
    const pid = TEMP.exec(name)?.[1]
    if (pid !== undefined && !running(Number(pid))) removeQuietly(join(dir, name))
  }
}

function waitFor(dir: string, path: string, temp: string, me: string, wait: number): void {
  const cell = new Int32Array(new SharedArrayBuffer(4))
  let pause = 0.5
  for (let waited = 0; !take(dir, path, temp, me); waited += pause) {
    if (waited >= wait) throw new InputError(busyText(dir, path))
    Atomics.wait(cell, 0, 0, pause)
    pause = Math.min(pause * 1.5, PAUSE)
  }
}

/**
 * One try. A dead holder's file is replaced only by whoever holds the right to do so, which is the lock `NAME.b`, taken in the same way:
 * so two that find the same dead holder can't both win, and one that dies in between is found dead in turn.
 */
function take(dir: string, path: string, temp: string, me: string): boolean {
  if (linked(temp, path, me)) return true
  const held = readHolder(path)
  if (held === undefined) return false
  if (held === me) throw new InputError(`state directory ${dir} is already open for writing in this process`)
  if (alive(held)) return false
  const right = `${path}.b`
  if (!take(dir, right, temp, me)) return false
  try {
    if (readHolder(path) !== held) return false
    const copy = writeTemp(dir, me)
    fs.renameSync(copy, path)
    sweepTemps(dir)
    return true
  } finally {
    removeQuietly(right)
  }
}

function linked(temp: string, path: string, me: string): boolean {
  try {
    fs.linkSync(temp, path)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    if (codeOf(error) !== 'ENOENT') throw error
    // Swept by a process of another pid namespace that didn't know ours.
    fillTemp(temp, me, 'w')
    return false
  }
}

function release(path: string, me: string): void {
  if (ifThere(() => fs.readFileSync(path, 'latin1')) === me) removeQuietly(path)
}

function writeTemp(dir: string, text: string): string {
  for (;;) {
    const temp = join(dir, `lock.${process.pid}.${serial++}`)
    try {
      fillTemp(temp, text, 'wx')
      return temp
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
    }
  }
}

function fillTemp(temp: string, text: string, flags: 'w' | 'wx'): void {
  const fd = fs.openSync(temp, flags, 0o644)
  try {
    writeAll(fd, Buffer.from(text, 'latin1'), 0)
  } catch (error) {
    removeQuietly(temp)
    throw error
  } finally {
    fs.closeSync(fd)
  }
}

function readHolder(path: string): string | undefined {
  try {
    return ifThere(() => fs.readFileSync(path, 'latin1'))
  } catch (error) {
    if (codeOf(error) === 'EACCES') return 'unreadable'
    throw error
  }
}

function parseHolder(text: string): Holder | undefined {
  const words = /^([1-9]\d*) (.*) (\S+)\n$/s.exec(text)
  return words === null ? undefined : { pid: Number(words[1]), start: words[2]!, space: words[3]! }
}

function holderText(holder: Holder): string {
  return `${holder.pid} ${holder.start} ${holder.space}`
}

/** A file that names nobody (cut short by a power loss) has no holder; one from another pid namespace can't be judged from here. */
function alive(text: string): boolean {
  if (text === 'unreadable') return true
  const holder = parseHolder(text)
  if (holder === undefined) return false
  if (holder.space !== identity().space) return true
  if (!running(holder.pid)) return false
  const start = startOf(holder.pid)
  return start === undefined || holder.start === UNKNOWN || start === holder.start
}

function running(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) !== 'ESRCH'
  }
}

function identity(): Holder {
  return (self ??= { pid: process.pid, start: startOf(process.pid) ?? UNKNOWN, space: pidNamespace() })
}

function pidNamespace(): string {
  try {
    return fs.readlinkSync('/proc/self/ns/pid').replaceAll(' ', '')
  } catch {
    return '-'
  }
}

/** When a process started, in any words that differ for a later one of the same pid; undefined when that can't be found out. */
function startOf(pid: number): string | undefined {
  return process.platform === 'linux' ? startFromProc(pid) : startFromPs(pid)
}

/** proc_pid_stat(5): after the name in parentheses come the state (3) and, as field 22, the start time. A zombie holds nothing. */
function startFromProc(pid: number): string | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? 'dead' : fields[19]
  } catch {
    return undefined
  }
}

function startFromPs(pid: number): string | undefined {
  const { execFileSync } = process.getBuiltinModule('node:child_process')
  try {
    const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' }
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'latin1', env }).trim()
  } catch {
    return undefined
  }
}

function busyText(dir: string, path: string): string {
  const holder = parseHolder(readHolder(path) ?? '')
  const text = `state directory ${dir} is locked by process ${holder?.pid ?? '?'}`
  return holder === undefined || holder.space === identity().space ? text : `${text} of another container; remove ${path} if that is gone`
}
