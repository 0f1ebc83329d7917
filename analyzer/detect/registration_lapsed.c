/* SPDX-License-Identifier: MIT */
/*
 * registration_lapsed: what was granted is over, the phone still speaks to its registrar from the socket that it had
 * registered, and nothing of its account was registered since. RFC 3261 10.2.4.
 */
#include "analyzer/detect/registration_lapsed.h"

#include "analyzer/calls/account.h"
#include "analyzer/detect/gates.h"
#include "analyzer/detect/say.h"
#include "analyzer/network/sip_binding.h"
#include "analyzer/network/source.h"

enum { TOLD_MAX = 24 };

static int64_t until_ns(const struct registration *r)
{
	return ns_add(r->registered_ns, (int64_t)r->expires_s * SECOND_NS);
}

/* Any device of the account, whatever its transport, that the registrar took since, or whose time is not known. */
static bool renewed_elsewhere(const struct facts *facts, const struct registration *r)
{
	const struct account *x = NULL;

	while ((x = accounts_of_user(facts->accounts, r->user, x)) != NULL) {
		LIST_EACH(it, &x->devices) {
			const struct device *o = LIST_ENTRY(it, struct device, in_account);

			if (o->last_ns > ns_add(r->registered_ns, SECOND_NS))
				return true;
		}
	}
	return r->last_ns > ns_add(r->registered_ns, SECOND_NS);
}

static const struct sip_binding *lapsed(const struct detection *d, const struct registration *r)
{
	const struct facts *facts = detection_facts(d);
	const struct sip_binding *b = sip_bindings_find(facts->bindings, &r->source, &r->registrar);
	int64_t over_ns;

	if (!r->succeeded || r->state == REGISTRATION_REMOVED || r->expires_s == 0 || !b || b->pbx ||
	    r->registered_ns == NS_NONE || sources_attacker(facts->sources, &r->source.addr))
		return NULL;
	over_ns = ns_add(until_ns(r), (int64_t)(detection_key(d, "tail-s") * 1e9));
	if (b->last_out.at_ns < over_ns || renewed_elsewhere(facts, r) ||
	    gates_may_hide(facts->gates, r->registered_ns, over_ns))
		return NULL;
	return b;
}

static void tell(struct detection *d, const struct registration *r, const struct sip_binding *b)
{
	struct finding *f = detection_raise_keyed(d, (uint64_t)r->n << 32 | 1, "expired-unrefreshed", SEVERITY_ERROR,
		CONFIDENCE_LIKELY);
	char registrar[SAY_TEXT];

	say_host(detection_facts(d), &r->registrar.addr, registrar);
	finding_part(f, PART_VICTIM, &r->source);
	finding_part(f, PART_CULPRIT, &r->source);
	finding_part(f, PART_WITNESS, &r->registrar);
	finding_other_id(f, r->call_id);
	finding_times(f, until_ns(r), b->last_out.at_ns);
	f->since_ns = until_ns(r);
	f->count = 1;
	finding_title(f, "%s lets its registration run out: nobody can call it", b->user);
	finding_cause(f, "%s granted %s %u s; they are over, no REGISTER followed, and the phone still speaks to it from the same port.",
		      registrar, b->user, r->expires_s);
	finding_fix(f, "Let the phone renew its registration before half of %u s are over: its own interval may be longer than what %s grants. Update its firmware, or restart it.",
		    r->expires_s, registrar);
	finding_evidence(f, r->final_at, "granted for %u s", r->expires_s);
	finding_evidence(f, b->last_out, "the phone speaks, %.0f s after that time",
			 (double)ns_minus(b->last_out.at_ns, until_ns(r)) / 1e9);
}

unsigned registration_lapsed(struct detection *d)
{
	unsigned told = 0;

	LIST_EACH(it, calls_registrations(detection_facts(d)->calls)) {
		const struct registration *r = LIST_ENTRY(it, struct registration, in_order);
		const struct sip_binding *b = told < TOLD_MAX ? lapsed(d, r) : NULL;

		if (!b)
			continue;
		tell(d, r, b);
		told++;
	}
	return told;
}
