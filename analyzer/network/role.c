/* SPDX-License-Identifier: MIT */
/* role: phone, PBX, SBC ... by points (1.6.1). A role chooses words; it never proves a fault. */
#include "analyzer/network/internal.h"

enum { ROLE_POINTS = 60, ROLES_MAX = 2, LEGS_OF_A_PHONE = 12, AORS_OF_A_PHONE = 4 };

/* Facts that several rules ask, reckoned once a host. */
struct role_facts {
	const struct host_record *h;
	enum host_role agent;
	bool peers_private, peers_public;    /* of its SIP */
	unsigned insides;
	bool translates;             /* its packets were seen before their translation, too: the phones are behind it */
	bool central;                /* answers registrations or joins legs: no phone */
};

/* Of which phones are sold: the vendor's part of the MAC. */
static const uint8_t phone_vendors[][3] = {
	{ 0x00, 0x04, 0x13 }, /* snom */ { 0x00, 0x04, 0xf2 }, /* Polycom */ { 0x00, 0x08, 0x5d }, /* Aastra */
	{ 0x00, 0x0b, 0x82 }, /* Grandstream */ { 0x00, 0x15, 0x65 }, /* Yealink */ { 0x0c, 0x38, 0x3e }, /* Fanvil */
	{ 0x24, 0x9a, 0xd8 }, /* Yealink */ { 0x64, 0x16, 0x7f }, /* Polycom */ { 0x7c, 0x2f, 0x80 }, /* Gigaset */
	{ 0x80, 0x5e, 0x0c }, /* Yealink */ { 0x80, 0x5e, 0xc0 }, /* Yealink */ { 0xc0, 0x74, 0xad }, /* Grandstream */
	{ 0xec, 0x74, 0xd7 }, /* Grandstream */ { 0x00, 0x1a, 0xe8 }, /* Unify */
};

static bool phone_registers(const struct role_facts *f)
{
	return f->h->host.registers_sent > 0 && !f->central && !f->translates;
}

static bool phone_agent(const struct role_facts *f)
{
	return f->agent == ROLE_PHONE && !f->translates;
}

static bool phone_few_legs(const struct role_facts *f)
{
	const struct host *h = &f->h->host;

	return h->invites_sent + h->invites_received > 0 && h->legs_open_max <= LEGS_OF_A_PHONE && !h->adds_via &&
		!f->central && !f->translates;
}

static bool phone_few_aors(const struct role_facts *f)
{
	return f->h->host.aors > 0 && f->h->host.aors <= AORS_OF_A_PHONE && !f->central && !f->translates;
}

bool mac_of_phone_maker(const uint8_t mac[6])
{
	for (size_t i = 0; i < sizeof phone_vendors / sizeof *phone_vendors; i++) {
		if (memcmp(mac, phone_vendors[i], 3) == 0)
			return true;
	}
	return false;
}

static bool phone_vendor(const struct role_facts *f)
{
	const struct host *h = &f->h->host;

	return h->has_mac && !h->mac_shared && mac_of_phone_maker(h->mac);
}

static bool pbx_registrar(const struct role_facts *f)
{
	return f->h->host.registers_answered > 0;
}

static bool pbx_joins(const struct role_facts *f)
{
	return f->h->host.legs_joined > 0 && f->h->host.legs_open_max >= 2;
}

static bool pbx_agent(const struct role_facts *f)
{
	return f->agent == ROLE_PBX;
}

static bool pbx_notifies(const struct role_facts *f)
{
	return f->h->host.notifies_sent > 0;
}

static bool sbc_joins_networks(const struct role_facts *f)
{
	return f->h->host.legs_joined > 0 && f->peers_private && f->peers_public;
}

static bool sbc_agent(const struct role_facts *f)
{
	return f->agent == ROLE_SBC;
}

/* A PBX with phones inside and a trunk outside has two as well. */
static bool sbc_two_media_addresses(const struct role_facts *f)
{
	return f->h->sdp_address_count >= 2 && f->agent != ROLE_PBX && !f->h->host.adds_via;
}

static bool proxy_adds_via(const struct role_facts *f)
{
	return f->h->host.adds_via;
}

static bool proxy_agent(const struct role_facts *f)
{
	return f->agent == ROLE_PROXY;
}

static bool proxy_registrar(const struct role_facts *f)
{
	return proxy_agent(f) && pbx_registrar(f);
}

static bool is_public(const struct host_record *h)
{
	return !address_private(&h->host.addr) && !address_loopback(&h->host.addr);
}

static bool trunk_calls(const struct role_facts *f)
{
	const struct host_record *h = f->h;

	return is_public(h) && h->host.registers_sent == 0 &&
	       ((h->e164_sent && h->e164_received) || (h->registers_of_pbx > 0 && h->host.registers_answered > 0));
}

static bool trunk_asserts(const struct role_facts *f)
{
	return f->h->asserts_identity && is_public(f->h);
}

static bool nat_hides(const struct role_facts *f)
{
	return f->insides >= 2;
}

/* One phone behind it is enough where both sides of the translation were captured. */
static bool nat_translates(const struct role_facts *f)
{
	return f->translates && f->insides < 2;
}

static bool nat_mac(const struct role_facts *f)
{
	return f->h->host.mac_shared && f->h->host.ttl_known && f->h->host.hops == 0;
}

static bool nat_icmp(const struct role_facts *f)
{
	return f->h->host.named_by_icmp;
}

static bool media_only(const struct role_facts *f)
{
	return f->h->host.in_sdp_of_others && f->h->sip_sent == 0 && f->h->rtp_sent > 0;
}

static const struct role_rule {
	enum host_role role;
	unsigned points;
	bool (*holds)(const struct role_facts *f);
	const char *why;
} rules[] = {
	{ ROLE_PHONE, 40, phone_registers, "registers" },
	{ ROLE_PHONE, 30, phone_agent, "calls itself a phone" },
	{ ROLE_PHONE, 20, phone_few_legs, "is an end of few calls" },
	{ ROLE_PHONE, 20, phone_few_aors, "registers few addresses" },
	{ ROLE_PHONE, 20, phone_vendor, "has a MAC address of a phone maker" },
	{ ROLE_PBX, 50, pbx_registrar, "answers registrations" },
	{ ROLE_PBX, 40, pbx_joins, "joins calls of different peers" },
	{ ROLE_PBX, 30, pbx_agent, "calls itself a PBX" },
	{ ROLE_PBX, 20, pbx_notifies, "notifies of lines and messages" },
	{ ROLE_SBC, 50, sbc_joins_networks, "joins calls of private and public networks" },
	{ ROLE_SBC, 30, sbc_agent, "calls itself a session border controller or gateway" },
	{ ROLE_SBC, 20, sbc_two_media_addresses, "offers media at two addresses" },
	{ ROLE_PROXY, 80, proxy_adds_via, "forwards requests with a Via of its own" },
	{ ROLE_PROXY, 30, proxy_agent, "calls itself a proxy" },
	{ ROLE_PROXY, 40, proxy_registrar, "calls itself a proxy and answers registrations" },
	{ ROLE_TRUNK, 50, trunk_calls, "is public and takes and makes calls by full number, or registers a PBX" },
	{ ROLE_TRUNK, 10, trunk_asserts, "asserts identities" },
	{ ROLE_NAT, 60, nat_hides, "is the public address of several private ones" },
	{ ROLE_NAT, 60, nat_translates, "sends on, translated, what another host sent" },
	{ ROLE_NAT, 30, nat_mac, "has the MAC address that distant hosts are seen from" },
	{ ROLE_NAT, 10, nat_icmp, "sends ICMP errors about packets meant for others" },
	{ ROLE_MEDIA, 60, media_only, "sends media for others' calls and never signals" },
};

enum { RULE_COUNT = sizeof rules / sizeof *rules };
_Static_assert(RULE_COUNT <= 32, "host_record.role_rules has a bit a rule");

static void peers_learn(struct role_facts *f)
{
	LIST_EACH(it, &f->h->pairs_out) {
		const struct pair *pair = &LIST_ENTRY(it, struct pair_record, in_src)->pair;
		bool private = address_private(&pair->dst);

		if (!pair->sip)
			continue;
		f->peers_private |= private;
		f->peers_public |= !private;
		if (f->peers_private && f->peers_public)
			return;
	}
}

/* The two best of those with enough points; of equals the one that stands first in enum host_role. */
static uint8_t roles_of(const unsigned points[ROLE_COUNT])
{
	uint8_t roles = 0;

	for (int taken = 0; taken < ROLES_MAX; taken++) {
		int best = -1;

		for (int r = 0; r < ROLE_COUNT; r++) {
			if (points[r] >= ROLE_POINTS && !(roles & 1u << r) && (best < 0 || points[r] > points[best]))
				best = r;
		}
		if (best < 0)
			break;
		roles |= (uint8_t)(1u << best);
	}
	return roles;
}

static void host_settle(struct network *n, struct host_record *h)
{
	struct role_facts f = {
		.h = h,
		.agent = h->host.user_agent.n ? host_role_of_agent(h->host.user_agent) : ROLE_COUNT,
		.insides = nat_insides(&n->nat, &h->host.addr),
		.translates = nat_translated(&n->nat, &h->host.addr),
	};

	f.central =
		h->host.registers_answered || h->host.legs_joined || (f.agent != ROLE_PHONE && f.agent != ROLE_COUNT);
	if (h->host.legs_joined)
		peers_learn(&f);
	h->role_rules = 0;
	memset(h->host.role_points, 0, sizeof h->host.role_points);
	for (unsigned i = 0; i < RULE_COUNT; i++) {
		if (!rules[i].holds(&f))
			continue;
		h->host.role_points[rules[i].role] += rules[i].points;
		h->role_rules |= UINT32_C(1) << i;
	}
	h->host.roles = roles_of(h->host.role_points);
}

void roles_settle(struct network *n)
{
	LIST_EACH(it, &n->hosts_in_order)
		host_settle(n, host_record_of(LIST_ENTRY(it, struct host, in_order)));
}

const char *host_role_why(const struct host *h, enum host_role r, unsigned i)
{
	uint32_t held = host_record_of(h)->role_rules;

	for (unsigned rule = 0; rule < RULE_COUNT; rule++) {
		if (rules[rule].role == r && (held >> rule & 1) && i-- == 0)
			return rules[rule].why;
	}
	return NULL;
}

const char *host_role_name(enum host_role r)
{
	static const char *const names[ROLE_COUNT] = {
		[ROLE_PHONE] = "phone", [ROLE_PBX] = "pbx", [ROLE_SBC] = "sbc", [ROLE_PROXY] = "proxy",
		[ROLE_TRUNK] = "trunk", [ROLE_NAT] = "nat", [ROLE_MEDIA] = "media",
	};

	return names[r];
}
