// Numbers of the WebAssembly binary format (core specification 2.0, 5.4; threads and tail-call proposals), in its spelling.

export const I32 = 0x7f
export const I64 = 0x7e
export const V128 = 0x7b
export const FUNCREF = 0x70
export type ValType = typeof I32 | typeof I64 | typeof V128

/** Instructions without immediates that are one byte. */
export const OP = {
  unreachable: 0x00, return: 0x0f, drop: 0x1a, select: 0x1b, ref_is_null: 0xd1,
  i32_eqz: 0x45, i32_eq: 0x46, i32_ne: 0x47, i32_lt_s: 0x48, i32_lt_u: 0x49, i32_gt_s: 0x4a, i32_gt_u: 0x4b,
  i32_le_s: 0x4c, i32_le_u: 0x4d, i32_ge_s: 0x4e, i32_ge_u: 0x4f,
  i64_eqz: 0x50, i64_eq: 0x51, i64_ne: 0x52, i64_lt_s: 0x53, i64_lt_u: 0x54, i64_gt_s: 0x55, i64_gt_u: 0x56,
  i64_le_s: 0x57, i64_le_u: 0x58, i64_ge_s: 0x59, i64_ge_u: 0x5a,
  i32_add: 0x6a, i32_sub: 0x6b, i32_mul: 0x6c, i32_div_s: 0x6d, i32_div_u: 0x6e, i32_rem_s: 0x6f, i32_rem_u: 0x70,
  i32_and: 0x71, i32_or: 0x72, i32_xor: 0x73, i32_shl: 0x74, i32_shr_s: 0x75, i32_shr_u: 0x76, i32_rotl: 0x77, i32_rotr: 0x78,
  i64_add: 0x7c, i64_sub: 0x7d, i64_mul: 0x7e, i64_div_s: 0x7f, i64_div_u: 0x80, i64_rem_s: 0x81, i64_rem_u: 0x82,
  i64_and: 0x83, i64_or: 0x84, i64_xor: 0x85, i64_shl: 0x86, i64_shr_s: 0x87, i64_shr_u: 0x88, i64_rotl: 0x89, i64_rotr: 0x8a,
  i32_wrap_i64: 0xa7, i64_extend_i32_s: 0xac, i64_extend_i32_u: 0xad,
  i32_extend8_s: 0xc0, i32_extend16_s: 0xc1, i64_extend8_s: 0xc2, i64_extend16_s: 0xc3, i64_extend32_s: 0xc4,
} as const
export type Op = (typeof OP)[keyof typeof OP]

/** Loads and stores: they carry an alignment and an offset. */
export const MEM = {
  i32_load: 0x28, i64_load: 0x29, i32_load8_s: 0x2c, i32_load8_u: 0x2d, i32_load16_s: 0x2e, i32_load16_u: 0x2f,
  i64_load8_s: 0x30, i64_load8_u: 0x31, i64_load16_s: 0x32, i64_load16_u: 0x33, i64_load32_s: 0x34, i64_load32_u: 0x35,
  i32_store: 0x36, i64_store: 0x37, i32_store8: 0x3a, i32_store16: 0x3b,
  i64_store8: 0x3c, i64_store16: 0x3d, i64_store32: 0x3e,
} as const
export type MemOp = (typeof MEM)[keyof typeof MEM]

/** Prefix 0xfe; the alignment must be natural. */
export const ATOMIC = {
  i32_load: 0x10, i64_load: 0x11, i32_store: 0x17, i64_store: 0x18,
  i32_add: 0x1e, i64_add: 0x1f, i32_and: 0x2c, i64_and: 0x2d, i32_or: 0x33, i64_or: 0x34, i32_xor: 0x3a, i64_xor: 0x3b,
  i32_xchg: 0x41, i64_xchg: 0x42, i32_cmpxchg: 0x48, i64_cmpxchg: 0x49,
} as const
export type AtomicOp = (typeof ATOMIC)[keyof typeof ATOMIC]

/** Prefix 0xfd. */
export const SIMD = { i8x16_shuffle: 0x0d, i64x2_splat: 0x12, i64x2_extract_lane: 0x1d } as const
