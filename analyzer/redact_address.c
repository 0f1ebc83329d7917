/* SPDX-License-Identifier: MIT */
/* redact_address: other addresses, nets staying nets. */
#include "analyzer/redact_private.h"

/*
 * Bit by bit, each turned by what the bits before it give: what shares a net before shares one afterwards, and no two
 * become one (Crypto-PAn).
 */
static void turn_bits(const struct redact *r, uint8_t *bytes, unsigned from, unsigned to)
{
	uint8_t prefix[17] = { 0 };

	for (unsigned i = 0; i < to; i++) {
		uint8_t bit = (uint8_t)(0x80 >> i % 8), was = bytes[i / 8] & bit;

		if (i >= from) {
			prefix[16] = (uint8_t)i;
			if (redact_hashed(r, PURPOSE_BIT, (struct span){ prefix, sizeof prefix }) & 1)
				bytes[i / 8] ^= bit;
		}
		prefix[i / 8] |= was;
	}
}

static const struct {
	uint8_t net[2];
	unsigned bits;
} kept_nets[] = { { { 10, 0 }, 8 }, { { 172, 16 }, 12 }, { { 192, 168 }, 16 }, { { 100, 64 }, 10 },
	{ { 169, 254 }, 16 } };

static bool in_net(const uint8_t *bytes, const uint8_t net[2], unsigned bits)
{
	unsigned mask = 0xffffu << (16 - bits) & 0xffff;

	return ((unsigned)(bytes[0] << 8 | bytes[1]) & mask) == ((unsigned)(net[0] << 8 | net[1]) & mask);
}

static void turn_v4(const struct redact *r, uint8_t *bytes)
{
	for (size_t i = 0; i < sizeof kept_nets / sizeof kept_nets[0]; i++) {
		if (in_net(bytes, kept_nets[i].net, kept_nets[i].bits)) {
			turn_bits(r, bytes, kept_nets[i].bits, 32);
			return;
		}
	}
	turn_bits(r, bytes, 0, 32);
	bytes[0] = (uint8_t)(0xf0 | (bytes[0] & 0x0f));
	if (bytes[0] == 255 && bytes[1] == 255 && bytes[2] == 255 && bytes[3] == 255)
		bytes[3] = 254;         /* everybody's */
}

/* What is behind the first /32 is turned; that becomes one that says private or public, as link-local does. */
static void turn_v6(const struct redact *r, uint8_t *bytes)
{
	bool link_local = bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80, private = (bytes[0] & 0xfe) == 0xfc;

	if (link_local) {
		turn_bits(r, bytes, 64, 128);
		return;
	}
	turn_bits(r, bytes, 0, 128);
	if (private) {
		bytes[0] = 0xfd;
		return;
	}
	/* the first four bytes give way to the prefix for documents; what told them apart goes into the next two */
	bytes[4] ^= (uint8_t)(bytes[0] ^ bytes[2]);
	bytes[5] ^= (uint8_t)(bytes[1] ^ bytes[3]);
	memcpy(bytes, (const uint8_t[]){ 0x20, 0x01, 0x0d, 0xb8 }, 4);
}

void redact_address(struct redact *r, struct address *a)
{
	if (!address_known(a) || address_unspecified(a) || address_loopback(a) || address_multicast(a))
		return;
	if (a->family == 4)
		turn_v4(r, a->bytes);
	else
		turn_v6(r, a->bytes);
}

bool redact_literal(struct redact *r, struct span s, struct span *ret)
{
	char text[ADDRESS_TEXT];
	struct address a;

	if (!address_parse(s, &a))
		return false;
	redact_address(r, &a);
	*ret = arena_dup(r->arena, span_of(address_text(&a, text)));
	return true;
}
