// BTF: parse it, ask it, print it, relocate against it. Everything here is pure; errors are InputError.
export { parseBtf, Btf, type FoundMember } from './btf.js'
export * from './types.js'
export { dumpRaw, dumpRawType, intEncodingName, linkageName, quoted } from './dump-raw.js'
export { dumpC, declareC } from './dump-c.js'
export { parseBtfExt, FUNC_INFO_SIZE, LINE_INFO_SIZE, CORE_RELO_SIZE, type BtfExt, type ExtSection } from './ext.js'
export { CORE, CORE_NAME, essentialName } from './core-kinds.js'
export { formatSpec, type CoreRelo, type CoreSpec } from './core-spec.js'
export { resolveCore, type CoreValue } from './core-relo.js'
