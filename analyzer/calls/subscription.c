/* SPDX-License-Identifier: MIT */
/*
 * subscription: SUBSCRIBE and the NOTIFYs that follow (RFC 6665), alone or inside a leg (the one that REFER implies).
 */
#include "analyzer/calls/internal.h"

enum { ARENA_MAX_BYTES = 16384, NAME_MAX_BYTES = 256 };

struct subscription_record {
	struct subscription subscription;
	struct hash_link by_id;
	struct list_link in_use; /* calls.subscriptions_used, by last message */
	struct list_link in_leg;
	struct arena *arena;
	uint64_t id;
};

/* From is the subscriber's in SUBSCRIBE and its answers, To in NOTIFY and its. */
static struct span subscriber_tag(const struct sip_message *sip)
{
	return sip->method == SIP_SUBSCRIBE ? sip->from.tag : sip->to.tag;
}

static uint64_t id_of(const struct sip_message *sip)
{
	struct span tag = subscriber_tag(sip);

	return hash_mix(sip->keys.call_id, hash_bytes(tag.p, tag.n));
}

static struct subscription_record *subscription_find(const struct calls *c, uint64_t id)
{
	for (struct hash_link *it = hash_first(&c->subscriptions_by_id, (uint32_t)id); it; it = it->next) {
		struct subscription_record *s = HASH_ENTRY(it, struct subscription_record, by_id);

		if (s->id == id)
			return s;
	}
	return NULL;
}

static void subscription_free(struct calls *c, struct subscription_record *s)
{
	if (s->subscription.leg)
		list_remove(&LEG_RECORD(s->subscription.leg)->rare->subscriptions, &s->in_leg);
	hash_remove(&c->subscriptions_by_id, &s->by_id);
	list_remove(&c->subscriptions, &s->subscription.in_order);
	list_remove(&c->subscriptions_used, &s->in_use);
	list_add_tail(&c->subscription_graves, &s->in_use);
}

void subscriptions_bury(struct calls *c)
{
	while (c->subscription_graves.count) {
		struct subscription_record *s =
			LIST_ENTRY(c->subscription_graves.head.next, struct subscription_record, in_use);

		list_remove(&c->subscription_graves, &s->in_use);
		arena_free(s->arena);
	}
}

static struct span text_set(struct subscription_record *s, struct span old, struct span now)
{
	if (now.n == 0 || now.n > NAME_MAX_BYTES || span_equal(old, now) || arena_bytes(s->arena) > ARENA_MAX_BYTES)
		return old;
	return arena_dup(s->arena, now);
}

static struct subscription_record *subscription_new(struct arrival *a)
{
	struct calls *c = a->c;
	struct arena *arena = arena_new();
	struct subscription_record *s = arena_zalloc(arena, sizeof *s);
	const struct sip_message *sip = a->sip;
	bool by_subscriber = sip->method == SIP_SUBSCRIBE;
	size_t max = c->config.max_registrations ? c->config.max_registrations : c->config.max_legs;

	if (max && c->subscriptions.count >= max) {
		c->counts.evicted_subscriptions++;
		subscription_free(c, LIST_ENTRY(c->subscriptions_used.head.next, struct subscription_record, in_use));
	}
	s->arena = arena;
	s->id = id_of(sip);
	s->subscription.first_ns = a->packet->at_ns;
	s->subscription.at = frame_ref_of(a->packet);
	s->subscription.resource = text_set(s, SPAN_NONE, by_subscriber ? sip->to.uri : sip->from.uri);
	s->subscription.call_id = text_set(s, SPAN_NONE, sip->call_id);
	s->subscription.notifier_at = by_subscriber ? a->packet->dst : a->packet->src;
	hash_add(&c->subscriptions_by_id, &s->by_id, (uint32_t)s->id);
	list_add_tail(&c->subscriptions, &s->subscription.in_order);
	list_add_tail(&c->subscriptions_used, &s->in_use);
	if (a->leg) {
		s->subscription.leg = &a->leg->leg;
		list_add_tail(&leg_rare(a->leg)->subscriptions, &s->in_leg);
	}
	return s;
}

/*
 * A NOTIFY that nobody subscribed to (keep-alives, message waiting) makes none; one of a subscription begun earlier
 * does.
 */
static bool opens_subscription(const struct sip_message *sip)
{
	if (!sip->request)
		return false;
	if (sip->method == SIP_SUBSCRIBE)
		return true;
	return sip->method == SIP_NOTIFY && sip->to.tag.n && sip_header_find(sip, SIP_H_SUBSCRIPTION_STATE);
}

static void notified(struct subscription_record *s, const struct sip_message *sip)
{
	struct span rest = sip_header_value(sip, SIP_H_SUBSCRIPTION_STATE), state = SPAN_NONE;

	s->subscription.notifies++;
	if (rest.n && span_split(&rest, ';', &state))
		s->subscription.state = text_set(s, s->subscription.state, span_trim(state));
}

static void request_note(struct subscription_record *s, const struct sip_message *sip)
{
	struct span rest = sip_header_value(sip, SIP_H_EVENT), event = SPAN_NONE;

	if (rest.n && span_split(&rest, ';', &event))
		s->subscription.event = text_set(s, s->subscription.event, span_trim(event));
	if (sip->method == SIP_NOTIFY)
		notified(s, sip);
	else
		s->subscription.asked_s = sip->has_expires ? sip->expires_s : s->subscription.asked_s;
}

static void response_note(struct subscription_record *s, const struct sip_message *sip)
{
	if (sip->status < 200)
		return;
	if (sip->method == SIP_NOTIFY) {
		s->subscription.notify_status = (uint16_t)sip->status;
		return;
	}
	s->subscription.status = (uint16_t)sip->status;
	if (sip->status < 300 && sip->has_expires)
		s->subscription.granted_s = sip->expires_s;
}

/* Next hops and repetitions of a NOTIFY are told by their CSeq. */
static bool seen_before(struct subscription_record *s, const struct sip_message *sip)
{
	uint32_t *last = sip->method == SIP_NOTIFY ? &s->subscription.notify_cseq : &s->subscription.subscribe_cseq;

	if (!sip->request || !sip->has_cseq)
		return false;
	if (*last == sip->cseq)
		return true;
	*last = sip->cseq;
	return false;
}

void subscription_note(struct arrival *a)
{
	const struct sip_message *sip = a->sip;
	struct subscription_record *s;

	if ((sip->method != SIP_SUBSCRIBE && sip->method != SIP_NOTIFY) || sip->call_id.n == 0 ||
		a->message->repeat == MESSAGE_COPY || a->message->repeat == MESSAGE_RETRANSMITTED)
		return;
	s = subscription_find(a->c, id_of(sip));
	if (!s && !opens_subscription(sip))
		return;
	if (!s)
		s = subscription_new(a);
	list_remove(&a->c->subscriptions_used, &s->in_use);
	list_add_tail(&a->c->subscriptions_used, &s->in_use);
	s->subscription.last_ns = a->packet->at_ns;
	if (seen_before(s, sip))
		return;
	if (sip->request)
		request_note(s, sip);
	else
		response_note(s, sip);
	calls_emit(a->c,
		(struct calls_event){ .kind = CALLS_SUBSCRIPTION,
			.leg = s->subscription.leg,
			.subscription = &s->subscription,
			.message = a->message });
}

void subscriptions_forget(struct leg_record *r)
{
	while (r->rare->subscriptions.count) {
		struct subscription_record *s =
			LIST_ENTRY(r->rare->subscriptions.head.next, struct subscription_record, in_leg);

		list_remove(&r->rare->subscriptions, &s->in_leg);
		s->subscription.leg = NULL;
	}
}

void subscriptions_free(struct calls *c)
{
	while (c->subscriptions.count)
		subscription_free(c, LIST_ENTRY(c->subscriptions_used.head.next, struct subscription_record, in_use));
	subscriptions_bury(c);
}
