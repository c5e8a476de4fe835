// Chapter 3: the same queueing discipline gets classes, and another pair of programs while it runs: weighted round robin, 3 to 1.
import { dissect } from '../../pkg/packet/index.js'
import type { Stage } from './demo-stage.js'

type Classes = readonly { readonly handle?: string; readonly stats?: { readonly packets?: number } }[]

const EACH = 12
const PACKET = 'eth_type ipv4 ip_proto udp len 500'

export function roundRobin(stage: Stage): void {
  stage.title('3. Other programs, with classes, while it runs')
  stage.run('tc class add dev eth0 parent 1: classid 1:1 bpf')
  stage.run('tc class add dev eth0 parent 1: classid 1:2 bpf')
  stage.run('tc qdisc change dev eth0 root bpf obj fixtures/obj/sch_wrr.o')
  stage.run('wire capture add dev eth0 tx file wrr.pcap')
  stage.say('Twelve frames of marked traffic for class 1:1, twelve of best effort for 1:2; the clock stands until both have arrived.')
  stage.run(`wire send dev eth0 tx count ${EACH} hold ${PACKET} ip_tos b8`)
  stage.run(`wire send dev eth0 tx count ${EACH} hold ${PACKET} ip_tos 0`)
  stage.run('wire run until idle')
  stage.run('tc -s class show dev eth0')
  stage.run('tc qdisc show dev eth0')
  const order = stage.capture('wrr.pcap').map(({ bytes }) => (dissect(bytes).tos === 0 ? '2' : '1')).join('')
  stage.say(`Classes in the order their frames left: ${order}`)
  const rounds = EACH / 3
  stage.claim('three frames of 1:1 to one of 1:2 while both have some', order === `${'1112'.repeat(rounds)}${'2'.repeat(EACH - rounds)}`, order)
  const packets = (stage.ask('tc -j -s class show dev eth0') as Classes).map(({ stats }) => stats?.packets)
  stage.claim(`tc counts ${EACH} packets for each class`, String(packets) === `${EACH},${EACH}`, packets)
}
