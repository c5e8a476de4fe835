// enum bpf_core_relo_kind (include/uapi/linux/bpf.h) and flavours: names that differ behind `___` mean the same kernel type.

export const CORE = {
  FIELD_BYTE_OFFSET: 0, FIELD_BYTE_SIZE: 1, FIELD_EXISTS: 2, FIELD_SIGNED: 3, FIELD_LSHIFT_U64: 4, FIELD_RSHIFT_U64: 5,
  TYPE_ID_LOCAL: 6, TYPE_ID_TARGET: 7, TYPE_EXISTS: 8, TYPE_SIZE: 9, ENUMVAL_EXISTS: 10, ENUMVAL_VALUE: 11, TYPE_MATCHES: 12,
} as const

/** As libbpf prints them. */
export const CORE_NAME = [
  'byte_off', 'byte_sz', 'field_exists', 'signed', 'lshift_u64', 'rshift_u64', 'local_type_id', 'target_type_id',
  'type_exists', 'type_size', 'enumval_exists', 'enumval_value', 'type_matches',
] as const

export function isFieldKind(kind: number): boolean {
  return kind <= CORE.FIELD_RSHIFT_U64
}

export function isTypeKind(kind: number): boolean {
  return (kind >= CORE.TYPE_ID_LOCAL && kind <= CORE.TYPE_SIZE) || kind === CORE.TYPE_MATCHES
}

export function isEnumvalKind(kind: number): boolean {
  return kind === CORE.ENUMVAL_EXISTS || kind === CORE.ENUMVAL_VALUE
}

/** `task_struct` of `task_struct___old`: three underscores between other characters, the last such place. */
export function essentialName(name: string): string {
  for (let i = name.length - 5; i >= 0; i--) {
    if (name.startsWith('___', i + 1) && name[i] !== '_' && name[i + 4] !== '_') return name.slice(0, i + 1)
  }
  return name
}
