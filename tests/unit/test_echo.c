/* SPDX-License-Identifier: MIT */
/* test_echo: what answers give back of requests, marks of single messages, and what speaks against them. */
#include "tests/unit/network_packets.h"

#include "analyzer/network/echo.h"

#define PHONE "192.168.1.10:5060"
#define SERVER "203.0.113.10:5060"
#define ROUTER "198.51.100.20:5060"

static void sip_at(struct echoes *e, const char *src, const char *dst, int64_t at_ms, const char *text)
{
	struct packet p = packet_of(PACKET_SIP, src, dst, at_ms);
	struct sip_message m;

	assert_true(sip_message_parse(span_of(text), strlen(text), &m));
	p.sip = &m;
	p.payload = span_of(text);
	p.payload_wire = p.payload.n;
	echoes_packet(e, &p);
}

static const struct echo_sign *sign_of(const struct echoes *e, enum echo_kind kind)
{
	LIST_EACH(it, echoes_signs(e)) {
		if (LIST_ENTRY(it, struct echo_sign, in_order)->kind == kind)
			return LIST_ENTRY(it, struct echo_sign, in_order);
	}
	return NULL;
}

static uint32_t kinds_of(const struct echoes *e)
{
	uint32_t kinds = 0;

	LIST_EACH(it, echoes_signs(e))
		kinds |= 1u << LIST_ENTRY(it, struct echo_sign, in_order)->kind;
	return kinds;
}

/* ---- request and answer ---- */

#define REQUEST(via, from, id) "OPTIONS sip:1002@203.0.113.10 SIP/2.0\r\nVia: SIP/2.0/UDP " via ";branch=z9hG4bKa;rport\r\nFrom: <sip:1001@" from \
	">;tag=f1\r\nTo: <sip:1002@203.0.113.10>\r\nCall-ID: " id "\r\nCSeq: 7 OPTIONS\r\nMax-Forwards: 70\r\n\r\n"
#define ANSWER(via, from, id) "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP " via "\r\nFrom: <sip:1001@" from \
	"\r\nTo: <sip:1002@192.0.2.77:5070>;tag=t1\r\nCall-ID: " id "\r\nCSeq: 7 OPTIONS\r\n\r\n"

#define LONG "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
	const char *name, *request, *answer;
	uint32_t kinds;
} echoes_cases[] = {
	{ "equal, with a public source", REQUEST("192.168.1.10:5060", "10.9.9.9", "x@192.168.1.10"),
	  ANSWER("192.168.1.10:5060;branch=z9hG4bKa;received=198.51.100.20;rport=5060", "10.9.9.9>;tag=f1",
	  "x@192.168.1.10"), 0 },
	{ "E1 another host", REQUEST("198.51.100.20:5060", "a.example", "x"),
	  ANSWER("192.168.1.10:5060;branch=z9hG4bKa", "a.example>;tag=f1", "x"), 1u << ECHO_VIA_HOST },
	{ "E1 is none with a Via more", REQUEST("198.51.100.20:5060", "a.example", "x"),
	  ANSWER("192.168.1.10:5060;branch=z9hG4bKa\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKb", "a.example>;tag=f1",
	  "x"), 0 },
	{ "E1 is none with names", REQUEST("phone.example:5060", "a.example", "x"),
	  ANSWER("192.168.1.10:5060;branch=z9hG4bKa", "a.example>;tag=f1", "x"), 0 },
	{ "E1 is none where neither tag nor Call-ID agrees", REQUEST("198.51.100.20:5060", "a.example", "x"),
	  ANSWER("192.168.1.10:5060;branch=z9hG4bKa", "a.example>;tag=f2", "y"), 0 },
	{ "E2 port added", REQUEST("192.168.1.10", "a.example", "x"),
	  ANSWER("192.168.1.10:5060;branch=z9hG4bKa", "a.example>;tag=f1", "x"), 1u << ECHO_VIA_PORT },
	{ "a port that is left out is nothing", REQUEST("192.168.1.10:5060", "192.168.1.10:5060", "x"),
	  ANSWER("192.168.1.10;branch=z9hG4bKa", "192.168.1.10>;tag=f1", "x"), 0 },
	{ "E3a host of the Call-ID", REQUEST("192.168.1.10:5060", "a.example", "x@192.168.1.10"),
	  ANSWER("192.168.1.10:5060;branch=z9hG4bKa", "a.example>;tag=f1", "x@198.51.100.20"),
	  1u << ECHO_CALL_ID_HOST },
	{ "E3a behind a long name", REQUEST("192.168.1.10:5060", "a.example", LONG "@192.168.1.10"),
	  ANSWER("192.168.1.10:5060;branch=z9hG4bKa", "a.example>;tag=f1", LONG "@198.51.100.20"),
	  1u << ECHO_CALL_ID_HOST },
	{ "E3 another Call-ID", REQUEST("192.168.1.10:5060", "a.example", "x@192.168.1.10"),
	  ANSWER("192.168.1.10:5060;branch=z9hG4bKa", "a.example>;tag=f1", "y"),
	  1u << ECHO_CALL_ID },
	{ "a host that is not the phone's stays out", REQUEST("192.168.1.10:5060", "a.example", "x@198.18.0.1"),
	  ANSWER("192.168.1.10:5060;branch=z9hG4bKa", "a.example>;tag=f1", "x@198.51.100.20"), 0 },
	{ "E3b host of From", REQUEST("192.168.1.10:5060", "192.168.1.10", "x"),
	  ANSWER("192.168.1.10:5060;branch=z9hG4bKa", "198.51.100.20>;tag=f1", "x"),
	  1u << ECHO_FROM_HOST },
	{ "From of the server is the server's affair", REQUEST("192.168.1.10:5060", "203.0.113.10", "x"),
	  ANSWER("192.168.1.10:5060;branch=z9hG4bKa", "203.0.113.10:5060>;tag=f1", "x"), 0 },
	{ "E3p and E2 together", REQUEST("192.168.1.10", "192.168.1.10", "x"),
	  ANSWER("192.168.1.10:5060;branch=z9hG4bKa", "192.168.1.10:5060>;tag=f1", "x"),
	  1u << ECHO_VIA_PORT | 1u << ECHO_FROM_PORT },
	{ "E4 the private source", REQUEST("192.168.1.10:5060", "a.example", "x"),
	  ANSWER("192.168.1.10:5060;branch=z9hG4bKa;received=192.168.1.10;rport=5060", "a.example>;tag=f1", "x"),
	  1u << ECHO_RECEIVED },
	{ "somebody else's private source", REQUEST("192.168.1.10:5060", "a.example", "x"),
	  ANSWER("192.168.1.10:5060;branch=z9hG4bKa;received=10.4.4.4;rport=5060", "a.example>;tag=f1", "x"), 0 },
};

static void answers_are_held_against_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(echoes_cases); i++) {
		struct echoes *e = echoes_new();

		sip_at(e, PHONE, SERVER, 1000, echoes_cases[i].request);
		sip_at(e, SERVER, PHONE, 1020, echoes_cases[i].answer);
		if (kinds_of(e) != echoes_cases[i].kinds)
			fail_msg("%s: kinds %#x", echoes_cases[i].name, kinds_of(e));
		echoes_free(e);
	}
}

/* An answer belongs to a request for 64 T1, over the same two sockets. */
static void only_its_own_answer(void **state)
{
	static const char *const changed = ANSWER("192.168.1.10:5060;branch=z9hG4bKa", "a.example>;tag=f1", "x");
	struct echoes *e = echoes_new();

	(void)state;
	sip_at(e, PHONE, SERVER, 1000, REQUEST("198.51.100.20:5060", "a.example", "x"));
	sip_at(e, "203.0.113.11:5060", PHONE, 1010, changed);
	sip_at(e, SERVER, "192.168.1.11:5060", 1010, changed);
	sip_at(e, SERVER, PHONE, 33100, changed);
	assert_int_equal(kinds_of(e), 0);
	echoes_free(e);
}

/* The phone goes on repeating a request that was answered. */
static void discarded_answers_are_counted(void **state)
{
	static const char *const request = REQUEST("198.51.100.20:5060", "a.example", "x");
	struct echoes *e = echoes_new();

	(void)state;
	sip_at(e, PHONE, SERVER, 1000, request);
	sip_at(e, PHONE, SERVER, 1500, request);
	assert_int_equal(kinds_of(e), 0);
	sip_at(e, SERVER, PHONE, 1510, ANSWER("192.168.1.10:5060;branch=z9hG4bKa", "a.example>;tag=f1", "x"));
	sip_at(e, PHONE, SERVER, 2500, request);
	assert_int_equal(sign_of(e, ECHO_VIA_HOST)->discarded, 1);
	assert_int_equal(sign_of(e, ECHO_VIA_HOST)->transactions, 1);
	assert_string_equal(sign_of(e, ECHO_VIA_HOST)->before, ROUTER);
	assert_string_equal(sign_of(e, ECHO_VIA_HOST)->after, PHONE);
	echoes_free(e);
}

static void answer_to_another_port(void **state)
{
	struct address phone = address_of("192.168.1.10"), server = address_of("203.0.113.10");
	struct echoes *e = echoes_new();

	(void)state;
	sip_at(e, "192.168.1.10:49170", SERVER, 1000, REQUEST("192.168.1.10:5060", "a.example", "x"));
	sip_at(e, SERVER, PHONE, 1010, ANSWER("192.168.1.10:5060;branch=z9hG4bKa", "a.example>;tag=f1", "x"));
	assert_int_equal(kinds_of(e), 1u << ECHO_RESPONSE_PORT);
	assert_false(echoes_sent_from(e, &phone, 5060, &server, 1010 * MILLISECOND_NS));
	assert_true(echoes_sent_from(e, &phone, 49170, &server, 299 * SECOND_NS));
	assert_false(echoes_sent_from(e, &phone, 49170, &server, 302 * SECOND_NS));
	echoes_free(e);
}

static void intact_answers_are_counted(void **state)
{
	struct address phone = address_of("192.168.1.10"), server = address_of("203.0.113.10");
	struct echoes *e = echoes_new();

	(void)state;
	sip_at(e, PHONE, SERVER, 1000, echoes_cases[0].request);
	sip_at(e, SERVER, PHONE, 1010, ANSWER("192.168.1.10:5060;branch=z9hG4bKa;received=198.51.100.20;rport=5060",
		"10.9.9.9>;tag=f1", "x@192.168.1.10"));
	assert_int_equal(echoes_intact(e, &phone, &server), 1);
	echoes_free(e);
}

/* ---- single messages, seen from outside ---- */

#define REGISTER_OUT(via, id) "REGISTER sip:203.0.113.10 SIP/2.0\r\nVia: SIP/2.0/UDP " via ";branch=z9hG4bK" id ";rport\r\nFrom: <sip:1001@203.0.113.10>;tag=f1\r\n" \
	"To: <sip:1001@203.0.113.10>\r\nContact: <sip:1001@" via ">\r\nCall-ID: " id "\r\nCSeq: 1 REGISTER\r\nMax-Forwards: 70\r\nUser-Agent: Desk 200\r\n\r\n"

/* Back to private twice under one Call-ID; a new Call-ID begins anew, and so does another private address. */
static void turning_back(void **state)
{
	static const struct { const char *vias[6]; bool alternates; } cases[] = {
		{ { REGISTER_OUT(PHONE, "r"), REGISTER_OUT(ROUTER, "r"), REGISTER_OUT(PHONE, "r"),
		  REGISTER_OUT(ROUTER, "r"), REGISTER_OUT(PHONE, "r") }, true },
		{ { REGISTER_OUT(PHONE, "r"), REGISTER_OUT(ROUTER, "r"), REGISTER_OUT(PHONE, "r"),
		  REGISTER_OUT(ROUTER, "r") }, false },
		{ { REGISTER_OUT(PHONE, "r"), REGISTER_OUT(ROUTER, "r"), REGISTER_OUT(PHONE, "s"),
		  REGISTER_OUT(ROUTER, "s"), REGISTER_OUT(PHONE, "t") }, false },
		{ { REGISTER_OUT(PHONE, "r"), REGISTER_OUT(ROUTER, "r"), REGISTER_OUT("192.168.1.11:5060", "r"),
		  REGISTER_OUT(ROUTER, "r"), REGISTER_OUT(PHONE, "r") }, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct echoes *e = echoes_new();

		for (unsigned k = 0; k < 6 && cases[i].vias[k]; k++)
			sip_at(e, ROUTER, SERVER, 1000 + 60000 * k, cases[i].vias[k]);
		if ((sign_of(e, ECHO_ALTERNATES) != NULL) != cases[i].alternates)
			fail_msg("case %zu", i);
		echoes_free(e);
	}
}

#define INVITE_OUT(headers, \
	lines) "INVITE sip:1002@203.0.113.10 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.20:5060;branch=z9hG4bKi;rport\r\n" \
	"From: <sip:1001@203.0.113.10>;tag=f1\r\nTo: <sip:1002@203.0.113.10>\r\nContact: <sip:1001@198.51.100.20:5060>\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n" \
	headers "Content-Type: application/sdp\r\n\r\nv=0\r\n" lines "t=0 0\r\nm=audio 11780 RTP/AVP 8\r\n"
#define OWN "o=- 1 1 IN IP4 198.51.100.20\r\n"
#define CONNECTION "c=IN IP4 198.51.100.20\r\n"

static void overlooked_addresses(void **state)
{
	static const struct { const char *name, *text; uint32_t detail; } cases[] = {
		{ "all public", INVITE_OUT("Call-ID: x@198.51.100.20\r\n", OWN CONNECTION), 0 },
		{ "o=", INVITE_OUT("Call-ID: x\r\n", "o=- 1 1 IN IP4 192.168.1.10\r\n" CONNECTION), STALE_OWNER },
		{ "Call-ID", INVITE_OUT("Call-ID: x@192.168.1.10\r\n", OWN CONNECTION), STALE_CALL_ID },
		{ "a=rtcp", INVITE_OUT("Call-ID: x\r\n", OWN CONNECTION "a=rtcp:11781 IN IP4 192.168.1.10\r\n"),
		  STALE_RTCP },
		{ "candidates", INVITE_OUT("Call-ID: x\r\n",
		  OWN CONNECTION "a=candidate:1 1 UDP 1 192.168.1.10 11780 typ host\r\n"), STALE_CANDIDATE },
		{ "candidates, one of them the c= line's",
		  INVITE_OUT("Call-ID: x\r\n", OWN CONNECTION "a=candidate:1 1 UDP 1 192.168.1.10 11780 typ host\r\na=candidate:2 1 UDP 1 198.51.100.20 11780 typ host\r\n"), 0 },
		{ "candidates of STUN", INVITE_OUT("Call-ID: x\r\n", OWN CONNECTION
		  "a=candidate:1 1 UDP 1 192.168.1.10 11780 typ host\r\na=candidate:2 1 UDP 1 198.51.100.9 1 typ srflx raddr 192.168.1.10 rport 11780\r\n"), 0 },
		{ "digest", INVITE_OUT("Call-ID: x\r\nAuthorization: Digest nonce=\"a\", uri=\"sip:192.168.1.1\"\r\n",
		  OWN CONNECTION), STALE_DIGEST },
		{ "identity", INVITE_OUT("Call-ID: x\r\nP-Asserted-Identity: <sip:1001@192.168.1.10>\r\n",
		  OWN CONNECTION), STALE_ROUTING },
		{ "c= is private: nothing was overlooked",
		  INVITE_OUT("Call-ID: x@192.168.1.10\r\n", OWN "c=IN IP4 192.168.1.10\r\n"), 0 },
		{ "a proxy's work", INVITE_OUT("Call-ID: x@192.168.1.10\r\nRecord-Route: <sip:198.51.100.20;lr>\r\n",
		  OWN CONNECTION), 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct echoes *e = echoes_new();
		const struct echo_sign *s;

		sip_at(e, ROUTER, SERVER, 1000, cases[i].text);
		s = sign_of(e, ECHO_STALE);
		if ((s ? s->detail : 0) != cases[i].detail)
			fail_msg("%s: %#x", cases[i].name, s ? s->detail : 0);
		echoes_free(e);
	}
}

static void stun_told(void **state)
{
	struct echoes *e = echoes_new();
	struct packet p = packet_of(PACKET_STUN, "192.0.2.9:3478", ROUTER, 900);

	(void)state;
	sip_at(e, ROUTER, SERVER, 1000, INVITE_OUT("Call-ID: x@192.168.1.10\r\n", OWN CONNECTION));
	assert_int_equal(echoes_doubts(e, sign_of(e, ECHO_STALE)), 0);
	p.stun.type = 0x0101;
	p.stun.mapped = endpoint_of(ROUTER);
	echoes_packet(e, &p);
	assert_int_equal(echoes_doubts(e, sign_of(e, ECHO_STALE)), DOUBT_STUN);
	echoes_free(e);
}

/* A private Via that passes speaks for ten minutes before and behind. */
static void untouched_neighbours(void **state)
{
	static const struct { int64_t at_ms; unsigned doubts;
		} cases[] = { { 2000, DOUBT_UNTOUCHED }, { 600000, DOUBT_UNTOUCHED }, { 602000, 0 } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct echoes *e = echoes_new();

		sip_at(e, ROUTER, SERVER, 1000, INVITE_OUT("Call-ID: x@192.168.1.10\r\n", OWN CONNECTION));
		sip_at(e, "198.51.100.20:5062", SERVER, cases[i].at_ms, REGISTER_OUT("192.168.1.11:5062", "n"));
		if (echoes_doubts(e, sign_of(e, ECHO_STALE)) != cases[i].doubts)
			fail_msg("case %zu: %#x", i, echoes_doubts(e, sign_of(e, ECHO_STALE)));
		echoes_free(e);
	}
}

/* A laptop's VPN takes nobody else along; a tunnel between routers does, and the phone's own. */
static void tunnels(void **state)
{
	static const struct { const char *a, *b; bool on_the_path; } cases[] = {
		{ "198.51.100.20:4500", "203.0.113.1:4500", true }, { "192.168.1.77:51820", "192.0.2.1:51820", false },
		  { "192.168.1.10:51820", "192.0.2.1:51820", true },
	};
	struct address phone = address_of("192.168.1.10");

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct echoes *e = echoes_new();
		struct packet p = packet_of(PACKET_OTHER, cases[i].a, cases[i].b, 0);

		p.payload = SPAN("ciphertext");
		assert_false(echoes_tunnel(e, &phone));
		echoes_packet(e, &p);
		assert_int_equal(echoes_tunnel(e, &phone), cases[i].on_the_path);
		echoes_free(e);
	}
}

#define INVITE_OF(branch, lines) "INVITE sip:1002@203.0.113.10 SIP/2.0\r\nVia: SIP/2.0/UDP 192.168.1.10:5060;branch=z9hG4bK" branch ";rport\r\n" \
	"From: <sip:1001@h>;tag=f1\r\nTo: <sip:1002@h>\r\nCall-ID: " branch "\r\nCSeq: 1 INVITE\r\nContent-Type: application/sdp\r\n" lines
#define ANSWER_OF(branch) "SIP/2.0 486 Busy Here\r\nVia: SIP/2.0/UDP 192.168.1.10:5060;branch=z9hG4bK" branch ";rport=5060\r\nFrom: <sip:1001@h>;tag=f1\r\n" \
	"To: <sip:1002@h>;tag=t\r\nCall-ID: " branch "\r\nCSeq: 1 INVITE\r\n\r\n"
#define SDP_OF(connection, media) "Content-Length: 200\r\n\r\nv=0\r\no=- 1 1 IN IP4 192.168.1.10\r\ns=-\r\n" connection "t=0 0\r\n" media "\r\n"

/*
 * Four transmissions of what helpers refuse, unanswered, while another INVITE of the flow is answered within a minute.
 */
static void refused_requests(void **state)
{
	static const struct { const char *name, *invite; unsigned transmissions; int64_t other_ms; uint32_t detail;
		} cases[] = {
		{ "port 9", INVITE_OF("a", SDP_OF("c=IN IP4 192.168.1.10\r\n", "m=audio 9 RTP/AVP 8")), 4, 20000,
		  REFUSED_LOW_PORT },
		{ "IPv6", INVITE_OF("a", SDP_OF("c=IN IP6 2001:db8::1\r\n", "m=audio 4000 RTP/AVP 8")), 4, 20000,
		  REFUSED_FAMILY },
		{ "no c=", INVITE_OF("a", SDP_OF("", "m=audio 4000 RTP/AVP 8")), 4, 20000, REFUSED_NO_CONNECTION },
		{ "no Content-Length", INVITE_OF("a", "\r\nv=0\r\nc=IN IP4 192.168.1.10\r\nm=audio 4000 RTP/AVP 8\r\n"),
		  4, 20000, REFUSED_NO_LENGTH },
		{ "rejected medium", INVITE_OF("a", SDP_OF("c=IN IP4 192.168.1.10\r\n", "m=audio 0 RTP/AVP 8")), 4,
		  20000, 0 },
		{ "an ordinary one", INVITE_OF("a", SDP_OF("c=IN IP4 192.168.1.10\r\n", "m=audio 4000 RTP/AVP 8")), 4,
		  20000, 0 },
		{ "three transmissions", INVITE_OF("a", SDP_OF("c=IN IP4 192.168.1.10\r\n", "m=audio 9 RTP/AVP 8")), 3,
		  20000, 0 },
		{ "the other one is too late",
		  INVITE_OF("a", SDP_OF("c=IN IP4 192.168.1.10\r\n", "m=audio 9 RTP/AVP 8")), 4, 62000, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct echoes *e = echoes_new();
		const struct echo_sign *s;

		for (unsigned k = 0; k < cases[i].transmissions; k++)
			sip_at(e, PHONE, SERVER, 1000 + 1500 * k, cases[i].invite);
		sip_at(e, PHONE, SERVER, cases[i].other_ms,
			INVITE_OF("b", SDP_OF("c=IN IP4 192.168.1.10\r\n", "m=audio 4000 RTP/AVP 8")));
		sip_at(e, SERVER, PHONE, cases[i].other_ms + 20, ANSWER_OF("b"));
		echoes_settle(e);
		echoes_settle(e);
		s = sign_of(e, ECHO_REFUSED);
		if ((s ? s->detail : 0) != cases[i].detail || (s && s->messages != 1))
			fail_msg("%s: %#x", cases[i].name, s ? s->detail : 0);
		echoes_free(e);
	}
}

#define REGISTER_OF(via, contact, rest) "REGISTER sip:203.0.113.10 SIP/2.0\r\nVia: SIP/2.0/UDP " via ";branch=z9hG4bKa\r\n" \
	"From: <sip:1001@h>;tag=a\r\nTo: <sip:1001@h>\r\nCall-ID: x\r\nCSeq: 1 REGISTER\r\nContact: <sip:1001@" contact ">\r\n" rest "\r\n"
#define OFFER_OF(connection) "Content-Type: application/sdp\r\nContent-Length: 75\r\n\r\nv=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 " \
	connection "\r\nm=audio 4000 RTP/AVP 8"

/* Only what a rewriter would have had to change says that there is none. */
static void addresses_that_arrive(void **state)
{
	static const struct { const char *name, *text; unsigned untouched; bool touched, sdp; } cases[] = {
		{ "private, with the source's port", REGISTER_OF("192.168.1.10:5060", "192.168.1.10:5060", ""), 1, false,
		  false },
		{ "5060 goes without saying", REGISTER_OF("192.168.1.10", "192.168.1.10", ""), 1, false, false },
		{ "another port", REGISTER_OF("192.168.1.10:5070", "192.168.1.10:5070", ""), 0, false, false },
		{ "Contact is public", REGISTER_OF("192.168.1.10:5060", ROUTER, ""), 0, true, false },
		{ "Via is public", REGISTER_OF(ROUTER, "192.168.1.10:5060", ""), 0, true, false },
		{ "a name", REGISTER_OF("phone.example", "192.168.1.10:5060", ""), 0, false, false },
		{ "SDP is private", REGISTER_OF("192.168.1.10:5060", "192.168.1.10:5060", OFFER_OF("192.168.1.10")), 1,
		  false, true },
		{ "SDP is public", REGISTER_OF("192.168.1.10:5060", "192.168.1.10:5060", OFFER_OF("198.51.100.20")), 0,
		  true, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct echoes *e = echoes_new();
		const struct echo_passing *s;

		sip_at(e, ROUTER, SERVER, 1000, cases[i].text);
		assert_int_equal(echoes_passing(e)->count, 1);
		s = LIST_ENTRY(echoes_passing(e)->head.next, struct echo_passing, in_order);
		if (s->untouched != cases[i].untouched || s->touched != cases[i].touched || s->sdp != cases[i].sdp)
			fail_msg("%s: %u %d %d", cases[i].name, s->untouched, s->touched, s->sdp);
		echoes_free(e);
	}
}

/* More phones and requests than there is room for: the oldest leave, nothing breaks. */
static void room_is_bounded(void **state)
{
	struct echoes *e = echoes_new();

	(void)state;
	for (unsigned i = 0; i < 70000; i++) {
		char text[400], src[32];

		snprintf(src, sizeof src, "198.%u.%u.%u:5060", 51 + i / 65536, i / 256 % 256, i % 256);
		snprintf(text, sizeof text, "OPTIONS sip:203.0.113.10 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.20:5060;branch=z9hG4bK%u\r\nFrom: <sip:%u@h>;tag=a\r\n"
			 "To: <sip:h>\r\nCall-ID: %u@10.0.0.1\r\nCSeq: 1 OPTIONS\r\n\r\n", i, i, i);
		sip_at(e, src, SERVER, 1000 + i / 100, text);
	}
	assert_true(echoes_signs(e)->count <= 16384);
	echoes_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_held_against_requests), cmocka_unit_test(only_its_own_answer),
			cmocka_unit_test(discarded_answers_are_counted),
		cmocka_unit_test(answer_to_another_port), cmocka_unit_test(intact_answers_are_counted),
		cmocka_unit_test(turning_back),
		cmocka_unit_test(overlooked_addresses), cmocka_unit_test(stun_told),
		cmocka_unit_test(untouched_neighbours), cmocka_unit_test(tunnels),
		cmocka_unit_test(refused_requests), cmocka_unit_test(addresses_that_arrive),
		cmocka_unit_test(room_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
