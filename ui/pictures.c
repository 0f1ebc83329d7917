/* SPDX-License-Identifier: MIT */
/* pictures: a socket a picture; a number of bytes, then the bytes, both ways. */
#include "ui/pictures.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "captures/base/memory.h"

/* A picture that does not answer for so long has lost its way: the next one is asked. */
enum { PATIENCE_MS = 20000, GONE_MAX = 64 };
/* For so long a copy waits for the asking thread, which may be held up by a terminal that takes nothing. */
#define STILL_NS (INT64_C(500) * 1000000)
#define MESSAGE_BYTES_MAX (UINT32_C(64) << 20)

struct picture {
	int fd;                      /* -1: none */
	pid_t process;
	uint64_t serial;
};

struct pictures {
	struct picture_answers answers;
	int event_fd;
	struct picture asked;        /* the asking thread's */
	pthread_mutex_t work;        /* has it while it may hold locks of libraries */
	bool is_still;               /* of the thread that copies: it has the work's lock */
	pthread_mutex_t lock;
	pthread_cond_t turned;       /* lost or left */
	/* under the lock */
	struct picture newest;       /* not asked yet; fd -1 none */
	uint64_t serial;             /* of the newest ever */
	bool held, lost, left;
	struct live_numbers numbers;
	pid_t gone[GONE_MAX];        /* have nobody who asks; to be waited for */
	size_t gone_count;
};

struct pictures *pictures_new(const struct picture_answers *answers, struct err *err)
{
	struct pictures *p = memory_zalloc(sizeof *p);

	p->answers = *answers;
	p->newest.fd = p->asked.fd = -1;
	p->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&p->lock, NULL);
	pthread_mutex_init(&p->work, NULL);
	pthread_cond_init(&p->turned, NULL);
	if (p->event_fd >= 0)
		return p;
	err_set(err, ERR_SYSTEM, "eventfd: %s", strerror(errno));
	pictures_free(p);
	return NULL;
}

/* Under the lock. Without a questioner it ends by itself; one that is busy is waited for later. */
static void let_go(struct pictures *p, struct picture *of)
{
	if (of->fd < 0)
		return;
	close(of->fd);
	of->fd = -1;
	if (p->gone_count == GONE_MAX) {        /* they hang: no more of them */
		kill(p->gone[0], SIGKILL);
		waitpid(p->gone[0], NULL, 0);
		p->gone[0] = p->gone[--p->gone_count];
	}
	p->gone[p->gone_count++] = of->process;
}

static void bury(struct pictures *p)
{
	for (size_t i = 0; i < p->gone_count;) {
		if (waitpid(p->gone[i], NULL, WNOHANG) == 0)
			i++;
		else
			p->gone[i] = p->gone[--p->gone_count];
	}
}

void pictures_free(struct pictures *p)
{
	if (!p)
		return;
	let_go(p, &p->newest);
	let_go(p, &p->asked);
	for (size_t i = 0; i < p->gone_count; i++) {
		kill(p->gone[i], SIGKILL);
		waitpid(p->gone[i], NULL, 0);
	}
	if (p->event_fd >= 0)
		close(p->event_fd);
	pthread_cond_destroy(&p->turned);
	pthread_mutex_destroy(&p->work);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* ---- a copy while another thread is at work ---- */

void pictures_work_begins(struct pictures *p)
{
	pthread_mutex_lock(&p->work);
}

void pictures_work_ends(struct pictures *p)
{
	pthread_mutex_unlock(&p->work);
}

void pictures_copy_begins(struct pictures *p)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += STILL_NS;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	p->is_still = pthread_mutex_timedlock(&p->work, &until) == 0;
}

void pictures_copy_ends(struct pictures *p)
{
	if (p->is_still)
		pthread_mutex_unlock(&p->work);
	p->is_still = false;
}

/* ---- bytes over the socket ---- */

/* False: the other one is gone, or did not come back within the patience; < 0 has no end. */
static bool transfer(int fd, bool sends, void *bytes, size_t n, int patience_ms)
{
	char *p = bytes;

	while (n) {
		struct pollfd ready = { .fd = fd, .events = sends ? POLLOUT : POLLIN };
		int polled = poll(&ready, 1, patience_ms);
		ssize_t moved;

		if (polled == 0 || (polled < 0 && errno != EINTR))
			return false;
		if (polled < 0)
			continue;
		moved = sends ? write(fd, p, n) : read(fd, p, n);
		if (moved == 0 || (moved < 0 && errno != EINTR && errno != EAGAIN))
			return false;
		if (moved > 0) {
			p += moved;
			n -= (size_t)moved;
		}
	}
	return true;
}

static bool message_send(int fd, const void *bytes, size_t n, int patience_ms)
{
	uint32_t length = (uint32_t)n;

	return n <= MESSAGE_BYTES_MAX && transfer(fd, true, &length, sizeof length, patience_ms) &&
	       transfer(fd, true, (void *)(uintptr_t)bytes, n, patience_ms);
}

/* Owned by the caller; NULL: there is none. */
static char *message_take(int fd, size_t *ret_n, int patience_ms)
{
	uint32_t length;
	char *bytes;

	if (!transfer(fd, false, &length, sizeof length, patience_ms) || length > MESSAGE_BYTES_MAX)
		return NULL;
	bytes = memory_zalloc((size_t)length + 1);
	*ret_n = length;
	if (transfer(fd, false, bytes, length, patience_ms))
		return bytes;
	free(bytes);
	return NULL;
}

/* ---- the thread that owns the engine ---- */

bool pictures_socket(int ret_fds[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ret_fds) == 0;
}

/* Frees nothing at the end: the process ends. */
void pictures_serve(const struct pictures *p, int fd)
{
	for (;;) {
		struct text answer;
		size_t n;
		char *question = message_take(fd, &n, -1);

		if (!question)
			_exit(0);
		text_init(&answer);
		p->answers.answer(p->answers.context, question, n, &answer);
		if (!message_send(fd, answer.p, answer.n, -1))
			_exit(0);
		text_fini(&answer);
		free(question);
	}
}

static void ring(struct pictures *p)
{
	eventfd_write(p->event_fd, 1);
}

void pictures_publish(struct pictures *p, pid_t process, int fd)
{
	pthread_mutex_lock(&p->lock);
	let_go(p, &p->newest);
	p->newest = (struct picture){ fd, process, ++p->serial };
	p->lost = false;
	bury(p);
	pthread_mutex_unlock(&p->lock);
	ring(p);
}

void pictures_tell(struct pictures *p, const struct live_numbers *numbers)
{
	pthread_mutex_lock(&p->lock);
	p->numbers = *numbers;
	pthread_mutex_unlock(&p->lock);
	ring(p);
}

bool pictures_wanted(struct pictures *p)
{
	bool left;

	pthread_mutex_lock(&p->lock);
	while (!p->lost && !p->left)
		pthread_cond_wait(&p->turned, &p->lock);
	left = p->left;
	pthread_mutex_unlock(&p->lock);
	return !left;
}

/* ---- the thread that asks ---- */

static void take_newest(struct pictures *p)
{
	pthread_mutex_lock(&p->lock);
	if (p->newest.fd >= 0 && (p->asked.fd < 0 || !p->held)) {
		let_go(p, &p->asked);
		p->asked = p->newest;
		p->newest.fd = -1;
	}
	pthread_mutex_unlock(&p->lock);
}

/* Until the picture answers, the asking thread only waits. */
static char *ask(struct pictures *p, const void *question, size_t n, size_t *ret_n)
{
	struct pollfd answer = { .fd = p->asked.fd, .events = POLLIN };

	if (!message_send(p->asked.fd, question, n, PATIENCE_MS))
		return NULL;
	pictures_work_ends(p);
	poll(&answer, 1, PATIENCE_MS);
	pictures_work_begins(p);
	return message_take(p->asked.fd, ret_n, PATIENCE_MS);
}

bool pictures_ask(struct pictures *p, const void *question, size_t n, struct text *ret)
{
	char *answer;
	size_t length;

	for (;;) {
		take_newest(p);
		if (p->asked.fd < 0)
			return false;
		answer = ask(p, question, n, &length);
		if (answer)
			break;
		pthread_mutex_lock(&p->lock);
		kill(p->asked.process, SIGKILL);
		let_go(p, &p->asked);
		p->lost = p->newest.fd < 0;
		pthread_cond_signal(&p->turned);
		pthread_mutex_unlock(&p->lock);
	}
	text_add_bytes(ret, answer, length);
	free(answer);
	return true;
}

int pictures_fd(const struct pictures *p)
{
	return p->event_fd;
}

void pictures_seen(struct pictures *p)
{
	eventfd_t times;

	eventfd_read(p->event_fd, &times);
}

uint64_t pictures_serial(struct pictures *p)
{
	take_newest(p);
	return p->asked.fd < 0 ? 0 : p->asked.serial;
}

void pictures_hold(struct pictures *p, bool hold)
{
	pthread_mutex_lock(&p->lock);
	p->held = hold;
	pthread_mutex_unlock(&p->lock);
}

void pictures_numbers(struct pictures *p, struct live_numbers *ret)
{
	pthread_mutex_lock(&p->lock);
	*ret = p->numbers;
	pthread_mutex_unlock(&p->lock);
}

void pictures_quit(struct pictures *p)
{
	pthread_mutex_lock(&p->lock);
	p->left = true;
	pthread_cond_signal(&p->turned);
	pthread_mutex_unlock(&p->lock);
	p->answers.stop(p->answers.stop_context);
}
