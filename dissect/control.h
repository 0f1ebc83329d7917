/* SPDX-License-Identifier: MIT */
/* control: where the next control byte of a text stands, which is how lines are found. */
#ifndef DEADAIR_DISSECT_CONTROL_H
#define DEADAIR_DISSECT_CONTROL_H

#include <endian.h>

#include "captures/base/span.h"

static inline bool control_byte(uint8_t byte)
{
	return byte < 0x20 || byte == 0x7f;
}

typedef uint8_t bytes16 __attribute__((vector_size(16)));
typedef uint64_t words2 __attribute__((vector_size(16)));

/* Offset of the first byte that is not 0; 16: all are. */
static inline size_t first_of_16(words2 found)
{
	if (found[0])
		return (size_t)__builtin_ctzll(le64toh(found[0])) / 8;
	return found[1] ? 8 + (size_t)__builtin_ctzll(le64toh(found[1])) / 8 : 16;
}

/* Offset of the first control byte (tabs, CR and LF are some) among 16 bytes; 16: none of them is one. */
static inline size_t control_find_16(const uint8_t *p)
{
	bytes16 bytes, del = (bytes16){ 0 } + 0x7f, blank = (bytes16){ 0 } + 0x20;

	memcpy(&bytes, p, sizeof bytes);
	return first_of_16((words2)((bytes < blank) | (bytes == del)));
}

static inline size_t byte_find_16(const uint8_t *p, uint8_t byte)
{
	bytes16 bytes;

	memcpy(&bytes, p, sizeof bytes);
	return first_of_16((words2)(bytes == (bytes16){ 0 } + byte));
}

/* Offset of the first control byte from `at` on; s.n where there is none. 16 bytes a step: this is the scan. */
static inline size_t control_find(struct span s, size_t at)
{
	while (s.n - at >= 16) {
		size_t n = control_find_16(s.p + at);

		if (n < 16)
			return at + n;
		at += 16;
	}
	while (at < s.n && !control_byte(s.p[at]))
		at++;
	return at;
}

#endif
