/* SPDX-License-Identifier: MIT */
/* news: what came while the reader had something else in sight: nothing moves under his eyes, so it is counted. */
#include "ui/dashboard/parts.h"

#include <stdio.h>

static bool in_sight(const struct list *l, size_t row)
{
	return row >= l->top && row < (size_t)l->top + l->shown;
}

unsigned news_of_calls(struct list *l, struct world *w, const struct order *o)
{
	size_t count;
	const struct call_row *rows = world_calls(w, &count);
	uint32_t newest = count ? rows[count - 1].n : 0;
	bool at_the_end = o->count && rows[o->rows[o->count - 1]].n == newest, reached = false;
	unsigned news = 0;

	if (!w->numbers.live || !l->seen || newest <= l->seen) {
		l->seen = newest;
		return 0;
	}
	for (size_t i = 0; i < o->count; i++) {
		const struct call_row *r = &rows[o->rows[i]];

		reached |= r->n == newest && in_sight(l, i);
		news += r->n > l->seen && (i < l->top || (at_the_end && !in_sight(l, i)));
	}
	if (reached || news == 0)
		l->seen = newest;
	return reached ? 0 : news;
}

unsigned news_of_problems(struct list *l, struct world *w, size_t count)
{
	if (!w->numbers.live || l->top == 0 || count < l->seen)
		l->seen = (uint32_t)count;
	return (unsigned)(count - l->seen);
}

const char *news_words(unsigned news, char buffer[WORDS_RANGE])
{
	buffer[0] = '\0';
	if (news)
		snprintf(buffer, WORDS_RANGE, "   +%u new", news);
	return buffer;
}
