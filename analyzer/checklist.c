/* SPDX-License-Identifier: MIT */
/* checklist: what its points share, and the one that sums up the test calls. */
#include "analyzer/checklist_tally.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "captures/base/memory.h"

const char *check_state_name(enum check_state s)
{
	static const char *const names[] = {
		[CHECK_PASS] = "PASS", [CHECK_FAIL] = "FAIL", [CHECK_NOT_SEEN] = "NOT-SEEN",
			[CHECK_CANNOT_TELL] = "CANNOT-TELL",
	};

	return names[s];
}

struct check *check_add(struct checklist *c, const char *item, const char *title, const char *name)
{
	struct check *k = &c->checks[c->count++];

	k->item = item;
	k->title = title;
	k->name = name;
	k->state = CHECK_NOT_SEEN;
	return k;
}

void check_say(struct check *k, enum check_state state, const char *format, ...)
{
	va_list ap;

	k->state = state;
	va_start(ap, format);
	vsnprintf(k->why, sizeof k->why, format, ap);
	va_end(ap);
}

static void check_id(struct check *k, const char *id)
{
	for (unsigned i = 0; i < k->id_count; i++) {
		if (strcmp(k->ids[i], id) == 0)
			return;
	}
	if (k->id_count < CHECK_IDS)
		k->ids[k->id_count++] = id;
}

void check_finding(struct check *k, const struct finding *f)
{
	check_id(k, f->id);
	for (unsigned i = 0; i < k->finding_count; i++) {
		if (k->findings[i] == f->n)
			return;
	}
	if (k->finding_count < CHECK_NUMBERS)
		k->findings[k->finding_count++] = f->n;
}

void check_evidence(struct check *k, struct frame_ref at, const char *format, ...)
{
	va_list ap;

	if (!at.frame || k->evidence_count == CHECK_EVIDENCE)
		return;
	k->evidence[k->evidence_count].at = at;
	va_start(ap, format);
	vsnprintf(k->evidence[k->evidence_count++].what, CHECK_WHAT, format, ap);
	va_end(ap);
}

/* At warning or above, standing, whether or not another one explains it. */
static bool check_counts(const struct finding *f)
{
	return f->state != FINDING_WITHDRAWN && f->severity >= SEVERITY_WARNING;
}

bool check_proven(const struct finding *f)
{
	return check_counts(f) && f->confidence >= CONFIDENCE_LIKELY;
}

bool check_is(const struct finding *f, const char *const *ids)
{
	for (; ids && *ids; ids++) {
		if (strcmp(f->id, *ids) == 0)
			return true;
	}
	return false;
}

const struct finding *check_findings(struct checklist *c, struct check *k, const char *const *ids)
{
	const struct finding *first = NULL;

	LIST_EACH(it, findings_in_order(c->facts->findings)) {
		const struct finding *f = LIST_ENTRY(it, struct finding, in_order);

		if (!check_proven(f) || !check_is(f, ids))
			continue;
		check_finding(k, f);
		first = first ? first : f;
	}
	return first;
}

/* ---- findings by call ---- */

static void mark_add(struct checklist *c, unsigned call, const struct finding *f)
{
	struct mark *m;

	if (!call || call > c->highest || (c->marks[call] && c->marks[call]->finding == f))
		return;
	m = arena_zalloc(c->arena, sizeof *m);
	m->finding = f;
	m->next = c->marks[call];
	c->marks[call] = m;
}

static void marks_make(struct checklist *c)
{
	LIST_EACH(it, calls_in_order(c->facts->calls)) {
		const struct call *call = LIST_ENTRY(it, struct call, in_order);

		c->highest = call->n > c->highest ? call->n : c->highest;
	}
	c->marks = memory_zalloc((c->highest + 1u) * sizeof *c->marks);
	LIST_EACH(it, findings_in_order(c->facts->findings)) {
		const struct finding *f = LIST_ENTRY(it, struct finding, in_order);

		for (unsigned i = 0; check_counts(f) && i < f->leg_count; i++)
			mark_add(c, f->legs[i].leg->call ? f->legs[i].leg->call->n : 0, f);
	}
}

/* ---- C1.5 ---- */

static void name_add(char *list, size_t room, const char *name)
{
	size_t n = strlen(list);

	snprintf(list + n, room - n, "%s%s", n ? ", " : "", name);
}

/* All that stands behind `first`: every test call seen and clean; one that is faulty; what was not seen, by name. */
static void sum_up(struct checklist *c, struct check *k, unsigned first)
{
	char missing[CHECK_WHY - 60] = "", faulty[CHECK_WHY - 60] = "";
	unsigned clean = 0, bad = 0, all = c->count - first;

	for (unsigned i = first; i < c->count; i++) {
		const struct check *x = &c->checks[i];

		clean += x->state == CHECK_PASS;
		bad += x->state == CHECK_FAIL;
		if (x->state == CHECK_FAIL)
			name_add(faulty, sizeof faulty, x->name);
		else if (x->state != CHECK_PASS)
			name_add(missing, sizeof missing, x->name);
		for (unsigned f = 0; x->state == CHECK_FAIL && f < x->finding_count && k->finding_count < CHECK_NUMBERS;
		    f++)
			k->findings[k->finding_count++] = x->findings[f];
		for (unsigned f = 0; x->state == CHECK_FAIL && f < x->id_count; f++)
			check_id(k, x->ids[f]);
	}
	if (bad)
		check_say(k, CHECK_FAIL, "%u of %u seen to work; faulty: %s", clean, all, faulty);
	else if (clean == all)
		check_say(k, CHECK_PASS, "%u of %u seen to work", clean, all);
	else
		check_say(k, clean ? CHECK_CANNOT_TELL : CHECK_NOT_SEEN, "%u of %u seen to work; not confirmed: %s",
			clean, all, missing);
}

static void numbers_sort(struct check *k)
{
	for (unsigned i = 1; i < k->finding_count; i++) {
		for (unsigned j = i; j && k->findings[j] < k->findings[j - 1]; j--) {
			unsigned n = k->findings[j];

			k->findings[j] = k->findings[j - 1];
			k->findings[j - 1] = n;
		}
	}
	for (unsigned i = 0, n = k->finding_count; i < n; i++) {      /* a finding may fail several test calls */
		if (i == 0)
			k->finding_count = 0;
		if (!k->finding_count || k->findings[k->finding_count - 1] != k->findings[i])
			k->findings[k->finding_count++] = k->findings[i];
	}
}

static void checklist_flows(struct checklist *c)
{
	checklist_calls(c);
	checklist_hold(c);
	checklist_transfers(c);
	checklist_conference(c);
	checklist_remote(c);
	checklist_early(c);
	checklist_failback(c);
	checklist_peak(c);
	checklist_music(c);
	checklist_ring_group(c);
	checklist_lamps(c);
	checklist_both(c);
}

struct checklist *checklist_new(const struct facts *facts)
{
	struct checklist *c = memory_zalloc(sizeof *c);
	struct check *flows;

	c->facts = facts;
	c->arena = arena_new();
	c->ends = ends_new(facts);
	marks_make(c);
	sights_make(c);
	checklist_site(c);
	checklist_network(c);
	flows = check_add(c, "C1.5", "Live call flows tested", "call flows");
	checklist_flows(c);
	sum_up(c, flows, (unsigned)(flows - c->checks) + 1);
	for (unsigned i = 0; i < c->count; i++)
		numbers_sort(&c->checks[i]);
	free(c->marks);
	c->marks = NULL;
	free(c->sights);
	c->sights = NULL;
	ends_free(c->ends);
	c->ends = NULL;
	return c;
}

void checklist_free(struct checklist *c)
{
	if (!c)
		return;
	arena_free(c->arena);
	free(c);
}

unsigned checklist_count(const struct checklist *c)
{
	return c->count;
}

const struct check *checklist_at(const struct checklist *c, unsigned i)
{
	return i < c->count ? &c->checks[i] : NULL;
}
