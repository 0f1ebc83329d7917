/* SPDX-License-Identifier: MIT */
/* lamp: the truth table: what a NOTIFY claims against what the entity's calls do. */
#include "analyzer/detect/lamp.h"

#include <string.h>

#include "tests/unit/sip_teller.h"

#define W "10.0.0.21:5060"
#define S "10.0.0.5:5060"
#define B "10.0.0.22:5060"

#define FROM "<sip:300@10.0.0.5>;tag=a"
#define TO "<sip:122@10.0.0.5>"

struct world {
	struct calls *calls;
	struct watches *watches;
	struct teller t;
};

static void take(struct world *w, const struct packet *p)
{
	struct calls_event events[CALLS_EVENT_MAX];

	watches_packet(w->watches, p);
	calls_message(w->calls, p, false, events);
}

/* The PBX calls 122, who answers at answer_s and whose call ends at end_s; 0: not. */
static void call(struct world *w, double s, double answer_s, double end_s)
{
	take(w, say(&w->t, s, S, B, &(struct said){ "INVITE sip:122@10.0.0.22 SIP/2.0", "INVITE", "call", FROM, TO, 1,
		NULL, "Contact: <sip:s@10.0.0.5>\r\n", NULL }));
	take(w, say(&w->t, s + 0.1, B, S, &(struct said){ "SIP/2.0 180 Ringing", "INVITE", "call", FROM, TO ";tag=b", 1,
		NULL, NULL, NULL }));
	if (!answer_s)
		return;
	take(w, say(&w->t, answer_s, B, S, &(struct said){ "SIP/2.0 200 OK", "INVITE", "call", FROM, TO ";tag=b", 1,
		NULL, "Contact: <sip:122@10.0.0.22>\r\n", NULL }));
	take(w, say(&w->t, answer_s + 0.05, S, B, &(struct said){ "ACK sip:122@10.0.0.22 SIP/2.0", "ACK", "call", FROM,
		TO ";tag=b", 1, "ack", NULL, NULL }));
	if (!end_s)
		return;
	take(w, say(&w->t, end_s, S, B, &(struct said){ "BYE sip:122@10.0.0.22 SIP/2.0", "BYE", "call", FROM,
		TO ";tag=b", 2, "bye", NULL, NULL }));
	take(w, say(&w->t, end_s + 0.05, B, S, &(struct said){ "SIP/2.0 200 OK", "BYE", "call", FROM, TO ";tag=b", 2,
		"bye", NULL, NULL }));
}

static void claim(struct world *w, double s, unsigned cseq, const char *state)
{
	char body[512], dialog[128] = "";

	if (*state)
		snprintf(dialog, sizeof dialog, "<dialog id=\"d1\"><state>%s</state></dialog>", state);
	snprintf(body, sizeof body, "<?xml version=\"1.0\"?><dialog-info version=\"%u\" state=\"full\" entity=\"sip:122@x\">%s</dialog-info>", cseq, dialog);
	take(w, say(&w->t, s, S, W, &(struct said){ "NOTIFY sip:101@10.0.0.21 SIP/2.0", "NOTIFY", "sub",
		"<sip:122@10.0.0.5>;tag=n", "<sip:101@10.0.0.5>;tag=w", cseq, "n",
						    "Event: dialog\r\nSubscription-State: active;expires=600\r\nContent-Type: application/dialog-info+xml\r\n", body }));
	take(w, say(&w->t, s + 0.02, W, S,
		&(struct said){ "SIP/2.0 200 OK", "NOTIFY", "sub", "<sip:122@10.0.0.5>;tag=n",
		"<sip:101@10.0.0.5>;tag=w", cseq, "n", NULL, NULL }));
}

static void subscribe(struct world *w)
{
	take(w, say(&w->t, 0.1, W, S, &(struct said){ "SUBSCRIBE sip:122@10.0.0.5 SIP/2.0", "SUBSCRIBE", "sub",
		"<sip:101@10.0.0.5>;tag=w", TO, 1, "s",
						      "Event: dialog\r\nExpires: 600\r\n", NULL }));
	take(w, say(&w->t, 0.2, S, W, &(struct said){ "SIP/2.0 200 OK", "SUBSCRIBE", "sub", "<sip:101@10.0.0.5>;tag=w",
		TO ";tag=n", 1, "s", "Expires: 600\r\n", NULL }));
}

/* What the lamp is told and when; the call rings at 10, is answered at 12, ends at 40. */
static const struct { const char *name; struct { double s; const char *state; } claims[5]; bool wrong, stuck;
	} cases[] = {
	{ "follows the call", { { 1, "" }, { 10.2, "early" }, { 12.1, "confirmed" }, { 40.1, "" } }, false, false },
	{ "is late by a second", { { 1, "" }, { 11.2, "early" }, { 13.1, "confirmed" }, { 41.1, "" } }, false, false },
	{ "stays lit", { { 1, "" }, { 10.2, "early" }, { 12.1, "confirmed" } }, true, true },
	{ "never lights", { { 1, "" } }, true, false },
	{ "nothing was ever said", { { 0, NULL } }, false, false },
};

static void test_truth_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct calls_config config = { .keep_texts = true };
		struct world w = { .calls = calls_new(&config), .watches = watches_new(0, 0), .t = { .frame = 0 } };
		struct lamps *lamps;
		struct lamp_fault fault;
		unsigned said = 0;

		subscribe(&w);
		if (cases[i].claims[0].state)
			claim(&w, cases[i].claims[0].s, ++said, cases[i].claims[0].state);
		call(&w, 10, 12, 40);
		for (unsigned k = 1; k < 5 && cases[i].claims[k].state; k++)
			claim(&w, cases[i].claims[k].s, ++said, cases[i].claims[k].state);
		calls_finish(w.calls, at_s(100));
		lamps = lamps_new(w.calls);
		fault = lamp_compare(lamps, LIST_ENTRY(watches_in_order(w.watches)->head.next, struct watch, in_order),
			at_s(100), 6 * SECOND_NS);
		if (fault.wrong != cases[i].wrong || (fault.wrong && fault.stuck != cases[i].stuck))
			fail_msg("%s: wrong %d, stuck %d", cases[i].name, fault.wrong, fault.stuck);
		lamps_free(lamps);
		watches_free(w.watches);
		calls_free(w.calls);
	}
}

static void test_the_next_change(void **state)
{
	struct calls_config config = { .keep_texts = true };
	struct world w = { .calls = calls_new(&config), .watches = watches_new(0, 0), .t = { .frame = 0 } };
	const struct leg *leg = NULL;
	const struct watch *watch;
	struct lamps *lamps;

	(void)state;
	subscribe(&w);
	call(&w, 10, 12, 40);
	calls_finish(w.calls, at_s(100));
	lamps = lamps_new(w.calls);
	watch = LIST_ENTRY(watches_in_order(w.watches)->head.next, struct watch, in_order);
	assert_true(lamp_change_after(lamps, watch, at_s(0), &leg) <= at_s(12));
	assert_non_null(leg);
	assert_int_equal(lamp_change_after(lamps, watch, at_s(50), &leg), NS_NONE);
	lamps_free(lamps);
	watches_free(w.watches);
	calls_free(w.calls);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_truth_table),
		cmocka_unit_test(test_the_next_change) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
