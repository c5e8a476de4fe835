// fixtures/insn/*.txt: several cases a file. A case is
//   -- TITLE
//   mem HEX            bytes at r1, zeros behind them (64 in all)
//   packet HEX         instead of mem: r1 is an sk_buff of this frame
//   assembler lines
//   = R0               64 bits; then, where memory differs from before,
//   mem= HEX
// The results are the real kernel's (test/oracle/insn.test.ts records and checks them), except of cases marked `no oracle: WHY`.
import { readdirSync, readFileSync } from 'node:fs'
import { asm } from '../../pkg/insn/asm.js'
import type { Insn } from '../../pkg/insn/insn.js'
import { root } from '../support/root.js'

export const MEM_SIZE = 64

export interface Case {
  readonly file: string
  readonly title: string
  readonly text: string
  readonly insns: readonly Insn[]
  readonly mem: Uint8Array
  readonly packet: Uint8Array | undefined
  readonly noOracle: string | undefined
  readonly r0: string | undefined
  /** Expected memory; undefined: as before. */
  readonly memAfter: string | undefined
}

export const caseFolder = (): string => root('fixtures', 'insn')

export function caseFiles(): string[] {
  return readdirSync(caseFolder()).filter(name => name.endsWith('.txt')).sort()
}

export function readCases(file: string): Case[] {
  const text = readFileSync(`${caseFolder()}/${file}`, 'utf8')
  return text.split(/^-- /m).slice(1).map(part => parseCase(file, part))
}

function parseCase(file: string, part: string): Case {
  const [title = '', ...lines] = part.trimEnd().split('\n')
  const take = (word: RegExp): string | undefined => {
    const at = lines.findIndex(line => word.test(line))
    return at < 0 ? undefined : lines.splice(at, 1)[0]!.replace(word, '').trim()
  }
  const memAfter = take(/^mem=/)
  const mem = new Uint8Array(MEM_SIZE)
  mem.set(Buffer.from(take(/^mem /) ?? '', 'hex'))
  const packet = take(/^packet /)
  const noOracle = take(/^no oracle:/)
  const r0 = take(/^= /)
  const body = lines.join('\n')
  return {
    file, title, text: body, insns: asm(body), mem, noOracle, r0, memAfter,
    packet: packet === undefined ? undefined : new Uint8Array(Buffer.from(packet, 'hex')),
  }
}

/** Bytes without the zeros at their end, as cases write them. */
export function trimmed(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex').replace(/(00)+$/, '')
}
