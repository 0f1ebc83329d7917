/* SPDX-License-Identifier: MIT */
/*
 * digest: SipHash-2-4-128 (Aumasson, Bernstein) under a key that everybody knows: 128 bits of it collide by chance
 * never, and cost a pass over the bytes.
 */
#include "captures/base/digest.h"

#include <endian.h>
#include <string.h>

static uint64_t rotated(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static uint64_t word_read(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof word);
	return le64toh(word);
}

static void word_write(uint8_t *p, uint64_t word)
{
	word = htole64(word);
	memcpy(p, &word, sizeof word);
}

static void rounds(uint64_t v[4], unsigned count)
{
	while (count--) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotated(v[1], 13) ^ v[0];
		v[3] = rotated(v[3], 16) ^ v[2];
		v[0] = rotated(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotated(v[1], 17) ^ v[2];
		v[3] = rotated(v[3], 21) ^ v[0];
		v[2] = rotated(v[2], 32);
	}
}

static void absorb(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	rounds(v, 2);
	v[0] ^= word;
}

void digest_begin(struct digest *d)
{
	/* the key of the published vectors */
	const uint64_t low = UINT64_C(0x0706050403020100), high = UINT64_C(0x0f0e0d0c0b0a0908);

	*d = (struct digest){ .v = { low ^ UINT64_C(0x736f6d6570736575), high ^ UINT64_C(0x646f72616e646f6d) ^ 0xee,
				     low ^ UINT64_C(0x6c7967656e657261), high ^ UINT64_C(0x7465646279746573) } };
}

void digest_add(struct digest *d, struct span bytes)
{
	size_t held = d->n % 8;

	d->n += bytes.n;
	if (held) {
		struct span head = span_first(bytes, 8 - held);

		if (head.n)
			memcpy(d->rest + held, head.p, head.n);
		if (held + head.n < 8)
			return;
		absorb(d->v, word_read(d->rest));
		bytes = span_from(bytes, head.n);
	}
	for (; bytes.n >= 8; bytes = span_from(bytes, 8))
		absorb(d->v, word_read(bytes.p));
	if (bytes.n)
		memcpy(d->rest, bytes.p, bytes.n);
}

void digest_number(struct digest *d, uint64_t value)
{
	uint8_t bytes[8];

	word_write(bytes, value);
	digest_add(d, (struct span){ bytes, sizeof bytes });
}

void digest_get(const struct digest *d, uint8_t ret[DIGEST_BYTES])
{
	uint64_t v[4];
	uint8_t last[8] = { 0 };

	memcpy(v, d->v, sizeof v);
	memcpy(last, d->rest, d->n % 8);
	last[7] = (uint8_t)d->n;
	absorb(v, word_read(last));
	v[2] ^= 0xee;
	rounds(v, 4);
	word_write(ret, v[0] ^ v[1] ^ v[2] ^ v[3]);
	v[1] ^= 0xdd;
	rounds(v, 4);
	word_write(ret + 8, v[0] ^ v[1] ^ v[2] ^ v[3]);
}
