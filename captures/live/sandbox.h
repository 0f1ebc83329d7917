/* SPDX-License-Identifier: MIT */
/* sandbox: the system calls that a capture needs, and no others, for this process and all that it starts. */
#ifndef DEADAIR_LIVE_SANDBOX_H
#define DEADAIR_LIVE_SANDBOX_H

#include "captures/base/err.h"
#include "captures/base/text.h"

/*
 * Before threads start; there is no way back. What is not on the list fails with EPERM: nothing can be executed, no file
 * be made or changed, no process traced, nothing connected to. What was done is appended to *ret: "seccomp, reading and capturing only".
 */
bool sandbox_enter(struct text *ret, struct err *err);

#endif
