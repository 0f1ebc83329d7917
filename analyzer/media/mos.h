/* SPDX-License-Identifier: MIT */
/* mos: narrowband E-model, ITU-T G.107 with G.113 Appendix I values. A reported number, never a finding. */
#ifndef DEADAIR_MEDIA_MOS_H
#define DEADAIR_MEDIA_MOS_H

#include "analyzer/media/stream.h"

struct mos_codec { const char *name; double ie, bpl; double lookahead_ms; bool approx; bool wideband; };

/* By SDP encoding name (case aside) and, for bare static types, its RFC 3551 name; NULL: no MOS for it. */
const struct mos_codec *mos_codec_find(struct span name);
/* R factor: loss_percent incl. late discards, burst_r >= 1, one_way_ms 0: unknown (listening quality). */
double mos_r(double ie, double bpl, double loss_percent, double burst_r, double one_way_ms);
double mos_from_r(double r);
/* Mean length of the runs of lost packets against that of random loss; 1 with fewer than 20 of them (G.107 4.1). */
double mos_burst_r(double loss_percent, uint64_t lost, uint64_t loss_events);

/*
 * Of a stream, of one of its intervals: lost and later than a buffer of 60 ms that moves where all come late, within
 * epochs. < 0: none (no codec, a wideband one, no packets). network_ms: one way, half a valid round trip; buffer,
 * packet time and look-ahead are added; 0 unknown: listening quality. ret_valid false: bursts or codec lie outside of
 * what G.107 was validated for.
 */
double stream_mos(const struct stream *s, double network_ms, bool *ret_valid);
double interval_mos(const struct stream *s, const struct interval *i, double network_ms);
/* The same for a G.711 receiver without packet loss concealment; other codecs: < 0. */
double stream_mos_without_plc(const struct stream *s, double network_ms, bool *ret_valid);

#endif
