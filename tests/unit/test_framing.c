/* SPDX-License-Identifier: MIT */
/* framing: where messages end in a stream, and what a stream is. */
#include "dissect_bytes.h"

#include "dissect/framing.h"

#define DATA "\x17\x03\x03\x00\x02" "ab"
#define DATA_9 DATA DATA DATA DATA DATA DATA DATA DATA DATA

#define INFO(length, body) \
	"INFO sip:2@b SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bK2\r\nFrom: <sip:1@a>;tag=x\r\nTo: <sip:2@b>;tag=y\r\n" \
	"Call-ID: c\r\nCSeq: 2 INFO\r\nContent-Type: text/plain\r\nContent-Length: " length "\r\n\r\n" body
#define SIPFRAG(length, body) \
	"NOTIFY sip:2@b SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bK3\r\nFrom: <sip:1@a>;tag=x\r\nTo: <sip:2@b>;tag=y\r\n" \
	"Call-ID: c\r\nCSeq: 2 NOTIFY\r\nContent-Type: message/sipfrag\r\nContent-Length: " length "\r\n\r\n" body
#define HELLO "\x16\x03\x01\x00\x04\x01\x00\x00\x00"

struct expected {
	unsigned count;
	enum framed_kind kind;       /* of the first */
	size_t bytes;                /* of the first */
	bool length_short;
};

static const struct { const char *name; struct span bytes; struct expected expected; enum framing_kind kind;
	} cases[] = {
	{ "one", SPAN(OPTIONS_TEXT), { 1, FRAMED_SIP, sizeof OPTIONS_TEXT - 1, false }, FRAMING_SIP },
	{ "two", SPAN(OPTIONS_TEXT OPTIONS_TEXT), { 2, FRAMED_SIP, sizeof OPTIONS_TEXT - 1, false }, FRAMING_SIP },
	{ "keepalives before, between, behind", SPAN("\r\n\r\n" OPTIONS_TEXT "\r\n" OPTIONS_TEXT "\r\n\r\n"),
	  { 2, FRAMED_SIP, sizeof OPTIONS_TEXT - 1, false }, FRAMING_SIP },
	{ "body", SPAN(INFO("5", "hello") OPTIONS_TEXT), { 2, FRAMED_SIP, sizeof INFO("5", "hello") - 1, false },
	  FRAMING_SIP },
	{ "Content-Length too short", SPAN(INFO("2", "he\nllo\r\n") OPTIONS_TEXT),
	  { 2, FRAMED_SIP, sizeof INFO("2", "he") - 1, false }, FRAMING_SIP },
	{ "too short, inside a line", SPAN(INFO("2", "hello\r\n") OPTIONS_TEXT),
	  { 2, FRAMED_SIP, sizeof INFO("2", "he") - 1, true }, FRAMING_SIP },
	{ "Content-Length too long", SPAN(INFO("50", "hello\r\n") OPTIONS_TEXT),
	  { 2, FRAMED_SIP, sizeof INFO("50", "hello\r\n") - 1, false }, FRAMING_SIP },
	{ "a body that is SIP", SPAN(SIPFRAG("16", "SIP/2.0 200 OK\r\n") OPTIONS_TEXT),
	  { 2, FRAMED_SIP, sizeof SIPFRAG("16", "SIP/2.0 200 OK\r\n") - 1, false }, FRAMING_SIP },
	{ "half", SPAN("OPTIONS sip:200@10.0.0.2 SIP/2.0\r\nVia: "), { 0, 0, 0, false }, FRAMING_SIP },
	{ "half a line", SPAN("OPTIONS sip:200@"), { 0, 0, 0, false }, FRAMING_UNDECIDED },
	{ "HTTP", SPAN("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), { 0, 0, 0, false }, FRAMING_NONE },
	{ "text", SPAN("220 mail ready\r\n"), { 0, 0, 0, false }, FRAMING_NONE },
	{ "binary", SPAN("\x00\x01\x02\x03\x04\x05"), { 0, 0, 0, false }, FRAMING_NONE },
	{ "TLS", SPAN(HELLO HELLO), { 2, FRAMED_TLS, 9, false }, FRAMING_TLS },
	{ "TLS data, each while the handshake may go on", SPAN(DATA DATA), { 2, FRAMED_TLS, 7, false }, FRAMING_TLS },
	{ "TLS data, once a segment behind 24 records", SPAN(DATA_9 DATA_9 DATA_9), { 24, FRAMED_TLS, 7, false },
	  FRAMING_TLS },
	{ "TLS record over the limit", SPAN("\x16\x03\x01\xff\xff\x01"), { 0, 0, 0, false }, FRAMING_NONE },
	{ "HEP", SPAN("HEP3\x00\x08" "ab" "HEP3\x00\x06"), { 2, FRAMED_HEP, 8, false }, FRAMING_HEP },
};

static void check(size_t i, const struct expected *got, const struct framing *f)
{
	const struct expected *want = &cases[i].expected;

	if (got->count != want->count || got->kind != want->kind || got->bytes != want->bytes ||
	    got->length_short != want->length_short ||
	    f->kind != cases[i].kind)
		fail_msg("%s: %u messages, kind %d, %zu bytes, short %d, stream %d", cases[i].name, got->count,
			got->kind, got->bytes,
			 got->length_short, f->kind);
}

static void drain(struct framing *f, struct expected *got)
{
	struct framed framed;

	while (framing_next(f, &framed)) {
		if (framed.kind == FRAMED_KEEPALIVE)
			continue;
		if (got->count++ == 0) {
			got->kind = framed.kind;
			got->bytes = framed.bytes.n;
			got->length_short = framed.length_short;
		}
	}
	framing_rest(f);
}

static void test_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct expected got = { 0 };
		struct framing f;

		framing_init(&f, true);
		framing_add(&f, cases[i].bytes, 0, 1);
		drain(&f, &got);
		check(i, &got, &f);
		framing_fini(&f);
	}
}

/* Byte by byte the same messages, but for TLS data (one a segment) and what only the bytes behind could tell. */
static void test_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct expected got = { 0 };
		struct framing f;

		framing_init(&f, true);
		for (size_t at = 0; at < cases[i].bytes.n; at++) {
			framing_add(&f, span_first(span_from(cases[i].bytes, at), 1), 0, (uint32_t)at);
			drain(&f, &got);
		}
		if (cases[i].kind == FRAMING_TLS && cases[i].bytes.p[0] == 23)
			got.count = cases[i].expected.count, got.bytes = 7;
		got.length_short = cases[i].expected.length_short;
		check(i, &got, &f);
		framing_fini(&f);
	}
}

/* A connection that is joined in its middle. */
static void test_midstream(void **state)
{
	const struct { const char *name; struct span first, second; unsigned count; enum framing_kind kind; } rows[] = {
		{ "in a message", SPAN("a=rtpmap:0 PCMU/8000\r\n"), SPAN(OPTIONS_TEXT), 1, FRAMING_SIP },
		{ "start line in the same segment", SPAN("a=x\r\n" OPTIONS_TEXT), SPAN(""), 1, FRAMING_SIP },
		{ "start line over two segments", SPAN("a=x\r\nOPTIONS sip:200"),
		  SPAN("@10.0.0.2 SIP/2.0\r\nVia: SIP/2.0/TCP a\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n"), 1,
		  FRAMING_SIP },
		{ "TLS behind half a record", SPAN("\x99\x98\x97"), SPAN(HELLO), 1, FRAMING_TLS },
		{ "a Via is no start line", SPAN("x\r\nVia: SIP/2.0/TCP a\r\n\r\n"), SPAN(""), 0, FRAMING_SIP },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct expected got = { 0 };
		struct framing f;

		framing_init(&f, false);
		framing_add(&f, rows[i].first, 0, 1);
		drain(&f, &got);
		framing_add(&f, rows[i].second, 0, 2);
		drain(&f, &got);
		if (got.count != rows[i].count || f.kind != rows[i].kind)
			fail_msg("%s: %u messages, stream %d", rows[i].name, got.count, f.kind);
		framing_fini(&f);
	}
}

static void test_hole(void **state)
{
	struct expected got = { 0 };
	struct framing f;

	(void)state;
	framing_init(&f, true);
	framing_add(&f, span_first(options_sip, 60), 0, 1);
	drain(&f, &got);
	framing_hole(&f, 100);
	framing_add(&f, SPAN("rest of it\r\n\r\n"), 0, 2);
	drain(&f, &got);
	framing_add(&f, options_sip, 0, 3);
	drain(&f, &got);
	assert_int_equal(got.count, 1);
	assert_int_equal(got.bytes, options_sip.n);
	framing_fini(&f);
}

/* The missing bytes of a record that nobody reads lose nothing. */
static void test_hole_in_data(void **state)
{
	struct expected got = { 0 };
	struct framing f;

	(void)state;
	framing_init(&f, true);
	framing_add(&f, SPAN("\x17\x03\x03\x01\x00" "ab"), 0, 1);
	drain(&f, &got);
	framing_hole(&f, 0x100 - 4);
	framing_add(&f, SPAN("yz" "\x15\x03\x03\x00\x02\x01\x00"), 0, 2);
	drain(&f, &got);
	assert_int_equal(got.count, 2);
	framing_fini(&f);
}

static void test_keepalive(void **state)
{
	struct framed framed;
	struct framing f;

	(void)state;
	framing_init(&f, true);
	framing_add(&f, SPAN("\r\n\r\n"), 0, 1);
	assert_false(framing_next(&f, &framed));        /* of what, is not known yet */
	framing_add(&f, options_sip, 0, 2);
	assert_true(framing_next(&f, &framed));
	assert_false(framing_next(&f, &framed));
	framing_add(&f, SPAN("\r\n\r\n"), 0, 3);
	assert_true(framing_next(&f, &framed));
	assert_int_equal(framed.kind, FRAMED_KEEPALIVE);
	assert_false(framing_next(&f, &framed));
	framing_fini(&f);
}

/* Streams that never come to an end are given up, within bounds. */
static void test_endless(void **state)
{
	const struct { const char *name; struct span first, rest; } rows[] = {
		{ "start line", SPAN("OPTIONS sip:"),
		  SPAN("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa") },
		{ "header", SPAN("OPTIONS sip:a SIP/2.0\r\n"),
		  SPAN("Via: SIP/2.0/TCP aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n") },
		{ "HTTP header", SPAN("GET / HTTP/1.1\r\n"),
		  SPAN("X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n") },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct expected got = { 0 };
		struct framing f;
		size_t most = 0;

		framing_init(&f, true);
		framing_add(&f, rows[i].first, 0, 1);
		for (unsigned n = 0; n < 30000; n++) {
			framing_add(&f, rows[i].rest, 0, n + 2);
			drain(&f, &got);
			most = f.room > most ? f.room : most;
		}
		if (got.count != 0 || most > 512 << 10 || f.kind != FRAMING_NONE)
			fail_msg("%s: %u messages, %zu bytes, stream %d", rows[i].name, got.count, most, f.kind);
		framing_fini(&f);
	}
}

static void test_find(void **state)
{
	static const struct { struct span s; size_t at; } rows[] = {
		{ SPAN("SIP/2.0 200 OK\r\n"), 0 },
		{ SPAN("x\r\nSIP/2.0 200 OK\r\n"), 3 },
		{ SPAN("Via: SIP/2.0/UDP a\r\nBYE sip:a SIP/2.0\r\n"), 20 },
		{ SPAN("no SIP here\r\n"), 13 },
		{ SPAN("xSIP/2.0 200 OK\r\n"), 17 },
		{ SPAN(""), 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(framing_find_sip(rows[i].s), rows[i].at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_midstream),
		cmocka_unit_test(test_hole),
		cmocka_unit_test(test_hole_in_data),
		cmocka_unit_test(test_keepalive),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
