/* SPDX-License-Identifier: MIT */
/* sip_parts: what the files that make a sip_message share. For dissect/sip*.c only. */
#ifndef DEADAIR_DISSECT_SIP_PARTS_H
#define DEADAIR_DISSECT_SIP_PARTS_H

#include "dissect/sip_message.h"

/* ---- sip_line.c ---- */

/* A reader of lines; zeroed but for `left`, which is what has not been read yet. */
struct sip_lines {
	struct span left;
	bool lfcr;                   /* this sender ends lines with LF CR */
	bool odd;                    /* met a line end other than CRLF, or a control byte */
	bool ended;                  /* the line read last had a line end */
};

/* One physical line without its line end. False: nothing left. */
bool sip_line_next(struct sip_lines *l, struct span *ret_line);

enum sip_line {
	SIP_LINE_NONE,               /* nothing left */
	SIP_LINE_EMPTY,              /* the end of the headers */
	SIP_LINE_FIELD,              /* "Name: value" */
	SIP_LINE_BROKEN              /* no colon, or nothing in front of it */
};

/* One header field, its folded lines included. *ret_field is written where it is one. */
enum sip_line sip_line_field(struct sip_lines *l, struct sip_header *ret_field);
/* Is it only of the bytes that RFC 3261 25.1 calls token? */
bool sip_token(struct span s);

/* ---- sip_start_line.c ---- */

enum { SIP_LOOK_BYTES = 4096 };  /* how far the end of a first line is searched for before it is known to be SIP */

struct sip_start_line {
	bool request, odd;           /* odd: read, but against the grammar */
	struct span method, uri, reason;
	unsigned status;             /* 0: unreadable */
};

bool sip_start_line_parse(struct span line, struct sip_start_line *ret);
/* A start line whose end is missing: the snap length may have cut it off. Only what cannot be anything else. */
bool sip_start_line_begins(struct span line, struct sip_start_line *ret);
/* What is behind the CRLFs in front of a start line: RFC 3261 7.5, RFC 5626 4.4.1. */
struct span sip_skip_line_ends(struct span s);

enum sip_look { SIP_LOOK_NO, SIP_LOOK_MORE, SIP_LOOK_YES };

/* What do these bytes begin? MORE: so far it could be SIP, the first line is not complete. */
enum sip_look sip_look(struct span bytes);

/* ---- sip_field.c ---- */

/* Offset of the first blank; s.n: none. */
size_t sip_find_blank(struct span s);
/* Offset behind the quoted string that s begins with, s.n where its end is missing. */
size_t sip_quoted_bytes(struct span s);
/* Offset of a separator outside of quotes; s.n: none. */
size_t sip_find_unquoted(struct span s, uint8_t separator);
/* First value of a comma list, trimmed; quotes and < > protect commas. False: the list is empty. */
bool sip_list_next(struct span *list, struct span *ret_value);

struct span sip_unquote_quoted(struct span s);

/* Without the quotes that it begins and ends with. */
static inline struct span sip_unquote(struct span s)
{
	return s.n && s.p[0] == '"' ? sip_unquote_quoted(s) : s;
}

/* Where the first parameter ends, whose name has *ret_name bytes, or ends behind a quote: then *ret_name is set. */
size_t sip_parameter_end(struct span params, size_t *ret_name);

/*
 * The first of "name=value;name;name=value"; *params moves behind it. The value without quotes. False: no further one.
 */
static inline bool sip_parameter_next(struct span *params, struct span *ret_name, struct span *ret_value)
{
	struct span s = *params;
	size_t name = 0, end;

	if (s.n == 0)
		return false;
	while (name < s.n && (s.p[name] > '=' || (s.p[name] != '=' && s.p[name] != ';' && s.p[name] != '"')))
		name++;
	end = name < s.n && s.p[name] != ';' ? sip_parameter_end(s, &name) : name;
	*ret_name = span_trim(span_first(s, name));
	*ret_value = name < end ? sip_unquote(span_trim(span_from(span_first(s, end), name + 1))) : SPAN_NONE;
	*params = span_from(s, end + 1);
	return true;
}

/* Digits of a Content-Length, Max-Forwards, Expires: false where they are no number of 32 bits. */
bool sip_length_parse(struct span value, uint32_t *ret_length);

/* NONE: the text is empty. */
enum sip_method sip_method_find(struct span text);

/* ---- sip_address.c ---- */

/* Length of "scheme" in "scheme:..."; 0: it has none. */
size_t sip_scheme_bytes(struct span uri);
/* Sets uri, scheme, user, host, port and uri_params; the others are left alone. False: empty. */
bool sip_uri_parse(struct span uri, struct sip_address *ret);
/* False: no transport or no sent-by. */
bool sip_via_parse(struct span value, struct sip_via *ret);
/* The same of a value behind which other bytes of its message stand, up to limit. */
bool sip_via_parse_before(struct span value, const uint8_t *limit, struct sip_via *ret);
bool sip_address_parse_before(struct span value, const uint8_t *limit, struct sip_address *ret);

/* ---- sip_body.c ---- */

/* The session description in a body of that Content-Type (whole value, empty: none given); an empty span: none. */
struct span sip_body_sdp(struct span body, struct span content_type);
/* Content-Disposition of a description for a session of its own before the answer (RFC 3959), none of the call's. */
bool sip_body_early(struct span name, struct span value);

#endif
