/* SPDX-License-Identifier: MIT */
/* ack_route: Route and Request-URI of an ACK, Record-Route and Contact of the 2xx that came to its sender. */
#include "analyzer/detect/ack_route.h"

#include <stdio.h>

#include "analyzer/calls/headers.h"
#include "captures/base/text.h"
#include "dissect/sip_message.h"

enum { URI_TEXT = 80 };

static bool same_host(struct span x, struct span y)
{
	struct sip_address a, b;

	return sip_address_parse(x, &a) && sip_address_parse(y, &b) && span_equal_nocase(a.host, b.host);
}

static bool same_place(struct span x, struct span y)
{
	struct sip_address a, b;

	return sip_address_parse(x, &a) && sip_address_parse(y, &b) && span_equal_nocase(a.host, b.host) && a.port == b.port;
}

static struct span contact_of(const struct message *ok)
{
	return ok->contact ? phrase_span(ok->contact->uri) : SPAN_NONE;
}

static struct span recorded_of(const struct message *ok)
{
	return ok->headers ? ok->headers->more->recorded_last : SPAN_NONE;
}

/* A URI is kept without its <>: its parameters look like those of the header. */
static bool parameter_of(const struct sip_address *a, struct span name, struct span *ret_value)
{
	return sip_parameter(a->uri_params, name, ret_value) || sip_parameter(a->params, name, ret_value);
}

static bool loose(struct span uri)
{
	struct sip_address a;
	struct span value;

	return sip_address_parse(uri, &a) && parameter_of(&a, SPAN("lr"), &value);
}

/* Names a connection: its transport parameter, or sips. */
static bool asks_for_stream(struct span uri)
{
	struct sip_address a;
	struct span transport;

	if (!sip_address_parse(uri, &a))
		return false;
	if (!parameter_of(&a, SPAN("transport"), &transport))
		return span_equal_nocase(a.scheme, SPAN("sips"));
	return !span_equal_nocase(transport, SPAN("udp"));
}

/* The 2xx as it came to who sends this ACK; NULL: not in the capture. */
static const struct message *received(const struct message *ok, const struct message *ack)
{
	if (address_equal(&ok->dst.addr, &ack->src.addr))
		return ok;
	CHAIN_EACH(it, &ok->transaction->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_transaction);

		if (!m->request && m->method == SIP_INVITE && m->status == ok->status &&
		    phrase_equal(m->to_tag, ok->to_tag) && address_equal(&m->dst.addr, &ack->src.addr))
			return m;
	}
	return NULL;
}

/* Neither where its next proxy is, nor its Contact, nor where it came from: as far as those are addresses. */
static bool is_astray(const struct message *ok, const struct message *ack)
{
	struct span next = recorded_of(ok).n ? recorded_of(ok) : contact_of(ok);
	struct sip_address a;
	struct address at;

	return ack->via_count <= 1 && next.n && sip_address_parse(next, &a) && address_parse(a.host, &at) &&
	       !address_equal(&at, &ack->dst.addr) && !address_equal(&ok->src.addr, &ack->dst.addr) &&
	       !address_private(&at) == !address_private(&ack->dst.addr);
}

enum ack_flaw ack_flaw_of(const struct message *ok, const struct message *ack)
{
	const struct message *came = received(ok, ack);
	struct span recorded = recorded_of(came ? came : ok), contact = contact_of(came ? came : ok), route;

	if (!ok->headers || !ack->headers)
		return ACK_FLAW_NONE;
	route = ack->headers->more->route;
	if (recorded.n && ack->via_count <= 1) {
		if (!route.n)
			return ACK_WITHOUT_ROUTE;
		if (contact.n && same_host(ack->headers->uri, recorded) && !same_host(ack->headers->uri, contact))
			return ACK_ASKS_PROXY;
	}
	if (!came)
		return ACK_FLAW_NONE;
	if (recorded.n && route.n && ack->via_count <= 1 && !same_place(route, recorded))
		return ACK_ORDER;
	if (contact.n && route.n && loose(route) && same_host(ack->headers->uri, route) &&
	    !same_host(ack->headers->uri, contact))
		return ACK_ASKS_PROXY;
	if (ack->transport == TRANSPORT_UDP && came->transport != TRANSPORT_UDP &&
	    asks_for_stream(recorded.n ? recorded : contact))
		return ACK_TRANSPORT;
	return is_astray(came, ack) ? ACK_ASTRAY : ACK_FLAW_NONE;
}

void ack_flaw_say(enum ack_flaw flaw, const struct message *ok, const struct message *ack, char *text, size_t room)
{
	const struct message *came = received(ok, ack) ? received(ok, ack) : ok;
	char has[URI_TEXT], wants[URI_TEXT], at[ENDPOINT_TEXT];

	text_escape(contact_of(came), wants, sizeof wants);
	if (flaw == ACK_ORDER)
		snprintf(text, room, "the ACK takes the proxies of Record-Route in the wrong order, %s first; the one recorded last is next to the caller: %s",
			text_escape(ack->headers->more->route, has, sizeof has),
			text_escape(recorded_of(came), wants, sizeof wants));
	else if (flaw == ACK_ASKS_PROXY)
		snprintf(text, room, "the ACK asks for %s, the address of a proxy, where it has to ask for the Contact of the 200: %s",
			text_escape(ack->headers->uri, has, sizeof has), wants);
	else if (flaw == ACK_TRANSPORT)
		snprintf(text, room, "the ACK went by UDP, and the 200 names a connection for it, %s of its %s",
			recorded_of(came).n ? text_escape(recorded_of(came), wants, sizeof wants) : wants,
			recorded_of(came).n ? "Record-Route" : "Contact");
	else if (flaw == ACK_ASTRAY)
		snprintf(text, room, "the ACK went to %s, which the 200 does not name: %s of its %s is where it belongs",
			endpoint_text(&ack->dst, at),
			recorded_of(came).n ? text_escape(recorded_of(came), wants, sizeof wants) : wants,
			recorded_of(came).n ? "Record-Route" : "Contact");
	else
		snprintf(text, room, "the ACK does not take the route that the 200 recorded");
}
