/* SPDX-License-Identifier: MIT */
/* finding_id: ids of findings as a user types them. */
#ifndef DEADAIR_UI_FINDING_ID_H
#define DEADAIR_UI_FINDING_ID_H

#include "captures/base/err.h"
#include "captures/base/span.h"

/* An id that no detector has is a slip of the hand: *err says so behind `where`, and which was meant perhaps. */
enum err_code finding_id_check(const char *where, struct span id, struct err *err);

#endif
