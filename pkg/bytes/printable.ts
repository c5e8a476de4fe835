// Names from files in messages: control characters must not reach a terminal or break a line.

/** The text with control characters as \xNN and cut to a length that a line can bear. */
export function printable(text: string, limit = 400): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}…` : text
  return cut.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, c => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
