/* SPDX-License-Identifier: MIT */
/* lookup_legs: indexes over the legs: their transactions, their messages, the windows of their sessions. */
#include "analyzer/detect/lookup_private.h"

#include <stdlib.h>

#include "captures/base/memory.h"

/* ---- requests whose answers are not here ---- */

static bool reply_unseen(const struct leg *leg, const struct transaction *t, const struct message *request)
{
	if (t->final || t->provisional)
		return false;
	return (t->ack && t->method == SIP_INVITE) || (t->method != SIP_INVITE && request->has_to_tag && leg->partial);
}

static void replies_make(struct lookup *l)
{
	LIST_EACH(it, calls_legs(l->facts->calls)) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

		LIST_EACH(tit, &leg->transactions) {
			const struct transaction *t = LIST_ENTRY(tit, struct transaction, in_leg);
			const struct message *m = t->request ? t->request : t->ack;

			if (m && reply_unseen(leg, t, m))
				lookup_pair_add(l, &l->replies, &m->dst.addr, &m->src.addr)->unseen_replies++;
		}
	}
	l->replies_made = true;
}

unsigned lookup_unseen_replies(struct lookup *l, const struct address *src, const struct address *dst)
{
	const struct lookup_pair *p;

	if (!l->replies_made)
		replies_make(l);
	p = lookup_pair_find(&l->replies, src, dst);
	return p ? p->unseen_replies : 0;
}

/* ---- what was sent again ---- */

struct repetition {                  /* a message that was sent again */
	uint64_t pair;               /* keyed hash of its two hosts */
	int64_t at_ns;
};

/* Either way between the two. */
static uint64_t both_ways(const struct address *a, const struct address *b)
{
	bool swap = address_compare(a, b) > 0;
	const struct address *low = swap ? b : a, *high = swap ? a : b;

	return hash_mix(hash_bytes(low, sizeof *low), hash_bytes(high, sizeof *high));
}

static int repetition_compare(const void *a, const void *b)
{
	const struct repetition *x = a, *y = b;

	if (x->pair != y->pair)
		return x->pair < y->pair ? -1 : 1;
	return (x->at_ns > y->at_ns) - (x->at_ns < y->at_ns);
}

static void repeated_add(struct lookup *l, const struct message *m)
{
	if (l->repeated_count == l->repeated_room) {
		l->repeated_room = l->repeated_room ? l->repeated_room * 2 : 64;
		l->repeated = memory_resize(l->repeated, l->repeated_room, sizeof *l->repeated);
	}
	l->repeated[l->repeated_count++] = (struct repetition){ both_ways(&m->src.addr, &m->dst.addr), m->at.at_ns };
}

static void repeated_make(struct lookup *l)
{
	LIST_EACH(it, calls_legs(l->facts->calls)) {
		CHAIN_EACH(mit, &LIST_ENTRY(it, struct leg, in_order)->messages) {
			const struct message *m = LIST_ENTRY(mit, struct message, in_leg);

			if (m->repeat == MESSAGE_RETRANSMITTED)
				repeated_add(l, m);
		}
	}
	if (l->repeated_count)
		qsort(l->repeated, l->repeated_count, sizeof *l->repeated, repetition_compare);
	l->repeated_made = true;
}

/* The first that is no earlier, of that pair or of one behind it. */
static size_t repeated_from(const struct lookup *l, const struct repetition *from)
{
	size_t low = 0, high = l->repeated_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (repetition_compare(&l->repeated[middle], from) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool lookup_repeated(struct lookup *l, const struct address *a, const struct address *b, int64_t from_ns, int64_t to_ns)
{
	struct repetition from = { both_ways(a, b), from_ns };
	size_t i;

	if (!l->repeated_made)
		repeated_make(l);
	i = repeated_from(l, &from);
	return i < l->repeated_count && l->repeated[i].pair == from.pair && l->repeated[i].at_ns <= to_ns;
}

/* ---- who names an endpoint ---- */

struct lookup_named {
	struct hash_link link;
	struct endpoint at;
	const struct direction *direction;
};

static void named_add(struct lookup *l, const struct endpoint *at, const struct direction *d)
{
	struct lookup_named *n = arena_zalloc(l->arena, sizeof *n);

	n->at = *at;
	n->direction = d;
	hash_add(&l->named, &n->link, endpoint_hash(at));
}

static void named_direction(struct lookup *l, const struct direction *d)
{
	for (unsigned i = 0; i < d->window_count; i++) {
		const struct window *w = &d->windows[i];

		for (unsigned k = 0; k < w->target_count; k++)
			named_add(l, &w->targets[k].at, d);
		for (unsigned k = 0; k < w->source_count; k++)
			named_add(l, &w->sources[k].at, d);
	}
}

static void named_make(struct lookup *l)
{
	LIST_EACH(it, calls_legs(l->facts->calls)) {
		LIST_EACH(dit, &LIST_ENTRY(it, struct leg, in_order)->dialogs) {
			const struct dialog *d = LIST_ENTRY(dit, struct dialog, in_leg);

			for (unsigned i = 0; i < d->mslot_count; i++) {
				named_direction(l, &d->mslots[i].direction[0]);
				named_direction(l, &d->mslots[i].direction[1]);
			}
		}
	}
	l->named_made = true;
}

const struct lookup_named *lookup_named_next(struct lookup *l, const struct endpoint *at,
	const struct lookup_named *before)
{
	uint32_t hash = endpoint_hash(at);
	const struct hash_link *it;

	if (!l->named_made)
		named_make(l);
	for (it = before ? before->link.next : hash_first(&l->named, hash); it; it = it->next) {
		const struct lookup_named *n = HASH_ENTRY(it, struct lookup_named, link);

		if (it->hash == hash && endpoint_equal(&n->at, at))
			return n;
	}
	return NULL;
}

const struct direction *lookup_named_direction(const struct lookup_named *n)
{
	return n->direction;
}

/* ---- early media ---- */

enum { EARLY_PACKETS = 25 };

struct early_host {
	struct hash_link link;
	struct address addr;
};

static bool early_find(const struct lookup *l, const struct address *a)
{
	uint32_t hash = address_hash(a);

	for (struct hash_link *it = hash_first(&l->early, hash); it; it = it->next) {
		if (it->hash == hash && address_equal(&HASH_ENTRY(it, struct early_host, link)->addr, a))
			return true;
	}
	return false;
}

static double early_packets(const struct dialog *d, int64_t from_ns, int64_t to_ns)
{
	double n = 0;

	for (unsigned i = 0; i < d->mslot_count; i++) {
		const struct direction *back = &d->mslots[i].direction[SIDE_CALLEE];

		for (unsigned k = 0; d->mslots[i].kind == SDP_AUDIO && k < back->stream_count; k++)
			n += stream_packets_between(back->streams[k], from_ns, to_ns);
	}
	return n;
}

static void early_note(struct lookup *l, const struct leg *leg)
{
	if (!leg->early_sdp)
		return;
	CHAIN_EACH(it, &leg->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_leg);
		int64_t to_ns = leg->answer_ns != NS_NONE ? leg->answer_ns : leg->end_ns;
		struct early_host *e;

		if (m->request || m->status < 101 || m->status > 199 || !m->sdp || !m->dialog || to_ns == NS_NONE ||
		    early_find(l, &m->src.addr))
			continue;
		if (early_packets(m->dialog, m->at.at_ns, to_ns) < EARLY_PACKETS)
			continue;
		e = arena_zalloc(l->arena, sizeof *e);
		e->addr = m->src.addr;
		hash_add(&l->early, &e->link, address_hash(&e->addr));
	}
}

bool lookup_early_media(struct lookup *l, const struct address *host)
{
	if (!l->early_made) {
		l->early_made = true;
		LIST_EACH(it, calls_legs(l->facts->calls))
			early_note(l, LIST_ENTRY(it, struct leg, in_order));
	}
	return early_find(l, host);
}
