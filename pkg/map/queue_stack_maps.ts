// queue, stack: kernel/bpf/queue_stack_maps.c. A ring of values; a queue pops at the tail, a stack at the head.
import { KernelError } from '../bytes/errors.js'
import type { Region } from '../mem/space.js'
import { MAP_F, MAP_TYPE, UPDATE } from '../uapi/bpf.js'
import { E2BIG, EINVAL, ENOENT } from '../uapi/errno.js'
import { MapBase, kernelError } from './base.js'
import { ACCESS, KMALLOC_MAX_SIZE, checkFlags, refuse, type NewMap } from './check.js'
import { copyBytes } from './copy.js'
import { MAP, round8, writeHeader } from './header.js'
import type { MapAttr, MapHost, MapKind } from './types.js'

export class QueueStack extends MapBase {
  readonly #stride: number
  readonly #lifo: boolean

  constructor(attr: MapAttr, region: Region, host: MapHost) {
    super(attr, region, host)
    this.#stride = round8(attr.valueSize)
    this.#lifo = attr.type === MAP_TYPE.STACK
  }

  lookup(): number {
    return 0
  }

  update(): number {
    return -EINVAL
  }

  delete(): number {
    return -EINVAL
  }

  /** Address of the value `n` places behind the oldest. */
  #slot(n: number): number {
    const index = (this.word(MAP.first) + n) % this.attr.maxEntries
    return this.addr + MAP.size + index * this.#stride
  }

  /** The value that pop would take; 0: none. */
  #top(): number {
    const count = this.word(MAP.count)
    if (count === 0) return 0
    return this.#slot(this.#lifo ? count - 1 : 0)
  }

  #dropTop(): void {
    this.touch()
    this.setWord(MAP.count, this.word(MAP.count) - 1)
    if (!this.#lifo) this.#advance()
  }

  #advance(): void {
    this.setWord(MAP.first, (this.word(MAP.first) + 1) % this.attr.maxEntries)
  }

  /** Where a new value goes, or -errno. */
  #room(flags: number): number {
    if (flags & UPDATE.NOEXIST || flags >>> 0 > UPDATE.EXIST) return -EINVAL
    const full = this.word(MAP.count) === this.attr.maxEntries
    if (full && flags !== UPDATE.EXIST) return -E2BIG
    this.touch()
    if (full) this.#advance()
    else this.setWord(MAP.count, this.word(MAP.count) + 1)
    return this.#slot(this.word(MAP.count) - 1)
  }

  push(value: number, flags: number): number {
    const at = this.#room(flags)
    if (at < 0) return at
    copyBytes(this.mem, at, value, this.attr.valueSize)
    return 0
  }

  peek(value: number): number {
    const at = this.#top()
    if (at === 0) {
      this.mem.u8.fill(0, value, value + this.attr.valueSize)
      return -ENOENT
    }
    copyBytes(this.mem, value, at, this.attr.valueSize)
    return 0
  }

  pop(value: number): number {
    const result = this.peek(value)
    if (result === 0) this.#dropTop()
    return result
  }

  override sysLookup(key: Uint8Array, flags: number): Uint8Array {
    this.checkRead()
    this.checkFlags(flags)
    refuse(key.length !== 0, EINVAL)
    const at = this.#top()
    if (at === 0) throw new KernelError(ENOENT)
    return this.readValue(at)
  }

  override sysUpdate(key: Uint8Array, value: Uint8Array, flags: number): void {
    this.checkWrite()
    refuse(key.length !== 0 || value.length !== this.attr.valueSize, EINVAL)
    const at = this.#room(flags)
    if (at < 0) throw kernelError(at)
    this.writeValue(at, value)
  }

  override sysLookupAndDelete(key: Uint8Array, flags: number): Uint8Array {
    this.checkTake(flags)
    refuse(flags !== 0, EINVAL)
    const value = this.sysLookup(key, flags)
    this.#dropTop()
    return value
  }

  protected override next(): number {
    return -EINVAL
  }
}

/** queue_stack_map_alloc_check */
function check(attr: NewMap): void {
  refuse(attr.maxEntries === 0 || attr.keySize !== 0 || attr.valueSize === 0, EINVAL)
  checkFlags(attr, ACCESS | MAP_F.NUMA_NODE)
  refuse(attr.valueSize > KMALLOC_MAX_SIZE, E2BIG)
}

function queueKind(type: number, name: string): MapKind {
  return {
    type,
    name,
    check,
    bytes: (attr) => MAP.size + round8(attr.valueSize) * attr.maxEntries,
    create(attr, region, host) {
      writeHeader(host.mem, region.addr, attr)
      return new QueueStack(attr, region, host)
    },
    open: (attr, region, host) => new QueueStack(attr, region, host),
  }
}

export const queue = queueKind(MAP_TYPE.QUEUE, 'queue')
export const stack = queueKind(MAP_TYPE.STACK, 'stack')
