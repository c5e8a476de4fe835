// The program tag's digest against Node's own.
import t from 'tap'
import { createHash } from 'node:crypto'
import { sha256 } from '../../pkg/prog/sha256.js'

t.test('every length around the block boundaries', async (t) => {
  const bytes = Uint8Array.from({ length: 300 }, (_, n) => (n * 151) & 255)
  for (let length = 0; length <= 300; length += 1) {
    const part = bytes.subarray(0, length)
    const want = createHash('sha256').update(part).digest('hex')
    const got = Buffer.from(sha256(part)).toString('hex')
    if (got !== want) t.equal(got, want, `${length} bytes`)
  }
  t.equal(Buffer.from(sha256(new Uint8Array(100_000))).toString('hex'), createHash('sha256').update(new Uint8Array(100_000)).digest('hex'))
})
