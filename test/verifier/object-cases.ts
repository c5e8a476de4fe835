// Cases that clang made: every program of fixtures/verifier/c/*.o, with its verdict in c/verdicts.txt, a line each:
//   OBJECT/PROGRAM: ok 12              as in the text cases
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { Btf } from '../../pkg/btf/index.js'
import { KernelError } from '../../pkg/bytes/errors.js'
import { loadObject, openObject } from '../../pkg/object/index.js'
import type { MapCreate, ProgLoad } from '../../pkg/request/bpf.js'
import type { Kernel, Op, Reply, Request } from '../../pkg/request/kernel.js'
import { caseFolder, type Case } from './cases.js'
import type { Load } from './load.js'

export const objectFolder = (): string => `${caseFolder()}/c`
export const verdictFile = (): string => `${objectFolder()}/verdicts.txt`

export function objectCases(): Case[] {
  const verdicts = new Map(!existsSync(verdictFile()) ? [] : readFileSync(verdictFile(), 'utf8').split('\n').flatMap(line => {
    const m = /^([^#:]+): (.*)$/.exec(line)
    return m ? [[m[1]!, m[2]!] as const] : []
  }))
  return readdirSync(objectFolder()).filter(name => name.endsWith('.o')).sort().flatMap(file => {
    const theme = `c-${file.replace('.o', '')}`
    const object = openObject(new Uint8Array(readFileSync(`${objectFolder()}/${file}`)), { file })
    return object.progs.map(prog => {
      const name = `${file.replace('.o', '')}/${prog.name}`
      return { name, theme, title: prog.name, variant: '', verdict: verdicts.get(name), load: (kernel: Btf) => objectLoad(file, prog.name, kernel) }
    })
  })
}

/** What libbpf would ask the kernel for: this one program and all maps. */
function objectLoad(file: string, name: string, vmlinux: Btf): Load {
  const object = openObject(new Uint8Array(readFileSync(`${objectFolder()}/${file}`)), { file })
  const asked = new Asked()
  loadObject(object, asked, { progs: object.progs.filter(prog => prog.name === name), vmlinux: () => vmlinux })
  const { prog, maps, values, frozen, btf } = asked
  if (prog === undefined) throw new Error(`${file}: ${name} was never loaded`)
  return { maps, btf, prog, values: [...values].map(([map, bytes]) => ({ map, bytes, frozen: frozen.has(map) })) }
}

/** A kernel that takes every request of a loader and keeps it. */
class Asked implements Kernel {
  readonly maps: MapCreate[] = []
  readonly values = new Map<number, Uint8Array>()
  readonly frozen = new Set<number>()
  btf: Uint8Array | undefined
  prog: ProgLoad | undefined

  request<K extends Op>(op: K, request: Request<K>): Reply<K> {
    const handlers: { [K in Op]?: (request: Request<K>) => Reply<K> } = {
      'sys.info': () => ({ cpus: 2, now: 0, dir: undefined, strict: false }),
      'btf.load': ({ bytes }) => { this.btf = bytes; return { id: 1 } },
      'map.create': create => ({ id: this.maps.push(create) }),
      'map.update': ({ mapId, value }) => { if (this.maps[mapId - 1]!.type === 2) this.values.set(mapId, value) },
      'map.freeze': ({ mapId }) => { this.frozen.add(mapId) },
      'prog.load': load => { this.prog ??= load; return { id: 1, log: '', notes: [] } },
      'obj.get': () => { throw new KernelError(2) },
      'obj.pin': () => undefined,
    }
    const handler = handlers[op] as ((request: Request<K>) => Reply<K>) | undefined
    if (!handler) throw new Error(`unexpected request ${op}`)
    return handler(request)
  }

  commit(): void {}
  close(): void {}
}
