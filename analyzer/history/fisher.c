/* SPDX-License-Identifier: MIT */
/*
 * fisher: the hypergeometric distribution, walked outwards from its greatest term. Each term follows from its neighbour
 * by a ratio, so that neither factorials nor logarithms are needed; what is 1e-280 of the greatest is nothing.
 */
#include "analyzer/history/fisher.h"

#include <assert.h>

/* Of `whole` things, `marked` are marked and `drawn` are drawn: k marked ones among the drawn. */
struct draw {
	double whole, marked, drawn;
	double least, most;          /* of k */
};

/* P(k + 1) / P(k) */
static double ratio_up(const struct draw *d, double k)
{
	return (d->marked - k) * (d->drawn - k) / ((k + 1) * (d->whole - d->marked - d->drawn + k + 1));
}

static double clamp(double k, double least, double most)
{
	return k < least ? least : k > most ? most : k;
}

static double greatest(const struct draw *d)
{
	double k = (double)(uint64_t)((d->marked + 1) * (d->drawn + 1) / (d->whole + 2));

	return clamp(k, d->least, d->most);
}

struct sum {
	double all, as_rare;         /* of the terms; of those no greater than `limit` */
	double limit;
};

static void sum_add(struct sum *s, double term)
{
	s->all += term;
	if (term <= s->limit * (1 + 1e-7))      /* equal ones count, whatever rounding made of them */
		s->as_rare += term;
}

/* All terms, the greatest being 1; that of `at` is given back, 0 where it is too small to be met. */
static double walk(const struct draw *d, double at, struct sum *s)
{
	double top = greatest(d), term = 1, found = at == top ? 1 : 0;

	sum_add(s, 1);
	for (double k = top; k < d->most && term > 1e-280; k++) {
		term *= ratio_up(d, k);
		sum_add(s, term);
		found = at == k + 1 ? term : found;
	}
	term = 1;
	for (double k = top; k > d->least && term > 1e-280; k--) {
		term /= ratio_up(d, k - 1);
		sum_add(s, term);
		found = at == k - 1 ? term : found;
	}
	return found;
}

double fisher_exact(struct share a, struct share b)
{
	struct draw d = { .whole = (double)a.whole + (double)b.whole, .marked = (double)a.part + (double)b.part,
		.drawn = (double)a.whole };
	struct sum s = { 0, 0, 0 };

	assert(a.part <= a.whole && b.part <= b.whole);
	if (a.whole == 0 || b.whole == 0)
		return 1;
	d.least = d.marked > (double)b.whole ? d.marked - (double)b.whole : 0;
	d.most = d.marked < d.drawn ? d.marked : d.drawn;
	s.limit = walk(&d, (double)a.part, &s);
	s.all = s.as_rare = 0;
	walk(&d, (double)a.part, &s);
	return s.as_rare < s.all ? s.as_rare / s.all : 1;
}
