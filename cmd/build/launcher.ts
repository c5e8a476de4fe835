// The text of an executable in dist/bin: runs dist/lib/NAME.cjs with V8's code cache beside it, which saves parsing and
// compiling a third of a megabyte at each start.

/** What a bundle calls in place of import(). */
export const IMPORT = '__import'

/**
 * NODE_EXTRA_CA_CERTS makes Node parse every certificate of the host at boot (some 40 ms); no command opens a TLS connection.
 * The bundle is ASCII (esbuild escapes the rest), so it is read as latin1, which checks nothing.
 * The cache file is written by the first run that may; a stale or foreign one is rejected by V8 and replaced.
 */
export function launcher(name: string): string {
  return `#!/usr/bin/env -S -u NODE_EXTRA_CA_CERTS node
'use strict'
const fs = require('fs'), path = require('path'), vm = require('vm')
const file = path.join(path.dirname(fs.realpathSync(__filename)), '..', 'lib', '${name}.cjs')
const cache = file + '.' + process.version + '.cache'
const source = fs.readFileSync(file, 'latin1')
let cachedData
try { cachedData = fs.readFileSync(cache) } catch {}
const script = new vm.Script('(function(exports,require,module,__filename,__dirname,${IMPORT}){' + source + '\\n})', { filename: file, cachedData })
const module_ = { exports: {} }
script.runInThisContext()(module_.exports, require('module').createRequire(file), module_, file, path.dirname(file), (name) => import(name))
if (!cachedData || script.cachedDataRejected) {
  process.once('exit', () => {
    try {
      const fresh = cache + '.' + process.pid
      fs.writeFileSync(fresh, script.createCachedData())
      fs.renameSync(fresh, cache)
    } catch {}
  })
}
`
}
