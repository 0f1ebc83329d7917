/* SPDX-License-Identifier: MIT */
/*
 * sip_field: header fields by name, quotes, lists and parameters in their values, read as tolerantly as peers do. RFC
 * 3261 20, 25.1.
 */
#include "dissect/sip_parts.h"

enum { VIA_LOOK_MAX = 64 }; /* sip_via_at looks no further: a walk over all of them stays linear in practice */

/* ---- values ---- */

size_t sip_find_blank(struct span s)
{
	size_t at = 0;

	while (at < s.n && (s.p[at] > ' ' || !byte_is_blank(s.p[at])))
		at++;
	return at;
}

size_t sip_quoted_bytes(struct span s)
{
	for (size_t at = 1; at < s.n; at++) {
		if (s.p[at] == '\\')
			at++;
		else if (s.p[at] == '"')
			return at + 1;
	}
	return s.n;
}

struct span sip_unquote_quoted(struct span s)
{
	s = span_first(s, sip_quoted_bytes(s));
	s = span_from(s, 1);
	if (s.n && s.p[s.n - 1] == '"')
		s.n--;
	return s;
}

/* Two memchr settle the usual case. */
size_t sip_find_unquoted(struct span s, uint8_t separator)
{
	size_t at = span_find(s, separator);

	if (span_find(span_first(s, at), '"') == at)
		return at;
	for (at = 0; at < s.n && s.p[at] != separator; at++)
		if (s.p[at] == '"')
			at += sip_quoted_bytes(span_from(s, at)) - 1;
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
			at += sip_quoted_bytes(span_from(list, at)) - 1;
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

size_t sip_parameter_end(struct span params, size_t *ret_name)
{
	size_t n = *ret_name, end;

	if (params.p[n] == '=')
		return n + 1 + sip_find_unquoted(span_from(params, n + 1), ';');
	end = sip_find_unquoted(params, ';');
	*ret_name = span_find(span_first(params, end), '=');
	return end;
}

bool sip_parameter(struct span params, struct span name, struct span *ret_value)
{
	struct span found, value;

	while (sip_parameter_next(&params, &found, &value))
		if (span_equal_nocase(found, name)) {
			*ret_value = value;
			return true;
		}
	return false;
}

bool sip_length_parse(struct span value, uint32_t *ret_length)
{
	uint64_t length;

	if (!span_number(value, UINT32_MAX, &length))
		return false;
	*ret_length = (uint32_t)length;
	return true;
}

/* ---- headers ---- */

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

/* ---- methods ---- */

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
