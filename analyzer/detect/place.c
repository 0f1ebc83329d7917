/* SPDX-License-Identifier: MIT */
/* place: where the two sides of a direction are, and whether their packets would pass the capture point. */
#include "analyzer/detect/hearing_parts.h"

#define SEES_MARGIN_NS (60 * SECOND_NS)
#define MEDIA_HOST_MARGIN_NS (10 * MINUTE_NS)

/* ---- addresses of a side ---- */

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

	return h && h->sends_ip && (place_beyond_nat(j->facts, &at->addr) || !network_at(j->facts->network, &at->addr));
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

/*
 * What it names for audio it names for its signalling, too, which comes from there through a NAT: one machine. And audio
 * from there to the receiver, of other calls, passes here.
 */
static bool signals_from(const struct judge *j, const struct address *at)
{
	const struct party *p = &j->d->slot->dialog->leg->party[j->d->sender];

	if (!address_private(&p->contact.addr) || !address_equal(at, &p->signalling.addr) || address_private(at))
		return false;
	for (unsigned i = 0; i < j->sender->media_count; i++) {
		if (!address_equal(&j->sender->at[i].addr, &p->contact.addr))
			return false;
	}
	for (unsigned k = 0; k < j->receiver->media_count; k++) {
		const struct pair *pair = network_pair_find(j->facts->network, at, &j->receiver->at[k].addr);

		if (pair && pair->media)
			return j->sender->media_count > 0;
	}
	return false;
}

/*
 * Named for the sender's audio; or its host signals, and the other side's audio comes to it there: what SDP names is
 * its outer face. What a TURN server names is not: of its client's way to it nothing is said.
 */
static bool sends_from(const struct judge *j, unsigned i)
{
	const struct direction *back = direction_reverse(j->d);

	if (i < j->sender->media_count || signals_from(j, &j->sender->at[i].addr))
		return true;
	for (unsigned k = 0; k < back->stream_count; k++) {
		const struct stream *s = back->streams[k];

		if (s->direction == back && s->bound_by <= 9 && !s->channelled && !s->relayed &&
		    address_equal(&s->dst.addr, &j->sender->at[i].addr))
			return true;
	}
	return false;
}

/* Was any packet seen in the time from the sender's media addresses to the receiver's? */
static bool pair_seen_between(const struct judge *j, int64_t from_ns, int64_t to_ns)
{
	const struct side_addresses *s = j->sender, *r = j->receiver;

	for (unsigned i = 0; i < s->count; i++) {
		if (!sends_from(j, i))
			continue;
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

/* It was told a private address of another network than that link's: by which link of the receiver it comes nobody knows. */
static bool goes_elsewhere(const struct judge *j, const struct address *link)
{
	const struct window *w = j->h->window;

	for (unsigned i = 0; w && i < w->target_count; i++) {
		const struct address *at = &w->targets[i].at.addr;

		if (!address_private(at) || address_same_net(at, link))
			return false;
	}
	return w && w->target_count;
}

/*
 * Whatever the sender sends would pass here, too: the receiver's link is tapped and carries others from the sender's
 * side. 1.7.2
 */
static bool link_covered(const struct judge *j, int64_t from_ns, int64_t to_ns)
{
	bool leaves = leaves_here(j);
	int64_t margin_ns;

	for (unsigned i = 0; i < j->receiver->count; i++) {
		const struct address *r = &j->receiver->at[i].addr;

		if (!network_at(j->facts->network, r) || direction_reverse(j->d)->stream_count == 0 || goes_elsewhere(j, r))
			continue;
		margin_ns = leaves && is_target(j, r) ? SEES_MARGIN_NS : 0;
		for (unsigned k = 0; k < j->sender->count; k++) {
			const struct address *s = &j->sender->at[k].addr;

			if (network_beside_inbound(j->facts->network, r, s, ns_add(from_ns, -margin_ns),
			    ns_add(to_ns, margin_ns)))
				return true;
		}
	}
	return false;
}

enum sees place_sees(const struct judge *j, int64_t from_ns, int64_t to_ns)
{
	if (pair_seen_between(j, from_ns, to_ns))
		return SEES_YES;
	for (unsigned i = 0; i < j->sender->count; i++) {
		if (sends_from(j, i) && host_sends(j, &j->sender->at[i].addr, from_ns, to_ns))
			return SEES_LIKELY;
	}
	return link_covered(j, from_ns, to_ns) ? SEES_LIKELY : SEES_NO;
}

/* ---- where the sides are ---- */

bool place_beyond_nat(const struct facts *facts, const struct address *a)
{
	return facts->vantage.kind == VANTAGE_INSIDE_NAT && !address_private(a) &&
	       !network_talks_in_public(facts->network, a);
}

struct side_hosts {                  /* of the addresses of a side; NULL: not a host that was seen */
	const struct host *at[SIDE_ADDRESS_MAX];
	bool beyond[SIDE_ADDRESS_MAX];       /* the NAT */
};

static bool speaks_here(const struct side_hosts *h, unsigned i)
{
	return h->at[i] && h->at[i]->sends_ip;
}

/*
 * A public address beside a private one that speaks here, and whose outer face it is, lies on this side of the NAT; a
 * private one that does not, beside a public one that does, belongs to a network behind another NAT.
 */
static void faces_settle(const struct facts *facts, const struct side_addresses *a, struct side_hosts *ret)
{
	bool spoken = false;

	for (unsigned i = 0; i < a->count; i++) {
		for (unsigned k = 0; k < a->count && ret->beyond[i]; k++)
			ret->beyond[i] = !(address_private(&a->at[k].addr) && speaks_here(ret, k) &&
				network_same(facts->network, &a->at[i].addr, &a->at[k].addr));
		spoken |= ret->beyond[i] && speaks_here(ret, i);
	}
	for (unsigned i = 0; spoken && i < a->count; i++)
		ret->beyond[i] |= address_private(&a->at[i].addr) && !speaks_here(ret, i);
}

static void hosts_find(const struct facts *facts, const struct side_addresses *a, struct side_hosts *ret)
{
	for (unsigned i = 0; i < a->count; i++) {
		bool again = i && address_equal(&a->at[i].addr, &a->at[i - 1].addr);

		ret->at[i] = again ? ret->at[i - 1] : network_host_find(facts->network, &a->at[i].addr);
		ret->beyond[i] = again ? ret->beyond[i - 1] : place_beyond_nat(facts, &a->at[i].addr);
	}
	if (facts->vantage.kind == VANTAGE_INSIDE_NAT)
		faces_settle(facts, a, ret);
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

void place_sides(const struct facts *facts, const struct side_addresses sides[2], struct side_place ret[2])
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
/* Before, it named the very address that it signals from: another kind is no face that STUN or a NAT gives it. */
static bool named_itself_before(const struct direction *d, const struct window *w, const struct address *sip)
{
	for (unsigned k = 0; k < d->window_count && d->windows[k].on_ns < w->on_ns; k++) {
		for (unsigned i = 0; i < d->windows[k].source_count; i++) {
			if (address_equal(&d->windows[k].sources[i].at.addr, sip))
				return true;
		}
	}
	return false;
}

bool place_source_apart(const struct judge *j, const struct window *w)
{
	const struct address *sip = &j->d->slot->dialog->leg->party[j->d->sender].signalling.addr;

	if (!address_known(sip))
		return false;
	for (unsigned i = 0; i < w->source_count; i++) {
		const struct address *a = &w->sources[i].at.addr;
		const struct host *h = network_host_find(j->facts->network, a);

		if (address_equal(a, sip) || (h && h->sends_ip) || (address_private(a) != address_private(sip) &&
			(address_private(a) || !named_itself_before(j->d, w, sip))))
			return false;
	}
	return w->source_count > 0;
}

/* Direct media likewise, and the host that the audio was to come from since then was seen to send. NULL: not so. */
const struct endpoint *place_handed_on(const struct judge *j, const struct window *w)
{
	const struct address *sip = &j->d->slot->dialog->leg->party[j->d->sender].signalling.addr;
	const struct host *h;

	if (!w->source_count || !address_known(sip) || network_same(j->facts->network, &w->sources[0].at.addr, sip) ||
	    address_private(&w->sources[0].at.addr) || !named_itself_before(j->d, w, sip))
		return NULL;
	h = network_host_find(j->facts->network, &w->sources[0].at.addr);
	return h && h->sends_ip ? &w->sources[0].at : NULL;
}
