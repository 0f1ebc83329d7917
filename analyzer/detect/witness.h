/* SPDX-License-Identifier: MIT */
/*
 * witness: may it be said that nothing came? Only where it would have been seen, and where the capture goes on long
 * enough.
 */
#ifndef DEADAIR_DETECT_WITNESS_H
#define DEADAIR_DETECT_WITNESS_H

#include "analyzer/detect/detector.h"

/* What shows that packets towards a host pass the capture point. */
enum witness {
	WITNESS_NONE,
	/* those of other hosts do: one confidence lower, the silent host may answer another way */
	WITNESS_OTHER_HOST,
	WITNESS_PEER                 /* those of this very peer do, at other times */
};

/* A message sent again and again, or once over a stream, and nothing back. */
struct silence {
	struct endpoint src, dst;
	int64_t first_ns, last_ns;   /* of its copies */
	unsigned copies;             /* 0: it is not asked, it waits for what the other does by itself */
	bool stream_transport;       /* one copy is all there is */
};

/*
 * NULL: the silence may be claimed, and *ret says how well it is seen. Else the gate that forbids it, "G1", "G5", "G7",
 * or "end" where the capture ends before tail_s have passed (then fewer than 4 copies over 3 s were sent, too).
 */
const char *silence_gate(const struct facts *facts, const struct silence *s, double tail_s, enum witness *ret);
/* likely, one lower for WITNESS_OTHER_HOST. */
enum confidence witness_confidence(enum witness w, enum confidence with_peer);
/* The words for a gate, for detection_pass and detection_withhold. */
const char *silence_gate_text(const char *gate);

#endif
