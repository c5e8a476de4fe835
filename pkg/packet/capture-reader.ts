// Reads pcap and pcapng files in bulk: file bytes go straight into the batch's window, a scan over the headers says where frames lie.
// A damaged record is an InputError that names file and offset, after all frames before it were given (as tcpdump prints them first).
import { InputError } from '../bytes/errors.js'
import { fileSource, memorySource, type ByteSource } from './byte-source.js'
import { FrameBatch, MIN_WINDOW } from './frame-batch.js'
import { PCAP_HEADER, pcapScanner, type Scanner } from './pcap.js'
import { pcapngScanner } from './pcapng.js'

/** A capture of Ethernet frames, read batch by batch. */
export class CaptureReader {
  readonly name: string
  readonly #source: ByteSource
  readonly #scanner: Scanner
  #position: number
  #damage: InputError | undefined

  constructor(source: ByteSource) {
    this.name = source.name
    this.#source = source
    this.#scanner = scannerFor(source)
    this.#position = this.#scanner.headerSize
  }

  /** Opens a file, a pipe, or '-' for standard input. */
  static open(path: string): CaptureReader {
    const source = fileSource(path)
    try {
      return new CaptureReader(source)
    } catch (error) {
      source.close()
      throw error
    }
  }

  static of(bytes: Uint8Array, name = 'capture'): CaptureReader {
    return new CaptureReader(memorySource(bytes, name))
  }

  get format(): 'pcap' | 'pcapng' {
    return this.#scanner.format
  }

  /** ns since 1970 of the first frame; undefined before it was read. */
  get start(): bigint | undefined {
    return this.#scanner.start
  }

  /** Fills the batch anew: the number of frames, 0 at the end. The batch's window must have MIN_WINDOW bytes or hold the whole file. */
  fill(batch: FrameBatch): number {
    if (this.#damage !== undefined) throw this.#damage
    batch.count = 0
    while (batch.count === 0 && this.#position < this.#source.size) this.#fillOnce(batch)
    return batch.count
  }

  #fillOnce(batch: FrameBatch): void {
    const got = this.#source.read(batch.bytes, batch.from, batch.to - batch.from, this.#position)
    if (got === 0) throw new InputError(`${this.name}: became shorter while it was read`)
    const { consumed, cut } = this.#scan(batch, got)
    const atEnd = this.#position + got >= this.#source.size
    this.#position += consumed
    if (cut === undefined) return
    if (atEnd) this.#damaged(new InputError(`${this.name}: ${cut} (offset ${this.#position})`), batch)
    else if (consumed === 0) this.#skip(batch)
  }

  /** A scan that meets damage keeps the frames before it; the error comes with the next call. */
  #scan(batch: FrameBatch, got: number): { consumed: number; cut: string | undefined } {
    try {
      return this.#scanner.scan(batch, batch.from, batch.from + got, this.#position)
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      this.#damaged(error, batch)
      return { consumed: got, cut: undefined }
    }
  }

  #damaged(error: InputError, batch: FrameBatch): void {
    this.#damage = error
    if (batch.count === 0) throw error
  }

  /** A block larger than the window: jumped over when it holds no frame. */
  #skip(batch: FrameBatch): void {
    const { bytes } = batch
    const size = this.#scanner.skip(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), batch.from)
    if (size === 0) throw new InputError(`${this.name}: a record is larger than ${batch.to - batch.from} bytes (offset ${this.#position})`)
    this.#position += size
    if (this.#position > this.#source.size) throw new InputError(`${this.name}: truncated pcapng dump file (offset ${this.#source.size})`)
  }

  close(): void {
    this.#source.close()
  }
}

function scannerFor(source: ByteSource): Scanner {
  const head = new Uint8Array(PCAP_HEADER)
  const got = source.read(head, 0, PCAP_HEADER, 0)
  const scanner = pcapScanner(source.name, head.subarray(0, got)) ?? pcapngScanner(source.name, head.subarray(0, got))
  if (scanner !== undefined) return scanner
  if (got < 4) throw new InputError(`${source.name}: truncated dump file; tried to read 4 file header bytes, only got ${got}`)
  throw new InputError(`${source.name}: unknown file format (neither pcap nor pcapng)`)
}

/** A capture's frames as copies with their times: for small files, tests and the library. Refuses a damaged file whole. */
export function readCapture(from: string | Uint8Array, name?: string): { bytes: Uint8Array; at: number; original: number }[] {
  const reader = typeof from === 'string' ? CaptureReader.open(from) : CaptureReader.of(from, name)
  const batch = new FrameBatch(new Uint8Array(MIN_WINDOW))
  const frames: { bytes: Uint8Array; at: number; original: number }[] = []
  try {
    while (reader.fill(batch) > 0) {
      for (let i = 0; i < batch.count; i++) {
        frames.push({ bytes: batch.frame(i).slice(), at: batch.times[i]!, original: batch.originals[i]! })
      }
    }
  } finally {
    reader.close()
  }
  return frames
}
