// Paths that a script would use on Linux, as real files below the state directory: sys/class/net/DEV/queues/tx-N/xps_cpus, pins in
// sys/fs/bpf, the trace pipe. The store says which exist; users may write the writable ones and remove pins. A stamp tells a
// file that a user removed from one that a killed process did not get to write.
import type { Store } from '../state/store.js'

/** The state directory's plain files; a Map stands in for an in-memory machine. */
export interface Files {
  read(path: string): string | undefined
  write(path: string, text: string): void
  remove(path: string): void
  exists(path: string): boolean
}

export const STAMP_FILE = 'sys/.stamp'
export const STAMP_KEY = 'sys/stamp'
/** Store key of a view: this and its path; the value is its first text. */
export const VIEW_PREFIX = 'view/'

export class Views {
  readonly #store: Store
  readonly #files: Files
  /** Done after the commit: path -> text, or undefined to remove. */
  readonly #pending = new Map<string, string | undefined>()

  constructor(store: Store, files: Files) {
    this.#store = store
    this.#files = files
  }

  /** Lets a file exist, with this text at first. */
  add(path: string, text: string): void {
    this.#store.set(VIEW_PREFIX + path, text)
    this.#pending.set(path, text)
  }

  delete(path: string): void {
    if (!this.#store.has(VIEW_PREFIX + path)) return
    this.#store.delete(VIEW_PREFIX + path)
    this.#pending.set(path, undefined)
  }

  /** Removes every view below a folder. */
  deleteTree(folder: string): void {
    for (const key of this.#store.keys(`${VIEW_PREFIX}${folder}/`)) this.delete(key.slice(VIEW_PREFIX.length))
  }

  /** What the file says now: a user may have written to it. */
  text(path: string): string | undefined {
    const first = this.#store.get(VIEW_PREFIX + path)
    if (first === undefined) return undefined
    if (this.#pending.has(path)) return this.#pending.get(path)
    return this.#files.read(path) ?? String(first)
  }

  /** Sets the text of a view, as `echo` would. */
  write(path: string, text: string): void {
    this.#store.set(VIEW_PREFIX + path, text)
    this.#pending.set(path, text)
  }

  /** Paths below a folder whose files a user has removed. */
  removedByUser(folder: string): string[] {
    if (!this.#inStep()) return []
    const paths = this.#store.keys(`${VIEW_PREFIX}${folder}/`).map((key) => key.slice(VIEW_PREFIX.length))
    return paths.filter((path) => !this.#pending.has(path) && !this.#files.exists(path))
  }

  #inStep(): boolean {
    return (this.#files.read(STAMP_FILE)?.trim() ?? '0') === String(this.#store.get(STAMP_KEY) ?? 0)
  }

  /** Before the commit: moves the stamp when files are about to change, and mends what a killed process left undone. */
  prepare(): void {
    if (!this.#inStep()) this.#mend()
    if (this.#pending.size > 0) this.#store.set(STAMP_KEY, Number(this.#store.get(STAMP_KEY) ?? 0) + 1)
  }

  #mend(): void {
    for (const key of this.#store.keys(VIEW_PREFIX)) {
      const path = key.slice(VIEW_PREFIX.length)
      if (!this.#pending.has(path) && !this.#files.exists(path)) this.#pending.set(path, String(this.#store.get(key)))
    }
  }

  /** After the commit. */
  apply(): void {
    if (this.#pending.size === 0) return
    for (const [path, text] of this.#pending) {
      if (text === undefined) this.#files.remove(path)
      else this.#files.write(path, text)
    }
    this.#pending.clear()
    this.#files.write(STAMP_FILE, `${String(this.#store.get(STAMP_KEY) ?? 0)}\n`)
  }
}

/** Files of a machine that has no directory. */
export function memoryFiles(): Files {
  const files = new Map<string, string>()
  return {
    read: (path) => files.get(path),
    write: (path, text) => void files.set(path, text),
    remove: (path) => void files.delete(path),
    exists: (path) => files.has(path),
  }
}
