// Link-layer addresses (lib/ll_addr.c: ll_addr_a2n, ll_addr_n2a): hex bytes with colons; a dotted quad is four bytes of a tunnel's address.
import { parseIPv4 } from './inet.js'

/** '02:00:00:00:00:01' -> 6 bytes (any number of bytes: the caller checks the length); undefined for what is none. */
export function parseLladdr(text: string): Uint8Array | undefined {
  if (text.includes('.')) return parseIPv4(text)
  const parts = text.split(':')
  return parts.every((part) => /^[0-9a-f]{1,2}$/i.test(part)) ? Uint8Array.from(parts, (part) => parseInt(part, 16)) : undefined
}

/** Bytes as '02:00:00:00:00:01'. */
export function formatLladdr(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':')
}
