/* SPDX-License-Identifier: MIT */
/* sip_frame: where messages end in a stream, however it arrives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dissect/sip_message.h"

#define LINE        "OPTIONS sip:a@b SIP/2.0\r\n"
#define TEXT(bytes) bytes, sizeof(bytes) - 1

enum { NO_SIP = -1 };

static void test_frame(void **state)
{
	static const struct {
		const char *name, *bytes;
		size_t n;
		long length;
		size_t skip;
	} cases[] = {
		{ "no body", TEXT(LINE "\r\n"), 27, 0 },
		{ "no body, more behind", TEXT(LINE "\r\nBYE sip:a@b SIP/2.0\r\n"), 27, 0 },
		{ "body", TEXT(LINE "Content-Length: 4\r\n\r\nbodySIP"), 50, 0 },
		{ "compact, folded, any case", TEXT(LINE "L :\r\n 4\r\n\r\nbody"), 40, 0 },
		{ "body not all there", TEXT(LINE "Content-Length: 4\r\n\r\nbod"), 0, 0 },
		{ "headers not all there", TEXT(LINE "Content-Length: 4\r\n\r"), 0, 0 },
		{ "first line not all there", TEXT("OPTIONS si"), 0, 0 },
		{ "one byte", TEXT("S"), 0, 0 },
		{ "nothing", TEXT(""), 0, 0 },
		{ "keepalive", TEXT("\r\n\r\n"), 0, 4 },
		{ "keepalive in front", TEXT("\r\n\r\n" LINE "\r\n"), 27, 4 },
		{ "LF only", TEXT("OPTIONS sip:a@b SIP/2.0\nl: 1\n\nxy"), 31, 0 },
		{ "CRCRLF", TEXT("OPTIONS sip:a@b SIP/2.0\r\r\nl: 1\r\r\n\r\r\nxy"), 37, 0 },
		{ "length negative", TEXT(LINE "Content-Length: -1\r\n\r\nbody"), 47, 0 },
		{ "length of words", TEXT(LINE "Content-Length: x\r\n\r\nbody"), 46, 0 },
		{ "length 2^32 + 4", TEXT(LINE "Content-Length: 4294967300\r\n\r\nbody"), 55, 0 },
		{ "length 1 GiB", TEXT(LINE "Content-Length: 1073741824\r\n\r\nbody"), 55, 0 },
		{ "length 1 MiB is waited for", TEXT(LINE "Content-Length: 1048576\r\n\r\nbody"), 0, 0 },
		{ "two lengths", TEXT(LINE "l: 2\r\nl: 4\r\n\r\nbody"), 39, 0 },
		{ "twice the same", TEXT(LINE "l: 4\r\nl: 4\r\n\r\nbody"), 43, 0 },
		{ "length in the body is none", TEXT(LINE "l: 6\r\n\r\nl: 99\r"), 39, 0 },
		{ "HTTP", TEXT("GET / HTTP/1.1\r\n\r\n"), NO_SIP, 0 },
		{ "HTTP, not all there", TEXT("GET / HT"), 0, 0 },
		{ "TLS", TEXT("\x16\x03\x01\x02\x00\x01"), NO_SIP, 0 },
		{ "the middle of a body", TEXT("a=rtpmap:0 PCMU/8000\r\n"), NO_SIP, 0 },
		{ "text", TEXT("hello there: world\r\n"), NO_SIP, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t skip = 99,
		       length = sip_message_frame((struct span){ (const uint8_t *)cases[i].bytes, cases[i].n }, &skip);

		if (length != (size_t)cases[i].length || skip != cases[i].skip)
			fail_msg("%s: %zd, skip %zu", cases[i].name, (ssize_t)length, skip);
	}
}

/* Byte by byte, with and without what an earlier call found: the same messages at the same places. */
static void test_growing(void **state)
{
	static const char stream[] = "\r\n" LINE "Subject: x\r\n y\r\nl: 4\r\n\r\nbody"
				     "\r\n\r\n"
				     "SIP/2.0 200 OK\r\n\r\n" LINE "l: 0\r\n\r\n";
	static const size_t lengths[] = { 53, 18, 33 };
	size_t begin = 0, found = 0;
	struct sip_framing f = { 0, 0 };

	(void)state;
	for (size_t n = 1; n < sizeof stream; n++) {
		struct span s = { (const uint8_t *)stream + begin, n - begin };
		size_t skip, fresh_skip, length = sip_framing_next(&f, s, &skip);

		assert_int_equal(length, sip_message_frame(s, &fresh_skip));
		assert_int_equal(skip, fresh_skip);
		if (length == 0)
			continue;
		assert_int_equal(length, lengths[found++]);
		begin += skip + length;
		f = (struct sip_framing){ 0, 0 };
	}
	assert_int_equal(found, 3);
	assert_int_equal(begin, sizeof stream - 1);
}

/* Headers that never end are given up at 64 KiB, and what was searched is not searched again. */
static void test_endless(void **state)
{
	enum { LINES = 70 * 1024 };
	uint8_t *bytes = malloc(LINES);
	size_t skip, at = sizeof LINE - 1;
	struct sip_framing f = { 0, 0 };

	(void)state;
	assert_non_null(bytes);
	memcpy(bytes, LINE, at);
	memset(bytes + at, 'a', LINES - at);
	assert_int_equal(sip_framing_next(&f, (struct span){ bytes, 30000 }, &skip), 0);
	assert_true(f.searched > 29000);
	assert_int_equal(sip_framing_next(&f, (struct span){ bytes, 60000 }, &skip), 0);
	assert_true(sip_framing_next(&f, (struct span){ bytes, LINES }, &skip) == SIZE_MAX);
	assert_true(sip_message_frame((struct span){ bytes, LINES }, &skip) == SIZE_MAX);
	memset(bytes, 'a', LINES); /* a first line that never ends */
	assert_true(sip_message_frame((struct span){ bytes, LINES }, &skip) == SIZE_MAX);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frame),
		cmocka_unit_test(test_growing),
		cmocka_unit_test(test_endless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
