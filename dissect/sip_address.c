/* SPDX-License-Identifier: MIT */
/*
 * sip_address: hosts, URIs, addresses and Via, read as tolerantly as peers do: nearly all are plain and are read in one
 * pass, the others with a closer look. RFC 3261 19.1, 20.10, 20.42, 25.1.
 */
#include "dissect/sip_parts.h"

#include "dissect/control.h"

/*
 * Texts to be read here are short, and other bytes of the message stand behind nearly all of them: up to `limit` they
 * may be looked at, not used, so that one step of 16 bytes is enough where 15 would have to be taken one by one.
 */

/* ---- hosts ---- */

/* What ends a user, a host or a transport, or asks for a closer look: control bytes, blanks, " : ; < > ? @ [ ] DEL. */
static const bool ends_plain[256] = {
	/* below blanks */
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	[' '] = 1, ['"'] = 1, [':'] = 1, [';'] = 1, ['<'] = 1, ['>'] = 1, ['?'] = 1, ['@'] = 1, ['['] = 1, [']'] = 1,
	[0x7f] = 1
};

/* Half of all that stands in a message is looked at here. */
static inline size_t plain_bytes(struct span s, const uint8_t *limit)
{
	size_t at = 0;

	for (; at < s.n && (size_t)(limit - s.p) - at >= 16; at += 16) {
		unsigned mask = separator_mask_16(s.p + at);

		if (mask) {
			at += (size_t)__builtin_ctz(mask);
			break;
		}
	}
	while (at < s.n && !ends_plain[s.p[at]])
		at++;
	return at < s.n ? at : s.n;
}

static bool port_parse(struct span s, uint16_t *ret_port)
{
	uint64_t port;

	if (!span_number(span_trim(s), UINT16_MAX, &port))
		return false;
	*ret_port = (uint16_t)port;
	return true;
}

/* "host", "host:port", "[2001:db8::1]:port", and 2001:db8::1 without its brackets, as some write it. */
static void host_parse(struct span s, struct span *ret_host, uint16_t *ret_port, bool *ret_has_port)
{
	size_t colon = span_find(s, ':');
	struct address bare;

	*ret_port = 0;
	*ret_has_port = false;
	if (s.n && s.p[0] == '[') {
		colon = span_find(s, ']');
		*ret_host = span_trim(span_from(span_first(s, colon), 1));
		s = span_from(s, colon + 1);
		colon = span_find(s, ':');
	} else if (span_find(span_from(s, colon + 1), ':') < span_from(s, colon + 1).n && address_parse(s, &bare)) {
		*ret_host = s;
		return;
	} else {
		*ret_host = span_trim(span_first(s, colon));
		*ret_host = span_first(*ret_host, sip_find_blank(*ret_host));
	}
	*ret_has_port = colon < s.n && port_parse(span_from(s, colon + 1), ret_port);
}

/*
 * "host" or "host:port" at the head of s, the host being n plain bytes. Gives the bytes of both; 0: it needs a closer
 * look.
 */
static inline size_t host_port_plain(struct span s, size_t n, struct span *ret_host, uint16_t *ret_port,
	bool *ret_has_port)
{
	size_t at = n + 1;
	unsigned port = 0;

	if (n < s.n && s.p[n] == ':') {
		for (; at < s.n && at < n + 6 && s.p[at] >= '0' && s.p[at] <= '9'; at++)
			port = port * 10 + (s.p[at] - '0');
		if (at == n + 1 || port > UINT16_MAX)
			return 0;
	} else {
		at = n;
	}
	*ret_host = (struct span){ s.p, n };
	*ret_port = (uint16_t)port;
	*ret_has_port = at > n;
	return at;
}

/* ---- URIs ---- */

/*
 * Where the user part ends: at the last @ before anything that belongs behind a host. "user@domain@host" is what
 * phones make of a user name with an @ in it; in "a@b?Route=c@d" the second one is none of the user's. rest.n: no
 * user.
 */
static size_t user_bytes(struct span rest)
{
	size_t end = span_find(rest, '@');

	while (end < rest.n) {
		struct span behind = span_from(rest, end + 1), more = span_first(behind, span_find(behind, '@'));

		if (more.n == behind.n)
			break;
		for (size_t i = 0; i < more.n; i++)
			if (more.p[i] == ';' || more.p[i] == '?' || more.p[i] == '>')
				return end;
		end += 1 + more.n;
	}
	return end;
}

/*
 * What stands behind "sip:", where it is "host:port;params" or "user@host:port;params", to its end or to a ">". Gives
 * the bytes of it; SIZE_MAX: it is more than that.
 */
static inline size_t sip_uri_plain(struct span s, const uint8_t *limit, struct sip_address *a)
{
	size_t at = plain_bytes(s, limit), n;
	bool has_user = at < s.n && s.p[at] == '@';
	struct span rest = s;

	a->user = a->uri_params = SPAN_NONE;
	if (has_user) {
		a->user = (struct span){ s.p, at };
		rest = (struct span){ s.p + at + 1, s.n - at - 1 };
		at = plain_bytes(rest, limit);
	}
	n = host_port_plain(rest, at, &a->host, &a->port, &a->has_port);
	if (n < rest.n && n && rest.p[n] == ';') {
		a->uri_params = span_from(rest, n + 1);
		a->uri_params = span_first(a->uri_params, span_find(a->uri_params, '>'));
		if (span_find(a->uri_params, '?') < a->uri_params.n ||
			(!has_user && span_find(a->uri_params, '@') < a->uri_params.n))
			return SIZE_MAX;
		n += 1 + a->uri_params.n;
	}
	return n == rest.n || (n && rest.p[n] == '>') ? n + (size_t)(rest.p - s.p) : SIZE_MAX;
}

/* What stands behind "sip:". */
static void sip_uri_rest(struct span rest, struct sip_address *a)
{
	size_t at, end;

	if (sip_uri_plain(rest, rest.p + rest.n, a) == rest.n)
		return;
	a->user = a->uri_params = SPAN_NONE;
	at = user_bytes(rest);
	if (at < rest.n) {
		a->user = span_first(rest, at);
		a->user = span_first(a->user, span_find(a->user, ':')); /* without a password */
		rest = span_from(rest, at + 1);
	}
	for (end = 0; end < rest.n && rest.p[end] != ';' && rest.p[end] != '?'; end++)
		;
	host_parse(span_trim(span_first(rest, end)), &a->host, &a->port, &a->has_port);
	if (end < rest.n && rest.p[end] == ';') {
		a->uri_params = span_from(rest, end + 1);
		a->uri_params = span_first(a->uri_params, span_find(a->uri_params, '?'));
	}
}

static bool scheme_byte(uint8_t byte, bool first)
{
	uint8_t letter = byte | 0x20;

	if (letter >= 'a' && letter <= 'z')
		return true;
	return !first && ((byte >= '0' && byte <= '9') || byte == '+' || byte == '-' || byte == '.');
}

size_t sip_scheme_bytes(struct span uri)
{
	size_t n = 0;

	while (n < uri.n && scheme_byte(uri.p[n], n == 0))
		n++;
	return n < uri.n && uri.p[n] == ':' ? n : 0;
}

/* Of a URI that is trimmed and not empty. */
static void uri_set(struct sip_address *a, struct span uri)
{
	bool sip = span_starts(uri, SPAN("sip:"));
	size_t n = sip ? 3 : sip_scheme_bytes(uri);
	struct span rest = n ? span_from(uri, n + 1) : uri;

	a->uri = uri;
	a->scheme = (struct span){ uri.p, n };
	a->user = a->host = a->uri_params = SPAN_NONE;
	a->port = 0;
	a->has_port = false;
	if (sip || n == 0 || span_equal_nocase(a->scheme, SPAN("sip")) || span_equal_nocase(a->scheme, SPAN("sips"))) {
		sip_uri_rest(rest, a);
	} else if (span_equal_nocase(a->scheme, SPAN("tel"))) {
		n = span_find(rest, ';');
		a->user = span_first(rest, n);
		a->uri_params = span_from(rest, n + 1);
	}
}

bool sip_uri_parse(struct span uri, struct sip_address *ret)
{
	uri = span_trim(uri);
	if (uri.n == 0)
		return false;
	uri_set(ret, uri);
	return true;
}

/* ---- addresses ---- */

/* Takes the display name from the head of *rest, which then begins with < or with a bare URI. */
static struct span display_take(struct span *rest)
{
	size_t quoted = rest->p[0] == '"' ? sip_quoted_bytes(*rest) : 0;
	struct span display = sip_unquote(span_first(*rest, quoted));
	size_t angle = span_find(span_from(*rest, quoted), '<') + quoted;

	/* no closing quote: it ends where the address begins */
	if (quoted == rest->n && rest->n && rest->p[rest->n - 1] != '"') {
		angle = span_find(*rest, '<');
		display = span_trim(span_from(span_first(*rest, angle), 1));
	} else if (!quoted && angle < rest->n) {
		display = span_trim(span_first(*rest, angle));
		if (span_find(display, '"') < display.n) { /* a < in a quoted parameter of a bare URI */
			display = SPAN_NONE;
			angle = 0;
		}
	}
	if (angle < rest->n)
		*rest = span_from(*rest, angle);
	else if (quoted)
		*rest = span_trim(span_from(*rest, quoted));
	return display;
}

/* Nearly always it is the only parameter. */
static inline struct span tag_find(struct span params)
{
	struct span name, value;

	if (span_starts(params, SPAN("tag="))) {
		value = (struct span){ params.p + 4, params.n - 4 };
		if (span_find(value, ';') == value.n)
			return sip_unquote(span_trim(value));
	}
	while (sip_parameter_next(&params, &name, &value))
		if (span_equal_nocase(name, SPAN("tag")))
			return value;
	return SPAN_NONE;
}

/*
 * "<sip:user@host:port;params>;tag=1", as nearly all write it: what sip_address_parse() makes of it, of which the
 * address is set that far. False: read it as any other.
 */
static bool address_plain(struct span s, const uint8_t *limit, struct sip_address *a)
{
	enum { URI = sizeof "<" - 1, BEHIND = sizeof "<sip:" - 1 };
	struct span rest;
	size_t n;

	if (!span_starts(s, SPAN("<sip:")))
		return false;
	rest = (struct span){ s.p + BEHIND, s.n - BEHIND };
	n = sip_uri_plain(rest, limit, a);
	if (n >= rest.n || rest.p[n - 1] <= ' ') /* a blank at the end belongs to nobody */
		return false;
	a->uri = (struct span){ s.p + URI, BEHIND - URI + n };
	a->scheme = (struct span){ s.p + URI, BEHIND - URI - 1 };
	rest = span_from(rest, n + 1);
	if (rest.n && rest.p[0] != ';')
		return false;
	a->params = span_trim(span_from(rest, 1));
	a->tag = tag_find(a->params);
	return true;
}

/* Not a local one that is cleared and copied: a message has four of them. */
bool sip_address_parse_before(struct span value, const uint8_t *limit, struct sip_address *ret)
{
	struct span whole = span_trim(value), rest = whole, display = SPAN_NONE, uri;
	size_t end;

	if (rest.n == 0)
		return false;
	if (rest.p[0] != '<')
		display = display_take(&rest);
	if (address_plain(rest, limit, ret)) {
		ret->whole = whole;
		ret->display = display;
		return true;
	}
	if (rest.n && rest.p[0] == '<') {
		end = span_find(rest, '>');
		uri = span_from(span_first(rest, end), 1);
		rest = span_from(rest, end + 1);
		end = span_find(rest, ';');
		/* RFC 3261 20.10: without < > each ; begins a header parameter */
	} else {
		end = span_find(rest, ';');
		uri = span_first(rest, end);
	}
	uri = span_trim(uri);
	if (uri.n == 0)
		return false;
	ret->whole = whole;
	ret->display = display;
	uri_set(ret, uri);
	ret->params = span_trim(span_from(rest, end + 1));
	ret->tag = tag_find(ret->params);
	return true;
}

bool sip_address_parse(struct span value, struct sip_address *ret)
{
	return sip_address_parse_before(value, value.p + value.n, ret);
}

/* ---- Via ---- */

/* Takes "SIP / 2.0 /" from the head; false: it is not there. */
static bool via_protocol_take(struct span *rest)
{
	for (int slash = 0; slash < 2; slash++) {
		size_t at = span_find(*rest, '/');

		if (at == 0 || at == rest->n)
			return false;
		*rest = span_trim(span_from(*rest, at + 1));
	}
	return true;
}

/* "SIP/2.0/UDP host:port;params" without anything odd. Gives the bytes in front of the parameters; 0: look closer. */
static size_t via_plain(struct span whole, const uint8_t *limit, struct sip_via *v)
{
	enum { PROTOCOL = sizeof "SIP/2.0/" - 1 };
	struct span rest = span_from(whole, PROTOCOL);
	size_t transport, n;

	if (!span_starts(whole, SPAN("SIP/2.0/")))
		return 0;
	transport = plain_bytes(rest, limit);
	if (transport == 0 || transport == rest.n || rest.p[transport] != ' ')
		return 0;
	v->transport = (struct span){ rest.p, transport };
	v->host = SPAN_NONE;
	rest = span_from(rest, transport + 1);
	n = host_port_plain(rest, plain_bytes(rest, limit), &v->host, &v->port, &v->has_port);
	n += PROTOCOL + transport + 1;
	return v->host.n && (n == whole.n || whole.p[n] == ';') ? n : 0;
}

/* The same of anything that can be read. 0: no transport or no sent-by. */
static size_t via_any(struct span whole, struct sip_via *v)
{
	size_t n = sip_find_unquoted(whole, ';'), end;
	struct span rest = span_first(whole, n);

	if (!via_protocol_take(&rest))
		return 0;
	end = sip_find_blank(rest);
	v->transport = span_first(rest, end);
	host_parse(span_trim(span_from(rest, end)), &v->host, &v->port, &v->has_port);
	return v->transport.n && v->host.n ? n : 0;
}

/* Takes "branch=..." from the head, as nearly all write it: whose value is no quoted text. */
static bool branch_take(struct span *params, const uint8_t *limit, struct sip_via *v)
{
	enum { NAME = sizeof "branch=" - 1 };
	struct span rest = span_from(*params, NAME);
	size_t n = 0;

	if (!span_starts(*params, SPAN("branch=")))
		return false;
	while ((n += plain_bytes(span_from(rest, n), limit)) < rest.n && rest.p[n] != ';') {
		if (rest.p[n] <= ' ' || rest.p[n] == '"')
			return false;
		n++;
	}
	v->branch = span_first(rest, n);
	*params = span_from(rest, n + 1);
	return true;
}

/* Of a parameter that stands there twice the first counts. */
static void via_parameters(struct span params, const uint8_t *limit, struct sip_via *v)
{
	struct span name, value;
	bool has_branch;

	v->branch = v->received = v->rport = SPAN_NONE;
	v->has_received = v->has_rport = false;
	if (span_starts(params, SPAN("rport;"))) {
		v->has_rport = true;
		params = span_from(params, sizeof "rport;" - 1);
	}
	has_branch = branch_take(&params, limit, v);
	while (sip_parameter_next(&params, &name, &value)) {
		if (!has_branch && span_equal_nocase(name, SPAN("branch"))) {
			v->branch = value;
			has_branch = true;
		} else if (!v->has_rport && span_equal_nocase(name, SPAN("rport"))) {
			v->rport = value;
			v->has_rport = true;
		} else if (!v->has_received && span_equal_nocase(name, SPAN("received"))) {
			v->received = value;
			v->has_received = true;
		}
	}
}

bool sip_via_parse_before(struct span value, const uint8_t *limit, struct sip_via *ret)
{
	struct sip_via v;
	size_t n;

	v.whole = span_trim(value);
	n = via_plain(v.whole, limit, &v);
	if (n == 0)
		n = via_any(v.whole, &v);
	if (n == 0)
		return false;
	via_parameters(span_from(v.whole, n + 1), limit, &v);
	if (v.received.n > 1 && v.received.p[0] == '[' && v.received.p[v.received.n - 1] == ']') /* RFC 5118 4.5 */
		v.received = (struct span){ v.received.p + 1, v.received.n - 2 };
	v.at.family = v.received_at.family = 0;
	address_parse(v.host, &v.at);
	if (v.has_received)
		address_parse(v.received, &v.received_at);
	*ret = v;
	return true;
}

bool sip_via_parse(struct span value, struct sip_via *ret)
{
	return sip_via_parse_before(value, value.p + value.n, ret);
}
