/* SPDX-License-Identifier: MIT */
/* ends: see the header. */
#include "analyzer/ends.h"

#include <stdlib.h>

#include "analyzer/network/source.h"
#include "captures/base/memory.h"

struct registered {                  /* an address from which a device registered with success */
	struct hash_link link;
	struct address addr;
};

struct ends {
	const struct facts *facts;
	struct hash registered;
	struct arena *arena;
};

static uint32_t end_hash(const struct address *a)
{
	return (uint32_t)hash_bytes(a->bytes, sizeof a->bytes);
}

static bool is_registered(const struct ends *e, const struct address *a)
{
	uint32_t hash = end_hash(a);

	for (struct hash_link *it = hash_first(&e->registered, hash); it; it = it->next) {
		if (it->hash == hash && address_equal(&HASH_ENTRY(it, struct registered, link)->addr, a))
			return true;
	}
	return false;
}

static void register_add(struct ends *e, const struct address *a)
{
	struct registered *r;

	if (is_registered(e, a))
		return;
	r = arena_zalloc(e->arena, sizeof *r);
	r->addr = *a;
	hash_add(&e->registered, &r->link, end_hash(a));
}

struct ends *ends_new(const struct facts *facts)
{
	struct ends *e = memory_zalloc(sizeof *e);

	e->facts = facts;
	e->arena = arena_new();
	hash_init(&e->registered);
	LIST_EACH(it, calls_registrations(facts->calls)) {
		const struct registration *r = LIST_ENTRY(it, struct registration, in_order);

		if (r->succeeded && address_known(&r->source.addr))
			register_add(e, &r->source.addr);
	}
	return e;
}

void ends_free(struct ends *e)
{
	if (!e)
		return;
	hash_fini(&e->registered);
	arena_free(e->arena);
	free(e);
}

/* The machine that the capture was taken on, and the router whose other side it shows, are somebody's who may capture there. */
static bool at_capture(const struct facts *facts, const struct address *a)
{
	const struct vantage *v = &facts->vantage;

	if (!v->host || !address_equal(&v->host->addr, a) || v->confidence == VANTAGE_POSSIBLE)
		return false;
	return v->kind == VANTAGE_ON_HOST || v->kind == VANTAGE_INSIDE_NAT || v->kind == VANTAGE_OUTSIDE_NAT || v->kind == VANTAGE_BOTH_SIDES;
}

bool end_named(const struct ends *e, const struct address *a)
{
	return site_peer(e->facts->site, &e->facts->site->trunk, a);
}

static enum end end_by_class(const struct source *s)
{
	switch (s->class) {
	case SOURCE_TRUNK: case SOURCE_OWN_SERVER:      /* a server outside is the provider's */
		return END_PROVIDER;
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
	if (is_registered(e, a))
		return END_REMOTE;
	return s ? end_by_class(s) : END_UNKNOWN;
}
