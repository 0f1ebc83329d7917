/* SPDX-License-Identifier: MIT */
/*
 * echo: signs of a SIP ALG that one capture point can show. What a server echoes of a request (Via, Call-ID, From; RFC
 * 3261 8.2.6.2) is held against what the phone sent; and single messages bear marks that a rewriter left. Records only:
 * what they weigh is said by analyzer/detect/sip_alg_echo.c.
 */
#ifndef DEADAIR_NETWORK_ECHO_H
#define DEADAIR_NETWORK_ECHO_H

#include "analyzer/calls/call.h"
#include "analyzer/network/network.h"
#include "captures/base/hash.h"

enum { ECHO_TEXT = 128 };

enum echo_kind {
	/* an answer does not repeat what the request said */
	ECHO_VIA_HOST,               /* sent-by has another address */
	ECHO_VIA_PORT,               /* sent-by names the phone, but with a port added or changed */
	ECHO_CALL_ID_HOST,           /* the address behind @ */
	ECHO_CALL_ID,                /* all of it */
	ECHO_FROM_HOST,              /* an address of the phone */
	ECHO_FROM_PORT,              /* a port added behind an address of the phone */
	ECHO_RECEIVED,               /* received= is the phone's own private address, from a public server */
	ECHO_RESPONSE_PORT,          /* rport was asked for, the answer came to the Via's port all the same */
	/* one message, or a phone's messages beside each other */
	ECHO_NAT_TRACE,              /* SDP i=(o=IN IP4 a.b.c.d) */
	ECHO_LENGTH,                 /* Content-Length fits the body before addresses in it were replaced */
	ECHO_STALE,                  /* public Via, Contact and c= beside a private address elsewhere */
	ECHO_FIRST_PUBLIC,           /* a first REGISTER that knows the mapped port already */
	ECHO_ALTERNATES,             /* one header of one flow is now private, now public */
	ECHO_OWNER_NULL,             /* o= lost its address together with c= */
	ECHO_SERVER_PORT,            /* the server's address has got the phone's port */
	ECHO_AUTH,                   /* rejected again and again, the digest was made for another address */
	ECHO_VENDORS,                /* phones of several makers behind one address, all knowing their mapped ports */
	ECHO_CUT,                    /* messages of all lengths end at one size */
	/* INVITEs of a sort that SIP helpers drop are never answered, others of the flow are */
	ECHO_REFUSED,
	ECHO_KIND_COUNT
};

enum echo_stale {                    /* bits of echo_sign.detail for ECHO_STALE: where the private address stands */
	STALE_RTCP = 1 << 0, STALE_CANDIDATE = 1 << 1, STALE_ICE_MISMATCH = 1 << 2, STALE_OWNER = 1 << 3,
		STALE_DIGEST = 1 << 4,
	/* Refer-To, Referred-By, Route, Record-Route, P-Asserted-Identity, Remote-Party-ID */
	STALE_ROUTING = 1 << 5,
	STALE_CALL_ID = 1 << 6
};

enum echo_refused {                  /* bits of echo_sign.detail for ECHO_REFUSED: what such helpers do not like */
	REFUSED_LOW_PORT = 1 << 0, REFUSED_FAMILY = 1 << 1, REFUSED_NO_CONNECTION = 1 << 2, REFUSED_NO_LENGTH = 1 << 3
};

enum echo_length {                   /* what lengths that do not fit say of their phone */
	LENGTH_UNKNOWN,              /* no known address explains it */
	LENGTH_ONCE,                 /* one does, in one message */
	LENGTH_PROVEN,               /* in two, with different differences */
	LENGTH_HABIT                 /* the same difference every time: the phone can not count */
};

struct echo_sign {                   /* one kind of sign in one call of one phone with one server */
	struct list_link in_order;
	struct hash_link by_key;
	uint8_t kind, transport;     /* enum echo_kind, enum packet_transport */
	struct endpoint phone, peer; /* its source and the server, as captured; of ECHO_VENDORS the port is 0 */
	uint64_t leg_key;            /* two_points_leg_key(); 0: not a call */
	uint64_t agent;              /* of a phone seen from outside, see echoes_doubts(); 0 none */
	struct address old, new;     /* the addresses that were replaced and put in; family 0: none, a name */
	char field[24], before[ECHO_TEXT], after[ECHO_TEXT];         /* safe text */
	struct frame_ref seen[2];
	uint32_t messages, transactions;
	uint32_t together;           /* bits 1 << enum echo_kind: stood in one answer with this */
	/* ECHO_STALE: bits enum echo_stale; ECHO_RESPONSE_PORT: the port; ECHO_LENGTH: 1 explained by an address */
	uint32_t detail;
	uint32_t discarded;          /* the phone went on repeating its request after such answers */
	uint8_t router_mac[6];       /* to which the phone sends; zeros unknown */
	int64_t first_ns, last_ns;
};

enum echo_doubt {                    /* what speaks against signs of a phone seen from outside, 3.3 N1-N6 */
	DOUBT_STUN = 1 << 0,         /* STUN told this public address */
	DOUBT_LEARNED = 1 << 1,      /* a server told it before the phone used it */
	/* the same User-Agent says the same address where no ALG looks: another port, TLS, IPv6 */
	DOUBT_ELSEWHERE = 1 << 2,
	DOUBT_UNTOUCHED = 1 << 3     /* private addresses pass there as they are */
};

struct echoes;

struct echoes *echoes_new(void);
void echoes_free(struct echoes *e);

/* Every packet that is no copy, media of known streams left out. Of SIP only complete messages count. */
/* Where echoes_packet() will look; gives how many, HASH_PLACES at most. */
unsigned echoes_places(const struct echoes *e, const struct packet *p, struct hash_place *ret);
void echoes_packet(struct echoes *e, const struct packet *p);
/* The same; at: what echoes_places() gave for it. */
void echoes_packet_at(struct echoes *e, const struct packet *p, const struct hash_place *at);

/* What still waits for an answer gets none. Repeatable. */
void echoes_settle(struct echoes *e);
const struct list *echoes_signs(const struct echoes *e);     /* struct echo_sign, by first sight */
/* Bits enum echo_doubt as of now. */
unsigned echoes_doubts(const struct echoes *e, const struct echo_sign *s);
/* Of ECHO_LENGTH. */
enum echo_length echoes_length(const struct echoes *e, const struct echo_sign *s);
/* Has the phone sent from that port of its own to the server within 300 s of the time? */
bool echoes_sent_from(const struct echoes *e, const struct address *phone, uint16_t port, const struct address *peer,
	int64_t at_ns);
/* A tunnel that no private host but this one ends (IPsec, GRE, WireGuard): addresses may pass it untranslated. */
bool echoes_tunnel(const struct echoes *e, const struct address *phone);
/*
 * Answers of the server, on any port, that gave back all that the phone had sent, with the public source in received=.
 */
unsigned echoes_intact(const struct echoes *e, const struct address *phone, const struct address *server);

struct echo_intact {                 /* those of one phone and server */
	struct list_link in_order;
	struct address phone, outside;       /* its own address; as the server saw it */
	struct endpoint server;
	uint8_t transport;
	bool several;                /* more than one such port, transport or outside address */
	unsigned count;
	unsigned telling;            /* of them: a helper that rewrites would have changed them */
	struct frame_ref request_at, answer_at;      /* the first of these */
	int64_t last_ns;             /* the last of these */
};

const struct list *echoes_intact_all(const struct echoes *e);        /* struct echo_intact.in_order, by first sight */

struct echo_passing {                /* requests of phones behind one public address to one service */
	struct list_link in_order;
	struct address from;
	struct endpoint server;      /* the first; the service is its port */
	uint8_t transport;
	uint32_t untouched;          /* that say private addresses wherever a rewriter would have to change them */
	bool touched;                /* one says a public address there */
	bool begins, sdp;            /* among the untouched: REGISTER or INVITE; SDP */
	struct frame_ref first_at;   /* untouched */
	int64_t last_ns;
};

const struct list *echoes_passing(const struct echoes *e);   /* struct echo_passing.in_order, by first sight */
/* The public server named the address of another private host than the one it spoke to: it sees them untranslated. */
bool echoes_insider(const struct echoes *e, const struct address *server);

struct echo_external {               /* a router told a host, by NAT-PMP, PCP or UPnP, which address it has outside */
	struct address host, router, external;
	int64_t at_ns;
	uint32_t frame;
	uint16_t file;
};

/* The first ones met. */
const struct echo_external *echoes_externals(const struct echoes *e, unsigned *ret_count);

struct echo_phone {                  /* a phone with a public address, by the requests that it wrote itself: one Via */
	struct list_link in_order;
	struct endpoint source, peer;        /* its latest socket; the server */
	uint8_t transport;
	bool says_phone;             /* by its User-Agent */
	bool ttl_varies;
	uint8_t ttl;                 /* of its first request */
	uint32_t requests;           /* whose TTL is the sender's own */
	struct frame_ref first_at;
};

const struct list *echoes_phones(const struct echoes *e);    /* struct echo_phone.in_order, by first sight */

/* How phones of one make write one method to one service, behind one address: names, blanks, order of their headers. */
struct echo_style {
	struct list_link in_order;
	struct address from;
	struct endpoint peer;
	uint8_t transport, method;   /* enum packet_transport, enum sip_method */
	uint32_t messages;
	struct frame_ref first_at;
};

struct echo_restyled {               /* the same make writes otherwise elsewhere */
	const struct echo_style *elsewhere;
	char field[24], before[ECHO_TEXT], after[ECHO_TEXT]; /* safe text; before: as it is written elsewhere */
};

const struct list *echoes_styles(const struct echoes *e);    /* struct echo_style.in_order, by first sight */
/*
 * Is it this place alone that has another style? False too when phones there change it, and when nothing proves the
 * other places to be untouched: neither a private address that passes, nor two that agree.
 */
bool echoes_restyled(const struct echoes *e, const struct echo_style *s, struct echo_restyled *ret);

#endif
