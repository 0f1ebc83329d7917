/* SPDX-License-Identifier: MIT */
/*
 * sdp: a session description as flat facts (RFC 8866, 3264), tolerant: order, missing lines and line ends do not
 * matter.
 */
#ifndef DEADAIR_DISSECT_SDP_H
#define DEADAIR_DISSECT_SDP_H

#include "captures/base/address.h"

enum { SDP_MEDIA_MAX = 16, SDP_FORMAT_MAX = 48, SDP_CANDIDATE_MAX = 16, SDP_SSRC_MAX = 8 };

enum sdp_kind { SDP_AUDIO, SDP_VIDEO, SDP_IMAGE, SDP_TEXT, SDP_APPLICATION, SDP_MESSAGE, SDP_KIND_OTHER };
enum sdp_direction { SDP_SENDRECV, SDP_SENDONLY, SDP_RECVONLY, SDP_INACTIVE };   /* as its author means it */

enum sdp_flaw {
	SDP_FLAW_ORDER = 1 << 0, SDP_FLAW_NO_VERSION = 1 << 1, SDP_FLAW_NO_ORIGIN = 1 << 2, SDP_FLAW_NO_TIME = 1 << 3,
	SDP_FLAW_NO_CONNECTION = 1 << 4,        /* neither session nor some medium has one */
	SDP_FLAW_PORT = 1 << 5, SDP_FLAW_LINE = 1 << 6, SDP_FLAW_TOO_MUCH = 1 << 7, SDP_FLAW_NO_LINE_END = 1 << 8
};

struct sdp_format {
	/* encoding name; of a static type without rtpmap: its RFC 3551 name; empty: unknown */
	struct span codec;
	struct span fmtp;
	uint32_t clock_hz;           /* rtpmap or RFC 3551 (G722: 8000); 0 unknown */
	uint8_t pt;                  /* 0-127 */
	uint8_t channels;
	bool mapped;                 /* has an rtpmap of its own */
};

struct sdp_candidate {
	struct endpoint at;          /* family 0: a name (mDNS) */
	struct endpoint related;     /* raddr/rport, family 0 none */
	uint8_t component;           /* 1 RTP, 2 RTCP */
	bool udp;
	char type;                   /* 'h'ost, 's'rflx, 'p'rflx, 'r'elay */
};

struct sdp_media {
	enum sdp_kind kind;
	struct span protocol;        /* "RTP/AVP" */
	bool rtp;                    /* RTP/AVP, AVPF, SAVP, SAVPF, with or without UDP/TLS/ */
	bool secure;                 /* SAVP or SAVPF */
	uint16_t port;               /* 0 rejected */
	/* medium's c=, else session's, with the port; family 0: none, or a name (see name) */
	struct endpoint at;
	struct span name;            /* c= names a host by DNS name */
	struct endpoint rtcp;        /* a=rtcp (RFC 3605), else port + 1 */
	enum sdp_direction direction; /* medium's, else session's, else sendrecv; c=0.0.0.0 does not change it */
	struct sdp_format *formats;             /* at most SDP_FORMAT_MAX */
	unsigned format_count;
	unsigned ptime_ms, maxptime_ms;         /* 0 not given */
	bool rtcp_mux, bundle_only, trickle;    /* trickle: port 9 with ICE */
	bool silence_suppression_off;           /* a=silenceSupp:off */
	bool t38;                               /* m=image ... t38 */
	struct span mid, label;
	struct span crypto_suite;               /* of the first a=crypto; empty: none */
	unsigned crypto_count;
	/* some key has a master key identifier, which makes packets longer (RFC 3711 3.1) */
	bool crypto_mki;
	bool key_management;                    /* a=key-mgmt (RFC 4567): MIKEY */
	struct span fingerprint, setup;
	struct span ice_ufrag;
	struct sdp_candidate *candidates;       /* at most SDP_CANDIDATE_MAX */
	unsigned candidate_count;
	uint32_t *ssrcs;                        /* at most SDP_SSRC_MAX */
	unsigned ssrc_count;
	unsigned line;                          /* of its m= line, 1-based */
};

struct sdp {
	struct span bytes;
	struct span origin;                     /* whole o= value */
	struct span origin_user, session_id, session_version;
	struct span origin_host;                /* address as written */
	struct endpoint connection;             /* session's c=, port 0 */
	enum sdp_direction direction;
	struct span session_name;
	bool ice_lite, bundle;
	uint32_t flaws;
	unsigned media_count;
	struct sdp_media media[SDP_MEDIA_MAX];  /* who keeps one leaves out those behind media_count, and the rooms */
	struct sdp_room {                       /* where the lists of a medium stand while it is parsed */
		struct sdp_format formats[SDP_FORMAT_MAX];
		struct sdp_candidate candidates[SDP_CANDIDATE_MAX];
		uint32_t ssrcs[SDP_SSRC_MAX];
	} rooms[SDP_MEDIA_MAX + 1];             /* one more for what belongs to no medium */
};

/* False: not even a m= or v= line. Linear in the bytes; spans point into them. */
bool sdp_parse(struct span bytes, struct sdp *ret);
/*
 * Bytes that it takes without what is unused; a copy of it there, aligned for any record. Spans still point where they
 * did.
 */
size_t sdp_compact_bytes(const struct sdp *s);
const struct sdp *sdp_compact(const struct sdp *s, void *to);
/* NULL none */
const struct sdp_format *sdp_format_find(const struct sdp_media *m, uint8_t pt);
/* RFC 3551 tables 4 and 5: name and clock of a static type; empty name: none. */
struct span sdp_static_codec(uint8_t pt, uint32_t *ret_clock_hz);

#endif
