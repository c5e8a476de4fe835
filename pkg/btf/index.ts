// BTF: parse it, ask it, print it, relocate against it. Everything here is pure; errors are InputError.
export { parseBtf, Btf, type FoundMember } from './btf.js'
export * from './types.js'
export { dumpRaw, dumpRawType, intEncodingName, linkageName, quoted } from './dump-raw.js'
export { dumpC, declareC } from './dump-c.js'
