// Our verifier's verdict on a load: what the kernel side hands to verify(), without a kernel around it.
import { KernelError } from '../../pkg/bytes/errors.js'
import { parseBtf, vmlinuxBtf, type Btf } from '../../pkg/btf/index.js'
import { checkAttributes } from '../../pkg/kernel/prog-attributes.js'
import { valueFields } from '../../pkg/map/btf.js'
import type { MapAttr } from '../../pkg/map/types.js'
import type { MapCreate } from '../../pkg/request/bpf.js'
import { verify } from '../../pkg/verifier/index.js'
import { verdictOf, type Load, type Verdict } from './load.js'

/** A thing that the verifier threw instead of answering has errno -1. */
export function ourVerdict({ maps, btf: bytes, values, prog }: Load, logLevel = 1): Verdict {
  const btf = bytes && parseBtf(bytes, 'BTF')
  try {
    checkAttributes(prog)
    const result = verify({
      prog, btf, btfOf: () => btf, vmlinux: vmlinuxBtf, logLevel, kfuncs: () => true, cpus: 2,
      maps: id => attrOf(maps[id - 1], id, btf),
      frozen: id => values.find(value => value.map === id && value.frozen)?.bytes,
    })
    return verdictOf(result.ok ? 0 : result.errno, result.log)
  } catch (error) {
    if (error instanceof KernelError) return verdictOf(error.errno, '')
    return { errno: -1, line: `threw ${(error as Error).stack?.split('\n').slice(0, 3).join(' ') ?? 'something'}`, insns: 0, log: '' }
  }
}

function attrOf(map: MapCreate | undefined, id: number, btf: Btf | undefined): MapAttr | undefined {
  if (map === undefined) return undefined
  const { type, name = '', keySize, valueSize, maxEntries, flags = 0, mapExtra = 0, innerMapId = 0 } = map
  const { btfId = 0, btfKeyTypeId = 0, btfValueTypeId = 0 } = map
  const fields = btf !== undefined && btfValueTypeId !== 0 ? valueFields(btf, btfValueTypeId) : []
  return { id, type, name, keySize, valueSize, maxEntries, flags, mapExtra, innerMapId, btfId, btfKeyTypeId, btfValueTypeId, fields }
}
