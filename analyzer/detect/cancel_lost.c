/* SPDX-License-Identifier: MIT */
/* cancel-lost: a phone goes on ringing although the call was answered elsewhere or given up. RFC 3261 9, 16.7. */
#include <stdio.h>

#include "analyzer/calls/headers.h"
#include "analyzer/detect/attempts.h"
#include "analyzer/detect/gates.h"
#include "analyzer/detect/invite_hop.h"
#include "analyzer/detect/lookup.h"
#include "analyzer/detect/say.h"
#include "analyzer/detect/survey.h"
#include "analyzer/detect/witness.h"

static const char *const reasons[] = {
	"cancel-never-sent", "cancel-unanswered", "cancel-to-other-port", "cancel-481", "no-487",
	"ringing-after-cancel", "cancel-before-1xx", NULL,
};

static const struct detector_doc doc = {
	.says = "a phone keeps ringing",
	.symptom = "A phone of a ring group rings on after another one answered, or after the caller hung up.",
	.evidence = "The INVITE that rang, the answer of another phone or the caller's CANCEL, the CANCEL to this phone with its copies and answers.",
	.mimics = "A CANCEL that crosses the 200, a phone that refuses by itself, a branch that never rang, hunting from phone to phone.",
	.fix = "Give each phone its own local SIP port, switch the ALG off, shorten registration or keep-alive so that the server knows the phone's port.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "cancel-wait-s", 3, "s", 0.5, 60, "field: a server cancels at once" },
	{ "copies", 3, "copies", 2, 11, "RFC 3261 17.1.2.2: at 0, 0.5, 1.5 s" },
	{ "fork-s", 3, "s", 0, 60, "field: branches of a ring group begin together" },
	{ "tail-s", 32, "s", 1, 300, "RFC 3261 9.1: 64 T1 for the 487" },
	{ 0 },
};

#define CROSSING_NS (200 * MILLISECOND_NS)

struct lost {
	const struct leg *leg;
	const struct invite_hop *hop;
	/*
	 * what ended the ringing elsewhere: the answer of another phone, the CANCEL of the caller; NULL: this one's own
	 * CANCEL
	 */
	const struct message *told;
	const char *reason;
	enum severity severity;
	enum confidence confidence;
	char field[40];              /* cancel-481: what differs */
};

struct state { struct leg_list rang; };       /* legs that may have rung too long, as surveyed */

struct judging {
	struct detection *d;
	const struct facts *facts;
	int64_t wait_ns, tail_ns, end_ns;
};

/* ---- a CANCEL that was sent ---- */

static void give(struct lost *l, const char *reason, enum severity s, enum confidence c)
{
	l->reason = reason;
	l->severity = s;
	l->confidence = c;
}

/* What must be equal in both: RFC 3261 9.1. */
static void compare_with_invite(struct lost *l)
{
	const struct headers *invite = l->hop->first->headers, *cancel = l->hop->cancel->headers;
	const char *what = "nothing that is seen here";

	if (invite && cancel && !span_equal(invite->uri, cancel->uri))
		what = "the Request-URI";
	else if (invite && cancel && invite->branch != cancel->branch)
		what = "the branch of its Via";
	else if (invite && cancel && invite->from_tag != cancel->from_tag)
		what = "the tag in From";
	else if (!phrase_equal(l->hop->first->to_tag, l->hop->cancel->to_tag))
		what = "the tag in To";
	snprintf(l->field, sizeof l->field, "%s", what);
}

static void judge_unanswered(const struct judging *j, struct lost *l)
{
	const struct invite_hop *h = l->hop;
	struct silence s = { .src = h->src, .dst = h->dst, .first_ns = h->cancel->at.at_ns,
		.last_ns = h->cancel_last->at.at_ns, .copies = h->cancels,
			     .stream_transport = h->cancel->transport != TRANSPORT_UDP };
	enum witness w;
	const char *gate;

	if (h->answer->at.at_ns > h->cancel->at.at_ns && h->cancels == 1) {
		give(l, "cancel-before-1xx", SEVERITY_ERROR, CONFIDENCE_CERTAIN);
		return;
	}
	if (h->cancel_elsewhere) {
		give(l, "cancel-to-other-port", SEVERITY_ERROR, CONFIDENCE_CERTAIN);
		return;
	}
	if (h->cancels < detection_key(j->d, "copies") && !s.stream_transport)
		return;
	gate = silence_gate(j->facts, &s, detection_key(j->d, "tail-s"), &w);
	if (!gate) {
		give(l, "cancel-unanswered", SEVERITY_ERROR, witness_confidence(w, CONFIDENCE_LIKELY));
	} else {
		detection_pass(j->d, gate, "%s", silence_gate_text(gate));
		if (strcmp(gate, "end") != 0)
			detection_withhold(j->d, l->leg, gate, "%s", silence_gate_text(gate));
	}
}

/*
 * The CANCEL was refused or never heard, and whoever rang went on until it was answered, or nobody had come for a
 * while.
 */
static bool rang_on(const struct judging *j, const struct invite_hop *h)
{
	const struct message *since = h->cancel_answer ? h->cancel_answer : h->cancel;

	return (h->cancel_answer ? h->cancel_answer->status == 481 : h->final->status != 487) &&
	       ns_minus(h->final->at.at_ns, since->at.at_ns) > j->wait_ns;
}

static void judge_cancel(const struct judging *j, struct lost *l)
{
	const struct invite_hop *h = l->hop;
	const struct message *answer = h->cancel_answer;

	if (h->over || (h->final && !rang_on(j, h)))
		return;              /* it has ended, one way or another */
	if (!answer) {
		judge_unanswered(j, l);
	} else if (answer->status == 481) {
		compare_with_invite(l);
		give(l, "cancel-481", SEVERITY_ERROR, CONFIDENCE_CERTAIN);
	} else if (answer->status < 300 && ns_minus(h->rang_last->at.at_ns, answer->at.at_ns) > CROSSING_NS) {
		give(l, "ringing-after-cancel", SEVERITY_ERROR, CONFIDENCE_CERTAIN);
	} else if (answer->status < 300 && ns_minus(j->end_ns, answer->at.at_ns) >= j->tail_ns) {
		if (gates_may_hide(j->facts->gates, answer->at.at_ns, ns_add(answer->at.at_ns, SECOND_NS)))
			detection_withhold(j->d, l->leg, "G7", "%s", silence_gate_text("G7"));
		else
			give(l, "no-487", SEVERITY_WARNING, CONFIDENCE_LIKELY);
	}
}

/* ---- a CANCEL that was not sent ---- */

static const struct message *answer_of(const struct leg *leg)
{
	CHAIN_EACH(it, &leg->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_leg);

		if (!m->request && m->method == SIP_INVITE && m->status >= 200 && m->status < 300)
			return m;
	}
	return NULL;
}

static const struct message *cancel_of(const struct leg *leg)
{
	CHAIN_EACH(it, &leg->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_leg);

		if (m->request && m->method == SIP_CANCEL)
			return m;
	}
	return NULL;
}

/* Who is told so by a CANCEL that it does not know goes on, and has nothing to cancel behind it. */
static const struct message *heeded_cancel_of(const struct leg *leg)
{
	CHAIN_EACH(it, &leg->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_leg);

		if (!m->request && m->method == SIP_CANCEL && m->status >= 300)
			return NULL;
	}
	return cancel_of(leg);
}

/* The first leg of the same call beside this one that was answered. */
static const struct leg *answered_sibling(const struct leg *leg, int64_t fork_ns)
{
	const struct leg *best = NULL;

	LIST_EACH(it, &leg->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);
		int64_t apart_ns = ns_minus(other->invite_ns, leg->invite_ns);

		if (other == leg || !leg->parent || other->parent != leg->parent || !other->answered ||
		    apart_ns > fork_ns || apart_ns < -fork_ns)
			continue;
		if (!best || other->answer_ns < best->answer_ns)
			best = other;
	}
	return best;
}

/* Another branch behind the same proxy. */
static const struct message *answered_hop(const struct invite_hop *hops, unsigned count, const struct invite_hop *h,
	int64_t fork_ns)
{
	for (unsigned i = 0; i < count; i++) {
		const struct invite_hop *o = &hops[i];

		if (o != h && address_equal(&o->src.addr, &h->src.addr) && !endpoint_equal(&o->dst, &h->dst) &&
		    o->final && o->final->status < 300 &&
			ns_minus(o->first->at.at_ns, h->first->at.at_ns) <= fork_ns &&
			ns_minus(o->first->at.at_ns, h->first->at.at_ns) >= -fork_ns)
			return o->final;
	}
	return NULL;
}

/* The proxy was told to give up, took that, and has to hand it on (RFC 3261 16.10). */
static const struct message *proxy_told(const struct invite_hop *hops, unsigned count, const struct invite_hop *h)
{
	for (unsigned i = 0; i < count; i++) {
		const struct invite_hop *o = &hops[i];

		if (o != h && endpoint_equal(&o->dst, &h->src) && o->cancel_answer && o->cancel_answer->status < 300)
			return o->cancel;
	}
	return NULL;
}

static const struct message *taken_by(const struct judging *j, const struct lost *l, const struct invite_hop *hops,
	unsigned count)
{
	int64_t fork_ns = (int64_t)(detection_key(j->d, "fork-s") * 1e9);
	const struct message *m = answered_hop(hops, count, l->hop, fork_ns);
	const struct leg *other;

	if (!m)
		m = proxy_told(hops, count, l->hop);
	if (m)
		return m;
	other = answered_sibling(l->leg, fork_ns);
	if (!other && !l->leg->parent)
		other = attempts_answered_branch(lookup_attempts(j->facts->lookup), l->leg, fork_ns);
	if (other)
		return answer_of(other);
	return l->leg->parent && !l->leg->parent->answered ? heeded_cancel_of(l->leg->parent) : NULL;
}

/* Still ringing, or picked up, long after somebody else took the call. */
static void judge_never_sent(const struct judging *j, struct lost *l, const struct invite_hop *hops, unsigned count)
{
	const struct invite_hop *h = l->hop;
	int64_t due_ns;
	bool alive;

	if (h->over)
		return;              /* when it ended is not in the capture */
	if (h->final && h->final->at.at_ns <= ns_add(h->rang->at.at_ns, j->wait_ns))
		return;              /* whenever the other one was, it was over in time */
	l->told = taken_by(j, l, hops, count);
	if (!l->told || l->told->at.at_ns < h->rang->at.at_ns)
		return;
	due_ns = ns_add(l->told->at.at_ns, j->wait_ns);
	if (j->end_ns < due_ns || (h->cancel && h->cancel->at.at_ns <= due_ns) ||
	    (h->final && h->final->at.at_ns <= due_ns))
		return;
	if (gates_may_hide(j->facts->gates, l->told->at.at_ns, due_ns)) {
		detection_withhold(j->d, l->leg, "G7", "%s", silence_gate_text("G7"));
		return;
	}
	alive = h->rang_last->at.at_ns > due_ns || (h->final && h->final->status < 300);
	give(l, "cancel-never-sent", SEVERITY_ERROR, alive ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
}

/* ---- what is said ---- */

static const struct wording { const char *reason, *because, *fix; } wordings[] = {
	{ "cancel-never-sent", "no CANCEL was sent to it in time",
	  "Update the server that called the phones, look at its log: it must cancel those that did not answer" },
	{ "cancel-unanswered", "the CANCEL was not answered",
	  "Give each phone its own local SIP port, switch the ALG off, shorten registration or keep-alive so that server and router agree on its port" },
	{ "cancel-to-other-port", "the CANCEL went to another port than the INVITE",
	  "Look for what changed the port between the two: router, ALG, or the server" },
	{ "cancel-481", "it does not recognise the CANCEL",
	  "Look for an ALG that rewrites requests; else update the side that cancels" },
	{ "no-487", "it took the CANCEL and did not end the call with 487", "Update the phone's firmware" },
	{ "ringing-after-cancel", "it took the CANCEL and rings on", "Update the phone's firmware" },
	{ "cancel-before-1xx", "the CANCEL was sent before the phone had answered anything, and not again",
	  "Update the server: a CANCEL has to wait for the first 1xx" },
};

static const struct wording *wording_of(const char *reason)
{
	unsigned i = 0;

	while (i + 1 < sizeof wordings / sizeof wordings[0] && strcmp(wordings[i].reason, reason) != 0)
		i++;
	return &wordings[i];
}

static bool blames_sender(const char *reason)
{
	return strcmp(reason, "cancel-never-sent") == 0 || strcmp(reason, "cancel-to-other-port") == 0 ||
	       strcmp(reason, "cancel-before-1xx") == 0;
}

static bool blames_phone(const char *reason)
{
	return strcmp(reason, "no-487") == 0 || strcmp(reason, "ringing-after-cancel") == 0;
}

static void add_evidence(struct finding *f, const struct lost *l)
{
	const struct invite_hop *h = l->hop;

	finding_evidence(f, h->first->at, "INVITE");
	finding_evidence(f, h->rang->at, "%u: it rings", h->rang->status);
	if (l->told)
		finding_evidence(f, l->told->at, l->told->request ? "the caller gives up" : "another phone answers");
	if (h->cancel)
		finding_evidence(f, h->cancel->at, "CANCEL, the first of %u", h->cancels);
	if (h->cancel_answer)
		finding_evidence(f, h->cancel_answer->at, "%u to the CANCEL", h->cancel_answer->status);
	if (h->cancel && h->cancel_last != h->cancel)
		finding_evidence(f, h->cancel_last->at, "CANCEL, the last one");
	if (h->rang_last != h->rang)
		finding_evidence(f, h->rang_last->at, "%u: it still rings", h->rang_last->status);
}

static int64_t over_ns(const struct lost *l)
{
	int64_t ns = l->hop->rang_last->at.at_ns;

	if (l->hop->cancel_last && l->hop->cancel_last->at.at_ns > ns)
		ns = l->hop->cancel_last->at.at_ns;
	return l->told && l->told->at.at_ns > ns ? l->told->at.at_ns : ns;
}

/*
 * Whoever is told to ring may be a PBX: what rings is the one phone that it calls for that, where it sent no CANCEL on.
 * NULL: itself, or several.
 */
static const struct leg *rings_behind(const struct leg *leg)
{
	const struct leg *found = NULL;

	LIST_EACH(it, &leg->call->legs) {
		const struct leg *o = LIST_ENTRY(it, struct leg, in_call);

		if (o->parent != leg)
			continue;
		if (found || o->progress_ns == NS_NONE || cancel_of(o))
			return NULL;
		found = o;
	}
	return found;
}

/* Nothing stands between that could rewrite: two neighbours on one network, or a capture beside the sender. */
static bool as_sent(const struct judging *j, const struct invite_hop *h)
{
	return h->cancel && h->cancel->via_count == 1 &&
	       (address_same_net(&h->src.addr, &h->dst.addr) || network_near(j->facts->network, &h->src.addr, &h->dst.addr));
}

static void tell(const struct judging *j, const struct lost *l)
{
	const struct invite_hop *h = l->hop;
	const struct leg *behind = rings_behind(l->leg);
	bool own = strcmp(l->reason, "cancel-481") == 0 && l->field[0] && as_sent(j, h);
	struct finding *f = detection_raise_keyed(j->d, l->leg->n, l->reason, l->severity, l->confidence);
	char phone[SAY_TEXT], sender[SAY_TEXT], act[SAY_TEXT + 40], taken[80] = "", differs[80] = "", at[ENDPOINT_TEXT];

	finding_leg(f, l->leg);
	if (behind) {
		finding_leg(f, behind);
		finding_part(f, PART_VICTIM, &behind->party[SIDE_CALLEE].signalling);
	} else {
		finding_part(f, PART_VICTIM, &h->dst);
	}
	finding_part(f, blames_phone(l->reason) ? PART_CULPRIT : PART_WITNESS,
		blames_phone(l->reason) ? &h->dst : &h->src);
	if (blames_sender(l->reason) || own)
		finding_part(f, PART_CULPRIT, &h->src);
	finding_times(f, h->first->at.at_ns, over_ns(l));
	say_host(j->facts, behind ? &behind->party[SIDE_CALLEE].signalling.addr : &h->dst.addr, phone);
	snprintf(act, sizeof act, "%s keeps ringing", phone);
	say_title(f, act, "nobody is calling any more");
	say_host(j->facts, &h->dst.addr, phone);
	say_host(j->facts, &h->src.addr, sender);
	if (l->told)
		snprintf(taken, sizeof taken, "; %.1f s later %s",
			(double)ns_minus(l->told->at.at_ns, h->rang->at.at_ns) / 1e9,
			 l->told->request ? "the caller gave up" : "another phone answered");
	if (l->field[0])
		snprintf(differs, sizeof differs, " (what differs from the INVITE: %s)", l->field);
	finding_cause(f, "%s was told to ring by %s at %s%s: %s%s.", phone, sender, endpoint_text(&h->dst, at), taken,
		wording_of(l->reason)->because, differs);
	if (own)
		finding_fix(f, "Update %s: its CANCEL has to carry the same topmost Via, Call-ID, From, To and CSeq number as its INVITE (RFC 3261 9.1).", sender);
	else
		finding_fix(f, "%s.", wording_of(l->reason)->fix);
	add_evidence(f, l);
	finding_cannot_see(f, "whether the bell rings: only the state of the call is on the wire");
}

/* ---- all of them ---- */

static void judge_leg(const struct judging *j, const struct leg *leg)
{
	struct invite_hop hops[INVITE_HOP_MAX];
	unsigned count = invite_hops(leg, hops);
	struct lost worst = { 0 };

	for (unsigned i = 0; i < count; i++) {
		struct lost l = { .leg = leg, .hop = &hops[i] };

		if (!hops[i].rang || hops[i].forwarded)
			continue;    /* what never rang does not ring on */
		if (hops[i].cancel)
			judge_cancel(j, &l);
		if (!l.reason)
			judge_never_sent(j, &l, hops, count);
		if (l.reason && (!worst.reason || l.severity > worst.severity ||
		    (l.severity == worst.severity && l.confidence > worst.confidence)))
			worst = l;
	}
	if (worst.reason)
		tell(j, &worst);
}

/* The phone of a plain leg was answered, and soon enough: whenever the caller was to give up, it was over in time. */
static void survey(struct detection *d, const struct leg *leg)
{
	struct state *st = detection_state(d);

	if (!leg->initial_invite_seen || leg->progress_ns == NS_NONE)
		return;
	if (!leg_plain(leg) ||
	    leg->answer_ns > ns_add(leg->progress_ns, (int64_t)(detection_key(d, "cancel-wait-s") * 1e9)))
		leg_list_add(&st->rang, leg);
}

/*
 * A plain leg can only have rung too long as one of several: of a caller who began another leg at the same time, or of
 * a relay. beside: the former.
 */
static void judge_rang(const struct judging *j, const struct leg_list *rang)
{
	size_t count, at = 0;
	const struct leg *const *beside = attempts_beside(lookup_attempts(j->facts->lookup),
		(int64_t)(detection_key(j->d, "fork-s") * 1e9), &count);

	for (unsigned i = 0; i < rang->count; i++) {
		const struct leg *leg = rang->list[i];

		while (at < count && beside[at]->n < leg->n)
			at++;
		if (!leg_plain(leg) || leg->parent || (at < count && beside[at] == leg))
			judge_leg(j, leg);
	}
}

static void judge_all(struct detection *d)
{
	struct state *st = detection_state(d);
	struct judging j = { .d = d, .facts = detection_facts(d) };

	j.wait_ns = (int64_t)(detection_key(d, "cancel-wait-s") * 1e9);
	j.tail_ns = (int64_t)(detection_key(d, "tail-s") * 1e9);
	j.end_ns = j.facts->capture->last_ns;
	if (st->rang.count)
		judge_rang(&j, &st->rang);
	leg_list_clear(&st->rang);
	detection_pass(d, NULL, "every phone that rang was answered, refused or cancelled, as far as can be seen");
}

static void on_event(struct detection *d, const struct event *ev)
{
	if (ev->kind == EVENT_SURVEY_LEG)
		survey(d, ev->leg);
	else
		judge_all(d);
}

static void forget(void *state)
{
	leg_list_clear(&((struct state *)state)->rang);
}

const struct detector detect_cancel_lost = {
	.id = "cancel-lost", .doc = &doc, .keys = keys, .event = on_event,
	.state_size = sizeof(struct state), .forget = forget,
	.events = EVENT_BIT(EVENT_SURVEY_LEG) | EVENT_BIT(EVENT_JUDGE_CAPTURE), .scope = GLOBAL,
	.usual = SEVERITY_ERROR, .possible_max = SEVERITY_WARNING,
};
