/* SPDX-License-Identifier: MIT */
/*
 * phone_dialled: a registrar that opens a TCP connection of its own to a phone, to the port of its Contact or to the one
 * that its connection came from. Behind a NAT, and at phones that only call out, nothing takes it: requests to the phone
 * go over the connection that it has registered by (RFC 5626 5.3, RFC 5923).
 */
#ifndef DEADAIR_DETECT_PHONE_DIALLED_H
#define DEADAIR_DETECT_PHONE_DIALLED_H

#include "analyzer/calls/account.h"
#include "analyzer/detect/sip_socket.h"

struct phone_socket;
struct phone_sockets {               /* of phones that registered over a connection: their Contacts, and where they came from */
	struct phone_socket *list;   /* by socket */
	size_t count;
};

void phone_sockets_init(struct phone_sockets *p, const struct facts *facts);
void phone_sockets_fini(struct phone_sockets *p);
/* Who has registered over a connection with the client of this flow, as being where the flow goes to. NULL: nobody. */
const struct device *phone_dialled(const struct phone_sockets *p, const struct facts *facts, const struct flow *x);
/* Parts, text and the calls that met it. tries: how often; refused: by RST, else silence. */
void phone_dialled_say(struct finding *f, const struct facts *facts, const struct flow *x, const struct device *phone,
	unsigned tries, bool refused);

#endif
