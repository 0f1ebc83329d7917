/* SPDX-License-Identifier: MIT */
/*
 * message_diff: headers and SDP lines side by side; what is only on one side is found a few lines ahead, never by
 * search.
 */
#include "analyzer/network/message_diff.h"

#include <stdio.h>

#include "captures/base/text.h"

enum {
	AHEAD = 8, HEADERS_AHEAD = 32, DEFAULT_PORT = 5060,
	LENGTH_FLAWS = SIP_FLAW_CONTENT_LENGTH_LONG | SIP_FLAW_CONTENT_LENGTH_SHORT
};

static void change_add(struct message_diff *d, const char *reason, uint32_t place, struct span field,
	struct span before, struct span after)
{
	struct message_change *c;

	if (d->count == DIFF_MAX)
		return;
	c = &d->changes[d->count++];
	c->reason = reason;
	c->place = place;
	text_escape(field, c->field, sizeof c->field);
	text_escape(before, c->before, sizeof c->before);
	text_escape(after, c->after, sizeof c->after);
}

/* The same but for blanks and folding. */
static bool says_same(struct span a, struct span b)
{
	size_t i = 0, k = 0;

	for (;;) {
		while (i < a.n && byte_is_blank(a.p[i]))
			i++;
		while (k < b.n && byte_is_blank(b.p[k]))
			k++;
		if (i == a.n || k == b.n)
			return i == a.n && k == b.n;
		if (a.p[i++] != b.p[k++])
			return false;
	}
}

/* ---- headers ---- */

static const struct { enum sip_header_name name; const char *text; uint32_t place; } known[] = {
	{ SIP_H_VIA, "Via", PLACE_VIA }, { SIP_H_CONTACT, "Contact", PLACE_CONTACT },
	  { SIP_H_RECORD_ROUTE, "Record-Route", PLACE_CONTACT },
	{ SIP_H_ROUTE, "Route", PLACE_CONTACT }, { SIP_H_CALL_ID, "Call-ID", PLACE_IDENTITY },
	  { SIP_H_FROM, "From", PLACE_IDENTITY },
	{ SIP_H_TO, "To", PLACE_IDENTITY }, { SIP_H_REFER_TO, "Refer-To", PLACE_REFER },
	  { SIP_H_REPLACES, "Replaces", PLACE_REFER },
	{ SIP_H_REFERRED_BY, "Referred-By", PLACE_REFER }, { SIP_H_AUTHORIZATION, "Authorization", PLACE_AUTH },
	{ SIP_H_PROXY_AUTHORIZATION, "Proxy-Authorization", PLACE_AUTH }, { SIP_H_EXPIRES, "Expires", PLACE_EXPIRES },
};

static uint32_t place_of(const struct sip_header *h, struct span *ret_field)
{
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (known[i].name == h->name) {
			*ret_field = span_of(known[i].text);
			return known[i].place;
		}
	}
	*ret_field = h->name_text;
	return PLACE_OTHER;
}

static bool same_name(const struct sip_header *a, const struct sip_header *b)
{
	return a->name == b->name && (a->name != SIP_H_OTHER || span_equal_nocase(a->name_text, b->name_text));
}

static bool same_uri(struct span a, struct span b)
{
	struct sip_address x, y;

	return sip_address_parse(a, &x) && sip_address_parse(b, &y) && says_same(x.uri, y.uri);
}

static bool asks_rport(struct span via)
{
	struct span rest = span_from(via, span_find(via, ';')), ignored;

	return sip_parameter(span_from(rest, 1), SPAN("rport"), &ignored);
}

static const char *reason_of(enum sip_header_name name, bool request, struct span before, struct span after)
{
	if (name == SIP_H_CALL_ID)
		return "call-id-changed";
	if (name == SIP_H_EXPIRES || (name == SIP_H_CONTACT && same_uri(before, after)))
		return "expires-changed";
	if (name == SIP_H_VIA && request && asks_rport(before) && !asks_rport(after))
		return "rport-removed";
	return "rewritten-headers";
}

static void header_changed(struct message_diff *d, bool request, const struct sip_header *h, struct span before,
	struct span after)
{
	struct span field;
	uint32_t place = place_of(h, &field);

	change_add(d, reason_of(h->name, request, before, after), place, field, before, after);
}

struct walk {                        /* through the headers of one message */
	const struct sip_message *m;
	unsigned i;
	bool met[SIP_HEADER_MAX];    /* found from the other side, where it stands elsewhere */
};

/* The next one, NULL at the end. Content-Length follows the body and is left out. */
static const struct sip_header *walk_here(struct walk *w)
{
	while (w->i < w->m->header_count && (w->met[w->i] || w->m->headers[w->i].name == SIP_H_CONTENT_LENGTH))
		w->i++;
	return w->i < w->m->header_count ? &w->m->headers[w->i] : NULL;
}

/* How many headers ahead stands one of that name; HEADERS_AHEAD: none near. */
static unsigned walk_ahead(const struct walk *w, const struct sip_header *h)
{
	unsigned k = 0;

	while (k < HEADERS_AHEAD && w->i + k < w->m->header_count &&
	       (w->met[w->i + k] || !same_name(&w->m->headers[w->i + k], h)))
		k++;
	return w->i + k < w->m->header_count ? k : HEADERS_AHEAD;
}

static void compare_pair(struct message_diff *d, bool request, const struct sip_header *x, const struct sip_header *y)
{
	if (!says_same(x->value, y->value))
		header_changed(d, request, x, x->value, y->value);
}

/*
 * Both are found further on in the other message: the one that is farther away was moved. The order of headers with
 * different names means nothing (RFC 3261 7.3.1).
 */
static void compare_moved(struct message_diff *d, struct walk *a, struct walk *b, unsigned a_ahead, unsigned b_ahead)
{
	if (b_ahead >= a_ahead) {
		compare_pair(d, a->m->request, &a->m->headers[a->i++], &b->m->headers[b->i + b_ahead]);
		b->met[b->i + b_ahead] = true;
	} else {
		compare_pair(d, a->m->request, &a->m->headers[a->i + a_ahead], &b->m->headers[b->i++]);
		a->met[a->i + a_ahead] = true;
	}
}

static void compare_headers(const struct sip_message *before, const struct sip_message *behind, struct message_diff *d)
{
	struct walk a = { .m = before }, b = { .m = behind };
	const struct sip_header *x = walk_here(&a), *y = walk_here(&b);

	for (; x || y; x = walk_here(&a), y = walk_here(&b)) {
		unsigned a_ahead = y ? walk_ahead(&a, y) : HEADERS_AHEAD;
		unsigned b_ahead = x ? walk_ahead(&b, x) : HEADERS_AHEAD;

		if (x && y && same_name(x, y)) {
			compare_pair(d, before->request, x, y);
			a.i++;
			b.i++;
		} else if (a_ahead < HEADERS_AHEAD && b_ahead < HEADERS_AHEAD) {
			compare_moved(d, &a, &b, a_ahead, b_ahead);
		} else if (x && b_ahead == HEADERS_AHEAD) {
			header_changed(d, before->request, x, x->value, SPAN_NONE);
			a.i++;
		} else {
			header_changed(d, before->request, y, SPAN_NONE, y->value);
			b.i++;
		}
	}
}

/* ---- SDP ---- */

static bool line_next(struct span *rest, struct span *ret_line)
{
	struct span line;

	do {
		if (!span_split(rest, '\n', &line))
			return false;
		*ret_line = span_trim(line);
	} while (!ret_line->n);
	return true;
}

/* "c=", "a=rtcp": what a line is, not what it says. */
static struct span line_kind(struct span line)
{
	size_t colon = span_find(line, ':');

	if (span_starts(line, SPAN("a=")))
		return span_first(line, colon);
	return span_first(line, line.n < 2 ? line.n : 2);
}

/* Is it in the next lines? A line of the same kind will do: its value may have been changed. */
static bool kind_ahead(struct span rest, struct span kind)
{
	struct span line;

	for (unsigned i = 0; i < AHEAD && line_next(&rest, &line); i++) {
		if (span_equal(line_kind(line), kind))
			return true;
	}
	return false;
}

static struct span word_at(struct span line, unsigned index)
{
	struct span word = SPAN_NONE;

	for (unsigned i = 0; i <= index; i++) {
		if (!span_split(&line, ' ', &word))
			return SPAN_NONE;
	}
	return word;
}

static unsigned words_in(struct span line)
{
	unsigned n = 0;
	struct span word;

	while (span_split(&line, ' ', &word))
		n += word.n > 0;
	return n;
}

static void line_changed(struct message_diff *d, struct span before, struct span after)
{
	struct span kind = line_kind(before.n ? before : after);
	bool media = span_equal(kind, SPAN("m=")) && before.n && after.n,
		address = span_equal(kind, SPAN("c=")) || span_equal(kind, SPAN("a=rtcp"));
	const char *reason = "rewritten-sdp";

	if (media && !span_equal(word_at(before, 1), word_at(after, 1)))
		reason = "media-port-moved";
	else if (media && words_in(after) < words_in(before))
		reason = "codec-removed";
	else if (span_equal(kind, SPAN("a=rtpmap")) && !after.n)
		reason = "codec-removed";
	change_add(d, reason, media || address ? PLACE_SDP : PLACE_OTHER, kind, before, after);
}

static void compare_sdp(struct span a, struct span b, struct message_diff *d)
{
	struct span x = SPAN_NONE, y = SPAN_NONE;
	bool has_x = line_next(&a, &x), has_y = line_next(&b, &y);

	while (has_x || has_y) {
		bool pair = has_x && has_y && span_equal(line_kind(x), line_kind(y));

		if (pair) {
			if (!span_equal(x, y))
				line_changed(d, x, y);
			has_x = line_next(&a, &x);
			has_y = line_next(&b, &y);
		} else if (!has_y || (has_x && !kind_ahead(b, line_kind(x)))) {
			line_changed(d, x, SPAN_NONE);
			has_x = line_next(&a, &x);
		} else {
			line_changed(d, SPAN_NONE, y);
			has_y = line_next(&b, &y);
		}
	}
}

static void compare_bodies(const struct sip_message *a, const struct sip_message *b, struct message_diff *d)
{
	if (a->sdp.n && b->sdp.n)
		compare_sdp(a->sdp, b->sdp, d);
	else if (!says_same(a->body, b->body))
		change_add(d, "rewritten-headers", PLACE_OTHER, SPAN("body"), SPAN_NONE, SPAN_NONE);
	if ((b->flaws & LENGTH_FLAWS) && !(a->flaws & LENGTH_FLAWS)) {
		bool more = (b->flaws & SIP_FLAW_CONTENT_LENGTH_SHORT) != 0;
		char before[48], after[64];

		snprintf(before, sizeof before, "%u, all of the body", a->content_length);
		snprintf(after, sizeof after, "%u, %s", b->content_length,
			more ? "more follows" : "the body is shorter");
		change_add(d, "length-delta", PLACE_BODY, SPAN("Content-Length"), span_of(before), span_of(after));
	}
}

void message_diff(const struct sip_message *before, const struct sip_message *behind, struct message_diff *ret)
{
	ret->count = 0;
	ret->verdict = DIFF_EQUAL;
	if (span_equal(before->bytes, behind->bytes))
		return;
	ret->verdict = DIFF_FORWARDED;
	if (before->via_count != behind->via_count || before->max_forwards != behind->max_forwards)
		return;
	if (before->request && !says_same(before->uri, behind->uri))
		change_add(ret, "rewritten-headers", PLACE_IDENTITY, SPAN("Request-URI"), before->uri, behind->uri);
	compare_headers(before, behind, ret);
	compare_bodies(before, behind, ret);
	ret->verdict = ret->count ? DIFF_REWRITTEN : DIFF_SPELLING;
}

static bool is_mark(uint8_t c)
{
	return byte_is_blank(c) || c == ';' || c == '<' || c == '>' || c == '@' || c == ',' || c == '"';
}

/* Between the byte before `at` and the one there a word ends or begins. */
static bool is_edge(struct span s, size_t at)
{
	return at == 0 || at == s.n || is_mark(s.p[at - 1]) || is_mark(s.p[at]);
}

void difference_of(struct span before, struct span after, struct span *ret_before, struct span *ret_after)
{
	size_t least = before.n < after.n ? before.n : after.n, head = 0, tail = 0;

	while (head < least && before.p[head] == after.p[head])
		head++;
	while (!is_edge(before, head) || !is_edge(after, head))
		head--;
	while (tail < least - head && before.p[before.n - 1 - tail] == after.p[after.n - 1 - tail])
		tail++;
	while (!is_edge(before, before.n - tail) || !is_edge(after, after.n - tail))
		tail--;
	*ret_before = span_first(span_from(before, head), before.n - head - tail);
	*ret_after = span_first(span_from(after, head), after.n - head - tail);
}

/* ---- literals ---- */

static bool literal_is(struct span host, bool has_port, uint16_t port, const struct endpoint *socket)
{
	struct address a;

	return address_parse(host, &a) && address_equal(&a, &socket->addr) &&
	       (socket->port == 0 || (has_port ? port : DEFAULT_PORT) == socket->port);
}

/* Is `address` named in the connection lines of the SDP? *ret_line: that line. */
static bool sdp_names(struct span sdp, const struct address *address, struct span *ret_line)
{
	struct span line;
	struct address a;

	while (line_next(&sdp, &line)) {
		if (span_starts(line, SPAN("c=IN IP")) && address_parse(span_trim(word_at(line, 2)), &a) &&
		    address_equal(&a, address)) {
			*ret_line = line;
			return true;
		}
	}
	return false;
}

uint32_t message_names(const struct sip_message *m, const struct endpoint *socket)
{
	struct span line;
	uint32_t places = 0;

	if (m->request && literal_is(m->via.host, m->via.has_port, m->via.port, socket))
		places |= PLACE_VIA;
	if (m->contact.host.n && literal_is(m->contact.host, m->contact.has_port, m->contact.port, socket))
		places |= PLACE_CONTACT;
	if (m->sdp.n && sdp_names(m->sdp, &socket->addr, &line))
		places |= PLACE_SDP;
	return places;
}

bool message_stale(const struct sip_message *behind, const struct address *inside, struct message_change *ret)
{
	struct endpoint host = { *inside, 0 };
	uint32_t places = message_names(behind, &host);
	struct message_diff one = { .count = 0 };
	struct span line;

	if (places & PLACE_SDP) {
		sdp_names(behind->sdp, inside, &line);
		change_add(&one, "stale-private", PLACE_SDP, SPAN("c="), SPAN_NONE, line);
	} else if (places & PLACE_CONTACT) {
		change_add(&one, "stale-private", PLACE_CONTACT, SPAN("Contact"), SPAN_NONE, behind->contact.whole);
	} else if (places & PLACE_VIA) {
		change_add(&one, "stale-private", PLACE_VIA, SPAN("Via"), SPAN_NONE, behind->via.whole);
	} else {
		return false;
	}
	*ret = one.changes[0];
	return true;
}
