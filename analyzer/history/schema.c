/* SPDX-License-Identifier: MIT */
/*
 * schema: the tables of a history. All that belongs to a run is found by the run's number and goes with it. Times are
 * nanoseconds since the epoch, as in the analyzer: exact, and quick to compare; the views show them as text. What is
 * unknown is NULL.
 */
#include "analyzer/history/schema.h"

#include <stdio.h>

#define OF_RUN "run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE"

static const char first_tables[] =
	"CREATE TABLE run(id INTEGER PRIMARY KEY AUTOINCREMENT, identity BLOB NOT NULL UNIQUE, kind TEXT NOT NULL, source TEXT NOT NULL, deadair TEXT NOT NULL,"
	" written_ns INTEGER NOT NULL, first_ns INTEGER, last_ns INTEGER, frames INTEGER NOT NULL, bytes INTEGER NOT NULL, complete INTEGER NOT NULL,"
	" vantage TEXT, seen_from TEXT);"
	"CREATE TABLE file(" OF_RUN ", n INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY(run, n)) WITHOUT ROWID;"
	"CREATE TABLE call(" OF_RUN ", n INTEGER NOT NULL, call_id TEXT, from_user TEXT, to_user TEXT, from_agent TEXT, to_agent TEXT, from_at TEXT, to_at TEXT,"
	" state TEXT NOT NULL, status INTEGER, start_ns INTEGER, answer_ns INTEGER, end_ns INTEGER, pdd_ms REAL, setup_ms REAL,"
	" caller_hears TEXT NOT NULL, callee_hears TEXT NOT NULL, caller_mos REAL, callee_mos REAL, PRIMARY KEY(run, n)) WITHOUT ROWID;"
	"CREATE INDEX call_start ON call(start_ns);"
	"CREATE INDEX call_from ON call(from_user, start_ns);"
	"CREATE INDEX call_to ON call(to_user, start_ns);"
	"CREATE TABLE call_leg(" OF_RUN ", call INTEGER NOT NULL, call_id TEXT NOT NULL, joined_by TEXT, PRIMARY KEY(run, call, call_id)) WITHOUT ROWID;"
	"CREATE INDEX call_leg_id ON call_leg(call_id);"
	"CREATE TABLE call_host(" OF_RUN
	", call INTEGER NOT NULL, host TEXT NOT NULL, PRIMARY KEY(run, call, host)) WITHOUT ROWID;"
	"CREATE INDEX call_host_host ON call_host(host);"
	"CREATE TABLE direction(" OF_RUN ", call INTEGER NOT NULL, n INTEGER NOT NULL, kind TEXT NOT NULL, sender TEXT NOT NULL, from_at TEXT, to_at TEXT,"
	" expected INTEGER NOT NULL, due_ms REAL, packets INTEGER NOT NULL, heard TEXT NOT NULL, why TEXT, codec TEXT, mos REAL, loss_percent REAL,"
	" jitter_ms REAL, PRIMARY KEY(run, call, n)) WITHOUT ROWID;"
	"CREATE TABLE stream(" OF_RUN ", n INTEGER NOT NULL, call INTEGER, src TEXT, dst TEXT, ssrc INTEGER, codec TEXT, clock_hz INTEGER, packets INTEGER NOT NULL,"
	" lost INTEGER, jitter_ms REAL, max_gap_ms REAL, mos REAL, dscp INTEGER, first_ns INTEGER, last_ns INTEGER, PRIMARY KEY(run, n)) WITHOUT ROWID;"
	"CREATE TABLE finding(" OF_RUN ", n INTEGER NOT NULL, id TEXT NOT NULL, reason TEXT NOT NULL, severity TEXT NOT NULL, confidence TEXT NOT NULL,"
	" title TEXT NOT NULL, cause TEXT NOT NULL, fix TEXT NOT NULL, cannot_see TEXT, culprit TEXT, calls INTEGER NOT NULL, since_ns INTEGER,"
	" first_ns INTEGER, last_ns INTEGER, count INTEGER NOT NULL, state TEXT NOT NULL, explained_by INTEGER, incident INTEGER,"
	" PRIMARY KEY(run, n)) WITHOUT ROWID;"
	"CREATE INDEX finding_first ON finding(first_ns);"
	"CREATE INDEX finding_id ON finding(id, culprit, first_ns);"
	"CREATE TABLE finding_call(" OF_RUN
	", finding INTEGER NOT NULL, call INTEGER NOT NULL, PRIMARY KEY(run, finding, call)) WITHOUT ROWID;"
	"CREATE INDEX finding_call_call ON finding_call(run, call);"
	"CREATE TABLE finding_host(" OF_RUN
	", finding INTEGER NOT NULL, n INTEGER NOT NULL, host TEXT NOT NULL, port INTEGER, part TEXT NOT NULL,"
	" PRIMARY KEY(run, finding, n)) WITHOUT ROWID;"
	"CREATE INDEX finding_host_host ON finding_host(host);"
	"CREATE TABLE evidence(" OF_RUN ", finding INTEGER NOT NULL, n INTEGER NOT NULL, file INTEGER, frame INTEGER, last_frame INTEGER, at_ns INTEGER,"
	" what TEXT NOT NULL, PRIMARY KEY(run, finding, n)) WITHOUT ROWID;"
	"CREATE TABLE change(" OF_RUN
	", finding INTEGER NOT NULL, n INTEGER NOT NULL, field TEXT NOT NULL, before TEXT, after TEXT,"
	" PRIMARY KEY(run, finding, n)) WITHOUT ROWID;"
	"CREATE TABLE incident(" OF_RUN
	", n INTEGER NOT NULL, title TEXT NOT NULL, cause TEXT NOT NULL, fix TEXT NOT NULL, severity TEXT NOT NULL,"
	" confidence TEXT NOT NULL, healthy TEXT, calls INTEGER NOT NULL, first_ns INTEGER, last_ns INTEGER, PRIMARY KEY(run, n)) WITHOUT ROWID;"
	"CREATE INDEX incident_first ON incident(first_ns);"
	"CREATE TABLE registration(" OF_RUN
	", n INTEGER NOT NULL, aor TEXT, device TEXT, contact TEXT, source TEXT, registrar TEXT, state TEXT NOT NULL,"
	" status INTEGER, expires_s INTEGER, first_ns INTEGER, last_ns INTEGER, PRIMARY KEY(run, n)) WITHOUT ROWID;"
	"CREATE INDEX registration_first ON registration(first_ns);"
	"CREATE TABLE host(" OF_RUN ", addr TEXT NOT NULL, roles TEXT, user_agent TEXT, sip_ports TEXT, media_low INTEGER, media_high INTEGER, dscp INTEGER,"
	" hops INTEGER, PRIMARY KEY(run, addr)) WITHOUT ROWID;"
	"CREATE TABLE nat(" OF_RUN
	", n INTEGER NOT NULL, inside TEXT NOT NULL, inside_port INTEGER, outside TEXT NOT NULL, outside_port INTEGER,"
	" protocol TEXT, learnt TEXT, first_ns INTEGER, last_ns INTEGER, PRIMARY KEY(run, n)) WITHOUT ROWID;";

/*
 * What findings of one kind are known again by: whom they are about, the culprit, else the victim, else who is named
 * first. Hosts keep the TTL of their packets, runs whether names in them are replaced.
 */
static const char about_whom[] =
	"ALTER TABLE run ADD COLUMN redacted INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX run_first ON run(first_ns);"
	"ALTER TABLE host ADD COLUMN ttl INTEGER;"
	"ALTER TABLE finding ADD COLUMN about TEXT;"
	"UPDATE finding SET about = coalesce(culprit, (SELECT host FROM finding_host h WHERE h.run = finding.run AND h.finding = finding.n"
	" ORDER BY h.part <> 'victim', h.n LIMIT 1));"
	"DROP INDEX finding_id;"
	"CREATE INDEX finding_id ON finding(id, about, first_ns);";

const char *const schema_steps[] = { first_tables, about_whom, NULL };

/* Text of a time, UTC, with milliseconds; NULL stays NULL. */
#define AT(column) "strftime('%Y-%m-%d %H:%M:%f', " column " / 1000000000.0, 'unixepoch')"
#define PROBLEM SCHEMA_PROBLEM
#define ONE_WAY "((caller_hears = 'no') <> (callee_hears = 'no'))"

static const struct {
	const char *name, *select;
} views[] = {
	{ "runs", "SELECT id AS run, kind, source, " AT("first_ns") " AS first, " AT("last_ns")
	  " AS last, round((last_ns - first_ns) / 1e9, 3) AS seconds,"
	  " frames, bytes, complete, vantage, seen_from, (SELECT count(*) FROM call WHERE call.run = run.id) AS calls,"
	  " (SELECT count(*) FROM finding WHERE finding.run = run.id AND " PROBLEM ") AS problems, deadair, "
	  AT("written_ns") " AS written, redacted FROM run" },
	{ "calls", "SELECT run || '/' || n AS id, run, n, " AT("start_ns")
	  " AS start, from_user AS \"from\", to_user AS \"to\", state, status,"
	  " round((coalesce(end_ns, answer_ns) - answer_ns) / 1e9, 3) AS talk_seconds, caller_hears, callee_hears, caller_mos, callee_mos, pdd_ms, setup_ms,"
	  " from_at, to_at, from_agent, to_agent, call_id,"
	  " (SELECT group_concat(DISTINCT f.id) FROM finding_call c JOIN finding f ON f.run = c.run AND f.n = c.finding WHERE c.run = call.run AND c.call = call.n"
	  " AND f." PROBLEM ") AS problems FROM call" },
	{ "findings", "SELECT run || '/f' || n AS id, run, n, id AS finding, reason, severity, confidence, title, cause, fix, culprit, about, calls, " AT("first_ns")
	  " AS first, " AT("last_ns") " AS last, " AT("since_ns")
	  " AS since, count, state, explained_by, incident FROM finding" },
	{ "incidents",
	  "SELECT run || '/i' || n AS id, run, n, severity, confidence, title, cause, fix, healthy, calls, "
	  AT("first_ns") " AS first, "
	  AT("last_ns") " AS last FROM incident" },
	{ "registrations", "SELECT run, n, aor, device, contact, source, registrar, state, status, expires_s, "
	  AT("first_ns") " AS first, " AT("last_ns")
	  " AS last FROM registration" },
	{ "streams", "SELECT run, n, run || '/' || call AS call, src, dst, printf('0x%08x', ssrc) AS ssrc, codec, packets, lost, jitter_ms, max_gap_ms, mos, dscp, "
	  AT("first_ns") " AS first, " AT("last_ns") " AS last FROM stream" },
	{ "hosts", "SELECT host.run, addr, roles, user_agent, sip_ports, media_low, media_high, dscp, hops, ttl, "
	  AT("first_ns") " AS first, " AT("last_ns")
	  " AS last FROM host JOIN run ON run.id = host.run" },
	{ "daily", "SELECT date(start_ns / 1000000000, 'unixepoch') AS day, count(*) AS calls, sum(answer_ns IS NOT NULL) AS answered,"
	  " sum(answer_ns IS NOT NULL AND (caller_hears = 'no' OR callee_hears = 'no')) AS unheard, sum(answer_ns IS NOT NULL AND " ONE_WAY ") AS one_way,"
	  " round(avg(caller_mos), 2) AS caller_mos, round(avg(callee_mos), 2) AS callee_mos FROM call WHERE start_ns IS NOT NULL GROUP BY day" },
};

unsigned schema_version(const char *const *steps)
{
	unsigned n = 0;

	while (steps[n])
		n++;
	return n;
}

static int make_view(sqlite3 *db, const char *name, const char *select)
{
	char *sql = sqlite3_mprintf("DROP VIEW IF EXISTS \"%w\"; CREATE VIEW \"%w\" AS %s", name, name, select);
	int result = sql ? sqlite3_exec(db, sql, NULL, NULL, NULL) : SQLITE_NOMEM;

	sqlite3_free(sql);
	return result;
}

int schema_upgrade(sqlite3 *db, const char *const *steps, unsigned from)
{
	unsigned version = schema_version(steps);
	int result = SQLITE_OK;
	char pragma[96];

	for (unsigned i = from; i < version && result == SQLITE_OK; i++)
		result = sqlite3_exec(db, steps[i], NULL, NULL, NULL);
	for (size_t i = 0; i < sizeof views / sizeof views[0] && result == SQLITE_OK; i++)
		result = make_view(db, views[i].name, views[i].select);
	if (result != SQLITE_OK)
		return result;
	snprintf(pragma, sizeof pragma, "PRAGMA application_id = %d; PRAGMA user_version = %u", (int)SCHEMA_APPLICATION,
		version);
	return sqlite3_exec(db, pragma, NULL, NULL, NULL);
}
