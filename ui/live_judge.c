/* SPDX-License-Identifier: MIT */
/* live_judge: the copy, and the pipe. */
#include "ui/live_judge.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "captures/base/memory.h"
#include "captures/base/ns.h"
#include "captures/live/privileges.h"
#include "captures/live/ring.h"
#include "ui/known.h"

enum { BYTES_MOST = 64 << 20, READ_AT_ONCE = 65536, SHORT_WORDS = 48, PATIENCE_TIMES = 10, WAIT_MS = 500 };

struct record {                      /* as it goes through the pipe; its text and a NUL follow */
	uint64_t identity;
	uint32_t text_bytes;
	uint16_t kind, told;
	uint32_t over;
	char severity[SHORT_WORDS], id[SHORT_WORDS];
};

struct live_judge {
	int fd;                      /* -1: idle */
	pid_t copy;
	struct pictures *pictures;   /* that the copy is for; NULL none */
	int picture_fd;              /* this end of its socket; -1 none */
	int64_t begun_ns, took_ns, patience_ns;
	char *bytes;
	size_t n, room, at;
	struct record given;         /* lent to who asked last */
};

struct live_judge *live_judge_new(int64_t patience_ns)
{
	struct live_judge *j = memory_zalloc(sizeof *j);

	j->fd = j->picture_fd = -1;
	j->patience_ns = patience_ns;
	return j;
}

/* Has a copy lost its way? Each takes about as long as the last that came to its end. */
static bool is_overdue(const struct live_judge *j)
{
	int64_t usual_ns = j->took_ns * PATIENCE_TIMES;

	return ring_monotonic_ns() - j->begun_ns > (usual_ns > j->patience_ns ? usual_ns : j->patience_ns);
}

static void bury(struct live_judge *j)
{
	kill(j->copy, SIGKILL);
	while (waitpid(j->copy, NULL, 0) < 0 && errno == EINTR)
		;
	if (j->picture_fd >= 0)
		close(j->picture_fd);
	j->picture_fd = -1;
}

void live_judge_free(struct live_judge *j)
{
	if (!j)
		return;
	if (j->fd >= 0) {
		close(j->fd);
		bury(j);
	}
	free(j->bytes);
	free(j);
}

/* ---- in the copy ---- */

void live_judge_tell_interfaces(struct engine *e, const struct source_file *const *files, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct source_interface *n = files[i]->interfaces;

		engine_interface(e, (uint16_t)i, 0, n->filter[0] ? n->filter : NULL, n->snaplen, n->if_drop,
			n->os_drop);
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
	return strcmp(f->state, "withdrawn") != 0 && f->explained_by == 0 &&
	       (verbose || strcmp(f->severity, "info") != 0);
}

/* The title, a NUL, the JSON object without its newline. */
static void verdict_text(const struct live_judgement *what, const struct view_finding *f, struct out *o)
{
	struct report r = { .engine = what->engine, .files = what->files, .file_count = what->file_count, .out = o,
		.baseline = what->baseline };

	text_add(&o->text, f->title);
	if (what->baseline)
		known_short(&o->text, what->baseline, f);
	text_add_bytes(&o->text, "", 1);
	if (!what->json)
		return;
	report_json_finding(&r, f);
	o->text.p[--o->text.n] = '\0';
}

struct telling {                     /* in the copy */
	int fd;
	bool failed;
};

static void tell(struct telling *t, struct record *r, const char *text, size_t n)
{
	r->text_bytes = (uint32_t)n;
	if (!t->failed)
		t->failed = !write_all(t->fd, r, sizeof *r) || !write_all(t->fd, text, n) || !write_all(t->fd, "", 1);
}

static void tell_verdicts(const struct live_judgement *what, struct telling *t)
{
	struct view_finding *f = memory_zalloc(sizeof *f);
	struct out o;

	for (size_t i = 0; !t->failed && view_finding(what->engine, i, f); i++) {
		struct record r = { .identity = f->identity, .kind = LIVE_VERDICT, .over = f->over };

		if (!is_alarm(f, what->verbose))
			continue;
		snprintf(r.severity, sizeof r.severity, "%s", f->severity);
		snprintf(r.id, sizeof r.id, "%s", f->id);
		out_init(&o, -1);
		verdict_text(what, f, &o);
		tell(t, &r, o.text.p, o.text.n);
		out_fini(&o);
	}
	free(f);
}

static void tell_work(void *context, enum live_told told, uint64_t identity, const char *text)
{
	tell(context, &(struct record){ .identity = identity, .kind = LIVE_TOLD, .told = (uint16_t)told }, text,
		strlen(text));
}

static void come_to_the_end(const struct live_judgement *what)
{
	if (what->now_ns != NS_NONE)
		engine_until(what->engine, what->now_ns);
	live_judge_tell_interfaces(what->engine, what->files, what->file_count);
	engine_dissected(what->engine, &what->dissected);
	engine_finish(what->engine);
	if (what->redact)
		engine_redact(what->engine, what->redact);
}

static void do_work(const struct live_judgement *what, struct telling *t)
{
	struct live_saves saves = { .keep = what->keep, .engine = what->engine, .files = what->files,
		.file_count = what->file_count };

	if (what->work)
		live_work_do(what->work, &saves, tell_work, t);
}

/* Sockets that capture, pipes and sockets of other copies: nobody waits for their end as long as they are open here. */
static void close_others(int fd, int picture_fd)
{
	int low = fd < picture_fd || picture_fd < 0 ? fd : picture_fd, high = fd > picture_fd ? fd : picture_fd;
	unsigned from = STDERR_FILENO + 1;

	if ((unsigned)low > from)
		close_range(from, (unsigned)low - 1, 0);
	if (high > low + 1)
		close_range((unsigned)low + 1, (unsigned)high - 1, 0);
	close_range((unsigned)high + 1, ~0u, 0);
}

/* Never returns, frees nothing: the process ends. No lock is touched that another thread may have held at the fork. */
static void judge(const struct live_judgement *what, int fd, int picture_fd)
{
	struct telling t = { .fd = fd };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_IGN);        /* of the terminal: the other process ends, and then so does this one */
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	privileges_abandon();
	close_others(fd, picture_fd);
	come_to_the_end(what);
	if (what->verdicts)
		tell_verdicts(what, &t);
	do_work(what, &t);
	if (picture_fd >= 0)
		what->prepare(what->prepare_context, what);
	tell(&t, &(struct record){ .kind = LIVE_COMPLETE }, "", 0);
	close(fd);
	if (t.failed || picture_fd < 0)
		_exit(t.failed);
	pictures_serve(what->pictures, picture_fd);
}

/* ---- in the process ---- */

static enum err_code no_copy(const char *what, struct err *err)
{
	return err_set(err, ERR_SYSTEM, "no judgement: %s: %s", what, strerror(errno));
}

static void close_pair(const int fds[2])
{
	if (fds[0] >= 0)
		close(fds[0]);
	if (fds[1] >= 0)
		close(fds[1]);
}

bool live_judge_begin(struct live_judge *j, const struct live_judgement *what, struct err *err)
{
	int fds[2] = { -1, -1 }, picture[2] = { -1, -1 };

	if (pipe2(fds, O_CLOEXEC) != 0)
		return no_copy("pipe", err) == ERR_OK;
	if (what->pictures && !pictures_socket(picture)) {
		close_pair(fds);
		return no_copy("socketpair", err) == ERR_OK;
	}
	if (what->pictures)
		pictures_copy_begins(what->pictures);
	j->copy = fork();
	if (what->pictures)
		pictures_copy_ends(what->pictures);
	if (j->copy == 0)
		judge(what, fds[1], picture[1]);
	if (j->copy < 0) {
		no_copy("fork", err);
		close_pair(fds);
		close_pair(picture);
		return false;
	}
	close(fds[1]);
	if (picture[1] >= 0)
		close(picture[1]);
	j->fd = fds[0];
	j->pictures = what->pictures;
	j->picture_fd = picture[0];
	fcntl(j->fd, F_SETFL, O_NONBLOCK);
	j->begun_ns = ring_monotonic_ns();
	j->n = j->at = 0;
	return true;
}

/* Without its last record it did not come to its end. */
static bool is_complete(const struct live_judge *j)
{
	struct record last;

	if (j->n < sizeof last + 1)
		return false;
	memcpy(&last, j->bytes + j->n - sizeof last - 1, sizeof last);
	return last.kind == LIVE_COMPLETE && last.text_bytes == 0;
}

/* The pipe has ended: is everything there? */
static enum live_judge_state come_to_end(struct live_judge *j)
{
	bool complete = is_complete(j);

	if (complete)
		j->took_ns = ring_monotonic_ns() - j->begun_ns;
	close(j->fd);
	j->fd = -1;
	if (complete && j->picture_fd >= 0) {
		pictures_publish(j->pictures, j->copy, j->picture_fd);
		j->picture_fd = -1;
	} else {
		bury(j);
	}
	return complete ? LIVE_JUDGE_READY : LIVE_JUDGE_FAILED;
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
		if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
			if (!is_overdue(j))
				return LIVE_JUDGE_BUSY;
			j->n = 0;    /* what came is a part */
			return come_to_end(j);
		}
		if (got <= 0)
			return come_to_end(j);
		j->n += (size_t)got;
		if (j->n > BYTES_MOST) {
			j->n = 0;
			return come_to_end(j);
		}
	}
}

enum live_judge_state live_judge_wait(struct live_judge *j)
{
	enum live_judge_state state;

	while ((state = live_judge_poll(j)) == LIVE_JUDGE_BUSY)
		poll(&(struct pollfd){ .fd = j->fd, .events = POLLIN }, 1, WAIT_MS);
	return state;
}

bool live_judge_next(struct live_judge *j, struct live_message *ret)
{
	struct record *r = &j->given;
	const char *text;

	if (j->n - j->at < sizeof *r)
		return false;
	memcpy(r, j->bytes + j->at, sizeof *r);
	if (r->kind == LIVE_COMPLETE || r->text_bytes >= j->n - j->at - sizeof *r)
		return false;
	text = j->bytes + j->at + sizeof *r;
	*ret = (struct live_message){ .kind = (enum live_message_kind)r->kind, .told = (enum live_told)r->told,
		.identity = r->identity,
				      .over = r->over != 0, .text = text,
				      .json = text + (strlen(text) < r->text_bytes ? strlen(text) + 1 : r->text_bytes),
				      .severity = r->severity, .id = r->id };
	j->at += sizeof *r + r->text_bytes + 1;
	return true;
}

int64_t live_judge_took_ns(const struct live_judge *j)
{
	return j->took_ns;
}
