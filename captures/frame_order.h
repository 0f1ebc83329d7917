/* SPDX-License-Identifier: MIT */
/*
 * frame_order: puts frames of one file that are out of order by a little (several queues of a network card, several
 * interfaces of one capture) in order of time. Keeps copies, bounded in time, number and bytes. A frame that lies
 * farther back is left where it stands: then a clock was set.
 */
#ifndef DEADAIR_CAPTURES_FRAME_ORDER_H
#define DEADAIR_CAPTURES_FRAME_ORDER_H

#include <stdbool.h>
#include <stddef.h>

#include "captures/frame.h"

struct frame_order;

struct frame_order *frame_order_new(void);
void frame_order_free(struct frame_order *o);        /* NULL is fine */

/* Has a frame to be put before the oldest may be taken? */
bool frame_order_wants(const struct frame_order *o);
/* The frame as it comes in the file; its bytes are copied. Only while it wants one. */
void frame_order_put(struct frame_order *o, const struct frame *frame);
/*
 * The oldest; its bytes are good until the next call of any of these. At the end of the file also while it wants.
 * False: none is left.
 */
bool frame_order_take(struct frame_order *o, struct frame *ret_frame);

#endif
