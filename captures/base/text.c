/* SPDX-License-Identifier: MIT */
/* text: a growing text, and the one place where packet bytes become printable. */
#include "captures/base/text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "captures/base/memory.h"

enum { FIRST_ROOM = 64, ESCAPED_BYTE = 4 };      /* "\xNN" */

void text_init(struct text *t)
{
	*t = (struct text){ memory_zalloc(FIRST_ROOM), 0, FIRST_ROOM };
}

void text_fini(struct text *t)
{
	free(t->p);
	*t = (struct text){ NULL, 0, 0 };
}

void text_clear(struct text *t)
{
	t->n = 0;
	t->p[0] = '\0';
}

/* Room for so many bytes more and the NUL. */
static void reserve(struct text *t, size_t more)
{
	size_t room = t->room;

	if (more < room - t->n)
		return;
	while (room - t->n <= more && room <= SIZE_MAX / 2)
		room *= 2;
	t->p = memory_resize(t->p, room - t->n > more ? room : SIZE_MAX, 1);
	t->room = room;
}

void text_add_bytes(struct text *t, const void *bytes, size_t n)
{
	reserve(t, n);
	memcpy(t->p + t->n, bytes, n);
	t->n += n;
	t->p[t->n] = '\0';
}

void text_add(struct text *t, const char *plain)
{
	text_add_bytes(t, plain, strlen(plain));
}

void text_addf(struct text *t, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(t->p + t->n, t->room - t->n, format, args);
	va_end(args);
	assert(n >= 0);
	if ((size_t)n >= t->room - t->n) {
		reserve(t, (size_t)n);
		va_start(args, format);
		vsnprintf(t->p + t->n, t->room - t->n, format, args);
		va_end(args);
	}
	t->n += (size_t)n;
}

/* Bytes of the well-formed UTF-8 character that s begins with (RFC 3629 4), 0 where there is none. */
static size_t utf8_length(struct span s, uint32_t *ret_character)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t c = s.p[0];
	size_t n = c < 0x80 ? 1 : c < 0xc0 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf8 ? 4 : 0;

	if (n == 0 || n > s.n)
		return 0;
	if (n > 1)
		c &= 0x7fu >> n;
	for (size_t i = 1; i < n; i++) {
		if ((s.p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s.p[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret_character = c;
	return n;
}

/* C0, DEL, C1, the backslash, and what turns the reading order or ends a line. */
static bool is_dangerous(uint32_t c)
{
	return c < 0x20 || c == '\\' || (c >= 0x7f && c < 0xa0) || c == 0x061c || c == 0x200e || c == 0x200f ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* Eight bytes of which each is printed as it is: from the blank to the tilde, and no backslash. */
static bool word_plain(const uint8_t *p)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
	uint64_t word, backslash, del;

	memcpy(&word, p, sizeof word);
	backslash = word ^ ones * '\\';
	del = word ^ ones * 0x7f;
	return !((word | (word - ones * ' ') | (backslash - ones) | (del - ones)) & high);
}

/* How many bytes at the beginning are ASCII that is printed as it is: nearly always all of them. */
static size_t plain_length(struct span s)
{
	size_t n = 0;

	while (n + 8 <= s.n && word_plain(s.p + n))
		n += 8;
	while (n < s.n && s.p[n] >= ' ' && s.p[n] < 0x7f && s.p[n] != '\\')
		n++;
	return n;
}

/* How many bytes from the beginning of s are printed as they are: 0 when the first has to be escaped. */
static size_t printable_length(struct span s)
{
	uint32_t c = 0;
	size_t n = utf8_length(s, &c);

	return n && !is_dangerous(c) ? n : 0;
}

static void escape_byte(uint8_t byte, char out[ESCAPED_BYTE])
{
	static const char digits[] = "0123456789abcdef";

	memcpy(out, (const char[]){ '\\', 'x', digits[byte >> 4], digits[byte & 0xf] }, ESCAPED_BYTE);
}

/* One character of s, or one byte of it escaped; gives the bytes written to out, and in *ret_taken those read. */
static size_t escape_one(struct span s, char out[ESCAPED_BYTE], size_t *ret_taken)
{
	size_t n = printable_length(s);

	*ret_taken = n ? n : 1;
	if (n == 0) {
		escape_byte(s.p[0], out);
		return ESCAPED_BYTE;
	}
	memcpy(out, s.p, n);
	return n;
}

void text_add_escaped(struct text *t, struct span s)
{
	char out[ESCAPED_BYTE];
	size_t taken = plain_length(s);

	if (taken)
		text_add_bytes(t, s.p, taken);
	for (s = span_from(s, taken); s.n; s = span_from(s, taken)) {
		size_t n = escape_one(s, out, &taken);

		text_add_bytes(t, out, n);
	}
}

const char *text_escape(struct span s, char *buffer, size_t room)
{
	static const char dots[] = "...";
	size_t at = 0, whole = 0, taken;                 /* whole: the last place where the dots still fit */

	assert(room > sizeof dots);
	if (s.n < room && plain_length(s) == s.n) {
		memcpy(buffer, s.n ? (const char *)s.p : "", s.n);
		buffer[s.n] = '\0';
		return buffer;
	}
	for (; s.n; s = span_from(s, taken)) {
		char out[ESCAPED_BYTE];
		size_t n = escape_one(s, out, &taken);

		if (at + n >= room) {
			memcpy(buffer + whole, dots, sizeof dots);
			return buffer;
		}
		memcpy(buffer + at, out, n);
		at += n;
		if (at + sizeof dots <= room)
			whole = at;
	}
	buffer[at] = '\0';
	return buffer;
}

const char *text_count(uint64_t n, char buffer[TEXT_COUNT])
{
	char digits[24];
	size_t count = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, n), at = 0;

	for (size_t i = 0; i < count; i++) {
		if (i && (count - i) % 3 == 0)
			buffer[at++] = ' ';
		buffer[at++] = digits[i];
	}
	buffer[at] = '\0';
	return buffer;
}

const char *text_counted(uint64_t n, const char *noun, char buffer[TEXT_COUNTED])
{
	size_t length = strlen(noun), kept = length;
	char number[TEXT_COUNT];
	const char *ending = "s";

	if (n == 1) {
		ending = "";
	} else if (noun[length - 1] == 's') {
		ending = "es";
	} else if (noun[length - 1] == 'y' && !strchr("aeiou", noun[length - 2])) {
		kept--;
		ending = "ies";
	}
	snprintf(buffer, TEXT_COUNTED, "%s %.*s%s", text_count(n, number), (int)kept, noun, ending);
	return buffer;
}
