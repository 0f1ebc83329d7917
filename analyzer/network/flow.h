/* SPDX-License-Identifier: MIT */
/*
 * flow: every attempt to connect by TCP that has to do with SIP: was the SYN answered, refused, sent again; what each
 * side said first; what the TLS handshake shows before it is encrypted, and the lengths of records behind that (RFC
 * 9293, 5246, 8446). Which flows have to do with SIP is known late: those that may are kept, bounded; what spoke and
 * was not SIP goes first, then what is to no port of SIP. Fed with TCP alone.
 */
#ifndef DEADAIR_NETWORK_FLOW_H
#define DEADAIR_NETWORK_FLOW_H

#include "analyzer/calls/call.h"
#include "captures/base/hash.h"
#include "captures/base/list.h"
#include "captures/base/ns.h"
#include "dissect/packet.h"

enum { FLOW_RECORDS = 8, FLOW_NAME = 128, FLOW_CLIENT = 0, FLOW_SERVER = 1 };

/* LATER: what came first is not in the capture, or comes behind something later */
enum flow_speech { FLOW_NOTHING, FLOW_SIP, FLOW_TLS, FLOW_OTHER, FLOW_LATER };

struct flow_side {
	enum flow_speech first;      /* what its first bytes were */
	struct frame_ref first_at, fin_at, rst_at; /* frame 0: never */
	struct frame_ref sip_at;     /* first SIP message in clear */
	struct frame_ref alert_at;   /* first TLS alert in clear that is no goodbye */
	uint8_t alert_level, alert;
	bool cipher_changed;         /* all behind it is encrypted */
	uint64_t bytes;              /* of payload, as captured or not */
	uint32_t opening_bytes;      /* of the first segment with payload */
	unsigned opening_copies;     /* the same segment again: not acknowledged */
	/* segments again while the other side had said no more than its opening, nor acknowledged any of this side's */
	unsigned flight_copies;
	unsigned unheard_copies;     /* segments again since the other side said anything, if only an ACK */
	int64_t last_ns;             /* the last that it said, but for RST; 0: nothing */
	/*
	 * The last segment that came again, as long as nothing behind its beginning is acknowledged: its first copy,
	 * how large its IP packet is, and how often it came again; 0: nothing is stuck.
	 */
	struct frame_ref stuck_at;
	uint32_t stuck_seq;
	uint16_t stuck_bytes;
	unsigned stuck_copies;
	uint32_t begin_seq;          /* of its first byte; 0 with begin_known false */
	bool begin_known, taken;     /* its SYN was seen; the other side acknowledged some of it */
	unsigned record_count;       /* of content 23 */
	uint16_t records[FLOW_RECORDS];      /* their lengths, the first ones */
	struct frame_ref record_at;  /* the last one */
};

struct flow_certificate {            /* the server's; all texts are safe to print */
	bool seen, self_issued, covers;      /* covers: the name that the client asked for, or the server's address */
	int64_t not_before_s, not_after_s;
	char subject[FLOW_NAME], issuer[FLOW_NAME], names[FLOW_NAME];
	struct frame_ref at;
};

struct flow {
	struct list_link in_order;
	struct hash_link by_key;
	struct endpoint client, server;
	unsigned n;                  /* 1-based */
	bool partial;                /* its SYN is not in the capture */
	unsigned syns;               /* copies included */
	uint32_t isn;
	int64_t first_ns, syn_ns, last_ns;   /* syn: the last copy */
	struct frame_ref first_at, syn_at, accepted_at;
	struct flow_side side[2];
	/* TLS */
	struct frame_ref hello_at, server_hello_at;
	uint16_t offered, chosen;    /* versions, 0x0303 is TLS 1.2; 0 unseen */
	bool sip_alpn, client_certificate_empty, client_certificate;
	char server_name[FLOW_NAME]; /* SNI */
	struct flow_certificate certificate;
	unsigned late_count;         /* TLS 1.3: records of the server behind the client's Finished */
	uint16_t late_first;         /* length of the first of these */
	bool late_big;               /* one of them is more than an alert */
	bool client_left;            /* the client ended, or sent what may be its goodbye, before the first of these */
};

struct flows;
struct site;

/* The site says which ports are SIP's beside 5060 and 5061; max 0: 16 384. */
struct flows *flows_new(const struct site *site, size_t max);
void flows_free(struct flows *f);
/* Any packet that is no mirror copy; all but TCP is passed over. */
void flows_packet(struct flows *f, const struct packet *p);
const struct list *flows_in_order(const struct flows *f);    /* struct flow.in_order, by first sight */
uint64_t flows_evicted(const struct flows *f);
uint64_t flows_others_evicted(const struct flows *f); /* that spoke, and not SIP; in the above not counted */

/* Did the handshake end well; true too where the flow was met behind it. */
bool flow_secured(const struct flow *f);
/* Did the server take the connection at all? */
bool flow_accepted(const struct flow *f);
bool flow_refused(const struct flow *f);

/* What is known of a server's socket from all flows to it. */
struct flow_service {
	struct list_link in_order;
	struct hash_link by_key;
	struct endpoint at;
	unsigned accepted, refused, plain, secured, sip_alpn; /* plain: SIP in clear was answered */
	struct frame_ref accepted_at, plain_at, secured_at;
	uint16_t lowest_secured, highest_offer_secured; /* versions that clients offered with success */
};

/* Reckoned of the flows as they stand; good until the next flows_packet(). */
void flows_settle(struct flows *f);
const struct flow_service *flows_service(const struct flows *f, const struct endpoint *at);
/* Did that client get TLS up with another port of the server's host at that time or later? */
bool flows_secured_since(const struct flows *f, const struct address *client, const struct endpoint *server,
	int64_t from_ns);
const struct list *flows_services(const struct flows *f);

#endif
