/* SPDX-License-Identifier: MIT */
/* short_hole: a ring of them, made when the first is seen. */
#include "analyzer/media/short_hole.h"

#include "analyzer/media/stream_private.h"
#include "captures/base/memory.h"

enum { SHORT_HOLE_MAX = 1 << 15, LOST_LEAST = 2 };

void short_hole_take(struct streams *s, const struct record *r, const struct stream_hot *h, const struct packet *p,
	const struct stream_before *b)
{
	uint16_t lost = (uint16_t)(p->rtp.seq - h->ext_seq - 1);
	int64_t length_ns = ns_minus(p->at_ns, b->top_ns);
	unsigned at = s->short_hole_count % SHORT_HOLE_MAX;

	if (lost < LOST_LEAST || length_ns < 0 || length_ns >= GAP_MIN_MS * MILLISECOND_NS)
		return;
	if (s->short_hole_count < SHORT_HOLE_MAX)
		s->short_holes = list_grow(s->short_holes, at, sizeof *s->short_holes);
	s->short_holes[at] = (struct short_hole){
		b->top_ns, r->index, (uint16_t)(length_ns / MILLISECOND_NS), lost
	};
	s->short_hole_count++;
}

const struct short_hole *streams_short_holes(const struct streams *s, unsigned *ret_count)
{
	*ret_count = s->short_hole_count < SHORT_HOLE_MAX ? (unsigned)s->short_hole_count : SHORT_HOLE_MAX;
	return s->short_holes;
}

/* The record may have become another stream's. */
const struct stream *streams_short_hole_of(const struct streams *s, const struct short_hole *h)
{
	const struct record *r = h->record < s->used ? streams_record(s, h->record) : NULL;

	if (!r || !r->used || !r->s.accepted || r->s.first_ns > h->from_ns || r->s.last_ns < h->from_ns)
		return NULL;
	return &r->s;
}
