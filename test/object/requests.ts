// What a load asks for, in the form of fixtures/obj-cases/*.requests.json: names stand where ids or descriptors were.
import { encodeInsns } from '../../pkg/insn/insn.js'
import type { Recorder } from './recorder.js'

export interface Requests {
  recorded?: string
  maps: { name: string; type: number; keySize: number; valueSize: number; maxEntries: number; flags: number; mapExtra: number
    btfKeyTypeId: number; btfValueTypeId: number; inner: string }[]
  /** refs: slots that load a map, and which. */
  progs: { name: string; type: number; expectedAttachType: number; flags: number; insns: string; refs: [number, string][]
    funcInfo: string; lineInfo: string }[]
  /** map, key, value: its first four bytes or what they name. */
  updates: [string, string, string][]
  frozen: string[]
  btf?: string
}

export const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex')

/** Instructions with the ids of maps taken out, and which map each was. */
function symbolic(kernel: Recorder, prog: Recorder['progs'][number]): { insns: string; refs: [number, string][] } {
  const refs: [number, string][] = []
  const insns = prog.insns.map((i, slot) => {
    if (i.code !== 0x18 || (i.src !== 1 && i.src !== 2)) return i
    refs.push([slot, kernel.maps.find(m => m.id === i.imm)?.name ?? '?'])
    return { ...i, imm: 0 }
  })
  return { insns: hex(encodeInsns(insns)), refs }
}

export function requestsOf(kernel: Recorder): Requests {
  const name = (id: number | undefined): string => kernel.maps.find(m => m.id === id)?.name ?? ''
  return {
    maps: kernel.maps.map(m => ({
      name: m.name ?? '', type: m.type, keySize: m.keySize, valueSize: m.valueSize, maxEntries: m.maxEntries, flags: m.flags ?? 0,
      mapExtra: m.mapExtra ?? 0, btfKeyTypeId: m.btfKeyTypeId ?? 0, btfValueTypeId: m.btfValueTypeId ?? 0, inner: name(m.innerMapId),
    })),
    progs: kernel.progs.map(p => ({
      name: p.name ?? '', type: p.type, expectedAttachType: p.expectedAttachType ?? 0, flags: p.flags ?? 0, ...symbolic(kernel, p),
      funcInfo: hex(p.funcInfo?.bytes), lineInfo: hex(p.lineInfo?.bytes),
    })),
    updates: kernel.updates,
    frozen: kernel.frozen,
    ...(kernel.btf ? { btf: hex(kernel.btf) } : {}),
  }
}
