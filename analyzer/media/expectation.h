/* SPDX-License-Identifier: MIT */
/*
 * expectation: what SDP promised. Per dialog, m= line and direction: who should send audio where, and in which windows
 * of time (detectors' foundation: RFC 3264 5-8, RFC 6337). Reckoned anew from the dialog's exchanges whenever one of
 * them changes; packets never touch it.
 */
#ifndef DEADAIR_MEDIA_EXPECTATION_H
#define DEADAIR_MEDIA_EXPECTATION_H

#include "analyzer/calls/call.h"
#include "analyzer/media/stream.h"

enum expect_state {
	EXPECT_NONE,                 /* not expected: absence means nothing */
	EXPECT_EARLY,                /* permitted before the answer, not required */
	EXPECT_DUE,                  /* expected; in grace (ARMED) until due_ns */
	EXPECT_PAUSED,               /* was due, now hold or inactive */
	EXPECT_OPTIONAL,             /* the direction that hold leaves open: music may come or not */
	EXPECT_ENDED                 /* presence may be media-after-call */
};

/* an address at which the receiver said it can be reached, as written at one place */
struct target {
	struct endpoint at;
	const struct message *message;
};

enum { TARGET_MAX = SDP_COPIES_MAX + 2 };

struct window {
	int64_t on_ns, due_ns, off_ns;       /* due_ns: end of grace; off_ns: NS_NONE while open */
	const struct exchange *exchange;     /* NULL: none (ENDED) */
	/*
	 * at most TARGET_MAX; [0] as it reached the sender (the copy nearest to it); then the others, [..] as the
	 * receiver wrote it
	 */
	const struct target *targets;
	const struct target *sources;        /* the sender's own address: a hint */
	/* media descriptions: formats[] of receiver are the numbers to send with */
	const struct sdp_media *receiver, *sender;
	uint8_t target_count, source_count;
	enum expect_state state : 8;
	bool first;                  /* first window after the answer */
	bool resumed, moved;         /* after hold; destination changed against the window before */
	bool one_way_session;        /* the other direction is closed by SDP */
	bool ice, dtls, secure;
	bool dtx_allowed;            /* by SDP (1.2); what was observed stands in the streams */
	bool likely_at_most;         /* ACK unseen, or answer taken from a preview */
	bool answer_is_receiver;     /* the receiver is the answerer */
};

enum { WINDOW_MAX = 64 };

struct direction {
	struct mslot *slot;
	enum side sender;            /* the receiver is the other side, and the victim */
	struct window *windows;      /* by time, no overlap */
	unsigned window_count, window_room;
	struct target *targets;      /* of all windows, which share equal lists */
	unsigned target_room;
	const struct stream **streams;       /* bound to it, by first packet */
	unsigned stream_count, stream_room;
	bool ambiguous;              /* a stream fits it and another one equally: no absence claim */
	struct hearing *hearing;     /* analyzer/detect/hearing.h; NULL not judged yet */
	uint64_t cookie;
};

struct mslot {
	struct dialog *dialog;
	unsigned mline;
	enum sdp_kind kind;
	bool accepted;               /* both ports non-zero, RTP */
	struct direction direction[2];       /* indexed by the sender's side */
	/* that side only signals: it is a controller, which has told the media address of a party of another leg */
	bool media_elsewhere[2];
};

struct expectation_config { int64_t start_grace_ns /* 1.5 s */, ice_grace_ns /* 3 s */, move_overlap_ns, bye_linger_ns;
	};

/*
 * All windows of the dialog from its exchanges, its state and the leg's end. Replaces what was there (bound streams and
 * cookies of a direction stay). Records come from the leg's arena.
 */
void expectation_update(const struct expectation_config *config, struct dialog *d);

/* The window at that time, NULL none. */
const struct window *direction_window_at(const struct direction *d, int64_t at_ns);
/* The first DUE window; NULL none. */
const struct window *direction_first_due(const struct direction *d);
enum { BOUND_STRONG = 6, BOUND_BY_PROOF = 9, BOUND_AT_ALL = 10 };     /* B6, B9 and stronger; the weak B10, too */
/* Packets of its streams in the time, of those that are bound by that rule or a stronger one. */
double direction_packets_between(const struct direction *d, unsigned weakest, int64_t from_ns, int64_t to_ns);
static inline int64_t window_end(const struct window *w, int64_t capture_end_ns)
{
	return w->off_ns == NS_NONE || w->off_ns > capture_end_ns ? capture_end_ns : w->off_ns;
}
bool window_has_target(const struct window *w, const struct endpoint *at);
bool window_has_source(const struct window *w, const struct endpoint *at);
/* Format by payload type in the receiver's list, else (tolerated) in the sender's; NULL none. */
const struct sdp_format *window_format(const struct window *w, uint8_t pt, bool *ret_receivers);

#endif
