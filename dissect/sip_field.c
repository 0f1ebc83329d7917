/* SPDX-License-Identifier: MIT */
/*
 * sip_field: addresses, Via, parameters and lists inside header values, read as tolerantly as peers do. RFC 3261 20,
 * 25.1.
 */
#include "dissect/sip_parts.h"

enum { VIA_LOOK_MAX = 64 }; /* sip_via_at looks no further: a walk over all of them stays linear in practice */

static bool is_blank(uint8_t byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static size_t find_blank(struct span s)
{
	size_t at = 0;

	while (at < s.n && (s.p[at] > ' ' || !is_blank(s.p[at])))
		at++;
	return at;
}

/* What ends a user, a host or a transport, or asks for a closer look: control bytes, blanks, " : ; < > ? @ [ ] DEL. */
static const bool ends_plain[256] = {
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* below blanks */
	[' '] = 1, ['"'] = 1, [':'] = 1, [';'] = 1, ['<'] = 1, ['>'] = 1, ['?'] = 1, ['@'] = 1, ['['] = 1, [']'] = 1, [0x7f] = 1
};

static inline size_t plain_bytes(struct span s)
{
	size_t at = 0;

	while (at < s.n && !ends_plain[s.p[at]])
		at++;
	return at;
}

/* Offset behind the quoted string that s begins with, s.n where its end is missing. */
static size_t quoted_bytes(struct span s)
{
	for (size_t at = 1; at < s.n; at++) {
		if (s.p[at] == '\\')
			at++;
		else if (s.p[at] == '"')
			return at + 1;
	}
	return s.n;
}

static struct span unquote(struct span s)
{
	if (s.n == 0 || s.p[0] != '"')
		return s;
	s = span_first(s, quoted_bytes(s));
	s = span_from(s, 1);
	if (s.n && s.p[s.n - 1] == '"')
		s.n--;
	return s;
}

/* Offset of a separator outside of quotes; s.n: none. Two memchr settle the usual case. */
static inline size_t find_unquoted(struct span s, uint8_t separator)
{
	size_t at = span_find(s, separator);

	if (span_find(span_first(s, at), '"') == at)
		return at;
	for (at = 0; at < s.n && s.p[at] != separator; at++)
		if (s.p[at] == '"')
			at += quoted_bytes(span_from(s, at)) - 1;
	return at < s.n ? at : s.n;
}

/* Offset of the comma that ends the first value of a list. */
static size_t value_bytes(struct span list)
{
	bool angle = false;
	size_t at = 0;

	for (; at < list.n; at++) {
		uint8_t byte = list.p[at];

		if (byte == '"' && !angle)
			at += quoted_bytes(span_from(list, at)) - 1;
		else if (byte == '<')
			angle = true;
		else if (byte == '>')
			angle = false;
		else if (byte == ',' && !angle)
			break;
	}
	return at < list.n ? at : list.n;
}

bool sip_list_next(struct span *list, struct span *ret_value)
{
	size_t comma;

	if (list->n == 0)
		return false;
	comma = span_find(*list, ',');
	if (comma < list->n)
		comma = value_bytes(*list);
	*ret_value = span_trim(span_first(*list, comma));
	*list = comma < list->n ? span_from(*list, comma + 1) : SPAN_NONE;
	return true;
}

/* A parameter list, read one by one. */
struct parameters {
	struct span left;
	bool quoted;                 /* a quote stands somewhere in it */
};

static inline struct parameters parameters_of(struct span list)
{
	return (struct parameters){ list, span_find(list, '"') < list.n };
}

/* *ret_value: as it stands there, see parameter_value. False: no further one. */
static inline bool parameter_next(struct parameters *p, struct span *ret_name, struct span *ret_value)
{
	size_t end, equals;
	struct span one;

	if (p->left.n == 0)
		return false;
	end = p->quoted ? find_unquoted(p->left, ';') : span_find(p->left, ';');
	one = span_first(p->left, end);
	equals = span_find(one, '=');
	*ret_name = span_trim(span_first(one, equals));
	*ret_value = span_from(one, equals + 1);
	p->left = span_from(p->left, end + 1);
	return true;
}

static inline struct span parameter_value(struct span value)
{
	return unquote(span_trim(value));
}

bool sip_parameter(struct span params, struct span name, struct span *ret_value)
{
	struct parameters list = parameters_of(params);
	struct span found, value;

	while (parameter_next(&list, &found, &value))
		if (span_equal_nocase(found, name)) {
			*ret_value = parameter_value(value);
			return true;
		}
	return false;
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
		*ret_host = span_first(*ret_host, find_blank(*ret_host));
	}
	*ret_has_port = colon < s.n && port_parse(span_from(s, colon + 1), ret_port);
}

/*
 * "host" or "host:port" at the head of s, of nothing but what nearly all are made of. Gives its bytes; 0, and nothing
 * changed: it needs a closer look.
 */
static inline size_t host_port_plain(struct span s, struct span *ret_host, uint16_t *ret_port, bool *ret_has_port)
{
	size_t n = plain_bytes(s), at = n + 1;
	unsigned port = 0;

	if (n < s.n && s.p[n] == ':') {
		for (; at < s.n && at < n + 6 && s.p[at] >= '0' && s.p[at] <= '9'; at++)
			port = port * 10 + (s.p[at] - '0');
		if (at == n + 1 || port > UINT16_MAX)
			return 0;
		*ret_port = (uint16_t)port;
		*ret_has_port = true;
	} else {
		at = n;
	}
	*ret_host = span_first(s, n);
	return at;
}

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

/* What stands behind "sip:", where it is "host:port;params" or "user@host:port;params"; false: it is more than that. */
static inline bool sip_uri_plain(struct span rest, struct sip_address *a)
{
	size_t at = plain_bytes(rest), n;
	struct span user = span_first(rest, 0), host;
	uint16_t port = 0;
	bool has_port = false;

	if (at < rest.n && rest.p[at] == '@') {
		user = span_first(rest, at);
		rest = span_from(rest, at + 1);
	}
	n = host_port_plain(rest, &host, &port, &has_port);
	if (n < rest.n) {
		struct span params = span_from(rest, n + 1);

		if (n == 0 || rest.p[n] != ';' || span_find(params, '?') < params.n ||
			(user.n == 0 && span_find(params, '@') < params.n))
			return false;
		a->uri_params = params;
	}
	a->user = user;
	a->host = host;
	a->port = port;
	a->has_port = has_port;
	return true;
}

/* What stands behind "sip:". */
static void sip_uri_rest(struct span rest, struct sip_address *a)
{
	size_t at = user_bytes(rest), end;

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

bool sip_uri_parse(struct span uri, struct sip_address *ret)
{
	struct span rest;
	size_t n;

	uri = span_trim(uri);
	if (uri.n == 0)
		return false;
	ret->uri = uri;
	if (span_starts(uri, SPAN("sip:"))) { /* as nearly all do */
		ret->scheme = (struct span){ uri.p, 3 };
		rest = (struct span){ uri.p + 4, uri.n - 4 };
		if (!sip_uri_plain(rest, ret))
			sip_uri_rest(rest, ret);
		return true;
	}
	n = sip_scheme_bytes(uri);
	ret->scheme = span_first(uri, n);
	rest = n ? span_from(uri, n + 1) : uri;
	if (n == 0 || span_equal_nocase(ret->scheme, SPAN("sip")) || span_equal_nocase(ret->scheme, SPAN("sips"))) {
		sip_uri_rest(rest, ret);
	} else if (span_equal_nocase(ret->scheme, SPAN("tel"))) {
		n = span_find(rest, ';');
		ret->user = span_first(rest, n);
		ret->uri_params = span_from(rest, n + 1);
	}
	return true;
}

/* Takes the display name from the head of *rest, which then begins with < or with a bare URI. */
static struct span display_take(struct span *rest)
{
	size_t quoted = rest->p[0] == '"' ? quoted_bytes(*rest) : 0;
	struct span display = unquote(span_first(*rest, quoted));
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

bool sip_address_parse(struct span value, struct sip_address *ret)
{
	struct sip_address a = { .whole = span_trim(value) };
	struct span rest = a.whole, uri;
	size_t end;

	if (rest.n == 0)
		return false;
	if (rest.p[0] != '<')
		a.display = display_take(&rest);
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
	a.params = span_trim(span_from(rest, end + 1));
	if (!sip_uri_parse(uri, &a))
		return false;
	if (a.params.n)
		sip_parameter(a.params, SPAN("tag"), &a.tag);
	*ret = a;
	return true;
}

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
static size_t via_plain(struct span whole, struct sip_via *v)
{
	enum { PROTOCOL = sizeof "SIP/2.0/" - 1 };
	struct span rest = span_from(whole, PROTOCOL);
	size_t transport, n;

	if (!span_starts(whole, SPAN("SIP/2.0/")))
		return 0;
	transport = plain_bytes(rest);
	if (transport == 0 || transport == rest.n || rest.p[transport] != ' ')
		return 0;
	n = host_port_plain(span_from(rest, transport + 1), &v->host, &v->port, &v->has_port);
	v->transport = span_first(rest, transport);
	n += PROTOCOL + transport + 1;
	return v->host.n && (n == whole.n || whole.p[n] == ';') ? n : 0;
}

/* The same of anything that can be read. 0: no transport or no sent-by. */
static size_t via_any(struct span whole, struct sip_via *v)
{
	size_t n = find_unquoted(whole, ';'), end;
	struct span rest = span_first(whole, n);

	if (!via_protocol_take(&rest))
		return 0;
	end = find_blank(rest);
	v->transport = span_first(rest, end);
	host_parse(span_trim(span_from(rest, end)), &v->host, &v->port, &v->has_port);
	return v->transport.n && v->host.n ? n : 0;
}

/* Of a parameter that stands there twice the first counts. */
static void via_parameters(struct span params, struct sip_via *v)
{
	struct parameters list = parameters_of(params);
	struct span name, value;
	bool has_branch = false;

	while (parameter_next(&list, &name, &value)) {
		if (!has_branch && span_equal_nocase(name, SPAN("branch"))) {
			v->branch = parameter_value(value);
			has_branch = true;
		} else if (!v->has_rport && span_equal_nocase(name, SPAN("rport"))) {
			v->rport = parameter_value(value);
			v->has_rport = true;
		} else if (!v->has_received && span_equal_nocase(name, SPAN("received"))) {
			v->received = parameter_value(value);
			v->has_received = true;
		}
	}
}

bool sip_via_parse(struct span value, struct sip_via *ret)
{
	struct sip_via v = { .whole = span_trim(value) };
	size_t n = via_plain(v.whole, &v);

	if (n == 0) {
		v = (struct sip_via){ .whole = v.whole };
		n = via_any(v.whole, &v);
		if (n == 0)
			return false;
	}
	via_parameters(span_from(v.whole, n + 1), &v);
	if (v.received.n > 1 && v.received.p[0] == '[' && v.received.p[v.received.n - 1] == ']') /* RFC 5118 4.5 */
		v.received = (struct span){ v.received.p + 1, v.received.n - 2 };
	*ret = v;
	return true;
}

bool sip_length_parse(struct span value, uint32_t *ret_length)
{
	uint64_t length;

	if (!span_number(value, UINT32_MAX, &length))
		return false;
	*ret_length = (uint32_t)length;
	return true;
}

const struct sip_header *sip_header_next(const struct sip_message *m, const struct sip_header *after)
{
	const struct sip_header *end = m->headers + m->header_count;

	if (!(m->names_again >> after->name & 1))
		return NULL;
	for (const struct sip_header *h = after + 1; h < end; h++)
		if (h->name == after->name)
			return h;
	return NULL;
}

const struct sip_header *sip_header_find(const struct sip_message *m, enum sip_header_name name)
{
	return m->names >> name & 1 ? &m->headers[m->first[name]] : NULL;
}

struct span sip_header_value(const struct sip_message *m, enum sip_header_name name)
{
	const struct sip_header *h = sip_header_find(m, name);

	return h ? h->value : SPAN_NONE;
}

bool sip_header_lists(const struct sip_message *m, enum sip_header_name name, struct span token)
{
	const struct sip_header *h;

	for (h = sip_header_find(m, name); h; h = sip_header_next(m, h)) {
		struct span list = h->value, value;

		while (sip_list_next(&list, &value))
			if (span_equal_nocase(span_trim(span_first(value, span_find(value, ';'))), token))
				return true;
	}
	return false;
}

bool sip_via_at(const struct sip_message *m, unsigned i, struct sip_via *ret)
{
	const struct sip_header *h;

	if (i >= VIA_LOOK_MAX)
		return false;
	for (h = sip_header_find(m, SIP_H_VIA); h; h = sip_header_next(m, h)) {
		struct span list = h->value, value;

		while (sip_list_next(&list, &value))
			if (i-- == 0)
				return sip_via_parse(value, ret);
	}
	return false;
}

#define METHOD(text) \
	{ \
		(const uint8_t *)(text), sizeof(text) - 1 \
	}

static const struct span methods[] = {
	[SIP_METHOD_NONE] = METHOD("?"),
	[SIP_INVITE] = METHOD("INVITE"),
	[SIP_ACK] = METHOD("ACK"),
	[SIP_BYE] = METHOD("BYE"),
	[SIP_CANCEL] = METHOD("CANCEL"),
	[SIP_REGISTER] = METHOD("REGISTER"),
	[SIP_OPTIONS] = METHOD("OPTIONS"),
	[SIP_PRACK] = METHOD("PRACK"),
	[SIP_UPDATE] = METHOD("UPDATE"),
	[SIP_INFO] = METHOD("INFO"),
	[SIP_REFER] = METHOD("REFER"),
	[SIP_NOTIFY] = METHOD("NOTIFY"),
	[SIP_SUBSCRIBE] = METHOD("SUBSCRIBE"),
	[SIP_PUBLISH] = METHOD("PUBLISH"),
	[SIP_MESSAGE] = METHOD("MESSAGE"),
	[SIP_METHOD_OTHER] = METHOD("other"),
};

const char *sip_method_name(enum sip_method method)
{
	return (const char *)methods[method].p;
}

/* Methods are case-sensitive (RFC 3261 7.1). */
enum sip_method sip_method_find(struct span text)
{
	if (text.n == 0)
		return SIP_METHOD_NONE;
	for (unsigned method = SIP_INVITE; method < SIP_METHOD_OTHER; method++)
		if (methods[method].p[0] == text.p[0] && span_equal(methods[method], text))
			return (enum sip_method)method;
	return SIP_METHOD_OTHER;
}
