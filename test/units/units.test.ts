// pkg/units against what iproute2 6.1 read and printed (each row was put into `tc qdisc`/`ip addr` and listed again).
import t from 'tap'
import {
  formatAddress, formatClassid, formatG, formatLladdr, formatRate, formatSize, formatTime, formatTime64, parseClassid, parseIPv4, parseIPv6,
  parseLladdr, parsePercent, parsePrefix, parseQdiscHandle, parseRate, parseSigned, parseSize, parseTime, parseTime64, parseU64, parseUnsigned, strtod,
} from '../../pkg/units/index.js'

t.test('rates: bytes per second, as printed, as printed with -iec', async (t) => {
  const rows: [string, bigint, string, string][] = [
    ['8', 1n, '8bit', '8bit'], ['100', 12n, '96bit', '96bit'], ['1000bit', 125n, '1Kbit', '1000bit'], ['1001bit', 125n, '1Kbit', '1000bit'],
    ['1500', 187n, '1496bit', '1496bit'], ['10kbit', 1250n, '10Kbit', '10000bit'], ['10mbit', 1250000n, '10Mbit', '9765Kibit'],
    ['1gbit', 125000000n, '1Gbit', '976562Kibit'], ['1000gbit', 125000000000n, '1Tbit', '953674Mibit'], ['1.5mbit', 187500n, '1500Kbit', '1464Kibit'],
    ['1kibit', 128n, '1024bit', '1Kibit'], ['1mibit', 131072n, '1048Kbit', '1Mibit'], ['1kbps', 1000n, '8Kbit', '8000bit'],
    ['999999bit', 124999n, '999992bit', '999992bit'], ['1234567bit', 154320n, '1234Kbit', '1205Kibit'], ['1e6bit', 125000n, '1Mbit', '1000000bit'],
    ['10Mbit', 1250000n, '10Mbit', '9765Kibit'], ['0x10kbit', 2000n, '16Kbit', '16000bit'], ['100gibit', 13421772800n, '107374Mbit', '100Gibit'],
    ['0.5kbit', 62n, '496bit', '496bit'], ['33333kbit', 4166625n, '33333Kbit', '32551Kibit'],
  ]
  for (const [text, bytes, shown, iec] of rows) t.strictSame([parseRate(text), formatRate(bytes), formatRate(bytes, true)], [bytes, shown, iec], text)
  for (const bad of ['10K', '10m', 'abc', '10mbitx', '-1mbit', '', ' ']) t.equal(parseRate(bad), undefined, `no rate: ${bad}`)
  t.equal(parsePercent('50%'), 0.5)
  t.equal(parsePercent('101%'), undefined)
})

t.test('sizes', async (t) => {
  const rows: [string, number, string][] = [
    ['1', 1, '1b'], ['10b', 10, '10b'], ['1k', 1024, '1Kb'], ['1.5k', 1536, '1536b'], ['1mb', 1048576, '1Mb'], ['16384', 16384, '16Kb'],
    ['1500', 1500, '1500b'], ['1000000', 1000000, '1000000b'], ['1049000', 1049000, '1Mb'], ['3g', 3221225472, '3072Mb'], ['8kbit', 1024, '1Kb'],
    ['1gbit', 134217728, '128Mb'], ['1023', 1023, '1023b'], ['1025', 1025, '1Kb'], ['1040', 1040, '1040b'], ['1.3m', 1363148, '1363148b'], ['1e3', 1000, '1000b'],
  ]
  for (const [text, bytes, shown] of rows) t.strictSame([parseSize(text), formatSize(bytes)], [bytes, shown], text)
  for (const bad of ['abc', '10kx', '-5', '4g', '4096m']) t.equal(parseSize(bad), undefined, `no size: ${bad}`)
})

t.test('times', async (t) => {
  const rows: [string, number | undefined, string][] = [
    ['1', 1, '1us'], ['10ms', 10000, '10ms'], ['1.5ms', 1500, '1.5ms'], ['2sec', 2e6, '2s'], ['1.2345s', 1234500, '1.23s'], ['999us', 999, '999us'],
    ['12345us', 12345, '12.3ms'], ['100ns', undefined, ''], ['1h', undefined, ''], ['-1', undefined, ''],
  ]
  for (const [text, us, shown] of rows) t.strictSame([parseTime(text), us === undefined ? '' : formatTime(us)], [us, shown], text)
  t.strictSame([parseTime64('10ms'), parseTime64('7'), parseTime64('1.5us'), parseTime64('x')], [10000000n, 7n, 1500n, undefined])
  t.strictSame([formatTime64(999n), formatTime64(1500n), formatTime64(2000000n), formatTime64(3n * 10n ** 9n)], ['999ns', '1.5us', '2ms', '3s'])
})

t.test('handles and class ids', async (t) => {
  const handles: [string, number | undefined][] = [
    ['1:', 0x10000], ['1', 0x10000], ['10:', 0x100000], ['0x10:', 0x100000], ['ffff:', 0xffff0000], ['1:7', 0x10000], ['none', 0], ['0:', 0],
    ['fffff:', undefined], ['xyz:', undefined], [':', undefined], ['root', undefined], ['', undefined],
  ]
  for (const [text, value] of handles) t.equal(parseQdiscHandle(text), value, `handle ${text}`)
  const classes: [string, number | undefined][] = [
    ['1:1', 0x10001], ['1:', 0x10000], [':5', 5], ['5', 5], ['0x10001', 0x10001], ['10001', 0x10001], ['1:ffff', 0x1ffff], ['root', 0xffffffff],
    ['none', 0], ['1:10000', undefined], ['1:x', undefined], ['1:1x', undefined], ['ingress', undefined], ['1:2:3', undefined],
  ]
  for (const [text, value] of classes) t.equal(parseClassid(text), value, `classid ${text}`)
  for (const [value, text] of [[0x10001, '1:1'], [0x10000, '1:'], [5, ':5'], [0, 'none'], [0xffffffff, 'root'], [0xfffffff1, 'ffff:fff1']] as const) t.equal(formatClassid(value), text)
})

t.test('addresses', async (t) => {
  for (const [text, bytes] of [['10.1', [10, 1, 0, 0]], ['0x7f.1', [127, 1, 0, 0]], ['010.1.1.1', [8, 1, 1, 1]], ['1.2.3.4', [1, 2, 3, 4]]] as const) {
    t.strictSame(parseIPv4(text), Uint8Array.from(bytes), text)
  }
  for (const bad of ['1.2.3.4.5', '256.1', 'a.b', '', '1..2']) t.equal(parseIPv4(bad), undefined, bad)
  const six = ['::', '::1', '2001:db8::1', 'fe80::1:2:3:4', '1:2:3:4:5:6:7:8', '::ffff:1.2.3.4', '2001:0:0:1::', '1:0:2:3:4:5:6:7']
  for (const text of six) t.equal(formatAddress(parseIPv6(text)!), text, text)
  for (const bad of [':', '1::2::3', '12345::', '1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7::8', '::1.2.3.400', 'x']) t.equal(parseIPv6(bad), undefined, bad)
  t.match(parsePrefix('10.1/16'), { family: 2, bits: 16 })
  t.match(parsePrefix('10.0.0.1/255.255.255.0'), { bits: 24 })
  t.match(parsePrefix('any'), { bits: 0 })
  t.match(parsePrefix('2001:db8::/32'), { family: 10, bits: 32 })
  for (const bad of ['1.2.3.4/33', 'foo', '1.2.3.4/', '10.0.0.1/255.0.255.0']) t.equal(parsePrefix(bad), undefined, bad)
  t.equal(formatLladdr(parseLladdr('2:0:0:0:0:A')!), '02:00:00:00:00:0a')
  t.equal(parseLladdr('02:zz'), undefined)
})

t.test('C numbers', async (t) => {
  t.strictSame(strtod('1.5kbit'), { value: 1.5, rest: 'kbit' })
  t.equal(strtod('kbit'), undefined)
  t.strictSame(['0x10', '010', '10', '256', '-1', '1x', ''].map((x) => parseUnsigned(x, 8)), [16, 8, 10, undefined, undefined, undefined, undefined])
  t.strictSame([parseU64('0xffffffffffffffff'), parseU64('0x10000000000000000'), parseSigned('-5'), parseSigned('2147483648')], [2n ** 64n - 1n, undefined, -5, undefined])
  t.strictSame([0, 1, 0.1, 123456789, 1e-5, 1.25, 100].map((x) => formatG(x)), ['0', '1', '0.1', '1.23457e+08', '1e-05', '1.25', '100'])
})
