/* SPDX-License-Identifier: MIT */
/*
 * offer_answer: RFC 3264 in SIP (RFC 3261 13-14, 3262, 3311, 6337): the table of 1.1.3, its rows named where they are
 * decided.
 */
#include "analyzer/calls/internal.h"

/* ---- copies of one description on its way ---- */

/* Hops from the author: a request gathers Vias on its way, a response loses them. */
static bool nearer_author(const struct message *x, const struct message *y)
{
	return x->request ? x->via_count < y->via_count : x->via_count > y->via_count;
}

/* Most descriptions are seen at one place. */
static void copies_room(struct sdp_copies *copies, struct arena *arena)
{
	unsigned room = copies->room == 0 ? 1 : copies->room == 1 ? 2 : SDP_COPIES_MAX;
	const struct message **grown;

	if (copies->count < copies->room)
		return;
	grown = arena_zalloc(arena, room * sizeof *grown);
	if (copies->count)
		memcpy(grown, copies->seen, copies->count * sizeof *grown);
	copies->seen = grown;
	copies->room = (uint16_t)room;
}

/* A list of its own: either may grow. */
static struct sdp_copies copies_of(const struct sdp_copies *copies, struct arena *arena)
{
	struct sdp_copies ret = { 0 };

	while (ret.count < copies->count) {
		copies_room(&ret, arena);
		ret.seen[ret.count] = copies->seen[ret.count];
		ret.count++;
	}
	return ret;
}

static void copies_add(struct sdp_copies *copies, const struct message *m)
{
	unsigned at = copies->count;

	for (unsigned i = 0; i < copies->count; i++) {
		if (messages_same_pair(copies->seen[i], m) && sdp_same(copies->seen[i]->sdp, m->sdp))
			return;
	}
	while (at > 0 && nearer_author(m, copies->seen[at - 1]))
		at--;
	if (at == SDP_COPIES_MAX)
		at--; /* the first and the last hop say most */
	if (copies->count == SDP_COPIES_MAX)
		copies->count--;
	copies_room(copies, message_leg(m)->arena);
	memmove(copies->seen + at + 1, copies->seen + at, (copies->count - at) * sizeof copies->seen[0]);
	copies->seen[at] = m;
	copies->count++;
}

static const struct sdp *said_by(const struct exchange *e, enum side side)
{
	const struct sdp_copies *copies = e->offerer == side ? &e->offer : &e->answer;

	return copies->count ? copies->seen[0]->sdp : NULL;
}

/* ---- exchanges ---- */

static struct exchange *exchange_new(struct arrival *a, enum exchange_kind kind, enum side offerer)
{
	struct transaction_record *t = a->transaction;
	struct dialog_record *d = a->dialog;
	struct exchange *e = arena_zalloc(a->leg->leg.arena, sizeof *e);

	e->kind = kind;
	e->offerer = offerer;
	e->transaction = &t->transaction;
	e->offered_ns = a->packet->at_ns;
	e->preview_ns = e->stable_ns = e->stable_last_hop_ns = NS_NONE;
	list_add_tail(&d->dialog.exchanges, &e->in_dialog);
	if (t->transaction.initial)
		d->initial = e;
	else
		t->exchange = e;
	return e;
}

static void exchange_tell(struct arrival *a, struct exchange *e, enum calls_event_kind kind)
{
	a->dialog->dialog.changed = true;
	calls_emit(a->c,
		(struct calls_event){ .kind = kind,
			.leg = &a->leg->leg,
			.dialog = &a->dialog->dialog,
			.exchange = e,
			.transaction = &a->transaction->transaction,
			.message = a->message });
}

static void exchange_is(struct arrival *a, struct exchange *e, enum exchange_state state)
{
	e->state = state;
	if (a->dialog->awaiting == e)
		a->dialog->awaiting = NULL;
	exchange_tell(a, e, CALLS_STABLE);
}

/* Rows 13, 14. */
static void compare_with_last(struct exchange *e, const struct exchange *last)
{
	bool equal = true;

	for (enum side side = SIDE_CALLER; side <= SIDE_CALLEE; side++) {
		const struct sdp *now = said_by(e, side), *before = said_by(last, side);

		if (!now || !before) {
			equal = false;
			continue;
		}
		if (sdp_same(now, before))
			continue;
		equal = false;
		if (now->version && now->version == before->version)
			e->version_flaw = true;
	}
	e->refresh = equal;
}

static void stable_times(struct exchange *e)
{
	e->stable_ns = INT64_MAX;
	for (unsigned i = 0; i < e->answer.count; i++) {
		const struct message *m = e->answer.seen[i];

		if (m->at.at_ns >= e->stable_ns)
			continue;
		e->stable_ns = m->at.at_ns;
		e->stable_at = m->at;
	}
	e->stable_last_hop_ns = e->answer.seen[e->answer.count - 1]->at.at_ns;
}

static void exchange_stable(struct arrival *a, struct exchange *e)
{
	struct dialog_record *d = a->dialog;

	if (!e->answer_assumed)
		stable_times(e);
	if (d->stable && d->stable != e)
		compare_with_last(e, d->stable);
	d->stable = e;
	exchange_is(a, e, EXCHANGE_STABLE);
}

static void answered_with(struct arrival *a, struct exchange *e)
{
	copies_add(&e->answer, a->message);
	exchange_stable(a, e);
}

/* The same answer on its next hop. */
static void answer_forwarded(struct arrival *a, struct exchange *e)
{
	copies_add(&e->answer, a->message);
	stable_times(e);
	a->dialog->dialog.changed = true;
}

/* ---- the offer of the initial INVITE, on the way that led to this dialog ---- */

static bool is_offer(const struct message_record *s)
{
	return s->message.request && s->message.method == SIP_INVITE && s->message.sdp;
}

static bool answered_here(const struct arrival *a, const struct transaction_record *t, const struct message *request)
{
	for (const struct message_record *s = t->sightings; s; s = s->older) {
		if (!s->message.request && s->message.dialog == &a->dialog->dialog &&
			endpoint_equal(&s->message.src, &request->dst) && endpoint_equal(&s->message.dst, &request->src))
			return true;
	}
	return false;
}

/* Several INVITEs so many hops from the caller are branches of a fork, or one seen on both sides of a NAT. */
static bool branch_answered(const struct arrival *a, const struct transaction_record *t, uint32_t via_count)
{
	for (const struct message_record *s = t->sightings; s; s = s->older) {
		if (is_offer(s) && s->message.via_count == via_count && answered_here(a, t, &s->message))
			return true;
	}
	return false;
}

static void offers_on_way(const struct arrival *a, const struct transaction_record *t, struct sdp_copies *copies)
{
	const struct message *oldest_last[TRANSACTION_SIGHTINGS_MAX];
	unsigned n = 0;

	for (const struct message_record *s = t->sightings; s; s = s->older) {
		if (is_offer(s) && (answered_here(a, t, &s->message) || !branch_answered(a, t, s->message.via_count)))
			oldest_last[n++] = &s->message;
	}
	while (n)
		copies_add(copies, oldest_last[--n]);
}

/* A proxy that answers a challenge itself counts CSeq up: the hops before it are another transaction. */
static void offers_upstream(const struct arrival *a, const struct transaction_record *t, struct sdp_copies *copies)
{
	uint32_t vias = copies->count ? copies->seen[0]->via_count : UINT32_MAX;

	for (int i = 0; i < INITIALS_MAX && a->leg->initials[i]; i++) {
		const struct transaction_record *other = a->leg->initials[i];

		if (other == t || other->least_vias == 0 || other->least_vias >= vias)
			continue;
		for (const struct message_record *s = other->sightings; s; s = s->older) {
			if (is_offer(s) && s->message.via_count < vias)
				copies_add(copies, &s->message);
		}
		return; /* the last attempt only */
	}
}

static void offer_gather(const struct arrival *a, struct exchange *e)
{
	const struct transaction_record *t = (const struct transaction_record *)e->transaction;

	e->offer.count = 0;
	offers_on_way(a, t, &e->offer);
	offers_upstream(a, t, &e->offer);
	for (unsigned i = 0; i < e->offer.count; i++) {
		if (e->offer.seen[i]->at.at_ns < e->offered_ns)
			e->offered_ns = e->offer.seen[i]->at.at_ns;
	}
}

/* Row 1, told when there is a dialog to hold it. */
static struct exchange *initial_exchange(struct arrival *a)
{
	const struct message *invite = a->transaction->transaction.request;
	struct dialog_record *d = a->dialog;

	if (d->initial || !invite || !invite->sdp)
		return d->initial;
	exchange_new(a, EXCHANGE_INITIAL, (enum side)a->transaction->transaction.by);
	offer_gather(a, d->initial);
	exchange_tell(a, d->initial, CALLS_OFFER);
	return d->initial;
}

static struct exchange *exchange_of(const struct arrival *a)
{
	return a->transaction->transaction.initial ? a->dialog->initial : a->transaction->exchange;
}

/* ---- requests ---- */

static void offer_in_request(struct arrival *a, enum exchange_kind kind)
{
	struct exchange *e = a->transaction->exchange;

	if (e) {
		copies_add(&e->offer, a->message);
		a->dialog->dialog.changed = true;
		return;
	}
	e = exchange_new(a, kind, a->author);
	copies_add(&e->offer, a->message);
	exchange_tell(a, e, CALLS_OFFER);
}

/* Rows 7 and 8: ACK or PRACK closes what a response offered. */
static void close_delayed(struct arrival *a, struct exchange *e)
{
	if (a->message->sdp)
		answered_with(a, e);
	else if (!a->message->cut)
		exchange_is(a, e, EXCHANGE_NO_ANSWER);
}

/* Only the 2xx was captured, its INVITE was not: SDP in the ACK says that the 2xx was the offer. */
static bool was_offer_after_all(const struct exchange *e, const struct arrival *a)
{
	return !e->delayed && e->offer.count == 0 && e->state == EXCHANGE_STABLE && a->message->sdp &&
		!e->transaction->request;
}

static void turn_round(struct arrival *a, struct exchange *e)
{
	e->delayed = true;
	e->offer = e->answer;
	e->answer = (struct sdp_copies){ 0 };
	e->offerer = side_other(e->offerer);
	e->offered_ns = e->stable_ns;
	answered_with(a, e);
}

static void note_ack(struct arrival *a)
{
	struct exchange *e = exchange_of(a);

	if (!e)
		return;
	if (e->delayed && e->state == EXCHANGE_OFFERED)
		close_delayed(a, e);
	else if (was_offer_after_all(e, a))
		turn_round(a, e);
	else if (e->delayed && a->message->sdp && a->author != e->offerer &&
		(e->state == EXCHANGE_NO_ANSWER || (e->state == EXCHANGE_STABLE && e->answer.count == 0)))
		answered_with(a, e);
	else if (e->delayed && e->state == EXCHANGE_STABLE && a->message->sdp && e->answer.seen[0]->method == SIP_ACK)
		answer_forwarded(a, e);
}

static void note_prack(struct arrival *a)
{
	struct exchange *open = a->dialog->awaiting, *initial = a->dialog->initial;

	if (open && open->offerer != a->author) {
		close_delayed(a, open);
		return;
	}
	if (!a->message->sdp)
		return;
	if (!a->transaction->exchange && initial && initial->delayed && initial->answer.count &&
		initial->answer.seen[0]->transaction == a->message->transaction)
		answer_forwarded(a, initial);
	else
		offer_in_request(a, EXCHANGE_PRACK); /* row 9 */
}

static void note_request(struct arrival *a)
{
	switch (a->sip->method) {
	case SIP_INVITE:
		if (!a->transaction->transaction.initial && a->message->sdp)
			offer_in_request(a, EXCHANGE_REINVITE); /* row 10 */
		break;
	case SIP_UPDATE:
		if (a->message->sdp)
			offer_in_request(a, EXCHANGE_UPDATE); /* row 9 */
		break;
	case SIP_ACK: note_ack(a); break;
	case SIP_PRACK: note_prack(a); break;
	case SIP_METHOD_NONE:
	case SIP_BYE:
	case SIP_CANCEL:
	case SIP_REGISTER:
	case SIP_OPTIONS:
	case SIP_INFO:
	case SIP_REFER:
	case SIP_NOTIFY:
	case SIP_SUBSCRIBE:
	case SIP_PUBLISH:
	case SIP_MESSAGE:
	case SIP_METHOD_OTHER: break; /* row 16 */
	}
}

/* ---- responses ---- */

/* Row 6: the first reliable response to an INVITE without SDP offers; row 11 the same in a re-INVITE. */
static void offer_in_response(struct arrival *a)
{
	const struct transaction *t = &a->transaction->transaction;
	struct exchange *e = exchange_new(a, t->initial ? EXCHANGE_INITIAL : EXCHANGE_REINVITE, a->author);

	e->delayed = true;
	copies_add(&e->offer, a->message);
	a->dialog->awaiting = e;
	exchange_tell(a, e, CALLS_OFFER);
}

/* Row 2. */
static void note_preview(struct arrival *a, struct exchange *e)
{
	const struct message *m = a->message;

	if (m->repeat == MESSAGE_FIRST && e->preview.count && !sdp_same(e->preview.seen[0]->sdp, m->sdp))
		e->preview.count = 0;
	copies_add(&e->preview, m);
	if (e->preview_ns == NS_NONE || m->at.at_ns < e->preview_ns)
		e->preview_ns = m->at.at_ns;
	if (e->state == EXCHANGE_OFFERED)
		exchange_is(a, e, EXCHANGE_PREVIEW);
	else
		a->dialog->dialog.changed = true;
}

/* A 2xx after a reliable 1xx repeats its answer; one that does not, replaces it (row 3). */
static void note_answer_again(struct arrival *a, struct exchange *e)
{
	const struct message *m = a->message;

	if (e->answer.count && e->answer.seen[0]->status / 100 == m->status / 100) {
		answer_forwarded(a, e);
		return;
	}
	for (unsigned i = 0; i < e->answer.count; i++) {
		if (messages_same_pair(e->answer.seen[i], m) && !sdp_same(e->answer.seen[i]->sdp, m->sdp)) {
			e->answer_changed = true;
			e->answer.count = 0;
			answered_with(a, e);
			return;
		}
	}
}

static bool accepts(const struct arrival *a)
{
	return a->sip->status >= 200 || a->reliable;
}

static void sdp_in_response(struct arrival *a)
{
	struct transaction *t = &a->transaction->transaction;
	struct exchange *e = t->initial ? initial_exchange(a) : a->transaction->exchange;

	if (!e && t->method != SIP_INVITE)
		return;
	if (!e && t->request) {
		if (accepts(a) && !t->request->cut)
			offer_in_response(a);
		return;
	}
	if (!e) { /* the request was not captured */
		if (!accepts(a))
			return;
		e = exchange_new(a, t->initial ? EXCHANGE_INITIAL : EXCHANGE_REINVITE, (enum side)t->by);
		exchange_tell(a, e, CALLS_OFFER);
	}
	if (e->offerer == a->author) {
		if (e->state == EXCHANGE_OFFERED && accepts(a))
			copies_add(&e->offer, a->message);
	} else if (e->state == EXCHANGE_STABLE && accepts(a)) {
		note_answer_again(a, e);
	} else if (e->state == EXCHANGE_STABLE || !accepts(a)) {
		if (e->state != EXCHANGE_STABLE)
			note_preview(a, e);
	} else {
		answered_with(a, e); /* rows 3, 4 */
	}
}

/* Row 5: a 2xx without SDP takes the preview for the answer. */
static void accepted_without_sdp(struct arrival *a)
{
	struct transaction *t = &a->transaction->transaction;
	struct exchange *e = t->method == SIP_INVITE && t->initial ? initial_exchange(a) : a->transaction->exchange;

	if (!e || a->message->cut)
		return;
	if (e->state == EXCHANGE_PREVIEW) {
		e->answer = copies_of(&e->preview, a->leg->leg.arena);
		e->answer_assumed = true;
		e->stable_ns = e->stable_last_hop_ns = a->packet->at_ns;
		e->stable_at = a->message->at;
		exchange_stable(a, e);
	} else if (e->state == EXCHANGE_STABLE && e->answer_assumed) {
		e->stable_last_hop_ns = a->packet->at_ns;
	} else if (e->state == EXCHANGE_OFFERED && !e->delayed) {
		exchange_is(a, e, EXCHANGE_NO_ANSWER);
	}
}

/* Rows 9, 10, 12: the old session goes on. */
static void refused(struct arrival *a)
{
	struct exchange *e = exchange_of(a);

	if (e && (e->state == EXCHANGE_OFFERED || e->state == EXCHANGE_PREVIEW))
		exchange_is(a, e, EXCHANGE_REJECTED);
}

static bool carries_answers(const struct transaction *t)
{
	return t->method == SIP_INVITE || t->method == SIP_UPDATE || t->method == SIP_PRACK;
}

static void note_response(struct arrival *a)
{
	if (!carries_answers(&a->transaction->transaction) || a->sip->status == 100)
		return;
	if (a->sip->status >= 300)
		refused(a);
	else if (a->message->sdp)
		sdp_in_response(a);
	else if (a->sip->status >= 200)
		accepted_without_sdp(a);
	else if (a->transaction->transaction.initial)
		initial_exchange(a);
	if (a->transaction->transaction.initial && a->dialog->initial && !a->dialog->initial->delayed)
		offer_gather(a, a->dialog->initial);
}

/* Row 15: repetitions say nothing new. */
void offer_answer_note(struct arrival *a)
{
	if (!a->dialog && !a->sip->request && a->transaction->transaction.dialog)
		a->dialog = DIALOG_RECORD(a->transaction->transaction.dialog); /* a refusal without To-tag */
	if (!a->dialog || a->message->repeat == MESSAGE_RETRANSMITTED)
		return;
	if (a->sip->request)
		note_request(a);
	else
		note_response(a);
}
