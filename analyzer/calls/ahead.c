/* SPDX-License-Identifier: MIT */
/*
 * ahead: what the next messages will touch is asked for: all buckets of a batch, then the Call-IDs in them, then, while
 * the messages before it are at work, the leg of each and what lies behind it. Nothing is decided here: what is taken
 * for a message's leg may be another one of the same hash, or of the same Call-ID.
 */
#include "analyzer/calls/internal.h"

enum { LINKS_WALKED = 2, LINE = 64 };

static void ask(const void *p, size_t bytes)
{
	__asm__ volatile("");
	for (size_t at = 0; at < bytes; at += LINE)
		__builtin_prefetch((const uint8_t *)p + at, 1);
}

static void call_id_ask(const struct ahead *m)
{
	const struct hash_link *link = hash_first(m->place.table, (uint32_t)m->place.key);

	if (link)
		ask(HASH_ENTRY(link, struct call_id, by_id), sizeof(struct call_id) + LINE); /* and its text */
}

static const struct call_id *call_id_at(const struct hash_place *p)
{
	const struct hash_link *it = hash_first(p->table, (uint32_t)p->key);

	for (unsigned i = 0; it && it->hash != (uint32_t)p->key; it = it->next) {
		if (++i == LINKS_WALKED)
			return NULL;
	}
	return it ? HASH_ENTRY(it, struct call_id, by_id) : NULL;
}

/* Of several with one Call-ID any will do: which it is would be a look at them. */
static void leg_ask(struct ahead *m)
{
	const struct call_id *id = call_id_at(&m->place);

	if (!id)
		return;
	m->leg = hash_first(&id->legs_by_tag, 0);
	m->tag = hash_first(&id->tags, 0);
	if (m->leg)
		ask(HASH_ENTRY(m->leg, struct leg_record, by_tag), sizeof(struct leg_record));
	if (m->tag)
		ask(m->tag, sizeof(struct tag));
}

static void behind_leg_ask(const struct ahead *m)
{
	const struct leg_record *r = m->leg ? HASH_ENTRY(m->leg, struct leg_record, by_tag) : NULL;
	const struct hash_link *newest = r ? hash_first(&r->transactions, 0) : NULL;

	if (!r)
		return;
	ask(r->leg.call, 1);
	ask(r->leg.messages.last, 1);
	ask(r->in_class.prev, 1);
	ask(r->in_class.next, 1);
	ask(r->leg.segments, 1);
	arena_ask(r->leg.arena);
	if (newest)
		ask(HASH_ENTRY(newest, struct transaction_record, by_key), sizeof(struct transaction_record));
	if (m->tag)
		ask(HASH_ENTRY(m->tag, struct tag, by_tag)->dialog, sizeof(struct dialog_record));
}

void calls_ahead(struct calls *c, const struct packet *const *messages, unsigned count)
{
	c->ahead_count = count < AHEAD_MAX ? count : AHEAD_MAX;
	c->ahead_next = 0;
	for (unsigned i = 0; i < c->ahead_count; i++) {
		c->ahead[i] = (struct ahead){ .place = { &c->call_ids, messages[i]->sip->keys.call_id } };
		hash_ask_bucket(&c->ahead[i].place);
	}
	for (unsigned i = 0; i < c->ahead_count; i++)
		call_id_ask(&c->ahead[i]);
	for (unsigned i = 0; i < c->ahead_count && i < AHEAD_STEPS; i++)
		ahead_step(c);
}

void ahead_step(struct calls *c)
{
	unsigned at = c->ahead_next++;

	if (at < c->ahead_count)
		leg_ask(&c->ahead[at]);
	if (at >= 1 && at - 1 < c->ahead_count)
		behind_leg_ask(&c->ahead[at - 1]);
}

void ahead_forget(struct calls *c)
{
	c->ahead_count = 0;
}
