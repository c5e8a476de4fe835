// One well-formed sample of every row of the opcode table, and programs around them: shared by several tests.
import { insn, type Insn } from '../../pkg/insn/insn.js'
import { FORMS, OPS, type Op } from '../../pkg/insn/table.js'

/** The slots of a sample of this row: r1, r2, off 8, imm 7, or what the row demands. */
export function sampleOf(op: Op, dst = 1, src = 2, off = 8, imm = 7): Insn[] {
  const form = FORMS[op.form]
  const field = (name: 'src' | 'off' | 'imm', value: number): number =>
    op.field === name ? op.value : form[name] === 1 ? value : 0
  const first = insn(op.code, form.dst === 1 ? dst : 0, field('src', src), field('off', off), field('imm', imm))
  return op.form === 'ld_imm64' ? [first, insn(0, 0, 0, 0, 0x1234)] : [first]
}

export const publicOps: readonly Op[] = OPS.filter(op => op.isa > 0)
