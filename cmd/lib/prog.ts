// How every listing shows an attached program (lib/bpf_legacy.c bpf_dump_prog_info).
import type { Writer } from '../../pkg/print/index.js'
import type { ProgRef } from '../../pkg/request/rtnl.js'

/** `id 7 name x tag … jited [load_time … created_by_uid … btf_id …] `; JSON: an object under `key`. */
export function printProg(w: Writer, prog: ProgRef, details: boolean, key = 'prog'): void {
  w.object(key, () => {
    w.uint('id', 'id %u ', prog.id)
    if (prog.name !== '') w.string('name', 'name %s ', prog.name)
    w.string('tag', 'tag %s ', prog.tag)
    if (prog.jited) w.shown('jited', '%s ', 1, 'jited')
    if (!details) return
    w.uint('load_time', 'load_time %u ', prog.loadTime)
    w.uint('created_by_uid', 'created_by_uid %u ', prog.uid)
    if (prog.btfId) w.uint('btf_id', 'btf_id %u ', prog.btfId)
  })
}
