/* SPDX-License-Identifier: MIT */
/* image: capture files made byte by byte in a folder of their own, and what a source says about them, as text. */
#ifndef DEADAIR_TESTS_IMAGE_H
#define DEADAIR_TESTS_IMAGE_H

#include <dirent.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "captures/base/memory.h"
#include "captures/base/text.h"
#include "captures/source.h"

struct image {
	uint8_t *p;
	size_t n, room;
	bool big_endian;                 /* of the numbers added from now on */
};

static inline void image_add(struct image *im, const void *bytes, size_t n)
{
	if (im->room - im->n < n) {
		im->room = (im->n + n) * 2;
		im->p = memory_resize(im->p, im->room, 1);
	}
	if (n)
		memcpy(im->p + im->n, bytes, n);
	im->n += n;
}

static inline void image_number(struct image *im, uint64_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		size_t shift = 8 * (im->big_endian ? bytes - 1 - i : i);
		uint8_t byte = (uint8_t)(value >> shift);

		image_add(im, &byte, 1);
	}
}

static inline void image_u16(struct image *im, uint16_t value)
{
	image_number(im, value, 2);
}

static inline void image_u32(struct image *im, uint32_t value)
{
	image_number(im, value, 4);
}

static inline void image_fill(struct image *im, uint8_t byte, size_t n)
{
	for (size_t i = 0; i < n; i++)
		image_add(im, &byte, 1);
}

static inline void image_free(struct image *im)
{
	free(im->p);
	*im = (struct image){ NULL, 0, 0, false };
}

static inline void image_write(const struct image *im, const char *path)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(im->n ? fwrite(im->p, 1, im->n, f) : 0, im->n);
	assert_int_equal(fclose(f), 0);
}

/* pcap */

static inline void image_pcap(struct image *im, uint32_t magic, uint32_t link)
{
	image_u32(im, magic);
	image_u16(im, 2);
	image_u16(im, 4);
	image_u32(im, 0);
	image_u32(im, 0);
	image_u32(im, 65535);
	image_u32(im, link);
}

static inline void image_record_head(
	struct image *im, uint32_t seconds, uint32_t fraction, uint32_t captured, uint32_t wire)
{
	image_u32(im, seconds);
	image_u32(im, fraction);
	image_u32(im, captured);
	image_u32(im, wire);
}

static inline void image_record(struct image *im, uint32_t seconds, uint32_t fraction, uint32_t captured)
{
	image_record_head(im, seconds, fraction, captured, captured);
	image_fill(im, 0xee, captured);
}

/* pcapng: image_block_end() closes what image_block() opened, padded to 4 and with both lengths. */

static inline size_t image_block(struct image *im, uint32_t type)
{
	size_t at = im->n;

	image_u32(im, type);
	image_u32(im, 0);
	return at;
}

static inline void image_block_end(struct image *im, size_t at)
{
	struct image length = { .big_endian = im->big_endian };
	uint32_t n;

	while ((im->n - at) % 4)
		image_fill(im, 0, 1);
	n = (uint32_t)(im->n - at + 4);
	image_u32(im, n);
	image_u32(&length, n);
	memcpy(im->p + at + 4, length.p, 4);
	image_free(&length);
}

static inline void image_option(struct image *im, uint16_t code, const void *value, uint16_t n)
{
	image_u16(im, code);
	image_u16(im, n);
	image_add(im, value, n);
	image_fill(im, 0, (4 - n % 4) % 4);
}

static inline void image_option_u64(struct image *im, uint16_t code, uint64_t value)
{
	image_u16(im, code);
	image_u16(im, 8);
	image_number(im, value, 8);
}

static inline void image_section(struct image *im)
{
	size_t at = image_block(im, 0x0a0d0d0a);

	image_u32(im, 0x1a2b3c4d);
	image_u16(im, 1);
	image_u16(im, 0);
	image_number(im, UINT64_MAX, 8);
	image_block_end(im, at);
}

/* Options may be added before image_block_end(). */
static inline size_t image_interface(struct image *im, uint16_t link, uint32_t snaplen)
{
	size_t at = image_block(im, 1);

	image_u16(im, link);
	image_u16(im, 0);
	image_u32(im, snaplen);
	return at;
}

static inline size_t image_packet(
	struct image *im, uint32_t interface, uint64_t units, uint32_t captured, uint32_t wire)
{
	size_t at = image_block(im, 6);

	image_u32(im, interface);
	image_u32(im, (uint32_t)(units >> 32));
	image_u32(im, (uint32_t)units);
	image_u32(im, captured);
	image_u32(im, wire);
	image_fill(im, 0xee, captured);
	image_fill(im, 0, (4 - captured % 4) % 4);
	return at;
}

/* Ethernet, IPv4, UDP with those ports and no data: 42 bytes. */
static inline void image_udp(struct image *im, uint16_t from, uint16_t to)
{
	bool big_endian = im->big_endian;

	im->big_endian = true;
	image_fill(im, 2, 12);
	image_u16(im, 0x0800);
	image_add(im, "\x45\0\0\x1c\0\0\0\0\x40\x11\0\0\x0a\0\0\1\x0a\0\0\2", 20);
	image_u16(im, from);
	image_u16(im, to);
	image_u16(im, 8);
	image_u16(im, 0);
	im->big_endian = big_endian;
}

/* What a source gives: a line a frame, a line an error. */

static inline void source_say_frames(struct source *s, struct text *out)
{
	struct frame f;

	while (source_next(s, &f)) {
		text_addf(out, "%u:%u @%" PRId64 " %zu/%u +%" PRIu64 " link %u if %u%s\n", f.file, f.number, f.at_ns,
			f.bytes.n, f.wire_bytes, f.offset, f.link, f.interface,
			f.direction == FRAME_IN            ? " in"
				: f.direction == FRAME_OUT ? " out"
							   : "");
		for (size_t i = 0; i < f.bytes.n; i++)   /* every byte can be read */
			assert_true(f.bytes.p[i] <= 0xff);
	}
}

static inline void source_say_errors(const struct source *s, struct text *out)
{
	for (size_t i = 0; i < source_file_count(s); i++) {
		if (source_file(s, i)->error.code != ERR_OK)
			text_addf(out, "%s\n", source_file(s, i)->error.text);
	}
}

static inline void source_say(const char *const *paths, size_t count, const char *bpf, struct text *out)
{
	struct err err = { ERR_OK, "" };
	struct source *s = source_open(paths, count, bpf, &err);

	text_clear(out);
	if (!s) {
		text_addf(out, "%s\n", err.text);
		return;
	}
	source_say_frames(s, out);
	source_say_errors(s, out);
	source_close(s);
}

static inline void source_expect(const char *name, const char *path, const char *expected)
{
	struct text said;

	text_init(&said);
	source_say(&path, 1, NULL, &said);
	if (strcmp(said.p, expected) != 0)
		print_error("%s:\n", name);
	assert_string_equal(said.p, expected);
	text_fini(&said);
}

/* A group of tests works in a new folder. */

static inline int folder_enter(void **state)
{
	char path[] = "deadair-test-XXXXXX";
	const char *tmp = getenv("TMPDIR");

	if (chdir(tmp ? tmp : "/tmp") < 0 || !mkdtemp(path) || chdir(path) < 0)
		return -1;
	*state = memory_text(path);
	return 0;
}

static inline int folder_leave(void **state)
{
	DIR *folder = opendir(".");
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		if (entry->d_name[0] != '.' && unlink(entry->d_name) < 0)
			rmdir(entry->d_name);
	}
	if (folder)
		closedir(folder);
	if (chdir("..") < 0 || rmdir(*state) < 0)
		return -1;
	free(*state);
	return 0;
}

#endif
