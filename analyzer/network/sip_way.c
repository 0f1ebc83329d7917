/* SPDX-License-Identifier: MIT */
/*
 * sip_way: the latest requests in a ring, found by branch, CSeq and From-tag. What they prove is kept, bounded, for
 * good.
 */
#include "analyzer/network/sip_way.h"

#include <stdlib.h>

#include "analyzer/network/internal.h"
#include "captures/base/memory.h"

enum {
	WAYS = 8192,                 /* requests remembered */
	AHEAD = 8,                   /* what will be overwritten after so many is asked for */
	STRAYS_MAX = 4096,
	CHAINS_MAX = 256,
	STRAY_REPEATS = 2,           /* sent again so often after an answer that went elsewhere, and */
	STRAY_ANSWERS = 2
};

/* In one file a hop takes no longer; clocks of two files may be apart. A repetition (T1) comes later. */
#define HOP_NS (100 * MILLISECOND_NS)

struct way {
	struct hash_link by_key;
	uint64_t key, call;
	bool used, rport, answered;  /* answered: an answer went where the request came from */
	uint8_t method;
	unsigned source_count, via_count;
	struct endpoint dst, sent_by;
	unsigned transmissions, answers;     /* wrong ones, and requests after the first of them */
	struct sip_stray *stray;     /* counted there already */
	/* sources and where they were seen, as far as source_count; the others with the first wrong answer */
	struct endpoint sources[WAY_SOURCES];
	struct frame_ref seen[WAY_SOURCES];
	struct endpoint wrong;
	struct frame_ref first_answer, last_answer, repeated;
};

struct sip_ways {
	struct network *network;
	struct way *ring;            /* made with the first request */
	unsigned next;
	struct hash by_key, strays_by_key;
	struct list strays, chains;
};

struct sip_ways *sip_ways_new(struct network *network)
{
	struct sip_ways *w = memory_zalloc(sizeof *w);

	w->network = network;
	hash_init(&w->by_key);
	hash_init(&w->strays_by_key);
	list_init(&w->strays);
	list_init(&w->chains);
	return w;
}

void sip_ways_free(struct sip_ways *w)
{
	if (!w)
		return;
	hash_fini(&w->by_key);
	hash_fini(&w->strays_by_key);
	LIST_EACH_SAFE(it, &w->strays)
		free(LIST_ENTRY(it, struct sip_stray, in_order));
	LIST_EACH_SAFE(it, &w->chains)
		free(LIST_ENTRY(it, struct sip_chain, in_order));
	free(w->ring);
	free(w);
}

/* Branches of RFC 2543 are not unique. */
static bool has_way(const struct packet *p)
{
	return p->transport == TRANSPORT_UDP && (p->has & HAS_IP) && p->sip->keys.cookie &&
		p->sip->method != SIP_METHOD_NONE;
}

/* From is never used by answers in another form than its tag. */
static uint64_t way_key(const struct sip_message *m)
{
	return hash_mix(hash_mix(m->keys.branch, m->keys.from_tag), (uint64_t)m->cseq << 8 | m->method);
}

static struct way *way_find(const struct sip_ways *w, uint64_t key)
{
	for (struct hash_link *it = hash_first(&w->by_key, (uint32_t)key); it; it = it->next) {
		struct way *way = HASH_ENTRY(it, struct way, by_key);

		if (way->key == key)
			return way;
	}
	return NULL;
}

static void way_begin(struct sip_ways *w, const struct packet *p, uint64_t key)
{
	const struct sip_message *m = p->sip;
	struct way *way;

	if (!w->ring)
		w->ring = memory_zalloc(WAYS * sizeof *w->ring);
	__builtin_prefetch(&w->ring[(w->next + 2 * AHEAD) % WAYS].by_key);
	hash_ask_remove(&w->ring[(w->next + AHEAD) % WAYS].by_key);
	way = &w->ring[w->next++ % WAYS];
	if (way->used)
		hash_remove(&w->by_key, &way->by_key);
	memset(way, 0, offsetof(struct way, sources));
	way->used = true;
	way->key = key;
	way->call = m->keys.call_id;
	way->dst = p->dst;
	way->sources[0] = p->src;
	way->seen[0] = frame_ref_of(p);
	way->source_count = 1;
	way->via_count = m->via_count;
	way->method = (uint8_t)m->method;
	way->rport = m->via.has_rport;
	way->sent_by.port = m->via.has_port ? m->via.port : SIP_PORT;
	way->sent_by.addr = m->via.at;
	hash_add(&w->by_key, &way->by_key, (uint32_t)key);
}

/* ---- translations ---- */

/*
 * Is a nearer to the client than b? By what the client calls itself, else by where the addresses can be reached from.
 */
static bool is_inside(const struct way *way, const struct endpoint *a, const struct endpoint *b)
{
	int x = address_reach(&a->addr), y = address_reach(&b->addr);

	if (x != y)
		return x < y;
	return address_equal(&a->addr, &way->sent_by.addr);
}

static void learn(struct sip_ways *w, const struct endpoint *inside, const struct endpoint *outside,
	const struct packet *p)
{
	network_learn(w->network, inside, outside, false, NAT_SIP_TWO_POINTS, p->at_ns, p->file, p->frame);
}

static struct sip_chain *chain_find(const struct sip_ways *w, const struct endpoint at[3])
{
	LIST_EACH(it, &w->chains) {
		struct sip_chain *c = LIST_ENTRY(it, struct sip_chain, in_order);

		if (endpoint_equal(&c->at[0], &at[0]) && endpoint_equal(&c->at[1], &at[1]) &&
		    endpoint_equal(&c->at[2], &at[2]))
			return c;
	}
	return NULL;
}

static void chain_note(struct sip_ways *w, const struct way *way)
{
	unsigned order[3] = { 0, 1, 2 };
	struct endpoint at[3];
	struct sip_chain *c;

	for (unsigned i = 1; i < 3; i++) {
		for (unsigned k = i; k > 0 && is_inside(way, &way->sources[order[k]], &way->sources[order[k - 1]]);
		    k--) {
			unsigned other = order[k];

			order[k] = order[k - 1];
			order[k - 1] = other;
		}
	}
	for (unsigned i = 0; i < 3; i++)
		at[i] = way->sources[order[i]];
	if (!is_inside(way, &at[0], &at[1]) || !is_inside(way, &at[1], &at[2]))
		return;
	c = chain_find(w, at);
	if (!c && w->chains.count == CHAINS_MAX)
		return;
	if (!c) {
		c = memory_zalloc(sizeof *c);
		memcpy(c->at, at, sizeof c->at);
		c->server = way->dst;
		for (unsigned i = 0; i < 3; i++)
			c->seen[i] = way->seen[order[i]];
		list_add_tail(&w->chains, &c->in_order);
	}
	c->count++;
}

static bool is_hop(const struct way *way, const struct packet *p)
{
	const struct frame_ref *last = &way->seen[way->source_count - 1];
	int64_t apart_ns = ns_minus(p->at_ns, last->at_ns);

	return p->file != last->file || (apart_ns <= HOP_NS && apart_ns >= -HOP_NS);
}

/* Another source of the very same request: what the nearest of the known ones was turned into. */
static void source_add(struct sip_ways *w, struct way *way, const struct packet *p)
{
	const struct endpoint *last = &way->sources[way->source_count - 1];

	if (way->source_count == WAY_SOURCES || !is_hop(way, p) || way->via_count != p->sip->via_count ||
	    !endpoint_equal(&p->dst, &way->dst))
		return;
	if (is_inside(way, last, &p->src))
		learn(w, last, &p->src, p);
	else if (is_inside(way, &p->src, last))
		learn(w, &p->src, last, p);
	else
		return;
	way->seen[way->source_count] = frame_ref_of(p);
	way->sources[way->source_count++] = p->src;
	if (way->source_count == 3)
		chain_note(w, way);
}

/* The same request on its way in, before and behind the NAT. */
static void destination_changed(struct sip_ways *w, const struct way *way, const struct packet *p)
{
	int before = address_reach(&way->dst.addr), behind = address_reach(&p->dst.addr);

	if (!is_hop(way, p) || way->via_count != p->sip->via_count || before < 0 || behind < 0)
		return;
	if (before < behind)
		learn(w, &way->dst, &p->dst, p);
	else if (behind < before)
		learn(w, &p->dst, &way->dst, p);
}

/* ---- answers ---- */

static struct sip_stray *stray_of(struct sip_ways *w, const struct way *way)
{
	uint64_t key = hash_mix(hash_mix(endpoint_key(&way->sources[0]), endpoint_key(&way->dst)),
		endpoint_key(&way->wrong));
	struct sip_stray *s;

	for (struct hash_link *it = hash_first(&w->strays_by_key, (uint32_t)key); it; it = it->next) {
		s = HASH_ENTRY(it, struct sip_stray, by_key);
		if (endpoint_equal(&s->client, &way->sources[0]) && endpoint_equal(&s->server, &way->dst) &&
		    endpoint_equal(&s->sent_to, &way->wrong))
			return s;
	}
	if (w->strays.count == STRAYS_MAX)
		return NULL;
	s = memory_zalloc(sizeof *s);
	*s = (struct sip_stray){ .client = way->sources[0], .server = way->dst, .sent_to = way->wrong,
		.call = way->call, .method = way->method,
				 .rport = way->rport, .request = way->seen[0], .first_answer = way->first_answer,
				 .repeated = way->repeated };
	list_add_tail(&w->strays, &s->in_order);
	hash_add(&w->strays_by_key, &s->by_key, (uint32_t)key);
	return s;
}

/* Lost: the client goes on asking for what was answered twice and more. What it has got after all stays uncounted. */
static void stray_note(struct sip_ways *w, struct way *way)
{
	if (way->answered || way->transmissions < STRAY_REPEATS || way->answers < STRAY_ANSWERS)
		return;
	if (!way->stray) {
		way->stray = stray_of(w, way);
		if (!way->stray)
			return;
		way->stray->requests++;
		way->stray->transmissions += way->transmissions;
		way->stray->answers += way->answers;
	}
	way->stray->last_answer = way->last_answer;
}

static bool came_from(const struct way *way, const struct address *a)
{
	for (unsigned i = 0; i < way->source_count; i++) {
		if (address_equal(&way->sources[i].addr, a))
			return true;
	}
	return false;
}

static void take_request(struct sip_ways *w, const struct packet *p, uint64_t key)
{
	struct way *way = way_find(w, key);

	if (!way) {
		way_begin(w, p, key);
	} else if (endpoint_equal(&way->sources[0], &p->src) && endpoint_equal(&way->dst, &p->dst)) {
		if (!way->answers || p->file != way->seen[0].file)
			return;
		way->transmissions++;
		way->repeated = frame_ref_of(p);
		if (way->stray)
			way->stray->transmissions++;
		stray_note(w, way);
	} else if (came_from(way, &p->src.addr)) {
		destination_changed(w, way, p);
	} else {
		source_add(w, way, p);
	}
}

static void take_response(struct sip_ways *w, const struct packet *p, uint64_t key)
{
	struct way *way = way_find(w, key);

	if (!way || !address_equal(&p->src.addr, &way->dst.addr))
		return;
	if (came_from(way, &p->dst.addr)) {
		way->answered = true;
		return;
	}
	if (!way->answers) {
		way->wrong = p->dst;
		way->first_answer = frame_ref_of(p);
		way->repeated = (struct frame_ref){ 0 };
	} else if (!endpoint_equal(&way->wrong, &p->dst)) {
		return;
	}
	way->answers++;
	way->last_answer = frame_ref_of(p);
	if (way->stray)
		way->stray->answers++;
	stray_note(w, way);
}

unsigned sip_ways_places(const struct sip_ways *w, const struct packet *p, struct hash_place *ret)
{
	if (!has_way(p))
		return 0;
	ret[0] = (struct hash_place){ &w->by_key, way_key(p->sip) };
	return 1;
}

void sip_ways_message(struct sip_ways *w, const struct packet *p)
{
	struct hash_place at[HASH_PLACES];

	sip_ways_places(w, p, at);
	sip_ways_message_at(w, p, at);
}

void sip_ways_message_at(struct sip_ways *w, const struct packet *p, const struct hash_place *at)
{
	if (!has_way(p))
		return;
	if (p->sip->request)
		take_request(w, p, at[0].key);
	else
		take_response(w, p, at[0].key);
}

const struct list *sip_ways_strays(const struct sip_ways *w)
{
	return &w->strays;
}

const struct list *sip_ways_chains(const struct sip_ways *w)
{
	return &w->chains;
}
