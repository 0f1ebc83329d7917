/* SPDX-License-Identifier: MIT */
/*
 * contact-flap: the binding of one AOR goes to and fro: two devices take it from each other, or one cannot keep its
 * address. Finding 3.11.
 */
#include <stdio.h>
#include <string.h>

#include "analyzer/calls/account.h"
#include "analyzer/detect/say.h"
#include "analyzer/network/vlan_use.h"

static const char *const reasons[] = { "two-devices", "self-correct", "port-changes", "dual-wan", "address-changes",
	NULL };

static const struct detector_doc doc = {
	.says = "registrations fight, or a public port changes each time",
	.symptom = "\"Sometimes the other phone rings, or none\".",
	.evidence = "The registrar accepts one binding after the other for an AOR within minutes, and returns to earlier ones or never stays.",
	.mimics = "Several devices whose Contacts the registrar lists together, flows of RFC 5626, connections of TCP and WebSocket, challenges, one move.",
	.fix = "An account a device; a keepalive; SIP over one WAN line; either an ALG or a phone that corrects its Contact.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "min", 4, "changes", 2, 40, "field: a move and its way back are two" },
	{ "window-s", 900, "s", 60, 86400, "field" },
	{ 0 },
};

#define SELF_CORRECT_NS MINUTE_NS    /* between two corrections */

enum { RETURNS_LEAST = 2, FAILED_CALLS_ERROR = 3, EVIDENCE_CHANGES = 6 };

struct flap {                        /* the changes [from, to] of an account, within one window of time */
	const struct account *account;
	const struct vlan_uses *vlans;
	unsigned from, to;
	unsigned moves;              /* accepted bindings other than the one before */
	unsigned takeovers, returns; /* by another device; of those, by one that had it before */
	/* of one device: only its source port, its address, its Contact alone changed */
	unsigned ports, addresses, contacts;
	unsigned address_returns;
	unsigned listed_all;         /* takeovers whose answer lists several Contacts: the registrar keeps both */
	/* un-REGISTERs; contact changes so close together that nothing but the device itself causes them */
	unsigned quick;
	const struct device *device[2];
};

/* ---- what happened ---- */

static const struct device *device_of(const struct account *x, unsigned n)
{
	LIST_EACH(it, &x->devices) {
		const struct device *d = LIST_ENTRY(it, struct device, in_account);

		if (d->n == n)
			return d;
	}
	return NULL;
}

static const struct binding_change *bound_before(const struct account *x, unsigned at)
{
	const struct binding_change *b = account_change_before(x, at);

	while (b && b->removed)
		b = account_change_before(x, (unsigned)(b - x->changes));
	return b;
}

static bool had_before(const struct flap *f, unsigned before, const struct binding_change *c, bool address)
{
	for (unsigned i = f->from; i < before; i++) {
		const struct binding_change *b = &f->account->changes[i];

		if (!b->removed && b->device == c->device &&
		    (!address || address_equal(&b->source.addr, &c->source.addr)))
			return true;
	}
	return false;
}

static void count_takeover(struct flap *f, unsigned at, const struct binding_change *c, const struct binding_change *b)
{
	f->takeovers++;
	f->listed_all += c->listed > 1;
	if (!had_before(f, at, c, false))
		return;
	f->returns++;
	f->device[0] = device_of(f->account, b->device);
	f->device[1] = device_of(f->account, c->device);
}

static void count_own(struct flap *f, unsigned at, const struct binding_change *c, const struct binding_change *b)
{
	if (!address_equal(&c->source.addr, &b->source.addr)) {
		f->addresses++;
		f->address_returns += had_before(f, at, c, true);
	} else if (c->source.port != b->source.port) {
		f->ports += c->call_id == b->call_id; /* else it has restarted */
	} else if (!endpoint_equal(&c->contact, &b->contact)) {
		f->contacts++;
		f->quick += ns_minus(c->at_ns, b->at_ns) < SELF_CORRECT_NS;
	}
}

/* Two networks with the same addresses, a VLAN each: two registrars, and two accounts of one name. */
static bool at_other_registrar(const struct flap *f, const struct binding_change *c, const struct binding_change *b)
{
	return c->vlan && b->vlan && c->vlan != b->vlan &&
	       vlan_uses_two_hosts(f->vlans, &c->server.addr, c->vlan, b->vlan);
}

static void count_change(struct flap *f, unsigned at)
{
	const struct binding_change *c = &f->account->changes[at], *b = bound_before(f->account, at);

	if (c->removed || !b || at_other_registrar(f, c, b))
		return;
	if (b->device == c->device) {
		unsigned before = f->ports + f->addresses + f->contacts;

		count_own(f, at, c, b);
		f->moves += f->ports + f->addresses + f->contacts - before;
	} else {
		count_takeover(f, at, c, b);
		f->moves++;
	}
}

/* The stretch that begins with this change and is no longer than the window. */
static struct flap flap_from(const struct account *x, const struct vlan_uses *vlans, unsigned from, int64_t window_ns)
{
	struct flap f = { .account = x, .vlans = vlans, .from = from, .to = from };

	for (unsigned i = from + 1; i < x->change_count &&
	    ns_minus(x->changes[i].at_ns, x->changes[from].at_ns) <= window_ns; i++) {
		f.to = i;
		count_change(&f, i);
	}
	return f;
}

static struct flap worst_flap(const struct account *x, const struct vlan_uses *vlans, int64_t window_ns)
{
	struct flap worst = { .account = x };

	for (unsigned i = 0; i + 1 < x->change_count; i++) {
		struct flap f = flap_from(x, vlans, i, window_ns);

		if (f.moves > worst.moves)
			worst = f;
		if (f.to + 1 == x->change_count)
			break;           /* what begins later holds no more */
	}
	return worst;
}

/* ---- what it means ---- */

static bool flows_on_purpose(const struct account *x)
{
	LIST_EACH(it, &x->devices) {
		if (LIST_ENTRY(it, struct device, in_account)->outbound)
			return true;
	}
	return false;
}

static const char *reason_of(const struct flap *f, unsigned least)
{
	if (f->takeovers >= least && f->returns >= RETURNS_LEAST && f->listed_all == 0)
		return "two-devices";
	if (f->contacts >= least && f->quick * 2 >= f->contacts)
		return "self-correct";
	if (f->ports + f->contacts >= least && f->ports > f->addresses)
		return "port-changes";
	if (f->addresses >= least && f->address_returns >= RETURNS_LEAST)
		return "dual-wan";
	return f->addresses >= least ? "address-changes" : NULL;
}

static bool is_reason(const char *reason, const char *name)
{
	return strcmp(reason, name) == 0;
}

/* Calls that could not arrive: to a socket that had been left, or that nobody answered at. */
static unsigned lost_calls(const struct account *x)
{
	unsigned lost = x->stale;

	LIST_EACH(it, &x->devices)
		lost += LIST_ENTRY(it, struct device, in_account)->tally.unanswered_invites;
	return lost;
}

/*
 * Two devices are two beyond doubt by what was made to tell them apart, or by the sockets that they have of their own.
 */
static bool proven(const struct flap *f, const char *reason)
{
	const struct device *a = f->device[0], *b = f->device[1];

	if (!is_reason(reason, "two-devices"))
		return true;
	if (!a || !b)
		return false;
	return (a->has_instance && b->has_instance) ||
	       (address_known(&a->inner.addr) && address_known(&b->inner.addr) &&
	       !endpoint_equal(&a->inner, &b->inner));
}

/* ---- words ---- */

static const char *device_text(const struct device *d, char buffer[SAY_TEXT])
{
	char at[ENDPOINT_TEXT];

	endpoint_text(address_known(&d->inner.addr) ? &d->inner : &d->source, at);
	snprintf(buffer, SAY_TEXT, "%s%s%s%s", d->user_agent, d->user_agent[0] ? " (" : "", at,
		d->user_agent[0] ? ")" : "");
	return buffer;
}

static const char *how(const char *reason)
{
	if (is_reason(reason, "two-devices"))
		return "two devices take it from each other";
	if (is_reason(reason, "self-correct"))
		return "the phone corrects its Contact again and again";
	if (is_reason(reason, "port-changes"))
		return "its public port is another one at each refresh";
	if (is_reason(reason, "dual-wan"))
		return "it comes by two WAN addresses in turn";
	return "its address changes";
}

static const char *remedy(const char *reason)
{
	if (is_reason(reason, "two-devices"))
		return "Give each device an account of its own, or let the registrar keep several Contacts per AOR and ring them all.";
	if (is_reason(reason, "self-correct"))
		return "Switch off one of the two: the router's SIP ALG, or the phone's rewriting of its Contact.";
	if (is_reason(reason, "port-changes"))
		return "Let the phone send a keepalive every 25 s (or the server a NAT ping), so that the router's mapping lives until the next refresh; "
		       "switch source port randomising of the router off for SIP.";
	if (is_reason(reason, "dual-wan"))
		return "Pin SIP and RTP of this site to one WAN line.";
	return "Find out why the device moves: mobile data, Wi-Fi roaming, a WAN line that reconnects.";
}

static void add_evidence(struct finding *f, const struct flap *x)
{
	unsigned told = 0;

	for (unsigned i = x->from; i <= x->to && told < EVIDENCE_CHANGES; i++) {
		const struct binding_change *c = &x->account->changes[i];
		char at[ENDPOINT_TEXT], contact[ENDPOINT_TEXT];

		endpoint_text(&c->source, at);
		endpoint_text(&c->contact, contact);
		if (c->removed)
			finding_evidence(f, c->at, "%s removes its binding", at);
		else
			finding_evidence(f, c->at, "registered from %s, Contact %s; the answer lists %u", at, contact,
				c->listed);
		told++;
	}
	if (x->account->stale)
		finding_evidence(f, x->account->stale_at, "an INVITE goes to a socket that is no longer registered");
	LIST_EACH(it, &x->account->devices) {
		const struct device *d = LIST_ENTRY(it, struct device, in_account);

		if (d->tally.unanswered_invites)
			finding_evidence(f, d->tally.unanswered_at, "a request to %s stays unanswered",
				d->account->user);
	}
}

static void say(struct finding *f, const struct flap *x, const char *reason)
{
	const struct account *a = x->account;
	char time[NS_TEXT], one[SAY_TEXT], other[SAY_TEXT];

	ns_duration(ns_minus(a->changes[x->to].at_ns, a->changes[x->from].at_ns), time);
	finding_title(f, "The registration of %s goes to and fro", a->user[0] ? a->user : a->aor);
	finding_cause(f, "%s changes its address %u times in %s: %s.", a->aor, x->moves, time, how(reason));
	if (is_reason(reason, "two-devices") && x->device[0] && x->device[1])
		text_addf(&f->cause, " They are %s and %s; the registrar keeps the last.",
			device_text(x->device[0], one), device_text(x->device[1], other));
	finding_fix(f, "%s", remedy(reason));
	finding_cannot_see(f, "whether other devices of %s register elsewhere", a->aor);
}

static void tell(struct detection *d, const struct flap *x, const char *reason)
{
	const struct account *a = x->account;
	unsigned lost = lost_calls(a);
	enum severity s = lost >= FAILED_CALLS_ERROR ? SEVERITY_ERROR : lost ||
		a->refused ? SEVERITY_WARNING : SEVERITY_INFO;
	struct finding *f = detection_raise_keyed(d, a->n, reason, s,
		proven(x, reason) ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);

	for (unsigned i = x->from; i <= x->to; i++)
		finding_part(f, is_reason(reason, "two-devices") ? PART_CULPRIT : PART_VICTIM,
			&(struct endpoint){ a->changes[i].source.addr, 0 });
	finding_part(f, PART_WITNESS, &(struct endpoint){ a->changes[x->from].server.addr, 0 });
	finding_times(f, a->changes[x->from].at_ns, a->changes[x->to].at_ns);
	f->count = x->moves;
	add_evidence(f, x);
	say(f, x, reason);
}

static void judge(struct detection *d, const struct account *a, unsigned least, int64_t window_ns)
{
	struct flap worst = worst_flap(a, network_vlans(detection_facts(d)->network), window_ns);
	const char *reason = worst.moves >= least ? reason_of(&worst, least) : NULL;

	if (flows_on_purpose(a)) {
		detection_pass(d, "flows", "%s registers several flows on purpose (RFC 5626)", a->aor);
		return;
	}
	if (!reason) {
		detection_pass(d, "changes",
			"%s: %u changes, %u by another device (%u of them back), %u with several Contacts kept", a->aor,
			worst.moves,
			       worst.takeovers, worst.returns, worst.listed_all);
		return;
	}
	tell(d, &worst, reason);
}

static void on_event(struct detection *d, const struct event *ev)
{
	unsigned least = (unsigned)detection_key(d, "min");
	int64_t window_ns = (int64_t)(detection_key(d, "window-s") * 1e9);

	(void)ev;
	LIST_EACH(it, accounts_in_order(detection_facts(d)->accounts)) {
		const struct account *a = LIST_ENTRY(it, struct account, in_order);

		if (a->change_count > least)
			judge(d, a, least, window_ns);
	}
}

const struct detector detect_contact_flap = {
	.id = "contact-flap", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = GLOBAL, .usual = SEVERITY_WARNING, .possible_max = SEVERITY_INFO,
};
