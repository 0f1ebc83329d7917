/* SPDX-License-Identifier: MIT */
/* history_files: histories in a folder of their own, and what is in them. */
#ifndef DEADAIR_TESTS_HISTORY_FILES_H
#define DEADAIR_TESTS_HISTORY_FILES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/history/store_private.h"
#include "captures/base/ns.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))
#define RUN_START_NS (INT64_C(1795165200) * SECOND_NS)  /* 2026-11-20 09:00:00 UTC */

struct folder {
	char path[128], file[160];
};

static inline void folder_make(struct folder *f)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(f->path, sizeof f->path, "%.80s/deadair-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->path));
	snprintf(f->file, sizeof f->file, "%s/history.db", f->path);
}

static inline void folder_remove(struct folder *f)
{
	static const char *const endings[] = { "", "-wal", "-shm", "-journal" };
	char name[192];

	for (size_t i = 0; i < COUNT_OF(endings); i++) {
		snprintf(name, sizeof name, "%s%s", f->file, endings[i]);
		unlink(name);
	}
	assert_int_equal(rmdir(f->path), 0);
}

static inline int64_t number_in(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt;
	int64_t n;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return n;
}

static inline void integrity_holds(sqlite3 *db)
{
	assert_int_equal(number_in(db, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
	assert_int_equal(number_in(db, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
}

static inline struct store *store_expect(const char *path, enum store_access mode)
{
	struct err err = { .code = ERR_OK };
	struct store *s = store_open(path, mode, 5000, &err);

	if (!s)
		fail_msg("%s", err.text);
	return s;
}

static inline struct run run_number(unsigned i)
{
	struct run run = { .kind = "read", .source = "office.pcap", .deadair = "1.0.0", .written_ns = RUN_START_NS,
		.first_ns = RUN_START_NS,
			   .last_ns = RUN_START_NS + MINUTE_NS, .frames = 100, .bytes = 20000, .complete = true };

	memcpy(run.identity, &i, sizeof i);
	return run;
}

static inline void add_calls(struct rows *r, unsigned from, unsigned to)
{
	for (unsigned n = from; n < to; n++) {
		row_begin(r, ROW_CALL);
		row_integer(r, n);
		row_text(r, "8f2a@192.168.1.21");
		row_text(r, "1001");
		row_text(r, "01632960105");
		for (unsigned i = 0; i < 4; i++)
			row_null(r);
		row_text(r, "ended");
		row_integer(r, 200);
		row_time(r, RUN_START_NS + n * SECOND_NS);
		row_time(r, RUN_START_NS + n * SECOND_NS);
		row_null(r);
		row_null(r);
		row_null(r);
		row_text(r, "yes");
		row_text(r, "yes");
	}
}

/* A run with so many calls, in one transaction. */
static inline enum err_code write_calls(struct store *s, unsigned run, unsigned calls, int64_t *ret_number,
	struct err *err)
{
	struct run about = run_number(run);
	struct rows rows;
	enum err_code code = ERR_OK;

	rows_init(&rows);
	add_calls(&rows, 1, calls + 1);
	if (store_begin(s, err) != ERR_OK || store_run(s, &about, ret_number, err) != ERR_OK ||
	    store_rows(s, &rows, err) != ERR_OK ||
	    store_commit(s, err) != ERR_OK)
		code = err->code;
	rows_fini(&rows);
	return code;
}

#endif
