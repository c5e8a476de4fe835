// Bytes as bpftool prints them (common.c: fprint_hex; prog.c: print_hex of `prog run`).

const byte = (value: number): string => value.toString(16).padStart(2, '0')

/** fprint_hex: 16 to a line, a gap after 8. */
export function hexLines(bytes: Uint8Array): string {
  let text = ''
  bytes.forEach((value, at) => {
    if (at > 0) text += at % 16 === 0 ? '\n' : at % 8 === 0 ? '  ' : ' '
    text += byte(value)
  })
  return text
}

/** print_hex_data_json: "0x00" each. */
export const hexWords = (bytes: Uint8Array): string[] => Array.from(bytes, (value) => `0x${byte(value)}`)

/** xxd's way, as `prog run … data_out -` has it. */
export function hexDump(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 16) text += `${at.toString(16).padStart(7, '0')}\t${dumpLine(bytes.subarray(at, at + 16))}\n`
  return text
}

function dumpLine(bytes: Uint8Array): string {
  let hex = ''
  for (let i = 0; i < 16; i++) hex += `${i > 0 && i % 2 === 0 ? ' ' : ''}${i < bytes.length ? byte(bytes[i]!) : '  '}`
  let text = ''
  for (let i = 0; i < 16; i++) text += `${i === 8 ? ' ' : ''}${i < bytes.length ? printable(bytes[i]!) : ''}`
  return `${hex} | ${text}`
}

const printable = (code: number): string => (code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : '.')
