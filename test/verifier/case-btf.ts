// BTF of a text case, from one-line declarations:
//   struct val { u32 cnt; bpf_spin_lock lock; u64 *p; u8 pad[12] }        bpf_spin_lock, bpf_timer … are the kernel's own
//   func main(ctx) -> int            one a function; LABEL(ARGS) -> RET [static]; an argument may carry a tag: `int *p @nonnull`
import { encodeBtf, KIND, LINKAGE, type BtfType } from '../../pkg/btf/index.js'

interface Declared { readonly name: string, readonly id: number }
/** `Omit` on every member of the union. */
type Unnumbered = BtfType extends infer T ? T extends BtfType ? Omit<T, 'id'> : never : never

const INTS: Readonly<Record<string, readonly [size: number, encoding: number]>> = {
  u8: [1, 0], u16: [2, 0], u32: [4, 0], u64: [8, 0], s8: [1, 1], s16: [2, 1], s32: [4, 1], s64: [8, 1], int: [4, 1], long: [8, 1],
  char: [1, 1], bool: [1, 4],
}
/** Structs that programs share with the kernel: name -> bytes and alignment. */
const KNOWN: Readonly<Record<string, readonly [size: number, align: number]>> = {
  bpf_spin_lock: [4, 4], bpf_res_spin_lock: [4, 4], bpf_timer: [16, 8], bpf_wq: [16, 8], bpf_refcount: [4, 4], bpf_list_head: [16, 8],
  bpf_list_node: [24, 8], bpf_rb_root: [16, 8], bpf_rb_node: [32, 8], bpf_dynptr: [16, 8], __sk_buff: [192, 8], xdp_md: [24, 4],
}

export class CaseBtf {
  readonly #types: BtfType[] = []
  readonly #known = new Map<string, number>()
  readonly #structs = new Map<string, { id: number, size: number, align: number }>()
  funcs: Declared[] = []

  /** Takes a declaration; false: the line is none. */
  declare(line: string): boolean {
    const struct = /^struct (\w+) \{(.*)\}$/.exec(line)
    if (struct) this.#struct(struct[1]!, struct[2]!)
    const func = /^func (\w+)\((.*)\) -> (.*?)( static)?$/.exec(line)
    if (func) this.#func(func[1]!, func[2]!, func[3]!, func[4] !== undefined)
    return struct !== null || func !== null
  }

  get empty(): boolean {
    return this.#types.length === 0
  }

  bytes(): Uint8Array {
    return encodeBtf(this.#types)
  }

  /** Id of a type: `int`, `u32`, a struct, with stars and brackets behind it. */
  type(text: string): number {
    const word = text.trim()
    const array = /^(.*)\[(\d+)\]$/.exec(word)
    if (array) return this.#once(word, () => this.#array(this.type(array[1]!), Number(array[2])))
    if (word.endsWith('*')) return this.#once(word, () => this.#add({ kind: KIND.PTR, name: '', type: this.type(word.slice(0, -1)) }))
    if (word.startsWith('const ')) return this.#once(word, () => this.#add({ kind: KIND.CONST, name: '', type: this.type(word.slice(6)), flag: false }))
    if (word === 'void') return 0
    const int = INTS[word]
    if (int) return this.#once(word, () => this.#add({ kind: KIND.INT, name: word, size: int[0], encoding: int[1], bitOffset: 0, bits: int[0] * 8 }))
    return this.#composite(word.replace(/^struct /, ''))
  }

  #array(element: number, count: number): number {
    const index = this.type('u32')
    return this.#add({ kind: KIND.ARRAY, name: '', element, index, count })
  }

  #composite(name: string): number {
    const own = this.#structs.get(name)
    if (own) return own.id
    const known = KNOWN[name]
    return this.#once(name, () => known
      ? this.#add({ kind: KIND.STRUCT, name, size: known[0], members: [], flag: false })
      : this.#add({ kind: KIND.FWD, name, union: false }))
  }

  #struct(name: string, body: string): void {
    let end = 0
    let align = 1
    const members = body.split(';').map(one => one.trim()).filter(one => one !== '').map(one => {
      const m = /^(.*?)(\w+)((?:\[\d+\])?)$/.exec(one)!
      const type = m[1]!.trim() + m[3]!
      const [size, alignment] = this.#layout(type)
      end = Math.ceil(end / alignment) * alignment + size
      align = Math.max(align, alignment)
      return { name: m[2]!, type: this.type(type), bitOffset: (end - size) * 8, bitSize: 0 }
    })
    const size = Math.ceil(end / align) * align
    this.#structs.set(name, { id: this.#add({ kind: KIND.STRUCT, name, size, members, flag: false }), size, align })
  }

  #layout(type: string): readonly [size: number, align: number] {
    const array = /^(.*)\[(\d+)\]$/.exec(type)
    if (array) {
      const [size, align] = this.#layout(array[1]!)
      return [size * Number(array[2]), align]
    }
    if (type.endsWith('*')) return [8, 8]
    const int = INTS[type]
    if (int) return [int[0], int[0]]
    const own = this.#structs.get(type.replace(/^struct /, ''))
    return own ? [own.size, own.align] : KNOWN[type.replace(/^struct /, '')] ?? [0, 1]
  }

  #func(name: string, args: string, ret: string, isStatic: boolean): void {
    const parts = args.split(',').map(one => one.trim()).filter(one => one !== '')
    const params = parts.map((one, n) => ({ name: `a${n}`, type: this.type(one.replace(/\s*@\w+/g, '')) }))
    const proto = this.#add({ kind: KIND.FUNC_PROTO, name: '', ret: this.type(ret), params })
    const id = this.#add({ kind: KIND.FUNC, name, type: proto, linkage: isStatic ? LINKAGE.STATIC : LINKAGE.GLOBAL })
    parts.forEach((one, component) => {
      for (const [, tag] of one.matchAll(/@(\w+)/g)) {
        this.#add({ kind: KIND.DECL_TAG, name: `arg:${tag!}`, type: id, component, flag: false })
      }
    })
    // A case's own declaration stands for the file's.
    this.funcs = [...this.funcs.filter(other => other.name !== name), { name, id }]
  }

  #once(key: string, make: () => number): number {
    const known = this.#known.get(key) ?? make()
    this.#known.set(key, known)
    return known
  }

  #add(type: Unnumbered): number {
    const id = this.#types.length + 1
    this.#types.push({ ...type, id })
    return id
  }
}
