/* SPDX-License-Identifier: MIT */
/*
 * echo_refused: INVITEs that the SIP helper of Linux is known to drop without a word (3.2: ports below 1024, another
 * address family, no c=, no Content-Length), repeated in vain while requests of the same flow and of their size are
 * answered.
 */
#include "analyzer/network/echo_private.h"

#include <stdlib.h>

#include "captures/base/memory.h"

#define NEAR_NS (60 * SECOND_NS)
#define THIN_NS (5 * SECOND_NS)         /* answers nearer to each other are one */

enum { FEW = 2, TRANSMISSIONS = 4, ANSWERS_KEPT = 32, LINES = 256, SIZE_MARGIN = 100, PRIVILEGED = 1023 };

struct flow {                        /* requests from one socket to another that were answered */
	struct list_link in_order;
	struct hash_link by_key;
	struct endpoint phone, peer;
	/* a ring, in the size that it has: few, or what is allocated; the largest request of each few seconds */
	struct flow_answer { int64_t at_ns; uint32_t bytes; } *answers, few[FEW];
	unsigned count;
};

/* ---- what they do not like ---- */

static bool low_port(struct span line)
{
	struct span word = SPAN_NONE;
	uint64_t port;

	for (unsigned i = 0; i < 2; i++) {
		if (!span_split(&line, ' ', &word))
			return false;
	}
	return span_number(word, 65535, &port) && port > 0 && port <= PRIVILEGED;
}

static uint32_t refused_shape(const struct packet *p, const struct sip_message *m)
{
	struct span sdp = m->sdp, line;
	uint32_t shape = m->has_content_length ? 0 : REFUSED_NO_LENGTH;
	bool connection = false;

	if (m->method != SIP_INVITE || !sdp.n || p->transport != TRANSPORT_UDP)
		return 0;
	for (unsigned i = 0; i < LINES && span_split(&sdp, '\n', &line); i++) {
		line = span_trim(line);
		if (span_starts(line, SPAN("c=")))
			connection = true;
		if (span_starts(line, SPAN("c=IN IP6")) && p->src.addr.family == 4)
			shape |= REFUSED_FAMILY;
		if (span_starts(line, SPAN("m=audio ")) || span_starts(line, SPAN("m=video ")) ||
		    span_starts(line, SPAN("m=image ")))
			shape |= low_port(line) ? REFUSED_LOW_PORT : 0;
	}
	return connection ? shape : shape | REFUSED_NO_CONNECTION;
}

/* Asked for when it has been sent often enough to be judged: nearly all are answered before. */
void refused_repeated(struct asked *a, const struct packet *p, const struct sip_message *m)
{
	if (++a->sent == TRANSMISSIONS)
		a->refused = refused_shape(p, m);
}

/* ---- what is answered beside it ---- */

static uint32_t flow_hash(const struct endpoint *phone, const struct endpoint *peer)
{
	return (uint32_t)hash_mix(endpoint_key(phone), endpoint_key(peer));
}

struct hash_place refused_place(const struct echoes *e, const struct endpoint *phone, const struct endpoint *peer)
{
	return (struct hash_place){ &e->flows, flow_hash(phone, peer) };
}

static struct flow *flow_find(const struct echoes *e, const struct asked *a)
{
	uint32_t hash = flow_hash(&a->phone, &a->peer);

	for (struct hash_link *it = hash_first(&e->flows, hash); it; it = it->next) {
		struct flow *f = HASH_ENTRY(it, struct flow, by_key);

		if (it->hash == hash && endpoint_equal(&f->phone, &a->phone) && endpoint_equal(&f->peer, &a->peer))
			return f;
	}
	return NULL;
}

static void flow_drop(struct echoes *e, struct flow *f)
{
	hash_remove(&e->flows, &f->by_key);
	list_remove(&e->flows_in_order, &f->in_order);
	if (f->answers != f->few)
		free(f->answers);
	pool_give(&e->flow_pool, f);
}

static struct flow *flow_of(struct echoes *e, const struct asked *a)
{
	struct flow *f = flow_find(e, a);

	if (f)
		return f;
	if (e->flows_in_order.count >= SITE_MAX)
		flow_drop(e, LIST_ENTRY(e->flows_in_order.head.next, struct flow, in_order));
	f = pool_take(&e->flow_pool);
	f->phone = a->phone;
	f->peer = a->peer;
	f->answers = f->few;
	f->count = 0;
	hash_add(&e->flows, &f->by_key, flow_hash(&a->phone, &a->peer));
	list_add_tail(&e->flows_in_order, &f->in_order);
	return f;
}

/* A power of two is full. */
static void answers_grow(struct flow *f)
{
	bool few = f->answers == f->few;

	f->answers = memory_resize(few ? NULL : f->answers, 2u * f->count, sizeof *f->answers);
	if (few)
		memcpy(f->answers, f->few, sizeof f->few);
}

void refused_answered(struct echoes *e, const struct asked *a, int64_t at_ns)
{
	struct flow *f = flow_of(e, a);
	unsigned last = (f->count + ANSWERS_KEPT - 1) % ANSWERS_KEPT;

	if (f->count && ns_minus(at_ns, f->answers[last].at_ns) < THIN_NS) {
		if (a->bytes > f->answers[last].bytes)
			f->answers[last].bytes = a->bytes;
		return;
	}
	if (f->count >= FEW && f->count < ANSWERS_KEPT && (f->count & (f->count - 1)) == 0)
		answers_grow(f);
	f->answers[f->count++ % ANSWERS_KEPT] = (struct flow_answer){ at_ns, a->bytes };
}

/* Of its size: else it may be the MTU. */
static bool others_answered(const struct echoes *e, const struct asked *a)
{
	const struct flow *f = flow_find(e, a);
	unsigned kept = !f ? 0 : f->count < ANSWERS_KEPT ? f->count : ANSWERS_KEPT;

	for (unsigned i = 0; i < kept; i++) {
		if (f->answers[i].at_ns >= ns_add(a->at.at_ns, -NEAR_NS) &&
		    f->answers[i].at_ns <= ns_add(a->at.at_ns, NEAR_NS) &&
		    f->answers[i].bytes + SIZE_MARGIN >= a->bytes)
			return true;
	}
	return false;
}

/* ---- judging ---- */

static const char *name_of(uint32_t shape)
{
	if (shape & REFUSED_LOW_PORT)
		return "a port below 1024";
	if (shape & REFUSED_FAMILY)
		return "an IPv6 address over IPv4";
	return shape & REFUSED_NO_CONNECTION ? "no c= line" : "no Content-Length";
}

void refused_judge(struct echoes *e, struct asked *a)
{
	struct sign_at where = { a->phone, a->peer, a->transport, a->leg_key, a->agent, a->router_mac };
	struct echo_sign *s;

	if (a->judged || a->answered || !a->refused || a->sent < TRANSMISSIONS || !others_answered(e, a))
		return;
	a->judged = true;
	s = sign_add(e, ECHO_REFUSED, &where, a->at);
	if (!s)
		return;
	s->detail |= a->refused;
	s->transactions++;
	sign_texts(s, "SDP", SPAN_NONE, span_of(name_of(a->refused)));
}

void refused_init(struct echoes *e)
{
	hash_init(&e->flows);
	list_init(&e->flows_in_order);
	pool_init(&e->flow_pool, sizeof(struct flow));
}

void refused_fini(struct echoes *e)
{
	LIST_EACH_SAFE(it, &e->flows_in_order)
		flow_drop(e, LIST_ENTRY(it, struct flow, in_order));
	pool_fini(&e->flow_pool);
	hash_fini(&e->flows);
}
