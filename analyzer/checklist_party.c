/* SPDX-License-Identifier: MIT */
/* checklist_party: C2.7 and C2.8: users outside, early media. */
#include "analyzer/checklist_tally.h"

/* ---- C2.7 ---- */

static bool is_remote(const struct checklist *c, const struct registration *r)
{
	return r->succeeded && end_of(c->ends, &r->source.addr) == END_REMOTE &&
	       end_of(c->ends, &r->registrar.addr) == END_OWN;
}

static bool is_remote_call(const struct checklist *c, const struct call *call)
{
	return end_of(c->ends, &call_first_leg(call)->party[SIDE_CALLER].signalling.addr) == END_REMOTE ||
	       end_of(c->ends, &call_last_leg(call)->party[SIDE_CALLEE].signalling.addr) == END_REMOTE;
}

void checklist_remote(struct checklist *c)
{
	static const char *const ids[] = {
		"one-way-audio", "no-audio", "nat-address-mismatch", "nat-binding-expired", "nat-double",
		"invite-unanswered", "call-failed", NULL,
	};
	struct tally t = tally_of(c, "C2.7", "Remote user", "remote user", ids);
	const struct registration *first = NULL;
	unsigned users = 0;
	char from[ADDRESS_TEXT];

	LIST_EACH(it, calls_registrations(c->facts->calls)) {
		const struct registration *r = LIST_ENTRY(it, struct registration, in_order);

		if (!is_remote(c, r))
			continue;
		users++;
		first = first ? first : r;
	}
	for (size_t i = 0; first && i < c->sight_count; i++) {
		if (is_remote_call(c, c->sights[i].call))
			tally_take(&t, &c->sights[i]);
	}
	t.works = "a call of a user who registers from outside, audio passes both ways";
	t.nothing = "no user registers from outside the site";
	tally_settle(&t);
	if (first)
		check_evidence(t.check, first->final_at, "a user registers from %s",
			address_text(&first->source.addr, from));
	if (first && t.check->state == CHECK_NOT_SEEN)
		check_say(t.check, CHECK_CANNOT_TELL, "%u register from outside, and make no call in this capture",
			users);
}

/* ---- C2.8 ---- */

static const struct message *early_promise(const struct leg *leg)
{
	CHAIN_EACH(it, &leg->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_leg);

		if (!m->request && m->method == SIP_INVITE && m->status > 100 && m->status < 200 && m->sdp)
			return m;
	}
	return NULL;
}

static bool early_audio(const struct leg *leg, const struct message *m, int64_t last_ns)
{
	int64_t to_ns = leg->answer_ns != NS_NONE ? leg->answer_ns : leg->end_ns != NS_NONE ? leg->end_ns : last_ns;

	LIST_EACH(it, &leg->dialogs) {
		const struct dialog *d = LIST_ENTRY(it, struct dialog, in_leg);

		for (unsigned i = 0; i < d->mslot_count; i++) {
			if (d->mslots[i].kind == SDP_AUDIO &&
			    direction_packets(&d->mslots[i].direction[SIDE_CALLEE], m->at.at_ns,
			    to_ns) >= PACKETS_LEAST)
				return true;
		}
	}
	return false;
}

static void early_take(struct tally *t, const struct call *call)
{
	const struct message *promise = NULL;
	bool audio = false;

	LIST_EACH(it, &call->legs) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_call);
		const struct message *m = leg->initial_invite_seen && leg->early_sdp ? early_promise(leg) : NULL;

		promise = promise ? promise : m;
		audio |= m && early_audio(leg, m, t->list->facts->capture->last_ns);
	}
	if (promise)
		tally_call(t, call, promise->at,
			audio ? NULL : "18x with SDP; no audio before the answer is seen here, and none is due");
}

void checklist_early(struct checklist *c)
{
	static const char *const ids[] = { "early-media-missing", NULL };
	struct tally t = tally_of(c, "C2.8", "Early media", "early media", ids);

	for (size_t i = 0; i < c->sight_count; i++) {
		if (c->sights[i].early)
			early_take(&t, c->sights[i].call);
	}
	t.works = "audio from the far side before the answer";
	t.nothing = "no 18x with SDP";
	tally_settle(&t);
}
