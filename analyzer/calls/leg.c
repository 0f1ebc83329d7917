/* SPDX-License-Identifier: MIT */
/* leg: finding the leg of a message, or beginning one, and the cap on their number and bytes. */
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

static struct call_id *call_id_new(struct calls *c, struct span text, uint32_t hash)
{
	struct call_id *id = memory_zalloc(sizeof *id + text.n);

	if (text.n)
		memcpy(id + 1, text.p, text.n);
	id->text = (struct span){ (const uint8_t *)(id + 1), text.n };
	hash_init_few(&id->legs_by_tag);
	hash_init_few(&id->tags);
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
	hash_fini(&id->legs_by_tag);
	hash_fini(&id->tags);
	free(id);
}

/* The newest leg of that Call-ID. */
struct leg *leg_by_call_id(const struct calls *c, struct span call_id)
{
	const struct call_id *id = call_id_find(c, call_id, hash_span(call_id));

	return id && id->legs.count ? &LIST_ENTRY(id->legs.head.prev, struct leg_record, in_id)->leg : NULL;
}

/* Any of its Call-ID. */
bool leg_known(const struct calls *c, const struct sip_message *sip)
{
	return call_id_find(c, sip->call_id, (uint32_t)sip->keys.call_id);
}

/* ---- finding ---- */

static struct leg_record *leg_find(const struct arrival *a, const struct tag_key *from)
{
	for (struct hash_link *it = hash_first(&a->id->legs_by_tag, from->hash); it; it = it->next) {
		struct leg_record *r = HASH_ENTRY(it, struct leg_record, by_tag);

		if (it->hash == from->hash && span_equal(r->leg.from_tag, from->text))
			return r;
	}
	return NULL;
}

static struct leg_record *leg_with_callee(const struct arrival *a, const struct tag_key *callee)
{
	struct dialog_record *d = callee->text.n ? dialog_find(a, callee, NULL) : NULL;

	return d ? LEG_RECORD(d->dialog.leg) : NULL;
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

/* A REFER outside of the call that it is about (RFC 5589 6): that call is on record. */
static bool refers_to_leg(const struct calls *c, const struct sip_message *sip)
{
	struct span rest = sip_header_value(sip, SIP_H_TARGET_DIALOG), id;

	return rest.n && span_split(&rest, ';', &id) && leg_by_call_id(c, span_trim(id));
}

/* What may open a leg when nothing is known of it. OPTIONS, NOTIFY, MESSAGE and the like are no calls. */
static bool opens_leg(const struct calls *c, const struct sip_message *sip)
{
	switch (sip->method) {
	case SIP_INVITE:
	case SIP_CANCEL:
	case SIP_ACK: return true;
	case SIP_BYE:
	case SIP_PRACK:
	case SIP_UPDATE:
	case SIP_INFO: return sip->to.tag.n != 0;
	case SIP_REFER: return sip->request && (sip->to.tag.n || refers_to_leg(c, sip));
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
	if (sip->method == SIP_INVITE || sip->method == SIP_REFER)
		return sip->request && sip->to.tag.n != 0;
	return true;
}

/* Never written to: lists that are empty link to themselves. */
#define NOTHING_IN(list) \
	{ { (struct list_link *)(uintptr_t)&(list).head, (struct list_link *)(uintptr_t)&(list).head }, 0 }

const struct leg_rare leg_nothing_rare = {
	.transfers = NOTHING_IN(leg_nothing_rare.transfers),
	.subscriptions = NOTHING_IN(leg_nothing_rare.subscriptions),
	.pairs_as_child = NOTHING_IN(leg_nothing_rare.pairs_as_child),
	.pairs_as_parent = NOTHING_IN(leg_nothing_rare.pairs_as_parent),
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
	if (!a->id)
		a->id = call_id_new(c, a->sip->call_id, (uint32_t)a->sip->keys.call_id);
	r->id = a->id;
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
	list_init(&leg->places);
	r->rare = (struct leg_rare *)(uintptr_t)&leg_nothing_rare;
	hash_init_few(&r->transactions);
	hash_add(&r->id->legs_by_tag, &r->by_tag, a->from.hash);
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
	a->id = call_id_find(a->c, sip->call_id, (uint32_t)sip->keys.call_id);
	r = a->id ? leg_search(a) : NULL;
	if (r && begins_anew(a, r)) {
		hash_remove(&r->id->legs_by_tag, &r->by_tag);
		r->hashed = false;
		r = NULL;
	}
	if (!r) {
		a->client = SIDE_CALLER;
		if (!opens_leg(a->c, sip))
			return NULL;
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
	dialogs_forget(r);
	if (r->lingers)
		list_remove(&c->lingering, &r->rare->lingering);
	if (r->settles)
		list_remove(&c->settling, &r->rare->settling);
	if (r->hashed)
		hash_remove(&r->id->legs_by_tag, &r->by_tag);
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

		ahead_forget(c);         /* which may lead to it */
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

/* Half-open ones have more than their share, and all there is is taken. */
bool legs_crowded(const struct calls *c)
{
	size_t bytes = 0;

	if (!c->counts.evicted_legs || !has_too_much(c, CLASS_NOISE))
		return false;
	for (unsigned i = 0; i < CLASS_COUNT; i++)
		bytes += c->class_bytes[i];
	return bytes >= c->config.max_bytes - c->config.max_bytes / SHARES;
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

int64_t leg_over_ns(const struct leg *leg)
{
	int64_t over_ns = leg->end_ns != NS_NONE ? leg->end_ns : leg->last_ns;

	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);

		if (t->initial && t->final)
			over_ns = t->final->at.at_ns;
	}
	return over_ns;
}
