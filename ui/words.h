/* SPDX-License-Identifier: MIT */
/* words: numbers, times and cut texts as reports have them. All write into the caller's buffer and give it back. */
#ifndef DEADAIR_UI_WORDS_H
#define DEADAIR_UI_WORDS_H

#include "captures/base/ns.h"
#include "captures/base/text.h"

enum { WORDS = 48 };

/* "6 338" */
const char *words_count(uint64_t n, char buffer[WORDS]);
/* "1 call", "2 098 calls" */
const char *words_counted(uint64_t n, const char *noun, char buffer[WORDS]);
/* "48 s", "4 min 11 s", "6 min", "1 h 0 min", "3 d 4 h"; below ten seconds "0.4 s" */
const char *words_duration(int64_t length_ns, char buffer[WORDS]);
/* "Fri 20 Nov 2026 09:12:41 GMT" in local time */
const char *words_moment(int64_t at_ns, char buffer[WORDS]);
/* "Fri 20 Nov 2026 09:12" in local time, with seconds where there are any */
const char *words_minute(int64_t at_ns, char buffer[WORDS]);
/* "Fri 20 Nov 09:12:41 GMT", and "20 09:12": day of the month, for narrow columns. */
const char *words_day(int64_t at_ns, char buffer[WORDS]);
const char *words_day_clock(int64_t at_ns, char buffer[WORDS]);
bool words_same_day(int64_t a_ns, int64_t b_ns);     /* by the local calendar */
/* "71 %", "0.4 %", "under 0.1 %" of whole; whole must not be 0 */
const char *words_share(uint64_t part, uint64_t whole, char buffer[WORDS]);
/* "1.2 MB" */
const char *words_bytes(uint64_t bytes, char buffer[WORDS]);

/* What fits in so many columns, with "…" for what is left out at the end, or at the beginning (numbers: "…0117"). */
void words_cut(struct text *t, const char *utf8, size_t columns, bool at_beginning);
/* Digits, with the signs of a phone number. */
bool words_is_number(const char *text);

#endif
