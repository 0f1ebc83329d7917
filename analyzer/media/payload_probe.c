/* SPDX-License-Identifier: MIT */
/*
 * payload_probe: are the payloads of a stream as long as its codec makes them, and can they be sound at all? Clear
 * G.711 speech has 6.2 to 7.5 bits a byte, the loudest 7.88; a cipher has 7.97 and more, and decodes to noise of one
 * even level.
 */
#include "analyzer/media/stream_private.h"

#include <math.h>
#include <stdlib.h>

#include "captures/base/memory.h"

enum { WINDOW_BYTES = 16000, LEVEL_MAX = 400, EVERY_S = 60, WINDOW_FIRST = 4, STEPS_SETTLED = 3 };

struct payload_probe {
	struct payload_look look;    /* first: what the stream shows of it */
	uint16_t histogram[256];
	float level_dbm0[LEVEL_MAX];
	unsigned bytes, levels;
	int64_t next_ns;             /* of the next window */
	uint32_t step;               /* of rtp_ts, of the packets looked at */
	/* a packet of this window could not be listened to: its codec, or bytes that were cut */
	bool unheard;
};

/* Bytes that so many clock units take, in codecs whose rate is fixed; 0: unknown. RFC 3551 table 1, 4.5. */
static size_t bytes_due(struct span codec, uint32_t step)
{
	static const struct { const char *name; unsigned bytes, units; } fixed[] = {
		{ "PCMU", 1, 1 }, { "PCMA", 1, 1 }, { "G722", 1, 1 }, { "G729", 10, 80 }, { "GSM", 33, 160 },
	};

	for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
		if (span_equal_nocase(codec, span_of(fixed[i].name)))
			return step % fixed[i].units ? 0 : (size_t)step / fixed[i].units * fixed[i].bytes;
	}
	return 0;
}

static bool law_of(struct span codec, enum level_law *ret)
{
	*ret = span_equal_nocase(codec, SPAN("PCMA")) ? LEVEL_A_LAW : LEVEL_MU_LAW;
	return *ret == LEVEL_A_LAW || span_equal_nocase(codec, SPAN("PCMU"));
}

static struct payload_probe *probe_of(struct record *r)
{
	return (struct payload_probe *)(uintptr_t)r->s.payload;
}

void payload_probe_check(const struct streams *s, struct record *r, struct stream_hot *h, const struct packet *p)
{
	struct payload_probe *probe = probe_of(r);
	size_t due = bytes_due(r->s.codec, r->step);

	(void)s;
	if (due == 0 || (h->flags & HOT_PROBE) || (probe && p->at_ns < probe->next_ns))
		return;
	if (!probe && !r->secure && p->rtp.payload_wire == due)
		return;
	if (!probe) {
		probe = memory_zalloc(sizeof *probe);
		probe->look.first_frame = p->frame;
		probe->look.first_ns = p->at_ns;
		r->s.payload = &probe->look;
	}
	probe->step = r->step;
	probe->next_ns = ns_add(p->at_ns, EVERY_S * SECOND_NS);
	h->flags |= HOT_PROBE;
}

static void sizes_take(struct payload_look *l, const struct packet *p, size_t due)
{
	size_t n = p->rtp.payload_wire;

	l->exact += n == due;
	l->shorter += n < due;
	l->longer += n > due;
	l->longer4 += n == due + 4;
	l->longer10 += n == due + 10;
	l->longer16 += n == due + 16;
	l->last_frame = p->frame;
	l->last_ns = p->at_ns;
}

static int by_level(const void *a, const void *b)
{
	const float *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static float entropy_bits(const struct payload_probe *probe)
{
	double bits = 0;

	for (unsigned i = 0; i < 256; i++) {
		double share = (double)probe->histogram[i] / probe->bytes;

		if (share > 0)
			bits -= share * log2(share);
	}
	return (float)bits;
}

static void window_close(struct payload_probe *probe)
{
	struct payload_look *l = &probe->look;
	unsigned n = probe->levels;
	unsigned at = l->windows < PAYLOAD_WINDOW_MAX ? l->windows
		: WINDOW_FIRST + l->windows % (PAYLOAD_WINDOW_MAX - WINDOW_FIRST);

	qsort(probe->level_dbm0, n, sizeof probe->level_dbm0[0], by_level);
	l->window[at] = (struct payload_window){
		.bits = entropy_bits(probe),
		.spread_db = probe->level_dbm0[n * 95 / 100] - probe->level_dbm0[n * 5 / 100],
		.median_dbm0 = probe->level_dbm0[n / 2],
	};
	l->windows++;
}

/*
 * Of all samples: those that levels usually look at, one in five, are too few to tell an even level from an uneven one.
 */
static float power_of(const struct streams *s, enum level_law law, struct span sound)
{
	float power = 0;

	for (unsigned i = 0; i < LEVEL_SAMPLE_STEP; i++)
		power += level_power(s->level_table, law, span_from(sound, i));
	return power / LEVEL_SAMPLE_STEP;
}

static void window_take(const struct streams *s, struct payload_probe *probe, enum level_law law, struct span sound)
{
	float power = power_of(s, law, sound);

	for (size_t i = 0; i < sound.n; i++)
		probe->histogram[sound.p[i]]++;
	probe->bytes += (unsigned)sound.n;
	if (probe->levels < LEVEL_MAX)
		probe->level_dbm0[probe->levels++] = level_dbm0(power);
}

/*
 * A window ends when it is full; one of a codec that cannot be listened to, or of bytes that were cut, after as many
 * packets.
 */
void payload_probe_take(const struct streams *s, struct record *r, struct stream_hot *h, const struct packet *p)
{
	struct payload_probe *probe = probe_of(r);
	size_t due;
	enum level_law law;

	if (r->step_count >= STEPS_SETTLED)
		probe->step = r->step;
	due = bytes_due(r->s.codec, probe->step);
	if (due == 0) {
		h->flags &= (uint16_t)~HOT_PROBE;
		return;
	}
	sizes_take(&probe->look, p, due);
	if (law_of(r->s.codec, &law) && p->rtp.payload.n >= due) {
		window_take(s, probe, law, (struct span){ p->rtp.payload.p, due });
	} else {
		probe->bytes += (unsigned)(due < 80 ? 160 : due);
		probe->unheard = true;
	}
	if (probe->bytes < WINDOW_BYTES)
		return;
	if (!probe->unheard)
		window_close(probe);
	memset(probe->histogram, 0, sizeof probe->histogram);
	probe->bytes = probe->levels = 0;
	probe->unheard = false;
	h->flags &= (uint16_t)~HOT_PROBE;
}

void payload_probe_free(struct record *r)
{
	free(probe_of(r));
	r->s.payload = NULL;
}
