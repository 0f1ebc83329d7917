/* SPDX-License-Identifier: MIT */
/*
 * provisioning: does a phone fetch its configuration in clear, by HTTP or TFTP? What it fetches is looked at no
 * further.
 */
#ifndef DEADAIR_DISSECT_PROVISIONING_H
#define DEADAIR_DISSECT_PROVISIONING_H

#include "dissect/packet.h"

enum provisioning { PROVISIONING_NO, PROVISIONING_HTTP, PROVISIONING_TFTP };

/*
 * A GET (RFC 9110) or read request (RFC 1350) for a file that is named as configurations of phones are: *.cfg, *.xml,
 * *.boot, or by a MAC address. *ret_agent: the User-Agent of a GET, empty else.
 */
enum provisioning provisioning_request(const struct packet *p, struct span *ret_agent);

#endif
