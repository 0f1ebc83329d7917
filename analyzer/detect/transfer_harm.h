/* SPDX-License-Identifier: MIT */
/* transfer_harm: audio that stopped with a transfer which failed, and never came back. */
#ifndef DEADAIR_DETECT_TRANSFER_HARM_H
#define DEADAIR_DETECT_TRANSFER_HARM_H

#include "analyzer/detect/detector.h"

/* Did audio of the call stop when it was asked for, or until then, for good? */
bool transfer_silenced(const struct transfer *t, int64_t failed_ns);
/* When all is said: what is told of such silence follows from the failed transfer. EVENT_JUDGE_CAUSES. */
void transfer_harm_link(const struct facts *facts);

#endif
