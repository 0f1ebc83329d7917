/* SPDX-License-Identifier: MIT */
/*
 * held: sequence numbers that went on while a call was held, or a direction of it closed (RFC 3264 8.4), or its audio
 * was to go to another place. Some senders count on although they send nothing: what was not due is not lost.
 */
#ifndef DEADAIR_ANALYZER_MEDIA_HELD_H
#define DEADAIR_ANALYZER_MEDIA_HELD_H

#include "captures/base/list.h"

/*
 * Takes such gaps out of what their streams lost: lost_within, intervals, runs of loss; they are suppressed time from
 * then on. For streams that are settled (streams_finish) and bound. Repeatable.
 */
void held_settle(const struct list *streams);

#endif
