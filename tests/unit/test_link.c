/* SPDX-License-Identifier: MIT */
/* link: every kind of frame down to IP, and every way not to come there. */
#include "dissect_bytes.h"

#include "dissect/link.h"

#define MACS 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1
#define LABEL(last) 0, 0, 0x10 | (last), 64
#define SNAP(type) 0xaa, 0xaa, 3, 0, 0, 0, (type) >> 8, (type) & 0xff
#define WIFI(b0, b1) b0, b1, 0, 0, 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 3, 0, 0

static const struct {
	const char *name;
	uint16_t link;
	struct span bytes;
	size_t more;                 /* on the wire, behind the bytes */
	enum network network;
	enum undecoded undecoded;
	uint8_t vlan_count;
	uint16_t vlan[2];
} cases[] = {
	{ "ethernet",                1, BYTES(MACS, 8, 0, 0x45), 0, NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "ethernet, IPv6",          1, BYTES(MACS, 0x86, 0xdd, 0x60), 0, NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "ARP",                     1, BYTES(MACS, 8, 6, 0), 0, NETWORK_ARP, UNDECODED_NO, 0, { 0 } },
	{ "LLDP",                    1, BYTES(MACS, 0x88, 0xcc, 0), 0, NETWORK_NONE, UNDECODED_NOT_IP, 0, { 0 } },
	{ "MACsec",                  1, BYTES(MACS, 0x88, 0xe5, 0), 0, NETWORK_NONE, UNDECODED_CIPHER, 0, { 0 } },
	{ "ethernet, short",         1, BYTES(MACS, 8), 0, NETWORK_NONE, UNDECODED_MALFORMED, 0, { 0 } },
	{ "ethernet, cut",           1, BYTES(MACS, 8), 50, NETWORK_NONE, UNDECODED_TRUNCATED, 0, { 0 } },
	{ "nothing behind the type", 1, BYTES(MACS, 8, 0), 0, NETWORK_NONE, UNDECODED_MALFORMED, 0, { 0 } },
	{ "VLAN",                    1, BYTES(MACS, 0x81, 0, 0xa0, 7, 8, 0, 0x45), 0, NETWORK_IP, UNDECODED_NO, 1,
	  { 7 } },
	{ "QinQ",                    1, BYTES(MACS, 0x88, 0xa8, 0, 5, 0x81, 0, 0, 7, 8, 0, 0x45), 0, NETWORK_IP,
	  UNDECODED_NO, 2, { 5, 7 } },
	{ "three tags",              1, BYTES(MACS, 0x91, 0, 0, 5, 0x81, 0, 0, 6, 0x81, 0, 0, 7, 8, 0, 0x45), 0,
	  NETWORK_IP, UNDECODED_NO, 3, { 5, 7 } },
	{ "five tags",               1, BYTES(MACS, 0x81, 0, 0, 1, 0x81, 0, 0, 1, 0x81, 0, 0, 1, 0x81, 0, 0, 1, 0x81, 0,
	  0, 1, 8, 0, 0x45), 0,
	  NETWORK_NONE, UNDECODED_DEPTH, 4, { 1, 1 } },
	{ "VLAN cut in its tag",     1, BYTES(MACS, 0x81, 0, 0), 9, NETWORK_NONE, UNDECODED_TRUNCATED, 0, { 0 } },
	{ "MPLS",                    1, BYTES(MACS, 0x88, 0x47, LABEL(0), LABEL(1), 0x45), 0, NETWORK_IP, UNDECODED_NO,
	  0, { 0 } },
	{ "MPLS without bottom",     1, BYTES(MACS, 0x88, 0x47, LABEL(0), LABEL(0)), 0, NETWORK_NONE,
	  UNDECODED_MALFORMED, 0, { 0 } },
	{ "MPLS pseudowire",         1, BYTES(MACS, 0x88, 0x47, LABEL(1), 0, 0, 0, 0, MACS, 0x81, 0, 0, 9, 8, 0, 0x45),
	  0, NETWORK_IP, UNDECODED_NO, 1, { 9 } },
	{ "PPPoE",                   1, BYTES(MACS, 0x88, 0x64, 0x11, 0, 0, 1, 0, 3, 0, 0x21, 0x45), 0, NETWORK_IP,
	  UNDECODED_NO, 0, { 0 } },
	{ "PPPoE, short protocol",   1, BYTES(MACS, 0x88, 0x64, 0x11, 0, 0, 1, 0, 2, 0x21, 0x45), 0, NETWORK_IP,
	  UNDECODED_NO, 0, { 0 } },
	{ "PPPoE, length too long",  1, BYTES(MACS, 0x88, 0x64, 0x11, 0, 0, 1, 0, 9, 0, 0x21, 0x45), 0, NETWORK_NONE,
	  UNDECODED_MALFORMED, 0, { 0 } },
	{ "PPPoE, LCP",              1, BYTES(MACS, 0x88, 0x64, 0x11, 0, 0, 1, 0, 3, 0xc0, 0x21, 1), 0, NETWORK_NONE,
	  UNDECODED_NOT_IP, 0, { 0 } },
	{ "802.3, SNAP",             1, BYTES(MACS, 0, 9, SNAP(0x800), 0x45), 0, NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "802.3, spanning tree",    1, BYTES(MACS, 0, 4, 0x42, 0x42, 3, 0), 0, NETWORK_NONE, UNDECODED_NOT_IP, 0,
	  { 0 } },
	{ "802.3, length 0",         1, BYTES(MACS, 0, 0, SNAP(0x800), 0x45), 0, NETWORK_NONE, UNDECODED_MALFORMED, 0,
	  { 0 } },
	{ "SLL",                   113, BYTES(0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0, 0x45), 0, NETWORK_IP,
	  UNDECODED_NO, 0, { 0 } },
	{ "SLL, netlink",          113, BYTES(0, 0, 3, 0x38, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0x45), 0, NETWORK_NONE,
	  UNDECODED_NOT_IP, 0, { 0 } },
	{ "SLL2",                  276, BYTES(8, 0, 0, 0, 0, 0, 0, 3, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0x45), 0,
	  NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "raw",                   101, BYTES(0x45), 0, NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "raw, empty",            101, SPAN_NONE, 0, NETWORK_NONE, UNDECODED_MALFORMED, 0, { 0 } },
	{ "null, little endian",     0, BYTES(2, 0, 0, 0, 0x45), 0, NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "null, big endian",        0, BYTES(0, 0, 0, 30, 0x60), 0, NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "loop, AppleTalk",       108, BYTES(0, 0, 0, 16, 0x45), 0, NETWORK_NONE, UNDECODED_NOT_IP, 0, { 0 } },
	{ "PPP",                     9, BYTES(0xff, 3, 0, 0x57, 0x60), 0, NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "PPP, encrypted",          9, BYTES(0, 0x53, 0x60), 0, NETWORK_NONE, UNDECODED_CIPHER, 0, { 0 } },
	{ "Cisco HDLC",            104, BYTES(0x0f, 0, 8, 0, 0x45), 0, NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "802.11, to the network", 105, BYTES(WIFI(8, 1), SNAP(0x800), 0x45), 0, NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "802.11, QoS",           105, BYTES(WIFI(0x88, 2), 0, 0, SNAP(0x800), 0x45), 0, NETWORK_IP, UNDECODED_NO, 0,
	  { 0 } },
	{ "802.11, four addresses", 105, BYTES(WIFI(8, 3), 2, 0, 0, 0, 0, 4, SNAP(0x800), 0x45), 0, NETWORK_IP,
	  UNDECODED_NO, 0, { 0 } },
	{ "802.11, encrypted",     105, BYTES(WIFI(8, 0x41), 1, 2, 3, 4), 0, NETWORK_NONE, UNDECODED_CIPHER, 0, { 0 } },
	{ "802.11, beacon",        105, BYTES(WIFI(0x80, 0), 1, 2, 3, 4), 0, NETWORK_NONE, UNDECODED_NOT_IP, 0, { 0 } },
	{ "radiotap",              127, BYTES(0, 0, 8, 0, 0, 0, 0, 0, WIFI(8, 1), SNAP(0x800), 0x45), 0, NETWORK_IP,
	  UNDECODED_NO, 0, { 0 } },
	{ "radiotap, padded QoS",  127, BYTES(0, 0, 9, 0, 2, 0, 0, 0, 0x20, WIFI(0x88, 1), 0, 0, 0, 0, SNAP(0x800),
	  0x45), 0, NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "radiotap, length 4",    127, BYTES(0, 0, 4, 0, 0, 0, 0, 0), 0, NETWORK_NONE, UNDECODED_MALFORMED, 0, { 0 } },
	{ "radiotap, chain",       127, BYTES(0, 0, 12, 0, 2, 0, 0, 0x80, 2, 0, 0, 0x80, WIFI(8, 1), SNAP(0x800), 0x45),
	  0, NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "NFLOG",                 239, BYTES(2, 0, 0, 0, 5, 0, 10, 0, 0, 0, 0, 0, 5, 0, 9, 0, 0x45), 0, NETWORK_IP,
	  UNDECODED_NO, 0, { 0 } },
	{ "NFLOG, big endian",     239, BYTES(10, 0, 0, 0, 0, 6, 0, 10, 0, 0, 0, 0, 0, 5, 0, 9, 0x60), 0, NETWORK_IP,
	  UNDECODED_NO, 0, { 0 } },
	{ "NFLOG, bridge",         239, BYTES(7, 0, 0, 0, 5, 0, 9, 0, 0x45), 0, NETWORK_NONE, UNDECODED_NOT_IP, 0,
	  { 0 } },
	{ "NFLOG, no packet",      239, BYTES(2, 0, 0, 0, 5, 0, 10, 0, 0, 0, 0, 0), 0, NETWORK_NONE,
	  UNDECODED_MALFORMED, 0, { 0 } },
	{ "NFLOG, length 3",       239, BYTES(2, 0, 0, 0, 3, 0, 10, 0, 0x45), 0, NETWORK_NONE, UNDECODED_MALFORMED, 0,
	  { 0 } },
	{ "NFLOG, cut",            239, BYTES(2, 0, 0, 0, 5, 0, 10), 60, NETWORK_NONE, UNDECODED_TRUNCATED, 0, { 0 } },
	{ "unknown",             65000, BYTES(0x45), 0, NETWORK_NONE, UNDECODED_LINK, 0, { 0 } },
};

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct cursor c = cursor_over(cases[i].bytes, cases[i].bytes.n + cases[i].more);
		struct packet p = { 0 };
		enum network network = link_parse(&c, cases[i].link, &p);

		if (network != cases[i].network || p.undecoded != cases[i].undecoded ||
		    p.vlan_count != cases[i].vlan_count)
			fail_msg("%s: network %d, undecoded %d, VLANs %d", cases[i].name, network, p.undecoded,
				p.vlan_count);
		assert_memory_equal(p.vlan, cases[i].vlan, sizeof p.vlan);
		if (network == NETWORK_IP && (c.left.p[0] >> 4 | 2) != 6)
			fail_msg("%s: no IP at the cursor", cases[i].name);
	}
}

static void test_senders(void **state)
{
	static const uint8_t one[6] = { 2, 0, 0, 0, 0, 1 }, three[6] = { 2, 0, 0, 0, 0, 3 };
	struct span out = BYTES(0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0, 0x45),
		wifi = BYTES(WIFI(8, 1), SNAP(0x800), 0x45);
	struct cursor c = cursor_over(out, out.n);
	struct packet p = { 0 };

	(void)state;
	link_parse(&c, 113, &p);
	assert_int_equal(p.direction, FRAME_OUT);
	assert_true(p.has & HAS_MAC);
	assert_memory_equal(p.mac_src, one, 6);

	c = cursor_over(wifi, wifi.n);
	link_parse(&c, 105, &p);
	assert_memory_equal(p.mac_src, one, 6);
	assert_memory_equal(p.mac_dst, three, 6);       /* the first address is the access point */
}

static void test_priority(void **state)
{
	struct span tagged = BYTES(MACS, 0x81, 0, 0xa0, 7, 8, 0, 0x45);
	struct cursor c = cursor_over(tagged, tagged.n);
	struct packet p = { 0 };

	(void)state;
	link_parse(&c, 1, &p);
	assert_int_equal(p.vlan_priority, 5);
}

/* A pseudowire in a pseudowire in ... has to end by count, not by the stack. */
static void test_pseudowires(void **state)
{
	static struct bytes b;
	struct span label = BYTES(0, 0, 0x11, 64, 0, 0, 0, 0);
	struct packet p = { 0 };
	struct cursor c;

	(void)state;
	bytes_join(&b, SPAN_NONE, BYTES(0));
	for (unsigned i = 0; i < 1000; i++) {
		bytes_join(&b, label, bytes_span(&b));
		ethernet_wrap(&b, 0x8847, bytes_span(&b));
	}
	c = cursor_over(bytes_span(&b), b.n);
	assert_int_equal(link_parse(&c, 1, &p), NETWORK_NONE);
	assert_int_equal(p.undecoded, UNDECODED_DEPTH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_senders),
		cmocka_unit_test(test_priority),
		cmocka_unit_test(test_pseudowires),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
