/* SPDX-License-Identifier: MIT */
/*
 * reinvite-failed: hold, resume, refresh or another change of a call that stands did not come about. RFC 3261 14, RFC
 * 3311.
 */
#include <stdio.h>

#include "analyzer/calls/headers.h"
#include "analyzer/detect/call_end.h"
#include "analyzer/detect/gates.h"
#include "analyzer/detect/reinvite_mangled.h"
#include "analyzer/detect/request_hop.h"
#include "analyzer/detect/say.h"
#include "analyzer/detect/witness.h"

static const char *const reasons[] = {
	"unanswered", "dead-contact", "refused-481", "refused-408", "refused-media", "glare-loop", "glare-not-retried",
	"offerless-no-offer", "alg-mangled", "other-refusal", NULL,
};

static const struct detector_doc doc = {
	.says = "hold, resume or refresh of a call failed",
	.symptom = "Hold, resume, conference, video or fax does not work, or the call drops at a session refresh.",
	.evidence = "INVITE or UPDATE inside an answered call, its copies, and the answer or its absence; what a device in the path did to it and to the first INVITE.",
	.mimics = "One 491 and a retry, 401 and 422 that are followed up, 488 to a fax offer while the audio goes on, a request that crosses a BYE.",
	.fix = "No answer: keep-alive through the NAT, ALG off. 488: one codec, crypto or fax setting for both. 491: firmware of the one who asks.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "tail-s", 32, "s", 1, 300, "RFC 3261 17.1.1.2: 64 T1" },
	{ "glare-answers", 3, "answers", 2, 20,
	  "RFC 3261 14.1: two attempts cross once, at random times hardly twice" },
	{ "glare-window-s", 10, "s", 1, 120, "RFC 3261 14.1: a retry comes after 4 s at most" },
	{ "retry-s", 10, "s", 1, 120, "field: a phone asks again with less at once" },
	{ "ends-s", 5, "s", 1, 60, "field: a call that ends so soon ended because of it" },
	{ 0 },
};

enum { COPIES_ENOUGH = 4 };

#define GIVEN_UP_NS (40 * SECOND_NS)
#define COPIES_SPAN_NS (3 * SECOND_NS)

struct verdict {
	const char *reason;          /* NULL: nothing to say */
	enum severity severity;
	enum confidence confidence;
	const struct transaction *transaction;
	struct request_hop hop;      /* that was silent */
	unsigned answers;            /* of 491 */
	bool alone;                  /* nobody else had asked for anything: there was nothing to cross */
	bool stops;                  /* the audio does */
	const char *without;         /* alg-mangled: what the reason would be but for it */
	struct mangled mangled;
};

static int64_t key_ns(const struct detection *d, const char *name)
{
	return (int64_t)(detection_key(d, name) * 1e9);
}

/*
 * INVITE or UPDATE in a dialog that stood; those of the time before the answer change nothing that anyone talks over.
 */
static bool changes_call(const struct leg *leg, const struct transaction *t)
{
	const struct message *m = t->request;

	if (!m || !m->has_to_tag || (t->method != SIP_INVITE && t->method != SIP_UPDATE) || t->initial)
		return false;
	if (leg->bye_ns != NS_NONE && m->at.at_ns >= leg->bye_ns)
		return false;
	return leg->answer_ns != NS_NONE ? m->at.at_ns > leg->answer_ns : leg->partial;
}

/* The same, of which the capture has the answer or the ACK alone. */
static bool changed_unseen(const struct transaction *t)
{
	return !t->request && !t->initial && (t->method == SIP_INVITE || t->method == SIP_UPDATE) && (t->final || t->ack);
}

/* The next one of the same side. */
static const struct transaction *follower(const struct transaction *t, int64_t within_ns)
{
	for (const struct list_link *it = t->in_leg.next; it != &t->leg->transactions.head; it = it->next) {
		const struct transaction *o = LIST_ENTRY(it, struct transaction, in_leg);

		if (o->first_ns > ns_add(t->last_ns, within_ns))
			return NULL;
		if (o->by == t->by && (changes_call(t->leg, o) || changed_unseen(o)))
			return o;
	}
	return NULL;
}

/* Asked again, in whatever form, and taken. */
static bool succeeds_later(const struct detection *d, const struct transaction *t)
{
	int64_t until_ns = ns_add(t->last_ns, key_ns(d, "retry-s"));
	const struct transaction *o = t;

	for (unsigned i = 0; i < 8 && (o = follower(o, key_ns(d, "retry-s"))) && o->first_ns <= until_ns; i++) {
		if (o->final && o->final->status < 300)
			return true;
	}
	return false;
}

static int64_t over_ns(const struct detection *d, const struct leg *leg)
{
	return leg->bye_ns != NS_NONE ? leg->bye_ns : detection_facts(d)->capture->last_ns;
}

/* ---- silence ---- */

static bool moved_from(const struct leg *leg, const struct request_hop *h)
{
	bool was_there = false, moved = false;

	CHAIN_EACH(it, &leg->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_leg);

		if (m->repeat == MESSAGE_COPY || !address_equal(&m->src.addr, &h->dst.addr) ||
		    !address_equal(&m->dst.addr, &h->src.addr))
			continue;
		was_there |= m->src.port == h->dst.port;
		moved = was_there && m->src.port != h->dst.port;
	}
	return moved;
}

static bool waited_enough(const struct detection *d, const struct leg *leg, const struct request_hop *h)
{
	if (!h->answer && h->copies >= COPIES_ENOUGH && h->last->at.at_ns - h->first->at.at_ns >= COPIES_SPAN_NS)
		return true;
	return over_ns(d, leg) - (h->answer ? h->answer : h->first)->at.at_ns >= key_ns(d, "tail-s");
}

static void judge_silence(struct detection *d, struct verdict *v, const struct request_hop *h)
{
	const struct leg *leg = v->transaction->leg;
	struct silence s = { .src = h->src, .dst = h->dst, .first_ns = h->first->at.at_ns, .last_ns = h->last->at.at_ns,
		.copies = h->answer ? 0 : h->copies,
			     .stream_transport = h->first->transport != TRANSPORT_UDP };
	enum witness w;
	const char *gate = silence_gate(detection_facts(d), &s, detection_key(d, "tail-s"), &w);

	if (!gate && !waited_enough(d, leg, h))
		gate = "end";
	if (gate) {
		detection_pass(d, gate, "%s", silence_gate_text(gate));
		if (strcmp(gate, "end") != 0)
			detection_withhold(d, leg, gate, "%s", silence_gate_text(gate));
		return;
	}
	v->hop = *h;
	v->reason = !h->answer && moved_from(leg, h) ? "dead-contact" : "unanswered";
	v->severity = succeeds_later(d, v->transaction) ? SEVERITY_WARNING : SEVERITY_ERROR;
	v->confidence = witness_confidence(w, CONFIDENCE_LIKELY);
}

/* Of several hops the one furthest on: those before it only say 100 or 408 in its place. */
static void look_for_silence(struct detection *d, struct verdict *v)
{
	struct request_hop hops[REQUEST_HOP_MAX];
	unsigned count = request_hops(v->transaction, v->transaction->leg->bye_ns, hops);

	for (unsigned i = count; i-- > 0 && !v->reason;) {
		const struct request_hop *h = &hops[i];
		bool rings = h->answer && v->transaction->status > 100 && v->transaction->status < 200;

		if (!h->final && !h->acked && !h->astray && !h->forwarded && h->copies && !rings)
			judge_silence(d, v, h);
	}
}

/* ---- refusal ---- */

/* Does the audio of a direction that flowed at that moment end with it, while the call goes on? */
static bool direction_stops(const struct direction *dir, int64_t at_ns, int64_t ends_ns)
{
	int64_t last_ns = NS_NONE;
	bool flowed = false;

	for (unsigned i = 0; i < dir->stream_count; i++) {
		const struct stream *s = dir->streams[i];

		flowed |= s->first_ns < at_ns - ends_ns && s->last_ns > at_ns - SECOND_NS;
		last_ns = s->last_ns > last_ns ? s->last_ns : last_ns;
	}
	return flowed && last_ns < ns_add(at_ns, ends_ns);
}

static bool audio_stops(const struct detection *d, const struct leg *leg, int64_t at_ns)
{
	int64_t ends_ns = key_ns(d, "ends-s");
	const struct dialog *dialog = leg->confirmed;

	if (!dialog || over_ns(d, leg) < ns_add(at_ns, 2 * ends_ns))
		return false;
	for (unsigned i = 0; i < dialog->mslot_count; i++) {
		const struct mslot *slot = &dialog->mslots[i];

		if (slot->kind == SDP_AUDIO &&
		    (direction_stops(&slot->direction[0], at_ns, ends_ns) ||
		    direction_stops(&slot->direction[1], at_ns, ends_ns)))
			return true;
	}
	return false;
}

static bool offers_fax(const struct transaction *t)
{
	const struct sdp *sdp = t->request->sdp;

	for (unsigned i = 0; sdp && i < sdp->media_count; i++) {
		if (sdp->media[i].kind == SDP_IMAGE)
			return true;
	}
	return false;
}

/* Every medium is taken out of the session: a refusal keeps nobody from anything. */
static bool offers_nothing(const struct transaction *t)
{
	const struct sdp *sdp = t->request->sdp;

	for (unsigned i = 0; sdp && i < sdp->media_count; i++) {
		if (sdp->media[i].port)
			return false;
	}
	return sdp && sdp->media_count > 0 && !t->request->cut;
}

static void refused_media(struct detection *d, struct verdict *v)
{
	const struct leg *leg = v->transaction->leg;
	int64_t at_ns = v->transaction->final->at.at_ns;
	bool ends = leg->bye_ns != NS_NONE && leg->bye_ns - at_ns <= key_ns(d, "ends-s");

	if (offers_nothing(v->transaction)) {
		detection_pass(d, NULL, "an offer without any medium was refused: nothing is missing");
		return;
	}
	v->stops = audio_stops(d, leg, at_ns);
	if (offers_fax(v->transaction) && !ends && !v->stops) {
		detection_pass(d, NULL, "a fax offer was refused and the audio goes on");
		return;
	}
	if (v->transaction->request->cut && !ends && !v->stops) {
		detection_withhold(d, leg, "G5", "the capture cut the offer that was refused: it may be one of fax, without which the call goes on");
		return;
	}
	v->reason = "refused-media";
	v->severity = ends || v->stops ? SEVERITY_ERROR : SEVERITY_WARNING;
}

/* Two that ask at once: 491, or 500 to the second of one side while its first is open. */
static bool crossed(const struct transaction *t)
{
	if (!t->final || (t->final->status != 491 && t->final->status != 500))
		return false;
	if (t->final->status == 491)
		return true;
	for (const struct list_link *it = t->in_leg.prev; it != &t->leg->transactions.head; it = it->prev) {
		const struct transaction *o = LIST_ENTRY(it, struct transaction, in_leg);

		if (o->by == t->by && (changes_call(t->leg, o) || changed_unseen(o)))
			return o->first_ns < t->first_ns && (!o->final || o->final->at.at_ns > t->first_ns);
	}
	return false;
}

/* From this one on: how many cross within the window; 0: one succeeds. */
static unsigned crossings(const struct detection *d, const struct transaction *t)
{
	int64_t until_ns = ns_add(t->final->at.at_ns, key_ns(d, "glare-window-s"));
	unsigned n = 0;

	for (const struct list_link *it = &t->in_leg; it != &t->leg->transactions.head; it = it->next) {
		const struct transaction *o = LIST_ENTRY(it, struct transaction, in_leg);

		if (o->first_ns > until_ns)
			break;
		if (!changes_call(t->leg, o) || !o->final || o->final->at.at_ns > until_ns)
			continue;
		if (o->final->status < 300)
			return 0;
		n += crossed(o);
	}
	return n;
}

/* The other side had something open meanwhile, or got no ACK for it yet (RFC 3261 14.2). */
static bool met_another(const struct transaction *t)
{
	LIST_EACH(it, &t->leg->transactions) {
		const struct transaction *o = LIST_ENTRY(it, struct transaction, in_leg);

		if (o->by != t->by && (o->method == SIP_INVITE || o->method == SIP_UPDATE) &&
		    o->first_ns <= t->final->at.at_ns && ns_add(o->last_ns, SECOND_NS) >= t->first_ns)
			return true;
	}
	return false;
}

/* All that were refused so: in a call of one leg, where nothing behind the answerer can be what is pending. */
static bool crossed_nothing(const struct transaction *t)
{
	if (t->leg->call->legs.count > 1)
		return false;
	for (const struct list_link *it = &t->in_leg; it != &t->leg->transactions.head; it = it->next) {
		const struct transaction *o = LIST_ENTRY(it, struct transaction, in_leg);

		if (changes_call(t->leg, o) && o->final && o->final->status == 491 &&
		    (o->by != t->by || met_another(o)))
			return false;
	}
	return true;
}

enum wish { WISH_HOLD, WISH_RESUME, WISH_FAX, WISH_REFRESH, WISH_OFFER, WISH_CHANGE };

static enum sdp_direction audio_direction(const struct sdp *sdp)
{
	for (unsigned i = 0; i < sdp->media_count; i++) {
		if (sdp->media[i].kind == SDP_AUDIO)
			return sdp->media[i].direction;
	}
	return SDP_SENDRECV;
}

/* What the same side said before about its audio. */
static bool held_before(const struct transaction *t)
{
	bool held = false;

	CHAIN_EACH(it, &t->leg->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_leg);
		enum sdp_direction said;

		if (m == t->request)
			break;
		if (!m->sdp || m->by != t->by || (!m->request && m->status >= 300))
			continue;
		said = audio_direction(m->sdp);
		held = m->request ? said == SDP_SENDONLY || said == SDP_INACTIVE : held && said != SDP_SENDRECV;
	}
	return held;
}

static enum wish wish_of(const struct transaction *t)
{
	const struct sdp *sdp = t->request->sdp;
	enum sdp_direction said;

	if (!sdp)
		return t->method == SIP_UPDATE ? WISH_REFRESH : WISH_OFFER;
	if (offers_fax(t))
		return WISH_FAX;
	said = audio_direction(sdp);
	if (held_before(t))
		return said == SDP_SENDRECV ? WISH_RESUME : WISH_CHANGE;
	return said == SDP_SENDONLY || said == SDP_INACTIVE ? WISH_HOLD : WISH_CHANGE;
}

static void judge_crossing(struct detection *d, struct verdict *v)
{
	const struct transaction *t = v->transaction;
	int64_t wait_ns = key_ns(d, "glare-window-s");
	enum wish wish;

	v->answers = crossings(d, t);
	v->severity = SEVERITY_WARNING;
	if (v->answers >= detection_key(d, "glare-answers")) {
		v->reason = "glare-loop";
		v->alone = t->final->status == 491 && crossed_nothing(t);
		return;
	}
	if (t->final->status != 491 || follower(t, wait_ns) || over_ns(d, t->leg) - t->final->at.at_ns < wait_ns)
		return;
	wish = wish_of(t);
	if ((wish == WISH_HOLD || wish == WISH_RESUME) &&
	    !gates_may_hide(detection_facts(d)->gates, t->final->at.at_ns, ns_add(t->final->at.at_ns, wait_ns)))
		v->reason = "glare-not-retried";
}

static void judge_refusal(struct detection *d, struct verdict *v)
{
	const struct transaction *t = v->transaction;
	const struct leg *leg = t->leg;
	unsigned status = t->final->status;

	v->confidence = CONFIDENCE_CERTAIN;
	v->severity = SEVERITY_ERROR;
	if (status == 487 || call_end_crossed(t)) {
		detection_pass(d, NULL, "it was taken back, or crossed the end of the call");
	} else if (crossed(t)) {
		judge_crossing(d, v);
	} else if (t->method == SIP_UPDATE && (status == 405 || status == 501)) {
		detection_pass(d, NULL, "UPDATE is not known there: %u", status);
	} else if (succeeds_later(d, t)) {
		detection_pass(d, NULL, "refused with %u, asked again, taken", status);
	} else if (status == 401 || status == 407 || status == 422) {
		if (!follower(t, key_ns(d, "tail-s")) && over_ns(d, leg) - t->final->at.at_ns >= key_ns(d, "tail-s")) {
			v->reason = "other-refusal";
			v->severity = SEVERITY_WARNING;
		}
	} else if (status == 481) {
		v->reason = "refused-481";
		if (call_end_bye_hidden(detection_facts(d), t))
			v->confidence = CONFIDENCE_LIKELY;
	} else if (status == 408) {
		v->reason = "refused-408";
	} else if (status == 488 || status == 606 || status == 415) {
		refused_media(d, v);
	} else if (status >= 400) {
		v->reason = "other-refusal";
		v->severity = SEVERITY_WARNING;
	}
}

/* RFC 3261 14.2: asked without an offer, the answerer makes one. */
static bool offer_missing(const struct transaction *t)
{
	const struct message *m = t->final;

	return t->method == SIP_INVITE && !t->request->sdp && !t->request->cut && !m->sdp && !m->cut &&
	       !(m->flaws & SIP_FLAW_TOO_MUCH) && t->leg->confirmed &&
		t->leg->confirmed->exchanges.count && !(t->ack && t->ack->sdp);
}

/* Silence or a refusal of what a device in the path has changed, while it left the INVITE alone, or the reverse. */
static void look_for_alg(struct verdict *v)
{
	if (!v->reason || !reinvite_mangled(v->transaction, &v->mangled))
		return;
	v->without = v->reason;
	v->reason = "alg-mangled";
}

static struct verdict verdict_of(struct detection *d, const struct transaction *t)
{
	struct verdict v = { .transaction = t };

	if (!t->final || t->final->status == 408)
		look_for_silence(d, &v);
	if (v.reason || !t->final)
		return v;
	if (t->final->status >= 300) {
		judge_refusal(d, &v);
	} else if (offer_missing(t)) {
		v.reason = "offerless-no-offer";
		v.severity = SEVERITY_ERROR;
		v.confidence = CONFIDENCE_CERTAIN;
	}
	return v;
}

/* ---- what is said ---- */

static const char *wish_text(const struct transaction *t)
{
	switch (wish_of(t)) {
	case WISH_HOLD: return "hold the call";
	case WISH_RESUME: return "take the call back";
	case WISH_FAX: return "change to fax";
	case WISH_REFRESH: return "refresh the call";
	case WISH_OFFER: return "refresh the call or have a new offer";
	case WISH_CHANGE: break;
	}
	return "change or refresh the media";
}

static bool says(const struct verdict *v, const char *reason)
{
	return strcmp(v->without ? v->without : v->reason, reason) == 0;
}

static bool is_silent(const struct verdict *v)
{
	return says(v, "unanswered") || says(v, "dead-contact");
}

/* As RFC 3261 14.2 has it for a request that came while another one was open; an overloaded server waits longer. */
static bool asks_to_wait(const struct transaction *t)
{
	const struct headers *h = t->final ? t->final->headers : NULL;

	return h && t->final->status == 500 && h->more->retry_after_s && h->more->retry_after_s <= 10;
}

static const char *fix_of(const struct verdict *v, bool refresh)
{
	if (v->without)
		return "Switch the SIP ALG of the router off, and the keep-alive of the phones on in its place; let the server answer to where packets come from";
	if (says(v, "dead-contact"))
		return "The answering side moved to another port: switch its keep-alive on, below the timer of the NAT, and give it a fixed SIP port";
	if (says(v, "unanswered") && v->hop.answer)
		return "Look at the log of the host that answers 100 Trying: it has taken the request and not finished it, or waits for one behind it";
	if (says(v, "unanswered"))
		return "Capture at the silent side; switch SIP ALG off in the router, and the keep-alive of the phone on";
	if (says(v, "refused-481"))
		return "The answering side has lost the call: look for a restart, or for a proxy that sends the request to another server";
	if (says(v, "refused-408"))
		return "Something behind the answering host is silent: capture there";
	if (says(v, "refused-media") && wish_of(v->transaction) == WISH_HOLD)
		return "Let the side that holds keep its address and codecs and say a=sendonly, no c=0.0.0.0, no a=inactive, no other codec or encryption: that is what mostly is refused; or let the PBX play music instead of holding (no hold towards this trunk)";
	if (says(v, "refused-media"))
		return "Let both sides offer the same codecs, encryption and fax settings";
	if (says(v, "glare-loop") && v->alone)
		return "Update the software of the side that answers 491: that is for requests that cross (RFC 3261 14.2)";
	if (says(v, "glare-loop") || says(v, "glare-not-retried"))
		return "Update the firmware of the side that asks: after 491 it has to wait a random time and ask again";
	if (says(v, "offerless-no-offer"))
		return "Update the answering side, or let the other one send its re-INVITEs with SDP";
	if (asks_to_wait(v->transaction))
		return "Update the side that asks: 500 with a Retry-After of 0 to 10 s means that its request before was still open (RFC 3261 14.2), and it has to ask again after that time";
	return refresh ? "Let the other side refresh the session, or switch session timers off"
	       : "Look at the log of the answering side for this request";
}

static void say_act(const struct verdict *v, const char *peer, char *text, size_t room)
{
	if (is_silent(v))
		snprintf(text, room, "%s does not answer", peer);
	else if (says(v, "offerless-no-offer"))
		snprintf(text, room, "%s answers without an offer", peer);
	else
		snprintf(text, room, "%s answers %u", peer, v->transaction->final->status);
}

static void tell_cause(struct finding *f, const struct facts *facts, const struct verdict *v)
{
	const struct transaction *t = v->transaction;
	const char *method = t->method == SIP_UPDATE ? "UPDATE" : "re-INVITE";
	char who[SAY_TEXT], peer[SAY_TEXT], phrase[64], to[ENDPOINT_TEXT];

	say_party_full(facts, t->leg, t->by, who);
	if (is_silent(v)) {
		say_host(facts, &v->hop.dst.addr, peer);
		finding_cause(f, "%s wanted to %s; %s did not answer the %s that was sent %u time%s to %s%s%s.", who,
			wish_text(t), peer, method, v->hop.copies,
			      v->hop.copies == 1 ? "" : "s", endpoint_text(&v->hop.dst, to),
			      v->hop.answer ? ", but for 100 Trying" : "",
			      says(v, "dead-contact") ? "; it has sent from another port since" : "");
		return;
	}
	say_host(facts, &t->final->src.addr, peer);
	text_escape(phrase_span(t->final->reason), phrase, sizeof phrase);
	if (says(v, "glare-loop") && v->alone)
		finding_cause(f, "%s wanted to %s; %u answers of %s within %.0f s were 491, that another request is pending, and there was none: only one side asked for anything.", who, wish_text(t), v->answers, peer,
			      config_value(facts->config, "reinvite-failed", "glare-window-s"));
	else if (says(v, "glare-loop"))
		finding_cause(f, "%s wanted to %s; both sides asked at once, and %u answers within %.0f s were refusals for that reason.", who, wish_text(t), v->answers,
			      config_value(facts->config, "reinvite-failed", "glare-window-s"));
	else if (says(v, "offerless-no-offer"))
		finding_cause(f, "%s sent an INVITE without SDP inside the call; %s answered %u %s without SDP, where its offer belongs.", who, peer, t->final->status,
			      phrase);
	else
		finding_cause(f, "%s wanted to %s; %s answered %u %s%s.", who, wish_text(t), peer, t->final->status,
			phrase,
			      says(v, "glare-not-retried") ? ", and it did not ask again" : v->stops
			      ? ", and the audio stopped" : "");
}

static void add_evidence(struct finding *f, const struct verdict *v)
{
	const struct transaction *t = v->transaction;
	const char *method = t->method == SIP_UPDATE ? "UPDATE" : "re-INVITE";

	if (is_silent(v)) {
		finding_evidence(f, v->hop.first->at, "%s, the first of %u", method, v->hop.copies);
		if (v->hop.copies > 1)
			finding_evidence(f, v->hop.last->at, "the last of them");
		return;
	}
	finding_evidence(f, t->request->at, "%s", method);
	finding_evidence(f, t->final->at, "answer %u", t->final->status);
	if (t->leg->bye_ns != NS_NONE)
		finding_evidence(f, t->leg->bye_at, "%s", say_bye(t->leg));
}

static void tell_alg(struct finding *f, const struct verdict *v)
{
	char was[ENDPOINT_TEXT], became[ENDPOINT_TEXT];

	finding_other_reason(f, v->without);
	text_addf(&f->cause, " A device in the path changed where the %s asks for audio from %s to %s, and left the %s as it was.",
		  v->mangled.now ? "re-INVITE" : "INVITE", endpoint_text(&v->mangled.was, was),
		  endpoint_text(&v->mangled.became, became), v->mangled.now ? "INVITE" : "re-INVITE");
	finding_evidence(f, v->mangled.before->at, "before the device: audio to %s", was);
	finding_evidence(f, v->mangled.behind->at, "behind it: audio to %s", became);
}

/* When whoever asked in vain hung up for it, if he did: timers B and F, and some seconds for what comes between. */
static int64_t given_up_ns(const struct transaction *t)
{
	const struct leg *leg = t->leg;
	bool soon = leg->bye_ns != NS_NONE && leg->bye_ns > t->last_ns && leg->bye_ns - t->first_ns <= GIVEN_UP_NS;

	return soon ? leg->bye_ns : t->last_ns;
}

/* Whose doing it is: after 491 the one who asks has to wait and ask again; who says 408 has waited for another. */
static void add_parts(struct finding *f, const struct verdict *v, const struct endpoint *asker, const struct endpoint *peer)
{
	bool glare = says(v, "glare-loop") || says(v, "glare-not-retried");

	finding_part(f, PART_VICTIM, asker);
	if (glare)
		finding_part(f, PART_CULPRIT, asker);
	finding_part(f, (glare && !v->alone) || says(v, "refused-408") ? PART_WITNESS : PART_CULPRIT, peer);
}

static void tell(struct detection *d, const struct verdict *v)
{
	const struct facts *facts = detection_facts(d);
	const struct transaction *t = v->transaction;
	struct finding *f = detection_raise(d, v->reason, v->severity, v->confidence);
	const struct endpoint *asker = is_silent(v) ? &v->hop.src : &t->request->src,
		*peer = is_silent(v) ? &v->hop.dst : &t->final->src;
	char who[SAY_TEXT], host[SAY_TEXT], act[SAY_TEXT + 40], effect[SAY_TEXT + 60];

	finding_leg(f, t->leg);
	add_parts(f, v, asker, peer);
	finding_times(f, t->first_ns, is_silent(v) ? given_up_ns(t) : t->last_ns);
	say_party(facts, t->leg, t->by, who);
	say_host(facts, &peer->addr, host);
	say_act(v, host, act, sizeof act);
	snprintf(effect, sizeof effect, "%s cannot %s", who, wish_text(t));
	say_title(f, act, effect);
	tell_cause(f, facts, v);
	if (v->without)
		tell_alg(f, v);
	finding_fix(f, "%s.", fix_of(v, wish_of(t) == WISH_REFRESH));
	add_evidence(f, v);
	if (is_silent(v) && !v->hop.answer && say_silent_host(f, facts, &peer->addr, "the request") &&
	    says(v, "unanswered"))
		finding_fix(f, "Look at the log of %s and at the firewall on it: the request passes right beside it, and nothing comes back.",
			host);
}

static void on_event(struct detection *d, const struct event *ev)
{
	struct verdict worst = { 0 };
	unsigned seen = 0;

	LIST_EACH(it, &ev->leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);
		struct verdict v;

		if (!changes_call(ev->leg, t))
			continue;
		seen++;
		v = verdict_of(d, t);
		look_for_alg(&v);
		if (v.reason && (!worst.reason || v.severity > worst.severity))
			worst = v;
	}
	if (worst.reason)
		tell(d, &worst);
	else if (seen == 0)
		detection_pass(d, NULL, "nobody asked for a change of this call");
	else
		detection_pass(d, NULL, "each of %u requests inside this call was answered as it should be", seen);
}

const struct detector detect_reinvite_failed = {
	.id = "reinvite-failed", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_CALL),
	.scope = PER_CALL, .usual = SEVERITY_ERROR, .possible_max = SEVERITY_WARNING,
};
