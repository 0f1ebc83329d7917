/* SPDX-License-Identifier: MIT */
/* invite_unanswered_say: the words of invite-unanswered: who suffers, what the frames show, what to change. */
#include "analyzer/detect/invite_unanswered.h"

#include <stdio.h>

#include "analyzer/calls/account.h"
#include "analyzer/detect/icmp_says.h"
#include "analyzer/detect/say.h"
#include "analyzer/site.h"

enum { REFUSAL_TEXT = 240 };

static const struct wording { const char *reason, *because, *fix; } wordings[] = {
	{ "icmp-unreachable", "",
	  "Check address and port of the destination, that something listens there, and what filters on the way" },
	{ "to-private-address", "the address is private and cannot be reached from there",
	  "Have the phone's reachable address registered: NAT support at the server, external address in the phone" },
	{ "stale-binding", "the phone is no longer registered there", "Shorten the registration interval below the router's UDP timer, switch keep-alive on, remove the old contact" },
	{ "binding-silent", "the phone had not sent anything from there for a while: its router has forgotten it",
	  "Switch keep-alive on at the phone or the server, at an interval below the router's UDP timer" },
	{ "reply-lost-nat",
	  "the answer goes to another place than the INVITE came from, and it is sent again and again",
	  "Have answers sent to where the request came from (rport, NAT support)" },
	{ "reply-lost-in-path", "answers are sent to the right place, and still the INVITE is repeated",
	  "Capture at the caller: answers are lost on the way, in a firewall or router" },
	{ "wrong-transport", "the phone has registered over TCP or TLS, the INVITE goes by UDP",
	  "Have the server send calls over the transport of the registration" },
	{ "fragmented", "the INVITE travels in several fragments, and what fits into one packet is answered",
	  "Offer fewer codecs and headers, or use TCP; let fragments pass" },
	{ "filtered-source", "other requests between the two are answered",
	  "Check access lists for calls at the destination, and the session table of the router" },
	{ "stuck-after-trying", "a 100 Trying came back and then nothing: whoever is next does not answer",
	  "Capture behind the destination: the next hop is silent" },
	{ "no-response", "",
	  "Check that the destination is on and that its address and port are right; test the path to it" },
};

static const struct wording *wording_of(const char *reason)
{
	unsigned i = 0;

	while (i + 1 < sizeof wordings / sizeof wordings[0] && strcmp(wordings[i].reason, reason) != 0)
		i++;
	return &wordings[i];
}

/*
 * The caller's own address of record is at the host that it asks (From): that is its server, whatever it calls itself.
 */
static bool is_home(const struct unanswered *u)
{
	struct address home;

	return address_parse(u->leg->party[SIDE_CALLER].host, &home) && address_equal(&home, &u->hop.dst.addr) &&
	       !address_equal(&home, &u->hop.src.addr);
}

/* Who suffers: the phone that cannot be reached; where a server is silent, whoever calls. */
static bool is_phone(const struct facts *facts, const struct unanswered *u)
{
	const struct host *h = network_host_find(facts->network, &u->hop.dst.addr);

	if (say_serves(facts, &u->hop.dst.addr) || (h && h->sends_ip && !h->registers_sent && is_home(u)))
		return false;
	return (h && h->registers_sent) || site_inside(facts->site, &u->hop.dst.addr) ||
	       accounts_of_user(facts->accounts, u->leg->party[SIDE_CALLEE].user, NULL);
}

static void add_parts(struct finding *f, const struct facts *facts, const struct unanswered *u)
{
	bool calls_phone = !u->hop.answer && is_phone(facts, u);

	finding_leg(f, u->leg);
	finding_part(f, calls_phone ? PART_WITNESS : PART_VICTIM, &u->hop.src);
	finding_part(f, calls_phone ? PART_VICTIM : PART_WITNESS, &u->hop.dst);
	if (strcmp(u->reason, "stale-binding") == 0 || strcmp(u->reason, "wrong-transport") == 0)
		finding_part(f, PART_CULPRIT, &u->hop.src);
	if (strcmp(u->reason, "reply-lost-nat") == 0)
		finding_part(f, PART_CULPRIT, &u->hop.dst);
}

static int64_t over_ns(const struct invite_hop *h)
{
	return h->final ? h->final->at.at_ns : h->cancel ? h->cancel->at.at_ns : h->last->at.at_ns;
}

/* Its answers come from an address that nobody asked. */
static bool is_other_face(const struct unanswered *u)
{
	return !u->hop.answer && u->hop.other_face && strcmp(u->reason, "reply-lost-in-path") == 0;
}

static void add_evidence(struct finding *f, const struct unanswered *u)
{
	const struct invite_hop *h = &u->hop;

	if (u->mapping && u->mapping->last_out.at_ns < h->first->at.at_ns)
		finding_evidence(f, u->mapping->last_out, "the last that was heard of the phone");
	finding_evidence(f, h->first->at, "INVITE, the first of %u", h->copies);
	if (h->answer)
		finding_evidence(f, h->answer->at, "%u, the first answer", h->answer->status);
	if (u->dead.reset_at.frame)
		finding_evidence(f, u->dead.reset_at, "RST: the connection is reset");
	if (h->astray)
		finding_evidence(f, h->astray->at, "answer %u, sent to another place", h->astray->status);
	if (u->stuck)
		finding_evidence(f, u->stuck->stuck_at, "its packet of %u bytes, for the second time", (unsigned)u->stuck->stuck_bytes);
	if (h->other_face)
		finding_evidence(f, h->other_face->at, "answer %u, from another address", h->other_face->status);
	if (u->icmp)
		finding_evidence(f, u->icmp->at, "ICMP: %s, the first of %u", icmp_says(u->icmp), u->icmps);
	if (u->torn)
		finding_evidence(f, u->torn->at, "ICMP: %s", icmp_says(u->torn));
	if (u->moved_at.frame)
		finding_evidence(f, u->moved_at, "where the phone is");
	if (h->last != h->first)
		finding_evidence(f, h->last->at, "INVITE, the last of %u", h->copies);
	if (h->cancel)
		finding_evidence(f, h->cancel->at, "CANCEL");
	if (h->final)
		finding_evidence(f, h->final->at, "%u", h->final->status);
}

static const char *act_of(const struct unanswered *u)
{
	if (u->icmp)
		return address_equal(&u->icmp->reporter, &u->hop.dst.addr) ? "refuses the call" : "is out of reach (ICMP)";
	if (is_other_face(u))
		return "answers from another address";
	if (!u->hop.answer && !u->hop.astray)
		return "does not answer";
	if (strcmp(u->reason, "stuck-after-trying") == 0)
		return "gets no further";
	return u->hop.astray ? "answers elsewhere" : "is not heard";
}

/* Who refuses, and what it says. */
static const char *refusal_text(const struct unanswered *u, char text[REFUSAL_TEXT])
{
	const struct sip_binding *b = u->mapping;
	char reporter[ADDRESS_TEXT], silent[40] = "";

	address_text(&u->icmp->reporter, reporter);
	if (b && b->last_out.at_ns < u->hop.first->at.at_ns)
		snprintf(silent, sizeof silent, ", silent for %.0f s",
			(double)ns_minus(u->hop.first->at.at_ns, b->last_out.at_ns) / 1e9);
	if (b)
		snprintf(text, REFUSAL_TEXT, "%s says: %s. From there the phone had registered%s: its router has forgotten it, or the phone is off", reporter,
			 icmp_says(u->icmp), silent);
	else if (strcmp(u->reason, "wrong-transport") == 0)
		snprintf(text, REFUSAL_TEXT, "ICMP says: %s; %s", icmp_says(u->icmp), wording_of(u->reason)->because);
	else if (address_equal(&u->icmp->reporter, &u->hop.dst.addr))
		snprintf(text, REFUSAL_TEXT, "it says itself: %s", icmp_says(u->icmp));
	else
		snprintf(text, REFUSAL_TEXT, "%s says: %s", reporter, icmp_says(u->icmp));
	return text;
}

static void tell_cause(struct finding *f, const struct unanswered *u, const char *to, unsigned count)
{
	const struct invite_hop *h = &u->hop;
	bool silent = !h->answer && !h->astray && !h->other_face && !u->icmp;
	const char *because = wording_of(u->reason)->because;
	char at[ENDPOINT_TEXT], there[ENDPOINT_TEXT], now[ENDPOINT_TEXT + 40] = "", lasted[40] = "", calls[60] = "",
		text[REFUSAL_TEXT], from[ADDRESS_TEXT];

	if (h->last != h->first)
		snprintf(lasted, sizeof lasted, " over %.1f s",
			(double)ns_minus(h->last->at.at_ns, h->first->at.at_ns) / 1e9);
	if (address_known(&u->now.addr) && !endpoint_equal(&u->now, &h->dst))
		snprintf(now, sizeof now, " (now %s)", endpoint_text(&u->now, there));
	if (u->icmp)
		because = refusal_text(u, text);
	else if (u->stuck) {
		snprintf(text, sizeof text, "its packet of %u bytes is sent %u times more and not acknowledged, where smaller ones before it are: perhaps a link on the way takes none so large, and the ICMP that says so is lost",
			(unsigned)u->stuck->stuck_bytes, u->stuck->stuck_copies);
		because = text;
	} else if (is_other_face(u)) {
		snprintf(text, sizeof text, "its answers come from %s, which was not asked: a NAT or firewall before the caller lets none of them in",
			address_text(&h->other_face->src.addr, from));
		because = text;
	} else if (u->is_dead) {
		because = dead_connection_text(&u->dead, text, sizeof text);
	}
	if (count > 1)
		snprintf(calls, sizeof calls, " It was so with %u calls.", count);
	finding_cause(f, "The INVITE for %s was sent %u time%s to %s%s%s%s%s%s.%s", to, h->copies,
		h->copies == 1 ? "" : "s", endpoint_text(&h->dst, at), lasted,
		      silent ? "; no reply of any kind came back" : "", *because ? ": " : "", because, now, calls);
}

static void tell_fix(struct finding *f, const struct facts *facts, const struct unanswered *u)
{
	char two[ICMP_TWO], there[ADDRESS_TEXT];

	if (u->icmp && *icmp_two_devices(facts, u->icmp, two)) {
		text_addf(&f->cause, "%s", two);
		finding_fix(f, TWO_DEVICES_FIX, address_text(&u->hop.dst.addr, there));
		return;
	}
	if (u->mapping)
		finding_fix(f, "A keepalive of the phone (CRLF, OPTIONS, STUN) or a NAT ping of the server, at an interval below the router's UDP timer; and look whether the "
			    "phone is on.");
	else if (u->stuck)
		finding_fix(f, "Let ICMP \"fragmentation needed\" and \"packet too big\" through every firewall, clamp the MSS where the tunnel or the narrow link begins, or lower the sender's MTU; fewer codecs make the INVITE smaller.");
	else if (is_other_face(u))
		finding_fix(f, "Let the server answer from the address that it was asked at: bind SIP to each of its addresses, and no source NAT for what it sends (RFC 3581 4).");
	else if (u->icmp && icmp_no_port(u->icmp) && strcmp(u->reason, "wrong-transport") != 0)
		finding_fix(f, "Look whether the SIP program of the destination runs, and whether it listens at the address and port that are called.");
	else if (u->is_dead)
		finding_fix(f, "Keep the connection alive from both ends (CRLF of RFC 5626, OPTIONS or TCP keepalive) at an interval below the firewall's idle time for TCP, and let the sender open a new one when an ACK does not come.");
	else
		finding_fix(f, "%s.", wording_of(u->reason)->fix);
}

void invite_unanswered_tell(struct detection *d, const struct unanswered *list, unsigned count)
{
	const struct facts *facts = detection_facts(d);
	const struct unanswered *u = &list[0];
	struct finding *f = detection_raise_keyed(d, u->leg->n, u->reason, u->severity, u->confidence);
	char dst[SAY_TEXT], to[SAY_TEXT], act[SAY_TEXT + 60], effect[SAY_TEXT + 40];

	for (unsigned i = 0; i < count; i++) {
		add_parts(f, facts, &list[i]);
		if (i < 3)
			add_evidence(f, &list[i]);
		if (f->first_ns == NS_NONE || list[i].hop.first->at.at_ns < f->first_ns)
			f->first_ns = list[i].hop.first->at.at_ns;
		if (f->last_ns == NS_NONE || over_ns(&list[i].hop) > f->last_ns)
			f->last_ns = over_ns(&list[i].hop);
	}
	f->count = count;
	if (u->mapping)
		snprintf(dst, sizeof dst, "The router %s", address_text(&u->hop.dst.addr, (char[ADDRESS_TEXT]){ 0 }));
	else
		say_host(facts, &u->hop.dst.addr, dst);
	say_party(facts, u->leg, SIDE_CALLEE, to);
	snprintf(act, sizeof act, "%s %s", dst, act_of(u));
	snprintf(effect, sizeof effect, u->reached ? "%s is reached only by another way" : "%s cannot be reached", to);
	say_title(f, act, effect);
	tell_cause(f, u, to, count);
	tell_fix(f, facts, u);
	if (!is_other_face(u) && !u->hop.answer && !u->hop.astray && u->confidence < CONFIDENCE_CERTAIN)
		say_silent_host(f, facts, &u->hop.dst.addr, "the INVITE");
}
