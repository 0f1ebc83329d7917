/* SPDX-License-Identifier: MIT */
/* icmp_says: what an ICMP error means, in words. RFC 792, 1812 5.2.7, 4443. */
#ifndef DEADAIR_DETECT_ICMP_SAYS_H
#define DEADAIR_DETECT_ICMP_SAYS_H

#include "analyzer/detect/detector.h"

/* To stand behind "says: "; never NULL. */
const char *icmp_says(const struct icmp_record *i);
/* The host is there, and nothing takes this port of it. */
bool icmp_no_port(const struct icmp_record *i);
/* A receiver waited in vain for the other fragments. */
bool icmp_torn(const struct icmp_record *i);

#endif
