// Registers and stack as the log prints them: print_verifier_state(), print_reg_state(), print_scalar_ranges() (kernel/bpf/log.c).
import type { Env } from './env.js'
import { baseId, isPacket, linkOf, type Reg } from './reg.js'
import { S32_MAX, S32_MIN, S64_MAX, S64_MIN, U32_MAX, type Scalar } from './scalar.js'
import { emptySlot, isSpilled, slotType, type Frame, type Slot, type State } from './state.js'
import { s64, u64, U64, type Tnum } from './tnum.js'
import * as T from './types.js'

const snum = (n: bigint): string => (n >= -32768n && n <= 32767n ? `${n}` : `0x${u64(n).toString(16)}`)
const unum = (n: bigint): string => (n <= 65535n ? `${n}` : `0x${n.toString(16)}`)
const hex = (n: bigint): string => (n === 0n ? '0x0' : `0x${n.toString(16)}`)

/** tnum_strn() */
export const tnumText = (t: Tnum): string => (t.mask === 0n ? unum(t.value) : `(${hex(t.value)}; ${hex(t.mask)})`)

interface Range { name: string, value: bigint, omit: boolean, signed: boolean }

/** Ranges that say something, equal ones joined: `smin=umin=1`. */
function ranges(s: Scalar): string[] {
  const s32 = (n: number): bigint => (n >= -32768 && n <= 32767 ? BigInt(n) : BigInt(n >>> 0))
  const all: Range[] = [
    { name: 'smin', value: u64(s.smin), omit: s.smin === S64_MIN, signed: true },
    { name: 'smax', value: u64(s.smax), omit: s.smax === S64_MAX, signed: true },
    { name: 'umin', value: s.umin, omit: s.umin === 0n, signed: false },
    { name: 'umax', value: s.umax, omit: s.umax === U64, signed: false },
    { name: 'smin32', value: u64(s32(s.s32min)), omit: s.s32min === S32_MIN, signed: true },
    { name: 'smax32', value: u64(s32(s.s32max)), omit: s.s32max === S32_MAX, signed: true },
    { name: 'umin32', value: BigInt(s.u32min), omit: s.u32min === 0, signed: false },
    { name: 'umax32', value: BigInt(s.u32max), omit: s.u32max === U32_MAX, signed: false },
  ]
  const out: string[] = []
  all.forEach((m, n) => {
    if (m.omit) return
    const negative = (x: Range): boolean => x.signed && s64(x.value) < 0n
    const names = [m.name]
    for (let k = n + 2; k < all.length; k += 2) {
      const other = all[k]!
      if (other.omit || other.value !== m.value || negative(other) !== negative(m)) continue
      other.omit = true
      names.push(other.name)
    }
    out.push(`${names.join('=')}=${m.signed ? snum(s64(m.value)) : unum(m.value)}`)
  })
  return out
}

function details(r: Reg): string[] {
  const out: string[] = []
  if (r.id !== 0) out.push(`id=${baseId(r.id)}${linkOf(r.id) !== 0 ? (r.off < 0 ? `${r.off}` : `+${r.off}`) : ''}`)
  const base = T.baseType(r.type)
  // Of a packet pointer it says which of the taken packets it belongs to.
  const packet = isPacket(r.type) || base === T.PTR_TO_PACKET_END
  if (r.refObjId !== 0 && !packet) out.push(`ref_obj_id=${r.refObjId}`)
  if (r.type & T.NON_OWN_REF) out.push('non_own_ref')
  if (base === T.CONST_PTR_TO_MAP || base === T.PTR_TO_MAP_KEY || base === T.PTR_TO_MAP_VALUE) {
    if (r.map!.name !== '') out.push(`map=${r.map!.name}`)
    out.push(`ks=${r.map!.keySize},vs=${r.map!.valueSize}`)
  }
  if (base !== T.SCALAR_VALUE && r.off !== 0) out.push(`off=${snum(BigInt(r.off))}`)
  if (isPacket(r.type)) out.push(`r=${unum(u64(BigInt(r.range)))}`)
  if (r.refObjId !== 0 && packet) out.push(`pkt_uid=${r.refObjId}`)
  if (base === T.PTR_TO_MEM) out.push(`sz=${unum(BigInt(r.memSize))}`)
  if (base === T.CONST_PTR_TO_DYNPTR) out.push(`type=${T.dynptrName[r.dynptrType]!}`)
  if (r.num.isConst) {
    if (r.num.value !== 0n) out.push(`imm=${snum(s64(r.num.value))}`)
  } else {
    out.push(...ranges(r.num))
    if (r.num.t.mask !== U64) out.push(`var_off=${tnumText(r.num.t)}`)
  }
  return out
}

/** print_reg_state() */
export function regText(r: Reg, frameno: number, precise: boolean): string {
  const p = r.type === T.SCALAR_VALUE && precise ? 'P' : ''
  if (r.type === T.SCALAR_VALUE && r.num.isConst) return p + snum(s64(r.num.value))
  if (r.type === T.PTR_TO_STACK) {
    const where = frameno === r.frameno ? 'fp' : `fp[${r.frameno}]`
    if (r.num.isConst) return where + snum(s64(r.num.value) + BigInt(r.off))
    return `${where}(${details(r).join(',')})`
  }
  const btf = T.baseType(r.type) === T.PTR_TO_BTF_ID ? r.btf!.type(r.btfId).name : ''
  return `${p}${T.typeName(r.type)}${btf}(${details(r).join(',')})`
}

const typeChars = (s: Slot): string => {
  let out = ''
  for (let i = 0; i < 8; i++) out += T.slotChar[slotType(s, i)]
  return out
}

function slotText(f: Frame, spi: number, s: Slot): string | undefined {
  if (s.types === 0) return undefined
  const name = ` fp${(-spi - 1) * 8}=`
  const type = slotType(s, 7)
  if (isSpilled(s)) {
    const chars = typeChars(s)
    return name + chars.slice(0, chars.indexOf('r')) + regText(s.reg!, f.frameno, f.isPreciseSlot(spi))
  }
  if (type === T.STACK_DYNPTR) return dynptrText(f, spi, s)
  if (type === T.STACK_ITER) {
    const r = s.reg!
    if (r.refObjId === 0) return ''
    const state = ['<invalid>', 'active', 'drained'][r.iterState]
    return `${name}iter_${r.btf!.type(r.btfId).name.replace(/^bpf_iter_/, '')}(ref_id=${r.refObjId},state=${state},depth=${r.iterDepth})`
  }
  return name + typeChars(s)
}

function dynptrText(f: Frame, spi: number, s: Slot): string {
  const r = s.reg!
  if (r.firstSlot) return ''
  const parts = [r.id !== 0 ? `id=${r.id}` : '', r.refObjId !== 0 ? `ref_id=${r.refObjId}` : '', r.dynptrId ? `dynptr_id=${r.dynptrId}` : '']
  void f
  return ` fp${(-spi - 1) * 8}=dynptr_${T.dynptrName[r.dynptrType]!}(${parts.filter(x => x !== '').join(',')})`
}

/** print_verifier_state(): all of it, or what the last instruction touched. */
export function printState(env: Env, state: State, frameno: number, all: boolean): void {
  const f = state.frames[frameno]!
  let out = f.frameno > 0 ? ` frame${f.frameno}:` : ''
  f.regs.forEach((r, n) => {
    if (r.type === T.NOT_INIT || (!all && !(env.scratchedRegs & (1 << n)))) return
    out += ` R${n}=${regText(r, f.frameno, (f.preciseRegs & (1 << n)) !== 0)}`
  })
  for (let spi = 0; spi < f.stack.length; spi++) {
    const touched = spi < 32 ? env.scratchedLow & (1 << spi) : env.scratchedHigh & (1 << (spi - 32))
    if (!all && !touched) continue
    out += slotText(f, spi, f.stack[spi] ?? emptySlot) ?? ''
  }
  const { refs } = state
  if (refs.length > 0) out += ` refs=${refs.map(r => r.id).join(',')}`
  if (f.inCallback) out += ' cb'
  if (f.inAsyncCallback) out += ' async_cb'
  env.verbose(`${out}\n`)
  if (!all) env.cleanScratched()
}

/** print_insn_state(): behind the instruction that was printed last, or on a line of its own. */
export function printInsnState(env: Env, state: State, frameno: number): void {
  if (env.prevLogPos > 0 && env.prevLogPos === env.log.pos) {
    env.log.reset(env.prevLogPos - 1)
    env.verbose(`${' '.repeat(alignment(env.prevInsnPrintPos))};`)
  } else {
    env.verbose(`${env.insn}:`)
  }
  printState(env, state, frameno, false)
}

/** vlog_alignment(), with the line end of the instruction in `pos`. */
function alignment(pos: number): number {
  return Math.ceil(Math.max(pos + 4, 40) / 8) * 8 - pos - 1
}
