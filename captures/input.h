/* SPDX-License-Identifier: MIT */
/*
 * input: the bytes of one file, unpacked, as a window that moves forward. Files, pipes, compressed ones look the same.
 *
 * Plain files are read(2), not mapped, although walking a mapped one saves 4 to 7 ns a record: a file that someone cuts
 * or overwrites while it is mapped (a ring of capture files does that) kills the reader with SIGBUS.
 */
#ifndef DEADAIR_CAPTURES_INPUT_H
#define DEADAIR_CAPTURES_INPUT_H

#include <stdatomic.h>

#include "captures/base/err.h"
#include "captures/unpack.h"

enum {
	INPUT_WINDOW_MOST = 1 << 20,     /* what input_want can be asked for */
	INPUT_TROUBLE = 192,
};

struct input {
	const uint8_t *p;                /* the next byte */
	size_t left;                     /* bytes in the window from there on */
	uint64_t offset;                 /* of the next byte in the unpacked file */

	bool ended;                      /* nothing comes behind the window */
	bool stopped;                    /* because of *stop: what is incomplete is not damaged */
	char trouble[INPUT_TROUBLE];     /* why it ended too early, "" as it should */
	enum unpack_kind packing;
	uint64_t stored_done;            /* bytes taken from the file as it is stored */
	uint64_t stored_total;           /* 0 unknown */

	int fd;
	const atomic_bool *stop;
	struct unpack *unpack;
	uint8_t *window, *packed;
	size_t room;                     /* of the window */
	struct span packed_left;         /* within packed */
	bool fd_ended;
};

/*
 * Opens path, "-" for stdin; shown is its name in error texts. read_bytes: how much to read at once, and the memory.
 * Looks at the first bytes for compression. An input that never opened can be closed too.
 */
enum err_code input_open(struct input *in, const char *path, const char *shown, size_t read_bytes,
			 const atomic_bool *stop, struct err *err);
void input_close(struct input *in);

/* Brings so many bytes into the window, or all that come before the end; n <= INPUT_WINDOW_MOST. Moves the window. */
bool input_fill(struct input *in, size_t n);

static inline bool input_want(struct input *in, size_t n)
{
	return in->left >= n || input_fill(in, n);
}

static inline void input_take(struct input *in, size_t n)
{
	in->p += n;
	in->left -= n;
	in->offset += n;
}

/* Goes over n bytes, however many; false when the file ends within them. */
bool input_skip(struct input *in, uint64_t n);

#endif
