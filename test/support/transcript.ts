// A sitting at the terminal as a file: commands with what they printed and returned. fixtures/cli/*.txt.
//   # remark                  kept where it stands
//   $ ip link show lo         a command line
//   < link show               its standard input
//     1: lo: …                standard output (two spaces in front)
//   ! Device "x" …            standard error
//   ? 1                       exit status, 0 left out
import { splitWords } from '../../pkg/cli/batch.js'

export type Step = { readonly remarks: readonly string[]; readonly command: string; readonly input: string; readonly out: string; readonly err: string; readonly status: number }

export type Outcome = { readonly out: string; readonly err: string; readonly status: number }

export type Transcript = { readonly steps: readonly Step[]; readonly tail: readonly string[] }

/** The words of a command line, as a shell would split it. */
export const wordsOf = (command: string): string[] => splitWords(command)

export function parseTranscript(text: string): Transcript {
  const steps: { remarks: string[]; command: string; input: string; out: string; err: string; status: number }[] = []
  let remarks: string[] = []
  for (const line of text.replace(/\n$/, '').split('\n')) {
    const rest = line.slice(2)
    const step = steps.at(-1)
    if (line.startsWith('$ ')) {
      steps.push({ remarks, command: rest, input: '', out: '', err: '', status: 0 })
      remarks = []
    } else if (line.startsWith('  ') && step) step.out += `${rest}\n`
    else if (line.startsWith('! ') && step) step.err += `${rest}\n`
    else if (line.startsWith('< ') && step) step.input += `${rest}\n`
    else if (line.startsWith('? ') && step) step.status = Number(rest)
    else remarks.push(line)
  }
  return { steps, tail: remarks }
}

/** A text's lines behind a mark; a last line without its line break can't be told apart. */
const marked = (mark: string, text: string): string => text.replace(/\n$/, '').split('\n').map((line) => `${mark} ${line}\n`).join('')

export function formatTranscript({ steps, tail }: Transcript): string {
  const parts = steps.map(({ remarks, command, input, out, err, status }) => [
    ...remarks.map((line) => `${line}\n`), `$ ${command}\n`, input === '' ? '' : marked('<', input), out === '' ? '' : marked(' ', out),
    err === '' ? '' : marked('!', err), status === 0 ? '' : `? ${status}\n`,
  ].join(''))
  return parts.join('') + tail.map((line) => `${line}\n`).join('')
}

// What differs between machines and runs; group 1 stays, group 2 becomes NAME and its number in order of first appearance (times and sizes of code: no number).
const VOLATILE: readonly (readonly [string, RegExp])[] = [
  ['MAC', /()((?!00:00:00:00:00:00|ff:ff:ff:ff:ff:ff)(?:[0-9a-f]{2}:){5}[0-9a-f]{2})/g],
  ['IFINDEX', /(^|"ifindex": ?)(\d+)(?=: \S+: <|: [a-z0-9]+ +inet|,)/gm],
  // Handles that the kernel picked itself.
  ['HANDLE', /(qdisc \S+ |"handle": ?")(80[0-9a-f]{2}:)/g],
  ['ID', /(\bid |"id": ?|x[dp][ps]\/id:)(\d+)/g],
  ['TYPE', /("btf_vmlinux_value_type_id": ?)(\d+)/g],
  ['BTF', /(btf_id |"btf_id": ?)(\d+)/g],
  ['SIZE', /(\bjited |\bxlated )(\d+B)/g],
  ['TIME', /(load_time |"load_time": ?)(\d+)/g],
]

/** Renames what is volatile; one namer serves a whole transcript, so that a wrong id still shows. */
export function namer(): (text: string) => string {
  const known = new Map<string, string>()
  const name = (kind: string, value: string): string => {
    if (kind === 'TIME' || kind === 'SIZE') return kind
    const key = `${kind} ${value}`
    const given = known.get(key) ?? `${kind}${[...known.keys()].filter((one) => one.startsWith(`${kind} `)).length + 1}`
    known.set(key, given)
    return given
  }
  return (text) => VOLATILE.reduce((rest, [kind, pattern]) => rest.replace(pattern, (_, keep: string, value: string) => keep + name(kind, value)), text)
}

/** Runs all steps of a transcript: what was printed now, with volatile parts named. */
export function replay(transcript: Transcript, run: (command: string, input: string) => Outcome): Transcript {
  const rename = namer()
  const steps = transcript.steps.map((step) => {
    const { out, err, status } = run(step.command, step.input)
    return { ...step, out: lined(rename(out)), err: lined(rename(err)), status }
  })
  return { steps, tail: transcript.tail }
}

const lined = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`)

