/* SPDX-License-Identifier: MIT */
/*
 * sip_alg_pair: evidence of sip-alg from two capture points: the same message before and behind a hop (3.4). Proof by
 * itself.
 */
#include <stdio.h>

#include "analyzer/detect/leg_keys.h"
#include "analyzer/detect/lookup.h"
#include "analyzer/detect/sip_alg.h"
#include "analyzer/network/two_points.h"

_Static_assert((int)ALG_VIA == PLACE_VIA && (int)ALG_CONTACT == PLACE_CONTACT && (int)ALG_SDP == PLACE_SDP &&
	(int)ALG_IDENTITY == PLACE_IDENTITY &&
		       (int)ALG_REFER == PLACE_REFER && (int)ALG_AUTH == PLACE_AUTH &&
		       (int)ALG_EXPIRES == PLACE_EXPIRES && (int)ALG_BODY == PLACE_BODY,
	       "places are fields");

enum { REPLACED_MIN = 2, REPLACED_POINTS = 60 };

/* ---- items ---- */

static struct alg_where where_of(const struct passage *p)
{
	return (struct alg_where){ .host = p->outside, .transport = p->transport, .port = p->port };
}

static void add_change(struct alg_evidence *to, const struct passage *p, const struct passage_change *c,
	struct leg_keys *legs)
{
	struct alg_item item = {
		.where = where_of(p), .reason = c->change.reason, .weight = ALG_PROOF,
		.fields = c->change.place & ~(uint32_t)PLACE_OTHER,
		.seen = { c->seen[0], c->seen[1] }, .count = c->count, .phone = c->phone, .peer = { p->peer, p->port },
		.first_ns = c->first_ns, .last_ns = c->last_ns,
	};

	snprintf(item.field, sizeof item.field, "%s", c->change.field);
	snprintf(item.before, sizeof item.before, "%s", c->change.before);
	snprintf(item.after, sizeof item.after, "%s", c->change.after);
	item.leg = leg_keys_find(legs, c->leg_key);
	if (!item.leg)
		item.leg = leg_keys_find(legs, c->leg_key_behind);
	alg_evidence_add(to, &item);
}

/*
 * Requests to the server come out under another branch, in the router's name, without a trace of the hop that a proxy
 * would leave: a transparent SIP proxy. Twice, lest one odd message accuse it.
 */
static void add_replacement(struct alg_evidence *to, const struct passage *p, const struct passage_change *c,
	struct leg_keys *legs)
{
	struct alg_item item = {
		.where = where_of(p), .reason = c->change.reason, .weight = ALG_ALONE,
		.points = REPLACED_POINTS, .group = 'P',
		.fields = c->change.place & ~(uint32_t)PLACE_OTHER,
		.seen = { c->seen[0], c->seen[1] }, .count = c->count, .phone = c->phone, .peer = { p->peer, p->port },
		.leg = leg_keys_find(legs, c->leg_key), .first_ns = c->first_ns, .last_ns = c->last_ns,
		.note = "It sends requests on in its own name, under a branch of its own, as a transparent SIP proxy does.",
	};

	snprintf(item.field, sizeof item.field, "%s", c->change.field);
	snprintf(item.before, sizeof item.before, "%s", c->change.before);
	snprintf(item.after, sizeof item.after, "%s", c->change.after);
	alg_evidence_add(to, &item);
}

/* Some messages of the phones pass as they are, although they name the phone's own socket: what a rewriter is for. */
static void add_intermittent(struct alg_evidence *to, const struct passage *p)
{
	struct alg_item item = {
		.where = where_of(p), .reason = "intermittent", .weight = ALG_PROOF,
		.seen = { p->equal_at[0], p->equal_at[1] }, .count = p->equal_own,
		.peer = { p->peer, p->port }, .first_ns = p->first_ns, .last_ns = p->last_ns,
	};

	snprintf(item.note, sizeof item.note, "%u of %u messages that it should have changed pass as they are.",
		p->equal_own, p->equal_own + p->rewritten);
	alg_evidence_add(to, &item);
}

void sip_alg_from_points(const struct facts *facts, struct alg_evidence *to)
{
	struct leg_keys *legs = lookup_leg_keys(facts->lookup);

	if (two_points_passages(facts->points)->count == 0)
		return;
	LIST_EACH(it, two_points_passages(facts->points)) {
		const struct passage *p = LIST_ENTRY(it, struct passage, in_order);

		LIST_EACH(cit, &p->changes)
			add_change(to, p, LIST_ENTRY(cit, struct passage_change, in_passage), legs);
		LIST_EACH(kit, &p->kept) {
			if (p->rewritten)
				add_change(to, p, LIST_ENTRY(kit, struct passage_change, in_passage), legs);
		}
		LIST_EACH(rit, &p->replacements) {
			if (p->replaced >= REPLACED_MIN)
				add_replacement(to, p, LIST_ENTRY(rit, struct passage_change, in_passage), legs);
		}
		if (p->rewritten && p->equal_own)
			add_intermittent(to, p);
	}
}
