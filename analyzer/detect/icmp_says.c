/* SPDX-License-Identifier: MIT */
/* icmp_says: a row a type and code; -1 is any code. */
#include "analyzer/detect/icmp_says.h"

#include <stdio.h>
#include <string.h>

#include "analyzer/network/network.h"

static const struct icmp_word { bool v6; uint8_t type; int code; const char *word; } icmp_words[] = {
	{ false, 3, 0, "no route to the network" },
	{ false, 3, 1, "the host does not answer" },
	{ false, 3, 2, "the host does not know UDP" },
	{ false, 3, 3, "nothing is behind this port" },
	{ false, 3, 4, "the packet is too big for the way" },
	{ false, 3, 9, "the network is prohibited" },
	{ false, 3, 10, "the host is prohibited" },
	{ false, 3, 13, "prohibited by a filter" },
	{ false, 3, -1, "it cannot be reached" },
	{ false, 11, 1, "fragments of the packet did not come" },
	{ false, 11, -1, "the way is too long, or a circle" },
	{ true, 1, 0, "no route to the network" },
	{ true, 1, 1, "prohibited by a filter" },
	{ true, 1, 3, "the host does not answer" },
	{ true, 1, 4, "nothing is behind this port" },
	{ true, 1, -1, "it cannot be reached" },
	{ true, 2, -1, "the packet is too big for the way" },
	{ true, 3, 1, "fragments of the packet did not come" },
	{ true, 3, -1, "the way is too long, or a circle" },
};

const char *icmp_says(const struct icmp_record *i)
{
	for (unsigned k = 0; k < sizeof icmp_words / sizeof icmp_words[0]; k++) {
		const struct icmp_word *w = &icmp_words[k];

		if (w->v6 == i->v6 && w->type == i->type && (w->code < 0 || w->code == i->code))
			return w->word;
	}
	return "it cannot be delivered";
}

bool icmp_no_port(const struct icmp_record *i)
{
	return i->v6 ? i->type == 1 && i->code == 4 : i->type == 3 && i->code == 3;
}

bool icmp_torn(const struct icmp_record *i)
{
	return i->type == (i->v6 ? 3 : 11) && i->code == 1;
}

const char *icmp_two_devices(const struct facts *facts, const struct icmp_record *i, char text[ICMP_TWO])
{
	const struct host *h = network_host_find(facts->network, &i->reporter);
	bool here = i->ttl == 64 || i->ttl == 128 || i->ttl == 255;  /* no router has passed it on */

	text[0] = '\0';
	if (!h || !h->has_mac || h->mac_shared || !h->ttl_known || h->hops || !i->has_mac || !here ||
	    !address_equal(&i->reporter, &i->dst.addr) || memcmp(h->mac, i->mac, sizeof i->mac) == 0)
		return text;
	snprintf(text, ICMP_TWO, " The refusal comes from %02x:%02x:%02x:%02x:%02x:%02x, all else of this address from %02x:%02x:%02x:%02x:%02x:%02x: two devices have it.",
		i->mac[0], i->mac[1], i->mac[2], i->mac[3], i->mac[4], i->mac[5],
		h->mac[0], h->mac[1], h->mac[2], h->mac[3], h->mac[4], h->mac[5]);
	return text;
}
