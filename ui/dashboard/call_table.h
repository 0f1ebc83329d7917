/* SPDX-License-Identifier: MIT */
/* call_table: a row a call: columns as wide as they must be, fewer where it is narrow. */
#ifndef DEADAIR_DASHBOARD_CALL_TABLE_H
#define DEADAIR_DASHBOARD_CALL_TABLE_H

#include "ui/dashboard/parts.h"

struct call_table {
	unsigned column, width; /* of the screen */
	unsigned count;
	struct call_table_column {
		enum call_column which;
		unsigned at, width;
	} columns[CALL_COLUMNS];
	unsigned lane; /* cells before each "hears" */
	bool shows_sort;
};

/* lanes: the most cells; short_words: "none" instead of "nothing". wanted: bits; order: of the columns. */
void call_table_lay(struct call_table *t, struct world *w, uint64_t wanted, const uint8_t order[CALL_COLUMNS],
	unsigned lanes, unsigned column, unsigned width);
void call_table_head(const struct call_table *t, struct dashboard *d, struct sheet *s, unsigned row);
void call_table_row(const struct call_table *t, struct dashboard *d, struct world *w, struct sheet *s, unsigned row,
	const struct call_row *r);
/* What stands where no row does: "no call is in this capture". count: of the calls that no filter has left out. */
void call_table_empty(const struct call_table *t, const struct world *w, size_t count, struct sheet *s, unsigned row);
const char *call_column_name(enum call_column c);
uint64_t call_columns_default(void);

#endif
