// pkg/print against texts that the real ip (iproute2 6.1) and bpftool 7.1 printed.
import t from 'tap'
import { format, Json, LIGHT, Writer } from '../../pkg/print/index.js'

function pfifo(w: Writer): string {
  w.array(null, () => w.object(null, () => {
    w.string('kind', 'qdisc %s ', 'pfifo')
    w.shown('handle', '%s ', '8001:', '8001:')
    w.flag('root', 'root ', true)
    w.flag('offloaded', 'offloaded ', false)
    w.uint('refcnt', 'refcnt %u ', 3)
    w.object('options', () => w.uint('limit', 'limit %up', 1000))
    w.nl()
    w.array('priomap', () => [1, 2].forEach((n) => w.uint(null, ' %u', n)), 'priomap')
    w.array('addr_info', () => {})
    w.object('empty', () => {})
    w.bool('multiqueue', '', false)
    w.hex0('flags', ' flags %#x', 10)
    w.uint('big', '', 2n ** 64n - 1n)
    w.string('text', ' "%s"', 'a\'b"c\\d\te\u0001')
  }))
  w.finish()
  return w.take()
}

t.test('one call, several texts', async (t) => {
  t.equal(pfifo(new Writer()), 'qdisc pfifo 8001: root refcnt 3 limit 1000p\npriomap 1 2 flags 0xa "a\'b"c\\d\te\u0001"')
  t.match(pfifo(new Writer({ oneline: true })), /1000p\\priomap/)
  const json = pfifo(new Writer({ json: true }))
  t.equal(json, '[{"kind":"pfifo","handle":"8001:","root":true,"refcnt":3,"options":{"limit":1000},"priomap":[1,2],"addr_info":[],"empty":{},' +
    '"multiqueue":false,"flags":"0xa","big":18446744073709551615,"text":"a\'b\\"c\\\\d\\te\\u0001"}]\n')
  t.doesNotThrow(() => JSON.parse(json))
})

t.test("iproute2's pretty layout", async (t) => {
  const pretty = pfifo(new Writer({ json: true, pretty: true }))
  t.match(pretty, '[ {\n        "kind": "pfifo",\n        "handle": "8001:",\n')
  t.match(pretty, '        "options": {\n            "limit": 1000\n        },\n        "priomap": [ 1,2 ],\n        "addr_info": [ ],\n        "empty": {},\n')
  t.match(pretty, /\n    } \]\n$/)
  const two = new Writer({ json: true, pretty: true })
  two.array(null, () => { for (const n of [1, 2]) two.object(null, () => two.uint('n', '', n)) })
  two.finish()
  t.equal(two.take(), '[ {\n        "n": 1\n    },{\n        "n": 2\n    } ]\n')
})

t.test("bpftool's pretty layout", async (t) => {
  const json = new Json('bpftool', true)
  json.tree([{ command: ['version'], output: { features: { libbfd: false }, none: [], left: undefined } }])
  json.finish()
  t.equal(json.take(), '[{\n        "command": ["version"\n        ],\n        "output": {\n            "features": {\n                "libbfd": false\n' +
    '            },\n            "none": []\n        }\n    }\n]\n')
})

t.test('a failure half way leaves valid JSON', async (t) => {
  const w = new Writer({ json: true })
  w.openArray()
  w.openObject()
  w.uint('a', '', 1)
  w.finish()
  t.equal(w.take(), '[{"a":1}]\n')
  const none = new Writer({ json: true })
  none.finish()
  t.equal(none.take(), '', 'nothing begun, nothing printed')
})

t.test('colours wrap the formatted text', async (t) => {
  const w = new Writer({ palette: LIGHT })
  w.string('ifname', '%s: ', 'eth0', 'ifname')
  w.text('x')
  t.equal(w.take(), '\x1b[36meth0: \x1b[0mx')
})

t.test('printf', async (t) => {
  t.equal(format('%-16s|%5u|%05d|%#x|%08x|%+d|%.3g|%.2f|%c|%%|%.3s', 'lo', 7, -42, 255, 0xbeef, 5, 1.23456, 2.5, 'y', 'abcdef'), 'lo              |    7|-0042|0xff|0000beef|+5|1.23|2.50|y|%|abc')
  t.equal(format('%x %x', -1, -1n), 'ffffffff ffffffffffffffff')
  t.throws(() => format('%u'), { name: 'Bug' })
})
