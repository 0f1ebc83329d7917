/* SPDX-License-Identifier: MIT */
/* answer_hop: walks over the messages of a transaction. */
#include "analyzer/detect/answer_hop.h"

#include <stdlib.h>

#define SPAN_LEAST_NS (1200 * MILLISECOND_NS)
#define T2_NS (4 * SECOND_NS)
#define GRACE_NS SECOND_NS

enum { AFTER_ACK = 2 };              /* one copy more is a round trip longer than T1 */

static bool wanted(const struct message *m, bool success)
{
	return !m->request && m->method == SIP_INVITE && m->repeat != MESSAGE_COPY && m->status >= 200 &&
	       (m->status < 300) == success;
}

static void take_answer(struct answer_hop *hops, unsigned *count, const struct message *m)
{
	struct answer_hop *h;

	for (unsigned i = 0; i < *count; i++) {
		h = &hops[i];
		if (!endpoint_equal(&h->src, &m->src) || !endpoint_equal(&h->dst, &m->dst) ||
		    !phrase_equal(h->first->to_tag, m->to_tag) || h->first->status != m->status)
			continue;
		h->second = h->second ? h->second : m;
		h->last = m;
		h->copies++;
		return;
	}
	if (*count < ANSWER_HOP_MAX)
		hops[(*count)++] = (struct answer_hop){ .transaction = m->transaction, .src = m->src, .dst = m->dst,
			.first = m, .last = m, .copies = 1 };
}

static bool same_tag(const struct message *x, const struct message *y)
{
	return !x->to_tag || !y->to_tag || phrase_equal(x->to_tag, y->to_tag);
}

const struct message *answer_translated(const struct message *answer, const struct message *ack)
{
	if (!address_equal(&answer->src.addr, &ack->dst.addr) || !address_private(&ack->dst.addr))
		return NULL;
	CHAIN_EACH(it, &answer->transaction->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_transaction);

		if (!m->request && m->status == answer->status && m->via_count == answer->via_count && same_tag(m, answer) &&
		    m->at.file == ack->at.file && m->at.interface == ack->at.interface &&
		    address_equal(&m->dst.addr, &ack->src.addr) && !address_private(&m->src.addr))
			return m;
	}
	return NULL;
}

static void take_request(struct answer_hop *h, const struct message *m)
{
	if (m->method == SIP_ACK && !h->ack && endpoint_equal(&m->dst, &h->src) && same_tag(m, h->first) &&
	    m->at.at_ns >= h->first->at.at_ns && !answer_translated(h->first, m))
		h->ack = m;
	if (m->method != SIP_INVITE || !endpoint_equal(&m->dst, &h->src) || !address_equal(&m->src.addr, &h->dst.addr))
		return;
	h->invite = h->invite ? h->invite : m;
	h->invites_after += m->at.at_ns > h->first->at.at_ns;
}

static void count_after(struct answer_hop *h, const struct message *m, int64_t grace_ns)
{
	if (h->ack && endpoint_equal(&h->src, &m->src) && endpoint_equal(&h->dst, &m->dst) &&
	    phrase_equal(h->first->to_tag, m->to_tag) &&
		h->first->status == m->status && m->at.at_ns > ns_add(h->ack->at.at_ns, grace_ns))
		h->after_ack++;
}

/* Each hop adds a Via, which the answer loses on its way back; of equals the first seen is the first. */
static int nearness_compare(const void *a, const void *b)
{
	const struct answer_hop *x = a, *y = b;

	if (!phrase_equal(x->first->to_tag, y->first->to_tag) || x->first->via_count == y->first->via_count)
		return (x->first->at.at_ns > y->first->at.at_ns) - (x->first->at.at_ns < y->first->at.at_ns);
	return x->first->via_count > y->first->via_count ? -1 : 1;
}

static void sort_by_nearness(struct answer_hop *hops, unsigned count)
{
	for (unsigned i = 1; i < count; i++) {
		struct answer_hop h = hops[i];
		unsigned k = i;

		for (; k > 0 && nearness_compare(&hops[k - 1], &h) > 0; k--)
			hops[k] = hops[k - 1];
		hops[k] = h;
	}
}

unsigned answer_hops(const struct transaction *t, bool success, int64_t grace_ns,
	struct answer_hop hops[ANSWER_HOP_MAX])
{
	unsigned count = 0;

	CHAIN_EACH(it, &t->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_transaction);

		if (wanted(m, success))
			take_answer(hops, &count, m);
	}
	if (count == 0)
		return 0;
	CHAIN_EACH(it, &t->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_transaction);

		for (unsigned i = 0; m->request && m->repeat != MESSAGE_COPY && i < count; i++)
			take_request(&hops[i], m);
	}
	CHAIN_EACH(it, &t->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_transaction);

		for (unsigned i = 0; wanted(m, success) && i < count; i++)
			count_after(&hops[i], m, grace_ns);
	}
	sort_by_nearness(hops, count);
	return count;
}

static int64_t doubled(int64_t gap_ns)
{
	return 2 * gap_ns > T2_NS ? T2_NS : 2 * gap_ns;
}

bool answer_satisfied(const struct answer_hop *h, int64_t until_ns)
{
	int64_t at_ns = h->first->at.at_ns, gap_ns = h->second ? ns_minus(h->second->at.at_ns, at_ns) : 0,
		gives_up_ns;

	/* a clock that was set back between them tells nothing of the timer */
	if (gap_ns <= 0)
		return false;
	gives_up_ns = ns_add(at_ns, 64 * (gap_ns < SECOND_NS / 2 ? gap_ns : SECOND_NS / 2));
	while (at_ns < h->last->at.at_ns) {
		at_ns = ns_add(at_ns, gap_ns);
		gap_ns = doubled(gap_ns);
	}
	at_ns = ns_add(h->last->at.at_ns, gap_ns + doubled(gap_ns) + GRACE_NS);
	return at_ns < gives_up_ns && at_ns < until_ns;
}

bool answer_unacknowledged(const struct answer_hop *h, unsigned copies)
{
	if (h->copies < copies || ns_minus(h->last->at.at_ns, h->first->at.at_ns) < SPAN_LEAST_NS)
		return false;
	return !h->ack || h->after_ack >= AFTER_ACK;
}

const struct message *answer_ack_elsewhere(const struct transaction *t, const struct answer_hop *hops, unsigned count)
{
	const struct message *found = NULL;

	CHAIN_EACH(it, &t->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_transaction);
		bool there = !m->request || m->method != SIP_ACK || m->repeat == MESSAGE_COPY;

		for (unsigned i = 0; !there && i < count; i++)
			there = endpoint_equal(&m->dst, &hops[i].src) && !answer_translated(hops[i].first, m);
		if (!there && (!found || m->via_count < found->via_count))
			found = m;
	}
	return found;
}
