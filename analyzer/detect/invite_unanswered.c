/* SPDX-License-Identifier: MIT */
/*
 * invite-unanswered: the INVITE met silence, and why. A phone that rings without being picked up answers. RFC 3261
 * 17.1.1.2.
 */
#include "analyzer/detect/invite_unanswered.h"

#include <stdlib.h>

#include "analyzer/calls/account.h"
#include "analyzer/calls/headers.h"
#include "analyzer/detect/attempts.h"
#include "analyzer/detect/icmp_about.h"
#include "analyzer/detect/icmp_says.h"
#include "analyzer/detect/lookup.h"
#include "analyzer/detect/survey.h"
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

enum { LOST_COPIES = 3, STUCK_COPIES = 3, EVERY_LINK = 1280 };
/* TCP sends again after 0.2 to 1 s and twice as long each time: so many copies take 3 to 15 s */
enum { DEAD_COPIES = 4, DEAD_TAIL_S = 20, RESET_TAIL_S = 10 };

#define STUCK_WITHIN_NS (5 * SECOND_NS)

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
	struct lookup_flows between;

	if (!is_stream(h->first->transport))
		return NULL;
	between = lookup_flows_between(facts->lookup, &h->src, &h->dst);
	for (size_t i = 0; i < between.count; i++) {
		const struct flow *flow = between.flows[i];
		bool by_client = endpoint_equal(&flow->client, &h->src);
		const struct flow_side *s = &flow->side[by_client ? FLOW_CLIENT : FLOW_SERVER];

		if (s->stuck_copies >= STUCK_COPIES && s->stuck_bytes > EVERY_LINK && s->bytes > s->stuck_bytes &&
		    s->stuck_at.at_ns >= h->first->at.at_ns &&
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

/* It has sent something since the INVITE came: one that is down filters nothing. */
static bool is_alive_since(const struct facts *facts, const struct invite_hop *h)
{
	const struct host *to = network_host_find(facts->network, &h->dst.addr);

	return to && to->last_out_ns != NS_NONE && to->last_out_ns > h->first->at.at_ns;
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
	else if (other && is_alive_since(facts, &u->hop))
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

/*
 * How long an answer is waited for. A connection that was reset under the INVITE brings none any more, nor one that has
 * left its copies without an ACK for long; who opens another sends the INVITE anew.
 */
static double tail_s(struct detection *d, const struct unanswered *u)
{
	double tail = detection_key(d, "tail-s"), dead = u->dead.reset_at.frame ? RESET_TAIL_S : DEAD_TAIL_S;

	return u->is_dead && (u->dead.reset_at.frame || u->dead.copies >= DEAD_COPIES) && dead < tail ? dead : tail;
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
	u->is_dead = s.stream_transport && dead_connection_find(facts, &h->src, &h->dst, s.first_ns, &u->dead);
	gate = silence_gate(facts, &s, tail_s(d, u), &u->witness);
	if (!gate && u->witness == WITNESS_OTHER_HOST && says_timeout(u))
		u->witness = WITNESS_PEER;
	if (!gate) {
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
	struct unanswered *u)
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
		u->reached = true;
		return ns_minus(o->first->at.at_ns,
		       u->hop.first->at.at_ns) <= fork_ns ? SEVERITY_INFO : SEVERITY_WARNING;
	}
	u->reached = u->leg->answered || (next && got_somewhere(next)) ||
		attempts_hunt_lives(attempts, u->leg, fork_ns);
	return u->reached || strcmp(u->reason, "stuck-after-trying") == 0 ? SEVERITY_WARNING : SEVERITY_ERROR;
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
		invite_unanswered_tell(d, &list[i], n);
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
