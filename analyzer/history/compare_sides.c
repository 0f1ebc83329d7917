/* SPDX-License-Identifier: MIT */
/* compare_sides: which calls and runs are before, which after, and what they add up to. */
#include "analyzer/history/compare_private.h"

#include <stdarg.h>
#include <stdio.h>

#include "analyzer/history/schema.h"
#include "captures/base/ns.h"

/*
 * What a call counts for, as the bits of compare_applies() and compare_bad(). Heard by one, or by none: of answered
 * calls. Failed, or not answered for whatever reason: of those whose outcome is known. Poor: of those with a MOS.
 */
static const struct {
	enum difference_subject rate;
	const char *applies, *bad;
} rates[] = {
	{ SUBJECT_ONE_WAY, "answer_ns IS NOT NULL", "(caller_hears = 'no') <> (callee_hears = 'no')" },
	{ SUBJECT_SILENT, "answer_ns IS NOT NULL", "caller_hears = 'no' AND callee_hears = 'no'" },
	{ SUBJECT_FAILED, "state NOT IN ('unknown', 'ringing')", "state = 'failed'" },
	{ SUBJECT_UNANSWERED, "state NOT IN ('unknown', 'ringing')", "answer_ns IS NULL" },
	{ SUBJECT_POOR, "answer_ns IS NOT NULL AND coalesce(caller_mos, callee_mos) IS NOT NULL",
	  "min(coalesce(caller_mos, 5), coalesce(callee_mos, 5)) < " SCHEMA_POOR_MOS },
};

int compare_prepare(struct comparison *c, sqlite3_stmt **ret, const char *format, ...)
{
	va_list ap;
	char *sql;
	int result;

	*ret = NULL;
	va_start(ap, format);
	sql = sqlite3_vmprintf(format, ap);
	va_end(ap);
	result = sql ? sqlite3_prepare_v2(c->store->db, sql, -1, ret, NULL) : SQLITE_NOMEM;
	sqlite3_free(sql);
	return result;
}

int compare_execute(struct comparison *c, const char *format, ...)
{
	va_list ap;
	char *sql;
	int result;

	va_start(ap, format);
	sql = sqlite3_vmprintf(format, ap);
	va_end(ap);
	result = sql ? sqlite3_exec(c->store->db, sql, NULL, NULL, NULL) : SQLITE_NOMEM;
	sqlite3_free(sql);
	return result;
}

static void write_bits(char *sql, size_t room)
{
	size_t n = 0;

	for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++)
		n += (size_t)snprintf(sql + n, room - n, "%s(%s) * (%u + coalesce((%s), 0) * %u)", i ? " + " : "",
			rates[i].applies,
				      compare_applies(rates[i].rate), rates[i].bad, compare_bad(rates[i].rate));
}

static int take_calls(struct comparison *c, const struct compare_side *side, unsigned which, const char *bits)
{
	if (side->run)
		return compare_execute(c, "INSERT OR IGNORE INTO temp.side_call SELECT run, n, %u, start_ns, %s, 0 FROM main.call WHERE run = %lld", which, bits,
				       (long long)side->run);
	return compare_execute(c,
	       "INSERT OR IGNORE INTO temp.side_call SELECT run, n, %u, start_ns, %s, 0 FROM main.call"
				  " WHERE start_ns >= %lld AND start_ns < %lld", which, bits, (long long)side->since_ns,
				  (long long)side->until_ns);
}

static int take_runs(struct comparison *c, const struct compare_side *side, unsigned which)
{
	if (side->run)
		return compare_execute(c, "INSERT OR IGNORE INTO temp.side_run VALUES(%lld, %u)", (long long)side->run,
		       which);
	return compare_execute(c, "INSERT OR IGNORE INTO temp.side_run SELECT id, %u FROM main.run WHERE first_ns >= %lld AND last_ns < %lld", which,
			       (long long)side->since_ns, (long long)side->until_ns);
}

int compare_sides_make(struct comparison *c, const struct compare_side sides[SIDES])
{
	char bits[1024];
	int result = compare_execute(c, "DROP TABLE IF EXISTS temp.side_call; DROP TABLE IF EXISTS temp.side_run;"
					"CREATE TEMP TABLE side_call(run INTEGER, n INTEGER, side INTEGER, start_ns INTEGER, bits INTEGER, taken INTEGER,"
					" PRIMARY KEY(run, n)) WITHOUT ROWID;"
					"DROP TABLE IF EXISTS temp.side_count;"
					"CREATE TEMP TABLE side_count(host TEXT, side INTEGER, bits INTEGER, taken INTEGER, k INTEGER,"
					" PRIMARY KEY(host, side, bits, taken)) WITHOUT ROWID;"
					"CREATE TEMP TABLE side_run(run INTEGER PRIMARY KEY, side INTEGER)");

	write_bits(bits, sizeof bits);
	for (unsigned i = 0; i < SIDES && result == SQLITE_OK; i++) {
		result = take_calls(c, &sides[i], i, bits);
		if (result == SQLITE_OK)
			result = take_runs(c, &sides[i], i);
	}
	return result;
}

static uint64_t count_in(sqlite3_stmt *stmt, int column)
{
	int64_t n = sqlite3_column_int64(stmt, column);

	return n > 0 ? (uint64_t)n : 0;
}

static void take_totals(struct compare_totals *t, sqlite3_stmt *stmt)
{
	uint64_t *const counts[] = { &t->runs, &t->days, &t->calls, &t->answered, &t->one_way, &t->silent, &t->failed,
		&t->rated, &t->poor };
	int column = 1;

	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
		*counts[i] = count_in(stmt, column++);
	t->first_ns = sqlite3_column_type(stmt, column) == SQLITE_NULL ? NS_NONE : sqlite3_column_int64(stmt, column);
	column++;
	t->last_ns = sqlite3_column_type(stmt, column) == SQLITE_NULL ? NS_NONE : sqlite3_column_int64(stmt, column);
}

static int count_calls(struct comparison *c)
{
	sqlite3_stmt *stmt;
	int result = compare_prepare(c, &stmt,
		"SELECT side, count(DISTINCT run), count(DISTINCT date(start_ns / 1000000000, 'unixepoch', 'localtime')), count(*), sum(bits & %u <> 0),"
		" sum(bits & %u <> 0), sum(bits & %u <> 0), sum(bits & %u <> 0), sum(bits & %u <> 0), sum(bits & %u <> 0), min(start_ns), max(start_ns)"
		" FROM temp.side_call GROUP BY side", compare_applies(SUBJECT_ONE_WAY), compare_bad(SUBJECT_ONE_WAY),
		compare_bad(SUBJECT_SILENT),
		compare_bad(SUBJECT_FAILED), compare_applies(SUBJECT_POOR), compare_bad(SUBJECT_POOR));

	while (result == SQLITE_OK && (result = sqlite3_step(stmt)) == SQLITE_ROW) {
		take_totals(&c->totals[sqlite3_column_int(stmt, 0) == SIDE_AFTER], stmt);
		result = SQLITE_OK;
	}
	sqlite3_finalize(stmt);
	return result == SQLITE_DONE ? SQLITE_OK : result;
}

static int count_mos(struct comparison *c)
{
	sqlite3_stmt *stmt;
	int result = compare_prepare(c, &stmt,
		"SELECT side, avg(min(coalesce(caller_mos, 5), coalesce(callee_mos, 5))) FROM temp.side_call s"
					       " JOIN main.call k ON k.run = s.run AND k.n = s.n WHERE bits & %u GROUP BY side", compare_applies(SUBJECT_POOR));

	while (result == SQLITE_OK && (result = sqlite3_step(stmt)) == SQLITE_ROW) {
		c->totals[sqlite3_column_int(stmt, 0) == SIDE_AFTER].mos = sqlite3_column_double(stmt, 1);
		result = SQLITE_OK;
	}
	sqlite3_finalize(stmt);
	return result == SQLITE_DONE ? SQLITE_OK : result;
}

static int count_registrations(struct comparison *c)
{
	sqlite3_stmt *stmt;
	int result = compare_prepare(c, &stmt, "SELECT side, count(*), sum(state = 'failed') FROM main.registration JOIN temp.side_run USING(run) GROUP BY side");

	while (result == SQLITE_OK && (result = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct compare_totals *t = &c->totals[sqlite3_column_int(stmt, 0) == SIDE_AFTER];

		t->registrations = count_in(stmt, 1);
		t->registrations_failed = count_in(stmt, 2);
		result = SQLITE_OK;
	}
	sqlite3_finalize(stmt);
	return result == SQLITE_DONE ? SQLITE_OK : result;
}

int compare_sides_count(struct comparison *c)
{
	int result;

	for (unsigned i = 0; i < SIDES; i++)
		c->totals[i] = (struct compare_totals){ .first_ns = NS_NONE, .last_ns = NS_NONE, .mos = -1 };
	result = count_calls(c);
	if (result == SQLITE_OK)
		result = count_mos(c);
	return result == SQLITE_OK ? count_registrations(c) : result;
}
