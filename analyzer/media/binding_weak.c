/* SPDX-License-Identifier: MIT */
/* binding_weak: rules B5 and B8 to B10: the stream back, a wrong port, an unknown address, only the sender. */
#include <stdlib.h>

#include "analyzer/media/binding_private.h"
#include "captures/base/memory.h"

#define START_LATE_NS (5 * SECOND_NS)
#define TURN_OVERLAP_NS (500 * MILLISECOND_NS)
#define BEGINNING_NS (200 * MILLISECOND_NS)   /* ten packets: what is seen then may have gone on for hours */

enum { MAX_DROPOUT = 3000 };         /* RFC 3550 A.1 */

struct flow {                        /* a stream by its two ends */
	struct hash_link link;
	const struct stream *stream;
};

/* B1 to B4, and B6: what SDP names, by its own name or by that of the other side of a NAT. B9: by its port alone. */
static bool proves_reverse(const struct stream *other)
{
	return other->bound_by <= B4 || other->bound_by == B6 || other->bound_by == B9;
}

/* B5: the exact reverse of a stream that is bound by what SDP names. */
static void bind_reverse(struct stream *s, const struct hash *flows)
{
	const struct endpoint *src = &s->src, *dst = &s->dst;
	uint32_t hash = (uint32_t)hash_mix(endpoint_key(dst), endpoint_key(src));

	for (struct hash_link *it = hash_first(flows, hash); it && !s->direction; it = it->next) {
		const struct stream *other = HASH_ENTRY(it, struct flow, link)->stream;
		struct direction *back;

		if (it->hash != hash || !other->direction || !proves_reverse(other) ||
		    !endpoint_equal(&other->src, dst) || !endpoint_equal(&other->dst, src))
			continue;
		back = &other->direction->slot->direction[side_other(other->direction->sender)];
		if (binding_overlaps(s, back))
			binding_bind(s, back, B5);
	}
}

/*
 * The window of the direction in which a stream of a wrong port or an unknown address could have begun: 2 s before to 5
 * s after it.
 */
static const struct window *fits_start(const struct stream *s, const struct direction *d)
{
	for (unsigned i = 0; i < d->window_count; i++) {
		const struct window *w = &d->windows[i];

		if (w->state != EXPECT_DUE && w->state != EXPECT_EARLY)
			continue;
		if (s->first_ns >= ns_add(w->on_ns, -EARLY_MEDIA_NS) &&
		    s->first_ns <= ns_add(w->on_ns, START_LATE_NS) && binding_pt_fits(s, w))
			return w;
	}
	return NULL;
}

static bool has_exact_stream(const struct direction *d)
{
	for (unsigned i = 0; i < d->stream_count; i++) {
		if (d->streams[i]->direction == d && d->streams[i]->bound_by <= B7)
			return true;
	}
	return false;
}

/*
 * The socket that sent this direction's audio to the right place has ended there, and is the source of this stream: of
 * the same SSRC and numbering it is the same audio, wherever it goes; of another SSRC it may be. With ICE, both sides
 * may have found another way between them.
 */
static bool turned(const struct stream *s, const struct direction *d, enum rule most, bool *ret_same)
{
	const struct window *w = direction_window_at(d, s->first_ns);
	bool came = false;

	*ret_same = false;
	if (!w || (w->state != EXPECT_DUE && w->state != EXPECT_EARLY) || w->ice)
		return false;
	for (unsigned i = 0; i < d->stream_count; i++) {
		const struct stream *before = d->streams[i];
		uint16_t next = (uint16_t)(before->first_seq + before->packets + (uint64_t)before->lost);

		if (before->direction != d || before->bound_by > most)
			continue;
		if (before->last_ns > ns_add(s->first_ns, TURN_OVERLAP_NS))
			return false;
		if (!endpoint_equal(&before->src, &s->src))
			continue;
		came = true;
		*ret_same |= before->ssrc == s->ssrc && (uint16_t)(s->first_seq - next) < MAX_DROPOUT;
	}
	return came;
}

struct weak {                        /* how many directions would do */
	struct direction *direction;
	unsigned count;
};

static void weak_add(struct weak *w, struct direction *d)
{
	if (w->direction == d)
		return;
	w->direction = d;
	w->count++;
}

/*
 * Audio of this direction has come before to this host, which SDP names otherwise: the port alone tells then where more
 * of it comes, as when a re-INVITE has moved it.
 */
static bool host_received(const struct stream *s, const struct direction *d)
{
	const struct window *w = direction_window_at(d, s->first_ns);

	if (!w || !binding_pt_fits(s, w))
		return false;
	for (unsigned i = 0; i < d->stream_count; i++) {
		const struct stream *before = d->streams[i];

		if (before->direction == d && (before->bound_by == B5 || before->bound_by == B6) &&
		    before->last_ns <= ns_add(s->first_ns, TURN_OVERLAP_NS) &&
		    address_equal(&before->dst.addr, &s->dst.addr) && address_equal(&before->src.addr, &s->src.addr))
			return true;
	}
	return false;
}

/* Nothing else of this direction has come to where it should. */
static struct direction *first_of(const struct place *p, const struct stream *s, struct dialog *dialog)
{
	struct direction *d;

	if (p->candidate || p->mline >= dialog->mslot_count)
		return NULL;
	d = &dialog->mslots[p->mline].direction[side_other(p->side)];
	return binding_overlaps(s, d) && !has_exact_stream(d) && fits_start(s, d) ? d : NULL;
}

/* B9: right port, an address that no map knows. */
static struct direction *same_port(const struct place *p, const struct stream *s, struct dialog *dialog)
{
	struct direction *d = first_of(p, s, dialog);

	if (d || p->candidate || p->mline >= dialog->mslot_count)
		return d;
	d = &dialog->mslots[p->mline].direction[side_other(p->side)];
	return binding_overlaps(s, d) && host_received(s, d) ? d : NULL;
}

/* From the socket that SDP names as the sender's, and over before the first audio came to where it should. */
static bool went_wrong_first(const struct stream *s, const struct direction *d)
{
	for (unsigned i = 0; i < d->stream_count; i++) {
		const struct stream *right = d->streams[i];

		if (right->direction == d && right->bound_by <= B7 && right->first_ns < s->last_ns)
			return false;
	}
	return binding_source_rank(s, d) == 3 && fits_start(s, d);
}

/* B8: right host, wrong port, from the right host; from the beginning, or turned there later. */
static struct direction *wrong_port(const struct place *p, const struct stream *s, struct dialog *dialog)
{
	struct direction *d = first_of(p, s, dialog);
	bool same;

	if (d)
		return binding_source_rank(s, d) > 0 ? d : NULL;
	if (p->candidate || p->mline >= dialog->mslot_count)
		return NULL;
	d = &dialog->mslots[p->mline].direction[side_other(p->side)];
	return binding_overlaps(s, d) && (went_wrong_first(s, d) || turned(s, d, B7, &same)) ? d : NULL;
}

/* B8, too: the same audio, from the socket that SDP names as the sender's, turned to another host. */
static struct direction *turned_away(const struct place *p, const struct stream *s, struct dialog *dialog)
{
	struct direction *d = p->mline < dialog->mslot_count ? &dialog->mslots[p->mline].direction[p->side] : NULL;
	bool same;

	return d && binding_overlaps(s, d) && turned(s, d, B7, &same) && same ? d : NULL;
}

/* What the other party sends to this host goes on from it to somewhere else: a relay, and a leg that is not seen. */
static bool passed_on(const struct stream *s, const struct direction *d)
{
	const struct direction *back = &d->slot->direction[side_other(d->sender)];

	for (unsigned i = 0; i < back->stream_count; i++) {
		const struct stream *x = back->streams[i];

		if (x->ssrc == s->ssrc && x->direction == back && address_equal(&x->dst.addr, &s->src.addr) &&
		    !address_equal(&x->src.addr, &s->dst.addr))
			return true;
	}
	return false;
}

/* B10: only the sender's address and the time fit. It may keep an absence from being claimed, it proves nothing. */
static struct direction *sender_only(const struct place *p, const struct stream *s, struct dialog *dialog)
{
	struct direction *d = p->mline < dialog->mslot_count ? &dialog->mslots[p->mline].direction[p->side] : NULL;

	return d && binding_overlaps(s, d) && !has_exact_stream(d) && fits_start(s, d) && !passed_on(s, d) ? d : NULL;
}

/* ---- places by a part of their address ---- */

/* All places of one address (port 0), or of one port (no address). */
struct weak_spot {
	struct hash_link link;
	struct endpoint at;
	unsigned count;
	struct spot_order *order;
};

struct weak_spots {
	struct hash table;
	struct arena *arena;
};

static struct endpoint whole_address(const struct endpoint *at)
{
	return (struct endpoint){ at->addr, 0 };
}

static struct endpoint port_alone(const struct endpoint *at)
{
	return (struct endpoint){ .port = at->port };
}

static struct weak_spot *weak_spot_find(const struct weak_spots *w, const struct endpoint *at)
{
	uint32_t hash = endpoint_hash(at);

	for (struct hash_link *it = hash_first(&w->table, hash); it; it = it->next) {
		struct weak_spot *s = HASH_ENTRY(it, struct weak_spot, link);

		if (it->hash == hash && endpoint_equal(&s->at, at))
			return s;
	}
	return NULL;
}

static void weak_spot_count(struct weak_spots *w, const struct endpoint *at, const struct place *p)
{
	struct weak_spot *s = weak_spot_find(w, at);

	(void)p;
	if (!s) {
		s = arena_zalloc(w->arena, sizeof *s);
		s->at = *at;
		hash_add(&w->table, &s->link, endpoint_hash(at));
	}
	s->count++;
}

static void weak_spot_add(struct weak_spots *w, const struct endpoint *at, const struct place *p)
{
	struct weak_spot *s = weak_spot_find(w, at);

	if (!s->order)
		s->order = arena_zalloc(w->arena, sizeof *s->order + s->count * sizeof s->order->at[0]);
	s->order->at[s->order->count++].place = p;
}

typedef void take_fn(struct weak_spots *w, const struct endpoint *at, const struct place *p);

static void places_take(struct weak_spots *w, const struct list *legs, take_fn *take)
{
	LIST_EACH(it, legs) {
		LIST_EACH(pit, &LIST_ENTRY(it, struct leg, in_order)->places) {
			const struct place *p = LIST_ENTRY(pit, struct place, of_leg);
			struct endpoint host = whole_address(&p->at), port = port_alone(&p->at);

			take(w, &host, p);
			take(w, &port, p);
		}
	}
}

/* Counted first, so that each list is made in the size that it has. */
struct weak_spots *weak_spots_new(const struct list *legs)
{
	struct weak_spots *w = memory_zalloc(sizeof *w);

	w->arena = arena_new();
	hash_init(&w->table);
	places_take(w, legs, weak_spot_count);
	places_take(w, legs, weak_spot_add);
	return w;
}

void weak_spots_free(struct weak_spots *w)
{
	if (!w)
		return;
	hash_fini(&w->table);
	arena_free(w->arena);
	free(w);
}

/* Most are asked for by nobody: those are not sorted. */
static const struct spot_order *weak_order(const struct weak_spots *w, const struct endpoint *at)
{
	struct weak_spot *s = weak_spot_find(w, at);

	if (s && !s->order->sorted)
		binding_order_sort(s->order);
	return s ? s->order : NULL;
}

/* ---- rules ---- */

/* A direction of this dialog that would do for the stream by this place; NULL none. */
typedef struct direction *fits_fn(const struct place *p, const struct stream *s, struct dialog *dialog);

/* A branch of a fork that another one has won, and a stream that goes on after that. */
static bool lost_branch(const struct dialog *d, const struct stream *s)
{
	const struct leg *leg = d->leg;

	return leg->confirmed && leg->confirmed != d && leg->answer_ns != NS_NONE &&
	       s->last_ns > ns_add(leg->answer_ns, EARLY_MEDIA_NS);
}

static struct weak gather(const struct binding *b, const struct spot_order *o, const struct stream *s,
	fits_fn *fits)
{
	struct weak w = { NULL, 0 };

	for (unsigned i = o ? binding_order_begin(o, s) : 0; i-- > 0 && o->at[i].latest_end_ns >= s->first_ns;) {
		const struct place *p = o->at[i].place;

		if (binding_other_network(b, s, p->leg))
			continue;
		LIST_EACH(it, &p->leg->dialogs) {
			struct dialog *dialog = LIST_ENTRY(it, struct dialog, in_leg);
			struct direction *d = lost_branch(dialog, s) ? NULL : fits(p, s, dialog);

			if (d)
				weak_add(&w, d);
		}
	}
	return w;
}

bool binding_weakly(const struct binding *b, const struct weak_spots *spots, struct stream *s, bool turns_wait)
{
	const struct { enum rule rule; struct endpoint key; fits_fn *fits; } rules[] = {
		{ B8, whole_address(&s->dst), wrong_port },
		{ B8, s->src, turned_away },
		{ B9, port_alone(&s->dst), same_port },
		{ B10, whole_address(&s->src), sender_only },
	};

	for (size_t i = 0; i < sizeof rules / sizeof rules[0] && !s->direction; i++) {
		/* of whole sockets there is an order already, and few places each */
		struct weak w = gather(b, rules[i].fits == turned_away ? binding_order(b, &rules[i].key)
			: weak_order(spots, &rules[i].key), s, rules[i].fits);

		/* G6: it may be of a call that began before the capture; it proves nothing, as B10 */
		if (rules[i].rule < B10 && s->first_ns <= ns_add(b->begin_ns, BEGINNING_NS))
			continue;
		if (w.count == 1 && rules[i].rule == B8 && turns_wait)
			return true;
		if (w.count == 1)
			binding_bind(s, w.direction, rules[i].rule);
	}
	return false;
}

/*
 * To the socket of a stream that is bound by the NAT map, by its port, or as the answer to what the receiver sends from
 * there: it is the receiver's by another name, whatever comes there later from another port or address of the sender
 * (B4).
 */
static void bind_alike(struct stream *s, const struct hash *flows)
{
	uint32_t hash = endpoint_hash(&s->dst);

	for (struct hash_link *it = hash_first(flows, hash); it && !s->direction; it = it->next) {
		const struct stream *other = HASH_ENTRY(it, struct flow, link)->stream;
		struct direction *d = (struct direction *)(uintptr_t)other->direction;
		const struct window *w = direction_window_at(d, s->first_ns);

		if (it->hash == hash && endpoint_equal(&other->dst, &s->dst) && binding_overlaps(s, d) && w &&
		    (w->state == EXPECT_DUE || w->state == EXPECT_EARLY) && binding_pt_fits(s, w))
			binding_bind(s, d, other->bound_by == B5 ? B6 : (enum rule)other->bound_by);
	}
}

/* ---- streams by one of their ends, or by both ---- */

struct flow_table {
	struct hash hash;
	struct flow *flows;
	size_t count;
};

static void flow_table_init(struct flow_table *t, const struct list *streams, bool (*keeps)(const struct stream *s),
	uint32_t (*key)(const struct stream *s))
{
	*t = (struct flow_table){ .flows = memory_zalloc((streams->count + 1) * sizeof *t->flows) };
	hash_init(&t->hash);
	LIST_EACH(it, streams) {
		const struct stream *s = binding_stream(it);

		if (!keeps(s))
			continue;
		t->flows[t->count].stream = s;
		hash_add(&t->hash, &t->flows[t->count++].link, key(s));
	}
}

static void flow_table_fini(struct flow_table *t)
{
	hash_fini(&t->hash);
	free(t->flows);
}

static uint32_t key_dst(const struct stream *s)
{
	return endpoint_hash(&s->dst);
}

static uint32_t key_src(const struct stream *s)
{
	return endpoint_hash(&s->src);
}

static uint32_t key_both(const struct stream *s)
{
	return (uint32_t)hash_mix(endpoint_key(&s->src), endpoint_key(&s->dst));
}

static bool every(const struct stream *s)
{
	(void)s;
	return true;
}

static bool bound_to_other_name(const struct stream *s)
{
	return s->direction && !s->channelled && (s->bound_by == B5 || s->bound_by == B6 || s->bound_by == B9);
}

static bool bound_well(const struct stream *s)
{
	return s->direction && s->bound_by <= B9;
}

void binding_alike(const struct list *streams)
{
	struct flow_table t;

	flow_table_init(&t, streams, bound_to_other_name, key_dst);
	LIST_EACH(it, streams) {
		struct stream *s = binding_stream(it);

		if (t.count && !s->direction && !s->ambiguous && !s->multicast && !s->channelled)
			bind_alike(s, &t.hash);
	}
	flow_table_fini(&t);
}

/*
 * B8 of what another than SDP's socket sends, because a NAT in front of the sender has another name for it: the same
 * audio goes on to another place, from the socket of a stream that is bound.
 */
static void bind_turned(struct stream *s, const struct hash *flows)
{
	uint32_t hash = endpoint_hash(&s->src);
	bool same;

	for (struct hash_link *it = hash_first(flows, hash); it && !s->direction; it = it->next) {
		const struct stream *before = HASH_ENTRY(it, struct flow, link)->stream;
		struct direction *d = (struct direction *)(uintptr_t)before->direction;

		if (it->hash == hash && d && endpoint_equal(&before->src, &s->src) && binding_overlaps(s, d) &&
		    turned(s, d, B9, &same) && same)
			binding_bind(s, d, B8);
	}
}

void binding_turns(const struct list *streams)
{
	struct flow_table t;

	flow_table_init(&t, streams, bound_well, key_src);
	LIST_EACH(it, streams) {
		struct stream *s = binding_stream(it);

		if (!s->direction && !s->ambiguous && !s->multicast && !s->channelled)
			bind_turned(s, &t.hash);
	}
	flow_table_fini(&t);
}

void binding_reverses(const struct list *streams)
{
	struct flow_table t;

	flow_table_init(&t, streams, every, key_both);
	LIST_EACH(it, streams) {
		if (!binding_stream(it)->direction && !binding_stream(it)->ambiguous)
			bind_reverse(binding_stream(it), &t.hash);
	}
	flow_table_fini(&t);
}
