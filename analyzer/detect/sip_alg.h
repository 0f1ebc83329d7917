/* SPDX-License-Identifier: MIT */
/*
 * sip_alg: what the providers of evidence hand to the detector sip-alg. A provider reads records that the engine keeps
 * (struct facts) and adds items; the detector gathers those of one rewriter, weighs them and raises one finding for it.
 */
#ifndef DEADAIR_DETECT_SIP_ALG_H
#define DEADAIR_DETECT_SIP_ALG_H

#include "analyzer/detect/detector.h"

enum { ALG_TEXT = 160, ALG_ITEM_MAX = 4096 };

enum alg_weight {
	ALG_PROOF,                   /* proves by itself, no veto applies: certain */
	ALG_POINTS,                  /* the best of its group counts */
	ALG_ALONE,                   /* points that are likely without a second group */
	ALG_AGAINST,                 /* points taken from the sum of the groups named in `groups` */
	ALG_VETO,                    /* the groups named in `groups` do not count at all */
	ALG_CAP                      /* whatever the points: no more than possible */
};

enum alg_field {                     /* what a changed field is used for: links harm to it */
	ALG_VIA = 1 << 0,            /* where responses go */
	ALG_CONTACT = 1 << 1,        /* Contact, Record-Route: where requests of the dialog or binding go */
	ALG_SDP = 1 << 2,            /* c=, m=, a=rtcp: where audio goes */
	ALG_IDENTITY = 1 << 3,       /* Call-ID, From, To, Request-URI: which dialog and who */
	ALG_REFER = 1 << 4,          /* Refer-To, Replaces: where a transfer goes */
	ALG_AUTH = 1 << 5,           /* digest uri or body */
	ALG_EXPIRES = 1 << 6,
	ALG_BODY = 1 << 7            /* the body no longer fits its headers */
};

/* one rewriter and the service it meddles with; items of equal ones make one finding */
struct alg_where {
	struct address host;         /* public address of the router, else its LAN address; family 0: unknown */
	uint8_t transport;           /* enum packet_transport */
	uint16_t port;               /* of the server */
	bool far_side;               /* on the server's side of the capture point */
};

struct alg_item {
	struct alg_where where;
	const char *reason;          /* static, of the register; "": it only adds weight to others */
	/* a reason of dropped-in-path: messages of this sort vanish there; NULL: none do */
	const char *dropped;
	uint8_t weight;              /* enum alg_weight */
	int points;                  /* ALG_POINTS, ALG_ALONE, ALG_AGAINST: > 0 */
	char group;                  /* ALG_POINTS, ALG_ALONE: letter of 3.3's table */
	const char *groups;          /* ALG_AGAINST, ALG_VETO: letters, e.g. "VCSM" */
	uint32_t fields;             /* bits enum alg_field */
	/*
	 * Safe text (text_escape); field "Contact", "c="; the values as written. Empty where there is nothing to show.
	 */
	char field[32], before[ALG_TEXT], after[ALG_TEXT];
	char note[ALG_TEXT + 96];    /* a sentence that the cause closes with; empty none */
	struct frame_ref seen[2];    /* where before and after stand; frame 0 none */
	unsigned count;              /* messages that show it; 0 counts as 1 */
	const struct leg *leg;       /* NULL: no call (REGISTER, OPTIONS) */
	struct endpoint phone;       /* on the private side, port 0: the host as a whole; family 0 unknown */
	struct endpoint peer;        /* the server as the phone sees it; family 0 unknown */
	int64_t first_ns, last_ns;
	bool discarded;              /* the phone did not take what was changed for its own: harm by itself */
};

struct alg_evidence;

/* All that the providers know, by rewriter; asked through lookup_alg_evidence(), which makes it once. */
struct alg_evidence *alg_evidence_new(const struct facts *facts, struct arena *arena);

/* Is it proven that a device with that outside address rewrites SIP over UDP to that port? */
bool alg_is_certain(const struct alg_evidence *e, const struct address *outside, uint16_t port);

/* Copied. What exceeds ALG_ITEM_MAX is dropped: a rewriter of so many calls is proven by the first. */
void alg_evidence_add(struct alg_evidence *to, const struct alg_item *item);

/* The providers; called while judging, when calls, streams, network and the other findings are complete. */
/* two capture points: sip_alg_pair.c */
void sip_alg_from_points(const struct facts *facts, struct alg_evidence *to);
void sip_alg_from_echo(const struct facts *facts, struct alg_evidence *to);      /* one capture point: sip_alg_echo.c */

#endif
