/* SPDX-License-Identifier: MIT */
/* mark_use: see the header. */
#include "analyzer/network/mark_use.h"

#include "captures/base/hash.h"

enum { EF = 46, PREC5 = 40, TCP = 6, UDP = 17 };
enum { BULK_BYTES = 800 };      /* of IP: 20 ms of any voice codec in any tunnel have a quarter of it */

/* NULL: it is not among the first ones. Half of the index stays free, so that a search ends. */
static struct mark_use *use_of(struct mark_uses *u, const struct packet *p)
{
	uint32_t at = (uint32_t)hash_mix(endpoint_key(&(struct endpoint){ p->src.addr, 0 }),
		endpoint_key(&(struct endpoint){ p->dst.addr, 0 })) % (2 * MARK_USES);
	struct mark_use *x;
	bool udp = p->ip_protocol == UDP;

	for (; u->index[at]; at = (at + 1) % (2 * MARK_USES)) {
		x = &u->list[u->index[at] - 1];
		if (x->udp == udp && address_equal(&x->src, &p->src.addr) && address_equal(&x->dst, &p->dst.addr))
			return x;
	}
	if (u->count == MARK_USES)
		return NULL;
	u->index[at] = (uint16_t)(u->count + 1);
	x = &u->list[u->count++];
	*x = (struct mark_use){ .src = p->src.addr, .dst = p->dst.addr, .dscp = p->dscp, .udp = udp,
		.port = p->src.port < p->dst.port ? p->src.port : p->dst.port,
		.first = { p->at_ns, p->frame, p->file, p->interface } };
	return x;
}

void mark_uses_packet(struct mark_uses *u, const struct packet *p)
{
	bool data = p->ip_protocol == TCP ? p->kind != PACKET_SIP
		: p->ip_protocol == UDP && p->kind == PACKET_OTHER && (p->has & HAS_PORTS) && p->ip_bytes >= BULK_BYTES;
	bool marked = data && (p->dscp == EF || p->dscp == PREC5);
	struct mark_use *x = marked ? use_of(u, p) : NULL;

	if (!x)
		return;
	x->packets++;
	x->bytes += p->ip_bytes;
	x->last = (struct frame_ref){ p->at_ns, p->frame, p->file, p->interface };
}
