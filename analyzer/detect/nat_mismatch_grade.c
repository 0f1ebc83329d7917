/* SPDX-License-Identifier: MIT */
/* nat_mismatch_grade: how much of a site suffers: an address that breaks one call of many, or most of them. */
#include "analyzer/detect/nat_mismatch.h"

#include "captures/base/hash.h"

enum { CALLS_CRITICAL = 3 };         /* of one or two nothing follows */

struct place {                       /* all that is seen behind one address, and its calls */
	struct hash_link by_address;
	struct address at;
	unsigned answered, broken;
};

struct grading {
	const struct facts *facts;
	struct arena *arena;
	struct hash places;
};

static uint32_t place_hash(const struct address *at)
{
	return (uint32_t)hash_bytes(at, sizeof *at);
}

static struct place *place_find(const struct grading *g, const struct address *at)
{
	uint32_t hash = place_hash(at);

	for (struct hash_link *it = hash_first(&g->places, hash); it; it = it->next) {
		struct place *p = HASH_ENTRY(it, struct place, by_address);

		if (it->hash == hash && address_equal(&p->at, at))
			return p;
	}
	return NULL;
}

/* Whose address does not work; NULL: nobody's, or it hurts nobody. */
static const struct address *owner_of(const struct finding *f)
{
	if (strcmp(f->id, "nat-address-mismatch") != 0 || f->state == FINDING_WITHDRAWN ||
	    f->severity < SEVERITY_ERROR || !f->leg_count)
		return NULL;
	for (unsigned i = 0; i < f->host_count; i++) {
		if (f->hosts[i].part == PART_CULPRIT)
			return &f->hosts[i].at.addr;
	}
	return NULL;
}

/* A call has one finding of each kind; two directions of one are rare and count as two. */
static void broken_gather(struct grading *g)
{
	LIST_EACH(it, findings_in_order(g->facts->findings)) {
		const struct finding *f = LIST_ENTRY(it, struct finding, in_order);
		const struct address *at = owner_of(f);
		struct place *p = at ? place_find(g, at) : NULL;

		if (at && !p) {
			p = arena_zalloc(g->arena, sizeof *p);
			p->at = *at;
			hash_add(&g->places, &p->by_address, place_hash(at));
		}
		if (p)
			p->broken += f->legs_total;
	}
}

/* Where the audio of that side comes from: a router or SBC may give it another address than its SIP. */
static const struct address *audio_source(const struct leg *leg, enum side side)
{
	for (unsigned i = 0; leg->confirmed && i < leg->confirmed->mslot_count; i++) {
		const struct direction *d = &leg->confirmed->mslots[i].direction[side];

		if (d->stream_count)
			return &d->streams[0]->src.addr;
	}
	return NULL;
}

static void answered_gather(struct grading *g)
{
	LIST_EACH(it, calls_legs(g->facts->calls)) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

		for (unsigned side = 0; leg->answered && side < 2; side++) {
			const struct address *source = audio_source(leg, side);
			struct place *p = place_find(g, &leg->party[side].signalling.addr),
				*audio = source ? place_find(g, source) : NULL;

			if (p)
				p->answered++;
			if (audio && audio != p)
				audio->answered++;
		}
	}
}

void nat_mismatch_grade(struct detection *d)
{
	struct grading g = { .facts = detection_facts(d), .arena = arena_new() };

	hash_init(&g.places);
	broken_gather(&g);
	if (g.places.count)
		answered_gather(&g);
	LIST_EACH(it, findings_in_order(g.facts->findings)) {
		struct finding *f = LIST_ENTRY(it, struct finding, in_order);
		const struct address *at = owner_of(f);
		const struct place *p = at ? place_find(&g, at) : NULL;

		if (p && f->confidence > CONFIDENCE_POSSIBLE && p->broken >= CALLS_CRITICAL &&
		    p->broken > p->answered / 2)
			f->severity = SEVERITY_CRITICAL;
	}
	hash_fini(&g.places);
	arena_free(g.arena);
}
