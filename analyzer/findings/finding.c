/* SPDX-License-Identifier: MIT */
/* finding: making and filling findings. */
#include "analyzer/findings/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/findings/internal.h"
#include "analyzer/findings/more_legs.h"
#include "captures/base/memory.h"

struct findings *findings_new(void)
{
	struct findings *f = memory_zalloc(sizeof *f);

	list_init(&f->all);
	list_init(&f->incidents);
	return f;
}

static void evidence_free(struct finding *f)
{
	for (unsigned i = 0; i < f->evidence_count; i++)
		free(f->evidence[i].what);
	f->evidence_count = 0;
	for (unsigned i = 0; i < f->change_count; i++) {
		free(f->changes[i].field);
		free(f->changes[i].before);
		free(f->changes[i].after);
	}
	f->change_count = 0;
}

static void finding_free(struct finding *f)
{
	evidence_free(f);
	more_legs_free(f->more_legs);
	text_fini(&f->title);
	text_fini(&f->cause);
	text_fini(&f->fix);
	text_fini(&f->cannot_see);
	text_fini(&f->healthy);
	text_fini(&f->earlier);
	free(f);
}

void findings_free(struct findings *f)
{
	if (!f)
		return;
	incidents_clear(f);
	LIST_EACH_SAFE(it, &f->all)
		finding_free(LIST_ENTRY(it, struct finding, in_order));
	free(f);
}

struct finding *findings_add(struct findings *all, const struct detector *detector, const char *id, const char *reason,
	enum severity s, enum confidence c)
{
	struct finding *f = memory_zalloc(sizeof *f);

	f->detector = detector;
	f->id = id;
	f->reason = reason;
	f->severity = s;
	f->confidence = f->reason_confidence = c;
	f->first_ns = f->last_ns = f->since_ns = NS_NONE;
	f->count = 1;
	f->state = FINDING_CLOSED;
	f->listed = true;
	f->order = all->next_order++;
	text_init(&f->title);
	text_init(&f->cause);
	text_init(&f->fix);
	text_init(&f->cannot_see);
	text_init(&f->healthy);
	text_init(&f->earlier);
	list_add_tail(&all->all, &f->in_order);
	return f;
}

/* A note in the margin: findings change nothing else of a leg. */
static void name_leg(const struct leg *leg, int by)
{
	struct leg *named = (struct leg *)(uintptr_t)leg;

	if (by > 0)
		named->named++;
	else
		named->named--;
}

static void legs_unname(struct finding *f)
{
	for (unsigned i = 0; i < f->leg_count; i++)
		name_leg(f->legs[i].leg, -1);
	f->leg_count = 0;
	if (!f->more_legs)
		return;
	LIST_EACH(it, &f->more_legs->in_order)
		name_leg(LIST_ENTRY(it, struct more_leg, in_order)->leg, -1);
	more_legs_free(f->more_legs);
	f->more_legs = NULL;
}

/* What was settled may name it: until the next time nothing is explained and nothing joined. */
static void unsettle(struct findings *all)
{
	incidents_clear(all);
	LIST_EACH(it, &all->all)
		LIST_ENTRY(it, struct finding, in_order)->explained_by = NULL;
	all->settled = false;
}

void findings_remove(struct findings *all, struct finding *f)
{
	if (all->settled)
		unsettle(all);
	legs_unname(f);
	list_remove(&all->all, &f->in_order);
	finding_free(f);
}

void findings_forget_leg(struct findings *all, struct leg *leg)
{
	LIST_EACH(it, &all->all) {
		struct finding *f = LIST_ENTRY(it, struct finding, in_order);

		if (!leg->named)
			return;
		if (more_legs_remove(f->more_legs, leg))
			leg->named--;
		for (unsigned i = 0; i < f->leg_count; i++) {
			if (f->legs[i].leg != leg)
				continue;
			f->legs[i] = f->legs[--f->leg_count];
			leg->named--;
			break;
		}
	}
}

void findings_reset(struct finding *f)
{
	evidence_free(f);
	legs_unname(f);
	text_clear(&f->title);
	text_clear(&f->cause);
	text_clear(&f->fix);
	text_clear(&f->cannot_see);
	text_clear(&f->healthy);
	text_clear(&f->earlier);
	f->other_id_count = f->other_reason_count = f->legs_total = f->host_count = f->stream_count = 0;
	f->first_ns = f->last_ns = f->since_ns = NS_NONE;
	f->count = 1;
	f->caused_by = NULL;
}

#define FILL(text) \
	do { \
		char buffer[1024]; \
		va_list ap; \
		va_start(ap, format); \
		vsnprintf(buffer, sizeof buffer, format, ap); \
		va_end(ap); \
		text_clear(text); \
		text_add(text, buffer); \
	} while (0)

/* "the phone 10.0.0.2 ..." comes from a name that also stands in mid-sentence. */
static void sentence_begin(struct text *t)
{
	if (strncmp(t->p, "the ", 4) == 0)
		t->p[0] = 'T';
	for (char *at = strstr(t->p, ". the "); at; at = strstr(at + 3, ". the "))
		at[2] = 'T';
}

void finding_title(struct finding *f, const char *format, ...)
{
	FILL(&f->title);
	sentence_begin(&f->title);
}

void finding_cause(struct finding *f, const char *format, ...)
{
	FILL(&f->cause);
	sentence_begin(&f->cause);
}

void finding_fix(struct finding *f, const char *format, ...)
{
	FILL(&f->fix);
	sentence_begin(&f->fix);
}

void finding_healthy(struct finding *f, const char *format, ...)
{
	FILL(&f->healthy);
}

void finding_earlier(struct finding *f, const char *format, ...)
{
	FILL(&f->earlier);
}

void finding_cannot_see(struct finding *f, const char *format, ...)
{
	FILL(&f->cannot_see);
}

void finding_part(struct finding *f, enum part part, const struct endpoint *at)
{
	if (!address_known(&at->addr) || f->host_count == FINDING_HOST_MAX)
		return;
	for (unsigned i = 0; i < f->host_count; i++) {
		if (f->hosts[i].part == part && endpoint_equal(&f->hosts[i].at, at))
			return;
	}
	f->hosts[f->host_count].at = *at;
	f->hosts[f->host_count++].part = part;
}

bool finding_has_leg(const struct finding *f, const struct leg *leg)
{
	for (unsigned i = 0; i < f->leg_count; i++) {
		if (f->legs[i].leg == leg)
			return true;
	}
	return more_legs_have(f->more_legs, leg);
}

void finding_leg(struct finding *f, const struct leg *leg)
{
	if (finding_has_leg(f, leg))
		return;
	f->legs_total++;
	name_leg(leg, 1);
	if (f->leg_count == FINDING_LEG_MAX) {
		if (!f->more_legs)
			f->more_legs = more_legs_new();
		more_legs_add(f->more_legs, leg);
		return;
	}
	f->legs[f->leg_count].leg = leg;
	f->legs[f->leg_count++].call_id = leg->call_id;
}

void finding_other_id(struct finding *f, struct span call_id)
{
	for (unsigned i = 0; i < f->other_id_count; i++) {
		if (span_equal(f->other_ids[i], call_id))
			return;
	}
	if (f->other_id_count < FINDING_OTHER_ID_MAX)
		f->other_ids[f->other_id_count++] = call_id;
}

void finding_stream(struct finding *f, uint32_t n)
{
	for (unsigned i = 0; i < f->stream_count; i++) {
		if (f->streams[i] == n)
			return;
	}
	if (f->stream_count < FINDING_STREAM_MAX)
		f->streams[f->stream_count++] = n;
}

static void add_evidence(struct finding *f, struct frame_ref at, uint32_t last_frame, const char *format, va_list ap)
{
	char buffer[300];

	vsnprintf(buffer, sizeof buffer, format, ap);
	for (unsigned i = 0; i < f->evidence_count; i++) {
		if (f->evidence[i].at.frame == at.frame && f->evidence[i].at.file == at.file &&
		    strcmp(f->evidence[i].what, buffer) == 0)
			return;
	}
	if (f->evidence_count == FINDING_EVIDENCE_MAX)
		return;
	f->evidence[f->evidence_count++] = (struct evidence){ at, last_frame, memory_text(buffer) };
}

void finding_evidence(struct finding *f, struct frame_ref at, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add_evidence(f, at, 0, format, ap);
	va_end(ap);
}

void finding_evidence_run(struct finding *f, struct frame_ref at, uint32_t last_frame, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add_evidence(f, at, last_frame == at.frame ? 0 : last_frame, format, ap);
	va_end(ap);
}

void finding_change(struct finding *f, const char *field, const char *before, const char *after)
{
	for (unsigned i = 0; i < f->change_count; i++) {
		const struct field_change *c = &f->changes[i];

		if (strcmp(c->field, field) == 0 && strcmp(c->before, before) == 0 && strcmp(c->after, after) == 0)
			return;
	}
	if (f->change_count < FINDING_CHANGE_MAX)
		f->changes[f->change_count++] = (struct field_change){ memory_text(field), memory_text(before),
			memory_text(after) };
}

void finding_times(struct finding *f, int64_t first_ns, int64_t last_ns)
{
	f->first_ns = first_ns;
	f->last_ns = last_ns;
}

void finding_other_reason(struct finding *f, const char *reason)
{
	if (f->other_reason_count < FINDING_REASON_MAX)
		f->other_reasons[f->other_reason_count++] = reason;
}

const struct list *findings_in_order(const struct findings *f)
{
	return &f->all;
}

const struct list *findings_incidents(const struct findings *f)
{
	return &f->incidents;
}

/* ---- order and numbers ---- */

static int finding_compare(const void *a, const void *b)
{
	const struct finding *x = *(const struct finding *const *)a, *y = *(const struct finding *const *)b;
	bool x_gone = x->state == FINDING_WITHDRAWN, y_gone = y->state == FINDING_WITHDRAWN;
	int by_id;

	if (x_gone != y_gone)
		return x_gone ? 1 : -1;
	if (x->severity != y->severity)
		return x->severity > y->severity ? -1 : 1;
	if (x->first_ns != y->first_ns)
		return x->first_ns < y->first_ns ? -1 : 1;
	by_id = strcmp(x->id, y->id);
	if (by_id)
		return by_id;
	return x->order < y->order ? -1 : x->order > y->order;
}

static void put_in_order(struct findings *f)
{
	size_t n = f->all.count, i = 0;
	struct finding **sorted = memory_zalloc((n + 1) * sizeof *sorted);
	unsigned number = 0;

	LIST_EACH(it, &f->all)
		sorted[i++] = LIST_ENTRY(it, struct finding, in_order);
	qsort(sorted, n, sizeof *sorted, finding_compare);
	list_init(&f->all);
	for (i = 0; i < n; i++) {
		list_add_tail(&f->all, &sorted[i]->in_order);
		sorted[i]->n = ++number;
	}
	free(sorted);
}

void findings_settle(struct findings *f, int64_t incident_window_ns)
{
	suppression_settle(f);
	put_in_order(f);
	incidents_settle(f, incident_window_ns);
	f->settled = true;
}

int findings_exit_status(const struct findings *f)
{
	LIST_EACH(it, &f->all) {
		const struct finding *x = LIST_ENTRY(it, struct finding, in_order);

		if (x->state != FINDING_WITHDRAWN && x->severity > SEVERITY_INFO && !x->explained_by)
			return 1;
	}
	return 0;
}

const char *severity_name(enum severity s)
{
	static const char *const names[] = { "info", "warning", "error", "critical" };

	return names[s];
}

const char *confidence_name(enum confidence c)
{
	static const char *const names[] = { "none", "possible", "likely", "certain" };

	return names[c];
}

const char *part_name(enum part p)
{
	static const char *const names[] = { "victim", "culprit", "witness" };

	return names[p];
}

const char *finding_state_name(enum finding_state s)
{
	static const char *const names[] = { "open", "closed", "withdrawn" };

	return names[s];
}
