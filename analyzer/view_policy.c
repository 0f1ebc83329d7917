/* SPDX-License-Identifier: MIT */
/* view_policy: the rules of a firewall that would permit what was seen, reckoned at the first question. */
#include "analyzer/policy.h"
#include "analyzer/view_cache.h"
#include "analyzer/views.h"

static const struct policy *policy_of(const struct engine *e)
{
	struct view_cache *v = view_cache_of(e);

	if (!v->policy)
		v->policy = policy_new(&e->facts);
	return v->policy;
}

void view_policy(const struct engine *e, struct view_policy *ret)
{
	const struct policy *p = policy_of(e);

	*ret = (struct view_policy){ .rules = p->count, .cut = p->cut, .users = p->users, .strangers = p->strangers,
		.peak_calls = p->peak_calls,
				     .inside = &e->options.site->inside_nets };
}

/* What a firewall sees: TLS and WebSocket are TCP to it. */
static const char *protocol_of(uint8_t transport)
{
	static const char *const names[] = {
		[TRANSPORT_NONE] = "udp", [TRANSPORT_UDP] = "udp", [TRANSPORT_TCP] = "tcp", [TRANSPORT_TLS] = "tcp",
			[TRANSPORT_SCTP] = "sctp",
		[TRANSPORT_WS] = "tcp",
	};

	return names[transport];
}

bool view_rule(const struct engine *e, size_t i, struct view_rule *ret)
{
	const struct policy *p = policy_of(e);
	const struct policy_rule *r;

	if (i >= p->count)
		return false;
	r = &p->rules[i];
	*ret = (struct view_rule){
		.media = r->kind == POLICY_MEDIA, .inbound = r->inbound, .documented = r->documented, .from = r->from,
		.to = r->to,
		.protocol = protocol_of(r->transport), .tls = r->transport == TRANSPORT_TLS, .low = r->low,
		.high = r->high, .count = r->count,
		.file = r->at.file, .frame = r->at.frame,
	};
	return true;
}

bool view_mark(const struct engine *e, size_t i, struct view_mark *ret)
{
	const struct policy_extra *x = &policy_of(e)->extra;

	if (i >= x->mark_count)
		return false;
	*ret = (struct view_mark){ x->marks[i].media, x->marks[i].inbound, x->marks[i].dscp, x->marks[i].count };
	return true;
}

bool view_vlan(const struct engine *e, size_t i, struct view_vlan *ret)
{
	const struct policy_extra *x = &policy_of(e)->extra;

	if (i >= x->vlan_count)
		return false;
	*ret = (struct view_vlan){ x->vlans[i].vid, x->vlans[i].hosts };
	return true;
}

bool view_limit(const struct engine *e, size_t i, struct view_limit *ret)
{
	const struct policy_extra *x = &policy_of(e)->extra;

	if (i >= x->limit_count)
		return false;
	*ret = (struct view_limit){ x->limits[i].from, x->limits[i].calls, x->limits[i].at.frame };
	return true;
}
