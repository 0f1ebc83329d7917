/* SPDX-License-Identifier: MIT */
/* baseline: which findings a history knows already. */
#include "analyzer/history/baseline.h"

#include <stdlib.h>

#include "analyzer/history/record.h"
#include "analyzer/history/store_private.h"
#include "analyzer/redact.h"
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
	struct redact *redact;       /* lent; NULL none */
	struct arena *arena;
	struct hash entries;
	uint64_t runs;
	int64_t first_ns;
};

static uint32_t key_hash(const char *id, const char *about)
{
	return (uint32_t)hash_mix(hash_bytes(id, strlen(id)), hash_bytes(about, strlen(about)));
}

static struct entry *find(const struct baseline *b, const char *id, const char *about)
{
	uint32_t hash = key_hash(id, about);

	for (struct hash_link *l = hash_first(&b->entries, hash); l; l = l->next) {
		struct entry *e = HASH_ENTRY(l, struct entry, link);

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

/* As views have it: those of runs whose names were not replaced are, too. */
static const char *as_seen(struct baseline *b, const char *about, bool redacted)
{
	char text[ADDRESS_TEXT];
	struct address a;

	if (redacted || !b->redact || !address_parse(span_of(about), &a))
		return about;
	redact_address(b->redact, &a);
	return arena_text(b->arena, span_of(address_text(&a, text)));
}

static void add_finding(struct baseline *b, sqlite3_stmt *stmt)
{
	struct known known = { (uint64_t)sqlite3_column_int64(stmt, 2), time_at(stmt, 3), time_at(stmt, 4) };
	const char *id = text_at(b, stmt, 0), *about = as_seen(b, text_at(b, stmt, 1), sqlite3_column_int(stmt, 5));
	struct entry *e = find(b, id, about);

	if (!e) {
		e = arena_zalloc(b->arena, sizeof *e);
		e->id = id;
		e->about = about;
		e->known = known;
		hash_add(&b->entries, &e->link, key_hash(id, about));
		return;
	}
	e->known.times += known.times;
	if (known.first_ns != NS_NONE && (e->known.first_ns == NS_NONE || known.first_ns < e->known.first_ns))
		e->known.first_ns = known.first_ns;
	if (known.last_ns != NS_NONE && (e->known.last_ns == NS_NONE || known.last_ns > e->known.last_ns))
		e->known.last_ns = known.last_ns;
}

static void add_runs(struct baseline *b, sqlite3_stmt *stmt)
{
	b->runs = (uint64_t)sqlite3_column_int64(stmt, 0);
	b->first_ns = time_at(stmt, 1);
}

static int read_all(struct baseline *b, struct store *s, const char *sql, const uint8_t *identity,
	void (*add)(struct baseline *, sqlite3_stmt *))
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

struct baseline *baseline_new(struct store *s, const uint8_t identity[DIGEST_BYTES], struct redact *redact,
	struct err *err)
{
	static const char findings[] = "SELECT f.id, about, count(*), min(f.first_ns), max(f.last_ns), redacted FROM finding f JOIN run r ON r.id = f.run"
				       " WHERE state <> 'withdrawn' AND identity IS NOT ?1 GROUP BY f.id, about, redacted ORDER BY max(f.last_ns) DESC LIMIT 65536";
	static const char runs[] = "SELECT count(*), min(first_ns) FROM run WHERE identity IS NOT ?1";
	struct baseline *b = memory_zalloc(sizeof *b);
	int result;

	_Static_assert(BASELINE_MOST == 65536, "the statement says it, too");
	b->redact = redact;
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
