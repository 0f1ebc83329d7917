/* SPDX-License-Identifier: MIT */
/* one_way_say: one-way-audio in words: what happened where, what it rests on, what to do. */
#include "analyzer/detect/one_way.h"

#include <stdio.h>
#include <string.h>

#include "analyzer/detect/lookup.h"
#include "analyzer/detect/port_edges.h"
#include "analyzer/detect/say.h"

#define LEAVE_NS (2 * SECOND_NS)
#define RESTART_NS (60 * SECOND_NS)

enum { RELAYED_PACKETS = 100 };              /* two seconds of what the sender should have passed on */

bool one_way_undecrypted(const struct hearing *h)
{
	return strncmp(h->undelivered_by, "rtcp-", 5) == 0 &&
	       (h->window->secure || h->window->dtls || (h->stream && h->stream->srtp));
}

struct words {
	char receiver[SAY_TEXT], sender[SAY_TEXT], receiver_full[SAY_TEXT], sender_host[SAY_TEXT],
		receiver_host[SAY_TEXT];
	char to[ENDPOINT_TEXT], sdp[ENDPOINT_TEXT], real[ENDPOINT_TEXT], point[SAY_TEXT], packets[TEXT_COUNT];
	double seconds;
	bool receiver_serves, sender_serves;
	bool told_inside;            /* a public address, although both are in one private network */
};

static bool is_registrar(const struct facts *facts, const struct address *a)
{
	const struct host *h = network_host_find(facts->network, a);

	return h && h->registers_answered;
}

static struct words words_of(const struct facts *facts, const struct direction *d, const struct hearing *h)
{
	const struct leg *leg = d->slot->dialog->leg;
	enum side receiver = side_other(d->sender);
	struct endpoint seen_receiver = party_seen_at(d, receiver), seen_sender = sender_seen_at(facts, d, h),
		none = { .port = 0 }, real = seen_receiver;
	struct words w;

	say_party(facts, leg, receiver, w.receiver);
	say_party_full(facts, leg, receiver, w.receiver_full);
	say_party(facts, leg, d->sender, w.sender);
	say_host(facts, &seen_sender.addr, w.sender_host);
	say_host(facts, &seen_receiver.addr, w.receiver_host);
	w.receiver_serves = say_serves(facts, &seen_receiver.addr) || is_registrar(facts, &seen_receiver.addr);
	w.sender_serves = say_serves(facts, &seen_sender.addr) || is_registrar(facts, &seen_sender.addr);
	w.told_inside = h->window->target_count && !address_private(&h->window->targets[0].at.addr) &&
		address_private(&seen_sender.addr) && address_same_net(&seen_sender.addr, &seen_receiver.addr);
	say_point(facts, h, d, w.point);
	endpoint_text(h->misdirected ? &h->misdirected->dst : h->stream ? &h->stream->dst : &none, w.to);
	endpoint_text(h->window->target_count ? &h->window->targets[0].at : &none, w.sdp);
	/* seen before and behind its NAT, it is found where the audio for it is */
	if (!h->misdirected || hearing_contradiction(facts, d, h->window, &h->misdirected->dst, h->misdirected,
	    &real) == CONTRADICTION_NONE || !real.port)
		real = seen_receiver;
	endpoint_text(&real, w.real);
	/* grace included, as the reader counts */
	w.seconds = (double)(h->to_ns - (h->whole ? h->window->on_ns : h->from_ns)) / 1e9;
	/* at a relay both what comes in and what leaves is this direction's */
	text_count((uint64_t)(h->misdirected ? (double)h->misdirected->packets
		: hearing_kept_by_relay(h) ? (double)h->stream->packets : h->packets), w.packets);
	return w;
}

/* Before it failed: in this window, or in the one that a re-INVITE moved it from. */
static bool was_heard(const struct hearing *h)
{
	return !h->whole || (h->window->moved && h->delivered);
}

/* Who does what, and whom it hurts; where nobody is to blame yet, only the latter. */
static void entitle(struct finding *f, const struct words *w, const struct hearing *h, const char *actor,
	const char *acts)
{
	char act[2 * SAY_TEXT], effect[3 * SAY_TEXT];

	if (actor) {
		snprintf(act, sizeof act, "%s %s", actor, acts);
		snprintf(effect, sizeof effect, "%s %shears nothing%s", w->receiver, say_claim(f),
			was_heard(h) ? " any more" : "");
		say_title(f, act, effect);
	} else {
		finding_title(f, "%s %shears nothing of %s%s", w->receiver, say_claim(f), w->sender,
			was_heard(h) ? " any more" : "");
	}
}

static void say_left(struct finding *f, const struct words *w, const struct hearing *h, const struct stream *now)
{
	char at[ENDPOINT_TEXT];

	endpoint_text(&now->src, at);
	finding_evidence(f, stream_frame(now, now->first_frame, now->first_ns), "from here on %s's audio comes from %s",
		w->receiver, at);
	if (address_equal(&now->src.addr, &h->misdirected->dst.addr)) {
		finding_cause(f, "%s goes on sending to %s, where %s's audio came from until the router before it gave it another port. Now it comes from %s: the old mapping is gone.",
			      w->sender_host, w->to, w->receiver, at);
		finding_fix(f, "Let %s answer to where audio comes from at all times (symmetric RTP, not learn once); look for what the router forgets: a restart, a full table, a short UDP timeout.",
			    w->sender_host);
		return;
	}
	finding_cause(f, "%s goes on sending to %s, where %s's audio came from until %s changed its address. Now it comes from %s, and no SDP tells of it.",
		      w->sender_host, w->to, w->receiver, w->receiver, at);
	finding_fix(f, "Let the phone of %s tell its new address by a re-INVITE when its network changes (Wi-Fi to mobile, VPN), or let %s answer to where audio comes from (symmetric RTP).",
		    w->receiver, w->sender_host);
}

static void say_stale(struct finding *f, const struct words *w, const struct hearing *h, const struct direction *d,
	const struct facts *facts)
{
	const struct stream *left = h->whole ? NULL : hearing_receiver_left(facts, d, &h->misdirected->dst);
	const struct endpoint *to = &h->misdirected->dst;
	const struct stream *now = one_way_sent_before(d, h->window, to) ? NULL : one_way_learnt_before(d, h->window, to);
	char at[ENDPOINT_TEXT];

	if (left) {
		entitle(f, w, h, w->receiver, address_equal(&left->src.addr, &to->addr) ? "comes from another port"
			: "moves to another address");
		say_left(f, w, h, left);
		return;
	}
	if (one_way_obeys(d, h->misdirected, h->from_ns)) {
		char teller[SAY_TEXT];

		say_host(facts, &d->slot->dialog->leg->party[d->sender].signalling.addr, teller);
		entitle(f, w, h, teller, "does not pass a new address on");
		finding_cause(f, "%s sends to %s, as %s told it; %s has moved to %s since, told %s so, and the "
			"sender was not told.", w->sender_host,
			w->to, teller, w->receiver, w->sdp, teller);
		say_direct_media_fix(f, teller);
		return;
	}
	entitle(f, w, h, w->sender_host, "sends to an old address");
	if (!now) {
		if (!one_way_sent_before(d, h->window, to) && one_way_named_early(d, h->window, to)) {
			finding_cause(f, "%s goes on sending to %s, which a response before the answer named (183); "
				"the answer names %s.",
				w->sender_host, w->to, w->sdp);
			finding_fix(f, "Update %s: its audio has to follow the 200. Until then let only one branch "
				"of a call announce audio before the answer (no 183 from the others, or no "
				"parallel ringing) on this route.", w->sender_host);
			return;
		}
		finding_cause(f, "%s goes on sending to %s although the session was moved to %s.", w->sender_host,
			w->to, w->sdp);
		finding_fix(f, "Update %s, or switch direct media (re-INVITE) off for this route.", w->sender_host);
		return;
	}
	finding_cause(f, "%s goes on sending to %s, where %s's audio came from before the session was moved to %s; it now comes from %s.",
		      w->sender_host, w->to, w->receiver, w->sdp, endpoint_text(&now->src, at));
	finding_fix(f, "Let %s learn the source of audio anew after a re-INVITE (symmetric RTP, not learn once), or update it.",
		    w->sender_host);
	finding_evidence(f, stream_frame(now, now->first_frame, now->first_ns), "%s's audio comes from %s", w->receiver,
		at);
}

/* Who writes a private address to the outside: a phone behind its router, or the server itself. */
static bool named_wrong(const struct finding *f)
{
	return f->other_reason_count && strcmp(f->other_reasons[0], "advertised-address-wrong") == 0;
}

static void say_external_fix(struct finding *f, const struct words *w)
{
	if (w->told_inside)
		finding_fix(f, "Let %s name its inner address to those of its own network (Asterisk: local_net; FreeSWITCH: ext-rtp-ip with autonat); or switch hairpin NAT on at the router.",
			    w->receiver_host);
	else
		finding_fix(f, "Correct the external (NAT) address in the settings of %s; has the address of its line changed?", w->receiver_host);
}

static void say_private_fix(struct finding *f, const struct words *w)
{
	if (w->receiver_serves)
		finding_fix(f, "Give %s its external address (NAT setting of signalling and media) for what goes outside, and forward its media ports to it.",
			    w->receiver_host);
	else
		finding_fix(f, "Switch NAT handling (symmetric RTP, comedia) on for this phone on %s; or give the phone STUN or its external address. "
			    "Keep media on the server, not direct, while the phone is behind NAT.", w->sender_host);
}

static void say_misdirected(struct finding *f, const struct words *w, const struct hearing *h,
	const struct direction *d, const struct facts *facts)
{
	if (strcmp(f->reason, "wrong-port") == 0) {
		entitle(f, w, h, w->sender_host, "sends to a wrong port");
		finding_cause(f, "%s sends %s's audio to %s; the SDP that reached it names %s%s.", w->sender_host,
			w->receiver, w->to, w->sdp, h->whole ? "" : ", where it has sent before");
		if (!h->whole)
			finding_fix(f, "Find out what made %s change the port in mid-call: another session, a learnt address, a restart; else it is a fault of %s: update it.",
				    w->sender_host, w->sender_host);
		else
			finding_fix(f, "Look for a NAT or ALG that changes the port in the SDP on the way to %s; else it is a fault of %s: update it.", w->sender_host,
			    w->sender_host);
	} else if (strcmp(f->reason, "advertised-address-wrong") == 0) {
		entitle(f, w, h, w->receiver_host, "names a wrong address for its audio");
		finding_cause(f, "%s advertises %s for its audio but lives at %s; %s obeys and sends there.",
			w->receiver_full, w->sdp, w->real, w->sender_host);
		say_external_fix(f, w);
	} else if (strcmp(f->reason, "latch-lost") == 0) {
		entitle(f, w, h, w->sender_host, "turns to a private address");
		finding_cause(f, "%s first sent to where %s's packets come from, and then turned to %s, the private address that %s's SDP names, behind a NAT.",
			w->sender_host, w->receiver, w->to, w->receiver);
		say_private_fix(f, w);
	} else if (strcmp(f->reason, "sdp-ignored") == 0) {
		entitle(f, w, h, w->sender_host, "sends to the wrong host");
		finding_cause(f, "%s sends %s's audio to %s, the host that signals; SDP names %s (c=), and %s's own audio comes from there.", w->sender_host,
			w->receiver, w->to, w->sdp, w->receiver);
		finding_fix(f, "Update %s: audio goes to the address of the c= line, not to that of the o= line or of the signalling.", w->sender_host);
	} else if (strcmp(f->reason, "stale-target") == 0) {
		say_stale(f, w, h, d, facts);
	} else if (strcmp(f->reason, "latched-elsewhere") == 0) {
		entitle(f, w, h, w->sender_host, "turns to a wrong address");
		finding_cause(f, "%s first sent to the right address and then turned to %s.", w->sender_host, w->to);
		finding_fix(f, "Limit address learning on %s (strict source, learn once).", w->sender_host);
	} else if (strcmp(f->reason, "unlocated") == 0) {
		entitle(f, w, h, w->sender_host, "sends to another address");
		finding_cause(f, "%s sends %s's audio to %s; %s's own audio comes from %s.", w->sender_host,
			w->receiver, w->to, w->receiver, w->real);
		finding_fix(f, "Find out who told %s to send to %s: compare the SDP in %s's messages with the SDP that reaches %s; look at port forwardings and "
			    "an ALG between them.", w->sender_host, w->to, w->receiver, w->sender_host);
	} else {
		entitle(f, w, h, w->sender_host, "sends to a private address");
		finding_cause(f, "%s told %s to send its audio to %s, a private address behind a NAT (its packets come from %s); %s obeys.", w->receiver_full,
			      w->sender_host, w->to, w->real, w->sender_host);
		say_private_fix(f, w);
	}
}

/* Does so much of it reach the machine in that time? What was lost from one point to the next does not. */
static bool reaches(const struct facts *facts, const struct stream *s, const struct address *hub,
	const struct address *media, const struct hearing *h)
{
	return !hearing_goes_in_only(facts, s) && (network_same(facts->network, &s->dst.addr, hub) ||
	       network_same(facts->network, &s->dst.addr, media)) &&
	       stream_packets_between(s, h->from_ns, h->to_ns) >= RELAYED_PACKETS;
}

/* What the sender should pass on, and gets on another leg of the call in that very time; NULL: none is seen. */
const struct stream *one_way_gets(const struct facts *facts, const struct direction *d, const struct hearing *h)
{
	const struct leg *own = d->slot->dialog->leg;
	const struct address *hub = &own->party[d->sender].signalling.addr;
	const struct endpoint media = sender_seen_at(facts, d, h);

	LIST_EACH(it, &own->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);
		enum side near;
		const struct dialog *dialog = other == own || !one_way_side_at(facts, other, hub, &near) ? NULL : other->confirmed;

		for (unsigned i = 0; dialog && i < 2 * dialog->mslot_count; i++) {
			const struct direction *in = &dialog->mslots[i / 2].direction[i % 2];

			if (network_same(facts->network, &other->party[in->sender].signalling.addr, hub))
				continue;
			for (unsigned k = 0; k < in->stream_count; k++) {
				const struct stream *s = stream_last_point(in->streams[k]);

				if (s->direction == in && reaches(facts, s, hub, &media.addr, h))
					return s;
			}
		}
	}
	return NULL;
}

/* The sender registered anew, counting from the start, soon after its audio had stopped; NULL: not so. */
static const struct registration *restarted(const struct facts *facts, const struct direction *d, const struct hearing *h)
{
	const struct party *p = &d->slot->dialog->leg->party[d->sender];

	LIST_EACH(it, calls_registrations(facts->calls)) {
		const struct registration *r = LIST_ENTRY(it, struct registration, in_order);

		if (!h->whole && r->rebooted_at.frame && endpoint_equal(&r->source, &p->signalling) &&
		    r->rebooted_at.at_ns > h->from_ns && r->rebooted_at.at_ns <= ns_add(h->from_ns, RESTART_NS))
			return r;
	}
	return NULL;
}

/* A phone has a microphone; a server passes on what it gets, if it knows where to. */
static void say_silence_fix(struct finding *f, const struct facts *facts, const struct direction *d,
	const struct words *w, const struct hearing *h, const struct stream *gets)
{
	const struct registration *anew = w->sender_serves ? NULL : restarted(facts, d, h);
	char talker[SAY_TEXT];

	if (named_wrong(f)) {
		text_addf(&f->cause, " It was told to send to %s, which is not where %s's audio and signalling come from: what it sends there need not pass this point.",
			  w->sdp, w->receiver);
		say_external_fix(f, w);
	} else if (f->other_reason_count) {
		text_addf(&f->cause, " It was told to send to %s, a private address: it may have no way there, or wait for a packet from there to learn the right one.",
			w->sdp);
		say_private_fix(f, w);
	} else if (anew) {
		text_addf(&f->cause, " %.0f s later it registered as one that has just started.",
			(double)ns_minus(anew->rebooted_at.at_ns, h->from_ns) / 1e9);
		finding_fix(f, "Find out why %s restarted: its power (PoE budget, plug, switch port), a firmware update or provisioning that restarts it, a crash (its log).",
			w->sender_host);
		finding_evidence(f, anew->rebooted_at, "it registers, counting from the start");
	} else if (gets) {
		/* this leg's own party may be the server itself: who talks is the party of the other one */
		say_party(facts, gets->direction->slot->dialog->leg, gets->direction->sender, talker);
		text_addf(&f->cause, " On the other leg of the call it gets %s's audio all the while.", talker);
		finding_fix(f, "Look at the media relay or bridge of %s: it gets %s's audio and does not pass it on to %s. A firewall on that machine counts, too: a capture there shows packets that it "
			"then drops.", w->sender_host, talker, w->receiver);
		finding_evidence_run(f, stream_frame(gets, gets->first_frame, gets->first_ns), gets->last_frame,
			"on the other leg: what it should pass on");
	} else if (w->sender_serves) {
		finding_fix(f, "Capture at %s: does the audio of %s reach it on the other side? If it does, look at its media relay or bridge; if not, at the way to it.",
			w->sender_host, w->sender);
	} else {
		finding_fix(f, "On %s look at microphone and mute, the sound device, the application's permission, the host's own firewall, the network interface "
			    "or VLAN it uses.", w->sender_host);
	}
}

/* What was heard of the sender's side before the session was moved to another host of it; NULL: not so. */
static const struct stream *heard_before_move(const struct direction *d, const struct window *w)
{
	bool moved = false;

	for (unsigned i = 0; w && i < d->window_count; i++)
		moved |= d->windows[i].state == EXPECT_DUE && d->windows[i].on_ns < w->on_ns;
	for (unsigned i = 0; moved && w->source_count && i < d->stream_count; i++) {
		const struct stream *s = d->streams[i];

		if (s->first_ns < w->on_ns && s->last_ns <= ns_add(w->on_ns, 2 * SECOND_NS) &&
		    !address_equal(&s->src.addr, &w->sources[0].at.addr))
			return s;
	}
	return NULL;
}

/* Its sender takes leave by RTCP as it stops (RFC 3550 6.6), and no BYE by SIP of that side is here. */
bool one_way_took_leave(const struct direction *d, const struct hearing *h)
{
	const struct rtcp_party *p = h->sender_rtcp;
	const struct leg *leg = d->slot->dialog->leg;

	return !h->whole && p && p->bye_ns != NS_NONE && p->bye_ns >= ns_add(h->from_ns, -LEAVE_NS) &&
	       p->bye_ns <= ns_add(h->from_ns, LEAVE_NS) && !(leg->bye_seen && leg->ended_by_side == d->sender);
}

static void say_absent(struct finding *f, const struct facts *facts, const struct direction *d, const struct words *w,
	const struct hearing *h, const struct stream *gets)
{
	const struct stream *before, *astray;
	char mover[SAY_TEXT], at[ENDPOINT_TEXT];

	if (strcmp(f->reason, "advertised-address-wrong") == 0 && hearing_told_own(d, h->window)) {
		entitle(f, w, h, w->receiver_host, "names the sender's own address");
		finding_cause(f, "%s wants its audio at %s, which is the address of %s, the sender itself: it goes "
			"nowhere. None of it in %.0f s, seen %s.",
			      w->receiver_full, w->sdp, w->sender_host, w->seconds, w->point);
		finding_fix(f, "Find out how %s comes by that address for its SDP (a TURN or relay candidate put "
			"into c=, an ALG, a proxy that rewrites the wrong way); let it name its own.",
			w->receiver_host);
	} else if (strcmp(f->reason, "wrong-port") == 0 && (astray = one_way_astray(facts, d, h)) != NULL) {
		entitle(f, w, h, w->sender_host, "sends to a wrong port");
		finding_cause(f, "%s sends %s's audio to %s, the port of another call; the SDP that reached it names %s.",
			w->sender_host, w->receiver, endpoint_text(&astray->dst, at), w->sdp);
		finding_fix(f, "Look for a NAT or ALG that changes the port in the SDP on the way to %s; else it is a fault of %s, which keeps the port of another call: update it.",
			w->sender_host, w->sender_host);
		finding_evidence_run(f, stream_frame(astray, astray->first_frame, astray->first_ns), astray->last_frame,
			"its audio, to the port of another call");
	} else if (strcmp(f->reason, "advertised-address-wrong") == 0) {
		entitle(f, w, h, w->receiver_host, "names a loopback address");
		finding_cause(f, "%s wants its audio at %s, which is the sender's own machine: it goes nowhere. None of it in %.0f s, seen %s.",
			      w->receiver_full, w->sdp, w->seconds, w->point);
		finding_fix(f, "Give %s its address: it took its loopback for it, as devices do that start without a network or a default route.", w->receiver_host);
	} else if (strcmp(f->reason, "sender-never-sent") == 0) {
		/* told a place that is somewhere else: its audio may go another way */
		entitle(f, w, h, w->sender_host, f->other_reason_count ? "sends no audio past here" : h->whole ? "sends no audio" :
			"stops sending audio");
		finding_cause(f, "%s %s: none of it in %.0f s, seen %s%s.", w->sender_host,
			!h->whole ? "stopped sending audio" : h->packets > 0 ? "sent no audio then"
			: f->other_reason_count ? "sent no audio past here" : "never sent audio",
			w->seconds, w->point,
			      h->at_sender || h->sending != RTCP_SENDING_CONSTANT ? ""
			      : h->whole ? ", and its own reports count none" : ", and its own reports count no further");
		say_silence_fix(f, facts, d, w, h, gets);
	} else if (strcmp(f->reason, "blocked-in-path") == 0) {
		entitle(f, w, h, "Something on the way", "drops the audio");
		finding_cause(f,
			"%s sends (its reports count on) and nothing arrives %s: it is lost before the capture point.",
			w->sender_host, w->point);
		finding_fix(f, "Look at the firewall between %s and %s: it passes SIP, not the audio to %s. Open the UDP media range in this direction.",
			    w->sender_host, w->receiver_host, w->sdp);
	} else if (strcmp(f->reason, "address-family") == 0) {
		entitle(f, w, h, w->receiver_host, "names an address of the other IP version");
		finding_cause(f, "%s was told to send to %s and speaks the other IP version only.", w->sender_host,
			w->sdp);
		finding_fix(f, "Offer IPv4 addresses in SDP, or ICE with both.");
	} else {
		entitle(f, w, h, NULL, NULL);
		finding_cause(f, "In %.0f s nothing of %s's audio %s %s. Whether %s sends none or something on the way drops it cannot be seen here.%s",
			      w->seconds, w->sender,
			      h->near_receiver || h->near_sender ? "arrives, captured" : "is seen", w->point,
			      w->sender_host,
			      named_wrong(f) ? " The address given in SDP is not the one that the receiver's packets come from."
			      : f->other_reason_count
			      ? " The address given in SDP is private, which the other side may not be able to reach."
			      : "");
		finding_fix(f, "Capture beside %s as well: if it sends, let UDP to %s in through firewall and NAT; if not, look at %s itself.%s", w->sender_host,
			    w->sdp, w->sender_host,
			    !f->other_reason_count ? "" : named_wrong(f) ? " Correct the external (NAT) address of the receiver." : w->receiver_serves
			    ? " Give the server its external address (NAT setting) for what goes outside."
			    : " Switch NAT handling on for this phone on the server, or STUN on the phone; if it is a PBX or SBC, give it its external address (NAT setting).");
		before = heard_before_move(d, h->window);
		if (before) {
			say_host(facts, &before->src.addr, mover);
			text_addf(&f->cause, " It came from %s until a re-INVITE moved it to %s.", mover, w->sender_host);
			text_addf(&f->fix, " Or leave the audio on %s: switch direct media (re-INVITE) off there for these phones, which need a way to each other for it.",
				mover);
		}
	}
	if (one_way_took_leave(d, h)) {
		text_add(&f->cause, " It takes leave by RTCP as it stops, as at the end of a call, and no BYE by SIP comes here.");
		text_addf(&f->fix, " If %s has hung up: see where its BYE goes (Record-Route, Contact, NAT mapping of SIP).", w->sender);
	}
}

/* "G729 (payload type 18)", "payload type 97" where nothing says what it is. */
static const char *codec_words(const struct stream *s, char buffer[64])
{
	unsigned most = 0;
	char codec[24];

	if (!s || !s->type_count)
		return strcpy(buffer, "another codec");
	for (unsigned i = 1; i < s->type_count; i++)
		most = s->types[i].packets > s->types[most].packets ? i : most;
	if (s->codec.n)
		snprintf(buffer, 64, "%s (payload type %u)", text_escape(s->codec, codec, sizeof codec), s->types[most].pt);
	else
		snprintf(buffer, 64, "payload type %u", s->types[most].pt);
	return buffer;
}

static void say_foreign(struct finding *f, const struct words *w, const struct hearing *h)
{
	char sent[64], wanted[SAY_TEXT];

	say_formats(h->window->receiver, wanted);
	codec_words(h->foreign, sent);
	finding_cause(f, "%s sends %s; %s accepts only %s.", w->sender_host, sent, w->receiver,
		wanted[0] ? wanted : "what its SDP names");
	finding_fix(f,
		"Make both sides use one codec: correct the codec list or its order on %s, or let the PBX transcode.",
		w->sender_host);
}

static void say_undelivered(struct finding *f, const struct words *w, const struct hearing *h,
	const struct facts *facts)
{
	char reporter[SAY_TEXT];

	if (strcmp(f->reason, "icmp-unreachable") == 0) {
		entitle(f, w, h, say_host(facts, &h->icmp->reporter, reporter), "refuses the audio");
		finding_cause(f, "%s answers the audio to %s with ICMP errors (%u in the capture).", reporter,
			w->to[0] == '?' ? w->sdp : w->to, h->icmp_count);
		finding_fix(f, "See the ICMP finding: open the port, correct the address in SDP, or mend the route.");
	} else if (strcmp(f->reason, "source-port-rewritten") == 0 && h->at_sender) {
		entitle(f, w, h, w->sender_host, "sends from another port than it names");
		finding_cause(f, "The audio of %s leaves it from port %u, captured beside it; its SDP names another. "
			"%s reports that it receives nothing and is probably strict about it.",
			      w->sender_host, h->stream->src.port, w->receiver_host);
		finding_fix(f, "Let %s send from the port that its SDP names (one socket for both ways, symmetric "
			"RTP), or update it; NAT rules on that machine itself (masquerading, containers) count, too.",
			    w->sender_host);
	} else if (strcmp(f->reason, "source-port-rewritten") == 0) {
		entitle(f, w, h, "A NAT", "changes the port that audio comes from");
		finding_cause(f, "The audio of %s leaves from port %u, its SDP names another; %s reports that it receives nothing and is probably strict about it.",
			      w->sender_host, h->stream->src.port, w->receiver_host);
		finding_fix(f, "Keep the source port in the NAT in front of %s (static mapping), or bind its RTP to the address it announces.", w->sender_host);
	} else if (strcmp(h->undelivered_by, "missing-copy") == 0) {
		entitle(f, w, h, "The router", "drops the audio");
		finding_cause(f, "%s's audio to %s (%s packets) reaches the router and does not come out behind it, where the other direction passes.", w->sender, w->to,
			      w->packets);
		finding_fix(f, "Let the router pass UDP to %s: its rule, its port forwarding, or the port that its SIP helper wrote into the SDP.", w->to);
	} else if (strcmp(h->undelivered_by, "copy-ends") == 0) {
		entitle(f, w, h, "The router", "drops the audio");
		finding_cause(f, "%s's audio to %s goes on reaching the router, and since then does not come out behind it.", w->sender,
			w->to);
		finding_fix(f, "Look at the router's firewall, its sessions and their limits at that moment: until then it passed UDP to %s.", w->to);
	} else if (hearing_kept_by_relay(h)) {
		char relay[SAY_TEXT];

		entitle(f, w, h, say_host(facts, &h->stream->dst.addr, relay), h->whole ? "passes no audio on"
			: "passes no more audio on");
		finding_cause(f, "%s's audio (%s packets) %s to %s, and nothing of it leaves for %s%s, where other packets of %s do.", w->sender, w->packets,
			      h->whole ? "comes" : "goes on coming", w->to, w->receiver, h->whole ? "" : " since then",
			      relay);
		say_relay_fix(f, relay, w->to);
	} else if (strcmp(f->reason, "payload-type-mismatch") == 0) {
		entitle(f, w, h, w->sender_host, "sends a codec nobody agreed on");
		say_foreign(f, w, h);
	} else if (one_way_undecrypted(h)) {
		entitle(f, w, h, NULL, NULL);
		finding_cause(f, "%s sent %s packets of SRTP, %s reports nothing received%s: they are lost between the capture point and %s, or it cannot decrypt them.",
			w->sender_host, w->packets, w->receiver_host, h->whole ? "" : " any more", w->receiver_host);
		finding_fix(f, "Capture beside %s: if nothing arrives, open UDP to %s between %s and %s; if it does, compare the keys that both took from the SDP.",
			w->receiver_host, w->sdp, w->sender_host, w->receiver_host);
	} else {
		bool relayed = say_relays(facts, &h->stream->dst.addr);

		entitle(f, w, h, "Something on the way", "drops the audio");
		finding_cause(f, "%s sent %s packets, %s%s reports nothing received%s: they are lost between the capture point and %s%s.", w->sender_host, w->packets,
			      relayed ? "what comes back by the relay of " : "", w->receiver_host,
			      h->whole ? "" : " any more", relayed ? w->receiver : w->receiver_host,
			      relayed ? ": on the way to the relay, in it, or behind it" : "");
		if (relayed)
			finding_fix(f, "Capture beside %s: if the audio does not come there, open UDP to %s between %s and it; if it is not sent on, look at its relay and at the firewall of that machine; if it is, at the way to %s.",
				w->receiver_host, w->sdp, w->sender_host, w->receiver);
		else if (!h->whole)
			say_passed_before_fix(f, w->sender_host, w->receiver_host);
		else
			finding_fix(f, "Open UDP to %s in the firewall between %s and %s; SIP passes there, audio does not.",
				w->sdp, w->sender_host, w->receiver_host);
	}
}

/* Calls between the two whose ports lie on the other side of a limit have audio, all of them. */
static void say_port_edge(struct finding *f, const struct facts *facts, const struct direction *d,
	const struct hearing *h, const struct words *w)
{
	const struct endpoint sender = party_seen_at(d, d->sender);
	struct port_edge e;

	if (!h->whole || f->other_reason_count || !h->window->target_count ||
	    (strcmp(f->reason, "nothing-arrives") != 0 && strcmp(f->reason, "blocked-in-path") != 0) ||
	    !port_edges_find(lookup_port_edges(facts->lookup), &h->window->targets[0].at.addr, &sender.addr, &e))
		return;
	text_addf(&f->cause, " It is so at all %u ports of %s from %u %s, while audio comes to all %u others, %s to %u: a rule on the way probably lets in a part of the port range.",
		  e.fails, w->receiver_host, e.fails_from, e.above ? "on" : "down", e.works, e.above ? "up" : "down",
		  e.works_to);
	finding_fix(f, "Compare the media port range of %s with the UDP ports that firewall and port forwarding let in from %s: the whole range has to be open, or %s has to keep to ports %s %u.",
		    w->receiver_host, w->sender_host, w->receiver_host, e.above ? "up to" : "from", e.works_to);
}

void one_way_say(struct finding *f, const struct facts *facts, const struct direction *d, const struct hearing *h)
{
	struct words w = words_of(facts, d, h);

	if (h->failure == FAILURE_MISDIRECTED && strcmp(f->reason, "icmp-unreachable") != 0)
		say_misdirected(f, &w, h, d, facts);
	else if (h->failure == FAILURE_ABSENT)
		say_absent(f, facts, d, &w, h, one_way_gets(facts, d, h));
	else
		say_undelivered(f, &w, h, facts);
	say_port_edge(f, facts, d, h, &w);
	evidence_of_call(f, d, h);
	if (h->icmp)
		finding_evidence(f, h->icmp->at, "ICMP error that quotes this audio");
	if (h->report_last && h->report == RTCP_VERDICT_FROZEN)
		finding_evidence(f, (struct frame_ref){ h->report_last->at_ns, h->report_last->frame,
			h->report_last->file, 0 },
				 "the receiver reports: highest sequence number stands still");
	if (hearing_kept_by_relay(h))
		say_relay_unseen(f);
	else
		cannot_see_of(f, facts, d, h);
}
