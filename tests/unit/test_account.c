/* SPDX-License-Identifier: MIT */
/*
 * account: devices of an AOR, their sockets on both sides of a router, changes of the binding, requests that were sent
 * to them.
 */
#include "analyzer/calls/account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define START_NS (INT64_C(1700000000) * SECOND_NS)
#define REGISTRAR "203.0.113.10:5060"
#define OUTSIDE "198.51.100.20"

struct teller {
	struct accounts *a;
	struct sip_message sip;
	char text[4096];
	uint32_t frame;
};

static void tell(struct teller *t, double s, const char *src, const char *dst, int n)
{
	struct packet p = { .kind = PACKET_SIP, .at_ns = START_NS + (int64_t)(s * 1e9), .frame = ++t->frame,
		.transport = TRANSPORT_UDP };

	assert_true(n > 0 && (size_t)n < sizeof t->text);
	assert_true(sip_message_parse((struct span){ (const uint8_t *)t->text, (size_t)n }, (size_t)n, &t->sip));
	assert_true(endpoint_parse(span_of(src), &p.src));
	assert_true(endpoint_parse(span_of(dst), &p.dst));
	p.sip = &t->sip;
	accounts_packet(t->a, &p);
}

static const struct phone {
	const char *user, *agent, *call, *own, *src;
} desk = { "101", "Desk", "desk-1", "192.168.1.10:5060", OUTSIDE ":5060" },
  soft = { "101", "Soft", "soft-1", "192.168.1.11:5062", OUTSIDE ":5062" },
  other = { "102", "Desk", "other-1", "192.168.1.12:5060", OUTSIDE ":20137" };

/*
 * A REGISTER, and the 200 that lists so many Contacts 50 ms later; listed 0: no answer. extra: header lines of the
 * request.
 */
static void enroll_at(struct teller *t, double s, const struct phone *p, unsigned cseq, unsigned listed,
	const char *src, const char *extra)
{
	tell(t, s, src, REGISTRAR, snprintf(t->text, sizeof t->text,
		"REGISTER sip:pbx SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK-%s-%u;rport\r\nFrom: <sip:%s@pbx>;tag=f\r\nTo: <sip:%s@pbx>\r\n"
		"Call-ID: %s\r\nCSeq: %u REGISTER\r\nContact: <sip:%s@%s>\r\nUser-Agent: %s\r\n%sContent-Length: 0\r\n\r\n",
		p->own, p->call, cseq, p->user, p->user, p->call, cseq, p->user, p->own, p->agent, extra));
	if (!listed)
		return;
	tell(t, s + 0.05, REGISTRAR, src, snprintf(t->text, sizeof t->text,
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK-%s-%u;received=" OUTSIDE
		";rport=20999\r\nFrom: <sip:%s@pbx>;tag=f\r\n"
		"To: <sip:%s@pbx>;tag=t\r\nCall-ID: %s\r\nCSeq: %u REGISTER\r\nContact: <sip:%s@%s>;expires=300%s\r\nContent-Length: 0\r\n\r\n",
		p->own, p->call, cseq, p->user, p->user, p->call, cseq, p->user, p->own,
		listed > 1 ? ", <sip:x@192.168.1.99>" : ""));
}

static void enroll(struct teller *t, double s, const struct phone *p, unsigned cseq)
{
	enroll_at(t, s, p, cseq, 1, p->src, "");
}

static void ask(struct teller *t, double s, const char *method, const char *user, const char *dst, unsigned branch)
{
	tell(t, s, REGISTRAR, dst, snprintf(t->text, sizeof t->text,
		"%s sip:%s@%s SIP/2.0\r\nVia: SIP/2.0/UDP " REGISTRAR
		";branch=z9hG4bK-q%u\r\nFrom: <sip:s@pbx>;tag=s\r\nTo: <sip:%s@pbx>\r\n"
		"Call-ID: q%u\r\nCSeq: 1 %s\r\nContent-Length: 0\r\n\r\n", method, user, dst, branch, user, branch,
		method));
}

static void reply(struct teller *t, double s, unsigned status, const char *src, unsigned branch)
{
	tell(t, s, src, REGISTRAR, snprintf(t->text, sizeof t->text,
		"SIP/2.0 %u X\r\nVia: SIP/2.0/UDP " REGISTRAR
		";branch=z9hG4bK-q%u\r\nFrom: <sip:s@pbx>;tag=s\r\nTo: <sip:x@pbx>;tag=d\r\n"
		"Call-ID: q%u\r\nCSeq: 1 NOTIFY\r\nContent-Length: 0\r\n\r\n", status, branch, branch));
}

static struct teller *begin(size_t max)
{
	struct teller *t = calloc(1, sizeof *t);

	assert_non_null(t);
	sip_start();
	t->a = accounts_new(max);
	return t;
}

static void end(struct teller *t)
{
	accounts_free(t->a);
	free(t);
}

static struct account *account(const struct teller *t, unsigned at)
{
	struct list_link *it = accounts_in_order(t->a)->head.next;

	while (at--)
		it = it->next;
	return LIST_ENTRY(it, struct account, in_order);
}

static const struct device *at(const struct teller *t, const char *endpoint)
{
	struct endpoint e;

	assert_true(endpoint_parse(span_of(endpoint), &e));
	return accounts_device_at(t->a, &e);
}

/* ---- sockets ---- */

static void outside_names_both_sockets(void **state)
{
	struct teller *t = begin(0);

	(void)state;
	enroll(t, 1, &desk, 1);
	assert_non_null(at(t, "192.168.1.10:5060"));
	assert_ptr_equal(at(t, "192.168.1.10:5060"), at(t, OUTSIDE ":5060"));
	assert_true(at(t, OUTSIDE ":5060")->outer_seen);
	assert_false(at(t, OUTSIDE ":5060")->inner_seen);
	assert_null(at(t, OUTSIDE ":5061"));
	end(t);
}

static void inside_learns_the_outer_socket_from_the_answer(void **state)
{
	struct teller *t = begin(0);

	(void)state;
	enroll_at(t, 1, &desk, 1, 1, desk.own, "");
	assert_non_null(at(t, OUTSIDE ":20999"));
	assert_false(at(t, OUTSIDE ":20999")->outer_seen);
	assert_true(at(t, OUTSIDE ":20999")->inner_seen);
	end(t);
}

static void two_sights_are_one_register(void **state)
{
	struct teller *t = begin(0);

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		enroll_at(t, 1 + 60 * i, &desk, i + 1, 0, desk.own, "");
		enroll_at(t, 1.001 + 60 * i, &desk, i + 1, 1, desk.src, "");
	}
	assert_int_equal(account(t, 0)->devices.count, 1);
	assert_int_equal(account(t, 0)->change_count, 1);
	assert_true(at(t, OUTSIDE ":5060")->inner_seen && at(t, OUTSIDE ":5060")->outer_seen);
	end(t);
}

/* ---- bindings ---- */

static void a_device_keeps_its_record_over_restart_and_port(void **state)
{
	struct teller *t = begin(0);
	struct phone restarted = desk, moved = desk;

	(void)state;
	restarted.call = "desk-2";
	moved.src = OUTSIDE ":33000";
	enroll(t, 1, &desk, 1);
	enroll(t, 60, &restarted, 1);
	moved.call = "desk-2";
	enroll(t, 120, &moved, 2);
	assert_int_equal(account(t, 0)->devices.count, 1);
	assert_int_equal(account(t, 0)->change_count, 2);
	assert_int_equal(account(t, 0)->current->outer_changes, 1);
	end(t);
}

static void two_devices_take_turns(void **state)
{
	struct teller *t = begin(0);

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		enroll(t, 1 + 60 * i, &desk, i + 1);
		enroll(t, 31 + 60 * i, &soft, i + 1);
	}
	assert_int_equal(account(t, 0)->devices.count, 2);
	assert_int_equal(account(t, 0)->change_count, 6);
	assert_string_equal(account(t, 0)->aor, "101@pbx");
	ask(t, 200, "INVITE", "101", desk.src, 7);      /* the soft phone has registered last */
	assert_int_equal(account(t, 0)->stale, 1);
	ask(t, 201, "INVITE", "101", soft.src, 8);
	assert_int_equal(account(t, 0)->stale, 1);
	end(t);
}

static void changes_are_bounded_and_keep_the_latest(void **state)
{
	struct teller *t = begin(0);
	char src[32];
	struct phone p = desk;

	(void)state;
	p.src = src;
	for (unsigned i = 0; i < ACCOUNT_CHANGE_MAX + 20; i++) {
		snprintf(src, sizeof src, OUTSIDE ":%u", 20000 + i);
		enroll(t, 1 + 60 * i, &p, i + 1);
	}
	assert_int_equal(account(t, 0)->change_count, ACCOUNT_CHANGE_MAX);
	assert_int_equal(account(t, 0)->changes[ACCOUNT_CHANGE_MAX - 1].source.port, 20000 + ACCOUNT_CHANGE_MAX + 19);
	end(t);
}

static void refreshes_and_questions_change_nothing(void **state)
{
	struct teller *t = begin(0);

	(void)state;
	enroll(t, 1, &desk, 1);
	enroll(t, 61, &desk, 2);
	enroll_at(t, 121, &desk, 3, 2, desk.src, "");
	assert_int_equal(account(t, 0)->change_count, 1);
	assert_int_equal(account(t, 0)->current->refreshes, 3);
	end(t);
}

/* ---- requests ---- */

static const struct { const char *name; unsigned copies, status; double until; unsigned answered, unanswered;
	} asked[] = {
	{ "answered at once", 1, 200, 30, 1, 0 },
	{ "answered late", 5, 200, 30, 1, 0 },
	{ "in vain", 5, 0, 30, 0, 1 },
	{ "two copies prove nothing", 2, 0, 30, 0, 0 },
	{ "the capture ends too soon", 5, 0, 12, 0, 0 },
};

static void requests_are_tallied(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
		struct teller *t = begin(0);

		enroll(t, 1, &desk, 1);
		for (unsigned k = 0; k < asked[i].copies; k++)
			ask(t, 10 + 0.5 * k, "NOTIFY", "101", desk.src, 3);
		if (asked[i].status)
			reply(t, 14, asked[i].status, desk.src, 3);
		accounts_settle(t->a, START_NS + (int64_t)(asked[i].until * 1e9));
		accounts_settle(t->a, START_NS + (int64_t)(asked[i].until * 1e9));
		if (at(t, desk.src)->tally.answered != asked[i].answered ||
		    at(t, desk.src)->tally.unanswered != asked[i].unanswered)
			fail_msg("%s: %u answered, %u not", asked[i].name, at(t, desk.src)->tally.answered,
				at(t, desk.src)->tally.unanswered);
		end(t);
	}
}

static void a_stranger_s_requests_do_not_count(void **state)
{
	struct teller *t = begin(0);

	(void)state;
	enroll(t, 1, &desk, 1);
	for (unsigned k = 0; k < 5; k++)
		tell(t, 10 + k, "203.0.113.66:5060", desk.src, snprintf(t->text, sizeof t->text,
			"OPTIONS sip:101@x SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.66;branch=z9hG4bK-scan\r\nFrom: <sip:s@x>;tag=s\r\nTo: <sip:101@x>\r\n"
			"Call-ID: scan\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"));
	accounts_settle(t->a, START_NS + 60 * SECOND_NS);
	assert_int_equal(at(t, desk.src)->tally.unanswered, 0);
	end(t);
}

/* ---- sites ---- */

static void a_site_holds_phones_by_port_then_address(void **state)
{
	struct teller *t = begin(0);
	const struct sip_site *s;

	(void)state;
	enroll(t, 1, &other, 1);
	enroll(t, 2, &desk, 1);
	accounts_settle(t->a, START_NS + 60 * SECOND_NS);
	accounts_settle(t->a, START_NS + 60 * SECOND_NS);
	assert_int_equal(accounts_sites(t->a)->count, 1);
	s = LIST_ENTRY(accounts_sites(t->a)->head.next, struct sip_site, in_order);
	assert_int_equal(s->device_count, 2);
	assert_string_equal(s->device[0]->account->user, "101");
	assert_string_equal(s->device[1]->account->user, "102");
	end(t);
}

static void two_phones_on_one_outer_socket_take_turns(void **state)
{
	struct teller *t = begin(0);
	struct phone twin = other;

	(void)state;
	twin.src = desk.src;
	for (unsigned i = 0; i < 3; i++) {
		enroll(t, 1 + 20 * i, &desk, i + 1);
		enroll(t, 9 + 20 * i, &twin, i + 1);
	}
	assert_int_equal(account(t, 0)->current->outer_turns, 2);
	assert_int_equal(account(t, 1)->current->outer_turns, 2);
	end(t);
}

/* ---- bounds ---- */

static void guesses_do_not_displace_phones(void **state)
{
	struct teller *t = begin(8);
	char user[16], call[16];
	struct phone guess = { user, "scanner", call, "203.0.113.66:5060", "203.0.113.66:5060" };

	(void)state;
	enroll(t, 1, &desk, 1);
	for (unsigned i = 0; i < 100; i++) {
		snprintf(user, sizeof user, "%u", 1000 + i);
		snprintf(call, sizeof call, "g%u", i);
		enroll_at(t, 2 + i * 0.01, &guess, 1, 0, guess.src, "");
	}
	assert_int_equal(accounts_in_order(t->a)->count, 8);
	assert_int_equal(accounts_evicted(t->a), 93);
	assert_non_null(at(t, desk.src));
	end(t);
}

static void devices_of_an_account_are_bounded(void **state)
{
	struct teller *t = begin(0);
	char own[32], call[16];
	struct phone p = { "101", "Soft", call, own, "10.0.0.9:5060" };

	(void)state;
	for (unsigned i = 0; i < 3 * ACCOUNT_DEVICE_MAX; i++) {
		snprintf(own, sizeof own, "10.0.0.9:%u", 40000 + i);
		snprintf(call, sizeof call, "d%u", i);
		p.src = own;
		enroll(t, 1 + 60 * i, &p, 1);
	}
	assert_int_equal(account(t, 0)->devices.count, ACCOUNT_DEVICE_MAX);
	assert_null(at(t, "10.0.0.9:40000"));
	assert_ptr_equal(account(t, 0)->current, at(t, own));
	end(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outside_names_both_sockets),
		cmocka_unit_test(inside_learns_the_outer_socket_from_the_answer),
		cmocka_unit_test(two_sights_are_one_register),
		cmocka_unit_test(a_device_keeps_its_record_over_restart_and_port),
		cmocka_unit_test(two_devices_take_turns),
		cmocka_unit_test(changes_are_bounded_and_keep_the_latest),
		cmocka_unit_test(refreshes_and_questions_change_nothing),
		cmocka_unit_test(requests_are_tallied),
		cmocka_unit_test(a_stranger_s_requests_do_not_count),
		cmocka_unit_test(a_site_holds_phones_by_port_then_address),
		cmocka_unit_test(two_phones_on_one_outer_socket_take_turns),
		cmocka_unit_test(guesses_do_not_displace_phones),
		cmocka_unit_test(devices_of_an_account_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
