/* SPDX-License-Identifier: MIT */
/* input: opening, reading and unpacking one file. */
#include "captures/input.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "captures/base/memory.h"

enum {
	PACKED_BYTES = 1 << 16,
	POLL_MS = 200,                   /* a signal between the look at *stop and the wait is noticed after this */
};

static enum err_code open_failed(const char *shown, int error, struct err *err)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return err_set(err, ERR_FILE, "%s: there is no such file; check the name", shown);
	case EACCES:
	case EPERM:
		return err_set(err, ERR_PERMISSION,
			"%s: no permission to read it; ask its owner, or run deadair with sudo", shown);
	case EMFILE:
	case ENFILE:
		return err_set(err, ERR_SYSTEM,
			"%s: too many files are open; raise the limit (ulimit -n), or merge some first (mergecap)",
			shown);
	}
	return err_set(err, ERR_FILE, "%s: cannot be opened: %s", shown, strerror(error));
}

static enum err_code check_kind(struct input *in, const char *shown, struct err *err)
{
	struct stat st;

	if (fstat(in->fd, &st) < 0)
		return err_set(err, ERR_FILE, "%s: cannot be looked at: %s", shown, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return err_set(err, ERR_FILE, "%s: is a directory; name the capture files in it", shown);
	if (isatty(in->fd))
		return err_set(
			err, ERR_FILE, "%s: is a terminal; pipe a capture in: tcpdump -U -w - | deadair -", shown);
	if (S_ISREG(st.st_mode))
		in->stored_total = (uint64_t)st.st_size;
	return ERR_OK;
}

/* Waits until a pipe has something to say. False: stopped. */
static bool wait_readable(struct input *in)
{
	struct pollfd wait = { .fd = in->fd, .events = POLLIN };

	while (!*in->stop) {
		int ready = poll(&wait, 1, POLL_MS);

		if (ready > 0 || (ready < 0 && errno != EINTR))
			return true;             /* an error is read(2)'s to name */
	}
	return false;
}

/* Stored bytes; 0 at the end, with fd_ended. */
static size_t read_stored(struct input *in, uint8_t *out, size_t room)
{
	ssize_t n;

	while (!in->fd_ended) {
		if (*in->stop || (in->stored_total == 0 && !wait_readable(in))) {
			in->stopped = in->fd_ended = true;
			break;
		}
		n = read(in->fd, out, room);
		if (n > 0) {
			in->stored_done += (uint64_t)n;
			return (size_t)n;
		}
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			snprintf(in->trouble, sizeof in->trouble, "reading fails: %s", strerror(errno));
		/* the same ^C has ended the capturing program, in mid-record perhaps */
		in->stopped = *in->stop;
		in->fd_ended = true;
	}
	return 0;
}

/* Unpacked bytes; 0 at the end. */
static size_t read_unpacked(struct input *in, uint8_t *out, size_t room)
{
	size_t n = 0;

	while (n == 0 && !in->trouble[0]) {
		if (in->packed_left.n == 0)
			in->packed_left = (struct span){ in->packed, read_stored(in, in->packed, PACKED_BYTES) };
		n = unpack_run(in->unpack, &in->packed_left, out, room, in->trouble);
		if (n || in->packed_left.n || !in->fd_ended)
			continue;
		if (!in->trouble[0] && !in->stopped && !unpack_complete(in->unpack))
			snprintf(in->trouble, sizeof in->trouble,
				"the %s data ends early (cut short or still being written)",
				unpack_kind_text(in->packing));
		break;
	}
	return n;
}

/* Puts what is left to the beginning of a window that has at least so much room. */
static void make_room(struct input *in, size_t n)
{
	if (n > in->room) {
		uint8_t *wider = memory_resize(NULL, n, 1);

		if (in->left)
			memcpy(wider, in->p, in->left);
		free(in->window);
		in->window = wider;
		in->room = n;
	} else if (in->left && in->p != in->window) {
		memmove(in->window, in->p, in->left);
	}
	in->p = in->window;
}

bool input_fill(struct input *in, size_t n)
{
	assert(n <= INPUT_WINDOW_MOST);
	if (in->ended)
		return in->left >= n;
	make_room(in, n);
	while (in->left < n) {
		uint8_t *end = in->window + in->left;
		size_t room = in->room - in->left, got;

		got = in->unpack ? read_unpacked(in, end, room) : read_stored(in, end, room);
		in->left += got;
		if (got == 0) {
			in->ended = true;
			return false;
		}
	}
	return true;
}

bool input_skip(struct input *in, uint64_t n)
{
	while (n > in->left) {
		n -= in->left;
		input_take(in, in->left);
		if (!input_fill(in, 1))
			return false;
	}
	input_take(in, (size_t)n);
	return true;
}

/* What stands in the window was packed: it becomes the packed side, and a new window is filled from it. */
static void begin_unpacking(struct input *in)
{
	in->packed = memory_resize(NULL, in->left > PACKED_BYTES ? in->left : PACKED_BYTES, 1);
	memcpy(in->packed, in->p, in->left);
	in->packed_left = (struct span){ in->packed, in->left };
	in->unpack = unpack_new(in->packing);
	in->left = 0;
	in->ended = false;
}

enum err_code input_open(struct input *in, const char *path, const char *shown, size_t read_bytes,
			 const atomic_bool *stop, struct err *err)
{
	*in = (struct input){ .fd = -1, .stop = stop };
	if (strcmp(path, "-") == 0)
		in->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
	else    /* not blocking: a FIFO opens before its writer comes, and the wait can be stopped */
		in->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (in->fd < 0)
		return open_failed(shown, errno, err);
	if (check_kind(in, shown, err) != ERR_OK)
		return err->code;
	posix_fadvise(in->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	in->room = read_bytes;
	in->window = memory_resize(NULL, in->room, 1);
	in->p = in->window;
	input_fill(in, 4);
	in->packing = unpack_kind_of((struct span){ in->p, in->left });
	if (in->packing != UNPACK_NONE)
		begin_unpacking(in);
	return ERR_OK;
}

void input_close(struct input *in)
{
	if (in->fd >= 0)
		close(in->fd);
	unpack_free(in->unpack);
	free(in->window);
	free(in->packed);
	*in = (struct input){ .fd = -1, .stop = in->stop };
}
