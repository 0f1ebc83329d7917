/* SPDX-License-Identifier: MIT */
/*
 * stream: RTP as it was seen. A stream is a flow (5-tuple) and an SSRC; a restart of its numbering begins a new epoch
 * within it. Counters: RFC 3550 A.1, A.3, A.8, as tshark reckons them where JSON gives them, and decomposed truth
 * (lost_within, epochs, gaps) for verdicts. What every packet touches is 64 bytes in an array of its own
 * (stream_private.h); struct stream is touched only when something happens, and brought up to date by
 * streams_finish() and whenever streams_packet() tells a change of it.
 */
#ifndef DEADAIR_MEDIA_STREAM_H
#define DEADAIR_MEDIA_STREAM_H

#include "captures/base/address.h"
#include "captures/base/hash.h"
#include "captures/base/list.h"
#include "captures/base/ns.h"
#include "dissect/packet.h"

struct direction;                    /* analyzer/media/expectation.h */
struct level;                        /* analyzer/media/level.h */

/*
 * A run of packets without a hole of a second or more; what windows are judged on. At most SPELL_MAX, then the smallest
 * hole between two closes.
 */
struct spell {
	int64_t first_ns, last_ns;
	uint32_t packets;            /* audio packets: without CN, events, keep-alives */
	uint32_t first_frame, last_frame;
	uint32_t comfort, events;    /* CN or SID packets; telephone-event packets */
};

enum gap_kind { GAP_LOST, GAP_STALLED, GAP_SUPPRESSED, GAP_MIXED };      /* what >= 80 % of it was */

/* 1.4.4: a hole of at least 3 packet times and 150 ms between two packets of one epoch, decomposed. */
struct gap {
	int64_t from_ns, to_ns;      /* last packet before, first after */
	uint32_t from_frame, to_frame;
	uint32_t seq_step;           /* seq after - seq before; 1: nothing is missing */
	uint32_t lost_ms, suppressed_ms, stalled_ms;
	bool speech_before;          /* of the last 4 sampled levels >= 3 above -40 dBm0 and the last above -30 */
	bool speech_after, marker, restart, new_source;
	bool held;                   /* the call was held: nothing was lost, see held.h */
};

struct interval {                    /* 5 s of a stream, JSON "intervals" */
	int64_t at_ns;
	uint32_t packets, expected;  /* expected within epochs */
	uint16_t max_jitter_tenth_ms; /* 0 also where the clock is unknown */
	uint16_t late60, followed;   /* packets later than a 60 ms buffer; of those what one in use has moved to */
	/* jitter of it proves nothing: PT change, event, CN, talkspurt, restart, capture gap */
	bool unfit : 1;
	bool audio : 1;              /* not CN, events or keep-alives alone */
	int8_t level_dbm0;           /* mean of its sampled packets; INTERVAL_UNHEARD none was listened to */
};
enum { INTERVAL_UNHEARD = INT8_MAX };
_Static_assert(sizeof(struct interval) == 24, "720 of them a stream");

/* Packets of one audio payload type, one after the other: what was sent in a stretch of time. */
struct type_run {
	int64_t first_ns, last_ns;
	uint32_t first_frame, last_frame;
	uint32_t packets;
	uint8_t pt;
};

enum { PAYLOAD_WINDOW_MAX = 8 };

/*
 * What payloads of a codec of fixed rate look like, where their length is not what the step of rtp_ts asks for, or SDP
 * promised SRTP. Lengths are counted while a window is open: 16 000 bytes (2 s of G.711), the first and one a minute.
 * Of more than 8 windows the first 4 and the latest.
 */
struct payload_window {
	float bits;                  /* entropy a byte */
	float spread_db;             /* of the packets' levels, decoded as the codec says: 95th less 5th percentile */
	float median_dbm0;
};
struct payload_look {
	uint32_t exact, shorter, longer;     /* packets; longer: by any number of bytes */
	uint32_t longer4, longer10, longer16; /* of those by so many: SRTP tags of 32 and 80 bits, GCM */
	uint32_t windows;
	struct payload_window window[PAYLOAD_WINDOW_MAX];
	uint32_t first_frame, last_frame;
	int64_t first_ns, last_ns;
};

/*
 * Packets of a stream whose key stands in SDP (a=crypto), whole, to be tested with it: some runs of 24, by time. What
 * was cut by the capture is no help.
 */
enum { SRTP_RUN_PACKETS = 24, SRTP_RUN_MAX = 10 };
struct srtp_packet {
	int64_t at_ns;
	uint32_t frame;
	uint32_t at;                 /* in the run's bytes */
	uint32_t rollovers;          /* of its numbers, since the first packet of its epoch (0) */
	uint16_t bytes;
};
struct srtp_run {
	struct srtp_packet packets[SRTP_RUN_PACKETS];
	uint8_t *bytes;
	uint32_t used, room;
	unsigned count, seen;        /* seen: those that cannot be used, too */
};
struct srtp_sample {
	struct srtp_run runs[SRTP_RUN_MAX];
	unsigned run_count;
	uint32_t unreadable;         /* packets that were cut */
};

enum payload_kind { PAYLOAD_AUDIO, PAYLOAD_COMFORT, PAYLOAD_EVENT, PAYLOAD_KEEPALIVE };

/* A payload type on a stream, and what is known of it. */
struct stream_type {
	uint32_t packets;
	uint32_t clock_hz;           /* 0 unknown */
	uint8_t pt;
	uint8_t kind;                /* enum payload_kind */
	bool estimated;              /* clock_hz is: 1.4.3 */
	bool listed;                 /* tshark knows the clock too: static type or rtpmap */
	uint8_t codec;               /* index in streams.codecs; 0 unknown */
};

enum { SPELL_MAX = 64, GAP_MAX = 64, INTERVAL_MAX = 720, LOSS_RUN_CLASSES = 10, STREAM_PT_MAX = 8, TYPE_RUN_MAX = 16 };

/* What went wrong with packets, and copies of them that a mirror made: most streams have none. */
enum { STREAM_MARKS = 4 };
struct stream_flaws {
	uint32_t loss_runs[LOSS_RUN_CLASSES];    /* runs of 1, 2, ... 9, 10 and more consecutive packets lost */
	uint32_t loss_events;
	uint32_t strays;             /* far from the sequence and followed by none: in packets and lost, not within */
	/* of lost_within: the audio before and after them follows without a hole, so they were events or the like */
	uint32_t lost_timeless;
	uint32_t counted_held;       /* not in lost_within: the sender counted on while the call was held (held.h) */
	/* mirror copies: how long after the original, and how many came with another (lower) TTL, MAC pair, VLAN */
	uint32_t copy_delta_min_ns, copy_delta_max_ns;
	uint32_t copies_other_ttl, copies_other_mac, copies_other_vlan;
	uint8_t copy_dscp;           /* of the latest copy: another point may have marked it anew */
	/* DSCP that changed: packets of each value but the last run; until where they are counted, what followed */
	struct { uint32_t packets; uint8_t dscp; } marks[STREAM_MARKS];
	uint32_t marked;             /* 0: it never changed */
	uint8_t mark_count, mark_last;
	/* packets that passed the same place again and again, each time with less to live; of the first of these */
	uint32_t looped, loop_frame, loop_last_frame;
	int64_t loop_ns;
	uint8_t loop_ttl, loop_passes;
	/*
	 * runs of consecutive packets beyond a 60 ms buffer; of those, how many had been held back for about 100 ms
	 * and came at once
	 */
	uint32_t late_runs, late_bursts;
	uint32_t late_seq;           /* of the last such packet, and by how much it was late */
	float late_ms;
	/*
	 * of those later than 60 ms such as come no later than others did for 200 ms before: a buffer in use has moved
	 * by then. Since when they come so late, and how late
	 */
	uint32_t followed;
	float follow_ms;
	int64_t follow_ns;
	/*
	 * the same sound, under an SSRC and numbers of its own: a B2BUA made this of it; NULL. No twin: nothing is
	 * counted once
	 */
	struct stream *sounds_as;
	/*
	 * the twin behind a router, which it goes on in: that began as the twin of another, before the router had this
	 * address; NULL
	 */
	struct stream *goes_on_in;
	bool late_burst, late_more;  /* the run in hand counts among late_bursts; it has more than one packet */
	/* how the least transit of half minutes moved, where it did so but once: by so much (0: not so), when +-30 s */
	float step_ms;
	int64_t step_ns;
	/*
	 * rtp_ts that lags behind the clock without end: of the runs until it was too late for any buffer, one behind
	 * the other, and where the present row of late packets began
	 */
	int64_t lag_ns, late_row_ns;
	uint64_t lag_ts;
	uint32_t late_row_ts;
};

/*
 * Cold: touched only when something happens. Here and in struct record (stream_private.h) what is large comes first, so
 * that no room is left between: there may be hundreds of thousands.
 */
struct stream {
	struct list_link in_order;   /* by first packet */
	struct hash_link by_ssrc;
	int64_t first_ns, last_ns;
	struct span codec;           /* lives as long as the process' tables or the leg's arena; empty unknown */
	/* as tshark has it: lost = last - first + 1 - packets, over everything */
	uint64_t packets;            /* mirror copies not counted */
	int64_t lost;
	uint32_t expected_within, lost_within;       /* epochs (1.4.3) */
	/* tshark's definitions; jitter is valid when jitter_known */
	int64_t max_delta_ns;
	float mean_jitter_ms, max_jitter_ms;
	uint32_t audio;
	int64_t interval_ns;         /* 5 s, doubled whenever INTERVAL_MAX is reached */
	struct type_run run;         /* the present one */
	struct type_run *runs;       /* those before it; when TYPE_RUN_MAX is reached the shortest goes */
	struct stream_type *types;   /* by first sight */
	struct spell *spells;
	struct gap *gaps;
	struct interval *intervals;
	struct stream_flaws *flaws;  /* NULL none: see stream_flaws() */
	const struct payload_look *payload;  /* NULL: nothing made it worth a look */
	const struct srtp_sample *srtp;      /* NULL: SDP names no key that this program could have read */
	struct digits *digits;       /* analyzer/media/digits.h; NULL: no telephone-event */
	const struct level *level;   /* what was heard: see stream_sound(); NULL never listened to */
	struct rtcp_view *reports;   /* RTCP about it, from its receiver: rtcp.h; NULL none */
	/* twins and binding */
	struct stream *twin_of;      /* the same stream seen at an earlier point, before a NAT or relay; NULL */
	const struct stream *twin_next;      /* the same stream at a later point: nearer its receiver; NULL */
	const struct direction *direction; /* what it is bound to; NULL orphan */
	struct endpoint src, dst;
	unsigned n;                  /* JSON number; 0 until numbered */
	uint32_t ssrc;
	uint32_t points;             /* bit set of the first 32 (file, interface, ifindex) it was seen at */
	uint32_t ifindex;            /* of its first packet, with file and interface: 0 unknown */
	uint32_t clock_hz;           /* of the audio type: SDP, RFC 3551, else estimated (1.4.3); 0 unknown */
	uint32_t first_frame, last_frame;
	uint32_t first_rtp_ts;
	uint32_t mirror_copies, duplicates, reordered, late;
	uint32_t keepalives;         /* empty, or payload type 20 (RFC 6263): no audio */
	uint32_t epochs;
	uint32_t late60, late200;    /* beyond a buffer of 60, 200 ms */
	float drift_ppm;             /* least transit per half minute, line through >= 4; 0 unknown */
	float ts_rate_hz;            /* measured over the longest run >= 10 s without a jump of rtp_ts; 0 unknown */
	uint32_t comfort, events;    /* packets by sort; audio is the rest */
	uint32_t suppressed_gaps;    /* gaps >= 150 ms of kind suppressed */
	uint16_t file, interface;    /* of its first packet; capture: in which file that began, where files rotate */
	uint16_t capture;
	uint16_t first_seq;
	uint16_t vlan;               /* of its first packet, 0 none; of copies see copies_other_vlan */
	uint16_t spell_count, gap_count, interval_count, run_count;
	uint8_t type_count;
	uint8_t ptime_ms;            /* learnt; 0 not yet */
	uint8_t dscp /* that most carry */, ttl, ttl_min, ttl_max;
	/* POINT: same addresses, in another file */
	enum twin_kind { TWIN_NONE, TWIN_NAT, TWIN_RELAY, TWIN_POINT } __attribute__((packed)) twin_kind;
	uint8_t bound_by;            /* 1-10 for B1..B10, 0 none */
	bool ambiguous : 1;          /* tied: bound to none, no absence claim on the tied windows */
	bool signalled : 1;          /* began at an address that SDP named; else by the heuristic of 1.4.2 */
	bool accepted : 1;           /* RTP beyond doubt: signalled with 2 in sequence, or the heuristic said yes */
	bool multicast : 1, keepalive_only : 1;
	bool relayed : 1;            /* it came inside TURN: one end is the TURN server's client */
	bool channelled : 1;         /* in a channel whose peer nobody saw bound: one end is the TURN server */
	bool clock_estimated : 1, jitter_known : 1;
	bool dtx_seen : 1;           /* CN or SID, 1-3 byte payload under an audio type, or a talkspurt gap */
	bool ends_in_comfort : 1;    /* the last packet is CN or SID */
	bool begins_marked : 1;      /* the first packet has the marker: the sender begins here (RFC 3551 4.1) */
};

/* What is known of a payload type at an address, from SDP; lent to the stream table by the expectation. */
struct stream_hint {
	bool signalled;              /* the destination (or source) address stands in a live SDP */
	uint32_t clock_hz[128];      /* 0 unknown */
	struct span codec[128];
	uint8_t event_pt[4], comfort_pt[2];
	unsigned event_count, comfort_count;
	unsigned ptime_ms;
	bool secure;
	bool keyed;                  /* a=crypto: its packets can be tested */
};

struct streams;

/*
 * A stream is told of for the first time when it is RTP beyond doubt: STARTED (an SDP names it, two packets in
 * sequence), ACCEPTED (by the heuristic, at its tenth packet) or SSRC_CHANGED (the flow had another stream before).
 * Only the first of several changes at a packet is told.
 */
enum stream_change { STREAM_NOTHING, STREAM_STARTED, STREAM_ACCEPTED, STREAM_RESTARTED, STREAM_GAP_ENDED,
	STREAM_SSRC_CHANGED, STREAM_PT_CHANGED };

struct stream_result {
	struct stream *stream;       /* NULL: not RTP (refused by the heuristic), or not yet known */
	enum stream_change change;
	const struct gap *gap;       /* STREAM_GAP_ENDED; good until the next packet */
	bool copy;                   /* a mirror copy: counted as such and nowhere else */
};

struct streams_config {
	unsigned heuristic_packets;  /* 10 */
	int64_t interval_ns, reorder_ns, overlap_ns, dup_window_ns, twin_max_ns;
	size_t max_streams;          /* 0: no cap */
	size_t max_flows;            /* 0: 262 144. Those without a stream go first */
	size_t max_sample_bytes;     /* of srtp_sample, all together; 0: none is taken */
	/* it goes: forget it; may be NULL: then accepted ones stay */
	void (*evicted)(void *context, struct stream *stream);
	void *evicted_context;
};

/*
 * Asked at the first packet of a flow and when a payload type appears: is one of its two ends announced in SDP now
 * (either end)? false: no.
 */
typedef bool stream_hint_fn(void *context, const struct packet *p, struct stream_hint *ret);

struct streams *streams_new(const struct streams_config *config, stream_hint_fn *hint, void *context);
void streams_free(struct streams *s);

/*
 * One packet of kind PACKET_RTP. The hot path: no allocation, no formatting, one hash look-up. Recognises mirror copies
 * of a known stream itself (1.4.6, 1.11): the caller need not have run the duplicate test for them.
 */
struct stream_result streams_packet(struct streams *s, const struct packet *p);

/*
 * The same in three steps, for batches: the flow's hash and a prefetch of its slot; a prefetch of its 64 bytes; then
 * the packet. The first two change nothing but the ticket.
 */
struct stream_ticket {
	uint64_t hash;
	uint32_t at;                 /* the slot where the flow was last, or its search begins */
	uint16_t seq;
};
struct stream_ticket streams_prepare_plain(const struct streams *s, const struct frame *f);  /* a plain frame */
struct stream_ticket streams_prepare(const struct streams *s, const struct packet *p);
void streams_prefetch(const struct streams *s, struct stream_ticket *ticket);
struct stream_result streams_packet_prepared(struct streams *s, const struct packet *p, struct stream_ticket ticket);

/*
 * A plain frame. True: it is the next packet of a known stream, nothing else is to be said of it, and it was taken.
 * False, and nothing has changed: it needs to be seen as a packet.
 */
bool streams_plain(struct streams *s, const struct frame *f, struct stream_ticket ticket);

/*
 * SDP has come later than the media: streams of these addresses learn clocks and codecs, heuristic candidates are
 * reconsidered.
 */
void streams_signalled(struct streams *s, const struct endpoint *at, const struct stream_hint *hint);

/* No flow is known at all. */
bool streams_none(const struct streams *s);
/* Is a flow from or to this address known, so that there may be something to cut? */
bool streams_met(const struct streams *s, const struct endpoint *at);

/* Cuts the running spell of streams from or to these addresses at now: a window of the expectation begins. */
void streams_cut(struct streams *s, const struct endpoint *at);

/* The latest stream to this address that was heard of; NULL none. */
struct stream *streams_to(const struct streams *s, const struct endpoint *at);

/*
 * Media that arrives at a host and leaves it again under another SSRC: are these two the same sound? Compared by
 * payload from now on; the answer is stream_flaws(leaves)->sounds_as == arrives, after 20 equal packets that are not
 * silence. For unjoined legs at one host (1.1.4).
 */
void streams_compare(struct streams *s, struct stream *arrives, struct stream *leaves);

/* Never NULL: of a stream without any all are 0. */
const struct stream_flaws *stream_flaws(const struct stream *s);
/* Its first frame went to another card than this one; false also where that is not known. */
bool stream_passes_card(const struct stream *s, const uint8_t mac[6]);
/* Packets that carried this DSCP; of the first STREAM_MARKS values. */
uint32_t stream_packets_marked(const struct stream *s, uint8_t dscp);

/* What was heard of a stream: G.711, or what its sender says of it (1.11). All 0 where nothing was. */
struct stream_sound {
	int64_t speech_last_ns;
	int64_t talked_ns;           /* from then on three seconds of speech had been heard; NS_NONE: never */
	double speech_s;             /* seconds of packets above -40 dBm0 */
	uint32_t samples, silent /* < -60 dBm0 */, speech /* > -40 */;
	float max_dbm0;
	uint32_t stuck_run_max;      /* longest run of equal non-silent sampled payloads, in packets */
	bool known;
	bool one_code;               /* all samples ever are one or two idle codes */
};
struct stream_sound stream_sound(const struct stream *s);

/*
 * Closes open intervals, settles heuristic candidates, twins, drift, numbers streams. Once, at the end; repeatable per
 * stream in live.
 */
void streams_finish(struct streams *s, int64_t last_ns);

/* What most of a gap is made of. */
enum gap_kind gap_kind(const struct gap *g);
/* What is missing in that gap was never sent: no loss from now on. Only for a stream that is settled. */
void stream_gap_held(struct stream *s, unsigned gap);
/*
 * Quiet in mid-speech, nothing lost, by a sender that never does so else: a bridge or a CPU, perhaps a mute key.
 * dtx_allowed: by SDP.
 */
bool gap_cuts_speech(const struct stream *s, const struct gap *g, bool dtx_allowed);
/* The sender had nothing to say: silence suppression, and no fault. */
bool gap_is_silence(const struct stream *s, const struct gap *g, bool dtx_allowed);

/*
 * All accepted streams, by first packet. What tshark would list: packets + mirror_copies >= 1, signalled or heuristic.
 */
const struct list *streams_in_order(const struct streams *s);

struct streams_counts {
	uint64_t rtp_packets;        /* of accepted streams, mirror copies included */
	uint64_t refused_packets;    /* had the form of RTP and were none, or too few to tell */
	uint64_t evicted, evicted_flows;
};
struct streams_counts streams_counts(const struct streams *s);

/* Audio packets of the stream within [from, to): spells that lie inside in whole, others by their share. */
double stream_packets_between(const struct stream *s, int64_t from_ns, int64_t to_ns);
/* Of its copies at other points under the same addresses the one nearest its receiver; itself where there is none. */
static inline const struct stream *stream_last_point(const struct stream *s)
{
	while (s->twin_next && s->twin_next->twin_kind == TWIN_POINT)
		s = s->twin_next;
	return s;
}

/* Runs of audio types by number, the present one last: i < run_count + 1. */
static inline const struct type_run *stream_run(const struct stream *s, unsigned i)
{
	return i < s->run_count ? &s->runs[i] : &s->run;
}
/* First and last packet within [from, to); NS_NONE when there is none (as far as spells tell). */
int64_t stream_first_between(const struct stream *s, int64_t from_ns, int64_t to_ns, uint32_t *ret_frame);
int64_t stream_last_between(const struct stream *s, int64_t from_ns, int64_t to_ns, uint32_t *ret_frame);

#endif
