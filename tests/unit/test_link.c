/* SPDX-License-Identifier: MIT */
/* link: every kind of frame down to IP, and every way not to come there. */
#include "dissect_bytes.h"

#include "dissect/link.h"

#define MACS 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1
#define LABEL(last) 0, 0, 0x10 | (last), 64
#define SNAP(type) 0xaa, 0xaa, 3, 0, 0, 0, (type) >> 8, (type) & 0xff
#define EIGHT 0, 0, 0, 0, 0, 0, 0, 0
#define IP4 0x45, 0, 0, 20, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2
/* the link type behind it, and 1: received, 2: sent */
#define PKTAP(dlt, way) 108, 0, 0, 0, 1, 0, 0, 0, dlt, 0, 0, 0, EIGHT, EIGHT, EIGHT, way, 0, 0, 0, EIGHT, EIGHT, \
	EIGHT, EIGHT, EIGHT, EIGHT, EIGHT, EIGHT, 0, 0, 0, 0
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
	{ "MACsec in clear",         1, BYTES(MACS, 0x88, 0xe5, 0, 0, 0, 0, 0, 1, 8, 0, 0x45), 0, NETWORK_IP,
	  UNDECODED_NO, 0, { 0 } },
	{ "MACsec in clear, channel", 1, BYTES(MACS, 0x88, 0xe5, 0x20, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 1, 0, 1, 0x81, 0,
	  0, 7, 8, 0, 0x45), 0, NETWORK_IP, UNDECODED_NO, 1, { 7 } },
	{ "MACsec, encrypted",       1, BYTES(MACS, 0x88, 0xe5, 0x0c, 0, 0, 0, 0, 1, 8, 0, 0x45), 0, NETWORK_NONE,
	  UNDECODED_CIPHER, 0, { 0 } },
	{ "VN-tag",                  1, BYTES(MACS, 0x89, 0x26, 0x80, 0, 0, 5, 0x81, 0, 0, 7, 8, 0, 0x45), 0,
	  NETWORK_IP, UNDECODED_NO, 1, { 7 } },
	{ "VN-tag, cut",             1, BYTES(MACS, 0x89, 0x26, 0x80, 0), 40, NETWORK_NONE, UNDECODED_TRUNCATED, 0, { 0
	  } },
	{ "802.1CB",                 1, BYTES(MACS, 0xf1, 0xc1, 0, 0, 0, 1, 8, 0, 0x45), 0, NETWORK_IP, UNDECODED_NO, 0,
	  { 0 } },
	{ "HSR",                     1, BYTES(MACS, 0x89, 0x2f, 0x10, 40, 0, 1, 8, 0, 0x45), 0, NETWORK_IP,
	  UNDECODED_NO, 0, { 0 } },
	{ "security group tag",      1, BYTES(MACS, 0x89, 9, 1, 1, 0, 1, 0, 15, 8, 0, 0x45), 0, NETWORK_IP,
	  UNDECODED_NO, 0, { 0 } },
	{ "802.1ah",                 1, BYTES(MACS, 0x88, 0xa8, 0, 5, 0x88, 0xe7, 0, 0, 1, 2, MACS, 0x81, 0, 0, 7, 8, 0,
	  0x45), 0, NETWORK_IP, UNDECODED_NO, 1, { 7 } },
	{ "FabricPath",              1, BYTES(MACS, 0x89, 3, 4, 0x41, MACS, 8, 0, 0x45), 0, NETWORK_IP, UNDECODED_NO, 0,
	  { 0 } },
	{ "TRILL",                   1, BYTES(MACS, 0x22, 0xf3, 0, 0x41, 0, 2, 0, 3, 1, 2, 3, 4, MACS, 8, 0, 0x45), 0,
	  NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "NSH",                     1, BYTES(MACS, 0x89, 0x4f, 0, 2, 2, 3, 0, 0, 1, 255, MACS, 8, 0, 0x45), 0,
	  NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "NSH, IP",                 1, BYTES(MACS, 0x89, 0x4f, 0, 3, 2, 1, 0, 0, 1, 255, 1, 2, 3, 4, 0x45), 0,
	  NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "NSH, length 1",           1, BYTES(MACS, 0x89, 0x4f, 0, 1, 2, 1, 0, 0, 1, 255, 0x45), 0, NETWORK_NONE,
	  UNDECODED_MALFORMED, 0, { 0 } },
	{ "ISL",                     1, BYTES(1, 0, 0x0c, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 60, 0xaa, 0xaa, 3, 0, 0, 0x0c,
	  0, 14, 0, 1, 0, 0, MACS, 8, 0, 0x45), 0, NETWORK_IP, UNDECODED_NO, 1, { 7 } },
	{ "CDP is no ISL",           1, BYTES(1, 0, 0x0c, 0xcc, 0xcc, 0xcc, 2, 0, 0, 0, 0, 1, 0, 9, SNAP(0x800), 0x45),
	  0, NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "MPLS, ethernet at once",  1, BYTES(MACS, 0x88, 0x47, LABEL(1), MACS, 8, 0, IP4), 0, NETWORK_IP,
	  UNDECODED_NO, 0, { 0 } },
	{ "MPLS, ethernet like IP",  1, BYTES(MACS, 0x88, 0x47, LABEL(1), 0x44, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x81,
	  0, 0, 9, 8, 0, IP4), 0, NETWORK_IP, UNDECODED_NO, 1, { 9 } },
	{ "MPLS, ethernet, ARP",     1, BYTES(MACS, 0x88, 0x47, LABEL(1), MACS, 8, 6, 0), 0, NETWORK_ARP, UNDECODED_NO,
	  0, { 0 } },
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
	{ "null, IPv6 of Windows",   0, BYTES(23, 0, 0, 0, 0x60), 0, NETWORK_IP, UNDECODED_NO, 0, { 0 } },
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
	{ "802.11, one subframe",  105, BYTES(WIFI(0x88, 1), 0x80, 0, MACS, 0, 9, SNAP(0x800), 0x45, 0, 0), 0,
	  NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "802.11, two subframes", 105, BYTES(WIFI(0x88, 1), 0x80, 0, MACS, 0, 10, SNAP(0x800), 0x45, 0, MACS, 0, 10,
	  SNAP(0x800), 0x45, 0), 0, NETWORK_NONE, UNDECODED_NOT_IP, 0, { 0 } },
	{ "PPI, ethernet",         192, BYTES(0, 0, 12, 0, 1, 0, 0, 0, 9, 9, 9, 9, MACS, 8, 0, 0x45), 0, NETWORK_IP,
	  UNDECODED_NO, 0, { 0 } },
	{ "PPI, 802.11",           192, BYTES(0, 0, 8, 0, 105, 0, 0, 0, WIFI(8, 1), SNAP(0x800), 0x45), 0, NETWORK_IP,
	  UNDECODED_NO, 0, { 0 } },
	{ "PPI in PPI",            192, BYTES(0, 0, 8, 0, 192, 0, 0, 0, 0, 0, 8, 0, 1, 0, 0, 0, MACS, 8, 0, 0x45), 0,
	  NETWORK_NONE, UNDECODED_LINK, 0, { 0 } },
	{ "PPI, length 4",         192, BYTES(0, 0, 4, 0, 1, 0, 0, 0, MACS, 8, 0, 0x45), 0, NETWORK_NONE,
	  UNDECODED_MALFORMED, 0, { 0 } },
	{ "PKTAP",                 258, BYTES(PKTAP(1, 2), MACS, 8, 0, 0x45), 0, NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "PKTAP, tunnel",         258, BYTES(PKTAP(0, 1), 2, 0, 0, 0, 0x45), 0, NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "PKTAP, old number",     149, BYTES(PKTAP(12, 1), 0x60), 0, NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "PKTAP, cut",            258, BYTES(108, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0), 400, NETWORK_NONE,
	  UNDECODED_TRUNCATED, 0, { 0 } },
	{ "another's private type", 149, BYTES(1, 2, 3, 4, 5, 6, 7, 8, 9), 0, NETWORK_NONE, UNDECODED_LINK, 0, { 0 } },
	{ "PPP with direction",    204, BYTES(1, 0xff, 3, 0, 0x21, 0x45), 0, NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "PPP of pppd",           166, BYTES(0, 3, 0, 0x21, 0x45), 0, NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "PPPoE alone",            51, BYTES(0x11, 0, 0, 1, 0, 3, 0, 0x21, 0x45), 0, NETWORK_IP, UNDECODED_NO, 0, { 0
	  } },
	{ "PFLOG",                 117, BYTES(61, 2, 0, 0, EIGHT, EIGHT, EIGHT, EIGHT, EIGHT, EIGHT, EIGHT, 2, 0, 0, 0,
	  0x45), 0, NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "PFLOG, length 4",       117, BYTES(4, 2, 0, 0, 0x45), 0, NETWORK_NONE, UNDECODED_MALFORMED, 0, { 0 } },
	{ "enc",                   109, BYTES(2, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 1, 0x45), 0, NETWORK_IP, UNDECODED_NO, 0,
	  { 0 } },
	{ "Frame Relay",           107, BYTES(0x18, 0x41, 3, 0xcc, 0x45), 0, NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "Frame Relay, SNAP",     107, BYTES(0x18, 0x41, 3, 0, 0x80, 0, 0, 0, 0x86, 0xdd, 0x60), 0, NETWORK_IP,
	  UNDECODED_NO, 0, { 0 } },
	{ "Frame Relay, Cisco",    107, BYTES(0x18, 0x41, 8, 0, 0x45), 0, NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "Frame Relay, bridged",  107, BYTES(0x18, 0x41, 3, 0, 0x80, 0, 0x80, 0xc2, 0, 7, MACS, 8, 0, 0x45), 0,
	  NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "Frame Relay, LMI",      107, BYTES(0, 1, 3, 8, 0, 0x75), 0, NETWORK_NONE, UNDECODED_NOT_IP, 0, { 0 } },
	{ "ATM, routed",           100, BYTES(SNAP(0x800), 0x45), 0, NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "ATM, bridged",          100, BYTES(0xaa, 0xaa, 3, 0, 0x80, 0xc2, 0, 7, 0, 0, MACS, 8, 0, 0x45), 0,
	  NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "ATM, PPP",              100, BYTES(0xfe, 0xfe, 3, 0xcf, 0, 0x21, 0x45), 0, NETWORK_IP, UNDECODED_NO, 0, { 0
	  } },
	{ "ATM, PPP alone",        123, BYTES(6, 8, 0, 32, 0, 0x21, 0x45), 0, NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "ATM, IP alone",         106, BYTES(IP4), 0, NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "Juniper, ethernet",     178, BYTES('M', 'G', 'C', 0x81, 0, 4, 1, 1, 2, 2, MACS, 8, 0, 0x45), 0, NETWORK_IP,
	  UNDECODED_NO, 0, { 0 } },
	{ "Juniper, IP",           178, BYTES('M', 'G', 'C', 2, 0, 0, 0, 2, 0x45), 0, NETWORK_IP, UNDECODED_NO, 0, { 0
	  } },
	{ "Juniper, PPP",          179, BYTES('M', 'G', 'C', 0, 0xff, 3, 0, 0x21, 0x45), 0, NETWORK_IP, UNDECODED_NO, 0,
	  { 0 } },
	{ "Juniper, no magic",     178, BYTES('M', 'G', 'X', 0, MACS, 8, 0, 0x45), 0, NETWORK_NONE,
	  UNDECODED_MALFORMED, 0, { 0 } },
	{ "ERF",                   197, BYTES(EIGHT, 2, 4, 0, 60, 0, 0, 0, 40, 0, 0, MACS, 8, 0, 0x45), 0, NETWORK_IP,
	  UNDECODED_NO, 0, { 0 } },
	{ "ERF, extension header", 197, BYTES(EIGHT, 0x82, 4, 0, 60, 0, 0, 0, 40, EIGHT, 0, 0, MACS, 8, 0, 0x45), 0,
	  NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "ERF, not ethernet",     197, BYTES(EIGHT, 21, 4, 0, 60, 0, 0, 0, 40, 0, 0, MACS, 8, 0, 0x45), 0,
	  NETWORK_NONE, UNDECODED_NOT_IP, 0, { 0 } },
	{ "netANALYZER",           240, BYTES(0, 0, 0, 0, MACS, 8, 0, 0x45), 0, NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "MPLS alone",            219, BYTES(LABEL(1), 0x45), 0, NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "switch's tag, Broadcom", 281, BYTES(MACS, 0, 0, 0, 4, 8, 0, 0x45), 0, NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "switch's tag in front", 282, BYTES(0, 0, 0, 4, MACS, 8, 0, 0x45), 0, NETWORK_IP, UNDECODED_NO, 0, { 0 } },
	{ "switch's tag, Marvell", 284, BYTES(MACS, 0xc0, 0x10, 0, 1, 8, 0, 0x45), 0, NETWORK_IP, UNDECODED_NO, 0, { 0
	  } },
	{ "switch's tag with VLAN", 284, BYTES(MACS, 0xe0, 0x10, 0xa0, 7, 8, 0, 0x45), 0, NETWORK_IP, UNDECODED_NO, 1,
	  { 7 } },
	{ "switch's tag with type", 285, BYTES(MACS, 0xda, 0xda, 0, 0, 0xe0, 0x10, 0, 7, 8, 0, 0x45), 0, NETWORK_IP,
	  UNDECODED_NO, 1, { 7 } },
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
		pktap = BYTES(PKTAP(1, 1), MACS, 8, 0, 0x45), wifi = BYTES(WIFI(8, 1), SNAP(0x800), 0x45);
	struct cursor c = cursor_over(out, out.n);
	struct packet p = { 0 };

	(void)state;
	link_parse(&c, 113, &p);
	assert_int_equal(p.direction, FRAME_OUT);
	assert_true(p.has & HAS_MAC);
	assert_memory_equal(p.mac_src, one, 6);

	c = cursor_over(pktap, pktap.n);
	link_parse(&c, 258, &p);
	assert_int_equal(p.direction, FRAME_IN);

	c = cursor_over(wifi, wifi.n);
	link_parse(&c, 105, &p);
	assert_memory_equal(p.mac_src, one, 6);
	assert_memory_equal(p.mac_dst, three, 6);       /* the first address is the access point */
}

/* The private number that macOS had for PKTAP may be that, which each frame shows. */
static void test_known(void **state)
{
	(void)state;
	assert_true(link_known(0) && link_known(1) && link_known(258) && link_known(149) && link_known(252));
	assert_false(link_known(220) || link_known(147) || link_known(65000));
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
		cmocka_unit_test(test_known), cmocka_unit_test(test_priority),
		cmocka_unit_test(test_pseudowires),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
