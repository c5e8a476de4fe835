// Time per instruction that the verifier processes, beside the real verifier's on the same programs in the same run: its log at level 4
// (BPF_LOG_STATS) gives the time. Where there is no kernel to ask, only ours.
import { vmlinuxBtf, type Btf } from '../../pkg/btf/index.js'
import { ask, reachable, realKernelBtf } from '../oracle/verdicts.js'
import { objectCases } from '../verifier/object-cases.js'
import type { Case } from '../verifier/cases.js'
import type { Load } from '../verifier/load.js'
import { ourVerdict } from '../verifier/ours.js'
import { root } from '../support/root.js'

/** BPF_LOG_STATS: no text, only the numbers in the end. */
const STATS = 4
const FOLDERS = [['fixtures', 'verifier', 'c'], ['fixtures', 'bench']] as const
/** Shorter verifications measure the start of things. */
const MIN_INSNS = 1000
const TIMES = 5

interface Row { name: string, insns: number, usPerInsn: number, kernelUsPerInsn?: number, ratio?: number, insnsRatio?: number }

export function measureVerifier(): { programs: Row[], medianRatio: number | undefined, worstRatio: number | undefined, largestMs: number } {
  const cases = FOLDERS.flatMap(parts => objectCases(root(...parts)))
  const kernel = reachable() ? realKernelBtf() : undefined
  const programs = cases.flatMap(one => measured(one, kernel))
  const ratios = programs.flatMap(row => row.ratio ?? []).sort((a, b) => a - b)
  return {
    programs, medianRatio: ratios[ratios.length >> 1], worstRatio: ratios.at(-1),
    largestMs: Math.max(...programs.map(row => row.insns * row.usPerInsn)) / 1000,
  }
}

function measured(one: Case, kernel: Btf | undefined): Row[] {
  const load = loadOf(one, vmlinuxBtf())
  if (load === undefined) return []
  const { errno, insns } = ourVerdict(load, STATS)
  if (errno !== 0 || insns < MIN_INSNS) return []
  const ours = best(() => {
    const from = process.hrtime.bigint()
    ourVerdict(load, STATS)
    return Number(process.hrtime.bigint() - from) / 1000
  })
  const row = { name: one.name, insns, usPerInsn: ours / insns }
  const real = kernel && loadOf(one, kernel)
  if (real === undefined) return [row]
  const theirs = ask([real], STATS)[0]!
  const time = best(() => Number(/verification time (\d+) usec/.exec(ask([real], STATS)[0]!.log)?.[1] ?? NaN))
  const kernelUsPerInsn = time / theirs.insns
  return [{ ...row, kernelUsPerInsn, ratio: row.usPerInsn / kernelUsPerInsn, insnsRatio: insns / theirs.insns }]
}

function best(run: () => number): number {
  return Math.min(...Array.from({ length: TIMES }, run))
}

/** Some objects want kernel functions that only one of the two has. */
function loadOf(one: Case, kernel: Btf): Load | undefined {
  try {
    return one.load(kernel)
  } catch {
    return undefined
  }
}
