/* SPDX-License-Identifier: MIT */
/* sdp_crypto: which keys of a=crypto are kept, and which of them can be tested. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dissect/sdp.h"

#define HEAD "v=0\r\no=a 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"
#define KEY30 "EBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywt"
#define KEY28 "EBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKw"
#define KEY46 "EBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PQ"
#define SUITE " AES_CM_128_HMAC_SHA1_80 "

static struct sdp_text sdp; /* large */

static const struct sdp_rare *rare_of(const char *lines)
{
	static char text[8192];

	snprintf(text, sizeof text, HEAD "m=audio 4000 RTP/SAVP 0\r\n%s", lines);
	assert_true(sdp_parse(span_of(text), &sdp));
	return sdp.media[0].rare;
}

static const struct {
	const char *value;
	enum sdp_suite suite;
	uint32_t tag;
	unsigned mki_bytes;
	bool testable;
} cases[] = {
	{ "1" SUITE "inline:" KEY30, SDP_SUITE_AES_128_80, 1, 0, true },
	{ "7 aes_cm_128_hmac_sha1_32 INLINE:" KEY30, SDP_SUITE_AES_128_32, 7, 0, true },
	{ "1 AES_256_CM_HMAC_SHA1_80 inline:" KEY46, SDP_SUITE_AES_256_80, 1, 0, true },
	{ "1 AES_CM_256_HMAC_SHA1_32 inline:" KEY46 "==", SDP_SUITE_AES_256_32, 1, 0, true },
	{ "1 AEAD_AES_128_GCM inline:" KEY28 "==", SDP_SUITE_GCM_128, 1, 0, true },
	{ "1" SUITE "inline:" KEY30 "|2^20", SDP_SUITE_AES_128_80, 1, 0, true },
	{ "1" SUITE "inline:" KEY30 "|2^20|1:4", SDP_SUITE_AES_128_80, 1, 4, true },
	{ "1" SUITE "inline:" KEY30 "|1:32", SDP_SUITE_AES_128_80, 1, 32, true },
	{ "1" SUITE "inline:" KEY30 "|1:0", SDP_SUITE_AES_128_80, 1, 0, false },
	{ "1" SUITE "inline:" KEY30 "|1:129", SDP_SUITE_AES_128_80, 1, 0, false },
	{ "1" SUITE "inline:" KEY30 " UNENCRYPTED_SRTCP WSH=64 FEC_ORDER=SRTP_FEC KDR=0", SDP_SUITE_AES_128_80, 1, 0, true },
	{ "1" SUITE "inline:" KEY30 " UNENCRYPTED_SRTP", SDP_SUITE_AES_128_80, 1, 0, true },
	{ "1 AEAD_AES_128_GCM inline:" KEY28 " UNENCRYPTED_SRTP", SDP_SUITE_GCM_128, 1, 0, false },
	{ "1" SUITE "inline:" KEY30 " UNAUTHENTICATED_SRTP", SDP_SUITE_AES_128_80, 1, 0, false },
	{ "1" SUITE "inline:" KEY30 " KDR=24", SDP_SUITE_AES_128_80, 1, 0, false },
	{ "1" SUITE "inline:" KEY30 " SOMETHING_NEW", SDP_SUITE_AES_128_80, 1, 0, false },
	{ "1 F8_128_HMAC_SHA1_80 inline:" KEY30, SDP_SUITE_OTHER, 1, 0, false },
	{ "1 AES_192_CM_HMAC_SHA1_80 inline:" KEY30, SDP_SUITE_OTHER, 1, 0, false },
	{ "1" SUITE "inline:secret", SDP_SUITE_AES_128_80, 1, 0, false },
	{ "1" SUITE "inline:" KEY46, SDP_SUITE_AES_128_80, 1, 0, false },
	{ "1" SUITE "inline:*BESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywt", SDP_SUITE_AES_128_80, 1, 0, false },
	{ "1" SUITE "uri:https://keys.example/1", SDP_SUITE_AES_128_80, 1, 0, false },
	{ "99999999999" SUITE "inline:" KEY30, SDP_SUITE_AES_128_80, 0, 0, true },
};

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char line[400];
		const struct sdp_rare *rare;

		snprintf(line, sizeof line, "a=crypto:%s\r\n", cases[i].value);
		rare = rare_of(line);
		if (rare->crypto_key_count != 1 || rare->cryptos[0].suite != cases[i].suite ||
		    rare->cryptos[0].tag != cases[i].tag || rare->cryptos[0].mki_bytes != cases[i].mki_bytes ||
		    rare->cryptos[0].untestable == cases[i].testable)
			fail_msg("%s", cases[i].value);
		for (unsigned k = 0; cases[i].testable && k < SDP_KEY_MAX; k++) {
			unsigned due = k < sdp_suite_key_bytes(cases[i].suite) ? 0x10 + k : 0;

			if (rare->cryptos[0].key[k] != due)
				fail_msg("%s: byte %u", cases[i].value, k);
		}
	}
}

static void test_several(void **state)
{
	const struct sdp_rare *rare = rare_of(
		"a=crypto:1" SUITE "inline:" KEY30 "|1:4;inline:" KEY30 "|2:4\r\na=crypto:2 AEAD_AES_256_GCM inline:x\r\n");

	(void)state;
	assert_int_equal(rare->crypto_count, 2);
	assert_int_equal(rare->crypto_key_count, 3);
	assert_int_equal(rare->cryptos[1].tag, 1);
	assert_false(rare->cryptos[1].untestable);
	assert_true(rare->cryptos[2].untestable);
	assert_true(rare->crypto_mki);
}

static void test_more_than_are_kept(void **state)
{
	char lines[2048] = "";
	const struct sdp_rare *rare;

	(void)state;
	for (unsigned i = 0; i < SDP_CRYPTO_MAX + 3; i++)
		strcat(lines, "a=crypto:1" SUITE "inline:" KEY30 "\r\n");
	rare = rare_of(lines);
	assert_int_equal(rare->crypto_key_count, SDP_CRYPTO_MAX + 3);
	assert_int_equal(sdp_crypto_kept(rare), SDP_CRYPTO_MAX);
}

static void test_of_the_session(void **state)
{
	(void)state;
	assert_true(sdp_parse(span_of(HEAD "a=crypto:1" SUITE "inline:" KEY30 "\r\nm=audio 4000 RTP/SAVP 0\r\n"
		"m=video 5000 RTP/SAVP 96\r\na=crypto:2" SUITE "inline:" KEY30 "\r\n"), &sdp));
	assert_int_equal(sdp.media[0].rare->crypto_key_count, 1);
	assert_int_equal(sdp.media[0].rare->cryptos[0].key[29], 0x2d);
	assert_int_equal(sdp.media[1].rare->crypto_key_count, 2);
	assert_int_equal(sdp.media[1].rare->cryptos[1].tag, 2);
}

static struct span same_text(const void *context, struct span text)
{
	(void)context;
	return text;
}

static const struct sdp_format *same_formats(const void *context, const struct sdp_format *formats, unsigned count)
{
	(void)context;
	(void)count;
	return formats;
}

static void test_kept(void **state)
{
	static const char text[] = HEAD "m=audio 4000 RTP/SAVP 0\r\na=ssrc:7 cname:x\r\na=crypto:3" SUITE "inline:" KEY30
		"\r\na=candidate:1 1 UDP 2113 10.0.0.1 5000 typ host\r\nm=video 5000 RTP/SAVP 96\r\na=crypto:4" SUITE
		"inline:" KEY30 "\r\n";
	struct sdp_keeper keeper = { NULL, same_text, same_formats };
	const struct sdp *kept;
	void *room;

	(void)state;
	assert_true(sdp_parse(span_of(text), &sdp));
	room = malloc(sdp_keep_bytes(&sdp));
	kept = sdp_keep(&sdp, 1, &keeper, room);
	memset(sdp.rooms, 0, sizeof sdp.rooms);
	assert_int_equal(kept->media[0].rare->cryptos[0].tag, 3);
	assert_int_equal(kept->media[0].rare->cryptos[0].key[0], 0x10);
	assert_int_equal(kept->media[0].rare->ssrcs[0], 7);
	assert_int_equal(kept->media[0].rare->candidates[0].at.port, 5000);
	assert_int_equal(kept->media[1].rare->cryptos[0].tag, 4);
	assert_int_equal(kept->media[1].rare->cryptos[0].key[29], 0x2d);
	free(room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_more_than_are_kept),
		cmocka_unit_test(test_of_the_session),
		cmocka_unit_test(test_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
