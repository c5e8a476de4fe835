// What is known of one register or spilled slot: struct bpf_reg_state (include/linux/bpf_verifier.h). A Reg that a frame holds
// never changes; a changed one is a copy, so states share registers and copying a state copies pointers.
import type { Btf } from '../btf/btf.js'
import type { MapAttr } from '../map/types.js'
import { known, UNKNOWN, ZERO, type Scalar } from './scalar.js'
import * as T from './types.js'

/** In id: the number is another one of the same id plus the constant in `off`, added with 64 or with 32 bits. */
export const ADD_CONST64 = 0x80000000
export const ADD_CONST32 = 0x40000000

/** The id without these marks. */
export const baseId = (id: number): number => id % ADD_CONST32
/** The marks of an id: 0, or one of the two above. */
export const linkOf = (id: number): number => id - baseId(id)

export class Reg {
  type: number
  /** Fixed offset of a pointer; of a linked scalar, the constant that was added. */
  off = 0
  /** Variable part of a pointer's offset, or the number itself. */
  num: Scalar
  /** Packet pointers: bytes proven accessible from the object's start. Also AT_PKT_END, BEYOND_PKT_END. */
  range = 0
  /** Memory: its size. Dynptr slices: see dynptrId. */
  memSize = 0
  /** Map pointers and values. */
  map: MapAttr | undefined = undefined
  mapUid = 0
  btf: Btf | undefined = undefined
  btfId = 0
  id = 0
  refObjId = 0
  frameno = 0
  /** Function pointers. */
  subprog = 0
  /** Slices of a dynptr: the dynptr's id. */
  dynptrId = 0
  /** Stack slots of a dynptr: its type, and whether this is the first of its two. */
  dynptrType = 0
  firstSlot = false
  /** Stack slots of an iterator. */
  iterState = 0
  iterDepth = 0

  constructor(type: number, num: Scalar = ZERO) {
    this.type = type
    this.num = num
  }

  copy(): Reg {
    const r = new Reg(this.type, this.num)
    r.off = this.off
    r.range = this.range
    r.memSize = this.memSize
    r.map = this.map
    r.mapUid = this.mapUid
    r.btf = this.btf
    r.btfId = this.btfId
    r.id = this.id
    r.refObjId = this.refObjId
    r.frameno = this.frameno
    r.subprog = this.subprog
    r.dynptrId = this.dynptrId
    r.dynptrType = this.dynptrType
    r.firstSlot = this.firstSlot
    r.iterState = this.iterState
    r.iterDepth = this.iterDepth
    return r
  }

  get isScalar(): boolean {
    return this.type === T.SCALAR_VALUE
  }

  get isConst(): boolean {
    return this.type === T.SCALAR_VALUE && this.num.isConst
  }

  /** register_is_null() */
  get isNull(): boolean {
    return this.type === T.SCALAR_VALUE && this.num.isConst && this.num.value === 0n
  }
}

export const AT_PKT_END = -1
export const BEYOND_PKT_END = -2

export const notInit = new Reg(T.NOT_INIT, UNKNOWN)
export const unknownScalar = new Reg(T.SCALAR_VALUE, UNKNOWN)
export const zeroScalar = new Reg(T.SCALAR_VALUE, ZERO)

export const scalar = (num: Scalar): Reg => (num === UNKNOWN ? unknownScalar : new Reg(T.SCALAR_VALUE, num))
const constants: Reg[] = []

/** A constant. Small ones, as most immediates are, are made once. */
export function constant(value: bigint): Reg {
  if (value < 0n || value > 255n) return new Reg(T.SCALAR_VALUE, known(value))
  return (constants[Number(value)] ??= new Reg(T.SCALAR_VALUE, known(value)))
}

/** A scalar with another number and without a link to others. */
export function withNum(r: Reg, num: Scalar): Reg {
  const out = r.copy()
  out.num = num
  return out
}

export const isPacket = (type: number): boolean => {
  const base = T.baseType(type)
  return base === T.PTR_TO_PACKET || base === T.PTR_TO_PACKET_META
}

/** is_pointer_value() without the privilege question. */
export const isPointer = (r: Reg): boolean => r.type !== T.SCALAR_VALUE && r.type !== T.NOT_INIT

/** reg_type_not_null(): this type never holds NULL. */
export function notNull(r: Reg): boolean {
  if (T.mayBeNull(r.type)) return false
  switch (T.baseType(r.type)) {
    case T.PTR_TO_SOCKET: case T.PTR_TO_TCP_SOCK: case T.PTR_TO_MAP_VALUE: case T.PTR_TO_MAP_KEY: case T.PTR_TO_SOCK_COMMON:
      return true
    case T.PTR_TO_BTF_ID: return (r.type & (T.PTR_TRUSTED | T.MEM_RCU | T.MEM_ALLOC)) !== 0
    case T.PTR_TO_MEM: return (r.type & T.PTR_UNTRUSTED) === 0
    case T.CONST_PTR_TO_MAP: return true
    default: return false
  }
}
