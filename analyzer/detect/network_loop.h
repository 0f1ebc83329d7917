/* SPDX-License-Identifier: MIT */
/* network_loop: packets that go round in the network instead of arriving: capture-duplicates/network-loop. */
#ifndef DEADAIR_DETECT_NETWORK_LOOP_H
#define DEADAIR_DETECT_NETWORK_LOOP_H

#include "analyzer/detect/detector.h"

struct network_loops {               /* all that goes round: packets first, then streams of media */
	struct network_loop {
		struct address src, dst;
		bool unchanged, died, has_mac;
		uint8_t mac_src[6], mac_dst[6], first_ttl, last_ttl;
		unsigned packets, passes;
		int64_t first_ns, last_ns;
		struct frame_ref first_at, last_at;
	} list[64];
	unsigned count;
};

void network_loops_gather(struct network_loops *ret, const struct facts *facts);
/* Do packets of that pair of hosts go round? Then the mirror did not repeat them. */
bool network_loops_has(const struct network_loops *l, const struct address *src, const struct address *dst);
/* One finding for what is routed in a circle, one for what circulates between switches; how many were raised. */
unsigned network_loops_tell(struct detection *d, const struct network_loops *l);

#endif
