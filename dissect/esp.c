/* SPDX-License-Identifier: MIT */
/* esp: RFC 4303 2: SPI, number, what is carried, padding, its length, what it is, the proof of who sent it. */
#include "dissect/esp.h"

#include "dissect/ip.h"
#include "dissect/tunnel.h"

enum { HEADER = 8, TRAILER = 2 };

/* Padding is 1, 2, 3, ... (2.4). */
static bool padding_fits(const uint8_t *padding, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (padding[i] != i + 1)
			return false;
	}
	return true;
}

/* Lengths have to be right to the byte, and of TCP, which has none, the checksum. */
static bool content_fits(const struct packet *p, uint8_t protocol, struct span s)
{
	struct cursor c = cursor_over(s, s.n);

	switch (protocol) {
	case IP_IPIP: return ip_plausible(c) && s.p[0] >> 4 == 4 && (size_t)(s.p[2] << 8 | s.p[3]) == s.n;
	case IP_6IN4: return ip_plausible(c) && s.p[0] >> 4 == 6 && (size_t)(s.p[4] << 8 | s.p[5]) + 40 == s.n;
	case IP_UDP: return s.n >= 8 && (size_t)(s.p[4] << 8 | s.p[5]) == s.n;
	case IP_TCP:
		return s.n >= 20 && s.p[12] >> 4 >= 5 && (size_t)(s.p[12] >> 4) * 4 <= s.n &&
			ip_checksum_ok(p, IP_TCP, s);
	default: return false;
	}
}

/* What is carried, if it can be read; how long the proof is was agreed upon elsewhere. */
static bool clear_text(const struct cursor *c, const struct packet *p, struct span *ret, uint8_t *ret_protocol)
{
	static const uint8_t proofs[] = { 12, 16, 24, 32, 0 };

	if (c->state != CURSOR_OK || c->left.n != c->wire)
		return false;
	for (size_t i = 0; i < sizeof proofs; i++) {
		const uint8_t *trailer;
		size_t room;
		struct span s;

		if (c->left.n < (size_t)HEADER + TRAILER + proofs[i])
			continue;
		room = c->left.n - HEADER - TRAILER - proofs[i];
		trailer = c->left.p + HEADER + room;
		if (trailer[0] > room || !padding_fits(trailer - trailer[0], trailer[0]))
			continue;
		s = (struct span){ c->left.p + HEADER, room - trailer[0] };
		if (content_fits(p, trailer[1], s)) {
			*ret = s;
			*ret_protocol = trailer[1];
			return true;
		}
	}
	return false;
}

static enum network enter(struct cursor *c, struct packet *p, struct span inside)
{
	*c = cursor_over(inside, inside.n);
	return tunnel_enter(p, TUNNEL_ESP) ? NETWORK_IP : NETWORK_NONE;
}

enum network esp_ip(struct cursor *c, struct packet *p)
{
	struct span inside;
	uint8_t protocol;

	if (!clear_text(c, p, &inside, &protocol)) {
		p->undecoded = UNDECODED_CIPHER;
		return NETWORK_NONE;
	}
	if (protocol == IP_IPIP || protocol == IP_6IN4)
		return enter(c, p, inside);
	*c = cursor_over(inside, inside.n);
	p->ip_protocol = protocol;
	return NETWORK_NONE;
}

enum network esp_udp(struct cursor *c, struct packet *p)
{
	struct span inside;
	uint8_t protocol;

	if (!clear_text(c, p, &inside, &protocol) || (protocol != IP_IPIP && protocol != IP_6IN4))
		return NETWORK_NONE;
	return enter(c, p, inside);
}

bool esp_udp_plausible(const struct packet *p)
{
	enum { LEAST = 20 };
	const uint8_t *spi = p->payload.p;

	return (p->src.port == PORT_ESP || p->dst.port == PORT_ESP) && p->payload.n >= LEAST &&
		(spi[0] | spi[1] | spi[2] | spi[3]) != 0;
}
