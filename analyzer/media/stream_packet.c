/* SPDX-License-Identifier: MIT */
/*
 * stream_packet: the long way of a packet that is not plain: what it is to its stream, and what each part of the record
 * takes of it.
 */
#include "analyzer/media/stream_private.h"

#include <math.h>

enum { PTIME_MAX_MS = 200, JUMP_MS = 200 };

void before_load(const struct record *r, const struct stream_hot *h, struct stream_before *b)
{
	if (h->flags & HOT_ASIDE) {
		*b = r->aside->before;
		return;
	}
	*b = (struct stream_before){
		.top_ns = h->last_ns,
		.audio_ns = h->last_ns,
		.time_ns = h->last_ns,
		.top_ts = h->rtp_ts,
		.audio_ts = h->rtp_ts,
		.top_frame = h->last_frame,
		.nominal_ms = h->khz ? (double)(int32_t)(h->rtp_ts - r->s.first_rtp_ts) / h->khz : 0,
	};
}

static bool in_order(enum sequence_step step)
{
	return step == SEQUENCE_NEXT || step == SEQUENCE_AHEAD || step == SEQUENCE_RESTART;
}

/*
 * G.711 has a byte a clock unit. What is longer carries a tag behind it: SRTP that no SDP told of, and no sound to
 * hear.
 */
static void level_check(struct streams *s, struct record *r, struct stream_hot *h, const struct packet *p)
{
	struct level *l = streams_level(s, r->index);

	if (!l || (l->mode != LEVEL_MU && l->mode != LEVEL_A) || p->rtp.payload_wire <= r->step)
		return;
	*l = (struct level){ 0 };
	r->secure = true;
	record_type_use(s, r, h, r->type);
}

/* Packet time: the step of rtp_ts between two neighbours, seen twice; once known, three times for another one. */
static void ptime_learn(
	struct streams *s, struct record *r, struct stream_hot *h, const struct packet *p, uint32_t step)
{
	uint64_t ms;

	r->step_count = step == r->step && r->step_count < UINT8_MAX ? (uint8_t)(r->step_count + 1) : 1;
	r->step = step;
	if (r->step_count < (h->ptime_ms ? 3 : 2) || r->s.clock_hz == 0)
		return;
	ms = ((uint64_t)step * 1000 + r->s.clock_hz / 2) / r->s.clock_hz;
	if (ms >= 1 && ms <= PTIME_MAX_MS)
		r->s.ptime_ms = h->ptime_ms = (uint8_t)ms;
	level_check(s, r, h, p);
	payload_probe_check(s, r, h, p);
}

static void ttl_take(struct record *r, const struct packet *p)
{
	if (p->ttl < r->s.ttl_min)
		r->s.ttl_min = p->ttl;
	if (p->ttl > r->s.ttl_max)
		r->s.ttl_max = p->ttl;
}

static void kind_count(struct record *r, enum payload_kind kind, unsigned type)
{
	if (kind != PAYLOAD_AUDIO)
		r->s.types[type].packets++;
	if (kind != PAYLOAD_KEEPALIVE)
		r->s.ends_in_comfort = kind == PAYLOAD_COMFORT;
	switch (kind) {
	case PAYLOAD_AUDIO:
		break;
	case PAYLOAD_COMFORT:
		r->s.comfort++;
		r->s.dtx_seen = true;
		break;
	case PAYLOAD_EVENT:
		r->s.events++;
		break;
	case PAYLOAD_KEEPALIVE:
		r->s.keepalives++;
		break;
	}
}

/* Another audio type from this packet on. False: the same, or the first one. */
static bool type_change(
	struct streams *s, struct record *r, struct stream_hot *h, const struct packet *p, unsigned type)
{
	bool first = record_audio(r, h) == 0 || !r->typed;

	if (type == r->type && r->typed)
		return false;
	r->s.types[r->type].packets += record_audio(r, h) - r->type_audio;
	r->type_audio = record_audio(r, h);
	r->typed = true;
	h->ptime_ms = 0;
	r->step_count = 0;
	type_run_begin(r, h, p);
	record_type_use(s, r, h, type);
	return !first;
}

/* A difference that no network makes: the sender's clock has jumped, with a marker or behind a long hole. */
static bool clock_jumped(const struct record *r, const struct packet *p, const struct stream_before *b)
{
	double wall_ms = ns_ms(ns_minus(p->at_ns, b->audio_ns));
	double ts_ms = (double)(int32_t)(p->rtp.rtp_ts - b->audio_ts) * 1000 / r->s.clock_hz;

	return fabs(wall_ms - ts_ms) > JUMP_MS &&
		(p->rtp.marker || wall_ms >= SPELL_HOLE_MS || ts_ms < 0 || ts_ms > wall_ms + SPELL_HOLE_MS);
}

static void receiver_visit(struct streams *s, struct record *r, struct stream_hot *h, const struct packet *p,
	struct stream_before *b, enum sequence_step step, bool changed)
{
	bool jumped;

	if (r->s.clock_hz == 0) {
		record_clock_estimate(s, r, h, p);
		return;
	}
	if (step == SEQUENCE_REPEATED || step == SEQUENCE_STRANGE)
		return;
	jumped = in_order(step) && r->anchored && clock_jumped(r, p, b);
	r->interval_unfit |= jumped;
	if (!r->anchored || changed || jumped || step == SEQUENCE_RESTART) {
		if (!changed)
			receiver_leave(r, b);
		receiver_anchor(r, h, p);
	} else {
		receiver_take(r, h, p, b, in_order(step));
	}
}

/* What the next packet is compared with: this one, or several that stand aside. */
static void before_store(
	struct record *r, struct stream_hot *h, const struct packet *p, struct stream_before *b, bool top, bool audio)
{
	if (top) {
		b->top_ns = p->at_ns;
		b->top_ts = p->rtp.rtp_ts;
		b->top_frame = p->frame;
	}
	if (top && audio) {
		b->audio_ns = p->at_ns;
		b->audio_ts = p->rtp.rtp_ts;
	}
	h->flags &= (uint16_t)~HOT_ASIDE;
	if (!top || !audio || b->time_ns != p->at_ns || h->khz == 0) {
		h->flags |= HOT_ASIDE;
		aside_get(r)->before = *b;
	}
	r->stop_seq = p->rtp.seq;
	r->stop_aside = p->rtp.seq != (uint16_t)h->ext_seq;
}

static void hot_store(struct stream_hot *h, const struct packet *p)
{
	h->last_ns = p->at_ns;
	h->rtp_ts = p->rtp.rtp_ts;
	h->last_frame = p->frame;
	h->last_ip_id = p->ip_id;
	h->length = (uint8_t)p->rtp.payload_wire;
	h->pt = p->rtp.pt;
	h->ttl = p->ttl;
	h->dscp = p->dscp;
}

void packet_settle(const struct streams *s, const struct record *r, struct stream_hot *h)
{
	h->flags &= (uint16_t)~HOT_SLOW;
	if (!r->told || !r->anchored || h->khz == 0 || r->s.clock_hz % 1000 || s->never_plain)
		h->flags |= HOT_SLOW;
}

void packet_first(struct streams *s, struct record *r, struct stream_hot *h, const struct packet *p)
{
	struct stream_before b = { .top_ns = p->at_ns,
		.audio_ns = p->at_ns,
		.time_ns = p->at_ns,
		.top_ts = p->rtp.rtp_ts,
		.audio_ts = p->rtp.rtp_ts,
		.top_frame = p->frame };
	unsigned type;
	const struct stream_type *t = record_type(s, r, p, &type);
	enum payload_kind kind = payload_kind_of(s, r, t, p);

	r->gives_level = p->rtp.level_dbov <= 0 && p->rtp.extension;
	tshark_first(r, h, p);
	interval_begin(r, h, p->at_ns, s->config.interval_ns);
	if (kind == PAYLOAD_AUDIO) {
		type_change(s, r, h, p, type);
		r->run_audio = 0;                        /* this packet is counted already */
		if (r->s.clock_hz)
			receiver_anchor(r, h, p);
	}
	if (kind != PAYLOAD_KEEPALIVE)
		spell_take(r, h, p, true);
	kind_count(r, kind, type);
	if (kind == PAYLOAD_EVENT)
		digits_take(&r->s, p);
	hot_store(h, p);
	before_store(r, h, p, &b, true, kind == PAYLOAD_AUDIO);
	packet_settle(s, r, h);
}

static bool is_unfit(const struct packet *p, const struct stream_hot *h, enum payload_kind kind,
	enum sequence_step step, bool changed)
{
	return kind != PAYLOAD_AUDIO || changed || step == SEQUENCE_RESTART ||
		ns_minus(p->at_ns, h->last_ns) > SPELL_HOLE_MS * MILLISECOND_NS;
}

void packet_take(
	struct streams *s, struct record *r, struct stream_hot *h, const struct packet *p, struct stream_result *ret)
{
	struct stream_before b;
	enum sequence_step step;
	enum payload_kind kind;
	struct stream_type *t;
	bool changed = false;
	unsigned type;

	before_load(r, h, &b);
	step = sequence_step(r, h, p, &b);
	ret->copy = copy_recognise(s, r, h, p, step);
	if (ret->copy)
		return;
	if (interval_is_due(h, p->at_ns))
		interval_due(r, streams_level(s, r->index), h, p->at_ns);
	t = record_type(s, r, p, &type);
	kind = payload_kind_of(s, r, t, p);
	if (kind == PAYLOAD_AUDIO)
		changed = type_change(s, r, h, p, type);
	r->interval_unfit |= is_unfit(p, h, kind, step, changed);
	if (kind != PAYLOAD_KEEPALIVE)
		spell_take(r, h, p, false);
	if (in_order(step))
		ret->gap = gap_take(r, streams_level(s, r->index), h, p, &b, step, kind == PAYLOAD_EVENT);
	if (step == SEQUENCE_AHEAD && !ret->gap)
		short_hole_take(s, r, h, p, &b);
	if (kind == PAYLOAD_AUDIO && step == SEQUENCE_NEXT && b.audio_ns == b.top_ns)
		ptime_learn(s, r, h, p, p->rtp.rtp_ts - b.audio_ts);
	if (kind == PAYLOAD_AUDIO && step == SEQUENCE_AHEAD && b.audio_ns == b.top_ns)
		timeless_take(r, h, p, &b);
	tshark_take(r, h, p, t, &b);
	if (p->dscp != h->dscp)
		mark_change(r, h, p->dscp);
	sequence_take(r, h, p, step, s->config.reorder_ns);
	if (kind == PAYLOAD_AUDIO)
		receiver_visit(s, r, h, p, &b, step, changed);
	kind_count(r, kind, type);
	if (kind == PAYLOAD_EVENT)
		digits_take(&r->s, p);
	else if (r->s.digits)
		digits_after(&r->s, step == SEQUENCE_NEXT);
	ttl_take(r, p);
	before_store(r, h, p, &b, in_order(step), kind == PAYLOAD_AUDIO);
	hot_store(h, p);
	packet_settle(s, r, h);
	if (r->keyed)
		srtp_sample_check(s, r, h, p);
	if ((h->flags & HOT_AFTER) && kind == PAYLOAD_AUDIO && step != SEQUENCE_REPEATED)
		packet_after(s, r->index, h, p);
	else if (h->flags & HOT_MARKS)
		copy_mark(s, r, p);
	if (step == SEQUENCE_RESTART)
		ret->change = STREAM_RESTARTED;
	else if (ret->gap)
		ret->change = STREAM_GAP_ENDED;
	else if (changed)
		ret->change = STREAM_PT_CHANGED;
}
