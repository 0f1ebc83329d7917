/* SPDX-License-Identifier: MIT */
/* source: the table of those who ask by SIP, by the address that they come from. */
#include "analyzer/network/source.h"

#include <stdlib.h>

#include "analyzer/network/source_private.h"
#include "captures/base/memory.h"

enum {
	DEFAULT_MAX = 4096,
	ATTEMPTS = 8,                /* requests that wait for answers, for each source that there is room for */
	AGED_MAX = 32                /* so many of the oldest are asked whether they may go */
};

struct sources *sources_new(const struct sources_config *config, const struct site *site)
{
	static const struct sources_config defaults = { 10, 10, 5, 5, 50, 10, DEFAULT_MAX };
	struct sources *s = memory_zalloc(sizeof *s);

	s->config = config ? *config : defaults;
	if (!s->config.max)
		s->config.max = DEFAULT_MAX;
	s->attempts_max = s->config.max * ATTEMPTS;
	s->site = site;
	pool_init(&s->pool, sizeof(struct source));
	hash_init(&s->by_addr);
	hash_init(&s->attempts_by_key);
	hash_init(&s->aors_by_key);
	list_init(&s->in_order);
	list_init(&s->in_age);
	list_init(&s->aors);
	return s;
}

static struct source *aged_source(struct list_link *it)
{
	return LIST_ENTRY(it, struct source, in_age);
}

static void age_leave(struct sources *s, struct source *x)
{
	if (x->aged && --s->aged && s->aged_last == x)
		s->aged_last = aged_source(x->in_age.prev);
	x->aged = false;
	list_remove(&s->in_age, &x->in_age);
}

static void source_free(struct sources *s, struct source *x)
{
	list_remove(&s->in_order, &x->in_order);
	age_leave(s, x);
	hash_remove(&s->by_addr, &x->by_addr);
	s->users -= x->user_count;
	s->targets -= x->target_count;
	for (unsigned i = 0; i < x->user_count; i++)
		free(x->users[i].rejection_ns);
	if (x->targets != &x->only_target)
		free(x->targets);
	if (x->users != &x->only_user)
		free(x->users);
	free(x->target_bits);
	free(x->user_bits);
	free(x->logins);
	if (x->buckets != x->buckets_first)
		free(x->buckets);
	free(x->target_ns);
	free(x->user_ns);
	free(x->challenge_ns);
	free(x->invite_ns);
	pool_give(&s->pool, x);
}

void sources_free(struct sources *s)
{
	if (!s)
		return;
	LIST_EACH_SAFE(it, &s->in_order)
		source_free(s, LIST_ENTRY(it, struct source, in_order));
	LIST_EACH_SAFE(it, &s->aors)
		free(LIST_ENTRY(it, struct source_aor, in_order));
	pool_fini(&s->pool);
	hash_fini(&s->by_addr);
	hash_fini(&s->attempts_by_key);
	hash_fini(&s->aors_by_key);
	free(s->attempts);
	free(s);
}

struct source *source_find(const struct sources *s, const struct address *a)
{
	uint32_t hash = source_address_key(a);

	for (struct hash_link *it = hash_first(&s->by_addr, hash); it; it = it->next) {
		struct source *x = HASH_ENTRY(it, struct source, by_addr);

		if (it->hash == hash && address_equal(&x->addr, a))
			return x;
	}
	return NULL;
}

const struct source *sources_find(const struct sources *s, const struct address *a)
{
	return source_find(s, a);
}

/* What has been refused, or was let in, stays when others go. */
static bool keeps(const struct source *x)
{
	return x->rejected || x->accepted || x->served;
}

void source_age_again(struct sources *s, struct source *x)
{
	struct source *last = s->aged_last;

	if (!x->aged || keeps(x))
		return;
	for (; last != x; last = aged_source(last->in_age.prev)) {
		last->aged = false;
		s->aged--;
	}
	x->aged = false;
	s->aged--;
	s->aged_last = aged_source(x->in_age.prev);
}

/* The oldest of those that may go, if it is among the first ones; else the oldest of all. */
static struct source *leaver(struct sources *s)
{
	while (s->aged < AGED_MAX && s->aged < s->in_age.count) {
		struct source *x = aged_source(s->aged ? s->aged_last->in_age.next : s->in_age.head.next);

		if (!keeps(x))
			return x;
		x->aged = true;
		s->aged_last = x;
		s->aged++;
	}
	return aged_source(s->in_age.head.next);
}

static void make_room(struct sources *s)
{
	if (s->in_order.count < s->config.max)
		return;
	source_free(s, leaver(s));
	s->evicted++;
}

struct source *source_get(struct sources *s, const struct address *a, int64_t at_ns)
{
	struct source *x = source_find(s, a);

	if (x) {
		age_leave(s, x);
		list_add_tail(&s->in_age, &x->in_age);
		return x;
	}
	make_room(s);
	x = pool_take(&s->pool);
	memset(x, 0, offsetof(struct source, only_target));
	x->targets = &x->only_target;
	x->users = &x->only_user;
	x->addr = *a;
	x->first_ns = at_ns;
	x->accepted_ns = x->rejected_from_ns = NS_NONE;
	list_add_tail(&s->in_order, &x->in_order);
	list_add_tail(&s->in_age, &x->in_age);
	hash_add(&s->by_addr, &x->by_addr, source_address_key(a));
	return x;
}

unsigned sources_places(const struct sources *s, const struct packet *p, struct hash_place *ret)
{
	const struct address *asks = p->sip->request ? &p->src.addr : &p->dst.addr,
		*asked = p->sip->request ? &p->dst.addr : &p->src.addr;

	ret[0] = (struct hash_place){ &s->by_addr, address_hash(asks) };
	ret[1] = (struct hash_place){ &s->attempts_by_key, source_attempt_key(p->sip, asks, asked) };
	return 2;
}

void sources_packet(struct sources *s, const struct packet *p)
{
	struct hash_place at[HASH_PLACES];

	if (!p->sip)
		return;
	sources_places(s, p, at);
	sources_packet_at(s, p, at);
}

void sources_packet_at(struct sources *s, const struct packet *p, const struct hash_place *at)
{
	if (!(p->has & HAS_PORTS) || address_multicast(&p->dst.addr) || p->sip->method == SIP_METHOD_NONE)
		return;
	if (p->sip->request)
		source_request(s, p, at[1].key);
	else
		source_answer(s, p, at[1].key);
}

const struct list *sources_in_order(const struct sources *s)
{
	return &s->in_order;
}

const struct list *sources_aors(const struct sources *s)
{
	return &s->aors;
}

uint64_t sources_evicted(const struct sources *s)
{
	return s->evicted;
}
