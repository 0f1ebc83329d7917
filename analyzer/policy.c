/* SPDX-License-Identifier: MIT */
/* policy: see the header. */
#include "analyzer/policy.h"

#include <stdlib.h>

#include "analyzer/media/port_plan.h"
#include "analyzer/network/flow.h"
#include "analyzer/network/sip_peer.h"
#include "analyzer/network/source.h"
#include "captures/base/memory.h"

enum { RULES_MAX = 4096, STREAM_PACKETS_LEAST = 10 };

struct maker {
	const struct facts *facts;
	struct ends *ends;
	struct policy *policy;
	struct hash fronts;          /* struct front */
	struct arena *arena;
};

/* a router's public address where the hosts behind it are seen here themselves: the rules name those */
struct front {
	struct hash_link link;
	struct address addr;
};

static uint32_t front_hash(const struct address *a)
{
	return (uint32_t)hash_bytes(a->bytes, sizeof a->bytes);
}

static bool is_front(const struct maker *m, const struct address *a)
{
	uint32_t hash = front_hash(a);

	for (struct hash_link *it = hash_first(&m->fronts, hash); it; it = it->next) {
		if (it->hash == hash && address_equal(&HASH_ENTRY(it, struct front, link)->addr, a))
			return true;
	}
	return false;
}

static void fronts_find(struct maker *m)
{
	LIST_EACH(it, network_mappings(m->facts->network)) {
		const struct nat_mapping *n = LIST_ENTRY(it, struct nat_mapping, in_order);
		const struct host *h = network_host_find(m->facts->network, &n->inside.addr);
		struct front *x;

		if (!site_inside(m->facts->site, &n->inside.addr) || address_private(&n->outside.addr) ||
		    is_front(m, &n->outside.addr))
			continue;
		if (!h || !h->sends_ip || !address_equal(&h->addr, &n->inside.addr))
			continue;
		x = arena_zalloc(m->arena, sizeof *x);
		x->addr = n->outside.addr;
		hash_add(&m->fronts, &x->link, front_hash(&x->addr));
	}
}

static bool crosses(const struct maker *m, const struct address *from, const struct address *to, bool *ret_inbound)
{
	enum end a = end_of(m->ends, from), b = end_of(m->ends, to);

	*ret_inbound = b == END_OWN;
	return ((a == END_OWN && b == END_PROVIDER) || (a == END_PROVIDER && b == END_OWN)) &&
	       !is_front(m, *ret_inbound ? to : from);
}

static void rule_add(struct maker *m, struct policy_rule r)
{
	struct policy *p = m->policy;

	if (p->count == p->room) {
		p->room = p->room ? p->room * 2 : 64;
		p->rules = memory_resize(p->rules, p->room, sizeof *p->rules);
	}
	p->rules[p->count++] = r;
}

/* ---- SIP ---- */

static void take_peers(struct maker *m)
{
	LIST_EACH(it, sip_peers_in_order(m->facts->sip_peers)) {
		const struct sip_peer *x = LIST_ENTRY(it, struct sip_peer, in_order);
		struct policy_rule r = { .kind = POLICY_SIP, .from = x->client, .to = x->server.addr,
			.transport = x->transport, .low = x->server.port,
					 .high = x->server.port, .count = x->requests, .at = x->asked_at };

		if (!x->answers || !crosses(m, &r.from, &r.to, &r.inbound))
			continue;
		rule_add(m, r);
		policy_extra_mark(&m->policy->extra, false, r.inbound, x->dscp, x->requests);
	}
}

/* Who answers TLS on a port of SIP when the site connects is asked for SIP, although nothing of it can be read. */
static void take_tls(struct maker *m)
{
	LIST_EACH(it, flows_in_order(m->facts->flows)) {
		const struct flow *f = LIST_ENTRY(it, struct flow, in_order);
		struct policy_rule r = { .kind = POLICY_SIP, .from = f->client.addr, .to = f->server.addr,
			.transport = TRANSPORT_TLS, .low = f->server.port,
					 .high = f->server.port, .count = 1, .at = f->first_at };
		enum end a = end_of(m->ends, &r.from), b = end_of(m->ends, &r.to);

		if (!flow_secured(f) || !(f->sip_alpn || ranges_have(&m->facts->site->tls_ports, f->server.port)))
			continue;
		r.inbound = b == END_OWN;
		if (a == END_OWN ? b == END_OWN || b == END_REMOTE : !(a == END_PROVIDER && b == END_OWN))
			continue;
		if (!is_front(m, r.inbound ? &r.to : &r.from))
			rule_add(m, r);
	}
}

/* ---- media ---- */

/* The side of the call that this end of the stream is on is a provider's, the other one the site's. */
static bool is_provider_media(const struct maker *m, const struct stream *s, bool *ret_inbound)
{
	const struct leg *leg = s->direction->slot->dialog->leg;
	enum side sender = s->direction->sender;
	enum end from = end_of(m->ends, &leg->party[sender].signalling.addr),
		to = end_of(m->ends, &leg->party[side_other(sender)].signalling.addr);
	const struct address *own, *other;

	*ret_inbound = from == END_PROVIDER;
	own = *ret_inbound ? &s->dst.addr : &s->src.addr;
	other = *ret_inbound ? &s->src.addr : &s->dst.addr;
	return (from == END_PROVIDER) != (to == END_PROVIDER) && end_of(m->ends, own) == END_OWN &&
	       end_of(m->ends, other) != END_OWN &&
	       !is_front(m, own);
}

/* RTCP goes to the port behind, unless both share one. */
static void take_ports(const struct maker *m, const struct stream *s, struct policy_rule *r)
{
	const struct ranges *documented = r->inbound ? site_media_ports(m->facts->site, &s->dst.addr) : NULL;

	r->low = s->dst.port;
	r->high = s->dst.port < UINT16_MAX ? s->dst.port + 1 : s->dst.port;
	for (unsigned i = 0; documented && i < documented->count; i++) {
		if (documented->list[i].low > s->dst.port || documented->list[i].high < s->dst.port)
			continue;
		r->low = documented->list[i].low;
		r->high = documented->list[i].high;
		r->documented = true;
	}
}

static void take_media(struct maker *m)
{
	LIST_EACH(it, streams_in_order(m->facts->streams)) {
		const struct stream *s = LIST_ENTRY(it, struct stream, in_order);
		struct policy_rule r = { .kind = POLICY_MEDIA, .from = s->src.addr, .to = s->dst.addr,
			.transport = TRANSPORT_UDP, .count = 1,
					 .at = { s->first_ns, s->first_frame, s->file, s->interface } };

		if (!s->direction || s->packets < STREAM_PACKETS_LEAST || !is_provider_media(m, s, &r.inbound))
			continue;
		take_ports(m, s, &r);
		rule_add(m, r);
		policy_extra_mark(&m->policy->extra, true, r.inbound, s->dscp, 1);
	}
}

/* ---- one rule for what is equal ---- */

static int rule_compare(const void *x, const void *y)
{
	const struct policy_rule *a = x, *b = y;
	int order = (int)a->kind - (int)b->kind;

	if (!order)
		order = address_compare(&a->from, &b->from);
	if (!order)
		order = address_compare(&a->to, &b->to);
	if (!order)
		order = (int)a->transport - (int)b->transport;
	if (!order)
		order = (int)a->documented - (int)b->documented;
	if (!order)
		order = (int)a->low - (int)b->low;
	if (!order && a->at.at_ns != b->at.at_ns)
		order = a->at.at_ns < b->at.at_ns ? -1 : 1;
	return order ? order : (a->at.frame > b->at.frame) - (a->at.frame < b->at.frame);
}

/* Media of two hosts is one range; SIP has a rule a port. */
static bool rule_joins(const struct policy_rule *a, const struct policy_rule *b)
{
	return a->kind == b->kind && address_equal(&a->from, &b->from) && address_equal(&a->to, &b->to) &&
	       a->transport == b->transport &&
	       a->documented == b->documented && (a->kind == POLICY_MEDIA && !a->documented ? true : a->low == b->low);
}

static void rules_join(struct policy *p)
{
	unsigned n = 0;

	qsort(p->rules, p->count, sizeof *p->rules, rule_compare);
	for (unsigned i = 0; i < p->count; i++) {
		struct policy_rule *last = n ? &p->rules[n - 1] : NULL;
		const struct policy_rule *r = &p->rules[i];

		if (!last || !rule_joins(last, r)) {
			p->rules[n++] = *r;
			continue;
		}
		last->count += r->count;
		last->high = r->high > last->high ? r->high : last->high;
		if (r->at.at_ns < last->at.at_ns)
			last->at = r->at;
	}
	p->cut = n > RULES_MAX ? n - RULES_MAX : 0;
	p->count = n - p->cut;
}

/* ---- who is left out ---- */

static void count_others(struct maker *m)
{
	LIST_EACH(it, sources_in_order(m->facts->sources)) {
		const struct source *s = LIST_ENTRY(it, struct source, in_order);
		enum end end = end_of(m->ends, &s->addr);
		bool own = false;

		for (unsigned i = 0; !own && (end == END_REMOTE || end == END_UNKNOWN) && i < s->target_count; i++)
			own = end_of(m->ends, &s->targets[i].at.addr) == END_OWN;
		m->policy->users += own && end == END_REMOTE;
		m->policy->strangers += own && end == END_UNKNOWN;
	}
}

struct policy *policy_new(const struct facts *facts)
{
	struct maker m = { .facts = facts, .ends = ends_new(facts), .policy = memory_zalloc(sizeof *m.policy),
		.arena = arena_new() };

	hash_init(&m.fronts);
	fronts_find(&m);
	take_peers(&m);
	take_tls(&m);
	take_media(&m);
	if (m.policy->count)
		rules_join(m.policy);
	count_others(&m);
	policy_extra_settle(&m.policy->extra, facts, m.ends);
	m.policy->peak_calls = call_peak_of(calls_in_order(facts->calls), facts->capture->last_ns).calls;
	hash_fini(&m.fronts);
	arena_free(m.arena);
	ends_free(m.ends);
	return m.policy;
}

void policy_free(struct policy *p)
{
	if (!p)
		return;
	free(p->rules);
	free(p);
}
