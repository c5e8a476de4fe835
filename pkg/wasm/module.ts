// A module: types, imports, functions, globals, exports; one memory and at most one table, both imported.
import { assert } from '../bytes/errors.js'
import { Bytes } from './bytes.js'
import { FuncBuilder } from './func.js'
import { FUNCREF, I32, type ValType } from './opcodes.js'

export interface FuncType { readonly params: readonly ValType[], readonly results: readonly ValType[] }

const SECTION = { type: 1, import: 2, function: 3, global: 6, export: 7, code: 10 } as const
const FUNC = 0
const TABLE = 1
const MEMORY = 2

export class ModuleBuilder {
  readonly #types: FuncType[] = []
  readonly #imports = new Bytes()
  #importCount = 0
  #importedFuncs = 0
  readonly #funcs: FuncBuilder[] = []
  readonly #globals: number[] = []
  readonly #exports = new Bytes()
  #exportCount = 0

  type(params: readonly ValType[], results: readonly ValType[]): number {
    const key = `${params.join()}>${results.join()}`
    const known = this.#types.findIndex(t => `${t.params.join()}>${t.results.join()}` === key)
    return known >= 0 ? known : this.#types.push({ params, results }) - 1
  }

  /** A shared memory of any size that is at most 4 GiB. */
  importMemory(module: string, name: string): void {
    this.#import(module, name, MEMORY)
    this.#imports.byte(3)
    this.#imports.u32(1)
    this.#imports.u32(65536)
  }

  /** A table of functions; there is one, its index is 0. */
  importTable(module: string, name: string): number {
    this.#import(module, name, TABLE)
    this.#imports.bytes(FUNCREF, 0)
    this.#imports.u32(0)
    return 0
  }

  /** Index of an imported function; all imports come before the first function. */
  importFunc(module: string, name: string, params: readonly ValType[], results: readonly ValType[]): number {
    assert(this.#funcs.length === 0, 'imports come first')
    const type = this.type(params, results)
    this.#import(module, name, FUNC)
    this.#imports.u32(type)
    return this.#importedFuncs++
  }

  /** A mutable i32 that begins with this value. */
  global(value: number): number {
    return this.#globals.push(value) - 1
  }

  func(params: readonly ValType[], results: readonly ValType[]): { index: number, f: FuncBuilder } {
    const f = new FuncBuilder(this.type(params, results), params.length)
    return { index: this.#importedFuncs + this.#funcs.push(f) - 1, f }
  }

  exportFunc(name: string, index: number): void {
    this.#exports.name(name)
    this.#exports.byte(FUNC)
    this.#exports.u32(index)
    this.#exportCount++
  }

  finish(): Uint8Array {
    const out = new Bytes()
    out.bytes(0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0)
    section(out, SECTION.type, this.#types.length, body => this.#types.forEach(t => {
      body.byte(0x60)
      for (const list of [t.params, t.results]) {
        body.u32(list.length)
        body.bytes(...list)
      }
    }))
    section(out, SECTION.import, this.#importCount, body => body.append(this.#imports))
    section(out, SECTION.function, this.#funcs.length, body => this.#funcs.forEach(f => body.u32(f.typeIndex)))
    section(out, SECTION.global, this.#globals.length, body => this.#globals.forEach(value => {
      body.bytes(I32, 1, 0x41)
      body.s32(value)
      body.byte(0x0b)
    }))
    section(out, SECTION.export, this.#exportCount, body => body.append(this.#exports))
    section(out, SECTION.code, this.#funcs.length, body => this.#funcs.forEach(f => {
      const code = f.finish()
      body.u32(code.length)
      body.append(code)
    }))
    return out.take()
  }

  #import(module: string, name: string, kind: number): void {
    this.#imports.name(module)
    this.#imports.name(name)
    this.#imports.byte(kind)
    this.#importCount++
  }
}

function section(out: Bytes, id: number, count: number, write: (body: Bytes) => void): void {
  if (count === 0) return
  const body = new Bytes()
  body.u32(count)
  write(body)
  out.byte(id)
  out.u32(body.length)
  out.append(body)
}
