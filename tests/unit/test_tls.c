/* SPDX-License-Identifier: MIT */
/* tls: records and handshakes, those that lie about their lengths too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dissect/tls.h"

#define BYTES(...) \
	{ \
		(const uint8_t[]){ __VA_ARGS__ }, sizeof(const uint8_t[]) \
		{ \
			__VA_ARGS__ \
		} \
	}
#define RANDOM 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8
/* 41 bytes: version, random, no session id, one suite, no compression */
#define CLIENT_HEAD 3, 3, RANDOM, 0, 0, 2, 0x13, 1, 1, 0
#define SNI         0, 0, 0, 8, 0, 6, 0, 0, 3, 'a', '.', 'b'
#define ALPN        0, 16, 0, 6, 0, 4, 3, 's', 'i', 'p'
#define SERVER_HEAD 3, 3, RANDOM, 0, 0x13, 1, 0

static const struct {
	const char *name;
	struct span bytes;
	size_t cut;
	bool dtls, ok;
	uint8_t content, handshake;
	uint8_t level, alert;
	const char *server_name, *alpn, *certificate;
	size_t length;
} cases[] = {
	{ "ClientHello", BYTES(22, 3, 1, 0, 69, 1, 0, 0, 65, CLIENT_HEAD, 0, 22, SNI, ALPN), 0, false, true, 22, 1, 0,
		0, "a.b", "sip", "", 69 },
	{ "ALPN in front", BYTES(22, 3, 1, 0, 69, 1, 0, 0, 65, CLIENT_HEAD, 0, 22, ALPN, SNI), 0, false, true, 22, 1, 0,
		0, "a.b", "sip", "", 69 },
	{ "cut in the extensions", BYTES(22, 3, 1, 0, 69, 1, 0, 0, 65, CLIENT_HEAD, 0, 22, SNI, 0, 16), 8, false, true,
		22, 1, 0, 0, "a.b", "", "", 69 },
	{ "rest in the next segment", BYTES(22, 3, 1, 0, 69, 1, 0, 0, 65, CLIENT_HEAD, 0, 22, SNI), 0, false, true, 22,
		1, 0, 0, "", "", "", 69 },
	{ "no extensions", BYTES(22, 3, 1, 0, 45, 1, 0, 0, 41, CLIENT_HEAD), 0, false, true, 22, 1, 0, 0, "", "", "",
		45 },
	{ "extensions of 65535", BYTES(22, 3, 1, 0, 51, 1, 0, 0, 47, CLIENT_HEAD, 0xff, 0xff, 0, 0, 0, 9), 0, false,
		true, 22, 1, 0, 0, "", "", "", 51 },
	{ "name list of 65535",
		BYTES(22, 3, 1, 0, 59, 1, 0, 0, 55, CLIENT_HEAD, 0, 12, 0, 0, 0, 8, 0xff, 0xff, 0, 0, 3, 'a', '.', 'b'),
		0, false, true, 22, 1, 0, 0, "", "", "", 59 },
	{ "name longer than its list",
		BYTES(22, 3, 1, 0, 59, 1, 0, 0, 55, CLIENT_HEAD, 0, 12, 0, 0, 0, 8, 0, 6, 0, 0, 9, 'a', '.', 'b'), 0,
		false, true, 22, 1, 0, 0, "", "", "", 59 },
	{ "session id of 255", BYTES(22, 3, 1, 0, 40, 1, 0, 0, 36, 3, 3, RANDOM, 255, 0), 0, false, true, 22, 1, 0, 0,
		"", "", "", 40 },
	{ "ServerHello, ALPN", BYTES(22, 3, 3, 0, 54, 2, 0, 0, 50, SERVER_HEAD, 0, 10, ALPN), 0, false, true, 22, 2, 0,
		0, "", "sip", "", 54 },
	{ "Certificate", BYTES(22, 3, 3, 0, 13, 11, 0, 0, 9, 0, 0, 6, 0, 0, 3, 0x30, 1, 0), 0, false, true, 22, 11, 0,
		0, "", "", "\x30\x01", 13 },
	{ "ServerHello, then Certificate",
		BYTES(22, 3, 3, 0, 55, 2, 0, 0, 38, SERVER_HEAD, 11, 0, 0, 9, 0, 0, 6, 0, 0, 3, 0x30, 1, 0), 0, false,
		true, 22, 2, 0, 0, "", "", "\x30\x01", 55 },
	{ "certificate of 16 MiB", BYTES(22, 3, 3, 0, 13, 11, 0, 0, 9, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x30, 1, 0),
		0, false, true, 22, 11, 0, 0, "", "", "", 13 },
	{ "message of 16 MiB", BYTES(22, 3, 3, 0, 6, 11, 0xff, 0xff, 0xff, 0, 0), 0, false, true, 22, 255, 0, 0, "", "",
		"", 6 },
	{ "encrypted handshake", BYTES(22, 3, 3, 0, 8, 0x8c, 0x12, 0x9a, 0x03, 1, 2, 3, 4), 0, false, true, 22, 255, 0,
		0, "", "", "", 8 },
	{ "ServerHelloDone", BYTES(22, 3, 3, 0, 4, 14, 0, 0, 0), 0, false, true, 22, 14, 0, 0, "", "", "", 4 },
	{ "empty record", BYTES(22, 3, 3, 0, 0), 0, false, true, 22, 255, 0, 0, "", "", "", 0 },
	{ "alert", BYTES(21, 3, 3, 0, 2, 2, 48), 0, false, true, 21, 255, 2, 48, "", "", "", 2 },
	{ "alert of an unknown level", BYTES(21, 3, 3, 0, 2, 9, 48), 0, false, true, 21, 255, 0, 0, "", "", "", 2 },
	{ "alert, encrypted", BYTES(21, 3, 3, 0, 3, 2, 48, 0), 0, false, true, 21, 255, 0, 0, "", "", "", 3 },
	{ "alert of a byte", BYTES(21, 3, 3, 0, 1, 2), 0, false, true, 21, 255, 0, 0, "", "", "", 1 },
	{ "data", BYTES(23, 3, 3, 0, 2, 22, 1), 0, false, true, 23, 255, 0, 0, "", "", "", 2 },
	{ "content 24", BYTES(24, 3, 3, 0, 1, 1), 0, false, false, 0, 0, 0, 0, "", "", "", 0 },
	{ "version 3.5", BYTES(22, 3, 5, 0, 1, 1), 0, false, false, 0, 0, 0, 0, "", "", "", 0 },
	{ "version 2", BYTES(22, 2, 0, 0, 1, 1), 0, false, false, 0, 0, 0, 0, "", "", "", 0 },
	{ "record of 65535", BYTES(22, 3, 3, 0xff, 0xff, 1), 0, false, false, 0, 0, 0, 0, "", "", "", 0 },
	{ "4 bytes", BYTES(22, 3, 3, 0), 0, false, false, 0, 0, 0, 0, "", "", "", 0 },

	{ "DTLS ClientHello",
		BYTES(22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0, 68, 1, 0, 0, 56, 0, 0, 0, 0, 0, 0, 0, 56, 0xfe, 0xfd,
			RANDOM, 0, 0, 0, 2, 0x13, 1, 1, 0, 0, 12, SNI),
		0, true, true, 22, 1, 0, 0, "a.b", "", "", 68 },
	{ "DTLS first fragment",
		BYTES(22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 14, 11, 0, 9, 0, 0, 1, 0, 0, 0, 0, 0, 2, 0, 9), 0,
		true, true, 22, 11, 0, 0, "", "", "", 14 },
	{ "DTLS later fragment",
		BYTES(22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 14, 11, 0, 9, 0, 0, 1, 0, 0, 7, 0, 0, 2, 0, 9), 0,
		true, true, 22, 255, 0, 0, "", "", "", 14 },
	{ "DTLS fragment past its message",
		BYTES(22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 14, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 2, 0, 9), 0, true,
		true, 22, 255, 0, 0, "", "", "", 14 },
	{ "DTLS, epoch 1", BYTES(22, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 1, 0, 2, 1, 0), 0, true, true, 22, 255, 0, 0, "",
		"", "", 2 },
	{ "DTLS alert", BYTES(21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 2, 40), 0, true, true, 21, 255, 2, 40, "",
		"", "", 2 },
	{ "DTLS alert of epoch 1", BYTES(21, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 1, 0, 2, 2, 40), 0, true, true, 21, 255,
		0, 0, "", "", "", 2 },
	{ "DTLS record past the datagram", BYTES(23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 1, 0, 9, 1), 0, true, false, 0, 0,
		0, 0, "", "", "", 0 },
	{ "the same, cut off", BYTES(23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 1, 0, 9, 1), 8, true, true, 23, 255, 0, 0, "",
		"", "", 9 },
	{ "DTLS version 1.1 of TLS", BYTES(22, 3, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1), 0, true, false, 0, 0, 0, 0, "",
		"", "", 0 },
	{ "DTLS 1.3 record", BYTES(0x2e, 1, 2, 0, 17, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17), 0,
		true, true, 23, 255, 0, 0, "", "", "", 17 },
	{ "DTLS 1.3 without length",
		BYTES(0x2a, 1, 2, 0, 17, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17), 0, true, false, 0,
		0, 0, 0, "", "", "", 0 },
	{ "text", BYTES('/', 'h', 'e', 'l', 'l', 'o', ' ', 't', 'h', 'e', 'r', 'e'), 0, true, false, 0, 0, 0, 0, "", "",
		"", 0 },
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct tls_record r = { .content = 77 };
		uint8_t *copy = malloc(cases[i].bytes.n);
		struct cursor c;
		bool ok;

		assert_non_null(copy);
		memcpy(copy, cases[i].bytes.p, cases[i].bytes.n);
		c = cursor_over((struct span){ copy, cases[i].bytes.n }, cases[i].bytes.n + cases[i].cut);
		ok = cases[i].dtls ? dtls_parse(&c, &r) : tls_parse(&c, &r);
		if (ok != cases[i].ok)
			fail_msg("%s", cases[i].name);
		if (!ok) {
			assert_int_equal(r.content, 77);
			assert_int_not_equal(c.state, CURSOR_OK);
			free(copy);
			continue;
		}
		if (r.content != cases[i].content || r.handshake != cases[i].handshake || r.length != cases[i].length)
			fail_msg("%s: content %u, handshake %u, %zu bytes", cases[i].name, r.content, r.handshake,
				r.length);
		if (r.alert_level != cases[i].level || r.alert != cases[i].alert)
			fail_msg("%s: alert %u %u", cases[i].name, r.alert_level, r.alert);
		if (!span_equal(r.server_name, span_of(cases[i].server_name)) ||
			!span_equal(r.alpn, span_of(cases[i].alpn)))
			fail_msg("%s: %.*s, %.*s", cases[i].name, (int)r.server_name.n, r.server_name.p, (int)r.alpn.n,
				r.alpn.p);
		assert_int_equal(r.certificate.n > 0, *cases[i].certificate != 0);
		assert_int_equal(c.left.n, 0);
		free(copy);
	}
}

static void test_records_follow_each_other(void **state)
{
	static const uint8_t bytes[] = { 20, 3, 3, 0, 1, 1, 22, 3, 3, 0, 4, 14, 0, 0, 0, 21, 3, 3, 0, 2, 1, 0 };
	static const uint8_t contents[] = { 20, 22, 21 };
	struct cursor c = cursor_over((struct span){ bytes, sizeof bytes }, sizeof bytes);
	struct tls_record r;

	(void)state;
	for (size_t i = 0; i < sizeof contents; i++) {
		assert_true(tls_parse(&c, &r));
		assert_int_equal(r.content, contents[i]);
	}
	assert_false(tls_parse(&c, &r));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases),
		cmocka_unit_test(test_records_follow_each_other) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
