/* SPDX-License-Identifier: MIT */
/* mos: narrowband E-model, ITU-T G.107 with G.113 Appendix I values. */
#include "analyzer/media/mos.h"

#include <math.h>

enum { BUFFER_MS = 60, LOSS_EVENTS_MIN = 20 };

static const double R_DEFAULT = 93.2, R_FULLBAND = 148, FULLBAND_SCALE = 1.48, BPL_NO_PLC = 4.3;

/* Opus has no ITU value: impairment on the fullband scale as media servers in the field use it. */
static const struct mos_codec codecs[] = {      /* name, Ie, Bpl, look-ahead ms, approx, wideband */
	{ "PCMU",    0,    25.1, 0,   false, false },
	{ "PCMA",    0,    25.1, 0,   false, false },
	{ "G729",    11,   19.0, 5,   false, false },
	{ "G729A",   11,   19.0, 5,   false, false },
	{ "G723",    15,   16.1, 7.5, false, false },
	{ "GSM",     20,   43,   0,   true,  false },
	{ "GSM-EFR", 5,    10,   0,   false, false },
	{ "AMR",     5,    10,   5,   false, false },
	{ "iLBC",    11,   32,   10,  true,  false },
	{ "opus",    10.2, 4.3,  6.5, true,  false },
	{ "G722",    13,   0,    1.5, true,  true  },
	{ "AMR-WB",  13,   0,    5,   true,  true  },
};

const struct mos_codec *mos_codec_find(struct span name)
{
	for (size_t i = 0; i < sizeof codecs / sizeof codecs[0]; i++) {
		if (span_equal_nocase(name, span_of(codecs[i].name)))
			return &codecs[i];
	}
	return NULL;
}

/* Idd of G.107 (3-27) for a sensitive listener: nothing up to 100 ms. */
static double delay_impairment(double one_way_ms)
{
	double x;

	if (one_way_ms <= 100)
		return 0;
	x = log2(one_way_ms / 100);
	return 25 * (pow(1 + pow(x, 6), 1.0 / 6) - 3 * pow(1 + pow(x / 3, 6), 1.0 / 6) + 2);
}

static double effective_impairment(double ie, double bpl, double loss_percent, double burst_r)
{
	if (loss_percent <= 0)
		return ie;
	return ie + (95 - ie) * loss_percent / (loss_percent / burst_r + bpl);
}

double mos_r(double ie, double bpl, double loss_percent, double burst_r, double one_way_ms)
{
	return R_DEFAULT - delay_impairment(one_way_ms) -
		effective_impairment(ie, bpl, loss_percent, burst_r < 1 ? 1 : burst_r);
}

double mos_from_r(double r)
{
	double mos;

	if (r <= 0)
		return 1;
	if (r >= 100)
		return 4.5;
	mos = 1 + 0.035 * r + 7e-6 * r * (r - 60) * (100 - r);
	return mos < 1 ? 1 : mos;                       /* the cubic dips below 1 under R = 6.5 */
}

double mos_burst_r(double loss_percent, uint64_t lost, uint64_t loss_events)
{
	double burst_r;

	if (loss_events < LOSS_EVENTS_MIN)
		return 1;
	burst_r = (double)lost / (double)loss_events * (1 - loss_percent / 100);
	return burst_r < 1 ? 1 : burst_r;
}

static double loss_percent(uint64_t lost, uint64_t late, uint64_t expected)
{
	double percent = expected ? 100.0 * ((double)lost + (double)late) / (double)expected : 0;

	return percent > 100 ? 100 : percent;
}

static double codec_mos(const struct mos_codec *c, double bpl, double loss, double burst_r, double one_way_ms)
{
	if (span_equal(span_of(c->name), SPAN("opus")))
		return mos_from_r((R_FULLBAND - effective_impairment(c->ie, bpl, loss, burst_r)) / FULLBAND_SCALE -
			(100 - R_DEFAULT) - delay_impairment(one_way_ms));
	return mos_from_r(mos_r(c->ie, bpl, loss, burst_r, one_way_ms));
}

static double mouth_to_ear_ms(const struct stream *s, const struct mos_codec *c, double network_ms)
{
	return network_ms > 0 ? network_ms + BUFFER_MS + s->ptime_ms + c->lookahead_ms : 0;
}

static double mos_of(const struct stream *s, const struct mos_codec *c, double bpl, double network_ms, bool *ret_valid)
{
	double loss = loss_percent(s->lost_within, s->late60 - stream_flaws(s)->followed, s->expected_within);
	double burst_r = mos_burst_r(loss, s->lost_within, stream_flaws(s)->loss_events);

	if (ret_valid)
		*ret_valid = !c->approx && !(burst_r > 2 && loss > 2);
	return codec_mos(c, bpl, loss, burst_r, mouth_to_ear_ms(s, c, network_ms));
}

double stream_mos(const struct stream *s, double network_ms, bool *ret_valid)
{
	const struct mos_codec *c = mos_codec_find(s->codec);

	if (!c || c->wideband || s->audio == 0)
		return -1;
	return mos_of(s, c, c->bpl, network_ms, ret_valid);
}

double stream_mos_without_plc(const struct stream *s, double network_ms, bool *ret_valid)
{
	const struct mos_codec *c = mos_codec_find(s->codec);

	if (!c || c->ie > 0 || s->audio == 0)
		return -1;
	return mos_of(s, c, BPL_NO_PLC, network_ms, ret_valid);
}

double interval_mos(const struct stream *s, const struct interval *i, double network_ms)
{
	const struct mos_codec *c = mos_codec_find(s->codec);
	uint32_t lost = i->expected > i->packets ? i->expected - i->packets : 0;

	if (!c || c->wideband || i->packets == 0)
		return -1;
	return codec_mos(c, c->bpl, loss_percent(lost, i->late60 - i->followed, i->expected), 1, mouth_to_ear_ms(s, c, network_ms));
}
