/* SPDX-License-Identifier: MIT */
/* tls-failed: a TLS handshake for SIP fails, and why, as far as it can be read. RFC 5246 7.2, 8446 6, 5922. */
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/detect/say.h"
#include "analyzer/detect/sip_socket.h"
#include "analyzer/detect/witness.h"
#include "captures/base/memory.h"

static const char *const reasons[] = {
	"version", "no-shared-cipher", "cert-expired", "cert-not-yet-valid", "unknown-ca", "cert-name", "cert-rejected",
	"client-cert-missing",
	"hello-unanswered", "closed-after-hello", "alert-other", "encrypted-alert", NULL,
};

static const struct detector_doc doc = {
	.says = "the TLS handshake failed, and why",
	.symptom = "A TLS trunk or phone does not come up.",
	.evidence = "Alerts in clear, the certificate's dates, names and issuer, what is missing of a handshake, lengths of encrypted records.",
	.mimics = "A keep-alive or goodbye, which look like an alert in TLS 1.3; a second try with another version; probes; certificate monitors.",
	.fix = "By reason: renew the certificate, install its chain, load the CA, dial the name that it has, set the clock, give the client a certificate.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "tries", 2, "tries", 1, 100, "field: one may be a test" },
	{ "close-s", 1, "s", 0.01, 60, "field: who refuses closes at once" },
	{ "hello-copies", 3, "copies", 1, 20, "RFC 6298: a lost segment comes again after 0.2 s and more" },
	{ 0 },
};

enum { ALERT_RECORD = 19, EMPTY_CERTIFICATE = 25, TLS_13 = 0x0304, TLS_LARGE = 1300 };

enum {
	ALERT_HANDSHAKE = 40, ALERT_BAD_CERTIFICATE = 42, ALERT_UNSUPPORTED_CERTIFICATE = 43, ALERT_REVOKED = 44,
		ALERT_EXPIRED = 45, ALERT_UNKNOWN = 46,
	ALERT_UNKNOWN_CA = 48, ALERT_ACCESS = 49, ALERT_DECRYPT = 51, ALERT_VERSION = 70, ALERT_SECURITY = 71,
	ALERT_NAME = 112, ALERT_REQUIRED = 116
};

struct tls_failure {
	const struct flow *flow;
	const char *reason;          /* NULL: it did not fail */
	enum confidence confidence;
	unsigned refuser;            /* FLOW_CLIENT, FLOW_SERVER */
	bool flight_lost;            /* the server's first words do not arrive */
	bool accepted;               /* what should have failed did not: the certificate has expired */
	struct frame_ref at;         /* what shows it */
};

static const char *alert_name(uint8_t code)
{
	static const struct { uint8_t code; const char *name; } names[] = {
		{ 10, "unexpected message" }, { 20, "bad record MAC" }, { 22, "record overflow" },
		  { 40, "handshake failure" }, { 41, "no certificate" },
		{ 42, "bad certificate" }, { 43, "unsupported certificate" }, { 44, "certificate revoked" },
		  { 45, "certificate expired" },
		{ 46, "certificate unknown" }, { 47, "illegal parameter" }, { 48, "unknown CA" },
		  { 49, "access denied" }, { 50, "decode error" },
		{ 51, "decrypt error" }, { 70, "protocol version" }, { 71, "insufficient security" },
		  { 80, "internal error" },
		{ 86, "inappropriate fallback" }, { 90, "user canceled" }, { 109, "missing extension" },
		  { 110, "unsupported extension" },
		{ 112, "unrecognized name" }, { 113, "bad certificate status response" },
		  { 115, "unknown PSK identity" },
		{ 116, "certificate required" }, { 120, "no application protocol" },
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (names[i].code == code)
			return names[i].name;
	}
	return "an alert";
}

static const char *version_name(uint16_t version)
{
	switch (version) {
	case 0x0300: return "SSL 3.0";
	case 0x0301: return "TLS 1.0";
	case 0x0302: return "TLS 1.1";
	case 0x0303: return "TLS 1.2";
	case 0x0304: return "TLS 1.3";
	}
	return "an unknown version";
}

/* ---- reasons ---- */

static bool expired(const struct flow *x)
{
	return x->certificate.seen && x->certificate.not_after_s != INT64_MAX &&
	       x->first_ns / SECOND_NS > x->certificate.not_after_s;
}

static bool too_young(const struct flow *x)
{
	return x->certificate.seen && x->certificate.not_before_s != INT64_MIN &&
	       x->first_ns / SECOND_NS < x->certificate.not_before_s;
}

/* A client refuses the server's certificate: the alert says it, or, where it is vague, what the certificate says. */
static const char *certificate_reason(const struct flow *x, uint8_t alert)
{
	bool vague = alert == ALERT_BAD_CERTIFICATE || alert == ALERT_UNKNOWN || alert == ALERT_EXPIRED;

	if (alert == ALERT_UNKNOWN_CA)
		return "unknown-ca";
	if (vague && too_young(x))
		return "cert-not-yet-valid";
	if (alert == ALERT_EXPIRED || (vague && expired(x)))
		return "cert-expired";
	if (vague && x->certificate.seen && x->certificate.self_issued)
		return "unknown-ca";
	if ((vague || alert == ALERT_NAME) && x->certificate.seen && !x->certificate.covers)
		return "cert-name";
	return "cert-rejected";
}

static bool about_certificate(uint8_t alert)
{
	return (alert >= ALERT_BAD_CERTIFICATE && alert <= ALERT_UNKNOWN) || alert == ALERT_UNKNOWN_CA ||
	       alert == ALERT_ACCESS || alert == ALERT_DECRYPT;
}

static const char *server_alert_reason(const struct flow *x, uint8_t alert)
{
	if (alert == ALERT_REQUIRED)
		return "client-cert-missing";
	if (x->client_certificate_empty && (alert == ALERT_HANDSHAKE || alert == ALERT_BAD_CERTIFICATE))
		return "client-cert-missing";
	if (alert == ALERT_VERSION)
		return "version";
	if (!x->server_hello_at.frame && (alert == ALERT_HANDSHAKE || alert == ALERT_SECURITY))
		return "no-shared-cipher";
	if (x->client_certificate && about_certificate(alert))
		return alert == ALERT_UNKNOWN_CA ? "unknown-ca" : alert == ALERT_EXPIRED ? "cert-expired" : "cert-rejected";
	return "alert-other";
}

static const char *client_alert_reason(const struct flow *x, uint8_t alert)
{
	if (alert == ALERT_VERSION)
		return "version";
	return about_certificate(alert) || (alert == ALERT_NAME && x->certificate.seen) ? certificate_reason(x,
	       alert) : "alert-other";
}

/* In clear: whoever sent it refuses. A warning counts where the connection then ends without having come up. */
static bool judge_alert(const struct flow *x, struct tls_failure *f)
{
	for (unsigned side = 0; side < 2; side++) {
		const struct flow_side *s = &x->side[side];

		if (s->alert_level == 0 || (s->alert_level == 1 && flow_secured(x)))
			continue;
		f->refuser = side;
		f->at = s->alert_at;
		f->confidence = CONFIDENCE_CERTAIN;
		f->reason = side == FLOW_CLIENT ? client_alert_reason(x, s->alert) : server_alert_reason(x, s->alert);
		return true;
	}
	return false;
}

static bool ends(const struct flow_side *s)
{
	return s->fin_at.frame || s->rst_at.frame;
}

static int64_t end_ns(const struct flow *x)
{
	int64_t at_ns = INT64_MAX;

	for (unsigned i = 0; i < 2; i++) {
		if (x->side[i].fin_at.frame && x->side[i].fin_at.at_ns < at_ns)
			at_ns = x->side[i].fin_at.at_ns;
		if (x->side[i].rst_at.frame && x->side[i].rst_at.at_ns < at_ns)
			at_ns = x->side[i].rst_at.at_ns;
	}
	return at_ns;
}

/*
 * TLS 1.3: a record of 19 bytes is an alert, a goodbye or a keep-alive of two bytes. Refusal it is only where its
 * sender sent nothing behind its handshake flight, the other side had not left, and the connection ends at once. A
 * client's flight ends with a Finished of 53 or 69 bytes: a 19 in place of it refuses the server.
 */
static bool judge_hidden(const struct detection *d, const struct flow *x, struct tls_failure *f)
{
	int64_t close_ns = (int64_t)(detection_key(d, "close-s") * 1e9);
	const struct flow_side *client = &x->side[FLOW_CLIENT], *server = &x->side[FLOW_SERVER];

	if (x->chosen < TLS_13 || x->partial || !x->hello_at.frame)
		return false;
	if (client->record_count == 1 && client->records[0] == ALERT_RECORD && x->late_count == 0 &&
	    ns_minus(end_ns(x), client->record_at.at_ns) <= close_ns) {
		f->refuser = FLOW_CLIENT;
		f->at = client->record_at;
		f->reason = "encrypted-alert";
		f->confidence = CONFIDENCE_LIKELY;
		return true;
	}
	if (x->late_count != 1 || x->late_first != ALERT_RECORD || x->client_left || client->record_count < 1 ||
	    ns_minus(end_ns(x), server->record_at.at_ns) > close_ns)
		return false;
	f->refuser = FLOW_SERVER;
	f->at = server->record_at;
	f->reason = client->records[0] == EMPTY_CERTIFICATE ? "client-cert-missing" : "encrypted-alert";
	f->confidence = CONFIDENCE_LIKELY;
	return true;
}

/* The client leaves at a certificate that has expired, without a word: before the session stands, and first. */
static bool judge_left(const struct flow *x, struct tls_failure *f)
{
	const struct flow_side *client = &x->side[FLOW_CLIENT], *server = &x->side[FLOW_SERVER];
	const struct frame_ref *left = client->fin_at.frame ? &client->fin_at : &client->rst_at;

	if (x->partial || !expired(x) || !left->frame || left->at_ns > end_ns(x) || client->cipher_changed ||
	    server->cipher_changed)
		return false;
	f->refuser = FLOW_CLIENT;
	f->at = *left;
	f->reason = "cert-expired";
	f->confidence = CONFIDENCE_LIKELY;
	return true;
}

/* The server says nothing to the ClientHello, or ends. */
static bool judge_mute(struct detection *d, const struct flow *x, struct tls_failure *f)
{
	const struct flow_side *client = &x->side[FLOW_CLIENT], *server = &x->side[FLOW_SERVER];
	const struct flow_service *service = flows_service(detection_facts(d)->flows, &x->server);
	struct silence s = { .src = x->client, .dst = x->server, .first_ns = client->first_at.at_ns,
		.last_ns = x->last_ns, .copies = 1 + client->opening_copies };
	enum witness witness;

	if (client->first != FLOW_TLS || server->first != FLOW_NOTHING || !flow_accepted(x) || x->partial)
		return false;
	f->refuser = FLOW_SERVER;
	f->confidence = CONFIDENCE_LIKELY;
	if (ends(server) && (!ends(client) ||
	    end_ns(x) != (client->fin_at.frame ? client->fin_at.at_ns : client->rst_at.at_ns))) {
		f->at = server->fin_at.frame ? server->fin_at : server->rst_at;
		f->reason = x->offered && service &&
			service->lowest_secured > x->offered ? "version" : "closed-after-hello";
		return true;
	}
	if (client->opening_copies < detection_key(d, "hello-copies") ||
	    silence_gate(detection_facts(d), &s, detection_config(d, "signalling", "tail-s"), &witness))
		return false;
	f->at = client->first_at;
	f->reason = "hello-unanswered";
	f->confidence = witness_confidence(witness, CONFIDENCE_LIKELY);
	return true;
}

/*
 * The server answers, and what it says comes again and again: the client acknowledges none of it. Its certificates make
 * the first large segments on the way there.
 */
static bool judge_flight(struct detection *d, const struct flow *x, struct tls_failure *f)
{
	const struct flow_side *client = &x->side[FLOW_CLIENT], *server = &x->side[FLOW_SERVER];
	struct silence s = { .src = x->server, .dst = x->client, .first_ns = server->first_at.at_ns,
		.last_ns = x->last_ns, .copies = 1 + server->flight_copies };
	enum witness witness;

	if (client->first != FLOW_TLS || server->first != FLOW_TLS || x->partial || server->taken ||
	    client->bytes > client->opening_bytes || server->flight_copies < detection_key(d, "hello-copies") ||
	    silence_gate(detection_facts(d), &s, detection_config(d, "signalling", "tail-s"), &witness))
		return false;
	f->refuser = FLOW_CLIENT;
	f->flight_lost = true;
	f->at = server->first_at;
	f->reason = "hello-unanswered";
	f->confidence = witness_confidence(witness, CONFIDENCE_LIKELY);
	return true;
}

/* Plain speech on either side is a question of ports: transport-mismatch tells it. */
static struct tls_failure judge(struct detection *d, const struct flow *x)
{
	const struct flow_service *service = flows_service(detection_facts(d)->flows, &x->server);
	struct tls_failure f = { .flow = x, .reason = NULL };

	if (x->side[FLOW_CLIENT].first != FLOW_TLS || x->side[FLOW_SERVER].first == FLOW_SIP ||
	    x->side[FLOW_SERVER].first == FLOW_OTHER || x->side[FLOW_SERVER].first == FLOW_LATER)
		return f;
	if (service && service->plain && !service->secured && x->side[FLOW_SERVER].first == FLOW_NOTHING)
		return f;
	if (!judge_alert(x, &f) && !flow_secured(x) && !judge_hidden(d, x, &f) && !judge_left(x, &f) &&
	    !judge_flight(d, x, &f))
		judge_mute(d, x, &f);
	return f;
}

/* ---- what is said ---- */

/* Failures of one reason at one server, by one refuser. */
struct verdict {
	struct tls_failure *list;
	unsigned count;
};

static bool is(const struct tls_failure *f, const char *reason)
{
	return strcmp(f->reason, reason) == 0;
}

static bool of_certificate(const struct tls_failure *f)
{
	return strncmp(f->reason, "cert-", 5) == 0 || is(f, "unknown-ca");
}

/* Who can mend it: the owner of the certificate that was refused; the client that has none; else the server. */
static unsigned culprit_of(const struct tls_failure *f)
{
	if (of_certificate(f))
		return f->refuser == FLOW_CLIENT ? FLOW_SERVER : FLOW_CLIENT;
	if (is(f, "client-cert-missing"))
		return FLOW_CLIENT;
	return f->refuser;
}

static void date_text(int64_t at_s, char text[NS_TEXT])
{
	if (at_s > -INT64_C(9000000000) && at_s < INT64_C(9000000000))
		ns_rfc3339(at_s * SECOND_NS, text);
	else
		snprintf(text, NS_TEXT, "?");
	if (strlen(text) > 10)
		text[10] = '\0';
}

static void say_certificate(const struct tls_failure *f, char *text, size_t room)
{
	const struct flow *x = f->flow;
	const struct flow_certificate *c = &x->certificate;
	char from[NS_TEXT], to[NS_TEXT];

	*text = '\0';
	if (!c->seen || f->refuser == FLOW_SERVER)
		return;                      /* what a server refuses is the client's */
	date_text(c->not_before_s, from);
	date_text(c->not_after_s, to);
	snprintf(text, room,
		" The certificate: subject %s, names %s, issuer %s%s, valid %s to %s; the client asked for %s.",
		*c->subject ? c->subject : "none",
		 *c->names ? c->names : "none", *c->issuer ? c->issuer : "none", c->self_issued ? " (itself)" : "",
		 from, to,
		 *x->server_name ? x->server_name : "no name");
}

static void say_why(const struct tls_failure *f, char *text, size_t room)
{
	const struct flow *x = f->flow;
	const struct flow_side *s = &x->side[f->refuser];

	if (s->alert_level && is(f, "client-cert-missing"))
		snprintf(text, room, "it asks for a certificate, and the client sent none: alert %u, %s", s->alert,
			alert_name(s->alert));
	else if (s->alert_level)
		snprintf(text, room, "alert %u, %s (%s)", s->alert, alert_name(s->alert), f->reason);
	else if (is(f, "client-cert-missing"))
		snprintf(text, room, "the client sent an empty certificate, by the length of its record, and was shown the door with an encrypted alert");
	else if (is(f, "cert-expired"))
		snprintf(text, room, "it leaves at a certificate that has expired, without an alert");
	else if (is(f, "encrypted-alert"))
		snprintf(text, room, "the alert is encrypted, its reason stands in the log of who sent it");
	else if (is(f, "closed-after-hello"))
		snprintf(text, room, "it ends the connection at the ClientHello, without an alert");
	else if (is(f, "version"))
		snprintf(text, room,
			"it ends the connection at a ClientHello that offers %s at most; others got through with more",
			version_name(x->offered));
	else if (f->flight_lost)
		snprintf(text, room, "the server's answer was sent %u times and not acknowledged: its segments of up to %u bytes may be too big for the way (MTU)",
			1 + x->side[FLOW_SERVER].flight_copies, x->side[FLOW_SERVER].opening_bytes);
	else
		snprintf(text, room, "the ClientHello of %u bytes was sent %u times and not answered%s",
			x->side[FLOW_CLIENT].opening_bytes,
			 1 + x->side[FLOW_CLIENT].opening_copies, x->side[FLOW_CLIENT].opening_bytes > TLS_LARGE ?
			 ": so large a segment may be too big for the way (MTU)" : "");
}

static void tell_fix(struct finding *f, const struct tls_failure *x, const char *client, const char *server)
{
	if (is(x, "cert-expired"))
		finding_fix(f, "Renew the certificate of %s.", x->refuser == FLOW_CLIENT ? server : client);
	else if (is(x, "cert-not-yet-valid"))
		finding_fix(f, "Set the clock of %s by NTP; if it is right, the certificate was made for later.",
			client);
	else if (is(x, "unknown-ca"))
		finding_fix(f, "Load the CA of the certificate into %s, or install the full chain on %s.",
			x->refuser == FLOW_CLIENT ? client : server, x->refuser == FLOW_CLIENT ? server : client);
	else if (is(x, "cert-name"))
		finding_fix(f, "Let %s dial a name that is in the certificate, or have one made with the name that is dialled.", client);
	else if (is(x, "client-cert-missing"))
		finding_fix(f, "Give %s a client certificate that %s accepts, or do not ask for one there.", client,
			server);
	else if (is(x, "version"))
		finding_fix(f, "Allow a version of TLS that both have: %s offers %s at most.", client,
			version_name(x->flow->offered));
	else if (is(x, "no-shared-cipher"))
		finding_fix(f, "Allow a cipher suite on %s that %s offers.", server, client);
	else if (x->flight_lost)
		finding_fix(f, "Look at the MTU of the way from %s to %s: a tunnel or PPPoE line that neither fragments nor tells (ICMP \"fragmentation needed\" filtered); let the router clamp the MSS, or lower the MTU of %s.", server, client, server);
	else if (is(x, "hello-unanswered"))
		finding_fix(f, "Look for a filter on the way, and for its MTU where the first message is large.");
	else
		finding_fix(f, "Look into the log of %s: it refused.", x->refuser == FLOW_CLIENT ? client : server);
}

static enum severity severity_of(const struct detection *d, const struct verdict *v)
{
	return v->count >= detection_key(d, "tries") && !v->list[0].accepted ? SEVERITY_ERROR : SEVERITY_WARNING;
}

static void add_parts(struct finding *f, const struct verdict *v)
{
	const struct tls_failure *first = &v->list[0];
	unsigned culprit = first->flight_lost ? 2 : culprit_of(first);       /* 2: what lies between them */

	if (culprit == FLOW_SERVER)
		finding_part(f, PART_CULPRIT, &first->flow->server);
	for (unsigned i = 0; i < v->count; i++) {
		struct endpoint client = { v->list[i].flow->client.addr, 0 };

		finding_part(f, culprit == FLOW_CLIENT ? PART_CULPRIT : PART_VICTIM, &client);
	}
	if (culprit != FLOW_SERVER)
		finding_part(f, PART_WITNESS, &first->flow->server);
}

static void tell(struct detection *d, const struct verdict *v)
{
	const struct facts *facts = detection_facts(d);
	const struct tls_failure *first = &v->list[0];
	struct finding *f = detection_raise_keyed(d, first->flow->n, first->reason, severity_of(d, v),
		first->confidence);
	char client[SAY_TEXT], server[SAY_TEXT], why[240], certificate[7 * FLOW_NAME], act[2 * SAY_TEXT + 40];
	bool mute;

	say_host(facts, &first->flow->client.addr, client);
	say_host(facts, &first->flow->server.addr, server);
	say_why(first, why, sizeof why);
	say_certificate(first, certificate, sizeof certificate);
	add_parts(f, v);
	finding_times(f, first->flow->first_ns, v->list[v->count - 1].flow->last_ns);
	f->count = v->count;
	mute = is(first, "hello-unanswered");
	snprintf(act, sizeof act, mute ? "%s says no more to the TLS of %s" : "%s refuses TLS with %s", first->refuser == FLOW_CLIENT ? client : server,
		first->refuser == FLOW_CLIENT ? server : client);
	if (first->accepted) {
		finding_title(f, "The certificate of %s has expired; %s takes it all the same", server, client);
		finding_cause(f, "%s took the certificate of %s (port %u) in %u handshake%s although it has expired.%s", client,
			server, first->flow->server.port, v->count, v->count == 1 ? "" : "s", certificate);
		tell_fix(f, first, client, server);
		finding_evidence(f, first->flow->certificate.at, "the server's certificate");
		return;
	}
	say_title(f, act, "no encrypted signalling");
	finding_cause(f, mute ? "%s said no more to the TLS of %s (port %u) %u time%s: %s.%s"
		: "%s refused TLS with %s (port %u) %u time%s: %s.%s",
		first->refuser == FLOW_CLIENT ? client : server,
		      first->refuser == FLOW_CLIENT ? server : client, first->flow->server.port, v->count,
		      v->count == 1 ? "" : "s", why, certificate);
	tell_fix(f, first, client, server);
	if (mute)
		finding_cannot_see(f, "where on the way it is lost; capture at %s to decide",
			first->refuser == FLOW_CLIENT ? client : server);
	else if (first->confidence < CONFIDENCE_CERTAIN)
		finding_cannot_see(f, "the reason in words: it stands in the log of %s",
			first->refuser == FLOW_CLIENT ? client : server);
	for (unsigned i = 0; i < v->count && i < 4; i++) {
		finding_evidence(f, v->list[i].flow->hello_at.frame ? v->list[i].flow->hello_at
			: v->list[i].flow->first_at, "ClientHello");
		if (i == 0 && first->flow->certificate.seen && first->refuser == FLOW_CLIENT)
			finding_evidence(f, first->flow->certificate.at, "the server's certificate");
		finding_evidence(f, v->list[i].at, "here it fails");
	}
}

/* ---- all attempts ---- */

/*
 * Failures behind the last success count, and those before it that nothing has mended in time. One walk from the end.
 */
static unsigned failures_of(struct detection *d, const struct attempts *a, struct tls_failure *list)
{
	int64_t window_ns = (int64_t)(detection_config(d, "signalling", "recover-s") * 1e9),
		next_success_ns = INT64_MAX;
	unsigned n = 0;

	for (unsigned i = a->count; i-- > 0;) {
		struct tls_failure f = judge(d, a->flows[i]);

		if (!f.reason && flow_secured(a->flows[i])) {
			next_success_ns = a->flows[i]->first_ns;
			if (expired(a->flows[i]))
				list[n++] = (struct tls_failure){ .flow = a->flows[i], .reason = "cert-expired",
					.confidence = CONFIDENCE_CERTAIN, .accepted = true,
					.at = a->flows[i]->certificate.at };
			continue;
		}
		if (f.reason && (next_success_ns == INT64_MAX ||
		    ns_minus(next_success_ns, f.flow->last_ns) > window_ns))
			list[n++] = f;
	}
	return n;
}

static int failure_compare(const void *a, const void *b)
{
	const struct tls_failure *x = a, *y = b;
	int c = endpoint_compare(&x->flow->server, &y->flow->server);

	if (c == 0)
		c = strcmp(x->reason, y->reason);
	if (c == 0)
		c = (x->refuser > y->refuser) - (x->refuser < y->refuser);
	if (c == 0)
		c = x->accepted - y->accepted;
	return c ? c : (x->flow->n > y->flow->n) - (x->flow->n < y->flow->n);
}

static bool alike(const struct tls_failure *x, const struct tls_failure *y)
{
	return endpoint_equal(&x->flow->server, &y->flow->server) && strcmp(x->reason, y->reason) == 0 &&
	       x->refuser == y->refuser && x->accepted == y->accepted;
}

static void tell_all(struct detection *d, struct tls_failure *list, unsigned count)
{
	unsigned n;

	if (count)
		qsort(list, count, sizeof *list, failure_compare);
	for (unsigned i = 0; i < count; i += n) {
		struct verdict v = { &list[i], 0 };

		for (n = 1; i + n < count && alike(&list[i], &list[i + n]); n++)
			;
		v.count = n;
		tell(d, &v);
	}
}

static void on_event(struct detection *d, const struct event *ev)
{
	const struct facts *facts = detection_facts(d);
	struct tls_failure *list = memory_resize(NULL, flows_in_order(facts->flows)->count + 1, sizeof *list);
	struct attempts_list l;
	unsigned count = 0;

	(void)ev;
	attempts_init(&l, facts);
	for (unsigned i = 0; i < l.count; i++) {
		if (sip_socket_tls(facts, &l.groups[i].flows[0]->server) || l.groups[i].flows[0]->server.port == 5060)
			count += failures_of(d, &l.groups[i], list + count);
	}
	tell_all(d, list, count);
	if (count == 0)
		detection_pass(d, NULL, "no handshake for SIP failed for good (%u pairs of hosts)", l.count);
	attempts_fini(&l);
	free(list);
}

const struct detector detect_tls_failed = {
	.id = "tls-failed", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = GLOBAL, .usual = SEVERITY_ERROR, .possible_max = SEVERITY_WARNING,
};
