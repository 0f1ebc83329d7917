/* SPDX-License-Identifier: MIT */
/* rtcp: a compound packet as flat facts. RFC 3550 6, 3611 (XR), reduced size RFC 5506. */
#ifndef DEADAIR_DISSECT_RTCP_H
#define DEADAIR_DISSECT_RTCP_H

#include "captures/base/cursor.h"

enum { RTCP_REPORT_MAX = 31, RTCP_BYE_MAX = 8 };

struct rtcp_block {                  /* one report block: about the stream `ssrc` as its receiver saw it */
	uint32_t ssrc;
	uint8_t fraction_lost;       /* of 256 since the last report */
	int32_t cumulative_lost;     /* signed 24 bit */
	uint32_t ext_seq, jitter, lsr, dlsr;
};

struct rtcp_compound {
	uint32_t ssrc;               /* of the sender of the packet */
	bool has_sr, has_rr, has_bye, has_xr_voip;
	bool encrypted;              /* SRTCP: only ssrc can be believed */
	uint64_t ntp;                /* SR */
	uint32_t rtp_ts, packets, octets;
	struct rtcp_block blocks[RTCP_REPORT_MAX];
	unsigned block_count;
	struct span cname;           /* SDES of ssrc; empty: none */
	uint32_t bye_ssrcs[RTCP_BYE_MAX];
	unsigned bye_count;
	struct {                     /* XR block type 7, RFC 3611 4.7; 127 unavailable */
		uint32_t ssrc;
		uint8_t loss_rate, discard_rate, r_factor, mos_lq_x10, mos_cq_x10;
		uint16_t round_trip_ms, end_system_ms;
		int8_t signal_level_dbm;
	} xr;
};

/*
 * A compound of one or several packets. False: no RTCP. The first packet's version, type 192-223 and length must fit,
 * and where the whole is captured the packets chain up to the end, or the first is as long as its count asks for, or an
 * SRTCP index stands at the end (RFC 3550 A.2 asks for the chain; devices break it). A later bad packet ends the reading and keeps what was good.
 */
bool rtcp_parse(struct cursor *c, struct rtcp_compound *out);

#endif
