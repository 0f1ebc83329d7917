/* SPDX-License-Identifier: MIT */
/* engine_state: what the engine owns; for engine.c, engine_*.c, capture_facts.c and view_*.c only. */
#ifndef DEADAIR_ANALYZER_ENGINE_STATE_H
#define DEADAIR_ANALYZER_ENGINE_STATE_H

#include "analyzer/calls/account.h"
#include "analyzer/calls/repeats.h"
#include "analyzer/calls/service.h"
#include "analyzer/calls/watch.h"
#include "analyzer/detect/detection.h"
#include "analyzer/detect/gates.h"
#include "analyzer/detect/hearing.h"
#include "analyzer/detect/lookup.h"
#include "analyzer/engine.h"
#include "analyzer/engine_records.h"
#include "analyzer/file_clocks.h"
#include "analyzer/media/binding.h"
#include "analyzer/network/channel.h"
#include "analyzer/network/echo.h"
#include "analyzer/network/flow.h"
#include "analyzer/network/sip_path.h"
#include "analyzer/network/outflow.h"
#include "analyzer/network/two_points.h"
#include "analyzer/network/sip_binding.h"
#include "analyzer/network/sip_hop.h"
#include "analyzer/network/sip_peer.h"
#include "analyzer/network/sip_way.h"
#include "analyzer/network/source.h"
#include "analyzer/network/srv.h"
#include "analyzer/network/tls_pair.h"
#include "analyzer/media/media_host.h"
#include "analyzer/media/port_plan.h"
#include "analyzer/media/socket_use.h"

enum { ENGINE_FILE_MAX = 64, PROTOCOL_MAX = 512 };

struct file_clock {                  /* G10, per file */
	int64_t last_ns;
	bool begun;
};

struct protocol_count {              /* what was not VoIP: "TCP 443" */
	uint8_t protocol;
	uint16_t port;
	uint64_t packets;
};

struct due {                         /* a packet that the records have not taken yet */
	const struct packet *packet;
	uint32_t weight;             /* packets that it stands for */
	enum duplicate_verdict verdict;
	enum due_part part;
};

struct engine {
	struct engine_options options;
	struct capture_facts capture;
	struct expectation_config expect;
	struct channels *channels;   /* of TURN */
	/* packets of a batch that were made here: of plain frames, and with the peer of a channel that is known */
	struct packet made[ENGINE_BATCH];
	struct early *early;         /* answers before their requests */
	struct shed *shed;           /* what a flood asks in vain; NULL: there is no limit to memory */
	struct calls *calls;
	struct accounts *accounts;
	struct sources *sources;
	struct outflows *outflows;
	struct srv_table *srv;
	struct watches *watches;
	struct services *services;
	struct repeats *repeats;
	struct streams *streams;
	struct rtcp_states *rtcp;
	struct network *network;
	struct two_points *points;
	struct echoes *echoes;
	struct sip_bindings *bindings;
	struct sip_ways *ways;
	struct sip_hops *hops;
	struct flows *flows;
	struct tls_pairs *tls;
	struct sip_paths *paths;
	struct binding *binding;
	struct findings *findings;
	struct detections *detections;
	struct gates *gates;
	struct lookup *lookup;
	struct socket_uses *sockets;
	struct media_hosts *media_hosts;
	struct sip_peers *peers;
	struct port_plan *port_plan;
	struct facts facts;
	struct list icmp;            /* struct icmp_record */
	struct hash icmp_by_dst;
	size_t icmp_keep;
	uint64_t icmp_dropped;
	struct dissector_counts dissected;
	bool bound;                  /* streams lead to directions, and back */
	uint64_t undecoded[UNDECODED_COUNT];
	uint64_t bytes;
	struct file_clock clocks[ENGINE_FILE_MAX];
	struct protocol_count protocols[PROTOCOL_MAX];
	unsigned protocol_count;
	uint64_t grain_odd[3];       /* frames whose time is no multiple of 1 ms; of that, not of 10 ms; of 100 ms */
	struct due due[ENGINE_BATCH];
	unsigned due_count;
	int64_t tick_ns;             /* next tick of the calls */
	bool finished;
	struct redact *redact;       /* what views pass through; NULL: nothing. Lent */
	struct view_cache *views;    /* view_cache.c's */
};

void views_free(struct view_cache *views);
/* The streams' budget took s: nothing may lead to it any more. The context is the engine. */
void engine_stream_evicted(void *context, struct stream *s);

#endif
