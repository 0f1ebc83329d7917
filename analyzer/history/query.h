/* SPDX-License-Identifier: MIT */
/* query: what a history is asked: lists of its records, narrowed, the newest first. */
#ifndef DEADAIR_HISTORY_QUERY_H
#define DEADAIR_HISTORY_QUERY_H

#include "analyzer/history/store.h"

enum listing {
	/* FINDINGS: by id and whom they are about, over all runs */
	LISTING_RUNS, LISTING_CALLS, LISTING_FINDINGS, LISTING_INCIDENTS,
	/* calls by hour or day, the oldest first */
	LISTING_TREND,
	/* of a run: its findings one by one; evidence, changed fields; media */
	LISTING_DIAGNOSES, LISTING_EVIDENCE, LISTING_CHANGES, LISTING_DIRECTIONS
};

/* TIME, LENGTH: integers, ns */
enum column_kind { COLUMN_TEXT, COLUMN_COUNT, COLUMN_REAL, COLUMN_TIME, COLUMN_LENGTH };

struct column {
	/* in JSON and CSV; seconds where the kind is COLUMN_LENGTH; NULL: in tables only */
	const char *name;
	const char *head;            /* in tables; NULL: not shown there */
	enum column_kind kind;
	/* where a terminal is narrow: cut to so many columns; left out first, second ... (0 never) */
	unsigned least, leave_out;
};

struct listing_filter {              /* zeroes: everything */
	bool has_since, has_until;
	int64_t since_ns, until_ns;  /* [since, until) */
	const char *number;          /* of either end, * for any text */
	const char *host;            /* an address that took part */
	const char *id;              /* of a finding */
	int64_t run, call, finding;  /* numbers; 0 any */
	bool hours;                  /* LISTING_TREND: by hour, not by day */
	bool all;                    /* facts, what others explain and what was withdrawn, too */
	size_t limit;                /* 0: no limit */
};

struct query;
struct redact;

/* From now on what is read has other numbers, names and addresses; r is lent for the store's life. False with *err. */
bool query_redact(struct store *s, struct redact *r, struct err *err);

/* NULL with *err. The texts of the filter are copied. */
struct query *query_new(struct store *s, enum listing listing, const struct listing_filter *filter, struct err *err);
void query_free(struct query *q);
/* The next record. False at the end, and when it cannot be read: then err->code is not ERR_OK. */
bool query_next(struct query *q, struct err *err);
/* Of the present record; texts are lent until the next. */
struct value query_value(const struct query *q, unsigned column);

/* NULL: there are not so many. */
const struct column *query_column(enum listing listing, unsigned i);
/* "call", "finding" ...: one record of it. */
const char *query_noun(enum listing listing);

#endif
