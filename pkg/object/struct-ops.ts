// Tables of kernel callbacks: variables of sections .struct_ops and .struct_ops.link. They are found and named here; loading
// them is refused in load.ts until the kernel side registers tables.
import { KIND, type Btf } from '../btf/index.js'
import type { Elf } from '../elf/index.js'
import { MAP_F, MAP_TYPE } from '../uapi/bpf.js'
import { objectError } from './error.js'
import type { MapSpec } from './spec.js'

export function structOpsMaps(elf: Elf, btf: Btf | undefined): MapSpec[] {
  return ['.struct_ops', '.struct_ops.link', '?.struct_ops', '?.struct_ops.link'].flatMap(name => {
    const section = elf.section(name)
    return section && section.size > 0 ? tables(elf, btf, name) : []
  })
}

function tables(elf: Elf, btf: Btf | undefined, section: string): MapSpec[] {
  if (!btf) throw objectError(elf.file, `sec '${section}'`, 'BTF is required, but is missing or corrupted')
  const datasec = btf.find(section, KIND.DATASEC)
  if (datasec?.kind !== KIND.DATASEC) throw objectError(elf.file, 'struct_ops init', `DATASEC ${section} not found`)
  return datasec.vars.map(v => {
    const variable = btf.type(v.type)
    const struct = variable.kind === KIND.VAR ? btf.resolve(variable.type) : variable
    if (struct.kind !== KIND.STRUCT) throw objectError(elf.file, 'struct_ops init', `${variable.name} is not a struct`)
    if (struct.name === '') throw objectError(elf.file, 'struct_ops init', 'anonymous type is not supported')
    return {
      name: variable.name, section, type: MAP_TYPE.STRUCT_OPS, keySize: 4, valueSize: struct.size, maxEntries: 1,
      flags: section.endsWith('.link') ? MAP_F.LINK : 0, mapExtra: 0n, numaNode: 0, pinning: 'none' as const,
      btfKeyTypeId: 0, btfValueTypeId: 0, freeze: false, structOps: struct.name,
    }
  })
}
