/* SPDX-License-Identifier: MIT */
/*
 * echo_told: other traffic that explains public addresses in SIP, or private ones beyond a router: STUN, NAT-PMP, PCP,
 * UPnP, tunnels.
 */
#include "analyzer/network/echo_private.h"

enum {
	STUN_DONE = 0x0101, STUN_ALLOCATED = 0x0103,
	PMP_PORT = 5351, PMP_ADDRESS = 128, PCP_VERSION = 2, PCP_MAP = 0x81, PCP_ADDRESS_AT = 44,
	IP_IPIP = 4, IP_V6 = 41, IP_GRE = 47, IP_ESP = 50, IP_AH = 51, IP_L2TP = 115, IP_UDP = 17, IP_TCP = 6
};

static void told_stun(struct echoes *e, const struct packet *p)
{
	if (p->stun.type == STUN_DONE || p->stun.type == STUN_ALLOCATED) {
		agents_told(&e->agents, &p->dst.addr, &p->stun.mapped.addr);
		agents_told(&e->agents, &p->dst.addr, &p->stun.relayed.addr);
	}
}

/* RFC 6886 3.2: version 0, opcode 128, result, epoch, address; RFC 6887 11.1. */
static void external_add(struct echoes *e, const struct packet *p, const struct address *external)
{
	for (unsigned i = 0; i < e->external_count; i++) {
		if (address_equal(&e->externals[i].host, &p->dst.addr) &&
		    address_equal(&e->externals[i].external, external))
			return;
	}
	if (e->external_count == EXTERNAL_MAX)
		return;
	e->externals[e->external_count++] = (struct echo_external){ .host = p->dst.addr, .router = p->src.addr,
		.external = *external, .at_ns = p->at_ns,
								    .frame = p->frame, .file = p->file };
}

const struct echo_external *echoes_externals(const struct echoes *e, unsigned *ret_count)
{
	*ret_count = e->external_count;
	return e->externals;
}

static void told_pmp(struct echoes *e, const struct packet *p)
{
	struct span s = p->payload;
	struct address a;

	if (s.n >= 12 && s.p[0] == 0 && s.p[1] == PMP_ADDRESS) {
		a = address_v4(s.p + 8);
		agents_told(&e->agents, &p->dst.addr, &a);
		external_add(e, p, &a);
	} else if (s.n >= PCP_ADDRESS_AT + 16 && s.p[0] == PCP_VERSION && s.p[1] == PCP_MAP) {
		a = address_v6(s.p + PCP_ADDRESS_AT);
		agents_told(&e->agents, &p->dst.addr, &a);
		external_add(e, p, &a);
	}
}

/* The SOAP answer of the router to GetExternalIPAddress. */
static void told_upnp(struct echoes *e, const struct packet *p)
{
	static const struct span name = { (const uint8_t *)"<NewExternalIPAddress>", 22 };
	size_t at = span_find_text(p->payload, name);
	struct span value;
	struct address a;

	if (at >= p->payload.n)
		return;
	value = span_from(p->payload, at + name.n);
	if (!address_parse(span_trim(span_first(value, span_find(value, '<'))), &a))
		return;
	agents_told(&e->agents, &p->dst.addr, &a);
	external_add(e, p, &a);
}

static bool tunnel_port(uint16_t port)
{
	return port == 51820 || port == 4500 || port == 1701 || port == 1194;
}

static bool is_tunnel(const struct packet *p)
{
	switch (p->ip_protocol) {
	case IP_IPIP: case IP_V6: case IP_GRE: case IP_ESP: case IP_AH: case IP_L2TP:
		return true;
	case IP_UDP:
		return (p->has & HAS_PORTS) && p->payload.n > 4 &&
		       (tunnel_port(p->src.port) || tunnel_port(p->dst.port));
	}
	return false;
}

static void tunnel_add(struct echoes *e, const struct address *a, const struct address *b)
{
	for (unsigned i = 0; i < e->tunnel_count; i++) {
		if ((address_equal(&e->tunnels[i].ends[0], a) && address_equal(&e->tunnels[i].ends[1], b)) ||
		    (address_equal(&e->tunnels[i].ends[0], b) && address_equal(&e->tunnels[i].ends[1], a)))
			return;
	}
	if (e->tunnel_count == TUNNEL_MAX)
		return;
	e->tunnels[e->tunnel_count].ends[0] = *a;
	e->tunnels[e->tunnel_count++].ends[1] = *b;
}

void echoes_packet(struct echoes *e, const struct packet *p)
{
	struct hash_place at[HASH_PLACES];

	echoes_places(e, p, at);
	echoes_packet_at(e, p, at);
}

void echoes_packet_at(struct echoes *e, const struct packet *p, const struct hash_place *at)
{
	if (!(p->has & HAS_IP))
		return;
	/* the others carry mirrored frames */
	if ((p->has & HAS_OUTER) && (p->tunnel == TUNNEL_GRE || p->tunnel == TUNNEL_IPIP ||
		p->tunnel == TUNNEL_L2TP || p->tunnel == TUNNEL_ESP))
		tunnel_add(e, &p->outer_src, &p->outer_dst);
	if (p->kind == PACKET_SIP)
		echoes_sip(e, p, at);
	else if (p->kind == PACKET_STUN)
		told_stun(e, p);
	if (p->kind != PACKET_OTHER)
		return;
	if (is_tunnel(p))
		tunnel_add(e, &p->src.addr, &p->dst.addr);
	else if (p->ip_protocol == IP_UDP && (p->has & HAS_PORTS) && p->src.port == PMP_PORT)
		told_pmp(e, p);
	else if (p->ip_protocol == IP_TCP && p->payload.n && address_private(&p->src.addr) &&
		address_private(&p->dst.addr))
		told_upnp(e, p);
}

/* A private host that ends a tunnel for itself (a laptop's VPN) takes nobody else along. */
bool echoes_tunnel(const struct echoes *e, const struct address *phone)
{
	for (unsigned i = 0; i < e->tunnel_count; i++) {
		const struct address *a = &e->tunnels[i].ends[0], *b = &e->tunnels[i].ends[1];
		bool own = address_equal(a, phone) || address_equal(b, phone);

		if (own || (!(address_private(a) && address_same_net(a, phone)) &&
		    !(address_private(b) && address_same_net(b, phone))))
			return true;
	}
	return false;
}
