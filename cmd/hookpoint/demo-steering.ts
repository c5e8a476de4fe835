// Chapter 1: a program chooses the transmit queue. The table is the XPS proposal's own demonstration (M. Cover, 2019).
import type { Stage } from './demo-stage.js'

type Shown = readonly { readonly tx_queues?: readonly { readonly packets: number }[] }[]

/** What the program answers, and the queues that packets from CPU 0 and CPU 1 take on a device of two. */
const TABLE = [
  { answer: 'none', object: undefined, queues: [0, 1] },
  { answer: '0', object: 'xps_hello0.o', queues: [0, 0] },
  { answer: '1', object: 'xps_hello1.o', queues: [1, 1] },
  { answer: '2', object: 'xps_hello2.o', queues: [0, 0] },
  { answer: '-1', object: 'xps_hello_m1.o', queues: [0, 1] },
] as const

const CPUS = [0, 1] as const

export function steering(stage: Stage): void {
  stage.title('1. A program chooses the transmit queue')
  stage.run('ip tuntap add dev tap0 mode tap multi_queue queues 2')
  stage.run('ip link set tap0 up')
  stage.say('CPU 0 belongs to queue 0, CPU 1 to queue 1: masks in sysfs files, as on Linux.')
  for (const cpu of CPUS) stage.run(`echo ${1 << cpu} > $HOOKPOINT_STATE/sys/class/net/tap0/queues/tx-${cpu}/xps_cpus`)
  const rows = TABLE.map(({ answer, object, queues }) => ({ answer, queues, found: sendFromEach(stage, object) }))
  stage.run('ip -d link show tap0')
  stage.run('ip -s -s link show tap0')
  greetings(stage, stage.run('bpftool prog tracelog'))
  stage.run('ip link set dev tap0 xps off')
  for (const { answer, queues, found } of rows) {
    const who = answer === 'none' ? 'without a program the masks decide' : answer === '-1' ? 'a program that declines leaves it to the masks' : `a program that answers ${answer} decides`
    stage.claim(`${who}: CPU 0 to queue ${queues[0]}, CPU 1 to queue ${queues[1]}`, String(found) === String(queues), `queues ${found.join(' and ')}`)
  }
}

/** Attaches the object, sends a packet from each CPU, and looks which queue's counter moved. */
function sendFromEach(stage: Stage, object: string | undefined): number[] {
  if (object !== undefined) stage.run(`ip link set dev tap0 xps obj fixtures/obj/${object} sec hello`)
  return CPUS.map((cpu) => {
    const before = counters(stage)
    stage.run(`wire send dev tap0 tx cpu ${cpu} eth_type ipv4 ip_proto udp dst_ip 169.254.254.1 dst_port 7`)
    return counters(stage).findIndex((packets, queue) => packets > before[queue]!)
  })
}

function counters(stage: Stage): number[] {
  const [tap] = stage.ask('ip -j -s -s link show tap0') as Shown
  return (tap?.tx_queues ?? []).map(({ packets }) => packets)
}

function greetings(stage: Stage, log: string): void {
  const count = log.split('Hello, World!').length - 1
  const expected = CPUS.length * TABLE.filter(({ object }) => object !== undefined).length
  stage.claim(`the programs ran once a packet: ${expected} lines in the trace`, count === expected, `${count} lines`)
}
