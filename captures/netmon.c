/* SPDX-License-Identifier: MIT */
/*
 * netmon: file header and frames. The frame table at the end is not needed: the frames stand in a row before it, and so
 * they can be read from a pipe too. Everything is little-endian.
 */
#include "captures/netmon.h"

#include <inttypes.h>
#include <time.h>

#include "captures/base/ns.h"

enum { FILE_HEADER = 128, FRAME_HEADER = 16, HIGHEST_MINOR = 3 };
enum { NET_ETHERNET = 1, NET_TOKEN_RING = 2, NET_FDDI = 3, NET_PCAP = 0xe000, NET_PCAP_LAST = 0xefff };
enum { LINK_ETHERNET = 1, LINK_TOKEN_RING = 6, LINK_FDDI = 10, LINK_NONE = 0xffff };

/* UTC in a trailer counts from 1601. */
#define UNIX_EPOCH_TICKS UINT64_C(116444736000000000)
enum { TICK_NS = 100 };

/* What stands behind a frame, by minor version: its network; process (4); UTC in 100 ns since 1601 (8), time zone. */
static const uint8_t trailer_bytes[HIGHEST_MINOR + 1] = { 0, 2, 6, 15 };

bool netmon_begins(struct span first)
{
	return span_starts(first, SPAN("GMBU"));
}

static uint16_t link_of(uint16_t network)
{
	if (network >= NET_PCAP && network <= NET_PCAP_LAST)
		return network - NET_PCAP;
	switch (network) {
	case NET_ETHERNET:
		return LINK_ETHERNET;
	case NET_TOKEN_RING:
		return LINK_TOKEN_RING;
	case NET_FDDI:
		return LINK_FDDI;
	}
	return LINK_NONE;
}

/* The header has the date by the wall clock of its machine, without a time zone: taken as UTC. */
static bool start_time(const struct reader *r, const uint8_t *date, int64_t *ret_ns)
{
	struct tm tm = {
		.tm_year = reader_u16(r, date) - 1900,
		.tm_mon = reader_u16(r, date + 2) - 1,
		.tm_mday = reader_u16(r, date + 6),
		.tm_hour = reader_u16(r, date + 8),
		.tm_min = reader_u16(r, date + 10),
		.tm_sec = reader_u16(r, date + 12),
	};
	uint16_t milliseconds = reader_u16(r, date + 14);

	if (tm.tm_year < 70 || tm.tm_year > 300 || tm.tm_mon < 0 || tm.tm_mon > 11 || tm.tm_mday < 1 ||
		tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60 || milliseconds > 999)
		return false;
	*ret_ns = timegm(&tm) * SECOND_NS + milliseconds * MILLISECOND_NS;
	return true;
}

bool netmon_open_file(struct reader *r)
{
	struct input *in = &r->in;
	uint8_t minor, major;

	if (!input_want(in, FILE_HEADER))
		return reader_refused(r, ERR_DAMAGED, "the file header is cut: %zu of %d bytes", in->left, FILE_HEADER);
	minor = in->p[4];
	major = in->p[5];
	if (major != 2 || minor > HIGHEST_MINOR)
		return reader_refused(r, ERR_UNSUPPORTED,
			"Network Monitor version %u.%u; deadair reads 2.0 to 2.3: convert it with editcap", major,
			minor);
	if (!start_time(r, in->p + 8, &r->netmon.begun_ns))
		return reader_refused(r, ERR_DAMAGED, "the date in the file header is impossible");
	r->netmon.minor = minor;
	r->netmon.frames_end = reader_u32(r, in->p + 24);
	r->only_interface.link = link_of(reader_u16(r, in->p + 6));
	r->view.interfaces = &r->only_interface;
	r->view.interface_count = 1;
	input_take(in, FILE_HEADER);
	return true;
}

static bool frame_time(const struct reader *r, uint64_t microseconds, const uint8_t *trailer, int64_t *ret_ns)
{
	uint64_t since_ns;

	if (r->netmon.minor >= 3) {
		uint64_t ticks = reader_u64(r, trailer + 6);

		return ticks >= UNIX_EPOCH_TICKS && !__builtin_mul_overflow(ticks - UNIX_EPOCH_TICKS, TICK_NS, ret_ns);
	}
	return !__builtin_mul_overflow(microseconds, MICROSECOND_NS, &since_ns) &&
		!__builtin_add_overflow(r->netmon.begun_ns, since_ns, ret_ns) && *ret_ns >= 0;
}

/* A frame's own network; what is none (the program's notes among the frames) is left to the dissector to count. */
static uint16_t frame_link(const struct reader *r, const uint8_t *trailer)
{
	return r->netmon.minor ? link_of(reader_u16(r, trailer)) : r->only_interface.link;
}

bool netmon_next_frame(struct reader *r, struct frame *ret_frame)
{
	struct input *in = &r->in;
	uint8_t behind = trailer_bytes[r->netmon.minor];
	uint32_t captured, wire;
	const uint8_t *trailer;
	int64_t at_ns;

	if (in->offset >= r->netmon.frames_end)
		return reader_end(r);
	if (!input_want(in, FRAME_HEADER))
		return reader_cut(r, in->offset, "record");
	wire = reader_u32(r, in->p + 8);
	captured = reader_u32(r, in->p + 12);
	if (captured > RECORD_MOST)
		return reader_damaged(r, in->offset, "record length %" PRIu32 " exceeds %d", captured, RECORD_MOST);
	if (!input_want(in, FRAME_HEADER + captured + behind))
		return reader_cut(r, in->offset, "record");
	trailer = in->p + FRAME_HEADER + captured;
	if (!frame_time(r, reader_u64(r, in->p), trailer, &at_ns))
		return reader_damaged(r, in->offset, "its time is outside the years 1970 to 2262");
	*ret_frame = (struct frame){
		.at_ns = at_ns,
		.bytes = { in->p + FRAME_HEADER, captured },
		.wire_bytes = wire < captured ? captured : wire,
		.offset = in->offset,
		.link = frame_link(r, trailer),
	};
	reader_count(r, ret_frame);
	input_take(in, FRAME_HEADER + captured + behind);
	return true;
}
