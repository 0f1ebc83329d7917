/* SPDX-License-Identifier: MIT */
/* interval: a stream by stretches of 5 s, counted from its first packet. Stretches without a packet are left out. */
#include "analyzer/media/stream_private.h"

#include <math.h>

#include "captures/base/memory.h"

static const int64_t HALF_MINUTE_NS = HALF_MINUTE_S * SECOND_NS;

/* The hot line only knows when to come here; a millisecond early is no harm. */
static void interval_arm(struct record *r, struct stream_hot *h)
{
	int64_t end_ns = ns_add(r->interval_at_ns, r->s.interval_ns), half_ns = ns_add(r->half_at_ns, HALF_MINUTE_NS);

	h->due = (uint32_t)((uint64_t)(end_ns < half_ns ? end_ns : half_ns) >> 20);
}

static void interval_mark(struct record *r, const struct stream_hot *h)
{
	r->interval_packets = record_packets(r, h);
	r->interval_audio = record_audio(r, h);
	r->interval_expected = (uint32_t)record_expected(r, h);
	r->interval_late60 = r->s.late60;
	r->interval_followed = stream_flaws(&r->s)->followed;
	r->interval_unfit = false;
}

void interval_begin(struct record *r, struct stream_hot *h, int64_t at_ns, int64_t length_ns)
{
	r->s.interval_ns = length_ns;
	r->interval_at_ns = r->half_at_ns = at_ns;
	interval_arm(r, h);
}

static uint16_t clamped(uint32_t n)
{
	return n < UINT16_MAX ? (uint16_t)n : UINT16_MAX;
}

static double power_of(const struct interval *x)
{
	return x->packets * pow(10, x->level_dbm0 / 10.0);
}

/* The mean of powers, by how many packets each stands for. */
static int8_t level_joined(const struct interval *a, const struct interval *b)
{
	if (a->level_dbm0 == INTERVAL_UNHEARD || b->packets == 0)
		return b->packets ? b->level_dbm0 : a->level_dbm0;
	if (b->level_dbm0 == INTERVAL_UNHEARD || a->packets == 0)
		return a->packets ? a->level_dbm0 : b->level_dbm0;
	return (int8_t)lround(10 * log10((power_of(a) + power_of(b)) / ((double)a->packets + b->packets)));
}

static void interval_join(struct interval *a, const struct interval *b)
{
	a->level_dbm0 = level_joined(a, b);
	a->packets += b->packets;
	a->expected += b->expected;
	a->late60 = clamped((uint32_t)a->late60 + b->late60);
	a->followed = clamped((uint32_t)a->followed + b->followed);
	a->unfit |= b->unfit;
	a->audio |= b->audio;
	if (b->max_jitter_tenth_ms > a->max_jitter_tenth_ms)
		a->max_jitter_tenth_ms = b->max_jitter_tenth_ms;
}

static int64_t interval_floor(const struct record *r, int64_t at_ns)
{
	int64_t since_ns = ns_minus(at_ns, r->s.first_ns);

	return ns_add(r->s.first_ns, since_ns - since_ns % r->s.interval_ns);
}

/* INTERVAL_MAX of them: every two neighbours become one of twice the length. */
static void intervals_double(struct record *r)
{
	struct stream *s = &r->s;
	unsigned n = 0;

	s->interval_ns *= 2;
	for (unsigned i = 0; i < s->interval_count; i++) {
		struct interval next = s->intervals[i];

		next.at_ns = interval_floor(r, next.at_ns);
		if (n && s->intervals[n - 1].at_ns == next.at_ns)
			interval_join(&s->intervals[n - 1], &next);
		else
			s->intervals[n++] = next;
	}
	s->interval_count = n;
	r->interval_at_ns = interval_floor(r, r->interval_at_ns);
}

static void interval_push(struct record *r, const struct interval *next)
{
	struct stream *s = &r->s;

	if (s->interval_count && s->intervals[s->interval_count - 1].at_ns == next->at_ns) {
		interval_join(&s->intervals[s->interval_count - 1], next);
		return;
	}
	s->intervals = list_grow(s->intervals, s->interval_count, sizeof *s->intervals);
	s->intervals[s->interval_count++] = *next;
	while (s->interval_count >= INTERVAL_MAX && s->interval_ns < INT64_MAX / 4)
		intervals_double(r);
}

/* What the running one has so far becomes a record; more packets in it join that later. */
void interval_close(struct record *r, struct level *l, struct stream_hot *h)
{
	uint32_t expected = (uint32_t)record_expected(r, h);
	float plain_ms = h->jitter_max_q8 / 256.0f,
	      jitter_ms = r->interval_jitter_ms > plain_ms ? r->interval_jitter_ms : plain_ms;
	struct interval now = {
		.at_ns = r->interval_at_ns,
		.packets = record_packets(r, h) - r->interval_packets,
		.expected = expected > r->interval_expected ? expected - r->interval_expected : 0,
		.late60 = clamped(r->s.late60 - r->interval_late60),
		.followed = clamped(stream_flaws(&r->s)->followed - r->interval_followed),
		.max_jitter_tenth_ms = (uint16_t)(jitter_ms < 6553 ? jitter_ms * 10 + 0.5f : UINT16_MAX),
		.unfit = r->interval_unfit,
		.audio = record_audio(r, h) > r->interval_audio,
		.level_dbm0 = level_since(l, &r->interval_levels),
	};

	tshark_flush(r, h);
	h->jitter_max_q8 = 0;
	r->interval_jitter_ms = 0;
	interval_mark(r, h);
	if (now.packets || now.expected)
		interval_push(r, &now);
}

/* At the first packet behind an edge, before it is counted. */
void interval_due(struct record *r, struct level *l, struct stream_hot *h, int64_t at_ns)
{
	int64_t half_ns = ns_minus(at_ns, r->half_at_ns);

	if (ns_minus(at_ns, r->interval_at_ns) >= r->s.interval_ns) {
		interval_close(r, l, h);
		r->interval_at_ns = interval_floor(r, at_ns);
	}
	if (half_ns >= HALF_MINUTE_NS) {
		receiver_half(r, h);
		r->half_at_ns = ns_add(r->half_at_ns, half_ns - half_ns % HALF_MINUTE_NS);
	}
	interval_arm(r, h);
}
