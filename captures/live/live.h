/* SPDX-License-Identifier: MIT */
/*
 * live: interfaces as one stream of frames in time order, each a point of its own: what source is to files. One
 * thread an interface captures into a ring; the caller's thread reads them all.
 */
#ifndef DEADAIR_LIVE_LIVE_H
#define DEADAIR_LIVE_LIVE_H

#include "captures/base/text.h"
#include "captures/live/interface.h"
#include "captures/source.h"

struct live;

struct live_options {
	const char *const *interfaces;       /* lent */
	size_t count;
	const char *bpf;                     /* NULL none; lent */
	size_t ring_bytes;                   /* of the kernel, an interface */
};

enum { LIVE_INTERFACES_MOST = 64 };

enum live_event {
	LIVE_FRAME,                  /* *ret_frame, good until the next call */
	LIVE_QUIET,                  /* nothing for a moment */
	LIVE_END                     /* stopped, and everything that had been captured was given */
};

/* Opens all interfaces: packets wait in the kernel from here on. NULL with *err: one of them could not be had. */
struct live *live_open(const struct live_options *options, struct err *err);
/* Begins to read. After privileges were dropped: they are the process's, and threads have copies of their own. */
bool live_start(struct live *l, struct err *err);
void live_close(struct live *l);

/*
 * *ret_now_ns: a time before which no frame will come any more, NS_NONE unknown; at LIVE_QUIET. Frames have .file
 * of their interface.
 */
enum live_event live_next(struct live *l, struct frame *ret_frame, int64_t *ret_now_ns);
/* No new packets. For signal handlers. */
void live_stop(struct live *l);

size_t live_count(const struct live *l);
/* As of now; one interface each, with its name, link type, filter and drops. For the thread that calls live_next(). */
const struct source_file *live_file(struct live *l, size_t index);
/* Of the kernel; before live_start(). 0: not known. */
size_t live_ring_bytes(const struct live *l, size_t index);
/* As it was seen last, at most a second ago. */
enum interface_state live_state(struct live *l, size_t index);
/*
 * Something that the operator should know has happened to an interface: appended to *ret, a sentence. False:
 * nothing.
 */
bool live_note(struct live *l, struct text *ret);

#endif
