/* SPDX-License-Identifier: MIT */
/* stream_record: the records of streams and their hot lines: made, accepted, brought up to date, evicted. */
#include "analyzer/media/stream_private.h"

#include <stdlib.h>

#include "captures/base/memory.h"

enum { EVICT_LOOK = 32, CACHE_LINE = 64 };

void records_init(struct streams *s)
{
	list_init(&s->in_order);
	hash_init(&s->by_ssrc);
}

static const struct stream_flaws no_flaws;

const struct stream_flaws *stream_flaws(const struct stream *s)
{
	return s->flaws ? s->flaws : &no_flaws;
}

bool stream_passes_card(const struct stream *s, const uint8_t mac[6])
{
	static const uint8_t none[6];
	const struct record *r = (const struct record *)s;

	return !(r->mac_dst[0] & 1) && memcmp(r->mac_dst, none, sizeof none) != 0 &&
	       memcmp(r->mac_dst, mac, sizeof r->mac_dst) != 0;
}

struct stream_flaws *flaws_get(struct record *r)
{
	if (!r->s.flaws)
		r->s.flaws = memory_zalloc(sizeof *r->s.flaws);
	return r->s.flaws;
}

/* ---- DSCP that changes ---- */

void mark_change(struct record *r, const struct stream_hot *h, uint8_t dscp)
{
	struct stream_flaws *f = flaws_get(r);
	uint32_t packets = record_packets(r, h);
	unsigned i = 0;

	while (i < f->mark_count && f->marks[i].dscp != h->dscp)
		i++;
	if (i < STREAM_MARKS) {
		f->mark_count = (uint8_t)(i == f->mark_count ? i + 1 : f->mark_count);
		f->marks[i].dscp = h->dscp;
		f->marks[i].packets += packets - f->marked;
	}
	f->marked = packets;
	f->mark_last = dscp;
}

static uint32_t marked_with(const struct stream_flaws *f, uint32_t packets, uint8_t dscp)
{
	uint32_t n = dscp == f->mark_last ? packets - f->marked : 0;

	for (unsigned i = 0; i < f->mark_count; i++)
		n += f->marks[i].dscp == dscp ? f->marks[i].packets : 0;
	return n;
}

uint32_t stream_packets_marked(const struct stream *s, uint8_t dscp)
{
	const struct stream_flaws *f = stream_flaws(s);

	if (!f->marked)
		return s->dscp == dscp ? s->packets : 0;
	return marked_with(f, s->packets, dscp);
}

/* That of most packets. */
static uint8_t mark_of(const struct record *r, const struct stream_hot *h)
{
	const struct stream_flaws *f = r->s.flaws;
	uint32_t packets = record_packets(r, h);
	uint8_t most = h->dscp;

	for (unsigned i = 0; f && f->marked && i < f->mark_count; i++) {
		if (marked_with(f, packets, f->marks[i].dscp) > marked_with(f, packets, most))
			most = f->marks[i].dscp;
	}
	return most;
}

struct aside *aside_get(struct record *r)
{
	if (!r->aside)
		r->aside = memory_zalloc(sizeof *r->aside);
	return r->aside;
}

static void aside_free(struct aside *a)
{
	if (!a)
		return;
	free(a->far);
	free(a->marks);
	free(a);
}

static void record_empty(struct streams *s, struct record *r)
{
	free(r->s.spells);
	free(r->s.gaps);
	free(r->s.intervals);
	free(r->s.flaws);
	if (r->s.types != &r->first_type)
		free(r->s.types);
	free(r->drift);
	free(r->heuristic);
	free(r->s.runs);
	digits_free(&r->s);
	payload_probe_free(r);
	srtp_sample_free(s, r);
	aside_free(r->aside);
}

void records_fini(struct streams *s)
{
	for (uint32_t i = 0; i < s->used; i++) {
		struct record *r = streams_record(s, i);

		if (!r->used)
			continue;
		twin_free(s, r);
		record_empty(s, r);
	}
	for (size_t i = 0; i < s->chunks; i++) {
		free(s->hot_raw[i]);
		free(s->levels_raw[i]);
		free(s->records[i]);
	}
	free(s->hot);
	free(s->hot_raw);
	free(s->levels);
	free(s->levels_raw);
	free(s->records);
	hash_fini(&s->by_ssrc);
}

/* Zeroed lines of 64 bytes that begin at a line; *ret_raw is what free(3) takes. */
static void *lines_new(size_t bytes, void **ret_raw)
{
	uint8_t *raw = memory_zalloc(bytes + CACHE_LINE);

	*ret_raw = raw;
	return raw + (CACHE_LINE - (uintptr_t)raw % CACHE_LINE) % CACHE_LINE;
}

static void chunk_add(struct streams *s)
{
	if (s->chunks == s->chunk_room) {
		s->chunk_room = s->chunk_room ? s->chunk_room * 2 : 16;
		s->hot = memory_resize(s->hot, s->chunk_room, sizeof *s->hot);
		s->hot_raw = memory_resize(s->hot_raw, s->chunk_room, sizeof *s->hot_raw);
		s->levels = memory_resize(s->levels, s->chunk_room, sizeof *s->levels);
		s->levels_raw = memory_resize(s->levels_raw, s->chunk_room, sizeof *s->levels_raw);
		s->records = memory_resize(s->records, s->chunk_room, sizeof *s->records);
	}
	s->hot[s->chunks] = lines_new(CHUNK_STREAMS * sizeof(struct stream_hot), &s->hot_raw[s->chunks]);
	s->records[s->chunks] = memory_zalloc(CHUNK_STREAMS * sizeof(struct record));
	s->levels[s->chunks] = s->levels_raw[s->chunks] = NULL;
	s->chunks++;
}

struct level *record_listen(struct streams *s, struct record *r)
{
	size_t chunk = r->index >> CHUNK_SHIFT;

	if (!s->levels[chunk])
		s->levels[chunk] = lines_new(CHUNK_STREAMS * sizeof(struct level), &s->levels_raw[chunk]);
	r->s.level = streams_level(s, r->index);
	return streams_level(s, r->index);
}

/* ---- eviction ---- */

/*
 * Lower goes first: what was never accepted, then what has few packets. Bound streams stay while anything else is
 * there.
 */
static uint64_t worth(const struct streams *s, const struct record *r)
{
	uint64_t packets = record_packets(r, streams_hot(s, r->index));

	return packets + (r->s.accepted ? UINT64_C(1) << 33 : 0) + (r->s.direction ? UINT64_C(1) << 34 : 0);
}

static bool worse(const struct streams *s, const struct record *a, const struct record *b)
{
	uint64_t worth_a = worth(s, a), worth_b = worth(s, b);

	if (worth_a != worth_b)
		return worth_a < worth_b;
	return streams_hot(s, a->index)->last_ns < streams_hot(s, b->index)->last_ns;
}

static bool can_go(const struct streams *s, const struct record *r)
{
	return r->used && (!r->s.accepted || s->config.evicted);
}

/* Of the next 32 records in turn the least useful. */
static bool evict_one(struct streams *s)
{
	struct record *victim = NULL;

	for (uint32_t i = 0; i < EVICT_LOOK && i < s->used; i++) {
		struct record *r = streams_record(s, s->hand);

		s->hand = s->hand + 1 < s->used ? s->hand + 1 : 0;
		if (can_go(s, r) && (!victim || worse(s, r, victim)))
			victim = r;
	}
	if (!victim)
		return false;
	if (victim->s.accepted)
		s->config.evicted(s->config.evicted_context, &victim->s);
	record_free(s, victim);
	s->counts.evicted++;
	return true;
}

/* Streams that took it for their nearer twin must not keep the pointer. */
static void twins_forget(struct streams *s, const struct record *r)
{
	LIST_EACH(it, &s->in_order) {
		struct stream *other = LIST_ENTRY(it, struct stream, in_order);

		if (other->twin_of == &r->s) {
			other->twin_of = NULL;
			other->twin_kind = TWIN_NONE;
		}
		if (other->flaws && other->flaws->sounds_as == &r->s)
			other->flaws->sounds_as = NULL;
		if (other->flaws && other->flaws->goes_on_in == &r->s)
			other->flaws->goes_on_in = NULL;
	}
}

void record_free(struct streams *s, struct record *r)
{
	uint32_t index = r->index;
	uint64_t packets = record_packets(r, streams_hot(s, index)) + r->s.mirror_copies;

	if (r->flow) {
		struct slot *slot = &s->slots[slot_find(s, r->flow->hash)];

		flow_forget(r->flow, r);
		r->flow->records--;
		if (slot->state == SLOT_STREAM && slot->index == index)
			flow_point_at(s, r->flow, NULL);
	}
	twin_free(s, r);
	if (r->s.accepted) {
		if (r->is_twin)
			twins_forget(s, r);
		hash_remove(&s->by_ssrc, &r->s.by_ssrc);
		list_remove(&s->in_order, &r->s.in_order);
	} else {
		s->counts.rtp_packets -= packets;
		s->counts.refused_packets += packets;
	}
	record_empty(s, r);
	if (streams_level(s, index))
		*streams_level(s, index) = (struct level){ 0 };
	memset(r, 0, sizeof *r);
	r->index = index;
	r->next = s->free_records;
	s->free_records = r;
	s->live--;
}

/* ---- beginnings ---- */

static struct record *record_take(struct streams *s)
{
	struct record *r;

	if (s->config.max_streams && s->live >= s->config.max_streams && !evict_one(s))
		return NULL;
	r = s->free_records;
	if (r) {
		s->free_records = r->next;
	} else {
		if (s->used == s->chunks << CHUNK_SHIFT)
			chunk_add(s);
		r = streams_record(s, s->used);
		r->index = s->used++;
	}
	s->live++;
	return r;
}

static void record_begin(struct streams *s, struct record *r, const struct packet *p)
{
	struct stream *st = &r->s;

	st->ssrc = p->rtp.ssrc;
	st->src = p->src;
	st->dst = p->dst;
	st->types = &r->first_type;
	st->file = p->file;
	st->capture = packet_capture(p);
	st->interface = p->interface;
	st->ifindex = p->ifindex;
	st->points = streams_point(s, p);
	st->multicast = address_multicast(&p->dst.addr);
	st->relayed = p->tunnel == TUNNEL_TURN;
	st->channelled = p->channel != 0;
	st->first_ns = p->at_ns;
	st->first_frame = p->frame;
	st->first_seq = p->rtp.seq;
	st->first_rtp_ts = p->rtp.rtp_ts;
	st->epochs = 1;
	st->begins_marked = p->rtp.marker;
	st->dscp = p->dscp;
	st->ttl = st->ttl_min = st->ttl_max = p->ttl;
	memcpy(r->mac_src, p->mac_src, sizeof r->mac_src);
	memcpy(r->mac_dst, p->mac_dst, sizeof r->mac_dst);
	r->s.vlan = p->vlan_count ? p->vlan[0] : 0;
}

struct record *record_new(struct streams *s, struct flow *f, const struct packet *p)
{
	struct record *r = record_take(s);
	struct stream_hot *h;

	if (!r)
		return NULL;
	h = streams_hot(s, r->index);
	*h = (struct stream_hot){ .flags = HOT_SLOW,
		.window = UINT64_MAX,
		.ext_seq = p->rtp.seq,
		.pt = p->rtp.pt,
		.ttl = p->ttl,
		.dscp = p->dscp };
	r->used = true;
	r->flow = f;
	f->records++;
	s->counts.rtp_packets++;
	r->sequence = s->sequence++;
	r->base_ext = h->ext_seq;
	r->minus = h->ext_seq - 1;
	record_begin(s, r, p);
	return r;
}

void record_accept(struct streams *s, struct record *r)
{
	struct stream *st = &r->s;
	const struct stream *last =
		list_empty(&s->in_order) ? NULL : LIST_ENTRY(s->in_order.head.prev, struct stream, in_order);

	if (st->accepted)
		return;
	st->accepted = true;
	s->unsorted |= last && ((const struct record *)last)->sequence > r->sequence;
	list_add_tail(&s->in_order, &st->in_order);
	hash_add(&s->by_ssrc, &st->by_ssrc, (uint32_t)hash_mix(0, st->ssrc));
	r->flow->rtp = true;
	r->flow->ssrcs = 0;
	free(r->heuristic);
	r->heuristic = NULL;
	twin_look_up(s, r);
}

/* ---- up to date ---- */

static void types_refresh(struct record *r, const struct stream_hot *h)
{
	uint32_t audio = record_audio(r, h);

	r->s.types[r->type].packets += audio - r->type_audio;
	r->type_audio = audio;
}

void record_refresh(struct streams *s, struct record *r)
{
	struct stream_hot *h = streams_hot(s, r->index);
	struct stream *st = &r->s;

	tshark_settle(r, h);
	types_refresh(r, h);
	type_run_refresh(r, h);
	spell_refresh(r, h);
	st->audio = record_audio(r, h);
	st->keepalive_only = st->audio + st->comfort + st->events == 0;
	st->last_ns = h->last_ns;
	st->last_frame = h->last_frame;
	st->ptime_ms = h->ptime_ms;
	st->dscp = mark_of(r, h);
	st->ttl = h->ttl;
}
