/* SPDX-License-Identifier: MIT */
/*
 * out: the one door to standard output: buffered, checked, ASCII where the locale is not UTF-8, colour where it was
 * asked for. The first failed write is kept; nothing is written after it.
 */
#ifndef DEADAIR_UI_OUT_H
#define DEADAIR_UI_OUT_H

#include "captures/base/text.h"

enum paint { PAINT_PLAIN, PAINT_BAD, PAINT_WARN, PAINT_GOOD, PAINT_UNKNOWN, PAINT_HEAD, PAINT_DIM };
enum palette { PALETTE_NONE, PALETTE_16, PALETTE_256 };

struct page;                         /* page.h */

struct out {
	int fd;                      /* -1: everything stays in text */
	struct text text;            /* not yet written */
	unsigned columns;            /* of the terminal; 80 where there is none */
	enum palette palette;
	bool ascii;
	struct page *page;           /* page.h: what is written becomes HTML; NULL: text */
	int error;                   /* errno of the first failed write; 0 none */
};

enum { PROSE_COLUMNS = 78, COLUMNS_DEFAULT = 80, COLUMNS_LEAST = 60, COLUMNS_WIDE = 140 };

void out_init(struct out *o, int fd);
/* Writes what is left and frees; the errno of the first failed write, 0 none. */
int out_fini(struct out *o);
void out_flush(struct out *o);

/* Bytes as they are: what is ASCII already (JSON). */
void out_bytes(struct out *o, const char *bytes, size_t n);
/* UTF-8 text, in ASCII where the terminal cannot show it: every character keeps its columns. */
void out_text(struct out *o, const char *utf8);
void out_textf(struct out *o, const char *format, ...) __attribute__((format(printf, 2, 3)));
void out_paint(struct out *o, enum paint paint, const char *utf8);
void out_spaces(struct out *o, size_t n);

/*
 * A label and its text, wrapped at the width of prose with a hanging indent behind the label: label_columns include the
 * gap.
 *     Cause    The firewall puts port 16392 into the phone's SDP, ...
 */
void out_paragraph(struct out *o, unsigned indent, const char *label, unsigned label_columns, enum paint paint,
	const char *text);

#endif
