/* SPDX-License-Identifier: MIT */
/* report_json: JSON Lines, fields and their order as promised to users. */
#include "ui/report_json.h"

#include <stdlib.h>

#include "captures/base/memory.h"
#include "dissect/dissect.h"
#include "ui/json_from.h"
#include "ui/link_name.h"
#include "ui/unread.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "1.0.0"
#endif

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
		char unread[UNREAD_TEXT];
		const char *error;
		json_t *one = json_object();

		json_object_set_new(one, "file", from_span(span_of(f->name)));
		json_object_set_new(one, "link", capture_links(f));
		json_object_set_new(one, "frames", from_count(f->frames));
		json_object_set_new(one, "bytes", from_count(f->bytes));
		error = f->error.code == ERR_OK ? unread_say(f, unread) : f->error.text;
		json_object_set_new(one, "error", error ? from_text(error) : json_null());
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
		json_object_set_new(one, "set", json_boolean(c->clocks[i].set));
		json_array_append_new(list, one);
	}
	return list;
}

static void print_capture(const struct report *r)
{
	struct view_capture *c = memory_zalloc(sizeof *c);
	json_t *line = json_line("capture");

	view_capture(r->engine, c);
	json_object_set_new(line, "schema", json_integer(1));
	json_object_set_new(line, "deadair", json_string(PACKAGE_VERSION));
	json_object_set_new(line, "files", capture_files(r));
	json_object_set_new(line, "first", from_time(c->untimed ? NS_NONE : c->first_ns));
	json_object_set_new(line, "last", from_time(c->untimed ? NS_NONE : c->last_ns));
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
	json_print(r->out, line, JSON_EXACT);
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
	json_t *line = json_line("incident");

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
	json_print(r->out, line, JSON_EXACT);
}

json_t *from_evidence(const struct report *r, const struct view_evidence *evidence, unsigned count)
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
	json_t *line = json_line("finding"), *ids;

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
	json_object_set_new(line, "streams", from_numbers(f->streams, f->stream_count));
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
	json_print(r->out, line, JSON_EXACT);
}

static void print_end(const struct report *r)
{
	json_t *line = json_line("end"), *findings = json_object();
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
	json_print(r->out, line, JSON_EXACT);
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
			report_json_call(r, c);
	free(c);
}

static void print_streams(const struct report *r)
{
	struct view_stream *s = memory_zalloc(sizeof *s);

	for (size_t i = 0; view_stream(r->engine, i, s); i++) {
		ptrdiff_t call = selection_call(r->selection, s->call);

		if (!r->selection->narrowed || (call != SELECTION_NONE && r->selection->calls[call].shown))
			report_json_stream(r, s);
	}
	free(s);
}

void report_json(const struct report *r)
{
	json_set_alloc_funcs(memory_zalloc, free);
	print_capture(r);
	print_incidents(r);
	print_findings(r);
	print_calls(r);
	print_streams(r);
	report_json_network(r);
	print_end(r);
}
