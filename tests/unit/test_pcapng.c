/* SPDX-License-Identifier: MIT */
/* pcapng: blocks of every kind in both orders, clocks, and damage at every interesting place. */
#include "tests/unit/image.h"

#define CUT_SHORT "the file ends inside this block (cut short or still being written); reported up to there\n"
#define BEGUN UINT64_C(1700000000)
#define FIRST "0:1 @1700000000000000000 60/60 +48 link 1 if 0\n"

enum { PACKET = 32 + 60 };                       /* an enhanced packet block of 60 bytes */

static void interface(struct image *im, uint16_t link)
{
	image_block_end(im, image_interface(im, link, 0));
}

static void packet(struct image *im, uint32_t id, uint64_t units, uint32_t captured)
{
	image_block_end(im, image_packet(im, id, units, captured, captured));
}

/* Section, interface, one packet: the next block is at byte 140. */
static void one_packet(struct image *im)
{
	image_section(im);
	interface(im, 1);
	packet(im, 0, BEGUN * 1000000, 60);
}

static void one_packet_big(struct image *im)
{
	im->big_endian = true;
	one_packet(im);
}

static void with_resolution(struct image *im, uint8_t resolution, uint64_t units)
{
	size_t at;

	image_section(im);
	at = image_interface(im, 1, 0);
	image_option(im, 2, "eth0", 4);
	image_option(im, 9, &resolution, 1);
	image_block_end(im, at);
	packet(im, 0, units, 0);
}

static void resolution_0(struct image *im)
{
	with_resolution(im, 0, BEGUN);
}

static void resolution_9(struct image *im)
{
	with_resolution(im, 9, BEGUN * 1000000000 + 1);
}

static void resolution_12(struct image *im)
{
	with_resolution(im, 12, 1234567890123);
}

static void resolution_13(struct image *im)
{
	with_resolution(im, 13, 1);
}

static void resolution_127(struct image *im)
{
	with_resolution(im, 127, 1);
}

static void resolution_binary_20(struct image *im)
{
	with_resolution(im, 0x80 | 20, (BEGUN << 20) + (1 << 19));
}

static void resolution_binary_40(struct image *im)
{
	with_resolution(im, 0x80 | 40, (uint64_t)3 << 39);
}

static void resolution_binary_64(struct image *im)
{
	with_resolution(im, 0x80 | 64, 1);
}

static void resolution_binary_127(struct image *im)
{
	with_resolution(im, 0xff, 1);
}

static void resolution_empty(struct image *im)
{
	size_t at;

	image_section(im);
	at = image_interface(im, 1, 0);
	image_option(im, 9, "", 0);
	image_block_end(im, at);
	packet(im, 0, 7, 0);
}

static void time_too_late(struct image *im)
{
	image_section(im);
	interface(im, 1);
	packet(im, 0, UINT64_C(9223372036854775), 0);
	packet(im, 0, UINT64_C(9223372036854776), 0);
}

static void with_offset(struct image *im, int64_t seconds, uint64_t units)
{
	size_t at;

	image_section(im);
	at = image_interface(im, 1, 0);
	image_option_u64(im, 14, (uint64_t)seconds);
	image_block_end(im, at);
	packet(im, 0, units, 0);
}

static void offset_plus(struct image *im)
{
	with_offset(im, (int64_t)BEGUN, 5);
}

static void offset_minus(struct image *im)
{
	with_offset(im, -3600, BEGUN * 1000000);
}

static void offset_before_1970(struct image *im)
{
	with_offset(im, -2, 1000000);
}

static void offset_max(struct image *im)
{
	with_offset(im, INT64_MAX, UINT64_MAX);
}

static void offset_min(struct image *im)
{
	with_offset(im, INT64_MIN, 0);
}

static void two_interfaces(struct image *im)
{
	size_t at;

	image_section(im);
	at = image_interface(im, 1, 0);
	image_block_end(im, at);
	at = image_interface(im, 113, 0);
	image_option(im, 9, "\x09", 1);
	image_block_end(im, at);
	packet(im, 1, 2000000001, 3);
	packet(im, 0, 2000001, 4);
}

static void two_sections_two_orders(struct image *im)
{
	one_packet(im);
	im->big_endian = true;
	image_section(im);
	interface(im, 101);
	packet(im, 0, 5, 2);
}

static void second_section_without_interface(struct image *im)
{
	one_packet(im);
	image_section(im);
	packet(im, 0, 5, 2);
}

static void simple(struct image *im, uint32_t wire, uint32_t there)
{
	size_t at = image_block(im, 3);

	image_u32(im, wire);
	image_fill(im, 0xee, there);
	image_block_end(im, at);
}

static void simple_packets(struct image *im)
{
	image_section(im);
	image_block_end(im, image_interface(im, 1, 6));
	simple(im, 5, 5);
	packet(im, 0, 9, 0);
	simple(im, 100, 6);
	simple(im, UINT32_MAX, 4);
}

static void simple_alone(struct image *im)
{
	image_section(im);
	image_block_end(im, image_interface(im, 1, 6));
	simple(im, 5, 5);
	simple(im, 5, 5);
}

static void simple_sections(struct image *im)
{
	image_section(im);
	image_block_end(im, image_interface(im, 1, 6));
	simple(im, 5, 5);
	image_section(im);
	interface(im, 1);
	packet(im, 0, 7, 1);
}

static void old_packet(struct image *im)
{
	size_t at;

	image_section(im);
	interface(im, 1);
	at = image_block(im, 2);
	image_u16(im, 0);
	image_u16(im, 0xffff);                   /* drops unknown */
	image_u32(im, 0);
	image_u32(im, 7);
	image_u32(im, 2);
	image_u32(im, 90);
	image_fill(im, 1, 4);
	image_option(im, 2, im->big_endian ? "\0\0\0\1" : "\1\0\0\0", 4);
	image_block_end(im, at);
}

static void directions(struct image *im)
{
	static const uint8_t flags[][4] = { { 1 }, { 2 }, { 3 }, { 0x1d } };

	image_section(im);
	interface(im, 1);
	for (size_t i = 0; i < 4; i++) {
		size_t at = image_packet(im, 0, i, 1, 1);

		image_option(im, 1, "hello", 5);
		image_option(im, 2, flags[i], 4);
		image_block_end(im, at);
	}
}

static void option_past_end(struct image *im)
{
	size_t at;

	image_section(im);
	interface(im, 1);
	at = image_packet(im, 0, 1, 1, 1);
	image_u16(im, 2);
	image_u16(im, 65535);
	image_u32(im, 1);
	image_block_end(im, at);
}

static void unknown_blocks(struct image *im)
{
	size_t at;

	image_section(im);
	interface(im, 1);
	at = image_block(im, 0x0bad);
	image_fill(im, 0xff, 3 << 20);           /* larger than the window */
	image_block_end(im, at);
	at = image_block(im, 10);                /* secrets */
	image_fill(im, 0xff, 17);
	image_block_end(im, at);
	packet(im, 0, 1, 1);
}

static void with_length(struct image *im, uint32_t type, uint32_t length)
{
	one_packet(im);
	image_u32(im, type);
	image_u32(im, length);
	image_fill(im, 0, 24);
	image_u32(im, length);
}

static void length_0(struct image *im)
{
	with_length(im, 6, 0);
}

static void length_8(struct image *im)
{
	with_length(im, 6, 8);
}

static void length_odd(struct image *im)
{
	with_length(im, 6, 37);
}

static void length_negative(struct image *im)
{
	with_length(im, 6, 0xfffffffc);
}

static void length_huge_unknown(struct image *im)
{
	with_length(im, 0x0bad, 0x40000000);
}

static void length_past_end(struct image *im)
{
	with_length(im, 0x0bad, 40);
}

static void lengths_differ(struct image *im)
{
	one_packet(im);
	packet(im, 0, 1, 4);
	im->p[im->n - 4]++;
}

static void packet_too_small(struct image *im)
{
	size_t at;

	one_packet(im);
	at = image_block(im, 6);
	image_fill(im, 0, 8);
	image_block_end(im, at);
}

static void interface_too_small(struct image *im)
{
	size_t at;

	image_section(im);
	at = image_block(im, 1);
	image_u32(im, 1);
	image_block_end(im, at);
}

static void captured_past_block(struct image *im, uint32_t captured)
{
	size_t at;

	one_packet(im);
	at = image_block(im, 6);
	image_fill(im, 0, 12);
	image_u32(im, captured);
	image_u32(im, 4);
	image_fill(im, 1, 4);
	image_block_end(im, at);
}

static void captured_one_past_block(struct image *im)
{
	captured_past_block(im, 5);
}

static void captured_huge(struct image *im)
{
	captured_past_block(im, 0xfffffff0);
}

static void interface_unknown(struct image *im)
{
	one_packet(im);
	packet(im, 7, 1, 1);
}

static void no_interface(struct image *im)
{
	image_section(im);
	packet(im, 0, 1, 1);
}

static void version_9(struct image *im)
{
	image_section(im);
	im->p[12] = 9;
}

static void order_magic_wrong(struct image *im)
{
	image_section(im);
	im->p[9] ^= 1;
}

static void no_section(struct image *im)
{
	interface(im, 1);
}

static void cut_in_section(struct image *im)
{
	image_section(im);
	im->n -= 5;
}

static void cut_in_packet(struct image *im)
{
	one_packet(im);
	packet(im, 0, 1, 8);
	im->n--;
}

#define UNTOLD " its time is outside the years 1970 to 2262; reported up to there\n"

static const struct { const char *name; void (*build)(struct image *); const char *expected;
} cases[] = {
	{ "little-endian", one_packet, FIRST },
	{ "big-endian", one_packet_big, FIRST },
	{ "seconds", resolution_0, "0:1 @1700000000000000000 0/0 +64 link 1 if 0\n" },
	{ "nanoseconds", resolution_9, "0:1 @1700000000000000001 0/0 +64 link 1 if 0\n" },
	{ "picoseconds", resolution_12, "0:1 @1234567890 0/0 +64 link 1 if 0\n" },
	{ "10^-13", resolution_13, "x.pcapng: frame 1 at byte 64: by the clock of interface 0 eth0" UNTOLD },
	{ "10^-127", resolution_127, "x.pcapng: frame 1 at byte 64: by the clock of interface 0 eth0" UNTOLD },
	{ "2^-20", resolution_binary_20, "0:1 @1700000000500000000 0/0 +64 link 1 if 0\n" },
	{ "2^-40", resolution_binary_40, "0:1 @1500000000 0/0 +64 link 1 if 0\n" },
	{ "2^-64", resolution_binary_64, "x.pcapng: frame 1 at byte 64: by the clock of interface 0 eth0" UNTOLD },
	{ "2^-127", resolution_binary_127, "x.pcapng: frame 1 at byte 64: by the clock of interface 0 eth0" UNTOLD },
	{ "a resolution of no bytes is the default", resolution_empty, "0:1 @7000 0/0 +52 link 1 if 0\n" },
	{ "the last time that can be told", time_too_late,
		"0:1 @9223372036854775000 0/0 +48 link 1 if 0\n"
		"x.pcapng: frame 2 at byte 80: by the clock of interface 0" UNTOLD },
	{ "offset", offset_plus, "0:1 @1700000000000005000 0/0 +60 link 1 if 0\n" },
	{ "negative offset", offset_minus, "0:1 @1699996400000000000 0/0 +60 link 1 if 0\n" },
	{ "offset before 1970", offset_before_1970,
		"x.pcapng: frame 1 at byte 60: by the clock of interface 0" UNTOLD },
	{ "largest offset", offset_max, "x.pcapng: frame 1 at byte 60: by the clock of interface 0" UNTOLD },
	{ "least offset", offset_min, "x.pcapng: frame 1 at byte 60: by the clock of interface 0" UNTOLD },
	{ "two interfaces of different kind", two_interfaces,
		"0:1 @2000000001 3/3 +76 link 113 if 1\n0:2 @2000001000 4/4 +112 link 1 if 0\n" },
	{ "two sections in two orders", two_sections_two_orders, FIRST "0:2 @5000 2/2 +188 link 101 if 1\n" },
	{ "interfaces end with their section", second_section_without_interface,
		FIRST "x.pcapng: frame 2 at byte 168: interface 0 is not described before it; reported up to there\n" },
	{ "simple packets", simple_packets,
		"0:1 @9000 5/5 +48 link 1 if 0\n0:2 @9000 0/0 +72 link 1 if 0\n"
		"0:3 @9000 6/100 +104 link 1 if 0\n0:4 @9000 4/4294967295 +128 link 1 if 0\n" },
	{ "simple packets alone", simple_alone, "0:1 @0 5/5 +48 link 1 if 0\n0:2 @0 5/5 +72 link 1 if 0\n" },
	{ "a time behind another section", simple_sections,
		"0:1 @0 5/5 +48 link 1 if 0\n0:2 @7000 1/1 +120 link 1 if 1\n" },
	{ "the obsolete packet block", old_packet, "0:1 @7000 2/90 +48 link 1 if 0 in\n" },
	{ "directions", directions,
		"0:1 @0 1/1 +48 link 1 if 0 in\n0:2 @1000 1/1 +104 link 1 if 0 out\n"
		"0:3 @2000 1/1 +160 link 1 if 0\n0:4 @3000 1/1 +216 link 1 if 0 in\n" },
	{ "an option that leaves its block", option_past_end, "0:1 @1000 1/1 +48 link 1 if 0\n" },
	{ "unknown blocks", unknown_blocks, "0:1 @1000 1/1 +3145820 link 1 if 0\n" },
	{ "block length 0", length_0,
		FIRST "x.pcapng: frame 2 at byte 140: block length 0 is impossible; reported up to there\n" },
	{ "block length 8", length_8,
		FIRST "x.pcapng: frame 2 at byte 140: block length 8 is impossible; reported up to there\n" },
	{ "block length 37", length_odd,
		FIRST "x.pcapng: frame 2 at byte 140: block length 37 is impossible; reported up to there\n" },
	{ "block length below 0", length_negative,
		FIRST
		"x.pcapng: frame 2 at byte 140: block length 4294967292 exceeds 1048576; reported up to there\n" },
	{ "an unknown block of 1 GiB", length_huge_unknown,
		FIRST
		"x.pcapng: frame 2 at byte 140: block length 1073741824 exceeds 16777216; reported up to there\n" },
	{ "a block past the end", length_past_end, FIRST "x.pcapng: frame 2 at byte 140: " CUT_SHORT },
	{ "lengths that differ", lengths_differ,
		FIRST
		"x.pcapng: frame 2 at byte 140: the block's lengths differ: 36 before it and 37 behind it; reported up to there\n" },
	{ "a packet block too small", packet_too_small,
		FIRST
		"x.pcapng: frame 2 at byte 140: block of 20 bytes is too small for its type 6; reported up to there\n" },
	{ "an interface block too small", interface_too_small,
		"x.pcapng: frame 1 at byte 28: block of 16 bytes is too small for its type 1; reported up to there\n" },
	{ "a byte more than the block", captured_one_past_block,
		FIRST
		"x.pcapng: frame 2 at byte 140: record length 5 exceeds its block of 36 bytes; reported up to there\n" },
	{ "4 GiB more than the block", captured_huge,
		FIRST
		"x.pcapng: frame 2 at byte 140: record length 4294967280 exceeds 262144; reported up to there\n" },
	{ "an interface that is not there", interface_unknown,
		FIRST "x.pcapng: frame 2 at byte 140: interface 7 is not described before it; reported up to there\n" },
	{ "no interface", no_interface,
		"x.pcapng: frame 1 at byte 28: interface 0 is not described before it; reported up to there\n" },
	{ "version 9", version_9, "x.pcapng: pcapng version 9; deadair reads version 1: convert it with editcap\n" },
	{ "byte-order magic of no order", order_magic_wrong,
		"x.pcapng: frame 1 at byte 0: byte-order magic 4d 3d 2b 1a is neither order; reported up to there\n" },
	{ "no section header", no_section,
		"x.pcapng: not a capture file (first bytes 01 00 00 00); deadair reads pcap and pcapng, plain, gzip or zstd\n" },
	{ "cut in the section header", cut_in_section, "x.pcapng: frame 1 at byte 0: " CUT_SHORT },
	{ "cut in a packet", cut_in_packet, FIRST "x.pcapng: frame 2 at byte 140: " CUT_SHORT },
};

static void test_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct image im = { .p = NULL };

		cases[i].build(&im);
		image_write(&im, "x.pcapng");
		image_free(&im);
		source_expect(cases[i].name, "x.pcapng", cases[i].expected);
	}
}

/* Cut anywhere: the frames before the cut, and an error unless the cut is the border of a block. */
static void test_cut_anywhere(void **state)
{
	struct image im = { .p = NULL };
	struct text said;
	const char *path = "x.pcapng";

	(void)state;
	text_init(&said);
	one_packet_big(&im);
	for (size_t n = im.n; n >= 4; n--) {
		im.n = n;
		image_write(&im, path);
		source_say(&path, 1, NULL, &said);
		assert_int_equal(strncmp(said.p, FIRST, strlen(FIRST)) == 0, n == 48 + PACKET);
		assert_int_equal(strstr(said.p, CUT_SHORT) == NULL, n == 28 || n == 48 || n == 48 + PACKET);
	}
	text_fini(&said);
	image_free(&im);
}

/* Each byte turned over: no crash, and whatever is said ends. */
static void test_each_byte_turned(void **state)
{
	struct image im = { .p = NULL };
	struct text said;
	const char *path = "x.pcapng";

	(void)state;
	text_init(&said);
	directions(&im);
	for (size_t i = 0; i < im.n; i++) {
		im.p[i] ^= 0xff;
		image_write(&im, path);
		source_say(&path, 1, NULL, &said);
		im.p[i] ^= 0xff;
	}
	image_write(&im, path);
	source_say(&path, 1, NULL, &said);
	assert_non_null(strstr(said.p, "0:4 "));
	text_fini(&said);
	image_free(&im);
}

static struct source *read_all(struct image *im, const char *const *path)
{
	struct frame f;
	struct source *s;

	image_write(im, *path);
	image_free(im);
	s = source_open(path, 1, NULL, NULL);
	while (source_next(s, &f)) {
	}
	return s;
}

static void statistics(struct image *im, uint32_t interface_id, uint64_t if_drop, uint64_t os_drop)
{
	size_t at = image_block(im, 5);

	image_u32(im, interface_id);
	image_number(im, 0, 8);
	image_option_u64(im, 4, 1000);
	image_option_u64(im, 5, if_drop);
	image_option_u64(im, 7, os_drop);
	image_block_end(im, at);
}

static void test_interface_facts(void **state)
{
	const char *path = "x.pcapng";
	struct image im = { .big_endian = true };
	const struct source_interface *i;
	struct source *s;
	size_t at;

	(void)state;
	image_section(&im);
	at = image_interface(&im, 1, 96);
	image_option(&im, 2, "eth\x1b[0", 6);
	image_option(&im, 11, "\0udp port 5060", 14);
	image_block_end(&im, at);
	interface(&im, 113);
	interface(&im, 1);
	statistics(&im, 0, 5, UINT64_MAX);
	statistics(&im, 99, 1, 1);
	for (int n = 0; n < 2; n++) {
		at = image_packet(&im, 1, 1, 0, 0);
		image_option_u64(&im, 4, 3);
		image_block_end(&im, at);
	}
	s = read_all(&im, &path);
	assert_int_equal(source_file(s, 0)->error.code, ERR_OK);
	assert_int_equal(source_file(s, 0)->interface_count, 3);
	i = source_file(s, 0)->interfaces;
	assert_string_equal(i[0].name, "eth\\x1b[0");
	assert_string_equal(i[0].filter, "udp port 5060");
	assert_int_equal(i[0].snaplen, 96);
	assert_true(i[0].has_drops);
	assert_int_equal(i[0].received, 1000);
	assert_int_equal(i[0].if_drop, 5);
	assert_true(i[0].os_drop == UINT64_MAX);
	assert_true(i[1].has_drops);
	assert_int_equal(i[1].if_drop, 6);
	assert_int_equal(i[1].link, 113);
	assert_false(i[2].has_drops);
	assert_string_equal(i[2].name, "");
	source_close(s);
}

/* Statistics are totals: they overrule what packets counted, before and after. */
static void test_statistics_overrule(void **state)
{
	const char *path = "x.pcapng";
	struct image im = { .big_endian = false };
	struct source *s;

	(void)state;
	image_section(&im);
	interface(&im, 1);
	for (int n = 0; n < 2; n++) {
		size_t at = image_packet(&im, 0, 1, 0, 0);

		image_option_u64(&im, 4, UINT64_MAX);
		image_block_end(&im, at);
		statistics(&im, 0, 8, 9);
	}
	s = read_all(&im, &path);
	assert_int_equal(source_file(s, 0)->interfaces[0].if_drop, 8);
	assert_int_equal(source_file(s, 0)->interfaces[0].os_drop, 9);
	source_close(s);
}

static void test_untimed(void **state)
{
	const char *path = "x.pcapng";
	struct image im = { .p = NULL };
	struct source *s;

	(void)state;
	simple_packets(&im);
	s = read_all(&im, &path);
	assert_int_equal(source_file(s, 0)->frames, 4);
	assert_int_equal(source_file(s, 0)->untimed, 3);
	source_close(s);
}

static void test_names(void **state)
{
	static const uint8_t v6[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 };
	const char *path = "x.pcapng";
	struct image im = { .p = NULL };
	const struct source_name *names;
	struct source *s;
	size_t at, count;

	(void)state;
	image_section(&im);
	at = image_block(&im, 4);
	image_option(&im, 1, "\x0a\0\0\1pbx.example\0pbx", 20);
	image_option(&im, 1, "\x0a\0", 2);               /* no whole address */
	image_u16(&im, 2);
	image_u16(&im, 16 + 7);
	image_add(&im, v6, 16);
	image_add(&im, "evil\x1b[0", 8);                 /* no NUL behind the name */
	image_u16(&im, 1);
	image_u16(&im, 65535);                           /* leaves the block */
	image_block_end(&im, at);
	s = read_all(&im, &path);
	names = source_names(s, &count);
	assert_int_equal(source_file(s, 0)->error.code, ERR_OK);
	assert_int_equal(count, 2);
	assert_string_equal(names[0].address, "10.0.0.1");
	assert_string_equal(names[0].name, "pbx.example");
	assert_string_equal(names[1].address, "2001:db8::1");
	assert_string_equal(names[1].name, "evil\\x1b[0");
	source_close(s);
}

static void test_too_many_interfaces(void **state)
{
	const char *path = "x.pcapng";
	struct image im = { .p = NULL };
	struct source *s;

	(void)state;
	image_section(&im);
	for (int n = 0; n < 65537; n++)
		interface(&im, 1);
	s = read_all(&im, &path);
	assert_int_equal(source_file(s, 0)->interface_count, 65536);
	assert_string_equal(source_file(s, 0)->error.text,
			    "x.pcapng: frame 1 at byte 1310748: more than 65536 interfaces; reported up to there");
	source_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_each_byte_turned),
		cmocka_unit_test(test_interface_facts),
		cmocka_unit_test(test_statistics_overrule),
		cmocka_unit_test(test_untimed),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_too_many_interfaces),
	};

	return cmocka_run_group_tests_name("pcapng", tests, folder_enter, folder_leave);
}
