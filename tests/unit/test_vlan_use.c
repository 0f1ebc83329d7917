/* SPDX-License-Identifier: MIT */
/* vlan_use: who speaks in which VLAN, what counts as a computer's, one broadcast in two VLANs, and a full table. */
#include "analyzer/network/vlan_use.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define START_NS (INT64_C(1700000000) * SECOND_NS)

struct said {
	const char *src, *dst;
	uint16_t vid;
	uint8_t kind, transport, tcp_flags, ttl, mac;        /* mac: last byte of the sender's */
	bool broadcast, copy;
	uint16_t ip_id;
	int64_t at_ms;
};

static void say(struct vlan_uses *v, const struct said *s)
{
	struct packet p = { .kind = s->kind, .transport = s->transport, .tcp_flags = s->tcp_flags,
		.has = HAS_IP | HAS_MAC | HAS_PORTS | HAS_VLAN | HAS_IP_ID, .at_ns = START_NS + s->at_ms * MILLISECOND_NS,
		.ttl = s->ttl ? s->ttl : 64, .mac_src = { 2, 0, 0, 0, 0, s->mac }, .mac_dst = { 2, 0, 0, 0, 0, 99 },
		.vlan = { s->vid }, .vlan_count = 1, .ip_id = s->ip_id, .ip_bytes = 100 };

	assert_true(endpoint_parse(span_of(s->src), &p.src));
	assert_true(endpoint_parse(span_of(s->dst), &p.dst));
	if (s->broadcast)
		memset(p.mac_dst, 0xff, sizeof p.mac_dst);
	vlan_uses_packet(v, &p, s->copy, 1);
}

static const struct vlan_host *host_at(const struct vlan_uses *v, unsigned at)
{
	LIST_EACH(it, vlan_uses_in_order(v)) {
		if (at-- == 0)
			return LIST_ENTRY(it, struct vlan_host, in_order);
	}
	return NULL;
}

/* What a packet of one host counts as. */
static void what_is_spoken(void **state)
{
	static const struct { const char *name; struct said said; unsigned sip, media, foreign, desktop; } cases[] = {
		{ "SIP", { "10.0.0.1:5060", "10.0.0.9:5060", 100, PACKET_SIP, TRANSPORT_UDP }, 1, 0, 0, 0 },
		{ "media", { "10.0.0.1:4000", "10.0.0.9:4000", 100, PACKET_RTP, TRANSPORT_UDP }, 0, 1, 0, 0 },
		{ "a share", { "10.0.0.1:50000", "10.0.0.9:445", 100, PACKET_TCP, TRANSPORT_TCP, TCP_SYN }, 0, 0, 1, 1 },
		{ "the answer to one", { "10.0.0.1:445", "10.0.0.9:50000", 100, PACKET_TCP, TRANSPORT_TCP, TCP_SYN | TCP_ACK },
		  0, 0, 0, 0 },
		{ "names of Windows", { "10.0.0.1:137", "10.0.0.9:137", 100, PACKET_OTHER, TRANSPORT_UDP }, 0, 0, 1, 1 },
		{ "SNMP", { "10.0.0.1:50000", "10.0.0.9:161", 100, PACKET_OTHER, TRANSPORT_UDP }, 0, 0, 1, 0 },
		{ "DNS", { "10.0.0.1:50000", "10.0.0.9:53", 100, PACKET_OTHER, TRANSPORT_UDP }, 0, 0, 0, 0 },
		{ "configuration", { "10.0.0.1:50000", "10.0.0.9:443", 100, PACKET_TCP, TRANSPORT_TCP, TCP_SYN }, 0, 0, 0, 0 },
		{ "an answer of DNS", { "10.0.0.1:53", "10.0.0.9:50000", 100, PACKET_OTHER, TRANSPORT_UDP }, 0, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct vlan_uses *v = vlan_uses_new(0);
		const struct vlan_host *x;

		say(v, &cases[i].said);
		say(v, &cases[i].said);          /* the same socket counts once */
		x = host_at(v, 0);
		assert_non_null(x);
		if (x->sip != 2 * cases[i].sip || x->media != 2 * cases[i].media || x->foreign != cases[i].foreign ||
		    x->desktop != cases[i].desktop)
			fail_msg("%s: %u %u %u %u", cases[i].name, x->sip, x->media, x->foreign, x->desktop);
		vlan_uses_free(v);
	}
}

/* One address in all VLANs there are: a forged one. Each of its packets would be looked for among all of them. */
static void a_host_in_every_vlan(void **state)
{
	struct vlan_uses *v = vlan_uses_new(0);

	(void)state;
	for (uint16_t vid = 1; vid < 200; vid++)
		say(v, &(struct said){ "10.0.0.1:4000", "10.0.0.9:4000", vid, PACKET_RTP, TRANSPORT_UDP });
	assert_int_equal(vlan_uses_in_order(v)->count, 32);
	say(v, &(struct said){ "10.0.0.1:5060", "10.0.0.9:5060", 20, PACKET_SIP, TRANSPORT_UDP });
	assert_int_equal(host_at(v, 19)->sip, 1);
	say(v, &(struct said){ "10.0.0.2:4000", "10.0.0.9:4000", 150, PACKET_RTP, TRANSPORT_UDP });
	assert_int_equal(vlan_uses_in_order(v)->count, 33);
	vlan_uses_free(v);
}

static void several_vlans(void **state)
{
	struct vlan_uses *v = vlan_uses_new(0);
	const struct vlan_host *x, *o;

	(void)state;
	say(v, &(struct said){ "10.0.0.1:5060", "10.0.0.9:5060", 10, PACKET_SIP, TRANSPORT_UDP });
	say(v, &(struct said){ "10.0.0.1:4000", "10.0.0.9:4000", 100, PACKET_RTP, TRANSPORT_UDP });
	say(v, &(struct said){ "10.0.0.2:4000", "10.0.0.9:4000", 100, PACKET_RTP, TRANSPORT_UDP, .ttl = 63 });
	say(v, &(struct said){ "10.0.0.3:4000", "10.0.0.9:4000", 0, PACKET_RTP, TRANSPORT_UDP }); /* a priority tag */
	assert_int_equal(vlan_uses_in_order(v)->count, 3);
	x = host_at(v, 0);
	o = vlan_uses_elsewhere(v, x, NULL);
	assert_non_null(o);
	assert_int_equal(o->vid, 100);
	assert_null(vlan_uses_elsewhere(v, x, o));
	assert_false(x->routed);
	assert_true(host_at(v, 2)->routed);
	assert_null(vlan_uses_elsewhere(v, host_at(v, 2), NULL));
	vlan_uses_free(v);
}

static void a_bridge(void **state)
{
	static const struct { const char *name; int64_t apart_ms; uint8_t ttl; uint16_t id; uint16_t vid; unsigned once;
		bool twice, found; } cases[] = {
		{ "the same broadcast at once", 1, 64, 7, 10, 8, false, true },
		{ "too late", 6, 64, 7, 10, 8, false, false },
		{ "through a router", 1, 63, 7, 10, 8, false, false },
		{ "another one", 1, 64, 8, 10, 8, false, false },
		{ "the same VLAN", 1, 64, 7, 100, 8, false, false },
		{ "unicast comes twice as well", 1, 64, 7, 10, 8, true, false },
		{ "too little unicast to tell that it comes once", 1, 64, 7, 10, 7, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct vlan_uses *v = vlan_uses_new(0);

		say(v, &(struct said){ "10.0.0.1:68", "255.255.255.255:67", 100, PACKET_OTHER, TRANSPORT_UDP, .ip_id = 7,
			.broadcast = true });
		say(v, &(struct said){ "10.0.0.1:68", "255.255.255.255:67", cases[i].vid, PACKET_OTHER, TRANSPORT_UDP,
			.ttl = cases[i].ttl, .ip_id = cases[i].id, .broadcast = true, .at_ms = cases[i].apart_ms });
		for (uint16_t k = 0; k < cases[i].once; k++)
			say(v, &(struct said){ "10.0.0.1:68", "10.0.0.9:67", 10, PACKET_OTHER, TRANSPORT_UDP,
				.ip_id = (uint16_t)(10 + k) });
		if (cases[i].twice)
			say(v, &(struct said){ "10.0.0.1:68", "10.0.0.9:67", 10, PACKET_OTHER, TRANSPORT_UDP, .ip_id = 9,
				.copy = true });
		if ((vlan_uses_bridge(v) != NULL) != cases[i].found)
			fail_msg("%s", cases[i].name);
		vlan_uses_free(v);
	}
}

static void when_it_is_full(void **state)
{
	struct vlan_uses *v = vlan_uses_new(1);

	(void)state;
	say(v, &(struct said){ "10.0.0.1:5060", "10.0.0.9:5060", 10, PACKET_SIP, TRANSPORT_UDP });
	say(v, &(struct said){ "10.0.0.2:5060", "10.0.0.9:5060", 10, PACKET_SIP, TRANSPORT_UDP });
	say(v, &(struct said){ "10.0.0.1:5060", "10.0.0.9:5060", 10, PACKET_SIP, TRANSPORT_UDP });
	assert_int_equal(vlan_uses_in_order(v)->count, 1);
	assert_int_equal(host_at(v, 0)->sip, 2);
	vlan_uses_free(v);
	vlan_uses_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_spoken), cmocka_unit_test(several_vlans), cmocka_unit_test(a_host_in_every_vlan),
		cmocka_unit_test(a_bridge), cmocka_unit_test(when_it_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
