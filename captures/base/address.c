/* SPDX-License-Identifier: MIT */
/* address, endpoint: reading, printing, ordering and classing addresses. */
#include "captures/base/address.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "captures/base/hash.h"

static const uint8_t mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };    /* ::ffff:0:0/96, RFC 4291 2.5.5.2 */

int address_compare(const struct address *a, const struct address *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

int endpoint_compare(const struct endpoint *a, const struct endpoint *b)
{
	int order = address_compare(&a->addr, &b->addr);

	return order ? order : (a->port > b->port) - (a->port < b->port);
}

struct address address_v4(const uint8_t bytes[4])
{
	struct address a = { .family = 4 };

	memcpy(a.bytes, bytes, 4);
	return a;
}

struct address address_v6(const uint8_t bytes[16])
{
	struct address a = { .family = 6 };

	if (memcmp(bytes, mapped_prefix, sizeof mapped_prefix) == 0)
		return address_v4(bytes + 12);
	memcpy(a.bytes, bytes, 16);
	return a;
}

/* A number to 255 without leading zeros at *p, which moves behind it; above 255: there is none. */
static inline unsigned octet_take(const uint8_t **p)
{
	unsigned value = (unsigned)(*p)[0] - '0', digit = (unsigned)(*p)[1] - '0';

	if (value > 9 || digit > 9) {
		*p += 1;
		return value > 9 ? UINT32_MAX : value;
	}
	if (value == 0)
		return UINT32_MAX;
	value = value * 10 + digit;
	digit = (unsigned)(*p)[2] - '0';
	*p += digit > 9 ? 2 : 3;
	return digit > 9 ? value : value * 10 + digit;
}

/*
 * Four numbers, as inet_pton(3) has it, which takes ten times as long: SIP names addresses in every line. In a copy
 * that ends with NULs no end has to be looked for.
 */
static bool dotted_parse(struct span text, uint8_t bytes[4])
{
	enum { SHORTEST = sizeof "1.2.3.4" - 1, LONGEST = sizeof "255.255.255.255" - 1, STEP = 8 };
	uint8_t copy[2 * STEP + 1] = { 0 };
	const uint8_t *p = copy;

	if (text.n < SHORTEST || text.n > LONGEST)
		return false;
	memcpy(copy, text.p, SHORTEST);
	if (text.n >= STEP) {           /* two words of any length, which may overlap: no call */
		memcpy(copy, text.p, STEP);
		memcpy(copy + text.n - STEP, text.p + text.n - STEP, STEP);
	}
	for (unsigned part = 0; part < 4; part++) {
		unsigned value;

		if (part && *p++ != '.')
			return false;
		value = octet_take(&p);
		if (value > 255)
			return false;
		bytes[part] = (uint8_t)value;
	}
	return p == copy + text.n;
}

bool address_parse(struct span text, struct address *ret)
{
	char plain[INET6_ADDRSTRLEN];
	uint8_t bytes[16];
	bool bracketed = text.n >= 2 && text.p[0] == '[' && text.p[text.n - 1] == ']';

	if (bracketed)
		text = (struct span){ text.p + 1, text.n - 2 };
	if (!bracketed && text.n && dotted_parse(text, bytes)) {
		*ret = address_v4(bytes);
		return true;
	}
	if (span_find(text, ':') == text.n || text.n >= sizeof plain || span_find(text, '\0') < text.n)
		return false;
	memcpy(plain, text.p, text.n);
	plain[text.n] = '\0';
	if (inet_pton(AF_INET6, plain, bytes) != 1)
		return false;
	*ret = address_v6(bytes);
	return true;
}

bool endpoint_parse(struct span text, struct endpoint *ret)
{
	struct endpoint e = { .port = 0 };
	size_t colon = text.n;
	uint64_t port = 0;

	if (text.n && text.p[0] == '[') {
		colon = span_find(text, ']');
		colon = colon < text.n ? colon + 1 : text.n;
	} else if (span_find(text, ':') < text.n) {
		colon = span_find(text, ':');
		if (span_find(span_from(text, colon + 1), ':') < text.n - colon - 1)
			colon = text.n;          /* a bare IPv6 address: its colons are its own */
	}
	if (colon < text.n && (text.p[colon] != ':' || !span_number(span_from(text, colon + 1), 65535, &port)))
		return false;
	if (!address_parse(span_first(text, colon), &e.addr))
		return false;
	e.port = (uint16_t)port;
	*ret = e;
	return true;
}

const char *address_text(const struct address *a, char buffer[ADDRESS_TEXT])
{
	if (a->family == 0 || !inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->bytes, buffer, ADDRESS_TEXT))
		memcpy(buffer, "?", 2);
	return buffer;
}

uint64_t endpoint_key_any(const struct address *a, uint16_t port)
{
	struct { uint8_t bytes[16]; uint16_t port; uint8_t family, none; } key = { .port = port, .family = a->family };

	memcpy(key.bytes, a->bytes, sizeof key.bytes);
	return hash_bytes(&key, sizeof key);
}

const char *endpoint_text(const struct endpoint *e, char buffer[ENDPOINT_TEXT])
{
	char addr[ADDRESS_TEXT];

	if (e->port == 0)
		return address_text(&e->addr, buffer);
	address_text(&e->addr, addr);
	snprintf(buffer, ENDPOINT_TEXT, e->addr.family == 6 ? "[%s]:%u" : "%s:%u", addr, e->port);
	return buffer;
}

bool address_same_net(const struct address *a, const struct address *b)
{
	return a->family && a->family == b->family && memcmp(a->bytes, b->bytes, a->family == 4 ? 3 : 8) == 0;
}
