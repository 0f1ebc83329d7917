/* SPDX-License-Identifier: MIT */
/*
 * receiver: what the buffer of a receiver would see. No queue is simulated: a packet is late by
 * its transit above the least transit of the last 30 to 60 s. Drift of the sender's clock is the line through the
 * least transit of half minutes.
 */
#include <math.h>

#include "analyzer/media/stream_private.h"

#include "captures/base/memory.h"

#define HEAP_NS (3 * SECOND_NS)      /* behind a stall all comes at once that was held back */
#define SLOW_SHARE 0.02              /* of the clock: less is a row that came unevenly */
#define LAG_ALIKE 0.05

enum {
	RATE_MIN_S = 10, LAG_LEAST_S = 2, DRIFT_POINTS_MIN = 4, ROW_MAX = 50,
	HELD_LEAST_MS = 80, HELD_MOST_MS = 130, AT_ONCE_MS = 6,
	BUFFER_MS = 60, FOLLOW_MS = 200,
	STEP_MS = 40, LEVEL_MS = 15  /* a step; least transits that are one level */
};

/* What Wi-Fi does to a device that sleeps between beacons (102.4 ms), and whoever polls as often. */
static bool held_back(float over_ms)
{
	return over_ms >= HELD_LEAST_MS && over_ms <= HELD_MOST_MS;
}

/* Where all come late for a while, as with a clock that drifts, the buffer begins anew there. */
static void follow(struct stream_flaws *f, bool goes_on, float over_ms, int64_t at_ns)
{
	if (!goes_on || over_ms > f->follow_ms + BUFFER_MS) {
		f->follow_ns = at_ns;
		f->follow_ms = over_ms;
		return;
	}
	if (over_ms < f->follow_ms)
		f->follow_ms = over_ms;
	if (ns_minus(at_ns, f->follow_ns) >= FOLLOW_MS * MILLISECOND_NS)
		f->followed++;
}

/* One after the other later by a packet time less: they arrive together. */
static void late_run(struct record *r, const struct stream_hot *h, float over_ms, int64_t at_ns)
{
	struct stream_flaws *f = flaws_get(r);
	float fall_ms = f->late_ms - over_ms;
	bool goes_on = f->late_runs && f->late_seq + 1 == h->ext_seq;
	bool at_once = goes_on && fall_ms > h->ptime_ms - AT_ONCE_MS && fall_ms < h->ptime_ms + 1;

	if (!goes_on) {
		f->late_runs++;
		f->late_burst = false;
	} else if (f->late_burst && !at_once) {
		f->late_burst = false;
		f->late_bursts--;
	} else if (!f->late_burst && at_once && !f->late_more && held_back(f->late_ms)) {
		f->late_burst = true;
		f->late_bursts++;
	}
	f->late_more = goes_on;
	f->late_seq = h->ext_seq;
	f->late_ms = over_ms;
	follow(f, goes_on, over_ms, at_ns);
}

static double rate_of(int64_t ns, uint32_t ts)
{
	return ns > 0 ? (double)(int32_t)ts * SECOND_NS / (double)ns : 0;
}

/*
 * Is it the sender's clock that is slow? Then it lags in this row as it did before it, and in the end by more than any
 * queue holds; a stall lags once.
 */
static void lag_settle(struct record *r, int64_t at_ns, uint32_t rtp_ts)
{
	struct stream_flaws *f = flaws_get(r);
	double row = rate_of(ns_minus(at_ns, f->late_row_ns), rtp_ts - f->late_row_ts) / r->s.clock_hz,
		before = rate_of(ns_minus(f->late_row_ns, r->anchor_ns), f->late_row_ts - r->anchor_ts) / r->s.clock_hz;

	if (row > 1 - SLOW_SHARE || fabs(row - before) > LAG_ALIKE) {
		f->lag_ns = 0;
		f->lag_ts = 0;
		return;
	}
	f->lag_ns = ns_add(f->lag_ns, ns_minus(at_ns, r->anchor_ns));
	f->lag_ts += rtp_ts - r->anchor_ts;
	if (f->lag_ns < RATE_MIN_S * SECOND_NS || f->lag_ns <= r->rate_run_ns ||
	    (double)f->lag_ns / SECOND_NS - (double)f->lag_ts / r->s.clock_hz < LAG_LEAST_S)
		return;
	r->rate_run_ns = f->lag_ns;
	r->s.ts_rate_hz = (float)((double)f->lag_ts * SECOND_NS / (double)f->lag_ns);
}

/* A second of nothing but late packets: the delay has changed for good, and a phone starts its buffer anew. */
void receiver_late(struct record *r, struct stream_hot *h, float over_ms, int64_t at_ns, uint32_t rtp_ts)
{
	r->s.late60++;
	late_run(r, h, over_ms, at_ns);
	if (over_ms <= 200)
		return;
	r->s.late200++;
	r->late_row = r->late_row_seq + 1 == h->ext_seq ? r->late_row + 1 : 1;
	r->late_row_seq = h->ext_seq;
	if (r->late_row == 1) {
		flaws_get(r)->late_row_ns = at_ns;
		flaws_get(r)->late_row_ts = rtp_ts;
	}
	if (r->late_row >= ROW_MAX) {
		lag_settle(r, at_ns, rtp_ts);
		r->late_row = 0;
		r->anchored = false;
		h->flags |= HOT_SLOW;
	}
}

static double transit_ms(const struct record *r, int64_t at_ns, uint32_t rtp_ts)
{
	return ns_ms(ns_minus(at_ns, r->anchor_ns)) - (double)(int32_t)(rtp_ts - r->anchor_ts) * 1000 / r->s.clock_hz;
}

/* The line through the least transits so far; the longest line counts. Positive: the sender's clock is slow. */
static void drift_settle(struct record *r)
{
	struct drift *d = r->drift;
	double below;

	if (!d || d->n < DRIFT_POINTS_MIN || d->n < d->best)
		return;
	below = d->n * d->xx - d->x * d->x;
	if (below <= 0)
		return;
	d->best = (unsigned)d->n;
	r->s.drift_ppm = (float)((d->n * d->xy - d->x * d->y) / below * 1000);
}

static void drift_point(struct record *r, double x, double y)
{
	struct drift *d = r->drift;

	if (!d)
		d = r->drift = memory_zalloc(sizeof *d);
	d->n++;
	d->x += x;
	d->y += y;
	d->xx += x * x;
	d->xy += x * y;
}

/*
 * Two levels, and one step between them; of the half in which it falls few packets may be left below. `y`: least
 * transit of another half, which ended at at_ns.
 */
static void step_point(struct record *r, int64_t at_ns, double y)
{
	struct drift *d = r->drift;
	bool first = d->n == 1;

	if (first) {
		d->level = y;
		d->level_ns = at_ns;
	} else if (y - d->level >= STEP_MS && !d->stepped) {
		d->stepped = true;
		flaws_get(r)->step_ms = (float)(y - d->level);
		flaws_get(r)->step_ns = d->level_ns;
		d->level = y;
	} else if (y - d->level > LEVEL_MS || d->level - y > LEVEL_MS) {
		d->unsteady |= d->stepped || d->between || y < d->level;
		d->between = true;
	} else {
		d->unsteady |= d->between && !d->stepped;
		d->level_ns = at_ns;
	}
	if (d->unsteady && r->s.flaws)
		r->s.flaws->step_ms = 0;
}

/* A queue that drains lets what it held come faster, too: so far off in all is none. */
static void rate_settle(struct record *r, int64_t at_ns, uint32_t rtp_ts)
{
	int64_t run_ns = ns_minus(at_ns, r->anchor_ns);
	double off_s = fabs(transit_ms(r, at_ns, rtp_ts)) / 1000;

	if (!r->anchored || run_ns < RATE_MIN_S * SECOND_NS || run_ns <= r->rate_run_ns ||
	    (off_s < LAG_LEAST_S && off_s > SLOW_SHARE * (double)run_ns / SECOND_NS))
		return;
	r->rate_run_ns = run_ns;
	r->s.ts_rate_hz = (float)((double)(int32_t)(rtp_ts - r->anchor_ts) * SECOND_NS / (double)run_ns);
}

/* rtp_ts and the wall clock are tied to each other anew at this packet. */
void receiver_anchor(struct record *r, struct stream_hot *h, const struct packet *p)
{
	drift_settle(r);
	if (r->drift)
		*r->drift = (struct drift){ .best = r->drift->best, .stepped = r->drift->stepped,
			.between = r->drift->between,
			.unsteady = r->drift->unsteady };
	if (r->anchored && r->s.flaws) {
		r->s.flaws->lag_ns = 0;
		r->s.flaws->lag_ts = 0;
	}
	r->anchor_ns = r->tied_ns = p->at_ns;
	r->anchor_ts = p->rtp.rtp_ts;
	r->anchored = true;
	r->late_row = 0;
	h->over_ms[0] = h->over_ms[1] = 0;
}

/* It is less late than those since the anchor, which a stall had held back: it is this one that tells the time. */
void receiver_heap(struct record *r, int64_t at_ns, uint32_t rtp_ts)
{
	int64_t since_ns = ns_minus(at_ns, r->tied_ns);

	if (r->anchored && since_ns >= 0 && since_ns < HEAP_NS) {
		r->anchor_ns = at_ns;
		r->anchor_ts = rtp_ts;
	}
}

/*
 * One audio packet of known clock, against the last one in order. What comes out of order may be late, but is no
 * measure for others.
 */
void receiver_take(
	struct record *r, struct stream_hot *h, const struct packet *p, const struct stream_before *b, bool in_order)
{
	double difference_ms = ns_ms(ns_minus(p->at_ns, b->audio_ns)) -
		(double)(int32_t)(p->rtp.rtp_ts - b->audio_ts) * 1000 / r->s.clock_hz;
	float over_0 = h->over_ms[0] + (float)difference_ms, over_1 = h->over_ms[1] + (float)difference_ms;
	float over = over_0 > over_1 ? over_0 : over_1;

	if (in_order && over_0 < 0 && difference_ms < HEAP_MS)
		receiver_heap(r, p->at_ns, p->rtp.rtp_ts);
	if (in_order) {
		h->over_ms[0] = over_0 > 0 ? over_0 : 0;
		h->over_ms[1] = over_1;
	}
	if (over > 60)
		receiver_late(r, h, over, p->at_ns, p->rtp.rtp_ts);
}

/* Before a jump of rtp_ts is anchored anew: what the run until the last packet told. */
void receiver_leave(struct record *r, const struct stream_before *b)
{
	if (r->anchored && r->s.clock_hz)
		rate_settle(r, b->audio_ns, b->audio_ts);
}

/* Half a minute is over, seen at the first packet behind it. */
void receiver_half(struct record *r, struct stream_hot *h)
{
	bool aside = h->flags & HOT_ASIDE;
	int64_t at_ns = aside ? r->aside->before.audio_ns : h->last_ns;
	uint32_t rtp_ts = aside ? r->aside->before.audio_ts : h->rtp_ts;
	double x, y;

	if (r->anchored && r->s.clock_hz) {
		x = (double)ns_minus(at_ns, r->anchor_ns) / SECOND_NS;
		y = transit_ms(r, at_ns, rtp_ts) - (double)h->over_ms[0];
		drift_point(r, x, y);
		step_point(r, at_ns, y);
	}
	h->over_ms[1] = h->over_ms[0];
	h->over_ms[0] = 0;
}

void receiver_settle(struct record *r, struct stream_hot *h)
{
	bool aside = h->flags & HOT_ASIDE;

	if (!r->s.clock_hz)
		return;
	drift_settle(r);
	rate_settle(r, aside ? r->aside->before.audio_ns : h->last_ns, aside ? r->aside->before.audio_ts : h->rtp_ts);
}
