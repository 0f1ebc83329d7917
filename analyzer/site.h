/* SPDX-License-Identifier: MIT */
/* site: what the operator says of the place: whose addresses, ports and hours are whose. All of it optional. */
#ifndef DEADAIR_ANALYZER_SITE_H
#define DEADAIR_ANALYZER_SITE_H

#include "captures/base/address.h"

struct net {
	struct address addr;
	uint8_t bits;                /* leading ones of the mask */
};

struct nets {
	struct net *list;
	unsigned count;
};

struct words {
	char **list;
	unsigned count;
};

/* Networks and the names of hosts. */
struct peers {
	struct nets nets;
	struct words names;
};

struct ranges {
	struct range { uint16_t low, high; } *list;
	unsigned count;
};

/* "Mon-Fri 07:30-18:30": from and to in minutes of the day; to may be 1440. */
struct office_hours {
	struct span_of_week { uint8_t days; uint16_t from_min, to_min; } *list;   /* bit 0: Monday */
	unsigned count;
};

/* "media-ports.10.0.0.5 = 10000-20000"; the host is an IPv4 address, a network, or a name of [names] */
struct host_ranges {
	struct host_range { char *host; struct ranges ports; } *list;
	unsigned count;
};

/* "expected-transport = sip.example.net:tls/5061": the peer's address or name, "udp", "tcp", "tls", a port (0 any) */
struct transports {
	struct transport_wish { char *peer, *transport; uint16_t port; } *list;
	unsigned count;
};

/* "[nat] map = 192.168.1.2,203.0.113.2" */
struct nat_pairs {
	struct nat_pair { struct address inside, outside; } *list;
	unsigned count;
};

/* "[names] PBX = 10.0.0.5" */
struct host_names {
	struct host_name { struct address addr; char *name; } *list;
	unsigned count;
};

/* Numbers below 4096 (DSCP, VLAN): a bit each. */
struct number_set {
	uint64_t bits[64];
	unsigned count;
};

enum site_role { SITE_UNKNOWN, SITE_OFFICE, SITE_CARRIER, SITE_LAB };
enum site_qos { QOS_AUTO, QOS_REQUIRED, QOS_IGNORE };
enum site_encryption { ENCRYPTION_NO, ENCRYPTION_WAN, ENCRYPTION_ALL };

/* Seconds that local time is ahead of UTC, from a moment on; sorted. */
struct zone {
	struct zone_change { int64_t from_s; int32_t ahead_s; } *list;
	unsigned count;
};

struct site {
	char *path;                  /* of the profile; NULL: none was read */
	char *name, *timezone, *router;     /* NULL: not given */
	unsigned role, qos, encryption;      /* enum site_role, site_qos, site_encryption */
	bool mask_numbers, open_federation;
	struct office_hours office_hours;
	struct zone zone;            /* of timezone */
	struct words holidays;       /* "2026-12-25" */
	struct nets inside_nets;     /* never empty: the private ranges when none are given */
	struct nets public_ips, remote_nets, geo_allow, geo_deny;
	/* failover: servers that stand in for each other */
	struct peers pbx, trunk, trusted, trusted_scanners, failover;
	struct ranges sip_ports, tls_ports, media_ports;
	struct host_ranges media_ports_of;
	struct transports expected_transport;
	struct number_set dscp_media, dscp_sig, voice_vlans;
	struct words phone_ouis, scanner_ua, home_cc, allowed_cc, intl_prefixes, outside_prefix, premium_prefixes,
		mobile_prefixes;
	struct nat_pairs nat;
	struct host_names names;
};

/* The defaults, with which a capture of a site that nobody described raises no alarm that needs a description. */
struct site *site_new(void);
void site_free(struct site *s);

bool net_has(const struct net *n, const struct address *a);
bool nets_have(const struct nets *n, const struct address *a);
bool ranges_have(const struct ranges *r, uint16_t port);
bool numbers_have(const struct number_set *s, unsigned number);
/* Range of that host's media, else the site's; NULL: neither was given. */
const struct ranges *site_media_ports(const struct site *s, const struct address *host);
/* Does an address belong to these peers? Names match what [names] calls it. */
bool site_peer(const struct site *s, const struct peers *p, const struct address *a);
bool site_inside(const struct site *s, const struct address *a);
/* An address of the site: inside, public or a server of the profile. */
bool site_own(const struct site *s, const struct address *a);
/*
 * An address outside that asks one of the site, and that the profile does not name: not trusted, no trunk, of no
 * remote network. What happens to strangers is told by the findings about scans.
 */
bool site_stranger(const struct site *s, const struct address *client, const struct address *server);
/* Is SIP usual there: 5060, 5061, or a port that the profile gives to it, with or without TLS? */
bool site_sip_port(const struct site *s, uint16_t port);
/* Fills zone from timezone. Changes TZ for a moment: before any other thread starts. */
void site_learn_zone(struct site *s);
/* At the site, in its own time zone: within office hours and on no holiday? True where no hours are given. */
bool site_open(const struct site *s, int64_t at_ns);

/* "10.0.0.0/8", "2001:db8::/32", "10.0.0.1" (all bits). */
bool net_parse(struct span text, struct net *ret);

#endif
