/* SPDX-License-Identifier: MIT */
/*
 * invite-unanswered: the INVITE met silence, and why. A phone that rings without being picked up answers. RFC 3261
 * 17.1.1.2.
 */
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/calls/account.h"
#include "analyzer/calls/headers.h"
#include "analyzer/detect/attempts.h"
#include "analyzer/detect/dead_connection.h"
#include "analyzer/detect/icmp_about.h"
#include "analyzer/detect/icmp_says.h"
#include "analyzer/detect/invite_hop.h"
#include "analyzer/detect/lookup.h"
#include "analyzer/detect/say.h"
#include "analyzer/detect/survey.h"
#include "analyzer/detect/witness.h"
#include "analyzer/network/flow.h"
#include "analyzer/network/sip_binding.h"
#include "analyzer/network/sip_hop.h"
#include "analyzer/network/source.h"
#include "analyzer/site.h"
#include "captures/base/memory.h"

static const char *const reasons[] = {
	"icmp-unreachable", "to-private-address", "stale-binding", "binding-silent", "reply-lost-nat",
	"reply-lost-in-path", "wrong-transport", "fragmented",
	"filtered-source", "stuck-after-trying", "no-response", NULL,
};

static const struct detector_doc doc = {
	.says = "nobody answers the INVITE, and why",
	.symptom = "A phone cannot be reached, the call goes nowhere, half a minute of nothing and then a busy tone.",
	.evidence = "The copies of the INVITE on the last hop that is seen, ICMP errors, where the phone is registered by then, other requests between the two.",
	.mimics = "A lost packet whose copy is answered, a branch of a fork whose phone is switched off, a trunk that failed over, scanners, a capture that sees one direction.",
	.fix = "By reason: registration interval and keep-alive, the address that is called, the path to it.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "copies", 4, "copies", 2, 11, "RFC 3261 17.1.1.2: so many take 3.5 s" },
	{ "fork-s", 3, "s", 0, 60, "field: branches of a fork begin together" },
	{ "redial-s", 10, "s", 1, 300, "field: a machine tries again at once, a person later" },
	{ "tail-s", 32, "s", 1, 300, "RFC 3261 17.1.1.2: 64 T1" },
	{ 0 },
};

#define IDLE_NS (30 * SECOND_NS)     /* firewalls forget in no less */
#define ICMP_AFTER_NS (5 * SECOND_NS)
#define TORN_AFTER_NS (60 * SECOND_NS)       /* RFC 791 3.2, RFC 8200 4.5: 15 to 60 s a receiver waits for fragments */

enum { LOST_COPIES = 3, STUCK_COPIES = 3, EVERY_LINK = 1280, REFUSAL_TEXT = 240 };

#define STUCK_WITHIN_NS (5 * SECOND_NS)

struct unanswered {
	const struct leg *leg;
	struct invite_hop hop;
	const char *reason;          /* NULL: nothing to say */
	enum confidence confidence;
	enum severity severity;
	enum witness witness;
	const struct icmp_record *icmp, *torn;       /* torn: its receiver did not get all fragments */
	unsigned icmps;
	/* icmp-unreachable: the router says it, at a port where a phone had registered; else NULL */
	const struct sip_binding *mapping;
	struct dead_connection dead; /* where is_dead */
	bool is_dead;
	const struct flow_side *stuck;       /* fragmented: the segment that nobody acknowledges */
	struct endpoint now;         /* stale-binding: where the phone is by then */
	struct frame_ref moved_at;
};

/* ---- what is known of the one who should answer ---- */

static bool says_unreachable(const struct icmp_record *i)
{
	if (i->v6)
		return i->type == 1;
	return i->type == 3 && (i->code <= 3 || i->code == 9 || i->code == 10 || i->code == 13);
}

static bool about_hop(const struct icmp_record *i, const struct invite_hop *h)
{
	return endpoint_equal(&i->dst, &h->dst) && endpoint_equal(&i->src, &h->src) &&
	       i->at.at_ns >= h->first->at.at_ns;
}

static void look_for_icmp(const struct facts *facts, struct unanswered *u)
{
	const struct invite_hop *h = &u->hop;
	uint32_t hash = icmp_hash(&h->dst);

	for (struct hash_link *it = hash_first(facts->icmp_by_dst, hash); it; it = it->next) {
		const struct icmp_record *i = HASH_ENTRY(it, struct icmp_record, by_dst);

		if (it->hash != hash || !about_hop(i, h))
			continue;
		if (icmp_torn(i) && i->at.at_ns <= ns_add(h->last->at.at_ns, TORN_AFTER_NS))
			u->torn = i;
		if (!says_unreachable(i) || i->at.at_ns > ns_add(h->last->at.at_ns, ICMP_AFTER_NS))
			continue;
		u->icmps++;
		if (!u->icmp || i->at.at_ns < u->icmp->at.at_ns)
			u->icmp = i;
	}
}

/*
 * The phone's router says that nothing is behind the port from which it had registered, or a phone that is still there
 * does, through it.
 */
static const struct sip_binding *refused_mapping(const struct facts *facts, const struct unanswered *u)
{
	const struct sip_binding *b = sip_bindings_find(facts->bindings, &u->hop.dst, &u->hop.src);

	if (!b || !b->translated || !icmp_no_port(u->icmp) || !address_equal(&u->icmp->reporter, &u->hop.dst.addr))
		return NULL;
	return b;
}

static bool is_at(const struct binding_change *c, const struct endpoint *at)
{
	return endpoint_equal(&c->source, at) || endpoint_equal(&c->contact, at);
}

/* The phone had registered from there, and was registered somewhere else, alone, when the INVITE was sent. */
static bool has_moved(const struct account *x, struct unanswered *u)
{
	const struct binding_change *now = NULL;
	bool was_there = false;

	for (unsigned i = 0; i < x->change_count && x->changes[i].at_ns < u->hop.first->at.at_ns; i++) {
		const struct binding_change *c = &x->changes[i];

		if (!address_equal(&c->server.addr, &u->hop.src.addr))
			continue;
		was_there |= is_at(c, &u->hop.dst);
		now = c;
	}
	if (!now || !was_there || (!now->removed && (is_at(now, &u->hop.dst) || now->listed > 1)))
		return false;
	u->now = now->removed ? (struct endpoint){ 0 } : now->source;
	u->moved_at = now->at;
	return true;
}

static bool judge_stale(const struct facts *facts, struct unanswered *u)
{
	const struct sip_binding *b = sip_bindings_find(facts->bindings, &u->hop.dst, &u->hop.src);
	const struct account *x = NULL;

	while ((x = accounts_of_user(facts->accounts, u->leg->party[SIDE_CALLEE].user, x))) {
		if (!has_moved(x, u))
			continue;
		u->confidence = CONFIDENCE_CERTAIN;
		return true;
	}
	if (!b || b->registered_until_ns == NS_NONE || b->registered_until_ns >= u->hop.first->at.at_ns)
		return false;
	u->moved_at = b->registered;
	u->confidence = CONFIDENCE_LIKELY;
	return true;
}

/* The mapping was silent, this INVITE died on it, and the phone lived on. */
static bool judge_mapping(const struct facts *facts, struct unanswered *u)
{
	const struct sip_binding *b = sip_bindings_find(facts->bindings, &u->hop.dst, &u->hop.src);
	uint64_t call = sip_binding_call(u->leg->call_id);

	for (unsigned i = 0; b && i < b->death_count; i++) {
		if (b->deaths[i].probe.method != SIP_INVITE || b->deaths[i].probe.call != call)
			continue;
		u->now = b->deaths[i].now;
		u->moved_at = b->deaths[i].alive_at;
		u->confidence = CONFIDENCE_LIKELY;
		return true;
	}
	return false;
}

static bool is_stream(unsigned transport)
{
	return transport == TRANSPORT_TCP || transport == TRANSPORT_TLS || transport == TRANSPORT_WS;
}

/*
 * All that is registered for this user at the sender came over a connection, and the INVITE is a datagram to the same
 * host.
 */
static bool registered_by_stream(const struct facts *facts, const struct unanswered *u)
{
	const struct account *x = NULL;
	bool stream = false;

	while (!is_stream(u->hop.first->transport) &&
	    (x = accounts_of_user(facts->accounts, u->leg->party[SIDE_CALLEE].user, x))) {
		LIST_EACH(it, &x->devices) {
			const struct device *d = LIST_ENTRY(it, struct device, in_account);

			if (!d->succeeded || !address_equal(&d->server.addr, &u->hop.src.addr))
				continue;
			if (!is_stream(d->transport))
				return false;
			stream |= address_equal(&d->source.addr, &u->hop.dst.addr);
		}
	}
	return stream;
}

/*
 * The connection came to a stop behind the INVITE: a packet larger than every link takes (RFC 8200 5: 1280 bytes) comes
 * again and again and is not acknowledged, where all before it was. NULL: not so.
 */
static const struct flow_side *stuck_segment(const struct facts *facts, const struct unanswered *u)
{
	const struct invite_hop *h = &u->hop;

	if (!is_stream(h->first->transport))
		return NULL;
	LIST_EACH(it, flows_in_order(facts->flows)) {
		const struct flow *flow = LIST_ENTRY(it, struct flow, in_order);
		bool by_client = endpoint_equal(&flow->client, &h->src) && endpoint_equal(&flow->server, &h->dst),
			by_server = endpoint_equal(&flow->client, &h->dst) && endpoint_equal(&flow->server, &h->src);
		const struct flow_side *s = &flow->side[by_client ? FLOW_CLIENT : FLOW_SERVER];

		if ((by_client || by_server) && s->stuck_copies >= STUCK_COPIES && s->stuck_bytes > EVERY_LINK &&
		    s->bytes > s->stuck_bytes && s->stuck_at.at_ns >= h->first->at.at_ns &&
		    s->stuck_at.at_ns <= ns_add(h->first->at.at_ns, STUCK_WITHIN_NS))
			return s;
	}
	return NULL;
}

static bool is_fragmented(const struct unanswered *u)
{
	return u->hop.first->fragments > 1;
}

/*
 * Nothing at all was ever heard from an address that cannot be routed from there. What has come over routers to here
 * was routed, or a router forwards it to that address.
 */
static bool is_private_elsewhere(const struct facts *facts, const struct unanswered *u)
{
	const struct address *src = &u->hop.src.addr, *dst = &u->hop.dst.addr;
	const struct host *h = network_host_find(facts->network, dst), *from = network_host_find(facts->network, src);

	if (address_reach(dst) != 0 || (h && h->packets_out) || (from && from->ttl_known && !host_at(from)))
		return false;
	return address_reach(src) == 2;
}

/* ---- judgement ---- */

static void give(struct unanswered *u, const char *reason, enum confidence c)
{
	u->reason = reason;
	u->confidence = c;
}

/* The connection that the phone keeps open: it has come again by another one, when the router had forgotten it. */
static void judge_dead(struct unanswered *u)
{
	if (address_known(&u->dead.now.addr) && u->dead.idle_ns >= IDLE_NS) {
		u->now = u->dead.now;
		u->moved_at = u->dead.now_at;
		give(u, "binding-silent", CONFIDENCE_LIKELY);
	} else {
		give(u, "no-response", CONFIDENCE_LIKELY);
	}
}

/* A connection that has just been heard is not dead: it is this packet that does not get through. */
static bool narrow_link(const struct facts *facts, const struct unanswered *u)
{
	return !u->dead.reset_at.frame && u->dead.idle_ns < IDLE_NS && stuck_segment(facts, u) != NULL;
}

static void judge_why(const struct facts *facts, struct unanswered *u)
{
	const struct sip_hop *other = sip_hops_find(facts->hops, &u->hop.src, &u->hop.dst);

	if (judge_stale(facts, u))
		u->reason = "stale-binding";
	else if (judge_mapping(facts, u))
		u->reason = "binding-silent";
	else if (is_private_elsewhere(facts, u))
		give(u, "to-private-address", CONFIDENCE_LIKELY);
	else if (registered_by_stream(facts, u))
		give(u, "wrong-transport", CONFIDENCE_LIKELY);
	else if (u->is_dead && !narrow_link(facts, u))
		judge_dead(u);
	else if (is_fragmented(u) && u->torn)
		give(u, "fragmented", CONFIDENCE_CERTAIN);
	else if (is_fragmented(u) && other)
		give(u, "fragmented", CONFIDENCE_LIKELY);
	else if ((u->stuck = stuck_segment(facts, u)) != NULL)
		give(u, "fragmented", CONFIDENCE_POSSIBLE);
	else if (other)
		give(u, "filtered-source", CONFIDENCE_POSSIBLE);
	else
		give(u, "no-response", witness_confidence(u->witness, CONFIDENCE_LIKELY));
}

/* Who sent it says itself, to the one who had asked it, that nothing came back (RFC 3261 16.9): no better witness. */
static bool says_timeout(const struct unanswered *u)
{
	LIST_EACH(it, &u->leg->call->legs) {
		LIST_EACH(tit, &LIST_ENTRY(it, struct leg, in_call)->transactions) {
			const struct transaction *t = LIST_ENTRY(tit, struct transaction, in_leg);

			if (t->initial && t->final && t->final->status == 408 && t->final->at.at_ns > u->hop.last->at.at_ns &&
			    address_equal(&t->final->src.addr, &u->hop.src.addr))
				return true;
		}
	}
	return false;
}

static void judge_silence(struct detection *d, struct unanswered *u)
{
	const struct facts *facts = detection_facts(d);
	const struct invite_hop *h = &u->hop;
	struct silence s = { .src = h->src, .dst = h->dst, .first_ns = h->first->at.at_ns, .last_ns = h->last->at.at_ns,
		.copies = h->copies,
			     .stream_transport = is_stream(h->first->transport) };
	const char *gate;

	look_for_icmp(facts, u);
	if (u->icmp && icmp_no_port(u->icmp) && registered_by_stream(facts, u)) {
		give(u, "wrong-transport", CONFIDENCE_CERTAIN);
		return;
	}
	if (u->icmp) {
		give(u, "icmp-unreachable", CONFIDENCE_CERTAIN);
		u->mapping = refused_mapping(facts, u);
		return;
	}
	if (h->copies < detection_key(d, "copies") && !s.stream_transport)
		return;
	gate = silence_gate(facts, &s, detection_key(d, "tail-s"), &u->witness);
	if (!gate && u->witness == WITNESS_OTHER_HOST && says_timeout(u))
		u->witness = WITNESS_PEER;
	if (!gate) {
		u->is_dead = s.stream_transport && dead_connection_find(facts, &h->src, &h->dst, s.first_ns, &u->dead);
		judge_why(facts, u);
	} else {
		detection_pass(d, gate, "%s", silence_gate_text(gate));
		if (strcmp(gate, "end") != 0)
			detection_withhold(d, u->leg, gate, "%s", silence_gate_text(gate));
	}
}

/*
 * It had nothing but refusals from here, and nobody here asked it: what an address that is blocked at last had before.
 */
static bool only_refused(const struct facts *facts, const struct invite_hop *h)
{
	const struct source *x = sources_find(facts->sources, &h->src.addr);

	return x && source_suspect(x) && !x->accepted && !x->welcomed &&
	       !sources_asked(facts->sources, &h->dst.addr, &h->src.addr);
}

/*
 * An outside host that nobody here has ever answered, or only to refuse it, and that shows no credentials: a scanner's
 * INVITE is best left alone.
 */
static bool ignores_stranger(const struct facts *facts, const struct invite_hop *h)
{
	const struct pair *p = network_pair_find(facts->network, &h->dst.addr, &h->src.addr);
	const struct host *own = network_host_find(facts->network, &h->dst.addr);

	if (!own || !own->packets_out)
		return false;                /* a private address that is not even here */
	if (h->first->headers && h->first->headers->credentials)
		return false;
	return site_stranger(facts->site, &h->src.addr, &h->dst.addr) && (!(p && p->sip) || only_refused(facts, h));
}

static bool has_child(const struct leg *leg)
{
	LIST_EACH(it, &leg->call->legs) {
		if (LIST_ENTRY(it, struct leg, in_call)->parent == leg)
			return true;
	}
	return false;
}

/* 100 Trying and nothing more, until the caller or a timer gave up. */
static bool is_stuck(const struct detection *d, const struct unanswered *u)
{
	const struct invite_hop *h = &u->hop;
	int64_t tail_ns = (int64_t)(detection_key(d, "tail-s") * 1e9), begin_ns = h->first->at.at_ns;

	if (!h->answer || h->rang || has_child(u->leg))
		return false;
	if (h->cancel && ns_minus(h->cancel->at.at_ns, begin_ns) >= tail_ns)
		return !h->final || h->final->at.at_ns >= h->cancel->at.at_ns;
	return h->final && h->final->status == 408 && ns_minus(h->final->at.at_ns, begin_ns) >= tail_ns;
}

static void judge_hop(struct detection *d, struct unanswered *u)
{
	const struct invite_hop *h = &u->hop;

	if (h->forwarded)
		return;
	if (!h->answer && h->astray && h->copies_astray)
		give(u, "reply-lost-nat", CONFIDENCE_CERTAIN);
	else if (!h->answer && h->other_face && h->copies_other >= LOST_COPIES && !is_stream(h->first->transport))
		give(u, "reply-lost-in-path", CONFIDENCE_LIKELY);
	else if (!h->answer && !h->astray && !h->other_face)
		judge_silence(d, u);
	else if (h->answer && h->copies_after >= LOST_COPIES && !is_stream(h->first->transport))
		give(u, "reply-lost-in-path", CONFIDENCE_LIKELY);
	else if (is_stuck(d, u))
		give(u, "stuck-after-trying", CONFIDENCE_LIKELY);
	if (u->reason && ignores_stranger(detection_facts(d), h))
		u->reason = NULL;
}

static bool got_somewhere(const struct leg *leg)
{
	return leg->answered || leg->progress_ns != NS_NONE;
}

/* A branch of a fork, or the first of several ways that were tried: the call lives by another one. */
static enum severity severity_of(const struct detection *d, const struct invite_hop *hops, unsigned count,
	const struct unanswered *u)
{
	struct attempts *attempts = lookup_attempts(detection_facts(d)->lookup);
	int64_t fork_ns = (int64_t)(detection_key(d, "fork-s") * 1e9);
	const struct leg *next = attempts_next(attempts, u->leg, (int64_t)(detection_key(d, "redial-s") * 1e9));

	if (attempts_branch_lives(attempts, u->leg, fork_ns))
		return SEVERITY_INFO;
	for (unsigned i = 0; i < count; i++) {
		const struct invite_hop *o = &hops[i];

		if (endpoint_equal(&o->dst, &u->hop.dst) || !(o->rang || (o->final && o->final->status < 300)) ||
		    address_equal(&o->dst.addr, &u->hop.src.addr))
			continue;
		return ns_minus(o->first->at.at_ns,
		       u->hop.first->at.at_ns) <= fork_ns ? SEVERITY_INFO : SEVERITY_WARNING;
	}
	if (strcmp(u->reason, "stuck-after-trying") == 0 || u->leg->answered || (next && got_somewhere(next)) ||
	    attempts_hunt_lives(attempts, u->leg, fork_ns))
		return SEVERITY_WARNING;
	return SEVERITY_ERROR;
}

/* ---- what is said ---- */

static const struct wording { const char *reason, *because, *fix; } wordings[] = {
	{ "icmp-unreachable", "",
	  "Check address and port of the destination, that something listens there, and what filters on the way" },
	{ "to-private-address", "the address is private and cannot be reached from there",
	  "Have the phone's reachable address registered: NAT support at the server, external address in the phone" },
	{ "stale-binding", "the phone is no longer registered there", "Shorten the registration interval below the router's UDP timer, switch keep-alive on, remove the old contact" },
	{ "binding-silent", "the phone had not sent anything from there for a while: its router has forgotten it",
	  "Switch keep-alive on at the phone or the server, at an interval below the router's UDP timer" },
	{ "reply-lost-nat",
	  "the answer goes to another place than the INVITE came from, and it is sent again and again",
	  "Have answers sent to where the request came from (rport, NAT support)" },
	{ "reply-lost-in-path", "answers are sent to the right place, and still the INVITE is repeated",
	  "Capture at the caller: answers are lost on the way, in a firewall or router" },
	{ "wrong-transport", "the phone has registered over TCP or TLS, the INVITE goes by UDP",
	  "Have the server send calls over the transport of the registration" },
	{ "fragmented", "the INVITE travels in several fragments, and what fits into one packet is answered",
	  "Offer fewer codecs and headers, or use TCP; let fragments pass" },
	{ "filtered-source", "other requests between the two are answered",
	  "Check access lists for calls at the destination, and the session table of the router" },
	{ "stuck-after-trying", "a 100 Trying came back and then nothing: whoever is next does not answer",
	  "Capture behind the destination: the next hop is silent" },
	{ "no-response", "",
	  "Check that the destination is on and that its address and port are right; test the path to it" },
};

static const struct wording *wording_of(const char *reason)
{
	unsigned i = 0;

	while (i + 1 < sizeof wordings / sizeof wordings[0] && strcmp(wordings[i].reason, reason) != 0)
		i++;
	return &wordings[i];
}

/*
 * The caller's own address of record is at the host that it asks (From): that is its server, whatever it calls itself.
 */
static bool is_home(const struct unanswered *u)
{
	struct address home;

	return address_parse(u->leg->party[SIDE_CALLER].host, &home) && address_equal(&home, &u->hop.dst.addr) &&
	       !address_equal(&home, &u->hop.src.addr);
}

/* Who suffers: the phone that cannot be reached; where a server is silent, whoever calls. */
static bool is_phone(const struct facts *facts, const struct unanswered *u)
{
	const struct host *h = network_host_find(facts->network, &u->hop.dst.addr);

	if (say_serves(facts, &u->hop.dst.addr) || (h && h->sends_ip && !h->registers_sent && is_home(u)))
		return false;
	return (h && h->registers_sent) || site_inside(facts->site, &u->hop.dst.addr) ||
	       accounts_of_user(facts->accounts, u->leg->party[SIDE_CALLEE].user, NULL);
}

static void add_parts(struct finding *f, const struct facts *facts, const struct unanswered *u)
{
	bool calls_phone = !u->hop.answer && is_phone(facts, u);

	finding_leg(f, u->leg);
	finding_part(f, calls_phone ? PART_WITNESS : PART_VICTIM, &u->hop.src);
	finding_part(f, calls_phone ? PART_VICTIM : PART_WITNESS, &u->hop.dst);
	if (strcmp(u->reason, "stale-binding") == 0 || strcmp(u->reason, "wrong-transport") == 0)
		finding_part(f, PART_CULPRIT, &u->hop.src);
	if (strcmp(u->reason, "reply-lost-nat") == 0)
		finding_part(f, PART_CULPRIT, &u->hop.dst);
}

static int64_t over_ns(const struct invite_hop *h)
{
	return h->final ? h->final->at.at_ns : h->cancel ? h->cancel->at.at_ns : h->last->at.at_ns;
}

/* Its answers come from an address that nobody asked. */
static bool is_other_face(const struct unanswered *u)
{
	return !u->hop.answer && u->hop.other_face && strcmp(u->reason, "reply-lost-in-path") == 0;
}

static void add_evidence(struct finding *f, const struct unanswered *u)
{
	const struct invite_hop *h = &u->hop;

	if (u->mapping && u->mapping->last_out.at_ns < h->first->at.at_ns)
		finding_evidence(f, u->mapping->last_out, "the last that was heard of the phone");
	finding_evidence(f, h->first->at, "INVITE, the first of %u", h->copies);
	if (h->answer)
		finding_evidence(f, h->answer->at, "%u, the first answer", h->answer->status);
	if (u->dead.reset_at.frame)
		finding_evidence(f, u->dead.reset_at, "RST: the connection is reset");
	if (h->astray)
		finding_evidence(f, h->astray->at, "answer %u, sent to another place", h->astray->status);
	if (u->stuck)
		finding_evidence(f, u->stuck->stuck_at, "its packet of %u bytes, for the second time", (unsigned)u->stuck->stuck_bytes);
	if (h->other_face)
		finding_evidence(f, h->other_face->at, "answer %u, from another address", h->other_face->status);
	if (u->icmp)
		finding_evidence(f, u->icmp->at, "ICMP: %s, the first of %u", icmp_says(u->icmp), u->icmps);
	if (u->torn)
		finding_evidence(f, u->torn->at, "ICMP: %s", icmp_says(u->torn));
	if (u->moved_at.frame)
		finding_evidence(f, u->moved_at, "where the phone is");
	if (h->last != h->first)
		finding_evidence(f, h->last->at, "INVITE, the last of %u", h->copies);
	if (h->cancel)
		finding_evidence(f, h->cancel->at, "CANCEL");
	if (h->final)
		finding_evidence(f, h->final->at, "%u", h->final->status);
}

static const char *act_of(const struct unanswered *u)
{
	if (u->icmp)
		return address_equal(&u->icmp->reporter, &u->hop.dst.addr) ? "refuses the call" : "cannot be reached";
	if (is_other_face(u))
		return "answers from another address";
	if (!u->hop.answer && !u->hop.astray)
		return "does not answer";
	if (strcmp(u->reason, "stuck-after-trying") == 0)
		return "gets no further";
	return u->hop.astray ? "answers elsewhere" : "is not heard";
}

/* Who refuses, and what it says. */
static const char *refusal_text(const struct unanswered *u, char text[REFUSAL_TEXT])
{
	const struct sip_binding *b = u->mapping;
	char reporter[ADDRESS_TEXT], silent[40] = "";

	address_text(&u->icmp->reporter, reporter);
	if (b && b->last_out.at_ns < u->hop.first->at.at_ns)
		snprintf(silent, sizeof silent, ", silent for %.0f s",
			(double)ns_minus(u->hop.first->at.at_ns, b->last_out.at_ns) / 1e9);
	if (b)
		snprintf(text, REFUSAL_TEXT, "%s says: %s. From there the phone had registered%s: its router has forgotten it, or the phone is off", reporter,
			 icmp_says(u->icmp), silent);
	else if (strcmp(u->reason, "wrong-transport") == 0)
		snprintf(text, REFUSAL_TEXT, "ICMP says: %s; %s", icmp_says(u->icmp), wording_of(u->reason)->because);
	else if (address_equal(&u->icmp->reporter, &u->hop.dst.addr))
		snprintf(text, REFUSAL_TEXT, "it says itself: %s", icmp_says(u->icmp));
	else
		snprintf(text, REFUSAL_TEXT, "%s says: %s", reporter, icmp_says(u->icmp));
	return text;
}

static void tell_cause(struct finding *f, const struct unanswered *u, const char *to, unsigned count)
{
	const struct invite_hop *h = &u->hop;
	bool silent = !h->answer && !h->astray && !h->other_face && !u->icmp;
	const char *because = wording_of(u->reason)->because;
	char at[ENDPOINT_TEXT], there[ENDPOINT_TEXT], now[ENDPOINT_TEXT + 40] = "", lasted[40] = "", calls[60] = "",
		refusal[REFUSAL_TEXT], from[ADDRESS_TEXT], face[240];

	if (h->last != h->first)
		snprintf(lasted, sizeof lasted, " over %.1f s",
			(double)ns_minus(h->last->at.at_ns, h->first->at.at_ns) / 1e9);
	if (address_known(&u->now.addr) && !endpoint_equal(&u->now, &h->dst))
		snprintf(now, sizeof now, " (now %s)", endpoint_text(&u->now, there));
	if (u->icmp)
		because = refusal_text(u, refusal);
	else if (u->stuck) {
		snprintf(face, sizeof face, "its packet of %u bytes is sent %u times more and not acknowledged, where smaller ones before it are: perhaps a link on the way takes none so large, and the ICMP that says so is lost",
			(unsigned)u->stuck->stuck_bytes, u->stuck->stuck_copies);
		because = face;
	} else if (is_other_face(u)) {
		snprintf(face, sizeof face, "its answers come from %s, which was not asked: a NAT or firewall before the caller lets none of them in",
			address_text(&h->other_face->src.addr, from));
		because = face;
	} else if (u->is_dead) {
		because = dead_connection_text(&u->dead, refusal, sizeof refusal);
	}
	if (count > 1)
		snprintf(calls, sizeof calls, " It was so with %u calls.", count);
	finding_cause(f, "The INVITE for %s was sent %u time%s to %s%s%s%s%s%s.%s", to, h->copies,
		h->copies == 1 ? "" : "s", endpoint_text(&h->dst, at), lasted,
		      silent ? "; no reply of any kind came back" : "", *because ? ": " : "", because, now, calls);
}

static void tell_fix(struct finding *f, const struct facts *facts, const struct unanswered *u)
{
	char two[ICMP_TWO], there[ADDRESS_TEXT];

	if (u->icmp && *icmp_two_devices(facts, u->icmp, two)) {
		text_addf(&f->cause, "%s", two);
		finding_fix(f, TWO_DEVICES_FIX, address_text(&u->hop.dst.addr, there));
		return;
	}
	if (u->mapping)
		finding_fix(f, "A keepalive of the phone (CRLF, OPTIONS, STUN) or a NAT ping of the server, at an interval below the router's UDP timer; and look whether the "
			    "phone is on.");
	else if (u->stuck)
		finding_fix(f, "Let ICMP \"fragmentation needed\" and \"packet too big\" through every firewall, clamp the MSS where the tunnel or the narrow link begins, or lower the sender's MTU; fewer codecs make the INVITE smaller.");
	else if (is_other_face(u))
		finding_fix(f, "Let the server answer from the address that it was asked at: bind SIP to each of its addresses, and no source NAT for what it sends (RFC 3581 4).");
	else if (u->icmp && icmp_no_port(u->icmp) && strcmp(u->reason, "wrong-transport") != 0)
		finding_fix(f, "Look whether the SIP program of the destination runs, and whether it listens at the address and port that are called.");
	else if (u->is_dead)
		finding_fix(f, "Keep the connection alive from both ends (CRLF of RFC 5626, OPTIONS or TCP keepalive) at an interval below the firewall's idle time for TCP, and let the sender open a new one when an ACK does not come.");
	else
		finding_fix(f, "%s.", wording_of(u->reason)->fix);
}

/* Calls that met the same silence at the same place. */
static void tell(struct detection *d, const struct unanswered *list, unsigned count)
{
	const struct facts *facts = detection_facts(d);
	const struct unanswered *u = &list[0];
	struct finding *f = detection_raise_keyed(d, u->leg->n, u->reason, u->severity, u->confidence);
	char dst[SAY_TEXT], to[SAY_TEXT], act[SAY_TEXT + 60], effect[SAY_TEXT + 40];

	for (unsigned i = 0; i < count; i++) {
		add_parts(f, facts, &list[i]);
		if (i < 3)
			add_evidence(f, &list[i]);
		if (f->first_ns == NS_NONE || list[i].hop.first->at.at_ns < f->first_ns)
			f->first_ns = list[i].hop.first->at.at_ns;
		if (f->last_ns == NS_NONE || over_ns(&list[i].hop) > f->last_ns)
			f->last_ns = over_ns(&list[i].hop);
	}
	f->count = count;
	if (u->mapping)
		snprintf(dst, sizeof dst, "The router %s", address_text(&u->hop.dst.addr, (char[ADDRESS_TEXT]){ 0 }));
	else
		say_host(facts, &u->hop.dst.addr, dst);
	say_party(facts, u->leg, SIDE_CALLEE, to);
	snprintf(act, sizeof act, "%s %s", dst, act_of(u));
	snprintf(effect, sizeof effect, "%s cannot be reached", to);
	say_title(f, act, effect);
	tell_cause(f, u, to, count);
	tell_fix(f, facts, u);
	if (!is_other_face(u) && !u->hop.answer && !u->hop.astray && u->confidence < CONFIDENCE_CERTAIN)
		finding_cannot_see(f, "whether %s got the INVITE; capture there to decide", dst);
}

/* The worst hop of a leg; reason NULL: none. */
static struct unanswered judge_leg(struct detection *d, const struct leg *leg)
{
	struct invite_hop hops[INVITE_HOP_MAX];
	unsigned count = invite_hops(leg, hops);
	struct unanswered worst = { 0 };

	for (unsigned i = 0; i < count; i++) {
		struct unanswered u = { .leg = leg, .hop = hops[i] };

		judge_hop(d, &u);
		if (!u.reason)
			continue;
		u.severity = severity_of(d, hops, count, &u);
		if (!worst.reason || u.severity > worst.severity ||
		    (u.severity == worst.severity && u.confidence > worst.confidence))
			worst = u;
	}
	return worst;
}

static int kind_compare(const struct unanswered *x, const struct unanswered *y)
{
	int c = strcmp(x->reason, y->reason);

	if (c == 0)
		c = endpoint_compare(&x->hop.dst, &y->hop.dst);
	if (c == 0)
		c = (int)x->severity - (int)y->severity;
	return c ? c : (int)x->confidence - (int)y->confidence;
}

static int unanswered_compare(const void *a, const void *b)
{
	const struct unanswered *x = a, *y = b;
	int c = kind_compare(x, y);

	return c ? c : (x->leg->n > y->leg->n) - (x->leg->n < y->leg->n);
}

struct state { struct leg_list legs; };       /* whose INVITE may have met silence, as surveyed */

/* Each INVITE of a plain leg met an answer, and was sent once. */
static void survey(struct detection *d, const struct leg *leg)
{
	struct state *st = detection_state(d);

	if (leg->initial_invite_seen && !leg_plain(leg))
		leg_list_add(&st->legs, leg);
}

static void judge_all(struct detection *d, const struct leg_list *legs)
{
	struct unanswered *list = NULL;
	unsigned count = 0, room = 0, n;

	for (unsigned i = 0; i < legs->count; i++) {
		if (count == room) {
			room = room ? room * 2 : 16;
			list = memory_resize(list, room, sizeof *list);
		}
		list[count] = judge_leg(d, legs->list[i]);
		count += list[count].reason != NULL;
	}
	if (count)
		qsort(list, count, sizeof *list, unanswered_compare);
	for (unsigned i = 0; i < count; i += n) {
		for (n = 1; i + n < count && kind_compare(&list[i], &list[i + n]) == 0;)
			n++;
		tell(d, &list[i], n);
	}
	if (count == 0)
		detection_pass(d, NULL, "every INVITE met an answer, or was not sent often enough to tell");
	free(list);
}

static void on_event(struct detection *d, const struct event *ev)
{
	struct state *st = detection_state(d);

	if (ev->kind == EVENT_SURVEY_LEG) {
		survey(d, ev->leg);
		return;
	}
	judge_all(d, &st->legs);
	leg_list_clear(&st->legs);
}

static void forget(void *state)
{
	leg_list_clear(&((struct state *)state)->legs);
}

const struct detector detect_invite_unanswered = {
	.id = "invite-unanswered", .doc = &doc, .keys = keys, .event = on_event,
	.state_size = sizeof(struct state), .forget = forget,
	.events = EVENT_BIT(EVENT_SURVEY_LEG) | EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = GLOBAL, .usual = SEVERITY_ERROR, .possible_max = SEVERITY_WARNING,
};
