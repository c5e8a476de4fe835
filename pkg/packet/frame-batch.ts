// Frames of a capture where they lie: one big byte array (a window of the machine's memory, or any other) and typed arrays that say
// where each frame is. Filled and refilled by CaptureReader; no object per frame anywhere.

/** One record holds at most this much (libpcap's MAXIMUM_SNAPLEN). */
export const MAX_CAPTURE_LENGTH = 262144
/** A window of at least this size takes any record together with its header. */
export const MIN_WINDOW = MAX_CAPTURE_LENGTH + 4096

export class FrameBatch {
  /** The window is bytes[from, to): file contents land there, headers and all. */
  readonly bytes: Uint8Array
  readonly from: number
  readonly to: number
  readonly capacity: number
  /** Frames now in the batch. */
  count = 0
  /** Index of the frame's first byte in `bytes`. */
  readonly offsets: Int32Array
  /** Bytes captured: what is there. */
  readonly lengths: Int32Array
  /** Length on the wire: larger than `lengths` when the capture was cut. */
  readonly originals: Int32Array
  /** ns since the capture's first frame; may go back where the capture does. */
  readonly times: Float64Array

  constructor(bytes: Uint8Array, from = 0, to = bytes.length, capacity = 4096) {
    this.bytes = bytes
    this.from = from
    this.to = to
    this.capacity = capacity
    this.offsets = new Int32Array(capacity)
    this.lengths = new Int32Array(capacity)
    this.originals = new Int32Array(capacity)
    this.times = new Float64Array(capacity)
  }

  /** Frame `i` as a view, not a copy. */
  frame(i: number): Uint8Array {
    return this.bytes.subarray(this.offsets[i]!, this.offsets[i]! + this.lengths[i]!)
  }
}
