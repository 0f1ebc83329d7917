/* SPDX-License-Identifier: MIT */
/* transport-mismatch: UDP, TCP or TLS on the wrong port or side. RFC 3261 18, 26.3; RFC 3263. */
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/detect/phone_dialled.h"
#include "analyzer/detect/say.h"
#include "analyzer/detect/sip_path_legs.h"
#include "analyzer/detect/sip_socket.h"
#include "analyzer/detect/tcp_fallback.h"
#include "analyzer/detect/via_lies.h"
#include "analyzer/detect/witness.h"
#include "analyzer/site.h"
#include "captures/base/memory.h"

static const char *const reasons[] = {
	"tcp-refused", "tcp-filtered", "udp-no-listener", "udp-to-tcp-only", "plain-to-tls-port", "tls-to-plain-port",
	"udp-on-5061", "wrong-port", "via-lies", "tcp-fallback-refused",
	"sips-downgraded", NULL,
};

static const struct detector_doc doc = {
	.says = "UDP, TCP or TLS on the wrong port or side",
	.symptom = "A trunk or phone does not come up although \"the port is open\".",
	.evidence = "SYNs that are refused or never answered, ICMP port unreachable, SIP in clear on a TLS port or the reverse; what works there for others; a Via that names another transport than carries the request, and where the answers go.",
	.mimics = "A client that tries several transports and finds one that works; a server that restarts; probes of strangers; connections closed when idle.",
	.fix = "Set port, transport and security mode exactly as the server's operator states them.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "tries", 2, "tries", 1, 100, "field: one may meet a restart" },
	{ "syn-copies", 3, "copies", 2, 20, "RFC 6298: SYNs after 1, 3, 7 s" },
	{ "udp-copies", 4, "copies", 2, 11, "RFC 3261 17.1.2.2" },
	{ "close-s", 5, "s", 0.1, 60, "field: who does not understand closes at once, or waits for more" },
	{ 0 },
};

enum { SIP_PORT = 5060 };

struct verdict {
	const char *reason;          /* NULL: nothing to say */
	enum severity severity;
	enum confidence confidence;
	unsigned tries;
	bool hidden;                 /* nothing came back at all: what is there cannot be told */
	int64_t first_ns, last_ns;
	struct frame_ref frames[6];
	unsigned frame_count;
	struct frame_ref works_at;   /* what shows the way that works; frame 0: none */
	char works[120];
};

static int64_t key_ns(const struct detection *d, const char *name)
{
	return (int64_t)(detection_key(d, name) * 1e9);
}

static void add_frame(struct verdict *v, struct frame_ref at)
{
	if (at.frame && v->frame_count < sizeof v->frames / sizeof *v->frames)
		v->frames[v->frame_count++] = at;
}

/* A try that failed; its frames are evidence. */
static void add_try(struct verdict *v, const struct flow *x, struct frame_ref first, struct frame_ref then)
{
	if (v->tries++ == 0)
		v->first_ns = x->first_ns;
	v->last_ns = x->last_ns;
	add_frame(v, first);
	add_frame(v, then);
}

/* ---- TCP and TLS ---- */

static void judge_refused(struct detection *d, const struct attempts *a, const struct flow_service *service,
	struct verdict *v)
{
	for (unsigned i = 0; i < a->count; i++) {
		if (flow_refused(a->flows[i]))
			add_try(v, a->flows[i], a->flows[i]->first_at, a->flows[i]->side[FLOW_SERVER].rst_at);
	}
	if (service->accepted || v->tries < (a->phone ? 1 : detection_key(d, "tries")))
		return;
	v->reason = "tcp-refused";
	v->confidence = CONFIDENCE_CERTAIN;
}

static bool unanswered(const struct flow *x)
{
	return !flow_accepted(x) && !flow_refused(x) && x->syns > 0;
}

static void judge_filtered(struct detection *d, const struct attempts *a, const struct flow_service *service,
	struct verdict *v)
{
	const struct flow *most = NULL;
	struct silence s;
	enum witness witness;
	const char *gate;

	for (unsigned i = 0; i < a->count; i++) {
		const struct flow *x = a->flows[i];

		if (!unanswered(x))
			continue;
		add_try(v, x, x->first_at, x->syns > 1 ? x->syn_at : (struct frame_ref){ 0 });
		if (!most || x->syns > most->syns)
			most = x;
	}
	if (service->accepted || !most || most->syns < detection_key(d, "syn-copies"))
		return;
	s = (struct silence){ .src = most->client, .dst = most->server, .first_ns = most->first_ns,
		.last_ns = most->syn_ns, .copies = most->syns };
	gate = silence_gate(detection_facts(d), &s, detection_config(d, "signalling", "tail-s"), &witness);
	if (gate) {
		detection_pass(d, gate, "%s", silence_gate_text(gate));
		return;
	}
	v->reason = "tcp-filtered";
	v->hidden = true;
	v->confidence = witness_confidence(witness, CONFIDENCE_LIKELY);
}

/* Ended by the server soon after what the client said first, without a word of its own. */
static bool closed_mutely(const struct flow *x, int64_t within_ns)
{
	const struct flow_side *client = &x->side[FLOW_CLIENT], *server = &x->side[FLOW_SERVER];
	int64_t end_ns = server->fin_at.frame ? server->fin_at.at_ns : server->rst_at.at_ns;

	if (server->first != FLOW_NOTHING || (!server->fin_at.frame && !server->rst_at.frame))
		return false;
	if (client->fin_at.frame && client->fin_at.at_ns < end_ns)
		return false;
	return ns_minus(end_ns, client->first_at.at_ns) <= within_ns;
}

/*
 * It took the ClientHello, for TCP did not send it again, waits for the end of a SIP message and says nothing, until
 * the client gives up: servers that read lines do so.
 */
static bool kept_mute(const struct flow *x, int64_t for_ns)
{
	const struct flow_side *client = &x->side[FLOW_CLIENT], *server = &x->side[FLOW_SERVER];
	int64_t end_ns = client->fin_at.frame ? client->fin_at.at_ns : client->rst_at.at_ns;

	if (!flow_accepted(x) || x->partial || server->first != FLOW_NOTHING || client->opening_copies)
		return false;
	if (!client->fin_at.frame && !client->rst_at.frame)
		return false;
	return ns_minus(end_ns, client->first_at.at_ns) >= for_ns;
}

static struct frame_ref answer_of(const struct flow *x)
{
	const struct flow_side *server = &x->side[FLOW_SERVER];

	if (server->first != FLOW_NOTHING)
		return server->first_at;
	return server->fin_at.frame ? server->fin_at : server->rst_at;
}

static void judge_plain_to_tls(struct detection *d, const struct attempts *a, const struct flow_service *service,
	struct verdict *v)
{
	bool alerted = false;

	for (unsigned i = 0; i < a->count; i++) {
		const struct flow *x = a->flows[i];

		if (x->side[FLOW_CLIENT].first != FLOW_SIP)
			continue;
		if (x->side[FLOW_SERVER].first == FLOW_TLS)
			alerted = true;
		else if (!closed_mutely(x, key_ns(d, "close-s")) || !sip_socket_tls(detection_facts(d), &x->server))
			continue;
		add_try(v, x, x->side[FLOW_CLIENT].first_at, answer_of(x));
	}
	if (v->tries == 0 || (!alerted && v->tries < detection_key(d, "tries")))
		return;
	v->reason = "plain-to-tls-port";
	v->confidence = alerted || service->secured ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
	if (service->secured) {
		v->works_at = service->secured_at;
		snprintf(v->works, sizeof v->works, "TLS to port %u", service->at.port);
	}
}

/*
 * A ClientHello without an answer: nothing of TLS is there, and what else is known of the port says that SIP in clear
 * is.
 */
static bool not_understood(const struct detection *d, const struct flow *x, const struct flow_service *service)
{
	int64_t close_ns = key_ns(d, "close-s");

	if (service->secured)
		return false;
	return (service->plain && closed_mutely(x, close_ns)) ||
	       ((service->plain || service->at.port == SIP_PORT) && kept_mute(x, close_ns));
}

static void judge_tls_to_plain(struct detection *d, const struct attempts *a, const struct flow_service *service,
	struct verdict *v)
{
	bool answered = false;

	for (unsigned i = 0; i < a->count; i++) {
		const struct flow *x = a->flows[i];
		enum flow_speech back = x->side[FLOW_SERVER].first;

		if (x->side[FLOW_CLIENT].first != FLOW_TLS || back == FLOW_TLS || back == FLOW_LATER)
			continue;
		if (back == FLOW_NOTHING && !not_understood(d, x, service))
			continue;
		answered |= back != FLOW_NOTHING;
		add_try(v, x, x->side[FLOW_CLIENT].first_at, answer_of(x));
	}
	if (v->tries == 0 || (!answered && v->tries < detection_key(d, "tries")))
		return;
	v->reason = "tls-to-plain-port";
	v->confidence = answered || service->plain ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
	if (service->plain) {
		v->works_at = service->plain_at;
		snprintf(v->works, sizeof v->works, "SIP in clear by TCP to port %u", service->at.port);
	}
}

/* What works with that host by another port or transport, as far as it is seen. */
static void look_for_door(const struct facts *facts, const struct endpoint *server, uint8_t but_transport,
	struct verdict *v)
{
	const struct sip_server *x = sip_paths_server(facts->paths, &server->addr);

	for (unsigned i = 0; x && i < x->door_count && !v->works_at.frame; i++) {
		const struct sip_door *door = &x->doors[i];

		if (door->port == server->port && door->transport == but_transport)
			continue;
		if (door->transport != TRANSPORT_UDP && door->transport != TRANSPORT_TCP)
			continue;
		v->works_at = door->at;
		snprintf(v->works, sizeof v->works, "%s to port %u", door->transport == TRANSPORT_UDP ? "UDP" : "TCP",
			door->port);
	}
}

/* Recovered: the same client at the same socket, not long after. */
static bool recovered(const struct detection *d, const struct attempts *a, const struct verdict *v)
{
	int64_t window_ns = (int64_t)(detection_config(d, "signalling", "recover-s") * 1e9);

	for (unsigned i = 0; i < a->count; i++) {
		const struct flow *x = a->flows[i];

		if (x->last_ns < v->first_ns || x->first_ns > ns_add(v->last_ns, window_ns))
			continue;
		if (strcmp(v->reason, "plain-to-tls-port") == 0 ? flow_secured(x) && x->first_ns > v->first_ns :
		    strcmp(v->reason, "tls-to-plain-port") == 0 ? x->side[FLOW_SERVER].sip_at.frame &&
		    x->side[FLOW_CLIENT].sip_at.frame && x->first_ns > v->first_ns :
		    flow_accepted(x))
			return true;
	}
	return false;
}

static void (*const judges[])(struct detection *d, const struct attempts *a, const struct flow_service *service,
	struct verdict *v) = {
	judge_refused, judge_filtered, judge_plain_to_tls, judge_tls_to_plain,
};

static struct verdict judge_attempts(struct detection *d, const struct attempts *a)
{
	const struct facts *facts = detection_facts(d);
	const struct endpoint *server = &a->flows[0]->server;
	const struct flow_service *service = flows_service(facts->flows, server);
	struct verdict v = { .reason = NULL };

	if (!service)
		return v;
	for (unsigned i = 0; i < sizeof judges / sizeof *judges && !v.reason; i++) {
		v = (struct verdict){ .reason = NULL };
		judges[i](d, a, service, &v);
	}
	if (!v.reason)
		return v;
	if (recovered(d, a, &v) || attempts_took_over(facts, &a->flows[0]->client.addr, server, v.first_ns)) {
		detection_pass(d, "recovered", "what was tried in vain worked soon after, or by another transport");
		v.reason = NULL;
		return v;
	}
	look_for_door(facts, server, TRANSPORT_TCP, &v);
	v.severity = (strcmp(v.reason, "tcp-refused") == 0 || v.hidden) &&
		v.works_at.frame ? SEVERITY_WARNING : SEVERITY_ERROR;
	return v;
}

/* ---- UDP ---- */

struct icmp_tally {
	unsigned count;
	struct frame_ref first;
};

static void tally_icmp(const struct facts *facts, struct icmp_tally *tallies)
{
	LIST_EACH(it, facts->icmp) {
		const struct icmp_record *i = LIST_ENTRY(it, struct icmp_record, in_order);
		const struct sip_path *path;

		if (i->protocol != 17 || (i->v6 ? i->type != 1 || i->code != 4 : i->type != 3 || i->code != 3))
			continue;
		path = sip_paths_find(facts->paths, &i->src.addr, &i->dst, TRANSPORT_UDP);
		if (path && tallies[path->n].count++ == 0)
			tallies[path->n].first = i->at;
	}
}

static const char *silent(struct detection *d, const struct sip_path *x, enum witness *ret)
{
	const struct sip_unheard *u = x->unheard;
	struct silence s = { .src = { x->client, x->last_source.port }, .dst = x->server, .first_ns = u->first_ns,
		.last_ns = u->last_ns, .copies = u->copies_most };

	if (u->copies_most < detection_key(d, "udp-copies"))
		return "few";
	return silence_gate(detection_facts(d), &s, detection_config(d, "signalling", "tail-s"), ret);
}

/* TLS or TCP of that host that works for anybody: on this port or the usual ones. */
static bool stream_door(const struct facts *facts, const struct endpoint *server, struct verdict *v)
{
	const uint16_t ports[] = { server->port, 5060, 5061 };

	for (unsigned i = 0; i < sizeof ports / sizeof *ports; i++) {
		struct endpoint at = { server->addr, ports[i] };
		const struct flow_service *s = flows_service(facts->flows, &at);

		if (s && (s->plain || s->secured)) {
			v->works_at = s->plain ? s->plain_at : s->secured_at;
			snprintf(v->works, sizeof v->works, "%s to port %u", s->plain ? "TCP" : "TLS", at.port);
			return true;
		}
	}
	return false;
}

/* Another port of a server, by UDP. Not of a router: behind its ports are others. */
static bool udp_door(const struct facts *facts, const struct endpoint *server, struct verdict *v)
{
	const struct sip_server *x = sip_paths_server(facts->paths, &server->addr);

	if (!say_serves(facts, &server->addr) || say_routes(facts, &server->addr))
		return false;
	for (unsigned i = 0; x && i < x->door_count; i++) {
		if (x->doors[i].transport == TRANSPORT_UDP && x->doors[i].port != server->port) {
			v->works_at = x->doors[i].at;
			snprintf(v->works, sizeof v->works, "UDP to port %u", x->doors[i].port);
			return true;
		}
	}
	return false;
}

static void take_path(struct verdict *v, const struct sip_path *x)
{
	v->tries = x->unheard->requests;
	v->first_ns = x->first_ns;
	v->last_ns = x->last_ns;
	for (unsigned i = 0; i < x->unheard->frame_count && i < 4; i++)
		add_frame(v, x->unheard->frames[i]);
}

static bool asked_to_register(const struct sip_path *x)
{
	return x->unheard->methods & UINT32_C(1) << SIP_REGISTER;
}

/*
 * Refused by ICMP. A socket that has gone, asked by OPTIONS or INVITE alone and with nothing else there, is no question
 * of transports.
 */
static void judge_icmp(const struct facts *facts, const struct sip_path *x, const struct icmp_tally *icmp,
	struct verdict *v)
{
	bool stream = stream_door(facts, &x->server, v);

	if (!stream && !asked_to_register(x) && !udp_door(facts, &x->server, v))
		return;
	if (!stream && !v->works_at.frame)
		udp_door(facts, &x->server, v);
	v->reason = "udp-no-listener";
	v->confidence = CONFIDENCE_CERTAIN;
	add_frame(v, icmp->first);
}

static void judge_silent(struct detection *d, const struct sip_path *x, struct verdict *v)
{
	const struct facts *facts = detection_facts(d);
	enum witness witness = WITNESS_NONE;
	const char *gate = silent(d, x, &witness);

	if (gate) {
		if (strcmp(gate, "few") != 0)
			detection_pass(d, gate, "%s", silence_gate_text(gate));
		return;
	}
	if (stream_door(facts, &x->server, v))
		v->reason = x->server.port == 5061 ? "udp-on-5061" : "udp-to-tcp-only";
	else if (x->server.port == 5061)
		v->reason = "udp-on-5061";
	else if (udp_door(facts, &x->server, v))
		v->reason = "wrong-port";
	v->confidence = witness_confidence(witness, CONFIDENCE_LIKELY);
	v->hidden = true;
}

static struct verdict judge_path(struct detection *d, const struct sip_path *x, const struct icmp_tally *icmp)
{
	const struct facts *facts = detection_facts(d);
	struct verdict v = { .reason = NULL };
	bool stops;

	if (x->transport != TRANSPORT_UDP || x->answered || x->unheard->requests == 0 ||
	    sip_paths_door(facts->paths, &x->server, TRANSPORT_UDP))
		return v;
	if (site_stranger(facts->site, &x->client, &x->server.addr))
		return v;
	take_path(&v, x);
	if (icmp->count)
		judge_icmp(facts, x, icmp, &v);
	else
		judge_silent(d, x, &v);
	if (v.reason && attempts_took_over(facts, &x->client, &x->server, x->first_ns)) {
		detection_pass(d, "took-over", "another transport or port did what this one could not");
		v.reason = NULL;
	}
	stops = asked_to_register(x) || x->unheard->methods & UINT32_C(1) << SIP_INVITE;
	v.severity = stops || !v.works_at.frame || strcmp(v.works, "") == 0 ? SEVERITY_ERROR : SEVERITY_WARNING;
	if (v.reason && x->server.port == 5061)
		v.severity = SEVERITY_ERROR;         /* whoever is set up so reaches nobody */
	return v;
}

/* ---- what is said ---- */

struct wording { const char *reason, *speaks, *listens, *effect; };

static const struct wording wordings[] = {
	{ "tcp-refused", "TCP", "it refuses the connection: nothing listens there", "no connection by TCP" },
	{ "tcp-filtered", "TCP", "nothing comes back: a filter, or the host is down", "no connection by TCP" },
	{ "udp-no-listener", "SIP by UDP", "ICMP says that nothing listens there", "nothing listens there by UDP" },
	{ "udp-to-tcp-only", "SIP by UDP", "nothing comes back by UDP", "it does not answer by UDP" },
	{ "plain-to-tls-port", "SIP in clear", "a server for TLS, which ends the connection",
	  "SIP in clear on a TLS port" },
	{ "tls-to-plain-port", "TLS", "a server for SIP in clear, which cannot read it",
	  "TLS on a port for SIP in clear" },
	{ "udp-on-5061", "SIP by UDP", "5061 is the port of TLS, and nothing comes back by UDP",
	  "UDP on the port of TLS" },
	{ "wrong-port", "SIP by UDP", "nothing comes back from that port", "it uses a port that nobody answers" },
};

static const struct wording *wording_of(const char *reason)
{
	for (size_t i = 0; i < sizeof wordings / sizeof *wordings; i++) {
		if (strcmp(wordings[i].reason, reason) == 0)
			return &wordings[i];
	}
	return &wordings[0];
}

static struct finding *tell(struct detection *d, uint64_t key, const struct address *client,
	const struct endpoint *server, const struct verdict *v)
{
	const struct facts *facts = detection_facts(d);
	const struct wording *w = wording_of(v->reason);
	struct finding *f = detection_raise_keyed(d, key, v->reason, v->severity, v->confidence);
	struct endpoint from = { *client, 0 };
	char who[SAY_TEXT], where[SAY_TEXT], act[2 * SAY_TEXT + 60];

	say_host(facts, client, who);
	say_host(facts, &server->addr, where);
	finding_part(f, PART_VICTIM, &from);
	finding_part(f, v->works_at.frame || !v->hidden ? PART_CULPRIT : PART_WITNESS, server);
	finding_times(f, v->first_ns, v->last_ns);
	f->count = v->tries ? v->tries : 1;
	snprintf(act, sizeof act, "%s port %u", where, server->port);
	say_title(f, act, w->effect);
	finding_cause(f, "%s speaks %s to %s port %u, %u time%s: %s%s%s.", who, w->speaks, where, server->port,
		v->tries, v->tries == 1 ? "" : "s", w->listens,
		      *v->works ? "; what works with that host is " : "", v->works);
	finding_fix(f, "Set port, transport and security mode of %s exactly as the operator of %s states them%s%s.%s",
		who, where, *v->works ? ": here " : "", v->works,
		    strncmp(v->reason, "tcp-", 4) == 0 && strncmp(v->works, "UDP", 3) == 0 ? " Requests above 1300 bytes are tried by TCP (RFC 3261 18.1.1): fewer codecs keep them on UDP." : "");
	if (v->hidden)
		finding_cannot_see(f, "whether %s is down or something on the way drops the packets; capture there",
			where);
	for (unsigned i = 0; i < v->frame_count; i++)
		finding_evidence(f, v->frames[i], "tried in vain");
	if (v->works_at.frame)
		finding_evidence(f, v->works_at, "this works: %s", v->works);
	return f;
}

static void tell_downgraded(struct detection *d, const struct sip_path *x)
{
	const struct facts *facts = detection_facts(d);
	struct finding *f = detection_raise_keyed(d, UINT64_C(1) << 62 | x->n, "sips-downgraded", SEVERITY_WARNING,
		CONFIDENCE_CERTAIN);
	struct endpoint from = { x->client, 0 };
	char who[SAY_TEXT], where[SAY_TEXT];

	say_host(facts, &x->client, who);
	say_host(facts, &x->server.addr, where);
	finding_part(f, PART_CULPRIT, &from);
	finding_part(f, PART_WITNESS, &x->server);
	finding_times(f, x->secure_uri_at.at_ns, x->last_ns);
	f->count = x->secure_uris;
	say_title(f, who, "sips: is sent unencrypted");
	finding_cause(f,
		"%s sends %u request%s for a sips: URI to %s by %s: sips: promises TLS on every hop (RFC 3261 19.1).",
		who, x->secure_uris,
		      x->secure_uris == 1 ? "" : "s", where, x->transport == TRANSPORT_UDP ? "UDP" : "TCP");
	finding_fix(f, "Let %s use TLS towards %s, or sip: URIs where encryption is not wanted.", who, where);
	finding_evidence(f, x->secure_uri_at, "the first such request");
}

/* Large requests alone: what of it is the messages' fault is said by sip-fragmented. */
static void tell_fallback(struct detection *d, const struct tcp_fallback *x)
{
	const struct facts *facts = detection_facts(d);
	struct finding *f = detection_raise_keyed(d, UINT64_C(3) << 61 | x->flow->n, "tcp-fallback-refused",
		SEVERITY_ERROR, CONFIDENCE_LIKELY);
	char where[SAY_TEXT], act[SAY_TEXT + 40];

	say_host(facts, &x->flow->server.addr, where);
	snprintf(act, sizeof act, "%s port %u", where, x->flow->server.port);
	say_title(f, act, "no TCP for requests that are too large for UDP");
	tcp_fallback_say(f, facts, x);
	tcp_fallback_fix(f, facts, x);
	tcp_fallback_evidence(f, x);
	if (x->hidden)
		finding_cannot_see(f, "whether %s has no TCP or something on the way drops it; capture there", where);
}

/* The registrar dials, where it has a connection, or had one. */
static void tell_phone(struct detection *d, const struct attempts *a, const struct verdict *v)
{
	bool refused = strcmp(v->reason, "tcp-refused") == 0;
	struct finding *f = detection_raise_keyed(d, a->flows[0]->n, v->reason, SEVERITY_ERROR, v->confidence);

	finding_times(f, v->first_ns, v->last_ns);
	f->count = v->tries;
	phone_dialled_say(f, detection_facts(d), a->flows[0], a->phone, v->tries, refused);
	for (unsigned i = 0; i < v->frame_count; i++)
		finding_evidence(f, v->frames[i], "tried in vain");
}

/* told: findings by sip_path.n, those of Vias that lie already among them. */
static void judge_paths(struct detection *d, struct finding **told)
{
	const struct facts *facts = detection_facts(d);
	const struct list *all = sip_paths_in_order(facts->paths);
	struct icmp_tally *tallies = memory_zalloc((all->count + 1) * sizeof *tallies);

	tally_icmp(facts, tallies);
	LIST_EACH(it, all) {
		const struct sip_path *x = LIST_ENTRY(it, struct sip_path, in_order);
		struct verdict v = { .reason = NULL };

		if (!told[x->n])
			told[x->n] = via_lies_judge(d, x);
		if (!told[x->n])
			v = judge_path(d, x, &tallies[x->n]);
		if (v.reason)
			told[x->n] = tell(d, UINT64_C(1) << 61 | x->n, &x->client, &x->server, &v);
		if (x->secure_uris && !site_stranger(facts->site, &x->client, &x->server.addr))
			tell_downgraded(d, x);
	}
	sip_path_legs(facts, told);
	free(tallies);
}

static void on_event(struct detection *d, const struct event *ev)
{
	const struct facts *facts = detection_facts(d);
	const struct list *paths = sip_paths_in_order(facts->paths);
	struct finding **told = memory_zalloc((paths->count + 1) * sizeof *told);
	struct tcp_fallbacks fallbacks;
	struct attempts_list l;

	(void)ev;
	via_lies_connects(d, told);
	attempts_init(&l, facts);
	tcp_fallbacks_find(&fallbacks, d, &l);
	for (unsigned i = 0; i < l.count; i++) {
		const struct flow *first = l.groups[i].flows[0];
		const struct tcp_fallback *x = tcp_fallbacks_of(&fallbacks, &l.groups[i]);
		struct verdict v;

		if (x) {
			tell_fallback(d, x);
			continue;
		}
		v = judge_attempts(d, &l.groups[i]);
		if (v.reason && l.groups[i].phone)
			tell_phone(d, &l.groups[i], &v);
		else if (v.reason && !via_lies_told(facts, first, told))
			tell(d, first->n, &first->client.addr, &first->server, &v);
	}
	attempts_fini(&l);
	judge_paths(d, told);
	free(told);
}

const struct detector detect_transport_mismatch = {
	.id = "transport-mismatch", .doc = &doc, .keys = keys, .event = on_event,
	.events = EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = GLOBAL, .usual = SEVERITY_ERROR, .possible_max = SEVERITY_WARNING,
};
