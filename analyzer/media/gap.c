/* SPDX-License-Identifier: MIT */
/* gap: holes of a stream, decomposed into lost, suppressed and stalled time (1.4.4), and the spells between them. */
#include "analyzer/media/stream_private.h"

#include "captures/base/memory.h"

/* ---- gaps ---- */

enum gap_kind gap_kind(const struct gap *g)
{
	double all = g->lost_ms + (double)g->suppressed_ms + g->stalled_ms;

	if (g->lost_ms >= 0.8 * all && g->lost_ms)
		return GAP_LOST;
	if (g->stalled_ms >= 0.8 * all && g->stalled_ms)
		return GAP_STALLED;
	return g->suppressed_ms >= 0.8 * all && g->suppressed_ms ? GAP_SUPPRESSED : GAP_MIXED;
}

static int64_t gap_length(const struct gap *g)
{
	return ns_minus(g->to_ns, g->from_ns);
}

bool gap_cuts_speech(const struct stream *s, const struct gap *g, bool dtx_allowed)
{
	int64_t length = gap_length(g);

	return g->seq_step == 1 && g->suppressed_ms * 10u >= (uint32_t)(length / MILLISECOND_NS) * 8u &&
	       !dtx_allowed && s->suppressed_gaps == 1 &&
	       s->comfort == 0 && g->speech_before && g->speech_after && length >= SECOND_NS &&
	       length <= 30 * SECOND_NS;
}

bool gap_is_silence(const struct stream *s, const struct gap *g, bool dtx_allowed)
{
	if (g->restart || g->new_source)
		return false;
	if (s->comfort)                  /* some clocks stand still meanwhile */
		return g->lost_ms * 10u < (g->lost_ms + g->stalled_ms + g->suppressed_ms) * 2u;
	return gap_kind(g) == GAP_SUPPRESSED && !gap_cuts_speech(s, g, dtx_allowed);
}

/* The shortest makes room: by time the list stays in order. */
static void gap_drop_shortest(struct record *r)
{
	struct stream *s = &r->s;
	unsigned shortest = 0;

	for (unsigned i = 1; i < s->gap_count; i++) {
		if (gap_length(&s->gaps[i]) < gap_length(&s->gaps[shortest]))
			shortest = i;
	}
	memmove(&s->gaps[shortest], &s->gaps[shortest + 1], (s->gap_count - shortest - 1) * sizeof *s->gaps);
	s->gap_count--;
}

static const struct gap *gap_add(struct record *r, const struct gap *g)
{
	struct stream *s = &r->s;

	if (s->gap_count == GAP_MAX)
		gap_drop_shortest(r);
	s->gaps = list_grow(s->gaps, s->gap_count, sizeof *s->gaps);
	s->gaps[s->gap_count] = *g;
	return &s->gaps[s->gap_count++];
}

static uint32_t whole_ms(double ms)
{
	return ms <= 0 ? 0 : ms >= UINT32_MAX ? UINT32_MAX : (uint32_t)(ms + 0.5);
}

static double least(double a, double b)
{
	return a < b ? a : b;
}

/*
 * t_gap by the wall, t_ts by rtp_ts, t_seq by the packets: what the sequence misses was lost, what rtp_ts ran on
 * without packets was suppressed (DTX), and for the rest of the time the sender's clock stood still. Without a clock
 * nothing but loss can be told: suppressed.
 */
static void gap_decompose(struct gap *g, const struct record *r, const struct stream_hot *h, uint32_t ts_step)
{
	double gap_ms = ns_ms(gap_length(g)), packet_ms = h->ptime_ms ? h->ptime_ms : 20;
	double sequence_ms = g->seq_step * packet_ms, ts_ms = gap_ms, lost_ms, reached_ms;

	if (r->s.clock_hz)
		ts_ms = (double)(int32_t)ts_step * 1000 / r->s.clock_hz;
	lost_ms = least((g->seq_step - 1.0) * packet_ms, gap_ms);
	reached_ms = ts_ms > sequence_ms ? ts_ms : sequence_ms;
	g->lost_ms = whole_ms(lost_ms);
	g->suppressed_ms = whole_ms(least(ts_ms, gap_ms) - sequence_ms);
	g->stalled_ms = whole_ms(gap_ms - reached_ms);
}

static bool hole_is_gap(const struct stream_hot *h, int64_t hole_ns)
{
	return hole_ns >= GAP_MIN_MS * MILLISECOND_NS && hole_ns >= 3 * h->ptime_ms * MILLISECOND_NS;
}

/* The next packet of one key press, whose time stands still: no audio is due in it, however rarely it is told of. */
static bool within_event(const struct stream_hot *h, const struct packet *p, const struct stream_before *b)
{
	return p->rtp.rtp_ts == b->top_ts && p->rtp.seq == (uint16_t)(h->ext_seq + 1);
}

/* Before this packet is counted. NULL: there is no gap before it. */
const struct gap *gap_take(struct record *r, struct level *l, const struct stream_hot *h, const struct packet *p,
	const struct stream_before *b, enum sequence_step step, bool event)
{
	bool restart = step == SEQUENCE_RESTART;
	struct gap g = {
		.from_ns = b->top_ns,
		.from_frame = b->top_frame,
		.to_ns = p->at_ns,
		.to_frame = p->frame,
		.restart = restart,
	};

	if (restart) {
		g.to_ns = r->aside->strange.at_ns;
		g.to_frame = r->aside->strange.frame;
	}
	if (!hole_is_gap(h, gap_length(&g)) || (event && !restart && within_event(h, p, b)))
		return NULL;
	g.marker = p->rtp.marker;
	if (l) {
		g.speech_before = level_was_speech(l);
		l->wait = LEVEL_WAIT;
	}
	if (!restart) {
		g.seq_step = (uint16_t)(p->rtp.seq - h->ext_seq);
		gap_decompose(&g, r, h, p->rtp.rtp_ts - b->top_ts);
	}
	if (!restart && gap_kind(&g) == GAP_SUPPRESSED) {
		r->s.suppressed_gaps++;
		r->s.dtx_seen = true;
	}
	return gap_add(r, &g);
}

/* A flow goes on with another SSRC: the hole between the two streams, kept with the new one. */
void gap_after_other(struct record *r, const struct stream_hot *h, const struct level *other_level,
	const struct stream_hot *other_hot, const struct packet *p)
{
	struct gap g = {
		.from_ns = other_hot->last_ns,
		.from_frame = other_hot->last_frame,
		.to_ns = p->at_ns,
		.to_frame = p->frame,
		.marker = p->rtp.marker,
		.new_source = true,
		.speech_before = other_level && level_was_speech(other_level),
	};

	if (hole_is_gap(h, gap_length(&g)))
		gap_add(r, &g);
}

/* ---- spells ---- */

/* The two with the smallest hole between them become one. */
static void spell_join_nearest(struct stream *s)
{
	unsigned at = 1;

	for (unsigned i = 2; i < s->spell_count; i++) {
		if (ns_minus(s->spells[i].first_ns, s->spells[i - 1].last_ns) <
			ns_minus(s->spells[at].first_ns, s->spells[at - 1].last_ns))
			at = i;
	}
	s->spells[at - 1].last_ns = s->spells[at].last_ns;
	s->spells[at - 1].last_frame = s->spells[at].last_frame;
	s->spells[at - 1].packets += s->spells[at].packets;
	s->spells[at - 1].comfort += s->spells[at].comfort;
	s->spells[at - 1].events += s->spells[at].events;
	memmove(&s->spells[at], &s->spells[at + 1], (s->spell_count - at - 1) * sizeof *s->spells);
	s->spell_count--;
}

void spell_refresh(struct record *r, const struct stream_hot *h)
{
	struct spell *spell = r->spell_open ? &r->s.spells[r->s.spell_count - 1] : NULL;

	if (!spell)
		return;
	if (h->last_ns > spell->last_ns) {
		spell->last_ns = h->last_ns;
		spell->last_frame = h->last_frame;
	}
	spell->packets = record_audio(r, h) - r->spell_audio;
	spell->comfort = (uint32_t)(r->s.comfort - r->spell_comfort);
	spell->events = (uint32_t)(r->s.events - r->spell_events);
}

void spell_close(struct record *r, const struct stream_hot *h)
{
	spell_refresh(r, h);
	r->spell_open = false;
}

static void spell_begin(struct record *r, const struct packet *p, uint32_t audio)
{
	struct stream *s = &r->s;

	if (s->spell_count == SPELL_MAX)
		spell_join_nearest(s);
	s->spells = list_grow(s->spells, s->spell_count, sizeof *s->spells);
	s->spells[s->spell_count++] = (struct spell){
		.first_ns = p->at_ns, .last_ns = p->at_ns, .first_frame = p->frame, .last_frame = p->frame
	};
	r->spell_open = true;
	r->spell_audio = audio;
	r->spell_comfort = s->comfort;
	r->spell_events = s->events;
}

/* Before this packet is counted; keep-alives are not brought here. */
void spell_take(struct record *r, const struct stream_hot *h, const struct packet *p, bool first)
{
	if (r->spell_open && ns_minus(p->at_ns, h->last_ns) < SPELL_HOLE_MS * MILLISECOND_NS)
		return;
	spell_close(r, h);
	spell_begin(r, p, first ? 0 : record_audio(r, h));
}

/* ---- questions about windows of time ---- */

double stream_packets_between(const struct stream *s, int64_t from_ns, int64_t to_ns)
{
	double n = 0;

	for (unsigned i = 0; i < s->spell_count; i++) {
		const struct spell *sp = &s->spells[i];
		int64_t first_ns = sp->first_ns > from_ns ? sp->first_ns : from_ns,
			last_ns = sp->last_ns < to_ns ? sp->last_ns : to_ns;
		int64_t length_ns = ns_minus(sp->last_ns, sp->first_ns);

		if (first_ns > last_ns || sp->first_ns >= to_ns)
			continue;
		n += length_ns <= 0 ? sp->packets
				    : sp->packets * ((double)ns_minus(last_ns, first_ns) / (double)length_ns);
	}
	return n;
}

int64_t stream_first_between(const struct stream *s, int64_t from_ns, int64_t to_ns, uint32_t *ret_frame)
{
	for (unsigned i = 0; i < s->spell_count; i++) {
		const struct spell *sp = &s->spells[i];

		if (sp->last_ns < from_ns || sp->first_ns >= to_ns)
			continue;
		if (ret_frame)
			*ret_frame = sp->first_ns >= from_ns || sp->last_ns >= to_ns ? sp->first_frame : sp->last_frame;
		return sp->first_ns >= from_ns ? sp->first_ns : from_ns;
	}
	return NS_NONE;
}

int64_t stream_last_between(const struct stream *s, int64_t from_ns, int64_t to_ns, uint32_t *ret_frame)
{
	for (unsigned i = s->spell_count; i-- > 0;) {
		const struct spell *sp = &s->spells[i];

		if (sp->last_ns < from_ns || sp->first_ns >= to_ns)
			continue;
		if (ret_frame)
			*ret_frame = sp->last_ns < to_ns || sp->first_ns < from_ns ? sp->last_frame : sp->first_frame;
		return sp->last_ns < to_ns ? sp->last_ns : ns_add(to_ns, -1);
	}
	return NS_NONE;
}
