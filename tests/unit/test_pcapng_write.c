/* SPDX-License-Identifier: MIT */
/* test_pcapng_write: what is written is read again as it was; comments stand where readers look for them. */
#include "captures/pcapng_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "captures/base/ns.h"
#include "captures/source.h"

static const uint8_t image[] = "some bytes of a frame, and some more of them";
#define AT_NS INT64_C(1795338000123456789)

static const struct {
	uint16_t file, interface, link;
	size_t n;
	uint32_t wire_bytes;
	uint8_t direction;
	const char *comments[2];
	size_t comment_count;
} rows[] = {
	{ 0, 0, 1, 40, 40, FRAME_UNKNOWN, { NULL }, 0 },
	{ 1, 0, 276, 41, 1500, FRAME_IN, { "error one-way-audio: 1001 hört nichts" }, 1 },
	{ 0, 0, 1, 0, 60, FRAME_OUT, { "a", "the other" }, 2 },
	{ 0, 1, 113, 3, 3, FRAME_UNKNOWN, { "" }, 1 },
	{ 1, 0, 276, 1, 1, FRAME_UNKNOWN, { NULL }, 0 },
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static char path[64];

static int make_path(void **state)
{
	int fd;

	(void)state;
	snprintf(path, sizeof path, "/tmp/test_pcapng_write.XXXXXX");
	fd = mkstemp(path);
	if (fd < 0)
		return -1;
	close(fd);
	return unlink(path);
}

static int remove_path(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

static void write_all(void)
{
	struct err err;
	struct pcapng_writer *w = pcapng_writer_new(path, &err);

	assert_non_null(w);
	pcapng_write_interface(w, 0, 0, 1, "eth1", "udp");
	pcapng_write_interface(w, 1, 0, 276, "any", NULL);
	for (unsigned i = 0; i < ROWS; i++) {
		struct frame f = { .at_ns = AT_NS + i, .bytes = { image, rows[i].n }, .wire_bytes = rows[i].wire_bytes,
			.file = rows[i].file,
				   .interface = rows[i].interface, .link = rows[i].link,
				   .direction = rows[i].direction };

		pcapng_write_frame(w, &f, rows[i].comments, rows[i].comment_count);
	}
	assert_int_equal(pcapng_writer_close(w, &err), ERR_OK);
}

static void test_read_again(void **state)
{
	const char *paths[] = { path };
	struct err err;
	struct source *s;
	struct frame f;
	unsigned i = 0;

	(void)state;
	write_all();
	s = source_open(paths, 1, NULL, &err);
	assert_non_null(s);
	for (; source_next(s, &f); i++) {
		assert_true(i < ROWS);
		assert_int_equal(f.at_ns, AT_NS + i);
		assert_int_equal(f.bytes.n, rows[i].n);
		assert_memory_equal(f.bytes.p, image, rows[i].n);
		assert_int_equal(f.wire_bytes, rows[i].wire_bytes);
		assert_int_equal(f.link, rows[i].link);
		assert_int_equal(f.direction, rows[i].direction);
	}
	assert_int_equal(i, ROWS);
	assert_int_equal(source_file(s, 0)->error.code, ERR_OK);
	assert_int_equal(source_file(s, 0)->interface_count, 3);
	assert_string_equal(source_file(s, 0)->interfaces[0].name, "eth1");
	assert_string_equal(source_file(s, 0)->interfaces[0].filter, "udp");
	assert_string_equal(source_file(s, 0)->interfaces[1].name, "any");
	source_close(s);
}

/* 3.5: code 1, the length, the text, padded to 32 bits */
static void test_comment(void **state)
{
	static const char text[] = "error one-way-audio: 1001 hört nichts";
	uint8_t wanted[4 + sizeof text], bytes[4096];
	uint16_t head[2] = { 1, sizeof text - 1 };
	FILE *f;
	size_t n;

	(void)state;
	write_all();
	f = fopen(path, "rb");
	assert_non_null(f);
	n = fread(bytes, 1, sizeof bytes, f);
	fclose(f);
	memcpy(wanted, head, sizeof head);
	memcpy(wanted + sizeof head, text, sizeof text - 1);
	assert_non_null(memmem(bytes, n, wanted, sizeof head + sizeof text - 1));
	assert_int_equal(n % 4, 0);
}

static void test_a_file_that_is_there_stays(void **state)
{
	struct stat of;
	struct err err;

	(void)state;
	write_all();
	assert_int_equal(stat(path, &of), 0);
	assert_int_equal(of.st_mode & 0777, 0600);
	assert_null(pcapng_writer_new(path, &err));
	assert_non_null(strstr(err.text, "is there already"));
	assert_null(pcapng_writer_new("/nonexistent\x1b/x", &err));
	assert_non_null(strstr(err.text, "/nonexistent\\x1b/x"));
}

static void test_abandoned(void **state)
{
	struct err err;
	struct pcapng_writer *w = pcapng_writer_new(path, &err);

	(void)state;
	assert_non_null(w);
	pcapng_writer_abandon(w);
	assert_int_equal(access(path, F_OK), -1);
}

/* What does not fit on the disk leaves no half of it. */
static void test_full(void **state)
{
	struct err err;
	struct frame f = { .at_ns = AT_NS, .bytes = { image, sizeof image }, .wire_bytes = sizeof image, .link = 1 };
	struct pcapng_writer *w;

	(void)state;
	assert_int_equal(symlink("/dev/full", path), 0);
	assert_null(pcapng_writer_new(path, &err));     /* O_EXCL, O_NOFOLLOW: whoever put it there gets nothing */
	unlink(path);
	w = pcapng_writer_new(path, &err);
	assert_non_null(w);
	pcapng_write_frame(w, &f, NULL, 0);
	assert_true(pcapng_writer_bytes(w) > sizeof image);
	assert_int_equal(pcapng_writer_close(w, &err), ERR_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_read_again, make_path, remove_path),
		cmocka_unit_test_setup_teardown(test_comment, make_path, remove_path),
		cmocka_unit_test_setup_teardown(test_a_file_that_is_there_stays, make_path, remove_path),
		cmocka_unit_test_setup_teardown(test_abandoned, make_path, remove_path),
		cmocka_unit_test_setup_teardown(test_full, make_path, remove_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
