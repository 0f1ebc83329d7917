/* SPDX-License-Identifier: MIT */
/*
 * two_points: SIP messages that were captured at several points of their way: what hops between them changed, what
 * passed unchanged, what went in and did not come out, and how far the clocks of the files are apart.
 *
 * A point is (file, interface, VLAN, direction). A message is known again by K1: method or code, CSeq, top branch,
 * From-tag; a transmission of it at each point is a sighting. Texts are kept until the message can be compared (1.11),
 * never for longer.
 */
#ifndef DEADAIR_NETWORK_TWO_POINTS_H
#define DEADAIR_NETWORK_TWO_POINTS_H

#include "analyzer/calls/call.h"
#include "analyzer/network/clock_offset.h"
#include "analyzer/network/message_diff.h"
#include "analyzer/network/network.h"
#include "captures/base/hash.h"

enum { POINT_MAX = 32, PASSAGE_TIMES = 64 };

struct point {
	uint16_t file, interface, vlan;      /* file: packet_capture() */
	uint32_t ifindex;
	uint8_t direction;
};

/* A field that one hop changed in one call (or for one phone, outside calls). */
struct passage_change {
	struct list_link in_passage;
	struct hash_link by_key;
	uint64_t key;
	struct message_change change;
	uint64_t leg_key, leg_key_behind;    /* two_points_leg_key() before and behind */
	struct endpoint phone;       /* its own socket, on the private side; family 0: nothing was translated */
	struct frame_ref seen[2];    /* before, behind */
	uint32_t count;
	int64_t first_ns, last_ns;
};

/* All that went between a phone's side and a server's port through one translating (or merely routing) hop. */
struct passage {
	struct list_link in_order;
	struct hash_link by_key;
	struct address outside;      /* the router's address on the far side; family 0: nothing was translated */
	uint8_t transport;
	uint16_t port;               /* of the server */
	struct address peer;         /* the server, the first one seen */
	/* equal: byte for byte; respelled: blanks, short names */
	uint32_t pairs, equal, respelled, changed, forwarded;
	uint32_t rewritten;          /* of the changed: an address of one side became that of the other */
	uint32_t equal_own;          /* outward, equal, although naming the phone's own socket */
	/* requests that came out under another branch, the phone's Via gone and the router's in its place */
	uint32_t replaced;
	bool begins_equal;           /* of these: a REGISTER or a request that makes a dialog */
	bool response_in_equal;      /* a response towards the phone */
	bool sdp_crossed, sdp_equal; /* any session description; one that names the phone, outward and equal */
	struct frame_ref equal_at[2];
	struct list changes;         /* struct passage_change */
	/* likewise: what names the phone inside and passed as it is; means something where others changed */
	struct list kept;
	struct list replacements;    /* likewise: of the replaced */
	/* of some pairs, evenly thinned */
	struct delay_sample { int64_t took_ns; uint16_t from_file, to_file; } delays[PASSAGE_TIMES];
	unsigned delay_count;
	uint32_t delay_stride, delay_skipped;
	uint64_t changes_dropped;
	int64_t first_ns, last_ns;
};

/*
 * A request or response that was sent again and again at one point and not seen at the next, where its neighbours were.
 */
struct lost_message {
	struct list_link in_order;
	struct point at, missing_at;
	struct frame_ref first, last;
	unsigned transmissions;
	struct endpoint src, dst;    /* as seen where it went in */
	struct endpoint behind_src, behind_dst;      /* as its neighbours look behind the hop */
	bool translated;
	bool request;
	uint8_t method, transport;
	uint16_t status;
	uint64_t leg_key;
	uint32_t bytes;              /* of the IP packet */
	uint32_t passed_bytes;       /* the largest that passed between the same two hosts */
	bool method_passed;          /* another message of that method did */
	bool passed_before, passed_after;    /* neighbours within 30 s */
	/* what SIP helpers are known to refuse */
	bool sdp, sdp_no_connection, sdp_other_family, no_content_length;
	uint16_t sdp_low_port;       /* 1-1023: that port; 0 none */
	uint16_t audio_port;         /* of the first m=audio, 0 none */
	bool new_peer;               /* from a port of src from which nothing else passed */
};

struct two_points;

struct two_points_config {
	int64_t window_ns;           /* 5 s: how long a message waits for its copy */
	int64_t max_offset_ns;       /* 3600 s: between the clocks of two files */
	uint64_t clocks_set;         /* bit per file whose times were set by another's clock */
	bool one_clock;              /* a live capture: nothing waits for the clocks of files */
	unsigned min_transmissions;  /* 2: below, a lost message is no lost_message */
};

struct two_points *two_points_new(const struct two_points_config *config);
void two_points_free(struct two_points *t);

/* Every frame: how long each file lasts. */
void two_points_frame(struct two_points *t, uint16_t file, int64_t at_ns);
/* Where two_points_message() will look; gives how many, HASH_PLACES at most. */
unsigned two_points_places(const struct two_points *t, const struct packet *p, struct hash_place *ret);
/* Every SIP packet, copies too. */
void two_points_message(struct two_points *t, const struct packet *p, enum duplicate_verdict verdict);
/* The same; at: what two_points_places() gave for it. */
void two_points_message_at(struct two_points *t, const struct packet *p, enum duplicate_verdict verdict,
	const struct hash_place *at);
/* Compares what still waits and judges what is missing. Repeatable: nothing is counted twice. */
void two_points_settle(struct two_points *t);

/* How many points had SIP; < 2: nothing can be said. */
unsigned two_points_count(const struct two_points *t);
const struct list *two_points_passages(const struct two_points *t);  /* struct passage, by first pair */
const struct list *two_points_lost(const struct two_points *t);      /* struct lost_message; after two_points_settle */
const struct clock_offsets *two_points_clocks(const struct two_points *t);
struct passage_delay { int64_t median_ns, p95_ns; unsigned count; };
/* How long messages take from one point to the next; false: two clocks more than 5 ms apart, or too few pairs. */
bool passage_delay_of(const struct passage *p, const struct clock_offsets *clocks, struct passage_delay *ret);
uint64_t two_points_leg_key(struct span call_id, struct span from_tag);
uint64_t two_points_leg_key_of(const struct sip_message *m);  /* the same of its own */
/* First and last frame of the file. */
bool two_points_covers(const struct two_points *t, uint16_t file, int64_t at_ns);

#endif
