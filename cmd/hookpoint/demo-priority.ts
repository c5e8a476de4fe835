// Chapter 2: a queueing discipline that is a program (Cong Wang's sch_bpf): strict priority by DSCP on a link of 10 Mbit/s.
import { dissect, readCapture, summarize } from '../../pkg/packet/index.js'
import type { Stage } from './demo-stage.js'

export type Frame = ReturnType<typeof readCapture>[number]

const CAPTURE = 'fixtures/pcap/mixed.pcap'
const NS_PER_BYTE = 800
const SHOWN = 10

export function priority(stage: Stage): void {
  stage.title('2. A queueing discipline that is a program')
  stage.run('tc qdisc add dev eth0 root handle 1: bpf obj fixtures/obj/sch_prio.o')
  stage.run('wire set dev eth0 rate 10mbit')
  stage.run('wire capture add dev eth0 tx file prio.pcap')
  stage.say('Sixty frames of everything at once, so that they have to wait:')
  stage.run(`wire replay ${CAPTURE} dev eth0 tx speed max`)
  stage.run('tc -s qdisc show dev eth0')
  stage.run('wire capture del dev eth0')
  const left = stage.capture('prio.pcap')
  show(stage, left)
  check(stage, stage.capture(CAPTURE), left)
}

function show(stage: Stage, frames: readonly Frame[]): void {
  stage.say(`prio.pcap begins with (time in ms, rank, frame):`)
  for (const { bytes, at } of frames.slice(0, SHOWN)) stage.say(`${(at / 1e6).toFixed(4).padStart(8)} ${String(rank(bytes)).padStart(3)}  ${summarize(bytes)}`)
}

function check(stage: Stage, sent: readonly Frame[], left: readonly Frame[]): void {
  stage.claim(`all ${sent.length} frames left eth0`, left.length === sent.length, `${left.length} frames`)
  const [first, ...waiting] = sent
  const order = [first!, ...waiting.toSorted((a, b) => rank(a.bytes) - rank(b.bytes))]
  const strange = order.findIndex(({ bytes }, i) => Buffer.compare(bytes, left[i]?.bytes ?? new Uint8Array(0)) !== 0)
  stage.claim('behind the first, which found the link free, they left by rank, equals in order of arrival', strange < 0, `frame ${strange} in another place`)
  const late = left.findIndex(({ at }, i) => i > 0 && at - left[i - 1]!.at !== left[i - 1]!.bytes.length * NS_PER_BYTE)
  stage.claim('each as soon as the one before was through at 10 Mbit/s, to the nanosecond', late < 0, `frame ${late} at another time`)
}

/** What sch_prio.c makes of a frame: link talk first, then by DSCP. */
function rank(bytes: Uint8Array): number {
  const keys = dissect(bytes)
  return keys.addrLen === 0 ? 0 : 64 - (keys.tos >> 2)
}
