// What engines and helpers see of the machine: addresses of maps, helpers by id, programs behind tail calls.
import { Bug } from '../bytes/errors.js'
import type { HelperEnv, RunState } from '../helper/env.js'
import { PACKETS, PACKETS_END, SCRATCH } from '../mem/layout.js'
import { ObjectHeap } from '../map/object-heap.js'
import { ProgArray } from '../map/arraymap-fd.js'
import type { BpfMap, ValueField } from '../map/types.js'
import type { EngineHost, HelperImpl, Runnable } from '../prog/engine.js'
import type { Machine } from './machine.js'

/** A u32 with the CPU that programs run on, which engines read for per-CPU maps. */
const CPU_ADDR = SCRATCH + 0x80

export class EngineSide {
  readonly #machine: Machine
  readonly host: EngineHost
  readonly runState: RunState = { runnable: undefined, progType: 0, progId: 0 }
  #objects: ObjectHeap | undefined
  readonly #fields = new Map<string, readonly ValueField[]>()
  #helpers: ((id: number) => HelperImpl | undefined) | undefined
  #kfuncs: ((name: string) => HelperImpl | undefined) | undefined

  constructor(machine: Machine) {
    this.#machine = machine
    this.host = this.#makeHost()
  }

  get cpu(): number {
    return this.#machine.memory().u32[CPU_ADDR >> 2]!
  }

  setCpu(cpu: number): void {
    this.#machine.memory().u32[CPU_ADDR >> 2] = cpu
  }

  #makeHost(): EngineHost {
    const machine = this.#machine
    return {
      get mem() {
        return machine.memory()
      },
      mapAddr: (id) => machine.maps.map(id).addr,
      mapValueAddr: (id) => valueArea(machine.maps.map(id)),
      mapJit: (id) => machine.maps.map(id).jit,
      cpuAddr: CPU_ADDR,
      helper: (id) => found(this.#helper(id), `helper ${id}`),
      kfunc: (btfId) => found(this.kfunc(machine.tools.vmlinuxBtf().type(btfId).name), `kfunc ${btfId}`),
      tailCall: (map, index) => this.#tailCall(map, index),
    }
  }

  #helper(id: number): HelperImpl | undefined {
    this.#helpers ??= this.#machine.tools.helperImpls(this.#env())
    return this.#helpers(id)
  }

  /** A kernel function that this machine has. */
  kfunc(name: string): HelperImpl | undefined {
    this.#kfuncs ??= this.#machine.tools.kfuncImpls(this.#env())
    return this.#kfuncs(name)
  }

  /** What programs have allocated. */
  objects(): ObjectHeap {
    const machine = this.#machine
    this.#objects ??= new ObjectHeap({
      mem: machine.memory(),
      exists: (name) => machine.space().size(name) > 0,
      region: (name, size) => (machine.space().size(name) > 0 ? machine.space().open(name) : machine.space().allocate(name, size)),
      fields: (btfId, typeId) => this.#fieldsOf(btfId, typeId),
      freeSkb: (skb) => machine.netSide.net.bpfQdiscs?.free(skb),
      isSkb: (address) => address >= PACKETS && address < PACKETS_END,
    })
    this.#objects.open()
    return this.#objects
  }

  /** Programs have run: any object may have changed. */
  touchObjects(): void {
    this.#objects?.touch()
  }

  #fieldsOf(btfId: number, typeId: number): readonly ValueField[] {
    const key = `${btfId}/${typeId}`
    const known = this.#fields.get(key)
    if (known) return known
    const bytes = this.#machine.btfs.find(btfId)
    const fields = bytes ? this.#machine.tools.valueFields(this.#machine.tools.parseBtf(bytes, 'BTF'), typeId) : []
    this.#fields.set(key, fields)
    return fields
  }

  /** Why a helper can't be called on this machine, undefined: it can. */
  refusal(id: number): string | undefined {
    return this.#machine.tools.refusal(id, (known) => this.#helper(known))
  }

  #tailCall(addr: number, index: number): Runnable | undefined {
    const { maps, progs } = this.#machine
    const array = maps.at(addr)
    const id = array instanceof ProgArray ? array.progAt(index) : 0
    return id === 0 ? undefined : progs.runnable(id)
  }

  #env(): HelperEnv {
    const machine = this.#machine
    const { netSide } = machine
    const { pid, comm } = machine.task
    return {
      mem: machine.memory(),
      skbs: netSide.net.skbs,
      cpus: machine.cpus,
      run: this.runState,
      note: netSide.note,
      net: netSide.helperNet(),
      timers: netSide.timers(),
      objects: this.objects(),
      ...(netSide.net.bpfQdiscs ? { qdisc: netSide.net.bpfQdiscs } : {}),
      cpu: () => this.cpu,
      now: () => netSide.now(),
      random32: () => machine.random.next32(),
      printk: (text) => machine.trace.print(text, machine.task, this.cpu, netSide.now()),
      task: () => ({ pid, tgid: pid, uid: 0, gid: 0, comm }),
      mapAt: (addr) => found(machine.maps.at(addr), `map at ${addr}`),
    }
  }
}

/** Where the value of a map with one entry per index begins: what a PSEUDO_MAP_VALUE load means. */
function valueArea(map: BpfMap): number {
  if (map.jit?.kind !== 'array') throw new Bug(`map ${map.attr.id} has no value area`)
  return map.jit.base
}

function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Bug(`${what} was let through by the verifier and is not there`)
  return value
}
