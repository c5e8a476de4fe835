// Lookups that the JIT emits answer as the maps of pkg/map themselves, on every kind that tells its facts.
import t from 'tap'
import { asm } from '../../pkg/insn/asm.js'
import { jit } from '../../pkg/jit/index.js'
import { CONTEXTS, HELPER_BYTES } from '../../pkg/mem/layout.js'
import type { EngineHost } from '../../pkg/prog/engine.js'
import { MAP_TYPE } from '../../pkg/uapi/bpf.js'
import { imageOf, testHost } from '../insn/machine.js'
import { TestHost } from '../map/host.js'
import { Random } from '../fuzz/random.js'

const host = new TestHost()
const { u8, u32 } = host.mem
const CPU = 0x100f0
const engineHost: EngineHost = {
  ...testHost(),
  mem: host.mem,
  cpuAddr: CPU,
  mapAddr: id => host.maps.get(id)!.addr,
  mapJit: id => host.maps.get(id)!.jit,
  helper: () => ({ ret: 'uint', call: () => { throw new Error('the lookup was not emitted') } }),
}

const KINDS = ['ARRAY', 'PERCPU_ARRAY', 'HASH', 'PERCPU_HASH', 'LRU_HASH', 'LRU_PERCPU_HASH'] as const
for (const kind of KINDS) {
  t.test(kind, async t => {
    const isArray = kind.endsWith('ARRAY')
    for (const [key, value, entries] of isArray ? [[4, 1, 7], [4, 24, 100]] as const : [[1, 8, 100], [4, 4, 64], [13, 3, 50], [32, 40, 10]] as const) {
      const map = host.create({ type: MAP_TYPE[kind], key, value, entries })
      const insns = asm(`r2 = r1\nr1 = map[id:${map.attr.id}]\ncall bpf_map_lookup_elem\nexit`)
      const runnable = jit.compile(imageOf(insns, { aux: new Map([[3, { mapId: map.attr.id }]]) }), engineHost)
      const random = new Random(key * 100 + entries)
      let hits = 0
      for (let n = 0; n < 400; n++) {
        for (let at = 0; at < key; at++) u8[CONTEXTS + at] = isArray && at > 0 ? 0 : random.below(isArray ? entries + 5 : at === 0 ? 40 : 2)
        u8.fill(n, HELPER_BYTES, HELPER_BYTES + 64)
        if (n % 3 === 0) map.update(CONTEXTS, HELPER_BYTES, 0)
        if (n % 17 === 0) map.delete(CONTEXTS)
        u32[CPU >> 2] = host.now = n & 1
        const want = map.lookup(CONTEXTS)
        if (want !== 0) hits++
        if (runnable.run(CONTEXTS) !== want) t.fail(`${key} bytes of key, operation ${n}`)
      }
      t.ok(hits > 5 && hits < 400, `${hits} of 400 found, keys of ${key} bytes`)
    }
  })
}
