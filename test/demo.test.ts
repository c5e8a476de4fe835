// The demo, as `npm run demo` plays it: every claim holds and nothing is left behind. With a command that fails, it says which claim broke.
import t from 'tap'
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './support/root.js'

const play = (home: string, temp: string): { stdout: string; stderr: string; status: number | null } =>
  spawnSync(process.execPath, [join(home, 'dist', 'bin', 'hookpoint'), 'demo'], { encoding: 'utf8', env: { ...process.env, TMPDIR: temp, HOOKPOINT_STATE: join(temp, 'mine') } })

t.test('every claim holds', async (t) => {
  const temp = t.testdir()
  const { stdout, stderr, status } = play(root(), temp)
  t.equal(stderr, '')
  t.equal(status, 0, stdout)
  const [, holding, all] = /(\d+) of (\d+) claims hold/.exec(stdout) ?? []
  t.equal(holding, all)
  t.equal(all, '13')
  t.strictSame(readdirSync(temp), [], 'nothing is left behind, and the user\'s own machine was not touched')
})

t.test('a wrong result is named', async (t) => {
  const temp = t.testdir({ home: {}, temp: {} })
  const home = join(temp, 'home')
  for (const part of ['dist/bin', 'dist/lib', 'fixtures/obj', 'fixtures/pcap']) cpSync(root(part), join(home, part), { recursive: true })
  cpSync(root('fixtures/obj/xps_hello1.o'), join(home, 'fixtures/obj/xps_hello2.o'))
  const wrong = play(home, join(temp, 'temp'))
  t.equal(wrong.status, 1)
  t.equal(wrong.stderr, 'hookpoint demo: not so: a program that answers 2 decides: CPU 0 to queue 0, CPU 1 to queue 0: found queues 1 and 1\n')
  writeFileSync(join(home, 'dist/bin/ip'), '#!/bin/sh\nexit 7\n')
  chmodSync(join(home, 'dist/bin/ip'), 0o755)
  const broken = play(home, join(temp, 'temp'))
  t.equal(broken.status, 1)
  t.match(broken.stderr, /the story goes through to its end: found "ip tuntap add [^"]*" ended with status 7\n$/)
  t.strictSame(readdirSync(join(temp, 'temp')), [])
})
