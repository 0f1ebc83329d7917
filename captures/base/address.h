/* SPDX-License-Identifier: MIT */
/* address, endpoint: IPv4 and IPv6 as values; compare with the functions, never with memcmp of padding. */
#ifndef DEADAIR_BASE_ADDRESS_H
#define DEADAIR_BASE_ADDRESS_H

#include "captures/base/hash.h"

struct address {
	uint8_t family;              /* 0 none, 4, 6 */
	uint8_t bytes[16];           /* IPv4 in the first four, the others zero */
};

struct endpoint {
	struct address addr;
	uint16_t port;
};

enum { ADDRESS_TEXT = 48, ENDPOINT_TEXT = 56 };

static inline bool address_equal(const struct address *a, const struct address *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

uint64_t endpoint_key_any(const struct address *a, uint16_t port);

/*
 * Keyed, 64 bits: what stands for an address in a key that is not compared with it again. Of the lower half, the hash of
 * tables, two of 12 000 addresses are equal once in 60 runs. IPv4, which nearly all are, in two multiplications: this is asked for dozens of times a message. One would do
 * against strangers, but networks and ports go up in steps, for which one factor in some hundred is unlucky.
 */
static inline uint64_t address_port_key(const struct address *a, uint16_t port)
{
	uint32_t word;

	if (a->family != 4)
		return endpoint_key_any(a, port);
	memcpy(&word, a->bytes, sizeof word);
	return hash_mix(hash_mix(4, (uint64_t)word << 16 | port), 4);
}

static inline uint64_t endpoint_key(const struct endpoint *e)
{
	return address_port_key(&e->addr, e->port);
}

static inline uint64_t address_key(const struct address *a)
{
	return address_port_key(a, 0);
}

static inline uint32_t address_port_hash(const struct address *a, uint16_t port)
{
	return (uint32_t)address_port_key(a, port);
}

static inline uint32_t endpoint_hash(const struct endpoint *e)
{
	return address_port_hash(&e->addr, e->port);
}

static inline uint32_t address_hash(const struct address *a)
{
	return address_port_hash(a, 0);
}

static inline bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && address_equal(&a->addr, &b->addr);
}

static inline bool address_known(const struct address *a)
{
	return a->family != 0;
}

/* Total order for printed lists: none, IPv4, IPv6, then by bytes, then port. */
int address_compare(const struct address *a, const struct address *b);
int endpoint_compare(const struct endpoint *a, const struct endpoint *b);

struct address address_v4(const uint8_t bytes[4]);
/* IPv4-mapped IPv6 becomes IPv4. */
struct address address_v6(const uint8_t bytes[16]);
/* "10.0.0.2", "2001:db8::1", also in brackets; no names, no scope. */
bool address_parse(struct span text, struct address *ret);
/* "10.0.0.2:5060", "[2001:db8::1]:5060"; port optional (0). */
bool endpoint_parse(struct span text, struct endpoint *ret);

/*
 * Written into the caller's buffer, which is returned. "10.0.0.2:5060", "[2001:db8::1]:5060"; without port the address
 * alone; RFC 5952. None: "?".
 */
const char *address_text(const struct address *a, char buffer[ADDRESS_TEXT]);
const char *endpoint_text(const struct endpoint *e, char buffer[ENDPOINT_TEXT]);

/* Of IPv4: the four bytes as a number. */
static inline uint32_t address_number(const struct address *a)
{
	return (uint32_t)a->bytes[0] << 24 | (uint32_t)a->bytes[1] << 16 | (uint32_t)a->bytes[2] << 8 | a->bytes[3];
}

/* RFC 1918, 100.64/10 (RFC 6598), 169.254/16, fc00::/7, fe80::/10. */
static inline bool address_private(const struct address *a)
{
	uint32_t v4;

	if (a->family != 4)
		return a->family == 6 && ((a->bytes[0] & 0xfe) == 0xfc ||
			(a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80));
	v4 = address_number(a);
	return v4 >> 24 == 10 || v4 >> 20 == 0xac1 || v4 >> 16 == 0xc0a8 || v4 >> 22 == 0x191 || v4 >> 16 == 0xa9fe;
}

/* 0.0.0.0, :: */
static inline bool address_unspecified(const struct address *a)
{
	uint64_t halves[2];

	memcpy(halves, a->bytes, sizeof halves);
	return a->family && !(halves[0] | halves[1]);
}

static inline bool address_loopback(const struct address *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	return a->family == 4 ? a->bytes[0] == 127 : a->family == 6 && memcmp(a->bytes, one, sizeof one) == 0;
}

/* And broadcast, 255.255.255.255. */
static inline bool address_multicast(const struct address *a)
{
	return a->family == 4 ? a->bytes[0] >> 4 == 0xe || address_number(a) == UINT32_MAX
		: a->family == 6 && a->bytes[0] == 0xff;
}

/* The same /24 or /64. */
bool address_same_net(const struct address *a, const struct address *b);

#endif
