/* SPDX-License-Identifier: MIT */
/*
 * repeats: open transactions in the order of their first copies; each is counted when it cannot be repeated any more.
 */
#include "analyzer/calls/repeats.h"

#include <stdlib.h>

#include "captures/base/memory.h"
#include "captures/base/pool.h"
#include "captures/base/text.h"

enum { OPEN_MAX = 32768, STATS_MAX = 16384, IGNORED_COPIES = 3, INVITE_COPIES_MAX = 8, OTHER_COPIES_MAX = 12,
	LOOP_PASSAGES = 3, CHANCES = 8,
	STATS_EACH = 3 /* a transaction counts for its two hosts, and for the pair */ };

#define T1_NS (500 * MILLISECOND_NS)
#define T1_LEAST_NS (100 * MILLISECOND_NS)   /* of stacks that measure the round trip */
#define COPY_NS (20 * MILLISECOND_NS)        /* nearer together is one copy twice in the capture */
#define SLOW_NS (2 * SECOND_NS)
#define LIFE_NS (34 * SECOND_NS)             /* 64 T1, and what is on its way */

enum { CALL_ID = 96 };

struct tx_odd {                      /* of a transaction that was repeated, or whose answer is not as it should be */
	const char *field;           /* what the answer has wrong; NULL nothing */
	struct frame_ref answer;     /* that one */
	unsigned answers, copies;    /* such answers; copies after the first of them */
	uint8_t call_id_n;           /* 0: not repeated yet */
	uint8_t call_id[CALL_ID];    /* as it was written, as far as there is room */
};

struct tx {
	struct hash_link by_key;
	uint64_t key, branch;
	uint8_t method;
	bool stream;
	bool ended;                  /* by a final answer */
	bool answered_in_time;       /* an answer within T1 of a copy */
	bool lost_response;          /* and then a copy */
	struct endpoint src, dst;
	unsigned copies, answers;
	struct list_link in_order;   /* by first copy */
	struct frame_ref first, last;
	int64_t second_ns;           /* of the second copy; NS_NONE */
	int64_t answer_ns;           /* of the first answer */
	uint64_t uri;
	unsigned passages;
	uint32_t max_forwards;
	struct tx_odd *odd;          /* NULL: nothing of the kind, as of nearly all */
};

static const struct repeats_window no_window;

struct repeats {
	struct repeats_config config;
	struct pool tx_pool, stat_pool;
	struct hash by_key, stats_by_key;
	struct list open, stats, used;       /* used: stats, longest ago first */
	struct repeats_odd odds[REPEATS_ODD_MAX];
	unsigned odd_count;
	int64_t base_ns;
	uint64_t evicted;
};

struct repeats *repeats_new(const struct repeats_config *config)
{
	struct repeats *r = memory_zalloc(sizeof *r);

	r->config = *config;
	if (!r->config.max_open)
		r->config.max_open = OPEN_MAX;
	if (!r->config.max_stats)
		r->config.max_stats = STATS_MAX;
	list_init(&r->used);
	pool_init(&r->tx_pool, sizeof(struct tx));
	pool_init(&r->stat_pool, sizeof(struct repeats_stat));
	hash_init(&r->by_key);
	hash_init(&r->stats_by_key);
	list_init(&r->open);
	list_init(&r->stats);
	r->base_ns = NS_NONE;
	return r;
}

static void stat_fini(struct repeats_stat *s)
{
	if (s->worst != &no_window)
		free((void *)s->worst);
	free(s->last.frames);
	free(s->now.frames);
	free(s->series);
	if (s->port_set != s->ports_few)
		free(s->port_set);
}

void repeats_free(struct repeats *r)
{
	if (!r)
		return;
	LIST_EACH(it, &r->stats)
		stat_fini(LIST_ENTRY(it, struct repeats_stat, in_order));
	LIST_EACH(it, &r->open)
		free(LIST_ENTRY(it, struct tx, in_order)->odd);
	pool_fini(&r->tx_pool);
	pool_fini(&r->stat_pool);
	hash_fini(&r->by_key);
	hash_fini(&r->stats_by_key);
	free(r);
}

/* ---- counting ---- */

static uint64_t pair_key(const struct address *a, const struct address *b)
{
	return hash_mix(address_key(a), b ? address_key(b) : 0);
}

static struct repeats_stat *stat_find(const struct repeats *r, const struct address *a, const struct address *b,
	uint32_t hash)
{
	for (struct hash_link *it = hash_first(&r->stats_by_key, hash); it; it = it->next) {
		struct repeats_stat *s = HASH_ENTRY(it, struct repeats_stat, by_key);

		if (it->hash == hash && address_equal(&s->a, a) &&
		    (b ? address_equal(&s->b, b) : !address_known(&s->b)))
			return s;
	}
	return NULL;
}

/* The one that was used longest ago; one that has something to tell has a few more chances. */
static void stat_evict(struct repeats *r)
{
	struct repeats_stat *s = LIST_ENTRY(r->used.head.next, struct repeats_stat, in_use);

	for (unsigned i = 0; i < CHANCES && s->worst->tally.total; i++) {
		list_remove(&r->used, &s->in_use);
		list_add_tail(&r->used, &s->in_use);
		s = LIST_ENTRY(r->used.head.next, struct repeats_stat, in_use);
	}
	hash_remove(&r->stats_by_key, &s->by_key);
	list_remove(&r->stats, &s->in_order);
	list_remove(&r->used, &s->in_use);
	stat_fini(s);
	pool_give(&r->stat_pool, s);
	r->evicted++;
}

static struct repeats_stat *stat_get(struct repeats *r, const struct address *a, const struct address *b)
{
	uint32_t hash = (uint32_t)pair_key(a, b);
	struct repeats_stat *s = stat_find(r, a, b, hash);

	if (s) {
		list_remove(&r->used, &s->in_use);
		list_add_tail(&r->used, &s->in_use);
		return s;
	}
	if (r->stats.count >= r->config.max_stats)
		stat_evict(r);
	s = pool_take(&r->stat_pool);
	memset(s, 0, offsetof(struct repeats_stat, ports_few));
	s->port_set = s->ports_few;
	s->port_room = REPEATS_PORTS_FEW;
	s->a = *a;
	if (b)
		s->b = *b;
	s->worst = &no_window;
	s->now.from_ns = s->last.from_ns = NS_NONE;
	hash_add(&r->stats_by_key, &s->by_key, hash);
	list_add_tail(&r->stats, &s->in_order);
	list_add_tail(&r->used, &s->in_use);
	return s;
}

static unsigned repeated(const struct repeats_tally *t)
{
	return t->late + t->responses_lost + t->requests_lost;
}

static void tally_add(struct repeats_tally *t, const struct repeats_tally *x)
{
	t->total += x->total;
	t->late += x->late;
	t->late_slow += x->late_slow;
	t->responses_lost += x->responses_lost;
	t->requests_lost += x->requests_lost;
}

static void frames_take(struct repeats_window *w, const struct repeats_half *from)
{
	for (unsigned i = 0; i < from->frame_count && w->frame_count < REPEATS_FRAMES; i++)
		w->frames[w->frame_count++] = from->frames[i];
}

/* The window that the two halves make. */
static struct repeats_window joined(const struct repeats_stat *s)
{
	struct repeats_window w = { .from_ns = s->last.from_ns != NS_NONE ? s->last.from_ns : s->now.from_ns,
		.to_ns = s->now.to_ns };

	if (s->last.from_ns != NS_NONE) {
		tally_add(&w.tally, &s->last.tally);
		frames_take(&w, &s->last);
	}
	tally_add(&w.tally, &s->now.tally);
	frames_take(&w, &s->now);
	w.ports = s->port_count;
	return w;
}

static unsigned lost(const struct repeats_tally *t)
{
	return t->responses_lost + t->requests_lost;
}

static void worst_set(struct repeats_stat *s)
{
	struct repeats_window *w = (struct repeats_window *)s->worst;

	if (w == &no_window)
		w = memory_zalloc(sizeof *w);
	*w = joined(s);
	s->worst = w;
}

static void window_weigh(const struct repeats *r, struct repeats_stat *s)
{
	struct repeats_tally sum = { .total = 0 };

	if (s->now.from_ns == NS_NONE)
		return;
	if (s->last.from_ns != NS_NONE)
		tally_add(&sum, &s->last.tally);
	tally_add(&sum, &s->now.tally);
	if (sum.total < r->config.min || repeated(&sum) == 0)
		return;
	if (lost(&sum) > lost(&s->worst->tally) ||
	    (lost(&sum) == lost(&s->worst->tally) && repeated(&sum) > repeated(&s->worst->tally)))
		worst_set(s);
}

static void series_add(struct repeats_stat *s)
{
	if (!address_known(&s->b) || s->series_count == REPEATS_SERIES_MAX || s->now.tally.total == 0)
		return;
	if ((s->series_count & (s->series_count - 1)) == 0)
		s->series = memory_resize(s->series, s->series_count ? 2u * s->series_count : 1, sizeof *s->series);
	s->series[s->series_count++] = (struct repeats_point){ s->port_count, s->now.tally.total,
		repeated(&s->now.tally) };
}

/* Transactions come in the order of their first copies: only two halves are ever open. */
static void window_reach(const struct repeats *r, struct repeats_stat *s, int64_t at_ns)
{
	int64_t half_ns = r->config.window_ns / 2, from_ns = r->base_ns + (at_ns - r->base_ns) / half_ns * half_ns;

	if (s->now.from_ns != NS_NONE && from_ns <= s->now.from_ns) /* a try that was closed before older ones */
		return;
	if (s->now.from_ns != NS_NONE) {
		window_weigh(r, s);
		series_add(s);
	}
	free(s->last.frames);
	s->last = s->now;
	if (s->last.from_ns != NS_NONE && ns_add(s->last.from_ns, half_ns) != from_ns) {
		free(s->last.frames);
		s->last = (struct repeats_half){ .from_ns = NS_NONE };
	}
	s->now = (struct repeats_half){ .from_ns = from_ns, .to_ns = ns_add(from_ns, half_ns) };
	s->port_count = 0;
}

static void ports_grow(struct repeats_stat *s)
{
	bool few = s->port_set == s->ports_few;

	s->port_room *= 2;
	s->port_set = memory_resize(few ? NULL : s->port_set, s->port_room, sizeof *s->port_set);
	if (few)
		memcpy(s->port_set, s->ports_few, sizeof s->ports_few);
}

static void port_note(struct repeats_stat *s, uint16_t port)
{
	if (s->port_count == REPEATS_PORTS_MAX)
		return;
	for (unsigned i = 0; i < s->port_count; i++) {
		if (s->port_set[i] == port)
			return;
	}
	if (s->port_count == s->port_room)
		ports_grow(s);
	s->port_set[s->port_count++] = port;
}

static void frame_note(struct repeats_half *h, const struct frame_ref *at)
{
	if (!h->frames)
		h->frames = memory_zalloc(REPEATS_FRAMES * sizeof *h->frames);
	if (h->frame_count < REPEATS_FRAMES)
		h->frames[h->frame_count++] = *at;
}

static struct repeats_tally tally_of(const struct tx *t)
{
	struct repeats_tally x = { .total = 1 };
	int64_t gap_ns = t->second_ns != NS_NONE ? t->second_ns - t->first.at_ns : T1_NS;
	int64_t t1_ns = gap_ns < T1_LEAST_NS ? T1_LEAST_NS : gap_ns < T1_NS ? gap_ns : T1_NS;
	int64_t took_ns = t->answer_ns - t->first.at_ns;

	if (t->copies < 2)
		return x;
	if (took_ns > t1_ns && t->answers >= t->copies) {
		x.late = 1;
		x.late_slow = took_ns >= SLOW_NS;
	} else if (t->lost_response) {
		x.responses_lost = 1;
	} else if (t->answers < t->copies) {
		x.requests_lost = 1;
	}
	return x;
}

static void stat_note(struct repeats *r, const struct address *a, const struct address *b, const struct tx *t,
	const struct repeats_tally *x)
{
	struct repeats_stat *s = stat_get(r, a, b);

	window_reach(r, s, t->first.at_ns);
	tally_add(&s->now.tally, x);
	port_note(s, t->src.port);
	port_note(s, t->dst.port);
	if (repeated(x))
		frame_note(&s->now, &t->last);
}

static void odd_add(struct repeats *r, const struct tx *t, enum odd_kind kind, unsigned copies)
{
	struct repeats_odd *o;

	for (unsigned i = 0; i < r->odd_count; i++) {
		o = &r->odds[i];
		if (o->kind == kind && address_equal(&o->src.addr, &t->src.addr) &&
		    address_equal(&o->dst.addr, &t->dst.addr))
			return;
	}
	if (r->odd_count == REPEATS_ODD_MAX)
		return;
	o = &r->odds[r->odd_count++];
	*o = (struct repeats_odd){ .kind = kind, .field = t->odd->field, .src = t->src, .dst = t->dst,
		.first = t->first, .answer = t->odd->answer, .last = t->last, .copies = copies, .method = t->method };
	text_escape((struct span){ t->odd->call_id, t->odd->call_id_n }, o->call_id, sizeof o->call_id);
}

/* Each of them takes a request that was sent again. */
static void oddities(struct repeats *r, const struct tx *t)
{
	if (!t->odd || !t->odd->call_id_n)
		return;
	if (t->odd->field && t->odd->copies >= IGNORED_COPIES && t->answers == t->odd->answers)
		odd_add(r, t, ODD_IGNORES, t->odd->copies);
	if (t->copies > (t->method == SIP_INVITE ? INVITE_COPIES_MAX : OTHER_COPIES_MAX))
		odd_add(r, t, ODD_BEYOND_TIMER, t->copies);
	if (t->stream && t->copies > 1)
		odd_add(r, t, ODD_STREAM, t->copies);
	if (t->passages >= LOOP_PASSAGES)
		odd_add(r, t, ODD_LOOP, t->passages);
}

static uint32_t between_hash(const struct tx *t)
{
	bool swap = address_compare(&t->src.addr, &t->dst.addr) > 0;

	return (uint32_t)(swap ? pair_key(&t->dst.addr, &t->src.addr) : pair_key(&t->src.addr, &t->dst.addr));
}

static void tx_close(struct repeats *r, struct tx *t)
{
	struct repeats_tally x = tally_of(t);
	bool swap = address_compare(&t->src.addr, &t->dst.addr) > 0;

	oddities(r, t);
	if (t->answers && !t->stream) {
		stat_note(r, &t->src.addr, NULL, t, &x);
		stat_note(r, &t->dst.addr, NULL, t, &x);
		stat_note(r, swap ? &t->dst.addr : &t->src.addr, swap ? &t->src.addr : &t->dst.addr, t, &x);
	}
	hash_remove(&r->by_key, &t->by_key);
	list_remove(&r->open, &t->in_order);
	free(t->odd);
	pool_give(&r->tx_pool, t);
}

/* ---- packets ---- */

static uint64_t key_of(const struct packet *p, const struct sip_message *sip)
{
	const struct address *client = sip->request ? &p->src.addr : &p->dst.addr,
		*server = sip->request ? &p->dst.addr : &p->src.addr;
	struct span text = sip->method == SIP_METHOD_OTHER ? sip->request ? sip->method_text : sip->cseq_method
		: SPAN_NONE;
	uint64_t key = hash_mix(sip->keys.call_id, sip->keys.from_tag);

	key = hash_mix(key, (uint64_t)sip->cseq << 8 | sip->method);
	if (text.n)
		key = hash_mix(key, hash_bytes(text.p, text.n));
	return hash_mix(key, pair_key(client, server));
}

static struct tx *tx_find(const struct repeats *r, uint64_t key)
{
	for (struct hash_link *it = hash_first(&r->by_key, (uint32_t)key); it; it = it->next) {
		struct tx *t = HASH_ENTRY(it, struct tx, by_key);

		if (t->key == key)
			return t;
	}
	return NULL;
}

static uint64_t branch_of(const struct sip_message *sip)
{
	return sip->keys.branch;
}

static struct tx *tx_new(struct repeats *r, const struct packet *p, uint64_t key)
{
	struct tx *t;

	if (r->open.count >= r->config.max_open) {
		tx_close(r, LIST_ENTRY(r->open.head.next, struct tx, in_order));
		r->evicted++;
	}
	t = pool_take(&r->tx_pool);
	memset(t, 0, sizeof *t);
	t->key = key;
	t->branch = branch_of(p->sip);
	t->uri = hash_bytes(p->sip->uri.p, p->sip->uri.n);
	t->method = (uint8_t)p->sip->method;
	t->stream = p->transport != TRANSPORT_UDP;
	t->src = p->src;
	t->dst = p->dst;
	t->first = t->last = frame_ref_of(p);
	t->second_ns = NS_NONE;
	t->copies = 1;
	t->passages = 1;
	t->max_forwards = p->sip->has_max_forwards ? p->sip->max_forwards : UINT32_MAX;
	hash_add(&r->by_key, &t->by_key, (uint32_t)key);
	list_add_tail(&r->open, &t->in_order);
	return t;
}

static struct tx_odd *odd_of(struct tx *t)
{
	if (!t->odd)
		t->odd = memory_zalloc(sizeof *t->odd);
	return t->odd;
}

/* A request of the same key, which has the Call-ID in it. */
static void sent_again(struct tx *t, const struct packet *p)
{
	struct tx_odd *o = odd_of(t);

	t->last = frame_ref_of(p);
	if (o->call_id_n)
		return;
	o->call_id_n = (uint8_t)(p->sip->call_id.n < CALL_ID ? p->sip->call_id.n : CALL_ID);
	memcpy(o->call_id, p->sip->call_id.p, o->call_id_n);
}

/* The same request on the same way once more, with fewer hops left. */
static bool goes_round(const struct tx *t, const struct sip_message *sip)
{
	return sip->has_max_forwards && sip->max_forwards < t->max_forwards &&
	       t->uri == hash_bytes(sip->uri.p, sip->uri.n);
}

/* A provisional answer is each server's own: the request goes on all the same. */
static void passes_again(struct tx *t, const struct packet *p)
{
	const struct sip_message *sip = p->sip;

	if (!goes_round(t, sip))
		return;
	if (t->answers)
		t->branch = branch_of(sip);
	t->max_forwards = sip->max_forwards;
	t->passages++;
	sent_again(t, p);
}

static void take_request(struct repeats *r, const struct packet *p, uint64_t key)
{
	struct tx *t = tx_find(r, key);

	if (!t) {
		tx_new(r, p, key);
		return;
	}
	if (t->branch != branch_of(p->sip)) {
		if (t->ended || (t->answers && !goes_round(t, p->sip))) { /* a new try with the same number, after a challenge */
			tx_close(r, t);
			tx_new(r, p, key);
		} else {
			passes_again(t, p);
		}
		return;
	}
	if (!endpoint_equal(&t->src, &p->src) || !endpoint_equal(&t->dst, &p->dst) ||
	    p->at_ns - t->last.at_ns < COPY_NS)
		return;
	t->copies++;
	t->second_ns = t->second_ns == NS_NONE ? p->at_ns : t->second_ns;
	sent_again(t, p);
	t->lost_response |= t->answered_in_time;
	t->odd->copies += t->odd->field != NULL;
}

/* A provisional ends the repetition of an INVITE only (RFC 3261 17.1.2.2). */
static void take_response(struct repeats *r, const struct packet *p, uint64_t key)
{
	struct tx *t = tx_find(r, key);
	bool branch;

	if (!t || (p->sip->status < 200 && t->method != SIP_INVITE))
		return;
	t->ended |= p->sip->status >= 200;
	branch = t->branch == branch_of(p->sip);
	if (!branch || p->src.port != t->dst.port) {
		struct tx_odd *o = odd_of(t);

		if (!o->field && endpoint_equal(&p->dst, &t->src)) {
			o->field = branch ? "the port that it comes from" : "the branch of its Via";
			o->answer = frame_ref_of(p);
		}
		if (!branch)
			return;
		o->answers++;
	}
	if (t->answers == 0)
		t->answer_ns = p->at_ns;
	t->answers++;
	t->answered_in_time |= p->at_ns - t->last.at_ns <= T1_NS;
}

static void close_old(struct repeats *r, int64_t before_ns)
{
	while (r->open.count) {
		struct tx *t = LIST_ENTRY(r->open.head.next, struct tx, in_order);

		if (t->first.at_ns > before_ns)
			return;
		tx_close(r, t);
	}
}

unsigned repeats_places(const struct repeats *r, const struct packet *p, struct hash_place *ret)
{
	if (p->sip->method == SIP_ACK)
		return 0;
	ret[0] = (struct hash_place){ &r->by_key, key_of(p, p->sip) };
	return 1;
}

unsigned repeats_closing_places(const struct repeats *r, int64_t now_ns, struct hash_place *ret, unsigned max)
{
	int64_t before_ns = ns_add(now_ns, -LIFE_NS);
	unsigned n = 0, full = r->open.count + max >= r->config.max_open ? max : 0;

	LIST_EACH(it, &r->open) {
		const struct tx *t = LIST_ENTRY(it, struct tx, in_order);

		if (n + STATS_EACH > max || (t->first.at_ns > before_ns && n >= full))
			break;
		ret[n++] = (struct hash_place){ &r->stats_by_key, (uint32_t)pair_key(&t->src.addr, NULL) };
		ret[n++] = (struct hash_place){ &r->stats_by_key, (uint32_t)pair_key(&t->dst.addr, NULL) };
		ret[n++] = (struct hash_place){ &r->stats_by_key, between_hash(t) };
		hash_ask_remove(&t->by_key);
	}
	return n;
}

void repeats_packet(struct repeats *r, const struct packet *p)
{
	struct hash_place at[HASH_PLACES];

	repeats_places(r, p, at);
	repeats_packet_at(r, p, at);
}

void repeats_packet_at(struct repeats *r, const struct packet *p, const struct hash_place *at)
{
	const struct sip_message *sip = p->sip;

	if (sip->method == SIP_ACK || !sip->call_id.n || !sip->has_cseq || sip->method == SIP_METHOD_NONE)
		return;
	if (r->base_ns == NS_NONE)
		r->base_ns = p->at_ns;
	close_old(r, ns_add(p->at_ns, -LIFE_NS));
	(sip->request ? take_request : take_response)(r, p, at[0].key);
}

void repeats_settle(struct repeats *r, int64_t now_ns, bool all)
{
	close_old(r, all ? INT64_MAX : ns_add(now_ns, -LIFE_NS));
	LIST_EACH(it, &r->stats)
		window_weigh(r, LIST_ENTRY(it, struct repeats_stat, in_order));
}

const struct list *repeats_stats(const struct repeats *r)
{
	return &r->stats;
}

const struct repeats_stat *repeats_pair(const struct repeats *r, const struct address *a, const struct address *b)
{
	const struct address *first = address_compare(a, b) > 0 ? b : a, *second = first == a ? b : a;

	return stat_find(r, first, second, (uint32_t)pair_key(first, second));
}

const struct repeats_odd *repeats_odds(const struct repeats *r, unsigned *ret_count)
{
	*ret_count = r->odd_count;
	return r->odds;
}

uint64_t repeats_evicted(const struct repeats *r)
{
	return r->evicted;
}
