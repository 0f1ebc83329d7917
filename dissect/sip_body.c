/* SPDX-License-Identifier: MIT */
/* sip_body: the session description in a body, alone or as a part among others. RFC 3261 7.4, RFC 2046 5.1. */
#include "dissect/sip_parts.h"

enum { NESTED_MAX = 4 }; /* multipart in multipart: real ones have one or two levels */

static bool type_is(struct span content_type, struct span name)
{
	return span_equal_nocase(span_trim(span_first(content_type, span_find(content_type, ';'))), name);
}

/* Offset of the next delimiter at the beginning of a line and with nothing else on it; s.n: none. */
static size_t delimiter_find(struct span s, struct span delimiter)
{
	size_t at = 0;

	while ((at += span_find_text(span_from(s, at), delimiter)) < s.n) {
		struct span behind = span_from(s, at + delimiter.n);

		if ((at == 0 || s.p[at - 1] == '\n') &&
			(behind.n == 0 || strchr("\r\n \t", behind.p[0]) || span_starts(behind, SPAN("--"))))
			return at;
		at++;
	}
	return s.n;
}

/* Takes the next part out of *rest. False: no further part. */
static bool part_next(struct span *rest, struct span delimiter, struct span *ret_part)
{
	size_t at = delimiter_find(*rest, delimiter);
	struct span part = span_from(*rest, at + delimiter.n);

	if (at == rest->n || span_starts(part, SPAN("--"))) /* the last delimiter has -- behind it */
		return false;
	part = span_from(part, span_find(part, '\n') + 1);
	at = delimiter_find(part, delimiter);
	*rest = span_from(part, at);
	part = span_first(part, at);
	if (rest->n && part.n && part.p[part.n - 1] == '\n') /* this line end belongs to the delimiter */
		part.n -= part.n > 1 && part.p[part.n - 2] == '\r' ? 2 : 1;
	*ret_part = part;
	return true;
}

bool sip_body_early(struct span name, struct span value)
{
	return span_equal_nocase(name, SPAN("Content-Disposition")) && type_is(value, SPAN("early-session"));
}

/*
 * Reads the headers of a part; its content stays in lines->left. False: encoded so that it cannot be read here, or of
 * no concern to the session.
 */
static bool part_headers(struct sip_lines *lines, struct span *ret_type)
{
	enum sip_line line;
	struct sip_header h;

	while ((line = sip_line_field(lines, &h)) >= SIP_LINE_FIELD) {
		if (line != SIP_LINE_FIELD)
			continue;
		if (h.name == SIP_H_CONTENT_TYPE)
			*ret_type = h.value;
		else if (h.name == SIP_H_CONTENT_ENCODING && !span_equal_nocase(h.value, SPAN("identity")))
			return false;
		else if (span_equal_nocase(h.name_text, SPAN("Content-Transfer-Encoding")) &&
			(span_equal_nocase(h.value, SPAN("base64")) ||
				span_equal_nocase(h.value, SPAN("quoted-printable"))))
			return false;
		else if (sip_body_early(h.name_text, h.value))
			return false;
	}
	return true;
}

static struct span sdp_find(struct span body, struct span type, unsigned depth);

static struct span multipart_find(struct span body, struct span type, unsigned depth)
{
	uint8_t delimiter[2 + 70] = { '-', '-' }; /* RFC 2046 5.1.1: a boundary has 70 bytes at most */
	struct span boundary, part;

	if (!sip_parameter(span_from(type, span_find(type, ';') + 1), SPAN("boundary"), &boundary) || boundary.n == 0 ||
		boundary.n > sizeof delimiter - 2)
		return SPAN_NONE;
	memcpy(delimiter + 2, boundary.p, boundary.n);
	boundary = (struct span){ delimiter, boundary.n + 2 };
	while (part_next(&body, boundary, &part)) {
		struct sip_lines lines = { .left = part };
		struct span part_type = SPAN_NONE, sdp;

		if (!part_headers(&lines, &part_type) || part_type.n == 0)
			continue;
		sdp = sdp_find(lines.left, part_type, depth + 1);
		if (sdp.n)
			return sdp;
	}
	return SPAN_NONE;
}

static struct span sdp_find(struct span body, struct span type, unsigned depth)
{
	if (type_is(type, SPAN("application/sdp")))
		return body;
	if (depth < NESTED_MAX && span_starts_nocase(type, SPAN("multipart/")))
		return multipart_find(body, type, depth);
	return SPAN_NONE;
}

struct span sip_body_sdp(struct span body, struct span content_type)
{
	if (content_type.n == 0)
		return span_starts(body, SPAN("v=0")) ? body : SPAN_NONE;
	return sdp_find(body, content_type, 0);
}
