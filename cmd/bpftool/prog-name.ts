// The head of a program in every listing (prog.c: print_prog_header_plain, print_prog_header_json).
import { parseBtf } from '../../pkg/btf/btf.js'
import type { ProgInfo } from '../../pkg/request/bpf.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import { BPF_OBJ_NAME_LEN } from '../../pkg/uapi/bpf.js'
import { progTypeName } from './names.js'

/** get_prog_full_name: a name that fills its 15 characters is looked up in the program's BTF. */
export function fullName(kernel: Kernel, info: ProgInfo): string {
  if (info.name.length < BPF_OBJ_NAME_LEN - 1 || info.btfId === 0) return info.name
  const { funcInfo } = kernel.request('prog.dump', { id: info.id })
  if (funcInfo === undefined || funcInfo.bytes.length < 8) return info.name
  const view = new DataView(funcInfo.bytes.buffer, funcInfo.bytes.byteOffset)
  const name = parseBtf(kernel.request('btf.bytes', { id: info.btfId }), 'btf').type(view.getUint32(4, true)).name
  return name.startsWith(info.name) ? name : info.name
}

export type ProgHead = {
  id: number
  type: string | number
  name?: string
  tag: string
  gpl_compatible: boolean
  run_time_ns?: number
  run_cnt?: number
  recursion_misses?: number
}

/** The record of both layouts: JSON as it is, plain by headLine. */
export function progHead(kernel: Kernel, info: ProgInfo): ProgHead {
  const name = fullName(kernel, info)
  return {
    id: info.id, type: progTypeName(info.type) ?? info.type, ...(name === '' ? {} : { name }), tag: info.tag, gpl_compatible: info.gplCompatible,
    ...(info.runTimeNs === 0 ? {} : { run_time_ns: info.runTimeNs, run_cnt: info.runCnt }),
    ...(info.recursionMisses === 0 ? {} : { recursion_misses: info.recursionMisses }),
  }
}

/** `7: xdp  name x  tag …  gpl`, without the line break. */
export function headLine(head: ProgHead): string {
  const type = typeof head.type === 'string' ? head.type : `type ${head.type}`
  return `${head.id}: ${type}  ${head.name === undefined ? '' : `name ${head.name}  `}tag ${head.tag}${head.gpl_compatible ? '  gpl' : ''}`
    + (head.run_time_ns === undefined ? '' : ` run_time_ns ${head.run_time_ns} run_cnt ${head.run_cnt}`)
    + (head.recursion_misses === undefined ? '' : ` recursion_misses ${head.recursion_misses}`)
}
