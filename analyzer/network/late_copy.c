/* SPDX-License-Identifier: MIT */
/* late_copy: the latest packets by their hash; what is found again gives a sample. */
#include "analyzer/network/late_copy.h"

#include <stdlib.h>

#include "captures/base/hash.h"
#include "captures/base/memory.h"
#include "captures/base/ns.h"

enum { NEEDED = 4, BYTES = 256 };

#define AGREE_NS (50 * MILLISECOND_NS)
#define MOST_NS (64 * SECOND_NS)                     /* later it is traffic that was played again */

void late_copies_fini(struct late_copies *l)
{
	free(l->slots);
	l->slots = NULL;
}

/* With SIP, as far as that can be told of a segment that repeats another one. */
static bool is_of_sip(const struct packet *p)
{
	enum { PORT_SIP = 5060, PORT_SIPS = 5061 };

	if (p->transport == TRANSPORT_UDP)
		return p->kind == PACKET_SIP;
	return p->ip_protocol == 6 && p->payload_wire && (p->src.port == PORT_SIP || p->dst.port == PORT_SIP ||
	       p->src.port == PORT_SIPS || p->dst.port == PORT_SIPS);
}

/* Of a segment its number and length: of several messages in it one stands for all. */
static uint64_t packet_key(const struct packet *p)
{
	uint64_t key = hash_mix(p->ip_id, p->ip_bytes);

	if (p->transport == TRANSPORT_UDP)
		key = hash_mix(key, hash_bytes(p->payload.p, p->payload.n < BYTES ? p->payload.n : BYTES));
	else
		key = hash_mix(key, p->tcp_seq);
	key = hash_mix(key, hash_bytes(&p->src.addr, sizeof p->src.addr));
	key = hash_mix(key, hash_bytes(&p->dst.addr, sizeof p->dst.addr));
	return hash_mix(key, (uint64_t)p->src.port << 16 | p->dst.port) | 1;
}

void late_copies_packet(struct late_copies *l, const struct packet *p, int64_t least_ns)
{
	struct late_slot *slot;
	int64_t apart_ns;
	uint64_t key;

	if (!(p->has & HAS_IP_ID) || p->ip_id == 0 || !p->first_of_frame || !is_of_sip(p))
		return;
	if (!l->slots)
		l->slots = memory_zalloc(LATE_SLOTS * sizeof *l->slots);
	key = packet_key(p);
	slot = &l->slots[(key >> 1) % LATE_SLOTS];
	apart_ns = ns_minus(p->at_ns, slot->at_ns);
	if (slot->key != key || apart_ns > MOST_NS) {
		*slot = (struct late_slot){ key, p->at_ns };
		l->first++;
		return;
	}
	if (apart_ns < least_ns)
		return;
	if (l->again == 0)
		l->from = p->src.addr;
	l->others |= !address_equal(&l->from, &p->src.addr);
	l->apart_ns[l->again++ % LATE_SAMPLES] = apart_ns;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int64_t late_copies_apart_ns(const struct late_copies *l)
{
	unsigned count = l->again < LATE_SAMPLES ? (unsigned)l->again : LATE_SAMPLES, near = 0;
	int64_t sorted[LATE_SAMPLES], middle_ns;

	if (count < NEEDED || !l->others || l->again * 2 < l->first)
		return 0;
	memcpy(sorted, l->apart_ns, count * sizeof *sorted);
	qsort(sorted, count, sizeof *sorted, by_value);
	middle_ns = sorted[count / 2];
	for (unsigned i = 0; i < count; i++)
		near += ns_minus(sorted[i], middle_ns) <= AGREE_NS && ns_minus(middle_ns, sorted[i]) <= AGREE_NS;
	return near * 4 >= count * 3 ? middle_ns : 0;
}
