/* SPDX-License-Identifier: MIT */
/* record_part: first which records, then their rows, with numbers that go on behind those of the run. */
#include "analyzer/history/record_part.h"

#include <stdlib.h>

#include "analyzer/history/record.h"
#include "captures/base/marks.h"
#include "captures/base/memory.h"

/* Nothing heard for so long: it is over. */
#define FINDING_QUIET_NS MINUTE_NS
#define STREAM_QUIET_NS MINUTE_NS
#define INCIDENT_QUIET_NS (10 * MINUTE_NS)
#define REGISTRATION_QUIET_NS (2 * HOUR_NS)
/* A finding about more calls than that is about none of them alone. */
enum { CALLS_OF_ONE = 8, PORTION_ROWS_BYTES = 1 << 18 };

struct part {
	const struct engine *engine;
	const struct record_range *range;
	struct marks calls, findings, incidents;
	struct rows rows;
	bool (*take)(void *context, const struct rows *r);
	void *context;
};

static bool in_range(const struct record_range *r, int64_t end_ns)
{
	return (r->after_ns == NS_NONE || end_ns > r->after_ns) && (r->all || end_ns <= r->until_ns);
}

/* Of what has no end of its own. */
static bool went_quiet(const struct record_range *r, int64_t last_ns, int64_t quiet_ns)
{
	return in_range(r, ns_add(last_ns, quiet_ns));
}

static bool hand_on(struct part *p, bool all)
{
	bool taken = true;

	if (p->rows.n >= PORTION_ROWS_BYTES || (all && p->rows.n)) {
		taken = p->take(p->context, &p->rows);
		rows_clear(&p->rows);
	}
	return taken;
}

/* ---- which ---- */

static void choose_calls(struct part *p)
{
	struct view_call *c = memory_zalloc(sizeof *c);

	for (size_t i = 0; view_call(p->engine, i, c); i++) {
		if (c->end_ns == NS_NONE ? p->range->all : in_range(p->range, c->end_ns))
			marks_set(&p->calls, c->n);
	}
	free(c);
}

static bool finding_wanted(const struct part *p, const struct view_finding *f)
{
	if (f->calls_total == 0 || f->calls_total > CALLS_OF_ONE)
		return went_quiet(p->range, f->last_ns, FINDING_QUIET_NS);
	for (unsigned i = 0; i < f->call_id_count; i++) {
		if (marks_have(&p->calls, f->call_numbers[i]))
			return true;
	}
	return false;
}

/* What explains a finding goes with it: without its root it would be a problem of its own. */
static void choose_findings(struct part *p)
{
	struct view_finding *f = memory_zalloc(sizeof *f);

	for (size_t i = 0; view_finding(p->engine, i, f); i++) {
		if (!finding_wanted(p, f))
			continue;
		marks_set(&p->findings, f->n);
		if (f->explained_by)
			marks_set(&p->findings, f->explained_by);
	}
	free(f);
}

/* ---- their rows ---- */

static unsigned shifted(unsigned n, unsigned used, bool is_there)
{
	return n && is_there ? n + used : 0;
}

static bool record_findings(struct part *p)
{
	const struct record_numbers *used = &p->range->used;
	struct view_finding *f = memory_zalloc(sizeof *f);
	bool taken = true;

	for (size_t i = 0; taken && view_finding(p->engine, i, f); i++) {
		if (!marks_have(&p->findings, f->n))
			continue;
		f->n += used->findings;
		f->explained_by = shifted(f->explained_by, used->findings, true);
		f->incident = shifted(f->incident, used->incidents, marks_have(&p->incidents, f->incident));
		record_finding(&p->rows, f, !p->range->no_texts);
		taken = hand_on(p, false);
	}
	free(f);
	return taken;
}

static bool record_incidents(struct part *p)
{
	struct view_incident *v = memory_zalloc(sizeof *v);
	bool taken = true;

	for (size_t i = 0; taken && view_incident(p->engine, i, v); i++) {
		if (!went_quiet(p->range, v->last_ns, INCIDENT_QUIET_NS))
			continue;
		marks_set(&p->incidents, v->n);
		v->n += p->range->used.incidents;
		record_incident(&p->rows, v);
		taken = hand_on(p, false);
	}
	free(v);
	return taken;
}

static bool record_calls(struct part *p)
{
	struct view_call *c = memory_zalloc(sizeof *c);
	bool taken = true;

	for (size_t i = 0; taken && view_call(p->engine, i, c); i++) {
		unsigned kept = 0;

		if (!marks_have(&p->calls, c->n))
			continue;
		for (unsigned j = 0; j < c->finding_count; j++) {
			if (marks_have(&p->findings, c->findings[j]))
				c->findings[kept++] = c->findings[j] + p->range->used.findings;
		}
		c->finding_count = kept;
		c->n += p->range->used.calls;
		record_call(&p->rows, c);
		taken = hand_on(p, false);
	}
	free(c);
	return taken;
}

static bool record_streams(struct part *p)
{
	struct view_stream *s = memory_zalloc(sizeof *s);
	bool taken = true;

	for (size_t i = 0; taken && view_stream(p->engine, i, s); i++) {
		if (s->call ? !marks_have(&p->calls, s->call) : !went_quiet(p->range, s->last_ns, STREAM_QUIET_NS))
			continue;
		s->n += p->range->used.streams;
		s->call = shifted(s->call, p->range->used.calls, true);
		record_stream(&p->rows, s);
		taken = hand_on(p, false);
	}
	free(s);
	return taken;
}

static bool record_registrations(struct part *p)
{
	struct view_registration *g = memory_zalloc(sizeof *g);
	bool taken = true;

	for (size_t i = 0; taken && view_registration(p->engine, i, g); i++) {
		if (!went_quiet(p->range, g->last_ns, REGISTRATION_QUIET_NS))
			continue;
		g->n += p->range->used.registrations;
		record_registration(&p->rows, g);
		taken = hand_on(p, false);
	}
	free(g);
	return taken;
}

static bool record_network(struct part *p)
{
	struct view_host *h = memory_zalloc(sizeof *h);
	struct view_nat m;
	bool taken = true;

	for (size_t i = 0; taken && (p->range->all || p->range->network) && view_host(p->engine, i, h); i++) {
		record_host(&p->rows, h);
		taken = hand_on(p, false);
	}
	for (size_t i = 0; taken && (p->range->all || p->range->network) && view_nat(p->engine, i, &m); i++) {
		record_nat(&p->rows, (unsigned)i + 1, &m);
		taken = hand_on(p, false);
	}
	free(h);
	return taken;
}

bool record_part(const struct engine *e, const struct record_range *range,
	bool (*take)(void *context, const struct rows *r), void *context)
{
	struct part p = { .engine = e, .range = range, .take = take, .context = context };
	bool taken;

	rows_init(&p.rows);
	choose_calls(&p);
	choose_findings(&p);
	taken = record_incidents(&p) && record_findings(&p) && record_calls(&p) && record_streams(&p) &&
		record_registrations(&p) &&
		record_network(&p) && hand_on(&p, true);
	rows_fini(&p.rows);
	marks_fini(&p.calls);
	marks_fini(&p.findings);
	marks_fini(&p.incidents);
	return taken;
}
