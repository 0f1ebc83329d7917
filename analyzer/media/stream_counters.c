/* SPDX-License-Identifier: MIT */
/*
 * stream_counters: RFC 3550 A.1 (sequence, restarts, loss) as the truth within epochs, and beside it the figures of
 * tshark 4.0's RTP streams table: lost over everything, deltas and jitter (A.8 in milliseconds) with its own
 * exclusions.
 */
#include "analyzer/media/stream_private.h"

#include <math.h>
#include <stdlib.h>

#include "captures/base/memory.h"

enum { WINDOW = 64, FAR_BITS = 4096, PTIME_ASSUMED_MS = 20, JUMP_JUDGED_MS = 200 };

/* ---- sequence: what the packet is to the epoch ---- */

static double jump_ms(const struct stream_hot *h, uint16_t jump)
{
	return jump * (double)(h->ptime_ms ? h->ptime_ms : PTIME_ASSUMED_MS);
}

static bool near_ms(double a, double b, double share)
{
	return fabs(a - b) <= share * fabs(b);
}

/*
 * 1.4.4: more packets cannot be lost than time has passed, and rtp_ts runs on with the lost ones. A talkspurt after a
 * loss has rtp_ts beyond the lost packets, but in step with the clock on the wall: no restart.
 */
static bool jump_is_restart(const struct record *r, const struct stream_hot *h, const struct packet *p,
	const struct stream_before *b, uint16_t jump)
{
	double wall_ms = ns_ms(ns_minus(p->at_ns, b->top_ns)), sequence_ms = jump_ms(h, jump), ts_ms;

	if (sequence_ms > 1.5 * wall_ms + 200)
		return true;
	if (r->s.clock_hz == 0 || h->ptime_ms == 0)
		return jump > SEQ_MAX_DROPOUT;
	ts_ms = (double)(int32_t)(p->rtp.rtp_ts - b->top_ts) * 1000 / r->s.clock_hz;
	if (jump > SEQ_MAX_DROPOUT)                     /* a minute and more of silence: only if everything agrees */
		return !near_ms(sequence_ms, wall_ms, 0.1) || !near_ms(ts_ms, wall_ms, 0.1);
	return sequence_ms >= JUMP_JUDGED_MS && !near_ms(ts_ms, sequence_ms, 0.5) && !near_ms(ts_ms, wall_ms, 0.5);
}

static bool far_seen(const struct record *r, uint16_t seq)
{
	return r->aside->far[(seq % FAR_BITS) / 64] >> seq % 64 & 1;
}

static enum sequence_step step_back(const struct record *r, const struct stream_hot *h, uint16_t seq, uint16_t back)
{
	uint32_t in_epoch = h->ext_seq - r->base_ext;

	if (back < WINDOW && back <= in_epoch)
		return h->window >> back & 1 ? SEQUENCE_REPEATED : SEQUENCE_BACK;
	if (back > in_epoch)                            /* older than the first: its first packets came in disorder */
		return back <= SEQ_MAX_MISORDER && in_epoch < SEQ_MAX_MISORDER ? SEQUENCE_BACK : SEQUENCE_STRANGE;
	if (back > SEQ_MAX_MISORDER)
		return SEQUENCE_STRANGE;
	if (record_far(r))
		return far_seen(r, seq) ? SEQUENCE_REPEATED : SEQUENCE_BACK;
	return r->holes > 0 ? SEQUENCE_BACK : SEQUENCE_REPEATED;
}

enum sequence_step sequence_step(
	const struct record *r, const struct stream_hot *h, const struct packet *p, const struct stream_before *b)
{
	uint16_t seq = p->rtp.seq, jump = (uint16_t)(seq - h->ext_seq);

	if (jump == 1)
		return SEQUENCE_NEXT;
	if ((h->flags & HOT_STRANGE) && seq == r->aside->strange.next_seq)
		return SEQUENCE_RESTART;
	if (jump == 0)
		return SEQUENCE_REPEATED;
	if (jump < 0x8000)
		return jump_is_restart(r, h, p, b, jump) ? SEQUENCE_STRANGE : SEQUENCE_AHEAD;
	return step_back(r, h, seq, (uint16_t)-jump);
}

/* ---- sequence: counted ---- */

static unsigned run_class(uint64_t run)
{
	return (unsigned)(run < LOSS_RUN_CLASSES ? run : LOSS_RUN_CLASSES) - 1;
}

static void run_count(struct record *r, uint64_t run)
{
	struct stream_flaws *f = flaws_get(r);

	f->loss_runs[run_class(run)]++;
	f->loss_events++;
}

static void run_uncount(struct stream_flaws *f, uint64_t run)
{
	if (f->loss_runs[run_class(run)]) {
		f->loss_runs[run_class(run)]--;
		f->loss_events--;
	}
}

/* A late packet fell into a hole: its run of lost packets shrinks or falls in two, as far back as the window knows. */
static void run_split(struct record *r, const struct stream_hot *h, uint32_t back)
{
	unsigned before = 0, after = 0;

	while (back + before + 1 < WINDOW && !(h->window >> (back + before + 1) & 1))
		before++;
	while (after + 1 <= back && !(h->window >> (back - after - 1) & 1))
		after++;
	run_uncount(flaws_get(r), before + after + 1);
	if (before)
		run_count(r, before);
	if (after)
		run_count(r, after);
}

static void far_set(struct record *r, uint16_t seq, bool seen)
{
	uint64_t bit = UINT64_C(1) << seq % 64, *word = &r->aside->far[(seq % FAR_BITS) / 64];

	*word = seen ? *word | bit : *word & ~bit;
}

/*
 * Made at the first packet from beyond the window. What lay there before is not known: taken as lost where anything
 * is.
 */
static void far_make(struct record *r, struct stream_hot *h)
{
	aside_get(r)->far = memory_zalloc(FAR_BITS / 8);
	memset(r->aside->far, r->holes > 0 ? 0 : 0xff, FAR_BITS / 8);
	for (unsigned i = 0; i < WINDOW; i++)
		far_set(r, (uint16_t)(h->ext_seq - i), h->window >> i & 1);
	h->flags |= HOT_FAR;
}

static void ahead_take(struct record *r, struct stream_hot *h, uint16_t jump)
{
	for (uint16_t i = 1; record_far(r) && i < jump; i++)
		far_set(r, (uint16_t)(h->ext_seq + i), false);
	h->window = jump < WINDOW ? h->window << jump | 1 : 1;
	h->ext_seq += jump;
	r->minus += jump - 1u;
	if (jump > 1) {
		r->holes += jump - 1;
		run_count(r, jump - 1u);
	}
}

/* Older than the first packet of the epoch: it is the first now, and what lies between has not come yet. */
static void base_lower(struct record *r, struct stream_hot *h, uint32_t back)
{
	uint32_t in_epoch = h->ext_seq - r->base_ext;

	r->holes += back - in_epoch - 1;
	r->base_ext = h->ext_seq - back;
	for (uint32_t i = in_epoch + 1; i < back && i < WINDOW; i++)
		h->window &= ~(UINT64_C(1) << i);
	if (back - in_epoch > 1)
		run_count(r, back - in_epoch - 1);
}

static void back_take(struct record *r, struct stream_hot *h, const struct packet *p, int64_t reorder_ns)
{
	uint16_t back = (uint16_t)(h->ext_seq - p->rtp.seq);

	if (back > h->ext_seq - r->base_ext) {
		base_lower(r, h, back);
	} else if (r->holes > 0) {
		r->holes--;
		if (back < WINDOW)
			run_split(r, h, back);
	}
	if (back < WINDOW)
		h->window |= UINT64_C(1) << back;
	else if (!record_far(r))
		far_make(r, h);
	if (jump_ms(h, back) * MILLISECOND_NS > (double)reorder_ns)
		r->s.late++;
	else
		r->s.reordered++;
	r->minus--;
}

static void restart_take(struct record *r, struct stream_hot *h, uint16_t seq)
{
	r->aside->expected_closed = record_expected(r, h);      /* made for the strange packet before this one */
	r->aside->lost_closed += (uint64_t)(r->holes > 0 ? r->holes : 0);
	r->holes = 0;
	r->s.epochs++;
	r->s.flaws->strays--;
	r->minus += seq - h->ext_seq - 1;
	h->ext_seq = seq;
	r->base_ext = seq - 1u;
	h->window = UINT64_MAX;
	h->flags &= (uint16_t)~HOT_FAR;
	free(r->aside->far);
	r->aside->far = NULL;
}

void sequence_take(
	struct record *r, struct stream_hot *h, const struct packet *p, enum sequence_step step, int64_t reorder_ns)
{
	uint16_t seq = p->rtp.seq;

	h->flags &= (uint16_t)~HOT_STRANGE;
	switch (step) {
	case SEQUENCE_NEXT:
	case SEQUENCE_AHEAD:
		ahead_take(r, h, (uint16_t)(seq - h->ext_seq));
		break;
	case SEQUENCE_BACK:
		back_take(r, h, p, reorder_ns);
		break;
	case SEQUENCE_REPEATED:
		r->s.duplicates++;
		r->minus--;
		if (!record_far(r) && (uint16_t)(h->ext_seq - seq) >= WINDOW)
			far_make(r, h);
		break;
	case SEQUENCE_STRANGE:
		aside_get(r)->strange.next_seq = (uint16_t)(seq + 1);
		r->aside->strange.at_ns = p->at_ns;
		r->aside->strange.frame = p->frame;
		h->flags |= HOT_STRANGE;
		flaws_get(r)->strays++;
		r->minus--;
		return;
	case SEQUENCE_RESTART:
		restart_take(r, h, seq);
		break;
	}
	if (record_far(r))
		far_set(r, seq, true);
}

/* From audio to audio across a hole, and rtp_ts moves by one packet's time alone: what is missing was no audio. */
void timeless_take(struct record *r, const struct stream_hot *h, const struct packet *p, const struct stream_before *b)
{
	uint64_t packet_ts = (uint64_t)h->ptime_ms * r->s.clock_hz / 1000;

	if (packet_ts && p->rtp.rtp_ts - b->top_ts == packet_ts)
		flaws_get(r)->lost_timeless += (uint16_t)(p->rtp.seq - h->ext_seq) - 1u;
}

/* ---- tshark's figures ---- */

void tshark_first(struct record *r, struct stream_hot *h, const struct packet *p)
{
	h->first_seq = p->rtp.seq;
	r->stop_seq = p->rtp.seq;
}

/* It counts a cycle when the number falls below the first one, once until it has risen above it again. */
static void cycles_take(struct record *r, struct stream_hot *h, uint16_t seq, bool in_time)
{
	uint16_t last = r->stop_aside ? r->stop_seq : (uint16_t)h->ext_seq;

	if (!in_time)
		return;
	if (!(h->flags & HOT_UNDER)) {
		if (seq < h->first_seq || (seq == 0 && last == UINT16_MAX)) {
			r->cycles++;
			h->flags |= HOT_UNDER;
		}
	} else if (seq > h->first_seq) {
		h->flags &= (uint16_t)~HOT_UNDER;
	}
}

void tshark_flush(struct record *r, struct stream_hot *h)
{
	float max_ms = h->jitter_max_q8 / 256.0f;

	r->jitter_total += (double)h->jitter_sum;
	h->jitter_sum = 0;
	if (max_ms > r->s.max_jitter_ms)
		r->s.max_jitter_ms = max_ms;
}

/*
 * Its mean is over all packets but the first, and one that it leaves out (marker, CN and the one after it, no clock)
 * counts as the mean so far. n: packets before this one.
 */
static void mean_leave_out(struct record *r, struct stream_hot *h, uint32_t n)
{
	tshark_flush(r, h);
	if (n > 1)
		r->jitter_total *= (double)n / (n - 1);
}

static void delta_take(struct record *r, struct stream_hot *h, int64_t delta_ns)
{
	int64_t units;

	if (delta_ns <= r->s.max_delta_ns)
		return;
	r->s.max_delta_ns = delta_ns;
	units = delta_ns / (8 * MICROSECOND_NS);
	h->delta_max_8us = units < UINT16_MAX ? (uint16_t)units : UINT16_MAX;
}

static void jitter_max_take(struct record *r, struct stream_hot *h)
{
	if (h->jitter_ms > r->interval_jitter_ms)
		r->interval_jitter_ms = h->jitter_ms;
	if (r->s.types[r->type].listed && h->jitter_ms > r->s.max_jitter_ms)
		r->s.max_jitter_ms = h->jitter_ms;
}

/* D against the last packet that had a clock; its clock may have been another one. */
static void jitter_take(
	struct record *r, struct stream_hot *h, const struct packet *p, uint8_t khz, struct stream_before *b)
{
	double nominal_ms = (double)(int32_t)(p->rtp.rtp_ts - r->s.first_rtp_ts) / khz;
	double difference_ms = fabs(ns_ms(ns_minus(p->at_ns, b->time_ns)) - (nominal_ms - b->nominal_ms));

	h->jitter_ms = (float)((15 * (double)h->jitter_ms + difference_ms) / 16);
	b->nominal_ms = nominal_ms;
}

void tshark_take(struct record *r, struct stream_hot *h, const struct packet *p, const struct stream_type *t,
	struct stream_before *b)
{
	bool in_time = (int32_t)(p->rtp.rtp_ts - r->s.first_rtp_ts) >= 0;
	bool regular = in_time && !p->rtp.marker && !payload_is_comfort(p->rtp.pt) && !payload_is_comfort(h->pt);
	bool clocked = t->kind != PAYLOAD_EVENT && clock_khz(t->clock_hz) != 0;

	cycles_take(r, h, p->rtp.seq, in_time);
	if (in_time && clocked)
		jitter_take(r, h, p, clock_khz(t->clock_hz), b);
	if (regular)
		delta_take(r, h, ns_minus(p->at_ns, b->time_ns));
	if (regular && clocked) {
		jitter_max_take(r, h);
		h->jitter_sum += h->jitter_ms;
		r->listed_ever |= t->listed;
	} else {
		mean_leave_out(r, h, record_packets(r, h));
	}
	if (in_time)
		b->time_ns = p->at_ns;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void tshark_settle(struct record *r, struct stream_hot *h)
{
	struct stream *s = &r->s;
	uint16_t stop = r->stop_aside ? r->stop_seq : (uint16_t)h->ext_seq;
	uint32_t n = record_packets(r, h);

	tshark_flush(r, h);
	s->packets = n;
	s->lost = (int64_t)r->cycles * 65536 + stop - h->first_seq + 1 - n;
	s->jitter_known = r->listed_ever && n > 1;
	s->mean_jitter_ms = s->jitter_known ? (float)(r->jitter_total / (n - 1)) : 0;
	s->expected_within = (uint32_t)least(record_expected(r, h), UINT32_MAX);
	s->lost_within = (uint32_t)least((r->aside ? r->aside->lost_closed : 0) + (uint64_t)(r->holes > 0 ? r->holes : 0),
		UINT32_MAX);
}

/* ---- what was lost, and was not ---- */

/* It counts where the first packet behind the gap came. */
static void interval_held(struct stream *s, const struct gap *g, uint64_t missing)
{
	for (unsigned i = s->interval_count; i-- > 0;) {
		struct interval *x = &s->intervals[i];

		if (x->at_ns > g->to_ns)
			continue;
		x->expected -= (uint32_t)least(missing, x->expected > x->packets ? x->expected - x->packets : 0);
		return;
	}
}

void stream_gap_held(struct stream *s, unsigned gap)
{
	struct gap *g = &s->gaps[gap];
	uint32_t missing = (uint32_t)least(g->seq_step - 1, least(s->lost_within, s->expected_within));

	g->held = true;
	g->suppressed_ms += g->lost_ms;
	g->lost_ms = 0;
	s->lost_within -= missing;
	s->expected_within -= missing;
	interval_held(s, g, missing);
	if (s->flaws && g->seq_step > 1) {
		s->flaws->counted_held += missing;
		run_uncount(s->flaws, g->seq_step - 1);
	}
}
