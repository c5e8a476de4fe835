// ELF objects for BPF: openElf gives sections, symbols and relocations of a checked file. The only package that imports elfy.
export { openElf, isExecutable, groupBy, type Elf, type Section } from './elf.js'
export type { ElfSymbol } from './symbol.js'
export type { Relocation } from './relocation.js'
export { elfError } from './header.js'
export * from './uapi.js'
