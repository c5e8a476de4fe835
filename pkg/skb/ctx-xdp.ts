// struct xdp_md on an xdp_buff: net/core/filter.c, xdp_is_valid_access(), xdp_convert_ctx_access().
import { exact, member, members, type Context } from './ctx-types.js'
import { NET_DEVICE, XDP_BUFF, XDP_RXQ, XDP_TXQ } from './layout.js'

const egress = exact('egress_ifindex', 20, 4, 'scalar', members([8, XDP_BUFF.txq], [8, XDP_TXQ.dev], [4, NET_DEVICE.ifindex]))

const xdpContext = (hidden: readonly string[]): Context => ({
  name: 'xdp_md', size: 24, writable: new Set(), hidden: new Set(hidden), ldAbs: false,
  fields: [
    exact('data', 0, 4, 'pkt', member(8, XDP_BUFF.data)),
    exact('data_end', 4, 4, 'pkt_end', member(8, XDP_BUFF.data_end)),
    exact('data_meta', 8, 4, 'pkt_meta', member(8, XDP_BUFF.data_meta)),
    exact('ingress_ifindex', 12, 4, 'scalar', members([8, XDP_BUFF.rxq], [8, XDP_RXQ.dev], [4, NET_DEVICE.ifindex])),
    exact('rx_queue_index', 16, 4, 'scalar', members([8, XDP_BUFF.rxq], [4, XDP_RXQ.queue_index])),
    egress,
  ],
})

/** egress_ifindex is for programs of a devmap only. */
export const xdp = xdpContext(['egress_ifindex'])
export const xdpDevmap = xdpContext([])
