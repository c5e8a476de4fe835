// The end of a reference (release_reference(), kernel/bpf/verifier.c).
import type { Env } from './env.js'
import { invalid } from './marks.js'
import * as T from './types.js'

/** The reference goes, and what points to its object points nowhere. False: it was not held. */
export function releaseReference(env: Env, id: number): boolean {
  const st = env.state
  if (!st.refs.some(r => r.kind === 'ptr' && r.id === id)) return false
  st.refs = st.refs.filter(r => r.kind !== 'ptr' || r.id !== id)
  st.mapRegs(r => (r.refObjId === id && r.type !== T.CONST_PTR_TO_DYNPTR ? invalid : r))
  env.scratchAll()
  return true
}
