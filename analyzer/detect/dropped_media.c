/* SPDX-License-Identifier: MIT */
/*
 * dropped_media: audio that is seen going in and not coming out, between points that other streams of the same hosts
 * pass (3.6).
 */
#include "analyzer/detect/dropped_in_path.h"

#include <stdio.h>

#include "analyzer/detect/gates.h"
#include "analyzer/detect/say.h"
#include "analyzer/media/socket_use.h"
#include "analyzer/network/internal.h"

#define NEIGHBOUR_NS (30 * SECOND_NS)

enum { LOOK_MAX = 64 };              /* routes of two hosts, streams of one SSRC that are looked at */

/* A stream that passes: where it goes in, and as what it comes out. Kept by its hosts where it goes in. */
struct route {
	struct hash_link by_hosts;
	const struct stream *in, *out;
};

struct by_ssrc {
	struct hash_link link;
	const struct stream *stream;
};

struct paths {
	struct arena *arena;
	struct hash routes, ssrcs;
};

static uint32_t ssrc_hash(uint32_t ssrc)
{
	return (uint32_t)hash_mix(5, ssrc);
}

static uint32_t hosts_hash(const struct address *src, const struct address *dst)
{
	return (uint32_t)hash_mix(address_key(src), address_key(dst));
}

/*
 * Nearer the sender: private where its side is translated, public where the receiver's is, else less travelled. Not by
 * time: clocks differ.
 */
static bool goes_in(const struct stream *x, const struct stream *y)
{
	if (!address_equal(&x->src.addr, &y->src.addr))
		return address_private(&x->src.addr) && !address_private(&y->src.addr);
	if (!address_equal(&x->dst.addr, &y->dst.addr))
		return address_private(&y->dst.addr) && !address_private(&x->dst.addr);
	return x->ttl > y->ttl;
}

static void route_add(struct paths *p, const struct stream *in, const struct stream *out)
{
	struct route *r = arena_zalloc(p->arena, sizeof *r);

	r->in = in;
	r->out = out;
	hash_add(&p->routes, &r->by_hosts, hosts_hash(&in->src.addr, &in->dst.addr));
}

static void paths_init(struct paths *p, const struct streams *streams)
{
	p->arena = arena_new();
	hash_init(&p->routes);
	hash_init(&p->ssrcs);
	LIST_EACH(it, streams_in_order(streams)) {
		const struct stream *s = LIST_ENTRY(it, struct stream, in_order), *t = s->twin_of;
		struct by_ssrc *b = arena_zalloc(p->arena, sizeof *b);

		b->stream = s;
		hash_add(&p->ssrcs, &b->link, ssrc_hash(s->ssrc));
		if (!t || s->twin_kind == TWIN_RELAY)
			continue;
		if (goes_in(s, t))
			route_add(p, s, t);
		else if (goes_in(t, s))
			route_add(p, t, s);
	}
}

static void paths_fini(struct paths *p)
{
	hash_fini(&p->routes);
	hash_fini(&p->ssrcs);
	arena_free(p->arena);
}

/* A trace of it in that file, too little to be known as its twin. */
static bool seen_in(const struct paths *p, const struct stream *s, uint16_t capture)
{
	unsigned looked = 0;

	for (struct hash_link *it = hash_first(&p->ssrcs, ssrc_hash(s->ssrc)); it; it = it->next) {
		const struct stream *x = HASH_ENTRY(it, struct by_ssrc, link)->stream;

		if (x == s || x->ssrc != s->ssrc)
			continue;
		/* so many that nothing can be said */
		if (x->capture == capture || s->capture == capture || ++looked == LOOK_MAX)
			return true;
	}
	return false;
}

/* The other file lasts as long, sees media of these hosts about that time, and its clock is known. */
static bool would_show(const struct two_points *points, const struct stream *s, const struct route *r)
{
	int64_t offset_ns, first_ns, last_ns;

	if (s->capture != r->in->capture ||
	    !clock_between(two_points_clocks(points), s->capture, r->out->capture, &offset_ns))
		return false;
	first_ns = ns_add(s->first_ns, offset_ns);
	last_ns = ns_add(s->last_ns, offset_ns);
	return two_points_covers(points, r->out->capture, first_ns) &&
	       two_points_covers(points, r->out->capture, last_ns) &&
	       r->out->first_ns <= ns_add(last_ns, NEIGHBOUR_NS) && r->out->last_ns >= ns_minus(first_ns, NEIGHBOUR_NS);
}

/*
 * Behind a NAT are others as well, and the second point may stand at the port of one phone: the route is this stream's
 * when it comes out to the host that is its receiver, too.
 */
static bool same_receiver(const struct facts *facts, const struct stream *s, const struct route *r)
{
	const struct address *behind = &r->out->dst.addr;
	struct endpoint inside;
	bool told_private = false;

	if (address_equal(&r->in->dst.addr, behind))
		return true;
	for (unsigned i = 0; s->direction && i < s->direction->window_count; i++) {
		const struct window *w = &s->direction->windows[i];

		for (unsigned k = 0; k < w->target_count; k++) {
			if (address_equal(&w->targets[k].at.addr, behind))
				return true;
			told_private |= address_private(&w->targets[k].at.addr);
		}
	}
	if (told_private)
		return false;
	if (network_private_of(facts->network, &s->dst, true, &inside, NULL))
		return address_equal(&inside.addr, behind);
	return network_insides(facts->network, &s->dst.addr) <= 1;
}

static const struct route *route_of(const struct paths *p, const struct facts *facts, const struct stream *s)
{
	uint32_t hash = hosts_hash(&s->src.addr, &s->dst.addr);
	unsigned looked = 0;

	for (struct hash_link *it = hash_first(&p->routes, hash); it && looked < LOOK_MAX; it = it->next) {
		const struct route *r = HASH_ENTRY(it, struct route, by_hosts);

		looked += it->hash == hash;
		if (it->hash == hash && address_equal(&r->in->src.addr, &s->src.addr) &&
		    address_equal(&r->in->dst.addr, &s->dst.addr) && would_show(facts->points, s, r) &&
		    same_receiver(facts, s, r) && !seen_in(p, s, r->out->capture))
			return r;
	}
	return NULL;
}

/* All interfaces of a router that translates nothing: what it passes is there twice, the copies a hop older. */
static bool forwarded_here(const struct stream *s)
{
	return !s->twin_of && stream_flaws(s)->copies_other_ttl * 2 >= s->packets;
}

/*
 * The other direction of the same call is seen at both points, this one only where it goes in; hearing has looked which
 * side that is.
 */
static const struct stream *passing_back(const struct stream *s)
{
	const struct direction *back = direction_reverse(s->direction);
	const struct hearing *h = hearing_of(s->direction);

	if (!h || h->failure != FAILURE_UNDELIVERED || !h->undelivered_by ||
	    strcmp(h->undelivered_by, "missing-copy") != 0 || h->stream != s || forwarded_here(s))
		return NULL;         /* passed on, and kept behind that: no hairpin */
	for (unsigned i = 0; i < back->stream_count; i++) {
		if (back->streams[i]->twin_next || forwarded_here(back->streams[i]))
			return back->streams[i];
	}
	return NULL;
}

/*
 * Neither direction of the call comes out: hearing has seen that all else of the two does. The other one; NULL: not so.
 */
static const struct stream *neither_passes(const struct stream *s)
{
	const struct direction *back = direction_reverse(s->direction);
	const struct hearing *h = hearing_of(s->direction), *other = hearing_of(back);

	if (!h || !other || h->failure != FAILURE_UNDELIVERED || other->failure != FAILURE_UNDELIVERED ||
	    strcmp(h->undelivered_by, "missing-copy") != 0 || strcmp(other->undelivered_by, "missing-copy") != 0 ||
	    h->stream != s || !other->stream || other->stream->twin_next || other->stream->twin_of)
		return NULL;
	return other->stream;
}

/* It came out, and from some moment on it goes in alone. */
static bool ends_between(const struct stream *s)
{
	const struct hearing *h = s->twin_next ? hearing_of(s->direction) : NULL;

	return h && h->failure == FAILURE_UNDELIVERED && strcmp(h->undelivered_by, "copy-ends") == 0 && h->stream == s;
}

/*
 * No SIP tells of it (TLS). What runs the other way between its two sockets is seen at both points, and the other point
 * is not blind for this way. What passes; *ret: as it is there.
 */
static const struct stream *passes_back_unsignalled(const struct facts *facts, const struct stream *s,
	const struct stream **ret)
{
	const struct socket_use *u = socket_uses_find(facts->sockets, &s->dst);
	struct stream_slice out = u ? socket_leaving(u, s->last_ns) : (struct stream_slice){ .count = 0 };

	for (unsigned i = out.count; i-- > 0;) {
		const struct stream *here = out.at[i], *there = here->twin_of ? here->twin_of : here->twin_next;
		const struct stream *later = here->twin_of ? here : there;
		struct route way = { .in = here, .out = there };

		if (!there || later->twin_kind == TWIN_RELAY || !endpoint_equal(&here->dst, &s->src) ||
		    here->last_ns < s->first_ns || !goes_in(there, here) || !would_show(facts->points, s, &way) ||
		    !network_passes_at(facts->network, &there->dst.addr, &there->src.addr, there->capture,
			    there->interface, there->ifindex))
			continue;
		*ret = there;
		return here;
	}
	return NULL;
}

static bool is_received(const struct stream *s)
{
	const struct hearing *h = s->direction ? hearing_of(s->direction) : NULL;

	return h && h->stream == s && h->report == RTCP_VERDICT_ADVANCING;
}

/* ---- words ---- */

static struct address device_between(const struct stream *in, const struct stream *out)
{
	if (!address_equal(&in->src.addr, &out->src.addr))
		return address_private(&in->src.addr) ? out->src.addr : in->src.addr;
	if (!address_equal(&in->dst.addr, &out->dst.addr))
		return address_private(&in->dst.addr) ? out->dst.addr : in->dst.addr;
	return (struct address){ .family = 0 };
}

/* The router that the other direction passes, between some two of the points where it is seen. */
static struct address device_passed(const struct stream *back)
{
	struct address device = { .family = 0 };

	for (const struct stream *x = back; x->twin_next && !address_known(&device); x = x->twin_next)
		device = device_between(x, x->twin_next);
	return device;
}

/* Of two directions, each seen on its own side: the NAT that the one is sent to, for the other's sender. */
static struct address device_beside(const struct stream *s, const struct stream *other)
{
	if (!address_equal(&s->src.addr, &other->dst.addr))
		return other->dst.addr;
	if (!address_equal(&s->dst.addr, &other->src.addr))
		return s->dst.addr;
	return (struct address){ .family = 0 };
}

enum what { KEPT, KEPT_BOTH_WAYS, KEPT_SINCE };

static void say_what(struct finding *f, enum what what, const struct stream *s, const char *count, const char *name)
{
	char text[TEXT_COUNT];

	switch (what) {
	case KEPT:
		finding_cause(f, "%s packets of this audio go in and none comes out at the next capture point, where other audio of the call's hosts passes: %s drops them.", count,
			name);
		break;
	case KEPT_BOTH_WAYS:
		finding_cause(f, "%s packets of this audio go in and none comes out at the next capture point; so it is with the other direction, while SIP of the same hosts passes both ways: %s drops audio.", count,
			name);
		break;
	case KEPT_SINCE:
		finding_cause(f, "Of %s packets that go in, the first %s come out at the next capture point, and from then on none: %s drops them.", count,
			text_count(s->twin_next->packets, text), name);
		break;
	}
}

/* victim: who does not get it, where no SIP tells. */
static void tell(struct detection *d, const struct stream *s, const struct stream *passes, struct address device,
	const struct endpoint *victim, enum confidence c, enum what what)
{
	const struct facts *facts = detection_facts(d);
	struct finding *f = detection_raise_keyed(d, hash_mix(7, s->n), "media", SEVERITY_ERROR, c);
	char src[SAY_TEXT], dst[SAY_TEXT], at[ADDRESS_TEXT], count[TEXT_COUNT],
		name[96] = "the device between the two capture points";

	if (address_known(&device))
		snprintf(name, sizeof name, "the router %s", address_text(&device, at));
	else if (what == KEPT && forwarded_here(passes) && stream_flaws(passes)->copies_other_vlan && s->vlan != passes->vlan)
		snprintf(name, sizeof name, "the router between VLAN %u and %u", s->vlan, passes->vlan);
	else if (what == KEPT && forwarded_here(passes))
		snprintf(name, sizeof name, "the router on which this was captured");
	f->direction = s->direction;
	if (s->direction) {
		parts_of_direction(f, facts, s->direction);
	} else {
		finding_part(f, PART_VICTIM, victim);
		finding_stream(f, s->n);
	}
	if (address_known(&device))
		finding_part(f, PART_CULPRIT, &(struct endpoint){ device, 0 });
	finding_times(f, s->first_ns, s->last_ns);
	say_host(facts, &s->src.addr, src);
	/* it gets as far as the router, whose address stands for who is behind */
	if (s->direction && address_equal(&s->dst.addr, &device))
		say_party(facts, s->direction->slot->dialog->leg, side_other(s->direction->sender), dst);
	else
		say_host(facts, &s->dst.addr, dst);
	text_count(s->packets, count);
	finding_title(f, "Audio from %s is dropped on its way to %s", src, dst);
	say_what(f, what, s, count, name);
	finding_fix(f, "Look at %s: a firewall rule, a pinhole that SIP inspection did not open, or a session limit there discards UDP to port %u.", name, s->dst.port);
	finding_evidence_run(f, stream_frame(s, s->first_frame, s->first_ns), s->last_frame,
		what == KEPT_SINCE ? "%s packets go in" : "%s packets go in, none comes out", count);
	finding_evidence_run(f, stream_frame(passes, passes->first_frame, passes->first_ns), passes->last_frame,
		what == KEPT_BOTH_WAYS ? "the other direction, which does not come out either"
		: what == KEPT_SINCE ? "what comes out" : "audio that is seen at both points");
}

static void judge_signalled(struct detection *d, const struct stream *s, const struct route *r, bool sure)
{
	const struct stream *back = passing_back(s);

	if (r)
		tell(d, s, r->in, device_between(r->in, r->out), &s->dst, sure ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY,
			KEPT);
	else if (back)
		tell(d, s, back, device_passed(back), &s->dst, CONFIDENCE_LIKELY, KEPT);
	else if (neither_passes(s))
		tell(d, s, neither_passes(s), device_beside(s, neither_passes(s)), &s->dst, CONFIDENCE_LIKELY,
			KEPT_BOTH_WAYS);
}

static void judge_unsignalled(struct detection *d, const struct stream *s, const struct route *r)
{
	const struct stream *there, *back = passes_back_unsignalled(detection_facts(d), s, &there);

	if (r)
		tell(d, s, r->in, device_between(r->in, r->out), &s->dst, CONFIDENCE_LIKELY, KEPT);
	else if (back)
		tell(d, s, back, device_between(there, back), &there->src, CONFIDENCE_LIKELY, KEPT);
}

void dropped_media_judge(struct detection *d)
{
	const struct facts *facts = detection_facts(d);
	double least = detection_key(d, "rtp-min");
	bool sure = !gates_drops_counted(facts->gates) && !gates_link_member(facts->gates);
	struct paths paths;

	paths_init(&paths, facts->streams);
	LIST_EACH(it, streams_in_order(facts->streams)) {
		const struct stream *s = LIST_ENTRY(it, struct stream, in_order);

		if (!s->accepted || s->multicast || s->twin_of || (double)s->packets < least || is_received(s))
			continue;
		if (!s->twin_next && s->direction)
			judge_signalled(d, s, route_of(&paths, facts, s), sure);
		else if (!s->twin_next && sure)
			judge_unsignalled(d, s, route_of(&paths, facts, s));
		else if (s->direction && ends_between(s))
			tell(d, s, s->twin_next, device_between(s, s->twin_next), &s->dst,
				sure ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY, KEPT_SINCE);
	}
	paths_fini(&paths);
}
