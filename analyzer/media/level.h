/* SPDX-License-Identifier: MIT */
/* level: how loud G.711 is, in dBm0 (ITU-T G.711: a full-scale sine is +3.17 in mu-law, +3.14 in A-law), and what that says of speech. */
#ifndef DEADAIR_MEDIA_LEVEL_H
#define DEADAIR_MEDIA_LEVEL_H

#include "analyzer/media/stream.h"

#define LEVEL_SILENT_DBM0 (-60.0f)
#define LEVEL_SPEECH_DBM0 (-40.0f)
#define LEVEL_LOUD_DBM0 (-30.0f)
#define LEVEL_NONE_DBM0 (-120.0f)    /* stands for minus infinity */

enum { LEVEL_EVERY = 4, LEVEL_SAMPLE_STEP = 5, LEVEL_RING = 8 };
enum level_law { LEVEL_MU_LAW, LEVEL_A_LAW };

struct level_table;                  /* squares of the 256 codes of both laws */
struct level_table *level_table_new(void);
void level_table_free(struct level_table *t);

/* Linear value of a code, 16 bit scale. */
int level_linear(enum level_law law, uint8_t code);
/* Root mean square of every 5th sample; LEVEL_NONE_DBM0: silence, or nothing to hear. */
float level_dbm0(const struct level_table *t, enum level_law law, struct span payload);

/* Of a stream: what was heard lately. */
struct level {
	float ring[LEVEL_RING];
	unsigned count;              /* samples so far */
	uint64_t head;               /* first 8 bytes of the last sampled payload */
	uint32_t same;               /* sampled payloads equal to it in a row */
	uint8_t codes[2];            /* the one or two codes seen so far */
	unsigned code_count;         /* 3: more than two */
};

/* One sampled packet of ptime_ms (0 unknown: 20) into the stream's figures. */
void level_take(struct level *l, struct stream *s, const struct level_table *t, enum level_law law, struct span payload, int64_t at_ns);
/* The same from a level that the sender gave (RFC 6464, dBov: -dBov of a square wave; a sine of full scale is -3.01 dBov). */
void level_take_dbov(struct level *l, struct stream *s, int dbov, int64_t at_ns);
/* Of the last 4 levels >= 3 above -40 dBm0 and the last above -30: somebody spoke when it stopped (2-media 2.3, 1.11). */
bool level_was_speech(const struct level *l);
/* Of the last 4 levels >= 3 above -40. */
bool level_is_speech(const struct level *l);

#endif
