// The words of `prog load` (prog.c: load_with_options): the file, the place, and what is to be different from what the object says.
import { InputError } from '../../pkg/bytes/errors.js'
import type { Context } from '../../pkg/cli/index.js'
import { isPrefix, type Words } from '../../pkg/grammar/index.js'
import type { SectionDef } from '../../pkg/object/index.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import { objects } from '../lib/lazy.js'
import { FAILED, needs, Silent, unsupported } from './failure.js'
import { map, unsigned } from './handle.js'

/** A map of the object, by name or place, and the one that stands for it. */
export type Replacement = { readonly name?: string; readonly index?: number; readonly id: number }
export type LoadWords = {
  file: string; path: string; type?: { type: number; attach: number }; replace: Replacement[]; pinmaps?: string; autoattach: boolean
}

export function readWords(context: Context, kernel: Kernel, words: Words): LoadWords {
  const read: LoadWords = { file: words.take(), path: words.take(), replace: [], autoattach: false }
  while (words.more) {
    const word = words.take()
    if (isPrefix(word, 'type')) readType(context, read, words)
    else if (isPrefix(word, 'map')) read.replace.push(readMap(context, kernel, words))
    else if (isPrefix(word, 'dev')) readDevice(words)
    else if (isPrefix(word, 'pinmaps')) {
      needs(words, 1)
      read.pinmaps = words.take()
    } else if (isPrefix(word, 'autoattach')) read.autoattach = true
    else throw new InputError(`expected no more arguments, 'type', 'map' or 'dev', got: '${word}'?`, FAILED)
  }
  return read
}

/** A type is named as a section is; cgroup types with a slash behind. */
function readType(context: Context, read: LoadWords, words: Words): void {
  if (read.type !== undefined) throw new InputError('program type already specified', FAILED)
  needs(words, 1)
  const name = words.take()
  const def = exactSection(name) ?? exactSection(`${name}/`)
  if (def === undefined) throw noGuess(context, `${name}/`)
  read.type = { type: def.type, attach: def.attach }
}

function exactSection(name: string): SectionDef | undefined {
  const def = objects().sectionDef(name)
  if (def === undefined) return undefined
  const word = def.section.replace('+', '')
  return name === word || name.startsWith(`${word}/`) || name === `${word}/` ? def : undefined
}

/** No program type is called that. */
export function noGuess(context: Context, section: string): Silent {
  libbpf(context, `failed to guess program type from ELF section '${section}'`)
  libbpf(context, `supported section(type) names are: ${objects().SECTION_DEFS.map((def) => def.section).join(' ')}`)
  return new Silent()
}

/** A line of libbpf's. */
export const libbpf = (context: Context, line: string): void => context.note(`libbpf: ${line}`)

function readMap(context: Context, kernel: Kernel, words: Words): Replacement {
  needs(words, 4)
  const how = words.take()
  const which = isPrefix(how, 'idx') ? { index: indexOf(words.take()) } : isPrefix(how, 'name') ? { name: words.take() } : undefined
  if (which === undefined) throw new InputError(`expected 'idx' or 'name', got: '${how}'?`, FAILED)
  return { ...which, id: map(context, kernel, words).id }
}

function indexOf(text: string): number {
  const index = unsigned(text)
  if (index === undefined) throw new InputError(`can't parse ${text} as IDX`, FAILED)
  return index
}

function readDevice(words: Words): never {
  needs(words, 1)
  throw unsupported(`programs of a device (dev ${words.take()})`)
}
