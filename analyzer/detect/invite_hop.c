/* SPDX-License-Identifier: MIT */
/* invite_hop: one walk over the messages of a leg. */
#include "analyzer/detect/invite_hop.h"

#include "analyzer/calls/headers.h"

struct walk {
	struct invite_hop *hops;
	unsigned count;
};

static bool same_branch(const struct message *x, const struct message *y)
{
	return !x->headers || !y->headers || x->headers->branch == y->headers->branch;
}

static struct invite_hop *hop_of_request(struct walk *w, const struct message *m)
{
	struct invite_hop *h;

	for (unsigned i = 0; i < w->count; i++) {
		h = &w->hops[i];
		if (h->transaction == m->transaction && endpoint_equal(&h->src, &m->src) &&
		    endpoint_equal(&h->dst, &m->dst) && same_branch(h->first, m))
			return h;
	}
	if (w->count == INVITE_HOP_MAX)
		return NULL;
	h = &w->hops[w->count++];
	*h = (struct invite_hop){ .transaction = m->transaction, .src = m->src, .dst = m->dst, .first = m };
	return h;
}

static void take_invite(struct walk *w, const struct message *m)
{
	struct invite_hop *h = hop_of_request(w, m);

	if (!h)
		return;
	h->last = m;
	h->copies++;
	h->copies_after += h->answer != NULL;
	h->copies_astray += h->astray != NULL;
	h->copies_other += h->other_face != NULL;
}

static void note_answer(struct invite_hop *h, const struct message *m)
{
	if (!h->answer)
		h->answer = m;
	if (m->status > 100 && m->status < 200) {
		h->rang = h->rang ? h->rang : m;
		h->rang_last = m;
	}
	if (m->status < 200)
		return;
	if (!h->final || (m->status < 300 && h->final->status >= 300)) {
		h->final = m;
		h->finals = 0;
	}
	h->finals += m->status == h->final->status;
}

/* What came back on the same pair; else what the receiver sent somewhere else, or from another address of its own. */
static void take_response(struct walk *w, const struct message *m)
{
	bool found = false;

	for (unsigned i = 0; i < w->count; i++) {
		struct invite_hop *h = &w->hops[i];

		if (h->transaction != m->transaction || !address_equal(&h->dst.addr, &m->src.addr) ||
		    !endpoint_equal(&h->src, &m->dst))
			continue;
		note_answer(h, m);
		found = true;
	}
	for (unsigned i = 0; i < w->count && !found; i++) {
		struct invite_hop *h = &w->hops[i];

		if (h->transaction == m->transaction && endpoint_equal(&h->dst, &m->src) && !h->astray)
			h->astray = m;
		else if (h->transaction == m->transaction && endpoint_equal(&h->src, &m->dst) && !h->other_face &&
			 address_private(&h->dst.addr) == address_private(&m->src.addr))
			h->other_face = m;
	}
}

static void take_ack(struct walk *w, const struct message *m)
{
	for (unsigned i = 0; i < w->count; i++) {
		struct invite_hop *h = &w->hops[i];

		if (h->transaction != m->transaction || !address_equal(&h->src.addr, &m->src.addr) ||
		    !address_equal(&h->dst.addr, &m->dst.addr))
			continue;
		if (h->final && !h->ack)
			h->ack = m;
		else if (!h->final && !h->over)
			h->over = m;
	}
}

/* A CANCEL carries the number and the branch of the INVITE that it takes back. */
static void take_cancel(struct walk *w, const struct message *m)
{
	struct invite_hop *best = NULL;

	for (unsigned i = 0; i < w->count; i++) {
		struct invite_hop *h = &w->hops[i];

		if (h->transaction->cseq != m->cseq || !address_equal(&h->src.addr, &m->src.addr) ||
		    !address_equal(&h->dst.addr, &m->dst.addr))
			continue;
		if (!best || (endpoint_equal(&h->dst, &m->dst) && !endpoint_equal(&best->dst, &m->dst)))
			best = h;
	}
	if (!best)
		return;
	if (!best->cancel) {
		best->cancel = m;
		best->cancel_elsewhere = !endpoint_equal(&best->dst, &m->dst);
	}
	best->cancel_last = m;
	best->cancels++;
}

static void take_cancel_answer(struct walk *w, const struct message *m)
{
	for (unsigned i = 0; i < w->count; i++) {
		struct invite_hop *h = &w->hops[i];

		if (h->cancel && !h->cancel_answer && h->cancel->cseq == m->cseq &&
		    address_equal(&h->dst.addr, &m->src.addr) &&
			address_equal(&h->src.addr, &m->dst.addr) && m->status >= 200)
			h->cancel_answer = m;
	}
}

static void take(struct walk *w, const struct message *m)
{
	if (m->repeat == MESSAGE_COPY || !m->transaction)
		return;
	if (m->method == SIP_CANCEL && m->request)
		take_cancel(w, m);
	else if (m->method == SIP_CANCEL)
		take_cancel_answer(w, m);
	else if (!m->transaction->initial)
		return;
	else if (m->request && m->method == SIP_INVITE)
		take_invite(w, m);
	else if (m->request && m->method == SIP_ACK)
		take_ack(w, m);
	else if (!m->request && m->method == SIP_INVITE)
		take_response(w, m);
}

/*
 * Sent on by its receiver, or the same copy at a second place: with another source and the same receiver, a router lies
 * between.
 */
static bool goes_on(const struct walk *w, const struct invite_hop *h)
{
	for (const struct invite_hop *o = h + 1; o < w->hops + w->count; o++) {
		if (o->transaction != h->transaction)
			continue;
		if (address_equal(&o->src.addr, &h->dst.addr))
			return true;
		if (same_branch(h->first, o->first) && o->first->via_count == h->first->via_count &&
		    endpoint_equal(&o->dst, &h->dst))
			return true;
	}
	return false;
}

unsigned invite_hops(const struct leg *leg, struct invite_hop hops[INVITE_HOP_MAX])
{
	struct walk w = { .hops = hops };

	CHAIN_EACH(it, &leg->messages)
		take(&w, LIST_ENTRY(it, struct message, in_leg));
	for (unsigned i = 0; i < w.count; i++)
		hops[i].forwarded = goes_on(&w, &hops[i]);
	return w.count;
}
