/* SPDX-License-Identifier: MIT */
/* neighbour: the VLAN for voice in LLDP-MED and CDP, and lists that lie about their lengths. */
#include "dissect_bytes.h"

#include "dissect/neighbour.h"

#define CHASSIS 0x02, 7, 4, 2, 0, 0, 0, 0, 1
#define POLICY(application, b0, b1, b2) 0xfe, 8, 0, 0x12, 0xbb, 2, application, b0, b1, b2
#define END 0, 0

static const struct {
	const char *name;
	struct span bytes;
	uint16_t vid;
} lldp[] = {
	{ "voice, tagged, 100",      BYTES(CHASSIS, POLICY(1, 0x40, 0xc9, 0x6e), END), 100 },
	{ "voice signalling",        BYTES(CHASSIS, POLICY(2, 0x40, 0xc9, 0x6e), END), 100 },
	{ "4094",                    BYTES(POLICY(1, 0x5f, 0xfd, 0x6e), END), 4094 },
	{ "4095 is none",            BYTES(POLICY(1, 0x5f, 0xff, 0x6e), END), 0 },
	{ "video",                   BYTES(POLICY(6, 0x40, 0xc9, 0x6e), END), 0 },
	{ "unknown to the sender",   BYTES(POLICY(1, 0xc0, 0xc9, 0x6e), END), 0 },
	{ "untagged",                BYTES(POLICY(1, 0x00, 0xc9, 0x6e), END), 0 },
	{ "the second policy",       BYTES(POLICY(6, 0x40, 0xc9, 0x6e), POLICY(1, 0x40, 0x15, 0x6e), END), 10 },
	{ "another organisation",    BYTES(0xfe, 8, 0, 0x80, 0xc2, 2, 1, 0x40, 0xc9, 0x6e, END), 0 },
	{ "behind the end",          BYTES(END, POLICY(1, 0x40, 0xc9, 0x6e)), 0 },
	{ "no end",                  BYTES(POLICY(1, 0x40, 0xc9, 0x6e)), 100 },
	{ "policy too short",        BYTES(0xfe, 7, 0, 0x12, 0xbb, 2, 1, 0x40, 0xc9, END), 0 },
	{ "longer than the frame",   BYTES(0xff, 0xff, 0, 0x12, 0xbb, 2, 1), 0 },
	{ "nothing",                 BYTES(0), 0 },
};

static const struct {
	const char *name;
	struct span bytes;
	uint16_t vid;
} cdp[] = {
	{ "voice VLAN 100",          BYTES(2, 180, 0, 0, 0, 1, 0, 6, 'S', 'W', 0, 0x0e, 0, 7, 1, 0, 100), 100 },
	{ "without voice",           BYTES(2, 180, 0, 0, 0, 1, 0, 6, 'S', 'W'), 0 },
	{ "4095 is none",            BYTES(2, 180, 0, 0, 0, 0x0e, 0, 7, 1, 0x0f, 0xff), 0 },
	{ "value too short",         BYTES(2, 180, 0, 0, 0, 0x0e, 0, 5, 1), 0 },
	{ "length below its head",   BYTES(2, 180, 0, 0, 0, 1, 0, 3, 0, 0x0e, 0, 7, 1, 0, 100), 0 },
	{ "longer than the frame",   BYTES(2, 180, 0, 0, 0, 0x0e, 1, 7, 1, 0, 100), 0 },
	{ "head alone",              BYTES(2, 180, 0, 0), 0 },
};

static void test_lldp(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof lldp / sizeof lldp[0]; i++) {
		uint16_t vid = neighbour_lldp(cursor_over(lldp[i].bytes, lldp[i].bytes.n));

		if (vid != lldp[i].vid)
			fail_msg("%s: %u", lldp[i].name, vid);
	}
}

static void test_cdp(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cdp / sizeof cdp[0]; i++) {
		uint16_t vid = neighbour_cdp(cursor_over(cdp[i].bytes, cdp[i].bytes.n));

		if (vid != cdp[i].vid)
			fail_msg("%s: %u", cdp[i].name, vid);
	}
}

/* Where a snap length has cut it, or the sender broke it: never beyond the bytes that are there. */
static void test_cut_anywhere(void **state)
{
	(void)state;
	for (size_t n = 0; n <= lldp[0].bytes.n; n++)
		neighbour_lldp(cursor_over(span_first(lldp[0].bytes, n), lldp[0].bytes.n));
	for (size_t n = 0; n < cdp[0].bytes.n; n++)
		assert_int_equal(neighbour_cdp(cursor_over(span_first(cdp[0].bytes, n), cdp[0].bytes.n)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_lldp), cmocka_unit_test(test_cdp),
		cmocka_unit_test(test_cut_anywhere) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
