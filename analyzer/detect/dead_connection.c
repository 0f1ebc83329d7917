/* SPDX-License-Identifier: MIT */
/* dead_connection: looked up among the flows, for the few requests over TCP that nobody answers. */
#include "analyzer/detect/dead_connection.h"

#include <stdio.h>

#include "analyzer/network/flow.h"

enum { COPIES_LEAST = 3 };           /* TCP sends again after 0.2 to 3 s, and twice as long each time */

#define RESET_NS (32 * SECOND_NS)
#define AGAIN_NS (10 * MINUTE_NS)

static bool is_between(const struct flow *f, const struct endpoint *src, const struct endpoint *dst, unsigned *ret_side)
{
	*ret_side = endpoint_equal(&f->client, src) ? FLOW_CLIENT : FLOW_SERVER;
	if (*ret_side == FLOW_CLIENT)
		return endpoint_equal(&f->server, dst);
	return endpoint_equal(&f->server, src) && endpoint_equal(&f->client, dst);
}

/* Whoever had opened it has come again, from another port. */
static void find_again(const struct facts *facts, const struct flow *dead, int64_t at_ns, struct dead_connection *c)
{
	LIST_EACH(it, flows_in_order(facts->flows)) {
		const struct flow *f = LIST_ENTRY(it, struct flow, in_order);

		if (f->first_ns <= at_ns || f->first_ns > ns_add(at_ns, AGAIN_NS) || f->partial || !flow_accepted(f) ||
		    !address_equal(&f->client.addr, &dead->client.addr) || !endpoint_equal(&f->server, &dead->server))
			continue;
		c->now = f->client;
		c->now_at = f->first_at;
		return;
	}
}

bool dead_connection_find(const struct facts *facts, const struct endpoint *src, const struct endpoint *dst,
	int64_t at_ns, struct dead_connection *ret)
{
	const struct flow *found = NULL;
	unsigned side = FLOW_CLIENT;

	LIST_EACH(it, flows_in_order(facts->flows)) {
		const struct flow *f = LIST_ENTRY(it, struct flow, in_order);
		unsigned s;

		if (f->first_ns <= at_ns && f->last_ns >= at_ns && is_between(f, src, dst, &s)) {
			found = f;
			side = s;
		}
	}
	*ret = (struct dead_connection){ .copies = 0 };
	if (!found)
		return false;
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
