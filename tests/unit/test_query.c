/* SPDX-License-Identifier: MIT */
/*
 * test_query: whichever way a list is read, along its times or by the few records that a filter leaves, it says the
 * same.
 */
#include "analyzer/history/query.h"

#include "tests/unit/history_files.h"

enum { MANY = 12000 };               /* more than are looked up one by one */

struct made {
	struct folder folder;
	struct store *store;
};

static void add_call(struct rows *r, unsigned n, const char *from, const char *host)
{
	row_begin(r, ROW_CALL);
	row_integer(r, n);
	row_null(r);
	row_text(r, from);
	row_text(r, "200");
	for (unsigned i = 0; i < 4; i++)
		row_null(r);
	row_text(r, "ended");
	row_null(r);
	row_time(r, RUN_START_NS + n * SECOND_NS);
	row_time(r, RUN_START_NS + n * SECOND_NS);
	for (unsigned i = 0; i < 3; i++)
		row_null(r);
	row_text(r, "yes");
	row_text(r, "yes");
	row_begin(r, ROW_CALL_HOST);
	row_integer(r, n);
	row_text(r, host);
}

static void add_finding(struct rows *r, unsigned n, const char *severity, unsigned call, unsigned explained_by)
{
	row_begin(r, ROW_FINDING);
	row_integer(r, n);
	row_text(r, "rtp-loss");
	row_text(r, "in-network");
	row_text(r, severity);
	row_text(r, "likely");
	row_text(r, "title");
	row_text(r, "cause");
	row_text(r, "fix");
	row_null(r);
	row_text(r, "10.0.0.7");
	row_integer(r, 1);
	row_null(r);
	row_time(r, RUN_START_NS + n * SECOND_NS);
	row_time(r, RUN_START_NS + (n + 1) * SECOND_NS);
	row_integer(r, 1);
	row_text(r, "open");
	row_positive(r, explained_by);
	row_null(r);
	row_text(r, "10.0.0.7");
	row_begin(r, ROW_FINDING_CALL);
	row_integer(r, n);
	row_integer(r, call);
}

/* Calls 1 to MANY by 100 over 10.0.0.1; of these every 4000th by 107 over 10.0.0.7, with a finding each. */
static int make(void **state)
{
	struct made *m = calloc(1, sizeof *m);
	struct run run = run_number(1);
	struct rows rows;
	struct err err;
	int64_t number;

	folder_make(&m->folder);
	m->store = store_expect(m->folder.file, STORE_WRITE);
	rows_init(&rows);
	for (unsigned n = 1; n <= MANY; n++)
		add_call(&rows, n, n % 4000 ? "100" : "107", n % 4000 ? "10.0.0.1" : "10.0.0.7");
	add_finding(&rows, 1, "warning", 4000, 0);
	add_finding(&rows, 2, "error", 8000, 0);
	add_finding(&rows, 3, "info", 12000, 0);
	add_finding(&rows, 4, "error", 12000, 2);
	assert_int_equal(store_begin(m->store, &err), ERR_OK);
	assert_int_equal(store_run(m->store, &run, &number, &err), ERR_OK);
	assert_int_equal(store_rows(m->store, &rows, &err), ERR_OK);
	assert_int_equal(store_commit(m->store, &err), ERR_OK);
	rows_fini(&rows);
	*state = m;
	return 0;
}

static int unmake(void **state)
{
	struct made *m = *state;

	store_close(m->store);
	folder_remove(&m->folder);
	free(m);
	return 0;
}

#define S(seconds) (RUN_START_NS + (seconds) * SECOND_NS)

static const struct {
	const char *name;
	struct listing_filter filter;
	size_t count;
	const char *first, *last;    /* calls; NULL: none */
} calls[] = {
	{ "everything", { 0 }, MANY, "1/12000", "1/1" },
	{ "the latest", { .limit = 3 }, 3, "1/12000", "1/11998" },
	{ "few by number", { .number = "107" }, 3, "1/12000", "1/4000" },
	{ "many by number", { .number = "100" }, MANY - 3, "1/11999", "1/1" },
	{ "many by the callee's", { .number = "2*" }, MANY, "1/12000", "1/1" },
	{ "no pattern but *", { .number = "10?" }, 0, NULL, NULL },
	{ "few by host", { .host = "10.0.0.7" }, 3, "1/12000", "1/4000" },
	{ "many by host", { .host = "10.0.0.1", .limit = 2 }, 2, "1/11999", "1/11998" },
	{ "by finding", { .id = "rtp-loss" }, 3, "1/12000", "1/4000" },
	{ "by another finding", { .id = "one-way-audio" }, 0, NULL, NULL },
	{ "both", { .number = "107", .host = "10.0.0.1" }, 0, NULL, NULL },
	{ "from a time on, which is in it", { .has_since = true, .since_ns = S(11999) }, 2, "1/12000", "1/11999" },
	{ "until a time, which is not", { .has_until = true, .until_ns = S(3) }, 2, "1/2", "1/1" },
	{ "few, in a time", { .number = "107", .has_since = true, .since_ns = S(5000), .has_until = true,
	  .until_ns = S(9000) }, 1, "1/8000", "1/8000" },
	{ "of a run", { .run = 2 }, 0, NULL, NULL },
	{ "one", { .run = 1, .call = 77 }, 1, "1/77", "1/77" },
};

static bool is_call(const struct query *q, const char *expected)
{
	return span_equal(query_value(q, 0).text, span_of(expected));
}

static void calls_are_found(void **state)
{
	struct made *m = *state;

	for (size_t i = 0; i < COUNT_OF(calls); i++) {
		struct err err;
		struct query *q = query_new(m->store, LISTING_CALLS, &calls[i].filter, &err);
		bool ends = true;
		size_t n = 0;

		assert_non_null(q);
		while (query_next(q, &err)) {
			n++;
			ends = ends && (n > 1 || is_call(q, calls[i].first)) &&
				(n < calls[i].count || is_call(q, calls[i].last));
		}
		assert_int_equal(err.code, ERR_OK);
		if (n != calls[i].count || !ends)
			fail_msg("%s: %zu calls", calls[i].name, n);
		query_free(q);
	}
}

static void findings_of_one_cause_are_one(void **state)
{
	struct made *m = *state;
	struct listing_filter filter = { 0 };

	for (unsigned round = 0; round < 2; round++) {
		struct err err;
		struct query *q;

		filter.all = round == 1;
		q = query_new(m->store, LISTING_FINDINGS, &filter, &err);
		assert_non_null(q);
		assert_true(query_next(q, &err));
		assert_true(span_equal(query_value(q, 0).text, SPAN("error")));
		assert_int_equal(query_value(q, 3).integer, S(1));
		assert_int_equal(query_value(q, 5).integer, round ? 4 : 2);
		assert_true(span_equal(query_value(q, 8).text, round ? SPAN("1/f4") : SPAN("1/f2")));
		assert_false(query_next(q, &err));
		query_free(q);
	}
}

/* Every form with every filter is SQL that SQLite takes, and has the columns that it names. */
static void every_listing_takes_every_filter(void **state)
{
	static const struct listing_filter filters[] = {
		{ .number = "1*" }, { .host = "10.0.0.7" }, { .id = "rtp-loss" }, { .has_since = true },
		  { .has_until = true }, { .run = 1, .call = 1, .finding = 1 },
		{ .number = "107", .host = "10.0.0.7", .id = "rtp-loss", .has_since = true, .has_until = true, .run = 1,
		  .all = true, .limit = 5 },
	};
	struct made *m = *state;

	for (enum listing listing = LISTING_RUNS; listing <= LISTING_DIRECTIONS; listing++) {
		for (size_t i = 0; i < COUNT_OF(filters); i++) {
			struct err err = { .code = ERR_OK };
			struct query *q = query_new(m->store, listing, &filters[i], &err);

			if (!q)
				fail_msg("%s, filter %zu: %s", query_noun(listing), i, err.text);
			query_next(q, &err);
			assert_int_equal(err.code, ERR_OK);
			query_free(q);
		}
		assert_non_null(query_column(listing, 0));
		assert_null(query_column(listing, 20));
	}
}

/*
 * The plan that SQLite has for the query just made: no table is read from end to end, and nothing is sorted that is in
 * order already.
 */
static void expect_plan(struct made *m, const char *name, const char *const *allowed_scans)
{
	sqlite3_stmt *query = sqlite3_next_stmt(m->store->db, NULL), *plan;
	char *sql = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sqlite3_sql(query));

	assert_int_equal(sqlite3_prepare_v2(m->store->db, sql, -1, &plan, NULL), SQLITE_OK);
	while (sqlite3_step(plan) == SQLITE_ROW) {
		const char *detail = (const char *)sqlite3_column_text(plan, 3);
		bool allowed = strncmp(detail, "SCAN", 4) != 0 || strncmp(detail, "SCAN (", 6) == 0 ||
			strstr(detail, "USING INDEX") || strstr(detail, "USING COVERING INDEX");

		for (const char *const *a = allowed_scans; a && *a && !allowed; a++)
			allowed = strcmp(detail, *a) == 0;
		if (!allowed)
			fail_msg("%s: %s", name, detail);
	}
	sqlite3_finalize(plan);
	sqlite3_free(sql);
}

static void no_list_reads_a_table_from_end_to_end(void **state)
{
	static const char *const few[] = { "SCAN few", NULL };
	static const struct { const char *name; enum listing listing; struct listing_filter filter; } lists[] = {
		{ "calls", LISTING_CALLS, { .limit = 50 } },
		{ "calls since", LISTING_CALLS, { .has_since = true, .since_ns = S(100), .limit = 50 } },
		{ "calls of a run", LISTING_CALLS, { .run = 1, .limit = 50 } },
		{ "one call", LISTING_CALLS, { .run = 1, .call = 77 } },
		{ "calls by few of a number", LISTING_CALLS, { .number = "107", .limit = 50 } },
		{ "calls by many of a number", LISTING_CALLS, { .number = "100", .limit = 50 } },
		{ "calls by host", LISTING_CALLS, { .host = "10.0.0.7", .limit = 50 } },
		{ "calls by finding", LISTING_CALLS, { .id = "rtp-loss", .limit = 50 } },
		{ "findings of a kind", LISTING_FINDINGS, { .id = "rtp-loss" } },
		{ "incidents", LISTING_INCIDENTS, { .limit = 50 } },
		{ "runs", LISTING_RUNS, { .limit = 50 } },
		{ "trend of a week", LISTING_TREND, { .has_since = true, .since_ns = S(100) } },
	};
	struct made *m = *state;

	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		struct err err;
		struct query *q = query_new(m->store, lists[i].listing, &lists[i].filter, &err);

		assert_non_null(q);
		expect_plan(m, lists[i].name, few);
		query_free(q);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_are_found),
		cmocka_unit_test(findings_of_one_cause_are_one),
		cmocka_unit_test(every_listing_takes_every_filter),
		cmocka_unit_test(no_list_reads_a_table_from_end_to_end),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
