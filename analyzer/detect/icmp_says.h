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
/*
 * The error comes in the name of the one that is asked, from its own wire, and from another network card than all else
 * of it: two devices have the address. " ..." to stand behind a cause, "" where not.
 */
enum { ICMP_TWO = 200 };
#define TWO_DEVICES_FIX "Find the other device with the address of %s by the network card named here (the switch's table of MAC addresses), and give one of the two another address; exclude fixed addresses from the DHCP range."
const char *icmp_two_devices(const struct facts *facts, const struct icmp_record *i, char text[ICMP_TWO]);

#endif
