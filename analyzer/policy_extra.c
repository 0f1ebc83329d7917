/* SPDX-License-Identifier: MIT */
/* policy_extra: see the header. */
#include "analyzer/policy_extra.h"

#include <stdlib.h>

#include "analyzer/network/vlan_use.h"
#include "captures/base/memory.h"

/* ---- marks ---- */

void policy_extra_mark(struct policy_extra *x, bool media, bool inbound, uint8_t dscp, unsigned count)
{
	for (unsigned i = 0; i < x->mark_count; i++) {
		struct policy_mark *m = &x->marks[i];

		if (m->media == media && m->inbound == inbound && m->dscp == dscp) {
			m->count += count;
			return;
		}
	}
	if (x->mark_count < POLICY_MARKS)
		x->marks[x->mark_count++] = (struct policy_mark){ media, inbound, dscp, count };
}

static int mark_compare(const void *a, const void *b)
{
	const struct policy_mark *x = a, *y = b;
	int order = (int)x->media - (int)y->media;

	if (!order)
		order = (int)x->inbound - (int)y->inbound;
	if (!order && x->count != y->count)
		order = x->count > y->count ? -1 : 1;
	return order ? order : (int)x->dscp - (int)y->dscp;
}

/* ---- VLANs ---- */

static void take_vlan(struct policy_extra *x, uint16_t vid)
{
	unsigned i = 0;

	while (i < x->vlan_count && x->vlans[i].vid != vid)
		i++;
	if (i == POLICY_VLANS)
		return;
	if (i == x->vlan_count)
		x->vlans[x->vlan_count++].vid = vid;
	x->vlans[i].hosts++;
}

static int vlan_compare(const void *a, const void *b)
{
	return (int)((const struct policy_vlan *)a)->vid - (int)((const struct policy_vlan *)b)->vid;
}

/* ---- calls a minute ---- */

struct call_in {
	struct address from;
	struct frame_ref at;
};

static int call_compare(const void *a, const void *b)
{
	const struct call_in *x = a, *y = b;
	int order = address_compare(&x->from, &y->from);

	if (!order && x->at.at_ns != y->at.at_ns)
		order = x->at.at_ns < y->at.at_ns ? -1 : 1;
	return order ? order : (x->at.frame > y->at.frame) - (x->at.frame < y->at.frame);
}

/* list[0..count) are one provider's, by time. */
static void take_provider(struct policy_extra *x, const struct call_in *list, unsigned count)
{
	struct policy_limit most = { .from = list[0].from };
	unsigned behind = 0;

	for (unsigned i = 0; i < count; i++) {
		while (ns_minus(list[i].at.at_ns, list[behind].at.at_ns) > MINUTE_NS)
			behind++;
		if (i + 1 - behind > most.calls) {
			most.calls = i + 1 - behind;
			most.at = list[behind].at;
		}
	}
	if (x->limit_count < POLICY_LIMITS)
		x->limits[x->limit_count++] = most;
}

static void take_calls(struct policy_extra *x, const struct facts *facts, const struct ends *ends)
{
	const struct list *legs = calls_legs(facts->calls);
	struct call_in *list = memory_resize(NULL, legs->count + 1, sizeof *list);
	unsigned count = 0, n;

	LIST_EACH(it, legs) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);
		const struct segment *first = leg->segment_count ? &leg->segments[0] : NULL;

		if (leg->initial_invite_seen && first && end_of(ends, &first->a.addr) == END_PROVIDER &&
		    end_of(ends, &first->b.addr) == END_OWN)
			list[count++] = (struct call_in){ first->a.addr, leg->invite_at };
	}
	if (count)
		qsort(list, count, sizeof *list, call_compare);
	for (unsigned i = 0; i < count; i += n) {
		for (n = 1; i + n < count && address_equal(&list[i].from, &list[i + n].from);)
			n++;
		take_provider(x, &list[i], n);
	}
	free(list);
}

void policy_extra_settle(struct policy_extra *x, const struct facts *facts, const struct ends *ends)
{
	LIST_EACH(it, vlan_uses_in_order(network_vlans(facts->network))) {
		const struct vlan_host *h = LIST_ENTRY(it, struct vlan_host, in_order);

		if (h->sip + h->media && !h->routed && end_of(ends, &h->addr) == END_OWN)
			take_vlan(x, h->vid);
	}
	take_calls(x, facts, ends);
	qsort(x->marks, x->mark_count, sizeof *x->marks, mark_compare);
	qsort(x->vlans, x->vlan_count, sizeof *x->vlans, vlan_compare);
}
