// Chapter 4: an XDP program counts what arrives, and bpftool looks into it.
import { dissect } from '../../pkg/packet/index.js'
import type { Stage } from './demo-stage.js'

type Count = { packets: number; bytes: number }
type Entry = { readonly formatted?: { readonly key: number; readonly value: Count } }

const CAPTURE = 'fixtures/pcap/mixed.pcap'
const NO_IP = 0x10000

export function counting(stage: Stage): void {
  stage.title('4. XDP counts what arrives')
  stage.run('ip link set dev eth1 xdp obj fixtures/obj/xdp_count.o sec xdp')
  stage.run(`wire replay ${CAPTURE} dev eth1 rx`)
  stage.run('bpftool prog show')
  stage.run('bpftool map show')
  stage.run('bpftool map dump name counts')
  const code = stage.run('bpftool prog dump xlated name xdp_count')
  const entries = stage.ask('bpftool -j map dump name counts') as Entry[]
  const found = table(entries.map(({ formatted }) => [formatted?.key ?? -1, formatted?.value ?? { packets: 0, bytes: 0 }]))
  const expected = table([...count(stage)])
  stage.claim(`packets and bytes of ${expected.length} protocols are those of the capture`, found.join() === expected.join(), found)
  const loads = ['(r1 +0)', '(r1 +8)'].filter((place) => code.includes(`= *(u64 *)${place}`))
  stage.claim('the program as it runs can be read: data and data_end come from the kernel\'s own xdp_buff', loads.length === 2, code)
}

const table = (entries: readonly (readonly [number, Count])[]): string[] =>
  entries.map(([key, { packets, bytes }]) => `${key}: ${packets} packets ${bytes} bytes`).sort()

/** What xdp_count.c should have found. */
function count(stage: Stage): Map<number, Count> {
  const counts = new Map<number, Count>()
  for (const { bytes } of stage.capture(CAPTURE)) {
    const { addrLen, ipProto, ethType } = dissect(bytes)
    const key = addrLen === 0 ? NO_IP | ethType : ipProto
    const { packets, bytes: before } = counts.get(key) ?? { packets: 0, bytes: 0 }
    counts.set(key, { packets: packets + 1, bytes: before + bytes.length })
  }
  return counts
}
