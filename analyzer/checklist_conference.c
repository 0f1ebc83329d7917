/* SPDX-License-Identifier: MIT */
/*
 * checklist_conference: C2.6. A conference shows by a focus that says so (isfocus, RFC 4579), by somebody who watches
 * it (Event: conference, RFC 4575), or by three dialogs that are moved to one mixer at once.
 */
#include "analyzer/checklist_tally.h"

#include <stdlib.h>

#include "captures/base/memory.h"
#include "dissect/sip_message.h"

enum { MIXED_LEAST = 3 };

#define TOGETHER_NS (5 * SECOND_NS)          /* legs that are moved to one mixer, from the first to the third */

static const struct message *focus_of(const struct call *call)
{
	LIST_EACH(it, &call->legs) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_call);

		CHAIN_EACH(mit, &leg->messages) {
			const struct message *m = LIST_ENTRY(mit, struct message, in_leg);

			if (leg->answered && m->focus)
				return m;
		}
	}
	return NULL;
}

/* ---- somebody watches it ---- */

/* Rooms that have subscribers, sorted; a call to one of them is a conference. */
struct rooms {
	struct span *list;
	unsigned count;
};

static int span_order(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	size_t n = x->n < y->n ? x->n : y->n;
	int order = n ? memcmp(x->p, y->p, n) : 0;

	return order ? order : (x->n > y->n) - (x->n < y->n);
}

static struct rooms rooms_of(const struct facts *facts)
{
	const struct list *all = calls_subscriptions(facts->calls);
	struct rooms r = { memory_resize(NULL, all->count + 1, sizeof *r.list), 0 };

	LIST_EACH(it, all) {
		const struct subscription *s = LIST_ENTRY(it, struct subscription, in_order);
		struct sip_address room = { 0 };

		if (!span_equal(s->event, SPAN("conference")) || s->status < 200 || s->status >= 300 || !s->notifies)
			continue;
		sip_address_parse(s->resource, &room);
		r.list[r.count++] = room.user;
	}
	if (r.count)
		qsort(r.list, r.count, sizeof *r.list, span_order);
	return r;
}

static const struct leg *watched(const struct rooms *r, const struct call *call)
{
	if (!r->count)
		return NULL;
	LIST_EACH(it, &call->legs) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_call);

		if (leg->answered && leg->party[SIDE_CALLEE].user.n &&
		    bsearch(&leg->party[SIDE_CALLEE].user, r->list, r->count, sizeof *r->list, span_order))
			return leg;
	}
	return NULL;
}

/* ---- three that go to one mixer ---- */

struct move {                        /* a re-INVITE that sends a party's audio to another host */
	struct address mixer;
	const struct leg *leg;
	struct frame_ref at;
};

static const struct address *audio_of(const struct sdp_copies *c)
{
	const struct sdp *sdp = c->count ? c->seen[0]->sdp : NULL;

	for (unsigned i = 0; sdp && i < sdp->media_count; i++) {
		if (sdp->media[i].kind == SDP_AUDIO && sdp->media[i].port && address_known(&sdp->media[i].at.addr) &&
		    !address_unspecified(&sdp->media[i].at.addr))
			return &sdp->media[i].at.addr;
	}
	return NULL;
}

/* Where the audio of a leg goes to for the first time; false: it stays. */
static bool move_of(const struct leg *leg, struct move *ret)
{
	const struct address *before = NULL;

	LIST_EACH(it, &leg->confirmed->exchanges) {
		const struct exchange *e = LIST_ENTRY(it, struct exchange, in_dialog);
		const struct address *now = e->state == EXCHANGE_STABLE ? audio_of(&e->offer) : NULL;

		if (now && before && e->kind == EXCHANGE_REINVITE && !address_equal(now, before)) {
			*ret = (struct move){ *now, leg, e->stable_at };
			return true;
		}
		before = now && !before ? now : before;
	}
	return false;
}

static unsigned moves_of(const struct checklist *c, struct move *list)
{
	unsigned count = 0;

	for (size_t i = 0; i < c->sight_count; i++) {
		if (!c->sights[i].offers_again)
			continue;
		LIST_EACH(it, &c->sights[i].call->legs) {
			const struct leg *leg = LIST_ENTRY(it, struct leg, in_call);

			if (leg->answered && leg->confirmed)
				count += move_of(leg, &list[count]);
		}
	}
	return count;
}

static int move_compare(const void *a, const void *b)
{
	const struct move *x = a, *y = b;
	int order = address_compare(&x->mixer, &y->mixer);

	if (!order && x->at.at_ns != y->at.at_ns)
		order = x->at.at_ns < y->at.at_ns ? -1 : 1;
	return order ? order : (x->leg->n > y->leg->n) - (x->leg->n < y->leg->n);
}

/* Three of one signalling server, whose audio goes to one host that none of them is. */
static bool is_mixer(const struct move *list)
{
	for (unsigned i = 0; i < MIXED_LEAST; i++) {
		const struct leg *leg = list[i].leg;

		if (!address_equal(&list[i].mixer, &list[0].mixer) ||
		    ns_minus(list[i].at.at_ns, list[0].at.at_ns) > TOGETHER_NS ||
		    address_equal(&leg->party[SIDE_CALLER].signalling.addr, &list[0].mixer) ||
		    address_equal(&leg->party[SIDE_CALLEE].signalling.addr, &list[0].mixer) ||
		    (leg->end_ns != NS_NONE && leg->end_ns < list[MIXED_LEAST - 1].at.at_ns))
			return false;
	}
	return true;
}

static void take_mixers(struct tally *t)
{
	const struct facts *facts = t->list->facts;
	struct move *list = memory_resize(NULL, calls_legs(facts->calls)->count + 1, sizeof *list);
	unsigned count = moves_of(t->list, list);

	if (count)
		qsort(list, count, sizeof *list, move_compare);
	for (unsigned i = 0; i + MIXED_LEAST <= count; i++) {
		if (!is_mixer(&list[i]))
			continue;
		for (unsigned k = 0; k < MIXED_LEAST; k++)
			tally_call(t, list[i + k].leg->call, list[i + k].at,
				audio_doubt(check_audio_of(list[i + k].leg->call)));
		i += MIXED_LEAST - 1;
	}
	free(list);
}

void checklist_conference(struct checklist *c)
{
	static const char *const ids[] = { "one-way-audio", "no-audio", "reinvite-failed", NULL };
	struct tally t = tally_of(c, "C2.6", "Conference", "conference", ids);
	struct rooms rooms = rooms_of(c->facts);
	unsigned focused = 0;

	for (size_t i = 0; i < c->sight_count; i++) {
		const struct sight *s = &c->sights[i];
		const struct message *m = s->focus ? focus_of(s->call) : NULL;
		const struct leg *leg = m ? NULL : watched(&rooms, s->call);

		focused += m || leg;
		if (m || leg)
			tally_call(&t, s->call, m ? m->at : leg->invite_at, audio_doubt(s->audio));
	}
	if (!focused)
		take_mixers(&t);
	free(rooms.list);
	t.works = focused ? "calls to a conference, audio passes both ways"
			  : "three calls moved to one mixer at once, audio passes both ways";
	t.nothing = "no call with a conference (isfocus, Event: conference, three calls moved to one mixer); a phone that mixes by itself looks like ordinary calls";
	tally_settle(&t);
}
