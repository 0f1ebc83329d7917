/* SPDX-License-Identifier: MIT */
/* lookup: which indexes there are over calls and streams, each made when first asked for; the smallest of them. */
#include "analyzer/detect/lookup_private.h"

#include <stdlib.h>

#include "analyzer/detect/attempts.h"
#include "analyzer/detect/even_loss.h"
#include "analyzer/detect/half_known.h"
#include "analyzer/detect/latching.h"
#include "analyzer/detect/leg_keys.h"
#include "analyzer/detect/passages.h"
#include "analyzer/detect/phone_calls.h"
#include "analyzer/detect/port_edges.h"
#include "analyzer/detect/sip_alg.h"
#include "captures/base/memory.h"

enum { KEY_TESTS = 400000 };

struct lookup *lookup_new(const struct facts *facts)
{
	struct lookup *l = memory_zalloc(sizeof *l);

	l->facts = facts;
	l->key_tests = KEY_TESTS;
	l->arena = arena_new();
	hash_init(&l->copies);
	hash_init(&l->replies);
	hash_init(&l->carried);
	hash_init(&l->named);
	hash_init(&l->early);
	hash_init(&l->sources);
	hash_init(&l->senders);
	hash_init(&l->tls);
	return l;
}

void lookup_free(struct lookup *l)
{
	if (!l)
		return;
	hash_fini(&l->copies);
	hash_fini(&l->replies);
	hash_fini(&l->carried);
	hash_fini(&l->named);
	hash_fini(&l->early);
	hash_fini(&l->sources);
	hash_fini(&l->senders);
	hash_fini(&l->tls);
	arena_free(l->arena);
	attempts_free(l->attempts);
	phone_calls_free(l->phone_calls);
	leg_keys_free(l->leg_keys);
	latching_free(l->latching);
	half_known_free(l->half_known);
	port_edges_free(l->port_edges);
	passages_free(l->passages);
	free(l->repeated);
	free(l->between);
	free(l->taken);
	free(l->orphans);
	free(l);
}

unsigned *lookup_key_tests(struct lookup *l)
{
	return &l->key_tests;
}

struct arena *lookup_arena(struct lookup *l)
{
	return l->arena;
}

const struct alg_evidence *lookup_alg_evidence(struct lookup *l)
{
	if (!l->alg)
		l->alg = alg_evidence_new(l->facts, l->arena);
	return l->alg;
}

struct attempts *lookup_attempts(struct lookup *l)
{
	if (!l->attempts)
		l->attempts = attempts_new(l->facts->calls, l->facts->capture->last_ns);
	return l->attempts;
}

struct phone_calls *lookup_phone_calls(struct lookup *l)
{
	if (!l->phone_calls)
		l->phone_calls = phone_calls_new(l->facts);
	return l->phone_calls;
}

struct leg_keys *lookup_leg_keys(struct lookup *l)
{
	if (!l->leg_keys)
		l->leg_keys = leg_keys_new(l->facts->calls);
	return l->leg_keys;
}

struct latching *lookup_latching(struct lookup *l)
{
	if (!l->latching)
		l->latching = latching_new(l->facts->calls);
	return l->latching;
}

struct passages *lookup_passages(struct lookup *l)
{
	if (!l->passages)
		l->passages = passages_new(l->facts->calls);
	return l->passages;
}

unsigned lookup_even_loss(struct lookup *l)
{
	if (!l->even_made)
		l->even_loss = even_loss(l->facts);
	l->even_made = true;
	return l->even_loss;
}

const struct port_edges *lookup_port_edges(struct lookup *l)
{
	if (!l->port_edges)
		l->port_edges = port_edges_new(l->facts);
	return l->port_edges;
}

const struct half_known *lookup_half_known(struct lookup *l)
{
	if (!l->half_known)
		l->half_known = half_known_new(l->facts->calls);
	return l->half_known;
}

/* ---- hosts that all packets pass ---- */

/* Of the hosts found so far those that are an end of this pair, too. */
static unsigned hubs_keep(const struct network *n, const struct address *hubs[2], unsigned count, const struct pair *p)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < count; i++) {
		if (network_same(n, hubs[i], &p->src) || network_same(n, hubs[i], &p->dst))
			hubs[kept++] = hubs[i];
	}
	return kept;
}

static void hubs_make(struct lookup *l)
{
	const struct network *n = l->facts->network;
	bool begun = false;

	l->hubs_made = true;
	LIST_EACH(it, network_pairs(n)) {
		const struct pair *p = LIST_ENTRY(it, struct pair, in_order);

		if (p->sip + p->rtp + p->rtcp == 0)
			continue;
		if (!begun) {
			l->hubs[0] = &p->src;
			l->hubs[1] = &p->dst;
			l->hub_count = 2;
			begun = true;
		}
		l->hub_count = hubs_keep(n, l->hubs, l->hub_count, p);
		if (l->hub_count == 0)
			return;
	}
}

unsigned lookup_hubs(struct lookup *l, const struct address *ret[2])
{
	if (!l->hubs_made)
		hubs_make(l);
	ret[0] = l->hubs[0];
	ret[1] = l->hubs[1];
	return l->hub_count;
}

/* ---- pairs of addresses ---- */

static uint32_t pair_hash(const struct address *src, const struct address *dst)
{
	struct address key[2] = { *src, *dst };

	return (uint32_t)hash_bytes(key, sizeof key);
}

struct lookup_pair *lookup_pair_find(const struct hash *table, const struct address *src, const struct address *dst)
{
	uint32_t hash = pair_hash(src, dst);

	for (struct hash_link *it = hash_first(table, hash); it; it = it->next) {
		struct lookup_pair *p = HASH_ENTRY(it, struct lookup_pair, link);

		if (it->hash == hash && address_equal(&p->src, src) && address_equal(&p->dst, dst))
			return p;
	}
	return NULL;
}

struct lookup_pair *lookup_pair_add(struct lookup *l, struct hash *table, const struct address *src,
	const struct address *dst)
{
	struct lookup_pair *p = lookup_pair_find(table, src, dst);

	if (p)
		return p;
	p = arena_zalloc(l->arena, sizeof *p);
	p->src = *src;
	p->dst = *dst;
	hash_add(table, &p->link, pair_hash(src, dst));
	return p;
}
