/* SPDX-License-Identifier: MIT */
/*
 * headers: what messages that begin, answer, refuse or give up a call say in headers that only judgement asks for. Kept
 * of INVITE, ACK, CANCEL, UPDATE, of their finals and of reliable provisionals; once for all repetitions. Texts live as
 * long as the leg.
 */
#ifndef DEADAIR_CALLS_HEADERS_H
#define DEADAIR_CALLS_HEADERS_H

#include "analyzer/calls/call.h"

enum refresher { REFRESHER_NONE, REFRESHER_UAC, REFRESHER_UAS };

enum { HEADERS_NONCES = 3 };

struct headers_more {
	/* beside headers.nonce, 0 none: a challenge may offer several (RFC 8760 2.4) */
	uint64_t nonces[HEADERS_NONCES];
	struct span route;           /* the topmost Route */
	struct span recorded_first, recorded_last;   /* Record-Route: nearest to the answering, to the asking side */
	struct span reason;          /* Reason, of several the one of Q.850 */
	struct span warning;
	struct span wants;           /* Unsupported, else Require, of a refusal */
	uint32_t session_expires_s, min_se_s, retry_after_s;  /* 0: not given */
	uint16_t q850, sip_cause;    /* of Reason (RFC 3326), 0 none */
	uint8_t refresher;           /* enum refresher */
	bool knows_timers;           /* "timer" in Supported or Require, or a Session-Expires (RFC 4028) */
};

struct headers {
	uint64_t branch;             /* keyed hash of the top Via's branch and host */
	uint64_t from_tag;           /* keyed hash */
	uint64_t nonce;              /* keyed hash: of the challenge, or of the one that credentials answer; 0 none */
	struct span uri;             /* Request-URI */
	uint32_t max_forwards;       /* UINT32_MAX: not given */
	uint32_t rseq;               /* of a reliable provisional, 0 none */
	bool credentials, stale;     /* stale: of the challenge */
	/* keyed hash: of all challenges, or credentials, of the message; 0 none, or they differ */
	uint32_t realm;
	const struct headers_more *more;     /* never NULL: messages that have none of these share one */
};

/* Of a Reason header: the cause that it gives for that protocol; 0 none. */
uint16_t reason_cause(struct span reason, struct span protocol);

#endif
