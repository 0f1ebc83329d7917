/* SPDX-License-Identifier: MIT */
/*
 * gates: what this capture cannot show. A gate withholds claims of absence or measure; it never withholds what is in
 * the capture. Reckoned once per judgement, before any detector asks.
 *   G1 one-sided   G2 no media at all   G3 media elsewhere   G4 no signalling   G5 truncated   G6 mid-call   G7 the
 *   capture lost packets
 *   G8 signalling encrypted   G9 duplicates   G10 timestamps   G11 another link member
 */
#ifndef DEADAIR_DETECT_GATES_H
#define DEADAIR_DETECT_GATES_H

#include "analyzer/detect/detector.h"
#include "analyzer/detect/moments.h"

struct gates;

struct gates *gates_reckon(const struct facts *facts);
void gates_free(struct gates *g);

/*
 * G1 for packets src -> dst: dst answers nothing here, or was never seen to be answered. *ret_pair: the visible
 * direction.
 */
bool gates_one_sided(const struct gates *g, const struct facts *facts, const struct address *src,
	const struct address *dst, const struct pair **ret_pair);
/*
 * The same for a capture of any length: src or dst signalled in a call that was answered, and nothing that src sent, or
 * nothing that dst was sent, is here.
 */
bool gates_half_tapped(const struct gates *g, const struct facts *facts, const struct address *src,
	const struct address *dst);
/*
 * Does audio of this address pass in a TURN channel within the time, and nobody knows who the other party is: its
 * ChannelBind is not in the capture?
 */
bool gates_channelled(const struct gates *g, const struct address *a, int64_t from_ns, int64_t to_ns);
/* G2: no call of this capture has media (or none of this media address has); answered calls that were counted. */
bool gates_no_media(const struct gates *g, unsigned *ret_calls);
bool gates_no_media_of(const struct gates *g, const struct facts *facts, const struct address *media);
/* G2 of one media address: the i-th that three calls and more named and that never appears; false past the end. */
bool gates_silent_media(const struct gates *g, unsigned i, struct address *ret, unsigned *ret_calls);
/* Why there is none: "sip-filter", "media-bypass", "unknown". */
const char *gates_no_media_reason(const struct gates *g);
/* The same in words, as of one direction. */
const char *gates_no_media_why(const struct gates *g);
/* G3 port-range: media ports above (or below) some port are silent in both directions for many hosts. */
bool gates_port_range(const struct gates *g, uint16_t port);
uint16_t gates_port_limit(const struct gates *g, bool *ret_above);
/*
 * G3: of each of the calls between two media addresses one direction passes here, and not of all the same: a member of
 * a bundle of links, or two ways of which one is tapped.
 */
bool gates_one_way_each(const struct gates *g, const struct address *a, const struct address *b);
/* G3: does this receiver report on streams that never pass here? */
bool gates_reports_unseen(const struct gates *g, const struct rtcp_party *receiver);
/* G7: did the capture itself lose packets then? Also when the interface counted drops. */
bool gates_capture_lost(const struct gates *g, int64_t from_ns, int64_t to_ns);
/* No frame of any kind then although audio was on its way: the capture stood still, or a link that all share. */
bool gates_capture_still(const struct gates *g, int64_t from_ns, int64_t to_ns);
#define GATES_STILL "nothing at all was captured where it begins: a hold or a new address may be hidden there"
/* The same of one file. */
bool gates_file_still(const struct gates *g, unsigned file, int64_t from_ns, int64_t to_ns);
/* Either of the two: what is not in the capture may have been sent and answered all the same. */
bool gates_may_hide(const struct gates *g, int64_t from_ns, int64_t to_ns);
/* Nearly all of that time is one silence: no frame of any kind in it. */
bool gates_nothing_captured(const struct capture_facts *c, int64_t from_ns, int64_t to_ns);
bool gates_drops_counted(const struct gates *g);
/* What a stream lost in such moments in holes too short to be among its gaps, of which the packet behind came then. */
uint64_t gates_short_lost(const struct gates *g, const struct stream *s, int64_t from_ns, int64_t to_ns);
const struct loss_moment *gates_loss_moments(const struct gates *g, unsigned *ret_count);
/* G9: the capture was merged of two whose clocks are so far apart, 0 not */
int64_t gates_copies_apart_ns(const struct gates *g);
#define GATES_MERGED "the capture was merged of two whose clocks differ: each packet comes again later"
/* G10 */
bool gates_clock_unreliable(const struct gates *g);
/* G11: streams that miss every second or third packet in step. */
bool gates_link_member(const struct gates *g);

#endif
