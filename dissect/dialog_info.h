/* SPDX-License-Identifier: MIT */
/*
 * dialog_info: what an application/dialog-info+xml body says of an entity's dialogs (RFC 4235). Reads tags, not XML: no
 * entities, no namespaces.
 */
#ifndef DEADAIR_DISSECT_DIALOG_INFO_H
#define DEADAIR_DISSECT_DIALOG_INFO_H

#include "captures/base/span.h"

enum { DIALOG_INFO_MAX = 16 };

enum dialog_info_state { DIALOG_INFO_TRYING = 1, DIALOG_INFO_PROCEEDING = 2, DIALOG_INFO_EARLY = 4,
	DIALOG_INFO_CONFIRMED = 8, DIALOG_INFO_TERMINATED = 16 };

struct dialog_info {
	struct span entity;
	bool full, has_version;      /* full: all dialogs are listed; else those that changed */
	uint64_t version;
	struct { struct span id; unsigned state; } dialogs[DIALOG_INFO_MAX];   /* state: one bit, 0 unreadable */
	unsigned count;              /* those beyond the first DIALOG_INFO_MAX are left out */
};

/* False: no dialog-info element. Spans into the body. Linear. */
bool dialog_info_parse(struct span body, struct dialog_info *ret);

#endif
