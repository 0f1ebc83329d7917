/* SPDX-License-Identifier: MIT */
/* icmp_says: a row a type and code; -1 is any code. */
#include "analyzer/detect/icmp_says.h"

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
