/* SPDX-License-Identifier: MIT */
/* call_failed_origin: where the refusal of a call was made, down its legs, and what was handed on of it. */
#include "analyzer/detect/call_failed.h"

#include "analyzer/calls/headers.h"

#define HANDED_ON_NS SECOND_NS          /* page 4, section 7: what takes longer is another event */

enum { DEPTH_MAX = 8 };

const struct transaction *failed_call_attempt(const struct leg *leg)
{
	const struct transaction *last = NULL;

	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);

		if (t->initial && t->final && t->final->status == leg->status)
			last = t;
	}
	return last;
}

/* A proxy hands a refusal on: the first sight of it is nearest to where it was made. */
static const struct message *first_sight(const struct transaction *t, unsigned status)
{
	CHAIN_EACH(it, &t->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_transaction);

		if (!m->request && m->status == status)
			return m;
	}
	return t->final;
}

unsigned failed_call_q850(const struct message *m)
{
	return m->headers ? m->headers->more->q850 : 0;
}

static bool alike(const struct message *x, const struct message *y)
{
	return x->status == y->status || (failed_call_q850(x) && failed_call_q850(x) == failed_call_q850(y));
}

/*
 * The leg behind this one that was refused just before this one was: the host between hands that on, in other words.
 * Not one that it gave up itself; where it tried several, it is its own choice what it says.
 */
static const struct leg *refused_before(const struct leg *leg)
{
	const struct leg *behind = NULL;

	LIST_EACH(it, &leg->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);

		if (other->parent != leg)
			continue;
		if (behind)
			return NULL;
		behind = other;
	}
	if (!behind || behind->answered || behind->end_ns == NS_NONE || behind->status < 400 || behind->cancel_seen ||
	    !failed_call_attempt(behind) || leg_over_ns(behind) > leg_over_ns(leg) ||
	    ns_minus(leg_over_ns(leg), leg_over_ns(behind)) > HANDED_ON_NS)
		return NULL;
	return alike(failed_call_attempt(behind)->final, failed_call_attempt(leg)->final) ? NULL : behind;
}

void failed_call_judged(struct failed_call *f)
{
	f->judged = f->leg;
	for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
		const struct leg *behind = refused_before(f->judged);

		if (!behind)
			return;
		f->judged = behind;
		f->attempt = failed_call_attempt(behind);
		f->final = f->attempt->final;
	}
}

void failed_call_origin(struct failed_call *f)
{
	f->origin = f->judged;
	f->made = first_sight(f->attempt, f->judged->status);
	for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
		const struct leg *next = NULL;

		LIST_EACH(it, &f->leg->call->legs) {
			const struct leg *leg = LIST_ENTRY(it, struct leg, in_call);
			const struct transaction *t = leg->parent == f->origin && !leg->answered &&
				leg->status >= 400 ? failed_call_attempt(leg) : NULL;

			if (t && alike(t->final, f->made))
				next = leg;
		}
		if (!next)
			return;
		f->origin = next;
		f->made = first_sight(failed_call_attempt(next), next->status);
	}
}

bool failed_call_in_vain(const struct leg *leg)
{
	unsigned asked = 0;

	LIST_EACH(it, &leg->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);

		if (other->parent != leg)
			continue;
		if (other->answered || other->progress_ns != NS_NONE || (other->status && !other->cancel_seen))
			return false;
		asked++;
	}
	return asked > 0;
}
