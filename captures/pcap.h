/* SPDX-License-Identifier: MIT */
/* pcap: the classic format, microseconds and nanoseconds, both byte orders (draft-ietf-opsawg-pcap). */
#ifndef DEADAIR_CAPTURES_PCAP_H
#define DEADAIR_CAPTURES_PCAP_H

#include "captures/reader.h"

bool pcap_begins(struct span first);             /* by the magic number */
bool pcap_open_file(struct reader *r);           /* reads the file header */
bool pcap_next_frame(struct reader *r, struct frame *ret_frame);
/* reader_at_hand() */
size_t pcap_frames_at_hand(struct reader *r, struct frame *frames, size_t most, int64_t newest_ns);

#endif
