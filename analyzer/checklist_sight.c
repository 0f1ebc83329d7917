/* SPDX-License-Identifier: MIT */
/* checklist_sight: one walk over all calls, so that items look at those that may concern them. */
#include "analyzer/checklist_private.h"

#include "captures/base/memory.h"

static bool offers_again(const struct dialog *d)
{
	LIST_EACH(it, &d->exchanges) {
		const struct exchange *x = LIST_ENTRY(it, struct exchange, in_dialog);

		if ((x->kind == EXCHANGE_REINVITE || x->kind == EXCHANGE_UPDATE) && x->offer.count)
			return true;
	}
	return false;
}

static struct sight sight_of(const struct call *call)
{
	struct sight s = { .call = call, .audio = (uint8_t)check_audio_of(call) };

	LIST_EACH(it, &call->legs) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_call);

		s.answered |= leg->answered;
		s.focus |= leg->answered && leg->focus;
		s.early |= leg->initial_invite_seen && leg->early_sdp;
		s.offers_again |= leg->confirmed && offers_again(leg->confirmed);
	}
	return s;
}

void sights_make(struct checklist *c)
{
	const struct list *calls = calls_in_order(c->facts->calls);

	c->sights = memory_resize(NULL, calls->count + 1, sizeof *c->sights);
	LIST_EACH(it, calls)
		c->sights[c->sight_count++] = sight_of(LIST_ENTRY(it, struct call, in_order));
}
