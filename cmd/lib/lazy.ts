// Parts of the house that most command lines don't need, loaded by those that do: reading half a megabyte of verifier, compiler and
// loader costs `tc qdisc show` a third of its time. The build turns these calls into lazily run parts of the one bundle.
import { createRequire } from 'node:module'
import type { Toolchain } from '../../pkg/kernel/toolchain.js'

const require = createRequire(import.meta.url)

export function toolchain(): Toolchain {
  return (require('../../pkg/kernel/tools.js') as typeof import('../../pkg/kernel/tools.js')).tools
}

/** libbpf's job. */
export function objects(): typeof import('../../pkg/object/index.js') {
  return require('../../pkg/object/index.js') as typeof import('../../pkg/object/index.js')
}
