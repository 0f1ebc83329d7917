/* SPDX-License-Identifier: MIT */
/*
 * srtp_check: packets and the keys that they were made with. Key and first packet are those of RFC 3711 B.3 and of
 * libsrtp's own test; the other packets were made by another implementation (AES and HMAC of Python's cryptography).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dissect/srtp_check.h"

#define KEY_128 "e1f97a0d3e018be0d64fa32c06de4139"
#define KEY_256 "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6"
#define SALT_GCM "0ec675ad498afeebb6960b3a"
#define SALT SALT_GCM "abe6"
#define HEAD "800f1234decafbadcafebabe"
#define SHORT_128 HEAD "4e55dc4ce79978d88ca4d215949d2402b78d6acc"
#define LONG_128 SHORT_128 "99ea179b8dbb"

enum { SSRC = (int)0xcafebabe };

static const struct {
	const char *name;
	enum sdp_suite suite;
	const char *key;
	uint8_t mki_bytes;
	const char *packet;
	uint32_t rollovers;
	enum srtp_fit fit;
} cases[] = {
	{ "RFC 3711 B.3", SDP_SUITE_AES_128_80, KEY_128 SALT, 0, LONG_128, 0, SRTP_FITS },
	{ "tag of 32 bits", SDP_SUITE_AES_128_32, KEY_128 SALT, 0, SHORT_128, 0, SRTP_FITS },
	{ "after a rollover", SDP_SUITE_AES_128_80, KEY_128 SALT, 0,
		HEAD "179265c8bf303e4c24e7279f739bb5a6f8b3916fd670057bf1dc", 1, SRTP_FITS },
	{ "after many", SDP_SUITE_AES_128_80, KEY_128 SALT, 0,
		HEAD "f0aafce50931573bcf3deaa401a5be93f1416794156746cdc07a", 70000, SRTP_FITS },
	{ "256 bits", SDP_SUITE_AES_256_80, KEY_256 SALT, 0,
		HEAD "341969bfa230f3ec641a3e67509812a55c8cc6a1af9284df14b8", 0, SRTP_FITS },
	{ "256 bits, tag of 32", SDP_SUITE_AES_256_32, KEY_256 SALT, 0,
		HEAD "9577cb8ff9df71a0ab9d0650fa1804d34e4373f0", 3, SRTP_FITS },
	{ "GCM", SDP_SUITE_GCM_128, KEY_128 SALT_GCM, 0,
		HEAD "0eca0cf95ee955b26cd3d288b49f6ca959171450975f4144da9cdd7ae989a277", 0, SRTP_FITS },
	{ "GCM of 256 bits", SDP_SUITE_GCM_256, KEY_256 SALT_GCM, 0,
		HEAD "101c9edbd84c50a4e9969a678900ef6401349865e744f9031f31576827624867", 1, SRTP_FITS },
	{ "MKI before the tag", SDP_SUITE_AES_128_80, KEY_128 SALT, 4,
		HEAD "4e55dc4ce79978d88ca4d215949d240200000001b78d6acc99ea179b8dbb", 0, SRTP_FITS },
	{ "MKI behind the tag of GCM", SDP_SUITE_GCM_128, KEY_128 SALT_GCM, 2,
		HEAD "0eca0cf95ee955b26cd3d288b49f6ca959171450975f4144da9cdd7ae989a2770102", 0, SRTP_FITS },
	{ "MKI announced and left out", SDP_SUITE_AES_128_80, KEY_128 SALT, 4, LONG_128, 0, SRTP_FITS },
	{ "MKI that was not announced", SDP_SUITE_AES_128_80, KEY_128 SALT, 0,
		HEAD "4e55dc4ce79978d88ca4d215949d240200000001b78d6acc99ea179b8dbb", 0, SRTP_FITS_NOT },
	{ "another rollover count", SDP_SUITE_AES_128_80, KEY_128 SALT, 0, LONG_128, 1, SRTP_FITS_NOT },
	{ "count 0 for 1", SDP_SUITE_AES_128_80, KEY_128 SALT, 0,
		HEAD "179265c8bf303e4c24e7279f739bb5a6f8b3916fd670057bf1dc", 0, SRTP_FITS_NOT },
	{ "another key", SDP_SUITE_AES_128_80, "f1f97a0d3e018be0d64fa32c06de4139" SALT, 0, LONG_128, 0, SRTP_FITS_NOT },
	{ "another salt", SDP_SUITE_AES_128_80, KEY_128 "1ec675ad498afeebb6960b3aabe6", 0, LONG_128, 0, SRTP_FITS_NOT },
	{ "another tag length", SDP_SUITE_AES_128_80, KEY_128 SALT, 0, SHORT_128, 0, SRTP_FITS_NOT },
	{ "GCM, another key", SDP_SUITE_GCM_128, "f1f97a0d3e018be0d64fa32c06de4139" SALT_GCM, 0,
		HEAD "0eca0cf95ee955b26cd3d288b49f6ca959171450975f4144da9cdd7ae989a277", 0, SRTP_FITS_NOT },
	{ "a bit of the payload changed", SDP_SUITE_AES_128_80, KEY_128 SALT, 0,
		HEAD "4f55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb", 0, SRTP_FITS_NOT },
	{ "the sequence number changed", SDP_SUITE_AES_128_80, KEY_128 SALT, 0,
		"800f1235decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb", 0, SRTP_FITS_NOT },
	{ "too short", SDP_SUITE_AES_128_80, KEY_128 SALT, 0, HEAD "4e55", 0, SRTP_CANNOT_TELL },
	{ "shorter than its MKI", SDP_SUITE_AES_128_80, KEY_128 SALT, 128, LONG_128, 0, SRTP_CANNOT_TELL },
	{ "an extension longer than the packet", SDP_SUITE_AES_128_80, KEY_128 SALT, 0,
		"900f1234decafbadcafebabebedeffff" "e79978d88ca4d215949d2402b78d6acc99ea179b8dbb", 0, SRTP_CANNOT_TELL },
};

static size_t hex(const char *text, uint8_t *ret, size_t room)
{
	size_t n = 0;

	for (; text[0] && text[1] && n < room; text += 2) {
		char pair[3] = { text[0], text[1], '\0' };

		ret[n++] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return n;
}

static struct sdp_crypto key_of(enum sdp_suite suite, const char *text, uint8_t mki_bytes)
{
	struct sdp_crypto key = { .tag = 1, .suite = (uint8_t)suite, .mki_bytes = mki_bytes };

	assert_int_equal(hex(text, key.key, sizeof key.key), sdp_suite_key_bytes(suite));
	return key;
}

static void need_library(void)
{
	if (srtp_check_library())
		return;
	print_message("skipped: built without libsrtp2\n");
	skip();
}

static void test_packets(void **state)
{
	(void)state;
	need_library();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct sdp_crypto key = key_of(cases[i].suite, cases[i].key, cases[i].mki_bytes);
		struct srtp_check *c = srtp_check_new(&key, (uint32_t)SSRC);
		uint8_t bytes[128], before[128];
		struct span packet = { bytes, hex(cases[i].packet, bytes, sizeof bytes) };

		assert_non_null(c);
		memcpy(before, bytes, sizeof bytes);
		for (unsigned again = 0; again < 3; again++) {  /* no replay protection: the same answer each time */
			enum srtp_fit fit = srtp_check_packet(c, packet, cases[i].rollovers);

			if (fit != cases[i].fit)
				fail_msg("%s: %d", cases[i].name, (int)fit);
		}
		assert_memory_equal(bytes, before, sizeof bytes);
		srtp_check_free(c);
	}
}

/* One check, packets of several counts in any order, and such as do not fit between. */
static void test_any_order(void **state)
{
	static const struct { const char *packet; uint32_t rollovers; enum srtp_fit fit; } steps[] = {
		{ LONG_128, 1, SRTP_FITS_NOT },
		{ HEAD "f0aafce50931573bcf3deaa401a5be93f1416794156746cdc07a", 70000, SRTP_FITS },
		{ LONG_128, 0, SRTP_FITS },
		{ HEAD "179265c8bf303e4c24e7279f739bb5a6f8b3916fd670057bf1dc", 1, SRTP_FITS },
		{ HEAD "179265c8bf303e4c24e7279f739bb5a6f8b3916fd670057bf1dc", 70000, SRTP_FITS_NOT },
		{ HEAD "f0aafce50931573bcf3deaa401a5be93f1416794156746cdc07a", 70000, SRTP_FITS },
		{ HEAD "f0aafce50931573bcf3deaa401a5be93f1416794156746cdc07a", 0, SRTP_FITS_NOT },
		{ LONG_128, 0, SRTP_FITS },
	};
	struct sdp_crypto key = key_of(SDP_SUITE_AES_128_80, KEY_128 SALT, 0);
	struct srtp_check *c;

	(void)state;
	need_library();
	c = srtp_check_new(&key, (uint32_t)SSRC);
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		uint8_t bytes[128];
		struct span packet = { bytes, hex(steps[i].packet, bytes, sizeof bytes) };

		if (srtp_check_packet(c, packet, steps[i].rollovers) != steps[i].fit)
			fail_msg("step %zu", i);
	}
	srtp_check_free(c);
}

static void test_what_cannot_be_tested(void **state)
{
	static uint8_t large[SRTP_CHECK_BYTES + 1] = { 0x80 };
	struct sdp_crypto key = key_of(SDP_SUITE_AES_128_80, KEY_128 SALT, 0), odd = key, none = { 0 };
	struct srtp_check *c;

	(void)state;
	odd.untestable = true;
	assert_null(srtp_check_new(&odd, 1));
	assert_null(srtp_check_new(&none, 1));
	srtp_check_free(NULL);
	need_library();
	c = srtp_check_new(&key, 1);
	assert_int_equal(srtp_check_packet(c, (struct span){ large, sizeof large }, 0), SRTP_CANNOT_TELL);
	srtp_check_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packets),
		cmocka_unit_test(test_any_order),
		cmocka_unit_test(test_what_cannot_be_tested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
