/* SPDX-License-Identifier: MIT */
/* digits: telephone-event packets become key presses. RFC 4733 2.3, 2.5. */
#include "analyzer/media/digits.h"

#include <stdlib.h>

#include "analyzer/media/stream_private.h"
#include "captures/base/memory.h"

enum { EVENT_BYTES = 4, END_BIT = 0x80, LOOK_BACK = 4 };

static struct digit *last_of(struct digits *d)
{
	return d->count ? &d->list[d->count - 1] : NULL;
}

/* Repeated ends of a press may come after the next one has begun. */
static struct digit *digit_find(struct digits *d, uint32_t rtp_ts)
{
	for (unsigned i = d->count; i > 0 && d->count - i < LOOK_BACK; i--) {
		if (d->list[i - 1].rtp_ts == rtp_ts)
			return &d->list[i - 1];
	}
	return NULL;
}

static struct digit *digit_add(struct digits *d, const struct packet *p, uint8_t code)
{
	if (d->count == DIGIT_MAX) {
		d->dropped++;
		return NULL;
	}
	d->list[d->count] = (struct digit){
		.first_ns = p->at_ns, .first_frame = p->frame, .rtp_ts = p->rtp.rtp_ts, .first_seq = p->rtp.seq,
		.last_seq = p->rtp.seq, .code = code, .pt = p->rtp.pt,
	};
	return &d->list[d->count++];
}

static void digit_count(struct digit *x, const struct packet *p, bool end, uint16_t duration)
{
	bool overtaken = x->packets && (int16_t)(uint16_t)(p->rtp.seq - x->last_seq) < 0;

	if (x->packets && !overtaken && duration < x->last_duration && !end && !x->ended)
		x->shrank = true;
	x->last_ns = p->at_ns;
	x->last_frame = p->frame;
	x->packets += x->packets < UINT16_MAX;
	x->duration = duration > x->duration ? duration : x->duration;
	x->ended |= end;
	if (overtaken)
		return;
	x->last_seq = p->rtp.seq;
	x->last_duration = duration;
	x->followed = x->seen_after = false;
}

void digits_after(struct stream *s, bool next)
{
	struct digit *x = last_of(s->digits);

	if (!x || x->seen_after)
		return;
	x->seen_after = true;
	x->followed = next;
}

void digits_take(struct stream *s, const struct packet *p)
{
	struct cursor c = cursor_over(p->rtp.payload, p->rtp.payload_wire);
	uint8_t code = cursor_u8(&c), flags = cursor_u8(&c);
	uint16_t duration = cursor_u16(&c);
	struct digit *x, *before;

	if (!s->digits)
		s->digits = memory_zalloc(sizeof *s->digits);
	if (c.state != CURSOR_OK) {
		s->digits->hidden++;
		return;
	}
	if (code >= DIGIT_CODES)
		return;
	x = digit_find(s->digits, p->rtp.rtp_ts);
	before = last_of(s->digits);
	if (!x && before)
		digits_after(s, p->rtp.seq == (uint16_t)(before->last_seq + 1));
	if (!x)
		x = digit_add(s->digits, p, code);
	if (x)
		digit_count(x, p, flags & END_BIT, duration);
}

void digits_free(struct stream *s)
{
	free(s->digits);
	s->digits = NULL;
}
