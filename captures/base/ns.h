/* SPDX-License-Identifier: MIT */
/* ns: time as int64_t nanoseconds since the epoch; every sum here saturates instead of wrapping. */
#ifndef DEADAIR_BASE_NS_H
#define DEADAIR_BASE_NS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MICROSECOND_NS INT64_C(1000)
#define MILLISECOND_NS INT64_C(1000000)
#define SECOND_NS INT64_C(1000000000)
#define MINUTE_NS (60 * SECOND_NS)
#define HOUR_NS (60 * MINUTE_NS)
#define NS_NONE INT64_MIN            /* no such time */

enum { NS_TEXT = 40 };

static inline int64_t ns_add(int64_t a, int64_t b)
{
	int64_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return b > 0 ? INT64_MAX : INT64_MIN + 1;
	return sum;
}

static inline int64_t ns_minus(int64_t a, int64_t b)
{
	int64_t difference;

	if (__builtin_sub_overflow(a, b, &difference))
		return b < 0 ? INT64_MAX : INT64_MIN + 1;
	return difference;
}

/* RFC 3339, UTC, nanoseconds: "2026-11-20T09:12:47.118000000Z". Years outside 0-9999 are clamped. */
const char *ns_rfc3339(int64_t at_ns, char buffer[NS_TEXT]);
/* Local time of the process, "%H:%M:%S" and so many decimals (0-9). */
const char *ns_clock(int64_t at_ns, unsigned decimals, char buffer[NS_TEXT]);
/* "0:42", "12:07", "1 h 2 min" */
const char *ns_duration(int64_t length_ns, char buffer[NS_TEXT]);
/* As a person says it: "42 s", with decimals "41.9 s"; "4 min 11 s", "1 h 2 min", "2 d 3 h". */
const char *ns_words(int64_t length_ns, unsigned decimals, char buffer[NS_TEXT]);

#endif
