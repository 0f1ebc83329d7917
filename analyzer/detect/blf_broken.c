/* SPDX-License-Identifier: MIT */
/*
 * blf-broken: busy lamps that are dark, stuck or wrong: the subscription, its NOTIFYs, and what the calls were. RFC
 * 6665, 4235.
 */
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/detect/gates.h"
#include "analyzer/detect/lamp.h"
#include "analyzer/detect/say.h"
#include "analyzer/detect/witness.h"
#include "analyzer/site.h"
#include "captures/base/memory.h"

static const char *const reasons[] = {
	"subscribe-rejected", "subscribe-unanswered", "initial-notify-missing", "subscription-expired",
	"notify-unanswered", "notify-481", "notify-fragmented",
	"notify-missing", "state-wrong", "version-regressed", "version-gap", NULL,
};

static const struct detector_doc doc = {
	.says = "busy lamps show what is not so",
	.symptom = "Lamps of colleagues stay dark, stay lit, or show the wrong thing.",
	.evidence = "SUBSCRIBE and NOTIFY for Event dialog with their answers, and what the NOTIFYs claimed against the calls of the entity at that server.",
	.mimics = "Quick changes merged into one NOTIFY, calls that pass elsewhere, phones that probe events nobody offers, a subscription begun anew.",
	.fix = "A unique local SIP port, keep-alive, expiry below the NAT's timer; restart the PBX's hints; check the entity's number in the lamp key.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "blf-notify-s", 6, "s", 1, 120,
	  "RFC 4235, 6446: notifications are limited in rate; one a second to one in five" },
	{ "initial-notify-s", 4, "s", 1, 60, "RFC 6665 4.2.1.2: at once; three copies of a NOTIFY later" },
	{ "recover-s", 60, "s", 1, 3600, "field: what works again within a minute was no complaint" },
	{ "tail-s", 32, "s", 1, 300, "RFC 3261 17.1.2.2: 64 T1" },
	{ 0 },
};

enum { BAD_EVENT = 489, COPIES_ENOUGH = 4, SUBJECT_WALKED = 64, SAME_VERSION_ROW = 3, MTU = 1500 };

#define COPIES_SPAN_NS (3 * SECOND_NS)
#define AFTER_EXPIRY_NS (2 * SECOND_NS)

struct judge {
	struct detection *d;
	const struct facts *facts;
	struct lamps *lamps;
	int64_t end_ns;
};

struct verdict {
	const char *reason;          /* NULL: nothing to say */
	enum severity severity;
	enum confidence confidence;
	const struct watch *watch;
	const struct watch_ask *ask;
	const struct watch_note *note, *before;
	struct lamp_fault fault;
	const struct leg *leg;
	int64_t at_ns;               /* since when */
};

static int64_t key_ns(const struct judge *j, const char *name)
{
	return (int64_t)(detection_key(j->d, name) * 1e9);
}

static void find(struct verdict *v, const char *reason, enum severity s, enum confidence c, int64_t at_ns)
{
	v->reason = reason;
	v->severity = s;
	v->confidence = c;
	v->at_ns = at_ns;
}

/* ---- the subscription ---- */

static bool taken(const struct watch_ask *a)
{
	return a->status / 100 == 2 && a->granted_s > 0;
}

static bool asks_within(const struct watch *w, int64_t from_ns, int64_t to_ns)
{
	for (unsigned i = 0; i < w->ask_count; i++) {
		if (taken(&w->asks[i]) && w->asks[i].at.at_ns >= from_ns && w->asks[i].at.at_ns <= to_ns)
			return true;
	}
	return false;
}

/* A NOTIFY that the watcher took: it had asked for it, also where the SUBSCRIBE is not in the capture. */
static bool takes_within(const struct watch *w, int64_t from_ns, int64_t to_ns)
{
	for (unsigned i = 0; i < w->note_count; i++) {
		const struct watch_note *n = &w->notes[i];

		if (n->status / 100 == 2 && !n->terminated && n->at.at_ns >= from_ns && n->at.at_ns <= to_ns)
			return true;
	}
	return false;
}

/* The same lamp was asked for with success then, in this subscription or a newer one. */
static bool renewed(const struct watch *w, int64_t from_ns, int64_t to_ns)
{
	const struct list_link *it = &w->in_subject;

	for (unsigned i = 0; i < SUBJECT_WALKED && it != &w->subject->watches.head; i++, it = it->next) {
		const struct watch *other = LIST_ENTRY(it, struct watch, in_subject);

		if (asks_within(other, from_ns, to_ns) || (other != w && takes_within(other, from_ns, to_ns)))
			return true;
	}
	return false;
}

/* A newer subscription for the same lamp was there already. */
static bool superseded(const struct watch *w, int64_t at_ns)
{
	const struct list_link *it = w->in_subject.next;

	for (unsigned i = 0; i < SUBJECT_WALKED && it != &w->subject->watches.head; i++, it = it->next) {
		if (asks_within(LIST_ENTRY(it, struct watch, in_subject), w->first_ns, at_ns))
			return true;
	}
	return false;
}

/* Taken back by the watcher, or ended by the notifier, at or before that time. */
static bool ended(const struct watch *w, int64_t at_ns)
{
	for (unsigned i = 0; i < w->ask_count; i++) {
		if (w->asks[i].expires_s == 0 && w->asks[i].at.at_ns <= at_ns)
			return true;
	}
	for (unsigned i = 0; i < w->note_count; i++) {
		if (w->notes[i].terminated && w->notes[i].at.at_ns <= at_ns)
			return true;
	}
	return false;
}

static bool rejects(unsigned status)
{
	return status == 403 || status == 404 || status == 405 || status == 481 || status == BAD_EVENT || status / 100 == 5;
}

/* A stranger at the site's door, which nobody here has ever let in. */
static bool stranger_asks(const struct judge *j, const struct watch *w, const struct watch_ask *a)
{
	return !a->credentials && w->subject->accepted_ns == NS_NONE &&
	       site_stranger(j->facts->site, &w->watcher_at.addr, &w->notifier_at.addr);
}

static void judge_rejected(struct judge *j, struct verdict *v)
{
	const struct watch *w = v->watch;
	const struct watch_ask *last = w->ask_count ? &w->asks[w->ask_count - 1] : NULL;
	int64_t at_ns;
	bool later;

	if (!last || last->expires_s == 0 || !rejects(last->status) || stranger_asks(j, w, last))
		return;
	at_ns = last->final_at.at_ns;
	if (w->presence && (w->subject->accepted_ns == NS_NONE || w->subject->accepted_ns >= at_ns))
		return;
	if (renewed(w, at_ns, ns_add(at_ns, key_ns(j, "recover-s"))) || superseded(w, at_ns))
		return;
	if (last->status == 481 && j->end_ns - at_ns < key_ns(j, "tail-s")) /* it begins anew, in a moment */
		return;
	v->ask = last;
	later = renewed(w, at_ns, INT64_MAX);
	find(v, "subscribe-rejected", later ? SEVERITY_WARNING : SEVERITY_ERROR, CONFIDENCE_CERTAIN, at_ns);
}

static void judge_unanswered(struct judge *j, struct verdict *v)
{
	const struct watch *w = v->watch;
	const struct watch_ask *last = w->ask_count ? &w->asks[w->ask_count - 1] : NULL;
	struct silence s;
	enum witness witness;
	const char *gate;

	if (!last || last->status || last->expires_s == 0 || (w->presence && w->subject->accepted_ns == NS_NONE))
		return;
	if (!last->stream && (last->copies < COPIES_ENOUGH || last->last_ns - last->at.at_ns < COPIES_SPAN_NS))
		return;
	if (renewed(w, last->at.at_ns, ns_add(last->last_ns, key_ns(j, "recover-s"))))
		return;
	s = (struct silence){ .src = w->watcher_at, .dst = w->notifier_at, .first_ns = last->at.at_ns,
		.last_ns = last->last_ns, .copies = last->copies,
			      .stream_transport = last->stream };
	gate = silence_gate(j->facts, &s, detection_key(j->d, "tail-s"), &witness);
	if (gate) {
		detection_pass(j->d, gate, "%s", silence_gate_text(gate));
		return;
	}
	v->ask = last;
	find(v, "subscribe-unanswered", SEVERITY_ERROR, witness_confidence(witness, CONFIDENCE_LIKELY), last->at.at_ns);
}

/* Another hop of the same subscription carries the NOTIFYs. */
static bool notified_elsewhere(const struct watch *w)
{
	unsigned walked = 0;

	LIST_EACH(it, &w->subject->watches) {
		const struct watch *o = LIST_ENTRY(it, struct watch, in_subject);

		if (walked++ >= SUBJECT_WALKED || (o != w && o->note_count && span_equal(o->call_id, w->call_id)))
			return true;
	}
	return false;
}

static void judge_initial(struct judge *j, struct verdict *v)
{
	const struct watch *w = v->watch;
	const struct watch_ask *a = NULL;
	int64_t wait_ns = key_ns(j, "initial-notify-s"), at_ns;

	for (unsigned i = 0; i < w->ask_count && !a; i++)
		a = taken(&w->asks[i]) ? &w->asks[i] : NULL;
	if (!a || !w->begun || w->presence || w->note_count || w->dropped || w->unseen_ns != NS_NONE)
		return;
	at_ns = a->final_at.at_ns;
	if (j->end_ns - at_ns < wait_ns || a->granted_s * SECOND_NS < wait_ns || notified_elsewhere(w) ||
	    gates_may_hide(j->facts->gates, at_ns, ns_add(at_ns, wait_ns)))
		return;
	v->ask = a;
	find(v, "initial-notify-missing", SEVERITY_WARNING, CONFIDENCE_LIKELY, at_ns);
}

/* Until when the last word of either side lets it live; NS_NONE: unknown, or ended. */
static int64_t expiry(const struct watch *w)
{
	int64_t until_ns = NS_NONE, said_ns = NS_NONE;

	for (unsigned i = 0; i < w->ask_count; i++) {
		if (!taken(&w->asks[i]))
			continue;
		said_ns = w->asks[i].final_at.at_ns;
		until_ns = ns_add(said_ns, w->asks[i].granted_s * SECOND_NS);
	}
	for (unsigned i = 0; i < w->note_count; i++) {
		const struct watch_note *n = &w->notes[i];

		if (n->at.at_ns >= said_ns && n->expires_s != UINT32_MAX && !n->terminated &&
		    (said_ns == NS_NONE || ns_add(n->at.at_ns, n->expires_s * SECOND_NS) > until_ns))
			until_ns = ns_add(n->at.at_ns, n->expires_s * SECOND_NS);
	}
	return until_ns;
}

/* Ran out, was not refreshed, and calls of the entity since then lit no lamp. */
static void judge_expired(struct judge *j, struct verdict *v)
{
	const struct watch *w = v->watch;
	int64_t until_ns = expiry(w), change_ns;
	const struct pair *sends;
	const struct leg *leg;
	bool alive;

	if (w->presence || until_ns == NS_NONE || until_ns > j->end_ns || ended(w, j->end_ns) ||
	    superseded(w, j->end_ns) || renewed(w, until_ns, INT64_MAX))
		return;
	if (w->note_count && w->notes[w->note_count - 1].at.at_ns > until_ns)
		return;
	change_ns = lamp_change_after(j->lamps, w, ns_add(until_ns, AFTER_EXPIRY_NS), &leg);
	if (change_ns == NS_NONE || j->end_ns - change_ns < key_ns(j, "blf-notify-s"))
		return;
	sends = network_pair_find(j->facts->network, &w->watcher_at.addr, &w->notifier_at.addr);
	alive = sends && sends->last_ns > until_ns;
	v->leg = leg;
	v->ask = w->ask_count ? &w->asks[w->ask_count - 1] : NULL;
	find(v, "subscription-expired", SEVERITY_WARNING, alive ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY, until_ns);
}

/* ---- NOTIFYs ---- */

static bool delivered_within(const struct watch *w, int64_t from_ns, int64_t to_ns)
{
	for (unsigned i = 0; i < w->note_count; i++) {
		if (w->notes[i].status / 100 == 2 && w->notes[i].final_at.at_ns > from_ns &&
		    w->notes[i].final_at.at_ns <= to_ns)
			return true;
	}
	return false;
}

static bool small_delivered(const struct watch *w)
{
	for (unsigned i = 0; i < w->note_count; i++) {
		if (w->notes[i].status / 100 == 2 && !w->notes[i].fragmented && w->notes[i].bytes <= MTU)
			return true;
	}
	return false;
}

static void judge_note_silence(struct judge *j, struct verdict *v)
{
	const struct watch *w = v->watch;

	for (unsigned i = 0; i < w->note_count && !v->reason; i++) {
		const struct watch_note *n = &w->notes[i];
		struct silence s = { .src = n->src, .dst = n->dst, .first_ns = n->at.at_ns, .last_ns = n->last_ns,
			.copies = n->copies, .stream_transport = n->stream };
		bool big = (n->fragmented || n->bytes > MTU) && small_delivered(w);
		enum witness witness;
		const char *gate;

		if (n->status || (!n->stream && (n->copies < COPIES_ENOUGH || n->last_ns - n->at.at_ns < COPIES_SPAN_NS)))
			continue;
		if (!big && (delivered_within(w, n->at.at_ns, ns_add(n->last_ns, key_ns(j, "recover-s"))) ||
		    renewed(w, n->at.at_ns, ns_add(n->last_ns, key_ns(j, "recover-s")))))
			continue;
		gate = silence_gate(j->facts, &s, detection_key(j->d, "tail-s"), &witness);
		if (gate) {
			detection_pass(j->d, gate, "%s", silence_gate_text(gate));
			continue;
		}
		v->note = n;
		find(v, big ? "notify-fragmented" : "notify-unanswered", SEVERITY_ERROR,
			witness_confidence(witness, CONFIDENCE_LIKELY), n->at.at_ns);
	}
}

/*
 * The notifier gave the subscription up, as its NOTIFYs met silence (RFC 6665 4.2.2): that it does not know it when the
 * watcher refreshes it follows from that.
 */
static void judge_given_up(struct judge *j, struct verdict *v)
{
	const struct watch *w = v->watch;
	const struct watch_ask *last = w->ask_count ? &w->asks[w->ask_count - 1] : NULL;

	if (last && last->status == 481 && w->note_count && !w->notes[w->note_count - 1].status)
		judge_note_silence(j, v);
}

/* The watcher does not know the subscription, and neither side draws the consequence. */
static void judge_refused(struct judge *j, struct verdict *v)
{
	const struct watch *w = v->watch;

	for (unsigned i = 0; i < w->note_count && !v->reason; i++) {
		const struct watch_note *n = &w->notes[i];
		bool goes_on = i + 1 < w->note_count && !w->notes[i + 1].terminated;
		int64_t at_ns = n->final_at.at_ns;

		if ((n->status != 481 && n->status != 489) || ended(w, n->at.at_ns) || superseded(w, at_ns))
			continue;
		if (renewed(w, at_ns, ns_add(at_ns, key_ns(j, "recover-s"))) ||
		    (!goes_on && j->end_ns - at_ns < key_ns(j, "recover-s")))
			continue;
		if (gates_may_hide(j->facts->gates, at_ns, ns_add(at_ns, key_ns(j, "recover-s")))) {
			detection_withhold(j->d, NULL, "G7", "a new subscription may have been made while the capture stood still");
			continue;
		}
		v->note = n;
		find(v, "notify-481", SEVERITY_ERROR, CONFIDENCE_CERTAIN, at_ns);
	}
}

static void judge_claims(struct judge *j, struct verdict *v)
{
	const struct watch *w = v->watch;

	if (w->presence)
		return;
	v->fault = lamp_compare(j->lamps, w, j->end_ns, key_ns(j, "blf-notify-s"));
	if (!v->fault.wrong || superseded(w, v->fault.since_ns) || w->unseen_ns >= v->fault.since_ns ||
	    gates_may_hide(j->facts->gates, v->fault.since_ns,
	    ns_add(v->fault.since_ns, key_ns(j, "blf-notify-s"))))
		return;
	v->note = v->fault.note;
	v->leg = v->fault.leg;
	find(v, v->fault.stuck || v->fault.told ? "state-wrong" : "notify-missing", SEVERITY_WARNING, CONFIDENCE_LIKELY,
		v->fault.since_ns);
}

/* Versions count up within a subscription; a restart at 0 is a new baseline, one that never moves is a habit. */
static void judge_versions(struct judge *j, struct verdict *v)
{
	const struct watch *w = v->watch;
	const struct watch_note *last = NULL;
	unsigned same = 0;

	for (unsigned i = 0; i < w->note_count && !v->reason; i++) {
		const struct watch_note *n = &w->notes[i];

		if (n->cut)
			last = NULL;     /* its version is not known */
		if (!n->has_info || !n->has_version || (last && n->cseq < last->cseq))
			continue;
		v->before = last;
		v->note = n;
		same = last && n->version == last->version ? same + 1 : 0;
		if (last && n->version && n->version < last->version)
			find(v, "version-regressed", SEVERITY_WARNING, CONFIDENCE_CERTAIN, n->at.at_ns);
		else if (same >= SAME_VERSION_ROW)
			find(v, "version-regressed", SEVERITY_INFO, CONFIDENCE_CERTAIN, n->at.at_ns);
		else if (last && !n->full && n->version > last->version + 1 &&
			!renewed(w, last->at.at_ns, ns_add(n->at.at_ns, key_ns(j, "recover-s"))) &&
			 !gates_may_hide(j->facts->gates, last->at.at_ns, n->at.at_ns))
			find(v, "version-gap", SEVERITY_WARNING, CONFIDENCE_LIKELY, n->at.at_ns);
		last = n;
	}
}

static struct verdict verdict_of(struct judge *j, const struct watch *w)
{
	static void (*const judges[])(struct judge *, struct verdict *) = {
		judge_given_up, judge_rejected, judge_unanswered, judge_note_silence, judge_refused, judge_expired, judge_claims,
			judge_initial, judge_versions,
	};
	struct verdict v = { .watch = w };

	for (size_t i = 0; i < sizeof judges / sizeof judges[0] && !v.reason; i++)
		judges[i](j, &v);
	return v;
}

/* ---- what is said ---- */

static bool says(const struct verdict *v, const char *reason)
{
	return strcmp(v->reason, reason) == 0;
}

static bool by_watcher(const struct verdict *v)
{
	return says(v, "subscription-expired") || says(v, "notify-481") || says(v, "notify-unanswered") ||
	       says(v, "notify-fragmented");
}

static const char *claim_text(unsigned claim)
{
	if (claim & DIALOG_INFO_CONFIRMED)
		return "confirmed (busy)";
	if (claim & DIALOG_INFO_EARLY)
		return "early (ringing)";
	return claim ? "a call being set up" : "idle";
}

static const char *fix_of(const struct verdict *v)
{
	if (says(v, "subscribe-rejected") && v->ask->status == BAD_EVENT)
		return "Switch lamps (BLF) on at the PBX, or set the phone's lamp to the kind of event that the PBX offers (dialog, presence)";
	if (says(v, "subscribe-rejected"))
		return "Check the number in the lamp key and that the PBX has a hint for it and lets this phone watch it";
	if (says(v, "subscribe-unanswered"))
		return "Check server and port of the subscription on the phone; capture at the server";
	if (says(v, "notify-unanswered") || says(v, "notify-481"))
		return "Give the phone a SIP port of its own and switch its keep-alive on; set the subscription's expiry below the timer of the NAT; restart the phone";
	if (says(v, "notify-fragmented"))
		return "Make the NOTIFY smaller (fewer entities in one list), or use TCP";
	if (says(v, "subscription-expired"))
		return "Update the phone's firmware: it has to refresh before the expiry; restart it to have the lamps back";
	if (strncmp(v->reason, "version", 7) == 0)
		return "Update the PBX; restart its hints and presence";
	return "Restart the PBX's hints and presence; check that the number's hint names the right device; update the PBX";
}

static void say_cause(struct finding *f, const struct facts *facts, const struct verdict *v)
{
	const struct watch *w = v->watch;
	char watcher[SAY_TEXT], notifier[SAY_TEXT], from[ENDPOINT_TEXT], to[ENDPOINT_TEXT];

	say_host(facts, &w->watcher_at.addr, watcher);
	say_host(facts, &w->notifier_at.addr, notifier);
	if (says(v, "subscribe-rejected"))
		finding_cause(f, "%s asked for the lamp of %s; %s answered %u%s.", watcher, w->entity, notifier,
			v->ask->status, v->ask->status == BAD_EVENT ? ": it does not offer the event that this lamp asks for" : "");
	else if (says(v, "subscribe-unanswered"))
		finding_cause(f, "%s asked %s for the lamp of %s; %s did not answer.", watcher, SAY_COUNTED(v->ask->copies, "time"),
			w->entity, notifier);
	else if (says(v, "initial-notify-missing"))
		finding_cause(f, "%s granted %s the lamp of %s and never said what it is to show.", notifier, watcher,
			w->entity);
	else if (says(v, "subscription-expired"))
		finding_cause(f,
			"The subscription of %s for the lamp of %s ran out %s; a call of %s afterwards was not shown.",
			watcher, w->entity,
			      v->confidence == CONFIDENCE_CERTAIN ? "and was not refreshed, although the phone is alive"
			      : "and was not refreshed, or the phone is off", w->entity);
	else if (says(v, "notify-unanswered") || says(v, "notify-fragmented"))
		finding_cause(f, "Lamp of %s at %s gets no updates: NOTIFY sent %u %s to %s, no reply%s; its last SUBSCRIBE came from %s.", w->entity, watcher, v->note->copies,
			      v->note->copies == 1 ? "time" : "times", endpoint_text(&v->note->dst, to),
			      says(v, "notify-fragmented") ? ", while small ones are answered" : "",
			      w->ask_count ? endpoint_text(&w->watcher_at, from) : "before this capture");
	else if (says(v, "notify-481"))
		finding_cause(f, "%s answers NOTIFYs for the lamp of %s with %u and does not subscribe again.", watcher,
			w->entity, v->note->status);
	else if (says(v, "version-regressed"))
		finding_cause(f, "%s sends a NOTIFY for the lamp of %s with version %u after %u: the watcher has to discard it.",
			notifier, w->entity, (unsigned)v->note->version,
			      (unsigned)v->before->version);
	else if (says(v, "version-gap"))
		finding_cause(f, "NOTIFYs between %u and %u for the lamp of %s are missing, and %s does not ask anew.",
			(unsigned)v->before->version, (unsigned)v->note->version,
			      w->entity, watcher);
	else if (v->fault.stuck)
		finding_cause(f, "Lamp of %s at %s shows %s for %.0f s although the call has ended.", w->entity,
			watcher, claim_text(v->note->claim),
			      (double)(v->fault.until_ns - v->fault.since_ns) / 1e9);
	else
		finding_cause(f, "Lamp of %s at %s shows %s for %.0f s although %s has a call.", w->entity, watcher,
			claim_text(v->note->claim),
			      (double)(v->fault.until_ns - v->fault.since_ns) / 1e9, w->entity);
}

static void say_act(const struct facts *facts, const struct verdict *v, struct finding *f)
{
	char host[SAY_TEXT], act[SAY_TEXT + 60], effect[WATCH_TEXT + 60];
	const struct endpoint *actor = by_watcher(v) ? &v->watch->watcher_at : &v->watch->notifier_at;
	const char *does = says(v, "subscribe-rejected")     ? "refuses the subscription"
		: says(v, "subscribe-unanswered")            ? "does not answer the subscription"
		: says(v, "initial-notify-missing")          ? "sends no first NOTIFY"
		: says(v, "subscription-expired")            ? "lets the subscription run out"
		: says(v, "notify-481")                      ? "has forgotten its subscription"
		: by_watcher(v)                              ? "does not answer NOTIFYs"
		: says(v, "notify-missing")                  ? "sends no NOTIFY"
		: strncmp(v->reason, "version", 7) == 0      ? "numbers its NOTIFYs badly"
							     : "reports the wrong state";

	say_host(facts, &actor->addr, host);
	snprintf(act, sizeof act, "%s %s", host, does);
	snprintf(effect, sizeof effect, "the lamp of %s is wrong", v->watch->entity);
	say_title(f, act, effect);
}

static void add_evidence(struct finding *f, const struct verdict *v)
{
	if (v->ask) {
		finding_evidence(f, v->ask->at, "SUBSCRIBE");
		if (v->ask->final_at.frame)
			finding_evidence(f, v->ask->final_at, "answer %u", v->ask->status);
	}
	if (v->before)
		finding_evidence(f, v->before->at, "NOTIFY, version %u", (unsigned)v->before->version);
	if (v->note)
		finding_evidence(f, v->note->at, "NOTIFY%s%s", v->note->has_info ? ": " : "",
			v->note->has_info ? claim_text(v->note->claim) : "");
	if (v->note && v->note->final_at.frame)
		finding_evidence(f, v->note->final_at, "answer %u", v->note->status);
	if (v->leg && v->leg->invite_at.frame)
		finding_evidence(f, v->leg->invite_at, "the call's INVITE");
	if (v->leg && v->leg->bye_at.frame)
		finding_evidence(f, v->leg->bye_at, "its %s", say_bye(v->leg));
}

/*
 * It is the one to be mended, as far as is known: it speaks after its subscription has run out, or denies that it has
 * one.
 */
static bool mends_watcher(const struct verdict *v)
{
	return says(v, "notify-481") || (says(v, "subscription-expired") && v->confidence == CONFIDENCE_CERTAIN);
}

/* One lamp, one reason: told once, however many subscriptions met it. */
static void tell(struct judge *j, const struct verdict *list, unsigned count)
{
	const struct verdict *v = &list[0];
	struct finding *f = detection_raise_keyed(j->d, v->watch->n, v->reason, v->severity, v->confidence);
	int64_t last_ns = list[count - 1].watch->last_ns;

	finding_part(f, PART_VICTIM, &v->watch->watcher_at);
	if (mends_watcher(v))
		finding_part(f, PART_CULPRIT, &v->watch->watcher_at);
	finding_part(f, by_watcher(v) || says(v, "subscribe-unanswered") ? PART_WITNESS : PART_CULPRIT,
		&v->watch->notifier_at);
	for (unsigned i = 0; i < count; i++)
		finding_other_id(f, list[i].watch->call_id);
	if (v->fault.stuck && !v->fault.told && says(v, "state-wrong"))
		finding_other_reason(f, "notify-missing");
	finding_times(f, v->at_ns, last_ns > v->at_ns ? last_ns : v->at_ns);
	f->count = count;
	say_act(j->facts, v, f);
	say_cause(f, j->facts, v);
	finding_fix(f, "%s.", fix_of(v));
	for (unsigned i = 0; i < count && i < 3; i++)
		add_evidence(f, &list[i]);
}

static int verdict_compare(const void *a, const void *b)
{
	const struct verdict *x = a, *y = b;
	int c;

	if (x->watch->subject->n != y->watch->subject->n)
		return x->watch->subject->n < y->watch->subject->n ? -1 : 1;
	c = strcmp(x->reason, y->reason);
	return c ? c : (x->watch->n > y->watch->n) - (x->watch->n < y->watch->n);
}

static void on_event(struct detection *d, const struct event *ev)
{
	struct judge j = { .d = d, .facts = detection_facts(d) };
	const struct list *all = watches_in_order(j.facts->watches);
	struct verdict *list;
	unsigned count = 0, n;

	(void)ev;
	if (all->count == 0) {
		detection_pass(d, NULL, "nobody watches a lamp here");
		return;
	}
	j.end_ns = j.facts->capture->last_ns;
	j.lamps = lamps_new(j.facts->calls);
	list = memory_resize(NULL, all->count, sizeof *list);
	LIST_EACH(it, all) {
		list[count] = verdict_of(&j, LIST_ENTRY(it, struct watch, in_order));
		count += list[count].reason != NULL;
	}
	if (count)
		qsort(list, count, sizeof *list, verdict_compare);
	else
		detection_pass(d, NULL, "each of %zu subscriptions was served as it should be", all->count);
	for (unsigned i = 0; i < count; i += n) {
		for (n = 1; i + n < count && list[i + n].watch->subject == list[i].watch->subject &&
		    strcmp(list[i + n].reason, list[i].reason) == 0;)
			n++;
		tell(&j, &list[i], n);
	}
	free(list);
	lamps_free(j.lamps);
}

const struct detector detect_blf_broken = {
	.id = "blf-broken", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = GLOBAL, .usual = SEVERITY_WARNING, .possible_max = SEVERITY_WARNING,
};
