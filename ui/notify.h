/* SPDX-License-Identifier: MIT */
/* notify: tells systemd how a service does (sd_notify(3)): a few words to a socket that it names. */
#ifndef DEADAIR_UI_NOTIFY_H
#define DEADAIR_UI_NOTIFY_H

#include <stdint.h>

struct notify {
	int fd;                      /* -1: nobody wants to know */
	int64_t watchdog_ns;         /* it wants a word so often; 0 never */
	int64_t told_ns;             /* monotonic */
};

/* Before the sandbox: it connects. */
void notify_open(struct notify *n);
void notify_close(struct notify *n);
/* "READY=1", "STOPPING=1"; several are lines. */
void notify_tell(struct notify *n, const char *words);
/* Still there; as often as is wanted. now_ns: monotonic. */
void notify_alive(struct notify *n, int64_t now_ns);

#endif
