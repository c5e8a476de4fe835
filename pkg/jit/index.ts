// BPF -> WebAssembly: the engine that programs run on. One module a program, linked to the one memory, to helpers by id, and to the
// other programs of the same host through a table for tail calls.
import { KernelError, assert } from '../bytes/errors.js'
import { FUNCTION_BASE } from '../interp/decode.js'
import { interp } from '../interp/index.js'
import { STACK_TOP } from '../mem/layout.js'
import type { Engine, EngineHost, HelperImpl, Runnable } from '../prog/engine.js'
import type { Image } from '../prog/image.js'
import { emitProgram } from './program.js'
import { EOPNOTSUPP } from '../uapi/errno.js'
import { CODE_VERSION, importName, TAIL_COUNT, type JitOptions } from './unit.js'

export type { JitOptions } from './unit.js'

export function createJit(options: JitOptions): Engine {
  return {
    name: 'jit',
    compile: (image, host, cached) => {
      const known = cached === undefined ? undefined : usable(cached, host)
      if (cached !== undefined && known !== undefined) return new JitRunnable(image, host, cached, known)
      const bytes = emitProgram(image, host, options)
      if (bytes === undefined) return interp.compile(image, host)
      return new JitRunnable(image, host, bytes, new WebAssembly.Module(bytes as BufferSource))
    },
  }
}

/** The module of bytes from the cache; undefined: they are damaged, or assume what is no longer so. */
function usable(bytes: Uint8Array, host: EngineHost): WebAssembly.Module | undefined {
  const module = moduleOf(bytes)
  if (module === undefined) return undefined
  if (!WebAssembly.Module.exports(module).some(e => e.name === `v${CODE_VERSION}`)) return undefined
  const asAssumed = WebAssembly.Module.imports(module).every(({ module: kind, name }) => {
    const id = Number.parseInt(name)
    return kind === 'env' || name === importName(id, kind === 'helper' ? host.helper(id) : host.kfunc(id))
  })
  return asAssumed ? module : undefined
}

function moduleOf(bytes: Uint8Array): WebAssembly.Module | undefined {
  try {
    return new WebAssembly.Module(bytes as BufferSource)
  } catch {
    return undefined
  }
}

export const jit: Engine = createJit({ inline: true, structured: true })

interface Exports {
  run(ctx: number): number
  prog(ctx: number): number
  batch?(ctx: number, count: number): void
  callback?(slot: number, r1: number, r2: number, r3: number, r4: number, r5: number): number
}

/** What the programs of one host have in common. */
class Linkage {
  readonly #host: EngineHost
  readonly table = new WebAssembly.Table({ element: 'anyfunc', initial: 16 })
  readonly #slots = new Map<Runnable, number>()
  /** Stack bytes of subprograms that wait for the target of their tail call. */
  readonly #saved: Uint8Array[] = []
  /** The program with callbacks that called a helper last. */
  running: JitRunnable | undefined

  constructor(host: EngineHost) {
    this.#host = host
  }

  /** Whose callbacks a helper means that was called in a run of this program: another's only after a tail call of this run. */
  runningFor(runnable: JitRunnable): JitRunnable {
    return this.#host.mem.u32[TAIL_COUNT >> 2] === 0 ? runnable : this.running ?? runnable
  }

  readonly tail = (map: number, index: number): number => {
    const target = this.#host.tailCall(map, index)
    if (target === undefined) return -1
    if (!(target instanceof JitRunnable)) throw betweenEngines()
    return this.#slots.get(target) ?? this.#add(target)
  }

  readonly save = (low: number): void => {
    this.#saved.push(this.#host.mem.u8.slice(low, STACK_TOP))
  }

  readonly restore = (): void => {
    const bytes = this.#saved.pop()
    if (bytes !== undefined) this.#host.mem.u8.set(bytes, STACK_TOP - bytes.length)
  }

  #add(target: JitRunnable): number {
    const slot = this.#slots.size
    if (slot >= this.table.length) this.table.grow(this.table.length)
    this.table.set(slot, target.exports.prog)
    this.#slots.set(target, slot)
    return slot
  }
}

function betweenEngines(): KernelError {
  return new KernelError(EOPNOTSUPP, 'not supported yet: tail calls from and to a program too long for the JIT')
}

const linkages = new WeakMap<EngineHost, Linkage>()

function linkageOf(host: EngineHost): Linkage {
  let linkage = linkages.get(host)
  if (linkage === undefined) linkages.set(host, linkage = new Linkage(host))
  return linkage
}

class JitRunnable implements Runnable {
  readonly image: Image
  readonly bytes: Uint8Array
  readonly exports: Exports
  readonly run: Runnable['run']
  readonly batch?: NonNullable<Runnable['batch']>
  readonly #linkage: Linkage

  constructor(image: Image, host: EngineHost, bytes: Uint8Array, module: WebAssembly.Module) {
    this.image = image
    this.bytes = bytes
    this.#linkage = linkageOf(host)
    const instance = new WebAssembly.Instance(module, this.#imports(module, host))
    this.exports = instance.exports as unknown as Exports
    this.run = this.exports.run
    if (this.exports.batch !== undefined) this.batch = this.exports.batch
  }

  callback(fn: number, r1: number, r2: number, r3: number, r4: number, r5: number): number {
    const running = this.#linkage.runningFor(this)
    const slot = fn - FUNCTION_BASE
    assert(running.image.callbacks.includes(slot), `${running.image.name}: ${fn} is no function pointer`)
    const result = running.exports.callback!(slot, r1, r2, r3, r4, r5)
    this.#linkage.running = running
    return result
  }

  #imports(module: WebAssembly.Module, host: EngineHost): WebAssembly.Imports {
    const { table, tail, save, restore } = this.#linkage
    const imports = { env: { mem: host.mem.wasm, table, tail, save, restore }, helper: {}, kfunc: {} } as
      { env: WebAssembly.ModuleImports, helper: WebAssembly.ModuleImports, kfunc: WebAssembly.ModuleImports }
    for (const { module: kind, name } of WebAssembly.Module.imports(module)) {
      if (kind === 'helper') imports.helper[name] = this.#function(host.helper(Number.parseInt(name)))
      else if (kind === 'kfunc') imports.kfunc[name] = this.#function(host.kfunc(Number.parseInt(name)))
    }
    return imports
  }

  /** A helper as it is, or, in a program with callbacks, noting whose they are. */
  #function(impl: HelperImpl): HelperImpl['call'] {
    if (this.image.callbacks.length === 0) return impl.call
    return (r1, r2, r3, r4, r5) => {
      this.#linkage.running = this
      return impl.call(r1, r2, r3, r4, r5)
    }
  }
}
