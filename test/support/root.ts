// Where the repository is, whichever folder the compiled tests run from.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's top folder: the nearest one above this file that holds a fixtures/ and a package.json. */
export function root(...parts: string[]): string {
  let dir = dirname(fileURLToPath(import.meta.url))
  while (!(existsSync(join(dir, 'package.json')) && existsSync(join(dir, 'fixtures')))) dir = dirname(dir)
  return join(dir, ...parts)
}
