// A kernel that takes every request and writes down what a real bpf(2) would have been asked.
import { KernelError } from '../../pkg/bytes/errors.js'
import type { MapCreate, ProgLoad } from '../../pkg/request/bpf.js'
import type { Kernel, Op, Reply, Request } from '../../pkg/request/kernel.js'

export interface Recorder extends Kernel {
  readonly maps: (MapCreate & { id: number })[]
  readonly progs: (ProgLoad & { id: number })[]
  /** map, key, what the value names or its first four bytes. */
  readonly updates: [string, string, string][]
  readonly frozen: string[]
  readonly pins: Map<string, number>
  btf: Uint8Array | undefined
  /** Makes a request of that op fail. */
  readonly failures: Map<Op, KernelError>
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

export function recorder(): Recorder {
  let next = 1
  const nameOf = (id: number): string => [...self.maps, ...self.progs].find(o => o.id === id)?.name ?? ''
  const handlers: { [K in Op]?: (request: Request<K>) => Reply<K> } = {
    'sys.info': () => ({ cpus: 2, now: 0, dir: undefined, strict: false }),
    'btf.load': ({ bytes }) => {
      self.btf = bytes
      return { id: 1 }
    },
    'map.create': create => {
      self.maps.push({ ...create, id: next })
      return { id: next++ }
    },
    'prog.load': load => {
      self.progs.push({ ...load, id: next })
      return { id: next++, log: '', notes: [] }
    },
    'map.update': ({ mapId, key, value }) => {
      const type = self.maps.find(m => m.id === mapId)!.type
      const holdsIds = type === 3 || type === 12
      self.updates.push([nameOf(mapId), hex(key), holdsIds ? nameOf(Buffer.from(value).readUInt32LE(0)) : hex(value.subarray(0, 4))])
    },
    'map.freeze': ({ mapId }) => {
      self.frozen.push(nameOf(mapId))
    },
    'map.info': ({ id }) => {
      const map = self.maps.find(m => m.id === id)!
      return { mapExtra: 0, flags: 0, btfId: 0, btfKeyTypeId: 0, btfValueTypeId: 0, btfVmlinuxId: 0, frozen: false, memlock: 0, loadTime: 0,
        pins: [], ...map, name: map.name ?? '' }
    },
    'obj.pin': ({ path, id }) => {
      self.pins.set(path, id)
    },
    'obj.get': ({ path }) => {
      const id = self.pins.get(path)
      if (id === undefined) throw new KernelError(2)
      return { kind: 'map', id }
    },
  }
  const self: Recorder = {
    maps: [], progs: [], updates: [], frozen: [], pins: new Map(), btf: undefined, failures: new Map(),
    request<K extends Op>(op: K, request: Request<K>): Reply<K> {
      const failure = self.failures.get(op)
      if (failure) throw failure
      const handler = handlers[op] as ((request: Request<K>) => Reply<K>) | undefined
      if (!handler) throw new Error(`unexpected request ${op}`)
      return handler(request)
    },
    commit() {},
    close() {},
  }
  return self
}
