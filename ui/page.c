/* SPDX-License-Identifier: MIT */
/* page: see the header. */
#include "ui/page.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

void page_init(struct page *p)
{
	*p = (struct page){ .closing = NULL };
	text_init(&p->heading);
}

void page_fini(struct page *p)
{
	text_fini(&p->heading);
}

void page_escape(struct text *t, const char *utf8)
{
	for (size_t n; *utf8; utf8 += n) {
		n = strcspn(utf8, "&<>\"'");
		text_addf(t, "%.*s", (int)n, utf8);
		switch (utf8[n]) {
		case '&': text_add(t, "&amp;"); break;
		case '<': text_add(t, "&lt;"); break;
		case '>': text_add(t, "&gt;"); break;
		case '"': text_add(t, "&quot;"); break;
		case '\'': text_add(t, "&#39;"); break;
		}
		n += utf8[n] != '\0';
	}
}

void page_raw(struct out *o, const char *html)
{
	out_bytes(o, html, strlen(html));
}

void page_rawf(struct out *o, const char *format, ...)
{
	char small[512];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(small, sizeof small, format, args);
	va_end(args);
	assert(n >= 0 && (size_t)n < sizeof small);     /* numbers and words of ours */
	out_bytes(o, small, (size_t)n);
}

void page_escaped(struct out *o, const char *utf8)
{
	struct text t;

	text_init(&t);
	page_escape(&t, utf8);
	out_bytes(o, t.p, t.n);
	text_fini(&t);
}

const char *page_class(enum paint paint)
{
	static const char *const names[] = {
		[PAINT_PLAIN] = "", [PAINT_BAD] = "bad", [PAINT_WARN] = "warn", [PAINT_GOOD] = "good",
			[PAINT_UNKNOWN] = "unknown", [PAINT_HEAD] = "head",
		[PAINT_DIM] = "dim",
	};

	return names[paint];
}

void page_end_line(struct out *o)
{
	if (!o->page->closing)
		return;
	page_raw(o, o->page->closing);
	o->page->closing = NULL;
}

static void begin_line(struct out *o, bool heading)
{
	if (o->page->closing)
		return;
	page_raw(o, heading ? "<h2>" : "<p class=\"l\">");
	o->page->closing = heading ? "</h2>\n" : "</p>\n";
	if (heading)
		text_clear(&o->page->heading);
}

static void put_part(struct out *o, enum paint paint, const char *utf8)
{
	bool heading = paint == PAINT_HEAD && *utf8 != ' ' && !o->page->closing,
		painted = paint != PAINT_PLAIN && !heading;

	begin_line(o, heading);
	if (heading)
		text_add(&o->page->heading, utf8);
	if (painted)
		page_rawf(o, "<span class=\"%s\">", page_class(paint));
	page_escaped(o, utf8);
	if (painted)
		page_raw(o, "</span>");
}

void page_text(struct out *o, enum paint paint, const char *utf8)
{
	while (*utf8) {
		size_t n = strcspn(utf8, "\n");
		struct text part;

		text_init(&part);
		text_addf(&part, "%.*s", (int)n, utf8);
		if (n)
			put_part(o, paint, part.p);
		text_fini(&part);
		if (utf8[n] == '\n') {
			page_end_line(o);
			n++;
		}
		utf8 += n;
	}
}

/* A mark and its sentence begin a problem, or are the answer; everything else is a label and what stands behind it. */
void page_paragraph(struct out *o, unsigned indent, const char *label, unsigned label_columns, enum paint paint,
	const char *text)
{
	bool title = indent == 0 && label_columns == 2;

	page_end_line(o);
	page_rawf(o, title ? "<h2><span class=\"%s\">" : "<p class=\"row\"><b class=\"%s\">",
		page_class(*label ? paint : PAINT_PLAIN));
	page_escaped(o, label);
	page_raw(o, title ? "</span> " : "</b> <span>");
	page_escaped(o, text);
	page_raw(o, title ? "</h2>\n" : "</span></p>\n");
	if (title) {
		text_clear(&o->page->heading);
		text_add(&o->page->heading, text);
	}
}
