// The engines against each other: for every seed the interpreter, the JIT, the plain JIT and the ring loop leave the same r0,
// registers, packet and frame.
import { CONTEXTS, RET_HI, RING, STACK_TOP } from '../../pkg/mem/layout.js'
import type { Runnable } from '../../pkg/prog/engine.js'
import { XDP_BUFF } from '../../pkg/skb/layout.js'
import { PROG_TYPE } from '../../pkg/uapi/bpf.js'
import { disasm } from '../../pkg/insn/disasm.js'
import { AT, engines, hex64, imageOf, memory, testHost, type TestHost } from '../insn/machine.js'
import { HELPERS, PACKET_SIZE, randomProgram } from './program.js'
import { Random } from './random.js'

const FRAMES = 4096

/** What a run left behind, in words. */
interface Outcome { readonly engine: string, readonly r0: string, readonly packet: string, readonly frames: string }

/** undefined: all agree; else what they did, and the program. */
export function fuzzEngines(seed: number): string | undefined {
  const random = new Random(seed)
  const image = imageOf(randomProgram(random), { type: PROG_TYPE.XDP })
  const packet = Uint8Array.from({ length: PACKET_SIZE }, () => random.u32() >>> 24)
  const host = fuzzHost()
  const outcomes = engines.flatMap(([name, engine]) => {
    const runnable = engine.compile(image, host)
    host.running = runnable
    const single = observe(name, packet, () => hex64(runnable.run(CONTEXTS), memory().u32[RET_HI >> 2]!))
    return runnable.batch === undefined ? [single] : [single, observe(`${name} ring`, packet, () => ring(runnable, single.r0))]
  })
  const [first, ...others] = outcomes
  const differs = others.filter(o => o.r0 !== first!.r0 || o.packet !== first!.packet || o.frames !== first!.frames)
  if (differs.length === 0) return undefined
  const listing = image.insns.flatMap((i, pc) => (i.code === 0 ? [] : [`${pc}: ${disasm(image.insns, pc)}`])).join('\n')
  return `seed ${seed}: ${first!.r0} ${first!.packet}\n${differs.map(o => `${o.engine}: ${o.r0} ${o.packet}`).join('\n')}\n${listing}`
}

/** Helpers that are pure functions of their arguments' bits. */
function fuzzHost(): TestHost {
  const host = testHost()
  const { view } = memory()
  const mix = (...args: readonly number[]): number => args.reduce((a, b) => Math.imul(a ^ b, 0x9e3779b1) + 1 | 0, 7)
  host.helpers.set(HELPERS[0], { ret: 'int', call: mix })
  host.helpers.set(HELPERS[1], { ret: 'uint', call: (a, b) => mix(a, b) })
  host.helpers.set(HELPERS[2], {
    wide: 0b11111,
    ret: 'wide',
    call: (...args) => {
      const high = mix(...args.map((_, n) => view.getInt32(0x10000 + 4 * n, true)))
      view.setInt32(RET_HI, high, true)
      return mix(...args)
    },
  })
  return host
}

function observe(engine: string, packet: Uint8Array, run: () => string): Outcome {
  const { u8, u32 } = memory()
  u8.set(packet, AT.packet)
  u8.fill(0, STACK_TOP - FRAMES, STACK_TOP)
  u32[(CONTEXTS + XDP_BUFF.data) >> 2] = AT.packet
  u32[(CONTEXTS + XDP_BUFF.data_end) >> 2] = AT.packet + PACKET_SIZE
  const r0 = run()
  const hex = (from: number, to: number): string => Buffer.from(u8.slice(from, to)).toString('hex')
  return { engine, r0, packet: hex(AT.packet, AT.packet + PACKET_SIZE), frames: hex(STACK_TOP - FRAMES, STACK_TOP) }
}

/** The ring keeps the low half only: the high half is taken from the single run. */
function ring(runnable: Runnable, single: string): string {
  const { u32 } = memory()
  u32.set([AT.packet, AT.packet + PACKET_SIZE, 0, 0], RING >> 2)
  runnable.batch!(CONTEXTS, 1)
  return hex64(u32[(RING >> 2) + 2]!, Number(BigInt(single) >> 32n))
}
