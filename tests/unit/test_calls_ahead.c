/* SPDX-License-Identifier: MIT */
/* test_calls_ahead: asking ahead changes nothing, whatever becomes of the legs before their messages come. */
#include "tests/unit/calls_script.h"

enum { CALLS = 6, BATCH = 20, CAP = 4 };

struct told {                        /* a message that waits for its turn */
	struct packet packet;
	struct sip_message sip;
	char text[1024];
};

static void told_init(struct told *t, struct script *s, const struct row *r)
{
	size_t n = script_text(s, r);

	assert_true(n < sizeof t->text);
	memcpy(t->text, s->text, n);
	assert_true(sip_message_parse((struct span){ (const uint8_t *)t->text, n }, n, &t->sip));
	t->packet = (struct packet){ .kind = PACKET_SIP, .transport = TRANSPORT_UDP, .has = HAS_IP | HAS_PORTS,
		.at_ns = at_s(r->s), .frame = ++s->frame, .src = script_endpoint(r->status ? B : A),
		.dst = script_endpoint(r->status ? A : B), .wire_bytes = (uint32_t)n, .sip = &t->sip };
}

/* Calls that ring, are answered and end, and new ones for which, under a cap, those must go. */
static struct row row_of(unsigned i, char call[8])
{
	static const struct row kinds[] = {
		{ .s = 2, .status = 180, .to = "t" },
		{ .s = 2, .sdp = "v1" },
		{ .s = 2, .status = 200, .to = "t", .sdp = "v1 10.0.0.2:6000" },
		{ .s = 2, .method = "ACK", .to = "t" },
		{ .s = 2, .method = "BYE", .to = "t", .cseq = 2 },
	};
	struct row r = kinds[i % 5];

	snprintf(call, 8, "c%u", i % 5 == 1 ? CALLS + i : i * 7 % CALLS);
	r.call = call;
	return r;
}

static void give(struct script *s, bool ahead)
{
	static struct told told[BATCH];
	const struct packet *batch[BATCH];
	struct calls_event events[CALLS_EVENT_MAX];
	char call[8];

	for (unsigned i = 0; i < CALLS; i++) {
		snprintf(call, sizeof call, "c%u", i);
		SAY(s, .call = call, .sdp = "v1");
	}
	for (unsigned i = 0; i < BATCH; i++) {
		struct row r = row_of(i, call);

		told_init(&told[i], s, &r);
		batch[i] = &told[i].packet;
	}
	if (ahead)
		calls_ahead(s->c, batch, BATCH);
	for (unsigned i = 0; i < BATCH; i++) {
		size_t n = calls_message(s->c, batch[i], false, events);

		for (script_events(s, events, n); n == CALLS_EVENT_MAX; script_events(s, events, n))
			n = calls_more(s->c, events);
	}
	calls_ahead(s->c, NULL, 0);
	memset(told, 'x', sizeof told);      /* the batch is gone */
	SAY(s, .s = 3, .call = "last", .sdp = "v1");
	calls_finish(s->c, at_s(4));
}

static void assert_alike(const struct script *x, const struct script *y)
{
	assert_int_equal(x->event_count, y->event_count);
	for (size_t i = 0; i < x->event_count; i++)
		assert_int_equal(x->events[i].kind, y->events[i].kind);
	assert_int_equal(calls_legs(x->c)->count, calls_legs(y->c)->count);
	for (size_t i = 0; i < calls_legs(x->c)->count; i++) {
		const struct leg *a = LIST_ENTRY(nth(calls_legs(x->c), i), struct leg, in_order);
		const struct leg *b = LIST_ENTRY(nth(calls_legs(y->c), i), struct leg, in_order);

		assert_int_equal(a->n, b->n);
		assert_int_equal(a->state, b->state);
		assert_int_equal(a->messages.count, b->messages.count);
		assert_int_equal(a->dialogs.count, b->dialogs.count);
	}
}

/* ret_evicted: how many legs went. */
static void compare(size_t cap, uint64_t *ret_evicted)
{
	struct calls_config config = script_config();
	static struct script plain, ahead;

	config.max_legs = cap;
	script_begin_with(&plain, &config);
	script_begin_with(&ahead, &config);
	give(&plain, false);
	give(&ahead, true);
	assert_alike(&plain, &ahead);
	*ret_evicted = calls_counts(ahead.c).evicted_legs;
	script_end(&plain);
	script_end(&ahead);
}

static void test_nothing_changes(void **state)
{
	uint64_t evicted;

	(void)state;
	compare(0, &evicted);
	assert_int_equal(evicted, 0);
}

static void test_legs_go_before_their_messages(void **state)
{
	uint64_t evicted;

	(void)state;
	compare(CAP, &evicted);
	assert_true(evicted > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_changes),
		cmocka_unit_test(test_legs_go_before_their_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
