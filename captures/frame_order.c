/* SPDX-License-Identifier: MIT */
/* frame_order: a short list of copies, sorted by insertion from its end, where nearly all of them belong. */
#include "captures/frame_order.h"

#include <stdlib.h>
#include <string.h>

#include "captures/base/memory.h"
#include "captures/base/ns.h"

enum { FRAMES_MOST = 256, BYTES_MOST = 4 << 20 };

#define WINDOW_NS (10 * MILLISECOND_NS)      /* what lies farther back makes the file's clock unreliable (1.7.3 G10) */

struct copy {
	struct frame frame;
	uint8_t *bytes;
	size_t room;
};

struct frame_order {
	struct copy copies[FRAMES_MOST];
	struct copy *sorted[FRAMES_MOST];        /* the first `count` wait, oldest first; behind them the free ones */
	size_t count, bytes;
	int64_t newest_ns;           /* of those that wait */
	bool stepped;                /* the last one put lies behind all others whatever its time: these go first */
};

struct frame_order *frame_order_new(void)
{
	struct frame_order *o = memory_zalloc(sizeof *o);

	for (size_t i = 0; i < FRAMES_MOST; i++)
		o->sorted[i] = &o->copies[i];
	return o;
}

void frame_order_free(struct frame_order *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < FRAMES_MOST; i++)
		free(o->copies[i].bytes);
	free(o);
}

bool frame_order_wants(const struct frame_order *o)
{
	if (o->count == 0)
		return true;
	return !o->stepped && o->count < FRAMES_MOST && o->bytes < BYTES_MOST &&
		ns_minus(o->newest_ns, o->sorted[0]->frame.at_ns) < WINDOW_NS;
}

static void copy_set(struct copy *c, const struct frame *frame)
{
	if (frame->bytes.n > c->room) {
		c->bytes = memory_resize(c->bytes, frame->bytes.n, 1);
		c->room = frame->bytes.n;
	}
	if (frame->bytes.n)
		memcpy(c->bytes, frame->bytes.p, frame->bytes.n);
	c->frame = *frame;
	c->frame.bytes.p = c->bytes;
}

void frame_order_put(struct frame_order *o, const struct frame *frame)
{
	struct copy *c = o->sorted[o->count];
	size_t at = o->count++;

	copy_set(c, frame);
	o->bytes += frame->bytes.n;
	if (at && ns_minus(o->newest_ns, frame->at_ns) > WINDOW_NS) {
		o->stepped = true;
		return;
	}
	if (at == 0 || frame->at_ns > o->newest_ns)
		o->newest_ns = frame->at_ns;
	for (; at && o->sorted[at - 1]->frame.at_ns > frame->at_ns; at--)
		o->sorted[at] = o->sorted[at - 1];
	o->sorted[at] = c;
}

bool frame_order_take(struct frame_order *o, struct frame *ret_frame)
{
	struct copy *first = o->sorted[0];

	if (o->count == 0)
		return false;
	o->count--;
	memmove(o->sorted, o->sorted + 1, o->count * sizeof *o->sorted);
	o->sorted[o->count] = first;
	o->bytes -= first->frame.bytes.n;
	if (o->stepped && o->count == 1) {
		o->stepped = false;
		o->newest_ns = o->sorted[0]->frame.at_ns;
	}
	*ret_frame = first->frame;
	return true;
}
