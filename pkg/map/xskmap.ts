// xskmap: net/xdp/xskmap.c. There are no AF_XDP sockets on an emulated machine, so its slots stay empty.
import { KernelError } from '../bytes/errors.js'
import type { Region } from '../mem/space.js'
import { MAP_F, MAP_TYPE, UPDATE } from '../uapi/bpf.js'
import { E2BIG, EBADF, EINVAL, EOPNOTSUPP } from '../uapi/errno.js'
import { refuse, type NewMap } from './check.js'
import { MAP, writeHeader } from './header.js'
import { IndexedMap } from './indexed.js'
import type { MapAttr, MapHost, MapKind } from './types.js'

export class XskMap extends IndexedMap {
  constructor(attr: MapAttr, region: Region, host: MapHost) {
    super(attr, region, host, 0)
  }

  lookup(): number {
    return 0
  }

  update(): number {
    return -EINVAL
  }

  delete(key: number): number {
    return this.find(key) === 0 ? -EINVAL : 0
  }

  override sysLookup(_key: Uint8Array, flags: number): Uint8Array {
    this.checkRead()
    this.checkFlags(flags)
    throw new KernelError(EOPNOTSUPP)
  }

  override sysUpdate(key: Uint8Array, _value: Uint8Array, flags: number): void {
    this.checkWrite()
    refuse(flags > UPDATE.EXIST, EINVAL)
    refuse(this.find(this.stageKey(key)) === 0, E2BIG)
    throw new KernelError(EBADF, 'not supported yet: AF_XDP sockets')
  }
}

function check(attr: NewMap): void {
  refuse(attr.maxEntries === 0 || attr.keySize !== 4 || attr.valueSize !== 4, EINVAL)
  refuse((attr.flags & ~(MAP_F.NUMA_NODE | MAP_F.RDONLY | MAP_F.WRONLY)) !== 0, EINVAL)
}

export const xskmap: MapKind = {
  type: MAP_TYPE.XSKMAP,
  name: 'xskmap',
  check,
  bytes: () => MAP.size,
  create(attr, region, host) {
    writeHeader(host.mem, region.addr, attr)
    return new XskMap(attr, region, host)
  },
  open: (attr, region, host) => new XskMap(attr, region, host),
}
