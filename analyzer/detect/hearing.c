/* SPDX-License-Identifier: MIT */
/* hearing: one function answers whether a direction was heard, was not, or cannot be judged here. */
#include "analyzer/detect/hearing.h"

#include <stdarg.h>
#include <stdio.h>

#include "analyzer/detect/gates.h"
#include "analyzer/media/mos.h"

enum {
	ALIVE_PACKETS = 25,
	STRAY_PACKETS = 5,           /* media.max-stray */
	ICMP_PROOF = 3
};

#define TAIL_NS (10 * SECOND_NS)             /* so long without a packet to the end of a window is a failure, not an interruption */
#define SEES_MARGIN_NS (60 * SECOND_NS)
#define MEDIA_HOST_MARGIN_NS (10 * MINUTE_NS)
#define TALK_S 3.0
#define MOS_POOR 3.6

struct judge {                       /* what a judgement carries along */
	const struct facts *facts;
	struct direction *d;
	struct hearing *h;
	int64_t end_ns;              /* of the capture */
	struct side_addresses sender, receiver;
	bool inside_nat;             /* the capture point lies on the private side */
};

__attribute__((format(printf, 2, 3))) static void because(struct hearing *h, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(h->why, sizeof h->why, format, ap);
	va_end(ap);
}

static double key(const struct judge *j, const char *section, const char *name)
{
	return config_value(j->facts->config, section, name);
}

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

void side_addresses(const struct mslot *slot, enum side side, struct side_addresses *ret)
{
	const struct direction *sends = &slot->direction[side], *receives = &slot->direction[side_other(side)];
	const struct party *party = &slot->dialog->leg->party[side];

	memset(ret, 0, sizeof *ret);
	for (unsigned i = 0; i < sends->stream_count; i++)
		addresses_add(ret, &sends->streams[i]->src);
	for (unsigned i = 0; i < receives->window_count; i++) {
		for (unsigned k = 0; k < receives->windows[i].target_count; k++)
			addresses_add(ret, &receives->windows[i].targets[k].at);
	}
	ret->media_count = ret->count;
	addresses_add(ret, &party->signalling);
}

/* Was any packet from one of a to one of b seen in the time? Media addresses of the sender only. */
static bool pair_seen_between(const struct judge *j, const struct side_addresses *a, unsigned a_count, const struct side_addresses *b, int64_t from_ns,
			      int64_t to_ns)
{
	for (unsigned i = 0; i < a_count; i++) {
		for (unsigned k = 0; k < b->count; k++) {
			const struct pair *p = network_pair_find(j->facts->network, &a->at[i].addr, &b->at[k].addr);

			if (p && p->packets && pair_seen(p, from_ns, to_ns, SEES_MARGIN_NS))
				return true;
		}
	}
	return false;
}

static bool host_sends(const struct judge *j, const struct address *a, int64_t from_ns, int64_t to_ns)
{
	const struct host *h = network_host_find(j->facts->network, a);

	return h && h->sends_ip && h->first_ns <= ns_add(to_ns, MEDIA_HOST_MARGIN_NS) && h->last_out_ns >= ns_add(from_ns, -MEDIA_HOST_MARGIN_NS);
}

/* Whatever the sender sends would pass here, too: the receiver's link is tapped and carries others from the sender's side. 1.7.2 */
static bool link_covered(const struct judge *j, int64_t from_ns, int64_t to_ns)
{
	const struct pair *witness;

	for (unsigned i = 0; i < j->receiver.count; i++) {
		const struct address *r = &j->receiver.at[i].addr;

		if (!network_at(j->facts->network, r) || direction_reverse(j->d)->stream_count == 0)
			continue;
		for (unsigned k = 0; k < j->sender.count; k++) {
			const struct address *s = &j->sender.at[k].addr;

			if (!network_other_inbound(j->facts->network, r, s, from_ns, to_ns, &witness))
				continue;
			if (address_same_net(s, r) == address_same_net(&witness->src, r))
				return true;
		}
	}
	return false;
}

static enum sees judge_sees(const struct judge *j, int64_t from_ns, int64_t to_ns)
{
	if (pair_seen_between(j, &j->sender, j->sender.media_count, &j->receiver, from_ns, to_ns))
		return SEES_YES;
	for (unsigned i = 0; i < j->sender.media_count; i++) {
		if (host_sends(j, &j->sender.at[i].addr, from_ns, to_ns))
			return SEES_LIKELY;
	}
	return link_covered(j, from_ns, to_ns) ? SEES_LIKELY : SEES_NO;
}

/* Inside a NAT what is public lies beyond the router, whatever TTL a device in between has written anew. */
static bool beyond_nat(const struct judge *j, const struct address *a)
{
	return j->inside_nat && !address_private(a);
}

static bool any_at(const struct judge *j, const struct side_addresses *a)
{
	for (unsigned i = 0; i < a->count; i++) {
		if (!beyond_nat(j, &a->at[i].addr) && network_at(j->facts->network, &a->at[i].addr))
			return true;
	}
	return false;
}

static bool any_near(const struct judge *j, const struct side_addresses *a, const struct side_addresses *b)
{
	for (unsigned i = 0; i < a->count; i++) {
		for (unsigned k = 0; k < b->count; k++) {
			if (beyond_nat(j, &a->at[i].addr))
				continue;
			if (beyond_nat(j, &b->at[k].addr) || network_near(j->facts->network, &a->at[i].addr, &b->at[k].addr))
				return true;
		}
	}
	return false;
}

static void judge_place(struct judge *j)
{
	struct hearing *h = j->h;

	h->at_sender = any_at(j, &j->sender);
	h->at_receiver = any_at(j, &j->receiver);
	h->near_sender = h->at_sender || any_near(j, &j->sender, &j->receiver);
	h->near_receiver = h->at_receiver || any_near(j, &j->receiver, &j->sender);
}

/* ---- usable(R) ---- */

static bool common_point(const struct pair *p, const struct stream *s)
{
	return !s || !s->points || !p->points || (p->points & s->points);
}

/* Does the receiver's own traffic come from this very address where the sender is seen? Then it is routed here, private or not. */
static bool lives_at(const struct facts *facts, const struct address *a, const struct side_addresses *sender, const struct stream *s)
{
	for (unsigned i = 0; i < sender->count; i++) {
		const struct pair *p = network_pair_find(facts->network, a, &sender->at[i].addr);

		if (p && p->packets && common_point(p, s))
			return true;
	}
	return false;
}

static bool sends_anything(const struct facts *facts, const struct address *a)
{
	const struct host *h = network_host_find(facts->network, a);

	return h && h->sends_ip;
}

/* Where the receiver's packets come from when they come from one place, by RTP first; false: unknown. */
static bool real_source(const struct direction *d, struct endpoint *ret)
{
	const struct direction *own = direction_reverse(d);
	const struct party *party = &d->slot->dialog->leg->party[side_other(d->sender)];

	if (own->stream_count) {
		*ret = own->streams[own->stream_count - 1]->src;
		return true;
	}
	*ret = party->signalling;
	ret->port = 0;
	return address_known(&party->signalling.addr);
}

enum contradiction hearing_contradiction(const struct facts *facts, const struct direction *d, const struct window *w, const struct endpoint *sdp,
					 const struct stream *s, struct endpoint *ret_real)
{
	const struct party *receiver = &d->slot->dialog->leg->party[side_other(d->sender)];
	struct side_addresses sender;
	bool elsewhere;

	(void)w;
	side_addresses(d->slot, d->sender, &sender);
	if (!real_source(d, ret_real) || address_equal(&ret_real->addr, &sdp->addr) || lives_at(facts, &sdp->addr, &sender, s))
		return CONTRADICTION_NONE;
	elsewhere = direction_reverse(d)->stream_count && address_equal(&receiver->signalling.addr, &ret_real->addr);
	if (address_private(&sdp->addr)) {
		bool sender_outside = s ? !address_private(&s->src.addr) : sender.count && !address_private(&sender.at[0].addr);

		if ((sender_outside || !address_private(&ret_real->addr)) && !address_private(&ret_real->addr))
			return CONTRADICTION_PRIVATE;
		if (sender_outside && !sends_anything(facts, &sdp->addr))
			return CONTRADICTION_PRIVATE;
		return CONTRADICTION_NONE;
	}
	/* public, and neither its signalling nor its media lives there; a gateway whose media differs from its signalling proves nothing */
	return elsewhere && !sends_anything(facts, &sdp->addr) ? CONTRADICTION_ELSEWHERE : CONTRADICTION_NONE;
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

/* A second sender from nowhere while the party's own audio comes from where it should: not the party. */
static bool is_foreign(const struct direction *own, const struct stream *s)
{
	if (is_of_party(own, s))
		return false;
	for (unsigned i = 0; i < own->stream_count; i++) {
		const struct stream *other = own->streams[i];

		if (other != s && is_of_party(own, other) && other->first_ns <= s->last_ns && other->last_ns >= s->first_ns)
			return true;
	}
	return false;
}

/* The receiver's own audio comes from that very address in this window: it can be reached there, whatever SDP says. */
static bool is_own_source(const struct direction *d, const struct window *w, const struct endpoint *at)
{
	const struct direction *own = direction_reverse(d);
	int64_t from_ns = w->moved ? ns_add(w->on_ns, 2 * SECOND_NS) : w->on_ns;

	for (unsigned i = 0; i < own->stream_count; i++) {
		const struct stream *s = own->streams[i];

		if (endpoint_equal(&s->src, at) && s->last_ns >= from_ns && !is_foreign(own, s))
			return true;
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

static bool is_image(const struct facts *facts, const struct window *w, const struct endpoint *at)
{
	struct endpoint image;
	unsigned weight;

	for (unsigned i = 0; i < w->target_count; i++) {
		if (network_public_of(facts->network, &w->targets[i].at, true, &image, &weight) && endpoint_equal(&image, at))
			return true;
		if (network_private_of(facts->network, &w->targets[i].at, true, &image, &weight) && endpoint_equal(&image, at))
			return true;
	}
	return false;
}

bool hearing_usable(const struct facts *facts, const struct direction *d, const struct window *w, const struct stream *s, const char **ret_why)
{
	struct endpoint real;

	*ret_why = "";
	if (is_own_source(d, w, &s->dst))
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
	if (s->bound_by == 6 && belongs_to_another(d, &s->dst)) {
		*ret_why = "the address of another machine";
		return false;
	}
	if (is_image(facts, w, &s->dst) || s->bound_by == 2 || s->bound_by == 7 || s->bound_by == 6 || s->bound_by == 9)
		return true;
	/* an address of an earlier window: valid while old and new overlap, a stale target after that; the caller cuts the time */
	*ret_why = "not the address that was agreed";
	return false;
}

/* ---- what came ---- */

struct counted {
	double right, wrong, foreign_pt;
	const struct stream *main, *wrong_main;
	double main_packets, wrong_packets;
	int64_t first_ns, last_ns, wrong_first_ns, wrong_last_ns;
	uint32_t first_frame, last_frame;
	bool weak;                   /* a B10 stream: may be it, may not */
	bool dtx;
};

static bool pt_known(const struct window *w, const struct stream *s)
{
	uint32_t known = 0, all = 0;
	bool receivers;

	for (unsigned i = 0; i < s->pt_count; i++) {
		all += s->pt_packets[i];
		if (s->pts[i] == 13 || window_format(w, s->pts[i], &receivers))
			known += s->pt_packets[i];
	}
	return !w->receiver || !w->receiver->format_count || known * 5 > all;
}

static void count_right(struct counted *c, const struct stream *s, double n, int64_t from_ns, int64_t to_ns)
{
	uint32_t frame = 0, last_frame = 0;
	int64_t first_ns = stream_first_between(s, from_ns, to_ns, &frame), last_ns = stream_last_between(s, from_ns, to_ns, &last_frame);

	c->right += n;
	c->dtx |= s->dtx_seen;
	if (first_ns != NS_NONE && (c->first_ns == NS_NONE || first_ns < c->first_ns)) {
		c->first_ns = first_ns;
		c->first_frame = frame;
	}
	if (last_ns != NS_NONE && (c->last_ns == NS_NONE || last_ns > c->last_ns)) {
		c->last_ns = last_ns;
		c->last_frame = last_frame;
	}
	if (n > c->main_packets) {
		c->main = s;
		c->main_packets = n;
	}
}

static void count_wrong(struct counted *c, const struct stream *s, double n, int64_t from_ns, int64_t to_ns)
{
	uint32_t frame;
	int64_t first_ns = stream_first_between(s, from_ns, to_ns, &frame), last_ns = stream_last_between(s, from_ns, to_ns, &frame);

	c->wrong += n;
	if (n > c->wrong_packets) {
		c->wrong_main = s;
		c->wrong_packets = n;
		c->wrong_first_ns = first_ns;
		c->wrong_last_ns = last_ns;
	}
}

static struct counted count_window(const struct judge *j, const struct window *w, int64_t from_ns, int64_t to_ns)
{
	struct counted c = { .first_ns = NS_NONE, .last_ns = NS_NONE, .wrong_first_ns = NS_NONE, .wrong_last_ns = NS_NONE };
	const char *why;

	for (unsigned i = 0; i < j->d->stream_count; i++) {
		const struct stream *s = j->d->streams[i];
		double n = stream_packets_between(s, from_ns, to_ns);

		if (n <= 0 || (s->twin_of && s->twin_of->direction == j->d))
			continue;                            /* a twin is counted where it was first seen */
		if (s->bound_by == 10)
			c.weak = true;
		else if (s->direction == j->d && s->bound_by == 8)
			count_wrong(&c, s, n, from_ns, to_ns);
		else if (!pt_known(w, s))
			c.foreign_pt += n;
		else if (hearing_usable(j->facts, j->d, w, s, &why))
			count_right(&c, s, n, from_ns, to_ns);
		else
			count_wrong(&c, s, n, from_ns, to_ns);
	}
	return c;
}

/* ---- ICMP and RTCP ---- */

static void count_icmp(struct judge *j, const struct window *w, int64_t from_ns, int64_t to_ns)
{
	struct hearing *h = j->h;

	LIST_EACH(it, j->facts->icmp) {
		const struct icmp_record *r = LIST_ENTRY(it, struct icmp_record, in_order);
		bool ours = false;

		if (!r->readable || r->protocol != 17 || r->at.at_ns < from_ns || r->at.at_ns > to_ns)
			continue;
		for (unsigned i = 0; i < j->d->stream_count && !ours; i++) {
			const struct stream *s = j->d->streams[i];

			ours = endpoint_equal(&s->src, &r->src) && endpoint_equal(&s->dst, &r->dst);
		}
		if (!ours && !window_has_target(w, &r->dst))
			continue;
		if (h->icmp_count++ == 0)
			h->icmp = r;
		h->icmp_last = r;
	}
}

static const struct rtcp_party *party_of(const struct judge *j, const struct side_addresses *a, const struct sdp_media *media, int64_t from_ns, int64_t to_ns)
{
	for (unsigned i = 0; i < a->media_count; i++) {
		const struct endpoint *rtcp = media && address_known(&media->rtcp.addr) ? &media->rtcp : NULL;
		const struct rtcp_party *p = rtcp_party_at(j->facts->rtcp, &a->at[i], rtcp, from_ns, to_ns);

		if (p)
			return p;
	}
	return NULL;
}

/* Blocks about an SSRC that no stream here has: the receiver hears something that passes elsewhere. */
static bool reports_unseen(const struct judge *j, const struct rtcp_party *receiver)
{
	unsigned count;

	if (!receiver || receiver->encrypted)
		return false;
	LIST_EACH(it, rtcp_views(j->facts->rtcp)) {
		const struct rtcp_view *v = LIST_ENTRY(it, struct rtcp_view, in_order);
		bool seen = false;

		if (v->by != receiver || v->report_count < 2)
			continue;
		count = v->report_count;
		LIST_EACH(sit, streams_in_order(j->facts->streams))
			seen |= LIST_ENTRY(sit, struct stream, in_order)->ssrc == v->about_ssrc;
		if (!seen && v->reports[count - 1].ext_seq != v->reports[0].ext_seq && v->about_ssrc)
			return true;
	}
	return false;
}

static void judge_rtcp(struct judge *j, const struct window *w, const struct counted *c, int64_t from_ns, int64_t to_ns)
{
	const struct stream *main = c->main ? c->main : c->wrong_main;
	struct hearing *h = j->h;

	h->receiver_rtcp = party_of(j, &j->receiver, w->receiver, from_ns, to_ns);
	h->sender_rtcp = party_of(j, &j->sender, w->sender, from_ns, to_ns);
	h->sending = h->sender_rtcp ? rtcp_sending(h->sender_rtcp, from_ns, to_ns) : RTCP_SENDING_NONE;
	h->report = main ? rtcp_verdict(j->facts->rtcp, main, h->receiver_rtcp, from_ns, to_ns, &h->report_last) : RTCP_VERDICT_NONE;
	h->receiver_reports_unseen = reports_unseen(j, h->receiver_rtcp);
}

/* ---- N-register: situations in which silence is no fault ---- */

static bool is_automaton(const struct judge *j)
{
	const struct address *a = j->sender.count ? &j->sender.at[0].addr : NULL;
	const struct host *h = a ? network_host_find(j->facts->network, a) : NULL;

	return !h || !(h->roles & 1u << ROLE_PHONE);
}

static double speech_before(const struct direction *d, int64_t at_ns)
{
	double s = 0;

	for (unsigned i = 0; i < d->stream_count; i++) {
		const struct stream *x = d->streams[i];

		if (x->level_known && x->speech_first_ns != NS_NONE && ns_add(x->speech_first_ns, (int64_t)(TALK_S * 1e9)) <= at_ns)
			s += x->speech_s;
	}
	return s;
}

/* Both have spoken for 3 s before: somebody was there. Codecs that cannot be heard: no. */
static bool conversation(const struct judge *j, int64_t at_ns)
{
	return speech_before(j->d, at_ns) >= TALK_S && speech_before(direction_reverse(j->d), at_ns) >= TALK_S;
}

static const struct window *other_window(const struct leg *other, enum side sender, int64_t at_ns)
{
	const struct dialog *d = other->confirmed;

	for (unsigned i = 0; d && i < d->mslot_count; i++) {
		if (d->mslots[i].kind == SDP_AUDIO)
			return direction_window_at(&d->mslots[i].direction[sender], at_ns);
	}
	return NULL;
}

/* Does the sender's media live on that party's machine? Then it is what joins the legs and passes audio on. */
static bool shares_host(const struct judge *j, const struct party *p)
{
	for (unsigned i = 0; i < j->sender.media_count; i++) {
		if (network_same(j->facts->network, &j->sender.at[i].addr, &p->signalling.addr))
			return true;
	}
	return false;
}

/*
 * N9: the sender only passes on what another leg of the call brings: is that leg on hold, ringing, being transferred or over?
 * Both-ways audio on the other leg is needed before silence here is this sender's.
 */
static bool other_leg_excuses(const struct judge *j, int64_t at_ns)
{
	const struct leg *own = j->d->slot->dialog->leg;

	if (!own->call || own->call->legs.count < 2)
		return false;
	LIST_EACH(it, &own->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);
		enum side there;
		const struct window *w;

		if (other == own)
			continue;
		if (shares_host(j, &other->party[SIDE_CALLER]))
			there = SIDE_CALLEE;
		else if (shares_host(j, &other->party[SIDE_CALLEE]))
			there = SIDE_CALLER;
		else
			continue;
		if (other->answer_ns == NS_NONE)
			continue;                            /* a losing branch of the ring group, or a target that rings: others may speak */
		w = other_window(other, there, at_ns);
		if (!w)
			continue;
		if (w->state == EXPECT_PAUSED || w->state == EXPECT_OPTIONAL || w->state == EXPECT_EARLY)
			return true;
	}
	return false;
}

/* Does a joined leg's own sender fail to reach the shared host? Then the silence begins there and is told there. */
static bool begins_on_other_leg(const struct judge *j, int64_t from_ns, int64_t to_ns)
{
	const struct leg *own = j->d->slot->dialog->leg;

	LIST_EACH(it, &own->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);
		const struct dialog *dialog = other->confirmed;
		enum side there;

		if (other == own || !dialog)
			continue;
		if (shares_host(j, &other->party[SIDE_CALLER]))
			there = SIDE_CALLEE;
		else if (shares_host(j, &other->party[SIDE_CALLEE]))
			there = SIDE_CALLER;
		else
			continue;
		for (unsigned i = 0; i < dialog->mslot_count; i++) {
			const struct direction *in = &dialog->mslots[i].direction[there];
			double n = 0;

			if (dialog->mslots[i].kind != SDP_AUDIO || !direction_first_due(in))
				continue;
			for (unsigned k = 0; k < in->stream_count; k++)
				n += stream_packets_between(in->streams[k], from_ns, to_ns);
			if (n <= STRAY_PACKETS)
				return true;
		}
	}
	return false;
}

static bool same_box(const struct judge *j, const struct window *w)
{
	const struct address *a = w->target_count ? &w->targets[0].at.addr : NULL, *b = w->source_count ? &w->sources[0].at.addr : NULL;
	const struct host *h;

	if (!a || !b || !address_equal(a, b) || address_loopback(a))
		return false;
	h = network_host_find(j->facts->network, a);
	return h && h->sip_port_count && !(h->roles & 1u << ROLE_NAT);
}

static bool only_keepalives(const struct judge *j)
{
	for (unsigned i = 0; i < j->d->stream_count; i++) {
		if (!j->d->streams[i]->keepalive_only)
			return false;
	}
	return j->d->stream_count > 0;
}

/* Comfort noise came in the window: the path works, nobody speaks. */
static bool comfort_only(const struct judge *j, const struct window *w)
{
	for (unsigned i = 0; i < j->d->stream_count; i++) {
		const struct stream *s = j->d->streams[i];

		if (s->comfort >= 3 && s->last_ns >= w->on_ns && (w->off_ns == NS_NONE || s->first_ns < w->off_ns))
			return true;
	}
	return false;
}

/* The row that silences, NULL none. failing from `from_ns`; whole: from the window's beginning. */
static const char *not_expected(struct judge *j, const struct window *w, const struct counted *c, int64_t from_ns, int64_t to_ns, bool whole)
{
	struct hearing *h = j->h;

	if (j->d->slot->dialog->leg->siprec)
		return because(h, "a recording leg sends one way"), "N3";
	if (comfort_only(j, w))
		return because(h, "only comfort noise came: the sender is there and silent"), "N4";
	if (!whole && (w->dtx_allowed || c->dtx) && to_ns - from_ns < (int64_t)(key(j, "expect", "dtx-max-gap-s") * 1e9) && h->sending != RTCP_SENDING_RISING)
		return because(h, "the sender suppresses silence, and it was quiet for %.0f s", (double)(to_ns - from_ns) / 1e9), "N4";
	if (other_leg_excuses(j, ns_add(from_ns, SECOND_NS)))
		return because(h, "another leg of the call is on hold, being transferred or ringing"), "N9";
	if (!whole && is_automaton(j) && h->sending != RTCP_SENDING_RISING && h->icmp_count < ICMP_PROOF && !conversation(j, from_ns))
		return because(h, "the sender stopped: listening (voicemail, menu, queue) or lost look alike"), "N10";
	if (!whole && h->sending == RTCP_SENDING_CONSTANT && only_keepalives(j))
		return because(h, "muted: its reports go on, their packet count stands still"), "N13";
	if (whole && same_box(j, w))
		return because(h, "both parties name the same machine: its media may never reach a wire"), "N17";
	return NULL;
}

/* ---- gates for this direction ---- */

static const char *gate_of(struct judge *j, const struct window *w, int64_t from_ns, int64_t to_ns)
{
	const struct gates *g = j->facts->gates;
	struct hearing *h = j->h;
	const struct pair *pair;
	unsigned calls;

	if (j->d->ambiguous || direction_reverse(j->d)->ambiguous)
		return because(h, "a stream fits this call and another one equally"), "B0";
	if (gates_no_media(g, &calls))
		return because(h, "no call of this capture has media: %u answered", calls), "G2";
	for (unsigned i = 0; i < j->receiver.media_count; i++) {
		if (gates_no_media_of(g, j->facts, &j->receiver.at[i].addr))
			return because(h, "the media address of these calls never appears in this capture"), "G2";
	}
	for (unsigned i = 0; i < j->sender.media_count; i++) {
		if (gates_no_media_of(g, j->facts, &j->sender.at[i].addr))
			return because(h, "the media address of these calls never appears in this capture"), "G2";
	}
	for (unsigned i = 0; i < j->sender.count; i++) {
		for (unsigned k = 0; k < j->receiver.count; k++) {
			if (h->sees != SEES_YES && gates_one_sided(g, j->facts, &j->sender.at[i].addr, &j->receiver.at[k].addr, &pair))
				return because(h, "only one direction between these two hosts is in the capture"), "G1";
		}
	}
	for (unsigned i = 0; i < w->target_count; i++) {
		if (gates_port_range(g, w->targets[i].at.port))
			return because(h, "media ports of this range are missing from the capture"), "G3";
	}
	if (h->receiver_reports_unseen)
		return because(h, "the receiver reports a stream that does not pass this point"), "G3";
	if (h->sending == RTCP_SENDING_RISING && !h->at_receiver)
		return because(h, "the sender's reports count packets that do not pass this point"), "G3";
	if (h->sees == SEES_NO)
		return because(h, "no packet from the sender's media address to the receiver passes this point"), "G3";
	if (!h->near_sender && !h->near_receiver && h->sees != SEES_YES)
		return because(h, "this point lies beside neither party, and nothing proves that their media passes here"), "G3";
	if (gates_capture_lost(g, from_ns, to_ns) && to_ns - from_ns < 5 * SECOND_NS)
		return because(h, "the capture itself lost packets then"), "G7";
	return NULL;
}

/* ---- the verdict on one window ---- */

static void fail(struct judge *j, const struct window *w, enum failure how, int64_t from_ns, int64_t to_ns, bool whole)
{
	struct hearing *h = j->h;

	h->failure = how;
	h->window = w;
	h->from_ns = from_ns;
	h->to_ns = to_ns;
	h->whole = whole;
	h->heard = HEARD_NO;
}

/* Absence: earned only when no row excuses it and no gate forbids the claim. */
static void judge_absence(struct judge *j, const struct window *w, const struct counted *c, int64_t from_ns, int64_t to_ns, bool whole)
{
	struct hearing *h = j->h;

	h->window = w;
	h->from_ns = from_ns;
	h->to_ns = to_ns;
	h->stray_packets = c->right;
	h->sees = judge_sees(j, from_ns, to_ns);
	h->row = not_expected(j, w, c, from_ns, to_ns, whole);
	if (!h->row && whole && j->d->slot->dialog->leg->call->legs.count > 1 && begins_on_other_leg(j, from_ns, to_ns)) {
		h->row = "N9";
		because(h, "nothing reaches the sender on the other leg of the call: the silence begins there");
	}
	if (h->row) {
		h->heard = h->row[1] == '9' ? HEARD_UNKNOWN : c->right > STRAY_PACKETS ? HEARD_UNKNOWN : HEARD_NOT_EXPECTED;
		return;
	}
	if (c->weak) {
		h->gate = "B10";
		because(h, "a stream of the sender could be this one, nothing proves it");
	} else {
		h->gate = gate_of(j, w, from_ns, to_ns);
	}
	if (h->gate)
		h->heard = HEARD_UNKNOWN;
	else
		fail(j, w, FAILURE_ABSENT, from_ns, to_ns, whole);
}

static bool icmp_proves(const struct hearing *h)
{
	return h->icmp_count >= ICMP_PROOF && h->icmp_last->at.at_ns - h->icmp->at.at_ns >= SECOND_NS;
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
 * The other direction is seen at two points, before and behind a router. This one is seen where it goes in, and not behind: between the two it
 * was dropped. Which side it goes in at is told by whose address the router translates (private inside, public outside), not by time: two
 * files may have two clocks.
 */
static bool copy_missing(const struct judge *j, const struct stream *s)
{
	const struct stream *a = main_stream(direction_reverse(j->d)), *b = a ? a->twin_next : NULL, *entry;
	bool a_inside;

	if (!s || s->twin_of || s->twin_next || !b || s->packets < ALIVE_PACKETS)
		return false;
	if (!address_equal(&a->dst.addr, &b->dst.addr)) {            /* our sender is translated: it goes in where it is private */
		a_inside = address_private(&a->dst.addr);
		entry = a_inside ? a : b;
		if (a_inside == address_private(&b->dst.addr))
			return false;
	} else {                                                     /* the receiver is: it goes in where the receiver is public */
		a_inside = address_private(&a->src.addr);
		entry = a_inside ? b : a;
		if (a_inside == address_private(&b->src.addr))
			return false;
	}
	return mirrors(s, entry);
}

/* The receiver's own port is tapped, and audio for its public address never comes through to its real one: a router keeps it. */
static bool image_missing(const struct judge *j, const struct stream *s)
{
	const struct stream *own = main_stream(direction_reverse(j->d));

	return s && own && !s->twin_next && !address_equal(&own->src.addr, &s->dst.addr) && address_private(&own->src.addr) &&
	       !address_private(&s->dst.addr) && !beyond_nat(j, &own->src.addr) && network_at(j->facts->network, &own->src.addr) &&
	       address_private(&s->src.addr);
}

static bool judge_undelivered(struct judge *j, const struct window *w, const struct counted *c, int64_t from_ns, int64_t to_ns)
{
	struct hearing *h = j->h;
	int64_t since_ns = from_ns;

	if (icmp_proves(h)) {
		h->undelivered_by = "icmp";
		if (h->icmp->at.at_ns > ns_add(from_ns, 3 * SECOND_NS))
			since_ns = h->icmp->at.at_ns;
	} else if (h->report == RTCP_VERDICT_EMPTY) {
		h->undelivered_by = "rtcp-empty";
	} else if (h->report == RTCP_VERDICT_FROZEN) {
		int64_t frozen_ns = frozen_since(j, c->main);

		h->undelivered_by = "rtcp-frozen";
		if (frozen_ns != NS_NONE && frozen_ns > since_ns)
			since_ns = frozen_ns;
	} else if (copy_missing(j, c->main) || image_missing(j, c->main)) {
		h->undelivered_by = "missing-copy";
	} else {
		return false;
	}
	fail(j, w, FAILURE_UNDELIVERED, since_ns, to_ns, since_ns == from_ns);
	return true;
}

static bool alive(const struct counted *c)
{
	double span_s = c->first_ns == NS_NONE ? 0 : (double)(c->last_ns - c->first_ns) / 1e9;

	/* signalled silence suppression thins a stream out: it is alive all the same */
	return c->right >= ALIVE_PACKETS && (c->dtx || span_s <= 0 || c->right / span_s >= 10 || c->right >= 4 * ALIVE_PACKETS);
}

static void judge_present(struct judge *j, const struct counted *c)
{
	struct hearing *h = j->h;

	h->delivered = alive(c);
	if (h->delivered_from_ns == NS_NONE || (c->first_ns != NS_NONE && c->first_ns < h->delivered_from_ns)) {
		h->delivered_from_ns = c->first_ns;
		h->delivered_frame = c->first_frame;
	}
	if (c->last_ns != NS_NONE && (h->delivered_to_ns == NS_NONE || c->last_ns > h->delivered_to_ns)) {
		h->delivered_to_ns = c->last_ns;
		h->delivered_last_frame = c->last_frame;
	}
	if (!h->stream || c->main_packets > h->packets)
		h->stream = c->main;
}

/* The stream to the wrong place goes on where the right one ended: it was led astray (stale target, forgotten latch). */
static bool strayed(const struct counted *c, int64_t since_ns)
{
	return c->wrong >= ALIVE_PACKETS && c->wrong_last_ns != NS_NONE && c->wrong_last_ns > ns_add(since_ns, SECOND_NS);
}

static void judge_window(struct judge *j, const struct window *w)
{
	struct hearing *h = j->h;
	int64_t to_ns = window_end(w, j->end_ns), overlap_ns = (int64_t)(key(j, "expect", "move-overlap-ms") * 1e6);
	int64_t from_ns = w->moved ? ns_add(w->on_ns, overlap_ns) : w->due_ns;
	bool bye = w->off_ns != NS_NONE && w->off_ns <= j->end_ns;
	int64_t tail_ns = bye ? TAIL_NS : TAIL_NS;
	struct counted c = count_window(j, w, w->on_ns, to_ns), late = c;

	h->due_s += (double)(to_ns - w->on_ns) / 1e9;
	if (w->moved)
		late = count_window(j, w, from_ns, to_ns);   /* what goes to the old address is right while both are valid */
	if (c.right > 0)
		judge_present(j, &c);
	h->packets += c.right + c.foreign_pt;
	if (h->failure != FAILURE_NONE || to_ns - from_ns < (int64_t)(key(j, "expect", "min-call-s") * 1e9))
		return;
	h->icmp_count = 0;
	count_icmp(j, w, w->on_ns, to_ns);
	judge_rtcp(j, w, &c, w->on_ns, to_ns);
	if (c.foreign_pt >= ALIVE_PACKETS && c.right <= STRAY_PACKETS) {
		h->undelivered_by = "payload-type";
		fail(j, w, FAILURE_UNDELIVERED, from_ns, to_ns, true);
	} else if (late.right <= STRAY_PACKETS && late.wrong >= ALIVE_PACKETS) {
		h->misdirected = late.wrong_main;
		fail(j, w, FAILURE_MISDIRECTED, from_ns, to_ns, true);
	} else if (c.right <= STRAY_PACKETS) {
		judge_absence(j, w, &c, from_ns, to_ns, true);
	} else if (judge_undelivered(j, w, &c, from_ns, to_ns)) {
		return;
	} else if (to_ns - c.last_ns >= tail_ns) {
		if (strayed(&c, c.last_ns)) {
			h->misdirected = c.wrong_main;
			fail(j, w, FAILURE_MISDIRECTED, c.last_ns, to_ns, false);
		} else {
			judge_absence(j, w, &c, c.last_ns, to_ns, false);
		}
	} else if (!alive(&c)) {
		h->heard = HEARD_UNKNOWN;
		because(h, "only %.0f packets in %.0f s", c.right, (double)(to_ns - w->on_ns) / 1e9);
	}
}

/* ---- the whole direction ---- */

static const struct window *longest_due(const struct direction *d, int64_t end_ns)
{
	const struct window *best = NULL;

	for (unsigned i = 0; i < d->window_count; i++) {
		const struct window *w = &d->windows[i];

		if (w->state == EXPECT_DUE && (!best || window_end(w, end_ns) - w->on_ns > window_end(best, end_ns) - best->on_ns))
			best = w;
	}
	return best;
}

bool hearing_excused(const struct facts *facts, struct direction *d, int64_t at_ns)
{
	struct judge j = { .facts = facts, .d = d, .end_ns = facts->capture->last_ns };

	side_addresses(d->slot, d->sender, &j.sender);
	return other_leg_excuses(&j, at_ns);
}

static bool same_promise(const struct window *a, const struct window *b)
{
	return a->target_count && b->target_count && a->source_count && b->source_count && endpoint_equal(&a->targets[0].at, &b->targets[0].at) &&
	       endpoint_equal(&a->sources[0].at, &b->sources[0].at) && (a->off_ns == NS_NONE || b->on_ns < a->off_ns) &&
	       (b->off_ns == NS_NONE || a->on_ns < b->off_ns);
}

/* Direct media: an earlier leg of the call promises the very same audio. It is judged there. */
static const struct leg *judged_on(const struct direction *d, const struct window *w)
{
	const struct leg *own = d->slot->dialog->leg;

	LIST_EACH(it, &own->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);

		for (unsigned i = 0; other->n < own->n && other->confirmed && i < other->confirmed->mslot_count; i++) {
			for (unsigned k = 0; k < 2; k++) {
				const struct direction *same = &other->confirmed->mslots[i].direction[k];

				for (unsigned n = 0; n < same->window_count; n++) {
					if (same->windows[n].state == EXPECT_DUE && same_promise(&same->windows[n], w))
						return other;
				}
			}
		}
	}
	return NULL;
}

static bool reported_received(const struct judge *j)
{
	const struct hearing *h = j->h;
	const struct rtcp_view *v = h->stream ? rtcp_view_of(j->facts->rtcp, h->stream) : NULL;

	return v && (h->report == RTCP_VERDICT_ADVANCING || (v->report_count >= 1 && v->reports[v->report_count - 1].ext_seq));
}

static void judge_heard(struct judge *j)
{
	struct hearing *h = j->h;
	bool valid;
	double mos;

	if (!h->delivered) {
		h->heard = HEARD_UNKNOWN;
		if (!h->why[0])
			because(h, h->packets > 0 ? "too few packets to judge" : "too short to judge");
		return;
	}
	if (!h->near_receiver && !reported_received(j)) {
		h->heard = HEARD_UNKNOWN;
		because(h, "passes this point to the right address; its arrival cannot be seen from here");
		return;
	}
	h->heard = HEARD_YES;
	because(h, "%s", reported_received(j) ? "the receiver reports that it arrives" : "seen at the receiver's side");
	mos = h->stream ? stream_mos(h->stream, 0, &valid) : -1;
	if (mos >= 0 && mos < MOS_POOR)
		h->heard = HEARD_POOR;
}

struct hearing *hearing_judge(const struct facts *facts, struct direction *d)
{
	struct judge j = { .facts = facts, .d = d, .end_ns = facts->capture->last_ns };
	struct hearing *h = d->hearing ? d->hearing : arena_zalloc(d->slot->dialog->leg->arena, sizeof *h);

	*h = (struct hearing){ .heard = HEARD_NOT_EXPECTED, .delivered_from_ns = NS_NONE, .delivered_to_ns = NS_NONE };
	d->hearing = j.h = h;
	h->window = longest_due(d, j.end_ns);
	if (!h->window) {
		because(h, "nothing was due in this direction");
		return h;
	}
	side_addresses(d->slot, d->sender, &j.sender);
	side_addresses(d->slot, side_other(d->sender), &j.receiver);
	j.inside_nat = network_vantage(facts->network).kind == VANTAGE_INSIDE_NAT;
	judge_place(&j);
	if (judged_on(d, h->window)) {
		h->row = "N9";
		h->heard = HEARD_UNKNOWN;
		because(h, "the same audio as on another leg of the call: judged there");
		return h;
	}
	for (unsigned i = 0; i < d->window_count; i++) {
		if (d->windows[i].state == EXPECT_DUE && window_end(&d->windows[i], j.end_ns) > d->windows[i].on_ns)
			judge_window(&j, &d->windows[i]);
	}
	if (h->heard != HEARD_NO && !h->gate && !h->row)
		judge_heard(&j);
	return h;
}
