/* SPDX-License-Identifier: MIT */
/*
 * sip_alg_calls: the calls that a rewriter changes, and what those that it leaves alone have instead: another service,
 * or another way.
 */
#include "analyzer/detect/sip_alg_private.h"

#include <stdio.h>

struct census {                      /* of the calls that are not the finding's */
	unsigned calls;
	unsigned other_service;      /* signalled to another port, or over another transport */
	unsigned other_way;          /* none of their neighbours is the router or a phone of the finding */
	const struct message *example;       /* of the first with another service */
};

static const struct message *first_of(const struct leg *leg)
{
	return leg->messages.first ? LIST_ENTRY(leg->messages.first, struct message, in_leg) : NULL;
}

/* Both ends: who calls whom does not matter. */
static bool uses_service(const struct leg *leg, const struct alg_where *w)
{
	const struct message *m = first_of(leg);

	if (!m || m->transport != w->transport)
		return false;
	for (unsigned i = 0; i < leg->segment_count; i++) {
		if (leg->segments[i].a.port == w->port || leg->segments[i].b.port == w->port)
			return true;
	}
	return false;
}

static bool is_party(const struct finding *f, const struct address *a)
{
	for (unsigned i = 0; i < f->host_count; i++) {
		if (f->hosts[i].part != PART_WITNESS && address_equal(&f->hosts[i].at.addr, a))
			return true;
	}
	return false;
}

static bool passes(const struct leg *leg, const struct finding *f)
{
	for (unsigned i = 0; i < leg->segment_count; i++) {
		if (is_party(f, &leg->segments[i].a.addr) || is_party(f, &leg->segments[i].b.addr))
			return true;
	}
	return false;
}

/* ---- legs and calls, each once ---- */

struct set {
	struct arena *arena;
	struct hash table;
};

struct member {
	struct hash_link link;
	const void *record;
};

static bool set_has(const struct set *s, const void *record)
{
	uint32_t hash = (uint32_t)hash_mix((uintptr_t)record, 2);

	for (struct hash_link *it = hash_first(&s->table, hash); it; it = it->next) {
		if (it->hash == hash && HASH_ENTRY(it, struct member, link)->record == record)
			return true;
	}
	return false;
}

/* False: it was there. */
static bool set_add(struct set *s, const void *record)
{
	struct member *m;

	if (set_has(s, record))
		return false;
	m = arena_zalloc(s->arena, sizeof *m);
	m->record = record;
	hash_add(&s->table, &m->link, (uint32_t)hash_mix((uintptr_t)record, 2));
	return true;
}

static void count(struct census *n, const struct leg *leg, const struct finding *f, const struct alg_where *w)
{
	n->calls++;
	n->other_way += !passes(leg, f);
	if (uses_service(leg, w))
		return;
	n->other_service++;
	if (!n->example)
		n->example = first_of(leg);
}

static struct census census_of(const struct facts *facts, const struct alg_rewriter *r, const struct finding *f,
	struct set *calls)
{
	struct census n = { .calls = 0 };

	LIST_EACH(it, calls_legs(facts->calls)) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

		if (leg->counts_as_call && set_add(calls, leg->call))
			count(&n, leg, f, &r->where);
	}
	return n;
}

static void say_healthy(struct finding *f, const struct alg_where *w, const struct census *n)
{
	char at[ENDPOINT_TEXT];

	if (n->calls == 0)
		return;
	if (n->other_service == n->calls && n->example)
		finding_healthy(f, "the other %u of this capture use%s %s over %s, whose SIP it leaves unchanged; these use port %u over %s", n->calls,
				n->calls == 1 ? "s" : "", endpoint_text(&n->example->dst, at),
				alg_transport_name(n->example->transport), w->port,
				alg_transport_name(w->transport));
	else if (n->other_way == n->calls)
		finding_healthy(f, "the other %u of this capture %s not pass it", n->calls,
			n->calls == 1 ? "does" : "do");
}

void alg_say_calls(struct finding *f, const struct facts *facts, const struct alg_rewriter *r)
{
	struct set legs = { .arena = arena_new() }, calls = { .arena = legs.arena };
	struct census n;

	hash_init(&legs.table);
	hash_init(&calls.table);
	for (const struct alg_entry *e = r->first; e; e = e->next) {
		if (!e->item.leg || !alg_shows(&e->item) || !set_add(&legs, e->item.leg))
			continue;
		finding_leg(f, e->item.leg);
		set_add(&calls, e->item.leg->call);
	}
	if (f->leg_count) {
		n = census_of(facts, r, f, &calls);
		say_healthy(f, &r->where, &n);
	}
	hash_fini(&legs.table);
	hash_fini(&calls.table);
	arena_free(legs.arena);
}
