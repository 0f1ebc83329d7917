/* SPDX-License-Identifier: MIT */
/*
 * lookup: what detectors ask about all calls and streams at once, answered without walking them. Each index is made at
 * the first question, when everything is settled; two captures of a hundred thousand calls then differ from two calls
 * by their number and not by its square.
 */
#ifndef DEADAIR_DETECT_LOOKUP_H
#define DEADAIR_DETECT_LOOKUP_H

#include "analyzer/detect/detector.h"

struct lookup;

struct lookup *lookup_new(const struct facts *facts);        /* lent for its life */
void lookup_free(struct lookup *l);
/* For what a judgement makes of each call and is asked for until the end. */
struct arena *lookup_arena(struct lookup *l);

/* Mirror copies that the streams of a pair of hosts had; elsewhere: of those, how many came another way. */
struct lookup_copies { uint64_t copies, elsewhere; };
struct lookup_copies lookup_copies_of(struct lookup *l, const struct address *src, const struct address *dst);

/*
 * A stream of 25 packets and more of this address, not of this m-slot, whose other end is on the same side of it as
 * peer is.
 */
bool lookup_media_elsewhere(struct lookup *l, const struct mslot *slot, const struct address *a,
	const struct address *peer);

/* The capture points at which any audio was seen, as in host.points_in. */
uint32_t lookup_media_points(struct lookup *l);
/*
 * The hosts of which each is an end of every SIP, RTP and RTCP packet of the capture: it was taken beside one of them.
 * Two when only two ever speak; how many, 0 none.
 */
unsigned lookup_hubs(struct lookup *l, const struct address *ret[2]);

/*
 * Requests dst -> src whose answers were given and are not here: an ACK to a 2xx nobody saw, a request in a dialog that
 * no response began.
 */
unsigned lookup_unseen_replies(struct lookup *l, const struct address *src, const struct address *dst);

/* Has a call through this host (source of its 18x with SDP) had audio from the callee before the answer? */
bool lookup_early_media(struct lookup *l, const struct address *host);

/*
 * Where the media of a party comes from whose SIP comes from this host: legs in which it is this source; was it another
 * public one in others?
 */
struct lookup_sources { unsigned calls; bool others_public; };
struct lookup_sources lookup_media_sources(struct lookup *l, const struct address *sip, const struct address *source);

/* Has this host said anything inside TLS, over a connection that it opened, after that time? */
bool lookup_speaks_tls(struct lookup *l, const struct address *client, int64_t since_ns);

/* Was a message between the two, either way, sent again within [from, to]? */
bool lookup_repeated(struct lookup *l, const struct address *a, const struct address *b, int64_t from_ns,
	int64_t to_ns);

/* Legs by who called whom and when: attempts.h. */
struct attempts;
struct attempts *lookup_attempts(struct lookup *l);

/* Calls and connections of phones: phone_calls.h. */
struct phone_calls;
struct phone_calls *lookup_phone_calls(struct lookup *l);

/* Legs by the key of their messages at several points: leg_keys.h. */
struct leg_keys;
struct leg_keys *lookup_leg_keys(struct lookup *l);

/* Who waits for the first packet: latching.h. */
struct latching;
struct latching *lookup_latching(struct lookup *l);

/* Between whom audio passed: passages.h. */
struct passages;
struct passages *lookup_passages(struct lookup *l);

/* Ports up to which audio comes, and beyond which none does: port_edges.h. Not before all is heard. */
struct port_edges;
const struct port_edges *lookup_port_edges(struct lookup *l);

/* Calls that were not captured whole: half_known.h. */
struct half_known;
const struct half_known *lookup_half_known(struct lookup *l);

/*
 * Packets that the sender of this stream sent elsewhere in that time, seen here too: from the same socket under the
 * same SSRC to another one.
 */
double lookup_sent_elsewhere(struct lookup *l, const struct stream *s, int64_t from_ns, int64_t to_ns);

/* TCP connections between two sockets, whoever opened them, by first sight. */
struct flow;
struct lookup_flows { const struct flow *const *flows; size_t count; };
struct lookup_flows lookup_flows_between(struct lookup *l, const struct endpoint *a, const struct endpoint *b);
/* The first that this host opened to that socket after that time and that was taken; NULL none. */
const struct flow *lookup_flow_after(struct lookup *l, const struct address *client, const struct endpoint *server,
	int64_t at_ns);

/*
 * Streams of no call's direction with a packet before and one behind some moment within [from, to], the youngest first:
 * lookup_orphan_next() until NULL.
 */
struct lookup_orphans { size_t left; int64_t from_ns; };
struct lookup_orphans lookup_orphans_within(struct lookup *l, int64_t from_ns, int64_t to_ns);
const struct stream *lookup_orphan_next(struct lookup *l, struct lookup_orphans *w);

/* Streams that all lack about as much: even_loss.h. 0 none. */
unsigned lookup_even_loss(struct lookup *l);

/* Packets that judgement may still test with keys, about 10 us each: a setup of a key counts as 8 of them. */
unsigned *lookup_key_tests(struct lookup *l);

/* Signs of devices that rewrite SIP: sip_alg.h. */
struct alg_evidence;
const struct alg_evidence *lookup_alg_evidence(struct lookup *l);

/*
 * Directions that name this endpoint in a window, as target or source, one after the other; begin with NULL, NULL: no
 * more.
 */
struct lookup_named;
const struct lookup_named *lookup_named_next(struct lookup *l, const struct endpoint *at,
	const struct lookup_named *before);
const struct direction *lookup_named_direction(const struct lookup_named *n);

#endif
