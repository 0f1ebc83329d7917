/* SPDX-License-Identifier: MIT */
/* history_keep: a diagnosis goes into a history, known again by the contents of its frames. */
#include "ui/history_keep.h"

#include <stdlib.h>
#include <time.h>

#include "analyzer/history/record.h"
#include "analyzer/history/store.h"
#include "analyzer/views.h"
#include "captures/base/memory.h"
#include "captures/base/text.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "1.0.0"
#endif

enum { WAIT_MS = 10000, SOURCE_FILES_MAX = 8 };

struct history_keep {
	struct store *store;
	struct digest digest;
	struct err *err;             /* while a run is written */
};

struct history_keep *history_keep_new(const char *path, struct err *err)
{
	struct store *store = store_open(path, STORE_WRITE, WAIT_MS, err);
	struct history_keep *k;

	if (!store)
		return NULL;
	k = memory_zalloc(sizeof *k);
	k->store = store;
	digest_begin(&k->digest);
	return k;
}

void history_keep_free(struct history_keep *k)
{
	if (!k)
		return;
	store_close(k->store);
	free(k);
}

/* Names of files do not count: a capture that was renamed is the same. */
void history_keep_frame(struct history_keep *k, const struct frame *f)
{
	if (!k)
		return;
	digest_number(&k->digest, (uint64_t)f->at_ns);
	digest_number(&k->digest, (uint64_t)f->wire_bytes << 32 | f->bytes.n);
	digest_add(&k->digest, f->bytes);
}

struct baseline *history_keep_baseline(struct history_keep *k, struct redact *redact, struct err *err)
{
	uint8_t identity[DIGEST_BYTES];

	digest_get(&k->digest, identity);
	return baseline_new(k->store, identity, redact, err);
}

struct past_asks *history_keep_past(struct history_keep *k, int64_t until_ns, struct err *err)
{
	uint8_t identity[DIGEST_BYTES];

	digest_get(&k->digest, identity);
	return askers_new(k->store, until_ns, identity, err);
}

static struct span base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return span_of(slash && slash[1] ? slash + 1 : path);
}

/* "a.pcap, b.pcap and 12 more" */
static void source_names_add(struct text *t, const struct history_run *run)
{
	for (size_t i = 0; i < run->file_count && i < SOURCE_FILES_MAX; i++) {
		text_add(t, i ? ", " : "");
		text_add_escaped(t, base_name(run->files[i]->name));
	}
	if (run->file_count > SOURCE_FILES_MAX)
		text_addf(t, " and %zu more", run->file_count - SOURCE_FILES_MAX);
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

static bool take_rows(void *context, const struct rows *rows)
{
	struct history_keep *k = context;

	return store_rows(k->store, rows, k->err) == ERR_OK;
}

static bool keep_files(struct history_keep *k, const struct history_run *run)
{
	struct rows rows;
	bool kept;

	rows_init(&rows);
	for (size_t i = 0; i < run->file_count; i++) {
		row_begin(&rows, ROW_FILE);
		row_integer(&rows, (int64_t)i);
		row_packet_text(&rows, span_of(run->files[i]->name));
	}
	kept = take_rows(k, &rows);
	rows_fini(&rows);
	return kept;
}

static enum err_code keep(struct history_keep *k, const struct history_run *what, const struct run *run,
	struct err *err)
{
	int64_t number;

	k->err = err;
	if (store_begin(k->store, err) != ERR_OK || store_run(k->store, run, &number, err) != ERR_OK ||
	    !keep_files(k, what) ||
	    !record_engine(what->engine, !what->no_evidence_text, take_rows, k))
		return err->code;
	return store_commit(k->store, err);
}

enum err_code history_keep_run(struct history_keep *k, const struct history_run *what, struct err *err)
{
	struct view_capture *c = memory_zalloc(sizeof *c);
	struct text source;
	enum err_code code = ERR_OK;

	text_init(&source);
	view_capture(what->engine, c);
	source_names_add(&source, what);
	if (c->frames) {
		struct run run = { .kind = "read", .source = source.p, .deadair = PACKAGE_VERSION,
			.written_ns = now_ns(), .first_ns = c->first_ns,
				   .last_ns = c->last_ns, .frames = c->frames, .bytes = c->bytes,
				   .complete = what->complete, .redacted = what->redacted,
				   .vantage = c->vantage_kind, .seen_from = c->seen_from };

		digest_get(&k->digest, run.identity);
		code = keep(k, what, &run, err);
	}
	text_fini(&source);
	free(c);
	return code;
}
