/* SPDX-License-Identifier: MIT */
/*
 * scenario: a small world written in text, and what deadair must say about it. README.md describes the language.
 * Lines become datagrams (world.c, sip.c, rtp.c ...), datagrams become frames at taps (write.c), expectations meet the
 * JSON (expect.c). All memory is the scenario's arena. The first mistake in a file is kept, what follows is read and
 * ignored.
 */
#ifndef DEADAIR_TESTS_SCENARIO_H
#define DEADAIR_TESTS_SCENARIO_H

#include "captures/base/address.h"
#include "captures/base/arena.h"
#include "captures/base/list.h"
#include "captures/base/ns.h"
#include "captures/base/span.h"

#include <jansson.h>

enum { SCENARIO_TAPS = 16, SCENARIO_FILES = 8, SCENARIO_PROFILE_FILES = 4, SCENARIO_TEXTS = 8 };

/* Zero of every scenario: Fri 20 Nov 2026 09:00:00 UTC. */
#define SCENARIO_EPOCH_S INT64_C(1795165200)

/* Bytes that grow in the arena. */
struct buffer {
	struct arena *arena;
	uint8_t *p;
	size_t n, room;
};

void buffer_add(struct buffer *b, const void *bytes, size_t n);
void buffer_text(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buffer_u8(struct buffer *b, unsigned value);
void buffer_hex(struct buffer *b, const char *text); /* "0a0b" */
void buffer_u16(struct buffer *b, unsigned value);
void buffer_u32(struct buffer *b, uint32_t value);
void buffer_u64(struct buffer *b, uint64_t value);

struct host {
	struct list_link link;
	const char *name;
	struct address addr;
	uint8_t mac[6];
	unsigned ttl, hops;          /* initial TTL; routers between it and a tap */
	struct host *via;            /* the router whose MAC the tap sees instead of its own, NULL none */
	const char *agent;           /* User-Agent or Server */
	unsigned dscp;
	unsigned mtu;                /* larger UDP goes in fragments; 0: no limit */
	uint16_t ip_id;              /* of the next packet */
};

enum traffic { TRAFFIC_SIP, TRAFFIC_RTP, TRAFFIC_RTCP, TRAFFIC_ICMP, TRAFFIC_STUN, TRAFFIC_TLS, TRAFFIC_ARP,
	TRAFFIC_OTHER, TRAFFIC_COUNT };
enum { TAP_ALL = 0xffff };

/* Something a host sends, before any tap looks at it. */
enum { LLDP = 253 };                  /* a protocol number for experiments (RFC 3692) */

struct datagram {
	struct list_link link;
	int64_t at_ns;               /* since the scenario's zero */
	unsigned order;              /* of making: ties */
	struct host *from;
	struct endpoint src, dst;    /* as the sender writes them, before any NAT */
	uint8_t protocol;            /* IP protocol; 0: ARP; LLDP: that */
	uint8_t tcp_flags;
	uint8_t ttl;                 /* 0: the host's */
	uint8_t dscp;
	enum traffic traffic;
	uint16_t taps;               /* bit a tap */
	uint16_t ip_id;
	uint32_t tcp_seq, tcp_ack;
	bool tcp_again;              /* the segment before of this side, once more */
	int64_t late_ns;             /* so much later it is in the capture than it was sent */
	const uint8_t *payload;
	size_t n;
};

struct nat_mapping {
	struct list_link link;
	struct endpoint inside, outside; /* port 0: all ports, kept */
};

struct nat_rewrite {
	struct list_link link;
	const char *inside, *outside; /* text in SIP messages */
};

struct nat {
	struct list_link link;
	const char *name;
	struct list mappings, rewrites;
};

struct blind {
	struct list_link link;
	bool any_traffic;
	enum traffic traffic;
	bool any_from, any_to;
	struct address from, to;
	int64_t begin_ns, end_ns;
};

struct interval {
	struct list_link link;
	int64_t begin_ns, end_ns;
};

/* Frames that the tap delivers a second time. */
struct mirror {
	int64_t offset_ns;           /* of the copy, negative: before */
	int ttl;                     /* added to the copy's */
	bool other_mac;
	unsigned times;              /* copies; each that much later and with so much less TTL than the one before */
	int vlan;                    /* of the copy, -1 as the first */
	bool between;                /* only this pair of hosts */
	struct address a, b;
	unsigned first_missing_permille; /* of the first copies of RTP */
	uint64_t seed;
};

struct placement {
	struct list_link link;
	const struct host *host;
	unsigned hops;
	const struct host *via;
};

struct tap {
	const char *name;
	unsigned file;
	unsigned link;               /* LINKTYPE_* */
	const struct host *on;       /* SLL: whose packets are outgoing */
	int vlan;                    /* -1 none */
	uint32_t snaplen;
	uint32_t truncate;           /* what the mirror passes of a frame; 0 all */
	int64_t delay_ns;            /* later than at the first tap */
	const struct nat *nat;       /* NULL none */
	bool outside;                /* of that NAT */
	const struct nat *beyond;    /* another one, of whose inside it sees the outer face too; NULL none */
	int64_t begin_ns, end_ns;
	int64_t tick_ns;             /* timestamps are multiples of it, 0 exact */
	bool no_later_fragments;     /* a filter on ports, or a router that drops them */
	bool bad_egress;             /* checksums of `on` are left to the card */
	struct list blinds, lost, placements;
	struct mirror *mirror;
	uint64_t if_drop, os_drop;
	bool has_drops;
	const char *interface;       /* its name in a pcapng file */
	const char *filter;
};

struct file {
	const char *name;            /* "" the only one */
	bool pcapng;
};

/* A party of a dialog. */
struct party {
	const char *user;
	struct host *host;
	struct endpoint at;          /* where it really is */
	struct endpoint reach;       /* where the other one sends to */
	struct endpoint as;          /* what it writes about itself */
	const char *tag;
	unsigned cseq;
	unsigned session, version;   /* o= */
	const char *sdp;             /* last one sent */
	struct endpoint media;       /* first audio of that */
	struct list medias;          /* struct media_seen: all it ever named */
};

struct media_seen {
	struct list_link link;
	struct endpoint at;
};

struct request {
	struct list_link link;
	const char *method;
	unsigned cseq;
	const char *branch;
	unsigned sender;             /* index of the party */
	unsigned status;             /* last final, 0 none */
	unsigned rseq;
};

struct dialog {
	struct list_link link;
	const char *name, *call_id, *domain;
	bool tcp, early, confirmed;
	struct party party[2];       /* caller, callee */
	struct list requests;        /* newest last */
	unsigned branches;
};

struct sent {
	int64_t at_ns;
	uint32_t seq;                /* extended */
	bool lost;                   /* never reaches the tap, nor the receiver */
};

struct flow {                        /* what a sender sends under one SSRC */
	struct list_link link;
	uint32_t ssrc;
	struct host *from;
	struct endpoint src, dst;
	uint32_t next_seq;           /* extended */
	uint32_t next_ts;
	int64_t next_ns;             /* when the next packet would be due */
	unsigned clock_hz;
	struct sent *sent;
	size_t sent_count, sent_room;
	uint64_t octets;
};

struct connection {
	struct list_link link;
	struct endpoint a, b;
	uint32_t seq[2];             /* next of a, of b */
};

struct scenario {
	struct arena *arena;
	const char *path, *name, *title;
	const char *profile;         /* a deadair.conf; NULL: none is read */
	const char *memory;          /* --memory; NULL: without */
	const char *profile_files[SCENARIO_PROFILE_FILES];   /* that it names; the runner removes them */
	unsigned profile_file_count;
	unsigned line;
	char *error;                 /* the first mistake, NULL none */
	struct list hosts, nats, dialogs, flows, connections, datagrams, deferred, expectations;
	struct tap taps[SCENARIO_TAPS];
	unsigned tap_count;
	struct file files[SCENARIO_FILES];
	unsigned file_count;
	unsigned order;
	unsigned exit_status;        /* expected */
	bool exit_given;
	const char *needs;           /* what deadair --version must name; NULL nothing */
	const char *never[SCENARIO_TEXTS];   /* texts that no report may hold */
	unsigned never_count;
	const char *says[SCENARIO_TEXTS];    /* that the report as text must hold */
	unsigned says_count;
};

/* Words of one line. */
struct words {
	char **at;
	size_t left;
};

struct deferred {                    /* what needs all RTP to exist: RTCP */
	struct list_link link;
	unsigned line;
	struct words words;
	void (*read)(struct scenario *s, struct words *w);
};

void scenario_fail(struct scenario *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *scenario_text(struct scenario *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void *scenario_zalloc(struct scenario *s, size_t bytes);

/* The file, compiled: false when it has a mistake, see error. */
bool scenario_read(struct scenario *s, const char *path);
void scenario_free(struct scenario *s);

/* words.c: the next word, NULL at the end of the line. word_want() fails the scenario then and gives "". */
const char *word_next(struct words *w);
const char *word_peek(const struct words *w);
bool word_accept(struct words *w, const char *word);
const char *word_want(struct scenario *s, struct words *w, const char *what);
void word_expect(struct scenario *s, struct words *w, const char *word);
void word_end(struct scenario *s, struct words *w);
struct words words_of(struct scenario *s, const char *text);
double number_want(struct scenario *s, struct words *w, const char *what);
uint64_t integer_want(struct scenario *s, struct words *w, const char *what); /* decimal or 0x */
int64_t time_want(struct scenario *s, struct words *w);  /* seconds, or with ms, us, m */
bool time_parse(const char *text, int64_t *ret_ns);
unsigned percent_want(struct scenario *s, struct words *w); /* in 1/1000 */

/* world.c */
struct host *host_want(struct scenario *s, struct words *w);
struct host *host_by_name(struct scenario *s, const char *name);
struct host *host_by_address(struct scenario *s, const struct address *a);
/* made when unknown: somewhere behind the gateway */
struct host *host_of(struct scenario *s, const struct address *a);
struct endpoint endpoint_want(struct scenario *s, struct words *w); /* "A:4000", "10.1.0.21:4000" */
bool endpoint_read(struct scenario *s, const char *text, struct endpoint *ret);
struct address address_want(struct scenario *s, struct words *w);   /* a host's name, or an address */
bool taps_accept(struct scenario *s, struct words *w, uint16_t *taps); /* "only TAP", "not TAP" */
struct datagram *datagram_add(struct scenario *s, int64_t at_ns, struct endpoint src, struct endpoint dst,
	enum traffic traffic,
	const void *payload, size_t n);
void host_read(struct scenario *s, struct words *w);
void nat_read(struct scenario *s, struct words *w);
void alg_read(struct scenario *s, struct words *w);

/* tap.c */
struct tap *tap_want(struct scenario *s, struct words *w);
void tap_read(struct scenario *s, struct words *w);
void place_read(struct scenario *s, struct words *w);
void blind_read(struct scenario *s, struct words *w);
void lose_read(struct scenario *s, struct words *w);
void mirror_read(struct scenario *s, struct words *w);
void drops_read(struct scenario *s, struct words *w);

/* sdp.c: the body, and in the party what it named. */
const char *sdp_make(struct scenario *s, struct words *w, struct party *p);

/* sip.c */
struct dialog *dialog_want(struct scenario *s, struct words *w);
struct dialog *dialog_by_name(struct scenario *s, const char *name);
void call_read(struct scenario *s, struct words *w);
void sip_read(struct scenario *s, struct words *w);
void flow_read(struct scenario *s, struct words *w);

/* rtp.c, rtcp.c, sound.c */
void rtp_read(struct scenario *s, struct words *w);
void talk_read(struct scenario *s, struct words *w);
void rtcp_read(struct scenario *s, struct words *w);
struct flow *flow_by_ssrc(struct scenario *s, uint32_t ssrc);
uint32_t ssrc_of(const struct endpoint *src);

/* srtp.c: a key as a=crypto has it; the tag over a packet. */
struct srtp_key { uint8_t auth[20]; bool given; };
void srtp_key_read(struct scenario *s, const char *text, struct srtp_key *ret);
void srtp_tag(const struct srtp_key *key, const uint8_t *packet, size_t n, uint32_t rollovers, uint8_t ret[20]);

enum sound_kind { SOUND_SPEECH, SOUND_CODE, SOUND_CIPHER };
struct sound {
	enum sound_kind kind;
	double level_dbm0;
	uint8_t code;
	uint32_t voice;              /* whose: no two senders sound alike */
};
/*
 * G.711 for payload type 0 or 8; other types get pseudo-random bytes. at: samples at 8 kHz since the scenario's zero.
 */
void sound_fill(const struct sound *sound, unsigned pt, uint32_t at, uint8_t *bytes, size_t n);
uint32_t random_next(uint64_t *state);
double random_unit(uint64_t *state); /* 0 < u < 1 */

/* asks.c */
void asks_read(struct scenario *s, struct words *w);

/* others.c */
void icmp_read(struct scenario *s, struct words *w);
void stun_read(struct scenario *s, struct words *w);
void arp_read(struct scenario *s, struct words *w);
void lldp_read(struct scenario *s, struct words *w);
void udp_read(struct scenario *s, struct words *w);
void tcp_read(struct scenario *s, struct words *w);
void tls_read(struct scenario *s, struct words *w);
void connect_read(struct scenario *s, struct words *w);    /* connect.c */
void background_read(struct scenario *s, struct words *w);
void tcp_send(struct scenario *s, int64_t at_ns, struct endpoint src, struct endpoint dst, enum traffic traffic,
	const void *bytes, size_t n,
	uint16_t taps);

/* scenario.c: one line as if it stood in the file. */
void scenario_line(struct scenario *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* write.c: the captures, a path a file of the scenario; stem.pcap, stem-NAME.pcapng ... ret_paths in the arena. */
bool scenario_write(struct scenario *s, const char *stem, const char **ret_paths, char *error, size_t room);
/* One file whatever its kind, under exactly this name. */
bool scenario_write_one(struct scenario *s, const char *path, char *error, size_t room);

/* expect.c */
void expect_read(struct scenario *s, struct words *w);
void expect_silent_read(struct scenario *s, struct words *w);
void may_read(struct scenario *s, struct words *w);
void fact_read(struct scenario *s, struct words *w);
void check_read(struct scenario *s, struct words *w);
void exit_read(struct scenario *s, struct words *w);
/* records: an array of the report's objects. False, and the first thing that is wrong. */
bool scenario_check(struct scenario *s, const json_t *records, int status, char *why, size_t room);

#endif
