/* SPDX-License-Identifier: MIT */
/* half_known: one walk over the legs, then by host. */
#include "analyzer/detect/half_known.h"

#include <stdlib.h>

#include "captures/base/arena.h"
#include "captures/base/memory.h"

/* Audio begins a little before its answer is seen, and ends a little after the BYE. */
#define MARGIN_NS (2 * SECOND_NS)

enum { LOOKED_MAX = 64 };            /* so many of one host: it has one in all likelihood */

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
