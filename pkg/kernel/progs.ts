// Programs as bpf(2) sees them: load (verify, fix up, compile), records, runnables. kernel/bpf/syscall.c, bpf_prog_load and below.
import { KernelError } from '../bytes/errors.js'
import { INSN_SIZE } from '../insn/insn.js'
import type { MapAttr } from '../map/types.js'
import { decodeImage, encodeImage } from '../prog/image-file.js'
import type { Engine, EngineHost, Runnable } from '../prog/engine.js'
import type { Image } from '../prog/image.js'
import { progTag } from '../prog/tag.js'
import type { ProgDump, ProgInfo, ProgLoad } from '../request/bpf.js'
import type { Store } from '../state/store.js'
import { CALL } from '../uapi/bpf.js'
import { EINVAL, EOPNOTSUPP, type Errno } from '../uapi/errno.js'
import type { Btf } from '../btf/index.js'
import type { ProgFacts, VerifyInput, VerifyResult } from '../verifier/input.js'
import { checkAttributes } from './prog-attributes.js'
import type { Toolchain } from './toolchain.js'
import type { ObjectTable, ObjRecord } from './table.js'

/** BPF_JMP | BPF_CALL */
const CALL_INSN = 0x85

export interface ProgRecord extends ObjRecord {
  readonly type: number
  readonly name: string
  readonly tag: string
  readonly license: string
  readonly expectedAttachType: number
  readonly flags: number
  readonly dialect?: string
  readonly btfId: number
  readonly attachBtfId: number
  readonly mapIds: readonly number[]
  readonly loadTime: number
  readonly verifiedInsns: number
  readonly xlatedLen: number
  readonly jitedLen: number
  readonly funcInfoRec: number
  readonly lineInfoRec: number
  /** The program writes to packet data, and other facts that attach points ask for. */
  readonly facts: ProgFacts
}

type Accepted = Extract<VerifyResult, { ok: true }>

export interface ProgsHost {
  readonly store: Store
  now(): number
  tools(): Toolchain
  engine(): Engine
  /** Why programs can't call a helper on this machine. */
  refusal(helper: number): string | undefined
  /** This machine has that kernel function. */
  hasKfunc(name: string): boolean
  engineHost(): EngineHost
  mapAttr(id: number): MapAttr | undefined
  /** Bytes of the only value of a frozen read-only array. */
  frozenValue(id: number): Uint8Array | undefined
  /** Brings a map into memory: code has its address. */
  openMap(id: number): void
  holdMap(id: number): void
  dropMap(id: number): void
  ownMap(id: number, progType: number): void
  btfBytes(id: number): Uint8Array | undefined
  holdBtf(id: number): void
  dropBtf(id: number): void
  readonly cpus: number
  readonly strict: boolean
  readonly explain: boolean
  readonly dialect: string | undefined
}

const blob = (id: number, part: string): string => `prog.${id}.${part}`

export class Progs {
  readonly #host: ProgsHost
  readonly #table: ObjectTable<ProgRecord>
  readonly #images = new Map<number, Image>()
  readonly #runnables = new Map<number, Runnable>()

  constructor(host: ProgsHost, table: ObjectTable<ProgRecord>) {
    this.#host = host
    this.#table = table
  }

  /** BPF_PROG_LOAD. A refusal is a KernelError with the verifier's log. */
  load(request: ProgLoad): { id: number; log: string; notes: string[] } {
    checkAttributes(request)
    const result = this.#host.tools().verify(this.#input(request))
    if (!result.ok) throw new KernelError(result.errno as Errno, undefined, result.log, result.explain)
    this.#checkHelpers(result)
    const record = this.#table.create((id) => this.#record(id, request, result))
    this.#keep(record, result)
    return { id: record.id, log: result.log, notes: result.notes }
  }

  /** A helper that Linux has and this machine can't offer is refused at load, by name. */
  #checkHelpers({ image, log }: Accepted): void {
    for (const { code, src, imm } of image.insns) {
      const why = code === CALL_INSN && src === CALL.HELPER ? this.#host.refusal(imm) : undefined
      if (why !== undefined) throw new KernelError(EOPNOTSUPP, undefined, `${log}not supported yet: ${this.#host.tools().helperText(imm)}: ${why}\n`)
    }
  }

  #input(request: ProgLoad): VerifyInput {
    const { btfId } = request
    const btf = btfId ? this.#btf(btfId) : undefined
    if (btfId && btf === undefined) throw new KernelError(EINVAL)
    return {
      prog: request,
      maps: (id) => this.#host.mapAttr(id),
      btf,
      btfOf: (id) => this.#btf(id),
      vmlinux: () => this.#host.tools().vmlinuxBtf(),
      kfuncs: (name) => this.#host.hasKfunc(name),
      frozen: (id) => this.#host.frozenValue(id),
      logLevel: request.logLevel ?? 0,
      cpus: this.#host.cpus,
      strict: this.#host.strict,
      dialect: request.dialect ?? this.#host.dialect,
      explain: this.#host.explain,
    }
  }

  #btf(id: number): Btf | undefined {
    const bytes = this.#host.btfBytes(id)
    return bytes && this.#host.tools().parseBtf(bytes, 'BTF')
  }

  #record(id: number, request: ProgLoad, { image, facts, stats, funcInfo, lineInfo }: Accepted): ProgRecord {
    for (const mapId of image.mapIds) this.#host.ownMap(mapId, request.type)
    const compiled = this.#host.engine().compile(image, this.#host.engineHost())
    this.#images.set(id, image)
    this.#runnables.set(id, compiled)
    return {
      id, refs: 0, pins: [], type: request.type, name: request.name ?? '', tag: progTag(request.insns), license: request.license,
      expectedAttachType: request.expectedAttachType ?? 0, flags: request.flags ?? 0,
      ...(request.dialect === undefined ? {} : { dialect: request.dialect }),
      btfId: request.btfId ?? 0, attachBtfId: request.attachBtfId ?? 0, mapIds: image.mapIds, loadTime: this.#host.now(),
      verifiedInsns: stats.insnProcessed, xlatedLen: image.insns.length * INSN_SIZE, jitedLen: compiled.bytes?.length ?? 0,
      funcInfoRec: funcInfo?.recSize ?? 0, lineInfoRec: lineInfo?.recSize ?? 0, facts,
    }
  }

  #keep(record: ProgRecord, { image, funcInfo, lineInfo }: Accepted): void {
    const { store } = this.#host
    store.writeBlob(blob(record.id, 'image'), encodeImage(image))
    const code = this.#runnables.get(record.id)?.bytes
    if (code) store.writeBlob(blob(record.id, 'jited'), code)
    if (funcInfo) store.writeBlob(blob(record.id, 'func'), funcInfo.bytes)
    if (lineInfo) store.writeBlob(blob(record.id, 'line'), lineInfo.bytes)
    for (const id of record.mapIds) this.#host.holdMap(id)
    if (record.btfId > 0) this.#host.holdBtf(record.btfId)
  }

  record(id: number): ProgRecord {
    return this.#table.need(id)
  }

  find(id: number): ProgRecord | undefined {
    return this.#table.get(id)
  }

  image(id: number): Image {
    const known = this.#images.get(id)
    if (known) return known
    this.#table.need(id)
    const image = decodeImage(this.#blob(id, 'image') ?? new Uint8Array())
    this.#images.set(id, image)
    return image
  }

  #blob(id: number, part: string): Uint8Array | undefined {
    return this.#host.store.readBlob(blob(id, part))
  }

  /** The program ready to run; its maps are in memory and count as touched. */
  runnable(id: number): Runnable {
    const known = this.#runnables.get(id)
    if (known) return known
    const cached = this.#host.engine().name === 'jit' ? this.#blob(id, 'jited') : undefined
    const image = this.image(id)
    for (const mapId of image.mapIds) this.#host.openMap(mapId)
    const runnable = this.#host.engine().compile(image, this.#host.engineHost(), cached)
    this.#runnables.set(id, runnable)
    return runnable
  }

  info(id: number): ProgInfo {
    const { refs: _refs, facts, funcInfoRec: _func, lineInfoRec: _line, flags: _flags, ...record } = this.#table.need(id)
    return {
      ...record, mapIds: [...record.mapIds], pins: [...record.pins], gplCompatible: facts.gplCompatible, uid: 0,
      jited: record.jitedLen > 0, memlock: pages(record.xlatedLen), runTimeNs: 0, runCnt: 0, recursionMisses: 0,
    }
  }

  list(): ProgInfo[] {
    return this.#table.ids().map((id) => this.info(id))
  }

  dump(id: number): ProgDump {
    const record = this.#table.need(id)
    const jited = this.#blob(id, 'jited')
    const func = this.#blob(id, 'func')
    const line = this.#blob(id, 'line')
    return {
      info: this.info(id),
      xlated: this.image(id).insns,
      ...(jited ? { jited } : {}),
      ...(func ? { funcInfo: { recSize: record.funcInfoRec, bytes: func } } : {}),
      ...(line ? { lineInfo: { recSize: record.lineInfoRec, bytes: line } } : {}),
      subprogs: subprogTags(this.image(id)),
      maps: record.mapIds.map((mapId) => ({ id: mapId, name: this.#host.mapAttr(mapId)?.name ?? '' })),
    }
  }

  destroy(record: ProgRecord): void {
    this.#images.delete(record.id)
    this.#runnables.delete(record.id)
    for (const part of ['image', 'jited', 'func', 'line']) this.#host.store.deleteBlob(blob(record.id, part))
    for (const id of record.mapIds) this.#host.dropMap(id)
    if (record.btfId > 0) this.#host.dropBtf(record.btfId)
  }
}

/** Memory a program is charged with, in whole pages, as the kernel counts it. */
function pages(bytes: number): number {
  const PAGE_SIZE = 4096
  return Math.max(1, Math.ceil(bytes / PAGE_SIZE)) * PAGE_SIZE
}

/** What calls of a subprogram are named by: bpf_prog_TAG_name. */
function subprogTags({ insns, subprogs }: Image): { slot: number; tag: string }[] {
  return subprogs.map((slot, at) => ({ slot, tag: progTag(insns.slice(slot, subprogs[at + 1])) }))
}
