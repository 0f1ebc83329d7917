/* SPDX-License-Identifier: MIT */
/* late_copy: the latest packets by their hash; what is found again gives a sample. */
#include "analyzer/network/late_copy.h"

#include <stdlib.h>

#include "captures/base/hash.h"
#include "captures/base/memory.h"
#include "captures/base/ns.h"

enum { NEEDED = 4 };

#define AGREE_NS (50 * MILLISECOND_NS)
#define MOST_NS (64 * SECOND_NS)                     /* later it is traffic that was played again */

void late_copies_fini(struct late_copies *l)
{
	free(l->slots);
	l->slots = NULL;
}

/* In the same file. Of a segment its number and length: of several messages in it one stands for all. */
static uint64_t packet_key(const struct packet *p)
{
	uint64_t ports = (uint64_t)p->src.port << 16 | p->dst.port, size = (uint64_t)p->ip_id << 16 | p->ip_bytes, what;

	if (p->transport == TRANSPORT_UDP)
		what = hash_mix(p->sip->keys.branch, p->sip->keys.call_id + p->sip->status);
	else
		what = p->tcp_seq;
	return hash_mix(what + p->file, ports << 32 | size) | 1;
}

void late_copies_packet(struct late_copies *l, const struct packet *p, int64_t least_ns)
{
	struct late_slot *slot;
	int64_t apart_ns;
	uint64_t key;

	if (!(p->has & HAS_IP_ID) || p->ip_id == 0 || !p->first_of_frame)
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
