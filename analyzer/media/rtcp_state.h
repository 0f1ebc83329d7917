/* SPDX-License-Identifier: MIT */
/* rtcp_state: what the two ends report of what the capture cannot see (RFC 3550 6.4, 3611; 1.5). */
#ifndef DEADAIR_MEDIA_RTCP_STATE_H
#define DEADAIR_MEDIA_RTCP_STATE_H

#include "analyzer/media/stream.h"

/* One report block about a stream as seen at its receiver. */
struct rtcp_report {
	int64_t at_ns;
	uint32_t frame;
	uint16_t file, interface;
	uint32_t ext_seq;
	int32_t cumulative_lost;
	uint8_t fraction_lost;
	uint32_t lsr, dlsr, jitter;
};

/* One sender or receiver report as a whole. */
struct rtcp_sender_report {
	int64_t at_ns;
	uint32_t frame;
	uint16_t file, interface;
	bool is_sr;
	uint32_t packets;            /* SR: sender's packet count */
	unsigned blocks;             /* report blocks in it: 0 says "I have received nothing since the last one" */
};

enum { RTCP_KEEP = 64 };             /* the first 8, then the latest */

/* What one party (source host and SSRC of its RTCP) has said. */
struct rtcp_party {
	struct list_link in_order;
	struct hash_link by_key;
	struct endpoint src, dst;
	uint32_t ssrc;
	bool encrypted;              /* SRTCP: only ssrc and times count */
	bool ever_blocks;            /* has sent report blocks in this capture */
	struct rtcp_sender_report *reports;
	unsigned report_count;       /* of those kept */
	uint64_t report_total;
	uint32_t first_packets, last_packets; /* SR packet counts */
	int64_t first_ns, last_ns, bye_ns;
};

enum { RTCP_TWO_INTERFACES = UINT16_MAX };   /* a tap of which each interface sees one way */

/* A round trip of reports: from one place of the capture to the receiver and back. Two files do not share a clock. */
struct rtcp_trip {
	double ms;
	uint16_t file, interface;
};

static inline bool rtcp_trip_same_place(const struct rtcp_trip *a, const struct rtcp_trip *b)
{
	return a->file == b->file && a->interface == b->interface;
}

/* What was reported about one SSRC by one receiver; NULL in stream.reports when nobody reported. */
struct rtcp_view {
	struct list_link in_order;
	struct hash_link by_key;
	uint32_t about_ssrc;
	const struct rtcp_party *by;
	struct rtcp_report *reports;
	unsigned report_count;
	uint64_t report_total;
	int64_t first_ns, last_ns;
	bool has_xr;
	uint8_t xr_discard_rate;
	uint16_t xr_end_system_ms;
	/* valid round trips capture - receiver: t(RR) - t(SR) - DLSR (1.5); kept like reports */
	struct rtcp_trip *trips;
	unsigned trip_count;
	unsigned rtt_negative;       /* answers that came clearly before what they answer: two clocks */
};

struct rtcp_states;

/* max_parties 0: 131072. Beyond that those go that were silent for longest, of which little was heard first. */
struct rtcp_states *rtcp_states_new(size_t max_parties);
void rtcp_states_free(struct rtcp_states *r);
/* One packet of kind PACKET_RTCP; mirror copies must be left out by the caller. */
void rtcp_states_packet(struct rtcp_states *r, const struct packet *p);

uint64_t rtcp_states_evicted(const struct rtcp_states *r);

const struct list *rtcp_parties(const struct rtcp_states *r);       /* struct rtcp_party.in_order */
const struct list *rtcp_views(const struct rtcp_states *r);

/*
 * The view about a stream: same SSRC, reporter at the stream's receiving host (or its NAT image), ext_seq within 3000
 * of what was seen; NULL none.
 */
const struct rtcp_view *rtcp_view_of(const struct rtcp_states *r, const struct stream *s);
/*
 * RTCP from this media address: RTP port, port + 1, or the given rtcp endpoint; any SSRC; the latest such party that
 * fits (fits NULL: all do); NULL none.
 */
typedef bool rtcp_party_fits(const void *about, const struct rtcp_party *p);
const struct rtcp_party *rtcp_party_at(const struct rtcp_states *r, const struct endpoint *rtp,
	const struct endpoint *rtcp, int64_t from_ns, int64_t to_ns, rtcp_party_fits *fits, const void *about);

/* Who reports from this address under this stream id, whatever port a NAT has given it; the latest; NULL none. */
const struct rtcp_party *rtcp_party_of_source(const struct rtcp_states *r, const struct address *addr, uint32_t ssrc,
	int64_t from_ns, int64_t to_ns);

/*
 * What the receiver's reports within [from, to) say of the stream. NONE: nothing to go by (fewer than 2 reports,
 * encrypted, never blocks). FROZEN: >= 2 reports whose ext_seq stands still although the capture sees it advance.
 * EMPTY: >= 2 consecutive reports without any block although this receiver, or one that `like` takes for the same
 * make (NULL: any at its address), has sent blocks in this capture. ADVANCING: it receives.
 */
enum rtcp_verdict { RTCP_VERDICT_NONE, RTCP_VERDICT_ADVANCING, RTCP_VERDICT_FROZEN, RTCP_VERDICT_EMPTY };
enum rtcp_verdict rtcp_verdict(const struct rtcp_states *r, const struct stream *s, const struct rtcp_party *receiver,
	int64_t from_ns, int64_t to_ns, rtcp_party_fits *like, const void *about, const struct rtcp_report **ret_last);
/* At least 2 consecutive reports, the last ones, without a block while the stream goes on: it may never send any. */
bool rtcp_reports_empty(const struct rtcp_party *receiver, const struct stream *s, int64_t from_ns, int64_t to_ns);
/* Sender's packet count over [from, to): RISING, CONSTANT, or NONE with fewer than 2 sender reports. */
enum rtcp_sending { RTCP_SENDING_NONE, RTCP_SENDING_CONSTANT, RTCP_SENDING_RISING };
enum rtcp_sending rtcp_sending(const struct rtcp_party *sender, int64_t from_ns, int64_t to_ns);

/* The round trips of a view from the place of this one: their median in ms, and how many there are. */
double rtcp_view_rtt_ms(const struct rtcp_view *v, const struct rtcp_trip *from, unsigned *ret_count);

#endif
