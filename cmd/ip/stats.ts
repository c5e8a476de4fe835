// The counters below a device (ip/ipaddress.c print_stats64): columns as wide as their widest figure.
import type { Writer } from '../../pkg/print/index.js'
import type { LinkStats } from '../../pkg/request/rtnl.js'

export type StatsStyle = { readonly level: number; readonly human: boolean; readonly iec: boolean }

const HEADS = {
  rx: ['bytes', 'packets', 'errors', 'dropped', 'missed', 'mcast'],
  rxErrors: ['length', 'crc', 'frame', 'fifo', 'overrun'],
  tx: ['bytes', 'packets', 'errors', 'dropped', 'carrier', 'collsns'],
  txErrors: ['aborted', 'fifo', 'window', 'heartbt', 'transns'],
} as const

/** Width of '*X errors:' and of the widest head of each column. */
const WIDTHS = [10, 7, 6, 7, 7, 7, 10] as const

/** -s: two tables; -s -s: the errors by kind, which emulated hardware doesn't make. */
export function printLinkStats(w: Writer, stats: LinkStats, style: StatsStyle): void {
  if (w.isJson) printJson(w, stats, style.level)
  else printTables(w, stats, style)
}

function rows(stats: LinkStats): { rx: number[]; tx: number[] } {
  return {
    rx: [stats.rxBytes, stats.rxPackets, stats.rxErrors, stats.rxDropped, stats.rxMissed, stats.rxMulticast],
    tx: [stats.txBytes, stats.txPackets, stats.txErrors, stats.txDropped, stats.txCarrier, stats.txCollisions],
  }
}

function printTables(w: Writer, stats: LinkStats, style: StatsStyle): void {
  const { rx, tx } = rows(stats)
  const show = (value: number): string => (style.human ? humanNumber(value, style.iec) : String(value))
  const widths = WIDTHS.map((width, i) => Math.max(width, show(rx[i] ?? 0).length, show(tx[i] ?? 0).length))
  table(w, 'RX', HEADS.rx, rx.map(show), widths)
  if (style.level > 1) errors(w, 'RX', HEADS.rxErrors, widths)
  w.nl()
  table(w, 'TX', HEADS.tx, tx.map(show), widths)
  if (style.level > 1) errors(w, 'TX', HEADS.txErrors, widths)
}

function table(w: Writer, side: string, heads: readonly string[], values: readonly string[], widths: readonly number[]): void {
  const cells = heads.map((head, i) => head.padStart(i === 0 ? widths[0]! - 4 : widths[i]!))
  w.text('    %s: %s %s', side, cells.join(' '), ' '.repeat(widths[6]!))
  w.nl()
  w.text('    %s ', values.map((value, i) => value.padStart(widths[i]!)).join(' '))
}

function errors(w: Writer, side: string, heads: readonly string[], widths: readonly number[]): void {
  w.nl()
  w.text('    %s errors:%s %s', side, ' '.repeat(widths[0]! - 10), heads.map((head, i) => head.padStart(widths[i + 1]!)).join(' '))
  w.nl()
  w.text('%s%s ', ' '.repeat(widths[0]! + 5), heads.map((_, i) => '0'.padStart(widths[i + 1]!)).join(' '))
}

const PREFIXES = 'kMGTPE'

/** -h: '1.5k', with -iec '1.5Ki'. */
export function humanNumber(value: number, iec: boolean): string {
  const base = iec ? 1024 : 1000
  if (value < base) return String(value)
  const power = Math.min(Math.floor(Math.log(value) / Math.log(base) + 1e-12), PREFIXES.length)
  return `${(value / base ** power).toFixed(1)}${PREFIXES[power - 1]}${iec ? 'i' : ''}`
}

function printJson(w: Writer, stats: LinkStats, level: number): void {
  const member = (key: string, value: number): void => w.uint(key, '', value)
  w.object('stats64', () => {
    w.object('rx', () => {
      const keys = ['bytes', 'packets', 'errors', 'dropped', 'over_errors', 'multicast']
      const { rx } = rows(stats)
      keys.forEach((key, i) => member(key, i === 4 ? 0 : rx[i]!))
      if (level < 2) return
      for (const key of ['length_errors', 'crc_errors', 'frame_errors', 'fifo_errors']) member(key, 0)
      member('missed_errors', stats.rxMissed)
    })
    w.object('tx', () => {
      const keys = ['bytes', 'packets', 'errors', 'dropped', 'carrier_errors', 'collisions']
      const { tx } = rows(stats)
      keys.forEach((key, i) => member(key, tx[i]!))
      if (level < 2) return
      for (const key of ['aborted_errors', 'fifo_errors', 'window_errors', 'heartbeat_errors', 'carrier_changes']) member(key, 0)
    })
  })
}
