/* SPDX-License-Identifier: MIT */
/* redact: other numbers, names and addresses for those that were captured. */
#include "analyzer/redact.h"

#include <stdio.h>
#include <stdlib.h>

#include "analyzer/redact_private.h"
#include "captures/base/digest.h"
#include "captures/base/memory.h"

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

uint64_t redact_hashed(const struct redact *r, unsigned purpose, struct span bytes)
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

/* ---- words ---- */

bool redact_is_number(struct span s)
{
	size_t digits = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (redact_is_digit(s.p[i]))
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
			next = left ^ (redact_hashed(r, PURPOSE_ROUND + round,
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
		value = redact_is_digit(s.p[i]) ? value * 10 + (s.p[i] - '0') : value;
	snprintf(turned, sizeof turned, "%0*llu", (int)digits, (unsigned long long)turn_digits(r, value, digits));
	for (size_t i = 0; i < s.n && n < sizeof text; i++)
		text[n++] = redact_is_digit(s.p[i]) ? turned[at++] : (char)s.p[i];
	return arena_dup(r->arena, (struct span){ (const uint8_t *)text, n });
}

static struct span turn_number(struct redact *r, struct span s)
{
	unsigned digits = 0;
	char text[32];
	int n;

	for (size_t i = 0; i < s.n; i++)
		digits += redact_is_digit(s.p[i]);
	if (digits <= SHORT_DIGITS && s.n < WORD_MOST)
		return turn_short(r, s, digits);
	n = snprintf(text, sizeof text, "%s000%09llu", s.p[0] == '+' ? "+" : "",
		(unsigned long long)(redact_hashed(r, PURPOSE_WORD, s) % 1000000000));
	return arena_dup(r->arena, (struct span){ (const uint8_t *)text, (size_t)n });
}

static struct span turn_word(struct redact *r, struct span s, const char *what)
{
	char text[48];
	int n = snprintf(text, sizeof text, "%s-%010llx", what,
		(unsigned long long)(redact_hashed(r, PURPOSE_WORD, s) & 0xffffffffff));

	return arena_dup(r->arena, (struct span){ (const uint8_t *)text, (size_t)n });
}

static struct span turn_text(struct redact *r, struct span s, bool agent)
{
	struct text t;
	struct span to;

	text_init(&t);
	redact_scan(r, s, &t, agent);
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
	if (is_nobody(s) || (kind != WORD_ID && kind != WORD_AGENT && redact_literal(r, s, &to)))
		return is_nobody(s) ? s : to;
	switch (kind) {
	case WORD_USER:
		return redact_is_number(s) ? turn_number(r, s) : turn_word(r, s, "user");
	case WORD_NAME:
		return redact_is_number(s) ? turn_number(r, s) : turn_word(r, s, "name");
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

const struct word *redact_known(const struct redact *r, struct span s)
{
	uint32_t hash = hash_span(s);

	for (struct hash_link *l = hash_first(&r->learnt, hash); l; l = l->next) {
		const struct known_word *k = HASH_ENTRY(l, struct known_word, link);

		if (l->hash == hash && span_equal(k->word->from, s))
			return k->word;
	}
	return NULL;
}
