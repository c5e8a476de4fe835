// the struct_ops series of 2020 without TCP transfers: states, errno table, reference counts, links and the loader's sentences, with
// objects of fixtures/struct_ops. Marked [K]: the same answer was seen from Linux 6.18.
import t, { type Test } from 'tap'
import { KernelError } from '../../pkg/index.js'
import { vmlinuxBtf } from '../../pkg/btf/index.js'
import { attachStructOps } from '../../pkg/object/struct-ops-attach.js'
import { STATE } from '../../pkg/map/struct-ops-types.js'
import { ATTACH_TYPE, MAP_F, MAP_TYPE, UPDATE_LINK } from '../../pkg/uapi/bpf.js'
import {
  E2BIG, EACCES, EBADF, EBUSY, EEXIST, EINPROGRESS, EINVAL, ENOENT, ENOTSUPP, EOPNOTSUPP, EPERM,
} from '../../pkg/uapi/errno.js'
import { errnoOf, KEY, Tables } from '../support/tables.js'

const ONE = Uint8Array.of(1, 0, 0, 0)
const AVAILABLE = 'net/ipv4/tcp_available_congestion_control'
const CURRENT = 'net/ipv4/tcp_congestion_control'

t.test('a table is registered by its update and outlives the command', (t) => {
  const s = new Tables(t)
  const { mapId } = s.register('cong.o')
  t.same(s.state(mapId), { refcnt: 1, state: STATE.INUSE })
  t.equal(s.m.sys('sysctl.get', { path: AVAILABLE }), 'reno cubic hp_mytest')
  s.again()
  t.same(s.state(mapId), { refcnt: 1, state: STATE.INUSE })
  t.equal(s.m.sys('sysctl.get', { path: AVAILABLE }), 'reno cubic hp_mytest')
  s.m.bpf('map.delete', { mapId, key: KEY })
  t.equal(s.m.sys('sysctl.get', { path: AVAILABLE }), 'reno cubic')
  t.end()
})

t.test('update, lookup, delete and next_key by the errno table', (t) => {
  const s = new Tables(t)
  const [table] = s.load('cong.o').tables
  const { mapId, value } = table!
  const update = (more: object = {}): number => errnoOf(() => s.m.bpf('map.update', { mapId, key: KEY, value, flags: 0, ...more }))
  const changed = (at: number): Uint8Array => Object.assign(value.slice(), { [at]: 1 })
  t.same(s.m.bpf('map.lookup', { mapId, key: KEY }), new Uint8Array(256), 'before the update all is zero')
  t.equal(errnoOf(() => s.m.bpf('map.delete', { mapId, key: KEY })), ENOENT)
  t.equal(update({ flags: 1 }), EINVAL)
  t.equal(update({ key: ONE }), E2BIG)
  t.equal(update({ value: changed(20) }), EINVAL, 'a hole is not zero')
  t.equal(update({ value: changed(0) }), EINVAL, 'a refcnt of the user')
  t.equal(update({ value: changed(4) }), EINVAL, 'a state of the user')
  t.equal(update({ value: Object.assign(value.slice(), { 64: 200 }) }), EBADF, 'no such program')
  t.equal(update({ value: Object.assign(value.slice(), { 64: value[72]! }) }), EINVAL, 'a program of another member')
  t.equal(update({ value: Object.assign(value.slice(), { [64 + 133]: 1 }) }), EINVAL, 'an unknown flag')
  t.equal(update({ value: value.slice().fill(0, 64 + 88, 64 + 104) }), EINVAL, 'no name')
  t.equal(update({ value: changed(64 + 104) }), EINVAL, 'an owner')
  t.equal(update(), 0)
  t.equal(update(), EBUSY)
  t.equal(errnoOf(() => s.m.bpf('map.lookup', { mapId, key: ONE })), ENOENT)
  t.equal(errnoOf(() => s.m.bpf('map.delete', { mapId, key: ONE })), E2BIG)
  t.equal(errnoOf(() => s.m.bpf('map.freeze', { mapId })), ENOTSUPP)
  t.same(s.m.bpf('map.next_key', { mapId }), KEY)
  t.same(s.m.bpf('map.next_key', { mapId, key: ONE }), KEY)
  t.equal(s.m.bpf('map.next_key', { mapId, key: KEY }), undefined)
  t.end()
})

t.test('map create', (t) => {
  const s = new Tables(t)
  const id = (name: string): number => vmlinuxBtf().find(name)!.id
  const good = { type: MAP_TYPE.STRUCT_OPS, keySize: 4, valueSize: 256, maxEntries: 1, btfVmlinuxValueTypeId: id('bpf_struct_ops_tcp_congestion_ops') }
  const create = (more: object = {}): number => errnoOf(() => s.m.bpf('map.create', { ...good, ...more }))
  t.equal(create(), 0)
  t.equal(create({ flags: MAP_F.LINK }), 0)
  t.equal(create({ keySize: 8 }), EINVAL)
  t.equal(create({ maxEntries: 2 }), EINVAL)
  t.equal(create({ flags: MAP_F.NO_PREALLOC }), EINVAL)
  t.equal(create({ valueSize: 192 }), EINVAL)
  t.equal(create({ btfVmlinuxValueTypeId: 0 }), EINVAL)
  t.equal(create({ btfVmlinuxValueTypeId: id('sk_buff') }), ENOTSUPP)
  t.equal(create({ btfVmlinuxValueTypeId: id('bpf_struct_ops_Qdisc_ops') }), 0)
  t.end()
})

t.test('a failed registration leaves an empty map that can be tried again', (t) => {
  const s = new Tables(t)
  const [poor] = s.load('cong_noundo.o').tables
  const again = (): number => errnoOf(() => attachStructOps(s.kernel, poor!))
  t.equal(again(), EINVAL, '[K] undo_cwnd is missing')
  t.same(s.state(poor!.mapId), { refcnt: 0, state: STATE.INIT })
  const [whole] = s.load('cong.o').tables
  t.equal(errnoOf(() => s.m.bpf('map.update', { mapId: poor!.mapId, key: KEY, value: whole!.value })), 0)
  t.same(s.state(poor!.mapId), { refcnt: 1, state: STATE.INUSE })
  t.equal(errnoOf(() => attachStructOps(s.kernel, whole!)), EEXIST, '[K] the name is taken')
  t.same(s.state(whole!.mapId), { refcnt: 0, state: STATE.INIT })
  t.end()
})

t.test('who uses a table keeps it after unregistering', (t) => {
  const s = new Tables(t)
  const { mapId } = s.register('cong.o')
  s.m.sys('sysctl.set', { path: CURRENT, value: 'hp_mytest' })
  t.same(s.state(mapId), { refcnt: 2, state: STATE.INUSE })
  s.m.bpf('map.delete', { mapId, key: KEY })
  t.same(s.state(mapId), { refcnt: 1, state: STATE.TOBEFREE })
  t.equal(errnoOf(() => s.m.bpf('map.delete', { mapId, key: KEY })), EINPROGRESS)
  s.again()
  t.equal(s.m.sys('sysctl.get', { path: CURRENT }), 'hp_mytest')
  s.m.sys('sysctl.set', { path: CURRENT, value: 'cubic' })
  s.again()
  t.equal(s.state(mapId), undefined, 'the last user was all that held the map')
  t.same(s.m.bpf('prog.list', {}), [])
  t.equal(errnoOf(() => s.m.sys('sysctl.set', { path: CURRENT, value: 'hp_mytest' })), ENOENT)
  t.equal(errnoOf(() => s.m.sys('sysctl.set', { path: AVAILABLE, value: 'reno' })), EACCES)
  t.end()
})

t.test('links register, change and let go', (t) => {
  const s = new Tables(t)
  const [first] = s.load('cong_link.o').tables
  const link = (): number => s.m.bpf('bpf_link.create', { mapId: first!.mapId, attachType: ATTACH_TYPE.STRUCT_OPS }).id
  t.equal(errnoOf(link), EINVAL, 'not ready')
  const { linkId } = attachStructOps(s.kernel, first!)
  t.same(s.state(first!.mapId), { refcnt: 1, state: STATE.READY })
  t.equal(errnoOf(link), EEXIST)
  t.equal(errnoOf(() => s.m.bpf('map.delete', { mapId: first!.mapId, key: KEY })), EOPNOTSUPP)
  const [second] = s.load('cong_link2.o').tables
  s.m.bpf('map.update', { mapId: second!.mapId, key: KEY, value: second!.value })
  const change = (mapId: number, oldMapId?: number): number => errnoOf(() => s.m.bpf('bpf_link.update', {
    linkId: linkId!, mapId, ...(oldMapId === undefined ? {} : { oldMapId, flags: UPDATE_LINK.F_REPLACE }),
  }))
  t.equal(change(second!.mapId, second!.mapId), EPERM)
  t.equal(change(second!.mapId, first!.mapId), 0)
  t.equal(s.m.bpf('bpf_link.info', { id: linkId! }).mapId, second!.mapId)
  const plain = s.register('cong.o')
  t.equal(change(plain.mapId), EINVAL, 'a table that no link may have')
  s.m.bpf('obj.pin', { kind: 'link', id: linkId!, path: '/sys/fs/bpf/table' })
  s.again()
  t.match(s.m.sys('sysctl.get', { path: AVAILABLE }), /hp_mylink/)
  s.m.bpf('bpf_link.detach', { linkId: linkId! })
  t.notMatch(s.m.sys('sysctl.get', { path: AVAILABLE }), /hp_mylink/)
  t.equal(s.m.bpf('bpf_link.info', { id: linkId! }).mapId, 0)
  s.m.bpf('bpf_link.create', { mapId: second!.mapId, attachType: ATTACH_TYPE.STRUCT_OPS })
  t.match(s.m.sys('sysctl.get', { path: AVAILABLE }), /hp_mylink/, 'a table that is let go may be registered again')
  t.end()
})

function refused(t: Test, name: string, errno: number, ...words: RegExp[]): void {
  const s = new Tables(t)
  let log = ''
  const got = errnoOf(() => {
    try {
      s.load(name)
    } catch (error) {
      if (error instanceof KernelError) log = error.log ?? ''
      throw error
    }
  })
  t.equal(got, errno, name)
  for (const word of words) t.match(`${s.warnings.join('\n')}\n${log}`, word)
}

t.test('what the loader and the verifier say', (t) => {
  refused(t, 'cong_license.o', EINVAL, /^struct ops programs must have a GPL compatible license$/m)
  refused(t, 'cong_unreferenced.o', EINVAL, /prog 't_nobody': SEC\("struct_ops"\) program isn't referenced anywhere, did you forget to use it\?/)
  refused(t, 'cong_future.o', EOPNOTSUPP, /struct_ops init_kern mytest: Cannot find member from_the_future in kernel BTF/)
  refused(t, 'cong_reuse.o', EINVAL, /invalid reuse of prog t_ss in sec struct_ops\/ssthresh with type 27: expected_attach_type 0 != kern_member_idx 8/)
  refused(t, 'cong_badwrite.o', EACCES, /^func 'cong_avoid' arg0 has btf_id \d+ type STRUCT 'sock'$/m, /R2=trusted_ptr_tcp_sock\(\)/, /^no write support to tcp_sock at off 1664$/m)
  t.end()
})

t.test('members are found by name, sections with ? stay away', (t) => {
  const s = new Tables(t)
  s.register('cong_flavour.o')
  t.match(s.m.sys('sysctl.get', { path: AVAILABLE }), /hp_mytest/)
  t.equal(errnoOf(() => s.register('cong_kfuncs.o')), 0, '[K] kernel functions, private words, an extern of the configuration')
  t.same(s.load('cong_optional.o').tables, [])
  t.same(s.load('cong_write.o').tables.length, 1, 'snd_cwnd may be written')
  t.end()
})

t.test('members and structs that no program may be', (t) => {
  const s = new Tables(t)
  const insns = [{ code: 0xb7, dst: 0, src: 0, off: 0, imm: 0 }, { code: 0x95, dst: 0, src: 0, off: 0, imm: 0 }]
  const ops = vmlinuxBtf().find('tcp_congestion_ops')!.id
  const load = (attachBtfId: number, expectedAttachType: number): string => {
    try {
      s.m.bpf('prog.load', { type: 27, insns, license: 'GPL', attachBtfId, expectedAttachType, logLevel: 1 })
      return 'loaded'
    } catch (error) {
      if (error instanceof KernelError) return `${error.errno} ${error.log?.split('\n')[0]}`
      throw error
    }
  }
  const skb = vmlinuxBtf().find('sk_buff')!.id
  t.equal(load(ops, 0), 'loaded')
  t.equal(load(skb, 0), `524 attach_btf_id ${skb} is not a supported struct`)
  t.equal(load(ops, 99), '22 attach to invalid member idx 99 of struct tcp_congestion_ops')
  t.equal(load(ops, 11), '22 attach to invalid member name(@idx 11) of struct tcp_congestion_ops')
  t.equal(load(ops, 10), '524 attach to unsupported member get_info of struct tcp_congestion_ops')
  t.end()
})
