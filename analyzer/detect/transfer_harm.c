/* SPDX-License-Identifier: MIT */
/*
 * transfer_harm: who is being transferred is often left without audio until the transfer is done. When it fails, and
 * nobody opens the audio again, the silence is the transfer's.
 */
#include "analyzer/detect/transfer_harm.h"

#include "analyzer/detect/hearing.h"
#include "analyzer/detect/say.h"

enum { ALIVE_LEAST = 25 };

#define BEFORE_NS (2 * SECOND_NS)    /* a phone mutes first, and asks then */
#define BEHIND_NS (5 * SECOND_NS)

/* Audio flowed until the transfer was asked for, its last packet came while it failed, and it is missed since. */
static bool stopped_with(const struct direction *d, const struct transfer *t, int64_t failed_ns)
{
	const struct hearing *h = hearing_of(d);
	int64_t last_ns = INT64_MIN;

	if (!h || h->heard != HEARD_NO || h->gate ||
	    direction_packets_between(d, BOUND_BY_PROOF, INT64_MIN, t->asked_ns) < ALIVE_LEAST)
		return false;
	for (unsigned i = 0; i < d->stream_count; i++) {
		if (d->streams[i]->direction == d && d->streams[i]->last_ns > last_ns)
			last_ns = d->streams[i]->last_ns;
	}
	return last_ns >= ns_add(t->asked_ns, -BEFORE_NS) && last_ns <= ns_add(failed_ns, BEHIND_NS);
}

static bool leg_silenced(const struct leg *leg, const struct transfer *t, int64_t failed_ns)
{
	const struct dialog *dialog = leg->confirmed;

	for (unsigned i = 0; dialog && i < dialog->mslot_count; i++) {
		for (unsigned side = 0; side < 2 && dialog->mslots[i].kind == SDP_AUDIO; side++) {
			if (stopped_with(&dialog->mslots[i].direction[side], t, failed_ns))
				return true;
		}
	}
	return false;
}

/* The transfer that the finding is about; NULL: an INVITE with Replaces alone. */
static const struct transfer *transfer_of(const struct facts *facts, const struct finding *f)
{
	LIST_EACH(it, calls_transfers(facts->calls)) {
		const struct transfer *t = LIST_ENTRY(it, struct transfer, in_order);

		if (f->leg_count && f->legs[0].leg == t->leg && f->first_ns == t->asked_ns)
			return t;
	}
	return NULL;
}

static bool is_silence(const struct finding *x, const struct transfer *t, int64_t failed_ns)
{
	return (strcmp(x->id, "no-audio") == 0 || strcmp(x->id, "one-way-audio") == 0) && x->leg_count == 1 &&
	       !x->caused_by && x->legs[0].leg->call == t->leg->call &&
	       leg_silenced(x->legs[0].leg, t, failed_ns);
}

/* A fact is no cause of harm; the silence itself says when it began, and what had to end it. */
static void say_when(struct finding *x, const struct facts *facts, const struct transfer *t)
{
	char who[SAY_TEXT];

	text_addf(&x->cause, " The audio stopped when %s asked for a transfer, which failed%s, and was not opened again.",
		say_party_full(facts, t->leg, t->by, who), t->notified >= 300 ? " as the target did not take it" : "");
	finding_evidence(x, t->at, "REFER: the transfer that fails");
}

static void link_all(const struct facts *facts, struct finding *f, const struct transfer *t)
{
	bool told = false;
	char who[SAY_TEXT];

	LIST_EACH(it, findings_in_order(facts->findings)) {
		struct finding *x = LIST_ENTRY(it, struct finding, in_order);

		if (!is_silence(x, t, f->last_ns))
			continue;
		if (f->severity == SEVERITY_INFO) {
			say_when(x, facts, t);
			continue;
		}
		x->caused_by = f;
		told = true;
	}
	if (!told)
		return;
	text_addf(&f->cause, " Audio of the call stopped with it and never came back.");
	text_addf(&f->fix, " %s has to take the call back, and to open its audio again, when the transfer fails: see to its settings and its firmware.",
		say_party_full(facts, t->leg, t->by, who));
}

void transfer_harm_link(const struct facts *facts)
{
	LIST_EACH(it, findings_in_order(facts->findings)) {
		struct finding *f = LIST_ENTRY(it, struct finding, in_order);
		const struct transfer *t = strcmp(f->id, "transfer-failed") == 0 ? transfer_of(facts, f) : NULL;

		if (t)
			link_all(facts, f, t);
	}
}
