// The file header and the section headers, read raw and checked before elfy sees the file: elfy multiplies unterminated
// names into gigabytes, shortens sections beyond the end in silence, and reads some fields at wrong offsets.
import { InputError } from '../bytes/errors.js'
import { printable } from '../bytes/printable.js'
import { EM, ET_REL, LIMIT, SHN, SHT } from './uapi.js'

/** One Elf64_Shdr, all fields as the file has them. */
export interface SectionHeader {
  readonly nameOffset: number
  readonly type: number
  readonly flags: bigint
  readonly offset: number
  readonly size: number
  readonly link: number
  readonly info: number
  readonly align: number
  readonly entsize: number
}

const EHDR_SIZE = 64
const SHDR_SIZE = 64

/** Every refusal of this package: one line with the file first. */
export function elfError(file: string, reason: string): InputError {
  return new InputError(`${file}: elf: ${printable(reason)}`)
}

/** The section headers of a relocatable little-endian ELF64 file for BPF; InputError for anything else. */
export function readHeaders(bytes: Uint8Array, file: string): SectionHeader[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  checkIdent(bytes, file)
  checkKind(view, file)
  const headers = readTable(view, file)
  headers.forEach((h, i) => checkInside(h, i, bytes.length, file))
  checkNobits(headers, file)
  checkNames(bytes, headers, view.getUint16(62, true), file)
  return headers
}

function checkIdent(bytes: Uint8Array, file: string): void {
  if (bytes.length === 0) throw elfError(file, 'file is empty')
  const magic = [0x7f, 0x45, 0x4c, 0x46]
  if (bytes.length < 16 || magic.some((byte, i) => bytes[i] !== byte)) throw elfError(file, 'not an ELF file')
  if (bytes[4] === 1) throw elfError(file, '32-bit object, BPF objects are 64-bit')
  if (bytes[4] !== 2) throw elfError(file, `invalid class ${bytes[4]}`)
  if (bytes[5] === 2) throw elfError(file, 'endianness mismatch: big-endian object, compile it with -target bpfel')
  if (bytes[5] !== 1) throw elfError(file, `invalid byte order ${bytes[5]}`)
  if (bytes.length < EHDR_SIZE) throw elfError(file, 'file header is truncated')
}

function checkKind(view: DataView, file: string): void {
  const [type, machine] = [view.getUint16(16, true), view.getUint16(18, true)]
  if (machine !== EM.BPF && machine !== EM.NONE) {
    throw elfError(file, `not a valid eBPF object file: machine ${machine}, wanted ${EM.BPF} (compile with -target bpf)`)
  }
  if (type !== ET_REL) throw elfError(file, `not a valid eBPF object file: type ${type}, wanted ${ET_REL} (relocatable)`)
  if (view.getUint16(56, true) !== 0) throw elfError(file, 'program headers in a relocatable object')
}

function readTable(view: DataView, file: string): SectionHeader[] {
  const at = view.getBigUint64(40, true)
  const [size, count] = [view.getUint16(58, true), view.getUint16(60, true)]
  if (at === 0n) throw elfError(file, 'no section headers')
  if (count === 0) throw elfError(file, 'no section headers, or more than 65279 sections, which is not supported')
  if (count > LIMIT.SECTIONS) throw elfError(file, `${count} sections, at most ${LIMIT.SECTIONS} are supported`)
  if (size !== SHDR_SIZE) throw elfError(file, `section header size ${size}, wanted ${SHDR_SIZE}`)
  if (at + BigInt(count * size) > BigInt(view.byteLength)) throw elfError(file, 'section headers lie beyond the end of the file')
  return Array.from({ length: count }, (_, i) => readHeader(view, Number(at) + i * size, i, file))
}

function readHeader(view: DataView, at: number, index: number, file: string): SectionHeader {
  const u64 = (offset: number, what: string): number => {
    const value = view.getBigUint64(at + offset, true)
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw elfError(file, `section ${index}: ${what} ${value} is out of range`)
    return Number(value)
  }
  return {
    nameOffset: view.getUint32(at, true),
    type: view.getUint32(at + 4, true),
    flags: view.getBigUint64(at + 8, true),
    offset: u64(24, 'offset'),
    size: u64(32, 'size'),
    link: view.getUint32(at + 40, true),
    info: view.getUint32(at + 44, true),
    align: u64(48, 'alignment'),
    entsize: u64(56, 'entry size'),
  }
}

function checkInside(h: SectionHeader, index: number, fileSize: number, file: string): void {
  if (h.type === SHT.NULL || h.type === SHT.NOBITS) return
  if (h.offset + h.size > fileSize) {
    throw elfError(file, `section ${index}: ${h.size} bytes at ${h.offset} lie beyond the end of the file (${fileSize} bytes)`)
  }
}

function checkNobits(headers: readonly SectionHeader[], file: string): void {
  let total = 0
  headers.forEach((h, i) => {
    if (h.type === SHT.NOBITS) total += h.size
    if (total > LIMIT.NOBITS) throw elfError(file, `section ${i}: uninitialised data of more than ${LIMIT.NOBITS} bytes`)
  })
}

function checkNames(bytes: Uint8Array, headers: readonly SectionHeader[], shstrndx: number, file: string): void {
  if (shstrndx === SHN.UNDEF || shstrndx >= headers.length) throw elfError(file, `section names: no section ${shstrndx}`)
  const table = headers[shstrndx]!
  if (table.type !== SHT.STRTAB) throw elfError(file, `section names: section ${shstrndx} is not a string table`)
  const names = bytes.subarray(table.offset, table.offset + table.size)
  let total = 0
  headers.forEach((h, i) => {
    total += nameLength(names, h.nameOffset, `section ${i}: name`, file)
    if (total > LIMIT.NAMES) throw elfError(file, `section names are longer than ${LIMIT.NAMES} bytes together`)
  })
}

/** Length of a NUL-terminated name inside a string table, without its NUL. */
export function nameLength(table: Uint8Array, offset: number, whose: string, file: string): number {
  if (offset === 0 && table.length === 0) return 0
  if (offset >= table.length) throw elfError(file, `${whose} lies outside the string table`)
  const end = table.indexOf(0, offset)
  if (end < 0) throw elfError(file, `${whose} does not end inside the string table`)
  if (end - offset > LIMIT.NAME) throw elfError(file, `${whose} is longer than ${LIMIT.NAME} bytes`)
  return end - offset
}
