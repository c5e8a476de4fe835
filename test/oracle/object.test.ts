// Objects and BTF against the real system: what bpftool asks of bpf(2) for an object is what loadObject asks for; its dumps of the
// running kernel's BTF are ours; and the emulated kernel's structs lie where the real ones do. UPDATE=1 records
// fixtures/obj-cases/*.requests.json anew.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import t from 'tap'
import { dumpC, dumpRaw, isComposite, parseBtf, vmlinuxBtf, type Btf, type BtfComposite } from '../../pkg/btf/index.js'
import { loadObject, openObject } from '../../pkg/object/index.js'
import { recorder } from '../object/recorder.js'
import { requestsOf, type Requests } from '../object/requests.js'
import { root } from '../support/root.js'

const VMLINUX = '/sys/kernel/btf/vmlinux'
const PINS = `/sys/fs/bpf/hookpoint-object-${process.pid}`
const scratch = mkdtempSync(join(tmpdir(), 'hookpoint-'))
const bpftool = (...words: string[]) => spawnSync('bpftool', words, { encoding: 'utf8', maxBuffer: 64 << 20 })
const usable = process.getuid?.() === 0 && existsSync(VMLINUX) && bpftool('version').status === 0
const skip = usable ? false : 'needs root, bpftool and a kernel with BTF'
const real = (): Btf => parseBtf(new Uint8Array(readFileSync(VMLINUX)), VMLINUX)

t.teardown(() => rmSync(scratch, { recursive: true, force: true }))

t.test('the running kernel\'s BTF dumps as bpftool dumps it', { skip }, t => {
  const btf = real()
  t.ok(dumpRaw(btf) === bpftool('btf', 'dump', 'file', VMLINUX).stdout, 'raw')
  t.ok(dumpC(btf) === bpftool('btf', 'dump', 'file', VMLINUX, 'format', 'c').stdout, 'c')
  t.end()
})

/** Name -> bit offset, bits and bytes of every member, anonymous ones followed. */
function members(btf: Btf, t: BtfComposite, start = 0, out = new Map<string, string>()): Map<string, string> {
  for (const m of t.members) {
    const inner = btf.resolve(m.type)
    if (m.name !== '' && !m.name.startsWith('__pad')) out.set(m.name, `${start + m.bitOffset} ${m.bitSize} ${btf.sizeof(m.type)}`)
    else if (m.name === '' && isComposite(inner)) members(btf, inner, start + m.bitOffset, out)
  }
  return out
}

t.test("the emulated kernel's structs lie where the running kernel's do", { skip: skip || kernelSkip() }, t => {
  const btf = real()
  for (const own of vmlinuxBtf().types.filter(isComposite)) {
    const theirs = own.name === '' ? undefined : btf.find(own.name, own.kind)
    if (!theirs || !isComposite(theirs)) continue
    const known = members(btf, theirs)
    const wrong = [...members(vmlinuxBtf(), own)].filter(([name, place]) => known.get(name) !== place).map(([name]) => name)
    t.same([own.size, wrong], [theirs.size, []], own.name)
  }
  t.end()
})

/** Only 6.18 is the model. */
function kernelSkip(): string | false {
  const release = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim()
  return release.startsWith('6.18') ? false : `the running kernel is ${release}`
}

type Call = Record<string, string | number> & { fd: number; op?: string }

function trace(file: string): { status: number; calls: Call[] } {
  const log = join(scratch, 'calls')
  rmSync(log, { force: true })
  const env = { PATH: process.env['PATH'], BPF_TRACE: log, LD_PRELOAD: join(scratch, 'bpf-trace.so') }
  spawnSync('mkdir', ['-p', PINS])
  const { status } = spawnSync('bpftool', ['prog', 'loadall', file, PINS], { env })
  spawnSync('rm', ['-r', PINS])
  const lines = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []
  return { status: status ?? -1, calls: lines.map(line => JSON.parse(line) as Call) }
}

/** Descriptors are used again once closed, so names are looked up at the time of the call. */
function asRequests(calls: readonly Call[], own: ReadonlySet<string>, btf: string | undefined): Requests {
  const out: Requests = { maps: [], progs: [], updates: [], frozen: [] }
  const names = new Map<number, string>()
  for (const { fd, op, ...call } of calls) {
    if (fd < 0) continue
    if (op === 'map' || op === 'prog') names.set(fd, String(call['name']))
    const map = names.get(Number(call['map'])) ?? ''
    if (op === 'map' && own.has(String(call['name']))) out.maps.push({ ...(call as unknown as Requests['maps'][0]), inner: names.get(Number(call['inner'])) ?? '' })
    if (op === 'prog' && own.has(String(call['name']))) out.progs.push({ ...(call as unknown as Requests['progs'][0]), ...symbols(String(call['insns']), names) })
    if (op === 'update' && own.has(map)) out.updates.push([map, String(call['key']), String(call['value'])])
    if (op === 'update' && own.has(map)) nameValue(out, names)
    if (op === 'freeze' && own.has(map)) out.frozen.push(map)
    if (op === 'btf' && call['bytes'] === btf && btf !== undefined) out.btf = btf
  }
  return out
}

/** Slots of maps of maps and of programs hold descriptors. */
function nameValue(out: Requests, names: ReadonlyMap<number, string>): void {
  const last = out.updates.at(-1)!
  const type = out.maps.findLast(m => m.name === last[0])?.type
  if (type === 3 || type === 12 || type === 13) last[2] = names.get(Buffer.from(last[2], 'hex').readUInt32LE(0)) ?? ''
}

function symbols(insns: string, names: ReadonlyMap<number, string>): { insns: string; refs: [number, string][] } {
  const bytes = Buffer.from(insns, 'hex')
  const refs: [number, string][] = []
  for (let at = 0; at < bytes.length; at += bytes[at] === 0x18 ? 16 : 8) {
    const source = bytes[at + 1]! >> 4
    if (bytes[at] !== 0x18 || (source !== 1 && source !== 2)) continue
    refs.push([at / 8, names.get(bytes.readInt32LE(at + 4)) ?? '?'])
    bytes.writeInt32LE(0, at + 4)
  }
  return { insns: bytes.toString('hex'), refs }
}

/** What bpftool and we do differently on purpose: zeros that we don't write, BTF of externs, and the dummy of a missing kfunc. */
function comparable(r: Requests): unknown {
  return { ...r, updates: r.updates.filter(u => !u[0].endsWith('bss')), btf: undefined }
}

const FOLDERS: [folder: string, pattern: RegExp][] = [['obj-cases', /^maps/], ['obj', /^(xdp_(?!pifo|kfunc)|tc_|socket_)/]]

t.test('objects ask for what bpftool asks for', { skip }, t => {
  const built = spawnSync('cc', ['-shared', '-fPIC', '-o', join(scratch, 'bpf-trace.so'), root('test/oracle/bpf-trace.c'), '-ldl'])
  if (built.status !== 0) return t.end()
  for (const [folder, pattern] of FOLDERS) {
    for (const file of readdirSync(root('fixtures', folder)).filter(f => f.endsWith('.o') && pattern.test(f))) {
      const path = root('fixtures', folder, file)
      const kernel = recorder()
      loadObject(openObject(new Uint8Array(readFileSync(path)), { file: path }), kernel, { vmlinux: real })
      const ours = requestsOf(kernel)
      const { status, calls } = trace(path)
      if (status !== 0) continue
      const theirs = asRequests(calls, new Set([...ours.maps, ...ours.progs].map(o => o.name)), ours.btf)
      t.same(comparable(ours), comparable(theirs), file)
      if (process.env['UPDATE'] !== '1' || folder !== 'obj-cases') continue
      const golden = { recorded: 'bpf(2) calls of bpftool prog loadall (test/oracle/object.test.ts)', ...theirs, updates: ours.updates }
      writeFileSync(root('fixtures', folder, `${basename(file, '.o')}.requests.json`), JSON.stringify(golden, null, 1) + '\n')
    }
  }
  t.end()
})
