/* SPDX-License-Identifier: MIT */
/* esp: IPsec whose cipher is none (RFC 2410), as IMS phones use it to sign only; known by what fits. */
#ifndef DEADAIR_DISSECT_ESP_H
#define DEADAIR_DISSECT_ESP_H

#include "dissect/link.h"

/*
 * Behind IP. NETWORK_IP: a packet inside, at the cursor. NETWORK_NONE without p->undecoded: the cursor stands at what
 * p->ip_protocol now names. Else it is encrypted, and p->undecoded says so.
 */
enum network esp_ip(struct cursor *c, struct packet *p);

/* Behind UDP (RFC 3948). NETWORK_NONE: no packet in clear inside, the cursor has not moved. */
enum network esp_udp(struct cursor *c, struct packet *p);

/* May it be ESP behind UDP, encrypted? Of a datagram that is nothing else. */
bool esp_udp_plausible(const struct packet *p);

#endif
