/* SPDX-License-Identifier: MIT */
/*
 * table: columns as wide as their cells; where the terminal is narrower, cells are cut and columns left out in a given
 * order.
 */
#ifndef DEADAIR_UI_TABLE_H
#define DEADAIR_UI_TABLE_H

#include "ui/out.h"

struct table_column {
	const char *head;
	bool right;                  /* aligned */
	unsigned gap;                /* columns behind it */
	unsigned least;              /* may be cut down to this before others are left out; 0: never cut */
	unsigned leave_out;          /* 1 first, 2 next ...; 0 never */
};

struct table;

struct table *table_new(const struct table_column *columns, size_t count);      /* columns are lent */
void table_free(struct table *t);
/* The next cell, row by row, left to right; the text is copied. */
void table_cell(struct table *t, enum paint paint, const char *utf8);
size_t table_rows(const struct table *t);
void table_print(const struct table *t, struct out *o, unsigned indent, bool head);

#endif
