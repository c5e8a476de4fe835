// Random programs that any engine must take: they end (every way back burns fuel in r9) and touch only the packet (r8) and their
// frame. Blocks jump anywhere, so graphs are reducible or not. All rows of the table appear save objects and packet loads.
import { asm } from '../../pkg/insn/asm.js'
import { disasmText } from '../../pkg/insn/disasm.js'
import type { Insn } from '../../pkg/insn/insn.js'
import type { Op } from '../../pkg/insn/table.js'
import { publicOps, sampleOf } from '../insn/samples.js'
import type { Random } from './random.js'

/** Bytes of the packet that programs use; behind them they leave their registers. */
export const DATA_SIZE = 256
export const REGS_AT = 256
export const PACKET_SIZE = REGS_AT + 64
/** Helpers that the host of the fuzzer has. */
export const HELPERS = [6000, 6001, 6002] as const

const ARITHMETIC = publicOps.filter(op => ['alu_k', 'alu_x', 'neg', 'end'].includes(op.form))
const MEMORY = publicOps.filter(op => /^(ldx|st|stx|atomic|fetch|cmpxchg|load_acq|store_rel)$/.test(op.form))
const CONDITIONS = publicOps.filter(op => op.form === 'jmp_k' || op.form === 'jmp_x' || op.name === 'may_goto')

export function randomProgram(random: Random): Insn[] {
  const subs = random.below(3)
  const text = [
    'r8 = *(u64 *)(r1 +0)', ...randomRegisters(random, 0, 7), 'r9 = 40',
    ...body(random, 'm', subs),
    'm_end:', ...Array.from({ length: 8 }, (_, r) => `*(u64 *)(r8 +${REGS_AT + 8 * r}) = r${r}`), 'exit',
  ]
  for (let n = 0; n < subs; n++) {
    text.push(`s${n}: r8 = r1`, 'r9 = 10', 'r0 = r2', ...randomRegisters(random, 6, 7), ...body(random, `s${n}`, 0), `s${n}_end: exit`)
  }
  text.push('cb: r8 = r2', 'r9 = 6', ...randomRegisters(random, 2, 7), 'r0 = r1', ...body(random, 'cb', 0), 'cb_end: exit')
  return asm(text.join('\n'))
}

/** Lines that fill registers. */
export const randomRegisters = (random: Random, from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, n) => {
    const high = random.chance(40) ? random.u32() : random.pick([0, 0xffffffff, 1])
    return `r${from + n} = 0x${high.toString(16)}${(random.s32() >>> 0).toString(16).padStart(8, '0')} ll`
  })

function body(random: Random, name: string, subs: number): string[] {
  const mayLoop = name !== 'cb'
  const blocks = 2 + random.below(10)
  const lines: string[] = []
  for (let n = 0; n < blocks; n++) {
    lines.push(`${name}_${n}:`)
    for (let left = random.below(7); left > 0; left--) lines.push(...step(random, subs, mayLoop))
    lines.push(...ending(random, name, n, blocks))
  }
  return [...lines, `goto ${name}_end`]
}

function step(random: Random, subs: number, mayLoop: boolean): string[] {
  const kind = random.below(100)
  if (kind < 55) return [randomArithmetic(random, true)]
  if (kind < 85) return memory(random)
  if (kind < 90) return [`r${random.below(8)} = 0x${random.u32().toString(16)}${random.u32().toString(16).padStart(8, '0')} ll`]
  if (kind < 95 && subs > 0) return ['r1 = r8', `call s${random.below(subs)}`, ...randomRegisters(random, 1, 5)]
  if (kind < 97 && mayLoop) return ['r1 = 2', 'r2 = subprog[cb]', 'r3 = r8', 'r4 = 0', 'call bpf_loop', ...randomRegisters(random, 1, 5)]
  return [`call ${random.pick(HELPERS)}`, ...randomRegisters(random, 1, 5)]
}

const text = (op: Op, dst: number, src: number, off: number, imm: number): string => disasmText(sampleOf(op, dst, src, off, imm), 0)

/** One line on r0 … r7; and r10, if that may be read. */
export function randomArithmetic(random: Random, withFrame = false): string {
  const op = random.pick(ARITHMETIC)
  let imm = random.s32()
  if (/>>=|<<=/.test(op.text)) imm = random.below(op.bits)
  if (/[/%]=$/.test(op.text) && imm === 0) imm = 3
  const src = random.chance(4) && withFrame && op.bits === 64 ? 10 : random.below(8)
  return text(op, random.below(8), src, 0, imm)
}

/** At a fixed place of the packet or the frame, or at a place that a register chooses. */
function memory(random: Random): string[] {
  const op = random.pick(MEMORY)
  const isLoad = op.form === 'ldx' || op.form === 'load_acq'
  const value = random.below(8)
  const wanders = random.chance(30)
  const base = wanders ? 7 : random.pick([8, 10])
  const off = (base === 10 ? -8 - 8 * random.below(30) : 8 * random.below(16)) + random.below(op.bits === 64 ? 1 : 8 - op.bits / 8 + 1)
  const access = isLoad ? text(op, value, base, off, random.s32()) : text(op, base, value, off, random.s32())
  const swap = isLoad && op.text.startsWith('u') && op.bits > 8 && random.chance(30) ? [`r${value} = be${op.bits} r${value}`] : []
  if (!wanders) return [access, ...swap]
  const there = random.chance(50) ? [] : ['r7 += 16', 'r7 += -16']
  return [`r7 = r${random.below(7)}`, 'r7 &= 127', 'r7 += r8', ...there, access, ...swap]
}

function ending(random: Random, name: string, at: number, blocks: number): string[] {
  const kind = random.below(100)
  if (kind < 25) return []
  const to = random.below(blocks)
  const label = random.chance(8) ? `${name}_end` : `${name}_${to}`
  const fuel = to <= at ? ['r9 += -1', `if r9 s<= 0 goto ${name}_end`] : []
  if (kind < 40) return [...fuel, `${random.chance(50) ? 'goto' : 'gotol'} ${label}`]
  const op = random.pick(CONDITIONS)
  const [dst, src, imm] = [random.below(8), random.below(8), random.s32()]
  // Random numbers are never equal: bring both sides together now and then.
  const near = !random.chance(30) ? [] : [`r${dst} = ${op.form === 'jmp_k' ? imm : `r${src}`}`, `r${dst} += ${random.below(3) - 1}`]
  return [...fuel, ...near, text(op, dst, src, 1, imm).replace(/pc\+1$/, label)]
}
