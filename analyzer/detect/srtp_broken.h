/* SPDX-License-Identifier: MIT */
/* srtp_broken: what was found to break the agreed encryption; srtp_broken.c judges, srtp_broken_say.c tells. */
#ifndef DEADAIR_DETECT_SRTP_BROKEN_H
#define DEADAIR_DETECT_SRTP_BROKEN_H

#include "analyzer/detect/srtp_keys.h"

struct breach {
	const char *reason;
	enum confidence confidence;
	const struct stream *stream; /* NULL: signalling alone shows it */
	const struct window *window;
	const struct message *message;       /* that says it */
	unsigned tag, agreed;        /* bytes behind the payload */
	enum severity severity;
	int64_t from_ns;             /* of a stream: packets that show it */
	uint32_t from_frame, to_frame;
	struct srtp_keys tested;     /* of key-mismatch, roc-desync */
	bool both;                   /* each side uses the other's key */
	const struct exchange *kept; /* roc-desync: over this one the sender has kept its count; NULL: it has not */
};

/* The name of a hash and nothing behind it: its sender has no certificate. RFC 8122 5. */
bool srtp_fingerprint_empty(const struct sdp_media *m);
/* By a=crypto, a fingerprint or key management. */
bool srtp_has_keys(const struct sdp_media *m);

/* Raises the finding. */
void srtp_broken_say(struct detection *d, const struct event *ev, const struct breach *b);

#endif
