// Loops that only end by convergence: numbers that nobody needed exactly are widened (widen_imprecise_scalars(), kernel/bpf/verifier.c).
import type { Env } from './env.js'
import { sameHead } from './equal.js'
import { unknownScalar, type Reg } from './reg.js'
import { sameScalar } from './scalar.js'
import { isSpilled, type State } from './state.js'
import * as T from './types.js'

export function widenImprecise(_env: Env, old: State, cur: State): void {
  cur.frames.forEach((f, n) => {
    const o = old.frames[n]
    if (o === undefined) return
    for (let r = 0; r < 10; r++) f.regs[r] = widened(o.regs[r]!, f.regs[r]!, (o.preciseRegs & (1 << r)) !== 0)
    f.stack.forEach((slot, spi) => {
      const before = o.stack[spi]
      if (before === undefined || !isSpilled(before) || !isSpilled(slot)) return
      f.stack[spi] = { types: slot.types, reg: widened(before.reg!, slot.reg!, o.isPreciseSlot(spi)) }
    })
  })
}

/** maybe_widen_reg() */
function widened(old: Reg, cur: Reg, precise: boolean): Reg {
  if (old.type !== T.SCALAR_VALUE || cur.type !== T.SCALAR_VALUE || precise) return cur
  if (sameHead(old, cur) && sameScalar(old.num, cur.num) && old.id === cur.id) return cur
  return unknownScalar
}
