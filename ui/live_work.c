/* SPDX-License-Identifier: MIT */
/* live_work: one thing after the other. */
#include "ui/live_work.h"

struct doing {
	live_told_fn *tell;
	void *context;
	uint64_t recorded[WORK_RECORDS_MOST];
	size_t recorded_count;
};

static void say(struct doing *d, bool done, struct text *t)
{
	d->tell(d->context, done ? LIVE_TOLD_SAID : LIVE_TOLD_TROUBLE, 0, t->p);
	text_clear(t);
}

static void covered(void *context, uint64_t identity)
{
	struct doing *d = context;

	if (d->recorded_count < WORK_RECORDS_MOST)
		d->recorded[d->recorded_count++] = identity;
	d->tell(d->context, LIVE_TOLD_RECORDED, identity, "");
}

/* With one finding of an incident all of them. */
static bool is_recorded(const struct doing *d, uint64_t identity)
{
	for (size_t i = 0; i < d->recorded_count; i++) {
		if (d->recorded[i] == identity)
			return true;
	}
	return false;
}

static void write_history(const struct live_work *work, const struct engine *e, struct doing *d)
{
	if (!live_history_write(work->history, e, work->at_end))
		d->tell(d->context, LIVE_TOLD_TROUBLE, 0,
			"history: more at once than there is room for: some of it is not kept");
	d->tell(d->context, LIVE_TOLD_KEPT, 0, "");
}

void live_work_do(const struct live_work *work, const struct live_saves *saves, live_told_fn *tell, void *context)
{
	struct doing d = { .tell = tell, .context = context };
	struct text t;

	text_init(&t);
	if (work->save_all)
		say(&d, live_save_all(saves, work->save_folder, &t), &t);
	for (size_t i = 0; i < work->record_count; i++) {
		if (!is_recorded(&d, work->records[i]))
			say(&d, live_save_finding(saves, work->records[i], work->record_folder, work->record_most,
				covered, &d, &t), &t);
	}
	if (work->history)
		write_history(work, saves->engine, &d);
	text_fini(&t);
}
