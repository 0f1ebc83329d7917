/* SPDX-License-Identifier: MIT */
/*
 * reach: where the two sides of a direction are, which addresses reach them, and whether their packets would pass the
 * capture point.
 */
#include "analyzer/detect/hearing_parts.h"

enum { DEAD_COPIES = 3 };     /* of a 200: no chance any more */

#define SEES_MARGIN_NS (60 * SECOND_NS)
#define MEDIA_HOST_MARGIN_NS (10 * MINUTE_NS)

/* ---- addresses ---- */

static void addresses_add(struct side_addresses *a, const struct endpoint *e)
{
	if (!address_known(&e->addr) || a->count == SIDE_ADDRESS_MAX)
		return;
	for (unsigned i = 0; i < a->count; i++) {
		if (endpoint_equal(&a->at[i], e))
			return;
	}
	a->at[a->count++] = *e;
}

static bool any_in_turn(const struct direction *d)
{
	for (unsigned i = 0; i < d->stream_count; i++) {
		if (d->streams[i]->relayed || d->streams[i]->channelled)
			return true;
	}
	return false;
}

void side_addresses(const struct mslot *slot, enum side side, struct side_addresses *ret)
{
	const struct direction *sends = &slot->direction[side], *receives = &slot->direction[side_other(side)];
	const struct party *party = &slot->dialog->leg->party[side];

	ret->count = 0;
	ret->turn = any_in_turn(sends) || any_in_turn(receives);
	for (unsigned i = 0; i < sends->stream_count; i++)
		addresses_add(ret, &sends->streams[i]->src);
	for (unsigned i = 0; i < receives->window_count; i++) {
		for (unsigned k = 0; k < receives->windows[i].target_count; k++)
			addresses_add(ret, &receives->windows[i].targets[k].at);
	}
	ret->media_count = ret->count;
	if (!slot->media_elsewhere[side] || !ret->count)
		addresses_add(ret, &party->signalling);
}

/* ---- would packets pass here? ---- */

static bool any_pair_seen(const struct judge *j, const struct address *a, const struct endpoint *b, unsigned b_count,
	int64_t from_ns, int64_t to_ns)
{
	for (unsigned k = 0; k < b_count; k++) {
		const struct pair *p = network_pair_find(j->facts->network, a, &b[k].addr);

		if (p && p->packets && pair_seen(p, from_ns, to_ns, SEES_MARGIN_NS))
			return true;
	}
	return false;
}

/* It is heard here, and from behind a router. */
static bool heard_from_afar(const struct judge *j, const struct endpoint *at)
{
	const struct host *h = network_host_find(j->facts->network, &at->addr);

	return h && h->sends_ip && (reach_beyond_nat(j->facts, &at->addr) || !network_at(j->facts->network, &at->addr));
}

/*
 * That the sender's SIP is seen on its way to the receiver's server tells of audio for a media address elsewhere when
 * this is the sender's link, and both lie beyond it: one way leads there. On one network with the server it may be the
 * server's port that is tapped (1.7.2).
 */
static bool one_way_out(const struct judge *j, const struct address *sender)
{
	const struct side_addresses *r = j->receiver;

	if (r->count == 0 || !network_at(j->facts->network, sender) || !heard_from_afar(j, &r->at[r->count - 1]))
		return false;
	for (unsigned i = 0; i < r->media_count; i++) {
		if (heard_from_afar(j, &r->at[i]))
			return true;
	}
	return false;
}

/* What comes to the receiver through TURN comes from its server, whose answers are seen here. */
static bool any_relay_seen(const struct judge *j, const struct address *a, const struct endpoint *b, unsigned b_count,
	int64_t from_ns, int64_t to_ns)
{
	for (unsigned k = 0; k < b_count; k++) {
		if (network_relay_seen(j->facts->network, a, &b[k].addr, from_ns, to_ns, SEES_MARGIN_NS))
			return true;
	}
	return false;
}

/* Was any packet seen in the time from the sender's media addresses to the receiver's? */
static bool pair_seen_between(const struct judge *j, int64_t from_ns, int64_t to_ns)
{
	const struct side_addresses *s = j->sender, *r = j->receiver;

	for (unsigned i = 0; i < s->media_count; i++) {
		if (any_pair_seen(j, &s->at[i].addr, r->at, r->media_count, from_ns, to_ns) ||
		    any_relay_seen(j, &s->at[i].addr, r->at, r->media_count, from_ns, to_ns))
			return true;
		if (one_way_out(j, &s->at[i].addr) && any_pair_seen(j, &s->at[i].addr, r->at, r->count, from_ns, to_ns))
			return true;
	}
	return false;
}

static bool host_sends(const struct judge *j, const struct address *a, int64_t from_ns, int64_t to_ns)
{
	const struct host *h = network_host_find(j->facts->network, a);

	return h && h->sends_ip && h->first_ns <= ns_add(to_ns, MEDIA_HOST_MARGIN_NS) &&
	       h->last_out_ns >= ns_add(from_ns, -MEDIA_HOST_MARGIN_NS);
}

/*
 * The receiver's audio, which shows that this is its link: none of it, or seen before a NAT and not behind it, where
 * media has another way.
 */
static bool leaves_here(const struct judge *j)
{
	const struct direction *own = direction_reverse(j->d);

	for (unsigned i = 0; i < own->stream_count; i++) {
		const struct stream *s = own->streams[i];

		if (j->facts->vantage.kind == VANTAGE_BOTH_SIDES && address_private(&s->src.addr) &&
		    !address_private(&s->dst.addr) && !s->twin_of && !s->twin_next)
			return false;
	}
	return own->stream_count > 0;
}

/* The link is that of the very address to which the audio is to go: it is not the outer side of a NAT. */
static bool is_target(const struct judge *j, const struct address *a)
{
	const struct window *w = j->h->window;

	for (unsigned i = 0; w && i < w->target_count; i++) {
		if (address_equal(&w->targets[i].at.addr, a))
			return true;
	}
	return false;
}

/*
 * Whatever the sender sends would pass here, too: the receiver's link is tapped and carries others from the sender's
 * side. 1.7.2
 */
static bool link_covered(const struct judge *j, int64_t from_ns, int64_t to_ns)
{
	const struct pair *witness;
	bool leaves = leaves_here(j);
	int64_t margin_ns;

	for (unsigned i = 0; i < j->receiver->count; i++) {
		const struct address *r = &j->receiver->at[i].addr;

		if (!network_at(j->facts->network, r) || direction_reverse(j->d)->stream_count == 0)
			continue;
		margin_ns = leaves && is_target(j, r) ? SEES_MARGIN_NS : 0;
		for (unsigned k = 0; k < j->sender->count; k++) {
			const struct address *s = &j->sender->at[k].addr;

			if (!network_other_inbound(j->facts->network, r, s, ns_add(from_ns, -margin_ns),
				ns_add(to_ns, margin_ns), &witness))
				continue;
			if (address_same_net(s, r) == address_same_net(&witness->src, r))
				return true;
		}
	}
	return false;
}

enum sees reach_sees(const struct judge *j, int64_t from_ns, int64_t to_ns)
{
	if (pair_seen_between(j, from_ns, to_ns))
		return SEES_YES;
	for (unsigned i = 0; i < j->sender->media_count; i++) {
		if (host_sends(j, &j->sender->at[i].addr, from_ns, to_ns))
			return SEES_LIKELY;
	}
	return link_covered(j, from_ns, to_ns) ? SEES_LIKELY : SEES_NO;
}

bool reach_beyond_nat(const struct facts *facts, const struct address *a)
{
	return facts->vantage.kind == VANTAGE_INSIDE_NAT && !address_private(a) &&
	       !network_talks_in_public(facts->network, a);
}

struct side_hosts {                  /* of the addresses of a side; NULL: not a host that was seen */
	const struct host *at[SIDE_ADDRESS_MAX];
	bool beyond[SIDE_ADDRESS_MAX];       /* the NAT */
};

static void hosts_find(const struct facts *facts, const struct side_addresses *a, struct side_hosts *ret)
{
	for (unsigned i = 0; i < a->count; i++) {
		bool again = i && address_equal(&a->at[i].addr, &a->at[i - 1].addr);

		ret->at[i] = again ? ret->at[i - 1] : network_host_find(facts->network, &a->at[i].addr);
		ret->beyond[i] = again ? ret->beyond[i - 1] : reach_beyond_nat(facts, &a->at[i].addr);
	}
}

static bool any_at(const struct side_hosts *h, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (!h->beyond[i] && host_at(h->at[i]))
			return true;
	}
	return false;
}

static bool any_near(const struct side_addresses *a, const struct side_hosts *of_a, const struct side_addresses *b,
	const struct side_hosts *of_b)
{
	for (unsigned i = 0; i < a->count; i++) {
		for (unsigned k = 0; k < b->count && !of_a->beyond[i]; k++) {
			if (of_b->beyond[k] || host_near(of_a->at[i], &a->at[i].addr, of_b->at[k], &b->at[k].addr))
				return true;
		}
	}
	return false;
}

/*
 * Of a side whose media host is seen to send anything it is known where it is, or that it is not known: a proxy or a
 * controller that signals for it may be elsewhere. A TURN server is not where its client lives.
 */
static unsigned telling(const struct side_addresses *a, const struct side_hosts *h)
{
	for (unsigned i = 0; i < a->media_count && !a->turn; i++) {
		if (h->at[i] && (h->at[i]->on_host || h->at[i]->ttl_known || h->at[i]->sends_ip))
			return a->media_count;
	}
	return a->count;
}

void reach_places(const struct facts *facts, const struct side_addresses sides[2], struct side_place ret[2])
{
	struct side_hosts hosts[2];
	struct side_addresses who[2] = { sides[0], sides[1] };

	hosts_find(facts, &sides[0], &hosts[0]);
	hosts_find(facts, &sides[1], &hosts[1]);
	for (unsigned i = 0; i < 2; i++)
		who[i].count = telling(&sides[i], &hosts[i]);
	for (unsigned i = 0; i < 2; i++) {
		ret[i].at = any_at(&hosts[i], who[i].count);
		ret[i].near = ret[i].at || any_near(&who[i], &hosts[i], &who[1 - i], &hosts[1 - i]);
	}
}

/*
 * Direct media: the sender's audio is another host's, which was never seen to send anything. What passes beside the one
 * that signals says nothing of it; where a NAT is between the two addresses they may be one host.
 */
bool reach_source_apart(const struct judge *j, const struct window *w)
{
	const struct address *sip = &j->d->slot->dialog->leg->party[j->d->sender].signalling.addr;

	if (!address_known(sip))
		return false;
	for (unsigned i = 0; i < w->source_count; i++) {
		const struct address *a = &w->sources[i].at.addr;
		const struct host *h = network_host_find(j->facts->network, a);

		if (address_equal(a, sip) || address_private(a) != address_private(sip) || (h && h->sends_ip))
			return false;
	}
	return w->source_count > 0;
}

/* ---- usable(R) ---- */

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

static bool sends_anything(const struct facts *facts, const struct address *a)
{
	const struct host *h = network_host_find(facts->network, a);

	return h && h->sends_ip;
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

/* One message of the receiver at two points: where it is, from that address; to who sends s, from another. The latter. */
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
 * Its audio is seen beside itself alone, not where s is; a NAT between the points gives it another address, by which the
 * sender knows it: that of its SIP there, or of its router. False: not so.
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
	       !sends_anything(facts, at) &&
	       !was_reached(d, at) && sends_from(facts, d, w, real);
}

enum contradiction hearing_contradiction(const struct facts *facts, const struct direction *d, const struct window *w,
	const struct endpoint *sdp,
					 const struct stream *s, struct endpoint *ret_real)
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
	elsewhere = own->stream_count && address_equal(&receiver->signalling.addr, &ret_real->addr);
	if (address_private(&sdp->addr)) {
		bool sender_outside = s ? !address_private(&s->src.addr) : sender.count &&
			!address_private(&sender.at[0].addr);

		if ((sender_outside || !address_private(&ret_real->addr)) && !address_private(&ret_real->addr))
			return CONTRADICTION_PRIVATE;
		if (sender_outside && !sends_anything(facts, &sdp->addr))
			return CONTRADICTION_PRIVATE;
		return hearing_dead_contact(d, &sdp->addr) ||
		       (elsewhere && is_other_card(facts, d, w, &sdp->addr, &ret_real->addr)) ?
		       CONTRADICTION_ELSEWHERE : CONTRADICTION_NONE;
	}
	/*
	 * public, and neither its signalling nor its media lives there; a gateway whose media differs from its
	 * signalling proves nothing
	 */
	return elsewhere && !sends_anything(facts, &sdp->addr) ? CONTRADICTION_ELSEWHERE : CONTRADICTION_NONE;
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
 * again behind a NAT is, also in another file whose clock is too far off to know it again.
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
		if (other->capture != s->capture && other->ssrc == s->ssrc)
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
 * The receiver's own audio comes from where its SDP says, seen here as it is: no NAT between gives it another address of
 * the same kind. A copy of it seen elsewhere would be such a NAT, or another network card.
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

bool hearing_usable(const struct facts *facts, const struct direction *d, const struct window *w,
	const struct stream *s, const char **ret_why)
{
	struct endpoint real;

	*ret_why = "";
	if (is_own_source(facts, d, w, s))
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
