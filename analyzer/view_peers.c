/* SPDX-License-Identifier: MIT */
/* view_peers: who was called, and how it answered (ASR, NER, post dial delay): by address, then by User-Agent. */
#include <stdlib.h>

#include "analyzer/view_cache.h"
#include "analyzer/view_redact.h"
#include "analyzer/views.h"
#include "captures/base/memory.h"
#include "captures/base/sort.h"

enum { TOO_FEW_CALLS = 20, RESPONSE_MAX = 16 };

struct peer {
	struct hash_link by_key;
	struct address addr;         /* family 0: all hosts of one user agent */
	struct span user_agent;
	uint64_t attempts, answered, effective;
	double *pdd_ms;
	unsigned pdd_count, pdd_room;
	struct { unsigned status; uint64_t count; } responses[RESPONSE_MAX];
	unsigned response_count;
	uint64_t expected, lost;
};

struct peer_table {
	struct hash index;
	struct peer **list;
	size_t count, room;
};

/* That address, or with none of it that user agent. */
static struct peer *peer_of(struct peer_table *t, const struct address *a, struct span agent)
{
	uint32_t hash = (uint32_t)(address_known(a) ? hash_bytes(a->bytes, sizeof a->bytes) : hash_bytes(agent.p,
		agent.n));
	struct peer *p;

	for (struct hash_link *it = hash_first(&t->index, hash); it; it = it->next) {
		p = HASH_ENTRY(it, struct peer, by_key);
		if (it->hash == hash && address_equal(&p->addr, a) &&
		    (address_known(a) || span_equal(p->user_agent, agent)))
			return p;
	}
	p = memory_zalloc(sizeof *p);
	p->addr = *a;
	p->user_agent = agent;
	hash_add(&t->index, &p->by_key, hash);
	if (t->count == t->room) {
		t->room = t->room ? t->room * 2 : 16;
		t->list = memory_resize(t->list, t->room, sizeof *t->list);
	}
	t->list[t->count++] = p;
	return p;
}

static void peer_response(struct peer *p, unsigned status)
{
	for (unsigned i = 0; i < p->response_count; i++) {
		if (p->responses[i].status == status) {
			p->responses[i].count++;
			return;
		}
	}
	if (p->response_count < RESPONSE_MAX) {
		p->responses[p->response_count].status = status;
		p->responses[p->response_count++].count = 1;
	}
}

/* NER counts what the network did its part for: answered, busy, no answer, declined, cancelled (ITU-T E.425). */
static bool effective(const struct leg *leg)
{
	return leg->answered || leg->status == 486 || leg->status == 600 || leg->status == 487 || leg->status == 603 ||
	       leg->status == 480;
}

static void peer_leg(struct peer *p, const struct leg *leg)
{
	p->attempts++;
	p->answered += leg->answered;
	p->effective += effective(leg);
	if (leg->status >= 300)
		peer_response(p, leg->status);
	if (leg->invite_ns != NS_NONE && leg->progress_ns != NS_NONE && leg->progress_ns >= leg->invite_ns) {
		if (p->pdd_count == p->pdd_room) {
			p->pdd_room = p->pdd_room ? p->pdd_room * 2 : 16;
			p->pdd_ms = memory_resize(p->pdd_ms, p->pdd_room, sizeof *p->pdd_ms);
		}
		p->pdd_ms[p->pdd_count++] = (double)(leg->progress_ns - leg->invite_ns) / 1e6;
	}
	for (unsigned i = 0; leg->confirmed && i < leg->confirmed->mslot_count; i++) {
		const struct direction *d = &leg->confirmed->mslots[i].direction[SIDE_CALLEE];

		for (unsigned k = 0; k < d->stream_count; k++) {
			p->expected += d->streams[k]->expected_within;
			p->lost += d->streams[k]->lost_within;
		}
	}
}

static const struct address *callee_address(const struct leg *leg)
{
	const struct party *callee = &leg->party[SIDE_CALLEE];

	return address_known(&callee->signalling.addr) ? &callee->signalling.addr : &callee->signalling_dst.addr;
}

static int double_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static int agent_compare(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n ? memcmp(a.p, b.p, n) : 0;

	return order ? order : (a.n > b.n) - (a.n < b.n);
}

static int peer_compare(const void *a, const void *b)
{
	const struct peer *x = *(struct peer *const *)a, *y = *(struct peer *const *)b;

	if (x->attempts != y->attempts)
		return x->attempts > y->attempts ? -1 : 1;
	return address_known(&x->addr) ? address_compare(&x->addr, &y->addr) : agent_compare(x->user_agent,
	       y->user_agent);
}

static int response_compare(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return x < y ? -1 : x > y;
}

static void table_settle(struct peer_table *t)
{
	for (size_t i = 0; i < t->count; i++) {
		struct peer *p = t->list[i];

		if (p->pdd_count)
			sort(p->pdd_ms, p->pdd_count, sizeof(double), double_compare);
		sort(p->responses, p->response_count, sizeof p->responses[0], response_compare);
	}
	if (t->count)
		sort(t->list, t->count, sizeof *t->list, peer_compare);
	hash_fini(&t->index);
}

void view_peers_build(const struct engine *e, struct view_cache *v)
{
	struct peer_table hosts = { .list = NULL }, agents = { .list = NULL };
	const struct address nowhere = { .family = 0 };

	hash_init(&hosts.index);
	hash_init(&agents.index);
	LIST_EACH(it, calls_legs(e->calls)) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);
		const struct address *a = callee_address(leg);
		struct span agent = leg->party[SIDE_CALLEE].user_agent;

		if (!leg->counts_as_call)
			continue;
		if (address_known(a)) {
			struct peer *p = peer_of(&hosts, a, agent);

			if (!p->user_agent.n)
				p->user_agent = agent;
			peer_leg(p, leg);
		}
		if (agent.n)
			peer_leg(peer_of(&agents, &nowhere, agent), leg);
	}
	table_settle(&hosts);
	table_settle(&agents);
	v->peer_count = hosts.count + agents.count;
	v->peers = memory_resize(hosts.list, v->peer_count + 1, sizeof *v->peers);
	for (size_t i = 0; i < agents.count; i++)
		v->peers[hosts.count + i] = agents.list[i];
	free(agents.list);
}

void view_peers_free(struct view_cache *v)
{
	for (size_t i = 0; i < v->peer_count; i++) {
		free(v->peers[i]->pdd_ms);
		free(v->peers[i]);
	}
	free(v->peers);
}

bool view_peer(const struct engine *e, size_t i, struct view_peer *ret)
{
	struct view_cache *v = view_cache_of(e);
	const struct peer *p;

	if (i >= v->peer_count)
		return false;
	p = v->peers[i];
	memset(ret, 0, sizeof *ret);
	ret->at.addr = p->addr;
	ret->user_agent = p->user_agent;
	ret->attempts = p->attempts;
	ret->answered = p->answered;
	ret->asr = p->attempts ? (double)p->answered / (double)p->attempts : -1;
	ret->ner = p->attempts ? (double)p->effective / (double)p->attempts : -1;
	ret->pdd_p50_ms = p->pdd_count ? p->pdd_ms[(p->pdd_count - 1) / 2] : -1;
	ret->pdd_p95_ms = p->pdd_count ? p->pdd_ms[(p->pdd_count - 1) * 95 / 100] : -1;
	for (unsigned k = 0; k < p->response_count; k++) {
		ret->responses[k].status = p->responses[k].status;
		ret->responses[k].count = p->responses[k].count;
	}
	ret->response_count = p->response_count;
	ret->loss_percent = p->expected ? 100.0 * (double)p->lost / (double)p->expected : -1;
	ret->calls_too_few = p->attempts < TOO_FEW_CALLS;
	view_redact_peer(e->redact, ret);
	return true;
}
