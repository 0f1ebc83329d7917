/* SPDX-License-Identifier: MIT */
/* report_json_call: the lines of calls and of streams. */
#include <inttypes.h>
#include <stdio.h>

#include "ui/json_from.h"
#include "ui/report_json.h"

static json_t *call_legs(const struct view_call *c)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < c->leg_count; i++) {
		const struct view_leg *leg = &c->legs[i];
		json_t *one = json_object(), *hops = json_array();

		for (unsigned j = 0; j < leg->hop_count; j++) {
			char a[ENDPOINT_TEXT], b[ENDPOINT_TEXT], both[2 * ENDPOINT_TEXT];

			snprintf(both, sizeof both, "%s>%s", endpoint_text(&leg->hops[j].a, a),
				endpoint_text(&leg->hops[j].b, b));
			json_array_append_new(hops, json_string(both));
		}
		json_object_set_new(one, "call_id", from_span(leg->call_id));
		json_object_set_new(one, "from_tag", from_name(leg->from_tag));
		json_object_set_new(one, "hops", hops);
		json_object_set_new(one, "joined_by", from_text(leg->joined_by));
		json_object_set_new(one, "score", leg->joined_by ? json_integer(leg->score) : json_null());
		json_object_set_new(one, "partial", json_boolean(leg->partial));
		json_array_append_new(list, one);
	}
	return list;
}

static json_t *from_heard(enum heard heard)
{
	switch (heard) {
	case HEARD_NOT_EXPECTED:
		return json_null();
	case HEARD_YES:
		return json_string("yes");
	case HEARD_POOR:
		return json_string("poor");
	case HEARD_NO:
		return json_string("no");
	case HEARD_UNKNOWN:
		return json_string("unknown");
	}
	return json_null();
}

static json_t *call_media(const struct view_call *c)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < c->media_count; i++) {
		const struct view_direction *d = &c->media[i];
		json_t *one = json_object();

		json_object_set_new(one, "mline", json_integer(d->mline));
		json_object_set_new(one, "leg", json_integer(d->leg));
		json_object_set_new(one, "kind", from_text(d->kind));
		json_object_set_new(one, "from", from_endpoint(&d->from));
		json_object_set_new(one, "to", from_endpoint(&d->to));
		json_object_set_new(one, "expected", json_boolean(d->expected));
		json_object_set_new(one, "due_ms", from_known(d->due_ms));
		json_object_set_new(one, "packets", from_count(d->packets));
		json_object_set_new(one, "heard", from_heard(d->heard));
		json_object_set_new(one, "why", from_text(d->why));
		json_object_set_new(one, "streams", from_numbers(d->streams, d->stream_count));
		json_object_set_new(one, "bound_by", from_text(d->bound_by));
		json_object_set_new(one, "sender", json_string(d->sender == 0 ? "caller" : "callee"));
		json_object_set_new(one, "codec", from_text(d->codec));
		json_object_set_new(one, "mos", from_known(d->mos));
		json_array_append_new(list, one);
	}
	return list;
}

void report_json_call(const struct report *r, const struct view_call *c)
{
	json_t *line = json_line("call");

	json_object_set_new(line, "n", json_integer(c->n));
	json_object_set_new(line, "call_ids", from_spans(c->call_ids, c->call_id_count));
	json_object_set_new(line, "from", from_name(c->from));
	json_object_set_new(line, "to", from_name(c->to));
	json_object_set_new(line, "state", from_text(c->state));
	json_object_set_new(line, "status", from_number_or_null(c->status));
	json_object_set_new(line, "start", from_time(c->start_ns));
	json_object_set_new(line, "answer", from_time(c->answer_ns));
	json_object_set_new(line, "end", from_time(c->end_ns));
	json_object_set_new(line, "pdd_ms", from_known(c->pdd_ms));
	json_object_set_new(line, "setup_ms", from_known(c->setup_ms));
	json_object_set_new(line, "legs", call_legs(c));
	json_object_set_new(line, "media", call_media(c));
	json_object_set_new(line, "vantage", from_text(c->vantage));
	json_object_set_new(line, "findings", from_numbers(c->findings, c->finding_count));
	json_object_set_new(line, "notes", from_texts(c->notes, c->note_count));
	json_object_set_new(line, "caller_hears", from_heard(c->caller_hears));
	json_object_set_new(line, "callee_hears", from_heard(c->callee_hears));
	json_print(r->out, line, JSON_EXACT);
}

static json_t *stream_intervals(const struct view_stream *s)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < s->interval_count; i++) {
		const struct view_interval *v = &s->intervals[i];
		json_t *one = json_object();

		json_object_set_new(one, "t", from_time(v->at_ns));
		json_object_set_new(one, "packets", json_integer(v->packets));
		json_object_set_new(one, "lost", json_integer(v->lost));
		json_object_set_new(one, "max_jitter_ms", from_known(v->max_jitter_ms));
		json_object_set_new(one, "mos", from_known(v->mos));
		json_array_append_new(list, one);
	}
	return list;
}

static json_t *stream_payload_types(const struct view_stream *s)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < s->pt_count; i++)
		json_array_append_new(list, json_integer(s->pts[i]));
	return list;
}

static void stream_figures(json_t *line, const struct view_stream *s)
{
	json_object_set_new(line, "packets", from_count(s->packets));
	json_object_set_new(line, "lost", json_integer(s->lost));
	json_object_set_new(line, "lost_within", from_count(s->lost_within));
	json_object_set_new(line, "epochs", json_integer(s->epochs));
	json_object_set_new(line, "loss_runs",
		from_numbers(s->loss_runs, sizeof s->loss_runs / sizeof s->loss_runs[0]));
	json_object_set_new(line, "duplicates", from_count(s->duplicates));
	json_object_set_new(line, "mirror_copies", from_count(s->mirror_copies));
	json_object_set_new(line, "reordered", from_count(s->reordered));
	json_object_set_new(line, "late", from_count(s->late));
	json_object_set_new(line, "max_delta_ms", from_known(s->max_delta_ms));
	json_object_set_new(line, "mean_jitter_ms", from_known(s->mean_jitter_ms));
	json_object_set_new(line, "max_jitter_ms", from_known(s->max_jitter_ms));
}

void report_json_stream(const struct report *r, const struct view_stream *s)
{
	json_t *line = json_line("stream");
	char ssrc[16];

	snprintf(ssrc, sizeof ssrc, "0x%08" PRIx32, s->ssrc);
	json_object_set_new(line, "n", json_integer(s->n));
	json_object_set_new(line, "call", from_number_or_null(s->call));
	json_object_set_new(line, "src", from_endpoint(&s->src));
	json_object_set_new(line, "dst", from_endpoint(&s->dst));
	json_object_set_new(line, "ssrc", json_string(ssrc));
	json_object_set_new(line, "payload_types", stream_payload_types(s));
	json_object_set_new(line, "codec", from_name(s->codec));
	json_object_set_new(line, "clock_hz", from_number_or_null(s->clock_hz));
	stream_figures(line, s);
	json_object_set_new(line, "intervals", stream_intervals(s));
	json_object_set_new(line, "mos", from_known(s->mos));
	json_object_set_new(line, "mos_kind", s->mos >= 0 ? from_text(s->mos_kind) : json_null());
	json_object_set_new(line, "mos_valid", s->mos >= 0 ? from_text(s->mos_valid) : json_null());
	json_object_set_new(line, "twins", from_numbers(s->twins, s->twin_count));
	json_object_set_new(line, "dscp", s->dscp >= 0 ? json_integer(s->dscp) : json_null());
	json_object_set_new(line, "first", from_time(s->first_ns));
	json_object_set_new(line, "last", from_time(s->last_ns));
	json_print(r->out, line, JSON_EXACT);
}
