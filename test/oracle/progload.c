// Asks the machine's own kernel for its verdict on raw programs. Reads requests from stdin, one directive a line, and answers each
// `load` with `verdict ERRNO`, the log's lines prefixed with `|`, and `end`. Compiled on demand by test/oracle/loader.ts.
//   map TYPE KEY VALUE MAX FLAGS NAME [inner INDEX] [btf KEYTYPE VALUETYPE] [extra N]   creates a map; number in order of appearance
//   btf HEX       loads BTF that later maps and programs use        value INDEX HEX   array element 0        freeze INDEX
//   func HEX      func_info records (8 bytes)      line HEX      line_info records (16 bytes)
//   load TYPE ATTACH FLAGS LEVEL LICENSE HEX      _ in LICENSE is a blank; 16-byte loads of pseudo map fds carry the map's number    reset
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "linux/bpf.h"

static int maps[128], nmaps, btf = -1;
static char *line;
static size_t cap;
static unsigned char code[8 << 20], funcs[1 << 16], lines[1 << 20];
static char verdict_log[16 << 20];
static int nfuncs, nlines;

static int sys_bpf(int cmd, union bpf_attr *attr) { return syscall(SYS_bpf, cmd, attr, sizeof *attr); }

static int unhex(const char *s, unsigned char *out) {
  int n = 0;
  unsigned v;
  while (s[0] > ' ' && s[1] > ' ' && sscanf(s, "%2x", &v) == 1) { out[n++] = v; s += 2; }
  return n;
}

static void make_map(char *args) {
  union bpf_attr a;
  unsigned type, ks, vs, max, flags, x, y;
  char name[32] = "", *p;
  memset(&a, 0, sizeof a);
  sscanf(args, "%u %u %u %u %u %15s", &type, &ks, &vs, &max, &flags, name);
  a.map_type = type; a.key_size = ks; a.value_size = vs; a.max_entries = max; a.map_flags = flags;
  memcpy(a.map_name, name, 15);
  if ((p = strstr(args, " inner ")) && sscanf(p, " inner %u", &x) == 1) a.inner_map_fd = maps[x];
  if ((p = strstr(args, " btf ")) && sscanf(p, " btf %u %u", &x, &y) == 2) { a.btf_fd = btf; a.btf_key_type_id = x; a.btf_value_type_id = y; }
  if ((p = strstr(args, " extra ")) && sscanf(p, " extra %u", &x) == 1) a.map_extra = x;
  maps[nmaps] = sys_bpf(BPF_MAP_CREATE, &a);
  if (maps[nmaps] < 0) printf("map %d: %s\n", nmaps, strerror(errno));
  nmaps++;
}

static void load_btf(char *hex) {
  union bpf_attr a;
  int n = unhex(hex, code);
  memset(&a, 0, sizeof a);
  a.btf = (unsigned long)code; a.btf_size = n;
  a.btf_log_buf = (unsigned long)verdict_log; a.btf_log_size = sizeof verdict_log; a.btf_log_level = 1;
  btf = sys_bpf(BPF_BTF_LOAD, &a);
  if (btf < 0) printf("btf: %s %s\n", strerror(errno), verdict_log);
}

static void set_value(char *args) {
  union bpf_attr a;
  unsigned idx, zero = 0;
  int at = 0;
  sscanf(args, "%u %n", &idx, &at);
  unhex(args + at, code);
  memset(&a, 0, sizeof a);
  a.map_fd = maps[idx]; a.key = (unsigned long)&zero; a.value = (unsigned long)code;
  if (sys_bpf(BPF_MAP_UPDATE_ELEM, &a)) printf("value %u: %s\n", idx, strerror(errno));
}

static void freeze(char *args) {
  union bpf_attr a;
  memset(&a, 0, sizeof a);
  a.map_fd = maps[atoi(args)];
  if (sys_bpf(BPF_MAP_FREEZE, &a)) printf("freeze: %s\n", strerror(errno));
}

static void reset(void) {
  while (nmaps > 0) close(maps[--nmaps]);
  if (btf >= 0) close(btf);
  btf = -1; nfuncs = nlines = 0;
}

static void answer(int fd, int err) {
  printf("verdict %d\n", fd < 0 ? err : 0);
  for (char *p = verdict_log, *e; *p; p = e + 1) {
    e = strchr(p, '\n');
    if (!e) { printf("|%s\n", p); break; }
    printf("|%.*s\n", (int)(e - p), p);
  }
  puts("end");
  fflush(stdout);
}

static void load(char *args) {
  union bpf_attr a;
  unsigned type, attach, flags, level;
  char license[32];
  int at = 0, n;
  sscanf(args, "%u %u %u %u %31s %n", &type, &attach, &flags, &level, license, &at);
  for (char *p = license; *p; p++) if (*p == '_') *p = ' ';
  n = unhex(args + at, code) / 8;
  for (int i = 0; i + 1 < n; i++) {
    struct bpf_insn *in = (struct bpf_insn *)code + i;
    if (in->code != 0x18) continue;
    if ((in->src_reg == 1 || in->src_reg == 2) && in->imm >= 0 && in->imm < nmaps) in->imm = maps[in->imm];
    i++;
  }
  memset(&a, 0, sizeof a);
  verdict_log[0] = 0;
  a.prog_type = type; a.expected_attach_type = attach; a.prog_flags = flags;
  a.insns = (unsigned long)code; a.insn_cnt = n; a.license = (unsigned long)license;
  a.log_buf = level ? (unsigned long)verdict_log : 0; a.log_size = level ? sizeof verdict_log : 0; a.log_level = level;
  if (btf >= 0 && nfuncs) {
    a.prog_btf_fd = btf; a.func_info = (unsigned long)funcs; a.func_info_cnt = nfuncs / 8; a.func_info_rec_size = 8;
    if (nlines) { a.line_info = (unsigned long)lines; a.line_info_cnt = nlines / 16; a.line_info_rec_size = 16; }
  }
  int fd = sys_bpf(BPF_PROG_LOAD, &a);
  int err = errno;
  if (fd < 0 && err == ENOSPC) { a.log_level = 0; a.log_buf = 0; a.log_size = 0; fd = sys_bpf(BPF_PROG_LOAD, &a); err = errno; }
  answer(fd, err);
  if (fd >= 0) close(fd);
}

int main(void) {
  while (getline(&line, &cap, stdin) > 0) {
    if (!strncmp(line, "map ", 4)) make_map(line + 4);
    else if (!strncmp(line, "btf ", 4)) load_btf(line + 4);
    else if (!strncmp(line, "value ", 6)) set_value(line + 6);
    else if (!strncmp(line, "freeze ", 7)) freeze(line + 7);
    else if (!strncmp(line, "func ", 5)) nfuncs = unhex(line + 5, funcs);
    else if (!strncmp(line, "line ", 5)) nlines = unhex(line + 5, lines);
    else if (!strncmp(line, "reset", 5)) reset();
    else if (!strncmp(line, "load ", 5)) load(line + 5);
  }
  return 0;
}
