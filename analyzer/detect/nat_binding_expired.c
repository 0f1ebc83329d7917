/* SPDX-License-Identifier: MIT */
/*
 * nat-binding-expired: the router forgot the phone while it was silent, and a call to it went nowhere. RFC 4787 4.3,
 * RFC 5626 3.5.
 */
#include <stdio.h>

#include "analyzer/detect/nat_binding.h"
#include "captures/base/memory.h"

static const char *const reasons[] = { "port-changed", "silence-longer-than-timer", "icmp", "nat-restart",
	"server-side", "media-idle", NULL };

static const struct detector_doc doc = {
	.says = "the router forgot the phone",
	.symptom = "After some minutes nobody can call us until we dial out once; lamps stop; a hang-up does not arrive.",
	.evidence = "A request to a mapping that was silent, sent again without any answer or refused by the router, and the phone alive soon after: often "
		    "from another port.",
	.mimics = "A phone that was off or started anew, a call sent to another address than the phone last spoke from, an expired registration, a "
		  "firewall that lets no call in at all, do not disturb.",
	.fix = "A keepalive from the phone or a NAT ping from the server well below the router's timer; or a longer UDP timer on the router.",
	.reasons = reasons,
};

enum { CALLS_CRITICAL = 3, RESTARTED_MIN = 3 };

#define RESTART_NS (120 * SECOND_NS)

/* ---- shared ---- */

static bool harms(uint8_t method)
{
	switch ((enum sip_method)method) {
	case SIP_INVITE: case SIP_BYE: case SIP_UPDATE: case SIP_NOTIFY: case SIP_REFER: case SIP_INFO: case SIP_MESSAGE: case SIP_PRACK:
	case SIP_CANCEL: case SIP_SUBSCRIBE:
		return true;
	case SIP_METHOD_NONE: case SIP_ACK: case SIP_REGISTER: case SIP_OPTIONS: case SIP_PUBLISH: case SIP_METHOD_OTHER:
		break;
	}
	return false;
}

/* Behind the NAT the same phone was captured too: did the request get there, while that side went on being captured? */
static const struct sip_binding *behind(const struct facts *facts, const struct sip_binding *b,
	const struct binding_death *death)
{
	const struct sip_binding *inner = sip_bindings_find(facts->bindings, &b->inner, &b->server);

	if (!inner || inner == b || inner->first.at_ns > death->probe.first.at_ns ||
	    inner->last_out.at_ns < death->probe.last.at_ns)
		return NULL;
	return inner;
}

bool nat_binding_expired(const struct detection *d, const struct sip_binding *b, const struct binding_death *death,
	bool *ret_two_points)
{
	const struct binding_probe *p = &death->probe;
	const struct sip_binding *inner = behind(detection_facts(d), b, death);
	double min_silence_s = detection_config(d, "nat", "min-silence-s");

	*ret_two_points = false;
	if (!b->translated || !harms(p->method) || b->registered_until_ns == NS_NONE ||
	    p->first.at_ns > b->registered_until_ns)
		return false;
	if ((double)p->silence_ns < min_silence_s * 1e9 && !(p->icmp_at.frame && death->port_changed))
		return false;
	if (b->unanswered_early || (inner && sip_binding_saw(inner, p->key)))
		return false;
	*ret_two_points = inner != NULL;
	return true;
}

const char *nat_binding_bracket_text(const struct binding_nat *n, char buffer[SAY_TEXT])
{
	if (n->alive_ns >= SECOND_NS)
		snprintf(buffer, SAY_TEXT, "between %.0f and %.0f s", (double)n->alive_ns / 1e9,
			(double)n->dead_ns / 1e9);
	else
		snprintf(buffer, SAY_TEXT, "before %.0f s", (double)n->dead_ns / 1e9);
	return buffer;
}

unsigned nat_binding_keepalive_s(const struct binding_nat *n)
{
	int64_t half_s = n->alive_ns / (2 * SECOND_NS);

	if (binding_nat_bracket(n) && !n->alive_ns)
		half_s = n->dead_ns / (4 * SECOND_NS);
	return half_s <= 0 ? 25 : half_s < 5 ? 5 : half_s > 30 ? 30 : (unsigned)half_s;
}

/* ---- judging ---- */

struct loss {                        /* what one NAT or one binding has lost */
	const struct sip_binding *binding;
	const struct binding_death *worst;   /* the first that is most certain */
	const struct binding_death *all[FINDING_EVIDENCE_MAX];
	unsigned count, calls;
	bool two_points, port_changed, icmp, only_notify;
};

static void loss_add(struct loss *l, const struct sip_binding *b, const struct binding_death *death, bool two_points)
{
	if (!l->worst || (two_points && !l->two_points) ||
	    (death->port_changed && !l->port_changed && !l->two_points)) {
		l->binding = b;
		l->worst = death;
	}
	if (!l->count)
		l->only_notify = true;
	if (l->count < FINDING_EVIDENCE_MAX)
		l->all[l->count] = death;
	l->count++;
	l->calls += death->probe.method == SIP_INVITE && !death->probe.in_dialog;
	l->only_notify &= death->probe.method == SIP_NOTIFY;
	l->two_points |= two_points;
	l->port_changed |= death->port_changed;
	l->icmp |= death->probe.icmp_at.frame != 0;
}

/* Another mapping of the same router had died after a shorter silence, or this one had before. */
static bool beyond_known(const struct loss *l)
{
	const struct binding_nat *n = l->binding->nat;

	return binding_nat_bracket(n) && n->deaths >= 2 && l->worst->probe.silence_ns >= n->dead_ns;
}

static enum confidence confidence_of(const struct loss *l)
{
	if (l->two_points || (l->icmp && l->port_changed))
		return CONFIDENCE_CERTAIN;
	return l->port_changed || l->icmp || beyond_known(l) ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE;
}

static bool restarted(const struct loss *l)
{
	return l->worst->port_changed && binding_nat_changes(l->binding->nat, l->worst->alive_at.at_ns,
	       RESTART_NS) >= RESTARTED_MIN;
}

static const char *reason_of(const struct loss *l)
{
	if (restarted(l))
		return "nat-restart";
	if (l->binding->pbx)
		return "server-side";
	if (l->port_changed)
		return "port-changed";
	return l->icmp ? "icmp" : "silence-longer-than-timer";
}

static enum severity severity_of(const struct loss *l)
{
	if (l->only_notify)
		return SEVERITY_WARNING;
	return l->calls >= CALLS_CRITICAL ? SEVERITY_CRITICAL : SEVERITY_ERROR;
}

static void say_loss(struct finding *f, const struct facts *facts, const struct loss *l)
{
	const struct sip_binding *b = l->binding;
	const struct binding_probe *p = &l->worst->probe;
	char client[ENDPOINT_TEXT], now[ENDPOINT_TEXT], server[SAY_TEXT], bracket[SAY_TEXT], outer[ADDRESS_TEXT];
	unsigned keepalive_s = nat_binding_keepalive_s(b->nat);

	endpoint_text(&b->client, client);
	endpoint_text(&l->worst->now, now);
	say_host(facts, &b->server.addr, server);
	address_text(&b->client.addr, outer);
	if (strcmp(f->reason, "nat-restart") == 0) {
		finding_title(f, "The router %s lost all its mappings: calls to its phones fail", outer);
		finding_cause(f, "Within two minutes %u phones behind %s came back from other ports or addresses (first %s, now %s): it was restarted, or its "
			      "line changed. What was sent to the old ones is lost.",
			      binding_nat_changes(b->nat, l->worst->alive_at.at_ns, RESTART_NS), outer, client, now);
		finding_fix(f, "Look why the router or its line was restarted; let phones register at least every 300 s, and with a fixed external address "
			    "correct it on the PBX.");
		return;
	}
	finding_title(f, "The router %s forgot %s after %.0f s of silence", outer, b->user[0] ? b->user : "the phone",
		(double)p->silence_ns / 1e9);
	finding_cause(f, "%s was silent for %.1f s; then %s sent %s %u time%s to %s and got no answer%s. The phone was alive: %.1f s later it spoke from %s.",
		      b->user[0] ? b->user : client, (double)p->silence_ns / 1e9, server,
		      sip_method_name((enum sip_method)p->method), p->transmissions,
		      p->transmissions == 1 ? "" : "s", client, p->icmp_at.frame ? ", the router refused it" : "",
		      (double)(l->worst->alive_at.at_ns - p->first.at_ns) / 1e9, now);
	if (binding_nat_bracket(b->nat))
		finding_fix(f, "The mapping dies %s of silence: a keepalive every %u s from the phone (CRLF, OPTIONS, STUN) or a NAT ping from the server; or a "
			    "UDP timer of 300 s and more on %s.", nat_binding_bracket_text(b->nat, bracket),
			    	keepalive_s, outer);
	else
		finding_fix(f, "A keepalive every %u s from the phone (CRLF, OPTIONS, STUN) or a NAT ping from the server; or a UDP timer of 300 s and more "
			    "on %s.", keepalive_s, outer);
}

static void evidence_of_loss(struct finding *f, const struct loss *l)
{
	const struct binding_probe *p = &l->worst->probe;
	char now[ENDPOINT_TEXT];

	finding_evidence_run(f, p->first, p->last.frame, "%s to the mapping, %u time%s, no answer",
		sip_method_name((enum sip_method)p->method), p->transmissions, p->transmissions == 1 ? "" : "s");
	if (p->icmp_at.frame)
		finding_evidence(f, p->icmp_at, "ICMP: nothing is behind the port");
	finding_evidence(f, l->worst->alive_at, "the phone is alive, at %s", endpoint_text(&l->worst->now, now));
	if (l->binding->registered.frame)
		finding_evidence(f, l->binding->registered, "its registration, good for %u s", l->binding->expires_s);
}

struct leg_index { struct hash_link link; const struct leg *leg; uint64_t call; };

struct run {                         /* one judgement */
	struct detection *d;
	struct arena *arena;
	struct hash legs;
};

static void index_legs(struct run *r)
{
	LIST_EACH(it, calls_legs(detection_facts(r->d)->calls)) {
		struct leg_index *x = arena_zalloc(r->arena, sizeof *x);

		x->leg = LIST_ENTRY(it, struct leg, in_order);
		x->call = sip_binding_call(x->leg->call_id);
		hash_add(&r->legs, &x->link, (uint32_t)x->call);
	}
}

static void legs_of_loss(struct run *r, struct finding *f, const struct loss *l)
{
	if (!r->legs.count)
		index_legs(r);
	for (unsigned i = 0; i < l->count && i < FINDING_EVIDENCE_MAX; i++) {
		uint64_t call = l->all[i]->probe.call;

		for (struct hash_link *it = hash_first(&r->legs, (uint32_t)call); it; it = it->next) {
			if (HASH_ENTRY(it, struct leg_index, link)->call == call)
				finding_leg(f, HASH_ENTRY(it, struct leg_index, link)->leg);
		}
	}
}

static void tell(struct run *r, uint64_t key, const struct loss *l)
{
	const struct facts *facts = detection_facts(r->d);
	struct finding *f = detection_raise_keyed(r->d, key, reason_of(l), severity_of(l), confidence_of(l));
	struct endpoint router = { l->binding->client.addr, 0 };

	f->reason_confidence = f->confidence;
	finding_part(f, PART_VICTIM, &l->binding->client);
	finding_part(f, PART_CULPRIT, &router);
	finding_part(f, PART_WITNESS, &l->binding->server);
	legs_of_loss(r, f, l);
	finding_times(f, l->worst->probe.first.at_ns, l->worst->alive_at.at_ns);
	f->count = l->count;
	say_loss(f, facts, l);
	evidence_of_loss(f, l);
	if (f->confidence != CONFIDENCE_CERTAIN)
		finding_cannot_see(f,
			"the LAN side of the router %s; a capture there proves that the call did not come in",
			address_text(&router.addr,
				   (char[ADDRESS_TEXT]){ 0 }));
}

/* A restart hits all phones of a router at once: one finding. */
static void judge_nat(struct run *r, const struct binding_nat *n, const struct loss *l)
{
	tell(r, hash_bytes(&n->addr, sizeof n->addr), l);
}

struct nat_loss { struct hash_link link; struct list_link in_order; const struct binding_nat *nat; struct loss loss; };

static struct nat_loss *nat_loss_of(struct run *r, struct hash *table, struct list *order, const struct binding_nat *n)
{
	uint32_t hash = (uint32_t)hash_mix((uintptr_t)n, 0);
	struct nat_loss *x;

	for (struct hash_link *it = hash_first(table, hash); it; it = it->next) {
		x = HASH_ENTRY(it, struct nat_loss, link);
		if (x->nat == n)
			return x;
	}
	x = arena_zalloc(r->arena, sizeof *x);
	x->nat = n;
	hash_add(table, &x->link, hash);
	list_add_tail(order, &x->in_order);
	return x;
}

static void judge_binding(struct run *r, const struct sip_binding *b, struct hash *table, struct list *order)
{
	struct loss l = { 0 };
	bool two_points;

	for (unsigned i = 0; i < b->death_count; i++) {
		if (nat_binding_expired(r->d, b, &b->deaths[i], &two_points))
			loss_add(&l, b, &b->deaths[i], two_points);
	}
	if (!l.count)
		return;
	if (!restarted(&l)) {
		tell(r, (uintptr_t)b, &l);
		return;
	}
	for (unsigned i = 0; i < l.count && i < FINDING_EVIDENCE_MAX; i++)
		loss_add(&nat_loss_of(r, table, order, b->nat)->loss, b, l.all[i], l.two_points);
}

static void on_event(struct detection *d, const struct event *ev)
{
	struct run r = { d, arena_new(), { 0 } };
	struct hash restarts;
	struct list order;

	(void)ev;
	hash_init(&r.legs);
	hash_init(&restarts);
	list_init(&order);
	LIST_EACH(it, sip_bindings_in_order(detection_facts(d)->bindings))
		judge_binding(&r, LIST_ENTRY(it, struct sip_binding, in_order), &restarts, &order);
	LIST_EACH(it, &order)
		judge_nat(&r, LIST_ENTRY(it, struct nat_loss, in_order)->nat,
			&LIST_ENTRY(it, struct nat_loss, in_order)->loss);
	nat_media_idle(d);
	hash_fini(&restarts);
	hash_fini(&r.legs);
	arena_free(r.arena);
}

const struct detector detect_nat_binding_expired = {
	.id = "nat-binding-expired", .doc = &doc, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = PER_BINDING,
	.usual = SEVERITY_ERROR, .possible_max = SEVERITY_INFO,
};
