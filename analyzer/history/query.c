/* SPDX-License-Identifier: MIT */
/*
 * query: what a history is asked. A list is read along the index of its times, newest first, until there is enough;
 * only where a filter leaves few records are those looked up first and sorted: either way the time goes with what is
 * shown, not with what is stored.
 */
#include "analyzer/history/query.h"

#include <stdio.h>
#include <stdlib.h>

#include "analyzer/history/schema.h"
#include "analyzer/history/store_private.h"
#include "analyzer/redact.h"
#include "captures/base/memory.h"
#include "captures/base/text.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))
#define PROBLEM SCHEMA_PROBLEM
#define SEVERITY_RANK(of) "CASE " of " WHEN 'critical' THEN 3 WHEN 'error' THEN 2 WHEN 'warning' THEN 1 ELSE 0 END"
#define WITH_NUMBER "(from_user GLOB :number OR to_user GLOB :number)"

/* A bar as long as the greatest count; whatever is there is seen, as one cell at least. */
#define BAR_FULL "████████████████"
#define BAR_BAD "××××××××××××××××"
#define CELLS(count) \
	"(CASE WHEN " #count " THEN max(1, CAST(round(16.0 * " #count " / max(calls) OVER ()) AS INTEGER)) ELSE 0 END)"

/* As reports have it. */
#define HEARS(who) "CASE " who "_hears WHEN 'yes' THEN coalesce('✓ ' || round(" who "_mos, 1), '✓') WHEN 'poor' THEN coalesce('! ' || round(" who "_mos, 1), '!')" \
		   " WHEN 'no' THEN '✗ nothing' WHEN 'unknown' THEN '? not visible' ELSE '-' END"

enum { FEW = 10000, COLUMNS_MAX = 20 };

/* Records that a filter leaves: all of them as (run, n), and whether this one is among them. */
struct condition {
	const char *set, *test;
};

static const struct listing_form {
	const char *noun;
	struct { const char *sql; struct column column; } columns[COLUMNS_MAX];
	const char *from;
	const char *since, *until, *run, *call, *finding, *problem;
	struct condition number, host, id;
	const char *group, *order;
	/*
	 * what is read from `from` and grouped; the columns are then made of that, under these names. NULL: no such
	 * step
	 */
	const char *sums;
} forms[] = {
	[LISTING_RUNS] = {
		.noun = "run",
		.columns = {
			{ "id", { "run", "run", COLUMN_COUNT } },
			{ "first_ns", { "first", "start", COLUMN_TIME } },
			{ "last_ns", { "last", NULL, COLUMN_TIME } },
			{ "last_ns - first_ns", { "seconds", "length", COLUMN_LENGTH } },
			{ "source", { "source", "source", COLUMN_TEXT, 12 } },
			{ "(SELECT count(*) FROM call WHERE call.run = run.id)", { "calls", "calls", COLUMN_COUNT } },
			{ "(SELECT count(*) FROM finding WHERE finding.run = run.id AND " PROBLEM ")",
			  { "problems", "problems", COLUMN_COUNT } },
			{ "frames", { "frames", NULL, COLUMN_COUNT } },
			{ "bytes", { "bytes", NULL, COLUMN_COUNT } },
			{ "complete", { "complete", NULL, COLUMN_COUNT } },
			{ "seen_from", { "seen_from", NULL, COLUMN_TEXT } },
			{ "deadair", { "deadair", NULL, COLUMN_TEXT } },
		},
		.from = "run", .since = "last_ns >= :since", .until = "first_ns < :until", .run = "id = :run",
		.number = { NULL, "EXISTS (SELECT 1 FROM call WHERE call.run = run.id AND " WITH_NUMBER ")" },
		.host = { NULL, "EXISTS (SELECT 1 FROM host WHERE host.run = run.id AND addr = :host)" },
		.id = { NULL, "EXISTS (SELECT 1 FROM finding WHERE finding.run = run.id AND finding.id = :id)" },
		.order = "first_ns DESC, id DESC",
	},
	[LISTING_CALLS] = {
		.noun = "call",
		.columns = {
			{ "run || '/' || n", { "call", "call", COLUMN_TEXT } },
			{ "start_ns", { "start", "start", COLUMN_TIME } },
			{ "from_user", { "from", "from", COLUMN_TEXT, 6 } },
			{ "to_user", { "to", "to", COLUMN_TEXT, 6 } },
			{ "state", { "state", "state", COLUMN_TEXT, 0, 1 } },
			{ "status", { "status", NULL, COLUMN_COUNT } },
			{ "end_ns - answer_ns", { "seconds", "talk", COLUMN_LENGTH, 0, 2 } },
			{ "caller_hears", { "caller_hears", NULL, COLUMN_TEXT } },
			{ "callee_hears", { "callee_hears", NULL, COLUMN_TEXT } },
			{ HEARS("caller"), { NULL, "caller hears", COLUMN_TEXT } },
			{ HEARS("callee"), { NULL, "callee hears", COLUMN_TEXT } },
			{ "caller_mos", { "caller_mos", NULL, COLUMN_REAL } },
			{ "callee_mos", { "callee_mos", NULL, COLUMN_REAL } },
			{ "(SELECT group_concat(DISTINCT f.id) FROM finding_call c JOIN finding f ON f.run = c.run AND f.n = c.finding"
			  " WHERE c.run = call.run AND c.call = call.n AND f." PROBLEM ")",
			  { "problems", "problems", COLUMN_TEXT, 10 } },
			{ "from_at", { "from_at", NULL, COLUMN_TEXT } },
			{ "to_at", { "to_at", NULL, COLUMN_TEXT } },
			{ "from_agent", { "from_agent", NULL, COLUMN_TEXT } },
			{ "to_agent", { "to_agent", NULL, COLUMN_TEXT } },
			{ "call_id", { "call_id", NULL, COLUMN_TEXT } },
		},
		.from = "call", .since = "start_ns >= :since", .until = "start_ns < :until", .run = "run = :run",
		.call = "n = :call",
		.number = { "SELECT run AS of_run, n AS of_n FROM call WHERE from_user GLOB :number UNION SELECT run, n FROM call WHERE to_user GLOB :number", WITH_NUMBER },
		.host = { "SELECT run AS of_run, call AS of_n FROM call_host WHERE host = :host",
			  "EXISTS (SELECT 1 FROM call_host h WHERE h.run = call.run AND h.call = call.n AND h.host = :host)" },
		.id = { "SELECT DISTINCT c.run AS of_run, c.call AS of_n FROM finding f JOIN finding_call c ON c.run = f.run AND c.finding = f.n WHERE f.id = :id",
			"EXISTS (SELECT 1 FROM finding_call c JOIN finding f ON f.run = c.run AND f.n = c.finding WHERE c.run = call.run AND c.call = call.n"
			" AND f.id = :id)" },
		.order = "start_ns DESC",
	},
	[LISTING_FINDINGS] = {
		.noun = "finding",
		.columns = {
			{ "CASE max(" SEVERITY_RANK("severity")
			  ") WHEN 3 THEN 'critical' WHEN 2 THEN 'error' WHEN 1 THEN 'warning' ELSE 'info' END",
			  { "severity", "severity", COLUMN_TEXT } },
			{ "id", { "finding", "finding", COLUMN_TEXT, 16 } },
			{ "about", { "about", "about", COLUMN_TEXT, 12 } },
			{ "min(first_ns)", { "first", "first", COLUMN_TIME } },
			{ "max(last_ns)", { "last", "last", COLUMN_TIME, 0, 2 } },
			{ "count(*)", { "times", "times", COLUMN_COUNT, 0, 1 } },
			{ "count(DISTINCT run)", { "runs", NULL, COLUMN_COUNT } },
			{ "sum(calls)", { "calls", "calls", COLUMN_COUNT } },
			/* behind its time, the greatest is the latest */
			{ "substr(max(printf('%020d', coalesce(first_ns, 0)) || run || '/f' || n), 21)",
			  { "latest", "latest", COLUMN_TEXT } },
			{ "substr(max(printf('%020d', coalesce(first_ns, 0)) || title), 21)",
			  { "title", NULL, COLUMN_TEXT } },
			{ "max(culprit)", { "culprit", NULL, COLUMN_TEXT } },
		},
		.from = "finding", .since = "last_ns >= :since", .until = "first_ns < :until", .run = "run = :run",
		.problem = PROBLEM,
		.number = { NULL, "EXISTS (SELECT 1 FROM finding_call c JOIN call k ON k.run = c.run AND k.n = c.call WHERE c.run = finding.run"
				  " AND c.finding = finding.n AND " WITH_NUMBER ")" },
		.host = { NULL, "EXISTS (SELECT 1 FROM finding_host h WHERE h.run = finding.run AND h.finding = finding.n AND h.host = :host)" },
		.id = { NULL, "id = :id" },
		.group = "id, about", .order = "max(last_ns) DESC, id, about",
	},
	[LISTING_INCIDENTS] = {
		.noun = "incident",
		.columns = {
			{ "run || '/i' || n", { "incident", "incident", COLUMN_TEXT } },
			{ "severity", { "severity", "severity", COLUMN_TEXT } },
			{ "confidence", { "confidence", NULL, COLUMN_TEXT } },
			{ "first_ns", { "first", "first", COLUMN_TIME } },
			{ "last_ns", { "last", NULL, COLUMN_TIME } },
			{ "calls", { "calls", "calls", COLUMN_COUNT } },
			{ "title", { "title", "title", COLUMN_TEXT, 20 } },
			{ "cause", { "cause", NULL, COLUMN_TEXT } },
			{ "fix", { "fix", NULL, COLUMN_TEXT } },
			{ "healthy", { "healthy", NULL, COLUMN_TEXT } },
		},
		.from = "incident", .since = "last_ns >= :since", .until = "first_ns < :until", .run = "run = :run",
		.number = { NULL, "EXISTS (SELECT 1 FROM finding f JOIN finding_call c ON c.run = f.run AND c.finding = f.n JOIN call k ON k.run = c.run"
				  " AND k.n = c.call WHERE f.run = incident.run AND f.incident = incident.n AND "
				  WITH_NUMBER ")" },
		.host = { NULL, "EXISTS (SELECT 1 FROM finding f JOIN finding_host h ON h.run = f.run AND h.finding = f.n WHERE f.run = incident.run"
				" AND f.incident = incident.n AND h.host = :host)" },
		.id = { NULL, "EXISTS (SELECT 1 FROM finding f WHERE f.run = incident.run AND f.incident = incident.n AND f.id = :id)" },
		.order = "first_ns DESC, run DESC, n DESC",
	},
	[LISTING_TREND] = {
		.noun = "trend",
		.columns = {
			{ "from_ns", { "from", NULL, COLUMN_TIME } },
			{ "substr('SunMonTueWedThuFriSat', 1 + 3 * strftime('%w', bucket), 3) || ' ' || bucket",
			  { NULL, "time", COLUMN_TEXT } },
			{ "calls", { "calls", "calls", COLUMN_COUNT } },
			{ "substr('" BAR_FULL "', 1, " CELLS(calls) " - " CELLS(bad) ") || substr('" BAR_BAD "', 1, "
			  CELLS(bad) ")",
			  { NULL, "× bad", COLUMN_TEXT } },
			{ "answered", { "answered", NULL, COLUMN_COUNT } },
			{ "failed", { "failed", "failed", COLUMN_COUNT } },
			{ "(SELECT group_concat(cause || ' ' || k, ', ') FROM (SELECT coalesce(status, 'unanswered') AS cause, count(*) AS k FROM call"
			  " WHERE state = 'failed' AND start_ns >= from_ns AND start_ns < to_ns GROUP BY 1 ORDER BY k DESC, 1))",
			  { "causes", "causes", COLUMN_TEXT, 8, 3 } },
			{ "one_way", { "one_way", "one-way", COLUMN_COUNT } },
			{ "unheard", { "unheard", NULL, COLUMN_COUNT } },
			{ "lowest", { "lowest_mos", "lowest MOS", COLUMN_REAL, 0, 1 } },
			{ "mean", { "mean_mos", "MOS", COLUMN_REAL } },
			{ "(SELECT count(*) FROM registration WHERE first_ns >= from_ns AND first_ns < to_ns)",
			  { "registrations", NULL, COLUMN_COUNT } },
			{ "(SELECT count(*) FROM registration WHERE first_ns >= from_ns AND first_ns < to_ns AND state = 'failed')",
			  { "registrations_failed", "reg failed", COLUMN_COUNT, 0, 2 } },
		},
		.from = "call", .since = "start_ns >= :since", .until = "start_ns < :until", .run = "run = :run",
		.call = "n = :call",
		.number = { NULL, WITH_NUMBER },
		.host = { NULL,
		"EXISTS (SELECT 1 FROM call_host h WHERE h.run = call.run AND h.call = call.n AND h.host = :host)" },
		.id = { NULL, "EXISTS (SELECT 1 FROM finding_call c JOIN finding f ON f.run = c.run AND f.n = c.finding WHERE c.run = call.run AND c.call = call.n"
			      " AND f.id = :id)" },
		.problem = "start_ns IS NOT NULL",
		.sums = "strftime(:bucket, start_ns / 1000000000, 'unixepoch', 'localtime') AS bucket,"
			" 1000000000 * strftime('%s', strftime(:bucket, start_ns / 1000000000, 'unixepoch', 'localtime'), 'utc') AS from_ns,"
			" 1000000000 * strftime('%s', strftime(:bucket, start_ns / 1000000000, 'unixepoch', 'localtime'), :length, 'utc') AS to_ns,"
			" count(*) AS calls, sum(answer_ns IS NOT NULL) AS answered, sum(state = 'failed') AS failed,"
			" sum(answer_ns IS NOT NULL AND (caller_hears = 'no') <> (callee_hears = 'no')) AS one_way,"
			" sum(answer_ns IS NOT NULL AND (caller_hears = 'no' OR callee_hears = 'no')) AS unheard,"
			" sum(state = 'failed' OR (answer_ns IS NOT NULL AND (caller_hears = 'no' OR callee_hears = 'no'))) AS bad,"
			" min(min(coalesce(caller_mos, callee_mos), coalesce(callee_mos, caller_mos))) AS lowest,"
			" avg(min(coalesce(caller_mos, callee_mos), coalesce(callee_mos, caller_mos))) AS mean",
		.group = "bucket", .order = "bucket DESC",
	},
	[LISTING_DIAGNOSES] = {
		.noun = "diagnosis",
		.columns = {
			{ "n", { "n", NULL, COLUMN_COUNT } },
			{ "severity", { "severity", NULL, COLUMN_TEXT } },
			{ "confidence", { "confidence", NULL, COLUMN_TEXT } },
			{ "id", { "finding", NULL, COLUMN_TEXT } },
			{ "reason", { "reason", NULL, COLUMN_TEXT } },
			{ "title", { "title", NULL, COLUMN_TEXT } },
			{ "cause", { "cause", NULL, COLUMN_TEXT } },
			{ "fix", { "fix", NULL, COLUMN_TEXT } },
			{ "cannot_see", { "cannot_see", NULL, COLUMN_TEXT } },
			{ "first_ns", { "first", NULL, COLUMN_TIME } },
			{ "last_ns", { "last", NULL, COLUMN_TIME } },
			{ "calls", { "calls", NULL, COLUMN_COUNT } },
			{ "state", { "state", NULL, COLUMN_TEXT } },
			{ "explained_by", { "explained_by", NULL, COLUMN_COUNT } },
		},
		.from = "finding", .run = "run = :run", .finding = "n = :finding", .problem = PROBLEM,
		.call = "EXISTS (SELECT 1 FROM finding_call c WHERE c.run = finding.run AND c.finding = finding.n AND c.call = :call)",
		.order = "n",
	},
	[LISTING_EVIDENCE] = {
		.noun = "evidence",
		.columns = {
			{ "frame", { "frame", NULL, COLUMN_COUNT } },
			{ "last_frame", { "last_frame", NULL, COLUMN_COUNT } },
			{ "at_ns", { "at", NULL, COLUMN_TIME } },
			{ "what", { "what", NULL, COLUMN_TEXT } },
			{ "(SELECT name FROM file WHERE file.run = evidence.run AND file.n = evidence.file)",
			  { "file", NULL, COLUMN_TEXT } },
			{ "finding", { "n", NULL, COLUMN_COUNT } },
		},
		.from = "evidence", .run = "run = :run", .finding = "finding = :finding", .order = "n",
	},
	[LISTING_CHANGES] = {
		.noun = "change",
		.columns = {
			{ "field", { "field", NULL, COLUMN_TEXT } },
			{ "before", { "before", NULL, COLUMN_TEXT } },
			{ "after", { "after", NULL, COLUMN_TEXT } },
			{ "finding", { "n", NULL, COLUMN_COUNT } },
		},
		.from = "change", .run = "run = :run", .finding = "finding = :finding", .order = "n",
	},
	[LISTING_DIRECTIONS] = {
		.noun = "direction",
		.columns = {
			{ "sender", { "sender", "sender", COLUMN_TEXT } },
			{ "kind", { "kind", "media", COLUMN_TEXT, 0, 1 } },
			{ "from_at", { "from", "from", COLUMN_TEXT } },
			{ "to_at", { "to", "to", COLUMN_TEXT } },
			{ "codec", { "codec", "codec", COLUMN_TEXT } },
			{ "packets", { "packets", "packets", COLUMN_COUNT, 0, 3 } },
			{ "heard", { "heard", "heard", COLUMN_TEXT } },
			{ "loss_percent", { "loss_percent", "loss %", COLUMN_REAL } },
			{ "jitter_ms", { "jitter_ms", "jitter ms", COLUMN_REAL, 0, 2 } },
			{ "mos", { "mos", "MOS", COLUMN_REAL } },
			{ "why", { "why", NULL, COLUMN_TEXT } },
		},
		.from = "direction", .run = "run = :run", .call = "call = :call", .order = "n",
	},
};

struct query {
	struct store *store;
	enum listing listing;
	sqlite3_stmt *stmt;
	int origin;                  /* the column that says whether a row's names are replaced already; -1 none */
};

const struct column *query_column(enum listing listing, unsigned i)
{
	return i < COLUMNS_MAX && forms[listing].columns[i].sql ? &forms[listing].columns[i].column : NULL;
}

const char *query_noun(enum listing listing)
{
	return forms[listing].noun;
}

static int bind_text(sqlite3_stmt *stmt, const char *name, const char *text)
{
	int at = sqlite3_bind_parameter_index(stmt, name);

	return at && text ? sqlite3_bind_text(stmt, at, text, -1, SQLITE_TRANSIENT) : SQLITE_OK;
}

static int bind_number(sqlite3_stmt *stmt, const char *name, int64_t value)
{
	int at = sqlite3_bind_parameter_index(stmt, name);

	return at ? sqlite3_bind_int64(stmt, at, value) : SQLITE_OK;
}

/* In GLOB only * means something to whoever types a number. */
static int bind_pattern(sqlite3_stmt *stmt, const char *number)
{
	struct text t;
	int result;

	if (!number)
		return SQLITE_OK;
	text_init(&t);
	for (; *number; number++)
		text_addf(&t, *number == '?' || *number == '[' ? "[%c]" : "%c", *number);
	result = bind_text(stmt, ":number", t.p);
	text_fini(&t);
	return result;
}

static int bind_bucket(sqlite3_stmt *stmt, bool hours)
{
	int result = bind_text(stmt, ":bucket", hours ? "%Y-%m-%d %H:00" : "%Y-%m-%d");

	return result == SQLITE_OK ? bind_text(stmt, ":length", hours ? "+1 hour" : "+1 day") : result;
}

static int bind_filter(sqlite3_stmt *stmt, const struct listing_filter *f)
{
	const struct { const char *name; int64_t value; } numbers[] = {
		{ ":since", f->since_ns }, { ":until", f->until_ns }, { ":run", f->run }, { ":call", f->call },
		  { ":finding", f->finding },
		{ ":limit", f->limit ? (int64_t)f->limit : -1 },
	};
	int result = bind_pattern(stmt, f->number);

	if (result == SQLITE_OK)
		result = bind_text(stmt, ":host", f->host);
	if (result == SQLITE_OK)
		result = bind_text(stmt, ":id", f->id);
	if (result == SQLITE_OK)
		result = bind_bucket(stmt, f->hours);
	for (size_t i = 0; i < COUNT_OF(numbers) && result == SQLITE_OK; i++)
		result = bind_number(stmt, numbers[i].name, numbers[i].value);
	return result;
}

static int prepare(struct store *s, const char *sql, const struct listing_filter *f, sqlite3_stmt **ret)
{
	int result = sqlite3_prepare_v2(s->db, sql, -1, ret, NULL);

	return result == SQLITE_OK ? bind_filter(*ret, f) : result;
}

/* Does the condition leave so few records that they are better looked up one by one? Counts no further than that. */
static bool leaves_few(struct store *s, const char *set, const struct listing_filter *f)
{
	sqlite3_stmt *stmt = NULL;
	struct text sql;
	bool few = false;

	text_init(&sql);
	text_addf(&sql, "SELECT count(*) FROM (SELECT 1 FROM (%s) LIMIT %d)", set, FEW);
	if (prepare(s, sql.p, f, &stmt) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW)
		few = sqlite3_column_int64(stmt, 0) < FEW;
	sqlite3_finalize(stmt);
	text_fini(&sql);
	return few;
}

static void add_where(struct text *sql, const char *term, bool *ret_first)
{
	if (!term)
		return;
	text_addf(sql, "%s%s", *ret_first ? " WHERE " : " AND ", term);
	*ret_first = false;
}

/* The first condition with few records gives the set that is walked; NULL: the list is walked along its times. */
static const char *choose_set(struct store *s, const struct listing_form *form, const struct listing_filter *f)
{
	const struct { const char *set; bool given; } sets[] = {
		{ form->number.set, f->number != NULL }, { form->id.set, f->id != NULL },
		  { form->host.set, f->host != NULL },
	};

	for (size_t i = 0; i < COUNT_OF(sets); i++)
		if (sets[i].given && sets[i].set && leaves_few(s, sets[i].set, f))
			return sets[i].set;
	return NULL;
}

static void add_conditions(struct text *sql, const struct listing_form *form, const struct listing_filter *f)
{
	bool first = true;

	add_where(sql, f->has_since ? form->since : NULL, &first);
	add_where(sql, f->has_until ? form->until : NULL, &first);
	add_where(sql, f->run ? form->run : NULL, &first);
	add_where(sql, f->call ? form->call : NULL, &first);
	add_where(sql, f->finding ? form->finding : NULL, &first);
	add_where(sql, f->number ? form->number.test : NULL, &first);
	add_where(sql, f->host ? form->host.test : NULL, &first);
	add_where(sql, f->id ? form->id.test : NULL, &first);
	add_where(sql, f->all ? NULL : form->problem, &first);
}

/* How many. */
static int add_columns(struct text *sql, const struct listing_form *form)
{
	int count = 0;

	for (; count < COLUMNS_MAX && form->columns[count].sql; count++)
		text_addf(sql, "%s%s", count ? ", " : "SELECT ", form->columns[count].sql);
	return count;
}

/* Behind the columns: has this row's run been recorded under other names? Of several: have all? */
static void add_origin(struct text *sql, const struct listing_form *form)
{
	text_addf(sql, ", %s((SELECT origin.redacted FROM run origin WHERE origin.id = %s.%s))",
		form->group ? "min" : "", form->from, strcmp(form->from, "run") == 0 ? "id" : "run");
}

/* The newest sums, then in the order of time. */
static void write_sums(struct text *sql, const struct listing_form *form, const struct listing_filter *f)
{
	add_columns(sql, form);
	text_addf(sql, " FROM (SELECT %s FROM %s", form->sums, form->from);
	add_conditions(sql, form, f);
	text_addf(sql, " GROUP BY %s ORDER BY %s LIMIT :limit) ORDER BY %s", form->group, form->order, form->group);
}

static void write_list(struct query *q, struct text *sql, const struct listing_form *form,
	const struct listing_filter *f)
{
	const char *set = choose_set(q->store, form, f);
	int count = add_columns(sql, form);

	if (q->store->redact) {
		add_origin(sql, form);
		q->origin = count;
	}
	if (set)                        /* CROSS JOIN: SQLite keeps the order */
		text_addf(sql, " FROM (%s) AS few CROSS JOIN %s ON %s.run = few.of_run AND %s.n = few.of_n", set,
			form->from, form->from, form->from);
	else
		text_addf(sql, " FROM %s", form->from);
	add_conditions(sql, form, f);
	if (form->group)
		text_addf(sql, " GROUP BY %s", form->group);
	text_addf(sql, " ORDER BY %s LIMIT :limit", form->order);
}

struct query *query_new(struct store *s, enum listing listing, const struct listing_filter *filter, struct err *err)
{
	struct query *q = memory_zalloc(sizeof *q);
	struct text sql;
	int result;

	q->store = s;
	q->listing = listing;
	q->origin = -1;
	text_init(&sql);
	if (forms[listing].sums)
		write_sums(&sql, &forms[listing], filter);
	else
		write_list(q, &sql, &forms[listing], filter);
	result = prepare(s, sql.p, filter, &q->stmt);
	text_fini(&sql);
	if (result == SQLITE_OK)
		return q;
	store_failed(s, result, err);
	query_free(q);
	return NULL;
}

void query_free(struct query *q)
{
	if (!q)
		return;
	sqlite3_finalize(q->stmt);
	free(q);
}

bool query_next(struct query *q, struct err *err)
{
	int result = sqlite3_step(q->stmt);

	err->code = ERR_OK;
	if (result != SQLITE_ROW && result != SQLITE_DONE)
		store_failed(q->store, result, err);
	return result == SQLITE_ROW;
}

/* Some columns hold one word, whatever it looks like; others are texts, in which names are looked for. */
static struct span other_text(struct redact *r, const struct column *c, struct span text)
{
	const char *name = c && c->name ? c->name : "";

	if (strcmp(name, "call_id") == 0)
		return redact_id(r, text);
	if (strcmp(name, "from") == 0 || strcmp(name, "to") == 0)
		return redact_user(r, text);
	if (strcmp(name, "source") == 0 || strcmp(name, "file") == 0)
		return redact_name(r, text);
	if (strcmp(name, "from_agent") == 0 || strcmp(name, "to_agent") == 0)
		return redact_agent(r, text);
	return redact_span(r, text);
}

static void learn_name(struct redact *r, sqlite3_stmt *stmt)
{
	redact_learn_user(r, (struct span){ sqlite3_column_text(stmt, 0), (size_t)sqlite3_column_bytes(stmt, 0) });
}

bool query_redact(struct store *s, struct redact *r, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	int result = sqlite3_prepare_v2(s->db, "WITH named(run) AS (SELECT id FROM run WHERE NOT redacted)"
		" SELECT DISTINCT from_user FROM call JOIN named USING(run) WHERE from_user IS NOT NULL"
		" UNION SELECT DISTINCT to_user FROM call JOIN named USING(run) WHERE to_user IS NOT NULL",
		-1, &stmt, NULL);

	while (result == SQLITE_OK && (result = sqlite3_step(stmt)) == SQLITE_ROW) {
		learn_name(r, stmt);
		result = SQLITE_OK;
	}
	sqlite3_finalize(stmt);
	if (result != SQLITE_DONE)
		return store_failed(s, result, err) == ERR_OK;
	s->redact = r;
	return true;
}

struct value query_value(const struct query *q, unsigned column)
{
	int at = (int)column, type = sqlite3_column_type(q->stmt, at);
	struct value v = { .kind = VALUE_NULL };

	if (type == SQLITE_INTEGER) {
		v.kind = VALUE_INTEGER;
		v.integer = sqlite3_column_int64(q->stmt, at);
	} else if (type == SQLITE_FLOAT) {
		v.kind = VALUE_REAL;
		v.real = sqlite3_column_double(q->stmt, at);
	} else if (type == SQLITE_TEXT || type == SQLITE_BLOB) {
		v.kind = VALUE_TEXT;
		v.text.p = sqlite3_column_text(q->stmt, at);
		v.text.n = (size_t)sqlite3_column_bytes(q->stmt, at);
		if (q->store->redact && !(q->origin >= 0 && sqlite3_column_int(q->stmt, q->origin)))
			v.text = other_text(q->store->redact, query_column(q->listing, column), v.text);
	}
	return v;
}
