/* SPDX-License-Identifier: MIT */
/*
 * socket_use: which calls hold a media socket (an ip:port that a host named as its own), and what arrives at and leaves
 * it. Reckoned once per judgement from the legs' windows, the streams and RTCP; detectors of ports ask it by address
 * and never walk over all calls. Finding 3.11.
 */
#ifndef DEADAIR_MEDIA_SOCKET_USE_H
#define DEADAIR_MEDIA_SOCKET_USE_H

#include "analyzer/media/expectation.h"
#include "analyzer/media/rtcp_state.h"
#include "analyzer/network/network.h"

enum { HOLD_REMOTE_MAX = 6, SOCKET_WALKED_MAX = 32, SSRC_SENDER_MAX = 8 };

struct socket_hold {                 /* one run of windows in which a session names the address */
	const struct direction *direction; /* towards it: the receiver owns it */
	const struct leg *leg;
	const struct socket_use *socket;
	const struct message *named; /* the message that first named it: its source is who owns it */
	const struct sdp_media *media, *answer;  /* the owner's description; that of the answerer, whichever side */
	/* named until the session, or this address in it, has ended; the capture's end while open */
	int64_t from_ns, to_ns;
	const struct endpoint *remote;       /* what the other side named in that time, at most HOLD_REMOTE_MAX */
	uint8_t remote_count;
	uint8_t owner;               /* enum side */
	bool open, due;              /* still held when the capture ended; audio was due to it at some time */
	/* rtcp-mux in the answer; candidates: sockets may be shared on purpose (RFC 8445) */
	bool mux, ice;
};

struct socket_use {
	struct list_link in_order;   /* by first hold, then by first stream */
	struct hash_link by_at;
	struct endpoint at;
	const struct socket_hold **holds;    /* by from_ns */
	const struct stream **arriving, **leaving; /* by first packet */
	const struct rtcp_party **control;   /* RTCP that comes in here, by first packet */
	unsigned hold_count, arriving_count, leaving_count, control_count;
};

/* One stream id and the different sockets that sent with it; only of ids that more than one host used. */
struct ssrc_use {
	struct list_link in_order;
	uint32_t ssrc;
	const struct stream *sender[SSRC_SENDER_MAX]; /* one a host, copies of one stream at other points left out */
	unsigned sender_count;
};

struct socket_uses;

struct socket_uses *socket_uses_new(int64_t last_ns);
/* Each leg in the order of calls_legs(), once its windows are reckoned. */
void socket_uses_leg(struct socket_uses *u, const struct leg *leg);
/* Then what arrives and leaves: nothing may be asked before. */
void socket_uses_settle(struct socket_uses *u, const struct list *streams, const struct list *rtcp_parties);
void socket_uses_free(struct socket_uses *u);
const struct list *socket_uses_in_order(const struct socket_uses *u);
const struct list *socket_uses_ssrcs(const struct socket_uses *u);
const struct socket_use *socket_uses_find(const struct socket_uses *u, const struct endpoint *at);

/*
 * Of streams by first packet the last SOCKET_WALKED_MAX that began before to_ns: a port may serve thousands of calls,
 * those that matter to one stretch of time began last before its end.
 */
struct stream_slice { const struct stream *const *at; unsigned count; };
struct stream_slice socket_arriving(const struct socket_use *s, int64_t to_ns);
struct stream_slice socket_leaving(const struct socket_use *s, int64_t to_ns);

/*
 * Do two holds of one ip:port mean one socket of one host? A public address in front of phones is shared by right
 * (NAT): told by who named it. DIFFERENT: the same private address behind two routers.
 */
enum socket_owner { SOCKET_ONE_OWNER, SOCKET_NAT_OWNED, SOCKET_DIFFERENT };
enum socket_owner socket_owner_of(const struct network *network, const struct endpoint *at, const struct socket_hold *a,
	const struct socket_hold *b);

/* Longest time in which audio was due to `at` in both holds; false: none. */
bool holds_due_together(const struct socket_hold *a, const struct socket_hold *b, const struct endpoint *at,
	int64_t last_ns, int64_t *ret_from_ns,
			int64_t *ret_to_ns);
/* Did the other sides of both name a common address? Then it is one session seen in two dialogs. */
bool holds_share_remote(const struct socket_hold *a, const struct socket_hold *b);
bool hold_has_remote(const struct socket_hold *h, const struct endpoint *at);
/* Where the other side's SIP comes from; family 0: unknown. */
static inline const struct address *hold_remote_host(const struct socket_hold *h)
{
	return &h->leg->party[h->direction->sender].signalling.addr;
}
/* Where control packets of this session go; port 0: nowhere. */
struct endpoint hold_rtcp(const struct socket_hold *h);
/*
 * How well the source of a stream fits the other side of this hold: 0 not, 1 its host, 2 host and port, 3 named or
 * bound.
 */
unsigned hold_fits_source(const struct socket_hold *h, const struct stream *s);

#endif
