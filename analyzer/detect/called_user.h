/* SPDX-License-Identifier: MIT */
/* called_user: what the registrations of a called user at the server that refuses the call say at that time. */
#ifndef DEADAIR_DETECT_CALLED_USER_H
#define DEADAIR_DETECT_CALLED_USER_H

#include "analyzer/detect/detector.h"
#include "analyzer/network/sip_path.h"

struct called_users {
	const struct registration **list;    /* by user */
	size_t count;
};

void called_users_init(struct called_users *all, const struct facts *facts);
void called_users_fini(struct called_users *all);

/* All devices of the user that are known at that server had lost their registration. */
bool called_user_unregistered(const struct called_users *all, struct span user, const struct address *server,
	int64_t at_ns);
/*
 * All devices of the user that are registered there answer nothing any more that this server asks them (OPTIONS,
 * "qualify"): what the last of them was asked in vain; NULL: not so, or not to be seen here.
 */
const struct sip_path *called_user_deaf(const struct called_users *all, const struct facts *facts, struct span user,
	const struct address *server, int64_t at_ns);

#endif
