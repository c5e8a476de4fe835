// Sections, symbols and relocations against llvm-readelf; and every way a file can be wrong, in one line each.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { InputError } from '../../pkg/bytes/errors.js'
import { openElf } from '../../pkg/elf/index.js'
import { root } from '../support/root.js'

interface Golden {
  sections: [string, number, number, number, number, number, number, number, number][]
  symbols: [string, number, number, number, number, number][]
  relocations: [number, number, number, string][]
}

const object = (name: string): Uint8Array => new Uint8Array(readFileSync(root('fixtures/obj-cases', `${name}.o`)))

for (const name of ['maps', 'legacy-old', 'core']) {
  t.test(`${name}.o reads as llvm-readelf reads it`, t => {
    const golden = JSON.parse(readFileSync(root('fixtures/obj-cases', `${name}.readelf.json`), 'utf8')) as Golden
    const elf = openElf(object(name), name)
    t.same(elf.sections.map(s => [s.name, s.type, Number(s.flags), s.size, s.link, s.info, s.align, s.entsize]),
      golden.sections.map(([n, type, flags, , size, link, info, align, entsize]) => [n, type, flags, size, link, info, align, entsize]))
    // readelf shows a section symbol under its section's name.
    t.same(elf.symbols.map(s => [s.type === 3 ? elf.sections[s.section]!.name : s.name, s.value, s.size, s.bind, s.type, s.section]), golden.symbols)
    const relocations = elf.sections.flatMap(target => elf.relocations(target)).map(r => [r.offset, r.type, r.symbol])
    t.equal(relocations.length, golden.relocations.length)
    const sorted = (rows: unknown[]): unknown[] => rows.map(r => JSON.stringify(r)).sort()
    t.same(sorted(elf.sections.filter(s => s.type === 9 || s.type === 4).flatMap(table =>
      elf.relocations(elf.sections[table.info]!).map(r => {
        const symbol = elf.symbols[r.symbol]!
        return [table.index, r.offset, r.type, symbol.type === 3 ? elf.sections[symbol.section]!.name : symbol.name]
      }))), sorted(golden.relocations))
    t.end()
  })
}

t.test('.bss has a size and no bytes', t => {
  const bss = openElf(object('maps'), 'maps').section('.bss')!
  t.same([bss.size, bss.data.length], [8, 0])
  t.end()
})

/** The object with bytes changed. */
function patched(change: (view: DataView, bytes: Uint8Array) => void): Uint8Array {
  const bytes = object('maps')
  change(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), bytes)
  return bytes
}

function header(view: DataView, index: number): number {
  return Number(view.getBigUint64(40, true)) + index * 64
}

const refusals: [title: string, bytes: Uint8Array, message: string | RegExp][] = [
  ['an empty file', new Uint8Array(), 'x.o: elf: file is empty'],
  ['text', new TextEncoder().encode('int main(void) { return 0; }\n'), 'x.o: elf: not an ELF file'],
  ['a cut header', object('maps').subarray(0, 40), 'x.o: elf: file header is truncated'],
  ['a 32-bit object', patched((_, b) => { b[4] = 1 }), 'x.o: elf: 32-bit object, BPF objects are 64-bit'],
  ['a big-endian object', patched((_, b) => { b[5] = 2 }),
    'x.o: elf: endianness mismatch: big-endian object, compile it with -target bpfel'],
  ['an x86 object', patched(v => v.setUint16(18, 62, true)),
    'x.o: elf: not a valid eBPF object file: machine 62, wanted 247 (compile with -target bpf)'],
  ['an executable', patched(v => v.setUint16(16, 2, true)), 'x.o: elf: not a valid eBPF object file: type 2, wanted 1 (relocatable)'],
  ['no section headers', patched(v => v.setUint16(60, 0, true)), /no section headers/],
  ['section headers beyond the end', patched(v => v.setBigUint64(40, 1n << 40n, true)), /section headers lie beyond the end/],
  ['a section beyond the end', patched(v => v.setBigUint64(header(v, 2) + 32, 1n << 33n, true)), /section 2: 8589934592 bytes at \d+ lie beyond/],
  ['a 64-bit offset', patched(v => v.setBigUint64(header(v, 2) + 24, 1n << 63n, true)), /section 2: offset 9223372036854775808 is out of range/],
  ['a huge .bss', patched(v => { for (let i = 1; i < 22; i++) if (v.getUint32(header(v, i) + 4, true) === 8) v.setBigUint64(header(v, i) + 32, 1n << 34n, true) }),
    /uninitialised data of more than/],
  ['section names elsewhere', patched(v => v.setUint16(62, 9999, true)), 'x.o: elf: section names: no section 9999'],
  ['a name outside of its table', patched(v => v.setUint32(header(v, 2), 1 << 30, true)), 'x.o: elf: section 2: name lies outside the string table'],
]
for (const [title, bytes, message] of refusals) {
  t.test(`refuses ${title}`, t => {
    t.throws(() => openElf(bytes, 'x.o'), { name: 'InputError', message })
    t.end()
  })
}

t.test('a small file of many sections with one endless name is refused before it becomes gigabytes', t => {
  const [count, strings] = [6000, 400_000]
  const bytes = new Uint8Array(64 + strings + count * 64).fill(0x61, 64, 64 + strings)
  const view = new DataView(bytes.buffer)
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  view.setUint16(16, 1, true)
  view.setUint16(18, 247, true)
  view.setBigUint64(40, BigInt(64 + strings), true)
  view.setUint16(58, 64, true)
  view.setUint16(60, count, true)
  view.setUint16(62, 1, true)
  view.setUint32(64 + strings + 64 + 4, 3, true)
  view.setBigUint64(64 + strings + 64 + 24, 64n, true)
  view.setBigUint64(64 + strings + 64 + 32, BigInt(strings), true)
  t.throws(() => openElf(bytes, 'bomb.o'), new InputError('bomb.o: elf: section 0: name does not end inside the string table'))
  bytes[64 + strings - 1] = 0
  t.throws(() => openElf(bytes, 'bomb.o'), new InputError('bomb.o: elf: section 0: name is longer than 4096 bytes'))
  t.end()
})
