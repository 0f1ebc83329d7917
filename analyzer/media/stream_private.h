/* SPDX-License-Identifier: MIT */
/* stream_private: what the files of the stream table share. No one else includes it but their tests. */
#ifndef DEADAIR_MEDIA_STREAM_PRIVATE_H
#define DEADAIR_MEDIA_STREAM_PRIVATE_H

#include "analyzer/media/heuristic.h"
#include "analyzer/media/level.h"
#include "analyzer/media/stream.h"
#include "captures/base/arena.h"
#include "captures/base/memory.h"
#include "captures/base/pool.h"
#include "dissect/plain.h"

enum {
	SEQ_MAX_DROPOUT = 3000, SEQ_MAX_MISORDER = 100,        /* RFC 3550 A.1 */
	GAP_MIN_MS = 150, SPELL_HOLE_MS = 1000, HALF_MINUTE_S = 30,
	SID_MAX = 3, AMR_SID_MAX = 7,          /* bytes of a silence descriptor; no codec's is longer than AMR's */
	FLOW_STREAM_MAX = 4,
	ENDPOINT_FLOWS_MAX = 256,    /* of one place, or of one SSRC, that are looked at */
	CHUNK_SHIFT = 8, CHUNK_STREAMS = 1 << CHUNK_SHIFT
};

enum hot_flag {
	HOT_SLOW = 1 << 0,           /* no packet of it is plain: a candidate, or a clock that is unknown or odd */
	HOT_ASIDE = 1 << 1,          /* what the next packet is compared with stands in record.aside */
	HOT_UNDER = 1 << 2,          /* tshark's: sequence numbers below the first are of the next cycle */
	HOT_STRANGE = 1 << 3,        /* the last packet was far from the sequence: see record.aside */
	HOT_LEVEL = 1 << 4,          /* G.711: every 4th packet is listened to */
	HOT_MARKS = 1 << 5,          /* has shown repeated packets: marks of the last 64 are kept */
	HOT_FAR = 1 << 6,            /* has shown packets older than the window: bitmap of 4096 */
	HOT_TWIN = 1 << 7,           /* is compared with another stream */
	HOT_PROBE = 1 << 8,          /* its payloads are looked at: see payload_probe.c */
	HOT_SRTP = 1 << 9            /* its packets are kept: see srtp_sample.c */
};
/* its packets are looked at as a whole */
#define HOT_WHOLE (HOT_MARKS | HOT_FAR | HOT_TWIN | HOT_PROBE | HOT_SRTP)
#define HOT_AFTER (HOT_LEVEL | HOT_WHOLE)

/*
 * One cache line. A plain packet (next in sequence, one packet time on, nothing special) touches this and nothing
 * else.
 */
struct stream_hot {
	int64_t last_ns;             /* of the last packet, in sequence or not; rtp_ts, last_*, length too */
	uint64_t window;             /* bit i: ext_seq - i was seen; before the first: set */
	uint32_t rtp_ts, last_frame;
	uint32_t ext_seq;            /* highest of this epoch; packets so far: ext_seq - record.minus */
	uint32_t due;                /* ns >> 20: when an interval or half minute of the record ends */
	float jitter_ms, jitter_sum; /* J now; sum of J since the record was visited, for its mean */
	float over_ms[2];            /* transit above the least of this and of the last half minute */
	uint16_t jitter_max_q8;      /* ms * 256, of plain packets in this interval */
	uint16_t delta_max_8us;      /* stream.max_delta_ns, rounded down */
	uint16_t last_ip_id;
	uint16_t first_seq;
	uint16_t flags;              /* enum hot_flag */
	uint8_t pt, ttl, dscp, khz, ptime_ms, length;
};
_Static_assert(sizeof(struct stream_hot) == 64, "one cache line");

/* The packets that the next one is compared with, where they are not the last one. */
struct stream_before {
	int64_t top_ns, audio_ns;    /* highest in sequence; last audio in sequence */
	uint32_t top_ts, top_frame, audio_ts;
	int64_t time_ns;             /* tshark's: last packet not older than the first by rtp_ts */
	double nominal_ms;           /* tshark's: rtp_ts of the last packet with a clock, since the first */
};

struct copy_mark { int64_t at_ns; uint32_t frame; uint16_t seq, ip_id; uint8_t ttl, length, falls; };

/* What most streams never need; the pointers are NULL where nothing makes them necessary. */
struct aside {
	struct stream_before before; /* HOT_ASIDE */
	struct { uint16_t next_seq; uint32_t frame; int64_t at_ns; } strange;    /* HOT_STRANGE */
	uint64_t *far;               /* 4096 bits by seq: HOT_FAR */
	struct copy_mark *marks;     /* 64 by seq: HOT_MARKS */
	struct twin *twin;           /* HOT_TWIN */
	uint64_t expected_closed, lost_closed;       /* A.1, of the epochs before */
};

/* Least transits of half minutes since the anchor: sums for the line through them; the level that they keep. */
struct drift { double n, x, y, xx, xy, level; int64_t level_ns; unsigned best; bool stepped, between, unsteady; };

struct flow;
struct twin;                         /* twin.c: a ring and the pairs under comparison */

/* Cold: a struct stream and what nobody else needs to see. */
struct record {
	struct stream s;             /* first: a struct stream of the table is its record */
	struct flow *flow;
	struct record *next;         /* of its flow, heard before this one; while unused: the next unused one */
	uint64_t sequence;           /* order of first packets */
	/* NULL where nothing makes them necessary */
	struct aside *aside;
	struct drift *drift;
	struct heuristic *heuristic; /* while undecided */
	double jitter_total;         /* tshark's mean * (packets - 1) */
	/* A.1 */
	int64_t holes;               /* lost in this epoch so far */
	int64_t interval_at_ns, half_at_ns;
	int64_t anchor_ns;           /* without a clock: where its estimate began, 0 not yet */
	int64_t tied_ns;             /* when rtp_ts and the wall clock were tied to each other anew */
	int64_t rate_run_ns;
	struct stream_type first_type;       /* s.types as long as there is but one; then STREAM_PT_MAX of them */
	uint32_t index;              /* of hot and record */
	uint32_t cycles;
	uint32_t minus, base_ext;    /* A.1 */
	uint32_t step;               /* ptime */
	/* totals when the type, s.run, the running spell and interval began */
	uint32_t type_audio, run_audio;
	uint32_t spell_audio, spell_comfort, spell_events;
	uint32_t interval_expected, interval_audio, interval_packets, interval_late60, interval_followed, interval_levels;
	float interval_jitter_ms;    /* largest J of packets that were not plain */
	uint32_t anchor_ts;
	uint32_t late_row_seq;
	uint16_t stop_seq;
	uint8_t mac_src[6], mac_dst[6];
	uint8_t step_count;
	uint8_t late_row;            /* packets later than 200 ms one after the other */
	uint8_t type : 3;            /* index in types of the present one */
	bool used : 1;
	bool after_other : 1;        /* the flow had another stream before */
	bool running : 1;            /* s.run has begun */
	bool typed : 1;              /* an audio type is in use */
	bool gives_level : 1;        /* RFC 6464 */
	bool secure : 1;             /* SRTP: payloads say nothing */
	bool keyed : 1;              /* SDP tells its keys */
	bool is_twin : 1;            /* another stream has it for its nearer twin, or sounds as it */
	bool told : 1;               /* streams_packet() has given it out */
	bool stop_aside : 1;         /* the last packet was not the highest: its number is stop_seq */
	bool listed_ever : 1;
	bool spell_open : 1, interval_unfit : 1, anchored : 1;
};

enum { SLOT_EMPTY = 0, SLOT_STREAM, SLOT_NO_STREAM, SLOT_REFUSED };

struct slot {
	uint64_t hash;               /* keyed, 64 bit, of addresses, ports and file group: stands for them */
	uint32_t ssrc;               /* of the stream; REFUSED: packets left until it is looked at again */
	uint32_t index : 30;         /* of the stream last heard */
	uint32_t state : 2;
};

struct flow {                        /* there may be a quarter of a million */
	uint64_t hash;
	struct hash_link by_src, by_dst;
	struct list_link in_age;     /* streams.flows */
	struct endpoint src, dst;
	struct record *latest;       /* heard; from there by record.next, FLOW_STREAM_MAX at most */
	unsigned records;            /* that name it, those beyond FLOW_STREAM_MAX too */
	uint8_t ssrcs;               /* begun since one was accepted */
	uint8_t stream_count : 3;    /* of the list */
	uint8_t refusals : 3;        /* each makes the next look rarer */
	bool signalled : 1;
	bool rtp : 1;                /* has had an accepted stream */
};

_Static_assert(STREAM_PT_MAX <= 1 << 3, "record.type");

struct file_state {
	bool seen;
	uint16_t before;             /* the file that was read when this one began */
	int64_t first_ns, last_ns;
};

enum { CODEC_MAX = 64, POINT_MAX = 32 };

struct streams {
	struct streams_config config;
	stream_hint_fn *hint;
	void *context;
	uint64_t hash_key[3];        /* secret; the last is odd */
	struct slot *slots;          /* open addressing, linear, at most two thirds full */
	struct flow **slot_flows;    /* beside the slots: looked at only when a slot does not settle it */
	size_t slot_mask, slot_count;
	struct stream_hot **hot;     /* chunks of CHUNK_STREAMS, aligned within hot_raw: they never move */
	struct level **levels;       /* beside them; NULL: nothing in that chunk is listened to */
	void **hot_raw, **levels_raw;
	struct record **records;
	size_t chunks, chunk_room;
	uint32_t used, live;         /* records ever used; in use now */
	struct record *free_records;
	uint32_t hand;               /* where eviction looks next */
	struct streams_counts counts;
	struct list flows;           /* by age */
	struct pool flow_pool;
	struct hash by_src, by_dst;  /* of flows */
	struct hash by_ssrc;         /* of accepted streams */
	struct list in_order;
	bool unsorted;
	uint64_t sequence;           /* of first packets so far */
	unsigned numbered;
	struct arena *arena;
	struct span codecs[CODEC_MAX];
	unsigned codec_count;        /* [0] is none */
	struct { uint32_t ifindex; uint16_t file, interface; } points[POINT_MAX];
	unsigned point_count;
	struct file_state *files;
	size_t file_room;
	uint16_t last_file;
	bool several_files;
	struct stream_hint asked;    /* the hint's answer is large: one place for it */
	struct level_table *level_table;
	size_t sample_bytes;         /* srtp_sample.c */
	struct short_hole *short_holes;      /* short_hole.c */
	uint64_t short_hole_count;   /* ever */
	bool never_plain;            /* tests: every packet takes the long way */
};

static inline uint64_t load_word(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

/*
 * Two secret words and one multiplication to 128 bits (NH of UMAC, RFC 4418) for the twelve bytes of IPv4: two given
 * flows share the result with a chance of about 2^-63, so that its 64 bits, compared whole, stand for the addresses.
 */
static inline uint64_t flow_hash4(
	const struct streams *s, const uint8_t src[4], const uint8_t dst[4], uint32_t ports, uint16_t file)
{
	uint64_t addresses = load_word(src) << 32 | load_word(dst);
	uint64_t hash = hash_fold(addresses + s->hash_key[0], ports + s->hash_key[1]) * s->hash_key[2];

	hash ^= hash >> 32;
	return file ? hash_mix(hash, file) : hash;
}

static inline uint64_t flow_hash(const struct streams *s, const struct packet *p)
{
	struct { uint8_t src[16], dst[16]; uint16_t ports[2]; } key;
	uint64_t hash;

	if (p->src.addr.family != 6)
		return flow_hash4(s, p->src.addr.bytes, p->dst.addr.bytes, (uint32_t)p->src.port << 16 | p->dst.port,
			p->file);
	memcpy(key.src, p->src.addr.bytes, sizeof key.src);
	memcpy(key.dst, p->dst.addr.bytes, sizeof key.dst);
	key.ports[0] = p->src.port;
	key.ports[1] = p->dst.port;
	hash = hash_bytes(&key, sizeof key);
	return p->file ? hash_mix(hash, p->file) : hash;
}

/* Its place, or the empty one where the search ended. */
static inline size_t slot_find(const struct streams *s, uint64_t hash)
{
	size_t at = hash & s->slot_mask;

	while (s->slots[at].state != SLOT_EMPTY && s->slots[at].hash != hash)
		at = (at + 1) & s->slot_mask;
	return at;
}

static inline struct stream_hot *streams_hot(const struct streams *s, uint32_t index)
{
	return &s->hot[index >> CHUNK_SHIFT][index & (CHUNK_STREAMS - 1)];
}

/* NULL: never listened to. */
static inline struct level *streams_level(const struct streams *s, uint32_t index)
{
	struct level *chunk = s->levels[index >> CHUNK_SHIFT];

	return chunk ? &chunk[index & (CHUNK_STREAMS - 1)] : NULL;
}

static inline struct record *streams_record(const struct streams *s, uint32_t index)
{
	return &s->records[index >> CHUNK_SHIFT][index & (CHUNK_STREAMS - 1)];
}

static inline uint32_t record_packets(const struct record *r, const struct stream_hot *h)
{
	return h->ext_seq - r->minus;
}

static inline uint64_t record_expected(const struct record *r, const struct stream_hot *h)
{
	return (r->aside ? r->aside->expected_closed : 0) + (h->ext_seq - r->base_ext) + 1;
}

static inline uint32_t record_audio(const struct record *r, const struct stream_hot *h)
{
	return record_packets(r, h) - r->s.comfort - r->s.events - r->s.keepalives;
}

/* A list of count items gets room for one more: it doubles wherever it has filled a power of two. */
static inline void *list_grow(void *list, unsigned count, size_t size)
{
	return count & (count - 1) ? list : memory_resize(list, count ? (size_t)count * 2 : 1, size);
}

static inline uint64_t *record_far(const struct record *r)
{
	return r->aside ? r->aside->far : NULL;
}

static inline bool payload_is_comfort(uint8_t pt)
{
	return pt == 13 || pt == 19;
}

static inline double ns_ms(int64_t ns)
{
	return (double)ns / MILLISECOND_NS;
}

/* clock_hz / 1000 as tshark divides, in whole kHz; 0 unknown or beyond 255. */
static inline uint8_t clock_khz(uint32_t clock_hz)
{
	return clock_hz / 1000 <= 255 ? (uint8_t)(clock_hz / 1000) : 0;
}

/* stream_flow.c: flows, their slots and the files they come from */
void flows_init(struct streams *s);
void flows_fini(struct streams *s);
struct flow *flow_add(struct streams *s, const struct packet *p, uint64_t hash);
/* The slot leads to this stream now; NULL: to none. */
void flow_point_at(struct streams *s, const struct flow *f, const struct record *r);
void flow_refuse(struct streams *s, struct flow *f);
void flow_forget(struct flow *f, const struct record *r);
void flow_remember(struct flow *f, struct record *r);
/* NULL: it is none of those that the flow remembers. */
struct record *flow_recall(const struct flow *f, uint32_t ssrc);
void streams_file(struct streams *s, const struct packet *p, uint64_t hash);

/* stream_record.c: records and hot lines: made, evicted, accepted */
void records_init(struct streams *s);
void records_fini(struct streams *s);
struct level *record_listen(struct streams *s, struct record *r);    /* makes room for the levels of its chunk */
/* NULL: no room, and nobody to evict. */
struct record *record_new(struct streams *s, struct flow *f, const struct packet *p);
void record_free(struct streams *s, struct record *r);
void record_accept(struct streams *s, struct record *r);
void record_refresh(struct streams *s, struct record *r);
struct aside *aside_get(struct record *r);
/* To be written to. */
struct stream_flaws *flaws_get(struct record *r);

/* stream.c: what follows a packet that was counted, plain or not */
void packet_after(struct streams *s, uint32_t index, struct stream_hot *h, const struct packet *p);

/* stream_packet.c: the first packet of a stream; any of a known one that is not plain */
void packet_first(struct streams *s, struct record *r, struct stream_hot *h, const struct packet *p);
void packet_take(
	struct streams *s, struct record *r, struct stream_hot *h, const struct packet *p, struct stream_result *ret);
/* May plain packets be plain again? */
void packet_settle(const struct streams *s, const struct record *r, struct stream_hot *h);
/* The packet carries another DSCP than the one before; it is not counted yet. */
void mark_change(struct record *r, const struct stream_hot *h, uint8_t dscp);
void before_load(const struct record *r, const struct stream_hot *h, struct stream_before *b);

/* stream_payload.c: payload types */
struct stream_type *record_type(struct streams *s, struct record *r, const struct packet *p, unsigned *ret_index);
void record_type_hint(struct streams *s, struct record *r, struct stream_hot *h, const struct stream_hint *hint);
void record_type_use(struct streams *s, struct record *r, struct stream_hot *h, unsigned type);
enum payload_kind payload_kind_of(
	const struct streams *s, const struct record *r, const struct stream_type *t, const struct packet *p);
void record_clock_estimate(struct streams *s, struct record *r, struct stream_hot *h, const struct packet *p);

/* stream_counters.c */
enum sequence_step {
	SEQUENCE_NEXT, SEQUENCE_AHEAD,       /* in order, with or without a hole before it */
	SEQUENCE_BACK,               /* fills a hole */
	SEQUENCE_REPEATED,
	SEQUENCE_STRANGE,            /* far away: if the next one follows it, the sender has restarted */
	SEQUENCE_RESTART             /* that next one */
};
enum sequence_step sequence_step(
	const struct record *r, const struct stream_hot *h, const struct packet *p, const struct stream_before *b);
void sequence_take(
	struct record *r, struct stream_hot *h, const struct packet *p, enum sequence_step step, int64_t reorder_ns);
void timeless_take(struct record *r, const struct stream_hot *h, const struct packet *p, const struct stream_before *b);
void tshark_first(struct record *r, struct stream_hot *h, const struct packet *p);
void tshark_take(struct record *r, struct stream_hot *h, const struct packet *p, const struct stream_type *t,
	struct stream_before *b);
void tshark_flush(struct record *r, struct stream_hot *h);
void tshark_settle(struct record *r, struct stream_hot *h);

/* stream_copy.c: mirror copies (1.4.6) */
bool copy_recognise(
	struct streams *s, struct record *r, struct stream_hot *h, const struct packet *p, enum sequence_step step);
void copy_mark(struct streams *s, struct record *r, const struct packet *p);
uint32_t streams_point(struct streams *s, const struct packet *p);

/* gap.c: gaps and spells */
const struct gap *gap_take(struct record *r, struct level *l, const struct stream_hot *h, const struct packet *p,
	const struct stream_before *b, enum sequence_step step, bool event);
void gap_after_other(struct record *r, const struct stream_hot *h, const struct level *other_level,
	const struct stream_hot *other_hot, const struct packet *p);
void spell_take(struct record *r, const struct stream_hot *h, const struct packet *p, bool first);
void spell_refresh(struct record *r, const struct stream_hot *h);
void spell_close(struct record *r, const struct stream_hot *h);

/* short_hole.c: before the packet behind it is counted */
void short_hole_take(struct streams *s, const struct record *r, const struct stream_hot *h, const struct packet *p,
	const struct stream_before *b);

/* type_run.c */
void type_run_begin(struct record *r, const struct stream_hot *h, const struct packet *p);
void type_run_refresh(struct record *r, const struct stream_hot *h);

/* payload_probe.c: payloads of a stream whose lengths are odd, or that SDP says are encrypted */
void payload_probe_check(const struct streams *s, struct record *r, struct stream_hot *h, const struct packet *p);
void payload_probe_take(const struct streams *s, struct record *r, struct stream_hot *h, const struct packet *p);
void payload_probe_free(struct record *r);

/* srtp_sample.c: packets to be tested with the keys that SDP tells */
void srtp_sample_check(struct streams *s, struct record *r, struct stream_hot *h, const struct packet *p);
void srtp_sample_signalled(struct record *r, struct stream_hot *h);
void srtp_sample_take(struct streams *s, struct record *r, struct stream_hot *h, const struct packet *p);
void srtp_sample_free(struct streams *s, struct record *r);

/* digits.c: telephone-events */
void digits_take(struct stream *s, const struct packet *p);
void digits_after(struct stream *s, bool next);      /* a packet that is none came: next in sequence? */
void digits_free(struct stream *s);

/* interval.c */
static inline bool interval_is_due(const struct stream_hot *h, int64_t at_ns)
{
	return (int32_t)((uint32_t)((uint64_t)at_ns >> 20) - h->due) >= 0;
}
void interval_begin(struct record *r, struct stream_hot *h, int64_t at_ns, int64_t length_ns);
/* l: what is heard of it; NULL nothing */
void interval_due(struct record *r, struct level *l, struct stream_hot *h, int64_t at_ns);
void interval_close(struct record *r, struct level *l, struct stream_hot *h);

/* receiver.c: what a receiver's buffer would see */
void receiver_anchor(struct record *r, struct stream_hot *h, const struct packet *p);
void receiver_take(
	struct record *r, struct stream_hot *h, const struct packet *p, const struct stream_before *b, bool in_order);
void receiver_half(struct record *r, struct stream_hot *h);
void receiver_late(struct record *r, struct stream_hot *h, float over_ms, int64_t at_ns, uint32_t rtp_ts);
/* A packet that came HEAP_MS sooner behind its predecessor than it was sent. */
enum { HEAP_MS = -5 };
void receiver_heap(struct record *r, int64_t at_ns, uint32_t rtp_ts);
void receiver_leave(struct record *r, const struct stream_before *b);
void receiver_settle(struct record *r, struct stream_hot *h);

/* twin.c */
void twin_look_up(struct streams *s, struct record *r);
void twin_take(struct streams *s, struct record *r, const struct packet *p);
void twin_free(struct streams *s, struct record *r);
void twin_compare(struct streams *s, struct record *arrives, struct record *leaves);

#endif
