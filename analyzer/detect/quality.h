/* SPDX-License-Identifier: MIT */
/* quality: what rtp-loss, rtp-jitter and rtp-delay share. */
#ifndef DEADAIR_DETECT_QUALITY_H
#define DEADAIR_DETECT_QUALITY_H

#include "analyzer/detect/say.h"

#define WRONG_CLOCK 0.03             /* a line of drift is far below it */

/* Leg of the stream, NULL unbound. */
const struct leg *quality_leg(const struct stream *s);
/* Long enough, voice, nearest to its receiver of all points; says why not. */
bool quality_measurable(struct detection *d, const struct stream *s, double min_packets, int64_t min_ns);
/*
 * G3: the receiver's reports before and behind the hole say that it lacks little of what is missing here: it came by
 * another way, or the capture lost it.
 */
bool quality_receiver_has(const struct facts *facts, const struct stream *s, const struct gap *g);
/*
 * Lost while the file stood still in which the stream is, and its twin came by at another point: by the capture there.
 */
bool quality_lost_by_point(const struct gates *g, const struct stream *s, const struct gap *gap);
/* Not lost: its sender sent most of it to another place meanwhile, from the same socket under the same SSRC. */
bool quality_sent_elsewhere(const struct facts *facts, const struct stream *s, const struct gap *g);
/*
 * Its time stamps run slower than the clock, and as no codec's clock does: what comes is held up more and more, by a
 * queue that grows or by the sender. Another clock than the agreed one is one that codecs have.
 */
bool quality_comes_slower(const struct stream *s, uint32_t clock_hz);
/* Who listens to it: the party, else its host. */
const char *quality_listener(const struct facts *facts, const struct stream *s, char buffer[SAY_TEXT]);
/* Leg, victim (its receiver), witness (its sender), stream, times. */
void quality_parts(struct finding *f, const struct stream *s);
void quality_evidence(struct finding *f, const struct stream *s, const char *format,
	...) __attribute__((format(printf, 3, 4)));

#endif
