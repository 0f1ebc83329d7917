/* SPDX-License-Identifier: MIT */
/* pcapng: sections, interfaces, packets, statistics, names (draft-ietf-opsawg-pcapng). */
#ifndef DEADAIR_CAPTURES_PCAPNG_H
#define DEADAIR_CAPTURES_PCAPNG_H

#include "captures/reader.h"

bool pcapng_begins(struct span first);           /* by the magic number */
bool pcapng_open_file(struct reader *r);         /* reads the first section header */
bool pcapng_next_frame(struct reader *r, struct frame *ret_frame);
/* reader_at_hand() */
size_t pcapng_frames_at_hand(struct reader *r, struct frame *frames, size_t most, int64_t newest_ns);
void pcapng_free(struct pcapng *ng);             /* NULL is fine */

#endif
