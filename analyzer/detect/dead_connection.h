/* SPDX-License-Identifier: MIT */
/* dead_connection: a request into a TCP connection that the other end, or a router between, has forgotten. */
#ifndef DEADAIR_DETECT_DEAD_CONNECTION_H
#define DEADAIR_DETECT_DEAD_CONNECTION_H

#include "analyzer/detect/detector.h"

struct dead_connection {
	struct frame_ref reset_at;   /* frame 0: no RST came back */
	unsigned copies;             /* of what was sent into it; none was acknowledged */
	int64_t idle_ns;             /* since its other end had said anything */
	struct endpoint now;         /* a new connection of who had opened it, soon after; family 0: none */
	struct frame_ref now_at;
};

/* Did what was sent there at that time get nothing back but a reset, or not even an ACK for several copies? */
bool dead_connection_find(const struct facts *facts, const struct endpoint *src, const struct endpoint *dst,
	int64_t at_ns, struct dead_connection *ret);
/* What is said of it: "the TCP connection ..." */
const char *dead_connection_text(const struct dead_connection *c, char text[], size_t size);

#endif
