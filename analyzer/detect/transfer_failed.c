/* SPDX-License-Identifier: MIT */
/*
 * transfer-failed: a REFER or an INVITE with Replaces did not bring about the call that it asked for. RFC 3515, 3891,
 * 4488, 5589.
 */
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/detect/half_known.h"
#include "analyzer/detect/refer_to.h"
#include "analyzer/detect/request_hop.h"
#include "analyzer/detect/say.h"
#include "analyzer/detect/witness.h"
#include "captures/base/memory.h"

static const char *const reasons[] = {
	"refer-rejected", "refer-unanswered", "no-notify", "target-failed", "target-unanswered-lost", "replaces-481",
	"replaces-incomplete", "replaces-wrong-party", "replaces-itself",
	"refer-to-unreachable", "transferee-dropped", "consultation-stranded", "notify-481", NULL,
};

static const struct detector_doc doc = {
	.says = "a transfer failed",
	.symptom = "Transfer gives dead air, cuts the call off, or the call comes back.",
	.evidence = "REFER, its answer, what its NOTIFYs report, the INVITE that follows with its answer, tags of Replaces against those of the calls.",
	.mimics = "The transferor hangs up at once, and later NOTIFYs are refused: normal. A busy target whose call comes back is people's business.",
	.fix = "Let the PBX do the transfer with its own address in Refer-To; enable Replaces where it is refused; switch SIP ALG off.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "tail-s", 32, "s", 1, 300, "RFC 3261 17.1.2.2: 64 T1" },
	{ "stranded-s", 60, "s", 5, 600, "field: a consultation that nobody ends for so long is forgotten" },
	{ "rings-s", 10, "s", 1, 300, "field: a target that rang for so long was not reached by a person" },
	{ 0 },
};

enum { COPIES_ENOUGH = 4, TAG_TEXT = 64, LEGS_WALKED = 64 };

#define COPIES_SPAN_NS (3 * SECOND_NS)

/* Legs by Call-ID, made when the first question comes. */
struct by_call_id {
	struct hash_link link;
	const struct leg *leg;
};

struct judge {
	struct detection *d;
	const struct facts *facts;
	struct hash index;
	struct by_call_id *entries;
};

struct verdict {
	const char *reason;          /* NULL: nothing to say */
	enum severity severity;
	enum confidence confidence;
	const struct transfer *transfer;     /* NULL: only the INVITE with Replaces was seen */
	const struct leg *leg, *other;       /* the one it is about; the target, or the one that Replaces names */
	const struct message *refusal;       /* of the target */
	unsigned status;
	struct endpoint victim, culprit;
	struct frame_ref at;
	unsigned copies;
	bool picks_up;               /* the call that Replaces names only rings yet */
	bool exchanged;              /* its tags: whoever wrote them took the receiver's for its own */
	char detail[400];
};

static int64_t key_ns(const struct judge *j, const char *name)
{
	return (int64_t)(detection_key(j->d, name) * 1e9);
}

static int64_t end_ns(const struct judge *j)
{
	return j->facts->capture->last_ns;
}

/* ---- legs ---- */

static void index_make(struct judge *j)
{
	const struct list *legs = calls_legs(j->facts->calls);
	size_t n = 0;

	j->entries = memory_resize(NULL, legs->count + 1, sizeof *j->entries);
	LIST_EACH(it, legs) {
		struct by_call_id *e = &j->entries[n++];

		e->leg = LIST_ENTRY(it, struct leg, in_order);
		hash_add(&j->index, &e->link, hash_span(e->leg->call_id));
	}
}

static const struct leg *leg_named(struct judge *j, struct span call_id)
{
	uint32_t hash = hash_span(call_id);
	const struct leg *found = NULL;
	unsigned walked = 0;

	if (!j->entries)
		index_make(j);
	for (struct hash_link *it = hash_first(&j->index, hash); it && walked < LEGS_WALKED; it = it->next, walked++) {
		const struct leg *leg = HASH_ENTRY(it, struct by_call_id, link)->leg;

		if (it->hash == hash && span_equal(leg->call_id, call_id) && (!found || leg->n < found->n))
			found = leg;
	}
	return found;
}

/* The last refusal of the leg's first INVITE that is no challenge. */
static const struct message *refusal_of(const struct leg *leg)
{
	const struct message *last = NULL;

	if (leg->answered)
		return NULL;
	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);

		if (t->initial && t->final && t->final->status >= 300 && t->final->status != 401 &&
		    t->final->status != 407)
			last = t->final;
	}
	return last;
}

/* A person's answer, or the lack of one. */
static bool human(unsigned status)
{
	return status == 486 || status == 480 || status == 603 || status == 600 || status == 487 || status == 408;
}

/* Has the one who asked the call in hand again after that: never let go, or called anew. */
static bool has_call_back(const struct transfer *t, int64_t failed_ns)
{
	const struct leg *leg = t->leg;
	struct span user = leg->party[t->by].user;

	if (leg->bye_ns == NS_NONE || leg->bye_ns > ns_add(failed_ns, SECOND_NS))
		return true;
	LIST_EACH(it, &leg->call->legs) {
		const struct leg *o = LIST_ENTRY(it, struct leg, in_call);

		if (o != leg && o->first_ns > t->asked_ns && o->answered &&
		    span_equal(o->party[SIDE_CALLEE].user, user))
			return true;
	}
	return false;
}

static bool another_answered(const struct transfer *t)
{
	LIST_EACH(it, &t->leg->call->legs) {
		const struct leg *o = LIST_ENTRY(it, struct leg, in_call);

		if (o != t->leg && o != t->target && o->first_ns > t->asked_ns && o->answered)
			return true;
	}
	return false;
}

/* ---- Replaces ---- */

struct replaced {                    /* "call-id;to-tag=x;from-tag=y" */
	struct span call_id, to_tag, from_tag;
};

static struct replaced replaced_of(struct span value)
{
	struct replaced r = { 0 };
	struct span params;

	r.call_id = span_trim(span_first(value, span_find(value, ';')));
	params = span_from(value, span_find(value, ';'));
	sip_parameter(params, SPAN("to-tag"), &r.to_tag);
	sip_parameter(params, SPAN("from-tag"), &r.from_tag);
	return r;
}

static bool owns(const struct leg *leg, const struct endpoint *at)
{
	for (unsigned i = 0; i < leg->segment_count; i++) {
		if (address_equal(&leg->segments[i].a.addr, &at->addr) ||
		    address_equal(&leg->segments[i].b.addr, &at->addr))
			return true;
	}
	return false;
}

static const struct dialog *dialog_of(const struct leg *leg)
{
	if (leg->confirmed)
		return leg->confirmed;
	return leg->dialogs.count ? LIST_ENTRY(leg->dialogs.head.next, struct dialog, in_leg) : NULL;
}

/* Which of the tags differ from those of the call that is named (RFC 3891 3: to-tag is the receiver's own). */
static void compare_tags(struct verdict *v, const struct replaced *r, const struct leg *named)
{
	const struct dialog *dialog = dialog_of(named);
	char has[2][TAG_TEXT], is[2][TAG_TEXT];
	bool caller_receives = address_equal(&named->party[SIDE_CALLER].signalling.addr, &v->culprit.addr);
	bool callee_receives = address_equal(&named->party[SIDE_CALLEE].signalling.addr, &v->culprit.addr);
	struct span local, remote;

	if (!dialog || caller_receives == callee_receives) {
		snprintf(v->detail, sizeof v->detail, "to-tag=%s, from-tag=%s are asked for",
			text_escape(r->to_tag, is[0], TAG_TEXT),
			 text_escape(r->from_tag, is[1], TAG_TEXT));
		return;
	}
	local = caller_receives ? named->from_tag : dialog->to_tag;
	remote = caller_receives ? dialog->to_tag : named->from_tag;
	text_escape(r->to_tag, is[0], TAG_TEXT);
	text_escape(r->from_tag, is[1], TAG_TEXT);
	text_escape(local, has[0], TAG_TEXT);
	text_escape(remote, has[1], TAG_TEXT);
	if (span_equal(r->to_tag, local) && span_equal(r->from_tag, remote))
		snprintf(v->detail, sizeof v->detail, "its tags are those of the call (to-tag=%s, from-tag=%s)%s",
			is[0], is[1],
			 named->bye_ns != NS_NONE && named->bye_ns < v->at.at_ns ? ", which had ended" : "");
	else if (span_equal(r->to_tag, remote) && span_equal(r->from_tag, local))
		v->exchanged = snprintf(v->detail, sizeof v->detail,
			"its tags are exchanged: it says to-tag=%s, from-tag=%s, and the receiver's own is %s", is[0],
			is[1], has[0]) > 0;
	else
		snprintf(v->detail, sizeof v->detail, "it says to-tag=%s, from-tag=%s; the call has %s, %s", is[0],
			is[1], has[0], has[1]);
}

/* It rang, and was over before anybody could take it. */
static bool given_up(const struct leg *leg, int64_t at_ns)
{
	if (leg->answered)
		return false;
	CHAIN_EACH(it, &leg->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_leg);

		if (m->method == SIP_CANCEL && m->at.at_ns <= at_ns)
			return true;                         /* its end may not be in the capture */
	}
	return leg->end_ns != NS_NONE && leg->end_ns <= at_ns;
}

static bool refuses_replaces(unsigned status)
{
	return status == 481 || status == 404 || status == 403 || status == 400 || status == 420 || status == 405 ||
	       status == 501;
}

static void judge_replaces(struct judge *j, struct verdict *v, const struct leg *leg)
{
	const struct message *refusal = refusal_of(leg);
	struct replaced r = replaced_of(leg->replaces);
	const struct leg *named;

	if (!refusal || !refuses_replaces(refusal->status))
		return;
	v->refusal = refusal;
	v->status = refusal->status;
	v->victim = refusal->dst;
	v->culprit = refusal->src;
	v->at = leg->invite_at;
	v->severity = SEVERITY_ERROR;
	v->confidence = CONFIDENCE_CERTAIN;
	v->reason = "replaces-481";
	named = leg_named(j, r.call_id);
	if (!named || named == leg) {
		snprintf(v->detail, sizeof v->detail, "the call that it names is not in this capture");
		return;
	}
	v->other = named;
	if (!owns(named, &refusal->src)) {
		v->reason = "replaces-wrong-party";
		v->confidence = CONFIDENCE_LIKELY;
		snprintf(v->detail, sizeof v->detail, "the call that it names was never handled there");
		return;
	}
	if (given_up(named, refusal->at.at_ns)) {
		v->reason = NULL;                            /* picked up too late: nothing is left to take */
		return;
	}
	v->picks_up = !named->answered;
	compare_tags(v, &r, named);
}

/* ---- a REFER ---- */

static void judge_unanswered_refer(struct judge *j, struct verdict *v)
{
	const struct transfer *t = v->transfer;
	struct request_hop hops[REQUEST_HOP_MAX];
	unsigned count = request_hops(t->refer, NS_NONE, hops);

	for (unsigned i = count; i-- > 0 && !v->reason;) {
		const struct request_hop *h = &hops[i];
		struct silence s = { .src = h->src, .dst = h->dst, .first_ns = h->first->at.at_ns,
			.last_ns = h->last->at.at_ns, .copies = h->copies,
				     .stream_transport = h->first->transport != TRANSPORT_UDP };
		bool repeated = h->copies >= COPIES_ENOUGH && s.last_ns - s.first_ns >= COPIES_SPAN_NS;
		enum witness w;
		const char *gate;

		if (h->answer || h->astray || h->forwarded || (!repeated && !s.stream_transport))
			continue;
		gate = silence_gate(j->facts, &s, detection_key(j->d, "tail-s"), &w);
		if (gate) {
			if (strcmp(gate, "end") != 0)
				detection_withhold(j->d, t->leg, gate, "%s", silence_gate_text(gate));
			continue;
		}
		v->reason = "refer-unanswered";
		v->severity = SEVERITY_ERROR;
		v->confidence = witness_confidence(w, CONFIDENCE_LIKELY);
		v->victim = h->src;
		v->culprit = h->dst;
		v->copies = h->copies;
	}
}

static bool ended_before(const struct leg *leg, int64_t at_ns)
{
	return leg->bye_ns != NS_NONE && leg->bye_ns <= at_ns;
}

static void judge_rejected(struct judge *j, struct verdict *v)
{
	const struct transfer *t = v->transfer;
	const struct message *final = t->refer->final;
	bool challenge = t->status == 401 || t->status == 407;

	if (!final || ended_before(t->leg, final->at.at_ns) ||
	    (challenge && end_ns(j) - final->at.at_ns < key_ns(j, "tail-s")))
		return;
	v->reason = "refer-rejected";
	v->severity = SEVERITY_ERROR;
	v->confidence = CONFIDENCE_CERTAIN;
	v->status = t->status;
	v->refusal = final;
	v->victim = final->dst;
	v->culprit = final->src;
}

/* The target, or what is reported of it, refused. */
static void judge_target(struct judge *j, struct verdict *v, unsigned status, struct frame_ref at)
{
	const struct transfer *t = v->transfer;
	bool back = has_call_back(t, at.at_ns);
	int64_t rang_ns = t->target && t->target->progress_ns != NS_NONE ? at.at_ns - t->target->progress_ns : 0;

	v->status = status;
	v->at = at;
	v->other = t->target;
	v->refusal = t->target ? refusal_of(t->target) : NULL;
	v->confidence = CONFIDENCE_CERTAIN;
	v->reason = "target-failed";
	v->severity = SEVERITY_ERROR;
	if (!human(status))
		return;
	v->severity = back ? SEVERITY_INFO : SEVERITY_WARNING;
	if (!back && (status == 408 || status == 480 || status == 487) && rang_ns >= key_ns(j, "rings-s"))
		v->reason = "target-unanswered-lost";
}

/* Refer-To names an address that the one who must dial it cannot reach, and nothing came back from there. */
static void judge_unreachable(struct judge *j, struct verdict *v)
{
	const struct transfer *t = v->transfer;
	const struct leg *leg = t->target;
	const struct transaction *invite = leg && leg->transactions.count ? LIST_ENTRY(leg->transactions.head.next,
		struct transaction, in_leg) : NULL;
	struct request_hop hops[REQUEST_HOP_MAX];
	struct silence s;
	struct sip_address to;
	struct address host;
	enum witness w;

	if (!invite || invite->status || !sip_address_parse(t->refer_to, &to) || !address_parse(to.host, &host) ||
	    !address_private(&host))
		return;
	if (request_hops(invite, NS_NONE, hops) == 0 || address_private(&hops[0].src.addr))
		return;
	s = (struct silence){ .src = hops[0].src, .dst = hops[0].dst, .first_ns = hops[0].first->at.at_ns,
		.last_ns = hops[0].last->at.at_ns, .copies = hops[0].copies,
			      .stream_transport = hops[0].first->transport != TRANSPORT_UDP };
	if (silence_gate(j->facts, &s, detection_key(j->d, "tail-s"), &w))
		return;
	v->reason = "refer-to-unreachable";
	v->severity = SEVERITY_ERROR;
	v->confidence = witness_confidence(w, CONFIDENCE_LIKELY);
	v->other = leg;
	v->culprit = hops[0].dst;
	v->victim = hops[0].src;
	v->at = hops[0].first->at;
	v->copies = hops[0].copies;
}

/* The server that was asked hangs up on the one who should be connected, before the target says anything final. */
static void judge_dropped(struct verdict *v)
{
	const struct transfer *t = v->transfer;
	const struct leg *target = t->target;
	const struct message *refusal = target ? refusal_of(target) : NULL;
	int64_t decided_ns = !target ? NS_NONE : target->answer_ns != NS_NONE ? target->answer_ns : refusal
		? refusal->at.at_ns : INT64_MAX;

	if (t->attended || !target || !target->initial_invite_seen)
		return;
	LIST_EACH(it, &t->leg->call->legs) {
		const struct leg *o = LIST_ENTRY(it, struct leg, in_call);
		const struct message *bye = o->confirmed ? o->confirmed->ended_by : NULL;

		if (o == t->leg || o == target || !o->answered || o->answer_ns > t->asked_ns || !bye ||
		    bye->method != SIP_BYE || !bye->request)
			continue;
		if (bye->at.at_ns <= t->accepted_ns || bye->at.at_ns >= decided_ns ||
		    !address_equal(&bye->src.addr, &t->refer->request->dst.addr))
			continue;
		v->reason = "transferee-dropped";
		v->severity = SEVERITY_ERROR;
		v->confidence = CONFIDENCE_LIKELY;
		v->other = o;
		v->victim = bye->dst;
		v->culprit = bye->src;
		v->at = bye->at;
		return;
	}
}

/* The target has taken the call, and the call in which it was asked before is left standing. */
static void judge_stranded(struct judge *j, struct verdict *v)
{
	const struct leg *target = v->transfer->target, *named;

	if (!v->transfer->attended || !target || !target->replaces.n || target->answer_ns == NS_NONE)
		return;
	named = leg_named(j, replaced_of(target->replaces).call_id);
	if (!named || named == target || named == v->transfer->leg || !named->answered || named->bye_ns != NS_NONE)
		return;
	if (end_ns(j) - target->answer_ns < key_ns(j, "stranded-s") ||
	    (target->bye_ns != NS_NONE && target->bye_ns - target->answer_ns < key_ns(j, "stranded-s")))
		return;
	v->reason = "consultation-stranded";
	v->severity = SEVERITY_WARNING;
	v->confidence = CONFIDENCE_LIKELY;
	v->other = named;
	v->at = target->answer_at;
	v->culprit = target->party[SIDE_CALLEE].signalling;
}

/* Nothing was reported and nothing is seen to happen, and the one who asked is still there. */
static void judge_no_notify(struct judge *j, struct verdict *v)
{
	const struct transfer *t = v->transfer;
	const struct message *final = t->refer->final;
	struct silence s;
	enum witness w;
	const char *gate;

	if (t->quiet || t->notified || t->target || t->accepted_ns == NS_NONE || !final ||
	    ended_before(t->leg, ns_add(t->accepted_ns, key_ns(j, "tail-s"))))
		return;
	s = (struct silence){ .src = final->dst, .dst = final->src, .first_ns = t->accepted_ns,
		.last_ns = t->accepted_ns, .copies = 0 };
	gate = silence_gate(j->facts, &s, detection_key(j->d, "tail-s"), &w);
	if (gate || another_answered(t) || half_known_reports(t))
		return;
	v->reason = "no-notify";
	v->severity = SEVERITY_ERROR;
	v->confidence = witness_confidence(w, CONFIDENCE_LIKELY);
	v->victim = final->dst;
	v->culprit = final->src;
}

static void judge_accepted(struct judge *j, struct verdict *v)
{
	const struct transfer *t = v->transfer;
	const struct leg *target = t->target;
	const struct message *refusal = target ? refusal_of(target) : NULL;
	const char *flaw = refer_to_flaw(t->refer_to);
	bool done = t->state == TRANSFER_DONE || (target && target->answered) || another_answered(t);

	if (done) {
		judge_dropped(v);
		if (!v->reason)
			judge_stranded(j, v);
		return;
	}
	if (target && target->replaces.n)
		judge_replaces(j, v, target);
	if (!v->reason && t->notified >= 300 && refer_to_names(t->refer_to, t->leg->call_id)) {
		v->reason = "replaces-itself";
		v->severity = SEVERITY_ERROR;
		v->confidence = CONFIDENCE_CERTAIN;
		snprintf(v->detail, sizeof v->detail, "the very call in which it is asked, not the other one");
	}
	if (!v->reason && flaw && (t->notified >= 300 || refusal)) {
		v->reason = "replaces-incomplete";
		v->severity = SEVERITY_ERROR;
		v->confidence = CONFIDENCE_CERTAIN;
		snprintf(v->detail, sizeof v->detail, "%s", flaw);
	}
	if (!v->reason && t->attended && t->notified == 481) {
		v->reason = "replaces-481";
		v->severity = SEVERITY_ERROR;
		v->confidence = CONFIDENCE_CERTAIN;
		v->status = 481;
		v->at = t->notified_at;
	}
	if (!v->reason)
		judge_dropped(v);
	if (!v->reason)
		judge_unreachable(j, v);
	if (!v->reason && t->notified >= 300)
		judge_target(j, v, t->notified, t->notified_at);
	if (!v->reason && refusal)
		judge_target(j, v, refusal->status, refusal->at);
	if (!v->reason)
		judge_no_notify(j, v);
	if (!v->reason && t->notify_status == 481 && !ended_before(t->leg, t->notify_refused_at.at_ns)) {
		v->reason = "notify-481";
		v->severity = SEVERITY_WARNING;
		v->confidence = CONFIDENCE_CERTAIN;
		v->at = t->notify_refused_at;
	}
}

/* The same side asked again and had its way. */
static bool asked_again(const struct transfer *t)
{
	const struct list *all = &t->leg->transactions;

	for (const struct list_link *it = t->refer->in_leg.next; it != &all->head; it = it->next) {
		const struct transaction *o = LIST_ENTRY(it, struct transaction, in_leg);

		if (o->method == SIP_REFER && o->by == t->refer->by && o->first_ns - t->asked_ns < 10 * SECOND_NS &&
		    o->final && o->final->status < 300)
			return true;
	}
	return false;
}

static struct verdict verdict_of(struct judge *j, const struct transfer *t)
{
	struct verdict v = { .transfer = t, .leg = t->leg };
	const struct message *m = t->refer ? t->refer->request : NULL;

	/* click-to-dial, not a transfer of a call */
	if (!m || !m->has_to_tag || (!t->leg->answered && !t->leg->partial))
		return v;
	v.victim = m->src;
	v.culprit = m->dst;
	v.at = t->at;
	if (t->accepted_ns != NS_NONE)
		judge_accepted(j, &v);
	else if (t->status >= 300 && !asked_again(t))
		judge_rejected(j, &v);
	else if (t->status == 0 && !t->target && t->notified == 0)
		judge_unanswered_refer(j, &v);
	if (!v.reason && t->state == TRANSFER_ACCEPTED && !t->target)
		detection_pass(j->d, NULL, "REFER accepted, outcome not visible");
	return v;
}

/* ---- what is said ---- */

struct wording {
	const char *reason, *act, *effect, *fix;
};

static const struct wording wordings[] = {
	{ "refer-rejected", "refuses the transfer", "the call stays where it is",
	  "Let the PBX do the transfer, or enable REFER on the side that refuses it" },
	{ "refer-unanswered", "does not answer the transfer", "the call stays where it is",
	  "Capture at the side that was asked; switch SIP ALG off; let the PBX do the transfer" },
	{ "no-notify", "says nothing of the transfer", "nobody knows what became of it",
	  "Look at the side that accepted the REFER: it neither called the target nor reported" },
	{ "target-failed", "is not reached", "the transfer fails",
	  "Check the number in Refer-To; let the PBX do the transfer with its own address in it" },
	{ "target-unanswered-lost", "is not answered", "the call is lost in the transfer",
	  "Let unanswered transfers return to the one who transferred, after a time" },
	{ "replaces-481", "does not know the call to be replaced", "the transfer fails",
	  "Enable Replaces on the side that refuses it; compare the tags; switch SIP ALG off" },
	{ "replaces-incomplete", "names the other call badly", "the transfer fails",
	  "Update the firmware of the side that transfers" },
	{ "replaces-itself", "asks to replace the call it is in", "the transfer fails",
	  "Update the side that transfers: Replaces has to name its second call, the one to the target" },
	{ "replaces-wrong-party", "does not have the call to be replaced", "the transfer fails", "Let Refer-To name the server that has the other call: let the PBX do the transfer with its own address in it" },
	{ "refer-to-unreachable", "is dialled by who cannot reach it", "the transfer fails",
	  "Let the PBX do the transfer with its own address in Refer-To" },
	{ "transferee-dropped", "hangs up too early", "the caller is cut off in the transfer",
	  "Update the PBX: it has to keep the caller until the target has answered" },
	{ "consultation-stranded", "leaves the first call standing", "the line stays busy",
	  "Enable Replaces on the target; it has to end the call that it replaces" },
	{ "notify-481", "does not know its own transfer", "it never learns what became of it",
	  "Update the firmware of the side that transfers" },
};

static const struct wording *wording_of(const char *reason)
{
	for (size_t i = 0; i < sizeof wordings / sizeof *wordings; i++) {
		if (strcmp(wordings[i].reason, reason) == 0)
			return &wordings[i];
	}
	return &wordings[0];
}

static void say_step(const struct facts *facts, const struct verdict *v, char *text, size_t room)
{
	const struct transfer *t = v->transfer;
	char line[100];

	if (v->refusal)
		snprintf(text, room, "%u %s", v->refusal->status, text_escape(phrase_span(v->refusal->reason), line, sizeof line));
	else if (t && t->notified >= 300)
		snprintf(text, room, "%s", text_escape(span_from(t->notified_line, 8), line, sizeof line));
	else if (strcmp(v->reason, "refer-unanswered") == 0)
		snprintf(text, room, "no answer to %u REFERs", v->copies);
	else if (strcmp(v->reason, "refer-to-unreachable") == 0)
		snprintf(text, room, "a private address, and no answer to %u INVITEs", v->copies);
	else if (strcmp(v->reason, "no-notify") == 0)
		snprintf(text, room, "accepted, and then nothing within %.0f s: no NOTIFY, no INVITE",
			 config_value(facts->config, "transfer-failed", "tail-s"));
	else
		snprintf(text, room, "it %s", wording_of(v->reason)->act);
}

static void tell_cause(struct finding *f, const struct facts *facts, const struct verdict *v)
{
	char who[SAY_TEXT], other[SAY_TEXT], to[120], step[160];

	say_step(facts, v, step, sizeof step);
	if (v->transfer) {
		say_party_full(facts, v->leg, v->transfer->by, who);
		say_party_full(facts, v->leg, side_other(v->transfer->by), other);
		finding_cause(f, "%s asked %s to call %s: %s%s%s.", who, other,
			text_escape(v->transfer->refer_to, to, sizeof to), step, v->detail[0] ? "; Replaces: " : "",
			v->detail);
	} else {
		say_host(facts, &v->victim.addr, who);
		say_host(facts, &v->culprit.addr, other);
		finding_cause(f, "%s sent %s an INVITE with Replaces: %s; %s.", who, other, step, v->detail);
	}
}

static void add_evidence(struct finding *f, const struct verdict *v)
{
	const struct transfer *t = v->transfer;

	if (t) {
		finding_evidence(f, t->at, "REFER");
		if (t->refer->final)
			finding_evidence(f, t->refer->final->at, "its answer %u", t->refer->final->status);
	}
	if (t && t->target && t->target->invite_at.frame)
		finding_evidence(f, t->target->invite_at, "INVITE to the target");
	else if (!t)
		finding_evidence(f, v->leg->invite_at, "INVITE with Replaces");
	if (v->refusal && (!t || v->refusal != t->refer->final))
		finding_evidence(f, v->refusal->at, "refused: %u", v->refusal->status);
	if (t && t->notified_at.frame)
		finding_evidence(f, t->notified_at, "NOTIFY reports %u", t->notified);
	if (v->at.frame && (!t || (v->at.frame != t->at.frame && v->at.frame != t->notified_at.frame)) &&
	    (!v->refusal || v->at.frame != v->refusal->at.frame))
		finding_evidence(f, v->at, "here");
}

/*
 * Exchanged tags, and a server that never had the call, are the fault of who wrote them: of the one who transfers, where
 * its Refer-To has them so.
 */
static const struct endpoint *writer_of(const struct verdict *v)
{
	const struct transfer *t = v->transfer;

	if (!t || !t->target || !t->refer || !t->refer->request)
		return &v->victim;
	return refer_to_carries(t->refer_to, t->target->replaces) ? &t->refer->request->src : &v->victim;
}

static void add_parts(struct finding *f, const struct verdict *v, bool of_asker)
{
	bool of_writer = v->exchanged || strcmp(v->reason, "replaces-wrong-party") == 0;

	finding_part(f, PART_VICTIM, &v->victim);
	if (of_writer)
		finding_part(f, PART_CULPRIT, writer_of(v));
	finding_part(f, of_writer ? PART_WITNESS : PART_CULPRIT, of_asker ? &v->victim : &v->culprit);
}

static void tell(struct judge *j, const struct verdict *v, uint64_t key)
{
	struct finding *f = detection_raise_keyed(j->d, key, v->reason, v->severity, v->confidence);
	const struct wording *w = wording_of(v->reason);
	const struct transfer *t = v->transfer;
	char host[SAY_TEXT], act[SAY_TEXT + 60];
	bool of_target = strncmp(v->reason, "target", 6) == 0,
		of_asker = strcmp(v->reason, "notify-481") == 0 || strcmp(v->reason, "replaces-incomplete") == 0 ||
			   strcmp(v->reason, "replaces-itself") == 0;

	finding_leg(f, v->leg);
	if (v->other && v->other != v->leg)
		finding_leg(f, v->other);
	if (t && t->target && t->target != v->leg && t->target != v->other)
		finding_leg(f, t->target);
	add_parts(f, v, of_asker);
	finding_times(f, t ? t->asked_ns : v->leg->first_ns,
		v->at.at_ns == NS_NONE || (t && v->at.at_ns < t->asked_ns) ? v->leg->last_ns : v->at.at_ns);
	if (of_target && t->target)
		say_party(j->facts, t->target, SIDE_CALLEE, host);
	else if (of_target)
		snprintf(host, sizeof host, "the target");
	else
		say_host(j->facts, of_asker ? &v->victim.addr : &v->culprit.addr, host);
	snprintf(act, sizeof act, "%s %s", host, v->picks_up ? "does not know the ringing call" : w->act);
	say_title(f, act, v->picks_up ? "it is not picked up" : w->effect);
	tell_cause(f, j->facts, v);
	if (v->picks_up)
		finding_fix(f, "Let phones pick up by the PBX's own code instead of Replaces, or enable Replaces for calls that still ring: whoever began such a call takes the INVITE, nobody else (RFC 3891 3).");
	else
		finding_fix(f, "%s.", v->exchanged ? "Update the side that transfers: the to-tag of Replaces is the own tag of who receives it (RFC 3891 3)" : w->fix);
	add_evidence(f, v);
}

static void judge_transfers(struct judge *j)
{
	unsigned n = 0;

	LIST_EACH(it, calls_transfers(j->facts->calls)) {
		struct verdict v = verdict_of(j, LIST_ENTRY(it, struct transfer, in_order));

		n++;
		if (v.reason)
			tell(j, &v, (uint64_t)v.leg->n << 32 | v.transfer->at.frame);
	}
	if (n == 0)
		detection_pass(j->d, NULL, "nobody asked for a transfer");
}

/* INVITEs with Replaces that no REFER of this capture caused. */
static void judge_alone(struct judge *j, const struct leg *leg)
{
	struct verdict v = { .leg = leg };

	judge_replaces(j, &v, leg);
	if (v.reason)
		tell(j, &v, (uint64_t)leg->n << 32);
}

static void on_event(struct detection *d, const struct event *ev)
{
	struct judge j = { .d = d, .facts = detection_facts(d) };
	struct hash caused;
	const struct list *transfers = calls_transfers(j.facts->calls);
	struct by_call_id *targets = memory_resize(NULL, transfers->count + 1, sizeof *targets);
	size_t n = 0;

	(void)ev;
	hash_init(&j.index);
	hash_init(&caused);
	judge_transfers(&j);
	LIST_EACH(it, transfers) {
		const struct transfer *t = LIST_ENTRY(it, struct transfer, in_order);

		if (!t->target)
			continue;
		targets[n].leg = t->target;
		hash_add(&caused, &targets[n].link, t->target->n);
		n++;
	}
	LIST_EACH(it, calls_legs(j.facts->calls)) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);
		struct hash_link *link = leg->replaces.n ? hash_first(&caused, leg->n) : NULL;

		while (link && HASH_ENTRY(link, struct by_call_id, link)->leg != leg)
			link = link->next;
		if (leg->replaces.n && !link)
			judge_alone(&j, leg);
	}
	hash_fini(&caused);
	hash_fini(&j.index);
	free(targets);
	free(j.entries);
}

const struct detector detect_transfer_failed = {
	.id = "transfer-failed", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = GLOBAL, .usual = SEVERITY_ERROR, .possible_max = SEVERITY_WARNING,
};
