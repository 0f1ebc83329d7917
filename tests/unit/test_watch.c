/* SPDX-License-Identifier: MIT */
/* watch: what SUBSCRIBEs asked and NOTIFYs claimed; one lamp in several subscriptions; memory stays within bounds. */
#include "analyzer/calls/watch.h"

#include <string.h>

#include "tests/unit/sip_teller.h"

#define W "10.0.0.21:5060"
#define S "10.0.0.5:5060"

static void subscribe(struct watches *all, struct teller *t, double s, const char *call, unsigned cseq,
	const char *expires)
{
	char more[128];

	snprintf(more, sizeof more, "Event: dialog\r\nExpires: %s\r\n", expires);
	watches_packet(all, say(t, s, W, S, &(struct said){ "SUBSCRIBE sip:122@10.0.0.5 SIP/2.0", "SUBSCRIBE", call,
		"<sip:101@10.0.0.5>;tag=w", "<sip:122@10.0.0.5>",
							    cseq, NULL, more, NULL }));
}

static void granted(struct watches *all, struct teller *t, double s, const char *call, unsigned cseq,
	const char *status)
{
	watches_packet(all, say(t, s, S, W, &(struct said){ status, "SUBSCRIBE", call, "<sip:101@10.0.0.5>;tag=w",
		"<sip:122@10.0.0.5>;tag=n", cseq, NULL,
							    "Expires: 300\r\n", NULL }));
}

static void notify(struct watches *all, struct teller *t, double s, const char *call, unsigned cseq, const char *state,
	const char *how)
{
	char body[512];

	snprintf(body, sizeof body, "<?xml version=\"1.0\"?><dialog-info version=\"%u\" state=\"%s\" entity=\"sip:122@x\"><dialog id=\"d1\"><state>%s</state></dialog></dialog-info>",
		 cseq, how, state);
	watches_packet(all, say(t, s, S, W, &(struct said){ "NOTIFY sip:101@10.0.0.21 SIP/2.0", "NOTIFY", call,
		"<sip:122@10.0.0.5>;tag=n", "<sip:101@10.0.0.5>;tag=w", cseq,
							    NULL, "Event: dialog\r\nSubscription-State: active;expires=280\r\nContent-Type: application/dialog-info+xml\r\n",
							    body }));
}

static const struct watch *first(const struct watches *all)
{
	assert_true(watches_in_order(all)->count > 0);
	return LIST_ENTRY(watches_in_order(all)->head.next, struct watch, in_order);
}

static void test_asked_granted_and_claimed(void **state)
{
	struct watches *all = watches_new(0, 0);
	struct teller t = { .frame = 0 };
	const struct watch *w;

	(void)state;
	subscribe(all, &t, 1, "a", 1, "600");
	subscribe(all, &t, 1.5, "a", 1, "600");
	granted(all, &t, 1.6, "a", 1, "SIP/2.0 200 OK");
	notify(all, &t, 2, "a", 1, "confirmed", "full");
	notify(all, &t, 9, "a", 2, "terminated", "partial");
	w = first(all);
	assert_true(w->begun);
	assert_string_equal(w->watcher, "101");
	assert_string_equal(w->entity, "122");
	assert_int_equal(w->ask_count, 1);
	assert_int_equal(w->asks[0].copies, 2);
	assert_int_equal(w->asks[0].granted_s, 300);
	assert_int_equal(w->note_count, 2);
	assert_int_equal(w->notes[0].claim, DIALOG_INFO_CONFIRMED);
	assert_int_equal(w->notes[0].expires_s, 280);
	assert_int_equal(w->notes[1].claim, 0);
	assert_int_equal(w->subject->accepted_ns, at_s(1.6));
	watches_free(all);
}

static void test_one_lamp_in_two_subscriptions(void **state)
{
	struct watches *all = watches_new(0, 0);
	struct teller t = { .frame = 0 };

	(void)state;
	subscribe(all, &t, 1, "a", 1, "600");
	subscribe(all, &t, 50, "b", 1, "600");
	assert_int_equal(watches_in_order(all)->count, 2);
	assert_int_equal(first(all)->subject->watches.count, 2);
	watches_free(all);
}

static void test_other_events_are_no_lamps(void **state)
{
	struct watches *all = watches_new(0, 0);
	struct teller t = { .frame = 0 };

	(void)state;
	watches_packet(all, say(&t, 1, W, S, &(struct said){ "SUBSCRIBE sip:122@x SIP/2.0", "SUBSCRIBE", "m",
		"<sip:101@x>;tag=w", "<sip:122@x>", 1, NULL,
							     "Event: message-summary\r\n", NULL }));
	assert_int_equal(watches_in_order(all)->count, 0);
	watches_free(all);
}

static void test_the_latest_claims_are_kept(void **state)
{
	struct watches *all = watches_new(0, 0);
	struct teller t = { .frame = 0 };
	const struct watch *w;

	(void)state;
	subscribe(all, &t, 1, "a", 1, "600");
	for (unsigned i = 1; i <= WATCH_NOTE_MAX + 10; i++)
		notify(all, &t, 1 + i, "a", i, "early", "full");
	w = first(all);
	assert_int_equal(w->note_count, WATCH_NOTE_MAX);
	assert_int_equal(w->dropped, 10);
	assert_int_equal(w->notes[WATCH_NOTE_MAX - 1].cseq, WATCH_NOTE_MAX + 10);
	watches_free(all);
}

static void flood(struct watches *all, struct teller *t, unsigned count, unsigned notes)
{
	for (unsigned i = 0; i < count; i++) {
		char call[16];

		snprintf(call, sizeof call, "f%u", i);
		subscribe(all, t, i, call, 1, "600");
		for (unsigned k = 1; k <= notes; k++)
			notify(all, t, i + 0.001 * k, call, k, "early", "full");
	}
}

static void test_a_flood_of_subscriptions(void **state)
{
	struct watches *all = watches_new(50, 0);
	struct teller t = { .frame = 0 };

	(void)state;
	flood(all, &t, 500, 0);
	assert_int_equal(watches_in_order(all)->count, 50);
	assert_int_equal(watches_evicted(all), 450);
	assert_int_equal(first(all)->n, 451);        /* those silent for longest have gone */
	watches_free(all);
}

/* However much each of them has to tell: bytes count, not heads. */
static void test_a_budget_in_bytes(void **state)
{
	enum { BUDGET = 256 * 1024 };
	struct watches *few = watches_new(0, BUDGET), *many = watches_new(0, BUDGET);
	struct teller t = { .frame = 0 };

	(void)state;
	flood(few, &t, 200, 100);
	flood(many, &t, 200, 0);
	assert_int_equal(watches_evicted(many), 0);
	assert_true(watches_in_order(few)->count * 100 * sizeof(struct watch_note) <= BUDGET);
	assert_int_equal(watches_evicted(few), 200 - watches_in_order(few)->count);
	watches_free(few);
	watches_free(many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_asked_granted_and_claimed),
		cmocka_unit_test(test_one_lamp_in_two_subscriptions),
		cmocka_unit_test(test_other_events_are_no_lamps),
		cmocka_unit_test(test_the_latest_claims_are_kept),
		cmocka_unit_test(test_a_flood_of_subscriptions),
		cmocka_unit_test(test_a_budget_in_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
