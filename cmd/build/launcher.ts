// The text of an executable in dist/bin: runs the scripts of bundle.ts with V8's code cache beside each, which saves parsing and
// compiling a third of a megabyte at every start.

/**
 * NODE_EXTRA_CA_CERTS makes Node parse every certificate of the host at boot (some 40 ms); no command opens a TLS connection. The scripts are
 * ASCII (esbuild escapes the rest), so they are read as latin1, which checks nothing. A cache is written by the first run that may; a
 * stale or foreign one is rejected by V8 and replaced.
 */
export function launcher(name: string): string {
  return `#!/usr/bin/env -S -u NODE_EXTRA_CA_CERTS node
'use strict'
const fs = require('fs'), path = require('path'), vm = require('vm')
const lib = path.join(__dirname, '..', 'lib')
const chunks = {}, exportsOf = {}
function load(part) {
  const file = path.join(lib, '${name}.' + part + '.cjs'), cache = file + '.' + process.version + '.cache'
  const source = fs.readFileSync(file, 'latin1')
  let cachedData
  try { cachedData = fs.readFileSync(cache) } catch {}
  const script = new vm.Script(source, { filename: file, cachedData })
  Object.assign(chunks, script.runInThisContext())
  if (!cachedData || script.cachedDataRejected) process.once('exit', () => keep(script, cache))
}
function keep(script, cache) {
  try {
    fs.writeFileSync(cache + '.' + process.pid, script.createCachedData())
    fs.renameSync(cache + '.' + process.pid, cache)
  } catch {}
}
function take(name) {
  const known = exportsOf[name]
  if (known) return known
  const chunk = chunks[name]
  if (!chunk) return require(name)
  chunk(take, exportsOf[name] = {}, part)
  return exportsOf[name]
}
function part(name) {
  if (!chunks['./' + name + '.js']) load('heavy')
  return take('./' + name + '.js')
}
part.import = (name) => import(name)
load('light')
take('./main.js')
`
}
