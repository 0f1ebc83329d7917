/* SPDX-License-Identifier: MIT */
/* media_visible: both directions of a slot fail: is it known that their media would have passed this point? */
#ifndef DEADAIR_DETECT_MEDIA_VISIBLE_H
#define DEADAIR_DETECT_MEDIA_VISIBLE_H

#include "analyzer/detect/hearing.h"

/* LIKELY: captured on one of the two, without a filter */
enum visible { VISIBLE_NO, VISIBLE_LIKELY, VISIBLE_YES };

enum visible media_visible(const struct facts *facts, const struct mslot *slot, const struct hearing *a,
	const struct hearing *b);

#endif
