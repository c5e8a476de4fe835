// The Io of a real process: files, descriptors, environment.
import * as fs from 'node:fs'
import { resolve } from 'node:path'
import type { Access, Io } from '../../pkg/cli/io.js'
import type { Kernel } from '../../pkg/request/kernel.js'

/** What a shell reports for a command that died of SIGPIPE, as iproute2 does when `| head` has seen enough. */
const SIGPIPE_STATUS = 141

export function processIo(openKernel: (access: Access) => Kernel): Io {
  return {
    stdout: (text) => writeAll(1, text),
    stderr: (text) => writeAll(2, text),
    stdin: () => fs.readFileSync(0, 'utf8'),
    env: process.env,
    cwd: process.cwd(),
    // A getter: process.stdout loads Node's streams, 3 ms that only -c=auto asks for.
    get tty() {
      return process.stdout.isTTY === true
    },
    readFile: (path) => fs.readFileSync(resolve(path)),
    writeFile: (path, bytes) => fs.writeFileSync(resolve(path), bytes),
    openKernel,
  }
}

/** Synchronous, so that everything is out before the process ends; a full pipe is waited for. */
function writeAll(fd: number, text: string | Uint8Array): void {
  let rest = typeof text === 'string' ? Buffer.from(text) : text
  while (rest.length > 0) {
    try {
      rest = rest.subarray(fs.writeSync(fd, rest))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EPIPE') process.exit(SIGPIPE_STATUS)
      if (code !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    }
  }
}
