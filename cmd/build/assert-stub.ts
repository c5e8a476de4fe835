// Stands for node:assert in the bundles: the one function that elfy calls.

export function equal(actual: unknown, expected: unknown, message?: string): void {
  // Loose on purpose, as node:assert's legacy equal is.
  if (actual != expected) throw new Error(message ?? `${String(actual)} == ${String(expected)}`)
}
