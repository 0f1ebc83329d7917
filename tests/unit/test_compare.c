/* SPDX-License-Identifier: MIT */
/*
 * test_compare: of two generated weeks, what was planted is found and nothing else is; Fisher's test against values
 * from elsewhere.
 */
#include "analyzer/history/compare.h"

#include "captures/base/text.h"
#include "tests/unit/history_files.h"

#define DAY_NS (24 * HOUR_NS)
enum { PHONES = 20, CALLS_A_DAY = 150, DAYS = 14, CHANGE_DAY = 7 };

/* ---- Fisher ---- */

static void fisher_says_what_tables_say(void **state)
{
	static const struct { struct share a, b; double p; } cases[] = {
		{ { 3, 4 }, { 1, 4 }, 0.4857142857142857 },              /* the lady tasting tea, both sides */
		{ { 8, 10 }, { 1, 6 }, 0.034965034965034965 },
		{ { 0, 212 }, { 46, 46 }, 8.8e-53 },
		{ { 10, 100 }, { 10, 100 }, 1 },
		{ { 0, 0 }, { 5, 9 }, 1 },
		{ { 0, 20 }, { 0, 20 }, 1 },
		{ { 20, 20 }, { 20, 20 }, 1 },
		{ { 1, 20 }, { 6, 20 }, 0.09147609147609148 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		double p = fisher_exact(cases[i].a, cases[i].b), back = fisher_exact(cases[i].b, cases[i].a);

		if (cases[i].p > 1e-9 && !(p > cases[i].p - 1e-9 && p < cases[i].p + 1e-9))
			fail_msg("case %zu: %.12g", i, p);
		if (cases[i].p <= 1e-9 && p > 1e-50)
			fail_msg("case %zu: %.12g", i, p);
		assert_true(p - back < 1e-9 && back - p < 1e-9);
	}
	assert_true(fisher_exact((struct share){ 100000, 1000000 }, (struct share){ 110000, 1000000 }) < 1e-100);
	assert_true(fisher_exact((struct share){ 100000, 1000000 }, (struct share){ 100100, 1000000 }) > 0.5);
}

/* ---- two weeks ---- */

enum planted { NOTHING, FIREWALL_ONE_WAY, ONE_PHONE_FAILS, OTHER_ROUTER, OTHER_FIRMWARE, OTHER_TTL, NEW_FINDING,
	NEW_ATTACK, LESS_FAILING, OTHER_PORTS };

struct office {
	enum planted planted;
	uint64_t random;
	struct rows rows;
	unsigned day;
};

/* Its own numbers, the same each time (splitmix64). */
static unsigned chance(struct office *o, unsigned below)
{
	uint64_t z = (o->random += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (unsigned)((z ^ z >> 31) % below);
}

static bool changed(const struct office *o, enum planted what)
{
	return o->planted == what && o->day >= CHANGE_DAY;
}

static void add_host(struct office *o, unsigned call, const char *host)
{
	row_begin(&o->rows, ROW_CALL_HOST);
	row_integer(&o->rows, call);
	row_text(&o->rows, host);
}

static void add_finding(struct office *o, unsigned n, const char *id, const char *about, unsigned call, int64_t at_ns)
{
	struct rows *r = &o->rows;

	row_begin(r, ROW_FINDING);
	row_integer(r, n);
	row_text(r, id);
	row_text(r, "reason");
	row_text(r, "error");
	row_text(r, "certain");
	row_text(r, "title");
	row_text(r, "cause");
	row_text(r, "fix");
	row_null(r);
	row_text(r, about);
	row_integer(r, call != 0);
	row_null(r);
	row_time(r, at_ns);
	row_time(r, at_ns);
	row_integer(r, 1);
	row_text(r, "open");
	row_null(r);
	row_null(r);
	row_text(r, about);
	if (!call)
		return;
	row_begin(r, ROW_FINDING_CALL);
	row_integer(r, n);
	row_integer(r, call);
}

static const char *phone_name(unsigned phone, char text[32])
{
	snprintf(text, 32, "192.168.1.%u", 20 + phone);
	return text;
}

/* Calls through the firewall to one of two providers, a few of them bad by chance: on the one day as on the other. */
static void add_call(struct office *o, unsigned n)
{
	struct rows *r = &o->rows;
	unsigned phone = chance(o, PHONES), provider = chance(o, 3);
	bool failed = chance(o, o->planted == LESS_FAILING && o->day < CHANGE_DAY ? 4 : 40) == 0,
		one_way = chance(o, 100) == 0, poor = chance(o, 33) == 0;
	bool rewritten = changed(o, FIREWALL_ONE_WAY) && provider != 0;
	int64_t at_ns = RUN_START_NS + o->day * DAY_NS + n * MINUTE_NS;
	char host[32];

	failed |= changed(o, ONE_PHONE_FAILS) && phone == 3;
	row_begin(r, ROW_CALL);
	row_integer(r, n);
	row_null(r);
	row_text(r, "1001");
	row_text(r, "01632960105");
	for (unsigned i = 0; i < 4; i++)
		row_null(r);
	row_text(r, failed ? "failed" : "ended");
	row_integer(r, failed ? 503 : 200);
	row_time(r, at_ns);
	row_time(r, failed ? NS_NONE : at_ns + 5 * SECOND_NS);
	row_null(r);
	row_null(r);
	row_null(r);
	row_text(r, !failed && (one_way || rewritten) ? "no" : "yes");
	row_text(r, "yes");
	row_real(r, poor ? 2.9 : 4.3);
	row_real(r, 4.3);
	add_host(o, n, phone_name(phone, host));
	add_host(o, n, "203.0.113.2");
	add_host(o, n, provider ? "198.51.100.7" : "198.51.100.8");
	if (one_way && !failed)
		add_finding(o, 1000 + n, "one-way-audio", phone_name(phone, host), n, at_ns);
	if (rewritten && !failed)
		add_finding(o, 2000 + n, "sip-alg", "203.0.113.2", n, at_ns);
	if (changed(o, NEW_FINDING) && provider == 0)
		add_finding(o, 3000 + n, "session-timer", "198.51.100.8", n, at_ns);
}

static void add_look(struct office *o, const char *host, const char *roles, const char *agent, int ttl)
{
	struct rows *r = &o->rows;

	row_begin(r, ROW_HOST);
	row_text(r, host);
	row_text(r, roles);
	row_text(r, agent);
	row_text(r, "5060");
	row_null(r);
	row_null(r);
	row_integer(r, 46);
	row_integer(r, 0);
	row_integer(r, ttl);
}

static void add_nat(struct office *o, unsigned n, const char *inside, const char *outside)
{
	struct rows *r = &o->rows;

	row_begin(r, ROW_NAT);
	row_integer(r, n);
	row_text(r, inside);
	row_integer(r, 5060);
	row_text(r, outside);
	row_integer(r, changed(o, OTHER_PORTS) ? 61000 + n : 5060);
	row_text(r, "udp");
	row_text(r, "twin");
	row_null(r);
	row_null(r);
}

static void add_day(struct office *o)
{
	char host[32];

	for (unsigned n = 1; n <= CALLS_A_DAY; n++)
		add_call(o, n);
	for (unsigned i = 0; i < PHONES; i++) {
		add_look(o, phone_name(i, host), "phone",
			changed(o, OTHER_FIRMWARE) ? "Yealink 66.86" : "Yealink 66.85", 64);
		add_nat(o, i + 1, host, changed(o, OTHER_ROUTER) ? "203.0.113.9" : "203.0.113.2");
	}
	add_look(o, "203.0.113.2", "nat", NULL, changed(o, OTHER_TTL) ? 255 : 64);
	/* a pool of servers: varies anyway */
	add_look(o, "198.51.100.7", "trunk", o->day % 2 ? "SBC 1" : "SBC 2", 54);
	if (changed(o, NEW_ATTACK) || o->day == 3)
		add_finding(o, 9000, "sip-scan", changed(o, NEW_ATTACK) ? "192.0.2.66" : "192.0.2.67", 0,
			RUN_START_NS + o->day * DAY_NS);
}

static void write_day(struct store *s, struct office *o)
{
	struct run run = run_number(o->day + 1);
	struct err err;
	int64_t number;

	run.first_ns = RUN_START_NS + o->day * DAY_NS;
	run.last_ns = run.first_ns + 8 * HOUR_NS;
	rows_init(&o->rows);
	add_day(o);
	assert_int_equal(store_begin(s, &err), ERR_OK);
	assert_int_equal(store_run(s, &run, &number, &err), ERR_OK);
	assert_int_equal(store_rows(s, &o->rows, &err), ERR_OK);
	assert_int_equal(store_commit(s, &err), ERR_OK);
	rows_fini(&o->rows);
}

static void write_weeks(struct store *s, enum planted planted, uint64_t seed)
{
	struct office o = { .planted = planted, .random = seed };

	for (o.day = 0; o.day < DAYS; o.day++)
		write_day(s, &o);
}

static const char *list_of(const struct comparison *c, struct text *t)
{
	for (size_t i = 0; i < compare_count(c); i++) {
		const struct difference *d = compare_get(c, i);

		if (d->kind != DIFFERENCE_FEW)
			text_addf(t, "%skind %d subject %d %s%s%s+%u %s>%s %s", t->n ? "; " : "", d->kind, d->subject,
				d->host, d->finding[0] ? " " : "", d->finding,
				  d->other_count, d->before, d->after, d->with);
	}
	return t->p;
}

static void expect_difference(enum planted planted, uint64_t seed, const char *expected)
{
	const struct compare_side sides[SIDES] = { { INT64_MIN, RUN_START_NS + CHANGE_DAY * DAY_NS, 0 },
		{ RUN_START_NS + CHANGE_DAY * DAY_NS, INT64_MAX, 0 } };
	struct folder f;
	struct comparison *c;
	struct store *s;
	struct text found;
	struct err err;

	folder_make(&f);
	s = store_expect(f.file, STORE_WRITE);
	write_weeks(s, planted, seed);
	store_close(s);
	s = store_expect(f.file, STORE_READ);
	c = compare_new(s, sides, &err);
	assert_non_null(c);
	assert_int_equal(compare_totals(c, SIDE_BEFORE)->calls, CHANGE_DAY * CALLS_A_DAY);
	assert_int_equal(compare_totals(c, SIDE_AFTER)->calls, (DAYS - CHANGE_DAY) * CALLS_A_DAY);
	text_init(&found);
	if (strcmp(list_of(c, &found), expected) != 0)
		fail_msg("planted %d, seed %llu: \"%s\" instead of \"%s\"", planted, (unsigned long long)seed, found.p,
			expected);
	text_fini(&found);
	compare_free(c);
	store_close(s);
	folder_remove(&f);
}

static void without_a_change_nothing_is_found(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 8; seed++)
		expect_difference(NOTHING, seed, "");
}

static void what_was_planted_is_found_and_nothing_else(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 2; seed++) {
		expect_difference(ONE_PHONE_FAILS, seed, "kind 0 subject 2 192.168.1.23+0 > ");
		expect_difference(OTHER_ROUTER, seed, "kind 2 subject 8 192.168.1.20+19 203.0.113.2>203.0.113.9 ");
		expect_difference(OTHER_FIRMWARE, seed,
			"kind 2 subject 13 192.168.1.20+19 Yealink 66.85>Yealink 66.86 ");
		expect_difference(OTHER_TTL, seed, "kind 2 subject 10 203.0.113.2+0 64>255 ");
		expect_difference(NEW_FINDING, seed, "kind 0 subject 6 198.51.100.8 session-timer+0 > ");
		expect_difference(NEW_ATTACK, seed, "kind 0 subject 6 192.0.2.66 sip-scan+0 > ");
		expect_difference(OTHER_PORTS, seed, "kind 2 subject 9 203.0.113.2+0 > ");
	}
}

static void the_firewall_of_the_weekend(void **state)
{
	const struct compare_side sides[SIDES] = { { INT64_MIN, RUN_START_NS + CHANGE_DAY * DAY_NS, 0 },
		{ RUN_START_NS + CHANGE_DAY * DAY_NS, INT64_MAX, 0 } };
	const struct difference *d;
	struct comparison *c;
	struct folder f;
	struct store *s;
	struct err err;

	(void)state;
	folder_make(&f);
	s = store_expect(f.file, STORE_WRITE);
	write_weeks(s, FIREWALL_ONE_WAY, 5);
	c = compare_new(s, sides, &err);
	assert_non_null(c);
	d = compare_get(c, 0);
	assert_int_equal(d->kind, DIFFERENCE_NEW);
	assert_int_equal(d->subject, SUBJECT_ONE_WAY);
	assert_string_equal(d->host, "198.51.100.7");   /* not all calls through the firewall: those to that provider */
	assert_string_equal(d->unheard, "caller");
	assert_int_equal(d->share[SIDE_AFTER].part, d->share[SIDE_AFTER].whole);
	assert_int_equal(d->first_run, CHANGE_DAY + 1);
	assert_true(d->p < 1e-9);
	assert_non_null(strstr(d->with, "sip-alg 203.0.113.2"));
	for (size_t i = 1; i < compare_count(c); i++)
		assert_int_equal(compare_get(c, i)->kind, DIFFERENCE_FEW);
	compare_free(c);
	store_close(s);
	folder_remove(&f);
}

static void what_became_better_is_said(void **state)
{
	(void)state;
	expect_difference(LESS_FAILING, 3, "kind 2 subject 2 203.0.113.2+0 > ");
}

static void two_runs_can_be_compared(void **state)
{
	const struct compare_side sides[SIDES] = { { .run = 1 }, { .run = 8 } };
	struct comparison *c;
	struct folder f;
	struct store *s;
	struct err err;
	struct text t;

	(void)state;
	folder_make(&f);
	s = store_expect(f.file, STORE_WRITE);
	write_weeks(s, OTHER_TTL, 1);
	c = compare_new(s, sides, &err);
	assert_non_null(c);
	assert_int_equal(compare_totals(c, SIDE_BEFORE)->calls, CALLS_A_DAY);
	text_init(&t);
	/* of one day each, the pool's server of that day looks like a change: two runs are no more than that */
	assert_non_null(strstr(list_of(c, &t), "kind 2 subject 10 203.0.113.2+0 64>255"));
	text_fini(&t);
	compare_free(c);
	store_close(s);
	folder_remove(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fisher_says_what_tables_say),
		cmocka_unit_test(without_a_change_nothing_is_found),
		cmocka_unit_test(what_was_planted_is_found_and_nothing_else),
		cmocka_unit_test(the_firewall_of_the_weekend),
		cmocka_unit_test(what_became_better_is_said),
		cmocka_unit_test(two_runs_can_be_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
