/* SPDX-License-Identifier: MIT */
/* test_jitter_box: what is late behind a device, against the load that is known; and a load that is not. */
#include "analyzer/detect/jitter_box.h"

#include "tests/unit/world.h"

enum { MANY = 520, INTERVALS = 4 };

/* 20 s from second 100 on: in its first half nothing is late behind the device. */
static struct stream behind(const struct stream *before, struct interval intervals[INTERVALS])
{
	struct stream s = { .twin_of = (struct stream *)before, .twin_kind = TWIN_NAT, .first_ns = at_s(100),
		.last_ns = at_s(120), .interval_ns = 5 * SECOND_NS, .intervals = intervals, .interval_count = INTERVALS,
		.late60 = 200 };

	for (unsigned i = 0; i < INTERVALS; i++)
		intervals[i] = (struct interval){ .at_ns = at_s(100 + 5.0 * i), .packets = 250, .expected = 250,
			.late60 = i < INTERVALS / 2 ? 0 : 100 };
	return s;
}

static void test_load(void **state)
{
	static const struct { const char *name; unsigned earlier; double other_from; bool box; } cases[] = {
		{ "others talk when it is late", 0, 110, true },
		{ "others talk when it is not", 0, 100, false },
		{ "nobody talks", 0, 0, false },
		{ "many have talked before, nobody now", MANY, 0, false },
		{ "many have talked before, others talk when it is late", MANY, 110, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		static struct rtp_flow flows[MANY + 2];
		static char ports[MANY][2][24];
		struct interval intervals[INTERVALS];
		struct stream before = { .jitter_known = true }, s = behind(&before, intervals);
		struct jitter_box box;
		struct world w;

		world_begin(&w);
		for (unsigned k = 0; k < cases[i].earlier; k++) {
			snprintf(ports[k][0], sizeof ports[k][0], "10.0.0.1:%u", 10000 + 2 * k);
			snprintf(ports[k][1], sizeof ports[k][1], "10.0.0.2:%u", 20000 + 2 * k);
			flows[k] = (struct rtp_flow){ ports[k][0], ports[k][1], 1, 1.5, 0x1000 + k };
			world_flow(&w, &flows[k]);
		}
		if (cases[i].other_from > 0) {
			flows[MANY] = (struct rtp_flow){ "10.0.0.3:4000", "10.0.0.4:4000", 100, 120, 0xa };
			flows[MANY + 1] = (struct rtp_flow){ "10.0.0.5:4000", "10.0.0.6:4000", cases[i].other_from,
				cases[i].other_from + 10, 0xb };
			world_flow(&w, &flows[MANY]);
			world_flow(&w, &flows[MANY + 1]);
		}
		world_play(&w);
		engine_finish(w.e);
		if (jitter_box(&w.e->facts, &s, &box) != cases[i].box)
			fail_msg("%s: %s", cases[i].name, cases[i].box ? "not found" : "found");
		world_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
