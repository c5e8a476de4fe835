// Output of every command. iproute2-like commands write through a Writer (key, plain format and value in one call); bpftool-like ones, whose
// plain and JSON layouts differ, build one record and hand it to their plain formatter or to Json.tree(record) in the 'bpftool' style.
//   const w = new Writer({ json: true, pretty: true }); w.array(null, () => w.object(null, () => w.uint('refcnt', 'refcnt %u ', 2))); w.finish(); w.take()
export * from './format.js'
export * from './json.js'
export * from './color.js'
export * from './writer.js'
