// The bpftool command as a process.
import { bootFor } from '../lib/boot.js'
import { processIo } from '../lib/process-io.js'
import { run } from './index.js'

// Everything is written by now; taking the heap apart in order would take another millisecond.
process.exit(run(process.argv.slice(2), processIo(bootFor('bpftool'))))
