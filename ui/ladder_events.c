/* SPDX-License-Identifier: MIT */
/* ladder_events: what happened in a call, in order, and between whom. */
#include "ui/ladder_part.h"

#include <stdlib.h>

#include "captures/base/memory.h"

static void event_add(struct call_ladder *l, int64_t at_ns, enum event_kind kind, size_t index)
{
	if ((l->event_count & (l->event_count - 1)) == 0)
		l->events = memory_resize(l->events, l->event_count ? l->event_count * 2 : 1, sizeof *l->events);
	l->events[l->event_count++] = (struct event){ at_ns, kind, index };
}

static int event_compare(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

static void collect_messages(struct call_ladder *l)
{
	struct view_message m;

	ladder_hosts_add(&l->hosts, &l->call.from_at.addr);
	for (size_t i = 0; view_message(l->r->engine, l->call_index, i, &m); i++) {
		if (m.copy)
			continue;
		ladder_hosts_add_message(&l->hosts, &m);
		event_add(l, m.at_ns, EVENT_MESSAGE, i);
		l->messages++;
	}
}

static void collect_media(struct call_ladder *l)
{
	const struct selection *s = l->r->selection;
	struct view_stream st;

	for (size_t i = 0; i < s->stream_count; i++) {
		if (s->streams[i].call != l->call.n || !view_stream(l->r->engine, i, &st))
			continue;
		ladder_hosts_add(&l->hosts, &st.src.addr);
		ladder_hosts_add(&l->hosts, &st.dst.addr);
		event_add(l, st.first_ns, EVENT_MEDIA, i);
		l->streams++;
	}
	for (unsigned i = 0; i < l->call.media_count; i++) {
		const struct view_direction *d = &l->call.media[i];

		if (d->expected && d->packets == 0 && d->heard == HEARD_NO)
			event_add(l, l->call.answer_ns != NS_NONE ? l->call.answer_ns : l->call.start_ns, EVENT_SILENCE,
				i);
	}
}

static void mark_add(struct call_ladder *l, const struct view_evidence *e)
{
	if (e->frame == 0)
		return;
	if ((l->mark_count & (l->mark_count - 1)) == 0)
		l->marks = memory_resize(l->marks, l->mark_count ? l->mark_count * 2 : 1, sizeof *l->marks);
	l->marks[l->mark_count++] = (struct frame_mark){ e->file, e->frame };
}

bool call_ladder_is_marked(const struct call_ladder *l, uint16_t file, uint32_t frame)
{
	for (size_t i = 0; i < l->mark_count; i++)
		if (l->marks[i].file == file && l->marks[i].frame == frame)
			return true;
	return false;
}

/* Problems of the call, at the time they began. */
static void collect_findings(struct call_ladder *l)
{
	for (unsigned i = 0; i < l->call.finding_count; i++) {
		ptrdiff_t at = selection_finding(l->r->selection, l->call.findings[i]);

		if (at == SELECTION_NONE || !l->r->selection->findings[at].harms ||
		    l->r->selection->findings[at].rank == RANK_INFO)
			continue;
		if (!view_finding(l->r->engine, (size_t)at, &l->finding))
			continue;
		event_add(l, l->finding.since_ns != NS_NONE ? l->finding.since_ns : l->finding.first_ns, EVENT_FINDING,
			(size_t)at);
		for (unsigned j = 0; j < l->finding.evidence_count; j++)
			mark_add(l, &l->finding.evidence[j]);
	}
}

static void place_hosts(struct call_ladder *l)
{
	size_t lanes = l->hosts.count > 1 ? l->hosts.count - 1 : 1;
	size_t pitch = (LAST_COLUMN - FIRST_COLUMN) / lanes;

	if (pitch > LANE_MAX)
		pitch = LANE_MAX;
	for (size_t i = 0; i < l->hosts.count; i++)
		l->column[i] = FIRST_COLUMN + i * pitch;
}

struct call_ladder *call_ladder_new(const struct report *r, size_t call)
{
	struct call_ladder *l = memory_zalloc(sizeof *l);

	l->r = r;
	l->out = r->out;
	l->call_index = call;
	l->before_ns = NS_NONE;
	view_call(r->engine, call, &l->call);
	ladder_hosts_init(&l->hosts, r->engine, HOST_MAX);
	collect_messages(l);
	collect_media(l);
	collect_findings(l);
	place_hosts(l);
	if (l->event_count)
		qsort(l->events, l->event_count, sizeof *l->events, event_compare);
	return l;
}

void call_ladder_free(struct call_ladder *l)
{
	ladder_hosts_fini(&l->hosts);
	free(l->events);
	free(l->marks);
	free(l);
}
