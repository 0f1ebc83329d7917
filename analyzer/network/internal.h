/* SPDX-License-Identifier: MIT */
/* internal: what the files of network/ share. A public record is the first member of its private one. */
#ifndef DEADAIR_NETWORK_INTERNAL_H
#define DEADAIR_NETWORK_INTERNAL_H

#include "analyzer/network/network.h"
#include "analyzer/network/late_copy.h"
#include "analyzer/network/loop.h"
#include "analyzer/network/mark_use.h"
#include "analyzer/network/turn.h"
#include "analyzer/network/vlan_use.h"
#include "captures/base/pool.h"

enum { TALLY_MAX = 4, AOR_MAX = 8, AGENT_MAX = 128, PAIR_SPELL_MAX = 64, PAIR_SPELLS_FEW = 2, VOICE_TOLD_MAX = 16,
	SIP_PORT = 5060, SIPS_PORT = 5061,
       NAT_SURE = 60 /* a mapping of that weight joins two addresses to one machine */ };

/* ---- the most frequent of a few values, in constant time and space (space-saving counters); slot 0 leads ---- */

struct tally {
	uint8_t value[TALLY_MAX];
	uint32_t count[TALLY_MAX];
};

static inline void tally_add(struct tally *t, uint8_t value, uint32_t count)
{
	unsigned i = 0;

	while (i < TALLY_MAX - 1 && t->count[i] && t->value[i] != value)
		i++;
	t->value[i] = value;
	t->count[i] = t->count[i] > UINT32_MAX - count ? UINT32_MAX : t->count[i] + count;
	for (; i > 0 && t->count[i] > t->count[i - 1]; i--) {
		uint32_t more = t->count[i];

		t->value[i] = t->value[i - 1];
		t->count[i] = t->count[i - 1];
		t->value[i - 1] = value;
		t->count[i - 1] = more;
	}
}

/* ---- who leaves when a table is full: the longest idle of those that do not telephone, then of the unproven ---- */

enum grade_level { GRADE_FOREIGN, GRADE_UNPROVEN, GRADE_ESTABLISHED, GRADE_LEVELS };

struct grade {
	struct list_link link;       /* in grades.of[level], longest idle first */
	int64_t touched_ns;
	uint8_t level;               /* enum grade_level */
};

struct grades { struct list of[GRADE_LEVELS]; };

void grades_init(struct grades *g);
void grades_add(struct grades *g, struct grade *record, int64_t now_ns);
void grades_remove(struct grades *g, struct grade *record);
void grades_move(struct grades *g, struct grade *record, int64_t now_ns);
/* Cheap: moves a record once a second of packet time. */
static inline void grades_touch(struct grades *g, struct grade *record, int64_t now_ns)
{
	if (ns_minus(now_ns, record->touched_ns) >= SECOND_NS)
		grades_move(g, record, now_ns);
}

/* False: it was there already, or higher. */
bool grades_raise(struct grades *g, struct grade *record, enum grade_level level);
/* Who goes next, never `spare`; NULL: nobody else is there. */
struct grade *grades_next(const struct grades *g, const struct grade *spare);

/* ---- hosts ---- */

struct machine {                     /* one MAC address, as long as a host is known to use it */
	struct hash_link by_mac;
	uint8_t mac[6];
	bool shared;
	struct list hosts;           /* host_record.in_machine */
	struct address sample[2];    /* an IPv4 and an IPv6 address that sends from it */
};

enum agent_source { AGENT_NONE, AGENT_RESPONSE, AGENT_OWN_RESPONSE, AGENT_REQUEST };   /* own: no proxy passes it on */

struct host_record {
	struct host host;
	struct grade grade;
	struct list pairs_out;       /* pair_record.in_src */
	struct list pairs_in[2]; /* pair_record.in_dst, by established: witnesses are sought among the proven first */
	struct machine *machine;
	struct list_link in_machine;
	uint32_t machine_votes;      /* majority of its packets for this MAC */
	struct host_record *next_alias;      /* of a leader and of a member: the next member */
	bool alias_configured;       /* is a member by configuration */
	struct tally ttls, dscps;
	uint64_t frames_out, frames_in;      /* by the capturing machine's own word */
	uint64_t sent_good, sent_bad, received_good, received_bad;   /* UDP, TCP checksums */
	uint8_t *media_port_bits;    /* 65 536 bits; NULL until it is established and has more than HOST_PORT_MAX */
	enum agent_source agent_source;
	uint32_t aors[AOR_MAX];      /* hashes */
	uint32_t sdp_addresses[2];
	unsigned sdp_address_count;
	uint64_t sip_sent, rtp_sent;
	uint32_t registers_of_pbx;   /* received from a host that calls itself a PBX */
	bool e164_sent, e164_received, asserts_identity;
	uint32_t role_rules;         /* bits of the rules of role.c that hold */
};

struct pair_record {
	struct pair pair;
	struct grade grade;
	struct list_link in_src, in_dst;
	struct host_record *src, *dst;
	struct pair_record *reverse; /* NULL: nothing was seen the other way */
	unsigned spell_room;
	uint16_t sip_port, media_port;       /* last source ports that src was told of */
	struct pair_spell few[PAIR_SPELLS_FEW];      /* pair.spells, until there are more */
};

/* ---- copies ---- */

struct duplicate_entry;

struct duplicates {
	struct duplicate_entry *ring;
	struct loops loops;
	uint32_t *buckets;           /* position + 1 of the newest entry; 0 none */
	uint32_t room, oldest, count;        /* room is a power of two */
	int64_t window_ns, sip_window_ns;
	int64_t last_delta_ns;       /* of the last copy found, and which frame that was */
	struct frame_spot last_copy;
};

void duplicates_init(struct duplicates *d, int64_t window_ns, int64_t sip_window_ns);
void duplicates_fini(struct duplicates *d);
enum duplicate_verdict duplicates_judge(struct duplicates *d, const struct packet *p);

/* ---- NAT map ---- */

struct nat {
	struct hash faces;           /* struct nat_face: one side of mappings */
	struct hash mappings;        /* struct mapping_record by both sides and scope */
	struct list in_order;
	struct list by_weight[6];    /* mapping_record.in_weight: weakest class first, least recently learnt first */
	size_t max;
	uint64_t evicted;
};

void nat_init(struct nat *nat, size_t max);
void nat_fini(struct nat *nat);
/* network_learn with a weight of its own: > 20, for evidence that is weaker than its method's rule. */
void nat_learn(struct nat *nat, const struct nat_mapping *m);
/* Weight of the mapping of the two whole addresses in that scope; 0 none. */
unsigned nat_weight(const struct nat *nat, const struct address *inside, const struct address *outside, bool media);
/* How many private addresses surely stand behind that public one, in the scope where there are more; counts to 16. */
unsigned nat_insides(const struct nat *nat, const struct address *outside);
/* Were packets of that public address seen before their translation as well? */
bool nat_translated(const struct nat *nat, const struct address *outside);

/* ---- the whole ---- */

enum { LINK_SIGHTS = 256 };

struct link_sight {
	uint8_t mac[6];
	int64_t first_ns, last_ns;
};

struct network {
	struct network_config config;
	struct hash hosts, pairs, machines;
	struct list hosts_in_order, pairs_in_order;
	struct grades host_grades, pair_grades;
	struct pool host_pool, pair_pool, machine_pool;
	struct pair_record *last;    /* the pair of the last packet */
	struct duplicates duplicates;
	struct late_copies late;
	struct nat nat;
	struct ice_ways *ice;        /* made with the first check */
	struct dtls_ways *dtls;      /* made with the first record */
	struct stun_asked *stun;     /* Binding and Allocate requests on their way; made with the first */
	struct vlan_uses *vlans;
	struct turns *turns;
	struct voice_told voice[VOICE_TOLD_MAX];
	unsigned voice_count;
	struct mark_uses marks;
	struct link_sight links[LINK_SIGHTS];        /* unicast frames without IP (ARP), by whom they reach */
	unsigned link_count;
	struct { uint32_t ifindex; uint16_t file, interface; } points[32];
	unsigned point_count;
	unsigned port_bitmaps;       /* host_record.media_port_bits in use */
	struct network_counts counts;
	int64_t now_ns;
};

static inline struct host_record *host_record_of(const struct host *h)
{
	return (struct host_record *)h;
}

/* host.c */
struct host_record *host_add(struct network *n, const struct address *a, const struct host_record *spare);
struct host_record *host_find(const struct network *n, const struct address *a);     /* itself, no alias followed */
/*
 * The TTL is the sender's own only where nobody speaks for it: not in relayed media, nor in what a HEP agent says it
 * saw.
 */
bool ttl_is_own(const struct packet *p);
unsigned ttl_hops(uint8_t ttl);      /* to the next initial one (64, 128, 255) */
void host_sent(struct network *n, struct host_record *h, const struct packet *p, uint32_t count);
void host_received(struct host_record *h, const struct packet *p, uint32_t count);
/* What a copy still tells of its sender: in which direction it passed this machine. */
void host_passed(struct host_record *h, const struct packet *p, uint32_t count);
void host_establish(struct network *n, struct host_record *h);
void host_agent(struct host_record *h, struct span agent, enum agent_source source);
void host_media_port(struct network *n, struct host_record *h, uint16_t port);
void host_sip_port(struct host_record *h, uint16_t port);
void hosts_free(struct network *n);

/* machine.c */
void machine_sent(struct network *n, struct host_record *h, const struct packet *p, uint32_t count);
/* Where that will look, of a host that it does not know yet: 1, or 0. */
unsigned machine_places(const struct network *n, const struct packet *p, struct hash_place *ret);
void machine_leave(struct network *n, struct host_record *h);
void machine_aliases(struct network *n);             /* 1.6.2 (a), anew */
void alias_forget(struct host_record *h);            /* h is about to go */

/* pair.c */
/* hash: as network_places() asks for. */
struct pair_record *pair_add(struct network *n, const struct packet *p, uint32_t hash);
/* Of the packet that was added last nothing is looked up or touched. */
struct pair_record *pair_again(struct network *n, const struct packet *p);
struct pair_record *pair_find(const struct network *n, const struct address *src, const struct address *dst);
void pair_packet(struct network *n, struct pair_record *pair, const struct packet *p, enum duplicate_verdict verdict,
	uint32_t count);
void pair_establish(struct network *n, struct pair_record *pair);    /* with its reverse and both hosts */
void pair_remove(struct network *n, struct pair_record *pair);
void pairs_free(struct network *n);

/* role.c */
void roles_settle(struct network *n);

/* learn_stun.c */
void network_forget_stun(struct network *n);

/* ice.c */
void network_learn_ice(struct network *n, const struct packet *p);
void network_forget_ice(struct network *n);

/* dtls.c */
void network_forget_dtls(struct network *n);

#endif
