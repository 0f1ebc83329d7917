/* SPDX-License-Identifier: MIT */
/* hearing: one direction judged: what is believed, what excuses a silence, what forbids to claim it. */
#include "analyzer/detect/hearing.h"

#include "tests/unit/world.h"

enum { FLOWS = 6, REPORTS = 3, QUOTES = 2, FAR = 4, MORE = 4, ROWS = 4 };

/*
 * Heard is the direction from the callee to the caller of the first leg: 10.0.0.2:5000 to 10.0.0.1:4000, due from 2.5 s
 * to 31 s.
 */
static const struct scene {
	const char *name;
	struct dialogue call, more[MORE];
	struct row rows[ROWS];
	struct rtp_flow flows[FLOWS];
	struct report reports[REPORTS];
	struct quote quotes[QUOTES];
	const char *far[FAR];
	bool drops;                  /* the interface counted some */
	unsigned leg;                /* 0: the first */
	enum heard heard;
	enum failure failure;
	const char *decided;         /* row, gate or undelivered_by; NULL none */
} scenes[] = {
#define CALLER_TALKS { "10.0.0.1:4000", "10.0.0.2:5000", 1.1, 31, 0xa }
#define CALLEE_TALKS { "10.0.0.2:5000", "10.0.0.1:4000", 1.1, 31, 0xb }
#define STOPS_AT(s) { "10.0.0.2:5001", "10.0.0.1:4001", 4, 30, 0xb, .sr_packets = 140, .sr_step = 100, .sr_until = s }
#define SDP_HEAD(host) "v=0\r\no=- 1 1 IN IP4 " host "\r\ns=-\r\nc=IN IP4 " host "\r\nt=0 0\r\n"
#define WEB(host, \
	port) SDP_HEAD(host) "m=audio " #port " RTP/AVP 8\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n" \
	"a=candidate:1 1 UDP 2130706431 " host " " #port " typ host\r\n"
#define CN(host, port) SDP_HEAD(host) "m=audio " #port " RTP/AVP 8 13\r\n"
	/* ---- presence is believed ---- */
	{ "both talk", .flows = { CALLER_TALKS, CALLEE_TALKS }, .heard = HEARD_YES },
	{ "every fourth packet is lost", .flows = { CALLER_TALKS,
	  { "10.0.0.2:5000", "10.0.0.1:4000", 1.1, 31, 0xb, .lost_of = 4 } }, .heard = HEARD_POOR },
	{ "the receiver is far away", .flows = { CALLER_TALKS, CALLEE_TALKS }, .far = { "10.0.0.1:1" },
	  .heard = HEARD_UNKNOWN },
	{ "the receiver is far away and reports", .flows = { CALLER_TALKS, CALLEE_TALKS }, .far = { "10.0.0.1:1" },
	  .reports = { { "10.0.0.1:4001", "10.0.0.2:5001", 4, 30, 0xa, .about = 0xb, .highest = 1140,
	  .highest_step = 100 } }, .heard = HEARD_YES },
	{ "24 packets are too few", .flows = { CALLER_TALKS, { "10.0.0.2:5000", "10.0.0.1:4000", 24, 24.47, 0xb } },
	  .heard = HEARD_UNKNOWN },
	{ "hung up at once", .call = { .bye = 2.2 }, .flows = { { "10.0.0.1:4000", "10.0.0.2:5000", 1.1, 2.2, 0xa } },
	  .heard = HEARD_UNKNOWN },

	/* ---- absence, earned ---- */
	{ "nothing comes", .flows = { CALLER_TALKS }, .heard = HEARD_NO, .failure = FAILURE_ABSENT },
	{ "five stray packets are nothing", .flows = { CALLER_TALKS,
	  { "10.0.0.2:5000", "10.0.0.1:4000", 5, 5.09, 0xb } },
	  .heard = HEARD_NO, .failure = FAILURE_ABSENT },
	{ "to a private address behind a NAT", .call = { .caller = "198.51.100.7:5060", .callee = "203.0.113.5:5060",
	  .offer = "v1 192.168.1.10:4000", .answer = "v1 203.0.113.5:5000" },
	  .flows = { { "203.0.113.5:5000", "192.168.1.10:4000", 1.1, 31, 0xb },
	  { "198.51.100.7:4000", "203.0.113.5:5000", 1.1, 31, 0xa } },
	  .heard = HEARD_NO, .failure = FAILURE_MISDIRECTED },
	{ "to a private address that is routed",
	  .call = { .callee = "203.0.113.5:5060", .answer = "v1 203.0.113.5:5000" },
	  .flows = { { "203.0.113.5:5000", "10.0.0.1:4000", 1.1, 31, 0xb },
	  { "10.0.0.1:4000", "203.0.113.5:5000", 1.1, 31, 0xa } },
	  .heard = HEARD_YES },
	{ "ICMP three times", .flows = { CALLER_TALKS, CALLEE_TALKS },
	  .quotes = { { "10.0.0.1:1", "10.0.0.2:1", 3, 3, "10.0.0.2:5000", "10.0.0.1:4000" } },
	  .heard = HEARD_NO, .failure = FAILURE_UNDELIVERED, .decided = "icmp" },
	{ "ICMP twice proves nothing", .flows = { CALLER_TALKS, CALLEE_TALKS },
	  .quotes = { { "10.0.0.1:1", "10.0.0.2:1", 3, 2, "10.0.0.2:5000", "10.0.0.1:4000" } }, .heard = HEARD_YES },
	{ "ICMP about the other direction", .flows = { CALLER_TALKS, CALLEE_TALKS },
	  .quotes = { { "10.0.0.2:1", "10.0.0.1:1", 3, 5, "10.0.0.1:4000", "10.0.0.2:5000" } }, .heard = HEARD_YES },
	{ "the receiver's highest number stands still", .flows = { CALLER_TALKS, CALLEE_TALKS },
	  .reports = { { "10.0.0.1:4001", "10.0.0.2:5001", 4, 30, 0xa, .about = 0xb, .highest = 1140,
	  .highest_step = 100, .highest_until = 12 } },
	  .heard = HEARD_NO, .failure = FAILURE_UNDELIVERED, .decided = "rtcp-frozen" },
	{ "the receiver's reports become empty", .flows = { CALLER_TALKS, CALLEE_TALKS },
	  .reports = { { "10.0.0.1:4001", "10.0.0.2:5001", 4, 30, 0xa, .about = 0xb, .highest = 1140,
	  .highest_step = 100, .block_until = 12 } },
	  .heard = HEARD_NO, .failure = FAILURE_UNDELIVERED, .decided = "rtcp-empty" },
	{ "reports that never had blocks say nothing", .flows = { CALLER_TALKS, CALLEE_TALKS },
	  .reports = { { "10.0.0.1:4001", "10.0.0.2:5001", 4, 30, 0xa } }, .heard = HEARD_YES },
	{ "a payload type nobody offered", .flows = { CALLER_TALKS,
	  { "10.0.0.2:5000", "10.0.0.1:4000", 1.1, 31, 0xb, .pt = 18 } },
	  .heard = HEARD_NO, .failure = FAILURE_UNDELIVERED, .decided = "payload-type" },

	/* ---- rows: silence that is no fault ---- */
	{ "N3: a recording leg", .call = { .extra = "Require: siprec\r\n" }, .flows = { CALLER_TALKS },
	  .heard = HEARD_NOT_EXPECTED, .decided = "N3" },
	{ "N3 not: it only could record", .call = { .extra = "Supported: siprec\r\n" }, .flows = { CALLER_TALKS },
	  .heard = HEARD_NO, .failure = FAILURE_ABSENT },
	{ "N4: comfort noise alone", .flows = { CALLER_TALKS,
	  { "10.0.0.2:5000", "10.0.0.1:4000", 2, 30, 0xb, .pt = 13, .every_ms = 400 } },
	  .heard = HEARD_NOT_EXPECTED, .decided = "N4" },
	{ "N4 not: two packets of it", .flows = { CALLER_TALKS,
	  { "10.0.0.2:5000", "10.0.0.1:4000", 2, 2.8, 0xb, .pt = 13, .every_ms = 400 } },
	  .heard = HEARD_NO, .failure = FAILURE_ABSENT },
	{ "N10: an automaton stops", .flows = { { "10.0.0.1:4000", "10.0.0.2:5000", 1.1, 31, 0xa,
	  .sound = SOUND_QUIET },
	  { "10.0.0.2:5000", "10.0.0.1:4000", 1.1, 12, 0xb } }, .heard = HEARD_UNKNOWN, .decided = "N10" },
	{ "N10 not: they had talked with each other", .flows = { CALLER_TALKS,
	  { "10.0.0.2:5000", "10.0.0.1:4000", 1.1, 12, 0xb } },
	  .heard = HEARD_NO, .failure = FAILURE_ABSENT },
	{ "N10 not: it never began", .flows = { { "10.0.0.1:4000", "10.0.0.2:5000", 1.1, 31, 0xa,
	  .sound = SOUND_QUIET } },
	  .heard = HEARD_NO, .failure = FAILURE_ABSENT },
	{ "N10 although it reported while it talked", .flows = { { "10.0.0.1:4000", "10.0.0.2:5000", 1.1, 31, 0xa,
	  .sound = SOUND_QUIET },
	  { "10.0.0.2:5000", "10.0.0.1:4000", 1.1, 12, 0xb } },
	  .reports = { STOPS_AT(13) },
	  .heard = HEARD_UNKNOWN, .decided = "N10" },
	{ "N10 not: ICMP says that it is lost", .flows = { { "10.0.0.1:4000", "10.0.0.2:5000", 1.1, 31, 0xa,
	  .sound = SOUND_QUIET },
	  { "10.0.0.2:5000", "10.0.0.1:4000", 1.1, 12, 0xb } },
	  .quotes = { { "10.0.0.1:1", "10.0.0.2:1", 12, 3, "10.0.0.2:5000", "10.0.0.1:4000" } },
	  .heard = HEARD_NO, .failure = FAILURE_UNDELIVERED, .decided = "icmp" },
	{ "N13: a browser is muted, its reports go on",
	  .call = { .offer = WEB("10.0.0.1", 4000), .answer = WEB("10.0.0.2", 5000) },
	  .flows = { CALLER_TALKS, { "10.0.0.2:5000", "10.0.0.1:4000", 1.1, 12, 0xb } }, .reports = { STOPS_AT(13) },
	  .heard = HEARD_UNKNOWN, .decided = "N13" },
	{ "N13 not: its count rises", .call = { .offer = WEB("10.0.0.1", 4000), .answer = WEB("10.0.0.2", 5000) },
	  .flows = { CALLER_TALKS, { "10.0.0.2:5000", "10.0.0.1:4000", 1.1, 12, 0xb } }, .reports = { STOPS_AT(0) },
	  .heard = HEARD_NO, .failure = FAILURE_ABSENT },
	{ "N13 not: a telephone is no browser", .flows = { CALLER_TALKS,
	  { "10.0.0.2:5000", "10.0.0.1:4000", 1.1, 12, 0xb } },
	  .reports = { STOPS_AT(13) }, .heard = HEARD_NO, .failure = FAILURE_ABSENT },
	{ "N13 cannot be told without reports", .call = { .offer = WEB("10.0.0.1", 4000),
	  .answer = WEB("10.0.0.2", 5000) },
	  .flows = { CALLER_TALKS, { "10.0.0.2:5000", "10.0.0.1:4000", 1.1, 12, 0xb } }, .heard = HEARD_NO,
	  .failure = FAILURE_ABSENT },
	{ "N4: silence suppression was agreed", .call = { .answer = CN("10.0.0.2", 5000),
	  .offer = CN("10.0.0.1", 4000) },
	  .flows = { CALLER_TALKS, { "10.0.0.2:5000", "10.0.0.1:4000", 1.1, 12, 0xb } }, .heard = HEARD_UNKNOWN,
	  .decided = "N4" },
	{ "N4 although it reported while it talked", .call = { .answer = CN("10.0.0.2", 5000),
	  .offer = CN("10.0.0.1", 4000) },
	  .flows = { CALLER_TALKS, { "10.0.0.2:5000", "10.0.0.1:4000", 1.1, 12, 0xb } }, .reports = { STOPS_AT(13) },
	  .heard = HEARD_UNKNOWN, .decided = "N4" },
	{ "N4 not: its count rises all the same", .call = { .answer = CN("10.0.0.2", 5000),
	  .offer = CN("10.0.0.1", 4000) },
	  .flows = { CALLER_TALKS, { "10.0.0.2:5000", "10.0.0.1:4000", 1.1, 12, 0xb } }, .reports = { STOPS_AT(0) },
	  .heard = HEARD_NO, .failure = FAILURE_ABSENT },
	{ "N4 not: nobody is quiet for a minute", .call = { .answer = CN("10.0.0.2", 5000),
	  .offer = CN("10.0.0.1", 4000), .bye = 80 },
	  .flows = { { "10.0.0.1:4000", "10.0.0.2:5000", 1.1, 80, 0xa },
	  { "10.0.0.2:5000", "10.0.0.1:4000", 1.1, 12, 0xb } },
	  .heard = HEARD_NO, .failure = FAILURE_ABSENT },
#define TO_PBX .call = { .call = "call-1", .callee = P, .answer = "v1 10.0.0.5:6000" }
#define ONWARD { .call = "c2", .caller = P, .callee = B, .offer = "v1 10.0.0.5:6002", .invite = 0.2, .answered = 0.9, \
	.bye = 30.9, \
	.extra = "X-CID: call-1\r\n" }
#define CALLER_TO_PBX { "10.0.0.1:4000", "10.0.0.5:6000", 1.1, 31, 0xa }, \
	{ "10.0.0.5:6002", "10.0.0.2:5000", 1.1, 31, 0xaa }
	{ "N9: the other leg is on hold", TO_PBX, .more = { ONWARD },
	  .flows = { CALLER_TO_PBX, { "10.0.0.2:5000", "10.0.0.5:6002", 1, 2, 0xb } },
	  .rows = { { 1.9, P, B, .call = "c2", .to = "t", .cseq = 2, .via_host = P,
	  .sdp = "v2 10.0.0.5:6002 sendonly" },
		    { 2.0, B, P, .status = 200, .call = "c2", .to = "t", .cseq = 2, .via_host = P,
		    	.sdp = "v2 10.0.0.2:5000 recvonly" },
		    { 2.1, P, B, "ACK", .call = "c2", .to = "t", .cseq = 2, .via_host = P } }, .heard = HEARD_UNKNOWN,
		    	.decided = "N9" },
	{ "N9: nothing reaches the sender on the other leg", TO_PBX, .more = { ONWARD }, .flows = { CALLER_TO_PBX },
	  .heard = HEARD_UNKNOWN, .decided = "N9" },
	{ "N9 not: it gets audio there and passes none on", TO_PBX, .more = { ONWARD },
	  .flows = { CALLER_TO_PBX, { "10.0.0.2:5000", "10.0.0.5:6002", 1, 30.9, 0xb } }, .heard = HEARD_NO,
	  .failure = FAILURE_ABSENT },
	{ "N9 not: the other call is none of this call's legs", TO_PBX,
	  .flows = { { "10.0.0.1:4000", "10.0.0.5:6000", 1.1, 31, 0xa } },
	  .more = { { .call = "c2", .caller = P, .callee = B, .offer = "v1 10.0.0.5:6002", .invite = 40 } },
	  .heard = HEARD_NO, .failure = FAILURE_ABSENT },
	{ "N9: the same audio is promised on an earlier leg",
	  .call = { .call = "call-1", .callee = P, .answer = "v1 10.0.0.2:5000" }, .flows = { CALLER_TALKS },
	  .more = { { .call = "c2", .caller = P, .callee = B, .invite = 0.2, .answered = 0.9, .bye = 30.9,
	  .extra = "X-CID: call-1\r\n" } }, .leg = 2,
	  .heard = HEARD_UNKNOWN, .decided = "N9" },
	{ "N17: both in one box", .call = { .offer = "v1 10.0.0.9:4000", .answer = "v1 10.0.0.9:4002",
	  .caller = "10.0.0.9:5060" },
	  .flows = { { "10.0.0.7:4000", "10.0.0.8:5000", 1, 5, 0xc } }, .heard = HEARD_NOT_EXPECTED, .decided = "N17" },

	/* ---- gates: silence that this capture cannot show ---- */
	{ "G2: no media at all", .heard = HEARD_UNKNOWN, .decided = "G2" },
	{ "G2 not: another call has some",
	  .more = { { .call = "c2", .offer = "v1 10.0.0.1:4002", .answer = "v1 10.0.0.2:5002" } },
	  .flows = { { "10.0.0.1:4002", "10.0.0.2:5002", 1.1, 31, 0xa } }, .heard = HEARD_NO,
	  .failure = FAILURE_ABSENT },
#define RELAYED(n, port) { .call = "c" #n, .offer = "v1 10.0.0.1:40" #port, .answer = "v1 10.0.7.9:50" #port }
	{ "G2: no call of a relay has media", .call = { .answer = "v1 10.0.7.9:5000" },
	  .more = { RELAYED(2, 02), RELAYED(3, 04),
	  { .call = "c4", .offer = "v1 10.0.0.1:4006", .answer = "v1 10.0.0.2:5006" } },
	  .flows = { { "10.0.0.1:4006", "10.0.0.2:5006", 1.1, 31, 0xa } }, .heard = HEARD_UNKNOWN, .decided = "G2" },
	{ "G2 not, G3: two calls of a relay prove nothing", .call = { .answer = "v1 10.0.7.9:5000" },
	  .more = { RELAYED(2, 02), { .call = "c4", .offer = "v1 10.0.0.1:4006", .answer = "v1 10.0.0.2:5006" } },
	  .flows = { { "10.0.0.1:4006", "10.0.0.2:5006", 1.1, 31, 0xa } }, .far = { "10.0.0.1:1" },
	  .heard = HEARD_UNKNOWN, .decided = "G3" },
	{ "G1: nothing ever comes back to the media address",
	  .call = { .offer = "v1 10.0.0.3:4000", .answer = "v1 10.0.7.9:5000" },
	  .flows = { { "10.0.0.3:4000", "10.0.7.9:5000", 1.1, 31, 0xa } }, .heard = HEARD_UNKNOWN, .decided = "G1" },
	{ "G1 not: others reach it", .call = { .offer = "v1 10.0.0.3:4000", .answer = "v1 10.0.7.9:5000" },
	  .flows = { { "10.0.0.3:4000", "10.0.7.9:5000", 1.1, 31, 0xa },
	  { "10.0.8.8:7000", "10.0.0.3:4008", 3, 9, 0xc } },
	  .heard = HEARD_NO, .failure = FAILURE_ABSENT },
	{ "G1 not, G3: eight seconds prove nothing",
	  .call = { .offer = "v1 10.0.0.3:4000", .answer = "v1 10.0.7.9:5000", .bye = 9 },
	  .flows = { { "10.0.0.3:4000", "10.0.7.9:5000", 1.1, 9, 0xa } }, .heard = HEARD_UNKNOWN, .decided = "G3" },
#define HIGH_PORT(n, host) { .call = "c" #n, .caller = host ":5060", .offer = "v1 " host ":3000" #n, \
	.answer = "v1 10.0.0.2:3100" #n }
#define LOW_PORT { .call = "c9", .offer = "v1 10.0.0.1:4006", .answer = "v1 10.0.0.2:5006" }
#define LOW_TALKS { "10.0.0.1:4006", "10.0.0.2:5006", 1.1, 31, 0xa }, { "10.0.0.2:5006", "10.0.0.1:4006", 1.1, 31, 0xb }
	{ "G3: the ports above some port are missing", .call = HIGH_PORT(1, "10.0.0.11"),
	  .more = { HIGH_PORT(2, "10.0.0.12"), HIGH_PORT(3, "10.0.0.13"), LOW_PORT }, .flows = { LOW_TALKS },
	  .heard = HEARD_UNKNOWN, .decided = "G3" },
	{ "G3 not: two calls", .call = HIGH_PORT(1, "10.0.0.11"), .more = { HIGH_PORT(2, "10.0.0.12"), LOW_PORT },
	  .flows = { LOW_TALKS },
	  .heard = HEARD_NO, .failure = FAILURE_ABSENT },
	{ "G3 not: one high port speaks", .call = HIGH_PORT(1, "10.0.0.11"),
	  .more = { HIGH_PORT(2, "10.0.0.12"), HIGH_PORT(3, "10.0.0.13"), HIGH_PORT(4, "10.0.0.14") },
	  .flows = { { "10.0.0.14:30004", "10.0.0.2:31004", 1.1, 31, 0xa },
	  { "10.0.0.2:31004", "10.0.0.14:30004", 1.1, 31, 0xb } },
	  .heard = HEARD_NO, .failure = FAILURE_ABSENT },
	{ "G7: a short silence, and the capture itself lost packets", .call = { .bye = 6 },
	  .flows = { { "10.0.0.1:4000", "10.0.0.2:5000", 1.1, 6, 0xa } },
	  .drops = true, .heard = HEARD_UNKNOWN, .decided = "G7" },
	{ "G7 not: a long one", .flows = { CALLER_TALKS }, .drops = true, .heard = HEARD_NO,
	  .failure = FAILURE_ABSENT },
	{ "G7 not: nothing was lost", .call = { .bye = 6 },
	  .flows = { { "10.0.0.1:4000", "10.0.0.2:5000", 1.1, 6, 0xa } },
	  .heard = HEARD_NO, .failure = FAILURE_ABSENT },
	{ "B0: two calls promise the same address", .more = { { .call = "c2", .answer = "v1 10.0.0.2:5002" } },
	  .flows = { CALLER_TALKS, { "10.0.0.2:6000", "10.0.0.1:4000", 1.1, 31, 0xb } }, .heard = HEARD_UNKNOWN,
	  .decided = "B0" },
	{ "B0 not: the sender's port tells them apart", .more = { { .call = "c2", .answer = "v1 10.0.0.2:5002" } },
	  .flows = { CALLER_TALKS, { "10.0.0.2:5002", "10.0.0.1:4000", 1.1, 31, 0xb } }, .heard = HEARD_NO,
	  .failure = FAILURE_ABSENT },
	{ "B10: the sender sends to somebody", .flows = { CALLER_TALKS,
	  { "10.0.0.2:5500", "10.0.0.77:7000", 1.1, 31, 0xb } },
	  .heard = HEARD_UNKNOWN, .decided = "B10" },
	{ "B10 not: that began long before", .call = { .invite = 20 },
	  .flows = { { "10.0.0.1:4000", "10.0.0.2:5000", 21.1, 51, 0xa },
	  { "10.0.0.2:5500", "10.0.0.77:7000", 1.1, 51, 0xb } }, .heard = HEARD_NO, .failure = FAILURE_ABSENT },
	{ "G3: the sender's count rises and the tap is not at the receiver", .flows = { CALLER_TALKS },
	  .far = { "10.0.0.1:1" },
	  .reports = { { "10.0.0.2:5001", "10.0.0.1:4001", 4, 30, 0xb, .sr_packets = 140, .sr_step = 100 } },
	  .heard = HEARD_UNKNOWN, .decided = "G3" },
	{ "G3 not: the count rises, and this is the receiver's own port", .flows = { CALLER_TALKS },
	  .far = { "10.0.0.2:1" },
	  .reports = { { "10.0.0.2:5001", "10.0.0.1:4001", 4, 30, 0xb, .sr_packets = 140, .sr_step = 100 } },
	  .heard = HEARD_NO, .failure = FAILURE_ABSENT },
	{ "G3: the receiver reports a stream nobody saw", .flows = { CALLER_TALKS },
	  .reports = { { "10.0.0.1:4001", "10.0.0.2:5001", 4, 30, 0xa, .about = 0xbbbb, .highest = 1140,
	  .highest_step = 100 } },
	  .heard = HEARD_UNKNOWN, .decided = "G3" },
	{ "G3 not: what it reports stands still", .flows = { CALLER_TALKS },
	  .reports = { { "10.0.0.1:4001", "10.0.0.2:5001", 4, 30, 0xa, .about = 0xbbbb, .highest = 1140 } },
	  .heard = HEARD_NO, .failure = FAILURE_ABSENT },
	{ "G3: the sender's media address is never seen", .call = { .answer = "v1 10.0.7.9:5000" },
	  .flows = { { "10.0.0.1:4000", "10.0.7.9:5000", 1.1, 31, 0xa } }, .far = { "10.0.0.1:1" },
	  .heard = HEARD_UNKNOWN, .decided = "G3" },
};

static void scene_play(struct world *w, const struct scene *s)
{
	world_begin_with(w, NULL, s->far);
	world_dialogue(w, &s->call);
	for (unsigned i = 0; i < MORE && s->more[i].call; i++)
		world_dialogue(w, &s->more[i]);
	for (unsigned i = 0; i < ROWS && s->rows[i].s > 0; i++)
		world_row(w, &s->rows[i]);
	for (unsigned i = 0; i < FLOWS && s->flows[i].src; i++)
		world_flow(w, &s->flows[i]);
	for (unsigned i = 0; i < REPORTS && s->reports[i].src; i++)
		world_report(w, &s->reports[i]);
	for (unsigned i = 0; i < QUOTES && s->quotes[i].reporter; i++)
		world_quote(w, &s->quotes[i]);
	world_play(w);
	if (s->drops)
		engine_interface(w->e, 0, 0, NULL, 65535, 12, 0);
	engine_finish(w->e);
}

/* ---- what holds for every scene ---- */

/* The same, asked once more. */
static void judging_twice_gives_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(scenes); i++) {
		struct direction *d;
		struct hearing first, again;
		struct world w;

		scene_play(&w, &scenes[i]);
		d = world_direction(&w, scenes[i].leg ? scenes[i].leg : 1, SIDE_CALLEE);
		first = *hearing_of(d);
		hearing_judge(&w.e->facts, d->slot);
		again = *hearing_of(d);
		assert_string_equal(first.why, again.why);
		again.why = first.why;       /* the text may be another one */
		assert_memory_equal(&first, &again, sizeof first);
		world_end(&w);
	}
}

static const char *heard_text(enum heard h)
{
	static const char *const texts[] = { "not expected", "yes", "poor", "no", "unknown" };

	return texts[h];
}

static void judges_each_scene(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(scenes); i++) {
		const struct scene *s = &scenes[i];
		const struct hearing *h;
		const char *decided;
		struct world w;

		scene_play(&w, s);
		h = hearing_of(world_direction(&w, s->leg ? s->leg : 1, SIDE_CALLEE));
		assert_non_null(h);
		decided = h->row ? h->row : h->gate ? h->gate : h->undelivered_by;
		if (h->heard != s->heard || h->failure != s->failure ||
		    strcmp(or(decided, "-"), or(s->decided, "-")) != 0) {
			print_error("%s: heard %s, failure %d, by %s: %s\n", s->name, heard_text(h->heard), h->failure,
				or(decided, "-"), h->why);
			wrong++;
		}
		world_end(&w);
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_each_scene),
		cmocka_unit_test(judging_twice_gives_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
