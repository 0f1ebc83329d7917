/* SPDX-License-Identifier: MIT */
/*
 * port-unexpected: SIP or media on ports that the profile does not name. Where nobody named any, nothing is unexpected.
 */
#include <stdio.h>

#include "analyzer/calls/account.h"
#include "analyzer/detect/say.h"
#include "analyzer/media/media_host.h"
#include "analyzer/network/source.h"

static const char *const reasons[] = { "sip-port-outside-profile", "media-port-outside-profile",
	"local-port-outside-range", NULL };

static const struct detector_doc doc = {
	.says = "SIP or media outside the profile's ports",
	.symptom = "None by itself; a firewall that knows only the documented ports blocks the rest.",
	.evidence = "Ports of servers that answer, of SDP, and of phones, against the profile.",
	.mimics = "Ports that a router chose, TCP clients, a profile that is out of date.",
	.fix = "Bring device, firewall and profile to one range.",
	.reasons = reasons,
};

static const struct config_key keys[] = { { 0 } };

enum { SHOWN = 8, LOOKS = 256 };    /* LOOKS: calls outside the range whose audio is looked up */

/* ---- servers ---- */

static bool known_port(const struct site *s, uint16_t port)
{
	return ranges_have(&s->sip_ports, port) || ranges_have(&s->tls_ports, port);
}

static void judge_server(struct detection *d, const struct source *x, const struct source_target *t)
{
	const struct facts *facts = detection_facts(d);
	struct finding *f;
	char at[ENDPOINT_TEXT];

	if (!t->answered || t->answered_from != t->at.port || known_port(facts->site, t->at.port) ||
	    !x->by_method[SIP_REGISTER])
		return;
	f = detection_raise_keyed(d, endpoint_key(&t->at), "sip-port-outside-profile", SEVERITY_WARNING,
		CONFIDENCE_CERTAIN);
	endpoint_text(&t->at, at);
	finding_title(f, "A SIP server answers on port %u, which the profile does not name", t->at.port);
	finding_cause(f, "%s answers registrations; sip-ports and tls-ports of the profile do not hold its port.", at);
	finding_fix(f, "Check that every device, forward and firewall rule uses this port; then name it in the profile, or move the server.");
	finding_part(f, PART_CULPRIT, &t->at);
	finding_evidence(f, t->answered_at, "an answer from %s", at);
	finding_times(f, t->first_ns, t->last_ns);
	f->count = 1;
}

/* ---- media ---- */

static struct finding *unheard(const struct facts *facts, const struct leg *leg)
{
	LIST_EACH(it, findings_in_order(facts->findings)) {
		struct finding *f = LIST_ENTRY(it, struct finding, in_order);
		bool audio = strcmp(f->id, "one-way-audio") == 0 || strcmp(f->id, "no-audio") == 0;

		if (audio && f->state != FINDING_WITHDRAWN && finding_has_leg(f, leg))
			return f;
	}
	return NULL;
}

static void judge_media(struct detection *d, const struct media_host *h, unsigned *looks)
{
	const struct facts *facts = detection_facts(d);
	const struct ranges *range = site_media_ports(facts->site, &h->addr);
	const struct host_span *first = NULL, *silent = NULL;
	struct finding *f;
	unsigned outside = 0;
	char host[SAY_TEXT];

	if (!range || !range->count || !site_own(facts->site, &h->addr))
		return;
	for (unsigned i = 0; i < h->span_count; i++) {
		if (ranges_have(range, h->spans[i].hold->socket->at.port))
			continue;
		first = first ? first : &h->spans[i];
		outside++;
		if (!silent && *looks && --*looks && unheard(facts, h->spans[i].hold->leg))
			silent = &h->spans[i];
	}
	if (!first)
		return;
	f = detection_raise_keyed(d, hash_mix(endpoint_key(&(struct endpoint){ h->addr, 0 }), 1),
		"media-port-outside-profile",
				  silent ? SEVERITY_WARNING : SEVERITY_INFO, CONFIDENCE_CERTAIN);
	say_host(facts, &h->addr, host);
	finding_title(f, "%s uses media ports that the profile does not name", host);
	finding_cause(f, "%s named ports %u to %u for media, %s outside the profile's range%s.", host, h->lowest,
		h->highest, SAY_COUNTED(outside, "time"), silent ? "; a call on one of them was not heard" : "");
	finding_fix(f, "Set the RTP range of this host, the firewall and the profile to one range.");
	finding_part(f, PART_CULPRIT, &(struct endpoint){ h->addr, 0 });
	finding_leg(f, silent ? silent->hold->leg : first->hold->leg);
	finding_evidence(f, first->hold->leg->invite_at, "the call that used port %u",
		first->hold->socket->at.port);
	finding_times(f, first->from_ns, first->hold->to_ns);
	f->count = outside;
}

/* ---- phones ---- */

static void judge_phones(struct detection *d)
{
	const struct facts *facts = detection_facts(d);
	struct finding *f = NULL;
	unsigned count = 0;

	LIST_EACH(it, accounts_in_order(facts->accounts)) {
		LIST_EACH(dit, &LIST_ENTRY(it, struct account, in_order)->devices) {
			const struct device *x = LIST_ENTRY(dit, struct device, in_account);
			char at[ENDPOINT_TEXT];

			if (x->transport != TRANSPORT_UDP || !x->inner_seen || !x->succeeded ||
			    known_port(facts->site, x->inner.port))
				continue;
			if (!f)
				f = detection_raise_keyed(d, 2, "local-port-outside-range", SEVERITY_INFO,
					CONFIDENCE_CERTAIN);
			if (count++ < SHOWN) {
				finding_part(f, PART_WITNESS, &x->inner);
				finding_evidence(f, x->first_at, "%s registers from %s", x->account->user,
					endpoint_text(&x->inner, at));
			}
		}
	}
	if (!f)
		return;
	finding_title(f, "%u device%s use local SIP ports outside the profile's", count, count == 1 ? "" : "s");
	finding_cause(f,
		"Local ports outside sip-ports: chosen at random by the device, or by a router before this point.");
	finding_fix(f, "Nothing, where no firewall rule depends on it; else set fixed local SIP ports.");
	finding_times(f, facts->capture->first_ns, facts->capture->last_ns);
	f->count = count;
}

static void on_event(struct detection *d, const struct event *ev)
{
	const struct facts *facts = detection_facts(d);
	unsigned looks = LOOKS;

	(void)ev;
	if (!facts->site->path) {
		detection_pass(d, "profile", "no profile was read: no port is unexpected");
		return;
	}
	LIST_EACH(it, sources_in_order(facts->sources)) {
		const struct source *x = LIST_ENTRY(it, struct source, in_order);

		for (unsigned i = 0; x->class != SOURCE_ATTACKER && i < x->target_count; i++)
			judge_server(d, x, &x->targets[i]);
	}
	LIST_EACH(it, media_hosts_in_order(facts->media_hosts))
		judge_media(d, LIST_ENTRY(it, struct media_host, in_order), &looks);
	judge_phones(d);
}

const struct detector detect_port_unexpected = {
	.id = "port-unexpected", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_CAUSES),
	.scope = GLOBAL, .usual = SEVERITY_INFO, .possible_max = SEVERITY_INFO,
};
