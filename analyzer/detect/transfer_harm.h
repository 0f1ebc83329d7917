/* SPDX-License-Identifier: MIT */
/* transfer_harm: audio that stopped with a transfer which failed, and never came back. */
#ifndef DEADAIR_DETECT_TRANSFER_HARM_H
#define DEADAIR_DETECT_TRANSFER_HARM_H

#include "analyzer/detect/detector.h"

/*
 * When all is said: what is told of such silence follows from the failed transfer; where that was people's business (a
 * busy target), it is told of the silence. EVENT_JUDGE_CAUSES.
 */
void transfer_harm_link(const struct facts *facts);

#endif
