/* SPDX-License-Identifier: MIT */
/* leg: finding the leg of a message, its states from the first INVITE to its end, and the cap on their number. */
#include "analyzer/calls/internal.h"

#include <stdlib.h>

#include "captures/base/memory.h"

enum {
	SHARES = 8,
	LEG_ELSEWHERE_BYTES = 2048   /* its Call-ID, call, clues, places of its media, hash tables: about */
};

/* ---- Call-IDs ---- */

static struct call_id *call_id_find(const struct calls *c, struct span text, uint32_t hash)
{
	for (struct hash_link *it = hash_first(&c->call_ids, hash); it; it = it->next) {
		struct call_id *id = HASH_ENTRY(it, struct call_id, by_id);

		if (it->hash == hash && span_equal(id->text, text))
			return id;
	}
	return NULL;
}

static struct call_id *call_id_add(struct calls *c, struct span text, uint32_t hash)
{
	struct call_id *id = call_id_find(c, text, hash);

	if (id)
		return id;
	id = memory_zalloc(sizeof *id + text.n);
	if (text.n)
		memcpy(id + 1, text.p, text.n);
	id->text = (struct span){ (const uint8_t *)(id + 1), text.n };
	list_init(&id->legs);
	hash_add(&c->call_ids, &id->by_id, hash);
	return id;
}

static void call_id_leave(struct calls *c, struct leg_record *r)
{
	struct call_id *id = r->id;

	list_remove(&id->legs, &r->in_id);
	if (id->legs.count)
		return;
	hash_remove(&c->call_ids, &id->by_id);
	free(id);
}

/* The newest leg of that Call-ID. */
struct leg *leg_by_call_id(const struct calls *c, struct span call_id)
{
	const struct call_id *id = call_id_find(c, call_id, hash_span(call_id));

	return id && id->legs.count ? &LIST_ENTRY(id->legs.head.prev, struct leg_record, in_id)->leg : NULL;
}

/* ---- finding ---- */

static struct leg_record *leg_find(const struct arrival *a, const struct tag_key *from)
{
	for (struct hash_link *it = hash_first(&a->c->legs_by_id, from->hash); it; it = it->next) {
		struct leg *leg = HASH_ENTRY(it, struct leg, by_id);

		if (it->hash == from->hash && span_equal(leg->call_id, a->sip->call_id) &&
			span_equal(leg->from_tag, from->text))
			return LEG_RECORD(leg);
	}
	return NULL;
}

static struct leg_record *leg_with_callee(const struct arrival *a, const struct tag_key *callee)
{
	struct dialog_record *d = callee->text.n ? dialog_find(a, callee, NULL) : NULL;

	return d ? LEG_RECORD(d->dialog.leg) : NULL;
}

static bool has_final(const struct arrival *a)
{
	return !a->sip->request && a->sip->status >= 200;
}

/*
 * Whose leg, and whose request: From and To keep the roles of the request in its responses, so that the tags say who
 * asked, wherever the message was captured. A request from the callee carries the leg's To-tag in From.
 */
static struct leg_record *leg_search(struct arrival *a)
{
	struct dialog_record *d;
	struct leg_record *r;

	if (a->to.text.n) { /* the exact dialog first: a Call-ID may serve a second time */
		d = dialog_find(a, &a->to, NULL);
		if (d && span_equal(d->dialog.leg->from_tag, a->from.text))
			return LEG_RECORD(d->dialog.leg);
		r = leg_find(a, &a->to);
		d = a->from.text.n ? dialog_find(a, &a->from, NULL) : NULL;
		if (d && span_equal(d->dialog.leg->from_tag, a->to.text)) {
			a->client = SIDE_CALLEE;
			return LEG_RECORD(d->dialog.leg);
		}
		if (r && !leg_find(a, &a->from)) {
			a->client = SIDE_CALLEE;
			return r;
		}
	}
	r = leg_find(a, &a->from);
	if (r)
		return r;
	r = leg_with_callee(a, &a->from);
	if (r) {
		a->client = SIDE_CALLEE;
		return r;
	}
	return leg_with_callee(a, &a->to);
}

/* An INVITE that begins a call although its Call-ID and From-tag were used before: redialled after the end. */
static bool begins_anew(const struct arrival *a, const struct leg_record *r)
{
	const struct leg *leg = &r->leg;
	int64_t at_ns = a->packet->at_ns;

	if (!a->sip->request || a->sip->method != SIP_INVITE || a->sip->to.tag.n || leg->partial ||
		leg->end_ns == NS_NONE || at_ns <= leg->end_ns)
		return false;
	for (int i = 0; i < INITIALS_MAX && r->initials[i]; i++) {
		for (const struct message_record *s = r->initials[i]->sightings; s; s = s->older) {
			if (s->branch == a->branch)
				return false;
		}
	}
	return leg->bye_seen || ns_minus(at_ns, leg->last_ns) > TRANSACTION_LIFE_NS;
}

/* What may open a leg when nothing is known of it. OPTIONS, NOTIFY, MESSAGE and the like are no calls. */
static bool opens_leg(const struct sip_message *sip)
{
	switch (sip->method) {
	case SIP_INVITE:
	case SIP_CANCEL:
	case SIP_ACK: return true;
	case SIP_BYE:
	case SIP_PRACK:
	case SIP_UPDATE:
	case SIP_INFO: return sip->to.tag.n != 0;
	case SIP_REFER: return sip->request && sip->to.tag.n != 0;
	case SIP_METHOD_NONE:
	case SIP_REGISTER:
	case SIP_OPTIONS:
	case SIP_NOTIFY:
	case SIP_SUBSCRIBE:
	case SIP_PUBLISH:
	case SIP_MESSAGE:
	case SIP_METHOD_OTHER: break;
	}
	return false;
}

static bool begins_in_dialog(const struct sip_message *sip)
{
	if (sip->method == SIP_INVITE)
		return sip->request && sip->to.tag.n != 0;
	return true;
}

/* Never written to: lists that are empty link to themselves. */
#define NOTHING_IN(list) \
	{ { (struct list_link *)(uintptr_t)&(list).head, (struct list_link *)(uintptr_t)&(list).head }, 0 }

const struct leg_rare leg_plain = {
	.transfers = NOTHING_IN(leg_plain.transfers),
	.subscriptions = NOTHING_IN(leg_plain.subscriptions),
	.pairs_as_child = NOTHING_IN(leg_plain.pairs_as_child),
	.pairs_as_parent = NOTHING_IN(leg_plain.pairs_as_parent),
};

struct leg_rare *leg_rare(struct leg_record *r)
{
	if (r->rare->of)
		return r->rare;
	r->rare = arena_zalloc(r->leg.arena, sizeof *r->rare);
	r->rare->of = r;
	list_init(&r->rare->transfers);
	list_init(&r->rare->subscriptions);
	list_init(&r->rare->pairs_as_child);
	list_init(&r->rare->pairs_as_parent);
	return r->rare;
}

static void leg_room(struct calls *c);

static struct leg_record *leg_new(struct arrival *a)
{
	struct calls *c = a->c;
	struct arena *arena = arena_new_in(&c->leg_chunks);
	struct leg_record *r = arena_zalloc(arena, sizeof *r);
	struct leg *leg = &r->leg;

	leg_room(c);
	r->id = call_id_add(c, a->sip->call_id, (uint32_t)a->sip->keys.call_id);
	list_add_tail(&r->id->legs, &r->in_id);
	leg->arena = arena;
	leg->call_id = r->id->text;
	leg->from_tag = arena_dup(arena, a->sip->from.tag);
	leg->n = ++c->next_leg;
	leg->state = LEG_UNKNOWN;
	leg->partial = begins_in_dialog(a->sip);
	leg->first_ns = leg->last_ns = a->packet->at_ns;
	leg->invite_ns = leg->progress_ns = leg->answer_ns = leg->bye_ns = leg->bye_answered_ns = leg->end_ns =
		leg->refer_ns = NS_NONE;
	list_init(&leg->dialogs);
	list_init(&leg->transactions);
	list_init(&leg->messages);
	list_init(&leg->places);
	r->rare = (struct leg_rare *)(uintptr_t)&leg_plain;
	hash_add(&c->legs_by_id, &leg->by_id, a->from.hash);
	r->hashed = true;
	list_add_tail(&c->legs, &leg->in_order);
	list_add_tail(&c->classes[CLASS_NOISE], &r->in_class);
	call_new(c, leg);
	return r;
}

/* Found or made; NULL: the message is of no call. Sets who asked, who wrote it, and the callee's tag as it says. */
struct leg_record *leg_of(struct arrival *a)
{
	const struct sip_message *sip = a->sip;
	struct leg_record *r;

	a->client = SIDE_CALLER;
	if (sip->call_id.n == 0)
		return NULL;
	r = leg_search(a);
	if (r && begins_anew(a, r)) {
		hash_remove(&a->c->legs_by_id, &r->leg.by_id);
		r->hashed = false;
		r = NULL;
	}
	if (!r) {
		a->client = SIDE_CALLER;
		if (!opens_leg(sip)) {
			a->c->counts.unmatched_responses += !sip->request;
			return NULL;
		}
		r = leg_new(a);
		a->leg = r;
		party_first(a);
	}
	a->leg = r;
	/* A tag that serves both sides (a spiral, a careless stack) says nothing: then the address has to. */
	if (sip->request && sip->to.tag.n && span_equal(sip->to.tag, sip->from.tag) &&
		address_known(&r->leg.party[SIDE_CALLEE].signalling.addr) &&
		endpoint_equal(&r->leg.party[SIDE_CALLEE].signalling, &a->packet->src))
		a->client = SIDE_CALLEE;
	a->author = sip->request ? a->client : side_other(a->client);
	a->callee = a->client == SIDE_CALLER ? a->to : a->from;
	return r;
}

/* ---- order and number ---- */

void leg_touch(struct calls *c, struct leg_record *r, int64_t at_ns)
{
	if (at_ns > r->leg.last_ns)
		r->leg.last_ns = at_ns;
	if (at_ns < r->leg.first_ns)
		r->leg.first_ns = at_ns;
	if (r->leg.last_ns > r->leg.call->last_ns)
		r->leg.call->last_ns = r->leg.last_ns;
	if (r->leg.first_ns < r->leg.call->first_ns)
		r->leg.call->first_ns = r->leg.first_ns;
	list_remove(&c->classes[r->class], &r->in_class);
	list_add_tail(&c->classes[r->class], &r->in_class);
}

static enum leg_class class_of(const struct leg *leg)
{
	if (leg->confirmed || leg->answered)
		return leg->end_ns == NS_NONE ? CLASS_LIVE : CLASS_DONE;
	if (leg->end_ns != NS_NONE)
		return CLASS_SPENT;
	return leg->progress_ns == NS_NONE ? CLASS_NOISE : CLASS_EARLY;
}

void leg_classify(struct calls *c, struct leg_record *r)
{
	enum leg_class class = class_of(&r->leg);

	if (class == r->class)
		return;
	list_remove(&c->classes[r->class], &r->in_class);
	c->class_bytes[r->class] -= r->bytes;
	r->class = class;
	c->class_bytes[class] += r->bytes;
	list_add_tail(&c->classes[class], &r->in_class);
}

/* Out of every table; its memory stays until the next packet, as events may still name it. */
static void leg_detach(struct calls *c, struct leg_record *r)
{
	join_forget(c, r);
	transfers_forget(c, r);
	subscriptions_forget(r);
	transactions_forget(c, r);
	dialogs_forget(c, r);
	if (r->lingers)
		list_remove(&c->lingering, &r->rare->lingering);
	if (r->settles)
		list_remove(&c->settling, &r->rare->settling);
	if (r->hashed)
		hash_remove(&c->legs_by_id, &r->leg.by_id);
	list_remove(&c->classes[r->class], &r->in_class);
	c->class_bytes[r->class] -= r->bytes;
	list_remove(&c->legs, &r->leg.in_order);
	r->gone = true;
}

void leg_remove(struct calls *c, struct leg_record *r)
{
	leg_detach(c, r);
	list_add_tail(&c->graves, &r->in_class);
}

void legs_bury(struct calls *c)
{
	while (c->graves.count) {
		struct leg_record *r = LIST_ENTRY(c->graves.head.next, struct leg_record, in_class);

		list_remove(&c->graves, &r->in_class);
		call_leave(c, &r->leg);
		call_id_leave(c, r);
		arena_free(r->leg.arena);
	}
}

static bool is_full(const struct calls *c)
{
	size_t bytes = 0;

	if (c->config.max_legs && c->legs.count >= c->config.max_legs)
		return true;
	for (unsigned i = 0; c->config.max_bytes && i < CLASS_COUNT; i++)
		bytes += c->class_bytes[i];
	return c->config.max_bytes && bytes > c->config.max_bytes;
}

/* A class that has less than its share, an eighth, is no flood. */
static bool has_too_much(const struct calls *c, enum leg_class class)
{
	return (c->config.max_legs && c->classes[class].count > c->config.max_legs / SHARES) ||
	       (c->config.max_bytes && c->class_bytes[class] > c->config.max_bytes / SHARES);
}

/*
 * Half-open noise goes first, then what failed, what rings, what is over, each down to its share; an established call
 * only when nearly all are that. In a class the one that was silent for longest; `spare` never.
 */
static struct leg_record *least_useful(const struct calls *c, const struct leg_record *spare)
{
	struct leg_record *any = NULL;

	for (unsigned class = 0; class < CLASS_COUNT; class++) {
		LIST_EACH(it, &c->classes[class]) {
			struct leg_record *r = LIST_ENTRY(it, struct leg_record, in_class);

			if (r == spare)
				continue;
			if (has_too_much(c, (enum leg_class)class))
				return r;
			any = any ? any : r;
			break;
		}
	}
	return any;
}

static bool evict_one(struct calls *c, const struct leg_record *spare)
{
	struct leg_record *r = least_useful(c, spare);

	if (!r)
		return false;
	c->counts.evicted_legs++;
	calls_emit(c, (struct calls_event){ .kind = CALLS_EVICTED, .leg = &r->leg });
	leg_remove(c, r);
	return true;
}

static void leg_room(struct calls *c)
{
	if (is_full(c))
		evict_one(c, NULL);
}

/* The message in hand has made it larger: others make room. */
void legs_fit(struct calls *c, struct leg_record *r)
{
	size_t bytes = arena_bytes(r->leg.arena) + LEG_ELSEWHERE_BYTES;

	c->class_bytes[r->class] += bytes - r->bytes;
	r->bytes = bytes;
	while (c->config.max_bytes && is_full(c) && evict_one(c, r))
		continue;
}

/* ---- states ---- */

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
void leg_answer(struct arrival *a)
{
	struct leg *leg = &a->leg->leg;
	bool before = leg->answered;

	leg->answered = true;
	count_answer(a);
	if (before)
		return;
	leg->answer_ns = a->packet->at_ns;
	leg->answer_at = message_frame(a->packet);
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
		leg->invite_at = message_frame(a->packet);
		count_call(a);
		if (leg->answered)
			count_answer(a);
	}
	if (a->packet->at_ns < leg->invite_ns) {
		leg->invite_ns = a->packet->at_ns;
		leg->invite_at = message_frame(a->packet);
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
	default: return LEG_FAILED;
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

/* BYE ends its dialog; the leg goes on only where another branch of the fork lives. */
static void hung_up(struct arrival *a)
{
	struct leg_record *r = a->leg;
	struct leg *leg = &r->leg;

	if (a->dialog)
		dialog_end(a->c, a->dialog, a->packet->at_ns, a->message);
	if (leg->bye_seen || (a->dialog && other_dialog_lives(leg, &a->dialog->dialog)))
		return;
	leg->bye_seen = true;
	leg->bye_ns = a->packet->at_ns;
	leg->bye_at = message_frame(a->packet);
	leg->ended_by_side = a->author;
	leg->end_reason = reason_header(r, a);
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

static void note_in_response(struct arrival *a)
{
	struct leg *leg = &a->leg->leg;

	if (a->sip->method == SIP_BYE && a->sip->status >= 200 && leg->bye_seen && !leg->bye_answered &&
		a->sip->status != 401 && a->sip->status != 407) {
		leg->bye_answered = true;
		leg->bye_answered_ns = a->packet->at_ns;
	}
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

/* ---- time ---- */

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

static void idle(struct calls *c, struct leg_record *r, int64_t at_ns)
{
	struct leg *leg = &r->leg;

	leg->timed_out = true;
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
		if (leg->status == 0)
			leg->status = r->inner_status;
		if (leg->status >= 300)
			settle_failure(c, r, leg->last_ns, NULL);
	}
}
