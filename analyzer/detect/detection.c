/* SPDX-License-Identifier: MIT */
/* detection: the contract of detector.h, kept. */
#include "analyzer/detect/detection.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "captures/base/memory.h"

struct slot {                        /* what belongs to one detector, one scope and one key */
	struct hash_link by_key;
	struct list_link in_order;
	const struct detector *detector;
	const void *scope;
	uint64_t key;
	struct finding *finding;
	void *state;
	bool raised;                 /* in this round of judging */
};

struct asked {                       /* where the rows of a leg stand */
	struct hash_link by_leg;
	const struct leg *leg;
	unsigned index;
};

struct taker {
	const struct detector *detector;
	void *state;                 /* of no scope and key 0, once asked for: such a slot never goes */
};

struct takers {                      /* detectors that take a kind of event, in the order of the registry */
	struct taker *list;
	unsigned count;
};

struct detections {
	struct takers takers[EVENT_KIND_COUNT];
	const struct facts *facts;
	struct findings *findings;
	struct hash slots;
	struct list order;
	struct withheld *withheld;
	unsigned withheld_count, withheld_room;
	const struct detector *asked; /* --why-not */
	unsigned asked_call;         /* n, 0: all */
	char asked_call_id[128];     /* or a Call-ID; "" none */
	struct why_not *why_not;
	unsigned why_not_count, why_not_room;
	struct hash asked_legs;
};

struct detection {
	struct detections *all;
	const struct detector *detector;
	const struct event *event;
	const void *scope;
	struct taker *taker;
};

/* ---- slots ---- */

/* All of one scope stand in one chain, so that they can go with it. */
static uint32_t slot_hash(const struct detector *d, const void *scope, uint64_t key)
{
	return (uint32_t)(scope ? hash_mix(1, (uintptr_t)scope) : hash_mix(hash_mix(2, (uintptr_t)d), key));
}

static struct slot *slot_find(const struct detections *ds, const struct detector *d, const void *scope, uint64_t key)
{
	uint32_t hash = slot_hash(d, scope, key);

	for (struct hash_link *it = hash_first(&ds->slots, hash); it; it = it->next) {
		struct slot *s = HASH_ENTRY(it, struct slot, by_key);

		if (it->hash == hash && s->detector == d && s->scope == scope && s->key == key)
			return s;
	}
	return NULL;
}

static struct slot *slot_add(struct detections *ds, const struct detector *d, const void *scope, uint64_t key)
{
	struct slot *s = slot_find(ds, d, scope, key);

	if (s)
		return s;
	s = memory_zalloc(sizeof *s);
	*s = (struct slot){ .detector = d, .scope = scope, .key = key };
	s->state = d->state_size ? memory_zalloc(d->state_size) : NULL;
	hash_add(&ds->slots, &s->by_key, slot_hash(d, scope, key));
	list_add_tail(&ds->order, &s->in_order);
	return s;
}

static void slot_free(struct slot *s)
{
	if (s->state && s->detector->forget)
		s->detector->forget(s->state);
	free(s->state);
	free(s);
}

/* ---- life ---- */

static void ask(struct detections *ds, const char *why_not)
{
	const char *colon = strchr(why_not, ':');
	size_t n = colon ? (size_t)(colon - why_not) : strlen(why_not);
	char id[64];
	uint64_t call;

	snprintf(id, sizeof id, "%.*s", (int)(n < sizeof id ? n : sizeof id - 1), why_not);
	ds->asked = registry_find(id);
	if (!colon)
		return;
	if (span_number(span_of(colon + 1), 1u << 30, &call))
		ds->asked_call = (unsigned)call;
	else
		snprintf(ds->asked_call_id, sizeof ds->asked_call_id, "%s", colon + 1);
}

static void takers_find(struct detections *ds)
{
	unsigned count;
	const struct detector *const *all = registry_all(&count);

	for (unsigned kind = 0; kind < EVENT_KIND_COUNT; kind++) {
		struct takers *t = &ds->takers[kind];

		for (unsigned i = 0; i < count; i++) {
			if (!(all[i]->events & EVENT_BIT(kind)))
				continue;
			t->list = memory_resize(t->list, t->count + 1u, sizeof *t->list);
			t->list[t->count++] = (struct taker){ all[i], NULL };
		}
	}
}

struct detections *detections_new(const struct facts *facts, struct findings *findings, const char *why_not)
{
	struct detections *ds = memory_zalloc(sizeof *ds);

	takers_find(ds);
	ds->facts = facts;
	ds->findings = findings;
	hash_init(&ds->slots);
	list_init(&ds->order);
	hash_init(&ds->asked_legs);
	if (why_not)
		ask(ds, why_not);
	return ds;
}

static uint32_t asked_hash(const struct leg *leg)
{
	return (uint32_t)hash_mix(3, (uintptr_t)leg);
}

static struct asked *asked_find(const struct detections *ds, const struct leg *leg)
{
	uint32_t hash = asked_hash(leg);

	for (struct hash_link *it = hash_first(&ds->asked_legs, hash); it; it = it->next) {
		if (it->hash == hash && HASH_ENTRY(it, struct asked, by_leg)->leg == leg)
			return HASH_ENTRY(it, struct asked, by_leg);
	}
	return NULL;
}

static void why_not_free(struct detections *ds, struct why_not *w)
{
	struct asked *a = asked_find(ds, w->leg);

	for (unsigned i = 0; i < w->row_count; i++)
		free(w->rows[i].text);
	free(w->rows);
	hash_remove(&ds->asked_legs, &a->by_leg);
	free(a);
}

static void clear_notes(struct detections *ds)
{
	ds->withheld_count = 0;
	for (unsigned i = 0; i < ds->why_not_count; i++)
		why_not_free(ds, &ds->why_not[i]);
	ds->why_not_count = 0;
}

void detections_free(struct detections *ds)
{
	if (!ds)
		return;
	LIST_EACH_SAFE(it, &ds->order)
		slot_free(LIST_ENTRY(it, struct slot, in_order));
	clear_notes(ds);
	for (unsigned kind = 0; kind < EVENT_KIND_COUNT; kind++)
		free(ds->takers[kind].list);
	free(ds->why_not);
	free(ds->withheld);
	hash_fini(&ds->slots);
	hash_fini(&ds->asked_legs);
	free(ds);
}

/* ---- events ---- */

static const struct leg *event_leg(const struct event *ev)
{
	if (ev->leg)
		return ev->leg;
	if (ev->direction)
		return ev->direction->slot->dialog->leg;
	return ev->stream && ev->stream->direction ? ev->stream->direction->slot->dialog->leg : NULL;
}

static const void *scope_of(enum scope scope, const struct event *ev)
{
	switch (scope) {
	case PER_CALL:
		return event_leg(ev);
	case PER_DIRECTION:
		return ev->direction;
	case PER_STREAM:
		return ev->stream;
	case PER_DIALOG:
		return ev->dialog;
	case PER_ACCOUNT:
	case PER_BINDING:
		return ev->registration;
	case PER_SUBSCRIPTION:
	case PER_SOCKET:
	case PER_HOST:
	case PER_HOST_PAIR:
	case GLOBAL:
		return NULL;         /* told apart by key */
	}
	return NULL;
}

void detections_event(struct detections *ds, const struct event *ev)
{
	const struct takers *t = &ds->takers[ev->kind];
	struct detection d = { .all = ds, .event = ev };

	for (unsigned i = 0; i < t->count; i++) {
		d.taker = &t->list[i];
		d.detector = d.taker->detector;
		d.scope = d.detector->scope == GLOBAL ? NULL : scope_of(d.detector->scope, ev);
		d.detector->event(&d, ev);
	}
}

void detections_forget(struct detections *ds, const void *scope)
{
	uint32_t hash = slot_hash(NULL, scope, 0);

	for (struct hash_link *it = hash_first(&ds->slots, hash), *next; it; it = next) {
		struct slot *s = HASH_ENTRY(it, struct slot, by_key);

		next = it->next;
		if (it->hash != hash || s->scope != scope)
			continue;
		if (s->finding)
			findings_remove(ds->findings, s->finding);
		hash_remove(&ds->slots, &s->by_key);
		list_remove(&ds->order, &s->in_order);
		slot_free(s);
	}
}

void detections_judging(struct detections *ds)
{
	clear_notes(ds);
	LIST_EACH(it, &ds->order)
		LIST_ENTRY(it, struct slot, in_order)->raised = false;
}

void detections_judged(struct detections *ds)
{
	LIST_EACH(it, &ds->order) {
		struct slot *s = LIST_ENTRY(it, struct slot, in_order);

		if (s->finding && !s->raised)
			s->finding->state = FINDING_WITHDRAWN;
	}
}

/* ---- what detectors call ---- */

void *detection_state(struct detection *d)
{
	if (d->scope)
		return slot_add(d->all, d->detector, d->scope, 0)->state;
	if (!d->taker->state)
		d->taker->state = slot_add(d->all, d->detector, NULL, 0)->state;
	return d->taker->state;
}

double detection_key(const struct detection *d, const char *name)
{
	return config_value_in(d->all->facts->config, d->detector->keys, name);
}

double detection_config(const struct detection *d, const char *section, const char *name)
{
	return config_value(d->all->facts->config, section, name);
}

const struct facts *detection_facts(const struct detection *d)
{
	return d->all->facts;
}

static bool asked_for(const struct detection *d, const struct leg *leg)
{
	const struct detections *ds = d->all;

	if (ds->asked != d->detector)
		return false;
	if (ds->asked_call)
		return leg && leg->call && leg->call->n == ds->asked_call;
	if (ds->asked_call_id[0])
		return leg && span_find_text(leg->call_id, span_of(ds->asked_call_id)) < leg->call_id.n;
	return true;
}

static struct why_not *why_not_of(struct detection *d, const struct leg *leg)
{
	struct detections *ds = d->all;
	struct asked *a = asked_find(ds, leg);

	if (a)
		return &ds->why_not[a->index];
	if (ds->why_not_count == ds->why_not_room) {
		ds->why_not_room = ds->why_not_room ? ds->why_not_room * 2 : 16;
		ds->why_not = memory_resize(ds->why_not, ds->why_not_room, sizeof *ds->why_not);
	}
	a = memory_zalloc(sizeof *a);
	a->leg = leg;
	a->index = ds->why_not_count++;
	hash_add(&ds->asked_legs, &a->by_leg, asked_hash(leg));
	ds->why_not[a->index] = (struct why_not){ .leg = leg };
	return &ds->why_not[a->index];
}

static void add_row(struct detection *d, bool holds, bool decided, const char *row, const char *format, va_list ap)
{
	const struct leg *leg = event_leg(d->event);
	struct why_not *w;
	char text[400];
	int n = 0;

	if (!asked_for(d, leg))
		return;
	if (row)
		n = snprintf(text, sizeof text, "%s: ", row);
	vsnprintf(text + n, sizeof text - (size_t)n, format, ap);
	w = why_not_of(d, leg);
	w->rows = memory_resize(w->rows, w->row_count + 1u, sizeof *w->rows);
	w->rows[w->row_count++] = (struct reason_row){ holds, decided, memory_text(text) };
}

uint64_t direction_key(const struct direction *d)
{
	return hash_mix(hash_mix((uintptr_t)d->slot->dialog, d->slot->mline), d->sender);
}

/* Live, each judgement is a process of its own, which may make directions anew; all other scopes were there before. */
static uint64_t scope_key(const struct detection *d)
{
	if (d->detector->scope == PER_DIRECTION && d->event->direction)
		return direction_key(d->event->direction);
	return (uintptr_t)d->scope;
}

static void forget(struct slot *s, const char *reason, enum severity severity, enum confidence c)
{
	struct finding *f = s->finding;

	findings_reset(f);
	f->reason = reason;
	f->severity = severity;
	f->confidence = c;
	f->state = FINDING_CLOSED;
}

struct finding *detection_raise_keyed(struct detection *d, uint64_t key, const char *reason, enum severity s,
	enum confidence c)
{
	struct slot *slot = slot_add(d->all, d->detector, d->scope, key);

	if (c == CONFIDENCE_POSSIBLE && s > d->detector->possible_max)
		s = d->detector->possible_max;
	if (slot->finding)
		forget(slot, reason, s, c);
	else
		slot->finding = findings_add(d->all->findings, d->detector, d->detector->id, reason, s, c);
	slot->raised = true;
	slot->finding->identity = hash_mix(hash_mix(hash_mix(4, (uintptr_t)d->detector), scope_key(d)), key);
	slot->finding->direction = d->event->direction ? d->event->direction : d->event->stream
		? d->event->stream->direction : NULL;
	slot->finding->stream = d->event->stream;
	if (asked_for(d, event_leg(d->event)))
		why_not_of(d, event_leg(d->event))->found = true;
	return slot->finding;
}

struct finding *detection_raise(struct detection *d, const char *reason, enum severity s, enum confidence c)
{
	return detection_raise_keyed(d, 0, reason, s, c);
}

void detection_pass(struct detection *d, const char *row, const char *format, ...)
{
	va_list ap;

	if (d->all->asked != d->detector)    /* nearly always */
		return;
	va_start(ap, format);
	add_row(d, false, true, row, format, ap);
	va_end(ap);
}

void detection_note(struct detection *d, bool holds, const char *format, ...)
{
	va_list ap;

	if (d->all->asked != d->detector)
		return;
	va_start(ap, format);
	add_row(d, holds, false, NULL, format, ap);
	va_end(ap);
}

/* A leg's directions are judged one after the other: its repetitions stand at the end. */
static bool is_withheld(const struct detections *ds, const char *id, const char *gate, struct span call_id)
{
	for (unsigned i = ds->withheld_count; i > 0 && ds->withheld_count - i < 8; i--) {
		const struct withheld *w = &ds->withheld[i - 1];

		if (w->id == id && w->gate == gate && span_equal(w->call_id, call_id))
			return true;
	}
	return false;
}

void detection_withhold(struct detection *d, const struct leg *leg, const char *gate, const char *format, ...)
{
	struct detections *ds = d->all;
	struct span call_id = leg ? leg->call_id : SPAN_NONE;
	va_list ap;

	if (ds->asked == d->detector) {
		va_start(ap, format);
		add_row(d, false, true, gate, format, ap);
		va_end(ap);
		if (asked_for(d, event_leg(d->event)))
			why_not_of(d, event_leg(d->event))->gate = gate;
	}
	if (is_withheld(ds, d->detector->id, gate, call_id))
		return;
	if (ds->withheld_count == ds->withheld_room) {
		ds->withheld_room = ds->withheld_room ? ds->withheld_room * 2 : 16;
		ds->withheld = memory_resize(ds->withheld, ds->withheld_room, sizeof *ds->withheld);
	}
	ds->withheld[ds->withheld_count++] = (struct withheld){ d->detector->id, call_id, gate };
}

const struct withheld *detections_withheld(const struct detections *ds, unsigned *ret_count)
{
	*ret_count = ds->withheld_count;
	return ds->withheld;
}

const struct why_not *detections_why_not(const struct detections *ds, unsigned *ret_count)
{
	*ret_count = ds->why_not_count;
	return ds->why_not;
}
