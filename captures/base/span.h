/* SPDX-License-Identifier: MIT */
/* span: bytes that someone else owns. */
#ifndef DEADAIR_BASE_SPAN_H
#define DEADAIR_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const uint8_t *p;
	size_t n;
};

#define SPAN(literal) ((struct span){ (const uint8_t *)(literal), sizeof(literal) - 1 })
#define SPAN_NONE ((struct span){ NULL, 0 })

static inline struct span span_of(const char *text)
{
	return (struct span){ (const uint8_t *)text, text ? strlen(text) : 0 };
}

static inline bool span_equal(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline struct span span_from(struct span s, size_t at)
{
	if (s.n == 0)                                   /* p may be NULL, to which nothing may be added */
		return s;
	return at < s.n ? (struct span){ s.p + at, s.n - at } : (struct span){ s.p + s.n, 0 };
}

static inline struct span span_first(struct span s, size_t n)
{
	return (struct span){ s.p, n < s.n ? n : s.n };
}

/* Of texts of n bytes, whose first bytes may differ in case only. */
bool span_same_nocase(const uint8_t *a, const uint8_t *b, size_t n);

/* ASCII case only, whatever the locale. Of two that differ nearly all do so in the first byte. */
static inline bool span_equal_nocase(struct span a, struct span b)
{
	return a.n == b.n && (b.n == 0 || (((a.p[0] ^ b.p[0]) & ~0x20) == 0 && span_same_nocase(a.p, b.p, b.n)));
}

static inline bool span_starts_nocase(struct span s, struct span prefix)
{
	return s.n >= prefix.n && span_equal_nocase(span_first(s, prefix.n), prefix);
}

static inline bool span_starts(struct span s, struct span prefix)
{
	return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

/* Offset of the first such byte or text; s.n where there is none. */
static inline size_t span_find(struct span s, uint8_t byte)
{
	const uint8_t *at = s.n ? memchr(s.p, byte, s.n) : NULL;

	return at ? (size_t)(at - s.p) : s.n;
}

size_t span_find_text(struct span s, struct span text);
size_t span_find_text_nocase(struct span s, struct span text);

static inline bool byte_is_blank(uint8_t b)
{
	return b == ' ' || b == '\t' || b == '\r' || b == '\n';
}

struct span span_trim_blanks(struct span s);

/* Without blanks, tabs, CR and LF at both ends. Most texts have none there: that is seen at the first look. */
static inline struct span span_trim(struct span s)
{
	return s.n == 0 || (s.p[0] > ' ' && s.p[s.n - 1] > ' ') ? s : span_trim_blanks(s);
}

/*
 * What stands before the first separator; *rest moves behind it. Without a separator all of *rest is given and *rest is
 * empty. False when *rest was empty (p == NULL after the last piece has been taken): a separator at the end opens no
 * empty piece.
 */
bool span_split(struct span *rest, uint8_t separator, struct span *ret_piece);

/* A decimal number: digits only, at least one, value <= max. False, and nothing written, otherwise: never wraps. */
bool span_number(struct span s, uint64_t max, uint64_t *ret_value);

#endif
