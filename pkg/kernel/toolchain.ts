// What only loading and running programs needs: verifier, engines, helpers, BTF. Handed in by whoever boots the machine, so that
// commands that list and set things don't even read this part of the code.
import type { Btf } from '../btf/index.js'
import type { BtfValue } from '../btf/print-value.js'
import type { HelperEnv } from '../helper/env.js'
import type { ValueField } from '../map/types.js'
import type { NewMap } from '../map/check.js'
import type { Engine, HelperImpl } from '../prog/engine.js'
import type { VerifyInput, VerifyResult } from '../verifier/input.js'

export interface Toolchain {
  readonly interp: Engine
  readonly jit: Engine
  verify(input: VerifyInput): VerifyResult
  readValue(btf: Btf, id: number, bytes: Uint8Array, plain: boolean): BtfValue
  parseBtf(bytes: Uint8Array, file: string): Btf
  /** BTF of the emulated kernel. */
  vmlinuxBtf(): Btf
  vmlinuxBytes(): Uint8Array
  checkMapBtf(attr: NewMap, btf: Btf): readonly ValueField[]
  /** Parts of a type's values that the kernel owns. */
  valueFields(btf: Btf, id: number): readonly ValueField[]
  helperImpls(env: HelperEnv): (id: number) => HelperImpl | undefined
  /** Kernel functions by name. */
  kfuncImpls(env: HelperEnv): (name: string) => HelperImpl | undefined
  /** Why this machine lacks a helper that Linux has, undefined: it has it. */
  refusal(id: number, impls: (id: number) => HelperImpl | undefined): string | undefined
  /** 'bpf_map_lookup_elem' for 1. */
  helperText(id: number): string
}
