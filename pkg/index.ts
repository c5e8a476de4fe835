// What `import … from 'hookpoint'` gives: a machine, the values its requests carry, the constants tests compare with.
export { openMachine, frame, type Machine, type MachineOptions, type Packet } from './machine.js'
export { KernelError, InputError, Bug } from './bytes/errors.js'
export { XDP, TC_ACT, MAP_TYPE, PROG_TYPE, ATTACH_TYPE, MAP_F, UPDATE } from './uapi/bpf.js'
export { asm } from './insn/asm.js'
export { decodeInsns, encodeInsns, type Insn } from './insn/insn.js'
export type * from './request/bpf.js'
export type * from './request/rtnl.js'
export type * from './request/wire.js'
