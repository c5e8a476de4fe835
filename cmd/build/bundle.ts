// One command as two scripts: what every start needs, and what only programs and objects need. esbuild splits the modules; each of its
// chunks becomes a function in a table, so that a script is one file, compiled by V8 once and kept in its code cache.
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { build, type Plugin } from 'esbuild'

/** Names of the parts that cmd/lib/lazy.ts loads, and their modules. */
const LAZY_PARTS: Readonly<Record<string, string>> = { tools: 'pkg/kernel/tools.js', objects: 'pkg/object/index.js' }

/** Taken from node_modules when asked for, by the few commands that use them. */
const EXTERNAL = ['ink', 'react', 'yargs']

export interface Scripts {
  readonly light: string
  readonly heavy: string
}

/** Inside a bundle, lazy.ts asks the launcher for a part by name. */
const lazily: Plugin = {
  name: 'lazily',
  setup({ onLoad }) {
    onLoad({ filter: /\/cmd\/lib\/lazy\.js$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8').replace(/^(import|const require).*createRequire.*$/gm, '')
      const names = Object.entries(LAZY_PARTS)
      return { contents: names.reduce((all, [name, file]) => all.replace(`require('../../${file}')`, `__part('${name}')`), text) }
    })
  },
}

export async function bundle(dist: string, command: string): Promise<Scripts> {
  const { outputFiles } = await build({
    entryPoints: [
      { in: join(dist, 'cmd', command, 'main.js'), out: 'main' },
      ...Object.entries(LAZY_PARTS).map(([name, file]) => ({ in: join(dist, file), out: name })),
    ],
    outdir: dist,
    write: false,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    minify: true,
    legalComments: 'none',
    external: EXTERNAL,
    // elfy asserts what its caller has checked before; node:assert would cost every command 3 ms.
    alias: { assert: join(dist, 'cmd', 'build', 'assert-stub.js') },
    plugins: [lazily],
    logLevel: 'warning',
  })
  const chunks = new Map(outputFiles.map(({ path, text }) => [basename(path), toFunction(text)]))
  const light = reachable(chunks, 'main.js')
  const heavy = [...chunks.keys()].filter((name) => !light.includes(name))
  return { light: table(chunks, light), heavy: table(chunks, heavy) }
}

/**
 * esbuild's chunks begin with their imports and end with their exports; nothing they export is assigned later. Code that V8 takes from its
 * cache has no way to import(), so the launcher lends its own.
 */
function toFunction(text: string): string {
  return text
    .replace(/\bimport\*as ([\w$]+) from"([^"]+)";/g, 'const $1=require("$2");')
    .replace(/\bimport\{([^}]*)\}from"([^"]+)";/g, (_all, names: string, from: string) => `const{${names.replace(/ as /g, ':')}}=require("${from}");`)
    .replace(/\bimport ([\w$]+) from"([^"]+)";/g, 'const{default:$1}=require("$2");')
    .replace(/\bimport"([^"]+)";/g, 'require("$1");')
    .replace(/\bimport\(("[\w-]+")\)/g, '__part.import($1)')
    .replace(/\bexport\{([^}]*)\};\s*$/, (_all, names: string) => `Object.assign(exports,{${names.split(',').map(exported).join(',')}});`)
}

function exported(name: string): string {
  const [inside = '', outside = inside] = name.split(' as ')
  return `${outside}:${inside}`
}

function reachable(chunks: ReadonlyMap<string, string>, from: string, seen: string[] = []): string[] {
  if (seen.includes(from)) return seen
  seen.push(from)
  for (const [, name = ''] of (chunks.get(from) ?? '').matchAll(/require\("\.\/([\w-]+\.js)"\)/g)) reachable(chunks, name, seen)
  return seen
}

/** The script is an object: chunk name -> function(require, exports, __part). */
function table(chunks: ReadonlyMap<string, string>, names: readonly string[]): string {
  const rows = names.map((name) => `${JSON.stringify(`./${name}`)}:function(require,exports,__part){${chunks.get(name) ?? ''}\n}`)
  return `({${rows.join(',\n')}})`
}
