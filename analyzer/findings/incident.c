/* SPDX-License-Identifier: MIT */
/*
 * incident: findings with one cause. Two calls or more that share cause, reason and culprit within five minutes of one
 * another.
 */
#include "analyzer/findings/internal.h"
#include "analyzer/findings/more_legs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "captures/base/arena.h"
#include "captures/base/hash.h"
#include "captures/base/memory.h"

void incidents_clear(struct findings *f)
{
	LIST_EACH_SAFE(it, &f->incidents) {
		struct incident *i = LIST_ENTRY(it, struct incident, in_order);

		free(i->findings);
		free(i->title);
		free(i);
	}
	list_init(&f->incidents);
	LIST_EACH(it, &f->all)
		LIST_ENTRY(it, struct finding, in_order)->incident = NULL;
}

/* Who is to blame: the culprit, else the victim all have in common. family 0: nobody. */
static struct address blamed(const struct finding *f)
{
	for (unsigned i = 0; i < f->host_count; i++) {
		if (f->hosts[i].part == PART_CULPRIT)
			return f->hosts[i].at.addr;
	}
	for (unsigned i = 0; i < f->host_count; i++) {
		if (f->hosts[i].part == PART_VICTIM)
			return f->hosts[i].at.addr;
	}
	return (struct address){ .family = 0 };
}

static bool stands_alone(const struct finding *f)
{
	return f->state != FINDING_WITHDRAWN && f->severity > SEVERITY_INFO && !f->explained_by && f->leg_count;
}

/* Incidents of one id, reason and culprit, in the order in which they were begun: apart in time. */
struct kin {
	struct hash_link link;
	const struct finding *root;
	struct incident **incidents;
	unsigned count, room;
};

struct kinships {
	struct hash table;
	struct arena *arena;
};

static uint32_t kin_hash(const struct finding *f, const struct address *blame)
{
	uint64_t hash = hash_mix(hash_bytes(f->id, strlen(f->id)), hash_bytes(f->reason, strlen(f->reason)));

	return (uint32_t)hash_mix(hash, hash_bytes(blame, sizeof *blame));
}

static bool is_kin(const struct finding *a, const struct finding *b)
{
	struct address one = blamed(a), other = blamed(b);

	return strcmp(a->id, b->id) == 0 && strcmp(a->reason, b->reason) == 0 && address_equal(&one, &other);
}

/* Found or made; NULL: nobody is to blame, and nothing is shared. */
static struct kin *kin_add(struct kinships *all, const struct finding *f)
{
	struct address blame = blamed(f);
	uint32_t hash = kin_hash(f, &blame);
	struct kin *k;

	if (!address_known(&blame))
		return NULL;
	for (struct hash_link *it = hash_first(&all->table, hash); it; it = it->next) {
		k = HASH_ENTRY(it, struct kin, link);
		if (it->hash == hash && is_kin(k->root, f))
			return k;
	}
	k = arena_zalloc(all->arena, sizeof *k);
	k->root = f;
	hash_add(&all->table, &k->link, hash);
	return k;
}

static void kin_join(struct kinships *all, struct kin *k, struct incident *i)
{
	if (k->count == k->room) {
		struct incident **more = arena_zalloc(all->arena, (k->room ? k->room * 2 : 2) * sizeof *more);

		if (k->count)
			memcpy(more, k->incidents, k->count * sizeof *more);
		k->incidents = more;
		k->room = k->room ? k->room * 2 : 2;
	}
	k->incidents[k->count++] = i;
}

static bool meets(const struct incident *i, const struct finding *f, int64_t window_ns)
{
	return f->first_ns <= ns_add(i->last_ns, window_ns) && f->last_ns >= ns_add(i->first_ns, -window_ns);
}

static void incident_add(struct incident *i, struct finding *f)
{
	if (i->finding_count == i->finding_room) {
		i->finding_room = i->finding_room ? i->finding_room * 2 : 8;
		i->findings = memory_resize(i->findings, i->finding_room, sizeof *i->findings);
	}
	i->findings[i->finding_count++] = f;
	i->first_ns = f->first_ns < i->first_ns ? f->first_ns : i->first_ns;
	i->last_ns = f->last_ns > i->last_ns ? f->last_ns : i->last_ns;
	i->severity = f->severity > i->severity ? f->severity : i->severity;
	i->confidence = f->confidence > i->confidence ? f->confidence : i->confidence;
}

static struct incident *incident_of(struct findings *all, struct kinships *kinships, struct finding *f,
	int64_t window_ns)
{
	struct kin *k = kin_add(kinships, f);
	struct incident *i;

	for (unsigned n = 0; k && n < k->count; n++) {
		if (meets(k->incidents[n], f, window_ns))
			return k->incidents[n];
	}
	i = memory_zalloc(sizeof *i);
	i->root = f;
	i->first_ns = f->first_ns;
	i->last_ns = f->last_ns;
	list_add_tail(&all->incidents, &i->in_order);
	if (k)
		kin_join(kinships, k, i);
	return i;
}

/*
 * One finding that is about several calls, and knows who is to blame: a router that rewrites forty calls is one
 * incident as it is.
 */
static bool of_many_calls(const struct finding *f)
{
	bool culprit = false;

	for (unsigned i = 0; i < f->host_count && !culprit; i++)
		culprit = f->hosts[i].part == PART_CULPRIT;
	for (unsigned i = 1; i < f->leg_count && culprit; i++) {
		if (f->legs[i].leg->call != f->legs[0].leg->call)
			return true;
	}
	return false;
}

static bool same_call(const struct incident *i)
{
	for (unsigned k = 0; k < i->finding_count; k++) {
		if (of_many_calls(i->findings[k]))
			return false;
	}
	for (unsigned k = 1; k < i->finding_count; k++) {
		if (i->findings[k]->legs[0].leg->call != i->findings[0]->legs[0].leg->call)
			return false;
	}
	return true;
}

static bool hurts_hearing(const struct finding *f)
{
	return strcmp(f->id, "one-way-audio") == 0 || strcmp(f->id, "no-audio") == 0 ||
	       (strcmp(f->id, "nat-address-mismatch") == 0 && f->direction);
}

static int number_compare(const void *a, const void *b)
{
	const unsigned *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Different calls; two legs of one may each have a finding. */
static unsigned calls_of(const struct incident *i)
{
	unsigned *numbers, legs = 0, n = 0, count = 1;

	for (unsigned k = 0; k < i->finding_count; k++)
		legs += i->findings[k]->legs_total;
	numbers = memory_resize(NULL, legs, sizeof *numbers);
	for (unsigned k = 0; k < i->finding_count; k++) {
		const struct finding *f = i->findings[k];

		for (unsigned l = 0; l < f->leg_count; l++)
			numbers[n++] = f->legs[l].leg->call->n;
		if (!f->more_legs)
			continue;
		LIST_EACH(it, &f->more_legs->in_order)
			numbers[n++] = LIST_ENTRY(it, struct more_leg, in_order)->leg->call->n;
	}
	qsort(numbers, n, sizeof *numbers, number_compare);
	for (unsigned k = 1; k < n; k++)
		count += numbers[k] != numbers[k - 1];
	free(numbers);
	return count;
}

static const char *effect_of(const char *id)
{
	if (strcmp(id, "one-way-audio") == 0)
		return "are one-way";
	return strcmp(id, "no-audio") == 0 ? "are silent" : "suffer";
}

static void name_incident(struct incident *i)
{
	const char *act_end = strstr(i->root->title.p, ": ");
	struct address a = blamed(i->root);
	unsigned calls = i->calls_total = calls_of(i);
	char at[ADDRESS_TEXT], title[200], told[TEXT_COUNT + 8], count[TEXT_COUNT];

	snprintf(told, sizeof told, "%s calls", text_count(calls, count));
	if (of_many_calls(i->root) && act_end && strstr(act_end, told))        /* "answers 403: 4 calls fail" */
		snprintf(title, sizeof title, "%s", i->root->title.p);
	else if (of_many_calls(i->root))        /* it says what it does to them all */
		snprintf(title, sizeof title, "%.*s: %u calls",
			act_end ? (int)(act_end - i->root->title.p) : (int)i->root->title.n, i->root->title.p, calls);
	/* "The PBX 10.0.0.5 sends to a private address", and then not one victim but all */
	else if (act_end)
		snprintf(title, sizeof title, "%.*s: %u calls %s", (int)(act_end - i->root->title.p), i->root->title.p,
			calls, effect_of(i->root->id));
	else
		snprintf(title, sizeof title, "%u calls %s, one cause: %s at %s", calls, effect_of(i->root->id),
			i->root->reason, address_text(&a, at));
	i->title = memory_text(title);
	/* three calls and more that nobody hears: whoever depends on that host cannot telephone */
	if (i->finding_count >= 3 && hurts_hearing(i->root) && i->severity < SEVERITY_CRITICAL &&
	    i->confidence >= CONFIDENCE_LIKELY)
		i->severity = SEVERITY_CRITICAL;
}

void incidents_settle(struct findings *f, int64_t window_ns)
{
	struct kinships kinships = { .arena = arena_new() };
	unsigned n = 0;

	hash_init(&kinships.table);
	incidents_clear(f);
	LIST_EACH(it, &f->all) {
		struct finding *x = LIST_ENTRY(it, struct finding, in_order);

		if (stands_alone(x))
			incident_add(incident_of(f, &kinships, x, window_ns), x);
	}
	hash_fini(&kinships.table);
	arena_free(kinships.arena);
	LIST_EACH_SAFE(it, &f->incidents) {
		struct incident *i = LIST_ENTRY(it, struct incident, in_order);

		if ((i->finding_count < 2 && !of_many_calls(i->root)) || same_call(i)) {
			list_remove(&f->incidents, &i->in_order);
			free(i->findings);
			free(i);
			continue;
		}
		i->n = ++n;
		name_incident(i);
		for (unsigned k = 0; k < i->finding_count; k++)
			i->findings[k]->incident = i;
	}
}
