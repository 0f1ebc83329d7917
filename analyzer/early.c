/* SPDX-License-Identifier: MIT */
/* early: a set of the requests that passed, and the answers that wait for theirs. */
#include "analyzer/early.h"

#include <stdlib.h>

#include "captures/base/hash.h"
#include "captures/base/list.h"
#include "captures/base/memory.h"
#include "captures/base/ns.h"

enum {
	WAITING_DEFAULT = 256,
	WAITING_BYTES = 4 << 20,
	SETS = 16384, WAYS = 4,      /* of requests: those that are still unanswered when as many others have come */
	IN_VAIN = 64                 /* answers that waited in vain: the capture does not have the requests */
};

struct waiting {
	struct list_link in_order;
	struct hash_link by_call;
	uint64_t key, n;             /* n: counted as they came */
	size_t bytes;
	struct packet packet;
	struct sip_message sip;
	uint8_t copy[];
};

struct early {
	struct early_config config;
	uint64_t *passed;            /* SETS * WAYS keys of requests, the newest of a set first */
	struct list waiting;
	struct hash by_call;
	size_t bytes;
	uint64_t next;
	unsigned in_vain, met;
	int64_t most_ns;
	struct waiting *lent;        /* given to the caller, no longer in the list */
};

struct early *early_new(const struct early_config *config)
{
	struct early *e = memory_zalloc(sizeof *e);

	e->config = *config;
	e->config.max = config->max ? config->max : WAITING_DEFAULT;
	e->passed = memory_zalloc((size_t)SETS * WAYS * sizeof *e->passed);
	list_init(&e->waiting);
	hash_init(&e->by_call);
	return e;
}

static struct waiting *waiting_of(struct list_link *it)
{
	return LIST_ENTRY(it, struct waiting, in_order);
}

void early_free(struct early *e)
{
	if (!e)
		return;
	LIST_EACH_SAFE(it, &e->waiting)
		free(waiting_of(it));
	free(e->lent);
	hash_fini(&e->by_call);
	free(e->passed);
	free(e);
}

/* ---- requests ---- */

static uint32_t call_of(const struct sip_message *sip)
{
	return (uint32_t)sip->keys.call_id;
}

/*
 * Call-ID, CSeq and method: the same on every hop (RFC 3261 8.1.1.4, 8.1.1.5). Of REGISTER the branch too: guessers of
 * passwords do not count CSeq up. Never 0.
 */
static uint64_t key_of(const struct sip_message *sip)
{
	uint64_t h = hash_mix(sip->keys.call_id, (uint64_t)sip->method << 32 | sip->cseq);

	if (sip->method == SIP_REGISTER)
		h = hash_mix(h, sip->keys.branch);
	if (sip->method == SIP_METHOD_OTHER)
		h = hash_mix(h, hash_bytes(sip->method_text.p, sip->method_text.n));
	return h | 1;
}

static uint64_t *set_of(const struct early *e, uint64_t key)
{
	return e->passed + (key >> 8) % SETS * WAYS;
}

static bool passed_find(const struct early *e, uint64_t key)
{
	const uint64_t *set = set_of(e, key);

	for (unsigned i = 0; i < WAYS; i++) {
		if (set[i] == key)
			return true;
	}
	return false;
}

static void passed_add(struct early *e, uint64_t key)
{
	uint64_t *set = set_of(e, key);
	unsigned i = 0;

	while (i < WAYS - 1 && set[i] != key)
		i++;
	for (; i > 0; i--)
		set[i] = set[i - 1];
	set[0] = key;
}

/* ---- answers ---- */

/* So many wait or waited in vain that waiting would only put the others out of order. */
static bool pointless(const struct early *e)
{
	return e->waiting.count >= e->config.max || (e->in_vain >= IN_VAIN && e->in_vain / 8 > e->met);
}

/* What was parsed: of TCP one message that may lie elsewhere than its last segment. */
static bool parse_copy(struct waiting *w, const struct packet *p, size_t payload)
{
	struct span bytes = { w->copy, payload };
	bool cut = p->sip->flaws & SIP_FLAW_BODY_CUT;

	if (p->transport == TRANSPORT_UDP)
		return sip_message_parse(bytes, p->payload_wire, &w->sip);
	bytes = (struct span){ w->copy + payload, p->sip->bytes.n };
	return sip_message_parse(bytes, bytes.n + cut, &w->sip);
}

/* NULL: too large, or not to be read from a copy. */
static struct waiting *waiting_new(const struct early *e, const struct packet *p)
{
	size_t payload = p->payload.n, message = p->transport == TRANSPORT_UDP ? 0 : p->sip->bytes.n;
	size_t bytes = sizeof(struct waiting) + payload + message;
	struct waiting *w;

	if (bytes > WAITING_BYTES - e->bytes)
		return NULL;
	w = memory_zalloc(bytes);
	w->bytes = bytes;
	if (payload)
		memcpy(w->copy, p->payload.p, payload);
	if (message)
		memcpy(w->copy + payload, p->sip->bytes.p, message);
	w->packet = *p;
	w->packet.payload.p = w->copy;
	w->packet.sip = &w->sip;
	if (parse_copy(w, p, payload) && w->sip.bytes.n == p->sip->bytes.n)
		return w;
	free(w);
	return NULL;
}

void early_ahead(const struct early *e, const struct packet *p)
{
	__asm__ volatile("");
	__builtin_prefetch(set_of(e, key_of(p->sip)), 1);
}

bool early_keep(struct early *e, const struct packet *p)
{
	const struct sip_message *sip = p->sip;
	struct waiting *w;
	uint64_t key;

	if (e->config.wait_ns == 0 || sip->call_id.n == 0 || !sip->has_cseq)
		return false;
	key = key_of(sip);
	if (sip->request) {
		passed_add(e, key);
		return false;
	}
	if (pointless(e) || passed_find(e, key))
		return false;
	w = waiting_new(e, p);
	if (!w)
		return false;
	w->key = key;
	w->n = ++e->next;
	e->bytes += w->bytes;
	list_add_tail(&e->waiting, &w->in_order);
	hash_add(&e->by_call, &w->by_call, call_of(sip));
	return true;
}

/* ---- and go on ---- */

static const struct packet *lend(struct early *e, struct waiting *w)
{
	list_remove(&e->waiting, &w->in_order);
	hash_remove(&e->by_call, &w->by_call);
	e->bytes -= w->bytes;
	e->lent = w;
	return &w->packet;
}

static void lent_free(struct early *e)
{
	free(e->lent);
	e->lent = NULL;
}

/* The client is beyond the request that is waited for: that one was before the capture. */
static bool goes_on(const struct waiting *w, const struct packet *p)
{
	return p->sip->request && p->sip->cseq >= w->sip.cseq && w->key != key_of(p->sip) &&
	       address_equal(&w->packet.dst.addr, &p->src.addr) && span_equal(w->sip.call_id, p->sip->call_id);
}

/* The oldest of a call that is wanted. */
static struct waiting *waiting_for(const struct early *e, const struct packet *p, bool (*wanted)(const struct waiting *,
	const struct packet *))
{
	uint32_t hash = call_of(p->sip);
	struct waiting *found = NULL;

	for (struct hash_link *it = hash_first(&e->by_call, hash); it; it = it->next) {
		struct waiting *w = HASH_ENTRY(it, struct waiting, by_call);

		if (it->hash == hash && wanted(w, p) && (!found || w->n < found->n))
			found = w;
	}
	return found;
}

const struct packet *early_before(struct early *e, const struct packet *p, int64_t now_ns)
{
	struct waiting *w;

	lent_free(e);
	if (e->waiting.count == 0)
		return NULL;
	w = waiting_of(e->waiting.head.next);
	if (!pointless(e) && ns_minus(now_ns, w->packet.at_ns) <= e->config.wait_ns)
		w = p ? waiting_for(e, p, goes_on) : NULL;
	if (!w)
		return NULL;
	e->in_vain++;
	return lend(e, w);
}

static bool answers(const struct waiting *w, const struct packet *p)
{
	return w->key == key_of(p->sip);
}

const struct packet *early_after(struct early *e, const struct packet *p)
{
	struct waiting *w;

	lent_free(e);
	if (e->waiting.count == 0 || !p->sip->request)
		return NULL;
	w = waiting_for(e, p, answers);
	if (!w)
		return NULL;
	e->met++;
	if (ns_minus(p->at_ns, w->packet.at_ns) > e->most_ns)
		e->most_ns = ns_minus(p->at_ns, w->packet.at_ns);
	w->packet.at_ns = p->at_ns;
	return lend(e, w);
}

const struct packet *early_rest(struct early *e)
{
	lent_free(e);
	return e->waiting.count ? lend(e, waiting_of(e->waiting.head.next)) : NULL;
}

int64_t early_most_ns(const struct early *e)
{
	return e->most_ns;
}
