/* SPDX-License-Identifier: MIT */
/*
 * binding: streams to directions. Each address in SDP is found by (address, port), by address alone and by port alone.
 */
#include "analyzer/media/binding.h"

#include <stdlib.h>

#include "captures/base/memory.h"

enum rule { B0, B1, B2, B3, B4, B5, B6, B7, B8, B9, B10 };

#define EARLY_MEDIA_NS (2 * SECOND_NS)       /* media may precede its SDP by so much (two capture cards, forked proxies) */
#define START_LATE_NS (5 * SECOND_NS)

enum spot_kind { SPOT_EXACT, SPOT_ADDRESS, SPOT_PORT, SPOT_KINDS };

/* A place in SDP: this side of that leg wants medium number mline here. */
struct place {
	struct list_link of_leg;     /* leg.places */
	struct { struct list_link link; struct spot *spot; } in[SPOT_KINDS];
	struct endpoint at;
	const struct message *message;     /* the first that named it */
	const struct message *latest;
	struct leg *leg;
	unsigned mline;
	enum side side;              /* whose address: the receiver of what is sent there */
	bool candidate;              /* from a=candidate */
};

/* All places of one address and port, of one address (port 0), or of one port (no address). */
struct spot {
	struct hash_link link;
	struct list_link in_order;
	struct endpoint at;
	enum spot_kind kind;
	struct list places;          /* place.in[kind], as they were announced */
	struct place **sorted;       /* by their messages; made by binding_settle() */
	int64_t *latest_end_ns;      /* of sorted[0..i]: when the last of their legs ends */
	unsigned count;              /* of those */
};

struct binding {
	struct hash spots;
	struct list in_order;        /* spots */
};

enum { PLACE_LOOK_BACK = 16 };

struct binding *binding_new(void)
{
	struct binding *b = memory_zalloc(sizeof *b);

	hash_init(&b->spots);
	list_init(&b->in_order);
	return b;
}

static struct place *place_in(struct list_link *it, enum spot_kind kind)
{
	return (struct place *)((char *)it - offsetof(struct place, in) - kind * sizeof((struct place *)0)->in[0]);
}

static void spot_free(struct binding *b, struct spot *s)
{
	hash_remove(&b->spots, &s->link);
	list_remove(&b->in_order, &s->in_order);
	free(s->sorted);
	free(s->latest_end_ns);
	free(s);
}

static void place_free(struct binding *b, struct place *p)
{
	for (unsigned kind = 0; kind < SPOT_KINDS; kind++) {
		struct spot *s = p->in[kind].spot;

		list_remove(&s->places, &p->in[kind].link);
		s->count = 0;                /* what was sorted names it: until binding_settle() sorts anew */
		if (list_empty(&s->places))
			spot_free(b, s);
	}
	list_remove(&p->leg->places, &p->of_leg);
	free(p);
}

/* Legs may be gone already: their lists are left alone. */
void binding_free(struct binding *b)
{
	if (!b)
		return;
	LIST_EACH_SAFE(it, &b->in_order) {
		struct spot *s = LIST_ENTRY(it, struct spot, in_order);

		if (s->kind == SPOT_PORT) {      /* each place stands in one of these */
			LIST_EACH_SAFE(pit, &s->places)
				free(place_in(pit, SPOT_PORT));
		}
		free(s->sorted);
		free(s->latest_end_ns);
		free(s);
	}
	hash_fini(&b->spots);
	free(b);
}

void binding_forget(struct binding *b, struct leg *leg)
{
	while (leg->places.count)
		place_free(b, LIST_ENTRY(leg->places.head.next, struct place, of_leg));
}

/* ---- learning ---- */

static struct spot *spot_find(const struct binding *b, const struct endpoint *at)
{
	uint32_t hash = endpoint_hash(at);

	for (struct hash_link *it = hash_first(&b->spots, hash); it; it = it->next) {
		struct spot *s = HASH_ENTRY(it, struct spot, link);

		if (it->hash == hash && endpoint_equal(&s->at, at))
			return s;
	}
	return NULL;
}

static void spot_add(struct binding *b, const struct endpoint *at, struct place *p, enum spot_kind kind)
{
	struct spot *s = spot_find(b, at);

	if (!s) {
		s = memory_zalloc(sizeof *s);
		s->at = *at;
		s->kind = kind;
		list_init(&s->places);
		hash_add(&b->spots, &s->link, endpoint_hash(at));
		list_add_tail(&b->in_order, &s->in_order);
	}
	p->in[kind].spot = s;
	list_add_tail(&s->places, &p->in[kind].link);
}

static struct endpoint whole_address(const struct endpoint *at)
{
	return (struct endpoint){ at->addr, 0 };
}

static struct endpoint port_alone(const struct endpoint *at)
{
	return (struct endpoint){ .port = at->port };
}

/* Copies and next hops of a message come soon after it: a short look back finds them. */
static struct place *place_known(const struct binding *b, const struct endpoint *at, const struct leg *leg,
	unsigned mline, enum side side)
{
	const struct spot *s = spot_find(b, at);
	unsigned looked = 0;

	for (struct list_link *it = s ? s->places.head.prev : NULL;
	    it && it != &s->places.head && looked < PLACE_LOOK_BACK; it = it->prev, looked++) {
		struct place *p = place_in(it, SPOT_EXACT);

		if (p->leg == leg && p->mline == mline && p->side == side)
			return p;
	}
	return NULL;
}

static void place_add(struct binding *b, const struct endpoint *at, const struct message *m, unsigned mline,
	bool candidate)
{
	struct endpoint address = whole_address(at), port = port_alone(at);
	struct place *p;

	if (!address_known(&at->addr) || address_unspecified(&at->addr) || at->port == 0)
		return;
	p = place_known(b, at, m->leg, mline, m->by);
	if (p) {
		p->latest = m;
		return;
	}
	p = memory_zalloc(sizeof *p);
	*p = (struct place){ .at = *at, .message = m, .latest = m, .leg = m->leg, .mline = mline, .side = m->by,
		.candidate = candidate };
	spot_add(b, at, p, SPOT_EXACT);
	spot_add(b, &address, p, SPOT_ADDRESS);
	spot_add(b, &port, p, SPOT_PORT);
	list_add_tail(&m->leg->places, &p->of_leg);
}

void binding_announce(struct binding *b, const struct message *m)
{
	for (unsigned i = 0; m->sdp && i < m->sdp->media_count; i++) {
		const struct sdp_media *media = &m->sdp->media[i];

		if (!media->rtp)
			continue;
		place_add(b, &media->at, m, i, false);
		for (unsigned k = 0; k < media->candidate_count; k++) {
			if (media->candidates[k].udp && media->candidates[k].component == 1)
				place_add(b, &media->candidates[k].at, m, i, true);
		}
	}
}

static const struct place *place_latest(const struct binding *b, const struct endpoint *at)
{
	const struct spot *s = spot_find(b, at);

	return s ? place_in(s->places.head.prev, s->kind) : NULL;
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

void binding_hint_of(const struct sdp_media *m, struct stream_hint *ret)
{
	memset(ret, 0, sizeof *ret);
	ret->signalled = true;
	ret->ptime_ms = m->ptime_ms;
	ret->secure = m->secure;
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

/* ---- candidates ---- */

struct candidate {
	struct direction *direction;
	enum rule rule;
	unsigned source_rank;        /* 3 the SDP source exactly, 2 its address, 1 the signalling address, 0 another */
	/* one of its own session descriptions names the address: other branches of a fork do not */
	bool names;
	/*
	 * its payload types stand in the description: media bundled on one port are told apart by them (RFC 9143 9.2)
	 */
	bool pt_agreed;
	int64_t from_ns, to_ns;      /* life of the direction */
};

struct candidates {
	struct candidate *list;
	unsigned count, room;
};

static int64_t direction_from(const struct direction *d)
{
	return d->window_count ? d->windows[0].on_ns : NS_NONE;
}

static int64_t direction_to(const struct direction *d)
{
	const struct window *last = d->window_count ? &d->windows[d->window_count - 1] : NULL;

	return last && last->state == EXPECT_ENDED ? last->on_ns : INT64_MAX;
}

static bool overlaps(const struct stream *s, const struct direction *d)
{
	return d->window_count && s->last_ns >= direction_from(d) && s->first_ns <= direction_to(d);
}

static unsigned source_rank(const struct stream *s, const struct direction *d)
{
	const struct party *sender = &d->slot->dialog->leg->party[d->sender];
	unsigned rank = 0;

	for (unsigned i = 0; i < d->window_count; i++) {
		for (unsigned k = 0; k < d->windows[i].source_count; k++) {
			const struct endpoint *at = &d->windows[i].sources[k].at;

			if (endpoint_equal(at, &s->src))
				return 3;
			if (address_equal(&at->addr, &s->src.addr))
				rank = 2;
		}
	}
	return rank == 0 && address_equal(&sender->signalling.addr, &s->src.addr) ? 1 : rank;
}

static bool names_ssrc(const struct direction *d, uint32_t ssrc)
{
	for (unsigned i = 0; i < d->window_count; i++) {
		const struct sdp_media *m = d->windows[i].sender;

		for (unsigned k = 0; m && k < m->ssrc_count; k++) {
			if (m->ssrcs[k] == ssrc)
				return true;
		}
	}
	return false;
}

static bool pt_agreed(const struct stream *s, const struct direction *d)
{
	bool receivers;

	for (unsigned i = 0; i < d->window_count; i++) {
		for (unsigned k = 0; k < s->pt_count; k++) {
			if (window_format(&d->windows[i], s->pts[k], &receivers))
				return true;
		}
	}
	return false;
}

static bool names_target(const struct direction *d, const struct endpoint *at)
{
	for (unsigned i = 0; i < d->window_count; i++) {
		if (window_has_target(&d->windows[i], at))
			return true;
	}
	return false;
}

static void candidates_add(struct candidates *c, const struct stream *s, struct direction *d, const struct endpoint *at,
	enum rule rule, unsigned rank)
{
	for (unsigned i = c->count, looked = 0; i-- > 0 && looked < PLACE_LOOK_BACK; looked++) {
		if (c->list[i].direction == d) {
			if (rule < c->list[i].rule)
				c->list[i].rule = rule;
			return;
		}
	}
	if (c->count == c->room) {
		c->room = c->room ? c->room * 2 : 8;
		c->list = memory_resize(c->list, c->room, sizeof *c->list);
	}
	c->list[c->count++] = (struct candidate){ d, rule, rank, names_target(d, at), pt_agreed(s, d),
		direction_from(d), direction_to(d) };
}

/* Places whose message is no later than the stream's end begin below this index. */
static unsigned spot_begin(const struct spot *spot, const struct stream *s)
{
	unsigned low = 0, high = spot ? spot->count : 0;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;

		if (spot->sorted[middle]->message->at.at_ns <= s->last_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Directions whose receiver has named this address, of all dialogs of the leg. */
static void gather_at(const struct binding *b, const struct stream *s, const struct endpoint *at, bool mapped,
	struct candidates *c)
{
	const struct spot *spot = spot_find(b, at);

	for (unsigned i = spot_begin(spot, s); i-- > 0 && spot->latest_end_ns[i] >= s->first_ns;) {
		const struct place *p = spot->sorted[i];

		LIST_EACH(dit, &p->leg->dialogs) {
			struct dialog *dialog = LIST_ENTRY(dit, struct dialog, in_leg);
			struct direction *d;
			unsigned rank;

			if (p->mline >= dialog->mslot_count)
				continue;
			d = &dialog->mslots[p->mline].direction[side_other(p->side)];
			if (!overlaps(s, d))
				continue;
			rank = source_rank(s, d);
			if (mapped)
				candidates_add(c, s, d, at, B6, rank);
			else if (p->candidate && rank < 3)
				candidates_add(c, s, d, at, B2, rank);
			else
				candidates_add(c, s, d, at, rank == 3 ? B1 : names_ssrc(d, s->ssrc) ? B3 : B4, rank);
		}
	}
}

/* Two dialogs of one leg (a fork) or two legs of one call never compete: nobody is blamed for either. */
static bool same_call(const struct direction *a, const struct direction *b)
{
	return a->slot->dialog->leg->call == b->slot->dialog->leg->call;
}

/* The branch of a fork that was answered, for a stream that lives on when those of the others are over; else NULL. */
static const struct dialog *answered_branch(const struct candidate *a, const struct candidate *b,
	const struct stream *s)
{
	const struct leg *leg = a->direction->slot->dialog->leg;

	if (leg != b->direction->slot->dialog->leg || a->direction->slot->dialog == b->direction->slot->dialog)
		return NULL;
	return leg->answer_ns != NS_NONE && s->last_ns > ns_add(leg->answer_ns, EARLY_MEDIA_NS) ? leg->confirmed : NULL;
}

/*
 * Is a the better home? By rule of exact before strong, then a direction that lives when the stream begins, then the
 * source, then the newest: a port used again belongs to the newest call, a stream that began before it to the call
 * before.
 */
static int candidate_compare(const struct candidate *a, const struct candidate *b, const struct stream *s)
{
	bool a_lives = s->first_ns >= a->from_ns - EARLY_MEDIA_NS && s->first_ns <= a->to_ns;
	bool b_lives = s->first_ns >= b->from_ns - EARLY_MEDIA_NS && s->first_ns <= b->to_ns;
	const struct dialog *branch = answered_branch(a, b, s);

	if (a->direction->slot->dialog->leg == b->direction->slot->dialog->leg && a->names != b->names)
		return a->names ? -1 : 1;
	if (a_lives != b_lives)
		return a_lives ? -1 : 1;
	if (a->direction->slot->dialog == b->direction->slot->dialog && a->pt_agreed != b->pt_agreed)
		return a->pt_agreed ? -1 : 1;
	if (a->source_rank != b->source_rank)
		return a->source_rank > b->source_rank ? -1 : 1;
	if (a->rule != b->rule)
		return a->rule < b->rule ? -1 : 1;
	if (branch && (a->direction->slot->dialog == branch) != (b->direction->slot->dialog == branch))
		return a->direction->slot->dialog == branch ? -1 : 1;
	if (a->direction->slot->dialog->leg != b->direction->slot->dialog->leg && same_call(a->direction, b->direction))
		return a->direction->slot->dialog->leg->n < b->direction->slot->dialog->leg->n ? -1 : 1;
	if (a->from_ns != b->from_ns) {
		if (a_lives)
			return a->from_ns > b->from_ns ? -1 : 1;
		return a->from_ns < b->from_ns ? -1 : 1;
	}
	return 0;
}

static bool both_live(const struct candidate *a, const struct candidate *b, const struct stream *s)
{
	int64_t from_ns = a->from_ns > b->from_ns ? a->from_ns : b->from_ns,
		to_ns = a->to_ns < b->to_ns ? a->to_ns : b->to_ns;

	return from_ns < to_ns && s->first_ns <= to_ns && s->last_ns >= from_ns;
}

/* The best candidate, or NULL where two of different legs are equally good: both are marked ambiguous then. */
static struct candidate *choose(struct candidates *c, const struct stream *s, bool *ret_tied)
{
	struct candidate *best = NULL;

	*ret_tied = false;
	for (unsigned i = 0; i < c->count; i++) {
		if (!best || candidate_compare(&c->list[i], best, s) < 0)
			best = &c->list[i];
	}
	for (unsigned i = 0; best && i < c->count; i++) {
		struct candidate *other = &c->list[i];

		if (other == best || same_call(other->direction, best->direction) || !both_live(other, best, s))
			continue;
		if (other->source_rank != best->source_rank || (other->rule != best->rule && best->rule <= B3))
			continue;
		other->direction->ambiguous = best->direction->ambiguous = true;
		*ret_tied = true;
	}
	return *ret_tied ? NULL : best;
}

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

static void bind(struct stream *s, struct direction *d, enum rule rule)
{
	if (!s->direction) {
		s->direction = d;
		s->bound_by = (uint8_t)rule;
	}
	attach(d, s);
}

/*
 * A sender that keeps its port and SSRC from call to call (gateways, load generators): the later calls get the stream
 * too, for the time in which they live, but not for a tail of two seconds or a handful of packets.
 */
static void bind_later_calls(struct candidates *c, struct stream *s, const struct candidate *first)
{
	for (unsigned i = 0; i < c->count; i++) {
		struct candidate *other = &c->list[i];

		if (other == first || other->from_ns < first->from_ns || both_live(other, first, s) ||
		    other->source_rank < first->source_rank)
			continue;
		if (stream_packets_between(s, ns_add(other->from_ns, EARLY_MEDIA_NS), other->to_ns) >= 5)
			bind(s, other->direction, other->rule);
	}
}

/* Direct media: a B2BUA has passed the addresses on, so that several legs of the call promise the same audio. */
static void bind_other_legs(struct candidates *c, struct stream *s, const struct candidate *first)
{
	for (unsigned i = 0; i < c->count; i++) {
		struct candidate *other = &c->list[i];

		if (other != first && other->direction->slot->dialog->leg != first->direction->slot->dialog->leg &&
		    same_call(other->direction, first->direction) && both_live(other, first, s))
			bind(s, other->direction, other->rule);
	}
}

static bool bind_by_address(const struct binding *b, struct stream *s, const struct endpoint *at, bool mapped)
{
	struct candidates c = { .list = NULL };
	struct candidate *best;
	bool tied;

	gather_at(b, s, at, mapped, &c);
	best = choose(&c, s, &tied);
	s->ambiguous |= tied;
	if (best) {
		bind(s, best->direction, best->rule);
		bind_other_legs(&c, s, best);
		bind_later_calls(&c, s, best);
	}
	free(c.list);
	return best || tied;
}

/* ---- the weaker rules ---- */

static struct stream *stream_of(struct list_link *it)
{
	return LIST_ENTRY(it, struct stream, in_order);
}

struct flow {                        /* a stream by its two ends */
	struct hash_link link;
	const struct stream *stream;
};

/* B5: the exact reverse of a stream that is bound by B1 to B4. */
static void bind_reverse(struct stream *s, const struct hash *flows)
{
	const struct endpoint *src = &s->src, *dst = &s->dst;
	uint32_t hash = (uint32_t)hash_mix(endpoint_hash(dst), endpoint_hash(src));

	for (struct hash_link *it = hash_first(flows, hash); it && !s->direction; it = it->next) {
		const struct stream *other = HASH_ENTRY(it, struct flow, link)->stream;
		struct direction *back;

		if (it->hash != hash || !other->direction || other->bound_by > B4 ||
		    !endpoint_equal(&other->src, dst) || !endpoint_equal(&other->dst, src))
			continue;
		back = &other->direction->slot->direction[side_other(other->direction->sender)];
		if (overlaps(s, back))
			bind(s, back, B5);
	}
}

static bool pt_fits(const struct stream *s, const struct window *w)
{
	bool receivers;

	for (unsigned i = 0; i < s->pt_count; i++) {
		if (window_format(w, s->pts[i], &receivers))
			return true;
	}
	return false;
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
		    s->first_ns <= ns_add(w->on_ns, START_LATE_NS) && pt_fits(s, w))
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

static struct direction *place_direction(const struct place *p, const struct stream *s, struct dialog *dialog)
{
	struct direction *d;

	if (p->candidate || p->mline >= dialog->mslot_count)
		return NULL;
	d = &dialog->mslots[p->mline].direction[side_other(p->side)];
	return overlaps(s, d) && !has_exact_stream(d) && fits_start(s, d) ? d : NULL;
}

/* B8: right host, wrong port, from the right host. */
static void gather_wrong_port(const struct binding *b, const struct stream *s, struct weak *w)
{
	struct endpoint address = whole_address(&s->dst);
	const struct spot *spot = spot_find(b, &address);

	for (unsigned i = spot_begin(spot, s); i-- > 0 && spot->latest_end_ns[i] >= s->first_ns;) {
		const struct place *p = spot->sorted[i];

		LIST_EACH(dit, &p->leg->dialogs) {
			struct direction *d = place_direction(p, s, LIST_ENTRY(dit, struct dialog, in_leg));

			if (d && source_rank(s, d) > 0)
				weak_add(w, d);
		}
	}
}

/* B9: right port, an address that no map knows. */
static void gather_same_port(const struct binding *b, const struct stream *s, struct weak *w)
{
	struct endpoint port = port_alone(&s->dst);
	const struct spot *spot = spot_find(b, &port);

	for (unsigned i = spot_begin(spot, s); i-- > 0 && spot->latest_end_ns[i] >= s->first_ns;) {
		const struct place *p = spot->sorted[i];

		LIST_EACH(dit, &p->leg->dialogs) {
			struct direction *d = place_direction(p, s, LIST_ENTRY(dit, struct dialog, in_leg));

			if (d)
				weak_add(w, d);
		}
	}
}

/* B10: only the sender's address and the time fit. It may keep an absence from being claimed, it proves nothing. */
static void gather_sender(const struct binding *b, const struct stream *s, struct weak *w)
{
	struct endpoint address = whole_address(&s->src);
	const struct spot *spot = spot_find(b, &address);

	for (unsigned i = spot_begin(spot, s); i-- > 0 && spot->latest_end_ns[i] >= s->first_ns;) {
		const struct place *p = spot->sorted[i];

		LIST_EACH(dit, &p->leg->dialogs) {
			struct dialog *dialog = LIST_ENTRY(dit, struct dialog, in_leg);
			struct direction *d = p->mline < dialog->mslot_count
				? &dialog->mslots[p->mline].direction[p->side] : NULL;

			if (d && overlaps(s, d) && !has_exact_stream(d) && fits_start(s, d))
				weak_add(w, d);
		}
	}
}

static void bind_weakly(const struct binding *b, struct stream *s)
{
	static const struct { enum rule rule; void (*gather)(const struct binding *, const struct stream *,
		struct weak *); } rules[] = {
		{ B8, gather_wrong_port }, { B9, gather_same_port }, { B10, gather_sender },
	};

	for (size_t i = 0; i < sizeof rules / sizeof rules[0] && !s->direction; i++) {
		struct weak w = { NULL, 0 };

		rules[i].gather(b, s, &w);
		if (w.count == 1)
			bind(s, w.direction, rules[i].rule);
	}
}

/* B6: the destination under its other name. */
static void bind_mapped(const struct binding *b, struct stream *s, const struct network *network)
{
	struct endpoint other;
	unsigned weight;

	if (network_private_of(network, &s->dst, true, &other, &weight) && bind_by_address(b, s, &other, true))
		return;
	if (network_public_of(network, &s->dst, true, &other, &weight))
		bind_by_address(b, s, &other, true);
}

/* ---- all of them ---- */

void binding_release(const struct list *streams, const struct list *legs)
{
	LIST_EACH(it, streams) {
		struct stream *s = stream_of(it);

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
			}
		}
	}
}

static void bind_reverses(const struct list *streams)
{
	struct flow *flows = memory_zalloc((streams->count + 1) * sizeof *flows);
	struct hash table;
	size_t n = 0;

	hash_init(&table);
	LIST_EACH(it, streams) {
		const struct stream *s = stream_of(it);

		flows[n].stream = s;
		hash_add(&table, &flows[n++].link, (uint32_t)hash_mix(endpoint_hash(&s->src), endpoint_hash(&s->dst)));
	}
	LIST_EACH(it, streams) {
		if (!stream_of(it)->direction && !stream_of(it)->ambiguous)
			bind_reverse(stream_of(it), &table);
	}
	hash_fini(&table);
	free(flows);
}

/* B7: seen again behind a NAT or a relay of the same leg; of another leg it is that leg's own stream. */
static void bind_twin(struct stream *s)
{
	const struct stream *first = s->twin_of;

	if (first && first->direction && s->twin_kind == TWIN_NAT)
		bind(s, (struct direction *)(uintptr_t)first->direction, B7);
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

static void spot_settle(struct spot *s)
{
	int64_t latest = INT64_MIN;

	s->count = 0;
	s->sorted = memory_resize(s->sorted, s->places.count, sizeof(struct place *));
	s->latest_end_ns = memory_resize(s->latest_end_ns, s->places.count, sizeof *s->latest_end_ns);
	LIST_EACH(it, &s->places)
		s->sorted[s->count++] = place_in(it, s->kind);
	qsort(s->sorted, s->count, sizeof(struct place *), place_compare);
	for (unsigned i = 0; i < s->count; i++) {
		int64_t end_ns = leg_end(s->sorted[i]->leg);

		latest = end_ns > latest ? end_ns : latest;
		s->latest_end_ns[i] = latest;
	}
}

void binding_settle(struct binding *b, const struct list *streams, const struct list *legs,
	const struct network *network)
{
	binding_release(streams, legs);
	LIST_EACH(it, &b->in_order)
		spot_settle(LIST_ENTRY(it, struct spot, in_order));
	LIST_EACH(it, streams)
		bind_by_address(b, stream_of(it), &stream_of(it)->dst, false);
	bind_reverses(streams);
	LIST_EACH(it, streams) {
		if (!stream_of(it)->direction && !stream_of(it)->ambiguous)
			bind_mapped(b, stream_of(it), network);
	}
	LIST_EACH(it, streams) {
		if (!stream_of(it)->direction)
			bind_twin(stream_of(it));
	}
	LIST_EACH(it, streams) {
		if (!stream_of(it)->direction && !stream_of(it)->ambiguous && !stream_of(it)->multicast)
			bind_weakly(b, stream_of(it));
	}
}
