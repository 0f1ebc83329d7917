/* SPDX-License-Identifier: MIT */
/* call_failed_unseen: messages that were sent and that the capture has not: what a refusal means depends on them. */
#include "analyzer/detect/call_failed.h"

#include <stdlib.h>

#include "captures/base/memory.h"
#include "captures/base/sort.h"

/* By then an INVITE that nothing came back to was sent again, even by phones that are slower than RFC 3261's T1. */
#define REPEATED_BY_NS (5 * SECOND_NS)

enum { TAIL_DIGITS = 6 };            /* a trunk may want a prefix that another does not */

static int begun_compare(const void *a, const void *b)
{
	const struct leg *x = *(const struct leg *const *)a, *y = *(const struct leg *const *)b;

	if (x->first_ns != y->first_ns)
		return x->first_ns < y->first_ns ? -1 : 1;
	return (x->n > y->n) - (x->n < y->n);
}

/* It was refused: the ACK says so, the refusal itself is not here. */
static bool final_unseen(const struct leg *leg)
{
	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);

		if (t->initial && t->ack && !t->final)
			return !leg->answered;
	}
	return false;
}

void unseen_legs_init(struct unseen_legs *u, const struct facts *facts)
{
	const struct list *all = calls_legs(facts->calls);

	*u = (struct unseen_legs){ .list = memory_resize(NULL, all->count + 1, sizeof *u->list) };
	LIST_EACH(it, all) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

		if (leg->segment_count &&
		    (leg->initial_invite_seen ? final_unseen(leg) : !leg->answered && leg->status >= 300))
			u->list[u->count++] = leg;
	}
	sort(u->list, u->count, sizeof *u->list, begun_compare);
}

void unseen_legs_fini(struct unseen_legs *u)
{
	free(u->list);
}

static struct span tail_of(struct span user)
{
	return user.n > TAIL_DIGITS ? (struct span){ user.p + user.n - TAIL_DIGITS, TAIL_DIGITS } : user;
}

bool failed_call_behind_unseen(const struct unseen_legs *u, const struct failed_call *f)
{
	struct span user = tail_of(f->leg->party[SIDE_CALLEE].user);
	size_t low = 0, high = u->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (u->list[mid]->first_ns < f->leg->first_ns)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < u->count && u->list[low]->first_ns <= f->made->at.at_ns; low++) {
		const struct leg *x = u->list[low];

		if (x != f->leg && user.n && span_equal(tail_of(x->party[SIDE_CALLEE].user), user) &&
		    address_equal(&x->segments[0].a.addr, &f->made->src.addr))
			return true;
	}
	return false;
}

bool failed_call_may_have_rung(const struct failed_call *f)
{
	const struct transaction *t = f->attempt;

	return t->request && !t->provisional && t->request_copies <= 1 && t->request->transport == TRANSPORT_UDP &&
	       ns_minus(f->final->at.at_ns, t->first_ns) >= REPEATED_BY_NS;
}
