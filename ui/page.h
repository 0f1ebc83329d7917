/* SPDX-License-Identifier: MIT */
/*
 * page: out as HTML. The report writes its lines, labels and tables as ever; here they become headings, rows and tables
 * with scopes. All text goes through page_escape(), the one door to a page; what is markup goes through page_raw() and
 * is ours.
 */
#ifndef DEADAIR_UI_PAGE_H
#define DEADAIR_UI_PAGE_H

#include "ui/out.h"

struct page {                        /* of an out: set out.page */
	const char *closing;         /* of the line that is open; NULL: none is */
	struct text heading;         /* the last one: the caption of the tables below it */
};

void page_init(struct page *p);
void page_fini(struct page *p);

/* & < > " ' and nothing else: control characters are escaped where packets are read. */
void page_escape(struct text *t, const char *utf8);
/* Markup of ours. */
void page_raw(struct out *o, const char *html);
void page_rawf(struct out *o, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Text, escaped, at this place of the markup. */
void page_escaped(struct out *o, const char *utf8);

/* What out_text() and out_paint() do on a page: lines; one that begins as a heading is one. */
void page_text(struct out *o, enum paint paint, const char *utf8);
void page_paragraph(struct out *o, unsigned indent, const char *label, unsigned label_columns, enum paint paint,
	const char *text);
/* Ends the line that is open. */
void page_end_line(struct out *o);
/* "bad", "warn" ...; "" for plain. */
const char *page_class(enum paint paint);

/*
 * Figures of a call at this index of view_call(): its ladder, and who heard what when. Nothing where the messages are
 * not known.
 */
struct report;
/* Its parties, how it went, who hears whom. */
void page_sentence(const struct report *r, size_t call);
void page_ladder(const struct report *r, size_t call);
void page_lanes(const struct report *r, size_t call);

#endif
