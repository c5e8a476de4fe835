// The text of `bpftool btf dump ... format c`: C definitions that give the types of a BTF again. Answers to
// tools/lib/bpf/btf_dump.c of libbpf 1.1.
import type { Btf } from './btf.js'
import { isPacked, padding } from './c-layout.js'
import { Names } from './c-names.js'
import { Order } from './c-order.js'
import {
  KIND, isComposite, isEnum, isModifier,
  type BtfComposite, type BtfEnum, type BtfFuncProto, type BtfModifier, type BtfPtr, type BtfType,
} from './types.js'

const HEAD = `#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
#endif

`
const TAIL = `#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

#endif /* __VMLINUX_H__ */
`
const MAX_OUTPUT = 64 << 20
/** Bits of padding between two members. */
const MAX_PADDING = 1 << 22
const MAX_DEPTH = 1000

/** A whole header: all types, or those of `roots` with what they need. */
export function dumpC(btf: Btf, roots?: readonly number[]): string {
  const dumper = new CDumper(btf)
  for (const id of roots ?? btf.types.map(t => t.id)) dumper.define(id)
  return HEAD + dumper.text + TAIL
}

/** A declaration of `name` as C writes it: `struct foo *name[4]`. Anonymous structs are written out. */
export function declareC(btf: Btf, id: number, name: string): string {
  const dumper = new CDumper(btf)
  dumper.declare(id, name, 0)
  return dumper.text
}

/** Definitions go to `text` in an order that C accepts; each type once. */
class CDumper {
  readonly #btf: Btf
  #order: Order | undefined
  readonly #emitted = new Set<number>()
  readonly #emitting = new Set<number>()
  readonly #forwarded = new Set<number>()
  readonly #typeNames = new Names()
  readonly #idents = new Names()
  readonly #parts: string[] = []
  #length = 0
  #depth = 0

  constructor(btf: Btf) {
    this.#btf = btf
  }

  get text(): string {
    return this.#parts.join('')
  }

  define(id: number): void {
    this.#order ??= new Order(this.#btf)
    for (const next of this.#order.queue(id)) this.#emit(next, 0)
  }

  #put(text: string): void {
    this.#length += text.length
    if (this.#length > MAX_OUTPUT) throw this.#btf.fail('types are too many to print')
    this.#parts.push(text)
  }

  #nested(id: number, body: () => void): void {
    if (++this.#depth > MAX_DEPTH) throw this.#btf.fail(`type [${id}]: types are nested too deep`)
    body()
    this.#depth--
  }

  /** Emits what `id` needs before it, and itself when it is asked for at top level (container 0). */
  #emit(id: number, container: number): void {
    if (this.#emitted.has(id)) return
    const t = this.#btf.type(id)
    if (this.#emitting.has(id)) return this.#emitAgain(t, container)
    this.#nested(id, () => this.#emitNew(t, container))
  }

  /** A type that is being emitted is needed again inside of itself. */
  #emitAgain(t: BtfType, container: number): void {
    if (this.#forwarded.has(t.id)) return
    if (isComposite(t)) {
      if (t.id === container || t.name === '') return
      this.#put(`${this.#forward(t)};\n\n`)
      this.#forwarded.add(t.id)
    } else if (t.kind === KIND.TYPEDEF) {
      this.#emitTypedef(t.id, t.name, t.type)
      this.#forwarded.add(t.id)
    }
  }

  #emitNew(t: BtfType, container: number): void {
    switch (t.kind) {
      case KIND.INT: this.#emitted.add(t.id); break
      case KIND.ENUM: case KIND.ENUM64:
        if (container === 0) this.#finish(() => this.#defineEnum(t, 0))
        this.#emitted.add(t.id)
        break
      case KIND.PTR: case KIND.CONST: case KIND.VOLATILE: case KIND.RESTRICT: case KIND.TYPE_TAG: this.#emit(t.type, container); break
      case KIND.ARRAY: this.#emit(t.element, container); break
      case KIND.FWD:
        this.#put(`${this.#forward(t)};\n\n`)
        this.#emitted.add(t.id)
        break
      case KIND.TYPEDEF:
        this.#emitting.add(t.id)
        this.#emit(t.type, t.id)
        if (!this.#forwarded.has(t.id)) this.#emitTypedef(t.id, t.name, t.type)
        this.#emitting.delete(t.id)
        this.#emitted.add(t.id)
        break
      case KIND.STRUCT: case KIND.UNION: this.#emitComposite(t, container); break
      case KIND.FUNC_PROTO:
        this.#emit(t.ret, container)
        for (const p of t.params) this.#emit(p.type, container)
        break
      default: break
    }
  }

  #emitComposite(t: BtfComposite, container: number): void {
    this.#emitting.add(t.id)
    if (container === 0 || t.name === '') {
      for (const m of t.members) this.#emit(m.type, t.name === '' ? container : t.id)
    } else if (!this.#forwarded.has(t.id) && t.id !== container) {
      this.#put(`${this.#forward(t)};\n\n`)
      this.#forwarded.add(t.id)
    }
    this.#emitting.delete(t.id)
    if (container !== 0) return
    this.#finish(() => this.#defineComposite(t, 0))
    this.#emitted.add(t.id)
  }

  #finish(body: () => void): void {
    body()
    this.#put(';\n\n')
  }

  #emitTypedef(id: number, name: string, type: number): void {
    if (name === '__builtin_va_list') return
    if (type === 0 && name === '__gnuc_va_list') return this.#put('typedef __builtin_va_list __gnuc_va_list;\n\n')
    this.#finish(() => {
      this.#put('typedef ')
      this.declare(type, this.#idents.of(id, name), 0)
    })
  }

  /** `struct foo`, `union foo`, `enum foo`: without a body. */
  #forward(t: BtfType): string {
    if (t.kind === KIND.FWD) return `${t.union ? 'union' : 'struct'} ${t.name}`
    const word = t.kind === KIND.STRUCT ? 'struct' : t.kind === KIND.UNION ? 'union' : 'enum'
    return t.name === '' ? word : `${word} ${this.#typeNames.of(t.id, t.name)}`
  }

  #defineComposite(t: BtfComposite, level: number): void {
    this.#put(`${this.#forward(t)} {`)
    const packed = t.kind === KIND.STRUCT && isPacked(this.#btf, t)
    let [end, inBitfield] = [0, false]
    for (const m of t.members) {
      const align = packed ? 1 : this.#btf.alignof(m.type)
      this.#pad(end, m.bitOffset, align, inBitfield && m.bitSize !== 0, level + 1)
      this.#put(`\n${tabs(level + 1)}`)
      this.declare(m.type, m.name, level + 1)
      this.#put(m.bitSize ? `: ${m.bitSize};` : ';')
      inBitfield = m.bitSize !== 0
      end = m.bitOffset + (m.bitSize || (this.#btf.sizeof(m.type) ?? 0) * 8)
    }
    if (t.kind === KIND.STRUCT) this.#pad(end, t.size * 8, this.#btf.alignof(t.id), false, level + 1)
    this.#put(t.members.length || t.size ? `\n${tabs(level)}}` : '}')
    if (packed) this.#put(' __attribute__((packed))')
  }

  #pad(from: number, to: number, align: number, inBitfield: boolean, level: number): void {
    if (to - from > MAX_PADDING) throw this.#btf.fail('a struct has more padding than can be printed')
    for (const pad of padding(from, to, align, inBitfield)) this.#put(`\n${tabs(level)}${pad};`)
  }

  #defineEnum(t: BtfEnum, level: number): void {
    this.#put(this.#forward(t))
    if (t.values.length === 0) return
    const suffix = t.kind === KIND.ENUM ? '' : t.signed ? 'LL' : 'ULL'
    this.#put(' {')
    for (const v of t.values) this.#put(`\n${tabs(level + 1)}${this.#idents.next(v.name)} = ${v.value}${suffix},`)
    this.#put(`\n${tabs(level)}}`)
  }

  /** Type and name in C's inside-out syntax. */
  declare(id: number, name: string, level: number): void {
    this.#nested(id, () => this.#chain(this.#declChain(id), name, level))
  }

  /** From the outermost (nearest to the name) to the type that starts the declaration. */
  #declChain(id: number): number[] {
    const ids: number[] = []
    for (;;) {
      if (ids.length > MAX_DEPTH) throw this.#btf.fail(`type [${id}]: types are nested too deep`)
      ids.push(id)
      const t = this.#btf.type(id)
      if (t.kind === KIND.ARRAY) id = t.element
      else if (t.kind === KIND.FUNC_PROTO) id = t.ret
      else if (isLink(t)) id = t.type
      else return ids
    }
  }

  #chain(ids: number[], name: string, level: number): void {
    let afterPtr = true
    while (ids.length) {
      const t = this.#btf.type(ids.pop()!)
      if (t.kind === KIND.ARRAY) return this.#chainArray(t.count, ids, name, afterPtr, level)
      if (t.kind === KIND.FUNC_PROTO) return this.#chainProto(t, ids, name, afterPtr, level)
      if (t.kind === KIND.PTR) this.#put(afterPtr ? '*' : ' *')
      else if (isLink(t)) this.#put(t.kind === KIND.TYPE_TAG ? ` __attribute__((btf_type_tag("${t.name}")))` : ` ${MODIFIER[t.kind]}`)
      else this.#base(t, ids, level)
      afterPtr = t.kind === KIND.PTR
    }
    this.#name(name, afterPtr)
  }

  /** The type that starts a declaration, with its modifiers before it. */
  #base(t: BtfType, ids: number[], level: number): void {
    for (let top = this.#top(ids); top && top.kind in MODIFIER; top = this.#top(ids)) {
      this.#put(`${MODIFIER[top.kind]} `)
      ids.pop()
    }
    if (t.kind === KIND.UNKN) this.#put('void')
    else if (isComposite(t) && t.name === '') this.#defineComposite(t, level)
    else if (isEnum(t) && t.name === '') this.#defineEnum(t, level)
    else if (isComposite(t) || isEnum(t) || t.kind === KIND.FWD) this.#put(this.#forward(t))
    else if (t.kind === KIND.TYPEDEF) this.#put(this.#idents.of(t.id, t.name))
    else this.#put(t.name)
  }

  #chainArray(count: number, ids: number[], name: string, afterPtr: boolean, level: number): void {
    this.#dropModifiers(ids)
    const next = this.#top(ids)
    if (!next) {
      this.#name(name, afterPtr)
    } else {
      const grouped = next.kind !== KIND.ARRAY
      if (name !== '' && !afterPtr) this.#put(' ')
      if (grouped) this.#put('(')
      this.#nested(next.id, () => this.#chain(ids, name, level))
      if (grouped) this.#put(')')
    }
    this.#put(`[${count}]`)
  }

  #chainProto(t: BtfFuncProto, ids: number[], name: string, afterPtr: boolean, level: number): void {
    this.#dropModifiers(ids)
    if (ids.length) {
      this.#put(' (')
      this.#nested(t.id, () => this.#chain(ids, name, level))
      this.#put(')')
    } else {
      this.#name(name, afterPtr)
    }
    this.#put('(')
    if (t.params.length === 0 || (t.params.length === 1 && t.params[0]!.type === 0)) this.#put('void')
    else t.params.forEach((p, i) => {
      if (i) this.#put(', ')
      if (i === t.params.length - 1 && p.type === 0) this.#put('...')
      else this.declare(p.type, p.name, level)
    })
    this.#put(')')
  }

  #top(ids: readonly number[]): BtfType | undefined {
    const id = ids[ids.length - 1]
    return id === undefined ? undefined : this.#btf.type(id)
  }

  /** Compilers put qualifiers on arrays and functions that C has no place for. */
  #dropModifiers(ids: number[]): void {
    for (let top = this.#top(ids); top && top.kind in MODIFIER; top = this.#top(ids)) ids.pop()
  }

  #name(name: string, afterPtr: boolean): void {
    this.#put(name !== '' && !afterPtr ? ` ${name}` : name)
  }
}

const MODIFIER: { readonly [kind: number]: string } = {
  [KIND.CONST]: 'const', [KIND.VOLATILE]: 'volatile', [KIND.RESTRICT]: 'restrict',
}

function isLink(t: BtfType): t is BtfPtr | BtfModifier {
  return t.kind === KIND.PTR || isModifier(t)
}

function tabs(level: number): string {
  return '\t'.repeat(level)
}
