/* SPDX-License-Identifier: MIT */
/* redact_private: the words that a key gives, for redact*.c only. */
#ifndef DEADAIR_ANALYZER_REDACT_PRIVATE_H
#define DEADAIR_ANALYZER_REDACT_PRIVATE_H

#include "analyzer/redact.h"
#include "captures/base/arena.h"
#include "captures/base/hash.h"
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

/* What a number that only the key gives is for: one purpose says nothing of another. */
enum purpose { PURPOSE_WORD = 1, PURPOSE_BIT = 16, PURPOSE_ROUND = 64 };

static inline bool redact_is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static inline bool redact_is_alnum(uint8_t c)
{
	return redact_is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* redact.c */
uint64_t redact_hashed(const struct redact *r, unsigned purpose, struct span bytes);
/* A number as it is dialled: + only at the beginning, * and # anywhere. */
bool redact_is_number(struct span s);
/* NULL: it was not learnt. */
const struct word *redact_known(const struct redact *r, struct span s);
/* redact_address.c: the address that a text is. False: it is none. */
bool redact_literal(struct redact *r, struct span s, struct span *ret);
/* redact_text.c: adds the text without what names anybody; agent: numbers with dots are versions. */
void redact_scan(struct redact *r, struct span s, struct text *t, bool agent);

#endif
