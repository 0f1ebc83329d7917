/* SPDX-License-Identifier: MIT */
/* hears: who hears whom. */
#include "ui/hears.h"

#include <stdio.h>

#define MOS_FAIR 4.0
#define HEARD_AT_ALL_NS (3 * SECOND_NS)       /* behind the answer: less is the time that anybody needs to begin */

static enum heard heard_of(const struct view_call *c, unsigned hearer)
{
	return hearer == 0 ? c->caller_hears : c->callee_hears;
}

static bool is_to(const struct view_direction *d, unsigned hearer)
{
	return d->sender != hearer && d->kind && strcmp(d->kind, "audio") == 0;
}

uint64_t hears_packets(const struct view_call *c, unsigned hearer)
{
	uint64_t most = 0;

	for (unsigned i = 0; i < c->media_count; i++) {
		uint64_t of_leg = 0;

		for (unsigned k = 0; k < c->media_count; k++)
			if (is_to(&c->media[k], hearer) && c->media[k].leg == c->media[i].leg)
				of_leg += c->media[k].packets;
		most = of_leg > most ? of_leg : most;
	}
	return most;
}

bool hears_invisible(const struct view_call *c, unsigned hearer)
{
	return heard_of(c, hearer) == HEARD_UNKNOWN && hears_packets(c, hearer) == 0;
}

bool hears_failed(const struct view_direction *d, const struct view_window *w, int64_t *ret_from_ns,
	int64_t *ret_to_ns)
{
	if (d->heard != HEARD_NO || !w->due)
		return false;
	*ret_from_ns = d->unheard_from_ns > w->from_ns ? d->unheard_from_ns : w->from_ns;
	*ret_to_ns = d->unheard_to_ns < w->to_ns ? d->unheard_to_ns : w->to_ns;
	return *ret_from_ns < *ret_to_ns;
}

int64_t hears_until(const struct view_call *c, unsigned hearer)
{
	int64_t since_ns = NS_NONE;

	if (heard_of(c, hearer) != HEARD_NO)
		return NS_NONE;
	for (unsigned i = 0; i < c->media_count; i++) {
		const struct view_direction *d = &c->media[i];

		if (!is_to(d, hearer) || d->heard != HEARD_NO)
			continue;
		if (d->window_count == 0 || d->packets == 0 ||
			d->unheard_from_ns < ns_add(d->windows[0].from_ns, HEARD_AT_ALL_NS))
			return NS_NONE;
		since_ns = since_ns == NS_NONE || d->unheard_from_ns < since_ns ? d->unheard_from_ns : since_ns;
	}
	return since_ns;
}

const char *hears_cell(const struct view_call *c, unsigned hearer, char buffer[HEARS_TEXT])
{
	double mos = hearer == 0 ? c->caller_mos : c->callee_mos;
	char score[16] = "";

	if (mos >= 0)
		snprintf(score, sizeof score, " %.1f", mos < 5 ? mos : 5.0);
	switch (heard_of(c, hearer)) {
	case HEARD_NOT_EXPECTED:
		return strcpy(buffer, "-");
	case HEARD_YES:
		snprintf(buffer, HEARS_TEXT, "✓%s", *score ? score : " heard");
		break;
	case HEARD_POOR:
		/* the packets are well, what is in them is not: a good score would mislead */
		snprintf(buffer, HEARS_TEXT, "!%s", *score && mos < MOS_FAIR ? score : " poor");
		break;
	case HEARD_NO:
		return strcpy(buffer, "✗ nothing");
	case HEARD_UNKNOWN:
		if (hears_invisible(c, hearer))
			return strcpy(buffer, "? not visible");
		snprintf(buffer, HEARS_TEXT, "· sent%s", score);
		break;
	}
	return buffer;
}

enum paint hears_paint(const struct view_call *c, unsigned hearer)
{
	switch (heard_of(c, hearer)) {
	case HEARD_NOT_EXPECTED:
		return PAINT_DIM;
	case HEARD_YES:
		return PAINT_GOOD;
	case HEARD_POOR:
		return PAINT_WARN;
	case HEARD_NO:
		return PAINT_BAD;
	case HEARD_UNKNOWN:
		return hears_invisible(c, hearer) ? PAINT_UNKNOWN : PAINT_PLAIN;
	}
	return PAINT_PLAIN;
}
