/* SPDX-License-Identifier: MIT */
/* notify: datagrams to $NOTIFY_SOCKET. */
#include "ui/notify.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "captures/base/ns.h"
#include "captures/base/span.h"

void notify_open(struct notify *n)
{
	const char *name = getenv("NOTIFY_SOCKET"), *watchdog = getenv("WATCHDOG_USEC");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t length = name ? strlen(name) : 0;
	uint64_t microseconds;

	*n = (struct notify){ .fd = -1 };
	if (length < 2 || length >= sizeof to.sun_path || (name[0] != '/' && name[0] != '@'))
		return;
	memcpy(to.sun_path, name, length);
	if (name[0] == '@')             /* no file: an abstract name */
		to.sun_path[0] = '\0';
	n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (n->fd >= 0 &&
		connect(n->fd, (struct sockaddr *)&to, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) !=
			0)
		notify_close(n);
	/* half of it, as the manual asks for */
	if (watchdog && span_number(span_of(watchdog), UINT32_MAX, &microseconds))
		n->watchdog_ns = (int64_t)microseconds * MICROSECOND_NS / 2;
}

void notify_close(struct notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

void notify_tell(struct notify *n, const char *words)
{
	if (n->fd >= 0 && send(n->fd, words, strlen(words), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return;                 /* whoever wanted to know does not listen: there is nobody to tell that to */
}

void notify_alive(struct notify *n, int64_t now_ns)
{
	if (n->fd < 0 || n->watchdog_ns == 0 || now_ns - n->told_ns < n->watchdog_ns)
		return;
	n->told_ns = now_ns;
	notify_tell(n, "WATCHDOG=1");
}
