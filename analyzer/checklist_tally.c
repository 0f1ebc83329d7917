/* SPDX-License-Identifier: MIT */
/* checklist_tally: calls and their audio, and how often a flow was seen to work. */
#include "analyzer/checklist_tally.h"

#include <stdio.h>
#include <string.h>

#include "analyzer/detect/hearing.h"

const struct leg *call_first_leg(const struct call *c)
{
	return LIST_ENTRY(c->legs.head.next, struct leg, in_call);
}

/* The leg at whose end the callee is. */
const struct leg *call_last_leg(const struct call *c)
{
	const struct leg *best = call_first_leg(c);

	LIST_EACH(it, &c->legs) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_call);

		if (leg->answered && leg->parent)
			best = leg;
	}
	return best;
}

static bool has_packets(const struct direction *d)
{
	for (unsigned i = 0; i < d->stream_count; i++) {
		if (d->streams[i]->packets >= PACKETS_LEAST)
			return true;
	}
	return false;
}

/*
 * A leg of which all directions that are due are seen is enough: its other side in the PBX may be captured elsewhere.
 */
static enum check_audio audio_of_leg(const struct leg *leg)
{
	unsigned due = 0, seen = 0;

	for (unsigned i = 0; leg->confirmed && i < leg->confirmed->mslot_count; i++) {
		const struct mslot *slot = &leg->confirmed->mslots[i];

		for (unsigned side = 0; slot->kind == SDP_AUDIO && side < 2; side++) {
			const struct direction *d = &slot->direction[side];
			const struct hearing *h = d->hearing;

			if (h && h->heard == HEARD_NO)
				return CHECK_AUDIO_NO;
			if (!direction_first_due(d))
				continue;
			due++;
			seen += (h && (h->heard == HEARD_YES || h->heard == HEARD_POOR)) || has_packets(d);
		}
	}
	if (!leg->confirmed || !leg->confirmed->mslot_count)
		return CHECK_AUDIO_UNSEEN;
	if (due == 0)
		return CHECK_AUDIO_NOT_DUE;
	return seen < due ? CHECK_AUDIO_UNSEEN : due == 1 ? CHECK_AUDIO_ONE_WAY : CHECK_AUDIO_BOTH;
}

enum check_audio check_audio_of(const struct call *call)
{
	enum check_audio best = CHECK_AUDIO_UNSEEN;

	LIST_EACH(it, &call->legs) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_call);
		enum check_audio audio = leg->answered ? audio_of_leg(leg) : CHECK_AUDIO_UNSEEN;

		if (audio == CHECK_AUDIO_NO)
			return audio;
		best = audio > best ? audio : best;
	}
	return best;
}

const char *audio_doubt(enum check_audio audio)
{
	switch (audio) {
	case CHECK_AUDIO_UNSEEN:
		return "its audio is not seen in both directions";
	case CHECK_AUDIO_NO:
		return "a direction is not heard";
	case CHECK_AUDIO_NOT_DUE:
		return "no audio was agreed";
	case CHECK_AUDIO_ONE_WAY: case CHECK_AUDIO_BOTH:
		break;
	}
	return NULL;
}

double direction_packets(const struct direction *d, int64_t from_ns, int64_t to_ns)
{
	double n = 0;

	for (unsigned i = 0; i < d->stream_count; i++)
		n += stream_packets_between(d->streams[i], from_ns, to_ns);
	return n;
}


void tally_add(struct tally *t, enum outcome o, unsigned call, struct frame_ref at)
{
	unsigned n = t->count[o]++;

	if (n < SEEN_MAX) {
		t->seen[o][n].call = call;
		t->seen[o][n].at = at;
	}
}

static void open_why(struct tally *t, const char *why)
{
	if (!t->open_why[0])
		snprintf(t->open_why, sizeof t->open_why, "%s", why);
}

/* Faulty: one of the ids is on the call. Any other alarm on it keeps it from being a proof that the flow works. */
bool tally_marked(struct tally *t, const struct call *call, bool *ret_fault)
{
	const struct mark *m = call->n && call->n <= t->list->highest ? t->list->marks[call->n] : NULL;
	bool any = false;

	*ret_fault = false;
	for (; m; m = m->next) {
		char why[CHECK_WHAT];

		if (t->alone && !check_is(m->finding, t->ids))
			continue;
		any = true;
		if (!check_proven(m->finding) || !check_is(m->finding, t->ids)) {
			snprintf(why, sizeof why, "seen only with %s", m->finding->id);
			open_why(t, why);
			continue;
		}
		*ret_fault = true;
		check_finding(t->check, m->finding);
		if (m->finding->explained_by)
			check_finding(t->check, m->finding->explained_by);
	}
	return any;
}

/* One instance in that call; open: why it proves nothing although no finding is on it, NULL: it works. */
void tally_call(struct tally *t, const struct call *call, struct frame_ref at, const char *open)
{
	bool fault, any = tally_marked(t, call, &fault);

	if (fault) {
		tally_add(t, OUTCOME_FAULT, call->n, at);
	} else if (any || open) {
		if (open)
			open_why(t, open);
		tally_add(t, OUTCOME_OPEN, call->n, at);
	} else {
		tally_add(t, OUTCOME_CLEAN, call->n, at);
	}
}

static void add_calls(struct tally *t, enum outcome o)
{
	struct check *k = t->check;

	for (unsigned i = 0; i < t->count[o] && i < SEEN_MAX; i++) {
		if (t->seen[o][i].call && k->call_count < CHECK_NUMBERS)
			k->calls[k->call_count++] = t->seen[o][i].call;
		if (t->seen[o][i].call)
			check_evidence(k, t->seen[o][i].at, "call %u", t->seen[o][i].call);
		else
			check_evidence(k, t->seen[o][i].at, "%s", k->title);
	}
	k->calls_total = k->call_count < CHECK_NUMBERS ? k->call_count : t->count[o];
}

static void list_ids(const struct check *k, char *text, size_t room)
{
	text[0] = '\0';
	for (unsigned i = 0; i < k->id_count; i++)
		snprintf(text + strlen(text), room - strlen(text), "%s%s", i ? ", " : "", k->ids[i]);
}

void tally_settle(struct tally *t)
{
	unsigned all = t->count[OUTCOME_CLEAN] + t->count[OUTCOME_FAULT] + t->count[OUTCOME_OPEN];
	char ids[CHECK_WHY - 60];

	if (t->count[OUTCOME_FAULT]) {
		list_ids(t->check, ids, sizeof ids);
		check_say(t->check, CHECK_FAIL, "%u of %u: %s", t->count[OUTCOME_FAULT], all, ids);
		add_calls(t, OUTCOME_FAULT);
	} else if (t->count[OUTCOME_CLEAN]) {
		check_say(t->check, CHECK_PASS,
			all == t->count[OUTCOME_CLEAN] ? "%u seen: %s" : "%u seen: %s; %u more cannot be judged",
			  t->count[OUTCOME_CLEAN], t->works, t->count[OUTCOME_OPEN]);
		add_calls(t, OUTCOME_CLEAN);
	} else if (all) {
		check_say(t->check, CHECK_CANNOT_TELL, "%u seen, not confirmed: %s", all, t->open_why);
		add_calls(t, OUTCOME_OPEN);
	} else {
		check_say(t->check, CHECK_NOT_SEEN, "%s", t->nothing);
	}
}

struct tally tally_of(struct checklist *c, const char *item, const char *title, const char *name,
	const char *const *ids)
{
	return (struct tally){ .list = c, .check = check_add(c, item, title, name), .ids = ids };
}

/* Nobody took it, and that is no fault: busy, declined, sent elsewhere, hung up while it rang, still ringing. */
static bool is_let_be(const struct leg *leg)
{
	return leg->state == LEG_BUSY || leg->state == LEG_DECLINED || leg->state == LEG_CANCELLED ||
	       leg->state == LEG_REDIRECTED || leg->state == LEG_RINGING || leg->state == LEG_CALLING;
}

void tally_take(struct tally *t, const struct sight *s)
{
	const struct leg *leg = call_first_leg(s->call);
	bool fault = false;

	if (leg->partial || !leg->initial_invite_seen)
		return;
	if (s->answered) {
		tally_call(t, s->call, leg->invite_at, audio_doubt(s->audio));
		return;
	}
	tally_marked(t, s->call, &fault);
	if (fault || !is_let_be(leg))
		tally_call(t, s->call, leg->invite_at, "it was not answered");
}
