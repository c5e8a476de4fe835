/* SPDX-License-Identifier: MIT
 * LD_PRELOAD under bpftool: writes what it asks of bpf(2) to $BPF_TRACE, one JSON object a call. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

static void hex(FILE *out, const char *key, __u64 from, __u32 count)
{
	const unsigned char *bytes = (const void *)(unsigned long)from;

	fprintf(out, ",\"%s\":\"", key);
	for (__u32 i = 0; i < count; i++)
		fprintf(out, "%02x", bytes[i]);
	fprintf(out, "\"");
}

static void map_create(FILE *out, const union bpf_attr *a)
{
	fprintf(out, ",\"op\":\"map\",\"name\":\"%.16s\",\"type\":%u,\"keySize\":%u,\"valueSize\":%u,\"maxEntries\":%u,\"flags\":%u", a->map_name,
		a->map_type, a->key_size, a->value_size, a->max_entries, a->map_flags);
	fprintf(out, ",\"mapExtra\":%llu,\"btfKeyTypeId\":%u,\"btfValueTypeId\":%u,\"inner\":%u", (unsigned long long)a->map_extra, a->btf_key_type_id,
		a->btf_value_type_id, a->inner_map_fd);
}

static void prog_load(FILE *out, const union bpf_attr *a)
{
	fprintf(out, ",\"op\":\"prog\",\"name\":\"%.16s\",\"type\":%u,\"expectedAttachType\":%u,\"flags\":%u", a->prog_name, a->prog_type,
		a->expected_attach_type, a->prog_flags);
	hex(out, "insns", a->insns, a->insn_cnt * 8);
	hex(out, "funcInfo", a->func_info, a->func_info_cnt * a->func_info_rec_size);
	hex(out, "lineInfo", a->line_info, a->line_info_cnt * a->line_info_rec_size);
}

static void map_update(FILE *out, const union bpf_attr *a)
{
	fprintf(out, ",\"op\":\"update\",\"map\":%u", a->map_fd);
	hex(out, "key", a->key, 4);
	hex(out, "value", a->value, 4);
}

static void btf_load(FILE *out, const union bpf_attr *a)
{
	fprintf(out, ",\"op\":\"btf\"");
	hex(out, "bytes", a->btf, a->btf_size);
}

static void record(long command, const union bpf_attr *a, long result)
{
	FILE *out = fopen(getenv("BPF_TRACE"), "a");

	if (!out)
		return;
	fprintf(out, "{\"fd\":%ld", result);
	switch (command) {
	case BPF_MAP_CREATE: map_create(out, a); break;
	case BPF_PROG_LOAD: prog_load(out, a); break;
	case BPF_MAP_UPDATE_ELEM: map_update(out, a); break;
	case BPF_MAP_FREEZE: fprintf(out, ",\"op\":\"freeze\",\"map\":%u", a->map_fd); break;
	case BPF_BTF_LOAD: btf_load(out, a); break;
	}
	fprintf(out, "}\n");
	fclose(out);
}

long syscall(long number, ...)
{
	long (*real)(long, ...) = dlsym(RTLD_NEXT, "syscall");
	union bpf_attr attr = {};
	long a[6], result;
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	result = real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (number != SYS_bpf)
		return result;
	memcpy(&attr, (void *)a[1], (unsigned long)a[2] < sizeof(attr) ? (unsigned long)a[2] : sizeof(attr));
	record(a[0], &attr, result);
	return result;
}
