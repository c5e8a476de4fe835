// Asks the machine's own kernel for an object's whole behaviour: loads it with libbpf, runs each program over packets with
// BPF_PROG_TEST_RUN and reads the maps afterwards. Compiled on demand by test/oracle/object-runner.ts; directives on stdin:
//   packet HEX      adds a packet        object PATH      answers with one line of JSON
// Packet n runs without a context; every third again with the context that user_ctx() makes; packet 0 also three times in a row.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/bpf.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#define MAX_PACKETS 64
#define MAX_KEYS 5000
static unsigned char packets[MAX_PACKETS][4096], with_meta[4200];
static int sizes[MAX_PACKETS], npackets;
static char said[1 << 22];
static size_t nsaid;

static int say(enum libbpf_print_level level, const char *format, va_list args) {
  if (level == LIBBPF_DEBUG) return 0;
  size_t room = sizeof said - nsaid - 1;
  int n = vsnprintf(said + nsaid, room, format, args);
  if (n > 0) nsaid += (size_t)n < room ? (size_t)n : room;
  return 0;
}

static void put_string(const char *s, size_t n) {
  putchar('"');
  for (size_t i = 0; i < n; i++) {
    unsigned char c = s[i];
    if (c == '"' || c == '\\') printf("\\%c", c);
    else if (c < 32 || c > 126) printf("\\u%04x", c);
    else putchar(c);
  }
  putchar('"');
}

static void put_hex(const unsigned char *p, size_t n) {
  putchar('"');
  for (size_t i = 0; i < n; i++) printf("%02x", p[i]);
  putchar('"');
}

static void put32(unsigned char *ctx, int at, unsigned v) { memcpy(ctx + at, &v, 4); }

/* Fills in what a user may set; returns its size, 0 for types without one. */
static int user_ctx(int type, unsigned char *ctx, int len) {
  memset(ctx, 0, 192);
  if (type == BPF_PROG_TYPE_XDP) {
    put32(ctx, 0, 8); put32(ctx, 4, len + 8); put32(ctx, 12, 1);
    return 24;
  }
  if (type == BPF_PROG_TYPE_FLOW_DISSECTOR) return 0;
  put32(ctx, 8, 0x1234); put32(ctx, 32, 5); put32(ctx, 40, 1);
  for (int i = 0; i < 5; i++) put32(ctx, 48 + 4 * i, i * 0x01010101 + 1);
  put32(ctx, 152, 123456789); put32(ctx, 160, len + 14);
  put32(ctx, 164, 3); put32(ctx, 176, 500);
  return 192;
}

static int first;
static void run(int fd, const char *name, int type, int n, int ctx, int repeat) {
  static unsigned char out[8192], ctx_in[192], ctx_out[192];
  LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = packets[n], .data_size_in = sizes[n], .data_out = out, .data_size_out = sizeof out, .repeat = repeat);
  if (ctx) {
    int size = user_ctx(type, ctx_in, sizes[n]);
    if (!size) return;
    memset(ctx_out, 0, sizeof ctx_out);
    o.ctx_in = ctx_in; o.ctx_size_in = size; o.ctx_out = ctx_out; o.ctx_size_out = size;
    if (type == BPF_PROG_TYPE_XDP) {
      memset(with_meta, 0x5a, 8); memcpy(with_meta + 8, packets[n], sizes[n]);
      o.data_in = with_meta; o.data_size_in = sizes[n] + 8;
    }
  }
  int err = bpf_prog_test_run_opts(fd, &o) ? errno : 0;
  printf("%s{\"prog\":\"%s\",\"packet\":%d,\"ctx\":%d,\"repeat\":%d,\"err\":%d", first ? "" : ",\n", name, n, ctx, repeat, err);
  first = 0;
  if (!err) {
    printf(",\"retval\":%u,\"out\":", o.retval);
    put_hex(out, o.data_size_out);
    if (ctx) { printf(",\"ctxOut\":"); put_hex(ctx_out, o.ctx_size_out); }
  }
  putchar('}');
}

static void run_all(struct bpf_object *obj) {
  struct bpf_program *prog;
  first = 1;
  bpf_object__for_each_program(prog, obj) {
    int fd = bpf_program__fd(prog), type = bpf_program__type(prog);
    if (fd < 0) continue;
    for (int n = 0; n < npackets; n++) {
      run(fd, bpf_program__name(prog), type, n, 0, 1);
      if (n % 3 == 0) run(fd, bpf_program__name(prog), type, n, 1, 1);
      if (n == 0) run(fd, bpf_program__name(prog), type, n, 0, 3);
    }
  }
}

static int is_percpu(int t) {
  return t == BPF_MAP_TYPE_PERCPU_ARRAY || t == BPF_MAP_TYPE_PERCPU_HASH || t == BPF_MAP_TYPE_LRU_PERCPU_HASH || t == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE;
}

static void dump_fd(int fd, int depth) {
  static unsigned char key[2][512], big[2][1 << 20];
  unsigned char *k = key[depth], *v = big[depth];
  struct bpf_map_info info = {};
  unsigned len = sizeof info;
  bpf_obj_get_info_by_fd(fd, &info, &len);
  int t = info.type, one = 1;
  int size = is_percpu(t) ? (info.value_size + 7) / 8 * 8 * libbpf_num_possible_cpus() : info.value_size;
  int inner = t == BPF_MAP_TYPE_ARRAY_OF_MAPS || t == BPF_MAP_TYPE_HASH_OF_MAPS;
  int presence = t == BPF_MAP_TYPE_PROG_ARRAY;
  putchar('[');
  if (t == BPF_MAP_TYPE_QUEUE || t == BPF_MAP_TYPE_STACK) {
    for (; !bpf_map_lookup_and_delete_elem(fd, NULL, v); one = 0) { printf("%s[\"\",", one ? "" : ","); put_hex(v, size); putchar(']'); }
  } else if (t != BPF_MAP_TYPE_BLOOM_FILTER && t != BPF_MAP_TYPE_RINGBUF && t != BPF_MAP_TYPE_PERF_EVENT_ARRAY && size <= 1 << 20) {
    void *prev = NULL;
    for (int n = 0; n < MAX_KEYS && !bpf_map_get_next_key(fd, prev, k); n++, prev = k) {
      memset(v, 0, size);
      if (bpf_map_lookup_elem(fd, k, v)) continue;
      int zero = 1;
      for (int i = 0; i < size && zero; i++) zero = v[i] == 0;
      if (zero && t != BPF_MAP_TYPE_HASH && t != BPF_MAP_TYPE_LRU_HASH && t != BPF_MAP_TYPE_LPM_TRIE) continue;
      printf("%s[", one ? "" : ","); one = 0;
      put_hex(k, info.key_size);
      putchar(',');
      if (inner) {
        int ifd = bpf_map_get_fd_by_id(*(unsigned *)v);
        if (ifd >= 0 && depth == 0) { dump_fd(ifd, 1); close(ifd); } else printf("[]");
      } else if (presence) printf("\"\"");
      else put_hex(v, size);
      putchar(']');
    }
  }
  putchar(']');
}

static void dump_maps(struct bpf_object *obj) {
  struct bpf_map *map;
  int one = 1;
  bpf_object__for_each_map(map, obj) {
    int fd = bpf_map__fd(map);
    if (fd < 0) continue;
    printf("%s", one ? "" : ",\n"); one = 0;
    put_string(bpf_map__name(map), strlen(bpf_map__name(map)));
    putchar(':');
    dump_fd(fd, 0);
  }
}

static void object(const char *path) {
  nsaid = 0; said[0] = 0;
  struct bpf_object *obj = bpf_object__open_file(path, NULL);
  int err = obj ? bpf_object__load(obj) : -errno;
  printf("{\"path\":"); put_string(path, strlen(path));
  printf(",\"err\":%d,\"log\":", -err);
  size_t from = !err ? nsaid : nsaid > 30000 ? nsaid - 30000 : 0;
  put_string(said + from, nsaid - from);
  printf(",\"runs\":[");
  if (!err) run_all(obj);
  printf("],\"maps\":{");
  if (!err) dump_maps(obj);
  puts("}}");
  putchar('\0'); putchar('\n');
  fflush(stdout);
  if (obj) bpf_object__close(obj);
}

int main(void) {
  cpu_set_t set;
  char *line = NULL;
  size_t cap = 0;
  CPU_ZERO(&set); CPU_SET(0, &set);
  sched_setaffinity(0, sizeof set, &set);
  libbpf_set_print(say);
  while (getline(&line, &cap, stdin) > 0) {
    line[strcspn(line, "\n")] = 0;
    if (!strncmp(line, "packet ", 7)) {
      unsigned v;
      int n = 0;
      for (char *p = line + 7; sscanf(p, "%2x", &v) == 1; p += 2) packets[npackets][n++] = v;
      sizes[npackets++] = n;
    } else if (!strncmp(line, "object ", 7)) object(line + 7);
  }
  return 0;
}
