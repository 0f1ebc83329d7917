/* SPDX-License-Identifier: MIT */
/*
 * sip: the second look. libosip2 judges single fields, each alone, bounded, NUL-terminated and unfolded: a whole
 * message that it refuses is lost, it is quadratic in list members, it prints on stdout, and its *_to_str functions
 * had overflows. What it lets pass we judge ourselves.
 */
#include "dissect/sip_parts.h"

#include <osipparser2/osip_message.h>
#include <osipparser2/osip_parser.h>
#include <osipparser2/osip_port.h>

/* beyond them a field is not judged, but counted: SIP_FLAW_TOO_MUCH */
enum { FIELD_BYTES = 8192, MEMBERS_MAX = 64, VALUES_MAX = 64 };

/* ---- libosip2 ---- */

static void discard(const char *file, int line, osip_trace_level_t level, const char *format, va_list ap)
{
	(void)file, (void)line, (void)level, (void)format, (void)ap;
}

void sip_start(void)
{
	static bool started; /* libosip2's own tables are global too: once per process */

	if (started)
		return;
	started = true;
	/* before parser_init(): otherwise each refusal is printed on stdout */
	osip_trace_initialize_func(END_TRACE_LEVEL, discard);
	parser_init();
}

enum verdict { VERDICT_GOOD, VERDICT_REFUSED, VERDICT_TOO_MUCH };

/* The field as libosip2 may have it: no fold, no NUL, not longer and with no more members than its lists can bear. */
static enum verdict field_copy(struct span field, char text[FIELD_BYTES + 1])
{
	unsigned members = 0;

	if (field.n > FIELD_BYTES)
		return VERDICT_TOO_MUCH;
	for (size_t i = 0; i < field.n; i++) {
		uint8_t byte = field.p[i];

		if (byte == 0)
			return VERDICT_REFUSED;
		members += byte == ';' || byte == '&' || byte == ',';
		text[i] = byte == '\r' || byte == '\n' || byte == '\t' ? ' ' : (char)byte;
	}
	text[field.n] = '\0';
	return members > MEMBERS_MAX ? VERDICT_TOO_MUCH : VERDICT_GOOD;
}

static bool osip_reads_address(const char *text)
{
	osip_from_t *from;
	bool good;

	if (osip_from_init(&from) != 0)
		return true;
	good = osip_from_parse(from, text) == 0;
	osip_from_free(from);
	return good;
}

static bool osip_reads_via(const char *text)
{
	osip_via_t *via;
	bool good;

	if (osip_via_init(&via) != 0)
		return true;
	good = osip_via_parse(via, text) == 0;
	osip_via_free(via);
	return good;
}

static bool osip_reads_uri(const char *text)
{
	osip_uri_t *uri;
	bool good;

	if (osip_uri_init(&uri) != 0)
		return true;
	good = osip_uri_parse(uri, text) == 0;
	osip_uri_free(uri);
	return good;
}

static bool osip_reads_authorization(const char *text)
{
	osip_authorization_t *authorization;
	bool good;

	if (osip_authorization_init(&authorization) != 0)
		return true;
	good = osip_authorization_parse(authorization, text) == 0;
	osip_authorization_free(authorization);
	return good;
}

static void judge(struct sip_message *m, struct span field, bool (*reads)(const char *text), uint32_t flaw)
{
	char text[FIELD_BYTES + 1];

	switch (field_copy(field, text)) {
	case VERDICT_GOOD:
		if (!reads(text))
			m->flaws |= flaw;
		break;
	case VERDICT_REFUSED: m->flaws |= flaw; break;
	case VERDICT_TOO_MUCH: m->flaws |= SIP_FLAW_TOO_MUCH; break;
	}
}

/* ---- what libosip2 lets pass ---- */

static bool has_any(struct span s, const char *bytes)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || strchr(bytes, s.p[i]))
			return true;
	return false;
}

/*
 * A host as the grammar has it, at its place inside of `in`: not empty, IPv6 in brackets, and behind it nothing but
 * a port from 1 on up to the first of the bytes in `ends`.
 */
static bool host_good(struct span host, struct span in, bool has_port, uint16_t port, const char *ends)
{
	struct span behind;

	if (host.n == 0 || has_any(host, "<>\"@"))
		return false;
	behind = span_from(in, (size_t)(host.p + host.n - in.p));
	if (host.p > in.p && host.p[-1] == '[') {
		if (behind.n == 0 || behind.p[0] != ']')
			return false;
		behind = span_from(behind, 1);
	} else if (span_find(host, ':') < host.n) {
		return false;
	}
	behind = span_trim(behind);
	if (behind.n && behind.p[0] == ':') {
		if (!has_port || port == 0)
			return false;
		behind = span_trim(span_from(behind, 1));
		while (behind.n && behind.p[0] >= '0' && behind.p[0] <= '9')
			behind = span_from(behind, 1);
		behind = span_trim(behind);
	}
	return behind.n == 0 || strchr(ends, behind.p[0]);
}

static bool scheme_is_sip(const struct sip_address *a)
{
	return span_equal_nocase(a->scheme, SPAN("sip")) || span_equal_nocase(a->scheme, SPAN("sips"));
}

static bool uri_good(const struct sip_address *a, const char *ends)
{
	if (a->scheme.n == 0 || a->uri.n == a->scheme.n + 1 || has_any(a->uri, "<>\""))
		return false;
	return !scheme_is_sip(a) || host_good(a->host, a->uri, a->has_port, a->port, ends);
}

/* RFC 3261 20: a URI with a comma, question mark or semicolon has to stand in < >; inside of them no blanks. */
static bool address_good(const struct sip_address *a)
{
	bool angle = a->uri.n && a->uri.p > a->whole.p && a->uri.p[-1] == '<';

	if (!uri_good(a, angle ? ";?" : ";"))
		return false;
	if (!angle)
		return !has_any(a->uri, ",?");
	return a->uri.p + a->uri.n < a->whole.p + a->whole.n && a->uri.p[a->uri.n] == '>';
}

/* Only SIP's own URIs are libosip2's business: of valid ones with other schemes it refuses some (RFC 4475 3.3.3). */
static void judge_address(struct sip_message *m, struct span value)
{
	struct sip_address a;

	if (!sip_address_parse(value, &a) || !address_good(&a))
		m->flaws |= SIP_FLAW_ADDRESS;
	else if (scheme_is_sip(&a))
		judge(m, a.whole, osip_reads_address, SIP_FLAW_ADDRESS);
}

static void judge_via(struct sip_message *m, struct span value)
{
	struct sip_via via;

	if (!sip_via_parse(value, &via) || !host_good(via.host, via.whole, via.has_port, via.port, ";"))
		m->flaws |= SIP_FLAW_VIA;
	else
		judge(m, via.whole, osip_reads_via, SIP_FLAW_VIA);
}

/* RFC 3261 20.30, 20.34: name-addr only, for a strict router would take its parameters for the header's. */
static void judge_route(struct sip_message *m, struct span value)
{
	struct sip_address a;

	if (!sip_address_parse(value, &a) || a.uri.p == a.whole.p || a.uri.p[-1] != '<' || !address_good(&a))
		m->flaws |= SIP_FLAW_ROUTE;
}

/*
 * Digest credentials (RFC 3261 22.4): each member a name and a value, and none of those missing that the server has
 * to check.
 */
static bool digest_good(struct span list)
{
	static const char *const wanted[] = { "username", "realm", "nonce", "uri", "response" };
	unsigned found = 0;
	struct span member;

	while (sip_list_next(&list, &member)) {
		struct span name = span_first(member, span_find(member, '='));

		if (name.n == member.n || !sip_token(span_trim(name)))
			return false;
		for (unsigned i = 0; i < sizeof wanted / sizeof *wanted; i++)
			if (span_equal_nocase(span_trim(name), span_of(wanted[i])))
				found |= 1u << i;
	}
	return found == (1u << sizeof wanted / sizeof *wanted) - 1;
}

/* Schemes other than Digest are unknown to us, not wrong (RFC 4475 3.3.7). */
static void judge_credentials(struct sip_message *m, struct span value)
{
	if (!span_starts_nocase(value, SPAN("Digest ")))
		return;
	if (digest_good(span_from(value, sizeof "Digest")))
		judge(m, value, osip_reads_authorization, SIP_FLAW_CREDENTIALS);
	else
		m->flaws |= SIP_FLAW_CREDENTIALS;
}

static void judge_list(
	struct sip_message *m, enum sip_header_name name, void (*judge_one)(struct sip_message *m, struct span value))
{
	unsigned values = 0;
	const struct sip_header *h;

	for (h = sip_header_find(m, name); h; h = sip_header_next(m, h)) {
		struct span list = h->value, value;

		while (sip_list_next(&list, &value)) {
			if (values++ == VALUES_MAX) {
				m->flaws |= SIP_FLAW_TOO_MUCH;
				return;
			}
			judge_one(m, value);
		}
	}
}

/* No headers behind a ? there: RFC 4475 3.1.2.11. */
static void judge_request_uri(struct sip_message *m)
{
	const struct sip_address *a = &m->request_uri;
	struct span behind = a->host.n ? span_from(a->uri, (size_t)(a->host.p + a->host.n - a->uri.p)) : SPAN_NONE;

	if (!uri_good(a, ";") || span_find(behind, '?') < behind.n)
		m->flaws |= SIP_FLAW_URI;
	else if (scheme_is_sip(a))
		judge(m, a->uri, osip_reads_uri, SIP_FLAW_URI);
}

void sip_message_judge(struct sip_message *m)
{
	const struct sip_header *h;
	bool start_line_cut = (m->flaws & SIP_FLAW_BODY_CUT) && m->header_count == 0;

	if (m->request && !start_line_cut)
		judge_request_uri(m);
	if (m->from.whole.n)
		judge_address(m, m->from.whole);
	if (m->to.whole.n)
		judge_address(m, m->to.whole);
	if (!m->contact_star)
		judge_list(m, SIP_H_CONTACT, judge_address);
	judge_list(m, SIP_H_VIA, judge_via);
	judge_list(m, SIP_H_ROUTE, judge_route);
	judge_list(m, SIP_H_RECORD_ROUTE, judge_route);
	for (h = sip_header_find(m, SIP_H_AUTHORIZATION); h; h = sip_header_next(m, h))
		judge_credentials(m, h->value);
	for (h = sip_header_find(m, SIP_H_PROXY_AUTHORIZATION); h; h = sip_header_next(m, h))
		judge_credentials(m, h->value);
}
