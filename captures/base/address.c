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

/*
 * Four numbers to 255 without leading zeros, as inet_pton(3) has it, which takes ten times as long: SIP names addresses
 * in every line.
 */
static bool dotted_parse(struct span text, uint8_t bytes[4])
{
	enum { SHORTEST = sizeof "0.0.0.0" - 1 };
	const uint8_t *p = text.p, *end;

	if (text.n < SHORTEST)
		return false;
	end = p + text.n;
	for (unsigned part = 0; part < 4; part++) {
		unsigned value = p < end ? (unsigned)*p++ - '0' : 10;

		if (value > 9)
			return false;
		for (; value && p < end && *p >= '0' && *p <= '9'; p++) {
			value = value * 10 + (unsigned)(*p - '0');
			if (value > 255)
				return false;
		}
		bytes[part] = (uint8_t)value;
		if (part < 3 && (p == end || *p++ != '.'))
			return false;
	}
	return p == end;
}

bool address_parse(struct span text, struct address *ret)
{
	char plain[INET6_ADDRSTRLEN];
	uint8_t bytes[16];
	bool bracketed = text.n >= 2 && text.p[0] == '[' && text.p[text.n - 1] == ']';

	if (bracketed)
		text = (struct span){ text.p + 1, text.n - 2 };
	if (!bracketed && dotted_parse(text, bytes)) {
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

static uint32_t address_word(const struct address *a)
{
	uint32_t v;

	memcpy(&v, a->bytes, sizeof v);
	return v;
}

static uint32_t endpoint_hash_any(const struct endpoint *e)
{
	struct { uint8_t bytes[16]; uint16_t port; uint8_t family, none;
		} key = { .port = e->port, .family = e->addr.family };

	memcpy(key.bytes, e->addr.bytes, sizeof key.bytes);
	return (uint32_t)hash_bytes(&key, sizeof key);
}

/*
 * IPv4, which nearly all are, in two multiplications: this is asked for dozens of times a message. One would do against
 * strangers, but networks and ports go up in steps, for which one factor in some hundred is unlucky.
 */
uint32_t endpoint_hash(const struct endpoint *e)
{
	if (e->addr.family == 4)
		return (uint32_t)hash_mix(hash_mix(4, (uint64_t)address_word(&e->addr) << 16 | e->port), 4);
	return endpoint_hash_any(e);
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

/* The first so many bits of an address. */
static bool starts_with(const struct address *a, uint8_t family, uint8_t first, uint8_t second, uint16_t mask)
{
	return a->family == family && ((a->bytes[0] << 8 | a->bytes[1]) & mask) == (first << 8 | second);
}

bool address_private(const struct address *a)
{
	return starts_with(a, 4, 10, 0, 0xff00) || starts_with(a, 4, 172, 16, 0xfff0) ||
	       starts_with(a, 4, 192, 168, 0xffff) || starts_with(a, 4, 100, 64, 0xffc0) ||
	       starts_with(a, 4, 169, 254, 0xffff) ||
	       starts_with(a, 6, 0xfc, 0, 0xfe00) || starts_with(a, 6, 0xfe, 0x80, 0xffc0);
}

bool address_unspecified(const struct address *a)
{
	static const uint8_t zeros[16];

	return a->family && memcmp(a->bytes, zeros, sizeof zeros) == 0;
}

bool address_loopback(const struct address *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	return starts_with(a, 4, 127, 0, 0xff00) || (a->family == 6 && memcmp(a->bytes, one, sizeof one) == 0);
}

bool address_multicast(const struct address *a)
{
	static const uint8_t broadcast[4] = { 255, 255, 255, 255 };

	return starts_with(a, 4, 224, 0, 0xf000) || starts_with(a, 6, 0xff, 0, 0xff00) ||
	       (a->family == 4 && memcmp(a->bytes, broadcast, sizeof broadcast) == 0);
}

bool address_same_net(const struct address *a, const struct address *b)
{
	return a->family && a->family == b->family && memcmp(a->bytes, b->bytes, a->family == 4 ? 3 : 8) == 0;
}
