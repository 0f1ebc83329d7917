/* SPDX-License-Identifier: MIT */
/* shed: those who ask in vain, longest silent first; a ring of what was set aside, found by Call-ID. */
#include "analyzer/shed.h"

#include <stdlib.h>

#include "captures/base/hash.h"
#include "captures/base/list.h"
#include "captures/base/memory.h"
#include "captures/base/ns.h"
#include "captures/base/pool.h"

enum { HEAD = offsetof(struct packet, sip) };

enum {
	BYTES_MAX = 16384,           /* of a request that is set aside */
	LEAST_ROOM = 4 * BYTES_MAX,
	ASKERS_MAX = 4096,
	IN_VAIN = 1000,              /* so many in WITHIN_NS: no site redials like that */
	NAMELESS = SIP_FLAW_NO_CALL_ID | SIP_FLAW_NO_CSEQ | SIP_FLAW_NO_VIA
};
#define WITHIN_NS (10 * SECOND_NS)

struct asker {
	struct hash_link by_addr;
	struct list_link in_age;
	struct address addr;
	bool party, floods;
	unsigned in_vain;            /* since from_ns */
	int64_t from_ns, last_ns;
};

struct aside {                       /* in the ring, one behind the other */
	struct hash_link by_call;
	uint64_t n;                  /* counted as they came */
	uint32_t bytes;              /* from this one to the next */
	uint32_t call_at, call_n;    /* the Call-ID in its payload */
	bool kept;                   /* else it was brought back */
	uint8_t head[HEAD];          /* of its packet; the payload is behind it */
};

struct shed {
	struct pool pool;            /* struct asker */
	struct hash askers, by_call;
	struct list in_age;
	uint8_t *ring;               /* NULL: nothing was shed yet */
	size_t room, next, oldest, lap;      /* lap: behind the last one before the ring begins anew; 0: it has not */
	size_t count;
	uint64_t n;
	struct packet packet;        /* that was brought back */
	struct sip_message sip;
};

struct shed *shed_new(size_t bytes)
{
	struct shed *s = memory_zalloc(sizeof *s);

	pool_init(&s->pool, sizeof(struct asker));
	hash_init(&s->askers);
	hash_init(&s->by_call);
	list_init(&s->in_age);
	s->room = bytes > LEAST_ROOM ? bytes : LEAST_ROOM;
	return s;
}

void shed_free(struct shed *s)
{
	if (!s)
		return;
	hash_fini(&s->askers);
	hash_fini(&s->by_call);
	pool_fini(&s->pool);
	free(s->ring);
	free(s);
}

/* ---- who asks in vain ---- */

static struct asker *asker_find(const struct shed *s, const struct address *a)
{
	uint32_t hash = address_hash(a);

	for (struct hash_link *it = hash_first(&s->askers, hash); it; it = it->next) {
		struct asker *x = HASH_ENTRY(it, struct asker, by_addr);

		if (it->hash == hash && address_equal(&x->addr, a))
			return x;
	}
	return NULL;
}

static void asker_drop_oldest(struct shed *s)
{
	struct asker *x = LIST_ENTRY(s->in_age.head.next, struct asker, in_age);

	list_remove(&s->in_age, &x->in_age);
	hash_remove(&s->askers, &x->by_addr);
	pool_give(&s->pool, x);
}

static struct asker *asker_get(struct shed *s, const struct address *a, int64_t at_ns)
{
	struct asker *x = asker_find(s, a);

	if (x) {
		list_remove(&s->in_age, &x->in_age);
	} else {
		if (s->in_age.count >= ASKERS_MAX)
			asker_drop_oldest(s);
		x = pool_zalloc(&s->pool);
		x->addr = *a;
		x->from_ns = x->last_ns = at_ns;
		hash_add(&s->askers, &x->by_addr, address_hash(a));
	}
	list_add_tail(&s->in_age, &x->in_age);
	return x;
}

/* Who never asked in vain is no matter. */
static void party_at(struct shed *s, const struct address *a)
{
	struct asker *x = s->in_age.count ? asker_find(s, a) : NULL;

	if (x)
		x->party = true;
}

void shed_media(struct shed *s, const struct address *from)
{
	party_at(s, from);
}

bool shed_may(const struct packet *p)
{
	const struct sip_message *sip = p->sip;

	if (!sip->request || p->transport != TRANSPORT_UDP || !(p->has & HAS_PORTS) || sip->flaws & NAMELESS ||
	    p->payload.n > BYTES_MAX || sip->bytes.p < p->payload.p ||
	    sip->bytes.p + sip->bytes.n > p->payload.p + p->payload.n)
		return false;
	if (sip->method != SIP_REGISTER && (sip->method != SIP_INVITE || sip->to.tag.n))
		return false;
	/* who has credentials was asked for them */
	return !sip_header_find(sip, SIP_H_AUTHORIZATION) && !sip_header_find(sip, SIP_H_PROXY_AUTHORIZATION);
}

void shed_party(struct shed *s, const struct packet *p)
{
	party_at(s, &p->src.addr);
	if (!p->sip->request)
		party_at(s, &p->dst.addr);
}

bool shed_floods(struct shed *s, const struct packet *p, bool copy)
{
	struct asker *x = asker_get(s, &p->src.addr, p->at_ns);
	bool begins = ns_minus(p->at_ns, x->last_ns) > WITHIN_NS;

	if (copy || x->party)
		return !x->party && x->floods;
	if (begins) {
		x->floods = false;
		x->in_vain = 0;
		x->from_ns = p->at_ns;
	}
	if (p->at_ns > x->last_ns)
		x->last_ns = p->at_ns;
	if (x->floods || ++x->in_vain < IN_VAIN)
		return x->floods;
	x->floods = ns_minus(p->at_ns, x->from_ns) <= WITHIN_NS;
	x->in_vain = 0;
	x->from_ns = p->at_ns;
	return x->floods;
}

/* ---- what is set aside ---- */

static struct aside *aside_at(const struct shed *s, size_t at)
{
	return (struct aside *)(void *)(s->ring + at);
}

static uint32_t call_of(const struct sip_message *sip)
{
	return (uint32_t)sip->keys.call_id;
}

static void aside_drop_oldest(struct shed *s)
{
	struct aside *x = aside_at(s, s->oldest);

	if (x->kept)
		hash_remove(&s->by_call, &x->by_call);
	s->oldest += x->bytes;
	if (s->oldest == s->lap)
		s->oldest = s->lap = 0;
	if (--s->count == 0)
		s->oldest = s->next;
}

/* Room for so many bytes, behind the newest one or at the beginning. */
static struct aside *aside_room(struct shed *s, size_t bytes)
{
	if (s->next + bytes > s->room) {
		while (s->count && s->oldest >= s->next)
			aside_drop_oldest(s);
		s->lap = s->count ? s->next : 0;
		s->next = 0;
		if (!s->count)
			s->oldest = 0;
	}
	while (s->count && s->oldest >= s->next && s->oldest < s->next + bytes)
		aside_drop_oldest(s);
	return aside_at(s, s->next);
}

static bool same_call(const struct aside *x, uint32_t hash, const struct sip_message *sip)
{
	const uint8_t *payload = (const uint8_t *)(x + 1);

	return x->by_call.hash == hash && x->call_n == sip->call_id.n &&
	       memcmp(payload + x->call_at, sip->call_id.p, sip->call_id.n) == 0;
}

/* The oldest one of that Call-ID. */
static struct aside *aside_find(const struct shed *s, const struct sip_message *sip, unsigned *ret_count)
{
	uint32_t hash = call_of(sip);
	struct aside *found = NULL;

	*ret_count = 0;
	for (struct hash_link *it = hash_first(&s->by_call, hash); it; it = it->next) {
		struct aside *x = HASH_ENTRY(it, struct aside, by_call);

		if (!same_call(x, hash, sip))
			continue;
		++*ret_count;
		if (!found || x->n < found->n)
			found = x;
	}
	return found;
}

void shed_ahead(const struct shed *s, const struct packet *const *messages, unsigned count)
{
	struct hash_place at = { &s->by_call, 0 };

	for (unsigned i = 0; s->by_call.count && i < count; i++) {
		at.key = messages[i]->sip->keys.call_id;
		hash_ask_bucket(&at);
	}
	for (unsigned i = 0; s->by_call.count && i < count; i++) {
		at.key = messages[i]->sip->keys.call_id;
		hash_ask_record(&at);
	}
}

bool shed_keep(struct shed *s, const struct packet *p, size_t *ret_bytes)
{
	size_t bytes = (sizeof(struct aside) + p->payload.n + MEMORY_ALIGNMENT - 1) & ~(size_t)(MEMORY_ALIGNMENT - 1);
	struct aside *x;
	unsigned known;

	*ret_bytes = s->ring ? 0 : s->room;
	if (!s->ring)
		s->ring = memory_resize(NULL, s->room, 1);
	aside_find(s, p->sip, &known);
	x = aside_room(s, bytes);
	x->n = ++s->n;
	x->bytes = (uint32_t)bytes;
	x->kept = true;
	x->call_at = (uint32_t)(p->sip->call_id.p - p->payload.p);
	x->call_n = (uint32_t)p->sip->call_id.n;
	memcpy(x->head, p, HEAD);
	memcpy(x + 1, p->payload.p, p->payload.n);
	hash_add(&s->by_call, &x->by_call, call_of(p->sip));
	s->next += bytes;
	s->count++;
	return known == 0;
}

/* The same source that asks again comes for nothing. */
static bool goes_on(const struct packet *set_aside, const struct packet *p)
{
	return !shed_may(p) || !address_equal(&set_aside->src.addr, &p->src.addr);
}

const struct packet *shed_back(struct shed *s, const struct packet *p, bool *ret_last)
{
	struct packet *back = &s->packet;
	struct aside *x;
	unsigned count;

	while (s->by_call.count && (x = aside_find(s, p->sip, &count))) {
		*ret_last = count == 1;
		x->kept = false;
		hash_remove(&s->by_call, &x->by_call);
		memcpy(back, x->head, HEAD);
		back->payload.p = (const uint8_t *)(x + 1);
		back->sip = &s->sip;
		if (goes_on(back, p))
			party_at(s, &back->src.addr);
		if (sip_message_parse(back->payload, back->payload_wire, &s->sip))
			return back;
	}
	return NULL;
}
