// The bpftool command as a process.
import { bootFor } from '../lib/boot.js'
import { processIo } from '../lib/process-io.js'
import { run } from './index.js'

process.exitCode = run(process.argv.slice(2), processIo(bootFor('bpftool')))
