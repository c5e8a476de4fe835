// Booting: a store and options in, a kernel that answers requests out.
import { readFile, removeTree, writeFileAtomic } from '../state/files.js'
import { memoryStore, openStore, type Store } from '../state/store.js'
import type { Kernel, Op, Reply, Request } from '../request/kernel.js'
import { handlers, type Handlers } from './handlers.js'
import { Machine } from './machine.js'
import { DEFAULT_CPUS, type BootOptions } from './options.js'
import type { Files } from './views.js'

/** The machine of a state directory. 'read' takes no lock and changes nothing; a directory without a machine gets one first. */
export function bootDirectory(dir: string, access: 'read' | 'write', options: BootOptions): Kernel {
  const whole = { ...options, dir, files: directoryFiles(dir) }
  const store = openStore(dir, access)
  if (isEmpty(store)) return bootEmpty(store, whole)
  return new BootedKernel(store, whole)
}

/** A machine that ends with the process. */
export function bootMemory(options: BootOptions): Kernel {
  return bootEmpty(memoryStore(), options)
}

const isEmpty = (store: Store): boolean => store.get('sys/machine') === undefined

function bootEmpty(store: Store, options: BootOptions): Kernel {
  store.promote()
  // Another first command may have been faster.
  if (isEmpty(store)) makeMachine(store, options)
  return new BootedKernel(store, options)
}

function makeMachine(store: Store, options: BootOptions): void {
  store.set('sys/machine', { cpus: options.cpus ?? DEFAULT_CPUS })
  const machine = new Machine(store, options)
  machine.sysctl.boot()
  machine.trace.boot()
  machine.netSide.makeDevices(options.bare ?? false)
  if (!options.bare) giveLoopback(machine)
  machine.commit()
}

/** What the kernel gives lo when it comes up. */
function giveLoopback({ addresses }: Machine): void {
  addresses.add({ dev: 'lo', family: 'inet', local: '127.0.0.1', prefixlen: 8 })
  addresses.add({ dev: 'lo', family: 'inet6', local: '::1', prefixlen: 128 })
}

class BootedKernel implements Kernel {
  readonly #store: Store
  readonly #options: BootOptions
  #machine: Machine

  constructor(store: Store, options: BootOptions) {
    this.#store = store
    this.#options = options
    this.#machine = new Machine(store, options)
  }

  request<K extends Op>(op: K, request: Request<K>): Reply<K> {
    return (handlers as Handlers)[op](this.#machine, request)
  }

  commit(): void {
    this.#machine.commit()
  }

  rollback(): void {
    this.#store.rollback()
    this.#machine = new Machine(this.#store, this.#options)
  }

  close(): void {
    this.#store.close()
  }
}

function directoryFiles(dir: string): Files {
  return {
    read: (path) => readFile(dir, path),
    write: (path, text) => writeFileAtomic(dir, path, text),
    remove: (path) => removeTree(dir, path),
    exists: (path) => readFile(dir, path) !== undefined,
  }
}
