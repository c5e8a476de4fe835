// A builder of WebAssembly modules, by the core specification's binary format.
export { FuncBuilder, type Label } from './func.js'
export { ModuleBuilder } from './module.js'
export { ATOMIC, I32, I64, MEM, OP, V128, type MemOp, type Op, type ValType } from './opcodes.js'
