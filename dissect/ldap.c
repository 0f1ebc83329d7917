/* SPDX-License-Identifier: MIT */
/* ldap: the beginning of one message, in the basic encoding rules (X.690). */
#include "dissect/ldap.h"

#include "captures/base/cursor.h"

enum {
	TAG_INTEGER = 0x02, TAG_STRING = 0x04, TAG_SEQUENCE = 0x30, TAG_BIND = 0x60, TAG_SIMPLE = 0x80,
	VERSION_MIN = 2, VERSION_MAX = 3, INTEGER_MAX = 4, LENGTH_LONG = 0x80, LENGTH_BYTES_MAX = 4
};

/* Definite lengths alone (RFC 4511 5.1). */
static size_t length_of(struct cursor *c)
{
	uint8_t first = cursor_u8(c);
	size_t n = 0;

	if (first < LENGTH_LONG)
		return first;
	first &= LENGTH_LONG - 1;
	if (first == 0 || first > LENGTH_BYTES_MAX) {
		c->state = CURSOR_BAD;
		return 0;
	}
	while (first--)
		n = n << 8 | cursor_u8(c);
	return n;
}

static size_t field(struct cursor *c, uint8_t tag)
{
	if (cursor_u8(c) != tag && c->state == CURSOR_OK)
		c->state = CURSOR_BAD;
	return length_of(c);
}

static bool integer(struct cursor *c, uint32_t *ret)
{
	size_t n = field(c, TAG_INTEGER);

	*ret = 0;
	if (c->state != CURSOR_OK || n == 0 || n > INTEGER_MAX)
		return false;
	while (n--)
		*ret = *ret << 8 | cursor_u8(c);
	return c->state == CURSOR_OK;
}

bool ldap_simple_bind(struct span bytes)
{
	struct cursor c = cursor_over(bytes, bytes.n);
	uint32_t id, version;
	size_t outer, inner, password;

	if (!bytes.n || bytes.p[0] != TAG_SEQUENCE)
		return false;
	outer = field(&c, TAG_SEQUENCE);
	if (!integer(&c, &id))
		return false;
	inner = field(&c, TAG_BIND);
	if (!integer(&c, &version) || version < VERSION_MIN || version > VERSION_MAX || inner > outer)
		return false;
	cursor_take(&c, field(&c, TAG_STRING));      /* who */
	password = field(&c, TAG_SIMPLE);
	return c.state == CURSOR_OK && password > 0 && password < inner;
}
