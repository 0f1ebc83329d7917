/* SPDX-License-Identifier: MIT */
/*
 * detector: the contract of a rule. A new one is a file, a line in registry.def, a line in the Makefile fragment, and
 * its scenarios.
 */
#ifndef DEADAIR_DETECT_DETECTOR_H
#define DEADAIR_DETECT_DETECTOR_H

#include "analyzer/config.h"
#include "analyzer/event.h"
#include "analyzer/findings/finding.h"

enum scope { PER_CALL, PER_DIRECTION, PER_STREAM, PER_DIALOG, PER_ACCOUNT, PER_SUBSCRIPTION, PER_BINDING, PER_SOCKET,
	PER_HOST, PER_HOST_PAIR, GLOBAL };

struct detector_doc {                /* what `deadair explain` prints and docs/DETECTORS.md is checked against */
	const char *says;            /* one line, as in `deadair detectors` */
	const char *symptom, *evidence, *mimics, *fix;
	const char *const *reasons;  /* all reasons it can give, NULL at the end */
};

struct echoes;                       /* analyzer/network/echo.h */
struct two_points;                   /* analyzer/network/two_points.h */
struct detection;                    /* one run of a detector over one event */

struct detector {
	const char *id;
	const struct detector_doc *doc;
	const struct config_key *keys;       /* ends with a zero row */
	uint64_t events;             /* EVENT_BIT()s it takes */
	enum scope scope;            /* what one state belongs to */
	enum severity usual;         /* for `deadair detectors` */
	enum severity possible_max;  /* highest severity at confidence possible */
	size_t state_size;           /* the state, zeroed and freed by the engine; 0: it keeps none but its finding */
	void (*forget)(void *state); /* frees what the state owns, not itself; NULL: nothing */
	void (*event)(struct detection *d, const struct event *ev);
};

/* All of them, by id; *ret_count. */
const struct detector *const *registry_all(unsigned *ret_count);
const struct detector *registry_find(const char *id);

/* ---- what a detector may do ---- */

void *detection_state(struct detection *d);
double detection_key(const struct detection *d, const char *name);
/* A key of another section, e.g. "expect", "start-grace-ms". */
double detection_config(const struct detection *d, const char *section, const char *name);
const struct facts *detection_facts(const struct detection *d);
/*
 * Raises the finding of this scope: the one that stands already (emptied of texts, parts and evidence, to be filled
 * anew), or a new one. Confidence possible is capped by possible_max.
 */
struct finding *detection_raise(struct detection *d, const char *reason, enum severity s, enum confidence c);
/* A further finding of the same scope (several gaps, several reporters): told apart by key. */
struct finding *detection_raise_keyed(struct detection *d, uint64_t key, const char *reason, enum severity s,
	enum confidence c);
/* What tells a direction apart from one judgement to the next: its record may be another one each time. */
uint64_t direction_key(const struct direction *d);
/*
 * Nothing to say, and why: what --why-not prints. The finding of this scope, if any, is withdrawn. `row`: which
 * condition decided.
 */
void detection_pass(struct detection *d, const char *row, const char *format,
	...) __attribute__((format(printf, 3, 4)));
/* A gate withholds the claim: noted in JSON's withheld and for --why-not. */
void detection_withhold(struct detection *d, const struct leg *leg, const char *gate, const char *format,
	...) __attribute__((format(printf, 4, 5)));
/* A fact for --why-not that decided nothing yet. */
void detection_note(struct detection *d, bool holds, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ---- what a detector may read ---- */

enum { PROVISIONED_MAX = 64 };

/* a phone that fetches its configuration in clear; a host that gives a directory (LDAP) a password so */
enum fetch { FETCH_HTTP, FETCH_TFTP, FETCH_LDAP };

struct provisioned {
	struct address client;
	struct endpoint server;
	enum fetch by;
	uint64_t count;
	struct frame_ref first_at;
};

/* between two frames, of whatever kind */
struct stillness { int64_t from_ns, to_ns; };
struct silences { struct stillness *list; unsigned count, room; };     /* the first ones, by time; the engine's */

struct capture_facts {               /* about the capture as a whole; kept by the engine */
	int64_t first_ns, last_ns;
	uint64_t frames, sip, rtp, rtcp, stun, tls, dtls, icmp, other, udp, truncated, truncated_sip, truncated_rtp;
	uint64_t like_rtp;           /* of the others: in the form of RTP, too few or too uneven to be taken for it */
	uint64_t came_cut;           /* of the truncated: the file holds all that came, and the IP header says more */
	uint32_t first_cut;          /* captured bytes of the first cut frame with a payload; 0 none */
	uint64_t untimed;            /* frames without a time of their own */
	bool no_clock;               /* all frames have the same time */
	int64_t answers_early_ns;    /* by so much SIP answers came before their request, at most */
	struct silences silences;    /* of 100 ms and more */
	struct silences *file_silences;      /* of a second and more in each of the first file_count files */
	unsigned file_count;
	uint64_t timestamps_back;    /* frames more than 10 ms before their predecessor in the same file */
	int64_t timestamp_grain_ns;  /* largest of 1, 10, 100 ms that divides all deltas; 0 none */
	uint64_t if_drop, os_drop;
	bool filtered_media;         /* an interface filter that excludes media ports, or >= 99 % of UDP is SIP */
	char filter[256], read_filter[256];  /* of the capture, of its reader (-f) */
	uint64_t tcp_gaps;           /* acknowledged and never seen segments */
	unsigned non_sip_protocols;  /* different IP protocols and well-known UDP services besides SIP and media */
	uint64_t other_udp;          /* UDP packets that are no SIP, RTP, RTCP, STUN */
	/* frames that a filter on SIP's ports would have kept out; media and ICMP not counted */
	uint64_t beyond_sip;
	uint64_t h323, mgcp, sccp;   /* packets on the ports of other signalling */
	struct provisioned provisioned[PROVISIONED_MAX];     /* the first ones met */
	unsigned provisioned_count;
	struct frame_ref truncated_at;       /* the first */
	bool live;
};

struct facts {                       /* const views of everything */
	const struct capture_facts *capture;
	const struct calls *calls;
	const struct streams *streams;
	const struct rtcp_states *rtcp;
	const struct network *network;
	struct vantage vantage;      /* reckoned once, before judging: it looks at every host and pair */
	const struct echoes *echoes; /* what servers give back of requests, marks of rewriters */
	const struct two_points *points;     /* SIP at several capture points */
	const struct sip_bindings *bindings; /* analyzer/network/sip_binding.h */
	const struct sip_ways *ways; /* analyzer/network/sip_way.h */
	const struct sip_hops *hops; /* analyzer/network/sip_hop.h */
	const struct flows *flows;   /* analyzer/network/flow.h; services are reckoned before judgement */
	const struct tls_pairs *tls; /* analyzer/network/tls_pair.h */
	const struct sip_paths *paths;       /* analyzer/network/sip_path.h; settled before judgement */
	const struct list *icmp;     /* struct icmp_record.in_order */
	const struct hash *icmp_by_dst;
	const struct gates *gates;   /* analyzer/detect/gates.h */
	struct lookup *lookup;       /* analyzer/detect/lookup.h; makes its indexes when asked */
	const struct socket_uses *sockets;   /* analyzer/media/socket_use.h; reckoned before judgement */
	const struct media_hosts *media_hosts; /* analyzer/media/media_host.h; likewise */
	const struct accounts *accounts;     /* analyzer/calls/account.h */
	const struct outflows *outflows;      /* analyzer/network/outflow.h */
	const struct srv_table *srv;         /* analyzer/network/srv.h */
	const struct sources *sources;       /* analyzer/network/source.h; classes as of judgement */
	const struct watches *watches;       /* analyzer/calls/watch.h */
	const struct sip_peers *sip_peers;   /* analyzer/network/sip_peer.h */
	const struct port_plan *port_plan;   /* analyzer/media/port_plan.h; reckoned before judgement */
	const struct services *services;     /* analyzer/calls/service.h */
	const struct repeats *repeats;       /* analyzer/calls/repeats.h; settled before judgement */
	const struct findings *findings;
	const struct config *config;
	const struct site *site;     /* what the operator says of the place; analyzer/site.h */
	int64_t min_call_ns, move_overlap_ns;        /* of section expect: asked of each window */
};

#endif
