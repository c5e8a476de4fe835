// Runs one case through our verifier and words the outcome as `want` lines do.
import { parseBtf } from '../../pkg/btf/btf.js'
import { errnoName } from '../../pkg/uapi/errno.js'
import { verify, type VerifyResult } from '../../pkg/verifier/index.js'
import type { Case } from './case.js'

export function verifyCase(c: Case, logLevel = 1): VerifyResult {
  const btf = c.btf === undefined ? undefined : parseBtf(c.btf, c.title)
  return verify({
    prog: {
      type: c.type, insns: c.insns, license: c.license, expectedAttachType: c.attach, flags: c.flags,
      ...(c.dialect === undefined ? {} : { dialect: c.dialect }),
      ...(c.funcInfo === undefined ? {} : { funcInfo: { recSize: 8, bytes: c.funcInfo } }),
    },
    maps: id => c.maps[id - 1]?.attr,
    btf, btfOf: () => btf, vmlinux: () => undefined,
    frozen: id => {
      const m = c.maps[id - 1]
      return m?.frozen ? (m.value ?? new Uint8Array(m.attr.valueSize)) : undefined
    },
    logLevel,
  })
}

/** `accept`, or `EACCES: last line`. */
export function outcome(errno: number, log: string): string {
  if (errno === 0) return 'accept'
  const lines = log.split('\n').filter(l => l !== '' && !l.startsWith('processed ') && !l.startsWith('verification time') && !l.startsWith('stack depth'))
  return `${errnoName(errno as never)}: ${lines[lines.length - 1] ?? ''}`
}

export const outcomeOf = (r: VerifyResult): string => outcome(r.ok ? 0 : r.errno, r.log)
