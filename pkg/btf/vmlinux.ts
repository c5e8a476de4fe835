// /sys/kernel/btf/vmlinux of the emulated kernel: structs as its memory lays them out, compiled from fixtures/vmlinux.
import { parseBtf, type Btf } from './btf.js'
import { VMLINUX_BTF } from './vmlinux-btf.js'

let bytes: Uint8Array | undefined
let btf: Btf | undefined

/** The raw bytes, as the file in sysfs has them. */
export function vmlinuxBytes(): Uint8Array {
  return (bytes ??= new Uint8Array(Buffer.from(VMLINUX_BTF, 'base64')))
}

/** Parsed at first use. */
export function vmlinuxBtf(): Btf {
  return (btf ??= parseBtf(vmlinuxBytes(), '/sys/kernel/btf/vmlinux'))
}
