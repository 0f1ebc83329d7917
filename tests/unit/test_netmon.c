/* SPDX-License-Identifier: MIT */
/* netmon: Network Monitor files of each minor version, and damage. */
#include "tests/unit/image.h"

enum { FILE_HEADER = 128, FRAMES_END = 24 };

/* 2005-07-17 15:39:20.502: 1121614760.502 s. */
static void header(struct image *im, uint8_t minor, uint16_t network, uint16_t year)
{
	const uint16_t date[8] = { year, 7, 0, 17, 15, 39, 20, 502 };

	image_add(im, "GMBU", 4);
	image_fill(im, minor, 1);
	image_fill(im, 2, 1);
	image_u16(im, network);
	for (size_t i = 0; i < 8; i++)
		image_u16(im, date[i]);
	image_fill(im, 0, FILE_HEADER - im->n);
}

static void frame(struct image *im, uint64_t microseconds, uint32_t wire, uint32_t captured)
{
	image_number(im, microseconds, 8);
	image_u32(im, wire);
	image_u32(im, captured);
	image_fill(im, 0xee, captured);
}

/* The frame table, four bytes a frame, stands where the frames end. */
static void end(struct image *im)
{
	struct image at = { .p = NULL };

	image_u32(&at, (uint32_t)im->n);
	memcpy(im->p + FRAMES_END, at.p, 4);
	image_free(&at);
	image_fill(im, 0xaa, 8);
}

static void version_0(struct image *im)
{
	header(im, 0, 1, 2005);
	frame(im, 0, 60, 60);
	frame(im, 1500000, 1514, 96);
	end(im);
}

static void version_2(struct image *im)
{
	header(im, 2, 1, 2005);
	frame(im, 0, 3, 3);
	image_u16(im, 0xe071);                   /* pcap's link type 113 */
	image_u32(im, 7);
	frame(im, 1, 3, 3);
	image_u16(im, 0xfffb);                   /* no network at all */
	image_u32(im, 7);
	end(im);
}

static void version_3(struct image *im)
{
	header(im, 3, 1, 2005);
	frame(im, 99, 3, 3);
	image_u16(im, 1);
	image_u32(im, 7);
	image_number(im, UINT64_C(116444736000000000) + UINT64_C(17000000000000005), 8);
	image_fill(im, 0, 1);
	end(im);
}

static void version_4(struct image *im)
{
	header(im, 4, 1, 2005);
}

static void year_0(struct image *im)
{
	header(im, 0, 1, 0);
}

static void header_cut(struct image *im)
{
	header(im, 0, 1, 2005);
	im->n--;
}

static void frame_cut(struct image *im)
{
	version_0(im);
	im->n -= 9;
}

static void length_huge(struct image *im)
{
	header(im, 0, 1, 2005);
	frame(im, 0, 60, 60);
	image_number(im, 0, 8);
	image_u32(im, 60);
	image_u32(im, UINT32_MAX);
	end(im);
}

static void time_huge(struct image *im)
{
	header(im, 0, 1, 2005);
	frame(im, UINT64_MAX, 1, 1);
	end(im);
}

#define FIRST "0:1 @1121614760502000000 60/60 +128 link 1 if 0\n"

static const struct { const char *name; void (*build)(struct image *); const char *expected; } cases[] = {
	{ "2.0", version_0, FIRST "0:2 @1121614762002000000 96/1514 +204 link 1 if 0\n" },
	{ "2.2, a network a frame", version_2,
		"0:1 @1121614760502000000 3/3 +128 link 113 if 0\n0:2 @1121614760502001000 3/3 +153 link 65535 if 0\n" },
	{ "2.3, UTC", version_3, "0:1 @1700000000000000500 3/3 +128 link 1 if 0\n" },
	{ "2.4", version_4,
		"x.cap: Network Monitor version 2.4; deadair reads 2.0 to 2.3: convert it with editcap\n" },
	{ "year 0", year_0, "x.cap: the date in the file header is impossible\n" },
	{ "header cut", header_cut, "x.cap: the file header is cut: 127 of 128 bytes\n" },
	{ "frame cut", frame_cut,
	  FIRST "x.cap: frame 2 at byte 204: the file ends inside this record (cut short or still "
		"being written); reported up to there\n" },
	{ "length of 4 GiB", length_huge,
		FIRST "x.cap: frame 2 at byte 204: record length 4294967295 exceeds 262144; reported up to there\n" },
	{ "time of 584 000 years", time_huge,
		"x.cap: frame 1 at byte 128: its time is outside the years 1970 to 2262; reported up to there\n" },
};

static void test_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct image im = { .p = NULL };

		cases[i].build(&im);
		image_write(&im, "x.cap");
		image_free(&im);
		source_expect(cases[i].name, "x.cap", cases[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests_name("netmon", tests, folder_enter, folder_leave);
}
