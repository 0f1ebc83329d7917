/* SPDX-License-Identifier: MIT */
/* history_options: what was asked of `deadair history`. */
#ifndef DEADAIR_UI_HISTORY_OPTIONS_H
#define DEADAIR_UI_HISTORY_OPTIONS_H

#include "analyzer/history/query.h"

enum history_form { HISTORY_TABLE, HISTORY_JSON, HISTORY_CSV };

/* Not to be copied: the filter points into it. */
struct history_options {
	const char *action;          /* "list", "show" ...; within argv */
	const char *record;          /* of show: "92", "92/4", "92/f3" */
	const char *file;            /* NULL: the user's own */
	const char *color;
	enum history_form form;
	struct listing_filter filter;        /* texts within argv; the limit is not in it */
	/* what the filter's host points at: in the one spelling in which addresses are stored */
	char host[ADDRESS_TEXT];
	int64_t runs[2];             /* of compare: before, after; 0 not given */
	bool has_before, has_after;
	int64_t before_ns, after_ns; /* of compare: [.., before), [after, ..) */
	int64_t keep_ns;             /* of prune; 0 not given */
	bool redact;                 /* other numbers, names and addresses */
	bool has_by;                 /* whether filter.hours was asked for */
	size_t limit;                /* 0: all */
};

/* now_ns: what "-3d" and "yesterday" count from. ERR_OK, or *err. */
enum err_code history_options_parse(struct history_options *o, int argc, char **argv, int64_t now_ns, struct err *err);

/* The history that is meant where none is named; false: none can be. */
bool history_default_path(char *path, size_t room);

#endif
