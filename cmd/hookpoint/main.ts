// The hookpoint command as a process.
import { realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { toolchain } from '../lib/lazy.js'
import { bootDirectory } from '../../pkg/kernel/boot.js'
import { exportMachine, hasMachine, importMachine } from '../../pkg/kernel/transfer.js'
import { removeState } from '../../pkg/state/reset.js'
import type { Json } from '../../pkg/state/store.js'
import { bootFor, stateDirectory } from '../lib/boot.js'
import { processIo } from '../lib/process-io.js'
import { run } from './index.js'
import { runProcess } from './process.js'

const dir = stateDirectory()
/** This file's launcher has the other commands beside it, in dist/bin of the package. */
const bin = dirname(realpathSync(process.argv[1] ?? ''))

void run(process.argv.slice(2), processIo(bootFor('hookpoint')), {
  dir, bin, home: join(bin, '..', '..'),
  hasMachine: () => hasMachine(dir),
  make: (options) => bootDirectory(dir, 'write', { toolchain, ...options }).close(),
  exportState: () => exportMachine(dir),
  importState: (json) => importMachine(dir, json as Json),
  reset: () => removeState(dir),
  run: runProcess,
}).then((status) => { process.exitCode = status })
