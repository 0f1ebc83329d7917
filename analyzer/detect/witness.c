/* SPDX-License-Identifier: MIT */
/* witness: what an absence in signalling needs before it is said. */
#include "analyzer/detect/witness.h"

#include <string.h>

#include "analyzer/detect/gates.h"
#include "analyzer/network/network.h"

#define MARGIN_NS (60 * SECOND_NS)
#define SPAN_ENOUGH_NS (3 * SECOND_NS)
#define SOON_NS (100 * MILLISECOND_NS)
#define REPEATED_NS (2 * SECOND_NS)

enum { COPIES_ENOUGH = 4 };

static enum witness towards(const struct facts *facts, const struct address *from, const struct address *to,
	int64_t from_ns, int64_t to_ns)
{
	const struct pair *p = network_pair_find(facts->network, from, to), *other;

	if (p && p->packets)
		return WITNESS_PEER;
	if (network_other_inbound(facts->network, to, from, ns_add(from_ns, -MARGIN_NS), ns_add(to_ns, MARGIN_NS),
	    &other))
		return WITNESS_OTHER_HOST;
	if (network_link_inbound(facts->network, to, ns_add(from_ns, -MARGIN_NS), ns_add(to_ns, MARGIN_NS)))
		return WITNESS_OTHER_HOST;
	return WITNESS_NONE;
}

/* The capture cut messages so short that answers cannot be told to be answers. */
static bool nameless_between(const struct facts *facts, const struct address *src, const struct address *dst)
{
	const struct pair *p = network_pair_find(facts->network, src, dst);

	return p && p->sip_nameless;
}

static bool lives_on(const struct facts *facts, const struct address *a, int64_t beyond_ns)
{
	const struct host *h = network_host_find(facts->network, a);

	return h && h->last_out_ns != NS_NONE && h->last_out_ns > beyond_ns;
}

const char *silence_gate(const struct facts *facts, const struct silence *s, double tail_s, enum witness *ret)
{
	int64_t end_ns = facts->capture->last_ns, wait_ns = (int64_t)(tail_s * 1e9);
	const struct pair *pair;
	bool long_enough = end_ns - s->first_ns >= wait_ns;

	*ret = towards(facts, &s->dst.addr, &s->src.addr, s->first_ns, ns_add(s->last_ns, wait_ns));
	if (*ret == WITNESS_NONE)
		return "G1";
	if (*ret != WITNESS_OTHER_HOST && gates_one_sided(facts->gates, facts, &s->dst.addr, &s->src.addr, &pair))
		return "G1";
	if (nameless_between(facts, &s->dst.addr, &s->src.addr) || nameless_between(facts, &s->src.addr, &s->dst.addr))
		return "G5";
	if (!s->stream_transport && s->copies >= COPIES_ENOUGH && s->last_ns - s->first_ns >= SPAN_ENOUGH_NS)
		long_enough = true;
	if (!long_enough)
		return "end";
	/* by UDP a request without answer is sent again (RFC 3261 17.1): it got one, is gone, or the capture slept */
	if (!s->stream_transport && s->copies == 1 &&
	    (gates_nothing_captured(facts->capture, ns_add(s->first_ns, SOON_NS), ns_add(s->first_ns, REPEATED_NS)) ||
	     lives_on(facts, &s->src.addr, ns_add(s->first_ns, REPEATED_NS))))
		return "G7";
	if (gates_may_hide(facts->gates, s->first_ns, ns_add(s->last_ns, SECOND_NS)) && s->copies < COPIES_ENOUGH)
		return "G7";
	return NULL;
}

enum confidence witness_confidence(enum witness w, enum confidence with_peer)
{
	return w == WITNESS_OTHER_HOST && with_peer > CONFIDENCE_POSSIBLE ? with_peer - 1 : with_peer;
}

const char *silence_gate_text(const char *gate)
{
	if (strcmp(gate, "G1") == 0)
		return "nothing towards the sender passes this point: an answer would not have been seen";
	if (strcmp(gate, "G5") == 0)
		return "the capture cut messages of these hosts before it is clear what answers what";
	if (strcmp(gate, "G7") == 0)
		return "the capture itself lost packets then or stood still, or what is asked once only was answered";
	return "undecided at end of capture";
}
