// The value types of keyword tables, made of pkg/units.
import { InputError } from '../bytes/errors.js'
import {
  parseClassid, parseLladdr, parsePrefix, parseQdiscHandle, parseRate, parseSigned, parseSize, parseTime, parseTime64, parseU64, parseUnsigned,
  type Prefix,
} from '../units/index.js'
import { invarg, notOnOff } from './complaints.js'
import type { Type } from './table.js'

/** Any word. */
export const string = (name = 'STRING'): Type<string> => ({ name, parse: (text) => text })

export const FILE: Type<string> = { name: 'FILE', parse: (text) => text, from: 'file' }
export const DEVICE: Type<string> = { name: 'DEV', parse: (text) => text, from: 'device' }

/** IFNAMSIZ and the characters no name may hold (check_ifname). */
export const IFNAME: Type<string> = {
  name: 'NAME',
  parse: (text) => (/^[^/\s]{1,15}$/.test(text) && text !== '.' && text !== '..' ? text : undefined),
  wrong: (text, key) => (/^[^/\s]{16,}$/.test(text)
    ? new InputError('Error: Attribute failed policy validation.', 2)
    : invarg(`"${key}" not a valid ifname`, text)),
}

const unsigned = (bits: number) => (name: string): Type<number> => ({ name, parse: (text) => parseUnsigned(text, bits) })

export const u8 = unsigned(8)
export const u16 = unsigned(16)
export const u32 = unsigned(32)
export const integer = (name: string): Type<number> => ({ name, parse: parseSigned })
export const u64 = (name: string): Type<bigint> => ({ name, parse: (text) => parseU64(text) })

export const ON_OFF: Type<boolean> = {
  name: '{ on | off }', parse: (text) => (text === 'on' ? true : text === 'off' ? false : undefined),
  wrong: (text, key) => notOnOff(key, text), choices: ['on', 'off'],
}

/** One of these words, whole. */
export const oneOf = <W extends string>(words: readonly W[], why?: string): Type<W> => ({
  name: `{ ${words.join(' | ')} }`, parse: (text) => words.find((word) => word === text), choices: words,
  ...(why === undefined ? {} : { wrong: (text: string) => invarg(why, text) }),
})

export const SIZE: Type<number> = { name: 'BYTES', parse: parseSize }
export const RATE: Type<bigint> = { name: 'RATE', parse: parseRate }
export const TIME: Type<number> = { name: 'TIME', parse: parseTime }
export const TIME64: Type<bigint> = { name: 'TIME', parse: parseTime64 }
export const PREFIX: Type<Prefix> = {
  name: 'PREFIX', parse: (text) => parsePrefix(text),
  wrong: (text) => new InputError(`Error: any valid prefix is expected rather than "${text}".`, 1),
}

export const LLADDR: Type<Uint8Array> = {
  name: 'LLADDR', parse: parseLladdr,
  wrong: (text) => new InputError(`"${text.split(':').find((part) => !/^[0-9a-f]{1,2}$/i.test(part)) ?? text}" is invalid lladdr.`, 1),
}

export const HANDLE: Type<number> = { name: 'QHANDLE', parse: parseQdiscHandle, wrong: (text) => invarg('invalid qdisc ID', text) }
export const PARENT: Type<number> = { name: 'CLASSID', parse: parseClassid, wrong: (text) => invarg('invalid parent ID', text) }
export const CLASSID: Type<number> = { name: 'CLASSID', parse: parseClassid, wrong: (text) => invarg('invalid class ID', text) }
