/* SPDX-License-Identifier: MIT */
/* checklist_group: C2.12 and C2.13: phones that ring together, lamps that show who talks. */
#include "analyzer/checklist_tally.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/calls/watch.h"
#include "analyzer/detect/lamp.h"
#include "captures/base/memory.h"
#include "captures/base/sort.h"

#define FORK_NS SECOND_NS                    /* phones of one group are rung within */
#define ANSWERED_ELSEWHERE_NS (5 * SECOND_NS)        /* and left in peace after an answer within */

static int ring_compare(const void *x, const void *y)
{
	const struct leg *a = *(const struct leg *const *)x, *b = *(const struct leg *const *)y;
	const struct party *p = &a->party[SIDE_CALLER], *q = &b->party[SIDE_CALLER];
	size_t n = p->user.n < q->user.n ? p->user.n : q->user.n;
	int order = address_compare(&p->signalling.addr, &q->signalling.addr);

	if (!order && n)
		order = memcmp(p->user.p, q->user.p, n);
	if (!order && p->user.n != q->user.n)
		order = p->user.n < q->user.n ? -1 : 1;
	if (!order && a->invite_ns != b->invite_ns)
		order = a->invite_ns < b->invite_ns ? -1 : 1;
	return order ? order : (a->n > b->n) - (a->n < b->n);
}

static bool rings_with(const struct leg *a, const struct leg *b)
{
	const struct party *p = &a->party[SIDE_CALLER], *q = &b->party[SIDE_CALLER];

	return address_equal(&p->signalling.addr, &q->signalling.addr) && span_equal(p->user, q->user) &&
	       b->invite_ns - a->invite_ns <= FORK_NS;
}

/* It rang, and was cancelled because another one had answered. */
static bool gave_way(const struct leg *leg, const struct leg *answered)
{
	return leg->state == LEG_CANCELLED && leg->cancel_seen && leg->progress_ns != NS_NONE &&
	       leg->end_ns != NS_NONE && leg->end_ns >= answered->answer_ns &&
	       leg->end_ns - answered->answer_ns <= ANSWERED_ELSEWHERE_NS;
}

static void ring_group(struct tally *t, const struct leg *const *legs, size_t count)
{
	const struct leg *answered = NULL;
	unsigned cancelled = 0, unconfirmed = 0;
	bool fault = false;

	for (size_t i = 0; i < count; i++) {
		if (legs[i]->answered && legs[i]->answer_ns != NS_NONE && !answered)
			answered = legs[i];
	}
	for (size_t i = 0; answered && i < count; i++) {
		bool lost = false;

		if (legs[i] == answered || !legs[i]->call)
			continue;
		cancelled += gave_way(legs[i], answered);
		unconfirmed += gave_way(legs[i], answered) && legs[i]->status != 487;
		tally_marked(t, legs[i]->call, &lost);
		fault |= lost;
	}
	if (!answered || !answered->call || (!cancelled && !fault))
		return;
	if (fault)
		tally_add(t, OUTCOME_FAULT, answered->call->n, answered->invite_at);
	else
		tally_call(t, answered->call, answered->invite_at,
			unconfirmed ? "not every cancelled phone says so (487)" : NULL);
}

/* One leg that a proxy forked: several To-tags, one of them confirmed. */
static bool is_forked(const struct leg *leg)
{
	bool losing = false;

	if (!leg->answered || !leg->confirmed || !leg->cancel_seen)
		return false;
	LIST_EACH(it, &leg->dialogs)
		losing |= LIST_ENTRY(it, struct dialog, in_leg)->losing_fork;
	return losing;
}

static bool any_finding(const struct checklist *c, const char *const *ids)
{
	LIST_EACH(it, findings_in_order(c->facts->findings)) {
		if (check_is(LIST_ENTRY(it, struct finding, in_order), ids))
			return true;
	}
	return false;
}

void checklist_ring_group(struct checklist *c)
{
	static const char *const ids[] = { "cancel-lost", NULL };
	struct tally t = tally_of(c, "C2.12", "Ring group", "ring group", ids);
	const struct list *all = calls_legs(c->facts->calls);
	const struct leg **legs = memory_zalloc((all->count + 1) * sizeof *legs);
	bool cancelled = false;
	size_t n = 0;

	LIST_EACH(it, all) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

		if (leg->initial_invite_seen && leg->invite_ns != NS_NONE &&
		    address_known(&leg->party[SIDE_CALLER].signalling.addr))
			legs[n++] = leg;
		cancelled |= leg->state == LEG_CANCELLED && leg->cancel_seen;
		if (is_forked(leg) && leg->call)
			tally_call(&t, leg->call, leg->invite_at, NULL);
	}
	if (!cancelled && !t.count[OUTCOME_CLEAN] && !t.count[OUTCOME_OPEN] && !any_finding(c, ids))
		n = 0;               /* nobody gave way, and nobody is said to have failed to */
	sort(legs, n, sizeof *legs, ring_compare);
	for (size_t first = 0, next; first < n; first = next) {
		for (next = first + 1; next < n && rings_with(legs[first], legs[next]); next++)
			;
		if (next - first > 1)
			ring_group(&t, &legs[first], next - first);
	}
	free(legs);
	t.works = "one phone answered, the others stopped ringing";
	t.nothing = "no call that rang several phones";
	tally_settle(&t);
}

/* ---- C2.13 ---- */

static bool lit(const struct watch *w)
{
	for (unsigned i = 0; i < w->note_count; i++) {
		if (w->notes[i].has_info && w->notes[i].claim && w->notes[i].status >= 200 && w->notes[i].status < 300)
			return true;
	}
	return false;
}

void checklist_lamps(struct checklist *c)
{
	static const char *const ids[] = { "blf-broken", NULL };
	struct check *k = check_add(c, "C2.13", "Lamps (BLF)", "BLF");
	struct lamps *lamps = NULL;
	int64_t last_ns = c->facts->capture->last_ns, wait_ns = (int64_t)(config_value(c->facts->config, "blf-broken",
		"blf-notify-s") * 1e9);
	unsigned watched = 0, follow = 0;
	const struct finding *broken = check_findings(c, k, ids);

	LIST_EACH(it, watches_in_order(c->facts->watches)) {
		const struct watch *w = LIST_ENTRY(it, struct watch, in_order);
		const struct leg *leg = NULL;

		if (!w->note_count)
			continue;
		watched++;
		lamps = lamps ? lamps : lamps_new(c->facts->calls);
		if (broken || !lit(w) || lamp_change_after(lamps, w, w->first_ns, &leg) == NS_NONE ||
		    lamp_compare(lamps, w, last_ns, wait_ns).wrong)
			continue;
		follow++;
		check_evidence(k, w->notes[0].at, "NOTIFY of the lamp of %.60s", w->entity);
		if (leg && leg->call && k->call_count < CHECK_NUMBERS &&
		    (!k->call_count || k->calls[k->call_count - 1] != leg->call->n))
			k->calls[k->call_count++] = leg->call->n;
	}
	k->calls_total = k->call_count;
	lamps_free(lamps);
	if (broken)
		check_say(k, CHECK_FAIL, "%s", broken->title.p);
	else if (follow)
		check_say(k, CHECK_PASS, "%u of %u lamp%s followed a call of the watched phone", follow, watched,
			watched == 1 ? "" : "s");
	else if (watched)
		check_say(k, CHECK_CANNOT_TELL, "%u lamp%s watched, no call of a watched phone to compare with",
			watched, watched == 1 ? "" : "s");
	else
		check_say(k, CHECK_NOT_SEEN, "nobody watches a line");
}
