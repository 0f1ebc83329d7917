/* SPDX-License-Identifier: MIT */
/* words: numbers, times and cut texts. */
#include "ui/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

const char *words_count(uint64_t n, char buffer[WORDS])
{
	return text_count(n, buffer);
}

const char *words_counted(uint64_t n, const char *noun, char buffer[WORDS])
{
	_Static_assert((int)WORDS >= (int)TEXT_COUNTED, "room for both");
	return text_counted(n, noun, buffer);
}

const char *words_duration(int64_t length_ns, char buffer[WORDS])
{
	bool tenths = length_ns > 0 && length_ns < 10 * SECOND_NS &&
		(length_ns < SECOND_NS || length_ns % SECOND_NS >= SECOND_NS / 20);

	return ns_words(length_ns, tenths, buffer);
}

static const char *moment_as(int64_t at_ns, char buffer[WORDS], const char *format, const char *with_seconds)
{
	time_t seconds = (time_t)(at_ns / SECOND_NS - (at_ns % SECOND_NS < 0));
	struct tm tm;

	if (!localtime_r(&seconds, &tm) || strftime(buffer, WORDS, tm.tm_sec ? with_seconds : format, &tm) == 0)
		buffer[0] = '\0';
	return buffer;
}

const char *words_moment(int64_t at_ns, char buffer[WORDS])
{
	return moment_as(at_ns, buffer, "%a %-d %b %Y %H:%M:%S %Z", "%a %-d %b %Y %H:%M:%S %Z");
}

const char *words_minute(int64_t at_ns, char buffer[WORDS])
{
	return moment_as(at_ns, buffer, "%a %-d %b %Y %H:%M", "%a %-d %b %Y %H:%M:%S");
}

const char *words_day(int64_t at_ns, char buffer[WORDS])
{
	return moment_as(at_ns, buffer, "%a %-d %b %H:%M:%S %Z", "%a %-d %b %H:%M:%S %Z");
}

const char *words_day_clock(int64_t at_ns, char buffer[WORDS])
{
	return moment_as(at_ns, buffer, "%d %H:%M", "%d %H:%M");
}

bool words_same_day(int64_t a_ns, int64_t b_ns)
{
	char a[WORDS], b[WORDS];

	return strcmp(moment_as(a_ns, a, "%F", "%F"), moment_as(b_ns, b, "%F", "%F")) == 0;
}

const char *words_share(uint64_t part, uint64_t whole, char buffer[WORDS])
{
	double percent = 100.0 * (double)part / (double)whole;

	if (part == 0)
		snprintf(buffer, WORDS, "0 %%");
	else if (percent < 0.1)
		snprintf(buffer, WORDS, "under 0.1 %%");
	else if (percent < 9.95 || (percent > 99 && part < whole))
		snprintf(buffer, WORDS, "%.1f %%", percent > 99.9 ? 99.9 : percent);
	else
		snprintf(buffer, WORDS, "%.0f %%", percent);
	return buffer;
}

const char *words_bytes(uint64_t bytes, char buffer[WORDS])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	double n = (double)bytes;
	unsigned unit = 0;

	for (; n >= 999.5 && unit + 1 < sizeof units / sizeof units[0]; unit++)
		n /= 1000;
	snprintf(buffer, WORDS, unit == 0 || n >= 99.5 ? "%.0f %s" : "%.1f %s", n, units[unit]);
	return buffer;
}

static size_t character_bytes(const char *p)
{
	size_t n = 1;

	while (((unsigned char)p[n] & 0xc0) == 0x80)
		n++;
	return n;
}

static size_t character_columns(const char *p, size_t n)
{
	char character[8] = "";

	memcpy(character, p, n < sizeof character ? n : sizeof character - 1);
	return text_columns(character);
}

/* Bytes at the beginning of a text that take at most so many columns. */
static size_t fitting_bytes(const char *utf8, size_t columns)
{
	size_t at = 0, used = 0;

	while (utf8[at]) {
		size_t n = character_bytes(utf8 + at);

		used += character_columns(utf8 + at, n);
		if (used > columns)
			break;
		at += n;
	}
	return at;
}

void words_cut(struct text *t, const char *utf8, size_t columns, bool at_beginning)
{
	size_t all = text_columns(utf8), skip;

	if (all <= columns) {
		text_add(t, utf8);
	} else if (columns == 0) {
		return;
	} else if (at_beginning) {
		for (skip = 0; all > columns - 1; skip += character_bytes(utf8 + skip))
			all -= character_columns(utf8 + skip, character_bytes(utf8 + skip));
		text_addf(t, "…%s", utf8 + skip);
	} else {
		text_addf(t, "%.*s…", (int)fitting_bytes(utf8, columns - 1), utf8);
	}
}

bool words_is_number(const char *text)
{
	return *text && text[strspn(text, "0123456789+*#-")] == '\0';
}
