// References to kernel functions and variables, resolved against the kernel's BTF. Answers to bpf_object__resolve_ksyms_btf_id.
import type { InputError } from '../bytes/errors.js'
import { KIND, typesCompatible, type Btf } from '../btf/index.js'
import type { Insn } from '../insn/insn.js'
import { CALL, PSEUDO } from '../uapi/bpf.js'
import type { KsymRef } from './spec.js'

/** Call of a weak kfunc that this kernel lacks: POISON_CALL_KFUNC_BASE of libbpf. */
export const KFUNC_POISON = 2002000000

export function patchKsym(
  insns: Insn[], ref: KsymRef, index: number, kernel: Btf, local: Btf, fail: (whose: string, reason: string) => InputError,
): void {
  const found = kernel.find(ref.name, ref.kind === 'var' ? KIND.VAR : KIND.FUNC)
  if (!found) return patchMissing(insns, ref, index, fail)
  const type = found.kind === KIND.VAR || found.kind === KIND.FUNC ? found.type : 0
  if (ref.typeId !== 0 && !typesCompatible(local, ref.typeId, kernel, type)) {
    const word = ref.kind === 'var' ? 'var ksym' : 'func ksym'
    throw fail(`extern (${word}) '${ref.name}'`, `type [${ref.typeId}] is incompatible with kernel [${found.id}]`)
  }
  const i = insns[ref.slot]!
  i.imm = found.id
  if (ref.kind !== 'call') i.src = PSEUDO.BTF_ID
  else i.src = CALL.PSEUDO_KFUNC
}

function patchMissing(insns: Insn[], ref: KsymRef, index: number, fail: (whose: string, reason: string) => InputError): void {
  const i = insns[ref.slot]!
  if (!ref.weak) {
    const word = ref.kind === 'var' ? (ref.typeId ? 'var ksym' : 'ksym') : 'func ksym'
    throw fail(`extern (${word}) '${ref.name}'`, 'not found in kernel or module BTFs')
  }
  i.src = 0
  i.off = 0
  i.imm = ref.kind === 'call' ? KFUNC_POISON + index : 0
}
