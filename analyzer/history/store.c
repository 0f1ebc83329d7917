/* SPDX-License-Identifier: MIT */
/* store: a history, one SQLite file: how it is opened, and how runs are written into it. */
#include "analyzer/history/store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/history/schema.h"
#include "captures/base/memory.h"
#include "captures/base/ns.h"
#include "captures/base/text.h"

enum { INSERT_ROOM = 320, WAL_RETRY_MS = 20 };

static const struct {
	const char *name;
	unsigned columns;            /* with run */
} tables[ROW_TABLES] = {
	[ROW_FILE] = { "file", 3 },	    [ROW_CALL] = { "call", 20 },	       [ROW_CALL_LEG] = { "call_leg",
		4 },
	[ROW_CALL_HOST] = { "call_host", 3 },   [ROW_DIRECTION] = { "direction", 16 },
	[ROW_STREAM] = { "stream", 16 },
	[ROW_FINDING] = { "finding", 20 },      [ROW_FINDING_CALL] = { "finding_call", 3 },
	[ROW_FINDING_HOST] = { "finding_host", 6 },
	[ROW_EVIDENCE] = { "evidence", 8 },     [ROW_CHANGE] = { "change", 6 },	       [ROW_INCIDENT] = { "incident",
	11 },
	[ROW_REGISTRATION] = { "registration", 12 }, [ROW_HOST] = { "host", 10 },	       [ROW_NAT] = { "nat",
	10 },
};

/* A full disk is an error of input and output where SQLite's own files beside the database are to grow. */
static bool is_full(struct store *s, int result)
{
	int cause = sqlite3_system_errno(s->db);

	return (result & 0xff) == SQLITE_IOERR &&
	       (result == SQLITE_IOERR_SHMSIZE || cause == ENOSPC || cause == EDQUOT);
}

enum err_code store_failed(struct store *s, int result, struct err *err)
{
	switch (is_full(s, result) ? SQLITE_FULL : result & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(err, ERR_FILE,
		       "history %s: another program is writing to it and does not end: try again", s->name);
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return err_set(err, ERR_PERMISSION,
		       "history %s: may not be written: its permissions, or those of its folder", s->name);
	case SQLITE_FULL:
		return err_set(err, ERR_SYSTEM, "history %s: no space left on the device; what was stored before stands. Make room: deadair history prune",
			       s->name);
	case SQLITE_NOTADB:
		return err_set(err, ERR_DAMAGED,
		       "history %s: is no SQLite database; it was left as it is: name another file", s->name);
	case SQLITE_CORRUPT:
		return err_set(err, ERR_DAMAGED,
		       "history %s: is damaged (%s); it was left as it is: sqlite3 FILE .recover may save it", s->name,
			       sqlite3_errmsg(s->db));
	case SQLITE_CANTOPEN:
		return err_set(err, ERR_FILE, "history %s: cannot be opened: %s", s->name,
		       strerror(sqlite3_system_errno(s->db)));
	case SQLITE_CONSTRAINT:         /* our own mistake: no use in trying again */
		return err_set(err, ERR_USAGE, "history %s: a record does not fit: %s", s->name, sqlite3_errmsg(s->db));
	case SQLITE_NOMEM:
		return err_set(err, ERR_SYSTEM, "history %s: no memory left", s->name);
	default:                        /* SQLite's results are no enum of ours */
		return err_set(err, ERR_SYSTEM, "history %s: %s", s->name, sqlite3_errmsg(s->db));
	}
}

/* ---- open ---- */

static int execute(struct store *s, const char *sql)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL);
}

static int number_of(struct store *s, const char *sql, int64_t *ret)
{
	sqlite3_stmt *stmt = NULL;
	int result = sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL);

	if (result == SQLITE_OK)
		result = sqlite3_step(stmt);
	if (result == SQLITE_ROW)
		*ret = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return result == SQLITE_ROW ? SQLITE_OK : result;
}

/* What a history tells about whom one talks to is nobody else's business. */
static enum err_code make_file(const char *path, struct store *s, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
	else if (errno != EEXIST)
		return err_set(err, errno == EACCES || errno == EROFS ? ERR_PERMISSION : ERR_FILE,
		       "history %s: cannot be made: %s", s->name, strerror(errno));
	return ERR_OK;
}

/* "file:..." with what has a meaning there written as %XX; true where it fits. */
static bool uri_of(const char *path, const char *query, char *uri, size_t room)
{
	size_t n = (size_t)snprintf(uri, room, "file:");

	for (; *path; path++) {
		bool plain = (*path >= 'a' && *path <= 'z') || (*path >= 'A' && *path <= 'Z') ||
			(*path >= '0' && *path <= '9') || strchr("/._-", *path);

		if (n + 4 >= room)
			return false;
		n += (size_t)snprintf(uri + n, room - n, plain ? "%c" : "%%%02X", (unsigned char)*path);
	}
	return (size_t)snprintf(uri + n, room - n, "%s", query) < room - n;
}

/*
 * A finished history in a folder that cannot be written (a medium, another user's): SQLite would want to make files
 * beside it, and there is nobody who could change it.
 */
static bool stands_still(const char *path)
{
	char wal[PATH_MAX];

	return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0 &&
	       snprintf(wal, sizeof wal, "%s-wal", path) < (int)sizeof wal && access(wal, F_OK) != 0;
}

static int open_database(struct store *s, const char *path, enum store_access access)
{
	char uri[3 * PATH_MAX + 32];
	int flags = SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | (access == STORE_WRITE ? SQLITE_OPEN_READWRITE
		: SQLITE_OPEN_READONLY);

	if (!uri_of(path, access == STORE_READ && stands_still(path) ? "?immutable=1" : "", uri, sizeof uri))
		return SQLITE_CANTOPEN;
	return sqlite3_open_v2(uri, &s->db, flags, NULL);
}

struct header {
	int64_t application, version, objects;
};

/* All of one moment: somebody may be making the file. */
static int read_header(struct store *s, struct header *h)
{
	bool alone = sqlite3_get_autocommit(s->db);
	int result = alone ? execute(s, "BEGIN") : SQLITE_OK;

	if (result == SQLITE_OK)
		result = number_of(s, "SELECT count(*) FROM sqlite_master", &h->objects);
	if (result == SQLITE_OK)
		result = number_of(s, "PRAGMA application_id", &h->application);
	if (result == SQLITE_OK)
		result = number_of(s, "PRAGMA user_version", &h->version);
	if (alone && !sqlite3_get_autocommit(s->db))
		execute(s, "ROLLBACK");
	return result;
}

/* A file that holds something else is not ours to touch; one of a later version would be misread. */
static enum err_code check_version(struct store *s, int64_t *ret_version, struct err *err)
{
	struct header h = { 0, 0, 0 };
	int result = read_header(s, &h);

	if (result != SQLITE_OK)
		return store_failed(s, result, err);
	if (h.application != SCHEMA_APPLICATION && (h.application != 0 || h.objects != 0))
		return err_set(err, ERR_FILE,
		       "history %s: is a database of another program; it was left as it is: name another file",
		       s->name);
	if (h.version < 0 || h.version > (int64_t)schema_version(schema_steps))
		return err_set(err, ERR_UNSUPPORTED, "history %s: was written by a newer deadair (schema %lld, this one knows %u); it was left as it is", s->name,
			       (long long)h.version, schema_version(schema_steps));
	*ret_version = h.version;
	return ERR_OK;
}

/* Whoever comes first upgrades; who waited for him finds it done. */
static enum err_code bring_up_to_date(struct store *s, struct err *err)
{
	int64_t version;
	int result;

	if (check_version(s, &version, err) != ERR_OK)
		return err->code;
	if (version == (int64_t)schema_version(schema_steps))
		return ERR_OK;
	result = execute(s, "BEGIN IMMEDIATE");
	if (result != SQLITE_OK)
		return store_failed(s, result, err);
	if (check_version(s, &version, err) != ERR_OK) {
		store_rollback(s);
		return err->code;
	}
	if (version < (int64_t)schema_version(schema_steps))
		result = schema_upgrade(s->db, schema_steps, (unsigned)version);
	if (result == SQLITE_OK)
		result = execute(s, "COMMIT");
	if (result == SQLITE_OK)
		return ERR_OK;
	store_failed(s, result, err);
	store_rollback(s);
	return err->code;
}

/* The change of the mode itself is not waited for by SQLite, when two are at it at once. */
static int enter_wal(struct store *s, int wait_ms)
{
	int result = execute(s, "PRAGMA journal_mode = WAL");

	for (int waited_ms = 0; (result & 0xff) == SQLITE_BUSY && waited_ms < wait_ms; waited_ms += WAL_RETRY_MS) {
		sqlite3_sleep(WAL_RETRY_MS);
		result = execute(s, "PRAGMA journal_mode = WAL");
	}
	return result;
}

/*
 * WAL: readers and a writer at once, and a killed writer leaves what it had committed. The cache is only as large as
 * what is written to: the indexes of a million calls are then not read anew for each of them.
 */
static enum err_code prepare_to_write(struct store *s, int wait_ms, struct err *err)
{
	int64_t version;
	int result;

	if (check_version(s, &version, err) != ERR_OK)  /* before anything is changed in it */
		return err->code;
	if (sqlite3_db_readonly(s->db, "main"))
		return store_failed(s, SQLITE_READONLY, err);
	result = enter_wal(s, wait_ms);
	if (result == SQLITE_OK)
		result = execute(s, "PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = 8192; PRAGMA cache_size = -131072");
	if (result != SQLITE_OK)
		return store_failed(s, result, err);
	return bring_up_to_date(s, err);
}

static enum err_code prepare_to_read(struct store *s, struct err *err)
{
	int64_t version;

	if (check_version(s, &version, err) != ERR_OK)
		return err->code;
	if (version < (int64_t)schema_version(schema_steps))
		return err_set(err, ERR_UNSUPPORTED, "history %s: %s", s->name,
			       version == 0 ? "holds nothing yet: deadair read --history FILE fills it"
					    : "has an older schema: deadair history vacuum brings it up to date");
	return ERR_OK;
}

/* SQLite has no word for them. */
static enum err_code check_kind(const struct store *s, const char *path, struct err *err)
{
	struct stat st;

	if (stat(path, &st) != 0 || S_ISREG(st.st_mode))
		return ERR_OK;
	return err_set(err, ERR_FILE, "history %s: %s", s->name,
		S_ISDIR(st.st_mode) ? "is a directory; name a file" : "is no file; name one");
}

static enum err_code open_named(struct store *s, const char *path, enum store_access mode, int wait_ms, struct err *err)
{
	int result;

	if (check_kind(s, path, err) != ERR_OK)
		return err->code;
	if (mode == STORE_READ && access(path, F_OK) != 0)
		return err_set(err, ERR_FILE, "history %s: %s", s->name,
		       errno == ENOENT ? "there is none yet: deadair read --history FILE makes one" : strerror(errno));
	if (mode == STORE_WRITE && make_file(path, s, err) != ERR_OK)
		return err->code;
	result = open_database(s, path, mode);
	if (result != SQLITE_OK && !s->db)
		return err_set(err, ERR_FILE, "history %s: cannot be opened", s->name);
	if (result != SQLITE_OK)
		return store_failed(s, result, err);
	sqlite3_extended_result_codes(s->db, 1);
	sqlite3_busy_timeout(s->db, wait_ms);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	/* views of a file from elsewhere call nothing */
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	return mode == STORE_WRITE ? prepare_to_write(s, wait_ms, err) : prepare_to_read(s, err);
}

struct store *store_open(const char *path, enum store_access mode, int wait_ms, struct err *err)
{
	struct store *s = memory_zalloc(sizeof *s);
	struct err why;

	text_escape(span_of(path), s->name, sizeof s->name);
	if (open_named(s, path, mode, wait_ms, &why) == ERR_OK)
		return s;
	if (err)
		*err = why;
	store_close(s);
	return NULL;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < ROW_TABLES; i++)
		sqlite3_finalize(s->insert[i]);
	sqlite3_close(s->db);
	free(s);
}

/* ---- write ---- */

void store_rollback(struct store *s)
{
	if (!sqlite3_get_autocommit(s->db))     /* SQLite ends a transaction by itself after some failures */
		execute(s, "ROLLBACK");
	s->run = 0;
}

static enum err_code undo(struct store *s, int result, struct err *err)
{
	enum err_code code = store_failed(s, result, err);

	store_rollback(s);
	return code;
}

enum err_code store_begin(struct store *s, struct err *err)
{
	int result = execute(s, "BEGIN IMMEDIATE");

	return result == SQLITE_OK ? ERR_OK : store_failed(s, result, err);
}

enum err_code store_commit(struct store *s, struct err *err)
{
	int result = execute(s, "COMMIT");

	return result == SQLITE_OK ? ERR_OK : undo(s, result, err);
}

static void bind_time(sqlite3_stmt *stmt, int at, int64_t at_ns)
{
	if (at_ns != NS_NONE)
		sqlite3_bind_int64(stmt, at, at_ns);
}

static void bind_run(sqlite3_stmt *stmt, const struct run *run)
{
	sqlite3_bind_blob(stmt, 1, run->identity, DIGEST_BYTES, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 2, run->kind, -1, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 3, run->source, -1, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 4, run->deadair, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 5, run->written_ns);
	bind_time(stmt, 6, run->first_ns);
	bind_time(stmt, 7, run->last_ns);
	sqlite3_bind_int64(stmt, 8, (int64_t)run->frames);
	sqlite3_bind_int64(stmt, 9, (int64_t)run->bytes);
	sqlite3_bind_int(stmt, 10, run->complete);
	sqlite3_bind_text(stmt, 11, run->vantage, -1, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 12, run->seen_from, -1, SQLITE_STATIC);
	sqlite3_bind_int(stmt, 13, run->redacted);
}

static int find_run(struct store *s, const uint8_t identity[DIGEST_BYTES])
{
	sqlite3_stmt *stmt = NULL;
	int result = sqlite3_prepare_v2(s->db, "SELECT id FROM run WHERE identity = ?", -1, &stmt, NULL);

	s->run = 0;
	if (result == SQLITE_OK) {
		sqlite3_bind_blob(stmt, 1, identity, DIGEST_BYTES, SQLITE_STATIC);
		result = sqlite3_step(stmt);
	}
	if (result == SQLITE_ROW)
		s->run = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return result == SQLITE_ROW || result == SQLITE_DONE ? SQLITE_OK : result;
}

/* The number that these contents had before stays theirs; an INSERT that gives way would use up a number each time. */
static int write_run(struct store *s, const struct run *run)
{
	static const char anew[] = "INSERT INTO run(identity, kind, source, deadair, written_ns, first_ns, last_ns, frames, bytes, complete, vantage, seen_from,"
				   " redacted) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
	static const char again[] = "UPDATE run SET kind = ?2, source = ?3, deadair = ?4, written_ns = ?5, first_ns = ?6, last_ns = ?7, frames = ?8, bytes = ?9,"
				    " complete = ?10, vantage = ?11, seen_from = ?12, redacted = ?13 WHERE identity = ?1";
	sqlite3_stmt *stmt = NULL;
	int result = find_run(s, run->identity);

	if (result == SQLITE_OK)
		result = sqlite3_prepare_v2(s->db, s->run ? again : anew, -1, &stmt, NULL);
	if (result == SQLITE_OK) {
		bind_run(stmt, run);
		result = sqlite3_step(stmt);
	}
	sqlite3_finalize(stmt);
	if (result == SQLITE_DONE && !s->run)
		s->run = sqlite3_last_insert_rowid(s->db);
	return result == SQLITE_DONE ? SQLITE_OK : result;
}

static int forget_rows(struct store *s)
{
	int result = SQLITE_OK;

	for (unsigned i = 0; i < ROW_TABLES && result == SQLITE_OK; i++) {
		char sql[96];

		snprintf(sql, sizeof sql, "DELETE FROM %s WHERE run = %lld", tables[i].name, (long long)s->run);
		result = execute(s, sql);
	}
	return result;
}

enum err_code store_run(struct store *s, const struct run *run, int64_t *ret_number, struct err *err)
{
	int result = write_run(s, run);

	if (result == SQLITE_OK && !run->more)
		result = forget_rows(s);
	if (result != SQLITE_OK)
		return undo(s, result, err);
	*ret_number = s->run;
	return ERR_OK;
}

enum err_code store_forget_behind(struct store *s, const struct record_numbers *kept, struct err *err)
{
	const struct { const char *table, *column; unsigned n; } parts[] = {
		{ "call", "n", kept->calls }, { "call_leg", "call", kept->calls }, { "call_host", "call", kept->calls },
		  { "direction", "call", kept->calls },
		{ "finding_call", "finding", kept->findings }, { "finding", "n", kept->findings },
		  { "finding_host", "finding", kept->findings },
		{ "evidence", "finding", kept->findings }, { "change", "finding", kept->findings },
		  { "stream", "n", kept->streams },
		{ "incident", "n", kept->incidents }, { "registration", "n", kept->registrations },
	};
	int result = SQLITE_OK;

	for (size_t i = 0; i < sizeof parts / sizeof parts[0] && result == SQLITE_OK; i++) {
		char sql[128];

		snprintf(sql, sizeof sql, "DELETE FROM %s WHERE run = %lld AND %s > %u", parts[i].table,
			(long long)s->run, parts[i].column, parts[i].n);
		result = execute(s, sql);
	}
	return result == SQLITE_OK ? ERR_OK : undo(s, result, err);
}

static int prepare_insert(struct store *s, enum row_table table)
{
	char sql[INSERT_ROOM];
	size_t n = (size_t)snprintf(sql, sizeof sql, "INSERT OR REPLACE INTO %s VALUES(?", tables[table].name);

	for (unsigned i = 1; i < tables[table].columns; i++)
		n += (size_t)snprintf(sql + n, sizeof sql - n, ", ?");
	snprintf(sql + n, sizeof sql - n, ")");
	return sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->insert[table], NULL);
}

static int bind_value(sqlite3_stmt *stmt, int at, const struct value *v)
{
	switch (v->kind) {
	case VALUE_NULL:
		return sqlite3_bind_null(stmt, at);
	case VALUE_INTEGER:
		return sqlite3_bind_int64(stmt, at, v->integer);
	case VALUE_REAL:
		return sqlite3_bind_double(stmt, at, v->real);
	case VALUE_TEXT:
		break;
	}
	return sqlite3_bind_text64(stmt, at, (const char *)v->text.p, v->text.n, SQLITE_STATIC, SQLITE_UTF8);
}

static int write_row(struct store *s, const struct row *row)
{
	sqlite3_stmt *stmt;
	int result = s->insert[row->table] ? SQLITE_OK : prepare_insert(s, row->table);

	if (result != SQLITE_OK)
		return result;
	stmt = s->insert[row->table];
	sqlite3_bind_int64(stmt, 1, s->run);
	for (unsigned i = 0; i < row->count && result == SQLITE_OK; i++)
		result = bind_value(stmt, (int)i + 2, &row->values[i]);
	if (result == SQLITE_OK)
		result = sqlite3_step(stmt);
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	return result == SQLITE_DONE ? SQLITE_OK : result;
}

enum err_code store_rows(struct store *s, const struct rows *rows, struct err *err)
{
	struct row row;
	int result = SQLITE_OK;

	for (size_t at = 0; result == SQLITE_OK && rows_next(rows, &at, &row);)
		result = write_row(s, &row);
	return result == SQLITE_OK ? ERR_OK : undo(s, result, err);
}

/* ---- upkeep ---- */

enum err_code store_prune(struct store *s, int64_t before_ns, int64_t *ret_runs, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	int result = sqlite3_prepare_v2(s->db, "DELETE FROM run WHERE last_ns < ?", -1, &stmt, NULL);

	if (result == SQLITE_OK) {
		sqlite3_bind_int64(stmt, 1, before_ns);
		result = sqlite3_step(stmt);
	}
	if (result == SQLITE_DONE)
		*ret_runs = sqlite3_changes(s->db);
	sqlite3_finalize(stmt);
	return result == SQLITE_DONE ? ERR_OK : store_failed(s, result, err);
}

enum err_code store_vacuum(struct store *s, struct err *err)
{
	int result = execute(s, "VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");

	return result == SQLITE_OK ? ERR_OK : store_failed(s, result, err);
}
