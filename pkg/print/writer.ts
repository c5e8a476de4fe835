// Say it once, print it twice: each call carries the JSON key and the plain format (lib/json_print.c, print_uint(PRINT_ANY, …)).
import { format, type Printable } from './format.js'
import { Json, type JsonScalar, type JsonStyle } from './json.js'
import type { Color, Palette } from './color.js'

/** How a command was asked to print: from the global options (pkg/cli/options.ts). */
export type PrintOptions = {
  readonly json?: boolean
  readonly pretty?: boolean
  readonly oneline?: boolean
  readonly palette?: Palette | undefined
  readonly style?: JsonStyle
}

/**
 * Collects a command's standard output. Every scalar call is (key, format, value): in JSON `key: value` (key null: a bare array element), in plain
 * text the format, '' for nothing. `text` and `nl` print in plain text only. Nothing is printed before `take` is called.
 */
export class Writer {
  readonly isJson: boolean
  readonly oneline: boolean
  readonly #palette: Palette | undefined
  readonly #json: Json
  readonly #open: ('object' | 'array')[] = []
  #plain = ''

  constructor(options: PrintOptions = {}) {
    this.isJson = options.json ?? false
    this.oneline = options.oneline ?? false
    this.#palette = this.isJson ? undefined : options.palette
    this.#json = new Json(options.style ?? 'iproute2', options.pretty ?? false)
  }

  string(key: string | null, plain: string, value: string, color?: Color): void {
    this.#print(key, value, plain, value, color)
  }

  uint(key: string | null, plain: string, value: number | bigint): void {
    this.#print(key, value, plain, value)
  }

  int(key: string | null, plain: string, value: number | bigint): void {
    this.#print(key, value, plain, value)
  }

  float(key: string | null, plain: string, value: number): void {
    this.#print(key, value, plain, value)
  }

  /** JSON true/false; plain: the format with 'true' or 'false'. */
  bool(key: string | null, plain: string, value: boolean): void {
    this.#print(key, value, plain, String(value))
  }

  /** JSON true/false; plain: the format with 'on' or 'off'. */
  onOff(key: string | null, plain: string, value: boolean): void {
    this.#print(key, value, plain, value ? 'on' : 'off')
  }

  /** A word that is there or not: JSON true, plain the word; nothing at all when the flag is down. */
  flag(key: string | null, plain: string, value: boolean): void {
    if (value) this.#print(key, true, plain)
  }

  /** JSON null, plain the word (print_null). */
  null(key: string | null, plain: string): void {
    this.#print(key, null, plain)
  }

  /** JSON "ff" (print_hex), plain by the format (%x, %08x). */
  hex(key: string | null, plain: string, value: number | bigint): void {
    this.#print(key, format('%x', value), plain, value)
  }

  /** JSON "0xff" (print_0xhex), plain by the format (%#x). */
  hex0(key: string | null, plain: string, value: number | bigint): void {
    this.#print(key, format('0x%x', value), plain, value)
  }

  /** A value that reads differently: JSON takes `value`, plain text takes `shown` (rates, sizes, times, handles). */
  shown(key: string | null, plain: string, value: JsonScalar, shown: Printable, color?: Color): void {
    this.#print(key, value, plain, shown, color)
  }

  /** Plain text only. */
  text(plain: string, ...values: Printable[]): void {
    if (!this.isJson) this.#plain += format(plain, ...values)
  }

  /** A whole value, JSON only. */
  tree(key: string | null, value: unknown): void {
    if (this.isJson) this.#json.tree(value, key ?? undefined)
  }

  /** The line break inside a record (`_SL_`): a backslash with -oneline. */
  nl(): void {
    this.text(this.oneline ? '\\' : '\n')
  }

  object(key: string | null, body: () => void): void {
    this.openObject(key)
    body()
    this.closeObject()
  }

  /** `label` and `end` stand around the elements in plain text. */
  array(key: string | null, body: () => void, label = '', end = ''): void {
    this.openArray(key)
    this.text(label)
    body()
    this.text(end)
    this.closeArray()
  }

  openObject(key: string | null = null): void {
    if (this.isJson) this.#json.startObject(key ?? undefined)
    this.#open.push('object')
  }

  closeObject(): void {
    this.#open.pop()
    if (this.isJson) this.#json.endObject()
  }

  openArray(key: string | null = null): void {
    if (this.isJson) this.#json.startArray(key ?? undefined)
    this.#open.push('array')
  }

  closeArray(): void {
    this.#open.pop()
    if (this.isJson) this.#json.endArray()
  }

  /** A name whose value comes with the next call, JSON only. */
  key(name: string): void {
    if (this.isJson) this.#json.key(name)
  }

  /** JSON values written so far. */
  get elements(): number {
    return this.#json.elements
  }

  /** Whether a JSON text was begun. */
  get started(): boolean {
    return this.isJson && this.#json.started
  }

  /** Ends a JSON text, if one was begun: closes what a failure left open, so that what was printed stays valid. Plain text: nothing. */
  finish(): void {
    if (!this.started) return
    this.#json.finish(this.#open)
    this.#open.length = 0
  }

  /** Everything written since the last call. */
  take(): string {
    const text = this.isJson ? this.#json.take() : this.#plain
    this.#plain = ''
    return text
  }

  #print(key: string | null, value: JsonScalar, plain: string, shown: Printable = '', color?: Color): void {
    if (this.isJson) this.#json.value(value, key ?? undefined)
    else if (plain !== '') this.#plain += this.#paint(format(plain, shown), color)
  }

  #paint(text: string, color: Color | undefined): string {
    return this.#palette === undefined || color === undefined ? text : `${this.#palette[color]}${text}\x1b[0m`
  }
}
