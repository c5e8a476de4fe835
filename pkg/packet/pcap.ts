// The pcap file format (draft-ietf-opsawg-pcap; libpcap sf-pcap.c): a 24-byte header whose magic tells byte order and unit of time,
// then records of 16 bytes and the frame. Refusals in libpcap's words, with the place.
import { InputError } from '../bytes/errors.js'
import { MAX_CAPTURE_LENGTH, type FrameBatch } from './frame-batch.js'

export const PCAP_HEADER = 24
export const PCAP_RECORD = 16
export const MAGIC_MICRO = 0xa1b2c3d4
export const MAGIC_NANO = 0xa1b23c4d
export const LINKTYPE_ETHERNET = 1

/** What a scan of a window found: bytes used up, and why it stopped when a record isn't whole. */
export interface Scan {
  consumed: number
  /** The record's first bytes are here, the rest isn't: what libpcap says when the file ends like this. */
  cut: string | undefined
}

export interface Scanner {
  readonly format: 'pcap' | 'pcapng'
  /** Bytes of the file before the first record or block. */
  readonly headerSize: number
  /** Absolute time of the first frame, once there was one. */
  start: bigint | undefined
  /** Puts the whole records of bytes[at, end) into the batch; `position` is at's place in the file, for refusals. */
  scan(batch: FrameBatch, at: number, end: number, position: number): Scan
  /** How far to jump over a block nobody needs, when it doesn't fit the window. */
  skip(view: DataView, at: number): number
}

/** A scanner for the file that begins with these bytes; undefined: another format. */
export function pcapScanner(name: string, head: Uint8Array): Scanner | undefined {
  const view = new DataView(head.buffer, head.byteOffset, head.length)
  const magic = head.length < 4 ? 0 : view.getUint32(0, true)
  const little = magic === MAGIC_MICRO || magic === MAGIC_NANO
  const found = little ? magic : swap(magic)
  if (found !== MAGIC_MICRO && found !== MAGIC_NANO) return undefined
  if (head.length < PCAP_HEADER) {
    throw new InputError(`${name}: truncated dump file; tried to read 24 file header bytes, only got ${head.length}`)
  }
  const major = view.getUint16(4, little)
  const minor = view.getUint16(6, little)
  if (major !== 2 || (minor !== 4 && minor !== 3)) throw new InputError(`${name}: unsupported pcap savefile version ${major}.${minor}`)
  requireEthernet(name, view.getUint32(20, little) & 0x0fffffff)
  return new PcapScanner(name, little, found === MAGIC_NANO ? 1 : 1000, view.getUint32(16, little))
}

class PcapScanner implements Scanner {
  readonly format = 'pcap'
  readonly headerSize = PCAP_HEADER
  start: bigint | undefined
  readonly #name: string
  readonly #little: boolean
  /** ns per unit of a record's fraction. */
  readonly #unit: number
  readonly #snaplen: number
  #seconds = 0
  #fraction = 0

  constructor(name: string, little: boolean, unit: number, snaplen: number) {
    this.#name = name
    this.#little = little
    this.#unit = unit
    this.#snaplen = snaplen === 0 || snaplen > MAX_CAPTURE_LENGTH ? MAX_CAPTURE_LENGTH : snaplen
  }

  scan(batch: FrameBatch, from: number, end: number, position: number): Scan {
    const { bytes, offsets, lengths, originals, times, capacity } = batch
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const little = this.#little
    const unit = this.#unit
    const snaplen = this.#snaplen
    if (this.start === undefined && end - from >= PCAP_RECORD) this.#begin(view.getUint32(from, little), view.getUint32(from + 4, little) * unit)
    const seconds = this.#seconds
    const fraction = this.#fraction
    let at = from
    let n = 0
    // One turn a frame, and it is what reading a capture costs: no calls but the view's, no fields of this.
    while (at < end && n < capacity) {
      if (end - at < PCAP_RECORD) break
      const length = view.getUint32(at + 8, little)
      if (length > end - at - PCAP_RECORD || length > MAX_CAPTURE_LENGTH) break
      offsets[n] = at + PCAP_RECORD
      lengths[n] = length > snaplen ? snaplen : length
      originals[n] = view.getInt32(at + 12, little)
      times[n] = ((view.getInt32(at, little) - seconds) | 0) * 1e9 + (view.getUint32(at + 4, little) * unit - fraction)
      n += 1
      at += PCAP_RECORD + length
    }
    batch.count = n
    const cut = at < end && n < capacity ? this.#whyNot(view, at, end, n, position + at - from) : undefined
    return { consumed: at - from, cut }
  }

  /** Why the record at `at` isn't a frame: its end lies outside, or (once all frames before it were given) it is damaged. */
  #whyNot(view: DataView, at: number, end: number, before: number, position: number): string | undefined {
    if (end - at < PCAP_RECORD) return `truncated dump file; tried to read 16 header bytes, only got ${end - at}`
    const length = view.getUint32(at + 8, this.#little)
    if (length <= MAX_CAPTURE_LENGTH) {
      return `truncated dump file; tried to read ${length} captured bytes, only got ${end - at - PCAP_RECORD}`
    }
    if (before > 0) return undefined
    throw this.#damaged(`invalid packet capture length ${length}, bigger than snaplen of ${this.#snaplen}`, position)
  }

  skip(): number {
    return 0 // every record is a frame
  }

  #begin(seconds: number, fraction: number): void {
    this.#seconds = seconds
    this.#fraction = fraction
    this.start = BigInt(seconds) * 1_000_000_000n + BigInt(fraction)
  }

  #damaged(why: string, position: number): InputError {
    return new InputError(`${this.#name}: ${why} (record at offset ${position})`)
  }
}

export function requireEthernet(name: string, linkType: number): void {
  if (linkType !== LINKTYPE_ETHERNET) throw new InputError(`${name}: link type ${linkType} is not Ethernet (${LINKTYPE_ETHERNET})`)
}

function swap(word: number): number {
  return (((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0
}

/** The head of a new file: Ethernet, little-endian, times in ns unless `micro`. */
export function pcapHeader(options: { micro?: boolean; snaplen?: number } = {}): Uint8Array {
  const head = new Uint8Array(PCAP_HEADER)
  const view = new DataView(head.buffer)
  view.setUint32(0, options.micro === true ? MAGIC_MICRO : MAGIC_NANO, true)
  view.setUint16(4, 2, true)
  view.setUint16(6, 4, true)
  view.setUint32(16, options.snaplen ?? MAX_CAPTURE_LENGTH, true)
  view.setUint32(20, LINKTYPE_ETHERNET, true)
  return head
}

/** Writes one record of a ns file at out[at]: the place behind it. `time` is ns since 1970, or since the machine's clock began. */
export function putPcapRecord(out: Uint8Array, at: number, frame: Uint8Array, time: number): number {
  const view = new DataView(out.buffer, out.byteOffset, out.length)
  const seconds = Math.floor(time / 1e9)
  view.setUint32(at, seconds, true)
  view.setUint32(at + 4, time - seconds * 1e9, true)
  view.setUint32(at + 8, frame.length, true)
  view.setUint32(at + 12, frame.length, true)
  out.set(frame, at + PCAP_RECORD)
  return at + PCAP_RECORD + frame.length
}
