/* SPDX-License-Identifier: MIT */
/* jitter_box: the same stream before and behind, and what else was sent in each interval of it. */
#include "analyzer/detect/jitter_box.h"

enum { INTERVALS_LEAST = 2, LATE_PERCENT = 1, STREAMS_MAX = 512, INTERVALS_MAX = 64 };

#define BEFORE_SHARE 0.1                     /* of what is late behind the device, at most, was late before it */
#define LOAD_FACTOR 1.3

struct load {                        /* all streams of that time, each where it was seen first */
	const struct stream *list[STREAMS_MAX];
	unsigned count;
};

/* False: there are more than can be looked at. */
static bool load_of(const struct facts *facts, int64_t from_ns, int64_t to_ns, struct load *ret)
{
	ret->count = 0;
	LIST_EACH(it, streams_in_order(facts->streams)) {
		const struct stream *s = LIST_ENTRY(it, struct stream, in_order);

		if (!s->accepted || s->twin_of || s->first_ns >= to_ns || s->last_ns < from_ns)
			continue;
		if (ret->count == STREAMS_MAX)
			return false;
		ret->list[ret->count++] = s;
	}
	return true;
}

static double packets_between(const struct load *load, int64_t from_ns, int64_t to_ns)
{
	double n = 0;

	for (unsigned i = 0; i < load->count; i++)
		n += stream_packets_between(load->list[i], from_ns, to_ns);
	return n;
}

bool jitter_box(const struct facts *facts, const struct stream *s, struct jitter_box *ret)
{
	const struct stream *before = s->twin_kind == TWIN_NAT || s->twin_kind == TWIN_POINT ? s->twin_of : NULL;
	double sum[2] = { 0, 0 }, seconds = (double)s->interval_ns / 1e9;
	unsigned count[2] = { 0, 0 }, step = s->interval_count / INTERVALS_MAX + 1;
	struct load load;

	if (!before || !before->jitter_known || before->late60 > BEFORE_SHARE * s->late60 || seconds <= 0 ||
	    !load_of(facts, s->first_ns, ns_add(s->last_ns, s->interval_ns), &load))
		return false;
	for (unsigned i = 0; i < s->interval_count; i += step) {
		const struct interval *x = &s->intervals[i];
		bool late = x->late60 * 100 >= x->packets * LATE_PERCENT && x->late60;

		if (x->unfit || x->packets == 0 || (!late && x->late60))
			continue;
		sum[late] += packets_between(&load, x->at_ns, ns_add(x->at_ns, s->interval_ns));
		count[late]++;
	}
	if (count[0] < INTERVALS_LEAST || count[1] < INTERVALS_LEAST)
		return false;
	*ret = (struct jitter_box){ before, sum[0] / count[0] / seconds, sum[1] / count[1] / seconds };
	return ret->calm > 0 && ret->busy >= LOAD_FACTOR * ret->calm;
}
