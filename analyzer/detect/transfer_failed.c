/* SPDX-License-Identifier: MIT */
/*
 * transfer-failed: a REFER or an INVITE with Replaces did not bring about the call that it asked for. RFC 3515, 3891,
 * 4488, 5589.
 */
#include "analyzer/detect/transfer_failed.h"

#include <stdio.h>
#include <stdlib.h>

#include "analyzer/detect/half_known.h"
#include "analyzer/detect/refer_to.h"
#include "analyzer/detect/request_hop.h"
#include "analyzer/detect/transfer_harm.h"
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

enum { COPIES_ENOUGH = 4, LEGS_WALKED = 64 };

#define COPIES_SPAN_NS (3 * SECOND_NS)

struct indexed_leg {
	struct hash_link link;
	const struct leg *leg;
};

struct judge {
	struct detection *d;
	const struct facts *facts;
	struct hash index;           /* of legs by Call-ID, made when the first question comes */
	struct indexed_leg *entries; /* NULL: not yet */
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
		struct indexed_leg *e = &j->entries[n++];

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
		const struct leg *leg = HASH_ENTRY(it, struct indexed_leg, link)->leg;

		if (it->hash == hash && span_equal(leg->call_id, call_id) && (!found || leg->n < found->n))
			found = leg;
	}
	return found;
}

const struct message *transfer_refusal(const struct leg *leg)
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

static void judge_replaces(struct judge *j, struct transfer_verdict *v, const struct leg *leg)
{
	transfer_replaces_judge(v, leg, leg_named(j, transfer_replaces_call_id(leg)));
}

/* ---- a REFER ---- */

/* The call that its Replaces names, where nobody had answered it yet; NULL: not so, or not in this capture. */
static const struct leg *ringing_named(const struct judge *j, const struct transfer *t)
{
	LIST_EACH(it, calls_legs(j->facts->calls)) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

		if (refer_to_names(t->refer_to, leg->call_id))
			return leg->answered && leg->answer_ns <= t->asked_ns ? NULL : leg;
	}
	return NULL;
}

static void judge_unanswered_refer(struct judge *j, struct transfer_verdict *v)
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

static void judge_rejected(struct judge *j, struct transfer_verdict *v)
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
	v->culprit = final->src;
}

/* The target, or what is reported of it, refused. */
static void judge_target(struct judge *j, struct transfer_verdict *v, unsigned status, struct frame_ref at)
{
	const struct transfer *t = v->transfer;
	bool back = has_call_back(t, at.at_ns);
	int64_t rang_ns = t->target && t->target->progress_ns != NS_NONE ? at.at_ns - t->target->progress_ns : 0;

	v->status = status;
	v->at = at;
	v->other = t->target;
	v->refusal = t->target ? transfer_refusal(t->target) : NULL;
	if (v->refusal)
		v->culprit = v->refusal->src;
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
static void judge_unreachable(struct judge *j, struct transfer_verdict *v)
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
static void judge_dropped(struct transfer_verdict *v)
{
	const struct transfer *t = v->transfer;
	const struct leg *target = t->target;
	const struct message *refusal = target ? transfer_refusal(target) : NULL;
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
		    !address_equal(&bye->src.addr, &v->culprit.addr))
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
static void judge_stranded(struct judge *j, struct transfer_verdict *v)
{
	const struct leg *target = v->transfer->target, *named;

	if (!v->transfer->attended || !target || !target->replaces.n || target->answer_ns == NS_NONE)
		return;
	named = leg_named(j, transfer_replaces_call_id(target));
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
static void judge_no_notify(struct judge *j, struct transfer_verdict *v)
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
}

static void judge_accepted(struct judge *j, struct transfer_verdict *v)
{
	const struct transfer *t = v->transfer;
	const struct leg *target = t->target;
	const struct message *refusal = target ? transfer_refusal(target) : NULL;
	const char *flaw = refer_to_flaw(t->refer_to);
	bool done = t->state == TRANSFER_DONE || (target && target->answered) || another_answered(t);

	if (done) {
		judge_dropped(v);
		if (!v->reason)
			judge_stranded(j, v);
		return;
	}
	if (flaw && (t->notified >= 300 || refusal)) {
		v->reason = "replaces-incomplete";
		v->severity = SEVERITY_ERROR;
		v->confidence = CONFIDENCE_CERTAIN;
		snprintf(v->detail, sizeof v->detail, "%s", flaw);
	}
	if (!v->reason && target && target->replaces.n)
		judge_replaces(j, v, target);
	if (!v->reason && t->notified >= 300 && refer_to_names(t->refer_to, t->leg->call_id)) {
		v->reason = "replaces-itself";
		v->severity = SEVERITY_ERROR;
		v->confidence = CONFIDENCE_CERTAIN;
		snprintf(v->detail, sizeof v->detail, "the very call in which it is asked, not the other one");
	}
	if (!v->reason && t->attended && t->notified == 481) {
		v->reason = "replaces-481";
		v->severity = SEVERITY_ERROR;
		v->confidence = CONFIDENCE_CERTAIN;
		v->status = 481;
		v->at = t->notified_at;
		v->other = ringing_named(j, t);
		v->rings = v->other != NULL;
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
	const struct list *all = &t->refer->leg->transactions;

	for (const struct list_link *it = t->refer->in_leg.next; it != &all->head; it = it->next) {
		const struct transaction *o = LIST_ENTRY(it, struct transaction, in_leg);

		if (o->method == SIP_REFER && o->by == t->refer->by && o->first_ns - t->asked_ns < 10 * SECOND_NS &&
		    o->final && o->final->status < 300)
			return true;
	}
	return false;
}

/* Where that side is, which may be behind proxies. */
static const struct endpoint *end_of(const struct transfer *t, enum side side, const struct endpoint *as_sent)
{
	const struct endpoint *at = &t->leg->party[side].signalling;

	return at->addr.family ? at : as_sent;
}

static struct transfer_verdict verdict_of(struct judge *j, const struct transfer *t)
{
	struct transfer_verdict v = { .transfer = t, .leg = t->leg };
	const struct message *m = t->refer ? t->refer->request : NULL;

	/* click-to-dial, not a transfer of a call */
	if (!m || (!m->has_to_tag && t->leg == t->refer->leg) || (!t->leg->answered && !t->leg->partial))
		return v;
	v.victim = *end_of(t, t->by, &m->src);
	v.culprit = *end_of(t, side_other(t->by), &m->dst);
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

/* ---- all of them ---- */

static void tell(struct judge *j, const struct transfer_verdict *v, uint64_t key)
{
	transfer_say(detection_raise_keyed(j->d, key, v->reason, v->severity, v->confidence), j->facts, v);
}

static void judge_transfers(struct judge *j)
{
	unsigned n = 0;

	LIST_EACH(it, calls_transfers(j->facts->calls)) {
		struct transfer_verdict v = verdict_of(j, LIST_ENTRY(it, struct transfer, in_order));

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
	struct transfer_verdict v = { .leg = leg };

	judge_replaces(j, &v, leg);
	if (v.reason)
		tell(j, &v, (uint64_t)leg->n << 32);
}

static void judge_capture(struct detection *d)
{
	struct judge j = { .d = d, .facts = detection_facts(d) };
	struct hash caused;
	const struct list *transfers = calls_transfers(j.facts->calls);
	struct indexed_leg *targets = memory_resize(NULL, transfers->count + 1, sizeof *targets);
	size_t n = 0;

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

		while (link && HASH_ENTRY(link, struct indexed_leg, link)->leg != leg)
			link = link->next;
		if (leg->replaces.n && !link)
			judge_alone(&j, leg);
	}
	hash_fini(&caused);
	hash_fini(&j.index);
	free(targets);
	free(j.entries);
}

static void on_event(struct detection *d, const struct event *ev)
{
	if (ev->kind == EVENT_JUDGE_CAUSES)
		transfer_harm_link(detection_facts(d));
	else
		judge_capture(d);
}

const struct detector detect_transfer_failed = {
	.id = "transfer-failed", .doc = &doc, .keys = keys, .event = on_event,
	.events = EVENT_BIT(EVENT_JUDGE_CAPTURE) | EVENT_BIT(EVENT_JUDGE_CAUSES),
	.scope = GLOBAL, .usual = SEVERITY_ERROR, .possible_max = SEVERITY_WARNING,
};
