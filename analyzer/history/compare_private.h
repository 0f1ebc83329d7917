/* SPDX-License-Identifier: MIT */
/* compare_private: a comparison as the files that make it see it. */
#ifndef DEADAIR_HISTORY_COMPARE_PRIVATE_H
#define DEADAIR_HISTORY_COMPARE_PRIVATE_H

#include "analyzer/history/compare.h"
#include "analyzer/history/store_private.h"
#include "captures/base/arena.h"

/*
 * Fewer calls than that on a side decide nothing; nor does a difference that chance makes more often than once in a
 * hundred comparisons (troubles come in bursts, which makes them look surer than they are); nor one of so few per cent
 * that nobody would do anything about it.
 */
enum { LEAST_CALLS = COMPARE_LEAST_CALLS, LEAST_DAYS = 5 };
#define CHANCE 0.01
#define LEAST_SHARE 0.02

/* Questions of one kind, asked together, are held against each other. */
enum family { FAMILY_RATES, FAMILY_FINDINGS, FAMILY_DAYS, FAMILIES };

struct comparison {
	struct store *store;
	struct arena *arena;         /* texts of the differences */
	struct compare_totals totals[SIDES];
	struct difference *list;
	size_t count, room;
	double tests[FAMILIES];      /* made so far: what p is multiplied by in the end */
};

/*
 * Temporary tables: side_call(run, n, side, start_ns, bits, taken) of all calls, side_run(run, side) of the runs that
 * lie wholly on a side, side_count(host, side, bits, taken, k) of how many calls of each kind pass each host, "" being
 * all of them. They are in memory or in a temporary file of SQLite's; the history is not written to. Bits: see
 * compare_sides.c.
 */
int compare_sides_make(struct comparison *c, const struct compare_side sides[SIDES]);
int compare_sides_count(struct comparison *c);

int compare_rates(struct comparison *c);
int compare_findings(struct comparison *c);
int compare_hosts(struct comparison *c);

/* A new difference, zeroes and empty texts. */
struct difference *compare_add(struct comparison *c, enum difference_kind kind, enum difference_subject subject);
/* "", where it is NULL. */
const char *compare_text(struct comparison *c, sqlite3_stmt *stmt, int column);
/* Which of the two it is, by its shares: new, gone, more or fewer. */
enum difference_kind compare_kind(const struct share share[SIDES]);

/* The bit of a rate among `bits`: that it applies to a call, and that the call is a bad one. */
static inline unsigned compare_applies(enum difference_subject rate)
{
	return 1u << (2 * rate);
}

static inline unsigned compare_bad(enum difference_subject rate)
{
	return 2u << (2 * rate);
}

/* Formats are those of sqlite3_mprintf(): %Q is a quoted text. *ret is NULL where it is not SQLITE_OK. */
int compare_prepare(struct comparison *c, sqlite3_stmt **ret, const char *format, ...);
int compare_execute(struct comparison *c, const char *format, ...);

#endif
