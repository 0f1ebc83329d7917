/* SPDX-License-Identifier: MIT */
/*
 * compare_rates: of the calls through which host became more, or fewer, unheard, failed, poor? The host whose calls
 * differ most surely is named; its calls are then put aside, and the others are asked again: one cause is told once,
 * and not of everybody who shares calls with it.
 */
#include "analyzer/history/compare_private.h"

#include "captures/base/ns.h"
#include "captures/base/text.h"

enum { ROUNDS_MOST = 8, OTHERS_LISTED = 6, NO_ROLE = 9 };

struct candidate {
	const char *host;            /* "" all calls */
	struct share share[SIDES];
	int role;                    /* the smaller, the more probably it is to blame */
	double p;
};

static double share_rate(struct share s)
{
	return s.whole ? (double)s.part / (double)s.whole : 0;
}

static bool enough(const struct candidate *k)
{
	double by = share_rate(k->share[SIDE_AFTER]) - share_rate(k->share[SIDE_BEFORE]);

	return k->share[SIDE_BEFORE].whole >= LEAST_CALLS && k->share[SIDE_AFTER].whole >= LEAST_CALLS &&
	       (by >= LEAST_SHARE || by <= -LEAST_SHARE);
}

static struct share share_at(sqlite3_stmt *stmt, int column)
{
	return (struct share){ (uint64_t)sqlite3_column_int64(stmt, column + 1),
	       (uint64_t)sqlite3_column_int64(stmt, column) };
}

/* How many calls of each kind pass each host ("": all of them): made once, and anew when some were put aside. */
static int count_hosts(struct comparison *c)
{
	return compare_execute(c, "DELETE FROM temp.side_count;"
				  " INSERT INTO temp.side_count SELECT '', side, bits, taken, count(*) FROM temp.side_call GROUP BY side, bits, taken;"
				  " INSERT INTO temp.side_count SELECT h.host, s.side, s.bits, s.taken, count(*) FROM temp.side_call s CROSS JOIN main.call_host h"
				  " ON h.run = s.run AND h.call = s.n GROUP BY h.host, s.side, s.bits, s.taken");
}

/* Calls that are not put aside yet: of all at first, then of each host. */
static int ask(struct comparison *c, enum difference_subject rate, sqlite3_stmt **ret)
{
	unsigned applies = compare_applies(rate), bad = compare_bad(rate);

	return compare_prepare(c, ret,
		"SELECT h.host, sum((side = 0) * k), sum((side = 0 AND bits & %u <> 0) * k), sum((side = 1) * k), sum((side = 1 AND bits & %u <> 0) * k),"
		" coalesce((SELECT rank FROM temp.side_host r WHERE r.addr = h.host), %d) FROM temp.side_count h WHERE bits & %u AND NOT taken & %u"
		" GROUP BY h.host HAVING h.host = '' OR sum((side = 1) * k) >= %d ORDER BY h.host",
		bad, bad, NO_ROLE, applies, applies, LEAST_CALLS);
}

static bool same_counts(const struct candidate *a, const struct candidate *b)
{
	return memcmp(a->share, b->share, sizeof a->share) == 0;
}

/* Between two of the same calls the one with the role that breaks calls; else the surer. */
static bool is_better(const struct candidate *k, const struct candidate *than)
{
	if (!than->host)
		return true;
	if (same_counts(k, than))
		return k->host[0] && (!than->host[0] || k->role < than->role);
	return k->p < than->p;
}

struct round {
	struct candidate all, best;
	unsigned tests;
	struct text others;          /* hosts with the best one's counts */
	unsigned other_count;
};

static void take_candidate(struct comparison *c, sqlite3_stmt *stmt, struct round *r)
{
	struct candidate k = { compare_text(c, stmt, 0), { share_at(stmt, 1), share_at(stmt, 3) },
		sqlite3_column_int(stmt, 5), 1 };

	if (k.host[0] && k.share[SIDE_BEFORE].whole == 0)       /* a host that was not there before: what was, then? */
		k.share[SIDE_BEFORE] = r->all.share[SIDE_BEFORE];
	if (!k.host[0])
		r->all = k;
	if (k.share[SIDE_BEFORE].whole < LEAST_CALLS || k.share[SIDE_AFTER].whole < LEAST_CALLS)
		return;
	r->tests++;
	if (!enough(&k))
		return;
	k.p = fisher_exact(k.share[SIDE_BEFORE], k.share[SIDE_AFTER]);
	if (is_better(&k, &r->best))
		r->best = k;
}

static int choose(struct comparison *c, enum difference_subject rate, struct round *r)
{
	sqlite3_stmt *stmt;
	int result = ask(c, rate, &stmt);

	while (result == SQLITE_OK && (result = sqlite3_step(stmt)) == SQLITE_ROW) {
		take_candidate(c, stmt, r);
		result = SQLITE_OK;
	}
	sqlite3_finalize(stmt);
	return result == SQLITE_DONE ? SQLITE_OK : result;
}

/* Who else every one of these calls passes: the counts are the same. */
static int name_others(struct comparison *c, enum difference_subject rate, struct round *r)
{
	sqlite3_stmt *stmt;
	int result = ask(c, rate, &stmt);

	while (result == SQLITE_OK && (result = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct candidate k = { compare_text(c, stmt, 0), { share_at(stmt, 1), share_at(stmt, 3) }, 0, 1 };

		result = SQLITE_OK;
		if (!k.host[0] || strcmp(k.host, r->best.host) == 0 || !same_counts(&k, &r->best))
			continue;
		if (r->other_count++ < OTHERS_LISTED)
			text_addf(&r->others, "%s%s", r->others.n ? ", " : "", k.host);
	}
	sqlite3_finalize(stmt);
	return result == SQLITE_DONE ? SQLITE_OK : result;
}

/* "h" of calls that pass the host; all of them where it is "". */
#define PASSES \
	"(%Q = '' OR EXISTS (SELECT 1 FROM main.call_host h WHERE h.run = s.run AND h.call = s.n AND h.host = %Q))"

static int find_first(struct comparison *c, struct difference *d)
{
	sqlite3_stmt *stmt;
	int result = compare_prepare(c, &stmt,
		"SELECT start_ns, run, n FROM temp.side_call s WHERE side = 1 AND bits & %u AND NOT taken & %u AND "
		PASSES
				     " ORDER BY start_ns, run, n LIMIT 1", compare_bad(d->subject),
				     	compare_applies(d->subject), d->host, d->host);

	if (result == SQLITE_OK && (result = sqlite3_step(stmt)) == SQLITE_ROW) {
		d->first_ns = sqlite3_column_int64(stmt, 0);
		d->first_run = sqlite3_column_int64(stmt, 1);
		d->first_call = sqlite3_column_int64(stmt, 2);
	}
	sqlite3_finalize(stmt);
	return result == SQLITE_ROW || result == SQLITE_DONE ? SQLITE_OK : result;
}

/* Is it nine times in ten the same end that hears nothing? */
static int find_unheard(struct comparison *c, struct difference *d)
{
	unsigned side = d->kind == DIFFERENCE_GONE ? SIDE_BEFORE : SIDE_AFTER;
	sqlite3_stmt *stmt;
	int result = compare_prepare(c, &stmt, "SELECT count(*), sum(k.caller_hears = 'no') FROM temp.side_call s JOIN main.call k ON k.run = s.run AND k.n = s.n"
				     " WHERE side = %u AND bits & %u AND NOT taken & %u AND " PASSES, side,
				     	compare_bad(d->subject),
				     compare_applies(d->subject), d->host, d->host);

	if (result == SQLITE_OK && (result = sqlite3_step(stmt)) == SQLITE_ROW) {
		int64_t all = sqlite3_column_int64(stmt, 0), caller = sqlite3_column_int64(stmt, 1);

		if (all && caller * 10 >= all * 9)
			d->unheard = "caller";
		else if (all && caller * 10 <= all)
			d->unheard = "callee";
	}
	sqlite3_finalize(stmt);
	return result == SQLITE_ROW ? SQLITE_OK : result;
}

/* A call that failed is not answered either: that goes with it. */
static int put_aside(struct comparison *c, const struct difference *d)
{
	unsigned taken = compare_applies(d->subject) | (d->subject == SUBJECT_FAILED
		? compare_applies(SUBJECT_UNANSWERED) : 0);

	int result = compare_execute(c, "UPDATE temp.side_call AS s SET taken = taken | %u WHERE " PASSES, taken,
		d->host, d->host);

	return result == SQLITE_OK ? count_hosts(c) : result;
}

static int tell(struct comparison *c, enum difference_subject rate, struct round *r)
{
	struct difference *d;
	int result = name_others(c, rate, r);

	if (result != SQLITE_OK)
		return result;
	d = compare_add(c, compare_kind(r->best.share), rate);
	memcpy(d->share, r->best.share, sizeof d->share);
	d->p = r->best.p;
	d->host = r->best.host;
	d->others = arena_text(c->arena, span_of(r->others.p));
	d->other_count = r->other_count;
	result = find_first(c, d);
	if (result == SQLITE_OK && rate == SUBJECT_ONE_WAY)
		result = find_unheard(c, d);
	return result == SQLITE_OK ? put_aside(c, d) : result;
}

static int compare_rate(struct comparison *c, enum difference_subject rate)
{
	int result = SQLITE_OK;
	bool found = true;

	for (unsigned i = 0; i < ROUNDS_MOST && found && result == SQLITE_OK; i++) {
		struct round r = { .best = { .host = NULL, .p = 1 } };

		text_init(&r.others);
		result = choose(c, rate, &r);
		if (i == 0)
			c->tests[FAMILY_RATES] += r.tests;
		found = r.best.host && r.best.p * r.tests <= CHANCE;
		if (result == SQLITE_OK && found)
			result = tell(c, rate, &r);
		text_fini(&r.others);
	}
	return result;
}

static int rank_roles(struct comparison *c)
{
	return compare_execute(c, "DROP TABLE IF EXISTS temp.side_host; CREATE TEMP TABLE side_host AS SELECT addr,"
				  " min(CASE WHEN instr(roles, 'nat') THEN 0 WHEN instr(roles, 'sbc') THEN 1 WHEN instr(roles, 'pbx') THEN 2"
				  " WHEN instr(roles, 'proxy') THEN 3 WHEN instr(roles, 'trunk') THEN 4 ELSE %d END) AS rank FROM main.host"
				  " WHERE roles IS NOT NULL AND run IN (SELECT DISTINCT run FROM temp.side_call) GROUP BY addr;"
				  " CREATE INDEX temp.side_host_addr ON side_host(addr)", NO_ROLE - 1);
}

static int compare_registrations(struct comparison *c)
{
	const struct compare_totals *t = c->totals;
	struct candidate k = { "", { { t[0].registrations_failed, t[0].registrations },
		{ t[1].registrations_failed, t[1].registrations } }, 0, 1 };
	struct difference *d;

	if (!enough(&k))
		return SQLITE_OK;
	c->tests[FAMILY_RATES]++;
	d = compare_add(c, compare_kind(k.share), SUBJECT_REGISTRATIONS);
	memcpy(d->share, k.share, sizeof d->share);
	d->p = fisher_exact(k.share[SIDE_BEFORE], k.share[SIDE_AFTER]);
	return SQLITE_OK;
}

int compare_rates(struct comparison *c)
{
	int result = rank_roles(c);

	if (result == SQLITE_OK)
		result = count_hosts(c);
	for (enum difference_subject rate = SUBJECT_ONE_WAY; rate <= SUBJECT_POOR && result == SQLITE_OK; rate++)
		result = compare_rate(c, rate);
	return result == SQLITE_OK ? compare_registrations(c) : result;
}
