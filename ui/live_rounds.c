/* SPDX-License-Identifier: MIT */
/* live_rounds: judgement after judgement. */
#include "ui/live_rounds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "captures/base/ns.h"
#include "captures/live/ring.h"
#include "ui/words.h"

/* After one that failed. */
#define AGAIN_NS (10 * SECOND_NS)
#define PATIENCE_NS (10 * SECOND_NS)
/* A problem is recorded when it is over, or so long after it began: what follows belongs to it. */
#define RECORD_AFTER_NS (30 * SECOND_NS)
/* Of one processor at most a quarter judges. */
enum { JUDGE_SHARE = 4 };

void live_rounds_init(struct live_rounds *r, const struct config *config)
{
	*r = (struct live_rounds){ .judged_ns = NS_NONE };
	r->judge = live_judge_new(PATIENCE_NS);
	r->findings = live_findings_new(SECOND_NS, (int64_t)(config_value(config, "finding", "holdoff-s") * SECOND_NS),
					(int64_t)(config_value(config, "finding", "reopen-s") * SECOND_NS));
}

void live_rounds_fini(struct live_rounds *r)
{
	live_judge_free(r->judge);
	live_findings_free(r->findings);
	live_history_close(r->history, NULL);
	free(r->history);
}

/* ---- what is to be recorded ---- */

static void record_later(struct live_rounds *r, uint64_t identity, int64_t due_ns)
{
	for (size_t i = 0; i < r->to_record_count; i++) {
		if (r->to_record[i].identity == identity) {
			r->to_record[i].due_ns = due_ns < r->to_record[i].due_ns ? due_ns : r->to_record[i].due_ns;
			return;
		}
	}
	if (r->to_record_count == WORK_RECORDS_MOST)
		return;                 /* a flood of them: they are in the files of the others, or in the next one's */
	r->to_record[r->to_record_count].identity = identity;
	r->to_record[r->to_record_count++].due_ns = due_ns;
}

static void record_done(struct live_rounds *r, uint64_t identity)
{
	for (size_t i = 0; i < r->to_record_count; i++) {
		if (r->to_record[i].identity == identity) {
			r->to_record[i] = r->to_record[--r->to_record_count];
			return;
		}
	}
}

static void take_change(void *context, const struct live_change_of *c)
{
	struct live_rounds *r = context;

	live_output_change(r->output, c);
	if (!r->arguments->record_folder)
		return;
	switch (c->change) {
	case LIVE_OPENED:
	case LIVE_REOPENED:
		record_later(r, c->identity, ns_add(c->at_ns, RECORD_AFTER_NS));
		break;
	case LIVE_CLOSED:
		for (size_t i = 0; i < r->to_record_count; i++) {
			if (r->to_record[i].identity == c->identity)
				r->to_record[i].due_ns = c->at_ns;
		}
		break;
	}
}

/* ---- what a judgement tells ---- */

static void take_told(struct live_rounds *r, uint64_t frames, uint64_t bytes, enum live_told told, uint64_t identity,
	const char *text)
{
	switch (told) {
	case LIVE_TOLD_SAID:
		live_say(r->say, "%s", text);
		snprintf(r->say->note, sizeof r->say->note, "%s", text);
		break;
	case LIVE_TOLD_TROUBLE:
		if (strcmp(r->trouble, text) != 0)
			live_say(r->say, "%s", text);
		snprintf(r->trouble, sizeof r->trouble, "%s", text);
		snprintf(r->say->note, sizeof r->say->note, "%s", text);
		break;
	case LIVE_TOLD_RECORDED:
		record_done(r, identity);
		break;
	case LIVE_TOLD_KEPT:
		live_history_written(r->history, frames, bytes);
		break;
	}
}

static void count_frames(const struct live_judgement *what, uint64_t *ret_frames, uint64_t *ret_bytes)
{
	*ret_frames = *ret_bytes = 0;
	for (size_t i = 0; i < what->file_count; i++) {
		*ret_frames += what->files[i]->frames;
		*ret_bytes += what->files[i]->bytes;
	}
}

static void take_messages(struct live_rounds *r, const struct live_judgement *what)
{
	struct live_message m;
	uint64_t frames, bytes;

	count_frames(what, &frames, &bytes);
	live_findings_begin(r->findings, r->judged_ns, take_change, r);
	while (live_judge_next(r->judge, &m)) {
		struct live_found f = { m.identity, m.over, m.severity, m.id, m.text, m.json };

		if (m.kind == LIVE_VERDICT)
			live_findings_found(r->findings, &f);
		else if (m.kind == LIVE_TOLD)
			take_told(r, frames, bytes, m.told, m.identity, m.text);
	}
	live_findings_end(r->findings);
	out_flush(&r->output->out);
	if (live_findings_unwatched(r->findings) && !r->flood_told) {
		live_say(r->say, "more than %d findings at once: what comes beyond is told in the report only",
			LIVE_FINDINGS_MOST);
		r->flood_told = true;
	}
}

/* What the thread that writes has met, once. */
static void look_at_history(struct live_rounds *r)
{
	struct writer_state state = writer_look(r->history->writer);

	if (state.trouble[0] && strcmp(state.trouble, r->history_trouble) != 0)
		live_say(r->say, "%s; the capture goes on%s", state.trouble,
			state.dead ? " without" : ", and it is tried again");
	else if (!state.trouble[0] && r->history_trouble[0])
		live_say(r->say, "the history is written again");
	snprintf(r->history_trouble, sizeof r->history_trouble, "%s", state.trouble);
}

static void say_lost(struct live_rounds *r, const struct writer_state *state)
{
	char count[WORDS];

	if (state->lost)
		live_say(r->say, "history: %s could not be written%s%s", words_counted(state->lost, "record", count),
			state->trouble[0] ? ": " : "", state->trouble);
}

/* ---- when ---- */

static void plan_work(struct live_rounds *r, int64_t now_ns, bool at_end)
{
	struct live_work *w = &r->work;

	*w = (struct live_work){ .save_all = r->save_wanted, .save_folder = r->save_folder,
		.record_folder = r->arguments->record_folder,
				 .record_most = r->arguments->record_bytes, .at_end = at_end };
	r->save_wanted = false;
	for (size_t i = 0; i < r->to_record_count; i++) {
		if (at_end || r->to_record[i].due_ns <= now_ns)
			w->records[w->record_count++] = r->to_record[i].identity;
	}
	if (r->history && !at_end && live_history_due(r->history, now_ns))
		w->history = r->history;
	if (r->history && at_end && now_ns != NS_NONE) {
		if (live_history_due_at_end(r->history))
			w->history = r->history;
		else
			live_say(r->say, "the history cannot be written: what ended last is not in it");
	}
}

static void judge_begin(struct live_rounds *r, struct live_judgement *what)
{
	struct err err;

	if (what->now_ns == NS_NONE || (r->judged_ns != NS_NONE && ns_minus(what->now_ns, r->judged_ns) < SECOND_NS &&
	    !r->save_wanted) ||
	    ring_monotonic_ns() < r->judge_at_ns)
		return;
	out_flush(&r->output->out);     /* nothing is left in it for the copy */
	fflush(stderr);
	plan_work(r, what->now_ns, false);
	what->work = &r->work;
	if (live_judge_begin(r->judge, what, &err)) {
		r->judged_ns = what->now_ns;
		return;
	}
	r->judge_at_ns = ring_monotonic_ns() + AGAIN_NS;
	live_say(r->say, "%s; findings come at the end, and when there is room again", err.text);
}

/* What the copy was to save may not be there: the next one does it. */
static void judge_failed(struct live_rounds *r)
{
	r->save_wanted |= r->work.save_all;
	r->judge_at_ns = ring_monotonic_ns() + AGAIN_NS;
	if (!r->judge_failed)
		live_say(r->say, "a judgement was given up (memory short?); the capture goes on");
	r->judge_failed = true;
}

void live_rounds_look(struct live_rounds *r, struct live_judgement *what)
{
	if (r->history)
		look_at_history(r);
	switch (live_judge_poll(r->judge)) {
	case LIVE_JUDGE_IDLE:
		judge_begin(r, what);
		break;
	case LIVE_JUDGE_BUSY:
		break;
	case LIVE_JUDGE_READY:
		r->judge_at_ns = ring_monotonic_ns() + (JUDGE_SHARE - 1) * live_judge_took_ns(r->judge);
		take_messages(r, what);
		break;
	case LIVE_JUDGE_FAILED:
		judge_failed(r);
		break;
	}
}

struct ending {
	struct live_rounds *rounds;
	uint64_t frames, bytes;
};

static void take_told_at_end(void *context, enum live_told told, uint64_t identity, const char *text)
{
	struct ending *e = context;

	take_told(e->rounds, e->frames, e->bytes, told, identity, text);
}

/* A copy that is still at work may be writing what the end would write, too. */
void live_rounds_settle(struct live_rounds *r, const struct live_judgement *what)
{
	switch (live_judge_wait(r->judge)) {
	case LIVE_JUDGE_READY:
		take_messages(r, what);
		break;
	case LIVE_JUDGE_FAILED:
		judge_failed(r);
		break;
	case LIVE_JUDGE_IDLE:
	case LIVE_JUDGE_BUSY:
		break;
	}
}

void live_rounds_end(struct live_rounds *r, const struct live_judgement *what)
{
	struct live_saves saves = { .keep = what->keep, .engine = what->engine, .files = what->files,
		.file_count = what->file_count };
	struct ending e = { .rounds = r };
	struct writer_state state;

	count_frames(what, &e.frames, &e.bytes);
	plan_work(r, what->now_ns, true);
	live_work_do(&r->work, &saves, take_told_at_end, &e);
	live_history_close(r->history, &state);
	say_lost(r, &state);
	free(r->history);
	r->history = NULL;
}
