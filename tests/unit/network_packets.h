/* SPDX-License-Identifier: MIT */
/* network_packets: packets as dissect would give them, made by hand for the tests of analyzer/network. */
#ifndef DEADAIR_TESTS_NETWORK_PACKETS_H
#define DEADAIR_TESTS_NETWORK_PACKETS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "analyzer/network/network.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static inline struct address address_of(const char *text)
{
	struct address a = { .family = 0 };

	assert_true(address_parse(span_of(text), &a));
	return a;
}

static inline struct endpoint endpoint_of(const char *text)
{
	struct endpoint e = { .port = 0 };

	assert_true(endpoint_parse(span_of(text), &e));
	return e;
}

/* UDP over IPv4 or IPv6 with TTL 64 and one frame a call. */
static inline struct packet packet_of(enum packet_kind kind, const char *src, const char *dst, int64_t at_ms)
{
	static uint32_t frame;
	struct packet p = {
		.kind = (uint8_t)kind,
		.has = HAS_IP | HAS_PORTS,
		.first_of_frame = true,
		.ttl = 64,
		.ip_protocol = 17,
		.link = 1,
		.at_ns = at_ms * MILLISECOND_NS,
		.transport = TRANSPORT_UDP,
		.src = endpoint_of(src),
		.dst = endpoint_of(dst),
	};

	p.frame = p.first_frame = ++frame;
	return p;
}

static inline void packet_mac(struct packet *p, uint8_t src, uint8_t dst)
{
	p->has |= HAS_MAC;
	memcpy(p->mac_src, (uint8_t[]){ 2, 0, 0, 0, 0, src }, 6);
	memcpy(p->mac_dst, (uint8_t[]){ 2, 0, 0, 0, 0, dst }, 6);
}

static inline void packet_payload(struct packet *p, const char *text)
{
	p->payload = span_of(text);
	p->payload_wire = p->payload.n;
}

/* So many equal packets, a millisecond apart. */
static inline void packets_send(struct network *n, struct packet p, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		network_packet(n, &p, DUPLICATE_NO, 1);
		p.at_ns += MILLISECOND_NS;
		p.frame++;
	}
}

/* The message of this text, which has LF for line ends; good until the next one. */
static inline const struct sip_message *sip_written(const char *format, va_list ap)
{
	static struct sip_message m;
	static char text[4096];
	char plain[2048];
	size_t at = 0;

	vsnprintf(plain, sizeof plain, format, ap);
	for (const char *c = plain; *c; c++) {
		if (*c == '\n')
			text[at++] = '\r';
		text[at++] = *c;
	}
	assert_true(sip_message_parse((struct span){ (const uint8_t *)text, at }, at, &m));
	return &m;
}

/* Counted and learnt, as the engine does it. */
static inline void sip_send(struct network *n, struct packet p, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	p.sip = sip_written(format, ap);
	va_end(ap);
	p.kind = PACKET_SIP;
	p.payload = p.sip->bytes;
	p.payload_wire = p.sip->bytes.n;
	network_packet(n, &p, DUPLICATE_NO, 1);
	network_learn_sip(n, &p, p.sip);
}

#endif
