/* SPDX-License-Identifier: MIT */
/* sip_alg_echo: what the files that judge signs of one capture point share. */
#ifndef DEADAIR_DETECT_SIP_ALG_ECHO_H
#define DEADAIR_DETECT_SIP_ALG_ECHO_H

#include "analyzer/detect/leg_keys.h"
#include "analyzer/detect/sip_alg.h"
#include "analyzer/network/echo.h"

enum { PUBLIC_INSIDE_MAX = 8 };

struct echo_path {                   /* a phone and the service it uses */
	struct hash_link link;
	struct address phone;
	struct endpoint peer;
	uint8_t transport;
	unsigned transactions[ECHO_KIND_COUNT];
};

struct echo_context {
	const struct facts *facts;
	struct alg_evidence *to;
	struct leg_keys *legs;
	struct arena *arena;
	struct hash paths;           /* struct echo_path */
	struct hash writers;         /* servers that write ports of their own accord: struct echo_writer */
	/* private addresses that are surely translated, and their nets: struct echo_mapped */
	struct hash mapped, mapped_nets;
	struct hash configured;      /* public addresses of the site's profile */
	struct hash routers;         /* private hosts by their MAC addresses: struct echo_router */
	struct hash places;          /* struct echo_place, those with items */
	struct list places_in_order;
	struct address public_inside[PUBLIC_INSIDE_MAX];     /* public hosts on the phones' own link */
	unsigned public_inside_count;
	bool blind;                  /* nobody knows on which side of which router this was captured */
};

struct echo_place {                  /* what was said of one rewriter */
	struct list_link in_order;
	struct hash_link link;
	struct alg_where where;
	uint32_t said;               /* bits of counter-evidence handed over */
	bool strong;                 /* something that a phone which knows its public address does not leave */
};

void echo_context_init(struct echo_context *c, const struct facts *facts, struct alg_evidence *to);
void echo_context_fini(struct echo_context *c);
unsigned echo_transactions(const struct echo_context *c, const struct echo_sign *s);
bool echo_server_writes_ports(const struct echo_context *c, const struct echo_sign *s);
/* Is the phone's private address translated towards the outside, as something else than a server's echo proves? */
bool echo_mapped(const struct echo_context *c, const struct address *phone);
/* Does the site's profile tell that phones have this public address fixed? */
bool echo_configured(const struct echo_context *c, const struct address *public_address);
/* Is any host of its net? */
bool echo_site_mapped(const struct echo_context *c, const struct address *phone);
/* The router's address on the phones' side, by the MAC address that the phone sends to. */
bool echo_router(const struct echo_context *c, const struct echo_sign *s, struct address *ret);
struct echo_place *echo_place_of(struct echo_context *c, const struct alg_where *where);

/* Offers of two phones that clash at a SIP helper (E18): sip_alg_echo_clash.c */
void echo_add_clashes(struct echo_context *c);
/* SIP that comes a shorter way than its audio (E14), headers written as nowhere else (E15): sip_alg_echo_habits.c */
void echo_add_habits(struct echo_context *c);
/* Hands over the item of a place. */
void echo_item_add(struct echo_context *c, const struct alg_item *item, bool hint);
struct alg_where echo_where(const struct echo_context *c, const struct echo_sign *s);

#endif
