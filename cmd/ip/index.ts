// `ip`: the object table (ip/ip.c cmds[]), in upstream's order since abbreviations depend on it.
import { IP_OPTIONS, IPROUTE2, runProgram, VERSION, type Entry, type Io, type Program } from '../../pkg/cli/index.js'
import { EXIT_USAGE, notSupported } from '../../pkg/grammar/index.js'
import { ADDRESS_VERBS, runAddress } from './ipaddress.js'
import { LINK_VERBS, runLink } from './iplink.js'
import { runTuntap, TUN_VERBS } from './iptuntap.js'

const absent = (word: string): Entry => ({ word, run: () => { throw notSupported(`ip ${word}`) } })

const OBJECTS: readonly Entry[] = [
  { word: 'address', run: runAddress, verbs: ADDRESS_VERBS },
  ...['addrlabel', 'maddress', 'route', 'rule', 'neighbor', 'neighbour', 'ntable', 'ntbl'].map(absent),
  { word: 'link', run: runLink, verbs: LINK_VERBS },
  ...['l2tp', 'fou', 'ila', 'macsec', 'tunnel'].map(absent),
  { word: 'tuntap', run: runTuntap, verbs: TUN_VERBS },
  { word: 'tap', run: runTuntap, verbs: TUN_VERBS },
  ...['token', 'tcpmetrics', 'monitor', 'xfrm', 'mroute', 'mrule', 'netns', 'netconf', 'vrf', 'sr', 'nexthop', 'mptcp', 'ioam', 'stats'].map(absent),
]

const USAGE = `Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }
       ip [ -force ] -batch filename
where  OBJECT := { address | help | link | tap | tuntap }
       OPTIONS := { -V[ersion] | -s[tatistics] | -d[etails] | -h[uman-readable] |
                    -iec | -j[son] | -p[retty] | -f[amily] { inet | inet6 | link } |
                    -4 | -6 | -0 | -br[ief] | -o[neline] | -b[atch] [filename] |
                    -N[umeric] | -c[olor] }
`

export const IP: Program = {
  name: 'ip', style: 'iproute2', options: { rows: IP_OPTIONS, doubleDash: true }, objects: OBJECTS, usage: USAGE, helpStatus: EXIT_USAGE, unknownStatus: 1,
  version: ({ out }) => out.text('ip utility, iproute2-%s, hookpoint %s\n', IPROUTE2, VERSION),
}

/** A whole `ip` command line. */
export const run = (argv: readonly string[], io: Io): number => runProgram(IP, argv, io)
