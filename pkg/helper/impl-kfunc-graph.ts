// Kernel functions over objects that programs allocate: bpf_obj_new, bpf_obj_drop, lists (kernel/bpf/helpers.c). What the verifier knows of
// types comes as arguments that fixup puts in: obj_new(size, btf, type), push(head, node, _, offset of the node in its object).
import type { HelperEnv } from './env.js'
import type { KfuncTable } from './impl-kfunc.js'

export function graphKfuncs({ objects }: HelperEnv): KfuncTable {
  if (!objects) return {}
  return {
    bpf_obj_new_impl: { ret: 'uint', call: (size, btf, type) => objects.alloc(size, btf, type) },
    bpf_obj_drop_impl: { ret: 'int', call: (object) => {
      objects.drop(object)
      return 0
    } },
    bpf_refcount_acquire_impl: { ret: 'uint', call: (object) => objects.acquire(object) },
    bpf_list_push_front_impl: { ret: 'int', call: (head, node, _meta, offset) => objects.push(head, node, offset, false) },
    bpf_list_push_back_impl: { ret: 'int', call: (head, node, _meta, offset) => objects.push(head, node, offset, true) },
    bpf_list_pop_front: { ret: 'uint', call: (head) => objects.pop(head, false) },
    bpf_list_pop_back: { ret: 'uint', call: (head) => objects.pop(head, true) },
    bpf_list_front: { ret: 'uint', call: (head) => objects.peek(head, false) },
    bpf_list_back: { ret: 'uint', call: (head) => objects.peek(head, true) },
  }
}
