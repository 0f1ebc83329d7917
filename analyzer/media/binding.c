/* SPDX-License-Identifier: MIT */
/* binding: streams to directions. Each address in SDP is found by itself and its port. */
#include "analyzer/media/binding.h"

#include <stdlib.h>

#include "analyzer/media/binding_private.h"
#include "analyzer/network/turn.h"
#include "captures/base/memory.h"
#include "captures/base/sort.h"

struct binding *binding_new(void)
{
	struct binding *b = memory_zalloc(sizeof *b);

	hash_init(&b->spots);
	pool_init(&b->place_pool, sizeof(struct place));
	pool_init(&b->spot_pool, sizeof(struct spot));
	return b;
}

/* What was sorted is not to be read any more, until binding_settle() has it sorted anew. */
static void order_drop(const struct binding *b, struct spot *s)
{
	free(s->order);
	s->order = NULL;
	s->asked = b->settled;
}

static void spot_free(struct binding *b, struct spot *s)
{
	hash_remove(&b->spots, &s->link);
	free(s->order);
	pool_give(&b->spot_pool, s);
}

static struct spot *spot_find(const struct binding *b, const struct endpoint *at, uint32_t hash)
{
	for (struct hash_link *it = hash_first(&b->spots, hash); it; it = it->next) {
		struct spot *s = HASH_ENTRY(it, struct spot, link);

		if (it->hash == hash && endpoint_equal(&s->at, at))
			return s;
	}
	return NULL;
}

static struct spot *spot_at(const struct binding *b, const struct endpoint *at)
{
	return spot_find(b, at, endpoint_hash(at));
}

static void place_free(struct binding *b, struct place *p)
{
	struct spot *s = spot_at(b, &p->at);

	list_remove(&s->places, &p->in_spot);
	order_drop(b, s);
	if (list_empty(&s->places))
		spot_free(b, s);
	list_remove(&p->leg->places, &p->of_leg);
	pool_give(&b->place_pool, p);
}

/* Legs may be gone already: their lists are left alone. */
void binding_free(struct binding *b)
{
	if (!b)
		return;
	for (size_t i = 0; b->spots.buckets && i <= b->spots.mask; i++) {
		for (struct hash_link *it = b->spots.buckets[i]; it; it = it->next)
			free(HASH_ENTRY(it, struct spot, link)->order);
	}
	pool_fini(&b->place_pool);
	pool_fini(&b->spot_pool);
	hash_fini(&b->spots);
	free(b);
}

void binding_forget(struct binding *b, struct leg *leg)
{
	while (leg->places.count)
		place_free(b, LIST_ENTRY(leg->places.head.next, struct place, of_leg));
}

/* ---- learning ---- */

static void spot_add(struct binding *b, struct place *p)
{
	uint32_t hash = endpoint_hash(&p->at);
	struct spot *s = spot_find(b, &p->at, hash);

	if (!s) {
		s = pool_zalloc(&b->spot_pool);
		s->at = p->at;
		s->asked = b->settled;
		list_init(&s->places);
		hash_add(&b->spots, &s->link, hash);
	}
	list_add_tail(&s->places, &p->in_spot);
}

static bool is_place(const struct place *p, const struct endpoint *at, const struct message *m, unsigned mline)
{
	return p->leg == message_leg(m) && p->mline == mline && p->side == m->by && endpoint_equal(&p->at, at);
}

/* Among those of its leg, which are few; else among the last at that address. */
static struct place *place_known(const struct binding *b, const struct endpoint *at, const struct message *m,
	unsigned mline)
{
	const struct leg *leg = message_leg(m);
	const struct spot *s;
	unsigned looked = 0;

	if (leg->places.count <= PLACES_WALKED) {
		LIST_EACH(it, &leg->places) {
			if (is_place(LIST_ENTRY(it, struct place, of_leg), at, m, mline))
				return LIST_ENTRY(it, struct place, of_leg);
		}
		return NULL;
	}
	s = spot_at(b, at);
	for (struct list_link *it = s ? s->places.head.prev : NULL;
	    it && it != &s->places.head && looked < PLACE_LOOK_BACK; it = it->prev, looked++) {
		if (is_place(binding_place(it), at, m, mline))
			return binding_place(it);
	}
	return NULL;
}

static void place_add(struct binding *b, const struct endpoint *at, const struct message *m, unsigned mline,
	bool candidate)
{
	struct place *p;

	if (!address_known(&at->addr) || address_unspecified(&at->addr) || at->port == 0)
		return;
	p = place_known(b, at, m, mline);
	if (p) {
		p->latest = m;
		return;
	}
	p = pool_take(&b->place_pool);
	*p = (struct place){ .at = *at, .message = m, .latest = m, .leg = message_leg(m), .mline = (uint8_t)mline,
		.side = m->by, .candidate = candidate };
	spot_add(b, p);
	list_add_tail(&p->leg->places, &p->of_leg);
}

void binding_announce(struct binding *b, const struct message *m)
{
	for (unsigned i = 0; m->sdp && i < m->sdp->media_count; i++) {
		const struct sdp_media *media = &m->sdp->media[i];

		if (!media->rtp)
			continue;
		place_add(b, &media->at, m, i, false);
		for (unsigned k = 0; k < media->rare->candidate_count; k++) {
			if (media->rare->candidates[k].udp && media->rare->candidates[k].component == 1)
				place_add(b, &media->rare->candidates[k].at, m, i, true);
		}
	}
}

static const struct place *place_latest(const struct binding *b, const struct endpoint *at)
{
	const struct spot *s = spot_at(b, at);

	return s ? binding_place(s->places.head.prev) : NULL;
}

const struct sdp_media *binding_announced(const struct binding *b, const struct endpoint *at)
{
	const struct place *p = place_latest(b, at);

	return p ? &p->latest->sdp->media[p->mline] : NULL;
}

struct leg *binding_leg(const struct binding *b, const struct endpoint *at)
{
	const struct place *p = place_latest(b, at);

	return p ? p->leg : NULL;
}

struct leg *binding_receiver(const struct binding *b, const struct endpoint *at, enum side *ret)
{
	const struct place *p = place_latest(b, at);

	if (!p)
		return NULL;
	*ret = (enum side)p->side;
	return p->leg;
}

unsigned binding_wanted(const struct leg *leg, enum side side, struct endpoint *ret, unsigned max)
{
	unsigned n = 0;

	for (struct list_link *it = leg->places.head.prev; it && it != &leg->places.head && n < max; it = it->prev) {
		const struct place *p = LIST_ENTRY(it, struct place, of_leg);

		if (p->side == side && !p->candidate)
			ret[n++] = p->at;
	}
	return n;
}

struct hash_place binding_leg_place(const struct binding *b, const struct endpoint *at)
{
	return (struct hash_place){ &b->spots, endpoint_hash(at) };
}

void binding_hint_of(const struct sdp_media *m, struct stream_hint *ret)
{
	memset(ret, 0, sizeof *ret);
	ret->signalled = true;
	ret->ptime_ms = m->ptime_ms;
	ret->secure = m->secure;
	ret->keyed = m->rare->crypto_key_count > 0;
	for (unsigned i = 0; i < m->format_count; i++) {
		const struct sdp_format *f = &m->formats[i];

		if (f->pt > 127)
			continue;
		ret->clock_hz[f->pt] = f->clock_hz;
		ret->codec[f->pt] = f->codec;
		if (span_equal_nocase(f->codec, SPAN("telephone-event")) && ret->event_count < 4)
			ret->event_pt[ret->event_count++] = f->pt;
		if (span_equal_nocase(f->codec, SPAN("CN")) && ret->comfort_count < 2)
			ret->comfort_pt[ret->comfort_count++] = f->pt;
	}
}

/* Adds the types that only the other end has named: senders use the receiver's numbers, not all of them do. */
static void hint_merge(struct stream_hint *to, const struct sdp_media *m)
{
	struct stream_hint more;

	binding_hint_of(m, &more);
	to->keyed |= more.keyed;
	for (unsigned pt = 0; pt < 128; pt++) {
		if (to->clock_hz[pt] || !more.clock_hz[pt])
			continue;
		to->clock_hz[pt] = more.clock_hz[pt];
		to->codec[pt] = more.codec[pt];
	}
	for (unsigned i = 0; i < more.event_count && to->event_count < 4; i++)
		to->event_pt[to->event_count++] = more.event_pt[i];
}

bool binding_hint(void *context, const struct packet *p, struct stream_hint *ret)
{
	const struct sdp_media *to = binding_announced(context, &p->dst), *from = binding_announced(context, &p->src);

	if (!to && !from)
		return false;
	binding_hint_of(to ? to : from, ret);
	if (to && from)
		hint_merge(ret, from);
	return true;
}

/* ---- binding ---- */

static void attach(struct direction *d, struct stream *s)
{
	for (unsigned i = 0; i < d->stream_count; i++) {
		if (d->streams[i] == s)
			return;
	}
	if (d->stream_count == d->stream_room) {
		const struct stream **more;

		d->stream_room = d->stream_room ? d->stream_room * 2 : 4;
		more = arena_zalloc(d->slot->dialog->leg->arena, d->stream_room * sizeof *more);
		if (d->stream_count)
			memcpy(more, d->streams, d->stream_count * sizeof *more);
		d->streams = more;
	}
	d->streams[d->stream_count++] = s;
}

void binding_bind(struct stream *s, struct direction *d, enum rule rule)
{
	if (!s->direction) {
		s->direction = d;
		s->bound_by = (uint8_t)rule;
	}
	attach(d, s);
}

/* B7: seen again behind a NAT or a relay of the same leg; of another leg it is that leg's own stream. */
static void bind_twin(struct stream *s)
{
	const struct stream *first = s->twin_of;

	if (first && first->direction && s->twin_kind == TWIN_NAT)
		binding_bind(s, (struct direction *)(uintptr_t)first->direction, B7);
}

/* B6: the destination under its other name. */
static bool bind_mapped(const struct binding *b, struct stream *s, const struct network *network)
{
	struct endpoint other;
	unsigned weight;

	if (network_private_of(network, &s->dst, true, &other, &weight) && binding_by_address(b, s, &other, true))
		return true;
	return network_public_of(network, &s->dst, true, &other, &weight) && binding_by_address(b, s, &other, true);
}

/* B6 of TURN: what its client gets was sent to the address that the server has lent it, and that stands in SDP. */
static bool bind_relayed(const struct binding *b, struct stream *s, const struct network *network)
{
	const struct allocation *a = turns_of(network_turns(network), &s->dst, s->first_ns);

	return a && address_known(&a->relayed.addr) && binding_by_address(b, s, &a->relayed, true);
}

static void bind_all_relayed(const struct binding *b, const struct list *streams, const struct network *network)
{
	bool back = false;

	LIST_EACH(it, streams) {
		struct stream *s = binding_stream(it);

		if (s->relayed && !s->direction && !s->ambiguous && bind_relayed(b, s, network))
			back |= s->channelled;
	}
	if (back)
		binding_reverses(streams);
}

/* ---- all of them ---- */

void binding_release(const struct list *streams, const struct list *legs)
{
	LIST_EACH(it, streams) {
		struct stream *s = binding_stream(it);

		s->direction = NULL;
		s->bound_by = B0;
		s->ambiguous = false;
	}
	LIST_EACH(it, legs) {
		LIST_EACH(dit, &LIST_ENTRY(it, struct leg, in_order)->dialogs) {
			struct dialog *d = LIST_ENTRY(dit, struct dialog, in_leg);

			for (unsigned i = 0; i < d->mslot_count; i++) {
				d->mslots[i].direction[0].stream_count = d->mslots[i].direction[1].stream_count = 0;
				d->mslots[i].direction[0].ambiguous = d->mslots[i].direction[1].ambiguous = false;
				d->mslots[i].media_elsewhere[0] = d->mslots[i].media_elsewhere[1] = false;
			}
		}
	}
}

static int place_compare(const void *a, const void *b)
{
	const struct place *x = *(struct place *const *)a, *y = *(struct place *const *)b;

	if (x->message->at.at_ns != y->message->at.at_ns)
		return x->message->at.at_ns < y->message->at.at_ns ? -1 : 1;
	return x->leg->n < y->leg->n ? -1 : x->leg->n > y->leg->n;
}

/* A leg's end, with room for tails; one that has none goes on. */
static int64_t leg_end(const struct leg *leg)
{
	return leg->end_ns == NS_NONE ? INT64_MAX : ns_add(leg->end_ns, MINUTE_NS);
}

void binding_order_sort(struct spot_order *o)
{
	int64_t latest = INT64_MIN;

	sort(o->at, o->count, sizeof o->at[0], place_compare);
	for (unsigned i = 0; i < o->count; i++) {
		int64_t end_ns = leg_end(o->at[i].place->leg);

		latest = end_ns > latest ? end_ns : latest;
		o->at[i].latest_end_ns = latest;
	}
	o->sorted = true;
}

static void order_make(const struct binding *b, struct spot *s)
{
	struct spot_order *o = memory_resize(s->order, 1, sizeof *o + s->places.count * sizeof o->at[0]);

	s->order = o;
	s->asked = b->settled;
	o->count = 0;
	LIST_EACH(it, &s->places)
		o->at[o->count++].place = binding_place(it);
	binding_order_sort(o);
}

const struct spot_order *binding_order(const struct binding *b, const struct endpoint *at)
{
	struct spot *s = spot_at(b, at);

	if (s && s->asked != b->settled)
		order_make(b, s);
	return s ? s->order : NULL;
}

unsigned binding_order_begin(const struct spot_order *o, const struct stream *s)
{
	unsigned low = 0, high = o->count;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;

		if (o->at[middle].place->message->at.at_ns <= s->last_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int64_t begin_of(const struct list *streams, const struct list *legs)
{
	int64_t begin_ns = INT64_MAX;

	LIST_EACH(it, streams)
		begin_ns = binding_stream(it)->first_ns < begin_ns ? binding_stream(it)->first_ns : begin_ns;
	LIST_EACH(it, legs) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

		begin_ns = leg->first_ns < begin_ns ? leg->first_ns : begin_ns;
	}
	return begin_ns;
}

/*
 * True: a stream to a wrong port (B8) waits. The TURN server's address in a channel is neither the sender's nor the
 * receiver's.
 */
static bool bind_each_weakly(const struct binding *b, const struct weak_spots *spots, const struct list *streams,
	bool turns_wait, bool *by_port)
{
	bool waits = false;

	LIST_EACH(it, streams) {
		struct stream *s = binding_stream(it);

		if (s->direction || s->ambiguous || s->multicast || s->channelled)
			continue;
		waits |= binding_weakly(b, spots, s, turns_wait);
		*by_port |= s->bound_by == B9;
	}
	return waits;
}

static bool any_unbound(const struct list *streams)
{
	LIST_EACH(it, streams) {
		const struct stream *s = binding_stream(it);

		if (!s->direction && !s->ambiguous && !s->multicast && !s->channelled)
			return true;
	}
	return false;
}

/* What goes to a wrong port may go to where audio comes from that is bound by its port alone (B5 before B8). */
static void bind_all_weakly(const struct binding *b, const struct list *streams, const struct list *legs, bool mapped)
{
	struct weak_spots *spots = any_unbound(streams) ? weak_spots_new(legs) : NULL;
	bool by_port = false;

	if (spots && bind_each_weakly(b, spots, streams, true, &by_port)) {
		if (by_port)
			binding_reverses(streams);
		bind_each_weakly(b, spots, streams, false, &by_port);
	}
	weak_spots_free(spots);
	if (!by_port && !mapped)
		return;
	binding_alike(streams);
	binding_reverses(streams);
	binding_turns(streams);
}

void binding_settle(struct binding *b, const struct list *streams, const struct list *legs,
	const struct network *network)
{
	bool mapped = false;

	if (b->bound)
		binding_release(streams, legs);
	b->bound = streams->count > 0;
	if (!b->bound)
		return;
	b->begin_ns = begin_of(streams, legs);
	b->vlans = network ? network_vlans(network) : NULL;
	b->settled++;
	LIST_EACH(it, streams)
		binding_by_address(b, binding_stream(it), &binding_stream(it)->dst, false);
	binding_reverses(streams);
	bind_all_relayed(b, streams, network);
	LIST_EACH(it, streams) {
		struct stream *s = binding_stream(it);

		if (!s->direction && !s->ambiguous)
			mapped |= bind_mapped(b, s, network);
	}
	LIST_EACH(it, streams) {
		if (!binding_stream(it)->direction)
			bind_twin(binding_stream(it));
	}
	if (mapped || any_unbound(streams)) {
		binding_alike(streams);
		binding_reverses(streams);
	}
	bind_all_weakly(b, streams, legs, mapped);
	binding_part_next(legs);
}
