/* SPDX-License-Identifier: MIT */
/* test_sip_path: what requests met, by size; what was never answered; datagrams of which fragments are missing. */
#include "tests/unit/network_packets.h"

#include "analyzer/network/sip_path.h"

#define PHONE "10.0.0.1:5060"
#define PBX "10.0.0.2:5060"

static struct sip_message message;

static struct packet sip_of(bool request, const char *branch, unsigned bytes, int64_t at_ms)
{
	struct packet p = packet_of(PACKET_SIP, request ? PHONE : PBX, request ? PBX : PHONE, at_ms);

	message = (struct sip_message){ .request = request, .method = SIP_INVITE, .has_cseq = true, .cseq = 1,
		.status = request ? 0 : 200 };
	message.via.branch = span_of(branch);
	message.call_id = SPAN("a@b");
	sip_message_keys(&message);
	p.sip = &message;
	p.payload_wire = bytes;
	return p;
}

static void ask(struct sip_paths *s, const char *branch, unsigned bytes, unsigned fragments, int64_t at_ms)
{
	struct packet p = sip_of(true, branch, bytes, at_ms);

	p.fragments = (uint8_t)fragments;
	sip_paths_packet(s, &p);
}

static void answer(struct sip_paths *s, const char *branch, int64_t at_ms)
{
	struct packet p = sip_of(false, branch, 300, at_ms);

	sip_paths_packet(s, &p);
}

static void fragment(struct sip_paths *s, uint16_t id, bool first, int64_t at_ms)
{
	struct packet p = packet_of(PACKET_FRAGMENT, PHONE, PBX, at_ms);

	p.ip_id = id;
	if (!first)
		p.has &= ~(uint32_t)HAS_PORTS;
	sip_paths_packet(s, &p);
}

static const struct sip_path *only(const struct sip_paths *s)
{
	assert_int_equal(sip_paths_in_order(s)->count, 1);
	return LIST_ENTRY(sip_paths_in_order(s)->head.next, struct sip_path, in_order);
}

static void test_ladder(void **state)
{
	struct sip_paths *s = sip_paths_new(0, 1300);
	struct endpoint pbx = endpoint_of(PBX);

	(void)state;
	ask(s, "z1", 600, 0, 0);
	answer(s, "z1", 20);
	ask(s, "z2", 1350, 0, 1000);
	answer(s, "z2", 1020);
	for (int i = 0; i < 4; i++)
		ask(s, "z3", 1700, 2, 5000 + 1000 * i);
	assert_int_equal(only(s)->unheard->requests, 0); /* still open */
	sip_paths_settle(s, INT64_MAX);
	assert_int_equal(only(s)->asked, 3);
	assert_int_equal(only(s)->answered, 2);
	assert_int_equal(only(s)->sizes[SIP_BELOW_1000].answered, 1);
	assert_int_equal(only(s)->sizes[SIP_FRAGMENTED].sent, 1);
	assert_int_equal(only(s)->sizes[SIP_FRAGMENTED].answered, 0);
	assert_int_equal(only(s)->unheard_fragmented->copies_most, 4);
	assert_int_equal(only(s)->large, 1);
	assert_int_equal(only(s)->large_bytes, 1350);
	assert_int_equal(only(s)->bound, 2);
	assert_non_null(sip_paths_door(s, &pbx, TRANSPORT_UDP));
	assert_null(sip_paths_door(s, &pbx, TRANSPORT_TCP));
	sip_paths_free(s);
}

static void test_fragments(void **state)
{
	struct sip_paths *s = sip_paths_new(0, 1300);

	(void)state;
	fragment(s, 1, true, 0);
	fragment(s, 1, true, 0);                        /* a mirror has it twice */
	fragment(s, 2, true, 500);
	assert_false(sip_paths_later_fragments(s));
	fragment(s, 2, false, 500);
	assert_true(sip_paths_later_fragments(s));
	fragment(s, 3, true, 1500);
	{
		struct packet p = sip_of(true, "z4", 1700, 1500);

		p.fragments = 2;
		p.ip_id = 3;
		sip_paths_packet(s, &p);                /* that one is whole */
	}
	sip_paths_settle(s, INT64_MAX);
	assert_int_equal(only(s)->torn_sent, 3);
	assert_int_equal(only(s)->torn, 2);
	sip_paths_free(s);
}

static void lie(struct sip_paths *s, bool request, enum sip_method method, unsigned cseq, unsigned status,
	uint8_t carried, const char *says, int64_t at_ms)
{
	struct packet p = sip_of(request, cseq == 1 ? "z1" : "z2", 500, at_ms);

	message.method = method;
	message.cseq = cseq;
	message.status = status;
	message.via.transport = span_of(says);
	message.via.host = SPAN("10.0.0.1");
	sip_message_keys(&message);
	p.transport = carried;
	sip_paths_packet(s, &p);
}

/* Asked by TCP with a Via that says UDP, answered by UDP, and asked again as if nothing had come; then an ACK comes. */
static void test_lies(void **state)
{
	struct sip_paths *s = sip_paths_new(0, 1300);
	const struct via_lie *l;

	(void)state;
	lie(s, true, SIP_INVITE, 1, 0, TRANSPORT_TCP, "UDP", 0);
	lie(s, false, SIP_INVITE, 1, 401, TRANSPORT_UDP, "UDP", 20);
	lie(s, true, SIP_INVITE, 1, 0, TRANSPORT_TCP, "UDP", 500);
	lie(s, true, SIP_INVITE, 2, 0, TRANSPORT_TCP, "udp", 1000);
	l = only(s)->lie;
	assert_non_null(l);
	assert_int_equal(l->says, TRANSPORT_UDP);
	assert_int_equal(l->sent_by.port, 5060);
	assert_int_equal(l->requests, 2);
	assert_int_equal(l->astray, 1);
	assert_int_equal(l->repeated, 2);
	assert_false(l->arrived);
	lie(s, true, SIP_ACK, 2, 0, TRANSPORT_TCP, "UDP", 1100);
	assert_true(l->arrived);
	sip_paths_free(s);
}

/* Via says what carries it, or what a terminator in front of the server has taken off. */
static void test_truths(void **state)
{
	static const struct { uint8_t carried; const char *says; } rows[] = {
		{ TRANSPORT_UDP, "UDP" }, { TRANSPORT_TCP, "TCP" }, { TRANSPORT_TCP, "TLS" }, { TRANSPORT_TCP, "WSS" },
		{ TRANSPORT_UDP, "SCTP" }, { TRANSPORT_UDP, "" }, { TRANSPORT_TLS, "UDP" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct sip_paths *s = sip_paths_new(0, 1300);

		lie(s, true, SIP_INVITE, 1, 0, rows[i].carried, rows[i].says, 0);
		lie(s, true, SIP_ACK, 1, 0, rows[i].carried, rows[i].says, 10);
		assert_null(only(s)->lie);
		sip_paths_free(s);
	}
}

/* More requests at once than are remembered: those pushed out before an answer was due count as nothing. */
static void test_bounded(void **state)
{
	struct sip_paths *s = sip_paths_new(0, 1300);
	char branch[32];

	(void)state;
	for (int i = 0; i < 10000; i++) {
		snprintf(branch, sizeof branch, "z%d", i);
		ask(s, branch, 500, 0, i / 100);
	}
	assert_int_equal(only(s)->unheard->requests, 0);
	assert_int_equal(sip_paths_evicted(s), 10000 - 8192);
	sip_paths_settle(s, INT64_MAX);
	assert_int_equal(only(s)->unheard->requests, 8192);
	sip_paths_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_ladder), cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_lies), cmocka_unit_test(test_truths),
		cmocka_unit_test(test_bounded) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
