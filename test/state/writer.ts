// A process for the crash tests: `tally DIR` commits numbered transactions until it is killed and says each number when it is safe;
// `count DIR N` adds one to a counter N times, each in a transaction of its own;
// `orphan DIR N` does so too but leaves a dead process's lock each time; `hold DIR` takes the lock and sleeps.
import { readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { openStore, PAGE, type Store } from '../../pkg/state/store.js'
import { SMALL } from './support.js'

const [, , what, dir = '', times = '0'] = process.argv

/** Every part of the state says N, so that a torn commit shows. */
function writeTally(store: Store, n: number): void {
  store.set('n', n)
  store.set(`key/${n % 7}`, { n, text: 'x'.repeat(n % 300) })
  store.delete(`key/${(n + 3) % 7}`)
  store.writePage('area', n % 3, new Uint8Array(PAGE).fill(n % 255 + 1))
  store.writePage('same', 0, new Uint8Array(PAGE).fill(n % 255 + 1))
  store.writeBlob('blob', Buffer.from(`blob ${n} ${'y'.repeat(n % 2000)}`))
}

function tally(): void {
  for (;;) {
    const store = openStore(dir, 'write', SMALL)
    for (let i = 0; i < 4; i++) {
      const n = Number(store.get('n') ?? 0) + 1
      writeTally(store, n)
      store.commit()
      writeSync(1, `${n}\n`)
    }
    store.close()
  }
}

function count(): void {
  for (let i = 0; i < Number(times); i++) {
    const store = openStore(dir, 'read', SMALL)
    store.get('counter')
    store.promote()
    store.set('counter', Number(store.get('counter') ?? 0) + 1)
    store.commit()
    store.close()
  }
}

function orphan(): void {
  for (let i = 0; i < Number(times); i++) {
    const store = openStore(dir, 'write', SMALL)
    store.set('counter', Number(store.get('counter') ?? 0) + 1)
    store.commit()
    const words = readFileSync(join(dir, 'lock'), 'latin1').split(' ')
    const dead = join(dir, `dead.${process.pid}`)
    writeFileSync(dead, ['999999999', ...words.slice(1)].join(' '))
    renameSync(dead, join(dir, 'lock'))
    store.close()
  }
}

function hold(): void {
  openStore(dir, 'write', SMALL)
  writeSync(1, 'held\n')
  setInterval(() => {}, 1000)
}

if (what === 'tally') tally()
else if (what === 'count') count()
else if (what === 'orphan') orphan()
else if (what === 'hold') hold()
