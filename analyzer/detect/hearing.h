/* SPDX-License-Identifier: MIT */
/*
 * hearing: one direction of one m-slot, judged. Every detector that claims absence asks here: what was due, what came,
 * where it went, what the receiver reports, and which row or gate keeps a silence from being a fault. Presence may be
 * believed, absence must be earned.
 */
#ifndef DEADAIR_DETECT_HEARING_H
#define DEADAIR_DETECT_HEARING_H

#include <string.h>

#include "analyzer/detect/detector.h"
#include "analyzer/heard.h"

enum failure {
	FAILURE_NONE,
	FAILURE_ABSENT,              /* no packets here */
	FAILURE_MISDIRECTED,         /* packets to an address at which the receiver cannot be reached */
	FAILURE_UNDELIVERED          /* right address; ICMP, RTCP or a missing copy say that they do not arrive */
};

/* would packets of this direction pass here? LIKELY: link coverage only */
enum sees { SEES_NO, SEES_LIKELY, SEES_YES };

/* Each direction has one: by size of fields. */
struct hearing {
	const char *gate;            /* "G3": withheld; NULL none */
	const char *row;             /* "N8": not expected after all; NULL none */
	const char *why;             /* in words: what decided; "" nothing */

	const struct window *window; /* the failing one, else the longest due one; NULL: never due */
	double due_s;                /* over all due windows, grace included */
	double packets;              /* audio packets in due windows, bound by B1-B9 */
	/* first and last packet to a right address in due windows; NS_NONE none */
	int64_t delivered_from_ns, delivered_to_ns;
	const struct stream *stream; /* main stream to a right address; NULL */

	int64_t from_ns, to_ns;      /* the time that failed (end of grace, or since; end of the window) */
	const struct stream *misdirected;    /* main stream to a wrong address */
	const struct stream *foreign;        /* main stream of payload types that were not agreed */
	int64_t opened_ns;           /* until then ICMP answered the audio, and from then on it arrives; 0: not so */
	/* "icmp", "rtcp-frozen", "rtcp-empty", "rtcp-nothing", "payload-type", "missing-copy", "copy-ends", "relay-keeps" */
	const char *undelivered_by;

	const struct rtcp_report *report_last;       /* what the receiver reports of the stream */
	/* the same audio is promised on another leg of the call, and judged there; NULL: not so */
	const struct direction *elsewhere;
	const struct rtcp_party *receiver_rtcp, *sender_rtcp;
	const struct icmp_record *icmp, *icmp_last;  /* errors that quote this direction's flow within the window */
	/* where the sender's audio was to come from since; NULL: it was not moved */
	const struct endpoint *moved_to;
	unsigned icmp_count;
	uint32_t delivered_frame;
	enum heard heard : 8;
	enum failure failure : 8;
	enum sees sees : 8;
	enum rtcp_verdict report : 8;
	enum rtcp_sending sending : 8;       /* what the sender's reports say it does */
	bool delivered;              /* deliv(D): alive, right address, known payload type, no proof against */
	bool whole;                  /* failed from the window's beginning */
	bool at_sender, at_receiver; /* 0 hops or on that host */
	bool near_sender, near_receiver;
	bool source_apart;           /* audio was to come from window->sources[0], a host that was never seen to send */
	bool receiver_reports_unseen; /* its blocks are about streams that do not pass here */
	/* the sender's reports rise although nothing is seen, and this is not the receiver's own port */
	bool other_path;
};

static inline const char *hearing_why(const struct hearing *h)
{
	return h->why;
}
/* Judges both directions anew; the records live as long as the lookup. Gates must have been reckoned. */
void hearing_judge(const struct facts *facts, struct mslot *slot);
/*
 * When all detectors have spoken: audio that arrives, and of which a finding (a warning at least, likely at least) says
 * that it is noise, silence or full of holes, is heard badly.
 */
void hearing_heed(const struct facts *facts);
/* What was judged last, never NULL for a direction that hearing_judge has seen. */
static inline const struct hearing *hearing_of(const struct direction *d)
{
	return d->hearing;
}
/* For how long both fail at once; 0 and less: never. */
static inline int64_t hearing_together_ns(const struct hearing *a, const struct hearing *b)
{
	return ns_minus(a->to_ns < b->to_ns ? a->to_ns : b->to_ns, a->from_ns > b->from_ns ? a->from_ns : b->from_ns);
}
/* It comes to a relay that does not send it on. */
static inline bool hearing_kept_by_relay(const struct hearing *h)
{
	return h->failure == FAILURE_UNDELIVERED && strcmp(h->undelivered_by, "relay-keeps") == 0;
}
static inline struct direction *direction_reverse(const struct direction *d)
{
	return &d->slot->direction[side_other(d->sender)];
}

/*
 * The same questions of any stretch of one window, for claims of absence where nothing is due (before the answer): what
 * came (packets to a right address, misdirected), ICMP, reports, sees, and the gate that forbids the
 * claim. No verdict: heard and failure are left alone.
 */
void hearing_ask(const struct facts *facts, struct direction *d, const struct window *w, int64_t from_ns, int64_t to_ns,
	struct hearing *ret);
/*
 * Addresses of a side in this slot, most telling first: sources of its RTP, its SDP addresses, its signalling address.
 */
enum { SIDE_ADDRESS_MAX = 12 };
struct side_addresses {
	struct endpoint at[SIDE_ADDRESS_MAX];
	unsigned count, media_count; /* the first media_count are media addresses */
	bool turn;                   /* audio of this slot goes through a TURN server */
};
void side_addresses(const struct mslot *slot, enum side side, struct side_addresses *ret);

/* N10: may this sender be an automaton that only listens from then on (voicemail, menu, queue)? */
bool hearing_listens(const struct facts *facts, struct direction *d, int64_t at_ns);
/* The latest stream that the sender sends itself: not what a relay makes of it. NULL none. */
const struct stream *hearing_own_stream(const struct facts *facts, const struct direction *d);
/* Keys that the listener presses then, or shortly before. */
bool hearing_keys_pressed(const struct direction *d, int64_t from_ns, int64_t to_ns);
/* A server that collects the keys of its listener, for a menu or a feature code, has nothing to say meanwhile. */
bool hearing_collects_keys(const struct facts *facts, const struct direction *d, int64_t from_ns, int64_t to_ns);
/* N9: is what this sender passes on held, ringing or being transferred on another leg of the call at that time? */
bool hearing_excused(const struct facts *facts, struct direction *d, int64_t at_ns);

/* N9: is the one to whom the receiver passes it on held on another leg all that time? Then nobody hears it. */
bool hearing_listener_held(const struct facts *facts, const struct direction *d, int64_t from_ns, int64_t to_ns);

/*
 * Captured before and behind a NAT, the audio of a private address is here as it goes in, and not as it would come out.
 */
bool hearing_goes_in_only(const struct facts *facts, const struct stream *s);
/* Is this hole one of what the sender gets on another leg of the call, and passes on? */
bool hearing_begins_elsewhere(const struct facts *facts, struct direction *d, int64_t from_ns, int64_t to_ns);

/* usable(R): may packets to this address reach the receiver of d? *ret_why: "contradicted: ..." (static) when not. */
bool hearing_usable(const struct facts *facts, const struct direction *d, const struct window *w,
	const struct stream *s, const char **ret_why);
/*
 * Does SDP_R name nothing but loopback addresses to a sender on another machine? It obeys, sends to itself, and no wire
 * carries it.
 */
bool hearing_told_loopback(const struct direction *d, const struct window *w);
/*
 * Was the sender told its own address, by a receiver whose audio comes from elsewhere? It obeys, sends to itself, and
 * no wire carries it.
 */
bool hearing_told_own(const struct direction *d, const struct window *w);
/* How sure it is that this, and no tap that misses the audio of a sender that latches, makes the silence. */
enum confidence hearing_loopback_proof(const struct hearing *h);
/*
 * Has the receiver left the address that its audio is sent to? Its own audio came from there and goes on from another
 * one, or another port of its router, and nothing comes from the old one any more. The stream that shows where it is
 * now; NULL: no.
 */
const struct stream *hearing_receiver_left(const struct facts *facts, const struct direction *d,
	const struct endpoint *at);
/*
 * Does the receiver's audio come from another port of its router than this one, which nothing is ever seen to come from?
 * What goes there arrives only where that port is forwarded.
 */
bool hearing_port_changed(const struct facts *facts, const struct direction *d, const struct endpoint *at);
/*
 * Does s go from inside to a public address that the receiver, inside too, has named? The router may send it back or
 * forward it, and nothing else that goes to the receiver is seen here: so its arrival would not be either.
 */
bool hearing_may_return(const struct facts *facts, const struct direction *d, const struct stream *s);
/* 1: a sits behind that router, as far as is known; 0: nothing is known of it; -1: behind another one. */
int hearing_behind(const struct facts *facts, const struct address *a, const struct address *router);
/*
 * Audio goes to the public address of the sender's own router, which a server passed on: a phone behind that router has
 * named it on its own leg of the call, and there it is told.
 */
bool hearing_named_on_other_leg(const struct facts *facts, const struct direction *d);
/* The ACKs went to that very address, and the 200 came again and again from another: nothing gets there. */
bool hearing_dead_contact(const struct direction *d, const struct address *at);
/*
 * Is SDP_R's address of this window contradicted (private behind a NAT, or never where the receiver lives)? *ret_real:
 * where it really is.
 */
enum contradiction { CONTRADICTION_NONE, CONTRADICTION_PRIVATE, CONTRADICTION_ELSEWHERE };
enum contradiction hearing_contradiction(const struct facts *facts, const struct direction *d, const struct window *w,
	const struct endpoint *sdp, const struct stream *s, struct endpoint *ret_real);
/*
 * Two points: is SIP of the receiver seen beside it from that address, and where s is from another one? Then a NAT
 * between the two is proven, else at most that they sit behind different routers.
 */
bool hearing_translated_sip(const struct direction *d, const struct endpoint *at, const struct stream *s);

#endif
