/* SPDX-License-Identifier: MIT */
/* headers: the few that are kept. */
#include "analyzer/calls/headers.h"

#include "analyzer/calls/internal.h"
#include "dissect/sip_digest.h"

enum { TEXT_MAX = 300, ROUTES_MAX = 32, CAUSE_MAX = 999 };

uint16_t reason_cause(struct span reason, struct span protocol)
{
	struct span value, name, cause;
	uint64_t number;

	while (span_split(&reason, ',', &value)) {
		size_t end = span_find(value, ';');

		name = span_trim(span_first(value, end));
		if (!span_equal_nocase(name, protocol) ||
		    !sip_parameter(span_from(value, end < value.n ? end + 1 : value.n), SPAN("cause"), &cause))
			continue;
		if (span_number(cause, CAUSE_MAX, &number))
			return (uint16_t)number;
	}
	return 0;
}

static struct span text(const struct arrival *a, struct span s)
{
	return leg_text(a->leg, span_first(s, TEXT_MAX));
}

static uint32_t number_of(const struct sip_message *sip, enum sip_header_name name)
{
	struct span value = sip_header_value(sip, name), digits;
	uint64_t number;

	if (!span_split(&value, ';', &digits))
		return 0;
	digits = span_trim(digits);
	digits = span_first(digits, span_find(digits, ' '));       /* "Retry-After: 120 (maintenance)" */
	return span_number(digits, UINT32_MAX, &number) ? (uint32_t)number : 0;
}

static void take_reason(const struct arrival *a, struct headers_more *h)
{
	for (const struct sip_header *it = sip_header_find(a->sip, SIP_H_REASON); it;
	    it = sip_header_next(a->sip, it)) {
		uint16_t q850 = reason_cause(it->value, SPAN("Q.850"));

		if (!h->reason.n || (q850 && !h->q850))
			h->reason = text(a, it->value);
		if (!h->q850)
			h->q850 = q850;
		if (!h->sip_cause)
			h->sip_cause = reason_cause(it->value, SPAN("SIP"));
	}
}

static bool lists(const struct sip_message *sip, enum sip_header_name name, struct span option)
{
	for (const struct sip_header *it = sip_header_find(sip, name); it; it = sip_header_next(sip, it)) {
		for (struct span rest = it->value; rest.n;) {
			size_t at = span_find(rest, ',');

			if (span_equal_nocase(span_trim(span_first(rest, at)), option))
				return true;
			rest = at < rest.n ? span_from(rest, at + 1) : SPAN_NONE;
		}
	}
	return false;
}

static void take_session_timer(const struct sip_message *sip, struct headers_more *h)
{
	struct span params = sip_header_value(sip, SIP_H_SESSION_EXPIRES), refresher;
	size_t at = span_find(params, ';');

	h->session_expires_s = number_of(sip, SIP_H_SESSION_EXPIRES);
	h->min_se_s = number_of(sip, SIP_H_MIN_SE);
	h->knows_timers = h->session_expires_s || lists(sip, SIP_H_SUPPORTED, SPAN("timer")) ||
		lists(sip, SIP_H_REQUIRE, SPAN("timer"));
	if (at < params.n && sip_parameter(span_from(params, at + 1), SPAN("refresher"), &refresher))
		h->refresher = span_equal_nocase(refresher, SPAN("uac")) ? REFRESHER_UAC : span_equal_nocase(refresher,
			SPAN("uas")) ? REFRESHER_UAS : REFRESHER_NONE;
}

static void take_nonce(struct span text, struct headers *h, struct headers_more *more)
{
	uint64_t nonce = hash_bytes(text.p, text.n) | 1;

	for (unsigned i = 0; h->nonce && h->nonce != nonce && i < HEADERS_NONCES; i++) {
		if (more->nonces[i])
			continue;
		more->nonces[i] = h->nonce;
		break;
	}
	h->nonce = nonce;
}

static void take_digest(const struct sip_message *sip, struct headers *h, struct headers_more *more)
{
	static const enum sip_header_name names[] = { SIP_H_AUTHORIZATION, SIP_H_PROXY_AUTHORIZATION,
		SIP_H_WWW_AUTHENTICATE, SIP_H_PROXY_AUTHENTICATE };
	unsigned from = sip->request ? 0 : 2;
	bool differ = false;
	uint32_t realm;
	struct sip_digest d;

	for (unsigned i = from; i < from + 2; i++) {
		for (const struct sip_header *it = sip_header_find(sip, names[i]); it; it = sip_header_next(sip, it)) {
			if (!sip_digest_parse(it->value, &d))
				continue;
			h->credentials |= sip->request && d.response.n;
			h->stale |= d.stale;
			if (d.nonce.n)
				take_nonce(d.nonce, h, more);
			realm = d.realm.n ? (uint32_t)hash_bytes(d.realm.p, d.realm.n) | 1 : 0;
			differ |= h->realm && realm != h->realm;
			h->realm = realm;
		}
	}
	if (differ)
		h->realm = 0;
}

/* One value of a comma list. */
static struct span list_value(struct span *rest)
{
	struct sip_address a;
	struct span all = *rest, whole;
	size_t end = span_find(all, '>');

	*rest = SPAN_NONE;
	if (end < all.n) {
		size_t comma = span_find(span_from(all, end), ',');

		whole = span_first(all, end + comma);
		if (end + comma < all.n)
			*rest = span_from(all, end + comma + 1);
		all = whole;
	}
	return sip_address_parse(all, &a) ? a.uri : SPAN_NONE;
}

static void take_routes(const struct arrival *a, struct headers_more *h)
{
	unsigned count = 0;
	struct span rest = sip_header_value(a->sip, SIP_H_ROUTE), last = SPAN_NONE;

	if (rest.n)
		h->route = text(a, list_value(&rest));
	for (const struct sip_header *it = sip_header_find(a->sip, SIP_H_RECORD_ROUTE); it && count < ROUTES_MAX;
	    it = sip_header_next(a->sip, it)) {
		for (rest = it->value; rest.n && count < ROUTES_MAX; count++) {
			struct span value = list_value(&rest);

			if (!value.n)
				continue;
			if (!last.n)
				h->recorded_first = text(a, value);
			last = value;
		}
	}
	h->recorded_last = text(a, last);
}

static bool wanted(const struct sip_message *sip, bool reliable)
{
	switch (sip->method) {
	case SIP_INVITE:
	case SIP_UPDATE:
		return sip->request || sip->status >= 200 || reliable;
	case SIP_ACK:
	case SIP_CANCEL:
		return sip->request;
	case SIP_METHOD_NONE:
	case SIP_BYE:
	case SIP_REGISTER:
	case SIP_OPTIONS:
	case SIP_PRACK:
	case SIP_INFO:
	case SIP_REFER:
	case SIP_NOTIFY:
	case SIP_SUBSCRIBE:
	case SIP_PUBLISH:
	case SIP_MESSAGE:
	case SIP_METHOD_OTHER:
		break;
	}
	return false;
}

static struct span refused_feature(const struct sip_message *sip)
{
	for (unsigned i = 0; i < sip->header_count; i++) {
		if (span_equal_nocase(sip->headers[i].name_text, SPAN("Unsupported")))
			return sip->headers[i].value;
	}
	return sip_header_value(sip, SIP_H_REQUIRE);
}

static const struct headers_more *more_of(const struct arrival *a, struct headers *h)
{
	static const struct headers_more nothing;
	const struct sip_message *sip = a->sip;
	struct headers_more more, *kept;

	memset(&more, 0, sizeof more);           /* and what lies between the fields, as they are compared as bytes */
	take_digest(sip, h, &more);
	take_reason(a, &more);
	take_session_timer(sip, &more);
	take_routes(a, &more);
	if (sip->status >= 300) {
		more.warning = text(a, sip_header_value(sip, SIP_H_WARNING));
		more.wants = text(a, refused_feature(sip));
		more.retry_after_s = number_of(sip, SIP_H_RETRY_AFTER);
	}
	if (memcmp(&more, &nothing, sizeof more) == 0)
		return &nothing;
	kept = arena_zalloc(a->leg->leg.arena, sizeof *kept);
	*kept = more;
	return kept;
}

/* After the transaction knows what the message is: a repetition says nothing new. */
void headers_note(struct arrival *a)
{
	const struct sip_message *sip = a->sip;
	struct message *m = a->message;
	struct headers *h;

	if (!wanted(sip, a->reliable))
		return;
	if (m->repeat == MESSAGE_RETRANSMITTED || m->repeat == MESSAGE_COPY) {
		m->headers = m->first->headers;
		return;
	}
	h = arena_zalloc(a->leg->leg.arena, sizeof *h);
	h->branch = a->branch;
	h->from_tag = sip->keys.from_tag;
	h->uri = text(a, sip->uri);
	h->max_forwards = sip->has_max_forwards ? sip->max_forwards : UINT32_MAX;
	h->rseq = a->reliable ? a->rseq : 0;
	h->more = more_of(a, h);
	m->headers = h;
}
