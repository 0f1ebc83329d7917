/* SPDX-License-Identifier: MIT */
/* leg_state: what becomes of a leg, from the first INVITE to its end, by messages and by time. */
#include "analyzer/calls/internal.h"

#include <limits.h>

enum { BRANCHES_WALKED = 64 };

/* ---- by messages ---- */

static void count_call(struct arrival *a)
{
	struct call_id *id = a->leg->id;

	a->leg->leg.counts_as_call = true;
	a->c->counts.calls += !id->called;
	id->called = true;
}

static void count_answer(struct arrival *a)
{
	struct call_id *id = a->leg->id;

	if (!a->leg->leg.counts_as_call)
		return;
	a->c->counts.answered += !id->answered;
	id->answered = true;
}

/* A 2xx to the INVITE, or the ACK that proves one. */
static void leg_answer(struct arrival *a)
{
	struct leg *leg = &a->leg->leg;
	bool before = leg->answered;

	leg->answered = true;
	count_answer(a);
	if (before)
		return;
	leg->answer_ns = a->packet->at_ns;
	leg->answer_at = frame_ref_of(a->packet);
	if (!a->sip->request)
		leg->status = (uint16_t)a->sip->status;
	leg->end_ns = leg->bye_seen ? leg->end_ns : NS_NONE;
	leg->state = leg->bye_seen ? LEG_ENDED : LEG_ANSWERED;
	calls_emit(a->c,
		(struct calls_event){ .kind = CALLS_ANSWERED,
			.leg = leg,
			.message = a->message,
			.dialog = a->dialog ? &a->dialog->dialog : NULL });
}

static void leg_end(struct calls *c, struct leg_record *r, int64_t at_ns, struct message *by)
{
	struct leg *leg = &r->leg;

	leg->end_ns = at_ns;
	if (r->ended_told)
		return;
	r->ended_told = true;
	calls_emit(c, (struct calls_event){ .kind = CALLS_ENDED, .leg = leg, .message = by });
}

static void initial_invite(struct arrival *a)
{
	struct leg *leg = &a->leg->leg;

	if (a->message && a->message->repeat == MESSAGE_RETRANSMITTED)
		return;
	if (!leg->initial_invite_seen) {
		leg->initial_invite_seen = true;
		leg->partial = false;
		leg->invite_ns = a->packet->at_ns;
		leg->invite_at = frame_ref_of(a->packet);
		count_call(a);
		if (leg->answered)
			count_answer(a);
	}
	if (a->packet->at_ns < leg->invite_ns) {
		leg->invite_ns = a->packet->at_ns;
		leg->invite_at = frame_ref_of(a->packet);
		clues_update(a->leg);
	}
	if (leg->answered || leg->bye_seen || (a->message && a->message->repeat != MESSAGE_FIRST))
		return;
	if (leg->state == LEG_UNKNOWN || (leg->status >= 300 && !a->transaction->transaction.final)) {
		leg->state = LEG_CALLING; /* also another attempt in the same leg: the next one decides */
		leg->status = 0;
		leg->end_ns = NS_NONE;
		a->leg->ended_told = false;
	}
}

static enum leg_state state_of_failure(unsigned status)
{
	switch (status) {
	case 486:
	case 600: return LEG_BUSY;
	case 603: return LEG_DECLINED;
	case 487: return LEG_CANCELLED;
	default: return status / 100 == 3 ? LEG_REDIRECTED : LEG_FAILED;
	}
}

/* Statuses after which the same leg tries again by itself. */
static bool invites_retry(unsigned status)
{
	return status == 401 || status == 407 || status == 422 || status == 494 || status / 100 == 3;
}

static void settle_failure(struct calls *c, struct leg_record *r, int64_t at_ns, struct message *by)
{
	r->leg.state = state_of_failure(r->leg.status);
	if (r->settles)
		list_remove(&c->settling, &r->rare->settling);
	r->settles = false;
	dialogs_end_early(c, r, at_ns, by);
	leg_end(c, r, at_ns, by);
	if (!by)
		join_reckon(c, r);       /* with a message join_note() does so */
}

static void failed(struct arrival *a)
{
	struct leg_record *r = a->leg;
	const struct transaction_record *t = a->transaction;

	if (r->leg.answered || r->leg.bye_seen)
		return; /* a losing branch, or long over */
	if (t->least_vias && a->message->via_count > t->least_vias) {
		r->inner_status = a->message->status;
		return; /* a branch behind the proxy; what the caller hears is still to come */
	}
	if (r->initials[0] != t && t->least_vias <= r->initials[0]->least_vias)
		return; /* of an attempt that was given up */
	r->leg.status = a->message->status;
	if (r->leg.status / 100 == 3)
		r->leg.state = LEG_REDIRECTED;
	if (invites_retry(r->leg.status)) {
		if (!r->settles) {
			r->settles = true;
			leg_rare(r)->settle_ns = ns_add(a->packet->at_ns, TRANSACTION_LIFE_NS);
			list_add_tail(&a->c->settling, &r->rare->settling);
		}
		return;
	}
	settle_failure(a->c, r, a->packet->at_ns, a->message);
}

static void progressed(struct arrival *a)
{
	struct leg *leg = &a->leg->leg;

	if (leg->answered || leg->bye_seen || leg->end_ns != NS_NONE)
		return;
	if (a->message->status == 100) {
		leg->state = leg->state == LEG_UNKNOWN ? LEG_CALLING : leg->state;
		return;
	}
	leg->state = LEG_RINGING;
	if (leg->progress_ns == NS_NONE)
		leg->progress_ns = a->packet->at_ns;
}

static void acked(struct arrival *a)
{
	const struct transaction *t = &a->transaction->transaction;

	if (t->initial && transaction_ack_proves(a)) {
		if (a->dialog)
			dialog_confirm(a, a->dialog);
		leg_answer(a);
	}
	if (a->dialog && (!t->final || t->final->status < 300)) {
		if (!a->dialog->dialog.ack_seen)
			a->dialog->dialog.acked_ns = a->packet->at_ns;
		a->dialog->dialog.ack_seen = true;
	}
}

static struct span reason_header(struct leg_record *r, const struct arrival *a)
{
	struct span reason = sip_header_value(a->sip, SIP_H_REASON);

	return reason.n ? leg_text(r, reason) : r->leg.end_reason;
}

static bool other_dialog_lives(const struct leg *leg, const struct dialog *but)
{
	LIST_EACH(it, &leg->dialogs) {
		const struct dialog *d = LIST_ENTRY(it, struct dialog, in_leg);

		if (d != but && d->state != DIALOG_ENDED && !d->losing_fork)
			return true;
	}
	return false;
}

/*
 * BYE ends its dialog; the leg goes on only where another branch of the fork lives. Also by the answer to a BYE that
 * was not captured.
 */
static void hung_up(struct arrival *a)
{
	struct leg_record *r = a->leg;
	struct leg *leg = &r->leg;

	/* without To-tag: of the only dialog there is */
	if (!a->dialog && a->sip->request && leg->confirmed && leg->dialogs.count == 1)
		a->dialog = DIALOG_RECORD((struct dialog *)leg->confirmed);
	if (a->dialog)
		dialog_end(a->c, a->dialog, a->packet->at_ns, a->message);
	if (leg->bye_seen || (a->dialog && other_dialog_lives(leg, &a->dialog->dialog)))
		return;
	leg->bye_seen = true;
	leg->bye_ns = a->packet->at_ns;
	leg->bye_at = frame_ref_of(a->packet);
	leg->ended_by_side = a->client;
	leg->end_reason = a->sip->request ? reason_header(r, a) : leg->end_reason;
	leg->state = LEG_ENDED;
	leg_end(a->c, r, a->packet->at_ns, a->message);
}

static void note_in_request(struct arrival *a)
{
	struct leg *leg = &a->leg->leg;

	switch (a->sip->method) {
	case SIP_INVITE:
		if (a->transaction && a->sip->to.tag.n == 0)
			initial_invite(a);
		break;
	case SIP_ACK:
		if (a->transaction)
			acked(a);
		break;
	case SIP_CANCEL:
		leg->cancel_seen = true;
		leg->end_reason = reason_header(a->leg, a);
		break;
	case SIP_BYE: hung_up(a); break;
	case SIP_METHOD_NONE:
	case SIP_REGISTER:
	case SIP_OPTIONS:
	case SIP_PRACK:
	case SIP_UPDATE:
	case SIP_INFO:
	case SIP_REFER:
	case SIP_NOTIFY:
	case SIP_SUBSCRIBE:
	case SIP_PUBLISH:
	case SIP_MESSAGE:
	case SIP_METHOD_OTHER: break;
	}
}

static bool has_final(const struct arrival *a)
{
	return !a->sip->request && a->sip->status >= 200;
}

static void bye_answered(struct arrival *a)
{
	struct leg *leg = &a->leg->leg;

	if (a->sip->status == 401 || a->sip->status == 407)
		return;
	if (!leg->bye_seen && a->sip->status < 300)
		hung_up(a);
	if (!leg->bye_seen || leg->bye_answered)
		return;
	leg->bye_answered = true;
	leg->bye_answered_ns = a->packet->at_ns;
}

static void note_in_response(struct arrival *a)
{
	struct leg *leg = &a->leg->leg;

	if (a->sip->method == SIP_BYE && a->sip->status >= 200)
		bye_answered(a);
	if (!a->transaction || a->sip->method != SIP_INVITE || !a->transaction->transaction.initial)
		return;
	if (has_final(a) && !leg->counts_as_call)
		count_call(a);
	if (a->message->repeat == MESSAGE_RETRANSMITTED)
		return;
	if (a->sip->status < 200)
		progressed(a);
	else if (a->sip->status < 300)
		leg_answer(a);
	else
		failed(a);
}

/* A message after silence so long that the leg was given up: it lives after all. */
static void revive(struct arrival *a)
{
	struct leg *leg = &a->leg->leg;

	if (!leg->timed_out || leg->bye_seen)
		return;
	leg->timed_out = false;
	leg->end_ns = NS_NONE;
	a->leg->ended_told = false;
	leg->state = leg->answered ? LEG_ANSWERED : leg->progress_ns != NS_NONE ? LEG_RINGING : LEG_CALLING;
	if (leg->confirmed && leg->confirmed->state == DIALOG_ENDED && !leg->confirmed->ended_by) {
		leg->confirmed->state = DIALOG_CONFIRMED;
		leg->confirmed->ended_ns = NS_NONE;
		leg->confirmed->changed = true;
	}
}

static bool is_recording(const struct sip_message *sip)
{
	return sip_header_lists(sip, SIP_H_REQUIRE, SPAN("siprec")) ||
		span_find_text_nocase(sip->contact.params, SPAN("+sip.src")) < sip->contact.params.n;
}

/* Also for legs that are too long for more records: then without transaction and message. */
void leg_note(struct arrival *a)
{
	struct leg *leg = &a->leg->leg;

	revive(a);
	if (!leg->siprec && a->sip->method == SIP_INVITE)
		leg->siprec = is_recording(a->sip);
	if (a->sip->request)
		note_in_request(a);
	else
		note_in_response(a);
	if (leg->state == LEG_UNKNOWN && leg->confirmed && !leg->bye_seen && !leg->timed_out)
		leg->state = LEG_ANSWERED;
}

/* ---- by time ---- */

static void linger_over(struct calls *c, struct leg_record *r)
{
	list_remove(&c->lingering, &r->rare->lingering);
	r->lingers = false;
	LIST_EACH(it, &r->leg.dialogs) {
		struct dialog_record *d = DIALOG_RECORD(LIST_ENTRY(it, struct dialog, in_leg));

		if (d->dialog.losing_fork && d->dialog.state == DIALOG_EARLY)
			dialog_end(c, d, r->rare->linger_ns, NULL);
	}
}

/*
 * Given up at that time. Media that went on after the last message and stopped is how a call ends whose BYE is not in
 * the capture: it was over then, and whoever is silent since owes nothing.
 */
static void idle(struct calls *c, struct leg_record *r, int64_t at_ns)
{
	struct leg *leg = &r->leg;

	leg->timed_out = true;
	if (leg->alive_ns > leg->last_ns)
		at_ns = leg->alive_ns;
	if (leg->status >= 300 && !leg->answered) {
		settle_failure(c, r, at_ns, NULL);
		return;
	}
	leg->state = leg->answered || leg->confirmed ? LEG_ENDED : LEG_UNKNOWN;
	LIST_EACH(it, &leg->dialogs) {
		struct dialog_record *d = DIALOG_RECORD(LIST_ENTRY(it, struct dialog, in_leg));

		if (d->dialog.state != DIALOG_ENDED)
			dialog_end(c, d, at_ns, NULL);
	}
	leg_end(c, r, at_ns, NULL);
}

/* The lists are in the order of last activity: only the heads can be due. */
static void idle_tick(struct calls *c, enum leg_class class, int64_t now_ns)
{
	struct list *list = &c->classes[class];

	while (list->count) {
		struct leg_record *r = LIST_ENTRY(list->head.next, struct leg_record, in_class);
		int64_t due_ns = ns_add(
			r->leg.alive_ns > r->leg.last_ns ? r->leg.alive_ns : r->leg.last_ns, c->config.idle_timeout_ns);

		if (now_ns < due_ns)
			return;
		idle(c, r, due_ns);
		leg_classify(c, r); /* it has ended: into another list */
	}
}

void legs_tick(struct calls *c, int64_t now_ns)
{
	while (c->lingering.count) {
		struct leg_record *r = LIST_ENTRY(c->lingering.head.next, struct leg_rare, lingering)->of;

		if (now_ns < r->rare->linger_ns)
			break;
		linger_over(c, r);
	}
	while (c->settling.count) {
		struct leg_record *r = LIST_ENTRY(c->settling.head.next, struct leg_rare, settling)->of;

		if (now_ns < r->rare->settle_ns)
			break;
		list_remove(&c->settling, &r->rare->settling);
		r->settles = false;
		if (!r->leg.answered && !r->leg.bye_seen && r->leg.status >= 300)
			settle_failure(c, r, r->rare->settle_ns, NULL);
		leg_classify(c, r);
	}
	if (c->config.idle_timeout_ns > 0) {
		idle_tick(c, CLASS_NOISE, now_ns);
		idle_tick(c, CLASS_EARLY, now_ns);
		if (c->media_watched)
			idle_tick(c, CLASS_LIVE, now_ns);
	}
}

/* Media keeps a call alive as well as signalling does. */
void calls_alive(struct calls *c, struct leg *leg, int64_t at_ns)
{
	struct leg_record *r = LEG_RECORD(leg);

	c->media_watched = true;
	if (at_ns <= leg->alive_ns || r->gone)
		return;
	leg->alive_ns = at_ns;
	list_remove(&c->classes[r->class], &r->in_class);
	list_add_tail(&c->classes[r->class], &r->in_class);
}

static const struct message *refusal_between(const struct leg *leg, const struct message *invite)
{
	CHAIN_EACH(it, &leg->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_leg);

		if (!m->request && m->method == SIP_INVITE && m->status >= 300 && endpoint_equal(&m->src, &invite->dst) &&
		    endpoint_equal(&m->dst, &invite->src))
			return m;
	}
	return NULL;
}

/* Does a branch behind the proxy wait for an answer still: the next one that it asks, or one beside that which refused? */
static bool branch_waits(const struct leg *leg)
{
	unsigned own_vias = UINT_MAX, walked = 0;

	CHAIN_EACH(it, &leg->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_leg);

		if (!m->request || m->method != SIP_INVITE || m->has_to_tag || ++walked > BRANCHES_WALKED)
			continue;
		own_vias = m->via_count < own_vias ? m->via_count : own_vias;
		if (m->via_count > own_vias && !refusal_between(leg, m))
			return true;
	}
	return false;
}

/* The capture is over: what still waits is told as far as it is known. */
void legs_settle(struct calls *c, int64_t last_ns)
{
	LIST_EACH(it, &c->legs) {
		struct leg_record *r = LEG_RECORD(LIST_ENTRY(it, struct leg, in_order));
		struct leg *leg = &r->leg;

		if (r->lingers && r->rare->linger_ns <= last_ns)
			linger_over(c, r);
		if (leg->answered || leg->bye_seen || leg->end_ns != NS_NONE)
			continue;
		if (leg->status == 0 && r->inner_status && !branch_waits(leg))
			leg->status = r->inner_status;
		if (leg->status >= 300)
			settle_failure(c, r, leg->last_ns, NULL);
	}
}
