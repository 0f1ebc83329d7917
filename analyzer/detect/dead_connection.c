/* SPDX-License-Identifier: MIT */
/* dead_connection: looked up among the flows, for the few requests over TCP that nobody answers. */
#include "analyzer/detect/dead_connection.h"

#include <stdio.h>

#include "analyzer/detect/lookup.h"
#include "analyzer/network/flow.h"

enum { COPIES_LEAST = 3 };           /* TCP sends again after 0.2 to 3 s, and twice as long each time */

#define RESET_NS (32 * SECOND_NS)
#define AGAIN_NS (10 * MINUTE_NS)

/* Whoever had opened it has come again, from another port. */
static void find_again(const struct facts *facts, const struct flow *dead, int64_t at_ns, struct dead_connection *c)
{
	const struct flow *f = lookup_flow_after(facts->lookup, &dead->client.addr, &dead->server, at_ns);

	if (!f || f->first_ns > ns_add(at_ns, AGAIN_NS))
		return;
	c->now = f->client;
	c->now_at = f->first_at;
}

bool dead_connection_find(const struct facts *facts, const struct endpoint *src, const struct endpoint *dst,
	int64_t at_ns, struct dead_connection *ret)
{
	struct lookup_flows between = lookup_flows_between(facts->lookup, src, dst);
	const struct flow *found = NULL;
	unsigned side;

	for (size_t i = 0; i < between.count; i++)
		if (between.flows[i]->first_ns <= at_ns && between.flows[i]->last_ns >= at_ns)
			found = between.flows[i];
	*ret = (struct dead_connection){ .copies = 0 };
	if (!found)
		return false;
	side = endpoint_equal(&found->client, src) ? FLOW_CLIENT : FLOW_SERVER;
	ret->copies = found->side[side].unheard_copies;
	if (found->side[!side].rst_at.frame && found->side[!side].rst_at.at_ns >= at_ns &&
	    found->side[!side].rst_at.at_ns <= ns_add(at_ns, RESET_NS))
		ret->reset_at = found->side[!side].rst_at;
	else if (ret->copies < COPIES_LEAST || found->side[!side].last_ns > at_ns)
		return false;
	ret->idle_ns = found->side[!side].last_ns && found->side[!side].last_ns < at_ns
		? ns_minus(at_ns, found->side[!side].last_ns) : 0;
	if (side == FLOW_SERVER)
		find_again(facts, found, at_ns, ret);
	return true;
}

const char *dead_connection_text(const struct dead_connection *c, char text[], size_t size)
{
	char idle[60] = "";

	if (c->idle_ns >= SECOND_NS)
		snprintf(idle, sizeof idle, ", silent for %.0f s before,", (double)c->idle_ns / 1e9);
	if (c->reset_at.frame)
		snprintf(text, size, "the TCP connection%s was reset (RST) by the other end, or by a router in its name", idle);
	else
		snprintf(text, size, "the TCP connection%s is dead: the segment was sent %u times more, and no copy was acknowledged", idle, c->copies);
	return text;
}
