// Keyword tables -> request objects. A command declares its words once:
//   const SET = grammar<SetLink>({ name: 'ip link set', match: 'whole', rows: [
//     { word: 'dev', type: DEVICE, into: 'dev', bare: true, once: 'either' },
//     { word: 'up', into: 'up' }, { word: 'down', into: 'up', value: false },
//     { word: 'mtu', type: u32('MTU'), into: 'mtu', once: true },
//     { word: 'xdp', into: 'xdp', sub: nested(BPF) } ] })
//   const request = parse(SET, words, {})          // or an InputError with iproute2's own sentence and exit status
// usage(SET) and complete(SET, words, source) read the same rows. `Words` is the cursor, `select` picks objects and verbs by prefix.
export * from './complaints.js'
export * from './words.js'
export * from './match.js'
export * from './table.js'
export * from './types.js'
export * from './parse.js'
export * from './usage.js'
export * from './complete.js'
