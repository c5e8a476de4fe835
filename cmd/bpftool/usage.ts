// What `help` prints, one record an object; the SYNOPSIS of each man page is held against the same records.

/** A form is what stands behind `bpftool OBJECT `; further lines of one form are kept as they are printed. */
export type Help = {
  readonly object: string
  readonly forms: readonly string[]
  readonly where: readonly string[]
  /** Beyond {-j|--json} [{-p|--pretty}] | {-d|--debug} | {-l|--legacy}. */
  readonly options: readonly string[]
  readonly note?: string
}

const INDENT = ' '.repeat(7)
const COMMON = '{-j|--json} [{-p|--pretty}] | {-d|--debug} | {-l|--legacy}'

/** The usage text of an object. */
export function usage(help: Help): string {
  const forms = help.forms.map((form) => `bpftool ${help.object} ${form}`).join(`\n${INDENT}`)
  const where = help.where.map((text) => `${INDENT}${text}\n`).join('')
  return `Usage: ${forms}\n\n${where}${INDENT}${options(help.options)}\n${help.note ?? ''}`
}

/** Three to a line, as upstream wraps them: HELP_SPEC_OPTIONS stands on the first. */
function options(own: readonly string[]): string {
  const lines = [COMMON]
  for (let at = 0; at < own.length; at += 3) lines.push(own.slice(at, at + 3).join(' | '))
  return `OPTIONS := { ${lines.join(` |\n${' '.repeat(20)}`)} }`
}

const PROG = 'PROG := { id PROG_ID | pinned FILE | tag PROG_TAG | name PROG_NAME }'
const MAP = 'MAP := { id MAP_ID | pinned FILE | name MAP_NAME }'
const BPFFS = '{-f|--bpffs}'
const NOMOUNT = '{-n|--nomount}'

export const PROG_HELP: Help = {
  object: 'prog',
  forms: [
    '{ show | list } [PROG]',
    'dump xlated PROG [{ file FILE | opcodes | visual | linum }]',
    'dump jited  PROG [{ file FILE | opcodes | linum }]',
    'pin   PROG FILE',
    `{ load | loadall } OBJ  PATH \\
                         [type TYPE] [dev NAME] \\
                         [map { idx IDX | name NAME } MAP]\\
                         [pinmaps MAP_DIR] \\
                         [autoattach]`,
    'attach PROG ATTACH_TYPE [MAP]',
    'detach PROG ATTACH_TYPE [MAP]',
    `run PROG \\
                         data_in FILE \\
                         [data_out FILE [data_size_out L]] \\
                         [ctx_in FILE [ctx_out FILE [ctx_size_out M]]] \\
                         [repeat N]`,
    'profile PROG [duration DURATION] METRICs',
    'tracelog',
    'help',
  ],
  where: [
    MAP,
    PROG,
    `TYPE := { socket | kprobe | kretprobe | classifier | action |
                 tracepoint | raw_tracepoint | xdp | perf_event | cgroup/skb |
                 cgroup/sock | cgroup/dev | lwt_in | lwt_out | lwt_xmit |
                 lwt_seg6local | sockops | sk_skb | sk_msg | lirc_mode2 |
                 sk_reuseport | flow_dissector | cgroup/sysctl |
                 cgroup/bind4 | cgroup/bind6 | cgroup/post_bind4 |
                 cgroup/post_bind6 | cgroup/connect4 | cgroup/connect6 |
                 cgroup/getpeername4 | cgroup/getpeername6 |
                 cgroup/getsockname4 | cgroup/getsockname6 | cgroup/sendmsg4 |
                 cgroup/sendmsg6 | cgroup/recvmsg4 | cgroup/recvmsg6 |
                 cgroup/getsockopt | cgroup/setsockopt | cgroup/sock_release |
                 struct_ops | fentry | fexit | freplace | sk_lookup |
                 sch_bpf/enqueue | sch_bpf/dequeue | dequeue | phys_dev }`,
    `ATTACH_TYPE := { sk_msg_verdict | sk_skb_verdict | sk_skb_stream_verdict |
                        sk_skb_stream_parser | flow_dissector }`,
    'METRIC := { cycles | instructions | l1d_loads | llc_misses | itlb_misses | dtlb_misses }',
  ],
  options: [BPFFS, '{-m|--mapcompat}', NOMOUNT, '{-L|--use-loader}'],
}

export const MAP_HELP: Help = {
  object: 'map',
  forms: [
    '{ show | list }   [MAP]',
    `create     FILE type TYPE key KEY_SIZE value VALUE_SIZE \\
                                  entries MAX_ENTRIES name NAME [flags FLAGS] \\
                                  [inner_map MAP] [extra EXTRA] [dev NAME]`,
    'dump       MAP',
    'update     MAP [key DATA] [value VALUE] [UPDATE_FLAGS]',
    'lookup     MAP [key DATA]',
    'getnext    MAP [key DATA]',
    'delete     MAP  key DATA',
    'pin        MAP  FILE',
    'event_pipe MAP [cpu N index M]',
    'peek       MAP',
    'push       MAP value VALUE',
    'pop        MAP',
    'enqueue    MAP value VALUE',
    'dequeue    MAP',
    'freeze     MAP',
    'help',
  ],
  where: [
    MAP,
    'DATA := { [hex] BYTES }',
    PROG,
    'VALUE := { DATA | MAP | PROG }',
    'UPDATE_FLAGS := { any | exist | noexist }',
    `TYPE := { hash | array | prog_array | perf_event_array | percpu_hash |
                 percpu_array | stack_trace | cgroup_array | lru_hash |
                 lru_percpu_hash | lpm_trie | array_of_maps | hash_of_maps |
                 devmap | devmap_hash | sockmap | cpumap | xskmap | sockhash |
                 cgroup_storage | reuseport_sockarray | percpu_cgroup_storage |
                 queue | stack | sk_storage | struct_ops | ringbuf | inode_storage |
                 task_storage | bloom_filter | user_ringbuf | pifo_generic |
                 pifo_xdp | xdp_fifo | skbmap | flowmap }`,
  ],
  options: [BPFFS, NOMOUNT],
}

export const LINK_HELP: Help = {
  object: 'link',
  forms: ['{ show | list }   [LINK]', 'pin        LINK  FILE', 'detach     LINK', 'help'],
  where: ['LINK := { id LINK_ID | pinned FILE }'],
  options: [BPFFS, NOMOUNT],
}

export const NET_HELP: Help = {
  object: 'net',
  forms: [
    '{ show | list } [dev <devname>]',
    'attach ATTACH_TYPE PROG dev <devname> [ overwrite ]',
    'detach ATTACH_TYPE dev <devname>',
    'help',
  ],
  where: [PROG, 'ATTACH_TYPE := { xdp | xdpgeneric | xdpdrv | xdpoffload }'],
  options: [],
  note: `
Note: Only xdp and tc attachments are supported now.
      For progs attached to cgroups, use "bpftool cgroup"
      to dump program attachments. For program types
      sk_{filter,skb,msg,reuseport} and lwt/seg6, please
      consult iproute2.
`,
}

export const BTF_HELP: Help = {
  object: 'btf',
  forms: ['{ show | list } [id BTF_ID]', 'dump BTF_SRC [format FORMAT]', 'help'],
  where: [
    'BTF_SRC := { id BTF_ID | prog PROG | map MAP [{key | value | kv | all}] | file FILE }',
    'FORMAT  := { raw | c }',
    MAP,
    PROG,
  ],
  options: ['{-B|--base-btf}'],
}

export const STRUCT_OPS_HELP: Help = {
  object: 'struct_ops',
  forms: ['{ show | list } [STRUCT_OPS_MAP]', 'dump [STRUCT_OPS_MAP]', 'register OBJ', 'unregister STRUCT_OPS_MAP', 'help'],
  where: ['STRUCT_OPS_MAP := [ id STRUCT_OPS_MAP_ID | name STRUCT_OPS_MAP_NAME ]'],
  options: [],
}

export const PERF_HELP: Help = { object: 'perf', forms: ['{ show | list }', 'help }'], where: [], options: [] }

/** bpftool without an object. */
export const BPFTOOL_USAGE = `Usage: bpftool [OPTIONS] OBJECT { COMMAND | help }
       bpftool batch file FILE
       bpftool version

       OBJECT := { prog | map | link | cgroup | perf | net | feature | btf | gen | struct_ops | iter }
       OPTIONS := { ${COMMON} |
                    {-V|--version} }
`
