// A machine as one thing: is there one, take it out as JSON, put it back. The files that users may write to (views.ts) belong to it: an
// export holds what they say now, an import writes them.
import { exportState, importInto } from '../state/export.js'
import { readFile, removeTree, writeFileAtomic } from '../state/files.js'
import { openStore, type Json, type Store } from '../state/store.js'
import { STAMP_FILE, STAMP_KEY, VIEW_PREFIX } from './views.js'

/** Whether a command has made the directory's machine yet. */
export function hasMachine(dir: string): boolean {
  return reading(dir, (store) => store.has('sys/machine'))
}

/** The whole machine. */
export function exportMachine(dir: string): Json {
  return reading(dir, (store) => {
    const state = exportState(store) as { readonly values: { readonly [key: string]: Json } }
    const values = Object.entries(state.values).map(([key, value]) => [key, isView(key) ? readFile(dir, pathOf(key)) ?? value : value] as const)
    return { ...state, values: Object.fromEntries(values) }
  })
}

/** Makes the directory's machine what the JSON says, whatever it was before. */
export function importMachine(dir: string, json: Json): void {
  const store = openStore(dir, 'write')
  try {
    const before = store.keys(VIEW_PREFIX)
    importInto(store, json)
    store.commit()
    for (const key of before) if (!store.has(key)) removeTree(dir, pathOf(key))
    for (const key of store.keys(VIEW_PREFIX)) writeFileAtomic(dir, pathOf(key), String(store.get(key)))
    writeFileAtomic(dir, STAMP_FILE, `${String(store.get(STAMP_KEY) ?? 0)}\n`)
  } finally {
    store.close()
  }
}

function reading<R>(dir: string, look: (store: Store) => R): R {
  const store = openStore(dir, 'read')
  try {
    return look(store)
  } finally {
    store.close()
  }
}

const isView = (key: string): boolean => key.startsWith(VIEW_PREFIX)
const pathOf = (key: string): string => key.slice(VIEW_PREFIX.length)
