/* SPDX-License-Identifier: MIT */
/*
 * binding_next: audio of a call of which the capture lacks the INVITE, and that goes by the ports of the call before,
 * of which it lacks the BYE. It is neither's for certain.
 */
#include "analyzer/media/binding_private.h"

#include <stdlib.h>

#include "captures/base/memory.h"
#include "captures/base/sort.h"

#define PAUSE_NS SECOND_NS                   /* as long as nobody talks between two calls, at the least */
#define TOGETHER_NS (5 * SECOND_NS)          /* both parties of a call begin within */
#define TAIL_NS (2 * SECOND_NS)              /* audio that is on its way when the BYE comes */

struct headless {                            /* a leg that was met in the middle */
	uint64_t hosts;
	const struct leg *leg;
};

/* Whichever of the two begins. */
static uint64_t hosts_of(const struct leg *leg)
{
	const struct segment *s = &leg->segments[0];

	return hash_bytes(&s->a.addr, sizeof s->a.addr) ^ hash_bytes(&s->b.addr, sizeof s->b.addr);
}

static bool is_headless(const struct leg *leg)
{
	return !leg->initial_invite_seen && leg->segment_count && (leg->answered || leg->confirmed || leg->bye_seen);
}

static int headless_compare(const void *a, const void *b)
{
	const struct headless *x = a, *y = b;

	if (x->hosts != y->hosts)
		return x->hosts < y->hosts ? -1 : 1;
	return (x->leg->n > y->leg->n) - (x->leg->n < y->leg->n);
}

/* A stream that begins when all before it in its direction have been over for a while; NULL none. */
static const struct stream *begun_anew(const struct direction *d)
{
	int64_t over_ns = INT64_MIN;

	for (unsigned i = 0; i < d->stream_count; i++) {
		const struct stream *s = d->streams[i];

		if (i && ns_minus(s->first_ns, over_ns) >= PAUSE_NS && s->ssrc != d->streams[i - 1]->ssrc)
			return s;
		over_ns = s->last_ns > over_ns ? s->last_ns : over_ns;
	}
	return NULL;
}

static void unbind(struct direction *d, int64_t from_ns)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < d->stream_count; i++) {
		struct stream *s = (struct stream *)(uintptr_t)d->streams[i];

		if (s->first_ns < from_ns) {
			d->streams[kept++] = s;
			continue;
		}
		if (s->direction == d) {
			s->direction = NULL;
			s->bound_by = B0;
			s->ambiguous = true;
		}
	}
	d->stream_count = kept;
	d->ambiguous = true;
}

/* Both parties begin anew at one time, from sources of other numbers, and the call says nothing any more. */
static void slot_part(struct mslot *slot, const struct headless *list, unsigned count)
{
	const struct leg *leg = slot->dialog->leg;
	const struct stream *s[2];

	for (unsigned side = 0; side < 2; side++) {
		s[side] = begun_anew(&slot->direction[side]);
		if (!s[side] || s[side]->first_ns <= leg->last_ns)
			return;
	}
	if (llabs(ns_minus(s[0]->first_ns, s[1]->first_ns)) > TOGETHER_NS)
		return;
	for (unsigned i = 0; i < count && list[i].hosts == list[0].hosts; i++) {
		const struct leg *next = list[i].leg;

		if (next == leg || next->last_ns < s[0]->first_ns || ns_add(s[0]->last_ns, TAIL_NS) < next->first_ns)
			continue;
		unbind(&slot->direction[0], s[0]->first_ns);
		unbind(&slot->direction[1], s[1]->first_ns);
		return;
	}
}

static void leg_part(const struct leg *leg, const struct headless *list, unsigned count)
{
	uint64_t hosts = hosts_of(leg);
	unsigned low = 0, high = count;

	while (low < high) {
		unsigned mid = low + (high - low) / 2;

		if (list[mid].hosts < hosts)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == count || list[low].hosts != hosts)
		return;
	LIST_EACH(it, &leg->dialogs) {
		struct dialog *d = LIST_ENTRY(it, struct dialog, in_leg);

		for (unsigned i = 0; i < d->mslot_count; i++)
			slot_part(&d->mslots[i], &list[low], count - low);
	}
}

void binding_part_next(const struct list *legs)
{
	struct headless *list = NULL;
	unsigned count = 0, room = 0;

	LIST_EACH(it, legs) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

		if (!is_headless(leg))
			continue;
		if (count == room) {
			room = room ? room * 2 : 16;
			list = memory_resize(list, room, sizeof *list);
		}
		list[count++] = (struct headless){ hosts_of(leg), leg };
	}
	sort(list, count, sizeof *list, headless_compare);
	LIST_EACH(it, legs) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

		if (count && leg->answered && !leg->bye_seen && leg->segment_count)
			leg_part(leg, list, count);
	}
	free(list);
}
