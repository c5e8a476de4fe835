// Before any state: opcodes exist, 16-byte loads are whole and name maps, functions or kernel variables that there are
// (resolve_pseudo_ldimm64(), check_map_prog_compatibility(), kernel/bpf/verifier.c).
import { KIND } from '../btf/types.js'
import { isPublicOpcode, isSecondSlot } from '../insn/decode.js'
import type { Insn } from '../insn/insn.js'
import * as B from '../insn/opcode.js'
import type { MapAttr } from '../map/types.js'
import { MAP_TYPE, PROG_TYPE, PSEUDO } from '../uapi/bpf.js'
import { E2BIG, EBADF, EINVAL, ENOENT, ENOTSUPP, EPROTO } from '../uapi/errno.js'
import type { Env } from './env.js'
import { MAX_VAR_OFF } from './limits.js'
import { specialFields } from './map-record.js'

const MAX_USED_MAPS = 64

export function resolveLoads(env: Env): void {
  for (let n = 0; n < env.insns.length; n++) {
    const i = env.insns[n]!
    const mode = B.BPF_MODE(i.code)
    if (B.BPF_CLASS(i.code) === B.BPF_LDX && ((mode !== B.BPF_MEM && mode !== B.BPF_MEMSX) || i.imm !== 0)) {
      env.fail(EINVAL, 'BPF_LDX uses reserved fields')
    }
    if (B.isLdImm64(i.code)) {
      resolveLoad(env, n, i)
      n++
    } else if (!isPublicOpcode(i.code)) {
      env.fail(EINVAL, `unknown opcode ${i.code.toString(16).padStart(2, '0')}`)
    }
  }
}

function resolveLoad(env: Env, n: number, i: Insn): void {
  const next = env.insns[n + 1]
  if (!isSecondSlot(next)) env.fail(EINVAL, 'invalid bpf_ld_imm64 insn')
  switch (i.src) {
    case 0: case PSEUDO.FUNC: return
    case PSEUDO.BTF_ID: return checkKernelVar(env, i)
    case PSEUDO.MAP_IDX: case PSEUDO.MAP_IDX_VALUE:
      if (i.src === PSEUDO.MAP_IDX && next!.imm !== 0) env.fail(EINVAL, 'unrecognized bpf_ld_imm64 insn')
      return env.fail(EPROTO, 'fd_idx without fd_array is invalid')
    case PSEUDO.MAP_FD:
      if (next!.imm !== 0) env.fail(EINVAL, 'unrecognized bpf_ld_imm64 insn')
      useMap(env, i)
      return
    case PSEUDO.MAP_VALUE:
      return checkDirectValue(env, useMap(env, i), next!.imm >>> 0)
    default: return env.fail(EINVAL, 'unrecognized bpf_ld_imm64 insn')
  }
}

function useMap(env: Env, i: Insn): MapAttr {
  const map = env.map(i.imm)
  if (map === undefined) return env.fail(EBADF, `fd ${i.imm} is not pointing to valid bpf_map`)
  if (!env.maps.includes(map)) {
    if (env.maps.length >= MAX_USED_MAPS) env.fail(E2BIG, `The total number of maps per program has reached the limit of ${MAX_USED_MAPS}`)
    checkCompatible(env, map)
    env.maps.push(map)
  }
  return map
}

/** check_map_prog_compatibility() */
function checkCompatible(env: Env, map: MapAttr): void {
  const has = (name: string): boolean => specialFields(env, map).some(f => f.name === name)
  if (env.type === PROG_TYPE.SOCKET_FILTER && (has('bpf_spin_lock') || has('bpf_res_spin_lock'))) {
    env.fail(EINVAL, 'socket filter progs cannot use bpf_spin_lock yet')
  }
}

/** check_pseudo_btf_id() */
function checkKernelVar(env: Env, i: Insn): void {
  const btf = env.vmlinux
  const t = btf !== undefined && i.imm >= 0 && i.imm < btf.count ? btf.type(i.imm) : undefined
  if (t === undefined) env.fail(ENOENT, `ldimm64 insn specifies invalid btf_id ${i.imm}.`)
  if (t.kind !== KIND.VAR && t.kind !== KIND.FUNC) env.fail(EINVAL, `pseudo btf_id ${i.imm} in ldimm64 isn't KIND_VAR or KIND_FUNC`)
  env.missing('addresses of kernel variables')
}

/** map_direct_value_addr: only a single-entry array is one. */
function checkDirectValue(env: Env, map: MapAttr, off: number): void {
  if (off >= MAX_VAR_OFF) env.fail(EINVAL, `direct value offset of ${off} is not allowed`)
  if (map.type !== MAP_TYPE.ARRAY) env.fail(EINVAL, 'no direct value access support for this map type')
  const bad = `invalid access to map value pointer, value_size=${map.valueSize} off=${off}`
  if (map.maxEntries !== 1) env.fail(ENOTSUPP, bad)
  if (off >= map.valueSize) env.fail(EINVAL, bad)
}

export const mapOf = (env: Env, i: Insn): MapAttr => env.map(i.imm)!
