// A refusal in words that a C programmer can act on: where in the source, what is known, which check is missing. One row a kind of
// refusal; the kernel says none of this.
import { lineAt, string } from './btf-info.js'
import type { Env } from './env.js'
import { regText } from './log-state.js'

interface Row { readonly match: RegExp, readonly say: (m: RegExpMatchArray) => string }

const rows: readonly Row[] = [
  { match: /R(\d+) invalid mem access '(\w*)_or_null'/, say: m => `R${m[1]} may be NULL here (${m[2]}_or_null). Check it before use: if (!ptr) return …;` },
  { match: /R(\d+) pointer arithmetic on (\w*)_or_null prohibited/, say: m => `R${m[1]} may be NULL here. Check it before you add to it: if (!ptr) return …;` },
  {
    match: /R(\d+) invalid mem access 'scalar'/,
    say: m => `R${m[1]} is a number, not a pointer. A helper that moves packet data makes packet pointers invalid: load data and data_end again ` +
      'and repeat the check; a NULL that was checked for, or a pointer changed by other than + and -, is a number too.',
  },
  {
    match: /invalid access to packet, off=(-?\d+) size=(\d+), R(\d+)\(id=\d+,off=-?\d+,r=(\d+)\)/,
    say: m => `The access ends ${Number(m[1]) + Number(m[2])} bytes into the packet, and ${m[4]} are proven to be there. ` +
      `Check first: if ((void *)ptr + ${Number(m[1]) + Number(m[2])} > data_end) return …; with the pointer that is used afterwards.`,
  },
  {
    match: /invalid access to map value, value_size=(\d+) off=(-?\d+) size=(\d+)/,
    say: m => `The map's value has ${m[1]} bytes and the access reaches from ${m[2]} to ${Number(m[2]) + Number(m[3])}. ` +
      `Bound the index before: if (i >= ${m[1]} / sizeof(element)) return …;`,
  },
  {
    match: /R(\d+) unbounded memory access/,
    say: m => `Nothing bounds R${m[1]} from above. Compare the same variable with its limit just before: if (i >= LIMIT) return …; ` +
      'or mask it: i &= LIMIT - 1.',
  },
  { match: /R(\d+) min value is negative/, say: m => `R${m[1]} may be negative. Make the index unsigned, or check: if (i < 0) return …;` },
  {
    match: /R([1-5]) !read_ok/,
    say: m => `R${m[1]} holds nothing here: it was never set, or a call came between, which r1 to r5 don't survive. ` +
      'In C: a variable is used before it is set on some path, or a function is called with too few arguments.',
  },
  { match: /R0 !read_ok/, say: () => 'No value is returned on this path: return one.' },
  { match: /R(\d+) !read_ok/, say: m => `R${m[1]} is read before it was written on this path: initialise the variable.` },
  {
    match: /R(\d+) (?:32-bit pointer arithmetic|pointer .*pointer|bitwise operator|pointer arithmetic with).* prohibited/,
    say: m => `R${m[1]} is a pointer: only numbers may be added to it or subtracted. Keep the offset in a variable of its own and add it last.`,
  },
  { match: /infinite loop detected/, say: () => 'A turn of this loop changes nothing that its condition looks at. Count, and compare with a constant limit.' },
  {
    match: /BPF program is too large/,
    say: () => 'The paths through the program are too many. Give loops a small constant bound, use bpf_loop(), or move parts into global functions.',
  },
  { match: /Unreleased reference|would lead to reference leak/, say: () => 'Something acquired (a socket, a ring buffer record …) is not released on this path.' },
  { match: /invalid bpf_context access off=(\d+) size=(\d+)/, say: m => `Programs of this type may not use ${m[2]} bytes at offset ${m[1]} of their context that way.` },
  { match: /cannot use helper (\w+)#/, say: m => `${m[1]}() is not for programs of this type.` },
  { match: /cannot call GPL-restricted/, say: () => 'The helper is only for programs with a GPL compatible licence: char _license[] SEC("license") = "GPL";' },
  { match: /invalid (?:read from|write to) stack|combined stack size/, say: () => 'All call frames together have 512 bytes of stack. Put large variables into a per-CPU array map.' },
  { match: /unreachable insn/, say: () => 'No path leads there: the compiler left code behind a return or an endless loop.' },
  { match: /not supported yet: (.*)/, say: m => `Linux has this, hookpoint not yet: ${m[1]}.` },
]

/** The paragraph for the refusal that stands last in the log. */
export function explain(env: Env, log: string): string | undefined {
  const lines = log.split('\n').filter(l => l !== '' && !l.startsWith('processed '))
  for (const line of lines.slice(-4).reverse()) {
    for (const { match, say } of rows) {
      const m = line.match(match)
      if (m !== null) return [where(env), say(m), known(env, m)].filter(x => x !== '').join(' ')
    }
  }
  return undefined
}

/** `In prog.c:12, "return *p;":` */
function where(env: Env): string {
  const line = lineAt(env, env.insn)
  const { btf } = env.input
  if (line === undefined || btf === undefined) return `At instruction ${env.insn}:`
  return `In ${string(btf, line.file).replace(/^.*\//, '')}:${line.line}, "${string(btf, line.text).trim()}":`
}

/** What is known of the register that the refusal names. */
function known(env: Env, m: RegExpMatchArray): string {
  const n = Number(/R(\d+)/.exec(m[0])?.[1] ?? NaN)
  const r = env.state?.cur.regs[n]
  return r === undefined || r.type === 0 ? '' : `(Known: R${n}=${regText(r, env.state.curframe, false)}.)`
}
