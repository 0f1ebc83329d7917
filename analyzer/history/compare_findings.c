/* SPDX-License-Identifier: MIT */
/*
 * compare_findings: which findings are new, which are gone. Against how many calls is that to be held: those through
 * the host that it is about. A finding of the very calls whose rate is told already goes with that. Findings about no
 * call are held against the days that there are.
 */
#include "analyzer/history/compare_private.h"

#include <stdlib.h>

#include "analyzer/history/schema.h"
#include "captures/base/memory.h"
#include "captures/base/text.h"

enum { WITH_LISTED = 4, JOINED_MOST = 64 };

struct group {                       /* findings of one id about one host */
	const char *id, *about;
	struct share share[SIDES];
	bool days;
};

struct groups {
	struct group *list;
	size_t count, room;
	struct joined {              /* findings of one id that go with a rate */
		size_t difference;
		const char *id, *about;      /* "": of several */
		uint64_t calls;
	} joined[JOINED_MOST];
	size_t joined_count;
};

static void group_add(struct groups *all, struct group g)
{
	if (all->count == all->room) {
		all->room = all->room ? all->room * 2 : 32;
		all->list = memory_resize(all->list, all->room, sizeof *all->list);
	}
	all->list[all->count++] = g;
}

/* With their calls on either side. */
#define CALLS_OF_FINDINGS "SELECT DISTINCT f.id, f.about, s.run, s.n, s.side, s.bits FROM temp.side_call s CROSS JOIN main.finding_call k ON k.run = s.run" \
			  " AND k.call = s.n JOIN main.finding f ON f.run = k.run AND f.n = k.finding WHERE f." SCHEMA_PROBLEM

static int collect(struct comparison *c, sqlite3_stmt *stmt, int result, struct groups *ret, bool days)
{
	while (result == SQLITE_OK && (result = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct group g = { compare_text(c, stmt, 0), compare_text(c, stmt, 1), .days = days };

		for (unsigned i = 0; i < SIDES; i++)
			g.share[i] = (struct share){ (uint64_t)sqlite3_column_int64(stmt, 2 + (int)i), days ? c->totals[i].days : c->totals[i].calls };
		group_add(ret, g);
		result = SQLITE_OK;
	}
	sqlite3_finalize(stmt);
	return result == SQLITE_DONE ? SQLITE_OK : result;
}

static int collect_of_calls(struct comparison *c, struct groups *ret)
{
	sqlite3_stmt *stmt;
	int result = compare_prepare(c, &stmt, "SELECT id, about, sum(side = 0), sum(side = 1) FROM (" CALLS_OF_FINDINGS ") GROUP BY id, about ORDER BY id, about");

	return collect(c, stmt, result, ret, false);
}

static int collect_of_days(struct comparison *c, struct groups *ret)
{
	sqlite3_stmt *stmt;
	int result = compare_prepare(c, &stmt,
		"SELECT id, about, count(DISTINCT CASE WHEN side = 0 THEN day END), count(DISTINCT CASE WHEN side = 1 THEN day END) FROM"
		" (SELECT f.id, f.about, side, date(f.first_ns / 1000000000, 'unixepoch', 'localtime') AS day FROM temp.side_run CROSS JOIN main.finding f"
		" USING(run) WHERE f." SCHEMA_PROBLEM " AND NOT EXISTS (SELECT 1 FROM main.finding_call k WHERE k.run = f.run AND k.finding = f.n))"
		" GROUP BY id, about ORDER BY id, about");

	return collect(c, stmt, result, ret, true);
}

/* Calls through that host on either side, where there are any. */
static int expose(struct comparison *c, struct group *g)
{
	sqlite3_stmt *stmt;
	int result = compare_prepare(c, &stmt, "SELECT coalesce(sum((side = 0) * k), 0), coalesce(sum((side = 1) * k), 0) FROM temp.side_count"
				     " WHERE host = %Q", g->about);

	if (result == SQLITE_OK && (result = sqlite3_step(stmt)) == SQLITE_ROW) {
		for (unsigned i = 0; i < SIDES; i++) {
			uint64_t through = (uint64_t)sqlite3_column_int64(stmt, (int)i);

			if (through)
				g->share[i].whole = through;
		}
	}
	sqlite3_finalize(stmt);
	return result == SQLITE_ROW ? SQLITE_OK : result;
}

/* How many of the group's calls on that side are among those of which the rate is told. */
static int count_common(struct comparison *c, const struct group *g, const struct difference *d, unsigned side, uint64_t *ret)
{
	sqlite3_stmt *stmt;
	int result = compare_prepare(c, &stmt, "SELECT count(*) FROM (" CALLS_OF_FINDINGS " AND f.id = %Q AND coalesce(f.about, '') = %Q AND s.side = %u"
				     " AND s.bits & %u) s WHERE %Q = '' OR EXISTS (SELECT 1 FROM main.call_host h WHERE h.run = s.run AND h.call = s.n AND h.host = %Q)",
				     g->id, g->about, side, compare_bad(d->subject), d->host, d->host);

	*ret = 0;
	if (result == SQLITE_OK && (result = sqlite3_step(stmt)) == SQLITE_ROW)
		*ret = (uint64_t)sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return result == SQLITE_ROW ? SQLITE_OK : result;
}

static void join(struct groups *all, size_t difference, const struct group *g, uint64_t calls)
{
	for (size_t i = 0; i < all->joined_count; i++) {
		struct joined *j = &all->joined[i];

		if (j->difference == difference && strcmp(j->id, g->id) == 0) {
			j->about = "";
			j->calls += calls;
			return;
		}
	}
	if (all->joined_count < JOINED_MOST)
		all->joined[all->joined_count++] = (struct joined){ difference, g->id, g->about, calls };
}

static int by_joined(const void *a, const void *b)
{
	const struct joined *x = a, *y = b;

	if (x->difference != y->difference)
		return x->difference < y->difference ? -1 : 1;
	if (x->calls != y->calls)
		return x->calls > y->calls ? -1 : 1;
	return strcmp(x->id, y->id);
}

/* "sip-alg 203.0.113.2 (692 calls), one-way-audio (12 calls)" */
static void name_joined(struct comparison *c, struct groups *all)
{
	if (all->joined_count)
		qsort(all->joined, all->joined_count, sizeof all->joined[0], by_joined);
	for (size_t i = 0; i < all->joined_count;) {
		struct difference *d = &c->list[all->joined[i].difference];
		size_t first = i;
		struct text t;

		text_init(&t);
		for (; i < all->joined_count && all->joined[i].difference == all->joined[first].difference; i++) {
			const struct joined *j = &all->joined[i];

			if (i - first < WITH_LISTED)
				text_addf(&t, "%s%s%s%s (%llu call%s)", t.n ? ", " : "", j->id, j->about[0] ? " " : "", j->about, (unsigned long long)j->calls,
					  j->calls == 1 ? "" : "s");
		}
		d->with = arena_text(c->arena, span_of(t.p));
		text_fini(&t);
	}
}

/* Nine calls in ten are those of a rate that is told: the finding says why, and goes with it. */
static int join_rates(struct comparison *c, struct groups *all, const struct group *g, bool *ret_joined)
{
	int result = SQLITE_OK;

	*ret_joined = false;
	for (size_t i = 0; i < c->count && !*ret_joined && result == SQLITE_OK; i++) {
		struct difference *d = &c->list[i];
		unsigned side = d->kind == DIFFERENCE_GONE ? SIDE_BEFORE : SIDE_AFTER;
		uint64_t common;

		if (d->subject > SUBJECT_POOR || g->share[side].part == 0)
			continue;
		result = count_common(c, g, d, side, &common);
		*ret_joined = common * 10 >= g->share[side].part * 9;
		if (*ret_joined)
			join(all, i, g, common);
	}
	return result;
}

/* Would it be told if all of them were on one side? What cannot be told whatever comes out is no question (Tarone). */
static bool is_question(const struct share share[SIDES])
{
	uint64_t parts = share[SIDE_BEFORE].part + share[SIDE_AFTER].part;
	struct share none = { 0, share[SIDE_BEFORE].whole }, all = { parts < share[SIDE_AFTER].whole ? parts : share[SIDE_AFTER].whole, share[SIDE_AFTER].whole };

	return fisher_exact(none, all) <= CHANCE;
}

static void tell(struct comparison *c, const struct group *g)
{
	const struct share *before = &g->share[SIDE_BEFORE], *after = &g->share[SIDE_AFTER];
	uint64_t least = g->days ? LEAST_DAYS : LEAST_CALLS;
	double p = fisher_exact(*before, *after);
	bool few = before->whole < least || after->whole < least;
	struct difference *d;

	if (!few && is_question(g->share))
		c->tests[g->days ? FAMILY_DAYS : FAMILY_FINDINGS]++;
	if (before->part && after->part && (few || p > CHANCE))
		return;
	d = compare_add(c, few ? DIFFERENCE_FEW : compare_kind(g->share), SUBJECT_FINDING);
	d->finding = g->id;
	d->host = g->about;
	d->finding_days = g->days;
	memcpy(d->share, g->share, sizeof d->share);
	d->p = few ? -1 : p;
}

static int find_first(struct comparison *c, struct difference *d)
{
	sqlite3_stmt *stmt;
	int result = compare_prepare(c, &stmt, "SELECT f.first_ns, f.run FROM main.finding f WHERE f.id = %Q AND coalesce(f.about, '') = %Q AND f." SCHEMA_PROBLEM
				     " AND (f.run IN (SELECT run FROM temp.side_run WHERE side = 1) OR EXISTS (SELECT 1 FROM main.finding_call k JOIN temp.side_call s"
				     " ON s.run = k.run AND s.n = k.call WHERE k.run = f.run AND k.finding = f.n AND s.side = 1)) ORDER BY f.first_ns LIMIT 1",
				     d->finding, d->host);

	if (result == SQLITE_OK && (result = sqlite3_step(stmt)) == SQLITE_ROW) {
		d->first_ns = sqlite3_column_int64(stmt, 0);
		d->first_run = sqlite3_column_int64(stmt, 1);
	}
	sqlite3_finalize(stmt);
	return result == SQLITE_ROW || result == SQLITE_DONE ? SQLITE_OK : result;
}

static int judge(struct comparison *c, struct groups *all, struct group *g)
{
	size_t count = c->count;
	bool joined = false;
	int result = SQLITE_OK;

	if (!g->days && g->about[0])
		result = expose(c, g);
	for (unsigned i = 0; i < SIDES; i++) {
		if (g->share[i].part > g->share[i].whole)
			g->share[i].whole = g->share[i].part;
	}
	if (!g->days && result == SQLITE_OK)
		result = join_rates(c, all, g, &joined);
	if (joined || result != SQLITE_OK)
		return result;
	tell(c, g);
	return c->count > count && g->share[SIDE_AFTER].part ? find_first(c, &c->list[count]) : SQLITE_OK;
}

/* The most first; else in the order of their names, as they came. */
static int by_calls(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	uint64_t n = x->share[SIDE_BEFORE].part + x->share[SIDE_AFTER].part, m = y->share[SIDE_BEFORE].part + y->share[SIDE_AFTER].part;

	if (n != m)
		return n > m ? -1 : 1;
	return strcmp(x->id, y->id) != 0 ? strcmp(x->id, y->id) : strcmp(x->about, y->about);
}

int compare_findings(struct comparison *c)
{
	struct groups all = { .list = NULL };
	int result = collect_of_calls(c, &all);

	if (result == SQLITE_OK)
		result = collect_of_days(c, &all);
	if (all.count)
		qsort(all.list, all.count, sizeof *all.list, by_calls);
	for (size_t i = 0; i < all.count && result == SQLITE_OK; i++)
		result = judge(c, &all, &all.list[i]);
	name_joined(c, &all);
	free(all.list);
	return result;
}
