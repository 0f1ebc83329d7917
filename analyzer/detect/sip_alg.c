/* SPDX-License-Identifier: MIT */
/*
 * sip-alg: a device in the path rewrites SIP. Gathers what the providers of evidence know and raises one finding for
 * each rewriter.
 */
#include "analyzer/detect/sip_alg_private.h"

#include "analyzer/detect/lookup.h"
#include "analyzer/detect/say.h"
#include "analyzer/network/internal.h"

static const char *const reasons[] = {
	"rewritten-headers", "rewritten-sdp", "via-echo-changed", "received-private", "identity-echo-changed",
	"vendor-mark", "length-delta", "call-id-changed",
	"expires-changed", "rport-removed", "codec-removed", "stale-private", "intermittent", "media-port-moved",
	"hold-owner-null", "server-port-rewritten",
	"response-port-moved", "auth-broken", "parse-drop", "far-side", NULL,
};

static const struct detector_doc doc = {
	.says = "a device in the path rewrites SIP",
	.symptom = "Registered but no incoming calls; one-way audio; transfer or hold drops; calls cut after 30 s; login refused with the right password.",
	.evidence = "One message in two states: at two capture points, or a request against what the response echoes of it; a mark that only an ALG leaves; else "
		    "points of several kinds, less what speaks against it.",
	.mimics = "Proxies (a new Via, Max-Forwards lower), B2BUAs and SBCs, phones that know their public address (STUN, fixed, learned), routed private nets.",
	.fix = "Switch the SIP ALG off on that device and replace what it did: rport, a keepalive every 30 s or less, NAT handling on the PBX; or use TLS.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "likely", 60, "points", 1, 500, "field: two independent kinds of evidence" },
	{ "possible", 35, "points", 1, 500, "field: one strong kind" },
	{ 0 },
};

/* ---- gathering ---- */

static bool same_where(const struct alg_where *a, const struct alg_where *b)
{
	return a->transport == b->transport && a->port == b->port && a->far_side == b->far_side &&
	       address_equal(&a->host, &b->host);
}

static struct alg_rewriter *rewriter_of(struct alg_evidence *e, const struct alg_where *where)
{
	struct alg_rewriter *r;

	for (unsigned i = 0; i < e->rewriter_count; i++) {
		if (same_where(&e->rewriters[i].where, where))
			return &e->rewriters[i];
	}
	if (e->rewriter_count == ALG_REWRITER_MAX)
		return NULL;
	r = &e->rewriters[e->rewriter_count++];
	*r = (struct alg_rewriter){ .where = *where };
	r->end = &r->first;
	return r;
}

void alg_evidence_add(struct alg_evidence *to, const struct alg_item *item)
{
	struct alg_rewriter *r = rewriter_of(to, &item->where);
	struct alg_entry *entry;

	if (!r || to->item_count == ALG_ITEM_MAX)
		return;
	to->item_count++;
	entry = arena_zalloc(to->arena, sizeof *entry);
	entry->item = *item;
	*r->end = entry;
	r->end = &entry->next;
}

/* What has no host belongs to the only device that is known of that service, if there is just one. */
static void adopt_homeless(struct alg_evidence *e)
{
	for (unsigned i = 0; i < e->rewriter_count; i++) {
		struct alg_rewriter *r = &e->rewriters[i], *home = NULL;
		unsigned homes = 0;

		for (unsigned k = 0; k < e->rewriter_count && !address_known(&r->where.host); k++) {
			struct alg_where where = e->rewriters[k].where;

			where.host = r->where.host;
			if (address_known(&e->rewriters[k].where.host) && same_where(&where, &r->where)) {
				home = &e->rewriters[k];
				homes++;
			}
		}
		if (homes != 1 || !r->first)
			continue;
		*home->end = r->first;
		home->end = r->end;
		*r = (struct alg_rewriter){ .where = r->where };
	}
}

/* ---- judging ---- */

static uint64_t where_key(const struct alg_where *w)
{
	return hash_mix(address_key(&w->host), (uint64_t)w->port << 16 | (uint64_t)w->transport << 8 | (w->far_side ? 3
	       : 2));
}

static void judge(struct detection *d, const struct alg_rewriter *r)
{
	const struct facts *facts = detection_facts(d);
	struct alg_limits limits = { (int)detection_key(d, "likely"), (int)detection_key(d, "possible") };
	struct alg_sum sum = alg_weigh(r, &limits);
	struct alg_harm harm;
	const char *names[FINDING_REASON_MAX + 1];
	unsigned n;
	struct finding *f;
	char host[SAY_TEXT];

	if (sum.confidence == CONFIDENCE_NONE) {
		detection_pass(d, NULL, "%s, port %u: %d points of %u kinds are too few",
			address_known(&r->where.host) ? say_host(facts, &r->where.host, host) :
			       "no device known", r->where.port, sum.points, sum.groups);
		return;
	}
	harm = alg_harm_of(facts, r);
	n = alg_reasons(r, sum.confidence, names);
	f = detection_raise_keyed(d, where_key(&r->where), names[0], harm.severity, sum.confidence);
	for (unsigned i = 1; i < n; i++)
		finding_other_reason(f, names[i]);
	if (harm.drops)
		finding_other_reason(f, "parse-drop");
	alg_say(f, facts, r, &harm);
	alg_harm_link(facts, r, f);
}

struct alg_evidence *alg_evidence_new(const struct facts *facts, struct arena *arena)
{
	struct alg_evidence *e = arena_zalloc(arena, sizeof *e);

	e->arena = arena;
	sip_alg_from_points(facts, e);
	sip_alg_from_echo(facts, e);
	adopt_homeless(e);
	return e;
}

static void on_event(struct detection *d, const struct event *ev)
{
	const struct alg_evidence *e = lookup_alg_evidence(detection_facts(d)->lookup);

	(void)ev;
	if (e->item_count == 0)
		detection_pass(d, NULL, "no message was seen in two states");
	for (unsigned i = 0; i < e->rewriter_count; i++) {
		if (e->rewriters[i].first)
			judge(d, &e->rewriters[i]);
	}
}

const struct detector detect_sip_alg = {
	.id = "sip-alg", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_CAUSES),
	.scope = GLOBAL, .usual = SEVERITY_WARNING,
	.possible_max = SEVERITY_INFO,
};
