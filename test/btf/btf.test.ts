// BTF: dumps against bpftool's, encode as the inverse of parse, questions, refusals, C layout, and the emulated kernel's own types.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { InputError } from '../../pkg/bytes/errors.js'
import {
  Btf, KIND, declareC, dumpC, dumpRaw, encodeBtf, essentialName, parseBtf, resolveCore, vmlinuxBtf, vmlinuxBytes, type BtfType,
} from '../../pkg/btf/index.js'
import { openElf } from '../../pkg/elf/index.js'
import { NET_DEVICE, SKB, SOCK, XDP_BUFF, XDP_RXQ } from '../../pkg/skb/layout.js'
import { root } from '../support/root.js'

const fixture = (name: string): Buffer => readFileSync(root('fixtures/obj-cases', name))
const btfOf = (name: string): Btf => parseBtf(openElf(new Uint8Array(fixture(`${name}.o`)), name).section('.BTF')!.data, name)

for (const name of ['maps', 'core', 'legacy']) {
  t.test(`${name}.o dumps as bpftool dumps it`, t => {
    t.equal(dumpRaw(btfOf(name)), fixture(`${name}.btf.txt`).toString())
    t.equal(dumpC(btfOf(name)), fixture(`${name}.btf.h`).toString())
    t.end()
  })
}

t.test('encode is the inverse of parse', t => {
  const btf = vmlinuxBtf()
  t.same(parseBtf(encodeBtf(btf.types), 'again').types, btf.types)
  t.same(encodeBtf(btf.types), vmlinuxBytes())
  t.end()
})

t.test('the emulated kernel has the structs of pkg/skb/layout.ts where they say', t => {
  const btf = vmlinuxBtf()
  const offsets = (struct: string, names: Record<string, number>): void => {
    const type = btf.find(struct, KIND.STRUCT)!
    for (const [name, offset] of Object.entries(names)) {
      if (name === 'size') t.equal(btf.sizeof(type.id), offset, `sizeof ${struct}`)
      else t.equal((btf.member(type.id, name)?.bitOffset ?? NaN) >> 3, offset, `${struct}.${name}`)
    }
  }
  const { nfct, tc_flags, hash_flags, ...skb } = SKB
  offsets('sk_buff', { ...skb, _nfct: nfct, tstamp_type: tc_flags, l4_hash: hash_flags })
  offsets('xdp_buff', XDP_BUFF)
  offsets('xdp_rxq_info', XDP_RXQ)
  offsets('net_device', NET_DEVICE)
  offsets('sock', { size: SOCK.size, sk_priority: SOCK.priority, sk_mark: SOCK.mark, sk_protocol: SOCK.protocol, sk_type: SOCK.type })
  t.equal(btf.find('bpf_dynptr_from_xdp', KIND.FUNC)?.kind, KIND.FUNC)
  t.end()
})

t.test('answers questions about types', t => {
  const btf = vmlinuxBtf()
  const skb = btf.find('sk_buff', KIND.STRUCT)!
  t.equal(btf.alignof(skb.id), 8)
  t.equal(btf.member(skb.id, 'vlan_tci')?.bitOffset, 154 * 8, 'through anonymous members')
  t.equal(btf.member(skb.id, 'nothing'), undefined)
  t.equal(btf.find('u32', KIND.TYPEDEF) && btf.resolve(btf.find('u32')!.id).kind, KIND.INT)
  t.equal(btf.sizeof(0), undefined)
  t.throws(() => btf.type(1 << 20), InputError)
  t.equal(essentialName('sk_buff___old'), 'sk_buff')
  t.equal(essentialName('a___b___c'), 'a___b')
  t.equal(essentialName('a____b'), 'a____b')
  t.equal(essentialName('___x'), '___x')
  t.end()
})

/** BTF of types made by hand; ids count from 1. */
function btf(...types: (Partial<BtfType> & { kind: number })[]): Btf {
  return parseBtf(encodeBtf(types.map((x, i) => ({ name: '', id: i + 1, ...x }) as BtfType)), 'made')
}

const int = (name: string, size: number, encoding = 0): Partial<BtfType> & { kind: number } =>
  ({ kind: KIND.INT, name, size, encoding, bitOffset: 0, bits: size * 8 })
const struct = (name: string, size: number, ...members: [string, number, number][]): Partial<BtfType> & { kind: number } =>
  ({ kind: KIND.STRUCT, name, size, flag: false, members: members.map(([n, type, offset]) => ({ name: n, type, bitOffset: offset * 8, bitSize: 0 })) })

t.test('declares in C', t => {
  const b = btf(int('int', 4, 1), { kind: KIND.PTR, type: 1 }, { kind: KIND.ARRAY, element: 2, index: 1, count: 3 }, { kind: KIND.PTR, type: 3 },
    { kind: KIND.FUNC_PROTO, ret: 2, params: [{ name: 'a', type: 1 }, { name: '', type: 0 }] }, { kind: KIND.PTR, type: 5 }, { kind: KIND.CONST, type: 1, flag: false })
  t.equal(declareC(b, 3, 'x'), 'int *x[3]')
  t.equal(declareC(b, 4, 'x'), 'int *(*x)[3]')
  t.equal(declareC(b, 6, 'f'), 'int * (*f)(int a, ...)')
  t.equal(declareC(b, 7, 'c'), 'const int c')
  t.equal(declareC(b, 0, ''), 'void')
  t.end()
})

t.test('packs and pads structs', t => {
  const b = btf(int('int', 4, 1), int('char', 1, 1), struct('packed', 5, ['c', 2, 0], ['i', 1, 1]), struct('gap', 24, ['c', 2, 0], ['i', 1, 16]))
  t.match(dumpC(b), 'struct packed {\n\tchar c;\n\tint i;\n} __attribute__((packed));')
  t.match(dumpC(b), 'struct gap {\n\tchar c;\n\tlong: 64;\n\tint i;\n\tlong: 0;\n};')
  t.end()
})

const core = (kind: number, access: string, local: Btf, kernel: Btf, typeId: number): unknown => {
  const { newVal, poison, badMemSize } = resolveCore({ insnOff: 0, typeId, access, kind }, local, kernel, "prog 'p': relo #0")
  return poison ? 'poison' : badMemSize ? 'badsize' : Number(newVal)
}

t.test('CO-RE: fields move, resize and vanish', t => {
  const local = btf(int('int', 4, 1), int('u32', 4), struct('s___v2', 12, ['a', 1, 0], ['b', 2, 4], ['gone', 1, 8]))
  const kernel = btf(int('int', 4, 1), int('u64', 8), struct('', 16, ['b', 2, 8]), struct('s', 32, ['pad', 2, 0], ['', 3, 8], ['a', 2, 24]))
  t.equal(core(0, '0:1', local, kernel, 3), 16, 'in an anonymous struct')
  t.equal(core(1, '0:1', local, kernel, 3), 8)
  t.equal(core(0, '0:0', local, kernel, 3), 'badsize', 'signed int of another size')
  t.equal(core(0, '0:2', local, kernel, 3), 'poison')
  t.equal(core(2, '0:2', local, kernel, 3), 0)
  t.equal(core(8, '0', local, kernel, 3), 1)
  t.equal(core(9, '0', local, kernel, 3), 32)
  t.equal(core(12, '0', local, kernel, 3), 0)
  t.equal(core(0, '2:1', local, kernel, 3), 80, 'element of an array of structs')
  t.throws(() => core(0, '0:9', local, kernel, 3), { message: "prog 'p': relo #0: invalid access '0:9' to [3] struct s___v2" })
  t.throws(() => core(0, 'x', local, kernel, 3), InputError)
  t.throws(() => core(99, '0', local, kernel, 3), InputError)
  t.end()
})

t.test('CO-RE: two kernel types that disagree are an error', t => {
  const local = btf(int('int', 4, 1), struct('s', 4, ['a', 1, 0]))
  const kernel = btf(int('int', 4, 1), struct('s', 4, ['a', 1, 0]), struct('s___b', 8, ['a', 1, 4]))
  t.throws(() => core(0, '0:0', local, kernel, 2), { message: "prog 'p': relo #0: field offset ambiguity: 32 != 0" })
  t.end()
})

t.test('refuses what is cut, unknown or endless', t => {
  const good = encodeBtf(btf(int('int', 4, 1), { kind: KIND.PTR, type: 1 }).types)
  const bad = (change: (v: DataView) => void): Uint8Array => {
    const copy = good.slice()
    change(new DataView(copy.buffer))
    return copy
  }
  const refused = (bytes: Uint8Array, message: string | RegExp): void => {
    t.throws(() => dumpC(parseBtf(bytes, 'x.o')), { name: 'InputError', message })
  }
  refused(new Uint8Array(4), 'x.o: .BTF: BTF header not found')
  refused(bad(v => v.setUint16(0, 0x9feb, true)), 'x.o: .BTF: BTF in non-native endianness is not supported')
  refused(bad(v => v.setUint8(2, 2)), 'x.o: .BTF: Unsupported BTF version: 2')
  refused(bad(v => v.setUint32(12, 1 << 20, true)), 'x.o: .BTF: BTF type section is beyond the end')
  refused(bad(v => v.setUint32(28, 31 << 24, true)), "x.o: .BTF: type [1] 'int' has unsupported BTF_KIND:31")
  refused(bad(v => v.setUint32(48, 77, true)), "x.o: .BTF: type [2] '' refers to type [77], which does not exist")
  refused(bad(v => v.setUint32(24, 5000, true)), 'x.o: .BTF: string offset 5000 is outside of the string section')
  const loop = btf({ kind: KIND.CONST, type: 2, flag: false }, { kind: KIND.CONST, type: 1, flag: false })
  t.throws(() => loop.sizeof(1), { name: 'InputError' })
  t.throws(() => dumpC(loop), { name: 'InputError' })
  t.end()
})
