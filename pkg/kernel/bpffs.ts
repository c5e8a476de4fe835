// The emulated bpf file system: names for objects, which keep them alive. kernel/bpf/inode.c. Every pin is also a file below
// sys/fs/bpf of the state directory, so that ls shows it and rm unpins.
import { KernelError } from '../bytes/errors.js'
import type { ObjKind } from '../request/bpf.js'
import type { Store } from '../state/store.js'
import { EEXIST, EINVAL, ENOENT, EPERM } from '../uapi/errno.js'
import type { ObjectTable, ObjRecord } from './table.js'
import type { Views } from './views.js'

export const BPFFS = '/sys/fs/bpf'
const PREFIX = 'pin'

interface Pin {
  readonly kind: ObjKind
  readonly id: number
}

export type Pinnable = Record<ObjKind, ObjectTable<ObjRecord>>

export class Bpffs {
  readonly #store: Store
  readonly #views: Views
  readonly #tables: Pinnable

  constructor(store: Store, views: Views, tables: Pinnable) {
    this.#store = store
    this.#views = views
    this.#tables = tables
  }

  pin(request: { kind: ObjKind; id: number; path: string }): void {
    const path = checked(request.path)
    if (this.#store.has(PREFIX + path)) throw new KernelError(EEXIST)
    const table = this.#tables[request.kind]
    const record = table.need(request.id)
    this.#store.set(PREFIX + path, { kind: request.kind, id: request.id })
    record.pins.push(path)
    table.hold(request.id)
    this.#views.add(path.slice(1), `${request.kind} ${request.id}\n`)
  }

  get(path: string): { kind: ObjKind; id: number } {
    const pin = this.#find(checked(path))
    if (!pin) throw new KernelError(ENOENT)
    this.#tables[pin.kind].handle(pin.id)
    return pin
  }

  #find(path: string): Pin | undefined {
    const pin = this.#store.get(PREFIX + path) as unknown as Pin | undefined
    if (!pin || this.#views.text(path.slice(1)) === undefined) return undefined
    return { kind: pin.kind, id: pin.id }
  }

  unpin(path: string): void {
    const name = checked(path)
    const pin = this.#find(name)
    if (!pin) throw new KernelError(ENOENT)
    this.#forget(name, pin)
  }

  #forget(path: string, pin: Pin): void {
    const table = this.#tables[pin.kind]
    const record = table.get(pin.id)
    if (record) {
      record.pins = record.pins.filter((name) => name !== path)
      table.drop(pin.id)
    }
    this.#store.delete(PREFIX + path)
    this.#views.delete(path.slice(1))
  }

  list(prefix = BPFFS): { path: string; kind: ObjKind; id: number }[] {
    const gone = new Set(this.#views.removedByUser(BPFFS.slice(1)))
    return this.#store
      .keys(PREFIX + BPFFS)
      .map((key) => key.slice(PREFIX.length))
      .filter((path) => (path === prefix || path.startsWith(`${prefix.replace(/\/$/, '')}/`)) && !gone.has(path.slice(1)))
      .map((path) => ({ path, ...(this.#find(path) as Pin) }))
  }

  /** Pins whose files a user has removed with rm are pins no more. */
  reconcile(): void {
    for (const path of this.#views.removedByUser(BPFFS.slice(1))) {
      const pin = this.#store.get(`${PREFIX}/${path}`) as unknown as Pin | undefined
      if (pin) this.#forget(`/${path}`, pin)
    }
  }
}

/** An absolute path below /sys/fs/bpf; elsewhere there is no bpf file system. Names with a dot are refused as bpf_lookup does. */
function checked(path: string): string {
  const clean = path.replace(/\/+/g, '/').replace(/\/$/, '')
  if (!clean.startsWith(`${BPFFS}/`)) throw new KernelError(EINVAL, `${path} is not below ${BPFFS}`)
  if (clean.split('/').some((part) => part === '..' || part.includes('.'))) throw new KernelError(EPERM)
  return clean
}
