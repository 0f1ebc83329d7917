/* SPDX-License-Identifier: MIT */
/* test_two_points: messages known again at the next capture point: changed, equal, lost; clocks; bounds. */
#include "analyzer/network/two_points.h"

#include "tests/unit/network_packets.h"

enum { INSIDE, OUTSIDE };            /* files */

static const struct two_points_config config = { .window_ns = 5 * SECOND_NS, .max_offset_ns = 3600 * SECOND_NS,
	.min_transmissions = 2 };

#define PHONE "192.168.1.21:5060"
#define ROUTER "203.0.113.2:5060"
#define SERVER "198.51.100.7:5060"

struct shown {                       /* how a message is seen at one point */
	uint16_t file;
	const char *src, *dst;
	uint8_t ttl;
	int64_t at_ms;
};

static void show(struct two_points *t, struct shown s, const char *text, enum duplicate_verdict verdict)
{
	struct sip_message *m = calloc(1, sizeof *m);
	struct packet p = packet_of(PACKET_SIP, s.src, s.dst, s.at_ms);

	assert_true(sip_message_parse(span_of(text), strlen(text), m));
	p.file = s.file;
	p.ttl = s.ttl;
	p.sip = m;
	p.ip_bytes = (uint16_t)(strlen(text) + 28);
	two_points_frame(t, s.file, p.at_ns);
	two_points_message(t, &p, verdict);
	free(m);
}

static const char *request(char buffer[1000], const char *method, const char *host, unsigned n, const char *more)
{
	snprintf(buffer, 1000, "%s sip:198.51.100.7 SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%u\r\nMax-Forwards: 70\r\nFrom: <sip:1@h>;tag=f%u\r\nTo: <sip:1@h>\r\n"
		 "Call-ID: c%u\r\nCSeq: 1 %s\r\nContact: <sip:1@%s>\r\n%s\r\n", method, host, n, n, n, method, host,
		 	more);
	return buffer;
}

static const char *response(char buffer[1000], const char *method, const char *host, unsigned n)
{
	snprintf(buffer, 1000, "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%u\r\nFrom: <sip:1@h>;tag=f%u\r\nTo: <sip:1@h>;tag=t%u\r\nCall-ID: c%u\r\nCSeq: 1 %s\r\n"
		 "Contact: <sip:1@%s>\r\n\r\n", host, n, n, n, n, method, host);
	return buffer;
}

/* A REGISTER out and its answer back through the router; outside it names `host`. offset_ms: of the outside's clock. */
static void registers(struct two_points *t, unsigned n, int64_t at_ms, const char *host, int64_t offset_ms)
{
	char text[1000];

	show(t, (struct shown){ INSIDE, PHONE, SERVER, 64, at_ms }, request(text, "REGISTER", PHONE, n, ""),
		DUPLICATE_NO);
	show(t, (struct shown){ OUTSIDE, ROUTER, SERVER, 63, at_ms + 1 + offset_ms },
		request(text, "REGISTER", host, n, ""), DUPLICATE_NO);
	show(t, (struct shown){ OUTSIDE, SERVER, ROUTER, 58, at_ms + 20 + offset_ms },
		response(text, "REGISTER", host, n), DUPLICATE_NO);
	show(t, (struct shown){ INSIDE, SERVER, PHONE, 57, at_ms + 21 }, response(text, "REGISTER", PHONE, n),
		DUPLICATE_NO);
}

static const struct passage *only_passage(const struct two_points *t)
{
	assert_int_equal(two_points_passages(t)->count, 1);
	return LIST_ENTRY(two_points_passages(t)->head.next, struct passage, in_order);
}

static void changes_are_kept_by_field(void **state)
{
	struct two_points *t = two_points_new(&config);
	const struct passage *p;
	const struct passage_change *c;

	(void)state;
	registers(t, 1, 0, ROUTER, 0);
	registers(t, 2, 30000, ROUTER, 0);
	two_points_settle(t);
	two_points_settle(t);                                        /* twice is as once */
	p = only_passage(t);
	assert_int_equal(p->pairs, 4);
	assert_int_equal(p->changed, 4);
	assert_int_equal(p->rewritten, 4);
	assert_int_equal(p->equal, 0);
	assert_int_equal(p->port, 5060);
	assert_true(endpoint_equal(&(struct endpoint){ p->outside, 5060 },
		&(struct endpoint){ endpoint_of(ROUTER).addr, 5060 }));
	c = LIST_ENTRY(p->changes.head.next, struct passage_change, in_passage);
	assert_string_equal(c->change.reason, "rewritten-headers");
	assert_string_equal(c->change.field, "Via");
	assert_int_equal(c->seen[0].file, INSIDE);
	assert_int_equal(c->seen[1].file, OUTSIDE);
	assert_true(endpoint_equal(&c->phone, &(struct endpoint){ endpoint_of(PHONE).addr, 5060 }));
	two_points_free(t);
}

static void equal_copies_are_counted(void **state)
{
	struct two_points *t = two_points_new(&config);
	const struct passage *p;

	(void)state;
	registers(t, 1, 0, PHONE, 0);
	registers(t, 2, 30000, PHONE, 0);
	two_points_settle(t);
	p = only_passage(t);
	assert_int_equal(p->equal, 4);
	assert_int_equal(p->equal_own, 2);
	assert_int_equal(p->changed, 0);
	assert_true(p->begins_equal && p->response_in_equal);
	assert_true(list_empty(&p->changes));
	two_points_free(t);
}

static void clocks_are_found_and_used(void **state)
{
	static const int64_t offsets_ms[] = { 0, 80, -2500, 600000 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(offsets_ms); i++) {
		struct two_points *t = two_points_new(&config);
		int64_t offset_ns, error_ns;
		struct passage_delay delay;

		for (unsigned n = 0; n < 6; n++)
			registers(t, n, 1000 * (int64_t)n, ROUTER, offsets_ms[i]);
		two_points_settle(t);
		assert_true(clock_offset_of(two_points_clocks(t), OUTSIDE, &offset_ns, &error_ns));
		assert_int_equal(offset_ns, offsets_ms[i] * MILLISECOND_NS);
		assert_int_equal(error_ns, MILLISECOND_NS);
		assert_int_equal(only_passage(t)->changed, 12);
		assert_int_equal(passage_delay_of(only_passage(t), two_points_clocks(t), &delay), offsets_ms[i] == 0);
		if (offsets_ms[i] == 0)
			assert_int_equal(delay.median_ns, MILLISECOND_NS);
		two_points_free(t);
	}
}

/* `times` transmissions inside, half a second apart; `passes` of them are seen outside. */
static void invites(struct two_points *t, unsigned n, int64_t at_ms, unsigned times, unsigned passes, const char *more)
{
	char text[1000];

	for (unsigned i = 0; i < times; i++) {
		show(t, (struct shown){ INSIDE, PHONE, SERVER, 64, at_ms + 500 * (int64_t)i },
			request(text, "INVITE", PHONE, n, more), DUPLICATE_NO);
		if (i + passes >= times)
			show(t, (struct shown){ OUTSIDE, ROUTER, SERVER, 63, at_ms + 500 * (int64_t)i + 1 },
				request(text, "INVITE", PHONE, n, more), DUPLICATE_NO);
	}
}

#define DESCRIBED(connection, port) "Content-Type: application/sdp\r\n\r\nv=0\r\no=- 1 1 IN IP4 192.168.1.21\r\ns=-\r\n" connection "t=0 0\r\nm=audio " port " RTP/AVP 8\r\n"

static void what_never_comes_out_is_lost(void **state)
{
	static const struct { unsigned times, passes; const char *more;
		bool lost, no_length, no_connection, other_family; unsigned low_port; } rows[] = {
		{ 4, 0, "", true, true, false, false, 0 },
		{ 4, 0, "Content-Length: 0\r\n", true, false, false, false, 0 },
		{ 4, 1, "", false, false, false, false, 0 },         /* a retransmission passed: loss, no drop */
		{ 1, 0, "", false, false, false, false, 0 },         /* once is loss, too */
		{ 3, 0, DESCRIBED("c=IN IP4 192.168.1.21\r\n", "9"), true, true, false, false, 9 },
		{ 3, 0, DESCRIBED("", "4000"), true, true, true, false, 0 },
		{ 3, 0, DESCRIBED("c=IN IP6 2001:db8::1\r\n", "4000"), true, true, false, true, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct two_points *t = two_points_new(&config);
		const struct lost_message *m;

		registers(t, 1, 0, PHONE, 0);
		invites(t, 9, 8000, rows[i].times, rows[i].passes, rows[i].more);
		registers(t, 2, 30000, PHONE, 0);
		two_points_settle(t);
		two_points_settle(t);
		if (two_points_lost(t)->count != rows[i].lost)
			fail_msg("row %zu: %zu lost", i, two_points_lost(t)->count);
		if (rows[i].lost) {
			m = LIST_ENTRY(two_points_lost(t)->head.next, struct lost_message, in_order);
			assert_int_equal(m->method, SIP_INVITE);
			assert_int_equal(m->transmissions, rows[i].times);
			assert_true(m->translated && m->passed_before && m->passed_after && !m->method_passed);
			assert_int_equal(m->no_content_length, rows[i].no_length);
			assert_int_equal(m->sdp_no_connection, rows[i].no_connection);
			assert_int_equal(m->sdp_other_family, rows[i].other_family);
			assert_int_equal(m->sdp_low_port, rows[i].low_port);
		}
		two_points_free(t);
	}
}

static void an_answer_or_an_ended_file_undoes_loss(void **state)
{
	struct two_points *t = two_points_new(&config);
	char text[1000];

	(void)state;
	registers(t, 1, 0, PHONE, 0);
	invites(t, 9, 8000, 4, 0, "");
	show(t, (struct shown){ INSIDE, SERVER, PHONE, 57, 10000 }, response(text, "INVITE", PHONE, 9), DUPLICATE_NO);
	registers(t, 2, 30000, PHONE, 0);
	two_points_settle(t);
	assert_int_equal(two_points_lost(t)->count, 0);
	two_points_free(t);

	t = two_points_new(&config);
	registers(t, 1, 0, PHONE, 0);
	registers(t, 2, 5000, PHONE, 0);
	invites(t, 9, 8000, 4, 0, "");                               /* the outside's file ended at 5 s */
	two_points_settle(t);
	assert_int_equal(two_points_lost(t)->count, 0);
	two_points_free(t);
}

static void copies_and_single_points_say_nothing(void **state)
{
	struct two_points *t = two_points_new(&config);
	char text[1000];

	(void)state;
	show(t, (struct shown){ INSIDE, PHONE, SERVER, 64, 0 }, request(text, "REGISTER", PHONE, 1, ""), DUPLICATE_NO);
	show(t, (struct shown){ INSIDE, PHONE, SERVER, 64, 1 }, request(text, "REGISTER", PHONE, 1, ""),
		DUPLICATE_COPY);
	show(t, (struct shown){ INSIDE, PHONE, SERVER, 64, 500 }, request(text, "REGISTER", PHONE, 1, ""),
		DUPLICATE_NO);
	two_points_settle(t);
	assert_int_equal(two_points_count(t), 1);
	assert_int_equal(two_points_passages(t)->count, 0);
	assert_int_equal(two_points_lost(t)->count, 0);
	two_points_free(t);
}

/*
 * One point that shows both sides of the router (-i any): a translated address and a lower TTL; equal TTL is a second
 * route.
 */
static void one_point_may_show_both_sides(void **state)
{
	char text[1000];

	(void)state;
	for (uint8_t ttl = 63; ttl <= 64; ttl++) {
		struct two_points *t = two_points_new(&config);

		show(t, (struct shown){ INSIDE, PHONE, SERVER, 64, 0 }, request(text, "REGISTER", PHONE, 1, ""),
			DUPLICATE_NO);
		show(t, (struct shown){ INSIDE, ROUTER, SERVER, ttl, 1 }, request(text, "REGISTER", ROUTER, 1, ""),
			DUPLICATE_NO);
		two_points_settle(t);
		assert_int_equal(two_points_passages(t)->count, ttl == 63);
		two_points_free(t);
	}
}

static void floods_are_bounded(void **state)
{
	struct two_points *t = two_points_new(&config);

	(void)state;
	for (unsigned n = 0; n < 40000; n++) {
		char text[1000];

		show(t, (struct shown){ (uint16_t)(n % 50), PHONE, SERVER, 64, n },
			request(text, "OPTIONS", PHONE, n, ""), DUPLICATE_NO);
	}
	two_points_settle(t);
	assert_int_equal(two_points_count(t), POINT_MAX);
	assert_int_equal(two_points_passages(t)->count, 0);
	two_points_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_are_kept_by_field), cmocka_unit_test(equal_copies_are_counted),
			cmocka_unit_test(clocks_are_found_and_used),
		cmocka_unit_test(what_never_comes_out_is_lost),
		cmocka_unit_test(an_answer_or_an_ended_file_undoes_loss),
		cmocka_unit_test(copies_and_single_points_say_nothing), cmocka_unit_test(one_point_may_show_both_sides),
		cmocka_unit_test(floods_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
