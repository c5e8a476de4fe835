// Transcripts of sittings, fixtures/cli/bpftool-*.txt: `$ command`, its standard output, its standard error behind `2> `, its status behind `? `
// when it isn't 0. What differs from machine to machine (ids, indexes, times, sizes of memory and code) stands as a placeholder, numbered in the
// order of appearance, so that a wrong id still shows.
import { mapTypeName, progTypeName } from '../../../cmd/bpftool/names.js'

export type Step = { readonly command: string; readonly output: string; readonly comment: readonly string[] }
export type Result = { readonly stdout: string; readonly stderr: string; readonly status: number }

export function parse(text: string): Step[] {
  const steps: { command: string; output: string; comment: string[] }[] = []
  let comment: string[] = []
  for (const line of text.replace(/\n$/, '').split('\n')) {
    if (line.startsWith('$ ')) {
      steps.push({ command: line.slice(2), output: '', comment })
      comment = []
    } else if (line.startsWith('# ')) comment.push(line)
    else if (steps.length > 0) steps.at(-1)!.output += `${line}\n`
  }
  return steps
}

export function format({ stdout, stderr, status }: Result): string {
  const lines = stdout === '' ? '' : stdout.endsWith('\n') ? stdout : `${stdout}\n`
  const errors = stderr === '' ? '' : stderr.replace(/\n$/, '').split('\n').map((line) => `2> ${line}\n`).join('')
  return lines + errors + (status === 0 ? '' : `? ${status}\n`)
}

export const write = (steps: readonly Step[]): string =>
  steps.map(({ command, output, comment }) => `${comment.map((line) => `${line}\n`).join('')}$ ${command}\n${output}`).join('')

type Kind = 'prog' | 'map' | 'btf' | 'link' | 'ifindex'

/** Replaces what varies. One for a whole sitting. */
export class Placeholders {
  readonly #known = new Map<string, string>()
  readonly #counts = new Map<Kind, number>()

  #id(kind: Kind, id: string): string {
    const key = `${kind} ${id}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const next = (this.#counts.get(kind) ?? 0) + 1
    this.#counts.set(kind, next)
    const name = `<${kind}${next}>`
    this.#known.set(key, name)
    return name
  }

  #list(kind: Kind, ids: string): string {
    return ids.replace(/\d+/g, (id) => this.#id(kind, id))
  }

  apply(text: string): string {
    return text
      .replace(/(arg\d has btf_id )\d+/g, '$1<type>')
      // Programs and maps have a type of this name.
      .replace(/^(\d+)(: struct_ops  name \S+  flags)/gm, (_, id: string, rest: string) => this.#id('map', id) + rest)
      .replace(/"id":(\d+)(,"type":"struct_ops","name":"\w+","flags")/g, (_, id: string, rest: string) => `"id":${this.#id('map', id)}${rest}`)
      .replace(/^(\d+): (\w+)  /gm, (all, id: string, type: string) => (isKind(type) ? `${this.#id(isKind(type)!, id)}: ${type}  ` : all))
      .replace(/^(\d+): (\S+ +(?:tcp_congestion_ops|Qdisc_ops) *)$/gm, (_, id: string, rest: string) => `${this.#id('map', id)}: ${rest}`)
      .replace(/((?:Unr|R)egistered \S+ \S+ id )(\d+)/g, (_, head: string, id: string) => head + this.#id('map', id))
      .replace(/"id":(\d+)(,"name":"\w+","kernel_struct_ops")/g, (_, id: string, rest: string) => `"id":${this.#id('map', id)}${rest}`)
      .replace(/("type": ?26,\s*"id": ?)(\d+)/g, (_, head: string, id: string) => head + this.#id('map', id))
      .replace(/prog_id:(\d+)/g, (_, id: string) => `prog_id:${this.#id('prog', id)}`)
      .replace(/("btf_vmlinux_value_type_id": ?)\d+/g, '$1<type>')
      .replace(/^(\d+): name /gm, (_, id: string) => `${this.#id('btf', id)}: name `)
      .replace(/"id":( ?)(\d+),(\s*)"type":( ?)"(\w+)"/g, (all, a: string, id: string, b: string, c: string, type: string) =>
        (isKind(type) ? `"id":${a}${this.#id(isKind(type)!, id)},${b}"type":${c}"${type}"` : all))
      .replace(/"id":( ?)(\d+),(\s*)"size"/g, (_, a: string, id: string, b: string) => `"id":${a}${this.#id('btf', id)},${b}"size"`)
      .replace(/((?:map_ids|"map_ids":) ?\[?)(\d[\d,]*)/g, (_, head: string, ids: string) => head + this.#list('map', ids))
      .replace(/((?:prog_ids|"prog_ids":) ?\[?)(\d[\d,]*)/g, (_, head: string, ids: string) => head + this.#list('prog', ids))
      .replace(/((?:btf_id|"btf_id":) ?)(\d+)/g, (_, head: string, id: string) => head + this.#id('btf', id))
      .replace(/map\[id:(\d+)\]/g, (_, id: string) => `map[id:${this.#id('map', id)}]`)
      .replace(/^(\w+)\((\d+)\) (.*id )(\d+)$/gm, (_, dev: string, index: string, words: string, id: string) =>
        `${dev}(${this.#id('ifindex', index)}) ${words}${this.#id('prog', id)}`)
      .replace(/"ifindex":( ?)(\d+)/g, (_, gap: string, index: string) => `"ifindex":${gap}${this.#id('ifindex', index)}`)
      .replace(/("(?:mode|kind|name)":.*[,\s]+"id":) ?(\d+)/g, (all, head: string, id: string) => `${head}${all.slice(head.length, -id.length)}${this.#id('prog', id)}`)
      // Maps are looked up inline in the kernel's translated form and by a call in ours.
      .replace(/xlated \d+B(?=.*map_ids)/g, 'xlated <size>B')
      .replace(/"bytes_xlated":( ?)\d+(?=[^}]*"map_ids")/g, '"bytes_xlated":$1<size>')
      .replace(/loaded_at \S+/g, 'loaded_at <time>')
      .replace(/"loaded_at":( ?)\d+/g, '"loaded_at":$1<time>')
      .replace(/memlock \d+B/g, 'memlock <size>B')
      .replace(/"bytes_memlock":( ?)\d+/g, '"bytes_memlock":$1<size>')
      .replace(/(?<!not )jited \d+B/g, 'jited <size>B')
      .replace(/"bytes_jited":( ?)\d+/g, '"bytes_jited":$1<size>')
      .replace(/duration( \(average\))?: \d+ns/g, 'duration$1: <time>ns')
      .replace(/"duration":( ?)\d+/g, '"duration":$1<time>')
  }
}

const progTypes = new Set(Array.from({ length: 33 }, (_, n) => progTypeName(n)))
const mapTypes = new Set(Array.from({ length: 34 }, (_, n) => mapTypeName(n)))

function isKind(type: string): Kind | undefined {
  if (progTypes.has(type)) return 'prog'
  return mapTypes.has(type) ? 'map' : undefined
}
