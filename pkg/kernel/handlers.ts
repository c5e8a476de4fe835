// op -> what answers it. The kernel's two doors, bpf(2) and rtnetlink, and the emulator's own (wire, sys), in one table.
import type { Net } from '../datapath/index.js'
import type { Op, Reply, Request } from '../request/kernel.js'
import type { Addresses } from './addresses.js'
import type { Bpffs } from './bpffs.js'
import type { Btfs } from './btfs.js'
import type { Links } from './links.js'
import type { Maps } from './maps.js'
import type { Progs } from './progs.js'
import type { Sysctl } from './sysctl.js'
import type { TestRunner } from './test-run.js'
import type { Trace } from './trace.js'

/** The subsystems that answer. Each is made when first asked for. */
export interface Subsystems {
  readonly maps: Maps
  readonly progs: Progs
  readonly btfs: Btfs
  readonly links: Links
  readonly bpffs: Bpffs
  readonly addresses: Addresses
  readonly trace: Trace
  readonly sysctl: Sysctl
  readonly net: Net
  readonly testRunner: TestRunner
  btfUsers(btfId: number): { progIds: number[]; mapIds: number[] }
  info(): Reply<'sys.info'>
}

export type Handlers = { readonly [K in Op]: (s: Subsystems, request: Request<K>) => Reply<K> }

export const handlers: Handlers = {
  'map.create': (s, r) => s.maps.create(r),
  'map.lookup': (s, r) => s.maps.lookup(r),
  'map.update': (s, r) => s.maps.update(r),
  'map.delete': (s, r) => s.maps.delete(r),
  'map.lookup_and_delete': (s, r) => s.maps.lookupAndDelete(r),
  'map.next_key': (s, r) => s.maps.nextKey(r),
  'map.entries': (s, r) => s.maps.entries(r.mapId),
  'map.counters': (s, r) => s.maps.map(r.mapId).counters?.() ?? [],
  'map.freeze': (s, r) => s.maps.freeze(r.mapId),
  'map.info': (s, r) => s.maps.info(r.id),
  'map.list': (s) => s.maps.list(),

  'prog.load': (s, r) => s.progs.load(r),
  'prog.info': (s, r) => s.progs.info(r.id),
  'prog.list': (s) => s.progs.list(),
  'prog.dump': (s, r) => s.progs.dump(r.id),
  'prog.test_run': (s, r) => s.testRunner.run(r),

  'btf.load': (s, r) => s.btfs.load(r),
  'btf.info': (s, r) => s.btfs.info(r.id, (id) => s.btfUsers(id)),
  'btf.list': (s) => s.btfs.list((id) => s.btfUsers(id)),
  'btf.bytes': (s, r) => s.btfs.bytes(r.id),

  'bpf_link.create': (s, r) => s.links.create(r),
  'bpf_link.update': (s, r) => s.links.update(r),
  'bpf_link.detach': (s, r) => s.links.detach(r.linkId),
  'bpf_link.info': (s, r) => s.links.info(r.id),
  'bpf_link.list': (s) => s.links.list(),

  'obj.pin': (s, r) => s.bpffs.pin(r),
  'obj.get': (s, r) => s.bpffs.get(r.path),
  'obj.unpin': (s, r) => s.bpffs.unpin(r.path),
  'obj.list': (s, r) => s.bpffs.list(r.prefix),
  'trace.read': (s, r) => s.trace.read(r.keep ?? false),

  'link.get': (s, r) => s.net.linkGet(r),
  'link.new': (s, r) => s.net.linkNew(r),
  'link.set': (s, r) => s.net.linkSet(r),
  'link.del': (s, r) => deleteLink(s, r),
  'tun.add': (s, r) => s.net.tunAdd(r),
  'tun.del': (s, r) => s.net.tunDel(r),
  'tun.steer': (s, r) => s.net.tunSteer(r),
  'tun.filter': (s, r) => s.net.tunFilter(r),
  'addr.get': (s, r) => s.addresses.get(r),
  'addr.new': (s, r) => s.addresses.add(r),
  'addr.del': (s, r) => s.addresses.delete(r),
  'qdisc.get': (s, r) => s.net.qdiscGet(r),
  'qdisc.new': (s, r) => s.net.qdiscNew(r),
  'qdisc.del': (s, r) => s.net.qdiscDel(r),
  'class.get': (s, r) => s.net.classGet(r),
  'class.new': (s, r) => s.net.classNew(r),
  'class.del': (s, r) => s.net.classDel(r),
  'filter.get': (s, r) => s.net.filterGet(r),
  'filter.new': (s, r) => s.net.filterNew(r),
  'filter.del': (s, r) => s.net.filterDel(r),

  'wire.send': (s, r) => s.net.wireSend(r),
  'wire.run': (s, r) => s.net.wireRun(r),
  'wire.time': (s) => s.net.wireTime(),
  'wire.set': (s, r) => s.net.wireSet(r),
  'wire.capture.add': (s, r) => s.net.wireCaptureAdd(r),
  'wire.capture.del': (s, r) => s.net.wireCaptureDel(r),
  'wire.capture.show': (s, r) => s.net.wireCaptureShow(r),
  'wire.show': (s, r) => s.net.wireShow(r),
  'wire.take': (s, r) => s.net.wireTake(r),

  'sysctl.get': (s, r) => s.sysctl.get(r.path),
  'sysctl.set': (s, r) => s.sysctl.set(r.path, r.value),
  'sys.info': (s) => s.info(),
}

/** With a device go its addresses and its places in devmaps, and those of a veth's other end. */
function deleteLink(s: Subsystems, request: Request<'link.del'>): void {
  const [link] = s.net.linkGet({ dev: request.dev })
  s.net.linkDel(request)
  if (!link) return
  for (const ifindex of [link.ifindex, link.peerIfindex]) {
    if (ifindex === undefined) continue
    s.addresses.forget(ifindex)
    s.maps.dropDevice(ifindex)
  }
}
