/* SPDX-License-Identifier: MIT */
/* type_run: stretches of a stream in which one audio payload type was sent. Touched only where the type changes. */
#include "analyzer/media/stream_private.h"

#include <stdlib.h>

#include "captures/base/memory.h"

static unsigned shortest(const struct stream *s)
{
	unsigned at = 0;

	for (unsigned i = 1; i < s->run_count; i++) {
		if (s->runs[i].packets < s->runs[at].packets)
			at = i;
	}
	return at;
}

/* Kept by time; one that is shorter than all that are kept is not worth a place. */
static void run_keep(struct stream *s, const struct type_run *run)
{
	unsigned at;

	if (!s->runs)
		s->runs = memory_zalloc(TYPE_RUN_MAX * sizeof *s->runs);
	if (s->run_count == TYPE_RUN_MAX) {
		at = shortest(s);
		if (s->runs[at].packets >= run->packets)
			return;
		memmove(&s->runs[at], &s->runs[at + 1], (s->run_count - at - 1) * sizeof *s->runs);
		s->run_count--;
	}
	s->runs[s->run_count++] = *run;
}

void type_run_refresh(struct record *r, const struct stream_hot *h)
{
	if (!r->running)
		return;
	r->s.run.packets = record_audio(r, h) - r->run_audio;
	r->s.run.last_ns = h->last_ns;
	r->s.run.last_frame = h->last_frame;
}

/* The packet before this one was the last of its type. */
void type_run_begin(struct record *r, const struct stream_hot *h, const struct packet *p)
{
	type_run_refresh(r, h);
	if (r->s.run.packets)
		run_keep(&r->s, &r->s.run);
	r->running = true;
	r->run_audio = record_audio(r, h);
	r->s.run = (struct type_run){ .first_ns = p->at_ns, .last_ns = p->at_ns, .first_frame = p->frame,
		.last_frame = p->frame, .pt = p->rtp.pt };
}
