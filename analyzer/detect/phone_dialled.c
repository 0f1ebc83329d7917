/* SPDX-License-Identifier: MIT */
/* phone_dialled: failed connections against what phones have registered. */
#include "analyzer/detect/phone_dialled.h"

#include <stdio.h>

#include "analyzer/detect/say.h"

#define CALL_BEFORE_NS SECOND_NS             /* the call that it is opened for */

static bool is_stream(unsigned transport)
{
	return transport == TRANSPORT_TCP || transport == TRANSPORT_TLS || transport == TRANSPORT_WS;
}

static bool registered_there(const struct device *d, const struct flow *x)
{
	return d->succeeded && is_stream(d->transport) && d->registered_ns <= x->first_ns &&
	       address_equal(&d->server.addr, &x->client.addr) &&
	       (endpoint_equal(&d->contact, &x->server) || endpoint_equal(&d->source, &x->server));
}

const struct device *phone_dialled(const struct facts *facts, const struct flow *x)
{
	if (x->partial || flow_accepted(x) || !sip_paths_server(facts->paths, &x->client.addr))
		return NULL;
	LIST_EACH(it, accounts_in_order(facts->accounts)) {
		const struct account *a = LIST_ENTRY(it, struct account, in_order);

		if (!a->succeeded)
			continue;
		LIST_EACH(at, &a->devices) {
			const struct device *d = LIST_ENTRY(at, struct device, in_account);

			if (registered_there(d, x))
				return d;
		}
	}
	return NULL;
}

/* Its calls for that phone which were refused meanwhile. */
static void add_legs(struct finding *f, const struct facts *facts, const struct flow *x, const struct device *phone)
{
	LIST_EACH(it, calls_legs(facts->calls)) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

		if (leg->answered || leg->status < 400 || leg->first_ns > x->first_ns ||
		    ns_minus(x->first_ns, leg->first_ns) > CALL_BEFORE_NS ||
		    !address_equal(&leg->party[SIDE_CALLEE].signalling.addr, &x->client.addr) ||
		    !span_equal(leg->party[SIDE_CALLEE].user, span_of(phone->account->user)))
			continue;
		finding_leg(f, leg);
	}
}

void phone_dialled_say(struct finding *f, const struct facts *facts, const struct flow *x, const struct device *phone,
	unsigned tries, bool refused)
{
	bool contact = endpoint_equal(&phone->contact, &x->server) && !endpoint_equal(&phone->source, &x->server);
	char who[SAY_TEXT], at[ENDPOINT_TEXT], from[ENDPOINT_TEXT], effect[ACCOUNT_TEXT + 60];

	add_legs(f, facts, x, phone);
	finding_part(f, PART_VICTIM, &x->server);
	finding_part(f, PART_CULPRIT, &(struct endpoint){ x->client.addr, 0 });
	say_host(facts, &x->client.addr, who);
	endpoint_text(&x->server, at);
	snprintf(effect, sizeof effect, "%s cannot be called over it", phone->account->user);
	say_title(f, refused ? "A TCP connection to a phone is refused" : "A TCP connection to a phone gets no answer", effect);
	if (contact) {
		finding_cause(f, "%s opens a TCP connection to %s, %u time%s, and %s. That is what %s has for its Contact; it had registered over a connection of its own from %s, where requests reach it.",
			who, at, tries, tries == 1 ? "" : "s", refused ? "is refused" : "nothing comes back",
			phone->account->user, endpoint_text(&phone->source, from));
		finding_fix(f, "Have %s send requests over the connection that the phone has registered by, not to its Contact: NAT support of its account (received address, rewritten Contact, RFC 5626).", who);
	} else {
		finding_cause(f, "%s opens a TCP connection to %s, %u time%s, and %s. From there %s had opened the one by which it registered; that has ended, and nothing listens there.",
			who, at, tries, tries == 1 ? "" : "s", refused ? "is refused" : "nothing comes back",
			phone->account->user);
		finding_fix(f, "Keep the phone's connection open: a keepalive of the phone or of %s below the time after which router or server close it; let the phone register anew when it breaks.", who);
	}
	finding_evidence(f, phone->at, "REGISTER of %s", phone->account->user);
}
