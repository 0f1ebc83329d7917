/* SPDX-License-Identifier: MIT */
/* neighbour: lists of type, length and value; what is not about voice is passed over. */
#include "dissect/neighbour.h"

enum {
	LLDP_END = 0, LLDP_ORGANISATION = 127, MED = 0x0012bb, MED_POLICY = 2, MED_VOICE = 1, MED_VOICE_SIGNALLING = 2,
	CDP_VOICE = 0x000e, VID_MAX = 4094, TLVS_MAX = 256
};

/* Application, then a word: unknown, tagged, reserved, VLAN (12), priority (3), DSCP (6). */
static uint16_t med_policy(struct cursor c)
{
	uint8_t application;
	uint32_t word;
	uint16_t vid;

	if (cursor_u24(&c) != MED || cursor_u8(&c) != MED_POLICY)
		return 0;
	application = cursor_u8(&c);
	word = cursor_u24(&c);
	vid = word >> 9 & 0xfff;
	if (c.state != CURSOR_OK || (application != MED_VOICE && application != MED_VOICE_SIGNALLING) ||
	    word & 0x800000 || !(word & 0x400000) || vid > VID_MAX)
		return 0;
	return vid;
}

uint16_t neighbour_lldp(struct cursor c)
{
	for (unsigned i = 0; i < TLVS_MAX; i++) {
		uint16_t head = cursor_u16(&c);
		struct span value = cursor_take(&c, head & 0x1ff);
		uint16_t vid;

		if (c.state != CURSOR_OK || head >> 9 == LLDP_END)
			return 0;
		vid = head >> 9 == LLDP_ORGANISATION ? med_policy(cursor_over(value, value.n)) : 0;
		if (vid)
			return vid;
	}
	return 0;
}

uint16_t neighbour_cdp(struct cursor c)
{
	cursor_u32(&c);                                 /* version, time to live, checksum */
	for (unsigned i = 0; i < TLVS_MAX; i++) {
		uint16_t type = cursor_u16(&c), length = cursor_u16(&c);
		struct span value = cursor_take(&c, length >= 4 ? length - 4u : 0);
		struct cursor voice = cursor_over(value, value.n);
		uint16_t vid;

		if (c.state != CURSOR_OK || length < 4)
			return 0;
		if (type != CDP_VOICE)
			continue;
		cursor_u8(&voice);                      /* 1: voice */
		vid = cursor_u16(&voice);
		return voice.state == CURSOR_OK && vid <= VID_MAX ? vid : 0;
	}
	return 0;
}
