/* SPDX-License-Identifier: MIT */
/*
 * nat_mismatch_sip: addresses in Contact, Via, Refer-To and redirections. A finding needs requests or answers that
 * really went to such an address and were sent again and again. TCP, TLS and WebSocket reuse their connection: there
 * nobody needs the address.
 */
#include "analyzer/detect/nat_mismatch.h"

#include <stdio.h>

#include "analyzer/calls/headers.h"
#include "analyzer/detect/answer_hop.h"
#include "analyzer/detect/survey.h"
#include "analyzer/network/sip_binding.h"
#include "analyzer/network/sip_way.h"
#include "captures/base/memory.h"

enum { REPEATED = 3, CHAIN_MAX = 64 };       /* transmissions without effect; legs looked at under one key */

#define ALIVE_NS (120 * SECOND_NS)           /* the source of a REGISTER was heard so shortly before */

struct proof {                       /* a place in SIP that names an address which does not work */
	const char *reason, *place;
	struct endpoint named, real, from;   /* by whom: real is where he is; from: who obeys */
	struct endpoint victim;      /* whom nothing reaches; family 0: the one who named it */
	struct endpoint owner;       /* who named it, where another point sees him; family 0: the one at `real` */
	const char *fix;             /* NULL: the reason's */
	struct frame_ref told_at, first, last;
	unsigned count;
	enum confidence confidence;
};

static struct finding *tell(struct detection *d, uint64_t key, const struct leg *leg, const struct proof *p)
{
	const struct facts *facts = detection_facts(d);
	struct finding *f = detection_raise_keyed(d, key, p->reason, SEVERITY_ERROR, p->confidence);
	char owner[SAY_TEXT], sender[SAY_TEXT], named[ENDPOINT_TEXT], real[ENDPOINT_TEXT], act[2 * SAY_TEXT],
		effect[2 * SAY_TEXT];
	const struct endpoint *by = address_known(&p->owner.addr) ? &p->owner : &p->real;
	struct endpoint culprit = *by;

	f->reason_confidence = p->confidence;
	f->direction = NULL;
	if (leg)
		finding_leg(f, leg);
	culprit.port = 0;
	finding_part(f, PART_VICTIM, address_known(&p->victim.addr) ? &p->victim : by);
	finding_part(f, PART_CULPRIT, &culprit);
	finding_part(f, PART_CULPRIT, &p->from);
	finding_part(f, PART_WITNESS, &p->named);
	finding_times(f, p->first.at_ns, p->last.at_ns);
	f->count = p->count;
	say_host(facts, &by->addr, owner);
	say_host(facts, &p->from.addr, sender);
	endpoint_text(&p->named, named);
	endpoint_text(&p->real, real);
	snprintf(act, sizeof act, "%s sends to %s", sender, named);
	snprintf(effect, sizeof effect, "the %s of %s cannot be reached", p->place, owner);
	say_title(f, act, effect);
	finding_cause(f, "%s names %s in its %s: %s. It sends from %s; what %s sends to the named address (%s) has no effect.", owner, named, p->place,
		nat_unusable_because(p->reason), real, sender, SAY_COUNTED(p->count, "time"));
	finding_fix(f, "%s", p->fix ? p->fix : nat_unusable_fix(p->reason));
	if (p->told_at.frame)
		finding_evidence(f, p->told_at, "%s names %s", p->place, named);
	finding_evidence(f, p->first, "the first that is sent to %s", named);
	if (p->last.frame != p->first.frame)
		finding_evidence(f, p->last, "the last one");
	return f;
}

/* ---- Contact of a dialog ---- */

static bool over_udp(const struct message *m)
{
	return m->transport == TRANSPORT_UDP;
}

/* An INVITE whose 2xx comes again and again. */
static bool repeats_success(const struct detection *d, const struct transaction *t)
{
	if (t->method != SIP_INVITE || !t->final || t->status < 200 || t->status >= 300 || t->final_copies <= REPEATED)
		return false;
	return ns_minus(t->last_ns, t->final->at.at_ns) >= (int64_t)(detection_config(d, "nat", "ack-wait-s") * 1e9);
}

/* The 200 is repeated until an ACK comes, and the ACK goes to the Contact in it. RFC 3261 13.3.1.4, 12.2.1.1 */
static bool ack_astray(struct detection *d, const struct transaction *t, struct proof *p)
{
	const struct message *ok = t->final, *ack = t->ack, *got;
	struct endpoint contact = ok ? message_contact(ok) : (struct endpoint){ 0 };

	if (!repeats_success(d, t) || !ack || !over_udp(ack) || !endpoint_equal(&ack->dst, &contact) ||
	    contact.port == 0)
		return false;
	got = answer_translated(ok, ack);
	p->reason = got ? "private-to-public"
		: nat_unusable(detection_facts(d), &ack->dst.addr, &ok->src.addr, &ack->src.addr, false);
	p->named = ack->dst;
	p->real = got ? got->src : ok->src;
	p->owner = ok->src;
	p->from = ack->src;
	p->told_at = got ? got->at : ok->at;
	p->first = ack->at;
	p->last = (struct frame_ref){ t->last_ns, ack->at.frame, ack->at.file, ack->at.interface };
	p->count = t->final_copies - 1;
	return p->reason != NULL;
}

/* BYE, re-INVITE ... to the Contact that the other side gave: sent again and again, no answer. */
static bool request_astray(struct detection *d, const struct leg *leg, const struct transaction *t, struct proof *p)
{
	const struct party *other = &leg->party[side_other((enum side)t->by)];
	const struct message *m = t->request;

	if (t->initial || t->method == SIP_ACK || t->method == SIP_CANCEL || !m || t->final || t->provisional ||
	    t->request_copies < REPEATED)
		return false;
	if (!over_udp(m) || !m->has_to_tag || !endpoint_equal(&m->dst, &other->contact) ||
	    !address_known(&other->signalling.addr))
		return false;
	p->reason = nat_unusable(detection_facts(d), &m->dst.addr, &other->signalling.addr, &m->src.addr, false);
	p->named = m->dst;
	p->real = other->signalling;
	p->from = m->src;
	p->first = m->at;
	p->last = (struct frame_ref){ t->last_ns, m->at.frame, m->at.file, m->at.interface };
	p->count = t->request_copies;
	return p->reason != NULL;
}

/* ---- Record-Route: the first hop of a dialog's requests, RFC 3261 12.1, 16.6 ---- */

static bool uri_endpoint(struct span uri, struct endpoint *ret)
{
	struct sip_address a;

	if (!sip_address_parse(uri, &a) || !address_parse(a.host, &ret->addr))
		return false;
	ret->port = a.has_port ? a.port : 5060;
	return true;
}

/* The message that begins the dialog, as the one who sends `m` was given it: the 200, or to the callee the INVITE. */
static const struct message *handed_to(const struct transaction *invite, const struct message *m)
{
	const struct message *of = m->by == invite->by ? invite->final : invite->request;

	CHAIN_EACH(it, &invite->messages) {
		const struct message *x = LIST_ENTRY(it, struct message, in_transaction);

		if (of && x->request == of->request && x->status == of->status &&
		    address_equal(&x->dst.addr, &m->src.addr))
			return x;
	}
	return NULL;
}

/* It went to the address that the proxy nearest to its sender recorded, and the proxy is seen at another. */
static bool route_astray(struct detection *d, const struct transaction *invite, const struct message *m,
	struct proof *p)
{
	const struct headers *h = invite->final ? invite->final->headers : NULL;
	const struct message *given = handed_to(invite, m);
	struct span recorded = !h ? SPAN_NONE : m->by == invite->by ? h->more->recorded_last : h->more->recorded_first;

	if (!given || !over_udp(m) || !recorded.n || !uri_endpoint(recorded, &p->named) ||
	    !endpoint_equal(&m->dst, &p->named))
		return false;
	p->reason = nat_unusable(detection_facts(d), &p->named.addr, &given->src.addr, &m->src.addr, false);
	p->place = "Record-Route";
	p->real = given->src;
	p->from = m->src;
	p->told_at = given->at;
	p->first = m->at;
	p->victim = message_leg(m)->party[side_other((enum side)m->by)].signalling;
	p->fix = "Let the proxy record an address that this side reaches: its public one (advertised address; Kamailio: "
		"listen ... advertise, record_route_preset), and one a side when it stands between two networks (double "
		"Record-Route, mhomed).";
	return p->reason != NULL;
}

static bool ack_route_astray(struct detection *d, const struct transaction *t, struct proof *p)
{
	if (!repeats_success(d, t) || !t->ack || !route_astray(d, t, t->ack, p))
		return false;
	p->last = (struct frame_ref){ t->last_ns, t->ack->at.frame, t->ack->at.file, t->ack->at.interface };
	p->count = t->final_copies - 1;
	return true;
}

static bool request_route_astray(struct detection *d, const struct transaction *invite, const struct transaction *t,
	struct proof *p)
{
	const struct message *m = t->request;

	if (!invite || t->initial || t->method == SIP_ACK || t->method == SIP_CANCEL || !m || t->final ||
	    t->provisional || t->request_copies < REPEATED || !m->has_to_tag || !route_astray(d, invite, m, p))
		return false;
	p->last = (struct frame_ref){ t->last_ns, m->at.frame, m->at.file, m->at.interface };
	p->count = t->request_copies;
	return true;
}

void nat_mismatch_dialog(struct detection *d, const struct event *ev)
{
	struct proof p = { .place = "Contact", .confidence = CONFIDENCE_CERTAIN };
	const struct transaction *invite = NULL;

	LIST_EACH(it, &ev->leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);

		if (t->initial && t->method == SIP_INVITE && t->status >= 200 && t->status < 300)
			invite = t;
		if (ack_astray(d, t, &p) || request_astray(d, ev->leg, t, &p) || ack_route_astray(d, t, &p) ||
		    request_route_astray(d, invite, t, &p)) {
			tell(d, (uintptr_t)ev->leg, ev->leg, &p);
			return;
		}
	}
	detection_pass(d, NULL,
		"no ACK or request was sent in vain to a Contact or Record-Route that cannot be reached");
}

/* ---- requests to addresses that a REGISTER, a REFER or a redirection gave ---- */

struct asked {                       /* an INVITE that nobody has answered */
	struct hash_link by_target;
	const struct leg *leg;
	const struct transaction *invite;
};

struct leg_entry {
	struct hash_link by_call;
	const struct leg *leg;
	uint64_t call;
};

struct index {
	struct detection *d;
	const struct facts *facts;
	struct arena *arena;
	struct hash asked, legs;     /* legs: where an answer strayed at all */
};

static const struct transaction *unanswered_invite(const struct leg *leg)
{
	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);

		if (t->initial && t->method == SIP_INVITE)
			return t->request && !t->final && !t->provisional && t->request_copies >= REPEATED &&
			       over_udp(t->request) ? t : NULL;
	}
	return NULL;
}

static void index_leg(struct index *x, const struct leg *leg)
{
	struct leg_entry *entry = arena_zalloc(x->arena, sizeof *entry);

	entry->leg = leg;
	entry->call = hash_bytes(leg->call_id.p, leg->call_id.n);
	hash_add(&x->legs, &entry->by_call, (uint32_t)entry->call);
}

static void index_make(struct index *x, struct detection *d)
{
	*x = (struct index){ .d = d, .facts = detection_facts(d), .arena = arena_new() };
	hash_init(&x->asked);
	hash_init(&x->legs);
	LIST_EACH(it, calls_legs(x->facts->calls)) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);
		const struct transaction *t = leg_plain(leg) ? NULL : unanswered_invite(leg);

		if (sip_ways_strays(x->facts->ways)->count)
			index_leg(x, leg);
		if (t) {
			struct asked *a = arena_zalloc(x->arena, sizeof *a);

			a->leg = leg;
			a->invite = t;
			hash_add(&x->asked, &a->by_target, endpoint_hash(&t->request->dst));
		}
	}
}

static void index_free(struct index *x)
{
	hash_fini(&x->asked);
	hash_fini(&x->legs);
	arena_free(x->arena);
}

static const struct leg *leg_of(const struct index *x, uint64_t call)
{
	for (struct hash_link *it = hash_first(&x->legs, (uint32_t)call); it; it = it->next) {
		const struct leg_entry *e = HASH_ENTRY(it, struct leg_entry, by_call);

		if (e->call == call)
			return e->leg;
	}
	return NULL;
}

/* The next unanswered INVITE to that address behind `after`; NULL: the first one, or no more. */
static const struct asked *asked_next(const struct index *x, const struct endpoint *at, const struct asked *after)
{
	uint32_t hash = endpoint_hash(at);
	struct hash_link *it = after ? after->by_target.next : hash_first(&x->asked, hash);

	for (; it; it = it->next) {
		const struct asked *a = HASH_ENTRY(it, struct asked, by_target);

		if (it->hash == hash && endpoint_equal(&a->invite->request->dst, at))
			return a;
	}
	return NULL;
}

static void proof_of_invite(struct proof *p, const struct transaction *t)
{
	p->named = t->request->dst;
	p->from = t->request->src;
	p->first = t->request->at;
	p->last = (struct frame_ref){ t->last_ns, t->request->at.frame, t->request->at.file, t->request->at.interface };
	p->count = t->request_copies;
}

/* The source of the registration lives: it was heard shortly before the INVITE, or after it. */
static bool source_alive(const struct index *x, const struct registration *r, int64_t at_ns)
{
	const struct sip_binding *b = sip_bindings_find(x->facts->bindings, &r->source, &r->registrar);

	return b && b->last_out.at_ns >= ns_add(at_ns, -ALIVE_NS);
}

/*
 * Another port than the REGISTER came from: on a LAN phones do that on purpose (RFC 3261 18.2.2); a NAT in front has no
 * mapping for it.
 */
static bool contact_port(const struct index *x, const struct registration *r, const struct transaction *t)
{
	const struct sip_binding *heard = sip_bindings_find(x->facts->bindings, &r->contact, &r->registrar);

	return address_equal(&r->contact.addr, &r->source.addr) && r->contact.port != r->source.port &&
	       !address_private(&r->source.addr) && !heard &&
	       source_alive(x, r, t->first_ns);
}

/* The points at which packets from a to b were seen. */
static uint32_t points_between(const struct facts *facts, const struct address *a, const struct address *b)
{
	const struct pair *p = network_pair_find(facts->network, a, b);

	return p && p->packets ? p->points : 0;
}

/* Of a registration that is seen beside the phone: the public address by which the registrar knows it; false: none. */
static bool known_as(const struct facts *facts, const struct registration *r, struct endpoint *ret)
{
	unsigned weight;

	return address_private(&r->contact.addr) && !address_private(&r->registrar.addr) &&
	       network_public_of(facts->network, &r->contact, false, ret, &weight) && !address_private(&ret->addr);
}

/* The request goes to the Contact where the phone is known as that other address, and is nowhere seen beside it. */
static bool goes_astray(const struct facts *facts, const struct registration *r, const struct endpoint *as,
	const struct transaction *t)
{
	uint32_t there = points_between(facts, &as->addr, &r->registrar.addr),
		beside = points_between(facts, &r->contact.addr, &r->registrar.addr), seen = 0;

	CHAIN_EACH(it, &t->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_transaction);

		if (m->request)
			seen |= network_point(facts->network, m->at.file, m->at.interface, 0);
	}
	return (seen & there) && !(seen & beside);
}

static void judge_registration(const struct index *x, const struct registration *r)
{
	struct proof p = { .place = "Contact", .told_at = r->request_at, .real = r->source, .owner = r->source };
	struct finding *f = NULL;
	unsigned walked = 0;
	bool apart = endpoint_equal(&r->contact, &r->source);

	if (!r->succeeded || !address_known(&r->contact.addr) || (apart && !known_as(x->facts, r, &p.real)))
		return;
	for (const struct asked *a = asked_next(x, &r->contact, NULL); a && walked++ < CHAIN_MAX;
	    a = asked_next(x, &r->contact, a)) {
		const struct message *m = a->invite->request;

		if (!address_equal(&m->src.addr, &r->registrar.addr) || a->invite->first_ns < r->first_ns)
			continue;
		if (apart && !goes_astray(x->facts, r, &p.real, a->invite))
			continue;
		if (apart) {
			p.reason = "private-to-public";
			p.confidence = CONFIDENCE_CERTAIN;
		} else if (contact_port(x, r, a->invite)) {
			p.reason = "contact-port";
			p.confidence = CONFIDENCE_LIKELY;
		} else {
			p.reason = nat_unusable(x->facts, &r->contact.addr, &r->source.addr, &m->src.addr, false);
			p.confidence = CONFIDENCE_CERTAIN;
		}
		if (!p.reason)
			continue;
		if (f) {
			finding_leg(f, a->leg);
			f->count += a->invite->request_copies;
			f->first_ns = a->invite->first_ns < f->first_ns ? a->invite->first_ns : f->first_ns;
			f->last_ns = a->invite->last_ns > f->last_ns ? a->invite->last_ns : f->last_ns;
			continue;
		}
		proof_of_invite(&p, a->invite);
		f = tell(x->d, (uintptr_t)r, a->leg, &p);
	}
}

/* ---- Via ---- */

static void judge_stray(const struct index *x, const struct sip_stray *s)
{
	struct proof p = {
		.place = "Via", .named = s->sent_to, .real = s->client, .from = s->server, .told_at = s->request,
		.first = s->first_answer,
		.last = s->last_answer, .count = s->answers, .confidence = CONFIDENCE_CERTAIN,
	};
	struct finding *f;

	p.reason = nat_unusable(x->facts, &s->sent_to.addr, &s->client.addr, &s->server.addr, false);
	if (!p.reason)
		return;
	f = tell(x->d, (uintptr_t)s, s->method == SIP_REGISTER ? NULL : leg_of(x, s->call), &p);
	finding_evidence(f, s->repeated, "the request comes again: its answers were lost (%u repetitions)",
		s->transmissions);
	if (s->rport)
		finding_fix(f, "The client asks for answers to its source (rport, RFC 3581) and the server does not heed it: switch force_rport on there.");
	else
		finding_fix(f, "Switch rport on at the client, or let the server answer to the source of requests (Asterisk: force_rport; Kamailio: force_rport()).");
}

/* ---- Refer-To and redirections ---- */

/* Somebody was sent to an address and asks there in vain. `after` the message that named it; who: who named it. */
static void judge_sent_on(const struct index *x, const char *place, const struct endpoint *named,
	const struct endpoint *who, struct frame_ref after,
			  const void *key)
{
	struct proof p = { .place = place, .real = *who, .told_at = after, .confidence = CONFIDENCE_CERTAIN };
	const struct asked *a = asked_next(x, named, NULL);
	unsigned walked = 0;

	while (a && walked++ < CHAIN_MAX && a->invite->first_ns < after.at_ns)
		a = asked_next(x, named, a);
	if (!a || a->invite->first_ns < after.at_ns)
		return;
	p.reason = nat_unusable(x->facts, &named->addr, &who->addr, &a->invite->request->src.addr, false);
	if (!p.reason)
		return;
	proof_of_invite(&p, a->invite);
	tell(x->d, (uintptr_t)key, a->leg, &p);
}

static void judge_redirection(const struct index *x, const struct leg *leg)
{
	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);
		const struct message *m = t->final;

		if (t->initial && m && m->status >= 300 && m->status < 400 && m->contact &&
		    address_known(&m->contact->at.addr))
			judge_sent_on(x, "redirection", &m->contact->at, &m->src, m->at, t);
	}
}

void nat_mismatch_signalling(struct detection *d)
{
	struct endpoint named;
	struct index x;

	index_make(&x, d);
	LIST_EACH(it, sip_ways_strays(x.facts->ways))
		judge_stray(&x, LIST_ENTRY(it, struct sip_stray, in_order));
	if (x.asked.count) {
		LIST_EACH(it, calls_registrations(x.facts->calls))
			judge_registration(&x, LIST_ENTRY(it, struct registration, in_order));
		LIST_EACH(it, calls_transfers(x.facts->calls)) {
			const struct transfer *t = LIST_ENTRY(it, struct transfer, in_order);

			if (uri_endpoint(t->refer_to, &named))
				judge_sent_on(&x, "Refer-To", &named, &t->leg->party[t->by].signalling, t->at, t);
		}
		LIST_EACH(it, calls_legs(x.facts->calls))
			judge_redirection(&x, LIST_ENTRY(it, struct leg, in_order));
	}
	index_free(&x);
}
