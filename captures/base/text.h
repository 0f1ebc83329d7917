/* SPDX-License-Identifier: MIT */
/* text: a growing, always NUL-terminated text, and the one place where packet bytes become printable. */
#ifndef DEADAIR_BASE_TEXT_H
#define DEADAIR_BASE_TEXT_H

#include "captures/base/span.h"

struct text {
	char *p;                     /* never NULL after text_init */
	size_t n;
	size_t room;
};

void text_init(struct text *t);
void text_fini(struct text *t);
void text_clear(struct text *t);
void text_add(struct text *t, const char *plain);
void text_add_bytes(struct text *t, const void *bytes, size_t n);
void text_addf(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Packet bytes for a terminal, a log or JSON: valid UTF-8 stays; C0, DEL, C1, bidi controls, line and paragraph
 * separators, every byte that is no UTF-8, and the backslash become \xNN (UTF-8 controls byte by byte).
 */
void text_add_escaped(struct text *t, struct span s);

/*
 * Into a fixed buffer: escaped as above, cut at a whole character with a "..." when it does not fit; buffer is
 * returned.
 */
const char *text_escape(struct span s, char *buffer, size_t room);

/* "6 338" */
enum { TEXT_COUNT = 32 };
const char *text_count(uint64_t n, char buffer[TEXT_COUNT]);
/* "1 key press", "6 338 key presses": `noun` in the singular, of the regular kind, 18 bytes at most. */
enum { TEXT_COUNTED = 48 };
const char *text_counted(uint64_t n, const char *noun, char buffer[TEXT_COUNTED]);

/* Columns that a UTF-8 text takes on a terminal; East Asian wide ones count two. */
size_t text_columns(const char *utf8);

#endif
