/* SPDX-License-Identifier: MIT */
/* ladder_hosts: which machines a ladder has as columns, from the left to the right. */
#ifndef DEADAIR_UI_LADDER_HOSTS_H
#define DEADAIR_UI_LADDER_HOSTS_H

#include "analyzer/views.h"
#include "captures/base/text.h"

enum { LADDER_HOSTS = 6 };

struct ladder_hosts {
	struct address at[LADDER_HOSTS];
	unsigned count, most;
	/* the two faces of a firewall are one column */
	struct ladder_alias {
		struct address other, host;
	} *aliases;
	size_t alias_count;
};

/* Without columns yet; no more of them than most, which is at most LADDER_HOSTS. */
void ladder_hosts_init(struct ladder_hosts *h, const struct engine *e, unsigned most);
void ladder_hosts_fini(struct ladder_hosts *h);

/* The column of the machine that has this address; -1: none. */
int ladder_hosts_find(const struct ladder_hosts *h, const struct address *a);
void ladder_hosts_add(struct ladder_hosts *h, const struct address *a);
/* Who sends a request on stands before the one it goes to: phone, router, PBX. */
void ladder_hosts_add_message(struct ladder_hosts *h, const struct view_message *m);

/* The nth of its other addresses; NULL: it has no more. */
const struct address *ladder_hosts_other(const struct ladder_hosts *h, unsigned column, unsigned nth);
/* "192.168.1.1 | 203.0.113.2": two of its other addresses at most, and the one by which it is known. */
void ladder_hosts_addresses(const struct ladder_hosts *h, unsigned column, const char *between, struct text *t);

#endif
