/* SPDX-License-Identifier: MIT */
/* view_peers: who was called, and how it answered (ASR, NER, post dial delay). */
#include <stdlib.h>

#include "analyzer/view_cache.h"
#include "analyzer/views.h"
#include "captures/base/memory.h"

enum { TOO_FEW_CALLS = 20, RESPONSE_MAX = 16 };

struct peer {
	struct hash_link by_address;
	struct address addr;
	struct span user_agent;
	uint64_t attempts, answered, effective;
	double *pdd_ms;
	unsigned pdd_count, pdd_room;
	struct { unsigned status; uint64_t count; } responses[RESPONSE_MAX];
	unsigned response_count;
	uint64_t expected, lost;
};

static struct peer *peer_of(struct view_cache *v, struct hash *index, const struct address *a)
{
	uint32_t hash = (uint32_t)hash_bytes(a->bytes, sizeof a->bytes);
	struct peer *p;

	for (struct hash_link *it = hash_first(index, hash); it; it = it->next) {
		p = HASH_ENTRY(it, struct peer, by_address);
		if (it->hash == hash && address_equal(&p->addr, a))
			return p;
	}
	p = memory_zalloc(sizeof *p);
	p->addr = *a;
	hash_add(index, &p->by_address, hash);
	if (v->peer_count == v->peer_room) {
		v->peer_room = v->peer_room ? v->peer_room * 2 : 16;
		v->peers = memory_resize(v->peers, v->peer_room, sizeof *v->peers);
	}
	v->peers[v->peer_count++] = p;
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
	return leg->answered || leg->status == 486 || leg->status == 600 || leg->status == 487 || leg->status == 603 || leg->status == 480;
}

static void peer_leg(struct view_cache *v, struct hash *index, const struct leg *leg)
{
	const struct address *a = &leg->party[SIDE_CALLEE].signalling.addr;
	struct peer *p;

	if (!leg->counts_as_call)
		return;
	if (!address_known(a))
		a = &leg->party[SIDE_CALLEE].signalling_dst.addr;
	if (!address_known(a))
		return;
	p = peer_of(v, index, a);
	if (!p->user_agent.n)
		p->user_agent = leg->party[SIDE_CALLEE].user_agent;
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

static int double_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static int peer_compare(const void *a, const void *b)
{
	const struct peer *x = *(struct peer *const *)a, *y = *(struct peer *const *)b;

	if (x->attempts != y->attempts)
		return x->attempts > y->attempts ? -1 : 1;
	return address_compare(&x->addr, &y->addr);
}

static int response_compare(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return x < y ? -1 : x > y;
}

void view_peers_build(const struct engine *e, struct view_cache *v)
{
	struct hash index;

	hash_init(&index);
	LIST_EACH(it, calls_legs(e->calls))
		peer_leg(v, &index, LIST_ENTRY(it, struct leg, in_order));
	hash_fini(&index);
	for (size_t i = 0; i < v->peer_count; i++) {
		if (v->peers[i]->pdd_count)
			qsort(v->peers[i]->pdd_ms, v->peers[i]->pdd_count, sizeof(double), double_compare);
		qsort(v->peers[i]->responses, v->peers[i]->response_count, sizeof v->peers[i]->responses[0], response_compare);
	}
	if (v->peer_count)
		qsort(v->peers, v->peer_count, sizeof *v->peers, peer_compare);
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
	return true;
}
