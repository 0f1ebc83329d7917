/* SPDX-License-Identifier: MIT */
/* loop: a record for each of the first pairs of hosts whose packets go round. */
#include "analyzer/network/loop.h"

#include <string.h>

static struct loop *loop_of(struct loops *l, const struct loop_pass *pass)
{
	struct loop *list = pass->unchanged ? l->switched : l->routed;
	unsigned *count = pass->unchanged ? &l->switched_count : &l->routed_count;
	const struct packet *p = pass->packet;

	for (unsigned i = 0; i < *count; i++) {
		if (address_equal(&list[i].src, &p->src.addr) && address_equal(&list[i].dst, &p->dst.addr))
			return &list[i];
	}
	if (*count == LOOP_PLACES)
		return NULL;
	list[*count] = (struct loop){
		.src = p->src.addr, .dst = p->dst.addr, .unchanged = pass->unchanged, .has_mac = p->has & HAS_MAC,
		.first_ttl = pass->first_ttl, .last_ttl = p->ttl, .first_ns = pass->first_ns,
		.first_frame = pass->first_frame, .file = p->file, .interface = p->interface,
	};
	memcpy(list[*count].mac_src, p->mac_src, sizeof p->mac_src);
	memcpy(list[*count].mac_dst, p->mac_dst, sizeof p->mac_dst);
	return &list[(*count)++];
}

void loops_pass(struct loops *l, const struct loop_pass *pass)
{
	struct loop *x = loop_of(l, pass);
	const struct packet *p = pass->packet;
	uint8_t step = (uint8_t)(pass->before_ttl - p->ttl);

	if (!x)
		return;
	x->packets += !pass->counted;
	x->passes = pass->passes > x->passes ? pass->passes : x->passes;
	x->last_ttl = p->ttl < x->last_ttl ? p->ttl : x->last_ttl;
	x->died |= !pass->unchanged && p->ttl <= step;
	x->last_ns = p->at_ns;
	if (pass->first_frame == x->first_frame)
		x->last_frame = p->frame;
}
