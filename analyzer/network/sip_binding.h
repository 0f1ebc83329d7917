/* SPDX-License-Identifier: MIT */
/*
 * sip_binding: the mappings that NATs keep for phones' SIP over UDP, and how long a silence they outlive (3.10). A
 * binding is what one client socket and one registrar socket say to each other; it begins with a REGISTER. What the
 * server sends after a silence measures it: answered, the mapping lived; unanswered although the phone is alive later,
 * it was dead.
 */
#ifndef DEADAIR_NETWORK_SIP_BINDING_H
#define DEADAIR_NETWORK_SIP_BINDING_H

#include "analyzer/calls/call.h"

enum { BINDING_USER = 40, BINDING_PROBES = 4, BINDING_DEATHS = 8, BINDING_DEVICES = 8, BINDING_SEEN = 16,
	BINDING_CHANGES = 16 };

struct binding_probe {               /* a request of the server, after the phone was silent */
	uint64_t key;                /* of its transaction */
	uint64_t call;               /* sip_binding_call() of its Call-ID */
	struct frame_ref first, last, icmp_at;       /* icmp_at.frame 0: nobody refused it */
	/* ICMP says that a filter or the way to the router stopped it: no mapping is to blame */
	bool stopped;
	uint8_t method;
	bool in_dialog, stream;      /* stream: the server had been heard on this mapping before */
	unsigned transmissions;
	int64_t silence_ns;          /* since the phone last sent */
	int64_t quiet_ns;            /* since anybody did: never longer */
};

struct binding_death {               /* a probe that the phone, alive later, never saw */
	struct binding_probe probe;
	struct frame_ref alive_at;   /* its sign of life */
	struct endpoint now;         /* where that came from */
	bool port_changed;           /* the same device, another outer port */
};

struct binding_nat;

struct sip_binding {
	struct list_link in_order;
	struct endpoint client, server;      /* as seen here */
	struct endpoint inner;       /* what the phone calls itself, top Via of its REGISTER; family 0: a name */
	struct binding_nat *nat;     /* of client.addr */
	bool translated;             /* inner is private and the client's address is not: a NAT lies in between */
	bool pbx;                    /* calls itself a PBX */
	char user[BINDING_USER];     /* of the AOR, escaped */
	struct frame_ref first, last_out, registered;
	int64_t last_in_ns;
	int64_t registered_until_ns; /* NS_NONE: never registered here */
	uint32_t expires_s;          /* as granted */
	uint64_t outs, ins;
	uint32_t keepalives;         /* of outs: no SIP */
	uint32_t keepalives_elsewhere;       /* from the client socket to another than the registrar's */
	int64_t gap_max_ns;          /* longest silence of the phone that it ended itself */
	struct frame_ref gap_from, gap_to;
	unsigned gaps;               /* silences of a second and more */
	unsigned unanswered_early;   /* probes after short silence that nobody answered either */
	struct binding_death deaths[BINDING_DEATHS];
	unsigned death_count;
};

struct binding_nat {                 /* one public address, all its phones */
	struct address addr;
	/* the bracket: longest silence that a mapping of the class "stream" outlived, shortest that killed one */
	int64_t alive_ns, dead_ns;   /* 0: none measured */
	struct frame_ref alive_at, dead_at;
	const struct sip_binding *dead_of;   /* NULL once it was thrown away */
	unsigned deaths;             /* counted with or without harm */
	/* devices whose outer port or address changed, the latest ones */
	struct { int64_t at_ns; uint64_t device; } changes[BINDING_CHANGES];
	unsigned change_count;
	unsigned bindings;
};

struct sip_bindings;

struct sip_bindings_config {
	int64_t min_silence_ns;      /* 20 s: below, an unanswered request says nothing of the mapping */
	int64_t proof_ns;            /* 900 s: so long after a probe the phone's sign of life is one */
	size_t max;                  /* 32 768 bindings; 0: that */
};

struct sip_bindings *sip_bindings_new(const struct sip_bindings_config *config);
void sip_bindings_free(struct sip_bindings *b);
/* Every packet that is no copy: SIP, keepalives, STUN, ICMP are looked at. */
void sip_bindings_packet(struct sip_bindings *b, const struct packet *p);

const struct list *sip_bindings_in_order(const struct sip_bindings *b);      /* struct sip_binding, by first REGISTER */
const struct sip_binding *sip_bindings_find(const struct sip_bindings *b, const struct endpoint *client,
	const struct endpoint *server);
const struct binding_nat *sip_bindings_nat(const struct sip_bindings *b, const struct address *a);
/* Did a request reach this side of the NAT? Of the last BINDING_SEEN ones. */
bool sip_binding_saw(const struct sip_binding *b, uint64_t probe_key);
/* Measured and not contradicted: the mapping outlives alive_ns (0: nothing known) and is dead after dead_ns. */
bool binding_nat_bracket(const struct binding_nat *n);
/*
 * How many devices of it changed port or address once within `within` of that time: those that do all the time are of
 * another kind.
 */
unsigned binding_nat_changes(const struct binding_nat *n, int64_t at_ns, int64_t within_ns);
uint64_t sip_binding_call(struct span call_id);

#endif
