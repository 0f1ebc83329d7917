/* SPDX-License-Identifier: MIT */
/*
 * dropped_one_point: dropped-in-path where only one side was captured (3.6): INVITEs of a sort that SIP helpers drop
 * are never answered, others of the same phone are. A hint; more where other signs say that a device there rewrites.
 */
#include "analyzer/detect/dropped_in_path.h"

#include <stdio.h>

#include "analyzer/detect/lookup.h"
#include "analyzer/detect/say.h"
#include "analyzer/detect/sip_alg_private.h"
#include "analyzer/network/internal.h"

enum { LIKELY_TRANSACTIONS = 2, EVIDENCE_MESSAGES = 4 };

static const char *const kinds[] = {
	"sdp-port-privileged", "sdp-address-family", "sdp-no-connection", "no-content-length", "media-port-clash",
};

struct lost {                        /* one device, one reason */
	const struct alg_rewriter *in;
	const char *reason;
	const struct alg_item *first;
	unsigned transactions;
	bool hurts;                  /* a call was never answered */
	int64_t first_ns, last_ns;
};

static bool is_lost(const struct alg_item *item, const char *reason)
{
	return item->dropped && strcmp(item->dropped, reason) == 0;
}

static struct lost gather(const struct alg_rewriter *r, const char *reason)
{
	struct lost l = { .in = r, .reason = reason };

	for (const struct alg_entry *e = r->first; e; e = e->next) {
		const struct alg_item *item = &e->item;

		if (!is_lost(item, reason))
			continue;
		if (!l.first || item->first_ns < l.first_ns)
			l.first_ns = item->first_ns;
		if (!l.first || item->last_ns > l.last_ns)
			l.last_ns = item->last_ns;
		l.first = l.first ? l.first : item;
		l.transactions += item->count ? item->count : 1;
		l.hurts |= !item->leg || !item->leg->answered;
	}
	return l;
}

static const char *device_text(const struct alg_where *w, char buffer[96])
{
	char text[ADDRESS_TEXT];

	if (!address_known(&w->host))
		snprintf(buffer, 96, "the device in the path");
	else
		snprintf(buffer, 96, "the router %s", address_text(&w->host, text));
	return buffer;
}

static void say_proof(struct finding *f, const struct lost *l)
{
	unsigned shown = 0;

	for (const struct alg_entry *e = l->in->first; e && shown < EVIDENCE_MESSAGES; e = e->next) {
		if (!is_lost(&e->item, l->reason))
			continue;
		finding_evidence(f, e->item.seen[1], "INVITE without an answer, %s %s", e->item.field, e->item.after);
		shown++;
	}
}

static void say_parts(struct finding *f, const struct lost *l)
{
	for (const struct alg_entry *e = l->in->first; e; e = e->next) {
		if (!is_lost(&e->item, l->reason))
			continue;
		if (e->item.leg)
			finding_leg(f, e->item.leg);
		finding_part(f, PART_VICTIM, &e->item.phone);
	}
	finding_part(f, PART_WITNESS, &(struct endpoint){ l->first->peer.addr, 0 });
	if (address_known(&l->in->where.host))
		finding_part(f, PART_CULPRIT, &(struct endpoint){ l->in->where.host, 0 });
}

static void tell(struct detection *d, const struct lost *l, enum confidence confidence)
{
	uint64_t key = hash_mix(hash_mix(address_key(&l->in->where.host), address_key(&l->first->peer.addr)),
		hash_bytes(l->reason, strlen(l->reason)) ^ l->in->where.port);
	struct finding *f = detection_raise_keyed(d, key, l->reason, l->hurts ? SEVERITY_ERROR : SEVERITY_WARNING,
		confidence);
	char phone[SAY_TEXT], server[SAY_TEXT], device[96];

	say_parts(f, l);
	finding_times(f, l->first_ns, l->last_ns);
	f->count = l->transactions;
	say_host(detection_facts(d), &l->first->phone.addr, phone);
	say_host(detection_facts(d), &l->first->peer.addr, server);
	finding_title(f, "INVITEs from %s %s on their way to %s", phone,
		confidence == CONFIDENCE_POSSIBLE ? "may be dropped" : "are probably dropped", server);
	finding_cause(f, "%u INVITE%s to %s got %s, while others are answered. %s", l->transactions,
		l->transactions == 1 ? "" : "s", server, strcmp(l->reason, "media-port-clash") == 0 ?
		"no answer, or one to a repetition alone" : "no answer however often sent, not even a 100",
		dropped_because(l->reason));
	dropped_fix(f, l->reason, device_text(&l->in->where, device));
	finding_cannot_see(f, "whether these INVITEs come out behind the router; capture on its WAN side");
	say_proof(f, l);
}

static void judge(struct detection *d, const struct alg_rewriter *r)
{
	struct alg_limits limits = { (int)detection_config(d, "sip-alg", "likely"),
		(int)detection_config(d, "sip-alg", "possible") };
	bool rewrites = alg_weigh_without(r, &limits, 'D').confidence >= CONFIDENCE_LIKELY;

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		struct lost l = gather(r, kinds[i]);

		if (l.first)
			tell(d, &l, rewrites && l.transactions >= LIKELY_TRANSACTIONS ? CONFIDENCE_LIKELY
				: CONFIDENCE_POSSIBLE);
	}
}

/* With a second point nobody has to guess. */
void dropped_one_point_judge(struct detection *d)
{
	const struct facts *facts = detection_facts(d);
	const struct alg_evidence *e;

	if (two_points_count(facts->points) > 1)
		return;
	e = lookup_alg_evidence(facts->lookup);
	for (unsigned i = 0; i < e->rewriter_count; i++) {
		if (e->rewriters[i].first)
			judge(d, &e->rewriters[i]);
	}
}
