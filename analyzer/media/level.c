/* SPDX-License-Identifier: MIT */
/* level: how loud G.711 is, by every 5th sample of every 4th packet (1.11). */
#include "analyzer/media/level.h"

#include <math.h>
#include <stdlib.h>

#include "captures/base/memory.h"

enum { MU_LAW_PEAK = 32124, A_LAW_PEAK = 32256, PTIME_ASSUMED_MS = 20, ONE_CODE_MAX = 2 };

struct level_table {
	float squares[2][256];
	float offset_db[2];          /* of 10 log10(mean square): full-scale sine at its dBm0 */
};

/* ITU-T G.711 tables 1 and 2, complemented as on the wire. */
int level_linear(enum level_law law, uint8_t code)
{
	uint8_t c = law == LEVEL_MU_LAW ? (uint8_t)~code : code ^ 0x55;
	int segment = c >> 4 & 7, step = c & 15, value;

	if (law == LEVEL_MU_LAW) {
		value = ((step << 3) + 0x84) << segment;
		value -= 0x84;
		return c & 0x80 ? -value : value;
	}
	value = segment ? ((step << 4) + 0x108) << (segment - 1) : (step << 4) + 8;
	return c & 0x80 ? value : -value;
}

struct level_table *level_table_new(void)
{
	struct level_table *t = memory_zalloc(sizeof *t);

	for (unsigned code = 0; code < 256; code++) {
		float mu = (float)level_linear(LEVEL_MU_LAW, (uint8_t)code), a = (float)level_linear(LEVEL_A_LAW, (uint8_t)code);

		t->squares[LEVEL_MU_LAW][code] = mu * mu;
		t->squares[LEVEL_A_LAW][code] = a * a;
	}
	/* the mean square of a sine is half its peak squared */
	t->offset_db[LEVEL_MU_LAW] = 3.17f - 10 * log10f((float)MU_LAW_PEAK * MU_LAW_PEAK / 2);
	t->offset_db[LEVEL_A_LAW] = 3.14f - 10 * log10f((float)A_LAW_PEAK * A_LAW_PEAK / 2);
	return t;
}

void level_table_free(struct level_table *t)
{
	free(t);
}

float level_dbm0(const struct level_table *t, enum level_law law, struct span payload)
{
	const float *squares = t->squares[law];
	float sum = 0;
	unsigned n = 0;

	for (size_t i = 0; i < payload.n; i += LEVEL_SAMPLE_STEP, n++)
		sum += squares[payload.p[i]];
	return sum > 0 ? 10 * log10f(sum / (float)n) + t->offset_db[law] : LEVEL_NONE_DBM0;
}

/* ---- of a stream ---- */

static float ring_at(const struct level *l, unsigned back)
{
	return l->ring[(l->count - 1 - back) % LEVEL_RING];
}

bool level_is_speech(const struct level *l)
{
	unsigned loud = 0;

	for (unsigned i = 0; i < 4 && i < l->count; i++)
		loud += ring_at(l, i) > LEVEL_SPEECH_DBM0;
	return loud >= 3;
}

bool level_was_speech(const struct level *l)
{
	return level_is_speech(l) && ring_at(l, 0) > LEVEL_LOUD_DBM0;
}

static void figures_take(struct level *l, struct stream *s, float dbm0, int64_t at_ns)
{
	l->ring[l->count++ % LEVEL_RING] = dbm0;
	if (!s->level_known || dbm0 > s->level_max_dbm0)
		s->level_max_dbm0 = dbm0;
	s->level_known = true;
	s->level_samples++;
	if (dbm0 < LEVEL_SILENT_DBM0)
		s->level_silent++;
	if (dbm0 <= LEVEL_SPEECH_DBM0)
		return;
	s->level_speech++;
	s->speech_s += LEVEL_EVERY * (s->ptime_ms ? s->ptime_ms : PTIME_ASSUMED_MS) / 1000.0;
	if (s->level_speech == 1)
		s->speech_first_ns = at_ns;
	s->speech_last_ns = at_ns;
}

/* 8 bytes stand for the payload: the same sound again and again is a sender that is stuck. */
static void stuck_take(struct level *l, struct stream *s, struct span payload, float dbm0)
{
	uint64_t head = 0;

	memcpy(&head, payload.p, payload.n < sizeof head ? payload.n : sizeof head);
	l->same = l->count > 1 && head == l->head && dbm0 >= LEVEL_SILENT_DBM0 ? l->same + 1 : 0;
	l->head = head;
	if (l->same && (l->same + 1) * LEVEL_EVERY > s->stuck_run_max)
		s->stuck_run_max = (l->same + 1) * LEVEL_EVERY;
}

static void codes_take(struct level *l, struct stream *s, struct span payload)
{
	for (size_t i = 0; i < payload.n && l->code_count <= ONE_CODE_MAX; i += LEVEL_SAMPLE_STEP) {
		uint8_t code = payload.p[i];
		bool known = (l->code_count > 0 && code == l->codes[0]) || (l->code_count > 1 && code == l->codes[1]);

		if (known)
			continue;
		if (l->code_count < ONE_CODE_MAX)
			l->codes[l->code_count] = code;
		l->code_count++;
	}
	s->one_code = l->code_count <= ONE_CODE_MAX;
}

static bool code_is_idle(uint8_t code)
{
	return code == 0xff || code == 0x7f || code == 0xd5 || code == 0x55;
}

void level_take(struct level *l, struct stream *s, const struct level_table *t, enum level_law law, struct span payload, int64_t at_ns)
{
	float dbm0;

	if (payload.n == 0)
		return;
	dbm0 = level_dbm0(t, law, payload);
	figures_take(l, s, dbm0, at_ns);
	stuck_take(l, s, payload, dbm0);
	codes_take(l, s, payload);
	for (unsigned i = 0; i < l->code_count && i < ONE_CODE_MAX; i++)
		s->one_code &= code_is_idle(l->codes[i]);
}

void level_take_dbov(struct level *l, struct stream *s, int dbov, int64_t at_ns)
{
	figures_take(l, s, dbov <= -127 ? LEVEL_NONE_DBM0 : (float)dbov + 3.01f + 3.17f, at_ns);
}
