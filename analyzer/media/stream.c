/* SPDX-License-Identifier: MIT */
/*
 * stream: every packet that has the form of RTP comes here. A plain one, the next of its stream with nothing to
 * remark, costs one probe and one cache line; all others take the long way (stream_packet.c).
 */
#include "analyzer/media/stream_private.h"

#include <math.h>
#include <stdlib.h>

#include "captures/base/memory.h"

enum { SSRCS_NO_RTP = 20, PLAIN_JITTER_MS = 240 };

struct streams *streams_new(const struct streams_config *config, stream_hint_fn *hint, void *context)
{
	struct streams *s = memory_zalloc(sizeof *s);

	s->config = *config;
	if (s->config.interval_ns <= 0)
		s->config.interval_ns = 5 * SECOND_NS;
	s->hint = hint;
	s->context = context;
	s->arena = arena_new();
	s->codec_count = 1;
	s->level_table = level_table_new();
	flows_init(s);
	records_init(s);
	return s;
}

void streams_free(struct streams *s)
{
	if (!s)
		return;
	records_fini(s);
	flows_fini(s);
	level_table_free(s->level_table);
	free(s->short_holes);
	arena_free(s->arena);
	free(s);
}

/* ---- the short way ---- */

/*
 * Next in sequence, one packet time later by its clock, nothing about it new: whatever packet_take() would do beyond
 * the lines of plain_take() must be ruled out here.
 */
static inline bool is_plain(const struct stream_hot *h, const struct rtp_glance *g)
{
	return g->seq == (uint16_t)(h->ext_seq + 1) && g->pt == h->pt && !g->marker &&
		!(h->flags & (HOT_SLOW | HOT_ASIDE | HOT_STRANGE)) && h->ptime_ms != 0 &&
		g->rtp_ts - h->rtp_ts == (uint32_t)h->ptime_ms * h->khz &&
		(uint64_t)g->at_ns - (uint64_t)h->last_ns < (uint64_t)GAP_MIN_MS * MILLISECOND_NS &&
		!interval_is_due(h, g->at_ns) && g->ttl == h->ttl && g->dscp == h->dscp && g->payload_wire > AMR_SID_MAX &&
		(g->seq < h->first_seq) == !!(h->flags & HOT_UNDER) && g->seq != 0 && h->jitter_ms < PLAIN_JITTER_MS;
}

static inline void plain_take(struct streams *s, uint32_t index, struct stream_hot *h, const struct rtp_glance *g)
{
	int64_t delta_ns = g->at_ns - h->last_ns;
	float difference_ms = (float)((double)delta_ns * 1e-6 - h->ptime_ms), over;
	float jitter_ms = (15 * h->jitter_ms + fabsf(difference_ms)) / 16, jitter_q8 = jitter_ms * 256;

	h->ext_seq++;
	h->window = h->window << 1 | 1;
	h->jitter_ms = jitter_ms;
	h->jitter_sum += jitter_ms;
	if (jitter_q8 > h->jitter_max_q8)
		h->jitter_max_q8 = (uint16_t)jitter_q8;
	if (delta_ns >= (h->delta_max_8us + INT64_C(1)) * 8 * MICROSECOND_NS) {
		h->delta_max_8us = (uint16_t)(delta_ns / (8 * MICROSECOND_NS));
		streams_record(s, index)->s.max_delta_ns = delta_ns;
	}
	h->over_ms[0] += difference_ms;
	h->over_ms[1] += difference_ms;
	over = h->over_ms[0] > h->over_ms[1] ? h->over_ms[0] : h->over_ms[1];
	if (h->over_ms[0] < 0) {
		if (difference_ms < HEAP_MS)
			receiver_heap(streams_record(s, index), g->at_ns, g->rtp_ts);
		h->over_ms[0] = 0;
	}
	if (over > 60)
		receiver_late(streams_record(s, index), h, over, g->at_ns, g->rtp_ts);
	h->last_ns = g->at_ns;
	h->rtp_ts = g->rtp_ts;
	h->last_frame = g->frame;
	h->last_ip_id = g->ip_id;
	h->length = (uint8_t)g->payload_wire;
	s->counts.rtp_packets++;
}

/* ---- what follows a packet that was counted, plain or not ---- */

static inline bool is_listened_to(const struct stream_hot *h, uint16_t seq)
{
	return (h->flags & HOT_LEVEL) && seq % LEVEL_EVERY == 0;
}

static void listen(struct streams *s, uint32_t index, const struct level_sample *sample)
{
	struct record *r = streams_record(s, index);

	if (level_take(streams_level(s, index), s->level_table, sample) && r->s.gap_count)
		r->s.gaps[r->s.gap_count - 1].speech_after = level_is_speech(streams_level(s, index));
}

static void whole_after(struct streams *s, struct record *r, struct stream_hot *h, const struct packet *p)
{
	if (h->flags & HOT_MARKS)
		copy_mark(s, r, p);
	if (h->flags & HOT_FAR)
		r->aside->far[p->rtp.seq % 4096 / 64] |= UINT64_C(1) << p->rtp.seq % 64;
	if (h->flags & HOT_TWIN)
		twin_take(s, r, p);
	if (h->flags & HOT_PROBE)
		payload_probe_take(s, r, h, p);
	if (h->flags & HOT_SRTP)
		srtp_sample_take(s, r, h, p);
}

void packet_after(struct streams *s, uint32_t index, struct stream_hot *h, const struct packet *p)
{
	struct level_sample sample = { p->at_ns, p->rtp.payload, p->rtp.level_dbov };

	if (is_listened_to(h, p->rtp.seq))
		listen(s, index, &sample);
	if (h->flags & HOT_WHOLE)
		whole_after(s, streams_record(s, index), h, p);
}

/* ---- beginnings ---- */

/* A candidate that is not needed any more makes room among the flow's streams: the oldest that never was accepted. */
static void flow_make_room(struct streams *s, struct flow *f)
{
	struct record *oldest = NULL;

	if (f->stream_count < FLOW_STREAM_MAX)
		return;
	for (struct record *it = f->latest; it; it = it->next)
		oldest = it->s.accepted ? oldest : it;
	if (oldest)
		record_free(s, oldest);
}

/* Asked again at each new SSRC: SDP may have come since. */
static bool flow_is_signalled(struct streams *s, struct flow *f, const struct packet *p)
{
	if (!f->signalled && s->hint && s->hint(s->context, p, &s->asked))
		f->signalled = s->asked.signalled;
	return f->signalled;
}

static void candidate_drop(struct streams *s, struct record *r)
{
	struct flow *f = r->flow;

	record_free(s, r);
	if (!f->rtp && f->stream_count == 0)
		flow_refuse(s, f);
}

/* Another SSRC on the flow, maybe the first. */
static void ssrc_begin(struct streams *s, struct flow *f, const struct packet *p)
{
	bool trusted = flow_is_signalled(s, f, p) || f->rtp;
	const struct record *other;
	struct record *r;

	if (!trusted && !heuristic_packet_fits(p)) {
		s->counts.refused_packets++;
		if (f->stream_count == 0)
			flow_refuse(s, f);
		return;
	}
	if (++f->ssrcs > SSRCS_NO_RTP) {
		while (!f->rtp && f->latest)
			record_free(s, f->latest);
		f->ssrcs = 0;
		if (!f->rtp) {
			s->counts.refused_packets++;
			flow_refuse(s, f);
			return;
		}
	}
	flow_make_room(s, f);
	r = record_new(s, f, p);
	if (!r) {
		s->counts.refused_packets++;
		return;
	}
	for (other = f->latest; other && !other->s.accepted; other = other->next)
		;
	r->after_other = f->rtp;
	r->s.signalled = f->signalled;
	flow_remember(f, r);
	flow_point_at(s, f, r);
	packet_first(s, r, streams_hot(s, r->index), p);
	if (other)
		gap_after_other(
			r, streams_hot(s, r->index), streams_level(s, other->index), streams_hot(s, other->index), p);
	if (!trusted) {
		r->heuristic = memory_zalloc(sizeof *r->heuristic);
		heuristic_init(r->heuristic, s->config.heuristic_packets, r->s.ssrc);
		heuristic_add(r->heuristic, p);
	}
}

/*
 * One more packet of a candidate. RFC 3550's two in sequence are enough where an SDP names the flow or it had RTP
 * before, never elsewhere.
 */
static void candidate_judge(
	struct streams *s, struct record *r, const struct packet *p, const struct stream_result *taken)
{
	const struct stream_hot *h = streams_hot(s, r->index);

	if (taken->copy)
		return;
	if (!r->heuristic) {
		if ((h->window & 3) == 3 && record_packets(r, h) >= 2 && h->ext_seq != r->base_ext)
			record_accept(s, r);
		return;
	}
	heuristic_add(r->heuristic, p);
	if (!heuristic_full(r->heuristic))
		return;
	if (heuristic_accepts(r->heuristic))
		record_accept(s, r);
	else
		candidate_drop(s, r);
}

static void tell(struct streams *s, struct record *r, struct stream_result *ret)
{
	ret->stream = &r->s;
	if (!r->told) {
		r->told = true;
		packet_settle(s, r, streams_hot(s, r->index));
		ret->change = r->after_other ? STREAM_SSRC_CHANGED : r->s.signalled ? STREAM_STARTED : STREAM_ACCEPTED;
	}
	if (ret->change != STREAM_NOTHING)
		record_refresh(s, r);
}

static struct stream_result long_way(struct streams *s, struct record *r, const struct packet *p)
{
	struct stream_result ret = { .change = STREAM_NOTHING };
	uint32_t ssrc = r->s.ssrc;

	packet_take(s, r, streams_hot(s, r->index), p, &ret);
	s->counts.rtp_packets++;
	if (!r->s.accepted)
		candidate_judge(s, r, p, &ret);
	if (!r->used || r->s.ssrc != ssrc || !r->s.accepted)
		return (struct stream_result){ .change = STREAM_NOTHING };
	tell(s, r, &ret);
	return ret;
}

/* The slot does not lead to this SSRC. */
static struct record *flow_stream(struct streams *s, struct flow *f, uint32_t ssrc)
{
	uint32_t hash = (uint32_t)hash_mix(0, ssrc);
	struct record *recalled = flow_recall(f, ssrc);
	unsigned looked = 0;

	if (recalled || f->records == f->stream_count)
		return recalled;
	for (struct hash_link *it = hash_first(&s->by_ssrc, hash); it && looked < ENDPOINT_FLOWS_MAX;
		it = it->next, looked++) {
		struct record *r = (struct record *)HASH_ENTRY(it, struct stream, by_ssrc);

		if (it->hash == hash && r->s.ssrc == ssrc && r->flow == f)
			return r;
	}
	return NULL;
}

static struct stream_result flow_packet(struct streams *s, const struct packet *p, uint64_t hash, size_t at)
{
	struct stream_result none = { .change = STREAM_NOTHING };
	struct flow *f = s->slots[at].state == SLOT_EMPTY ? flow_add(s, p, hash) : s->slot_flows[at];
	struct record *r = flow_stream(s, f, p->rtp.ssrc);

	if (!r) {
		ssrc_begin(s, f, p);
		return none;
	}
	flow_remember(f, r);
	flow_point_at(s, f, r);
	return long_way(s, r, p);
}

static struct stream_result refused_packet(struct streams *s, struct slot *slot)
{
	s->counts.refused_packets++;
	if (--slot->ssrc == 0)
		slot->state = SLOT_NO_STREAM;
	return (struct stream_result){ .change = STREAM_NOTHING };
}

/* ---- packets ---- */

/* A search goes on to the slots behind the first, often in another line. */
static inline struct stream_ticket ticket_of(const struct streams *s, uint64_t hash, uint16_t seq)
{
	uint32_t at = (uint32_t)(hash & s->slot_mask);

	__builtin_prefetch(&s->slots[at]);
	__builtin_prefetch(&s->slots[at] + 2);
	return (struct stream_ticket){ hash, at, seq };
}

struct stream_ticket streams_prepare(const struct streams *s, const struct packet *p)
{
	return ticket_of(s, flow_hash(s, p), p->rtp.seq);
}

struct stream_ticket streams_prepare_plain(const struct streams *s, const struct frame *f)
{
	const uint8_t *addresses = f->bytes.p + PLAIN_ADDRESSES, *ports = f->bytes.p + PLAIN_UDP;

	return ticket_of(s, flow_hash4(s, addresses, addresses + 4, plain_u32(ports), f->file), plain_seq(f));
}

/* Flows may have moved since the ticket was made. */
static inline size_t ticket_slot(const struct streams *s, struct stream_ticket ticket)
{
	const struct slot *slot = &s->slots[ticket.at];

	return slot->hash == ticket.hash && slot->state != SLOT_EMPTY ? ticket.at : slot_find(s, ticket.hash);
}

void streams_prefetch(const struct streams *s, struct stream_ticket *ticket)
{
	size_t at = slot_find(s, ticket->hash);
	const struct slot *slot = &s->slots[at];

	ticket->at = (uint32_t)at;
	if (slot->state != SLOT_STREAM)
		return;
	__builtin_prefetch(streams_hot(s, slot->index), 1);
	if (ticket->seq % LEVEL_EVERY == 0)
		__builtin_prefetch(streams_level(s, slot->index), 1);
}

static struct rtp_glance glance_of(const struct packet *p)
{
	return (struct rtp_glance){
		.at_ns = p->at_ns,
		.frame = p->frame,
		.rtp_ts = p->rtp.rtp_ts,
		.ssrc = p->rtp.ssrc,
		.payload_wire = p->rtp.payload_wire,
		.seq = p->rtp.seq,
		.ip_id = p->ip_id,
		.pt = p->rtp.pt,
		.ttl = p->ttl,
		.dscp = p->dscp,
		.marker = p->rtp.marker,
	};
}

bool streams_plain(struct streams *s, const struct frame *f, struct stream_ticket ticket)
{
	const struct slot *slot = &s->slots[ticket_slot(s, ticket)];
	struct rtp_glance g = plain_glance(f);
	struct stream_hot *h;

	if (f->file != s->last_file || s->several_files || slot->state != SLOT_STREAM || slot->ssrc != g.ssrc)
		return false;
	h = streams_hot(s, slot->index);
	if ((h->flags & HOT_WHOLE) || !is_plain(h, &g))
		return false;
	plain_take(s, slot->index, h, &g);
	if (is_listened_to(h, g.seq))
		listen(s, slot->index, &(struct level_sample){ g.at_ns, plain_payload(f), LEVEL_NOT_GIVEN });
	return true;
}

struct stream_result streams_packet_prepared(struct streams *s, const struct packet *p, struct stream_ticket ticket)
{
	struct rtp_glance g = glance_of(p);
	struct stream_hot *h;
	struct slot *slot;
	size_t at;

	if (p->file != s->last_file || s->several_files)
		streams_file(s, p, ticket.hash);
	at = ticket_slot(s, ticket);
	slot = &s->slots[at];
	if (slot->state == SLOT_REFUSED)
		return refused_packet(s, slot);
	if (slot->state != SLOT_STREAM || slot->ssrc != p->rtp.ssrc)
		return flow_packet(s, p, ticket.hash, at);
	h = streams_hot(s, slot->index);
	if ((p->has & HAS_TRUNCATED) || !is_plain(h, &g))
		return long_way(s, streams_record(s, slot->index), p);
	plain_take(s, slot->index, h, &g);
	if (h->flags & HOT_AFTER)
		packet_after(s, slot->index, h, p);
	return (struct stream_result){ .stream = &streams_record(s, slot->index)->s };
}

struct stream_result streams_packet(struct streams *s, const struct packet *p)
{
	return streams_packet_prepared(s, p, streams_prepare(s, p));
}

/* ---- answers ---- */

void streams_compare(struct streams *s, struct stream *arrives, struct stream *leaves)
{
	twin_compare(s, (struct record *)arrives, (struct record *)leaves);
}

static int by_sequence(const void *a, const void *b)
{
	const struct record *const *x = a, *const *y = b;

	return ((*x)->sequence > (*y)->sequence) - ((*x)->sequence < (*y)->sequence);
}

/* Streams are accepted some packets after their first: their order of first packets is put right when somebody asks. */
static void streams_sort(struct streams *s)
{
	size_t n = s->in_order.count, i = 0;
	struct record **all;

	if (!s->unsorted)
		return;
	all = memory_zalloc(n * sizeof(struct record *));
	LIST_EACH(it, &s->in_order)
		all[i++] = (struct record *)LIST_ENTRY(it, struct stream, in_order);
	qsort(all, n, sizeof(struct record *), by_sequence);
	list_init(&s->in_order);
	for (i = 0; i < n; i++)
		list_add_tail(&s->in_order, &all[i]->s.in_order);
	free(all);
	s->unsorted = false;
}

const struct list *streams_in_order(const struct streams *s)
{
	streams_sort((struct streams *)s);
	return &s->in_order;
}

/* A signalled port got a packet or two and no more: it is heard nonetheless. */
static void settle_candidates(struct streams *s)
{
	for (uint32_t i = 0; i < s->used; i++) {
		struct record *r = streams_record(s, i);

		if (!r->used || r->s.accepted)
			continue;
		if (r->flow->signalled && !r->flow->rtp && r->flow->stream_count == 1 && !r->heuristic)
			record_accept(s, r);
	}
}

void streams_finish(struct streams *s, int64_t last_ns)
{
	(void)last_ns;
	settle_candidates(s);
	streams_sort(s);
	LIST_EACH(it, &s->in_order) {
		struct record *r = (struct record *)LIST_ENTRY(it, struct stream, in_order);
		struct stream_hot *h = streams_hot(s, r->index);

		interval_close(r, streams_level(s, r->index), h);
		receiver_settle(r, h);
		record_refresh(s, r);
		if (!r->s.n)
			r->s.n = ++s->numbered;
	}
}

struct streams_counts streams_counts(const struct streams *s)
{
	struct streams_counts counts = s->counts;

	for (uint32_t i = 0; i < s->used; i++) {        /* candidates that ended too early */
		const struct record *r = streams_record(s, i);
		uint64_t packets;

		if (!r->used || r->s.accepted)
			continue;
		packets = record_packets(r, streams_hot(s, i)) + r->s.mirror_copies;
		counts.rtp_packets -= packets;
		counts.refused_packets += packets;
	}
	return counts;
}
