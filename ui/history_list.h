/* SPDX-License-Identifier: MIT */
/* history_list: records of a history as a table, as JSON Lines, as CSV. */
#ifndef DEADAIR_UI_HISTORY_LIST_H
#define DEADAIR_UI_HISTORY_LIST_H

#include "ui/history_options.h"
#include "ui/out.h"

/* So many at most (0: all); false with *err where the history cannot be read. */
bool history_list(struct store *s, enum listing listing, const struct listing_filter *filter, size_t limit,
	enum history_form form, struct out *o,
		  size_t *ret_count, struct err *err);

/* A stored text as a field of CSV (RFC 4180), which no spreadsheet takes for a formula. */
void history_csv_text(struct text *line, struct span stored);
/* A stored text for the terminal: it is escaped already, but the file may come from anywhere. */
void history_text(struct text *t, struct span stored);

#endif
