/* SPDX-License-Identifier: MIT */
/*
 * network: hosts and their roles, who was seen sending to whom, NAT mappings, mirror copies, and where the capture was
 * taken. Not touched per media packet: stream ticks and a cheap flow filter add to it (1.11).
 */
#ifndef DEADAIR_NETWORK_NETWORK_H
#define DEADAIR_NETWORK_NETWORK_H

#include "captures/base/address.h"
#include "captures/base/arena.h"
#include "captures/base/hash.h"
#include "captures/base/list.h"
#include "captures/base/ns.h"
#include "dissect/packet.h"

enum { HOST_PORT_MAX = 16 };

enum host_role { ROLE_PHONE, ROLE_PBX, ROLE_SBC, ROLE_PROXY, ROLE_TRUNK, ROLE_NAT, ROLE_MEDIA, ROLE_COUNT };

struct host {
	struct list_link in_order;
	struct hash_link by_address;
	struct address addr;
	struct host *alias_of;       /* the same machine under another address (1.6.2); NULL: itself */
	uint8_t mac[6];
	bool has_mac, mac_shared;    /* its MAC also sends for other hosts off its net: a router's */
	bool on_host;                /* evidence that the capture was taken on this very machine (1.7.1) */
	uint8_t ttl;                 /* usual TTL of its packets here */
	bool ttl_known, sends_ip;
	uint8_t hops;                /* next initial TTL (64, 128, 255) - ttl; valid when ttl_known */
	uint8_t dscp;                /* of its RTP, most frequent */
	bool dscp_known;
	uint64_t packets_out, packets_in;    /* IP packets from and to it */
	int64_t first_ns, last_out_ns, last_in_ns;
	/* at which capture points (network_point) packets from it and to it are seen */
	uint32_t points_out, points_in;
	/* of points_out: where its packets come as they left it, and where they come from beyond a router, by their TTL */
	uint32_t points_at, points_beyond;
	struct span user_agent;
	uint16_t sip_ports[HOST_PORT_MAX], media_ports[HOST_PORT_MAX], vlans[4];
	unsigned sip_port_count, media_port_count, vlan_count;
	uint32_t media_ports_seen;   /* how many different ones in all */
	uint8_t transports;          /* bits 1 << enum packet_transport, of its SIP */
	/*
	 * evidence for roles; learnt here, a message at a time (network_learn_sip), named_by_icmp from ICMP errors that
	 * it sends for others
	 */
	uint32_t registers_sent, registers_answered, invites_sent, invites_received, notifies_sent, options_sent;
	uint32_t aors;               /* different ones that it registers, counted to 8 */
	bool adds_via, in_sdp_of_others, named_by_icmp;
	/* the same, filled by the engine: it alone knows legs */
	uint32_t legs_joined, legs_open_max;
	unsigned role_points[ROLE_COUNT];
	uint8_t roles;               /* bits 1 << enum host_role with >= 60 points, at most two */
};

/* One direction between two hosts. */
struct pair {
	struct hash_link by_key;
	struct list_link in_order;
	struct address src, dst;
	uint64_t packets;
	uint64_t rtp, sip, rtcp, icmp, stun, tls, other;
	/* of sip: the capture cut them before Call-ID or CSeq, so that they cannot be told from one another */
	uint64_t sip_nameless;
	uint64_t copies;             /* mirror copies of those packets (dropped from all other figures) */
	uint64_t copies_other_point; /* of these: other MAC, VLAN or lower TTL */
	int64_t copy_delta_max_ns;
	int64_t first_ns, last_ns;
	struct frame_spot { uint16_t file; uint32_t frame; } first_at;
	/* when it was seen: at most 64 spans of time in which it sent, a hole of 10 s begins a new one */
	struct pair_spell { int64_t from_ns, to_ns; } *spells;
	unsigned spell_count;
	uint32_t points;             /* bit set of capture points (file, interface, ifindex) */
	/* the TURN server that its packets are to or come from in truth; family 0: none, or not known */
	struct address relay;
	bool media;                  /* of rtp, some is beyond doubt: network_media() */
	bool zrtp;                   /* it has sent ZRTP messages: keys that SDP does not tell of (RFC 6189) */
};

/* ICE: what one media socket asks another one whether it can be reached (RFC 8445), as seen here. */
struct ice_way {
	struct endpoint from, to;
	uint64_t checks, answers;
	uint64_t in_vain;            /* checks since the last answer */
	uint64_t unnamed;            /* questions by STUN that are no checks */
	int64_t first_ns, last_ns;   /* of the checks */
	int64_t answered_ns;         /* the last answer; NS_NONE none */
	struct frame_spot first_at;
};

/* DTLS from one media socket to another (RFC 5764), as seen here. */
struct dtls_way {
	struct endpoint from, to;
	unsigned hellos, others;     /* ClientHellos, which a client repeats until it is answered; all other records */
	unsigned in_vain;            /* hellos since the last record of the other side */
	uint8_t alert;               /* of the last fatal alert in clear, with its time; time NS_NONE: none */
	int64_t first_ns, last_ns, alert_ns;
	struct frame_spot first_at, alert_at;
};

enum nat_method {
	NAT_TWIN,
	NAT_SIP_TWO_POINTS,
	NAT_STUN,
	NAT_RPORT,
	NAT_CONFIG,
	NAT_VIA,
	NAT_CONTACT,
	NAT_SDP_PORT_EQUAL,
	NAT_SDP_PORT_OTHER,
	NAT_LATCHED,
	NAT_EXTERNAL_ADDRESS /* the sender advertises a public address, its packets carry a private one */
};

struct nat_mapping {                 /* 1.6.3 */
	struct list_link in_order;
	struct endpoint inside, outside;     /* port 0: the address as a whole */
	bool media;                  /* scope; false: SIP */
	/* enum packet_transport of the evidence; TRANSPORT_NONE: of any, UDP where it matters */
	uint8_t transport;
	enum nat_method method;
	unsigned weight;
	bool derived;                /* the whole address, concluded from one of its ports: 20 points less */
	int64_t first_ns, last_ns;
	struct frame_spot at;        /* of the evidence that `method` names */
};

enum vantage_kind {
	VANTAGE_UNKNOWN,
	VANTAGE_ON_HOST,
	VANTAGE_NEAR,
	VANTAGE_INSIDE_NAT,
	VANTAGE_OUTSIDE_NAT,
	VANTAGE_BOTH_SIDES,
	VANTAGE_MID
};

struct vantage {
	enum vantage_kind kind;
	enum { VANTAGE_POSSIBLE, VANTAGE_LIKELY, VANTAGE_CERTAIN } confidence;
	const struct host *host;     /* on or near it, or the NAT router; NULL */
	char why[160];
};

enum duplicate_verdict {
	DUPLICATE_NO,
	DUPLICATE_COPY,              /* the mirror delivered it twice, same place */
	DUPLICATE_POINT              /* the same packet at a second point: other MAC, VLAN or lower TTL */
};

/* A switch tells its phones of the VLAN for voice (LLDP-MED, CDP). */
struct voice_told {
	uint16_t vid;
	uint8_t mac[6];              /* of the sender */
	int64_t first_ns;
	uint32_t frame;
	uint16_t file, interface;
};

struct network;
struct vlan_uses;                    /* vlan_use.h */
struct turns;                        /* turn.h */
struct mark_uses;                    /* mark_use.h */
struct loops;                        /* loop.h */

/* 0: 20 ms, 100 ms, 65 536 hosts, 131 072 pairs, 65 536 mappings. */
struct network_config { int64_t dup_window_ns, dup_sip_window_ns; size_t max_hosts, max_pairs, max_mappings; };

/*
 * config NULL: the defaults. A full table drops what was idle longest, and what has carried RTP, TLS both ways or a SIP
 * success last of all: a struct host or pair is good until the next network_host, network_packet or network_learn call.
 */
struct network *network_new(const struct network_config *config);
void network_free(struct network *n);

/*
 * 1.4.6, before everything else, for packets that are not of a known RTP stream: ring of hashes, at most 65 536
 * entries.
 */
enum duplicate_verdict network_duplicate(struct network *n, const struct packet *p);
/* What goes round, as far as network_duplicate() saw it. */
/* The capture was merged of two whose clocks are so far apart: each packet is in it twice. 0: it was not. */
int64_t network_copies_apart_ns(const struct network *n);
const struct loops *network_loops(const struct network *n);

/* Where network_packet() will look; gives how many, HASH_PLACES at most. */
unsigned network_places(const struct network *n, const struct packet *p, struct hash_place *ret);
/* The first of them, which leads to the others where the two hosts are known. */
struct hash_place network_pair_place(const struct network *n, const struct packet *p);
/*
 * Every packet with IP addresses, copies too (verdict says so). Media packets of known streams may be batched: count of
 * equal ones since the last call, p being the latest.
 */
void network_packet(struct network *n, const struct packet *p, enum duplicate_verdict verdict, uint32_t count);
/* The same; at: what network_places() gave for it. */
void network_packet_at(struct network *n, const struct packet *p, enum duplicate_verdict verdict, uint32_t count,
	const struct hash_place *at);

struct host *network_host(struct network *n, const struct address *a);               /* found or made; NULL: family 0 */
/* Follows alias_of; NULL unknown. */
const struct host *network_host_find(const struct network *n, const struct address *a);
/* Was it seen to send anything? */
static inline bool network_sends(const struct network *n, const struct address *a)
{
	const struct host *h = network_host_find(n, a);

	return h && h->sends_ip;
}
const struct pair *network_pair_find(const struct network *n, const struct address *src, const struct address *dst);
/* Two public hosts talk here, of which it is one: no NAT that hides private ones is between them. */
bool network_talks_in_public(const struct network *n, const struct address *a);
const struct list *network_hosts(const struct network *n);     /* struct host.in_order, by first sight */
const struct list *network_pairs(const struct network *n);
const struct vlan_uses *network_vlans(const struct network *n);
const struct turns *network_turns(const struct network *n);
/* Different ones, the first that were met. */
const struct voice_told *network_voice_told(const struct network *n, unsigned *ret_count);
const struct mark_uses *network_marks(const struct network *n);
const struct list *network_mappings(const struct network *n);  /* struct nat_mapping.in_order, as learnt */

/* [hosts] alias: b is the same machine as a. Chains are followed; survives network_settle. */
void network_alias(struct network *n, const struct address *a, const struct address *b);

/* Was any packet of the pair seen within [from - margin, to + margin]? */
bool pair_seen(const struct pair *p, int64_t from_ns, int64_t to_ns, int64_t margin_ns);
/*
 * Of two who speak through a TURN server whose client one of them is: was a packet of any sort seen within the time on
 * the part of the way from src to dst that is the client's, to the server or from it?
 */
bool network_relay_seen(const struct network *n, const struct address *src, const struct address *dst, int64_t from_ns,
	int64_t to_ns, int64_t margin_ns);
/*
 * Did a frame without IP, an ARP reply, reach that host's MAC address within the time? Then its port is mirrored in
 * that direction, too.
 */
bool network_link_inbound(const struct network *n, const struct address *to, int64_t from_ns, int64_t to_ns);
/* Was a packet of any other host than `but` seen going to dst within the time? (1.7.3 G1 witness) */
bool network_other_inbound(const struct network *n, const struct address *dst, const struct address *but,
	int64_t from_ns, int64_t to_ns, const struct pair **ret_witness);
/* One on the same side of dst as `but`, in its network or outside of it? (1.7.2 link coverage) */
bool network_beside_inbound(const struct network *n, const struct address *dst, const struct address *but,
	int64_t from_ns, int64_t to_ns);
/* The bit of that capture point in pair.points; 0: none of the first 31. */
uint32_t network_point(const struct network *n, uint16_t file, uint16_t interface, uint32_t ifindex);
/*
 * Is what passes between the two seen only where a comes from beyond a router, though it is near at another point of the
 * capture? From there nothing can be said of what a sends to b.
 */
bool network_passes_beyond(const struct network *n, const struct address *a, const struct address *b);
/* As network_at(), at that point of the capture: the host may be near at another one alone. */
bool network_at_point(const struct network *n, const struct address *a, uint16_t file, uint16_t interface,
	uint32_t ifindex);
/* Does that point see anything that src sends, or that is sent to dst? Else it may be blind for this direction. */
bool network_passes_at(
	const struct network *n, const struct address *src, const struct address *dst, uint16_t file,
	uint16_t interface, uint32_t ifindex);

/*
 * Learns a mapping or strengthens it; ports 0 for whole addresses. A mapping of two ports also says something of the
 * two addresses: it is learnt a second time without ports (derived). Never learnt: loopback, multicast, unspecified
 * addresses, IPv4 with IPv6.
 */
void network_learn(struct network *n, const struct endpoint *inside, const struct endpoint *outside, bool media,
	enum nat_method method, int64_t at_ns, uint16_t file, uint32_t frame);
/* From one SIP message: Via sent-by against source, received/rport, Contact, SDP address with public source (1.6.3). */
void network_learn_sip(struct network *n, const struct packet *p, const struct sip_message *m);
void network_learn_stun(struct network *n, const struct packet *p);
/* Checks from one socket to another; NULL: none were seen. */
const struct ice_way *network_ice(const struct network *n, const struct endpoint *from, const struct endpoint *to);
/*
 * All checks between two sides as they call themselves (a=ice-ufrag), wherever they come from; how many, at most max.
 */
unsigned network_ice_named(const struct network *n, struct span asked, struct span asking, const struct ice_way **ret,
	unsigned max);
void network_learn_dtls(struct network *n, const struct packet *p);
/* What of a handshake goes from one socket to another; NULL: nothing was seen. */
const struct dtls_way *network_dtls(const struct network *n, const struct endpoint *from, const struct endpoint *to);
/*
 * The best image of an endpoint through the map: exact port first, then the address as a whole (port kept), then the
 * address in the other scope (weight at most 50). False: none, or a public address that stands for several private
 * ones.
 */
bool network_public_of(
	const struct network *n, const struct endpoint *inside, bool media, struct endpoint *ret, unsigned *ret_weight);
bool network_private_of(const struct network *n, const struct endpoint *outside, bool media, struct endpoint *ret,
	unsigned *ret_weight);
/* How many hosts are known to speak as this public address, of the latest; 0: it is no NAT's, as far as is seen. */
unsigned network_insides(const struct network *n, const struct address *outside);
/* Do both addresses belong to one machine or one NAT's two faces? */
bool network_same(const struct network *n, const struct address *a, const struct address *b);

/*
 * Where an address can be reached from: -1 nowhere from outside its host, 0 private, 1 carrier-grade (RFC 6598), 2
 * public.
 */
static inline int address_reach(const struct address *a)
{
	if (!address_known(a) || address_unspecified(a) || address_loopback(a) || address_multicast(a))
		return -1;
	if (a->family == 4 && a->bytes[0] == 100 && (a->bytes[1] & 0xc0) == 64)
		return 1;
	return address_private(a) ? 0 : 2;
}

/* Is the capture point on a's side: fewer hops than b, or on host a (1.7.1 near). Both unknown: false. */
bool network_near(const struct network *n, const struct address *a, const struct address *b);
/* The same of hosts that were looked up; NULL: never seen. a and b: the addresses that they were asked for by. */
bool host_near(const struct host *near, const struct address *a, const struct host *far, const struct address *b);
/* 0 hops or on-host: nothing of the IP network lies between the capture point and the host. */
bool network_at(const struct network *n, const struct address *a);
bool host_at(const struct host *h);

/* A stream from one to the other is RTP beyond doubt. Until that is said the form alone of its packets says nothing. */
void network_media(struct network *n, const struct address *src, const struct address *dst);

/* Roles (1.6.1) and the capture's vantage (1.7.1), reckoned from what was seen so far. */
void network_settle(struct network *n);
struct vantage network_vantage(const struct network *n);
const char *host_role_name(enum host_role r);        /* "phone", "pbx", ... */
/* "on-host", "near", "inside-nat", "outside-nat", "both-sides", "mid", "unknown" */
const char *vantage_kind_name(enum vantage_kind k);
const char *nat_method_name(enum nat_method m);
/*
 * The i-th reason why the host has points for that role, as of the last network_settle; NULL: no more. JSON host "why".
 */
const char *host_role_why(const struct host *h, enum host_role r, unsigned i);
/* What a User-Agent or Server header looks like: PHONE, PBX, SBC, PROXY; ROLE_COUNT unknown. */
enum host_role host_role_of_agent(struct span user_agent);
/* As bits. A server says what it is, a phone's words may come through a router, whose address this then is. */
unsigned host_roles_or_said(const struct host *h);
bool mac_of_phone_maker(const uint8_t mac[6]);       /* makers of desk phones alone */

struct network_counts {
	uint64_t packets /* copies too */, copies, hosts_evicted, pairs_evicted, mappings_evicted;
	uint64_t others_evicted;     /* hosts and pairs that did not telephone; in none of the above */
};

struct network_counts network_counts(const struct network *n);

/* G7 material: holes of streams that lie in the same 50 ms. */
struct capture_gap { int64_t from_ns, to_ns; unsigned streams; bool all; };

#endif
