/* SPDX-License-Identifier: MIT */
/*
 * sip_start_line: is this SIP at all? Request and status lines, tolerantly, but never HTTP, RTSP or MSRP. RFC 3261
 * 7.1, 7.2.
 */
#include "dissect/sip_parts.h"

static size_t find_blank(struct span s)
{
	size_t at = 0;

	while (at < s.n && s.p[at] != ' ' && s.p[at] != '\t')
		at++;
	return at;
}

/* Takes the blanks at the head; true: exactly one space, as the grammar wants it. */
static bool blank_take(struct span *s)
{
	size_t n = 0;

	while (n < s->n && (s->p[n] == ' ' || s->p[n] == '\t'))
		n++;
	*s = span_from(*s, n);
	return n == 1 && s->p[-1] == ' ';
}

/* "SIP/2.0"; *odd for the other versions that only tests and attackers send. */
static bool version_parse(struct span word, bool *odd)
{
	struct span number = span_from(word, 4), major, minor;
	uint64_t value;

	if (!span_starts_nocase(word, SPAN("SIP/")))
		return false;
	if (span_equal(number, SPAN("2.0")))
		return true;
	*odd = true;
	major = span_first(number, span_find(number, '.'));
	minor = span_from(number, major.n + 1);
	return span_number(major, UINT64_MAX, &value) && span_number(minor, UINT64_MAX, &value);
}

static bool is_digit(uint8_t byte)
{
	return byte >= '0' && byte <= '9';
}

/* "SIP/2.0 200 OK", as nearly all write it. */
static bool status_line_plain(struct span line, struct sip_start_line *ret)
{
	enum { CODE = sizeof "SIP/2.0 " - 1, REASON = CODE + 4 };
	const uint8_t *code;
	unsigned status;

	if (line.n < REASON || !span_starts(line, SPAN("SIP/2.0 ")))
		return false;
	code = line.p + CODE;
	if (code[0] < '1' || code[0] > '6' || !is_digit(code[1]) || !is_digit(code[2]) || code[3] != ' ')
		return false;
	status = (code[0] - '0') * 100u + (code[1] - '0') * 10u + (code[2] - '0');
	*ret = (struct sip_start_line){ .status = status, .reason = span_trim(span_from(line, REASON)) };
	return true;
}

/* "INVITE sip:2000@example.com SIP/2.0", as nearly all write it. */
static bool request_line_plain(struct span line, struct sip_start_line *ret)
{
	enum { BEHIND = sizeof " SIP/2.0" - 1 };
	struct span method = span_first(line, span_find(line, ' ')), uri;

	if (line.n < method.n + 1 + BEHIND || memcmp(line.p + line.n - BEHIND, " SIP/2.0", BEHIND) != 0)
		return false;
	uri = (struct span){ line.p + method.n + 1, line.n - method.n - 1 - BEHIND };
	if (sip_method_find(method) == SIP_METHOD_OTHER || method.n == 0 || uri.n == 0 || uri.p[0] == '<' ||
		span_find(uri, ' ') < uri.n || span_find(uri, '\t') < uri.n || uri.p[0] < ' ' || uri.p[uri.n - 1] < ' ')
		return false;
	*ret = (struct sip_start_line){ .request = true, .method = method, .uri = uri };
	return true;
}

static bool status_line_parse(struct span line, struct sip_start_line *ret)
{
	struct sip_start_line start = { .request = false };
	struct span rest = line, code;
	uint64_t status;

	rest = span_from(rest, find_blank(rest));
	if (!version_parse(span_first(line, line.n - rest.n), &start.odd))
		return false;
	start.odd |= !blank_take(&rest);
	code = span_first(rest, find_blank(rest));
	rest = span_from(rest, code.n);
	if (code.n == 3 && span_number(code, 699, &status) && status >= 100)
		start.status = (unsigned)status;
	else
		start.odd = true;
	/* "SIP/2.0 480" without the blank: osip takes the next line for the reason */
	start.odd |= rest.n == 0;
	start.reason = span_trim(rest);
	*ret = start;
	return true;
}

/* Does it begin like a URI, "scheme:", perhaps in < >? */
static bool uri_like(struct span s)
{
	return sip_scheme_bytes(s.n && s.p[0] == '<' ? span_from(s, 1) : s) > 0;
}

static bool request_line_parse(struct span line, struct sip_start_line *ret)
{
	struct sip_start_line start = { .request = true };
	struct span rest, version;
	size_t at;

	start.method = span_first(line, find_blank(line));
	rest = span_from(line, start.method.n);
	start.odd = !blank_take(&rest);
	version = span_trim(rest);
	start.odd |= version.n != rest.n; /* blanks behind the version */
	rest = version;
	for (at = rest.n; at > 0 && rest.p[at - 1] != ' ' && rest.p[at - 1] != '\t'; at--)
		;
	version = span_from(rest, at);
	if (!version_parse(version, &start.odd) || !sip_token(start.method))
		return false;
	start.uri = span_trim(span_first(rest, at));
	if (!uri_like(start.uri) && sip_method_find(start.method) == SIP_METHOD_OTHER)
		return false;
	start.odd |= start.uri.n == 0 || start.uri.n + 1 != at || rest.p[at - 1] != ' ' || start.uri.p[0] == '<' ||
		find_blank(start.uri) < start.uri.n;
	*ret = start;
	return true;
}

bool sip_start_line_parse(struct span line, struct sip_start_line *ret)
{
	if (status_line_plain(line, ret) || request_line_plain(line, ret))
		return true;
	if (span_starts_nocase(line, SPAN("SIP/")))
		return status_line_parse(line, ret);
	return request_line_parse(line, ret);
}

bool sip_start_line_begins(struct span line, struct sip_start_line *ret)
{
	struct sip_start_line start = { .request = true };
	struct span rest, scheme;

	if (span_starts_nocase(line, SPAN("SIP/2.0 ")))
		return status_line_parse(line, ret);
	start.method = span_first(line, find_blank(line));
	rest = span_from(line, start.method.n);
	if (sip_method_find(start.method) == SIP_METHOD_OTHER || !blank_take(&rest))
		return false;
	scheme = span_first(rest, sip_scheme_bytes(rest));
	if (!span_equal_nocase(scheme, SPAN("sip")) && !span_equal_nocase(scheme, SPAN("sips")) &&
		!span_equal_nocase(scheme, SPAN("tel")))
		return false;
	start.uri = span_first(rest, find_blank(rest));
	*ret = start;
	return true;
}

/* Could more bytes make a start line of an incomplete one? */
static bool start_line_hopeful(struct span line)
{
	struct span method = span_first(line, find_blank(line)), rest = span_from(line, method.n);
	struct span version = SPAN("SIP/");

	if (span_starts_nocase(line, span_first(version, line.n)))
		return true;
	if (!sip_token(method))
		return false;
	blank_take(&rest);
	return sip_method_find(method) != SIP_METHOD_OTHER || span_find(rest, ':') == rest.n || uri_like(rest);
}

/* Media, which is nearly everything, ends here. */
static bool token_first(struct span s)
{
	return sip_token(span_first(s, 1));
}

enum sip_look sip_look(struct span bytes)
{
	struct span head = span_first(bytes, SIP_LOOK_BYTES), line;
	struct sip_lines lines = { .left = head };
	struct sip_start_line start;

	if (head.n == 0)
		return SIP_LOOK_MORE;
	if (!token_first(head))
		return SIP_LOOK_NO;
	sip_line_next(&lines, &line);
	if (lines.ended)
		return sip_start_line_parse(line, &start) ? SIP_LOOK_YES : SIP_LOOK_NO;
	return bytes.n < SIP_LOOK_BYTES && start_line_hopeful(line) ? SIP_LOOK_MORE : SIP_LOOK_NO;
}

struct span sip_skip_line_ends(struct span s)
{
	size_t n = 0;

	while (n < s.n && (s.p[n] == '\r' || s.p[n] == '\n'))
		n++;
	return span_from(s, n);
}

bool sip_looks_like(struct span bytes)
{
	struct sip_lines lines = { .left = span_first(sip_skip_line_ends(bytes), SIP_LOOK_BYTES) };
	struct sip_start_line start;
	struct span line;

	if (!token_first(lines.left) || !sip_line_next(&lines, &line))
		return false;
	return sip_start_line_parse(line, &start) || (!lines.ended && sip_start_line_begins(line, &start));
}
