// `hookpoint state export` and `import`: the whole machine as JSON that diffs well. Keys are sorted at every depth; bytes are rows of 32 in
// hex by offset, rows of zeros left out.
import { InputError } from '../bytes/errors.js'
import { openStore, PAGE, type Json, type Store } from './store.js'

type JsonObject = { readonly [key: string]: Json }

const FORMAT = 'hookpoint-state'
const VERSION = 1
const ROW = 32

/** The committed and uncommitted state of a store, as JSON. */
export function exportState(store: Store): Json {
  return {
    format: FORMAT,
    version: VERSION,
    values: object(store.keys(''), (key) => sorted(store.get(key)!)),
    pages: object(store.areas(), (area) => object(store.pages(area).map(String), (n) => rows(store.readPage(area, Number(n))!))),
    blobs: object(store.blobs(''), (name) => blobJson(store.readBlob(name)!)),
  }
}

/** Makes a directory's state what the JSON says, whatever it was before, in one commit. */
export function importState(dir: string, json: Json): void {
  checkedState(json)
  const store = openStore(dir, 'write')
  try {
    importInto(store, json)
    store.commit()
  } finally {
    store.close()
  }
}

/** The same into an open store, as part of its transaction. */
export function importInto(store: Store, json: Json): void {
  const state = checkedState(json)
  for (const key of store.keys('')) if (!Object.hasOwn(state.values, key)) store.delete(key)
  for (const area of store.areas()) dropMissing(store, area, state.pages)
  for (const name of store.blobs('')) if (!Object.hasOwn(state.blobs, name)) store.deleteBlob(name)
  for (const [key, value] of Object.entries(state.values)) store.set(key, value)
  for (const [area, pages] of Object.entries(state.pages)) importArea(store, area, asObject(pages, `pages of ${area}`))
  for (const [name, blob] of Object.entries(state.blobs)) store.writeBlob(name, blobBytes(name, blob))
}

function dropMissing(store: Store, area: string, areas: JsonObject): void {
  for (const n of store.pages(area)) if (!hasPage(areas, area, n)) store.writePage(area, n, new Uint8Array(PAGE))
}

function importArea(store: Store, area: string, pages: JsonObject): void {
  for (const [n, page] of Object.entries(pages)) {
    if (!/^\d{1,10}$/.test(n) || Number(n) >= 2 ** 32) throw wrong(`page ${n} of ${area}`)
    store.writePage(area, Number(n), unrows(page, PAGE, `page ${n} of ${area}`))
  }
}

function hasPage(areas: JsonObject, area: string, n: number): boolean {
  const pages = Object.hasOwn(areas, area) ? areas[area] : undefined
  return typeof pages === 'object' && pages !== null && Object.hasOwn(pages, String(n))
}

function checkedState(json: Json): { values: JsonObject; pages: JsonObject; blobs: JsonObject } {
  const state = asObject(json, 'the file')
  if (state['format'] !== FORMAT) throw wrong('the file')
  const version = state['version']
  if (version !== VERSION) {
    throw new InputError(`state export has version ${JSON.stringify(version)}, this hookpoint reads version ${VERSION}`)
  }
  return { values: asObject(state['values'], 'values'), pages: asObject(state['pages'], 'pages'), blobs: asObject(state['blobs'], 'blobs') }
}

function blobJson(bytes: Uint8Array): Json {
  return { length: bytes.length, rows: rows(bytes) }
}

function blobBytes(name: string, json: Json): Uint8Array {
  const blob = asObject(json, `blob ${name}`)
  const length = blob['length']
  if (typeof length !== 'number' || !Number.isInteger(length) || length < 0 || length > 2 ** 31) throw wrong(`blob ${name}`)
  return unrows(blob['rows'], length, `blob ${name}`)
}

function rows(bytes: Uint8Array): Json {
  const made: [string, string][] = []
  for (let at = 0; at < bytes.length; at += ROW) {
    const row = bytes.subarray(at, at + ROW)
    if (row.some((byte) => byte !== 0)) made.push([`0x${at.toString(16).padStart(4, '0')}`, Buffer.from(row).toString('hex')])
  }
  return Object.fromEntries(made)
}

function unrows(json: Json | undefined, length: number, what: string): Uint8Array {
  const bytes = new Uint8Array(length)
  for (const [at, hex] of Object.entries(asObject(json, what))) {
    const offset = Number(at)
    if (!/^0x[0-9a-f]+$/.test(at) || typeof hex !== 'string' || !/^(?:[0-9a-f]{2})*$/.test(hex)) throw wrong(`${what} at ${at}`)
    if (offset + hex.length / 2 > length) throw wrong(`${what} at ${at}`)
    bytes.set(Buffer.from(hex, 'hex'), offset)
  }
  return bytes
}

function sorted(json: Json): Json {
  if (Array.isArray(json)) return json.map(sorted)
  if (typeof json !== 'object' || json === null) return json
  const source = json as JsonObject
  return object(Object.keys(source).sort(), (key) => sorted(source[key]!))
}

/** fromEntries rather than assignment: a key may be `__proto__`. */
function object(keys: readonly string[], value: (key: string) => Json): JsonObject {
  return Object.fromEntries(keys.map((key) => [key, value(key)]))
}

function asObject(json: Json | undefined, what: string): JsonObject {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw wrong(what)
  return json as JsonObject
}

function wrong(what: string): InputError {
  return new InputError(`not a state export: ${what} has the wrong form`)
}
