/* SPDX-License-Identifier: MIT */
/* profile_keys: the site's own keys in deadair.conf, a row each. */
#include <stdlib.h>

#include "analyzer/profile_private.h"
#include "captures/base/memory.h"
#include "captures/base/text.h"

static const char *const roles[] = { "unknown", "office", "carrier", "lab", NULL };
static const char *const qos[] = { "auto", "required", "ignore", NULL };
static const char *const encryption[] = { "no", "wan", "all", NULL };

#define NETS "networks such as 10.0.0.0/8, 2001:db8::/32, or rfc1918"
#define PEERS "addresses, networks or names, with commas"
#define PORTS "ports or ranges such as 10000-20000"
#define DIGITS "digits, with commas between numbers"
#define ONE(section, key, take, member, form) { section, key, take, offsetof(struct site, member), false, NULL, form }
#define MANY(section, key, take, member, form) { section, key, take, offsetof(struct site, member), true, NULL, form }
#define CHOICE(section, key, member, choices, form) { section, key, profile_take_choice, offsetof(struct site, member), \
	false, choices, form }

static const struct site_key keys[] = {
	ONE("site", "name", profile_take_text, name, "a name"),
	ONE("site", "timezone", profile_take_zone, timezone, "a time zone such as Europe/Vienna or UTC"),
	MANY("site", "office-hours", profile_take_hours, office_hours, "days and hours such as Mon-Fri 07:30-18:30"),
	ONE("site", "holidays", profile_take_date_file, holidays, "a file with a date such as 2026-12-25 a line"),
	CHOICE("site", "role", role, roles, "office, carrier or lab"),
	MANY("site", "inside-nets", profile_take_nets, inside_nets, NETS),
	MANY("site", "public-ips", profile_take_nets, public_ips, NETS),
	MANY("site", "remote-nets", profile_take_nets, remote_nets, NETS),
	MANY("site", "pbx", profile_take_peers, pbx, PEERS),
	MANY("site", "trunk", profile_take_peers, trunk, PEERS),
	MANY("site", "trusted", profile_take_peers, trusted, PEERS),
	MANY("site", "trusted-scanners", profile_take_peers, trusted_scanners, PEERS),
	MANY("site", "mobile-prefixes", profile_take_digits, mobile_prefixes, DIGITS),
	MANY("site", "failover", profile_take_peers, failover, PEERS),
	ONE("site", "router", profile_take_text, router, "maker and model of the router"),
	ONE("site", "mask-numbers", profile_take_yes, mask_numbers, "yes or no"),
	MANY("signalling", "sip-ports", profile_take_ranges, sip_ports, PORTS),
	MANY("signalling", "tls-ports", profile_take_ranges, tls_ports, PORTS),
	MANY("signalling", "expected-transport", profile_take_transport, expected_transport,
	"a peer and its transport such as sip.example.net:tls/5061"),
	MANY("media", "media-ports", profile_take_ranges, media_ports, PORTS),
	CHOICE("network", "qos", qos, qos, "auto, required or ignore"),
	MANY("network", "dscp-media", profile_take_dscp, dscp_media, "values of DSCP, 0 to 63"),
	MANY("network", "dscp-sig", profile_take_dscp, dscp_sig, "values of DSCP, 0 to 63"),
	MANY("network", "voice-vlans", profile_take_vlans, voice_vlans, "VLAN ids, 0 to 4094"),
	ONE("network", "phone-ouis", profile_take_oui_file, phone_ouis,
	"a file with the first three bytes of MAC addresses, such as 00:15:65, a line"),
	MANY("security", "scanner-ua", profile_take_words, scanner_ua, "words of user agents, with commas"),
	ONE("security", "geo-allow", profile_take_net_file, geo_allow, "a file with a network a line"),
	ONE("security", "geo-deny", profile_take_net_file, geo_deny, "a file with a network a line"),
	CHOICE("security", "require-encryption", encryption, encryption, "no, wan or all"),
	ONE("security", "open-federation", profile_take_yes, open_federation, "yes or no"),
	MANY("tollfraud", "home-cc", profile_take_digits, home_cc, DIGITS),
	MANY("tollfraud", "allowed-cc", profile_take_digits, allowed_cc, DIGITS),
	MANY("tollfraud", "intl-prefixes", profile_take_digits, intl_prefixes, DIGITS),
	MANY("tollfraud", "outside-prefix", profile_take_digits, outside_prefix, DIGITS),
	ONE("tollfraud", "premium-prefixes", profile_take_digit_file, premium_prefixes, "a file with a prefix a line"),
	MANY("nat", "map", profile_take_nat, nat, "a private address and its public one: 192.168.1.2, 203.0.113.2"),
};

const struct site_key *profile_key(size_t i)
{
	return i < sizeof keys / sizeof *keys ? &keys[i] : NULL;
}

static const struct site_key host_key = MANY("media", "media-ports.HOST", profile_take_ranges, media_ports_of, PORTS);

bool profile_take_host_ports(struct reading *g, struct span host, struct span value)
{
	struct host_ranges *all = &g->site->media_ports_of;
	struct host_range *h = NULL;
	char shown[SHOWN];
	struct net n;

	if (!net_parse(host, &n) && !profile_is_name(host))
		return profile_fail(g,
			"media-ports.%s: neither an IPv4 address nor one of [names] stands behind the dot",
			text_escape(host, shown, sizeof shown));
	for (unsigned i = 0; i < all->count; i++) {
		if (span_equal(host, span_of(all->list[i].host)))
			h = &all->list[i];
	}
	if (!h) {
		all->list = memory_resize(all->list, all->count + 1u, sizeof *all->list);
		h = &all->list[all->count++];
		*h = (struct host_range){ .host = profile_copy(host) };
	}
	return profile_add_ranges(g, &host_key, &h->ports, value);
}

void profile_forget_default(struct site *s, const struct site_key *key)
{
	if (key->take == profile_take_nets) {
		((struct nets *)((char *)s + key->offset))->count = 0;
	} else if (key->take == profile_take_ranges) {
		((struct ranges *)((char *)s + key->offset))->count = 0;
	} else if (key->take == profile_take_dscp || key->take == profile_take_vlans) {
		memset((char *)s + key->offset, 0, sizeof(struct number_set));
	} else if (key->take == profile_take_digits) {
		struct words *w = (struct words *)((char *)s + key->offset);

		while (w->count)
			free(w->list[--w->count]);
	}
}
