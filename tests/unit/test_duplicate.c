/* SPDX-License-Identifier: MIT */
/* test_duplicate: mirror copies against what a sender or the network really repeats (1.4.6). */
#include "tests/unit/network_packets.h"

#include "analyzer/network/loop.h"

enum difference {
	SAME = 0,
	OTHER_ID = 1 << 0,
	OTHER_MAC = 1 << 1,
	OTHER_VLAN = 1 << 2,
	TTL_LOWER = 1 << 3,
	TTL_HIGHER = 1 << 4,
	OTHER_PAYLOAD = 1 << 5,
	OTHER_FILE = 1 << 6,
	OTHER_INTERFACE = 1 << 7,
	OTHER_PORT = 1 << 8,
	OTHER_SEQ = 1 << 9,
	OTHER_DIRECTION = 1 << 10,
	OTHER_TAIL = 1 << 11,
	VLAN_GONE = 1 << 12,
	OTHER_KIND = 1 << 13,
	OTHER_LENGTH = 1 << 14
};

enum sort { UDP, SIP_UDP, TCP_DATA, TCP_BARE, ICMP_ERROR, ICMP_ECHO, FRAGMENT, ARP };

static const struct {
	const char *name;
	enum sort sort;
	int id; /* -1: IPv6 */
	int64_t apart_us;
	unsigned differs; /* enum difference */
	enum duplicate_verdict verdict;
} cases[] = {
	{ "rx and tx of one port", UDP, 7, 8, SAME, DUPLICATE_COPY },
	{ "at the edge of the window", UDP, 7, 20000, SAME, DUPLICATE_COPY },
	{ "behind the window", UDP, 7, 20001, SAME, DUPLICATE_NO },
	{ "before and behind a router", UDP, 7, 40, OTHER_MAC | TTL_LOWER, DUPLICATE_POINT },
	{ "two switches, no router", UDP, 7, 40, OTHER_MAC, DUPLICATE_POINT },
	{ "two VLANs of a mirror", UDP, 7, 40, OTHER_VLAN, DUPLICATE_POINT },
	{ "tagged and untagged", UDP, 7, 40, VLAN_GONE, DUPLICATE_POINT },
	{ "a hop later on the same wire", UDP, 7, 40, TTL_LOWER, DUPLICATE_POINT },
	{ "two files", UDP, 7, 40, OTHER_FILE, DUPLICATE_POINT },
	{ "eth0 and bond0 of any", UDP, 7, 4, OTHER_INTERFACE, DUPLICATE_POINT },
	{ "in and out of a bridge", UDP, 7, 4, OTHER_DIRECTION, DUPLICATE_POINT },
	{ "repeated by the sender", UDP, 7, 40, OTHER_ID, DUPLICATE_NO },
	{ "another payload", UDP, 7, 40, OTHER_PAYLOAD, DUPLICATE_NO },
	{ "another end of a long payload", UDP, 0, 40, OTHER_TAIL, DUPLICATE_NO },
	{ "the cut payload of a longer one", UDP, 0, 40, OTHER_LENGTH, DUPLICATE_NO },
	{ "another port", UDP, 7, 40, OTHER_PORT, DUPLICATE_NO },
	{ "ID 0, payload equal", UDP, 0, 40, SAME, DUPLICATE_COPY },
	{ "IPv6, payload equal", UDP, -1, 40, SAME, DUPLICATE_COPY },
	{ "IPv6 behind a router", UDP, -1, 40, OTHER_MAC | TTL_LOWER, DUPLICATE_POINT },
	{ "IPv6, payload equal, too late", UDP, -1, 25000, SAME, DUPLICATE_NO },
	{ "SIP, slow mirror, same ID", SIP_UDP, 7, 90000, SAME, DUPLICATE_COPY },
	{ "SIP, behind its window", SIP_UDP, 7, 100001, SAME, DUPLICATE_NO },
	{ "SIP retransmitted", SIP_UDP, 7, 500000, OTHER_ID, DUPLICATE_NO },
	{ "SIP retransmitted fast with ID 0", SIP_UDP, 0, 30000, SAME, DUPLICATE_NO },
	{ "SIP with ID 0, mirrored", SIP_UDP, 0, 9, SAME, DUPLICATE_COPY },
	{ "TCP segment mirrored", TCP_DATA, 7, 8, SAME, DUPLICATE_COPY },
	{ "its copy is no SIP any more", TCP_DATA, 7, 8, OTHER_KIND, DUPLICATE_COPY },
	{ "TCP retransmission", TCP_DATA, 7, 8, OTHER_ID, DUPLICATE_NO },
	{ "TCP, next segment", TCP_DATA, 0, 8, OTHER_SEQ, DUPLICATE_NO },
	{ "TCP over IPv6 mirrored", TCP_DATA, -1, 8, SAME, DUPLICATE_COPY },
	{ "bare ACK mirrored", TCP_BARE, 7, 8, SAME, DUPLICATE_COPY },
	{ "duplicate ACK over IPv6: cannot tell", TCP_BARE, -1, 8, SAME, DUPLICATE_NO },
	{ "ICMP error mirrored", ICMP_ERROR, 0, 8, SAME, DUPLICATE_COPY },
	{ "ICMP error about the next packet", ICMP_ERROR, 0, 8, OTHER_PAYLOAD, DUPLICATE_NO },
	{ "echo mirrored", ICMP_ECHO, 7, 8, SAME, DUPLICATE_COPY },
	{ "echo over IPv6: cannot tell", ICMP_ECHO, -1, 8, SAME, DUPLICATE_NO },
	{ "fragments share an ID: cannot tell", FRAGMENT, 7, 8, SAME, DUPLICATE_NO },
	{ "ARP", ARP, 7, 8, SAME, DUPLICATE_NO },
	{ "TTL higher, nothing else", UDP, 7, 8, TTL_HIGHER, DUPLICATE_COPY },
	{ "copies out of order", UDP, 7, -30, SAME, DUPLICATE_COPY },
	{ "copies far out of order", UDP, 7, -30000, SAME, DUPLICATE_NO },
};

static char long_payload[400], long_payload_2[400];

static struct packet packet_for(enum sort sort, int id)
{
	static const uint8_t kinds[] = { PACKET_OTHER, PACKET_SIP, PACKET_SIP, PACKET_TCP, PACKET_ICMP, PACKET_ICMP,
		PACKET_FRAGMENT, PACKET_ARP };
	bool v6 = id < 0;
	struct packet p = packet_of(kinds[sort], v6 ? "[2001:db8::1]:5060" : "10.0.0.1:5060",
		v6 ? "[2001:db8::2]:5060" : "10.0.0.2:5060", 1000);

	packet_mac(&p, 1, 2);
	p.has |= HAS_VLAN;
	p.vlan_count = 1;
	p.vlan[0] = 100;
	p.ip_bytes = 440;
	if (!v6) {
		p.has |= HAS_IP_ID;
		p.ip_id = (uint16_t)id;
	}
	packet_payload(&p, long_payload);
	if (sort == TCP_DATA || sort == TCP_BARE) {
		p.ip_protocol = 6;
		p.tcp_seq = 1000;
		p.tcp_flags = TCP_ACK;
	}
	if (sort == TCP_BARE || sort == ICMP_ERROR || sort == ICMP_ECHO || sort == FRAGMENT)
		packet_payload(&p, "");
	if (sort == ICMP_ERROR || sort == ICMP_ECHO) {
		p.has &= ~(uint32_t)HAS_PORTS;
		p.ip_protocol = 1;
		p.src.port = p.dst.port = 0;
		p.icmp = (struct icmp_message){
			.type = 3, .code = 3, .error = sort == ICMP_ERROR, .quote_readable = sort == ICMP_ERROR
		};
		p.icmp.quote_payload = SPAN("\x80\x00\x00\x01");
	}
	if (sort == ARP)
		p.has = HAS_MAC;
	return p;
}

static void differ(struct packet *p, unsigned how)
{
	p->ip_id = (uint16_t)(p->ip_id + !!(how & OTHER_ID));
	p->mac_src[5] = (uint8_t)(p->mac_src[5] + !!(how & OTHER_MAC));
	p->vlan[0] = (uint16_t)(p->vlan[0] + !!(how & OTHER_VLAN));
	p->ttl = (uint8_t)(p->ttl - !!(how & TTL_LOWER) + !!(how & TTL_HIGHER));
	p->file = (uint16_t)(p->file + !!(how & OTHER_FILE));
	p->interface = (uint16_t)(p->interface + !!(how & OTHER_INTERFACE));
	p->src.port = (uint16_t)(p->src.port + !!(how & OTHER_PORT));
	p->tcp_seq += !!(how & OTHER_SEQ);
	if (how & OTHER_DIRECTION)
		p->direction = FRAME_OUT;
	if (how & OTHER_TAIL)
		packet_payload(p, long_payload_2);
	if (how & OTHER_LENGTH)
		p->payload_wire += 100;
	if (how & OTHER_KIND)
		p->kind = PACKET_OTHER;
	if (how & VLAN_GONE) {
		p->has &= ~(uint32_t)HAS_VLAN;
		p->vlan_count = 0;
	}
	if ((how & OTHER_PAYLOAD) && p->kind == PACKET_ICMP)
		p->icmp.quote_payload = SPAN("\x80\x00\x00\x02");
	else if (how & OTHER_PAYLOAD)
		packet_payload(p, long_payload_2 + 1);
}

static void duplicate_verdicts(void **state)
{
	(void)state;
	memset(long_payload, 'x', sizeof long_payload - 1);
	memset(long_payload_2, 'x', sizeof long_payload_2 - 1);
	long_payload_2[sizeof long_payload_2 - 3] = 'y';
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct network *n = network_new(NULL);
		struct packet first = packet_for(cases[i].sort, cases[i].id), second = first;
		enum duplicate_verdict verdict;

		second.frame++;
		second.at_ns += cases[i].apart_us * MICROSECOND_NS;
		differ(&second, cases[i].differs);
		assert_int_equal(network_duplicate(n, &first), DUPLICATE_NO);
		verdict = network_duplicate(n, &second);
		if (verdict != cases[i].verdict)
			fail_msg("%s: verdict %d, expected %d", cases[i].name, verdict, cases[i].verdict);
		network_free(n);
	}
}

/* Copies come interleaved with other packets, and a third copy is one of the first. */
static void copies_interleaved(void **state)
{
	struct network *n = network_new(NULL);
	struct packet p[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		p[i] = packet_for(UDP, 10 + i);
		p[i].frame = (uint32_t)i + 1;
		assert_int_equal(network_duplicate(n, &p[i]), DUPLICATE_NO);
	}
	for (int round = 1; round < 3; round++) {
		for (int i = 0; i < 3; i++) {
			p[i].frame += 3;
			p[i].at_ns += MILLISECOND_NS;
			p[i].ttl = (uint8_t)(64 - (round == 2));
			assert_int_equal(network_duplicate(n, &p[i]), round == 1 ? DUPLICATE_COPY : DUPLICATE_POINT);
		}
	}
	network_free(n);
}

/* Two messages in one TCP segment are none of each other; both of the segment's copy are. */
static void messages_of_a_segment(void **state)
{
	struct network *n = network_new(NULL);
	struct packet p = packet_for(TCP_DATA, 7);

	(void)state;
	assert_int_equal(network_duplicate(n, &p), DUPLICATE_NO);
	p.first_of_frame = false;
	assert_int_equal(network_duplicate(n, &p), DUPLICATE_NO);
	p.frame++;
	p.first_of_frame = true;
	assert_int_equal(network_duplicate(n, &p), DUPLICATE_COPY);
	p.first_of_frame = false;
	assert_int_equal(network_duplicate(n, &p), DUPLICATE_COPY);
	network_free(n);
}

/*
 * The ring grows with the rate, keeps what is in the window, and is bounded: beyond 65 536 packets in it the oldest are
 * forgotten.
 */
static void ring_bounds(void **state)
{
	struct network *n = network_new(NULL);
	struct packet p = packet_for(UDP, 7);
	uint32_t found = 0;

	(void)state;
	for (uint32_t i = 0; i < 70000; i++) {
		p.frame = i + 1;
		p.ip_id = (uint16_t)(1 + i % 60000);
		p.src.port = (uint16_t)(1 + i / 60000);
		p.at_ns = i * 10; /* all in a millisecond */
		assert_int_equal(network_duplicate(n, &p), DUPLICATE_NO);
	}
	for (uint32_t i = 0; i < 70000; i++) {
		p.frame = 70001 + i;
		p.ip_id = (uint16_t)(1 + (69999 - i) % 60000);
		p.src.port = (uint16_t)(1 + (69999 - i) / 60000);
		p.at_ns += 10;
		if (network_duplicate(n, &p) == DUPLICATE_NO)
			break;
		found++;
	}
	assert_int_equal(found, 65536);
	network_free(n);
}

/* A clock that jumps back and forth makes nothing grow or hang, and copies are still found. */
static void clock_jumps(void **state)
{
	struct network *n = network_new(NULL);
	struct packet p = packet_for(UDP, 7);

	(void)state;
	for (uint32_t i = 0; i < 100000; i++) {
		p.frame = i + 1;
		p.at_ns = i % 2 ? INT64_MAX - i : INT64_MIN + 1 + i;
		p.ip_id = (uint16_t)(1 + i % 3);
		network_duplicate(n, &p);
	}
	p.frame++;
	assert_int_equal(network_duplicate(n, &p), DUPLICATE_COPY);
	network_free(n);
}

static const struct {
	const char *name;
	int id;                      /* -1: IPv6 */
	int64_t apart_us;
	int ttl_step;
	unsigned passes, packets;    /* of each packet; different ones */
	bool two_places;             /* every other pass is on the way back */
	unsigned routed, switched;   /* packets that go round */
	bool died;
} rounds[] = {
	{ "a ring of two routers", 7, 900, 2, 30, 3, false, 3, 0, false },
	{ "until the TTL is up", 7, 900, 2, 32, 1, false, 1, 0, true },
	{ "seen in both directions", 7, 900, 1, 60, 1, true, 1, 0, false },
	{ "a slow ring: each round within the window", 7, 19000, 2, 20, 1, false, 1, 0, false },
	{ "IPv6", -1, 900, 2, 20, 1, false, 1, 0, false },
	{ "five points of a mirror", 7, 100, 1, 5, 3, false, 0, 0, false },
	{ "a ring of switches", 7, 700, 0, 25, 2, false, 0, 2, false },
	{ "a mirror of all ports", 7, 20, 0, 48, 2, false, 0, 0, false },
	{ "without an IP-ID the sender may repeat it", 0, 700, 0, 25, 2, false, 0, 0, false },
};

static bool back(size_t i, unsigned pass)
{
	return rounds[i].two_places && pass % 2;
}

static void goes_round(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rounds); i++) {
		struct network *n = network_new(NULL);
		const struct loops *l = network_loops(n);
		unsigned routed = 0, switched = 0;

		for (unsigned k = 0; k < rounds[i].packets; k++) {
			struct packet p = packet_for(UDP, rounds[i].id > 0 ? rounds[i].id + (int)k : rounds[i].id);

			p.at_ns += k * SECOND_NS;
			p.ttl = 64;
			for (unsigned pass = 0; pass < rounds[i].passes; pass++) {
				p.frame++;
				packet_mac(&p, back(i, pass) ? 2 : 1, back(i, pass) ? 1 : 2);
				assert_int_equal(network_duplicate(n, &p) == DUPLICATE_NO, pass == 0);
				p.at_ns += rounds[i].apart_us * MICROSECOND_NS;
				p.ttl = (uint8_t)(p.ttl - rounds[i].ttl_step);
			}
		}
		for (unsigned k = 0; k < l->routed_count; k++)
			routed += l->routed[k].packets;
		for (unsigned k = 0; k < l->switched_count; k++)
			switched += l->switched[k].packets;
		if (routed != rounds[i].routed || switched != rounds[i].switched ||
		    (routed && l->routed[0].died != rounds[i].died))
			fail_msg("%s: %u routed, %u switched, died %d", rounds[i].name, routed, switched,
				routed && l->routed[0].died);
		network_free(n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(duplicate_verdicts),
		cmocka_unit_test(copies_interleaved),
		cmocka_unit_test(messages_of_a_segment),
		cmocka_unit_test(goes_round),
		cmocka_unit_test(ring_bounds),
		cmocka_unit_test(clock_jumps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
