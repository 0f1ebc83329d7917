/* SPDX-License-Identifier: MIT */
/* baseline: which findings a history knows already. */
#include "analyzer/history/baseline.h"

#include <stdlib.h>

#include "analyzer/history/record.h"
#include "analyzer/history/store_private.h"
#include "captures/base/arena.h"
#include "captures/base/hash.h"
#include "captures/base/memory.h"
#include "captures/base/ns.h"

struct entry {
	struct hash_link link;
	const char *id, *about;      /* "" about nobody */
	struct known known;
};

struct baseline {
	struct arena *arena;
	struct hash entries;
	uint64_t runs;
	int64_t first_ns;
};

static uint32_t key_hash(const char *id, const char *about)
{
	return (uint32_t)hash_mix(hash_bytes(id, strlen(id)), hash_bytes(about, strlen(about)));
}

static const struct entry *find(const struct baseline *b, const char *id, const char *about)
{
	uint32_t hash = key_hash(id, about);

	for (struct hash_link *l = hash_first(&b->entries, hash); l; l = l->next) {
		const struct entry *e = HASH_ENTRY(l, struct entry, link);

		if (l->hash == hash && strcmp(e->id, id) == 0 && strcmp(e->about, about) == 0)
			return e;
	}
	return NULL;
}

static const char *text_at(struct baseline *b, sqlite3_stmt *stmt, int column)
{
	const unsigned char *text = sqlite3_column_text(stmt, column);

	return text ? arena_text(b->arena, (struct span){ text, (size_t)sqlite3_column_bytes(stmt, column) }) : "";
}

static int64_t time_at(sqlite3_stmt *stmt, int column)
{
	return sqlite3_column_type(stmt, column) == SQLITE_INTEGER ? sqlite3_column_int64(stmt, column) : NS_NONE;
}

static void add_finding(struct baseline *b, sqlite3_stmt *stmt)
{
	struct entry *e = arena_zalloc(b->arena, sizeof *e);

	e->id = text_at(b, stmt, 0);
	e->about = text_at(b, stmt, 1);
	e->known = (struct known){ (uint64_t)sqlite3_column_int64(stmt, 2), time_at(stmt, 3), time_at(stmt, 4) };
	hash_add(&b->entries, &e->link, key_hash(e->id, e->about));
}

static void add_runs(struct baseline *b, sqlite3_stmt *stmt)
{
	b->runs = (uint64_t)sqlite3_column_int64(stmt, 0);
	b->first_ns = time_at(stmt, 1);
}

static int read_all(struct baseline *b, struct store *s, const char *sql, const uint8_t *identity, void (*add)(struct baseline *, sqlite3_stmt *))
{
	sqlite3_stmt *stmt = NULL;
	int result = sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL);

	if (result == SQLITE_OK && identity)
		result = sqlite3_bind_blob(stmt, 1, identity, DIGEST_BYTES, SQLITE_STATIC);
	while (result == SQLITE_OK && (result = sqlite3_step(stmt)) == SQLITE_ROW) {
		add(b, stmt);
		result = SQLITE_OK;
	}
	sqlite3_finalize(stmt);
	return result == SQLITE_DONE ? SQLITE_OK : result;
}

struct baseline *baseline_new(struct store *s, const uint8_t identity[DIGEST_BYTES], struct err *err)
{
	static const char findings[] = "SELECT id, about, count(*), min(first_ns), max(last_ns) FROM finding WHERE state <> 'withdrawn'"
				       " AND run IS NOT (SELECT id FROM run WHERE identity = ?1) GROUP BY id, about ORDER BY max(last_ns) DESC LIMIT 65536";
	static const char runs[] = "SELECT count(*), min(first_ns) FROM run WHERE identity IS NOT ?1";
	struct baseline *b = memory_zalloc(sizeof *b);
	int result;

	_Static_assert(BASELINE_MOST == 65536, "the statement says it, too");
	b->arena = arena_new();
	b->first_ns = NS_NONE;
	hash_init(&b->entries);
	result = read_all(b, s, findings, identity, add_finding);
	if (result == SQLITE_OK)
		result = read_all(b, s, runs, identity, add_runs);
	if (result == SQLITE_OK)
		return b;
	store_failed(s, result, err);
	baseline_free(b);
	return NULL;
}

void baseline_free(struct baseline *b)
{
	if (!b)
		return;
	hash_fini(&b->entries);
	arena_free(b->arena);
	free(b);
}

struct known baseline_find(const struct baseline *b, const struct view_finding *f)
{
	const struct address *about = record_about(f);
	char text[ADDRESS_TEXT];
	const struct entry *e = find(b, f->id, about ? address_text(about, text) : "");

	return e ? e->known : (struct known){ 0, NS_NONE, NS_NONE };
}

uint64_t baseline_runs(const struct baseline *b, int64_t *ret_first_ns)
{
	*ret_first_ns = b->first_ns;
	return b->runs;
}
