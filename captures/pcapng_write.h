/* SPDX-License-Identifier: MIT */
/* pcapng_write: a capture file is written: a section, interfaces, packets with comments. */
#ifndef DEADAIR_CAPTURES_PCAPNG_WRITE_H
#define DEADAIR_CAPTURES_PCAPNG_WRITE_H

#include "captures/base/err.h"
#include "captures/frame.h"

struct pcapng_writer;

/* A new file, readable by its owner only; one that is there is not touched. path is lent. NULL with *err. */
struct pcapng_writer *pcapng_writer_new(const char *path, struct err *err);

/*
 * The interface that a frame came from; it is described in the file when its first frame is written. name and
 * filter may be NULL.
 */
void pcapng_write_interface(struct pcapng_writer *w, uint16_t file, uint16_t interface, uint16_t link, const char *name,
	const char *filter);
/* comments: UTF-8, one each; count may be 0. Failures are kept for the end. */
void pcapng_write_frame(struct pcapng_writer *w, const struct frame *f, const char *const *comments, size_t count);
uint64_t pcapng_writer_bytes(const struct pcapng_writer *w);

/* ERR_OK when all of it is on the disk; else *err, and no file is left. Frees. */
enum err_code pcapng_writer_close(struct pcapng_writer *w, struct err *err);
/* The file goes, as if there had been none. Frees. */
void pcapng_writer_abandon(struct pcapng_writer *w);

#endif
