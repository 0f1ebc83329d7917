/* SPDX-License-Identifier: MIT */
/*
 * ack-missing: an answer is repeated because its ACK does not arrive, and where the ACK went. RFC 3261 12.2.1.1,
 * 13.2.2.4, 13.3.1.4, 17.2.1.
 */
#include <stdio.h>

#include "analyzer/calls/account.h"
#include "analyzer/calls/headers.h"
#include "analyzer/detect/ack_route.h"
#include "analyzer/detect/answer_hop.h"
#include "analyzer/detect/say.h"
#include "analyzer/detect/witness.h"
#include "analyzer/network/sip_hop.h"
#include "analyzer/site.h"
#include "dissect/sip_message.h"

static const char *const reasons[] = {
	"ack-to-wrong-address", "route-ignored", "contact-missing", "stale-alias", "ack-mismatched", "ack-lost",
	"200-not-reaching-caller", "proxy-did-not-relay",
	"never-sent", "fork-second-200", "nonok-ack-missing", "unlocated", NULL,
};

static const struct detector_doc doc = {
	.says = "the ACK never came, and where it went",
	.symptom = "The call connects and drops after about half a minute, or answering does not connect at all.",
	.evidence = "Copies of the 200 OK after the ACK or without any; where the ACK was sent, its Route and Request-URI against Record-Route and Contact of the 200.",
	.mimics = "One copy more where the round trip is longer than T1, an ACK that takes another path than the tap sees while the 200 is not repeated, mirror copies.",
	.fix = "Put the reachable address into the Contact (NAT setting, external address, SIP ALG off), or have the proxy record-route and mend the contact.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "copies", 3, "copies", 2, 11, "RFC 3261 13.3.1.4: at 0, 0.5, 1.5 s" },
	{ "grace-s", 1, "s", 0, 10, "field: a copy that has crossed the ACK" },
	{ "tail-s", 32, "s", 1, 300, "RFC 3261 13.3.1.4: 64 T1" },
	{ 0 },
};

#define RELAY_NS SECOND_NS
#define ANSWER_NS (32 * SECOND_NS)           /* 64 T1 */

enum { REFUSAL_COPIES = 4, INVITES_AFTER = 2 };

struct unacked {
	const struct leg *leg;
	const struct transaction *transaction;
	struct answer_hop hop;       /* nearest to who answered */
	const struct message *ack;   /* there, elsewhere or wrong; NULL none seen */
	const char *reason, *header; /* header: that the wrong address stood in; NULL */
	enum ack_flaw flaw;          /* of the ACK's own, and of who sent it */
	bool other_port;             /* it went to the Contact's port, and the INVITE had got through to another */
	bool misled;                 /* no ACK was seen, and the 200 asks for it where the caller cannot reach */
	enum confidence confidence;
	enum severity severity;
	enum witness witness;
};

/* ---- where an ACK should go ---- */

static bool uri_address(struct span uri, struct address *ret)
{
	struct sip_address a;

	return uri.n && sip_address_parse(uri, &a) && address_parse(a.host, ret);
}

static bool sends(const struct facts *facts, const struct address *a)
{
	const struct host *h = network_host_find(facts->network, a);

	return h && h->packets_out;
}

/* An address of a network that who sends the ACK cannot reach, and that the answer did not come from. */
static bool is_unreachable(const struct facts *facts, const struct unacked *u, const struct address *a)
{
	if (address_private(a) && answer_translated(u->hop.first, u->ack))
		return true;
	if (!address_private(a) || address_equal(a, &u->hop.src.addr))
		return false;
	if (address_reach(&u->ack->src.addr) > 0)
		return true;
	return !address_same_net(a, &u->hop.src.addr) && !address_same_net(a, &u->ack->src.addr) && !sends(facts, a);
}

/* Did the answering side move from where the ACK was sent to where its answer came from? */
static bool has_moved(const struct facts *facts, const struct unacked *u)
{
	const struct account *x = NULL;
	bool before = false;

	while ((x = accounts_of_user(facts->accounts, u->leg->party[u->hop.first->by].user, x))) {
		for (unsigned i = 0; i < x->change_count; i++) {
			before |= endpoint_equal(&x->changes[i].source, &u->ack->dst);
			if (before && endpoint_equal(&x->changes[i].source, &u->hop.src))
				return true;
		}
	}
	return false;
}

/*
 * To the port of the Contact, where nobody was ever heard to answer, and the INVITE came through to another port, which
 * the answer comes from: a forwarding of another number than the one inside (RFC 3261 13.2.2.4).
 */
static bool to_other_port(const struct facts *facts, const struct unacked *u)
{
	const struct endpoint contact = message_contact(u->hop.first);

	return u->hop.first->transport == TRANSPORT_UDP && u->ack->transport == TRANSPORT_UDP && u->hop.invite &&
	       endpoint_equal(&u->ack->dst, &contact) && address_equal(&contact.addr, &u->hop.src.addr) &&
	       contact.port != u->hop.src.port && !sip_hops_find(facts->hops, &u->ack->src, &u->ack->dst);
}

static void give(struct unacked *u, const char *reason, enum confidence c)
{
	u->reason = reason;
	u->confidence = c;
}

static void judge_elsewhere(const struct facts *facts, struct unacked *u)
{
	const struct headers *ok = u->hop.first->headers;
	const struct address contact = message_contact(u->hop.first).addr;
	struct address recorded;
	bool to_contact = address_known(&contact) && address_equal(&u->ack->dst.addr, &contact);
	bool to_proxy = ok && uri_address(ok->more->recorded_last, &recorded) &&
		address_equal(&u->ack->dst.addr, &recorded);

	if (address_equal(&u->ack->dst.addr, &u->hop.src.addr) && has_moved(facts, u)) {
		give(u, "stale-alias", CONFIDENCE_CERTAIN);
	} else if (to_other_port(facts, u)) {
		u->other_port = true;
		give(u, "ack-to-wrong-address", CONFIDENCE_LIKELY);
	} else if ((to_contact || to_proxy) && !is_unreachable(facts, u, &u->ack->dst.addr)) {
		give(u, "ack-lost", CONFIDENCE_LIKELY);
	} else {
		u->header = to_contact ? "the Contact" : to_proxy ? "the Record-Route" : NULL;
		give(u, "ack-to-wrong-address", CONFIDENCE_CERTAIN);
	}
}

/* ---- no ACK at all ---- */

/* One on the right way, but for another request or dialog. */
static const struct message *mismatched_ack(const struct unacked *u)
{
	CHAIN_EACH(it, &u->leg->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_leg);

		if (!m->request || m->method != SIP_ACK || m->repeat == MESSAGE_COPY || !m->transaction ||
		    m->at.at_ns < u->hop.first->at.at_ns ||
			!endpoint_equal(&m->dst, &u->hop.src) || m->by == u->hop.first->by)
			continue;
		if (m->transaction != u->transaction ? !m->transaction->request : m->to_tag &&
		    u->hop.first->to_tag && !phrase_equal(m->to_tag, u->hop.first->to_tag))
			return m;
	}
	return NULL;
}

/* The answer came to a host that had handed the INVITE on, and was not handed back: both hops are here. */
static bool relay_is_silent(const struct unacked *u, const struct answer_hop *hops, unsigned count)
{
	bool entered = false;

	for (unsigned i = 0; i < count; i++) {
		if (address_equal(&hops[i].src.addr, &u->hop.dst.addr) &&
		    ns_minus(hops[i].first->at.at_ns, u->hop.first->at.at_ns) <= RELAY_NS)
			return false;
	}
	CHAIN_EACH(it, &u->transaction->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_transaction);

		entered |= m->request && m->method == SIP_INVITE && u->hop.invite &&
			address_equal(&m->dst.addr, &u->hop.dst.addr) &&
			m->via_count < u->hop.invite->via_count;
	}
	return entered;
}

static bool misses_caller(const struct unacked *u, enum confidence *ret)
{
	const struct answer_hop *h = &u->hop;

	*ret = CONFIDENCE_LIKELY;
	if (h->invites_after >= INVITES_AFTER || h->first->fragments > 1)
		return true;
	*ret = CONFIDENCE_CERTAIN;
	return h->invite && !endpoint_equal(&h->invite->src, &h->dst);
}

/* Seen where the caller sits: it sends other things, and no ACK. */
static bool caller_is_near(const struct facts *facts, const struct unacked *u)
{
	const struct pair *p = network_pair_find(facts->network, &u->hop.dst.addr, &u->hop.src.addr);

	return u->hop.first->via_count == 1 && network_near(facts->network, &u->hop.dst.addr, &u->hop.src.addr) && p &&
	       p->last_ns > u->hop.first->at.at_ns;
}

/*
 * Who waits for an ACK repeats its answer for 64 T1 and then hangs up (RFC 3261 13.3.1.4). This one stopped long before
 * and stayed in the call: the ACK came, the capture has missed it.
 */
static bool was_satisfied(const struct facts *facts, const struct unacked *u)
{
	const struct answer_hop *h = &u->hop;
	int64_t first_ns = h->first->at.at_ns,
		limit_ns = h->second ? 64 * ns_minus(h->second->at.at_ns, first_ns) : ANSWER_NS,
		over_ns = u->leg->bye_ns != NS_NONE ? u->leg->bye_ns : facts->capture->last_ns,
		alive_ns = u->leg->alive_ns > u->leg->last_ns ? u->leg->alive_ns : u->leg->last_ns;

	limit_ns = limit_ns > ANSWER_NS ? ANSWER_NS : limit_ns;
	if (answer_satisfied(h, alive_ns < over_ns ? alive_ns : over_ns))
		return true;
	return ns_minus(h->last->at.at_ns, first_ns) < limit_ns / 4 && ns_minus(over_ns, first_ns) > limit_ns + RELAY_NS &&
	       u->leg->alive_ns > ns_add(first_ns, limit_ns);
}

/* Seen outside, or inside with a Request-URI that kept its public address on the way in: no ALG mends the answer. */
static bool seen_as_sent(const struct unacked *u)
{
	struct address asked;

	if (!address_private(&u->hop.src.addr))
		return true;
	return u->hop.invite && u->hop.invite->headers && uri_address(u->hop.invite->headers->uri, &asked) &&
	       address_reach(&asked) > 0 && !address_equal(&asked, &u->hop.dst.addr);
}

/* Told to a public caller, with no proxy between: its ACK goes to a private address, and never gets here. */
static bool misleads_caller(const struct unacked *u)
{
	const struct address contact = message_contact(u->hop.first).addr;
	const struct headers *ok = u->hop.first->headers;

	return address_private(&contact) && address_reach(&u->hop.dst.addr) > 0 && u->hop.first->via_count == 1 &&
	       !(ok && ok->more->recorded_last.n) && seen_as_sent(u);
}

/*
 * The ACK goes to the Contact (RFC 3261 13.2.2.4): a capture of what passes between these two hosts need not have it.
 */
static bool goes_unseen(const struct facts *facts, const struct unacked *u)
{
	const struct address contact = message_contact(u->hop.first).addr;
	const struct headers *ok = u->hop.first->headers;
	const struct pair *p;

	if (!address_known(&contact) || address_equal(&contact, &u->hop.src.addr) || (ok && ok->more->recorded_last.n))
		return false;
	p = network_pair_find(facts->network, &u->hop.dst.addr, &contact);
	return !p || !p->packets;
}

/* A browser's: nobody but the proxy that holds its connection can send there, and that is not in the way (RFC 7118 5). */
static bool names_nobody(const struct unacked *u)
{
	const struct headers *ok = u->hop.first->headers;
	struct span contact = u->hop.first->contact ? phrase_span(u->hop.first->contact->uri) : SPAN_NONE;
	struct sip_address a;

	return contact.n && !(ok && ok->more->recorded_last.n) && sip_address_parse(contact, &a) && a.host.n > 8 &&
	       span_equal_nocase(span_from(a.host, a.host.n - 8), SPAN(".invalid"));
}

static void judge_absence(struct detection *d, struct unacked *u, const struct answer_hop *hops, unsigned count)
{
	const struct facts *facts = detection_facts(d);
	const struct answer_hop *h = &u->hop;
	struct silence s = { .src = h->src, .dst = h->dst, .first_ns = h->first->at.at_ns, .last_ns = h->last->at.at_ns,
		.copies = h->copies };
	const char *gate = silence_gate(facts, &s, detection_key(d, "tail-s"), &u->witness);
	enum confidence c;

	if (gate) {
		detection_pass(d, gate, "%s", silence_gate_text(gate));
		if (strcmp(gate, "end") != 0)
			detection_withhold(d, u->leg, gate, "%s", silence_gate_text(gate));
	} else if (was_satisfied(facts, u)) {
		detection_withhold(d, u->leg, "G7", "the answer was not repeated for long: its ACK came, and is not in the capture");
	} else if ((!h->first->contact && !h->first->cut) || names_nobody(u)) {
		give(u, "contact-missing", CONFIDENCE_CERTAIN);
	} else if (relay_is_silent(u, hops, count)) {
		give(u, "proxy-did-not-relay", CONFIDENCE_CERTAIN);
	} else if (misses_caller(u, &c)) {
		give(u, "200-not-reaching-caller", c);
	} else if (caller_is_near(facts, u) && u->witness == WITNESS_PEER && !goes_unseen(facts, u)) {
		give(u, "never-sent", CONFIDENCE_LIKELY);
	} else if (misleads_caller(u)) {
		u->misled = true;
		give(u, "unlocated", CONFIDENCE_LIKELY);
	} else {
		give(u, "unlocated", CONFIDENCE_POSSIBLE);
	}
}

/* ---- one transaction ---- */

/* Its sender's own fault. That it goes astray may be the fault of what stands in the way: only where nothing came right. */
static bool goes_wrong(struct unacked *u)
{
	u->flaw = u->ack ? ack_flaw_of(u->hop.first, u->ack) : ACK_FLAW_NONE;
	if (u->flaw == ACK_ASTRAY && u->hop.ack)
		u->flaw = ACK_FLAW_NONE;
	return u->flaw != ACK_FLAW_NONE;
}

static bool is_second_answer(const struct unacked *u)
{
	const struct dialog *dialog = u->hop.first->dialog;

	return dialog && dialog->extra_confirmed && !u->ack;
}

/* Another hop of the same answer had its ACK: it came into the relay and did not come out of it. */
static const struct message *ack_further_on(const struct unacked *u, const struct answer_hop *hops, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (hops[i].ack && phrase_equal(hops[i].first->to_tag, u->hop.first->to_tag))
			return hops[i].ack;
	}
	return NULL;
}

static void judge_success(struct detection *d, struct unacked *u, const struct answer_hop *hops, unsigned count)
{
	const struct facts *facts = detection_facts(d);
	const struct message *elsewhere = answer_ack_elsewhere(u->transaction, hops, count), *other;

	u->severity = SEVERITY_ERROR;
	u->ack = u->hop.ack;
	if (!u->ack)
		u->ack = elsewhere ? elsewhere : ack_further_on(u, hops, count);
	if (is_second_answer(u)) {
		give(u, "fork-second-200", CONFIDENCE_LIKELY);
		u->severity = SEVERITY_WARNING;
	} else if (goes_wrong(u)) {
		give(u, u->flaw == ACK_TRANSPORT || u->flaw == ACK_ASTRAY ? "ack-to-wrong-address" : "route-ignored",
			CONFIDENCE_CERTAIN);
	} else if (u->ack && !u->hop.first->contact && !u->hop.first->cut) {
		give(u, "contact-missing", CONFIDENCE_CERTAIN);
	} else if (!u->hop.ack && elsewhere) {
		judge_elsewhere(facts, u);
	} else if (u->ack) {
		give(u, "ack-lost", u->hop.ack ? CONFIDENCE_LIKELY : CONFIDENCE_CERTAIN);
	} else if ((other = mismatched_ack(u))) {
		u->ack = other;
		give(u, "ack-mismatched", CONFIDENCE_CERTAIN);
	} else {
		judge_absence(d, u, hops, count);
	}
}

/* A stranger without credentials seldom acknowledges its refusal. */
static bool refuses_stranger(const struct facts *facts, const struct answer_hop *h)
{
	return site_stranger(facts->site, &h->dst.addr, &h->src.addr) &&
	       !(h->invite && h->invite->headers && h->invite->headers->credentials);
}

static void judge_refusal(struct detection *d, struct unacked *u)
{
	const struct facts *facts = detection_facts(d);
	const struct answer_hop *h = &u->hop;
	struct silence s = { .src = h->src, .dst = h->dst, .first_ns = h->first->at.at_ns, .last_ns = h->last->at.at_ns,
		.copies = h->copies };

	if (h->invites_after + 1 >= h->copies || refuses_stranger(facts, h) ||
	    silence_gate(facts, &s, detection_key(d, "tail-s"), &u->witness))
		return;              /* each copy answers a copy, or the ACK would not be seen */
	u->ack = h->ack;
	u->severity = SEVERITY_WARNING;
	give(u, "nonok-ack-missing", CONFIDENCE_LIKELY);
}

static void judge_transaction(struct detection *d, const struct transaction *t, struct unacked *worst)
{
	int64_t grace_ns = (int64_t)(detection_key(d, "grace-s") * 1e9);
	struct answer_hop hops[ANSWER_HOP_MAX];

	for (unsigned success = 0; success < 2; success++) {
		unsigned copies = success ? (unsigned)detection_key(d, "copies") : REFUSAL_COPIES,
			count = t->finals < copies ? 0 : answer_hops(t, success, grace_ns, hops);

		for (unsigned i = 0; i < count; i++) {
			struct unacked u = { .leg = t->leg, .transaction = t, .hop = hops[i] };

			if ((i > 0 && phrase_equal(hops[i].first->to_tag, hops[i - 1].first->to_tag)) ||
			    !answer_unacknowledged(&hops[i], copies))
				continue;
			if (success)
				judge_success(d, &u, hops, count);
			else
				judge_refusal(d, &u);
			if (u.reason && (!worst->reason || u.severity > worst->severity))
				*worst = u;
		}
	}
}

/* ---- what is said ---- */

static const struct wording { const char *reason, *because, *fix; } wordings[] = {
	{ "ack-to-wrong-address", "the ACK went to %s, which cannot be reached from there",
	  "Make the answering side put its reachable address into Contact (NAT setting, external address, SIP ALG off), or have the proxy record-route and mend the contact" },
	{ "route-ignored", "the ACK does not take the route that the 200 recorded",
	  "Update the caller's software: it must send the ACK through the proxies of Record-Route" },
	{ "contact-missing", "the 200 names no Contact to send the ACK to",
	  "Update the software of the answering side, or look for what removes its Contact; a proxy for WebSocket clients has to put itself into Record-Route" },
	{ "stale-alias", "the ACK went to %s, which the phone has left",
	  "Have the proxy follow the phone to its new port; switch keep-alive on so that the port stays" },
	{ "ack-mismatched", "an ACK came, for another request or dialog",
	  "Update the caller's software; look for an ALG that rewrites tags or CSeq" },
	{ "ack-lost", "the ACK was sent rightly and passed here, and still the 200 goes on",
	  "Capture at the answering side: the ACK is lost or dropped before it" },
	{ "200-not-reaching-caller", "the 200 does not reach the caller",
	  "Capture at the caller: answers are lost on the way to it, or sent to the wrong port" },
	{ "proxy-did-not-relay", "the 200 came to the proxy and was not handed on", "Look at the log of the proxy" },
	{ "never-sent", "the caller got the 200 and sent no ACK", "Update the caller's software; look at its log" },
	{ "fork-second-200", "a second phone answered the same call, and its 200 was never acknowledged",
	  "Update the caller's software: it must ACK and end a second answer" },
	{ "nonok-ack-missing", "a refusal is repeated, as no ACK ends it", "Look for what drops the ACK on the way" },
	{ "unlocated", "no ACK was seen", "Capture at the caller, and outside of the own firewall: see whether the 200 arrives, where the ACK goes, and what drops it" },
};

static const struct wording *wording_of(const char *reason)
{
	unsigned i = 0;

	while (i + 1 < sizeof wordings / sizeof wordings[0] && strcmp(wordings[i].reason, reason) != 0)
		i++;
	return &wordings[i];
}

static bool blames_answerer(const char *reason)
{
	return strcmp(reason, "ack-to-wrong-address") == 0 || strcmp(reason, "contact-missing") == 0;
}

static bool blames_caller(const char *reason)
{
	return strcmp(reason, "route-ignored") == 0 || strcmp(reason, "never-sent") == 0 ||
	       strcmp(reason, "ack-mismatched") == 0 ||
		strcmp(reason, "fork-second-200") == 0;
}

static void add_parts(struct finding *f, const struct unacked *u)
{
	const struct endpoint *caller = u->ack && u->ack->via_count == 1 ? &u->ack->src : &u->hop.dst;

	finding_leg(f, u->leg);
	finding_part(f, PART_VICTIM, &u->hop.src);
	if (blames_answerer(u->reason) && u->flaw == ACK_FLAW_NONE)
		finding_part(f, PART_CULPRIT, &u->hop.src);
	else if (strcmp(u->reason, "proxy-did-not-relay") == 0)
		finding_part(f, PART_CULPRIT, &u->hop.dst);
	else
		finding_part(f, blames_caller(u->reason) || u->flaw != ACK_FLAW_NONE ? PART_CULPRIT : PART_WITNESS, caller);
}

static void say_because(const struct unacked *u, char *text, size_t room)
{
	const char *because = wording_of(u->reason)->because, *hole = strstr(because, "%s");
	const struct endpoint contact = message_contact(u->hop.first);
	char at[ENDPOINT_TEXT];

	if (u->flaw != ACK_FLAW_NONE) {
		ack_flaw_say(u->flaw, u->hop.first, u->ack, text, room);
		return;
	}
	if (strcmp(u->reason, "contact-missing") == 0 && u->hop.first->contact) {
		snprintf(text, room,
			"its Contact is a name that nobody can find (.invalid, of a WebSocket client), and no Record-Route names the way to it");
		return;
	}
	if (u->other_port) {
		snprintf(text, room, "the ACK went to port %u, which its Contact names, and has no effect there: the INVITE came through to port %u, where the answer comes from",
			contact.port, u->hop.src.port);
		return;
	}
	if (u->misled)
		snprintf(text, room,
			"no ACK comes, and the Contact of the 200 asks for it at %s, a private address that the caller cannot reach",
			endpoint_text(&contact, at));
	else if (!hole)
		snprintf(text, room, "%s", because);
	else
		snprintf(text, room, "%.*s%s%s%s%s", (int)(hole - because), because, endpoint_text(&u->ack->dst, at),
			u->header ? " (from " : "",
			 u->header ? u->header : "", u->header ? " of the 200)" : "");
	if (hole)
		snprintf(text + strlen(text), room - strlen(text), "%s", hole + 2);
}

static void tell(struct detection *d, const struct unacked *u)
{
	const struct facts *facts = detection_facts(d);
	const struct answer_hop *h = &u->hop;
	struct finding *f = detection_raise(d, u->reason, u->severity, u->confidence);
	char answerer[SAY_TEXT], act[SAY_TEXT + 60], because[360], to[ENDPOINT_TEXT];

	add_parts(f, u);
	finding_times(f, h->first->at.at_ns, h->last->at.at_ns);
	f->count = h->copies;
	say_host(facts, &h->src.addr, answerer);
	say_because(u, because, sizeof because);
	snprintf(act, sizeof act, "%s repeats its answer %u times", answerer, h->copies - 1);
	say_title(f, act, "the ACK does not arrive");
	finding_cause(f, "%s sent its %u %u times over %.1f s to %s: %s.", answerer, h->first->status, h->copies,
		      (double)ns_minus(h->last->at.at_ns, h->first->at.at_ns) / 1e9, endpoint_text(&h->dst, to),
		      because);
	finding_fix(f, "%s.", u->flaw == ACK_TRANSPORT
		? "Update the caller's software: it must send the ACK over the transport that the 200 names, best over the connection it came by" :
		u->flaw == ACK_ASKS_PROXY ? "Update who sends the ACK so: its Request-URI is the Contact of the 200, the proxies stand in Route" :
		u->other_port ? "Forward one port to the same one inside, or have the answering side name the port outside in its Contact (external port); with two numbers for one port all that goes to the Contact is lost: ACK, BYE, re-INVITE" :
		u->flaw == ACK_ORDER || u->flaw == ACK_ASTRAY ? "Update the caller's software: it must send the ACK along Record-Route of the 200, the last one first, else to its Contact" :
		wording_of(u->misled ? "ack-to-wrong-address" : u->reason)->fix);
	finding_evidence(f, h->first->at, "%u, the first of %u", h->first->status, h->copies);
	if (u->ack)
		finding_evidence(f, u->ack->at, "ACK");
	finding_evidence(f, h->last->at, "%u, the last of %u", h->first->status, h->copies);
	if (!u->hop.ack)
		finding_cannot_see(f, "whether an ACK took a path outside this capture; capture at %s to decide",
			u->misled ? "the caller" : answerer);
}

static void on_event(struct detection *d, const struct event *ev)
{
	struct unacked worst = { 0 };

	LIST_EACH(it, &ev->leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);

		if (t->method == SIP_INVITE && t->final)
			judge_transaction(d, t, &worst);
	}
	if (worst.reason)
		tell(d, &worst);
	else
		detection_pass(d, NULL, "no answer was repeated for want of an ACK");
}

const struct detector detect_ack_missing = {
	.id = "ack-missing", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_CALL),
	.scope = PER_CALL, .usual = SEVERITY_ERROR, .possible_max = SEVERITY_WARNING,
};
