// Capture files: four pcap magics, pcapng, damage, reading in bulk, writing and appending; and the committed captures.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { InputError } from '../../pkg/bytes/errors.js'
import { buildPacket, CaptureReader, CaptureWriter, FrameBatch, MIN_WINDOW, pcapHeader, readCapture } from '../../pkg/packet/index.js'
import { captures } from '../support/make-pcaps.js'
import { root } from '../support/root.js'

const dir = mkdtempSync(join(tmpdir(), 'capture-'))
t.teardown(() => rmSync(dir, { recursive: true }))

const FRAME = buildPacket({ len: 60 })
const MAGICS = { micro: 0xa1b2c3d4, nano: 0xa1b23c4d }

type Part = number[] | Uint8Array
const join8 = (...parts: Part[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]))

/** 32-bit words in one byte order, as bytes. */
const words = (little: boolean, ...values: number[]): number[] =>
  values.flatMap((value) => {
    const bytes = [value >>> 24, value >>> 16, value >>> 8, value].map((byte) => byte & 255)
    return little ? bytes.reverse() : bytes
  })

const header = (little: boolean, magic: number, snaplen = 65535, link = 1): number[] =>
  words(little, magic, little ? 0x00040002 : 0x00020004, 0, 0, snaplen, link)

const record = (little: boolean, seconds: number, fraction: number, frame: Uint8Array = FRAME, length = frame.length): Uint8Array =>
  join8(words(little, seconds, fraction, length, frame.length), frame)

t.test('pcap in both byte orders and both units', async (t) => {
  for (const little of [true, false]) {
    for (const [unit, magic] of Object.entries(MAGICS)) {
      const file = join8(header(little, magic), record(little, 1000, 999_999), record(little, 1001, 1), record(little, 1000, 0))
      const frames = readCapture(file)
      const scale = unit === 'micro' ? 1000 : 1
      t.same(frames.map(({ at }) => at), [0, 1e9 + (1 - 999_999) * scale, -999_999 * scale], `${unit} ${little ? 'little' : 'big'}`)
      t.ok(frames.every(({ bytes, original }) => original === 60 && Buffer.from(bytes).equals(Buffer.from(FRAME))))
    }
  }
})

t.test('pcap: what is cut short, too long, or something else', async (t) => {
  const head = header(true, MAGICS.micro)
  const one = record(true, 1, 0)
  const refused: [string, Uint8Array, string, number][] = [
    ['empty', join8(), 'x: truncated dump file; tried to read 4 file header bytes, only got 0', 0],
    ['short header', join8(head.slice(0, 10)), 'x: truncated dump file; tried to read 24 file header bytes, only got 10', 0],
    ['cut record', join8(head, one, one.subarray(0, 40)), 'x: truncated dump file; tried to read 60 captured bytes, only got 24 (offset 100)', 1],
    ['cut record header', join8(head, one, one.subarray(0, 7)), 'x: truncated dump file; tried to read 16 header bytes, only got 7 (offset 100)', 1],
    ['huge record', join8(head, one, record(true, 1, 0, FRAME, 0x10000000)), 'x: invalid packet capture length 268435456, bigger than snaplen of 65535 (record at offset 100)', 1],
    ['version', join8(words(true, MAGICS.micro, 0x00040003, 0, 0, 0, 1)), 'x: unsupported pcap savefile version 3.4', 0],
    ['link type', join8(header(true, MAGICS.micro, 65535, 113)), 'x: link type 113 is not Ethernet (1)', 0],
    ['text', Uint8Array.from(Buffer.from('hello world, no capture here')), 'x: unknown file format (neither pcap nor pcapng)', 0],
  ]
  for (const [title, file, message, before] of refused) {
    let frames = 0
    t.throws(() => {
      const reader = CaptureReader.of(file, 'x')
      const batch = new FrameBatch(new Uint8Array(MIN_WINDOW))
      while (reader.fill(batch) > 0) frames += batch.count
    }, { constructor: InputError, message }, title)
    t.equal(frames, before, 'the frames before it are given first')
  }
  t.equal(readCapture(join8(head)).length, 0, 'a capture of nothing')
  t.equal(readCapture(join8(header(true, MAGICS.micro, 32), one))[0]?.bytes.length, 32, 'a record longer than the snap length is cut to it')
})

const block = (little: boolean, type: number, body: Part): Uint8Array => {
  const padded = join8(body, new Array<number>((4 - (body.length % 4)) % 4).fill(0))
  const length = padded.length + 12
  return join8(words(little, type, length), padded, words(little, length))
}
const section = (little: boolean): Uint8Array => block(little, 0x0a0d0d0a, join8(words(little, 0x1a2b3c4d, little ? 1 : 0x10000), new Array<number>(8).fill(255)))
const short = (little: boolean, ...values: number[]): number[] => values.flatMap((v) => (little ? [v & 255, v >>> 8] : [v >>> 8, v & 255]))
const iface = (little: boolean, options: number[] = [], link = 1): Uint8Array => block(little, 1, join8(short(little, link, 0), words(little, 0), options))
const enhanced = (little: boolean, id: number, high: number, low: number, frame: Part = FRAME, captured = frame.length): Uint8Array =>
  block(little, 6, join8(words(little, id, high, low, captured, frame.length), frame))

t.test('pcapng: sections, interfaces, resolutions, three kinds of packet', async (t) => {
  for (const little of [true, false]) {
    const nano = [...short(little, 9, 1), 9, 0, 0, 0, ...short(little, 0, 0)]
    const binary = [...short(little, 9, 1), 0x80 | 10, 0, 0, 0]
    const file = join8(
      section(little), block(little, 5, [1, 2, 3]), iface(little), iface(little, nano), iface(little, binary),
      enhanced(little, 0, 0, 5_000_000), enhanced(little, 1, 1, 1_000_000_000 - 2 ** 32 + 5_000_000_000 - 1_000_000_000 + 7), enhanced(little, 2, 0, 5 * 1024 + 512),
      block(little, 3, join8(words(little, 60), FRAME)), block(little, 2, join8(short(little, 0, 0), words(little, 0, 6_000_000, 60, 60), FRAME)),
      section(!little), iface(!little), enhanced(!little, 0, 0, 5_000_001),
    )
    t.same(readCapture(file).map(({ at }) => at), [0, 7, 5e8, 5e8, 1e9, 1000], little ? 'little first' : 'big first')
    t.equal(CaptureReader.of(file).format, 'pcapng')
  }
})

t.test('pcapng: damage', async (t) => {
  const le = true
  const head = join8(section(le), iface(le))
  const whole = enhanced(le, 0, 0, 1)
  const wrongTrailer = join8(whole.subarray(0, -4), [1, 0, 0, 0])
  const refused: [Uint8Array, RegExp][] = [
    [join8(section(le), whole), /before any Interface Description Blocks \(block at offset 28\)/],
    [join8(head, whole.subarray(0, 50)), /truncated pcapng dump file; tried to read 84 bytes, only got 42 \(offset 48\)/],
    [join8(head, whole.subarray(0, 5)), /tried to read 8 bytes, only got 5/],
    [join8(head, wrongTrailer), /block total length in header and trailer don't match/],
    [join8(head, enhanced(le, 0, 0, 1, FRAME, 600)), /block of type 6 in pcapng dump file is too short/],
    [join8(head, words(le, 6, 13, 0)), /a length of 13 that is not a multiple of 4/],
    [join8(head, words(le, 6, 8, 0)), /a length of 8 < 12/],
    [join8(head, words(le, 6, 0x7ffffffc, 0)), /block size of 2147483644 > maximum/],
    [join8(head, enhanced(le, 7, 0, 1)), /interface 7, but there's no/],
    [join8(section(le), iface(le, [], 101), whole), /link type 101 is not Ethernet/],
    [join8(section(le), iface(le, [...short(le, 9, 1), 0x7f, 0, 0, 0]), whole), /resolution 0x7f is too fine/],
    [join8(section(le), iface(le, [...short(le, 2, 99)]), whole), /an option of an interface runs over its block/],
  ]
  for (const [file, message] of refused) t.throws(() => readCapture(file), { constructor: InputError, message })
})

t.test('whatever the damage, only an InputError comes out', async (t) => {
  const le = true
  const seeds = [
    join8(header(le, MAGICS.nano), record(le, 1, 0), record(le, 2, 0)),
    join8(section(le), iface(le, [...short(le, 9, 1), 6, 0, 0, 0]), enhanced(le, 0, 0, 1), block(le, 3, join8(words(le, 60), FRAME))),
  ]
  let state = 1
  const next = (n: number): number => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) % n
  let refused = 0
  for (let i = 0; i < 4000; i++) {
    const file = seeds[i % 2]!.slice(0, i % 5 === 0 ? next(seeds[i % 2]!.length) : undefined)
    for (let n = 0; n <= next(4) && file.length > 0; n++) file[next(Math.min(file.length, 160))] = next(3) === 0 ? 255 : next(256)
    try {
      readCapture(file)
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      refused += 1
    }
  }
  t.ok(refused > 1000, `${refused} refused`)
})

t.test('a large file comes in batches through a small window of shared memory', async (t) => {
  const path = join(dir, 'large.pcap')
  const writer = CaptureWriter.create(path)
  for (let i = 0; i < 20_000; i++) writer.write(FRAME.subarray(0, 14 + (i % 40)), i * 1000)
  writer.write(new Uint8Array(262_144).fill(7), 20_000_000)
  writer.close()
  const memory = new Uint8Array(new SharedArrayBuffer(1 << 20))
  const batch = new FrameBatch(memory, 4096, 4096 + MIN_WINDOW, 1000)
  const reader = CaptureReader.open(path)
  let frames = 0
  while (reader.fill(batch) > 0) {
    for (let i = 0; i < batch.count; i++, frames++) {
      const wanted = frames === 20_000 ? 262_144 : 14 + (frames % 40)
      if (batch.lengths[i] !== wanted || batch.times[i] !== frames * 1000 || batch.offsets[i]! < 4096) t.fail(`frame ${frames}`)
    }
  }
  reader.close()
  t.equal(frames, 20_001)
  t.equal(reader.start, 0n)
  t.equal(memory.subarray(0, 4096).every((byte) => byte === 0), true, 'nothing outside the window is written')
})

t.test('files are begun, continued and refused', async (t) => {
  const path = join(dir, 'out.pcap')
  const first = CaptureWriter.append(path)
  first.write(FRAME, 5)
  first.close()
  const second = CaptureWriter.append(path)
  second.write(FRAME, 3_000_000_007)
  second.close()
  t.same(readCapture(path).map(({ at }) => at), [0, 3_000_000_002])
  const other = join(dir, 'other.txt')
  writeFileSync(other, 'keep me')
  t.throws(() => CaptureWriter.append(other), { constructor: InputError, message: `${other}: is no pcap file with nanosecond times, nothing can be appended` })
  t.equal(readFileSync(other, 'utf8'), 'keep me')
  t.throws(() => CaptureReader.open(join(dir, 'none')), { constructor: InputError, message: `${join(dir, 'none')}: No such file or directory` })
  t.throws(() => readCapture(dir), { constructor: InputError, message: `${dir}: Is a directory` })
  t.throws(() => CaptureWriter.create(dir), { constructor: InputError, message: `${dir}: Is a directory` })
  const pipe = execFileSync(process.execPath, ['-e', `
    import(${JSON.stringify(new URL('../../pkg/packet/index.js', import.meta.url).href)})
      .then(({ readCapture }) => console.log(readCapture('-').length))`], { input: readFileSync(path), encoding: 'utf8' })
  t.equal(pipe.trim(), '2', 'from standard input')
})

t.test('the committed captures are what their source makes', async (t) => {
  for (const [name, make] of Object.entries(captures)) {
    const file = readFileSync(root('fixtures/pcap', name))
    t.ok(file.equals(make()), `fixtures/pcap/${name}`)
    t.ok(file.subarray(0, 24).equals(pcapHeader()))
  }
  const mixed = readCapture(root('fixtures/pcap/mixed.pcap'))
  t.equal(mixed.length, 60)
  t.same([Math.min(...mixed.map(({ bytes }) => bytes.length)), Math.max(...mixed.map(({ bytes }) => bytes.length))], [60, 1514])
  t.ok(mixed.every(({ at }, i) => i === 0 || at > mixed[i - 1]!.at), 'times ascend')
})
