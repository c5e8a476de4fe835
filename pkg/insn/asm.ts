// The assembler: reads what disasm.ts, the verifier's log, bpftool and llvm-objdump write, plus labels, comments and names
// of maps and functions. Two passes: every line becomes a slot with perhaps an open target, then targets are filled in.
import { InputError } from '../bytes/errors.js'
import { insn, type Insn } from './insn.js'
import { parseLine, type Target } from './asm-line.js'

export interface AsmNames {
  /** map[NAME] -> the number that goes into imm (fd or id). */
  maps?: Readonly<Record<string, number>>
  /** call NAME -> BTF id of a kfunc. */
  kfuncs?: Readonly<Record<string, number>>
}

/** Assembles a text; InputError names the line. */
export function asm(text: string, names: AsmNames = {}): Insn[] {
  const out: Insn[] = []
  const open: { at: number, target: Target, line: string }[] = []
  const labels = new Map<string, number>()
  text.split('\n').forEach((raw, n) => {
    try {
      let line = strip(raw)
      for (let m = LABEL.exec(line); m !== null; m = LABEL.exec(line)) {
        labels.set(m[1]!, out.length)
        line = line.slice(m[0].length)
      }
      if (line === '') return
      const parsed = parseLine(line, names)
      if (parsed.target !== undefined) open.push({ at: out.length, target: parsed.target, line: `line ${n + 1}: ${line}` })
      out.push(...parsed.insns)
    } catch (error) {
      throw new InputError(`line ${n + 1}: ${(error as Error).message}`)
    }
  })
  for (const o of open) resolve(out, o.at, o.target, labels, o.line)
  return out
}

const LABEL = /^([A-Za-z_.$][\w.$]*):\s*/
/** `12: (b7) ` or `0000000000000018 ` in front of an instruction. */
const PREFIX = /^(\d+:\s*)?(\([0-9a-f]{2}\)\s*)?/

/** The kernel's words for a 16-byte load of a number differ from a move's only by the code in front. */
const WIDE = /^(?:\d+:\s*)?\(18\)\s*r\d+ = 0x[0-9a-f]+$/

function strip(raw: string): string {
  const line = raw.replace(/(^|\s)(\/\/|;|#).*$/, '').trim()
  return line.replace(PREFIX, '').replace(/\s+<[^>]*>$/, '').trim() + (WIDE.test(line) ? ' ll' : '')
}

function resolve(out: Insn[], at: number, target: Target, labels: ReadonlyMap<string, number>, line: string): void {
  const i = out[at]!
  const to = labels.get(target.label)
  if (to === undefined) throw new InputError(`${line}: no such label or function '${target.label}'`)
  const distance = to - at - 1
  if (target.field === 'off' && distance !== (distance << 16) >> 16) throw new InputError(`${line}: too far for 16 bits`)
  out[at] = insn(i.code, i.dst, i.src, target.field === 'off' ? distance : i.off, target.field === 'imm' ? distance : i.imm)
}
