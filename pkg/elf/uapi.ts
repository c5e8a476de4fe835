// Numbers of the ELF gABI and of LLVM's BPF relocations (llvm/docs/BPF/instruction-set, BPFELF), in their usual spelling.

export const EM = { NONE: 0, BPF: 247 } as const
export const ET_REL = 1
export const SHT = { NULL: 0, PROGBITS: 1, SYMTAB: 2, STRTAB: 3, RELA: 4, NOBITS: 8, REL: 9, SYMTAB_SHNDX: 18 } as const
export const SHF = { WRITE: 0x1n, ALLOC: 0x2n, EXECINSTR: 0x4n, COMPRESSED: 0x800n } as const
export const SHN = { UNDEF: 0, LORESERVE: 0xff00, ABS: 0xfff1, COMMON: 0xfff2, XINDEX: 0xffff } as const
export const STB = { LOCAL: 0, GLOBAL: 1, WEAK: 2 } as const
export const STT = { NOTYPE: 0, OBJECT: 1, FUNC: 2, SECTION: 3, FILE: 4 } as const
export const STV = { DEFAULT: 0, INTERNAL: 1, HIDDEN: 2, PROTECTED: 3 } as const
export const R_BPF = { NONE: 0, R64_64: 1, R64_ABS64: 2, R64_ABS32: 3, R64_NODYLD32: 4, R64_32: 10 } as const

/** Bounds that no object of a compiler comes near; they keep a hostile file from costing more than its own size. */
export const LIMIT = {
  SECTIONS: 16384,
  NAME: 4096,
  /** Bytes of all section names, or of all symbol names, together. */
  NAMES: 16 << 20,
  /** Bytes of all SHT_NOBITS sections together. */
  NOBITS: 1 << 30,
} as const
