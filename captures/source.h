/* SPDX-License-Identifier: MIT */
/*
 * source: one or several captures as one stream of frames in time order.
 * pcap (us, ns, both byte orders), pcapng (several sections and interfaces), each plain, gzip or zstd, from files or
 * "-" (stdin). What is damaged ends its file only: what was read stands, the error is kept in source_file(), the other
 * files go on.
 */
#ifndef DEADAIR_CAPTURES_SOURCE_H
#define DEADAIR_CAPTURES_SOURCE_H

#include "captures/base/err.h"
#include "captures/frame.h"

struct source;

struct source_interface {
	char name[64];               /* if_name, "" none; escaped */
	char filter[256];            /* if_filter, "" none; escaped */
	uint32_t snaplen;            /* 0 none given */
	uint16_t link;
	bool has_drops;              /* an interface statistics block, or the packets' own counts, said so */
	uint64_t received, if_drop, os_drop;
};

struct source_file {
	const char *name;            /* as given, unescaped */
	struct err error;            /* ERR_OK, or why it ended early */
	uint64_t frames;             /* read so far */
	uint64_t bytes;              /* captured bytes of those */
	/*
	 * pcapng simple packets: without a time, they take that of the frame before; the first ones that of the frame
	 * behind them, or 0
	 */
	uint64_t untimed;
	const struct source_interface *interfaces;
	size_t interface_count;
};

struct source_name {             /* from pcapng name resolution blocks; escaped, at most 65536 of them */
	const char *address, *name;
};

/*
 * The order of paths does not matter: they are taken in byte order of their names. bpf: NULL none; compiled per link
 * type. NULL with *err only when no file could even be tried (bad filter). A file that cannot be opened is an error of
 * that file. Nothing is opened or waited for here: the first source_next() does that. paths have to live as long as the
 * source.
 */
struct source *source_open(const char *const *paths, size_t count, const char *bpf, struct err *err);
void source_close(struct source *s);
/* Times of that file are by so much later than it says: its clock is wrong. Before the first source_next(). */
void source_shift(struct source *s, size_t index, int64_t by_ns);

/*
 * The next frame in time order (ties: file order, then order in the file); false at the end of all. In a file a frame
 * that is up to 10 ms older than those before it takes its place in time (behind 4096 in order: but for the first such
 * frame); one farther back stays where it stands. Filtered frames are counted in numbers.
 */
bool source_next(struct source *s, struct frame *ret_frame);

/*
 * The same for several at once that have been read already: their bytes are good until the source is asked again. 0:
 * none is known to be next without reading on, or comparing; source_next() does that.
 */
size_t source_at_hand(struct source *s, struct frame *frames, size_t most);

/*
 * Ends the stream at the next source_next(), also one that waits for stdin; what was read ahead of a pipe is given
 * before that. For signal handlers.
 */
void source_stop(struct source *s);

size_t source_file_count(const struct source *s);
const struct source_file *source_file(const struct source *s, size_t index);
const struct source_name *source_names(const struct source *s, size_t *ret_count);

/* For a progress bar, in bytes of the files as stored; total 0 when unknown (stdin). */
void source_progress(const struct source *s, uint64_t *ret_done, uint64_t *ret_total);

#endif
