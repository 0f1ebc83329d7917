/* SPDX-License-Identifier: MIT */
/* view_calls: calls with their legs and directions. */
#include <limits.h>
#include <stdio.h>

#include "analyzer/media/mos.h"
#include "analyzer/view_cache.h"
#include "analyzer/view_redact.h"
#include "analyzer/views.h"

const char *view_kind_name(enum sdp_kind kind)
{
	static const char *const names[] = { "audio", "video", "image", "text", "application", "message", "other" };

	return names[kind];
}

static const char *rule_name(unsigned rule)
{
	static const char *const names[] = { NULL, "B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B9", "B10" };

	return rule <= 10 ? names[rule] : NULL;
}

static const struct window *shown_window(const struct direction *d)
{
	const struct window *w = direction_first_due(d);

	if (w)
		return w;
	for (unsigned i = 0; i < d->window_count; i++) {
		if (d->windows[i].target_count || d->windows[i].source_count)
			return &d->windows[i];
	}
	return NULL;
}

static double due_ms(const struct engine *e, const struct direction *d)
{
	double ms = 0;

	for (unsigned i = 0; i < d->window_count; i++) {
		const struct window *w = &d->windows[i];

		if (w->state == EXPECT_DUE && window_end(w, e->capture.last_ns) > w->on_ns)
			ms += (double)(window_end(w, e->capture.last_ns) - w->on_ns) / 1e6;
	}
	return ms;
}

static void view_quality(struct view_cache *v, const struct direction *d, struct view_direction *ret)
{
	const struct stream *s = NULL;
	uint64_t expected = 0, lost = 0;
	bool valid;
	double mos;
	char *codec;

	for (unsigned i = 0; i < d->stream_count; i++) {
		const struct stream *x = d->streams[i];

		if (ret->stream_count < 16)
			ret->streams[ret->stream_count++] = x->n;
		if (x->twin_of && x->twin_of->direction == d)
			continue;
		ret->packets += x->packets;
		expected += x->expected_within;
		lost += x->lost_within;
		s = !s || x->packets > s->packets ? x : s;
	}
	ret->mos = ret->loss_percent = ret->jitter_ms = -1;
	if (!s)
		return;
	ret->bound_by = rule_name(s->bound_by);
	ret->loss_percent = expected ? 100.0 * (double)lost / (double)expected : 0;
	ret->jitter_ms = s->jitter_known ? s->mean_jitter_ms : -1;
	mos = stream_mos(s, 0, &valid);
	ret->mos = mos < 0 ? -1 : mos;
	if (s->codec.n) {
		codec = view_lend(v);
		ret->codec = text_escape(s->codec, codec, 24);
	}
}

static void view_windows(const struct engine *e, const struct direction *d, struct view_direction *ret)
{
	for (unsigned i = 0; i < d->window_count && ret->window_count < VIEW_WINDOWS; i++) {
		const struct window *w = &d->windows[i];
		int64_t to_ns = window_end(w, e->capture.last_ns),
			due_ns = w->state == EXPECT_DUE && w->due_ns != NS_NONE ? w->due_ns : w->on_ns;

		if ((w->state == EXPECT_DUE || w->state == EXPECT_PAUSED) && to_ns > w->on_ns)
			ret->windows[ret->window_count++] = (struct view_window){ w->on_ns, due_ns, to_ns,
				w->state == EXPECT_DUE };
	}
}

static void view_direction_of(const struct engine *e, struct view_cache *v, const struct direction *d, unsigned leg,
	struct view_direction *ret)
{
	const struct hearing *h = d->hearing;
	const struct window *w = shown_window(d);
	char *why;

	memset(ret, 0, sizeof *ret);
	ret->mline = d->slot->mline;
	ret->leg = leg;
	ret->kind = view_kind_name(d->slot->kind);
	ret->sender = d->sender;
	if (w && w->source_count)
		ret->from = w->sources[0].at;
	if (w && w->target_count)
		ret->to = w->targets[0].at;
	ret->expected = direction_first_due(d) != NULL;
	ret->due_ms = due_ms(e, d);
	view_windows(e, d, ret);
	view_quality(v, d, ret);
	ret->heard = h ? h->heard : ret->packets ? HEARD_UNKNOWN : HEARD_NOT_EXPECTED;
	if (ret->heard == HEARD_NO) {
		ret->unheard_from_ns = h->whole && h->window ? h->window->on_ns : h->from_ns;
		ret->unheard_to_ns = h->to_ns;
	}
	if (h && h->gate)
		ret->why = h->gate;
	else if (h && h->row)
		ret->why = h->row;
	else if (h && hearing_why(h)[0]) {
		why = view_lend(v);
		snprintf(why, VIEW_TEXT, "%s", hearing_why(h));
		ret->why = why;
	}
	/* a row of the register: N9 (the other leg) leaves it open, the others say that nothing was due */
	if (!ret->why && !ret->expected)
		ret->why = "not due";
}

static int graver(enum heard a, enum heard b)
{
	static const int rank[] = { [HEARD_NOT_EXPECTED] = 0, [HEARD_YES] = 2, [HEARD_UNKNOWN] = 1, [HEARD_POOR] = 3,
		[HEARD_NO] = 4 };

	return rank[a] - rank[b];
}

/*
 * Of all audio directions towards that end: what the user there experiences. What reaches a machine in between is not
 * yet heard: of the user's own leg (callers and callees say which they are) it has to be known.
 */
/* picks_up: the leg whose caller and callee stand the other way round; UINT_MAX none. */
/* past: bits of the legs that were answered when the first was over: of those its parties hear nothing any more. */
static void sum_up(struct view_call *ret, unsigned callers, unsigned callees, unsigned picks_up, uint32_t past)
{
	bool open[2] = { false };            /* by who sends */

	ret->caller_mos = ret->callee_mos = -1;
	for (unsigned i = 0; i < ret->media_count; i++) {
		const struct view_direction *d = &ret->media[i];
		enum side sender = d->leg == picks_up ? side_other(d->sender) : d->sender;
		enum heard *hears = sender == SIDE_CALLEE ? &ret->caller_hears : &ret->callee_hears;
		double *mos = sender == SIDE_CALLEE ? &ret->caller_mos : &ret->callee_mos;

		if (strcmp(d->kind, "audio") != 0 || (d->leg < 32 && past & UINT32_C(1) << d->leg))
			continue;
		open[d->sender] |= d->leg == (d->sender == SIDE_CALLEE ? callers : callees) &&
			d->heard == HEARD_UNKNOWN;
		if (graver(d->heard, *hears) > 0)
			*hears = d->heard;
		if (d->mos >= 0 && (*mos < 0 || d->mos < *mos))
			*mos = d->mos;
	}
	if (open[SIDE_CALLEE] && ret->caller_hears == HEARD_YES)
		ret->caller_hears = HEARD_UNKNOWN;
	if (open[SIDE_CALLER] && ret->callee_hears == HEARD_YES)
		ret->callee_hears = HEARD_UNKNOWN;
}

static void view_legs(const struct call *c, struct view_call *ret)
{
	LIST_EACH(it, &c->legs) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_call);
		struct view_leg *x;

		if (ret->call_id_count < 16)
			ret->call_ids[ret->call_id_count++] = leg->call_id;
		if (ret->leg_count == 16)
			break;
		x = &ret->legs[ret->leg_count++];
		x->call_id = leg->call_id;
		x->from_tag = leg->from_tag;
		for (unsigned i = 0; i < leg->segment_count && i < 8; i++) {
			x->hops[i].a = leg->segments[i].a;
			x->hops[i].b = leg->segments[i].b;
		}
		x->hop_count = leg->segment_count;
		x->joined_by = leg->joined_by == JOIN_NONE ? NULL : leg_join_name(leg->joined_by);
		x->score = leg->join_score;
		x->partial = leg->partial;
	}
}

/* The dialogs whose media count: the confirmed one, else the early ones. */
static void view_media(const struct engine *e, struct view_cache *v, const struct leg *leg, unsigned index,
	struct view_call *ret)
{
	LIST_EACH(it, &leg->dialogs) {
		const struct dialog *d = LIST_ENTRY(it, struct dialog, in_leg);

		if (leg->confirmed && d != leg->confirmed)
			continue;
		for (unsigned i = 0; i < d->mslot_count; i++) {
			for (unsigned side = 0; side < 2 && ret->media_count < 32; side++)
				view_direction_of(e, v, &d->mslots[i].direction[side], index,
					&ret->media[ret->media_count++]);
		}
	}
}

static struct span party_name(const struct party *p)
{
	return p->user.n ? p->user : p->host;
}

static const struct leg *first_leg(const struct call *c)
{
	return LIST_ENTRY(c->legs.head.next, struct leg, in_call);
}

/*
 * The leg that took the call from who was called while it rang: an INVITE with Replaces that names the early dialog,
 * and the one who began that is asked (RFC 3891 3): its callee is the caller. NULL: nobody did.
 */
static const struct leg *pickup_of(const struct call *c)
{
	const struct leg *first = first_leg(c);

	LIST_EACH(it, &c->legs) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_call);

		if (first->answered)
			break;
		if (leg->parent == first && leg->answered && leg->replaces.n &&
		    span_equal(leg->replaces_call_id, first->call_id) &&
		    address_equal(&leg->party[SIDE_CALLEE].signalling_dst.addr,
		    &first->party[SIDE_CALLER].signalling.addr))
			return leg;
	}
	return NULL;
}

/* A redirection is followed with another Call-ID: the leg in which the call goes on, else the first. */
static const struct leg *followed(const struct call *c)
{
	const struct leg *last = first_leg(c);

	LIST_EACH(it, &c->legs) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_call);

		if (leg->joined_by == JOIN_REDIRECT && leg->parent == last)
			last = leg;
	}
	return last;
}

/* Where the one who was called took the call: what began after that is another's, the target of a transfer. */
static const struct leg *last_leg(const struct call *c)
{
	const struct leg *first = followed(c), *best = first;

	LIST_EACH(it, &c->legs) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_call);

		if (leg->answered && leg->parent && (first->answer_ns == NS_NONE || leg->first_ns <= first->answer_ns))
			best = leg;
	}
	return best;
}

/* An offer was left without answer, by the ACK or the 2xx: nothing was agreed. */
static bool no_answer(const struct dialog *d)
{
	LIST_EACH(it, &d->exchanges) {
		if (LIST_ENTRY(it, struct exchange, in_dialog)->state == EXCHANGE_NO_ANSWER)
			return true;
	}
	return false;
}

/* Answered, but the session descriptions are not here: audio was due, for all one knows. */
static bool agreement_unseen(const struct call *c)
{
	bool answered = false;

	LIST_EACH(it, &c->legs) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_call);

		answered |= leg->answered;
		LIST_EACH(dit, &leg->dialogs) {
			if (no_answer(LIST_ENTRY(dit, struct dialog, in_leg)))
				return false;
		}
	}
	return answered;
}

/* Its rooms are cleared as far as they are used: a whole one takes longer than all that is filled in. */
static void view_call_clear(struct view_call *ret)
{
	ret->call_id_count = ret->leg_count = ret->media_count = ret->finding_count = ret->note_count = 0;
	ret->caller_hears = ret->callee_hears = HEARD_NOT_EXPECTED;
}

/* first: the one that was called; decides: the one that was answered, where it is another one. */
static void view_call_times(struct view_call *ret, const struct leg *first, const struct leg *decides)
{
	const struct leg *rings = decides->joined_by == JOIN_REDIRECT ? decides : first;

	ret->state = leg_state_name(decides->state);
	ret->status = decides->status;
	ret->start_ns = first->invite_ns != NS_NONE ? first->invite_ns : first->first_ns;
	ret->answer_ns = decides->answer_ns;
	ret->end_ns = decides->end_ns;
	ret->pdd_ms = first->invite_ns != NS_NONE &&
		rings->progress_ns != NS_NONE ? (double)(rings->progress_ns - first->invite_ns) / 1e6 : -1;
	ret->setup_ms = first->invite_ns != NS_NONE &&
		decides->answer_ns != NS_NONE ? (double)(decides->answer_ns - first->invite_ns) / 1e6 : -1;
}

bool view_call(const struct engine *e, size_t i, struct view_call *ret)
{
	struct view_cache *v = view_cache_of(e);
	const struct call *c;
	const struct leg *first, *last, *decides, *pickup;
	unsigned index = 0, callers = 0, callees = 0, picks_up = UINT_MAX;
	uint32_t past = 0;

	if (i >= v->call_count)
		return false;
	c = v->calls[i];
	first = first_leg(c);
	last = last_leg(c);
	pickup = pickup_of(c);
	decides = pickup ? pickup : followed(c);
	view_call_clear(ret);
	ret->n = c->n;
	ret->from = party_name(&first->party[SIDE_CALLER]);
	ret->to = party_name(&first->party[SIDE_CALLEE]);
	ret->from_agent = first->party[SIDE_CALLER].user_agent;
	ret->to_agent = last->party[SIDE_CALLEE].user_agent;
	ret->from_at = first->party[SIDE_CALLER].signalling;
	ret->to_at = last->party[SIDE_CALLEE].signalling;
	if (last == pickup) {
		ret->to_agent = pickup->party[SIDE_CALLER].user_agent;
		ret->to_at = pickup->party[SIDE_CALLER].signalling;
	}
	view_call_times(ret, first, decides);
	view_legs(c, ret);
	LIST_EACH(it, &c->legs) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_call);

		callees = leg == last ? index : callees;
		callers = leg == decides && !pickup ? index : callers;
		picks_up = leg == pickup ? index : picks_up;
		if (first->answered && first->end_ns != NS_NONE && leg->answer_ns != NS_NONE && index < 32 &&
		    leg->answer_ns > first->end_ns)
			past |= UINT32_C(1) << index;
		view_media(e, v, leg, index++, ret);
	}
	sum_up(ret, callers, callees, picks_up, past);
	if (ret->media_count == 0 && agreement_unseen(c)) {
		ret->caller_hears = ret->callee_hears = HEARD_UNKNOWN;
		ret->notes[ret->note_count++] = "the session description that answers is not in the capture: who is to hear whom is not known";
	}
	ret->vantage = vantage_kind_name(e->facts.vantage.kind);
	for (unsigned k = 0; k < v->call_findings[i].count && k < 32; k++)
		ret->findings[ret->finding_count++] = v->call_findings[i].numbers[k];
	if (first->partial)
		ret->notes[ret->note_count++] = "partial: it began before the capture";
	if (decides->state == LEG_REDIRECTED)
		ret->notes[ret->note_count++] = "redirected (3xx), and no INVITE to where it was sent is in the capture";
	else if (first->state == LEG_REDIRECTED)
		ret->notes[ret->note_count++] = "redirected (3xx) and followed with another Call-ID";
	if (pickup)
		ret->notes[ret->note_count++] = "picked up while it rang, by another party than was called (INVITE with Replaces)";
	if (decides->answered && decides->end_ns == NS_NONE)
		ret->notes[ret->note_count++] = "undecided at end of capture";
	if (first->cut)
		ret->notes[ret->note_count++] = "some of its messages are cut by the snap length";
	view_redact_call(e->redact, ret);
	return true;
}
