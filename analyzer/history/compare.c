/* SPDX-License-Identifier: MIT */
/* compare: what is different between two stretches of a history. */
#include "analyzer/history/compare.h"

#include <stdlib.h>

#include "analyzer/history/compare_private.h"
#include "analyzer/redact.h"
#include "captures/base/memory.h"

struct difference *compare_add(struct comparison *c, enum difference_kind kind, enum difference_subject subject)
{
	struct difference *d;

	if (c->count == c->room) {
		c->room = c->room ? c->room * 2 : 16;
		c->list = memory_resize(c->list, c->room, sizeof *c->list);
	}
	d = &c->list[c->count++];
	*d = (struct difference){ .kind = kind, .subject = subject, .host = "", .others = "", .finding = "",
		.unheard = "", .before = "", .after = "",
				  .p = -1, .with = "" };
	return d;
}

const char *compare_text(struct comparison *c, sqlite3_stmt *stmt, int column)
{
	const unsigned char *text = sqlite3_column_text(stmt, column);

	return text ? arena_text(c->arena, (struct span){ text, (size_t)sqlite3_column_bytes(stmt, column) }) : "";
}

static double rate(struct share s)
{
	return s.whole ? (double)s.part / (double)s.whole : 0;
}

enum difference_kind compare_kind(const struct share share[SIDES])
{
	if (share[SIDE_BEFORE].part == 0)
		return DIFFERENCE_NEW;
	if (share[SIDE_AFTER].part == 0)
		return DIFFERENCE_GONE;
	/* one of a hundred calls then, fifty now: that is news, too */
	if (rate(share[SIDE_AFTER]) > 10 * rate(share[SIDE_BEFORE]))
		return DIFFERENCE_NEW;
	return rate(share[SIDE_BEFORE]) > 10 * rate(share[SIDE_AFTER]) &&
	       rate(share[SIDE_AFTER]) < LEAST_SHARE / 2 ? DIFFERENCE_GONE : DIFFERENCE_CHANGED;
}

static enum family family_of(const struct difference *d)
{
	if (d->subject == SUBJECT_FINDING)
		return d->finding_days ? FAMILY_DAYS : FAMILY_FINDINGS;
	return FAMILY_RATES;
}

/*
 * Whoever asks a thousand questions gets fifty wrong answers at one in twenty: each probability is held against all
 * that were asked (Bonferroni).
 */
static void weigh(struct comparison *c)
{
	for (size_t i = 0; i < c->count; i++) {
		struct difference *d = &c->list[i];
		double tests;

		if (d->p < 0)
			continue;
		tests = c->tests[family_of(d)] > 1 ? c->tests[family_of(d)] : 1;
		d->p = d->p * tests < 1 ? d->p * tests : 1;
		if (d->p > CHANCE)
			d->kind = DIFFERENCE_FEW;
	}
}

static int by_gravity(const void *a, const void *b)
{
	const struct difference *x = a, *y = b;
	bool x_few = x->kind == DIFFERENCE_FEW, y_few = y->kind == DIFFERENCE_FEW;

	if (x_few != y_few)
		return x_few - y_few;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->subject != y->subject)
		return x->subject < y->subject ? -1 : 1;
	if (x->share[SIDE_AFTER].part != y->share[SIDE_AFTER].part)
		return x->share[SIDE_AFTER].part > y->share[SIDE_AFTER].part ? -1 : 1;
	if (strcmp(x->host, y->host) != 0)
		return strcmp(x->host, y->host);
	return strcmp(x->finding, y->finding) != 0 ? strcmp(x->finding, y->finding) : strcmp(x->others, y->others);
}

/*
 * Does it speak of a host that only runs know whose names were replaced when they were recorded? Without a host: are
 * all runs of the comparison so?
 */
static bool is_replaced(struct comparison *c, const char *host)
{
	sqlite3_stmt *stmt;
	bool replaced;
	int result = *host
		? compare_prepare(c, &stmt,
			"SELECT min(redacted) FROM main.host JOIN main.run ON run.id = run WHERE addr = %Q", host)
		: compare_prepare(c, &stmt,
			"SELECT min(redacted) FROM temp.side_run JOIN main.run ON run.id = side_run.run");

	replaced = result == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_int(stmt, 0) == 1;
	sqlite3_finalize(stmt);
	return replaced;
}

/* When no question is asked with these texts any more. */
static void replace_names(struct comparison *c, struct redact *r)
{
	bool all = is_replaced(c, "");

	for (size_t i = 0; i < c->count && !all; i++) {
		struct difference *d = &c->list[i];

		if (d->host[0] && is_replaced(c, d->host))
			continue;

		d->host = redact_text(r, d->host);
		d->others = redact_text(r, d->others);
		d->before = redact_text(r, d->before);
		d->after = redact_text(r, d->after);
		d->with = redact_text(r, d->with);
	}
}

struct comparison *compare_new(struct store *s, const struct compare_side sides[SIDES], struct err *err)
{
	int (*const parts[])(struct comparison *) = { compare_sides_count, compare_rates, compare_findings,
		compare_hosts };
	struct comparison *c = memory_zalloc(sizeof *c);
	int result;

	c->store = s;
	c->arena = arena_new();
	result = compare_sides_make(c, sides);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0] && result == SQLITE_OK; i++)
		result = parts[i](c);
	if (result != SQLITE_OK) {
		store_failed(s, result, err);
		compare_free(c);
		return NULL;
	}
	weigh(c);
	if (c->count)
		qsort(c->list, c->count, sizeof *c->list, by_gravity);
	if (s->redact)
		replace_names(c, s->redact);
	return c;
}

void compare_free(struct comparison *c)
{
	if (!c)
		return;
	arena_free(c->arena);
	free(c->list);
	free(c);
}

const struct compare_totals *compare_totals(const struct comparison *c, unsigned side)
{
	return &c->totals[side];
}

size_t compare_count(const struct comparison *c)
{
	return c->count;
}

const struct difference *compare_get(const struct comparison *c, size_t i)
{
	return &c->list[i];
}
