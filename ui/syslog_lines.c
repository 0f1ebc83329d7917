/* SPDX-License-Identifier: MIT */
/* syslog_lines: RFC 5424 over a datagram socket of the unix domain. */
#include "ui/syslog_lines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "captures/base/memory.h"
#include "captures/base/ns.h"

enum { FACILITY_DAEMON = 3, NOTICE = 5, HOST_ROOM = 256, FRACTION_DIGITS = 6 };
/* The number that RFC 5612 keeps for documentation: deadair has none of its own. */
#define DATA_ID "deadair@32473"

struct syslog_lines {
	const char *path;
	int fd;                      /* -1: not connected */
	char host[HOST_ROOM];
	long process;
};

/* 6.2.1 */
static int priority(const struct syslog_finding *f)
{
	static const struct {
		const char *severity;
		int value;
	} values[] = { { "critical", 2 }, { "error", 3 }, { "warning", 4 }, { "info", 6 } };
	int value = NOTICE;

	for (size_t i = 0; i < sizeof values / sizeof values[0] && strcmp(f->change, "closed") != 0; i++) {
		if (strcmp(values[i].severity, f->severity) == 0)
			value = values[i].value;
	}
	return FACILITY_DAEMON * 8 + value;
}

/* 6.3.3: what would end the value is escaped */
static void add_parameter(struct text *t, const char *name, const char *value)
{
	text_addf(t, " %s=\"", name);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\' || *value == ']')
			text_add(t, "\\");
		text_add_bytes(t, value, 1);
	}
	text_add(t, "\"");
}

void syslog_format(struct text *ret, const struct syslog_finding *f, const char *host, long process)
{
	char at[NS_TEXT];

	/* 6.2.3: six decimals at most */
	ns_rfc3339(f->at_ns, at);
	text_addf(ret, "<%d>1 %.*sZ %s deadair %ld %s [" DATA_ID, priority(f),
		(int)strcspn(at, ".") + 1 + FRACTION_DIGITS, at, host[0] ? host : "-", process, f->change);
	add_parameter(ret, "id", f->id);
	add_parameter(ret, "severity", f->severity);
	add_parameter(ret, "source", f->source);
	/* 6.4: text in UTF-8 begins with a BOM */
	text_addf(ret, "] \xef\xbb\xbf%s", f->text);
}

static bool reach(struct syslog_lines *s)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	if (s->fd >= 0)
		close(s->fd);
	s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(to.sun_path, sizeof to.sun_path, "%s", s->path);
	return s->fd >= 0 && connect(s->fd, (struct sockaddr *)&to, sizeof to) == 0;
}

struct syslog_lines *syslog_open(const char *path, struct err *err)
{
	struct syslog_lines *s = memory_zalloc(sizeof *s);
	char shown[160];

	s->path = path;
	s->fd = -1;
	s->process = (long)getpid();
	if (gethostname(s->host, sizeof s->host - 1) != 0)
		s->host[0] = '\0';
	for (char *p = s->host; *p; p++) {
		if (*p <= ' ' || *p > '~')      /* 6.2.4: printable ASCII */
			*p = '-';
	}
	if (reach(s))
		return s;
	err_set(err, ERR_SYSTEM, "--syslog: %s: %s; is a log service running? --syslog=SOCKET names another one",
		text_escape(span_of(path), shown, sizeof shown), strerror(errno));
	syslog_close(s);
	return NULL;
}

void syslog_close(struct syslog_lines *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

bool syslog_send(struct syslog_lines *s, const struct syslog_finding *f)
{
	struct text t;
	bool sent;

	text_init(&t);
	syslog_format(&t, f, s->host, s->process);
	sent = s->fd >= 0 && send(s->fd, t.p, t.n, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)t.n;
	if (!sent && errno != EAGAIN)
		sent = reach(s) && send(s->fd, t.p, t.n, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)t.n;
	text_fini(&t);
	return sent;
}
