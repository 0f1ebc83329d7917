/* SPDX-License-Identifier: MIT */
/* out: buffered and checked writing, ASCII stand-ins, colour, wrapped prose. */
#include "ui/out.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "ui/page.h"

enum { FLUSH_BYTES = 1 << 16 };

void out_init(struct out *o, int fd)
{
	*o = (struct out){ .fd = fd, .columns = COLUMNS_DEFAULT };
	text_init(&o->text);
}

void out_flush(struct out *o)
{
	size_t done = 0;

	if (o->fd < 0)
		return;
	while (!o->error && done < o->text.n) {
		ssize_t n = write(o->fd, o->text.p + done, o->text.n - done);

		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR)
			o->error = errno;
	}
	text_clear(&o->text);
}

int out_fini(struct out *o)
{
	int error;

	out_flush(o);
	error = o->error;
	text_fini(&o->text);
	return error;
}

static void flush_when_full(struct out *o)
{
	if (o->fd >= 0 && o->text.n >= FLUSH_BYTES)
		out_flush(o);
}

void out_bytes(struct out *o, const char *bytes, size_t n)
{
	text_addf(&o->text, "%.*s", (int)n, bytes);
	flush_when_full(o);
}

/* Every glyph of ours is one column wide, and so is its stand-in. */
static const struct {
	const char *utf8, *ascii;
} stand_ins[] = {
	{ "✗", "X" }, { "✓", "+" }, { "·", "." }, { "▸", ">" }, { "≠", "#" }, { "→", ">" }, { "←", "<" }, { "↔", "=" },
	  { "…", "~" },
	{ "│", "|" }, { "─", "-" }, { "═", "=" }, { "×", "x" }, { "█", "#" }, { "└", "`" }, { "µ", "u" },
};

static size_t character_bytes(const char *p)
{
	size_t n = 1;

	while (((unsigned char)p[n] & 0xc0) == 0x80)
		n++;
	return n;
}

static void add_stand_in(struct text *t, const char *p, size_t n)
{
	char character[8] = "";

	for (size_t i = 0; i < sizeof stand_ins / sizeof stand_ins[0]; i++) {
		if (strlen(stand_ins[i].utf8) == n && memcmp(stand_ins[i].utf8, p, n) == 0) {
			text_add(t, stand_ins[i].ascii);
			return;
		}
	}
	memcpy(character, p, n < sizeof character ? n : sizeof character - 1);
	for (size_t columns = text_columns(character); columns; columns--)
		text_add(t, "?");
}

static void add_ascii(struct text *t, const char *utf8)
{
	for (size_t n; *utf8; utf8 += n) {
		n = character_bytes(utf8);
		if (n == 1 && (unsigned char)*utf8 < 0x80)
			text_addf(t, "%c", *utf8);
		else
			add_stand_in(t, utf8, n);
	}
}

void out_text(struct out *o, const char *utf8)
{
	if (o->page)
		page_text(o, PAINT_PLAIN, utf8);
	else if (o->ascii)
		add_ascii(&o->text, utf8);
	else
		text_add(&o->text, utf8);
	flush_when_full(o);
}

void out_textf(struct out *o, const char *format, ...)
{
	char small[512];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(small, sizeof small, format, args);
	va_end(args);
	assert(n >= 0 && (size_t)n < sizeof small);     /* for short, bounded texts of ours */
	out_text(o, small);
}

/* 256 colours: 203 red, 221 yellow, 114 green, 117 blue, 245 grey. */
static const char *const codes[][3] = {
	[PAINT_PLAIN] = { NULL, NULL, NULL },
	[PAINT_BAD] = { NULL, "\x1b[1;31m", "\x1b[38;5;203m" },
	[PAINT_WARN] = { NULL, "\x1b[1;33m", "\x1b[38;5;221m" },
	[PAINT_GOOD] = { NULL, "\x1b[32m", "\x1b[38;5;114m" },
	[PAINT_UNKNOWN] = { NULL, "\x1b[36m", "\x1b[38;5;117m" },
	[PAINT_HEAD] = { NULL, "\x1b[1m", "\x1b[1m" },
	[PAINT_DIM] = { NULL, NULL, "\x1b[38;5;245m" },
};

void out_paint(struct out *o, enum paint paint, const char *utf8)
{
	const char *code = codes[paint][o->palette];

	if (o->page) {
		page_text(o, paint, utf8);
		return;
	}
	if (code && *utf8)
		text_add(&o->text, code);
	out_text(o, utf8);
	if (code && *utf8)
		text_add(&o->text, "\x1b[0m");
}

void out_spaces(struct out *o, size_t n)
{
	while (n--) {
		if (o->page)
			page_text(o, PAINT_PLAIN, " ");
		else
			text_add(&o->text, " ");
	}
}

/* "2 098", "4.1 %", "30 s": a number and its thousands or its unit stay on one line. */
static bool holds_together(const char *text, const char *space)
{
	static const char *const units[] = { "%", "s", "ms", "min", "h", "d", "kB", "MB", "GB" };
	size_t digits = strspn(space + 1, "0123456789"), letters = strcspn(space + 1, " ,;.:)");

	if (space == text || space[-1] < '0' || space[-1] > '9')
		return false;
	if (digits == 3)
		return true;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (strlen(units[i]) == letters && strncmp(space + 1, units[i], letters) == 0)
			return true;
	return false;
}

/*
 * Bytes of the longest beginning of text that fits, broken at a space; a word longer than the line is broken where the
 * line ends.
 */
static size_t line_bytes(const char *text, size_t columns)
{
	size_t at = 0, used = 0, broken = 0;

	while (text[at] && text[at] != '\n') {
		size_t n = character_bytes(text + at);
		char character[8] = "";

		if (text[at] == ' ' && !holds_together(text, text + at))
			broken = at;
		memcpy(character, text + at, n < sizeof character ? n : sizeof character - 1);
		used += text_columns(character);
		if (used > columns && text[at] != ' ')
			return broken ? broken : at ? at : n;
		if (used > columns && broken)
			return broken;
		at += n;
	}
	return at;
}

static void put_line(struct out *o, const char *text, size_t n)
{
	struct text line;

	text_init(&line);
	text_addf(&line, "%.*s", (int)n, text);
	out_text(o, line.p);
	text_fini(&line);
}

void out_paragraph(struct out *o, unsigned indent, const char *label, unsigned label_columns, enum paint paint,
	const char *text)
{
	size_t width = o->columns < PROSE_COLUMNS ? o->columns : PROSE_COLUMNS, used = text_columns(label);
	size_t room = width > indent + label_columns + 10 ? width - indent - label_columns : 10;

	if (o->page) {
		page_paragraph(o, indent, label, label_columns, paint, text);
		return;
	}
	out_spaces(o, indent);
	out_paint(o, paint, label);
	out_spaces(o, used < label_columns ? label_columns - used : 0);
	for (bool first = true; first || *text; first = false) {
		size_t n = line_bytes(text, room);

		if (!first)
			out_spaces(o, indent + label_columns);
		put_line(o, text, n);
		out_text(o, "\n");
		text += n;
		while (*text == ' ' || *text == '\n')
			text++;
	}
}
