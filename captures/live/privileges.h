/* SPDX-License-Identifier: MIT */
/*
 * privileges: given up before the first packet is parsed; what reopening an interface needs can be raised for that
 * moment.
 */
#ifndef DEADAIR_LIVE_PRIVILEGES_H
#define DEADAIR_LIVE_PRIVILEGES_H

#include <sys/types.h>

#include "captures/base/err.h"
#include "captures/base/text.h"

/*
 * For the process, which has one thread yet. Root becomes the user who called sudo, else "deadair" where there is
 * such a user, else "nobody"; of all capabilities CAP_NET_RAW alone stays, permitted and not effective. What was done
 * is appended to *ret: "user nobody, CAP_NET_RAW kept in reserve".
 */
bool privileges_drop(struct text *ret, struct err *err);
/* Whom root would become there; false: it is not root, or nobody is there to become. */
bool privileges_whom(uid_t *ret_uid, gid_t *ret_gid);

/* CAP_NET_RAW becomes effective for the calling thread, as far as it is permitted; and is put back. */
void privileges_raise(void);
void privileges_lower(void);
/* For a thread or process that opens nothing: not even that is kept. */
void privileges_abandon(void);

#endif
