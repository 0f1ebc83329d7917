/* SPDX-License-Identifier: MIT */
/* stun: RFC 8489 messages and the TURN frames around media (RFC 8656). */
#include "dissect/stun.h"

#define MAGIC_COOKIE UINT32_C(0x2112a442)

enum {
	MAPPED_ADDRESS = 0x0001,
	USERNAME = 0x0006,
	ERROR_CODE = 0x0009,
	CHANNEL_NUMBER = 0x000c,
	LIFETIME = 0x000d,
	XOR_PEER_ADDRESS = 0x0012,
	DATA = 0x0013,
	XOR_RELAYED_ADDRESS = 0x0016,
	XOR_MAPPED_ADDRESS = 0x0020,
	USE_CANDIDATE = 0x0025,
	XOR_MAPPED_ADDRESS_OLD = 0x8020 /* what Windows and drafts before RFC 5389 send */
};

/*
 * key: the cookie and the transaction for XOR attributes, zeros for plain ones. *ret is written only when the
 * attribute is whole.
 */
static void address_read(struct span value, const uint8_t key[16], struct endpoint *ret)
{
	struct endpoint e;
	uint8_t bytes[16];
	size_t n;

	if (value.n < 4 || (value.p[1] != 1 && value.p[1] != 2))
		return;
	n = value.p[1] == 1 ? 4 : 16;
	if (value.n != 4 + n)
		return;
	for (size_t i = 0; i < n; i++)
		bytes[i] = value.p[4 + i] ^ key[i];
	e.addr = n == 4 ? address_v4(bytes) : address_v6(bytes);
	e.port = (uint16_t)((value.p[2] ^ key[0]) << 8 | (value.p[3] ^ key[1]));
	*ret = e;
}

static void attribute_read(uint16_t type, struct span value, const uint8_t key[16], struct stun_message *m)
{
	static const uint8_t plain[16];

	switch (type) {
	case MAPPED_ADDRESS:
		if (m->mapped.addr.family == 0) /* ALGs rewrite it: the XOR form is the true one */
			address_read(value, plain, &m->mapped);
		break;
	case XOR_MAPPED_ADDRESS:
	case XOR_MAPPED_ADDRESS_OLD: address_read(value, key, &m->mapped); break;
	case XOR_PEER_ADDRESS:
		if (m->peer.addr.family == 0) /* CreatePermission may name several: the first */
			address_read(value, key, &m->peer);
		break;
	case XOR_RELAYED_ADDRESS: address_read(value, key, &m->relayed); break;
	case USERNAME: m->username = value; break;
	case DATA: m->data = value; break;
	case USE_CANDIDATE: m->use_candidate = true; break;
	case LIFETIME:
		m->has_lifetime = value.n == 4;
		if (m->has_lifetime)
			m->lifetime_s = (uint32_t)value.p[0] << 24 | (uint32_t)value.p[1] << 16 |
				(uint32_t)value.p[2] << 8 | value.p[3];
		break;
	case CHANNEL_NUMBER:
		if (value.n == 4)
			m->channel = (uint16_t)(value.p[0] << 8 | value.p[1]);
		break;
	case ERROR_CODE:
		if (value.n >= 4 && (value.p[2] & 7) >= 3 && (value.p[2] & 7) <= 6 && value.p[3] < 100)
			m->error = (uint16_t)((value.p[2] & 7) * 100 + value.p[3]);
		break;
	}
}

/* Attributes up to the end, or to the first one that lies about its length. */
static void attributes_read(struct cursor *c, const uint8_t key[16], struct stun_message *m)
{
	while (c->left.n >= 4) {
		uint16_t type = cursor_u16(c);
		size_t n = cursor_u16(c);
		struct span value;

		if (type == DATA && n > c->left.n && n <= c->wire)
			/* cut by the snap length: the head of the media in it is still worth having */
			m->data = c->left;
		value = cursor_take(c, n);
		if (c->state != CURSOR_OK)
			return;
		attribute_read(type, value, key, m);
		cursor_take(c, (4 - n % 4) % 4 < c->left.n ? (4 - n % 4) % 4 : c->left.n);
	}
}

bool stun_parse(struct cursor *c, struct stun_message *out)
{
	uint16_t type = cursor_u16(c), length = cursor_u16(c);
	uint32_t cookie = cursor_u32(c);
	struct span transaction = cursor_take(c, sizeof out->transaction);
	struct stun_message m = { .type = type };
	uint8_t key[16] = { 0x21, 0x12, 0xa4, 0x42 };

	if (c->state != CURSOR_OK || type > 0x3fff || length % 4 || length != c->wire || cookie != MAGIC_COOKIE)
		return false;
	memcpy(m.transaction, transaction.p, sizeof m.transaction);
	memcpy(key + 4, transaction.p, sizeof m.transaction);
	attributes_read(c, key, &m);
	*out = m;
	return true;
}
