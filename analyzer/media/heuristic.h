/* SPDX-License-Identifier: MIT */
/* heuristic: is an unsignalled UDP flow RTP? (1.4.2) Judged over the first packets of one flow and SSRC. */
#ifndef DEADAIR_MEDIA_HEURISTIC_H
#define DEADAIR_MEDIA_HEURISTIC_H

#include "dissect/packet.h"

enum { HEURISTIC_MAX = 64, HEURISTIC_ZERO_SSRC = 50 };

struct heuristic {
	unsigned wanted, count;
	unsigned repeats;            /* of packets that it has: mirror copies, unless there are more than packets */
	int64_t first_ns, last_ns;
	uint32_t ssrc;
	struct heuristic_packet { uint32_t rtp_ts; uint16_t seq, length; uint8_t pt; } packets[HEURISTIC_MAX];
};

/*
 * What one packet must be: version, padding and lengths are the dissector's; payload type and ports are looked at
 * here.
 */
bool heuristic_packet_fits(const struct packet *p);
void heuristic_init(struct heuristic *h, unsigned wanted, uint32_t ssrc);
void heuristic_add(struct heuristic *h, const struct packet *p);
static inline bool heuristic_full(const struct heuristic *h)
{
	return h->count >= h->wanted;
}
bool heuristic_accepts(const struct heuristic *h);

#endif
