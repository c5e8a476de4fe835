// One line of assembler text -> its slots: a table of line shapes, each with the rows of the opcode table it can mean.
import { InputError } from '../bytes/errors.js'
import { CALL, FUNC, PSEUDO } from '../uapi/bpf.js'
import type { AsmNames } from './asm.js'
import { insn, type Insn } from './insn.js'
import { OPS, opNamed, type Form, type Op } from './table.js'

/** A label that the second pass turns into a distance. */
export interface Target { label: string, field: 'off' | 'imm' }
export interface Parsed { insns: Insn[], target?: Target }

type Shape = readonly [RegExp, (m: RegExpMatchArray, names: AsmNames) => Parsed]

/** The slots of one line, stripped of labels and comments. */
export function parseLine(line: string, names: AsmNames): Parsed {
  for (const [pattern, build] of SHAPES) {
    const m = line.match(pattern)
    if (m !== null) return build(m, names)
  }
  throw new InputError(`not an instruction: ${line}`)
}

const NUM = '([+-]?\\s*(?:0x[0-9a-fA-F]+|\\d+))'
const REG = '([rw])(\\d+)'
const ADDR = `\\(r(\\d+)\\s*${NUM}?\\)`
const PTR = `\\(([us])(8|16|32|64) \\*\\)\\s*${ADDR}`
const TO = '(\\S+)'
const shape = (text: string, build: Shape[1]): Shape => [new RegExp(`^${text}$`), build]

const SHAPES: readonly Shape[] = [
  shape('exit', () => one('exit')),
  shape(`(goto|may_goto) ${TO}`, m => jump(insn(m[1] === 'goto' ? 0x05 : 0xe5, 0, 0, 0, 0), m[2]!, 'off')),
  shape(`gotol ${TO}`, m => jump(insn(0x06, 0, 0, 0, 0), m[1]!, 'imm')),
  shape(`if ${REG} (\\S+) ${REG} goto ${TO}`, m =>
    jump(build('jmp_x', width(m[1]!, m[4]!), m[3]!, { dst: reg(m[2]!), src: reg(m[5]!) }), m[6]!, 'off')),
  shape(`if ${REG} (\\S+) ${NUM} goto ${TO}`, m =>
    jump(build('jmp_k', width(m[1]!), m[3]!, { dst: reg(m[2]!), imm: imm32(m[4]!) }), m[5]!, 'off')),
  shape('call (.+)', (m, names) => call(m[1]!, names)),
  shape(`r0 = \\*\\(u(8|16|32) \\*\\)\\s*skb\\[${NUM}\\]`, m =>
    just(build('ld_abs', num(m[1]!), `u${m[1]!}`, { imm: imm32(m[2]!) }))),
  shape(`r0 = \\*\\(u(8|16|32) \\*\\)\\s*skb\\[r(\\d+)(?:\\s*\\+)?(?:\\s*${NUM})?\\]`, m =>
    just(build('ld_ind', num(m[1]!), `u${m[1]!}`, { src: reg(m[2]!), imm: imm32(m[3] ?? '0') }))),
  shape(`${REG} = \\*${PTR}`, m =>
    just(build('ldx', num(m[4]!), m[3]! + m[4]!, { dst: reg(m[2]!), src: reg(m[5]!), off: off16(m[6]) }))),
  shape(`\\*${PTR} = ${REG}`, m =>
    just(build('stx', num(m[2]!), `u${m[2]!}`, { dst: reg(m[3]!), off: off16(m[4]), src: reg(m[6]!) }))),
  shape(`\\*${PTR} = ${NUM}`, m =>
    just(build('st', num(m[2]!), `u${m[2]!}`, { dst: reg(m[3]!), off: off16(m[4]), imm: imm32(m[5]!) }))),
  shape(`lock \\*${PTR} (\\S+) ${REG}`, m =>
    just(build('atomic', num(m[2]!), m[5]!, { dst: reg(m[3]!), off: off16(m[4]), src: reg(m[7]!) }))),
  shape(`${REG} = atomic(?:64)?_(?:fetch_)?(add|or|and|xor|xchg)\\(${PTR}, ${REG}\\)`, m => {
    same(reg(m[2]!), reg(m[9]!))
    return just(build('fetch', num(m[5]!), m[3]!, { dst: reg(m[6]!), off: off16(m[7]), src: reg(m[9]!) }))
  }),
  shape(`${REG} = xchg(?:32)?_(32|64)${ADDR.replace('\\)', '')}, ${REG}\\)`, m => {
    same(reg(m[2]!), reg(m[7]!))
    return just(build('fetch', num(m[3]!), 'xchg', { dst: reg(m[4]!), off: off16(m[5]), src: reg(m[7]!) }))
  }),
  shape(`[rw]0 = atomic(?:64)?_cmpxchg\\(${PTR}, [rw]0, ${REG}\\)`, m =>
    just(build('cmpxchg', num(m[2]!), 'cmpxchg', { dst: reg(m[3]!), off: off16(m[4]), src: reg(m[6]!) }))),
  shape(`[rw]0 = cmpxchg(?:32)?_(32|64)${ADDR.replace('\\)', '')}, [rw]0, ${REG}\\)`, m =>
    just(build('cmpxchg', num(m[1]!), 'cmpxchg', { dst: reg(m[2]!), off: off16(m[3]), src: reg(m[5]!) }))),
  shape(`${REG} = load_acquire\\(${PTR}\\)`, m =>
    just(build('load_acq', num(m[4]!), 'load_acquire', { dst: reg(m[2]!), src: reg(m[5]!), off: off16(m[6]) }))),
  shape(`store_release\\(${PTR}, ${REG}\\)`, m =>
    just(build('store_rel', num(m[2]!), 'store_release', { dst: reg(m[3]!), off: off16(m[4]), src: reg(m[6]!) }))),
  shape(`${REG} = -${REG}`, m => {
    same(reg(m[2]!), reg(m[4]!))
    return just(build('neg', width(m[1]!, m[3]!), '-', { dst: reg(m[2]!) }))
  }),
  shape(`${REG} = ((?:le|be|bswap)(16|32|64)) ${REG}`, m => {
    same(reg(m[2]!), reg(m[6]!))
    return just(build('end', num(m[4]!), m[3]!, { dst: reg(m[2]!) }))
  }),
  shape(`r(\\d+) = ${NUM} ll`, m => just(...imm64(reg(m[1]!), 0, BigInt(m[2]!.replace(/[+\s]/g, '').replace(/^-/, '')) *
    (m[2]!.includes('-') ? -1n : 1n)))),
  shape('r(\\d+) = map\\[([^\\]]+)\\]\\[0\\]\\s*\\+\\s*(\\d+)', (m, names) =>
    just(...imm64(reg(m[1]!), PSEUDO.MAP_VALUE, BigInt(mapNumber(m[2]!, names)) | BigInt(m[3]!) << 32n))),
  shape('r(\\d+) = map\\[([^\\]]+)\\]', (m, names) =>
    just(...imm64(reg(m[1]!), PSEUDO.MAP_FD, BigInt(mapNumber(m[2]!, names))))),
  shape('r(\\d+) = btf\\[(\\d+)\\]', m => just(...imm64(reg(m[1]!), PSEUDO.BTF_ID, BigInt(m[2]!)))),
  shape('r(\\d+) = subprog\\[([^\\]]+)\\]', m => {
    const insns = imm64(reg(m[1]!), PSEUDO.FUNC, 0n)
    const { insns: [first], target } = jump(insns[0]!, m[2]!, 'imm')
    return { insns: [first!, insns[1]!], ...(target === undefined ? {} : { target }) }
  }),
  shape(`${REG} = (\\(s(?:8|16|32)\\))\\s*${REG}`, m =>
    just(build('alu_x', width(m[1]!, m[4]!), `= ${m[3]!}`, { dst: reg(m[2]!), src: reg(m[5]!) }))),
  shape(`${REG} (\\S*=) ${REG}`, m =>
    just(build('alu_x', width(m[1]!, m[4]!), m[3]!, { dst: reg(m[2]!), src: reg(m[5]!) }))),
  shape(`${REG} (\\S*=) ${NUM}`, m =>
    just(build('alu_k', width(m[1]!), m[3]!, { dst: reg(m[2]!), imm: imm32(m[4]!) }))),
]

const rowKey = (form: Form, bits: number, text: string): string => `${form} ${bits} ${text}`
const byText = new Map<string, Op>(OPS.filter(op => op.isa > 0).map(op => [rowKey(op.form, op.bits, op.text), op]))

function build(form: Form, bits: number, text: string, fields: Partial<Insn>): Insn {
  const op = byText.get(rowKey(form, bits, text))
  if (op === undefined) throw new InputError(`no instruction '${text}' of ${bits} bits`)
  const { dst = 0, src = 0, off = 0, imm = 0 } = fields
  const set = (field: 'off' | 'imm' | 'src', value: number): number => (op.field === field ? op.value : value)
  return insn(op.code, dst, set('src', src), set('off', off), set('imm', imm))
}

const just = (...insns: Insn[]): Parsed => ({ insns })
const one = (name: Op['name']): Parsed => just(insn(opNamed(name).code, 0, 0, 0, 0))

function jump(i: Insn, to: string, field: 'off' | 'imm'): Parsed {
  const m = /^(?:pc)?([+-](?:0x[0-9a-fA-F]+|\d+))$/.exec(to)
  if (m === null) return { insns: [i], target: { label: to, field } }
  const distance = imm32(m[1]!)
  return just(insn(i.code, i.dst, i.src, field === 'off' ? distance : i.off, field === 'imm' ? distance : i.imm))
}

/** `call 1`, `call bpf_x#1`, `call bpf_x`, `call pc+3`, `call LABEL`, `call KFUNC`. */
function call(to: string, names: AsmNames): Parsed {
  const helper = /^(?:(?:\w+)#)?(0x[0-9a-f]+|\d+)$/.exec(to)
  if (helper !== null) return just(insn(0x85, 0, CALL.HELPER, 0, num(helper[1]!)))
  if (names.kfuncs !== undefined && Object.hasOwn(names.kfuncs, to)) {
    return just(insn(0x85, 0, CALL.PSEUDO_KFUNC, 0, names.kfuncs[to]!))
  }
  const id = to.startsWith('bpf_') ? (FUNC as Readonly<Record<string, number>>)[to.slice(4)] : undefined
  if (id !== undefined) return just(insn(0x85, 0, CALL.HELPER, 0, id))
  return jump(insn(0x85, 0, CALL.PSEUDO_CALL, 0, 0), to.replace(/#\w+$/, ''), 'imm')
}

function imm64(dst: number, src: number, value: bigint): [Insn, Insn] {
  return [insn(0x18, dst, src, 0, Number(BigInt.asIntN(32, value))),
    insn(0, 0, 0, 0, Number(BigInt.asIntN(32, value >> 32n)))]
}

function mapNumber(text: string, names: AsmNames): number {
  const m = /^(?:id|fd):(\d+)$/.exec(text)
  const n = m === null ? names.maps?.[text] : num(m[1]!)
  if (n === undefined) throw new InputError(`no such map '${text}'`)
  return n
}

const num = (text: string): number => Number(text.replace(/[+\s-]/g, '')) * (text.includes('-') ? -1 : 1)

function imm32(text: string): number {
  const n = num(text)
  if (n < -0x80000000 || n > 0xffffffff) throw new InputError(`${text} does not fit 32 bits`)
  return n | 0
}

function off16(text: string | undefined): number {
  const n = text === undefined ? 0 : num(text)
  if (n !== (n << 16) >> 16) throw new InputError(`offset ${n} does not fit 16 bits`)
  return n
}

function reg(text: string): number {
  const n = Number(text)
  if (n > 15) throw new InputError(`no register ${text}`)
  return n
}

function width(...letters: string[]): 32 | 64 {
  if (letters.some(l => l !== letters[0])) throw new InputError('r and w registers in one operation')
  return letters[0] === 'r' ? 64 : 32
}

function same(a: number, b: number): void {
  if (a !== b) throw new InputError('both registers must be the same')
}
