/* SPDX-License-Identifier: MIT */
/* pcap: file header and records. */
#include "captures/pcap.h"

#include <inttypes.h>

#include "captures/base/ns.h"

enum { FILE_HEADER = 24, RECORD_HEADER = 16, MODIFIED_HEADER = 24 };

#define NANOSECONDS 0xa1b23c4du
#define MODIFIED 0xa1b2cd34u                         /* Kuznetzov's patch; home routers write it, AVM's among them */

bool pcap_begins(struct span first)
{
	static const uint8_t magics[][4] = { { 0xa1, 0xb2, 0xc3, 0xd4 }, { 0xd4, 0xc3, 0xb2, 0xa1 },
					     { 0xa1, 0xb2, 0x3c, 0x4d }, { 0x4d, 0x3c, 0xb2, 0xa1 },
					     { 0xa1, 0xb2, 0xcd, 0x34 }, { 0x34, 0xcd, 0xb2, 0xa1 } };

	for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++) {
		if (span_starts(first, (struct span){ magics[i], 4 }))
			return true;
	}
	return false;
}

/*
 * Interface, protocol and direction stand behind the lengths of a record, as far as the second record shows: one
 * distribution had four bytes more.
 */
static bool modified_fits(struct reader *r)
{
	enum { DAY = 86400 };
	struct input *in = &r->in;
	const uint8_t *second;
	uint32_t captured, apart;

	if (!input_want(in, MODIFIED_HEADER))
		return true;                     /* nothing to tell by, and nothing to be told */
	captured = reader_u32(r, in->p + 8);
	if (captured > RECORD_MOST || reader_u32(r, in->p + 12) < captured)
		return false;
	if (!input_want(in, MODIFIED_HEADER + captured + RECORD_HEADER))
		return true;
	second = in->p + MODIFIED_HEADER + captured;
	apart = reader_u32(r, second) - reader_u32(r, in->p);
	return reader_u32(r, second + 8) <= RECORD_MOST && reader_u32(r, second + 12) >= reader_u32(r, second + 8) &&
	       (apart < DAY || -apart < DAY);
}

bool pcap_open_file(struct reader *r)
{
	struct input *in = &r->in;
	struct source_interface *only = &r->only_interface;
	uint16_t major, minor;
	bool modified;

	if (!input_want(in, FILE_HEADER))
		return reader_refused(r, ERR_DAMAGED, "the file header is cut: %zu of %d bytes", in->left, FILE_HEADER);
	r->big_endian = in->p[0] == 0xa1;
	r->nanoseconds = reader_u32(r, in->p) == NANOSECONDS;
	major = reader_u16(r, in->p + 4);
	minor = reader_u16(r, in->p + 6);
	if (major != 2 || minor < 3) /* before 2.3 the two lengths of a record stood the other way round */
		return reader_refused(r, ERR_UNSUPPORTED,
			"pcap version %u.%u; deadair reads 2.3 and 2.4: convert it with editcap", major, minor);
	only->snaplen = reader_u32(r, in->p + 16);
	only->link = reader_u16(r, in->p + (r->big_endian ? 22 : 20));   /* above it: the length of the FCS */
	r->view.interfaces = only;
	r->view.interface_count = 1;
	r->record_header = RECORD_HEADER;
	modified = reader_u32(r, in->p) == MODIFIED;
	input_take(in, FILE_HEADER);
	if (!modified)
		return true;
	r->record_header = MODIFIED_HEADER;
	r->at_hand = NULL;
	if (modified_fits(r))
		return true;
	return reader_refused(r, ERR_UNSUPPORTED,
		"pcap as modified by Kuznetzov's patch, which deadair does not read; convert it: "
		"editcap -F pcapng FILE OUT");
}

/* A fraction of a second or more is no time; it is cut, so that the frame keeps its place among the others. */
static int64_t record_time(const struct reader *r, const uint8_t *record)
{
	uint32_t fraction = reader_u32(r, record + 4), most = r->nanoseconds ? 999999999 : 999999;
	int64_t seconds_ns = reader_u32(r, record) * SECOND_NS;

	if (fraction > most)
		fraction = most;
	return seconds_ns + (r->nanoseconds ? fraction : fraction * MICROSECOND_NS);
}

static bool is_zeros(const uint8_t *record)
{
	static const uint8_t zeros[RECORD_HEADER];

	return memcmp(record, zeros, RECORD_HEADER) == 0;
}

/* The record in the window becomes a frame; captured: the bytes behind its header. */
static inline void record_take(struct reader *r, uint32_t captured, size_t header, struct frame *ret_frame)
{
	struct input *in = &r->in;
	uint32_t wire = reader_u32(r, in->p + 12);

	*ret_frame = (struct frame){
		.at_ns = record_time(r, in->p),
		.bytes = { in->p + header, captured },
		.wire_bytes = wire < captured ? captured : wire,
		.offset = in->offset,
		.link = r->only_interface.link,
	};
	reader_count(r, ret_frame);
	input_take(in, header + captured);
}

bool pcap_next_frame(struct reader *r, struct frame *ret_frame)
{
	struct input *in = &r->in;
	uint32_t captured;

	if (!input_want(in, r->record_header))
		return in->left ? reader_cut(r, in->offset, "record") : reader_end(r);
	captured = reader_u32(r, in->p + 8);
	if (captured > RECORD_MOST)
		return reader_damaged(r, in->offset, "record length %" PRIu32 " exceeds %d", captured, RECORD_MOST);
	if (captured == 0 && is_zeros(in->p))
		return reader_damaged(
			r, in->offset, "zeros where a record should be (the machine went down while it captured?)");
	if (!input_want(in, r->record_header + captured))
		return reader_cut(r, in->offset, "record");
	record_take(r, captured, r->record_header, ret_frame);
	return true;
}

/*
 * Where a record begins is known when the one before it has been looked at: the processor would wait for each. Mostly
 * neighbours are of one length, or alternate.
 */
static inline void record_prefetch(const struct input *in, size_t length)
{
	enum { RECORDS = 8, LINE = 64 };

	if (in->left > RECORDS * length + LINE) {
		__builtin_prefetch(in->p + RECORDS * length);
		__builtin_prefetch(in->p + RECORDS * length + LINE);
	}
}

size_t pcap_frames_at_hand(struct reader *r, struct frame *frames, size_t most, int64_t newest_ns)
{
	const struct input *in = &r->in;
	size_t n = 0;

	while (n < most && in->left >= RECORD_HEADER) {
		uint32_t captured = reader_u32(r, in->p + 8);

		if (captured == 0 || captured > RECORD_MOST || captured > in->left - RECORD_HEADER)
			break;                   /* pcap_next_frame() says what is wrong, or reads on */
		record_prefetch(in, RECORD_HEADER + captured);
		record_take(r, captured, RECORD_HEADER, &frames[n]);
		if (frames[n++].at_ns < newest_ns)
			break;
		newest_ns = frames[n - 1].at_ns;
	}
	return n;
}
