/* SPDX-License-Identifier: MIT */
/* test_port_plan: how many calls had media at an address at once, and how many ports that took. */
#include "analyzer/media/port_plan.h"

#include "tests/unit/world.h"

#define PBX "10.0.0.2:5060"

static const struct {
	const char *name;
	struct dialogue calls[3];
	unsigned sockets, peak_calls, peak_ports, up;   /* of 10.0.0.2; up: calls answered at once */
	uint16_t low, high;
} cases[] = {
	{ "one call", { { "c1", "10.0.0.1:5060", PBX, "v1 10.0.0.1:4000", "v1 10.0.0.2:5000", NULL, 0, 1, 31 } }, 1, 1,
	  2, 1, 5000, 5000 },
	{ "two at once", { { "c1", "10.0.0.1:5060", PBX, "v1 10.0.0.1:4000", "v1 10.0.0.2:5000", NULL, 0, 1, 31 },
			   { "c2", "10.0.0.3:5060", PBX, "v1 10.0.0.3:4000", "v1 10.0.0.2:5010", NULL, 5, 6, 25 } }, 2,
			   	2, 4, 2, 5000, 5010 },
	{ "one after the other", { { "c1", "10.0.0.1:5060", PBX, "v1 10.0.0.1:4000", "v1 10.0.0.2:5000", NULL, 0, 1,
	  11 },
				   { "c2", "10.0.0.3:5060", PBX, "v1 10.0.0.3:4000", "v1 10.0.0.2:5010", NULL, 25, 26,
				   	35 } }, 2, 1, 2, 1, 5000, 5010 },
	{ "a port given twice is one port, and two calls",
	  { { "c1", "10.0.0.1:5060", PBX, "v1 10.0.0.1:4000", "v1 10.0.0.2:5000", NULL, 0, 1, 31 },
							     { "c2", "10.0.0.3:5060", PBX, "v1 10.0.0.3:4000",
							     	"v1 10.0.0.2:5000", NULL, 5, 6, 25 } },
	  1, 2, 2, 2, 5000, 5000 },
	{ "a call that never ends counts to the end",
	  { { "c1", "10.0.0.1:5060", PBX, "v1 10.0.0.1:4000", "v1 10.0.0.2:5000", NULL, 0, 1, -1 },
							{ "c2", "10.0.0.3:5060", PBX, "v1 10.0.0.3:4000",
							  "v1 10.0.0.2:5010", NULL, 45, 46, 55 } },
	  2, 2, 4, 2, 5000, 5010 },
};

static void peaks(void **state)
{
	struct address pbx;

	(void)state;
	assert_true(address_parse(SPAN("10.0.0.2"), &pbx));
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct port_use *u;
		struct call_peak up;
		struct world w;

		world_begin(&w);
		for (size_t k = 0; k < 3 && cases[i].calls[k].call; k++)
			world_dialogue(&w, &cases[i].calls[k]);
		world_play(&w);
		engine_finish(w.e);
		u = port_plan_find(w.e->port_plan, &pbx);
		up = call_peak_of(calls_in_order(w.e->calls), w.e->capture.last_ns);
		if (!u || u->sockets != cases[i].sockets || u->peak_calls != cases[i].peak_calls ||
		    u->peak_ports != cases[i].peak_ports || u->low != cases[i].low ||
		    u->high != cases[i].high || up.calls != cases[i].up)
			fail_msg("%s: %u sockets, %u calls, %u ports, %u up", cases[i].name, u ? u->sockets : 0,
				u ? u->peak_calls : 0, u ? u->peak_ports : 0,
				 up.calls);
		world_end(&w);
	}
}

static void no_call_no_peak(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w);
	world_play(&w);
	engine_finish(w.e);
	assert_int_equal(port_plan_in_order(w.e->port_plan)->count, 0);
	assert_int_equal(call_peak_of(calls_in_order(w.e->calls), 0).calls, 0);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(peaks), cmocka_unit_test(no_call_no_peak) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
