/* SPDX-License-Identifier: MIT */
/* icmp_about: errors are indexed by the destination they quote. */
#include "analyzer/detect/icmp_about.h"

#include <stdlib.h>

struct about {
	const struct facts *facts;
	const struct icmp_record **list;
	unsigned count;
};

uint32_t icmp_hash(const struct endpoint *dst)
{
	return (uint32_t)hash_mix(hash_bytes(dst->addr.bytes, sizeof dst->addr.bytes), dst->port);
}

static void add(struct about *a, const struct icmp_record *r)
{
	for (unsigned i = 0; i < a->count; i++) {
		if (a->list[i] == r)
			return;
	}
	if (a->count < ICMP_ABOUT_MAX)
		a->list[a->count++] = r;
}

/* src: quoted packets from there only; NULL any. */
static void gather(struct about *a, const struct endpoint *dst, const struct endpoint *src)
{
	uint32_t hash = icmp_hash(dst);

	for (struct hash_link *it = hash_first(a->facts->icmp_by_dst, hash); it; it = it->next) {
		const struct icmp_record *r = HASH_ENTRY(it, struct icmp_record, by_dst);

		if (it->hash == hash && r->readable && r->protocol == 17 && endpoint_equal(&r->dst, dst) &&
		    (!src || endpoint_equal(&r->src, src)))
			add(a, r);
	}
}

static int by_time(const void *a, const void *b)
{
	const struct icmp_record *x = *(const struct icmp_record *const *)a, *y = *(const struct icmp_record *const *)b;

	if (x->at.at_ns != y->at.at_ns)
		return x->at.at_ns < y->at.at_ns ? -1 : 1;
	return x->at.frame < y->at.frame ? -1 : x->at.frame > y->at.frame;
}

unsigned icmp_about(const struct facts *facts, const struct direction *d,
	const struct icmp_record *list[ICMP_ABOUT_MAX])
{
	struct about a = { facts, list, 0 };

	if (facts->icmp->count == 0)
		return 0;
	for (unsigned i = 0; i < d->window_count; i++) {
		for (unsigned k = 0; k < d->windows[i].target_count; k++)
			gather(&a, &d->windows[i].targets[k].at, NULL);
	}
	for (unsigned i = 0; i < d->stream_count; i++)
		gather(&a, &d->streams[i]->dst, &d->streams[i]->src);
	if (a.count)
		qsort(list, a.count, sizeof *list, by_time);
	return a.count;
}

unsigned icmp_about_socket(const struct facts *facts, const struct endpoint *dst,
	const struct icmp_record *list[ICMP_ABOUT_MAX])
{
	struct about a = { facts, list, 0 };

	gather(&a, dst, NULL);
	if (a.count)
		qsort(list, a.count, sizeof *list, by_time);
	return a.count;
}
