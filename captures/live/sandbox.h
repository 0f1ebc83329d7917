/* SPDX-License-Identifier: MIT */
/*
 * sandbox: the system calls that a capture needs, and no others, for this process and all that it starts; files
 * only where they belong.
 */
#ifndef DEADAIR_LIVE_SANDBOX_H
#define DEADAIR_LIVE_SANDBOX_H

#include <stddef.h>

#include "captures/base/err.h"
#include "captures/base/text.h"

struct sandbox_wish {
	const char *const *folders;  /* in which files may be made and changed; they exist */
	size_t folder_count;
	bool reconnects;             /* a local socket (of a log) may be connected to again */
};

/*
 * Before threads start; there is no way back. What is not on the list fails with EPERM: nothing can be executed, no
 * process traced, nothing connected to; files can be made and changed in those folders only, where the kernel has
 * Landlock. What was done is appended to *ret.
 */
bool sandbox_enter(const struct sandbox_wish *wish, struct text *ret, struct err *err);

#endif
