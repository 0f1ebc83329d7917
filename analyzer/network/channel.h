/* SPDX-License-Identifier: MIT */
/*
 * channel: who is meant by ChannelData (RFC 8656 12): clients bind a channel to a peer once and name it by its number
 * from then on. Bounded; the channel that was bound longest ago goes.
 */
#ifndef DEADAIR_NETWORK_CHANNEL_H
#define DEADAIR_NETWORK_CHANNEL_H

#include "dissect/packet.h"

struct channels;

/* max 0: 16384. */
struct channels *channels_new(size_t max);
void channels_free(struct channels *c);
/*
 * Every packet in the order of the capture: ChannelBind is learnt from. True: it is ChannelData of a known channel, and
 * *ret is that packet with the peer in the server's place, as in Send and Data indications; the server is an outer
 * address already. *ret may be *p.
 */
bool channels_packet(struct channels *c, const struct packet *p, struct packet *ret);

#endif
