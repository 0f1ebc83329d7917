/* SPDX-License-Identifier: MIT */
/* request_hop: one walk over the messages of a transaction. */
#include "analyzer/detect/request_hop.h"

struct walk {
	struct request_hop *hops;
	unsigned count;
};

static struct request_hop *hop_of(struct walk *w, const struct message *m)
{
	struct request_hop *h;

	for (unsigned i = 0; i < w->count; i++) {
		h = &w->hops[i];
		if (endpoint_equal(&h->src, &m->src) && endpoint_equal(&h->dst, &m->dst))
			return h;
	}
	if (w->count == REQUEST_HOP_MAX)
		return NULL;
	h = &w->hops[w->count++];
	*h = (struct request_hop){ .src = m->src, .dst = m->dst, .first = m };
	return h;
}

static void take_request(struct walk *w, const struct message *m)
{
	struct request_hop *h = hop_of(w, m);

	if (!h || (h->copies && m->repeat == MESSAGE_NEXT_HOP)) /* both sides of a box without addresses of its own */
		return;
	h->last = m;
	h->copies++;
}

/* What came back on the same pair of hosts; else what the receiver sent somewhere else. */
static void take_response(struct walk *w, const struct message *m)
{
	for (unsigned i = 0; i < w->count; i++) {
		struct request_hop *h = &w->hops[i];

		if (endpoint_equal(&h->src, &m->dst) && address_equal(&h->dst.addr, &m->src.addr)) {
			h->answer = h->answer ? h->answer : m;
			if (m->status >= 200 && !h->final)
				h->final = m;
		} else if (endpoint_equal(&h->dst, &m->src)) {
			h->astray = true;
		}
	}
}

/* Nobody acknowledges what was not answered: the final is only not in the capture. */
static void take_ack(struct walk *w, const struct message *m)
{
	for (unsigned i = 0; i < w->count; i++) {
		struct request_hop *h = &w->hops[i];

		h->acked |= address_equal(&h->src.addr, &m->src.addr);
	}
}

/*
 * Sent on by its receiver, or the same copy at a second place: with another source and the same receiver, a router lies
 * between.
 */
static bool goes_on(const struct walk *w, const struct request_hop *h)
{
	for (const struct request_hop *o = h + 1; o < w->hops + w->count; o++) {
		if (address_equal(&o->src.addr, &h->dst.addr) || endpoint_equal(&o->dst, &h->dst))
			return true;
	}
	return false;
}

unsigned request_hops(const struct transaction *t, int64_t until_ns, struct request_hop hops[REQUEST_HOP_MAX])
{
	struct walk w = { .hops = hops };

	CHAIN_EACH(it, &t->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_transaction);

		if (m->repeat == MESSAGE_COPY)
			continue;
		if (m->method == SIP_ACK)
			take_ack(&w, m);
		else if (!m->request)
			take_response(&w, m);
		else if (until_ns == NS_NONE || m->at.at_ns < until_ns)
			take_request(&w, m);
	}
	for (unsigned i = 0; i < w.count; i++)
		hops[i].forwarded = goes_on(&w, &hops[i]);
	return w.count;
}
