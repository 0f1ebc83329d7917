/* SPDX-License-Identifier: MIT */
/* sip_teller: SIP as text, parsed as from the wire, for records that take packets. */
#ifndef DEADAIR_TESTS_SIP_TELLER_H
#define DEADAIR_TESTS_SIP_TELLER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "captures/base/ns.h"
#include "dissect/packet.h"
#include "dissect/sip_message.h"

#define START_NS (INT64_C(1700000000) * SECOND_NS)

struct teller {
	struct sip_message sip;
	struct packet packet;        /* of the latest message; good until the next one */
	char text[8192];
	uint32_t frame;
};

static inline int64_t at_s(double s)
{
	return START_NS + (int64_t)(s * 1e9);
}

/* Start line, and the lines behind the usual ones; without a body. */
struct said {
	const char *start, *method;  /* "OPTIONS sip:s@10.0.0.5 SIP/2.0", "SIP/2.0 200 OK"; method of CSeq */
	const char *call, *from, *to; /* Call-ID; what stands in From and To */
	unsigned cseq;
	const char *branch, *more, *body;    /* more: header lines, each with its CRLF */
};

static inline const struct packet *say(struct teller *t, double s, const char *src, const char *dst,
	const struct said *m)
{
	const char *body = m->body ? m->body : "";
	int n = snprintf(t->text, sizeof t->text,
		"%s\r\nVia: SIP/2.0/UDP 10.9.9.9:5060;branch=z9hG4bK%s\r\nMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n%s"
		"Content-Length: %zu\r\n\r\n%s",
		m->start, m->branch ? m->branch : m->call, m->from, m->to, m->call, m->cseq ? m->cseq : 1, m->method,
		m->more ? m->more : "", strlen(body), body);

	assert_true(n > 0 && (size_t)n < sizeof t->text);
	assert_true(sip_message_parse((struct span){ (const uint8_t *)t->text, (size_t)n }, (size_t)n, &t->sip));
	t->packet = (struct packet){ .kind = PACKET_SIP, .at_ns = at_s(s), .frame = ++t->frame,
		.transport = TRANSPORT_UDP, .sip = &t->sip,
				     .has = HAS_IP | HAS_PORTS, .ttl = 64, .wire_bytes = (uint32_t)n + 42 };
	assert_true(endpoint_parse(span_of(src), &t->packet.src));
	assert_true(endpoint_parse(span_of(dst), &t->packet.dst));
	return &t->packet;
}

#endif
