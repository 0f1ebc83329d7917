/* SPDX-License-Identifier: MIT */
/* outflow_spell: the spell in which a flow is new, and those in which it lives. */
#include "analyzer/network/outflow_spell.h"

#define WAIT_NS (5 * SECOND_NS)      /* an answer that comes later came by another way */

static void count_dest(struct outflow_spell *s, const struct address *a, unsigned failed)
{
	unsigned i = 0;

	while (i < s->dest_count && !address_equal(&s->dests[i].at, a))
		i++;
	if (i == s->dest_count && i < OUTFLOW_DESTS)
		s->dests[s->dest_count++].at = *a;
	if (i == OUTFLOW_DESTS)
		return;
	s->dests[i].failed += failed;
	s->worst = s->dests[i].failed > s->worst ? s->dests[i].failed : s->worst;
}

static void note_first(struct frame_ref *first, const struct frame_ref *at)
{
	if (at->frame && (!first->frame || at->at_ns < first->at_ns))
		*first = *at;
}

void outflow_spell_add(const struct outflows *t, const struct outflow *f, struct outflow_spell *list, unsigned count,
	int64_t end_ns)
{
	unsigned first = outflows_spell(t, f->first_ns), last = outflows_spell(t, f->last_ns);
	bool answered = f->answered_ns != NS_NONE && f->answered_ns - f->first_ns <= WAIT_NS;

	if (first < count && end_ns - f->first_ns > WAIT_NS) {
		list[first].tried++;
		list[first].answered += answered;
		count_dest(&list[first], &f->outside.addr, !answered);
	}
	if (first < count)
		note_first(f->answered_ns == NS_NONE ? &list[first].failed_at : &list[first].answered_at, &f->at);
	for (unsigned i = first; i <= last && i < count && i - first < OUTFLOW_SPELLS; i++) {
		bool sent = outflow_sent(t, f, i);

		list[i].active += sent;
		list[i].living += sent && f->answered_ns != NS_NONE;
		if (i <= first + 1 || !sent || f->answered_ns == NS_NONE || outflows_spell(t, f->answered_ns) + 1 > i)
			continue;
		list[i].old++;
		list[i].old_alive += outflow_received(t, f, i);
	}
}

void outflow_spells_join(struct outflow_spell *list, const struct outflow_spell *more, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		list[i].tried += more[i].tried;
		list[i].answered += more[i].answered;
		list[i].active += more[i].active;
		list[i].living += more[i].living;
		list[i].old += more[i].old;
		list[i].old_alive += more[i].old_alive;
		for (unsigned k = 0; k < more[i].dest_count; k++)
			count_dest(&list[i], &more[i].dests[k].at, more[i].dests[k].failed);
		note_first(&list[i].failed_at, &more[i].failed_at);
		note_first(&list[i].answered_at, &more[i].answered_at);
	}
}
