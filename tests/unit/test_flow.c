/* SPDX-License-Identifier: MIT */
/*
 * test_flow: attempts to connect: copies of a SYN, who refused, what was said first, how TLS 1.3 is judged by lengths;
 * bounded.
 */
#include "tests/unit/network_packets.h"

#include "analyzer/network/flow.h"
#include "analyzer/site.h"

#define CLIENT "10.0.0.1:40000"
#define SERVER "10.0.0.2:5061"

static struct site *site_of_nobody;

static int setup(void **state)
{
	(void)state;
	site_of_nobody = site_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	site_free(site_of_nobody);
	return 0;
}

static struct packet segment_of(const char *src, const char *dst, uint8_t flags, uint32_t seq, int64_t at_ms)
{
	struct packet p = packet_of(flags & (TCP_SYN | TCP_FIN | TCP_RST) ? PACKET_TCP : PACKET_OTHER, src, dst, at_ms);

	p.ip_protocol = 6;
	p.transport = TRANSPORT_TCP;
	p.tcp_flags = flags;
	p.tcp_seq = seq;
	return p;
}

static void send(struct flows *f, bool client, uint8_t flags, uint32_t seq, int64_t at_ms)
{
	struct packet p = segment_of(client ? CLIENT : SERVER, client ? SERVER : CLIENT, flags, seq, at_ms);

	flows_packet(f, &p);
}

static void record(struct flows *f, bool client, uint8_t content, size_t length, uint16_t version, int64_t at_ms)
{
	static const uint8_t bytes[] = { 22, 3, 3, 0, 1 };
	struct packet p = segment_of(client ? CLIENT : SERVER, client ? SERVER : CLIENT, TCP_ACK, 5, at_ms);

	p.kind = PACKET_TLS;
	p.transport = TRANSPORT_TLS;
	p.payload = (struct span){ bytes, sizeof bytes };
	p.payload_wire = length;
	p.tls = (struct tls_record){ .content = content, .length = length, .handshake = 255 };
	if (content == 22) {
		p.tls.handshake = client ? 1 : 2;
		p.tls.messages = client ? 2 : 4;
		p.tls.hello_version = version;
	}
	flows_packet(f, &p);
}

static void open(struct flows *f)
{
	send(f, true, TCP_SYN, 1, 0);
	send(f, false, TCP_SYN | TCP_ACK, 9, 1);
}

static const struct flow *only(const struct flows *f)
{
	assert_int_equal(flows_in_order(f)->count, 1);
	return LIST_ENTRY(flows_in_order(f)->head.next, struct flow, in_order);
}

static void test_syns(void **state)
{
	struct flows *f = flows_new(site_of_nobody, 0);

	(void)state;
	send(f, true, TCP_SYN, 7, 0);
	send(f, true, TCP_SYN, 7, 1000);
	send(f, true, TCP_SYN, 7, 3000);
	assert_int_equal(only(f)->syns, 3);
	assert_false(flow_accepted(only(f)));
	assert_false(flow_refused(only(f)));
	send(f, false, TCP_RST | TCP_ACK, 0, 3001);
	assert_true(flow_refused(only(f)));
	send(f, true, TCP_SYN, 8, 9000);                /* the same ports, another number */
	assert_int_equal(flows_in_order(f)->count, 2);
	flows_free(f);
}

static void test_tls_13(void **state)
{
	static const struct { const char *name; uint16_t client[3], server[3]; bool secured; } cases[] = {
		{ "established", { 69, 318 }, { 250, 400 }, true },
		{ "an alert and nothing else", { 25, 69 }, { 19 }, false },
		{ "nothing yet", { 69 }, { 0 }, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct flows *f = flows_new(site_of_nobody, 0);

		open(f);
		record(f, true, 22, 200, 0x0304, 2);
		record(f, false, 22, 90, 0x0304, 3);
		record(f, false, 23, 825, 0, 4);
		for (unsigned k = 0; k < 3 && cases[i].client[k]; k++)
			record(f, true, 23, cases[i].client[k], 0, 5 + k);
		for (unsigned k = 0; k < 3 && cases[i].server[k]; k++)
			record(f, false, 23, cases[i].server[k], 0, 10 + k);
		if (flow_secured(only(f)) != cases[i].secured)
			fail_msg("%s", cases[i].name);
		assert_int_equal(only(f)->side[FLOW_CLIENT].records[0], cases[i].client[0]);
		flows_settle(f);
		assert_int_equal(flows_service(f, &only(f)->server)->secured, cases[i].secured);
		flows_free(f);
	}
}

/* A flood of one 5-tuple, and one of many: the table stays as small as it may be. */
static void test_bounded(void **state)
{
	struct flows *f = flows_new(site_of_nobody, 64);

	(void)state;
	for (uint32_t i = 0; i < 500; i++)
		send(f, true, TCP_SYN, i + 1, i);
	assert_int_equal(flows_in_order(f)->count, 64);
	assert_int_equal(flows_evicted(f), 500 - 64);
	for (unsigned i = 0; i < 500; i++) {
		struct packet p = segment_of(CLIENT, SERVER, TCP_SYN, 1, 1000 + i);

		p.src.port = (uint16_t)(1000 + i);
		flows_packet(f, &p);
	}
	assert_int_equal(flows_in_order(f)->count, 64);
	flows_free(f);
}

static void web(struct flows *f, unsigned n, bool speaks)
{
	for (unsigned i = 0; i < n; i++) {
		struct packet p = segment_of("10.0.0.1:1", "203.0.113.80:443", TCP_SYN, 1, 2000 + i);

		p.src.port = (uint16_t)(1000 + i);
		flows_packet(f, &p);
		if (!speaks)
			continue;
		p.tcp_flags = TCP_ACK;
		p.kind = PACKET_OTHER;
		p.payload = SPAN("\x16\x03\x01 hello");
		p.payload_wire = p.payload.n;
		flows_packet(f, &p);
	}
}

static bool has_server(const struct flows *f, const char *server)
{
	struct packet p = segment_of(CLIENT, server, TCP_SYN, 1, 0);

	LIST_EACH(it, flows_in_order(f)) {
		if (endpoint_equal(&LIST_ENTRY(it, struct flow, in_order)->server, &p.dst))
			return true;
	}
	return false;
}

/* What went by on the way to the web pushes out neither TLS to 5061 nor an attempt at a port that nobody knows yet. */
static void test_web(void **state)
{
	struct flows *f = flows_new(site_of_nobody, 64);
	struct packet p = segment_of(CLIENT, "10.0.0.9:40123", TCP_SYN, 1, 0);

	(void)state;
	open(f);
	record(f, true, 22, 200, 0x0303, 2);
	flows_packet(f, &p);
	web(f, 500, true);
	assert_true(has_server(f, SERVER));
	assert_true(has_server(f, "10.0.0.9:40123"));
	assert_int_equal(flows_in_order(f)->count, 64);
	assert_int_equal(flows_evicted(f), 0);          /* none that says anything of SIP */
	assert_int_equal(flows_others_evicted(f), 500 - 62);
	web(f, 500, false);
	assert_int_equal(flows_evicted(f), 500 - 62); /* what was asked and never answered is missed */
	assert_true(has_server(f, SERVER));
	assert_false(has_server(f, "10.0.0.9:40123"));
	flows_free(f);
}

/* A scan of SIP's port takes what the web has, and then its own; what carried SIP stays. */
static void test_scan(void **state)
{
	struct flows *f = flows_new(site_of_nobody, 64);
	struct packet p = segment_of(CLIENT, SERVER, TCP_SYN, 1, 0);

	(void)state;
	flows_packet(f, &p);
	p.tcp_flags = TCP_ACK;
	p.kind = PACKET_SIP;
	p.payload = SPAN("OPTIONS sip:a SIP/2.0\r\n\r\n");
	p.payload_wire = p.payload.n;
	flows_packet(f, &p);
	for (unsigned i = 0; i < 500; i++) {
		struct packet scan = segment_of("198.51.100.66:1", SERVER, TCP_SYN, 1, 1000 + i);

		scan.src.port = (uint16_t)(1000 + i);
		flows_packet(f, &scan);
	}
	assert_int_equal(flows_in_order(f)->count, 64);
	assert_int_equal(flows_evicted(f), 501 - 64);
	assert_true(LIST_ENTRY(flows_in_order(f)->head.next, struct flow, in_order)->side[FLOW_CLIENT].sip_at.frame);
	flows_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_syns), cmocka_unit_test(test_tls_13),
		cmocka_unit_test(test_bounded), cmocka_unit_test(test_web), cmocka_unit_test(test_scan) };

	return cmocka_run_group_tests(tests, setup, teardown);
}
