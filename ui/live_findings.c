/* SPDX-License-Identifier: MIT */
/* live_findings: candidate, open, closed, forgotten. */
#include "ui/live_findings.h"

#include <stdio.h>
#include <stdlib.h>

#include "captures/base/hash.h"
#include "captures/base/list.h"
#include "captures/base/memory.h"
#include "captures/base/ns.h"

enum { WORD_ROOM = 48 };

enum phase { PHASE_CANDIDATE, PHASE_OPEN, PHASE_CLOSED };

struct watched {
	struct hash_link by_identity;
	struct list_link in_order;   /* of first sight */
	uint64_t identity;
	enum phase phase;
	bool over, was_open;
	int64_t first_ns;            /* of the candidate */
	int64_t opened_ns, seen_ns;
	uint64_t round;              /* in which it was found last */
	char severity[WORD_ROOM], id[WORD_ROOM];
	char *title, *json;
};

struct live_findings {
	int64_t confirm_ns, holdoff_ns, reopen_ns;
	struct hash by_identity;
	struct list in_order;
	size_t open;
	uint64_t unwatched;
	uint64_t round;
	int64_t at_ns;
	live_change_fn *fn;
	void *context;
};

struct live_findings *live_findings_new(int64_t confirm_ns, int64_t holdoff_ns, int64_t reopen_ns)
{
	struct live_findings *all = memory_zalloc(sizeof *all);

	all->confirm_ns = confirm_ns;
	all->holdoff_ns = holdoff_ns;
	all->reopen_ns = reopen_ns;
	hash_init(&all->by_identity);
	list_init(&all->in_order);
	return all;
}

static void forget(struct live_findings *all, struct watched *w)
{
	hash_remove(&all->by_identity, &w->by_identity);
	list_remove(&all->in_order, &w->in_order);
	free(w->title);
	free(w->json);
	free(w);
}

void live_findings_free(struct live_findings *all)
{
	if (!all)
		return;
	LIST_EACH_SAFE(it, &all->in_order)
		forget(all, LIST_ENTRY(it, struct watched, in_order));
	hash_fini(&all->by_identity);
	free(all);
}

static struct watched *find(const struct live_findings *all, uint64_t identity)
{
	for (struct hash_link *it = hash_first(&all->by_identity, (uint32_t)identity); it; it = it->next) {
		if (HASH_ENTRY(it, struct watched, by_identity)->identity == identity)
			return HASH_ENTRY(it, struct watched, by_identity);
	}
	return NULL;
}

/* NULL: no room. */
static struct watched *add(struct live_findings *all, uint64_t identity)
{
	struct watched *w = find(all, identity);

	if (w)
		return w;
	if (all->in_order.count >= LIVE_FINDINGS_MOST) {
		all->unwatched++;
		return NULL;
	}
	w = memory_zalloc(sizeof *w);
	w->identity = identity;
	w->first_ns = all->at_ns;
	hash_add(&all->by_identity, &w->by_identity, (uint32_t)identity);
	list_add_tail(&all->in_order, &w->in_order);
	return w;
}

static void tell(struct live_findings *all, const struct watched *w, enum live_change change)
{
	struct live_change_of c = { .identity = w->identity,
		.severity = w->severity,
		.id = w->id,
		.change = change,
		.at_ns = all->at_ns,
		.opened_ns = w->opened_ns,
		.over = w->over,
		.title = w->title,
		.json = w->json };

	all->fn(all->context, &c);
}

static void open_it(struct live_findings *all, struct watched *w)
{
	w->phase = PHASE_OPEN;
	w->opened_ns = all->at_ns;
	all->open++;
	tell(all, w, w->was_open ? LIVE_REOPENED : LIVE_OPENED);
	w->was_open = true;
}

static void close_it(struct live_findings *all, struct watched *w)
{
	w->phase = PHASE_CLOSED;
	all->open--;
	tell(all, w, LIVE_CLOSED);
}

void live_findings_begin(struct live_findings *all, int64_t at_ns, live_change_fn *fn, void *context)
{
	all->round++;
	all->at_ns = at_ns;
	all->fn = fn;
	all->context = context;
}

static void replace(char **text, const char *with)
{
	if (*text && strcmp(*text, with) == 0)
		return;
	free(*text);
	*text = memory_text(with);
}

void live_findings_found(struct live_findings *all, const struct live_found *f)
{
	struct watched *w = add(all, f->identity);
	bool over = f->over;

	if (!w)
		return;
	replace(&w->title, f->title);
	replace(&w->json, f->json);
	snprintf(w->severity, sizeof w->severity, "%s", f->severity);
	snprintf(w->id, sizeof w->id, "%s", f->id);
	w->seen_ns = all->at_ns;
	w->round = all->round;
	/* what is over and closed stays so, unless another call has it by now */
	if (w->phase == PHASE_CLOSED && !(w->over && over))
		w->phase = PHASE_CANDIDATE;
	w->over = over;
	if (w->phase == PHASE_CANDIDATE &&
		(w->was_open || over || ns_minus(all->at_ns, w->first_ns) >= all->confirm_ns))
		open_it(all, w);
	if (w->phase == PHASE_OPEN && over)
		close_it(all, w);
}

static void miss(struct live_findings *all, struct watched *w)
{
	int64_t gone_ns = ns_minus(all->at_ns, w->seen_ns);

	switch (w->phase) {
	case PHASE_CANDIDATE:           /* it did not stand */
		forget(all, w);
		break;
	case PHASE_OPEN:
		if (gone_ns >= all->holdoff_ns)
			close_it(all, w);
		break;
	case PHASE_CLOSED:
		if (gone_ns >= ns_add(all->holdoff_ns, all->reopen_ns))
			forget(all, w);
		break;
	}
}

void live_findings_end(struct live_findings *all)
{
	LIST_EACH_SAFE(it, &all->in_order) {
		struct watched *w = LIST_ENTRY(it, struct watched, in_order);

		if (w->round != all->round)
			miss(all, w);
	}
}

size_t live_findings_open(const struct live_findings *all)
{
	return all->open;
}

uint64_t live_findings_unwatched(const struct live_findings *all)
{
	return all->unwatched;
}
