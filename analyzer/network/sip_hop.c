/* SPDX-License-Identifier: MIT */
/* sip_hop: a record a pair of sockets, made by the first answer. */
#include "analyzer/network/sip_hop.h"

#include <stdlib.h>

#include "captures/base/memory.h"
#include "dissect/sip_message.h"

enum { HOPS_MAX = 65536 };

struct sip_hops {
	struct hash by_key;
	struct list by_use;          /* longest ago first */
	size_t max;
	uint64_t evicted;
};

struct sip_hops *sip_hops_new(size_t max)
{
	struct sip_hops *h = memory_zalloc(sizeof *h);

	h->max = max ? max : HOPS_MAX;
	hash_init(&h->by_key);
	list_init(&h->by_use);
	return h;
}

void sip_hops_free(struct sip_hops *h)
{
	if (!h)
		return;
	hash_fini(&h->by_key);
	LIST_EACH_SAFE(it, &h->by_use)
		free(LIST_ENTRY(it, struct sip_hop, by_use));
	free(h);
}

static uint32_t hop_hash(const struct endpoint *client, const struct endpoint *server)
{
	return (uint32_t)hash_mix(endpoint_key(client), endpoint_key(server));
}

const struct sip_hop *sip_hops_find(const struct sip_hops *h, const struct endpoint *client,
	const struct endpoint *server)
{
	uint32_t hash = hop_hash(client, server);

	for (struct hash_link *it = hash_first(&h->by_key, hash); it; it = it->next) {
		struct sip_hop *x = HASH_ENTRY(it, struct sip_hop, by_key);

		if (it->hash == hash && endpoint_equal(&x->client, client) && endpoint_equal(&x->server, server))
			return x;
	}
	return NULL;
}

static void hop_drop_oldest(struct sip_hops *h)
{
	struct sip_hop *x = LIST_ENTRY(h->by_use.head.next, struct sip_hop, by_use);

	hash_remove(&h->by_key, &x->by_key);
	list_remove(&h->by_use, &x->by_use);
	free(x);
	h->evicted++;
}

static struct sip_hop *hop_add(struct sip_hops *h, const struct packet *p)
{
	struct sip_hop *x = (struct sip_hop *)sip_hops_find(h, &p->dst, &p->src);

	if (x) {
		list_remove(&h->by_use, &x->by_use);
	} else {
		if (h->by_use.count >= h->max)
			hop_drop_oldest(h);
		x = memory_zalloc(sizeof *x);
		x->client = p->dst;
		x->server = p->src;
		x->first_ns = x->last_ns = p->at_ns;
		hash_add(&h->by_key, &x->by_key, hop_hash(&x->client, &x->server));
	}
	list_add_tail(&h->by_use, &x->by_use);
	return x;
}

static bool belongs_to_call(enum sip_method method)
{
	return method == SIP_METHOD_NONE || method == SIP_INVITE || method == SIP_ACK || method == SIP_CANCEL ||
	       method == SIP_BYE;
}

static int64_t spell_of(int64_t at_ns)
{
	return at_ns / (SIP_HOP_SPELL_S * SECOND_NS);
}

static unsigned spell_place(int64_t spell)
{
	return (unsigned)((uint64_t)spell % SIP_HOP_SPELLS);
}

static const uint64_t *spell_word(const struct sip_hop *x, int64_t spell)
{
	return &x->spells[spell_place(spell) / 64];
}

static uint64_t spell_bit(int64_t spell)
{
	return UINT64_C(1) << spell_place(spell) % 64;
}

/* The ring goes on to that spell; what is older than it reaches is forgotten. */
static void note_spell(struct sip_hop *x, int64_t at_ns)
{
	int64_t now = spell_of(at_ns), last = spell_of(x->last_ns);

	if (now - last >= SIP_HOP_SPELLS)
		memset(x->spells, 0, sizeof x->spells);
	for (int64_t i = last + 1; i <= now && now - last < SIP_HOP_SPELLS; i++)
		x->spells[spell_place(i) / 64] &= ~spell_bit(i);
	if (last - now < SIP_HOP_SPELLS)
		x->spells[spell_place(now) / 64] |= spell_bit(now);
}

void sip_hops_packet(struct sip_hops *h, const struct packet *p)
{
	struct sip_hop *x;

	if (!p->sip || p->sip->request || p->sip->status < 200 || belongs_to_call(p->sip->method))
		return;
	x = hop_add(h, p);
	x->answered++;
	note_spell(x, p->at_ns);
	if (p->at_ns > x->last_ns)
		x->last_ns = p->at_ns;
}

bool sip_hop_answered_within(const struct sip_hop *x, int64_t from_ns, int64_t to_ns)
{
	int64_t last = spell_of(x->last_ns), oldest = last - SIP_HOP_SPELLS + 1;
	int64_t from = spell_of(from_ns) > oldest ? spell_of(from_ns) : oldest;

	for (int64_t i = from; i <= last && i <= spell_of(to_ns); i++) {
		if (*spell_word(x, i) & spell_bit(i))
			return true;
	}
	return false;
}

uint64_t sip_hops_evicted(const struct sip_hops *h)
{
	return h->evicted;
}
