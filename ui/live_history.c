/* SPDX-License-Identifier: MIT */
/* live_history: portions into the store. */
#include "ui/live_history.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/history/record_part.h"
#include "analyzer/history/store.h"
#include "captures/base/memory.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "1.0.0"
#endif

#define DAY_NS (24 * HOUR_NS)
/* So often; and what ended is left alone for a while, as its last packets may be on their way. */
#define EVERY_NS MINUTE_NS
#define SETTLED_NS (10 * SECOND_NS)
enum { WAIT_MS = 3000 };

static int64_t wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

bool live_history_open(struct live_history *h, const char *path, const char *source, int64_t began_ns, struct err *err)
{
	struct store *store;
	struct digest d;

	*h = (struct live_history){ .day = INT64_MIN, .day_first_ns = NS_NONE, .kept_ns = NS_NONE };
	snprintf(h->path, sizeof h->path, "%s", path);
	snprintf(h->source, sizeof h->source, "%s", source);
	digest_begin(&d);
	digest_add(&d, span_of(source));
	digest_number(&d, (uint64_t)began_ns);
	digest_number(&d, (uint64_t)getpid());
	digest_get(&d, h->identity);
	store = store_open(h->path, STORE_WRITE, WAIT_MS, err);
	if (!store)
		return false;
	store_close(store);
	return true;
}

bool live_history_due(struct live_history *h, int64_t now_ns)
{
	int64_t settled_ns = ns_minus(now_ns, SETTLED_NS);

	if (h->day == INT64_MIN) {
		h->day = now_ns / DAY_NS;
		h->day_first_ns = now_ns;
		h->kept_ns = ns_minus(now_ns, DAY_NS);
	}
	if (ns_minus(settled_ns, h->kept_ns) < EVERY_NS || (h->until_ns && settled_ns <= h->until_ns))
		return false;
	h->until_ns = settled_ns;
	return true;
}

void live_history_written(struct live_history *h, uint64_t frames, uint64_t bytes)
{
	h->kept_ns = h->until_ns;
	if (h->until_ns / DAY_NS == h->day)
		return;
	h->day = h->until_ns / DAY_NS;
	h->day_first_ns = h->until_ns;
	h->frames_before = frames;
	h->bytes_before = bytes;
}

struct writing {
	struct store *store;
	struct err *err;
};

static bool take(void *context, const struct rows *rows)
{
	struct writing *w = context;

	return store_rows(w->store, rows, w->err) == ERR_OK;
}

static void identity_of_day(const struct live_history *h, uint8_t ret[DIGEST_BYTES])
{
	struct digest d;

	digest_begin(&d);
	digest_add(&d, (struct span){ h->identity, sizeof h->identity });
	digest_number(&d, (uint64_t)h->day);
	digest_get(&d, ret);
}

static enum err_code write_part(const struct live_history *h, const struct engine *e, const struct view_capture *c, bool all, struct writing *w)
{
	struct run run = { .kind = "live", .source = h->source, .deadair = PACKAGE_VERSION, .written_ns = wall_ns(), .first_ns = h->day_first_ns,
			   .last_ns = c->last_ns, .frames = c->frames - h->frames_before, .bytes = c->bytes - h->bytes_before,
			   .complete = all, .more = true, .vantage = c->vantage_kind, .seen_from = c->seen_from };
	struct record_range range = { .after_ns = h->kept_ns, .until_ns = h->until_ns, .all = all };
	int64_t number;

	identity_of_day(h, run.identity);
	if (store_begin(w->store, w->err) != ERR_OK || store_run(w->store, &run, &number, w->err) != ERR_OK ||
	    store_numbers(w->store, &range.used, w->err) != ERR_OK || !record_part(e, &range, take, w))
		return w->err->code;
	return store_commit(w->store, w->err);
}

enum err_code live_history_write(const struct live_history *h, const struct engine *e, bool all, struct err *err)
{
	struct view_capture *c = memory_zalloc(sizeof *c);
	struct writing w = { store_open(h->path, STORE_WRITE, WAIT_MS, err), err };
	enum err_code code = w.store ? ERR_OK : err->code;

	view_capture(e, c);
	if (w.store && c->frames)
		code = write_part(h, e, c, all, &w);
	store_close(w.store);
	free(c);
	return code;
}
