// Cases that clang made: every program of fixtures/verifier/c/*.o, with its verdict in c/verdicts.txt, a line each:
//   OBJECT/PROGRAM: ok 12              as in the text cases
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { BtfPatch, KIND, parseBtf, type Btf, type Kind } from '../../pkg/btf/index.js'
import { tailSize } from '../../pkg/btf/parse.js'
import { InputError, KernelError } from '../../pkg/bytes/errors.js'
import { loadObject, openObject } from '../../pkg/object/index.js'
import type { MapCreate, ProgLoad } from '../../pkg/request/bpf.js'
import type { Kernel, Op, Reply, Request } from '../../pkg/request/kernel.js'
import { caseFolder, type Case } from './cases.js'
import type { Load } from './load.js'

export const objectFolder = (): string => `${caseFolder()}/c`
export const verdictFile = (): string => `${objectFolder()}/verdicts.txt`

/** Every program of a folder's objects; only those of ours have recorded verdicts. */
export function objectCases(folder = objectFolder()): Case[] {
  const verdicts = new Map(!existsSync(verdictFile()) ? [] : readFileSync(verdictFile(), 'utf8').split('\n').flatMap(line => {
    const m = /^([^#:]+): (.*)$/.exec(line)
    return m ? [[m[1]!, m[2]!] as const] : []
  }))
  return readdirSync(folder).filter(name => name.endsWith('.o')).sort().flatMap(file => {
    const theme = `c-${file.replace('.o', '')}`
    const object = openObject(new Uint8Array(readFileSync(`${folder}/${file}`)), { file })
    return object.progs.map(prog => {
      const name = `${file.replace('.o', '')}/${prog.name}`
      return { name, theme, title: prog.name, prefix: '', verdict: verdicts.get(name), load: (kernel: Btf) => objectLoad(`${folder}/${file}`, prog.name, kernel) }
    })
  })
}

/** What libbpf would ask the kernel for: this one program and all maps. */
function objectLoad(file: string, name: string, vmlinux: Btf): Load {
  const object = openObject(new Uint8Array(readFileSync(file)), { file })
  const asked = new Asked()
  loadObject(object, asked, { progs: object.progs.filter(prog => prog.name === name), vmlinux: () => vmlinux })
  const { prog, maps, values, frozen, btf } = asked
  if (prog === undefined) throw new InputError(`${file}: ${name} was never loaded`)
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
      'btf.load': ({ bytes }) => { this.btf = withPlainExterns(bytes); return { id: 1 } },
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

/**
 * clang describes extern functions in ways that the kernel refuses: arguments have no names, and .ksyms holds functions. libbpf names
 * the arguments and puts a variable in the functions' place; any variable will do, and a string that there is.
 */
function withPlainExterns(bytes: Uint8Array): Uint8Array {
  const btf = parseBtf(bytes, 'BTF')
  const patch = new BtfPatch(btf)
  const ksyms = btf.find('.ksyms', KIND.DATASEC)
  const variable = btf.find('_license', KIND.VAR)
  if (ksyms?.kind !== KIND.DATASEC || variable === undefined) return bytes
  patch.datasec(ksyms.id, ksyms.size, ksyms.vars.map(one => ({ ...one, type: variable.id })))
  nameArguments(new DataView(patch.bytes.buffer))
  return patch.bytes
}

/** Gives every argument of a prototype that has none the first name there is. */
function nameArguments(view: DataView): void {
  const start = view.getUint32(4, true) + view.getUint32(8, true)
  const end = start + view.getUint32(12, true)
  for (let at = start; at < end;) {
    const info = view.getUint32(at + 4, true)
    const kind = ((info >>> 24) & 31) as Kind
    const tail = tailSize(kind, info & 0xffff)
    for (let p = at + 12; kind === KIND.FUNC_PROTO && p < at + 12 + tail; p += 8) {
      if (view.getUint32(p, true) === 0 && view.getUint32(p + 4, true) !== 0) view.setUint32(p, 1, true)
    }
    at += 12 + tail
  }
}
