/* SPDX-License-Identifier: MIT */
/*
 * two_points: knows a message again at the next capture point, holds its text until both are there, and sees what never
 * came.
 */
#include "analyzer/network/point_private.h"

#include <stdlib.h>

#include "analyzer/network/internal.h"
#include "captures/base/memory.h"
#include "dissect/sdp.h"

enum {
	CROSSING_MAX = 16384,
	EARLY_MAX = 512,             /* a point's first messages, kept until the clocks of the files are known (1.11) */
	TEXT_MAX = 16 << 20,         /* bytes of waiting texts */
	MESSAGE_MAX = 65535,
	REPLACED_LOOKS = 8,
	CLOCKS_EVERY = 32,           /* messages */
	TEXT_STEP = 256              /* texts of up to 2 KiB, which nearly all are, come from pools */
};

struct two_points *two_points_new(const struct two_points_config *config)
{
	struct two_points *t = memory_zalloc(sizeof *t);

	t->config = *config;
	t->clocks.set = config->clocks_set;
	hash_init(&t->by_k1);
	hash_init(&t->by_k2);
	hash_init(&t->links);
	pool_init(&t->pool, sizeof(struct crossing));
	for (unsigned i = 0; i < TEXT_POOLS; i++)
		pool_init(&t->texts[i], (i + 1) * TEXT_STEP);
	list_init(&t->crossings);
	list_init(&t->recent);
	list_init(&t->early);
	list_init(&t->links_in_order);
	list_init(&t->lost);
	passages_init(&t->passages);
	t->sdp = memory_zalloc(sizeof *t->sdp);
	t->now_ns = INT64_MIN + 1;
	return t;
}

/* NULL: too long for the pools. */
static struct pool *text_pool(struct two_points *t, uint32_t bytes)
{
	uint32_t i = bytes ? (bytes - 1) / TEXT_STEP : 0;

	return i < TEXT_POOLS ? &t->texts[i] : NULL;
}

static void text_drop(struct two_points *t, struct sighting *s)
{
	struct pool *pool = text_pool(t, s->text_bytes);

	if (!s->text)
		return;
	t->text_bytes -= s->text_bytes;
	if (pool)
		pool_give(pool, s->text);
	else
		free(s->text);
	s->text = NULL;
}

static void crossing_free(struct two_points *t, struct crossing *c)
{
	for (unsigned i = 0; i < c->count; i++)
		text_drop(t, &c->sightings[i]);
	if (c->sightings != &c->only)
		free(c->sightings);
	pool_give(&t->pool, c);
}

void two_points_free(struct two_points *t)
{
	if (!t)
		return;
	LIST_EACH_SAFE(it, &t->crossings)
		crossing_free(t, LIST_ENTRY(it, struct crossing, in_order));
	LIST_EACH_SAFE(it, &t->links_in_order)
		free(LIST_ENTRY(it, struct link, in_order));
	LIST_EACH_SAFE(it, &t->lost)
		free(LIST_ENTRY(it, struct lost_message, in_order));
	passages_fini(&t->passages);
	pool_fini(&t->pool);
	for (unsigned i = 0; i < TEXT_POOLS; i++)
		pool_fini(&t->texts[i]);
	hash_fini(&t->by_k1);
	hash_fini(&t->by_k2);
	hash_fini(&t->links);
	free(t->sdp);
	free(t);
}

void two_points_frame(struct two_points *t, uint16_t file, int64_t at_ns)
{
	uint64_t bit;

	if (file >= CLOCK_FILE_MAX)
		return;
	bit = UINT64_C(1) << file;
	if (!(t->files_begun & bit) || at_ns < t->file_first_ns[file])
		t->file_first_ns[file] = at_ns;
	if (!(t->files_begun & bit) || at_ns > t->file_last_ns[file])
		t->file_last_ns[file] = at_ns;
	t->files_begun |= bit;
}

bool two_points_covers(const struct two_points *t, uint16_t file, int64_t at_ns)
{
	return file < CLOCK_FILE_MAX && (t->files_begun >> file & 1) && at_ns >= t->file_first_ns[file] &&
	       at_ns <= t->file_last_ns[file];
}

/* ---- points ---- */

static bool same_point(const struct point *a, const struct point *b)
{
	return a->file == b->file && a->interface == b->interface && a->vlan == b->vlan && a->ifindex == b->ifindex &&
	       a->direction == b->direction;
}

static void k2_links(struct two_points *t, struct crossing *c, bool add)
{
	for (unsigned i = 0; i < c->count && t->point_count > 1; i++) {
		if (add)
			hash_add(&t->by_k2, &c->sightings[i].by_k2, point_k2_hash(c->k2, c->sightings[i].point));
		else
			hash_remove(&t->by_k2, &c->sightings[i].by_k2);
	}
}

static void point_add(struct two_points *t, const struct point *x)
{
	t->points[t->point_count++] = *x;
	if (t->point_count != 2)
		return;
	LIST_EACH(it, &t->crossings)
		k2_links(t, LIST_ENTRY(it, struct crossing, in_order), true);
}

/* POINT_MAX: too many. */
static unsigned point_of(struct two_points *t, const struct packet *p)
{
	struct point x = { packet_capture(p), p->interface, p->vlan_count ? p->vlan[0] : 0, p->ifindex, p->direction };
	unsigned i = 0;

	while (i < t->point_count && !same_point(&t->points[i], &x))
		i++;
	if (i == t->point_count && i < POINT_MAX)
		point_add(t, &x);
	return i;
}

/* ---- keys ---- */

static uint64_t mix_span(uint64_t seed, struct span s)
{
	return hash_mix(seed, hash_bytes(s.p, s.n));
}

uint64_t two_points_leg_key(struct span call_id, struct span from_tag)
{
	return mix_span(mix_span(1, call_id), from_tag);
}

uint64_t two_points_leg_key_of(const struct sip_message *m)
{
	return hash_mix(hash_mix(1, m->keys.call_id), m->keys.from_tag);
}

static uint64_t transaction_key(const struct sip_message *m)
{
	uint64_t key = hash_mix(hash_mix(2, m->keys.branch), m->keys.from_tag);

	if (!m->keys.cookie)                 /* RFC 2543 promises nothing of branches */
		key = hash_mix(key, m->keys.call_id);
	return hash_mix(key, m->cseq);
}

/*
 * What stays of a body when all numbers are gone: two unlike 183 of one transaction are told apart, a rewritten one is
 * not.
 */
static uint64_t body_likeness(struct span body)
{
	uint64_t key = 3, part = 0;
	unsigned n = 0;

	for (size_t i = 0; i < body.n; i++) {
		uint8_t c = body.p[i];

		if ((c >= '0' && c <= '9') || c == '.' || c == ':')
			continue;
		part = part << 8 | c;
		if (++n % 8 == 0)
			key = hash_mix(key, part);
	}
	return hash_mix(key, part);
}

static uint64_t request_k1(uint64_t transaction, const struct sip_message *m)
{
	return hash_mix(transaction, 1000 + (uint64_t)m->method);
}

static uint64_t answer_k1(uint64_t transaction, const struct sip_message *m)
{
	uint64_t key = hash_mix(transaction, (uint64_t)m->status << 8 | m->method);

	key = hash_mix(key, m->keys.to_tag);
	if (m->status < 200)
		key = hash_mix(mix_span(key, sip_header_value(m, SIP_H_RSEQ)), body_likeness(m->body));
	return key;
}

/* Without branch and Call-ID host: the same message sent on by a SIP element. */
static uint64_t k2_of(const struct sip_message *m)
{
	struct span id = span_first(m->call_id, span_find(m->call_id, '@'));
	uint64_t key = hash_mix(mix_span(4, id), m->keys.from_tag);

	return hash_mix(hash_mix(key, m->cseq), (uint64_t)m->request << 32 | m->status << 8 | m->method);
}

/* ---- crossings ---- */

static struct crossing *crossing_find(const struct two_points *t, uint64_t k1)
{
	for (struct hash_link *it = hash_first(&t->by_k1, (uint32_t)k1); it; it = it->next) {
		struct crossing *c = HASH_ENTRY(it, struct crossing, by_k1);

		if (it->hash == (uint32_t)k1 && c->k1 == k1)
			return c;
	}
	return NULL;
}

static struct list *queue_of(struct two_points *t, const struct crossing *c)
{
	return c->early ? &t->early : &t->recent;
}

/*
 * Could these two be one message on its way? The same point shows both sides of a router only where one address and the
 * TTL change.
 */
static bool may_be_crossed(const struct two_points *t, const struct sighting *a, const struct sighting *b)
{
	const struct point *x = &t->points[a->point], *y = &t->points[b->point];
	enum translation translation = sighting_translation(a, b);

	if (a->point == b->point)
		return (translation == TRANSLATED_SOURCE || translation == TRANSLATED_DESTINATION) && b->ttl != a->ttl;
	return !(x->file == y->file && x->direction == FRAME_OUT && y->direction == FRAME_OUT);
}

/* b: another one, at that time and of that capture. */
static bool in_time(const struct two_points *t, const struct sighting *a, unsigned b, int64_t at_ns)
{
	int64_t offset_ns, apart_ns, most_ns = t->config.window_ns;

	if (!clock_between(&t->clocks, t->points[a->point].file, t->points[b].file, &offset_ns))
		most_ns = t->config.max_offset_ns;
	apart_ns = ns_minus(ns_minus(at_ns, a->first.at_ns), offset_ns);
	return apart_ns <= most_ns && apart_ns >= -most_ns;
}

static void sort_sightings(struct crossing *c)
{
	for (unsigned i = 1; i < c->count; i++) {
		for (unsigned k = i; k > 0 && sighting_order(&c->sightings[k - 1], &c->sightings[k]) < 0; k--) {
			struct sighting swap = c->sightings[k - 1];

			c->sightings[k - 1] = c->sightings[k];
			c->sightings[k] = swap;
		}
	}
}

/*
 * Seen at one point under this branch: at another one it may have another, from a SIP element that pretends to be the
 * phone.
 */
static void compare_replaced(struct two_points *t, const struct crossing *c)
{
	const struct sighting *a = &c->sightings[0];
	unsigned looked = 0;

	for (unsigned to = 0; c->request && a->text && !a->varies && to < t->point_count; to++) {
		uint32_t hash = point_k2_hash(c->k2, to);

		for (struct hash_link *it = to == a->point ? NULL : hash_first(&t->by_k2, hash);
		     it && looked < REPLACED_LOOKS; it = it->next) {
			const struct sighting *b = HASH_ENTRY(it, struct sighting, by_k2);
			int order = it->hash == hash && b->point == to && b->text && !b->varies &&
				may_be_crossed(t, a, b) && in_time(t, a, b->point, b->first.at_ns)
				? sighting_order(a, b) : 0;

			looked++;
			if (order && passages_compare_replaced(&t->passages, c, order > 0 ? a : b, order > 0 ? b : a,
			    t->points))
				return;
		}
	}
}

/* Compares neighbours on the way, each pair once, and gives the texts back. */
static void crossing_settle(struct two_points *t, struct crossing *c)
{
	if (c->settled)
		return;
	c->settled = true;
	list_remove(queue_of(t, c), &c->in_queue);
	if (c->count > 1) {
		k2_links(t, c, false);
		sort_sightings(c);
		k2_links(t, c, true);
	}
	for (unsigned i = 0; i + 1 < c->count; i++) {
		const struct sighting *a = &c->sightings[i], *b = &c->sightings[i + 1];

		if (a->text && b->text && !a->varies && !b->varies && may_be_crossed(t, a, b) &&
		    sighting_order(a, b) > 0 && in_time(t, a, b->point, b->first.at_ns))
			passages_compare(&t->passages, c, a, b, t->points);
	}
	if (c->count == 1)
		compare_replaced(t, c);
	for (unsigned i = 0; i < c->count; i++)
		text_drop(t, &c->sightings[i]);
}

/* A second sight of a message tells who passes where, and how far the clocks are apart. */
static void match(struct two_points *t, const struct crossing *c, const struct sighting *x, const struct sighting *y)
{
	int order = may_be_crossed(t, x, y) ? sighting_order(x, y) : 0;
	const struct sighting *a = order > 0 ? x : y, *b = order > 0 ? y : x;

	if (order == 0 || sighting_translation(a, b) == TRANSLATED_BOTH)
		return;
	if (a->point != b->point)
		point_link_note(t, c, a, b);
	if (a->transmissions == 1 && b->transmissions == 1)
		clock_sample(&t->clocks, t->points[a->point].file, a->first.at_ns, t->points[b->point].file,
			b->first.at_ns);
}

/* ---- life of a crossing ---- */

static void crossing_remove(struct two_points *t, struct crossing *c)
{
	crossing_settle(t, c);
	point_loss_judge(t, c);
	k2_links(t, c, false);
	hash_remove(&t->by_k1, &c->by_k1);
	list_remove(&t->crossings, &c->in_order);
	crossing_free(t, c);
}

static struct crossing *crossing_add(struct two_points *t, const struct packet *p, uint64_t k1, unsigned point)
{
	const struct sip_message *m = p->sip;
	struct crossing *c;

	if (t->crossings.count >= CROSSING_MAX)
		crossing_remove(t, LIST_ENTRY(t->crossings.head.next, struct crossing, in_order));
	c = pool_take(&t->pool);
	memset(c, 0, offsetof(struct crossing, only));
	c->sightings = &c->only;
	c->k1 = k1;
	c->k2 = k2_of(m);
	c->leg_key = two_points_leg_key_of(m);
	c->request = m->request;
	c->method = (uint8_t)m->method;
	c->status = (uint16_t)m->status;
	c->transport = p->transport;
	c->bytes = p->ip_bytes;
	c->early = !t->config.one_clock && t->point_messages[point]++ < EARLY_MAX;
	hash_add(&t->by_k1, &c->by_k1, (uint32_t)k1);
	list_add_tail(&t->crossings, &c->in_order);
	list_add_tail(queue_of(t, c), &c->in_queue);
	return c;
}

static void shape_fill(struct two_points *t, struct crossing *c, const struct packet *p)
{
	const struct sip_message *m = p->sip;

	c->shape.no_content_length = !m->has_content_length;
	if (!m->sdp.n || !sdp_parse(m->sdp, t->sdp))
		return;
	c->shape.sdp = true;
	for (unsigned i = 0; i < t->sdp->said.media_count; i++) {
		const struct sdp_media *media = &t->sdp->media[i];

		if (media->kind == SDP_AUDIO && !c->shape.audio_port)
			c->shape.audio_port = media->port;
		if (media->port >= 1 && media->port < 1024 && !c->shape.low_port)
			c->shape.low_port = media->port;
		c->shape.no_connection |= media->port && !address_known(&media->at.addr) && !media->rare->name.n;
		c->shape.other_family |= address_known(&media->at.addr) && media->at.addr.family != p->src.addr.family;
	}
}

/* Asked only while texts are kept: what was settled, or cut, is compared with nothing. */
static bool same_message(const struct sighting *s, struct span bytes)
{
	return !s->text || (s->message_bytes == bytes.n && memcmp(s->text, bytes.p, bytes.n) == 0);
}

static void sent_again(struct two_points *t, struct crossing *c, struct sighting *s, const struct packet *p)
{
	if (s->transmissions < TRANSMISSION_MAX)
		s->sent_ns[s->transmissions] = p->at_ns;
	s->transmissions++;
	s->varies |= !same_message(s, p->sip->bytes);
	s->last = frame_ref_of(p);
	if (s->transmissions == t->config.min_transmissions)
		shape_fill(t, c, p);
}

static bool whole(const struct packet *p)
{
	return !(p->sip->flaws & (SIP_FLAW_BODY_CUT | SIP_FLAW_TOO_MUCH)) && !(p->has & HAS_TRUNCATED) &&
	       p->sip->bytes.n <= MESSAGE_MAX;
}

/*
 * What follows the body that Content-Length announces belongs to the message of a datagram: a rewriter that forgets the
 * length leaves it.
 */
static void text_keep(struct two_points *t, struct sighting *s, const struct packet *p)
{
	struct span text = p->sip->bytes;
	struct pool *pool;

	if ((p->sip->flaws & SIP_FLAW_CONTENT_LENGTH_SHORT) && p->transport == TRANSPORT_UDP &&
	    p->payload.n <= MESSAGE_MAX &&
	    (uintptr_t)text.p >= (uintptr_t)p->payload.p && (uintptr_t)text.p < (uintptr_t)p->payload.p + p->payload.n)
		text.n = (size_t)(p->payload.p + p->payload.n - text.p);
	s->message_bytes = (uint32_t)p->sip->bytes.n;
	s->text_bytes = (uint32_t)text.n;
	pool = text_pool(t, s->text_bytes);
	s->text = pool ? pool_take(pool) : memory_resize(NULL, s->text_bytes, 1);
	memcpy(s->text, text.p, s->text_bytes);
	t->text_bytes += s->text_bytes;
}

/* The second one: a table knows where they are. */
static void sightings_widen(struct two_points *t, struct crossing *c)
{
	struct sighting *wider = memory_zalloc(SIGHTING_MAX * sizeof *wider);

	k2_links(t, c, false);
	wider[0] = c->only;
	c->sightings = wider;
	k2_links(t, c, true);
}

static void sighting_add(struct two_points *t, struct crossing *c, unsigned point, const struct packet *p)
{
	struct frame_ref at = frame_ref_of(p);
	struct sighting *s;

	if (c->count == SIGHTING_MAX)
		return;
	for (unsigned i = 0; i < c->count; i++) {
		if (!in_time(t, &c->sightings[i], point, p->at_ns))
			return;
	}
	if (c->count && c->sightings == &c->only)
		sightings_widen(t, c);
	s = &c->sightings[c->count++];
	memset(s, 0, offsetof(struct sighting, sent_ns));
	s->point = (uint8_t)point;
	s->ttl = p->ttl;
	s->src = p->src;
	s->dst = p->dst;
	s->first = s->last = at;
	s->transmissions = 1;
	s->sent_ns[0] = p->at_ns;
	if (!c->settled && whole(p))
		text_keep(t, s, p);
	if (t->point_count > 1)
		hash_add(&t->by_k2, &s->by_k2, point_k2_hash(c->k2, point));
	c->last_new_ns = t->now_ns;
	for (unsigned i = 0; i + 1 < c->count; i++)
		match(t, c, &c->sightings[i], s);
}

/* All files that have begun can be compared with another one. */
static bool clocks_known(const struct two_points *t)
{
	int64_t offset_ns, error_ns;

	for (uint16_t f = 0; f < CLOCK_FILE_MAX; f++) {
		if ((t->files_begun >> f & 1) && !clock_offset_of(&t->clocks, f, &offset_ns, &error_ns))
			return false;
	}
	return true;
}

static int64_t waiting_ns(const struct two_points *t)
{
	int64_t most_ns = 0;

	for (unsigned i = 0; i < t->clocks.count; i++) {
		int64_t offset_ns;

		if (!clock_between(&t->clocks, t->clocks.pairs[i].a, t->clocks.pairs[i].b, &offset_ns))
			continue;
		if (offset_ns < 0)
			offset_ns = -offset_ns;
		most_ns = offset_ns > most_ns ? offset_ns : most_ns;
	}
	return ns_add(t->config.window_ns, most_ns);
}

/* What the clocks say changes rarely, and asking costs a walk over the pairs of files. */
static void look_at_clocks(struct two_points *t)
{
	if (t->clocks_asked++ % CLOCKS_EVERY)
		return;
	t->wait_ns = waiting_ns(t);
	t->clocks_known = clocks_known(t);
}

static void settle_waiting(struct two_points *t)
{
	int64_t wait_ns;

	look_at_clocks(t);
	wait_ns = t->wait_ns;
	while (!list_empty(&t->recent)) {
		struct crossing *c = LIST_ENTRY(t->recent.head.next, struct crossing, in_queue);

		if (t->text_bytes <= TEXT_MAX && ns_minus(t->now_ns, c->last_new_ns) <= wait_ns)
			break;
		crossing_settle(t, c);
	}
	while (!list_empty(&t->early) && (t->text_bytes > TEXT_MAX || t->clocks_known)) {
		struct crossing *c = LIST_ENTRY(t->early.head.next, struct crossing, in_queue);

		if (t->text_bytes <= TEXT_MAX && ns_minus(t->now_ns, c->last_new_ns) <= wait_ns)
			break;
		crossing_settle(t, c);
	}
}

/* What the next message will settle or remove lies far behind: it is asked for, and what it will touch. */
static void oldest_ask(const struct two_points *t)
{
	const struct crossing *c;

	__asm__ volatile("");
	if (!list_empty(&t->recent)) {
		c = LIST_ENTRY(t->recent.head.next, struct crossing, in_queue);
		__builtin_prefetch(c->in_queue.next, 1);
		if (c->only.text)
			__builtin_prefetch(c->only.text, 1);
	}
	if (t->crossings.count >= CROSSING_MAX) {
		c = LIST_ENTRY(t->crossings.head.next, struct crossing, in_order);
		__builtin_prefetch(c->in_order.next, 1);
		hash_ask_remove(&c->by_k1);
	}
}

enum { PLACE_REQUEST, PLACE_ANSWER };        /* the latter of responses alone */

unsigned two_points_places(const struct two_points *t, const struct packet *p, struct hash_place *ret)
{
	const struct sip_message *m = p->sip;
	uint64_t transaction = transaction_key(m);

	ret[PLACE_REQUEST] = (struct hash_place){ &t->by_k1, request_k1(transaction, m) };
	if (m->request)
		return 1;
	ret[PLACE_ANSWER] = (struct hash_place){ &t->by_k1, answer_k1(transaction, m) };
	return 2;
}

void two_points_message(struct two_points *t, const struct packet *p, enum duplicate_verdict verdict)
{
	struct hash_place at[HASH_PLACES];

	two_points_places(t, p, at);
	two_points_message_at(t, p, verdict, at);
}

void two_points_message_at(struct two_points *t, const struct packet *p, enum duplicate_verdict verdict,
	const struct hash_place *at)
{
	const struct sip_message *m = p->sip;
	unsigned point = point_of(t, p);
	struct crossing *c, *asked;
	uint64_t k1 = at[m->request ? PLACE_REQUEST : PLACE_ANSWER].key;

	if (point == POINT_MAX || verdict == DUPLICATE_COPY || !(p->has & HAS_PORTS) || !m->has_cseq || !m->via_count ||
	    !m->from.tag.n)
		return;
	if (p->at_ns > t->now_ns)
		t->now_ns = p->at_ns;
	settle_waiting(t);
	if (!m->request && (asked = crossing_find(t, at[PLACE_REQUEST].key)))
		asked->answered = true;
	c = crossing_find(t, k1);
	if (!c)
		c = crossing_add(t, p, k1, point);
	for (unsigned i = 0; i < c->count; i++) {
		struct sighting *s = &c->sightings[i];

		if (s->point == point && endpoint_equal(&s->src, &p->src) && endpoint_equal(&s->dst, &p->dst)) {
			if (verdict == DUPLICATE_NO)
				sent_again(t, c, s, p);
			return;
		}
	}
	sighting_add(t, c, point, p);
	oldest_ask(t);
}

void two_points_settle(struct two_points *t)
{
	while (!list_empty(&t->early))
		crossing_settle(t, LIST_ENTRY(t->early.head.next, struct crossing, in_queue));
	while (!list_empty(&t->recent))
		crossing_settle(t, LIST_ENTRY(t->recent.head.next, struct crossing, in_queue));
	LIST_EACH(it, &t->crossings)
		point_loss_judge(t, LIST_ENTRY(it, struct crossing, in_order));
}

unsigned two_points_count(const struct two_points *t)
{
	return t->point_count;
}

const struct list *two_points_passages(const struct two_points *t)
{
	return &t->passages.in_order;
}

const struct list *two_points_lost(const struct two_points *t)
{
	return &t->lost;
}

const struct clock_offsets *two_points_clocks(const struct two_points *t)
{
	return &t->clocks;
}
