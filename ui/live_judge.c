/* SPDX-License-Identifier: MIT */
/* live_judge: the copy, and the pipe. */
#include "ui/live_judge.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "captures/base/memory.h"
#include "captures/base/ns.h"
#include "captures/live/privileges.h"
#include "captures/live/ring.h"

enum { BYTES_MOST = 64 << 20, READ_AT_ONCE = 65536 };

struct record {                      /* as it goes through the pipe; its text and a NUL follow */
	uint64_t identity;
	uint32_t text_bytes;
	uint32_t over;
};

struct live_judge {
	int fd;                      /* -1: idle */
	pid_t copy;
	int64_t begun_ns, took_ns;
	char *bytes;
	size_t n, room, at;
};

struct live_judge *live_judge_new(void)
{
	struct live_judge *j = memory_zalloc(sizeof *j);

	j->fd = -1;
	return j;
}

/* Its status; it has ended, or ends by itself soon. */
static int bury(struct live_judge *j)
{
	int status = -1;

	close(j->fd);
	j->fd = -1;
	while (waitpid(j->copy, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

void live_judge_free(struct live_judge *j)
{
	if (!j)
		return;
	if (j->fd >= 0)
		bury(j);                /* without a reader its next write ends it */
	free(j->bytes);
	free(j);
}

/* ---- in the copy ---- */

void live_judge_tell_interfaces(struct engine *e, const struct source_file *const *files, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct source_interface *n = files[i]->interfaces;

		engine_interface(e, (uint16_t)i, 0, n->filter[0] ? n->filter : NULL, n->snaplen, n->if_drop, n->os_drop);
	}
}

static bool write_all(int fd, const void *bytes, size_t n)
{
	const char *p = bytes;

	while (n) {
		ssize_t written = write(fd, p, n);

		if (written < 0 && errno != EINTR)
			return false;
		if (written > 0) {
			p += written;
			n -= (size_t)written;
		}
	}
	return true;
}

static bool is_alarm(const struct view_finding *f, bool verbose)
{
	return strcmp(f->state, "withdrawn") != 0 && f->explained_by == 0 && (verbose || strcmp(f->severity, "info") != 0);
}

static void verdict_text(const struct live_judgement *what, const struct view_finding *f, struct out *o)
{
	struct report r = { .engine = what->engine, .files = what->files, .file_count = what->file_count, .out = o };

	if (what->json)
		report_json_finding(&r, f);
	else
		text_addf(&o->text, "%-8s  %s: %s\n", f->severity, f->id, f->title);
	o->text.p[--o->text.n] = '\0';  /* the newline */
}

static bool tell_all(const struct live_judgement *what, int fd)
{
	struct view_finding *f = memory_zalloc(sizeof *f);
	struct out o;
	bool told = true;

	for (size_t i = 0; told && view_finding(what->engine, i, f); i++) {
		struct record r = { .identity = f->identity, .over = f->over };

		if (!is_alarm(f, what->verbose))
			continue;
		out_init(&o, -1);
		verdict_text(what, f, &o);
		r.text_bytes = (uint32_t)o.text.n;
		told = write_all(fd, &r, sizeof r) && write_all(fd, o.text.p, o.text.n + 1);
		out_fini(&o);
	}
	free(f);
	return told;
}

/* Never returns, frees nothing: the process ends. No lock is touched that a capturing thread may have held at the fork. */
static void judge(const struct live_judgement *what, int fd)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_IGN);        /* of the terminal: the other process ends, and then so does this one */
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	privileges_abandon();
	if (what->now_ns != NS_NONE)
		engine_until(what->engine, what->now_ns);
	live_judge_tell_interfaces(what->engine, what->files, what->file_count);
	engine_finish(what->engine);
	_exit(tell_all(what, fd) ? 0 : 1);
}

/* ---- in the process ---- */

bool live_judge_begin(struct live_judge *j, const struct live_judgement *what, struct err *err)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0) {
		err_set(err, ERR_SYSTEM, "no judgement: pipe: %s", strerror(errno));
		return false;
	}
	j->copy = fork();
	if (j->copy == 0) {
		close(fds[0]);
		judge(what, fds[1]);
	}
	close(fds[1]);
	if (j->copy < 0) {
		err_set(err, ERR_SYSTEM, "no judgement: fork: %s", strerror(errno));
		close(fds[0]);
		return false;
	}
	j->fd = fds[0];
	fcntl(j->fd, F_SETFL, O_NONBLOCK);
	j->begun_ns = ring_monotonic_ns();
	j->n = j->at = 0;
	return true;
}

/* The pipe has ended: is everything there? */
static enum live_judge_state come_to_end(struct live_judge *j)
{
	int status = bury(j);

	j->took_ns = ring_monotonic_ns() - j->begun_ns;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? LIVE_JUDGE_READY : LIVE_JUDGE_FAILED;
}

enum live_judge_state live_judge_poll(struct live_judge *j)
{
	if (j->fd < 0)
		return LIVE_JUDGE_IDLE;
	for (;;) {
		ssize_t got;

		if (j->room - j->n < READ_AT_ONCE) {
			j->room = j->room * 2 + READ_AT_ONCE;
			j->bytes = memory_resize(j->bytes, j->room, 1);
		}
		got = read(j->fd, j->bytes + j->n, j->room - j->n);
		if (got == 0)
			return come_to_end(j);
		if (got < 0)
			return errno == EAGAIN || errno == EINTR ? LIVE_JUDGE_BUSY : come_to_end(j);
		j->n += (size_t)got;
		if (j->n > BYTES_MOST) {
			come_to_end(j);
			return LIVE_JUDGE_FAILED;
		}
	}
}

bool live_judge_next(struct live_judge *j, struct live_verdict *ret)
{
	struct record r;

	if (j->n - j->at < sizeof r)
		return false;
	memcpy(&r, j->bytes + j->at, sizeof r);
	if (r.text_bytes >= j->n - j->at - sizeof r)
		return false;
	*ret = (struct live_verdict){ r.identity, r.over != 0, j->bytes + j->at + sizeof r };
	j->at += sizeof r + r.text_bytes + 1;
	return true;
}

int64_t live_judge_took_ns(const struct live_judge *j)
{
	return j->took_ns;
}
