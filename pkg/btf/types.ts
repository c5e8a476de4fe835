// The nineteen kinds of struct btf_type (include/uapi/linux/btf.h) as typed values; ids are those of the BTF they come from.

export const KIND = {
  UNKN: 0, INT: 1, PTR: 2, ARRAY: 3, STRUCT: 4, UNION: 5, ENUM: 6, FWD: 7, TYPEDEF: 8, VOLATILE: 9, CONST: 10, RESTRICT: 11,
  FUNC: 12, FUNC_PROTO: 13, VAR: 14, DATASEC: 15, FLOAT: 16, DECL_TAG: 17, TYPE_TAG: 18, ENUM64: 19,
} as const
export type Kind = (typeof KIND)[keyof typeof KIND]

/** Kind names as bpftool prints them, by number. */
export const KIND_NAME = [
  'UNKNOWN', 'INT', 'PTR', 'ARRAY', 'STRUCT', 'UNION', 'ENUM', 'FWD', 'TYPEDEF', 'VOLATILE', 'CONST', 'RESTRICT',
  'FUNC', 'FUNC_PROTO', 'VAR', 'DATASEC', 'FLOAT', 'DECL_TAG', 'TYPE_TAG', 'ENUM64',
] as const

export const INT_SIGNED = 1
export const INT_CHAR = 2
export const INT_BOOL = 4

/** enum btf_func_linkage; STATIC, GLOBAL (allocated) and EXTERN are also those of variables. */
export const LINKAGE = { STATIC: 0, GLOBAL: 1, EXTERN: 2 } as const

interface Named<K extends Kind> {
  readonly id: number
  readonly kind: K
  /** '' for an anonymous type. */
  readonly name: string
}

export interface BtfVoid extends Named<0> {}
export interface BtfInt extends Named<1> {
  readonly size: number
  /** INT_SIGNED, INT_CHAR, INT_BOOL. */
  readonly encoding: number
  readonly bitOffset: number
  readonly bits: number
}
export interface BtfPtr extends Named<2> {
  readonly type: number
}
export interface BtfTypedef extends Named<8> {
  readonly type: number
}
export interface BtfModifier extends Named<9 | 10 | 11 | 18> {
  readonly type: number
  /** TYPE_TAG with kind_flag 1: a whole attribute, not a btf_type_tag (6.15). */
  readonly flag: boolean
}
export interface BtfArray extends Named<3> {
  readonly element: number
  readonly index: number
  readonly count: number
}
export interface BtfMember {
  readonly name: string
  readonly type: number
  readonly bitOffset: number
  /** 0: not a bit field. */
  readonly bitSize: number
}
export interface BtfComposite extends Named<4 | 5> {
  readonly size: number
  readonly members: readonly BtfMember[]
  readonly flag: boolean
}
export interface BtfEnumerator {
  readonly name: string
  readonly value: bigint
}
export interface BtfEnum extends Named<6 | 19> {
  readonly size: number
  readonly signed: boolean
  readonly values: readonly BtfEnumerator[]
}
export interface BtfFwd extends Named<7> {
  readonly union: boolean
}
export interface BtfFunc extends Named<12> {
  readonly type: number
  readonly linkage: number
}
export interface BtfParam {
  readonly name: string
  readonly type: number
}
export interface BtfFuncProto extends Named<13> {
  readonly ret: number
  /** A last one without name and with type 0 stands for `...`. */
  readonly params: readonly BtfParam[]
}
export interface BtfVar extends Named<14> {
  readonly type: number
  readonly linkage: number
}
export interface BtfSecVar {
  readonly type: number
  readonly offset: number
  readonly size: number
}
export interface BtfDatasec extends Named<15> {
  readonly size: number
  readonly vars: readonly BtfSecVar[]
}
export interface BtfFloat extends Named<16> {
  readonly size: number
}
export interface BtfDeclTag extends Named<17> {
  readonly type: number
  /** -1: the declaration itself; otherwise its member or parameter. */
  readonly component: number
  readonly flag: boolean
}

export type BtfType =
  | BtfVoid | BtfInt | BtfPtr | BtfTypedef | BtfModifier | BtfArray | BtfComposite | BtfEnum | BtfFwd | BtfFunc | BtfFuncProto
  | BtfVar | BtfDatasec | BtfFloat | BtfDeclTag

export function isComposite(t: BtfType): t is BtfComposite {
  return t.kind === KIND.STRUCT || t.kind === KIND.UNION
}

export function isEnum(t: BtfType): t is BtfEnum {
  return t.kind === KIND.ENUM || t.kind === KIND.ENUM64
}

/** const, volatile, restrict, type tag; with them TYPEDEF makes what is skipped to reach the real type. */
export function isModifier(t: BtfType): t is BtfModifier {
  return t.kind === KIND.CONST || t.kind === KIND.VOLATILE || t.kind === KIND.RESTRICT || t.kind === KIND.TYPE_TAG
}
