/* SPDX-License-Identifier: MIT */
/*
 * calls: the door. A message goes to its leg, registration or subscription; what follows from it comes back as events.
 */
#include "analyzer/calls/internal.h"

#include <stdlib.h>

#include "captures/base/memory.h"

enum {
	QUEUE_FIRST = 64,
	/* bytes: a live call without texts takes four, and one piece of its own for the leg */
	LEG_CHUNK = 688
};

#define REPLAY_NS (64 * SECOND_NS)           /* twice the time for which a request is repeated */

static const char *const state_names[] = {
	[LEG_CALLING] = "unknown",
	[LEG_RINGING] = "ringing",
	[LEG_ANSWERED] = "answered",
	[LEG_ENDED] = "ended",
	[LEG_FAILED] = "failed",
	[LEG_BUSY] = "busy",
	[LEG_DECLINED] = "declined",
	[LEG_REDIRECTED] = "redirected",
	[LEG_CANCELLED] = "cancelled",
	[LEG_UNKNOWN] = "unknown",
};

static const char *const join_names[] = {
	[JOIN_NONE] = "none",
	[JOIN_SESSION_ID] = "session-id",
	[JOIN_HEADER] = "header",
	[JOIN_MEDIA] = "media",
	[JOIN_DIRECT_MEDIA] = "direct-media",
	[JOIN_ORIGIN] = "origin",
	[JOIN_REPLACES] = "replaces",
	[JOIN_REDIRECT] = "redirect",
	[JOIN_CALL_ID] = "call-id",
	[JOIN_SCORE] = "score",
};

const char *leg_state_name(enum leg_state s)
{
	return state_names[s];
}

const char *leg_join_name(enum leg_join j)
{
	return join_names[j];
}

struct calls *calls_new(const struct calls_config *config)
{
	struct calls *c = memory_zalloc(sizeof *c);
	struct list *lists[] = { &c->calls, &c->legs, &c->registrations, &c->subscriptions, &c->transfers,
		&c->lingering, &c->waiting, &c->settling, &c->graves, &c->registration_graves, &c->registrations_poor,
		&c->registrations_good, &c->subscriptions_used, &c->subscription_graves, &c->clues_by_age };
	struct hash *tables[] = { &c->call_ids, &c->clues, &c->registrations_by_key, &c->registrations_by_id,
		&c->subscriptions_by_id };

	c->config = *config;
	c->now_ns = NS_NONE;
	c->scratch = memory_zalloc(sizeof *c->scratch);
	c->common = arena_new();
	pool_init(&c->leg_chunks, LEG_CHUNK);
	pool_init(&c->clue_pool, sizeof(struct clue));
	pool_init(&c->key_pool, sizeof(struct clue_key));
	pool_init(&c->call_pool, sizeof(struct call));
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
		list_init(lists[i]);
	for (size_t i = 0; i < CLASS_COUNT; i++)
		list_init(&c->classes[i]);
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
		hash_init(tables[i]);
	return c;
}

void calls_free(struct calls *c)
{
	struct hash *tables[] = { &c->call_ids, &c->clues, &c->registrations_by_key, &c->registrations_by_id,
		&c->subscriptions_by_id };

	if (!c)
		return;
	while (c->legs.count)
		leg_remove(c, LEG_RECORD(LIST_ENTRY(c->legs.head.next, struct leg, in_order)));
	legs_bury(c);
	registrations_free(c);
	subscriptions_free(c);
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
		hash_fini(tables[i]);
	free(c->scratch);
	free(c->repaired);
	free(c->stray_reason);
	arena_free(c->common);
	pool_fini(&c->leg_chunks);
	pool_fini(&c->clue_pool);
	pool_fini(&c->key_pool);
	pool_fini(&c->call_pool);
	free(c->queue);
	free(c);
}

/* ---- events ---- */

void calls_emit(struct calls *c, struct calls_event event)
{
	if (c->queued == c->queue_room) {
		c->queue_room = c->queue_room ? c->queue_room * 2 : QUEUE_FIRST;
		c->queue = memory_resize(c->queue, c->queue_room, sizeof *c->queue);
	}
	c->queue[c->queued++] = event;
}

/* What does not fit waits for the next call: the order stays. */
static size_t hand_over(struct calls *c, struct calls_event events[CALLS_EVENT_MAX])
{
	size_t n = c->queued - c->handed < CALLS_EVENT_MAX ? c->queued - c->handed : CALLS_EVENT_MAX;

	if (n)
		memcpy(events, c->queue + c->handed, n * sizeof *events);
	c->handed += n;
	if (c->handed == c->queued)
		c->handed = c->queued = 0;
	return n;
}

/* ---- a message ---- */

static void arrival_init(struct arrival *a, struct calls *c, const struct packet *p, bool copy)
{
	const struct sip_message *sip = p->sip;
	const struct sip_keys *keys = &sip->keys;
	uint64_t rseq = 0;

	*a = (struct arrival){ .c = c, .packet = p, .sip = sip, .copy = copy };
	a->from = (struct tag_key){ sip->from.tag, (uint32_t)keys->from_tag };
	a->to = (struct tag_key){ sip->to.tag, (uint32_t)keys->to_tag };
	a->branch = message_branch(sip);
	a->body = hash_bytes(sip->body.p, sip->body.n);
	if (!sip->request && span_number(sip_header_value(sip, SIP_H_RSEQ), UINT32_MAX, &rseq)) {
		a->rseq = (uint32_t)rseq;
		a->reliable =
			sip->status > 100 && sip->status < 200 && sip_header_lists(sip, SIP_H_REQUIRE, SPAN("100rel"));
	}
}

/* A response whose CSeq cannot be read still says by its Via which INVITE it answers. */
static void cseq_repair(struct arrival *a)
{
	struct calls *c = a->c;

	if (a->sip->request || a->sip->method != SIP_METHOD_NONE)
		return;
	for (int i = 0; i < INITIALS_MAX && a->leg->initials[i]; i++) {
		for (const struct message_record *s = a->leg->initials[i]->sightings; s; s = s->older) {
			if (!s->message.request || s->message.method != SIP_INVITE || s->branch != a->branch)
				continue;
			if (!c->repaired)
				c->repaired = memory_zalloc(sizeof *c->repaired);
			*c->repaired = *a->sip;
			c->repaired->method = SIP_INVITE;
			c->repaired->cseq = s->message.cseq;
			a->sip = c->repaired;
			return;
		}
	}
}

static bool is_challenge(unsigned status)
{
	return status == 401 || status == 407;
}

/* Before the leg takes note of the message: leg->status is that of the INVITE before. */
static bool is_rough(const struct arrival *a)
{
	const struct message *m = a->message;
	const struct leg *leg = &a->leg->leg;

	if (m->repeat != MESSAGE_FIRST || a->rseq)
		return true;
	if (m->method != SIP_INVITE)
		return (m->method != SIP_ACK && m->method != SIP_BYE) || m->status >= 300;
	if (!m->request)
		return !m->transaction->initial || (m->status >= 300 && !is_challenge(m->status));
	return m->has_to_tag || (leg->initial_invite_seen && !is_challenge(leg->status));
}

/* Copies, too: what is routed from VLAN to VLAN is seen in both. */
static void note_vlan(struct leg *leg, const struct packet *p)
{
	uint16_t vlan = p->vlan_count ? p->vlan[0] : 0;

	if (leg->vlan_known)
		leg->vlans_differ |= vlan != leg->vlan;
	else
		leg->vlan = vlan;
	leg->vlan_known = true;
}

/* Everything about one message of a leg, in the order in which one part needs the other. */
static void leg_message(struct arrival *a)
{
	struct leg_record *r = a->leg;

	cseq_repair(a);
	leg_touch(a->c, r, a->packet->at_ns);
	note_vlan(&r->leg, a->packet);
	a->transaction = transaction_get(a);
	if (!a->transaction) {
		r->leg.rough = true;
		leg_note(a); /* too long a leg: only its end is of interest */
		return;
	}
	a->message = message_new(a);
	join_ahead(a);
	transaction_note(a);
	r->leg.rough |= is_rough(a);
	headers_note(a);
	calls_emit(a->c,
		(struct calls_event){ .kind = CALLS_MESSAGE,
			.leg = &r->leg,
			.message = a->message,
			.transaction = &a->transaction->transaction });
	if (a->message->repeat == MESSAGE_COPY)
		return;
	for (unsigned i = 0; i < a->clue_count; i++)
		hash_ask_record(&a->clues[i]);
	segment_note(a);
	party_note(a);
	dialog_note(a);
	offer_answer_note(a);
	leg_note(a);
	join_note(a);
	transfer_note(a);
	subscription_note(a);
	leg_classify(a->c, r);
}

/* Was this INVITE, to the branch, among those that began the leg? */
static bool began_leg(const struct arrival *a)
{
	for (int i = 0; i < INITIALS_MAX && a->leg->initials[i]; i++) {
		for (const struct message_record *s = a->leg->initials[i]->sightings; s; s = s->older) {
			if (s->message.request && s->message.method == SIP_INVITE && s->branch == a->branch &&
			    s->message.cseq == a->sip->cseq)
				return true;
		}
	}
	return false;
}

/*
 * The INVITE of a call that has long been over, or where the capture has lost that an answer to it: nobody repeats them so
 * late (RFC 3261 17.1: 32 s). A recording is played again, or two captures of the same are put together with other times.
 */
static bool is_replay(struct arrival *a)
{
	struct leg *leg = &a->leg->leg;

	if (leg->replayed)
		return true;
	if (a->sip->method != SIP_INVITE || (a->sip->request && a->sip->to.tag.n) || leg->end_ns == NS_NONE ||
	    ns_minus(a->packet->at_ns, leg->last_ns) < REPLAY_NS || !began_leg(a))
		return false;
	a->c->counts.replayed_legs++;
	return leg->replayed = true;
}

/* Every way that a message takes through its leg ends here. */
static void leg_message_fit(struct arrival *a)
{
	if (is_replay(a))
		return;
	leg_message(a);
	legs_fit(a->c, a->leg);
}

static const struct phrase *stray_reason(struct calls *c, struct span s)
{
	if (s.n == 0)
		return NULL;
	if (s.n > c->stray_room) {
		c->stray_reason = memory_resize(c->stray_reason, 1, sizeof *c->stray_reason + s.n);
		c->stray_room = s.n;
	}
	c->stray_reason->next = NULL;
	c->stray_reason->n = (uint32_t)s.n;
	memcpy(c->stray_reason->p, s.p, s.n);
	return c->stray_reason;
}

/* Neither of a call nor a registration: told, not kept. */
static void stray_message(struct arrival *a)
{
	a->c->stray = (struct message){ 0 };
	a->message = &a->c->stray;
	message_fill(a->message, a);
	a->message->reason = stray_reason(a->c, a->sip->reason);
	if (a->copy)
		a->message->repeat = MESSAGE_COPY;
}

/* Its record serves the next one too: what is handed over only then must not name it. */
static void stray_unname(struct calls *c, size_t from)
{
	size_t kept = from;

	for (size_t i = from; i < c->queued; i++) {
		c->queue[i].message = NULL;
		if (c->queue[i].kind != CALLS_MESSAGE)
			c->queue[kept++] = c->queue[i];
	}
	c->queued = kept;
}

static void other_message(struct arrival *a)
{
	size_t waiting = a->c->queued;

	stray_message(a);
	if (a->sip->method == SIP_REGISTER)
		registration_note(a);
	else
		subscription_note(a);
	calls_emit(a->c, (struct calls_event){ .kind = CALLS_MESSAGE, .message = a->message,
		.registration = a->registration });
	if (waiting)
		stray_unname(a->c, waiting);
}

/* Nobody looks at the last events any more. */
static void bury(struct calls *c)
{
	legs_bury(c);
	registrations_bury(c);
	subscriptions_bury(c);
}

size_t calls_message(struct calls *c, const struct packet *p, bool copy, struct calls_event events[CALLS_EVENT_MAX])
{
	struct arrival a;

	if (c->queued == 0)
		bury(c);
	if (p->kind != PACKET_SIP || !p->sip)
		return hand_over(c, events);
	ahead_step(c);
	arrival_init(&a, c, p, copy);
	c->counts.messages++;
	if (p->at_ns > c->now_ns)
		c->now_ns = p->at_ns;
	a.leg = a.sip->method == SIP_REGISTER ? NULL : leg_of(&a);
	if (a.leg)
		leg_message_fit(&a);
	else
		other_message(&a);
	return hand_over(c, events);
}

size_t calls_more(struct calls *c, struct calls_event events[CALLS_EVENT_MAX])
{
	return hand_over(c, events);
}

/* ---- time ---- */

size_t calls_tick(struct calls *c, int64_t now_ns, struct calls_event events[CALLS_EVENT_MAX])
{
	if (c->queued)
		return hand_over(c, events);
	bury(c);
	if (now_ns > c->now_ns)
		c->now_ns = now_ns;
	transactions_tick(c, c->now_ns);
	legs_tick(c, c->now_ns);
	registrations_tick(c, c->now_ns);
	return hand_over(c, events);
}

void calls_finish(struct calls *c, int64_t last_ns)
{
	unsigned n = 0;

	if (c->queued == 0)
		bury(c);                 /* the evicted are not numbered */
	legs_settle(c, last_ns);
	join_skewed(c);
	registrations_settle(c, last_ns);
	LIST_EACH(it, &c->calls)
		LIST_ENTRY(it, struct call, in_order)->n = ++n;
}

/* ---- views ---- */

struct calls_counts calls_counts(const struct calls *c)
{
	return c->counts;
}

const struct list *calls_in_order(const struct calls *c)
{
	return &c->calls;
}

const struct list *calls_legs(const struct calls *c)
{
	return &c->legs;
}

const struct list *calls_registrations(const struct calls *c)
{
	return &c->registrations;
}

const struct list *calls_subscriptions(const struct calls *c)
{
	return &c->subscriptions;
}

const struct list *calls_transfers(const struct calls *c)
{
	return &c->transfers;
}
