/* SPDX-License-Identifier: MIT */
/* report_details: what -v adds: streams of every call, peers, registrations, hosts, NAT map. */
#include "ui/report_part.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "captures/base/memory.h"
#include "ui/table.h"
#include "ui/words.h"

enum { INTERVALS_SHOWN = 720, TREND_ATTEMPTS = 100 };

static void section(const struct report *r, const char *title)
{
	out_text(r->out, "\n");
	out_paint(r->out, PAINT_HEAD, title);
	out_text(r->out, "\n");
}

static void cell_endpoint(struct table *t, const struct endpoint *e)
{
	char text[ENDPOINT_TEXT];

	table_cell(t, PAINT_PLAIN, address_known(&e->addr) ? endpoint_text(e, text) : "-");
}

static void cell_address(struct table *t, const struct report *r, const struct address *a)
{
	const char *name = names_find(r->names, a);
	char addr[ADDRESS_TEXT], text[ADDRESS_TEXT + 48];

	snprintf(text, sizeof text, name ? "%s (%.40s)" : "%s", address_text(a, addr), name);
	table_cell(t, PAINT_PLAIN, text);
}

static void cell_span(struct table *t, struct span s)
{
	char text[128];

	table_cell(t, PAINT_PLAIN, s.n ? text_escape(s, text, sizeof text) : "-");
}

__attribute__((format(printf, 2, 3))) static void cell_format(struct table *t, const char *format, ...);

static void cell_format(struct table *t, const char *format, ...)
{
	char text[160];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	table_cell(t, PAINT_PLAIN, text);
}

static void cell_known(struct table *t, double value, const char *unit)
{
	if (value < 0)
		table_cell(t, PAINT_PLAIN, "-");
	else
		cell_format(t, "%.1f%s", value, unit);
}

static const struct table_column stream_columns[] = {
	{ "from", false, 1, 0, 0 },  { "", false, 1, 0, 0 },	  { "to", false, 2, 0, 0 },	{ "codec", false, 2, 4,
	  4 }, { "packets", true, 2, 0, 0 },
	{ "lost", true, 2, 0, 0 },   { "jitter", true, 2, 0, 3 }, { "max gap", true, 2, 0, 1 },
	  { "MOS", true, 0, 0, 5 },
};

static void stream_row(struct table *t, const struct view_stream *s)
{
	char count[WORDS];

	cell_endpoint(t, &s->src);
	table_cell(t, PAINT_PLAIN, "→");
	cell_endpoint(t, &s->dst);
	cell_span(t, s->codec);
	table_cell(t, PAINT_PLAIN, words_count(s->packets, count));
	table_cell(t, PAINT_PLAIN, words_count(s->lost_within, count));
	cell_known(t, s->mean_jitter_ms, " ms");
	cell_known(t, s->max_delta_ms, " ms");
	cell_known(t, s->mos, "");
}

static void add_loss_runs(struct text *t, const struct view_stream *s)
{
	const unsigned last = sizeof s->loss_runs / sizeof s->loss_runs[0] - 1;

	for (unsigned i = 0; i <= last; i++)
		if (s->loss_runs[i])
			text_addf(t, "%s%" PRIu32 " of %u%s", t->n ? ", " : "", s->loss_runs[i], i + 1,
				i == last ? " and more" : "");
}

/* What the figures of the row do not say. */
static void stream_notes(const struct report *r, const struct view_stream *s)
{
	struct text t;

	text_init(&t);
	add_loss_runs(&t, s);
	if (t.n)
		out_paragraph(r->out, 4, "runs of loss", 14, PAINT_DIM, t.p);
	text_clear(&t);
	if (s->duplicates)
		text_addf(&t, "%" PRIu64 " duplicates", s->duplicates);
	if (s->mirror_copies)
		text_addf(&t, "%s%" PRIu64 " mirror copies", t.n ? ", " : "", s->mirror_copies);
	if (s->reordered)
		text_addf(&t, "%s%" PRIu64 " out of order", t.n ? ", " : "", s->reordered);
	if (s->late)
		text_addf(&t, "%s%" PRIu64 " too late", t.n ? ", " : "", s->late);
	if (s->epochs > 1)
		text_addf(&t, "%s%" PRIu32 " restarts of the numbering", t.n ? ", " : "", s->epochs - 1);
	for (unsigned i = 0; i < s->twin_count; i++)
		text_addf(&t, "%s%" PRIu32, i ? ", " : t.n ? "; the same as stream " : "the same as stream ",
			s->twins[i]);
	if (t.n)
		out_paragraph(r->out, 4, "also", 14, PAINT_DIM, t.p);
	text_fini(&t);
}

static const struct table_column interval_columns[] = {
	{ "time", false, 2, 0, 0 }, { "packets", true, 2, 0, 0 }, { "lost", true, 2, 0, 0 },
	  { "max jitter", true, 2, 0, 0 }, { "MOS", true, 0, 0, 0 },
};

static void stream_intervals(const struct report *r, const struct view_stream *s)
{
	struct table *t;
	char clock[NS_TEXT], count[WORDS];

	if (s->interval_count == 0)
		return;
	t = table_new(interval_columns, sizeof interval_columns / sizeof interval_columns[0]);
	for (unsigned i = 0; i < s->interval_count && i < INTERVALS_SHOWN; i++) {
		table_cell(t, PAINT_PLAIN, ns_clock(s->intervals[i].at_ns, 0, clock));
		table_cell(t, PAINT_PLAIN, words_count(s->intervals[i].packets, count));
		table_cell(t, PAINT_PLAIN, words_count(s->intervals[i].lost, count));
		cell_known(t, s->intervals[i].max_jitter_ms, " ms");
		cell_known(t, s->intervals[i].mos, "");
	}
	table_print(t, r->out, 4, true);
	table_free(t);
}

static void stream_print(const struct report *r, size_t index)
{
	struct view_stream s;
	struct table *t;

	if (!view_stream(r->engine, index, &s))
		return;
	t = table_new(stream_columns, sizeof stream_columns / sizeof stream_columns[0]);
	stream_row(t, &s);
	out_textf(r->out, "  stream %" PRIu32 ", ssrc 0x%08" PRIx32 "\n", s.n, s.ssrc);
	table_print(t, r->out, 4, true);
	table_free(t);
	stream_notes(r, &s);
	stream_intervals(r, &s);
}

static int by_call(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;

	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

/* Streams in the order of their calls; those of no call stand first in the sorted list and last in the report. */
static void report_streams(const struct report *r)
{
	const struct selection *s = r->selection;
	struct numbered *sorted = memory_resize(NULL, s->stream_count + 1, sizeof *sorted);
	size_t orphans = 0;

	for (size_t i = 0; i < s->stream_count; i++) {
		sorted[i] = (struct numbered){ s->streams[i].call, i };
		orphans += s->streams[i].call == 0;
	}
	if (s->stream_count)
		qsort(sorted, s->stream_count, sizeof *sorted, by_call);
	for (size_t i = 0; i < s->stream_count; i++) {
		const struct numbered *one = &sorted[(i + orphans) % s->stream_count];
		ptrdiff_t call = selection_call(s, one->n);
		bool first = i == 0 || sorted[(i + orphans - 1) % s->stream_count].n != one->n;
		char title[48];

		if (s->narrowed && (call == SELECTION_NONE || !s->calls[call].shown))
			continue;
		snprintf(title, sizeof title, one->n ? "Streams of call %u" : "Streams of no call", one->n);
		if (first)
			section(r, title);
		stream_print(r, one->index);
	}
	free(sorted);
}

static const struct table_column peer_columns[] = {
	{ "peer", false, 2, 0, 0 },	 { "user agent", false, 2, 8, 1 },    { "attempts", true, 2, 0, 0 },
	  { "answered", true, 2, 0, 0 },
	{ "ASR", true, 2, 0, 0 },	 { "NER", true, 2, 0, 0 },	      { "delay", true, 1, 0, 3 },
	  { "95 %", true, 2, 0, 2 },
	{ "loss", true, 2, 0, 4 },	 { "responses", false, 0, 22, 6 },
};

static const struct table_column agent_columns[] = {
	{ "user agent", false, 2, 24, 0 }, { "attempts", true, 2, 0, 0 }, { "answered", true, 2, 0, 0 },
	  { "ASR", true, 2, 0, 0 },
	{ "NER", true, 2, 0, 0 },	  { "delay", true, 1, 0, 3 },	 { "95 %", true, 2, 0, 2 },	{ "loss", true,
	  2, 0, 4 },
	{ "responses", false, 0, 22, 6 },
};

/* A share is shown where it can be one; under a hundred cases the counts beside it say all. */
static void cell_share(struct table *t, const struct view_peer *p, double share)
{
	if (p->calls_too_few || share < 0)
		table_cell(t, PAINT_PLAIN, "-");
	else if (p->attempts < TREND_ATTEMPTS)
		cell_format(t, "%.0f of %" PRIu64, share * (double)p->attempts, p->attempts);
	else
		cell_format(t, "%.0f %%", share * 100);
}

static void cell_delay(struct table *t, const struct view_peer *p, double ms)
{
	if (p->calls_too_few || ms < 0)
		table_cell(t, PAINT_PLAIN, "-");
	else
		cell_format(t, "%.1f s", ms / 1000);
}

static void cell_responses(struct table *t, const struct view_peer *p)
{
	struct text text;

	text_init(&text);
	if (p->calls_too_few)
		text_add(&text, "too few calls to tell");
	for (unsigned i = 0; i < p->response_count; i++)
		text_addf(&text, "%s%u: %" PRIu64, text.n ? ", " : "", p->responses[i].status, p->responses[i].count);
	table_cell(t, PAINT_PLAIN, text.p);
	text_fini(&text);
}

static void peer_row(struct table *t, const struct report *r, const struct view_peer *p)
{
	char count[WORDS];

	if (address_known(&p->at.addr))
		cell_address(t, r, &p->at.addr);
	cell_span(t, p->user_agent);
	table_cell(t, PAINT_PLAIN, words_count(p->attempts, count));
	table_cell(t, PAINT_PLAIN, words_count(p->answered, count));
	cell_share(t, p, p->asr);
	cell_share(t, p, p->ner);
	cell_delay(t, p, p->pdd_p50_ms);
	cell_delay(t, p, p->pdd_p95_ms);
	cell_known(t, p->loss_percent, " %");
	cell_responses(t, p);
}

static void peer_table(const struct report *r, const char *title, const struct table_column *columns, size_t count,
	bool agents, bool all)
{
	struct table *t = table_new(columns, count);
	struct view_peer p;

	for (size_t i = 0; view_peer(r->engine, i, &p); i++)
		if (address_known(&p.at.addr) != agents && (all || !p.calls_too_few))
			peer_row(t, r, &p);
	if (table_rows(t)) {
		section(r, title);
		table_print(t, r->out, 2, true);
	}
	table_free(t);
}

void report_peers(const struct report *r, bool all)
{
	peer_table(r, "Peers", peer_columns, sizeof peer_columns / sizeof peer_columns[0], false, all);
	peer_table(r, "User agents", agent_columns, sizeof agent_columns / sizeof agent_columns[0], true, all);
}

static const struct table_column registration_columns[] = {
	{ "user", false, 2, 12, 0 }, { "device", false, 2, 8, 2 },  { "registers at", false, 2, 0, 3 },
	  { "from", false, 2, 0, 0 },
	{ "every", true, 2, 0, 0 },  { "last", false, 2, 0, 1 },    { "state", false, 0, 0, 0 },
};

static void registration_row(struct table *t, const struct view_registration *g)
{
	char clock[NS_TEXT];

	cell_span(t, g->aor);
	cell_span(t, g->device);
	cell_endpoint(t, &g->registrar);
	cell_endpoint(t, &g->source);
	if (g->has_expires)
		cell_format(t, "%" PRIu32 " s", g->expires_s);
	else
		table_cell(t, PAINT_PLAIN, "-");
	table_cell(t, PAINT_PLAIN, g->last_ns == NS_NONE ? "-" : ns_clock(g->last_ns, 0, clock));
	if (g->status)
		cell_format(t, "%s %u", g->state, g->status);
	else
		table_cell(t, PAINT_PLAIN, g->state);
}

static void report_registrations(const struct report *r)
{
	struct table *t = table_new(registration_columns, sizeof registration_columns / sizeof registration_columns[0]);
	struct view_registration g;

	for (size_t i = 0; view_registration(r->engine, i, &g); i++)
		registration_row(t, &g);
	if (table_rows(t)) {
		section(r, "Registrations");
		table_print(t, r->out, 2, true);
	}
	table_free(t);
}

static const struct table_column host_columns[] = {
	{ "host", false, 2, 0, 0 },	{ "role", false, 2, 0, 0 },   { "sip", false, 2, 8, 0 },
	  { "media", false, 2, 0, 0 },
	{ "at once", true, 2, 0, 4 }, { "needs", true, 2, 0, 3 }, { "dscp", true, 2, 0, 2 },
	  { "user agent", false, 0, 8, 1 },
};

static void add_ports(struct text *t, const uint16_t *ports, unsigned count)
{
	uint16_t low = UINT16_MAX, high = 0;

	for (unsigned i = 0; i < count; i++) {
		low = ports[i] < low ? ports[i] : low;
		high = ports[i] > high ? ports[i] : high;
	}
	if (count > 3)
		text_addf(t, "%u-%u", low, high);
	for (unsigned i = 0; i < count && count <= 3; i++)
		text_addf(t, "%s%u", i ? " " : "", ports[i]);
}

/* "5060 udp tcp": the ports by their ends where there are many. */
static void cell_sip(struct table *t, const struct view_host *h)
{
	struct text text;

	text_init(&text);
	add_ports(&text, h->sip_ports, h->sip_port_count);
	for (unsigned i = 0; text.n && i < h->transport_count; i++)
		text_addf(&text, " %s", h->transports[i]);
	table_cell(t, PAINT_PLAIN, text.n ? text.p : "-");
	text_fini(&text);
}

/* "11800-11831": what SDP names, ports of RTCP included; else where media was seen. */
static void cell_media(struct table *t, const struct view_host *h)
{
	struct text text;

	text_init(&text);
	if (h->range_low)
		text_addf(&text, "%u-%u", h->range_low, h->range_high);
	else
		add_ports(&text, h->media_ports, h->media_port_count);
	table_cell(t, PAINT_PLAIN, text.n ? text.p : "-");
	text_fini(&text);
}

static void cell_number(struct table *t, unsigned n, const char *noun)
{
	if (n)
		cell_format(t, "%u %s%s", n, noun, n == 1 ? "" : "s");
	else
		table_cell(t, PAINT_PLAIN, "-");
}

static void host_row(struct table *t, const struct report *r, const struct view_host *h)
{
	struct text roles;

	text_init(&roles);
	for (unsigned i = 0; i < h->role_count; i++)
		text_addf(&roles, "%s%s", i ? ", " : "", h->roles[i]);
	cell_address(t, r, &h->addr);
	table_cell(t, PAINT_PLAIN, roles.n ? roles.p : "-");
	cell_sip(t, h);
	cell_media(t, h);
	cell_number(t, h->peak_calls, "call");
	cell_number(t, h->ports_needed, "port");
	if (h->dscp >= 0)
		cell_format(t, "%d", h->dscp);
	else
		table_cell(t, PAINT_PLAIN, "-");
	cell_span(t, h->user_agent);
	text_fini(&roles);
}

static void report_hosts(const struct report *r)
{
	struct table *t = table_new(host_columns, sizeof host_columns / sizeof host_columns[0]);
	struct view_host h;

	for (size_t i = 0; view_host(r->engine, i, &h); i++)
		host_row(t, r, &h);
	if (table_rows(t)) {
		section(r, "Hosts and ports");
		table_print(t, r->out, 2, true);
	}
	table_free(t);
}

static const struct table_column nat_columns[] = {
	{ "private", false, 1, 0, 0 }, { "", false, 1, 0, 0 }, { "public", false, 2, 0, 0 }, { "for", false, 2, 0, 0 },
	{ "learnt from", false, 2, 8, 0 }, { "lives", false, 0, 0, 0 }, /* the last one only where it was measured */
};

/* The JSON's word for how a mapping was learnt, in a person's. */
static const char *learnt_words(const char *learnt)
{
	static const char *const words[][2] = {
		{ "twin", "the same audio at two points" },
		{ "sip-two-points", "the same message at two points" },
		{ "stun", "STUN" },
		{ "rport", "rport in an answer" },
		{ "via", "Via differs from the source" },
		{ "contact", "Contact differs from the source" },
		{ "sdp-port-equal", "SDP differs from the source" },
		{ "sdp-port-other", "SDP differs from the source, in its port as well" },
		{ "latched", "audio that turned to it" },
		{ "external-address", "the address it advertises" },
		{ "config", "configuration" },
	};

	for (size_t i = 0; learnt && i < sizeof words / sizeof words[0]; i++)
		if (strcmp(words[i][0], learnt) == 0)
			return words[i][1];
	return learnt ? learnt : "-";
}

/* "60-75 s": how long a silence it outlives. */
static void cell_bracket(struct table *t, const struct view_nat *n)
{
	if (!n->has_bracket)
		table_cell(t, PAINT_PLAIN, "-");
	else if (n->alive_s > 0)
		cell_format(t, "%.0f-%.0f s", n->alive_s, n->dead_s);
	else
		cell_format(t, "< %.0f s", n->dead_s);
}

static bool brackets_measured(const struct report *r)
{
	struct view_nat n;
	bool measured = false;

	for (size_t i = 0; !measured && view_nat(r->engine, i, &n); i++)
		measured = n.has_bracket;
	return measured;
}

static void report_nat(const struct report *r)
{
	bool measured = brackets_measured(r);
	struct table *t = table_new(nat_columns, sizeof nat_columns / sizeof nat_columns[0] - !measured);
	struct view_nat n;

	for (size_t i = 0; view_nat(r->engine, i, &n); i++) {
		cell_endpoint(t, &n.inside);
		table_cell(t, PAINT_PLAIN, "↔");
		cell_endpoint(t, &n.outside);
		table_cell(t, PAINT_PLAIN, n.scope ? n.scope : "-");
		table_cell(t, PAINT_PLAIN, learnt_words(n.learnt));
		if (measured)
			cell_bracket(t, &n);
	}
	if (table_rows(t)) {
		section(r, "NAT");
		table_print(t, r->out, 2, true);
	}
	table_free(t);
}

void report_details(const struct report *r)
{
	if (r->verbose)
		report_streams(r);
	report_peers(r, r->verbose);
	if (!r->verbose)
		return;
	report_registrations(r);
	report_hosts(r);
	report_nat(r);
}
