/* SPDX-License-Identifier: MIT */
/* prack_wait: the copies of the first reliable 18x. */
#include "analyzer/detect/prack_wait.h"

#include "analyzer/calls/headers.h"

#define GRACE_NS (200 * MILLISECOND_NS)      /* a copy that has crossed it */

enum { COPIES = 3 };

/* Of one that the capture has not, the answer: it was sent. */
static const struct message *first_prack(const struct leg *leg, const struct message *after)
{
	CHAIN_EACH(it, &leg->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_leg);

		if (m->method == SIP_PRACK && m->at.at_ns >= after->at.at_ns && m->repeat != MESSAGE_COPY)
			return m;
	}
	return NULL;
}

/* By the side that repeats; NULL: none. */
static const struct message *prack_taken(const struct transaction *t)
{
	LIST_EACH(it, &t->leg->transactions) {
		const struct transaction *p = LIST_ENTRY(it, struct transaction, in_leg);

		if (p->method == SIP_PRACK && p->by == t->by && p->final && p->final->status < 300)
			return p->final;
	}
	return NULL;
}

bool prack_unheeded(const struct transaction *t)
{
	const struct message *ok = prack_taken(t), *first = NULL;
	unsigned copies = 0;

	if (!ok)
		return false;
	CHAIN_EACH(it, &t->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_transaction);

		if (m->request || m->status >= 200 || !m->headers || !m->headers->rseq || m->repeat == MESSAGE_COPY ||
		    !endpoint_equal(&m->src, &ok->src) || (first && m->headers->rseq != first->headers->rseq))
			continue;
		first = first ? first : m;
		copies += m->at.at_ns > ns_add(ok->at.at_ns, GRACE_NS);
	}
	return first && first->at.at_ns < ok->at.at_ns && copies >= COPIES;
}

bool prack_wait_of(const struct transaction *t, struct prack_wait *ret)
{
	struct prack_wait w = { NULL, NULL, 0, NULL };

	CHAIN_EACH(it, &t->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_transaction);

		if (m->request || m->status >= 200 || !m->headers || !m->headers->rseq || m->repeat == MESSAGE_COPY ||
			(w.first && (m->headers->rseq != w.first->headers->rseq ||
			!endpoint_equal(&m->src, &w.first->src) || !endpoint_equal(&m->dst, &w.first->dst))))
			continue;
		w.first = w.first ? w.first : m;
		w.last = m;
		w.copies++;
	}
	if (w.copies < COPIES)
		return false;
	w.prack = first_prack(t->leg, w.first);
	if (w.prack && w.prack->at.at_ns < w.last->at.at_ns)
		return false;
	*ret = w;
	return true;
}
