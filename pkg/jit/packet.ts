// The address behind BPF_LD_ABS and BPF_LD_IND as a function of the module, as pkg/interp/skb-load.ts has it.
import { SKB } from '../skb/layout.js'
import { I32, MEM, OP, type FuncBuilder } from '../wasm/index.js'

const SKF_NET_OFF = -0x100000
const SKF_LL_OFF = -0x200000

const SKB_ARG = 0
const OFFSET = 1
const SIZE = 2

/** (skb, offset, size) -> address, 0 when it is outside of the packet. */
export function emitPacketPointer(f: FuncBuilder): void {
  const field = (offset: number): void => {
    f.get(SKB_ARG)
    f.mem(MEM.i32_load, offset)
  }
  f.get(OFFSET)
  f.i32(0)
  f.op(OP.i32_lt_s)
  const negative = f.if()
  emitNegative(f)
  f.end(negative)
  // offset + size <= len - data_len ? data + offset : 0
  field(SKB.data)
  f.get(OFFSET)
  f.op(OP.i32_add)
  f.i32(0)
  f.get(OFFSET)
  f.get(SIZE)
  f.op(OP.i32_add)
  field(SKB.len)
  field(SKB.data_len)
  f.op(OP.i32_sub)
  f.op(OP.i32_le_u)
  f.op(OP.select)
}

/** from = head + network_header or mac_header + the rest; head <= from && from + size <= head + tail */
function emitNegative(f: FuncBuilder): void {
  const from = f.local(I32)
  const head = f.local(I32)
  f.get(SKB_ARG)
  f.mem(MEM.i32_load, SKB.head)
  f.tee(head)
  f.get(SKB_ARG)
  f.mem(MEM.i32_load16_u, SKB.network_header)
  f.get(OFFSET)
  f.op(OP.i32_add)
  f.i32(-SKF_NET_OFF)
  f.op(OP.i32_add)
  f.get(SKB_ARG)
  f.mem(MEM.i32_load16_u, SKB.mac_header)
  f.get(OFFSET)
  f.op(OP.i32_add)
  f.i32(-SKF_LL_OFF)
  f.op(OP.i32_add)
  f.get(OFFSET)
  f.i32(SKF_NET_OFF)
  f.op(OP.i32_ge_s)
  f.op(OP.select)
  f.op(OP.i32_add)
  f.tee(from)
  f.i32(0)
  f.get(OFFSET)
  f.i32(SKF_LL_OFF)
  f.op(OP.i32_ge_s)
  f.get(from)
  f.get(head)
  f.op(OP.i32_ge_u)
  f.op(OP.i32_and)
  f.get(from)
  f.get(SIZE)
  f.op(OP.i32_add)
  f.get(head)
  f.get(SKB_ARG)
  f.mem(MEM.i32_load, SKB.tail)
  f.op(OP.i32_add)
  f.op(OP.i32_le_u)
  f.op(OP.i32_and)
  f.op(OP.select)
  f.op(OP.return)
}
