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
/* They say that most of it is missing there, too: the capture did not lose it. */
bool quality_receiver_lacks(const struct facts *facts, const struct stream *s, const struct gap *g);
/*
 * Lost while the file stood still in which the stream is, and its twin came by at another point: by the capture there.
 */
bool quality_lost_by_point(const struct gates *g, const struct stream *s, const struct gap *gap);
/*
 * The same packets at an earlier point: that one has many that are missing here, and lacks many that are here. What is
 * lost on the way stays lost, so that at least the capture there loses some itself. How many it lacks; 0: not so.
 */
unsigned quality_points_differ(const struct stream *s);
/* Not lost: its sender sent most of it to another place meanwhile, from the same socket under the same SSRC. */
bool quality_sent_elsewhere(const struct facts *facts, const struct stream *s, const struct gap *g);
/*
 * Its time stamps run slower than the clock, and as no codec's clock does: what comes is held up more and more, by a
 * queue that grows or by the sender. Another clock than the agreed one is one that codecs have.
 */
bool quality_comes_slower(const struct stream *s, uint32_t clock_hz);
/* Nothing of the IP network lies between its end `at` and the point where it was captured. */
bool quality_beside(const struct facts *facts, const struct stream *s, const struct endpoint *at);
/* Who listens to it: the party, else its host. */
const char *quality_listener(const struct facts *facts, const struct stream *s, char buffer[SAY_TEXT]);
/* What a relay gets and made this of, under the same SSRC or one of its own; NULL: none is known. */
const struct stream *quality_made_of(const struct facts *facts, const struct stream *s);
/*
 * What the sender of s gets on the other leg of a call of two, for most of the time; NULL: none, or several. What it
 * sends is made of it, though its packets do not show that.
 */
const struct stream *quality_other_leg(const struct facts *facts, const struct stream *s);
/* Either of the two. */
const struct stream *quality_got(const struct facts *facts, const struct stream *s);
/* Leg, victim (its receiver), witness (its sender), stream, times. */
void quality_parts(struct finding *f, const struct stream *s);
/* The listeners behind relays that made streams of their own of it are victims, too; of: what a stream was made of. */
typedef const struct stream *quality_source(const struct facts *facts, const struct stream *s);
void quality_listeners_behind(struct finding *f, const struct facts *facts, const struct stream *s, quality_source *of);
void quality_evidence(struct finding *f, const struct stream *s, const char *format,
	...) __attribute__((format(printf, 3, 4)));

#endif
