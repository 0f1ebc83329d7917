/* SPDX-License-Identifier: MIT */
/* ends: see the header. */
#include "analyzer/ends.h"

#include <stdlib.h>

#include "analyzer/network/source.h"
#include "captures/base/memory.h"

struct known {
	struct hash_link link;
	struct address addr;
};

struct ends {
	const struct facts *facts;
	struct hash registered;      /* struct known: a device registered from there with success */
	/* struct known: the end of an answered call to or from a number that no extension has */
	struct hash outward;
	struct arena *arena;
};

enum { DIGITS_OUTSIDE = 6 };

static uint32_t end_hash(const struct address *a)
{
	return (uint32_t)hash_bytes(a->bytes, sizeof a->bytes);
}

static bool is_known(const struct hash *in, const struct address *a)
{
	uint32_t hash = end_hash(a);

	for (struct hash_link *it = hash_first(in, hash); it; it = it->next) {
		if (it->hash == hash && address_equal(&HASH_ENTRY(it, struct known, link)->addr, a))
			return true;
	}
	return false;
}

static void known_add(struct ends *e, struct hash *to, const struct address *a)
{
	struct known *k;

	if (!address_known(a) || is_known(to, a))
		return;
	k = arena_zalloc(e->arena, sizeof *k);
	k->addr = *a;
	hash_add(to, &k->link, end_hash(a));
}

bool end_outside_number(struct span user)
{
	unsigned digits = 0;

	for (size_t i = 0; i < user.n; i++)
		digits += user.p[i] >= '0' && user.p[i] <= '9';
	return digits >= DIGITS_OUTSIDE || (user.n && user.p[0] == '+');
}

static void learn_leg(struct ends *e, const struct leg *leg)
{
	for (unsigned side = 0; side < 2 && leg->answered && !leg->partial; side++) {
		const struct party *p = &leg->party[side];

		if (end_outside_number(p->user))
			known_add(e, &e->outward, &p->signalling.addr);
	}
}

struct ends *ends_new(const struct facts *facts)
{
	struct ends *e = memory_zalloc(sizeof *e);

	e->facts = facts;
	e->arena = arena_new();
	hash_init(&e->registered);
	hash_init(&e->outward);
	LIST_EACH(it, calls_registrations(facts->calls)) {
		const struct registration *r = LIST_ENTRY(it, struct registration, in_order);

		if (r->succeeded)
			known_add(e, &e->registered, &r->source.addr);
	}
	LIST_EACH(it, calls_legs(facts->calls))
		learn_leg(e, LIST_ENTRY(it, struct leg, in_order));
	return e;
}

void ends_free(struct ends *e)
{
	if (!e)
		return;
	hash_fini(&e->registered);
	hash_fini(&e->outward);
	arena_free(e->arena);
	free(e);
}

/*
 * The machine that the capture was taken on, and the router whose other side it shows, are somebody's who may capture
 * there.
 */
static bool at_capture(const struct facts *facts, const struct address *a)
{
	const struct vantage *v = &facts->vantage;

	if (!v->host || !address_equal(&v->host->addr, a) || v->confidence == VANTAGE_POSSIBLE)
		return false;
	return v->kind == VANTAGE_ON_HOST || v->kind == VANTAGE_INSIDE_NAT || v->kind == VANTAGE_OUTSIDE_NAT ||
	       v->kind == VANTAGE_BOTH_SIDES;
}

bool end_named(const struct ends *e, const struct address *a)
{
	return site_peer(e->facts->site, &e->facts->site->trunk, a);
}

static bool is_phone(const struct ends *e, const struct address *a)
{
	const struct host *h = network_host_find(e->facts->network, a);

	return h && ((h->roles & 1u << ROLE_PHONE) ||
	       (h->user_agent.n && host_role_of_agent(h->user_agent) == ROLE_PHONE));
}

/*
 * A server outside is the provider's; a host that takes calls may also be a phone somewhere, unless numbers of the
 * world lie behind it.
 */
static enum end end_by_class(const struct ends *e, const struct source *s)
{
	switch (s->class) {
	case SOURCE_TRUNK: case SOURCE_OWN_SERVER:
		if (is_phone(e, &s->addr))
			return END_REMOTE;
		return s->served || is_known(&e->outward, &s->addr) ? END_PROVIDER : END_UNKNOWN;
	case SOURCE_USER:
		return END_REMOTE;
	case SOURCE_UNKNOWN: case SOURCE_ATTACKER: case SOURCE_TRUSTED:
		return END_UNKNOWN;
	}
	return END_UNKNOWN;
}

enum end end_of(const struct ends *e, const struct address *a)
{
	const struct source *s;

	if (!address_known(a))
		return END_UNKNOWN;
	if (end_named(e, a))
		return END_PROVIDER;
	if (site_own(e->facts->site, a) || at_capture(e->facts, a))
		return END_OWN;
	s = sources_find(e->facts->sources, a);
	if (s && s->class == SOURCE_ATTACKER)
		return END_UNKNOWN;
	if (is_known(&e->registered, a))
		return END_REMOTE;
	return s ? end_by_class(e, s) : END_UNKNOWN;
}
