/* SPDX-License-Identifier: MIT */
/*
 * exported: what Wireshark writes with "Export PDUs": a message without its packet, and tags that tell of both ends. So
 * comes SIP that was decrypted, or put together.
 */
#ifndef DEADAIR_DISSECT_EXPORTED_H
#define DEADAIR_DISSECT_EXPORTED_H

#include "dissect/hep.h"

enum { LINK_EXPORTED = 252 };

/* False: the tags do not end, or do not name both addresses. */
bool exported_parse(struct cursor *c, struct hep *out);

#endif
