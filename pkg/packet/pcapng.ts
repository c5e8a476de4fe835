// The pcapng file format (draft-ietf-opsawg-pcapng; libpcap sf-pcapng.c): blocks of { type, length, body, length again }. Read are section
// headers, interface descriptions and the three kinds of packet block; all others are jumped over.
import { InputError } from '../bytes/errors.js'
import { MAX_CAPTURE_LENGTH, type FrameBatch } from './frame-batch.js'
import { requireEthernet, type Scan, type Scanner } from './pcap.js'

const SECTION_HEADER = 0x0a0d0d0a
const INTERFACE = 1
const PACKET = 2
const SIMPLE_PACKET = 3
const ENHANCED_PACKET = 6

const BYTE_ORDER = 0x1a2b3c4d
const OPT_END = 0
const IF_TSRESOL = 9
const IF_TSOFFSET = 14
/** libpcap's limit for one block, and ours for the interfaces of a section. */
const MAX_BLOCK = 16 * 1024 * 1024
const MAX_INTERFACES = 65536
/** A packet block's own words around the frame, at most; options are extra. */
const HEADER = 12

interface Interface {
  linkType: number
  snaplen: number
  /** Ticks per second and the offset in seconds. */
  ticks: bigint
  offset: bigint
}

export function pcapngScanner(name: string, head: Uint8Array): Scanner | undefined {
  const view = new DataView(head.buffer, head.byteOffset, head.length)
  if (head.length < 4 || view.getUint32(0, true) !== SECTION_HEADER) return undefined
  return new PcapngScanner(name)
}

class PcapngScanner implements Scanner {
  readonly format = 'pcapng'
  readonly headerSize = 0
  start: bigint | undefined
  readonly #name: string
  #little = true
  #interfaces: Interface[] = []
  #lastTime = 0

  constructor(name: string) {
    this.#name = name
  }

  scan(batch: FrameBatch, from: number, end: number, position: number): Scan {
    const view = new DataView(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.length)
    let at = from
    while (at < end && batch.count < batch.capacity) {
      const place = position + at - from
      if (end - at < 8) return { consumed: at - from, cut: truncated(8, end - at) }
      if (view.getUint32(at, true) === SECTION_HEADER) {
        if (end - at < HEADER) return { consumed: at - from, cut: truncated(HEADER, end - at) }
        this.#beginSection(view, at, place)
      }
      const length = this.#lengthOf(view, at, place)
      if (end - at < length) return { consumed: at - from, cut: truncated(length - 8, end - at - 8) }
      if (view.getUint32(at + length - 4, this.#little) !== length) throw this.#damaged("block total length in header and trailer don't match", place)
      this.#block(batch, view, at, length, place)
      at += length
    }
    return { consumed: at - from, cut: undefined }
  }

  /** Only packets and descriptions have to fit the window. */
  skip(view: DataView, at: number): number {
    const type = view.getUint32(at, this.#little)
    const needed = type === SECTION_HEADER || type === INTERFACE || type === PACKET || type === SIMPLE_PACKET || type === ENHANCED_PACKET
    return needed ? 0 : view.getUint32(at + 4, this.#little)
  }

  #beginSection(view: DataView, at: number, place: number): void {
    const order = view.getUint32(at + 8, true)
    if (order !== BYTE_ORDER && view.getUint32(at + 8, false) !== BYTE_ORDER) throw this.#damaged('unknown byte order of a section', place)
    this.#little = order === BYTE_ORDER
    this.#interfaces = []
  }

  #lengthOf(view: DataView, at: number, place: number): number {
    const length = view.getUint32(at + 4, this.#little)
    if (length < HEADER) throw this.#damaged(`block in pcapng dump file has a length of ${length} < ${HEADER}`, place)
    if (length % 4 !== 0) throw this.#damaged(`block in pcapng dump file has a length of ${length} that is not a multiple of 4`, place)
    if (length > MAX_BLOCK) throw this.#damaged(`pcapng block size of ${length} > maximum ${MAX_BLOCK}`, place)
    return length
  }

  #block(batch: FrameBatch, view: DataView, at: number, length: number, place: number): void {
    const little = this.#little
    const type = view.getUint32(at, little)
    const body = at + 8
    const size = length - HEADER
    if (type === SECTION_HEADER) return this.#section(view, body, size, place)
    if (type === INTERFACE) return this.#interface(view, body, size, place)
    if (type === SIMPLE_PACKET) return this.#simple(batch, view, body, size, place)
    if (type !== ENHANCED_PACKET && type !== PACKET) return
    if (size < 20) throw this.#tooShort(type, place)
    const id = type === ENHANCED_PACKET ? view.getUint32(body, little) : view.getUint16(body, little)
    const face = this.#face(id, place)
    const captured = view.getUint32(body + 12, little)
    if (captured > size - 20) throw this.#tooShort(type, place)
    const ticks = (BigInt(view.getUint32(body + 4, little)) << 32n) | BigInt(view.getUint32(body + 8, little))
    this.#put(batch, body + 20, captured, view.getUint32(body + 16, little), this.#time(face, ticks), place)
  }

  #section(view: DataView, body: number, size: number, place: number): void {
    if (size < 16) throw this.#tooShort(SECTION_HEADER, place)
    const major = view.getUint16(body + 4, this.#little)
    if (major !== 1) throw this.#damaged(`unsupported pcapng savefile version ${major}.${view.getUint16(body + 6, this.#little)}`, place)
  }

  #interface(view: DataView, body: number, size: number, place: number): void {
    if (size < 8) throw this.#tooShort(INTERFACE, place)
    if (this.#interfaces.length === MAX_INTERFACES) throw this.#damaged(`more than ${MAX_INTERFACES} interfaces`, place)
    const face: Interface = {
      linkType: view.getUint16(body, this.#little), snaplen: view.getUint32(body + 4, this.#little), ticks: 1_000_000n, offset: 0n,
    }
    this.#options(view, body + 8, body + size, face, place)
    this.#interfaces.push(face)
  }

  #options(view: DataView, from: number, end: number, face: Interface, place: number): void {
    let at = from
    while (end - at >= 4) {
      const code = view.getUint16(at, this.#little)
      const length = view.getUint16(at + 2, this.#little)
      if (code === OPT_END) return
      if (length > end - at - 4) throw this.#damaged('an option of an interface runs over its block', place)
      if (code === IF_TSRESOL && length === 1) face.ticks = this.#resolution(view.getUint8(at + 4), place)
      if (code === IF_TSOFFSET && length === 8) face.offset = view.getBigInt64(at + 4, this.#little)
      at += 4 + ((length + 3) & ~3)
    }
  }

  /** Ticks per second: a power of ten, or of two with the top bit set. */
  #resolution(value: number, place: number): bigint {
    const power = value & 0x7f
    if (power > (value & 0x80 ? 63 : 19)) throw this.#damaged(`time stamp resolution 0x${value.toString(16)} is too fine`, place)
    return (value & 0x80 ? 2n : 10n) ** BigInt(power)
  }

  /** A frame without time or interface: interface 0, the time of the one before it. */
  #simple(batch: FrameBatch, view: DataView, body: number, size: number, place: number): void {
    if (size < 4) throw this.#tooShort(SIMPLE_PACKET, place)
    const face = this.#face(0, place)
    const original = view.getUint32(body, this.#little)
    const captured = Math.min(original, face.snaplen === 0 ? original : face.snaplen)
    if (captured > size - 4) throw this.#tooShort(SIMPLE_PACKET, place)
    this.start ??= 0n
    this.#put(batch, body + 4, captured, original, this.#lastTime, place)
  }

  #face(id: number, place: number): Interface {
    if (this.#interfaces.length === 0) throw this.#damaged('the capture file has a packet block before any Interface Description Blocks', place)
    const face = this.#interfaces[id]
    if (face === undefined) throw this.#damaged(`a packet arrived on interface ${id}, but there's no Interface Description Block for that interface`, place)
    requireEthernet(this.#name, face.linkType)
    return face
  }

  #time(face: Interface, ticks: bigint): number {
    const seconds = ticks / face.ticks + face.offset
    const time = seconds * 1_000_000_000n + ((ticks % face.ticks) * 1_000_000_000n) / face.ticks
    this.start ??= time
    return Number(time - this.start)
  }

  #put(batch: FrameBatch, at: number, captured: number, original: number, time: number, place: number): void {
    if (captured > MAX_CAPTURE_LENGTH) throw this.#damaged(`invalid packet capture length ${captured}, bigger than maximum of ${MAX_CAPTURE_LENGTH}`, place)
    const n = batch.count
    batch.offsets[n] = at
    batch.lengths[n] = captured
    batch.originals[n] = original
    batch.times[n] = time
    this.#lastTime = time
    batch.count = n + 1
  }

  #tooShort(type: number, place: number): InputError {
    return this.#damaged(`block of type ${type} in pcapng dump file is too short`, place)
  }

  #damaged(why: string, place: number): InputError {
    return new InputError(`${this.#name}: ${why} (block at offset ${place})`)
  }
}

const truncated = (wanted: number, got: number): string => `truncated pcapng dump file; tried to read ${wanted} bytes, only got ${got}`
