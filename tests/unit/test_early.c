/* SPDX-License-Identifier: MIT */
/* test_early: answers before their requests wait, others do not; bounded in time and number. */
#include "analyzer/early.h"

#include <string.h>

#include "tests/unit/sip_teller.h"

#define P "10.0.0.21:5060"
#define S "10.0.0.5:5060"

enum { MAX = 8 };

struct line {                        /* what is told, and what must come out at once */
	double at_s;
	bool answer;
	const char *call, *method, *branch;
	unsigned cseq;
	const char *out;             /* "call cseq method" of each that goes on, its time if not its own */
};

static const struct { const char *name; struct line lines[8]; const char *rest; } cases[] = {
	{ "in order", { { 1.0, false, "a", "REGISTER", "b1", 1, "q1@1.0 " }, { 1.1, true, "a", "REGISTER", "b1", 1, "r1@1.1 " } }, "" },
	{ "an answer before its request takes its time", {
		{ 1.0, true, "a", "REGISTER", "b1", 1, "" }, { 1.4, false, "a", "REGISTER", "b1", 1, "q1@1.4 r1@1.4 " } }, "" },
	{ "all that wait for one request, in their order", {
		{ 1.0, true, "a", "INVITE", "b1", 1, "" }, { 1.2, true, "a", "INVITE", "b1", 1, "" },
		{ 1.4, false, "a", "INVITE", "b1", 1, "q1@1.4 r1@1.4 r1@1.4 " }, { 1.5, true, "a", "INVITE", "b1", 1, "r1@1.5 " } }, "" },
	{ "another call's request is none of it", {
		{ 1.0, true, "a", "INVITE", "b1", 1, "" }, { 1.4, false, "z", "INVITE", "b1", 1, "q1@1.4 " } }, "r1@1.0 " },
	{ "whoever guesses passwords counts branches only", {
		{ 1.0, false, "a", "REGISTER", "b1", 2, "q2@1.0 " }, { 1.1, true, "a", "REGISTER", "b2", 2, "" },
		{ 1.2, false, "a", "REGISTER", "b2", 2, "q2@1.2 r2@1.2 " } }, "" },
	{ "two seconds are enough", {
		{ 1.0, true, "a", "INVITE", "b1", 1, "" }, { 3.5, false, "z", "INVITE", "b1", 1, "r1@1.0 q1@3.5 " } }, "" },
	{ "the caller goes on: the request was before the capture", {
		{ 1.0, true, "a", "INVITE", "b1", 1, "" }, { 1.1, false, "a", "ACK", "b2", 1, "r1@1.0 q1@1.1 " } }, "" },
	{ "an earlier request of the call does not say so", {
		{ 1.0, true, "a", "BYE", "b2", 2, "" }, { 1.1, false, "a", "INVITE", "b1", 1, "q1@1.1 " },
		{ 1.3, false, "a", "BYE", "b2", 2, "q2@1.3 r2@1.3 " } }, "" },
};

static void note(char *out, size_t room, const struct packet *p)
{
	size_t n = strlen(out);

	snprintf(out + n, room - n, "%c%u@%.1f ", p->sip->request ? 'q' : 'r', p->sip->cseq,
		(double)(p->at_ns - START_NS) / 1e9);
}

static void give(struct early *e, struct teller *t, const struct line *l, char *out, size_t room)
{
	char start[64];
	const struct packet *p, *waited;

	if (l->answer)
		snprintf(start, sizeof start, "SIP/2.0 200 OK");
	else
		snprintf(start, sizeof start, "%s sip:s@10.0.0.5 SIP/2.0", l->method);
	p = say(t, l->at_s, l->answer ? S : P, l->answer ? P : S, &(struct said){ start, l->method, l->call,
		"<sip:101@x>;tag=f", "<sip:s@x>", l->cseq, l->branch, NULL, NULL });
	t->packet.payload = (struct span){ (const uint8_t *)t->text, strlen(t->text) };
	t->packet.payload_wire = t->packet.payload.n;
	out[0] = '\0';
	if (early_keep(e, p))
		return;
	while ((waited = early_before(e, p, p->at_ns)))
		note(out, room, waited);
	note(out, room, p);
	while ((waited = early_after(e, p)))
		note(out, room, waited);
}

static struct early *make(void)
{
	return early_new(&(struct early_config){ .wait_ns = 2 * SECOND_NS, .max = MAX });
}

static void test_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct early *e = make();
		struct teller t = { .frame = 0 };
		const struct packet *waited;
		char out[200];

		for (const struct line *l = cases[i].lines; l->call; l++) {
			give(e, &t, l, out, sizeof out);
			if (strcmp(out, l->out) != 0)
				fail_msg("%s: line %zu gave \"%s\", not \"%s\"", cases[i].name, (size_t)(l - cases[i].lines), out, l->out);
		}
		out[0] = '\0';
		while ((waited = early_rest(e)))
			note(out, sizeof out, waited);
		if (strcmp(out, cases[i].rest) != 0)
			fail_msg("%s: \"%s\" was left, not \"%s\"", cases[i].name, out, cases[i].rest);
		early_free(e);
	}
}

static void test_how_early(void **state)
{
	struct early *e = make();
	struct teller t = { .frame = 0 };
	char out[200];

	(void)state;
	assert_int_equal(early_most_ns(e), 0);
	give(e, &t, &(struct line){ 1.0, true, "a", "INVITE", "b1", 1, NULL }, out, sizeof out);
	give(e, &t, &(struct line){ 1.3, false, "a", "INVITE", "b1", 1, NULL }, out, sizeof out);
	assert_int_equal(early_most_ns(e) / MILLISECOND_NS, 300);
	early_free(e);
}

/* Answers that nobody asked for, as of a reflected flood: after a while none waits, and all come in their order. */
static void test_flood(void **state)
{
	struct early *e = make();
	struct teller t = { .frame = 0 };
	char out[2000], call[16];
	unsigned waited = 0, gone = 0;

	(void)state;
	for (unsigned i = 0; i < 400; i++) {
		snprintf(call, sizeof call, "c%u", i);
		give(e, &t, &(struct line){ 1 + i * 0.01, true, call, "OPTIONS", "b", 1, NULL }, out, sizeof out);
		waited = out[0] ? 0 : waited + 1;
		for (const char *s = out; (s = strchr(s, '@')); s++)
			gone++;
		assert_true(waited <= MAX);
	}
	assert_int_equal(waited, 0);
	assert_int_equal(gone, 400);
	early_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_how_early),
		cmocka_unit_test(test_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
