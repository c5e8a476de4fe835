// The library: a machine in memory or on a state directory, the requests the commands make, typed errors.
import t from 'tap'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { asm, frame, KernelError, MAP_TYPE, openMachine, PROG_TYPE, XDP } from '../pkg/index.js'
import { EACCES, ENOENT } from '../pkg/uapi/errno.js'
import { root } from './support/root.js'

const object = (name: string): Buffer => readFileSync(root('fixtures', 'obj', `${name}.o`))
const UDP = 'eth_type ipv4 ip_proto udp dst_ip 10.0.0.2 dst_port 7'

t.test('the example of the README passes', async (t) => {
  const { status, stdout } = spawnSync(process.execPath, ['--test', 'fixtures/example'], { cwd: root(), encoding: 'utf8' })
  t.equal(status, 0, stdout)
})

t.test('an object loads by names, runs and counts', async (t) => {
  const machine = openMachine()
  const { progs, maps } = machine.load(object('xdp_count'))
  t.equal(machine.run(progs['xdp_count']!, UDP).retval, XDP.PASS)
  const entries = machine.bpf('map.entries', { mapId: maps['counts']! })
  t.equal(entries.length, 1)
  t.same([...entries[0]!.key], [17, 0, 0, 0])
  machine.close()
})

t.test('frames go in and come out', async (t) => {
  const machine = openMachine()
  const { progs } = machine.load(object('xdp_tx'))
  machine.rtnl('link.set', { dev: 'eth1', xdp: { progId: Object.values(progs)[0]! } })
  const sent = frame(UDP)
  t.match(machine.send('eth1', 'rx', sent), { frames: 1, transmitted: 1, delivered: 0, queued: 0 })
  const out = machine.wire('wire.take', { dev: 'eth1', from: 'tx' })
  t.equal(out.length, 1)
  t.equal(out[0]!.bytes.length, sent.length)
  t.same(machine.wire('wire.take', { dev: 'eth1', from: 'tx' }), [], 'taken once')
  machine.close()
})

t.test('raw instructions load with maps, and a refusal has errno and log', async (t) => {
  const machine = openMachine()
  const map = machine.bpf('map.create', { type: MAP_TYPE.ARRAY, name: 'm', keySize: 4, valueSize: 8, maxEntries: 1 })
  const good = asm('*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\nr1 = map[m]\ncall 1\nif r0 == 0 goto out\nr0 = *(u64 *)(r0 +0)\nout:\nexit', { maps: { m: map.id } })
  const { id } = machine.bpf('prog.load', { type: PROG_TYPE.XDP, insns: good, license: 'GPL' })
  machine.bpf('map.update', { mapId: map.id, key: new Uint8Array(4), value: Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0) })
  t.equal(machine.run(id, UDP).retval, XDP.PASS)
  const bad = asm('r0 = *(u64 *)(r1 +0)\nexit')
  try {
    machine.bpf('prog.load', { type: PROG_TYPE.XDP, insns: bad, license: 'GPL', logLevel: 1 })
    t.fail('the verifier let a wide context load through')
  } catch (error) {
    t.ok(error instanceof KernelError)
    t.match(error, { errno: EACCES, log: /invalid bpf_context access off=0 size=8/ })
  }
  t.match(t.throws(() => machine.bpf('prog.info', { id: 4711 })), { errno: ENOENT })
  machine.close()
})

t.test('both engines, one answer', async (t) => {
  const answers = [true, false].map((jit) => {
    const machine = openMachine({ jit })
    const { progs } = machine.load(object('xdp_parse'))
    const { retval } = machine.run(Object.values(progs)[0]!, UDP)
    machine.close()
    return retval
  })
  t.equal(answers[0], answers[1])
})

t.test('a state directory is shared with whoever comes next', async (t) => {
  const dir = `${t.testdir()}/state`
  const first = openMachine({ dir, cpus: 2 })
  const { progs } = first.load(object('xdp_count'))
  first.bpf('obj.pin', { kind: 'prog', id: progs['xdp_count']!, path: '/sys/fs/bpf/count' })
  first.commit()
  first.rtnl('link.set', { dev: 'eth0', mtu: 1400 })
  first.close()

  const second = openMachine({ dir })
  t.equal(second.sys('sys.info', {}).cpus, 2)
  t.match(second.bpf('obj.get', { path: '/sys/fs/bpf/count' }), { kind: 'prog' })
  t.equal(second.rtnl('link.get', { dev: 'eth0' })[0]!.mtu, 1500, 'what was not committed is gone')
  second.close()
})
