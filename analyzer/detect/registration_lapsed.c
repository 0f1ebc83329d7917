/* SPDX-License-Identifier: MIT */
/*
 * registration_lapsed: what was granted is over, the phone still speaks to its registrar from the socket that it had
 * registered, or a desk phone that has no other account speaks to anybody, and nothing of its account was registered
 * since. RFC 3261 10.2.4.
 */
#include "analyzer/detect/registration_lapsed.h"

#include "analyzer/calls/account.h"
#include "analyzer/calls/trial.h"
#include "analyzer/detect/gates.h"
#include "analyzer/detect/lookup.h"
#include "analyzer/detect/say.h"
#include "analyzer/detect/softphone.h"
#include "analyzer/network/sip_binding.h"
#include "analyzer/network/source.h"

enum { TOLD_MAX = 24 };

static int64_t until_ns(const struct registration *r)
{
	return ns_add(r->registered_ns, (int64_t)r->expires_s * SECOND_NS);
}

/* It asked to renew, was challenged, and has sent nothing of that kind since: when that was. NS_NONE: no. */
static int64_t stopped_ns(const struct detection *d, const struct registration *r)
{
	int64_t at_ns = r->trial ? r->trial->pending_ns : NS_NONE,
		tail_ns = (int64_t)(detection_key(d, "tail-s") * 1e9);

	if (at_ns == NS_NONE || r->trial->run.tries || r->trial->run.old_nonce || r->trial->run.malformed)
		return NS_NONE;      /* a refusal, told as such */
	return at_ns > r->registered_ns &&
	       ns_minus(detection_facts(d)->capture->last_ns, at_ns) >= tail_ns ? at_ns : NS_NONE;
}

static bool is_name(struct span host)
{
	struct address a;

	return !address_parse(host, &a);
}

/* The same name of another domain is another customer of the registrar; where it says an address, that may be the domain's. */
static bool same_account(const struct registration *r, const struct account *x, const struct device *o)
{
	struct span mine = r->aor, other = span_of(x->aor);

	if (address_equal(&o->source.addr, &r->source.addr) || span_equal_nocase(mine, other))
		return true;
	mine = span_from(mine, span_find(mine, '@') + 1);
	other = span_from(other, span_find(other, '@') + 1);
	return address_equal(&o->server.addr, &r->registrar.addr) && !(is_name(mine) && is_name(other));
}

/* Any device of the account, whatever its transport, that the registrar took since, or whose time is not known. */
static bool renewed_elsewhere(const struct detection *d, const struct registration *r)
{
	const struct facts *facts = detection_facts(d);
	int64_t stop_ns = stopped_ns(d, r), since_ns = ns_add(stop_ns != NS_NONE ? stop_ns : r->registered_ns, SECOND_NS);
	const struct account *x = NULL;

	while ((x = accounts_of_user(facts->accounts, r->user, x)) != NULL) {
		LIST_EACH(it, &x->devices) {
			const struct device *o = LIST_ENTRY(it, struct device, in_account);

			if (o->last_ns > since_ns && same_account(r, x, o))
				return true;
		}
	}
	return r->last_ns > since_ns;
}

/*
 * A desk phone of one account that is switched on: whatever it sends, to the time server, the switch. What it says inside
 * TLS since then may be a REGISTER. A program's
 * computer goes on when the program was closed, and behind a NAT others speak, too.
 */
static bool phone_lives(const struct facts *facts, const struct registration *r, bool translated, int64_t over_ns)
{
	const struct host *h = network_host_find(facts->network, &r->source.addr);

	return h && h->last_out_ns >= over_ns && h->user_agent.n && !softphone_agent(h->user_agent) && h->aors == 1 &&
	       !translated && !h->mac_shared && !say_serves(facts, &r->source.addr) &&
	       !lookup_speaks_tls(facts->lookup, &r->source.addr, r->registered_ns);
}

/* By UDP its binding tells more: whether it still speaks from that socket. *ret: NULL, it came by TCP. */
static bool lapsed(const struct detection *d, const struct registration *r, const struct sip_binding **ret)
{
	const struct facts *facts = detection_facts(d);
	const struct sip_binding *b = sip_bindings_find(facts->bindings, &r->source, &r->registrar);
	bool translated = b ? b->translated : !address_equal(&r->contact.addr, &r->source.addr);
	int64_t over_ns;

	*ret = b;
	if (!r->succeeded || r->state == REGISTRATION_REMOVED || r->expires_s == 0 || (b && b->pbx) ||
	    r->registered_ns == NS_NONE || sources_attacker(facts->sources, &r->source.addr))
		return false;
	over_ns = ns_add(until_ns(r), (int64_t)(detection_key(d, "tail-s") * 1e9));
	return ((b && b->last_out.at_ns >= over_ns) || phone_lives(facts, r, translated, over_ns)) &&
	       !renewed_elsewhere(d, r) && !gates_may_hide(facts->gates, r->registered_ns, over_ns);
}

static void tell(struct detection *d, const struct registration *r, const struct sip_binding *b)
{
	struct finding *f = detection_raise_keyed(d, (uint64_t)r->n << 32 | 1, "expired-unrefreshed", SEVERITY_ERROR,
		CONFIDENCE_LIKELY);
	const struct host *h = network_host_find(detection_facts(d)->network, &r->source.addr);
	bool stopped = stopped_ns(d, r) != NS_NONE, speaks = b && b->last_out.at_ns > until_ns(r);
	int64_t last_ns = speaks ? b->last_out.at_ns : h ? h->last_out_ns : until_ns(r);
	char registrar[SAY_TEXT], user[SAY_TEXT];

	text_escape(r->user, user, sizeof user);

	say_host(detection_facts(d), &r->registrar.addr, registrar);
	finding_part(f, PART_VICTIM, &r->source);
	finding_part(f, PART_CULPRIT, &r->source);
	finding_part(f, PART_WITNESS, &r->registrar);
	finding_other_id(f, r->call_id);
	finding_times(f, until_ns(r), last_ns);
	f->since_ns = until_ns(r);
	f->count = 1;
	finding_title(f, "%s lets its registration run out: nobody can call it", user);
	finding_cause(f, "%s granted %s %u s; they are over, %s, and the phone %s.",
		      registrar, user, r->expires_s, stopped ? "the phone asked to renew them, was challenged once more (401), and left it at that" : "no REGISTER followed", speaks ? "still speaks to it from the same port" : "is switched on: it goes on sending other packets");
	if (stopped)
		finding_fix(f, "Update the phone's firmware: a challenge with a new nonce is no refusal, also without stale=true; restart the phone. More phones heed a registrar that says stale=true (RFC 7616 3.3).");
	else
		finding_fix(f, "Let the phone renew its registration before half of %u s are over: its own interval may be longer than what %s grants. Update its firmware, or restart it.",
		    r->expires_s, registrar);
	finding_evidence(f, r->final_at, "granted for %u s", r->expires_s);
	if (speaks)
		finding_evidence(f, b->last_out, "the phone speaks, %.0f s after that time",
			(double)ns_minus(b->last_out.at_ns, until_ns(r)) / 1e9);
	else
		finding_cannot_see(f, "whether the account was taken off the phone on purpose");
}

unsigned registration_lapsed(struct detection *d)
{
	unsigned told = 0;

	LIST_EACH(it, calls_registrations(detection_facts(d)->calls)) {
		const struct registration *r = LIST_ENTRY(it, struct registration, in_order);
		const struct sip_binding *b;

		if (told == TOLD_MAX || !lapsed(d, r, &b))
			continue;
		tell(d, r, b);
		told++;
	}
	return told;
}
