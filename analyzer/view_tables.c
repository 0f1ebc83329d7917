/* SPDX-License-Identifier: MIT */
/* view_tables: registrations, hosts with their ports, and the NAT map. */
#include <stdio.h>

#include "analyzer/view_cache.h"
#include "analyzer/view_redact.h"
#include "analyzer/views.h"

static const char *registration_state_name(enum registration_state s)
{
	static const char *const names[] = { "unknown", "registered", "failed", "expired", "removed" };

	return names[s];
}

bool view_registration(const struct engine *e, size_t i, struct view_registration *ret)
{
	struct view_cache *v = view_cache_of(e);
	const struct registration *r;

	if (i >= v->registration_count)
		return false;
	r = v->registrations[i];
	memset(ret, 0, sizeof *ret);
	ret->n = r->n;
	ret->aor = r->aor;
	ret->device = r->user_agent;
	ret->contact = r->contact_uri;
	ret->source = r->source;
	ret->registrar = r->registrar;
	ret->state = registration_state_name(r->state);
	ret->status = r->status;
	ret->has_expires = r->succeeded;
	ret->expires_s = r->expires_s;
	ret->first_ns = r->first_ns;
	ret->last_ns = r->last_ns;
	view_redact_registration(e->redact, ret);
	return true;
}

static const char *const transports[] = {
	[TRANSPORT_NONE] = "udp", [TRANSPORT_UDP] = "udp", [TRANSPORT_TCP] = "tcp", [TRANSPORT_TLS] = "tls",
		[TRANSPORT_SCTP] = "sctp", [TRANSPORT_WS] = "ws",
};

static void view_roles(struct view_cache *v, const struct host *h, struct view_host *ret)
{
	unsigned roles = host_roles_or_said(h);
	char *why;

	for (unsigned r = 0; r < ROLE_COUNT; r++) {
		if (!(roles & 1u << r) || ret->role_count == 4)
			continue;
		ret->roles[ret->role_count++] = host_role_name((enum host_role)r);
		why = view_lend(v);
		if (h->roles)
			snprintf(why, VIEW_TEXT, "%s: %u points", host_role_name((enum host_role)r), h->role_points[r]);
		else
			snprintf(why, VIEW_TEXT, "%s: its User-Agent says so", host_role_name((enum host_role)r));
		ret->why[ret->why_count++] = why;
	}
}

/* The port behind the last one is that of its RTCP. */
static void view_range(const struct engine *e, const struct host *h, struct view_host *ret)
{
	const struct port_use *u = port_plan_find(e->port_plan, &h->addr);

	if (!u)
		return;
	ret->range_low = u->low;
	ret->range_high = u->high < UINT16_MAX ? u->high + 1 : u->high;
	ret->peak_calls = u->peak_calls;
	ret->ports_needed = u->peak_ports;
}

bool view_host(const struct engine *e, size_t i, struct view_host *ret)
{
	struct view_cache *v = view_cache_of(e);
	const struct host *h;

	if (i >= v->host_count)
		return false;
	h = v->hosts[i];
	memset(ret, 0, sizeof *ret);
	ret->addr = h->addr;
	if (h->alias_of && h->alias_of != h)
		ret->aliases[ret->alias_count++] = h->alias_of->addr;
	view_roles(v, h, ret);
	ret->user_agent = h->user_agent;
	ret->sip_port_count = h->sip_port_count;
	memcpy(ret->sip_ports, h->sip_ports, sizeof ret->sip_ports);
	ret->media_port_count = h->media_port_count;
	memcpy(ret->media_ports, h->media_ports, sizeof ret->media_ports);
	ret->vlan_count = h->vlan_count;
	memcpy(ret->vlans, h->vlans, sizeof ret->vlans);
	for (unsigned t = TRANSPORT_UDP; t <= TRANSPORT_WS; t++) {
		if (h->transports & 1u << t)
			ret->transports[ret->transport_count++] = transports[t];
	}
	view_range(e, h, ret);
	ret->dscp = h->dscp_known ? h->dscp : -1;
	ret->hops = h->ttl_known ? h->hops : -1;
	ret->ttl = h->ttl_known ? h->ttl : -1;
	view_redact_host(e->redact, ret);
	return true;
}

/* Only SIP over UDP is measured, and all mappings of one router share its timer. */
static void view_bracket(const struct engine *e, const struct nat_mapping *m, struct view_nat *ret)
{
	const struct binding_nat *n = sip_bindings_nat(e->bindings, &m->outside.addr);

	if (m->media || (m->transport != TRANSPORT_UDP && m->transport != TRANSPORT_NONE) || !n ||
	    !binding_nat_bracket(n))
		return;
	ret->has_bracket = true;
	ret->alive_s = (double)n->alive_ns / 1e9;
	ret->dead_s = (double)n->dead_ns / 1e9;
}

bool view_nat(const struct engine *e, size_t i, struct view_nat *ret)
{
	struct view_cache *v = view_cache_of(e);
	const struct nat_mapping *m;

	if (i >= v->nat_count)
		return false;
	m = v->nats[i];
	*ret = (struct view_nat){
		.inside = m->inside, .outside = m->outside, .protocol = transports[m->transport],
		.scope = m->media ? "media" : "sip",
		.learnt = nat_method_name(m->method), .weight = m->weight, .first_ns = m->first_ns,
		.last_ns = m->last_ns,
	};
	view_bracket(e, m, ret);
	view_redact_nat(e->redact, ret);
	return true;
}
