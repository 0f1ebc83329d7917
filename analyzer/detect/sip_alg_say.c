/* SPDX-License-Identifier: MIT */
/* sip_alg_say: the words of sip-alg: who rewrites, what, which frames show it, and what to put in the ALG's place. */
#include "analyzer/detect/sip_alg_private.h"

#include <stdio.h>

#include "analyzer/detect/router_advice.h"
#include "analyzer/detect/say.h"
#include "analyzer/network/message_diff.h"
#include "analyzer/site.h"

enum { FIELDS_SHOWN = 6, EVIDENCE_PAIRS = 3, FIELDS_TEXT = 200, WHERE_TEXT = 80 };

const char *alg_transport_name(uint8_t transport)
{
	switch ((enum packet_transport)transport) {
	case TRANSPORT_UDP: return "UDP";
	case TRANSPORT_TCP: return "TCP";
	case TRANSPORT_TLS: return "TLS";
	case TRANSPORT_SCTP: return "SCTP";
	case TRANSPORT_WS: return "WebSocket";
	case TRANSPORT_NONE: break;
	}
	return "SIP";
}

bool alg_shows(const struct alg_item *item)
{
	return item->weight != ALG_AGAINST && item->weight != ALG_VETO && item->weight != ALG_CAP;
}

/* A habit of whoever writes the messages, no field that was changed. */
static bool adds_weight(const struct alg_item *item)
{
	return !item->reason[0];
}

/* A field that it should have changed with the others, and did not. */
static bool left_private(const struct alg_item *item)
{
	return strcmp(item->reason, "stale-private") == 0 && !item->note[0];
}

/* "Via, Contact, c=": what it changed, each once, as they were first seen. */
static const char *fields_text(const struct alg_rewriter *r, char buffer[FIELDS_TEXT])
{
	const char *names[FIELDS_SHOWN];
	unsigned count = 0;
	size_t n = 0;

	buffer[0] = '\0';
	for (const struct alg_entry *e = r->first; e && count < FIELDS_SHOWN; e = e->next) {
		bool known = !e->item.field[0] || !alg_shows(&e->item) || adds_weight(&e->item) || left_private(&e->item);

		for (unsigned i = 0; i < count && !known; i++)
			known = strcmp(names[i], e->item.field) == 0;
		if (known)
			continue;
		names[count++] = e->item.field;
		n += (size_t)snprintf(buffer + n, FIELDS_TEXT - n, "%s%s", count > 1 ? ", " : "", e->item.field);
	}
	return buffer;
}

static const char *service_text(const struct alg_where *w, char buffer[WHERE_TEXT])
{
	snprintf(buffer, WHERE_TEXT, "%s port %u", alg_transport_name(w->transport), w->port);
	return buffer;
}

static const struct alg_item *lead_of(const struct alg_rewriter *r, const char *reason)
{
	for (const struct alg_entry *e = r->first; e; e = e->next) {
		if (alg_shows(&e->item) && strcmp(e->item.reason, reason) == 0)
			return &e->item;
	}
	return NULL;
}

/* The first of those that stand for the finding; else of all. */
static const struct alg_item *item_of(const struct alg_rewriter *r, const char *reason)
{
	const struct alg_item *lead = lead_of(r, reason);

	for (const struct alg_entry *e = r->first; e && !lead; e = e->next)
		lead = alg_shows(&e->item) ? &e->item : NULL;
	return lead;
}

/* Of what was left private the one that matters most: where audio goes. */
static const struct alg_item *stale_of(const struct alg_rewriter *r)
{
	for (const struct alg_entry *e = r->first; e; e = e->next) {
		if ((e->item.fields & ALG_SDP) && strcmp(e->item.reason, "stale-private") == 0)
			return &e->item;
	}
	return lead_of(r, "stale-private");
}

/* ---- texts ---- */

/* Behind the router's address a phone speaks: what its role is said to be does not matter here. */
static const char *device_of(const struct alg_rewriter *r, char buffer[SAY_TEXT])
{
	char text[ADDRESS_TEXT];

	if (!address_known(&r->where.host))
		snprintf(buffer, SAY_TEXT, "%s",
			r->where.far_side ? "a device on the server's side" : "a device in the path");
	else
		snprintf(buffer, SAY_TEXT, "the router %s", address_text(&r->where.host, text));
	return buffer;
}

static void say_device(struct finding *f, const struct alg_rewriter *r)
{
	char device[SAY_TEXT], fields[FIELDS_TEXT];

	device_of(r, device);
	fields_text(r, fields);
	if (f->confidence == CONFIDENCE_POSSIBLE)
		finding_title(f, "%s may rewrite SIP", device);
	else
		finding_title(f, "%s %srewrites SIP%s%s", device, f->confidence == CONFIDENCE_LIKELY ? "probably " : "",
			fields[0] ? ": " : "", fields);
	if (strncmp(f->title.p, "a device", 8) == 0)
		f->title.p[0] = 'A';
}

/* " Via: 192.168.1.101:5060 becomes 198.51.100.20:5060." */
static int add_difference(const struct alg_item *item, char *text, size_t room)
{
	struct span before, after;

	difference_of(span_of(item->before), span_of(item->after), &before, &after);
	if (!before.n || !after.n)
		return snprintf(text, room, " %s is %s.", item->field, before.n ? "taken out" : "put in");
	return snprintf(text, room, " %s: %.*s becomes %.*s.", item->field, (int)before.n, (const char *)before.p,
	       (int)after.n, (const char *)after.p);
}

/* Each note once, as far as there is room; beside proof, of proof only. */
static int add_notes(const struct finding *f, const struct alg_rewriter *r, char *text, int n, size_t room)
{
	for (const struct alg_entry *e = r->first; e; e = e->next) {
		if (f->confidence == CONFIDENCE_CERTAIN && e->item.weight != ALG_PROOF)
			continue;
		if (alg_shows(&e->item) && e->item.note[0] && n > 0 && (size_t)n < room && !strstr(text, e->item.note))
			n += snprintf(text + n, room - (size_t)n, " %s", e->item.note);
	}
	return n;
}

static void say_cause(struct finding *f, const struct facts *facts, const struct alg_rewriter *r,
	const struct alg_harm *harm)
{
	const struct alg_item *lead = item_of(r, f->reason), *stale = stale_of(r);
	char device[SAY_TEXT], service[WHERE_TEXT], peer[SAY_TEXT], contact[ENDPOINT_TEXT], left[96] = "";
	char text[800];
	int n;

	if (!lead)
		return;
	if (address_known(&lead->peer.addr))
		say_host(facts, &lead->peer.addr, peer);
	else
		snprintf(peer, sizeof peer, "the server");
	if (f->confidence == CONFIDENCE_POSSIBLE) {
		if (lead->note[0]) {
			finding_cause(f, "%s", lead->note);
			finding_cannot_see(f,
				"how the requests look behind the router; capture the same call on its WAN side");
			return;
		}
		if (address_private(&lead->phone.addr)) {
			finding_cause(f, "What comes back from %s is not as the phone's request would have it: either the server answers so, or a device on the way changes SIP (ALG). From this side both look alike.",
				peer);
			finding_cannot_see(f, "how the requests look behind the router; capture the same call on its WAN side");
			return;
		}
		finding_cause(f, "The phones' SIP shows the public address: either they know it (STUN, fixed, learned) or the router writes it (ALG). From this side "
				 "both look alike.");
		finding_cannot_see(f, "the phones' own messages; capture the same call on the LAN port of one phone");
		return;
	}
	n = snprintf(text, sizeof text, "%s changes SIP on its way to and from %s (%s).", device_of(r, device), peer,
		service_text(&r->where, service));
	if (lead->before[0] || (lead->after[0] && !lead->note[0] && lead != stale))
		n += add_difference(lead, text + n, sizeof text - (size_t)n);
	if (stale)
		snprintf(left, sizeof left, " It leaves %s private.", stale->field);
	if (n > 0 && (size_t)n < sizeof text)
		n += snprintf(text + n, sizeof text - (size_t)n, "%s", left);
	n = add_notes(f, r, text, n, sizeof text);
	if (harm->dead_contact && n > 0 && (size_t)n < sizeof text)
		n += snprintf(text + n, sizeof text - (size_t)n,
			" The Contact that it writes, %s, leads nowhere: the phone's packets leave from another port.",
			endpoint_text(harm->dead_contact, contact));
	if (harm->drops && n > 0 && (size_t)n < sizeof text)
		n += snprintf(text + n, sizeof text - (size_t)n, " It drops messages, too.");
	if (harm->cuts && n > 0 && (size_t)n < sizeof text)
		n += snprintf(text + n, sizeof text - (size_t)n,
			" Content-Length is wrong behind it: who believes it cuts the session description.");
	if (harm->findings == 0 && !harm->drops && !harm->cuts && !harm->discarded && n > 0 && (size_t)n < sizeof text)
		snprintf(text + n, sizeof text - (size_t)n, " No failure in this capture follows from it.");
	finding_cause(f, "%s", text);
	if (strncmp(f->cause.p, "a device", 8) == 0)
		f->cause.p[0] = 'A';
}

/* On the phone's own link, frames of a server beyond come from the router. NULL: none seen, or no known maker. */
static const char *advice_by_mac(const struct facts *facts, const struct alg_rewriter *r)
{
	for (const struct alg_entry *e = r->first; e && !r->where.far_side; e = e->next) {
		const struct host *peer = network_host_find(facts->network, &e->item.peer.addr);

		if (address_reach(&e->item.phone.addr) == 0 && network_at(facts->network, &e->item.phone.addr) &&
		    peer && peer->has_mac && peer->ttl_known && peer->hops > 0 && address_reach(&peer->addr) == 2)
			return router_advice_by_mac(peer->mac);
	}
	return NULL;
}

/* How it is done on a router that the profile names, else that it is to be done; and always what replaces it. */
static void say_fix(struct finding *f, const struct facts *facts, const struct alg_rewriter *r)
{
	const char *named = router_advice(facts->site->router), *advice = named ? named : advice_by_mac(facts, r);
	char device[SAY_TEXT];

	if (advice)
		finding_fix(f, "%s%s At the same time replace what it did: ", advice,
			named ? "" : " (The maker is known by its MAC address.)");
	else
		finding_fix(f, "Switch the SIP ALG off on %s and at the same time replace what it did: ",
			    address_known(&r->where.host) ? device_of(r, device) : "that device");
	text_add(&f->fix, "rport on, a keepalive every 30 s or less (or NAT pings of the server), registration every 300 s or a UDP timeout of at least twice that, "
			  "NAT handling on the PBX (force_rport, rewrite_contact, rtp_symmetric) or STUN/ICE on the phone; then clear the router's sessions and "
			  "register anew. TLS also ends the rewriting.");
}

/* ---- parts and proof ---- */

static void say_parts(struct finding *f, const struct alg_rewriter *r)
{
	if (address_known(&r->where.host))
		finding_part(f, PART_CULPRIT, &(struct endpoint){ r->where.host, 0 });
	for (const struct alg_entry *e = r->first; e; e = e->next) {
		const struct alg_item *item = &e->item;

		if (!alg_shows(item))
			continue;
		if (address_known(&item->phone.addr) && !address_equal(&item->phone.addr, &r->where.host))
			finding_part(f, PART_VICTIM, &(struct endpoint){ item->phone.addr, 0 });
		if (address_known(&item->peer.addr))
			finding_part(f, PART_WITNESS, &item->peer);
	}
}

static void say_proof(struct finding *f, const struct alg_rewriter *r)
{
	struct span before, after;
	unsigned pairs = 0;

	for (const struct alg_entry *e = r->first; e; e = e->next) {
		const struct alg_item *item = &e->item;

		if (!alg_shows(item) || !item->field[0] || (!item->before[0] && !item->after[0]))
			continue;
		if (left_private(item)) {
			finding_evidence(f, item->seen[1], "%s is left as it was: %s", item->field, item->after);
			continue;
		}
		if (adds_weight(item)) {
			finding_evidence(f, item->seen[0], "%s: %s", item->field, item->before);
			finding_evidence(f, item->seen[1], "%s: %s", item->field, item->after);
			continue;
		}
		finding_change(f, item->field, item->before, item->after);
		if (pairs == EVIDENCE_PAIRS || !(item->seen[0].frame || item->seen[1].frame))
			continue;
		pairs++;
		if (!item->seen[0].frame) {                          /* one message shows it */
			finding_evidence(f, item->seen[1], "%s: %s", item->field, item->after);
			continue;
		}
		difference_of(span_of(item->before), span_of(item->after), &before, &after);
		finding_evidence(f, item->seen[0], "%s before: %.*s", item->field, before.n ? (int)before.n : 9,
			before.n ? (const char *)before.p : "not there");
		if (item->seen[1].frame)
			finding_evidence(f, item->seen[1], "%s behind: %.*s", item->field, after.n ? (int)after.n : 4,
				after.n ? (const char *)after.p : "gone");
	}
}

static void say_times(struct finding *f, const struct alg_rewriter *r)
{
	int64_t first_ns = NS_NONE, last_ns = NS_NONE;
	unsigned count = 0;

	for (const struct alg_entry *e = r->first; e; e = e->next) {
		const struct alg_item *item = &e->item;

		if (!alg_shows(item))
			continue;
		count += item->count ? item->count : 1;
		if (first_ns == NS_NONE || item->first_ns < first_ns)
			first_ns = item->first_ns;
		if (last_ns == NS_NONE || item->last_ns > last_ns)
			last_ns = item->last_ns;
	}
	finding_times(f, first_ns, last_ns);
	f->count = count ? count : 1;
}

void alg_say(struct finding *f, const struct facts *facts, const struct alg_rewriter *r, const struct alg_harm *harm)
{
	say_parts(f, r);
	say_times(f, r);
	say_device(f, r);
	say_cause(f, facts, r, harm);
	say_fix(f, facts, r);
	say_proof(f, r);
	alg_say_calls(f, facts, r);
}
