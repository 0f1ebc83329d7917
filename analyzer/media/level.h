/* SPDX-License-Identifier: MIT */
/*
 * level: how loud G.711 is, in dBm0 (ITU-T G.711: a full-scale sine is +3.17 in mu-law, +3.14 in A-law), and what
 * that says of speech.
 */
#ifndef DEADAIR_MEDIA_LEVEL_H
#define DEADAIR_MEDIA_LEVEL_H

#include "analyzer/media/stream.h"

/* Powers, of a sine of 0 dBm0 = 1: no logarithm a packet. */
#define LEVEL_SILENT 1e-6f           /* -60 dBm0 */
#define LEVEL_SPEECH 1e-4f           /* -40 dBm0 */
#define LEVEL_LOUD 1e-3f             /* -30 dBm0 */
#define LEVEL_NONE_DBM0 (-120.0f)    /* stands for minus infinity */

enum { LEVEL_EVERY = 4, LEVEL_SAMPLE_STEP = 5, LEVEL_RING = 4, LEVEL_WAIT = 4, LEVEL_TALK_MS = 3000 };
enum level_law { LEVEL_MU_LAW, LEVEL_A_LAW };

struct level_table;                  /* squares of the 256 codes of both laws */
struct level_table *level_table_new(void);
void level_table_free(struct level_table *t);

/* Linear value of a code, 16 bit scale. */
int level_linear(enum level_law law, uint8_t code);
/* Power of every 5th sample, mean; 0: silence, or nothing to hear. */
float level_power(const struct level_table *t, enum level_law law, struct span payload);
float level_dbm0(float power);

enum level_mode { LEVEL_OFF, LEVEL_MU, LEVEL_A, LEVEL_GIVEN /* by the sender, RFC 6464 */ };

/* What was heard of a stream: one cache line, beside the hot ones, touched by every 4th packet. */
struct level {
	int64_t first_ns, last_ns;   /* speech */
	float ring[LEVEL_RING];      /* powers */
	float max;
	float sum;                   /* of powers since level_since() */
	uint32_t head;               /* of the first 8 bytes of the last sampled payload: a hash */
	uint32_t count, silent, speech;
	uint16_t same, same_max;     /* sampled payloads equal to the one before, in a row */
	uint8_t codes[2];            /* the one or two codes seen so far */
	uint8_t code_count : 2;      /* 3: more than two */
	uint8_t mode : 2;            /* enum level_mode */
	uint8_t wait : 3;            /* samples still to come before it is known whether speech goes on behind a gap */
	/* seconds from the first speech until LEVEL_TALK_MS of it were there, 255 at most; 0: not yet */
	uint8_t talked;
};
_Static_assert(sizeof(struct level) == 64, "one cache line");

struct level_sample {
	int64_t at_ns;
	struct span payload;
	int8_t level_dbov;           /* as the sender gives it: struct rtp_header */
};
enum { LEVEL_NOT_GIVEN = 1 };

/* One sampled packet, as its mode wants it. True: wait has come to its end. */
bool level_take(struct level *l, const struct level_table *t, const struct level_sample *sample);
/* The mean since *count samples, which is how many there are from now on; INTERVAL_UNHEARD none. l may be NULL. */
int8_t level_since(struct level *l, uint32_t *count);
/*
 * Of the last 4 levels >= 3 above -40 dBm0 and the last above -30: somebody spoke when it stopped.
 */
bool level_was_speech(const struct level *l);
/* Of the last 4 levels >= 3 above -40. */
bool level_is_speech(const struct level *l);

#endif
