/* SPDX-License-Identifier: MIT */
/*
 * dns: what an answer of a name server says of the servers of a domain for SIP (RFC 1035 4, 2782, 3263), and of their
 * addresses. Names are hashes of their lower case: nobody prints them.
 */
#ifndef DEADAIR_DISSECT_DNS_H
#define DEADAIR_DISSECT_DNS_H

#include "captures/base/address.h"
#include "captures/base/span.h"

enum { DNS_PORT = 53, DNS_RECORDS = 24 };

enum dns_kind { DNS_ADDRESS, DNS_SIP_UDP, DNS_SIP_TCP, DNS_SIPS };

struct dns_record {
	enum dns_kind kind;
	uint64_t owner;
	uint64_t target;             /* of a service record: the server's name */
	struct address addr;         /* of an address record */
};

struct dns_answer {
	struct dns_record records[DNS_RECORDS];
	unsigned count;
};

/* The payload of a datagram from port 53. False: no answer, an error, or nothing of that in it. */
bool dns_answer_parse(struct span payload, struct dns_answer *ret);

#endif
