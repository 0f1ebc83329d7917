/* SPDX-License-Identifier: MIT */
/* lookup_streams: indexes over the streams: by sender, by pair, by the address that has them. */
#include "analyzer/detect/lookup_private.h"

#include <stdlib.h>

#include "captures/base/memory.h"

enum { ELSEWHERE_PACKETS = 25, SENDER_STREAMS_MAX = 64 };

/* ---- streams by their sender ---- */

struct sent {
	struct hash_link link;
	const struct stream *stream;
};

static uint32_t sender_hash(const struct stream *s)
{
	return (uint32_t)hash_mix(endpoint_key(&s->src), s->ssrc);
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

/* ---- streams of no direction, by time ---- */

struct orphan {
	const struct stream *stream;
	int64_t latest_ns;           /* the last packet of this one and all before it */
};

static int orphan_compare(const void *one, const void *other)
{
	const struct stream *a = ((const struct orphan *)one)->stream, *b = ((const struct orphan *)other)->stream;

	if (a->first_ns != b->first_ns)
		return a->first_ns < b->first_ns ? -1 : 1;
	return (a->n > b->n) - (a->n < b->n);
}

static void orphans_make(struct lookup *l)
{
	const struct list *all = streams_in_order(l->facts->streams);

	l->orphans_made = true;
	l->orphans = memory_zalloc((all->count + 1) * sizeof *l->orphans);
	LIST_EACH(it, all) {
		const struct stream *s = LIST_ENTRY(it, struct stream, in_order);

		if (!s->direction)
			l->orphans[l->orphan_count++].stream = s;
	}
	qsort(l->orphans, l->orphan_count, sizeof *l->orphans, orphan_compare);
	for (size_t i = 0; i < l->orphan_count; i++) {
		int64_t last_ns = l->orphans[i].stream->last_ns, before_ns = i ? l->orphans[i - 1].latest_ns : last_ns;

		l->orphans[i].latest_ns = before_ns > last_ns ? before_ns : last_ns;
	}
}

struct lookup_orphans lookup_orphans_within(struct lookup *l, int64_t from_ns, int64_t to_ns)
{
	size_t low = 0, high;

	if (!l->orphans_made)
		orphans_make(l);
	for (high = l->orphan_count; low < high;) {
		size_t middle = low + (high - low) / 2;

		if (l->orphans[middle].stream->first_ns <= to_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return (struct lookup_orphans){ low, from_ns };
}

const struct stream *lookup_orphan_next(struct lookup *l, struct lookup_orphans *w)
{
	while (w->left && l->orphans[w->left - 1].latest_ns >= w->from_ns) {
		const struct stream *s = l->orphans[--w->left].stream;

		if (s->last_ns >= w->from_ns)
			return s;
	}
	return NULL;
}

/* ---- points of media ---- */

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
	const struct lookup_pair *p;

	if (!l->copies_made) {
		LIST_EACH(it, streams_in_order(l->facts->streams)) {
			const struct stream *s = LIST_ENTRY(it, struct stream, in_order);
			struct lookup_copies *sum;

			if (!s->mirror_copies)
				continue;
			sum = &lookup_pair_add(l, &l->copies, &s->src.addr, &s->dst.addr)->copies;
			sum->copies += s->mirror_copies;
			sum->elsewhere += elsewhere_of(s);
		}
		l->copies_made = true;
	}
	p = lookup_pair_find(&l->copies, src, dst);
	return p ? p->copies : (struct lookup_copies){ 0, 0 };
}

/* ---- media of an address in other calls ---- */

struct carried {                     /* streams of one address */
	struct hash_link link;
	struct address addr;
	struct side_streams {        /* with peers outside and inside its own net */
		const struct mslot *slot;    /* of the first, NULL none */
		bool any, others;    /* others: one of another m-slot too */
	} side[2];
};

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
