/* SPDX-License-Identifier: MIT */
/* history_compare: what changed in a history, in sentences, as JSON Lines, as CSV. */
#include "ui/history_compare.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/history/compare.h"
#include "ui/history_list.h"
#include "ui/json_from.h"
#include "ui/words.h"

enum { LABEL_COLUMNS = 9, INDENT = 2, FEW_LISTED = 12, DIGITS = 6 };

struct comparing {
	const struct comparison *comparison;
	const struct history_options *options;
	const struct compare_side *sides;
	struct out *out;
};

/* How a rate is said of calls, and what it was before. Plural. */
static const struct {
	enum difference_subject subject;
	const char *name, *says, *did;
} rates[] = {
	{ SUBJECT_ONE_WAY, "one-way", "are heard in one direction only", "were" },
	{ SUBJECT_SILENT, "silent", "have no audio in either direction", "had" },
	{ SUBJECT_FAILED, "failed", "fail", "did" },
	{ SUBJECT_UNANSWERED, "unanswered", "are not answered", "were" },
	{ SUBJECT_POOR, "poor", "sound badly (MOS below 3.6)", "did" },
	{ SUBJECT_REGISTRATIONS, "registrations", "fail", "did" },
};

static const char *subject_name(enum difference_subject subject)
{
	static const char *const names[] = {
		[SUBJECT_ONE_WAY] = "one-way", [SUBJECT_SILENT] = "silent", [SUBJECT_FAILED] = "failed",
			[SUBJECT_UNANSWERED] = "unanswered",
		[SUBJECT_POOR] = "poor", [SUBJECT_REGISTRATIONS] = "registrations", [SUBJECT_FINDING] = "finding",
		[SUBJECT_ROLE] = "role",
		[SUBJECT_NAT] = "nat", [SUBJECT_NAT_PORTS] = "nat-ports", [SUBJECT_TTL] = "ttl",
		[SUBJECT_DSCP] = "dscp", [SUBJECT_PORTS] = "ports",
		[SUBJECT_AGENT] = "user-agent",
	};

	return names[subject];
}

static const char *kind_name(enum difference_kind kind)
{
	static const char *const names[] = {
		[DIFFERENCE_NEW] = "new", [DIFFERENCE_GONE] = "gone", [DIFFERENCE_CHANGED] = "changed",
			[DIFFERENCE_FEW] = "too-few",
	};

	return names[kind];
}

static const char *rate_says(const struct difference *d, const char **ret_did)
{
	for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
		if (rates[i].subject != d->subject)
			continue;
		*ret_did = d->unheard[0] ? "had" : rates[i].did;
		if (strcmp(d->unheard, "caller") == 0)
			return "have no return audio (the caller hears nothing)";
		return strcmp(d->unheard, "callee") == 0 ? "bring the callee no audio" : rates[i].says;
	}
	*ret_did = "";
	return "";
}

/* ---- sentences ---- */

static void add_stored(struct text *t, const char *stored)
{
	history_text(t, span_of(stored));
}

static void add_share(struct text *t, struct share s)
{
	char part[WORDS], whole[WORDS];

	text_addf(t, "%s of %s", words_count(s.part, part), words_count(s.whole, whole));
}

static void add_chance(struct text *t, const struct difference *d)
{
	if (d->p < 0)
		return;
	if (d->p < 0.001)
		text_add(t, " (p < 0.001, Fisher)");
	else
		text_addf(t, " (p = %.3f, Fisher)", d->p);
}

static void add_others(struct text *t, const struct difference *d, const char *before, const char *behind)
{
	unsigned listed = d->others[0] != '\0';

	if (d->other_count == 0)
		return;
	text_add(t, before);
	add_stored(t, d->others);
	for (const char *p = d->others; (p = strchr(p, ',')); p++)
		listed++;
	if (d->other_count > listed)
		text_addf(t, " and %u more", d->other_count - listed);
	text_add(t, behind);
}

/* "no longer", "more often", "less often": how the verb has to be read. */
static const char *turn(const struct difference *d)
{
	if (d->kind == DIFFERENCE_GONE)
		return "no longer ";
	if (d->kind == DIFFERENCE_NEW)
		return "";
	return (double)d->share[SIDE_AFTER].part * (double)d->share[SIDE_BEFORE].whole > (double)d->share[SIDE_BEFORE].part * (double)d->share[SIDE_AFTER].whole
		       ? "more often " : "less often ";
}

static void add_rate(struct text *t, const struct difference *d)
{
	const char *did, *says = rate_says(d, &did);

	if (d->subject == SUBJECT_REGISTRATIONS)
		text_add(t, "registrations ");
	else
		text_add(t, d->host[0] ? "calls through " : "calls ");
	add_stored(t, d->host);
	add_others(t, d, " (the same calls pass ", ")");
	text_addf(t, "%s%s%s: ", d->host[0] ? " " : "", turn(d), says);
	add_share(t, d->share[SIDE_AFTER]);
	text_add(t, "; before, ");
	add_share(t, d->share[SIDE_BEFORE]);
	text_addf(t, " %s", did);
	add_chance(t, d);
}

static void add_finding(struct text *t, const struct difference *d)
{
	const char *noun = d->finding_days ? "on" : "in";

	text_add(t, d->finding);
	text_add(t, d->host[0] ? " at " : "");
	add_stored(t, d->host);
	text_addf(t, ": %s ", noun);
	add_share(t, d->share[SIDE_AFTER]);
	text_addf(t, " %s; before, %s ", d->finding_days ? "days" : "calls", noun);
	add_share(t, d->share[SIDE_BEFORE]);
	add_chance(t, d);
}

static void add_hosts(struct text *t, const struct difference *d)
{
	add_stored(t, d->host);
	add_others(t, d, ", ", "");
}

static void add_values(struct text *t, const struct difference *d, const char *what)
{
	text_add(t, what);
	add_hosts(t, d);
	text_add(t, ": ");
	add_stored(t, d->before);
	text_add(t, " before, ");
	add_stored(t, d->after);
	text_add(t, " after");
}

static void add_nat(struct text *t, const struct difference *d)
{
	add_hosts(t, d);
	text_addf(t, " %s behind ", d->other_count ? "are" : "is");
	add_stored(t, d->after);
	text_add(t, "; before, behind ");
	add_stored(t, d->before);
}

static void add_nat_ports(struct text *t, const struct difference *d)
{
	text_add(t, "the router ");
	add_stored(t, d->host);
	text_add(t, " changes ports: ");
	add_share(t, d->share[SIDE_AFTER]);
	text_add(t, " mappings; before, ");
	add_share(t, d->share[SIDE_BEFORE]);
	add_chance(t, d);
}

static void add_role(struct text *t, const struct difference *d)
{
	add_stored(t, d->host);
	text_add(t, " (");
	add_stored(t, d->kind == DIFFERENCE_NEW ? d->after : d->before);
	text_add(t, d->kind == DIFFERENCE_NEW ? ") was not seen before" : ") is not seen any more");
}

static void add_sentence(struct text *t, const struct difference *d)
{
	switch (d->subject) {
	case SUBJECT_ONE_WAY:
	case SUBJECT_SILENT:
	case SUBJECT_FAILED:
	case SUBJECT_UNANSWERED:
	case SUBJECT_POOR:
	case SUBJECT_REGISTRATIONS:
		add_rate(t, d);
		break;
	case SUBJECT_FINDING:
		add_finding(t, d);
		break;
	case SUBJECT_ROLE:
		add_role(t, d);
		break;
	case SUBJECT_NAT:
		add_nat(t, d);
		break;
	case SUBJECT_NAT_PORTS:
		add_nat_ports(t, d);
		break;
	case SUBJECT_TTL:
		add_values(t, d, "TTL of packets from ");
		break;
	case SUBJECT_DSCP:
		add_values(t, d, "DSCP of ");
		break;
	case SUBJECT_PORTS:
		add_values(t, d, "SIP port of ");
		break;
	case SUBJECT_AGENT:
		add_values(t, d, "user agent of ");
		break;
	}
}

/* ---- text ---- */

static void print_side(const struct comparing *g, unsigned side)
{
	const struct compare_totals *t = compare_totals(g->comparison, side);
	char a[WORDS], b[WORDS], calls[WORDS], days[WORDS], runs[WORDS];
	struct text line;

	text_init(&line);
	if (g->sides[side].run)
		text_addf(&line, "run %" PRId64 ": ", g->sides[side].run);
	if (t->calls)
		text_addf(&line, "%s to %s: ", words_minute(t->first_ns, a), words_minute(t->last_ns, b));
	text_addf(&line, "%s", words_counted(t->calls, "call", calls));
	if (t->calls && !g->sides[side].run)
		text_addf(&line, " on %s, %s", words_counted(t->days, "day", days),
			words_counted(t->runs, "run", runs));
	out_paragraph(g->out, 0, side == SIDE_BEFORE ? "Before" : "After", LABEL_COLUMNS, PAINT_HEAD, line.p);
	text_fini(&line);
}

static void add_since(const struct comparing *g, struct text *t)
{
	const struct compare_side *after = &g->sides[SIDE_AFTER];
	char at[WORDS];

	if (after->run)
		text_addf(t, "in run %" PRId64 " ", after->run);
	else
		text_addf(t, "since %s ", words_minute(after->since_ns, at));
}

static enum paint paint_of(const struct difference *d)
{
	if (d->subject > SUBJECT_FINDING || d->kind == DIFFERENCE_FEW)
		return PAINT_UNKNOWN;
	if (d->kind == DIFFERENCE_GONE || strcmp(turn(d), "less often ") == 0)
		return PAINT_GOOD;
	return PAINT_BAD;
}

static const char *mark_of(const struct difference *d)
{
	switch (paint_of(d)) {
	case PAINT_BAD:
		return "✗";
	case PAINT_GOOD:
		return "✓";
	case PAINT_PLAIN:
	case PAINT_WARN:
	case PAINT_UNKNOWN:
	case PAINT_HEAD:
	case PAINT_DIM:
		break;
	}
	return "·";
}

static void print_first(const struct comparing *g, const struct difference *d)
{
	char at[WORDS];
	struct text t;

	if (!d->first_run)
		return;
	text_init(&t);
	text_add(&t, "first: ");
	if (d->first_ns)
		text_addf(&t, "%s, ", words_minute(d->first_ns, at));
	text_addf(&t, "run %" PRId64, d->first_run);
	if (d->first_call)
		text_addf(&t, ", call %" PRId64, d->first_call);
	out_paragraph(g->out, INDENT, "", LABEL_COLUMNS, PAINT_PLAIN, t.p);
	text_fini(&t);
}

static void print_difference(const struct comparing *g, const struct difference *d)
{
	struct text t;

	text_init(&t);
	if (d->share[SIDE_AFTER].whole)
		add_since(g, &t);
	add_sentence(&t, d);
	out_paint(g->out, paint_of(d), mark_of(d));
	out_paragraph(g->out, 1, kind_name(d->kind), LABEL_COLUMNS + 1, PAINT_HEAD, t.p);
	text_clear(&t);
	print_first(g, d);
	if (d->with[0]) {
		text_add(&t, "with ");
		add_stored(&t, d->with);
		out_paragraph(g->out, INDENT, "", LABEL_COLUMNS, PAINT_PLAIN, t.p);
	}
	text_fini(&t);
}

static void add_percent(struct text *t, const char *what, const struct comparing *g, uint64_t before, uint64_t after)
{
	const struct compare_totals *a = compare_totals(g->comparison, SIDE_BEFORE),
		*b = compare_totals(g->comparison, SIDE_AFTER);
	char x[WORDS], y[WORDS];

	text_addf(t, "%s %s, then %s", what, words_share(before, a->calls, x), words_share(after, b->calls, y));
}

/* The rates over all calls, whether they differ or not. */
static void print_rates(const struct comparing *g)
{
	const struct compare_totals *a = compare_totals(g->comparison, SIDE_BEFORE),
		*b = compare_totals(g->comparison, SIDE_AFTER);
	struct text t;

	if (a->calls == 0 || b->calls == 0)
		return;
	text_init(&t);
	add_percent(&t, "answered", g, a->answered, b->answered);
	add_percent(&t, "; failed", g, a->failed, b->failed);
	add_percent(&t, "; one-way", g, a->one_way, b->one_way);
	add_percent(&t, "; silent", g, a->silent, b->silent);
	if (a->mos >= 0 && b->mos >= 0)
		text_addf(&t, "; MOS %.1f, then %.1f", a->mos, b->mos);
	out_paragraph(g->out, INDENT, "rates", LABEL_COLUMNS, PAINT_HEAD, t.p);
	text_fini(&t);
}

static void print_few(const struct comparing *g, size_t count)
{
	char text[WORDS];
	size_t listed = 0;
	struct text t;

	if (count == 0)
		return;
	text_init(&t);
	text_addf(&t, "%s %s in so few calls that chance may have done it%s", words_counted(count, "finding", text),
		count == 1 ? "differs" : "differ",
		  g->options->filter.all ? ":" : " (--all lists them)");
	out_paragraph(g->out, INDENT, "too few", LABEL_COLUMNS, PAINT_HEAD, t.p);
	for (size_t i = 0; i < compare_count(g->comparison) && g->options->filter.all && listed < FEW_LISTED; i++) {
		const struct difference *d = compare_get(g->comparison, i);

		if (d->kind != DIFFERENCE_FEW)
			continue;
		text_clear(&t);
		add_sentence(&t, d);
		out_paragraph(g->out, INDENT, "", LABEL_COLUMNS, PAINT_PLAIN, t.p);
		listed++;
	}
	text_fini(&t);
}

/* That nothing was found is a result only where something could have been. */
static void print_nothing(const struct comparing *g)
{
	const struct compare_totals *a = compare_totals(g->comparison, SIDE_BEFORE),
		*b = compare_totals(g->comparison, SIDE_AFTER);
	char before[WORDS], after[WORDS], text[160];

	if (a->calls >= COMPARE_LEAST_CALLS && b->calls >= COMPARE_LEAST_CALLS) {
		out_paragraph(g->out, 0, "✓", INDENT, PAINT_GOOD, "nothing changed that chance does not explain");
		return;
	}
	snprintf(text, sizeof text, "too few calls to tell what changed: %s before, %s after, %d on each side are wanted",
		words_count(a->calls, before), words_count(b->calls, after), COMPARE_LEAST_CALLS);
	out_paragraph(g->out, 0, "?", INDENT, PAINT_UNKNOWN, text);
}

static void print_text(const struct comparing *g)
{
	size_t few = 0, count = compare_count(g->comparison);

	print_side(g, SIDE_BEFORE);
	print_side(g, SIDE_AFTER);
	out_text(g->out, "\n");
	for (size_t i = 0; i < count; i++) {
		const struct difference *d = compare_get(g->comparison, i);

		if (d->kind == DIFFERENCE_FEW)
			few++;
		else
			print_difference(g, d);
	}
	if (few == count)
		print_nothing(g);
	print_rates(g);
	print_few(g, few);
	if (few < count)
		out_paragraph(g->out, INDENT, "", 0, PAINT_DIM, "Who or what changed it cannot be seen here.");
}

/* ---- JSON ---- */

static json_t *json_share(struct share s)
{
	json_t *one = json_object();

	json_object_set_new(one, "part", from_count(s.part));
	json_object_set_new(one, "of", from_count(s.whole));
	return one;
}

static json_t *json_list(const char *stored)
{
	json_t *list = json_array();

	while (*stored) {
		size_t n = strcspn(stored, ",");

		json_array_append_new(list, from_stored((struct span){ (const uint8_t *)stored, n }));
		stored += n + strspn(stored + n, ", ");
	}
	return list;
}

static json_t *json_side(const struct comparing *g, unsigned side)
{
	const struct compare_totals *t = compare_totals(g->comparison, side);
	const struct { const char *name; uint64_t n; } counts[] = {
		{ "runs", t->runs }, { "days", t->days }, { "calls", t->calls }, { "answered", t->answered },
		  { "failed", t->failed },
		{ "one_way", t->one_way }, { "silent", t->silent }, { "with_mos", t->rated }, { "poor", t->poor },
		{ "registrations", t->registrations }, { "registrations_failed", t->registrations_failed },
	};
	json_t *one = json_object();

	json_object_set_new(one, "run", g->sides[side].run ? json_integer(g->sides[side].run) : json_null());
	json_object_set_new(one, "first", from_time(t->first_ns));
	json_object_set_new(one, "last", from_time(t->last_ns));
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
		json_object_set_new(one, counts[i].name, from_count(counts[i].n));
	json_object_set_new(one, "mos", t->mos >= 0 ? json_real(t->mos) : json_null());
	return one;
}

static json_t *json_difference(const struct difference *d)
{
	json_t *line = json_line("difference");
	struct text t;

	json_object_set_new(line, "kind", json_string(kind_name(d->kind)));
	json_object_set_new(line, "subject", json_string(subject_name(d->subject)));
	json_object_set_new(line, "finding", from_stored(span_of(d->finding)));
	json_object_set_new(line, "host", from_stored(span_of(d->host)));
	json_object_set_new(line, "others", json_list(d->others));
	json_object_set_new(line, "hosts", json_integer(1 + (json_int_t)d->other_count));
	json_object_set_new(line, "unheard", from_stored(span_of(d->unheard)));
	json_object_set_new(line, "before", d->share[SIDE_BEFORE].whole ? json_share(d->share[SIDE_BEFORE])
		: from_stored(span_of(d->before)));
	json_object_set_new(line, "after", d->share[SIDE_AFTER].whole ? json_share(d->share[SIDE_AFTER])
		: from_stored(span_of(d->after)));
	json_object_set_new(line, "unit", d->share[SIDE_AFTER].whole
		? json_string(d->finding_days ? "days" : d->subject == SUBJECT_NAT_PORTS ? "mappings" :
			    d->subject == SUBJECT_REGISTRATIONS ? "registrations" : "calls") : json_null());
	json_object_set_new(line, "p", d->p >= 0 ? json_real(d->p) : json_null());
	json_object_set_new(line, "first", from_time(d->first_ns ? d->first_ns : NS_NONE));
	json_object_set_new(line, "first_run", d->first_run ? json_integer(d->first_run) : json_null());
	json_object_set_new(line, "first_call", d->first_call ? json_integer(d->first_call) : json_null());
	json_object_set_new(line, "with", from_stored(span_of(d->with)));
	text_init(&t);
	add_sentence(&t, d);
	json_object_set_new(line, "says", json_stringn(t.p, t.n));
	text_fini(&t);
	return line;
}

static void print_json(const struct comparing *g)
{
	json_t *head = json_line("comparison");

	json_object_set_new(head, "before", json_side(g, SIDE_BEFORE));
	json_object_set_new(head, "after", json_side(g, SIDE_AFTER));
	json_print(g->out, head, DIGITS);
	for (size_t i = 0; i < compare_count(g->comparison); i++)
		json_print(g->out, json_difference(compare_get(g->comparison, i)), DIGITS);
}

/* ---- CSV ---- */

static void csv_share(struct text *line, struct share s, const char *value)
{
	if (s.whole) {
		text_addf(line, ",%" PRIu64 ",%" PRIu64 ",", s.part, s.whole);
		return;
	}
	text_add(line, ",,,");
	history_csv_text(line, span_of(value));
}

static void print_csv(const struct comparing *g)
{
	static const char head[] = "kind,subject,finding,host,hosts,before_part,before_of,before,after_part,after_of,after,p,first,first_run,first_call,says\r\n";

	out_bytes(g->out, head, sizeof head - 1);
	for (size_t i = 0; i < compare_count(g->comparison); i++) {
		const struct difference *d = compare_get(g->comparison, i);
		char at[NS_TEXT];
		struct text line, says;

		text_init(&line);
		text_init(&says);
		text_addf(&line, "%s,%s,%s,", kind_name(d->kind), subject_name(d->subject), d->finding);
		history_csv_text(&line, span_of(d->host));
		text_addf(&line, ",%u", 1 + d->other_count);
		csv_share(&line, d->share[SIDE_BEFORE], d->before);
		csv_share(&line, d->share[SIDE_AFTER], d->after);
		if (d->p >= 0)
			text_addf(&line, ",%.6g", d->p);
		else
			text_add(&line, ",");
		text_addf(&line, ",%s,", d->first_ns ? ns_rfc3339(d->first_ns, at) : "");
		if (d->first_run)
			text_addf(&line, "%" PRId64, d->first_run);
		text_add(&line, ",");
		if (d->first_call)
			text_addf(&line, "%" PRId64, d->first_call);
		text_add(&line, ",");
		add_sentence(&says, d);
		history_csv_text(&line, (struct span){ (const uint8_t *)says.p, says.n });
		text_add(&line, "\r\n");
		out_bytes(g->out, line.p, line.n);
		text_fini(&line);
		text_fini(&says);
	}
}

/* ---- sides ---- */

static enum err_code name_sides(const struct history_options *o, struct compare_side sides[SIDES], struct err *err)
{
	bool runs = o->runs[SIDE_BEFORE] && o->runs[SIDE_AFTER];

	if (runs && (o->has_before || o->has_after))
		return err_set(err, ERR_USAGE, "history compare: two runs, or two times; not both");
	if (runs && o->runs[SIDE_BEFORE] == o->runs[SIDE_AFTER])
		return err_set(err, ERR_USAGE, "history compare: a run differs in nothing from itself: name two");
	if (!runs && !o->has_before && !o->has_after)
		return err_set(err, ERR_USAGE, "history compare: what with what? --before \"Sat 14:10\" [--after \"Sat 14:10\"], or two runs: compare 91 92");
	sides[SIDE_BEFORE] = (struct compare_side){ o->filter.has_since ? o->filter.since_ns : INT64_MIN,
		o->has_before ? o->before_ns : o->after_ns,
						    o->runs[SIDE_BEFORE] };
	sides[SIDE_AFTER] = (struct compare_side){ o->has_after ? o->after_ns : o->before_ns,
		o->filter.has_until ? o->filter.until_ns : INT64_MAX,
						   o->runs[SIDE_AFTER] };
	if (!runs && sides[SIDE_BEFORE].until_ns > sides[SIDE_AFTER].since_ns)
		return err_set(err, ERR_USAGE,
		       "history compare: --before is later than --after: a call cannot be in both");
	return ERR_OK;
}

static enum err_code check_sides(const struct comparing *g, struct err *err)
{
	for (unsigned side = 0; side < SIDES; side++) {
		const struct compare_totals *t = compare_totals(g->comparison, side);

		if (t->calls || t->registrations)
			continue;
		if (g->sides[side].run)
			return err_set(err, ERR_USAGE,
			       "history compare: run %" PRId64 " has no calls, or is not there: deadair history list",
			       g->sides[side].run);
		return err_set(err, ERR_USAGE,
		       "history compare: there is nothing %s that time: deadair history list says what there is",
			       side == SIDE_BEFORE ? "before" : "after");
	}
	return ERR_OK;
}

enum err_code history_compare(struct store *s, const struct history_options *options, struct out *o, struct err *err)
{
	struct compare_side sides[SIDES];
	struct comparing g = { .options = options, .sides = sides, .out = o };
	struct comparison *c;

	err->code = ERR_OK;
	if (name_sides(options, sides, err) != ERR_OK)
		return err->code;
	c = compare_new(s, sides, err);
	if (!c)
		return err->code;
	g.comparison = c;
	if (check_sides(&g, err) == ERR_OK) {
		if (options->form == HISTORY_JSON)
			print_json(&g);
		else if (options->form == HISTORY_CSV)
			print_csv(&g);
		else
			print_text(&g);
	}
	compare_free(c);
	return err->code;
}
