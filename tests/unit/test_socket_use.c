/* SPDX-License-Identifier: MIT */
/*
 * socket_use, media_host: which calls hold a socket and what comes and goes there; how many ports a host has in use
 * when a call comes.
 */
#include "analyzer/media/socket_use.h"

#include "analyzer/media/media_host.h"
#include "tests/unit/world.h"

#define PBX "10.0.0.2:5060"

static const struct dialogue first = { "c1", "10.0.0.1:5060", PBX, "v1 10.0.0.1:4000", "v1 10.0.0.2:5000", NULL, 0, 1,
	31 };
static const struct dialogue second = { "c2", "10.0.0.3:5060", PBX, "v1 10.0.0.3:4000", "v1 10.0.0.2:5000", NULL, 5, 6,
	25 };
static const struct dialogue later = { "c3", "10.0.0.3:5060", PBX, "v1 10.0.0.3:4000", "v1 10.0.0.2:5000", NULL, 40, 41,
	60 };

static const struct socket_use *at(const struct world *w, const char *text)
{
	struct endpoint e;

	assert_true(endpoint_parse(span_of(text), &e));
	return socket_uses_find(w->e->sockets, &e);
}

static void play(struct world *w)
{
	world_play(w);
	engine_finish(w->e);
}

static void both_calls_hold_the_socket(void **state)
{
	struct world w;
	const struct socket_use *s;
	int64_t from_ns, to_ns;

	(void)state;
	world_begin(&w);
	world_dialogue(&w, &first);
	world_dialogue(&w, &second);
	play(&w);
	s = at(&w, "10.0.0.2:5000");
	assert_non_null(s);
	assert_int_equal(s->hold_count, 2);
	assert_true(span_equal(s->holds[0]->leg->call_id, SPAN("c1")));
	assert_true(holds_due_together(s->holds[0], s->holds[1], &s->at, w.e->capture.last_ns, &from_ns, &to_ns));
	assert_true(ns_minus(to_ns, from_ns) > 18 * SECOND_NS && ns_minus(to_ns, from_ns) < 20 * SECOND_NS);
	assert_false(holds_share_remote(s->holds[0], s->holds[1]));
	assert_int_equal(socket_owner_of(w.e->network, &s->at, s->holds[0], s->holds[1]), SOCKET_ONE_OWNER);
	world_end(&w);
}

static void one_after_the_other_is_not_together(void **state)
{
	struct world w;
	const struct socket_use *s;
	int64_t from_ns, to_ns;

	(void)state;
	world_begin(&w);
	world_dialogue(&w, &first);
	world_dialogue(&w, &later);
	play(&w);
	s = at(&w, "10.0.0.2:5000");
	assert_int_equal(s->hold_count, 2);
	assert_false(holds_due_together(s->holds[0], s->holds[1], &s->at, w.e->capture.last_ns, &from_ns, &to_ns));
	assert_true(s->holds[0]->to_ns <= s->holds[1]->from_ns);
	world_end(&w);
}

static void streams_come_and_go_by_time(void **state)
{
	struct world w;
	const struct rtp_flow in = { "10.0.0.1:4000", "10.0.0.2:5000", 1.1, 31, 0xa, .pt = 8 },
		late = { "10.0.0.3:4000", "10.0.0.2:5000", 6.1, 25, 0xa, .pt = 8 };
	const struct rtp_flow out = { "10.0.0.2:5000", "10.0.0.1:4000", 1.1, 31, 0xb, .pt = 8 };
	const struct socket_use *s;

	(void)state;
	world_begin(&w);
	world_dialogue(&w, &first);
	world_dialogue(&w, &second);
	world_flow(&w, &in);
	world_flow(&w, &late);
	world_flow(&w, &out);
	play(&w);
	s = at(&w, "10.0.0.2:5000");
	assert_int_equal(s->arriving_count, 2);
	assert_int_equal(s->leaving_count, 1);
	assert_int_equal(socket_arriving(s, s->arriving[1]->first_ns).count, 1);
	assert_int_equal(socket_arriving(s, w.e->capture.last_ns).count, 2);
	assert_int_equal(socket_arriving(s, s->arriving[0]->first_ns).count, 0);
	assert_true(hold_fits_source(s->holds[0], s->arriving[0]) > hold_fits_source(s->holds[1], s->arriving[0]));
	assert_int_equal(socket_uses_ssrcs(w.e->sockets)->count, 1);
	assert_int_equal(LIST_ENTRY(socket_uses_ssrcs(w.e->sockets)->head.next, struct ssrc_use,
		in_order)->sender_count, 2);
	world_end(&w);
}

static void a_public_socket_of_two_hosts_is_a_nat_s(void **state)
{
	struct world w;
	const struct dialogue a = { "c1", "198.51.100.20:5060", PBX, "v1 198.51.100.20:4000", "v1 10.0.0.2:5000", NULL,
		0, 1, 31 };
	const struct dialogue b = { "c2", "198.51.100.20:20137", PBX, "v1 198.51.100.20:4000", "v1 10.0.0.2:5002", NULL,
		5, 6, 25 };
	const struct socket_use *s;

	(void)state;
	world_begin(&w);
	world_dialogue(&w, &a);
	world_dialogue(&w, &b);
	play(&w);
	s = at(&w, "198.51.100.20:4000");
	assert_int_equal(s->hold_count, 2);
	assert_int_equal(socket_owner_of(w.e->network, &s->at, s->holds[0], s->holds[1]), SOCKET_NAT_OWNED);
	world_end(&w);
}

static void a_host_counts_its_busy_ports(void **state)
{
	struct world w;
	struct dialogue b = second;
	const struct media_host *pbx = NULL;

	(void)state;
	b.answer = "v1 10.0.0.2:5002";
	world_begin(&w);
	world_dialogue(&w, &first);
	world_dialogue(&w, &b);
	world_dialogue(&w, &later);
	play(&w);
	LIST_EACH(it, media_hosts_in_order(w.e->media_hosts)) {
		const struct media_host *h = LIST_ENTRY(it, struct media_host, in_order);

		if (h->highest == 5002)
			pbx = h;
	}
	assert_non_null(pbx);
	assert_int_equal(pbx->lowest, 5000);
	assert_int_equal(pbx->peak, 2);
	assert_int_equal(pbx->attempt_count, 3);
	assert_int_equal(pbx->attempts[0].busy, 0);
	assert_int_equal(pbx->attempts[1].busy, 1);
	assert_int_equal(pbx->attempts[2].busy, 0);
	assert_int_equal(pbx->attempts[1].result, ATTEMPT_TAKEN);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_calls_hold_the_socket),
		cmocka_unit_test(one_after_the_other_is_not_together),
		cmocka_unit_test(streams_come_and_go_by_time),
		cmocka_unit_test(a_public_socket_of_two_hosts_is_a_nat_s),
		cmocka_unit_test(a_host_counts_its_busy_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
