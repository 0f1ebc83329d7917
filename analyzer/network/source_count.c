/* SPDX-License-Identifier: MIT */
/* source_count: how many and how fast: paces, rates, buckets of ten seconds, estimates of different names. */
#include "analyzer/network/source_private.h"
#include "captures/base/digest.h"
#include "captures/base/memory.h"

/* By the one in hand, which fills it: nothing to count where even the oldest came within a minute. */
static void pace_walk(struct pace *p, const int64_t *ring, unsigned room, unsigned have, unsigned at)
{
	uint16_t minute = 0, hour = 0, day = 0;
	int64_t at_ns = ring[at], from_ns = at_ns;

	for (unsigned i = 0; i < have; i++, at = at ? at - 1 : room - 1) {
		int64_t then_ns = ring[at], age_ns = ns_minus(at_ns, then_ns);

		if (age_ns > 24 * HOUR_NS)
			break;
		day++;
		hour += age_ns <= HOUR_NS;
		if (age_ns <= MINUTE_NS) {
			minute++;
			from_ns = then_ns;
		}
	}
	if (minute >= p->minute) {
		p->minute = minute;
		p->from_ns = from_ns;
		p->to_ns = at_ns;
	}
	p->hour = hour > p->hour ? hour : p->hour;
	p->day = day > p->day ? day : p->day;
}

void source_pace(struct pace *p, int64_t *ring, unsigned room, int64_t at_ns)
{
	unsigned at = p->count % room, before = at ? at - 1 : room - 1, have, oldest;

	p->rising = p->count && ring[before] <= at_ns ? p->rising + (p->rising < room) : 1;
	p->count++;
	ring[at] = at_ns;
	have = p->count < room ? p->count : room;
	oldest = have < room || at == room - 1 ? 0 : at + 1;
	if (p->rising < have || ns_minus(at_ns, ring[oldest]) > MINUTE_NS) {
		pace_walk(p, ring, room, have, at);
		return;
	}
	p->minute = (uint16_t)have;
	p->hour = p->hour > have ? p->hour : (uint16_t)have;
	p->day = p->day > have ? p->day : (uint16_t)have;
	p->from_ns = ring[oldest];
	p->to_ns = at_ns;
}

/* One alone is where the fullest minute begins: the ring comes with the second. */
void source_pace_grow(struct pace *p, int64_t **ring, int64_t at_ns)
{
	if (!p->count) {
		*p = (struct pace){ 1, 1, 1, 1, 1, at_ns, at_ns };
		return;
	}
	if (p->count < SOURCE_EXACT && (p->count & (p->count - 1)) == 0)
		*ring = memory_resize(*ring, 2u * p->count, sizeof **ring);
	if (p->count == 1)
		(*ring)[0] = p->from_ns;
	source_pace(p, *ring, SOURCE_EXACT, at_ns);
}

void source_rate(struct rate *r, unsigned limit, int64_t second, bool next_to)
{
	if (r->now >= limit && limit) {
		if (r->row == 0 && r->row_most == 0)
			r->from_ns = second * SECOND_NS;
		r->row++;
		r->to_ns = (second + 1) * SECOND_NS;
	} else {
		r->row = 0;
	}
	r->row_most = r->row > r->row_most ? r->row : r->row_most;
	r->peak = r->now > r->peak ? r->now : r->peak;
	r->now = 0;
	if (!next_to)
		r->row = 0;
}

void source_clock(const struct sources *s, struct source *x, int64_t second)
{
	bool next_to = second == x->second + 1;

	if (second == x->second)
		return;
	source_rate(&x->any, s->config.flood_rps, x->second, next_to);
	source_rate(&x->calls, s->config.flood_invite_ps, x->second, next_to);
	source_rate(&x->flawed, 20, x->second, next_to);
	x->second = second;
}

/* Room for that one, or for all: most sources are seen for less than the 20 minutes that these are. */
static void buckets_grow(struct source *x, int64_t i)
{
	unsigned count = x->bucket_count;
	bool first = x->buckets == x->buckets_first;

	while (count < SOURCE_BUCKETS && count <= i)
		count *= 2;
	if (count == x->bucket_count)
		return;
	x->buckets = memory_resize(first ? NULL : x->buckets, count, sizeof *x->buckets);
	if (first)
		memcpy(x->buckets, x->buckets_first, sizeof x->buckets_first);
	memset(x->buckets + x->bucket_count, 0, (count - x->bucket_count) * sizeof *x->buckets);
	x->bucket_count = count;
}

struct source_bucket *source_bucket_at(struct source *x, int64_t at_ns)
{
	int64_t i;

	if (!x->buckets) {
		x->bucket_ns = at_ns - at_ns % (10 * SECOND_NS);
		x->buckets = x->buckets_first;
		x->bucket_count = SOURCE_BUCKETS_FIRST;
	}
	i = ns_minus(at_ns, x->bucket_ns) / (10 * SECOND_NS);
	buckets_grow(x, i);
	if (i >= SOURCE_BUCKETS) {
		unsigned drop = i - SOURCE_BUCKETS + 1 < SOURCE_BUCKETS ? (unsigned)(i - SOURCE_BUCKETS + 1)
			: SOURCE_BUCKETS;

		memmove(x->buckets, x->buckets + drop, (SOURCE_BUCKETS - drop) * sizeof *x->buckets);
		memset(x->buckets + SOURCE_BUCKETS - drop, 0, drop * sizeof *x->buckets);
		x->bucket_ns += (i - SOURCE_BUCKETS + 1) * 10 * SECOND_NS;
		i = SOURCE_BUCKETS - 1;
	}
	return i >= 0 ? &x->buckets[i] : NULL;
}

void source_bucket_count(uint16_t *n)
{
	*n += *n < UINT16_MAX;
}

struct source_share sources_others(const struct sources *s, const struct source *but, int64_t from_ns, int64_t to_ns)
{
	struct source_share out = { 0 };

	LIST_EACH(it, &s->in_order) {
		const struct source *x = LIST_ENTRY(it, struct source, in_order);

		for (unsigned i = 0; x != but && i < x->bucket_count; i++) {
			int64_t begin_ns = ns_add(x->bucket_ns, i * 10 * SECOND_NS);

			if (begin_ns >= to_ns || ns_add(begin_ns, 10 * SECOND_NS) <= from_ns || x->flooding)
				continue;
			out.asked += x->buckets[i].asked;
			out.answered += x->buckets[i].answered;
			out.busy += x->buckets[i].busy;
		}
	}
	return out;
}

/*
 * Different names, estimated by how many of the bits stay free (linear counting, Whang 1990); never more than there
 * were requests.
 */
static unsigned estimate(const uint64_t bits[SOURCE_BITS], unsigned most)
{
	unsigned zero = 0, all = SOURCE_BITS * 64;
	double estimate = 0;

	for (unsigned i = 0; i < SOURCE_BITS; i++)
		zero += 64u - (unsigned)__builtin_popcountll(bits[i]);
	if (zero == 0)
		zero = 1;
	for (unsigned i = zero; i < all; i++) /* all * ln(all / zero), without libm */
		estimate += (double)all / (i + 0.5);
	return estimate < most ? (unsigned)(estimate + 0.5) : most;
}

/*
 * The bit of a name. The same in every run, so that the report is, too; not to be foreseen by who is counted: the time
 * at which the capture first saw it goes in.
 */
static unsigned bit_of(const struct source *x, struct span name)
{
	struct digest d;
	uint8_t out[DIGEST_BYTES];

	digest_begin(&d);
	digest_number(&d, (uint64_t)x->first_ns);
	digest_add(&d, name);
	digest_get(&d, out);
	return ((unsigned)out[0] << 16 | (unsigned)out[1] << 8 | out[2]) % (SOURCE_BITS * 64);
}

static bool bits_full(const uint64_t bits[SOURCE_BITS])
{
	unsigned i = 0;

	while (i < SOURCE_BITS && bits[i] == UINT64_MAX)
		i++;
	return i == SOURCE_BITS;
}

bool source_bit_add(const struct source *x, uint64_t **bits, struct span name)
{
	unsigned at;
	bool known;

	if (!*bits)
		*bits = memory_zalloc(SOURCE_BITS * sizeof **bits);
	if (bits_full(*bits))
		return true;
	at = bit_of(x, name);
	known = (*bits)[at / 64] >> at % 64 & 1;
	(*bits)[at / 64] |= UINT64_C(1) << at % 64;
	return known;
}

void source_estimates(struct source *x)
{
	x->targets_estimate = x->target_count;
	if (x->new_targets.count > x->target_count && x->target_bits)
		x->targets_estimate = estimate(x->target_bits, x->requests);
	x->users_estimate = x->user_count;
	if (x->new_users.count > x->user_count && x->user_bits)
		x->users_estimate = estimate(x->user_bits, x->requests);
}
