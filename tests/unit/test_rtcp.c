/* SPDX-License-Identifier: MIT */
/* rtcp: compounds whole, cut, lying and encrypted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dissect/rtcp.h"

#define BYTES(...) \
	{ \
		(const uint8_t[]){ __VA_ARGS__ }, sizeof(const uint8_t[]) \
		{ \
			__VA_ARGS__ \
		} \
	}
#define SSRC        0, 0, 0, 1
#define BLOCK(lost) 0, 0, 0, 2, 0x40, lost, 0, 1, 0, 1, 0, 7, 0, 0, 0, 9, 1, 2, 3, 4, 0, 0, 0, 5
#define SENDER      0x83, 0xaa, 0x7e, 0x80, 0x80, 0, 0, 0, 0, 0, 3, 0x20, 0, 0, 0, 50, 0, 0, 0x1f, 0x40
#define SR1         0x81, 200, 0, 12, SSRC, SENDER, BLOCK(0xff)
#define RR0         0x80, 201, 0, 1, SSRC
#define RR1         0x81, 201, 0, 7, SSRC, BLOCK(0)
#define SDES        0x81, 202, 0, 3, SSRC, 1, 3, 'a', '@', 'b', 0, 0, 0
#define BYE         0x81, 203, 0, 1, SSRC
#define VOIP \
	7, 0, 0, 8, 0, 0, 0, 2, 26, 13, 1, 2, 0, 3, 0, 4, 0, 80, 0, 60, 0xec, 0xd8, 7, 16, 82, 127, 41, 39, 0, 0, 0, \
		1, 0, 2, 0, 3
#define XR     0x80, 207, 0, 10, SSRC, VOIP
#define NOISE8 0x13, 0x55, 0x9c, 0x21, 0x7a, 0x02, 0xe4, 0x6b
#define TAG10  1, 2, 3, 4, 5, 6, 7, 8, 9, 10

enum { SR = 1, RR = 2, GONE = 4, METRICS = 8, SECRET = 16 };

static const struct {
	const char *name;
	struct span bytes;
	size_t cut; /* bytes that the capture does not have */
	bool ok;
	unsigned has;
	unsigned blocks;
	const char *cname;
} cases[] = {
	{ "SR, SDES", BYTES(SR1, SDES), 0, true, SR, 1, "a@b" },
	{ "RR alone (reduced size)", BYTES(RR1), 0, true, RR, 1, "" },
	{ "empty RR", BYTES(RR0), 0, true, RR, 0, "" },
	{ "RR, SDES, BYE", BYTES(RR1, SDES, BYE), 0, true, RR | GONE, 1, "a@b" },
	{ "RR, XR", BYTES(RR0, XR), 0, true, RR | METRICS, 0, "" },
	{ "feedback alone", BYTES(0x81, 205, 0, 2, SSRC, 0, 0, 0, 2), 0, true, 0, 0, "" },
	{ "unknown type, then RR", BYTES(0x80, 223, 0, 1, SSRC, RR1), 0, true, RR, 1, "" },
	{ "length 0, then RR", BYTES(0x80, 204, 0, 0, RR0), 0, true, RR, 0, "" },
	{ "BYE of nobody", BYTES(0x80, 203, 0, 0), 0, true, 0, 0, "" },
	{ "padding in the last", BYTES(RR0, 0xa0, 201, 0, 2, SSRC, 0, 0, 0, 4), 0, true, RR, 0, "" },
	{ "padding of 255", BYTES(0xa0, 201, 0, 2, SSRC, 0, 0, 0, 255), 0, true, RR, 0, "" },
	{ "31 blocks promised, one there", BYTES(0x9f, 201, 0, 7, SSRC, BLOCK(0)), 0, true, RR, 1, "" },
	{ "31 blocks promised, none there", BYTES(0x9f, 201, 0, 1, SSRC), 0, true, RR, 0, "" },
	{ "SR without its words", BYTES(0x80, 200, 0, 2, SSRC, 1, 2, 3, 4), 0, true, 0, 0, "" },
	{ "SDES of somebody else", BYTES(RR0, 0x81, 202, 0, 3, 0, 0, 0, 9, 1, 3, 'a', '@', 'b', 0, 0, 0), 0, true, RR,
		0, "" },
	{ "SDES item past its chunk", BYTES(RR0, 0x81, 202, 0, 2, SSRC, 1, 200, 'a', 'b'), 0, true, RR, 0, "" },
	{ "SDES without an end", BYTES(RR0, 0x9f, 202, 0, 2, SSRC, 1, 2, 'a', 'b'), 0, true, RR, 0, "ab" },
	{ "SDES, 31 chunks promised", BYTES(RR0, 0x9f, 202, 0, 3, SSRC, 1, 3, 'a', '@', 'b', 0, 0, 0), 0, true, RR, 0,
		"a@b" },
	{ "second chunk is the sender's", BYTES(RR0, 0x82, 202, 0, 4, 0, 0, 0, 9, 2, 1, 'x', 0, SSRC, 1, 1, 'y', 0), 0,
		true, RR, 0, "y" },
	{ "BYE, 31 promised, a reason longer than it", BYTES(RR0, 0x9f, 203, 0, 2, SSRC, 99, 'x', 'x', 'x'), 0, true,
		RR | GONE, 0, "" },
	{ "XR block past its packet", BYTES(RR0, 0x80, 207, 0, 2, SSRC, 7, 0, 0xff, 0xff), 0, true, RR, 0, "" },
	{ "XR metrics that end early", BYTES(RR0, 0x80, 207, 0, 4, SSRC, 7, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8), 0, true,
		RR, 0, "" },
	{ "XR metrics of another length", BYTES(RR0, 0x80, 207, 0, 3, SSRC, 7, 0, 0, 1, 1, 2, 3, 4), 0, true, RR, 0,
		"" },
	{ "XR, an empty block in front", BYTES(RR0, 0x80, 207, 0, 11, SSRC, 4, 0, 0, 0, VOIP), 0, true, RR | METRICS, 0,
		"" },
	{ "second packet broken: the first stays", BYTES(RR1, 0x11, 0x22, 0x33, 0x44), 0, true, RR, 1, "" },
	{ "second packet too long: the first stays", BYTES(RR1, 0x81, 202, 0, 9, SSRC), 0, true, RR, 1, "" },
	{ "a byte behind", BYTES(RR1, 0), 0, true, RR, 1, "" },
	{ "noise that begins like an RR", BYTES(0x85, 201, 0, 2, SSRC, NOISE8, NOISE8, 1, 2, 3), 0, false, 0, 0, "" },
	{ "noise that begins like feedback", BYTES(0x81, 206, 0, 3, SSRC, NOISE8, NOISE8), 0, false, 0, 0, "" },
	{ "noise that begins like an APP, cut", BYTES(0x81, 204, 0, 3, SSRC, NOISE8), 40, true, 0, 0, "" },
	{ "a BYE with its reason, and a byte behind", BYTES(0x81, 203, 0, 2, SSRC, 2, 'o', 'k', 0, 0), 0, true, GONE, 0, "" },
	{ "cut in the block", BYTES(0x81, 201, 0, 7, SSRC, 0, 0, 0, 2), 20, true, RR, 0, "" },
	{ "cut behind the first", BYTES(SR1), 20, true, SR, 1, "" },
	{ "cut in the second header", BYTES(SR1, 0x81), 19, true, SR, 1, "" },
	{ "SRTCP, 80-bit tag", BYTES(0x81, 201, 0, 7, SSRC, NOISE8, NOISE8, NOISE8, 0x80, 0, 0, 5, TAG10), 0, true,
		SECRET, 0, "" },
	{ "SRTCP, 32-bit tag", BYTES(0x81, 201, 0, 7, SSRC, NOISE8, NOISE8, NOISE8, 0x80, 0, 0, 5, 9, 8, 7, 6), 0, true,
		SECRET, 0, "" },
	{ "SRTCP, GCM", BYTES(0x80, 201, 0, 1, SSRC, NOISE8, NOISE8, 0x80, 0, 0, 1), 0, true, SECRET, 0, "" },
	{ "SRTCP, SR and SDES",
		BYTES(0x80, 200, 0, 6, SSRC, NOISE8, NOISE8, 1, 2, 3, 4, NOISE8, NOISE8, 0x80, 0, 1, 0, TAG10), 0, true,
		SECRET, 0, "" },
	{ "SRTCP, not encrypted (E is 0)", BYTES(RR1, 0, 0, 0, 5, TAG10), 0, true, RR, 1, "" },
	{ "SRTCP, tag cut off", BYTES(0x81, 201, 0, 7, SSRC, NOISE8, NOISE8), 22, true, SECRET, 0, "" },
	{ "length past the end", BYTES(0x81, 201, 0, 8, SSRC, BLOCK(0)), 0, false, 0, 0, "" },
	{ "length 65535", BYTES(0x80, 201, 0xff, 0xff, SSRC), 0, false, 0, 0, "" },
	{ "version 1", BYTES(0x40, 201, 0, 1, SSRC), 0, false, 0, 0, "" },
	{ "type 191", BYTES(0x80, 191, 0, 1, SSRC), 0, false, 0, 0, "" },
	{ "type 224", BYTES(0x80, 224, 0, 1, SSRC), 0, false, 0, 0, "" },
	{ "2 bytes", BYTES(0x80, 201), 0, false, 0, 0, "" },
	{ "2 bytes, cut off", BYTES(0x80, 201), 6, false, 0, 0, "" },
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		static struct rtcp_compound r;
		uint8_t *copy = malloc(cases[i].bytes.n);
		struct cursor c;
		unsigned has;

		assert_non_null(copy);
		memcpy(copy, cases[i].bytes.p, cases[i].bytes.n);
		memset(&r, 0xaa, sizeof r);
		c = cursor_over((struct span){ copy, cases[i].bytes.n }, cases[i].bytes.n + cases[i].cut);
		if (rtcp_parse(&c, &r) != cases[i].ok)
			fail_msg("%s", cases[i].name);
		if (cases[i].ok) {
			has = (r.has_sr ? SR : 0) | (r.has_rr ? RR : 0) | (r.has_bye ? GONE : 0) |
				(r.has_xr_voip ? METRICS : 0) | (r.encrypted ? SECRET : 0);
			if (has != cases[i].has || r.block_count != cases[i].blocks ||
				!span_equal(r.cname, span_of(cases[i].cname)))
				fail_msg("%s: has %x, %u blocks, cname %.*s", cases[i].name, has, r.block_count,
					(int)r.cname.n, r.cname.p);
		} else {
			assert_int_equal(c.state, cases[i].cut ? CURSOR_CUT : CURSOR_BAD);
		}
		free(copy);
	}
}

static void test_values(void **state)
{
	static const uint8_t bytes[] = { SR1, 0x82, 203, 0, 2, SSRC, 0, 0, 0, 8, XR };
	struct cursor c = cursor_over((struct span){ bytes, sizeof bytes }, sizeof bytes);
	struct rtcp_compound r;

	(void)state;
	assert_true(rtcp_parse(&c, &r));
	assert_int_equal(r.ssrc, 1);
	assert_true(r.ntp == UINT64_C(0x83aa7e8080000000));
	assert_int_equal(r.rtp_ts, 800);
	assert_int_equal(r.packets, 50);
	assert_int_equal(r.octets, 8000);
	assert_int_equal(r.blocks[0].ssrc, 2);
	assert_int_equal(r.blocks[0].fraction_lost, 64);
	assert_int_equal(r.blocks[0].cumulative_lost, -65535);
	assert_int_equal(r.blocks[0].ext_seq, 65536 + 7);
	assert_int_equal(r.blocks[0].jitter, 9);
	assert_int_equal(r.blocks[0].lsr, 0x01020304);
	assert_int_equal(r.blocks[0].dlsr, 5);
	assert_int_equal(r.bye_count, 2);
	assert_int_equal(r.bye_ssrcs[1], 8);
	assert_int_equal(r.xr.ssrc, 2);
	assert_int_equal(r.xr.loss_rate, 26);
	assert_int_equal(r.xr.discard_rate, 13);
	assert_int_equal(r.xr.round_trip_ms, 80);
	assert_int_equal(r.xr.end_system_ms, 60);
	assert_int_equal(r.xr.signal_level_dbm, -20);
	assert_int_equal(r.xr.r_factor, 82);
	assert_int_equal(r.xr.mos_lq_x10, 41);
	assert_int_equal(r.xr.mos_cq_x10, 39);
}

static void test_loss_is_signed(void **state)
{
	static const struct {
		uint8_t bytes[3];
		int32_t lost;
	} rows[] = {
		{ { 0, 0, 0 }, 0 },
		{ { 0, 0, 1 }, 1 },
		{ { 0x7f, 0xff, 0xff }, 8388607 },
		{ { 0xff, 0xff, 0xfe }, -2 },
		{ { 0x80, 0, 0 }, -8388608 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint8_t bytes[] = { RR1 };
		struct cursor c = cursor_over((struct span){ bytes, sizeof bytes }, sizeof bytes);
		struct rtcp_compound r;

		memcpy(bytes + 13, rows[i].bytes, 3);
		assert_true(rtcp_parse(&c, &r));
		assert_int_equal(r.blocks[0].cumulative_lost, rows[i].lost);
	}
}

/* Many packets, many blocks, many goodbyes: bounded, and what was there first stays. */
static void test_many(void **state)
{
	static const uint8_t rr[] = { RR1 }, bye[] = { 0x82, 203, 0, 2, 0, 0, 0, 7, 0, 0, 0, 8 };
	static uint8_t bytes[500 * sizeof rr];
	struct cursor c;
	struct rtcp_compound r;

	(void)state;
	for (size_t i = 0; i < 500; i++)
		memcpy(bytes + i * sizeof rr, rr, sizeof rr);
	c = cursor_over((struct span){ bytes, sizeof bytes }, sizeof bytes);
	assert_true(rtcp_parse(&c, &r));
	assert_int_equal(r.block_count, RTCP_REPORT_MAX);
	for (size_t i = 0; i < 100; i++)
		memcpy(bytes + i * sizeof bye, bye, sizeof bye);
	c = cursor_over((struct span){ bytes, 100 * sizeof bye }, 100 * sizeof bye);
	assert_true(rtcp_parse(&c, &r));
	assert_int_equal(r.bye_count, RTCP_BYE_MAX);
	assert_int_equal(r.bye_ssrcs[RTCP_BYE_MAX - 1], 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_loss_is_signed),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
