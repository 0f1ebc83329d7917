/* SPDX-License-Identifier: MIT */
/*
 * vlan_strangers: what a VLAN shows beside the phones that are in the wrong one: computers among the phones, a device
 * whose SIP and audio go apart, VLANs that are joined. Reasons of vlan-leak.
 */
#ifndef DEADAIR_DETECT_VLAN_STRANGERS_H
#define DEADAIR_DETECT_VLAN_STRANGERS_H

#include "analyzer/detect/detector.h"

struct voice_vlan {
	uint16_t vid;                /* 0: unknown */
	const char *source;          /* "profile", "LLDP-MED or CDP of the switch", "most of the phones" */
	struct frame_ref told;       /* by the switch; frame 0: not so */
	bool sure;                   /* somebody who knows has said so */
};

/* How many findings were raised. */
unsigned vlan_strangers(struct detection *d, const struct voice_vlan *voice);

#endif
