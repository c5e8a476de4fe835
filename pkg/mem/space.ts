// The persistent part of the linear memory: regions with addresses that survive the process, so that pointers stored in maps stay true.
import { KernelError, assert } from '../bytes/errors.js'
import { ENOMEM } from '../uapi/errno.js'
import { REGIONS } from './layout.js'
import type { Memory } from './memory.js'

/** Unit of allocation, of saving and of change detection. Equal to the store's PAGE. */
export const REGION_PAGE = 16384

/** The part of the store that regions need; pkg/state's Store has it. */
export interface Pager {
  pages(area: string): number[]
  readPage(area: string, index: number): Uint8Array | undefined
  writePage(area: string, index: number, bytes: Uint8Array): void
  pageCrc(area: string, index: number): number | undefined
  dropArea(area: string): void
}

/** One area of memory, a whole number of pages, zero until loaded or written. */
export interface Region {
  readonly name: string
  readonly addr: number
  readonly size: number
  /** Contents are in memory. */
  loaded: boolean
  /** Something may have written to it since the last save: set before handing pointers into it to a program or a writing handler. */
  touched: boolean
}

export interface RegionRow {
  readonly name: string
  readonly addr: number
  readonly size: number
}

/** Where the rows live between processes; one row is read without the others. */
export interface RegionTable {
  get(name: string): RegionRow | undefined
  all(): RegionRow[]
  set(row: RegionRow): void
  delete(name: string): void
}

/** First-fit allocation over [REGIONS, end of memory). */
export class AddressSpace {
  readonly #mem: Memory
  readonly #pager: Pager
  readonly #crc: (bytes: Uint8Array) => number
  readonly #table: RegionTable
  /** Ascending by address; read on the first allocation. */
  #rows: RegionRow[] | undefined
  readonly #regions = new Map<string, Region>()

  constructor(mem: Memory, pager: Pager, crc: (bytes: Uint8Array) => number, table: RegionTable) {
    this.#mem = mem
    this.#pager = pager
    this.#crc = crc
    this.#table = table
  }

  #sorted(): RegionRow[] {
    this.#rows ??= this.#table.all().sort((a, b) => a.addr - b.addr)
    return this.#rows
  }

  /** A new zeroed region. ENOMEM when no gap is wide enough. */
  allocate(name: string, bytes: number): Region {
    assert(this.#table.get(name) === undefined, `region ${name} exists`)
    const size = Math.max(1, Math.ceil(bytes / REGION_PAGE)) * REGION_PAGE
    const addr = this.#gap(size)
    const row = { name, addr, size }
    const rows = this.#sorted()
    rows.push(row)
    rows.sort((a, b) => a.addr - b.addr)
    this.#table.set(row)
    const region: Region = { ...row, loaded: true, touched: true }
    this.#regions.set(name, region)
    return region
  }

  #gap(size: number): number {
    let at = REGIONS
    for (const row of this.#sorted()) {
      if (row.addr - at >= size) return at
      at = row.addr + row.size
    }
    if (this.#mem.size - at < size) throw new KernelError(ENOMEM)
    return at
  }

  /** The region of that name with its contents in memory. */
  open(name: string): Region {
    const known = this.#regions.get(name)
    if (known) return known
    const row = this.#table.get(name)
    assert(row, `region ${name} is not there`)
    const region: Region = { ...row, loaded: true, touched: false }
    for (const index of this.#pager.pages(name)) {
      const page = this.#pager.readPage(name, index)
      if (page) this.#mem.u8.set(page, row.addr + index * REGION_PAGE)
    }
    this.#regions.set(name, region)
    return region
  }

  /** Bytes the region takes, 0 when there is none. */
  size(name: string): number {
    return this.#table.get(name)?.size ?? 0
  }

  release(name: string): void {
    if (this.#table.get(name) === undefined) return
    if (this.#rows) this.#rows = this.#rows.filter((row) => row.name !== name)
    this.#table.delete(name)
    // Memory that no region owns is zero, so that allocating costs nothing.
    const region = this.#regions.get(name)
    if (region) this.#mem.u8.fill(0, region.addr, region.addr + region.size)
    this.#regions.delete(name)
    this.#pager.dropArea(name)
  }

  /** Writes the pages that differ from the store's. */
  save(): void {
    for (const region of this.#regions.values()) {
      if (region.touched) this.#saveRegion(region)
    }
  }

  #saveRegion(region: Region): void {
    const { buffer } = this.#mem.u8
    for (let index = 0; index * REGION_PAGE < region.size; index += 1) {
      const page = Buffer.from(buffer, region.addr + index * REGION_PAGE, REGION_PAGE)
      const stored = this.#pager.pageCrc(region.name, index)
      if (stored === undefined ? page.equals(ZERO_PAGE) : stored === this.#crc(page)) continue
      this.#pager.writePage(region.name, index, new Uint8Array(page))
    }
    region.touched = false
  }
}

const ZERO_PAGE = new Uint8Array(REGION_PAGE)
