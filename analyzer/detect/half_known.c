/* SPDX-License-Identifier: MIT */
/* half_known: one walk over the legs, then by host. */
#include "analyzer/detect/half_known.h"

#include <stdlib.h>

#include "analyzer/detect/hearing.h"
#include "captures/base/arena.h"
#include "captures/base/memory.h"

/* Audio begins a little before its answer is seen, and ends a little after the BYE. */
#define MARGIN_NS (2 * SECOND_NS)

#define HOLE_NS (300 * MILLISECOND_NS)       /* a re-INVITE, its answer and the ACK fit in */
#define HOLE_EDGE_NS (100 * MILLISECOND_NS)

#define SWITCH_NS (2 * SECOND_NS)            /* both change within */

enum { LOOKED_MAX = 64, SWITCH_PACKETS = 10 };       /* so many of one host: it has one in all likelihood */

struct presence {                    /* of a host in such a call */
	struct hash_link link;
	struct address addr;
	int64_t from_ns, to_ns;
};

struct half_known {
	struct arena *arena;
	struct hash by_host;         /* struct presence */
};

static void presence_add(struct half_known *h, const struct address *at, int64_t from_ns, int64_t to_ns)
{
	struct presence *p;

	if (!address_known(at))
		return;
	p = arena_zalloc(h->arena, sizeof *p);
	*p = (struct presence){ .addr = *at, .from_ns = ns_minus(from_ns, MARGIN_NS),
		.to_ns = ns_add(to_ns, MARGIN_NS) };
	hash_add(&h->by_host, &p->link, address_hash(at));
}

static bool both_said(const struct exchange *x)
{
	return x->state == EXCHANGE_STABLE && x->offer.count && (x->answer.count || x->answer_assumed);
}

/* Since when something of it is missing; NS_NONE: all is there. */
static int64_t unknown_since(const struct leg *leg)
{
	const struct dialog *d = leg->confirmed;
	bool known = false;

	if (!d)
		return leg->first_ns;
	LIST_EACH(it, &d->exchanges) {
		const struct exchange *x = LIST_ENTRY(it, struct exchange, in_dialog);

		if (known && x->state == EXCHANGE_OFFERED && x->transaction->ack && !x->transaction->final)
			return x->offered_ns;
		known |= both_said(x);
	}
	return known ? NS_NONE : leg->first_ns;
}

static void leg_note(struct half_known *h, const struct leg *leg)
{
	int64_t from_ns = unknown_since(leg), to_ns = leg->end_ns == NS_NONE ? INT64_MAX : leg->end_ns;

	if (from_ns == NS_NONE || (!leg->answered && !leg->confirmed && !leg->bye_seen))
		return;
	for (unsigned side = 0; side < 2; side++) {
		const struct party *p = &leg->party[side];

		presence_add(h, address_known(&p->signalling.addr) ? &p->signalling.addr : &p->signalling_dst.addr,
			from_ns, to_ns);
	}
}

struct half_known *half_known_new(const struct calls *calls)
{
	struct half_known *h = memory_zalloc(sizeof *h);

	h->arena = arena_new();
	hash_init(&h->by_host);
	LIST_EACH(it, calls_legs(calls))
		leg_note(h, LIST_ENTRY(it, struct leg, in_order));
	return h;
}

void half_known_free(struct half_known *h)
{
	if (!h)
		return;
	hash_fini(&h->by_host);
	arena_free(h->arena);
	free(h);
}

bool half_known_party(const struct half_known *h, const struct address *at, int64_t from_ns, int64_t to_ns)
{
	uint32_t hash = address_hash(at);
	unsigned looked = 0;

	for (const struct hash_link *it = hash_first(&h->by_host, hash); it; it = it->next) {
		const struct presence *p = HASH_ENTRY(it, struct presence, link);

		if (it->hash != hash || !address_equal(&p->addr, at))
			continue;
		if ((p->from_ns <= to_ns && p->to_ns >= from_ns) || ++looked == LOOKED_MAX)
			return true;
	}
	return false;
}

bool half_known_agreement(const struct leg *leg, int64_t from_ns, int64_t to_ns)
{
	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);

		if (!t->initial && (t->method == SIP_INVITE || t->method == SIP_UPDATE) && !t->final &&
		    t->first_ns >= from_ns && t->first_ns <= to_ns && (t->ack || t->request_copies <= 1))
			return true;
	}
	return false;
}

/* When it began to send that type: what it sent before, in the same window, was over then. NS_NONE: not so. */
static int64_t switched_ns(const struct direction *d, const struct window *w, uint8_t pt)
{
	int64_t at_ns = NS_NONE, before_ns = NS_NONE, over_ns = NS_NONE;

	for (unsigned pass = 0; pass < 2; pass++) {
		for (unsigned i = 0; i < d->stream_count; i++) {
			for (unsigned k = 0; k <= d->streams[i]->run_count; k++) {
				const struct type_run *run = stream_run(d->streams[i], k);

				if (run->packets < SWITCH_PACKETS || run->last_ns < w->on_ns)
					continue;
				if (pass == 0 && run->pt == pt && (at_ns == NS_NONE || run->first_ns < at_ns))
					at_ns = run->first_ns;
				if (pass == 0 || run->pt == pt)
					continue;
				before_ns = run->first_ns < at_ns ? run->first_ns : before_ns;
				over_ns = run->first_ns < at_ns && (over_ns == NS_NONE || run->last_ns > over_ns)
					? run->last_ns : over_ns;
			}
		}
		if (at_ns == NS_NONE)
			return NS_NONE;
	}
	return before_ns != NS_NONE && at_ns > w->on_ns && ns_minus(over_ns, at_ns) < SWITCH_NS ? at_ns : NS_NONE;
}

bool half_known_switch(const struct direction *d, const struct window *w, uint8_t pt)
{
	int64_t at_ns = switched_ns(d, w, pt), other_ns = switched_ns(direction_reverse(d), w, pt);

	return at_ns != NS_NONE && other_ns != NS_NONE && llabs(ns_minus(at_ns, other_ns)) <= SWITCH_NS;
}

/* A stretch without a packet of one direction. */
struct hole {
	int64_t from_ns, to_ns;
	bool lost;                   /* by the numbers of its packets */
};

static bool is_missed(const struct stream *s, const struct gap *g)
{
	int64_t packets_ns = (int64_t)((g->seq_step - 1) * s->ptime_ms * MILLISECOND_NS);

	return !g->restart && !g->new_source && !g->held && packets_ns * 2 >= ns_minus(g->to_ns, g->from_ns);
}

/* What one stream leaves of the hole that ends at that time: its packets bound it. false: it goes through it. */
static bool hole_bound(struct hole *h, const struct stream *s, int64_t at_ns)
{
	if (s->first_ns >= ns_add(at_ns, -HOLE_EDGE_NS)) {
		h->to_ns = s->first_ns < h->to_ns ? s->first_ns : h->to_ns;
		return true;
	}
	if (s->last_ns < at_ns) {
		h->from_ns = s->last_ns > h->from_ns ? s->last_ns : h->from_ns;
		return true;
	}
	for (unsigned i = 0; i < s->gap_count; i++) {
		const struct gap *g = &s->gaps[i];

		if (g->to_ns < ns_add(at_ns, -HOLE_EDGE_NS) || g->from_ns >= at_ns)
			continue;
		h->from_ns = g->from_ns > h->from_ns ? g->from_ns : h->from_ns;
		h->to_ns = g->to_ns < h->to_ns ? g->to_ns : h->to_ns;
		h->lost |= is_missed(s, g);
		return true;
	}
	return false;
}

static bool hole_find(const struct direction *d, int64_t at_ns, struct hole *h)
{
	*h = (struct hole){ INT64_MIN, INT64_MAX, false };
	for (unsigned i = 0; i < d->stream_count; i++) {
		if (d->streams[i]->direction == d && !d->streams[i]->twin_of && !hole_bound(h, d->streams[i], at_ns))
			return false;
	}
	return h->from_ns != INT64_MIN && h->to_ns != INT64_MAX && ns_minus(h->to_ns, h->from_ns) >= HOLE_NS;
}

bool half_known_hole(const struct direction *d, int64_t at_ns)
{
	struct hole own, other;
	int64_t from_ns, to_ns;

	if (!hole_find(d, at_ns, &own) || !hole_find(direction_reverse(d), at_ns, &other) || !(own.lost || other.lost))
		return false;
	from_ns = own.from_ns > other.from_ns ? own.from_ns : other.from_ns;
	to_ns = own.to_ns < other.to_ns ? own.to_ns : other.to_ns;
	if (ns_minus(to_ns, from_ns) < HOLE_NS)
		return false;
	CHAIN_EACH(it, &d->slot->dialog->leg->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_leg);

		if (m->at.at_ns > ns_add(from_ns, HOLE_EDGE_NS) && m->at.at_ns < ns_add(to_ns, -HOLE_EDGE_NS))
			return false;
	}
	return true;
}

bool half_known_reports(const struct transfer *t)
{
	if (!t->refer)
		return false;
	if (t->refer->request && t->refer->request->cut)
		return true;
	LIST_EACH(it, &t->refer->leg->transactions) {
		const struct transaction *n = LIST_ENTRY(it, struct transaction, in_leg);

		if (n->method == SIP_NOTIFY && n->by != t->refer->by && n->first_ns >= t->asked_ns && n->request &&
		    n->request->cut)
			return true;
	}
	return false;
}
