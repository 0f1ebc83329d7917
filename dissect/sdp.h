/* SPDX-License-Identifier: MIT */
/*
 * sdp: a session description as flat facts (RFC 8866, 3264), tolerant: order, missing lines and line ends do not
 * matter.
 */
#ifndef DEADAIR_DISSECT_SDP_H
#define DEADAIR_DISSECT_SDP_H

#include "captures/base/address.h"

enum { SDP_MEDIA_MAX = 16, SDP_FORMAT_MAX = 48, SDP_CANDIDATE_MAX = 16, SDP_SSRC_MAX = 8, SDP_TAILS = 4,
	SDP_TAIL_BYTES = 512, SDP_CRYPTO_MAX = 8, SDP_KEY_MAX = 46 };

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
	bool twice;                  /* a second rtpmap gives the number to another codec: the first counts */
};

struct sdp_candidate {
	struct endpoint at;          /* family 0: a name (mDNS) */
	struct endpoint related;     /* raddr/rport, family 0 none */
	uint8_t component;           /* 1 RTP, 2 RTCP */
	bool udp;
	char type;                   /* 'h'ost, 's'rflx, 'p'rflx, 'r'elay */
};

/*
 * What a=crypto may name: RFC 4568 6.2, 6188, 7714. Others are not told apart; among them AES_192, whose keys libsrtp2
 * (2.5) derives otherwise than RFC 6188 says: who uses it may be right and not fit.
 */
enum sdp_suite {
	SDP_SUITE_OTHER, SDP_SUITE_AES_128_80, SDP_SUITE_AES_128_32, SDP_SUITE_AES_256_80, SDP_SUITE_AES_256_32,
	SDP_SUITE_GCM_128, SDP_SUITE_GCM_256
};

/*
 * A key of an a=crypto line (RFC 4568), for testing packets with it (srtp_check.h). It is a secret: never printed,
 * logged, or stored.
 */
struct sdp_crypto {
	uint32_t tag;
	uint8_t suite;                          /* enum sdp_suite */
	uint8_t mki_bytes;                      /* behind each packet (RFC 3711 3.1); 0 none */
	/* nothing can be tested: unknown suite, broken key, or a parameter that makes other packets of it */
	bool untestable;
	uint8_t key[SDP_KEY_MAX];               /* master key and salt, as long as the suite wants; else 0 */
};

struct sdp_rare {                            /* what few media have */
	struct span name;                       /* c= names a host by DNS name */
	struct endpoint rtcp;                   /* a=rtcp (RFC 3605): port 0 where it is not given */
	struct span mid, label;
	struct span crypto_suite;               /* of the first a=crypto; empty: none */
	unsigned crypto_count;
	/* some key has a master key identifier, which makes packets longer (RFC 3711 3.1) */
	bool crypto_mki;
	struct sdp_crypto *cryptos;             /* at most SDP_CRYPTO_MAX; a line may have several */
	unsigned crypto_key_count;              /* beyond that: they are not kept */
	bool key_management;                    /* a=key-mgmt (RFC 4567): MIKEY */
	struct span fingerprint, setup;
	struct span ice_ufrag;
	struct sdp_candidate *candidates;       /* at most SDP_CANDIDATE_MAX */
	unsigned candidate_count;
	uint32_t *ssrcs;                        /* at most SDP_SSRC_MAX */
	unsigned ssrc_count;
};

extern const struct sdp_rare sdp_rare_none;     /* of media that have nothing of it */

struct sdp_media {
	/* medium's c=, else session's, with the port; family 0: none, or a name (see rare->name) */
	struct endpoint at;
	uint8_t kind;                           /* enum sdp_kind */
	uint8_t direction;                      /* enum sdp_direction: medium's, else session's, else sendrecv; */
	uint16_t port;                          /* c=0.0.0.0 does not change it. Port 0: rejected */
	uint16_t ptime_ms, maxptime_ms;         /* 0 not given */
	bool rtp;                               /* RTP/AVP, AVPF, SAVP, SAVPF, with or without UDP/TLS/ or TCP/ */
	bool secure;                            /* SAVP or SAVPF */
	bool over_tcp;                          /* TCP/RTP/AVP, TCP/TLS/RTP/SAVP (RFC 4571, 4572) */
	bool rtcp_mux, bundle_only, trickle;    /* trickle: port 9 with ICE */
	bool silence_suppression_off;           /* a=silenceSupp:off */
	bool t38;                               /* m=image ... t38 */
	uint8_t format_count;
	const struct sdp_format *formats;       /* at most SDP_FORMAT_MAX */
	const struct sdp_rare *rare;            /* never NULL */
};

struct sdp {                                    /* what is kept of a description */
	uint64_t hash;                          /* hash_bytes() of its text: who has the same says the same */
	/* keyed hashes of o=: who, session, host (0: it lacks one of them); session and version (0: no version) */
	uint64_t origin, version;
	uint32_t bytes;                         /* of its text */
	uint32_t flaws;
	uint8_t direction;                      /* enum sdp_direction of the session */
	uint8_t media_count;
	struct sdp_media *media;                /* at most SDP_MEDIA_MAX */
};

/*
 * What stands behind the port of the only m= line, to the end of the description: the same for all calls of a phone, so
 * that it is seldom read anew. Never one that says anything but attributes of its medium, none of them rare.
 */
struct sdp_tail {
	uint32_t bytes, flaws;                  /* bytes 0: none */
	bool ended;                             /* its last line is */
	struct sdp_media media;                 /* but for at and port */
	struct sdp_format formats[SDP_FORMAT_MAX];
	uint8_t text[SDP_TAIL_BYTES];           /* that the formats point into */
};

/*
 * A description as it is read: large, zeroed before its first use. Its spans point into the bytes, or into its tails.
 * said.hash, .origin, .version are not set.
 */
struct sdp_text {
	struct sdp said;
	struct span bytes;
	struct span origin;                     /* whole o= value */
	struct span origin_user, session_id, session_version;
	struct span origin_host;                /* address as written */
	struct endpoint connection;             /* session's c=, port 0 */
	struct span session_name;
	bool ice_lite, bundle;
	struct sdp_media media[SDP_MEDIA_MAX];  /* cleared as far as said.media_count, and the rooms as they are used */
	struct sdp_room {
		struct sdp_rare rare;
		struct sdp_format formats[SDP_FORMAT_MAX];
		struct sdp_candidate candidates[SDP_CANDIDATE_MAX];
		uint32_t ssrcs[SDP_SSRC_MAX];
		struct sdp_crypto cryptos[SDP_CRYPTO_MAX];
	} rooms[SDP_MEDIA_MAX + 1];             /* one more for what belongs to no medium */
	struct sdp_tail tails[SDP_TAILS];
	unsigned next_tail;                     /* to be replaced */
};

/* False: not even a m= or v= line. Linear in the bytes; spans point into them. */
bool sdp_parse(struct span bytes, struct sdp_text *ret);

/* Who keeps descriptions: both give a copy that lasts as long as the description, or an equal one from before. */
struct sdp_keeper {
	const void *context;
	struct span (*text)(const void *context, struct span text);
	const struct sdp_format *(*formats)(const void *context, const struct sdp_format *formats, unsigned count);
};

/* Bytes that it takes in one piece; a copy of it there, aligned for any record. hash: hash_bytes() of its text. */
size_t sdp_keep_bytes(const struct sdp_text *t);
const struct sdp *sdp_keep(const struct sdp_text *t, uint64_t hash, const struct sdp_keeper *keeper, void *to);
static inline bool sdp_same(const struct sdp *x, const struct sdp *y)
{
	return x == y || (x->hash == y->hash && x->bytes == y->bytes);
}

/* Where its RTCP is due: a=rtcp, else the next port of its address. Family 0 as of the medium; port 0: none. */
struct endpoint sdp_media_rtcp(const struct sdp_media *m);
/* Keys that are kept: i < ... of rare->cryptos. */
static inline unsigned sdp_crypto_kept(const struct sdp_rare *rare)
{
	return rare->crypto_key_count < SDP_CRYPTO_MAX ? rare->crypto_key_count : SDP_CRYPTO_MAX;
}

/* Bytes of a suite's master key and salt together; 0: of none that is known. */
unsigned sdp_suite_key_bytes(enum sdp_suite suite);
/* NULL none */
const struct sdp_format *sdp_format_find(const struct sdp_media *m, uint8_t pt);
/* Is that format in it, too? By number, or by the codec that it stands for under another one. */
bool sdp_media_takes(const struct sdp_media *m, const struct sdp_format *f);
/* RFC 3551 tables 4 and 5: name and clock of a static type; empty name: none. */
struct span sdp_static_codec(uint8_t pt, uint32_t *ret_clock_hz);

#endif
