/* SPDX-License-Identifier: MIT */
/* prompt_go: to a call, a frame, a time. */
#include "ui/dashboard/prompt.h"

#include <stdio.h>

#include "ui/dashboard/page.h"
#include "ui/dashboard/view_ladder.h"
#include "ui/when.h"

static void go_call(struct dashboard *d, struct world *w, const struct call_row *r)
{
	struct order o = world_order(w, d->filter, d->hide_ended, d->sort, d->sort_down);
	size_t count;
	const struct call_row *rows = world_calls(w, &count);
	struct place *p;
	bool listed = false;

	for (size_t i = 0; i < o.count; i++)
		listed |= rows[o.rows[i]].id == r->id;
	if (!listed) {
		message_set(d, "call %u is hidden: F9 clears the filter", r->n);
		return;
	}
	if (d->main != VIEW_OVERVIEW || d->depth)
		d->main = VIEW_CALLS;
	d->depth = 0;
	p = place_of(d);
	if (d->main == VIEW_OVERVIEW)
		p->pane = 1;
	p->lists[p->pane].id = r->id;
}

static void go_frame(struct dashboard *d, struct world *w, uint32_t frame)
{
	size_t count;
	const struct call_row *rows = world_calls(w, &count);
	const struct stream_row *streams;
	struct view_stream v;

	for (size_t i = 0; i < count; i++) {
		if (message_at(w, rows[i].id, 0, frame)) {
			open_frame(d, w, rows[i].id, 0, frame);
			return;
		}
	}
	streams = world_streams(w, &count);
	for (size_t i = 0; i < count; i++) {
		const struct call_row *r = streams[i].call ? world_call_numbered(w, streams[i].call) : NULL;

		if (r && view_stream(w->engine, streams[i].index, &v) && frame >= v.first_frame &&
			frame <= v.last_frame) {
			open_ladder(d, r->id, true);
			ladder_seek(d, w, v.file, frame);
			return;
		}
	}
	message_set(d, "frame %u belongs to no call", frame);
}

static void go_time(struct dashboard *d, struct world *w, const struct when *when)
{
	const struct call_row *first = NULL;
	int64_t from_ns, to_ns;
	size_t count;
	const struct call_row *rows = world_calls(w, &count);

	when_resolve(when, world_capture(w)->first_ns, world_capture(w)->last_ns, &from_ns, &to_ns);
	for (size_t i = 0; i < count; i++)
		if (rows[i].start_ns != NS_NONE && rows[i].start_ns >= from_ns &&
			(!first || rows[i].start_ns < first->start_ns))
			first = &rows[i];
	if (first)
		go_call(d, w, first);
	else
		message_set(d, "no call begins then or later");
}

void prompt_go(struct dashboard *d, struct world *w)
{
	struct span text = span_of(d->input);
	const struct call_row *r;
	struct when when;
	uint64_t n;

	if (span_starts_nocase(text, SPAN("frame "))) {
		if (span_number(span_from(text, 6), UINT32_MAX, &n))
			go_frame(d, w, (uint32_t)n);
		else
			message_set(d, "frame, and its number: frame 812");
	} else if (span_number(text, UINT32_MAX, &n)) {
		r = world_call_numbered(w, (unsigned)n);
		if (r)
			go_call(d, w, r);
		else
			message_set(d, "there is no call %s", d->input);
	} else if (when_parse(text, &when)) {
		go_time(d, w, &when);
	} else {
		message_set(d, "101 goes to a call, frame 812 to a frame, 09:12 to a time");
	}
}
