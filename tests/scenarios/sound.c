/* SPDX-License-Identifier: MIT */
/*
 * sound: G.711 payload of a wanted level, the same on every machine. ITU-T G.711; A-law full-scale sine is +3.14 dBm0.
 */
#include "tests/scenarios/scenario.h"

#include <math.h>

uint32_t random_next(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*state >> 32);
}

double random_unit(uint64_t *state)
{
	return (random_next(state) + 1.0) / 4294967297.0;
}

static uint8_t alaw(int sample)
{
	int sign = sample >= 0 ? 0x80 : 0;
	int value = (sample >= 0 ? sample : -sample - 1) >> 3;  /* 13 bits */
	int exponent = 0;

	if (value > 4095)
		value = 4095;
	for (int v = value >> 5; v; v >>= 1)
		exponent++;
	return (uint8_t)((sign | exponent << 4 | (value >> (exponent ? exponent : 1) & 0x0f)) ^ 0x55);
}

static uint8_t ulaw(int sample)
{
	int sign = sample < 0 ? 0x80 : 0;
	int value = (sample < 0 ? -sample : sample) + 132;
	int exponent = 7;

	if (value > 32767)
		value = 32767;
	while (exponent && !(value & 0x4000)) {
		value <<= 1;
		exponent--;
	}
	return (uint8_t)~(sign | exponent << 4 | (value >> 10 & 0x0f));
}

/*
 * A voice of sorts: two tones of its own, a rise and fall of 5 Hz, noise; RMS about 1. It repeats after ten packets, so
 * that a sample capture compresses well. at: samples at 8 kHz.
 */
static double voice_reckon(uint32_t who, uint32_t mixed, uint32_t phase)
{
	uint64_t state = phase * UINT64_C(2654435761) + who;
	double low = 200 + 5 * (mixed >> 26), high = 600 + 5 * (mixed >> 19 & 0x3f), t = phase / 8000.0;
	double envelope = 0.8 + 0.55 * sin(2 * M_PI * 5 * t);

	return envelope * (0.9 * sin(2 * M_PI * low * t) + 0.7 * sin(2 * M_PI * high * t + 1) + 0.3 * (2 * random_unit(&state) - 1));
}

static double voice(uint32_t who, uint32_t at)
{
	enum { PHASES = 1600, KEPT = 64 };
	/* reckoned once: half of what all scenarios take */
	static struct { bool full; uint32_t who; double samples[PHASES]; } kept[KEPT];
	uint32_t mixed = who * UINT32_C(2654435761);

	if (!kept[who % KEPT].full || kept[who % KEPT].who != who) {
		kept[who % KEPT].full = true;
		kept[who % KEPT].who = who;
		for (uint32_t i = 0; i < PHASES; i++)
			kept[who % KEPT].samples[i] = voice_reckon(who, mixed, i);
	}
	return kept[who % KEPT].samples[(at + mixed % PHASES) % PHASES];
}

void sound_fill(const struct sound *sound, unsigned pt, uint32_t at, uint8_t *bytes, size_t n)
{
	double rms = 22808 * pow(10, (sound->level_dbm0 - 3.14) / 20);  /* 22808: full-scale sine */
	uint64_t state = at + 7;

	for (size_t i = 0; i < n; i++) {
		double sample;

		if ((pt != 0 && pt != 8) || sound->kind == SOUND_CIPHER) {
			bytes[i] = (uint8_t)random_next(&state);
			continue;
		}
		if (sound->kind == SOUND_CODE) {
			bytes[i] = sound->code;
			continue;
		}
		sample = fmax(-32000, fmin(32000, rms * voice(sound->voice, at + (uint32_t)i)));
		bytes[i] = pt == 8 ? alaw((int)lrint(sample)) : ulaw((int)lrint(sample));
	}
}
