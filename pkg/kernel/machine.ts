// One session over one state: the subsystems, each made when first asked for, and the transaction around them.
import { AddressSpace, type RegionRow } from '../mem/space.js'
import { createMemory, type Memory } from '../mem/memory.js'
import { crc32 } from '../state/crc.js'
import type { Json, Store } from '../state/store.js'
import { Addresses } from './addresses.js'
import { Bpffs } from './bpffs.js'
import { Btfs, VMLINUX_ID, type BtfRecord } from './btfs.js'
import { EngineSide } from './engine-side.js'
import type { Subsystems } from './handlers.js'
import { Links, type LinkRecord } from './links.js'
import { Maps, type MapRecord } from './maps.js'
import { NetSide } from './net-side.js'
import { DEFAULT_CPUS, DEFAULT_TASK, type BootOptions } from './options.js'
import { Progs, type ProgRecord } from './progs.js'
import { Random } from './random.js'
import { Sysctl } from './sysctl.js'
import { StructOpsSide } from './struct-ops-side.js'
import { ObjectTable, type ObjRecord } from './table.js'
import { TestRunner } from './test-run.js'
import type { Toolchain } from './toolchain.js'
import { Trace } from './trace.js'
import { memoryFiles, Views } from './views.js'

const REGION = 'region/'

/** What the state says of the machine itself. */
export interface MachineRecord {
  readonly cpus: number
}

export class Machine implements Subsystems {
  readonly store: Store
  readonly options: BootOptions
  readonly views: Views
  readonly trace: Trace
  readonly sysctl: Sysctl
  readonly random: Random
  readonly structOps: StructOpsSide
  readonly maps: Maps
  readonly progs: Progs
  readonly btfs: Btfs
  readonly links: Links
  readonly bpffs: Bpffs
  readonly addresses: Addresses
  readonly netSide: NetSide
  readonly engineSide: EngineSide
  readonly testRunner: TestRunner
  readonly cpus: number
  readonly #tables: { map: ObjectTable<MapRecord>; prog: ObjectTable<ProgRecord>; btf: ObjectTable<BtfRecord>; link: ObjectTable<LinkRecord> }
  #mem: Memory | undefined
  #tools: Toolchain | undefined
  #space: AddressSpace | undefined

  constructor(store: Store, options: BootOptions) {
    this.store = store
    this.options = options
    this.cpus = (store.get('sys/machine') as unknown as MachineRecord | undefined)?.cpus ?? options.cpus ?? DEFAULT_CPUS
    this.views = new Views(store, options.files ?? memoryFiles())
    this.trace = new Trace(store, this.views)
    this.sysctl = new Sysctl(this.views, () => this.structOps)
    this.random = new Random(store)
    this.#tables = {
      map: new ObjectTable<MapRecord>(store, 'map', (record) => this.maps.destroy(record)),
      prog: new ObjectTable<ProgRecord>(store, 'prog', (record) => this.progs.destroy(record)),
      btf: new ObjectTable<BtfRecord>(store, 'btf', (record) => this.btfs.destroy(record), VMLINUX_ID + 1),
      link: new ObjectTable<LinkRecord>(store, 'link', (record) => this.links.destroy(record)),
    }
    this.structOps = this.#makeStructOps()
    this.maps = this.#makeMaps()
    this.progs = this.#makeProgs()
    this.btfs = new Btfs(store, this.#tables.btf, () => this.tools.vmlinuxBytes())
    this.bpffs = this.#makeBpffs()
    this.engineSide = new EngineSide(this)
    this.netSide = new NetSide(this)
    this.links = new Links(this.#tables.link, this.structOps.links)
    this.addresses = new Addresses(store, (dev) => this.net.linkGet(dev === undefined ? {} : { dev }))
    this.testRunner = new TestRunner(this.netSide.testRunHost())
  }

  get net(): NetSide['net'] {
    return this.netSide.net
  }

  now(): number {
    return this.netSide.now()
  }

  get tools(): Toolchain {
    this.#tools ??= this.options.toolchain()
    return this.#tools
  }

  memory(): Memory {
    this.#mem ??= createMemory()
    return this.#mem
  }

  space(): AddressSpace {
    this.#space ??= new AddressSpace(this.memory(), this.store, crc32, regionTable(this.store))
    return this.#space
  }

  #makeStructOps(): StructOpsSide {
    const { map, prog } = this.#tables
    return new StructOpsSide({
      store: this.store,
      views: this.views,
      strict: this.options.strict ?? false,
      space: () => this.space(),
      warn: (text) => this.trace.log(text, this.now()),
      vmlinux: () => this.tools.vmlinuxBtf(),
      users: (id) => this.maps.users(id),
      progAttachBtfId: (id) => prog.get(id)?.attachBtfId,
      map: (id) => this.maps.map(id),
      hold: (id) => map.hold(id),
      drop: (id) => map.drop(id),
    })
  }

  #makeMaps(): Maps {
    const { prog, btf } = this.#tables
    return new Maps({
      memory: () => this.memory(),
      space: () => this.space(),
      now: () => this.now(),
      cpus: this.cpus,
      cpu: () => this.engineSide.cpu,
      random32: () => this.random.next32(),
      btfBytes: (id) => this.btfs.find(id),
      checkBtf: (attr, bytes) => this.tools.checkMapBtf(attr, this.tools.parseBtf(bytes, 'BTF')),
      holdBtf: (id) => btf.hold(id),
      dropBtf: (id) => btf.drop(id),
      progType: (id) => prog.get(id)?.type,
      progAttachType: (id) => prog.get(id)?.expectedAttachType,
      holdProg: (id) => prog.hold(id),
      dropProg: (id) => prog.drop(id),
      deviceExists: (ifindex) => this.netSide.deviceExists(ifindex),
      frames: () => this.net.frameMaps,
      tables: () => this.structOps.tables,
      freeFields: (value, fields) => this.engineSide.objects().freeFields(value, fields),
      forgetTimers: (from, to) => this.netSide.timers().forget(from, to),
    }, this.#tables.map)
  }

  #makeProgs(): Progs {
    const { btf } = this.#tables
    return new Progs({
      store: this.store,
      now: () => this.now(),
      tools: () => this.tools,
      engine: () => (this.options.jit === false ? this.tools.interp : this.tools.jit),
      engineHost: () => this.engineSide.host,
      hasKfunc: (name) => this.engineSide.kfunc(name) !== undefined,
      mapAttr: (id) => this.maps.attrOrTemplate(id),
      refusal: (id) => this.engineSide.refusal(id),
      frozenValue: (id) => this.maps.frozenValue(id),
      openMap: (id) => void this.maps.map(id),
      holdMap: (id) => this.maps.hold(id),
      dropMap: (id) => this.maps.drop(id),
      ownMap: (id, type) => this.maps.own(id, type),
      btfBytes: (id) => this.btfs.find(id),
      holdBtf: (id) => btf.hold(id),
      dropBtf: (id) => btf.drop(id),
      cpus: this.cpus,
      strict: this.options.strict ?? false,
      explain: this.options.explain ?? false,
      dialect: this.options.dialect,
    }, this.#tables.prog)
  }

  #makeBpffs(): Bpffs {
    const { map, prog, link } = this.#tables
    // A pin needs no more of an object than its count and its names.
    const tables = { map, prog, link } as unknown as Record<'map' | 'prog' | 'link', ObjectTable<ObjRecord>>
    return new Bpffs(this.store, this.views, tables)
  }

  holdProg(id: number): void {
    this.#tables.prog.hold(id)
  }

  dropProg(id: number): void {
    this.#tables.prog.drop(id)
  }

  btfUsers(btfId: number): { progIds: number[]; mapIds: number[] } {
    const progIds = this.#tables.prog.list().filter((prog) => prog.btfId === btfId).map(({ id }) => id)
    const mapIds = this.#tables.map.list().filter(({ attr }) => attr.btfId === btfId).map(({ id }) => id)
    return { progIds, mapIds }
  }

  info(): { cpus: number; now: number; dir: string | undefined; strict: boolean } {
    return { cpus: this.cpus, now: this.now(), dir: this.options.dir, strict: this.options.strict ?? false }
  }

  get task(): { comm: string; pid: number } {
    return this.options.task ?? DEFAULT_TASK
  }

  /** Everything since the last commit becomes durable, or nothing. */
  commit(): void {
    this.bpffs.reconcile()
    this.structOps.reconcile()
    if (!this.options.keepHandles) this.#release()
    this.#sweep()
    this.#flush()
    this.views.prepare()
    this.store.commit()
    this.views.apply()
  }

  #release(): void {
    for (const table of Object.values(this.#tables)) table.release()
  }

  /** What goes may free what it held. */
  #sweep(): void {
    const tables = Object.values(this.#tables)
    while (tables.map((table) => table.sweep()).includes(true)) continue
  }

  #flush(): void {
    this.netSide.flush()
    for (const table of Object.values(this.#tables)) table.flush()
    this.random.flush()
    this.trace.flush()
    this.#space?.save()
  }
}

function regionTable(store: Store): ConstructorParameters<typeof AddressSpace>[3] {
  return {
    get: (name) => store.get(REGION + name) as unknown as RegionRow | undefined,
    all: () => store.keys(REGION).map((key) => store.get(key) as unknown as RegionRow),
    set: (row) => store.set(REGION + row.name, { ...row } satisfies Json),
    delete: (name) => store.delete(REGION + name),
  }
}
