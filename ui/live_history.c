/* SPDX-License-Identifier: MIT */
/* live_history: each second what has settled, and behind it what may still change. */
#include "ui/live_history.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/history/record_part.h"
#include "captures/base/memory.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "1.0.0"
#endif

#define DAY_NS (24 * HOUR_NS)
/* So often; and what ended is settled after a while, as its last packets may be on their way. */
#define EVERY_NS SECOND_NS
#define SETTLED_NS (10 * SECOND_NS)
#define NETWORK_NS MINUTE_NS
enum { END_WAIT_MS = 10000, BUSY_WAIT_MS = 5000, BUSY_STEP_MS = 20 };

static int64_t wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

/* What it knows is read once: a copy has it with everything else. */
static void take_known(struct live_history *h, const char *path, struct redact *redact)
{
	struct err err;
	struct store *s = store_open(path, STORE_READ, 1000, &err);

	if (!s)
		return;
	h->baseline = baseline_new(s, NULL, redact, &err);
	h->past = askers_new(s, wall_ns(), NULL, &err);
	store_close(s);
}

bool live_history_open(struct live_history *h, const struct live_history_wish *wish, struct err *err)
{
	struct writer_options options = { .path = wish->path, .keep_ns = wish->keep_ns };
	struct digest d;

	*h = (struct live_history){ .day = INT64_MIN, .day_first_ns = NS_NONE, .kept_ns = NS_NONE,
		.network_ns = NS_NONE, .no_texts = wish->no_texts,
				    .redacted = wish->redacted };
	snprintf(h->source, sizeof h->source, "%s", wish->source);
	digest_begin(&d);
	digest_add(&d, span_of(wish->source));
	digest_number(&d, (uint64_t)wish->began_ns);
	digest_number(&d, (uint64_t)getpid());
	digest_get(&d, h->identity);
	h->writer = writer_new(&options, err);
	if (!h->writer)
		return false;
	take_known(h, wish->path, wish->redact);
	return true;
}

bool live_history_start(struct live_history *h, struct err *err)
{
	return writer_start(h->writer, err);
}

void live_history_close(struct live_history *h, struct writer_state *ret)
{
	if (ret)
		*ret = (struct writer_state){ .written = 0 };
	if (!h)
		return;
	writer_free(h->writer, END_WAIT_MS, ret);
	baseline_free(h->baseline);
	past_asks_free(h->past);
	h->writer = NULL;
	h->baseline = NULL;
	h->past = NULL;
}

bool live_history_due(struct live_history *h, int64_t now_ns)
{
	int64_t settled_ns = ns_minus(now_ns, SETTLED_NS);

	if (h->day == INT64_MIN) {
		h->day = now_ns / DAY_NS;
		h->day_first_ns = now_ns;
		h->kept_ns = ns_minus(now_ns, DAY_NS);
	}
	if (ns_minus(settled_ns, h->kept_ns) < EVERY_NS || (h->until_ns && settled_ns <= h->until_ns) ||
	    writer_shared_busy(h->writer))
		return false;
	h->until_ns = settled_ns;
	h->now_ns = now_ns;
	h->network = h->network_ns == NS_NONE || ns_minus(now_ns, h->network_ns) >= NETWORK_NS;
	writer_shared_begin(h->writer, &h->kept);
	return true;
}

bool live_history_due_at_end(struct live_history *h)
{
	for (int waited_ms = 0; writer_shared_busy(h->writer) && waited_ms < BUSY_WAIT_MS; waited_ms += BUSY_STEP_MS)
		nanosleep(&(struct timespec){ 0, BUSY_STEP_MS * 1000000L }, NULL);
	if (writer_shared_busy(h->writer))
		return false;
	writer_shared_begin(h->writer, &h->kept);
	return true;
}

/* The run of the next day begins with nothing; what comes is new to it. */
void live_history_written(struct live_history *h, uint64_t frames, uint64_t bytes)
{
	writer_shared_give(h->writer);
	h->kept = writer_shared_settled(h->writer);
	h->kept_ns = h->until_ns;
	if (h->network)
		h->network_ns = h->now_ns;
	if (h->until_ns / DAY_NS == h->day)
		return;
	h->day = h->until_ns / DAY_NS;
	h->day_first_ns = h->until_ns;
	h->frames_before = frames;
	h->bytes_before = bytes;
	h->kept = (struct record_numbers){ 0 };
	h->network_ns = NS_NONE;
}

/* ---- in the copy ---- */

struct filling {
	struct writer *writer;
	bool full;
};

/* What finds no room is counted by the writer; there may be room for less. */
static bool take(void *context, const struct rows *rows)
{
	struct filling *f = context;

	f->full |= !writer_shared_add(f->writer, rows);
	return true;
}

static void identity_of_day(const struct live_history *h, uint8_t ret[DIGEST_BYTES])
{
	struct digest d;

	digest_begin(&d);
	digest_add(&d, (struct span){ h->identity, sizeof h->identity });
	digest_number(&d, (uint64_t)h->day);
	digest_get(&d, ret);
}

static void fill_run(const struct live_history *h, const struct engine *e, bool all)
{
	struct view_capture *c = memory_zalloc(sizeof *c);
	struct run run = { .kind = "live", .source = h->source, .deadair = PACKAGE_VERSION, .written_ns = wall_ns(),
		.first_ns = h->day_first_ns,
			   .complete = all, .redacted = h->redacted };

	view_capture(e, c);
	run.last_ns = c->last_ns;
	run.frames = c->frames - h->frames_before;
	run.bytes = c->bytes - h->bytes_before;
	run.vantage = c->vantage_kind;
	run.seen_from = c->seen_from;
	identity_of_day(h, run.identity);
	writer_shared_run(h->writer, &run);
	free(c);
}

bool live_history_write(const struct live_history *h, const struct engine *e, bool all)
{
	struct record_range settled = { .after_ns = h->kept_ns, .until_ns = h->until_ns, .all = all,
		.network = h->network, .no_texts = h->no_texts, .used = h->kept };
	struct record_range fresh = { .after_ns = h->until_ns, .until_ns = h->now_ns, .no_texts = h->no_texts };
	struct filling f = { h->writer, false };

	fill_run(h, e, all);
	record_part(e, &settled, take, &f);
	fresh.used = writer_shared_settle(h->writer);
	/* what is of the next day goes into its run, when it has settled */
	if (!all && h->until_ns / DAY_NS == h->day)
		record_part(e, &fresh, take, &f);
	return !f.full;
}
