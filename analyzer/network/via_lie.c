/* SPDX-License-Identifier: MIT */
/* via_lie: counts what went astray, and what shows that it was missed or received. */
#include "analyzer/network/via_lie.h"

#include "dissect/sip_message.h"

enum { PORT_SIP = 5060, PORT_SIPS = 5061 };

/*
 * A connection carries its answers back whatever Via says of TLS or WebSocket: a terminator before the server takes
 * those off. HEP tells of messages that others saw.
 */
enum packet_transport via_lie_says(const struct packet *p)
{
	struct span says = p->sip->via.transport;

	if (p->tunnel == TUNNEL_HEP)
		return TRANSPORT_NONE;
	if (p->transport == TRANSPORT_TCP)
		return span_equal_nocase(says, SPAN("UDP")) ? TRANSPORT_UDP : TRANSPORT_NONE;
	if (p->transport != TRANSPORT_UDP || span_equal_nocase(says, SPAN("UDP")))
		return TRANSPORT_NONE;
	if (span_equal_nocase(says, SPAN("TCP")))
		return TRANSPORT_TCP;
	return span_equal_nocase(says, SPAN("TLS")) ? TRANSPORT_TLS : TRANSPORT_NONE;
}

static void lie_begin(struct via_lie *l, const struct packet *p)
{
	const struct sip_via *via = &p->sip->via;

	l->says = (uint8_t)via_lie_says(p);
	l->first_at = frame_ref_of(p);
	if (address_parse(via->host, &l->sent_by.addr))
		l->sent_by.port = via->has_port ? via->port : l->says == TRANSPORT_TLS ? PORT_SIPS : PORT_SIP;
}

static bool has_credentials(const struct sip_message *m)
{
	return sip_header_find(m, SIP_H_AUTHORIZATION) || sip_header_find(m, SIP_H_PROXY_AUTHORIZATION);
}

void via_lie_request(struct via_lie *l, const struct packet *p, bool again, bool strayed)
{
	const struct sip_message *m = p->sip;

	if (m->method == SIP_ACK) {
		l->arrived = true;
		return;
	}
	if (!again && l->requests++ == 0)
		lie_begin(l, p);
	if (l->challenged && has_credentials(m)) {
		l->arrived = true;
	} else if (strayed || (!again && l->challenged == m->method)) {
		if (l->repeated++ == 0)
			l->repeated_at = frame_ref_of(p);
		l->last_ns = p->at_ns;
	}
}

void via_lie_answer(struct via_lie *l, const struct packet *p, bool strays)
{
	if (!strays) {
		l->arrived = true;
		return;
	}
	if (l->astray++ == 0) {
		l->astray_at = frame_ref_of(p);
		l->sent_to = p->dst;
	}
	l->last_ns = p->at_ns;
	if (p->sip->status == 401 || p->sip->status == 407)
		l->challenged = (uint8_t)p->sip->method;
}
