/* SPDX-License-Identifier: MIT */
/* view_streams: RTP streams and their intervals. */
#include "analyzer/media/mos.h"
#include "analyzer/view_cache.h"
#include "analyzer/view_redact.h"
#include "analyzer/views.h"

static unsigned view_intervals(struct view_cache *v, const struct stream *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->interval_count && n < VIEW_INTERVALS; i++) {
		const struct interval *x = &s->intervals[i];
		double mos = interval_mos(s, x, 0);

		v->intervals[n++] = (struct view_interval){
			.at_ns = x->at_ns, .packets = x->packets,
			.lost = x->expected > x->packets ? x->expected - x->packets : 0,
			.max_jitter_ms = s->jitter_known ? x->max_jitter_tenth_ms / 10.0 : -1,
			.mos = mos < 0 ? -1 : mos,
			.audio = x->audio,
			.level_dbm0 = x->level_dbm0 == INTERVAL_UNHEARD ? VIEW_UNHEARD : x->level_dbm0,
		};
	}
	return n;
}

static bool dtx_allowed(const struct stream *s, int64_t at_ns)
{
	const struct window *w = s->direction ? direction_window_at(s->direction, at_ns) : NULL;

	return w && w->dtx_allowed;
}

/* What goes before the first and behind the last packet is silence, too, where the sender is known to suppress it. */
static unsigned view_holes(struct view_cache *v, const struct stream *s)
{
	bool known = s->comfort || s->suppressed_gaps > 1 || (s->dtx_seen && dtx_allowed(s, s->first_ns));
	unsigned n = 0;

	if (known)
		v->holes[n++] = (struct view_hole){ INT64_MIN, s->first_ns, true };
	for (unsigned i = 0; i < s->gap_count && n < VIEW_HOLES - 1; i++) {
		const struct gap *g = &s->gaps[i];

		v->holes[n++] = (struct view_hole){ g->from_ns, g->to_ns,
			gap_is_silence(s, g, dtx_allowed(s, g->from_ns)) };
	}
	if (known || s->ends_in_comfort)
		v->holes[n++] = (struct view_hole){ s->last_ns, INT64_MAX, true };
	return n;
}

bool view_stream(const struct engine *e, size_t i, struct view_stream *ret)
{
	struct view_cache *v = view_cache_of(e);
	const struct stream *s;
	bool valid;
	double mos;

	if (i >= v->stream_count)
		return false;
	s = v->streams[i];
	memset(ret, 0, sizeof *ret);
	ret->n = s->n;
	ret->call = s->direction ? s->direction->slot->dialog->leg->call->n : 0;
	ret->src = s->src;
	ret->dst = s->dst;
	ret->ssrc = s->ssrc;
	ret->pt_count = s->type_count;
	for (unsigned type = 0; type < s->type_count; type++)
		ret->pts[type] = s->types[type].pt;
	ret->codec = s->codec;
	ret->clock_hz = s->clock_hz;
	ret->packets = s->packets;
	ret->lost = s->lost;
	ret->lost_within = s->lost_within;
	ret->epochs = s->epochs;
	memcpy(ret->loss_runs, stream_flaws(s)->loss_runs, sizeof ret->loss_runs);
	ret->duplicates = s->duplicates;
	ret->mirror_copies = s->mirror_copies;
	ret->reordered = s->reordered;
	ret->late = s->late;
	ret->max_delta_ms = s->packets > 1 ? (double)s->max_delta_ns / MILLISECOND_NS : -1;
	ret->mean_jitter_ms = s->jitter_known ? s->mean_jitter_ms : -1;
	ret->max_jitter_ms = s->jitter_known ? (double)s->max_jitter_ms : -1;
	ret->intervals = v->intervals;
	ret->interval_count = view_intervals(v, s);
	ret->holes = v->holes;
	ret->hole_count = view_holes(v, s);
	mos = stream_mos(s, 0, &valid);
	ret->mos = mos < 0 ? -1 : mos;
	ret->mos_kind = mos < 0 ? NULL : "lq";
	ret->mos_valid = mos < 0 ? NULL : valid ? "yes" : "approx";
	if (s->twin_of)
		ret->twins[ret->twin_count++] = s->twin_of->n;
	if (s->twin_next)
		ret->twins[ret->twin_count++] = s->twin_next->n;
	ret->dscp = s->dscp;
	ret->first_ns = s->first_ns;
	ret->last_ns = s->last_ns;
	ret->first_frame = s->first_frame;
	ret->last_frame = s->last_frame;
	ret->file = s->file;
	view_redact_stream(e->redact, ret);
	return true;
}
