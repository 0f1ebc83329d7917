/* SPDX-License-Identifier: MIT */
/*
 * registration_contacts: the bindings that a 200 to a REGISTER lists (RFC 3261 10.3): whether ours is among them, and
 * how long it lives.
 */
#include "analyzer/calls/registration_private.h"

enum { CONTACTS_WALKED = 64 };

static bool names_us(const struct registration *r, const struct sip_address *contact)
{
	struct sip_address own;

	if (!sip_address_parse(r->contact_uri, &own))
		return false;
	return span_equal(own.user, contact->user) && span_equal_nocase(own.host, contact->host) &&
		own.port == contact->port;
}

/* One value of a Contact line; commas in quotes and in < > are no separators. */
static struct span contact_take(struct span *rest)
{
	bool quoted = false, inside = false;
	size_t n = 0;
	struct span value;

	for (; n < rest->n; n++) {
		uint8_t b = rest->p[n];

		if (b == '"' && (n == 0 || rest->p[n - 1] != '\\'))
			quoted = !quoted;
		else if (!quoted && (b == '<' || b == '>'))
			inside = b == '<';
		else if (!quoted && !inside && b == ',')
			break;
	}
	value = span_trim(span_first(*rest, n));
	*rest = span_from(*rest, n + 1);
	return value;
}

/* Where whoever answers has met the phone, or stands himself: a NAT, SBC or ALG puts that into our Contact. */
static bool on_our_way(const struct arrival *a, const struct address *listed)
{
	return address_equal(listed, &a->packet->src.addr) || address_equal(listed, &a->packet->dst.addr) ||
	       address_equal(listed, &a->sip->via.received_at);
}

/*
 * Another device of our user: its address is of the same kind as ours, nobody on our way has it, and what is left of
 * its time is not what we were given.
 */
static bool anothers(const struct registration_record *r, const struct arrival *a, const struct sip_address *own,
	const struct sip_address *contact)
{
	struct address mine, listed;
	uint64_t header, left;
	struct span text;

	if (!address_parse(own->host, &mine) || !address_parse(contact->host, &listed) ||
	    address_private(&mine) != address_private(&listed) || on_our_way(a, &listed))
		return false;
	if (!sip_parameter(contact->params, SPAN("expires"), &text) || !span_number(text, UINT32_MAX, &left))
		return false;
	return left != r->asked_s &&
	       (!span_number(sip_header_value(a->sip, SIP_H_EXPIRES), UINT32_MAX, &header) || left != header);
}

bool registration_binding_missing(const struct registration_record *r, const struct arrival *a)
{
	const struct sip_message *sip = a->sip;
	struct sip_address own;
	struct address at;
	unsigned walked = 0, listed = 0;

	if ((sip->flaws & SIP_FLAW_HEADERS_CUT) || !sip_address_parse(r->registration.contact_uri, &own) || !own.user.n)
		return false;
	for (const struct sip_header *h = sip_header_find(sip, SIP_H_CONTACT); h; h = sip_header_next(sip, h)) {
		struct span rest = h->value;
		struct sip_address contact;

		while (rest.n && walked++ < CONTACTS_WALKED) {
			if (!sip_address_parse(contact_take(&rest), &contact))
				return false;
			if (span_equal_nocase(own.host, contact.host) ||
			    (address_parse(contact.host, &at) && on_our_way(a, &at)) ||
			    (span_equal(own.user, contact.user) && !anothers(r, a, &own, &contact)))
				return false;
			listed++;
		}
	}
	return listed > 0;
}

uint32_t registration_granted_s(const struct registration *r, const struct sip_message *sip, bool *ret_found)
{
	uint64_t header = 0, own;
	bool has_header = span_number(sip_header_value(sip, SIP_H_EXPIRES), UINT32_MAX, &header);
	unsigned walked = 0;

	*ret_found = false;
	for (const struct sip_header *h = sip_header_find(sip, SIP_H_CONTACT); h; h = sip_header_next(sip, h)) {
		struct span rest = h->value, text;
		struct sip_address contact;

		while (rest.n && walked++ < CONTACTS_WALKED) {
			if (!sip_address_parse(contact_take(&rest), &contact) || !names_us(r, &contact))
				continue;
			*ret_found = true;
			if (sip_parameter(contact.params, SPAN("expires"), &text) &&
				span_number(text, UINT32_MAX, &own))
				return (uint32_t)own;
		}
	}
	if (has_header)
		return (uint32_t)header;
	return sip->has_expires && sip->contact_count == 1 ? sip->expires_s : r->expires_s;
}
