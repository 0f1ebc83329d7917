/* SPDX-License-Identifier: MIT */
/* expect: what deadair must say, and must not say, about a scenario. */
#include "tests/scenarios/scenario.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum expectation_kind {
	EXPECT_FINDING, EXPECT_NONE, EXPECT_MAY, EXPECT_SILENT, EXPECT_HEARD, EXPECT_WITHHELD, EXPECT_JOINED,
		EXPECT_APART, EXPECT_CHECK
};
enum { EXPECTED_HOSTS = 4, EXPECTED_CALLS = 8 };

struct expected_host {
	const char *part;            /* NULL: any */
	struct address addr;
};

struct expectation {
	struct list_link link;
	unsigned line;
	enum expectation_kind kind;
	const char *id, *reason, *severity, *confidence;
	struct expected_host hosts[EXPECTED_HOSTS];
	unsigned host_count;
	bool alone;                  /* nobody else is a victim or a culprit */
	const char *calls[EXPECTED_CALLS]; /* Call-IDs */
	unsigned call_count;
	const struct dialog *dialog; /* heard */
	unsigned party;
	const char *value;           /* heard, check */
	const char *type, *path, *relation; /* check */
	const char *key, *key_value; /* check: which object of that type, NULL the first */
};

struct verdict {
	const struct scenario *scenario;
	const json_t *records;
	char *why;
	size_t room;
	bool good;
};

static void verdict_fail(struct verdict *v, unsigned line, const char *format,
	...) __attribute__((format(printf, 3, 4)));

static void verdict_fail(struct verdict *v, unsigned line, const char *format, ...)
{
	va_list ap;
	int n;

	if (!v->good)
		return;
	v->good = false;
	n = line ? snprintf(v->why, v->room, "line %u: ", line) : 0;
	va_start(ap, format);
	vsnprintf(v->why + n, v->room - (size_t)n, format, ap);
	va_end(ap);
}

static struct expectation *expectation_add(struct scenario *s, enum expectation_kind kind)
{
	struct expectation *e = scenario_zalloc(s, sizeof *e);

	e->line = s->line;
	e->kind = kind;
	list_add_tail(&s->expectations, &e->link);
	return e;
}

/* ID[/REASON[+REASON]] */
static void id_want(struct scenario *s, struct words *w, struct expectation *e)
{
	char *id = scenario_text(s, "%s", word_want(s, w, "the finding's id"));
	char *slash = strchr(id, '/');

	if (slash)
		*slash = '\0';
	e->id = id;
	e->reason = slash ? slash + 1 : NULL;
}

static bool one_of(struct words *w, const char *const *names, size_t n, const char **ret)
{
	for (size_t i = 0; i < n; i++) {
		if (word_accept(w, names[i])) {
			*ret = names[i];
			return true;
		}
	}
	return false;
}

static bool degree_accept(struct words *w, struct expectation *e)
{
	static const char *const severities[] = { "info", "warning", "error", "critical" };
	static const char *const confidences[] = { "possible", "likely", "certain" };

	return one_of(w, severities, 4, &e->severity) || one_of(w, confidences, 3, &e->confidence);
}

static void host_expect(struct scenario *s, struct words *w, struct expectation *e, const char *part)
{
	if (e->host_count == EXPECTED_HOSTS) {
		scenario_fail(s, "more than %d hosts", EXPECTED_HOSTS);
		return;
	}
	e->hosts[e->host_count++] = (struct expected_host){ part, address_want(s, w) };
}

static void call_expect(struct scenario *s, struct words *w, struct expectation *e)
{
	const struct dialog *d = dialog_want(s, w);

	if (!d || e->call_count == EXPECTED_CALLS)
		scenario_fail(s, "at most %d calls", EXPECTED_CALLS);
	else
		e->calls[e->call_count++] = d->call_id;
}

static void finding_want(struct scenario *s, struct words *w, struct expectation *e)
{
	id_want(s, w, e);
	while (w->left && !s->error) {
		if (degree_accept(w, e))
			continue;
		if (word_accept(w, "victim"))
			host_expect(s, w, e, "victim");
		else if (word_accept(w, "culprit"))
			host_expect(s, w, e, "culprit");
		else if (word_accept(w, "witness"))
			host_expect(s, w, e, "witness");
		else if (word_accept(w, "host"))
			host_expect(s, w, e, NULL);
		else if (word_accept(w, "spares"))
			host_expect(s, w, e, "spares");
		else if (word_accept(w, "alone"))
			e->alone = true;
		else if (word_accept(w, "call"))
			call_expect(s, w, e);
		else
			return;
	}
}

static void heard_want(struct scenario *s, struct words *w, struct expectation *e)
{
	static const char *const values[] = { "yes", "no", "poor", "unknown" };

	e->dialog = dialog_want(s, w);
	e->party = word_accept(w, "callee");
	if (!e->party)
		word_expect(s, w, "caller");
	if (!one_of(w, values, 4, &e->value))
		scenario_fail(s, "heard is yes, no, poor or unknown");
}

static void calls_want(struct scenario *s, struct words *w, struct expectation *e)
{
	while (w->left && !s->error)
		call_expect(s, w, e);
	if (e->call_count < 2)
		scenario_fail(s, "two calls or more");
}

/*
 * expect ID[/REASON] [SEVERITY] [CONFIDENCE] [victim|culprit|witness|host|spares H]... [call NAME]...
 * expect info ID | expect none ID | expect withheld ID | expect heard CALL caller|callee VALUE | expect joined|apart
 * CALL CALL...
 */
void expect_read(struct scenario *s, struct words *w)
{
	if (word_accept(w, "none")) {
		id_want(s, w, expectation_add(s, EXPECT_NONE));
	} else if (word_accept(w, "withheld")) {
		id_want(s, w, expectation_add(s, EXPECT_WITHHELD));
	} else if (word_accept(w, "heard")) {
		heard_want(s, w, expectation_add(s, EXPECT_HEARD));
	} else if (word_accept(w, "joined")) {
		calls_want(s, w, expectation_add(s, EXPECT_JOINED));
	} else if (word_accept(w, "apart")) {
		calls_want(s, w, expectation_add(s, EXPECT_APART));
	} else if (word_accept(w, "info")) {
		struct expectation *e = expectation_add(s, EXPECT_FINDING);

		finding_want(s, w, e);
		e->severity = "info";
	} else {
		finding_want(s, w, expectation_add(s, EXPECT_FINDING));
	}
}

/* silent: nothing above info. */
void expect_silent_read(struct scenario *s, struct words *w)
{
	(void)w;
	expectation_add(s, EXPECT_SILENT);
}

/* may ID[/REASON]: tolerated, not asked for. */
void may_read(struct scenario *s, struct words *w)
{
	id_want(s, w, expectation_add(s, EXPECT_MAY));
}

static void check_add(struct scenario *s, const char *type, const char *path, const char *relation, const char *value)
{
	struct expectation *e = expectation_add(s, EXPECT_CHECK);

	e->type = type;
	e->path = path;
	e->relation = relation;
	e->value = value;
}

/* fact NAME=VALUE...: of the report's last line. */
void fact_read(struct scenario *s, struct words *w)
{
	do {
		const char *word = word_want(s, w, "calls=1");
		const char *equal = strchr(word, '=');

		if (!equal) {
			scenario_fail(s, "\"%s\" is not like calls=1", word);
			return;
		}
		check_add(s, "end", scenario_text(s, "%.*s", (int)(equal - word), word), "=", equal + 1);
	} while (w->left);
}

/* check capture|end PATH OP VALUE, check stream SSRC|call NAME|checklist ITEM|host ADDRESS|finding ID PATH OP VALUE */
void check_read(struct scenario *s, struct words *w)
{
	struct expectation *e = expectation_add(s, EXPECT_CHECK);

	e->type = word_want(s, w, "the type of object");
	if (strcmp(e->type, "stream") == 0) {
		e->key = "ssrc";
		e->key_value = scenario_text(s, "0x%08x", (unsigned)integer_want(s, w, "the SSRC"));
	} else if (strcmp(e->type, "call") == 0) {
		const struct dialog *d = dialog_want(s, w);

		e->key = "call_ids";
		e->key_value = d ? d->call_id : "";
	} else if (strcmp(e->type, "checklist") == 0) {
		e->key = "item";
		e->key_value = word_want(s, w, "the item, such as C1.4");
	} else if (strcmp(e->type, "host") == 0) {
		e->key = "addr";
		e->key_value = word_want(s, w, "the address");
	} else if (strcmp(e->type, "finding") == 0) {
		e->key = "id";
		e->key_value = word_want(s, w, "the id");
	}
	e->path = word_want(s, w, "the name");
	e->relation = word_want(s, w, "= != < > <= >= or ~");
	e->value = word_want(s, w, "the value");
	if (!strstr(" = != < > <= >= ~ ", scenario_text(s, " %s ", e->relation)))
		scenario_fail(s, "\"%s\" is no comparison", e->relation);
}

/* exit N */
void exit_read(struct scenario *s, struct words *w)
{
	s->exit_status = (unsigned)integer_want(s, w, "the exit status");
	s->exit_given = true;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static bool is_type(const json_t *record, const char *type)
{
	return strcmp(text_of(record, "type"), type) == 0;
}

static bool array_has(const json_t *array, const char *text)
{
	size_t i;
	const json_t *one;

	json_array_foreach(array, i, one) {
		if (json_is_string(one) && strcmp(json_string_value(one), text) == 0)
			return true;
	}
	return false;
}

static bool reason_fits(const char *wanted, const json_t *finding)
{
	const char *reason = text_of(finding, "reason");
	const json_t *others = json_object_get(finding, "other_reasons");
	struct span rest = span_of(wanted), one;
	char text[64];

	if (!strchr(wanted, '+'))
		return strcmp(wanted, reason) == 0;
	while (span_split(&rest, '+', &one)) {
		snprintf(text, sizeof text, "%.*s", (int)one.n, one.p);
		if (strcmp(text, reason) != 0 && !array_has(others, text))
			return false;
	}
	return true;
}

static bool host_fits(const struct expected_host *wanted, const json_t *finding)
{
	char text[ADDRESS_TEXT];
	const char *address = address_text(&wanted->addr, text);
	bool spares = wanted->part && strcmp(wanted->part, "spares") == 0;
	const char *part = spares ? "victim" : wanted->part;
	size_t i;
	const json_t *host;

	json_array_foreach(json_object_get(finding, "hosts"), i, host) {
		if (strcmp(text_of(host, "addr"), address) == 0 &&
		    (!part || strcmp(text_of(host, "part"), part) == 0))
			return !spares;
	}
	return spares;
}

/* Is one of its victims or culprits expected by nobody? */
static bool blames_others(const struct expectation *e, const json_t *finding)
{
	size_t i;
	const json_t *host;

	json_array_foreach(json_object_get(finding, "hosts"), i, host) {
		const char *part = text_of(host, "part");
		bool expected = strcmp(part, "victim") != 0 && strcmp(part, "culprit") != 0;

		for (unsigned k = 0; !expected && k < e->host_count; k++) {
			char text[ADDRESS_TEXT];

			expected = strcmp(text_of(host, "addr"), address_text(&e->hosts[k].addr, text)) == 0 &&
				   (!e->hosts[k].part || strcmp(part, e->hosts[k].part) == 0);
		}
		if (!expected)
			return true;
	}
	return false;
}

static bool finding_fits(const struct expectation *e, const json_t *f)
{
	if (!is_type(f, "finding") || strcmp(text_of(f, "id"), e->id) != 0 ||
	    strcmp(text_of(f, "state"), "withdrawn") == 0)
		return false;
	if (e->reason && !reason_fits(e->reason, f))
		return false;
	if (e->severity && strcmp(text_of(f, "severity"), e->severity) != 0)
		return false;
	if (e->confidence && strcmp(text_of(f, "confidence"), e->confidence) != 0)
		return false;
	for (unsigned i = 0; i < e->host_count; i++) {
		if (!host_fits(&e->hosts[i], f))
			return false;
	}
	if (e->alone && blames_others(e, f))
		return false;
	for (unsigned i = 0; i < e->call_count; i++) {
		if (!array_has(json_object_get(f, "calls"), e->calls[i]))
			return false;
	}
	return true;
}

/* Counts towards the exit status and must have been expected. */
static bool is_alarm(const json_t *f)
{
	return is_type(f, "finding") && strcmp(text_of(f, "severity"), "info") != 0 &&
	       strcmp(text_of(f, "state"), "withdrawn") != 0 &&
	       json_is_null(json_object_get(f, "explained_by"));
}

static void nearest_describe(const struct verdict *v, const struct expectation *e, char *text, size_t room)
{
	size_t i, n = 0;
	const json_t *f;

	text[0] = '\0';
	json_array_foreach(v->records, i, f) {
		if (!is_type(f, "finding") || strcmp(text_of(f, "id"), e->id) != 0)
			continue;
		n += (size_t)snprintf(text + n, room - n, "; there is %s/%s %s %s", e->id, text_of(f, "reason"),
			text_of(f, "severity"),
			text_of(f, "confidence"));
		if (n >= room)
			return;
	}
}

static void finding_expected(struct verdict *v, const struct expectation *e, bool *matched)
{
	size_t i;
	const json_t *f;
	char nearest[300];

	json_array_foreach(v->records, i, f) {
		if (!matched[i] && finding_fits(e, f)) {
			matched[i] = true;
			return;
		}
	}
	nearest_describe(v, e, nearest, sizeof nearest);
	verdict_fail(v, e->line, "no %s%s%s%s%s%s%s as expected%s", e->id, e->reason ? "/" : "",
		e->reason ? e->reason : "", e->severity ? " " : "",
		e->severity ? e->severity : "", e->confidence ? " " : "", e->confidence ? e->confidence : "", nearest);
}

static void none_expected(struct verdict *v, const struct expectation *e)
{
	size_t i;
	const json_t *f;

	json_array_foreach(v->records, i, f) {
		if (finding_fits(e, f))
			verdict_fail(v, e->line, "%s/%s was not to be found: %s", e->id, text_of(f, "reason"),
				text_of(f, "title"));
	}
}

static const json_t *first_of(const struct verdict *v, const char *type, const char *key, const char *value)
{
	size_t i;
	const json_t *r;

	json_array_foreach(v->records, i, r) {
		const json_t *have = json_object_get(r, key ? key : "type");

		if (is_type(r, type) && (!key || (json_is_array(have) ? array_has(have, value) : strcmp(text_of(r, key),
		    value) == 0)))
			return r;
	}
	return NULL;
}

static void withheld_expected(struct verdict *v, const struct expectation *e)
{
	size_t i;
	const json_t *one;

	json_array_foreach(json_object_get(first_of(v, "capture", NULL, NULL), "withheld"), i, one) {
		if (strcmp(text_of(one, "id"), e->id) == 0)
			return;
	}
	verdict_fail(v, e->line, "%s was not withheld", e->id);
}

static bool named_by(const struct party *p, const char *endpoint)
{
	char text[ENDPOINT_TEXT];

	LIST_EACH(it, &p->medias) {
		const struct media_seen *m = LIST_ENTRY(it, struct media_seen, link);

		if (strcmp(endpoint_text(&m->at, text), endpoint) == 0)
			return true;
	}
	return false;
}

static bool leg_is(const json_t *call, const json_t *media, const char *call_id)
{
	size_t leg = (size_t)json_integer_value(json_object_get(media, "leg"));

	return strcmp(text_of(json_array_get(json_object_get(call, "legs"), leg), "call_id"), call_id) == 0;
}

/* The direction that ends at this party, on the leg of that name. */
static bool hears(const struct expectation *e, const json_t *call, const json_t *media)
{
	const struct party *ear = &e->dialog->party[e->party], *mouth = &e->dialog->party[!e->party];
	const char *to = text_of(media, "to"), *from = text_of(media, "from");

	if (strcmp(text_of(media, "kind"), "audio") != 0 || !leg_is(call, media, e->dialog->call_id))
		return false;
	return named_by(ear, to) || (named_by(mouth, from) && !named_by(mouth, to));
}

static void heard_expected(struct verdict *v, const struct expectation *e)
{
	const json_t *call = first_of(v, "call", "call_ids", e->dialog->call_id), *media;
	const char *other = NULL;
	bool found = false;
	size_t i;

	json_array_foreach(json_object_get(call, "media"), i, media) {
		const char *heard = text_of(media, "heard");

		if (!hears(e, call, media))
			continue;
		if (strcmp(heard, e->value) == 0)
			found = true;
		else
			other = heard;
	}
	if (!found)
		verdict_fail(v, e->line, "%s %s hears: %s, not %s", e->dialog->name, e->party ? "callee" : "caller",
			other ? other : "(no such direction)",
			e->value);
}

static void joined_expected(struct verdict *v, const struct expectation *e)
{
	const json_t *first = first_of(v, "call", "call_ids", e->calls[0]);

	if (!first)
		verdict_fail(v, e->line, "no call %s", e->calls[0]);
	for (unsigned i = 1; i < e->call_count; i++) {
		bool same = array_has(json_object_get(first, "call_ids"), e->calls[i]);

		if (e->kind == EXPECT_JOINED && !same)
			verdict_fail(v, e->line, "%s and %s are not one call", e->calls[0], e->calls[i]);
		if (e->kind == EXPECT_APART && same)
			verdict_fail(v, e->line, "%s and %s were joined", e->calls[0], e->calls[i]);
	}
}

/* "undecoded.truncated", "withheld.0.gate", "cannot_prove.#" (how many) */
static json_t *value_at(const json_t *object, const char *path)
{
	struct span rest = span_of(path), one;
	const json_t *at = object;
	char key[64];

	while (at && span_split(&rest, '.', &one)) {
		snprintf(key, sizeof key, "%.*s", (int)one.n, one.p);
		if (strcmp(key, "#") == 0)
			return json_integer((json_int_t)json_array_size(at));
		at = json_is_array(at) ? json_array_get(at, strtoul(key, NULL, 10)) : json_object_get(at, key);
	}
	return json_incref((json_t *)at);
}

static const char *value_text(const json_t *value, char *text, size_t room)
{
	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_true(value) || json_is_false(value))
		return json_is_true(value) ? "true" : "false";
	if (json_is_integer(value))
		snprintf(text, room, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value))
		snprintf(text, room, "%.6g", json_real_value(value));
	else
		snprintf(text, room, "%s", value ? json_is_null(value) ? "null" : "(a list)" : "(nothing)");
	return text;
}

static bool compare(const json_t *value, const char *relation, const char *wanted)
{
	char text[64], *end;
	const char *have = value_text(value, text, sizeof text);
	double number = json_number_value(value), limit = strtod(wanted, &end);

	if (strcmp(relation, "~") == 0)
		return json_is_array(value) ? array_has(value, wanted) : strstr(have, wanted) != NULL;
	if (json_is_number(value) && *wanted && *end == '\0') {
		switch (relation[0]) {
		case '<': return relation[1] ? number <= limit : number < limit;
		case '>': return relation[1] ? number >= limit : number > limit;
		case '!': return number != limit;
		default: return number == limit;
		}
	}
	return strcmp(relation, "=") == 0 ? strcmp(have, wanted) == 0 : strcmp(relation, "!=") == 0 &&
	       strcmp(have, wanted) != 0;
}

static void check_expected(struct verdict *v, const struct expectation *e)
{
	const json_t *object = first_of(v, e->type, e->key, e->key_value);
	json_t *value;
	char text[64];

	if (!object) {
		verdict_fail(v, e->line, "no %s %s in the report", e->type, e->key_value ? e->key_value : "");
		return;
	}
	value = value_at(object, e->path);
	if (!compare(value, e->relation, e->value))
		verdict_fail(v, e->line, "%s %s is %s, not %s %s", e->type, e->path,
			value_text(value, text, sizeof text), e->relation, e->value);
	json_decref(value);
}

static void expectation_check(struct verdict *v, const struct expectation *e, bool *matched)
{
	switch (e->kind) {
	case EXPECT_FINDING: finding_expected(v, e, matched); break;
	case EXPECT_NONE: none_expected(v, e); break;
	case EXPECT_HEARD: heard_expected(v, e); break;
	case EXPECT_WITHHELD: withheld_expected(v, e); break;
	case EXPECT_JOINED:
	case EXPECT_APART: joined_expected(v, e); break;
	case EXPECT_CHECK: check_expected(v, e); break;
	case EXPECT_MAY:
	case EXPECT_SILENT: break;           /* what was not expected: alarms_check() */
	}
}

static bool is_tolerated(const struct scenario *s, const json_t *f)
{
	LIST_EACH(it, &s->expectations) {
		const struct expectation *e = LIST_ENTRY(it, struct expectation, link);

		if (e->kind == EXPECT_MAY && finding_fits(e, f))
			return true;
	}
	return false;
}

static bool alarms_check(struct verdict *v, const bool *matched)
{
	bool any = false;
	size_t i;
	const json_t *f;

	json_array_foreach(v->records, i, f) {
		if (!is_alarm(f))
			continue;
		any = true;
		if (!matched[i] && !is_tolerated(v->scenario, f))
			verdict_fail(v, 0, "unexpected %s/%s %s %s: %s", text_of(f, "id"), text_of(f, "reason"),
				text_of(f, "severity"),
				text_of(f, "confidence"), text_of(f, "title"));
	}
	return any;
}

bool scenario_check(struct scenario *s, const json_t *records, int status, char *why, size_t room)
{
	struct verdict v = { s, records, why, room, true };
	bool *matched = scenario_zalloc(s, json_array_size(records) * sizeof *matched);
	const json_t *end = first_of(&v, "end", NULL, NULL);
	int wanted;

	if (!end || !first_of(&v, "capture", NULL, NULL))
		verdict_fail(&v, 0, "the report has no first or no last line");
	LIST_EACH(it, &s->expectations)
		expectation_check(&v, LIST_ENTRY(it, struct expectation, link), matched);
	wanted = alarms_check(&v, matched) ? 1 : 0;
	if (s->exit_given)
		wanted = (int)s->exit_status;
	if (status != wanted || json_integer_value(json_object_get(end, "exit")) != status)
		verdict_fail(&v, 0, "exit status %d (in the report %d) instead of %d", status,
			(int)json_integer_value(json_object_get(end, "exit")), wanted);
	return v.good;
}
