/* SPDX-License-Identifier: MIT */
/*
 * one-way-audio: one party hears nothing although the other is heard. RFC 3264 6.1, 8.3; where it goes wrong decides
 * the reason.
 */
#include <stdio.h>

#include "analyzer/detect/gates.h"
#include "analyzer/detect/one_way.h"
#include "analyzer/detect/passages.h"
#include "analyzer/detect/say.h"
#include "analyzer/media/socket_use.h"

static const char *const reasons[] = {
	"answered-address-private", "advertised-address-wrong", "sender-never-sent", "blocked-in-path",
	"nothing-arrives", "wrong-port", "stale-target",
	"latched-elsewhere", "latch-lost", "sdp-ignored", "source-port-rewritten", "payload-type-mismatch", "icmp-unreachable",
	"address-family", "unlocated", NULL,
};

static const struct detector_doc doc = {
	.says = "one party hears nothing while the other is heard",
	.symptom = "\"I can hear them, they cannot hear me\", or the reverse, in an answered call.",
	.evidence = "The addresses both sides gave in SDP, the RTP that passed in each direction, RTCP reports of both ends, ICMP errors that quote the audio.",
	.mimics = "Hold and music on hold, announcements, silence suppression, a recording voicemail, hang-up within 3 s, media that takes another path, "
		  "a mirror of one direction only.",
	.fix = "Depends on the reason: NAT handling for the phone on the server, an open UDP range in the firewall, the right external address, "
	       "microphone and host firewall of the silent side.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "min-seconds", 3, "s", 1, 60, "field: shorter calls are hung up before anyone spoke" },
	{ 0 },
};

#define ALL_THE_TIME 0.8             /* each has its own end of grace */

/* What localisation found. */
struct place {
	const char *reason;
	const char *also;            /* a second reason of equal weight; NULL */
	enum confidence reason_confidence;
	enum confidence confidence;  /* of the symptom */
	enum part_of { CULPRIT_NONE, CULPRIT_SENDER, CULPRIT_RECEIVER, CULPRIT_REPORTER, CULPRIT_RELAY,
		CULPRIT_TELLER } culprit;
};

/* An earlier session named it; early: the one before the answer. */
static bool named_before(const struct direction *d, const struct window *w, const struct endpoint *at, bool early)
{
	for (unsigned i = 0; i < d->window_count && &d->windows[i] != w; i++) {
		if ((d->windows[i].state == EXPECT_EARLY) == early && window_has_target(&d->windows[i], at) &&
		    !window_has_target(w, at))
			return true;
	}
	return false;
}

/* Another branch of the fork did, which was not answered. */
static bool named_by_branch(const struct direction *d, const struct window *w, const struct endpoint *at)
{
	const struct mslot *slot = d->slot;

	LIST_EACH(it, &slot->dialog->leg->dialogs) {
		const struct dialog *other = LIST_ENTRY(it, struct dialog, in_leg);

		if (other != slot->dialog && slot->mline < other->mslot_count &&
		    named_before(&other->mslots[slot->mline].direction[d->sender], w, at, true))
			return true;
	}
	return false;
}

bool one_way_named_early(const struct direction *d, const struct window *w, const struct endpoint *at)
{
	return named_before(d, w, at, true) || named_by_branch(d, w, at);
}

const struct window *one_way_told_as(const struct direction *d, const struct stream *s, int64_t at_ns)
{
	const struct leg *own = d->slot->dialog->leg;

	if (address_equal(&own->party[d->sender].signalling.addr, &s->src.addr))
		return NULL;
	LIST_EACH(it, &own->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);

		for (unsigned i = 0; other != own && other->confirmed && i < 2 * other->confirmed->mslot_count; i++) {
			const struct direction *told = &other->confirmed->mslots[i / 2].direction[i % 2];
			const struct window *w = direction_window_at(told, at_ns);

			if (w && window_has_target(w, &s->dst) && w->source_count &&
			    address_equal(&w->sources[0].at.addr, &s->src.addr))
				return w;
		}
	}
	return NULL;
}

bool one_way_obeys(const struct direction *d, const struct stream *s, int64_t at_ns)
{
	return one_way_told_as(d, s, at_ns) != NULL;
}

bool one_way_sent_before(const struct direction *d, const struct window *w, const struct endpoint *at)
{
	return named_before(d, w, at, false);
}

const struct stream *one_way_learnt_before(const struct direction *d, const struct window *w, const struct endpoint *at)
{
	const struct direction *own = direction_reverse(d);
	const struct stream *now = NULL;
	bool was = false;

	for (unsigned i = 0; w->moved && i < own->stream_count; i++) {
		const struct stream *s = own->streams[i];

		if (s->last_ns >= ns_add(w->on_ns, 2 * SECOND_NS))
			now = endpoint_equal(&s->src, at) ? now : s;
		else
			was |= endpoint_equal(&s->src, at);
	}
	return was ? now : NULL;
}

/* The sender had found the right place before and left it. */
static bool had_latched(const struct direction *d, const struct hearing *h)
{
	const struct direction *own = direction_reverse(d);

	for (unsigned i = 0; i < d->stream_count; i++) {
		const struct stream *s = d->streams[i];

		/* it may have begun with a few packets to where it is now back */
		if (s == h->misdirected || s == h->misdirected->twin_of || s->last_ns >= h->misdirected->last_ns ||
		    (s->first_ns >= h->misdirected->first_ns && s->ssrc != h->misdirected->ssrc))
			continue;
		for (unsigned k = 0; k < own->stream_count; k++) {
			if (endpoint_equal(&s->dst, &own->streams[k]->src))
				return true;
		}
	}
	return false;
}

/* Whoever gets the audio now has sent to the socket that it comes from. */
static bool sends_from(const struct direction *d, const struct hearing *h)
{
	const struct direction *own = direction_reverse(d);

	for (unsigned i = 0; i < own->stream_count; i++) {
		if (endpoint_equal(&own->streams[i]->src, &h->misdirected->dst))
			return true;
	}
	return false;
}

/* It sends to the host that signals, with the port of another that SDP names and that answers from there. */
static bool takes_signalling(const struct direction *d, const struct hearing *h)
{
	const struct direction *own = direction_reverse(d);
	const struct endpoint *to = &h->misdirected->dst;
	const struct window *w = h->window;

	if (!address_equal(&to->addr, &d->slot->dialog->leg->party[side_other(d->sender)].signalling.addr))
		return false;
	for (unsigned i = 0; i < own->stream_count; i++) {
		if (window_has_target(w, &own->streams[i]->src) && own->streams[i]->src.port == to->port)
			return true;
	}
	return false;
}

static struct place place_misdirected(const struct facts *facts, const struct direction *d, const struct hearing *h)
{
	const struct stream *s = h->misdirected;
	struct place p = { "unlocated", NULL, CONFIDENCE_LIKELY, CONFIDENCE_LIKELY, CULPRIT_NONE };
	bool proof = h->icmp_count > 0 || h->report == RTCP_VERDICT_EMPTY || h->report == RTCP_VERDICT_FROZEN;
	struct endpoint real;

	if (s->bound_by == 8 && h->window->target_count &&
	    address_equal(&s->dst.addr, &h->window->targets[0].at.addr)) {
		p = (struct place){ "wrong-port", NULL, CONFIDENCE_LIKELY, CONFIDENCE_LIKELY, CULPRIT_SENDER };
		if (h->icmp_count)
			p.reason_confidence = p.confidence = CONFIDENCE_CERTAIN;
		return p;
	}
	if (one_way_sent_before(d, h->window, &s->dst) && one_way_obeys(d, s, h->from_ns))
		return (struct place){ "stale-target", NULL, CONFIDENCE_CERTAIN, CONFIDENCE_CERTAIN, CULPRIT_TELLER };
	if (one_way_sent_before(d, h->window, &s->dst))
		return (struct place){ "stale-target", NULL, CONFIDENCE_CERTAIN, CONFIDENCE_CERTAIN, CULPRIT_SENDER };
	if (!h->whole && hearing_receiver_left(facts, d, &s->dst))
		return (struct place){ "stale-target", NULL, CONFIDENCE_LIKELY, CONFIDENCE_LIKELY,
		       window_has_target(h->window, &s->dst) ? CULPRIT_RECEIVER : CULPRIT_SENDER };
	if (one_way_learnt_before(d, h->window, &s->dst) || one_way_named_early(d, h->window, &s->dst))
		return (struct place){ "stale-target", NULL, CONFIDENCE_LIKELY, CONFIDENCE_LIKELY, CULPRIT_SENDER };
	/* what nobody has named contradicts nothing */
	switch (s->bound_by == 8 ? CONTRADICTION_NONE
		: hearing_contradiction(facts, d, h->window, &s->dst, s, &real)) {
	case CONTRADICTION_PRIVATE:
		p.reason = had_latched(d, h) ? "latch-lost" : "answered-address-private";
		p.culprit = CULPRIT_RECEIVER;
		break;
	case CONTRADICTION_ELSEWHERE:
		p.reason = "advertised-address-wrong";
		p.culprit = CULPRIT_RECEIVER;
		break;
	case CONTRADICTION_NONE:
		if (takes_signalling(d, h)) {
			p.reason = "sdp-ignored";
			p.culprit = CULPRIT_SENDER;
		} else if (had_latched(d, h) && sends_from(d, h)) {
			p.reason = "latched-elsewhere";
			p.culprit = CULPRIT_SENDER;
		}
		break;
	}
	if (h->icmp_count >= 3) {
		p.also = p.reason;
		p.reason = "icmp-unreachable";
		p.culprit = CULPRIT_REPORTER;
	}
	if (proof || strncmp(p.reason, "latch", 5) == 0)
		p.confidence = p.reason_confidence = CONFIDENCE_CERTAIN;
	return p;
}

enum { FOUND_PACKETS = 25 };         /* so many are audio that lives, fewer may be strays */

/* Not the sender's own address: what a relay put in its place for the receiver. */
static bool is_relays_wording(const struct window *w, const struct address *at)
{
	for (unsigned i = 1; i < w->source_count; i++) {
		if (address_equal(&w->sources[i].at.addr, at))
			return !address_equal(&w->sources[0].at.addr, at);
	}
	return false;
}

bool one_way_told_private(const struct direction *d, const struct hearing *h)
{
	const struct window *w = h->window;
	struct side_addresses sender;

	side_addresses(d->slot, d->sender, &sender);
	/* the audio has been handed on to another host: who signals for it may be inside */
	if (h->whole && (h->moved_to || h->source_apart) && w->source_count)
		sender = (struct side_addresses){ .at = { w->sources[0].at }, .count = 1, .media_count = 1 };
	if (!w->target_count || !sender.count)
		return false;
	for (unsigned i = 0; i < w->target_count; i++) {
		if (!address_private(&w->targets[i].at.addr))
			return false;
	}
	for (unsigned i = 0; i < sender.count; i++) {
		if (address_private(&sender.at[i].addr) && !is_relays_wording(w, &sender.at[i].addr))
			return false;
	}
	return true;
}

/* Seen beside the sender itself, nothing that it sends has another way. */
static bool sender_captured(const struct facts *facts, const struct direction *d)
{
	const struct host *h = network_host_find(facts->network, &d->slot->dialog->leg->party[d->sender].signalling.addr);

	return h && h->on_host;
}

/*
 * It was told a public address, and the audio and signalling of whoever named it come from another one with that very
 * port: an external address that is wrong, or, where both are inside, is told to those inside.
 */
static bool told_elsewhere(const struct facts *facts, const struct direction *d, const struct window *w)
{
	const struct direction *own = direction_reverse(d);
	const struct party *party = d->slot->dialog->leg->party;
	const struct address *signals = &party[side_other(d->sender)].signalling.addr;
	const struct endpoint *told = w->target_count ? &w->targets[0].at : NULL;
	const struct host *h = told ? network_host_find(facts->network, &told->addr) : NULL;

	if (!told || address_private(&told->addr) || (h && h->sends_ip))
		return false;
	for (unsigned i = 0; i < own->stream_count; i++) {
		const struct endpoint *at = &own->streams[i]->src;

		if (at->port != told->port || at->addr.family != told->addr.family)
			continue;
		/* from outside a server behind NAT is reached at that address */
		if (address_private(&at->addr) && (!address_same_net(&at->addr, &party[d->sender].signalling.addr) ||
		    sender_captured(facts, d)))
			continue;
		if (!address_equal(&at->addr, &told->addr) && network_same(facts->network, &at->addr, signals))
			return true;
	}
	return false;
}

/* In this very call: it sent to where the other one's audio came from. */
static bool turned_before(const struct direction *d, const struct hearing *h)
{
	for (unsigned i = 0; i < d->stream_count; i++) {
		const struct stream *s = d->streams[i];

		if (s->first_ns < h->from_ns && s->packets >= FOUND_PACKETS && !address_private(&s->dst.addr))
			return true;
	}
	return false;
}

bool one_way_found_before(const struct facts *facts, const struct direction *d, const struct hearing *h)
{
	struct side_addresses sender;

	if (turned_before(d, h))
		return true;
	side_addresses(d->slot, d->sender, &sender);
	for (unsigned i = 0; (h->near_receiver || h->at_receiver) && i < sender.count; i++) {
		const struct pair *p = network_pair_find(facts->network, &sender.at[i].addr,
			&h->window->targets[0].at.addr);

		if (p && p->rtp >= FOUND_PACKETS)
			return true;
	}
	return false;
}

static bool family_mismatch(const struct direction *d, const struct window *w)
{
	struct side_addresses sender;

	side_addresses(d->slot, d->sender, &sender);
	return w->target_count && sender.count && w->targets[0].at.addr.family != sender.at[0].addr.family;
}

/* Somebody promised it: a phone may have several calls on one port. */
static bool is_promised(const struct stream *s)
{
	for (unsigned i = 0; s->direction && i < s->direction->window_count; i++) {
		if (window_has_source(&s->direction->windows[i], &s->src))
			return true;
	}
	return false;
}

const struct stream *one_way_astray(const struct facts *facts, const struct direction *d, const struct hearing *h)
{
	const struct window *w = h->window;

	for (unsigned i = 0; i < w->source_count && w->target_count; i++) {
		const struct socket_use *u = socket_uses_find(facts->sockets, &w->sources[i].at);
		struct stream_slice out = u ? socket_leaving(u, h->to_ns) : (struct stream_slice){ .count = 0 };

		for (unsigned k = out.count; k-- > 0;) {
			const struct stream *s = out.at[k];

			if (s->accepted && address_equal(&s->dst.addr, &w->targets[0].at.addr) &&
			    !window_has_target(w, &s->dst) && s->direction && s->direction != d && !is_promised(s) &&
			    stream_packets_between(s, h->from_ns, h->to_ns) >= FOUND_PACKETS)
				return s;
		}
	}
	return NULL;
}

static struct place place_absent(const struct facts *facts, const struct direction *d, const struct hearing *h)
{
	struct place p = { "unlocated", NULL, CONFIDENCE_LIKELY, CONFIDENCE_LIKELY, CULPRIT_NONE };

	if (one_way_astray(facts, d, h))
		return (struct place){ "wrong-port", NULL, CONFIDENCE_LIKELY, CONFIDENCE_LIKELY, CULPRIT_SENDER };
	if (h->whole && hearing_told_loopback(d, h->window))
		p = (struct place){ "advertised-address-wrong", NULL, hearing_loopback_proof(h),
			hearing_loopback_proof(h), CULPRIT_RECEIVER };
	else if (h->whole && hearing_told_own(d, h->window))
		p = (struct place){ "advertised-address-wrong", NULL, hearing_loopback_proof(h),
			hearing_loopback_proof(h), CULPRIT_RECEIVER };
	else if (family_mismatch(d, h->window) && h->whole)
		p.reason = "address-family";
	else if (h->sending == RTCP_SENDING_RISING)
		p = (struct place){ "blocked-in-path", NULL, CONFIDENCE_CERTAIN, CONFIDENCE_CERTAIN, CULPRIT_NONE };
	else if (h->sending == RTCP_SENDING_CONSTANT && h->whole)
		p = (struct place){ "sender-never-sent", NULL, CONFIDENCE_CERTAIN, CONFIDENCE_CERTAIN, CULPRIT_SENDER };
	else if (h->sending == RTCP_SENDING_CONSTANT && !h->at_sender)
		p = (struct place){ "sender-never-sent", NULL, CONFIDENCE_LIKELY, CONFIDENCE_LIKELY, CULPRIT_SENDER };
	else if (h->at_sender && !h->at_receiver)
		p = (struct place){ "sender-never-sent", NULL, CONFIDENCE_CERTAIN, CONFIDENCE_CERTAIN, CULPRIT_SENDER };
	else if (h->at_sender)
		p = (struct place){ "sender-never-sent", NULL, CONFIDENCE_LIKELY, CONFIDENCE_LIKELY, CULPRIT_SENDER };
	else if (h->near_receiver)
		p.reason = "nothing-arrives";
	/* what arrived for a while found its way there */
	if (h->whole && ((one_way_told_private(d, h) && !one_way_found_before(facts, d, h)) ||
	    told_elsewhere(facts, d, h->window)) &&
	    (p.reason[0] == 'n' || p.reason[0] == 'u' || strcmp(p.reason, "sender-never-sent") == 0)) {
		p.also = one_way_told_private(d, h) ? "answered-address-private" : "advertised-address-wrong";
		/* what it sends there may go another way than past this point */
		if (h->sending != RTCP_SENDING_CONSTANT && p.confidence == CONFIDENCE_CERTAIN)
			p.confidence = p.reason_confidence = CONFIDENCE_LIKELY;
		/* there may be no way to there, or it waits for a packet to learn the right one */
		p.culprit = CULPRIT_NONE;
	}
	return p;
}

/* Its packets leave with another source port than SDP says, and the receiver takes none: it is strict about it. */
static bool source_port_changed(const struct hearing *h)
{
	const struct window *w = h->window;

	if (!h->stream || !w->source_count || strcmp(h->undelivered_by, "rtcp-empty") != 0)
		return false;
	for (unsigned i = 0; i < w->source_count; i++) {
		if (w->sources[i].at.port == h->stream->src.port)
			return false;
	}
	return true;
}

static struct place place_undelivered(const struct hearing *h)
{
	enum confidence in_path = one_way_undecrypted(h) ? CONFIDENCE_LIKELY : CONFIDENCE_CERTAIN;

	if (source_port_changed(h))
		/* beside the sender no NAT on the way can have done it */
		return (struct place){ "source-port-rewritten", NULL, CONFIDENCE_LIKELY, CONFIDENCE_CERTAIN,
		       h->at_sender ? CULPRIT_SENDER : CULPRIT_NONE };
	if (strcmp(h->undelivered_by, "icmp") == 0)
		return (struct place){ "icmp-unreachable", NULL, CONFIDENCE_CERTAIN, CONFIDENCE_CERTAIN,
		       CULPRIT_REPORTER };
	if (strcmp(h->undelivered_by, "payload-type") == 0)
		return (struct place){ "payload-type-mismatch", NULL, CONFIDENCE_LIKELY, CONFIDENCE_LIKELY,
		       CULPRIT_SENDER };
	if (hearing_kept_by_relay(h))
		return (struct place){ "blocked-in-path", NULL, CONFIDENCE_LIKELY,
		       h->report == RTCP_VERDICT_FROZEN || h->report == RTCP_VERDICT_EMPTY ? CONFIDENCE_CERTAIN
		       : CONFIDENCE_LIKELY, CULPRIT_RELAY };
	if (strcmp(h->undelivered_by, "rtcp-nothing") == 0)
		return (struct place){ "blocked-in-path", NULL, CONFIDENCE_LIKELY, CONFIDENCE_LIKELY, CULPRIT_NONE };
	return (struct place){ "blocked-in-path", NULL, in_path, CONFIDENCE_CERTAIN, CULPRIT_NONE };
}

static struct place locate(const struct facts *facts, const struct direction *d, const struct hearing *h)
{
	struct place p = { "unlocated", NULL, CONFIDENCE_LIKELY, CONFIDENCE_LIKELY, CULPRIT_NONE };

	switch (h->failure) {
	case FAILURE_ABSENT: p = place_absent(facts, d, h); break;
	case FAILURE_MISDIRECTED: p = place_misdirected(facts, d, h); break;
	case FAILURE_UNDELIVERED: p = place_undelivered(h); break;
	case FAILURE_NONE: break;
	}
	return p;
}

bool one_way_side_at(const struct facts *facts, const struct leg *leg, const struct address *at, enum side *ret)
{
	for (enum side side = SIDE_CALLER; side <= SIDE_CALLEE; side++) {
		if (network_same(facts->network, &leg->party[side].signalling.addr, at)) {
			*ret = side;
			return true;
		}
	}
	return false;
}

/* Does that side of the leg send audio? */
static bool sends_audio(const struct leg *leg, enum side side)
{
	for (unsigned i = 0; leg->confirmed && i < leg->confirmed->mslot_count; i++) {
		const struct mslot *slot = &leg->confirmed->mslots[i];
		const struct hearing *h = slot->kind == SDP_AUDIO ? hearing_of(&slot->direction[side]) : NULL;

		if (h && h->packets >= FOUND_PACKETS)
			return true;
	}
	return false;
}

/* Of several legs that meet at the hub, is one without audio from there? Then the others have theirs from elsewhere. */
static bool one_gets_nothing(const struct facts *facts, const struct leg *own, const struct address *hub)
{
	LIST_EACH(it, &own->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);
		enum side near;

		if (other != own && other->answered && one_way_side_at(facts, other, hub, &near) && !sends_audio(other, near))
			return true;
	}
	return false;
}

/* A victim further on: the listener behind the B2BUA that this leg's audio was meant for. */
static void add_far_victims(struct finding *f, const struct facts *facts, const struct direction *d)
{
	const struct leg *own = d->slot->dialog->leg;
	const struct party *hub = &own->party[side_other(d->sender)];
	bool apart = one_gets_nothing(facts, own, &hub->signalling.addr);

	LIST_EACH(it, &own->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);
		enum side near;
		struct endpoint at;

		if (other == own || !other->answered || !one_way_side_at(facts, other, &hub->signalling.addr, &near))
			continue;
		if (apart && sends_audio(other, near))
			continue;
		at = other->party[side_other(near)].signalling;
		at.port = 0;
		if (!address_known(&at.addr) || network_same(facts->network, &at.addr, &hub->signalling.addr))
			continue;
		finding_part(f, PART_VICTIM, &at);
		finding_leg(f, other);
	}
}

static void add_culprit(struct finding *f, const struct facts *facts, const struct direction *d,
	const struct hearing *h, const struct place *p)
{
	struct endpoint at = { .port = 0 };

	switch (p->culprit) {
	case CULPRIT_SENDER:
		if (one_way_took_leave(d, h))
			break;
		/* the machine that should have sent, where another one signals for it */
		at = h->failure == FAILURE_ABSENT ? sender_seen_at(facts, d, h) : party_seen_at(d, d->sender);
		break;
	case CULPRIT_RECEIVER:
		at = party_seen_at(d, side_other(d->sender));
		at.port = 0;
		break;
	case CULPRIT_REPORTER:
		at.addr = h->icmp ? h->icmp->reporter : at.addr;
		break;
	case CULPRIT_TELLER:
		at = d->slot->dialog->leg->party[d->sender].signalling;
		break;
	case CULPRIT_RELAY:
		at.addr = h->stream->dst.addr;
		break;
	case CULPRIT_NONE:
		break;
	}
	if (address_known(&at.addr))
		finding_part(f, PART_CULPRIT, &at);
}

static enum confidence capped(const struct hearing *h, const struct direction *d, enum confidence c, double min_s)
{
	double seconds = (double)(h->to_ns - h->from_ns) / 1e9;

	if (h->window->one_way_session)
		return CONFIDENCE_POSSIBLE;
	if (c == CONFIDENCE_CERTAIN && (h->window->likely_at_most || d->slot->dialog->partial || seconds < 2 * min_s))
		return CONFIDENCE_LIKELY;
	return c;
}

/* Packets of the other direction that reach a right address in the time in which this one failed. */
static double heard_meanwhile(const struct direction *d, const struct hearing *h)
{
	return direction_packets_between(d, BOUND_BY_PROOF, h->from_ns, h->to_ns);
}

/* For as long as no-audio asks; while it is younger, all the time. */
static bool fails_with(const struct detection *d, const struct hearing *h, const struct hearing *other, double seconds)
{
	double least_s = config_value(detection_facts(d)->config, "no-audio", "min-seconds"),
		together_s = (double)hearing_together_ns(h, other) / 1e9;

	return together_s >= (seconds < least_s ? ALL_THE_TIME * seconds : least_s);
}

static bool predicate(struct detection *d, const struct direction *dir, const struct hearing *h)
{
	const struct direction *back = direction_reverse(dir);
	const struct hearing *other = hearing_of(back);
	double min_s = detection_key(d, "min-seconds"), seconds = (double)(h->to_ns - h->from_ns) / 1e9;

	if (h->heard != HEARD_NO) {
		detection_pass(d, h->row, "%s",
			hearing_why(h)[0] ? hearing_why(h)
			: "audio of this direction reaches its receiver as far as can be seen");
		return false;
	}
	detection_note(d, true, "this direction failed for %.1f s", seconds);
	if (seconds < min_s) {
		detection_pass(d, NULL, "%.1f s of silence are less than %.0f s", seconds, min_s);
		return false;
	}
	/* direct media: the one leg tells of this way, the other leg of that */
	if (other && other->elsewhere && other->elsewhere->hearing) {
		back = other->elsewhere;
		other = back->hearing;
	}
	if (!other || (other->heard == HEARD_NO && fails_with(d, h, other, seconds))) {
		detection_pass(d, NULL, "the other direction fails, too: see no-audio");
		return false;
	}
	if (hearing_named_on_other_leg(detection_facts(d), dir)) {
		detection_pass(d, NULL, "told on the leg of the phone that named this address");
		return false;
	}
	if (!other->delivered || heard_meanwhile(back, h) < 10 * min_s) {
		detection_pass(d, NULL, "the other direction brings no audio meanwhile");
		return false;
	}
	return true;
}

static void on_event(struct detection *d, const struct event *ev)
{
	const struct facts *facts = detection_facts(d);
	const struct hearing *h = hearing_of(ev->direction);
	struct finding *f;
	struct place p;

	if (!h || h->heard == HEARD_NOT_EXPECTED) {
		detection_pass(d, h ? h->row : NULL, "%s", h && hearing_why(h)[0] ? hearing_why(h) : "nothing was due");
		return;
	}
	if (h->gate) {
		detection_withhold(d, ev->leg, h->gate, "%s", hearing_why(h));
		return;
	}
	if (!predicate(d, ev->direction, h))
		return;
	p = locate(facts, ev->direction, h);
	p.confidence = capped(h, ev->direction, p.confidence, detection_key(d, "min-seconds"));
	f = detection_raise(d, p.reason, p.confidence == CONFIDENCE_POSSIBLE ? SEVERITY_WARNING : SEVERITY_ERROR,
		p.confidence);
	f->reason_confidence = p.reason_confidence < p.confidence ? p.reason_confidence : p.confidence;
	if (p.also)
		finding_other_reason(f, p.also);
	f->since_ns = h->whole ? NS_NONE : h->from_ns;
	finding_times(f, h->from_ns, h->to_ns);
	parts_of_direction(f, facts, ev->direction);
	add_culprit(f, facts, ev->direction, h, &p);
	if (h->failure == FAILURE_ABSENT)
		add_far_victims(f, facts, ev->direction);
	passages_say(f, facts, ev->direction, h);
	one_way_say(f, facts, ev->direction, h);
}

const struct detector detect_one_way_audio = {
	.id = "one-way-audio", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_DIRECTION),
	.scope = PER_DIRECTION, .usual = SEVERITY_ERROR, .possible_max = SEVERITY_WARNING,
};
