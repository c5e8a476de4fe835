// Records transcripts anew from the real tools: `unshare -mn node …/record.js FILE…`, as root on a machine with a BPF kernel. Makes a bpf file
// system and a network of its own first, so that nothing of the machine is seen or changed.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { splitWords } from '../../../pkg/cli/index.js'
import { root } from '../../support/root.js'
import { format, parse, Placeholders, write } from './transcript.js'

function ownMachine(): void {
  for (const command of ['umount /sys/fs/bpf', 'mount -t bpf bpf /sys/fs/bpf', 'ip link set lo up']) spawnSync('sh', ['-c', command])
}

function record(file: string): void {
  ownMachine()
  const holders = new Placeholders()
  const steps = parse(readFileSync(file, 'utf8')).map((step) => {
    const [name = '', ...words] = splitWords(step.command)
    const { stdout, stderr, status } = spawnSync(name, words, { cwd: root(), encoding: 'utf8' })
    return { ...step, output: holders.apply(format({ stdout, stderr, status: status ?? -1 })) }
  })
  writeFileSync(file, write(steps))
}

process.argv.slice(2).forEach(record)
