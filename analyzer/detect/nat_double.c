/* SPDX-License-Identifier: MIT */
/*
 * nat-double: two translations in a row. RFC 6888, RFC 7021: port forwarding and UPnP on the inner router then do
 * nothing.
 */
#include <stdio.h>

#include "analyzer/detect/say.h"
#include "analyzer/network/echo.h"
#include "analyzer/network/sip_binding.h"
#include "analyzer/network/sip_way.h"
#include "captures/base/hash.h"

static const char *const reasons[] = { "three-points", "cgn", "mid-private", "two-learned", "mapped-vs-router", NULL };

static const struct detector_doc doc = {
	.says = "two NATs in a row",
	.symptom = "Port forwarding is set and does not work; mappings die sooner than the router's timer says.",
	.evidence = "One request at three points with three sources; between the routers, sources that are private and are not what the phones call "
		    "themselves, while the server sees yet another address; what the router calls its outer address.",
	.mimics = "A phone with two addresses or a VPN, a load balancer, a PBX that forwards.",
	.fix = "Put the provider's box in bridge mode, or the inner router in access-point mode; with carrier-grade NAT ask for a public address.",
	.reasons = reasons,
};

struct row {                         /* a -> b -> c */
	const char *reason;
	enum confidence confidence;
	struct endpoint at[3];
	struct frame_ref seen[3];
	unsigned count;
};

static void tell(struct detection *d, const struct row *r)
{
	uint64_t key = hash_mix(hash_bytes(&r->at[1].addr, sizeof r->at[1].addr),
		hash_bytes(&r->at[2].addr, sizeof r->at[2].addr));
	struct finding *f = detection_raise_keyed(d, key, r->reason, SEVERITY_INFO, r->confidence);
	char a[ENDPOINT_TEXT], b[ENDPOINT_TEXT], c[ENDPOINT_TEXT];

	f->reason_confidence = r->confidence;
	for (unsigned i = 0; i < 3; i++) {
		struct endpoint whole = { r->at[i].addr, 0 };

		finding_part(f, PART_WITNESS, &whole);
	}
	finding_times(f, r->seen[0].at_ns, r->seen[2].at_ns > r->seen[0].at_ns ? r->seen[2].at_ns : r->seen[0].at_ns);
	f->count = r->count;
	endpoint_text(&r->at[0], a);
	endpoint_text(&r->at[1], b);
	endpoint_text(&r->at[2], c);
	finding_title(f, "Two NATs in a row: behind %s and %s", address_text(&r->at[1].addr, b),
		address_text(&r->at[2].addr, c));
	endpoint_text(&r->at[1], b);
	endpoint_text(&r->at[2], c);
	finding_cause(f, "Two translations in a row: %s -> %s -> %s.", a, b, c);
	finding_fix(f, "Put the provider's box in bridge mode, or the inner router in access-point or routed mode; with carrier-grade NAT ask for a public "
		    "address or use TCP or TLS with keepalives. Keepalives must beat the shorter of both timers.");
	for (unsigned i = 0; i < 3; i++) {
		if (r->seen[i].frame)
			finding_evidence(f, r->seen[i], "%s", i == 0 ? a : i == 1 ? b : c);
	}
}

static void judge_chain(struct detection *d, const struct sip_chain *c)
{
	struct row r = { .reason = "three-points", .confidence = CONFIDENCE_CERTAIN, .count = c->count };

	memcpy(r.at, c->at, sizeof r.at);
	memcpy(r.seen, c->seen, sizeof r.seen);
	tell(d, &r);
}

/*
 * A router of phones: several call themselves something else, or a port was changed. One phone with equal port may just
 * have two addresses.
 */
static bool is_router(const struct facts *facts, const struct sip_binding *b)
{
	const struct host *h = network_host_find(facts->network, &b->client.addr);

	if (h && (h->adds_via || h->roles & (1u << ROLE_PBX | 1u << ROLE_SBC | 1u << ROLE_PROXY)))
		return false;
	return b->inner.port != b->client.port || b->nat->bindings >= 2;
}

/* Between two routers: neither the source nor what the phone calls itself is what the server saw. */
static void judge_between(struct detection *d, const struct sip_binding *b)
{
	const struct facts *facts = detection_facts(d);
	struct row r = { .at = { b->inner, b->client }, .seen = { { .at_ns = b->first.at_ns }, b->first, b->registered }, .count = 1 };
	unsigned weight;

	if (!address_known(&b->inner.addr) || b->inner.addr.family != b->client.addr.family ||
	    address_equal(&b->inner.addr, &b->client.addr) ||
	    !address_private(&b->inner.addr) || !address_private(&b->client.addr) ||
	    address_same_net(&b->inner.addr, &b->client.addr))
		return;
	if (!network_public_of(facts->network, &b->inner, false, &r.at[2], &weight) || weight < 80 ||
	    address_reach(&r.at[2].addr) < 2)
		return;
	if (address_reach(&b->client.addr) == 1 && address_reach(&b->inner.addr) == 0) {
		r.reason = "cgn";
		r.confidence = CONFIDENCE_CERTAIN;
	} else if (is_router(facts, b)) {
		r.reason = "mid-private";
		r.confidence = CONFIDENCE_LIKELY;
	} else {
		return;
	}
	tell(d, &r);
}

/* One socket that an inner server sees behind a private address and an outer one behind a public address. */
static void judge_learned(struct detection *d)
{
	const struct facts *facts = detection_facts(d);

	LIST_EACH(it, network_mappings(facts->network)) {
		const struct nat_mapping *m = LIST_ENTRY(it, struct nat_mapping, in_order);
		struct row r = { .reason = "two-learned", .confidence = CONFIDENCE_LIKELY, .count = 1 };
		unsigned weight;

		if (m->derived || m->method != NAT_RPORT || !m->inside.port || address_reach(&m->outside.addr) == 2)
			continue;
		if (!network_public_of(facts->network, &m->outside, m->media, &r.at[2], &weight) ||
		    address_reach(&r.at[2].addr) < 2) {
			if (!network_public_of(facts->network, &m->inside, m->media, &r.at[2], &weight))
				continue;
		}
		if (weight < 80 || address_reach(&r.at[2].addr) < 2)
			continue;
		r.at[0] = m->inside;
		r.at[1] = m->outside;
		r.seen[1] = (struct frame_ref){ m->first_ns, m->at.frame, m->at.file, 0 };
		r.seen[0].at_ns = r.seen[2].at_ns = m->first_ns;
		tell(d, &r);
	}
}

/*
 * The router says that outside it has a private address, or a carrier's, and a server sees the host under a public one:
 * another router lies behind.
 */
static void judge_router(struct detection *d, const struct echo_external *x)
{
	const struct facts *facts = detection_facts(d);
	struct row r = { .reason = address_reach(&x->external) == 1 ? "cgn" : "mapped-vs-router",
		.confidence = CONFIDENCE_CERTAIN, .count = 1 };

	if (address_reach(&x->external) == 2 || address_reach(&x->external) < 0)
		return;
	LIST_EACH(it, network_mappings(facts->network)) {
		const struct nat_mapping *m = LIST_ENTRY(it, struct nat_mapping, in_order);

		if (m->derived || (m->method != NAT_STUN && m->method != NAT_RPORT) ||
		    !address_equal(&m->inside.addr, &x->host) || address_reach(&m->outside.addr) != 2)
			continue;
		r.at[0].addr = x->host;
		r.at[1].addr = x->external;
		r.at[2].addr = m->outside.addr;
		r.seen[0].at_ns = x->at_ns;
		r.seen[1] = (struct frame_ref){ x->at_ns, x->frame, x->file, 0 };
		r.seen[2] = (struct frame_ref){ m->first_ns, m->at.frame, m->at.file, 0 };
		tell(d, &r);
		return;
	}
}

static void on_event(struct detection *d, const struct event *ev)
{
	const struct facts *facts = detection_facts(d);
	const struct echo_external *externals;
	unsigned external_count;

	(void)ev;
	judge_learned(d);
	externals = echoes_externals(facts->echoes, &external_count);
	for (unsigned i = 0; i < external_count; i++)
		judge_router(d, &externals[i]);
	LIST_EACH(it, sip_bindings_in_order(facts->bindings))
		judge_between(d, LIST_ENTRY(it, struct sip_binding, in_order));
	LIST_EACH(it, sip_ways_chains(facts->ways))
		judge_chain(d, LIST_ENTRY(it, struct sip_chain, in_order));
}

const struct detector detect_nat_double = {
	.id = "nat-double", .doc = &doc, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_CAPTURE), .scope = PER_HOST,
	.usual = SEVERITY_INFO, .possible_max = SEVERITY_INFO,
};
