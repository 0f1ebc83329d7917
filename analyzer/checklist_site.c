/* SPDX-License-Identifier: MIT */
/* checklist_site: C1.1 to C1.4: transport, provider addresses, media range, SIP ALG. */
#include "analyzer/checklist_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/media/port_plan.h"
#include "analyzer/network/flow.h"
#include "analyzer/network/sip_peer.h"
#include "analyzer/network/source.h"
#include "captures/base/memory.h"
#include "captures/base/sort.h"

enum { NAMED = 3, STRANGERS_LEAST = 3 };

#define ANSWER_NS SECOND_NS                  /* a server that answers at all does so within */

/* "UDP", "TLS" */
static const char *transport_name(uint8_t transport)
{
	static const char *const names[] = {
		[TRANSPORT_NONE] = "UDP", [TRANSPORT_UDP] = "UDP", [TRANSPORT_TCP] = "TCP", [TRANSPORT_TLS] = "TLS",
			[TRANSPORT_SCTP] = "SCTP",
		[TRANSPORT_WS] = "WebSocket",
	};

	return names[transport];
}

/* ---- C1.1 transport ---- */

struct service {                     /* a server's socket, over one transport, whoever asks */
	struct endpoint at;
	uint8_t transport;
	unsigned requests, answers;
	bool weighs;                 /* its silence is one: a registrar or provider, not a phone that is off */
	struct frame_ref asked_at, answered_at;
};

struct services {
	struct service *list;
	unsigned count;
};

static int service_compare(const void *x, const void *y)
{
	const struct service *a = x, *b = y;
	int order = endpoint_compare(&a->at, &b->at);

	if (order || a->transport != b->transport)
		return order ? order : (int)a->transport - (int)b->transport;
	if (a->asked_at.at_ns != b->asked_at.at_ns)
		return a->asked_at.at_ns < b->asked_at.at_ns ? -1 : 1;
	return (a->asked_at.frame > b->asked_at.frame) - (a->asked_at.frame < b->asked_at.frame);
}

static void service_add(struct services *s, struct service x)
{
	struct service *last = s->count ? &s->list[s->count - 1] : NULL;

	if (!last || !endpoint_equal(&last->at, &x.at) || last->transport != x.transport) {
		s->list[s->count++] = x;
		return;
	}
	last->requests += x.requests;
	last->answers += x.answers;
	last->weighs |= x.weighs;
	if (!last->answered_at.frame || (x.answered_at.frame && x.answered_at.at_ns < last->answered_at.at_ns))
		last->answered_at = x.answered_at.frame ? x.answered_at : last->answered_at;
}

/* What strangers try is no service of the site. */
static bool is_asked(const struct checklist *c, const struct sip_peer *p)
{
	const struct source *s = sources_find(c->facts->sources, &p->client);

	return p->requests && (p->registers || p->invites) && !(s && s->class == SOURCE_ATTACKER);
}

static void services_make(struct checklist *c, struct services *s)
{
	const struct list *peers = sip_peers_in_order(c->facts->sip_peers), *secured = flows_services(c->facts->flows);
	struct service *all = memory_zalloc((peers->count + secured->count + 1) * sizeof *all);
	unsigned n = 0;

	LIST_EACH(it, peers) {
		const struct sip_peer *p = LIST_ENTRY(it, struct sip_peer, in_order);

		if (is_asked(c, p))
			all[n++] = (struct service){ p->server, p->transport, p->requests, p->answers,
						     p->registers || end_of(c->ends, &p->server.addr) == END_PROVIDER,
						     p->asked_at, p->answered_at };
	}
	LIST_EACH(it, secured) {
		const struct flow_service *f = LIST_ENTRY(it, struct flow_service, in_order);

		if (f->secured && (f->sip_alpn || ranges_have(&c->facts->site->tls_ports, f->at.port)))
			all[n++] = (struct service){ f->at, TRANSPORT_TLS, f->secured, f->secured, true, f->secured_at,
				f->secured_at };
	}
	sort(all, n, sizeof *all, service_compare);
	s->list = memory_zalloc((n + 1u) * sizeof *s->list);
	for (unsigned i = 0; i < n; i++)
		service_add(s, all[i]);
	free(all);
}

static const char *service_words(const struct service *s, char *text, size_t room)
{
	char at[ENDPOINT_TEXT];

	if (s->transport == TRANSPORT_TLS)
		snprintf(text, room, "%s TLS, %u connection%s", endpoint_text(&s->at, at), s->answers,
			s->answers == 1 ? "" : "s");
	else
		snprintf(text, room, "%s %s, %u of %u request%s answered", endpoint_text(&s->at, at),
			transport_name(s->transport), s->answers,
			 s->requests, s->requests == 1 ? "" : "s");
	return text;
}

/* The i-th that answered, or that did not: registrars and providers before the others. */
static const struct service *service_pick(const struct services *s, bool answered, unsigned i)
{
	for (unsigned pass = 0; pass < 2; pass++) {
		for (unsigned k = 0; k < s->count; k++) {
			const struct service *x = &s->list[k];

			if (x->weighs == (pass == 0) && (answered ? x->answers > 0 : x->answers == 0 && x->weighs) &&
			    i-- == 0)
				return x;
		}
	}
	return NULL;
}

/* "198.51.100.7:5060 UDP, 14 of 14 requests answered; ...": those that answered, or those that did not. */
static unsigned services_list(const struct services *s, bool answered, char *text, size_t room)
{
	unsigned n = 0;
	char one[120];

	text[0] = '\0';
	for (const struct service *x; n < NAMED && (x = service_pick(s, answered, n)); n++)
		snprintf(text + strlen(text), room - strlen(text), "%s%s", n ? "; " : "",
			service_words(x, one, sizeof one));
	for (unsigned k = n = 0; k < s->count; k++)
		n += answered ? s->list[k].answers > 0 : s->list[k].answers == 0 && s->list[k].weighs;
	if (n > NAMED)
		snprintf(text + strlen(text), room - strlen(text), "; and %u more", n - NAMED);
	return n;
}

static const struct service *service_of(const struct checklist *c, const struct services *s,
	const struct transport_wish *wish, bool right)
{
	for (unsigned i = 0; i < s->count; i++) {
		const struct service *x = &s->list[i];
		struct words name = { .list = (char **)&wish->peer, .count = 1 };
		struct peers peer = { .names = name };
		struct net net;
		bool same, fits = strcasecmp(transport_name(x->transport), wish->transport) == 0 &&
			(!wish->port || wish->port == x->at.port);

		same = net_parse(span_of(wish->peer), &net) ? net_has(&net, &x->at.addr) : site_peer(c->facts->site,
			&peer, &x->at.addr);
		if (same && x->answers && fits == right)
			return x;
	}
	return NULL;
}

/* What the profile expects: false where a peer answers another way, or was not seen; then it is said. */
static bool wishes_hold(struct checklist *c, struct check *k, const struct services *s)
{
	const struct transports *wishes = &c->facts->site->expected_transport;
	char peer[80], one[120];

	for (unsigned i = 0; i < wishes->count; i++) {
		const struct transport_wish *w = &wishes->list[i];
		const struct service *wrong = service_of(c, s, w, false);

		text_escape(span_of(w->peer), peer, sizeof peer);
		if (service_of(c, s, w, true))
			continue;
		if (wrong) {
			check_say(k, CHECK_FAIL, "%s; the profile expects %s", service_words(wrong, one, sizeof one),
				w->transport);
			check_evidence(k, wrong->answered_at, "an answer over %s", transport_name(wrong->transport));
		} else {
			check_say(k, CHECK_CANNOT_TELL, "%s, which the profile names, does not answer here", peer);
		}
		return false;
	}
	return true;
}

static void evidence_of_services(struct check *k, const struct services *s)
{
	char at[ENDPOINT_TEXT];

	for (unsigned i = 0; i < NAMED; i++) {
		const struct service *x = service_pick(s, true, i);

		if (x)
			check_evidence(k, x->answered_at, "%s answers over %s", endpoint_text(&x->at, at),
				transport_name(x->transport));
	}
}

static void judge_services(struct checklist *c, struct check *k, const struct services *s)
{
	static const char *const ids[] = { "transport-mismatch", "tls-failed", NULL };
	const struct finding *fault = check_findings(c, k, ids);
	char text[CHECK_WHY - 80];

	if (fault) {
		check_say(k, CHECK_FAIL, "%s", fault->title.p);
	} else if (s->count == 0) {
		check_say(k, CHECK_NOT_SEEN, "no server was asked by SIP in this capture");
	} else if (!wishes_hold(c, k, s)) {
		return;
	} else if (services_list(s, false, text, sizeof text)) {
		check_say(k, CHECK_CANNOT_TELL, "no answer here: %s", text);
	} else if (services_list(s, true, text, sizeof text)) {
		check_say(k, CHECK_PASS, "%s", text);
		evidence_of_services(k, s);
	} else {
		check_say(k, CHECK_CANNOT_TELL, "no server answers in this capture");
	}
}

static void check_transports(struct checklist *c)
{
	struct check *k = check_add(c, "C1.1", "Transport correct", "transport");
	struct services s = { .list = NULL };

	services_make(c, &s);
	judge_services(c, k, &s);
	free(s.list);
}

/* ---- C1.2 provider addresses only ---- */

struct knocks {                      /* of strangers at the site's hosts */
	unsigned tried, answered, inside;
	unsigned settled;            /* of the tried: long enough ago for an answer */
	const struct source *first;
};

static bool is_stranger(const struct checklist *c, const struct source *s)
{
	return source_suspect(s) && !site_own(c->facts->site, &s->addr) && end_of(c->ends, &s->addr) == END_UNKNOWN;
}

static void knock_take(const struct checklist *c, const struct source *s, struct knocks *n)
{
	bool own = false, answered = false, inside = false;

	for (unsigned i = 0; i < s->target_count; i++) {
		const struct source_target *t = &s->targets[i];

		if (end_of(c->ends, &t->at.addr) != END_OWN)
			continue;
		own = true;
		answered |= t->answered;
		inside |= address_private(&t->at.addr);
	}
	n->tried += own;
	n->settled += own && ns_minus(c->facts->capture->last_ns, s->last_ns) >= ANSWER_NS;
	n->answered += own && answered;
	n->inside += inside;
	if (own && !n->first)
		n->first = s;
}

/* Does SIP of the site's hosts to the outside pass here? Else an answer would not be seen. */
static bool answers_pass(const struct checklist *c)
{
	LIST_EACH(it, sip_peers_in_order(c->facts->sip_peers)) {
		const struct sip_peer *p = LIST_ENTRY(it, struct sip_peer, in_order);
		bool client = end_of(c->ends, &p->client) == END_OWN,
			server = end_of(c->ends, &p->server.addr) == END_OWN;

		if ((client && !server) || (server && !client && p->answers))
			return true;
	}
	return false;
}

static bool is_open(const struct finding *f)
{
	if (!check_proven(f))
		return false;
	return strcmp(f->id, "sip-exposed") == 0 ||
	       (strcmp(f->id, "toll-fraud") == 0 && strcmp(f->reason, "unauthenticated-call") == 0);
}

static unsigned open_findings(struct checklist *c, struct check *k)
{
	unsigned n = 0;

	LIST_EACH(it, findings_in_order(c->facts->findings)) {
		const struct finding *f = LIST_ENTRY(it, struct finding, in_order);

		if (!is_open(f))
			continue;
		check_finding(k, f);
		if (!n++)
			check_say(k, CHECK_FAIL, "%s", f->title.p);
	}
	return n;
}

static void check_providers(struct checklist *c)
{
	struct check *k = check_add(c, "C1.2", "Provider addresses only", "provider only");
	struct knocks n = { .first = NULL };

	if (open_findings(c, k))
		return;
	LIST_EACH(it, sources_in_order(c->facts->sources)) {
		const struct source *s = LIST_ENTRY(it, struct source, in_order);

		if (is_stranger(c, s))
			knock_take(c, s, &n);
	}
	if (n.first)
		check_evidence(k, n.first->first_at, "first request of an unknown address");
	if (c->facts->capture->sip == 0)
		check_say(k, CHECK_NOT_SEEN, "no SIP in this capture");
	else if (!n.tried)
		check_say(k, CHECK_CANNOT_TELL, "not tested: no stranger asks a host of the site in this capture");
	else if (n.answered)
		check_say(k, CHECK_CANNOT_TELL, "%u unknown address%s asked and got an answer: a user or a stranger",
			n.answered, n.answered == 1 ? "" : "es");
	else if (n.inside)
		check_say(k, CHECK_CANNOT_TELL, "requests of %u unknown address%s reach hosts inside, unanswered",
			n.inside, n.inside == 1 ? "" : "es");
	else if (!answers_pass(c))
		check_say(k, CHECK_CANNOT_TELL, "%u unknown address%s asked; answers would not pass this point",
			n.tried, n.tried == 1 ? "" : "es");
	else if (n.settled < STRANGERS_LEAST)
		check_say(k, CHECK_CANNOT_TELL, "%u unknown address%s asked and got no answer: too few to tell",
			n.tried, n.tried == 1 ? "" : "es");
	else
		check_say(k, CHECK_PASS, "%u unknown addresses asked, none got an answer", n.settled);
}

/* ---- C1.3 media range ---- */

static const struct finding *root_of(const struct finding *f)
{
	while (f->explained_by)
		f = f->explained_by;
	return f;
}

/* Silence that a closed range would give; one that another cause explains says nothing of the range. */
static bool blames_range(const struct finding *f)
{
	static const char *const roots[] = { "dropped-in-path", "media-range-exhausted", "sip-alg", NULL };

	if (f->state != FINDING_WITHDRAWN && strcmp(f->id, "port-unexpected") == 0 &&
	    strcmp(f->reason, "media-port-outside-profile") == 0)
		return true;
	if (!check_proven(f))
		return false;
	if (strcmp(f->id, "media-range-exhausted") == 0)
		return true;
	if (strcmp(f->id, "dropped-in-path") == 0)
		return f->stream_count > 0;
	return strcmp(f->id, "no-audio") == 0 && (!f->explained_by || check_is(root_of(f), roots));
}

/* "10.0.0.5 40012-40188 (16 ports at once)": of the site's own hosts, else of all. */
static void observed_ranges(const struct checklist *c, char *text, size_t room)
{
	unsigned own = 0, named = 0;

	LIST_EACH(it, port_plan_in_order(c->facts->port_plan))
		own += end_of(c->ends, &LIST_ENTRY(it, struct port_use, in_order)->addr) == END_OWN;
	text[0] = '\0';
	LIST_EACH(it, port_plan_in_order(c->facts->port_plan)) {
		const struct port_use *u = LIST_ENTRY(it, struct port_use, in_order);
		char addr[ADDRESS_TEXT];

		if (own && end_of(c->ends, &u->addr) != END_OWN)
			continue;
		if (named++ < NAMED)
			snprintf(text + strlen(text), room - strlen(text), "%s%s %u-%u", named > 1 ? ", " : "",
				address_text(&u->addr, addr), u->low,
				 u->high + 1);
	}
	if (named > NAMED)
		snprintf(text + strlen(text), room - strlen(text), " and %u more", named - NAMED);
}

static bool has_range(const struct checklist *c)
{
	return c->facts->site->media_ports.count || c->facts->site->media_ports_of.count;
}

struct answered { unsigned all, both; };

static struct answered answered_calls(struct checklist *c, struct check *k)
{
	struct answered n = { 0, 0 };

	for (size_t i = 0; i < c->sight_count; i++) {
		const struct sight *s = &c->sights[i];

		if (!s->answered)
			continue;
		n.all++;
		n.both += s->audio >= CHECK_AUDIO_NOT_DUE;
		if (k->call_count < CHECK_NUMBERS)
			k->calls[k->call_count++] = s->call->n;
	}
	k->calls_total = n.all;
	return n;
}

static void check_media_range(struct checklist *c)
{
	struct check *k = check_add(c, "C1.3", "Media range permitted", "media range");
	const struct finding *first = NULL;
	char seen[CHECK_WHY - 120];
	struct answered n;

	LIST_EACH(it, findings_in_order(c->facts->findings)) {
		const struct finding *f = LIST_ENTRY(it, struct finding, in_order);

		if (!blames_range(f))
			continue;
		check_finding(k, f);
		first = first ? first : f;
	}
	n = answered_calls(c, k);
	observed_ranges(c, seen, sizeof seen);
	if (first)
		check_say(k, CHECK_FAIL, "%s", first->title.p);
	else if (!n.all)
		check_say(k, CHECK_NOT_SEEN, "no answered call in this capture");
	else if (n.both < n.all)
		check_say(k, CHECK_CANNOT_TELL,
			"audio both ways is not seen in %u of %u answered calls; ports seen: %s", n.all - n.both, n.all,
			  seen[0] ? seen : "none");
	else if (!has_range(c))
		check_say(k, CHECK_CANNOT_TELL, "the profile names no media-ports; seen: %s", seen[0] ? seen : "none");
	else
		check_say(k, CHECK_PASS, "%u answered call%s with audio both ways, within the profile's range: %s",
			n.all, n.all == 1 ? "" : "s", seen);
}

/* ---- C1.4 SIP ALG ---- */

struct proof { const struct finding *rewrites, *maybe, *equal, *sealed, *one_side; };

static const struct finding **absent_slot(struct proof *p, const char *reason)
{
	if (strcmp(reason, "equal-copies") == 0)
		return &p->equal;
	return strcmp(reason, "transport-encrypted") == 0 ? &p->sealed : &p->one_side;
}

static struct proof alg_proof(const struct checklist *c)
{
	struct proof p = { NULL, NULL, NULL, NULL, NULL };

	LIST_EACH(it, findings_in_order(c->facts->findings)) {
		const struct finding *f = LIST_ENTRY(it, struct finding, in_order);
		const struct finding **at = NULL;

		if (f->state == FINDING_WITHDRAWN)
			continue;
		if (strcmp(f->id, "sip-alg") == 0)
			at = f->confidence >= CONFIDENCE_LIKELY ? &p.rewrites : &p.maybe;
		else if (strcmp(f->id, "sip-alg-absent") == 0)
			at = absent_slot(&p, f->reason);
		if (at && !*at)
			*at = f;
	}
	return p;
}

static void check_proof(struct check *k, const struct finding *f)
{
	check_finding(k, f);
	for (unsigned i = 0; i < f->evidence_count && i < 2; i++)
		check_evidence(k, f->evidence[i].at, "%s", f->evidence[i].what);
}

static void check_alg(struct checklist *c)
{
	struct check *k = check_add(c, "C1.4", "SIP ALG off", "SIP ALG off");
	struct proof p = alg_proof(c);

	if (p.rewrites) {
		check_proof(k, p.rewrites);
		check_say(k, CHECK_FAIL, "%s", p.rewrites->title.p);
	} else if (p.equal) {
		check_proof(k, p.equal);
		check_say(k, CHECK_PASS, "%u messages are equal before and behind the router: nothing is rewritten; what only inspects is not seen", p.equal->count);
	} else if (c->facts->capture->sip == 0 && p.sealed && p.sealed->confidence == CONFIDENCE_CERTAIN) {
		check_proof(k, p.sealed);
		check_say(k, CHECK_PASS, "all SIP is inside TLS: nothing can rewrite it");
	} else if (p.maybe) {
		check_proof(k, p.maybe);
		check_say(k, CHECK_CANNOT_TELL,
			"a trace that may be one; only a capture on both sides of the router tells");
	} else if (c->facts->capture->sip == 0) {
		check_say(k, p.sealed ? CHECK_CANNOT_TELL : CHECK_NOT_SEEN,
			p.sealed ? "TLS on a port of SIP, probably SIP" : "no SIP in this capture");
	} else if (p.one_side) {
		check_proof(k, p.one_side);
		check_say(k, CHECK_CANNOT_TELL, "assumed: one side of the router shows no rewriting; only a capture on both sides confirms it");
	} else {
		check_say(k, CHECK_CANNOT_TELL, "assumed, not confirmed: no trace of one, but only a capture on both sides of the router tells");
	}
}

void checklist_site(struct checklist *c)
{
	check_transports(c);
	check_providers(c);
	check_media_range(c);
	check_alg(c);
}
