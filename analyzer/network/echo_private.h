/* SPDX-License-Identifier: MIT */
/* echo_private: what the files of echo share. */
#ifndef DEADAIR_NETWORK_ECHO_PRIVATE_H
#define DEADAIR_NETWORK_ECHO_PRIVATE_H

#include "analyzer/network/echo.h"
#include "captures/base/pool.h"
#include "dissect/sip_message.h"

enum {
	SIGN_MAX = 16384, ASKED_MAX = 32768, AGENT_RECORD_MAX = 16384, SITE_MAX = 8192, SOCKET_MAX = 32768,
		TUNNEL_MAX = 64, EXTERNAL_MAX = 64, STYLE_MAX = 4096,
	ASKED_ID = 128, ASKED_OWN = 64, ASKED_TAG = 64, LENGTH_SEEN = 4, CUT_SEEN = 4, OWNER_SEEN = 4
};

struct asked {                       /* a request that waits for its answers */
	struct hash_link by_branch;
	uint64_t branch;             /* hash */
	struct list_link in_order;   /* oldest first */
	uint64_t call_id_key, from_tag_key;  /* hashes */
	uint64_t leg_key, agent, nonce;      /* nonce: hash of that of the credentials, 0 none */
	struct echo_sign *discarded_by;      /* a changed answer that it should not have repeated itself after */
	/* where its credentials were made for another address than the Request-URI's: both; else NULL */
	struct asked_digest { struct address target, digest; } *digest_other;
	const uint8_t *call_id;      /* own, or of its own allocation */
	struct frame_ref at;
	uint32_t sent, bytes, refused;       /* transmissions; of the IP packet; bits enum echo_refused */
	uint32_t shown;              /* bits 1 << enum echo_kind: this transaction was counted */
	uint32_t cseq, via_count;
	struct endpoint phone, peer;
	struct address via_host, from_host;
	uint16_t via_port, from_port;        /* 0: none written */
	uint8_t transport;
	bool rport, answered, judged;
	uint8_t call_id_n, from_tag_n;
	uint8_t router_mac[6];
	uint8_t own[ASKED_OWN];      /* Call-ID, where there is room for it; set as far as call_id_n */
};

/* ---- echo.c ---- */

/* at: what echoes_places() gave for it. */
void echoes_sip(struct echoes *e, const struct packet *p, const struct hash_place *at);

struct sign_at {                     /* what a sign belongs to */
	struct endpoint phone, peer;
	uint8_t transport;
	uint64_t leg_key, agent;
	const uint8_t *router_mac;   /* NULL unknown */
};

/* Found or made; counted once more. NULL: the table is full. */
struct echo_sign *sign_add(struct echoes *e, enum echo_kind kind, const struct sign_at *where, struct frame_ref at);
/* The first texts stay. */
void sign_texts(struct echo_sign *s, const char *field, struct span before, struct span after);

uint64_t sip_leg_key(const struct sip_message *m);

/* ---- echo_agents.c: what a phone seen from outside is used to ---- */

/* one header of one flow: private or public, and how often it went back to private */
struct turns {
	enum { TURN_NONE, TURN_PRIVATE, TURN_PUBLIC } last;
	unsigned backs;
	struct address inner;
	struct frame_ref at;         /* of the last message */
};

enum turn_header { TURN_VIA, TURN_REGISTER_CONTACT, TURN_INVITE_CONTACT, TURN_CONNECTION, TURN_HEADERS };

struct owner { uint64_t session; bool real; };       /* o= of one session */

enum { STYLED_METHODS = 2 };         /* REGISTER, INVITE */

struct style;

struct agent {                       /* source address, server, transport, AOR and User-Agent */
	struct echo_phone phone;
	struct hash_link by_key;
	uint64_t key, user_agent, register_id;       /* hashes; of the Call-ID */
	struct style *styles[STYLED_METHODS];        /* NULL: none, or no room */
	uint8_t styled;              /* bits: looked for in the table */
	int64_t first_ns;
	struct turns turns[TURN_HEADERS];
	int64_t public_ns, told_ns;  /* first public Via or Contact; first answer that told it its public address */
	uint32_t max_forwards;       /* the highest */
	int deltas[LENGTH_SEEN];     /* different ones of real body less Content-Length */
	unsigned delta_count, delta_messages;
	unsigned rejected;           /* fresh credentials that were refused, and the nonce of the last */
	uint64_t nonce;
	size_t cut_bytes;
	uint32_t cut_lengths[CUT_SEEN];
	unsigned cut_count;
	struct owner owners[OWNER_SEEN];
	unsigned owner_next;
};

struct agents {
	struct hash by_key, sites, literals, told;
	struct list in_order, sites_in_order, literals_in_order, told_in_order;
	int64_t begin_ns;            /* of all SIP; NS_NONE: none yet */
};

void agents_init(struct agents *a);
void agents_fini(struct agents *a);
/* A request as its author sent it from a public address; NULL: anything else. */
struct agent *agents_message(struct echoes *e, const struct packet *p, const struct sip_message *m);
struct agent *agent_find(const struct agents *a, uint64_t key);
/* The answer to its request. */
void agents_answer(struct echoes *e, const struct packet *p, const struct sip_message *m, const struct asked *asked);
/* Somebody told a host its public address. */
void agents_told(struct agents *a, const struct address *host, const struct address *public_address);

/* Did private addresses of phones there ever pass to that service as they are? */
bool agents_untouched(const struct agents *a, const struct address *from, uint8_t transport, uint16_t port);

/* ---- echo_style.c: how phones write their headers ---- */

/* A request that the phone wrote itself. Most cost a counter: habits are looked at now and then. */
void style_message(struct echoes *e, struct agent *x, const struct packet *p, const struct sip_message *m);
void styles_fini(struct echoes *e);

/* ---- echo_marks.c: what single messages show ---- */

void marks_message(struct echoes *e, const struct packet *p, const struct sip_message *m, struct agent *agent);
/* Host of the uri in digest credentials when it is an address; hash of their nonce. False: none. */
bool digest_of(const struct sip_message *m, struct address *ret_host, uint64_t *ret_nonce);
/* The address of the session's or the first medium's c= line. */
bool sdp_line_address(struct span sdp, struct span prefix, struct address *ret);
/* The Contact's host when it is an address. */
bool contact_address(const struct sip_message *m, struct address *ret);

/* ---- echo_refused.c: what is never answered ---- */

/* It was sent once more. */
void refused_repeated(struct asked *a, const struct packet *p, const struct sip_message *m);
/* A request of that size was answered. */
void refused_answered(struct echoes *e, const struct asked *a, int64_t at_ns);
/* Where that will look. */
struct hash_place refused_place(const struct echoes *e, const struct endpoint *phone, const struct endpoint *peer);
/* It will not be answered any more. */
void refused_judge(struct echoes *e, struct asked *a);
void refused_init(struct echoes *e);
void refused_fini(struct echoes *e);

struct echoes {
	struct hash signs, asked, sockets, intact, insiders, flows, styles;
	struct list signs_in_order, asked_in_order, sockets_in_order, intact_in_order, insiders_in_order,
		flows_in_order, styles_in_order;
	struct pool asked_pool, socket_pool, flow_pool;
	struct agents agents;
	struct { struct address ends[2]; } tunnels[TUNNEL_MAX];
	unsigned tunnel_count;
	struct echo_external externals[EXTERNAL_MAX];
	unsigned external_count;
};

#endif
