/* SPDX-License-Identifier: MIT */
/* lookup: indexes over calls and streams, each made when first asked for. */
#include "analyzer/detect/lookup.h"

#include <stdlib.h>

#include "analyzer/detect/attempts.h"
#include "analyzer/detect/even_loss.h"
#include "analyzer/detect/half_known.h"
#include "analyzer/detect/latching.h"
#include "analyzer/detect/leg_keys.h"
#include "analyzer/detect/passages.h"
#include "analyzer/detect/port_edges.h"
#include "analyzer/detect/sip_alg.h"
#include "captures/base/memory.h"

enum { ELSEWHERE_PACKETS = 25, KEY_TESTS = 400000, SENDER_STREAMS_MAX = 64 };

struct pair_sums {                   /* of two addresses, one way */
	struct hash_link link;
	struct address src, dst;
	struct lookup_copies copies;
	unsigned unseen_replies;     /* to requests dst -> src */
};

struct carried {                     /* streams of one address */
	struct hash_link link;
	struct address addr;
	struct side_streams {        /* with peers outside and inside its own net */
		const struct mslot *slot;    /* of the first, NULL none */
		bool any, others;    /* others: one of another m-slot too */
	} side[2];
};

struct lookup_named {
	struct hash_link link;
	struct endpoint at;
	const struct direction *direction;
};

struct repetition {                  /* a message that was sent again */
	uint64_t pair;               /* keyed hash of its two hosts */
	int64_t at_ns;
};

struct lookup {
	const struct facts *facts;
	struct arena *arena;
	struct hash copies, replies; /* struct pair_sums */
	struct hash carried, named;
	struct hash early;           /* struct early_host */
	struct hash sources;         /* struct media_sources */
	struct hash senders;         /* struct sent */
	struct repetition *repeated; /* by pair, then time */
	size_t repeated_count, repeated_room;
	struct alg_evidence *alg;    /* NULL: not asked for yet */
	struct attempts *attempts;   /* likewise */
	struct leg_keys *leg_keys;   /* likewise */
	struct latching *latching;   /* likewise */
	struct half_known *half_known;       /* likewise */
	struct port_edges *port_edges;       /* likewise */
	struct passages *passages;   /* likewise */
	uint32_t media_points;
	bool media_points_made;
	const struct address *hubs[2];
	unsigned hub_count;
	bool hubs_made;
	unsigned even_loss;
	unsigned key_tests;          /* left */
	bool copies_made, replies_made, carried_made, named_made, repeated_made, early_made, sources_made,
		even_made, senders_made;
};

struct lookup *lookup_new(const struct facts *facts)
{
	struct lookup *l = memory_zalloc(sizeof *l);

	l->facts = facts;
	l->key_tests = KEY_TESTS;
	l->arena = arena_new();
	hash_init(&l->copies);
	hash_init(&l->replies);
	hash_init(&l->carried);
	hash_init(&l->named);
	hash_init(&l->early);
	hash_init(&l->sources);
	hash_init(&l->senders);
	return l;
}

void lookup_free(struct lookup *l)
{
	if (!l)
		return;
	hash_fini(&l->copies);
	hash_fini(&l->replies);
	hash_fini(&l->carried);
	hash_fini(&l->named);
	hash_fini(&l->early);
	hash_fini(&l->sources);
	hash_fini(&l->senders);
	arena_free(l->arena);
	attempts_free(l->attempts);
	leg_keys_free(l->leg_keys);
	latching_free(l->latching);
	half_known_free(l->half_known);
	port_edges_free(l->port_edges);
	passages_free(l->passages);
	free(l->repeated);
	free(l);
}

struct arena *lookup_arena(struct lookup *l)
{
	return l->arena;
}

const struct alg_evidence *lookup_alg_evidence(struct lookup *l)
{
	if (!l->alg)
		l->alg = alg_evidence_new(l->facts, l->arena);
	return l->alg;
}

struct attempts *lookup_attempts(struct lookup *l)
{
	if (!l->attempts)
		l->attempts = attempts_new(l->facts->calls, l->facts->capture->last_ns);
	return l->attempts;
}

struct leg_keys *lookup_leg_keys(struct lookup *l)
{
	if (!l->leg_keys)
		l->leg_keys = leg_keys_new(l->facts->calls);
	return l->leg_keys;
}

struct latching *lookup_latching(struct lookup *l)
{
	if (!l->latching)
		l->latching = latching_new(l->facts->calls);
	return l->latching;
}

struct passages *lookup_passages(struct lookup *l)
{
	if (!l->passages)
		l->passages = passages_new(l->facts->calls);
	return l->passages;
}

/* ---- streams by their sender ---- */

struct sent {
	struct hash_link link;
	const struct stream *stream;
};

static uint32_t sender_hash(const struct stream *s)
{
	return (uint32_t)hash_mix(endpoint_hash(&s->src), s->ssrc);
}

static void senders_make(struct lookup *l)
{
	LIST_EACH(it, streams_in_order(l->facts->streams)) {
		struct sent *x = arena_zalloc(l->arena, sizeof *x);

		x->stream = LIST_ENTRY(it, struct stream, in_order);
		hash_add(&l->senders, &x->link, sender_hash(x->stream));
	}
	l->senders_made = true;
}

double lookup_sent_elsewhere(struct lookup *l, const struct stream *s, int64_t from_ns, int64_t to_ns)
{
	uint32_t hash = sender_hash(s);
	double packets = 0;
	unsigned looked = 0;

	if (!l->senders_made)
		senders_make(l);
	for (struct hash_link *it = hash_first(&l->senders, hash); it && looked < SENDER_STREAMS_MAX; it = it->next) {
		const struct stream *o = HASH_ENTRY(it, struct sent, link)->stream;

		if (it->hash != hash || o == s || o->ssrc != s->ssrc || !endpoint_equal(&o->src, &s->src))
			continue;
		looked++;
		if (!endpoint_equal(&o->dst, &s->dst) && o->first_ns < to_ns && o->last_ns > from_ns)
			packets += stream_packets_between(o, from_ns, to_ns);
	}
	return packets;
}

unsigned lookup_even_loss(struct lookup *l)
{
	if (!l->even_made)
		l->even_loss = even_loss(streams_in_order(l->facts->streams));
	l->even_made = true;
	return l->even_loss;
}

const struct port_edges *lookup_port_edges(struct lookup *l)
{
	if (!l->port_edges)
		l->port_edges = port_edges_new(l->facts);
	return l->port_edges;
}

const struct half_known *lookup_half_known(struct lookup *l)
{
	if (!l->half_known)
		l->half_known = half_known_new(l->facts->calls);
	return l->half_known;
}

/* ---- points ---- */

uint32_t lookup_media_points(struct lookup *l)
{
	if (!l->media_points_made) {
		LIST_EACH(it, streams_in_order(l->facts->streams)) {
			const struct stream *s = LIST_ENTRY(it, struct stream, in_order);

			l->media_points |= s->accepted || s->direction ? s->points : 0;
		}
		l->media_points_made = true;
	}
	return l->media_points;
}

/* Of the hosts found so far those that are an end of this pair, too. */
static unsigned hubs_keep(const struct network *n, const struct address *hubs[2], unsigned count, const struct pair *p)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < count; i++) {
		if (network_same(n, hubs[i], &p->src) || network_same(n, hubs[i], &p->dst))
			hubs[kept++] = hubs[i];
	}
	return kept;
}

static void hubs_make(struct lookup *l)
{
	const struct network *n = l->facts->network;
	bool begun = false;

	l->hubs_made = true;
	LIST_EACH(it, network_pairs(n)) {
		const struct pair *p = LIST_ENTRY(it, struct pair, in_order);

		if (p->sip + p->rtp + p->rtcp == 0)
			continue;
		if (!begun) {
			l->hubs[0] = &p->src;
			l->hubs[1] = &p->dst;
			l->hub_count = 2;
			begun = true;
		}
		l->hub_count = hubs_keep(n, l->hubs, l->hub_count, p);
		if (l->hub_count == 0)
			return;
	}
}

unsigned lookup_hubs(struct lookup *l, const struct address *ret[2])
{
	if (!l->hubs_made)
		hubs_make(l);
	ret[0] = l->hubs[0];
	ret[1] = l->hubs[1];
	return l->hub_count;
}

/* ---- pairs of addresses ---- */

static uint32_t pair_hash(const struct address *src, const struct address *dst)
{
	struct address key[2] = { *src, *dst };

	return (uint32_t)hash_bytes(key, sizeof key);
}

static struct pair_sums *pair_find(const struct hash *table, const struct address *src, const struct address *dst)
{
	uint32_t hash = pair_hash(src, dst);

	for (struct hash_link *it = hash_first(table, hash); it; it = it->next) {
		struct pair_sums *p = HASH_ENTRY(it, struct pair_sums, link);

		if (it->hash == hash && address_equal(&p->src, src) && address_equal(&p->dst, dst))
			return p;
	}
	return NULL;
}

static struct pair_sums *pair_add(struct lookup *l, struct hash *table, const struct address *src,
	const struct address *dst)
{
	struct pair_sums *p = pair_find(table, src, dst);

	if (p)
		return p;
	p = arena_zalloc(l->arena, sizeof *p);
	p->src = *src;
	p->dst = *dst;
	hash_add(table, &p->link, pair_hash(src, dst));
	return p;
}

/* ---- mirror copies ---- */

/* Copies that came another way: other TTL, MAC or VLAN; one copy may differ in several. */
static uint64_t elsewhere_of(const struct stream *s)
{
	const struct stream_flaws *f = stream_flaws(s);
	uint64_t most = f->copies_other_ttl;

	most = f->copies_other_mac > most ? f->copies_other_mac : most;
	return f->copies_other_vlan > most ? f->copies_other_vlan : most;
}

struct lookup_copies lookup_copies_of(struct lookup *l, const struct address *src, const struct address *dst)
{
	const struct pair_sums *p;

	if (!l->copies_made) {
		LIST_EACH(it, streams_in_order(l->facts->streams)) {
			const struct stream *s = LIST_ENTRY(it, struct stream, in_order);
			struct lookup_copies *sum;

			if (!s->mirror_copies)
				continue;
			sum = &pair_add(l, &l->copies, &s->src.addr, &s->dst.addr)->copies;
			sum->copies += s->mirror_copies;
			sum->elsewhere += elsewhere_of(s);
		}
		l->copies_made = true;
	}
	p = pair_find(&l->copies, src, dst);
	return p ? p->copies : (struct lookup_copies){ 0, 0 };
}

/* ---- media of an address in other calls ---- */

static struct carried *carried_find(const struct lookup *l, const struct address *a)
{
	uint32_t hash = (uint32_t)hash_bytes(a, sizeof *a);

	for (struct hash_link *it = hash_first(&l->carried, hash); it; it = it->next) {
		struct carried *c = HASH_ENTRY(it, struct carried, link);

		if (it->hash == hash && address_equal(&c->addr, a))
			return c;
	}
	return NULL;
}

static void carried_add(struct lookup *l, const struct address *a, const struct address *other,
	const struct mslot *slot)
{
	struct carried *c = carried_find(l, a);
	struct side_streams *side;

	if (!c) {
		c = arena_zalloc(l->arena, sizeof *c);
		c->addr = *a;
		hash_add(&l->carried, &c->link, (uint32_t)hash_bytes(a, sizeof *a));
	}
	side = &c->side[address_same_net(other, a)];
	if (side->any) {
		side->others |= slot != side->slot;
		return;
	}
	side->any = true;
	side->slot = slot;
	side->others = !slot;                /* an orphan is of no m-slot that may ask */
}

static void carried_make(struct lookup *l)
{
	LIST_EACH(it, streams_in_order(l->facts->streams)) {
		const struct stream *s = LIST_ENTRY(it, struct stream, in_order);
		const struct mslot *slot = s->direction ? s->direction->slot : NULL;

		if (s->packets < ELSEWHERE_PACKETS)
			continue;
		carried_add(l, &s->src.addr, &s->dst.addr, slot);
		if (!address_equal(&s->src.addr, &s->dst.addr))
			carried_add(l, &s->dst.addr, &s->src.addr, slot);
	}
	l->carried_made = true;
}

bool lookup_media_elsewhere(struct lookup *l, const struct mslot *slot, const struct address *a,
	const struct address *peer)
{
	const struct side_streams *side;
	const struct carried *c;

	if (!l->carried_made)
		carried_make(l);
	c = carried_find(l, a);
	if (!c)
		return false;
	side = &c->side[address_same_net(peer, a)];
	return side->any && (side->others || side->slot != slot);
}

/* ---- signalling ---- */

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
				pair_add(l, &l->replies, &m->dst.addr, &m->src.addr)->unseen_replies++;
		}
	}
	l->replies_made = true;
}

unsigned lookup_unseen_replies(struct lookup *l, const struct address *src, const struct address *dst)
{
	const struct pair_sums *p;

	if (!l->replies_made)
		replies_make(l);
	p = pair_find(&l->replies, src, dst);
	return p ? p->unseen_replies : 0;
}

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

/* ---- where media of a host comes from ---- */

enum { SOURCE_MAX = 8, SOURCE_PACKETS = 50 };

struct media_sources {
	struct hash_link link;
	struct address sip;          /* source of the party's SIP */
	struct { struct address addr; const struct leg *last; unsigned calls; } list[SOURCE_MAX];
	unsigned count;
};

static struct media_sources *sources_find(const struct lookup *l, const struct address *sip)
{
	uint32_t hash = address_hash(sip);

	for (struct hash_link *it = hash_first(&l->sources, hash); it; it = it->next) {
		struct media_sources *m = HASH_ENTRY(it, struct media_sources, link);

		if (it->hash == hash && address_equal(&m->sip, sip))
			return m;
	}
	return NULL;
}

static void sources_take(struct media_sources *m, const struct address *source, const struct leg *leg)
{
	unsigned at = 0;

	while (at < m->count && !address_equal(&m->list[at].addr, source))
		at++;
	if (at == SOURCE_MAX)
		return;
	if (at == m->count)
		m->list[m->count++].addr = *source;
	m->list[at].calls += m->list[at].last != leg;
	m->list[at].last = leg;
}

static void sources_note(struct lookup *l, const struct stream *s)
{
	const struct direction *d = s->direction;
	const struct address *sip = d ? &d->slot->dialog->leg->party[d->sender].signalling.addr : NULL;
	struct media_sources *m;

	if (!d || s->bound_by > 4 || s->twin_of || s->packets < SOURCE_PACKETS || !address_known(sip))
		return;
	m = sources_find(l, sip);
	if (!m) {
		m = arena_zalloc(l->arena, sizeof *m);
		m->sip = *sip;
		hash_add(&l->sources, &m->link, address_hash(sip));
	}
	sources_take(m, &s->src.addr, d->slot->dialog->leg);
}

struct lookup_sources lookup_media_sources(struct lookup *l, const struct address *sip, const struct address *source)
{
	struct lookup_sources ret = { .calls = 0 };
	const struct media_sources *m;

	if (!l->sources_made) {
		l->sources_made = true;
		LIST_EACH(it, streams_in_order(l->facts->streams))
			sources_note(l, LIST_ENTRY(it, struct stream, in_order));
	}
	m = sources_find(l, sip);
	for (unsigned i = 0; m && i < m->count; i++) {
		if (address_equal(&m->list[i].addr, source))
			ret.calls = m->list[i].calls;
		else
			ret.others_public |= !address_private(&m->list[i].addr);
	}
	return ret;
}

unsigned *lookup_key_tests(struct lookup *l)
{
	return &l->key_tests;
}
