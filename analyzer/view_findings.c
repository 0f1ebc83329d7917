/* SPDX-License-Identifier: MIT */
/* view_findings: findings, incidents, why something was not found, and the sum of it all. */
#include <stdio.h>

#include "analyzer/view_cache.h"
#include "analyzer/view_redact.h"
#include "analyzer/views.h"
#include "analyzer/findings/more_legs.h"
#include "analyzer/network/message_diff.h"
#include "captures/base/memory.h"

static void add_unique(unsigned *list, unsigned *count, unsigned room, unsigned value)
{
	for (unsigned i = 0; i < *count; i++) {
		if (list[i] == value)
			return;
	}
	if (*count < room)
		list[(*count)++] = value;
}

static void view_parts(const struct finding *f, struct view_host_part *hosts, unsigned *count)
{
	for (unsigned i = 0; i < f->host_count && *count < 12; i++) {
		bool known = false;

		for (unsigned k = 0; k < *count && !known; k++)
			known = endpoint_equal(&hosts[k].at, &f->hosts[i].at) &&
				strcmp(hosts[k].part, part_name(f->hosts[i].part)) == 0;
		if (!known)
			hosts[(*count)++] = (struct view_host_part){ f->hosts[i].at, part_name(f->hosts[i].part) };
	}
}

static bool is_over(const struct finding *f)
{
	for (unsigned i = 0; i < f->leg_count; i++) {
		if (f->legs[i].leg->end_ns == NS_NONE)
			return false;
	}
	if (f->more_legs) {
		LIST_EACH(it, &f->more_legs->in_order) {
			if (LIST_ENTRY(it, struct more_leg, in_order)->leg->end_ns == NS_NONE)
				return false;
		}
	}
	return f->leg_count > 0;
}

bool view_finding(const struct engine *e, size_t i, struct view_finding *ret)
{
	struct view_cache *v = view_cache_of(e);
	const struct finding *f;

	if (i >= v->finding_count)
		return false;
	f = v->findings[i];
	memset(ret, 0, sizeof *ret);
	ret->n = f->n;
	ret->id = f->id;
	ret->reason = f->reason;
	ret->severity = severity_name(f->severity);
	ret->confidence = confidence_name(f->confidence);
	ret->title = f->title.p;
	ret->cause = f->cause.p;
	ret->fix = f->fix.p;
	ret->reason_confidence = confidence_name(f->reason_confidence);
	ret->other_reason_count = f->other_reason_count;
	for (unsigned k = 0; k < f->other_reason_count; k++)
		ret->other_reasons[k] = f->other_reasons[k];
	ret->cannot_see = f->cannot_see.n ? f->cannot_see.p : NULL;
	for (unsigned k = 0; k < v->explains[i].count && k < 8; k++)
		ret->chain[ret->chain_count++] = v->explains[i].numbers[k];
	ret->since_ns = f->since_ns;
	ret->first_ns = f->first_ns;
	ret->last_ns = f->last_ns;
	for (unsigned k = 0; k < f->leg_count; k++) {
		ret->call_ids[k] = f->legs[k].call_id;
		ret->call_numbers[k] = view_call_number(f->legs[k].leg);
	}
	ret->call_id_count = f->leg_count;
	for (unsigned k = 0; k < f->other_id_count; k++)
		ret->other_ids[ret->other_id_count++] = f->other_ids[k];
	ret->calls_total = f->legs_total;
	view_parts(f, ret->hosts, &ret->host_count);
	ret->stream_count = f->stream_count;
	memcpy(ret->streams, f->streams, sizeof ret->streams);
	for (unsigned k = 0; k < f->evidence_count; k++) {
		const struct evidence *x = &f->evidence[k];

		ret->evidence[k] = (struct view_evidence){ x->at.file, x->at.frame, x->last_frame, x->at.at_ns,
			x->what };
	}
	ret->evidence_count = f->evidence_count;
	for (unsigned k = 0; k < f->change_count; k++) {
		ret->changes[k].field = f->changes[k].field;
		ret->changes[k].before = f->changes[k].before;
		ret->changes[k].after = f->changes[k].after;
	}
	ret->change_count = f->change_count;
	ret->count = f->count;
	ret->state = finding_state_name(f->state);
	ret->explained_by = f->explained_by ? f->explained_by->n : 0;
	ret->incident = f->incident ? f->incident->n : 0;
	ret->identity = f->identity;
	ret->over = is_over(f);
	view_redact_finding(e->redact, ret);
	for (unsigned k = 0; k < ret->change_count; k++) {
		struct view_change *x = &ret->changes[k];

		difference_of(span_of(x->before), span_of(x->after), &x->before_part, &x->after_part);
	}
	return true;
}

bool view_incident(const struct engine *e, size_t i, struct view_incident *ret)
{
	struct view_cache *v = view_cache_of(e);
	const struct incident *x;
	char *healthy;

	if (i >= v->incident_count)
		return false;
	x = v->incidents[i];
	memset(ret, 0, sizeof *ret);
	ret->n = x->n;
	ret->title = x->title;
	ret->cause = x->root->cause.p;
	ret->fix = x->root->fix.p;
	ret->severity = severity_name(x->severity);
	ret->confidence = confidence_name(x->confidence);
	for (unsigned k = 0; k < x->finding_count; k++) {
		const struct finding *f = x->findings[k];

		add_unique(ret->findings, &ret->finding_count, 64, f->n);
		for (unsigned c = 0; c < f->leg_count; c++) {
			if (f->legs[c].leg->call)
				add_unique(ret->calls, &ret->call_count, 64, f->legs[c].leg->call->n);
		}
		view_parts(f, ret->hosts, &ret->host_count);
	}
	ret->calls_total = x->calls_total;
	ret->first_ns = x->first_ns;
	ret->last_ns = x->last_ns;
	if (x->root->healthy.n) {
		ret->healthy = x->root->healthy.p;
	} else if (v->call_count > x->calls_total) {
		size_t others = v->call_count - x->calls_total;

		healthy = view_lend(v);
		snprintf(healthy, VIEW_TEXT, "%zu other call%s of this capture do%s not have it%s%s", others,
			others == 1 ? "" : "s", others == 1 ? "es" : "", x->root->earlier.n ? "; " : "",
			x->root->earlier.p);
		ret->healthy = healthy;
	}
	view_redact_incident(e->redact, ret);
	return true;
}

bool view_why_not(const struct engine *e, size_t i, struct view_why_not *ret)
{
	struct view_cache *v = view_cache_of(e);
	unsigned count;
	const struct why_not *all = detections_why_not(e->detections, &count), *w;

	if (i >= count)
		return false;
	w = &all[i];
	v->rows = memory_resize(v->rows, w->row_count + 1u, sizeof *v->rows);
	for (unsigned k = 0; k < w->row_count; k++) {
		v->rows[k].holds = w->rows[k].holds;
		v->rows[k].decided = w->rows[k].decided;
		v->rows[k].text = e->redact ? redact_text(e->redact, w->rows[k].text) : w->rows[k].text;
	}
	memset(ret, 0, sizeof *ret);
	ret->call = view_call_number(w->leg);
	ret->rows = (const void *)v->rows;
	ret->row_count = w->row_count;
	ret->found = w->found;
	ret->gate = w->gate;
	return true;
}

void view_end(const struct engine *e, struct view_end *ret)
{
	struct view_cache *v = view_cache_of(e);
	struct calls_counts c = calls_counts(e->calls);
	unsigned *by_severity[] = { &ret->info, &ret->warning, &ret->error, &ret->critical };

	memset(ret, 0, sizeof *ret);
	ret->calls = c.calls;
	ret->answered = c.answered;
	ret->registrations = c.registrations;
	for (size_t i = 0; i < v->stream_count; i++)
		ret->streams += v->streams[i]->packets >= 10;
	for (size_t i = 0; i < v->finding_count; i++) {
		const struct finding *f = v->findings[i];

		if (f->state != FINDING_WITHDRAWN && !f->explained_by)
			++*by_severity[f->severity];
	}
	ret->exit = findings_exit_status(e->findings);
}
