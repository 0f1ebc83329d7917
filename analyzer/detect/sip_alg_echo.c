/* SPDX-License-Identifier: MIT */
/*
 * sip_alg_echo: evidence of sip-alg from one capture point (3.3): what the signs of echo.h weigh, and what else could
 * have made them. From outside a correct ALG and a phone that knows its public address look alike: signs that both
 * leave are a hint and no more.
 */
#include "analyzer/detect/sip_alg_echo.h"

#include <stdio.h>

#include "analyzer/network/internal.h"

enum { FAR_HOPS = 2, CALL_ID_TRANSACTIONS = 2, CALL_ID_ANSWERS = 3, RECEIVED_TRANSACTIONS = 3, STALE_WEAK_MOST = 20,
	STALE_MANY = 3 };

/* Groups that counter-evidence of 3.3 N1 to N3 speaks against; echoes are another matter. */
#define OUTSIDE_GROUPS "VCSM"

struct kind {
	const char *reason;
	char group;
	int points;                  /* 0: depends, see weigh() */
	uint32_t fields;
	/* a sign that a phone with a public address of its own may leave as well: N1-N6 are asked */
	bool outside;
	bool hint;                   /* nothing above possible stands on it and its like alone */
};

static const struct kind kinds[ECHO_KIND_COUNT] = {
	[ECHO_VIA_HOST] = { "via-echo-changed", 'V', 0, ALG_VIA, false, false },
	[ECHO_VIA_PORT] = { "via-echo-changed", 'V', 45, ALG_VIA, false, false },
	[ECHO_CALL_ID_HOST] = { "identity-echo-changed", 'I', 0, ALG_IDENTITY, false, false },
	[ECHO_CALL_ID] = { "identity-echo-changed", 'I', 40, ALG_IDENTITY, false, false },
	[ECHO_FROM_HOST] = { "identity-echo-changed", 'I', 0, ALG_IDENTITY, false, false },
	[ECHO_FROM_PORT] = { "identity-echo-changed", 'I', 45, ALG_IDENTITY, false, false },
	[ECHO_RECEIVED] = { "received-private", 'V', 0, ALG_VIA, false, false },
	[ECHO_RESPONSE_PORT] = { "response-port-moved", 'T', 40, ALG_VIA, false, false },
	[ECHO_NAT_TRACE] = { "vendor-mark", 'X', 0, ALG_SDP, false, false },
	[ECHO_LENGTH] = { "length-delta", 'L', 0, ALG_BODY, false, false },
	[ECHO_STALE] = { "stale-private", 'S', 0, 0, true, false },
	[ECHO_FIRST_PUBLIC] = { "stale-private", 'C', 25, 0, true, true },
	[ECHO_ALTERNATES] = { "intermittent", 'C', 0, ALG_VIA | ALG_CONTACT, false, false },
	[ECHO_OWNER_NULL] = { "hold-owner-null", 'S', 40, ALG_SDP, true, false },
	[ECHO_SERVER_PORT] = { "server-port-rewritten", 'V', 60, ALG_IDENTITY, true, false },
	[ECHO_AUTH] = { "auth-broken", 'A', 40, ALG_AUTH, false, false },
	[ECHO_VENDORS] = { "stale-private", 'M', 30, 0, true, true },
	[ECHO_REFUSED] = { "parse-drop", 'D', 35, ALG_CONTACT, false, false },
	[ECHO_CUT] = { "length-delta", 'L', 30, ALG_BODY, false, false },
};

/* Counter-evidence that a place has got: bits of echo_place.said. */
enum { SAID_STUN = 1, SAID_LEARNED = 2, SAID_SERVER = 4, SAID_ELSEWHERE = 8, SAID_UNTOUCHED = 16, SAID_CAP = 32 };

struct weight {
	enum alg_weight weight;
	int points;                  /* 0, and no proof: it says nothing */
	bool hint;
};

static const struct weight PROOF = { ALG_PROOF, 0, false }, NOTHING = { ALG_POINTS, 0, false };

static struct weight points(int n)
{
	return (struct weight){ ALG_POINTS, n, false };
}

/* ---- E4: received= says the phone's private address ---- */

/*
 * Public addresses on the phones' own link, other than the router's: the site is numbered so, and nothing translates
 * there.
 */
static bool site_is_public(const struct echo_context *c, const struct echo_sign *s)
{
	struct endpoint phone = { s->phone.addr, 0 }, outer = { { .family = 0 }, 0 };

	(void)network_public_of(c->facts->network, &phone, false, &outer, NULL);
	for (unsigned i = 0; i < c->public_inside_count; i++) {
		if (!address_equal(&c->public_inside[i], &s->peer.addr) &&
		    !address_equal(&c->public_inside[i], &outer.addr))
			return true;
	}
	return false;
}

/* The pair of phone and server was seen behind a hop as it is: routed, not translated. */
static bool routed(const struct facts *facts, const struct echo_sign *s)
{
	const struct pair *out = network_pair_find(facts->network, &s->phone.addr, &s->peer.addr);
	const struct pair *in = network_pair_find(facts->network, &s->peer.addr, &s->phone.addr);

	return (out && out->copies_other_point) || (in && in->copies_other_point);
}

static unsigned hops_of(const struct facts *facts, const struct address *a)
{
	const struct host *h = network_host_find(facts->network, a);

	return h && h->ttl_known ? h->hops : 0;
}

/*
 * A server that is reached by a tunnel or over a routed net does see private addresses: it says the truth, and from
 * here that looks as a NAT does that restores what it rewrote. Distance alone makes it possible; it is proof where that
 * phone is surely translated towards the outside, and likely where its neighbours are.
 */
static struct weight weigh_received(const struct echo_context *c, const struct echo_sign *s)
{
	unsigned hops = hops_of(c->facts, &s->peer.addr);
	bool same_server = echoes_intact(c->facts->echoes, &s->phone.addr, &s->peer.addr) > 0;

	if (hops == 0 || echoes_tunnel(c->facts->echoes, &s->phone.addr) || routed(c->facts, s) || site_is_public(c, s))
		return NOTHING;
	if (same_server || (hops >= FAR_HOPS && echo_mapped(c, &s->phone.addr)))
		return PROOF;
	if (hops < FAR_HOPS)
		return points(35);
	if (echoes_insider(c->facts->echoes, &s->peer.addr))
		return NOTHING;
	if (echo_site_mapped(c, &s->phone.addr) && echo_transactions(c, s) >= RECEIVED_TRANSACTIONS)
		return (struct weight){ ALG_ALONE, 60, false };
	return points(60);
}

/* ---- E1 to E3 ---- */

/* E2 and E3p: proof together, or with a received= that no routed path explains. */
static struct weight weigh_port(const struct echo_context *c, const struct echo_sign *s)
{
	const uint32_t both = 1u << ECHO_VIA_PORT | 1u << ECHO_FROM_PORT;

	if (echo_server_writes_ports(c, s) || address_reach(&s->phone.addr) == 2)
		return NOTHING;
	if ((s->together & both) == both)
		return PROOF;
	if (s->kind == ECHO_VIA_PORT && (s->together & 1u << ECHO_RECEIVED) &&
	    (weigh_received(c, s).points >= 60 || weigh_received(c, s).weight == ALG_PROOF))
		return PROOF;
	return points(45);
}

static struct weight weigh_call_id(const struct echo_context *c, const struct echo_sign *s)
{
	if (echo_transactions(c, s) >= CALL_ID_TRANSACTIONS)
		return PROOF;
	return s->messages >= CALL_ID_ANSWERS && address_equal(&s->old, &s->phone.addr) && address_private(&s->old) &&
	       address_reach(&s->new) == 2 ? PROOF : NOTHING;
}

/* ---- E5 ---- */

static struct weight weigh_response_port(const struct echo_context *c, const struct echo_sign *s)
{
	if (address_reach(&s->phone.addr) != 0 || address_reach(&s->peer.addr) != 2 ||
	    hops_of(c->facts, &s->peer.addr) == 0 ||
	    echoes_sent_from(c->facts->echoes, &s->phone.addr, (uint16_t)s->detail, &s->peer.addr, s->first_ns))
		return NOTHING;
	return points(40);
}

/* ---- E7, E8 ---- */

static struct weight weigh_length(const struct echo_context *c, const struct echo_sign *s)
{
	switch (echoes_length(c->facts->echoes, s)) {
	case LENGTH_PROVEN: return PROOF;
	case LENGTH_ONCE: return points(40);
	case LENGTH_UNKNOWN: return points(20);
	case LENGTH_HABIT: break;
	}
	return NOTHING;
}

/* What STUN phones leave private themselves never counts for much. */
static struct weight weigh_stale(const struct echo_sign *s)
{
	static const struct { uint32_t kind; int points; } list[] = {
		{ STALE_RTCP, 25 }, { STALE_CANDIDATE, 25 }, { STALE_OWNER, 10 }, { STALE_DIGEST, 40 },
		  { STALE_ROUTING, 15 }, { STALE_CALL_ID, 8 },
	};
	bool weak = !(s->detail & (STALE_RTCP | STALE_CANDIDATE | STALE_DIGEST));
	int best = 0;
	unsigned found = 0;

	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
		int worth = list[i].kind == STALE_CANDIDATE && (s->detail & STALE_ICE_MISMATCH) ? 45 : list[i].points;

		if (!(s->detail & list[i].kind))
			continue;
		found++;
		best = worth > best ? worth : best;
	}
	if (found >= STALE_MANY)
		best += 10;
	if (weak && best > STALE_WEAK_MOST)
		best = STALE_WEAK_MOST;
	return (struct weight){ ALG_POINTS, best, weak };
}

/*
 * The address that came instead is the server's own, or that of a PBX, SBC or proxy that is seen here: they name
 * themselves where they should repeat (N8). A rewriter puts the router's address there, or the phone's.
 */
static bool names_itself(const struct echo_context *c, const struct echo_sign *s)
{
	const struct host *h = network_host_find(c->facts->network, &s->new);
	struct endpoint phone = { s->phone.addr, 0 }, outer;

	if (address_equal(&s->new, &s->peer.addr) || s->new.family != s->peer.addr.family)
		/* what translates IPv6 has no IPv4 address to put in, nor the other way round */
		return true;
	if (network_public_of(c->facts->network, &phone, false, &outer, NULL) && address_equal(&outer.addr, &s->new))
		return false;            /* the phone's own public face */
	return (h && h->user_agent.n && (h->roles & (1u << ROLE_PBX | 1u << ROLE_SBC | 1u << ROLE_PROXY)));
}

static struct weight weigh(const struct echo_context *c, const struct echo_sign *s)
{
	switch ((enum echo_kind)s->kind) {
	case ECHO_VIA_HOST: case ECHO_FROM_HOST:
		return names_itself(c, s) ? NOTHING : PROOF;
	case ECHO_NAT_TRACE: case ECHO_ALTERNATES:
		return PROOF;
	case ECHO_VIA_PORT: case ECHO_FROM_PORT:
		return weigh_port(c, s);
	case ECHO_CALL_ID_HOST:
		return names_itself(c, s) ? NOTHING : weigh_call_id(c, s);
	case ECHO_RECEIVED:
		return weigh_received(c, s);
	case ECHO_RESPONSE_PORT:
		return weigh_response_port(c, s);
	case ECHO_LENGTH:
		return weigh_length(c, s);
	case ECHO_STALE:
		return weigh_stale(s);
	case ECHO_REFUSED:
		/* it got as far as the server's own link */
		if (network_at(c->facts->network, &s->peer.addr))
			return NOTHING;
		return points(kinds[s->kind].points);
	case ECHO_CALL_ID: case ECHO_FIRST_PUBLIC: case ECHO_OWNER_NULL: case ECHO_SERVER_PORT: case ECHO_AUTH: case ECHO_VENDORS: case ECHO_CUT:
		return (struct weight){ ALG_POINTS, kinds[s->kind].points, kinds[s->kind].hint };
	case ECHO_KIND_COUNT:
		break;
	}
	return NOTHING;
}

/* ---- who ---- */

/* A private address that is not ours was put in: it is the server's side that rewrites. */
static bool is_far(const struct echo_sign *s)
{
	if (s->kind != ECHO_VIA_HOST && s->kind != ECHO_CALL_ID_HOST && s->kind != ECHO_FROM_HOST)
		return false;
	return address_private(&s->new) && !address_same_net(&s->new, &s->phone.addr);
}

struct alg_where echo_where(const struct echo_context *c, const struct echo_sign *s)
{
	struct alg_where w = { .transport = s->transport, .port = s->peer.port, .far_side = is_far(s) };
	struct endpoint phone = { s->phone.addr, 0 }, outer;

	if (w.far_side)
		w.host = s->peer.addr;
	else if (address_reach(&s->phone.addr) == 2)
		w.host = s->phone.addr;
	else if (address_reach(&s->old) == 2)
		w.host = s->old;         /* the phone knows its router's public address, and says so */
	else if (network_public_of(c->facts->network, &phone, false, &outer, NULL))
		w.host = outer.addr;
	else if (address_reach(&s->new) == 2)
		w.host = s->new;
	else
		(void)echo_router(c, s, &w.host);
	return w;
}

/* ---- counter-evidence: handed over once for each place ---- */

static void against(struct echo_context *c, struct echo_place *place, unsigned bit, enum alg_weight weight,
	const char *name, int n, const char *groups)
{
	struct alg_item item = { .where = place->where, .reason = name, .weight = (uint8_t)weight, .points = n,
		.groups = groups };

	if (place->said & bit)
		return;
	place->said |= bit;
	alg_evidence_add(c->to, &item);
}

static void add_doubts(struct echo_context *c, const struct echo_sign *s, struct echo_place *place)
{
	unsigned doubts = echoes_doubts(c->facts->echoes, s);
	const struct host *h = network_host_find(c->facts->network, &s->phone.addr);

	if ((doubts & DOUBT_STUN) || echo_configured(c, &s->phone.addr))
		against(c, place, SAID_STUN, ALG_AGAINST, "stun", 60, OUTSIDE_GROUPS);
	if (doubts & DOUBT_LEARNED)
		against(c, place, SAID_LEARNED, ALG_AGAINST, "learned", 60, OUTSIDE_GROUPS);
	if (h && (h->roles & (1u << ROLE_PBX | 1u << ROLE_SBC | 1u << ROLE_PROXY)))
		against(c, place, SAID_SERVER, ALG_AGAINST, "server", 40, "CSM");
	if (doubts & DOUBT_ELSEWHERE)
		against(c, place, SAID_ELSEWHERE, ALG_VETO, "elsewhere", 0, "VCS");
	if (doubts & DOUBT_UNTOUCHED)
		against(c, place, SAID_UNTOUCHED, ALG_VETO, "untouched", 0, OUTSIDE_GROUPS);
}

/* ---- items ---- */

static void say_received(const struct echo_context *c, const struct echo_sign *s, struct alg_item *item)
{
	char server[ADDRESS_TEXT], phone[ADDRESS_TEXT];

	address_text(&s->peer.addr, server);
	address_text(&s->phone.addr, phone);
	if (item->weight == ALG_PROOF || item->weight == ALG_ALONE)
		snprintf(item->note, sizeof item->note, "%s, %u hops away, says that requests came from %s: no server beyond the NAT can have seen that.", server,
			 hops_of(c->facts, &s->peer.addr), phone);
	else
		snprintf(item->note, sizeof item->note, "%s says that requests came from %s: a router restores what it rewrote (ALG), or the path has no NAT (VPN, routed).",
			 server, phone);
}

/* Where nobody knows the sides, and where nothing but hints is known, no more than possible. */
void echo_item_add(struct echo_context *c, const struct alg_item *item, bool hint)
{
	struct echo_place *place = echo_place_of(c, &item->where);

	place->strong |= !hint;
	alg_evidence_add(c->to, item);
}

/* What dropped-in-path says of it. */
static const char *refused_reason(uint32_t detail)
{
	if (detail & REFUSED_LOW_PORT)
		return "sdp-port-privileged";
	if (detail & REFUSED_FAMILY)
		return "sdp-address-family";
	return detail & REFUSED_NO_CONNECTION ? "sdp-no-connection" : "no-content-length";
}

static void say_note(const struct echo_context *c, const struct echo_sign *s, struct alg_item *item)
{
	const char *note = "";

	switch ((enum echo_kind)s->kind) {
	case ECHO_RECEIVED:
		say_received(c, s, item);
		return;
	case ECHO_LENGTH:
		note = "Content-Length counts the body as it was before addresses in it were replaced.";
		break;
	case ECHO_FIRST_PUBLIC:
		note = "The phone's first REGISTER names its mapped port already.";
		break;
	case ECHO_ALTERNATES:
		note = "The same phone's messages of one flow pass now rewritten, now as they are.";
		break;
	case ECHO_OWNER_NULL:
		note = "On hold o= lost its address together with c=.";
		break;
	case ECHO_VENDORS:
		note = "Phones of three makers and more behind this address all name their mapped ports.";
		break;
	case ECHO_REFUSED:
		note = "INVITEs of a sort that SIP helpers drop are never answered, others of the phone are.";
		break;
	case ECHO_CUT:
		note = "Its longer messages all end at one size.";
		break;
	case ECHO_VIA_HOST: case ECHO_VIA_PORT: case ECHO_CALL_ID_HOST: case ECHO_CALL_ID: case ECHO_FROM_HOST: case ECHO_FROM_PORT:
		note = s->discarded
			? "The phone does not take such answers for its own: it repeats requests that were answered."
			: "";
		break;
	case ECHO_RESPONSE_PORT: case ECHO_NAT_TRACE: case ECHO_STALE: case ECHO_SERVER_PORT: case ECHO_AUTH: case ECHO_KIND_COUNT:
		break;
	}
	snprintf(item->note, sizeof item->note, "%s", note);
}

static void add_far_side(struct echo_context *c, const struct alg_item *of)
{
	struct alg_item item = *of;

	item.reason = "far-side";
	item.field[0] = item.before[0] = item.after[0] = '\0';
	item.fields = 0;
	alg_evidence_add(c->to, &item);
}

static void add_sign(struct echo_context *c, const struct echo_sign *s, bool proofs)
{
	const struct kind *kind = &kinds[s->kind];
	struct weight w = weigh(c, s);
	struct alg_item item = {
		.where = echo_where(c, s), .reason = kind->reason, .weight = (uint8_t)w.weight, .points = w.points,
		.group = kind->group,
		.fields = kind->fields, .seen = { s->seen[0], s->seen[1] }, .count = s->messages,
		.leg = leg_keys_find(c->legs, s->leg_key),
		.phone = { s->phone.addr, 0 }, .peer = s->peer, .first_ns = s->first_ns, .last_ns = s->last_ns,
	};

	if ((w.weight == ALG_PROOF) != proofs || (!proofs && w.points == 0))
		return;
	snprintf(item.field, sizeof item.field, "%s", s->field);
	snprintf(item.before, sizeof item.before, "%s", s->before);
	snprintf(item.after, sizeof item.after, "%s", s->after);
	if (address_reach(&s->phone.addr) == 2 && address_private(&s->old))
		item.phone.addr = s->old;        /* it was overlooked, and names the phone */
	item.discarded = s->discarded > 0;
	if (s->kind == ECHO_REFUSED)
		item.dropped = refused_reason(s->detail);
	say_note(c, s, &item);
	if (kind->outside)
		add_doubts(c, s, echo_place_of(c, &item.where));
	echo_item_add(c, &item, w.hint);
	if (item.where.far_side)
		add_far_side(c, &item);
}

/* Proof first: room is bounded, and hints are many. */
static void add_signs(struct echo_context *c, bool proofs)
{
	LIST_EACH(it, echoes_signs(c->facts->echoes))
		add_sign(c, LIST_ENTRY(it, struct echo_sign, in_order), proofs);
}

static void add_caps(struct echo_context *c)
{
	LIST_EACH(it, &c->places_in_order) {
		struct echo_place *place = LIST_ENTRY(it, struct echo_place, in_order);

		if (c->blind || !place->strong)
			against(c, place, SAID_CAP, ALG_CAP, c->blind ? "vantage" : "hints", 0, "");
	}
}

void sip_alg_from_echo(const struct facts *facts, struct alg_evidence *to)
{
	struct echo_context c;

	echo_context_init(&c, facts, to);
	add_signs(&c, true);
	add_signs(&c, false);
	echo_add_clashes(&c);
	echo_add_habits(&c);
	add_caps(&c);
	echo_context_fini(&c);
}
