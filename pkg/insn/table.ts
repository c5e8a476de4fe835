// THE opcode table: one row for everything that a bpf_insn can be (ISA v1 to v4; kernel/bpf/core.c BPF_INSN_MAP and
// Documentation/bpf/standardization/instruction-set.rst). Decoder, disassembler, assembler, verifier and both engines read it.
// Columns: code | name | form | width of the operation in bits | text | isa | what tells rows of equal code apart: field, value
//   name  NNkk: k takes imm, x takes src; form says which fields are operands (FORMS below)
//   isa   clang's -mcpu=vN that may make it; 0: only inside the kernel, after fixup; user space may not load it

const rows = [
  // BPF_ALU64
  [0x07, 'add64k',                'alu_k',     64, '+=',            1, '',    0],
  [0x0f, 'add64x',                'alu_x',     64, '+=',            1, '',    0],
  [0x17, 'sub64k',                'alu_k',     64, '-=',            1, '',    0],
  [0x1f, 'sub64x',                'alu_x',     64, '-=',            1, '',    0],
  [0x27, 'mul64k',                'alu_k',     64, '*=',            1, '',    0],
  [0x2f, 'mul64x',                'alu_x',     64, '*=',            1, '',    0],
  [0x37, 'div64k',                'alu_k',     64, '/=',            1, '',    0],
  [0x3f, 'div64x',                'alu_x',     64, '/=',            1, '',    0],
  [0x47, 'or64k',                 'alu_k',     64, '|=',            1, '',    0],
  [0x4f, 'or64x',                 'alu_x',     64, '|=',            1, '',    0],
  [0x57, 'and64k',                'alu_k',     64, '&=',            1, '',    0],
  [0x5f, 'and64x',                'alu_x',     64, '&=',            1, '',    0],
  [0x67, 'lsh64k',                'alu_k',     64, '<<=',           1, '',    0],
  [0x6f, 'lsh64x',                'alu_x',     64, '<<=',           1, '',    0],
  [0x77, 'rsh64k',                'alu_k',     64, '>>=',           1, '',    0],
  [0x7f, 'rsh64x',                'alu_x',     64, '>>=',           1, '',    0],
  [0x97, 'mod64k',                'alu_k',     64, '%=',            1, '',    0],
  [0x9f, 'mod64x',                'alu_x',     64, '%=',            1, '',    0],
  [0xa7, 'xor64k',                'alu_k',     64, '^=',            1, '',    0],
  [0xaf, 'xor64x',                'alu_x',     64, '^=',            1, '',    0],
  [0xb7, 'mov64k',                'alu_k',     64, '=',             1, '',    0],
  [0xbf, 'mov64x',                'alu_x',     64, '=',             1, '',    0],
  [0xc7, 'arsh64k',               'alu_k',     64, 's>>=',          1, '',    0],
  [0xcf, 'arsh64x',               'alu_x',     64, 's>>=',          1, '',    0],
  [0x87, 'neg64',                 'neg',       64, '-',             1, '',    0],
  [0x37, 'sdiv64k',               'alu_k',     64, 's/=',           4, 'off', 1],
  [0x3f, 'sdiv64x',               'alu_x',     64, 's/=',           4, 'off', 1],
  [0x97, 'smod64k',               'alu_k',     64, 's%=',           4, 'off', 1],
  [0x9f, 'smod64x',               'alu_x',     64, 's%=',           4, 'off', 1],
  [0xbf, 'movsx64_8',             'alu_x',     64, '= (s8)',        4, 'off', 8],
  [0xbf, 'movsx64_16',            'alu_x',     64, '= (s16)',       4, 'off', 16],
  [0xbf, 'movsx64_32',            'alu_x',     64, '= (s32)',       4, 'off', 32],
  [0xd7, 'bswap16',               'end',       16, 'bswap16',       4, 'imm', 16],
  [0xd7, 'bswap32',               'end',       32, 'bswap32',       4, 'imm', 32],
  [0xd7, 'bswap64',               'end',       64, 'bswap64',       4, 'imm', 64],
  // BPF_ALU: the upper half of dst becomes zero
  [0x04, 'add32k',                'alu_k',     32, '+=',            1, '',    0],
  [0x0c, 'add32x',                'alu_x',     32, '+=',            1, '',    0],
  [0x14, 'sub32k',                'alu_k',     32, '-=',            1, '',    0],
  [0x1c, 'sub32x',                'alu_x',     32, '-=',            1, '',    0],
  [0x24, 'mul32k',                'alu_k',     32, '*=',            1, '',    0],
  [0x2c, 'mul32x',                'alu_x',     32, '*=',            1, '',    0],
  [0x34, 'div32k',                'alu_k',     32, '/=',            1, '',    0],
  [0x3c, 'div32x',                'alu_x',     32, '/=',            1, '',    0],
  [0x44, 'or32k',                 'alu_k',     32, '|=',            1, '',    0],
  [0x4c, 'or32x',                 'alu_x',     32, '|=',            1, '',    0],
  [0x54, 'and32k',                'alu_k',     32, '&=',            1, '',    0],
  [0x5c, 'and32x',                'alu_x',     32, '&=',            1, '',    0],
  [0x64, 'lsh32k',                'alu_k',     32, '<<=',           1, '',    0],
  [0x6c, 'lsh32x',                'alu_x',     32, '<<=',           1, '',    0],
  [0x74, 'rsh32k',                'alu_k',     32, '>>=',           1, '',    0],
  [0x7c, 'rsh32x',                'alu_x',     32, '>>=',           1, '',    0],
  [0x94, 'mod32k',                'alu_k',     32, '%=',            1, '',    0],
  [0x9c, 'mod32x',                'alu_x',     32, '%=',            1, '',    0],
  [0xa4, 'xor32k',                'alu_k',     32, '^=',            1, '',    0],
  [0xac, 'xor32x',                'alu_x',     32, '^=',            1, '',    0],
  [0xb4, 'mov32k',                'alu_k',     32, '=',             1, '',    0],
  [0xbc, 'mov32x',                'alu_x',     32, '=',             1, '',    0],
  [0xc4, 'arsh32k',               'alu_k',     32, 's>>=',          1, '',    0],
  [0xcc, 'arsh32x',               'alu_x',     32, 's>>=',          1, '',    0],
  [0x84, 'neg32',                 'neg',       32, '-',             1, '',    0],
  [0x34, 'sdiv32k',               'alu_k',     32, 's/=',           4, 'off', 1],
  [0x3c, 'sdiv32x',               'alu_x',     32, 's/=',           4, 'off', 1],
  [0x94, 'smod32k',               'alu_k',     32, 's%=',           4, 'off', 1],
  [0x9c, 'smod32x',               'alu_x',     32, 's%=',           4, 'off', 1],
  [0xbc, 'movsx32_8',             'alu_x',     32, '= (s8)',        4, 'off', 8],
  [0xbc, 'movsx32_16',            'alu_x',     32, '= (s16)',       4, 'off', 16],
  [0xd4, 'le16',                  'end',       16, 'le16',          1, 'imm', 16],
  [0xd4, 'le32',                  'end',       32, 'le32',          1, 'imm', 32],
  [0xd4, 'le64',                  'end',       64, 'le64',          1, 'imm', 64],
  [0xdc, 'be16',                  'end',       16, 'be16',          1, 'imm', 16],
  [0xdc, 'be32',                  'end',       32, 'be32',          1, 'imm', 32],
  [0xdc, 'be64',                  'end',       64, 'be64',          1, 'imm', 64],
  // BPF_JMP
  [0x15, 'jeq64k',                'jmp_k',     64, '==',            1, '',    0],
  [0x1d, 'jeq64x',                'jmp_x',     64, '==',            1, '',    0],
  [0x25, 'jgt64k',                'jmp_k',     64, '>',             1, '',    0],
  [0x2d, 'jgt64x',                'jmp_x',     64, '>',             1, '',    0],
  [0x35, 'jge64k',                'jmp_k',     64, '>=',            1, '',    0],
  [0x3d, 'jge64x',                'jmp_x',     64, '>=',            1, '',    0],
  [0x45, 'jset64k',               'jmp_k',     64, '&',             1, '',    0],
  [0x4d, 'jset64x',               'jmp_x',     64, '&',             1, '',    0],
  [0x55, 'jne64k',                'jmp_k',     64, '!=',            1, '',    0],
  [0x5d, 'jne64x',                'jmp_x',     64, '!=',            1, '',    0],
  [0x65, 'jsgt64k',               'jmp_k',     64, 's>',            1, '',    0],
  [0x6d, 'jsgt64x',               'jmp_x',     64, 's>',            1, '',    0],
  [0x75, 'jsge64k',               'jmp_k',     64, 's>=',           1, '',    0],
  [0x7d, 'jsge64x',               'jmp_x',     64, 's>=',           1, '',    0],
  [0xa5, 'jlt64k',                'jmp_k',     64, '<',             2, '',    0],
  [0xad, 'jlt64x',                'jmp_x',     64, '<',             2, '',    0],
  [0xb5, 'jle64k',                'jmp_k',     64, '<=',            2, '',    0],
  [0xbd, 'jle64x',                'jmp_x',     64, '<=',            2, '',    0],
  [0xc5, 'jslt64k',               'jmp_k',     64, 's<',            2, '',    0],
  [0xcd, 'jslt64x',               'jmp_x',     64, 's<',            2, '',    0],
  [0xd5, 'jsle64k',               'jmp_k',     64, 's<=',           2, '',    0],
  [0xdd, 'jsle64x',               'jmp_x',     64, 's<=',           2, '',    0],
  // BPF_JMP32: compares the lower halves
  [0x16, 'jeq32k',                'jmp_k',     32, '==',            3, '',    0],
  [0x1e, 'jeq32x',                'jmp_x',     32, '==',            3, '',    0],
  [0x26, 'jgt32k',                'jmp_k',     32, '>',             3, '',    0],
  [0x2e, 'jgt32x',                'jmp_x',     32, '>',             3, '',    0],
  [0x36, 'jge32k',                'jmp_k',     32, '>=',            3, '',    0],
  [0x3e, 'jge32x',                'jmp_x',     32, '>=',            3, '',    0],
  [0x46, 'jset32k',               'jmp_k',     32, '&',             3, '',    0],
  [0x4e, 'jset32x',               'jmp_x',     32, '&',             3, '',    0],
  [0x56, 'jne32k',                'jmp_k',     32, '!=',            3, '',    0],
  [0x5e, 'jne32x',                'jmp_x',     32, '!=',            3, '',    0],
  [0x66, 'jsgt32k',               'jmp_k',     32, 's>',            3, '',    0],
  [0x6e, 'jsgt32x',               'jmp_x',     32, 's>',            3, '',    0],
  [0x76, 'jsge32k',               'jmp_k',     32, 's>=',           3, '',    0],
  [0x7e, 'jsge32x',               'jmp_x',     32, 's>=',           3, '',    0],
  [0xa6, 'jlt32k',                'jmp_k',     32, '<',             3, '',    0],
  [0xae, 'jlt32x',                'jmp_x',     32, '<',             3, '',    0],
  [0xb6, 'jle32k',                'jmp_k',     32, '<=',            3, '',    0],
  [0xbe, 'jle32x',                'jmp_x',     32, '<=',            3, '',    0],
  [0xc6, 'jslt32k',               'jmp_k',     32, 's<',            3, '',    0],
  [0xce, 'jslt32x',               'jmp_x',     32, 's<',            3, '',    0],
  [0xd6, 'jsle32k',               'jmp_k',     32, 's<=',           3, '',    0],
  [0xde, 'jsle32x',               'jmp_x',     32, 's<=',           3, '',    0],
  // jumps without a condition, calls, the end
  [0x05, 'ja',                    'ja',        64, 'goto',          1, '',    0],
  [0x06, 'gotol',                 'gotol',     64, 'gotol',         4, '',    0],
  [0xe5, 'may_goto',              'ja',        64, 'may_goto',      4, 'src', 0],
  [0x85, 'call_helper',           'call',      64, 'call',          1, 'src', 0],
  [0x85, 'call_pseudo',           'call',      64, 'call',          1, 'src', 1],
  [0x85, 'call_kfunc',            'kfunc',     64, 'call',          1, 'src', 2],
  [0x95, 'exit',                  'exit',      64, 'exit',          1, '',    0],
  [0xf5, 'tail_call',             'tail',      64, 'tail_call',     0, '',    0],
  // BPF_LDX, BPF_ST, BPF_STX
  [0x71, 'ldx_b',                 'ldx',       8,  'u8',            1, '',    0],
  [0x69, 'ldx_h',                 'ldx',       16, 'u16',           1, '',    0],
  [0x61, 'ldx_w',                 'ldx',       32, 'u32',           1, '',    0],
  [0x79, 'ldx_dw',                'ldx',       64, 'u64',           1, '',    0],
  [0x91, 'ldxs_b',                'ldx',       8,  's8',            4, '',    0],
  [0x89, 'ldxs_h',                'ldx',       16, 's16',           4, '',    0],
  [0x81, 'ldxs_w',                'ldx',       32, 's32',           4, '',    0],
  [0x72, 'st_b',                  'st',        8,  'u8',            1, '',    0],
  [0x6a, 'st_h',                  'st',        16, 'u16',           1, '',    0],
  [0x62, 'st_w',                  'st',        32, 'u32',           1, '',    0],
  [0x7a, 'st_dw',                 'st',        64, 'u64',           1, '',    0],
  [0x73, 'stx_b',                 'stx',       8,  'u8',            1, '',    0],
  [0x6b, 'stx_h',                 'stx',       16, 'u16',           1, '',    0],
  [0x63, 'stx_w',                 'stx',       32, 'u32',           1, '',    0],
  [0x7b, 'stx_dw',                'stx',       64, 'u64',           1, '',    0],
  // BPF_STX | BPF_ATOMIC: the operation is in imm
  [0xdb, 'aadd64',                'atomic',    64, '+=',            1, 'imm', 0x00],
  [0xdb, 'aor64',                 'atomic',    64, '|=',            3, 'imm', 0x40],
  [0xdb, 'aand64',                'atomic',    64, '&=',            3, 'imm', 0x50],
  [0xdb, 'axor64',                'atomic',    64, '^=',            3, 'imm', 0xa0],
  [0xdb, 'afetch_add64',          'fetch',     64, 'add',           3, 'imm', 0x01],
  [0xdb, 'afetch_or64',           'fetch',     64, 'or',            3, 'imm', 0x41],
  [0xdb, 'afetch_and64',          'fetch',     64, 'and',           3, 'imm', 0x51],
  [0xdb, 'afetch_xor64',          'fetch',     64, 'xor',           3, 'imm', 0xa1],
  [0xdb, 'axchg64',               'fetch',     64, 'xchg',          3, 'imm', 0xe1],
  [0xdb, 'acmpxchg64',            'cmpxchg',   64, 'cmpxchg',       3, 'imm', 0xf1],
  [0xc3, 'aadd32',                'atomic',    32, '+=',            1, 'imm', 0x00],
  [0xc3, 'aor32',                 'atomic',    32, '|=',            3, 'imm', 0x40],
  [0xc3, 'aand32',                'atomic',    32, '&=',            3, 'imm', 0x50],
  [0xc3, 'axor32',                'atomic',    32, '^=',            3, 'imm', 0xa0],
  [0xc3, 'afetch_add32',          'fetch',     32, 'add',           3, 'imm', 0x01],
  [0xc3, 'afetch_or32',           'fetch',     32, 'or',            3, 'imm', 0x41],
  [0xc3, 'afetch_and32',          'fetch',     32, 'and',           3, 'imm', 0x51],
  [0xc3, 'afetch_xor32',          'fetch',     32, 'xor',           3, 'imm', 0xa1],
  [0xc3, 'axchg32',               'fetch',     32, 'xchg',          3, 'imm', 0xe1],
  [0xc3, 'acmpxchg32',            'cmpxchg',   32, 'cmpxchg',       3, 'imm', 0xf1],
  [0xd3, 'aload_b',               'load_acq',  8,  'load_acquire',  4, 'imm', 0x100],
  [0xcb, 'aload_h',               'load_acq',  16, 'load_acquire',  4, 'imm', 0x100],
  [0xc3, 'aload_w',               'load_acq',  32, 'load_acquire',  4, 'imm', 0x100],
  [0xdb, 'aload_dw',              'load_acq',  64, 'load_acquire',  4, 'imm', 0x100],
  [0xd3, 'astore_b',              'store_rel', 8,  'store_release', 4, 'imm', 0x110],
  [0xcb, 'astore_h',              'store_rel', 16, 'store_release', 4, 'imm', 0x110],
  [0xc3, 'astore_w',              'store_rel', 32, 'store_release', 4, 'imm', 0x110],
  [0xdb, 'astore_dw',             'store_rel', 64, 'store_release', 4, 'imm', 0x110],
  // BPF_LD: packet access of old, and the 16-byte loads
  [0x30, 'ld_abs_b',              'ld_abs',    8,  'u8',            1, '',    0],
  [0x28, 'ld_abs_h',              'ld_abs',    16, 'u16',           1, '',    0],
  [0x20, 'ld_abs_w',              'ld_abs',    32, 'u32',           1, '',    0],
  [0x50, 'ld_ind_b',              'ld_ind',    8,  'u8',            1, '',    0],
  [0x48, 'ld_ind_h',              'ld_ind',    16, 'u16',           1, '',    0],
  [0x40, 'ld_ind_w',              'ld_ind',    32, 'u32',           1, '',    0],
  [0x18, 'ld_imm64',              'ld_imm64',  64, 'll',            1, 'src', 0],
  [0x18, 'ld_imm64_map_fd',       'ld_imm64',  64, 'll',            1, 'src', 1],
  [0x18, 'ld_imm64_map_value',    'ld_imm64',  64, 'll',            1, 'src', 2],
  [0x18, 'ld_imm64_btf_id',       'ld_imm64',  64, 'll',            1, 'src', 3],
  [0x18, 'ld_imm64_func',         'ld_imm64',  64, 'll',            1, 'src', 4],
  [0x18, 'ld_imm64_map_idx',      'ld_imm64',  64, 'll',            1, 'src', 5],
  [0x18, 'ld_imm64_map_idx_value','ld_imm64',  64, 'll',            1, 'src', 6],
] as const

export type OpName = (typeof rows)[number][1]
export type Form = (typeof rows)[number][2]

/** One row. */
export interface Op {
  readonly code: number
  readonly name: OpName
  readonly form: Form
  readonly bits: number
  /** Operator, size name or word, as print_bpf_insn writes it. */
  readonly text: string
  readonly isa: number
  /** The field whose value selects this row among those of the same code; '' where the code says it all. */
  readonly field: '' | 'off' | 'imm' | 'src'
  readonly value: number
}

export const OPS: readonly Op[] = rows.map(([code, name, form, bits, text, isa, field, value]) =>
  ({ code, name, form, bits, text, isa, field, value }))

/** Which fields a form uses as operands (1); all others must be zero, save the one that selects the row. */
export const FORMS: Readonly<Record<Form, { dst: 0 | 1, src: 0 | 1, off: 0 | 1, imm: 0 | 1 }>> = {
  alu_k:     { dst: 1, src: 0, off: 0, imm: 1 },
  alu_x:     { dst: 1, src: 1, off: 0, imm: 0 },
  neg:       { dst: 1, src: 0, off: 0, imm: 0 },
  end:       { dst: 1, src: 0, off: 0, imm: 0 },
  jmp_k:     { dst: 1, src: 0, off: 1, imm: 1 },
  jmp_x:     { dst: 1, src: 1, off: 1, imm: 0 },
  ja:        { dst: 0, src: 0, off: 1, imm: 0 },
  gotol:     { dst: 0, src: 0, off: 0, imm: 1 },
  call:      { dst: 0, src: 0, off: 0, imm: 1 },
  kfunc:     { dst: 0, src: 0, off: 1, imm: 1 },
  exit:      { dst: 0, src: 0, off: 0, imm: 0 },
  tail:      { dst: 0, src: 0, off: 0, imm: 1 },
  ldx:       { dst: 1, src: 1, off: 1, imm: 0 },
  st:        { dst: 1, src: 0, off: 1, imm: 1 },
  stx:       { dst: 1, src: 1, off: 1, imm: 0 },
  atomic:    { dst: 1, src: 1, off: 1, imm: 0 },
  fetch:     { dst: 1, src: 1, off: 1, imm: 0 },
  cmpxchg:   { dst: 1, src: 1, off: 1, imm: 0 },
  load_acq:  { dst: 1, src: 1, off: 1, imm: 0 },
  store_rel: { dst: 1, src: 1, off: 1, imm: 0 },
  ld_abs:    { dst: 0, src: 0, off: 0, imm: 1 },
  ld_ind:    { dst: 0, src: 1, off: 0, imm: 1 },
  ld_imm64:  { dst: 1, src: 0, off: 0, imm: 1 },
}

const byCode: Op[][] = Array.from({ length: 256 }, () => [])
for (const op of OPS) byCode[op.code]!.push(op)

const byName = new Map<string, Op>(OPS.map(op => [op.name, op]))

/** All rows of one code byte, in table order; none: the code is unknown. */
export const opsOfCode = (code: number): readonly Op[] => byCode[code & 0xff]!

export function opNamed(name: OpName): Op {
  return byName.get(name)!
}
