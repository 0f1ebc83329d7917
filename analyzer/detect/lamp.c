/* SPDX-License-Identifier: MIT */
/* lamp: a sweep over the changes of an entity's dialogs and the claims about them. */
#include "analyzer/detect/lamp.h"

#include <stdlib.h>

#include "captures/base/memory.h"

enum { LEGS_COMPARED = 1024 };

struct by_user {
	struct hash_link link;
	const struct leg *leg;
	enum side side;
	bool focus;                  /* a conference */
};

struct lamps {
	struct hash by_user;
	struct by_user *entries;
};

static bool conference(const struct leg *leg)
{
	CHAIN_EACH(it, &leg->messages) {
		if (LIST_ENTRY(it, struct message, in_leg)->focus)
			return true;
	}
	return false;
}

struct lamps *lamps_new(const struct calls *calls)
{
	struct lamps *l = memory_zalloc(sizeof *l);
	const struct list *legs = calls_legs(calls);
	size_t n = 0;

	hash_init(&l->by_user);
	l->entries = memory_resize(NULL, 2 * legs->count + 1, sizeof *l->entries);
	LIST_EACH(it, legs) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

		for (unsigned side = 0; side < 2; side++) {
			struct span user = leg->party[side].user;

			if (!user.n)
				continue;
			l->entries[n] = (struct by_user){ .leg = leg, .side = side, .focus = conference(leg) };
			hash_add(&l->by_user, &l->entries[n++].link, hash_span(user));
		}
	}
	return l;
}

void lamps_free(struct lamps *l)
{
	if (!l)
		return;
	hash_fini(&l->by_user);
	free(l->entries);
	free(l);
}

/* ---- the entity's dialogs ---- */

enum truth { TRUTH_CALLING, TRUTH_RINGING, TRUTH_TALKING, TRUTH_UNKNOWN, TRUTH_COUNT };

enum moment_kind { MOMENT_TRUTH, MOMENT_ASK, MOMENT_NOTE, MOMENT_END };

struct moment {
	int64_t at_ns;
	enum moment_kind kind;
	unsigned order;              /* of making; breaks ties */
	enum truth truth;
	int delta;
	const struct leg *leg;
	const struct watch_ask *ask;
	const struct watch_note *note;
};

struct moments {
	struct moment *list;
	unsigned count, room;
};

static void moment_add(struct moments *m, struct moment moment)
{
	if (m->count == m->room) {
		m->room = m->room ? m->room * 2 : 32;
		m->list = memory_resize(m->list, m->room, sizeof *m->list);
	}
	moment.order = m->count;
	m->list[m->count++] = moment;
}

static void truth_add(struct moments *m, const struct leg *leg, enum truth truth, int64_t from_ns, int64_t to_ns)
{
	if (from_ns == NS_NONE || (to_ns != NS_NONE && to_ns <= from_ns))
		return;
	moment_add(m, (struct moment){ .at_ns = from_ns, .kind = MOMENT_TRUTH, .truth = truth, .delta = 1,
		.leg = leg });
	if (to_ns != NS_NONE)
		moment_add(m, (struct moment){ .at_ns = to_ns, .kind = MOMENT_TRUTH, .truth = truth, .delta = -1,
			.leg = leg });
}

/* Between the entity's own device and the notifier: not the server's leg to the one who called. */
static bool own_dialog(const struct by_user *e, const struct address *notifier)
{
	const struct endpoint *at = &e->leg->party[e->side].signalling;

	if (!address_known(&at->addr) || address_equal(&at->addr, notifier))
		return false;
	for (unsigned i = 0; i < e->leg->segment_count; i++) {
		if (address_equal(&e->leg->segments[i].a.addr, notifier) ||
		    address_equal(&e->leg->segments[i].b.addr, notifier))
			return true;
	}
	return false;
}

static void leg_add(struct moments *m, const struct by_user *e)
{
	const struct leg *leg = e->leg;
	int64_t begun_ns = e->side == SIDE_CALLER ? leg->invite_ns : leg->progress_ns;
	int64_t over_ns = leg->answered ? leg->bye_ns : leg->end_ns;
	bool refused = leg->state == LEG_FAILED || leg->state == LEG_BUSY || leg->state == LEG_DECLINED ||
		leg->state == LEG_REDIRECTED || leg->state == LEG_CANCELLED;

	if (!leg->answered && over_ns == NS_NONE && refused)
		over_ns = leg->last_ns;
	if (leg->partial || leg->transferred || leg->is_transfer || e->focus) {
		truth_add(m, leg, TRUTH_UNKNOWN, leg->first_ns, over_ns);
		return;
	}
	truth_add(m, leg, e->side == SIDE_CALLER ? TRUTH_CALLING : TRUTH_RINGING, begun_ns,
		leg->answer_ns != NS_NONE ? leg->answer_ns : over_ns);
	truth_add(m, leg, TRUTH_TALKING, leg->answer_ns, over_ns);
	if (over_ns == NS_NONE && (leg->timed_out || leg->state == LEG_UNKNOWN))
		truth_add(m, leg, TRUTH_UNKNOWN, leg->last_ns, NS_NONE);
}

/* False: too many to look at. */
static bool truths_add(const struct lamps *l, const struct watch *w, struct moments *m)
{
	uint32_t hash = hash_span(w->entity_user);
	unsigned walked = 0;

	for (struct hash_link *it = w->entity_user.n ? hash_first(&l->by_user, hash) : NULL; it; it = it->next) {
		const struct by_user *e = HASH_ENTRY(it, struct by_user, link);

		if (++walked > LEGS_COMPARED)
			return false;
		if (it->hash == hash && span_equal(e->leg->party[e->side].user, w->entity_user) &&
		    own_dialog(e, &w->notifier_at.addr))
			leg_add(m, e);
	}
	return true;
}

static int moment_compare(const void *a, const void *b)
{
	const struct moment *x = a, *y = b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* ---- the sweep ---- */

struct sweep {
	int count[TRUTH_COUNT];
	const struct watch_note *shown;      /* NULL: unknown */
	int64_t until_ns;            /* of the subscription; NS_NONE: there is none */
	int64_t busy_from_ns, busy_to_ns;    /* the last time that a dialog of it was seen */
	const struct leg *last;
	struct lamp_fault now;       /* the contradiction that goes on */
	int64_t wait_ns;
};

static bool idle(const struct sweep *s)
{
	return s->count[TRUTH_CALLING] + s->count[TRUTH_RINGING] + s->count[TRUTH_TALKING] == 0;
}

/* A call in progress that is not shown as one. */
static bool dark(const struct sweep *s)
{
	unsigned claim = s->shown->claim, rings = DIALOG_INFO_EARLY | DIALOG_INFO_PROCEEDING | DIALOG_INFO_TRYING;

	if (s->count[TRUTH_TALKING] && s->count[TRUTH_CALLING] + s->count[TRUTH_RINGING] == 0)
		return !(claim & DIALOG_INFO_CONFIRMED);
	if (claim == 0)
		return true;
	if (s->count[TRUTH_TALKING] || s->count[TRUTH_CALLING])
		return false;
	/* confirmed, while it only rings: said about this ringing, or about another call that may not pass here */
	return !(claim & rings) && s->shown->at.at_ns >= s->busy_from_ns &&
	       s->shown->at.at_ns <= ns_add(s->busy_from_ns, s->wait_ns);
}

/* A call is shown that is over: one that was seen to be there when, or just before, this was said. */
static bool stuck(const struct sweep *s)
{
	return s->shown->claim && s->busy_to_ns != NS_NONE && s->shown->at.at_ns >= s->busy_from_ns &&
	       s->shown->at.at_ns <= ns_add(s->busy_to_ns, s->wait_ns);
}

static void fault_weigh(struct sweep *s, int64_t at_ns, struct lamp_fault *worst)
{
	struct lamp_fault *f = &s->now;
	int64_t to_ns = s->until_ns != NS_NONE && s->until_ns < at_ns ? s->until_ns : at_ns;

	if (!f->wrong || to_ns - f->since_ns < s->wait_ns)
		return;
	f->until_ns = to_ns;
	if (!worst->wrong || to_ns - f->since_ns > worst->until_ns - worst->since_ns)
		*worst = *f;
}

static void sweep_judge(struct sweep *s, int64_t at_ns, bool by_note)
{
	bool judged = s->shown && s->until_ns != NS_NONE && s->until_ns > at_ns && !s->count[TRUTH_UNKNOWN];
	bool is_stuck = judged && idle(s) && stuck(s), is_dark = judged && !idle(s) && dark(s);

	if (!is_stuck && !is_dark) {
		s->now.wrong = false;
		return;
	}
	if (!s->now.wrong || s->now.stuck != is_stuck)
		s->now = (struct lamp_fault){ .wrong = true, .stuck = is_stuck, .since_ns = at_ns };
	s->now.told |= by_note;
	s->now.note = s->shown;
	s->now.leg = s->last;
}

static void take_truth(struct sweep *s, const struct moment *m)
{
	bool was_idle = idle(s);

	s->count[m->truth] += m->delta;
	s->last = m->leg;
	if (was_idle && !idle(s))
		s->busy_from_ns = m->at_ns;
	if (!was_idle && idle(s))
		s->busy_to_ns = m->at_ns;
}

static void take_note(struct sweep *s, const struct watch_note *n)
{
	if (n->expires_s != UINT32_MAX)
		s->until_ns = ns_add(n->at.at_ns, n->expires_s * SECOND_NS);
	else if (s->until_ns == NS_NONE)
		s->until_ns = ns_add(n->at.at_ns, HOUR_NS);
	if (n->terminated)
		s->until_ns = NS_NONE;
	if (n->has_info || n->cut)
		s->shown = n->status / 100 == 2 && !n->cut ? n : NULL;
}

static void take(struct sweep *s, const struct moment *m)
{
	switch (m->kind) {
	case MOMENT_TRUTH:
		take_truth(s, m);
		break;
	case MOMENT_ASK:
		s->until_ns = m->ask->granted_s ? ns_add(m->at_ns, m->ask->granted_s * SECOND_NS) : NS_NONE;
		break;
	case MOMENT_NOTE:
		take_note(s, m->note);
		break;
	case MOMENT_END:
		break;
	}
}

static void claims_add(struct moments *m, const struct watch *w)
{
	for (unsigned i = 0; i < w->ask_count; i++) {
		const struct watch_ask *a = &w->asks[i];

		if (a->status / 100 == 2)
			moment_add(m, (struct moment){ .at_ns = a->final_at.at_ns, .kind = MOMENT_ASK, .ask = a });
	}
	for (unsigned i = 0; i < w->note_count; i++)
		moment_add(m, (struct moment){ .at_ns = w->notes[i].at.at_ns, .kind = MOMENT_NOTE,
			.note = &w->notes[i] });
}

struct lamp_fault lamp_compare(const struct lamps *l, const struct watch *w, int64_t end_ns, int64_t wait_ns)
{
	struct moments m = { 0 };
	struct sweep s = { .until_ns = NS_NONE, .busy_from_ns = NS_NONE, .busy_to_ns = NS_NONE, .wait_ns = wait_ns };
	struct lamp_fault worst = { 0 };

	if (truths_add(l, w, &m) && m.count) {
		claims_add(&m, w);
		moment_add(&m, (struct moment){ .at_ns = end_ns, .kind = MOMENT_END });
		qsort(m.list, m.count, sizeof *m.list, moment_compare);
		for (unsigned i = 0; i < m.count; i++) {
			fault_weigh(&s, m.list[i].at_ns, &worst);
			take(&s, &m.list[i]);
			sweep_judge(&s, m.list[i].at_ns, m.list[i].kind == MOMENT_NOTE);
		}
	}
	free(m.list);
	return worst;
}

int64_t lamp_change_after(const struct lamps *l, const struct watch *w, int64_t from_ns, const struct leg **ret_leg)
{
	struct moments m = { 0 };
	int64_t at_ns = NS_NONE;

	*ret_leg = NULL;
	if (truths_add(l, w, &m)) {
		for (unsigned i = 0; i < m.count; i++) {
			if (m.list[i].at_ns < from_ns || m.list[i].truth == TRUTH_UNKNOWN ||
			    (at_ns != NS_NONE && m.list[i].at_ns >= at_ns))
				continue;
			at_ns = m.list[i].at_ns;
			*ret_leg = m.list[i].leg;
		}
	}
	free(m.list);
	return at_ns;
}
