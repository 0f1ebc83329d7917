/* SPDX-License-Identifier: MIT */
/* session: what both sides of one exchange of offer and answer said of an m= line, and what it lets them do. */
#ifndef DEADAIR_MEDIA_SESSION_H
#define DEADAIR_MEDIA_SESSION_H

#include "analyzer/media/expectation.h"

struct session {
	const struct exchange *exchange;
	const struct sdp_copies *said[2];    /* by enum side; NULL: nothing */
	bool preview;
};

/* preview: with what a provisional response said, not the answer. */
struct session session_of(const struct exchange *x, bool preview);
/* What the side said, as written nearest to itself; as it reached the other one. NULL: nothing of that line. */
const struct sdp_media *session_own(const struct session *s, enum side side, unsigned mline);
const struct sdp_media *session_arrived(const struct session *s, enum side side, unsigned mline);
/* Audio by RTP, and not refused. m may be NULL. */
bool session_usable(const struct sdp_media *m);
/* A line of audio by which who says it holds the other one: closed, or not both to send and to receive. */
bool session_offers_hold(const struct sdp_media *m);
/* sends(S): both descriptions let audio flow from the side. Port 0 and 0.0.0.0 close it (RFC 3264 8.2, 8.4). */
bool session_sends(const struct session *s, enum side side, unsigned mline);
/* Addresses of the side: nearest to the other side first where arrived is asked for. How many. */
unsigned session_targets(const struct session *s, enum side side, unsigned mline, bool arrived,
	struct target list[TARGET_MAX]);
/* Do both allow silence suppression in a codec of theirs? */
bool session_may_pause(const struct sdp_media *sender, const struct sdp_media *receiver);

#endif
