/* SPDX-License-Identifier: MIT */
/* netmon: Microsoft Network Monitor 2.x, the ".cap" of older Windows machines, as Wireshark reads it. */
#ifndef DEADAIR_CAPTURES_NETMON_H
#define DEADAIR_CAPTURES_NETMON_H

#include "captures/reader.h"

bool netmon_begins(struct span first);           /* by the magic number */
bool netmon_open_file(struct reader *r);         /* reads the file header */
bool netmon_next_frame(struct reader *r, struct frame *ret_frame);

#endif
