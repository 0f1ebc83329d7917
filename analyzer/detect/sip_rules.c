/* SPDX-License-Identifier: MIT */
/*
 * sip_rules: flaws of the parser and of libosip2, put under the names of the register. RFC 3261 7, 8, 18, 20; RFC 8866
 * 5.
 */
#include "analyzer/detect/sip_rules.h"

#include <stdio.h>
#include <stdlib.h>

#include "captures/base/memory.h"
#include "captures/base/text.h"
#include "dissect/sdp.h"

static const struct rule_name names[RULE_COUNT] = {
	[RULE_MISSING_HEADER] = { "missing-header",
		"a header is missing that every such message has (RFC 3261 8.1.1)" },
	[RULE_DUPLICATE] = { "duplicate-singleton", "a header stands twice that may stand once (RFC 3261 7.3.1)" },
	[RULE_LENGTH_LONG] = { "content-length-long",
	"Content-Length says more than the datagram has (RFC 3261 18.3)" },
	[RULE_LENGTH_SHORT] = { "content-length-short",
	"Content-Length says less than the datagram has: the rest of the body is discarded (RFC 3261 18.3)" },
	[RULE_TCP_FRAMING] = { "tcp-framing",
	"Content-Length is missing or wrong, on which TCP depends to find the next message (RFC 3261 20.14)" },
	[RULE_CSEQ] = { "cseq-mismatch", "CSeq is no number and the method of the request (RFC 3261 8.1.1.5)" },
	[RULE_START_LINE] = { "bad-start-line", "the start line is against the grammar (RFC 3261 7.1)" },
	[RULE_URI] = { "bad-uri", "a URI is against the grammar (RFC 3261 19.1)" },
	[RULE_VIA] = { "bad-via", "a Via is against the grammar (RFC 3261 20.42)" },
	[RULE_TO_TAG] = { "to-tag-missing", "a response has no To-tag (RFC 3261 8.2.6.2)" },
	[RULE_SDP] = { "bad-sdp", "the session description lacks a line that it needs (RFC 8866 5)" },
	[RULE_BODY_TYPE] = { "body-no-type", "there is a body and no Content-Type (RFC 3261 20.15)" },
	[RULE_ROUTE] = { "bad-record-route", "Route or Record-Route stands without < > or host (RFC 3261 20.30)" },
	[RULE_CONTROL] = { "nul-or-control", "there are control bytes in the headers (RFC 3261 25.1)" },
	[RULE_CREDENTIALS] = { "bad-auth", "the credentials cannot be read (RFC 3261 22.4)" },
	[RULE_REGISTER_USER] = { "register-uri-user",
	"the Request-URI of a REGISTER names a user, where it must name the registrar's domain alone (RFC 3261 10.2)" },
	[RULE_RESPONSE_VIA] = { "response-via",
	"the top Via of an answer is not that of the request, which therefore stays unanswered (RFC 3261 8.1.3.3, 18.1.2)" },
	[RULE_TAG_CHANGED] = { "tag-changed", "an answer has another From-tag than its request (RFC 3261 8.2.6.2)" },
	[RULE_MAX_FORWARDS] = { "max-forwards-zero",
	"a request that came with Max-Forwards 0 is sent on (RFC 3261 16.3)" },
	[RULE_ACK_CANCEL] = { "bad-ack-cancel",
	"a CANCEL, or the ACK of a refusal, has another Request-URI, CSeq number or From-tag than its INVITE (RFC 3261 9.1, 17.1.1.3)" },
};

const struct rule_name *sip_rule_name(enum sip_rule rule)
{
	return &names[rule];
}

static bool rfc3261(const struct sip_message *m)
{
	return span_starts_nocase(m->via.branch, SPAN("z9hG4bK"));
}

/* NULL: none. */
static const char *header_missing(const struct sip_message *m)
{
	if (m->flaws & SIP_FLAW_NO_CALL_ID)
		return "Call-ID";
	if (m->flaws & SIP_FLAW_NO_FROM)
		return "From";
	if (m->flaws & SIP_FLAW_NO_TO)
		return "To";
	if (m->flaws & SIP_FLAW_NO_VIA)
		return "Via";
	if ((m->flaws & SIP_FLAW_NO_CSEQ) && !sip_header_find(m, SIP_H_CSEQ))
		return "CSeq";
	if (m->request && !m->has_max_forwards && rfc3261(m) && !sip_header_find(m, SIP_H_MAX_FORWARDS))
		return "Max-Forwards";
	if (m->request && m->method == SIP_INVITE && m->contact_count == 0 && !m->contact_star && rfc3261(m))
		return "Contact";
	return NULL;
}

static bool control(const struct sip_message *m)
{
	size_t head = m->body.p ? (size_t)(m->body.p - m->bytes.p) : m->bytes.n;

	for (size_t i = 0; i < head && i < m->bytes.n; i++) {
		uint8_t b = m->bytes.p[i];

		if ((b < ' ' && b != '\r' && b != '\n' && b != '\t') || b == 0x7f)
			return true;
	}
	return false;
}

static bool sdp_bad(const struct sip_message *m)
{
	struct sdp_text *sdp;
	bool bad;

	if (m->sdp.n == 0)
		return false;
	sdp = memory_zalloc(sizeof *sdp);
	bad = !sdp_parse(m->sdp, sdp) ||
	      (sdp->said.flaws & (SDP_FLAW_NO_VERSION | SDP_FLAW_NO_ORIGIN | SDP_FLAW_NO_TIME | SDP_FLAW_NO_CONNECTION | SDP_FLAW_PORT));
	free(sdp);
	return bad;
}

static uint32_t rules_of_length(const struct sip_message *m, uint8_t transport)
{
	bool stream = transport == TRANSPORT_TCP || transport == TRANSPORT_TLS;

	if (transport == TRANSPORT_WS || transport == TRANSPORT_SCTP)
		return 0;                    /* framed by themselves */
	if (stream && ((m->flaws & (SIP_FLAW_CONTENT_LENGTH_SHORT | SIP_FLAW_CONTENT_LENGTH_BAD)) ||
	    !sip_header_find(m, SIP_H_CONTENT_LENGTH)))
		return UINT32_C(1) << RULE_TCP_FRAMING;
	if (!stream && m->flaws & SIP_FLAW_CONTENT_LENGTH_LONG)
		return UINT32_C(1) << RULE_LENGTH_LONG;
	return !stream && m->flaws & SIP_FLAW_CONTENT_LENGTH_SHORT ? UINT32_C(1) << RULE_LENGTH_SHORT : 0;
}

static uint32_t rules_by_flaw(const struct sip_message *m)
{
	static const struct { uint32_t flaw; enum sip_rule rule; } list[] = {
		{ SIP_FLAW_DOUBLE_HEADER, RULE_DUPLICATE }, { SIP_FLAW_CSEQ_METHOD, RULE_CSEQ },
		  { SIP_FLAW_START_LINE, RULE_START_LINE },
		{ SIP_FLAW_URI | SIP_FLAW_ADDRESS, RULE_URI }, { SIP_FLAW_VIA, RULE_VIA },
		  { SIP_FLAW_ROUTE, RULE_ROUTE },
		{ SIP_FLAW_CREDENTIALS, RULE_CREDENTIALS },
	};
	uint32_t rules = 0;

	for (size_t i = 0; m->flaws && i < sizeof list / sizeof *list; i++) {
		if (m->flaws & list[i].flaw)
			rules |= UINT32_C(1) << list[i].rule;
	}
	return rules;
}

static bool names_user(struct span uri)
{
	struct sip_address a;

	return span_find(uri, '@') < uri.n && sip_address_parse(uri, &a) && a.user.n;
}

uint32_t sip_rules_broken(const struct sip_message *m, uint8_t transport, bool thorough)
{
	uint32_t rules;

	if (m->flaws & (SIP_FLAW_BODY_CUT | SIP_FLAW_TOO_MUCH))
		return 0;
	rules = rules_by_flaw(m) | rules_of_length(m, transport);
	if (header_missing(m))
		rules |= UINT32_C(1) << RULE_MISSING_HEADER;
	if ((m->flaws & SIP_FLAW_NO_CSEQ) && sip_header_find(m, SIP_H_CSEQ))
		rules |= UINT32_C(1) << RULE_CSEQ;
	if (!m->request && m->status > 100 && m->to.whole.n && m->to.tag.n == 0 && rfc3261(m))
		rules |= UINT32_C(1) << RULE_TO_TAG;
	if (m->request && m->method == SIP_REGISTER && names_user(m->uri))
		rules |= UINT32_C(1) << RULE_REGISTER_USER;
	if (m->body.n && !sip_header_find(m, SIP_H_CONTENT_TYPE))
		rules |= UINT32_C(1) << RULE_BODY_TYPE;
	if ((m->flaws & SIP_FLAW_HEADER_LINE) && control(m))
		rules |= UINT32_C(1) << RULE_CONTROL;
	if (thorough && sdp_bad(m))
		rules |= UINT32_C(1) << RULE_SDP;
	return rules;
}

static void header_text(const struct sip_message *m, enum sip_header_name name, char text[RULE_FIELD])
{
	const struct sip_header *h = sip_header_find(m, name);
	char value[RULE_FIELD - 24], label[20];

	if (!h) {
		snprintf(text, RULE_FIELD, "not there");
		return;
	}
	snprintf(text, RULE_FIELD, "%s: %s", text_escape(h->name_text, label, sizeof label),
		text_escape(h->value, value, sizeof value));
}

static void length_text(const struct sip_message *m, char text[RULE_FIELD])
{
	bool is_short = m->flaws & SIP_FLAW_CONTENT_LENGTH_SHORT;

	if (m->has_content_length && is_short && m->surplus)
		snprintf(text, RULE_FIELD, "Content-Length: %u, %zu bytes of body", m->content_length,
			m->body.n + m->surplus);
	else if (m->has_content_length && is_short)
		snprintf(text, RULE_FIELD, "Content-Length: %u, and more of the body behind", m->content_length);
	else if (m->has_content_length && m->body.n == m->content_length)
		snprintf(text, RULE_FIELD, "Content-Length: %u, which reaches into the next message", m->content_length);
	else if (m->has_content_length)
		snprintf(text, RULE_FIELD, "Content-Length: %u, %zu bytes of body", m->content_length, m->body.n);
	else
		header_text(m, SIP_H_CONTENT_LENGTH, text);
}

void sip_rule_field(const struct sip_message *m, enum sip_rule rule, char text[RULE_FIELD])
{
	const char *missing = header_missing(m);

	switch (rule) {
	case RULE_MISSING_HEADER:
		snprintf(text, RULE_FIELD, "no %s", missing ? missing : "such header");
		return;
	case RULE_LENGTH_LONG:
	case RULE_LENGTH_SHORT:
	case RULE_TCP_FRAMING:
		length_text(m, text);
		return;
	case RULE_CSEQ:
		header_text(m, SIP_H_CSEQ, text);
		return;
	case RULE_URI:
	case RULE_START_LINE:
	case RULE_REGISTER_USER:
	case RULE_ACK_CANCEL:
		text_escape(span_first(m->bytes, span_find(m->bytes, '\r')), text, RULE_FIELD);
		return;
	case RULE_VIA:
	case RULE_RESPONSE_VIA:
		header_text(m, SIP_H_VIA, text);
		return;
	case RULE_TO_TAG:
		header_text(m, SIP_H_TO, text);
		return;
	case RULE_TAG_CHANGED:
		header_text(m, SIP_H_FROM, text);
		return;
	case RULE_MAX_FORWARDS:
		header_text(m, SIP_H_MAX_FORWARDS, text);
		return;
	case RULE_ROUTE:
		header_text(m, sip_header_find(m, SIP_H_ROUTE) ? SIP_H_ROUTE : SIP_H_RECORD_ROUTE, text);
		return;
	case RULE_DUPLICATE:
		snprintf(text, RULE_FIELD, "From, To, Call-ID, CSeq, Max-Forwards or Content-Length or -Type twice");
		return;
	case RULE_SDP:
		snprintf(text, RULE_FIELD, "a session description of %zu bytes", m->sdp.n);
		return;
	case RULE_BODY_TYPE:
		snprintf(text, RULE_FIELD, "a body of %zu bytes", m->body.n);
		return;
	case RULE_CONTROL:
		snprintf(text, RULE_FIELD, "a control byte");
		return;
	case RULE_CREDENTIALS:                          /* never shown: they may hold a digest */
		snprintf(text, RULE_FIELD, "Authorization");
		return;
	case RULE_COUNT:
		break;
	}
	snprintf(text, RULE_FIELD, "?");
}
