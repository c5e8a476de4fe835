// A streaming JSON writer in the two layouts of the real tools: iproute2's (lib/json_writer.c) opens arrays as '[ ' when pretty and closes
// them as ' ]'; bpftool's (tools/bpf/bpftool/json_writer.c) puts the bracket on a line of its own. Unlike both it escapes every control character.

export type JsonStyle = 'iproute2' | 'bpftool'
export type JsonScalar = string | number | bigint | boolean | null

/** Writes one JSON text. `bigint` prints as a bare number, as the C writers print u64. */
export class Json {
  readonly #style: JsonStyle
  readonly #pretty: boolean
  #text = ''
  #depth = 0
  #elements = 0
  #comma = false

  constructor(style: JsonStyle, pretty: boolean) {
    this.#style = style
    this.#pretty = pretty
  }

  /** What was written since the last call. */
  take(): string {
    const text = this.#text
    this.#text = ''
    return text
  }

  /** Open objects and arrays. */
  get depth(): number {
    return this.#depth
  }

  startObject(name?: string): void {
    this.#begin('{', name)
  }

  endObject(): void {
    this.#end('}', false)
  }

  startArray(name?: string): void {
    this.#begin('[', name)
    if (this.#pretty && this.#style === 'iproute2') this.#text += ' '
  }

  endArray(): void {
    this.#end(']', this.#style === 'iproute2')
  }

  /** Values written so far: tells whether a command printed anything. */
  get elements(): number {
    return this.#elements
  }

  value(value: JsonScalar, name?: string): void {
    this.#name(name)
    this.#separate()
    this.#elements += 1
    this.#text += typeof value === 'string' ? quote(value) : scalar(value)
  }

  /** A name whose value comes with the next call (bpftool's jsonw_name). */
  key(name: string): void {
    this.#name(name)
  }

  /** A number already in the form wanted ('3.14e+02'). */
  raw(text: string, name?: string): void {
    this.#name(name)
    this.#separate()
    this.#elements += 1
    this.#text += text
  }

  /** A whole value: records as objects, arrays as arrays, in the order of their keys; an undefined member is left out. */
  tree(value: unknown, name?: string): void {
    if (Array.isArray(value)) {
      this.startArray(name)
      for (const item of value) this.tree(item)
      this.endArray()
    } else if (typeof value === 'object' && value !== null) {
      this.startObject(name)
      for (const [key, member] of Object.entries(value)) if (member !== undefined) this.tree(member, key)
      this.endObject()
    } else this.value(value as JsonScalar, name)
  }

  /** Whether anything stands in the text. */
  get started(): boolean {
    return this.#comma || this.#depth > 0
  }

  /** Closes whatever is open (a command failed half way), ends the line; the next value starts a text of its own. */
  finish(opened: readonly ('object' | 'array')[] = []): void {
    for (const kind of opened.toReversed()) kind === 'object' ? this.endObject() : this.endArray()
    this.#text += '\n'
    this.#comma = false
  }

  #separate(): void {
    if (this.#comma) this.#text += ','
    this.#comma = true
  }

  #name(name: string | undefined): void {
    if (name === undefined) return
    this.#separate()
    this.#line()
    this.#comma = false
    this.#text += `${quote(name)}:${this.#pretty ? ' ' : ''}`
  }

  #begin(bracket: string, name: string | undefined): void {
    this.#name(name)
    this.#separate()
    this.#elements += 1
    this.#text += bracket
    this.#depth += 1
    this.#comma = false
  }

  #end(bracket: string, inline: boolean): void {
    this.#depth -= 1
    if (this.#comma) inline ? this.#space() : this.#line()
    this.#text += bracket
    this.#comma = true
  }

  #space(): void {
    if (this.#pretty) this.#text += ' '
  }

  #line(): void {
    if (this.#pretty) this.#text += `\n${'    '.repeat(this.#depth)}`
  }
}

function scalar(value: Exclude<JsonScalar, string>): string {
  return typeof value === 'number' && !Number.isFinite(value) ? 'null' : String(value)
}

const SHORT: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\f': '\\f', '\b': '\\b', '\\': '\\\\', '"': '\\"' }

function quote(text: string): string {
  return `"${text.replace(/["\\\u0000-\u001f]/g, (c) => SHORT[c] ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`
}
