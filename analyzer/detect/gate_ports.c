/* SPDX-License-Identifier: MIT */
/* gate_ports: see the header. */
#include "analyzer/detect/gate_ports.h"

#include <stdlib.h>

#include "analyzer/media/socket_use.h"
#include "captures/base/memory.h"

enum { PORT_RANGE_CALLS = 3 };       /* hosts and calls */

#define DUE_NS (5 * SECOND_NS)

struct port_use {
	uint16_t port;
	struct address host;
	bool seen;
};

static int port_use_compare(const void *a, const void *b)
{
	const struct port_use *x = a, *y = b;

	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	return address_compare(&x->host, &y->host);
}

/* Audio to or from the port, also behind a NAT, where the socket that was named is none of those on the wire. */
static bool is_seen(const struct facts *f, const struct mslot *slot, unsigned sender, const struct endpoint *at)
{
	const struct direction *back = &slot->direction[!sender];
	const struct socket_use *s = socket_uses_find(f->sockets, at);

	if (s && s->arriving_count + s->leaving_count)
		return true;
	for (unsigned i = 0; i < back->stream_count; i++) {
		if (back->streams[i]->src.port == at->port)
			return true;
	}
	return slot->direction[sender].stream_count > 0;
}

static unsigned collect_ports(const struct facts *f, struct port_use *use, unsigned room)
{
	unsigned n = 0;

	LIST_EACH(it, calls_legs(f->calls)) {
		const struct dialog *d = LIST_ENTRY(it, struct leg, in_order)->confirmed;

		for (unsigned i = 0; d && i < d->mslot_count; i++) {
			for (unsigned side = 0; side < 2 && n < room; side++) {
				const struct window *w = direction_first_due(&d->mslots[i].direction[side]);

				if (!w || !w->target_count ||
				    window_end(w, f->capture->last_ns) - w->on_ns < DUE_NS)
					continue;
				use[n].port = w->targets[0].at.port;
				use[n].host = w->targets[0].at.addr;
				use[n++].seen = is_seen(f, &d->mslots[i], side, &w->targets[0].at);
			}
		}
	}
	return n;
}

/* All silent ports on one side of a limit, all speaking ones on the other; >= 3 hosts and calls are silent. */
struct port_limit gate_ports_reckon(const struct facts *f)
{
	enum { ROOM = 512 };
	struct port_use *use = memory_zalloc(ROOM * sizeof *use);
	unsigned n = collect_ports(f, use, ROOM), silent = 0, hosts = 0;
	struct port_limit limit = { .found = false };
	uint16_t silent_min = UINT16_MAX, silent_max = 0, seen_min = UINT16_MAX, seen_max = 0;

	qsort(use, n, sizeof *use, port_use_compare);
	for (unsigned i = 0; i < n; i++) {
		uint16_t *low = use[i].seen ? &seen_min : &silent_min, *high = use[i].seen ? &seen_max : &silent_max;
		bool known = use[i].seen;

		for (unsigned k = 0; k < i && !known; k++)
			known = !use[k].seen && address_equal(&use[k].host, &use[i].host);
		hosts += !known;
		silent += !use[i].seen;
		*low = use[i].port < *low ? use[i].port : *low;
		*high = use[i].port > *high ? use[i].port : *high;
	}
	if (silent >= 2 * PORT_RANGE_CALLS && hosts >= PORT_RANGE_CALLS && n > silent &&
	    (silent_min > seen_max || silent_max < seen_min)) {
		limit.found = true;
		limit.above = silent_min > seen_max;
		limit.port = limit.above ? seen_max : seen_min;
	}
	free(use);
	return limit;
}
