// Replays recorded bpf(2) steps on a map: the checks of the system call itself are the kernel floor's, so flags above 32 bits end here.
import { KernelError } from '../../pkg/bytes/errors.js'
import type { BpfMap } from '../../pkg/map/types.js'
import { ENOTSUPP, EINVAL } from '../../pkg/uapi/errno.js'
import { MAP_TYPE } from '../../pkg/uapi/bpf.js'
import type { TestHost } from './host.js'

/** [op, key hex, value hex, flags, errno, result hex] */
export type Step = [op: string, key: string, value: string, flags: number, errno: number, result: string]

export class Sitting {
  readonly #host: TestHost
  readonly #ids: Readonly<Record<string, number>>
  #map: BpfMap

  constructor(host: TestHost, map: BpfMap, ids: Readonly<Record<string, number>>) {
    this.#host = host
    this.#map = map
    this.#ids = ids
  }

  /** The step with what happened here. */
  take([op, key, value, flags]: Step): Step {
    this.#map = this.#host.reopen(this.#map)
    try {
      const result = this.#do(op, bytes(key), this.#value(value), flags)
      const hex = result ? Buffer.from(result).toString('hex') : ''
      return [op, key, value, flags, 0, op === 'lookup' ? this.#named(hex) : hex]
    } catch (error) {
      if (error instanceof KernelError) return [op, key, value, flags, error.errno, '']
      throw error
    }
  }

  #do(op: string, key: Uint8Array, value: Uint8Array, flags: number): Uint8Array | void {
    const map = this.#map
    if (flags > 0xffffffff) throw new KernelError(EINVAL)
    const bloom = map.attr.type === MAP_TYPE.BLOOM_FILTER
    if (bloom && key.length > 0) throw new KernelError(EINVAL)
    switch (op) {
      case 'lookup': return map.sysLookup(bloom ? value : key, flags)
      case 'update': return map.sysUpdate(key, value, flags)
      case 'delete': return map.sysDelete(key)
      case 'next': return this.#next(map, key)
    }
    if (!map.sysLookupAndDelete) throw new KernelError(ENOTSUPP)
    return map.sysLookupAndDelete(key, flags)
  }

  #next(map: BpfMap, key: Uint8Array): Uint8Array {
    const next = map.sysNextKey(key.length === 0 ? undefined : key)
    if (!next) throw new KernelError(2)
    return next
  }

  /** Hex with one $name for a little-endian id. */
  #value(text: string): Uint8Array {
    return bytes(text.replace(/\$\w+/, (name) => hex32(this.#ids[name]!)))
  }

  #named(hex: string): string {
    const found = Object.entries(this.#ids).find(([, id]) => hex === hex32(id))
    return this.#map.attr.valueSize === 4 && outward.has(this.#map.attr.type) && found ? found[0] : hex
  }
}

const outward = new Set<number>([MAP_TYPE.PROG_ARRAY, MAP_TYPE.ARRAY_OF_MAPS, MAP_TYPE.HASH_OF_MAPS])

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}

function hex32(id: number): string {
  return Buffer.from(Uint32Array.of(id).buffer).toString('hex')
}
