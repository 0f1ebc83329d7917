/* SPDX-License-Identifier: MIT */
/* ldap: does a segment hand a directory server a password in clear? RFC 4511 4.2, 5.1. */
#ifndef DEADAIR_DISSECT_LDAP_H
#define DEADAIR_DISSECT_LDAP_H

#include "captures/base/span.h"

/*
 * A BindRequest with simple authentication and a password, which is looked at no further. Anonymous ones, SASL and what
 * the segment does not hold whole up to the password's length are none.
 */
bool ldap_simple_bind(struct span bytes);

#endif
