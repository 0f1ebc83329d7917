/* SPDX-License-Identifier: MIT */
/* hearing_elsewhere: two legs of a call promise one audio (direct media, a session passed on); on which of them it is judged. */
#include "analyzer/detect/hearing_parts.h"
#include "analyzer/detect/one_way.h"

static bool same_promise(const struct window *a, const struct window *b)
{
	return a->target_count && b->target_count && a->source_count && b->source_count &&
	       endpoint_equal(&a->targets[0].at, &b->targets[0].at) &&
	       endpoint_equal(&a->sources[0].at, &b->sources[0].at) && (a->off_ns == NS_NONE || b->on_ns < a->off_ns) &&
	       (b->off_ns == NS_NONE || a->on_ns < b->off_ns);
}

/*
 * Direct media: an earlier leg has moved the audio of that sender on to another port of the receiver; this one still
 * promises it at the old one.
 */
static bool moved_since(const struct direction *same, const struct window *now, const struct window *w)
{
	if (!w->target_count || !now->target_count || !w->source_count || !now->source_count ||
	    !endpoint_equal(&now->sources[0].at, &w->sources[0].at) ||
	    !address_equal(&now->targets[0].at.addr, &w->targets[0].at.addr) ||
	    window_has_target(now, &w->targets[0].at) ||
	    (w->off_ns != NS_NONE && w->off_ns <= now->on_ns) || (now->off_ns != NS_NONE && now->off_ns <= w->on_ns))
		return false;
	for (const struct window *before = now; before-- > same->windows;) {
		if (window_has_target(before, &w->targets[0].at))
			return true;
	}
	return false;
}

static bool promises_same(const struct direction *d, const struct window *w)
{
	for (unsigned i = 0; i < d->window_count; i++) {
		const struct window *x = &d->windows[i];

		if (x->state == EXPECT_DUE && (same_promise(x, w) || moved_since(d, x, w)))
			return true;
	}
	return false;
}

static bool obeyed(const struct direction *d, const struct window *w)
{
	int64_t until_ns = w->off_ns == NS_NONE ? INT64_MAX : w->off_ns;

	for (unsigned i = 0; i < d->stream_count; i++) {
		const struct stream *s = d->streams[i];

		if (window_has_target(w, &s->dst) &&
		    stream_packets_between(s, w->on_ns, s->last_ns < until_ns ? s->last_ns : until_ns) >= ALIVE_PACKETS)
			return true;
	}
	return false;
}

/* What the sender was told on this leg to send elsewhere goes on, and for good, to where this leg had it before. */
static bool disobeyed(const struct direction *d, const struct window *w)
{
	int64_t later_ns = ns_add(w->on_ns, 2 * SECOND_NS);

	if ((w->off_ns != NS_NONE && w->off_ns <= later_ns) || obeyed(d, w))
		return false;
	for (unsigned i = 0; w->moved && w->source_count && i < d->stream_count; i++) {
		const struct stream *s = d->streams[i];
		int64_t until_ns = w->off_ns != NS_NONE && w->off_ns < s->last_ns ? w->off_ns : s->last_ns;

		if (endpoint_equal(&s->src, &w->sources[0].at) && !window_has_target(w, &s->dst) &&
		    until_ns > later_ns && stream_packets_between(s, later_ns, until_ns) >= ALIVE_PACKETS &&
		    one_way_sent_before(d, w, &s->dst))
			return true;
	}
	return false;
}

/* Of two legs that promise the same audio: the other one's sender was told there, and does otherwise. */
static bool disobeyed_there(const struct direction *there, const struct window *w)
{
	for (unsigned i = 0; i < there->window_count; i++) {
		const struct window *x = &there->windows[i];

		if (x->state == EXPECT_DUE && same_promise(x, w) && disobeyed(there, x))
			return true;
	}
	return false;
}

const struct direction *elsewhere_judged_on(const struct direction *d, const struct window *w)
{
	const struct leg *own = d->slot->dialog->leg;

	if (own->call->legs.count < 2 || disobeyed(d, w))
		return NULL;
	LIST_EACH(it, &own->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);

		for (unsigned i = 0; other != own && other->confirmed && i < other->confirmed->mslot_count; i++) {
			const struct mslot *slot = &other->confirmed->mslots[i];

			for (unsigned side = 0; side < 2; side++) {
				const struct direction *there = &slot->direction[side];

				if (other->n < own->n ? promises_same(there, w) : disobeyed_there(there, w))
					return there;
			}
		}
	}
	return NULL;
}

int hearing_behind(const struct facts *facts, const struct address *a, const struct address *router)
{
	struct endpoint whole = { *a, 0 }, image;
	unsigned weight;

	if (!network_public_of(facts->network, &whole, false, &image, &weight))
		return 0;
	return address_equal(&image.addr, router) ? 1 : -1;
}

/* On this leg, too, nothing arrives where that address was named, and who named it here sits behind that router. */
static bool names_and_fails(const struct facts *facts, const struct direction *d, const struct endpoint *told)
{
	const struct hearing *h = hearing_of(d);

	return h && h->heard == HEARD_NO && h->window && window_has_target(h->window, told) &&
	       hearing_behind(facts, &d->slot->dialog->leg->party[side_other(d->sender)].signalling.addr, &told->addr) > 0;
}

bool hearing_named_on_other_leg(const struct facts *facts, const struct direction *d)
{
	const struct leg *own = d->slot->dialog->leg;
	const struct stream *s = hearing_of(d)->misdirected;

	if (!s || own->call->legs.count < 2 || address_private(&own->party[side_other(d->sender)].signalling.addr) ||
	    hearing_behind(facts, &s->src.addr, &s->dst.addr) <= 0)
		return false;
	LIST_EACH(it, &own->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);

		for (unsigned i = 0; other != own && other->confirmed && i < 2 * other->confirmed->mslot_count; i++) {
			if (names_and_fails(facts, &other->confirmed->mslots[i / 2].direction[i % 2], &s->dst))
				return true;
		}
	}
	return false;
}
