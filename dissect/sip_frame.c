/* SPDX-License-Identifier: MIT */
/* sip_frame: where a message ends in a stream. RFC 3261 18.3, keepalives RFC 5626 4.4.1. */
#include "dissect/sip_parts.h"

/* more than that no peer accepts; waiting for it would stall the stream */
enum { HEADER_BYTES = 64 * 1024, BODY_BYTES = 1024 * 1024 };

/*
 * Length up to and with the empty line; 0: it has not come. *searched moves over what need not be looked at again: a
 * stream in segments of one byte is still read once.
 */
static size_t header_bytes(struct span s, size_t *searched)
{
	for (;;) {
		size_t at = *searched + span_find(span_from(s, *searched), '\n'), next = at + 1;

		while (next < s.n && next < at + 3 && s.p[next] == '\r')
			next++;
		if (next < s.n && s.p[next] == '\n')
			return next + 1;
		*searched = at;
		if (next >= s.n)
			return 0;
		*searched = at + 1;
	}
}

/*
 * Body length as the headers give it. One that is no number, is absurd or differs from a second one gives 0: what
 * follows then fails to look like SIP, and the caller searches for the next message instead of waiting for ever.
 */
static size_t body_bytes(struct span headers)
{
	struct sip_lines lines = { .left = headers };
	uint32_t length = 0, found;
	bool seen = false;
	enum sip_line line;
	struct sip_header h;

	while ((line = sip_line_field(&lines, &h)) >= SIP_LINE_FIELD) {
		if (line != SIP_LINE_FIELD || h.name != SIP_H_CONTENT_LENGTH)
			continue;
		if (!sip_length_parse(h.value, &found) || (seen && found != length) || found > BODY_BYTES)
			return 0;
		seen = true;
		length = found;
	}
	return length;
}

size_t sip_framing_next(struct sip_framing *f, struct span bytes, size_t *ret_skip)
{
	size_t skip = 0, headers;

	while (skip < bytes.n && (bytes.p[skip] == '\r' || bytes.p[skip] == '\n'))
		skip++;
	*ret_skip = skip;
	bytes = span_from(bytes, skip);
	if (f->length == 0) {
		if (f->searched == 0 && sip_look(bytes) != SIP_LOOK_YES)
			return sip_look(bytes) == SIP_LOOK_NO ? SIZE_MAX : 0;
		headers = header_bytes(span_first(bytes, HEADER_BYTES), &f->searched);
		if (headers == 0)
			return bytes.n >= HEADER_BYTES ? SIZE_MAX : 0;
		f->length = headers + body_bytes(span_first(bytes, headers));
	}
	return f->length <= bytes.n ? f->length : 0;
}

size_t sip_message_frame(struct span bytes, size_t *ret_skip)
{
	struct sip_framing fresh = { 0, 0 };

	return sip_framing_next(&fresh, bytes, ret_skip);
}
