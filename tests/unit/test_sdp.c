/* SPDX-License-Identifier: MIT */
/* sdp: what real, old and broken descriptions say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "captures/base/hash.h"
#include "dissect/sdp.h"

#define HEAD  "v=0\r\no=alice 11 22 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"
#define AUDIO "m=audio 4000 RTP/AVP 0\r\n"

static struct sdp_text sdp; /* large */

static const struct sdp_media *parse(const char *text)
{
	size_t n = strlen(text);
	uint8_t *copy = malloc(n ? n : 1);
	static uint8_t *last;

	free(last); /* spans point into it until the next one */
	last = copy;
	assert_non_null(copy);
	memcpy(copy, text, n);
	assert_true(sdp_parse((struct span){ copy, n }, &sdp));
	return sdp.media;
}

static void assert_span(struct span s, const char *text)
{
	if (!span_equal(s, span_of(text)))
		fail_msg("\"%.*s\" is not \"%s\"", (int)s.n, s.p ? (const char *)s.p : "", text);
}

static void assert_endpoint(const struct endpoint *e, const char *text)
{
	char buffer[ENDPOINT_TEXT];

	assert_string_equal(endpoint_text(e, buffer), text);
}

static void test_session(void **state)
{
	(void)state;
	parse(HEAD "a=group:BUNDLE 0\r\na=ice-lite\r\na=recvonly\r\n" AUDIO);
	assert_int_equal(sdp.said.flaws, 0);
	assert_span(sdp.origin, "alice 11 22 IN IP4 10.0.0.9");
	assert_span(sdp.origin_user, "alice");
	assert_span(sdp.session_id, "11");
	assert_span(sdp.session_version, "22");
	assert_span(sdp.origin_host, "10.0.0.9");
	assert_span(sdp.session_name, "-");
	assert_endpoint(&sdp.connection, "10.0.0.1");
	assert_true(sdp.ice_lite);
	assert_true(sdp.bundle);
	assert_int_equal(sdp.said.direction, SDP_RECVONLY);
	assert_int_equal(sdp.said.media_count, 1);
}

static void test_media_lines(void **state)
{
	static const struct {
		const char *line;
		enum sdp_kind kind;
		int port;
		bool rtp, secure, t38;
		unsigned formats;
		uint32_t flaws;
	} cases[] = {
		{ "audio 49170 RTP/AVP 0 8 101", SDP_AUDIO, 49170, true, false, false, 3, 0 },
		{ "audio 49170/2 RTP/AVP 0", SDP_AUDIO, 49170, true, false, false, 1, 0 },
		{ "audio 0 RTP/AVP 0", SDP_AUDIO, 0, true, false, false, 1, 0 },
		{ "video 5000 RTP/AVPF 96", SDP_VIDEO, 5000, true, false, false, 1, 0 },
		{ "AUDIO 5000 rtp/savp 0", SDP_AUDIO, 5000, true, true, false, 1, 0 },
		{ "audio 9 UDP/TLS/RTP/SAVPF 111 0 111", SDP_AUDIO, 9, true, true, false, 2, 0 },
		{ "audio 9 XRTP/AVP 0", SDP_AUDIO, 9, false, false, false, 0, 0 },
		{ "image 4002 udptl t38", SDP_IMAGE, 4002, false, false, true, 0, 0 },
		{ "image 4002 UDPTL T38", SDP_IMAGE, 4002, false, false, true, 0, 0 },
		{ "application 9 UDP/DTLS/SCTP webrtc-datachannel", SDP_APPLICATION, 9, false, false, false, 0, 0 },
		{ "message 2855 TCP/MSRP *", SDP_MESSAGE, 2855, false, false, false, 0, 0 },
		{ "text 4004 RTP/AVP 98", SDP_TEXT, 4004, true, false, false, 1, 0 },
		{ "holograph 4004 RTP/AVP 98", SDP_KIND_OTHER, 4004, true, false, false, 1, 0 },
		{ "audio 65535 RTP/AVP 0", SDP_AUDIO, 65535, true, false, false, 1, 0 },
		{ "audio 65536 RTP/AVP 0", SDP_AUDIO, 0, true, false, false, 1, SDP_FLAW_PORT },
		{ "audio 99999999999999999999 RTP/AVP 0", SDP_AUDIO, 0, true, false, false, 1, SDP_FLAW_PORT },
		{ "audio -1 RTP/AVP 0", SDP_AUDIO, 0, true, false, false, 1, SDP_FLAW_PORT },
		{ "audio 4000 RTP/AVP 128 256 -1 x 0", SDP_AUDIO, 4000, true, false, false, 1, SDP_FLAW_LINE },
		{ "audio 4000 RTP/AVP", SDP_AUDIO, 4000, true, false, false, 0, SDP_FLAW_LINE },
		{ "audio 4000", SDP_AUDIO, 4000, false, false, false, 0, SDP_FLAW_LINE },
		{ "audio", SDP_AUDIO, 0, false, false, false, 0, SDP_FLAW_LINE | SDP_FLAW_PORT },
		{ "", SDP_KIND_OTHER, 0, false, false, false, 0, SDP_FLAW_LINE | SDP_FLAW_PORT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct sdp_media *m;
		char text[512];

		snprintf(text, sizeof text, HEAD "m=%s\r\n", cases[i].line);
		m = parse(text);
		if (sdp.said.flaws != cases[i].flaws)
			fail_msg("%s: flaws %x", cases[i].line, sdp.said.flaws);
		assert_int_equal(sdp.said.media_count, 1);
		assert_int_equal(m->kind, cases[i].kind);
		assert_int_equal(m->port, cases[i].port);
		assert_int_equal(m->rtp, cases[i].rtp);
		assert_int_equal(m->secure, cases[i].secure);
		assert_int_equal(m->t38, cases[i].t38);
		assert_int_equal(m->format_count, cases[i].formats);
	}
}

static void test_connections(void **state)
{
	static const struct {
		const char *session, *medium, *at, *name;
		uint32_t flaws;
	} cases[] = {
		{ "c=IN IP4 10.0.0.1\r\n", "", "10.0.0.1:4000", "", 0 },
		{ "", "c=IN IP4 10.0.0.2\r\n", "10.0.0.2:4000", "", 0 },
		{ "c=IN IP4 10.0.0.1\r\n", "c=IN IP4 10.0.0.2\r\n", "10.0.0.2:4000", "", 0 },
		{ "", "", "?:4000", "", SDP_FLAW_NO_CONNECTION },
		{ "c=IN IP4 224.2.1.1/127/3\r\n", "", "224.2.1.1:4000", "", 0 },
		{ "c=IN IP6 2001:db8::1\r\n", "", "[2001:db8::1]:4000", "", 0 },
		{ "c=IN IP6 FF15::101/3\r\n", "", "[ff15::101]:4000", "", 0 },
		{ "c=IN IP6 ::ffff:10.0.0.3\r\n", "", "10.0.0.3:4000", "", 0 },
		{ "c=IN IP4 0.0.0.0\r\n", "", "0.0.0.0:4000", "", 0 }, { "c=IN IP6 ::\r\n", "", "[::]:4000", "", 0 },
		{ "c=IN IP4 pbx.example.com\r\n", "", "?:4000", "pbx.example.com", 0 },
		{ "c=IN IP4 10.0.0.1\r\n", "c=IN IP4 host\r\n", "?:4000", "host", 0 },
		{ "c=in ip4 10.0.0.1 \r\n", "", "10.0.0.1:4000", "", 0 },
		{ "c=IN IP4 10.0.0.300\r\n", "", "?:4000", "", SDP_FLAW_LINE },
		{ "c=IN IP4 10.0.0\r\n", "", "?:4000", "", SDP_FLAW_LINE },
		{ "c=IN IP4 fe80::1%eth0\r\n", "", "?:4000", "", SDP_FLAW_LINE },
		{ "c=IN IP6 10.0.0.1\r\n", "", "?:4000", "", SDP_FLAW_LINE },
		{ "c=IN IP4 2001:db8::1\r\n", "", "?:4000", "", SDP_FLAW_LINE },
		{ "c=IN IP4\r\n", "", "?:4000", "", SDP_FLAW_LINE }, { "c=\r\n", "", "?:4000", "", SDP_FLAW_LINE },
		{ "c=ATM NSAP 47.0091\r\n", "", "?:4000", "", SDP_FLAW_LINE },
		{ "c=IN IP4 10.0.0.1\r\n", "c=IN IP4 <b>\r\n", "?:4000", "",
			SDP_FLAW_LINE }, /* not the session's: he meant another one */
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct sdp_media *m;
		char text[512];

		snprintf(text, sizeof text, "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\n%st=0 0\r\n" AUDIO "%s",
			cases[i].session, cases[i].medium);
		m = parse(text);
		if (sdp.said.flaws != cases[i].flaws)
			fail_msg("%s%s: flaws %x", cases[i].session, cases[i].medium, sdp.said.flaws);
		assert_endpoint(&m->at, cases[i].at);
		assert_span(m->rare->name, cases[i].name);
	}
}

static void test_no_connection_for_a_rejected_medium(void **state)
{
	(void)state;
	parse("v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\nc=IN IP4 10.0.0.1\r\nm=video 0 RTP/AVP 31\r\n");
	assert_int_equal(sdp.said.flaws, 0);
}

static void test_rtcp(void **state)
{
	static const struct {
		const char *line, *attribute, *rtcp;
		uint32_t flaws;
	} cases[] = {
		{ AUDIO, "", "10.0.0.1:4001", 0 },
		{ AUDIO, "a=rtcp:5001\r\n", "10.0.0.1:5001", 0 },
		{ AUDIO, "a=rtcp:5001 IN IP4 10.0.0.7\r\n", "10.0.0.7:5001", 0 },
		{ AUDIO, "a=rtcp:5001 IN IP6 2001:db8::7\r\n", "[2001:db8::7]:5001", 0 },
		{ AUDIO, "a=rtcp:99999999 IN IP4 999.9.9.9\r\n", "10.0.0.1:4001", SDP_FLAW_PORT },
		{ AUDIO, "a=rtcp:5001 IN IP4 999.9.9.9\r\n", "10.0.0.1:4001", SDP_FLAW_LINE },
		{ AUDIO, "a=rtcp:0\r\n", "10.0.0.1:4001", SDP_FLAW_PORT },
		{ "m=audio 65535 RTP/AVP 0\r\n", "", "10.0.0.1", 0 },
		{ "m=audio 0 RTP/AVP 0\r\n", "", "10.0.0.1", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct endpoint rtcp;
		char text[512];

		snprintf(text, sizeof text, HEAD "%s%s", cases[i].line, cases[i].attribute);
		rtcp = sdp_media_rtcp(parse(text));
		assert_endpoint(&rtcp, cases[i].rtcp);
		assert_int_equal(sdp.said.flaws, cases[i].flaws);
	}
}

static void test_formats(void **state)
{
	static const struct {
		const char *formats, *attributes;
		int pt;
		const char *codec;
		uint32_t clock_hz;
		unsigned channels;
		const char *fmtp;
		bool mapped;
		uint32_t flaws;
	} cases[] = {
		{ "0", "", 0, "PCMU", 8000, 1, "", false, 0 },
		{ "9", "", 9, "G722", 8000, 1, "", false, 0 },
		{ "9", "a=rtpmap:9 G722/16000\r\n", 9, "G722", 8000, 1, "", true, 0 },
		{ "10", "", 10, "L16", 44100, 2, "", false, 0 },
		{ "96", "", 96, "", 0, 1, "", false, 0 },
		{ "111", "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1\r\n", 111, "opus", 48000, 2,
			"useinbandfec=1", true, 0 },
		{ "101", "a=fmtp:101 0-16\r\na=rtpmap:101 telephone-event/8000\r\n", 101, "telephone-event", 8000, 1,
			"0-16", true, 0 },
		{ "18", "a=fmtp:18 annexb=no\r\n", 18, "G729", 8000, 1, "annexb=no", false, 0 },
		{ "0", "a=rtpmap:0 PCMU/0\r\n", 0, "PCMU", 8000, 1, "", true, SDP_FLAW_LINE },
		{ "97", "a=rtpmap:97 X/0\r\n", 97, "X", 0, 1, "", true, SDP_FLAW_LINE },
		{ "97", "a=rtpmap:97 X/-8000\r\n", 97, "X", 0, 1, "", true, SDP_FLAW_LINE },
		{ "97", "a=rtpmap:97 X\r\n", 97, "X", 0, 1, "", true, SDP_FLAW_LINE },
		{ "97", "a=rtpmap:97 X/99999999999\r\n", 97, "X", 0, 1, "", true, SDP_FLAW_LINE },
		{ "97", "a=rtpmap:97\tiLBC/8000\r\na=rtpmap:97 other/16000\r\n", 97, "iLBC", 8000, 1, "", true, 0 },
		{ "97", "a=rtpmap:98 iLBC/8000\r\n", 97, "", 0, 1, "", false, 0 },
		{ "97", "a=rtpmap:256 iLBC/8000\r\n", 97, "", 0, 1, "", false, SDP_FLAW_LINE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct sdp_format *f;
		char text[512];

		snprintf(
			text, sizeof text, HEAD "m=audio 4000 RTP/AVP %s\r\n%s", cases[i].formats, cases[i].attributes);
		f = sdp_format_find(parse(text), (uint8_t)cases[i].pt);
		assert_non_null(f);
		assert_span(f->codec, cases[i].codec);
		assert_int_equal(f->clock_hz, cases[i].clock_hz);
		assert_int_equal(f->channels, cases[i].channels);
		assert_span(f->fmtp, cases[i].fmtp);
		assert_int_equal(f->mapped, cases[i].mapped);
		assert_int_equal(sdp.said.flaws, cases[i].flaws);
	}
	assert_null(sdp_format_find(sdp.media, 1));
}

static void test_static_codecs(void **state)
{
	uint32_t clock_hz;

	(void)state;
	assert_span(sdp_static_codec(34, &clock_hz), "H263");
	assert_int_equal(clock_hz, 90000);
	assert_span(sdp_static_codec(16, &clock_hz), "DVI4");
	assert_int_equal(clock_hz, 11025);
	for (unsigned pt = 35; pt <= 255; pt++) {
		assert_int_equal(sdp_static_codec((uint8_t)pt, &clock_hz).n, 0);
		assert_int_equal(clock_hz, 0);
	}
	assert_int_equal(sdp_static_codec(1, &clock_hz).n, 0);
}

static void test_directions(void **state)
{
	static const struct {
		const char *session, *medium;
		enum sdp_direction direction;
	} cases[] = {
		{ "", "", SDP_SENDRECV }, { "a=sendonly\r\n", "", SDP_SENDONLY },
		{ "a=sendonly\r\n", "a=inactive\r\n", SDP_INACTIVE },
		{ "a=inactive\r\n", "a=sendrecv\r\n", SDP_SENDRECV }, { "", "a=recvonly\r\n", SDP_RECVONLY },
		{ "", "a=RECVONLY \r\n", SDP_RECVONLY }, { "", "a=sendrend\r\n", SDP_SENDRECV },
		{ "", "a=inactive", SDP_INACTIVE }, /* the last line has no end */
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[512];

		snprintf(text, sizeof text, HEAD "%s" AUDIO "%s", cases[i].session, cases[i].medium);
		assert_int_equal(parse(text)->direction, cases[i].direction);
	}
	assert_int_equal(sdp.said.flaws, SDP_FLAW_NO_LINE_END);
	parse(HEAD "a=sendonly\r\n" AUDIO "a=inactive\r\nm=video 5000 RTP/AVP 31\r\n");
	assert_int_equal(sdp.said.direction, SDP_SENDONLY);
	assert_int_equal(sdp.media[1].direction, SDP_SENDONLY);
	parse("v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nt=0 0\r\n" AUDIO "c=IN IP4 0.0.0.0\r\n");
	assert_int_equal(sdp.media[0].direction, SDP_SENDRECV);
}

static void test_attributes(void **state)
{
	const struct sdp_media *m;

	(void)state;
	m = parse(HEAD
		"a=fingerprint:sha-256 AA:BB\r\na=setup:actpass\r\na=ice-ufrag:uf\r\na=ptime:30\r\n"
		"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=label:main\r\na=rtcp-mux\r\na=ssrc:3735928559 cname:x\r\na=ssrc:3735928559 msid:y\r\n"
		"a=ssrc:1 cname:x\r\na=maxptime:120\r\na=silenceSupp:off - - - -\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:secret\r\n"
		"a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:secret\r\n"
		"m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=bundle-only\r\na=setup:passive\r\na=fingerprint:sha-1 CC\r\na=ptime:20.0\r\n");
	assert_int_equal(sdp.said.flaws, 0);
	assert_span(m[0].rare->fingerprint, "sha-256 AA:BB");
	assert_span(m[0].rare->setup, "actpass");
	assert_span(m[0].rare->ice_ufrag, "uf");
	assert_span(m[0].rare->mid, "0");
	assert_span(m[0].rare->label, "main");
	assert_true(m[0].rtcp_mux);
	assert_true(m[0].trickle);
	assert_false(m[0].bundle_only);
	assert_true(m[0].silence_suppression_off);
	assert_int_equal(m[0].ptime_ms, 30);
	assert_int_equal(m[0].maxptime_ms, 120);
	assert_int_equal(m[0].rare->ssrc_count, 2);
	assert_int_equal(m[0].rare->ssrcs[0], 3735928559u);
	assert_int_equal(m[0].rare->crypto_count, 2);
	assert_false(m[0].rare->key_management);
	assert_span(m[0].rare->crypto_suite, "AES_CM_128_HMAC_SHA1_80");
	assert_span(m[1].rare->fingerprint, "sha-1 CC");
	assert_span(m[1].rare->setup, "passive");
	assert_true(m[1].bundle_only);
	assert_false(m[1].rtcp_mux);
	assert_int_equal(m[1].ptime_ms, 20);
	assert_int_equal(m[1].rare->crypto_count, 0);
}

static void test_broken_attributes(void **state)
{
	static const char *const lines[] = {
		"a=ptime:-20",
		"a=ptime:99999999999",
		"a=ptime:",
		"a=maxptime:x",
		"a=ssrc:4294967296 cname:x",
		"a=ssrc:",
		"a=crypto:1",
		"a=crypto:",
		"a=candidate:",
		"a=candidate:1 1 UDP 2113 10.0.0.1",
		"a=candidate:1 1 UDP 2113 10.0.0.300 5000 typ host",
		"a=candidate:1 1 UDP 2113 10.0.0.1 70000 typ host",
		"a=candidate:1 1 UDP 2113 10.0.0.1 5000 typ odd",
		"a=candidate:1 0 UDP 2113 10.0.0.1 5000 typ host",
		"a=rtpmap:",
		"a=fmtp:x",
		"x=unknown",
		"a",
		"garbage",
		"=",
		"\x80\xff=",
	};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		const struct sdp_media *m;
		char text[512];

		snprintf(text, sizeof text, HEAD AUDIO "%s\r\na=recvonly\r\n", lines[i]);
		m = parse(text);
		if (sdp.said.flaws != SDP_FLAW_LINE)
			fail_msg("%s: flaws %x", lines[i], sdp.said.flaws);
		assert_int_equal(m->direction, SDP_RECVONLY);
		assert_int_equal(
			m->ptime_ms | m->maxptime_ms | m->rare->ssrc_count | m->rare->crypto_count | m->rare->candidate_count, 0);
	}
}

static void test_ptime_zero_says_nothing(void **state)
{
	(void)state;
	assert_int_equal(parse(HEAD AUDIO "a=ptime:0\r\na=maxptime:0\r\n")->ptime_ms, 0);
	assert_int_equal(sdp.said.flaws, 0);
}

static void test_candidates(void **state)
{
	const struct sdp_media *m;

	(void)state;
	m = parse(HEAD AUDIO
		"a=candidate:1 1 UDP 2130706431 10.0.0.1 5000 typ host\r\n"
		"a=candidate:2 2 udp 1694498815 192.0.2.3 45664 typ srflx raddr 10.0.0.1 rport 5001 generation 0\r\n"
		"a=candidate:3 1 TCP 1 2001:db8::1 9 typ relay tcptype active\r\n"
		"a=candidate:4 1 UDP 1 0b5f3b2e-8d2a-4a0a-9f6e.local 5002 typ prflx\r\na=end-of-candidates\r\n");
	assert_int_equal(m->rare->candidate_count, 4);
	assert_endpoint(&m->rare->candidates[0].at, "10.0.0.1:5000");
	assert_int_equal(m->rare->candidates[0].component, 1);
	assert_true(m->rare->candidates[0].udp);
	assert_int_equal(m->rare->candidates[0].type, 'h');
	assert_int_equal(m->rare->candidates[0].related.addr.family, 0);
	assert_endpoint(&m->rare->candidates[1].related, "10.0.0.1:5001");
	assert_int_equal(m->rare->candidates[1].component, 2);
	assert_int_equal(m->rare->candidates[1].type, 's');
	assert_endpoint(&m->rare->candidates[2].at, "[2001:db8::1]:9");
	assert_false(m->rare->candidates[2].udp);
	assert_int_equal(m->rare->candidates[2].type, 'r');
	assert_endpoint(&m->rare->candidates[3].at, "?:5002");
	assert_int_equal(m->rare->candidates[3].type, 'p');
	assert_false(m->trickle); /* port 4000 is a real one */
}

static void test_tolerance(void **state)
{
	static const struct {
		const char *name, *text;
		uint32_t flaws;
	} cases[] = {
		{ "LF only", "v=0\no=- 1 1 IN IP4 h\ns=-\nc=IN IP4 10.0.0.1\nt=0 0\nm=audio 4000 RTP/AVP 0\n", 0 },
		{ "CR only", "v=0\ro=- 1 1 IN IP4 h\rs=-\rc=IN IP4 10.0.0.1\rt=0 0\rm=audio 4000 RTP/AVP 0\r", 0 },
		{ "no end of the last line",
			"v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0",
			SDP_FLAW_NO_LINE_END },
		{ "empty lines",
			"v=0\r\n\r\no=- 1 1 IN IP4 h\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n\r\nm=audio 4000 RTP/AVP 0\r\n\r\n",
			0 },
		{ "c= behind t=",
			"v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nt=0 0\r\nc=IN IP4 10.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\n",
			SDP_FLAW_ORDER },
		{ "c= behind a= in a medium",
			"v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=sendrecv\r\nc=IN IP4 10.0.0.1\r\n",
			SDP_FLAW_ORDER },
		{ "no t=", "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\n",
			SDP_FLAW_NO_TIME },
		{ "no v=", "o=- 1 1 IN IP4 h\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n",
			SDP_FLAW_NO_VERSION },
		{ "v=1", "v=1\r\no=- 1 1 IN IP4 h\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n",
			SDP_FLAW_NO_VERSION },
		{ "o= incomplete",
			"v=0\r\no=- 1 1 IN\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n",
			SDP_FLAW_NO_ORIGIN },
		{ "all kinds of lines",
			"v=0\r\no=- 1 1 IN IP4 h\r\ns=\r\ni=x\r\nu=x\r\ne=x\r\np=x\r\nc=IN IP4 10.0.0.1\r\nb=AS:99999999999999999999\r\nt=0 0\r\nr=7d 1h 0\r\nt=1 1\r\n"
			"k=prompt\r\na=x\r\nm=audio 4000 RTP/AVP 0\r\ni=x\r\nb=AS:1\r\nk=clear:x\r\na=x:y\r\n",
			0 },
		{ "m= first", "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 10.0.0.1\r\n",
			SDP_FLAW_NO_VERSION | SDP_FLAW_NO_ORIGIN | SDP_FLAW_NO_TIME },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct sdp_media *m = parse(cases[i].text);

		if (sdp.said.flaws != cases[i].flaws)
			fail_msg("%s: flaws %x", cases[i].name, sdp.said.flaws);
		assert_int_equal(sdp.said.media_count, 1);
		assert_endpoint(&m->at, "10.0.0.1:4000");
	}
}

static void test_refused(void **state)
{
	static const char *const texts[] = { "", "\r\n", "hello", "a=x\r\nc=IN IP4 10.0.0.1\r\n", "v", "m" };

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_false(sdp_parse(span_of(texts[i]), &sdp));
}

/* More of anything than there is room for: counted, the rest of the description is read. */
static void test_too_much(void **state)
{
	static const struct {
		const char *head, *piece;
		unsigned times;
		uint32_t flaws;
	} cases[] = {
		{ HEAD, "m=audio 4000 RTP/AVP 0\r\n", 4000, SDP_FLAW_TOO_MUCH },
		{ HEAD, "m=audio 4000 RTP/AVP 0\r\n", SDP_MEDIA_MAX, 0 },
		{ HEAD AUDIO, "a=candidate:1 1 UDP 1 10.0.0.1 5000 typ host\r\n", 900, SDP_FLAW_TOO_MUCH },
		{ HEAD AUDIO, "a=rtpmap:0 PCMU/8000\r\n", 2800, 0 },
		{ HEAD AUDIO, "a=x\r\n", 11000, 0 },
		{ HEAD "m=audio 4000 RTP/AVP 0", " 0", 9000, 0 },
		{ HEAD AUDIO "a=x:", "y", 60000, 0 },
	};
	char *text = malloc(400000);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *at = text + sprintf(text, "%s", cases[i].head);

		for (unsigned n = 0; n < cases[i].times; n++)
			at += sprintf(at, "%s", cases[i].piece);
		sprintf(at, "\r\n");
		parse(text);
		if (sdp.said.flaws != cases[i].flaws)
			fail_msg("%s: flaws %x", cases[i].piece, sdp.said.flaws);
		assert_in_range(sdp.said.media_count, 1, SDP_MEDIA_MAX);
		assert_int_equal(sdp.media[0].format_count, 1);
	}
	sprintf(text, HEAD "m=audio 4000 RTP/AVP");
	for (int pt = 0; pt < 128; pt++)
		sprintf(text + strlen(text), " %d", pt);
	for (unsigned ssrc = 0; ssrc < 20; ssrc++)
		sprintf(text + strlen(text), "\r\na=ssrc:%u x", ssrc);
	assert_int_equal(parse(text)->format_count, SDP_FORMAT_MAX);
	assert_int_equal(sdp.media[0].rare->ssrc_count, SDP_SSRC_MAX);
	assert_int_equal(sdp.said.flaws, SDP_FLAW_TOO_MUCH | SDP_FLAW_NO_LINE_END);
	free(text);
}

/* Cut anywhere: what is there is read, nothing else is touched. */
static void test_cut(void **state)
{
	static const char text[] =
		HEAD "a=sendonly\r\n" AUDIO "a=rtpmap:0 PCMU/8000\r\na=candidate:1 1 UDP 1 10.0.0.1 5000 typ host\r\n";

	(void)state;
	for (size_t n = 2; n < sizeof text; n++) {
		char part[sizeof text];

		snprintf(part, n + 1, "%s", text);
		parse(part);
		assert_in_range(sdp.said.media_count, 0, 1);
	}
}

/* ---- kept ---- */

struct keep {                        /* what keepers were asked for */
	char texts[512];
	size_t used;
	struct sdp_format formats[4];
};

static struct span keep_text(const void *context, struct span text)
{
	struct keep *k = *(struct keep *const *)context;
	char *to = k->texts + k->used;

	assert_true(k->used + text.n <= sizeof k->texts);
	if (text.n)
		memcpy(to, text.p, text.n);
	k->used += text.n;
	return (struct span){ (const uint8_t *)to, text.n };
}

static const struct sdp_format *keep_formats(const void *context, const struct sdp_format *formats, unsigned count)
{
	struct keep *k = *(struct keep *const *)context;

	assert_true(count <= 4);
	memcpy(k->formats, formats, count * sizeof *formats);
	return k->formats;
}

/* Exactly as many bytes as were asked for: a sanitizer sees one more. */
static const struct sdp *kept_of(const char *text, struct keep *k)
{
	struct sdp_keeper keeper = { &k, keep_text, keep_formats };
	void *room;

	k->used = 0;
	parse(text);
	room = malloc(sdp_keep_bytes(&sdp));
	assert_non_null(room);
	return sdp_keep(&sdp, hash_bytes(text, strlen(text)), &keeper, room);
}

static void test_kept_without_its_bytes(void **state)
{
	static struct keep k;
	const struct sdp *kept = kept_of(HEAD
		"m=audio 4000 RTP/AVP 0 97\r\na=rtpmap:97 iLBC/8000\r\na=sendonly\r\na=ptime:30\r\n"
		"m=video 5000 UDP/TLS/RTP/SAVPF 96\r\na=fingerprint:sha-1 CC\r\na=ssrc:7 cname:x\r\na=ssrc:9 cname:x\r\n"
		"a=candidate:1 1 UDP 1 10.0.0.7 5000 typ host\r\na=rtcp:5009\r\n"
		"m=audio 6000 RTP/AVP 0\r\na=ssrc:5 cname:x\r\n", &k);
	struct endpoint rtcp = sdp_media_rtcp(&kept->media[1]);

	(void)state;
	parse(HEAD AUDIO);                    /* what was read is gone */
	assert_int_equal(kept->media_count, 3);
	assert_int_equal(kept->flaws, 0);
	assert_endpoint(&kept->media[0].at, "10.0.0.1:4000");
	assert_int_equal(kept->media[0].direction, SDP_SENDONLY);
	assert_int_equal(kept->media[0].ptime_ms, 30);
	assert_ptr_equal(kept->media[0].rare, &sdp_rare_none);
	assert_ptr_equal(kept->media[0].formats, k.formats);
	assert_true(kept->media[1].secure);
	assert_span(kept->media[1].rare->fingerprint, "sha-1 CC");
	assert_int_equal(kept->media[1].rare->ssrc_count, 2);
	assert_int_equal(kept->media[1].rare->ssrcs[1], 9);
	assert_int_equal(kept->media[1].rare->candidate_count, 1);
	assert_endpoint(&kept->media[1].rare->candidates[0].at, "10.0.0.7:5000");
	assert_endpoint(&rtcp, "10.0.0.1:5009");
	assert_int_equal(kept->media[2].rare->ssrcs[0], 5);
	free((void *)kept);
}

/* What two descriptions have in common can be told from what is kept. */
static void test_kept_origin(void **state)
{
	static const struct {
		const char *origin;
		bool same_origin, same_version;
	} cases[] = {
		{ "alice 11 22 IN IP4 10.0.0.9", true, true }, { "alice 11 23 IN IP4 10.0.0.9", true, false },
		{ "alice 12 22 IN IP4 10.0.0.9", false, false }, { "bob 11 22 IN IP4 10.0.0.9", false, true },
		{ "alice 11 22 IN IP4 10.0.0.8", false, true },
	};
	static struct keep k;
	const struct sdp *first = kept_of(HEAD AUDIO, &k), *again = kept_of(HEAD AUDIO, &k), *none;

	(void)state;
	assert_true(sdp_same(first, again));
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct sdp *kept;
		char text[512];

		snprintf(text, sizeof text, "v=0\r\no=%s\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n" AUDIO,
			cases[i].origin);
		kept = kept_of(text, &k);
		assert_int_equal(sdp_same(first, kept), i == 0);
		assert_int_equal(kept->origin == first->origin, cases[i].same_origin);
		assert_int_equal(kept->version == first->version, cases[i].same_version);
		free((void *)kept);
	}
	none = kept_of("v=0\r\no=alice 11\r\n" AUDIO, &k);
	assert_int_equal(none->origin, 0);
	assert_int_equal(none->version, 0);
	free((void *)none);
	free((void *)first);
	free((void *)again);
}

/* ---- tails ---- */

static void assert_same(const struct sdp_text *x, const struct sdp_text *y, const char *text)
{
	if (x->said.flaws != y->said.flaws || x->said.media_count != y->said.media_count ||
		x->ice_lite != y->ice_lite || x->bundle != y->bundle)
		fail_msg("read again: %s", text);
	for (unsigned i = 0; i < x->said.media_count; i++) {
		const struct sdp_media *a = &x->media[i], *b = &y->media[i];

		assert_true(endpoint_equal(&a->at, &b->at));
		if (a->kind != b->kind || a->direction != b->direction || a->ptime_ms != b->ptime_ms ||
			a->maxptime_ms != b->maxptime_ms || a->rtp != b->rtp || a->secure != b->secure ||
			a->t38 != b->t38 || a->rtcp_mux != b->rtcp_mux || a->bundle_only != b->bundle_only ||
			a->trickle != b->trickle || a->format_count != b->format_count ||
			a->silence_suppression_off != b->silence_suppression_off || a->port != b->port ||
			a->rare->ssrc_count != b->rare->ssrc_count)
			fail_msg("read again: %s", text);
		for (unsigned k = 0; k < a->format_count; k++) {
			assert_int_equal(a->formats[k].pt, b->formats[k].pt);
			assert_int_equal(a->formats[k].clock_hz, b->formats[k].clock_hz);
			assert_true(span_equal(a->formats[k].codec, b->formats[k].codec));
			assert_true(span_equal(a->formats[k].fmtp, b->formats[k].fmtp));
		}
	}
}

/* Whatever was read before, in whatever order: a description says the same. */
static void test_tails_change_nothing(void **state)
{
#define TAIL " RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:30\r\na=sendonly\r\n"
#define V "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"
	static const char *const texts[] = {
		V "m=audio 4000" TAIL, V "m=audio 5000" TAIL, V "m=audio 0" TAIL, V "m=audio 65536" TAIL, V "m=audio" TAIL,
		V "m=image 4000" TAIL, V "a=inactive\r\nm=audio 4000" TAIL, V "a=ptime:20\r\nm=audio 4000" TAIL,
		V "a=maxptime:40\r\nm=audio 4000" TAIL, V "a=silenceSupp:off - - - -\r\nm=audio 4000" TAIL,
		V "a=setup:active\r\nm=audio 4000" TAIL, V "m=audio 4000" TAIL "m=audio 4002" TAIL,
		V "m=video 4002 RTP/AVP 31\r\nm=audio 4000" TAIL, "m=audio 4000" TAIL, "a=x\r\nt=0 0\r\nm=audio 4000" TAIL,
		V "m=audio 4000" TAIL "c=IN IP4 10.0.0.2\r\n", V "m=audio 4000" TAIL "c=IN IP4 10.0.0.2\r\n",
		"v=0\r\nm=audio 4000" TAIL "t=0 0\r\n", "v=0\r\nm=audio 4000" TAIL "t=0 0\r\no=- 1 1 IN IP4 h\r\n",
		V "m=audio 4000" TAIL "a=ice-lite\r\n", V "m=audio 4002" TAIL "a=ice-lite\r\n",
		V "m=audio 4000" TAIL "a=group:BUNDLE 0\r\n", V "m=audio 4002" TAIL "a=group:BUNDLE 0\r\n",
		V "m=audio 4000" TAIL "a=ssrc:7 x\r\n", V "m=audio 4002" TAIL "a=ssrc:7 x\r\n",
		V "m=audio 4000" TAIL "b=AS:64\r\n", V "m=audio 4002" TAIL "b=AS:64\r\n", V "m=audio 4000" TAIL "junk\r\n",
		V "m=audio 9" TAIL "junk\r\n", V "m=audio 4000" TAIL "a=x", V "m=audio 4002" TAIL "a=x",
		V "m=image 4000 udptl t38\r\n", V "m=audio 4000 udptl t38\r\n", V "m=audio 4000", V "m=audio 4001",
		V "m=audio 4000 \r\n", V "m=audio 4001 \r\n",
	};
	enum { TEXTS = sizeof texts / sizeof *texts };
	struct sdp_text *fresh = malloc(sizeof *fresh);
	unsigned taken = 0;

	(void)state;
	assert_non_null(fresh);
	for (unsigned i = 0; i < 40 * TEXTS; i++) {
		const char *text = texts[i < TEXTS ? i : i * 2654435761u / 64 % TEXTS];

		memset(fresh, 0, sizeof *fresh);
		assert_true(sdp_parse(span_of(text), fresh));
		parse(text);
		assert_same(&sdp, fresh, text);
		taken += sdp.said.media_count && sdp.media[0].formats != sdp.rooms[0].formats;
	}
	assert_true(taken > TEXTS);          /* or nothing was tested */
	free(fresh);
#undef V
#undef TAIL
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_session),
		cmocka_unit_test(test_media_lines),
		cmocka_unit_test(test_connections),
		cmocka_unit_test(test_no_connection_for_a_rejected_medium),
		cmocka_unit_test(test_rtcp),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_static_codecs),
		cmocka_unit_test(test_directions),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_broken_attributes),
		cmocka_unit_test(test_ptime_zero_says_nothing),
		cmocka_unit_test(test_candidates),
		cmocka_unit_test(test_tolerance),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_kept_without_its_bytes),
		cmocka_unit_test(test_kept_origin),
		cmocka_unit_test(test_tails_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
