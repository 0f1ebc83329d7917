/* SPDX-License-Identifier: MIT */
/*
 * cleartext: what of signalling and media can be read by whoever sees it. A fact, unless the profile asks for
 * encryption. Finding page 5, section 10.
 */
#include <stdio.h>

#include "analyzer/detect/say.h"
#include "analyzer/network/tls_pair.h"
#include "analyzer/site.h"
#include "dissect/sip_digest.h"

static const char *const reasons[] = { "sip-plain", "rtp-plain", "tls-signalling-plain-media", "digest-md5",
	"dtmf-plain", "provisioning-plain", "ldap-plain", NULL };

static const struct detector_doc doc = {
	.says = "signalling or media can be read",
	.symptom = "None; who calls whom, and what is said, is open to everybody on the way.",
	.evidence = "SIP over UDP or TCP; phones that fetch their configuration by HTTP or TFTP, or give a directory (LDAP) their password; G.711 that has pauses as speech has, which nothing encrypted has.",
	.mimics = "SRTP whose keys were exchanged inside TLS; compressed codecs look alike either way and are not judged.",
	.fix = "TLS for SIP and SRTP for media, on the way to outside first.",
	.reasons = reasons,
};

static const struct config_key keys[] = { { 0 } };

enum scope_of_hop { SCOPE_INSIDE, SCOPE_WAN, SCOPES };
enum { SAMPLES_LEAST = 25, PACKETS_LEAST = 100 };

struct seen {
	struct frame_ref at, digest_at;
	uint64_t messages;
	struct endpoint one, other;  /* of the first message */
	int64_t last_ns;
};

struct clear_state {
	struct seen sip[SCOPES];
};

/* A group is where its sender is: a page to all phones does not leave the site. */
static enum scope_of_hop scope_of(const struct facts *facts, const struct address *a, const struct address *b)
{
	return site_inside(facts->site, a) && (address_multicast(b) || site_inside(facts->site, b)) ? SCOPE_INSIDE : SCOPE_WAN;
}

static bool wants_encryption(const struct facts *facts, enum scope_of_hop scope)
{
	return facts->site->encryption == ENCRYPTION_ALL ||
	       (facts->site->encryption == ENCRYPTION_WAN && scope == SCOPE_WAN);
}

/* ---- signalling, as it passes ---- */

static bool md5(const struct sip_message *m)
{
	const struct sip_header *h = sip_header_find(m, SIP_H_AUTHORIZATION);
	struct sip_digest d;

	if (!h)
		h = sip_header_find(m, SIP_H_PROXY_AUTHORIZATION);
	return h && sip_digest_parse(h->value, &d) && (!d.algorithm.n || span_starts_nocase(d.algorithm, SPAN("MD5")));
}

static void take_sip(struct detection *d, const struct packet *p)
{
	struct clear_state *state = detection_state(d);
	struct seen *s = &state->sip[scope_of(detection_facts(d), &p->src.addr, &p->dst.addr)];
	struct frame_ref at = { p->at_ns, p->frame, p->file, p->interface };

	if (p->transport != TRANSPORT_UDP && p->transport != TRANSPORT_TCP && p->transport != TRANSPORT_WS)
		return;
	if (s->messages++ == 0) {
		s->at = at;
		s->one = p->src;
		s->other = p->dst;
	}
	s->last_ns = p->at_ns;
	if (!s->digest_at.frame && p->sip->request && md5(p->sip))
		s->digest_at = at;
}

/* ---- media ---- */

/*
 * What is encrypted, taken for G.711, is noise of -4 dBm0 in every packet (all codes equally often; of 32 codes the
 * power varies by a third). Speech has pauses, or is never as loud.
 */
#define NOISE_DBM0 (-8.0f)

static bool is_plain(const struct stream *s)
{
	struct stream_sound heard;

	if (!s->accepted || s->packets < PACKETS_LEAST)
		return false;
	heard = stream_sound(s);
	return heard.samples >= SAMPLES_LEAST && (heard.samples > heard.speech || heard.max_dbm0 < NOISE_DBM0);
}

static const struct stream *plain_stream(const struct facts *facts, enum scope_of_hop scope, uint64_t *ret_count,
	bool *ret_events)
{
	const struct stream *first = NULL;

	*ret_count = 0;
	*ret_events = false;
	LIST_EACH(it, streams_in_order(facts->streams)) {
		const struct stream *s = LIST_ENTRY(it, struct stream, in_order);

		if (!is_plain(s) || scope_of(facts, &s->src.addr, &s->dst.addr) != scope)
			continue;
		++*ret_count;
		*ret_events |= s->events > 0;
		if (!first)
			first = s;
	}
	return first;
}

/* ---- findings ---- */

static const char *scope_word(enum scope_of_hop scope)
{
	return scope == SCOPE_WAN ? "to or from outside" : "inside";
}

static struct finding *raise(struct detection *d, enum scope_of_hop scope, unsigned key, const char *reason)
{
	return detection_raise_keyed(d, key * SCOPES + scope, reason,
	       wants_encryption(detection_facts(d), scope) ? SEVERITY_WARNING : SEVERITY_INFO,
				     CONFIDENCE_CERTAIN);
}

static void judge_sip(struct detection *d, enum scope_of_hop scope)
{
	const struct clear_state *state = detection_state(d);
	const struct seen *s = &state->sip[scope];
	struct finding *f;

	if (!s->messages)
		return;
	f = raise(d, scope, 0, "sip-plain");
	finding_title(f, "SIP %s can be read", scope_word(scope));
	finding_cause(f, "%s %s went over UDP or TCP without TLS: who calls whom can be read and changed.",
		SAY_COUNTED(s->messages, "SIP message"), scope_word(scope));
	if (s->digest_at.frame) {
		finding_other_reason(f, "digest-md5");
		text_add(&f->cause, " Passwords are proven by MD5 digests, which can be guessed offline.");
		finding_evidence(f, s->digest_at, "credentials by MD5 digest");
	}
	finding_fix(f, "Use TLS between the hosts, to the provider first.");
	finding_evidence(f, s->at, "the first of these messages");
	finding_part(f, PART_WITNESS, &s->one);
	finding_part(f, PART_WITNESS, &s->other);
	finding_times(f, s->at.at_ns, s->last_ns);
	f->count = 1;
}

static void judge_rtp(struct detection *d, enum scope_of_hop scope)
{
	uint64_t count;
	bool events;
	const struct stream *s = plain_stream(detection_facts(d), scope, &count, &events);
	struct finding *f;

	if (!s)
		return;
	f = raise(d, scope, 1, "rtp-plain");
	finding_title(f, "Audio %s can be heard by whoever sees it", scope_word(scope));
	finding_cause(f, "%s %s %s not encrypted: the payload is speech, not noise.", SAY_COUNTED(count, "audio stream"),
		scope_word(scope), count == 1 ? "is" : "are");
	if (events) {
		finding_other_reason(f, "dtmf-plain");
		text_add(&f->cause, " Digits that are dialled in calls (PINs) go with them.");
	}
	finding_fix(f, "Use SRTP, with DTLS or with keys inside TLS.");
	finding_evidence(f, stream_frame(s, s->first_frame, s->first_ns), "the first such stream");
	finding_part(f, PART_WITNESS, &s->src);
	finding_part(f, PART_WITNESS, &s->dst);
	finding_times(f, s->first_ns, s->last_ns);
	f->count = 1;
}

/* The first of those to SIP. */
static const struct tls_pair *tls_of(const struct facts *facts, const struct stream *s)
{
	const struct tls_pair *first = NULL;

	for (const struct tls_pair *t = tls_pairs_between(facts->tls, &s->src.addr, &s->dst.addr, NULL); t;
	     t = tls_pairs_between(facts->tls, &s->src.addr, &s->dst.addr, t)) {
		if (t->to_sip && !t->dtls && (!first || t->n < first->n))
			first = t;
	}
	return first;
}

/* Signalling is hidden, and the same two hosts speak in clear. */
static void judge_tls(struct detection *d)
{
	const struct facts *facts = detection_facts(d);

	LIST_EACH(it, streams_in_order(facts->streams)) {
		const struct stream *s = LIST_ENTRY(it, struct stream, in_order);
		const struct tls_pair *t = is_plain(s) ? tls_of(facts, s) : NULL;
		char one[SAY_TEXT], other[SAY_TEXT];
		struct finding *f;

		if (!t)
			continue;
		f = raise(d, scope_of(facts, &s->src.addr, &s->dst.addr), 2, "tls-signalling-plain-media");
		say_host(facts, &t->client, one);
		say_host(facts, &t->server.addr, other);
		finding_title(f, "TLS protects the signalling, the audio can be heard");
		finding_cause(f, "%s and %s signal over TLS on port %u, and their audio is not encrypted: the payload is speech, not noise.", one, other,
			      t->server.port);
		finding_fix(f, "Switch SRTP on for these accounts, on both sides.");
		finding_evidence(f, t->first_at, "TLS between the two");
		finding_evidence(f, stream_frame(s, s->first_frame, s->first_ns), "plain audio between the two");
		finding_part(f, PART_WITNESS, &s->src);
		finding_part(f, PART_WITNESS, &s->dst);
		finding_times(f, s->first_ns, s->last_ns);
		f->count = 1;
		return;
	}
}

/* A configuration holds the account's password. What it is named and what it says stays unread. */
static void judge_provisioning(struct detection *d, enum scope_of_hop scope)
{
	const struct facts *facts = detection_facts(d);
	struct finding *f = NULL;
	unsigned count = 0;
	char at[SAY_TEXT];

	for (unsigned i = 0; i < facts->capture->provisioned_count; i++) {
		const struct provisioned *x = &facts->capture->provisioned[i];
		struct endpoint client = { x->client, 0 };

		if (x->by == FETCH_LDAP || scope_of(facts, &x->client, &x->server.addr) != scope)
			continue;
		if (!f) {
			f = raise(d, scope, 3, "provisioning-plain");
			finding_times(f, x->first_at.at_ns, x->first_at.at_ns);
		}
		f->last_ns = x->first_at.at_ns > f->last_ns ? x->first_at.at_ns : f->last_ns;
		finding_part(f, PART_WITNESS, &client);
		finding_part(f, PART_CULPRIT, &x->server);
		finding_evidence(f, x->first_at, "configuration asked for by %s from %s", x->by == FETCH_TFTP ? "TFTP" : "HTTP",
			say_host(facts, &x->server.addr, at));
		count++;
	}
	if (!f)
		return;
	finding_title(f, "%u phone%s fetch%s %s configuration in clear", count, count == 1 ? "" : "s",
		count == 1 ? "es" : "", count == 1 ? "its" : "their");
	finding_cause(f,
		"%u phone%s ask%s for a configuration file by HTTP or TFTP %s: it holds the passwords of the accounts.",
		count, count == 1 ? "" : "s",
		      count == 1 ? "s" : "", scope_word(scope));
	finding_fix(f, "Offer configurations by HTTPS only, with certificates of the phones; change passwords that went over the line.");
	f->count = count;
}

/* Hosts of telephony alone: what else asks the directory is not our matter. Who binds, and by what, stays unread. */
static bool speaks_sip(const struct facts *facts, const struct address *a)
{
	const struct host *h = network_host_find(facts->network, a);

	return h && (h->transports || host_role_of_agent(h->user_agent) == ROLE_PHONE);
}

static void judge_directory(struct detection *d, enum scope_of_hop scope)
{
	const struct facts *facts = detection_facts(d);
	struct finding *f = NULL;
	unsigned count = 0;
	char at[SAY_TEXT];

	for (unsigned i = 0; i < facts->capture->provisioned_count; i++) {
		const struct provisioned *x = &facts->capture->provisioned[i];
		struct endpoint client = { x->client, 0 };

		if (x->by != FETCH_LDAP || scope_of(facts, &x->client, &x->server.addr) != scope ||
		    !speaks_sip(facts, &x->client))
			continue;
		if (!f) {
			f = raise(d, scope, 4, "ldap-plain");
			finding_times(f, x->first_at.at_ns, x->first_at.at_ns);
		}
		f->last_ns = x->first_at.at_ns > f->last_ns ? x->first_at.at_ns : f->last_ns;
		finding_part(f, PART_WITNESS, &client);
		finding_part(f, PART_CULPRIT, &x->server);
		finding_evidence(f, x->first_at, "password given to the directory %s (LDAP simple bind)",
			say_host(facts, &x->server.addr, at));
		count++;
	}
	if (!f)
		return;
	finding_title(f, "%u phone%s or server%s give%s the directory a password in clear", count,
		count == 1 ? "" : "s", count == 1 ? "" : "s", count == 1 ? "s" : "");
	finding_cause(f, "%u host%s of telephony ask%s a directory (LDAP) %s with a password and without TLS: password, names and numbers can be read on the way.",
		count, count == 1 ? "" : "s", count == 1 ? "s" : "", scope_word(scope));
	finding_fix(f, "Use LDAP over TLS (port 636, or StartTLS before the bind) on phones, PBX and directory; change the password that went over the line, and let it belong to an account that may only read the phone book.");
	f->count = count;
}

static void on_event(struct detection *d, const struct event *ev)
{
	if (ev->kind == EVENT_SIP) {
		take_sip(d, ev->packet);
		return;
	}
	for (unsigned scope = 0; scope < SCOPES; scope++) {
		judge_sip(d, (enum scope_of_hop)scope);
		judge_rtp(d, (enum scope_of_hop)scope);
		judge_provisioning(d, (enum scope_of_hop)scope);
		judge_directory(d, (enum scope_of_hop)scope);
	}
	judge_tls(d);
}

const struct detector detect_cleartext = {
	.id = "cleartext", .doc = &doc, .keys = keys, .state_size = sizeof(struct clear_state), .event = on_event,
	.events = EVENT_BIT(EVENT_SIP) | EVENT_BIT(EVENT_JUDGE_CAUSES), .scope = GLOBAL, .usual = SEVERITY_INFO,
	.possible_max = SEVERITY_INFO,
};
