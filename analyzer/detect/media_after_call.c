/* SPDX-License-Identifier: MIT */
/* media-after-call: a party keeps sending RTP although the call has ended. RFC 3261 15.1. */
#include <stdio.h>

#include "analyzer/detect/gates.h"
#include "analyzer/detect/half_known.h"
#include "analyzer/detect/icmp_about.h"
#include "analyzer/detect/icmp_says.h"
#include "analyzer/detect/lookup.h"
#include "analyzer/detect/say.h"

static const char *const reasons[] = { "bye-ignored", "bye-lost", "bye-refused", "one-leg-ended", "branch-goes-on", NULL };

static const struct detector_doc doc = {
	.says = "RTP goes on after the BYE",
	.symptom = "\"The line stays busy\", the provider bills on, ports run out.",
	.evidence = "The BYE and its answer, then RTP of the same stream.",
	.mimics = "The ports serve a new call, a transfer that took the media over, packets still in flight, a branch of a fork that winds up.",
	.fix = "Find out why the sender missed or ignored the BYE, or who refused it; switch an RTP inactivity timer on.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "min-seconds", 5, "s", 1, 60, "field: tails up to 2 s are normal" },
	{ "min-packets", 50, "packets", 1, 100000, "1 s of 20 ms packets" },
	{ 0 },
};

#define TOLL_NS (60 * SECOND_NS)
#define BYE_TIMEOUT_NS (32 * SECOND_NS)
#define IN_VAIN_NS (15 * SECOND_NS)  /* so long after the first BYE that nobody answers its copies */

enum {
	ONCE_MORE = 2,               /* copies of a BYE that two points saw, and nobody repeated */
	IN_VAIN = 5                  /* copies of a BYE: after 0.5, 1.5, 3.5, 7.5 s (RFC 3261 17.1.2.2) */
};

static bool serves(const struct direction *d, const struct stream *s, int64_t from_ns, int64_t to_ns)
{
	for (unsigned i = 0; i < d->window_count; i++) {
		const struct window *w = &d->windows[i];

		if (w->state == EXPECT_NONE || w->state == EXPECT_ENDED || w->on_ns > to_ns ||
		    (w->off_ns != NS_NONE && w->off_ns <= ns_add(from_ns, SECOND_NS)))
			continue;
		if (window_has_target(w, &s->dst) || window_has_source(w, &s->src))
			return true;
	}
	return false;
}

static bool end_serves_elsewhere(const struct facts *facts, const struct endpoint *at, const struct stream *s,
	int64_t from_ns, int64_t to_ns)
{
	const struct lookup_named *n = NULL;

	while ((n = lookup_named_next(facts->lookup, at, n))) {
		const struct direction *d = lookup_named_direction(n);

		if (d->slot->dialog->leg->last_ns >= from_ns - HOUR_NS && serves(d, s, from_ns, to_ns))
			return true;
	}
	return false;
}

/* Another session that lives on has one of the two ports: a new call, or the media was handed over by a transfer. */
static bool belongs_elsewhere(const struct facts *facts, const struct stream *s, int64_t from_ns, int64_t to_ns)
{
	return end_serves_elsewhere(facts, &s->dst, s, from_ns, to_ns) ||
	       end_serves_elsewhere(facts, &s->src, s, from_ns, to_ns);
}

/* Both ends are in a call whose INVITE or answer was not captured: a redial at the same ports may be one. */
static bool unseen_session(const struct facts *facts, const struct stream *s, int64_t from_ns)
{
	const struct half_known *h = lookup_half_known(facts->lookup);

	return half_known_party(h, &s->src.addr, from_ns, s->last_ns) &&
	       half_known_party(h, &s->dst.addr, from_ns, s->last_ns);
}

/* The BYE that ended the call, not one that the other side sent later because it never got that. */
static bool end_answered(const struct leg *leg)
{
	bool asked = false;

	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);

		if (t->method != SIP_BYE || t->by != leg->ended_by_side)
			continue;
		if (t->final && t->final->status < 300)
			return true;
		asked = true;
	}
	return leg->bye_answered && !asked;
}

/*
 * The answer to the BYE is seen again at the next point of the capture: by that one's clock, which may be another, it comes
 * later. Not where it is sent again and again.
 */
static int64_t last_sight(const struct transaction *t)
{
	int64_t at_ns = t->final->at.at_ns;

	CHAIN_EACH(it, &t->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_transaction);

		if (m->first == t->final->first && m->at.at_ns > at_ns &&
		    (m->repeat != MESSAGE_RETRANSMITTED || t->request_copies <= ONCE_MORE))
			at_ns = m->at.at_ns;
	}
	return at_ns;
}

/* From when on the sender knows that the call is over: who was told so, from his answer on, which may come late. */
static int64_t known_over(const struct leg *leg, enum side sender, int64_t ended_ns)
{
	bool told = leg->ended_by_side != sender;

	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);
		int64_t at_ns;

		if (t->method != SIP_BYE || t->by != leg->ended_by_side || !t->final || t->final->status >= 300)
			continue;
		at_ns = last_sight(t);
		if (told || at_ns > t->final->at.at_ns)
			return at_ns > ended_ns ? at_ns : ended_ns;
		return ended_ns;
	}
	return ended_ns;
}

/* The BYE was sent again and again, and no BYE at all was answered: no need to wait until its sender gives up. */
static const struct transaction *asked_in_vain(const struct leg *leg)
{
	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);

		if (leg->bye_answered)
			break;
		if (t->method == SIP_BYE && t->by == leg->ended_by_side && !t->final && t->request_copies >= IN_VAIN)
			return t;
	}
	return NULL;
}

static bool other_leg_lives(const struct leg *leg, int64_t until_ns)
{
	LIST_EACH(it, &leg->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);

		if (other != leg && other->answered && (other->end_ns == NS_NONE || other->end_ns >= until_ns))
			return true;
	}
	return false;
}

static bool is_challenge(const struct message *final)
{
	return final->status == 401 || final->status == 407;
}

/*
 * The answer that turned down the BYE of who hung up; NULL: none, or another one was taken. Who knows no such call
 * (481) needs no BYE, where it is the other party: a proxy on the way does not speak for that. A challenge turns it down
 * where no other BYE follows.
 */
static const struct message *bye_refusal(const struct leg *leg)
{
	const struct address *other = &leg->party[side_other(leg->ended_by_side)].signalling.addr;
	const struct message *refusal = NULL, *challenge = NULL;

	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);
		bool bye = t->method == SIP_BYE && t->by == leg->ended_by_side;
		const struct message *final = bye ? t->final : NULL;

		if (final && (final->status < 300 ||
		    (final->status == 481 && (!address_known(other) || address_equal(&final->src.addr, other)))))
			return NULL;
		if (bye)
			challenge = final && is_challenge(final) ? final : NULL;
		if (final && !is_challenge(final) && !refusal)
			refusal = final;
	}
	return refusal ? refusal : challenge;
}

/* The first ICMP error about the BYE of who hung up, of which nothing but such errors came back; NULL: none. */
static const struct icmp_record *bye_undeliverable(const struct facts *facts, const struct leg *leg)
{
	const struct icmp_record *first = NULL;

	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);
		const struct message *bye = t->method == SIP_BYE && t->by == leg->ended_by_side ? t->request : NULL;
		uint32_t hash = bye ? icmp_hash(&bye->dst) : 0;

		if (bye && t->final)
			return NULL;
		for (struct hash_link *l = bye ? hash_first(facts->icmp_by_dst, hash) : NULL; l; l = l->next) {
			const struct icmp_record *i = HASH_ENTRY(l, struct icmp_record, by_dst);

			if (l->hash == hash && endpoint_equal(&i->dst, &bye->dst) &&
			    endpoint_equal(&i->src, &bye->src) && i->at.at_ns >= bye->at.at_ns && !icmp_torn(i) &&
			    (!first || i->at.at_ns < first->at.at_ns))
				first = i;
		}
	}
	return first;
}

static void tell_undeliverable(struct finding *f, const struct facts *facts, const struct stream *s,
	const struct icmp_record *icmp, const char *packets)
{
	char host[SAY_TEXT], reporter[SAY_TEXT];

	finding_part(f, PART_CULPRIT, &(struct endpoint){ icmp->reporter, 0 });
	finding_part(f, PART_WITNESS, &s->dst);
	say_host(facts, &stream_origin(s)->src.addr, host);
	say_host(facts, &icmp->reporter, reporter);
	finding_cause(f, "The BYE does not get there: %s says by ICMP: %s. %s does not learn that the call is over, and sent %s more packets.",
		reporter, icmp_says(icmp), host, packets);
	if (icmp_no_port(icmp) && address_equal(&icmp->reporter, &icmp->dst.addr))
		finding_fix(f, "See what became of UDP port %u of %s: a router that has forgotten the mapping needs a keepalive of the phone (CRLF, OPTIONS, STUN) or a NAT ping of the server below its UDP timer. Switch the RTP inactivity timer of %s on.",
			icmp->dst.port, reporter, host);
	else
		finding_fix(f, "Mend the way of the BYE at %s; switch the RTP inactivity timer of %s on.", reporter, host);
	finding_evidence(f, icmp->at, "ICMP: %s", icmp_says(icmp));
}

static void tell_refusal(struct finding *f, const struct facts *facts, const struct leg *leg, const struct stream *s,
	const struct message *refusal, const char *packets)
{
	const struct message *bye = refusal->transaction->request;
	bool tagless = bye && !bye->has_to_tag;      /* who gets it cannot know which call is meant */
	char answerer[SAY_TEXT], sender[SAY_TEXT], who[SAY_TEXT];

	finding_part(f, PART_CULPRIT, bye && (tagless || is_challenge(refusal)) ? &bye->src : &refusal->src);
	say_host(facts, &refusal->src.addr, answerer);
	say_host(facts, &stream_origin(s)->src.addr, sender);
	finding_cause(f, "%s answers the BYE of %s with %u%s: %s does not learn that the call is over, and sent %s more packets.",
		answerer, say_party(facts, leg, leg->ended_by_side, who), refusal->status,
		tagless ? ", as it has no To-tag" : is_challenge(refusal)
		? ", it wants credentials, and gets none" : refusal->status == 483
		? ", as it went in circles or came without Max-Forwards" : "", sender, packets);
	if (tagless)
		finding_fix(f, "Update the software of %s: what it sends within a call has to carry both tags (RFC 3261 12.2.1.1), also where a CANCEL has crossed the 200.", who);
	else if (is_challenge(refusal))
		finding_fix(f, "Give %s the credentials of this trunk, so that it can answer a challenge within a call, too (RFC 3261 22.2); or have %s challenge only what begins a call.", who, answerer);
	else if (refusal->status == 481)
		finding_fix(f, "Have %s stay in the way of the call (Record-Route) if requests within it are to pass there; or let who hangs up send to the Contact of the other, not to its outbound proxy. Behind a load balancer let all of one call go to the same server.", answerer);
	else
		finding_fix(f, "See where %s sends requests within this call: the Contact and Record-Route that it goes by lead nowhere%s.",
			answerer, refusal->status == 483 ? ", or back to itself" : "");
	finding_evidence(f, refusal->at, "the BYE is refused: %u", refusal->status);
}

/* It goes over the connection that the phone or its proxy has opened, wherever a Contact points. */
static bool bye_over_connection(const struct leg *leg)
{
	const struct message *bye = leg->confirmed ? leg->confirmed->ended_by : NULL;

	return bye && bye->transport != TRANSPORT_UDP;
}

static void tell_sender(struct finding *f, const struct facts *facts, const struct leg *leg, const struct stream *s,
	const char *packets)
{
	const struct transaction *vain = asked_in_vain(leg);
	char host[SAY_TEXT], times[32] = "";

	if (vain)
		snprintf(times, sizeof times, ", sent %u times,", vain->request_copies);
	finding_part(f, PART_CULPRIT, &stream_origin(s)->src);
	finding_part(f, PART_WITNESS, &s->dst);
	say_host(facts, &stream_origin(s)->src.addr, host);
	finding_cause(f, "%s %s the BYE%s and sent %s more packets.", host,
		leg->ended_by_side == s->direction->sender ? "sent"
		: end_answered(leg) ? "answered" : "was never seen to answer", times, packets);
	if (strcmp(f->reason, "one-leg-ended") == 0 && end_answered(leg)) {
		text_add(&f->cause, " The call's other leg is still up.");
		finding_fix(f, "Look at the bridge of %s (its log, its version): when one leg ends, it has to stop the audio into it and end the other one.",
			host);
		return;
	}
	if (end_answered(leg)) {
		finding_fix(f, "Update %s: it knows that the call is over and does not stop; switch its RTP inactivity timer on.",
			host);
		return;
	}
	if (bye_over_connection(leg))
		finding_fix(f, "Check that the TCP connection to %s still stands when the BYE is sent: a router or firewall between forgets idle ones (keepalive of 30 s to 120 s, RFC 5626). Switch the RTP inactivity timer of %s on.",
			host, host);
	else
		finding_fix(f,
			"Check that the BYE reaches %s (ALG, NAT, Contact address) and switch its RTP inactivity timer on.",
			host);
	finding_cannot_see(f, "whether %s ever got the BYE", host);
}

static void tell(struct detection *d, const struct event *ev, int64_t ended_ns, double packets)
{
	const struct facts *facts = detection_facts(d);
	const struct stream *s = ev->stream;
	const struct direction *dir = s->direction;
	const struct leg *leg = dir->slot->dialog->leg;
	const struct message *refusal = leg->ended_by_side == dir->sender ? NULL : bye_refusal(leg);
	const struct icmp_record *icmp = leg->ended_by_side == dir->sender || refusal ? NULL
		: bye_undeliverable(facts, leg);
	int64_t over_ns = s->last_ns - ended_ns;
	const char *reason = end_answered(leg) ? "bye-ignored" : "bye-lost";
	enum confidence c = end_answered(leg) || refusal ? CONFIDENCE_CERTAIN
		: icmp ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE;
	struct finding *f;
	char host[SAY_TEXT], count[TEXT_COUNT], lasted[NS_TEXT];

	if (refusal)
		reason = "bye-refused";
	else if (icmp)
		reason = "bye-lost";
	else if (other_leg_lives(leg, s->last_ns))
		reason = "one-leg-ended";
	else if (leg->bye_seen && leg->ended_by_side == dir->sender)
		reason = "bye-ignored";
	f = detection_raise(d, reason, over_ns > TOLL_NS ? SEVERITY_ERROR : SEVERITY_WARNING, c);
	f->direction = dir;
	finding_leg(f, leg);
	finding_stream(f, s->n);
	finding_times(f, ended_ns, s->last_ns);
	finding_title(f, "%s keeps sending audio for %s after the call", say_host(facts, &stream_origin(s)->src.addr, host),
		ns_words(over_ns, 1, lasted));
	text_count(packets > 0 ? (uint64_t)packets : 0, count);
	finding_evidence(f, leg->bye_at, "%s: the call ends here", say_bye(leg));
	if (refusal)
		tell_refusal(f, facts, leg, s, refusal, count);
	else if (icmp)
		tell_undeliverable(f, facts, s, icmp, count);
	else
		tell_sender(f, facts, leg, s, count);
	finding_evidence(f, stream_frame(s, s->last_frame, s->last_ns), "its last packet, %.1f s later",
		(double)over_ns / 1e9);
}

/* ---- a branch of a fork ---- */

/* Where the branch that was answered is heard: its direction to the caller, when its 200 is here; else NULL. */
static struct direction *winner_of(const struct stream *s)
{
	const struct dialog *lost = s->direction->slot->dialog, *won = lost->leg->confirmed;
	unsigned mline = s->direction->slot->mline;

	if (!lost->losing_fork || s->direction->sender != SIDE_CALLEE || !won || !won->confirmed_by ||
	    won->confirmed_by->request || mline >= won->mslot_count)
		return NULL;
	return &won->mslots[mline].direction[SIDE_CALLEE];
}

/* The answered branch's audio, from another host into the same socket, while this one plays on; else NULL. */
static const struct stream *drowned_out(const struct direction *won, const struct stream *s)
{
	for (unsigned i = 0; i < won->stream_count; i++) {
		const struct stream *o = won->streams[i];

		if (endpoint_equal(&o->dst, &s->dst) && !address_equal(&o->src.addr, &s->src.addr) &&
		    o->last_ns >= s->last_ns - SECOND_NS)
			return o;
	}
	return NULL;
}

static void tell_branch(struct detection *d, const struct stream *s, struct direction *won, int64_t over_ns)
{
	const struct facts *facts = detection_facts(d);
	const struct leg *leg = won->slot->dialog->leg;
	struct finding *f = detection_raise(d, "branch-goes-on", SEVERITY_WARNING, CONFIDENCE_LIKELY);
	char host[SAY_TEXT], caller[SAY_TEXT];

	f->direction = won;
	finding_leg(f, leg);
	finding_stream(f, s->n);
	finding_times(f, over_ns, s->last_ns);
	say_host(facts, &s->src.addr, host);
	say_party(facts, leg, SIDE_CALLER, caller);
	finding_title(f, "%s plays on although another branch has answered: %s hears both", host, caller);
	finding_part(f, PART_VICTIM, &leg->party[SIDE_CALLER].signalling);
	finding_part(f, PART_CULPRIT, &s->src);
	finding_cause(f, "The call was forked and another branch answered it; %s, whose early audio %s had heard, went on for %.1f s into the same port.",
		host, caller, (double)(s->last_ns - leg->answer_ns) / 1e9);
	finding_cannot_see(f, "which of the two %s plays", caller);
	finding_fix(f, "Check that the CANCEL of the lost branch reaches %s, and that it ends its early media then (RFC 3261 16.7).", host);
	finding_evidence(f, leg->answer_at, "another branch answers");
	finding_evidence(f, stream_frame(s, s->last_frame, s->last_ns), "its last packet, %.1f s later",
		(double)(s->last_ns - leg->answer_ns) / 1e9);
}

/* Early audio of a branch that lost, beside that of the one which answered. */
static bool judge_branch(struct detection *d, const struct stream *s)
{
	struct direction *won = winner_of(s);
	int64_t ended_ns = s->direction->slot->dialog->ended_ns;

	if (!won || ended_ns == NS_NONE || s->bound_by > 3 || !drowned_out(won, s) ||
	    (double)(s->last_ns - ended_ns) < detection_key(d, "min-seconds") * 1e9 ||
	    stream_packets_between(s, ended_ns, INT64_MAX) < detection_key(d, "min-packets"))
		return false;
	tell_branch(d, s, won, ended_ns);
	return true;
}

/* A copy of it that lives as long is judged instead; a relay may have ended its own when the sender goes on. */
static bool lives_on_as_copy(const struct stream *s)
{
	return s->twin_next && s->twin_next->last_ns >= s->last_ns - SECOND_NS;
}

static void on_event(struct detection *d, const struct event *ev)
{
	const struct stream *s = ev->stream;
	const struct dialog *dialog = s->direction ? s->direction->slot->dialog : NULL;
	const struct facts *facts = detection_facts(d);
	int64_t ended_ns;
	double packets;

	if (dialog && judge_branch(d, s))
		return;
	if (!dialog || s->bound_by > 9 || !dialog->leg->bye_seen || dialog->ended_ns == NS_NONE ||
	    lives_on_as_copy(s)) {
		detection_pass(d, NULL, "no BYE of this stream's call is in the capture");
		return;
	}
	if (dialog->leg->replayed) {
		detection_pass(d, NULL, "the call is in the capture more than once, its audio, too");
		return;
	}
	/* the winner of a fork may have been captured without its answer: then its audio is taken for a loser's */
	ended_ns = dialog->losing_fork && dialog->leg->bye_ns > dialog->ended_ns ? dialog->leg->bye_ns
		: dialog->ended_ns;
	ended_ns = known_over(dialog->leg, s->direction->sender, ended_ns);
	packets = stream_packets_between(s, ended_ns, INT64_MAX);
	if ((double)(s->last_ns - ended_ns) < detection_key(d, "min-seconds") * 1e9 ||
	    packets < detection_key(d, "min-packets")) {
		detection_pass(d, NULL, "%.0f packets, %.3f s after the end", packets < 0 ? 0 : packets,
			       s->last_ns > ended_ns ? (double)(s->last_ns - ended_ns) / 1e9 : 0.0);
		return;
	}
	if (gates_copies_apart_ns(facts->gates)) {
		detection_withhold(d, dialog->leg, "G9", GATES_MERGED);
		return;
	}
	if (!end_answered(dialog->leg) && !bye_refusal(dialog->leg) &&
	    !(asked_in_vain(dialog->leg) && s->last_ns - ended_ns >= IN_VAIN_NS) && s->last_ns - ended_ns < BYE_TIMEOUT_NS &&
	    facts->capture->last_ns - ended_ns < BYE_TIMEOUT_NS) {
		detection_pass(d, "G6", "the BYE was not answered yet when the capture ended");
		return;
	}
	if (belongs_elsewhere(facts, s, ended_ns, s->last_ns)) {
		detection_pass(d, NULL, "its ports serve another call that goes on");
		return;
	}
	if (unseen_session(facts, s, ended_ns)) {
		detection_pass(d, "G6", "both ends are in a call whose INVITE or answer is not in the capture");
		return;
	}
	tell(d, ev, ended_ns, packets);
}

const struct detector detect_media_after_call = {
	.id = "media-after-call", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_STREAM),
	.scope = PER_STREAM, .usual = SEVERITY_WARNING, .possible_max = SEVERITY_WARNING,
};
