// libbpf's job: openObject reads an ELF object into a pure spec, loadObject asks the kernel for what the spec says.
export { openObject, type OpenOptions } from './open.js'
export { sectionDef, SECTION_DEFS, type SectionDef } from './sections.js'
export { objectName, dataMapName } from './data-maps.js'
export { tailCallSection } from './legacy-maps.js'
export { objectError } from './error.js'
export type * from './spec.js'
