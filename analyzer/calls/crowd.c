/* SPDX-License-Identifier: MIT */
/*
 * crowd: requests that begin nothing, as there is no room for it (analyzer/shed.h): counted as if it had begun and
 * gone.
 */
#include "analyzer/calls/internal.h"

bool calls_no_room(const struct calls *c, const struct packet *p)
{
	if (p->sip->method == SIP_REGISTER)
		return registrations_crowded(c) && !registration_known(c, p);
	return legs_crowded(c) && !leg_known(c, p->sip);
}

static void count(struct calls *c, const struct packet *p, bool begins, uint64_t more)
{
	c->counts.messages += more;
	if (!begins)
		return;
	if (p->sip->method == SIP_REGISTER) {
		c->counts.evicted_registrations += more;
	} else {
		c->counts.calls += more;
		c->counts.evicted_legs += more;
	}
}

void calls_give_up(struct calls *c, const struct packet *p, bool first)
{
	count(c, p, first, 1);
}

void calls_take_back(struct calls *c, const struct packet *p, bool last)
{
	count(c, p, last, UINT64_MAX);
}

void calls_lend(struct calls *c, size_t bytes)
{
	c->config.max_bytes -= bytes < c->config.max_bytes ? bytes : 0;
}
