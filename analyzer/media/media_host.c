/* SPDX-License-Identifier: MIT */
/* media_host: see the header. */
#include "analyzer/media/media_host.h"

#include <stdlib.h>

#include "captures/base/memory.h"
#include "captures/base/sort.h"

struct media_hosts {
	struct hash by_address;
	struct list order;
	struct arena *arena;
};

static struct media_host *host_get(struct media_hosts *m, const struct address *addr)
{
	uint32_t hash = (uint32_t)hash_bytes(addr->bytes, sizeof addr->bytes);
	struct media_host *h;

	for (struct hash_link *it = hash_first(&m->by_address, hash); it; it = it->next) {
		h = HASH_ENTRY(it, struct media_host, by_address);
		if (it->hash == hash && address_equal(&h->addr, addr))
			return h;
	}
	h = arena_zalloc(m->arena, sizeof *h);
	h->addr = *addr;
	h->spans = &h->one;
	hash_add(&m->by_address, &h->by_address, hash);
	list_add_tail(&m->order, &h->in_order);
	return h;
}

/* ---- sockets in use ---- */

/* The port is taken when the call comes, and named when it is answered. */
static int64_t taken_ns(const struct socket_hold *h)
{
	const struct leg *leg = h->leg;

	return h->owner == SIDE_CALLEE && leg->initial_invite_seen && leg->invite_ns < h->from_ns &&
	       h->direction->slot->dialog == leg->confirmed ? leg->invite_ns : h->from_ns;
}

static struct host_span *span_new(struct media_host *host)
{
	if (host->span_count == 0)
		return &host->spans[host->span_count++];
	if (host->span_count >= host->span_room) {
		host->span_room = host->span_room ? host->span_room * 2 : 4;
		host->spans = memory_resize(host->span_count == 1 ? NULL : host->spans, host->span_room,
			sizeof *host->spans);
		host->spans[0] = host->span_count == 1 ? host->one : host->spans[0];
	}
	return &host->spans[host->span_count++];
}

static void span_add(struct media_hosts *m, const struct socket_use *s, const struct socket_hold *h)
{
	const struct endpoint *signalling = &h->leg->party[h->owner].signalling;
	struct media_host *host = host_get(m, address_known(&signalling->addr) ? &signalling->addr : &s->at.addr);

	*span_new(host) = (struct host_span){ taken_ns(h), h };
	if (!host->lowest || s->at.port < host->lowest)
		host->lowest = s->at.port;
	if (s->at.port > host->highest)
		host->highest = s->at.port;
}

/* ---- calls that came ---- */

static const struct transaction *last_initial(const struct leg *leg)
{
	const struct transaction *last = NULL;

	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);

		if (t->initial && t->final)
			last = t;
	}
	return last;
}

static bool names_ports(struct span text)
{
	static const char *const words[] = { "rtp", " port", "resource", "no media" };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (span_find_text_nocase(text, span_of(words[i])) < text.n)
			return true;
	}
	return false;
}

static bool speaks_of_ports(const struct message *final)
{
	return names_ports(phrase_span(final->reason)) || names_ports(message_explained(final));
}

/*
 * Statuses of a host that cannot take the call; 480 and 486 are ordinary answers of people, unless they name the
 * reason.
 */
static bool is_refusal(const struct message *final)
{
	switch (final->status) {
	case 500: case 503: case 488: case 606:
		return true;
	case 480: case 486:
		return speaks_of_ports(final);
	}
	return false;
}

static bool without_port(const struct message *final)
{
	for (unsigned i = 0; final->sdp && i < final->sdp->media_count; i++) {
		if (final->sdp->media[i].kind == SDP_AUDIO)
			return final->sdp->media[i].port == 0 || final->sdp->media[i].port == 9;
	}
	return false;
}

static void attempt_add(struct media_hosts *m, const struct leg *leg)
{
	const struct transaction *t = leg->initial_invite_seen ? last_initial(leg) : NULL;
	struct host_attempt a = { .leg = leg, .final = t ? t->final : NULL };
	struct media_host *host;

	if (!t)
		return;
	if (t->final->status < 300)
		a.result = without_port(t->final) ? ATTEMPT_NO_RTP : ATTEMPT_TAKEN;
	else if (is_refusal(t->final))
		a.result = ATTEMPT_REFUSED;
	else
		return;
	a.hinted = a.result == ATTEMPT_REFUSED && speaks_of_ports(t->final);
	a.at_ns = a.result == ATTEMPT_TAKEN ? leg->invite_ns : t->final->at.at_ns;
	host = host_get(m, &t->final->src.addr);
	if (host->attempt_count == host->attempt_room) {
		host->attempt_room = host->attempt_room ? host->attempt_room * 2 : 4;
		host->attempts = memory_resize(host->attempts, host->attempt_room, sizeof *host->attempts);
	}
	host->attempts[host->attempt_count++] = a;
}

/* ---- how busy it was ---- */

static int span_compare(const void *x, const void *y)
{
	const struct host_span *a = x, *b = y;

	if (a->from_ns != b->from_ns)
		return a->from_ns < b->from_ns ? -1 : 1;
	if (a->hold->leg->n != b->hold->leg->n)
		return a->hold->leg->n < b->hold->leg->n ? -1 : 1;
	return endpoint_compare(&a->hold->socket->at, &b->hold->socket->at);
}

static int attempt_compare(const void *x, const void *y)
{
	const struct host_attempt *a = x, *b = y;

	if (a->at_ns != b->at_ns)
		return a->at_ns < b->at_ns ? -1 : 1;
	return a->leg->n < b->leg->n ? -1 : a->leg->n > b->leg->n;
}

static int time_compare(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

	return a < b ? -1 : a > b;
}

/*
 * ends: room for one a span. Spans begun before, less spans ended by then: both are sorted, attempts too. A call's own
 * port is taken at its own time, not before.
 */
static void host_settle(struct media_host *h, int64_t *ends)
{
	unsigned begun = 0, ended = 0;

	sort(h->spans, h->span_count, sizeof *h->spans, span_compare);
	sort(h->attempts, h->attempt_count, sizeof *h->attempts, attempt_compare);
	for (unsigned i = 0; i < h->span_count; i++)
		ends[i] = h->spans[i].hold->to_ns;
	sort(ends, h->span_count, sizeof *ends, time_compare);
	for (unsigned i = 0; i < h->attempt_count; i++) {
		for (; begun < h->span_count && h->spans[begun].from_ns < h->attempts[i].at_ns; begun++)
			;
		for (; ended < h->span_count && ends[ended] <= h->attempts[i].at_ns; ended++)
			;
		h->attempts[i].busy = begun > ended ? begun - ended : 0;
	}
	for (unsigned i = 0, e = 0; i < h->span_count; i++) {
		for (; e < h->span_count && ends[e] <= h->spans[i].from_ns; e++)
			;
		if (i + 1 > e && i + 1 - e > h->peak)
			h->peak = i + 1 - e;
	}
}

static void hosts_settle(struct media_hosts *m)
{
	unsigned most = 1;
	int64_t *ends;

	LIST_EACH(it, &m->order) {
		const struct media_host *h = LIST_ENTRY(it, struct media_host, in_order);

		most = h->span_count > most ? h->span_count : most;
	}
	ends = memory_resize(NULL, most, sizeof *ends);
	LIST_EACH(it, &m->order)
		host_settle(LIST_ENTRY(it, struct media_host, in_order), ends);
	free(ends);
}

/* Calls whose socket another call held while they came. */
static void mark_doubled(const struct socket_use *s, struct hash *doubled, struct arena *arena)
{
	for (unsigned i = 1; i < s->hold_count; i++) {
		const struct socket_hold *before = s->holds[i - 1], *h = s->holds[i];
		struct hash_link *link;

		if (before->leg == h->leg || before->leg->call == h->leg->call || before->to_ns <= h->from_ns ||
		    holds_share_remote(before, h))
			continue;
		link = arena_zalloc(arena, sizeof *link);
		hash_add(doubled, link, h->leg->n);
	}
}

static bool is_doubled(const struct hash *doubled, const struct leg *leg)
{
	for (struct hash_link *it = hash_first(doubled, leg->n); it; it = it->next) {
		if (it->hash == leg->n)
			return true;
	}
	return false;
}

struct media_hosts *media_hosts_new(const struct socket_uses *sockets, const struct list *legs)
{
	struct media_hosts *m = memory_zalloc(sizeof *m);
	struct arena *arena = arena_new();
	struct hash doubled;

	m->arena = arena_new();
	hash_init(&m->by_address);
	hash_init(&doubled);
	list_init(&m->order);
	LIST_EACH(it, socket_uses_in_order(sockets)) {
		const struct socket_use *s = LIST_ENTRY(it, struct socket_use, in_order);

		for (unsigned i = 0; i < s->hold_count; i++)
			span_add(m, s, s->holds[i]);
		mark_doubled(s, &doubled, arena);
	}
	LIST_EACH(it, legs)
		attempt_add(m, LIST_ENTRY(it, struct leg, in_order));
	hosts_settle(m);
	LIST_EACH(it, &m->order) {
		struct media_host *h = LIST_ENTRY(it, struct media_host, in_order);

		for (unsigned i = 0; i < h->attempt_count; i++)
			h->attempts[i].doubled = h->attempts[i].result == ATTEMPT_TAKEN &&
				is_doubled(&doubled, h->attempts[i].leg);
	}
	hash_fini(&doubled);
	arena_free(arena);
	return m;
}

void media_hosts_free(struct media_hosts *m)
{
	if (!m)
		return;
	LIST_EACH(it, &m->order) {
		struct media_host *h = LIST_ENTRY(it, struct media_host, in_order);

		free(h->span_count > 1 ? h->spans : NULL);
		free(h->attempts);
	}
	hash_fini(&m->by_address);
	arena_free(m->arena);
	free(m);
}

const struct list *media_hosts_in_order(const struct media_hosts *m)
{
	return &m->order;
}
