/* SPDX-License-Identifier: MIT */
/*
 * reach: usable(R), whether packets to an address may reach the receiver, and where it really is when what its SDP says
 * is contradicted.
 */
#include "analyzer/detect/hearing_parts.h"

#include "analyzer/media/socket_use.h"

enum { DEAD_COPIES = 3 };     /* of a 200: no chance any more */

#define LINK_MARGIN_NS (10 * MINUTE_NS)      /* who is sent to then is, too, while nobody else does */

/* A stream seen at several points shares one with whatever. */
static bool common_point(const struct facts *facts, const struct pair *p, const struct stream *s)
{
	uint32_t point = s && !(s->points & (s->points - 1)) ? network_point(facts->network, s->capture, s->interface,
		s->ifindex) : 0;

	return !point || (p->points & point);
}

/*
 * Does the receiver's own traffic come from this very address where the sender is seen? Then it is routed here, private
 * or not.
 */
static bool lives_at(const struct facts *facts, const struct address *a, const struct side_addresses *sender,
	const struct stream *s)
{
	for (unsigned i = 0; i < sender->count; i++) {
		const struct pair *p = network_pair_find(facts->network, a, &sender->at[i].addr);

		if (p && p->packets && common_point(facts, p, s))
			return true;
	}
	return false;
}

/* What a relay makes of it leaves where it came in; where both its ends are others, it has passed two NATs. */
static bool is_relays(const struct facts *facts, const struct stream *s)
{
	return s->twin_of && s->twin_kind == TWIN_RELAY &&
	       network_same(facts->network, &s->twin_of->dst.addr, &s->src.addr);
}

/*
 * Two points before and behind a NAT: the receiver's audio from that address is seen elsewhere, and where s is seen its
 * copy comes from another address. That copy; NULL: not so.
 */
static const struct stream *translated_where(const struct facts *facts, const struct direction *own,
	const struct endpoint *at, const struct stream *s)
{
	const struct stream *ret = NULL;

	for (unsigned i = 0; s && i < own->stream_count; i++) {
		const struct stream *o = own->streams[i];

		if (!(o->points & s->points) || is_relays(facts, o))
			continue;
		if (address_equal(&o->src.addr, &at->addr))
			return NULL;
		if (o->twin_of || o->twin_next)
			ret = o;
	}
	return ret;
}

const struct stream *hearing_own_stream(const struct facts *facts, const struct direction *d)
{
	for (unsigned i = d->stream_count; i-- > 0;) {
		if (!is_relays(facts, d->streams[i]))
			return d->streams[i];
	}
	return NULL;
}

bool hearing_port_changed(const struct facts *facts, const struct direction *d, const struct endpoint *at)
{
	const struct stream *own = hearing_own_stream(facts, direction_reverse(d));
	const struct socket_use *socket = own ? socket_uses_find(facts->sockets, at) : NULL;

	return own && address_equal(&own->src.addr, &at->addr) && own->src.port != at->port &&
	       !address_private(&at->addr) && network_insides(facts->network, &at->addr) > 0 &&
	       !(socket && socket->leaving_count);
}

/*
 * One message of the receiver at two points: where it is, from that address; to who sends s, from another. The latter.
 */
static const struct message *signals_as(const struct direction *d, const struct address *at, const struct stream *s)
{
	const struct leg *leg = d->slot->dialog->leg;

	CHAIN_EACH(it, &leg->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_leg);

		if (m->by == d->sender || m->at.file != s->file || m->at.interface != s->interface ||
		    !address_equal(&m->dst.addr, &s->src.addr) || address_private(&m->src.addr))
			continue;
		CHAIN_EACH(other, &leg->messages) {
			const struct message *x = LIST_ENTRY(other, struct message, in_leg);

			/* a proxy would have added its Via, or taken it off */
			if (x->first == m->first && x->via_count == m->via_count && address_equal(&x->src.addr, at))
				return m;
		}
	}
	return NULL;
}

bool hearing_translated_sip(const struct direction *d, const struct endpoint *at, const struct stream *s)
{
	return s && signals_as(d, &at->addr, s);
}

/* Both behind a NAT, and not the same: what the one calls itself is nowhere on the other's side. The public address. */
static bool behind_another_nat(const struct facts *facts, const struct address *at, const struct address *from,
	struct endpoint *ret)
{
	struct endpoint own = { .addr = *at }, other = { .addr = *from }, image;
	unsigned weight;

	return address_private(from) && network_public_of(facts->network, &own, false, ret, &weight) &&
	       network_public_of(facts->network, &other, false, &image, &weight) && !address_private(&ret->addr) &&
	       !address_private(&image.addr) && !address_equal(&ret->addr, &image.addr);
}

/*
 * Its audio is seen beside itself alone, not where s is; a NAT between the points gives it another address, by which
 * the sender knows it: that of its SIP there, or of its router. False: not so.
 */
static bool known_otherwise(const struct facts *facts, const struct direction *d, const struct endpoint *at,
	const struct stream *s, struct endpoint *ret)
{
	const struct direction *own = direction_reverse(d);
	const struct message *told;

	if (!s || !address_private(&at->addr) || !own->stream_count)
		return false;
	for (unsigned i = 0; i < own->stream_count; i++) {
		if ((own->streams[i]->points & s->points) || own->streams[i]->twin_of || own->streams[i]->twin_next)
			return false;
	}
	told = signals_as(d, &at->addr, s);
	if (told)
		*ret = (struct endpoint){ .addr = told->src.addr };
	return told || behind_another_nat(facts, &at->addr, &s->src.addr, ret);
}

/* Where the receiver's packets come from when they come from one place, by RTP first; false: unknown. */
static bool real_source(const struct facts *facts, const struct direction *d, const struct endpoint *sdp,
	const struct stream *s, struct endpoint *ret)
{
	const struct direction *own = direction_reverse(d);
	const struct party *party = &d->slot->dialog->leg->party[side_other(d->sender)];
	const struct stream *here = translated_where(facts, own, sdp, s);

	if (!here && known_otherwise(facts, d, sdp, s, ret))
		return true;
	if (!here)
		here = hearing_own_stream(facts, own);
	if (here) {
		*ret = here->src;
		return true;
	}
	*ret = party->signalling;
	ret->port = 0;
	return address_known(&party->signalling.addr);
}

bool hearing_told_loopback(const struct direction *d, const struct window *w)
{
	struct side_addresses sender;

	if (!w || !w->target_count)
		return false;
	for (unsigned i = 0; i < w->target_count; i++) {
		if (!address_loopback(&w->targets[i].at.addr))
			return false;
	}
	side_addresses(d->slot, d->sender, &sender);
	for (unsigned i = 0; i < sender.count; i++) {
		if (address_loopback(&sender.at[i].addr))
			return false;
	}
	return sender.count > 0;
}

bool hearing_told_own(const struct direction *d, const struct window *w)
{
	const struct direction *own = direction_reverse(d);
	const struct address *sender = &d->slot->dialog->leg->party[d->sender].signalling.addr;

	if (!w || !w->target_count || !address_known(sender) ||
	    address_equal(sender, &d->slot->dialog->leg->party[own->sender].signalling.addr))
		return false;
	for (unsigned i = 0; i < w->target_count; i++) {
		if (!address_equal(&w->targets[i].at.addr, sender))
			return false;
	}
	for (unsigned i = 0; i < own->stream_count; i++) {
		const struct stream *s = own->streams[i];

		if (address_equal(&s->dst.addr, sender) && !address_equal(&s->src.addr, sender) &&
		    stream_packets_between(s, w->on_ns, w->off_ns == NS_NONE ? INT64_MAX : w->off_ns) >= ALIVE_PACKETS)
			return true;
	}
	return false;
}

enum confidence hearing_loopback_proof(const struct hearing *h)
{
	if (h->at_sender)
		return CONFIDENCE_CERTAIN;
	return h->at_receiver || h->sees != SEES_NO ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE;
}

bool hearing_dead_contact(const struct direction *d, const struct address *at)
{
	LIST_EACH(it, &d->slot->dialog->leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);

		if (t->method == SIP_INVITE && t->final && t->ack && t->status / 100 == 2 && t->final_copies > DEAD_COPIES &&
		    t->by == d->sender && address_equal(&t->ack->dst.addr, at) && !address_equal(&t->final->src.addr, at))
			return true;
	}
	return false;
}

/* What was sent to this address had an effect: a request was answered, or the 200 not sent again behind its ACK. */
static bool was_reached(const struct direction *d, const struct address *at)
{
	LIST_EACH(it, &d->slot->dialog->leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);

		if ((t->request && t->status && address_equal(&t->request->dst.addr, at)) ||
		    (t->ack && address_equal(&t->ack->dst.addr, at) && t->final_copies <= DEAD_COPIES))
			return true;
	}
	return false;
}

/* Audio of the receiver comes from there while the session is as it is: it has not moved on since. */
static bool sends_from(const struct facts *facts, const struct direction *d, const struct window *w,
	const struct address *real)
{
	const struct direction *own = direction_reverse(d);
	int64_t from_ns = w->moved ? ns_add(w->on_ns, facts->move_overlap_ns) : w->on_ns,
		to_ns = w->off_ns == NS_NONE ? facts->capture->last_ns : w->off_ns;

	for (unsigned i = 0; i < own->stream_count; i++) {
		if (address_equal(&own->streams[i]->src.addr, real) &&
		    stream_packets_between(own->streams[i], from_ns, to_ns) >= ALIVE_PACKETS)
			return true;
	}
	return false;
}

/*
 * All that comes of the receiver, SIP and audio, comes from one address, and the one of its session lies in another
 * network, sends nothing and has taken nothing: another network card, a container, a tunnel.
 */
static bool is_other_card(const struct facts *facts, const struct direction *d, const struct window *w,
	const struct address *at, const struct address *real)
{
	return w && !w->ice && (address_reach(at) == 0 || address_reach(at) == 1) && !address_same_net(at, real) &&
	       !network_sends(facts->network, at) && !was_reached(d, at) && sends_from(facts, d, w, real);
}

/* Packets to it pass this point, whoever sends them: it is captured itself, or others than the sender are seen to reach it. */
static bool link_seen(const struct facts *facts, const struct address *a, const struct address *but, int64_t from_ns,
	int64_t to_ns)
{
	const struct host *h = network_host_find(facts->network, a);

	return h && (h->on_host || network_other_inbound(facts->network, a, but, ns_add(from_ns, -LINK_MARGIN_NS),
	       ns_add(to_ns, LINK_MARGIN_NS), NULL));
}

/*
 * Both are inside, and what was named is the public address of their router, or may be. Whether that sends back inside
 * what is for itself (hairpin), or a port is forwarded, is seen on the link of the receiver alone.
 */
static bool router_may_return(const struct facts *facts, const struct address *told, const struct address *real,
	const struct stream *s)
{
	struct endpoint whole = { *real, 0 }, image;
	unsigned weight;

	if (!s || address_private(told) || !address_private(real) || !address_private(&s->src.addr) ||
	    (network_public_of(facts->network, &whole, false, &image, &weight) && !address_equal(&image.addr, told)))
		return false;
	return !link_seen(facts, real, &s->src.addr, s->first_ns, s->last_ns);
}

bool hearing_may_return(const struct facts *facts, const struct direction *d, const struct stream *s)
{
	struct endpoint real;

	return s && real_source(facts, d, &s->dst, s, &real) && !address_equal(&real.addr, &s->dst.addr) &&
	       router_may_return(facts, &s->dst.addr, &real.addr, s);
}

enum contradiction hearing_contradiction(const struct facts *facts, const struct direction *d, const struct window *w,
	const struct endpoint *sdp, const struct stream *s, struct endpoint *ret_real)
{
	const struct party *receiver = &d->slot->dialog->leg->party[side_other(d->sender)];
	const struct direction *own = direction_reverse(d);
	struct side_addresses sender;
	bool elsewhere;

	side_addresses(d->slot, d->sender, &sender);
	if (!real_source(facts, d, sdp, s, ret_real) || address_equal(&ret_real->addr, &sdp->addr) ||
	    lives_at(facts, &sdp->addr, &sender, s))
		return CONTRADICTION_NONE;
	/* its audio, which would show where it lives, goes nowhere: that none comes from there says nothing */
	if (!own->stream_count && hearing_told_loopback(own, direction_first_due(own)))
		return CONTRADICTION_NONE;
	/* what it sent before a re-INVITE moved it says nothing of where it is since */
	elsewhere = own->stream_count && address_equal(&receiver->signalling.addr, &ret_real->addr) &&
		    !(w && w->moved && !sends_from(facts, d, w, &ret_real->addr));
	if (address_private(&sdp->addr)) {
		bool sender_outside = s ? !address_private(&s->src.addr) : sender.count &&
			!address_private(&sender.at[0].addr);

		if (!address_private(&ret_real->addr))
			return CONTRADICTION_PRIVATE;
		if (sender_outside && !network_sends(facts->network, &sdp->addr))
			return CONTRADICTION_PRIVATE;
		return hearing_dead_contact(d, &sdp->addr) ||
		       (elsewhere && is_other_card(facts, d, w, &sdp->addr, &ret_real->addr)) ?
		       CONTRADICTION_ELSEWHERE : CONTRADICTION_NONE;
	}
	/*
	 * public, and neither its signalling nor its media lives there; a gateway whose media differs from its
	 * signalling proves nothing
	 */
	return elsewhere && !network_sends(facts->network, &sdp->addr) &&
	       !router_may_return(facts, &sdp->addr, &ret_real->addr, s) ? CONTRADICTION_ELSEWHERE : CONTRADICTION_NONE;
}

/*
 * Was this learnt from audio that came through a NAT? The session names a private address, and this is none that it
 * names: no packet goes the way back but by the mapping, and a NAT has one at a time for one socket and peer.
 */
static bool is_mapping(const struct direction *d, const struct endpoint *at)
{
	bool told_private = false;

	for (unsigned i = 0; i < d->window_count; i++) {
		const struct window *w = &d->windows[i];

		if (w->ice || window_has_target(w, at))
			return false;
		for (unsigned k = 0; k < w->target_count; k++)
			told_private |= address_private(&w->targets[k].at.addr);
	}
	return told_private && !address_private(&at->addr);
}

const struct stream *hearing_receiver_left(const struct facts *facts, const struct direction *d,
	const struct endpoint *at)
{
	const struct direction *own = direction_reverse(d);
	const struct host *h = network_host_find(facts->network, &at->addr);
	const struct stream *before = NULL;

	for (unsigned i = 0; i < own->stream_count; i++) {
		if (endpoint_equal(&own->streams[i]->src, at))
			before = own->streams[i];
	}
	for (unsigned i = 0; before && h && i < own->stream_count; i++) {
		const struct stream *now = own->streams[i];
		bool other_host = !address_equal(&now->src.addr, &at->addr);

		if (now->ssrc == before->ssrc && now->first_ns > before->last_ns &&
		    !endpoint_equal(&now->src, at) && endpoint_equal(&now->dst, &before->dst) &&
		    (other_host ? h->last_out_ns < ns_add(now->first_ns, SECOND_NS) : is_mapping(d, at)))
			return now;
	}
	return NULL;
}

static bool is_of_party(const struct direction *own, const struct stream *s)
{
	const struct party *party = &own->slot->dialog->leg->party[own->sender];

	if (address_equal(&s->src.addr, &party->signalling.addr))
		return true;
	for (unsigned i = 0; i < own->window_count; i++) {
		for (unsigned k = 0; k < own->windows[i].source_count; k++) {
			if (address_equal(&own->windows[i].sources[k].at.addr, &s->src.addr))
				return true;
		}
	}
	return false;
}

/*
 * A second sender from nowhere while the party's own audio comes from where it should: not the party. Its audio seen
 * again behind a NAT is, also in another file whose clock is too far off to know it again; so is what a relay makes the
 * party's audio of, where of the SDP the relay's wording alone is known.
 */
static bool is_foreign(const struct direction *own, const struct stream *s)
{
	bool foreign = false;

	if (is_of_party(own, s) || (s->twin_of && s->twin_of->direction == own))
		return false;
	for (unsigned i = 0; i < own->stream_count; i++) {
		const struct stream *other = own->streams[i];

		if (other == s || !is_of_party(own, other))
			continue;
		if (other->twin_of == s || (other->capture != s->capture && other->ssrc == s->ssrc))
			return false;
		foreign |= other->first_ns <= s->last_ns && other->last_ns >= s->first_ns;
	}
	return foreign;
}

/* The end of what it sent before the window (ringing, an early branch): since then its audio comes from elsewhere. */
static bool is_tail(const struct direction *own, const struct window *w, const struct stream *s)
{
	int64_t over_ns = ns_add(w->on_ns, 2 * SECOND_NS);

	if (s->first_ns >= w->on_ns || s->last_ns >= over_ns)
		return false;
	for (unsigned i = 0; i < own->stream_count; i++) {
		if (own->streams[i]->last_ns >= over_ns && !endpoint_equal(&own->streams[i]->src, &s->src))
			return true;
	}
	return false;
}

/* The receiver's own audio comes from that very address in this window: it can be reached there, whatever SDP says. */
static bool is_own_source(const struct facts *facts, const struct direction *d, const struct window *w,
	const struct stream *to)
{
	const struct endpoint *at = &to->dst;
	struct endpoint other;
	const struct direction *own = direction_reverse(d);
	int64_t from_ns = w->moved ? ns_add(w->on_ns, 2 * SECOND_NS) : w->on_ns;

	for (unsigned i = 0; i < own->stream_count; i++) {
		const struct stream *s = own->streams[i];

		if (endpoint_equal(&s->src, at) && s->last_ns >= from_ns && !is_foreign(own, s) &&
		    !is_tail(own, w, s))
			return !translated_where(facts, own, at, to) && !known_otherwise(facts, d, at, to, &other);
	}
	return false;
}

/* The receiver's own audio comes from somewhere, and from nowhere with this address: it belongs to another machine. */
static bool belongs_to_another(const struct direction *d, const struct endpoint *at)
{
	const struct direction *own = direction_reverse(d);

	for (unsigned i = 0; i < own->stream_count; i++) {
		if (address_equal(&own->streams[i]->src.addr, &at->addr))
			return false;
	}
	return own->stream_count > 0;
}

/*
 * The receiver's own audio comes from where its SDP says, seen here as it is: no NAT between gives it another address
 * of the same kind. A copy of it seen elsewhere would be such a NAT, or another network card.
 */
static bool answers_from_target(const struct direction *d, const struct window *w, const struct endpoint *at)
{
	const struct direction *own = direction_reverse(d);

	for (unsigned i = 0; i < own->stream_count; i++) {
		const struct stream *s = own->streams[i];

		if (window_has_target(w, &s->src) && !s->twin_of && !s->twin_next &&
		    address_private(&s->src.addr) && address_private(&at->addr))
			return true;
	}
	return false;
}

static bool is_image(const struct facts *facts, const struct window *w, const struct endpoint *at)
{
	struct endpoint image;
	unsigned weight;

	for (unsigned i = 0; i < w->target_count; i++) {
		if (network_public_of(facts->network, &w->targets[i].at, true, &image, &weight) &&
		    endpoint_equal(&image, at))
			return true;
		if (network_private_of(facts->network, &w->targets[i].at, true, &image, &weight) &&
		    endpoint_equal(&image, at))
			return true;
	}
	return false;
}

/*
 * All that is known of the receiver's SDP names the sender itself: a relay's wording, and the one that the relay obeys is
 * not in the capture. It talks both ways with that address.
 */
static bool is_relays_peer(const struct facts *facts, const struct window *w, const struct stream *to)
{
	const struct socket_use *socket = socket_uses_find(facts->sockets, &to->dst);
	struct stream_slice out = socket ? socket_leaving(socket, to->last_ns) : (struct stream_slice){ .count = 0 };

	for (unsigned i = 0; i < w->target_count; i++) {
		if (!address_equal(&w->targets[i].at.addr, &to->src.addr))
			return false;
	}
	for (unsigned i = 0; w->target_count && i < out.count; i++) {
		if (endpoint_equal(&out.at[i]->dst, &to->src) && out.at[i]->last_ns >= to->first_ns)
			return true;
	}
	return false;
}

bool hearing_usable(const struct facts *facts, const struct direction *d, const struct window *w,
	const struct stream *s, const char **ret_why)
{
	struct endpoint real;

	*ret_why = "";
	if (is_own_source(facts, d, w, s) || is_relays_peer(facts, w, s))
		return true;
	if (window_has_target(w, &s->dst)) {
		switch (hearing_contradiction(facts, d, w, &s->dst, s, &real)) {
		case CONTRADICTION_PRIVATE:
			*ret_why = "a private address behind a NAT";
			return false;
		case CONTRADICTION_ELSEWHERE:
			*ret_why = "an address at which the receiver does not live";
			return false;
		case CONTRADICTION_NONE:
			return true;
		}
	}
	if ((s->bound_by == 6 || (s->bound_by == 9 && answers_from_target(d, w, &s->dst))) &&
	    belongs_to_another(d, &s->dst)) {
		*ret_why = "the address of another machine";
		return false;
	}
	if (is_image(facts, w, &s->dst) || s->bound_by == 2 || s->bound_by == 7 || s->bound_by == 6 || s->bound_by == 9)
		return true;
	/*
	 * an address of an earlier window: valid while old and new overlap, a stale target after that; the caller cuts
	 * the time
	 */
	*ret_why = "not the address that was agreed";
	return false;
}
