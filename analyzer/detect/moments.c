/* SPDX-License-Identifier: MIT */
/* moments: stretches of time at which a capture lacks something, and how many streams live then. */
#include "analyzer/detect/moments.h"

#include <stdlib.h>

#include "analyzer/detect/detector.h"
#include "captures/base/memory.h"
#include "captures/base/sort.h"

#define NEAR_NS (50 * MILLISECOND_NS)

void moments_add(struct moments *m, struct loss_moment add)
{
	struct loss_moment *last = m->count ? &m->list[m->count - 1] : NULL;

	if (last && add.from_ns <= last->to_ns) {
		last->to_ns = add.to_ns > last->to_ns ? add.to_ns : last->to_ns;
		last->streams = add.streams > last->streams ? add.streams : last->streams;
		return;
	}
	m->list = memory_resize(m->list, m->count + 1u, sizeof *m->list);
	m->list[m->count++] = add;
}

struct moments moments_merge(struct moments *m, const struct moments *more)
{
	struct moments both = { NULL, 0 };
	unsigned i = 0, k = 0;

	while (i < m->count || k < more->count) {
		if (k == more->count || (i < m->count && m->list[i].from_ns <= more->list[k].from_ns))
			moments_add(&both, m->list[i++]);
		else
			moments_add(&both, more->list[k++]);
	}
	moments_fini(m);
	return both;
}

/* The first that does not end too early decides. */
bool moments_meet(const struct moments *m, int64_t from_ns, int64_t to_ns)
{
	unsigned low = 0, high = m->count;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;

		if (m->list[middle].to_ns < ns_add(from_ns, -NEAR_NS))
			low = middle + 1;
		else
			high = middle;
	}
	return low < m->count && m->list[low].from_ns <= ns_add(to_ns, NEAR_NS);
}

void moments_fini(struct moments *m)
{
	free(m->list);
}

static int time_compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

struct lives lives_of(const struct facts *f, int file)
{
	const struct list *streams = streams_in_order(f->streams);
	struct lives l = { memory_resize(NULL, streams->count + 1u, sizeof(int64_t)),
		memory_resize(NULL, streams->count + 1u, sizeof(int64_t)), 0 };

	LIST_EACH(it, streams) {
		const struct stream *s = LIST_ENTRY(it, struct stream, in_order);

		if (s->first_ns >= s->last_ns || (file != EVERY_FILE && s->file != file))
			continue;
		l.begin_ns[l.count] = s->first_ns;
		l.end_ns[l.count++] = s->last_ns;
	}
	if (l.count) {
		qsort(l.begin_ns, l.count, sizeof(int64_t), time_compare);
		qsort(l.end_ns, l.count, sizeof(int64_t), time_compare);
	}
	return l;
}

void lives_fini(struct lives *l)
{
	free(l->begin_ns);
	free(l->end_ns);
}

size_t lives_over(const struct lives *l, int64_t begun_ns, int64_t later_ns)
{
	return sorted_times_until(l->begin_ns, l->count, begun_ns) - sorted_times_until(l->end_ns, l->count, later_ns);
}
