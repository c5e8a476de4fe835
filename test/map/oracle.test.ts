// Creation and operations of every kind against the recorded answers of Linux 6.18 (test/oracle/maps.py asks it).
import { readFileSync } from 'node:fs'
import t from 'tap'
import { KernelError } from '../../pkg/bytes/errors.js'
import { parseBtf } from '../../pkg/btf/btf.js'
import { checkMapBtf, valueFields } from '../../pkg/map/btf.js'
import { MAP_KINDS } from '../../pkg/map/kinds.js'
import { ATTACH_TYPE, MAP_TYPE, PROG_TYPE } from '../../pkg/uapi/bpf.js'
import { EINVAL } from '../../pkg/uapi/errno.js'
import { root } from '../support/root.js'
import { TestHost, type NewTestMap } from './host.js'
import { Sitting, type Step } from './sitting.js'

function read<T>(name: string): T {
  return JSON.parse(readFileSync(root('fixtures/map', name), 'utf8')) as T
}

function errnoOf(act: () => unknown): number {
  try {
    act()
    return 0
  } catch (error) {
    if (error instanceof KernelError) return error.errno
    throw error
  }
}

type Shape = [type: number, key: number, value: number, entries: number, flags: number, extra: number]

function wanted([type, key, value, entries, flags, extra]: Shape): NewTestMap {
  return { type, key, value, entries, flags, extra }
}

t.test('creation', async (t) => {
  const known = new Set(MAP_KINDS.map((kind) => kind.type))
  const wrong: Record<number, string[]> = {}
  let asked = 0
  const host = new TestHost()
  const inner = host.create({ type: MAP_TYPE.ARRAY, key: 4, value: 8, entries: 4 }).attr.id
  for (const row of read<[...Shape, number][]>('create.json')) {
    const shape = row.slice(0, 6) as Shape
    const [type] = shape
    const outer = type === MAP_TYPE.ARRAY_OF_MAPS || type === MAP_TYPE.HASH_OF_MAPS
    const got = errnoOf(() => host.attr({ ...wanted(shape), ...(outer && { inner }) }))
    asked += 1
    if (beyond(shape)) t.not(got, 0, `${JSON.stringify(row)} is more than the machine has`)
    else if (got !== row[6]) (wrong[type] ??= []).push(`${JSON.stringify(row)} gave ${got}`)
  }
  t.ok(known.size > 0 && asked > 1800)
  t.same(wrong, {})
})

/** Known gaps: keys of a MiB, and maps that would take the whole 2 GiB. */
function beyond([type, key, value, entries]: Shape): boolean {
  const hash = type === MAP_TYPE.HASH || type === MAP_TYPE.PERCPU_HASH || type === MAP_TYPE.LRU_HASH || type === MAP_TYPE.LRU_PERCPU_HASH || type === MAP_TYPE.HASH_OF_MAPS
  return (hash && key >= 1 << 20) || (type === MAP_TYPE.ARRAY && value === 0x7fffffff) || (type === MAP_TYPE.RINGBUF && entries === 2 ** 31)
}

t.test('creation with BTF', async (t) => {
  type Row = [type: number, key: number, value: number, entries: number, flags: number, keyType: number, valueType: number, errno: number]
  interface Recorded { btf: string; maps: Row[] }
  const recorded = JSON.parse(readFileSync(root('fixtures/map/btf.json'), 'utf8')) as Recorded
  const btf = parseBtf(Uint8Array.from(Buffer.from(recorded.btf, 'hex')), 'fixture')
  const host = new TestHost()
  const inner = host.create({ type: MAP_TYPE.ARRAY, key: 4, value: 8, entries: 4 }).attr.id
  const wrong = recorded.maps.filter(([type, key, value, entries, flags, btfKeyTypeId, btfValueTypeId, errno]) => {
    const ask = (): void => {
      const attr = host.attr({ type, key, value, entries, flags, inner } as NewTestMap)
      if (btfValueTypeId !== 0) checkMapBtf({ ...attr, btfKeyTypeId, btfValueTypeId }, btf)
      else if (btfKeyTypeId !== 0) throw new KernelError(EINVAL)
    }
    return errnoOf(ask) !== errno
  })
  t.same(wrong, [])
  t.same(valueFields(btf, 13), [{ kind: 'spin_lock', offset: 0, size: 4 }, { kind: 'timer', offset: 8, size: 16 }])
  t.same(valueFields(btf, 20), [{ kind: 'spin_lock', offset: 8, size: 4 }])
})

t.test('operations', async (t) => {
  for (const { title, map, steps } of read<{ title: string; map: Shape; steps: Step[] }[]>('ops.json')) {
    const host = new TestHost()
    const progs = [PROG_TYPE.SCHED_CLS, PROG_TYPE.XDP, PROG_TYPE.XDP, PROG_TYPE.XDP]
    const attach = [0, 0, ATTACH_TYPE.XDP_DEVMAP, ATTACH_TYPE.XDP_CPUMAP]
    progs.forEach((type, i) => host.progs.set(i + 201, { type, attach: attach[i]! }))
    const ids: Record<string, number> = { $cls: 201, $xdp: 202, $dev: 203, $cpu: 204, $none: 9999 }
    for (const name of ['$inner', '$other', '$wrong']) {
      ids[name] = host.create({ type: MAP_TYPE.ARRAY, key: 4, value: name === '$wrong' ? 16 : 8, entries: 4 }).attr.id
    }
    const outer = map[0] === MAP_TYPE.ARRAY_OF_MAPS || map[0] === MAP_TYPE.HASH_OF_MAPS
    const sitting = new Sitting(host, host.create({ ...wanted(map), ...(outer && { inner: ids.$inner! }) }), ids)
    t.same(steps.map((step) => sitting.take(step)), steps, title)
  }
})

t.test('inner maps', async (t) => {
  interface Inner { maps: Omit<Shape, 5>[]; templates: [number, number, number][]; puts: [number, number, number][] }
  const { maps, templates, puts } = read<Inner>('inner.json')
  const host = new TestHost()
  const first = host.create({ type: MAP_TYPE.ARRAY, key: 4, value: 8, entries: 4 }).attr.id
  const ids = maps.map(([type, key, value, entries, flags]) => host.create({ type, key, value, entries, flags, inner: first } as NewTestMap).attr.id)
  const outers = new Map<number, ReturnType<TestHost['create']>>()
  for (const row of templates) {
    const [type, at] = row
    const got = errnoOf(() => {
      const map = host.create({ type, key: 4, value: 4, entries: 4, inner: ids[at]! })
      if (type === MAP_TYPE.ARRAY_OF_MAPS) outers.set(at, map)
    })
    t.equal(got, row[2], `template ${JSON.stringify(maps[at])} of ${type}`)
  }
  const wrong = puts.filter(([template, at, errno]) => {
    const value = Uint8Array.from(Buffer.from(Uint32Array.of(ids[at]!).buffer))
    return errnoOf(() => outers.get(template)!.sysUpdate(new Uint8Array(4), value, 0)) !== errno
  })
  t.same(wrong.map(([template, at, errno]) => [maps[template], maps[at], errno]), [])
})
