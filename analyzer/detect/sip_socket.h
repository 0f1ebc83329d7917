/* SPDX-License-Identifier: MIT */
/*
 * sip_socket: where TLS for SIP is to be expected, and who tried to connect to SIP's sockets; for detectors that look
 * at that.
 */
#ifndef DEADAIR_DETECT_SIP_SOCKET_H
#define DEADAIR_DETECT_SIP_SOCKET_H

#include "analyzer/detect/detector.h"
#include "analyzer/network/flow.h"
#include "analyzer/network/sip_path.h"

/* Where TLS is spoken or to be expected. */
bool sip_socket_tls(const struct facts *facts, const struct endpoint *at);

struct device;

/* Attempts of one client at one socket. */
struct attempts {
	const struct flow **flows;   /* in order of time */
	unsigned count;
	const struct device *phone;  /* that has registered as being there, and is dialled by its registrar; NULL: none */
};

struct attempts_list {
	struct attempts *groups;     /* by first attempt */
	unsigned count;
	const struct flow **flows;   /* theirs */
};

/* All attempts at SIP sockets, and those in vain of registrars at their phones. Clients that try many hosts in vain are probing, and left out. */
void attempts_init(struct attempts_list *l, const struct facts *facts);
void attempts_fini(struct attempts_list *l);

/*
 * Did what the client wants of that server work by another way from then on: a REGISTER, INVITE or SUBSCRIBE, or a TLS
 * connection; or did another server take each account that was refused there, within a minute?
 */
bool attempts_took_over(const struct facts *facts, const struct address *client, const struct endpoint *server,
	int64_t from_ns);

#endif
