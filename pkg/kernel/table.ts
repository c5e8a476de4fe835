// Objects that bpf(2) names by id: maps, programs, BTF, links. Records are loaded one at a time, counted, and gone when nothing
// refers to them at the end of a transaction, as an object whose last file descriptor closes.
import { KernelError } from '../bytes/errors.js'
import { ENOENT } from '../uapi/errno.js'
import type { Json, Store } from '../state/store.js'

export interface ObjRecord {
  readonly id: number
  /** References that persist: pins, attachments, other objects. */
  refs: number
  /** Absolute paths below /sys/fs/bpf. */
  pins: string[]
}

export type ObjName = 'map' | 'prog' | 'btf' | 'link'

const DIGITS = 10

export class ObjectTable<R extends ObjRecord> {
  readonly #store: Store
  readonly #first: number
  readonly name: ObjName
  readonly #destroy: (record: R) => void
  readonly #cache = new Map<number, R>()
  readonly #dirty = new Set<number>()
  /** Ids whose count may have reached zero in this transaction. */
  readonly #loose = new Set<number>()
  /** Ids that somebody in this process holds although nothing persistent does. */
  readonly #handles = new Set<number>()

  /** first: the lowest id it gives out. */
  constructor(store: Store, name: ObjName, destroy: (record: R) => void, first = 1) {
    this.#first = first
    this.#store = store
    this.name = name
    this.#destroy = destroy
    for (const id of (store.get(this.#heldKey) as number[] | undefined) ?? []) this.#loose.add(id)
  }

  #key(id: number): string {
    return `${this.name}/${String(id).padStart(DIGITS, '0')}`
  }

  /** Ids are given out ascending and never again, as the kernel's cyclic idr does for its first two thousand million objects. */
  create(make: (id: number) => R): R {
    const counter = `next/${this.name}`
    const id = Number(this.#store.get(counter) ?? this.#first)
    const record = make(id)
    this.#store.set(counter, id + 1)
    this.#cache.set(id, record)
    this.#dirty.add(id)
    this.#loose.add(id)
    this.#handles.add(id)
    return record
  }

  get(id: number): R | undefined {
    const known = this.#cache.get(id)
    if (known) return known
    const stored = this.#store.get(this.#key(id)) as unknown as R | undefined
    if (stored === undefined) return undefined
    const record = structuredClone(stored)
    this.#cache.set(id, record)
    return record
  }

  /** The record, or ENOENT as BPF_*_GET_FD_BY_ID answers. */
  need(id: number): R {
    const record = this.get(id)
    if (!record) throw new KernelError(ENOENT)
    return record
  }

  /** Ascending. */
  ids(): number[] {
    const ids = new Set(this.#store.keys(`${this.name}/`).map((key) => Number(key.slice(this.name.length + 1))))
    for (const id of this.#cache.keys()) ids.add(id)
    return [...ids].sort((a, b) => a - b)
  }

  list(): R[] {
    return this.ids().map((id) => this.need(id))
  }

  /** Says that the record was changed. */
  touch(record: R): void {
    this.#dirty.add(record.id)
  }

  hold(id: number): void {
    const record = this.need(id)
    record.refs += 1
    this.#dirty.add(id)
  }

  drop(id: number): void {
    const record = this.get(id)
    if (!record) return
    record.refs -= 1
    this.#dirty.add(id)
    if (record.refs <= 0) this.#loose.add(id)
  }

  /** Keeps an unreferenced object until release(): what an open file descriptor does. */
  handle(id: number): void {
    this.#handles.add(id)
    this.#loose.add(id)
  }

  release(): void {
    this.#handles.clear()
  }

  /** Destroys what nothing refers to. True when something went, which may have freed more. */
  sweep(): boolean {
    const gone = [...this.#loose].filter((id) => !this.#handles.has(id) && (this.get(id)?.refs ?? 1) <= 0)
    for (const id of gone) this.#remove(id)
    return gone.length > 0
  }

  #remove(id: number): void {
    const record = this.need(id)
    this.#loose.delete(id)
    this.#destroy(record)
    this.#cache.delete(id)
    this.#dirty.delete(id)
    this.#store.delete(this.#key(id))
  }

  /** Handles end with their process, but a commit of the library keeps what they hold: the next process sweeps it. */
  get #heldKey(): string {
    return `held/${this.name}`
  }

  flush(): void {
    const held = [...this.#handles].filter((id) => (this.get(id)?.refs ?? 1) <= 0)
    if (held.length > 0) this.#store.set(this.#heldKey, held)
    else if (this.#store.has(this.#heldKey)) this.#store.delete(this.#heldKey)
    for (const id of this.#dirty) this.#store.set(this.#key(id), this.#cache.get(id) as unknown as Json)
    this.#dirty.clear()
  }
}
