/* SPDX-License-Identifier: MIT */
/*
 * nat-present: a NAT that was seen to translate, and how it deals with ports. RFC 4787 4.1, 4.2; a fact, never a fault.
 */
#include <stdio.h>

#include "analyzer/detect/say.h"
#include "captures/base/hash.h"

static const char *const reasons[] = { "port-preserving", "port-remapping", "address-dependent", "cgn", "one-to-one",
	"translated", NULL };

static const struct detector_doc doc = {
	.says = "a NAT lies on the way",
	.symptom = "None by itself: it says which addresses belong together and what the NAT does to ports.",
	.evidence = "The same packet before and behind it, STUN answers, received and rport in answers, Via and Contact against the source of requests.",
	.mimics = "A PBX or SBC with two addresses, a load balancer in front of the server, a router that stands for the server (transparent proxy), a Via that is a name.",
	.fix = "Nothing to do; with port remapping or address dependence STUN alone does not help, the server has to answer to the source.",
	.reasons = reasons,
};

enum { PORTS_ENOUGH = 3, INSIDES_SHOWN = 8, EVIDENCE_SHOWN = 6, SURE = 60 };

#define TOGETHER_NS (10 * SECOND_NS)         /* two STUN answers so close say that both ports exist at once */

struct site {                        /* one public address */
	struct hash_link by_addr;
	struct list_link in_order;
	struct address addr;
	const struct nat_mapping *shown[EVIDENCE_SHOWN];
	struct address insides[INSIDES_SHOWN];
	unsigned shown_count, inside_count, ports, ports_equal, mappings;
	bool certain, dependent, carrier, mapped;    /* mapped: the operator says so */
	int64_t first_ns, last_ns;
};

struct sites {
	struct arena *arena;
	struct hash by_addr, sockets;
	struct list in_order;
};

struct socket {                      /* an inner socket that asked a STUN server */
	struct hash_link link;
	const struct nat_mapping *mapping;
};

static bool proves(enum nat_method m)
{
	return m == NAT_TWIN || m == NAT_SIP_TWO_POINTS || m == NAT_STUN || m == NAT_RPORT || m == NAT_CONFIG;
}

/*
 * A server that signals for others has addresses of its own on both sides: only what was seen to be translated counts
 * there.
 */
static bool is_server(const struct facts *facts, const struct address *a)
{
	const struct host *h = network_host_find(facts->network, a);

	return h && (h->roles & (1u << ROLE_PBX | 1u << ROLE_SBC | 1u << ROLE_PROXY));
}

/*
 * An inner address that sends of its own, from the card from which the outer one's packets come: the router's, which
 * stands for that server (a transparent proxy), or a machine's second one. What was seen translated is so all the same.
 */
static bool is_one_card(const struct facts *facts, const struct nat_mapping *m)
{
	const struct host *in = network_host_find(facts->network, &m->inside.addr),
		*out = network_host_find(facts->network, &m->outside.addr);

	if (proves(m->method) && m->method != NAT_RPORT)
		return false;
	return in && out && in != out && in->packets_out && in->ttl_known && in->hops == 0 && in->has_mac &&
		out->has_mac && memcmp(in->mac, out->mac, sizeof in->mac) == 0;
}

static struct site *site_of(struct sites *s, const struct address *a)
{
	uint32_t hash = (uint32_t)hash_bytes(a, sizeof *a);
	struct site *site;

	for (struct hash_link *it = hash_first(&s->by_addr, hash); it; it = it->next) {
		site = HASH_ENTRY(it, struct site, by_addr);
		if (it->hash == hash && address_equal(&site->addr, a))
			return site;
	}
	site = arena_zalloc(s->arena, sizeof *site);
	site->addr = *a;
	site->first_ns = INT64_MAX;
	site->last_ns = INT64_MIN;
	hash_add(&s->by_addr, &site->by_addr, hash);
	list_add_tail(&s->in_order, &site->in_order);
	return site;
}

/* One inner socket, two STUN servers, two outer ports at the same time. */
static bool depends_on_peer(struct sites *s, const struct nat_mapping *m)
{
	uint32_t hash = endpoint_hash(&m->inside);
	struct socket *socket;

	for (struct hash_link *it = hash_first(&s->sockets, hash); it; it = it->next) {
		const struct nat_mapping *other = HASH_ENTRY(it, struct socket, link)->mapping;

		if (it->hash == hash && endpoint_equal(&other->inside, &m->inside))
			return other->outside.port != m->outside.port && other->media == m->media &&
			       ns_minus(m->first_ns, other->last_ns) < TOGETHER_NS &&
			       ns_minus(other->first_ns, m->last_ns) < TOGETHER_NS;
	}
	socket = arena_zalloc(s->arena, sizeof *socket);
	socket->mapping = m;
	hash_add(&s->sockets, &socket->link, hash);
	return false;
}

static void inside_add(struct site *site, const struct address *a)
{
	for (unsigned i = 0; i < site->inside_count; i++) {
		if (address_equal(&site->insides[i], a))
			return;
	}
	if (site->inside_count < INSIDES_SHOWN)
		site->insides[site->inside_count++] = *a;
}

static void mapping_note(struct sites *s, const struct nat_mapping *m)
{
	struct site *site = site_of(s, &m->outside.addr);

	site->mappings++;
	site->certain |= proves(m->method);
	site->mapped |= m->method == NAT_CONFIG && !m->inside.port;
	site->carrier |= address_reach(&m->outside.addr) == 1 || address_reach(&m->inside.addr) == 1;
	if (m->inside.port && m->outside.port) {
		site->ports++;
		site->ports_equal += m->inside.port == m->outside.port;
		site->dependent |= m->method == NAT_STUN && depends_on_peer(s, m);
	}
	inside_add(site, &m->inside.addr);
	/* the profile's word has neither frame nor time */
	if (!m->at.frame)
		return;
	site->first_ns = m->first_ns < site->first_ns ? m->first_ns : site->first_ns;
	site->last_ns = m->last_ns > site->last_ns ? m->last_ns : site->last_ns;
	if (site->shown_count < EVIDENCE_SHOWN)
		site->shown[site->shown_count++] = m;
}

static const char *reason_of(const struct site *s)
{
	if (s->carrier)
		return "cgn";
	if (s->dependent)
		return "address-dependent";
	if (s->ports > s->ports_equal)
		return "port-remapping";
	if (s->mapped && s->inside_count == 1)
		return "one-to-one";
	return s->ports >= PORTS_ENOUGH ? "port-preserving" : "translated";
}

static const char *means(const char *reason)
{
	static const char *const words[][2] = {
		{ "cgn", "it is a carrier's (100.64.0.0/10): nobody can forward ports there" },
		{ "address-dependent",
		  "the outer port depends on the peer: what STUN learns from one server is wrong for another" },
		{ "port-remapping", "outer ports differ from inner ones" },
		{ "one-to-one", "the profile says that this address is that host's alone" },
		{ "port-preserving", "outer ports equal inner ones" },
		{ "translated", "too few ports were seen to say how it chooses them" },
	};
	size_t i = 0;

	while (strcmp(words[i][0], reason) != 0)
		i++;
	return words[i][1];
}

static void tell(struct detection *d, const struct site *s)
{
	struct finding *f = detection_raise_keyed(d, hash_bytes(&s->addr, sizeof s->addr), reason_of(s), SEVERITY_INFO,
						  s->certain ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
	struct endpoint at = { s->addr, 0 };
	char outer[ADDRESS_TEXT], inner[ENDPOINT_TEXT], outside[ENDPOINT_TEXT];

	f->reason_confidence = f->confidence;
	finding_part(f, PART_WITNESS, &at);
	for (unsigned i = 0; i < s->inside_count; i++) {
		at.addr = s->insides[i];
		finding_part(f, PART_WITNESS, &at);
	}
	if (s->shown_count)
		finding_times(f, s->first_ns, s->last_ns);
	else
		finding_times(f, detection_facts(d)->capture->first_ns, detection_facts(d)->capture->last_ns);
	f->count = s->mappings;
	address_text(&s->addr, outer);
	if (s->inside_count == 1)
		finding_title(f, "%s speaks through a NAT as %s", address_text(&s->insides[0], inner), outer);
	else
		finding_title(f, "%u%s hosts speak through a NAT as %s", s->inside_count,
			s->inside_count == INSIDES_SHOWN ? " and more" : "", outer);
	finding_cause(f, "A NAT translates to %s; %s.", outer, means(f->reason));
	finding_fix(f,
		"Nothing to do as long as servers answer to the source of SIP and audio (rport, symmetric RTP).");
	for (unsigned i = 0; i < s->shown_count; i++)
		finding_evidence(f, (struct frame_ref){ s->shown[i]->first_ns, s->shown[i]->at.frame,
			s->shown[i]->at.file, 0 }, "%s is %s (%s)",
				 endpoint_text(&s->shown[i]->inside, inner),
				 endpoint_text(&s->shown[i]->outside, outside),
				 nat_method_name(s->shown[i]->method));
}

static void on_event(struct detection *d, const struct event *ev)
{
	const struct facts *facts = detection_facts(d);
	struct sites s = { .arena = arena_new() };

	(void)ev;
	hash_init(&s.by_addr);
	hash_init(&s.sockets);
	list_init(&s.in_order);
	LIST_EACH(it, network_mappings(facts->network)) {
		const struct nat_mapping *m = LIST_ENTRY(it, struct nat_mapping, in_order);

		if (!m->derived && m->weight >= SURE && !is_one_card(facts, m) &&
		    (proves(m->method) || !is_server(facts, &m->outside.addr)))
			mapping_note(&s, m);
	}
	LIST_EACH(it, &s.in_order)
		tell(d, LIST_ENTRY(it, struct site, in_order));
	if (list_empty(&s.in_order))
		detection_pass(d, NULL, "no address was seen translated");
	hash_fini(&s.by_addr);
	hash_fini(&s.sockets);
	arena_free(s.arena);
}

const struct detector detect_nat_present = {
	.id = "nat-present", .doc = &doc, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = PER_HOST,
	.usual = SEVERITY_INFO, .possible_max = SEVERITY_INFO,
};
