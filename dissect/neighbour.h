/* SPDX-License-Identifier: MIT */
/* neighbour: what a switch tells its phones of the voice VLAN: LLDP-MED (ANSI/TIA-1057 10.2.3.2) and CDP. */
#ifndef DEADAIR_DISSECT_NEIGHBOUR_H
#define DEADAIR_DISSECT_NEIGHBOUR_H

#include "captures/base/cursor.h"

/* The cursor stands behind the ethertype. The VLAN for voice; 0: none is told, or not one that is known and tagged. */
uint16_t neighbour_lldp(struct cursor c);
/* The cursor stands behind the SNAP header. */
uint16_t neighbour_cdp(struct cursor c);

#endif
