/* SPDX-License-Identifier: MIT */
/* reader: the frames of one capture file, whatever its format. */
#ifndef DEADAIR_CAPTURES_READER_H
#define DEADAIR_CAPTURES_READER_H

#include "captures/input.h"
#include "captures/names.h"
#include "captures/source.h"

enum {
	RECORD_MOST = 262144,            /* captured bytes of a frame, as libpcap and Wireshark have it */
	SHOWN_NAME = 320,
};

struct reader {
	struct input in;
	struct source_file view;
	struct names *names;             /* the source's */
	char shown[SHOWN_NAME];          /* the name, escaped: what errors begin with */
	uint16_t index;                  /* of this file in the source */
	bool ended;
	bool lending;                    /* frames of the window are being given out: it outlives the end */

	bool big_endian;                 /* pcap: of the file; pcapng: of the section */
	bool (*next)(struct reader *r, struct frame *ret_frame);         /* the format's */
	/* likewise; NULL: it has none */
	size_t (*at_hand)(struct reader *r, struct frame *frames, size_t most, int64_t newest_ns);
	struct source_interface only_interface;                          /* pcap, netmon */
	struct pcapng *pcapng;                                           /* NULL: another format */
	bool nanoseconds;                                                /* pcap: the fraction of a time stamp */
	uint8_t record_header;                                           /* pcap: bytes in front of each frame */
	struct {
		uint8_t minor;           /* version 2.x */
		int64_t begun_ns;        /* frames count from here */
		uint64_t frames_end;     /* offset behind the last one */
	} netmon;
};

/* path is borrowed. Opens nothing yet. */
void reader_init(struct reader *r, const char *path, uint16_t index, struct names *names);
void reader_fini(struct reader *r);

/* Opens the file and reads its header; false with view.error. */
bool reader_open(struct reader *r, size_t read_bytes, const atomic_bool *stop);

/* The next frame as it comes in the file; false at the end, with view.error where that is not a clean one. */
bool reader_next(struct reader *r, struct frame *ret_frame);

/*
 * The next ones that are in the window already, so that the bytes of all are good until the reader is asked again; the
 * last one may be older than the one before it (than newest_ns, the first), no other is. 0: reader_next() has to be
 * asked.
 */
size_t reader_at_hand(struct reader *r, struct frame *frames, size_t most, int64_t newest_ns);

/* For the formats. They give false, to be passed on. */

/* The record at that offset, which would be the next frame, is damaged. */
bool reader_damaged(struct reader *r, uint64_t offset, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The file ended inside the record at that offset; quietly when someone stopped the source. */
bool reader_cut(struct reader *r, uint64_t offset, const char *what);
/* Nothing comes behind the last record: a clean end, but for trouble that the input had. */
bool reader_end(struct reader *r);
/* The filter makes no sense for this frame's link type. */
bool reader_unfiltered(struct reader *r, const struct frame *frame, const char *reason);
/* The file as a whole is not for us. */
bool reader_refused(struct reader *r, enum err_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Numbers in the order of bytes that the file has. */
static inline uint16_t reader_u16(const struct reader *r, const uint8_t *p)
{
	return (uint16_t)(r->big_endian ? p[0] << 8 | p[1] : p[1] << 8 | p[0]);
}

static inline uint32_t reader_u32(const struct reader *r, const uint8_t *p)
{
	if (r->big_endian)
		return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static inline uint64_t reader_u64(const struct reader *r, const uint8_t *p)
{
	uint64_t first = reader_u32(r, p), second = reader_u32(r, p + 4);

	return r->big_endian ? first << 32 | second : second << 32 | first;
}

/* What every record becomes: counted, and given its number. */
static inline void reader_count(struct reader *r, struct frame *frame)
{
	frame->number = (uint32_t)++r->view.frames;
	frame->file = r->index;
	r->view.bytes += frame->bytes.n;
}

#endif
