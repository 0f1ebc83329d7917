/* SPDX-License-Identifier: MIT */
/* icmp_about: the ICMP errors that quote a direction's audio, by look-up, in order of time. */
#ifndef DEADAIR_DETECT_ICMP_ABOUT_H
#define DEADAIR_DETECT_ICMP_ABOUT_H

#include "analyzer/detect/detector.h"

enum { ICMP_ABOUT_MAX = 512 };

/*
 * Errors about UDP to one of the addresses that the direction's windows name, or about one of its streams; at most
 * ICMP_ABOUT_MAX.
 */
unsigned icmp_about(const struct facts *facts, const struct direction *d,
	const struct icmp_record *list[ICMP_ABOUT_MAX]);
/* The same about UDP to that socket. */
unsigned icmp_about_socket(const struct facts *facts, const struct endpoint *dst,
	const struct icmp_record *list[ICMP_ABOUT_MAX]);
uint32_t icmp_hash(const struct endpoint *dst);

#endif
