/* SPDX-License-Identifier: MIT */
/*
 * syslog_lines: findings for the system's log, as RFC 5424 has messages. To a local socket: no packet leaves this
 * machine by it.
 */
#ifndef DEADAIR_UI_SYSLOG_LINES_H
#define DEADAIR_UI_SYSLOG_LINES_H

#include "captures/base/err.h"
#include "captures/base/text.h"

#define SYSLOG_SOCKET "/dev/log"

struct syslog_lines;

struct syslog_finding {
	int64_t at_ns;
	const char *change;          /* "opened", "closed", "reopened" */
	const char *severity, *id, *text;    /* safe */
	const char *source;          /* where it was captured; safe */
};

/* path is lent. NULL with *err: nobody listens there. */
struct syslog_lines *syslog_open(const char *path, struct err *err);
void syslog_close(struct syslog_lines *s);
/* A log that is restarted is found again. False: the message is lost. */
bool syslog_send(struct syslog_lines *s, const struct syslog_finding *f);

/* The message as it is sent. */
void syslog_format(struct text *ret, const struct syslog_finding *f, const char *host, long process);

#endif
