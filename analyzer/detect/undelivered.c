/* SPDX-License-Identifier: MIT */
/* undelivered: packets to the right address of which ICMP, RTCP or a missing copy say that they do not arrive. */
#include "analyzer/detect/hearing_parts.h"
#include "analyzer/detect/lookup.h"
#include "analyzer/network/two_points.h"

#define OPEN_NS (5 * SECOND_NS)

enum {
	OPEN_PACKETS = 200,          /* 4 s of 20 ms packets */
	ROUTED_PACKETS = 2           /* an answer or two: the mirror sees that direction behind the router */
};

static bool icmp_proves(const struct hearing *h)
{
	return h->icmp_count >= ICMP_PROOF && h->icmp_last->at.at_ns - h->icmp->at.at_ns >= SECOND_NS;
}

static bool says_port_closed(const struct icmp_record *i)
{
	return i->v6 ? i->type == 1 && i->code == 4 : i->type == 3 && i->code == 3;
}

/*
 * Only the first packets were answered by "port closed", and then audio flows on for long without: the port opened
 * late. Errors come at a limited rate, so that the quiet behind them must be longer than several of their intervals; a
 * filter that forbids tells it to whom it likes.
 */
static bool opened_late(const struct hearing *h, const struct counted *c)
{
	int64_t apart_ns = ns_minus(h->icmp_last->at.at_ns,
		h->icmp->at.at_ns) / (h->icmp_count > 1 ? h->icmp_count - 1 : 1);
	int64_t quiet_ns = ns_minus(c->last_ns, h->icmp_last->at.at_ns);

	if (!says_port_closed(h->icmp) || !c->main || c->first_ns == NS_NONE ||
	    ns_minus(h->icmp->at.at_ns, c->first_ns) > SECOND_NS)
		return false;
	return quiet_ns >= OPEN_NS && quiet_ns >= 4 * apart_ns &&
	       stream_packets_between(c->main, h->icmp_last->at.at_ns, c->last_ns) >= OPEN_PACKETS;
}

/* When did the receiver's highest sequence number begin to stand still? Its last report that still rose. */
static int64_t frozen_since(const struct judge *j, const struct stream *s)
{
	const struct rtcp_view *v = rtcp_view_of(j->facts->rtcp, s);

	if (!v || v->report_count < 2)
		return NS_NONE;
	for (unsigned i = v->report_count - 1; i > 0; i--) {
		if (v->reports[i].ext_seq != v->reports[i - 1].ext_seq)
			return v->reports[i].at_ns;
	}
	return v->reports[0].at_ns;
}

/* Its last report of this call that still had a block: what came behind that it says not to have got. */
static int64_t empty_since(const struct rtcp_party *p, int64_t from_ns, int64_t to_ns)
{
	for (unsigned i = p ? p->report_count : 0; i-- > 0;) {
		if (p->reports[i].at_ns < to_ns && p->reports[i].blocks)
			return p->reports[i].at_ns > from_ns ? p->reports[i].at_ns : NS_NONE;
	}
	return NS_NONE;
}

static const struct stream *main_stream(const struct direction *d)
{
	const struct stream *best = NULL;

	for (unsigned i = 0; i < d->stream_count; i++) {
		if (!d->streams[i]->twin_of && (!best || d->streams[i]->packets > best->packets))
			best = d->streams[i];
	}
	return best;
}

static bool mirrors(const struct stream *s, const struct stream *back)
{
	return address_equal(&s->src.addr, &back->dst.addr) && address_equal(&s->dst.addr, &back->src.addr);
}

/*
 * Two points before and behind a router that translates nothing: of the other direction's copies the one that has
 * travelled further lies on our sender's side, where this stream goes in.
 */
static const struct stream *copy_at_entry(const struct stream *a, const struct stream *b, const struct stream *s)
{
	const struct stream *entry = a->ttl < b->ttl ? a : b, *exit = entry == a ? b : a;

	if (a->ttl == b->ttl || a->capture == b->capture || s->capture != entry->capture)
		return NULL;
	return exit->first_ns <= s->last_ns && exit->last_ns >= s->first_ns ? entry : NULL;
}

/*
 * The point behind, where the other direction (back) goes in, sees something of the sender, or for the receiver: it is
 * not blind for that direction.
 */
static bool exit_hears(const struct judge *j, const struct stream *back)
{
	return network_passes_at(j->facts->network, &back->dst.addr, &back->src.addr, back->capture, back->interface,
		back->ifindex);
}

/*
 * The other direction is seen at two points, before and behind a router. This one is seen where it goes in, and not
 * behind: between the two it was dropped. Which side it goes in at is told by whose address the router translates
 * (private inside, public outside), or by the TTL, not by time: two files may have two clocks.
 */
static bool missing_between(const struct judge *j, const struct stream *s, const struct stream *a,
	const struct stream *b)
{
	const struct stream *entry;
	bool a_inside;

	if (address_equal(&a->dst.addr, &b->dst.addr) && address_equal(&a->src.addr, &b->src.addr)) {
		entry = copy_at_entry(a, b, s);
		if (!entry)
			return false;
	/* our sender is translated: it goes in where it is private */
	} else if (!address_equal(&a->dst.addr, &b->dst.addr)) {
		a_inside = address_private(&a->dst.addr);
		entry = a_inside ? a : b;
		if (a_inside == address_private(&b->dst.addr))
			return false;
	/* the receiver is: it goes in where the receiver is public */
	} else {
		a_inside = address_private(&a->src.addr);
		entry = a_inside ? b : a;
		if (a_inside == address_private(&b->src.addr))
			return false;
	}
	return mirrors(s, entry) && exit_hears(j, entry == a ? b : a);
}

/*
 * Of three points and more any two that follow one another on the other direction's way. What a relay makes is another
 * leg's: it may send back what it made itself.
 */
static bool copy_missing(const struct judge *j, const struct stream *s)
{
	const struct stream *a = main_stream(direction_reverse(j->d));
	bool several;

	if (!s || s->twin_of || s->packets < ALIVE_PACKETS)
		return false;
	/* several points may have seen it before a NAT keeps it */
	several = s->twin_next;
	s = stream_last_point(s);
	if (s->twin_next)
		return false;
	for (; a && a->twin_next; a = a->twin_next) {
		if (several && (a->twin_next->twin_kind == TWIN_POINT || address_private(&s->dst.addr)))
			continue;
		if (!address_equal(&a->dst.addr, &a->twin_next->src.addr) && missing_between(j, s, a, a->twin_next))
			return true;
	}
	return false;
}

/*
 * Captured on all interfaces of a router that translates nothing: the other direction is there twice, its copies a hop
 * older, as one stream. This one is seen only where the other one goes out.
 */
static bool never_forwarded(const struct judge *j, const struct stream *s)
{
	const struct stream *back = main_stream(direction_reverse(j->d));

	if (!s || !back || s->twin_of || s->twin_next || s->mirror_copies || s->packets < ALIVE_PACKETS ||
	    !mirrors(s, back) || stream_flaws(back)->copies_other_ttl * 2 < back->packets)
		return false;
	if (s->points & (s->points - 1) || !(s->points & back->points) || s->capture != back->capture ||
	    (s->interface == back->interface && s->ifindex == back->ifindex))
		return false;
	return exit_hears(j, back);
}

/*
 * A mirror of a router's trunk: what it passes from one VLAN to another is there twice, the copies a hop older, what
 * else goes this way between the two hosts is, too. This one is seen in its sender's VLAN alone.
 */
static bool never_routed(const struct judge *j, const struct stream *s)
{
	const struct stream *back = main_stream(direction_reverse(j->d));
	const struct pair *way;

	if (!s || !back || s->twin_of || s->twin_next || s->mirror_copies || s->packets < ALIVE_PACKETS ||
	    !mirrors(s, back) || s->capture != back->capture || !s->vlan || !back->vlan || s->vlan == back->vlan ||
	    stream_flaws(back)->copies_other_ttl * 2 < back->packets ||
	    stream_flaws(back)->copies_other_vlan * 2 < back->packets)
		return false;
	way = network_pair_find(j->facts->network, &s->src.addr, &s->dst.addr);
	return way && way->copies_other_point >= ROUTED_PACKETS;
}

/*
 * Two points before and behind a NAT, and each direction is seen at the one where it goes in, alone. What else goes
 * this way between the two hosts is seen where it should come out.
 */
static bool kept_by_nat(const struct judge *j, const struct stream *s)
{
	const struct stream *back = main_stream(direction_reverse(j->d));
	const struct address *inner, *outer;

	if (!s || !back || s->twin_of || s->twin_next || back->twin_next || s->capture == back->capture ||
	    s->packets < ALIVE_PACKETS || back->first_ns > s->last_ns || back->last_ns < s->first_ns)
		return false;
	inner = address_private(&s->src.addr) ? &s->src.addr : &back->src.addr;
	outer = inner == &s->src.addr ? &back->dst.addr : &s->dst.addr;
	return address_private(inner) && !address_private(outer) && network_at(j->facts->network, inner) &&
	       network_same(j->facts->network, inner, outer) && exit_hears(j, back);
}

/*
 * The receiver's own port is tapped, and audio for its public address never comes through to its real one: a router
 * keeps it. A PBX that has sent before, and then handed the audio on to another phone, is not the receiver.
 */
static bool image_missing(const struct judge *j, const struct stream *s)
{
	const struct stream *own = main_stream(direction_reverse(j->d));

	return s && own && !s->twin_next && !address_equal(&own->src.addr, &s->dst.addr) &&
	       own->last_ns > ns_add(s->first_ns, SECOND_NS) && address_private(&own->src.addr) &&
	       !address_private(&s->dst.addr) && !place_beyond_nat(j->facts, &own->src.addr) &&
	       network_at(j->facts->network, &own->src.addr) &&
	       address_private(&s->src.addr) && !hearing_may_return(j->facts, j->d, s);
}

/* Where it is seen other packets of its hosts are, too, both ways. */
static bool hosts_pass(const struct judge *j, const struct stream *s)
{
	const struct pair *there = network_pair_find(j->facts->network, &s->src.addr, &s->dst.addr),
		*back = network_pair_find(j->facts->network, &s->dst.addr, &s->src.addr);
	uint32_t point = network_point(j->facts->network, s->capture, s->interface, s->ifindex);

	return there && back && (there->points & point) && (back->points & point);
}

static bool is_image(const struct judge *j, const struct address *inside, const struct address *outside)
{
	struct endpoint whole = { *inside, 0 }, image;
	unsigned weight;

	return address_private(inside) && !address_private(outside) &&
	       network_public_of(j->facts->network, &whole, false, &image, &weight) &&
	       address_equal(&image.addr, outside);
}

/*
 * Both directions are seen at one point each, and not at the other's, where all else that the two say passes, both
 * ways: what goes in on either side does not come out. A NAT may be between; then the private address is inside.
 */
static bool neither_passes(const struct judge *j, const struct stream *s)
{
	const struct stream *a = main_stream(direction_reverse(j->d));
	bool s_same, a_same;

	if (!s || !a || s->twin_of || s->twin_next || a->twin_of || a->twin_next || (s->points & a->points) ||
	    !s->points || !a->points || s->packets < ALIVE_PACKETS || a->packets < ALIVE_PACKETS ||
	    s->points & (s->points - 1) || a->points & (a->points - 1) ||
	    s->first_ns > a->last_ns || a->first_ns > s->last_ns)
		return false;
	s_same = address_equal(&s->src.addr, &a->dst.addr);
	a_same = address_equal(&a->src.addr, &s->dst.addr);
	if (!(s_same || is_image(j, &s->src.addr, &a->dst.addr)) || !(a_same || is_image(j, &a->src.addr, &s->dst.addr)))
		return false;
	/*
	 * a NAT, or a router between the nets of both: points beside one another, or members of a bundled link, have
	 * neither
	 */
	if (s_same && a_same && (!just_sent(s) || !just_sent(a) || address_same_net(&s->src.addr, &a->src.addr)))
		return false;
	return hosts_pass(j, s) && hosts_pass(j, a);
}

/*
 * Something else that goes the receiver's way is still seen at the point behind: what it sends itself, or the file goes
 * on, where that is another one.
 */
static bool still_seen_at(const struct judge *j, const struct stream *copy, int64_t at_ns)
{
	const struct direction *back = direction_reverse(j->d);

	for (unsigned i = 0; i < back->stream_count; i++) {
		const struct stream *x = back->streams[i];

		if ((x->points & copy->points) && !(x->points & (x->points - 1)) && x->last_ns >= at_ns)
			return true;
	}
	return false;
}

/*
 * How much later the copy's clock is: where proxies between the two leave no message that both files have, by the
 * packet with which both begin. That is late by the way between them.
 */
static bool clock_of_copy(const struct judge *j, const struct stream *s, const struct stream *copy, int64_t *ret_ns)
{
	if (clock_between(two_points_clocks(j->facts->points), s->capture, copy->capture, ret_ns))
		return true;
	*ret_ns = ns_minus(copy->first_ns, s->first_ns);
	return copy->first_seq == s->first_seq;
}

/*
 * It was seen at two points, and goes on at the one nearer its sender alone: from then on it is dropped between them.
 * The times of the copy are of its own file's clock.
 */
static bool copy_ends(const struct judge *j, const struct stream *s, int64_t to_ns, int64_t *ret_since_ns)
{
	const struct stream *copy = s ? s->twin_next : NULL;
	int64_t offset_ns, since_ns;
	uint32_t frame;
	int64_t last_ns;

	if (!copy || copy->twin_next || copy->twin_kind == TWIN_RELAY || copy->points & (copy->points - 1) ||
	    !clock_of_copy(j, s, copy, &offset_ns))
		return false;
	since_ns = ns_add(copy->last_ns, -offset_ns);
	last_ns = stream_last_between(s, since_ns, to_ns, &frame);
	if (last_ns == NS_NONE || ns_minus(last_ns, since_ns) < OPEN_NS ||
	    stream_packets_between(s, since_ns, to_ns) < OPEN_PACKETS ||
	    !still_seen_at(j, copy, ns_add(copy->last_ns, OPEN_NS)))
		return false;
	*ret_since_ns = since_ns;
	return true;
}

/* The relay's own addresses towards the receiver: where the audio comes in, and what it wrote as the sender's. */
static bool is_relay(const struct judge *j, const struct window *w, const struct stream *in, const struct address *a)
{
	if (network_same(j->facts->network, a, &in->dst.addr))
		return true;
	for (unsigned i = 1; i < w->source_count; i++) {
		if (address_equal(a, &w->sources[i].at.addr) && network_at(j->facts->network, a))
			return true;
	}
	return false;
}

/*
 * A relay with an address in each of two networks: it told the receiver another one of its own than the one at which
 * the audio comes in, and from there other packets go to who is to hear it.
 */
static bool other_face_sends(const struct judge *j, const struct window *w, const struct stream *in)
{
	const struct address *author = &w->targets[w->target_count - 1].at.addr;

	for (unsigned i = 1; i < w->source_count; i++) {
		const struct address *face = &w->sources[i].at.addr;
		const struct pair *p = network_pair_find(j->facts->network, face, author);

		if (!address_equal(face, &in->dst.addr) && p && p->packets && network_at(j->facts->network, face) &&
		    pair_seen(p, in->first_ns, in->last_ns, MINUTE_NS))
			return true;
	}
	return false;
}

/* Does the relay send anything at all to where the receiver is, past the point at which the audio comes in? */
static bool relay_sends_there(const struct judge *j, const struct window *w, const struct stream *in)
{
	uint32_t point = network_point(j->facts->network, in->capture, in->interface, in->ifindex);

	for (unsigned i = 0; i < j->receiver->count; i++) {
		const struct address *to = &j->receiver->at[i].addr;
		const struct pair *p = network_pair_find(j->facts->network, &in->dst.addr, to);

		if (p && p->packets && (p->points & point) && !is_relay(j, w, in, to) &&
		    pair_seen(p, in->first_ns, in->last_ns, MINUTE_NS))
			return true;
	}
	return false;
}

/* The same audio at the last point before a relay: a NAT may be between its points. */
static const struct stream *before_relay(const struct stream *s)
{
	while (s->twin_next && s->twin_next->twin_kind != TWIN_RELAY)
		s = s->twin_next;
	return s;
}

/* Audio that leaves the relay then, and is this direction's or nobody's. */
static bool relay_sends_audio(const struct judge *j, const struct window *w, const struct stream *in, int64_t from_ns,
	int64_t to_ns)
{
	struct lookup_orphans within = lookup_orphans_within(j->facts->lookup, from_ns, to_ns);

	for (unsigned i = 0; i < j->d->stream_count; i++) {
		const struct stream *s = j->d->streams[i];

		if (before_relay(s) != in && s->direction == j->d && s->first_ns <= to_ns && s->last_ns >= from_ns &&
		    is_relay(j, w, in, &s->src.addr))
			return true;
	}
	for (const struct stream *s; (s = lookup_orphan_next(j->facts->lookup, &within)) != NULL;)
		if (s != in && is_relay(j, w, in, &s->src.addr))
			return true;
	return false;
}

static bool comes_in_here(const struct judge *j, const struct stream *s)
{
	return network_at_point(j->facts->network, &s->dst.addr, s->capture, s->interface, s->ifindex);
}

/*
 * At a relay that has put its own address in the place of the receiver's: audio comes in, and nothing of it goes out,
 * where other packets of the relay go to the receiver. A relay that the receiver told a private address, and has sent
 * nothing yet, does not know where to.
 */
static bool relay_keeps(const struct judge *j, const struct window *w, const struct stream *s)
{
	const struct address *author = w->target_count > 1 ? &w->targets[w->target_count - 1].at.addr : NULL;

	if (!s || !author || s->twin_of)
		return false;
	s = before_relay(s);
	if (s->twin_next || s->packets < ALIVE_PACKETS || !comes_in_here(j, s) || is_relay(j, w, s, author) ||
	    !address_equal(&s->dst.addr, &w->targets[0].at.addr))
		return false;
	if (address_private(author) && !address_private(&s->dst.addr) && !direction_reverse(j->d)->stream_count)
		return false;
	return (relay_sends_there(j, w, s) || other_face_sends(j, w, s)) &&
		!relay_sends_audio(j, w, s, s->first_ns, s->last_ns);
}

/*
 * What the relay makes of it: the same packets, or where it transcodes and sends as a source of its own the last audio
 * of this direction that leaves it. NULL: nothing, or it may leave pauses out.
 */
static const struct stream *relayed(const struct judge *j, const struct window *w, const struct stream *s)
{
	const struct stream *out = s ? s->twin_next : NULL;

	if (out || !s)
		return out && out->twin_kind == TWIN_RELAY && !out->twin_next ? out : NULL;
	for (unsigned i = 0; !w->dtx_allowed && i < j->d->stream_count; i++) {
		const struct stream *x = j->d->streams[i];

		if (x == s || x->ssrc == s->ssrc || x->dtx_seen || x->twin_of || x->twin_next ||
		    x->packets < OPEN_PACKETS || !is_relay(j, w, s, &x->src.addr))
			continue;
		if (!out || x->last_ns > out->last_ns)
			out = x;
	}
	return out;
}

/*
 * At the relay: it sent on what came in, and from some moment on it does no more, though that goes on. The audio that
 * it last sent, and nothing of it later.
 */
static bool relay_stops(const struct judge *j, const struct window *w, const struct stream *s, int64_t to_ns,
	int64_t *ret_since_ns)
{
	const struct stream *out = relayed(j, w, s);

	if (!out || s->twin_of || out->capture != s->capture || !comes_in_here(j, s) || !relay_sends_there(j, w, s) ||
	    ns_minus(to_ns, out->last_ns) < TAIL_NS ||
	    stream_packets_between(s, ns_add(out->last_ns, SECOND_NS), to_ns) < OPEN_PACKETS ||
	    relay_sends_audio(j, w, s, ns_add(out->last_ns, SECOND_NS + 1), INT64_MAX))
		return false;
	*ret_since_ns = out->last_ns;
	return true;
}

/* Its make may never send blocks; that its router gave the audio another port says the same again. */
static bool port_changed(const struct judge *j, const struct stream *s, int64_t from_ns, int64_t to_ns)
{
	const struct rtcp_party *p = j->h->receiver_rtcp;

	return s && p && !p->ever_blocks && hearing_port_changed(j->facts, j->d, &s->dst) &&
	       rtcp_reports_empty(p, s, from_ns, to_ns);
}

/* It goes in at one point of the capture, and does not come out at the next one. */
static bool ends_between_points(const struct judge *j, const struct stream *s)
{
	return neither_passes(j, s) || copy_missing(j, s) || never_forwarded(j, s) || never_routed(j, s) ||
	       kept_by_nat(j, s) || image_missing(j, s);
}

bool undelivered_judge(struct judge *j, const struct window *w, const struct counted *c, int64_t from_ns, int64_t to_ns)
{
	struct hearing *h = j->h;
	int64_t since_ns = from_ns;

	if (icmp_proves(h) && opened_late(h, c)) {
		h->opened_ns = h->delivered_from_ns = h->icmp_last->at.at_ns;
		return false;
	}
	if (icmp_proves(h)) {
		h->undelivered_by = "icmp";
		if (h->icmp->at.at_ns > ns_add(from_ns, 3 * SECOND_NS))
			since_ns = h->icmp->at.at_ns;
	} else if (relay_stops(j, w, c->main, to_ns, &since_ns)) {
		h->undelivered_by = "relay-keeps";
	} else if (h->report == RTCP_VERDICT_EMPTY && ends_between_points(j, c->main)) {
		/* the receiver says that it gets nothing, two points of the capture where it ends */
		h->undelivered_by = "missing-copy";
	} else if (h->report == RTCP_VERDICT_EMPTY) {
		int64_t empty_ns = empty_since(h->receiver_rtcp, from_ns, to_ns);

		h->undelivered_by = "rtcp-empty";
		if (empty_ns != NS_NONE)
			since_ns = empty_ns;
	} else if (h->report == RTCP_VERDICT_FROZEN && copy_ends(j, c->main, to_ns, &since_ns)) {
		/* the receiver says that it ends, two points of the capture where */
		h->undelivered_by = "copy-ends";
	} else if (h->report == RTCP_VERDICT_FROZEN) {
		int64_t frozen_ns = frozen_since(j, c->main);

		h->undelivered_by = "rtcp-frozen";
		if (frozen_ns != NS_NONE && frozen_ns > since_ns)
			since_ns = frozen_ns;
	} else if (h->report == RTCP_VERDICT_NONE && port_changed(j, c->main, from_ns, to_ns)) {
		h->undelivered_by = "rtcp-nothing";
	} else if (h->report != RTCP_VERDICT_ADVANCING && ends_between_points(j, c->main)) {
		h->undelivered_by = "missing-copy";
	} else if (h->report != RTCP_VERDICT_ADVANCING && relay_keeps(j, w, c->main)) {
		h->undelivered_by = "relay-keeps";
	} else if (copy_ends(j, c->main, to_ns, &since_ns)) {
		h->undelivered_by = "copy-ends";
	} else {
		return false;
	}
	judge_fail(j, w, FAILURE_UNDELIVERED, since_ns, to_ns, since_ns == from_ns);
	return true;
}
