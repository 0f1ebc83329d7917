/* SPDX-License-Identifier: MIT */
/* sip_alg_private: evidence gathered per rewriter, for sip_alg.c, sip_alg_weigh.c, sip_alg_harm.c and sip_alg_say.c. */
#ifndef DEADAIR_DETECT_SIP_ALG_PRIVATE_H
#define DEADAIR_DETECT_SIP_ALG_PRIVATE_H

#include "analyzer/detect/sip_alg.h"

enum { ALG_REWRITER_MAX = 256 };

struct alg_entry {
	struct alg_item item;
	struct alg_entry *next;      /* of the same rewriter, in the order in which they were added */
};

struct alg_rewriter {                /* one device and the service it meddles with */
	struct alg_where where;
	struct alg_entry *first, **end;
};

struct alg_evidence {
	struct arena *arena;
	struct alg_rewriter rewriters[ALG_REWRITER_MAX];
	unsigned rewriter_count, item_count;
};

struct alg_sum {
	enum confidence confidence;  /* NONE: nothing to say */
	int points;
	unsigned groups;             /* that have points left */
};

struct alg_limits { int likely, possible; };

struct alg_sum alg_weigh(const struct alg_rewriter *r, const struct alg_limits *limits);
/* The same without the items of one group. */
struct alg_sum alg_weigh_without(const struct alg_rewriter *r, const struct alg_limits *limits, char group);

struct alg_harm {                    /* what failed by a field that was changed */
	enum severity severity;      /* WARNING: nothing */
	unsigned findings, calls, registrations;
	/* the Contact that it wrote, where calls to a phone went in vain; of the leg's segments; NULL none */
	const struct endpoint *dead_contact;
	bool discarded;              /* phones ignore what it changed */
	bool cuts;                   /* a Content-Length no longer fits */
	bool drops;                  /* messages that such helpers refuse vanish in it, too */
};

/* Findings that failed by it get f as their cause. */
struct alg_harm alg_harm_of(const struct facts *facts, const struct alg_rewriter *r);
void alg_harm_link(const struct facts *facts, const struct alg_rewriter *r, struct finding *f);

/* The reason that stands for all, and up to four others behind it; returns how many. */
unsigned alg_reasons(const struct alg_rewriter *r, enum confidence c, const char *ret[FINDING_REASON_MAX + 1]);
/* Texts, parts, calls, evidence and changed fields. */
void alg_say(struct finding *f, const struct facts *facts, const struct alg_rewriter *r, const struct alg_harm *harm);
/* Its calls, each once, and what calls that it leaves alone have; after the parts are named. sip_alg_calls.c */
void alg_say_calls(struct finding *f, const struct facts *facts, const struct alg_rewriter *r);
/* Evidence for it, not against. */
bool alg_shows(const struct alg_item *item);
/* "UDP" */
const char *alg_transport_name(uint8_t transport);

#endif
