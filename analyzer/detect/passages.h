/* SPDX-License-Identifier: MIT */
/*
 * passages: between which two hosts audio passed in which calls, in the order of time. Where none passes any more, that
 * is what calls had that these have not.
 */
#ifndef DEADAIR_DETECT_PASSAGES_H
#define DEADAIR_DETECT_PASSAGES_H

#include "analyzer/detect/detector.h"
#include "analyzer/detect/hearing.h"

struct passages;

struct passages *passages_new(const struct calls *calls);
void passages_free(struct passages *p);

/*
 * Where nothing of this direction's audio came: in how many other calls audio of its sender reached its receiver before
 * and since. finding_earlier() has it; nothing is said where no call before had any.
 */
void passages_say(struct finding *f, const struct facts *facts, const struct direction *d, const struct hearing *h);

#endif
