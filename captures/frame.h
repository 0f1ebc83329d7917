/* SPDX-License-Identifier: MIT */
/* frame: a record as it was read. */
#ifndef DEADAIR_CAPTURES_FRAME_H
#define DEADAIR_CAPTURES_FRAME_H

#include "captures/base/span.h"

enum frame_direction { FRAME_UNKNOWN, FRAME_IN, FRAME_OUT };

struct frame {
	int64_t at_ns;
	struct span bytes;           /* captured bytes, borrowed: good until the next source_next() */
	uint32_t wire_bytes;         /* length on the wire, at least bytes.n */
	uint32_t number;             /* 1-based within its file, as Wireshark counts it */
	uint64_t offset;             /* of the record in the (unpacked) file, bytes */
	uint16_t file;               /* index for source_file() */
	/* where a capture rotates its files: how far, by index, before this one lies the one where it began (wraps) */
	uint16_t rotated;
	uint16_t interface;          /* index into that file's interfaces */
	uint16_t link;               /* LINKTYPE_*, as registered by tcpdump.org (1 Ethernet, 113 SLL, 276 SLL2, ...) */
	uint8_t direction;           /* enum frame_direction, from pcapng epb_flags */
};

#endif
