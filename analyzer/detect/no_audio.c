/* SPDX-License-Identifier: MIT */
/* no-audio: an answered call in which neither party hears anything. */
#include <stdio.h>

#include "analyzer/detect/gates.h"
#include "analyzer/detect/ice_checks.h"
#include "analyzer/detect/latching.h"
#include "analyzer/detect/lookup.h"
#include "analyzer/detect/media_visible.h"
#include "analyzer/detect/one_way.h"
#include "analyzer/detect/passages.h"
#include "analyzer/detect/rtcp_idle.h"
#include "analyzer/detect/say.h"

static const char *const reasons[] = {
	"both-private", "private-and-silent", "latch-deadlock", "blocked-both-ways", "never-sent-both",
	"same-nat-no-hairpin", "wrong-media-server",
	"port-closed", "codec", "ice-failed", "answer-missing", "unlocated", NULL,
};

static const struct detector_doc doc = {
	.says = "an answered call in which nobody hears anything",
	.symptom = "\"The call connects, and then dead silence on both sides.\"",
	.evidence = "Both directions of the media that SDP promised; media of the same hosts in other calls proves that it would pass here.",
	.mimics = "A filter on SIP only, media on another path, a call on hold from its beginning, fax, a call of a few seconds.",
	.fix = "Open or forward the UDP media range both ways and check that each side can reach the address of the other.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "min-seconds", 5, "s", 1, 60, "field" },
	{ 0 },
};

/* Audio goes on to an address that the session has left: an earlier SDP named it, or the other side sent from there. */
static bool is_stale(const struct direction *d, const struct hearing *h)
{
	return h->failure == FAILURE_MISDIRECTED &&
	       (one_way_sent_before(d, h->window, &h->misdirected->dst) ||
		one_way_learnt_before(d, h->window, &h->misdirected->dst));
}

static const struct hearing *stale_of(const struct mslot *slot, const struct hearing *a, const struct hearing *b)
{
	return is_stale(&slot->direction[SIDE_CALLER], a) ? a
	       : is_stale(&slot->direction[SIDE_CALLEE], b) ? b : NULL;
}

static const struct target *target_of(const struct hearing *h)
{
	return h->window && h->window->target_count ? &h->window->targets[0] : NULL;
}

/* Where it is to arrive: not the relay that both were told, but who is behind it. */
static const struct target *place_of(const struct hearing *h, const struct hearing *other)
{
	if (target_of(other) && address_equal(&target_of(h)->at.addr, &target_of(other)->at.addr))
		return &h->window->targets[h->window->target_count - 1];
	return target_of(h);
}

static bool target_private(const struct hearing *h)
{
	return target_of(h) && address_private(&target_of(h)->at.addr);
}

/* Its audio comes from behind the router of that address, seen inside or as the router sends it; not so at a relay. */
static bool from_behind(const struct hearing *h, const struct address *router)
{
	const struct stream *s = h->misdirected ? h->misdirected : h->stream;

	return s && (address_private(&s->src.addr) || address_equal(&s->src.addr, router));
}

/*
 * Both were told one public address, and it belongs to both: the router in front of them would have to send the packets
 * back inside.
 */
static bool hairpin(const struct hearing *a, const struct hearing *b)
{
	const struct target *x = target_of(a), *y = target_of(b);

	if (!x || !y || !address_equal(&x->at.addr, &y->at.addr) || address_private(&x->at.addr))
		return false;
	return from_behind(a, &x->at.addr) && from_behind(b, &x->at.addr);
}

static bool same_public_nat(const struct facts *facts, const struct mslot *slot, const struct hearing *a,
	const struct hearing *b)
{
	const struct target *x = target_of(a), *y = target_of(b);
	const struct side_addresses none = { .count = 0 };
	struct side_addresses caller = none, callee = none;

	if (!x || !y || !address_equal(&x->at.addr, &y->at.addr) || address_private(&x->at.addr))
		return false;
	side_addresses(slot, SIDE_CALLER, &caller);
	side_addresses(slot, SIDE_CALLEE, &callee);
	(void)facts;
	return caller.count && callee.count && address_private(&caller.at[0].addr) &&
	       address_private(&callee.at[0].addr) &&
	       !address_equal(&caller.at[0].addr, &callee.at[0].addr);
}

/* Sent, as its RTCP or the capture says, and not received. */
static bool blocked(const struct hearing *h)
{
	return (h->failure == FAILURE_UNDELIVERED && !h->foreign && !hearing_kept_by_relay(h)) ||
	       (h->failure == FAILURE_ABSENT && h->sending == RTCP_SENDING_RISING);
}

/*
 * The receiver named a machine for its media that is not the one it signals from: one that is there, and that never
 * sent audio to the other side. NULL: none such; or ICE names it, a relay for the case that no other way works; or it
 * is the party itself, whose SIP comes through a proxy.
 */
static const struct target *idle_server(const struct facts *facts, const struct mslot *slot, enum side receiver,
	const struct hearing *towards, const struct hearing *from)
{
	const struct target *named = target_of(towards), *peer = target_of(from);
	const struct endpoint *signals = &slot->dialog->leg->party[receiver].signalling;
	const struct host *h = named ? network_host_find(facts->network, &named->at.addr) : NULL;
	const struct pair *p = h && peer ? network_pair_find(facts->network, &named->at.addr, &peer->at.addr) : NULL;

	if (!h || !peer || towards->window->ice ||
	    address_equal(&named->at.addr, &slot->dialog->leg->party[receiver].contact.addr) ||
	    !h->packets_out || (p && p->rtp) || !address_known(&signals->addr) ||
	    network_same(facts->network, &named->at.addr, &signals->addr))
		return NULL;
	return named;
}

static const struct target *idle_server_of(const struct facts *facts, const struct mslot *slot, const struct hearing *a,
	const struct hearing *b)
{
	const struct target *t = idle_server(facts, slot, SIDE_CALLEE, a, b);

	return t ? t : idle_server(facts, slot, SIDE_CALLER, b, a);
}

/* In how many other calls the receiver of a direction sent nothing before a packet had come to it. */
static unsigned waits(const struct facts *facts, const struct hearing *towards)
{
	const struct target *t = target_of(towards);

	return t ? latching_waits(lookup_latching(facts->lookup), &t->at.addr) : 0;
}

static bool silent_here(const struct hearing *h)
{
	return h->at_sender || h->sending == RTCP_SENDING_CONSTANT;
}

static int64_t both_since(const struct hearing *a, const struct hearing *b)
{
	return a->from_ns > b->from_ns ? a->from_ns : b->from_ns;
}

static int64_t both_until(const struct hearing *a, const struct hearing *b)
{
	return a->to_ns < b->to_ns ? a->to_ns : b->to_ns;
}

/* A public sender was told a private address: what it sends there, if anything, comes nowhere. */
static bool is_told_private(const struct facts *facts, const struct direction *d, const struct hearing *h)
{
	return h->failure == FAILURE_ABSENT && h->whole && one_way_told_private(d, h) &&
	       !one_way_found_before(facts, d, h);
}

/* The one of two silent sides of which it is sure that it sends nothing; NULL: both, or neither. */
static const struct hearing *silent_one(const struct hearing *a, const struct hearing *b)
{
	if (a->failure != FAILURE_ABSENT || b->failure != FAILURE_ABSENT || !a->whole || !b->whole ||
	    silent_here(a) == silent_here(b))
		return NULL;
	return silent_here(a) ? a : b;
}

static const char *reason_of(const struct facts *facts, const struct mslot *slot, const struct hearing *a,
	const struct hearing *b)
{
	bool a_wrong = a->failure == FAILURE_MISDIRECTED, b_wrong = b->failure == FAILURE_MISDIRECTED;

	if (hairpin(a, b) || same_public_nat(facts, slot, a, b))
		return "same-nat-no-hairpin";
	if (a->icmp_count >= 3 && b->icmp_count >= 3)
		return "port-closed";
	/* audio for the address in c= that does not wait for the checks: what decides is that no check is answered */
	if ((a_wrong || b_wrong) && a->window->ice && b->window->ice && ice_checks_unanswered(facts, slot, both_since(a, b)))
		return "ice-failed";
	if (target_private(a) && target_private(b) && (a_wrong || b_wrong) &&
	    !address_same_net(&target_of(a)->at.addr, &target_of(b)->at.addr))
		return a_wrong != b_wrong ? "private-and-silent" : "both-private";
	if ((a_wrong && target_private(a) && b->failure != FAILURE_MISDIRECTED) ||
	    (b_wrong && target_private(b) && a->failure != FAILURE_MISDIRECTED))
		return "private-and-silent";
	if (a->foreign && b->foreign)
		return "codec";
	if ((hearing_kept_by_relay(a) && hearing_kept_by_relay(b)) || (blocked(a) && blocked(b)))
		return "blocked-both-ways";
	if (a->failure == FAILURE_ABSENT && b->failure == FAILURE_ABSENT) {
		if (ice_checks_unanswered(facts, slot, both_since(a, b)))
			return "ice-failed";
		if ((silent_here(a) && silent_here(b)) || rtcp_idle(facts, slot))
			return a->whole && b->whole &&
			       (waits(facts, a) || waits(facts, b)) ? "latch-deadlock" : "never-sent-both";
		/* where it cannot be reached from there, it is no matter what runs there */
		if (!is_told_private(facts, &slot->direction[SIDE_CALLER], a) && !is_told_private(facts,
			&slot->direction[SIDE_CALLEE], b) &&
		    idle_server_of(facts, slot, a, b))
			return "wrong-media-server";
	}
	return "unlocated";
}

/* Nothing of the call is heard of since, neither audio nor SIP: it may have ended where the capture does not show it. */
static bool end_unseen(const struct mslot *slot, const struct hearing *a, const struct hearing *b)
{
	const struct leg *leg = slot->dialog->leg;

	return !leg->bye_seen && leg->last_ns <= both_since(a, b);
}

static enum confidence confidence_of(const struct mslot *slot, const char *reason, enum visible visible,
	const struct hearing *a, const struct hearing *b)
{
	if (a->window->likely_at_most || b->window->likely_at_most || visible == VISIBLE_LIKELY)
		return CONFIDENCE_LIKELY;
	if (strcmp(reason, "never-sent-both") == 0 && end_unseen(slot, a, b))
		return CONFIDENCE_LIKELY;
	if ((strcmp(reason, "blocked-both-ways") == 0 && !hearing_kept_by_relay(a)) || strcmp(reason, "port-closed") == 0 ||
	    strcmp(reason, "never-sent-both") == 0)
		return CONFIDENCE_CERTAIN;
	return CONFIDENCE_LIKELY;
}

/* One direction of several kinds of failure. */
static const char *what_fails(const struct facts *facts, const struct direction *d, const struct hearing *h,
	char buffer[SAY_TEXT])
{
	char at[ENDPOINT_TEXT];

	switch (h->failure) {
	case FAILURE_ABSENT:
		if (!is_told_private(facts, d, h))
			return "no audio passes this point";
		snprintf(buffer, SAY_TEXT, "no audio passes this point: it was told to send it to %s, a private "
			"address",
			endpoint_text(&target_of(h)->at, at));
		return buffer;
	case FAILURE_MISDIRECTED:
		return "audio goes to an address at which the other side is not";
	case FAILURE_UNDELIVERED:
		return hearing_kept_by_relay(h) ? "audio comes to a relay that does not send it on"
		       : h->foreign ? "audio of a type comes that the other side did not accept"
		       : "audio is sent and does not arrive";
	case FAILURE_NONE:
		break;
	}
	return "audio comes";
}

static void say_checks(struct finding *f, const struct ice_way *way)
{
	char from[ENDPOINT_TEXT], to[ENDPOINT_TEXT], checks[TEXT_COUNT];

	finding_cause(f, "%s asks %s %s times %swhether it can be reached (ICE), and no answer passes this point: without a way that works neither side sends audio%s.",
		endpoint_text(&way->from, from), endpoint_text(&way->to, to), text_count(way->in_vain, checks),
		way->answers ? "more " : "", way->answers ? " any longer" : "");
	finding_evidence(f, (struct frame_ref){ way->first_ns, way->first_at.frame, way->first_at.file, 0 },
		"the first check from %s to %s", from, to);
}

static void say_deadlock(struct finding *f, const struct facts *facts, const struct mslot *slot,
	const struct hearing *a, const struct hearing *b)
{
	unsigned caller_calls = waits(facts, b), callee_calls = waits(facts, a);
	enum side waiting = callee_calls >= caller_calls ? SIDE_CALLEE : SIDE_CALLER;
	char waits_text[SAY_TEXT], other[SAY_TEXT];

	say_party_full(facts, slot->dialog->leg, waiting, waits_text);
	say_party_full(facts, slot->dialog->leg, side_other(waiting), other);
	if (caller_calls && callee_calls)
		finding_cause(f, "%s and %s both wait for the first packet before they send, as in other calls here (%u and %u): neither begins.",
			waits_text, other, waiting == SIDE_CALLEE ? callee_calls : caller_calls,
			waiting == SIDE_CALLEE ? caller_calls : callee_calls);
	else
		finding_cause(f, "%s waits for the first packet before it sends, as in %s here; %s never sends one.",
			waits_text, SAY_COUNTED(callee_calls + caller_calls, "other call"), other);
	finding_fix(f, "Let one of the two send first: switch waiting for the first packet (comedia, symmetric RTP) off on %s towards %s, or RTP keepalives on at %s; look for a mute or missing sound device there.",
		waits_text, other, other);
}

static void say_stale(struct finding *f, const struct facts *facts, const struct mslot *slot,
	const struct hearing *a, const struct hearing *b, const char *caller, const char *callee)
{
	const struct hearing *h = stale_of(slot, a, b);
	char old[ENDPOINT_TEXT], now[ENDPOINT_TEXT], other[SAY_TEXT];

	finding_cause(f, "Audio of %s goes on to %s although the session was moved to %s; from %s %s.",
		h == a ? caller : callee, endpoint_text(&h->misdirected->dst, old),
		target_of(h) ? endpoint_text(&target_of(h)->at, now) : "another address", h == a ? callee : caller,
		what_fails(facts, &slot->direction[h == a ? SIDE_CALLEE : SIDE_CALLER], h == a ? b : a, other));
}

static void say_none(struct finding *f, const struct facts *facts, const struct mslot *slot, const struct hearing *a,
	const struct hearing *b, const char *caller, const char *callee)
{
	const struct hearing *silent = silent_one(a, b);
	char at[ENDPOINT_TEXT];

	finding_cause(f, "In %.0f s no audio of %s or %s passes this point, where media of these hosts would be seen.",
		(double)(a->to_ns - a->from_ns) / 1e9, caller, callee);
	for (unsigned side = 0; side < 2; side++) {
		const struct hearing *h = side == SIDE_CALLER ? a : b;

		if (is_told_private(facts, &slot->direction[side], h))
			text_addf(&f->cause, " The address named to %s is %s, a private one.",
				side == SIDE_CALLER ? caller : callee, endpoint_text(&target_of(h)->at, at));
	}
	if (silent)
		text_addf(&f->cause, " It is sure here that %s sends none.", silent == a ? caller : callee);
	if (silent && waits(facts, silent))
		text_addf(&f->cause, " In %s here %s waits for the first packet.",
			SAY_COUNTED(waits(facts, silent), "other call"), silent == a ? callee : caller);
}

/* Both were heard before. */
static const char *any_more(const struct hearing *a, const struct hearing *b)
{
	return a->whole || b->whole ? "" : " any more";
}

static void say_cause(struct finding *f, const struct facts *facts, const struct mslot *slot, const struct hearing *a,
	const struct hearing *b)
{
	char caller[SAY_TEXT], callee[SAY_TEXT], x[ENDPOINT_TEXT] = "?", y[ENDPOINT_TEXT] = "?";
	char fails_a[SAY_TEXT], fails_b[SAY_TEXT];
	const struct leg *leg = slot->dialog->leg;

	say_party_full(facts, leg, SIDE_CALLER, caller);
	say_party_full(facts, leg, SIDE_CALLEE, callee);
	if (target_of(b))
		endpoint_text(&target_of(b)->at, x);         /* where the caller wants to receive */
	if (target_of(a))
		endpoint_text(&target_of(a)->at, y);
	if (strcmp(f->reason, "both-private") == 0)
		finding_cause(f, "Both session descriptions carry private addresses (%s and %s) of different networks; neither side can reach the other.", x, y);
	else if (strcmp(f->reason, "private-and-silent") == 0)
		finding_cause(f, "One side sends to a private address that it cannot reach (%s, %s), the other waits for the first packet before it sends.", x, y);
	else if (hearing_kept_by_relay(a) && hearing_kept_by_relay(b))
		finding_cause(f, "Audio of %s comes to %s, and of %s to %s; nothing of either leaves for the other side, where other packets of the relay do.",
			      caller, y, callee, x);
	else if (strcmp(f->reason, "blocked-both-ways") == 0)
		finding_cause(f, "%s and %s both send to the right addresses; both report nothing received%s.", caller,
			callee, any_more(a, b));
	else if (strcmp(f->reason, "same-nat-no-hairpin") == 0)
		finding_cause(f, "Both phones sit behind one NAT and send to its public address (%s, %s); it does not send the packets back inside.", x, y);
	else if (strcmp(f->reason, "never-sent-both") == 0)
		finding_cause(f, "Neither end sent audio%s: %s, %s.", any_more(a, b), caller, callee);
	else if (strcmp(f->reason, "port-closed") == 0)
		finding_cause(f, "ICMP errors answer the audio of both directions (to %s and %s).", x, y);
	else if (strcmp(f->reason, "codec") == 0)
		finding_cause(f, "%s and %s both send audio of payload types that the other's session description does not name.", caller, callee);
	else if (strcmp(f->reason, "wrong-media-server") == 0)
		finding_cause(f, "The session description names %s for the media, which is another machine than signals; it is there and never sent any.",
			      endpoint_text(&idle_server_of(facts, slot, a, b)->at, x));
	else if (strcmp(f->reason, "ice-failed") == 0)
		say_checks(f, ice_checks_unanswered(facts, slot, both_since(a, b)));
	else if (a->failure == FAILURE_ABSENT && b->failure == FAILURE_ABSENT)
		say_none(f, facts, slot, a, b, caller, callee);
	else if (stale_of(slot, a, b))
		say_stale(f, facts, slot, a, b, caller, callee);
	else
		finding_cause(f, "From %s %s; from %s %s.", caller, what_fails(facts, &slot->direction[SIDE_CALLER], a,
			fails_a), callee, what_fails(facts, &slot->direction[SIDE_CALLEE], b, fails_b));
}

static const struct address *silent_host(const struct mslot *slot, const struct hearing *a, const struct hearing *b)
{
	enum side side = silent_one(a, b) == a ? SIDE_CALLER : SIDE_CALLEE;

	return &slot->dialog->leg->party[side].signalling.addr;
}

static void say_fix(struct finding *f, const struct facts *facts, const struct mslot *slot, const struct hearing *a,
	const struct hearing *b)
{
	const struct hearing *stale = strcmp(f->reason, "unlocated") == 0 ? stale_of(slot, a, b) : NULL;
	int private_to = is_told_private(facts, &slot->direction[SIDE_CALLER], a) ? SIDE_CALLER
		: is_told_private(facts, &slot->direction[SIDE_CALLEE], b) ? SIDE_CALLEE : -1;
	const struct direction *d = &slot->direction[private_to == SIDE_CALLEE ? SIDE_CALLEE : SIDE_CALLER];
	const struct target *named = private_to < 0 ? NULL : target_of(private_to == SIDE_CALLER ? a : b);
	/* who wrote it into the message that reached the sender */
	struct endpoint named_by = named && named->message ? named->message->src
		: party_seen_at(d, side_other(d->sender));
	struct endpoint told = party_seen_at(d, d->sender), hears_at = party_seen_at(d, side_other(d->sender));
	char relay[SAY_TEXT], other[SAY_TEXT];
	char x[ENDPOINT_TEXT] = "?", y[ENDPOINT_TEXT] = "?";

	if (target_of(b))
		endpoint_text(&place_of(b, a)->at, x);
	if (target_of(a))
		endpoint_text(&place_of(a, b)->at, y);
	if (strcmp(f->reason, "both-private") == 0 || strcmp(f->reason, "private-and-silent") == 0)
		finding_fix(f, "Switch NAT handling (symmetric RTP, external address) on for both legs on the PBX and keep media on it: no direct media.");
	else if (strcmp(f->reason, "same-nat-no-hairpin") == 0)
		finding_fix(f, "Let such calls use the private addresses (ICE, local network setting), or keep their media on the PBX; or switch hairpin NAT on.");
	else if (hearing_kept_by_relay(a) && hearing_kept_by_relay(b))
		say_relay_fix(f, say_host(facts, &a->stream->dst.addr, relay), y);
	else if (strcmp(f->reason, "codec") == 0)
		finding_fix(f, "Make both sides use one codec: correct the codec lists or their order, or let the PBX transcode.");
	else if (strcmp(f->reason, "wrong-media-server") == 0)
		finding_fix(f, "See whether the media service runs on the machine that the session description names, has ports and licences, and is the right one.");
	else if (strcmp(f->reason, "ice-failed") == 0)
		finding_fix(f, "Open UDP both ways between %s and %s, or give the clients a TURN server (best one that speaks TCP and TLS, too).", x, y);
	else if (strcmp(f->reason, "never-sent-both") == 0)
		finding_fix(f, "Look at what %s and %s do after the answer: on a server at its media service, licence and port range, on a phone at microphone, mute and its own firewall. If both wait for the first packet, let one of them send first (RTP keepalives, comedia on one side only).",
			say_host(facts, &told.addr, relay), say_host(facts, &hears_at.addr, other));
	else if (strcmp(f->reason, "port-closed") == 0)
		finding_fix(f, "Check that both session descriptions name the ports that were opened, and that no NAT or ALG changes them on the way; firewalls on the hosts may refuse, too.");
	else if (stale)
		finding_fix(f, "Let %s send to %s, as the newest SDP says: after a re-INVITE it has to forget what "
			"it learnt before, and packets that are still on the way from the old "
			"address must not teach it again. The other side may wait for its first packet there.",
			    say_host(facts, &stale->misdirected->src.addr, relay), stale == a ? y : x);
	else if (strcmp(f->reason, "unlocated") == 0 && silent_one(a, b) && private_to < 0)
		finding_fix(f, "Look at %s first, which sends nothing: when its media starts, on a phone its sound "
			    "device and mute. If it waits for the first packet itself, let UDP to %s reach it in every "
			    "firewall and NAT.", say_host(facts, silent_host(slot, a, b), relay),
			silent_one(a, b) == a ? x : y);
	else if (strcmp(f->reason, "unlocated") == 0 && private_to >= 0 &&
		 say_first_packet_fix(f, facts, &told.addr, &named_by.addr,
			 say_party(facts, slot->dialog->leg, side_other(d->sender), other)))
		return;
	else if (strcmp(f->reason, "unlocated") == 0 && private_to >= 0)
		finding_fix(f, "Let %s name its external address for audio towards %s (NAT setting; on a proxy with "
			"two networks the right direction of its media relay): %s cannot be reached from "
			"there.", say_host(facts, &named_by.addr, relay), say_host(facts, &told.addr, other),
			private_to == SIDE_CALLER ? y : x);
	else if (*any_more(a, b))
		say_passed_before_fix(f, x, y);
	else
		finding_fix(f, "Open UDP both ways between %s and %s in every firewall between them; check that each address can be reached from the other side.", x, y);
}

/* Who does what, as far as the reason says. NULL: not known. */
static const char *act_of(const char *reason)
{
	static const char *const acts[][2] = {
		{ "both-private", "Both sides name private addresses" },
		{ "private-and-silent", "One side sends to a private address, the other waits" },
		{ "latch-deadlock", "Nobody sends the first packet" },
		{ "blocked-both-ways", "Something on the way drops all audio" },
		{ "never-sent-both", "Neither side sends audio" },      /* from some moment on, or at all */
		{ "wrong-media-server", "The media server sends nothing" },
		{ "same-nat-no-hairpin", "The router does not send audio back inside" },
		{ "codec", "Both sides send codecs that were not agreed" },
		{ "ice-failed", "No way between both sides works" },
		{ "port-closed", "Both sides refuse the audio" },
	};

	for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
		if (strcmp(acts[i][0], reason) == 0)
			return acts[i][1];
	}
	return NULL;
}

static void tell(struct detection *d, const struct mslot *slot, const struct hearing *a, const struct hearing *b,
	enum visible visible)
{
	const struct facts *facts = detection_facts(d);
	const char *reason = reason_of(facts, slot, a, b);
	enum confidence c = confidence_of(slot, reason, visible, a, b);
	struct finding *f = detection_raise_keyed(d, (uintptr_t)slot->mline, reason, SEVERITY_ERROR, c);
	struct endpoint caller = party_seen_at(&slot->direction[0], SIDE_CALLER),
		callee = party_seen_at(&slot->direction[0], SIDE_CALLEE);
	bool by_relay = hearing_kept_by_relay(a) && hearing_kept_by_relay(b);
	const char *act = by_relay ? "The relay passes no audio on" : act_of(reason);
	char from[SAY_TEXT], to[SAY_TEXT], effect[3 * SAY_TEXT];

	f->reason_confidence = c;
	f->direction = NULL;
	finding_leg(f, slot->dialog->leg);
	finding_part(f, PART_VICTIM, &caller);
	finding_part(f, PART_VICTIM, &callee);
	if (by_relay)
		finding_part(f, PART_CULPRIT, &(struct endpoint){ .addr = a->stream->dst.addr });
	else if (strcmp(reason, "unlocated") == 0 && stale_of(slot, a, b))
		finding_part(f, PART_CULPRIT,
			&(struct endpoint){ .addr = stale_of(slot, a, b)->misdirected->src.addr });
	finding_times(f, both_since(a, b), both_until(a, b));
	say_party(facts, slot->dialog->leg, SIDE_CALLER, from);
	say_party(facts, slot->dialog->leg, SIDE_CALLEE, to);
	snprintf(effect, sizeof effect, "%s and %s %shear nothing%s%s", from, to, say_claim(f),
		act ? "" : " of each other", any_more(a, b));
	if (act)
		say_title(f, act, effect);
	else
		finding_title(f, "%s", effect);
	if (strcmp(reason, "latch-deadlock") == 0) {
		say_deadlock(f, facts, slot, a, b);
	} else {
		say_cause(f, facts, slot, a, b);
		say_fix(f, facts, slot, a, b);
	}
	evidence_of_call(f, &slot->direction[SIDE_CALLER], a);
	evidence_of_call(f, &slot->direction[SIDE_CALLEE], b);
	passages_say(f, facts, &slot->direction[SIDE_CALLEE], b);
	if (!f->earlier.n)
		passages_say(f, facts, &slot->direction[SIDE_CALLER], a);
	if (strcmp(reason, "latch-deadlock") == 0)
		finding_cannot_see(f, "what keeps the other side from sending: a mute, no sound device, or waiting as well");
	else if (by_relay)
		say_relay_unseen(f);
	else if (c != CONFIDENCE_CERTAIN)
		finding_cannot_see(f, "whether the two sides sent; capture beside each of them to decide");
}

/*
 * One side sends to a private address that it cannot reach; the other, told a private address too, sends nothing that
 * passes here: it waits for the first packet, or sends where it cannot arrive either (N12). What the first one does is
 * proof enough.
 */
static bool waits_to_latch(const struct hearing *sends, const struct hearing *silent)
{
	return sends->heard == HEARD_NO && sends->failure == FAILURE_MISDIRECTED && target_private(sends) &&
	       target_private(silent) &&
	       silent->packets == 0 && silent->gate && strcmp(silent->gate, "G3") == 0 &&
	       !silent->receiver_reports_unseen && !silent->other_path &&
	       silent->sending != RTCP_SENDING_RISING;
}

static void judge_slot(struct detection *d, const struct event *ev)
{
	const struct mslot *slot = ev->direction->slot;
	const struct hearing *a = hearing_of(&slot->direction[SIDE_CALLER]),
		*b = hearing_of(&slot->direction[SIDE_CALLEE]);
	double min_ns = detection_key(d, "min-seconds") * 1e9;
	enum visible visible;

	if (ev->direction->sender != SIDE_CALLER || !a || !b)
		return;                                      /* once a slot */
	if ((waits_to_latch(a, b) || waits_to_latch(b, a)) && (double)(a->to_ns - a->from_ns) >= min_ns &&
	    (double)(b->to_ns - b->from_ns) >= min_ns) {
		tell(d, slot, a, b, VISIBLE_LIKELY);
		return;
	}
	if (a->gate || b->gate) {
		detection_withhold(d, ev->leg, a->gate ? a->gate : b->gate, "%s", hearing_why(a->gate ? a : b));
		return;
	}
	if (a->heard != HEARD_NO || b->heard != HEARD_NO) {
		detection_pass(d, NULL, "at least one direction does not fail: %s",
			hearing_why(a->heard != HEARD_NO ? a : b));
		return;
	}
	if ((double)(a->to_ns - a->from_ns) < min_ns || (double)(b->to_ns - b->from_ns) < min_ns) {
		detection_pass(d, NULL, "too short: less than %.0f s in both directions", min_ns / 1e9);
		return;
	}
	if ((double)hearing_together_ns(a, b) < min_ns) {
		detection_pass(d, NULL, "each direction fails at a time of its own");
		return;
	}
	visible = media_visible(detection_facts(d), slot, a, b);
	if (visible == VISIBLE_NO) {
		detection_withhold(d, ev->leg, "G2", "nothing proves that media of these hosts would pass this point");
		return;
	}
	tell(d, slot, a, b, visible);
}

/* Audio of no call, from or to one of the parties while the call was up: something was agreed, only not here. */
static bool audio_passes(const struct facts *facts, const struct leg *leg, const struct exchange *x, int64_t from_ns,
	int64_t to_ns)
{
	const struct sdp *offer = x->offer.count ? x->offer.seen[0]->sdp : NULL;
	struct lookup_orphans within = lookup_orphans_within(facts->lookup, from_ns, to_ns);

	for (const struct stream *s; (s = lookup_orphan_next(facts->lookup, &within)) != NULL;) {
		for (unsigned side = 0; side < 2; side++) {
			const struct address *party = &leg->party[side].signalling.addr;

			if (address_equal(&s->src.addr, party) || address_equal(&s->dst.addr, party))
				return true;
		}
		for (unsigned i = 0; offer && i < offer->media_count; i++) {
			if (endpoint_equal(&s->dst, &offer->media[i].at) || endpoint_equal(&s->src, &offer->media[i].at))
				return true;
		}
	}
	return false;
}

/* What it acknowledges may have answered the offer (RFC 3262 5); the capture has no answer. */
static bool provisional_unseen(const struct leg *leg)
{
	CHAIN_EACH(it, &leg->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_leg);

		if (m->request && m->method == SIP_PRACK)
			return true;
	}
	return false;
}

/* The 200 made the offer and the ACK carries no SDP (RFC 3261 13.2.2.4), or the INVITE made it and no answer does. */
static void say_unanswered(struct finding *f, const struct facts *facts, const struct leg *leg,
	const struct exchange *x)
{
	const struct transaction *t = x->transaction;
	char from[SAY_TEXT], to[SAY_TEXT], act[2 * SAY_TEXT], effect[3 * SAY_TEXT];

	say_party(facts, leg, SIDE_CALLER, from);
	say_party(facts, leg, SIDE_CALLEE, to);
	if (x->delayed)
		snprintf(act, sizeof act, "%s's ACK answers no offer", from);
	else
		snprintf(act, sizeof act, "%s's 200 answers no offer", to);
	snprintf(effect, sizeof effect, "%s and %s %shear nothing", from, to, say_claim(f));
	say_title(f, act, effect);
	if (x->offer.count)
		finding_evidence(f, x->offer.seen[0]->at, x->delayed ? "the 200 makes the offer" : "the INVITE makes the offer");
	if (x->delayed) {
		finding_cause(f,
			"The INVITE offered nothing, the 200 made the offer, and the ACK carries no SDP: no media was agreed.");
		finding_fix(f, "Let %s send its offer in the INVITE, or mend its handling of delayed offers.", from);
		if (t && t->ack)
			finding_evidence(f, t->ack->at, "ACK without SDP");
	} else {
		finding_cause(f,
			"The INVITE made an offer, and neither the 200 nor a response before it carries SDP: no media was agreed.");
		finding_fix(f, "Mend what answers for %s: the 200 to an offer carries the answer.", to);
		if (t && t->final)
			finding_evidence(f, t->final->at, "200 without SDP");
		finding_cannot_see(f, "a response with SDP that the capture may have lost");
	}
}

static void judge_answer(struct detection *d, const struct event *ev)
{
	const struct dialog *dialog = ev->leg->confirmed;
	const struct facts *facts = detection_facts(d);
	const struct exchange *x = NULL;
	int64_t end_ns;
	struct finding *f;

	if (!dialog || dialog->partial)
		return;
	LIST_EACH(it, &dialog->exchanges) {
		const struct exchange *each = LIST_ENTRY(it, struct exchange, in_dialog);

		if (each->state == EXCHANGE_STABLE)
			return;
		x = each->state == EXCHANGE_NO_ANSWER ? each : x;
	}
	end_ns = dialog->ended_ns != NS_NONE ? dialog->ended_ns : facts->capture->last_ns;
	if (!x || dialog->confirmed_ns == NS_NONE ||
	    (double)(end_ns - dialog->confirmed_ns) < detection_key(d, "min-seconds") * 1e9)
		return;
	if (!x->delayed && provisional_unseen(ev->leg)) {
		detection_withhold(d, ev->leg, "G7", "a PRACK tells of a response that may have answered, which the capture has not");
		return;
	}
	if (audio_passes(facts, ev->leg, x, dialog->confirmed_ns, end_ns)) {
		detection_pass(d, NULL, "audio passes all the same: the answer is not in the capture");
		return;
	}
	f = detection_raise_keyed(d, UINT64_MAX, "answer-missing", SEVERITY_ERROR, CONFIDENCE_LIKELY);
	f->reason_confidence = CONFIDENCE_LIKELY;
	finding_leg(f, ev->leg);
	for (unsigned side = 0; side < 2; side++)
		finding_part(f, PART_VICTIM, &ev->leg->party[side].signalling);
	finding_part(f, PART_CULPRIT, &ev->leg->party[side_other(x->offerer)].signalling);
	finding_times(f, dialog->confirmed_ns, end_ns);
	say_unanswered(f, facts, ev->leg, x);
}

static void on_event(struct detection *d, const struct event *ev)
{
	if (ev->kind == EVENT_JUDGE_CALL)
		judge_answer(d, ev);
	else
		judge_slot(d, ev);
}

const struct detector detect_no_audio = {
	.id = "no-audio", .doc = &doc, .keys = keys, .event = on_event,
	.events = EVENT_BIT(EVENT_JUDGE_DIRECTION) | EVENT_BIT(EVENT_JUDGE_CALL),
	.scope = PER_CALL, .usual = SEVERITY_ERROR, .possible_max = SEVERITY_WARNING,
};
