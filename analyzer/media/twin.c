/* SPDX-License-Identifier: MIT */
/*
 * twin: the same stream seen at two points, before and behind a NAT or a relay (1.4.5). Only streams that share an
 * SSRC, or that the engine asks about, keep a ring of their last 64 packets, until the verdict.
 */
#include "analyzer/media/stream_private.h"

#include <stdlib.h>

#include "captures/base/memory.h"

enum {
	RING = 64, PAIR_MAX = 4, HASHED_BYTES = 32,
	MATCHES = 20, MATCHES_OTHER_PAYLOAD = 50,
	TRIES_MAX = 400,             /* packets of both streams: then they are not the same */
	LOOK_MAX = 64,               /* streams of the same SSRC that are looked at */
	ALIVE_S = 5
};

struct twin_mark {
	int64_t at_ns;
	uint64_t hash;               /* of the payload's head */
	uint32_t rtp_ts;
	uint16_t seq;
	bool used;
	/* another payload than the packet before: silence is equal to silence, it proves nothing */
	bool varied;
};

/* Two streams under comparison: each knows it. */
struct twin_pair {
	struct record *first, *second;       /* by first packet */
	bool by_payload;             /* second has another SSRC: only the sound can be the same */
	unsigned tries, matches, same_payload;
	int64_t delta_sum_ns;        /* of matches: second - first */
};

struct twin {
	struct twin_mark by_seq[RING];
	uint64_t last_hash;
	struct twin_pair *pairs[PAIR_MAX];
};

static struct twin *twin_get(struct streams *s, struct record *r)
{
	struct aside *a = aside_get(r);

	if (!a->twin)
		a->twin = memory_zalloc(sizeof *a->twin);
	streams_hot(s, r->index)->flags |= HOT_TWIN;
	return a->twin;
}

/* NULL: it is compared with none. */
static struct twin *twin_of_record(const struct record *r)
{
	return r->aside ? r->aside->twin : NULL;
}

static struct twin_pair **place_of(struct twin *t, const struct twin_pair *pair)
{
	for (unsigned i = 0; i < PAIR_MAX; i++) {
		if (t->pairs[i] == pair)
			return &t->pairs[i];
	}
	return NULL;
}

static void twin_release(struct streams *s, struct record *r)
{
	for (unsigned i = 0; i < PAIR_MAX; i++) {
		if (r->aside->twin->pairs[i])
			return;
	}
	free(r->aside->twin);
	r->aside->twin = NULL;
	streams_hot(s, r->index)->flags &= (uint16_t)~HOT_TWIN;
}

static void pair_begin(struct streams *s, struct record *first, struct record *second, bool by_payload)
{
	struct twin *a = twin_get(s, first), *b = twin_get(s, second);
	struct twin_pair **place_a = place_of(a, NULL), **place_b = place_of(b, NULL);

	if (!place_a || !place_b) {             /* busy with others */
		twin_release(s, first);
		twin_release(s, second);
		return;
	}
	*place_a = *place_b = memory_zalloc(sizeof **place_a);
	**place_a = (struct twin_pair){ .first = first, .second = second, .by_payload = by_payload };
}

static void pair_end(struct streams *s, struct twin_pair *pair)
{
	struct record *first = pair->first, *second = pair->second;

	*place_of(first->aside->twin, pair) = NULL;
	*place_of(second->aside->twin, pair) = NULL;
	twin_release(s, first);
	twin_release(s, second);
	free(pair);
}

/* ---- verdict ---- */

static bool first_is_nearer(const struct twin_pair *pair)
{
	const struct stream *a = &pair->first->s, *b = &pair->second->s;

	if (a->capture == b->capture)
		return pair->delta_sum_ns >= 0;
	return a->ttl != b->ttl ? a->ttl > b->ttl : true;       /* clocks of two files do not compare */
}

static enum twin_kind kind_of(const struct stream *nearer, const struct stream *farther)
{
	bool src = endpoint_equal(&nearer->src, &farther->src), dst = endpoint_equal(&nearer->dst, &farther->dst);

	if (src && dst)
		return TWIN_POINT;
	return src != dst && farther->ttl < nearer->ttl ? TWIN_NAT : TWIN_RELAY;
}

static bool leads_to(const struct stream *from, const struct stream *to)
{
	unsigned steps = 0;

	for (; from && steps < 16; from = from->twin_of, steps++) {
		if (from == to)
			return true;
	}
	return from != NULL;
}

/*
 * A router whose address changes in mid-call: before it a new stream begins, to the new address, where the old one has
 * ended; behind it there is one.
 */
static bool takes_over(const struct streams *s, const struct record *now, const struct stream *before)
{
	return before->capture == now->s.capture &&
		streams_hot(s, ((const struct record *)before)->index)->last_ns <= now->s.first_ns;
}

static void pair_settle(const struct streams *s, struct twin_pair *pair)
{
	bool first = first_is_nearer(pair);
	struct record *nearer = first ? pair->first : pair->second, *farther = first ? pair->second : pair->first;

	if (pair->by_payload) {
		flaws_get(pair->second)->sounds_as = &pair->first->s;
		pair->first->is_twin = true;
		return;
	}
	if (leads_to(&nearer->s, &farther->s))
		return;
	if (farther->s.twin_of) {
		if (takes_over(s, nearer, farther->s.twin_of)) {
			flaws_get(nearer)->goes_on_in = &farther->s;
			farther->is_twin = true;
		}
		return;
	}
	farther->s.twin_of = &nearer->s;
	farther->s.twin_kind = kind_of(&nearer->s, &farther->s);
	nearer->is_twin = true;
}

/* ---- packets ---- */

static bool mark_in_time(
	const struct streams *s, const struct twin_pair *pair, const struct twin_mark *m, int64_t at_ns)
{
	int64_t apart_ns = ns_minus(at_ns, m->at_ns);

	return pair->first->s.capture != pair->second->s.capture ||
		(apart_ns < 0 ? -apart_ns : apart_ns) <= s->config.twin_max_ns;
}

/* The latest packet of the ring with that payload; a place by hash would depend on the hash's key. */
static const struct twin_mark *same_payload(const struct twin *t, const struct twin_mark *now)
{
	const struct twin_mark *latest = NULL;

	for (unsigned i = 0; i < RING; i++) {
		const struct twin_mark *m = &t->by_seq[i];

		if (m->used && m->varied && m->hash == now->hash && (!latest || m->at_ns > latest->at_ns))
			latest = m;
	}
	return latest;
}

/* Does this packet stand in the other's ring? */
static const struct twin_mark *pair_match(const struct twin_pair *pair, const struct twin *other,
	const struct twin_mark *now)
{
	const struct twin_mark *m = &other->by_seq[now->seq % RING];

	if (pair->by_payload)
		return now->varied ? same_payload(other, now) : NULL;
	return m->used && m->seq == now->seq && m->rtp_ts == now->rtp_ts ? m : NULL;
}

static void pair_take(
	struct streams *s, struct twin_pair *pair, const struct record *r, const struct twin_mark *now)
{
	const struct record *other = pair->first == r ? pair->second : pair->first;
	const struct twin_mark *m = pair_match(pair, other->aside->twin, now);

	pair->tries++;
	if (m && mark_in_time(s, pair, m, now->at_ns)) {
		pair->matches++;
		pair->same_payload += m->hash == now->hash;
		pair->delta_sum_ns +=
			r == pair->second ? ns_minus(now->at_ns, m->at_ns) : ns_minus(m->at_ns, now->at_ns);
	}
	if (pair->same_payload >= MATCHES || pair->matches >= MATCHES_OTHER_PAYLOAD)
		pair_settle(s, pair);
	else if (pair->tries < TRIES_MAX)
		return;
	pair_end(s, pair);
}

void twin_take(struct streams *s, struct record *r, const struct packet *p)
{
	struct twin *t = twin_of_record(r);
	struct span head = span_first(p->rtp.payload, HASHED_BYTES);
	struct twin_mark now = { .at_ns = p->at_ns,
		.hash = hash_bytes(head.p, head.n),
		.rtp_ts = p->rtp.rtp_ts,
		.seq = p->rtp.seq,
		.used = true };

	now.varied = now.hash != t->last_hash;
	t->last_hash = now.hash;
	t->by_seq[now.seq % RING] = now;
	for (unsigned i = 0; (t = twin_of_record(r)) && i < PAIR_MAX; i++) {     /* it goes with its last pair */
		if (t->pairs[i])
			pair_take(s, t->pairs[i], r, &now);
	}
}

/* ---- beginnings and ends ---- */

static bool flows_differ(const struct stream *a, const struct stream *b)
{
	return a->file != b->file || !endpoint_equal(&a->src, &b->src) || !endpoint_equal(&a->dst, &b->dst);
}

/* At the start of a stream: who else has this SSRC and is alive? */
void twin_look_up(struct streams *s, struct record *r)
{
	unsigned looked = 0, begun = 0;

	for (struct hash_link *it = hash_first(&s->by_ssrc, r->s.by_ssrc.hash);
		it && looked < LOOK_MAX && begun < PAIR_MAX; it = it->next) {
		struct record *other = (struct record *)HASH_ENTRY(it, struct stream, by_ssrc);
		int64_t idle_ns;

		if (it->hash != r->s.by_ssrc.hash || other == r || other->s.ssrc != r->s.ssrc ||
			!flows_differ(&other->s, &r->s))
			continue;
		looked++;
		idle_ns = ns_minus(r->s.first_ns, streams_hot(s, other->index)->last_ns);
		if (idle_ns > ALIVE_S * SECOND_NS)
			continue;
		pair_begin(s, other, r, false);
		begun++;
	}
}

void twin_compare(struct streams *s, struct record *arrives, struct record *leaves)
{
	if (arrives != leaves && !leaves->s.twin_of && !stream_flaws(&leaves->s)->sounds_as)
		pair_begin(s, arrives, leaves, true);
}

void twin_free(struct streams *s, struct record *r)
{
	struct twin *t;

	for (unsigned i = 0; (t = twin_of_record(r)) && i < PAIR_MAX; i++) {
		if (t->pairs[i])
			pair_end(s, t->pairs[i]);
	}
}
