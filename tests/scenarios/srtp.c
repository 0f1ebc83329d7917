/* SPDX-License-Identifier: MIT */
/*
 * srtp: the tag that a sender with this key puts behind a packet (RFC 3711 4.2, 4.3.1; AES of FIPS 197, SHA-1 of FIPS
 * 180-4). Payloads are random bytes anyhow, so that nothing needs to be encrypted. Written for tests: slow, and no
 * guard against those who measure its time; it shares nothing with the library that deadair asks.
 */
#include "tests/scenarios/scenario.h"

enum {
	AES_BLOCK = 16, SHA1_BYTES = 20, SHA1_BLOCK = 64, AUTH_KEY = 20, LABEL_AUTH = 1, LABEL_AT = 7, PACKET_MOST = 1700
};

/* ---- AES ---- */

static uint8_t times2(uint8_t x)
{
	return (uint8_t)(x << 1 ^ (x & 0x80 ? 0x1b : 0));
}

static uint8_t times(uint8_t a, uint8_t b)
{
	uint8_t sum = 0;

	for (; b; b >>= 1, a = times2(a))
		sum ^= b & 1 ? a : 0;
	return sum;
}

/* The inverse in GF(2^8), x^254, and the affine map behind it. */
static uint8_t substitute(uint8_t x)
{
	uint8_t inverse = 1, y;

	for (unsigned i = 0; i < 254; i++)
		inverse = times(inverse, x);
	y = inverse;
	for (unsigned i = 0; i < 4; i++) {
		inverse = (uint8_t)(inverse << 1 | inverse >> 7);
		y ^= inverse;
	}
	return y ^ 0x63;
}

struct aes { uint8_t round_keys[15 * AES_BLOCK]; unsigned rounds; };

static void aes_init(struct aes *aes, const uint8_t *key, size_t bytes)
{
	unsigned words = (unsigned)bytes / 4, all;
	uint8_t *k = aes->round_keys, rcon = 1;

	aes->rounds = words + 6;
	all = (aes->rounds + 1) * 4;
	memcpy(k, key, bytes);
	for (unsigned i = words; i < all; i++) {
		uint8_t t[4];

		memcpy(t, k + 4 * (i - 1), 4);
		if (i % words == 0) {
			uint8_t first = t[0];

			for (unsigned j = 0; j < 4; j++)
				t[j] = substitute(j < 3 ? t[j + 1] : first);
			t[0] ^= rcon;
			rcon = times2(rcon);
		} else if (words > 6 && i % words == 4) {
			for (unsigned j = 0; j < 4; j++)
				t[j] = substitute(t[j]);
		}
		for (unsigned j = 0; j < 4; j++)
			k[4 * i + j] = k[4 * (i - words) + j] ^ t[j];
	}
}

static void mix_column(uint8_t *c)
{
	uint8_t a[4];

	memcpy(a, c, 4);
	for (unsigned i = 0; i < 4; i++)
		c[i] = times2(a[i]) ^ times2(a[(i + 1) % 4]) ^ a[(i + 1) % 4] ^ a[(i + 2) % 4] ^ a[(i + 3) % 4];
}

static void aes_encrypt(const struct aes *aes, uint8_t block[AES_BLOCK])
{
	uint8_t old[AES_BLOCK];

	for (unsigned i = 0; i < AES_BLOCK; i++)
		block[i] ^= aes->round_keys[i];
	for (unsigned round = 1; round <= aes->rounds; round++) {
		for (unsigned i = 0; i < AES_BLOCK; i++)
			old[i] = substitute(block[i]);
		for (unsigned i = 0; i < AES_BLOCK; i++)         /* rows move left by their number */
			block[i] = old[(i + 4 * (i % 4)) % AES_BLOCK];
		for (unsigned i = 0; i < AES_BLOCK && round < aes->rounds; i += 4)
			mix_column(block + i);
		for (unsigned i = 0; i < AES_BLOCK; i++)
			block[i] ^= aes->round_keys[round * AES_BLOCK + i];
	}
}

/* ---- HMAC-SHA1, RFC 2104 ---- */

static uint32_t rotate(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static uint32_t word_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void sha1_block(uint32_t h[5], const uint8_t *p)
{
	uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];

	for (unsigned i = 0; i < 80; i++)
		w[i] = i < 16 ? word_at(p + 4 * i) : rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	for (unsigned i = 0; i < 80; i++) {
		static const uint32_t constants[] = { 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6 };
		uint32_t f = i < 20 ? (b & c) | (~b & d) : i >= 40 && i < 60 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
		uint32_t next = rotate(a, 5) + f + e + constants[i / 20] + w[i];

		e = d;
		d = c;
		c = rotate(b, 30);
		b = a;
		a = next;
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
	h[4] += e;
}

/* bytes has room for a block more than n, and half a block. */
static void sha1(uint8_t *bytes, size_t n, uint8_t ret[SHA1_BYTES])
{
	uint32_t h[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
	size_t all = (n + 8) / SHA1_BLOCK * SHA1_BLOCK + SHA1_BLOCK;

	memset(bytes + n, 0, all - n);
	bytes[n] = 0x80;
	for (unsigned i = 0; i < 4; i++)
		bytes[all - 1 - i] = (uint8_t)(n * 8 >> 8 * i);
	for (size_t at = 0; at < all; at += SHA1_BLOCK)
		sha1_block(h, bytes + at);
	for (unsigned i = 0; i < SHA1_BYTES; i++)
		ret[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}

static void hmac(const uint8_t key[AUTH_KEY], const uint8_t *bytes, size_t n, uint8_t ret[SHA1_BYTES])
{
	uint8_t inner[PACKET_MOST + 3 * SHA1_BLOCK], outer[4 * SHA1_BLOCK];

	memset(inner, 0x36, SHA1_BLOCK);
	memset(outer, 0x5c, SHA1_BLOCK);
	for (unsigned i = 0; i < AUTH_KEY; i++) {
		inner[i] ^= key[i];
		outer[i] ^= key[i];
	}
	memcpy(inner + SHA1_BLOCK, bytes, n);
	sha1(inner, SHA1_BLOCK + n, outer + SHA1_BLOCK);
	sha1(outer, SHA1_BLOCK + SHA1_BYTES, ret);
}

/* ---- keys ---- */

static int letter_value(char c)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(letters, c) : NULL;

	return at ? (int)(at - letters) : -1;
}

/* Master key and salt as a=crypto has them. */
static size_t key_decode(const char *text, uint8_t *ret, size_t room)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t n = 0;

	for (; letter_value(*text) >= 0 && n < room; text++) {
		bits = bits << 6 | (uint32_t)letter_value(*text);
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		ret[n++] = (uint8_t)(bits >> have);
	}
	return n;
}

/* RFC 3711 4.3.1, 4.1.1: the key stream of the salt with the label in it. */
void srtp_key_read(struct scenario *s, const char *text, struct srtp_key *ret)
{
	enum { SALT = 14 };
	uint8_t master[46], stream[2 * AES_BLOCK];
	size_t n = key_decode(text, master, sizeof master);
	struct aes aes;

	if (n != 30 && n != 46) {
		scenario_fail(s, "a key is 30 or 46 bytes in base64, not %zu", n);
		return;
	}
	aes_init(&aes, master, n - SALT);
	for (unsigned i = 0; i < 2; i++) {
		uint8_t *block = stream + i * AES_BLOCK;

		memset(block, 0, AES_BLOCK);
		memcpy(block, master + n - SALT, SALT);
		block[LABEL_AT] ^= LABEL_AUTH;
		block[AES_BLOCK - 1] = (uint8_t)i;
		aes_encrypt(&aes, block);
	}
	memcpy(ret->auth, stream, AUTH_KEY);
	ret->given = true;
}

void srtp_tag(const struct srtp_key *key, const uint8_t *packet, size_t n, uint32_t rollovers, uint8_t ret[20])
{
	uint8_t bytes[PACKET_MOST];

	if (n + 4 > sizeof bytes)
		return;
	memcpy(bytes, packet, n);
	for (unsigned i = 0; i < 4; i++)
		bytes[n + i] = (uint8_t)(rollovers >> (24 - 8 * i));
	hmac(key->auth, bytes, n + 4, ret);
}
