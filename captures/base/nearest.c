/* SPDX-License-Identifier: MIT */
/* nearest: the known word that somebody may have meant. */
#include "captures/base/nearest.h"

/* Edits (insert, remove, change, swap of neighbours) from a to b, for words of at most 31 bytes. */
static size_t edits(struct span a, struct span b)
{
	size_t rows[3][32] = { { 0 } }, i, j;

	for (j = 0; j <= b.n; j++)
		rows[0][j] = j;
	for (i = 1; i <= a.n; i++) {
		size_t *now = rows[i % 3], *up = rows[(i - 1) % 3], *upper = rows[(i + 1) % 3];

		now[0] = i;
		for (j = 1; j <= b.n; j++) {
			size_t best = up[j - 1] + (a.p[i - 1] != b.p[j - 1]);

			best = up[j] + 1 < best ? up[j] + 1 : best;
			best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1] &&
			    upper[j - 2] + 1 < best)
				best = upper[j - 2] + 1;
			now[j] = best;
		}
	}
	return rows[a.n % 3][b.n];
}

const char *nearest_word(struct span typed, const char *const *known, size_t count)
{
	const char *nearest = NULL;
	size_t least = typed.n / 3 + 1;         /* one mistake in three letters */

	for (size_t i = 0; i < count; i++) {
		struct span word = span_of(known[i]);
		size_t n;

		if (typed.n >= 32 || word.n >= 32)
			continue;
		n = edits(typed, word);
		if (n <= least && (!nearest || n < least)) {
			nearest = known[i];
			least = n;
		}
	}
	if (nearest)
		return nearest;
	for (size_t i = 0; i < count && typed.n >= 3; i++)
		if (span_starts(span_of(known[i]), typed))
			return known[i];
	return NULL;
}
