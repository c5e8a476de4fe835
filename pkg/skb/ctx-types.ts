// How the context tables are written: one record a context, one row a field (net/core/filter.c: *_is_valid_access and
// *_convert_ctx_access). The verifier asks what an access yields; fixup asks for the instructions that take its place.
import { insn, type Insn } from '../insn/insn.js'
import * as B from '../insn/opcode.js'

/** What a program holds after loading a field. Words are the log's names of register types. */
export type CtxKind =
  | 'scalar' | 'pkt' | 'pkt_meta' | 'pkt_end' | 'flow_keys' | 'sock' | 'sock_or_null' | 'sock_common_or_null' | 'skb' | 'skb_or_null'
  | 'nf_hook_state' | 'sk_buff'

export interface CtxField {
  readonly name: string
  readonly off: number
  /** Bytes it spans. */
  readonly size: number
  readonly kind: CtxKind
  /**
   * exact: the whole field only. narrow: aligned parts may be read, too. bytes: any aligned access inside, to be read and written
   * (the fields of one span share a row).
   */
  readonly access: 'exact' | 'narrow' | 'bytes'
  /** Instructions that load the field into dst; `part` is the offset inside of it (bytes fields only). */
  readonly load: (dst: number, src: number, size: number, part: number) => Insn[]
  /** Bytes that `load` yields when that is less than the field (target_size). */
  readonly target?: number
  /** A load of this many bytes is a load of the field, too: a 16-bit port in a 32-bit hole. */
  readonly wide?: number
  /** Instructions in place of a store; `i` is the original, ST or STX. Absent: read-only for everyone. */
  readonly store?: (i: Insn, part: number) => Insn[]
}

export interface Context {
  /** Name of its struct, as C programs know it. */
  readonly name: string
  readonly size: number
  readonly fields: readonly CtxField[]
  /** Names a program may write. */
  readonly writable: ReadonlySet<string>
  /** Names that this kind of program must not touch. */
  readonly hidden: ReadonlySet<string>
  /** LD_ABS and LD_IND are for its programs. */
  readonly ldAbs: boolean
}

export interface CtxAccess {
  readonly field: CtxField
  readonly part: number
}

/** is_valid_access(): the field, or undefined. */
export function ctxAccess(ctx: Context, off: number, size: number, write: boolean): CtxAccess | undefined {
  if (off < 0 || off >= ctx.size || off % size !== 0) return undefined
  const field = ctx.fields.find(f => off >= f.off && off < f.off + f.size)
  if (field === undefined || ctx.hidden.has(field.name)) return undefined
  if (write && !ctx.writable.has(field.name)) return undefined
  const part = off - field.off
  if (field.wide === size && part === 0 && !write) return { field, part }
  if (part + size > field.size) return undefined
  if (field.access === 'bytes') return { field, part }
  if (size === field.size) return { field, part }
  return !write && field.access === 'narrow' ? { field, part } : undefined
}

/**
 * convert_ctx_accesses() for one load or store: the instructions in its place. A narrow load takes the whole field and cuts out its part.
 */
export function convertAccess(i: Insn, access: CtxAccess): Insn[] {
  const { field, part } = access
  if (B.BPF_CLASS(i.code) !== B.BPF_LDX) return field.store!(i, part)
  const size = B.sizeBytes(i.code)
  const out = field.load(i.dst, i.src, field.access === 'bytes' ? size : field.size, part)
  if (field.access !== 'bytes' && size < (field.target ?? field.size)) out.push(...cut(i.dst, size, part, field.size))
  if (B.BPF_MODE(i.code) === B.BPF_MEMSX) out.push(insn(B.BPF_ALU64 | B.BPF_MOV | B.BPF_X, i.dst, i.dst, size * 8, 0))
  return out
}

function cut(dst: number, size: number, part: number, whole: number): Insn[] {
  const out: Insn[] = []
  const cls = whole <= 4 ? B.BPF_ALU : B.BPF_ALU64
  if (part > 0) out.push(insn(cls | B.BPF_RSH | B.BPF_K, dst, 0, 0, part * 8))
  out.push(insn(B.BPF_ALU | B.BPF_AND | B.BPF_K, dst, 0, 0, Number((1n << BigInt(size * 8)) - 1n)))
  return out
}

/** Scratch register of conversions, BPF_REG_AX: r11, which no program can name. */
export const AX = 11

const sizeCode: Readonly<Record<number, number>> = { 1: B.BPF_B, 2: B.BPF_H, 4: B.BPF_W, 8: B.BPF_DW }
export const ldx = (size: number, dst: number, src: number, off: number): Insn => insn(B.BPF_LDX | B.BPF_MEM | sizeCode[size]!, dst, src, off, 0)

/** BPF_EMIT_STORE(): the same store, of `size` bytes at another offset. */
export const restore = (i: Insn, size: number, off: number): Insn =>
  insn((i.code & ~0x18) | sizeCode[size]!, i.dst, i.src, off, i.imm)

export const jmpK = (op: number, dst: number, imm: number, off: number, cls: number = B.BPF_JMP): Insn => insn(cls | op | B.BPF_K, dst, 0, off, imm)
export const goto_ = (off: number): Insn => insn(B.BPF_JMP | B.BPF_JA, 0, 0, off, 0)
export const andK32 = (dst: number, imm: number): Insn => insn(B.BPF_ALU | B.BPF_AND | B.BPF_K, dst, 0, 0, imm)
export const movK = (dst: number, imm: number): Insn => insn(B.BPF_ALU64 | B.BPF_MOV | B.BPF_K, dst, 0, 0, imm)
export const movK32 = (dst: number, imm: number): Insn => insn(B.BPF_ALU | B.BPF_MOV | B.BPF_K, dst, 0, 0, imm)
export const addX = (dst: number, src: number): Insn => insn(B.BPF_ALU64 | B.BPF_ADD | B.BPF_X, dst, src, 0, 0)
export const subX = (dst: number, src: number): Insn => insn(B.BPF_ALU64 | B.BPF_SUB | B.BPF_X, dst, src, 0, 0)

/** Loads along a chain of [size, offset]. */
export function chain(dst: number, src: number, ...steps: readonly (readonly [number, number])[]): Insn[] {
  return steps.map(([size, off], n) => ldx(size, dst, n === 0 ? src : dst, off))
}

type Load = CtxField['load']

/** A plain member of the kernel struct. */
export const member = (size: number, off: number): Load => (dst, src) => [ldx(size, dst, src, off)]
export const members = (...steps: readonly (readonly [number, number])[]): Load => (dst, src) => chain(dst, src, ...steps)

/** A 4-byte scalar field that may be read in parts. */
export function word(name: string, off: number, load: Load, more: Partial<CtxField> = {}): CtxField {
  return { name, off, size: 4, kind: 'scalar', access: 'narrow', load, ...more }
}

/** A field that is loaded whole. */
export function exact(name: string, off: number, size: number, kind: CtxKind, load: Load, more: Partial<CtxField> = {}): CtxField {
  return { name, off, size, kind, access: 'exact', load, ...more }
}
