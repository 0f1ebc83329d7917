/* SPDX-License-Identifier: MIT */
/* network/source: counting by source, credentials, classes, what makes a scan or a guess; bounds. */
#include "analyzer/network/source_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define START_NS (INT64_C(1700000000) * SECOND_NS)
#define SERVER "10.0.0.5:5060"

struct teller {
	struct site *site;
	struct sources *s;
	struct list legs;
	struct sip_message sip;
	char text[4096];
	uint32_t frame;
};

static void tell(struct teller *t, double s, const char *src, const char *dst, int n)
{
	struct packet p = { .kind = PACKET_SIP, .has = HAS_IP | HAS_PORTS, .at_ns = START_NS + (int64_t)(s * 1e9),
		.frame = ++t->frame, .transport = TRANSPORT_UDP };

	assert_true(n > 0 && (size_t)n < sizeof t->text);
	assert_true(sip_message_parse((struct span){ (const uint8_t *)t->text, (size_t)n }, (size_t)n, &t->sip));
	assert_true(endpoint_parse(span_of(src), &p.src));
	assert_true(endpoint_parse(span_of(dst), &p.dst));
	p.sip = &t->sip;
	sources_packet(t->s, &p);
}

struct ask {
	const char *method, *user, *branch, *nonce, *agent;  /* nonce "": no credentials */
	unsigned response;
};

static void ask(struct teller *t, double s, const char *src, const char *dst, struct ask a)
{
	char credentials[256] = "";

	if (a.nonce && a.nonce[0])
		snprintf(credentials, sizeof credentials, "Authorization: Digest username=\"%s\", realm=\"r\", nonce=\"%s\", uri=\"sip:x\", response=\"%032x\"\r\n",
			 a.user, a.nonce, a.response);
	tell(t, s, src, dst, snprintf(t->text, sizeof t->text,
		"%s sip:%s@pbx SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s\r\nFrom: <sip:%s@pbx>;tag=f\r\nTo: <sip:%s@pbx>\r\nCall-ID: c-%s\r\n"
		"CSeq: 1 %s\r\nContact: <sip:%s@%s>\r\nUser-Agent: %s\r\n%sContent-Length: 0\r\n\r\n",
		a.method, a.user, src, a.branch, a.user, a.user, a.branch, a.method, a.user, src,
		a.agent ? a.agent : "Test", credentials));
}

static void reply(struct teller *t, double s, const char *src, const char *dst, struct ask a, unsigned status,
	const char *nonce)
{
	char challenge[128] = "";

	if (nonce)
		snprintf(challenge, sizeof challenge, "WWW-Authenticate: Digest realm=\"r\", nonce=\"%s\"\r\n", nonce);
	tell(t, s, src, dst, snprintf(t->text, sizeof t->text,
		"SIP/2.0 %u X\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s\r\nFrom: <sip:%s@pbx>;tag=f\r\nTo: <sip:%s@pbx>;tag=t\r\nCall-ID: c-%s\r\n"
		"CSeq: 1 %s\r\nServer: PBX 1\r\n%sContent-Length: 0\r\n\r\n", status, dst, a.branch, a.user, a.user,
		a.branch, a.method, challenge));
}

static struct teller *begin(size_t max)
{
	struct teller *t = calloc(1, sizeof *t);
	struct sources_config config = { 10, 10, 5, 5, 50, 10, max };

	assert_non_null(t);
	sip_start();
	list_init(&t->legs);
	t->site = site_new();
	t->s = sources_new(&config, t->site);
	return t;
}

static void end(struct teller *t)
{
	sources_free(t->s);
	site_free(t->site);
	free(t);
}

static const struct source *settled(struct teller *t, const char *address)
{
	struct address a;

	sources_settle(t->s, &t->legs);
	assert_true(address_parse(span_of(address), &a));
	return sources_find(t->s, &a);
}

/* A try with a wrong password: challenge, credentials, refusal. */
static void wrong(struct teller *t, double s, const char *src, const char *user, unsigned n)
{
	char first[16], second[16], nonce[16];
	struct ask a = { "REGISTER", user, first, "", NULL, 0 }, b = { "REGISTER", user, second, nonce, NULL, n };

	snprintf(first, sizeof first, "a%u", n);
	snprintf(second, sizeof second, "b%u", n);
	snprintf(nonce, sizeof nonce, "n%u", n);
	ask(t, s, src, SERVER, a);
	reply(t, s + 0.01, SERVER, src, a, 401, nonce);
	ask(t, s + 0.02, src, SERVER, b);
	reply(t, s + 0.03, SERVER, src, b, 401, "next");
}

static void test_copies_count_once(void **state)
{
	struct teller *t = begin(0);
	struct ask a = { "OPTIONS", "100", "x", "", NULL, 0 };
	const struct source *x;

	(void)state;
	for (unsigned i = 0; i < 11; i++)
		ask(t, i * 0.5, "203.0.113.66:5060", SERVER, a);
	reply(t, 6, SERVER, "203.0.113.66:5060", a, 200, NULL);
	reply(t, 6.1, SERVER, "203.0.113.66:5060", a, 200, NULL);
	x = settled(t, "203.0.113.66");
	assert_int_equal(x->requests, 1);
	assert_int_equal(x->copies, 10);
	assert_int_equal(x->answered, 1);
	assert_int_equal(x->target_count, 1);
	assert_true(x->targets[0].answered);
	assert_int_equal(x->class, SOURCE_UNKNOWN);
	end(t);
}

/* A first challenge is no refusal; credentials over a nonce that nobody issued are none either. */
static void test_what_is_a_rejection(void **state)
{
	struct teller *t = begin(0);
	struct ask bare = { "REGISTER", "101", "x", "", NULL, 0 },
		foreign = { "REGISTER", "101", "y", "other", NULL, 1 };
	const struct source *x;

	(void)state;
	ask(t, 0, "203.0.113.66:5060", SERVER, bare);
	reply(t, 0.1, SERVER, "203.0.113.66:5060", bare, 401, "n");
	ask(t, 1, "203.0.113.66:5060", SERVER, foreign);
	reply(t, 1.1, SERVER, "203.0.113.66:5060", foreign, 401, "m");
	x = settled(t, "203.0.113.66");
	assert_int_equal(x->rejected, 0);
	assert_int_equal(x->challenges, 1);
	wrong(t, 2, "203.0.113.66:5060", "101", 1);
	x = settled(t, "203.0.113.66");
	assert_int_equal(x->rejected, 1);
	assert_int_equal(x->guess, GUESS_NONE);
	end(t);
}

static const struct guess_row {
	const char *name;
	const char *src;
	unsigned tries;
	double every, jitter;        /* jitter: added to every other one */
	enum source_guess guess;
	enum source_class class;
} guess_rows[] = {
	{ "five in a minute", "203.0.113.66:5060", 5, 2, 1, GUESS_NONE, SOURCE_UNKNOWN },
	{ "six at odd times", "203.0.113.66:5060", 6, 4, 3.9, GUESS_PASSWORD, SOURCE_ATTACKER },
	{ "forty at once", "203.0.113.66:5060", 40, 0.2, 0, GUESS_PASSWORD, SOURCE_ATTACKER },
	{ "forty at once from inside", "10.0.0.77:5060", 40, 0.2, 0, GUESS_PASSWORD, SOURCE_USER },
	{ "a phone inside that retries", "10.0.0.77:5060", 40, 9, 0, GUESS_NONE, SOURCE_USER },
	{ "one a minute", "203.0.113.66:5060", 30, 60, 0, GUESS_NONE, SOURCE_UNKNOWN },
};

static void test_guesses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof guess_rows / sizeof *guess_rows; i++) {
		const struct guess_row *row = &guess_rows[i];
		struct teller *t = begin(0);
		char address[ADDRESS_TEXT];
		const struct source *x;

		for (unsigned k = 0; k < row->tries; k++)
			wrong(t, k * row->every + k % 2 * row->jitter, row->src, "101", k + 1);
		snprintf(address, sizeof address, "%.*s", (int)strcspn(row->src, ":"), row->src);
		x = settled(t, address);
		if (x->guess != row->guess || x->class != row->class)
			fail_msg("%s: guess %d, class %s", row->name, x->guess, source_class_name(x->class));
		assert_int_equal(x->rejected, row->tries);
		x = settled(t, address);         /* twice is once */
		assert_int_equal(x->guess, row->guess);
		end(t);
	}
}

/* One challenge, three answers that differ although all that is in them is equal. */
static void test_static_nonce(void **state)
{
	struct teller *t = begin(0);
	struct ask first = { "REGISTER", "101", "x", "", NULL, 0 };
	const struct source *x;

	(void)state;
	ask(t, 0, "203.0.113.66:5060", SERVER, first);
	reply(t, 0.1, SERVER, "203.0.113.66:5060", first, 401, "static");
	for (unsigned i = 1; i <= 3; i++) {
		char branch[8];
		struct ask a = { "REGISTER", "101", branch, "static", NULL, i };

		snprintf(branch, sizeof branch, "y%u", i);
		ask(t, i * 20, "203.0.113.66:5060", SERVER, a);
		reply(t, i * 20 + 0.1, SERVER, "203.0.113.66:5060", a, 401, "other");
	}
	x = settled(t, "203.0.113.66");
	assert_int_equal(x->same_challenge, 3);
	assert_int_equal(x->guess, GUESS_PASSWORD);
	assert_true(x->guess_certain);
	end(t);
}

static void test_success_after_guess(void **state)
{
	struct teller *t = begin(0);
	struct ask a = { "REGISTER", "101", "ok", "next", NULL, 99 };
	const struct source *x;

	(void)state;
	for (unsigned k = 0; k < 30; k++)
		wrong(t, k * 0.2, "203.0.113.66:5060", "101", k + 1);
	ask(t, 10, "203.0.113.66:5060", SERVER, a);
	reply(t, 10.1, SERVER, "203.0.113.66:5060", a, 200, NULL);
	x = settled(t, "203.0.113.66");
	assert_true(x->guessed);
	assert_int_equal(x->class, SOURCE_ATTACKER);
	assert_string_equal(x->victim->user, "101");
	assert_int_equal(x->victim->rejected_before, 30);
	end(t);
}

/* Three wrong ones and the right one: somebody mistyped, and is a user. */
static void test_forgiven(void **state)
{
	struct teller *t = begin(0);
	struct ask a = { "REGISTER", "101", "ok", "next", NULL, 99 };
	const struct source *x;

	(void)state;
	for (unsigned k = 0; k < 3; k++)
		wrong(t, k * 3, "203.0.113.66:5060", "101", k + 1);
	ask(t, 10, "203.0.113.66:5060", SERVER, a);
	reply(t, 10.1, SERVER, "203.0.113.66:5060", a, 200, NULL);
	x = settled(t, "203.0.113.66");
	assert_false(x->guessed);
	assert_int_equal(x->rejected, 0);
	assert_int_equal(x->class, SOURCE_USER);
	end(t);
}

static void test_scan_of_hosts(void **state)
{
	struct teller *t = begin(0);
	const struct source *x;

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		char branch[8], dst[ENDPOINT_TEXT];

		snprintf(branch, sizeof branch, "h%u", i);
		snprintf(dst, sizeof dst, "10.0.%u.%u:5060", i / 100, 1 + i % 100);
		ask(t, i * 0.01, "203.0.113.66:5060", dst, (struct ask){ "OPTIONS", "100", branch, "", NULL, 0 });
	}
	x = settled(t, "203.0.113.66");
	assert_int_equal(x->scan, SCAN_TARGETS);
	assert_int_equal(x->target_count, SOURCE_EXACT);
	assert_in_range(x->targets_estimate, 180, 220);
	assert_true(sources_attacker(t->s, &x->addr));
	end(t);
}

static void test_tool_is_named(void **state)
{
	static const struct { const char *agent; bool tool; } rows[] = {
		{ "friendly-scanner", true }, { "UNfriendly-scanner - for demo purposes", true },
		  { "sipvicious", true }, { "smap 0.6", true },
		{ "Osmap phone", false }, { "Yealink SIP-T46S", false }, { "sipsak 0.9.7", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct teller *t = begin(0);

		ask(t, 0, "203.0.113.66:5060", SERVER, (struct ask){ "OPTIONS", "100", "x", "", rows[i].agent, 0 });
		assert_int_equal(settled(t, "203.0.113.66")->scan, rows[i].tool ? SCAN_TOOL : SCAN_NONE);
		end(t);
	}
}

static void test_server_and_trunk(void **state)
{
	struct teller *t = begin(0);

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct ask a = { "REGISTER", i ? "101" : "102", i ? "p" : "q", "", NULL, 0 };

		ask(t, i, "10.0.0.21:5060", SERVER, a);
		reply(t, i + 0.1, SERVER, "10.0.0.21:5060", a, 200, NULL);
	}
	ask(t, 5, SERVER, "203.0.113.5:5060", (struct ask){ "REGISTER", "trunk", "r", "", NULL, 0 });
	reply(t, 5.1, "203.0.113.5:5060", SERVER, (struct ask){ "REGISTER", "trunk", "r", "", NULL, 0 }, 200, NULL);
	ask(t, 6, "203.0.113.6:5060", SERVER, (struct ask){ "OPTIONS", "x", "s", "", NULL, 0 });
	assert_int_equal(settled(t, "10.0.0.5")->class, SOURCE_OWN_SERVER);
	assert_int_equal(settled(t, "203.0.113.5")->class, SOURCE_TRUNK);
	assert_int_equal(settled(t, "203.0.113.6")->class, SOURCE_TRUNK);      /* its neighbour */
	assert_int_equal(settled(t, "10.0.0.21")->class, SOURCE_USER);
	end(t);
}

/* Many sources come and go; one whose credentials were refused stays. */
static void test_bounds(void **state)
{
	struct teller *t = begin(32);
	struct address kept;

	(void)state;
	wrong(t, 0, "203.0.113.66:5060", "101", 1);
	for (unsigned i = 0; i < 500; i++) {
		char branch[8], src[ENDPOINT_TEXT];

		snprintf(branch, sizeof branch, "v%u", i);
		snprintf(src, sizeof src, "198.51.%u.%u:5060", i / 100, 1 + i % 100);
		ask(t, 1 + i * 0.01, src, SERVER, (struct ask){ "OPTIONS", "100", branch, "", NULL, 0 });
	}
	sources_settle(t->s, &t->legs);
	assert_int_equal(sources_in_order(t->s)->count, 32);
	assert_true(sources_evicted(t->s) > 400);
	assert_true(address_parse(SPAN("203.0.113.66"), &kept));
	assert_non_null(sources_find(t->s, &kept));
	end(t);
}

static void strangers(struct teller *t, double s, unsigned from, unsigned count)
{
	for (unsigned i = from; i < from + count; i++) {
		char branch[8], src[ENDPOINT_TEXT];

		snprintf(branch, sizeof branch, "w%u", i);
		snprintf(src, sizeof src, "198.51.%u.%u:5060", i / 100, 1 + i % 100);
		ask(t, s, src, SERVER, (struct ask){ "OPTIONS", "100", branch, "", NULL, 0 });
	}
}

static bool is_there(const struct teller *t, const char *address)
{
	struct address a;

	assert_true(address_parse(span_of(address), &a));
	return sources_find(t->s, &a) != NULL;
}

/* What was refused once stays when others go; when that is forgiven it goes like others, and who is behind it stays. */
static void test_forgiven_may_go(void **state)
{
	struct teller *t = begin(32);
	struct ask right = { "SUBSCRIBE", "101", "s", "next", NULL, 5 };

	(void)state;
	wrong(t, 0, "203.0.113.66:5060", "101", 1);
	ask(t, 1, "203.0.113.66:5060", SERVER, right);
	wrong(t, 2, "203.0.113.67:5060", "102", 2);
	strangers(t, 3, 0, 60);
	assert_true(is_there(t, "203.0.113.66"));
	reply(t, 4, SERVER, "203.0.113.66:5060", right, 200, NULL);
	assert_true(is_there(t, "203.0.113.66"));
	strangers(t, 5, 60, 1);
	assert_false(is_there(t, "203.0.113.66"));
	strangers(t, 6, 61, 60);
	assert_true(is_there(t, "203.0.113.67"));
	end(t);
}

/* ---- counting in fewer steps ---- */

enum { RING = 24 };

/* As source_pace() says of itself: the most within a minute, an hour, a day, as far as the ring reaches. */
static void pace_slowly(struct pace *p, const int64_t *all, unsigned count)
{
	unsigned have = count < RING ? count : RING, minute = 0, hour = 0, day = 0;
	int64_t now_ns = all[count - 1], from_ns = now_ns;

	for (unsigned i = 0; i < have && now_ns - all[count - 1 - i] <= 24 * HOUR_NS; i++) {
		int64_t age_ns = now_ns - all[count - 1 - i];

		day++;
		hour += age_ns <= HOUR_NS;
		if (age_ns <= MINUTE_NS) {
			minute++;
			from_ns = all[count - 1 - i];
		}
	}
	if (minute >= p->minute) {
		p->minute = (uint16_t)minute;
		p->from_ns = from_ns;
		p->to_ns = now_ns;
	}
	p->hour = hour > p->hour ? (uint16_t)hour : p->hour;
	p->day = day > p->day ? (uint16_t)day : p->day;
}

static void test_paces(void **state)
{
	/* milliseconds: the most from one to the next, and how many in a hundred come out of order */
	static const struct { const char *name; uint32_t step_ms, back; } cases[] = {
		{ "a flood", 2, 0 }, { "a scan", 3000, 0 }, { "a slow one", 400000, 0 }, { "over days", 40000000, 0 },
		{ "two clocks", 3000, 10 }, { "a flood of two clocks", 40, 30 }, { "all at once", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pace fast = { 0 }, slow = { 0 };
		int64_t ring[RING], all[500], now_ns = START_NS;
		uint32_t dice = 7;

		for (unsigned k = 0; k < 500; k++) {
			dice = dice * 1664525u + 1013904223u;
			now_ns += (int64_t)(cases[i].step_ms ? dice % (cases[i].step_ms + 1) : 0) * MILLISECOND_NS;
			all[k] = now_ns - (dice >> 16 >= 65536u * cases[i].back / 100 ? 0 : (dice & 0xffff) * 2 * MILLISECOND_NS);
			source_pace(&fast, ring, RING, all[k]);
			pace_slowly(&slow, all, k + 1);
			if (fast.minute != slow.minute || fast.hour != slow.hour || fast.day != slow.day ||
			    fast.from_ns != slow.from_ns || fast.to_ns != slow.to_ns || fast.count != k + 1)
				fail_msg("%s: the %u-th", cases[i].name, k);
		}
	}
}

/* Of more users than there is room for the one that was silent for longest goes, but not one that was let in. */
static void test_users_go(void **state)
{
	struct teller *t = begin(0);
	const struct source *x;
	char user[16];

	(void)state;
	ask(t, 0.5, "10.0.0.9:5060", SERVER, (struct ask){ "REGISTER", "first", "b", "n", NULL, 1 });
	reply(t, 0.6, SERVER, "10.0.0.9:5060", (struct ask){ "REGISTER", "first", "b", "n", NULL, 1 }, 200, NULL);
	for (unsigned i = 0; i < 3 * SOURCE_EXACT; i++) {
		snprintf(user, sizeof user, "u%u", i);
		ask(t, 1 + i, "10.0.0.9:5060", SERVER, (struct ask){ "OPTIONS", user, user, NULL, NULL, 0 });
		snprintf(user, sizeof user, "again%u", i);
		if (i && i % 40 == 0)
			ask(t, 1.5 + i, "10.0.0.9:5060", SERVER, (struct ask){ "OPTIONS", "u20", user, NULL, NULL, 0 });
	}
	x = sources_find(t->s, &(struct address){ .family = 4, .bytes = { 10, 0, 0, 9 } });
	assert_non_null(x);
	assert_int_equal(x->user_count, SOURCE_EXACT);
	for (unsigned i = 0; i < x->user_count; i++) {
		const char *name = x->users[i].user;
		bool new = name[0] == 'u' && strtoul(name + 1, NULL, 10) > 2 * SOURCE_EXACT;

		if (!new && strcmp(name, "first") != 0 && strcmp(name, "u20") != 0)
			fail_msg("%s is still there", name);
		if (strcmp(name, "u20") == 0)
			assert_int_equal(x->users[i].requests, 5);
	}
	end(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copies_count_once), cmocka_unit_test(test_what_is_a_rejection),
			cmocka_unit_test(test_guesses),
		cmocka_unit_test(test_static_nonce), cmocka_unit_test(test_success_after_guess),
		cmocka_unit_test(test_forgiven),
		cmocka_unit_test(test_scan_of_hosts), cmocka_unit_test(test_tool_is_named),
		cmocka_unit_test(test_server_and_trunk),
		cmocka_unit_test(test_bounds), cmocka_unit_test(test_forgiven_may_go),
		cmocka_unit_test(test_paces), cmocka_unit_test(test_users_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
