// Writes pcap files with ns times, buffered; appends to one that it made before, since each command is a process of its own.
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { InputError } from '../bytes/errors.js'
import { reported } from './byte-source.js'
import { PCAP_HEADER, PCAP_RECORD, pcapHeader, putPcapRecord } from './pcap.js'

const BUFFER = 256 * 1024

export class CaptureWriter {
  readonly path: string
  readonly #fd: number
  readonly #buffer = new Uint8Array(BUFFER)
  #used = 0

  private constructor(path: string, fd: number) {
    this.path = path
    this.#fd = fd
  }

  /** A new file, or an empty one instead of what was there. */
  static create(path: string): CaptureWriter {
    const writer = new CaptureWriter(path, reported(path, () => openSync(path, 'w')))
    writer.#put(pcapHeader())
    return writer
  }

  /** Goes on where a file of `create` ends; a missing or empty one is begun. Any other file is refused and left as it is. */
  static append(path: string): CaptureWriter {
    return reported(path, () => {
      const fd = openSync(path, 'a+')
      const writer = new CaptureWriter(path, fd)
      if (!fstatSync(fd).isFile() || fstatSync(fd).size === 0) writer.#put(pcapHeader())
      else if (!isOurs(fd)) {
        closeSync(fd)
        throw new InputError(`${path}: is no pcap file with nanosecond times, nothing can be appended`)
      }
      return writer
    })
  }

  /** One frame; `time` in ns. */
  write(frame: Uint8Array, time: number): void {
    if (PCAP_RECORD + frame.length > BUFFER - this.#used) this.flush()
    if (PCAP_RECORD + frame.length <= BUFFER) this.#used = putPcapRecord(this.#buffer, this.#used, frame, time)
    else {
      const record = new Uint8Array(PCAP_RECORD + frame.length)
      putPcapRecord(record, 0, frame, time)
      this.#writeAll(record)
    }
  }

  /** Bytes of the file once the buffer is written. */
  get length(): number {
    return fstatSync(this.#fd).size + this.#used
  }

  /** Cuts the file back to its first `length` bytes: what was written behind them does not count. */
  truncate(length: number): void {
    this.#used = 0
    reported(this.path, () => ftruncateSync(this.#fd, length))
  }

  flush(): void {
    this.#writeAll(this.#buffer.subarray(0, this.#used))
    this.#used = 0
  }

  close(): void {
    this.flush()
    closeSync(this.#fd)
  }

  #put(bytes: Uint8Array): void {
    this.#buffer.set(bytes, this.#used)
    this.#used += bytes.length
  }

  #writeAll(bytes: Uint8Array): void {
    reported(this.path, () => {
      for (let done = 0; done < bytes.length;) done += writeSync(this.#fd, bytes, done)
    })
  }
}

function isOurs(fd: number): boolean {
  const head = new Uint8Array(PCAP_HEADER)
  const got = readSync(fd, head, 0, PCAP_HEADER, 0)
  return got === PCAP_HEADER && pcapHeader().every((byte, i) => head[i] === byte)
}
