/* SPDX-License-Identifier: MIT */
/* pcapng: blocks, and the frames in them. Section numbers are those of draft-ietf-opsawg-pcapng-02. */
#include "captures/pcapng.h"

#include <inttypes.h>
#include <stdlib.h>

#include "captures/base/memory.h"
#include "captures/pcapng_interface.h"

#define BYTE_ORDER_MAGIC 0x1a2b3c4du

enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_OLD_PACKET = 2,
	BLOCK_SIMPLE = 3,
	BLOCK_NAMES = 4,
	BLOCK_STATISTICS = 5,
	BLOCK_PACKET = 6,
	BLOCK_LEAST = 12,                /* type and twice the length */
	BLOCK_MOST = 1 << 24,            /* as Wireshark has it */
	SECTION_LEAST = 16,
	PACKET_HEADER = 20,
	LOOK_AHEAD = 1 << 16,            /* bytes in which the first time is looked for */
};

enum { OPTION_FLAGS = 2, OPTION_DROPS = 4 };     /* of a packet, 4.3 */

struct block {
	uint64_t offset;                 /* in the file */
	uint32_t type, length;
	struct span body;                /* between the lengths; at most INPUT_WINDOW_MOST bytes of it */
};

struct packet_head {
	uint32_t interface, captured, wire;
	uint64_t units;                  /* of the interface's clock */
};

bool pcapng_begins(struct span first)
{
	return span_starts(first, SPAN("\n\r\r\n"));
}

void pcapng_free(struct pcapng *ng)
{
	if (!ng)
		return;
	free(ng->shown);
	free(ng->clocks);
	free(ng);
}

static bool is_packet(uint32_t type)
{
	return type == BLOCK_PACKET || type == BLOCK_SIMPLE || type == BLOCK_OLD_PACKET;
}

/* 4.1: a section header comes in the order that its own magic says. */
static bool section_order(struct reader *r)
{
	r->big_endian = r->in.p[8] == BYTE_ORDER_MAGIC >> 24;
	if (reader_u32(r, r->in.p + 8) == BYTE_ORDER_MAGIC)
		return true;
	return reader_damaged(r, r->in.offset, "byte-order magic %02x %02x %02x %02x is neither order", r->in.p[8],
		r->in.p[9], r->in.p[10], r->in.p[11]);
}

static bool block_is_sane(struct reader *r, const struct block *b)
{
	uint32_t most = is_packet(b->type) ? INPUT_WINDOW_MOST : BLOCK_MOST;

	if (b->length < BLOCK_LEAST || b->length % 4)
		return reader_damaged(r, b->offset, "block length %" PRIu32 " is impossible", b->length);
	if (b->length > most)
		return reader_damaged(r, b->offset, "block length %" PRIu32 " exceeds %" PRIu32, b->length, most);
	return true;
}

/* Brings the next block into the window, or the beginning of a long one; does not take it. */
static bool block_look(struct reader *r, struct block *ret)
{
	struct input *in = &r->in;
	uint32_t seen, again;

	if (!input_want(in, BLOCK_LEAST))
		return in->left ? reader_cut(r, in->offset, "block") : reader_end(r);
	ret->offset = in->offset;
	ret->type = reader_u32(r, in->p);
	if (ret->type == BLOCK_SECTION && !section_order(r))
		return false;
	ret->length = reader_u32(r, in->p + 4);
	if (!block_is_sane(r, ret))
		return false;
	seen = ret->length < INPUT_WINDOW_MOST ? ret->length : INPUT_WINDOW_MOST;
	if (!input_want(in, seen))
		return reader_cut(r, in->offset, "block");
	again = seen == ret->length ? reader_u32(r, in->p + seen - 4) : ret->length;
	if (again != ret->length)
		return reader_damaged(r, ret->offset,
			"the block's lengths differ: %" PRIu32 " before it and %" PRIu32 " behind it", ret->length,
			again);
	ret->body = (struct span){ in->p + 8, seen - BLOCK_LEAST };
	return true;
}

static bool block_too_small(struct reader *r, const struct block *b)
{
	return reader_damaged(
		r, b->offset, "block of %" PRIu32 " bytes is too small for its type %" PRIu32, b->length, b->type);
}

static bool section_begin(struct reader *r, const struct block *b)
{
	uint16_t major;

	if (b->body.n < SECTION_LEAST)
		return block_too_small(r, b);
	major = reader_u16(r, b->body.p + 4);
	if (major != 1 && b->offset == 0)
		return reader_refused(r, ERR_UNSUPPORTED,
			"pcapng version %u; deadair reads version 1: convert it with editcap", major);
	if (major != 1)
		return reader_damaged(r, b->offset, "a section of pcapng version %u; deadair reads version 1", major);
	r->pcapng->first = r->pcapng->count;     /* interfaces are numbered anew */
	return true;
}

/* Names: 4.5. A record that leaves its block ends the list. */
static void name_records_read(struct reader *r, struct span body)
{
	struct pcapng_option record;

	while (pcapng_option_next(r, &body, &record)) {
		size_t address_bytes = record.code == 1 ? 4 : record.code == 2 ? 16 : 0;
		struct address address;
		struct span name = span_from(record.value, address_bytes);

		if (address_bytes == 0 || record.value.n < address_bytes)
			continue;
		address = address_bytes == 4 ? address_v4(record.value.p) : address_v6(record.value.p);
		name_records_add(r->names, &address, span_first(name, span_find(name, '\0')));
	}
}

static bool side_block(struct reader *r, const struct block *b)
{
	switch (b->type) {
	case BLOCK_SECTION:
		return section_begin(r, b);
	case BLOCK_INTERFACE:
		if (b->body.n < INTERFACE_LEAST)
			return block_too_small(r, b);
		if (r->pcapng->count == INTERFACES_MOST)
			return reader_damaged(r, b->offset, "more than %d interfaces", INTERFACES_MOST);
		pcapng_interface_add(r, b->body);
		return true;
	case BLOCK_STATISTICS:
		pcapng_interface_statistics(r, b->body);
		return true;
	case BLOCK_NAMES:
		name_records_read(r, b->body);
		return true;
	}
	return true;                             /* secrets, comments, what others made up */
}

/* 4.3, appendix A for the old one, 4.4: what the three kinds of packet block say before the bytes. */
static bool packet_head(struct reader *r, const struct block *b, struct packet_head *ret)
{
	const uint8_t *p = b->body.p;

	if (b->body.n < (b->type == BLOCK_SIMPLE ? 4u : PACKET_HEADER))
		return block_too_small(r, b);
	if (b->type == BLOCK_SIMPLE) {
		*ret = (struct packet_head){ .interface = 0, .wire = reader_u32(r, p) };
		return true;
	}
	*ret = (struct packet_head){
		.interface = b->type == BLOCK_PACKET ? reader_u32(r, p) : reader_u16(r, p),
		.units = (uint64_t)reader_u32(r, p + 4) << 32 | reader_u32(r, p + 8),
		.captured = reader_u32(r, p + 12),
		.wire = reader_u32(r, p + 16),
	};
	if (ret->captured > RECORD_MOST)
		return reader_damaged(r, b->offset, "record length %" PRIu32 " exceeds %d", ret->captured, RECORD_MOST);
	if (ret->captured > b->body.n - PACKET_HEADER)
		return reader_damaged(r, b->offset, "record length %" PRIu32 " exceeds its block of %" PRIu32 " bytes",
			ret->captured, b->length);
	return true;
}

/* A simple packet says only how long it was on the wire; the snap length and the block say how much of it there is. */
static uint32_t simple_captured(uint32_t wire, uint32_t snaplen, size_t there)
{
	uint32_t captured = snaplen && snaplen < wire ? snaplen : wire;

	return captured < there ? captured : (uint32_t)there;
}

static void packet_options(struct reader *r, struct span options, size_t interface, struct frame *frame)
{
	static const uint8_t directions[] = { FRAME_UNKNOWN, FRAME_IN, FRAME_OUT, FRAME_UNKNOWN };
	struct pcapng_option o;

	while (pcapng_option_next(r, &options, &o)) {
		if (o.code == OPTION_FLAGS && o.value.n == 4)
			frame->direction = directions[reader_u32(r, o.value.p) & 3];
		else if (o.code == OPTION_DROPS && o.value.n == 8)
			pcapng_interface_dropped(r, interface, reader_u64(r, o.value.p));
	}
}

/*
 * Simple packets before any that has a time take that of the first behind them, if it is near: they are no frames of
 * 1970.
 */
static void look_ahead(struct reader *r)
{
	struct pcapng *ng = r->pcapng;
	size_t at = 0;

	ng->looked_ahead = true;
	input_want(&r->in, LOOK_AHEAD);
	while (at + BLOCK_LEAST + PACKET_HEADER <= r->in.left) {
		const uint8_t *p = r->in.p + at;
		uint32_t type = reader_u32(r, p), length = reader_u32(r, p + 4);
		uint64_t units = (uint64_t)reader_u32(r, p + 12) << 32 | reader_u32(r, p + 16);
		size_t interface = ng->first + reader_u32(r, p + 8);

		if (type == BLOCK_SECTION || length < BLOCK_LEAST || length % 4 || length > r->in.left - at)
			return;
		if (type == BLOCK_PACKET) {
			if (interface < ng->count)
				pcapng_interface_time(&ng->clocks[interface], units, &ng->last_ns);
			return;
		}
		at += length;
	}
}

static bool packet_time(struct reader *r, const struct block *b, const struct packet_head *head, size_t interface)
{
	struct pcapng *ng = r->pcapng;
	const char *name = ng->shown[interface].name;

	if (b->type == BLOCK_SIMPLE) {
		r->view.untimed++;
		return true;
	}
	ng->looked_ahead = true;
	if (pcapng_interface_time(&ng->clocks[interface], head->units, &ng->last_ns))
		return true;
	return reader_damaged(r, b->offset,
		"by the clock of interface %zu%s%s its time is outside the years 1970 to 2262", interface,
		name[0] ? " " : "", name);
}

static bool packet_frame(struct reader *r, const struct block *b, struct frame *ret_frame)
{
	struct pcapng *ng = r->pcapng;
	struct packet_head head = { .captured = 0 };
	struct span bytes;
	size_t interface, padded;

	if (!packet_head(r, b, &head))
		return false;
	if (head.interface >= ng->count - ng->first)
		return reader_damaged(r, b->offset, "interface %" PRIu32 " is not described before it", head.interface);
	interface = ng->first + head.interface;
	if (!packet_time(r, b, &head, interface))
		return false;
	bytes = span_from(b->body, b->type == BLOCK_SIMPLE ? 4 : PACKET_HEADER);
	if (b->type == BLOCK_SIMPLE)
		head.captured = simple_captured(head.wire, ng->shown[interface].snaplen, bytes.n);
	*ret_frame = (struct frame){
		.at_ns = ng->last_ns,
		.bytes = span_first(bytes, head.captured),
		.wire_bytes = head.wire < head.captured ? head.captured : head.wire,
		.offset = b->offset,
		.interface = (uint16_t)interface,
		.link = ng->shown[interface].link,
	};
	padded = (head.captured + 3u) & ~(size_t)3;
	if (b->type != BLOCK_SIMPLE && padded < bytes.n)
		packet_options(r, span_from(bytes, padded), interface, ret_frame);
	reader_count(r, ret_frame);
	input_take(&r->in, b->length);
	return true;
}

bool pcapng_open_file(struct reader *r)
{
	r->pcapng = memory_zalloc(sizeof *r->pcapng);
	return true;
}

bool pcapng_next_frame(struct reader *r, struct frame *ret_frame)
{
	struct block b = { .type = 0 };

	while (block_look(r, &b)) {
		if (b.type == BLOCK_SIMPLE && !r->pcapng->looked_ahead) {
			look_ahead(r);           /* moves the window */
			continue;
		}
		if (is_packet(b.type))
			return packet_frame(r, &b, ret_frame);
		if (!side_block(r, &b))
			return false;
		if (!input_skip(&r->in, b.length))
			return reader_cut(r, b.offset, "block");
	}
	return false;
}

/* Is the next block a packet, all of it in the window, so that the window need not move for it? */
static bool packet_at_hand(const struct reader *r)
{
	const struct input *in = &r->in;

	return in->left >= BLOCK_LEAST && reader_u32(r, in->p) == BLOCK_PACKET && reader_u32(r, in->p + 4) <= in->left;
}

size_t pcapng_frames_at_hand(struct reader *r, struct frame *frames, size_t most, int64_t newest_ns)
{
	size_t n = 0;

	while (n < most && packet_at_hand(r) && pcapng_next_frame(r, &frames[n])) {
		if (frames[n++].at_ns < newest_ns)
			break;
		newest_ns = frames[n - 1].at_ns;
	}
	return n;
}
