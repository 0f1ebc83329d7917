/* SPDX-License-Identifier: MIT */
/*
 * hearing_unseen: audio goes where it should go, and from this point, or these points, it cannot be seen whether it
 * arrives.
 */
#include "analyzer/detect/hearing_parts.h"

bool unseen_reported(const struct judge *j)
{
	const struct hearing *h = j->h;
	const struct rtcp_view *v = h->stream ? rtcp_view_of(j->facts->rtcp, h->stream) : NULL;

	return v && !arrival_handed_on(j, h->window, h->stream, v->by) && (h->report == RTCP_VERDICT_ADVANCING ||
	       (v->report_count >= 1 && v->reports[v->report_count - 1].ext_seq));
}

bool hearing_goes_in_only(const struct facts *facts, const struct stream *s)
{
	return facts->vantage.kind == VANTAGE_BOTH_SIDES && address_private(&s->src.addr) &&
	       !address_private(&s->dst.addr) && !s->twin_of && !s->twin_next && !stream_flaws(s)->copies_other_ttl;
}

/* That the receiver is near, at the other point, says nothing of such audio. */
static bool stays_inside(const struct judge *j)
{
	return j->h->stream && hearing_goes_in_only(j->facts, j->h->stream);
}

/*
 * Captured before and behind a NAT, the audio for a private address is here on its way to another card than the
 * receiver's, a router's outside, and comes out nowhere: that the receiver is near, at the other point, says nothing of
 * it.
 */
static bool stays_outside(const struct judge *j)
{
	const struct stream *s = j->h->stream;
	const struct host *h = s ? network_host_find(j->facts->network, &s->dst.addr) : NULL;

	return h && h->has_mac && !h->mac_shared && j->facts->vantage.kind == VANTAGE_BOTH_SIDES &&
	       address_private(&s->dst.addr) && !address_private(&s->src.addr) && !s->twin_of && !s->twin_next &&
	       !s->mirror_copies && stream_passes_card(s, h->mac);
}

/* It comes to the outer face of a NAT: what becomes of it behind that, the router's filter decides. */
static bool stays_before_nat(const struct judge *j)
{
	const struct stream *s = j->h->stream;

	return s && !address_private(&s->dst.addr) && !stream_last_point(s)->twin_next &&
	       network_insides(j->facts->network, &s->dst.addr) > 0;
}

/*
 * It comes to a relay, which a proxy has named in the receiver's place, and nowhere else; the receiver itself is at a
 * point of the capture, too, where what the relay passes on would be seen.
 */
static bool stays_at_relay(const struct judge *j)
{
	const struct stream *s = j->h->stream;
	const struct window *w = j->h->window;
	const struct target *own = w->target_count > 1 ? &w->targets[w->target_count - 1] : NULL;
	struct endpoint outer;
	unsigned weight;

	if (!s || !own || !network_at(j->facts->network, &own->at.addr) ||
	    network_same(j->facts->network, &own->at.addr, &s->dst.addr) ||
	    (network_public_of(j->facts->network, &own->at, false, &outer, &weight) &&
	     address_equal(&outer.addr, &s->dst.addr)))
		return false;
	for (unsigned i = 0; i < j->d->stream_count; i++) {
		if (!address_equal(&j->d->streams[i]->dst.addr, &s->dst.addr))
			return false;
	}
	return window_has_target(w, &s->dst);
}

/*
 * Each direction was seen at a point of its own, on its sender's net, and the two are different nets: that the receiver
 * is near at the other point says nothing of what was never seen there.
 */
static bool at_opposite_points(const struct judge *j)
{
	const struct stream *s = j->h->stream;
	const struct direction *back = direction_reverse(j->d);

	if (!s || s->twin_of || s->twin_next || stream_flaws(s)->copies_other_ttl || !just_sent(s) ||
	    !back->stream_count)
		return false;
	for (unsigned i = 0; i < back->stream_count; i++) {
		const struct stream *b = back->streams[i];

		if ((b->points & s->points) || !just_sent(b) || address_same_net(&b->src.addr, &s->src.addr))
			return false;
	}
	return true;
}

/* Audio of the receiver comes meanwhile: not only before a re-INVITE moved it to another phone. */
static bool receiver_sends_beside(const struct judge *j, const struct stream *s)
{
	const struct direction *own = direction_reverse(j->d);

	for (unsigned i = 0; i < own->stream_count; i++) {
		if (own->streams[i]->last_ns > ns_add(s->first_ns, SECOND_NS))
			return true;
	}
	return false;
}

/*
 * It goes to a host of another network than the one that signals for the receiver, which was never seen to send, nor
 * was any audio of the receiver: that the signalling one is near says nothing of that.
 */
static bool goes_past_receiver(const struct judge *j)
{
	const struct stream *s = j->h->stream;
	const struct address *signals = &j->d->slot->dialog->leg->party[side_other(j->d->sender)].signalling.addr;
	const struct host *h = s ? network_host_find(j->facts->network, &s->dst.addr) : NULL;

	return s && address_known(signals) && !receiver_sends_beside(j, s) && !(h && h->sends_ip) &&
	       !address_same_net(&s->dst.addr, signals) && !network_same(j->facts->network, &s->dst.addr, signals);
}

const char *unseen_why(const struct judge *j)
{
	if (j->h->near_receiver && at_opposite_points(j))
		return "seen where it is sent, and not at the point where the receiver is";
	if (!j->h->near_receiver)
		return "passes this point to the right address; its arrival cannot be seen from here";
	if (stays_inside(j) || stays_before_nat(j))
		return "seen before the NAT and not behind it";
	if (hearing_may_return(j->facts, j->d, j->h->stream))
		return "goes to the router, which may send it back inside: not seen here";
	if (stays_at_relay(j))
		return "comes to the relay; what that passes on is not seen at the receiver";
	if (stays_outside(j))
		return "seen on its way to another card than the receiver's, and not behind it";
	if (goes_past_receiver(j))
		return "sent as SDP says, to a host of another network that was never seen to send";
	return NULL;
}
