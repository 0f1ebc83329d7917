/* SPDX-License-Identifier: MIT */
/*
 * short_losses: G7 for a few packets: what most streams of the capture miss at the same instant, in both directions of
 * their hosts. A link that loses does so on one side of the capture point; what comes from its other side still passes.
 */
#ifndef DEADAIR_DETECT_SHORT_LOSSES_H
#define DEADAIR_DETECT_SHORT_LOSSES_H

#include "analyzer/detect/moments.h"

struct facts;
struct stream;
struct short_own;

struct short_losses {
	struct moments moments;
	struct short_own *own;       /* of each stream in order */
	unsigned own_count;
};

struct short_losses short_losses_reckon(const struct facts *f);
void short_losses_fini(struct short_losses *l);
/* Packets that the stream lost in those moments, where what came behind came in that time; NS_NONE: to the end. */
uint64_t short_losses_of(const struct short_losses *l, const struct stream *s, int64_t from_ns, int64_t to_ns);

#endif
