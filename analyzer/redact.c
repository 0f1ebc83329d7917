/* SPDX-License-Identifier: MIT */
/* redact: other numbers, names and addresses for those that were captured. */
#include "analyzer/redact.h"

#include <stdio.h>
#include <stdlib.h>

#include "captures/base/arena.h"
#include "captures/base/digest.h"
#include "captures/base/hash.h"
#include "captures/base/memory.h"
#include "captures/base/text.h"

/* How a word is replaced. WORD_TEXT: a whole text, found again. */
enum word_kind { WORD_USER, WORD_NAME, WORD_HOST, WORD_ID, WORD_AGENT, WORD_TEXT };
enum { SHORT_DIGITS = 5, WORD_MOST = 256 };

struct word {
	struct hash_link link;
	enum word_kind kind;
	bool learnt;                 /* texts are searched for it */
	struct span from, to;
};

struct redact {
	uint8_t key[REDACT_KEY];
	struct arena *arena;
	struct hash words;           /* by kind and from */
	struct hash learnt;          /* struct known_word, by from */
};

struct known_word {
	struct hash_link link;
	const struct word *word;
};

struct redact *redact_new(const uint8_t key[REDACT_KEY])
{
	struct redact *r = memory_zalloc(sizeof *r);

	memcpy(r->key, key, sizeof r->key);
	r->arena = arena_new();
	hash_init(&r->words);
	hash_init(&r->learnt);
	return r;
}

void redact_free(struct redact *r)
{
	if (!r)
		return;
	hash_fini(&r->words);
	hash_fini(&r->learnt);
	arena_free(r->arena);
	free(r);
}

/* ---- numbers that only the key gives ---- */

static uint64_t number_of(const struct redact *r, unsigned purpose, struct span bytes)
{
	uint8_t out[DIGEST_BYTES];
	struct digest d;
	uint64_t n;

	digest_begin(&d);
	digest_add(&d, (struct span){ r->key, sizeof r->key });
	digest_number(&d, purpose);
	digest_add(&d, bytes);
	digest_get(&d, out);
	memcpy(&n, out, sizeof n);
	return n;
}

enum purpose { PURPOSE_WORD = 1, PURPOSE_BIT = 16, PURPOSE_ROUND = 64 };

/* ---- addresses ---- */

/*
 * Bit by bit, each turned by what the bits before it give: what shares a net before shares one afterwards, and no two
 * become one (Crypto-PAn).
 */
static void turn_bits(const struct redact *r, uint8_t *bytes, unsigned from, unsigned to)
{
	uint8_t prefix[17] = { 0 };

	for (unsigned i = 0; i < to; i++) {
		uint8_t bit = (uint8_t)(0x80 >> i % 8), was = bytes[i / 8] & bit;

		if (i >= from) {
			prefix[16] = (uint8_t)i;
			if (number_of(r, PURPOSE_BIT, (struct span){ prefix, sizeof prefix }) & 1)
				bytes[i / 8] ^= bit;
		}
		prefix[i / 8] |= was;
	}
}

static const struct {
	uint8_t net[2];
	unsigned bits;
} kept_nets[] = { { { 10, 0 }, 8 }, { { 172, 16 }, 12 }, { { 192, 168 }, 16 }, { { 100, 64 }, 10 },
	{ { 169, 254 }, 16 } };

static bool in_net(const uint8_t *bytes, const uint8_t net[2], unsigned bits)
{
	unsigned mask = 0xffffu << (16 - bits) & 0xffff;

	return ((unsigned)(bytes[0] << 8 | bytes[1]) & mask) == ((unsigned)(net[0] << 8 | net[1]) & mask);
}

static void turn_v4(const struct redact *r, uint8_t *bytes)
{
	for (size_t i = 0; i < sizeof kept_nets / sizeof kept_nets[0]; i++) {
		if (in_net(bytes, kept_nets[i].net, kept_nets[i].bits)) {
			turn_bits(r, bytes, kept_nets[i].bits, 32);
			return;
		}
	}
	turn_bits(r, bytes, 0, 32);
	bytes[0] = (uint8_t)(0xf0 | (bytes[0] & 0x0f));
	if (bytes[0] == 255 && bytes[1] == 255 && bytes[2] == 255 && bytes[3] == 255)
		bytes[3] = 254;         /* everybody's */
}

/* What is behind the first /32 is turned; that becomes one that says private or public, as link-local does. */
static void turn_v6(const struct redact *r, uint8_t *bytes)
{
	bool link_local = bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80, private = (bytes[0] & 0xfe) == 0xfc;

	if (link_local) {
		turn_bits(r, bytes, 64, 128);
		return;
	}
	turn_bits(r, bytes, 0, 128);
	if (private) {
		bytes[0] = 0xfd;
		return;
	}
	/* the first four bytes give way to the prefix for documents; what told them apart goes into the next two */
	bytes[4] ^= (uint8_t)(bytes[0] ^ bytes[2]);
	bytes[5] ^= (uint8_t)(bytes[1] ^ bytes[3]);
	memcpy(bytes, (const uint8_t[]){ 0x20, 0x01, 0x0d, 0xb8 }, 4);
}

void redact_address(struct redact *r, struct address *a)
{
	if (!address_known(a) || address_unspecified(a) || address_loopback(a) || address_multicast(a))
		return;
	if (a->family == 4)
		turn_v4(r, a->bytes);
	else
		turn_v6(r, a->bytes);
}

/* ---- words ---- */

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(uint8_t c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* A number as it is dialled: + only at the beginning, * and # anywhere. */
static bool is_number(struct span s)
{
	size_t digits = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (is_digit(s.p[i]))
			digits++;
		else if (s.p[i] != '*' && s.p[i] != '#' && (s.p[i] != '+' || i))
			return false;
	}
	return digits > 0;
}

/*
 * A permutation of the numbers of so many digits: four rounds of Feistel over as many bits as hold them, again until it
 * is one of them.
 */
static uint64_t turn_digits(const struct redact *r, uint64_t value, unsigned digits)
{
	unsigned half = 2;
	uint64_t limit = 1;

	for (unsigned i = 0; i < digits; i++)
		limit *= 10;
	while (UINT64_C(1) << 2 * half < limit)
		half++;
	do {
		uint64_t left = value >> half, right = value & ((UINT64_C(1) << half) - 1);

		for (unsigned round = 0; round < 4; round++) {
			uint8_t input[9] = { (uint8_t)digits };
			uint64_t next;

			memcpy(input + 1, &right, 8);
			next = left ^ (number_of(r, PURPOSE_ROUND + round,
				(struct span){ input, sizeof input }) & ((UINT64_C(1) << half) - 1));
			left = right;
			right = next;
		}
		value = left << half | right;
	} while (value >= limit);
	return value;
}

/* Digits alone are turned; signs stay where they are. */
static struct span turn_short(struct redact *r, struct span s, unsigned digits)
{
	char turned[24], text[WORD_MOST];
	uint64_t value = 0;
	size_t n = 0, at = 0;

	for (size_t i = 0; i < s.n; i++)
		value = is_digit(s.p[i]) ? value * 10 + (s.p[i] - '0') : value;
	snprintf(turned, sizeof turned, "%0*llu", (int)digits, (unsigned long long)turn_digits(r, value, digits));
	for (size_t i = 0; i < s.n && n < sizeof text; i++)
		text[n++] = is_digit(s.p[i]) ? turned[at++] : (char)s.p[i];
	return arena_dup(r->arena, (struct span){ (const uint8_t *)text, n });
}

static struct span turn_number(struct redact *r, struct span s)
{
	unsigned digits = 0;
	char text[32];
	int n;

	for (size_t i = 0; i < s.n; i++)
		digits += is_digit(s.p[i]);
	if (digits <= SHORT_DIGITS && s.n < WORD_MOST)
		return turn_short(r, s, digits);
	n = snprintf(text, sizeof text, "%s000%09llu", s.p[0] == '+' ? "+" : "",
		(unsigned long long)(number_of(r, PURPOSE_WORD, s) % 1000000000));
	return arena_dup(r->arena, (struct span){ (const uint8_t *)text, (size_t)n });
}

static struct span turn_word(struct redact *r, struct span s, const char *what)
{
	char text[48];
	int n = snprintf(text, sizeof text, "%s-%010llx", what,
		(unsigned long long)(number_of(r, PURPOSE_WORD, s) & 0xffffffffff));

	return arena_dup(r->arena, (struct span){ (const uint8_t *)text, (size_t)n });
}

static bool turn_literal(struct redact *r, struct span s, struct span *ret)
{
	char text[ADDRESS_TEXT];
	struct address a;

	if (!address_parse(s, &a))
		return false;
	redact_address(r, &a);
	*ret = arena_dup(r->arena, span_of(address_text(&a, text)));
	return true;
}

static void scan(struct redact *r, struct span s, struct text *t, bool agent);

static struct span turn_text(struct redact *r, struct span s, bool agent)
{
	struct text t;
	struct span to;

	text_init(&t);
	scan(r, s, &t, agent);
	to = span_of(arena_text(r->arena, (struct span){ (const uint8_t *)t.p, t.n }));
	text_fini(&t);
	return to;
}

/* What says nothing of anybody. */
static bool is_nobody(struct span s)
{
	static const char *const words[] = { "anonymous", "unknown", "unavailable", "restricted", "localhost", "-",
		"asterisk", "sip", "invalid", "anonymous.invalid" };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (span_equal_nocase(s, span_of(words[i])))
			return true;
	}
	return false;
}

static struct span turn(struct redact *r, enum word_kind kind, struct span s)
{
	struct span to;

	if (kind == WORD_TEXT)
		return turn_text(r, s, false);
	if (is_nobody(s) || (kind != WORD_ID && kind != WORD_AGENT && turn_literal(r, s, &to)))
		return is_nobody(s) ? s : to;
	switch (kind) {
	case WORD_USER:
		return is_number(s) ? turn_number(r, s) : turn_word(r, s, "user");
	case WORD_NAME:
		return is_number(s) ? turn_number(r, s) : turn_word(r, s, "name");
	case WORD_HOST:
		return turn_word(r, s, "host");
	case WORD_ID:
		return turn_word(r, s, "id");
	case WORD_AGENT:
		return turn_text(r, s, true);
	case WORD_TEXT:
		break;
	}
	return s;
}

static uint32_t word_hash(enum word_kind kind, struct span s)
{
	return (uint32_t)hash_mix(kind, hash_bytes(s.p, s.n));
}

static struct word *word_get(struct redact *r, enum word_kind kind, struct span s)
{
	uint32_t hash = word_hash(kind, s);
	struct word *w;

	for (struct hash_link *l = hash_first(&r->words, hash); l; l = l->next) {
		w = HASH_ENTRY(l, struct word, link);
		if (l->hash == hash && w->kind == kind && span_equal(w->from, s))
			return w;
	}
	w = arena_zalloc(r->arena, sizeof *w);
	w->kind = kind;
	w->from = arena_dup(r->arena, s);
	w->to = turn(r, kind, w->from);
	hash_add(&r->words, &w->link, hash);
	return w;
}

static struct span redacted(struct redact *r, enum word_kind kind, struct span s)
{
	return s.n ? word_get(r, kind, s)->to : s;
}

struct span redact_user(struct redact *r, struct span user)
{
	return redacted(r, WORD_USER, user);
}

struct span redact_name(struct redact *r, struct span name)
{
	return redacted(r, WORD_NAME, name);
}

struct span redact_host(struct redact *r, struct span host)
{
	return redacted(r, WORD_HOST, host);
}

struct span redact_id(struct redact *r, struct span id)
{
	return redacted(r, WORD_ID, id);
}

struct span redact_agent(struct redact *r, struct span agent)
{
	return redacted(r, WORD_AGENT, agent);
}

struct span redact_span(struct redact *r, struct span text)
{
	return redacted(r, WORD_TEXT, text);
}

const char *redact_text(struct redact *r, const char *text)
{
	return text && *text ? (const char *)redacted(r, WORD_TEXT, span_of(text)).p : text;
}

static void learn_word(struct redact *r, struct word *w)
{
	struct known_word *k;

	if (w->learnt)
		return;
	w->learnt = true;
	k = arena_zalloc(r->arena, sizeof *k);
	k->word = w;
	hash_add(&r->learnt, &k->link, hash_span(w->from));
}

/* What reports say anyway: a user of that name is not given away by it, and the text stays readable. */
static bool is_common(struct span s)
{
	static const char *const words[] = { "pbx", "phone", "phones", "proxy", "trunk", "nat", "media", "sbc",
		"provider", "firewall", "server", "client", "call",
					     "calls", "caller", "callee", "audio", "video", "the", "and", "of", "to",
					     "from", "frame", "port", "test", "office",
					     "voicemail", "conference", "registrar", "invite", "register", "options",
					     "bye", "ack", "udp", "tcp", "tls", "rtp" };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (span_equal_nocase(s, span_of(words[i])))
			return true;
	}
	return is_nobody(s);
}

/* Texts have it escaped: that is the same word. */
static void learn(struct redact *r, enum word_kind kind, struct span s)
{
	struct word *w;
	struct text t;

	/* of one sign only it would be found everywhere */
	if (s.n < 2 || s.n > WORD_MOST || is_common(s))
		return;
	w = word_get(r, kind, s);
	learn_word(r, w);
	text_init(&t);
	text_add_escaped(&t, s);
	if (t.n != s.n) {
		struct word *escaped = word_get(r, kind, (struct span){ (const uint8_t *)t.p, t.n });

		escaped->to = w->to;
		learn_word(r, escaped);
	}
	text_fini(&t);
}

void redact_learn_user(struct redact *r, struct span user)
{
	learn(r, WORD_USER, user);
}

void redact_learn_name(struct redact *r, struct span name)
{
	learn(r, WORD_NAME, name);
}

void redact_learn_host(struct redact *r, struct span host)
{
	learn(r, WORD_HOST, host);
}

void redact_learn_id(struct redact *r, struct span id)
{
	learn(r, WORD_ID, id);
}

/* ---- texts ---- */

static const struct word *known(const struct redact *r, struct span s)
{
	uint32_t hash = hash_span(s);

	for (struct hash_link *l = hash_first(&r->learnt, hash); l; l = l->next) {
		const struct known_word *k = HASH_ENTRY(l, struct known_word, link);

		if (l->hash == hash && span_equal(k->word->from, s))
			return k->word;
	}
	return NULL;
}

/* Of user parts, hosts, Call-IDs. No longer one is looked for, so that hostile texts take no time. */
static bool is_word(uint8_t c)
{
	return is_alnum(c) || c >= 0x80 || (c && strchr("-_.+*#!~%$&'\\", c));
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
	w = known(g->r, span_first(g->rest, all));
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
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* A literal address; a port behind it stays. */
static size_t take_address(struct scanning *g)
{
	size_t n = 0;
	struct span to;

	if (g->agent)
		return 0;
	while (n < g->rest.n && n < ADDRESS_TEXT && (is_digit(g->rest.p[n]) || g->rest.p[n] == '.'))
		n++;
	n = trimmed(span_first(g->rest, n));
	if (n >= 7 && (n == g->rest.n || !is_alnum(g->rest.p[n])) && turn_literal(g->r, span_first(g->rest, n), &to)) {
		add_span(g->out, to);
		return n;
	}
	n = 0;
	while (n < g->rest.n && n < ADDRESS_TEXT &&
	    (is_hex(g->rest.p[n]) || g->rest.p[n] == ':' || g->rest.p[n] == '.'))
		n++;
	while (n > 2 && (g->rest.p[n - 1] == '.' || (g->rest.p[n - 1] == ':' && g->rest.p[n - 2] != ':')))
		n--;
	if (n > 2 && memchr(g->rest.p, ':', n) && (n == g->rest.n || !is_alnum(g->rest.p[n])) &&
	    turn_literal(g->r, span_first(g->rest, n), &to)) {
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
			letters |= !is_digit(s.p[n]);
			digits++;
		} else {
			return 0;
		}
		n++;
	}
	return digits == 12 && (gap || letters) && (n == s.n || !is_alnum(s.p[n])) ? n : 0;
}

static size_t take_hardware(struct scanning *g)
{
	size_t n = hardware_length(g->rest);

	if (n)
		text_addf(g->out, "02%010llx", (unsigned long long)(number_of(g->r, PURPOSE_WORD,
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
	return span_equal(g->before, SPAN("of")) && g->earlier.n && is_digit(g->earlier.p[0]);
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
	if (next.n && (next.p[0] == '-' || next.p[0] == ':' || next.p[0] == '%') && next.n > 1 && is_digit(next.p[1]))
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

	while (n < s.n && (is_alnum(s.p[n]) || s.p[n] >= 0x80 || s.p[n] == '_'))
		n++;
	return n;
}

static size_t take_if_known(struct scanning *g, size_t n)
{
	const struct word *w = n ? known(g->r, span_first(g->rest, n)) : NULL;

	if (!w || (is_number(w->from) && w->from.n <= SHORT_DIGITS && (g->glued || is_quantity(g, w->from))))
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

static void scan(struct redact *r, struct span s, struct text *t, bool agent)
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
		g.glued = n == 1 && ((is_alnum(before) && (last == '.' || last == ':' || last == '/')) ||
			(is_digit(before) && last == '-'));
		g.rest = span_from(g.rest, n);
	}
}
