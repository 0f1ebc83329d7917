/* SPDX-License-Identifier: MIT */
/* hold_ends: the exchanges of a dialog from the hold on, and what of the direction came behind them. */
#include "analyzer/detect/hold_ends.h"

#include "analyzer/detect/gates.h"
#include "analyzer/detect/say.h"

enum { HEARD_LEAST = 25, STRAY_MOST = 5, SILENT_S = 32, AGAIN_S = 5 };

#define SETTLE_NS SECOND_NS          /* packets on their way, and those of a sender that is told a moment later */

struct stuck {
	const char *reason;
	const struct exchange *hold, *resume;
	const struct stream *music;
	enum side holder;            /* who takes the call back */
	bool forgotten;              /* by the holder itself */
	bool both;                   /* agreed so that nobody may send */
	/* its offer, or the answer, as it reached the other side: at first it had opened both ways */
	const struct message *changed, *unchanged;
	int64_t from_ns, to_ns;
};

/* What a message says of the m= line; held too by an address of zeros. */
static bool message_says(const struct message *m, unsigned mline, enum sdp_direction *ret)
{
	const struct sdp *sdp = m ? m->sdp : NULL;

	if (!sdp || mline >= sdp->media_count)
		return false;
	*ret = sdp->media[mline].direction;
	if (address_known(&sdp->media[mline].at.addr) && address_unspecified(&sdp->media[mline].at.addr))
		*ret = SDP_INACTIVE;
	return true;
}

/* A description in the words of its author. */
static bool says_direction(const struct sdp_copies *c, unsigned mline, enum sdp_direction *ret)
{
	return message_says(c->count ? c->seen[0] : NULL, mline, ret);
}

static bool is_hold(enum sdp_direction said)
{
	return said == SDP_SENDONLY || said == SDP_INACTIVE;
}

/* The last exchange of that side before `until`, stable, says hold. */
static const struct exchange *hold_of(const struct dialog *dialog, enum side side, const struct exchange *until,
	unsigned mline)
{
	const struct exchange *hold = NULL;

	LIST_EACH(it, &dialog->exchanges) {
		const struct exchange *e = LIST_ENTRY(it, struct exchange, in_dialog);
		enum sdp_direction said;

		if (e == until)
			break;
		if (e->offerer == side && e->state == EXCHANGE_STABLE && says_direction(&e->offer, mline, &said))
			hold = is_hold(said) ? e : NULL;
	}
	return hold;
}

/* That side may hold as well: of what it asked before `until` the capture lacks the request or the answer. */
static bool may_hold(const struct dialog *dialog, enum side side, const struct exchange *until, unsigned mline)
{
	enum sdp_direction said;

	LIST_EACH(it, &dialog->exchanges) {
		const struct exchange *e = LIST_ENTRY(it, struct exchange, in_dialog);

		if (e == until)
			break;
		if (e->offerer == side && e->state == EXCHANGE_OFFERED &&
		    says_direction(&e->offer, mline, &said) && is_hold(said))
			return true;
	}
	LIST_EACH(it, &dialog->leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);

		if (t->method == SIP_INVITE && !t->initial && !t->request && t->by == side && (t->final ?
		    t->final->status < 300 : t->ack != NULL) && t->first_ns < until->offered_ns)
			return true;
	}
	return false;
}

static const struct exchange *last_exchange(const struct dialog *dialog)
{
	return list_empty(&dialog->exchanges) ? NULL : LIST_ENTRY(dialog->exchanges.head.prev, struct exchange, in_dialog);
}

/* What that side said of its own audio. */
static bool word_of(const struct exchange *e, enum side side, unsigned mline, enum sdp_direction *ret)
{
	return e->state == EXCHANGE_STABLE && says_direction(e->offerer == side ? &e->offer : &e->answer, mline, ret);
}

/* The last exchange, without those in which a side only says again what it had said in the one before (a refresh). */
static const struct exchange *deciding_exchange(const struct dialog *dialog, unsigned mline)
{
	const struct exchange *e = last_exchange(dialog);

	while (e && e->in_dialog.prev != &dialog->exchanges.head) {
		const struct exchange *before = LIST_ENTRY(e->in_dialog.prev, struct exchange, in_dialog);
		enum sdp_direction now, was;

		if (!word_of(e, e->offerer, mline, &now) || now == SDP_SENDRECV || e->delayed ||
		    !word_of(before, e->offerer, mline, &was) || was != now)
			break;
		e = before;
	}
	return e;
}

static int64_t over_ns(const struct detection *d, const struct leg *leg)
{
	return leg->bye_ns != NS_NONE ? leg->bye_ns : detection_facts(d)->capture->last_ns;
}

/* A description as it reached the other side. */
static const struct message *arrived(const struct sdp_copies *c)
{
	return c->count ? c->seen[c->count - 1] : NULL;
}

/* Did something on the way shut what its author had opened both ways? */
static bool changed_on_way(const struct sdp_copies *c, unsigned mline, struct stuck *s)
{
	enum sdp_direction first, last;

	if (!says_direction(c, mline, &first) || first != SDP_SENDRECV || !message_says(arrived(c), mline, &last) ||
	    last == SDP_SENDRECV)
		return false;
	s->unchanged = c->seen[0];
	s->changed = arrived(c);
	return true;
}

/* Does the answer keep this direction shut although the offer opened both? */
static bool shuts(const struct exchange *e, const struct direction *dir)
{
	enum sdp_direction answer;

	if (!message_says(arrived(&e->answer), dir->slot->mline, &answer) || answer == SDP_SENDRECV)
		return false;
	if (e->offerer == dir->sender)
		return answer == SDP_SENDONLY || answer == SDP_INACTIVE;
	return answer == SDP_RECVONLY || answer == SDP_INACTIVE;
}

static const struct sdp_media *media_of(const struct sdp_copies *c, unsigned mline)
{
	const struct sdp *sdp = c->count ? c->seen[0]->sdp : NULL;

	return sdp && mline < sdp->media_count ? &sdp->media[mline] : NULL;
}

/* It says sendrecv where it said hold, and names no address to send to, neither in c= nor by ICE. */
static bool opens_nowhere(const struct exchange *hold, const struct exchange *e, unsigned mline)
{
	const struct sdp_media *was = hold ? media_of(&hold->offer, mline) : NULL, *now = media_of(&e->offer, mline);

	return was && now && is_hold(was->direction) && now->direction == SDP_SENDRECV && now->port && !now->rare->ice_ufrag.n &&
	       address_known(&now->at.addr) && address_unspecified(&now->at.addr);
}

/* Refused, or nothing came back for so long that nothing will. */
static bool is_refused(const struct exchange *e, int64_t end_ns)
{
	if (e->state == EXCHANGE_REJECTED)
		return true;
	return e->state == EXCHANGE_OFFERED && end_ns - e->offered_ns >= SILENT_S * SECOND_NS;
}

/* The voice that spoke before the hold, quiet during it, speaks again from the exchange on. */
static bool speaks_again(const struct direction *own, const struct exchange *hold, const struct exchange *e)
{
	for (unsigned i = 0; i < own->stream_count; i++) {
		const struct stream *x = own->streams[i];
		struct stream_sound heard = stream_sound(x);

		if (heard.speech && heard.speech_last_ns - e->stable_ns >= AGAIN_S * SECOND_NS &&
		    stream_packets_between(x, INT64_MIN, hold->stable_ns) >= HEARD_LEAST &&
		    stream_packets_between(x, ns_add(hold->stable_ns, SETTLE_NS), e->stable_ns) <= STRAY_MOST &&
		    stream_packets_between(x, e->stable_ns, INT64_MAX) >= HEARD_LEAST)
			return true;
	}
	return false;
}

/*
 * Whoever held has asked again, speaks again, and what it says of itself shuts both ways as before: to the other side
 * the hold goes on. Music comes with sendonly, or from elsewhere.
 */
static bool find_forgotten(const struct direction *dir, const struct exchange *e, struct stuck *s)
{
	enum side holder = side_other(dir->sender);
	const struct exchange *hold = hold_of(dir->slot->dialog, holder, e, dir->slot->mline);
	enum sdp_direction own;

	if (!hold || e->state != EXCHANGE_STABLE || hold_of(dir->slot->dialog, dir->sender, e, dir->slot->mline) ||
	    !word_of(e, holder, dir->slot->mline, &own) || own != SDP_INACTIVE ||
	    !speaks_again(direction_reverse(dir), hold, e))
		return false;
	s->reason = "hold-not-released";
	s->holder = holder;
	s->forgotten = true;
	s->hold = hold;
	s->from_ns = e->stable_ns;
	return true;
}

/*
 * Whoever held asks without a description of its own (RFC 3264 8, RFC 6337 5.3): the other side has to offer what it
 * could do, and offers what the hold had left of it. That it is no refresh of the hold shows in the answer, or in a
 * voice that speaks again although it may not.
 */
static bool find_offered_shut(struct detection *d, const struct direction *dir, const struct exchange *e,
	struct stuck *s)
{
	const struct dialog *dialog = dir->slot->dialog;
	enum side holder = side_other(e->offerer);
	const struct exchange *hold = hold_of(dialog, holder, e, dir->slot->mline);
	enum sdp_direction offer, answer;

	if (!e->delayed || !hold || !word_of(e, e->offerer, dir->slot->mline, &offer) ||
	    !word_of(e, holder, dir->slot->mline, &answer) ||
	    (offer != SDP_INACTIVE && offer != (dir->sender == holder ? SDP_SENDONLY : SDP_RECVONLY)) ||
	    hold_of(dialog, e->offerer, e, dir->slot->mline) || may_hold(dialog, e->offerer, e, dir->slot->mline) ||
	    gates_capture_still(detection_facts(d)->gates, dialog->leg->first_ns, e->offered_ns) ||
	    (answer != SDP_SENDRECV && !speaks_again(&dir->slot->direction[holder], hold, e)))
		return false;
	s->reason = "hold-not-released";
	s->holder = holder;
	s->hold = hold;
	s->both = offer == SDP_INACTIVE;
	s->from_ns = e->stable_ns;
	return true;
}

static bool find_shut(struct detection *d, const struct direction *dir, struct stuck *s)
{
	const struct dialog *dialog = dir->slot->dialog;
	const struct exchange *e = last_exchange(dialog);
	enum sdp_direction offer, answer;

	if (!e || e->kind == EXCHANGE_INITIAL || !says_direction(&e->offer, dir->slot->mline, &offer))
		return false;
	s->resume = e;
	s->to_ns = over_ns(d, dialog->leg);
	if (find_offered_shut(d, dir, e, s))
		return true;
	s->holder = e->offerer;
	s->hold = hold_of(dialog, e->offerer, e, dir->slot->mline);
	if (offer != SDP_SENDRECV && dir->sender != e->offerer && e->state == EXCHANGE_STABLE &&
	    opens_nowhere(s->hold, e, dir->slot->mline)) {
		s->reason = "resume-without-address";
		s->from_ns = e->stable_ns;
		return true;
	}
	if (find_forgotten(dir, e, s))
		return true;
	e = deciding_exchange(dialog, dir->slot->mline);
	if (e->kind == EXCHANGE_INITIAL || !says_direction(&e->offer, dir->slot->mline, &offer) ||
	    offer != SDP_SENDRECV)
		return false;
	s->resume = e;
	s->holder = e->offerer;
	s->hold = hold_of(dialog, e->offerer, e, dir->slot->mline);
	if (!s->hold || hold_of(dialog, side_other(e->offerer), e, dir->slot->mline))
		return false;
	if (e->state == EXCHANGE_STABLE && shuts(e, dir) &&
	    !may_hold(dialog, side_other(e->offerer), e, dir->slot->mline) &&
	    !gates_capture_still(detection_facts(d)->gates, dialog->leg->first_ns, e->offered_ns)) {
		s->reason = "hold-not-released";
		s->both = message_says(arrived(&e->answer), dir->slot->mline, &answer) && answer == SDP_INACTIVE;
		if (!changed_on_way(&e->offer, dir->slot->mline, s))
			changed_on_way(&e->answer, dir->slot->mline, s);
		s->from_ns = e->stable_ns;
	} else if (dir->sender != e->offerer && is_refused(e, s->to_ns)) {
		s->reason = "resume-rejected";
		s->from_ns = e->offered_ns;
	}
	return s->reason != NULL;
}

/* ---- music that plays on ---- */

static bool named(const struct window *w, const struct stream *s)
{
	return window_has_source(w, &s->src);
}

/*
 * The voice that spoke before the hold, from a port that a NAT gave it since: no description names it, its stream id or
 * its host is the same.
 */
static bool is_own_voice(const struct direction *dir, const struct window *resumed, const struct stream *s)
{
	const struct window *first = direction_first_due(dir);

	for (const struct window *w = dir->windows; w < resumed; w++) {
		if (named(w, s))
			return false;
	}
	for (unsigned i = 0; i < dir->stream_count; i++) {
		const struct stream *before = dir->streams[i];

		if ((before->ssrc == s->ssrc || address_equal(&before->src.addr, &s->src.addr)) &&
		    stream_packets_between(before, first->on_ns, first->off_ns) > STRAY_MOST)
			return true;
	}
	return false;
}

/* From an address that the resume no longer names, while the one it names is silent. */
static bool find_music(struct detection *d, const struct direction *dir, struct stuck *s)
{
	const struct window *w = dir->window_count ? &dir->windows[dir->window_count - 1] : NULL;
	int64_t from_ns;

	while (w && w > dir->windows && w->state == EXPECT_ENDED)
		w--;
	if (!w || w->state != EXPECT_DUE || !w->resumed || !w->exchange)
		return false;
	from_ns = ns_add(w->on_ns, SETTLE_NS);
	for (unsigned i = 0; i < dir->stream_count; i++) {
		const struct stream *x = dir->streams[i];
		double n = stream_packets_between(x, from_ns, INT64_MAX);

		if (n > STRAY_MOST && (named(w, x) || s->music || is_own_voice(dir, w, x)))
			return false;
		if (n > STRAY_MOST && x->first_ns < w->on_ns)
			s->music = x;
		else if (n > STRAY_MOST)
			return false;
	}
	if (!s->music || stream_packets_between(s->music, INT64_MIN, direction_first_due(dir)->off_ns) > STRAY_MOST)
		return false;
	s->reason = "moh-stuck";
	s->resume = w->exchange;
	s->holder = w->exchange->offerer;
	s->hold = hold_of(dir->slot->dialog, w->exchange->offerer, w->exchange, dir->slot->mline);
	s->from_ns = w->on_ns;
	s->to_ns = s->music->last_ns;
	(void)d;
	return s->hold != NULL;
}

/* ---- what is said ---- */

static void tell_cause(struct finding *f, const struct facts *facts, const struct direction *dir, const struct stuck *s)
{
	const struct leg *leg = dir->slot->dialog->leg;
	char holder[SAY_TEXT], other[SAY_TEXT], source[ENDPOINT_TEXT];

	say_party_full(facts, leg, s->holder, holder);
	say_party_full(facts, leg, side_other(s->holder), other);
	if (s->music) {
		finding_cause(f, "%s took the call back, and music from %s, which the resume no longer names, plays on for %.0f s; its own audio does not come.",
			      holder, endpoint_text(&s->music->src, source), (double)(s->to_ns - s->from_ns) / 1e9);
		finding_fix(f, "Look at the music server %s and at what %s tells it at a resume.", source, holder);
	} else if (s->forgotten) {
		finding_cause(f, "%s speaks again after the hold, and what it says of its audio since is still the hold's (inactive, or the address 0.0.0.0): %s may not send to it.",
			      holder, other);
		finding_fix(f, "Update %s: when it takes a call back, its offer or answer has to say sendrecv and name its address again.", holder);
	} else if (strcmp(s->reason, "resume-without-address") == 0) {
		finding_cause(f, "%s took the call back (sendrecv) and still names 0.0.0.0 for its audio, as in the hold: %s has nowhere to send to.",
			      holder, other);
		finding_fix(f, "Update %s: the offer that ends a hold has to name its address and port again.", holder);
	} else if (s->resume->offerer != s->holder) {
		finding_cause(f, "%s took the call back by a re-INVITE without session description; %s offered %s, as the hold had left it, so %s.",
			      holder, other, s->both ? "inactive" : "audio one way", s->both ? "neither side may send" : "one direction stays shut");
		finding_fix(f, "Update %s: asked for an offer it has to name what it can do (sendrecv), not what the hold left (RFC 6337 5.3); or let %s send a description in the re-INVITE that ends a hold.",
			other, holder);
	} else if (s->changed) {
		bool offer = s->changed->request;

		finding_cause(f, "%s took the call back with audio both ways; %s%s says that %s (frame %u): something on the way changes it.",
			      holder, offer ? "" : other, offer ? "what reaches the other side" : " answered sendrecv, and what comes back",
			      s->both ? "nobody may send" : "one direction stays shut", s->changed->at.frame);
		finding_fix(f, "Look at what passes the %s on between frames %u and %u: it has to leave a=sendrecv as it is.",
			offer ? "offer" : "answer", s->unchanged->at.frame, s->changed->at.frame);
	} else if (s->resume->state == EXCHANGE_STABLE && s->both) {
		finding_cause(f, "%s took the call back with audio both ways; %s agreed and answered inactive, as on hold, so neither side may send.",
			      holder, other);
		finding_fix(f, "Update %s, or switch its own hold handling off: it has to answer sendrecv to sendrecv.", other);
	} else if (s->resume->state == EXCHANGE_STABLE) {
		finding_cause(f, "%s took the call back with audio both ways; %s agreed and left its side as it was on hold, so one direction stays shut.",
			      holder, other);
		finding_fix(f, "Update %s, or switch its own hold handling off: it has to answer sendrecv to sendrecv.", other);
	} else {
		finding_cause(f, "%s wanted to take the call back; %s did not agree, and the hold goes on.", holder, other);
		finding_fix(f, "Mend the re-INVITE that fails: see the finding about it.");
	}
}

/* neither: of both directions at once. */
static void tell(struct detection *d, const struct event *ev, const struct stuck *s, bool neither)
{
	const struct facts *facts = detection_facts(d);
	const struct direction *dir = ev->direction;
	struct finding *f = detection_raise(d, s->reason, SEVERITY_ERROR,
		s->music || s->forgotten || s->resume->offerer != s->holder ? CONFIDENCE_LIKELY
		: CONFIDENCE_CERTAIN);
	bool own = strcmp(s->reason, "resume-without-address") == 0;
	struct endpoint other = party_seen_at(dir, own ? s->holder : side_other(s->holder));
	char to[SAY_TEXT], from[SAY_TEXT];

	parts_of_direction(f, facts, dir);
	if (neither)
		parts_of_direction(f, facts, direction_reverse(dir));
	if (s->forgotten)                    /* who wrote the description, wherever its audio comes from */
		other = (struct endpoint){ ev->leg->party[side_other(dir->sender)].signalling.addr, 0 };
	if (!s->changed)
		finding_part(f, PART_CULPRIT, s->music ? &s->music->src : &other);
	else if (address_equal(&s->unchanged->dst.addr, &s->changed->src.addr))
		finding_part(f, PART_CULPRIT, &s->changed->src);
	finding_times(f, s->from_ns, s->to_ns);
	f->since_ns = s->from_ns;
	say_party(facts, ev->leg, side_other(dir->sender), to);
	say_party(facts, ev->leg, dir->sender, from);
	if (neither)
		finding_title(f, "%s and %s hear nothing of each other after the call is resumed", to, from);
	else
		finding_title(f, "%s hears nothing of %s after the call is resumed", to, from);
	tell_cause(f, facts, dir, s);
	if (s->hold->offer.count)
		finding_evidence(f, s->hold->offer.seen[0]->at, "hold");
	if (s->resume->offer.count)
		finding_evidence(f, s->resume->offer.seen[0]->at, s->forgotten ? "the call is taken back"
			: s->resume->offerer != s->holder ? "asked for an offer, it offers what the hold had left"
			: "resume: audio both ways is offered");
	if (s->resume->state == EXCHANGE_STABLE && s->resume->answer.count)
		finding_evidence(f, s->resume->answer.seen[0]->at, "its answer");
	else if (s->resume->transaction && s->resume->transaction->final)
		finding_evidence(f, s->resume->transaction->final->at, "answer %u", s->resume->transaction->final->status);
	if (s->changed)
		finding_evidence(f, s->changed->at, "the %s as it reached the other side", s->changed->request ? "offer" : "answer");
	if (s->music)
		finding_evidence(f, stream_frame(s->music, s->music->last_frame, s->music->last_ns), "the music plays on");
}

/* Audio came until the hold, and none comes since. */
static bool silent_since(struct detection *d, struct direction *dir, const struct stuck *s)
{
	const struct window *first = direction_first_due(dir);
	int64_t settled_ns = ns_add(s->from_ns, SETTLE_NS);

	return first && first->off_ns != NS_NONE &&
	       direction_packets_between(dir, BOUND_AT_ALL, first->on_ns, first->off_ns) >= HEARD_LEAST &&
	       (s->music || direction_packets_between(dir, BOUND_AT_ALL, settled_ns, INT64_MAX) <= STRAY_MOST) &&
	       (double)(s->to_ns - s->from_ns) >= detection_key(d, "min-seconds") * 1e9 &&
	       !hearing_excused(detection_facts(d), dir, settled_ns);
}

bool hold_goes_on(struct detection *d, const struct event *ev)
{
	const struct direction *dir = ev->direction;
	struct stuck s = { 0 }, back = { 0 };
	bool neither;

	if (!find_shut(d, dir, &s)) {
		s = (struct stuck){ 0 };
		if (!find_music(d, dir, &s))
			return false;
	}
	if (!silent_since(d, ev->direction, &s))
		return false;
	neither = s.both && find_shut(d, direction_reverse(dir), &back) && back.resume == s.resume &&
		silent_since(d, direction_reverse(dir), &back);
	if (neither && dir->sender == s.holder)
		detection_pass(d, NULL, "told of both directions at once");
	else
		tell(d, ev, &s, neither);
	return true;
}
