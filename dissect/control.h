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

/* Bit i: byte i of the eight is 0xff; the others are 0. */
static inline unsigned mask_8(uint64_t found)
{
	return (unsigned)((le64toh(found) & UINT64_C(0x8040201008040201)) * UINT64_C(0x0101010101010101) >> 56);
}

/* The same of sixteen. */
static inline unsigned mask_16(bytes16 found)
{
#ifdef __SSE2__
	return (unsigned)__builtin_ia32_pmovmskb128((char __attribute__((vector_size(16))))found);
#else
	return mask_8(((words2)found)[0]) | mask_8(((words2)found)[1]) << 8;
#endif
}

/*
 * The same for each that is neither letter, digit nor one of !#$%&'()*+,-./^_`{|}~ or above: what ends a user, a host
 * or a transport is among them, = and \ besides.
 */
static inline unsigned separator_mask_16(const uint8_t *p)
{
	bytes16 bytes, blank = (bytes16){ 0 } + ' ', del = (bytes16){ 0 } + 0x7f, quote = (bytes16){ 0 } + '"';

	memcpy(&bytes, p, sizeof bytes);
	return mask_16((bytes16)((bytes <= blank) | (bytes == del) | (bytes == quote) |
		((bytes16)(bytes - ':') <= (bytes16){ 0 } + ('@' - ':')) |
		((bytes16)(bytes - '[') <= (bytes16){ 0 } + (']' - '['))));
}

/* A bit for each of 16 bytes that is a control byte: tabs, CR and LF are some. */
static inline unsigned control_mask_16(const uint8_t *p)
{
	bytes16 bytes, del = (bytes16){ 0 } + 0x7f, blank = (bytes16){ 0 } + 0x20;

	memcpy(&bytes, p, sizeof bytes);
	return mask_16((bytes16)((bytes < blank) | (bytes == del)));
}

/* Offset among 16 bytes; 16: none of them is it. */
static inline size_t byte_find_16(const uint8_t *p, uint8_t byte)
{
	bytes16 bytes;

	memcpy(&bytes, p, sizeof bytes);
	return (size_t)__builtin_ctz(mask_16((bytes16)(bytes == (bytes16){ 0 } + byte)) | 1u << 16);
}

/* Offset of the first control byte from `at` on; s.n where there is none. 16 bytes a step: this is the scan. */
static inline size_t control_find(struct span s, size_t at)
{
	while (s.n - at >= 16) {
		unsigned mask = control_mask_16(s.p + at);

		if (mask)
			return at + (size_t)__builtin_ctz(mask);
		at += 16;
	}
	while (at < s.n && !control_byte(s.p[at]))
		at++;
	return at;
}

#endif
