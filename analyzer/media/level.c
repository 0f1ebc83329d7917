/* SPDX-License-Identifier: MIT */
/* level: how loud G.711 is, by every 5th sample of every 4th packet (1.11). */
#include "analyzer/media/level.h"

#include <math.h>
#include <stdlib.h>

#include "captures/base/memory.h"

enum { MU_LAW_PEAK = 32124, A_LAW_PEAK = 32256, PTIME_ASSUMED_MS = 20, ONE_CODE_MAX = 2, BYTES_A_MS = 8 };

struct level_table {
	float powers[2][256];
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

/* A sine of full scale has half its peak squared, and is +3.17 or +3.14 dBm0. */
static float power_unit(float peak, float dbm0)
{
	return peak * peak / 2 / powf(10, dbm0 / 10);
}

struct level_table *level_table_new(void)
{
	struct level_table *t = memory_zalloc(sizeof *t);
	float unit[2] = {
		[LEVEL_MU_LAW] = power_unit(MU_LAW_PEAK, 3.17f), [LEVEL_A_LAW] = power_unit(A_LAW_PEAK, 3.14f)
	};

	for (unsigned code = 0; code < 256; code++) {
		float mu = (float)level_linear(LEVEL_MU_LAW, (uint8_t)code),
		      a = (float)level_linear(LEVEL_A_LAW, (uint8_t)code);

		t->powers[LEVEL_MU_LAW][code] = mu * mu / unit[LEVEL_MU_LAW];
		t->powers[LEVEL_A_LAW][code] = a * a / unit[LEVEL_A_LAW];
	}
	return t;
}

void level_table_free(struct level_table *t)
{
	free(t);
}

/* Four sums at a time: one would wait for itself. */
float level_power(const struct level_table *t, enum level_law law, struct span payload)
{
	const float *powers = t->powers[law];
	float sum[4] = { 0 };
	size_t i = 0, n = (payload.n + LEVEL_SAMPLE_STEP - 1) / LEVEL_SAMPLE_STEP;

	for (; i + 4 <= n; i += 4) {
		const uint8_t *p = payload.p + i * LEVEL_SAMPLE_STEP;

		sum[0] += powers[p[0]];
		sum[1] += powers[p[LEVEL_SAMPLE_STEP]];
		sum[2] += powers[p[2 * LEVEL_SAMPLE_STEP]];
		sum[3] += powers[p[3 * LEVEL_SAMPLE_STEP]];
	}
	for (; i < n; i++)
		sum[0] += powers[payload.p[i * LEVEL_SAMPLE_STEP]];
	return n ? (sum[0] + sum[1] + sum[2] + sum[3]) / (float)n : 0;
}

float level_dbm0(float power)
{
	return power > 0 ? 10 * log10f(power) : LEVEL_NONE_DBM0;
}

/* ---- of a stream ---- */

static float ring_at(const struct level *l, unsigned back)
{
	return l->ring[(l->count - 1 - back) % LEVEL_RING];
}

bool level_is_speech(const struct level *l)
{
	unsigned loud = 0;

	for (unsigned i = 0; i < LEVEL_RING && i < l->count; i++)
		loud += ring_at(l, i) > LEVEL_SPEECH;
	return loud >= 3;
}

bool level_was_speech(const struct level *l)
{
	return level_is_speech(l) && ring_at(l, 0) > LEVEL_LOUD;
}

int8_t level_since(struct level *l, uint32_t *count)
{
	uint32_t samples = l && l->count > *count ? l->count - *count : 0;
	float dbm0 = samples ? level_dbm0(l->sum / (float)samples) : INTERVAL_UNHEARD;

	if (l) {
		l->sum = 0;
		*count = l->count;
	}
	return (int8_t)(dbm0 < LEVEL_NONE_DBM0 ? LEVEL_NONE_DBM0 : dbm0);
}

/* Somebody has spoken for so long, at that time: no knock on the microphone, no "hello". */
static void talk_take(struct level *l, int64_t at_ns, uint64_t packet_ms)
{
	int64_t took_s = (ns_minus(at_ns, l->first_ns) + SECOND_NS - 1) / SECOND_NS;

	if (!l->talked && l->speech * LEVEL_EVERY * packet_ms >= LEVEL_TALK_MS)
		l->talked = (uint8_t)(took_s < 1 ? 1 : took_s > UINT8_MAX ? UINT8_MAX : took_s);
}

static void power_take(struct level *l, float power, int64_t at_ns, uint64_t packet_ms)
{
	l->sum += power;
	l->ring[l->count++ % LEVEL_RING] = power;
	if (power > l->max)
		l->max = power;
	if (power < LEVEL_SILENT)
		l->silent++;
	if (power <= LEVEL_SPEECH)
		return;
	if (l->speech++ == 0)
		l->first_ns = at_ns;
	l->last_ns = at_ns;
	talk_take(l, at_ns, packet_ms);
}

/* 8 bytes stand for the payload: the same sound again and again is a sender that is stuck. */
static void stuck_take(struct level *l, struct span payload, float power)
{
	uint64_t first = 0;
	uint32_t head;

	memcpy(&first, payload.p, payload.n < sizeof first ? payload.n : sizeof first);
	head = (uint32_t)(first * UINT64_C(0x9e3779b97f4a7c15) >> 32);
	if (l->count < 2 || head != l->head || power < LEVEL_SILENT)
		l->same = 0;
	else if (l->same < UINT16_MAX)
		l->same++;
	l->head = head;
	if (l->same > l->same_max)
		l->same_max = l->same;
}

static void codes_take(struct level *l, struct span payload)
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
}

static void payload_take(
	struct level *l, const struct level_table *t, enum level_law law, const struct level_sample *sample)
{
	float power = level_power(t, law, sample->payload);

	power_take(l, power, sample->at_ns, sample->payload.n / BYTES_A_MS);
	stuck_take(l, sample->payload, power);
	codes_take(l, sample->payload);
}

bool level_take(struct level *l, const struct level_table *t, const struct level_sample *sample)
{
	int8_t given = sample->level_dbov;

	switch ((enum level_mode)l->mode) {
	case LEVEL_OFF:
		return false;
	case LEVEL_MU:
	case LEVEL_A:
		if (sample->payload.n == 0)
			return false;
		payload_take(l, t, l->mode == LEVEL_A ? LEVEL_A_LAW : LEVEL_MU_LAW, sample);
		break;
	case LEVEL_GIVEN:
		if (given > 0)
			return false;
		power_take(l, given <= -127 ? 0 : powf(10, ((float)given + 3.01f + 3.17f) / 10), sample->at_ns,
			PTIME_ASSUMED_MS);
		break;
	}
	return l->wait && --l->wait == 0;
}

static bool code_is_idle(uint8_t code)
{
	return code == 0xff || code == 0x7f || code == 0xd5 || code == 0x55;
}

static bool codes_are_idle(const struct level *l)
{
	if (l->code_count == 0 || l->code_count > ONE_CODE_MAX)
		return false;
	return code_is_idle(l->codes[0]) && (l->code_count < 2 || code_is_idle(l->codes[1]));
}

struct stream_sound stream_sound(const struct stream *s)
{
	const struct level *l = s->level;

	if (!l || l->count == 0)
		return (struct stream_sound){ .talked_ns = NS_NONE };
	return (struct stream_sound){
		.speech_last_ns = l->last_ns,
		.talked_ns = l->talked ? ns_add(l->first_ns, l->talked * SECOND_NS) : NS_NONE,
		.speech_s = (double)l->speech * LEVEL_EVERY * (s->ptime_ms ? s->ptime_ms : PTIME_ASSUMED_MS) / 1000,
		.samples = l->count,
		.silent = l->silent,
		.speech = l->speech,
		.max_dbm0 = level_dbm0(l->max),
		.stuck_run_max = l->same_max ? (l->same_max + 1u) * LEVEL_EVERY : 0,
		.known = true,
		.one_code = codes_are_idle(l),
	};
}
