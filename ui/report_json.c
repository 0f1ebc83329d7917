/* SPDX-License-Identifier: MIT */
/* report_json: JSON Lines, fields and their order as promised to users; unknown is null, never a guess. */
#include "ui/report.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "captures/base/memory.h"
#include "dissect/dissect.h"
#include "ui/link_name.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "1.0.0"
#endif

/* Packet bytes, escaped; NULL stays unknown. */
static json_t *from_span(struct span s)
{
	struct text t;
	json_t *value;

	if (!s.p)
		return json_null();
	text_init(&t);
	text_add_escaped(&t, s);
	value = json_string(t.p);
	text_fini(&t);
	return value;
}

/* A span that is unknown when empty. */
static json_t *from_name(struct span s)
{
	return s.n ? from_span(s) : json_null();
}

/* A text of ours; should it not be UTF-8 after all, it is escaped like packet bytes. */
static json_t *from_text(const char *text)
{
	json_t *value = text ? json_string(text) : json_null();

	return value ? value : from_span(span_of(text));
}

static json_t *from_count(uint64_t n)
{
	return json_integer(n <= INT64_MAX ? (json_int_t)n : INT64_MAX);
}

static json_t *from_number_or_null(unsigned n)
{
	return n ? json_integer(n) : json_null();
}

/* Three decimals, so that the last bits of a sum are nobody's business. */
static json_t *from_decimal(double value)
{
	return isfinite(value) ? json_real(round(value * 1000) / 1000 + 0.0) : json_null();
}

/* The views say "unknown" with a negative number. */
static json_t *from_known(double value)
{
	return value >= 0 ? from_decimal(value) : json_null();
}

static json_t *from_time(int64_t at_ns)
{
	char buffer[NS_TEXT];

	return at_ns == NS_NONE ? json_null() : json_string(ns_rfc3339(at_ns, buffer));
}

static json_t *from_address(const struct address *a)
{
	char buffer[ADDRESS_TEXT];

	return address_known(a) ? json_string(address_text(a, buffer)) : json_null();
}

static json_t *from_endpoint(const struct endpoint *e)
{
	char buffer[ENDPOINT_TEXT];

	return address_known(&e->addr) ? json_string(endpoint_text(e, buffer)) : json_null();
}

static json_t *from_texts(const char *const *texts, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, from_text(texts[i]));
	return list;
}

static json_t *from_numbers(const unsigned *numbers, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_integer(numbers[i]));
	return list;
}

static json_t *from_streams(const uint32_t *numbers, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_integer(numbers[i]));
	return list;
}

static json_t *from_ports(const uint16_t *ports, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_integer(ports[i]));
	return list;
}

static json_t *from_spans(const struct span *spans, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, from_span(spans[i]));
	return list;
}

static json_t *from_host_parts(const struct view_host_part *hosts, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		json_t *one = json_object();

		json_object_set_new(one, "addr", from_address(&hosts[i].at.addr));
		json_object_set_new(one, "port", from_number_or_null(hosts[i].at.port));
		json_object_set_new(one, "part", from_text(hosts[i].part));
		json_array_append_new(list, one);
	}
	return list;
}

static json_t *line_new(const char *type)
{
	json_t *line = json_object();

	json_object_set_new(line, "type", json_string(type));
	return line;
}

static void line_print(const struct report *r, json_t *line)
{
	char *text = json_dumps(line, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15));

	json_decref(line);
	assert(text);                   /* everything in a line has been made valid above, and allocation never fails */
	out_bytes(r->out, text, strlen(text));
	out_bytes(r->out, "\n", 1);
	free(text);
}

static json_t *capture_links(const struct source_file *f)
{
	json_t *list = json_array();
	char buffer[LINK_NAME];

	for (size_t i = 0; i < f->interface_count; i++) {
		bool named = false;

		for (size_t j = 0; j < i; j++)
			named |= f->interfaces[j].link == f->interfaces[i].link;
		if (!named)
			json_array_append_new(list, json_string(link_name(f->interfaces[i].link, buffer)));
	}
	return list;
}

static json_t *capture_files(const struct report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->file_count; i++) {
		const struct source_file *f = r->files[i];
		json_t *one = json_object();

		json_object_set_new(one, "file", from_span(span_of(f->name)));
		json_object_set_new(one, "link", capture_links(f));
		json_object_set_new(one, "frames", from_count(f->frames));
		json_object_set_new(one, "bytes", from_count(f->bytes));
		json_object_set_new(one, "error", f->error.code == ERR_OK ? json_null() : from_text(f->error.text));
		json_array_append_new(list, one);
	}
	return list;
}

static json_t *capture_decoded(const struct view_capture *c)
{
	json_t *o = json_object();

	json_object_set_new(o, "sip", from_count(c->sip));
	json_object_set_new(o, "rtp", from_count(c->rtp));
	json_object_set_new(o, "rtcp", from_count(c->rtcp));
	json_object_set_new(o, "stun", from_count(c->stun));
	json_object_set_new(o, "tls", from_count(c->tls));
	json_object_set_new(o, "icmp", from_count(c->icmp));
	json_object_set_new(o, "other", from_count(c->other));
	return o;
}

static json_t *capture_undecoded(const struct view_capture *c)
{
	json_t *o = json_object();

	for (int why = UNDECODED_NO + 1; why < UNDECODED_COUNT; why++)
		json_object_set_new(o, undecoded_name((enum undecoded)why), from_count(c->undecoded[why]));
	return o;
}

static json_t *capture_evicted(const struct view_capture *c)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < c->evicted_count; i++)
		json_object_set_new(o, c->evicted[i].table, from_count(c->evicted[i].count));
	return o;
}

static json_t *capture_vantage(const struct view_capture *c)
{
	json_t *o = json_object();

	json_object_set_new(o, "kind", from_text(c->vantage_kind));
	json_object_set_new(o, "confidence", from_text(c->vantage_confidence));
	json_object_set_new(o, "why", from_text(c->vantage_why));
	json_object_set_new(o, "host", from_address(&c->vantage_host));
	return o;
}

static json_t *capture_withheld(const struct view_capture *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->withheld_count; i++) {
		json_t *one = json_object();

		json_object_set_new(one, "id", from_text(c->withheld[i].id));
		json_object_set_new(one, "call", from_name(c->withheld[i].call_id));
		json_object_set_new(one, "gate", from_text(c->withheld[i].gate));
		json_array_append_new(list, one);
	}
	return list;
}

static json_t *from_ms(int64_t ns)
{
	return from_decimal((double)ns / (double)MILLISECOND_NS);
}

static json_t *capture_clocks(const struct report *r, const struct view_capture *c)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < c->clock_count; i++) {
		json_t *one = json_object();

		if (c->clocks[i].file >= r->file_count || c->clocks[i].against >= r->file_count) {
			json_decref(one);
			continue;
		}
		json_object_set_new(one, "file", from_span(span_of(r->files[c->clocks[i].file]->name)));
		json_object_set_new(one, "against", from_span(span_of(r->files[c->clocks[i].against]->name)));
		json_object_set_new(one, "offset_ms", from_ms(c->clocks[i].offset_ns));
		json_object_set_new(one, "error_ms", from_ms(c->clocks[i].error_ns));
		json_array_append_new(list, one);
	}
	return list;
}

static void print_capture(const struct report *r)
{
	struct view_capture *c = memory_zalloc(sizeof *c);
	json_t *line = line_new("capture");

	view_capture(r->engine, c);
	json_object_set_new(line, "schema", json_integer(1));
	json_object_set_new(line, "deadair", json_string(PACKAGE_VERSION));
	json_object_set_new(line, "files", capture_files(r));
	json_object_set_new(line, "first", from_time(c->first_ns));
	json_object_set_new(line, "last", from_time(c->last_ns));
	json_object_set_new(line, "frames", from_count(c->frames));
	json_object_set_new(line, "decoded", capture_decoded(c));
	json_object_set_new(line, "undecoded", capture_undecoded(c));
	json_object_set_new(line, "evicted", capture_evicted(c));
	json_object_set_new(line, "vantage", capture_vantage(c));
	json_object_set_new(line, "cannot_prove", from_texts(c->cannot_prove, c->cannot_prove_count));
	json_object_set_new(line, "withheld", capture_withheld(c));
	json_object_set_new(line, "clock", capture_clocks(r, c));
	json_object_set_new(line, "notes", from_texts(c->notes, c->note_count));
	free(c);
	line_print(r, line);
}

static bool incident_shown(const struct report *r, const struct view_incident *v)
{
	bool shown = !r->selection->narrowed;

	for (unsigned i = 0; i < v->finding_count && !shown; i++) {
		ptrdiff_t f = selection_finding(r->selection, v->findings[i]);

		shown = f != SELECTION_NONE && r->selection->findings[f].shown;
	}
	return shown;
}

static void print_incident(const struct report *r, const struct view_incident *v)
{
	json_t *line = line_new("incident");

	json_object_set_new(line, "id", json_integer(v->n));
	json_object_set_new(line, "title", from_text(v->title));
	json_object_set_new(line, "cause", from_text(v->cause));
	json_object_set_new(line, "fix", from_text(v->fix));
	json_object_set_new(line, "severity", from_text(v->severity));
	json_object_set_new(line, "confidence", from_text(v->confidence));
	json_object_set_new(line, "findings", from_numbers(v->findings, v->finding_count));
	json_object_set_new(line, "calls", from_numbers(v->calls, v->call_count));
	json_object_set_new(line, "hosts", from_host_parts(v->hosts, v->host_count));
	json_object_set_new(line, "first", from_time(v->first_ns));
	json_object_set_new(line, "last", from_time(v->last_ns));
	json_object_set_new(line, "calls_total", json_integer(v->calls_total));
	json_object_set_new(line, "healthy", from_text(v->healthy));
	line_print(r, line);
}

static json_t *from_evidence(const struct report *r, const struct view_evidence *evidence, unsigned count)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < count; i++) {
		const struct view_evidence *e = &evidence[i];
		json_t *one = json_object();

		json_object_set_new(one, "file",
			e->frame && e->file < r->file_count ? from_span(span_of(r->files[e->file]->name))
			: json_null());
		json_object_set_new(one, "frame", from_number_or_null(e->frame));
		json_object_set_new(one, "time", from_time(e->at_ns));
		json_object_set_new(one, "what", from_text(e->what));
		if (e->last_frame > e->frame)
			json_object_set_new(one, "last_frame", json_integer(e->last_frame));
		json_array_append_new(list, one);
	}
	return list;
}

static json_t *finding_changes(const struct view_finding *f)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < f->change_count; i++) {
		json_t *one = json_object();

		json_object_set_new(one, "name", from_text(f->changes[i].field));
		json_object_set_new(one, "before",
			f->changes[i].before[0] ? from_text(f->changes[i].before) : json_null());
		json_object_set_new(one, "after",
			f->changes[i].after[0] ? from_text(f->changes[i].after) : json_null());
		json_array_append_new(list, one);
	}
	return list;
}

/* What a history knew of it before. */
static json_t *finding_history(const struct baseline *b, const struct view_finding *f)
{
	struct known known = baseline_find(b, f);
	json_t *one = json_object();

	json_object_set_new(one, "times", from_count(known.times));
	json_object_set_new(one, "first", from_time(known.first_ns));
	json_object_set_new(one, "last", from_time(known.last_ns));
	return one;
}

static void print_finding(const struct report *r, const struct view_finding *f)
{
	json_t *line = line_new("finding"), *ids;

	json_object_set_new(line, "n", json_integer(f->n));
	json_object_set_new(line, "id", from_text(f->id));
	json_object_set_new(line, "reason", from_text(f->reason));
	json_object_set_new(line, "severity", from_text(f->severity));
	json_object_set_new(line, "confidence", from_text(f->confidence));
	json_object_set_new(line, "title", from_text(f->title));
	json_object_set_new(line, "cause", from_text(f->cause));
	json_object_set_new(line, "fix", from_text(f->fix));
	json_object_set_new(line, "reason_confidence", from_text(f->reason_confidence));
	json_object_set_new(line, "other_reasons", from_texts(f->other_reasons, f->other_reason_count));
	json_object_set_new(line, "cannot_see", from_text(f->cannot_see));
	json_object_set_new(line, "chain", from_numbers(f->chain, f->chain_count));
	json_object_set_new(line, "since", from_time(f->since_ns));
	ids = from_spans(f->call_ids, f->call_id_count);
	for (unsigned i = 0; i < f->other_id_count; i++)
		json_array_append_new(ids, from_span(f->other_ids[i]));
	json_object_set_new(line, "calls", ids);
	json_object_set_new(line, "hosts", from_host_parts(f->hosts, f->host_count));
	json_object_set_new(line, "streams", from_streams(f->streams, f->stream_count));
	json_object_set_new(line, "first", from_time(f->first_ns));
	json_object_set_new(line, "last", from_time(f->last_ns));
	json_object_set_new(line, "count", json_integer(f->count));
	json_object_set_new(line, "state", from_text(f->state));
	json_object_set_new(line, "explained_by", from_number_or_null(f->explained_by));
	if (r->baseline)
		json_object_set_new(line, "history", finding_history(r->baseline, f));
	json_object_set_new(line, "evidence", from_evidence(r, f->evidence, f->evidence_count));
	json_object_set_new(line, "calls_total", json_integer(f->calls_total));
	if (f->change_count)
		json_object_set_new(line, "changes", finding_changes(f));
	line_print(r, line);
}

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
		json_object_set_new(one, "streams", from_streams(d->streams, d->stream_count));
		json_object_set_new(one, "bound_by", from_text(d->bound_by));
		json_object_set_new(one, "sender", json_string(d->sender == 0 ? "caller" : "callee"));
		json_object_set_new(one, "codec", from_text(d->codec));
		json_object_set_new(one, "mos", from_known(d->mos));
		json_array_append_new(list, one);
	}
	return list;
}

static void print_call(const struct report *r, const struct view_call *c)
{
	json_t *line = line_new("call");

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
	line_print(r, line);
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
		from_streams(s->loss_runs, sizeof s->loss_runs / sizeof s->loss_runs[0]));
	json_object_set_new(line, "duplicates", from_count(s->duplicates));
	json_object_set_new(line, "mirror_copies", from_count(s->mirror_copies));
	json_object_set_new(line, "reordered", from_count(s->reordered));
	json_object_set_new(line, "late", from_count(s->late));
	json_object_set_new(line, "max_delta_ms", from_known(s->max_delta_ms));
	json_object_set_new(line, "mean_jitter_ms", from_known(s->mean_jitter_ms));
	json_object_set_new(line, "max_jitter_ms", from_known(s->max_jitter_ms));
}

static void print_stream(const struct report *r, const struct view_stream *s)
{
	json_t *line = line_new("stream");
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
	json_object_set_new(line, "twins", from_streams(s->twins, s->twin_count));
	json_object_set_new(line, "dscp", s->dscp >= 0 ? json_integer(s->dscp) : json_null());
	json_object_set_new(line, "first", from_time(s->first_ns));
	json_object_set_new(line, "last", from_time(s->last_ns));
	line_print(r, line);
}

static json_t *peer_responses(const struct view_peer *p)
{
	json_t *o = json_object();
	char status[16];

	for (unsigned i = 0; i < p->response_count; i++) {
		snprintf(status, sizeof status, "%u", p->responses[i].status);
		json_object_set_new(o, status, from_count(p->responses[i].count));
	}
	return o;
}

static void print_peer(const struct report *r, const struct view_peer *p)
{
	json_t *line = line_new("peer"), *pdd = json_object();

	json_object_set_new(pdd, "p50", from_known(p->pdd_p50_ms));
	json_object_set_new(pdd, "p95", from_known(p->pdd_p95_ms));
	json_object_set_new(line, "addr", from_address(&p->at.addr));
	json_object_set_new(line, "user_agent", from_name(p->user_agent));
	json_object_set_new(line, "attempts", from_count(p->attempts));
	json_object_set_new(line, "answered", from_count(p->answered));
	json_object_set_new(line, "asr", from_known(p->asr));
	json_object_set_new(line, "ner", from_known(p->ner));
	json_object_set_new(line, "pdd_ms", pdd);
	json_object_set_new(line, "responses", peer_responses(p));
	json_object_set_new(line, "loss", from_known(p->loss_percent));
	json_object_set_new(line, "calls_too_few", json_boolean(p->calls_too_few));
	line_print(r, line);
}

static void print_registration(const struct report *r, const struct view_registration *g)
{
	json_t *line = line_new("registration");

	json_object_set_new(line, "n", json_integer(g->n));
	json_object_set_new(line, "aor", from_name(g->aor));
	json_object_set_new(line, "device", from_name(g->device));
	json_object_set_new(line, "source", from_endpoint(&g->source));
	json_object_set_new(line, "contact", from_name(g->contact));
	json_object_set_new(line, "registrar", from_endpoint(&g->registrar));
	json_object_set_new(line, "state", from_text(g->state));
	json_object_set_new(line, "status", from_number_or_null(g->status));
	json_object_set_new(line, "expires_s", g->has_expires ? json_integer(g->expires_s) : json_null());
	json_object_set_new(line, "first", from_time(g->first_ns));
	json_object_set_new(line, "last", from_time(g->last_ns));
	json_object_set_new(line, "findings", from_numbers(g->findings, g->finding_count));
	line_print(r, line);
}

/* [16384, 16391]: RTCP of the last one included. */
static json_t *from_range(const struct view_host *h)
{
	json_t *pair;

	if (!h->range_low)
		return json_null();
	pair = json_array();
	json_array_append_new(pair, json_integer(h->range_low));
	json_array_append_new(pair, json_integer(h->range_high));
	return pair;
}

static void print_host(const struct report *r, const struct view_host *h)
{
	json_t *line = line_new("host"), *aliases = json_array();

	for (unsigned i = 0; i < h->alias_count; i++)
		json_array_append_new(aliases, from_address(&h->aliases[i]));
	json_object_set_new(line, "addr", from_address(&h->addr));
	json_object_set_new(line, "aliases", aliases);
	json_object_set_new(line, "roles", from_texts(h->roles, h->role_count));
	json_object_set_new(line, "why", from_texts(h->why, h->why_count));
	json_object_set_new(line, "user_agent", from_name(h->user_agent));
	json_object_set_new(line, "sip_ports", from_ports(h->sip_ports, h->sip_port_count));
	json_object_set_new(line, "media_ports", from_ports(h->media_ports, h->media_port_count));
	json_object_set_new(line, "transports", from_texts(h->transports, h->transport_count));
	json_object_set_new(line, "vlan", from_ports(h->vlans, h->vlan_count));
	json_object_set_new(line, "dscp", h->dscp >= 0 ? json_integer(h->dscp) : json_null());
	json_object_set_new(line, "hops", h->hops >= 0 ? json_integer(h->hops) : json_null());
	json_object_set_new(line, "name", from_text(names_find(r->names, &h->addr)));
	json_object_set_new(line, "media_range", from_range(h));
	json_object_set_new(line, "peak_calls", from_number_or_null(h->peak_calls));
	json_object_set_new(line, "ports_needed", from_number_or_null(h->ports_needed));
	line_print(r, line);
}

/* [60, 75]: the mapping outlives 60 s of silence and is gone after 75. */
static json_t *from_bracket(const struct view_nat *n)
{
	json_t *pair;

	if (!n->has_bracket)
		return json_null();
	pair = json_array();
	json_array_append_new(pair, from_decimal(n->alive_s));
	json_array_append_new(pair, from_decimal(n->dead_s));
	return pair;
}

static void print_nat(const struct report *r, const struct view_nat *n)
{
	json_t *line = line_new("nat");

	json_object_set_new(line, "private", from_endpoint(&n->inside));
	json_object_set_new(line, "public", from_endpoint(&n->outside));
	json_object_set_new(line, "protocol", from_text(n->protocol));
	json_object_set_new(line, "scope", from_text(n->scope));
	json_object_set_new(line, "learnt", from_text(n->learnt));
	json_object_set_new(line, "weight", json_integer(n->weight));
	json_object_set_new(line, "bracket_s", from_bracket(n));
	json_object_set_new(line, "first", from_time(n->first_ns));
	json_object_set_new(line, "last", from_time(n->last_ns));
	line_print(r, line);
}

static void print_check(const struct report *r, const struct view_check *k)
{
	json_t *line = line_new("checklist");

	json_object_set_new(line, "item", from_text(k->item));
	json_object_set_new(line, "title", from_text(k->title));
	json_object_set_new(line, "state", from_text(k->state));
	json_object_set_new(line, "ids", from_texts(k->ids, k->id_count));
	json_object_set_new(line, "why", from_text(k->why));
	json_object_set_new(line, "evidence", from_evidence(r, k->evidence, k->evidence_count));
	json_object_set_new(line, "findings", from_numbers(k->findings, k->finding_count));
	json_object_set_new(line, "calls", from_numbers(k->calls, k->call_count));
	json_object_set_new(line, "calls_total", json_integer(k->calls_total));
	line_print(r, line);
}

static void print_end(const struct report *r)
{
	json_t *line = line_new("end"), *findings = json_object();
	struct view_end end;

	view_end(r->engine, &end);
	json_object_set_new(findings, "critical", json_integer(end.critical));
	json_object_set_new(findings, "error", json_integer(end.error));
	json_object_set_new(findings, "warning", json_integer(end.warning));
	json_object_set_new(findings, "info", json_integer(end.info));
	json_object_set_new(line, "calls", from_count(end.calls));
	json_object_set_new(line, "answered", from_count(end.answered));
	json_object_set_new(line, "streams", from_count(end.streams));
	json_object_set_new(line, "registrations", from_count(end.registrations));
	json_object_set_new(line, "findings", findings);
	json_object_set_new(line, "exit", json_integer(r->exit));
	line_print(r, line);
}

static void print_incidents(const struct report *r)
{
	struct view_incident *v = memory_zalloc(sizeof *v);

	for (size_t i = 0; view_incident(r->engine, i, v); i++)
		if (incident_shown(r, v))
			print_incident(r, v);
	free(v);
}

void report_json_finding(const struct report *r, const struct view_finding *f)
{
	json_set_alloc_funcs(memory_zalloc, free);
	print_finding(r, f);
}

static void print_findings(const struct report *r)
{
	struct view_finding *f = memory_zalloc(sizeof *f);

	for (size_t i = 0; view_finding(r->engine, i, f); i++)
		if (r->selection->findings[i].shown)
			print_finding(r, f);
	free(f);
}

static void print_calls(const struct report *r)
{
	struct view_call *c = memory_zalloc(sizeof *c);

	for (size_t i = 0; view_call(r->engine, i, c); i++)
		if (r->selection->calls[i].shown)
			print_call(r, c);
	free(c);
}

static void print_streams(const struct report *r)
{
	struct view_stream *s = memory_zalloc(sizeof *s);

	for (size_t i = 0; view_stream(r->engine, i, s); i++) {
		ptrdiff_t call = selection_call(r->selection, s->call);

		if (!r->selection->narrowed || (call != SELECTION_NONE && r->selection->calls[call].shown))
			print_stream(r, s);
	}
	free(s);
}

static void print_network(const struct report *r)
{
	struct view_peer peer;
	struct view_registration registration;
	struct view_host host;
	struct view_nat nat;
	struct view_check check;

	for (size_t i = 0; view_peer(r->engine, i, &peer); i++)
		print_peer(r, &peer);
	for (size_t i = 0; view_registration(r->engine, i, &registration); i++)
		print_registration(r, &registration);
	for (size_t i = 0; view_host(r->engine, i, &host); i++)
		print_host(r, &host);
	for (size_t i = 0; view_nat(r->engine, i, &nat); i++)
		print_nat(r, &nat);
	for (size_t i = 0; view_check(r->engine, i, &check); i++)
		print_check(r, &check);
}

void report_json(const struct report *r)
{
	json_set_alloc_funcs(memory_zalloc, free);
	print_capture(r);
	print_incidents(r);
	print_findings(r);
	print_calls(r);
	print_streams(r);
	print_network(r);
	print_end(r);
}
