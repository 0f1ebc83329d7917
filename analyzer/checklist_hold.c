/* SPDX-License-Identifier: MIT */
/* checklist_hold: C2.4, C2.5 and C2.11: what happens to a call that is up: hold, music, transfer. */
#include "analyzer/checklist_tally.h"


struct held {
	bool asked, held, resumed, audio, music;
	struct frame_ref at;
};

static bool holds(const struct sdp *sdp)
{
	for (unsigned i = 0; sdp && i < sdp->media_count; i++) {
		const struct sdp_media *m = &sdp->media[i];

		if (m->kind == SDP_AUDIO && m->port && (m->direction == SDP_SENDONLY || m->direction == SDP_INACTIVE ||
		    address_unspecified(&m->at.addr)))
			return true;
	}
	return false;
}

/* Asked for in mid-call: agreed or not. */
static void hold_asked(const struct dialog *d, struct held *h)
{
	LIST_EACH(it, &d->exchanges) {
		const struct exchange *x = LIST_ENTRY(it, struct exchange, in_dialog);

		if ((x->kind == EXCHANGE_REINVITE || x->kind == EXCHANGE_UPDATE) && x->offer.count &&
		    holds(x->offer.seen[0]->sdp)) {
			h->asked = true;
			if (!h->at.frame)
				h->at = x->offer.seen[0]->at;
		}
	}
}

static void hold_in_slot(const struct mslot *slot, int64_t last_ns, struct held *h)
{
	int64_t resumed_ns = NS_NONE;

	for (unsigned side = 0; side < 2; side++) {
		const struct direction *d = &slot->direction[side];

		for (unsigned i = 0; i < d->window_count; i++) {
			const struct window *w = &d->windows[i];

			h->held |= w->state == EXPECT_PAUSED || w->state == EXPECT_OPTIONAL;
			h->music |= w->state == EXPECT_OPTIONAL &&
				direction_packets(d, w->on_ns, window_end(w, last_ns)) >= PACKETS_LEAST;
			if (w->resumed && w->state == EXPECT_DUE && (resumed_ns == NS_NONE || w->on_ns > resumed_ns))
				resumed_ns = w->on_ns;
		}
	}
	if (resumed_ns == NS_NONE)
		return;
	h->resumed = true;
	h->audio |= direction_packets(&slot->direction[0], resumed_ns, last_ns) >= PACKETS_LEAST &&
		    direction_packets(&slot->direction[1], resumed_ns, last_ns) >= PACKETS_LEAST;
}

static struct held held_of(const struct checklist *c, const struct sight *s)
{
	struct held h = { .held = false };

	if (!s->offers_again)
		return h;
	LIST_EACH(it, &s->call->legs) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_call);

		if (!leg->confirmed)
			continue;
		hold_asked(leg->confirmed, &h);
		for (unsigned i = 0; h.asked && i < leg->confirmed->mslot_count; i++) {
			if (leg->confirmed->mslots[i].kind == SDP_AUDIO)
				hold_in_slot(&leg->confirmed->mslots[i], c->facts->capture->last_ns, &h);
		}
	}
	h.held &= h.asked;
	return h;
}

void checklist_hold(struct checklist *c)
{
	static const char *const ids[] = { "reinvite-failed", "audio-missing-after-hold", NULL };
	struct tally hold = tally_of(c, "C2.4", "Hold and resume", "hold", ids);

	for (size_t i = 0; i < c->sight_count; i++) {
		const struct call *call = c->sights[i].call;
		struct held h = held_of(c, &c->sights[i]);

		if (h.asked)
			tally_call(&hold, call, h.at,
				!h.held ? "hold was not agreed here" : !h.resumed ? "not resumed in this capture" :
				 !h.audio ? "audio after it is not seen in both directions" : NULL);
	}
	hold.works = "held and resumed, audio passes both ways again";
	hold.nothing = "no call was held";
	tally_settle(&hold);
}


void checklist_music(struct checklist *c)
{
	struct tally t = tally_of(c, "C2.11", "Music on hold", "music on hold", NULL);
	unsigned silent = 0;

	for (size_t i = 0; i < c->sight_count; i++) {
		const struct call *call = c->sights[i].call;
		struct held h = held_of(c, &c->sights[i]);

		silent += h.held && !h.music;
		if (h.held && h.music)
			tally_call(&t, call, h.at, NULL);
	}
	t.works = "audio of the holder while the call was held";
	t.nothing = "no call was held";
	tally_settle(&t);
	if (t.check->state == CHECK_NOT_SEEN && silent)
		check_say(t.check, CHECK_NOT_SEEN, "%u call%s held, without music: none is due", silent,
			silent == 1 ? "" : "s");
}

/* ---- transfer ---- */

static bool both_after(const struct call *call, const struct leg *but, int64_t from_ns, int64_t last_ns)
{
	LIST_EACH(it, &call->legs) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_call);

		for (unsigned i = 0; leg != but && leg->confirmed && i < leg->confirmed->mslot_count; i++) {
			const struct mslot *slot = &leg->confirmed->mslots[i];

			if (slot->kind == SDP_AUDIO &&
			    direction_packets(&slot->direction[0], from_ns, last_ns) >= PACKETS_LEAST &&
			    direction_packets(&slot->direction[1], from_ns, last_ns) >= PACKETS_LEAST)
				return true;
		}
	}
	return false;
}

/* NULL: it was done, and the two parties hear each other. */
static const char *transfer_doubt(const struct checklist *c, const struct transfer *x)
{
	int64_t last_ns = c->facts->capture->last_ns, done_ns = x->done_ns != NS_NONE ? x->done_ns : x->accepted_ns;

	if (x->state == TRANSFER_FAILED)
		return "it was refused";
	if (x->state != TRANSFER_DONE && !(x->target && x->target->answered))
		return "its result is not in this capture";
	if (!x->target || !x->target->answered)
		return "the leg to the target is not in this capture";
	if (x->target->answer_ns != NS_NONE && x->target->answer_ns > done_ns)
		done_ns = x->target->answer_ns;
	if (!both_after(x->target->call, x->leg, done_ns, last_ns))
		return "audio after it is not seen in both directions";
	return NULL;
}

static void transfer_take(struct tally *t, const struct transfer *x)
{
	const struct call *call = x->leg->call, *target = x->target ? x->target->call : NULL;
	struct tally before = *t;
	bool fault;

	if (!call)
		return;
	if (target && target != call) {
		tally_marked(t, target, &fault);
		if (fault) {
			tally_add(t, OUTCOME_FAULT, call->n, x->at);
			return;
		}
		memcpy(t->open_why, before.open_why, sizeof t->open_why);
	}
	tally_call(t, call, x->at, transfer_doubt(t->list, x));
}

void checklist_transfers(struct checklist *c)
{
	static const char *const ids[] = { "transfer-failed", "audio-missing-after-transfer", NULL };
	struct tally blind = tally_of(c, "C2.5a", "Blind transfer", "blind transfer", ids);
	struct tally attended = tally_of(c, "C2.5b", "Attended transfer", "attended transfer", ids);

	LIST_EACH(it, calls_transfers(c->facts->calls)) {
		const struct transfer *x = LIST_ENTRY(it, struct transfer, in_order);

		transfer_take(x->attended ? &attended : &blind, x);
	}
	blind.works = attended.works = "done, audio passes both ways behind it";
	blind.nothing = "no REFER without Replaces; a transfer by keys shows none";
	attended.nothing = "no REFER with Replaces; a transfer by keys shows none";
	tally_settle(&blind);
	tally_settle(&attended);
}
