// The transcripts of fixtures/cli once more, by the real ip and tc in a network namespace of their own: what the files say is what Linux says.
// ORACLE=record rewrites them. A file whose first line is '# no oracle' has none.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { root } from '../support/root.js'
import { formatTranscript, parseTranscript, replay, wordsOf, type Outcome } from '../support/transcript.js'

const NETNS = `hookpoint-cli-${process.pid}`
const netns = (...words: string[]) => spawnSync('ip', ['netns', ...words], { encoding: 'utf8' })

function real(command: string, input: string): Outcome {
  const ran = spawnSync('ip', ['netns', 'exec', NETNS, ...wordsOf(command)], { input, encoding: 'utf8', cwd: root() })
  if (ran.error) throw ran.error
  return { out: ran.stdout, err: ran.stderr, status: ran.status ?? -1 }
}

const usable = process.getuid?.() === 0 && spawnSync('tc', ['-V']).status === 0 && netns('add', NETNS).status === 0

t.test('the real tools print what the transcripts say', { skip: usable ? false : 'needs root and iproute2' }, async (t) => {
  t.teardown(() => { netns('del', NETNS) })
  netns('del', NETNS)
  for (const name of readdirSync(root('fixtures', 'cli')).filter((one) => one.endsWith('.txt') && !one.startsWith('bpftool-')).sort()) {
    const path = root('fixtures', 'cli', name)
    const text = readFileSync(path, 'utf8')
    if (text.startsWith('# no oracle')) continue
    netns('add', NETNS)
    spawnSync('ip', ['netns', 'exec', NETNS, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6'])
    const now = formatTranscript(replay(parseTranscript(text), real))
    netns('del', NETNS)
    if (process.env['ORACLE'] === 'record') writeFileSync(path, now)
    else t.equal(now, text, name)
  }
})
