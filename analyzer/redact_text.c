/* SPDX-License-Identifier: MIT */
/* redact_text: finds what is to be replaced within a text. */
#include "analyzer/redact_private.h"

static bool is_word(uint8_t c)
{
	return redact_is_alnum(c) || c >= 0x80 || (c && strchr("-_.+*#!~%$&'\\", c));
}

static size_t word_length(struct span s)
{
	size_t n = 0;

	while (n < s.n && n < WORD_MOST && is_word(s.p[n]))
		n++;
	return n;
}

/* Without the full stop of the sentence. */
static size_t trimmed(struct span s)
{
	size_t n = s.n;

	while (n && strchr(".'!", s.p[n - 1]))
		n--;
	return n;
}

static void add_span(struct text *t, struct span s)
{
	text_addf(t, "%.*s", (int)s.n, (const char *)s.p);
}

struct scanning {
	struct redact *r;
	struct text *out;
	struct span rest;
	struct span before, earlier; /* the word before this one, and the one before that */
	bool agent;                  /* 66.85.0.5 is a version */
	bool glued;                  /* "." ":" "-" or "/" stands between a word and this one: 0.4, :5060, 13-17 */
};

/* Both sides of "@". */
static void add_at(struct scanning *g, struct span user, struct span host)
{
	char brackets[2] = { 0 };

	if (user.n)
		add_span(g->out, redact_user(g->r, user));
	text_add(g->out, "@");
	if (host.n > 2 && host.p[0] == '[') {
		brackets[0] = '[';
		text_add(g->out, brackets);
		host = (struct span){ host.p + 1, host.n - 2 };
		add_span(g->out, redact_host(g->r, host));
		text_add(g->out, "]");
	} else {
		add_span(g->out, redact_host(g->r, host));
	}
}

static size_t host_length(struct span s)
{
	size_t n;

	if (s.n && s.p[0] == '[') {
		s = span_first(s, ADDRESS_TEXT);
		n = span_find(s, ']');
		return n < s.n ? n + 1 : 0;
	}
	n = word_length(s);
	return trimmed(span_first(s, n));
}

/* "user@host", also a Call-ID of that form: that is one word where it is known. */
static size_t take_at(struct scanning *g)
{
	size_t user = word_length(g->rest), host, all;
	const struct word *w;

	if (user == 0 || user >= g->rest.n || g->rest.p[user] != '@')
		return 0;
	host = host_length(span_from(g->rest, user + 1));
	if (host == 0)
		return 0;
	all = user + 1 + host;
	w = redact_known(g->r, span_first(g->rest, all));
	if (w)
		add_span(g->out, w->to);
	else
		add_at(g, span_first(g->rest, user), span_first(span_from(g->rest, user + 1), host));
	return all;
}

/*
 * "sip:1001@10.0.0.1", "sip:10.0.0.1:5060", "tel:+44...": what is behind the scheme is a user or a host whatever it
 * looks like.
 */
static size_t take_scheme(struct scanning *g)
{
	static const char *const schemes[] = { "sip:", "sips:", "tel:", "mailto:" };

	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
		struct span scheme = span_of(schemes[i]), behind, word;
		size_t done;

		if (!span_starts_nocase(g->rest, scheme))
			continue;
		add_span(g->out, span_first(g->rest, scheme.n));
		behind = span_from(g->rest, scheme.n);
		g->rest = behind;
		done = take_at(g);
		if (done)
			return done;
		word = span_first(behind, host_length(behind));
		if (word.n && word.p[0] != '[')
			add_span(g->out, strcmp(schemes[i], "tel:") == 0 ? redact_user(g->r, word) : redact_host(g->r,
				word));
		return word.n && word.p[0] != '[' ? word.n : 0;
	}
	return 0;
}

static bool is_hex(uint8_t c)
{
	return redact_is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* A literal address; a port behind it stays. */
static size_t take_address(struct scanning *g)
{
	size_t n = 0;
	struct span to;

	if (g->agent)
		return 0;
	while (n < g->rest.n && n < ADDRESS_TEXT && (redact_is_digit(g->rest.p[n]) || g->rest.p[n] == '.'))
		n++;
	n = trimmed(span_first(g->rest, n));
	if (n >= 7 && (n == g->rest.n || !redact_is_alnum(g->rest.p[n])) &&
	    redact_literal(g->r, span_first(g->rest, n), &to)) {
		add_span(g->out, to);
		return n;
	}
	n = 0;
	while (n < g->rest.n && n < ADDRESS_TEXT &&
	    (is_hex(g->rest.p[n]) || g->rest.p[n] == ':' || g->rest.p[n] == '.'))
		n++;
	while (n > 2 && (g->rest.p[n - 1] == '.' || (g->rest.p[n - 1] == ':' && g->rest.p[n - 2] != ':')))
		n--;
	if (n > 2 && memchr(g->rest.p, ':', n) && (n == g->rest.n || !redact_is_alnum(g->rest.p[n])) &&
	    redact_literal(g->r, span_first(g->rest, n), &to)) {
		add_span(g->out, to);
		return n;
	}
	return 0;
}

/*
 * 80:5e:c0:aa:bb:cc, also with dashes; of twelve digits without either at least one must be a letter, else it may be a
 * phone number.
 */
static size_t hardware_length(struct span s)
{
	size_t n = 0, digits = 0;
	bool letters = false;
	uint8_t gap = s.n > 2 && (s.p[2] == ':' || s.p[2] == '-') ? s.p[2] : 0;

	while (n < s.n && digits < 12) {
		if (gap && n % 3 == 2) {
			if (s.p[n] != gap)
				return 0;
		} else if (is_hex(s.p[n])) {
			letters |= !redact_is_digit(s.p[n]);
			digits++;
		} else {
			return 0;
		}
		n++;
	}
	return digits == 12 && (gap || letters) && (n == s.n || !redact_is_alnum(s.p[n])) ? n : 0;
}

static size_t take_hardware(struct scanning *g)
{
	size_t n = hardware_length(g->rest);

	if (n)
		text_addf(g->out, "02%010llx", (unsigned long long)(redact_hashed(g->r, PURPOSE_WORD,
			span_first(g->rest, n)) & 0xffffffffff));
	return n;
}

/* "Alice Smith" <sip:...> */
static size_t take_quoted(struct scanning *g)
{
	size_t end, behind;

	if (g->rest.p[0] != '"')
		return 0;
	end = span_find(span_first(span_from(g->rest, 1), WORD_MOST), '"') + 1;
	if (end > WORD_MOST)
		return 0;
	behind = end + 1;
	while (behind < g->rest.n && behind < end + 8 && g->rest.p[behind] == ' ')
		behind++;
	if (end >= g->rest.n || end == 1 || behind >= g->rest.n || g->rest.p[behind] != '<')
		return 0;
	text_add(g->out, "\"");
	add_span(g->out, redact_name(g->r, span_first(span_from(g->rest, 1), end - 1)));
	text_add(g->out, "\"");
	return end + 1;
}

static bool is_one_of(struct span s, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (span_equal(s, span_of(words[i])))
			return true;
	}
	return false;
}

/* "4 of 212", and not "hears nothing of 212" */
static bool is_part(const struct scanning *g)
{
	return span_equal(g->before, SPAN("of")) && g->earlier.n && redact_is_digit(g->earlier.p[0]);
}

/* "200 OK", "frame 1001", "1001 packets", "4 of 212": digits that happen to be somebody's number, and are not meant. */
static bool is_quantity(const struct scanning *g, struct span word)
{
	static const char *const units[] = { "s", "ms", "min", "h", "d", "Hz", "kHz", "%", "packets", "packet", "times",
		"time", "bytes", "frames",
					     "frame", "messages", "requests", "lost", "seconds", "more",
					     "registrations", "phones", "REGISTER", "INVITE" };
	static const char *const before[] = { "frame", "frames", "port", "ports", "PT", "type", "RFC", "status", "SSRC",
		"CSeq", "DSCP", "VLAN", "TTL", "version" };
	struct span next = span_from(g->rest, word.n);
	bool capital;

	if (word.n > 4)
		return false;
	if (next.n > 1 && (next.p[0] == '-' || next.p[0] == ':' || next.p[0] == '%') && redact_is_digit(next.p[1]))
		return true;
	while (next.n && next.p[0] == ' ')
		next = span_from(next, 1);
	capital = word.n == 3 && next.n && next.p[0] >= 'A' && next.p[0] <= 'Z';
	next = span_first(next, word_length(next));
	next.n = trimmed(next);
	/* "205 calls abroad", but "the other 191 calls" */
	if (g->before.n && (span_equal(next, SPAN("calls")) || span_equal(next, SPAN("call"))))
		return true;
	return capital || is_part(g) || is_one_of(g->before, before, sizeof before / sizeof before[0]) ||
	       is_one_of(next, units, sizeof units / sizeof units[0]);
}

static size_t alnum_length(struct span s)
{
	size_t n = 0;

	while (n < s.n && (redact_is_alnum(s.p[n]) || s.p[n] >= 0x80 || s.p[n] == '_'))
		n++;
	return n;
}

static size_t take_if_known(struct scanning *g, size_t n)
{
	const struct word *w = n ? redact_known(g->r, span_first(g->rest, n)) : NULL;

	if (!w || (redact_is_number(w->from) && w->from.n <= SHORT_DIGITS && (g->glued || is_quantity(g, w->from))))
		return 0;
	add_span(g->out, w->to);
	return n;
}

/* "Alice Smith": up to three more words */
static size_t take_phrase(struct scanning *g, size_t n)
{
	for (unsigned words = 0; words < 3 && n < g->rest.n && g->rest.p[n] == ' '; words++) {
		size_t taken;

		n += 1 + word_length(span_from(g->rest, n + 1));
		taken = take_if_known(g, trimmed(span_first(g->rest, n)));
		if (taken)
			return taken;
	}
	return 0;
}

/*
 * What was learnt, as a word: with all its signs, without the full stop, and without what follows a sign: "1001's",
 * "1001-2".
 */
static size_t take_known(struct scanning *g)
{
	size_t n = word_length(g->rest), taken;

	if (n == 0)
		return 0;
	taken = take_if_known(g, n);
	if (!taken)
		taken = take_if_known(g, trimmed(span_first(g->rest, n)));
	if (!taken)
		taken = take_if_known(g, alnum_length(g->rest));
	return taken ? taken : take_phrase(g, n);
}

/* The first of the ways that takes something; how much. */
static size_t take(struct scanning *g)
{
	size_t (*const ways[])(struct scanning *) = { take_quoted, take_hardware, take_address, take_scheme, take_at,
		take_known };

	for (size_t i = 0; i < sizeof ways / sizeof ways[0] && g->rest.n; i++) {
		size_t n = ways[i](g);

		if (n)
			return n;
	}
	return 0;
}

/* A word that nobody knows passes whole, a sign alone. */
static size_t pass(struct scanning *g)
{
	size_t n = alnum_length(g->rest);
	bool sign = n == 0;

	n += sign;
	add_span(g->out, span_first(g->rest, n));
	if (sign && g->rest.p[0] != ' ')
		g->earlier = g->before = SPAN_NONE;
	if (!sign) {
		g->earlier = g->before;
		g->before = span_first(g->rest, n);
	}
	return n;
}

void redact_scan(struct redact *r, struct span s, struct text *t, bool agent)
{
	struct scanning g = { .r = r, .out = t, .rest = s, .agent = agent };
	uint8_t last = 0;

	while (g.rest.n) {
		uint8_t before = last;
		size_t n = take(&g);

		if (g.rest.n == 0)
			break;
		if (n)
			g.earlier = g.before = SPAN_NONE;
		else
			n = pass(&g);
		last = g.rest.p[n - 1];
		g.glued = n == 1 && ((redact_is_alnum(before) && (last == '.' || last == ':' || last == '/')) ||
			(redact_is_digit(before) && last == '-'));
		g.rest = span_from(g.rest, n);
	}
}
