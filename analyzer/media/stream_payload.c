/* SPDX-License-Identifier: MIT */
/* stream_payload: what is known of the payload types of a stream: clock, sort, codec. RFC 3551, 3389, 4733, 6263. */
#include "analyzer/media/stream_private.h"

#include <math.h>

#include "captures/base/memory.h"
#include "dissect/sdp.h"

enum {
	PT_DYNAMIC = 96,
	PT_NO_OP = 20,
	ESTIMATE_S = 2,
	G723_PT = 4,
	G723_SID = 4,
	EVENT_BYTES = 4
};

/* Clocks of static payload types as tshark has them: RFC 3551 and, from before it, 1016 and G721. 0: none. */
static uint32_t static_clock_hz(uint8_t pt)
{
	switch (pt) {
	case 0:
	case 1:
	case 2:
	case 3:
	case 4:
	case 5:
	case 7:
	case 8:
	case 9:
	case 12:
	case 13:
	case 15:
	case 18:
	case 19: return 8000;
	case 6:
		return 16000;
	case 10: case 11:
		return 44100;
	case 14: case 25: case 26: case 28: case 31: case 32: case 33: case 34:
		return 90000;
	case 16:
		return 11025;
	case 17:
		return 22050;
	}
	return 0;
}

/* Names of the hint live as long as a leg; streams may live longer. Found or kept; 0 where there are too many. */
static uint8_t codec_keep(struct streams *s, struct span name)
{
	if (name.n == 0 || name.n > 32)
		return 0;
	for (unsigned i = 1; i < s->codec_count; i++) {
		if (span_equal(s->codecs[i], name))
			return (uint8_t)i;
	}
	if (s->codec_count >= CODEC_MAX)
		return 0;
	s->codecs[s->codec_count] = arena_dup(s->arena, name);
	return (uint8_t)s->codec_count++;
}

static bool listed_in(uint8_t pt, const uint8_t *pts, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (pts[i] == pt)
			return true;
	}
	return false;
}

static enum payload_kind kind_by_name(uint8_t pt, struct span codec, const struct stream_hint *hint)
{
	if ((hint && listed_in(pt, hint->event_pt, hint->event_count)) ||
		span_starts_nocase(codec, SPAN("telephone-event")))
		return PAYLOAD_EVENT;
	if (payload_is_comfort(pt) || (hint && listed_in(pt, hint->comfort_pt, hint->comfort_count)) ||
		span_equal_nocase(codec, SPAN("CN")))
		return PAYLOAD_COMFORT;
	return pt == PT_NO_OP ? PAYLOAD_KEEPALIVE : PAYLOAD_AUDIO;
}

static struct stream_type type_of(struct streams *s, uint8_t pt, const struct stream_hint *hint)
{
	struct span codec = hint && hint->codec[pt].n ? hint->codec[pt] : sdp_static_codec(pt, &(uint32_t){ 0 });
	struct stream_type t = { .pt = pt, .clock_hz = pt < PT_DYNAMIC ? static_clock_hz(pt) : 0,
		.kind = (uint8_t)kind_by_name(pt, codec, hint) };

	t.codec = codec_keep(s, codec);
	t.listed = t.clock_hz != 0;
	if (!t.clock_hz && hint && hint->clock_hz[pt]) {
		t.clock_hz = hint->clock_hz[pt];
		t.listed = pt >= PT_DYNAMIC && t.kind != PAYLOAD_EVENT;
	}
	return t;
}

static void type_make_room(struct record *r)
{
	if (r->s.type_count++ != 1)
		return;
	r->s.types = memory_zalloc(STREAM_PT_MAX * sizeof *r->s.types);
	r->s.types[0] = r->first_type;
}

/* Packets that were counted in its place stay. */
static void type_set(struct stream_type *t, struct stream_type to)
{
	to.packets = t->packets;
	*t = to;
}

/* Known or asked for; beyond STREAM_PT_MAX types the last place is shared. */
struct stream_type *record_type(struct streams *s, struct record *r, const struct packet *p, unsigned *ret_index)
{
	uint8_t pt = p->rtp.pt;
	unsigned at = r->s.type_count;

	for (unsigned i = 0; i < r->s.type_count; i++) {
		if (r->s.types[i].pt == pt) {
			*ret_index = i;
			return &r->s.types[i];
		}
	}
	if (at == STREAM_PT_MAX)
		at--;
	else
		type_make_room(r);
	if (s->hint && s->hint(s->context, p, &s->asked)) {
		type_set(&r->s.types[at], type_of(s, pt, &s->asked));
		r->secure |= s->asked.secure;
		r->keyed |= s->asked.keyed;
	} else {
		type_set(&r->s.types[at], type_of(s, pt, NULL));
	}
	*ret_index = at;
	return &r->s.types[at];
}

/* G.711 in clear can be listened to; of other sound the sender may tell. */
static enum level_mode type_level(const struct streams *s, const struct record *r, const struct stream_type *t)
{
	struct span name = s->codecs[t->codec];

	if (t->kind != PAYLOAD_AUDIO)
		return LEVEL_OFF;
	if (!r->secure && span_equal_nocase(name, SPAN("PCMA")))
		return LEVEL_A;
	if (!r->secure && span_equal_nocase(name, SPAN("PCMU")))
		return LEVEL_MU;
	return r->gives_level ? LEVEL_GIVEN : LEVEL_OFF;
}

/* From now on plain packets are of this audio type. */
void record_type_use(struct streams *s, struct record *r, struct stream_hot *h, unsigned type)
{
	const struct stream_type *t = &r->s.types[type];
	enum level_mode mode = type_level(s, r, t);

	r->type = (uint8_t)(type & (STREAM_PT_MAX - 1));
	r->s.clock_hz = t->clock_hz;
	r->s.codec = s->codecs[t->codec];
	r->s.clock_estimated = t->clock_hz != 0 && t->estimated;
	h->khz = clock_khz(t->clock_hz);
	h->flags &= (uint16_t)~HOT_LEVEL;
	if (mode != LEVEL_OFF) {
		record_listen(s, r)->mode = mode;
		h->flags |= HOT_LEVEL;
	}
	if (t->clock_hz == 0)
		r->anchor_ns = 0;
}

/* SDP came after the media. */
void record_type_hint(struct streams *s, struct record *r, struct stream_hot *h, const struct stream_hint *hint)
{
	if (!(h->flags & HOT_ASIDE))
		before_load(r, h, &aside_get(r)->before);
	h->flags |= HOT_SLOW | HOT_ASIDE;
	for (unsigned i = 0; i < r->s.type_count; i++) {
		uint8_t pt = r->s.types[i].pt;
		struct stream_type t = type_of(s, pt, hint);

		if (!hint->clock_hz[pt] && !hint->codec[pt].n)
			continue;                       /* not of that description */
		if (t.clock_hz != r->s.types[i].clock_hz && i == r->type) {
			h->jitter_ms = h->jitter_sum = 0;
			r->aside->before.nominal_ms = 0;       /* as tshark, which had no clock until now */
			r->anchored = false;
			r->interval_unfit = true;
			h->ptime_ms = 0;
		}
		type_set(&r->s.types[i], t);
	}
	r->secure |= hint->secure;
	r->keyed |= hint->keyed;
	if (hint->keyed)
		srtp_sample_signalled(r, h);
	record_type_use(s, r, h, r->type);
}

/* What this packet is, whatever its type usually carries. */
enum payload_kind payload_kind_of(
	const struct streams *s, const struct record *r, const struct stream_type *t, const struct packet *p)
{
	size_t bytes = p->rtp.payload_wire;

	if (bytes == 0)
		return PAYLOAD_KEEPALIVE;
	if (t->kind != PAYLOAD_AUDIO)
		return (enum payload_kind)t->kind;
	if (bytes == EVENT_BYTES && p->rtp.pt >= PT_DYNAMIC && !t->listed && t != &r->s.types[r->type])
		return PAYLOAD_EVENT;                   /* digits that no SDP speaks of */
	if (bytes <= SID_MAX || (bytes == G723_SID && p->rtp.pt == G723_PT))
		return PAYLOAD_COMFORT;
	if (bytes <= AMR_SID_MAX && span_starts_nocase(s->codecs[t->codec], SPAN("AMR")))
		return PAYLOAD_COMFORT;
	return PAYLOAD_AUDIO;
}

/*
 * A dynamic type without rtpmap: its clock by the rate of rtp_ts over two seconds or more, if that is within 3 % of
 * one in use (1.4.3).
 */
void record_clock_estimate(struct streams *s, struct record *r, struct stream_hot *h, const struct packet *p)
{
	static const uint32_t in_use[] = { 8000, 12000, 16000, 24000, 32000, 44100, 48000 };
	struct stream_type *t = &r->s.types[r->type];
	double rate;

	if (r->anchor_ns == 0) {
		r->anchor_ns = p->at_ns;
		r->anchor_ts = p->rtp.rtp_ts;
		return;
	}
	if (ns_minus(p->at_ns, r->anchor_ns) < ESTIMATE_S * SECOND_NS)
		return;
	rate = (double)(int32_t)(p->rtp.rtp_ts - r->anchor_ts) * SECOND_NS / (double)ns_minus(p->at_ns, r->anchor_ns);
	for (size_t i = 0; i < sizeof in_use / sizeof in_use[0]; i++) {
		if (fabs(rate - in_use[i]) > 0.03 * in_use[i])
			continue;
		t->clock_hz = in_use[i];
		t->estimated = true;
		record_type_use(s, r, h, r->type);
		return;
	}
	r->anchor_ns = 0;                               /* a pause or a jump was in it: again from the next packet */
}
