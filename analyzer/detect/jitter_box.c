/* SPDX-License-Identifier: MIT */
/* jitter_box: the same stream before and behind, and what else was sent in each interval of it. */
#include "analyzer/detect/jitter_box.h"

enum { INTERVALS_LEAST = 2, LATE_PERCENT = 1, STREAMS_MAX = 512, INTERVALS_MAX = 64 };

#define BEFORE_SHARE 0.1                     /* of what is late behind the device, at most, was late before it */
#define LOAD_FACTOR 1.3

/* Packets of all streams in that time, each counted where it was seen first. */
static double load_between(const struct facts *facts, int64_t from_ns, int64_t to_ns)
{
	unsigned looked = 0;
	double n = 0;

	LIST_EACH(it, streams_in_order(facts->streams)) {
		const struct stream *s = LIST_ENTRY(it, struct stream, in_order);

		if (looked++ == STREAMS_MAX)
			break;
		if (s->accepted && !s->twin_of && s->first_ns < to_ns && s->last_ns >= from_ns)
			n += stream_packets_between(s, from_ns, to_ns);
	}
	return n;
}

bool jitter_box(const struct facts *facts, const struct stream *s, struct jitter_box *ret)
{
	const struct stream *before = s->twin_kind == TWIN_NAT || s->twin_kind == TWIN_POINT ? s->twin_of : NULL;
	double sum[2] = { 0, 0 }, seconds = (double)s->interval_ns / 1e9;
	unsigned count[2] = { 0, 0 }, step = s->interval_count / INTERVALS_MAX + 1;

	if (!before || !before->jitter_known || before->late60 > BEFORE_SHARE * s->late60 || seconds <= 0)
		return false;
	for (unsigned i = 0; i < s->interval_count; i += step) {
		const struct interval *x = &s->intervals[i];
		bool late = x->late60 * 100 >= x->packets * LATE_PERCENT && x->late60;

		if (x->unfit || x->packets == 0 || (!late && x->late60))
			continue;
		sum[late] += load_between(facts, x->at_ns, ns_add(x->at_ns, s->interval_ns));
		count[late]++;
	}
	if (count[0] < INTERVALS_LEAST || count[1] < INTERVALS_LEAST)
		return false;
	*ret = (struct jitter_box){ before, sum[0] / count[0] / seconds, sum[1] / count[1] / seconds };
	return ret->busy >= LOAD_FACTOR * ret->calm;
}
