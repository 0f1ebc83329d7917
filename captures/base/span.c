/* SPDX-License-Identifier: MIT */
/* span: looking into bytes that someone else owns. */
#include "captures/base/span.h"

static bool is_letter(uint8_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* Nearly all that differ do so in the first byte, which has been looked at: the others are the same to the letter. */
bool span_same_nocase(const uint8_t *a, const uint8_t *b, size_t n)
{
	if (memcmp(a, b, n) == 0)
		return true;
	for (size_t i = 0; i < n; i++)
		if (a[i] != b[i] && ((a[i] ^ b[i]) != 0x20 || !is_letter(a[i])))
			return false;
	return true;
}

size_t span_find_text(struct span s, struct span text)
{
	const uint8_t *at;

	if (text.n == 0 || text.n > s.n)
		return text.n ? s.n : 0;
	at = memmem(s.p, s.n, text.p, text.n);
	return at ? (size_t)(at - s.p) : s.n;
}

size_t span_find_text_nocase(struct span s, struct span text)
{
	if (text.n == 0)
		return 0;
	for (size_t i = 0; i + text.n <= s.n; i++) {
		if (((s.p[i] ^ text.p[0]) & ~0x20) == 0 && span_same_nocase(s.p + i, text.p, text.n))
			return i;
	}
	return s.n;
}

struct span span_trim_blanks(struct span s)
{
	while (s.n && byte_is_blank(s.p[s.n - 1]))
		s.n--;
	while (s.n && byte_is_blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	return s;
}

bool span_split(struct span *rest, uint8_t separator, struct span *ret_piece)
{
	size_t at;

	if (rest->n == 0)
		return false;
	at = span_find(*rest, separator);
	*ret_piece = span_first(*rest, at);
	*rest = at < rest->n ? span_from(*rest, at + 1) : SPAN_NONE;
	return true;
}

bool span_number(struct span s, uint64_t max, uint64_t *ret_value)
{
	uint64_t value = 0;

	for (size_t i = 0; i < s.n; i++) {
		uint64_t digit = (uint64_t)s.p[i] - '0';

		if (digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, digit, &value))
			return false;
	}
	if (s.n == 0 || value > max)
		return false;
	*ret_value = value;
	return true;
}
