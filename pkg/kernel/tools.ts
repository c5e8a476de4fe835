// The toolchain itself. Imported by the library; the commands load it when a program comes up (cmd/lib/lazy.ts).
import { parseBtf, vmlinuxBtf, vmlinuxBytes } from '../btf/index.js'
import { readValue } from '../btf/print-value.js'
import { helperImpls, refusal } from '../helper/impl.js'
import { kfuncImpls } from '../helper/impl-kfunc.js'
import { helperText } from '../helper/protos.js'
import { interp } from '../interp/index.js'
import { jit } from '../jit/index.js'
import { checkMapBtf, valueFields } from '../map/btf.js'
import { verify } from '../verifier/index.js'
import type { Toolchain } from './toolchain.js'

export const tools: Toolchain = {
  interp, jit, verify, parseBtf, readValue, vmlinuxBtf, vmlinuxBytes, checkMapBtf, valueFields, helperImpls, kfuncImpls, refusal, helperText,
}
