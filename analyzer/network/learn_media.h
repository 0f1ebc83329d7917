/* SPDX-License-Identifier: MIT */
/* learn_media: what RTP that is bound to calls tells the NAT map (1.6.3). */
#ifndef DEADAIR_NETWORK_LEARN_MEDIA_H
#define DEADAIR_NETWORK_LEARN_MEDIA_H

#include "analyzer/calls/call.h"
#include "analyzer/network/network.h"

/*
 * From all legs (struct leg.in_order), streams being bound:
 *   a private address in SDP whose author's audio comes from the public address that the SDP came from (NAT_SDP_PORT_*)
 *   a public address in SDP whose author's audio has a private source and the same port (NAT_EXTERNAL_ADDRESS)
 *   audio for a private address that is really sent to where its owner's audio comes from (NAT_LATCHED)
 * Repeatable: what is known is only confirmed.
 */
void learn_media(struct network *n, const struct list *legs);

#endif
