/* SPDX-License-Identifier: MIT */
/*
 * sip_alg_weigh: points of the evidence against one rewriter (3.3: the best of each group, less what speaks against
 * it), and its reasons.
 */
#include "analyzer/detect/sip_alg_private.h"

enum { LETTERS = 26, COUNTER_MAX = 16 };

/* Which reason stands for the finding: the first of these that is there; the others follow in the same order. */
static const char *const order[] = {
	"rewritten-headers", "rewritten-sdp", "via-echo-changed", "received-private", "identity-echo-changed",
	"vendor-mark", "call-id-changed", "length-delta",
	"stale-private", "codec-removed", "rport-removed", "expires-changed", "media-port-moved", "intermittent",
	"server-port-rewritten", "hold-owner-null",
	"auth-broken", "response-port-moved", "parse-drop", "far-side",
};

enum { ORDER_COUNT = sizeof order / sizeof order[0] };

static bool for_it(const struct alg_item *item)
{
	return item->weight == ALG_PROOF || item->weight == ALG_POINTS || item->weight == ALG_ALONE;
}

static int letter_of(char group)
{
	return group >= 'A' && group <= 'Z' ? group - 'A' : -1;
}

static void best_of_groups(const struct alg_rewriter *r, int points[LETTERS])
{
	for (const struct alg_entry *e = r->first; e; e = e->next) {
		int l = letter_of(e->item.group);

		if ((e->item.weight == ALG_POINTS || e->item.weight == ALG_ALONE) && l >= 0 &&
		    e->item.points > points[l])
			points[l] = e->item.points;
	}
}

static void veto(const struct alg_rewriter *r, int points[LETTERS])
{
	for (const struct alg_entry *e = r->first; e; e = e->next) {
		for (const char *g = e->item.weight == ALG_VETO && e->item.groups ? e->item.groups : ""; *g; g++) {
			if (letter_of(*g) >= 0)
				points[letter_of(*g)] = 0;
		}
	}
}

/* The same counter-evidence counts once, however many messages show it. */
static void subtract(const struct alg_rewriter *r, int points[LETTERS])
{
	const struct alg_item *done[COUNTER_MAX];
	unsigned count = 0;

	for (const struct alg_entry *e = r->first; e; e = e->next) {
		int left = e->item.points;
		bool again = e->item.weight != ALG_AGAINST || !e->item.groups || count == COUNTER_MAX;

		for (unsigned i = 0; i < count && !again; i++)
			again = strcmp(done[i]->reason, e->item.reason) == 0 &&
				strcmp(done[i]->groups, e->item.groups) == 0;
		if (again)
			continue;
		done[count++] = &e->item;
		for (const char *g = e->item.groups; *g && left > 0; g++) {
			int l = letter_of(*g), most = l < 0 ? 0 : points[l] < left ? points[l] : left;

			if (l >= 0)
				points[l] -= most;
			left -= most;
		}
	}
}

static bool has(const struct alg_rewriter *r, enum alg_weight weight, int points)
{
	for (const struct alg_entry *e = r->first; e; e = e->next) {
		if (e->item.weight == weight && e->item.points >= points)
			return true;
	}
	return false;
}

struct alg_sum alg_weigh(const struct alg_rewriter *r, const struct alg_limits *limits)
{
	return alg_weigh_without(r, limits, 0);
}

struct alg_sum alg_weigh_without(const struct alg_rewriter *r, const struct alg_limits *limits, char group)
{
	struct alg_sum sum = { CONFIDENCE_NONE, 0, 0 };
	int points[LETTERS] = { 0 };

	best_of_groups(r, points);
	if (letter_of(group) >= 0)
		points[letter_of(group)] = 0;
	veto(r, points);
	subtract(r, points);
	for (unsigned i = 0; i < LETTERS; i++) {
		sum.points += points[i];
		sum.groups += points[i] > 0;
	}
	if (has(r, ALG_PROOF, 0))
		sum.confidence = CONFIDENCE_CERTAIN;
	else if (sum.points >= limits->likely && (sum.groups >= 2 || has(r, ALG_ALONE, limits->likely)) &&
		!has(r, ALG_CAP, 0))
		sum.confidence = CONFIDENCE_LIKELY;
	else if (sum.points >= limits->possible)
		sum.confidence = CONFIDENCE_POSSIBLE;
	return sum;
}

bool alg_is_certain(const struct alg_evidence *e, const struct address *outside, uint16_t port)
{
	for (unsigned i = 0; i < e->rewriter_count; i++) {
		const struct alg_rewriter *r = &e->rewriters[i];

		if (r->first && !r->where.far_side && r->where.transport == TRANSPORT_UDP && r->where.port == port &&
		    address_equal(&r->where.host, outside) && has(r, ALG_PROOF, 0))
			return true;
	}
	return false;
}

static bool gives(const struct alg_rewriter *r, const char *reason, bool proof)
{
	for (const struct alg_entry *e = r->first; e; e = e->next) {
		if (for_it(&e->item) && (e->item.weight == ALG_PROOF || !proof) && strcmp(e->item.reason, reason) == 0)
			return true;
	}
	return false;
}

unsigned alg_reasons(const struct alg_rewriter *r, enum confidence c, const char *ret[FINDING_REASON_MAX + 1])
{
	unsigned n = 0, lead = 0;

	while (lead < ORDER_COUNT && !gives(r, order[lead], c == CONFIDENCE_CERTAIN))
		lead++;
	if (lead == ORDER_COUNT)
		lead = 0;
	ret[n++] = order[lead];
	for (unsigned i = 0; i < ORDER_COUNT && n < FINDING_REASON_MAX + 1; i++) {
		if (i != lead && gives(r, order[i], false))
			ret[n++] = order[i];
	}
	return n;
}
