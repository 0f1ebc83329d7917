/* SPDX-License-Identifier: MIT */
/*
 * ahead: what the next messages will touch is asked for: all buckets of a batch, then the records in them, then, while
 * the messages before it are at work, the leg of each and what lies behind it. Nothing is decided here: what is taken
 * for a message's leg may be another one of the same hash.
 */
#include "analyzer/calls/internal.h"

enum { LINKS_WALKED = 2, LINE = 64 };

static void ask(const void *p, size_t bytes)
{
	__asm__ volatile("");
	for (size_t at = 0; at < bytes; at += LINE)
		__builtin_prefetch((const uint8_t *)p + at, 1);
}

/* Where leg_of() will look. */
static void buckets_ask(struct ahead *m, const struct calls *c, const struct sip_message *sip)
{
	const struct sip_keys *keys = &sip->keys;
	uint32_t from = tag_hash(keys, keys->from_tag), to = tag_hash(keys, keys->to_tag);

	m->sip = sip;
	m->leg = NULL;
	m->places[0] = (struct hash_place){ &c->legs_by_id, from };
	m->places[1] = (struct hash_place){ &c->tags, from };
	if (sip->to.tag.n) {
		m->places[2] = (struct hash_place){ &c->legs_by_id, to };
		m->places[3] = (struct hash_place){ &c->tags, to };
	} else {
		m->places[2] = (struct hash_place){ &c->call_ids, keys->call_id };
		m->places[3] = m->places[2];
	}
	for (unsigned i = 0; i < AHEAD_PLACES; i++)
		hash_ask_bucket(&m->places[i]);
}

static void links_ask(const struct ahead *m)
{
	for (unsigned i = 0; i < AHEAD_PLACES; i++)
		hash_ask_record(&m->places[i]);
}

static const struct hash_link *link_at(const struct hash_place *p)
{
	const struct hash_link *it = hash_first(p->table, (uint32_t)p->key);

	for (unsigned i = 0; it && it->hash != (uint32_t)p->key; it = it->next) {
		if (++i == LINKS_WALKED)
			return NULL;
	}
	return it;
}

static void leg_ask(struct ahead *m, const struct calls *c)
{
	for (unsigned i = 0; i < AHEAD_PLACES; i++) {
		const struct hash_link *link = link_at(&m->places[i]);

		if (link && m->places[i].table == &c->tags) {
			const struct tag *tag = HASH_ENTRY(link, struct tag, by_tag);

			ask(tag->text.p, 1);
			ask(tag->dialog, sizeof *tag->dialog);
		} else if (link && m->places[i].table == &c->legs_by_id) {
			m->leg = LEG_RECORD(HASH_ENTRY(link, struct leg, by_id));
			ask(m->leg, sizeof *m->leg);
		}
	}
}

static void behind_leg_ask(struct ahead *m, const struct calls *c)
{
	const struct leg_record *r = m->leg;
	enum side client;

	if (!r)
		return;
	ask(r->leg.call_id.p, 1);
	ask(r->leg.call, 1);
	ask(r->leg.messages.head.prev, 1);
	ask(r->in_class.prev, 1);
	ask(r->in_class.next, 1);
	ask(r->leg.segments, 1);
	arena_ask(r->leg.arena);
	client = span_equal(r->leg.from_tag, m->sip->from.tag) ? SIDE_CALLER : SIDE_CALLEE;
	m->transaction = (struct hash_place){ &c->transactions, transaction_place(&r->leg, m->sip, client) };
	hash_ask_bucket(&m->transaction);
}

static void transaction_ask(const struct ahead *m)
{
	const struct hash_link *link = m->leg ? link_at(&m->transaction) : NULL;

	if (link)
		ask(HASH_ENTRY(link, struct transaction, in_hash), sizeof(struct transaction_record));
}

void calls_ahead(struct calls *c, const struct packet *const *messages, unsigned count)
{
	c->ahead_count = count < AHEAD_MAX ? count : AHEAD_MAX;
	c->ahead_next = 0;
	for (unsigned i = 0; i < c->ahead_count; i++)
		buckets_ask(&c->ahead[i], c, messages[i]->sip);
	for (unsigned i = 0; i < c->ahead_count; i++)
		links_ask(&c->ahead[i]);
	for (unsigned i = 0; i < c->ahead_count && i < AHEAD_STEPS; i++)
		ahead_step(c);
}

void ahead_step(struct calls *c)
{
	unsigned at = c->ahead_next++;

	if (at < c->ahead_count)
		leg_ask(&c->ahead[at], c);
	if (at >= 1 && at - 1 < c->ahead_count)
		behind_leg_ask(&c->ahead[at - 1], c);
	if (at >= 2 && at - 2 < c->ahead_count)
		transaction_ask(&c->ahead[at - 2]);
}

void ahead_forget(struct calls *c)
{
	c->ahead_count = 0;
}
