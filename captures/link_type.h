/* SPDX-License-Identifier: MIT */
/* link_type: LINKTYPE_* of files against DLT_* of libpcap on this system. */
#ifndef DEADAIR_CAPTURES_LINK_TYPE_H
#define DEADAIR_CAPTURES_LINK_TYPE_H

#include <stdint.h>

int link_type_to_dlt(uint16_t link);
/* -1: not a number that a file could have. */
int link_type_of_dlt(int dlt);

#endif
