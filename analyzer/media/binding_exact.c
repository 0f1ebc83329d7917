/* SPDX-License-Identifier: MIT */
/* binding_exact: rules B1 to B4 and B6: SDP has named the address to which the stream goes. */
#include <stdlib.h>

#include "analyzer/media/binding_private.h"
#include "captures/base/memory.h"

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
	bool elsewhere;              /* its leg is in another VLAN: binding_in_other_vlan() */
	int64_t from_ns, to_ns;      /* life of the direction */
};

bool binding_in_other_vlan(const struct stream *s, const struct leg *leg)
{
	return s->vlan && leg->vlan && s->vlan != leg->vlan && !leg->vlans_differ &&
	       stream_flaws(s)->copies_other_vlan == 0;
}

bool binding_other_network(const struct binding *b, const struct stream *s, const struct leg *leg)
{
	return binding_in_other_vlan(s, leg) && b->vlans &&
	       (vlan_uses_two_hosts(b->vlans, &s->dst.addr, s->vlan, leg->vlan) ||
		vlan_uses_two_hosts(b->vlans, &s->src.addr, s->vlan, leg->vlan));
}

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

bool binding_overlaps(const struct stream *s, const struct direction *d)
{
	return d->window_count && s->last_ns >= direction_from(d) && s->first_ns <= direction_to(d);
}

unsigned binding_source_rank(const struct stream *s, const struct direction *d)
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

		for (unsigned k = 0; m && k < m->rare->ssrc_count; k++) {
			if (m->rare->ssrcs[k] == ssrc)
				return true;
		}
	}
	return false;
}

bool binding_pt_fits(const struct stream *s, const struct window *w)
{
	bool receivers;

	for (unsigned i = 0; i < s->type_count; i++) {
		if (window_format(w, s->types[i].pt, &receivers))
			return true;
	}
	return false;
}

static bool pt_agreed(const struct stream *s, const struct direction *d)
{
	for (unsigned i = 0; i < d->window_count; i++) {
		if (binding_pt_fits(s, &d->windows[i]))
			return true;
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
		binding_in_other_vlan(s, d->slot->dialog->leg), direction_from(d), direction_to(d) };
}

static void gather_direction(struct direction *d, const struct stream *s, const struct place *p, bool mapped,
	struct candidates *c)
{
	unsigned rank;

	if (!binding_overlaps(s, d))
		return;
	rank = binding_source_rank(s, d);
	if (mapped)
		candidates_add(c, s, d, &p->at, B6, rank);
	else if (p->candidate && rank < 3)
		candidates_add(c, s, d, &p->at, B2, rank);
	else
		candidates_add(c, s, d, &p->at, rank == 3 ? B1 : names_ssrc(d, s->ssrc) ? B3 : B4, rank);
}

/* Behind the m= line that names the address: those that are bundled with it and use it, too. */
static void gather_dialog(struct dialog *dialog, const struct stream *s, const struct place *p, bool mapped,
	struct candidates *c)
{
	if (p->mline >= dialog->mslot_count)
		return;
	gather_direction(&dialog->mslots[p->mline].direction[side_other(p->side)], s, p, mapped, c);
	for (unsigned i = p->mline + 1u; i < dialog->mslot_count; i++) {
		struct direction *d = &dialog->mslots[i].direction[side_other(p->side)];

		if (names_target(d, &p->at))
			gather_direction(d, s, p, mapped, c);
	}
}

/* Directions whose receiver has named this address, of all dialogs of the leg. */
static void gather_at(const struct binding *b, const struct stream *s, const struct endpoint *at, bool mapped,
	struct candidates *c)
{
	const struct spot_order *o = binding_order(b, at);

	for (unsigned i = o ? binding_order_begin(o, s) : 0; i-- > 0 && o->at[i].latest_end_ns >= s->first_ns;) {
		const struct place *p = o->at[i].place;

		if (binding_other_network(b, s, p->leg))
			continue;
		LIST_EACH(dit, &p->leg->dialogs)
			gather_dialog(LIST_ENTRY(dit, struct dialog, in_leg), s, p, mapped, c);
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
	if (a->elsewhere != b->elsewhere)
		return b->elsewhere ? -1 : 1;
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

/*
 * Does one leg end at the host where the other goes on, which has told each party the other's address (RFC 3725)? Then
 * both have agreed on this very flow: audio from A to B is the controller's to get in A's leg, and to send in B's.
 */
static bool goes_on(const struct direction *first, const struct direction *then)
{
	const struct leg *from = first->slot->dialog->leg, *to = then->slot->dialog->leg;
	const struct address *controller = &from->party[side_other(first->sender)].signalling.addr;

	return address_known(controller) && address_equal(controller, &to->party[then->sender].signalling.addr) &&
		!address_equal(controller, &from->party[first->sender].signalling.addr) &&
		!address_equal(controller, &to->party[side_other(then->sender)].signalling.addr);
}

/* Two legs of third party call control, of which both name the flow's both ends. */
static bool is_third_party(const struct candidate *a, const struct candidate *b)
{
	return a->rule == B1 && b->rule == B1 && !same_call(a->direction, b->direction) &&
		(goes_on(a->direction, b->direction) || goes_on(b->direction, a->direction));
}

/* Only the two of them; with a third candidate nobody knows who goes on where. */
static bool is_third_party_pair(const struct candidates *c)
{
	return c->count == 2 && is_third_party(&c->list[0], &c->list[1]);
}

/*
 * Is a the call before, whose BYE is not in the capture? Between two sockets there is one call at a time: its stream
 * had stopped when this one began, which fits the newer call.
 */
static bool is_over_unseen(const struct candidate *a, const struct candidate *newer, const struct stream *s)
{
	const struct direction *d = a->direction;
	const struct stream *last = d->stream_count ? d->streams[d->stream_count - 1] : NULL;

	return last && a->source_rank == 3 && newer->source_rank == 3 && a->from_ns < newer->from_ns &&
	       s->first_ns >= newer->from_ns - EARLY_MEDIA_NS && endpoint_equal(&last->src, &s->src) &&
	       endpoint_equal(&last->dst, &s->dst) && ns_add(last->last_ns, SECOND_NS) <= newer->from_ns;
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
	for (unsigned i = 0; best && !is_third_party_pair(c) && i < c->count; i++) {
		struct candidate *other = &c->list[i];

		if (other == best || same_call(other->direction, best->direction) || !both_live(other, best, s))
			continue;
		if (other->source_rank != best->source_rank || (other->rule != best->rule && best->rule <= B3))
			continue;
		if (is_over_unseen(other, best, s) || other->elsewhere != best->elsewhere)
			continue;
		other->direction->ambiguous = best->direction->ambiguous = true;
		*ret_tied = true;
	}
	return *ret_tied ? NULL : best;
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
			binding_bind(s, other->direction, other->rule);
	}
}

/* Direct media: a B2BUA has passed the addresses on, so that several legs promise the same audio. */
static void bind_other_legs(struct candidates *c, struct stream *s, const struct candidate *first)
{
	for (unsigned i = 0; i < c->count; i++) {
		struct candidate *other = &c->list[i];

		if (other != first && other->direction->slot->dialog->leg != first->direction->slot->dialog->leg &&
		    (same_call(other->direction, first->direction) || is_third_party_pair(c)) &&
		    both_live(other, first, s))
			binding_bind(s, other->direction, other->rule);
	}
}

static void tell_controller(const struct direction *first, const struct direction *then)
{
	if (!goes_on(first, then))
		return;
	first->slot->media_elsewhere[side_other(first->sender)] = true;
	then->slot->media_elsewhere[then->sender] = true;
}

/* What is heard is heard; of what is not, which of the two legs' words were not obeyed is not judged. */
static void bind_third_party(struct candidates *c)
{
	if (!is_third_party_pair(c))
		return;
	tell_controller(c->list[0].direction, c->list[1].direction);
	tell_controller(c->list[1].direction, c->list[0].direction);
	c->list[0].direction->ambiguous = c->list[1].direction->ambiguous = true;
}

/*
 * Another branch of the fork was answered, and the caller's audio still goes to the one that was not: it is the
 * answered one that lacks it. That direction; NULL: not so.
 */
static struct direction *owed_to_answered(const struct candidate *best, const struct stream *s)
{
	const struct mslot *slot = best->direction->slot;
	const struct leg *leg = slot->dialog->leg;
	const struct dialog *answered = leg->confirmed;
	struct direction *d;

	if (!answered || answered == slot->dialog || leg->answer_ns == NS_NONE ||
	    best->direction->sender != SIDE_CALLER || s->last_ns <= ns_add(leg->answer_ns, EARLY_MEDIA_NS) ||
	    slot->mline >= answered->mslot_count)
		return NULL;
	d = &answered->mslots[slot->mline].direction[SIDE_CALLER];
	return binding_overlaps(s, d) ? d : NULL;
}

bool binding_by_address(const struct binding *b, struct stream *s, const struct endpoint *at, bool mapped)
{
	struct candidates c = { .list = NULL };
	struct candidate *best;
	struct direction *owed;
	bool tied;

	gather_at(b, s, at, mapped, &c);
	best = choose(&c, s, &tied);
	s->ambiguous |= tied;
	owed = best ? owed_to_answered(best, s) : NULL;
	if (owed) {
		binding_bind(s, owed, B8);
	} else if (best) {
		binding_bind(s, best->direction, best->rule);
		bind_other_legs(&c, s, best);
		bind_third_party(&c);
		bind_later_calls(&c, s, best);
	}
	free(c.list);
	return best || tied;
}
