/* SPDX-License-Identifier: MIT */
/* askers: calls and registrations of a history, by where they came from. */
#include "analyzer/history/askers.h"

#include "analyzer/history/store_private.h"
#include "captures/base/ns.h"

#define DAY_NS (24 * HOUR_NS)

/* The AOR is kept as user@host. */
static const char asks[] =
	"SELECT from_at, to_user, from_agent, start_ns AS at_ns, answer_ns IS NOT NULL FROM call JOIN run r ON r.id = call.run"
	" WHERE start_ns BETWEEN ?1 AND ?2 AND NOT redacted AND identity IS NOT ?3 AND from_at IS NOT NULL AND to_user IS NOT NULL"
	" UNION ALL "
	"SELECT g.source, substr(aor, 1, instr(aor || '@', '@') - 1), device, g.first_ns, state <> 'failed' FROM registration g JOIN run r ON r.id = g.run"
	" WHERE g.first_ns BETWEEN ?1 AND ?2 AND NOT redacted AND identity IS NOT ?3 AND g.source IS NOT NULL AND aor IS NOT NULL"
	" ORDER BY at_ns DESC LIMIT 16384";
_Static_assert(PAST_ASKS_MOST == 16384, "the statement says it, too");

static struct span text_at(sqlite3_stmt *stmt, int column)
{
	const unsigned char *text = sqlite3_column_text(stmt, column);

	return text ? (struct span){ text, (size_t)sqlite3_column_bytes(stmt, column) } : SPAN_NONE;
}

static void add_ask(struct past_asks *p, sqlite3_stmt *stmt)
{
	struct past_ask ask = { .user = text_at(stmt, 1), .agent = text_at(stmt, 2),
		.at_ns = sqlite3_column_int64(stmt, 3), .accepted = sqlite3_column_int(stmt, 4) };
	struct endpoint at;

	if (!endpoint_parse(text_at(stmt, 0), &at) || !ask.user.n)
		return;
	ask.source = at.addr;
	past_asks_add(p, &ask);
}

struct past_asks *askers_new(struct store *s, int64_t until_ns, const uint8_t identity[DIGEST_BYTES], struct err *err)
{
	struct past_asks *p = past_asks_new();
	sqlite3_stmt *stmt = NULL;
	int result = sqlite3_prepare_v2(s->db, asks, -1, &stmt, NULL);

	if (result == SQLITE_OK)
		result = sqlite3_bind_int64(stmt, 1, ns_minus(until_ns, DAY_NS));
	if (result == SQLITE_OK)
		result = sqlite3_bind_int64(stmt, 2, until_ns);
	if (result == SQLITE_OK && identity)
		result = sqlite3_bind_blob(stmt, 3, identity, DIGEST_BYTES, SQLITE_STATIC);
	while (result == SQLITE_OK && (result = sqlite3_step(stmt)) == SQLITE_ROW) {
		add_ask(p, stmt);
		result = SQLITE_OK;
	}
	sqlite3_finalize(stmt);
	if (result == SQLITE_DONE)
		return p;
	store_failed(s, result, err);
	past_asks_free(p);
	return NULL;
}
