/* SPDX-License-Identifier: MIT */
/* sip: the first look at messages, good, odd and hostile, and what libosip2 and we refuse in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "dissect/sip_message.h"

#define VIA     "Via: SIP/2.0/UDP 10.20.0.10:5060;branch=z9hG4bKa1\r\n"
#define FROM    "From: <sip:100@10.20.0.10>;tag=f1\r\n"
#define TO      "To: <sip:200@10.20.0.20>\r\n"
#define CALL_ID "Call-ID: c1@10.20.0.10\r\n"
#define NAMES   VIA FROM TO CALL_ID
#define INVITE  "INVITE sip:200@10.20.0.20 SIP/2.0\r\n"
#define CSEQ    "CSeq: 1 INVITE\r\n"
#define SDP     "v=0\r\no=- 1 1 IN IP4 10.20.0.10\r\n"

static struct sip_message message; /* large */

static void assert_span(struct span s, const char *text)
{
	if (!span_equal(s, span_of(text)))
		fail_msg("\"%.*s\" is not \"%s\"", (int)s.n, s.p ? (const char *)s.p : "", text);
}

static const struct sip_message *parse(struct span s)
{
	assert_true(sip_message_parse(s, s.n, &message));
	return &message;
}

static const struct sip_message *parse_text(const char *text)
{
	return parse(span_of(text));
}

/* ---- what is SIP ---- */

static void test_looks_like(void **state)
{
	static const struct {
		const char *name;
		struct span bytes;
		bool sip;
	} cases[] = {
		{ "request", SPAN("OPTIONS sip:a@b SIP/2.0\r\n"), true },
		{ "response", SPAN("SIP/2.0 200 OK\r\n"), true },
		{ "keepalive in front", SPAN("\r\n\r\nSIP/2.0 200 OK\r\n"), true },
		{ "unknown method", SPAN("jump tel:+49301234 SIP/2.0\r\n"), true },
		{ "every token character", SPAN("!interesting-Method0123456789_*+`.%indeed'~ sip:a@b SIP/2.0\r\n"),
			true },
		{ "LF alone", SPAN("BYE sip:a@b SIP/2.0\n"), true },
		{ "no scheme, but a method we know", SPAN("INVITE 200@10.0.0.1 SIP/2.0\r\n"), true },
		{ "no scheme, no method we know", SPAN("hello 200@10.0.0.1 SIP/2.0\r\n"), false },
		{ "cut in the URI", SPAN("INVITE sip:200@10.0.0"), true },
		{ "cut in the method", SPAN("INVI"), false },
		{ "cut behind the version", SPAN("INVITE sip:200@10.0.0.1 SIP/2.0"), true },
		{ "another version", SPAN("INVITE sip:200@10.0.0.1 SIP/7.0\r\n"), true },
		{ "version that is none", SPAN("INVITE sip:200@10.0.0.1 SIP/two\r\n"), false },
		{ "HTTP request", SPAN("GET /sip:a@b HTTP/1.1\r\n"), false },
		{ "HTTP request with a SIP URI", SPAN("OPTIONS sip:a@b HTTP/1.1\r\n"), false },
		{ "HTTP response", SPAN("HTTP/1.1 200 OK\r\n"), false },
		{ "RTSP", SPAN("DESCRIBE rtsp://10.0.0.1/a RTSP/1.0\r\n"), false },
		{ "RTSP OPTIONS", SPAN("OPTIONS rtsp://10.0.0.1/a RTSP/1.0\r\n"), false },
		{ "SSDP", SPAN("NOTIFY * HTTP/1.1\r\n"), false },
		{ "MSRP", SPAN("MSRP a786hjs2 SEND\r\nTo-Path: msrp://a:1/2;tcp\r\n"), false },
		{ "RTP", SPAN("\x80\x00INVITE sip:a@b SIP/2.0\r\n"), false },
		{ "version first, no status", SPAN("SIP/2.0"), true },
		{ "a word about SIP", SPAN("SIPHON sip:a@b\r\n"), false },
		{ "line ends only", SPAN("\r\n\r\n"), false },
		{ "nothing", SPAN(""), false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (sip_looks_like(cases[i].bytes) != cases[i].sip)
			fail_msg("%s", cases[i].name);
}

static void test_start_lines(void **state)
{
	static const struct {
		const char *line;
		bool request;
		unsigned status;
		const char *uri, *reason;
		bool odd;
	} cases[] = {
		{ "INVITE sip:a@b SIP/2.0", true, 0, "sip:a@b", "", false },
		{ "INVITE sip:a@b sip/2.0", true, 0, "sip:a@b", "", false },
		{ "INVITE  sip:a@b SIP/2.0", true, 0, "sip:a@b", "", true },
		{ "INVITE sip:a@b  SIP/2.0", true, 0, "sip:a@b", "", true },
		{ "INVITE sip:a@b\tSIP/2.0", true, 0, "sip:a@b", "", true },
		{ "INVITE sip:a@b SIP/2.0 ", true, 0, "sip:a@b", "", true },
		{ "INVITE <sip:a@b> SIP/2.0", true, 0, "<sip:a@b>", "", true },
		{ "INVITE sip:a@b; lr SIP/2.0", true, 0, "sip:a@b; lr", "", true },
		{ "INVITE sip:a@b SIP/7.0", true, 0, "sip:a@b", "", true },
		{ "INVITE SIP/2.0", true, 0, "", "", true },
		{ "SIP/2.0 200 OK", false, 200, "", "OK", false },
		{ "SIP/2.0 480 ", false, 480, "", "", false },
		{ "SIP/2.0 480", false, 480, "", "", true }, /* osip takes the next line for the reason */
		{ "SIP/2.0 200  two blanks", false, 200, "", "two blanks", false },
		{ "SIP/2.0  200 OK", false, 200, "", "OK", true },
		{ "SIP/2.0 4294967301 better not break", false, 0, "", "better not break", true },
		{ "SIP/2.0 -1 no", false, 0, "", "no", true },
		{ "SIP/2.0 099 no", false, 0, "", "no", true },
		{ "SIP/2.0 700 no", false, 0, "", "no", true },
		{ "SIP/2.0 2000 no", false, 0, "", "no", true },
		{ "SIP/2.0 0200 no", false, 0, "", "no", true },
		{ "SIP/2.0 2OO OK", false, 0, "", "OK", true },
		{ "SIP/2.0 20 OK", false, 0, "", "OK", true },
		{ "SIP/2.0", false, 0, "", "", true },
		{ "SIP/7.0 200 OK", false, 200, "", "OK", true },
		{ "SIP/2.0 200 \xd0\xb4\xd0\xb0", false, 200, "", "\xd0\xb4\xd0\xb0", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[512];
		const struct sip_message *m;

		snprintf(text, sizeof text, "%s\r\n" NAMES CSEQ "\r\n", cases[i].line);
		m = parse_text(text);
		assert_int_equal(m->request, cases[i].request);
		assert_int_equal(m->status, cases[i].status);
		assert_span(m->uri, cases[i].uri);
		assert_span(m->reason, cases[i].reason);
		assert_int_equal(m->via_count, 1);
		if (m->flaws != (cases[i].odd ? SIP_FLAW_START_LINE : 0u) && !(cases[i].odd && m->uri.n == 0))
			fail_msg("%s: flaws %x", cases[i].line, m->flaws);
	}
}

static void test_facts(void **state)
{
	const struct sip_message *m;

	(void)state;
	m = parse_text(INVITE VIA
		"Max-Forwards: 70\r\n" FROM TO CALL_ID "CSeq: 4711 INVITE\r\n"
		"Contact: <sip:100@10.20.0.10:5070;transport=udp>;expires=60\r\nExpires: 3600\r\nUser-Agent: Phone 1\r\n"
		"Content-Type: application/sdp;version=1\r\nContent-Length: 32\r\n\r\n" SDP);
	assert_int_equal(m->flaws, 0);
	assert_true(m->request);
	assert_int_equal(m->method, SIP_INVITE);
	assert_span(m->method_text, "INVITE");
	assert_span(m->request_uri.user, "200");
	assert_span(m->request_uri.host, "10.20.0.20");
	assert_span(m->call_id, "c1@10.20.0.10");
	assert_true(m->has_cseq);
	assert_int_equal(m->cseq, 4711);
	assert_span(m->from.tag, "f1");
	assert_span(m->to.user, "200");
	assert_int_equal(m->to.tag.n, 0);
	assert_span(m->contact.uri, "sip:100@10.20.0.10:5070;transport=udp");
	assert_true(m->contact.has_port);
	assert_int_equal(m->contact.port, 5070);
	assert_int_equal(m->expires_s, 60);
	assert_int_equal(m->max_forwards, 70);
	assert_span(m->via.branch, "z9hG4bKa1");
	assert_span(m->content_type, "application/sdp");
	assert_int_equal(m->content_length, 32);
	assert_span(m->sdp, SDP);
	assert_span(m->user_agent, "Phone 1");
	assert_int_equal(m->header_count, 11);

	m = parse_text("SIP/2.0 180 Ringing\r\n" NAMES "CSeq: 2 PRACK\r\n\r\n");
	assert_int_equal(m->method, SIP_PRACK);
	assert_false(m->request);
	assert_span(m->cseq_method, "PRACK");
	assert_int_equal(m->body.n, 0);
}

/* A control byte as a quoted pair is legal, NUL and DEL, too (RFC 4475 3.1.1.2, intmeth); one that stands bare is not. */
static void test_quoted_control(void **state)
{
	static const char quoted[] = "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKq\r\nTo: \"BEL:\\\x07 NUL:\\\0 DEL:\\\x7f\" <sip:a@b>\r\n"
				     "From: <sip:c@d>;tag=1\r\nCall-ID: q@d\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n";
	char bare[sizeof quoted];
	const struct sip_message *m = parse((struct span){ (const uint8_t *)quoted, sizeof quoted - 1 });

	(void)state;
	assert_non_null(m);
	assert_int_equal(m->flaws & SIP_FLAW_HEADER_LINE, 0);
	memcpy(bare, quoted, sizeof bare);
	*(char *)memchr(bare, '\\', sizeof bare) = 'x';
	m = parse((struct span){ (const uint8_t *)bare, sizeof bare - 1 });
	assert_non_null(m);
	assert_int_equal(m->flaws & SIP_FLAW_HEADER_LINE, SIP_FLAW_HEADER_LINE);
}

/* Everything that RFC 4475 3.1.1.1 allows at once: folding, compact forms, any case, blanks wherever they may stand. */
static void test_tortuous(void **state)
{
	struct sip_via via;
	const struct sip_message *m;

	(void)state;
	m = parse_text(
		"INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\nTO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag\t= 1918\r\n"
		"from   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8\r\n"
		"MaX-fOrWaRdS: 0068\r\ni:\r\n  wsinv.ndaksdj@192.0.2.1\r\nContent-Length   : 32\r\ncseq: 0009\r\n  INVITE\r\n"
		"Via  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw\r\ns :\r\nNewFangledHeader:   a\r\n b ;;, \"c\"\r\n"
		"c: application/sdp\r\nv:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n"
		" SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239\r\n"
		"m:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =\r\n      newvalue ;\r\n  secondparam ; q = 0.33\r\n\r\n" SDP);
	sip_message_judge(&message);
	assert_int_equal(m->flaws, 0);
	assert_span(m->to.uri, "sip:vivekg@chair-dnrc.example.com");
	assert_span(m->to.tag, "1918");
	assert_span(m->from.display, "J Rosenberg \\\\\\\"");
	assert_span(m->from.tag, "98asjd8");
	assert_span(m->call_id, "wsinv.ndaksdj@192.0.2.1");
	assert_int_equal(m->cseq, 9);
	assert_int_equal(m->max_forwards, 68);
	assert_span(m->via.transport, "UDP");
	assert_span(m->via.host, "192.0.2.2");
	assert_int_equal(m->via_count, 3);
	assert_true(sip_via_at(m, 2, &via));
	assert_span(via.branch, "z9hG4bK30239");
	assert_span(via.host, "192.168.255.111");
	assert_false(sip_via_at(m, 3, &via));
	assert_span(m->contact.user, "jdrosen");
	assert_span(m->sdp, SDP);
}

static void test_names(void **state)
{
	static const struct {
		const char *text;
		enum sip_header_name name;
	} cases[] = {
		{ "v", SIP_H_VIA },
		{ "VIA", SIP_H_VIA },
		{ "f", SIP_H_FROM },
		{ "T", SIP_H_TO },
		{ "i", SIP_H_CALL_ID },
		{ "m", SIP_H_CONTACT },
		{ "l", SIP_H_CONTENT_LENGTH },
		{ "c", SIP_H_CONTENT_TYPE },
		{ "e", SIP_H_CONTENT_ENCODING },
		{ "s", SIP_H_SUBJECT },
		{ "k", SIP_H_SUPPORTED },
		{ "o", SIP_H_EVENT },
		{ "r", SIP_H_REFER_TO },
		{ "b", SIP_H_REFERRED_BY },
		{ "x", SIP_H_SESSION_EXPIRES },
		{ "y", SIP_H_IDENTITY },
		{ "u", SIP_H_OTHER },
		{ "a", SIP_H_OTHER },
		{ "d", SIP_H_OTHER },
		{ "j", SIP_H_OTHER },
		{ "n", SIP_H_OTHER },
		{ "z", SIP_H_OTHER },
		{ "session-id", SIP_H_SESSION_ID },
		{ "Retry-After", SIP_H_RETRY_AFTER },
		{ "REPLACES", SIP_H_REPLACES },
		{ "Referred-By", SIP_H_REFERRED_BY },
		{ "P-Charging-Vector", SIP_H_P_CHARGING_VECTOR },
		{ "Service-Route", SIP_H_SERVICE_ROUTE },
		{ "Vi", SIP_H_OTHER },
		{ "Viaa", SIP_H_OTHER },
		{ "Via \t", SIP_H_VIA },
		{ "X-Any", SIP_H_OTHER },
		{ "WWW-Authenticate", SIP_H_WWW_AUTHENTICATE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[256];

		snprintf(text, sizeof text, "OPTIONS sip:a@b SIP/2.0\r\n%s: x\r\n\r\n", cases[i].text);
		if (parse_text(text)->headers[0].name != cases[i].name)
			fail_msg("%s", cases[i].text);
		assert_span(message.headers[0].value, "x");
	}
}

static void test_header_walk(void **state)
{
	const struct sip_message *m;
	const struct sip_header *h;

	(void)state;
	m = parse_text(
		"OPTIONS sip:a@b SIP/2.0\r\nRequire: timer\r\nk: path\r\nRequire: x;y=1 , 100REL\r\nSupported: replaces\r\n\r\n");
	h = sip_header_find(m, SIP_H_REQUIRE);
	assert_span(h->value, "timer");
	h = sip_header_next(m, h);
	assert_span(h->value, "x;y=1 , 100REL");
	assert_null(sip_header_next(m, h));
	assert_null(sip_header_find(m, SIP_H_VIA));
	assert_span(sip_header_value(m, SIP_H_SUPPORTED), "path");
	assert_int_equal(sip_header_value(m, SIP_H_VIA).n, 0);
	assert_true(sip_header_lists(m, SIP_H_REQUIRE, SPAN("100rel")));
	assert_true(sip_header_lists(m, SIP_H_REQUIRE, SPAN("x")));
	assert_true(sip_header_lists(m, SIP_H_SUPPORTED, SPAN("replaces")));
	assert_false(sip_header_lists(m, SIP_H_REQUIRE, SPAN("rel")));
	assert_false(sip_header_lists(m, SIP_H_REQUIRE, SPAN("y=1")));
}

/* Names that stand only behind the table are not found, but count; those in it are found beside them. */
static void test_header_walk_beyond(void **state)
{
	char text[SIP_HEADER_MAX * 8 + 512];
	size_t n = (size_t)snprintf(text, sizeof text, "OPTIONS sip:a@b SIP/2.0\r\nRoute: <sip:p>\r\n");
	const struct sip_message *m;

	(void)state;
	for (unsigned i = 1; i < SIP_HEADER_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "Q: y\r\n");
	snprintf(text + n, sizeof text - n, "From: <sip:a@b>\r\nRoute: <sip:q>\r\nf: <sip:c@d>\r\n\r\n");
	m = parse_text(text);
	assert_int_equal(m->header_count, SIP_HEADER_MAX);
	assert_null(sip_header_find(m, SIP_H_FROM));
	assert_span(m->from.uri, "sip:a@b");
	assert_true(m->flaws & SIP_FLAW_TOO_MUCH);
	assert_true(m->flaws & SIP_FLAW_DOUBLE_HEADER);
	assert_span(sip_header_value(m, SIP_H_ROUTE), "<sip:p>");
	assert_null(sip_header_next(m, sip_header_find(m, SIP_H_ROUTE)));
	assert_ptr_equal(sip_header_next(m, sip_header_find(m, SIP_H_OTHER)), &m->headers[2]);
}

/* ---- line ends, bytes ---- */

static void test_line_ends(void **state)
{
	static const struct {
		const char *name, *end;
		bool odd;
	} cases[] = {
		{ "CRLF", "\r\n", false },
		{ "LF", "\n", true },
		{ "CR", "\r", true },
		{ "CRCRLF", "\r\r\n", true },
		{ "LFCR", "\n\r", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *e = cases[i].end;
		char text[512];

		snprintf(text, sizeof text,
			"INVITE sip:a@b SIP/2.0%sVia: SIP/2.0/UDP 10.0.0.1%sFrom: <sip:a@b>;%s tag=1%sTo: <sip:c@d>%s"
			"Call-ID: x%sCSeq: 1 INVITE%sContent-Length: 4%s%sbody",
			e, e, e, e, e, e, e, e, e);
		parse_text(text);
		if (message.flaws != (cases[i].odd ? SIP_FLAW_HEADER_LINE : 0u))
			fail_msg("%s: %x", cases[i].name, message.flaws);
		assert_int_equal(message.header_count, 6);
		assert_span(message.from.tag, "1");
		assert_span(message.body, "body");
	}
}

static void test_lines(void **state)
{
	static const struct {
		const char *name;
		struct span text;
		unsigned headers;
		uint32_t flaws;
	} cases[] = {
		{ "no colon", SPAN("hello\r\n"), 5, SIP_FLAW_HEADER_LINE },
		{ "no name", SPAN(": x\r\n"), 5, SIP_FLAW_HEADER_LINE },
		{ "blank in the name", SPAN("My Header: x\r\n"), 6, SIP_FLAW_HEADER_LINE },
		{ "NUL in a value", SPAN("Subject: a\0b\r\n"), 6, SIP_FLAW_HEADER_LINE },
		{ "escape in a value", SPAN("Subject: a\033[2Jb\r\n"), 6, SIP_FLAW_HEADER_LINE },
		{ "DEL in a value", SPAN("Subject: abcdefghijkl\x7f\r\n"), 6, SIP_FLAW_HEADER_LINE },
		{ "tabs are blanks", SPAN("Subject:\ta\tb\tc\td\te\r\n"), 6, 0 },
		{ "UTF-8", SPAN("Subject: gr\xc3\xbc\xc3\x9f\r\n"), 6, 0 },
		{ "empty value", SPAN("Subject:\r\n"), 6, 0 },
		{ "folded to nothing", SPAN("Subject:\r\n \r\n\t\r\n"), 6, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[512];
		size_t n = (size_t)snprintf(text, sizeof text, "%s", INVITE NAMES CSEQ);

		memcpy(text + n, cases[i].text.p, cases[i].text.n);
		memcpy(text + n + cases[i].text.n, "\r\n", 3);
		parse((struct span){ (uint8_t *)text, n + cases[i].text.n + 2 });
		if (message.header_count != cases[i].headers || message.flaws != cases[i].flaws)
			fail_msg("%s: %u headers, flaws %x", cases[i].name, message.header_count, message.flaws);
	}
}

static void test_no_empty_line(void **state)
{
	(void)state;
	parse_text(INVITE NAMES CSEQ);
	assert_int_equal(message.flaws, SIP_FLAW_HEADER_LINE);
	parse_text(INVITE NAMES "CSeq: 1 INVITE");
	assert_int_equal(message.flaws, SIP_FLAW_HEADER_LINE);
	assert_true(message.has_cseq);
	parse_text("INVITE sip:a@b SIP/2.0");
	assert_true(message.flaws & SIP_FLAW_NO_CALL_ID);
	assert_int_equal(message.header_count, 0);
	assert_false(sip_message_parse(SPAN("INVITE sip:a@b"), 14, &message));
}

/* ---- fields ---- */

static void test_addresses(void **state)
{
	static const struct {
		const char *value, *display, *uri, *scheme, *user, *host;
		int port;
		const char *tag, *uri_params;
	} cases[] = {
		{ "<sip:100@10.0.0.1>;tag=x", "", "sip:100@10.0.0.1", "sip", "100", "10.0.0.1", -1, "x", "" },
		{ "sip:100@10.0.0.1;tag=x", "", "sip:100@10.0.0.1", "sip", "100", "10.0.0.1", -1, "x", "" },
		{ "\"A, \\\"B\\\"\" <sips:a:secret@h:5061;lr;x=1>;Tag = y", "A, \\\"B\\\"",
			"sips:a:secret@h:5061;lr;x=1", "sips", "a", "h", 5061, "y", "lr;x=1" },
		{ "J\xc3\xb6rg <sip:j@h>", "J\xc3\xb6rg", "sip:j@h", "sip", "j", "h", -1, "", "" },
		{ "Bell, Alexander <sip:a@h>;tag=4", "Bell, Alexander", "sip:a@h", "sip", "a", "h", -1, "4", "" },
		{ "Caller<sip:c@h>;tag=3", "Caller", "sip:c@h", "sip", "c", "h", -1, "3", "" },
		{ "\"open <sip:a@h>;tag=q", "open", "sip:a@h", "sip", "a", "h", -1, "q", "" },
		{ "\"x\" sip:a@h", "x", "sip:a@h", "sip", "a", "h", -1, "", "" },
		{ "< sip:a@h >", "", "sip:a@h", "sip", "a", "h", -1, "", "" },
		{ "<sip:a@h", "", "sip:a@h", "sip", "a", "h", -1, "", "" },
		{ "<sip:a@[2001:db8::1]:5070>", "", "sip:a@[2001:db8::1]:5070", "sip", "a", "2001:db8::1", 5070, "",
			"" },
		{ "<sip:[2001:db8::1]>", "", "sip:[2001:db8::1]", "sip", "", "2001:db8::1", -1, "", "" },
		{ "<sip:2001:db8::20>", "", "sip:2001:db8::20", "sip", "", "2001:db8::20", -1, "", "" },
		{ "<sip:a@h:70000>", "", "sip:a@h:70000", "sip", "a", "h", -1, "", "" },
		{ "<sip:a@h:0>", "", "sip:a@h:0", "sip", "a", "h", 0, "", "" },
		{ "<sip:user;par=u%40e@h>", "", "sip:user;par=u%40e@h", "sip", "user;par=u%40e", "h", -1, "", "" },
		{ "<sip:user@domain@h:5060;lr>", "", "sip:user@domain@h:5060;lr", "sip", "user@domain", "h", 5060, "",
			"lr" },
		{ "<sip:a@h?Route=%3Csip:c@d%3E>", "", "sip:a@h?Route=%3Csip:c@d%3E", "sip", "a", "h", -1, "", "" },
		{ "<sip:a@h;x=1?Subject=b>;tag=1", "", "sip:a@h;x=1?Subject=b", "sip", "a", "h", -1, "1", "x=1" },
		{ "<tel:+49-30-1234;phone-context=x>;tag=2", "", "tel:+49-30-1234;phone-context=x", "tel",
			"+49-30-1234", "", -1, "2", "phone-context=x" },
		{ "isbn:2983792873", "", "isbn:2983792873", "isbn", "", "", -1, "", "" },
		{ "<soap.beep://192.0.2.103:3002>", "", "soap.beep://192.0.2.103:3002", "soap.beep", "", "", -1, "",
			"" },
		{ "<200@h>", "", "200@h", "", "200", "h", -1, "", "" },
		{ "<sip:a@h>;x=\";tag=no\";tag=yes", "", "sip:a@h", "sip", "a", "h", -1, "yes", "" },
		{ "sip:a@h;x=\"<\";tag=z", "", "sip:a@h", "sip", "a", "h", -1, "z", "" },
		{ "<sip:a%00b@h>", "", "sip:a%00b@h", "sip", "a%00b", "h", -1, "", "" },
		/* what is nearly as plain as most */
		{ "<SIP:a@h:5060>;TAG=u", "", "SIP:a@h:5060", "SIP", "a", "h", 5060, "u", "" },
		{ "<sip:a@h:005060>", "", "sip:a@h:005060", "sip", "a", "h", 5060, "", "" },
		{ "<sip:a@h:506x>", "", "sip:a@h:506x", "sip", "a", "h", -1, "", "" },
		{ "<sip:a@h:>", "", "sip:a@h:", "sip", "a", "h", -1, "", "" },
		{ "<sip:@h>", "", "sip:@h", "sip", "", "h", -1, "", "" },
		{ "<sip:a@>", "", "sip:a@", "sip", "a", "", -1, "", "" },
		{ "<sip:h;x=c@d>", "", "sip:h;x=c@d", "sip", "h;x=c", "d", -1, "", "" },
		{ "<sip:a@h;x=c@d>", "", "sip:a@h;x=c@d", "sip", "a", "h", -1, "", "x=c@d" },
		{ "<sip:a@h:5060?x=y>", "", "sip:a@h:5060?x=y", "sip", "a", "h", 5060, "", "" },
		{ "<sip:a@h x:5060;lr>", "", "sip:a@h x:5060;lr", "sip", "a", "h", 5060, "", "lr" },
		{ "<sip:a@h>;tag=a;b=c", "", "sip:a@h", "sip", "a", "h", -1, "a", "" },
		{ "<sip:a@h>;tag=\"q;r\";b", "", "sip:a@h", "sip", "a", "h", -1, "q;r", "" },
		{ "<sip:a@h>;tag=", "", "sip:a@h", "sip", "a", "h", -1, "", "" },
		{ "<sip:a@h>;tag;tag=b", "", "sip:a@h", "sip", "a", "h", -1, "", "" },
	};

	(void)state;
	for (size_t n = 0; n < 2 * (sizeof cases / sizeof *cases); n++) {
		size_t i = n / 2;
		char text[512];
		struct sip_address a;

		/* in a message, with other bytes behind it, and alone */
		snprintf(text, sizeof text, "OPTIONS sip:a@b SIP/2.0\r\nTo: %s\r\nX: >;tag=none\r\n\r\n",
			cases[i].value);
		a = parse_text(text)->to;
		if (n % 2)
			assert_true(sip_address_parse(span_of(cases[i].value), &a));
		assert_span(a.display, cases[i].display);
		assert_span(a.uri, cases[i].uri);
		assert_span(a.scheme, cases[i].scheme);
		assert_span(a.user, cases[i].user);
		assert_span(a.host, cases[i].host);
		assert_int_equal(a.has_port ? a.port : -1, cases[i].port);
		assert_span(a.tag, cases[i].tag);
		assert_span(a.uri_params, cases[i].uri_params);
	}
}

static void test_addresses_refused(void **state)
{
	static const char *const values[] = { "", "   ", "<>", "\"name\"", "\"name\" <>", ";tag=x", "\"" };

	(void)state;
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		struct sip_address a;

		if (sip_address_parse(span_of(values[i]), &a))
			fail_msg("%s", values[i]);
	}
}

static void test_vias(void **state)
{
	static const struct {
		const char *value;
		bool ok;
		const char *transport, *host;
		int port;
		const char *branch, *received, *rport;
	} cases[] = {
		{ "SIP/2.0/UDP h:5062;branch=b;rport", true, "UDP", "h", 5062, "b", "", "" },
		{ "SIP/2.0/TCP [2001:db8::9]:50;received=[2001:db8::9];rport=33;branch=\"q\"", true, "TCP",
			"2001:db8::9", 50, "q", "2001:db8::9", "33" },
		{ "SIP/2.0/TLS-SCTP h ; branch = b", true, "TLS-SCTP", "h", -1, "b", "", NULL },
		{ "SIP / 2.0 / UDP h : 5060", true, "UDP", "h", 5060, "", "", NULL },
		{ "SIP/2.0/UDP 2001:db8::1", true, "UDP", "2001:db8::1", -1, "", "", NULL },
		{ "SIP/2.0/UDP h:99999;received=10.0.0.9", true, "UDP", "h", -1, "", "10.0.0.9", NULL },
		{ "SIP/2.0/UDP h:5060;branch=a;branch=b;rport=1;rport=2;received=c;received=d", true, "UDP", "h", 5060,
			"a", "c", "1" },
		{ "SIP/2.0/UDP h:5060;branch;branch=b", true, "UDP", "h", 5060, "", "", NULL },
		{ "SIP/2.0/UDP  h:005060", true, "UDP", "h", 5060, "", "", NULL },
		{ "SIP/2.0/U:P h", true, "U:P", "h", -1, "", "", NULL },
		{ "sip/2.0/UDP h;x=\"a;branch=b\";branch=c", true, "UDP", "h", -1, "c", "", NULL },
		{ "SIP/2.0/UDP", false, "", "", -1, "", "", NULL },
		{ "SIP/2.0/UDP ;branch=b", false, "", "", -1, "", "", NULL },
		{ "SIP/2.0", false, "", "", -1, "", "", NULL },
		{ "/2.0/UDP h", false, "", "", -1, "", "", NULL },
		{ "h:5060", false, "", "", -1, "", "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[512];
		const struct sip_via *v = &message.via;

		snprintf(text, sizeof text, "OPTIONS sip:a@b SIP/2.0\r\nVia: %s\r\n\r\n", cases[i].value);
		parse_text(text);
		assert_int_equal(!(message.flaws & SIP_FLAW_VIA), cases[i].ok);
		assert_int_equal(message.via_count, 1);
		assert_span(v->transport, cases[i].transport);
		assert_span(v->host, cases[i].host);
		assert_int_equal(v->has_port ? v->port : -1, cases[i].port);
		assert_span(v->branch, cases[i].branch);
		assert_span(v->received, cases[i].received);
		assert_int_equal(v->has_rport, cases[i].rport != NULL);
		assert_span(v->rport, cases[i].rport ? cases[i].rport : "");
	}
}

static void test_parameters(void **state)
{
	static const struct {
		const char *params, *name;
		bool found;
		const char *value;
	} cases[] = {
		{ "a=1;b=2", "b", true, "2" },
		{ "a=1;B = 2 ", "b", true, "2" },
		{ "lr", "lr", true, "" },
		{ "a;lr;b", "lr", true, "" },
		{ "x=\"a;b=3\";b=4", "b", true, "4" },
		{ "x=\"a\\\";b=3\";b=4", "b", true, "4" },
		{ "b=\"q r\"", "b", true, "q r" },
		{ "bb=1", "b", false, "" },
		{ "", "b", false, "" },
		{ ";;;b=1", "b", true, "1" },
		{ "a=\"open;b=1", "b", false, "" },
		{ "b==", "b", true, "=" },
		{ "a=1;b=\"x;y\" ;c", "b", true, "x;y" },
		{ "\"a;b=1\";b=2", "b", true, "2" },
		{ "a=\"x\";b;c=3", "c", true, "3" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct span value = SPAN_NONE;

		assert_int_equal(
			sip_parameter(span_of(cases[i].params), span_of(cases[i].name), &value), cases[i].found);
		assert_span(value, cases[i].value);
	}
}

static void test_contacts(void **state)
{
	(void)state;
	parse_text("REGISTER sip:b SIP/2.0\r\nContact: \"a, b\" <sip:1@h,2>;q=1, <sip:2@h>\r\nm: sip:3@h\r\n\r\n");
	assert_int_equal(message.contact_count, 3);
	assert_span(message.contact.display, "a, b");
	assert_span(message.contact.uri, "sip:1@h,2");
	parse_text("REGISTER sip:b SIP/2.0\r\nContact: *\r\nExpires: 0\r\n\r\n");
	assert_true(message.contact_star);
	assert_true(message.has_expires);
	assert_int_equal(message.expires_s, 0);
	parse_text("REGISTER sip:b SIP/2.0\r\nContact:\r\n\r\n");
	assert_int_equal(message.contact_count, 0);
}

static void test_numbers(void **state)
{
	static const struct {
		const char *cseq;
		bool ok;
		uint32_t number;
	} cases[] = {
		{ "1 INVITE", true, 1 },
		{ "0 INVITE", true, 0 },
		{ "4294967295 INVITE", true, UINT32_MAX },
		{ "4294967296 INVITE", false, 0 },
		{ "36893488147419103232 INVITE", false, 0 },
		{ "INVITE", false, 0 },
		{ "1", false, 0 },
		{ "1INVITE", false, 0 },
		{ "-1 INVITE", false, 0 },
		{ "1 IN VITE", false, 0 },
		{ "", false, 0 },
		{ "1\tINVITE", true, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[512];

		snprintf(text, sizeof text, INVITE NAMES "CSeq: %s\r\n\r\n", cases[i].cseq);
		parse_text(text);
		assert_int_equal(message.has_cseq, cases[i].ok);
		assert_int_equal(message.cseq, cases[i].number);
		assert_int_equal(message.flaws, cases[i].ok ? 0 : SIP_FLAW_NO_CSEQ);
	}
	parse_text(
		"REGISTER sip:b SIP/2.0\r\nExpires: 10000000000000000000000000000000000000000000000000000000000000\r\nMax-Forwards: 300\r\n\r\n");
	assert_false(message.has_expires);
	assert_int_equal(message.max_forwards, 300);
	parse_text(INVITE NAMES "CSeq: 1 OPTIONS\r\n\r\n");
	assert_int_equal(message.flaws, SIP_FLAW_CSEQ_METHOD);
	parse_text("invite sip:a@b SIP/2.0\r\n" NAMES "CSeq: 1 invite\r\n\r\n");
	assert_int_equal(message.method, SIP_METHOD_OTHER);
	assert_int_equal(message.flaws, 0);
}

static void test_doubles(void **state)
{
	static const char *const twice[] = { FROM, TO, CALL_ID, CSEQ, "Max-Forwards: 1\r\n",
		"Content-Type: text/plain\r\n", "l: 0\r\n" };

	(void)state;
	for (size_t i = 0; i < sizeof twice / sizeof *twice; i++) {
		char text[1024];

		snprintf(text, sizeof text,
			INVITE NAMES CSEQ "Max-Forwards: 70\r\nc: a/b\r\nContent-Length: 0\r\n%s\r\n", twice[i]);
		parse_text(text);
		assert_int_equal(message.flaws, SIP_FLAW_DOUBLE_HEADER);
		assert_int_equal(message.max_forwards, 70);
		assert_span(message.content_type, "a/b");
	}
	parse_text(INVITE NAMES "From: <sip:other@h>;tag=zz\r\nCall-ID: other\r\n" CSEQ "CSeq: 9 BYE\r\n\r\n");
	assert_span(message.from.tag, "f1");
	assert_span(message.call_id, "c1@10.20.0.10");
	assert_int_equal(message.cseq, 1);
	parse_text(INVITE VIA VIA FROM TO CALL_ID CSEQ "\r\n");
	assert_int_equal(message.flaws, 0);
	assert_int_equal(message.via_count, 2);
}

static void test_missing(void **state)
{
	static const struct {
		const char *headers;
		uint32_t flaws;
	} cases[] = {
		{ FROM TO CALL_ID CSEQ, SIP_FLAW_NO_VIA },
		{ VIA TO CALL_ID CSEQ, SIP_FLAW_NO_FROM },
		{ VIA FROM CALL_ID CSEQ, SIP_FLAW_NO_TO },
		{ VIA FROM TO CSEQ, SIP_FLAW_NO_CALL_ID },
		{ NAMES, SIP_FLAW_NO_CSEQ },
		{ "", SIP_FLAW_NO_VIA | SIP_FLAW_NO_FROM | SIP_FLAW_NO_TO | SIP_FLAW_NO_CALL_ID | SIP_FLAW_NO_CSEQ },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[512];

		snprintf(text, sizeof text, INVITE "%s\r\n", cases[i].headers);
		assert_int_equal(parse_text(text)->flaws, cases[i].flaws);
	}
}

/* ---- bodies ---- */

static void test_content_length(void **state)
{
	static const struct {
		const char *name, *length, *body, *taken;
		bool has;
		uint32_t flaws;
	} cases[] = {
		{ "right", "l: 4\r\n", "body", "body", true, 0 },
		{ "absent", "", "body", "body", false, 0 },
		{ "long", "Content-Length: 9999\r\n", "body", "body", true, SIP_FLAW_CONTENT_LENGTH_LONG },
		{ "short", "Content-Length: 2\r\n", "body", "bo", true, SIP_FLAW_CONTENT_LENGTH_SHORT },
		{ "zero", "Content-Length: 0\r\n", "body", "", true, SIP_FLAW_CONTENT_LENGTH_SHORT },
		{ "line ends behind it", "Content-Length: 4\r\n", "body\r\n\r\n", "body", true, 0 },
		{ "another message behind it", "Content-Length: 4\r\n", "body\r\nINVITE sip:a@b SIP/2.0\r\n\r\n",
			"body", true, 0 },
		{ "negative", "Content-Length: -999\r\n", "body", "body", false, SIP_FLAW_CONTENT_LENGTH_BAD },
		{ "empty", "Content-Length:\r\n", "body", "body", false, SIP_FLAW_CONTENT_LENGTH_BAD },
		{ "words", "Content-Length: many\r\n", "body", "body", false, SIP_FLAW_CONTENT_LENGTH_BAD },
		{ "hexadecimal", "Content-Length: 0x4\r\n", "body", "body", false, SIP_FLAW_CONTENT_LENGTH_BAD },
		{ "two numbers", "Content-Length: 4 4\r\n", "body", "body", false, SIP_FLAW_CONTENT_LENGTH_BAD },
		{ "leading zeros", "Content-Length: 0000000000000004\r\n", "body", "body", true, 0 },
		{ "2^32 + 4", "Content-Length: 4294967300\r\n", "body", "body", false, SIP_FLAW_CONTENT_LENGTH_BAD },
		{ "2^64 + 4", "Content-Length: 18446744073709551620\r\n", "body", "body", false,
			SIP_FLAW_CONTENT_LENGTH_BAD },
		{ "2^32 - 1", "Content-Length: 4294967295\r\n", "body", "body", true, SIP_FLAW_CONTENT_LENGTH_LONG },
		{ "twice the same", "l: 4\r\nContent-Length: 4\r\n", "body", "body", true, SIP_FLAW_DOUBLE_HEADER },
		{ "twice different", "l: 4\r\nContent-Length: 3\r\n", "body", "body", false,
			SIP_FLAW_DOUBLE_HEADER | SIP_FLAW_CONTENT_LENGTH_BAD },
		{ "three, the last like the first", "l: 4\r\nl: 3\r\nl: 4\r\n", "body", "body", false,
			SIP_FLAW_DOUBLE_HEADER | SIP_FLAW_CONTENT_LENGTH_BAD },
		{ "bad, then good", "l: x\r\nl: 4\r\n", "body", "body", false,
			SIP_FLAW_DOUBLE_HEADER | SIP_FLAW_CONTENT_LENGTH_BAD },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[1024];

		snprintf(text, sizeof text, INVITE NAMES CSEQ "%s\r\n%s", cases[i].length, cases[i].body);
		parse_text(text);
		if (message.flaws != cases[i].flaws)
			fail_msg("%s: flaws %x", cases[i].name, message.flaws);
		assert_span(message.body, cases[i].taken);
		assert_int_equal(message.has_content_length, cases[i].has);
		assert_ptr_equal(message.bytes.p + message.bytes.n, message.body.p + message.body.n);
	}
}

#define PARTS(b) \
	"--" b "\r\nContent-Type: text/plain\r\n\r\nv=0 not this\r\n--" b \
	"\r\nContent-Type: Application/SDP\r\n\r\n" SDP "\r\n--" b "--\r\n"

static void test_sdp(void **state)
{
	static const struct {
		const char *name, *headers, *body, *sdp;
	} cases[] = {
		{ "alone", "Content-Type: application/sdp\r\n", SDP, SDP },
		{ "compact, any case, parameters", "c : APPLICATION/SDP ; charset=utf-8\r\n", SDP, SDP },
		{ "no type, but it begins like one", "", SDP, SDP },
		{ "no type, something else", "", "hello", "" },
		{ "another type", "Content-Type: text/plain\r\n", SDP, "" },
		{ "packed", "Content-Type: application/sdp\r\nContent-Encoding: gzip\r\n", SDP, "" },
		{ "not packed", "Content-Type: application/sdp\r\ne: identity\r\n", SDP, SDP },
		{ "among parts", "Content-Type: multipart/mixed;boundary=b1\r\n", PARTS("b1"), SDP },
		{ "quoted boundary", "Content-Type: multipart/mixed; boundary=\"a b;c\"\r\n", PARTS("a b;c"), SDP },
		{ "text in front", "Content-Type: multipart/mixed;boundary=b1\r\n", "preamble --b1 no\r\n" PARTS("b1"),
			SDP },
		{ "LF only", "c: multipart/mixed;boundary=b\r\n", "--b\nc: application/sdp\n\nv=0\n--b--\n", "v=0" },
		{ "no headers in the part", "c: multipart/mixed;boundary=b\r\n", "--b\r\n\r\nv=0\r\n--b--\r\n", "" },
		{ "part without end", "c: multipart/mixed;boundary=b\r\n", "--b\r\nc: application/sdp\r\n\r\nv=0\r\n",
			"v=0\r\n" },
		{ "of an early session (RFC 3959)", "c: application/sdp\r\nContent-Disposition: early-session;handling=optional\r\n",
		  "v=0\r\n", "" },
		{ "of the session", "c: application/sdp\r\nContent-Disposition: session\r\n", "v=0", "v=0" },
		{ "behind that of an early session", "c: multipart/mixed;boundary=b\r\n",
		  "--b\r\nc: application/sdp\r\nContent-Disposition: early-session\r\n\r\nv=1\r\n--b\r\nc: application/sdp\r\n\r\nv=0\r\n--b--\r\n",
		  "v=0" },
		{ "no boundary named", "c: multipart/mixed\r\n", PARTS("b1"), "" },
		{ "boundary never there", "c: multipart/mixed;boundary=b2\r\n", PARTS("b1"), "" },
		{ "base64", "c: multipart/mixed;boundary=b\r\n",
			"--b\r\nc: application/sdp\r\nContent-Transfer-Encoding: base64\r\n\r\ndj0w\r\n--b--\r\n", "" },
		{ "nested, inner boundary begins like the outer", "c: multipart/mixed;boundary=b\r\n",
			"--b\r\nc: multipart/alternative;boundary=bb\r\n\r\n" PARTS("bb") "\r\n--b--\r\n", SDP },
		{ "behind the last delimiter", "c: multipart/mixed;boundary=b\r\n",
			"--b--\r\n--b\r\nc: application/sdp\r\n\r\nv=0\r\n--b--\r\n", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[2048];

		snprintf(text, sizeof text, INVITE NAMES CSEQ "%s\r\n%s", cases[i].headers, cases[i].body);
		parse_text(text);
		if (!span_equal(message.sdp, span_of(cases[i].sdp)))
			fail_msg("%s: \"%.*s\"", cases[i].name, (int)message.sdp.n, (const char *)message.sdp.p);
	}
}

/* Multiparts inside each other, an SDP in the innermost: found down to where real nesting ends, given up beyond. */
static void test_nested_depth(void **state)
{
	(void)state;
	for (unsigned depth = 1; depth <= 60; depth++) {
		char *text = calloc(1, 16384);
		size_t n = (size_t)sprintf(text, INVITE NAMES CSEQ "c: multipart/mixed;boundary=b0\r\n\r\n");

		assert_non_null(text);
		for (unsigned i = 0; i + 1 < depth; i++)
			n += (size_t)sprintf(text + n, "--b%u\r\nc: multipart/mixed;boundary=b%u\r\n\r\n", i, i + 1);
		sprintf(text + n, "--b%u\r\nc: application/sdp\r\n\r\nv=0\r\n--b%u--\r\n", depth - 1, depth - 1);
		parse_text(text);
		assert_int_equal(message.sdp.n > 0, depth <= 4);
		free(text);
	}
}

/* ---- the snap length ---- */

/* Cut anywhere, nothing is said about what could not be seen, and nothing half is believed. */
static void test_cut(void **state)
{
	static const char text[] = INVITE VIA FROM "To: <sip:200@10.20.0.20>;tag=t1\r\n" CALL_ID
						   "CSeq: 12 INVITE\r\nContact: <sip:1@10.0.0.1>\r\n"
						   "Content-Type: application/sdp\r\nContent-Length: 32\r\n\r\n" SDP;
	const size_t headers = (size_t)(strstr(text, "\r\n\r\n") - text) + 3;     /* a bare CR ends them, too */

	(void)state;
	for (size_t n = 12; n < sizeof text - 1; n++) {
		uint8_t *copy = malloc(n);

		assert_non_null(copy);
		memcpy(copy, text, n); /* so that a sanitizer sees a read past it */
		assert_true(sip_message_parse((struct span){ copy, n }, sizeof text - 1, &message));
		sip_message_judge(&message);
		if (message.flaws != (SIP_FLAW_BODY_CUT | (n < headers ? SIP_FLAW_HEADERS_CUT : 0)))
			fail_msg("%zu of %zu bytes: flaws %x", n, headers, message.flaws);
		assert_true(message.call_id.n == 0 || message.call_id.n == strlen("c1@10.20.0.10"));
		assert_true(message.to.tag.n == 0 || message.to.tag.n == 2);
		assert_true(!message.has_cseq || message.cseq == 12);
		free(copy);
	}
}

static void test_cut_content_length(void **state)
{
	static const char text[] = INVITE NAMES CSEQ "Content-Length: 2\r\n\r\nbody";

	(void)state;
	/* The body that Content-Length names is whole, the rest was cut off: no lie that could be proved. */
	assert_true(sip_message_parse(SPAN(INVITE NAMES CSEQ "Content-Length: 2\r\n\r\nbo"), sizeof text, &message));
	assert_int_equal(message.flaws, 0);
	assert_true(sip_message_parse(SPAN(INVITE NAMES CSEQ "Content-Length: 9\r\n\r\nbo"), sizeof text, &message));
	assert_int_equal(message.flaws, SIP_FLAW_BODY_CUT);
	assert_span(message.body, "bo");
}

/* ---- too much ---- */

static struct span repeated(const char *head, const char *piece, unsigned times, const char *tail)
{
	size_t n = strlen(head) + times * strlen(piece) + strlen(tail);
	char *text = malloc(n + 1), *at = text;

	assert_non_null(text);
	at += sprintf(at, "%s", head);
	while (times--)
		at += sprintf(at, "%s", piece);
	sprintf(at, "%s", tail);
	return (struct span){ (uint8_t *)text, n };
}

static void test_too_much(void **state)
{
	static const struct {
		const char *name, *head, *piece;
		unsigned times;
		const char *tail;
		uint32_t flaws;
		unsigned vias;
	} cases[] = {
		{ "headers", INVITE, "X: y\r\n", 12000, NAMES CSEQ "\r\n", SIP_FLAW_TOO_MUCH, 1 },
		{ "256 headers", INVITE NAMES CSEQ, "X: y\r\n", 251, "\r\n", 0, 1 },
		{ "Via values on a line", INVITE FROM TO CALL_ID CSEQ "v: SIP/2.0/UDP h", ",SIP/2.0/UDP h", 4500,
			"\r\n\r\n", SIP_FLAW_TOO_MUCH, 4501 },
		{ "parameters", INVITE VIA FROM "To: <sip:a@b", ";a=b", 15000, ">\r\n" CALL_ID CSEQ "\r\n",
			SIP_FLAW_TOO_MUCH, 1 },
		{ "open quotes", INVITE VIA FROM TO CALL_ID CSEQ "Contact: <sip:a@b>", ",\"", 20000, "\r\n\r\n",
			SIP_FLAW_ADDRESS | SIP_FLAW_TOO_MUCH, 1 },
		{ "open angles", INVITE VIA FROM TO CALL_ID CSEQ "Contact: <sip:a@b>", ",<", 20000, "\r\n\r\n",
			SIP_FLAW_ADDRESS, 1 },
		{ "escaped quotes", INVITE VIA FROM "To: \"", "\\\"", 20000, "\" <sip:a@b>\r\n" CALL_ID CSEQ "\r\n",
			SIP_FLAW_TOO_MUCH, 1 },
		{ "folds", INVITE VIA FROM TO CALL_ID CSEQ "Subject: a", "\r\n b", 15000, "\r\n\r\n", 0, 1 },
		{ "at signs", INVITE VIA FROM "To: <sip:", "a@", 20000, "b>\r\n" CALL_ID CSEQ "\r\n", SIP_FLAW_TOO_MUCH,
			1 },
		{ "delimiters", INVITE NAMES CSEQ "c: multipart/mixed;boundary=b\r\n\r\n",
			"--b\r\nc: multipart/mixed;boundary=b\r\n\r\n", 1500, "", 0, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct span s = repeated(cases[i].head, cases[i].piece, cases[i].times, cases[i].tail);

		parse(s);
		sip_message_judge(&message);
		if (message.flaws != cases[i].flaws || message.via_count != cases[i].vias)
			fail_msg("%s: flaws %x, %u Via", cases[i].name, message.flaws, message.via_count);
		assert_true(message.has_cseq);
		assert_span(message.call_id, "c1@10.20.0.10");
		free((void *)(uintptr_t)s.p);
	}
}

/* ---- the second look ---- */

static void test_judge(void **state)
{
	static const struct {
		const char *name, *line, *headers;
		uint32_t flaws;
	} cases[] = {
		{ "nothing wrong", INVITE, VIA FROM TO "Contact: <sip:1@10.0.0.1>\r\nRecord-Route: <sip:p;lr>\r\n", 0 },
		{ "blank before port", INVITE, "Via: SIP/2.0/UDP h : 5060\r\n" FROM TO, 0 },
		{ "two Via on a line", INVITE, "Via: SIP/2.0/UDP a, SIP/2.0/TCP b\r\n" FROM TO, 0 },
		{ "two Via without a comma", INVITE, "Via: SIP/2.0/UDP 10.0.0.1 SIP/2.0/UDP 10.0.0.2\r\n" FROM TO,
			SIP_FLAW_VIA },
		{ "Via without sent-by", INVITE, "Via: SIP/2.0/UDP\r\n" FROM TO, SIP_FLAW_VIA },
		{ "second Via broken", INVITE, VIA "Via: nonsense\r\n" FROM TO, SIP_FLAW_VIA },
		{ "Via port 0", INVITE, "Via: SIP/2.0/UDP h:0\r\n" FROM TO, SIP_FLAW_VIA },
		{ "Via port 70000", INVITE, "Via: SIP/2.0/UDP h:70000\r\n" FROM TO, SIP_FLAW_VIA },
		{ "separators", INVITE,
			"Via: SIP/2.0/UDP h;branch=z9;,;,,\r\n" FROM TO "Contact: \"J\" <sip:j@h>;;;;\r\n",
			SIP_FLAW_VIA | SIP_FLAW_ADDRESS },
		{ "display name with comma", INVITE, VIA "From: Bell, Alexander <sip:a@h>;tag=4\r\n" TO,
			SIP_FLAW_ADDRESS },
		{ "display name in UTF-8, not quoted", INVITE, VIA "From: J\xc3\xb6rg <sip:a@h>;tag=4\r\n" TO,
			SIP_FLAW_ADDRESS },
		{ "quote not closed", INVITE, VIA FROM "To: \"Mr. Q <sip:q@h>\r\n", SIP_FLAW_ADDRESS },
		{ "blanks in < >", INVITE, VIA FROM "To: \"Q\" < sip:q@h >\r\n", SIP_FLAW_ADDRESS },
		{ "no closing >", INVITE, VIA FROM "To: <sip:q@h\r\n", SIP_FLAW_ADDRESS },
		{ "? without < >", INVITE, VIA FROM TO "Contact: sip:u@h?Route=%3Csip:x%3E\r\n", SIP_FLAW_ADDRESS },
		{ "? inside < >", INVITE, VIA FROM TO "Contact: <sip:u@h?Route=%3Csip:x%3E>\r\n", 0 },
		{ "empty host", INVITE, VIA FROM "To: <sip:200@>\r\n", SIP_FLAW_ADDRESS },
		{ "port 70000", INVITE, VIA FROM "To: <sip:200@h:70000>\r\n", SIP_FLAW_ADDRESS },
		{ "IPv6 without brackets", "REGISTER sip:2001:db8::20 SIP/2.0\r\n", VIA FROM TO, SIP_FLAW_URI },
		{ "IPv6", "REGISTER sip:[2001:db8::20]:5060;x SIP/2.0\r\n",
			VIA "From: <sip:a@[2001:db8::1]>;tag=1\r\n" TO, 0 },
		{ "headers in the Request-URI", "REGISTER sip:u@h?Route=%3Csip:x%3E SIP/2.0\r\n", VIA FROM TO,
			SIP_FLAW_URI },
		{ "headers behind parameters", "REGISTER sip:u@h;lr?Subject=x SIP/2.0\r\n", VIA FROM TO, SIP_FLAW_URI },
		{ "no scheme", "REGISTER 200@h SIP/2.0\r\n", VIA FROM TO, SIP_FLAW_URI },
		{ "another scheme", "REGISTER soap.beep://192.0.2.103:3002 SIP/2.0\r\n",
			VIA FROM "To: <soap.beep://192.0.2.103:3002>\r\n", 0 },
		{ "tel", "REGISTER tel:+49301234 SIP/2.0\r\n",
			VIA FROM "To: <tel:+49301234>\r\nContact: <name:John_Smith>\r\n", 0 },
		{ "Record-Route without < >", INVITE, VIA FROM TO "Record-Route: sip:p;lr\r\n", SIP_FLAW_ROUTE },
		{ "Route without host", INVITE, VIA FROM TO "Route: <sip:>\r\n", SIP_FLAW_ROUTE },
		{ "Digest", INVITE,
			VIA FROM TO
			"Authorization: Digest username=\"a\", realm=\"r,s\", nonce=\"n\", uri=\"sip:b\", response=\"0\"\r\n",
			0 },
		{ "Digest without response", INVITE,
			VIA FROM TO "Authorization: Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"sip:b\"\r\n",
			SIP_FLAW_CREDENTIALS },
		{ "Digest of garbage", INVITE, VIA FROM TO "Proxy-Authorization: Digest ~~~,,,\r\n",
			SIP_FLAW_CREDENTIALS },
		{ "unknown credentials", INVITE, VIA FROM TO "Authorization: NoOneKnowsThisScheme opaque-data=here\r\n",
			0 },
		{ "Contact star", INVITE, VIA FROM TO "Contact: *\r\n", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[1024];

		snprintf(text, sizeof text, "%s%s" CALL_ID "\r\n", cases[i].line, cases[i].headers);
		parse_text(text);
		sip_message_judge(&message);
		if ((message.flaws & ~(uint32_t)SIP_FLAW_NO_CSEQ) != cases[i].flaws)
			fail_msg("%s: flaws %x", cases[i].name, message.flaws);
		sip_message_judge(&message); /* says the same again */
		assert_int_equal(message.flaws & ~(uint32_t)SIP_FLAW_NO_CSEQ, cases[i].flaws);
	}
}

/* libosip2 prints each refusal on stdout unless told otherwise: that would break JSON. */
static void test_silent(void **state)
{
	char byte;
	int pipe_ends[2], out;
	ssize_t n;

	(void)state;
	fflush(stdout);
	assert_int_equal(pipe(pipe_ends), 0);
	out = dup(STDOUT_FILENO);
	dup2(pipe_ends[1], STDOUT_FILENO);
	close(pipe_ends[1]);
	parse_text(INVITE
		"Via: SIP/2.0/UDP a b c\r\nFrom: J\xc3\xb6rg <sip:a@h>;;;\r\nTo: \"x <sip:a@b>\r\nContact: a,b <sip:c@d>\r\n"
		"Authorization: Digest username=\"a, realm=\"r\", nonce=\"n\", uri=\"sip:b\", response=\"0\"\r\n\r\n");
	sip_message_judge(&message);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	close(out);
	n = read(pipe_ends[0], &byte, 1);
	close(pipe_ends[0]);
	assert_int_equal(n, 0);
	assert_true(message.flaws & SIP_FLAW_ADDRESS);
	assert_true(message.flaws & SIP_FLAW_VIA);
}

static void test_method_names(void **state)
{
	(void)state;
	assert_string_equal(sip_method_name(SIP_INVITE), "INVITE");
	assert_string_equal(sip_method_name(SIP_MESSAGE), "MESSAGE");
	assert_string_equal(sip_method_name(SIP_METHOD_OTHER), "other");
	assert_string_equal(sip_method_name(SIP_METHOD_NONE), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_looks_like),
		cmocka_unit_test(test_start_lines),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_quoted_control),
		cmocka_unit_test(test_tortuous),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_header_walk),
		cmocka_unit_test(test_header_walk_beyond),
		cmocka_unit_test(test_line_ends),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_no_empty_line),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_addresses_refused),
		cmocka_unit_test(test_vias),
		cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_contacts),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_doubles),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_content_length),
		cmocka_unit_test(test_sdp),
		cmocka_unit_test(test_nested_depth),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_cut_content_length),
		cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_judge),
		cmocka_unit_test(test_silent),
		cmocka_unit_test(test_method_names),
	};

	sip_start();
	sip_start(); /* may be called again */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
