/* SPDX-License-Identifier: MIT */
/*
 * test_store: real databases: the same twice, strange, newer, damaged, locked, full, read-only files, killed writers,
 * two of them, older schemas.
 */
#include "analyzer/history/store.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "analyzer/history/schema.h"
#include "tests/unit/history_files.h"

static void make_schema(sqlite3 *db)
{
	assert_int_equal(schema_upgrade(db, schema_steps, 0), SQLITE_OK);
}

/* ---- runs ---- */

static void the_same_contents_are_one_run(void **state)
{
	struct folder f;
	struct err err;
	struct store *s;
	int64_t first, other, again;

	(void)state;
	folder_make(&f);
	s = store_expect(f.file, STORE_WRITE);
	assert_int_equal(write_calls(s, 1, 5, &first, &err), ERR_OK);
	assert_int_equal(write_calls(s, 2, 3, &other, &err), ERR_OK);
	assert_int_equal(write_calls(s, 1, 4, &again, &err), ERR_OK);
	assert_int_equal(again, first);
	assert_int_not_equal(other, first);
	assert_int_equal(number_in(s->db, "SELECT count(*) FROM runs"), 2);
	assert_int_equal(number_in(s->db, "SELECT count(*) FROM calls"), 4 + 3);
	integrity_holds(s->db);
	store_close(s);
	folder_remove(&f);
}

static void a_run_takes_everything_with_it(void **state)
{
	struct folder f;
	struct err err;
	struct store *s;
	int64_t run;

	(void)state;
	folder_make(&f);
	s = store_expect(f.file, STORE_WRITE);
	assert_int_equal(write_calls(s, 1, 5, &run, &err), ERR_OK);
	assert_int_equal(sqlite3_exec(s->db, "DELETE FROM run", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(number_in(s->db, "SELECT count(*) FROM call"), 0);
	store_close(s);
	folder_remove(&f);
}

static void what_is_not_committed_is_not_there(void **state)
{
	struct run run = run_number(1);
	struct folder f;
	struct err err;
	struct store *s;
	int64_t n;

	(void)state;
	folder_make(&f);
	s = store_expect(f.file, STORE_WRITE);
	assert_int_equal(store_begin(s, &err), ERR_OK);
	assert_int_equal(store_run(s, &run, &n, &err), ERR_OK);
	store_rollback(s);
	assert_int_equal(number_in(s->db, "SELECT count(*) FROM run"), 0);
	assert_int_equal(write_calls(s, 1, 1, &n, &err), ERR_OK);
	store_close(s);
	folder_remove(&f);
}

static void only_its_owner_reads_it(void **state)
{
	struct folder f;
	struct stat st;

	(void)state;
	folder_make(&f);
	store_close(store_expect(f.file, STORE_WRITE));
	assert_int_equal(stat(f.file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	folder_remove(&f);
}

static void every_view_can_be_read(void **state)
{
	static const char *const names[] = { "runs", "calls", "findings", "incidents", "registrations", "streams",
		"hosts", "daily" };
	struct folder f;
	struct err err;
	struct store *s;
	int64_t run;

	(void)state;
	folder_make(&f);
	s = store_expect(f.file, STORE_WRITE);
	assert_int_equal(write_calls(s, 1, 2, &run, &err), ERR_OK);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		char sql[64];

		snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", names[i]);
		assert_true(number_in(s->db, sql) >= 0);
	}
	assert_int_equal(number_in(s->db,
		"SELECT count(*) FROM calls WHERE start LIKE '2026-11-20 09:00:0%' AND id = '1/2'"), 1);
	assert_int_equal(number_in(s->db, "SELECT calls FROM daily WHERE day = '2026-11-20'"), 2);
	store_close(s);
	folder_remove(&f);
}

/* ---- files that are not for us ---- */

static void run_sql(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void make_newer(const char *path)
{
	store_close(store_expect(path, STORE_WRITE));
	run_sql(path, "PRAGMA user_version = 99");
}

static void make_foreign(const char *path)
{
	run_sql(path, "CREATE TABLE moz_places(url)");
}

static void make_text(const char *path)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	for (unsigned i = 0; i < 1000; i++)
		fputs("these are notes of somebody\n", f);
	fclose(f);
}

static void make_cut(const char *path)
{
	struct err err;
	struct store *s = store_expect(path, STORE_WRITE);
	int64_t run;

	assert_int_equal(write_calls(s, 1, 500, &run, &err), ERR_OK);
	store_close(s);
	assert_int_equal(truncate(path, 4096), 0);
}

static const struct {
	const char *name;
	void (*make)(const char *path);
	enum err_code code;
	const char *says;
} strangers[] = {
	{ "newer schema", make_newer, ERR_UNSUPPORTED, "newer deadair (schema 99" },
	{ "another program's", make_foreign, ERR_FILE, "another program" },
	{ "no database", make_text, ERR_DAMAGED, "no SQLite database" },
	{ "cut off", make_cut, ERR_DAMAGED, "is damaged" },
};

static size_t contents(const char *path, char *bytes, size_t room)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	assert_non_null(f);
	n = fread(bytes, 1, room, f);
	fclose(f);
	return n;
}

static void strange_files_are_left_as_they_are(void **state)
{
	static char before[1 << 20], after[1 << 20];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(strangers); i++) {
		for (enum store_access mode = STORE_WRITE; mode <= STORE_READ; mode++) {
			struct folder f;
			struct err err = { .code = ERR_OK };
			size_t n;

			folder_make(&f);
			strangers[i].make(f.file);
			n = contents(f.file, before, sizeof before);
			assert_null(store_open(f.file, mode, 0, &err));
			if (err.code != strangers[i].code || !strstr(err.text, strangers[i].says) ||
			    !strstr(err.text, f.file))
				fail_msg("%s: %d %s", strangers[i].name, err.code, err.text);
			assert_int_equal(contents(f.file, after, sizeof after), n);
			assert_memory_equal(before, after, n);
			folder_remove(&f);
		}
	}
}

static void a_damaged_page_is_said_when_it_is_met(void **state)
{
	struct folder f;
	struct err err;
	struct store *s;
	char junk[4096];
	int64_t run;
	int fd;

	(void)state;
	memset(junk, 0xa5, sizeof junk);
	folder_make(&f);
	s = store_expect(f.file, STORE_WRITE);
	assert_int_equal(write_calls(s, 1, 500, &run, &err), ERR_OK);
	store_close(s);
	fd = open(f.file, O_WRONLY);
	for (off_t at = 2 * 4096; at < 60 * 4096; at += 4096)   /* all but the schema */
		assert_int_equal(pwrite(fd, junk, sizeof junk, at), sizeof junk);
	close(fd);
	s = store_open(f.file, STORE_WRITE, 0, &err);
	if (s)
		assert_int_not_equal(write_calls(s, 1, 500, &run, &err), ERR_OK);
	assert_int_equal(err.code, ERR_DAMAGED);
	assert_non_null(strstr(err.text, "is damaged"));
	store_close(s);
	folder_remove(&f);
}

static void reading_makes_no_file(void **state)
{
	struct folder f;
	struct err err;

	(void)state;
	folder_make(&f);
	assert_null(store_open(f.file, STORE_READ, 0, &err));
	assert_non_null(strstr(err.text, "there is none yet"));
	assert_int_not_equal(access(f.file, F_OK), 0);
	folder_remove(&f);
}

static void names_mean_what_they_are(void **state)
{
	struct folder f;
	char odd[192];

	(void)state;
	folder_make(&f);
	snprintf(odd, sizeof odd, "%s/a?mode=memory#%%41 b.db", f.path);
	store_close(store_expect(odd, STORE_WRITE));
	assert_int_equal(access(odd, F_OK), 0);
	assert_int_equal(unlink(odd), 0);
	folder_remove(&f);
}

/* ---- permissions ---- */

/* As somebody who may not write there; root may everything. The child's status: 0 all was as expected. */
static int as_nobody(const char *path)
{
	struct err err = { .code = ERR_OK };
	struct store *s;
	int64_t calls;

	if (geteuid() == 0 && seteuid(65534) != 0)
		return 1;
	s = store_open(path, STORE_WRITE, 0, &err);
	if (s || err.code != ERR_PERMISSION)
		return 2;
	s = store_open(path, STORE_READ, 0, &err);
	if (!s)
		return 3;
	calls = number_in(s->db, "SELECT count(*) FROM calls");
	store_close(s);
	return calls == 5 ? 0 : 4;
}

static int status_of(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void what_may_not_be_written_can_be_read(void **state)
{
	struct folder f;
	struct err err;
	struct store *s;
	int64_t run;
	pid_t child;

	(void)state;
	folder_make(&f);
	s = store_expect(f.file, STORE_WRITE);
	assert_int_equal(write_calls(s, 1, 5, &run, &err), ERR_OK);
	store_close(s);
	assert_int_equal(chmod(f.file, 0444), 0);
	assert_int_equal(chmod(f.path, 0555), 0);
	child = fork();
	if (child == 0)
		_exit(as_nobody(f.file));
	assert_int_equal(status_of(child), 0);
	assert_int_equal(chmod(f.path, 0700), 0);
	folder_remove(&f);
}

/* ---- others who write, no space, sudden ends ---- */

static void a_locked_file_is_said(void **state)
{
	struct folder f;
	struct err err;
	struct store *one, *other;
	int64_t run;

	(void)state;
	folder_make(&f);
	one = store_expect(f.file, STORE_WRITE);
	other = store_open(f.file, STORE_WRITE, 20, &err);
	assert_non_null(other);
	assert_int_equal(store_begin(one, &err), ERR_OK);
	assert_int_equal(store_begin(other, &err), ERR_FILE);
	assert_non_null(strstr(err.text, "another program is writing"));
	store_rollback(one);
	assert_int_equal(write_calls(other, 1, 1, &run, &err), ERR_OK);
	store_close(other);
	store_close(one);
	folder_remove(&f);
}

static void no_space_costs_only_the_run_that_has_none(void **state)
{
	struct folder f;
	struct err err;
	struct store *s;
	char pragma[64];
	int64_t run;

	(void)state;
	folder_make(&f);
	s = store_expect(f.file, STORE_WRITE);
	assert_int_equal(write_calls(s, 1, 50, &run, &err), ERR_OK);
	snprintf(pragma, sizeof pragma, "PRAGMA max_page_count = %lld",
		(long long)number_in(s->db, "PRAGMA page_count") + 4);
	number_in(s->db, pragma);
	assert_int_equal(write_calls(s, 2, 5000, &run, &err), ERR_SYSTEM);
	assert_non_null(strstr(err.text, "no space left"));
	assert_int_equal(number_in(s->db, "SELECT count(*) FROM calls"), 50);
	assert_int_equal(number_in(s->db, "SELECT count(*) FROM runs"), 1);
	number_in(s->db, "PRAGMA max_page_count = 100000");
	assert_int_equal(write_calls(s, 2, 5000, &run, &err), ERR_OK);
	integrity_holds(s->db);
	store_close(s);
	folder_remove(&f);
}

/* Writes for ever, and tells of each run that was committed. */
static void write_until_killed(const char *path, int tell)
{
	struct store *s = store_open(path, STORE_WRITE, 5000, NULL);
	struct err err;
	int64_t run;

	for (unsigned i = 1; s && write_calls(s, i, 200, &run, &err) == ERR_OK; i++)
		if (write(tell, &i, sizeof i) != sizeof i)
			break;
	_exit(1);
}

static void a_killed_writer_loses_nothing_that_it_committed(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		struct folder f;
		struct store *s;
		unsigned told = 0;
		int tell[2];
		pid_t child;

		folder_make(&f);
		assert_int_equal(pipe(tell), 0);
		child = fork();
		if (child == 0)
			write_until_killed(f.file, tell[1]);
		close(tell[1]);
		while (told < 5 + 3 * round)
			assert_int_equal(read(tell[0], &told, sizeof told), sizeof told);
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, NULL, 0), child);
		while (read(tell[0], &told, sizeof told) == sizeof told)
			;
		close(tell[0]);
		s = store_expect(f.file, STORE_WRITE);
		integrity_holds(s->db);
		assert_in_range(number_in(s->db, "SELECT count(*) FROM run"), told, told + 1);
		assert_int_equal(number_in(s->db,
			"SELECT count(*) FROM run WHERE (SELECT count(*) FROM call WHERE run = id) <> 200"), 0);
		store_close(s);
		folder_remove(&f);
	}
}

static int write_runs(const char *path, unsigned from, unsigned to)
{
	struct store *s = store_open(path, STORE_WRITE, 20000, NULL);
	struct err err;
	int64_t run;

	for (; s && from < to; from++)
		if (write_calls(s, from, 20, &run, &err) != ERR_OK)
			return 1;
	store_close(s);
	return s ? 0 : 2;
}

/* From the first moment on: also the schema is made by one of them only. */
static void two_writers_share_a_file(void **state)
{
	struct folder f;
	struct store *s;
	pid_t children[2];

	(void)state;
	folder_make(&f);
	for (unsigned i = 0; i < 2; i++) {
		children[i] = fork();
		if (children[i] == 0)
			_exit(write_runs(f.file, 100 * i, 100 * i + 40));
	}
	assert_int_equal(status_of(children[0]), 0);
	assert_int_equal(status_of(children[1]), 0);
	s = store_expect(f.file, STORE_READ);
	assert_int_equal(number_in(s->db, "SELECT count(*) FROM run"), 80);
	assert_int_equal(number_in(s->db, "SELECT count(*) FROM call"), 80 * 20);
	integrity_holds(s->db);
	store_close(s);
	folder_remove(&f);
}

/* ---- schemas ---- */

static void every_older_schema_becomes_the_present_one(void **state)
{
	sqlite3 *fresh;

	(void)state;
	assert_int_equal(sqlite3_open(":memory:", &fresh), SQLITE_OK);
	make_schema(fresh);
	for (unsigned from = 0; from <= schema_version(schema_steps); from++) {
		const char *steps[16] = { NULL };       /* those that it knew */
		struct folder f;
		sqlite3 *db;
		struct store *s;

		folder_make(&f);
		assert_true(from < COUNT_OF(steps));
		assert_int_equal(sqlite3_open(f.file, &db), SQLITE_OK);
		memcpy(steps, schema_steps, from * sizeof *steps);
		if (from) {
			assert_int_equal(schema_upgrade(db, steps, 0), SQLITE_OK);
			assert_int_equal(sqlite3_exec(db,
				"INSERT INTO run(identity, kind, source, deadair, written_ns, frames, bytes, complete)"
						      " VALUES(x'01', 'read', 'old.pcap', '0.9', 1, 2, 3, 1)", NULL,
						      	NULL, NULL), SQLITE_OK);
		}
		sqlite3_close(db);
		s = store_expect(f.file, STORE_WRITE);
		assert_int_equal(number_in(s->db, "PRAGMA user_version"), schema_version(schema_steps));
		assert_int_equal(number_in(s->db, "SELECT count(*) FROM runs WHERE source = 'old.pcap' AND frames = 2"),
			from ? 1 : 0);
		assert_int_equal(number_in(s->db, "SELECT count(*) FROM sqlite_master"),
			number_in(fresh, "SELECT count(*) FROM sqlite_master"));
		store_close(s);
		folder_remove(&f);
	}
	sqlite3_close(fresh);
}

static void steps_are_taken_from_where_the_file_is(void **state)
{
	static const char *const steps[] = { NULL, "ALTER TABLE run ADD COLUMN site TEXT",
		"UPDATE run SET site = 'here'", NULL };
	const char *all[COUNT_OF(steps)];
	sqlite3 *db;

	(void)state;
	memcpy(all, steps, sizeof steps);
	all[0] = schema_steps[0];
	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	make_schema(db);
	assert_int_equal(sqlite3_exec(db,
		"INSERT INTO run(identity, kind, source, deadair, written_ns, frames, bytes, complete)"
				      " VALUES(x'01', 'read', 'old.pcap', '0.9', 1, 2, 3, 1)", NULL, NULL, NULL),
				      	SQLITE_OK);
	assert_int_equal(schema_upgrade(db, all, 1), SQLITE_OK);
	assert_int_equal(number_in(db, "PRAGMA user_version"), 3);
	assert_int_equal(number_in(db, "SELECT count(*) FROM run WHERE site = 'here'"), 1);
	assert_int_equal(schema_upgrade(db, all, 3), SQLITE_OK);
	assert_int_equal(number_in(db, "SELECT count(*) FROM runs"), 1);
	sqlite3_close(db);
}

static void a_step_that_fails_changes_nothing(void **state)
{
	static const char *const steps[] = { "CREATE TABLE a(x)", "CREATE TABLE b(x); CREATE TABLE a(x)", NULL };
	sqlite3 *db;

	(void)state;
	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE a(x); PRAGMA user_version = 1; BEGIN IMMEDIATE", NULL, NULL,
		NULL), SQLITE_OK);
	assert_int_not_equal(schema_upgrade(db, steps, 1), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(number_in(db, "PRAGMA user_version"), 1);
	assert_int_equal(number_in(db, "SELECT count(*) FROM sqlite_master"), 1);
	sqlite3_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_contents_are_one_run),
		cmocka_unit_test(a_run_takes_everything_with_it),
		cmocka_unit_test(what_is_not_committed_is_not_there),
		cmocka_unit_test(only_its_owner_reads_it),
		cmocka_unit_test(every_view_can_be_read),
		cmocka_unit_test(strange_files_are_left_as_they_are),
		cmocka_unit_test(a_damaged_page_is_said_when_it_is_met),
		cmocka_unit_test(reading_makes_no_file),
		cmocka_unit_test(names_mean_what_they_are),
		cmocka_unit_test(what_may_not_be_written_can_be_read),
		cmocka_unit_test(a_locked_file_is_said),
		cmocka_unit_test(no_space_costs_only_the_run_that_has_none),
		cmocka_unit_test(a_killed_writer_loses_nothing_that_it_committed),
		cmocka_unit_test(two_writers_share_a_file),
		cmocka_unit_test(every_older_schema_becomes_the_present_one),
		cmocka_unit_test(steps_are_taken_from_where_the_file_is),
		cmocka_unit_test(a_step_that_fails_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
