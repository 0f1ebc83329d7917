/* SPDX-License-Identifier: MIT */
/* sdp_crypto: a=crypto (RFC 4568): tag, suite, keys, session parameters. */
#include "dissect/sdp_parts.h"

enum { MKI_MOST = 128 };

static const struct suite {
	const char *name;
	enum sdp_suite suite;
	uint8_t key_bytes;           /* master key and salt */
} suites[] = {
	{ "AES_CM_128_HMAC_SHA1_80", SDP_SUITE_AES_128_80, 30 },
	{ "AES_CM_128_HMAC_SHA1_32", SDP_SUITE_AES_128_32, 30 },
	{ "AES_256_CM_HMAC_SHA1_80", SDP_SUITE_AES_256_80, 46 },
	{ "AES_256_CM_HMAC_SHA1_32", SDP_SUITE_AES_256_32, 46 },
	{ "AES_CM_256_HMAC_SHA1_80", SDP_SUITE_AES_256_80, 46 },       /* of the drafts before RFC 6188 */
	{ "AES_CM_256_HMAC_SHA1_32", SDP_SUITE_AES_256_32, 46 },
	{ "AEAD_AES_128_GCM", SDP_SUITE_GCM_128, 28 },
	{ "AEAD_AES_256_GCM", SDP_SUITE_GCM_256, 44 },
};

unsigned sdp_suite_key_bytes(enum sdp_suite suite)
{
	for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++) {
		if (suites[i].suite == suite)
			return suites[i].key_bytes;
	}
	return 0;
}

static enum sdp_suite suite_find(struct span name)
{
	for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++) {
		if (sdp_word_is(name, suites[i].name))
			return suites[i].suite;
	}
	return SDP_SUITE_OTHER;
}

/* RFC 4648 4; negative: no such letter. */
static int letter_value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Exactly so many bytes, with or without padding; else false. */
static bool key_decode(struct span text, uint8_t *ret, size_t bytes)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t n = 0;

	while (text.n && text.p[text.n - 1] == '=')
		text.n--;
	if (text.n != (bytes * 8 + 5) / 6)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		int value = letter_value(text.p[i]);

		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		have += 6;
		if (have >= 8 && n < bytes) {
			have -= 8;
			ret[n++] = (uint8_t)(bits >> have);
		}
	}
	return n == bytes;
}

/*
 * Does it leave the packets as the suite makes them, as far as they can be tested? KDR and what is unknown do not; an
 * order of FEC, a window, SRTCP do; without encryption the tag of AES-CM is the same, that of AEAD is not.
 */
static bool parameter_harmless(struct span word, enum sdp_suite suite)
{
	static const char *const harmless[] = { "UNENCRYPTED_SRTCP", "KDR=0" };

	for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++) {
		if (sdp_word_is(word, harmless[i]))
			return true;
	}
	if (sdp_word_is(word, "UNENCRYPTED_SRTP"))
		return suite != SDP_SUITE_GCM_128 && suite != SDP_SUITE_GCM_256;
	return span_starts_nocase(word, SPAN("FEC_ORDER=")) || span_starts_nocase(word, SPAN("FEC_KEY=")) ||
	       span_starts_nocase(word, SPAN("WSH="));
}

static bool parameters_harmless(struct span rest, enum sdp_suite suite)
{
	struct span word;

	while ((word = sdp_word_take(&rest)).n) {
		if (!parameter_harmless(word, suite))
			return false;
	}
	return true;
}

/* MKI:LENGTH, where a lifetime has no colon. */
static bool mki_read(struct span piece, struct sdp_crypto *c)
{
	size_t colon = span_find(piece, ':');
	uint64_t bytes;

	if (colon == piece.n)
		return true;
	if (!span_number(span_from(piece, colon + 1), MKI_MOST, &bytes) || bytes == 0)
		return false;
	c->mki_bytes = (uint8_t)bytes;
	return true;
}

static bool has_mki(struct span key)
{
	struct span behind = span_from(key, span_find(key, '|'));

	return span_find(behind, ':') < behind.n;
}

/* inline:KEY|LIFETIME|MKI:LENGTH. False: not readable. */
static bool key_read(struct span text, struct sdp_crypto *c)
{
	unsigned bytes = sdp_suite_key_bytes((enum sdp_suite)c->suite);
	struct span piece;

	if (!span_starts_nocase(text, SPAN("inline:")))
		return false;
	text = span_from(text, 7);
	if (!span_split(&text, '|', &piece) || !key_decode(piece, c->key, bytes))
		return false;
	while (span_split(&text, '|', &piece)) {
		if (!mki_read(piece, c))
			return false;
	}
	return true;
}

static void key_add(struct sdp_rare *rare, const struct sdp_crypto *line, struct span text)
{
	struct sdp_crypto c = *line;

	if (c.suite == SDP_SUITE_OTHER || !key_read(text, &c)) {
		c = *line;
		c.untestable = true;
	}
	if (rare->crypto_key_count < SDP_CRYPTO_MAX)
		rare->cryptos[rare->crypto_key_count] = c;
	rare->crypto_key_count++;
}

void sdp_crypto_read(struct sdp_reader *r, struct span value)
{
	struct span tag = sdp_word_take(&value), suite = sdp_word_take(&value), keys = sdp_word_take(&value), key;
	struct sdp_crypto line = { .suite = (uint8_t)suite_find(suite) };
	struct sdp_rare *rare;
	uint64_t number;

	if (tag.n == 0 || suite.n == 0) {
		r->said->flaws |= SDP_FLAW_LINE;
		return;
	}
	rare = sdp_reader_rare(r);
	if (rare->crypto_count++ == 0)
		rare->crypto_suite = suite;
	if (span_number(tag, UINT32_MAX, &number))
		line.tag = (uint32_t)number;
	line.untestable = !parameters_harmless(value, (enum sdp_suite)line.suite);
	while (span_split(&keys, ';', &key)) {
		rare->crypto_mki |= has_mki(key);
		key_add(rare, &line, key);
	}
}
