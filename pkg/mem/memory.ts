// The one linear memory of a process: packets, contexts, stacks, map pages, program-allocated objects and the emulated kernel's
// structs. A BPF pointer is an offset into it, zero-extended to 64 bits. Two GiB: every pointer is a non-negative int32.

/** 2 GiB in pages of 64 KiB, reserved and not touched: creation costs microseconds (a shared memory commits on first write). */
const WASM_PAGES = 32768
const SMALLER = [WASM_PAGES, 16384, 8192, 4096]

export interface Memory {
  readonly wasm: WebAssembly.Memory
  readonly size: number
  readonly u8: Uint8Array
  readonly u16: Uint16Array
  readonly i32: Int32Array
  readonly u32: Uint32Array
  readonly view: DataView
}

/** A fresh zeroed memory, the largest of 2 GiB … 256 MiB that the host lets us reserve. It never grows, so views stay valid. */
export function createMemory(): Memory {
  let failure: unknown
  for (const pages of SMALLER) {
    try {
      return over(new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }))
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

function over(wasm: WebAssembly.Memory): Memory {
  const { buffer } = wasm
  return {
    wasm,
    size: buffer.byteLength,
    u8: new Uint8Array(buffer),
    u16: new Uint16Array(buffer),
    i32: new Int32Array(buffer),
    u32: new Uint32Array(buffer),
    view: new DataView(buffer),
  }
}
