// Capture files across transactions: frames are appended before the commit, and the commit says how long the file then is. A file that
// a killed command left longer is cut back first, so that no frame is in it that never passed, and none is missing that did.
import type { CaptureSink } from '../datapath/host.js'
import type { Store } from '../state/store.js'

/** A file without frames. */
const PCAP_HEADER = 24
const KEY = 'capture-file/'

/** What appends to a pcap file; pkg/packet's CaptureWriter. */
export interface Appender {
  write(frame: Uint8Array, at: number): void
  flush(): void
  /** Bytes in the file and in the buffer. */
  readonly length: number
  /** Cuts an existing file back to so many bytes, before anything is written. */
  truncate(length: number): void
}

export class Captures {
  readonly #store: Store
  readonly #append: (path: string) => Appender
  readonly #open = new Map<string, Appender>()

  constructor(store: Store, append: (path: string) => Appender) {
    this.#store = store
    this.#append = append
  }

  open(path: string): CaptureSink {
    const known = this.#open.get(path)
    if (known) return known
    const appender = this.#append(path)
    const length = this.#store.get(KEY + path)
    if (typeof length === 'number' && appender.length > length) appender.truncate(length)
    this.#open.set(path, appender)
    return appender
  }

  /** The file of a new capture, begun anew. One that is no capture is refused and left as it is. */
  begin(path: string): CaptureSink {
    const appender = this.#open.get(path) ?? this.#append(path)
    appender.flush()
    appender.truncate(PCAP_HEADER)
    this.#open.set(path, appender)
    return appender
  }

  flush(): void {
    for (const [path, appender] of this.#open) {
      appender.flush()
      this.#store.set(KEY + path, appender.length)
    }
  }
}
